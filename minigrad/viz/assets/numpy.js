// NumPy's functions on typed arrays, as far as programs call them. Single precision stays single: + − × ÷ √ have
// NumPy's bits, and sums are added up in its order (pairwise); products of matrices are summed in double precision and
// rounded once; exp, ln, tanh … are the browser's in double precision, rounded once.
const numpy = (() => {
  const KINDS = { bool: Uint8Array, int64: Float64Array, float32: Float32Array, float64: Float64Array };
  const ORDER = ["bool", "int64", "float32", "float64"];
  const isArray = (x) => typeof x === "object" && x !== null;
  const count = (shape) => shape.reduce((a, b) => a * b, 1);
  const inOrder = (shape) => {
    const strides = new Array(shape.length);
    for (let axis = shape.length - 1, step = 1; axis >= 0; step *= shape[axis--]) strides[axis] = step;
    return strides;
  };
  const array = (shape, type, data) => ({ shape, type, data: data || new KINDS[type](count(shape)), strides: inOrder(shape), offset: 0 });
  const view = (a, shape, strides, offset = a.offset) => ({ shape, type: a.type, data: a.data, strides, offset });
  const scalar = (value, type) => array([], type, KINDS[type].of(value));

  // ---- entries in order ------------------------------------------------------------------------------------
  const shared = (...shapes) => {  // the shape to which all are stretched
    const found = new Array(Math.max(...shapes.map((shape) => shape.length))).fill(1);
    for (const shape of shapes) shape.forEach((n, i) => {
      const axis = i + found.length - shape.length;
      if (n !== 1) found[axis] = n;
    });
    return found;
  };
  const stretched = (a, shape) => {
    const extra = shape.length - a.shape.length;
    return shape.map((n, axis) => (axis < extra || a.shape[axis - extra] !== n ? 0 : a.strides[axis - extra]));
  };
  const isPlain = (a) => {
    let step = 1;
    for (let axis = a.shape.length - 1; axis >= 0; step *= a.shape[axis--])
      if (a.shape[axis] !== 1 && a.strides[axis] !== step) return false;
    return a.offset === 0 && a.data.length === step;
  };
  const positions = (shape, strides, offset) => {  // where in the memory the entries lie
    const size = count(shape), found = new Int32Array(size), axes = shape.length, index = new Array(axes).fill(0);
    const last = axes ? shape[axes - 1] : 1, step = axes ? strides[axes - 1] : 0;
    for (let i = 0, start = offset; i < size;) {
      for (let j = 0, at = start; j < last; j++, at += step) found[i++] = at;
      for (let axis = axes - 2; axis >= 0; axis--) {
        start += strides[axis];
        if (++index[axis] < shape[axis]) break;
        start -= strides[axis] * shape[axis];
        index[axis] = 0;
      }
    }
    return found;
  };
  const dense = (a, shape = a.shape) => {  // its own memory where the entries lie there in order
    const same = shape.length === a.shape.length && shape.every((n, axis) => n === a.shape[axis]);
    if (same && isPlain(a)) return a.data;
    const where = positions(shape, stretched(a, shape), a.offset), found = new KINDS[a.type](where.length);
    for (let i = 0; i < where.length; i++) found[i] = a.data[where[i]];
    return found;
  };

  // ---- entry by entry --------------------------------------------------------------------------------------
  const common = (values) => {  // the type of a result; Python's numbers take that of the arrays
    let rank = 0;
    for (const x of values) if (isArray(x)) rank = Math.max(rank, ORDER.indexOf(x.type));
    if (rank === 2 && values.some((x) => isArray(x) && x.type === "int64")) rank = 3;
    if (rank < 2 && values.some((x) => typeof x === "number")) rank = values.every((x) => typeof x !== "number" || Number.isInteger(x)) ? 1 : 3;
    return ORDER[rank];
  };
  const single = (type) => (type === "float32" ? Math.fround : (x) => x);
  const floating = (type) => (type.startsWith("float") ? type : "float64");
  const entrywise = (f, kind) => (...values) => {
    if (!values.some(isArray)) return f(...values);
    const seen = common(values), type = kind === "float" ? floating(seen) : kind || seen, round = single(seen);
    const shape = shared(...values.filter(isArray).map((x) => x.shape)), made = array(shape, type), { data } = made, n = data.length;
    const [a, b, c] = values.map((x) => (!isArray(x) ? round(Number(x)) : count(x.shape) === 1 ? x.data[x.offset] : dense(x, shape)));
    const [p, q, r] = [a, b, c].map((x) => typeof x !== "number");
    if (values.length === 1) for (let i = 0; i < n; i++) data[i] = f(p ? a[i] : a);
    else if (values.length === 3) for (let i = 0; i < n; i++) data[i] = f(p ? a[i] : a, q ? b[i] : b, r ? c[i] : c);
    else if (p && q) for (let i = 0; i < n; i++) data[i] = f(a[i], b[i]);
    else if (p) for (let i = 0; i < n; i++) data[i] = f(a[i], b);
    else for (let i = 0; i < n; i++) data[i] = f(a, q ? b[i] : b);
    return made;
  };
  const sign = (x) => (x > 0 ? 1 : x < 0 ? -1 : x === 0 ? 0 : x);
  const power = (a, b) => (b === 2 ? a * a : b === 0.5 ? Math.sqrt(a) : b === 1 ? a : b === -1 ? 1 / a : a === 1 ? 1 : a ** b);
  const even = (x) => { const low = Math.floor(x), over = x - low; return over < 0.5 ? low : over > 0.5 ? low + 1 : low % 2 ? low + 1 : low; };
  const larger = (a, b) => (a !== a || b !== b ? NaN : a > b ? a : b), smaller = (a, b) => (a !== a || b !== b ? NaN : a < b ? a : b);
  const near = (x) => {  // erf by its series of positive terms
    let term = 2 / Math.sqrt(Math.PI) * x * Math.exp(-x * x), total = term;
    for (let k = 1; k < 80 && Math.abs(term) > 1e-17 * Math.abs(total); k++) { term *= 2 * x * x / (2 * k + 1); total += term; }
    return total;
  };
  const far = (x) => {  // erfc by its continued fraction, from 1 on
    let below = x;
    for (let k = 120; k > 0; k--) below = x + k / 2 / below;
    return Math.exp(-x * x) / Math.sqrt(Math.PI) / below;
  };
  const of = {
    add: (a, b) => a + b, subtract: (a, b) => a - b, multiply: (a, b) => a * b,
    maximum: larger, minimum: smaller, power, negative: (a) => -a, positive: (a) => a, absolute: Math.abs, fabs: Math.abs, sign,
    square: (a) => a * a, remainder: (a, b) => a - b * Math.floor(a / b), floor_divide: (a, b) => Math.floor(a / b),
    fmax: (a, b) => (a !== a ? b : b !== b ? a : larger(a, b)), fmin: (a, b) => (a !== a ? b : b !== b ? a : smaller(a, b)),
    floor: Math.floor, ceil: Math.ceil, trunc: Math.trunc, rint: even,
  };
  const ofFloats = {
    divide: (a, b) => a / b, sqrt: Math.sqrt, reciprocal: (a) => 1 / a, exp: Math.exp, log: Math.log, tanh: Math.tanh, sin: Math.sin,
    cos: Math.cos, tan: Math.tan, sinh: Math.sinh, cosh: Math.cosh, arctan: Math.atan, arcsin: Math.asin, arccos: Math.acos,
    arcsinh: Math.asinh, arccosh: Math.acosh, arctanh: Math.atanh, log1p: Math.log1p, expm1: Math.expm1, log2: Math.log2,
    log10: Math.log10, exp2: (a) => 2 ** a, cbrt: Math.cbrt, arctan2: Math.atan2, hypot: Math.hypot,
    logaddexp: (a, b) => (a === b ? a + Math.LN2 : larger(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)))),
    logaddexp2: (a, b) => (a === b ? a + 1 : larger(a, b) + Math.log1p(2 ** -Math.abs(a - b)) / Math.LN2),
    erf: (a) => (Math.abs(a) < 2 ? near(a) : a !== a ? a : sign(a) * (1 - far(Math.abs(a)))),
    erfc: (a) => (Math.abs(a) < 2 ? 1 - near(a) : a > 0 ? far(a) : 2 - far(-a)),
    ndtr: (a) => (a !== a ? a : Math.abs(a) < 1.4 ? 0.5 + 0.5 * near(a * Math.SQRT1_2) : a > 0 ? 1 - 0.5 * far(a * Math.SQRT1_2) : 0.5 * far(-a * Math.SQRT1_2)),
    copysign: (a, b) => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a)),
    degrees: (a) => a * (180 / Math.PI), radians: (a) => a * (Math.PI / 180),
    expit: (a) => (a < 0 ? Math.exp(a) / (1 + Math.exp(a)) : 1 / (1 + Math.exp(-a))),
  };
  const asked = {
    greater: (a, b) => a > b, greater_equal: (a, b) => a >= b, less: (a, b) => a < b, less_equal: (a, b) => a <= b,
    equal: (a, b) => a === b, not_equal: (a, b) => a !== b, isnan: Number.isNaN, isfinite: Number.isFinite,
    logical_and: (a, b) => Boolean(a) && Boolean(b), logical_or: (a, b) => Boolean(a) || Boolean(b), logical_not: (a) => !a,
    logical_xor: (a, b) => Boolean(a) !== Boolean(b), signbit: (a) => a < 0 || Object.is(a, -0),
  };
  const all = {};
  for (const [functions, kind] of [[of], [ofFloats, "float"], [asked, "bool"]])
    for (const [name, f] of Object.entries(functions)) all[name] = entrywise(f, kind);
  const chosen = entrywise((c, a, b) => (c ? a : b));
  all.where = (c, a, b) => {  // the condition has no say in the type
    const made = chosen(c.type === "bool" ? c : all.not_equal(c, 0), a, b), type = common([a, b]);
    return made.type === type ? made : astype(made, type);
  };
  all.clip = (a, low, high) => { const above = low === null ? a : all.maximum(a, low); return high === null ? above : all.minimum(above, high); };

  // ---- along axes ------------------------------------------------------------------------------------------
  const axesOf = (a, axis) => (axis === null || axis === undefined ? a.shape.map((_, i) => i)
    : [].concat(axis).map((i) => (i < 0 ? i + a.shape.length : i)));
  const without = (a, axes, keepdims) => (keepdims ? a.shape.map((n, i) => (axes.includes(i) ? 1 : n)) : a.shape.filter((_, i) => !axes.includes(i)));
  const pairwise = (data, start, n, step, round) => {
    let sum = 0, i = 0, at = start;
    if (n > 128) {
      const half = Math.floor(n / 2) - Math.floor(n / 2) % 8;
      return round(pairwise(data, start, half, step, round) + pairwise(data, start + half * step, n - half, step, round));
    }
    if (n >= 8) {  // eight sums side by side
      let a = data[at], b = data[at + step], c = data[at + 2 * step], d = data[at + 3 * step];
      let e = data[at + 4 * step], f = data[at + 5 * step], g = data[at + 6 * step], h = data[at + 7 * step];
      for (i = 8, at += 8 * step; i < n - n % 8; i += 8, at += 8 * step) {
        a = round(a + data[at]); b = round(b + data[at + step]); c = round(c + data[at + 2 * step]); d = round(d + data[at + 3 * step]);
        e = round(e + data[at + 4 * step]); f = round(f + data[at + 5 * step]); g = round(g + data[at + 6 * step]); h = round(h + data[at + 7 * step]);
      }
      sum = round(round(round(a + b) + round(c + d)) + round(round(e + f) + round(g + h)));
    }
    for (; i < n; i++, at += step) sum = round(sum + data[at]);
    return sum;
  };
  const sum = (a, { axis = null, keepdims = false, dtype } = {}) => {
    const axes = axesOf(a, axis), type = dtype || (a.type === "bool" ? "int64" : a.type), round = single(type);
    const kept = inOrder(without(a, axes, true)), made = array(without(a, axes, keepdims), type);
    // axes as they lie in memory, neighbours of one kind as one
    const lying = a.shape.map((n, i) => ({ n, step: a.strides[i], to: axes.includes(i) ? 0 : kept[i], sums: axes.includes(i) }))
      .filter(({ n }) => n !== 1).sort((one, other) => Math.abs(other.step) - Math.abs(one.step));
    const joined = [];
    for (const axis of lying) {
      const last = joined[joined.length - 1];
      if (last && last.sums === axis.sums && last.step === axis.n * axis.step && last.to === axis.n * axis.to)
        joined[joined.length - 1] = { ...axis, n: last.n * axis.n };
      else joined.push(axis);
    }
    const inner = joined.pop() || { n: 1, step: 0, to: 0, sums: false };
    if (count(a.shape) === 0) return made;
    const outer = joined.map(({ n }) => n);
    const from = positions(outer, joined.map(({ step }) => step), a.offset), to = positions(outer, joined.map((axis) => axis.to), 0);
    for (let i = 0; i < from.length; i++) {
      if (inner.sums) made.data[to[i]] += pairwise(a.data, from[i], inner.n, inner.step, round);
      else for (let j = 0; j < inner.n; j++) made.data[to[i] + j * inner.to] += a.data[from[i] + j * inner.step];
    }
    return made;
  };
  const mean = (a, { axis = null, keepdims = false } = {}) => {
    const n = axesOf(a, axis).reduce((product, i) => product * a.shape[i], 1);
    return all.divide(sum(a, { axis, keepdims, dtype: floating(a.type) }), n);
  };
  const variance = (a, { axis = null, ddof = 0, keepdims = false } = {}) => {
    const apart = all.subtract(a, mean(a, { axis, keepdims: true })), n = axesOf(a, axis).reduce((product, i) => product * a.shape[i], 1);
    return all.divide(sum(all.multiply(apart, apart), { axis, keepdims }), Math.max(n - ddof, 0));
  };
  const folded = (step, first, kind) => (a, { axis = null, keepdims = false, initial = first } = {}) => {
    const axes = axesOf(a, axis), others = a.shape.map((_, i) => i).filter((i) => !axes.includes(i));
    const made = array(without(a, axes, keepdims), kind || a.type), data = dense(transpose(a, [...others, ...axes]));
    const n = count(axes.map((i) => a.shape[i])), round = single(a.type);
    for (let i = 0; i < made.data.length; i++) {
      let found = initial === undefined ? data[i * n] : initial, best = 0;
      for (let j = initial === undefined ? 1 : 0; j < n; j++) {
        const next = round(step(found, data[i * n + j]));
        if (kind && next !== found) best = j;
        found = next;
      }
      made.data[i] = kind ? best : found;
    }
    return made;
  };
  const running = (join) => (a, { axis = null } = {}) => {
    if (axis === null) return running(join)(reshape(a, [count(a.shape)]), { axis: 0 });
    const made = copy(a, a.type === "bool" ? "int64" : a.type), along = (axis + a.shape.length) % a.shape.length, step = made.strides[along];
    for (let i = 0; i < made.data.length; i++) if (Math.floor(i / step) % a.shape[along]) made.data[i] = join(made.data[i - step], made.data[i]);
    return made;
  };

  // ---- shapes ----------------------------------------------------------------------------------------------
  const copy = (a, type = a.type) => array(a.shape, type, new KINDS[type](dense(a)));
  const astype = (a, type) => (isArray(a) ? copy(type === "bool" ? all.not_equal(a, 0) : type === "int64" ? all.trunc(a) : a, type) : scalar(a, type));
  const reshape = (a, ...shape) => {
    shape = shape.flat();
    const rest = shape.indexOf(-1);
    if (rest >= 0) shape = shape.map((n, i) => (i === rest ? count(a.shape) / count(shape.filter((m) => m !== -1)) : n));
    return isPlain(a) ? view(a, shape, inOrder(shape)) : array(shape, a.type, dense(a));
  };
  const transpose = (a, ...axes) => {
    axes = axes.flat().filter((axis) => axis !== null);
    axes = axes.length ? axesOf(a, axes) : a.shape.map((_, i) => i).reverse();
    return view(a, axes.map((i) => a.shape[i]), axes.map((i) => a.strides[i]));
  };
  const swapaxes = (a, i, j) => {
    const axes = a.shape.map((_, axis) => axis);
    [i, j] = axesOf(a, [i, j]);
    [axes[i], axes[j]] = [j, i];
    return transpose(a, axes);
  };
  const moveaxis = (a, from, to) => {
    const source = axesOf(a, from), target = axesOf(a, to), axes = a.shape.map((_, i) => i).filter((i) => !source.includes(i));
    target.map((place, k) => [place, source[k]]).sort((one, other) => one[0] - other[0]).forEach(([place, axis]) => axes.splice(place, 0, axis));
    return transpose(a, axes);
  };
  const expand_dims = (a, axis) => {
    const n = a.shape.length + [].concat(axis).length, new_ = [].concat(axis).map((i) => (i < 0 ? i + n : i));
    const shape = [], strides = [];
    for (let i = 0, k = 0; i < n; i++) { shape.push(new_.includes(i) ? 1 : a.shape[k]); strides.push(new_.includes(i) ? 0 : a.strides[k++]); }
    return view(a, shape, strides);
  };
  const squeeze = (a, axis = null) => {
    const gone = axis === null ? a.shape.map((n, i) => (n === 1 ? i : -1)) : axesOf(a, axis);
    return view(a, a.shape.filter((_, i) => !gone.includes(i)), a.strides.filter((_, i) => !gone.includes(i)));
  };
  const broadcast_to = (a, shape) => { a = asarray(a); return view(a, [].concat(shape), stretched(a, [].concat(shape))); };
  const flip = (a, axis = null) => item(a, a.shape.map((_, i) => (axesOf(a, axis).includes(i) ? { slice: [null, null, -1] } : { slice: [null, null, null] })));
  const asarray = (a, type) => (isArray(a) ? (type && type !== a.type ? astype(a, type) : a) : scalar(a, type || (typeof a === "boolean" ? "bool" : Number.isInteger(a) ? "int64" : "float64")));
  const filled = (value) => (a, { shape = a.shape, dtype = a.type } = {}) => { const made = array([].concat(shape), dtype); made.data.fill(value); return made; };
  const full_like = (a, value, { shape = a.shape, dtype = a.type } = {}) => assign(array([].concat(shape), dtype), value);
  const concatenate = (parts, axis = 0) => {
    const along = (axis + parts[0].shape.length) % parts[0].shape.length, shape = [...parts[0].shape], type = common(parts);
    shape[along] = parts.reduce((total, part) => total + part.shape[along], 0);
    const made = array(shape, type);
    let from = 0;
    for (const part of parts) {
      const to = from + part.shape[along];
      assign(item(made, shape.map((_, i) => ({ slice: i === along ? [from, to, null] : [null, null, null] }))), part);
      from = to;
    }
    return made;
  };
  const sliding_window_view = (a, lengths, axis = null) => {
    const axes = axesOf(a, axis), sizes = [].concat(lengths), left = [...a.shape];
    axes.forEach((i, k) => { left[i] += 1 - sizes[k]; });
    return view(a, [...left, ...sizes], [...a.strides, ...axes.map((i) => a.strides[i])]);
  };
  const stack = (parts, axis = 0) => concatenate(parts.map((part) => expand_dims(part, axis)), axis < 0 ? axis + parts[0].shape.length + 1 : axis);
  const pad = (a, width, value = 0) => {
    const made = array(a.shape.map((n, i) => width[i][0] + n + width[i][1]), a.type);
    if (value) made.data.fill(value);
    assign(item(made, a.shape.map((n, i) => ({ slice: [width[i][0], width[i][0] + n, null] }))), a);
    return made;
  };

  // ---- entries at places -----------------------------------------------------------------------------------
  const sliced = (n, [start, stop, step]) => {
    step = step === null ? 1 : step;
    const bound = (x, none) => (x === null ? none : Math.min(Math.max(x < 0 ? x + n : x, step < 0 ? -1 : 0), step < 0 ? n - 1 : n));
    const from = bound(start, step < 0 ? n - 1 : 0), to = bound(stop, step < 0 ? -1 : n);
    return [from, step, Math.max(0, Math.ceil((to - from) / step))];
  };
  // an index as a view, and, where arrays of places are in it, the axis of the view that each of them counts along
  const indexed = (a, index) => {
    index = Array.isArray(index) ? [...index] : [index];
    const masks = index.flatMap((part) => {
      if (!isArray(part) || part.type !== "bool") return [part];
      const flat = dense(part), where = [...flat.keys()].filter((k) => flat[k]), steps = inOrder(part.shape);
      return part.shape.map((n, axis) => array([where.length], "int64", Float64Array.from(where, (k) => Math.floor(k / steps[axis]) % n)));
    });
    const taken = masks.filter((part) => part !== null && part !== "...").length, rest = a.shape.length - taken;
    const dots = masks.indexOf("..."), full = new Array(rest).fill({ slice: [null, null, null] });
    const parts = dots < 0 ? [...masks, ...full] : [...masks.slice(0, dots), ...full, ...masks.slice(dots + 1)];
    const shape = [], strides = [], places = [];
    let { offset } = a, axis = 0;
    for (const part of parts) {
      if (part === null) { shape.push(1); strides.push(0); continue; }
      const n = a.shape[axis], step = a.strides[axis++];
      if (typeof part === "number") offset += step * (part < 0 ? part + n : part);
      else if (part.slice) {
        const [from, by, length] = sliced(n, part.slice);
        offset += from * step; shape.push(length); strides.push(step * by);
      } else { places.push([shape.length, part]); shape.push(n); strides.push(step); }
    }
    return [view(a, shape, strides, offset), places];
  };
  // where the entries of an index lie: memory positions and the shape that they have
  const located = (a, index) => {
    const [seen, places] = indexed(a, index);
    if (!places.length) return [positions(seen.shape, seen.strides, seen.offset), seen.shape];
    const together = shared(...places.map(([, part]) => part.shape)), axes = places.map(([axis]) => axis);
    const apart = axes.some((axis, k) => k && axis !== axes[k - 1] + 1), first = apart ? 0 : axes[0];
    const others = seen.shape.map((_, i) => i).filter((i) => !axes.includes(i));
    const shift = new Float64Array(count(together));
    for (const [axis, part] of places) {
      const wanted = dense(part, together);
      for (let i = 0; i < shift.length; i++) shift[i] += seen.strides[axis] * (wanted[i] < 0 ? wanted[i] + seen.shape[axis] : wanted[i]);
    }
    const head = others.filter((i) => !apart && i < first), tail = others.filter((i) => apart || i > first);
    const pick = (list) => list.map((i) => seen.shape[i]), step = (list) => list.map((i) => seen.strides[i]);
    const before = positions(pick(head), step(head), seen.offset), behind = positions(pick(tail), step(tail), 0);
    const found = new Int32Array(before.length * shift.length * behind.length);
    let k = 0;
    for (const one of before) for (const more of shift) for (const last of behind) found[k++] = one + more + last;
    return [found, [...pick(head), ...together, ...pick(tail)]];
  };
  const item = (a, index) => {
    const [seen, places] = indexed(a, index);
    if (!places.length) return seen;
    const [where, shape] = located(a, index);
    return array(shape, a.type, KINDS[a.type].from(where, (k) => a.data[k]));
  };
  const put = (a, index, value) => {
    const [where, shape] = located(a, index), given = isArray(value) ? dense(value, shape) : null;
    for (let i = 0; i < where.length; i++) a.data[where[i]] = given ? given[i] : value;
    return a;
  };
  const add_at = (a, index, value) => {
    const [where, shape] = located(a, index), given = isArray(value) ? dense(value, shape) : null;
    for (let i = 0; i < where.length; i++) a.data[where[i]] += given ? given[i] : value;
    return a;
  };
  const assign = (a, value) => put(a, ["..."], value);
  const along = (a, indices, axis) => a.shape.map((n, i) => (i === axis ? indices
    : reshape(array([n], "int64", Float64Array.from({ length: n }, (_, k) => k)), a.shape.map((_, j) => (j === i ? n : 1)))));
  const take_along_axis = (a, indices, { axis = -1 } = {}) => item(a, along(a, indices, axesOf(a, axis)[0]));
  const put_along_axis = (a, indices, values, { axis = -1 } = {}) => put(a, along(a, indices, axesOf(a, axis)[0]), values);
  const take = (a, indices, { axis = null } = {}) => (axis === null ? item(reshape(a, -1), [asarray(indices)])
    : item(a, a.shape.map((_, i) => (i === axesOf(a, axis)[0] ? asarray(indices) : { slice: [null, null, null] }))));

  // ---- products of matrices --------------------------------------------------------------------------------
  // A product takes both matrices in double precision, rows of the one and columns of the other one behind the other,
  // and works out two rows times four columns at once; rows and columns that are not there are zeros.
  let rows64 = new Float64Array(0), columns64 = new Float64Array(0);
  const roomFor = (room, size) => (room.length < size ? new Float64Array(size) : room);
  const packed = (room, from, start, outer, step, inner, along, padded) => {
    let k = 0;
    for (let i = 0; i < outer; i++, start += step) for (let j = 0, at = start; j < inner; j++, at += along) room[k++] = from[at];
    room.fill(0, k, padded * inner);
  };
  const multiplied = (left, right, out, start, rows, inner, columns) => {
    for (let i = 0; i < rows; i += 2) for (let j = 0; j < columns; j += 4) {
      let p = i * inner, q = p + inner, w = j * inner, x = w + inner, y = x + inner, z = y + inner;
      let a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
      for (const end = q; p < end; p++, q++, w++, x++, y++, z++) {
        const one = left[p], other = left[q], r = right[w], s = right[x], t = right[y], u = right[z];
        a += one * r; b += one * s; c += one * t; d += one * u;
        e += other * r; f += other * s; g += other * t; h += other * u;
      }
      const here = start + i * columns + j, below = here + columns, wide = columns - j;
      out[here] = a;
      if (wide > 1) out[here + 1] = b;
      if (wide > 2) out[here + 2] = c;
      if (wide > 3) out[here + 3] = d;
      if (i + 1 === rows) continue;
      out[below] = e;
      if (wide > 1) out[below + 1] = f;
      if (wide > 2) out[below + 2] = g;
      if (wide > 3) out[below + 3] = h;
    }
  };
  const matmul = (a, b) => {
    if (a.shape.length === 1) return squeeze(matmul(expand_dims(a, 0), b), -2 + (b.shape.length === 1 ? 1 : 0));
    if (b.shape.length === 1) return squeeze(matmul(a, expand_dims(b, 1)), -1);
    const rows = a.shape[a.shape.length - 2], inner = a.shape[a.shape.length - 1], columns = b.shape[b.shape.length - 1];
    const batch = shared(a.shape.slice(0, -2), b.shape.slice(0, -2)), made = array([...batch, rows, columns], common([a, b]));
    const [below, along] = a.strides.slice(-2), [deeper, across] = b.strides.slice(-2);
    const starts = (x, last) => positions(batch, stretched(x, [...batch, ...last]).slice(0, -2), x.offset);
    const lefts = starts(a, [rows, inner]), rights = starts(b, [inner, columns]), high = rows + rows % 2, wide = columns + 3 - (columns + 3) % 4;
    rows64 = roomFor(rows64, high * inner);
    columns64 = roomFor(columns64, wide * inner);
    for (let i = 0; i < lefts.length; i++) {
      if (i === 0 || lefts[i] !== lefts[i - 1]) packed(rows64, a.data, lefts[i], rows, below, inner, along, high);
      if (i === 0 || rights[i] !== rights[i - 1]) packed(columns64, b.data, rights[i], columns, across, inner, deeper, wide);
      multiplied(rows64, columns64, made.data, i * rows * columns, rows, inner, columns);
    }
    return made;
  };
  const einsum = (formula, ...parts) => {  // an entry of each part lies where the result's letters and the others say
    const [from, to] = formula.replaceAll(" ", "").split("->"), terms = from.split(","), sizes = {};
    terms.forEach((term, k) => [...term].forEach((letter, axis) => { if (sizes[letter] === undefined || sizes[letter] === 1) sizes[letter] = parts[k].shape[axis]; }));
    const others = Object.keys(sizes).filter((letter) => !to.includes(letter)), lengths = (letters) => letters.map((letter) => sizes[letter]);
    const places = (letters, k, start) => positions(lengths(letters), letters.map((letter) => [...terms[k]].reduce((step, other, axis) =>
      step + (other === letter && parts[k].shape[axis] !== 1 ? parts[k].strides[axis] : 0), 0)), start);
    const made = array(lengths([...to]), common(parts));
    const first = parts.map((part, k) => places([...to], k, part.offset)), then = parts.map((_, k) => places(others, k, 0));
    for (let i = 0; i < made.data.length; i++) {
      let total = 0;
      if (parts.length === 2) {
        const [{ data: a }, { data: b }] = parts, [p, q] = then, at = first[0][i], and = first[1][i];
        for (let j = 0; j < p.length; j++) total += a[at + p[j]] * b[and + q[j]];
      } else for (let j = 0; j < then[0].length; j++) total += parts.reduce((product, { data }, k) => product * data[first[k][i] + then[k][j]], 1);
      made.data[i] = total;
    }
    return made;
  };

  return Object.assign(all, {
    entries: { ...of, ...ofFloats, ...asked }, array, scalar, dense, count, sum, mean, max: folded(larger), min: folded(smaller), prod: folded((a, b) => a * b, 1),
    argmax: folded(larger, undefined, "int64"), argmin: folded(smaller, undefined, "int64"), cumsum: running((a, b) => a + b),
    any: folded((a, b) => Number(a || b), 0), all: folded((a, b) => Number(a && b), 1), cumprod: running((a, b) => a * b), var: variance, std: (a, options) => all.sqrt(variance(a, options)), einsum, copy, astype, asarray,
    reshape, ravel: (a) => reshape(a, -1), transpose, swapaxes, moveaxis, expand_dims, squeeze, broadcast_to, flip, concatenate, stack,
    pad, sliding_window_view, ones_like: filled(1), zeros_like: filled(0), empty_like: filled(0), full_like, item, put, add_at, assign, take, take_along_axis,
    put_along_axis, matmul,
  });
})();
