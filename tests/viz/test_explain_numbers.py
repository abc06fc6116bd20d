"""Every number that an explanation prints is worked out again here: the symbols are read by a parser of its own.

The parser expands Σ, sorts a long sum's terms, looks up the entries that the symbols name, evaluates in float64, and
compares: each number that is printed, with the entry that stands in its place, each side of an equals sign with the
last.
"""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest
from scipy import special

import minigrad as mg
from minigrad import ops
from minigrad.viz.explain import explain
from minigrad.viz.numbers import show
from minigrad.viz.trace import AccumulateGrad, Backward, Forward, NewLoss, Seed
from tests.viz.networks import NETWORKS

NUMBER = r"\d+(?:\.\d+)?(?:e[−+]?\d+)?"
SUMS = r"(?<!\w)(Σ|Π|max|min)_"
GREEK = {
    "η": "eta",
    "α": "alpha",
    "β₁": "beta1",
    "β₂": "beta2",
    "ε": "eps",
    "μ": "mu",
    "m̂": "m_hat",
    "v̂": "v_hat",
    "η_t": "eta_t",
    "c": "clip",
}
FUNCTIONS = {
    "exp": np.exp,
    "ln": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "sqrt": np.sqrt,
    "sign": np.sign,
    "abs": abs,
    "max": max,
    "min": min,
    "Phi": special.ndtr,
    "phi": lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi),
}


def half_unit(text):
    """How far a printed number may be off: half of its last digit, or nothing where fewer than four are printed."""
    mantissa, _, exponent = text.replace("−", "-").partition("e")
    if len(mantissa.replace(".", "").lstrip("-0")) < 4:
        return 1.01e-6 * abs(float(text.replace("−", "-")))
    return 0.5 * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2])) * 1.001


def python(text):
    for old, new in (
        ("−", "-"),
        ("·", "*"),
        ("²", "**2"),
        ("e^(", "exp("),
        ("^", "**"),
        ("√", "sqrt"),
        ("Φ", "Phi"),
        ("φ", "phi"),
    ):
        text = text.replace(old, new)
    return re.sub(r"\|([^|]*)\|", r"abs(\1)", text)


def evaluate(text):
    """Evaluate numbers that are known to their printed digits; return the value and how far it may be off."""

    def values(chosen):
        return eval(python(text if chosen is None else chosen), {}, FUNCTIONS)

    centre = values(None)
    error = 0.0
    for match in re.finditer(NUMBER, text):
        half = half_unit(match[0])
        if not half:
            continue
        moved = []
        for sign in ("+", "-"):
            changed = f"({match[0].replace('−', '-')}{sign}{half!r})".replace("-", "−").replace("+", "+")
            moved.append(abs(values(text[: match.start()] + changed + text[match.end() :]) - centre))
        error += 1.05 * max(moved)
    return centre, error


class Reader:
    """Reads the symbols of one explanation against the arrays that they name."""

    def __init__(self, arrays, sizes=None):
        self.arrays = arrays
        names = "|".join(re.escape(name) for name in sorted(arrays, key=len, reverse=True))
        self.reference = re.compile(rf"(?<![\w.])(?:{names})(?:\[[0-9a-z,+−]+\])?(?![A-Za-z0-9_])")

        self.chosen_by = re.compile(rf"(?<=,)({names})\[([0-9a-z]+)\](?=[,\]])")  # x[n,labels[n]]

    def value(self, reference):
        if reference in self.arrays:
            return np.asarray(self.arrays[reference]).item()
        name, _, index = reference.rpartition("[")
        return self.arrays[name][tuple(int(i) for i in index[:-1].split(","))].item()

    def ranges(self, letters, body):
        found = {}
        for match in self.reference.finditer(self.chosen_by.sub("0", body)):
            name, _, index = match[0].rpartition("[")
            if match[0] in self.arrays or name not in self.arrays:
                continue
            for axis, part in enumerate(index[:-1].split(",")):
                if part in letters:  # of several, along the shortest
                    length = self.arrays[name].shape[axis]
                    found[part] = min(length, found.get(part, length))
        return [range(found[letter]) for letter in letters]

    def expand(self, text, cut):
        """Write out the sums: all of their terms, or those that are printed; a sum in a sum's term by its value."""
        while match := re.search(SUMS, text):
            start, kind = match.start(), match[1]
            letters, _, rest = text[match.end() :].partition(" ")
            letters, depth, end = letters.split(","), 0, len(rest)
            for k, character in enumerate(rest):
                depth += (character in "([") - (character in ")]")
                if depth < 0 or (
                    depth == 0 and (rest[k : k + 3] in (" + ", " − ") or rest[k : k + 2] == ", ")
                ):
                    end = k
                    break
            body, behind = rest[:end], rest[end:]
            places = list(itertools.product(*self.ranges(letters, body)))
            terms = [self.placed(body, dict(zip(letters, place, strict=True))) for place in places]
            if cut:
                terms = [self.valued(term) for term in terms]
            if cut and len(terms) > 4:
                values = [self.result(term) for term in terms]
                order = sorted(
                    range(len(terms)), key=lambda k: -abs(values[k])
                )  # of equal ones the first first
                together = {"Σ": math.fsum, "Π": math.prod, "max": max, "min": min}[kind]
                left = f"{len(order) - 3} others: {together([values[k] for k in order[3:]])!r}"
                terms = [*(terms[k] for k in order[:3]), left.replace("-", "−")]
            if kind in "ΣΠ":
                written = "(" + {"Σ": " + ", "Π": " · "}[kind].join(f"({term})" for term in terms) + ")"
            else:
                written = f"{kind}({', '.join(terms)})"
            text = text[:start] + written + behind
        return text

    def valued(self, term):
        """Put its value in the place of a sum that is within a term of another."""
        while match := re.search(SUMS, term):
            depth = 0
            for end in range(match.start(), len(term) + 1):
                if end == len(term):
                    break
                depth += (term[end] in "([") - (term[end] in ")]")
                if (
                    depth < 0
                    or (depth == 0 and term[end : end + 3] in (" + ", " − "))
                    or (depth == 0 and term[end : end + 2] == ", ")
                ):
                    break
            value = repr(self.result(term[match.start() : end])).replace("-", "−")
            term = term[: match.start()] + value + term[end:]
        return term

    def placed(self, body, at):
        body = self.chosen_by.sub(
            lambda m: str(int(self.arrays[m[1]][at[m[2]]])) if m[2] in at else m[0], body
        )

        def index(match):
            parts = match[0].rpartition("[")
            if match[0] in self.arrays:
                return match[0]
            return parts[0] + "[" + ",".join(map(number, parts[2][:-1].split(","))) + "]"

        def number(part):
            letter, sign, distance = re.fullmatch(r"(\w+)(?:([+−])(\d+))?", part).groups()
            further = int(f"{sign}{distance}".replace("−", "-")) if sign else 0
            return str(at[letter] + further) if letter in at else part

        return self.reference.sub(index, body)

    def chosen(self, text):
        """Replace each ``[this where a condition holds, else that]`` by the one of them that it is."""
        start = text.find("[")
        while start >= 0:
            depth, cuts = 0, {}
            for k in range(start, len(text)):
                depth += (text[k] in "[(") - (text[k] in "])")
                if depth == 0:
                    break
                if depth == 1:
                    for word in (" where ", ", else "):
                        if text.startswith(word, k):
                            cuts[word] = k
            if len(cuts) == 2:
                first, second = cuts.values()
                holds = self.condition(text[first + len(" where ") : second])
                one = text[start + 1 : first] if holds else text[second + len(", else ") : k]
                text = text[:start] + f"({one})" + text[k + 1 :]
                start = text.find("[")
            else:
                start = text.find("[", start + 1)
        return text

    def tokens(self, text):
        """Every number that has to be printed for these symbols, in order."""
        conditions = re.compile(r"\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\](?!\w)")
        text, found, position = self.chosen(text), [], 0
        number = re.compile(NUMBER)
        while position < len(text):
            reference = self.reference.match(text, position)
            condition = conditions.match(text, position) if text[position] == "[" else None
            plain = number.match(text, position)
            if reference:
                found.append(self.value(reference[0]))
                position = reference.end()
            elif condition:
                found.append(self.condition(condition[0][1:-1]))
                position = condition.end()
            elif plain:
                found.append(float(plain[0].replace("−", "-")))
                position = plain.end()
            else:
                position += 1
        return found

    def condition(self, text):
        """1 where a condition holds, 0 where it does not."""
        numbers = self.reference.sub(lambda m: f"({self.value(m[0])!r})", text)
        for old, new in (("≥", ">="), ("≤", "<="), (" = ", " == "), ("≠", "!="), ("−", "-")):
            numbers = numbers.replace(old, new)
        return float(bool(eval(python(numbers), {}, FUNCTIONS)))

    def result(self, text):
        """Evaluate the symbols in float64."""
        text = self.chosen(self.expand(text, cut=False))
        out, position = [], 0
        conditions = re.compile(r"\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\](?!\w)")
        while position < len(text):
            reference = self.reference.match(text, position)
            condition = conditions.match(text, position) if text[position] == "[" else None
            if reference:
                out.append(f"({self.value(reference[0])!r})")
                position = reference.end()
            elif condition:
                out.append(repr(self.condition(condition[0][1:-1])))
                position = condition.end()
            else:
                out.append(text[position])
                position += 1
        with np.errstate(all="ignore"):
            return float(eval(python("".join(out)), {}, FUNCTIONS))


def check(reader, symbols, numbers, final):
    """Compare the printed numbers of one line with the symbols; return how many were compared."""
    assert numbers.startswith("= ")
    sides = numbers[2:].split(" = ")
    listed = re.fullmatch(
        r"(.*) \+ (\d+) others", symbols
    )  # entries without a common form, the largest by name
    if listed:
        rest = final - reader.result(listed[1])
        wanted = [*reader.tokens(listed[1]), float(listed[2]), rest]
        symbols = f"{listed[1]} + ({rest!r})".replace("-", "−")
    else:
        wanted = reader.tokens(reader.expand(symbols, cut=True))
    printed = [m[0] for m in re.finditer(NUMBER, sides[0])]
    assert len(printed) == len(wanted), (symbols, numbers, wanted)
    for text, value in zip(printed, wanted, strict=True):
        assert abs(float(text.replace("−", "-")) - abs(value)) <= half_unit(text) + 1e-6 * abs(value), (
            symbols,
            numbers,
            value,
        )
    scale = sum(map(abs, wanted), abs(final))
    tolerance = half_unit(sides[-1].lstrip("−")) + 4e-6 * scale
    last = float(sides[-1].replace("−", "-"))
    assert abs(reader.result(symbols) - last) <= tolerance, (symbols, numbers)
    assert abs(final - last) <= half_unit(sides[-1].lstrip("−")), (symbols, numbers)
    for side in sides:
        centre, error = evaluate(re.sub(r"\((\d+) others: ", "(", side))
        assert abs(centre - last) <= error + tolerance, (side, numbers)
    return len(printed) + len(sides)


def arrays_for(trace, event):
    node = trace.nodes[event.node]
    arrays = {}
    given = mg.registry.operations[node.operation].inputs if node.operation in mg.registry.operations else ()
    for place, (source, constant) in enumerate(zip(node.inputs, node.constants, strict=True)):
        if source is not None:
            arrays[trace.nodes[source].name] = trace.nodes[source].value
        elif constant is not None and constant.size > 1:
            arrays[node.constant_names[place] or given[place]] = constant
    arrays[node.name] = node.value
    if isinstance(event, Backward):
        arrays[f"dL/d{node.name}"] = event.incoming
    return arrays


def right(symbols):
    return re.sub(r", as it is not in \w+", "", re.split(" [=←] ", symbols, maxsplit=1)[1])


def check_event(trace, event, index):
    told = explain(trace, event, index)
    if isinstance(event, Forward):
        value = trace.nodes[event.node].value[index].item()
        return check(Reader(arrays_for(trace, event)), right(told.symbols), told.numbers, value)
    if isinstance(event, Backward):
        arrays = arrays_for(trace, event)
        symbols = right(told.symbols)
        if not event.first:
            earlier = [
                e.total
                for e in trace.events[: event.index]
                if isinstance(e, Backward) and e.input == event.input
            ][-1]
            arrays["earlier"] = earlier[index]
            np.testing.assert_array_equal(earlier + event.contribution, event.total)
        return check(Reader(arrays), symbols, told.numbers, event.total[index].item())
    if isinstance(event, Seed):
        assert told.numbers == f"= {show(event.gradient[index])}"
        return 1
    if isinstance(event, AccumulateGrad):
        name = trace.nodes[event.node].name
        gradient = [
            e.total for e in trace.events[: event.index] if isinstance(e, Backward) and e.input == event.node
        ][-1]
        arrays = {f"dL/d{name}": gradient}
        if event.before is not None:
            arrays["earlier"] = event.before[index]
        return check(Reader(arrays), right(told.symbols), told.numbers, event.total[index].item())
    if isinstance(event, NewLoss):
        assert told.numbers == f"{show(event.old.item())} → {show(event.new.item())}"
        return 2
    return check_update(trace.nodes[event.node].name, event, index, told)


def check_update(name, event, index, told):
    known, count = {}, 0
    lines = list(zip(told.symbols.split("\n"), told.numbers.split("\n"), strict=True))
    for row in event.rows:
        written = [greek for greek, name in GREEK.items() if name == row.symbol] or [row.symbol]
        if row.symbol in ("l2", "decay"):
            written = ["λ"]
        if row.symbol == "theta":
            written = ["θ" if name in ("m", "v") else name]
        if not row.given:
            symbols, numbers = lines.pop(0)
            assert (" ← " in symbols) == (written[0] in known)
            count += check(
                Reader(known),
                right(symbols),
                numbers,
                np.asarray(row.value)[index if row.value.ndim else ()].item(),
            )
        known |= {written[0]: row.value}
    assert lines == []
    return count


def some(shape, rng, count):
    if 0 in shape:
        return []
    places = {tuple(0 for _ in shape), tuple(n - 1 for n in shape)}
    places |= {tuple(int(rng.integers(n)) for n in shape) for _ in range(count)}
    return sorted(places)


def check_trace(trace, seed=0, count=2):
    rng, compared = np.random.default_rng(seed), 0
    for event in trace.events:
        shape = trace.nodes[event.input if isinstance(event, Backward) else event.node].shape
        for index in some(shape, rng, count):
            compared += check_event(trace, event, index)
    return compared


@pytest.mark.parametrize("name", NETWORKS)
def test_every_number_of_a_network_s_explanations(name):
    assert check_trace(mg.record(NETWORKS[name]().step)) > 50


def leaf(shape, low=-2.0, high=2.0, seed=0):
    rng = np.random.default_rng(seed)
    return mg.Tensor(rng.uniform(low, high, shape).astype(np.float32), requires_grad=True, name="x")


ONE = {
    "negative": lambda x: -x,
    "positive": lambda x: +x,
    "absolute": np.absolute,
    "square": np.square,
    "exp": np.exp,
    "expm1": np.expm1,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "sqrt": lambda x: np.sqrt(x * x + 1),
    "log": lambda x: np.log(x * x + 1),
    "log1p": lambda x: np.log1p(x * x),
    "power": lambda x: (x * x + 1) ** 1.5,
    "powers": lambda x: 2.0**x,
    "both": lambda x: (x * x + 1) ** x,
    "negative power": lambda x: x**-1,
    "sigmoid": ops.sigmoid,
    "relu": ops.relu,
    "softplus": ops.softplus,
    "leaky_relu": lambda x: ops.leaky_relu(x, slope=0.2),
    "gelu": ops.gelu,
    "normal_cdf": ops.normal_cdf,
    "softmax": ops.softmax,
    "softmax 0": lambda x: ops.softmax(x, axis=0),
    "log_softmax": ops.log_softmax,
    "logsumexp": ops.logsumexp,
    "logsumexp 1": lambda x: ops.logsumexp(x, axis=1, keepdims=True),
    "sum": lambda x: x.sum(),
    "sum 0": lambda x: x.sum(axis=0),
    "sum -1": lambda x: x.sum(axis=-1, keepdims=True),
    "mean": lambda x: x.mean(),
    "mean 1": lambda x: x.mean(axis=1),
    "mean (0,1)": lambda x: x.mean(axis=(0, 1)),
    "reshape": lambda x: x.reshape(4, 3),
    "transpose": lambda x: x.T,
    "row": lambda x: x[1],
    "rows": lambda x: x[[0, 0, 2]],
    "slice": lambda x: x[::2, 1:3],
    "mask": lambda x: x[x.numpy() > 0],
    "new axis": lambda x: x[:, None],
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "squeeze": lambda x: np.squeeze(np.expand_dims(x, 1), 1),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 3, 4)),
    "concatenate": lambda x: np.concatenate([x, x * 2], axis=1),
    "stack": lambda x: np.stack([x, x]),
    "flip": lambda x: np.flip(x, 1),
    "pad": lambda x: np.pad(x, 1),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "where": lambda x: np.where(x.numpy() > 0, x, x * 3),
    "clip": lambda x: np.clip(x, -0.5, 0.5),
    "clip low": lambda x: np.clip(x, 0.25, None),
    "maximum": lambda x: np.maximum(x, 0.25),
    "minimum": lambda x: np.minimum(-x, x * x),
    "equal": lambda x: np.maximum(x, x * 1.0),
    "add": lambda x: x + 3,
    "subtract": lambda x: 1 - x,
    "multiply": lambda x: x * x[0],
    "divide": lambda x: x / (x[:, :1] + 5),
    "divided": lambda x: 3 / (x + 5),
    "matmul": lambda x: x @ x.T,
    "vector": lambda x: x @ x[0],
    "vectors": lambda x: x[0] @ x[1],
    "vector first": lambda x: x[:, 0] @ x,
    "batch": lambda x: np.stack([x, x]) @ x.T,
    "first": lambda x: x @ np.stack([x.T, x.T]),
    "linear": lambda x: ops.linear(x, x[:2], x[0, :2]),
    "without bias": lambda x: ops.linear(x, x[:2], None),
    "stacked": lambda x: ops.linear(np.stack([x, x]), x[:2], x[0, :2]),
    "one": lambda x: ops.linear(x[0], x[:2], x[0, :2]),
    "cross-entropy": lambda x: ops.softmax_cross_entropy(x, np.array([0, 3, 1])),
    "dropout": lambda x: ops.fused.dropout(
        x, np.random.default_rng(1).random((3, 4), dtype=np.float32), p=0.3
    ),
    "take_along_axis": lambda x: np.take_along_axis(x, np.array([[0], [3], [1]]), 1),
    "embedding": lambda x: ops.fused.embedding(x, np.array([[0, 2], [2, 1]])),
    "astype": lambda x: x.astype("float64") * 2,
    "sum, a list": lambda x: x.sum(axis=[0, 1]),
    "sum, NumPy's integer": lambda x: np.sum(x, np.int64(-1)),
    "mean, NumPy's integers": lambda x: np.mean(x, axis=(np.int64(0), 1)),
    "mean of no axis": lambda x: np.mean(x, axis=()),
    "softmax, NumPy's integer": lambda x: ops.softmax(x, axis=np.int64(0)),
    "logsumexp, a list": lambda x: ops.logsumexp(x, axis=[1]),
    "sum of a number": lambda x: np.sum(x[0, 0], axis=0),
    "logsumexp of a number": lambda x: ops.logsumexp(x[0, 0], axis=0),
    "concatenate flat": lambda x: np.concatenate([x, x * 2], axis=None),
    "take_along_axis flat": lambda x: np.take_along_axis(x, np.array([3, 3, 1]), None),
    "pad, a dict": lambda x: np.pad(x, {1: (2, 0)}),
    "split": lambda x: np.split(x, np.int64(2), axis=1)[1],
    "linear_input_gradient": lambda x: mg.registry.operations["linear_input_gradient"](x[:, :2], x[:2]),
    "linear_weight_gradient": lambda x: mg.registry.operations["linear_weight_gradient"](x[:, :2], x),
    "linear_relu": lambda x: ops.linear_relu(x, x[:2], x[0, :2]),
    "linear_relu without bias": lambda x: ops.linear_relu(x, x[:2], None),
    "mean_cross_entropy": lambda x: ops.mean_cross_entropy(x, np.array([0, 3, 1])),
    "var": lambda x: np.var(x),
    "var 0": lambda x: np.var(x, axis=0, ddof=1),
    "std": lambda x: np.std(x, axis=1, keepdims=True),
    "max": lambda x: np.max(x),
    "max 1": lambda x: x.max(axis=1),
    "min 0": lambda x: x.min(axis=0, keepdims=True),
    "prod 0": lambda x: np.prod(x, axis=0),
    "prod": lambda x: np.prod(x[:2, :3]),
    "cumsum": lambda x: np.cumsum(x),
    "cumsum 1": lambda x: np.cumsum(x, axis=1),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x),
    "einsum, three": lambda x: np.einsum("ij,j,ik->k", x, x[0], x[:, :2]),
    "einsum, a trace": lambda x: np.einsum("ii->", x[:, :3]),
    "put_along_axis": lambda x: ops.put_along_axis(x[:, :1], np.array([[0], [3], [1]]), axis=1, length=4),
    "scatter": lambda x: ops.scatter(x, index=np.array([0, 0, 4]), shape=(5, 4)),
    "embedding_gradient": lambda x: mg.registry.operations["embedding_gradient"](
        x, np.array([1, 1, 0]), count=3
    ),
    "to": lambda x: x.to("cpu") * 2,
    "pad, edge": lambda x: np.pad(x, 1, mode="edge"),
    "transpose, an array": lambda x: np.transpose(x, np.array([1, 0])),
    "swapaxes, NumPy's integers": lambda x: x.swapaxes(np.int64(0), np.int8(1)),
}


@pytest.mark.parametrize("name", ONE)
def test_every_number_of_an_operation_s_explanations(name):
    x = leaf((3, 4))

    def step():
        y = ONE[name](x)
        (y * y).sum().backward()

    trace = mg.record(step)
    assert check_trace(trace, count=20) > 30
    told = [
        explain(trace, e, tuple(0 for _ in trace.nodes[e.node].shape))
        for e in trace.events
        if e.kind == "forward"
    ]
    assert not any(": " in t.symbols for t in told)  # no general statement in place of a formula


def test_some_explanations_as_they_read():
    w = mg.Tensor([[0.5, -0.25]], requires_grad=True, name="W1")
    x = mg.Tensor([[2.0, 1.0], [-4.0, 3.0]], name="x")
    b = mg.Tensor([1.0], requires_grad=True, name="b")

    def step():
        z = ops.linear(x, w, b)
        loss = np.square(z).mean()
        loss.backward()

    trace = mg.record(step)
    said = {(e.kind, trace.nodes[getattr(e, "input", e.node)].name): e for e in trace.events}
    assert explain(trace, said["forward", "z"], (1, 0)) == (
        "z[1,0] = Σ_k x[1,k] · W1[0,k] + b[0]",
        "= −4 · 0.5 + 3 · (−0.25) + 1 = −1.75",
    )
    assert explain(trace, said["seed", "loss"]) == ("dL/dloss, the derivative of L = loss by itself", "= 1")
    assert explain(trace, said["backward", "z"], (1, 0)) == (
        "dL/dz[1,0] = 2 · dL/dsquare_1[1,0] · z[1,0]",
        "= 2 · 0.5 · (−1.75) = 0.5 · (−3.5) = −1.75",
    )
    assert explain(trace, said["backward", "W1"], (0, 1)) == (
        "dL/dW1[0,1] = Σ_n dL/dz[n,0] · x[n,1]",
        "= 1.75 · 1 + (−1.75 · 3) = −3.5",
    )
    assert explain(trace, said["backward", "b"], 0) == ("dL/db[0] = Σ_n dL/dz[n,0]", "= 1.75 + (−1.75) = 0")
    assert explain(trace, said["accumulate_grad", "W1"], (0, -1)) == ("W1.grad[0,1] = dL/dW1[0,1]", "= −3.5")


def test_a_second_contribution_is_added_to_the_earlier_one():
    x = mg.Tensor(3.0, requires_grad=True, name="x")
    trace = mg.record(lambda: (x * x).backward())
    assert explain(trace, 2) == ("dL/dx = dL/dmultiply_1 · x", "= 1 · 3 = 3")
    assert explain(trace, 3) == ("dL/dx = earlier + (dL/dmultiply_1 · x)", "= 3 + (1 · 3) = 3 + 3 = 6")


def test_an_entry_that_is_not_there():
    x = leaf((2, 3))
    trace = mg.record(lambda: x * 2)
    for index in ((2, 0), (0,), (0, 0, 0), ()):
        with pytest.raises(IndexError, match="no entry"):
            explain(trace, 0, index)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (2.0, "2"),
        (-3, "−3"),
        (0.30000001192, "0.3"),
        (-0.24799, "−0.2480"),
        (137.96, "138.0"),
        (-0.248, "−0.248"),
        (123456.7, "123457"),
        (999999.7, "1000000"),
        (1.00004e-5, "1.000e−05"),
        (1e6, "1e+06"),
        (1234567.0, "1.235e+06"),
        (1e-8, "1e−08"),
        (-1.23456e-5, "−1.235e−05"),
        (0.00012345, "0.0001234"),
        (9.99996, "10.000"),
        (0.5, "0.5"),
        (float("nan"), "nan"),
        (float("inf"), "∞"),
        (float("-inf"), "−∞"),
        (True, "1"),
        (1 / 3, "0.3333"),
        (1234.56, "1235"),
    ],
)
def test_numbers_have_four_significant_digits(value, text):
    assert show(value) == text


SPARSE = np.array([0, 0, 0, 0, 5, -3, 0, 1], np.float32)
LONG = {
    "sum": (lambda x: x.sum(), "= 5 + (−3) + 1 + (5 others: 0) = 3"),
    "mean": (lambda x: x.mean(), "= (5 + (−3) + 1 + (5 others: 0)) / 8 = 0.375"),
    "product": (lambda x: x @ np.full(8, 2.0, "float32"), "= 5 · 2 + (−3 · 2) + 1 · 2 + (5 others: 0) = 6"),
    "logsumexp": (lambda x: ops.logsumexp(x), "= ln(e^(5) + e^(1) + e^(0) + (5 others: 4.050)) = 5.051"),
}


@pytest.mark.parametrize("name", LONG)
def test_long_sums_show_their_largest_terms_and_what_the_others_come_to(name):
    function, numbers = LONG[name]
    x = mg.Tensor(SPARSE, requires_grad=True, name="x")
    trace = mg.record(lambda: function(x))
    assert explain(trace, len(trace.events) - 1).numbers == numbers


MANY = {
    "broadcast": (lambda x: np.broadcast_to(x, (7, 1)), lambda k: (k, 0)),
    "the same row often": (lambda x: x[[0] * 7], lambda k: (k,)),
    "stretched": (lambda x: x * np.ones(7, "float32"), lambda k: (k,)),
    "added": (lambda x: x + np.zeros((7, 1), "float32"), lambda k: (k, 0)),
}


@pytest.mark.parametrize("name", MANY)
def test_long_sums_of_gradients_too(name):
    """The gradient that arrives is 0, 0, 0, 0, 5, −3, 1: three of its entries are all that counts."""
    function, place = MANY[name]
    x = mg.Tensor([2.0], requires_grad=True, name="x")
    arriving = np.array([0, 0, 0, 0, 5, -3, 1], np.float32)

    def step():
        y = function(x)
        y.backward(arriving.reshape(y.shape))

    trace = mg.record(step)
    (event,) = [e for e in trace.events if isinstance(e, Backward)]
    told = explain(trace, event, 0)
    assert told.numbers.endswith(" + (4 others: 0) = 3")
    printed = told.numbers.split(" + (4 others")[0].removeprefix("= ")
    assert [p.strip("()").removesuffix(" · 1") for p in printed.split(" + ")] == ["5", "−3", "1"]
    if not told.symbols.startswith("dL/dx[0] = Σ"):
        assert told.symbols.endswith("others")
        for k in (4, 5, 6):
            assert f"[{','.join(map(str, place(k)))}]" in told.symbols
