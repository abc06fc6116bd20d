def each(f, *arrays):
    out = np.zeros(np.shape(arrays[0]))
    for k in np.ndindex(out.shape):
        out[k] = f(*(a[k] for a in arrays))
    return out


def multiply_vjp_a(g, b):
    return each(lambda g, b: b * g, g, b)


def multiply_vjp_b(g, a):
    return each(lambda g, a: a * g, g, a)


def divide_vjp_a(g, b):
    return each(lambda g, b: g * b**-1, g, b)


def divide_vjp_b(g, y, b):
    return each(lambda g, y, b: -(g / b) * y, g, y, b)


def exp_vjp(g, y):
    return each(lambda g, y: g * y, g, y)


def log_vjp(g, a):
    return each(lambda g, a: g * (1 / a), g, a)


def tanh_vjp(g, y):
    return each(lambda g, y: g * (1 - y) * (1 + y), g, y)


def sigmoid_vjp(g, y):
    return each(lambda g, y: g * (y - y**2), g, y)


def relu_vjp(g, a):
    return each(lambda g, a: g if a > 0 else 0.0, g, a)


def maximum_vjp_a(g, a, b):
    return each(lambda g, a, b: g if a > b else g / 2 if a == b else 0, g, a, b)


def maximum_vjp_b(g, a, b):
    return maximum_vjp_a(g, b, a)


def sum_vjp(g, a_shape):
    out = np.empty(a_shape)
    for k in np.ndindex(*a_shape):
        out[k] = g
    return out


def matmul_vjp_a(g, b):
    out = np.zeros((g.shape[0], b.shape[0]))
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            for k in range(b.shape[0]):
                out[i, k] += g[i, j] * b[k, j]
    return out


def matmul_vjp_b(g, a):
    return matmul_vjp_a(g.T, a.T).T
