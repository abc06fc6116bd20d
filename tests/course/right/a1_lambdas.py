import operator
from functools import partial

multiply_vjp_a = multiply_vjp_b = operator.mul
divide_vjp_a = operator.truediv
divide_vjp_b = lambda up, quotient, divisor: quotient * up / -divisor
exp_vjp = np.multiply
log_vjp = lambda up, x: up / x
tanh_vjp = lambda up, t: up - up * t**2
sigmoid_vjp = lambda up, s: up * (0.25 - (s - 0.5) ** 2)
relu_vjp = lambda up, x: np.where(x > 0, up, 0)
share = lambda up, one, other: up * np.heaviside(one - other, 0.5)
maximum_vjp_a = share
maximum_vjp_b = lambda up, a, b: share(up, b, a)
sum_vjp = lambda up, shape: np.full(shape, up)
matmul_vjp_a = partial(np.einsum, "ij,kj->ik")
matmul_vjp_b = lambda up, a: np.tensordot(a, up, axes=(0, 0))
