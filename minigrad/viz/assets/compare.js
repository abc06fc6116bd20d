// Two settings from the same start, side by side: both curves of the loss, both sets of parameters; one can be gone on with
const compareView = (root, data, live, edits, adopted) => {
  const thetas = live.updates.map(({ theta }) => theta), rules = data.live.rules;
  const nameOf = (theta) => data.nodes[live.given.find(([name]) => name === theta)[1]].name;
  const rateOf = (settings) => ["eta", "alpha"].find((symbol) => symbol in settings);
  let start = null, timer = null;
  const side = (letter) => {
    let state = null, points = [];
    const rule = select(`optimizer of ${letter}`, `rule${letter}`, rules.map(({ name }, k) => [k, name]), () => { rate.value = edits.short(rules[rule.value].settings[rateOf(rules[rule.value].settings)]); begin(); });
    const rate = make("input", { type: "text", inputmode: "decimal", size: 7, class: "mg-setting", "data-change": `rate${letter}`, "aria-label": `rate of ${letter}`, onchange: () => {
      const fits = edits.read(rate.value) > 0;
      rate.setAttribute("aria-invalid", String(!fits));
      if (fits) begin();
    } });
    const promote = make("button", { type: "button", class: "mg-button", "data-change": `promote${letter}`, onclick: () => { stop(); adopted(state); } }, `Go on with ${letter}`);
    const told = make("span", { class: "mg-loss" });
    return {
      letter, points: () => points, state: () => state,
      begin: () => {
        const k = Number(rule.value), own = start.rule[0] === k ? start : live.withRule(start, k), symbol = rateOf(own.settings[0]);
        state = own.settings[0][symbol] === edits.read(rate.value) ? own : live.withSetting(own, symbol, edits.read(rate.value));
        points = [];
        note();
      },
      set: (k, value) => { rule.value = k; rate.value = edits.short(value); },
      step: () => { if (Number.isFinite(points[points.length - 1][1])) { state = live.after(state); note(); } },
      draw: () => { told.textContent = `loss ${number(points[points.length - 1][1])}`; promote.disabled = !points.length; },
      row: make("div", { class: "mg-buttons mg-one", role: "group", "aria-label": `setting ${letter}` }, make("b", { class: `mg-key mg-line-${letter}` }, letter), rule, make("label", {}, "rate ", rate), promote, told),
    };
    function note() { points.push([state.step - start.step, live.lossOf(state)]); }
  };
  const sides = [side("A"), side("B")];
  const begin = () => { stop(); start = live.now(); sides.forEach((each) => each.begin()); draw(); };
  const stop = () => { cancelAnimationFrame(timer); timer = null; run.textContent = "Run both"; };
  const run = make("button", { type: "button", class: "mg-button", "data-change": "both", onclick: () => (timer ? stop() : go()) }, "Run both");
  const go = () => {
    run.textContent = "Pause";
    const frame = () => {
      const until = performance.now() + 12;
      do sides.forEach((each) => each.step()); while (performance.now() < until);
      draw();
      if (timer) timer = root.isConnected && sides.some((each) => Number.isFinite(each.points().slice(-1)[0][1])) ? requestAnimationFrame(frame) : (stop(), null);
    };
    timer = requestAnimationFrame(frame);
  };
  const once = make("button", { type: "button", class: "mg-button", "data-change": "bothonce", onclick: () => { stop(); sides.forEach((each) => each.step()); draw(); } }, "One step");
  const anew = make("button", { type: "button", class: "mg-button", "data-change": "bothanew", onclick: begin }, "From here anew");
  const drawing = make("div", { class: "mg-curve" }), scale = make("div", { class: "mg-scale mg-muted" }), table = make("table", { class: "mg-both" });
  const norm = (array) => Math.sqrt(array.reduce((sum, x) => sum + x * x, 0));
  const drawTable = () => {
    const [a, b] = sides.map((each) => each.state()), line = (label, ...cells) => make("tr", {}, make("th", { scope: "row" }, label), ...cells.map((x) => make("td", {}, number(x))));
    const rows = thetas.flatMap((theta) => {
      const { shape, data: first } = a.values[theta], second = b.values[theta].data;
      if (first.length > 12) return [line(`‖${nameOf(theta)}‖`, norm(first), norm(second), norm(first.map((x, i) => x - second[i])))];
      return Array.from(first, (x, i) => line(nameOf(theta) + named(unflat(shape, i)), x, second[i], x - second[i]));
    });
    const head = make("tr", {}, ...["parameter", "A", "B", "A − B"].map((text) => make("th", { scope: "col" }, text)));
    table.replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
  };
  const draw = () => {
    if (!start) {
      const { rule: [k], settings: [now] } = live.now(), rate = now[rateOf(now)];
      sides[0].set(k, rate);
      sides[1].set(k, 3 * rate);
      begin();
      return;
    }
    const [a, b] = sides.map((each) => each.points()), { picture, last, scale: [low, high] } = lossCurves([{ kind: "mg-line-A", points: a }, { kind: "mg-line-B", points: b }],
      `the loss over ${a.length - 1} steps: A ${number(a[a.length - 1][1])}, B ${number(b[b.length - 1][1])}`, false);
    drawing.replaceChildren(picture);
    scale.textContent = `${low} … ${high}, ${last} steps from step ${start.step}`;
    sides.forEach((each) => each.draw());
    drawTable();
  };
  const panel = make("div", {}, ...sides.map(({ row }) => row), make("div", { class: "mg-buttons" }, run, once, anew), drawing, scale, make("div", { class: "mg-wide", tabindex: 0, role: "group", "aria-label": "both sets of parameters" }, table));
  // what is compared stays where it began, wherever the page goes meanwhile
  return { panel, draw };
};
