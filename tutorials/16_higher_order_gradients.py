# %% [markdown]
# # 16. Higher-order gradients: Newton's step and curvature
#
# The gradient says which way is down. It does not say **how far to go**. In a wide flat valley a long step is
# right, in a narrow one the same step lands on the opposite slope, higher than before. What tells them apart
# is how fast the slope itself changes: the derivative of the derivative, the **curvature**.
#
# An engine that can differentiate anything it computes can differentiate its own gradients. We use that three
# times: to step straight to a minimum (Newton), to look at a whole matrix of curvatures, and to find the
# largest learning rate that a network bears without ever writing that matrix down.
#
# The real things: `create_graph` in `walk` (`minigrad/tape.py`), `mg.grad`, `mg.hessian` and `mg.hvp` in
# `minigrad/functional/`.

# %%
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import load_digits
from minigrad.exercises import exercise
from minigrad.viz.plots import BLUE, GREEN, ORANGE

# %% [markdown]
# ## 1. A gradient is a computation too
#
# By hand: $f(x) = x^3$, $f' = 3x^2$, $f'' = 6x$, $f''' = 6$. At $x = 2$ that is $8$, $12$, $12$, $6$.
# `mg.grad` turns a function into its derivative, which is a function again:


# %%
def f(x):
    return x**3


values, derivative = [f(2.0)], f
for _ in range(3):
    derivative = mg.grad(derivative)
    values.append(derivative(2.0).item())
print(values)
assert values == [8, 12, 12, 6]

# %% [markdown]
# How? Tutorial 2 showed the walk back: each rule takes an incoming gradient and gives one to its inputs. The
# rule of the power is $g\cdot b\cdot a^{b-1}$, written in NumPy: `g * b * a ** (b - 1)`. If the walk hands it
# bare arrays, it computes numbers. If it hands it **Tensors**, those same operators record what they do. So
# `backward` makes a tape of its own, which can be walked back in turn. `create_graph=True` asks for that:

# %%
x = mg.Tensor(2.0, requires_grad=True, name="x")
y = x**3
(slope,) = mg.gradients(y, [x], create_graph=True)
(bend,) = mg.gradients(slope, [x], create_graph=True)
for name, tensor in (("y", y), ("dy/dx", slope), ("d²y/dx²", bend)):
    operations = [record.operation.name for record in mg.tape(tensor)]
    print(f"{name:8s} = {tensor.item():4.1f}   recorded as {', '.join(operations)}")

# %% [markdown]
# As a picture, the tape of $dy/dx$. Its inputs are those of the function itself, so it can be walked back to
# $x$:

# %%
mg.viz.graph(slope)

# %% [markdown]
# Read the second line above: $x^2$ (power), times $3$. That *is* $3x^2$, put together by the rule of the
# power while it was walked. Nobody wrote a rule for second derivatives; this is why tutorial 14 asked that a
# rule hide nothing. A function with a longer tail of derivatives shows how the tape grows:

# %%
derivative, point = np.tanh, np.float64(0.5)
for order in range(1, 5):
    derivative = mg.grad(derivative)
    print(f"tanh, derivative {order}: {derivative(point).item():+.6f}")
t = np.tanh(0.5)
assert np.isclose(mg.grad(mg.grad(np.tanh))(point).item(), -2 * t * (1 - t**2))

# %% [markdown]
# ## 2. Newton's step
#
# Near a point $x$ every smooth function looks like a parabola,
#
# $$f(x + s) \approx f(x) + f'(x)\, s + \tfrac12 f''(x)\, s^2 .$$
#
# The parabola's lowest point is where its derivative $f' + f'' s$ is 0, at $s = -f'(x)/f''(x)$. Newton's step
# goes there at once. It is a gradient step with the learning rate $1/f''$:
# **short where the slope changes fast, long where it changes slowly.**
#
# By hand: $f(x) = e^x - 2x$, with $f' = e^x - 2$ and $f'' = e^x$. The minimum is where $e^x = 2$, at
# $\ln 2 = 0.693147\dots$ From $x = 0$:
#
# - $f' = -1$, $f'' = 1$, so $x \leftarrow 0 + 1 = 1$;
# - $f' = e - 2 = 0.71828$, $f'' = e = 2.71828$, so $x \leftarrow 1 - 0.26424 = 0.73576$.


# %%
def valley(x):
    return np.exp(x) - 2 * x


first, second = mg.grad(valley), mg.grad(mg.grad(valley))
x_newton = x_descent = np.float64(0.0)
newton, descent = [], []
for _ in range(7):
    newton.append(abs(x_newton - np.log(2)))
    descent.append(abs(x_descent - np.log(2)))
    x_newton = x_newton - first(x_newton).item() / second(x_newton).item()
    x_descent = x_descent - 0.25 * first(x_descent).item()
    print(f"Newton {x_newton:.15f}   gradient descent {x_descent:.15f}")
print(f"ln 2   {np.log(2):.15f}")
assert abs(x_newton - np.log(2)) < 1e-15

# %%
fig, ax = plt.subplots(figsize=(6, 3))
ax.semilogy(np.maximum(newton, 1e-17), "o-", color=BLUE, label="Newton")
ax.semilogy(descent, "s--", color=ORANGE, label="gradient descent, η = 0.25")
ax.set(xlabel="step", ylabel="distance to the minimum", title="Newton doubles the digits")
ax.legend(frameon=False)
plt.show()
for before, after in pairwise(newton[1:5]):
    print(f"error {before:.1e} -> {after:.1e}; error² / 2 = {before**2 / 2:.1e}")

# %% [markdown]
# Gradient descent gains the same factor with every step: a straight line in the figure. Newton **squares**
# the error (times a constant, here $f'''/2f'' = \tfrac12$), so the number of right digits doubles, until
# float64 has no more.
#
# Is that not always better? Newton's step looks for a point where the *derivative is 0*, and maxima are such
# points too. Take $f(x) = x^4/4 - x^2/2$: minima at $\pm1$, a maximum at 0. At $x = 0.3$ the slope is
# $0.027 - 0.3 = -0.273$, so downhill is to the right.
#
# **Guess before you run:** where does Newton's method end when it starts at 0.3?


# %%
def double_valley(x):
    return x**4 / 4 - x**2 / 2


x_newton, path = np.float64(0.3), []
for _ in range(6):
    path.append(x_newton)
    slope, bend = mg.grad(double_valley)(x_newton).item(), mg.grad(mg.grad(double_valley))(x_newton).item()
    x_newton = x_newton - slope / bend
print("Newton from 0.3:", np.round(path, 6))
print(f"f rises from {double_valley(path[0]):.6f} to {double_valley(path[-1]):.6f}")
assert abs(x_newton) < 1e-9

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# On the maximum. $f'' = 3\cdot0.09 - 1 = -0.73$ is negative at 0.3: the parabola that fits there opens downwards,
# and the place where its slope is 0 is its *top*. The step $-f'/f'' = -0.374$ goes to the left, **uphill**.
#
# </details>
#
# ## 3. Many variables: the Hessian
#
# With $n$ variables there is a slope for each, and each slope changes with each variable: a matrix, the
# **Hessian** $H_{ij} = \partial^2 f/\partial x_i\,\partial x_j$. The parabola becomes
# $f + g\cdot s + \tfrac12 s^\top H s$, and the step to its lowest point solves $H s = -g$.
#
# By hand: $f = 2x_0^2 + x_0x_1 + x_1^2$. Then $g = (4x_0 + x_1,\; x_0 + 2x_1)$ and
# $H = \begin{pmatrix}4&1\\1&2\end{pmatrix}$, the same everywhere. Row $i$ of $H$ is the gradient of entry $i$
# of the gradient, which is how to compute it:


# %%
def hessian(f, x):
    """All second derivatives of f at x, an array (n, n): one walk back through the gradient for each row."""
    rows = [mg.grad(lambda x, i=i: mg.grad(f)(x)[i])(x).numpy() for i in range(len(x))]
    return np.array(rows)


def bowl(x):
    return 2 * x[0] ** 2 + x[0] * x[1] + x[1] ** 2


start = np.array([3.0, -2.0])
H = hessian(bowl, start)
g = mg.grad(bowl)(start).numpy()
print("g =", g, "\nH =\n", H)
print("one Newton step leads to", start - np.linalg.solve(H, g))
assert H.tolist() == [[4, 1], [1, 2]] and np.allclose(start - np.linalg.solve(H, g), 0)

# %% [markdown]
# `mg.hessian(f)` does this and runs `f` only once: a Hessian is the Jacobian of the gradient. `mg.jacobian(g)` gives
# $\partial g_i/\partial x_j$ of a function with many results, a row with each walk back.

# %%
assert mg.hessian(bowl)(start).tolist() == H.tolist()
assert mg.jacobian(mg.grad(bowl))(start).tolist() == H.tolist()

# %% [markdown]
# One step, for any parabola, however narrow. A harder test is Rosenbrock's banana,
# $f = (1 - x_0)^2 + 100\,(x_1 - x_0^2)^2$: a bent valley with steep walls and a nearly flat floor, with its
# minimum at $(1, 1)$.


# %%
def banana(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


newton_path = [np.array([-1.2, 1.0])]
for _ in range(6):
    x = newton_path[-1]
    newton_path.append(x - np.linalg.solve(mg.hessian(banana)(x).numpy(), mg.grad(banana)(x).numpy()))
    print(f"{newton_path[-1]}   f = {banana(newton_path[-1]):.3g}")

descent_path = [np.array([-1.2, 1.0])]
for _ in range(1000):
    descent_path.append(descent_path[-1] - 0.001 * mg.grad(banana)(descent_path[-1]).numpy())
print(f"gradient descent after 1000 steps: {descent_path[-1].round(3)}, f = {banana(descent_path[-1]):.3g}")
assert banana(newton_path[-1]) < 1e-12 < banana(descent_path[-1])

# %%
fig, ax = plt.subplots(figsize=(6.5, 3.8))
gx, gy = np.meshgrid(np.linspace(-1.6, 1.6, 200), np.linspace(-3.4, 1.8, 200))
ax.contour(gx, gy, np.log10(banana((gx, gy)) + 1e-3), 18, colors="lightgrey", linewidths=0.7)
ax.plot(*np.array(newton_path).T, "o-", color=BLUE, label="Newton, 6 steps")
ax.plot(*np.array(descent_path).T, ".", color=ORANGE, markersize=2, label="gradient descent, 1000 steps")
ax.plot(1, 1, "*", color=GREEN, markersize=12, label="minimum")
ax.set(xlabel="x₀", ylabel="x₁", title="Rosenbrock's banana")
ax.legend(frameon=False, loc="lower left")
plt.show()

# %% [markdown]
# Newton's second step makes $f$ three hundred times larger for a moment: it follows the parabola of the place
# where it stands, far across the wall, and only the next step comes back. Practical methods therefore shorten
# the step where $f$ rises.
#
# ## 4. Curvature without the matrix
#
# Why does nobody train networks like this? Count:

# %%
parameters = 784 * 128 + 128 + 128 * 10 + 10
entries = parameters**2
print(
    f"784-128-10: {parameters:,} parameters, {entries:,} entries of H, {4 * entries / 1e9:.0f} GB in float32"
)

# %% [markdown]
# But often one does not need $H$, only what it does to a vector: $Hv$ says how the gradient changes when we
# move along $v$. And that can be had without $H$. The number $g(x)\cdot v$ has the gradient
# $\nabla (g\cdot v) = Hv$, because $v$ is constant (Pearlmutter 1994). So: walk back once, recording; take
# the scalar product with $v$; walk back again.
#
# By hand with the bowl: $v = (1, 0)$ gives $g\cdot v = 4x_0 + x_1$, whose gradient is $(4, 1)$: the first
# column of $H$.

# %%
x = mg.Tensor(start, requires_grad=True, name="x")
(g,) = mg.gradients(bowl(x), [x], create_graph=True)
v = np.array([1.0, 0.0])
(Hv,) = mg.gradients((g * v).sum(), [x])
print("H v =", Hv.numpy())
assert Hv.numpy().tolist() == [4, 1]
assert mg.hvp(bowl, start, v).tolist() == [4, 1]  # the same two walks

# %% [markdown]
# Now a real network: 64–16–10 with tanh on 500 of the 8×8 digits, with a small L2 penalty (tutorial 11) so
# that there is a minimum to settle in, trained for 600 steps of gradient descent. Its parameters are several
# arrays, so $v$ is a list of arrays of the same shapes. (`mg.functional_call` makes the network a function of its
# parameters: those that it is given, by their names.)

# %%
digits = load_digits()
inputs, labels = mg.Tensor(digits.x[:500].astype("float64")), digits.y[:500]
rng = np.random.default_rng(16)
model = nn.Sequential(nn.Linear(64, 16, rng=rng), nn.Tanh(), nn.Linear(16, 10, rng=rng)).to("float64")
weights = model.parameters()


def loss_now():
    return nn.cross_entropy(model(inputs), labels) + 0.005 * sum((weight**2).sum() for weight in weights)


def descend(rate, steps):
    """Plain gradient descent on all 500 digits; yields after each step."""
    optimizer = optim.GD(model, lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_now().backward()
        optimizer.step()
        yield


for _ in descend(0.5, 600):
    pass
print(f"{model.count_parameters():,} parameters, loss {loss_now().item():.4f}")


names = [name for name, _ in model.named_parameters()]


def loss_of(*arrays):
    """The same loss, as a function of the weights that are given."""
    out = mg.functional_call(model, dict(zip(names, arrays, strict=True)), inputs)
    return nn.cross_entropy(out, labels) + 0.005 * sum((array**2).sum() for array in arrays)


def hessian_times(v):
    """H·v for the loss of the network, as a list of arrays: two walks back, no matrix."""
    return [part.numpy() for part in mg.hvp(loss_of, weights, v)]


# %% [markdown]
# Do we believe it? The gradient's own central difference along $v$ must give the same,
# $\bigl(g(\theta + hv) - g(\theta - hv)\bigr)/2h$:


# %%
def dot(u, v):
    return float(sum((a * b).sum() for a, b in zip(u, v, strict=True)))


def move(v, distance):
    """Add distance · v to the weights."""
    for weight, direction in zip(weights, v, strict=True):
        weight.data = weight.data + distance * direction


def gradient():
    return [part.numpy() for part in mg.gradients(loss_now(), weights)]


v = [rng.standard_normal(weight.shape) for weight in weights]
h = 1e-5
move(v, h)
above = gradient()
move(v, -2 * h)
below = gradient()
move(v, h)
exact = hessian_times(v)
differences = [(a - b) / (2 * h) for a, b in zip(above, below, strict=True)]
worst = max(np.abs(a - b).max() for a, b in zip(exact, differences, strict=True))
print(f"largest difference {worst:.1e}, largest entry {max(np.abs(a).max() for a in exact):.2f}")
assert worst < 1e-6

# %% [markdown]
# ## 5. The largest learning rate that a network bears
#
# Tutorial 13 found for $L = \tfrac12 a w^2$ that gradient descent runs away when $\eta > 2/a$. In many
# variables the same holds along every eigenvector of $H$, with its eigenvalue $\lambda$ for $a$: a deviation
# along it is multiplied by $1 - \eta\lambda$ each step. The steepest direction decides, so the border is
# $\eta = 2/\lambda_{\max}$.
#
# And $\lambda_{\max}$ can be found with products $Hv$ alone: start with a random $v$, and replace it by $Hv$,
# scaled to length 1, again and again. Each product stretches every eigenvector's part by its eigenvalue; the
# largest wins (*power iteration*). The estimate is $v\cdot Hv$.

# %%
length = np.sqrt(dot(v, v))
v = [part / length for part in v]
estimates = []
for _ in range(60):
    product = hessian_times(v)
    estimates.append(dot(v, product))
    length = np.sqrt(dot(product, product))
    v = [part / length for part in product]
largest = estimates[-1]
print("estimates of λ_max:", np.round(estimates[::10], 4), "->", round(largest, 4))
print(f"predicted border: η = 2 / λ_max = {2 / largest:.3f}")

# %% [markdown]
# Is the loss a parabola along that direction at all? We walk along $v$ from where we are, and compare the
# loss with $L + (g\cdot v)\,s + \tfrac12\lambda s^2$:

# %%
distances = np.linspace(-3, 3, 61)
here, slope, losses = loss_now().item(), dot(gradient(), v), []
for s in distances:
    move(v, s)
    losses.append(loss_now().item())
    move(v, -s)
parabola = here + slope * distances + 0.5 * largest * distances**2
fig, ax = plt.subplots(figsize=(6, 3))
ax.plot(distances, losses, color=BLUE, label="loss of the network")
ax.plot(distances, parabola, "--", color=ORANGE, label="its parabola at 0")
ax.set(xlabel="distance along the steepest eigenvector", ylabel="loss", title="A slice through the loss")
ax.legend(frameon=False)
plt.show()
near = np.abs(distances) < 0.15
print(f"largest gap within 0.1 of the middle: {np.abs(np.array(losses) - parabola)[near].max():.1e}")

# %% [markdown]
# Near the middle it is. And sideways? `mg.viz.loss_slice` draws the loss over the plane of two directions, and
# puts the weights back. Here the first is the steepest eigenvector, the second a random direction at a right
# angle to it, both of length 1.
#
# **Guess before you run:** which shape have the lines of equal loss?

# %%
second = [rng.standard_normal(weight.shape) for weight in weights]
second = [part - dot(second, v) * direction for part, direction in zip(second, v, strict=True)]
length = np.sqrt(dot(second, second))
second = [part / length for part in second]
mg.viz.loss_slice(loss_now, model, [v, second], span=2, count=41)

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# Long ellipses: a valley. Along the eigenvector the loss rises steeply to both sides, across it hardly at all. A random
# direction is a mixture of all the eigenvectors, and most of their eigenvalues are small, so nearly every
# direction in a trained network is a flat one, and the few steep ones set the rate.
#
# </details>
#
# Now the prediction itself. Let two networks start $10^{-6}$ apart along $v$, and take
# the same steps. Their distance along $v$ must change by the factor $1 - \eta\lambda$ each step: $-0.8$ at
# nine tenths of the border, $-1.2$ at eleven tenths.

# %%
origin = model.state_dict()


def run(rate, push, steps=15):
    """The position along v after each step, started ``push`` away from the origin."""
    model.load_state_dict(origin)
    move(v, push)
    return np.array([dot([weight.numpy() for weight in weights], v) for _ in descend(rate, steps)])


fig, ax = plt.subplots(figsize=(6, 3))
for share, colour, style in ((0.9, BLUE, "o-"), (1.1, ORANGE, "s--")):
    rate = share * 2 / largest
    apart = np.abs(run(rate, 1e-6) - run(rate, 0.0))
    factor = apart[1] / apart[0]
    print(f"η = {rate:.3f}: predicted factor {abs(1 - rate * largest):.3f}, second step {factor:.3f}")
    ax.semilogy(np.arange(1, 16), apart, style, color=colour, label=f"{share} of the border")
    assert abs(factor - abs(1 - rate * largest)) < 0.05
    assert (apart[-1] > apart[0]) == (share > 1)
model.load_state_dict(origin)
ax.set(xlabel="step", ylabel="distance", title="Two runs that start 10⁻⁶ apart")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# So the border that was computed from curvature alone, without taking one step, is where small deviations
# begin to grow. In practice they do not grow for ever: the parabola ends, the network moves to a flatter
# place, and training hovers near the border (Cohen et al. 2021 call it the edge of stability). And that is
# why learning rates are found by trying.
#
# ## Exercises
#
# **16.1** By hand: $f(x) = x^4 - 8x$. Where does one Newton step from $x = 1$ lead? (Four digits are enough.)

# %%
newton_step = None  # your answer

exercise("16.1")(newton_step)

# %% [markdown]
# **16.2** Write `hessian_vector(f, x, v)` with `mg.grad` or `mg.gradients`: the product $Hv$ for a function
# `f` from an array to one number, at the array `x`. No matrix, no finite differences.


# %%
def hessian_vector(f, x, v): ...  # your answer


exercise("16.2")(hessian_vector)

# %% [markdown]
# **16.3** Above which learning rate does gradient descent run away on
# $f = \tfrac32 x_0^2 + x_0 x_1 + \tfrac32 x_1^2$? (Write down $H$, and find its eigenvalues; $(1, 1)$ and
# $(1, -1)$ are its eigenvectors.)

# %%
border = None  # your answer

exercise("16.3")(border)
