// the drawing, live: what every box shows after an event, and which of them are in play
const liveGraph = (canvas, data, id, live, jump, editAt) => {
  const picture = canvas.querySelector("img");
  const source = new TextDecoder().decode(bytesOf(picture.src.split(",")[1]));
  const svg = new DOMParser().parseFromString(source, "image/svg+xml").documentElement;
  svg.querySelectorAll("style").forEach((style) => style.remove());  // the page has the same rules, with its own theme
  svg.style.setProperty("--natural", `${svg.getAttribute("width")}px`);
  picture.replaceWith(svg);

  const part = (selector, box) => box.querySelector(selector), made = (tag) => document.createElementNS(svg.namespaceURI, tag);
  const rowOf = (kind, box) => {  // of a box, the value or the gradient
    const row = part(`.${kind}`, box);
    if (!row) return null;
    const text = part(".text", row), ground = row.insertBefore(made("rect"), text);
    for (const [name, at] of [["class", "ground"], ["y", text.getAttribute("y") - 11], ["height", 15]]) ground.setAttribute(name, at);
    return { row, label: once((value) => { part(".label", row).textContent = value; }), text, heat: part(".heat", row), frame: part(".frame", row),
      ground, told: row.appendChild(made("title")), state: "", shown: null, address: "" };
  };
  const boxes = [...svg.querySelectorAll(".node")].map((box) => {
    const result = Number(box.dataset.node), { members } = box.dataset;
    const found = { box, result, members: members ? members.split(" ").map(Number) : [result], node: result, step: Number(box.dataset.step),
      value: rowOf("value", box), grad: rowOf("grad", box), own: box.getAttribute("class"),
      kind: once((value) => box.setAttribute("class", value)), label: once((value) => box.setAttribute("aria-label", value)) };
    box.addEventListener("click", () => jump(found.node));
    box.addEventListener("keydown", (key) => {
      const own = key.key === "F2" && editable(found)[0];
      if (own) openAt(found, own[0]);
      else if (key.key === "Enter" || key.key === " ") jump(found.node);
      else return;
      key.preventDefault();
      key.stopPropagation();
    });
    return found;
  });
  const edges = [...svg.querySelectorAll(".edge")].map((edge) => [edge, ...edge.dataset.edge.split(":").map(Number)]);

  // ---- numbers that can be changed where they stand ---------------------------------------------------------
  const editable = (one) => {  // [what it is, its element] of each number that a box shows and that the step was given
    const k = one.shownValue;
    return k === undefined ? [] : [...one.box.querySelectorAll(".mg-edit")].flatMap((_, i) => {
      const target = editAt.of(k, i);
      return target ? [[target, () => one.box.querySelectorAll(".mg-edit")[i]]] : [];
    });
  };
  // an array that is shown whole, and not by its smallest and its largest entry
  const isWhole = (k, text) => (text.match(/[−\d][\w.+−]*/g) || []).length === live.shapeOf(k).reduce((a, b) => a * b, 1) && !/…|all/.test(text);
  const openAt = (one, target) => {
    const all = editable(one), [, element] = all.find(([each]) => each.key === target.key);
    editAt.open(element(), target, all, () => one.box);
  };
  const asNumbers = (text, one) => text.split(/([−\d][\w.+−]*)/).map((piece, i) => {
    if (i % 2 === 0) return piece;
    const span = made("tspan");
    span.setAttribute("class", "mg-edit");
    span.textContent = piece;
    span.addEventListener("click", (click) => {
      const found = editable(one).find(([, element]) => element() === span);
      if (!found) return;
      click.stopPropagation();
      openAt(one, found[0]);
    });
    return span;
  });

  const texts = new Map();  // of the entries of an array as they were written last
  const latest = (line, k) => {
    const found = line.filter(([event]) => event <= k).pop(), fresh = found && live && live.numbers(found[3]);
    if (!fresh) return found;
    const at = found[3], known = texts.get(at);
    if (!known || known[0] !== fresh) texts.set(at, [fresh, brief(fresh, live.shapeOf(at))]);
    return [found[0], texts.get(at)[1], found[2], at, found[1]];
  };
  const heats = new Map();  // of the entries of an array as they were drawn last
  const heatOf = ([, , recorded, at]) => {
    const fresh = live && live.numbers(at);
    if (!fresh) return recorded;
    if (!heats.has(at) || heats.get(at)[0] !== fresh) heats.set(at, [fresh, heatPicture(fresh, live.shapeOf(at))]);
    return heats.get(at)[1];
  };
  const drawHeats = () => boxes.forEach((one) => [one.value, one.grad].forEach((part) => {
    if (!part || !part.heat || !part.shown || !part.shown[2]) return;
    const address = heatOf(part.shown);
    if (address !== part.address) part.heat.setAttribute("href", part.address = address);
  }));
  const drawHeatsSoon = afterPaint(drawHeats);
  const write = (one, part, found, hidden, mayChange) => {
    const { row, text, ground, heat, frame, told } = part, wanted = hidden ? "?" : found ? found[1] : "not yet";
    const x = found && found[2] && !hidden ? 86 : 50, room = 206 - x, old = found && !hidden && found[4] !== undefined && found[4] !== found[1] ? found[4] : "";
    const state = [wanted, old, x, mayChange].join("|");
    part.shown = hidden ? null : found;
    if (part.state === state) return;
    part.state = state;
    row.classList.toggle("unknown", !found || hidden);
    text.replaceChildren(...(mayChange && !hidden && found && !found[2] ? asNumbers(wanted, one) : [wanted]));
    if (old && (wanted.length + old.length + 5) * 7.25 <= room) {
      const was = made("tspan");
      was.setAttribute("class", "mg-old");
      was.textContent = ` was ${old}`;
      text.append(was);
    }
    told.textContent = old ? `${wanted}, was ${old}` : wanted;
    text.setAttribute("x", x);
    const width = text.textContent.length * 7.25;
    if (width > room) text.setAttribute("textLength", room); else text.removeAttribute("textLength");
    ground.setAttribute("x", x - 2);
    ground.setAttribute("width", Math.min(width, room) + 4);
    if (heat) heat.style.display = frame.style.display = x === 86 ? "" : "none";
  };
  // a layer's box shows the tensor that is in play, else the layer's result
  const choose = (one, event) => {
    if (one.members.length === 1) return;
    const inside = (i) => one.members.includes(i);
    const node = inside(event.target) ? event.target : event.sources.find(inside) ?? one.result;
    if (node === one.chosen) return;
    one.node = one.chosen = node;
    const [name, operation, start, shape] = data.nodes[one.node].head;
    for (const [kind, text] of [[".name", name], [".op", operation], [".shape", shape]]) part(kind, one.box).textContent = text;
    part(".op", one.box).setAttribute("x", start);
  };
  const drawnIn = (step, node) => boxes.some((one) => one.step === step && one.members.includes(node));
  const drawBox = (one, event, k, revealed) => {
    choose(one, event);
    const { box, node: i, grad } = one, node = data.nodes[i];
    const changes = (kind) => !revealed && event.target === i && node[kind].some(([e]) => e === k);
    const value = latest(node.value, k);
    one.shownValue = value && value[3];
    write(one, one.value, value, changes("value"), Boolean(live && value && live.isGiven(value[3]) && isWhole(value[3], value[1])));
    if (grad) write(one, grad, latest(node.grad, k), changes("grad"), false);
    const renewed = value && value[0] >= 0 && node.value.length > 1 && node.value[0][0] < value[0];
    one.value.label(renewed ? "new" : "value");
    const mine = (node) => one.step === event.step || !drawnIn(event.step, node);  // a walk may go on into an earlier step
    const active = event.target === i && mine(i), from = event.sources.includes(i) && mine(i);
    one.kind(one.own + (active ? ` active on-${event.phase}` : from ? ` from on-${event.phase}` : "") + (active && event.added ? " added" : ""));
    if (grad) grad.label(active && event.added ? "grad +" : "grad");
    if (active) box.setAttribute("aria-current", "step"); else box.removeAttribute("aria-current");
    one.label(`${node.name}, value ${one.value.text.textContent}` + (grad ? `, gradient ${grad.text.textContent}` : "") + (editable(one).length ? "; F2 changes it" : ""));
  };
  const renew = (event, k, revealed) => {
    boxes.forEach((one) => drawBox(one, event, k, revealed));
    drawHeatsSoon();
  };
  const draw = (event, k, revealed) => {
    boxes.forEach((one) => drawBox(one, event, k, revealed));
    drawHeats();
    for (const [edge, from, to, position] of edges) {
      const forward = event.kind === "forward" && to === event.target;
      const backward = event.kind === "backward" && from === event.target && to === event.sources[0] && position === event.position;
      edge.classList.toggle("on-forward", forward);
      edge.classList.toggle("on-backward", backward);
      const tip = `url(#${id}-tip${forward ? "-forward" : backward ? "-backward" : ""})`;
      if (backward) { edge.removeAttribute("marker-end"); edge.setAttribute("marker-start", tip); }
      else { edge.removeAttribute("marker-start"); edge.setAttribute("marker-end", tip); }
    }
    centre(canvas, part(".node.active", svg), true);
  };
  const lit = new Map();
  let last = 0;
  const flash = () => {  // what has just changed lights up, the more the stronger; not while it changes all the time
    const at = performance.now(), often = at - last < 200;
    last = at;
    if (!calm && !often) boxes.forEach((one) => {
      for (const kind of ["value", "grad"]) {
        const row = one[kind], share = row && row.shown ? live.change(row.shown[3]) : 0;
        if (!share) continue;
        const { ground } = row;
        if (lit.has(ground)) lit.get(ground).cancel();
        lit.set(ground, ground.animate([{ opacity: 0.3 + 0.7 * Math.sqrt(share) }, { opacity: 0 }], { duration: 900, easing: "ease-out" }));
      }
    });
  };
  return { draw, renew, flash };
};
