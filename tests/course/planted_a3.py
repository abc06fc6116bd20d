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
    Planted(
        "axes: aligned at the left",
        "[missing + k for",
        "[k for",
        "axes-walk",
        "axes",
        says="Try four axes, a single number",
    ),
    Planted(
        "axes: a 1 over a 1 counts as stretched",
        "if n == 1 and result_shape[missing + k] != 1]",
        "if n == 1]",
        "axes-table axes-ones",
        says=r"\(1, 3\) over \(1, 3\)",
    ),
    Planted(
        "axes: no missing axes",
        "(*range(missing), *repeated)",
        "tuple(repeated)",
        "axes-table axes-walk axes-ones",
        says=r"\(3,\) over \(2, 3\)",
    ),
    Planted(
        "axes: no axes of length 1",
        "(*range(missing), *repeated)",
        "tuple(range(missing))",
        "axes-table axes-walk axes-ones",
        says=r"\(2, 1\) over \(2, 3\)",
    ),
    Planted(
        "undo: no sum over broadcast axes",
        KEPT,
        "return g",
        "undo-column undo-square undo-corners undo-adjoint undo-engine",
        says="The shape is that of the",
    ),
    Planted(
        "undo: no keepdims",
        ", keepdims=True)\n",
        ")\n",
        "undo-column undo-square undo-corners undo-adjoint undo-engine",
        "undo",
        says="The right numbers in the",
    ),
    Planted(
        "undo: the mean of the copies",
        LEADING,
        LEADING.replace("sum", "mean"),
        f"undo-row {UNDONE}",
        says="This is the mean over the",
    ),
    Planted(
        "undo: the first copy speaks for all",
        LEADING,
        "for _ in range(g.ndim - len(shape)):\n        g = g[0]",
        f"undo-row {UNDONE}",
        says="This is one row alone",
    ),
    Planted(
        "undo: the missing axes are sought by their length",
        LEADING,
        BY_LENGTH,
        "undo-square undo-adjoint",
        says="Where all axes have the same|For every pair of shapes",
    ),
    Planted(
        "undo: float32 inside",
        LEADING,
        LEADING.replace("g.sum(", "g.astype('float32').sum("),
        "undo-adjoint undo-engine",
        says="Nearly right: the first digits",
    ),
    Planted(
        "undo: the sum is left in g",
        LEADING,
        IN_PLACE,
        "undo-safe undo-corners",
        says="A single number of shape|Your function has written",
    ),
    Planted(
        "sum: the summed axis is not put back",
        "g = np.expand_dims(g, axis)\n    return np.broadcast_to(g, a_shape).copy()",
        "pass\n    return np.broadcast_to(g, a_shape).copy()",
        "sum-rows sum-every",
        "sum",
        says="g was stretched as a row",
    ),
    Planted(
        "sum: put back though keepdims kept it",
        "if axis is not None and not keepdims:",
        "if axis is not None:",
        "sum-every sum-memory",
        "sum",
        says="No axis, one, several, negative",
    ),
    Planted(
        "sum: a view of one row, many times over",
        ".copy()",
        "",
        "sum-memory",
        "sum",
        says=r"np\.broadcast_to gives a view",
    ),
    Planted(
        "sum: always put back as the last axis",
        "np.expand_dims(g, axis)",
        "np.expand_dims(g, -1)",
        "sum-every",
        "sum",
        says="No axis, one, several, negative",
    ),
    Planted(
        "sum: no axis is not thought of",
        "if axis is not None and not keepdims:",
        "if not keepdims:",
        "sum-every",
        "sum",
        says="No axis, one, several, negative",
    ),
    Planted(
        "mean: missing 1/n",
        " / n",
        " / 1",
        "mean-rows mean-every mean-engine",
        "mean",
        says="This is the gradient of the",
    ),
    Planted(
        "mean: n counts all entries",
        "a_shape[k] for k in axes",
        "k for k in a_shape",
        "mean-rows mean-every mean-engine",
        "mean",
        says="Divided by the number of",
    ),
    Planted(
        "mean: n is the number of means",
        "np.broadcast_to(g, a_shape) / n",
        "np.broadcast_to(g, a_shape) / g.size",
        "mean-rows mean-every mean-engine",
        "mean",
        says="Divided by the number of",
    ),
    Planted(
        "axes: counted from the right",
        "return (*range(missing), *repeated)",
        "return tuple(sorted(len(result_shape) - 1 - k for k in (*range(missing), *repeated)))",
        "axes-table axes-walk axes-ones",
        says=r"\(3,\) over \(2, 3\)",
    ),
    Planted(
        "axes: all of them",
        "return (*range(missing), *repeated)",
        "return tuple(range(len(result_shape)))",
        "axes-table axes-walk axes-ones",
        says=r"\(3,\) over \(2, 3\)",
    ),
    Planted(
        "undo: the largest instead of the sum",
        KEPT,
        "return g.max(axis=ones, keepdims=True, initial=-np.inf)",
        "undo-column undo-square undo-corners undo-adjoint undo-engine",
    ),
    Planted(
        "undo: all in one number",
        LEADING,
        "return np.full(shape, g.sum())",
        "undo-row undo-column undo-square undo-corners undo-adjoint undo-engine",
    ),
    Planted(
        "undo: cut off",
        LEADING,
        "return np.resize(g, shape)",
        "undo-row undo-column undo-square undo-corners undo-adjoint undo-engine",
        says="This is one row alone",
    ),
    Planted(
        "undo: the mean along the 1s",
        KEPT,
        "return g.mean(axis=ones, keepdims=True) if ones else g",
        "undo-column undo-square undo-corners undo-adjoint undo-engine",
        says="This is the mean over the",
    ),
    Planted(
        "sum: g is forgotten",
        "np.broadcast_to(g, a_shape).copy()",
        "np.ones(a_shape)",
        "sum-rows sum-every sum-memory",
        "sum",
        says="The gradient is one for every",
    ),
    Planted(
        "sum: the gradient of the mean",
        "np.broadcast_to(g, a_shape).copy()",
        "np.broadcast_to(g, a_shape) / (np.prod(a_shape) / np.size(g))",
        "sum-rows sum-every sum-memory",
        "sum",
        says="This is the gradient of a",
    ),
    Planted(
        "sum: g as it came",
        "np.broadcast_to(g, a_shape).copy()",
        "g",
        "sum-rows sum-every sum-memory",
        "sum",
        says=r"The shape is \(2, 1\); \(2",
    ),
    Planted(
        "mean: times n",
        " / n",
        " * n",
        "mean-rows mean-every mean-engine",
        "mean",
        says="Multiplied by n, where y",
    ),
    Planted(
        "mean: n of the first axis alone",
        "for k in axes])",
        "for k in list(axes)[:1]])",
        "mean-every mean-engine",
        "mean",
        says="No axis, several axes, negative|In the engine",
    ),
]
