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
    Planted("naive: = for +=", TOTAL, TOTAL.replace("+=", "="), OF_NAIVE, says="Only the last term of each"),
    Planted(
        "naive: added to the rubbish in c",
        "c[i, j] = total",
        "c[i, j] += total",
        OF_NAIVE + " naive-nothing",
        says="c was not empty before",
    ),
    Planted("naive: b transposed", TOTAL, "total += a[i, p] * b[j, p]", OF_NAIVE, says="That is a·bᵀ"),
    Planted(
        "naive: the first term is left out",
        "for p in range(a.shape[1]):\n                total",
        "for p in range(1, a.shape[1]):\n                total",
        OF_NAIVE,
        "naive",
        says="Only the last term of each",
    ),
    Planted(
        "naive: from the last term to the first",
        "for p in range(a.shape[1]):\n                total",
        "for p in range(a.shape[1] - 1, -1, -1):\n                total",
        "naive-bits",
        "naive",
        says="Matrices that are not square",
    ),
    Planted(
        "naive: each term rounded to float32",
        TOTAL,
        "total += np.float32(a[i, p] * b[p, j])",
        "naive-bits",
        says="Matrices that are not square",
    ),
    Planted(
        "naive: summed in float64 whatever comes",
        "total = a.dtype.type(0)",
        "total = np.float64(0)",
        "naive-bits",
        says="Matrices that are not square",
    ),
    Planted(
        "naive: square matrices only",
        "for j in range(b.shape[1]):\n            total",
        "for j in range(a.shape[1]):\n            total",
        "naive-bits naive-nothing",
        says="Matrices that are not square|k may be 0, and then every",
    ),
    Planted(
        "naive: begins with the first term",
        "total = a.dtype.type(0)\n            for p in range(a.shape[1]):",
        "total = a[i, 0] * b[0, j]\n            for p in range(1, a.shape[1]):",
        "naive-nothing",
        says="k may be 0, and then every",
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
        says="b is not read along its rows",
    ),
    Planted("rows: c is not set to 0", "c[i, j] = 0", "pass", OF_ROWS, "rows", says="c was not empty before"),
    Planted(
        "rows: = for +=", ADDED, ADDED.replace("+=", "="), OF_ROWS, "rows", says="The last p alone has stayed"
    ),
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
        says="Each entry of b is needed",
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
        says="Numba compiles it there",
    ),
    Planted(
        "tile: = for +=", ADDED, ADDED.replace("+=", "="), OF_TILE, "tile", says="Each term has replaced what"
    ),
    Planted(
        "tile: reads outside at the bottom",
        "i1, p1 = min(i0 + size, a.shape[0])",
        "i1, p1 = i0 + size",
        "tile-edges tile-product",
        says="Tiles at the edges, cut off|The whole product is put",
    ),
    Planted(
        "tile: reads outside at the right",
        "j1 = min(j0 + size, b.shape[1])",
        "j1 = j0 + size",
        "tile-edges tile-product",
        says="Tiles at the edges, cut off|The whole product is put",
    ),
    Planted(
        "tile: the sum runs past the end",
        "min(p0 + size, a.shape[1])",
        "p0 + size",
        "tile-edges tile-product",
        says="Tiles at the edges, cut off|The whole product is put",
    ),
    Planted(
        "tile: the sum over everything",
        "for p in range(p0, p1):",
        "for p in range(a.shape[1]):",
        OF_TILE,
        says="The sum goes over all p",
    ),
    Planted("tile: off by one", "for j in range(j0, j1):", "for j in range(j0, j1 - 1):", OF_TILE),
    Planted(
        "tile: the rows begin at 0",
        "for i in range(i0, i1):",
        "for i in range(i1):",
        "tile-edges tile-product",
        says="A tile that lies in the middle|The whole product is put",
    ),
    Planted(
        "tile: the size for the end",
        "j1 = min(j0 + size, b.shape[1])",
        "j1 = min(size, b.shape[1])",
        OF_TILE,
        says="Nothing has changed in c",
    ),
    Planted(
        "dot: the rest is left out",
        "for i in range(x.size):\n        " + TERM,
        BY_FOURS,
        "dot-numbers dot-bits",
        says="The terms behind the last",
    ),
    Planted("dot: one sum", TERM, "t[0] += x[i] * y[i]", "dot-bits", says="Every length from 0 to 13"),
    Planted(
        "dot: added up one after another",
        RETURNED,
        "return t[0] + t[1] + t[2] + t[3]",
        "dot-bits",
        says="Every length from 0 to 13",
    ),
    Planted(
        "dot: blocks instead of every fourth",
        TERM,
        "t[min(3, 4 * i // x.size)] += x[i] * y[i]",
        "dot-bits",
        says="Every length from 0 to 13",
    ),
    Planted(
        "dot: float64 whatever comes",
        "np.zeros(4, x.dtype)",
        "np.zeros(4)",
        "dot-bits",
        says="Every length from 0 to 13",
    ),
    Planted(
        "dot: = for +=",
        TERM,
        TERM.replace("+=", "="),
        "dot-numbers dot-bits",
        says="Of each of the four sums",
    ),
    Planted(
        "update: ε inside the root",
        STEP,
        STEP.replace("np.sqrt(v[i] / c2) + eps", "np.sqrt(v[i] / c2 + eps)"),
        OF_UPDATE,
        says="ε stands inside the root",
    ),
    Planted(
        "update: no bias correction",
        STEP,
        STEP.replace(" / c1", "").replace(" / c2", ""),
        OF_UPDATE,
        says="The bias corrections c₁ and",
    ),
    Planted("update: no penalty", " + l2 * theta[i]", "", OF_UPDATE, says="d lacks the penalty, l2 ·"),
    Planted(
        "update: the penalty is clipped too",
        "clip * g[i] + l2 * theta[i]",
        "clip * (g[i] + l2 * theta[i])",
        OF_UPDATE,
        says="The penalty was clipped too",
    ),
    Planted(
        "update: theta before m and v",
        V,
        V + "\n        continue",
        OF_UPDATE + " update-one-pass",
        says="theta has stayed as it was|Every entry of theta, m and",
    ),
    Planted(
        "update: another order of the same operations",
        "rate * (m[i] / c1) / (np",
        "(rate / c1) * m[i] / (np",
        "update-bits update-numba",
        says="In the engine|Numba compiles it there;",
    ),
    Planted(
        "update: v from g instead of d",
        V,
        V.replace("d * d", "g[i] * g[i]"),
        OF_UPDATE,
        says="v was worked out from g instead",
    ),
    Planted("update: the sign", "theta[i] - rate", "theta[i] + rate", OF_UPDATE, says="Uphill: the sign"),
    Planted(
        "update: two passes",
        "for i in range(theta.size):",
        IN_TWO_PASSES,
        "update-one-pass",
        says="That is more than one pass",
    ),
    Planted(
        "update: the last entry is left out",
        "for i in range(theta.size):",
        "for i in range(theta.size - (theta.size > 1)):",
        "update-one-pass update-bits update-numba",
        says="Every entry of theta, m and",
    ),
    Planted(
        "update: g is changed",
        "d = clip * g[i] + l2 * theta[i]",
        "g[i] = clip * g[i] + l2 * theta[i]\n        d = g[i]",
        "update-one-pass update-numba",
        says="g is written into; it stays",
    ),
    Planted(
        "naive: b · a",
        TOTAL,
        "total += b[i % len(b), p % b.shape[1]] * a[p % len(a), j % a.shape[1]]",
        OF_NAIVE,
        says="That is b·a",
    ),
    Planted(
        "naive: the last term is left out",
        "for p in range(a.shape[1]):\n                total",
        "for p in range(a.shape[1] - 1):\n                total",
        OF_NAIVE,
        "naive",
        says="The last term of each sum",
    ),
    Planted(
        "naive: c is given another value",
        "c[i, j] = total",
        "c = total",
        OF_NAIVE + " naive-nothing",
        says="Nothing was written into",
    ),
    Planted(
        "naive: entry by entry",
        TOTAL,
        "total = a[i, j % a.shape[1]] * b[i % len(b), j]",
        OF_NAIVE,
        says="That is the product entry",
    ),
    Planted(
        "naive: on its side",
        "c[i, j] = total",
        "c[j % len(c), i % c.shape[1]] = total",
        OF_NAIVE + " naive-nothing",
        says="The result lies on its side",
    ),
    Planted(
        "rows: all of c is set to 0 for every row",
        "for j in range(b.shape[1]):\n            c[i, j] = 0",
        "c[:] = 0",
        OF_ROWS,
        "rows",
        says="The last row alone has stayed",
    ),
    Planted(
        "tile: set to 0 before",
        "for p in range(p0, p1):",
        "for j in range(j0, j1):\n            c[i, j] = 0\n        for p in range(p0, p1):",
        OF_TILE,
        says="The tile of c was replaced",
    ),
    Planted("tile: one row too few", "for i in range(i0, i1):", "for i in range(i0, i1 - 1):", OF_TILE),
    Planted(
        "tile: the tile of b at (i0, j0)",
        ADDED,
        "c[i, j] += a[i, p] * b[(p - p0 + i0) % len(b), j]",
        OF_TILE,
        "tile",
    ),
    Planted(
        "tile: everything once more",
        ADDED,
        "c[i, j] += 2 * a[i, p] * b[p, j]",
        OF_TILE,
        "tile",
        says="Everything was added twice",
    ),
    Planted(
        "dot: the last term is left out",
        "for i in range(x.size):\n        " + TERM,
        "for i in range(x.size - 1):\n        " + TERM,
        "dot-numbers dot-bits",
        says="The last term is missing",
    ),
    Planted(
        "dot: the first term is left out",
        "for i in range(x.size):\n        " + TERM,
        "for i in range(1, x.size):\n        " + TERM,
        "dot-numbers dot-bits",
        says="The first term is missing",
    ),
    Planted(
        "dot: four sums are returned",
        RETURNED,
        "return t",
        "dot-numbers dot-bits",
        says="These are the four sums;",
    ),
    Planted("dot: two parts", TERM, "t[i % 2] += x[i] * y[i]", "dot-bits", says="Every length from 0 to 13"),
    Planted(
        "update: v from m",
        V,
        V.replace("d * d", "m[i] * m[i]"),
        OF_UPDATE,
        says="v was worked out from m instead",
    ),
    Planted("update: no clipping", "d = clip * g[i]", "d = g[i]", OF_UPDATE, says="g was not clipped"),
    Planted(
        "update: the betas change places",
        "m[i] = beta1 * m[i] + rest1 * d",
        "m[i] = rest1 * m[i] + beta1 * d",
        OF_UPDATE,
        says="The two factors of m have",
    ),
    Planted(
        "update: no root",
        STEP,
        STEP.replace("np.sqrt(v[i] / c2)", "v[i] / c2"),
        OF_UPDATE,
        says="The root is missing",
    ),
    Planted(
        "update: v without bias correction", STEP, STEP.replace(" / c2", ""), OF_UPDATE, says="c₂ is missing"
    ),
    Planted("update: d without its square", V, V.replace("(d * d)", "d"), OF_UPDATE, says="d has no square"),
]
