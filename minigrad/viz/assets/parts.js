// what the stepper uses and what knows nothing of a trace: elements, indices, letters, scrolling, colours
const make = (tag, attributes, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
};

const bytesOf = (base64) => {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
};
const flat = (shape, entry) => entry.reduce((sum, i, axis) => sum * shape[axis] + i, 0);
const unflat = (shape, index) => {
  const entry = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    entry.unshift(index % shape[axis]);
    index = Math.floor(index / shape[axis]);
  }
  return entry;
};
const named = (entry) => (entry.length ? `[${entry.join(",")}]` : "");
const letters = { theta: "θ", beta1: "β₁", beta2: "β₂", alpha: "α", eta: "η", eps: "ε", mu: "μ", m_hat: "m̂", v_hat: "v̂", eta_t: "ηₜ" };
const greek = (text) => text.replace(/\b(theta|beta1|beta2|alpha|eta_t|eta|eps|mu|m_hat|v_hat)\b/g, (name) => letters[name])
  .replaceAll("np.sqrt", "√").replaceAll("**2", "²").replaceAll("**t", "^t").replaceAll(" * ", " · ").replaceAll(" - ", " − ");
const hideResult = (text) => (text.match(/^.*[=→]/s) || ["="])[0] + " ?";
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const centre = (pane, element, across) => {  // scrolls the pane alone, never the page
  if (!element) return;
  const a = pane.getBoundingClientRect(), b = element.getBoundingClientRect();
  if (b.top < a.top + 8 || b.bottom > a.bottom - 8 || (across && (b.left < a.left || b.right > a.right))) pane.scrollBy({
    top: (b.top + b.bottom - a.top - a.bottom) / 2, left: across ? (b.left + b.right - a.left - a.right) / 2 : 0,
    behavior: calm ? "auto" : "smooth",
  });
};
const tint = (value, largest) => `color-mix(in srgb, ${value < 0 ? "var(--below)" : "var(--above)"} ${Math.round(60 * Math.abs(value) / (largest || 1))}%, transparent)`;
