// what a network of one or two inputs makes of every place: a curve, or a surface, with the data as points to be dragged
const seePanel = (data, live, changed) => {
  const { x, outputs, target } = data.live.see, shape = live.recorded().values[x].shape, [count, inputs] = shape;
  const output = outputs[outputs.length - 1], start = live.recorded().values[x].data;
  const range = Array.from({ length: inputs }, (_, axis) => {
    const seen = Array.from({ length: count }, (_, i) => start[i * inputs + axis]), low = Math.min(...seen), high = Math.max(...seen);
    return [low - 0.3 * (high - low || 1), high + 0.3 * (high - low || 1)];
  });
  const W = 300, H = inputs === 2 ? 300 : 180, GRID = inputs === 2 ? 25 : 61;
  const canvas = make("canvas", { width: GRID, height: GRID, class: "mg-surface", "aria-hidden": "true" });
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${W} ${H}`);
  const panel = make("div", { class: "mg-see" }, inputs === 2 ? canvas : "", svg);
  const draws = (name, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    svg.append(made);
    return made;
  };
  const predicted = (places) => {  // the program takes as many at once as there were in the batch
    const found = [];
    for (let from = 0; from < places.length; from += count) {
      const batch = numpy.zeros_like(live.recorded().values[x]);
      for (let i = 0; i < count; i++) batch.data.set(places[Math.min(from + i, places.length - 1)], i * inputs);
      const seen = live.forward(live.now(), { [x]: batch })[output], values = numpy.dense(seen), wide = values.length / count;
      for (let i = 0; i < count && from + i < places.length; i++) found.push(values.slice(i * wide, (i + 1) * wide));
    }
    return found;
  };
  const targets = () => (target ? live.now().values[target] : null);
  const levels = () => { const { data: seen } = targets() || { data: [0, 1] }; return [Math.min(...seen), Math.max(...seen)]; };
  const HUES = [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233]];
  const colour = (values) => {  // of two, and of single numbers, how far to which side; of more classes which
    if (values.length > 2) return [...HUES[values.indexOf(values.reduce((a, b) => Math.max(a, b))) % HUES.length], 110];
    const [low, high] = levels(), by = values.length === 2 ? Math.tanh(values[1] - values[0]) : (2 * values[0] - low - high) / (high - low || 1);
    return [...HUES[by > 0 ? 1 : 0], 200 * Math.min(1, Math.abs(by))];
  };
  const toPlace = (px, py) => [range[0][0] + px / W * (range[0][1] - range[0][0]), inputs === 2 ? range[1][1] - py / H * (range[1][1] - range[1][0]) : py];
  const across = (value) => W * (value - range[0][0]) / (range[0][1] - range[0][0]);
  const [floor, top] = (() => { const [low, high] = levels(); return [low - 0.3 * (high - low || 1), high + 0.3 * (high - low || 1)]; })();
  const up = (value, axis) => (axis ? H * (range[1][1] - value) / (range[1][1] - range[1][0]) : H * (top - value) / (top - floor));

  const curve = inputs === 1 ? draws("polyline", { class: "mg-fitted" }) : null;
  const points = Array.from({ length: count }, (_, i) => {
    const point = draws("circle", { r: 7, class: "mg-point", tabindex: 0, role: "button" });
    const set = (axis, value, remember) => live.edit(x, i * inputs + axis, value, remember);
    const to = (px, py, remember) => {
      set(0, toPlace(px, py)[0], remember);
      if (inputs === 2) set(1, toPlace(px, py)[1], false);
      else if (target && targets().type.startsWith("float")) live.edit(target, i, top - py / H * (top - floor), false);
      changed();
    };
    const relabel = () => {
      const [low, high] = levels(), now = targets().data[i];
      if (!target || (inputs === 1 && targets().type.startsWith("float"))) return;
      live.edit(target, i, targets().type.startsWith("float") ? low + high - now : now >= high ? low : now + 1);
      changed();
    };
    point.addEventListener("pointerdown", (down) => {
      down.preventDefault();
      point.focus({ preventScroll: true });
      point.setPointerCapture(down.pointerId);
      let first = true;
      const move = (event) => {
        const area = svg.getBoundingClientRect();
        to((event.clientX - area.left) / area.width * W, (event.clientY - area.top) / area.height * H, first);
        first = false;
      };
      point.addEventListener("pointermove", move);
      point.addEventListener("pointerup", () => point.removeEventListener("pointermove", move), { once: true });
    });
    point.addEventListener("dblclick", relabel);
    point.addEventListener("keydown", (key) => {
      const by = { ArrowLeft: [-6, 0], ArrowRight: [6, 0], ArrowUp: [0, -6], ArrowDown: [0, 6] }[key.key];
      if (by) to(Number(point.getAttribute("cx")) + by[0], Number(point.getAttribute("cy")) + by[1], true);
      else if (key.key === "Enter" || key.key === " ") relabel();
      else return;
      key.preventDefault();
      key.stopPropagation();
    });
    return point;
  });
  const draw = () => {
    const places = Array.from({ length: inputs === 2 ? GRID * GRID : GRID }, (_, k) =>
      toPlace((k % GRID + 0.5) / GRID * W, (Math.floor(k / GRID) + 0.5) / GRID * H).slice(0, inputs));
    const seen = predicted(places), at = live.now().values[x].data, wanted = targets();
    if (inputs === 2) {
      const pen = canvas.getContext("2d"), picture = pen.createImageData(GRID, GRID);
      seen.forEach((values, k) => picture.data.set(colour(values), 4 * k));
      pen.putImageData(picture, 0, 0);
    } else curve.setAttribute("points", seen.map((values, k) => `${across(places[k][0]).toFixed(1)},${up(values[0]).toFixed(1)}`).join(" "));
    points.forEach((point, i) => {
      const label = wanted ? wanted.data[i] : 0, entry = Array.from(at.slice(i * inputs, (i + 1) * inputs));
      point.setAttribute("cx", across(entry[0]));
      point.setAttribute("cy", inputs === 2 ? up(entry[1], 1) : up(label));
      const [low, high] = levels(), hue = wanted && wanted.type === "int64" ? label : label > (low + high) / 2 ? 1 : 0;
      point.style.fill = `rgb(${HUES[hue % HUES.length].join(",")})`;
      point.setAttribute("aria-label", `point ${i + 1} at ${entry.map(number).join(", ")}${wanted ? `, target ${number(label)}` : ""}; arrow keys move it, Enter relabels it`);
    });
  };
  return { panel, draw };
};
