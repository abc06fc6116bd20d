// "What if": every number that the step was given can be changed here, and the step be gone on with
const changePanel = (root, data, live, base, redraw, opened) => {
  const flashed = (element, share) => {
    if (share > 0 && !calm && element && element.animate) element.animate([{ background: "var(--flash)" }, { background: "transparent" }],
      { duration: 900, easing: "ease-out", composite: "replace" });
  };
  const nodeOf = (k) => data.nodes[live.given[k][1]];
  const shapeOf = (k) => live.now().values[live.given[k][0]].shape;
  const edits = editing(data, live, () => shown());
  const target = () => edits.entry(live.given[chosen][0], index);
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
  const stop = () => {
    if (!timer) return;
    cancelAnimationFrame(timer);
    timer = null;
    run.textContent = "Run";
    shown();
  };
  const go = () => {
    run.textContent = "Pause";
    const frame = () => {
      const until = performance.now() + 12;  // the rest of a frame is for drawing
      for (let i = 0; i < perFrame && performance.now() < until && Number.isFinite(live.loss()); i++) live.step();
      shown();
      if (root.isConnected && !guess.isAsking() && Number.isFinite(live.loss())) timer = requestAnimationFrame(frame); else stop();
    };
    timer = requestAnimationFrame(frame);
  };
  const told = make("p", { class: "mg-loss", role: "status", "aria-live": "polite" });

  // ---- one number ------------------------------------------------------------------------------------------
  const which = make("select", { "aria-label": "what to change", "data-change": "which", onchange: () => { chosen = Number(which.value); index = 0; shown(); } },
    ...live.given.map(([, node], k) => make("option", { value: k }, `${data.nodes[node].name} (${shapeOf(k).join("×") || "scalar"})`)));
  const box = edits.box(target, { class: "mg-number", "data-change": "value" });
  const was = make("span", { class: "mg-muted mg-was" }), tables = make("div", {});
  const size = make("select", { "aria-label": "h", "data-change": "h", onchange: () => shown() },
    ...["0.1", "0.01", "0.001"].map((h) => make("option", { value: h, selected: h === "0.01" }, `h = ${h}`)));
  const nudge = make("span", { class: "mg-muted mg-nudge" }), nudging = make("div", { class: "mg-buttons mg-one" }, make("label", { class: "mg-muted" }, "Nudge it by ", size), nudge);
  const nudged = () => {
    const [name, node, , type] = live.given[chosen], h = Number(size.value), gradient = data.nodes[node].grad.slice(-1)[0];
    if (!type.startsWith("float") || !gradient) return "";
    const value = target().get(), moved = live.edited(name, index, value + h), by = moved.values[name].data[index] - value;
    const slope = (live.lossOf(moved) - live.loss()) / by, exact = (live.numbers(gradient[3]) || base.numbers(gradient[3]) || [])[index];
    const unit = Math.abs(live.loss() / by) * (type === "float64" ? 2 ** -52 : 2 ** -23), isRounding = slope !== exact && Math.abs(slope) < 32 * unit;
    return `Δloss / h = ${number(slope)}; the gradient says ${exact === undefined ? number(data.arrays[gradient[3]].all) : number(exact)}.`
      + (isRounding ? " The loss moves in its last digits alone, which are rounded: take a larger h." : "");
  };

  // ---- the optimizer ---------------------------------------------------------------------------------------
  const settings = make("span", { class: "mg-settings" });
  const optimizer = make("select", { "aria-label": "optimizer", "data-change": "optimizer", onchange: () => { live.choose(Number(optimizer.value)); shown(); } });
  if (live.updates.length) data.live.rules.forEach(({ name }, k) => optimizer.append(make("option", { value: k }, name)));
  const drawSettings = () => {
    const current = live.now().settings[0], first = live.recorded().settings[0], key = JSON.stringify(current);
    optimizer.value = live.now().rule[0];
    if (settings.dataset.shown === key || settings.contains(document.activeElement)) return;
    settings.dataset.shown = key;
    settings.replaceChildren(...Object.entries(current).map(([symbol, value]) => {
      const input = make("input", { type: "text", class: "mg-setting", "data-setting": symbol, value: edits.short(value), size: 7, "aria-label": symbol,
        onchange: () => edits.put(edits.setting(symbol), edits.read(input.value)) });
      const old = symbol in first && first[symbol] !== value ? make("s", { class: "mg-muted" }, ` ${number(first[symbol])}`) : null;
      return make("label", {}, `${greek(symbol)} `, input, old);
    }));
  };

  let table = null, tableOf = "";
  const drawTable = () => {
    const [name] = live.given[chosen], { shape, data: entries } = live.now().values[name], key = `${name} ${shape}`;
    tables.hidden = entries.length === 1;
    if (tables.hidden) return;
    if (tableOf !== key) {
      table = entriesView(shape, (place) => { index = flat(shape, place); shown(); box.focus({ preventScroll: true }); });
      tables.replaceChildren(table.element);
      tableOf = key;
    }
    const old = live.recorded().values[name].data;
    table.draw(entries, unflat(shape, index), old.length === entries.length ? old : null);
  };
  const nudgeSoon = afterPaint(() => {
    nudge.textContent = nudged();
    nudging.hidden = !nudge.textContent;
  });
  const drawTableSoon = whileSeen(tables, drawTable);
  const drawPanel = () => {
    index = Math.min(index, live.now().values[live.given[chosen][0]].data.length - 1);
    const value = target().get(), old = target().was(), after = live.lossAfter();
    undo.disabled = !live.canUndo(); redo.disabled = !live.canRedo(); reset.disabled = !live.isChanged();
    told.setAttribute("aria-live", timer ? "off" : "polite");  // a run is too fast to be read out
    told.replaceChildren(`step ${live.now().step}: loss `, make("b", {}, number(live.loss())),
      live.isChanged() ? make("span", { class: "mg-muted" }, ` (was ${number(live.recordedLoss())})`) : "",
      after === null ? "" : ` → after its update ${number(after)}`);
    which.value = chosen;
    box.setAttribute("aria-label", target().label);
    if (document.activeElement !== box || box.value !== edits.short(value)) box.value = edits.short(value);
    was.textContent = value === old || old === undefined ? "" : `was ${number(old)}`;
    drawTableSoon();
    nudgeSoon();
    if (live.updates.length) drawSettings();
    views.forEach((view) => view.draw());
    watchers.forEach((watch) => watch());
  };
  const shown = () => {
    drawPanel();
    redraw(flashed, Boolean(timer));
  };
  const to = (step) => { stop(); live.travel(step); shown(); };
  const watchers = [], guess = guessPanel(root, data, live, () => shown()), way = timeline(live, to);
  const pictures = [
    ...(data.live.see ? [seePanel(data, live, () => shown(), opened)] : []), ...(data.live.pad ? [padPanel(data, live, pixels, () => shown())] : []),
    ...(data.live.windows.length ? [windowPanel(data, live)] : []), ...(data.live.texts.length + data.live.maps.length ? [readingPanel(data, live, () => shown())] : []),
  ];
  const folded = [
    ...(live.updates.length ? [
      foldedView("landscape", "The loss around here", () => landscapeView(root, data, live, edits)),
      foldedView("compare", "Two settings side by side", () => compareView(root, data, live, edits, (state) => { stop(); live.to(state); shown(); })),
    ] : []),
    foldedView("histograms", "Histograms by layer", () => histogramView(data, live, base)),
  ];
  const views = [way, ...pictures.map(({ panel: picture, draw }) => ({ draw: whileSeen(picture, draw) })), ...folded];
  const panel = make("section", { class: "mg-pane mg-change", "aria-label": "What if" }, make("h4", { "aria-level": 2 }, "What if"),
    make("div", { class: "mg-buttons" }, ...(live.updates.length ? [run, next, speed] : []), undo, redo, reset, link), told, way.panel,
    make("div", { class: "mg-beside" }, ...pictures.map((picture) => make("div", { class: "mg-picture" }, picture.panel)),
      make("div", { class: "mg-rest" }, make("div", { class: "mg-buttons mg-one" }, which, box, was), guess.form, tables, nudging,
        live.updates.length ? make("div", { class: "mg-buttons mg-one" }, make("label", {}, "Optimizer ", optimizer), settings) : null)),
    ...folded.map((view) => view.panel));
  root.querySelector(".mg-grid").append(panel);
  panel.addEventListener("keydown", (key) => {
    if ((key.ctrlKey || key.metaKey) && key.key === "z") { key.preventDefault(); (key.shiftKey ? live.redo : live.undo)(); shown(); }
  });
  const floating = floatingEditor(root, edits);
  return {
    edits, floating, shown, watch: (action) => watchers.push(action),
    pick: (node) => {
      const k = live.given.findIndex(([, each]) => each === node);
      if (k >= 0 && k !== chosen) { chosen = k; index = 0; shown(); }
    },
    begin: () => {
      const given = root.dataset.page !== undefined && location.hash.match(/#change=(.*)/);
      if (given) try { live.replay(JSON.parse(decodeURIComponent(given[1]))); } catch { live.reset(); }
      drawPanel();
    },
  };
};
