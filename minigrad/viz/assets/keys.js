// Keys reach a display while the focus is in it or was there last; a page of its own has them from the start. Of a
// display that the pointer alone is in they are the arrows to the left and to the right, so that a page still scrolls.
// `action` gives what a key does, or nothing.
const listen = (root, action) => {
  const own = root.dataset.page !== undefined;
  const wants = (target, key) => {  // what is in the display and uses this key itself
    const tag = target.tagName, space = key === " " || key === "Enter";
    if (tag === "SELECT" || tag === "TEXTAREA" || target.isContentEditable) return true;
    if (tag === "INPUT" && target.type === "checkbox") return space;
    if (tag === "INPUT" && target.type !== "range") return target.value !== "" || space || key.length === 1;
    if (target.classList.contains("mg-heat") || target.classList.contains("mg-point") || target.classList.contains("mg-arrows")) return key.startsWith("Arrow") || space;
    return space && (tag === "BUTTON" || tag === "SUMMARY" || target.getAttribute("role") === "button");
  };
  let last = own;  // whether the focus was here last
  const noted = (event) => { last = own || root.contains(event.target); };
  document.addEventListener("focusin", noted, true);
  document.addEventListener("pointerdown", noted, true);
  window.addEventListener("keydown", (event) => {  // before a notebook's own shortcuts
    const { key, target } = event;
    if (!root.isConnected || event.ctrlKey || event.metaKey || event.altKey) return;
    const inside = target.nodeType === 1 && root.contains(target);
    if (inside ? wants(target, key) : target.nodeType === 1 && target.isContentEditable) return;
    if (!inside) {
      const hovered = document.querySelector(".mg-stepper:hover, .mgo:hover");
      const nowhere = target === document || target === document.body || target === document.documentElement;
      const near = hovered === root && target.contains(root) && (key === "ArrowLeft" || key === "ArrowRight");
      if (!near && !(nowhere && last && (own || !hovered || hovered === root))) return;
    }
    const found = action(key);
    if (!found) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    found();
  }, true);
  root.addEventListener("keydown", (event) => event.stopPropagation());  // a notebook has shortcuts of its own
  root.addEventListener("change", (event) => {  // a choice made with the pointer is made; one with keys may go on
    if (event.target.tagName === "SELECT" && !byKeys) keep(root, true);
  });
  let byKeys = false;
  root.addEventListener("pointerdown", () => { byKeys = false; }, true);
  root.addEventListener("keydown", () => { byKeys = true; }, true);
  root.tabIndex = 0;
};
// a button that is switched off, or gone, would take the keys with it
const keep = (root, always) => {
  const at = document.activeElement;
  if (always || (root.contains(at) && at.disabled)) root.focus({ preventScroll: true });
};
