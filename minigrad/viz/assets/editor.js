// Numbers that the step was given, or a setting of the optimizer, as they are typed, dragged sideways or nudged by keys
const editing = (data, live, changed) => {
  const short = (x) => String(Number(x.toPrecision(7)));
  const isWhole = (name) => ["int64", "bool"].includes(live.now().values[name].type);
  const entry = (name, i) => {
    const { shape } = live.now().values[name], node = data.nodes[live.given.find(([each]) => each === name)[1]];
    const was = () => {  // none where the batch has other points than it had
      const first = live.recorded().values[name].data;
      return first.length === live.now().values[name].data.length ? first[i] : undefined;
    };
    return {
      key: `${name}:${i}`, label: node.name + named(unflat(shape, i)), was,
      get: () => live.now().values[name].data[i],
      set: (value, remember) => {
        const most = isWhole(name) ? live.recorded().values[name].data.reduce((a, b) => Math.max(a, b)) : Infinity;
        live.edit(name, i, isWhole(name) ? Math.min(most, Math.max(0, Math.round(value))) : value, remember);
      },
      unit: () => (isWhole(name) ? 1 : 10 ** Math.floor(Math.log10(Math.max(Math.abs(was() || 0), 0.1)) - 1)),
    };
  };
  const setting = (symbol) => {
    const was = () => live.recorded().settings[0][symbol], get = () => live.now().settings[0][symbol];
    return { key: `:${symbol}`, label: greek(symbol), was, get, set: (value, remember) => live.set(symbol, value, remember),
      unit: () => 10 ** Math.floor(Math.log10(Math.max(Math.abs(get()), 1e-6)) - 0.5) };
  };
  const at = (k, i) => {  // what an array's entry on the page was given as, if it was
    const source = live.source(k);
    return source && (source.setting ? setting(source.setting) : entry(source.name, i));
  };
  const put = (target, value, remember) => {
    if (!Number.isFinite(value)) return;
    target.set(value, remember);
    changed();
  };
  const read = (text) => (text.trim() === "" ? NaN : Number(text.trim().replaceAll("−", "-").replace(",", ".")));
  const box = (target, attributes) => {  // `target` gives what the box is of at the moment
    const input = make("input", { type: "text", inputmode: "decimal", autocomplete: "off", onchange: () => { if (target()) put(target(), read(input.value)); }, ...attributes });
    input.addEventListener("keydown", (key) => {
      const by = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[key.key];
      if (!by) return;
      key.preventDefault();
      put(target(), target().get() + by * target().unit() * (key.shiftKey ? 0.1 : 1));
      input.value = short(target().get());
      input.select();
    });
    input.addEventListener("pointerdown", (down) => {  // sideways it is a slider, of which only the whole way is undone
      const from = target().get(), unit = target().unit();
      let moved = false;
      const move = (event) => {
        if (!moved && Math.abs(event.clientX - down.clientX) < 4) return;
        put(target(), from + Math.round((event.clientX - down.clientX) / 4) * unit, !moved);
        input.value = short(target().get());
        moved = true;
      };
      input.setPointerCapture(down.pointerId);
      input.addEventListener("pointermove", move);
      input.addEventListener("pointerup", () => input.removeEventListener("pointermove", move), { once: true });
    });
    return input;
  };
  return { entry, setting, at, put, read, box, short };
};

// the box that opens over a number in the formula or in the graph
const floatingEditor = (root, edits) => {
  let target = null, others = [], home = null;
  const close = (refocus) => {
    if (!target) return;
    target = null;
    input.hidden = true;
    if (refocus) { const back = home(); if (back) back.focus({ preventScroll: true }); }
  };
  const input = edits.box(() => target, { class: "mg-number mg-float", hidden: true, "aria-label": "a number" });
  const place = (element) => {
    const a = root.getBoundingClientRect(), b = element.getBoundingClientRect();
    input.style.left = `${Math.min(b.left - a.left - 9, a.width - 130)}px`;
    input.style.top = `${b.top - a.top - 7}px`;
  };
  // `all`: the numbers among which the tab key goes; `back` gives what has the focus afterwards
  const open = (element, chosen, all = [], back = () => null) => {
    target = chosen;
    others = all;
    home = back;
    input.hidden = false;
    input.setAttribute("aria-label", chosen.label + (chosen.was() === undefined ? "" : `, was ${number(chosen.was())}`));
    input.title = `${chosen.label}: type, drag sideways, or ↑ and ↓`;
    input.value = edits.short(chosen.get());
    place(element);
    input.focus({ preventScroll: true });
    input.select();
  };
  input.addEventListener("keydown", (key) => {
    if (key.key === "Escape") { input.value = edits.short(target.get()); close(true); return; }
    const next = others[others.findIndex(([each]) => each.key === target.key) + (key.shiftKey ? -1 : 1)];
    if (key.key === "Enter" || (key.key === "Tab" && next)) {
      key.preventDefault();
      if (edits.read(input.value) !== Number(edits.short(target.get()))) edits.put(target, edits.read(input.value));
      if (key.key === "Tab") open(next[1](), next[0], others, home); else close(true);
    }
  });
  input.addEventListener("blur", () => close(false));
  root.append(input);
  return { open, close };
};
