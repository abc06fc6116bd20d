from collections import OrderedDict


def descended(theta, step):
    theta = theta.copy()
    theta -= step
    return theta


def gd(weights, data, target, rate):
    residual = data @ weights
    residual -= target
    return descended(weights, rate / len(target) * (residual @ data))


def sgd(weights, data, target, order, rate):
    weights = +weights
    for row, wanted in ((data[i], target[i]) for i in order):
        weights -= rate * (np.dot(row, weights) - wanted) * row
    return weights


def momentum(weights, gradient, velocity, rate, mu):
    velocity = np.array(velocity)
    velocity *= mu
    velocity += gradient
    return np.array([descended(weights, rate * velocity), velocity])


def averaged(old, new, beta):
    out = old.copy()
    out += (1 - beta) * (new - old)
    return out


def adam(weights, gradient, m, v, t, alpha=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v = averaged(m, gradient, beta1), averaged(v, np.square(gradient), beta2)
    root = np.sqrt(v / (1 - beta2**t))
    root += eps
    return [descended(weights, alpha / (1 - beta1**t) * m / root), m, v]


def as_printed(weights, gradient, m, v, t, eta=0.001, beta1=0.9, beta2=0.999):
    m, v = averaged(m, gradient, beta1), averaged(v, gradient * gradient, beta2)
    eta *= np.sqrt(1 - np.power(beta2, t))
    for _ in range(2):
        eta /= 1 - np.power(beta1, t)
    return descended(weights, eta * m), m, v


def diagnosis():
    return OrderedDict(
        printed_factor=np.float64(10), unused="v", adam_factor=np.int64(1), corrected_twice="m"
    )


def momentum_rate(t, eta=0.001, beta1=0.9, beta2=0.999):
    one = np.array([1.0])
    _, m, _ = as_printed(0 * one, one, 0 * one, 0 * one, 1, eta, beta1, beta2)
    return (eta * m * (1 - beta2**t) ** 0.5 / (1 - beta1**t) ** 2).item()


def mended(weights, gradient, m, v, t, eta=0.001, beta1=0.9, beta2=0.999, eps_hat=1e-8):
    return adam(weights, gradient, m, v, t, eta, beta1, beta2, eps_hat / np.sqrt(1 - beta2**t))
