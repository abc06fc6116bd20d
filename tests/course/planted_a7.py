"""Wrong solutions of assignment 7."""

from tests.course.planting import Planted

TOTAL = "total += a[i, p] * b[p, j]"
ADDED = "c[i, j] += a[i, p] * b[p, j]"
TERM = "t[i % 4] += x[i] * y[i]"
RETURNED = "return (t[0] + t[1]) + (t[2] + t[3])"
STEP = "theta[i] = theta[i] - rate * (m[i] / c1) / (np.sqrt(v[i] / c2) + eps)"
V = "v[i] = beta2 * v[i] + rest2 * (d * d)"
OF_NAIVE, OF_ROWS = "naive-numbers naive-bits", "rows-numbers rows-bits rows-numba"
OF_TILE, OF_UPDATE = "tile-inside tile-edges tile-product", "update-numbers update-bits update-numba"

BY_COLUMNS = """for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            c[i, j] = 0
            for p in range(a.shape[1]):
                c[i, j] += a[i, p] * b[p, j]
    return
    for i in range(a.shape[0]):"""

BY_FOURS = """for i in range(0, x.size - 3, 4):
        for r in range(4):
            t[r] += x[i + r] * y[i + r]"""

IN_TWO_PASSES = """for i in range(theta.size):
        d = clip * g[i] + l2 * theta[i]
        m[i] = beta1 * m[i] + rest1 * d
        v[i] = beta2 * v[i] + rest2 * (d * d)
    for i in range(theta.size):
        theta[i] = theta[i] - rate * (m[i] / c1) / (np.sqrt(v[i] / c2) + eps)
    for i in range(0):"""

PLANTED = [
    Planted("naive: = for +=", TOTAL, TOTAL.replace("+=", "="), OF_NAIVE),
    Planted(
        "naive: added to the rubbish in c", "c[i, j] = total", "c[i, j] += total", OF_NAIVE + " naive-nothing"
    ),
    Planted("naive: b transposed", TOTAL, "total += a[i, p] * b[j, p]", OF_NAIVE),
    Planted(
        "naive: the first term is left out",
        "for p in range(a.shape[1]):\n                total",
        "for p in range(1, a.shape[1]):\n                total",
        OF_NAIVE,
        "naive",
    ),
    Planted(
        "naive: from the last term to the first",
        "for p in range(a.shape[1]):\n                total",
        "for p in range(a.shape[1] - 1, -1, -1):\n                total",
        "naive-bits",
        "naive",
    ),
    Planted(
        "naive: each term rounded to float32", TOTAL, "total += np.float32(a[i, p] * b[p, j])", "naive-bits"
    ),
    Planted(
        "naive: summed in float64 whatever comes",
        "total = a.dtype.type(0)",
        "total = np.float64(0)",
        "naive-bits",
    ),
    Planted(
        "naive: square matrices only",
        "for j in range(b.shape[1]):\n            total",
        "for j in range(a.shape[1]):\n            total",
        "naive-bits naive-nothing",
    ),
    Planted(
        "naive: begins with the first term",
        "total = a.dtype.type(0)\n            for p in range(a.shape[1]):",
        "total = a[i, 0] * b[0, j]\n            for p in range(1, a.shape[1]):",
        "naive-nothing",
    ),
    Planted(
        "naive: the result goes into a, too",
        "c[i, j] = total",
        "c[i, j] = a[i, 0] = total",
        "naive-numbers naive-bits naive-nothing",
    ),
    Planted(
        "rows: the loops are in the old order",
        "for i in range(a.shape[0]):",
        BY_COLUMNS,
        "rows-reads",
        "rows",
    ),
    Planted("rows: c is not set to 0", "c[i, j] = 0", "pass", OF_ROWS, "rows"),
    Planted("rows: = for +=", ADDED, ADDED.replace("+=", "="), OF_ROWS, "rows"),
    Planted(
        "rows: set to 0 for each p",
        "for p in range(a.shape[1]):\n            for j",
        "for p in range(a.shape[1]):\n            c[i, 0] = 0\n            for j",
        OF_ROWS,
        "rows",
    ),
    Planted(
        "rows: one column too few",
        "for j in range(b.shape[1]):\n                c",
        "for j in range(b.shape[1] - 1):\n                c",
        OF_ROWS + " rows-reads",
        "rows",
    ),
    Planted(
        "rows: reads behind the last row",
        "for p in range(a.shape[1]):",
        "for p in range(a.shape[1] + 1):",
        OF_ROWS + " rows-reads",
        "rows",
    ),
    Planted(
        "rows: what Numba cannot compile",
        "for p in range(a.shape[1]):",
        "for p in range(len(a.tolist()[0])):",
        "rows-numba",
        "rows",
    ),
    Planted("tile: = for +=", ADDED, ADDED.replace("+=", "="), OF_TILE, "tile"),
    Planted(
        "tile: reads outside at the bottom",
        "i1, p1 = min(i0 + size, a.shape[0])",
        "i1, p1 = i0 + size",
        "tile-edges tile-product",
    ),
    Planted(
        "tile: reads outside at the right",
        "j1 = min(j0 + size, b.shape[1])",
        "j1 = j0 + size",
        "tile-edges tile-product",
    ),
    Planted(
        "tile: the sum runs past the end",
        "min(p0 + size, a.shape[1])",
        "p0 + size",
        "tile-edges tile-product",
    ),
    Planted(
        "tile: the sum over everything", "for p in range(p0, p1):", "for p in range(a.shape[1]):", OF_TILE
    ),
    Planted("tile: off by one", "for j in range(j0, j1):", "for j in range(j0, j1 - 1):", OF_TILE),
    Planted(
        "tile: the rows begin at 0",
        "for i in range(i0, i1):",
        "for i in range(i1):",
        "tile-edges tile-product",
    ),
    Planted(
        "tile: the size for the end", "j1 = min(j0 + size, b.shape[1])", "j1 = min(size, b.shape[1])", OF_TILE
    ),
    Planted(
        "dot: the rest is left out",
        "for i in range(x.size):\n        " + TERM,
        BY_FOURS,
        "dot-numbers dot-bits",
    ),
    Planted("dot: one sum", TERM, "t[0] += x[i] * y[i]", "dot-bits"),
    Planted("dot: added up one after another", RETURNED, "return t[0] + t[1] + t[2] + t[3]", "dot-bits"),
    Planted(
        "dot: blocks instead of every fourth", TERM, "t[min(3, 4 * i // x.size)] += x[i] * y[i]", "dot-bits"
    ),
    Planted("dot: float64 whatever comes", "np.zeros(4, x.dtype)", "np.zeros(4)", "dot-bits"),
    Planted("dot: = for +=", TERM, TERM.replace("+=", "="), "dot-numbers dot-bits"),
    Planted(
        "update: ε inside the root",
        STEP,
        STEP.replace("np.sqrt(v[i] / c2) + eps", "np.sqrt(v[i] / c2 + eps)"),
        OF_UPDATE,
    ),
    Planted("update: no bias correction", STEP, STEP.replace(" / c1", "").replace(" / c2", ""), OF_UPDATE),
    Planted("update: no penalty", " + l2 * theta[i]", "", OF_UPDATE),
    Planted(
        "update: the penalty is clipped too",
        "clip * g[i] + l2 * theta[i]",
        "clip * (g[i] + l2 * theta[i])",
        OF_UPDATE,
    ),
    Planted("update: theta before m and v", V, V + "\n        continue", OF_UPDATE + " update-one-pass"),
    Planted(
        "update: another order of the same operations",
        "rate * (m[i] / c1) / (np",
        "(rate / c1) * m[i] / (np",
        "update-bits update-numba",
    ),
    Planted("update: v from g instead of d", V, V.replace("d * d", "g[i] * g[i]"), OF_UPDATE),
    Planted("update: the sign", "theta[i] - rate", "theta[i] + rate", OF_UPDATE),
    Planted("update: two passes", "for i in range(theta.size):", IN_TWO_PASSES, "update-one-pass"),
    Planted(
        "update: the last entry is left out",
        "for i in range(theta.size):",
        "for i in range(theta.size - (theta.size > 1)):",
        "update-one-pass update-bits update-numba",
    ),
    Planted(
        "update: g is changed",
        "d = clip * g[i] + l2 * theta[i]",
        "g[i] = clip * g[i] + l2 * theta[i]\n        d = g[i]",
        "update-one-pass update-numba",
    ),
]
