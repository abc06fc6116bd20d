import math


def gd(theta, x, y, eta):
    n, k = x.shape
    gradient = [0.0] * k
    for i in range(n):
        residual = sum(x[i, j] * theta[j] for j in range(k)) - y[i]
        for j in range(k):
            gradient[j] += residual * x[i, j] / n
    return [t - eta * g for t, g in zip(theta, gradient)]


def sgd(theta, x, y, order, eta):
    theta = list(theta)
    for i in order:
        residual = sum(a * t for a, t in zip(x[i], theta)) - y[i]
        theta = [t - eta * residual * a for t, a in zip(theta, x[i])]
    return theta


def momentum(theta, g, b, eta, mu):
    new_b = [mu * bi + gi for bi, gi in zip(b, g)]
    return [ti - eta * bi for ti, bi in zip(theta, new_b)], new_b


def moments(g, m, v, beta1, beta2):
    new_m = [beta1 * mi + (1 - beta1) * gi for mi, gi in zip(m, g)]
    new_v = [beta2 * vi + (1 - beta2) * gi * gi for vi, gi in zip(v, g)]
    return new_m, new_v


def adam(theta, g, m, v, t, alpha=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v = moments(g, m, v, beta1, beta2)
    out = []
    for ti, mi, vi in zip(theta, m, v):
        out.append(ti - alpha * (mi / (1 - beta1**t)) / (math.sqrt(vi / (1 - beta2**t)) + eps))
    return out, m, v


def as_printed(theta, g, m, v, t, eta=0.001, beta1=0.9, beta2=0.999):
    m, v = moments(g, m, v, beta1, beta2)
    rate = eta * math.sqrt(1 - beta2**t) / (1 - beta1**t)
    return [ti - rate * mi / (1 - beta1**t) for ti, mi in zip(theta, m)], m, v


def diagnosis():
    answers = {}
    answers["adam_factor"] = 1.0
    answers["printed_factor"] = 10
    answers["corrected_twice"] = "m"
    answers["unused"] = "v"
    return answers


def momentum_rate(t, eta=0.001, beta1=0.9, beta2=0.999):
    return eta * (1 - beta1) * math.sqrt(1 - beta2**t) / (1 - beta1**t) / (1 - beta1**t)


def mended(theta, g, m, v, t, eta=0.001, beta1=0.9, beta2=0.999, eps_hat=1e-8):
    m, v = moments(g, m, v, beta1, beta2)
    rate = eta * math.sqrt(1 - beta2**t) / (1 - beta1**t)
    return [ti - rate * mi / (math.sqrt(vi) + eps_hat) for ti, mi, vi in zip(theta, m, v)], m, v
