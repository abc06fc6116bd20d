from functools import reduce


def stretched_axes(shape, result_shape):
    if not result_shape:
        return ()
    *result, last = result_shape
    if not shape:
        return tuple(range(len(result_shape)))
    here = () if shape[-1] == last else (len(result),)
    return stretched_axes(shape[:-1], tuple(result)) + here


def unbroadcast_to(g, shape):
    if g.ndim > len(shape):
        return unbroadcast_to(np.add.reduce(g, axis=0), shape)
    axes = stretched_axes(shape, g.shape)
    return reduce(lambda total, axis: np.add.reduce(total, axis=axis, keepdims=True), axes, g)


def back(g, a_shape, axis, keepdims):
    kept = np.zeros(a_shape).sum(axis=axis, keepdims=True).shape
    return g if keepdims else np.reshape(g, kept)


def sum_vjp(g, a_shape, axis, keepdims):
    return np.zeros(a_shape) + back(g, a_shape, axis, keepdims)


def mean_vjp(g, a_shape, axis, keepdims):
    g = back(g, a_shape, axis, keepdims)
    return np.tile(g, [n // m for n, m in zip(a_shape, g.shape)]) * (np.size(g) / np.prod(a_shape))
