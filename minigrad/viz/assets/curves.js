// Losses over the steps, one line for each way: { name, kind, points: [[step, loss], …] }
const lossCurves = (lines, label, logarithmic) => {
  const W = 300, H = 90, MOST = 400, scale = logarithmic ? Math.log10 : (y) => y;
  const usable = lines.map((line) => ({ ...line, points: line.points.filter(([, y]) => Number.isFinite(scale(y))) }));
  const all = usable.flatMap(({ points }) => points), last = all.reduce((most, [x]) => Math.max(most, x), 1);
  const [low, high] = all.reduce(([a, b], [, y]) => [Math.min(a, y), Math.max(b, y)], [logarithmic ? Infinity : 0, -Infinity]);
  const across = (x) => W * x / last, up = (y) => 4 + (H - 8) * (1 - (scale(y) - scale(low)) / (scale(high) - scale(low) || 1));
  const drawn = usable.map(({ kind, points }) => {
    const stride = Math.ceil(points.length / MOST), kept = points.filter((_, i) => i % stride === 0 || i === points.length - 1);
    return svgElement("polyline", { class: kind, points: kept.map(([x, y]) => `${across(x).toFixed(1)},${up(y).toFixed(1)}`).join(" ") });
  });
  const picture = svgElement("svg", { viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: "none", role: "img", "aria-label": label }, ...drawn);
  return { picture, last, across: (x) => x / last, scale: [number(low), number(high)] };
};

// the loss of all steps taken, and the way back and forth between them
const timeline = (live, moved) => {
  let log = false;
  const slider = make("input", { type: "range", min: 0, class: "mg-slider mg-time mg-arrows", "aria-label": "step of the training", "data-change": "time",
    oninput: () => moved(Number(slider.value)) });
  const drawing = make("div", { class: "mg-curve" }), floor = make("span", {}), top = make("span", {}), far = make("span", {});
  const logarithmic = make("input", { type: "checkbox", "data-change": "log", onchange: () => { log = logarithmic.checked; draw(); } });
  const panel = make("div", { class: "mg-timeline" }, make("div", { class: "mg-scale mg-muted" }, top, make("label", {}, logarithmic, " log")),
    drawing, make("div", { class: "mg-scale mg-muted" }, floor, far), slider);
  const draw = () => {
    const points = live.losses();
    panel.hidden = points.length < 2 && !live.furthest();
    if (panel.hidden) return;
    const { step } = live.now(), { picture, last, across, scale } = lossCurves([{ kind: "mg-way", points }], `the loss over ${points[points.length - 1][0]} steps, now ${number(live.loss())}`, log);
    drawing.replaceChildren(picture, make("span", { class: "mg-here", style: `left:${100 * across(step)}%` }));
    [floor.textContent, top.textContent] = scale;
    far.textContent = `${last} steps`;
    drawing.onclick = (click) => {
      const area = drawing.getBoundingClientRect();
      moved(Math.round(last * (click.clientX - area.left) / area.width));
    };
    slider.max = last;
    slider.value = step;
    slider.setAttribute("aria-valuetext", `step ${step} of ${last}, loss ${number(live.loss())}`);
  };
  return { panel, draw };
};
