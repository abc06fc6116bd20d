"""Wrong solutions of assignment 5."""

from tests.course.planting import Planted

STABLE = "powers = np.exp(z - z.max(axis=-1, keepdims=True))"
SUMMED = "powers.sum(axis=-1, keepdims=True)"
SHIFTED = "shifted = z - z.max(axis=1, keepdims=True)"
LOSS = "return np.mean(np.log(np.exp(shifted).sum(axis=1)) - chosen)"
BY_P = """p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(len(z)), labels]{}))"""
BINARY = "return np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))"
SIGMOID = "sigmoid = np.where(z >= 0, 1, power) / (1 + power)"
AT_LABEL = "difference[np.arange(len(labels)), labels] -= 1"
OF_G = "gradient-numbers gradient-extreme gradient-rows gradient-engine"
OF_LOSS = "loss-numbers loss-extreme loss-sure loss-safe"
OF_BINARY = "binary-numbers binary-gradient binary-extreme binary-safe"

PLANTED = [
    Planted("softmax: unstable", STABLE, "powers = np.exp(z)", "softmax-large softmax-far-apart"),
    Planted(
        "softmax: the largest of the batch",
        STABLE,
        "powers = np.exp(z - z.max())",
        "softmax-large softmax-far-apart softmax-shapes",
    ),
    Planted(
        "softmax: the wrong axis",
        SUMMED,
        "powers.sum(axis=0, keepdims=True)",
        "softmax-numbers softmax-large softmax-far-apart softmax-shapes",
    ),
    Planted(
        "softmax: the sum of everything",
        SUMMED,
        "powers.sum()",
        "softmax-numbers softmax-large softmax-far-apart softmax-shapes",
    ),
    Planted("softmax: two axes only", STABLE, STABLE.replace("-1", "1"), "softmax-shapes"),
    Planted(
        "softmax: z is changed",
        STABLE,
        "z -= z.max(axis=-1, keepdims=True)\n    powers = np.exp(z)",
        "softmax-shapes",
    ),
    Planted(
        "softmax: clipped instead of shifted",
        STABLE,
        "powers = np.exp(np.clip(z, -700, 700))",
        "softmax-far-apart",
    ),
    Planted(
        "softmax: float32 inside",
        STABLE,
        STABLE.replace("np.exp(z", "np.exp(z.astype('float32')"),
        "softmax-far-apart softmax-shapes",
    ),
    Planted("loss: unstable", SHIFTED, "shifted = z", "loss-extreme"),
    Planted("loss: the logarithm of a probability", LOSS, BY_P.format(""), "loss-extreme"),
    Planted(
        "loss: an epsilon inside the logarithm",
        LOSS,
        BY_P.format(" + 1e-9"),
        "loss-extreme loss-sure loss-safe",
    ),
    Planted("loss: missing 1/n", "np.mean(np.log(", "np.sum(np.log(", "loss-numbers loss-extreme loss-safe"),
    Planted("loss: 1 / (n · classes)", LOSS, LOSS + " / z.shape[1]", OF_LOSS),
    Planted("loss: the sign", LOSS, LOSS.replace("return ", "return -"), OF_LOSS),
    Planted("loss: labels from 1", "labels]\n    return np.mean", "labels - 1]\n    return np.mean", OF_LOSS),
    Planted(
        "loss: the wrong axis where it fits",
        "np.exp(shifted).sum(axis=1)",
        "np.exp(shifted).sum(axis=0 if len(z) == z.shape[1] else 1)",
        "loss-safe",
    ),
    Planted("loss: z is changed", SHIFTED, "z -= z.max(axis=1, keepdims=True)\n    shifted = z", "loss-safe"),
    Planted(
        "loss: softmax twice",
        SHIFTED,
        "shifted = np.exp(z - z.max(axis=1, keepdims=True))\n    shifted = shifted / shifted.sum(axis=1, keepdims=True)",
        OF_LOSS,
    ),
    Planted("gradient: softmax alone", AT_LABEL, "pass", OF_G),
    Planted("gradient: = for -=", AT_LABEL, AT_LABEL.replace("-= 1", "= -1"), OF_G),
    Planted(
        "gradient: a 1/n too many",
        "return g[:, None] * difference",
        "return g[:, None] * difference / len(g)",
        OF_G,
    ),
    Planted("gradient: g is forgotten", "return g[:, None] * difference", "return difference", OF_G),
    Planted(
        "gradient: g goes along the classes",
        "g[:, None] * difference",
        "(g if len(g) == difference.shape[1] else g[:, None]) * difference",
        "gradient-extreme gradient-rows",
    ),
    Planted(
        "gradient: unstable",
        "np.exp(logits - logits.max(axis=1, keepdims=True))",
        "np.exp(logits)",
        "gradient-extreme",
    ),
    Planted("gradient: the sign", "return g[:, None] *", "return -g[:, None] *", OF_G),
    Planted(
        "gradient: all samples with a label's class at once", AT_LABEL, "difference[:, labels] -= 1", OF_G
    ),
    Planted(
        "binary: as it stands in the book",
        BINARY,
        "p = 1 / (1 + np.exp(-z))\n    return -y * np.log(p) - (1 - y) * np.log(1 - p)",
        "binary-extreme",
    ),
    Planted(
        "binary: clipped",
        BINARY,
        "p = np.clip(1 / (1 + np.exp(-z)), 1e-12, 1 - 1e-12)\n    return -y * np.log(p) - (1 - y) * np.log(1 - p)",
        "binary-extreme",
    ),
    Planted(
        "binary: safe on one side", BINARY, "return np.log1p(np.exp(-z)) + z * (1 - y)", "binary-extreme"
    ),
    Planted(
        "binary: nothing for y = 0",
        BINARY,
        "return y * (np.maximum(z, 0) - z + np.log1p(np.exp(-np.abs(z))))",
        OF_BINARY,
    ),
    Planted(
        "binary gradient: an overflowing sigmoid of z < 0",
        SIGMOID,
        "sigmoid = np.exp(z) / (1 + np.exp(z))",
        "binary-gradient-extreme",
    ),
    Planted(
        "binary gradient: the sign",
        "g * (sigmoid - y)",
        "g * (y - sigmoid)",
        "binary-gradient binary-gradient-extreme binary-safe",
    ),
    Planted(
        "binary gradient: the slope of the sigmoid too many",
        "g * (sigmoid - y)",
        "g * (sigmoid - y) * sigmoid * (1 - sigmoid)",
        "binary-gradient binary-gradient-extreme binary-safe",
    ),
]
