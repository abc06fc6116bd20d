def stretched_axes(shape, result_shape):
    right = dict(zip(range(-1, -len(shape) - 1, -1), reversed(shape)))
    n = len(result_shape)
    return [n + k for k in range(-n, 0) if k not in right or right[k] != result_shape[k]]


def add_up(lists):
    first, *rest = lists
    return [add_up(each) for each in zip(*lists)] if isinstance(first, list) else sum(lists)


def unbroadcast_to(g, shape):
    while g.ndim > len(shape):
        g = np.stack(list(g), axis=-1).sum(axis=-1) if len(g) else np.zeros(g.shape[1:])
    for axis, n in enumerate(shape):
        if n == 1:
            g = np.expand_dims(np.moveaxis(g, axis, 0).sum(axis=0), axis)
    return g


def sum_vjp(g, a_shape, axis, keepdims):
    out = np.empty(a_shape)
    if axis is None:
        out.fill(np.asarray(g).item())
    else:
        axes = axis if isinstance(axis, tuple) else (axis,)
        view = np.moveaxis(out, axes, tuple(range(len(axes))))
        view[...] = g if not keepdims else np.moveaxis(g, axes, tuple(range(len(axes))))
    return out


def mean_vjp(g, a_shape, axis, keepdims):
    count = np.ones(a_shape).sum(axis=axis).flat[0] if axis is not None else np.prod(a_shape)
    return (sum_vjp(np.divide(g, count), a_shape, axis, keepdims)).tolist()
