def dense(x, w, b=None):
    if x.ndim > 1:
        return np.array([dense(sample, w, b) for sample in x]).reshape(*x.shape[:-1], len(w))
    y = np.zeros(len(w))
    for o in range(len(w)):
        for i in range(len(x)):
            y[o] += w[o, i] * x[i]
        if b is not None:
            y[o] += b[o]
    return y


def dense_vjp_x(g, w):
    dx = np.zeros((*g.shape[:-1], w.shape[1]))
    for o in range(len(w)):
        dx += g[..., o : o + 1] * w[o]
    return dx


def dense_vjp_w(g, x):
    dw = np.zeros((g.shape[-1], x.shape[-1]))
    for place in np.ndindex(g.shape[:-1]):
        dw += np.outer(g[place], x[place])
    return dw


def dense_vjp_b(g):
    db = np.zeros(g.shape[-1])
    for place in np.ndindex(g.shape[:-1]):
        db += g[place]
    return db


def network(x, w1, b1, w2, b2):
    hidden = dense(x, w1, b1)
    hidden[hidden < 0] = 0
    return dense(hidden, w2, b2)


def network_vjp(g, x, w1, b1, w2, b2):
    dw1, db1, dw2, db2 = (np.zeros(p.shape) for p in (w1, b1, w2, b2))
    for sample, up in zip(x, g):
        a = dense(sample, w1, b1)
        h = [max(v, 0.0) for v in a]
        db2 += up
        dw2 += np.outer(up, h)
        da = dense_vjp_x(up, w2)
        for k, v in enumerate(a):
            if v <= 0:
                da[k] = 0
        db1 += da
        dw1 += np.outer(da, sample)
    return dw1, db1, dw2, db2
