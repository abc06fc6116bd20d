// "What if": every number that the step was given can be changed here, and the step be gone on with
const changePanel = (root, data, live, base, redraw) => {
  const flashed = (element, share) => {
    if (share > 0 && !calm && element && element.animate) element.animate([{ background: "var(--flash)" }, { background: "transparent" }],
      { duration: 900, easing: "ease-out", composite: "replace" });
  };
  const short = (x) => String(Number(x.toPrecision(7)));
  const nodeOf = (k) => data.nodes[live.given[k][1]];
  const shapeOf = (k) => data.arrays[live.given[k][2]].shape;
  const valueOf = (k, i, state = live.now()) => state.values[live.given[k][0]].data[i];
  let chosen = Math.max(0, live.given.findIndex(([name]) => live.updates.some(({ theta }) => theta === name))), index = 0, timer = null, perFrame = 1;

  const button = (name, text, label, action) => make("button", { type: "button", class: "mg-button", "data-change": name, title: label, "aria-label": label, onclick: action }, text);
  const all = (action) => () => { action(); shown(); };
  const undo = button("undo", "↶ Undo", "undo the last change", all(live.undo)), redo = button("redo", "↷ Redo", "do it again", all(live.redo));
  const reset = button("reset", "Reset", "back to what was recorded", all(() => { stop(); live.reset(); }));
  const link = button("link", "Copy link", "copy a link that carries the changes", () => {
    const address = location.href.split("#")[0] + "#change=" + encodeURIComponent(JSON.stringify(live.now().did));
    history.replaceState(null, "", address);
    if (navigator.clipboard) navigator.clipboard.writeText(address).catch(() => {});
    link.textContent = "Copied";
    setTimeout(() => { link.textContent = "Copy link"; }, 1200);
  });
  const next = button("step", "Next step", "take the new parameters into another step", all(live.step));
  const run = button("run", "Run", "train on in this page", () => (timer ? stop() : go()));
  const speed = make("select", { "aria-label": "steps per frame", "data-change": "speed", onchange: () => { perFrame = Number(speed.value); } },
    ...[1, 5, 25, 100].map((n) => make("option", { value: n }, `${n} a frame`)));
  const stop = () => { cancelAnimationFrame(timer); timer = null; run.textContent = "Run"; };
  const go = () => {
    run.textContent = "Pause";
    const frame = () => {
      const until = performance.now() + 40;
      for (let i = 0; i < perFrame && performance.now() < until && Number.isFinite(live.loss()); i++) live.step();
      shown();
      timer = root.isConnected && !guess.isAsking() && Number.isFinite(live.loss()) ? requestAnimationFrame(frame) : (stop(), null);
    };
    timer = requestAnimationFrame(frame);
  };
  const told = make("p", { class: "mg-loss", role: "status", "aria-live": "polite" });
  const curve = make("div", { class: "mg-curve" });

  // ---- one number ------------------------------------------------------------------------------------------
  const which = make("select", { "aria-label": "what to change", "data-change": "which", onchange: () => { chosen = Number(which.value); index = 0; shown(); } },
    ...live.given.map(([, node], k) => make("option", { value: k }, `${data.nodes[node].name} (${shapeOf(k).join("×") || "scalar"})`)));
  const whole = () => live.given[chosen][3] === "int64" || live.given[chosen][3] === "bool";
  const put = (value, remember) => {
    if (!Number.isFinite(value)) return;
    const largest = whole() ? Math.max(...live.recorded().values[live.given[chosen][0]].data) : Infinity;
    live.edit(live.given[chosen][0], index, whole() ? Math.min(largest, Math.max(0, Math.round(value))) : value, remember);
    shown();
  };
  const stepOf = () => (whole() ? 1 : 10 ** Math.floor(Math.log10(Math.max(Math.abs(valueOf(chosen, index, live.recorded())), 0.1)) - 1));
  const box = make("input", { type: "text", inputmode: "decimal", class: "mg-number", "data-change": "value", autocomplete: "off",
    onchange: () => put(Number(box.value.trim().replaceAll("−", "-").replace(",", "."))) });
  box.addEventListener("keydown", (key) => {
    const by = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[key.key];
    if (!by) return;
    key.preventDefault();
    put(valueOf(chosen, index) + by * stepOf() * (key.shiftKey ? 0.1 : 1));
    box.select();
  });
  box.addEventListener("pointerdown", (down) => {  // sideways it is a slider, of which only the whole way is undone
    const from = valueOf(chosen, index), unit = stepOf();
    let moved = false;
    const move = (event) => {
      if (!moved && Math.abs(event.clientX - down.clientX) < 4) return;
      put(from + Math.round((event.clientX - down.clientX) / 4) * unit, !moved);
      moved = true;
    };
    box.setPointerCapture(down.pointerId);
    box.addEventListener("pointermove", move);
    box.addEventListener("pointerup", () => box.removeEventListener("pointermove", move), { once: true });
  });
  const was = make("span", { class: "mg-muted mg-was" }), table = make("div", {});
  const nudge = make("p", { class: "mg-note mg-nudge" });
  const size = make("select", { "aria-label": "h", "data-change": "h", onchange: () => shown() },
    ...["0.1", "0.01", "0.001"].map((h) => make("option", { value: h, selected: h === "0.01" }, `h = ${h}`)));
  const nudged = () => {
    const [name, node] = live.given[chosen], h = Number(size.value), gradient = data.nodes[node].grad.slice(-1)[0];
    if (whole() || !gradient) return "";
    const value = valueOf(chosen, index), moved = live.edited(name, index, value + h), by = valueOf(chosen, index, moved) - value;
    const slope = (live.lossOf(moved) - live.loss()) / by, exact = (live.numbers(gradient[3]) || base.numbers(gradient[3]) || [])[index];
    return `Nudge it by h: Δloss / h = ${number(slope)}; the gradient says ${exact === undefined ? number(data.arrays[gradient[3]].all) : number(exact)}.`;
  };

  // ---- the optimizer ---------------------------------------------------------------------------------------
  const settings = make("span", { class: "mg-settings" });
  const optimizer = make("select", { "aria-label": "optimizer", "data-change": "optimizer", onchange: () => { live.choose(Number(optimizer.value)); shown(); } });
  if (live.updates.length) data.live.rules.forEach(({ name }, k) => optimizer.append(make("option", { value: k }, name)));
  const drawSettings = () => {
    const current = live.now().settings[0];
    optimizer.value = live.now().rule[0];
    if (settings.contains(document.activeElement)) return;
    settings.replaceChildren(...Object.entries(current).map(([symbol, value]) => {
      const input = make("input", { type: "text", class: "mg-setting", "data-setting": symbol, value: short(value), size: 7, "aria-label": symbol,
        onchange: () => { const typed = Number(input.value.replace(",", ".")); if (Number.isFinite(typed)) { live.set(symbol, typed); shown(); } } });
      return make("label", {}, `${greek(symbol)} `, input);
    }));
  };

  // ---- the loss, step by step ------------------------------------------------------------------------------
  const losses = [];
  const note = () => {
    const { step } = live.now();
    losses.length = Math.min(losses.length, step);
    losses[step] = live.loss();
  };
  const drawCurve = () => {
    const seen = losses.map((y, x) => [x, y]).filter(([, y]) => Number.isFinite(y));
    curve.hidden = seen.length < 2;
    if (curve.hidden) return;
    const most = Math.max(...seen.map(([, y]) => y)), least = Math.min(0, ...seen.map(([, y]) => y)), last = seen[seen.length - 1][0];
    const stride = Math.ceil(seen.length / 400), points = seen.filter((_, i) => i % stride === 0 || i === seen.length - 1)
      .map(([x, y]) => `${(300 * x / last).toFixed(1)},${(58 - 54 * (y - least) / (most - least || 1)).toFixed(1)}`).join(" ");
    curve.innerHTML = `<svg viewBox="-2 0 304 62" preserveAspectRatio="none" role="img" aria-label="loss over ${last} steps, now ${number(live.loss())}; a click goes back"><polyline points="${points}"/></svg>`;
    curve.firstChild.addEventListener("click", (click) => {
      const area = curve.getBoundingClientRect();
      stop();
      live.back(Math.round(last * (click.clientX - area.left) / area.width));
      shown();
    });
  };

  const shown = () => {
    note();
    const [name, , k] = live.given[chosen], value = valueOf(chosen, index), old = valueOf(chosen, index, live.recorded()), entry = unflat(shapeOf(chosen), index);
    undo.disabled = !live.canUndo(); redo.disabled = !live.canRedo(); reset.disabled = !live.isChanged();
    const after = live.lossAfter(), first = live.isChanged(), { step } = live.now();
    told.replaceChildren(`step ${step}: loss `, make("b", {}, number(live.loss())), first ? make("span", { class: "mg-muted" }, ` (was ${number(base.at(data.live.lossArray, unflat(data.arrays[data.live.lossArray].shape, 0)))})`) : "",
      after === null ? "" : ` → after its update ${number(after)}`);
    which.value = chosen;
    box.setAttribute("aria-label", `${nodeOf(chosen).name}${named(entry)}`);
    if (document.activeElement !== box || box.value !== short(value)) box.value = short(value);
    was.textContent = value === old ? "" : `was ${number(old)}`;
    const { shape } = data.arrays[k], entries = live.now().values[name].data;
    const choose = (place) => { index = flat(shape, place); shown(); box.focus({ preventScroll: true }); };
    if (entries.length === 1) table.replaceChildren();
    else if (entries.length <= 64 && (shape[shape.length - 1] || 1) <= 8) table.replaceChildren(cells((place) => entries[flat(shape, place)], shape, entry, choose));
    else table.replaceChildren(heatMap(entries, shape, entry, choose));
    nudge.replaceChildren(nudged());
    nudge.hidden = size.hidden = !nudge.textContent;
    if (live.updates.length) drawSettings();
    drawCurve();
    if (see) see.draw();
    if (pad) pad.draw();
    redraw(flashed);
    watchers.forEach((watch) => watch());
  };
  const watchers = [], guess = guessPanel(root, data, live, () => shown());
  const pad = data.live.pad ? padPanel(data, live, pixels, () => shown()) : null;
  const see = data.live.see ? seePanel(data, live, () => shown()) : null;
  const panel = make("section", { class: "mg-pane mg-change", "aria-label": "What if" }, make("h4", {}, "What if"),
    make("div", { class: "mg-buttons" }, undo, redo, reset, link, ...(live.updates.length ? [next, run, speed] : [])), told, curve, see && see.panel, pad && pad.panel,
    make("div", { class: "mg-buttons mg-one" }, which, box, was, size), guess.form, table, nudge,
    live.updates.length ? make("div", { class: "mg-buttons mg-one" }, make("label", {}, "Optimizer ", optimizer), settings) : null);
  root.querySelector(".mg-grid").append(panel);
  panel.addEventListener("keydown", (key) => {
    if ((key.ctrlKey || key.metaKey) && key.key === "z") { key.preventDefault(); (key.shiftKey ? live.redo : live.undo)(); shown(); }
  });
  return {
    shown, watch: (action) => watchers.push(action),
    pick: (node) => {
      const k = live.given.findIndex(([, each]) => each === node);
      if (k >= 0 && k !== chosen) { chosen = k; index = 0; shown(); }
    },
    begin: () => {
      const given = root.dataset.page !== undefined && location.hash.match(/#change=(.*)/);
      if (given) try { live.replay(JSON.parse(decodeURIComponent(given[1]))); } catch { live.reset(); }
      shown();
    },
  };
};
