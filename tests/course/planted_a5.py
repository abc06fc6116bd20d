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
OF_BINARY = "binary-numbers binary-extreme binary-safe"

PLANTED = [
    Planted(
        "softmax: unstable",
        STABLE,
        "powers = np.exp(z)",
        "softmax-large softmax-far-apart",
        says="A NaN in the first row",
    ),
    Planted(
        "softmax: the largest of the batch",
        STABLE,
        "powers = np.exp(z - z.max())",
        "softmax-large softmax-far-apart softmax-shapes",
        says="A NaN in the second row alone",
    ),
    Planted(
        "softmax: the wrong axis",
        SUMMED,
        "powers.sum(axis=0, keepdims=True)",
        "softmax-numbers softmax-large softmax-far-apart softmax-shapes",
        says="Divided by the sums of the",
    ),
    Planted(
        "softmax: the sum of everything",
        SUMMED,
        "powers.sum()",
        "softmax-numbers softmax-large softmax-far-apart softmax-shapes",
        says="Divided by the sum over all",
    ),
    Planted(
        "softmax: two axes only",
        STABLE,
        STABLE.replace("-1", "1"),
        "softmax-shapes",
        says=r"A single row of shape \(classes,\)",
    ),
    Planted(
        "softmax: z is changed",
        STABLE,
        "z -= z.max(axis=-1, keepdims=True)\n    powers = np.exp(z)",
        "softmax-shapes",
        says="Your function has written",
    ),
    Planted(
        "softmax: clipped instead of shifted",
        STABLE,
        "powers = np.exp(np.clip(z, -700, 700))",
        "softmax-far-apart",
        says=r"Rows at \+5000, at -5000 and",
    ),
    Planted(
        "softmax: float32 inside",
        STABLE,
        STABLE.replace("np.exp(z", "np.exp(z.astype('float32')"),
        "softmax-far-apart softmax-shapes",
        says=r"Rows at \+5000, at -5000 and|Nearly right: the first digits",
    ),
    Planted("loss: unstable", SHIFTED, "shifted = z", "loss-extreme", says="Logits of ±1e4, where the"),
    Planted(
        "loss: the logarithm of a probability",
        LOSS,
        BY_P.format(""),
        "loss-extreme",
        says="Logits of ±1e4, where the",
    ),
    Planted(
        "loss: an epsilon inside the logarithm",
        LOSS,
        BY_P.format(" + 1e-9"),
        "loss-extreme loss-sure loss-safe",
        says="Logits of ±1e4, where the|Nearly right: the first digits",
    ),
    Planted(
        "loss: missing 1/n",
        "np.mean(np.log(",
        "np.sum(np.log(",
        "loss-numbers loss-extreme loss-safe",
        says="This is the sum over the",
    ),
    Planted(
        "loss: 1 / (n · classes)", LOSS, LOSS + " / z.shape[1]", OF_LOSS, says="Divided by the number of"
    ),
    Planted(
        "loss: the sign", LOSS, LOSS.replace("return ", "return -"), OF_LOSS, says="The sign: surprise is not"
    ),
    Planted(
        "loss: labels from 1",
        "labels]\n    return np.mean",
        "labels - 1]\n    return np.mean",
        OF_LOSS,
        says="This is the loss of the other",
    ),
    Planted(
        "loss: the wrong axis where it fits",
        "np.exp(shifted).sum(axis=1)",
        "np.exp(shifted).sum(axis=0 if len(z) == z.shape[1] else 1)",
        "loss-safe",
        says="As many samples as classes",
    ),
    Planted(
        "loss: z is changed",
        SHIFTED,
        "z -= z.max(axis=1, keepdims=True)\n    shifted = z",
        "loss-safe",
        says="Your function has written",
    ),
    Planted(
        "loss: softmax twice",
        SHIFTED,
        "shifted = np.exp(z - z.max(axis=1, keepdims=True))\n    shifted = shifted / shifted.sum(axis=1, keepdims=True)",
        OF_LOSS,
        says="softmax has been taken of",
    ),
    Planted("gradient: softmax alone", AT_LABEL, "pass", OF_G, says="This is softmax alone"),
    Planted(
        "gradient: = for -=",
        AT_LABEL,
        AT_LABEL.replace("-= 1", "= -1"),
        OF_G,
        says="At the label stands -1; p",
    ),
    Planted(
        "gradient: a 1/n too many",
        "return g[:, None] * difference",
        "return g[:, None] * difference / len(g)",
        OF_G,
        says="A 1/n too many",
    ),
    Planted(
        "gradient: g is forgotten",
        "return g[:, None] * difference",
        "return difference",
        OF_G,
        says="g is missing",
    ),
    Planted(
        "gradient: g goes along the classes",
        "g[:, None] * difference",
        "(g if len(g) == difference.shape[1] else g[:, None]) * difference",
        "gradient-extreme gradient-rows",
        says="As many samples as classes",
    ),
    Planted(
        "gradient: unstable",
        "np.exp(logits - logits.max(axis=1, keepdims=True))",
        "np.exp(logits)",
        "gradient-extreme",
        says="Logits of ±1e4",
    ),
    Planted(
        "gradient: the sign", "return g[:, None] *", "return -g[:, None] *", OF_G, says="The sign is turned"
    ),
    Planted(
        "gradient: all samples with a label's class at once", AT_LABEL, "difference[:, labels] -= 1", OF_G
    ),
    Planted(
        "binary: as it stands in the book",
        BINARY,
        "p = 1 / (1 + np.exp(-z))\n    return -y * np.log(p) - (1 - y) * np.log(1 - p)",
        "binary-extreme",
        says="z of ±1e4",
    ),
    Planted(
        "binary: clipped",
        BINARY,
        "p = np.clip(1 / (1 + np.exp(-z)), 1e-12, 1 - 1e-12)\n    return -y * np.log(p) - (1 - y) * np.log(1 - p)",
        "binary-extreme",
        says="z of ±1e4",
    ),
    Planted(
        "binary: safe on one side",
        BINARY,
        "return np.log1p(np.exp(-z)) + z * (1 - y)",
        "binary-extreme",
        says="z of ±1e4",
    ),
    Planted(
        "binary: nothing for y = 0",
        BINARY,
        "return y * (np.maximum(z, 0) - z + np.log1p(np.exp(-np.abs(z))))",
        OF_BINARY,
        says="Half of it",
    ),
    Planted(
        "binary gradient: an overflowing sigmoid of z < 0",
        SIGMOID,
        "sigmoid = np.exp(z) / (1 + np.exp(z))",
        "binary-gradient-extreme",
        says="The gradient at z of ±1e4",
    ),
    Planted(
        "binary gradient: the sign",
        "g * (sigmoid - y)",
        "g * (y - sigmoid)",
        "binary-gradient binary-gradient-extreme binary-safe",
        says="The sign is turned",
    ),
    Planted(
        "binary gradient: the slope of the sigmoid too many",
        "g * (sigmoid - y)",
        "g * (sigmoid - y) * sigmoid * (1 - sigmoid)",
        "binary-gradient binary-gradient-extreme binary-safe",
        says="The slope of the sigmoid",
    ),
    Planted(
        "softmax: no powers",
        STABLE,
        "powers = z",
        "softmax-numbers softmax-large softmax-far-apart softmax-shapes",
        says="These are z over the sum",
    ),
    Planted(
        "softmax: the powers of -z",
        STABLE,
        "powers = np.exp(z.min(axis=-1, keepdims=True) - z)",
        "softmax-numbers softmax-large softmax-far-apart softmax-shapes",
        says=r"e\^-z instead of e\^z",
    ),
    Planted(
        "softmax: not divided",
        "return powers / powers.sum(axis=-1, keepdims=True)",
        "return powers",
        "softmax-numbers softmax-large softmax-far-apart softmax-shapes",
        says="The powers of the shifted",
    ),
    Planted(
        "softmax: the logarithm",
        "return powers / powers.sum(axis=-1, keepdims=True)",
        "return np.log(powers / powers.sum(axis=-1, keepdims=True))",
        "softmax-numbers softmax-large softmax-far-apart softmax-shapes",
        says="This is the logarithm of",
    ),
    Planted("loss: in bits", LOSS, LOSS + " / np.log(2)", OF_LOSS, says="This is in bits; ln is the"),
    Planted(
        "loss: the probability",
        LOSS,
        "return np.mean(np.exp(chosen) / np.exp(shifted).sum(axis=1))",
        OF_LOSS,
        says="This is the probability of",
    ),
    Planted(
        "loss: the surprise of the mean",
        LOSS,
        "return -np.log(np.mean(np.exp(chosen) / np.exp(shifted).sum(axis=1)))",
        "loss-numbers loss-extreme loss-safe",
        says="This is the surprise of the",
    ),
    Planted(
        "loss: of each sample",
        LOSS,
        "return np.log(np.exp(shifted).sum(axis=1)) - chosen",
        OF_LOSS,
        says="These are the losses of the",
    ),
    Planted(
        "gradient: plus 1 at the label",
        AT_LABEL,
        AT_LABEL.replace("-=", "+="),
        OF_G,
        says="1 is added at the label",
    ),
    Planted(
        "gradient: 1 less everywhere", AT_LABEL, "difference -= 1", OF_G, says="One is subtracted in every"
    ),
    Planted(
        "gradient: of the label alone",
        "return g[:, None] * difference",
        "return g[:, None] * difference * np.eye(logits.shape[1])[labels]",
        OF_G,
        says="Only the label's entry is",
    ),
    Planted(
        "gradient: logits are changed",
        "powers = np.exp(logits - logits.max(axis=1, keepdims=True))",
        "logits -= logits.max(axis=1, keepdims=True)\n    powers = np.exp(logits)",
        "gradient-rows",
        says="Your function has written",
    ),
    Planted(
        "binary: the mean",
        BINARY,
        BINARY.replace("return ", "return np.mean(") + ")",
        OF_BINARY,
        says="This is the mean; the loss",
    ),
    Planted(
        "binary: yes is no",
        BINARY,
        BINARY.replace("z * y", "z * (1 - y)"),
        OF_BINARY,
        says="The targets are turned round",
    ),
    Planted(
        "binary: the sign",
        BINARY,
        BINARY.replace("return ", "return -(") + ")",
        OF_BINARY,
        says="The sign: surprise is not",
    ),
    Planted(
        "binary: nothing for y = 1",
        BINARY,
        "return (1 - y) * (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))",
        OF_BINARY,
        says="Half of it",
    ),
    Planted(
        "binary gradient: no target",
        "g * (sigmoid - y)",
        "g * sigmoid",
        "binary-gradient binary-gradient-extreme binary-safe",
        says=r"This is σ\(z\) alone",
    ),
    Planted(
        "binary gradient: g is forgotten",
        "g * (sigmoid - y)",
        "sigmoid - y",
        "binary-gradient binary-gradient-extreme binary-safe",
        says="g is missing",
    ),
    Planted(
        "binary gradient: a 1/n too many",
        "g * (sigmoid - y)",
        "g * (sigmoid - y) / len(g)",
        "binary-gradient binary-gradient-extreme binary-safe",
        says="A 1/n too many",
    ),
]
