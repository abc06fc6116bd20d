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

const extremes = (values) => {
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== values[i]) return [NaN, NaN];
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  return [low, high];
};

// what a box of the graph shows: all of a short array, else its smallest and its largest entry
const brief = (values, shape) => {
  const nested = (from, axis) => (axis === shape.length ? number(values[from])
    : `[${Array.from({ length: shape[axis] }, (_, i) => nested(from + i * shape.slice(axis + 1).reduce((a, b) => a * b, 1), axis + 1)).join(", ")}]`);
  if (!values.length) return "no entries";
  const text = values.length <= 6 ? nested(0, 0) : "";
  if (text && text.length <= 21) return text;
  const [least, most] = extremes(values), low = number(least), high = number(most);
  return low === high ? `all ${low}` : `${low} … ${high}`;
};
// the colour of an entry as a pixel: orange above 0, blue below
const [BELOW, ABOVE] = [[0, 114, 178], [213, 94, 0]].map(([r, g, b]) => (b << 16) | (g << 8) | r);
const coloured = (value, largest) => (value < 0 ? BELOW : ABOVE) | (Math.min(255, Math.round(255 * Math.abs(value) / (largest || 1))) << 24);
const heatPicture = (values, shape) => {
  const width = shape.length ? shape[shape.length - 1] : 1, height = values.length / width;
  const [columns, rows] = [Math.min(48, width), Math.min(24, height)], canvas = make("canvas", { width: columns, height: rows });
  const pen = canvas.getContext("2d"), picture = pen.createImageData(columns, rows), found = new Float64Array(columns * rows);
  const across = Uint16Array.from({ length: width }, (_, j) => Math.floor(j * columns / width));
  for (let i = 0, k = 0; i < height; i++) {
    const start = Math.floor(i * rows / height) * columns;
    for (let j = 0; j < width; j++, k++) if (Math.abs(values[k]) > Math.abs(found[start + across[j]])) found[start + across[j]] = values[k];
  }
  const largest = found.reduce((a, b) => (Number.isFinite(b) ? Math.max(a, Math.abs(b)) : a), 0) || 1;
  found.forEach((value, i) => picture.data.set([...(value < 0 ? [0, 114, 178] : [213, 94, 0]), 255 * Math.min(1, Math.abs(value) / largest)], 4 * i));
  pen.putImageData(picture, 0, 0);
  return canvas.toDataURL();
};

// The entries of an array as a table, or as a heat map where there are many. Both are drawn again in place; `choose` is
// called with the entry that somebody chose, and is null where none can be.
const entriesView = (shape, choose) => {
  const size = shape.reduce((a, b) => a * b, 1), width = shape.length ? shape[shape.length - 1] : 1;
  return size <= 64 && width <= 8 ? cellTable(shape, choose) : heatMap(shape, choose);
};
const once = (set) => {  // calls what writes into the page only with something new
  let last;
  return (value) => { if (value !== last) { last = value; set(value); } };
};

const cellTable = (shape, choose) => {
  const size = shape.reduce((a, b) => a * b, 1), width = shape[shape.length - 1], table = make("table", { class: "mg-cells", role: "presentation" });
  const cells = Array.from({ length: size }, (_, i) => {
    const place = unflat(shape, i), text = document.createTextNode(""), old = make("s", { class: "mg-old", hidden: true });
    const button = make("button", { type: "button", disabled: !choose, onclick: () => choose(place) }, text, old);
    return {
      button, place, tint: once((value) => { button.style.background = value; }), text: once((value) => { text.data = value; }),
      old: once((value) => { old.textContent = value; old.hidden = !value; }), label: once((value) => button.setAttribute("aria-label", value)),
      chosen: once((value) => { button.className = value ? "mg-chosen" : ""; button.setAttribute("aria-pressed", String(value)); }),
    };
  });
  for (let i = 0; i < size; i += width) table.append(make("tr", {}, ...cells.slice(i, i + width).map(({ button }) => make("td", {}, button))));
  const draw = (values, entry, was) => {
    let largest = 0;
    for (const value of values) largest = Math.max(largest, Math.abs(value));
    cells.forEach((cell, i) => {
      const shown = number(values[i]), old = was && was[i] !== undefined && was[i] !== values[i] ? number(was[i]) : "";
      cell.tint(tint(values[i], largest));
      cell.text(shown);
      cell.old(old);
      cell.chosen(Boolean(entry && cell.place.join() === entry.join()));
      cell.label(`entry ${cell.place.join(",")}: ${shown}${old ? `, was ${old}` : ""}`);
    });
  };
  return { element: make("div", { class: "mg-wide" }, table), draw };
};

// where the entries of an array lie in its picture: in rows; of more than two axes the last two are a tile of many
const arranged = (shape) => {
  const size = numpy.count(shape), [above, h, w] = [1, 1, 1, ...shape].slice(-3);
  if (shape.length < 3) return { width: w, height: size / w, place: (i) => i };
  const tiles = size / (w * h), step = above < tiles ? above : 1;
  let columns = step, best = Infinity;
  for (let c = step; c <= tiles; c += step) {
    const off = Math.abs(Math.log(c * (w + 1) / (Math.ceil(tiles / c) * (h + 1)) / 1.5));
    if (off < best) { best = off; columns = c; }
  }
  const width = columns * (w + 1) - 1, height = Math.ceil(tiles / columns) * (h + 1) - 1;
  return { width, height, place: (i) => {
    const tile = Math.floor(i / (w * h)), row = Math.floor(tile / columns) * (h + 1) + Math.floor(i % (w * h) / w);
    return row * width + tile % columns * (w + 1) + i % w;
  } };
};

const heatMap = (shape, choose) => {
  const size = numpy.count(shape), { width, height, place } = arranged(shape), ratio = Math.min(14, Math.max(1 / 7, width / height));
  const canvas = make("canvas", { width, height, class: "mg-heat", tabindex: 0, role: "img",
    "aria-label": `heat map of ${shape.join(" by ")} entries${choose ? "; arrow keys choose an entry" : ""}` });
  const mark = make("span", { class: "mg-mark", hidden: true });
  const element = make("div", { class: "mg-heatframe", style: `aspect-ratio:${ratio};max-width:${Math.min(420, 360 * ratio)}px` }, canvas, mark);
  const pen = canvas.getContext("2d"), image = pen.createImageData(width, height), pixels = new Uint32Array(image.data.buffer);
  let here = 0;  // the pixel of the entry that is chosen
  const draw = (values, entry) => {
    let largest = 0;
    for (let i = 0; i < values.length; i++) { const size = Math.abs(values[i]); if (size > largest && size < Infinity) largest = size; }
    for (let i = 0; i < values.length; i++) pixels[place(i)] = coloured(values[i], largest);
    pen.putImageData(image, 0, 0);
    mark.hidden = !choose || !entry;
    if (mark.hidden) return;
    here = place(flat(shape, entry));
    mark.style.left = `${100 * (here % width + .5) / width}%`;
    mark.style.top = `${100 * (Math.floor(here / width) + .5) / height}%`;
  };
  if (!choose) return { element, draw };
  const entries = new Map(Array.from({ length: size }, (_, i) => [place(i), i]));  // by pixel
  const inside = (row, column) => row >= 0 && row < height && column >= 0 && column < width;
  const to = (row, column) => { if (inside(row, column) && entries.has(row * width + column)) choose(unflat(shape, entries.get(row * width + column))); };
  canvas.addEventListener("click", (click) => {
    const box = canvas.getBoundingClientRect();
    to(Math.floor((click.clientY - box.top) / box.height * height), Math.floor((click.clientX - box.left) / box.width * width));
  });
  canvas.addEventListener("keydown", (key) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[key.key];
    if (!move) return;
    key.preventDefault();
    let [row, column] = [Math.floor(here / width), here % width];
    do { row += move[0]; column += move[1]; } while (inside(row, column) && !entries.has(row * width + column));  // over what parts two tiles
    to(row, column);
  });
  return { element, draw };
};
