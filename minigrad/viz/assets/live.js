// A step that is worked out anew: what it is given, the program, and a history of states to go back and forth in.
// A state is never changed: an edit, or a step, makes another that shares what stayed the same.
const liveStep = (data, base, program, rules) => {
  const { given, constants, loss, updates, outcome } = data.live;
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
    const fixed = Object.fromEntries(constants.map(([name, , k, type]) => [name, held(k, type)]));
    start = {
      values, fixed, step: 0, did: [], optimizer: null,
      settings: updates.map((update) => ({ ...update.settings })), t: updates.map(({ t }) => t), rule: updates.map(({ rule }) => rule),
      states: updates.map(({ state, theta }) => Object.fromEntries(Object.entries(state).map(([symbol, k]) => [symbol, held(k, thetaType(theta))]))),
    };
    return start;
  };

  // ---- working it out --------------------------------------------------------------------------------------
  const forward = (state, others = {}) => {
    const v = { ...state.values, ...state.fixed, ...others };
    program.forward(v);
    return v;
  };
  const ruled = (state, v, i) => {
    const u = { theta: state.values[updates[i].theta], g: v[updates[i].gradient], ...state.states[i], ...state.settings[i], t: state.t[i] };
    rules[state.rule[i]].update(u);
    const renewed = {};
    for (const [symbol, name] of data.live.rules[state.rule[i]].lines) renewed[symbol] = u[name];
    return { u, renewed };
  };
  const workOut = (state) => {
    const v = forward(state);
    program.backward(v);
    const moved = updates.map((_, i) => ruled(state, v, i));
    const theta = Object.fromEntries(moved.map(({ renewed }, i) => [updates[i].theta, renewed.theta]));
    return { v, moved, theta, after: outcome === null ? null : forward(state, theta) };
  };
  const number = (x) => (typeof x === "object" ? x.data[x.offset] : x);
  const lossOf = (state, others) => number(forward(state, others)[loss]);

  // ---- states, edits, steps --------------------------------------------------------------------------------
  const past = [], future = [], guards = [];  // a guard may keep a change from being made
  let state = null, found = null, before = null;
  const now = () => state || recorded();
  const result = () => found || (found = workOut(now()));
  const to = (next, remember = true) => {
    if (guards.some((guard) => !guard(next))) return;
    before = result();
    if (remember) { past.push(now()); future.length = 0; if (past.length > 2000) past.splice(1, 1); }
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
    if (typeof index === "number") copy.data[index] = value; else wholly[index](copy.data, value, recorded().values[name]);
    return { ...from, values: { ...from.values, [name]: copy }, did: [...from.did, [name, index, value]] };
  };
  const editAll = (changes, remember) => {  // at once; of an array that is changed as a whole the change before is no more
    const names = changes.map(([name]) => name), did = [...now().did];
    while (did.length && typeof did[did.length - 1][1] === "string" && names.includes(did[did.length - 1][0])) did.pop();
    to(changes.reduce((from, [name, how, value]) => edited(name, how, value, from), { ...now(), did }), remember);
  };
  const edit = (name, index, value, remember) => to(edited(name, index, value), remember);
  const set = (symbol, value, remember) => to({ ...now(), settings: now().settings.map((each) => (symbol in each ? { ...each, [symbol]: value } : each)),
    did: [...now().did, ["", symbol, value]] }, remember);
  const choose = (k) => {
    const { state: symbols, settings } = data.live.rules[k];
    const empty = (i) => Object.fromEntries(symbols.map((symbol) => [symbol, numpy.zeros_like(now().values[updates[i].theta])]));
    to({ ...now(), rule: updates.map(() => k), t: updates.map(() => 1), settings: updates.map(() => ({ ...settings })),
      states: updates.map((_, i) => empty(i)), optimizer: k, did: [...now().did, ["", "optimizer", k]] });
  };
  const after = (old) => {  // the state in which the next step begins
    const { moved, theta } = old === now() ? result() : workOut(old);
    const last = old.did[old.did.length - 1], again = last && last[1] === "step";
    return { ...old, values: { ...old.values, ...theta }, t: old.t.map((t) => t + 1), step: old.step + 1,
      states: moved.map(({ renewed }, i) => Object.fromEntries(Object.keys(old.states[i]).map((symbol) => [symbol, renewed[symbol]]))),
      did: again ? [...old.did.slice(0, -1), ["", "step", last[2] + 1]] : [...old.did, ["", "step", 1]] };
  };
  const step = () => to(after(now()));
  const move = (from, into) => () => {
    if (!from.length) return false;
    before = result();
    into.push(now());
    state = from.pop();
    found = null;
    return true;
  };
  const replay = (did) => did.forEach(([name, what, value]) => {
    if (name) edit(name, what, value);
    else if (what === "step") for (let i = 0; i < value; i++) step();
    else if (what === "optimizer") choose(value);
    else set(what, value);
  });

  // ---- looking at it ---------------------------------------------------------------------------------------
  const look = (name, from) => {
    const { v, moved, after: again } = from || result(), [scope, ...rest] = name.split(".");
    if (!rest.length) return v[name];
    if (scope === "after") return again && again[rest.join(".")];
    const i = updates.findIndex(({ event }) => `u${event}` === scope);
    return i < 0 ? v[name] : moved[i].u[rest.join(".")];
  };
  const isChanged = () => state !== null && state !== start;
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
  const change = (k) => {  // by how much of its size an array has just changed
    const name = data.arrays[k].live;
    if (name === undefined || !before) return 0;
    const old = look(name, before), fresh = look(name);
    if (old === undefined || fresh === undefined || old === fresh) return 0;
    const a = entries(old), b = entries(fresh);
    let size = 1e-12, most = 0;
    for (let i = 0; i < b.length; i++) { size = Math.max(size, Math.abs(a[i])); most = Math.max(most, Math.abs(b[i] - a[i])); }
    return Math.min(1, most / size);
  };
  return {
    guards, to, workOut, held, given, updates, now, recorded, isChanged, numbers, change, look, edit, editAll, set, choose, step, replay, lossOf, result, edited, entries, forward,
    undo: move(past, future), redo: move(future, past), canUndo: () => past.length > 0, canRedo: () => future.length > 0,
    reset: () => { if (isChanged()) to(recorded()); },
    back: (k) => { while (past.length && now().step > k) move(past, future)(); },
    loss: () => number(result().v[loss]), lossAfter: () => (result().after ? number(result().after[loss]) : null),
    losses: () => [...past, now()].map((each) => each.step),
  };
};
