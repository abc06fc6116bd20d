// Predict, on changes: before a change is made, which way will the loss go, and to what? A score is kept.
const guessPanel = (root, data, live, changed) => {
  const isOn = () => Boolean(root.querySelector(".mg-predict:checked"));
  let held = null, rights = 0, asked = 0, sizes = 0, sized = 0, isAnswered = false, isLetting = false;
  const legend = make("legend", {}), what = make("p", { class: "mg-note" }), reply = make("p", { class: "mg-reply", role: "status", "aria-live": "polite" });
  const sides = [["falls", "↓ falls"], ["stays", "= stays"], ["rises", "↑ rises"]].map(([side, text]) => make("label", {}, make("input", { type: "radio", name: `${root.id}-side`, value: side }), ` ${text}`));
  const box = make("input", { type: "text", inputmode: "decimal", autocomplete: "off", class: "mg-setting", size: 8 });
  const form = make("form", { class: "mg-guess mg-foresee", hidden: true, onsubmit: (submitted) => { submitted.preventDefault(); answer(); } },
    make("fieldset", {}, legend, what, make("div", { class: "mg-buttons" }, ...sides)),
    make("div", { class: "mg-buttons" }, make("label", {}, "The new loss, about ", box), make("button", { type: "submit", class: "mg-button" }, "See"),
      make("button", { type: "button", class: "mg-button mg-quiet", "data-guess": "leave", onclick: () => { held = null; draw(); keep(root, true); } }, "Leave it")), reply);
  const described = ([name, which, value], state) => {
    if (which === "step") return "One step: the new parameters take the place of the old.";
    if (which === "optimizer") return `The optimizer becomes ${data.live.rules[value].name}.`;
    if (which === "add") return "One point more.";
    if (which === "remove") return `Point ${value + 1} is taken away.`;
    if (!name) return `${greek(which)} becomes ${number(value)} (it is ${number(state.settings[0][which])}).`;
    if (typeof which !== "number") return `${name} becomes another picture or label.`;
    const { shape, data: entries } = state.values[name];
    return `${name}${named(unflat(shape, which))} becomes ${number(value)} (it is ${number(entries[which])}).`;
  };
  // what a setting changes is the loss behind the update
  const isOfUpdate = ({ did }) => did[did.length - 1][0] === "" && did[did.length - 1][1] !== "step" && live.lossAfter() !== null;
  const draw = () => {
    form.hidden = !held && !isAnswered;
    form.querySelectorAll("fieldset, div").forEach((part) => { part.hidden = !held; });
    if (!held) return;
    what.textContent = described(held.did[held.did.length - 1], live.now());
    legend.textContent = isOfUpdate(held) ? "Which way will the loss after the update go?" : "Which way will the loss go?";
  };
  const ask = (next) => {
    if (!held) { sides.forEach(({ firstChild }) => { firstChild.checked = false; }); box.value = ""; reply.textContent = ""; reply.className = "mg-reply"; }
    held = next;
    isAnswered = false;
    draw();
    const [name] = next.did[next.did.length - 1];
    if (!name) sides[0].firstChild.focus();  // arrow keys on a number may go on
  };
  const release = () => {
    const next = held;
    held = null;
    isAnswered = isLetting = true;
    live.to(next);
    isLetting = false;
  };
  const answer = () => {
    const measured = isOfUpdate(held) ? live.lossAfter : live.loss, chosen = form.querySelector("input:checked"), old = measured(), typed = Number(box.value.trim().replaceAll("−", "-").replace(",", "."));
    if (!chosen) { reply.textContent = "Choose one of the three."; return; }
    release();
    const fresh = measured(), side = number(fresh) === number(old) ? "stays" : fresh < old ? "falls" : "rises", isRight = chosen.value === side;
    asked += 1;
    rights += isRight;
    let told = `${isRight ? "✓\uFE0E Right" : "✗\uFE0E No"}: it ${side}, ${number(old)} → ${number(fresh)}.`;
    if (box.value.trim() !== "" && !Number.isNaN(typed)) {
      const isNear = Math.abs(typed - fresh) <= Math.max(0.25 * Math.abs(fresh - old), 0.0005 * Math.abs(fresh));
      sizes += isNear;
      sized += 1;
      told += isNear ? ` Your ${number(typed)} is within a quarter of the change.` : ` Your ${number(typed)} is off by more than a quarter of the change.`;
    }
    reply.className = `mg-reply ${isRight ? "mg-right" : "mg-wrong"}`;
    reply.textContent = `${told} ${rights} of ${asked} directions right${sized ? `, ${sizes} of ${sized} sizes` : ""}.`;
    changed();
    draw();
    keep(root, true);
  };
  live.guards.push((next) => {
    if (isLetting || !isOn() || !next.did.length) return true;
    ask(next);
    return false;
  });
  root.querySelector(".mg-predict").addEventListener("change", () => {  // what was asked happens; the score begins anew
    if (held) { release(); changed(); }
    rights = asked = sizes = sized = 0;
    isAnswered = false;
    draw();
  });
  return { form, isAsking: () => held !== null };
};
