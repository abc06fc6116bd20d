from functools import partial, reduce

lerp = lambda beta, old, new: old * beta + new - new * beta


def slope(theta, x, y):
    return np.einsum("nk,n->k", x, np.einsum("nk,k->n", x, theta) - y) / x.shape[0]


gd = lambda theta, x, y, eta: theta - eta * slope(theta, x, y)


def sgd(theta, x, y, order, eta):
    return reduce(lambda at, i: gd(at, x[i : i + 1], y[i : i + 1], eta), order, theta + 0)


def momentum(theta, g, b, eta, mu):
    return theta - eta * mu * b - eta * g, mu * b + g


def _adam(theta, g, m, v, t, rate, beta1, beta2, eps, corrected):
    m, v = lerp(beta1, m, g), lerp(beta2, v, abs(g) ** 2)
    c1, c2 = 1 - pow(beta1, t), 1 - pow(beta2, t)
    if corrected == "both":
        return theta - rate * m / c1 / (np.sqrt(v / c2) + eps), m, v
    if corrected == "twice":
        return theta - rate * c2**0.5 / c1 * m / c1, m, v
    return theta - rate * c2**0.5 / c1 * m / (np.sqrt(v) + eps), m, v


def adam(theta, g, m, v, t, alpha=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    return _adam(theta, g, m, v, t, alpha, beta1, beta2, eps, "both")


def as_printed(theta, g, m, v, t, eta=0.001, beta1=0.9, beta2=0.999):
    return _adam(theta, g, m, v, t, eta, beta1, beta2, 0, "twice")


def diagnosis():
    names = "unused corrected_twice printed_factor adam_factor".split()
    return dict(zip(names, ["v", "m", 10, 1]))


def momentum_rate(t, eta=0.001, beta1=0.9, beta2=0.999):
    ones = np.ones(1)
    moved, _, _ = as_printed(0 * ones, ones, 0 * ones, 0 * ones, 1, 1.0, beta1, beta2)
    first = -moved[0] / np.sqrt(1 - beta2) * (1 - beta1) ** 2
    return eta * first * np.sqrt(1 - beta2**t) / (1 - beta1**t) ** 2


def mended(theta, g, m, v, t, eta=0.001, beta1=0.9, beta2=0.999, eps_hat=1e-8):
    return _adam(theta, g, m, v, t, eta, beta1, beta2, eps_hat, "")
