// the lesson of a page: its challenges, checked against the numbers as they are, and what was solved as lines of text
const lessonPanel = (root, data, live, reach, changed) => {
  const { lesson } = data, { challenges } = lesson, worth = worthOf(live);
  const prose = (text) => text.split(/\n\s*\n/).filter(Boolean).map((part) => make("p", {}, ...part.split("`").map((piece, i) => (i % 2 ? make("code", {}, piece) : piece))));
  const memory = `minigrad ${lesson.name}@${lesson.version}`, met = {};
  let solved = {};
  try { solved = JSON.parse(localStorage.getItem(memory)) || {}; } catch { /* from disk some browsers keep nothing */ }

  // ---- what counts -----------------------------------------------------------------------------------------
  const keyOf = ([name, what]) => name || `:${what}`;
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const isWayTo = (early, late) => early.length <= late.length && !same(early, late) && early.every((change, i) => same(change, late[i])
    || (i === early.length - 1 && change[1] === "step" && late[i][1] === "step" && change[2] < late[i][2]));
  const touched = (challenge) => live.now().did.find((change) => challenge.lock.includes(keyOf(change)));
  const isOnTheWay = ({ after }, seen = met) => !after || (seen[after] !== undefined && isWayTo(seen[after], live.now().did));
  const solve = (challenge, answer) => {
    solved[challenge.name] = { way: wayTo(challenge), ...(answer === undefined ? {} : { answer }) };
    try { localStorage.setItem(memory, JSON.stringify(solved)); } catch { /* it is kept as long as the page is open */ }
    told.textContent = `Solved: ${challenge.title}.`;
    const { box } = items.find((item) => item.challenge === challenge), hadFocus = box.contains(document.activeElement);
    box.open = false;
    draw(true);
    if (hadFocus) (panel.querySelector(".mg-challenge[open] > summary") || panel.querySelector("summary")).focus({ preventScroll: true });
  };
  const check = () => {
    const seen = { ...met };  // up to here
    for (const challenge of challenges) {
      if (challenge.ask || !isOnTheWay(challenge, seen) || !worth(challenge.tree)) continue;
      met[challenge.name] = live.now().did;
      if (!solved[challenge.name] && !touched(challenge)) solve(challenge);
    }
    draw();
  };
  // the changes that led here; of several of one number in a row the last, but those on which another challenge came about
  const wayTo = (challenge) => {
    const { did } = live.now(), stops = new Set(challenges.map(({ name }) => (met[name] ? met[name].length : 0))), way = [];
    did.forEach((change, i) => {
      const last = way[way.length - 1];
      if (last && !stops.has(i) && change[1] !== "step" && last[0] === change[0] && last[1] === change[1]) way.pop();
      way.push(change);
    });
    return way;
  };
  live.guards.push(({ did }) => {
    const locked = did.slice(Math.min(live.now().did.length, did.length - 1)).find((change) => lesson.lock.includes(keyOf(change)));
    if (locked) told.textContent = `${locked[0] || greek(locked[1])} is locked in this lesson.`;
    return !locked;
  });

  // ---- lines for the instructor ----------------------------------------------------------------------------
  const checkCode = (text) => {  // CRC-32
    let code = -1;
    for (const byte of new TextEncoder().encode(text)) {
      code ^= byte;
      for (let k = 0; k < 8; k++) code = (code >>> 1) ^ (code & 1 ? 0xEDB88320 : 0);
    }
    return (~code >>> 0).toString(16).padStart(8, "0");
  };
  const lineOf = ({ name }) => {
    const { way, ...answer } = solved[name];
    const made = btoa(JSON.stringify({ changes: way, ...answer })).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
    const line = `minigrad:${lesson.name}@${lesson.version}:${name}:${encodeURIComponent(who.value.trim())}:${made}`;
    return `${line}:${checkCode(line)}`;
  };
  const who = make("input", { type: "text", class: "mg-who", autocomplete: "name", size: 16, maxlength: 60 });
  const lines = make("textarea", { class: "mg-lines", readonly: true, hidden: true, rows: 4, "aria-label": "lines for the instructor" });
  const copy = make("button", { type: "button", class: "mg-button", "data-lesson": "copy", onclick: () => {
    lines.hidden = false;
    lines.value = challenges.filter(({ name }) => solved[name]).map(lineOf).join("\n");
    lines.focus({ preventScroll: true });
    lines.select();
    told.textContent = "Hand in the lines below.";
    if (navigator.clipboard) navigator.clipboard.writeText(lines.value).then(() => { told.textContent = "Copied: paste the lines where they are handed in."; }).catch(() => {});
  } }, "Copy lines");
  const forget = make("button", { type: "button", class: "mg-button mg-quiet", "data-lesson": "forget", onclick: () => {
    solved = {};
    lines.hidden = true;
    try { localStorage.removeItem(memory); } catch { /* nothing was kept */ }
    live.reset();
    changed();
    told.textContent = "Begun anew.";
    draw(true);
  } }, "Start over");

  // ---- what is shown ---------------------------------------------------------------------------------------
  const told = make("p", { class: "mg-told", role: "status", "aria-live": "polite" }), score = make("span", { class: "mg-muted" });
  const question = (challenge) => {
    if (!challenge.ask) return null;
    const box = make("input", { type: "text", inputmode: "decimal", autocomplete: "off", class: "mg-answer", placeholder: "3 digits suffice" });
    const reply = make("span", { class: "mg-reply", role: "status" });
    return make("form", { class: "mg-guess", onsubmit: (submitted) => {
      submitted.preventDefault();
      const typed = Number(box.value.trim().replaceAll("−", "-").replace(",", ".")), wanted = worth(challenge.tree);
      if (box.value.trim() === "" || Number.isNaN(typed)) { reply.textContent = "Type a number."; return; }
      const unit = wanted === 0 ? 1e-9 : 10 ** (Math.floor(Math.log10(Math.abs(wanted))) - 2);
      if (touched(challenge)) reply.textContent = "Reset first: this is about other numbers.";
      else if (!isOnTheWay(challenge)) reply.textContent = `First: ${challenges.find(({ name }) => name === challenge.after).title}.`;
      else if (Math.abs(typed - wanted) <= 0.5000001 * unit) { reply.textContent = ""; met[challenge.name] = live.now().did; solve(challenge, typed); }
      else reply.textContent = typed === -wanted ? "✗\uFE0E Look at the sign." : "✗\uFE0E Not yet.";
    } }, make("label", {}, `${challenge.ask} `, box), make("button", { type: "submit", class: "mg-button" }, "Check"), reply);
  };
  const items = challenges.map((challenge) => {
    const mark = make("span", { class: "mg-tick", "aria-hidden": "true" }), state = make("span", { class: "mg-unseen" });
    const locked = challenge.locked.length ? make("p", { class: "mg-note" }) : null;
    const box = make("details", { class: "mg-challenge", "data-challenge": challenge.name }, make("summary", {}, mark, make("span", {}, challenge.title), state),
      make("div", { class: "mg-task" }, ...prose(challenge.text), locked, question(challenge),
        challenge.hint ? make("details", { class: "mg-hint" }, make("summary", {}, "Hint"), ...prose(challenge.hint)) : null,
        challenge.show === null ? null : make("button", { type: "button", class: "mg-button mg-quiet", onclick: () => reach(challenge.show) }, "Show it")));
    return { challenge, mark, state, locked, box };
  });
  const draw = (moved) => {
    for (const { challenge, mark, state, locked, box } of items) {
      const done = Boolean(solved[challenge.name]), change = !done && touched(challenge);
      mark.textContent = done ? "✓\uFE0E" : "○\uFE0E";
      state.textContent = done ? ", solved" : ", not solved yet";
      box.classList.toggle("mg-done", done);
      if (locked) locked.textContent = change ? `You have changed ${change[0] || greek(change[1])}, which is to stay: undo it, or reset.` : `To stay as they are: ${challenge.locked.join(", ")}.`;
    }
    const count = challenges.filter(({ name }) => solved[name]).length;
    score.textContent = `${count} of ${challenges.length} solved`;
    copy.disabled = forget.disabled = count === 0;
    if (!moved) return;
    const next = items.find(({ challenge }) => !solved[challenge.name]);
    items.forEach((item) => { if (item === next) item.box.open = true; });
  };
  const panel = make("section", { class: "mg-pane mg-lesson", "aria-label": `lesson: ${lesson.title}` },
    make("h4", { "aria-level": 2 }, "Lesson"), make("p", { class: "mg-lesson-title" }, make("b", {}, lesson.title), " ", score), ...prose(lesson.about),
    make("ol", {}, ...items.map(({ box }) => make("li", {}, box))), told,
    make("div", { class: "mg-buttons" }, make("label", {}, "Your name ", who), copy, forget), lines);
  root.classList.add("mg-taught");
  root.querySelector(".mg-grid").prepend(panel);
  draw(true);
  return { check };
};
