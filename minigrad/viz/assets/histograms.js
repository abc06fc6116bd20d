// How the entries of every parameter and of every result are spread, and their gradients; grey is what was recorded
const histogramView = (data, live, base) => {
  const W = 150, H = 40;
  const last = (line) => (line.length ? line[line.length - 1][3] : undefined);
  const values = (k, now) => (now && live.numbers(k)) || base.numbers(k);
  const size = (k) => data.arrays[k].shape.reduce((a, b) => a * b, 1);
  const parameters = new Set(live.updates.map(({ theta }) => live.given.find(([name]) => name === theta)[1]));
  // the value before its update is that of the step; the last one of a result
  const rows = data.nodes.map((node, i) => ({ name: node.name, shape: node.head[3], parameter: parameters.has(i), value: node.value.length ? node.value[0][3] : undefined, grad: last(node.grad) }))
    .filter(({ value, parameter, grad }) => value !== undefined && size(value) > 1 && (parameter || grad !== undefined));
  const counts = (entries, low, high) => {
    const bins = Math.min(30, 6 + Math.round(2 * Math.sqrt(entries.length))), found = new Float64Array(bins);
    for (const x of entries) if (Number.isFinite(x)) found[Math.min(bins - 1, Math.max(0, Math.floor(bins * (x - low) / (high - low || 1))))]++;
    return found;
  };
  const outline = (found, most) => found.reduce((path, n, i) => `${path}V${(H - (H - 2) * n / most).toFixed(1)}H${((i + 1) * W / found.length).toFixed(1)}`, `M0 ${H}`) + `V${H}Z`;
  const cell = () => {
    const was = svgElement("path", { class: "mg-bars-was" }), now = svgElement("path", { class: "mg-bars" }), zero = svgElement("path", { class: "mg-zero" });
    const picture = svgElement("svg", { viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: "none", role: "img" }, was, now, zero), text = make("span", { class: "mg-muted mg-range" });
    const draw = (k, name) => {
      const old = k === undefined ? null : values(k, false), fresh = k === undefined ? null : values(k, true);
      element.firstChild.hidden = !fresh;
      if (!fresh) { text.textContent = k === undefined ? "" : data.arrays[k].all === undefined ? "not on this page" : `all ${number(data.arrays[k].all)}`; return; }
      let low = Infinity, high = -Infinity, sum = 0, square = 0, none = 0, broken = 0;
      for (const x of fresh) {
        if (!Number.isFinite(x)) { broken++; continue; }
        low = Math.min(low, x); high = Math.max(high, x); sum += x; square += x * x; none += x === 0;
      }
      if (broken) { text.textContent = `${broken} not finite`; now.setAttribute("d", ""); was.setAttribute("d", ""); return; }
      const n = fresh.length, changed = old && old !== fresh, [from, to] = changed ? old.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [low, high]) : [low, high];
      const bars = counts(fresh, from, to), before = changed ? counts(old, from, to) : null, most = Math.max(...bars, ...(before || []), 1);
      now.setAttribute("d", outline(bars, most));
      was.setAttribute("d", before ? outline(before, most) : "");
      zero.setAttribute("d", from < 0 && to > 0 ? `M${W * -from / (to - from)} 0V${H}` : "");
      const spread = Math.sqrt(Math.max(0, square / n - (sum / n) ** 2));
      text.textContent = `${number(low)} … ${number(high)}, ± ${number(spread)}${none ? `, ${Math.round(100 * none / n)} % are 0` : ""}`;
      picture.setAttribute("aria-label", `${name}: ${n} entries, mean ${number(sum / n)}, ${text.textContent}`);
    };
    const element = make("td", {}, make("div", { class: "mg-histogram" }, picture), text);
    return { element, draw };
  };
  const made = rows.map((row) => ({ ...row, left: cell(), right: cell() }));
  const line = ({ name, shape, left, right }) => make("tr", {}, make("th", { scope: "row" }, name, make("span", { class: "mg-muted mg-range" }, shape)), left.element, right.element);
  const part = (title, wanted) => {
    const inside = made.filter(({ parameter }) => parameter === wanted);
    return inside.length ? make("tbody", {}, make("tr", {}, make("th", { scope: "rowgroup", colspan: 3, class: "mg-group" }, title)), ...inside.map(line)) : "";
  };
  const table = make("table", { class: "mg-histograms" }, make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "layer"), make("th", { scope: "col" }, "values"), make("th", { scope: "col" }, "gradients"))),
    part("weights", true), part("activations", false));
  return { panel: make("div", { class: "mg-wide", tabindex: 0, role: "group", "aria-label": "histograms by layer" }, table), draw: () => made.forEach(({ name, value, grad, left, right }) => { left.draw(value, name); right.draw(grad, `gradient of ${name}`); }) };
};
