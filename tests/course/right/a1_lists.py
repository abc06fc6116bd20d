from typing import Any


def mapped(f, *lists: Any) -> Any:
    """Lists all the way down; numbers at the end."""
    if not isinstance(lists[0], list):
        return f(*lists)
    return [mapped(f, *parts) for parts in zip(*lists)]


def on_lists(f):
    def rule(*arrays):
        return np.array(mapped(f, *(np.asarray(a).tolist() for a in arrays))).reshape(np.shape(arrays[0]))

    return rule


@on_lists
def multiply_vjp_a(g: float, b: float) -> float:
    return g * b


@on_lists
def multiply_vjp_b(g: float, a: float) -> float:
    return g * a


@on_lists
def divide_vjp_a(g, b):
    return g / b


@on_lists
def divide_vjp_b(g, y, b):
    a = y * b
    return -g * a / b**2


@on_lists
def exp_vjp(g, y):
    return g * y


@on_lists
def log_vjp(g, a):
    return g / a


@on_lists
def tanh_vjp(g, y):
    return g - g * y * y


@on_lists
def sigmoid_vjp(g, y):
    return g * y - g * y * y


@on_lists
def relu_vjp(g, a):
    return g * float(a > 0)


@on_lists
def maximum_vjp_a(g, a, b):
    return g * (int(a >= b) + int(a > b)) / 2


@on_lists
def maximum_vjp_b(g, a, b):
    return g * (int(b >= a) + int(b > a)) / 2


def sum_vjp(g, a_shape):
    return g * np.ones(a_shape)


def matmul_vjp_a(g, b):
    return [[sum(gj * bj for gj, bj in zip(row, other)) for other in b] for row in g]


def matmul_vjp_b(g, a):
    return [[sum(x * y for x, y in zip(column, other)) for other in g.T] for column in a.T]
