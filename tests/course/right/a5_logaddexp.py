from functools import partial


def log_softmax(z, axis=-1):
    return z - np.logaddexp.reduce(z, axis=axis, keepdims=True)


softmax = lambda z: np.exp(log_softmax(z))
picked = lambda z, labels: np.take_along_axis(z, np.reshape(labels, (-1, 1)), axis=1)


def cross_entropy(z, labels):
    return -picked(log_softmax(z), labels).mean()


def cross_entropy_vjp(g, logits, labels):
    gradient = np.einsum("s,sk->sk", g, softmax(logits))
    np.subtract.at(gradient, (range(len(labels)), labels), g)
    return gradient


softplus = partial(np.logaddexp, 0)


def binary_cross_entropy(z, y):
    return y * softplus(-z) + (1 - y) * softplus(z)


def binary_cross_entropy_vjp(g, z, y):
    return g * np.exp(-softplus(-z)) - g * y
