// The arrays of an event, one at a time: statistics, the entry that is chosen, all entries where the page has them.
// It is built for an array, and written into where nothing but numbers is new. `choose` is called with a chosen entry.
const inspectorView = (data, live, base, { numbers, at, shapeOf }, choose) => {
  const element = make("div", { class: "mg-inspector" });
  let shown = 0, built = [], write = null;
  const build = (event, k, same, secret, values) => {
    const { all, stats } = data.arrays[k], shape = shapeOf(k), size = numpy.count(shape), chooses = same && shape.length > 0;
    const which = make("select", { "aria-label": "which array", onchange: () => {
      shown = Number(which.value);
      choose(null);
      element.querySelector("select").focus();
    } }, ...event.arrays.map(([name], i) => make("option", { value: i, selected: i === shown }, name)));
    const box = make("input", { type: "text", class: "mg-entry", size: 8, "aria-label": `entry, ${shape.length} numbers`,
      onchange: () => {
        const typed = box.value.replace(/[[\]\s]+/g, " ").trim().split(/[ ,]+/).map(Number);
        const fits = typed.length === shape.length && typed.every((i, axis) => Number.isInteger(i) && i >= 0 && i < shape[axis]);
        box.setAttribute("aria-invalid", String(!fits));
        if (fits) choose(typed);
      } });
    const told = make("p", { class: "mg-stats" }), view = size > 1 && values ? entriesView(shape, same ? choose : null) : null;
    const why = all !== undefined ? `every entry is ${number(all)}` : "The entries of this array are not on this page: it would be too large.";
    element.replaceChildren(
      make("div", { class: "mg-which" }, which, make("span", { class: "mg-muted" }, shape.length ? shape.join("×") : "scalar"),
        chooses ? make("label", { class: "mg-muted" }, "entry ", box) : null),
      ...(secret ? [] : [told, view ? view.element : size > 1 ? make("p", { class: "mg-note" }, why) : ""]));
    return (entry) => {
      box.value = entry.join(",");
      const fresh = live && live.numbers(k), here = chooses ? at(k, entry) : undefined, was = chooses ? base.at(k, entry) : undefined;
      const [least, most] = fresh ? extremes(fresh) : [];
      const said = fresh && fresh.length ? [least, fresh.reduce((a, b) => a + b, 0) / fresh.length, most].map(number) : stats;
      if (said.length) told.replaceChildren(
        ...["min", "mean", "max"].flatMap((name, i) => [make("span", { class: "mg-muted" }, name + " "), said[i] + "  "]),
        ...(here === undefined ? [] : [make("span", { class: "mg-muted" }, `at ${named(entry)} `), make("b", {}, number(here)),
          fresh && was !== undefined && was !== here ? make("span", { class: "mg-muted" }, ` was ${number(was)}`) : ""]));
      if (view) view.draw(numbers(k) || new Float64Array(size).fill(all), same ? entry : null, fresh && shape.join() === data.arrays[k].shape.join() ? base.numbers(k) : null);
    };
  };
  const draw = (event, entry, revealed) => {
    const k = event.arrays[shown][1], shape = shapeOf(k), same = shape.join() === shapeOf(event.answer).join();
    const secret = !revealed && (shown === 0 || k === event.answer);
    const values = !secret && (numbers(k) !== null || (data.arrays[k].all !== undefined && numpy.count(shape) <= 64));
    const wanted = [event, k, shape.join(), same, secret, values];
    if (wanted.some((each, i) => each !== built[i])) { built = wanted; write = build(event, k, same, secret, values); }
    if (!secret) write(entry);
  };
  return { element, draw, first: () => { shown = 0; } };
};
