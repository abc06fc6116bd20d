def dot(a, b, i, j):
    total = 0.0
    for p in range(b.shape[0]):
        total = total + a[i, p] * b[p, j]
    return total


def matmul(a, b, c):
    for i in range(c.shape[0]):
        for j in range(c.shape[1]):
            c[i, j] = dot(a, b, i, j)


def add_row(factor, b, p, c, i):
    for j in range(c.shape[1]):
        c[i, j] += factor * b[p, j]


def matmul_by_rows(a, b, c):
    for i in range(c.shape[0]):
        for j in range(c.shape[1]):
            c[i, j] = 0.0
        for p in range(a.shape[1]):
            add_row(a[i, p], b, p, c, i)


def end(start, size, length):
    return start + size if start + size < length else length


def add_tile(a, b, c, i0, j0, p0, size):
    for p in range(p0, end(p0, size, a.shape[1])):
        for i in range(i0, end(i0, size, c.shape[0])):
            for j in range(j0, end(j0, size, c.shape[1])):
                c[i, j] = c[i, j] + b[p, j] * a[i, p]


def part(x, y, start):
    total = x.dtype.type(0)
    for i in range(start, len(x), 4):
        total += x[i] * y[i]
    return total


def dot_in_four(x, y):
    return (part(x, y, 0) + part(x, y, 1)) + (part(x, y, 2) + part(x, y, 3))


def one_entry(theta, g, m, v, clip, l2, beta1, rest1, beta2, rest2, c1, c2, rate, eps):
    d = clip * g + l2 * theta
    m = beta1 * m + rest1 * d
    v = beta2 * v + rest2 * (d * d)
    return theta - rate * (m / c1) / (np.sqrt(v / c2) + eps), m, v


def adam_update(theta, g, m, v, hyper):
    h = hyper
    for i in range(len(theta)):
        theta[i], m[i], v[i] = one_entry(
            theta[i], g[i], m[i], v[i], h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9]
        )
