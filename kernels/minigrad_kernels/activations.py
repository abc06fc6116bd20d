"""The activations, made from the operations' formulas and rules by `python -m minigrad.ops.generate`; do not edit.

Of each and of its gradient: the reference for NumPy, the loop for Numba, which does the same operations in the same
order, and the numbers in it, which are worked out in float64. See ``activation`` for what they share.
"""

# mypy: ignore-errors
import numpy as np

from minigrad_kernels.activation import activation, ndtr
from minigrad_kernels.launch import written

exp = log1p = expm1 = tanh = None  # the dtype's own, where a loop is compiled


def relu_forward_reference(a, out=None):
    """max(a, 0)."""
    return written(np.maximum(a, 0), out)


def relu_forward_loop(a, y, coefficients):
    zero = coefficients[0]
    for i in range(a.size):
        a_i = a[i]
        y_i = np.maximum(a_i, zero)
        y[i] = y_i


def relu_forward_numbers():
    return (0,)


relu_forward = activation("relu_forward", relu_forward_reference, relu_forward_loop, relu_forward_numbers)


def relu_backward_reference(g, y, out=None):
    """[g where y > 0, else 0]."""
    return written(np.where(y > 0, g, 0), out)


def relu_backward_loop(g, y, d, coefficients):
    zero = coefficients[0]
    for i in range(g.size):
        g_i = g[i]
        y_i = y[i]
        d_i = g_i if y_i > zero else zero
        d[i] = d_i


def relu_backward_numbers():
    return (0,)


relu_backward = activation("relu_backward", relu_backward_reference, relu_backward_loop, relu_backward_numbers)


def leaky_relu_forward_reference(a, slope, out=None):
    """[a where a > 0, else slope · a]."""
    return written(np.where(a > 0, a, slope * a), out)


def leaky_relu_forward_loop(a, y, coefficients):
    zero, slope = coefficients[0], coefficients[1]
    for i in range(a.size):
        a_i = a[i]
        y_i = a_i if a_i > zero else slope * a_i
        y[i] = y_i


def leaky_relu_forward_numbers(slope):
    return (0, slope)


leaky_relu_forward = activation("leaky_relu_forward", leaky_relu_forward_reference, leaky_relu_forward_loop, leaky_relu_forward_numbers)


def leaky_relu_backward_reference(g, a, slope, out=None):
    """[g where a > 0, else slope · g]."""
    return written(np.where(a > 0, g, slope * g), out)


def leaky_relu_backward_loop(g, a, d, coefficients):
    zero, slope = coefficients[0], coefficients[1]
    for i in range(g.size):
        g_i = g[i]
        a_i = a[i]
        d_i = g_i if a_i > zero else slope * g_i
        d[i] = d_i


def leaky_relu_backward_numbers(slope):
    return (0, slope)


leaky_relu_backward = activation("leaky_relu_backward", leaky_relu_backward_reference, leaky_relu_backward_loop, leaky_relu_backward_numbers)


def sigmoid_forward_reference(a, out=None):
    """[1 where a ≥ 0, else part] / (1 + part)."""
    part = np.exp(-np.absolute(a))
    return written(np.where(a >= 0, 1, part) / (1 + part), out)


def sigmoid_forward_loop(a, y, coefficients):
    zero, one = coefficients[0], coefficients[1]
    for i in range(a.size):
        a_i = a[i]
        part = exp(-np.absolute(a_i))
        y_i = (one if a_i >= zero else part) / (one + part)
        y[i] = y_i


def sigmoid_forward_numbers():
    return (0, 1)


sigmoid_forward = activation("sigmoid_forward", sigmoid_forward_reference, sigmoid_forward_loop, sigmoid_forward_numbers)


def sigmoid_backward_reference(g, y, out=None):
    """g · y · (1 − y)."""
    return written(g * y * (1 - y), out)


def sigmoid_backward_loop(g, y, d, coefficients):
    one = coefficients[0]
    for i in range(g.size):
        g_i = g[i]
        y_i = y[i]
        d_i = g_i * y_i * (one - y_i)
        d[i] = d_i


def sigmoid_backward_numbers():
    return (1,)


sigmoid_backward = activation("sigmoid_backward", sigmoid_backward_reference, sigmoid_backward_loop, sigmoid_backward_numbers)


def softplus_forward_reference(a, out=None):
    """max(a, 0) + ln(1 + e^(−|a|))."""
    return written(np.maximum(a, 0) + np.log1p(np.exp(-np.absolute(a))), out)


def softplus_forward_loop(a, y, coefficients):
    zero = coefficients[0]
    for i in range(a.size):
        a_i = a[i]
        y_i = np.maximum(a_i, zero) + log1p(exp(-np.absolute(a_i)))
        y[i] = y_i


def softplus_forward_numbers():
    return (0,)


softplus_forward = activation("softplus_forward", softplus_forward_reference, softplus_forward_loop, softplus_forward_numbers)


def softplus_backward_reference(g, a, out=None):
    """g · ([1 where a ≥ 0, else part] / (1 + part))."""
    part = np.exp(-np.absolute(a))
    return written(g * (np.where(a >= 0, 1, part) / (1 + part)), out)


def softplus_backward_loop(g, a, d, coefficients):
    zero, one = coefficients[0], coefficients[1]
    for i in range(g.size):
        g_i = g[i]
        a_i = a[i]
        part = exp(-np.absolute(a_i))
        d_i = g_i * ((one if a_i >= zero else part) / (one + part))
        d[i] = d_i


def softplus_backward_numbers():
    return (0, 1)


softplus_backward = activation("softplus_backward", softplus_backward_reference, softplus_backward_loop, softplus_backward_numbers)


def gelu_forward_reference(a, out=None):
    """a · ndtr(a)."""
    return written(a * ndtr(a), out)


def gelu_forward_loop(a, y, coefficients):
    for i in range(a.size):
        a_i = a[i]
        y_i = a_i * ndtr(a_i)
        y[i] = y_i


def gelu_forward_numbers():
    return ()


gelu_forward = activation("gelu_forward", gelu_forward_reference, gelu_forward_loop, gelu_forward_numbers)


def gelu_backward_reference(g, a, out=None):
    """g · (ndtr(a) + a · (e^(−0.5 · a · a) · 0.398942))."""
    return written(g * (ndtr(a) + a * (np.exp((-0.5) * a * a) * 0.3989422804014327)), out)


def gelu_backward_loop(g, a, d, coefficients):
    number__0_5, number_0_3989422804014327 = coefficients[0], coefficients[1]
    for i in range(g.size):
        g_i = g[i]
        a_i = a[i]
        d_i = g_i * (ndtr(a_i) + a_i * (exp(number__0_5 * a_i * a_i) * number_0_3989422804014327))
        d[i] = d_i


def gelu_backward_numbers():
    return (-0.5, 0.3989422804014327)


gelu_backward = activation("gelu_backward", gelu_backward_reference, gelu_backward_loop, gelu_backward_numbers)


def silu_forward_reference(a, out=None):
    """a · ([1 where a ≥ 0, else part] / (1 + part))."""
    part = np.exp(-np.absolute(a))
    return written(a * (np.where(a >= 0, 1, part) / (1 + part)), out)


def silu_forward_loop(a, y, coefficients):
    zero, one = coefficients[0], coefficients[1]
    for i in range(a.size):
        a_i = a[i]
        part = exp(-np.absolute(a_i))
        y_i = a_i * ((one if a_i >= zero else part) / (one + part))
        y[i] = y_i


def silu_forward_numbers():
    return (0, 1)


silu_forward = activation("silu_forward", silu_forward_reference, silu_forward_loop, silu_forward_numbers)


def silu_backward_reference(g, a, out=None):
    """g · part_2 · (1 + a · (1 − part_2))."""
    part = np.exp(-np.absolute(a))
    part_2 = np.where(a >= 0, 1, part) / (1 + part)
    return written(g * part_2 * (1 + a * (1 - part_2)), out)


def silu_backward_loop(g, a, d, coefficients):
    zero, one = coefficients[0], coefficients[1]
    for i in range(g.size):
        g_i = g[i]
        a_i = a[i]
        part = exp(-np.absolute(a_i))
        part_2 = (one if a_i >= zero else part) / (one + part)
        d_i = g_i * part_2 * (one + a_i * (one - part_2))
        d[i] = d_i


def silu_backward_numbers():
    return (0, 1)


silu_backward = activation("silu_backward", silu_backward_reference, silu_backward_loop, silu_backward_numbers)


def elu_forward_reference(a, alpha, out=None):
    """[a where a > 0, else α · e^(min(a, 0)) − 1]."""
    return written(np.where(a > 0, a, alpha * np.expm1(np.minimum(a, 0))), out)


def elu_forward_loop(a, y, coefficients):
    zero, alpha = coefficients[0], coefficients[1]
    for i in range(a.size):
        a_i = a[i]
        y_i = a_i if a_i > zero else alpha * expm1(np.minimum(a_i, zero))
        y[i] = y_i


def elu_forward_numbers(alpha):
    return (0, alpha)


elu_forward = activation("elu_forward", elu_forward_reference, elu_forward_loop, elu_forward_numbers)


def elu_backward_reference(g, a, alpha, out=None):
    """[g where a > 0, else α · g · e^(min(a, 0))]."""
    return written(np.where(a > 0, g, alpha * g * np.exp(np.minimum(a, 0))), out)


def elu_backward_loop(g, a, d, coefficients):
    zero, alpha = coefficients[0], coefficients[1]
    for i in range(g.size):
        g_i = g[i]
        a_i = a[i]
        d_i = g_i if a_i > zero else alpha * g_i * exp(np.minimum(a_i, zero))
        d[i] = d_i


def elu_backward_numbers(alpha):
    return (0, alpha)


elu_backward = activation("elu_backward", elu_backward_reference, elu_backward_loop, elu_backward_numbers)


def gelu_tanh_forward_reference(a, out=None):
    """a · ([1 where part_2 ≥ 0, else part_3] / (1 + part_3))."""
    part = np.minimum(np.maximum(a, -30), 30)
    part_2 = 2 * (0.7978845608028654 * (part + 0.044715 * part * part * part))
    part_3 = np.exp(-np.absolute(part_2))
    return written(a * (np.where(part_2 >= 0, 1, part_3) / (1 + part_3)), out)


def gelu_tanh_forward_loop(a, y, coefficients):
    number__30, number_30, number_0_044715 = coefficients[0], coefficients[1], coefficients[2]
    number_0_7978845608028654, two, zero = coefficients[3], coefficients[4], coefficients[5]
    one = coefficients[6]
    for i in range(a.size):
        a_i = a[i]
        part = np.minimum(np.maximum(a_i, number__30), number_30)
        part_2 = two * (number_0_7978845608028654 * (part + number_0_044715 * part * part * part))
        part_3 = exp(-np.absolute(part_2))
        y_i = a_i * ((one if part_2 >= zero else part_3) / (one + part_3))
        y[i] = y_i


def gelu_tanh_forward_numbers():
    return (-30, 30, 0.044715, 0.7978845608028654, 2, 0, 1)


gelu_tanh_forward = activation("gelu_tanh_forward", gelu_tanh_forward_reference, gelu_tanh_forward_loop, gelu_tanh_forward_numbers)


def gelu_tanh_backward_reference(g, a, out=None):
    """g · (part_4 + part · part_4 · (1 − part_4) · (1.59577 · (1 + 0.134145 · part · part)))."""
    part = np.minimum(np.maximum(a, -30), 30)
    part_2 = 2 * (0.7978845608028654 * (part + 0.044715 * part * part * part))
    part_3 = np.exp(-np.absolute(part_2))
    part_4 = np.where(part_2 >= 0, 1, part_3) / (1 + part_3)
    return written(g * (part_4 + part * part_4 * (1 - part_4) * (1.5957691216057308 * (1 + 0.134145 * part * part))), out)


def gelu_tanh_backward_loop(g, a, d, coefficients):
    number__30, number_30, number_0_044715 = coefficients[0], coefficients[1], coefficients[2]
    number_0_7978845608028654, two, zero = coefficients[3], coefficients[4], coefficients[5]
    one, number_0_134145, number_1_5957691216057308 = coefficients[6], coefficients[7], coefficients[8]
    for i in range(g.size):
        g_i = g[i]
        a_i = a[i]
        part = np.minimum(np.maximum(a_i, number__30), number_30)
        part_2 = two * (number_0_7978845608028654 * (part + number_0_044715 * part * part * part))
        part_3 = exp(-np.absolute(part_2))
        part_4 = (one if part_2 >= zero else part_3) / (one + part_3)
        d_i = g_i * (part_4 + part * part_4 * (one - part_4) * (number_1_5957691216057308 * (one + number_0_134145 * part * part)))
        d[i] = d_i


def gelu_tanh_backward_numbers():
    return (-30, 30, 0.044715, 0.7978845608028654, 2, 0, 1, 0.134145, 1.5957691216057308)


gelu_tanh_backward = activation("gelu_tanh_backward", gelu_tanh_backward_reference, gelu_tanh_backward_loop, gelu_tanh_backward_numbers)


def mish_forward_reference(a, out=None):
    """a · tanh(max(a, 0) + ln(1 + e^(−|a|)))."""
    return written(a * np.tanh(np.maximum(a, 0) + np.log1p(np.exp(-np.absolute(a)))), out)


def mish_forward_loop(a, y, coefficients):
    zero = coefficients[0]
    for i in range(a.size):
        a_i = a[i]
        y_i = a_i * tanh(np.maximum(a_i, zero) + log1p(exp(-np.absolute(a_i))))
        y[i] = y_i


def mish_forward_numbers():
    return (0,)


mish_forward = activation("mish_forward", mish_forward_reference, mish_forward_loop, mish_forward_numbers)


def mish_backward_reference(g, a, out=None):
    """g · (part_2 + a · (1 − part_2 · part_2) · ([1 where a ≥ 0, else part] / (1 + part)))."""
    part = np.exp(-np.absolute(a))
    part_2 = np.tanh(np.maximum(a, 0) + np.log1p(part))
    return written(g * (part_2 + a * (1 - part_2 * part_2) * (np.where(a >= 0, 1, part) / (1 + part))), out)


def mish_backward_loop(g, a, d, coefficients):
    zero, one = coefficients[0], coefficients[1]
    for i in range(g.size):
        g_i = g[i]
        a_i = a[i]
        part = exp(-np.absolute(a_i))
        part_2 = tanh(np.maximum(a_i, zero) + log1p(part))
        d_i = g_i * (part_2 + a_i * (one - part_2 * part_2) * ((one if a_i >= zero else part) / (one + part)))
        d[i] = d_i


def mish_backward_numbers():
    return (0, 1)


mish_backward = activation("mish_backward", mish_backward_reference, mish_backward_loop, mish_backward_numbers)


def hardswish_forward_reference(a, out=None):
    """a · (min(max(a + 3, 0), 6) / 6)."""
    return written(a * (np.minimum(np.maximum(a + 3, 0), 6) / 6), out)


def hardswish_forward_loop(a, y, coefficients):
    three, zero, number_6 = coefficients[0], coefficients[1], coefficients[2]
    for i in range(a.size):
        a_i = a[i]
        y_i = a_i * (np.minimum(np.maximum(a_i + three, zero), number_6) / number_6)
        y[i] = y_i


def hardswish_forward_numbers():
    return (3, 0, 6)


hardswish_forward = activation("hardswish_forward", hardswish_forward_reference, hardswish_forward_loop, hardswish_forward_numbers)


def hardswish_backward_reference(g, a, out=None):
    """[g where a ≥ 3, else g · (a > (−3)) · (a / 3 + 0.5)]."""
    return written(np.where(a >= 3, g, g * (a > (-3)) * (a / 3 + 0.5)), out)


def hardswish_backward_loop(g, a, d, coefficients):
    three, number__3, one = coefficients[0], coefficients[1], coefficients[2]
    zero, number_0_5 = coefficients[3], coefficients[4]
    for i in range(g.size):
        g_i = g[i]
        a_i = a[i]
        d_i = g_i if a_i >= three else g_i * (one if a_i > number__3 else zero) * (a_i / three + number_0_5)
        d[i] = d_i


def hardswish_backward_numbers():
    return (3, -3, 1, 0, 0.5)


hardswish_backward = activation("hardswish_backward", hardswish_backward_reference, hardswish_backward_loop, hardswish_backward_numbers)


KERNELS = {
    "relu_forward": relu_forward,
    "relu_backward": relu_backward,
    "leaky_relu_forward": leaky_relu_forward,
    "leaky_relu_backward": leaky_relu_backward,
    "sigmoid_forward": sigmoid_forward,
    "sigmoid_backward": sigmoid_backward,
    "softplus_forward": softplus_forward,
    "softplus_backward": softplus_backward,
    "gelu_forward": gelu_forward,
    "gelu_backward": gelu_backward,
    "silu_forward": silu_forward,
    "silu_backward": silu_backward,
    "elu_forward": elu_forward,
    "elu_backward": elu_backward,
    "gelu_tanh_forward": gelu_tanh_forward,
    "gelu_tanh_backward": gelu_tanh_backward,
    "mish_forward": mish_forward,
    "mish_backward": mish_backward,
    "hardswish_forward": hardswish_forward,
    "hardswish_backward": hardswish_backward,
}
