// A step that is worked out anew: what it is given, the program, and a history of states to go back and forth in.
// A state is never changed: an edit, or a step, makes another that shares what stayed the same.
// Of a long way every second state may be gone: it is worked out from the one before.
const KEPT_BYTES = 1.5e8;
const liveStep = (data, base, program, rules) => {
  const { given, constants, loss, updates, batches, outcome, see } = data.live;
  const typed = (k) => {
    const array = data.arrays[k], values = base.numbers(k);
    return values || new Float64Array(numpy.count(array.shape)).fill(array.all);
  };
  const held = (k, type) => numpy.astype(numpy.array(data.arrays[k].shape, "float64", Float64Array.from(typed(k))), type);
  const thetaType = (theta) => given.find(([name]) => name === theta)[3];
  let start = null;
  const recorded = () => {
    if (start) return start;
    const values = Object.fromEntries(given.map(([name, , k, type]) => [name, held(k, type)]));
    start = {
      values, step: 0, stepped: false, did: [], optimizer: null, edited: {}, whole: {},
      settings: updates.map((update) => ({ ...update.settings })), t: updates.map(({ t }) => t), rule: updates.map(({ rule }) => rule),
      states: updates.map(({ state, theta }) => Object.fromEntries(Object.entries(state).map(([symbol, k]) => [symbol, held(k, thetaType(theta))]))),
    };
    return start;
  };

  // ---- working it out --------------------------------------------------------------------------------------
  const rowsOf = (values) => (see ? values[see.x].shape[0] : 0);
  const fixed = new Map();  // the constants, by how many rows a batch has
  const fixedFor = (rows) => {
    if (!fixed.has(rows)) fixed.set(rows, Object.fromEntries(constants.map(([name, grows, k, type]) =>
      [name, grows ? numpy.copy(numpy.item(held(k, type), [{ slice: [0, rows, null] }])) : held(k, type)])));
    return fixed.get(rows);
  };
  const started = (state, others) => {
    const values = { ...state.values, ...others };
    return { ...fixedFor(rowsOf(values)), ...values };
  };
  const forward = (state, others = {}) => {
    const v = started(state, others);
    program.forward(v, rowsOf(v));
    return v;
  };
  const predict = (state, x) => {  // all that is worked out on the way to the output
    const v = { ...state.values, ...fixedFor(see.rows), [see.x]: x };
    program.predict(v, x.shape[0]);
    return v;
  };
  // The recorded steps' batches in turn. One that was edited is kept with its edits until its turn comes again.
  const turnOf = (step) => step % (batches.length + 1);
  const dealt = [];
  const batch = (turn) => {
    if (!dealt[turn]) {
      const first = started(recorded());
      dealt[turn] = Object.fromEntries(batches[Math.max(0, turn - 1)].arrays.map(([name, k, type]) => [name, turn ? held(k, type) : first[name]]));
    }
    return dealt[turn];
  };
  const settingsAt = (turn, i) => (turn ? batches[turn - 1].settings[i] : updates[i].settings);
  const turned = (old) => {  // what the step behind a state's own is given otherwise
    if (!batches.length) return {};
    const here = turnOf(old.step), next = turnOf(old.step + 1), own = started(old), before = old.edited[here] || batch(here);
    const edited = { ...old.edited, [here]: Object.fromEntries(Object.keys(before).map((name) => [name, old.whole[name] ? before[name] : own[name]])) };
    const dealt = Object.entries(edited[next] || batch(next)).filter(([name]) => !old.whole[name]);  // what is changed as a whole stays
    const settings = old.settings.map((each, i) => {  // a schedule's next rate, unless somebody has set another
      if (old.rule[i] !== updates[i].rule || next === 0) return each;
      const [was, will] = [settingsAt(here, i), settingsAt(next, i)];
      return Object.fromEntries(Object.entries(each).map(([symbol, value]) => [symbol, value === was[symbol] ? will[symbol] : value]));
    });
    return { values: { ...old.values, ...Object.fromEntries(dealt) }, edited, settings };
  };
  const dealtTo = (state, name) => (batches.length && batch(turnOf(state.step))[name]) || recorded().values[name];
  // The factor by which gradients are cut to a norm, of all parameters that one optimizer has; null where none is asked for.
  const factors = (v) => {
    const found = [];
    for (let i = 0, end; i < updates.length; i = end) {
      const { maxNorm, optimizer } = updates[i];
      for (end = i + 1; end < updates.length && updates[end].maxNorm === maxNorm && updates[end].optimizer === optimizer;) end++;
      let total = 0, type = "float32";
      for (let k = i; maxNorm !== null && k < end; k++) {
        const g = v[updates[k].gradient], entries = numpy.dense(g);
        if (g.type === "float64") type = "float64";
        total += numpy.sum(numpy.array([entries.length], "float64", Float64Array.from(entries, (x) => x * x))).data[0];
      }
      const norm = numpy.astype(Math.sqrt(total), type), most = numpy.divide(maxNorm, numpy.add(norm, 1e-6));
      for (let k = i; k < end; k++) found.push(maxNorm === null ? null : numpy.minimum(1, most));
    }
    return found;
  };
  const ruled = (state, v, i, factor) => {
    const u = { theta: state.values[updates[i].theta], g: v[updates[i].gradient], ...state.states[i], ...state.settings[i], t: state.t[i] };
    if (factor && data.live.rules[state.rule[i]].clips) u.clip = factor.data[0];
    else if (factor && factor.data[0] < 1) u.g = numpy.multiply(factor, u.g);
    rules[state.rule[i]].update(u);
    const renewed = {};
    for (const [symbol, name] of data.live.rules[state.rule[i]].lines) renewed[symbol] = u[name];
    return { u, renewed };
  };
  const workOut = (state) => {
    const v = forward(state);
    program.backward(v, rowsOf(v));
    const clipped = state.optimizer === null ? factors(v) : [], moved = updates.map((_, i) => ruled(state, v, i, clipped[i]));
    const theta = Object.fromEntries(moved.map(({ renewed }, i) => [updates[i].theta, renewed.theta]));
    let after;
    return { v, moved, theta, get after() {  // worked out where somebody looks at it
      if (after === undefined) after = outcome === null ? null : forward(state, theta);
      return after;
    } };
  };
  const number = (x) => (typeof x === "object" ? x.data[x.offset] : x);
  const lossOf = (state, others) => number(forward(state, others)[loss]);

  // ---- states, edits, steps --------------------------------------------------------------------------------
  let past = [], future = [], state = null, found = null, before = null;
  const lossBy = new WeakMap(), guards = [];  // losses by state; a guard may keep a change from being made
  const now = () => state || recorded();
  const isChanged = () => state !== null && state !== start;
  const result = () => {
    if (!found) {
      found = workOut(now());
      lossBy.set(now(), number(found.v[loss]));
    }
    return found;
  };
  const most = () => {  // how many states are kept
    const bytes = updates.reduce((sum, { theta, state: own }) => sum + now().values[theta].data.byteLength * (1 + Object.keys(own).length), 1);
    return Math.min(5000, Math.max(40, Math.floor(KEPT_BYTES / bytes)));
  };
  const to = (next, remember = true) => {
    if (guards.some((guard) => !guard(next))) return;
    before = result();
    if (remember) {
      past.push(now());
      future = [];
      if (past.length > most()) past = past.filter((each, k) => k % 2 === 0 || k > past.length - 20 || !each.stepped);
    }
    state = next;
    found = null;
  };
  const wholly = {  // an array changed as a whole: each entry one number, each row one picture
    fill: (entries, value) => entries.fill(value),
    recorded: (entries, _, { data: first }) => entries.set(first),
    sample: (entries, row, { data: first, shape }) => { const n = first.length / shape[0]; entries.forEach((_, i) => { entries[i] = first[row * n + i % n]; }); },
    rows: (entries, text) => entries.forEach((_, i) => { entries[i] = parseInt(text[i % text.length], 17) / 16; }),
  };
  const edited = (name, index, value, from = now()) => {
    const array = from.values[name], copy = numpy.astype(array, array.type);
    if (typeof index === "number") copy.data[index] = value; else wholly[index](copy.data, value, dealtTo(from, name));
    const whole = typeof index === "number" ? from.whole : { ...from.whole, [name]: index !== "recorded" };
    return { ...from, stepped: false, whole, values: { ...from.values, [name]: copy }, did: [...from.did, [name, index, value]] };
  };
  const editAll = (changes, remember) => {  // at once; of an array that is changed as a whole the change before is no more
    const names = changes.filter(([, how]) => typeof how === "string").map(([name]) => name), did = [...now().did];
    while (did.length && typeof did[did.length - 1][1] === "string" && names.includes(did[did.length - 1][0])) did.pop();
    to(changes.reduce((from, [name, how, value]) => edited(name, how, value, from), { ...now(), did }), remember);
  };
  const edit = (name, index, value, remember) => to(edited(name, index, value), remember);
  // one point more, at the end, or one less; not in a lesson, whose challenges are about the data that it has
  const mostRows = see ? (data.lesson ? see.rows : see.most) : 0;
  const withRows = (rows, what, change) => to({ ...now(), stepped: false, did: [...now().did, what],
    values: { ...now().values, ...Object.fromEntries(see.batch.map((name) => {
      const old = now().values[name], made = numpy.array([rows, ...old.shape.slice(1)], old.type), width = made.strides[0];
      change(old, made, width, name);
      return [name, made];
    })) } });
  const add = (entries, target) => {
    const rows = rowsOf(now().values);
    if (rows < mostRows) withRows(rows + 1, ["", "add", [entries, target]], (old, made, width, name) => {
      made.data.set(old.data);
      made.data.set(name === see.x ? entries : name === see.target ? [target] : old.data.slice(-width), rows * width);
    });
  };
  const remove = (i) => {
    const rows = rowsOf(now().values);
    if (rows > 2 && mostRows > see.rows) withRows(rows - 1, ["", "remove", i], (old, made, width) => {
      made.data.set(old.data.subarray(0, i * width));
      made.data.set(old.data.subarray((i + 1) * width), i * width);
    });
  };
  const withSetting = (old, symbol, value) => ({ ...old, stepped: false, settings: old.settings.map((each) => (symbol in each ? { ...each, [symbol]: value } : each)),
    did: [...old.did, ["", symbol, value]] });
  const withRule = (old, k) => {
    const { state: symbols, settings } = data.live.rules[k];
    const empty = (i) => Object.fromEntries(symbols.map((symbol) => [symbol, numpy.zeros_like(old.values[updates[i].theta])]));
    return { ...old, stepped: false, rule: updates.map(() => k), t: updates.map(() => 1), settings: updates.map(() => ({ ...settings })),
      states: updates.map((_, i) => empty(i)), optimizer: k, did: [...old.did, ["", "optimizer", k]] };
  };
  const set = (symbol, value, remember) => to(withSetting(now(), symbol, value), remember);
  const choose = (k) => to(withRule(now(), k));
  const after = (old) => {  // the state in which the next step begins
    const { moved, theta } = old === now() ? result() : workOut(old);
    const last = old.did[old.did.length - 1], again = last && last[1] === "step";
    const fresh = turned(old);
    return { ...old, ...fresh, stepped: true, values: { ...(fresh.values || old.values), ...theta }, t: old.t.map((t) => t + 1), step: old.step + 1,
      states: moved.map(({ renewed }, i) => Object.fromEntries(Object.keys(old.states[i]).map((symbol) => [symbol, renewed[symbol]]))),
      did: again ? [...old.did.slice(0, -1), ["", "step", last[2] + 1]] : [...old.did, ["", "step", 1]] };
  };
  const step = () => to(after(now()));
  const move = (from, into) => () => {
    if (!from().length) return false;
    before = result();
    into().push(now());
    state = from().pop();
    found = null;
    return true;
  };
  const way = () => [...past, now(), ...future.slice().reverse()];
  const losses = () => {  // [step, loss] of the way through here, from where it began at a step before all others
    const line = way(), found = [];
    let from = past.length, to = past.length;
    while (from > 0 && line[from - 1].step <= line[from].step) from--;
    while (to < line.length - 1 && line[to + 1].step >= line[to].step) to++;
    for (const each of line.slice(from, to + 1)) {
      if (found.length && found[found.length - 1][0] === each.step) found.pop();
      if (lossBy.has(each)) found.push([each.step, lossBy.get(each)]);
    }
    return found;
  };
  const travel = (k) => {  // to a step that was taken, back or forth again
    before = result();
    const line = way(), at = line.findLastIndex((each) => each.step <= k);
    let there = line[Math.max(at, 0)];
    while (there.step < k) there = after(there);
    past = line.slice(0, Math.max(at, 0) + (there === line[at] ? 0 : 1));
    future = line.slice(Math.max(at, 0) + 1).reverse();
    state = there;
    found = null;
  };
  const replay = (did) => did.forEach(([name, what, value]) => {
    if (name) edit(name, what, value);
    else if (what === "step") for (let i = 0; i < value; i++) step();
    else if (what === "optimizer") choose(value);
    else if (what === "add") add(...value);
    else if (what === "remove") remove(value);
    else set(what, value);
  });

  // ---- looking at it ---------------------------------------------------------------------------------------
  const look = (name, from) => {
    const seen = from || result(), { v, moved } = seen, [scope, ...rest] = name.split(".");
    if (!rest.length) return v[name];
    if (scope === "after") return seen.after && seen.after[rest.join(".")];
    const i = updates.findIndex(({ event }) => `u${event}` === scope);
    return i < 0 ? v[name] : moved[i].u[rest.join(".")];
  };
  const entries = (x) => (typeof x === "object" ? numpy.dense(x) : Float64Array.of(Number(x)));
  const cache = new Map();
  const numbers = (k) => {  // an array's entries as they are now; null where the page has them
    const name = data.arrays[k].live;
    if (!isChanged() || name === undefined) return null;
    const seen = look(name);
    if (seen === undefined) return null;
    const known = cache.get(k);
    if (!known || known[0] !== seen) cache.set(k, [seen, entries(seen)]);
    return cache.get(k)[1];
  };
  const source = (k) => {  // what an array of the page was given as: { name } of an array, or { setting } of the optimizer
    const name = data.arrays[k].live;
    if (name === undefined) return null;
    if (given.some(([each]) => each === name)) return { name };
    const [scope, ...rest] = name.split("."), i = updates.findIndex(({ event }) => `u${event}` === scope), symbol = rest.join(".");
    if (i < 0) return null;
    return symbol === "theta" ? { name: updates[i].theta } : symbol in now().settings[i] ? { setting: symbol } : null;
  };
  const isGiven = (k) => Boolean(source(k));
  const shapeOf = (k) => {  // of an array as it is now: a batch may have another number of rows
    const { shape, live: name } = data.arrays[k];
    if (!isChanged() || name === undefined || !see || rowsOf(now().values) === see.rows) return shape;
    const seen = look(name);
    return seen === undefined || typeof seen !== "object" ? shape : seen.shape;
  };
  const change = (k) => {  // by how much of its size an array has just changed
    const name = data.arrays[k].live;
    if (name === undefined || !before) return 0;
    const old = look(name, before), fresh = look(name);
    if (old === undefined || fresh === undefined || old === fresh) return 0;
    const a = entries(old), b = entries(fresh);
    if (a.length !== b.length) return 1;
    let size = 1e-12, most = 0;
    for (let i = 0; i < b.length; i++) { size = Math.max(size, Math.abs(a[i])); most = Math.max(most, Math.abs(b[i] - a[i])); }
    return Math.min(1, most / size);
  };
  const outcomes = () => (result().after ? number(result().after[loss]) : null);
  const asRecorded = (k) => (base.at(k, data.arrays[k].shape.map(() => 0)));
  return {
    given, updates, now, recorded, isChanged, numbers, change, look, edit, editAll, set, choose, step, replay, lossOf, result, edited, entries, forward,
    guards, to, workOut, held, after, withRule, withSetting, travel, losses, add, remove, predict, shapeOf, source, isGiven,
    mostRows, rows: () => rowsOf(now().values), dealt: (name) => dealtTo(now(), name),
    undo: move(() => past, () => future), redo: move(() => future, () => past), canUndo: () => past.length > 0, canRedo: () => future.length > 0,
    reset: () => { if (isChanged()) to(recorded()); },
    furthest: () => Math.max(now().step, ...losses().slice(-1).map(([step]) => step)),
    path: () => [...past, now()],
    // what was recorded need not be worked out
    loss: () => (isChanged() || found ? number(result().v[loss]) : asRecorded(data.live.lossArray)),
    recordedLoss: () => asRecorded(data.live.lossArray),
    lossAfter: () => (isChanged() || found || outcome === null ? outcomes() : asRecorded(data.events[outcome].answer)),
  };
};
