// a pad to draw on: what the network makes of the picture follows the pen, and so does the gradient by the pixels
const padPanel = (data, live, pixels, changed) => {
  const { x, labels, shape: [rows, columns], results, gradient, constants } = data.live.pad, size = rows * columns;
  const recorded = live.recorded().values, count = recorded[x].data.length / size;
  const fixed = Object.fromEntries(constants.map(([name, , k, type]) => [name, live.held(k, type)]));
  const [output] = results[results.length - 1].slice(1), hidden = results.slice(0, -1);
  const wide = numpy.count(data.arrays[data.nodes[results[results.length - 1][0]].value[0][3]].shape) / count, isPicture = !labels;
  const picture = new Float64Array(size);
  let cursor = Math.floor(rows / 2) * columns + Math.floor(columns / 2), label = labels ? recorded[labels].data[0] : 0, frame = null;
  const LEVELS = "0123456789abcdefg";

  // ---- what the network makes of it ------------------------------------------------------------------------
  const worked = () => {  // the program takes as many pictures as there were in the batch: they are all this one
    const v = { ...live.now().values, ...fixed }, drawn = numpy.zeros_like(recorded[x]);
    for (let i = 0; i < drawn.data.length; i++) drawn.data[i] = picture[i % size];
    v[x] = drawn;
    if (labels) v[labels] = numpy.full_like(recorded[labels], label);
    pixels.forward(v);
    pixels.backward(v);
    return v;
  };
  const shares = (scores) => {
    const most = Math.max(...scores), grown = scores.map((score) => Math.exp(score - most)), total = grown.reduce((a, b) => a + b);
    return grown.map((each) => each / total);
  };

  // ---- pictures --------------------------------------------------------------------------------------------
  const canvasOf = (width, height, label, attributes = {}) => make("canvas", { width, height, role: "img", "aria-label": label, ...attributes });
  const paint = (canvas, entries, largest, place = (i) => i) => {
    const pen = canvas.getContext("2d"), image = pen.createImageData(canvas.width, canvas.height);
    const pixels = new Uint32Array(image.data.buffer);
    entries.forEach((value, i) => { pixels[place(i)] = coloured(value, largest); });
    pen.putImageData(image, 0, 0);
  };
  const largestOf = (entries) => entries.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const framed = (canvas, text, kind = "") => make("figure", { class: `mg-figure ${kind}` }, canvas, make("figcaption", {}, text));
  const pad = canvasOf(columns, rows, "", { class: "mg-heat mg-paper", tabindex: 0, role: "application", "aria-roledescription": "drawing pad" });
  const mark = make("span", { class: "mg-mark", hidden: true }), slope = canvasOf(columns, rows, "the gradient of the loss by each pixel", { class: "mg-slope" });
  const layers = hidden.map(([node, name]) => {
    const shape = data.arrays[data.nodes[node].value[0][3]].shape.slice(1), n = numpy.count(shape), across = Math.min(n, 64);
    const { width, height, place } = shape.length > 1 ? arranged(shape) : { width: across, height: Math.ceil(n / across) };
    const canvas = canvasOf(width, height, `${data.nodes[node].name}: ${n} numbers`, { class: "mg-layer" });
    return { name, n, canvas, place, title: `${data.nodes[node].name} (${n})` };
  });
  const made = isPicture ? canvasOf(columns, rows, "what the network makes of it") : null;
  const bars = isPicture ? [] : Array.from({ length: wide }, (_, k) => ({ bar: make("i", {}), text: make("span", {}), item: make("li", { value: k }) }));
  bars.forEach(({ bar, text, item }, k) => item.append(make("b", {}, String(k)), make("span", { class: "mg-bar" }, bar), text));

  // ---- controls --------------------------------------------------------------------------------------------
  const told = make("p", { class: "mg-note", role: "status", "aria-live": "polite" }), place = make("span", { class: "mg-unseen", "aria-live": "polite" });
  const button = (name, text, action) => make("button", { type: "button", class: "mg-button", "data-pad": name, onclick: action }, text);
  const text = () => Array.from(picture, (value) => LEVELS[Math.round(16 * value)]).join("");
  const asked = () => [...(labels ? [[labels, "fill", label]] : [])];
  const commit = () => { live.editAll([[x, "rows", text()], ...asked()]); changed(); };
  const take = (row) => {
    for (let i = 0; i < size; i++) picture[i] = live.dealt(x).data[row * size + i];
    if (labels) label = live.dealt(labels).data[row];
    live.editAll([[x, "sample", row], ...asked()]);
    changed();
  };
  const sample = make("select", { "aria-label": "a picture of the batch", "data-pad": "sample", onchange: () => { if (sample.value !== "") take(Number(sample.value)); } },
    make("option", { value: "" }, "from the batch …"),
    ...Array.from({ length: count }, (_, i) => make("option", { value: i }, String(i + 1))));
  let named = null;
  const nameSamples = () => {  // the batch may be another in each step
    if (!labels || named === live.dealt(labels)) return;
    named = live.dealt(labels);
    named.data.forEach((each, i) => { sample.options[i + 1].textContent = `${i + 1}: a ${each}`; });
  };
  const which = make("select", { "data-pad": "label", onchange: () => { label = Number(which.value); commit(); } }, ...bars.map((_, k) => make("option", { value: k }, String(k))));
  const isOn = () => Boolean(live.now().whole[x]);
  const back = button("back", "Back to the batch", () => { live.editAll([[x, "recorded", 0], ...(labels ? [[labels, "recorded", 0]] : [])]); changed(); });
  const teach = live.updates.length ? button("teach", "Teach it this one", () => {
    const before = reading;
    if (!isOn()) commit();
    live.step();
    changed();
    told.textContent = `One step on this picture. ${before} → ${reading}`;
  }) : null;

  // ---- the pen ---------------------------------------------------------------------------------------------
  const dab = (column, row, by) => {  // soft at the edge, as wide as a stroke of the pictures
    const reach = columns / 11;
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) {
      const ink = Math.max(0, Math.min(1, 1.5 - Math.hypot(j + 0.5 - column, i + 0.5 - row) / reach)), k = i * columns + j;
      picture[k] = Math.round(16 * Math.max(0, Math.min(1, by > 0 ? Math.max(picture[k], ink) : picture[k] - ink))) / 16;
    }
  };
  const soon = () => { if (frame === null) frame = requestAnimationFrame(() => { frame = null; follow(); }); };
  pad.addEventListener("pointerdown", (down) => {
    down.preventDefault();
    pad.focus({ preventScroll: true });
    pad.setPointerCapture(down.pointerId);
    const by = down.button === 2 || down.shiftKey ? -1 : 1;
    let last = null;
    const draw = (event) => {
      const area = pad.getBoundingClientRect(), at = [(event.clientX - area.left) / area.width * columns, (event.clientY - area.top) / area.height * rows];
      const [from, n] = [last || at, last ? Math.max(1, Math.ceil(2 * Math.hypot(at[0] - last[0], at[1] - last[1]))) : 1];
      for (let k = 1; k <= n; k++) dab(from[0] + (at[0] - from[0]) * k / n, from[1] + (at[1] - from[1]) * k / n, by);
      last = at;
      soon();
    };
    const end = () => { pad.removeEventListener("pointermove", draw); commit(); };
    draw(down);
    pad.addEventListener("pointermove", draw);
    for (const kind of ["pointerup", "pointercancel"]) pad.addEventListener(kind, end, { once: true });
  });
  pad.addEventListener("contextmenu", (event) => event.preventDefault());
  pad.addEventListener("keydown", (key) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key.key], by = { " ": 1, Enter: 1, Backspace: -1, Delete: -1 }[key.key];
    if (!move && !by) return;
    key.preventDefault();
    if (move) {
      const column = Math.min(columns - 1, Math.max(0, cursor % columns + move[0])), row = Math.min(rows - 1, Math.max(0, Math.floor(cursor / columns) + move[1]));
      cursor = row * columns + column;
    }
    if (by || key.shiftKey) { dab(cursor % columns + 0.5, Math.floor(cursor / columns) + 0.5, by || 1); commit(); }
    at();
    place.textContent = `row ${Math.floor(cursor / columns) + 1}, column ${cursor % columns + 1}: ${number(picture[cursor])}`;
  });
  const at = () => {
    mark.hidden = document.activeElement !== pad;
    mark.style.left = `${100 * (cursor % columns + 0.5) / columns}%`;
    mark.style.top = `${100 * (Math.floor(cursor / columns) + 0.5) / rows}%`;
  };
  pad.addEventListener("focus", at);
  pad.addEventListener("blur", at);

  // ---- what is shown ---------------------------------------------------------------------------------------
  let reading = "";
  const follow = () => {
    const v = worked(), scores = Array.from(numpy.dense(v[output]).slice(0, wide)), slopes = numpy.dense(v[gradient]).slice(0, size).map((value) => value * count);
    paint(pad, picture, 1);
    paint(slope, slopes, largestOf(slopes));
    layers.forEach(({ name, n, canvas, place }) => { const entries = numpy.dense(v[name]).slice(0, n); paint(canvas, entries, largestOf(entries), place); });
    if (isPicture) { paint(made, scores, largestOf(scores)); return; }
    const found = shares(scores), best = found.indexOf(Math.max(...found));
    bars.forEach(({ bar, text, item }, k) => {
      bar.style.width = `${(100 * found[k]).toFixed(1)}%`;
      text.textContent = found[k].toFixed(2);
      item.classList.toggle("mg-best", k === best);
    });
    reading = `It reads ${best} (${found[best].toFixed(2)}).`;
    told.textContent = reading;
  };
  const draw = () => {
    if (!isOn() && live.now().step === 0 && !picture.some(Boolean)) for (let i = 0; i < size; i++) picture[i] = live.dealt(x).data[i];
    const { did } = live.now(), last = did.filter(([name, how]) => name === x && typeof how === "string").pop();
    if (isOn()) for (let i = 0; i < size; i++) picture[i] = live.now().values[x].data[i];
    if (labels && isOn()) label = live.now().values[labels].data[0];
    which.value = label;
    nameSamples();
    if (sample.value !== "" && (!last || last[1] !== "sample")) sample.value = "";
    back.disabled = !isOn();
    pad.setAttribute("aria-label", `drawing pad of ${rows} by ${columns} pixels: arrow keys move, Space draws, Shift and an arrow draws on, Delete erases`);
    follow();
  };
  const panel = make("div", { class: "mg-drawn" },
    make("div", { class: "mg-figures" }, make("figure", { class: "mg-figure mg-first" }, make("div", { class: "mg-sheet" }, pad, mark), make("figcaption", {}, "draw here")),
      framed(slope, "dL/d(pixel): more ink in orange raises the loss, in blue lowers it"), isPicture ? framed(made, "what the network makes of it") : make("ol", { class: "mg-bars", "aria-label": "what it reads" }, ...bars.map(({ item }) => item))),
    ...layers.map(({ canvas, title }) => framed(canvas, title, "mg-strip-of")), told, place,
    make("div", { class: "mg-buttons" }, button("clear", "Clear", () => { picture.fill(0); commit(); }), sample,
      labels ? make("label", {}, "It is a ", which) : null, teach, back));
  return { panel, draw };
};
