"""Wrong solutions of assignment 6."""

from tests.course.planting import Planted

GRADIENT = "gradient = x.T @ (x @ theta - y) / len(x)"
COPY = "theta = theta.copy()"
ADAM = "return theta - alpha * m_hat / (np.sqrt(v_hat) + eps), m, v"
LAST = "return theta - eta_t * m / (np.sqrt(v) + eps_hat), m, v"
M, V = "m = beta1 * m + (1 - beta1) * g", "v = beta2 * v + (1 - beta2) * g**2"
OF_ADAM, OF_PRINTED = "adam-first-step adam-path adam-tiny", "printed-first-step printed-path"
OF_MENDED = "mended-first-step mended-is-adam"

PLANTED = [
    Planted("gd: missing 1/n", GRADIENT, GRADIENT.replace(" / len(x)", ""), "gd-step gd-arrives"),
    Planted("gd: uphill", "theta - eta * gradient", "theta + eta * gradient", "gd-step gd-arrives"),
    Planted("gd: the 2 of the square", GRADIENT, "gradient = 2 * x.T @ (x @ theta - y) / len(x)", "gd-step"),
    Planted("gd: the mean over the parameters", "/ len(x)", "/ len(theta)", "gd-step gd-arrives"),
    Planted(
        "gd: theta is changed",
        "return theta - eta * gradient",
        "theta -= eta * gradient\n    return theta",
        "gd-safe",
    ),
    Planted(
        "gd: the residual is left in y",
        GRADIENT,
        "y -= x @ theta\n    gradient = -x.T @ y / len(x)",
        "gd-safe gd-arrives",
    ),
    Planted(
        "sgd: all gradients at the first theta",
        COPY,
        "first = theta.copy()\n    return first - eta * sum(((x[i] @ first - y[i]) * x[i] for i in order), 0 * first)",
        "sgd-two-steps sgd-orders",
    ),
    Planted(
        "sgd: in the samples' own order",
        "for i in order:",
        "for i in sorted(order):",
        "sgd-two-steps sgd-orders",
    ),
    Planted("sgd: each sample once", "for i in order:", "for i in dict.fromkeys(order):", "sgd-orders"),
    Planted(
        "sgd: the last step is missing", "for i in order:", "for i in order[:-1]:", "sgd-two-steps sgd-orders"
    ),
    Planted(
        "sgd: theta is changed",
        "theta = theta.copy()\n    for i in order:\n        theta = theta - eta",
        "for i in order:\n        theta -= eta",
        "sgd-safe",
    ),
    Planted("sgd: no copy where there is no step", COPY, "pass", "sgd-safe"),
    Planted(
        "momentum: the sign of the velocity",
        "b = mu * b + g",
        "b = mu * b - g",
        "momentum-two-steps momentum-path",
    ),
    Planted(
        "momentum: dampened by 1 - μ",
        "b = mu * b + g",
        "b = mu * b + (1 - mu) * g",
        "momentum-two-steps momentum-path",
    ),
    Planted(
        "momentum: the old velocity",
        "b = mu * b + g\n    return theta - eta * b, b",
        "return theta - eta * b, mu * b + g",
        "momentum-two-steps momentum-path",
    ),
    Planted(
        "momentum: the velocity is not used",
        "theta - eta * b, b",
        "theta - eta * g, b",
        "momentum-two-steps momentum-path",
    ),
    Planted(
        "momentum: Nesterov's",
        "theta - eta * b, b",
        "theta - eta * (g + mu * b), b",
        "momentum-two-steps momentum-path",
    ),
    Planted("momentum: b is changed", "b = mu * b + g\n", "b *= mu\n    b += g\n", "momentum-safe"),
    Planted(
        "adam: ε inside the root", ADAM, ADAM.replace("np.sqrt(v_hat) + eps", "np.sqrt(v_hat + eps)"), OF_ADAM
    ),
    Planted("adam: no bias correction", ADAM, ADAM.replace("_hat", ""), OF_ADAM),
    Planted("adam: m without bias correction", ADAM, ADAM.replace("m_hat", "m"), OF_ADAM),
    Planted("adam: v without bias correction", ADAM, ADAM.replace("v_hat", "v"), OF_ADAM),
    Planted("adam: off by one step", "1 - beta1**t)\n    v_hat", "1 - beta1 ** (t + 1))\n    v_hat", OF_ADAM),
    Planted(
        "adam: the hats are remembered",
        ADAM,
        ADAM.replace(", m, v", ", m_hat, v_hat"),
        "adam-first-step adam-path",
    ),
    Planted("adam: no root", ADAM, ADAM.replace("np.sqrt(v_hat)", "v_hat"), OF_ADAM),
    Planted("adam: v from m instead of g", V, V.replace("g**2", "m**2"), OF_ADAM, "adam"),
    Planted(
        "adam: the betas change places",
        M,
        "beta1, beta2 = beta2, beta1\n    " + M,
        "adam-first-step adam-path",
        "adam",
    ),
    Planted(
        "adam: ε beside the uncorrected v",
        ADAM,
        "return theta - alpha * m_hat * (1 - beta2**t) ** 0.5 / (np.sqrt(v) + eps), m, v",
        OF_ADAM,
    ),
    Planted("adam: no ε", ADAM, ADAM.replace(" + eps", ""), "adam-path adam-tiny adam-nothing"),
    Planted("adam: v is changed", V, "v *= beta2\n    v += (1 - beta2) * g**2", "adam-safe", "adam"),
    Planted(
        "printed: the real Adam",
        "step = eta_t * m / (1 - beta1**t)",
        "step = eta_t * m / (np.sqrt(v) + 1e-8)",
        OF_PRINTED,
    ),
    Planted("printed: m corrected once", "step = eta_t * m / (1 - beta1**t)", "step = eta_t * m", OF_PRINTED),
    Planted("printed: v is not kept up", V, "v = 1 * v", "printed-first-step", "printed"),
    Planted(
        "diagnosis: m is taken for the unused one", '"unused": "v"', '"unused": "m"', "diagnosis-symbols"
    ),
    Planted(
        "diagnosis: the printed step does not grow",
        '"printed_factor": variant.scale',
        '"printed_factor": 1',
        "diagnosis-factor",
    ),
    Planted(
        "diagnosis: m's factor is forgotten",
        "eta * (1 - beta1) * np",
        "eta * np",
        "diagnosis-rate-first diagnosis-rate",
    ),
    Planted(
        "diagnosis: corrected once",
        "(1 - beta1**t) ** 2",
        "(1 - beta1**t)",
        "diagnosis-rate-first diagnosis-rate",
    ),
    Planted(
        "diagnosis: steps counted from 0",
        "    return eta * (1 - beta1)",
        "    t = t - 1 if t > 1 else t\n    return eta * (1 - beta1)",
        "diagnosis-rate",
    ),
    Planted(
        "mended: m still corrected twice", LAST, LAST.replace("* m /", "* m / (1 - beta1**t) /"), OF_MENDED
    ),
    Planted(
        "mended: v corrected twice",
        LAST,
        LAST.replace("np.sqrt(v)", "np.sqrt(v / (1 - beta2**t))"),
        OF_MENDED,
    ),
    Planted(
        "mended: ε inside the root",
        LAST,
        LAST.replace("np.sqrt(v) + eps_hat", "np.sqrt(v + eps_hat)"),
        "mended-is-adam",
    ),
]
