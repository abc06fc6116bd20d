(function start(tries) {
  "use strict";
  const root = document.getElementById("__ID__");
  if (!root) { if (tries < 200) setTimeout(start, 50, tries + 1); return; }  // a notebook may attach it later
  if (root.dataset.live) return;
  root.dataset.live = "1";

  const data = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const one = (selector, inside) => (inside || root).querySelector(selector);
  const all = (selector, inside) => [...(inside || root).querySelectorAll(selector)];
  followTheme(root);

  const base = entriesOf(data.arrays), live = data.live ? liveStep(data, base, program, rules) : null;
  const numbers = (k) => (live && live.numbers(k)) || base.numbers(k);
  const at = (k, entry) => {
    const fresh = live && live.numbers(k);
    return fresh ? fresh[flat(data.arrays[k].shape, entry)] : base.at(k, entry);
  };
  const shapeOf = (k) => (live ? live.shapeOf(k) : data.arrays[k].shape);

  // ---- what is shown -------------------------------------------------------------------------------------
  const everything = data.events.map((_, k) => [k, null]);
  let steps = everything, position = 0, picked = null, timer = null;
  let predicting = false, revealed = true, right = 0, asked = 0;
  const now = () => data.events[steps[position][0]];
  const entryOf = (event) => {
    const shape = shapeOf(event.answer);
    if (picked && picked.shape === shape.join()) return picked.entry;
    return (steps[position][1] || event.entry).map((i, axis) => Math.min(i, shape[axis] - 1));
  };

  let change = null;  // the panel in which numbers are changed

  // ---- controls ------------------------------------------------------------------------------------------
  const button = (name, text, action, key) => make("button", {
    type: "button", class: "mg-button", "data-do": name, title: key ? `${text} (${key})` : text,
    "aria-label": text, onclick: action,
  }, { first: "|◀\uFE0E", back: "◀\uFE0E Back", next: "Next ▶\uFE0E", last: "▶\uFE0E|", play: "Play" }[name]);
  const slider = make("input", {
    type: "range", min: 0, class: "mg-slider", "aria-label": "step",
    oninput: () => go(Number(slider.value)),
  });
  const count = make("output", { class: "mg-count" }), which = make("span", { class: "mg-muted mg-which-step" });
  const strip = make("div", { class: "mg-strip", "aria-hidden": "true" });
  const chooser = make("select", {
    class: "mg-follow", "aria-label": "follow one weight",
    onchange: () => follow(chooser.value === "" ? null : data.follow[Number(chooser.value)]),
  }, make("option", { value: "" }, data.thread ? `everything, along ${data.thread}` : "everything"));
  data.follow.forEach((weight, i) => chooser.append(make("option", { value: i }, weight.name)));
  const predict = make("input", { type: "checkbox", class: "mg-predict", onchange: () => {
    predicting = predict.checked;
    right = asked = 0;
    stop();
    arrive();
  } });
  const score = make("span", { class: "mg-score", "aria-live": "polite" });
  const play = button("play", "Play", () => (timer ? stop() : run()), "space");
  one(".mg-controls").append(
    make("div", { class: "mg-buttons" },
      button("first", "First step", () => go(0), "Home"), button("back", "Back", () => go(position - 1), "←"), play,
      button("next", "Next", () => go(position + 1), "→"), button("last", "Last step", () => go(steps.length - 1), "End"),
      count, which,
      make("span", { class: "mg-options" },
        data.follow.length ? make("label", { title: "everything, with the entries that lie on one weight's way; or one weight alone" }, "Follow ", chooser) : null,
        make("label", { title: "hide the next number and type it yourself" }, predict, " Predict"), score,
        make("span", { class: "mg-keys" }, make("kbd", {}, "←"), make("kbd", {}, "→"), " step"))),
    make("div", { class: "mg-track" }, strip, slider));

  const panel = one(".mg-formula");
  panel.hidden = false;
  const spoken = make("div", { class: "mg-spoken", "aria-live": "polite", "aria-atomic": "true" });
  const guess = make("form", { class: "mg-guess" });
  const rows = make("table", { class: "mg-rows" });
  const inspector = inspectorView(data, live, base, { numbers, at, shapeOf }, (entry) => pick(entry));
  panel.append(make("h4", { "aria-level": 2 }, "Formula"), spoken, guess, rows);
  one(".mg-entries").hidden = false;
  one(".mg-entries").append(make("h4", { "aria-level": 2 }, "Numbers"), inspector.element);

  const graph = liveGraph(one(".mg-canvas"), data, "__ID__", live, (node) => {
    if (change) change.pick(node);
    const [made, gradient] = data.nodes[node].jump;
    const wantsGradient = gradient !== undefined && now().phase !== "forward" && steps[position][0] !== gradient;
    reach(wantsGradient || made === undefined ? gradient : made);
  }, { of: (k, i) => change && change.edits.at(k, i), open: (...all) => change.floating.open(...all) });

  // ---- moving --------------------------------------------------------------------------------------------
  const go = (to) => {
    to = Math.min(Math.max(to, 0), steps.length - 1);
    if (to === position) { slider.value = position; if (timer && to === steps.length - 1) stop(); return; }
    position = to;
    arrive();
  };
  const arrive = () => {
    revealed = !predicting;
    inspector.first();
    if (picked && picked.shape !== shapeOf(now().answer).join()) picked = null;
    render();
  };
  const reach = (k) => {
    if (k === undefined) return;
    let to = steps.findIndex(([event]) => event === k);
    if (to < 0) { chooser.value = ""; follow(null); to = k; }
    go(to);
  };
  const follow = (weight) => {
    const here = steps[position][0];
    steps = weight ? weight.steps : everything;
    picked = null;
    position = Math.max(0, steps.findIndex(([k]) => k >= here));
    track();
    arrive();
  };
  const stop = () => { clearInterval(timer); timer = null; play.textContent = "Play"; play.setAttribute("aria-label", "Play"); };
  const run = () => {
    if (position === steps.length - 1) go(0);
    timer = setInterval(() => (position < steps.length - 1 && root.isConnected ? go(position + 1) : stop()), 1300);
    play.textContent = "Pause";
    play.setAttribute("aria-label", "Pause");
  };
  const track = () => {
    slider.max = Math.max(0, steps.length - 1);
    strip.replaceChildren();
    let last = null;
    steps.forEach(([k], i) => {
      const { phase, step } = data.events[k];
      if (!last || last.dataset.phase !== phase || Number(last.dataset.step) !== step) {
        const name = data.steps > 1 && (!last || Number(last.dataset.step) !== step) ? `step ${step + 1}: ${phase}` : phase;
        last = make("span", { class: "mg-phase", "data-phase": phase, "data-step": step, "data-from": i, title: name, style: "flex-grow:0" }, name);
        strip.append(last);
      }
      last.dataset.to = i;
      last.style.flexGrow = Number(last.style.flexGrow) + 1;
    });
    strip.classList.toggle("mg-many", strip.childElementCount > 24);
  };
  listen(root, (key) => ({
    ArrowRight: () => go(position + 1), ArrowLeft: () => go(position - 1), Home: () => go(0),
    End: () => go(steps.length - 1), " ": () => (timer ? stop() : run()),
  })[key]);

  // ---- drawing -------------------------------------------------------------------------------------------
  const drawSource = (event) => {
    all(".mg-line").forEach((line) => { line.className = "mg-line"; line.removeAttribute("aria-current"); });
    if (!event.line) return;
    const line = one(`.mg-code[data-file="${event.line[0]}"] [data-line="${event.line[1]}"]`);
    if (!line) return;
    line.className = `mg-line mg-now mg-${event.phase}`;
    line.setAttribute("aria-current", "step");
    centre(one(".mg-scroll"), line);
  };
  const valueOf = (row, entry) => {
    if (live && live.isChanged() && row.live) {
      const seen = live.look(row.live);
      if (seen !== undefined) return number(typeof seen === "number" ? seen : numpy.dense(seen)[row.array === undefined ? 0 : flat(data.arrays[row.array].shape, entry)]);
    }
    if (row.number !== undefined) return row.number;
    if (row.at[entry.join()] !== undefined) return row.at[entry.join()];
    const value = at(row.array, entry);
    if (value !== undefined) return number(value);
    const worked = workedOut(now(), entry).get(row);
    return worked === undefined ? "…" : number(worked);
  };
  // A large parameter's intermediate lines are not on the page: they are worked out from theta, g and the state, as
  // the engine does, with single precision wherever an array of it takes part.
  const workedOut = (event, entry) => {
    const known = new Map(), found = new Map();
    for (const row of event.rows) {
      const single = row.array !== undefined && !data.arrays[row.array].double;
      const value = row.exact !== undefined ? row.exact : at(row.array, entry);
      if (value !== undefined) known.set(row.symbol, { value, single });
      else if (row.text) try { known.set(row.symbol, evaluate(row.text, known)); } catch { known.delete(row.symbol); }
      if (known.has(row.symbol)) found.set(row, known.get(row.symbol).value);
    }
    return found;
  };
  const pairs = (symbols, numbers, old) => {  // an update has several lines: each in symbols, and below it in numbers
    const below = numbers.split("\n"), before = old ? old.split("\n") : [];
    return symbols.split("\n").flatMap((line, i) => [make("p", { class: "mg-symbols" }, line),
      make("p", { class: "mg-numbers" }, ...dressed(below[i] || "")),
      before[i] && before[i] !== plain(below[i] || "") ? make("p", { class: "mg-before" }, make("span", { class: "mg-muted" }, "was "), make("s", {}, before[i].replace(/^= /, ""))) : ""]);
  };
  const own = (event, text) => greek(text).replaceAll("θ", () => event.theta);  // a parameter goes by its name
  const symbolOf = (event, entry) => event.symbol + named(entry);
  // the formula of an entry with the numbers that there are now: ⟦array:place⟧, or one of two by a condition
  const filled = (text) => {
    const worth = (place) => (place.includes(":") ? at(Number(place.split(":")[0]), unflat(data.arrays[Number(place.split(":")[0])].shape, Number(place.split(":")[1]))) : Number(place));
    const holds = { ">": (a, b) => a > b, "≥": (a, b) => a >= b, "<": (a, b) => a < b, "≤": (a, b) => a <= b };
    return text.replace(/⟦([^⟧]*)⟧/g, (_, inside, from) => {
      const choice = inside.match(/^(\S+) (\S) (\S+) \? (\S+) ! (\S+)$/);
      const place = choice ? (holds[choice[2]](worth(choice[1]), worth(choice[3])) ? choice[4] : choice[5]) : inside;
      const value = number(worth(place)), marked = place.includes(":") ? `${value}⟦${place}⟧` : value;
      return value.startsWith("−") && /[·+−/] $/.test(text.slice(0, from)) ? `(${marked})` : marked;
    }).replace(/\+ \((−[^\s()]+)\)((?: · (?:\(−[^()]*\)|[^\s()]+))+)/g, "+ ($1$2)").replace(/^= ([^\s⟦]+)(⟦\S*⟧)? = \1(⟦\S*⟧)?$/gm, "= $1$2");
  };
  const plain = (marked) => marked.replace(/⟦[^⟧]*⟧/g, "");
  // the numbers behind which ⟦array:place⟧ stands as buttons, where the step was given them
  const dressed = (marked) => {
    const pieces = marked.split(/([^\s()·⟦⟧]+)⟦(\d+):(\d+)⟧/), made = [];
    for (let i = 0; i < pieces.length; i += 4) {
      made.push(pieces[i]);
      const [text, k, place] = pieces.slice(i + 1);
      if (text === undefined) break;
      const target = change && live.isGiven(Number(k)) ? change.edits.at(Number(k), Number(place)) : null;
      if (!target) { made.push(text); continue; }
      made.push(make("button", { type: "button", class: "mg-edit", "data-key": target.key, title: `change ${target.label}`, "aria-label": `${text}: change ${target.label}`,
        onclick: (click) => change.floating.open(click.currentTarget, target, inFormula(), () => one(`.mg-spoken [data-key=${CSS.escape(target.key)}]`)) }, text));
    }
    return made;
  };
  const inFormula = () => all(".mg-spoken .mg-edit").map((button, i) => {
    const [name, place] = [button.dataset.key.slice(0, button.dataset.key.lastIndexOf(":")), button.dataset.key.slice(button.dataset.key.lastIndexOf(":") + 1)];
    return [name ? change.edits.entry(name, Number(place)) : change.edits.setting(place), () => all(".mg-spoken .mg-edit")[i]];
  });
  // whether an event adds up over a batch that has another number of rows than when its formula was written down
  const isOverBatch = (event) => {
    const grown = (k) => shapeOf(k)[0] !== data.arrays[k].shape[0];
    return !grown(event.answer) && (event.arrays.some(([, k]) => grown(k)) || event.sources.some((i) => data.nodes[i].value.some(([, , , k]) => grown(k))));
  };
  const say = (event, entry) => {
    const known = event.explanations[entry.join()], written = known && live && known[3] ? filled(known[3]) : "";
    if (known && live && live.isChanged() && !isOverBatch(event)) {
      const value = at(event.answer, entry), lines = known[0].split("\n");
      const last = event.rows ? event.rows.filter((row) => row.text).map((row) => `= ${valueOf(row, entry)}`).slice(-lines.length).join("\n") : `= ${number(value)}`;
      return { symbols: known[0], numbers: written || last, answer: value, old: known[1] };
    }
    if (known && !(live && live.isChanged())) return { symbols: known[0], numbers: plain(written) === known[1] ? written : known[1], answer: known[2] };
    const value = at(event.answer, entry), symbol = symbolOf(event, entry);
    if (value === undefined) return { symbols: symbol, numbers: "not on this page: it would be too large", answer: null };
    const part = (name) => { const found = event.arrays.find(([label]) => label.startsWith(name)); return found && at(found[1], entry); };
    const incoming = event.arrays.find(([label]) => label.startsWith("incoming"));
    const local = part("local"), sameShape = incoming && data.arrays[incoming[1]].shape.join() === data.arrays[event.answer].shape.join();
    if (local !== undefined && sameShape && !event.added)
      return { symbols: `${symbol} = incoming · local`, numbers: `= ${number(at(incoming[1], entry))} · ${number(local)} = ${number(value)}`, answer: value };
    return { symbols: symbol, numbers: `= ${number(value)}`, answer: value, bare: true };
  };
  const drawFormula = (event, entry) => {
    const said = say(event, entry);
    spoken.replaceChildren(
      make("p", { class: "mg-what" }, make("span", { class: `mg-badge mg-${event.kind}` }, event.kind),
        event.added ? make("span", { class: "mg-badge mg-added" }, "+ added to the earlier contribution") : null,
        " ", make("b", {}, event.title)),
      make("p", { class: "mg-rule" }, event.rule),
      ...pairs(said.symbols, revealed ? said.numbers : hideResult(plain(said.numbers)), revealed && said.old),
      event.rows ? make("p", { class: "mg-note" }, event.rows.filter((row) => !row.text)
        .map((row) => `${own(event, row.symbol)} = ${valueOf(row, entry)}`).join(",  ")) : "",
      ...event.notes.map((note) => make("p", { class: "mg-note" }, note)));
    if (said.bare && event.kind !== "seed") spoken.append(make("p", { class: "mg-note" },
      live && live.isChanged() && isOverBatch(event) ? `Added up over ${live.rows()} points; it was recorded with ${data.live.see.rows}.` : event.rows ? "Worked out line by line below." : `Its sum is not written out on this page: trace.html(follow="W[i,j]") adds the whole story of a weight.`));
    drawGuess(event, entry, said);
    rows.replaceChildren();
    const lines = event.rows && !event.explanations[entry.join()] ? event.rows.filter((row) => row.text) : [];
    rows.hidden = !lines.length;
    lines.forEach((row, i) => {
      const last = i === lines.length - 1;
      rows.append(make("tr", { class: last ? "mg-last" : "" }, make("th", { scope: "row" }, own(event, row.symbol)),
        make("td", { class: "mg-text" }, `${row.sign} ${own(event, row.text)}`),
        make("td", { class: "mg-value" }, last && !revealed ? "?" : valueOf(row, entry))));
    });
  };
  const drawGuess = (event, entry, said) => {
    guess.replaceChildren();
    guess.hidden = revealed || said.answer === null;
    if (revealed) return;
    if (said.answer === null) { revealed = true; return; }
    const box = make("input", { type: "text", inputmode: "decimal", autocomplete: "off", class: "mg-answer",
      "aria-label": `your number for ${symbolOf(event, entry)}`, placeholder: "3 digits suffice" });
    const reply = make("span", { class: "mg-reply", role: "status" });
    const reveal = () => { revealed = true; const event = now(); graph.draw(event, steps[position][0], revealed); drawFormula(event, entryOf(event)); inspect(); };
    let counted = false;
    const tally = (good) => { if (!counted) { asked += 1; right += good; counted = true; score.textContent = `${right} of ${asked} right at once`; } };
    guess.onsubmit = (submitted) => {
      submitted.preventDefault();
      const typed = Number(box.value.trim().replaceAll("−", "-").replace(",", "."));
      if (box.value.trim() === "" || Number.isNaN(typed)) { reply.textContent = "Type a number."; return; }
      const unit = said.answer === 0 ? 1e-9 : 10 ** (Math.floor(Math.log10(Math.abs(said.answer))) - 2);
      const good = Math.abs(typed - said.answer) <= 0.5000001 * unit;
      tally(good);
      if (good) {
        reveal();
        guess.hidden = false;
        guess.replaceChildren(make("span", { class: "mg-reply mg-right", role: "status" }, `✓\uFE0E Right: ${number(said.answer)}`));
      } else {
        reply.className = "mg-reply mg-wrong";
        reply.textContent = typed === -said.answer ? "✗\uFE0E Look at the sign." : Math.abs(typed - said.answer) <= 0.02 * Math.abs(said.answer)
          ? "✗\uFE0E Close: give 3 digits." : "✗\uFE0E Not yet. Try again, or show it.";
        box.select();
      }
    };
    guess.append(make("label", {}, `${symbolOf(event, entry)} = `, box), make("button", { type: "submit", class: "mg-button" }, "Check"),
      make("button", { type: "button", class: "mg-button mg-quiet", onclick: () => { tally(false); reveal(); one('[data-do="next"]').focus(); } }, "Show"), reply);
    if (root.contains(document.activeElement) && !document.activeElement.closest(".mg-change, .mg-lesson") && !timer) box.focus({ preventScroll: true });
  };

  // ---- entries on demand ---------------------------------------------------------------------------------
  const inspect = () => inspector.draw(now(), entryOf(now()), revealed);
  const pick = (entry) => {  // null where another array of the event is looked at
    if (entry) { picked = { shape: shapeOf(now().answer).join(), entry }; drawFormula(now(), entry); }
    inspect();
  };
  const inspectSoon = whileSeen(one(".mg-entries"), inspect);
  const renew = () => {  // the same event, with other numbers
    const k = steps[position][0], event = data.events[k], entry = entryOf(event);
    drawFormula(event, entry);
    graph.renew(event, k, revealed);
    inspectSoon();
    keep(root);
  };
  const render = () => {
    const k = steps[position][0], event = data.events[k], entry = entryOf(event);
    slider.value = position;
    slider.setAttribute("aria-valuetext", `step ${position + 1} of ${steps.length}: ${event.phase}, ${event.title}`);
    count.textContent = `${position + 1} / ${steps.length}`;
    one('[data-do="back"]').disabled = one('[data-do="first"]').disabled = position === 0;
    one('[data-do="next"]').disabled = one('[data-do="last"]').disabled = position === steps.length - 1;
    score.textContent = predicting && asked ? `${right} of ${asked} right at once` : "";
    all(".mg-phase").forEach((part) => part.classList.toggle("mg-current", part.dataset.from <= position && position <= part.dataset.to));
    which.textContent = data.steps > 1 ? `step ${event.step + 1} of ${data.steps}` : "";
    drawFormula(event, entry);
    graph.draw(event, k, revealed);
    drawSource(event);
    inspectSoon();
    keep(root);
  };
  root.classList.add("mg-live");
  if (!data.events.length) return;
  if (live) {
    root.classList.add("mg-alive");
    root.step = live;
    change = changePanel(root, data, live, base, (flash, isRunning) => {
      renew();
      if (isRunning) return;
      graph.flash();
      if (live.change(now().answer)) flash(one(".mg-spoken .mg-numbers"), 1);
    }, (node, entry) => { reach(data.nodes[node].jump[0]); pick(entry); });
    if (data.lesson) change.watch(lessonPanel(root, data, live, reach, change.shown).check);
    change.begin();
  }
  track();
  arrive();
})(0);
