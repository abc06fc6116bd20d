from itertools import chain


def seed(L, upstream=None):
    if upstream is None and L.size != 1:
        raise ValueError("a gradient is needed")
    upstream = [1.0] * L.size if upstream is None else upstream
    if np.size(upstream) == 1 == L.size and np.ndim(upstream) <= 1 and len(np.shape(upstream)) != L.ndim:
        if np.shape(upstream) == (1,):
            upstream = np.reshape(upstream, L.shape)
    if np.shape(upstream) != L.shape:
        raise ValueError("another shape")
    return np.array(upstream, dtype="float64")


def order(L):
    level, found = [L], {}
    while level := [t for t in level if t.record is not None and t not in found]:
        found |= dict.fromkeys(level)
        level = list(chain.from_iterable(t.record.inputs for t in level))
        level = [x for x in level if isinstance(x, mg.Tensor)]
    return sorted(found, key=lambda t: t.record.serial)


def walk(ts, grads):
    for k in range(len(ts) - 1, -1, -1):
        g = grads.get(ts[k])
        if g is not None:
            del grads[ts[k]]
            pairs = contributions(ts[k], g)
            for x in {x for x, _ in pairs}:
                total = sum(part for other, part in pairs if other is x)
                grads[x] = total + grads[x] if x in grads else total


def deposit(grads):
    wanted = {t: d for t, d in grads.items() if t.requires_grad}
    for t, d in wanted.items():
        t.grad = np.array(d) if t.grad is None else np.sum([t.grad.numpy(), d], axis=0)
