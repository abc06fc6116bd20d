// What each hidden unit makes of every place, a small picture for each: a layer is one canvas, of which a unit is chosen
// by the pointer or by keys. `looked` is called with the unit that is pointed at, and null; `opened` with one that is chosen.
const unitPictures = (node, name, GRID, looked, opened) => {
  const ACROSS = 8, TILE = GRID + 2, FRAME = 0x80808080, label = node.head[0], note = make("span", { class: "mg-muted" }, label);
  let units = 0, columns = 1, unit = 0, canvas = null;
  const picked = (event) => {
    const box = canvas.getBoundingClientRect(), { clientX: x, clientY: y } = event;
    const found = Math.floor((y - box.top) / box.height * Math.ceil(units / columns)) * columns + Math.floor((x - box.left) / box.width * columns);
    return Math.min(units - 1, Math.max(0, found));
  };
  const say = (is) => { note.textContent = is ? `${label}[…, ${unit}]` : label; };
  const at = (i) => { unit = i; say(true); looked(name, unit); };
  const away = () => { say(false); looked(null); };
  const build = (count) => {
    units = count;
    columns = Math.min(ACROSS, units);
    canvas = make("canvas", { width: TILE * columns, height: TILE * Math.ceil(units / columns), class: "mg-units mg-arrows", tabindex: 0, role: "application",
      "aria-label": `${label}: what each of ${units} units makes of every place; arrow keys look at one, Enter shows its number`, style: `width:${36 * columns}px`,
      onpointermove: (event) => { if (picked(event) !== unit || note.textContent === label) at(picked(event)); }, onpointerleave: away, onblur: away, onfocus: () => at(unit),
      onclick: () => opened(unit),
      onkeydown: (key) => {
        const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key.key];
        if (by) at((unit + by + units) % units);
        else if (key.key === "Enter" || key.key === " ") opened(unit);
        else return;
        key.preventDefault();
        key.stopPropagation();
      } });
    element.replaceChildren(note, canvas);
  };
  const element = make("div", { class: "mg-layer-units" });
  const draw = ({ shape, data }) => {  // an entry for each place and unit
    if (shape[1] !== units) build(shape[1]);
    const pen = canvas.getContext("2d"), image = pen.createImageData(canvas.width, canvas.height), pixels = new Uint32Array(image.data.buffer);
    let largest = 0;
    for (let k = 0; k < pixels.length; k++) {  // a line around each
      const [y, x] = [Math.floor(k / canvas.width), k % canvas.width], isEdge = [y, x].some((at) => at % TILE === 0 || at % TILE === TILE - 1);
      if (isEdge && Math.floor(y / TILE) * columns + Math.floor(x / TILE) < units) pixels[k] = FRAME;
    }
    for (const value of data) if (Math.abs(value) > largest) largest = Math.abs(value);
    for (let place = 0, k = 0; place < GRID * GRID; place++) for (let i = 0; i < units; i++, k++) {
      const row = Math.floor(i / columns) * TILE + 1 + Math.floor(place / GRID), column = i % columns * TILE + 1 + place % GRID;
      pixels[row * canvas.width + column] = coloured(data[k], largest);
    }
    pen.putImageData(image, 0, 0);
  };
  return { element, draw };
};
