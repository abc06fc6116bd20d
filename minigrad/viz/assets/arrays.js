// the entries of arrays: as numbers, as a small table, as a heat map
const entriesOf = (arrays) => {
  const decoded = new Map();
  const numbers = (k) => {
    if (arrays[k].same !== undefined) return numbers(arrays[k].same);
    if (!decoded.has(k)) {
      let found = null;
      if (arrays[k].data !== undefined) {
        const bytes = Uint8Array.from(atob(arrays[k].data), (c) => c.charCodeAt(0));
        found = arrays[k].wide ? new Float64Array(bytes.buffer) : new Float32Array(bytes.buffer);
      }
      decoded.set(k, found);
    }
    return decoded.get(k);
  };
  const at = (k, entry) => {
    if (arrays[k].all !== undefined) return arrays[k].all;
    const values = numbers(k);
    return values === null ? undefined : values[flat(arrays[k].shape, entry)];
  };
  return { numbers, at };
};

// what a box of the graph shows: all of a short array, else its smallest and its largest entry
const brief = (values, shape) => {
  const nested = (from, axis) => (axis === shape.length ? number(values[from])
    : `[${Array.from({ length: shape[axis] }, (_, i) => nested(from + i * shape.slice(axis + 1).reduce((a, b) => a * b, 1), axis + 1)).join(", ")}]`);
  if (!values.length) return "no entries";
  const text = values.length <= 6 ? nested(0, 0) : "";
  if (text && text.length <= 21) return text;
  const low = number(values.reduce((a, b) => Math.min(a, b))), high = number(values.reduce((a, b) => Math.max(a, b)));
  return low === high ? `all ${low}` : `${low} … ${high}`;
};
const heatPicture = (values, shape) => {
  const width = shape.length ? shape[shape.length - 1] : 1, height = values.length / width;
  const [columns, rows] = [Math.min(48, width), Math.min(24, height)], canvas = make("canvas", { width: columns, height: rows });
  const pen = canvas.getContext("2d"), picture = pen.createImageData(columns, rows), found = new Float64Array(columns * rows);
  for (let i = 0; i < values.length; i++) {
    const cell = Math.floor(Math.floor(i / width) * rows / height) * columns + Math.floor(i % width * columns / width);
    if (Math.abs(values[i]) > Math.abs(found[cell])) found[cell] = values[i];
  }
  const largest = found.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
  found.forEach((value, i) => picture.data.set([...(value < 0 ? [0, 114, 178] : [213, 94, 0]), 255 * Math.abs(value) / largest], 4 * i));
  pen.putImageData(picture, 0, 0);
  return canvas.toDataURL();
};

const cells = (at, shape, entry, choose, was = () => undefined) => {
  const size = shape.reduce((a, b) => a * b, 1), width = shape[shape.length - 1], table = make("table", { class: "mg-cells" });
  let largest = 0;
  for (let i = 0; i < size; i++) largest = Math.max(largest, Math.abs(at(unflat(shape, i))));
  for (let i = 0; i < size; i += width) table.append(make("tr", {}, ...Array.from({ length: width }, (_, j) => {
    const place = unflat(shape, i + j), value = at(place), old = was(place), isNew = old !== undefined && old !== value, chosen = entry && place.join() === entry.join();
    return make("td", {}, make("button", { type: "button", class: chosen ? "mg-chosen" : "", disabled: !entry, style: `background:${tint(value, largest)}`,
      "aria-label": `entry ${place.join(",")}: ${number(value)}${isNew ? `, was ${number(old)}` : ""}`, "aria-pressed": String(Boolean(chosen)),
      onclick: () => choose(place) }, number(value), isNew ? make("s", { class: "mg-old" }, number(old)) : null));
  })));
  return make("div", { class: "mg-wide" }, table);
};

const heatMap = (values, shape, entry, choose) => {
  const width = shape[shape.length - 1], height = values.length / width;
  const canvas = make("canvas", { width, height, class: "mg-heat", tabindex: 0, role: "img",
    "aria-label": `heat map of ${height} by ${width} entries; ${entry ? "arrow keys choose an entry" : ""}` });
  const pen = canvas.getContext("2d"), image = pen.createImageData(width, height);
  let largest = 0;
  for (const value of values) if (Math.abs(value) > largest && Number.isFinite(value)) largest = Math.abs(value);
  values.forEach((value, i) => image.data.set([...(value < 0 ? [0, 114, 178] : [213, 94, 0]), 255 * Math.min(1, Math.abs(value) / (largest || 1))], 4 * i));
  pen.putImageData(image, 0, 0);
  const frame = make("div", { class: "mg-heatframe", style: `aspect-ratio:${width}/${Math.max(height, width / 14)};max-width:${Math.max(90, Math.min(420, width / height * 220))}px` }, canvas);
  if (!entry) return frame;
  const index = flat(shape, entry), row = Math.floor(index / width), column = index % width;
  frame.append(make("span", { class: "mg-mark", style: `left:${100 * (column + .5) / width}%;top:${100 * (row + .5) / height}%` }));
  const to = (i, j) => choose(unflat(shape, Math.min(height - 1, Math.max(0, i)) * width + Math.min(width - 1, Math.max(0, j))));
  canvas.addEventListener("click", (click) => {
    const box = canvas.getBoundingClientRect();
    to(Math.floor((click.clientY - box.top) / box.height * height), Math.floor((click.clientX - box.left) / box.width * width));
  });
  canvas.addEventListener("keydown", (key) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[key.key];
    if (move) { key.preventDefault(); to(row + move[0], column + move[1]); }
  });
  return frame;
};
