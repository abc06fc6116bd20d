// what a network of one or two inputs makes of every place: a curve, or a surface, with the data as points that can be
// dragged, added, taken away and relabelled
const seePanel = (data, live, changed, opened) => {
  const { x, target, output, rows, everywhere, layers } = data.live.see, most = live.mostRows, inputs = live.recorded().values[x].shape[1], start = live.recorded().values[x].data;
  const margin = ([low, high]) => [low - 0.3 * (high - low || 1), high + 0.3 * (high - low || 1)];
  const range = Array.from({ length: inputs }, (_, axis) => {
    const seen = Array.from({ length: rows }, (_, i) => start[i * inputs + axis]);
    return margin([Math.min(...seen), Math.max(...seen)]);
  });
  const W = 300, H = inputs === 2 ? 300 : 180, GRID = inputs === 2 ? 25 : 61, STEP = 6;
  const canvas = make("canvas", { width: GRID, height: GRID, class: "mg-surface", "aria-hidden": "true" });
  const svg = svgElement("svg", { viewBox: `0 0 ${W} ${H}` });
  let made = null;  // all that the network has worked out on its way
  const predicted = (places) => {  // what the network makes of each place; where it takes no other number, batch by batch
    const many = everywhere ? places.length : rows, found = [];
    for (let from = 0; from < places.length; from += many) {
      const batch = numpy.array([many, inputs], live.recorded().values[x].type);
      for (let i = 0; i < many; i++) batch.data.set(places[Math.min(from + i, places.length - 1)], i * inputs);
      made = live.predict(live.now(), batch);
      const values = numpy.dense(made[output]), wide = values.length / many;
      for (let i = 0; i < many && from + i < places.length; i++) found.push(values.slice(i * wide, (i + 1) * wide));
    }
    return found;
  };
  const targets = () => (target ? live.now().values[target] : null);
  const isClass = target && (inputs === 2 || !targets().type.startsWith("float"));
  const levels = (() => {
    const { data: seen } = target ? live.recorded().values[target] : { data: [0, 1] };
    return [seen.reduce((a, b) => Math.min(a, b)), seen.reduce((a, b) => Math.max(a, b))];
  })();
  const HUES = [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233]];
  const hueOf = (label) => HUES[(targets() && targets().type === "int64" ? label : label > (levels[0] + levels[1]) / 2 ? 1 : 0) % HUES.length];
  const colour = (values) => {  // of two, and of single numbers, how far to which side; of more classes which
    if (values.length > 2) return [...HUES[values.indexOf(values.reduce((a, b) => Math.max(a, b))) % HUES.length], 110];
    const [low, high] = levels, by = values.length === 2 ? Math.tanh(values[1] - values[0]) : (2 * values[0] - low - high) / (high - low || 1);
    return [...HUES[by > 0 ? 1 : 0], 200 * Math.min(1, Math.abs(by))];
  };
  const toPlace = (px, py) => [range[0][0] + px / W * (range[0][1] - range[0][0]), inputs === 2 ? range[1][1] - py / H * (range[1][1] - range[1][0]) : py];
  const across = (value) => W * (value - range[0][0]) / (range[0][1] - range[0][0]);
  const [floor, top] = margin(levels);
  const up = (value, axis) => (axis ? H * (range[1][1] - value) / (range[1][1] - range[1][0]) : H * (top - value) / (top - floor));
  const heightOf = (py) => top - py / H * (top - floor);

  // ---- points ----------------------------------------------------------------------------------------------
  const curve = inputs === 1 ? svgElement("polyline", { class: "mg-fitted" }) : null;
  if (curve) svg.append(curve);
  const points = [], ways = [];  // a way leads from where a point was recorded
  let chosen = 0;
  const pixels = (event) => {
    const area = svg.getBoundingClientRect();
    return [(event.clientX - area.left) / area.width * W, (event.clientY - area.top) / area.height * H];
  };
  const moveTo = (i, px, py, remember) => {
    live.edit(x, i * inputs, toPlace(px, py)[0], remember);
    if (inputs === 2) live.edit(x, i * inputs + 1, toPlace(px, py)[1], false);
    else if (target && !isClass) live.edit(target, i, heightOf(py), false);
    changed();
  };
  const relabel = (i) => {
    if (!isClass) return;
    const [low, high] = levels, now = targets().data[i];
    live.edit(target, i, targets().type === "int64" ? (now >= high ? low : now + 1) : low + high - now);
    changed();
  };
  const remove = (i) => {
    live.remove(i);
    chosen = Math.max(0, Math.min(i, live.rows() - 1));
    changed();
    draw();
    points[chosen].focus({ preventScroll: true });
  };
  const add = (px, py) => {
    if (live.rows() >= most) return;
    live.add(toPlace(px, py).slice(0, inputs), isClass ? Number(brush.value) : heightOf(py));
    chosen = live.rows() - 1;
    changed();
    draw();
    points[chosen].focus({ preventScroll: true });
  };
  const pointMade = (i) => {
    const point = svgElement("circle", { r: 7, class: "mg-point", tabindex: 0, role: "button" });
    point.addEventListener("focus", () => { chosen = i; });
    point.addEventListener("click", (click) => click.stopPropagation());
    point.addEventListener("pointerdown", (down) => {
      down.preventDefault();
      point.focus({ preventScroll: true });
      point.setPointerCapture(down.pointerId);
      let first = true;
      const move = (event) => { moveTo(i, ...pixels(event), first); first = false; };
      point.addEventListener("pointermove", move);
      point.addEventListener("pointerup", () => point.removeEventListener("pointermove", move), { once: true });
    });
    point.addEventListener("dblclick", () => relabel(i));
    point.addEventListener("keydown", (key) => {
      const by = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[key.key];
      if (by) moveTo(i, Number(point.getAttribute("cx")) + by[0], Number(point.getAttribute("cy")) + by[1], true);
      else if (key.key === "Enter" || key.key === " ") relabel(i);
      else if (key.key === "Delete" && most > rows) remove(i);
      else return;
      key.preventDefault();
      key.stopPropagation();
    });
    svg.append(point);
    return point;
  };
  const button = (name, text, label, action) => make("button", { type: "button", class: "mg-button", "data-change": name, "aria-label": label, title: label, onclick: action }, text);
  const classes = targets() && targets().type === "int64" ? Array.from({ length: levels[1] - levels[0] + 1 }, (_, k) => levels[0] + k) : levels;
  const brush = select("label of new points", "label", classes.map((level) => [level, `new: ${number(level)}`]), () => {});
  const tools = make("div", { class: "mg-buttons" },
    ...(most > rows ? [button("add", "Add", "add a point; a click beside the points adds one there", () => add(W / 2, H / 2)), isClass ? brush : null,
      button("remove", "Remove", "take the chosen point away", () => remove(chosen))] : []),
    isClass ? button("relabel", "Relabel", "give the chosen point the next label", () => relabel(chosen)) : null);
  if (most > rows) svg.addEventListener("click", (click) => add(...pixels(click)));
  // ---- hidden units ----------------------------------------------------------------------------------------
  const surface = (pixel) => {
    const pen = canvas.getContext("2d"), picture = pen.createImageData(GRID, GRID), pixels = new Uint32Array(picture.data.buffer);
    for (let k = 0; k < pixels.length; k++) pixels[k] = pixel(k);
    pen.putImageData(picture, 0, 0);
  };
  const lookAt = (name, unit) => {  // at what a unit makes of every place, or again at the output
    if (name === null) { drawOutput(); return; }
    const { shape: [, units], data: entries } = made[name], largest = largestOf(entries);
    surface((k) => coloured(entries[k * units + unit], largest));
  };
  const hidden = inputs === 2 && everywhere ? layers.map(([node, name]) => ({ name, ...unitPictures(data.nodes[node], name, GRID, lookAt, (unit) => opened(node, [chosen, unit])) })) : [];
  const panel = make("div", {}, make("div", { class: "mg-see" }, inputs === 2 ? canvas : "", svg), tools, ...hidden.map(({ element }) => element));

  const places = Array.from({ length: inputs === 2 ? GRID * GRID : GRID }, (_, k) =>
    toPlace((k % GRID + 0.5) / GRID * W, (Math.floor(k / GRID) + 0.5) / GRID * H).slice(0, inputs));
  let seen = [];
  const drawOutput = () => surface((k) => { const [r, g, b, a] = colour(seen[k]); return (a << 24) | (b << 16) | (g << 8) | r; });
  const draw = () => {
    seen = predicted(places);
    const at = live.now().values[x].data, wanted = targets(), count = live.rows();
    if (inputs === 2) drawOutput(); else curve.setAttribute("points", seen.map((values, k) => `${across(places[k][0]).toFixed(1)},${up(values[0]).toFixed(1)}`).join(" "));
    hidden.forEach(({ name, draw: drawUnits }) => drawUnits(made[name]));
    while (points.length < count) {
      ways.push(svg.insertBefore(svgElement("line", { class: "mg-ghost" }), points[0] || null));
      points.push(pointMade(points.length));
    }
    const heightOfPoint = (entry, label) => (inputs === 2 ? up(entry[1], 1) : up(label));
    points.forEach((point, i) => {
      point.style.display = ways[i].style.display = i < count ? "" : "none";
      if (i >= count) return;
      const label = wanted ? wanted.data[i] : 0, entry = Array.from(at.slice(i * inputs, (i + 1) * inputs));
      point.setAttribute("cx", across(entry[0]));
      point.setAttribute("cy", heightOfPoint(entry, label));
      const old = count === rows ? start.slice(i * inputs, (i + 1) * inputs) : entry, was = wanted && count === rows ? live.recorded().values[target].data[i] : label;
      Object.entries({ x1: across(old[0]), y1: heightOfPoint(old, was), x2: across(entry[0]), y2: heightOfPoint(entry, label) })
        .forEach(([end, value]) => ways[i].setAttribute(end, value));
      point.style.fill = `rgb(${hueOf(label).join(",")})`;
      point.setAttribute("aria-label", `point ${i + 1} at ${entry.map(number).join(", ")}${wanted ? `, target ${number(label)}` : ""}; arrow keys move it${isClass ? ", Enter relabels it" : ""}${most > rows ? ", Delete takes it away" : ""}`);
    });
    for (const [name, off] of [["add", count >= most], ["remove", count <= 2]]) {
      const found = tools.querySelector(`[data-change=${name}]`);
      if (found) found.disabled = off;
    }
  };
  return { panel, draw };
};
