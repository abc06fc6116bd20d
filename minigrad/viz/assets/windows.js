// a convolution's window over its picture: for the entry of a map that is pointed at, the pixels of which it is made
const tiles = (values, rows, columns, largest, named) => {
  const canvas = make("canvas", { width: columns, height: rows, class: "mg-tiles", role: "img", "aria-label": named });
  const pen = canvas.getContext("2d"), picture = pen.createImageData(columns, rows);
  for (let i = 0; i < rows * columns; i++) picture.data.set([...(values[i] < 0 ? [0, 114, 178] : [213, 94, 0]), 255 * Math.min(1, Math.abs(values[i]) / (largest || 1))], 4 * i);
  pen.putImageData(picture, 0, 0);
  return canvas;
};
const largestOf = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const windowPanel = (data, live) => {
  const convolutions = data.live.windows;
  let chosen = 0, sample = 0, map = 0, channel = 0, row = 0, column = 0;
  const value = (name) => { const seen = live.look(name); return { shape: seen.shape, entries: numpy.dense(seen) }; };
  const choice = (label, count, set) => make("label", {}, `${label} `, make("select", { "aria-label": label, onchange: (event) => { set(Number(event.target.value)); draw(); } },
    ...Array.from({ length: count }, (_, i) => make("option", { value: i }, String(i)))));
  const which = convolutions.length > 1 ? make("select", { "aria-label": "which convolution", onchange: () => { chosen = Number(which.value); sample = map = channel = row = column = 0; draw(); } },
    ...convolutions.map(({ names }, k) => make("option", { value: k }, names[2]))) : null;
  const choices = make("div", { class: "mg-buttons mg-one" }, which, choice("sample", convolutions[0].samples, (i) => { sample = i; }), choice("map", convolutions[0].maps, (i) => { map = i; }));
  const figures = make("div", { class: "mg-figures" }), said = make("p", { class: "mg-note mg-sum", role: "status", "aria-live": "polite" });
  const figure = (title, canvas, mark) => make("figure", { class: "mg-plate" }, make("div", { class: "mg-tileframe", style: `aspect-ratio:${canvas.width}/${canvas.height}` }, canvas, mark), make("figcaption", {}, title));
  const mark = (top, left, height, width, rows, columns, kind = "") => make("span", { class: `mg-frame ${kind}`,
    style: `top:${100 * top / rows}%;left:${100 * left / columns}%;height:${100 * height / rows}%;width:${100 * width / columns}%` });
  const draw = () => {
    const { names, stride, before, dilation, groups, ...own } = convolutions[chosen], x = value(own.x), w = value(own.w), y = value(own.y);
    const [, c, kh, kw] = w.shape, [, , height, width] = x.shape, [, maps, rows, columns] = y.shape, first = Math.floor(map / (maps / groups)) * c;
    channel = Math.min(channel, c - 1);
    [row, column] = [Math.min(row, rows - 1), Math.min(column, columns - 1)];
    const top = row * stride[0] - before[0], left = column * stride[1] - before[1], terms = [];
    for (let k = 0; k < c; k++) for (let i = 0; i < kh; i++) for (let j = 0; j < kw; j++) {
      const a = top + i * dilation[0], b = left + j * dilation[1];
      if (a >= 0 && a < height && b >= 0 && b < width) terms.push([x.entries[flat(x.shape, [sample, first + k, a, b])], w.entries[flat(w.shape, [map, k, i, j])]]);
    }
    terms.sort((one, other) => Math.abs(other[0] * other[1]) - Math.abs(one[0] * one[1]));
    const shown = terms.slice(0, 4), rest = terms.slice(4).reduce((sum, [a, b]) => sum + a * b, 0), made = y.entries[flat(y.shape, [sample, map, row, column])];
    const part = (x) => (x < 0 ? `(${number(x)})` : number(x));
    said.textContent = `${names[2]}[${[sample, map, row, column].join()}] = Σ window · weights${own.b ? " + b" : ""} = ${shown.map(([a, b]) => `${part(a)} · ${part(b)}`).join(" + ")}`
      + `${terms.length > 4 ? ` + ${terms.length - 4} more terms: ${part(rest)}` : ""}${own.b ? ` + ${part(value(own.b).entries[map])}` : ""} = ${number(made)}`;
    const plane = ({ shape, entries }, i, k) => entries.slice(flat(shape, [i, k, 0, 0]), flat(shape, [i, k, 0, 0]) + shape[2] * shape[3]);
    const picture = plane(x, sample, first + channel), weights = plane(w, map, channel), found = plane(y, sample, map);
    const result = tiles(found, rows, columns, largestOf(found), `map ${map} of ${names[2]}: arrow keys move the window`);
    result.tabIndex = 0;
    const focused = document.activeElement && document.activeElement.classList.contains("mg-slid");
    result.classList.add("mg-slid", "mg-arrows");
    const to = (a, b) => { if (a === row && b === column) return; [row, column] = [Math.min(rows - 1, Math.max(0, a)), Math.min(columns - 1, Math.max(0, b))]; draw(); };
    const point = (event) => { const box = result.getBoundingClientRect(); to(Math.floor((event.clientY - box.top) / box.height * rows), Math.floor((event.clientX - box.left) / box.width * columns)); };
    result.addEventListener("pointermove", point);
    result.addEventListener("pointerdown", point);
    result.addEventListener("keydown", (key) => {
      const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[key.key];
      if (by) { key.preventDefault(); key.stopPropagation(); to(row + by[0], column + by[1]); }
    });
    figures.replaceChildren(
      figure(`${names[0]}: the window at row ${top}, column ${left}`, tiles(picture, height, width, largestOf(picture), `picture ${sample} of ${names[0]}`),
        mark(top, left, (kh - 1) * dilation[0] + 1, (kw - 1) * dilation[1] + 1, height, width)),
      figure(`${names[1]}[${map}]`, tiles(weights, kh, kw, largestOf(weights), `weights of map ${map}`), null),
      figure(`${names[2]}: row ${row}, column ${column}`, result, mark(row, column, 1, 1, rows, columns, "mg-one-entry")));
    if (focused) result.focus({ preventScroll: true });
  };
  return { panel: make("div", { class: "mg-windows" }, choices, figures, said), draw };
};
