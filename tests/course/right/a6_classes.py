from dataclasses import dataclass


@dataclass
class Moments:
    m: np.ndarray
    v: np.ndarray
    beta1: float
    beta2: float

    def seen(self, g):
        mix = lambda beta, old, new: np.average([old, new], axis=0, weights=[beta, 1 - beta])
        return Moments(mix(self.beta1, self.m, g), mix(self.beta2, self.v, g**2), self.beta1, self.beta2)

    def hats(self, t):
        return self.m / (1 - self.beta1**t), self.v / (1 - self.beta2**t)


def gd(theta, x, y, eta):
    return theta - eta * np.mean([(xi @ theta - yi) * xi for xi, yi in zip(x, y)], axis=0)


def sgd(theta, x, y, order, eta):
    if not order:
        return theta.copy()
    i, *rest = order
    return sgd(gd(theta, x[[i]], y[[i]], eta), x, y, rest, eta)


def momentum(theta, g, b, eta, mu):
    return theta - eta * (b := g + b * mu), b


def adam(theta, g, m, v, t, alpha=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    state = Moments(m, v, beta1, beta2).seen(g)
    m_hat, v_hat = state.hats(t)
    return theta - alpha * (m_hat / (v_hat**0.5 + eps)), state.m, state.v


def as_printed(theta, g, m, v, t, eta=0.001, beta1=0.9, beta2=0.999):
    state = Moments(m, v, beta1, beta2).seen(g)
    twice = Moments(state.hats(t)[0], state.v, beta1, beta2).hats(t)[0]
    return theta - eta * (1 - beta2**t) ** 0.5 * twice, state.m, state.v


def diagnosis():
    return dict(unused="v", corrected_twice="m", printed_factor=10.0, adam_factor=1)


def momentum_rate(t, eta=0.001, beta1=0.9, beta2=0.999):
    printed = np.exp(np.log(eta) + 0.5 * np.log1p(-(beta2**t)) - 2 * np.log1p(-(beta1**t)))
    return printed * (1 - beta1)


def mended(theta, g, m, v, t, eta=0.001, beta1=0.9, beta2=0.999, eps_hat=1e-8):
    state = Moments(m, v, beta1, beta2).seen(g)
    rate = eta * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return theta - np.divide(rate * state.m, np.sqrt(state.v) + eps_hat), state.m, state.v
