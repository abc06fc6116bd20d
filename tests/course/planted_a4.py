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
    Planted(
        "dense: the bias is forgotten",
        "return y if b is None else y + b",
        "return y",
        FORWARD,
        says="The bias is missing",
    ),
    Planted(
        "dense: the bias goes to samples",
        "else y + b",
        "else (y.T + b).T if y.ndim == 2 and len(y) == len(b) else y + b",
        "dense-batch",
        says="The bias went to samples",
    ),
    Planted(
        "dense: a bias is always there",
        "return y if b is None else y + b",
        "return y + b",
        "dense-shapes",
        says="A single sample of shape",
    ),
    Planted(
        "dense: the weight is not transposed where it fits",
        "y = x @ w.T",
        "y = x @ (w if x.shape[-1] == len(w) else w.T)",
        "dense-engine",
        says="Your layer takes the place",
    ),
    Planted(
        "dense: float32 inside",
        "y = x @ w.T",
        "y = x.astype('float32') @ w.T.astype('float32')",
        "dense-shapes dense-engine",
        says="Nearly right: the first digits",
    ),
    Planted(
        "dense: a matrix of samples only",
        "y = x @ w.T",
        "y = np.einsum('si,oi->so', x, w)",
        "dense-shapes",
        says="A single sample of shape",
    ),
    Planted(
        "input: the weight transposed",
        "return g @ w",
        "return g @ (w.T if w.shape[0] == w.shape[1] else w)",
        "input-square",
        says="Where in and out are equal",
    ),
    Planted(
        "input: the samples transposed",
        "return g @ w",
        "return g.T @ w",
        "input-batch input-square input-engine",
        says="The indices do not meet",
    ),
    Planted(
        "input: the mean over the units",
        "return g @ w",
        "return g @ w / len(w)",
        "input-batch input-square input-engine",
        says="The mean over the units",
    ),
    Planted(
        "weight: transposed",
        f"{ROWS}.T @ x.reshape(-1, x.shape[-1])",
        f"x.reshape(-1, x.shape[-1]).T @ {ROWS}",
        "weight-batch weight-shapes weight-engine",
        says="Transposed: this is of shape",
    ),
    Planted(
        "weight: the mean over the samples",
        f"return {ROWS}.T @",
        f"return {ROWS}.T / max(1, g.size // g.shape[-1]) @",
        "weight-batch weight-shapes weight-engine",
        says="The mean over the samples",
    ),
    Planted(
        "weight: = for +=, the last sample stays",
        f"{ROWS}.T @ x.reshape(-1, x.shape[-1])",
        f"{ROWS}[-1:].T @ x.reshape(-1, x.shape[-1])[-1:]",
        "weight-batch weight-shapes weight-engine",
        says="The last sample alone",
    ),
    Planted(
        "weight: a matrix of samples only",
        f"{ROWS}.T @ x.reshape(-1, x.shape[-1])",
        "g.T @ x",
        "weight-shapes",
        says=r"One sample of shape \(in,\)",
    ),
    Planted(
        "weight: float32 sums",
        f"{ROWS}.T @",
        f"{ROWS}.T.astype('float32') @",
        "weight-shapes",
        says="Nearly right: the first digits",
    ),
    Planted(
        "bias: summed over the wrong axis",
        f"{ROWS}.sum(axis=0)",
        f"{ROWS}.sum(axis=1)",
        "bias-batch bias-shapes bias-engine",
        says="Summed over the units",
    ),
    Planted(
        "bias: the mean over the samples",
        f"{ROWS}.sum(axis=0)",
        f"{ROWS}.sum(axis=0) / max(1, g.size // g.shape[-1])",
        "bias-batch bias-shapes bias-engine",
        says="The mean over the samples",
    ),
    Planted(
        "bias: only the first axis is summed",
        f"{ROWS}.sum(axis=0)",
        "g.sum(axis=0)",
        "bias-shapes",
        says="All axes but the last are",
    ),
    Planted(
        "bias: the batch axis is kept",
        f"{ROWS}.sum(axis=0)",
        f"{ROWS}.sum(axis=0, keepdims=True)",
        "bias-batch bias-shapes",
        says="The right numbers in the",
    ),
    Planted(
        "network: no ReLU forwards",
        "hidden = np.maximum(x @ w1.T + b1, 0)",
        "hidden = x @ w1.T + b1",
        "network-forward",
        says="There is no ReLU in it",
    ),
    Planted(
        "network: no ReLU backwards",
        "(g @ w2) * (a > 0)",
        "g @ w2",
        IN_HERE,
        says="The ReLU is missing on the",
    ),
    Planted(
        "network: at 0 the ReLU lets through",
        "(a > 0)",
        "(a >= 0)",
        "network-dead",
        says="Units that no sample wakes",
    ),
    Planted(
        "network: the mask of h's gradient, not of a",
        "(a > 0)",
        "((g @ w2) > 0)",
        IN_HERE,
        says="At h's gradient is looked",
    ),
    Planted(
        "network: w2 sees a instead of h", "g.T @ h", "g.T @ a", IN_HERE, says="It was h, behind the ReLU"
    ),
    Planted(
        "network: the bias is summed up in a row of g",
        "return da.T @ x, da.sum(axis=0), g.T @ h, g.sum(axis=0)",
        COLLECTED_IN_G,
        "network-safe",
        says="Your function has written",
    ),
    Planted(
        "dense: the bias is subtracted", "else y + b", "else y - b", FORWARD, says="The bias was subtracted"
    ),
    Planted(
        "dense: the result on its side",
        "y = x @ w.T",
        "y = (x @ w.T).T if x.ndim == 2 and len(x) == len(w) else x @ w.T",
        "dense-batch",
    ),
    Planted(
        "input: the sign",
        "return g @ w",
        "return -g @ w",
        "input-batch input-square input-engine",
        says="The sign is turned",
    ),
    Planted(
        "weight: the first sample alone",
        f"{ROWS}.T @ x.reshape(-1, x.shape[-1])",
        f"{ROWS}[:1].T @ x.reshape(-1, x.shape[-1])[:1]",
        "weight-batch weight-shapes weight-engine",
        says="The first sample alone",
    ),
    Planted(
        "weight: the sign",
        f"return {ROWS}.T",
        f"return -{ROWS}.T",
        "weight-batch weight-shapes weight-engine",
        says="The sign is turned",
    ),
    Planted(
        "bias: the last sample alone",
        f"{ROWS}.sum(axis=0)",
        f"{ROWS}[-1]",
        "bias-batch bias-shapes bias-engine",
        says="The last sample alone",
    ),
    Planted(
        "bias: everything in one number",
        f"{ROWS}.sum(axis=0)",
        "g.sum()",
        "bias-batch bias-shapes bias-engine",
        says="Summed over everything",
    ),
    Planted(
        "bias: nothing is summed",
        f"return {ROWS}.sum(axis=0)",
        "return g * 1",
        "bias-batch bias-shapes",
        says="Nothing has been summed",
    ),
    Planted(
        "network: no second bias",
        "hidden @ w2.T + b2",
        "hidden @ w2.T",
        "network-forward",
        says="The second layer's bias is",
    ),
    Planted(
        "network: a 1/n too many",
        "return da.T @ x, da.sum(axis=0), g.T @ h, g.sum(axis=0)",
        "return tuple(d / len(x) for d in (da.T @ x, da.sum(axis=0), g.T @ h, g.sum(axis=0)))",
        "network-gradients network-safe",
        says="dL/dw2 has a 1/n too many",
    ),
    Planted(
        "network: a 1/n in the biases alone",
        "return da.T @ x, da.sum(axis=0), g.T @ h, g.sum(axis=0)",
        "return da.T @ x, da.mean(axis=0), g.T @ h, g.mean(axis=0)",
        "network-gradients network-safe",
        says="dL/db2 has a 1/n too many",
    ),
    Planted(
        "network: the ReLU is passed by, for the bias",
        "da.sum(axis=0), g.T",
        "(g @ w2).sum(axis=0), g.T",
        "network-gradients network-safe",
        says="The ReLU is missing on the",
    ),
    Planted(
        "network: the second weight's gradient on its side",
        "g.T @ h",
        "h.T @ g",
        "network-gradients network-safe",
        says="dL/dw2 lies on its side",
    ),
    Planted(
        "network: another order",
        "return da.T @ x, da.sum(axis=0), g.T @ h, g.sum(axis=0)",
        "return g.T @ h, g.sum(axis=0), da.T @ x, da.sum(axis=0)",
        "network-gradients network-safe",
        says="Something else is in the",
    ),
    Planted(
        "network: the sign",
        "return da.T @ x,",
        "return -da.T @ x,",
        "network-gradients network-safe",
        says="The sign of dL/dw1 is turned",
    ),
]
