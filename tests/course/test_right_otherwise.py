"""Right solutions that are written in another way than the reference lose nothing."""

from __future__ import annotations

import pytest

from minigrad.course.assignment import find, load
from tests.course import planting
from tests.course.planting import Planted


def otherwise(what: str, old: str, new: str, cell: str = "") -> Planted:
    return Planted(what, old, new, loses="", cell=cell)


LOOP_OF_AXES = """for _ in range(g.ndim - len(shape)):
        g = g.sum(axis=0)
    for k, n in enumerate(shape):
        if n == 1 and g.shape[k] != 1:
            g = g.sum(axis=k, keepdims=True)
    return g"""

LOG_SUM_EXP = """top = z.max(axis=1)
    total = top + np.log(np.exp(z.T - top).sum(axis=0))
    return float(sum(total[s] - z[s, c] for s, c in enumerate(labels)) / len(labels))"""

TOTAL_OF_ROW = """for i in range(len(a)):
        for p in range(a.shape[1]):
            factor = a[i, p]
            for j in range(c.shape[1]):
                if p == 0:
                    c[i, j] = 0.0 + factor * b[p, j]
                else:
                    c[i, j] = c[i, j] + factor * b[p, j]
        if a.shape[1] == 0:
            for j in range(c.shape[1]):
                c[i, j] = 0.0
    return
    for i in range(a.shape[0]):"""

FOUR_NAMES = """zero = x.dtype.type(0)
    t0, t1, t2, t3 = zero, zero, zero, zero
    for i in range(0, x.size, 4):
        t0 += x[i] * y[i]
        if i + 1 < x.size:
            t1 += x[i + 1] * y[i + 1]
        if i + 2 < x.size:
            t2 += x[i + 2] * y[i + 2]
        if i + 3 < x.size:
            t3 += x[i + 3] * y[i + 3]
    return (t0 + t1) + (t2 + t3)
    t = [0, 0, 0, 0]"""

BY_INDEX = """for i in range(len(g)):
        th, d = theta[i], hyper[0] * g[i] + hyper[1] * theta[i]
        mi = hyper[2] * m[i] + hyper[3] * d
        vi = hyper[4] * v[i] + hyper[5] * (d * d)
        m[i], v[i] = mi, vi
        theta[i] = th - hyper[8] * (mi / hyper[6]) / (np.sqrt(vi / hyper[7]) + hyper[9])
    return
    clip, l2, beta1, rest1, beta2, rest2, c1, c2, rate, eps = hyper"""

LOOPS = """rows = x.reshape(-1, x.shape[-1])
    y = np.zeros((len(rows), len(w)))
    for s in range(len(rows)):
        for o in range(len(w)):
            for i in range(w.shape[1]):
                y[s, o] += rows[s, i] * w[o, i]
    y = y.reshape(*x.shape[:-1], len(w))"""

LOOPS_BACK = """rows, out = x.reshape(-1, x.shape[-1]), g.reshape(-1, g.shape[-1])
    dw = np.zeros((out.shape[1], rows.shape[1]))
    for s in range(len(rows)):
        for o in range(out.shape[1]):
            for i in range(rows.shape[1]):
                dw[o, i] += out[s, o] * rows[s, i]
    return dw"""

ENGINE_PARTS = """from minigrad.data import DataLoader, Dataset, Standardize

    scaler = Standardize.fit(x)
    model = nn.Sequential(nn.Linear(64, 48, rng=rng), nn.Tanh(), nn.Linear(48, y.max() + 1, rng=rng))
    sgd = optim.SGD(model, lr=0.2, momentum=0.9)
    loader = DataLoader(Dataset(scaler.apply(x), y), batch_size=50, rng=rng)
    left = steps
    while left:
        for images, labels in loader:
            if not left:
                break
            left -= 1
            sgd.zero_grad()
            nn.CrossEntropyLoss()(model(mg.Tensor(images)), labels).backward()
            sgd.step()
    return lambda new: model(mg.Tensor(scaler.apply(new))).numpy().argmax(axis=1).tolist()
    mean, spread = x.mean(axis=0), x.std(axis=0)"""

RIGHT = {
    "A1": [
        otherwise(
            "other names for what comes in",
            'def exp_vjp(g, y):\n    """Return dL/da for y = e^a."""\n    ### BEGIN SOLUTION\n    return g * y',
            "def exp_vjp(up, e):\n    return up * e\n    ### BEGIN SOLUTION",
        )
    ],
    "A2": [otherwise("the given dtype", "np.array(gradient, dtype=loss.dtype)", "np.array(gradient)")],
    "A3": [
        otherwise(
            "float64 whatever comes",
            "g = g.sum(axis=tuple(range(g.ndim - len(shape))))",
            "g = g.sum(dtype=float, axis=tuple(range(g.ndim - len(shape))))",
        ),
        otherwise("axis by axis", "g = g.sum(axis=tuple(range(g.ndim - len(shape))))", LOOP_OF_AXES),
        otherwise(
            "a sum spread by ones",
            "return np.broadcast_to(g, a_shape).copy()",
            "return g * np.ones(a_shape)",
            "sum",
        ),
        otherwise(
            "a list made a tuple",
            "return (*range(missing), *repeated)",
            "return tuple([*range(missing), *repeated])",
        ),
    ],
    "A4": [
        otherwise("einsum", "y = x @ w.T", "y = np.einsum('...i,oi->...o', x, w)"),
        otherwise("tensordot", "return g @ w", "return np.tensordot(g, w, axes=1)", "input"),
        otherwise(
            "tensordot for the weights",
            "return g.reshape(-1, g.shape[-1]).T @ x.reshape(-1, x.shape[-1])",
            "return np.tensordot(g, x, (range(g.ndim - 1), range(x.ndim - 1)))",
        ),
        otherwise(
            "over all axes but one",
            "g.reshape(-1, g.shape[-1]).sum(axis=0)",
            "g.sum(axis=tuple(range(g.ndim - 1)))",
        ),
        otherwise("float64 whatever comes", "y = x @ w.T", "y = x.astype(float) @ w.T"),
        otherwise("loops", "y = x @ w.T", LOOPS),
        otherwise(
            "loops back", "return g.reshape(-1, g.shape[-1]).T @ x.reshape(-1, x.shape[-1])", LOOPS_BACK
        ),
        otherwise("np.where", "(g @ w2) * (a > 0)", "np.where(h > 0, g @ w2, 0)"),
    ],
    "A5": [
        otherwise("log-sum-exp", "shifted = z - z.max(axis=1, keepdims=True)", LOG_SUM_EXP),
        otherwise(
            "logaddexp",
            "return np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))",
            "return np.logaddexp(0, z) - z * y",
        ),
        otherwise(
            "by tanh",
            "sigmoid = np.where(z >= 0, 1, power) / (1 + power)",
            "sigmoid = 0.5 + 0.5 * np.tanh(z / 2)",
        ),
        otherwise("no log1p", "np.log1p(np.exp(-np.abs(z)))", "np.log(1 + np.exp(-np.abs(z)))"),
        otherwise(
            "eye",
            "difference[np.arange(len(labels)), labels] -= 1",
            "difference = difference - np.eye(logits.shape[1])[labels]",
        ),
    ],
    "A6": [
        otherwise(
            "a sum over samples",
            "gradient = x.T @ (x @ theta - y) / len(x)",
            "gradient = np.mean((x @ theta - y)[:, None] * x, axis=0)",
        ),
        otherwise("g · g", "v = beta2 * v + (1 - beta2) * g**2", "v = v + (1 - beta2) * (g * g - v)", "adam"),
        otherwise("float64 whatever comes", "b = mu * b + g\n", "b = np.float64(mu) * b + g\n"),
        otherwise(
            "a dtype of its own", "return theta - step, m, v", "return np.asarray(theta - step, float), m, v"
        ),
        otherwise(
            "a rate of NumPy's",
            "eta_t = eta * np.sqrt(1 - beta2**t) / (1 - beta1**t)\n    step = eta_t * m / (1 - beta1**t)",
            "eta_t = np.float64(eta * np.sqrt(1 - beta2**t) / (1 - beta1**t))\n    step = eta_t * (m / (1 - beta1**t))",
        ),
        otherwise(
            "floats",
            '"printed_factor": variant.scale, "adam_factor": 1',
            '"printed_factor": 10.0, "adam_factor": 1.0',
        ),
    ],
    "A7": [
        otherwise("the first term begins", "for i in range(a.shape[0]):", TOTAL_OF_ROW, "rows"),
        otherwise("0 as an int", "total = a.dtype.type(0)", "total = 0"),
        otherwise("four names", "t = np.zeros(4, x.dtype)", FOUR_NAMES),
        otherwise("by index", "clip, l2, beta1, rest1, beta2, rest2, c1, c2, rate, eps = hyper", BY_INDEX),
    ],
    "A8": [
        otherwise("float64 whatever comes", ".astype(train.dtype)", ".astype(float)"),
        otherwise(
            "digits as floats",
            "return lambda new: logits(new).numpy().argmax(axis=1)",
            "return lambda new: logits(new).numpy().argmax(axis=1).astype(float)",
        ),
        otherwise(
            "shuffled in place", "order = rng.permutation(n)", "order = np.arange(n)\n    rng.shuffle(order)"
        ),
        otherwise(
            "zero_grad last",
            "optimizer.zero_grad()\n    loss =",
            "model.zero_grad() if hasattr(model, 'zero_grad') else optimizer.zero_grad()\n    loss =",
        ),
        otherwise("another network", "mean, spread = x.mean(axis=0), x.std(axis=0)", ENGINE_PARTS),
    ],
}


@pytest.mark.parametrize(
    ("name", "right"),
    [(name, one) for name, some in RIGHT.items() for one in some],
    ids=lambda v: getattr(v, "what", v),
)
def test_another_right_solution_loses_nothing(name, right):
    one = load(find(name))
    lost = [outcome for outcome in planting.graded(one, planting.changed(one, right)) if not outcome.passed]
    assert not lost, [(outcome.test, outcome.lines()) for outcome in lost]
