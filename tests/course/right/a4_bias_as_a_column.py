def with_ones(x):
    return np.concatenate([x, np.ones((*x.shape[:-1], 1))], axis=-1)


def dense(x, w, b=None):
    b = np.zeros(len(w)) if b is None else b
    return np.inner(with_ones(x), np.column_stack([w, b]))


def dense_vjp_x(g, w):
    return (w.T @ g[..., None])[..., 0]


def both(g, x):
    rows = g.reshape(-1, g.shape[-1])
    return rows.T @ with_ones(x).reshape(len(rows), x.shape[-1] + 1)


def dense_vjp_w(g, x):
    return both(g, x)[:, :-1]


def dense_vjp_b(g):
    return both(g, np.empty((*g.shape[:-1], 0)))[:, -1]


def network(x, w1, b1, w2, b2):
    a = dense(x, w1, b1)
    return dense((a + abs(a)) / 2, w2, b2)


def network_vjp(g, x, w1, b1, w2, b2):
    a = dense(x, w1, b1)
    h = a * (a > 0)
    second = both(g, h)
    first = both(np.where(a > 0, dense_vjp_x(g, w2), 0), x)
    return [first[:, :-1], first[:, -1], second[:, :-1], second[:, -1]]
