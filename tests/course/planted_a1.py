"""Wrong solutions of assignment 1."""

from tests.course.planting import Planted

PLANTED = [
    Planted(
        "multiply: the factors are swapped",
        "return g * b",
        "return g * b * 0 + g * g",
        "multiply-numbers multiply-engine",
        "multiply",
    ),
    Planted(
        "multiply: g is forgotten",
        "return g * a",
        "return 1 * a",
        "multiply-numbers multiply-engine",
        "multiply",
    ),
    Planted("divide: no minus sign", "return -g * y / b", "return g * y / b", "divide-numbers divide-engine"),
    Planted(
        "divide: divided by b squared, though y holds one b already",
        "return -g * y / b",
        "return -g * y / b**2",
        "divide-numbers divide-engine",
    ),
    Planted(
        "divide: the size of the divisor without its sign",
        "return g / b",
        "return g / abs(b)",
        "divide-engine",
    ),
    Planted("exp: e^y instead of y", "return g * y", "return g * np.exp(y)", "exp-numbers exp-safe", "exp"),
    Planted("exp: the result is overwritten", "return g * y", "y *= g\n    return y", "exp-safe", "exp"),
    Planted(
        "log: the function instead of its slope",
        "return g / a",
        "return g * np.log(a)",
        "log-numbers log-small",
    ),
    Planted("log: a small number in the denominator", "return g / a", "return g / (a + 1e-12)", "log-small"),
    Planted("tanh: the square is missing", "(1 - y * y)", "(1 - y)", "tanh-numbers tanh-network"),
    Planted(
        "tanh: tanh taken of the result", "(1 - y * y)", "(1 - np.tanh(y) ** 2)", "tanh-numbers tanh-network"
    ),
    Planted(
        "tanh: g is forgotten", "return g * (1 - y * y)", "return 1 - y * y", "tanh-numbers tanh-network"
    ),
    Planted(
        "sigmoid: the slope of tanh",
        "return g * y * (1 - y)",
        "return g * (1 - y * y)",
        "sigmoid-numbers sigmoid-ends",
    ),
    Planted(
        "sigmoid: a unstable at the ends",
        "return g * y * (1 - y)",
        "a = np.log(y / (1 - y))\n    return g * np.exp(-a) / (1 + np.exp(-a)) ** 2",
        "sigmoid-ends",
    ),
    Planted("relu: everything passes at the kink", "g * (a > 0)", "g * (a >= 0)", "relu-kink"),
    Planted("relu: the sign of g decides", "g * (a > 0)", "np.maximum(g, 0)", "relu-numbers relu-kink"),
    Planted(
        "maximum: all of g to both where they are equal",
        "(a > b) + 0.5 * (a == b)",
        "(a >= b)",
        "maximum-ties",
    ),
    Planted("maximum: nothing where they are equal", "(b > a) + 0.5 * (a == b)", "(b > a)", "maximum-ties"),
    Planted(
        "maximum: the minimum's",
        "(a > b) + 0.5 * (a == b)",
        "(a < b) + 0.5 * (a == b)",
        "maximum-numbers maximum-ties",
    ),
    Planted(
        "sum: the mean's gradient",
        "np.broadcast_to(g, a_shape)",
        "np.broadcast_to(g, a_shape) / max(1, np.prod(a_shape))",
        "sum-numbers sum-engine",
    ),
    Planted(
        "sum: g is forgotten", "np.broadcast_to(g, a_shape)", "np.ones(a_shape)", "sum-numbers sum-engine"
    ),
    Planted(
        "sum: matrices only",
        "np.broadcast_to(g, a_shape)",
        "np.full((a_shape[0], a_shape[1]), g)",
        "sum-engine",
    ),
    Planted("matmul: no transpose", "return g @ b.T", "return g @ b", "matmul-numbers matmul-square"),
    Planted(
        "matmul: no transpose where shapes forgive it",
        "return g @ b.T",
        "return g @ (b if b.shape[0] == b.shape[1] else b.T)",
        "matmul-square",
    ),
    Planted(
        "matmul: factors in the wrong order",
        "return a.T @ g",
        "return g.T @ a",
        "matmul-numbers matmul-square",
    ),
]
