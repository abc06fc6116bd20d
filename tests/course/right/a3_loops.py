def stretched_axes(shape, result_shape):
    padded = (None,) * (len(result_shape) - len(shape)) + tuple(shape)
    axes = []
    for axis, (own, result) in enumerate(zip(padded, result_shape)):
        if own is None or (own == 1 and result != 1):
            axes.append(axis)
    return axes


def unbroadcast_to(g, shape):
    out = np.zeros(shape)
    missing = g.ndim - len(shape)
    for index in np.ndindex(g.shape):
        place = tuple(0 if n == 1 else k for k, n in zip(index[missing:], shape))
        out[place] += g[index]
    return out


def axes_of(axis, ndim):
    if axis is None:
        return set(range(ndim))
    return {k % ndim for k in (axis if isinstance(axis, tuple) else (axis,))}


def sum_vjp(g, a_shape, axis, keepdims):
    gone = axes_of(axis, len(a_shape))
    out = np.zeros(a_shape)
    for index in np.ndindex(*a_shape):
        if keepdims:
            place = tuple(0 if k in gone else i for k, i in enumerate(index))
        else:
            place = tuple(i for k, i in enumerate(index) if k not in gone)
        out[index] = np.asarray(g)[place]
    return out


def mean_vjp(g, a_shape, axis, keepdims):
    n = 1
    for k in axes_of(axis, len(a_shape)):
        n *= a_shape[k]
    out = sum_vjp(g, a_shape, axis, keepdims)
    out /= n
    return out
