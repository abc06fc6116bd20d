"use strict";
// numbers as the rest of minigrad writes them; a half is rounded to the even digit
const fixed = (x, places) => {
  const scaled = Math.abs(x) * 10 ** places, low = Math.floor(scaled);
  return scaled - low === 0.5 && low % 2 === 0 ? (Math.sign(x) * low / 10 ** places).toFixed(places) : x.toFixed(places);
};
const number = (x) => {
  if (x === null || x === undefined || Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (x === Math.round(x) && Math.abs(x) < 1e6) return String(Math.abs(x) === 0 ? 0 : x).replace("-", "−");
  let [digits, power] = x.toExponential(3).split("e");
  power = Number(power);
  const trim = (text, end) => {  // zeros at the end say "to four digits": they stay where the rest is not exact
    const short = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
    return (Math.abs(Number(short + end) - x) <= 1e-6 * Math.abs(x) ? short : text) + end;
  };
  const text = power < -4 || power > 5
    ? trim(digits, "e" + (power < 0 ? "-" : "+") + String(Math.abs(power)).padStart(2, "0"))
    : trim(fixed(x, Math.max(0, 3 - power)), "");
  return text.replaceAll("-", "−");
};

// a line of a formula in Python's arithmetic; known: symbol -> {value, single}
const evaluate = (text, known) => {
  const tokens = text.match(/\d+\.?\d*(?:e[-+]?\d+)?|[A-Za-z_][\w.]*|\*\*|\S/g);
  let place = 0;
  const join = (a, b, action) => {
    const single = a.single || b.single, round = single ? Math.fround : (x) => x;
    return { value: round(action(round(a.value), round(b.value))), single };
  };
  const atom = () => {
    const token = tokens[place++];
    if (token === "-") { const found = power(); return { value: -found.value, single: found.single }; }
    if (token === "(" || token === "np.sqrt") {
      if (token !== "(") place++;
      const found = sum();
      if (tokens[place++] !== ")") throw new Error(text);
      return token === "(" ? found : join(found, { value: 0, single: false }, (x) => Math.sqrt(x));
    }
    if (/^\d/.test(token)) return { value: Number(token), single: false };
    if (!known.has(token)) throw new Error(token);
    return known.get(token);
  };
  const power = () => {
    const base = atom();
    return tokens[place] === "**" ? (place++, join(base, power(), (a, b) => (b === 2 ? a * a : a ** b))) : base;
  };
  const level = (signs, next) => () => {
    let left = next();
    while (signs[tokens[place]]) { const action = signs[tokens[place++]]; left = join(left, next(), action); }
    return left;
  };
  const product = level({ "*": (a, b) => a * b, "/": (a, b) => a / b }, power);
  const sum = level({ "+": (a, b) => a + b, "-": (a, b) => a - b }, product);
  const found = sum();
  if (place !== tokens.length) throw new Error(text);
  return found;
};
