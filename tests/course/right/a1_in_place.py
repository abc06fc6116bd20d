class Rules:
    """All rules in a class, each of which works in an array of its own."""

    @staticmethod
    def start(g):
        return np.array(g, dtype=float, copy=True)

    @classmethod
    def times(cls, g, factor):
        out = cls.start(g)
        out *= factor
        return out


def multiply_vjp_a(grad, other):
    return Rules.times(grad, other)


def multiply_vjp_b(grad, other):
    return Rules.times(grad, other)


def divide_vjp_a(grad, divisor):
    out = Rules.start(grad)
    out /= divisor
    return out


def divide_vjp_b(grad, result, divisor):
    out = divide_vjp_a(grad, divisor)
    out *= result
    np.negative(out, out=out)
    return out


def exp_vjp(grad, result):
    return Rules.times(grad, result)


def log_vjp(grad, x):
    return divide_vjp_a(grad, x)


def tanh_vjp(grad, result):
    slope = np.square(result)
    np.subtract(1, slope, out=slope)
    slope *= grad
    return slope


def sigmoid_vjp(grad, result):
    return Rules.times(Rules.times(grad, result), 1.0 - result)


def relu_vjp(grad, x):
    out = Rules.start(grad)
    out[x <= 0] = 0
    return out


def maximum_vjp_a(grad, x, other):
    out = Rules.start(grad)
    out[x < other] = 0
    out[x == other] /= 2
    return out


def maximum_vjp_b(grad, other, x):
    return maximum_vjp_a(grad, x, other)


def sum_vjp(grad, shape):
    out = np.empty(shape)
    out[...] = grad
    return out


def matmul_vjp_a(grad, b):
    return (b @ grad.T).T


def matmul_vjp_b(grad, a):
    return np.dot(a.T, grad)
