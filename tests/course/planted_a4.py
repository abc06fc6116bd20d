"""Wrong solutions of assignment 4."""

from tests.course.planting import Planted

FORWARD = "dense-batch dense-shapes dense-engine"
ROWS = "g.reshape(-1, g.shape[-1])"
IN_HERE = "network-gradients network-dead network-safe"

COLLECTED_IN_G = """dw2, total = g.T @ h, g[0]
    for row in g[1:]:
        total += row
    return da.T @ x, da.sum(axis=0), dw2, total"""

PLANTED = [
    Planted("dense: the bias is forgotten", "return y if b is None else y + b", "return y", FORWARD),
    Planted(
        "dense: the bias goes to samples",
        "else y + b",
        "else (y.T + b).T if y.ndim == 2 and len(y) == len(b) else y + b",
        "dense-batch",
    ),
    Planted(
        "dense: a bias is always there", "return y if b is None else y + b", "return y + b", "dense-shapes"
    ),
    Planted(
        "dense: the weight is not transposed where it fits",
        "y = x @ w.T",
        "y = x @ (w if x.shape[-1] == len(w) else w.T)",
        "dense-engine",
    ),
    Planted(
        "dense: float32 inside",
        "y = x @ w.T",
        "y = x.astype('float32') @ w.T.astype('float32')",
        "dense-shapes dense-engine",
    ),
    Planted(
        "dense: a matrix of samples only", "y = x @ w.T", "y = np.einsum('si,oi->so', x, w)", "dense-shapes"
    ),
    Planted(
        "input: the weight transposed",
        "return g @ w",
        "return g @ (w.T if w.shape[0] == w.shape[1] else w)",
        "input-square",
    ),
    Planted(
        "input: the samples transposed",
        "return g @ w",
        "return g.T @ w",
        "input-batch input-square input-engine",
    ),
    Planted(
        "input: the mean over the units",
        "return g @ w",
        "return g @ w / len(w)",
        "input-batch input-square input-engine",
    ),
    Planted(
        "weight: transposed",
        f"{ROWS}.T @ x.reshape(-1, x.shape[-1])",
        f"x.reshape(-1, x.shape[-1]).T @ {ROWS}",
        "weight-batch weight-shapes weight-engine",
    ),
    Planted(
        "weight: the mean over the samples",
        f"return {ROWS}.T @",
        f"return {ROWS}.T / max(1, g.size // g.shape[-1]) @",
        "weight-batch weight-shapes weight-engine",
    ),
    Planted(
        "weight: = for +=, the last sample stays",
        f"{ROWS}.T @ x.reshape(-1, x.shape[-1])",
        f"{ROWS}[-1:].T @ x.reshape(-1, x.shape[-1])[-1:]",
        "weight-batch weight-shapes weight-engine",
    ),
    Planted(
        "weight: a matrix of samples only",
        f"{ROWS}.T @ x.reshape(-1, x.shape[-1])",
        "g.T @ x",
        "weight-shapes",
    ),
    Planted(
        "weight: float32 sums",
        f"{ROWS}.T @",
        f"{ROWS}.T.astype('float32') @",
        "weight-shapes",
    ),
    Planted(
        "bias: summed over the wrong axis",
        f"{ROWS}.sum(axis=0)",
        f"{ROWS}.sum(axis=1)",
        "bias-batch bias-shapes bias-engine",
    ),
    Planted(
        "bias: the mean over the samples",
        f"{ROWS}.sum(axis=0)",
        f"{ROWS}.sum(axis=0) / max(1, g.size // g.shape[-1])",
        "bias-batch bias-shapes bias-engine",
    ),
    Planted("bias: only the first axis is summed", f"{ROWS}.sum(axis=0)", "g.sum(axis=0)", "bias-shapes"),
    Planted(
        "bias: the batch axis is kept",
        f"{ROWS}.sum(axis=0)",
        f"{ROWS}.sum(axis=0, keepdims=True)",
        "bias-batch bias-shapes",
    ),
    Planted(
        "network: no ReLU forwards",
        "hidden = np.maximum(x @ w1.T + b1, 0)",
        "hidden = x @ w1.T + b1",
        "network-forward network-gradients",
    ),
    Planted("network: no ReLU backwards", "(g @ w2) * (a > 0)", "g @ w2", IN_HERE),
    Planted("network: at 0 the ReLU lets through", "(a > 0)", "(a >= 0)", "network-dead"),
    Planted("network: the mask of h's gradient, not of a", "(a > 0)", "((g @ w2) > 0)", IN_HERE),
    Planted("network: w2 sees a instead of h", "g.T @ h", "g.T @ a", IN_HERE),
    Planted(
        "network: the bias is summed up in a row of g",
        "return da.T @ x, da.sum(axis=0), g.T @ h, g.sum(axis=0)",
        COLLECTED_IN_G,
        "network-safe",
    ),
]
