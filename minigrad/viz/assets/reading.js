// texts of letters that can be typed over, what the network says comes next, and the map of who looks at whom
const readingPanel = (data, live, changed) => {
  const { texts, maps } = data.live;
  const shownOf = (name, alphabet) => [...live.now().values[name].data].map((place) => alphabet[place] || "?").join("");
  const letter = (text) => (text === " " ? "␣" : text);
  const head = texts.filter(({ follows }) => follows === null), panel = make("div", { class: "mg-reading" });
  const fields = head.map(({ value, name, alphabet }) => {
    const behind = texts.find(({ follows }) => follows === value);  // of which each letter is the next one
    const count = live.recorded().values[value].data.length, whole = () => shownOf(value, alphabet) + (behind ? shownOf(behind.value, alphabet).slice(-1) : "");
    const note = make("p", { class: "mg-note", role: "status" }), spoken = make("p", { class: "mg-spelled" });
    const box = make("input", { type: "text", class: "mg-typed", "data-text": name, maxlength: count + (behind ? 1 : 0), size: count + 2, spellcheck: "false", autocomplete: "off", autocapitalize: "off",
      "aria-label": `${name}: ${count + (behind ? 1 : 0)} letters`, oninput: () => {
        const typed = [...box.value].map((each) => (alphabet.includes(each) ? each : each.toLowerCase())), unknown = typed.find((each) => !alphabet.includes(each));
        note.textContent = unknown === undefined ? "" : `“${unknown}” is not among the letters that the network knows: ${[...alphabet].map(letter).join("")}`;
        if (unknown !== undefined) return;
        const blank = alphabet.includes(" ") ? " " : alphabet[0], padded = typed.join("").padEnd(count + 1, blank), changes = [];
        const put = (to, from) => live.now().values[to].data.forEach((old, i) => { const fresh = alphabet.indexOf(padded[from + i]); if (fresh !== old) changes.push([to, i, fresh]); });
        put(value, 0);
        if (behind) put(behind.value, 1);
        if (changes.length) { live.editAll(changes); changed(); }
      }, onblur: () => { box.value = whole(); } });
    panel.append(make("label", { class: "mg-one" }, `${behind ? "text" : name} `, box), note, spoken);
    return { draw: () => {
      if (document.activeElement !== box) box.value = whole();
      spoken.hidden = !behind || !behind.scores;
      if (spoken.hidden) return;
      const scores = live.look(behind.scores), entries = numpy.dense(scores), wide = scores.shape[1], wanted = shownOf(behind.value, alphabet);
      const said = Array.from({ length: count }, (_, i) => { const own = entries.slice(i * wide, (i + 1) * wide); return alphabet[own.indexOf(own.reduce((a, b) => Math.max(a, b)))] || "?"; });
      const right = said.filter((each, i) => each === wanted[i]).length;
      spoken.replaceChildren("it says next ", ...said.map((each, i) => make("span", { class: each === wanted[i] ? "mg-hit" : "mg-miss", title: `${letter(wanted[i])} is next` }, letter(each))), ` ${right} of ${count} right`);
    } };
  });
  const label = (i, count) => { const found = texts.find(({ value, follows }) => follows === null && live.now().values[value].data.length === count); return found ? letter(shownOf(found.value, found.alphabet)[i]) : String(i); };
  const drawn = maps.map(({ weights, name }) => {
    const place = make("div", { class: "mg-figures" }), said = make("p", { class: "mg-note mg-looks", role: "status", "aria-live": "polite" });
    let head = 0, row = -1;
    panel.append(make("p", { class: "mg-muted" }, `${name}: each row looks at the columns`), place, said);
    const draw = () => {
      const seen = live.look(weights), entries = numpy.dense(seen), [n, m] = seen.shape.slice(-2), heads = entries.length / (n * m);
      if (row < 0) row = n - 1;
      place.replaceChildren(...Array.from({ length: Math.min(heads, 8) }, (_, k) => {
        const own = entries.slice(k * n * m, (k + 1) * n * m), canvas = tiles(own, n, m, 1, `${name}${heads > 1 ? `, map ${k}` : ""}: ${n} by ${m} weights; arrow keys choose a row`);
        canvas.tabIndex = 0;
        canvas.classList.add("mg-arrows");
        const to = (i) => { [head, row] = [k, Math.min(n - 1, Math.max(0, i))]; const held = document.activeElement === canvas; draw(); if (held) place.querySelectorAll("canvas")[k].focus({ preventScroll: true }); };
        canvas.addEventListener("pointermove", (event) => { const box = canvas.getBoundingClientRect(), i = Math.floor((event.clientY - box.top) / box.height * n); if (i !== row || k !== head) to(i); });
        canvas.addEventListener("keydown", (key) => { const by = { ArrowUp: -1, ArrowDown: 1 }[key.key]; if (by) { key.preventDefault(); key.stopPropagation(); to(row + by); } });
        const down = make("div", { class: "mg-down", "aria-hidden": "true" }, ...Array.from({ length: n }, (_, i) => make("span", { class: i === row ? "mg-chosen" : "" }, label(i, n))));
        const across = make("div", { class: "mg-across", "aria-hidden": "true" }, ...Array.from({ length: m }, (_, j) => make("span", {}, label(j, m))));
        const mark = make("span", { class: "mg-frame", style: `top:${100 * row / n}%;left:0;height:${100 / n}%;width:100%` });
        return make("figure", { class: "mg-plate mg-map" }, across, down, make("div", { class: "mg-tileframe", style: `aspect-ratio:${m}/${n}` }, canvas, k === head ? mark : null));
      }));
      const own = entries.slice((head * n + row) * m, (head * n + row + 1) * m), order = [...own.keys()].sort((a, b) => own[b] - own[a]).slice(0, 4).filter((j) => own[j] > 0.005);
      said.textContent = `${label(row, n)} (${row}) looks at ${order.map((j) => `${label(j, m)} (${j}) by ${number(own[j])}`).join(", ")}`;
    };
    return { draw };
  });
  return { panel, draw: () => [...fields, ...drawn].forEach(({ draw }) => draw()) };
};
