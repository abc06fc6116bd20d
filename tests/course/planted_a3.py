"""Wrong solutions of assignment 3."""

from tests.course.planting import Planted

KEPT = "return g.sum(axis=ones, keepdims=True)"
LEADING = "g = g.sum(axis=tuple(range(g.ndim - len(shape))))"
UNDONE = "undo-square undo-corners undo-adjoint undo-engine"

BY_LENGTH = """for k in reversed(range(g.ndim)):
        if g.ndim > len(shape) and g.shape[k] not in shape:
            g = g.sum(axis=k)
    while g.ndim > len(shape):
        g = g.sum(axis=-1)"""

IN_PLACE = """for _ in range(g.ndim - len(shape)):
        g[0] = g.sum(axis=0)
        g = g[0]"""

PLANTED = [
    Planted("axes: aligned at the left", "[missing + k for", "[k for", "axes-walk", "axes"),
    Planted(
        "axes: a 1 over a 1 counts as stretched",
        "if n == 1 and result_shape[missing + k] != 1]",
        "if n == 1]",
        "axes-table axes-ones",
    ),
    Planted(
        "axes: no missing axes",
        "(*range(missing), *repeated)",
        "tuple(repeated)",
        "axes-table axes-walk axes-ones",
    ),
    Planted(
        "axes: no axes of length 1",
        "(*range(missing), *repeated)",
        "tuple(range(missing))",
        "axes-table axes-walk axes-ones",
    ),
    Planted(
        "undo: no sum over broadcast axes",
        KEPT,
        "return g",
        "undo-column undo-square undo-corners undo-adjoint",
    ),
    Planted(
        "undo: no keepdims",
        ", keepdims=True)\n",
        ")\n",
        "undo-column undo-square undo-corners undo-adjoint undo-engine",
        "undo",
    ),
    Planted("undo: the mean of the copies", LEADING, LEADING.replace("sum", "mean"), f"undo-row {UNDONE}"),
    Planted(
        "undo: the first copy speaks for all",
        LEADING,
        "for _ in range(g.ndim - len(shape)):\n        g = g[0]",
        f"undo-row {UNDONE}",
    ),
    Planted(
        "undo: the missing axes are sought by their length", LEADING, BY_LENGTH, "undo-square undo-adjoint"
    ),
    Planted(
        "undo: everything in float64", LEADING, LEADING.replace("g.sum(", "g.sum(dtype=float, "), "undo-types"
    ),
    Planted(
        "undo: float32 inside",
        LEADING,
        LEADING.replace("g.sum(", "g.astype('float32').sum("),
        "undo-adjoint undo-types",
    ),
    Planted("undo: the sum is left in g", LEADING, IN_PLACE, "undo-types undo-corners"),
    Planted(
        "sum: the summed axis is not put back",
        "g = np.expand_dims(g, axis)\n    return np.broadcast_to(g, a_shape).copy()",
        "pass\n    return np.broadcast_to(g, a_shape).copy()",
        "sum-rows sum-every",
        "sum",
    ),
    Planted(
        "sum: put back though keepdims kept it",
        "if axis is not None and not keepdims:",
        "if axis is not None:",
        "sum-every sum-memory",
        "sum",
    ),
    Planted("sum: a view of one row, many times over", ".copy()", "", "sum-memory", "sum"),
    Planted(
        "sum: always put back as the last axis",
        "np.expand_dims(g, axis)",
        "np.expand_dims(g, -1)",
        "sum-every",
        "sum",
    ),
    Planted(
        "sum: no axis is not thought of",
        "if axis is not None and not keepdims:",
        "if not keepdims:",
        "sum-every",
        "sum",
    ),
    Planted("mean: missing 1/n", " / n", " / 1", "mean-rows mean-every mean-engine", "mean"),
    Planted(
        "mean: n counts all entries",
        "a_shape[k] for k in axes",
        "k for k in a_shape",
        "mean-rows mean-every mean-engine",
        "mean",
    ),
    Planted(
        "mean: n is the number of means",
        "np.broadcast_to(g, a_shape) / n",
        "np.broadcast_to(g, a_shape) / g.size",
        "mean-rows mean-every mean-engine",
        "mean",
    ),
]
