// The loss over a plane through the parameters, with the way so far. The plane is spanned by two random directions, each
// row of which has the length of the parameter's own (Li et al. 2018), by two directions of the way, or by two entries.
const landscapeView = (root, data, live, edits) => {
  const W = 300, SLICE = 9, SLOW = 0.5, thetas = live.updates.map(({ theta }) => theta);
  const nodeName = Object.fromEntries(live.given.map(([name, node]) => [name, data.nodes[node].name]));
  let mode = "random", seed = 1, span = 1, plane = null, grid = null, job = null, again = false;

  // ---- directions ------------------------------------------------------------------------------------------
  const uniform = (state) => () => {  // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const zeros = () => Object.fromEntries(thetas.map((name) => [name, new Float64Array(live.now().values[name].data.length)]));
  const dot = (a, b) => thetas.reduce((sum, name) => sum + a[name].reduce((part, x, i) => part + x * b[name][i], 0), 0);
  const plus = (a, by, b) => Object.fromEntries(thetas.map((name) => [name, Float64Array.from(a[name], (x, i) => x + by * b[name][i])]));
  const upright = (second, first) => plus(second, -dot(second, first) / (dot(first, first) || 1), first);
  const at = (state) => Object.fromEntries(thetas.map((name) => [name, state.values[name].data]));
  const random = (centre, draw) => {
    const made = zeros();
    for (const name of thetas) {
      const { shape } = live.now().values[name], width = shape.length > 1 ? made[name].length / shape[0] : made[name].length;
      for (let from = 0; from < made[name].length; from += width) {
        let own = 0, length = 0;
        for (let i = from; i < from + width; i++) {
          made[name][i] = Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
          own += centre[name][i] ** 2;
          length += made[name][i] ** 2;
        }
        for (let i = from; i < from + width; i++) made[name][i] *= Math.sqrt(own / (length || 1));
      }
    }
    return made;
  };
  const alongTheWay = (centre, draw) => {  // where it has come from, and where it was farthest beside that
    const way = live.path().map(at), first = plus(way[0], -1, centre);
    if (!dot(first, first)) return [random(centre, draw), random(centre, draw)];
    const stride = Math.ceil(way.length / 50), beside = way.filter((_, i) => i % stride === 0).map((each) => upright(plus(each, -1, centre), first));
    const second = beside.reduce((best, each) => (dot(each, each) > dot(best, best) ? each : best));
    const scaled = Math.sqrt(dot(first, first) / (dot(second, second) || 1));
    return [first, dot(second, second) > 1e-12 * dot(first, first) ? Object.fromEntries(thetas.map((name) => [name, second[name].map((x) => x * scaled)])) : upright(random(centre, draw), first)];
  };
  const entries = thetas.flatMap((name) => Array.from({ length: Math.min(200, live.recorded().values[name].data.length) }, (_, i) => [name, i]));
  const called = ([name, i]) => nodeName[name] + named(unflat(live.recorded().values[name].shape, i));
  let chosen = [entries[0], entries[Math.min(1, entries.length - 1)]];
  const found = (text) => {
    const [, called, inside] = text.trim().match(/^(.*?)(?:\[([\d, ]*)\])?$/), name = thetas.find((each) => nodeName[each] === called.trim());
    if (name === undefined) return null;
    const { shape } = live.recorded().values[name], entry = (inside || "").split(",").filter((part) => part.trim()).map(Number);
    return entry.length === shape.length && entry.every((i, axis) => i < shape[axis]) ? [name, flat(shape, entry)] : null;
  };
  const single = ([name, i]) => {
    const made = zeros(), array = live.recorded().values[name].data;
    made[name][i] = Math.max(0.5, Math.sqrt(array.reduce((sum, x) => sum + x * x, 0) / array.length));
    return made;
  };
  const make_ = () => {
    const centre = at(live.now()), draw = uniform(seed);
    let pair = mode === "entries" ? chosen.map(single) : mode === "way" ? alongTheWay(centre, draw) : [random(centre, draw), random(centre, draw)];
    if (mode !== "entries") pair = [pair[0], upright(pair[1], pair[0])];
    plane = { centre, pair, lengths: pair.map((each) => dot(each, each) || 1), places: new WeakMap(), span };
  };
  const placeOf = (state) => {
    if (!plane.places.has(state)) {
      const away = plus(at(state), -1, plane.centre);
      plane.places.set(state, plane.pair.map((each, k) => dot(away, each) / plane.lengths[k]));
    }
    return plane.places.get(state);
  };

  // ---- the loss over it, coarsely first --------------------------------------------------------------------
  const others = (state) => {  // what the loss over the plane depends on beside the plane
    const data = live.given.map(([name]) => name).filter((name) => !thetas.includes(name)).map((name) => state.values[name]);
    return mode === "entries" ? [...data, ...thetas.map((name) => state.values[name])] : data;
  };
  const lossAt = (state, a, b) => {
    const here = Object.fromEntries(thetas.map((name) => {
      const { shape, type } = state.values[name], made = numpy.array(shape, type), base = plane.centre[name], [p, q] = [plane.pair[0][name], plane.pair[1][name]];
      for (let i = 0; i < made.data.length; i++) made.data[i] = base[i] + a * p[i] + b * q[i];
      return [name, made];
    }));
    return live.lossOf(state, here);
  };
  const start = () => {
    const state = live.now(), begun = performance.now(), [x, y] = placeOf(state);
    lossAt(state, x, y);
    const N = performance.now() - begun < SLOW ? 33 : 17;
    const fresh = { N, values: new Float64Array(N * N).fill(NaN), stride: 0, others: others(state) };
    const order = [];
    for (let stride = (N - 1) / 4; stride >= 1; stride /= 2)
      for (let i = 0; i < N; i += stride) for (let j = 0; j < N; j += stride)
        if (stride === (N - 1) / 4 || i % (2 * stride) || j % (2 * stride)) order.push([i, j, stride]);
    let k = 0;
    const slice = () => {
      const until = performance.now() + SLICE;
      let stride = order[k][2];
      while (k < order.length && performance.now() < until) {
        const [i, j] = order[k];
        fresh.values[i * N + j] = lossAt(state, span * (2 * j / (N - 1) - 1), span * (1 - 2 * i / (N - 1)));
        k++;
        if (k === order.length || order[k][2] !== stride) { fresh.stride = stride; grid = fresh; stride = k < order.length && order[k][2]; }
      }
      paint();
      job = k < order.length && root.isConnected ? setTimeout(slice, 0) : null;
      if (!job && again) { again = false; draw(); }
    };
    slice();
  };
  const canvas = make("canvas", { width: 150, height: 150, class: "mg-surface", "aria-hidden": "true" });
  const svg = svgElement("svg", { viewBox: `0 0 ${W} ${W}`, role: "img", "aria-label": "the loss over a plane, which is being worked out" });
  const way = svgElement("polyline", { class: "mg-path" }), from = svgElement("circle", { r: 5, class: "mg-from" }), here = svgElement("circle", { r: 6, class: "mg-to" });
  svg.append(way, from, here);
  const said = make("p", { class: "mg-note", "data-view-said": "landscape" });
  const paint = () => {
    if (!grid) return;
    const { N, values, stride } = grid, known = values.filter(Number.isFinite), low = known.reduce((a, b) => Math.min(a, b), Infinity), high = known.reduce((a, b) => Math.max(a, b), -Infinity);
    const logs = low > 0 && high > 20 * low, share = (y) => (logs ? Math.log(y / low) / Math.log(high / low) : (y - low) / (high - low || 1));
    const size = canvas.width, pen = canvas.getContext("2d"), picture = pen.createImageData(size, size), LEVELS = 14, level = new Int8Array(size * size);
    const M = (N - 1) / stride, known_ = (i, j) => values[i * stride * N + j * stride];
    for (let p = 0, k = 0; p < size; p++) for (let q = 0; q < size; q++, k++) {
      const y = (p + 0.5) / size * M, x = (q + 0.5) / size * M, i = Math.min(M - 1, Math.floor(y)), j = Math.min(M - 1, Math.floor(x)), u = y - i, v = x - j;
      const loss = (1 - u) * ((1 - v) * known_(i, j) + v * known_(i, j + 1)) + u * ((1 - v) * known_(i + 1, j) + v * known_(i + 1, j + 1));
      level[k] = Number.isFinite(loss) ? Math.floor(LEVELS * Math.min(0.999, share(loss))) : -1;
      const edge = (q && level[k] !== level[k - 1]) || (p && level[k] !== level[k - size]);
      picture.data.set([0, 114, 178, level[k] < 0 ? 0 : Math.round(20 + 150 * level[k] / LEVELS + (edge ? 60 : 0))], 4 * k);
    }
    pen.putImageData(picture, 0, 0);
    drawWay();
    said.textContent = `From ${number(low)}, the palest, to ${number(high)}${logs ? ", in levels of equal ratio" : ""}. ${live.now().step ? "The hollow ring is where it began, the full one is now. " : ""}${axes()}`;
    svg.setAttribute("aria-label", `the loss over ${said.textContent} Now ${number(live.loss())} at ${placeOf(live.now()).map(number).join(", ")}`);
  };
  const axes = () => (mode === "entries" ? `Across ${called(chosen[0])}, upwards ${called(chosen[1])}; click to put both there.`
    : mode === "way" ? "Across: from where it began; upwards: where it went beside that." : "Each direction has the parameters' own length, row by row.");
  const drawWay = () => {
    const path = live.path(), stride = Math.ceil(path.length / 600), kept = path.filter((_, i) => i % stride === 0 || i === path.length - 1);
    const points = kept.map(placeOf).map(([a, b]) => [W / 2 * (1 + a / span), W / 2 * (1 - b / span)]);
    way.setAttribute("points", points.map((point) => point.map((x) => x.toFixed(1)).join(",")).join(" "));
    for (const [ring, point] of [[from, points[0]], [here, points[points.length - 1]]]) { ring.setAttribute("cx", point[0]); ring.setAttribute("cy", point[1]); }
    from.style.display = points.length > 1 ? "" : "none";
  };
  const draw = () => {
    if (mode === "entries" || !plane) make_();
    if (!grid || others(live.now()).some((array, k) => array !== grid.others[k])) { if (job) again = true; else start(); }
    drawWay();
  };
  const anew = () => {
    clearTimeout(job);
    job = plane = grid = null;
    draw();
    drawControls();
  };
  svg.addEventListener("click", (click) => {
    if (mode !== "entries") return;
    const area = svg.getBoundingClientRect(), share = [2 * (click.clientX - area.left) / area.width - 1, 1 - 2 * (click.clientY - area.top) / area.height];
    const targets = chosen.map(([name, i], k) => [edits.entry(name, i), plane.centre[name][i] + span * share[k] * plane.pair[k][name][i]]);
    targets[0][0].set(targets[0][1], true);
    edits.put(targets[1][0], targets[1][1], false);
  });

  // ---- controls --------------------------------------------------------------------------------------------
  const which = select("which plane", "plane", [["random", "two random directions"], ["way", "along the way so far"], ["entries", "two entries"]], (value) => { mode = value; anew(); });
  const width = select("how far to each side", "span", [0.25, 0.5, 1, 2, 5].map((x) => [x, `± ${x}`]), (value) => { span = Number(value); anew(); });
  width.value = "1";
  const others_ = make("button", { type: "button", class: "mg-button", "data-change": "directions", onclick: () => { seed++; anew(); } }, "Other directions");
  const centre = make("button", { type: "button", class: "mg-button", "data-change": "centre", onclick: anew }, "Centre here");
  const list = `mg-entries-${Math.floor(performance.now() * 1e3)}`;
  const boxes = [0, 1].map((k) => make("input", { type: "text", size: 14, list, "data-change": `axis${k}`, "aria-label": `the entry ${k ? "upwards" : "across"}`, value: called(chosen[k]),
    onchange: (event) => {
      const seen = found(event.target.value);
      event.target.setAttribute("aria-invalid", String(!seen));
      if (seen) { chosen[k] = seen; anew(); }
    } }));
  const entriesOnly = make("span", { class: "mg-settings" }, ...boxes, make("datalist", { id: list }, ...entries.slice(0, 400).map((each) => make("option", { value: called(each) }))));
  const drawControls = () => {
    entriesOnly.hidden = mode !== "entries";
    others_.hidden = mode !== "random";
    centre.hidden = mode === "entries";
  };
  drawControls();
  const panel = make("div", {}, make("div", { class: "mg-buttons mg-one" }, which, width, others_, centre, entriesOnly), make("div", { class: "mg-see mg-plane" }, canvas, svg), said);
  return { panel, draw };
};
