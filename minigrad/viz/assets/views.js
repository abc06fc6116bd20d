// A view below the numbers, folded up at first: then nothing of it is worked out. It is made when it is first opened.
const foldedView = (name, title, build) => {
  let view = null;
  const body = make("div", { class: "mg-view" });
  const draw = () => {
    if (!panel.open) return;
    if (!view) { view = build(); body.append(view.panel); }
    view.draw();
  };
  const panel = make("details", { class: "mg-fold", "data-view": name, ontoggle: draw }, make("summary", {}, title), body);
  return { panel, draw };
};

const svgElement = (name, attributes, ...children) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
};
const select = (label, name, options, action) => make("select", { "aria-label": label, "data-change": name, onchange: (event) => action(event.target.value) },
  ...options.map(([value, text]) => make("option", { value }, text)));

// What is out of sight is drawn when it comes into sight, a screen's height before
const whileSeen = (element, draw) => {
  let seen = false, due = false;
  new IntersectionObserver((entries) => {
    seen = entries[entries.length - 1].isIntersecting;
    if (seen && due) { due = false; draw(); }
  }, { rootMargin: "100% 0px" }).observe(element);
  addEventListener("beforeprint", () => { if (due) draw(); });
  return () => { if (seen) draw(); else due = true; };
};
// What may come a frame later, behind what was asked for
const afterPaint = (action) => {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => setTimeout(() => { due = false; action(); }, 0));
  };
};
