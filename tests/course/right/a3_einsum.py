def stretched_axes(shape: tuple[int, ...], result_shape: tuple[int, ...]) -> tuple[int, ...]:
    probe = np.broadcast_to(np.empty(shape), result_shape) if 0 not in result_shape else None
    n = len(result_shape)
    padded = (1,) * (n - len(shape)) + tuple(shape)
    moved = np.array(padded) != np.array(result_shape)
    moved[: n - len(shape)] = True
    return tuple(np.flatnonzero(moved))


def unbroadcast_to(g, shape):
    letters = "abcdefgh"[: g.ndim]
    axes = {int(k) for k in stretched_axes(shape, g.shape)}
    kept = "".join(letter for k, letter in enumerate(letters) if k not in axes)
    return np.einsum(f"{letters}->{kept}", g).reshape(shape)


def sum_vjp(g, a_shape, axis, keepdims):
    d = len(a_shape)
    letters = "abcdefgh"[:d]
    gone = range(d) if axis is None else [k % d for k in np.atleast_1d(axis)]
    if keepdims:
        g = np.squeeze(g, axis=tuple(gone))
    kept = "".join(letter for k, letter in enumerate(letters) if k not in gone)
    return np.einsum(f"{kept},{letters}->{letters}", g, np.ones(a_shape))


def mean_vjp(g, a_shape, axis, keepdims):
    ones = np.ones(a_shape)
    share = ones / ones.sum(axis=axis, keepdims=True)
    return sum_vjp(g, a_shape, axis, keepdims) * share
