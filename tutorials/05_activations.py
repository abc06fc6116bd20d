# %% [markdown]
# # 5. Activations and vanishing gradients
#
# Between two dense layers stands a function that bends: a sigmoid, a tanh, a ReLU. **Why is it there? And why did networks with many
# layers hardly learn for twenty years, until one of these functions was replaced by a simpler one?** Both answers are in the derivative.

# %%
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn
from minigrad.data import load_digits
from minigrad.exercises import exercise
from minigrad.viz.style import BLUE, GREEN, ORANGE, SKY

# %% [markdown]
# ## Without a bend, layers collapse
#
# Two dense layers in a row, $y = W_2 (W_1 x + b_1) + b_2 = (W_2 W_1)\,x + (W_2 b_1 + b_2)$, are one dense layer. Ten are one, too:

# %%
rng = np.random.default_rng(0)
layers = [nn.Linear(4, 4, rng=rng) for _ in range(10)]
x = rng.standard_normal((6, 4)).astype("float32")

deep = x
product, offset = np.eye(4, dtype="float32"), np.zeros(4, "float32")
for layer in layers:
    deep = layer(mg.Tensor(deep)).numpy()
    W, b = layer.weight.numpy(), layer.bias.numpy()
    product, offset = W @ product, W @ offset + b
shallow = x @ product.T + offset
print("largest difference between ten layers and one:", np.abs(deep - shallow).max())
assert np.allclose(deep, shallow, atol=1e-6)

# %% [markdown]
# And one layer cannot do much. Take XOR: answer 1 where exactly one of two inputs is 1. A single weighted sum would need
# $b \le 0$ (for 0,0), $w_1 + b > 0$ and $w_2 + b > 0$ (for the two ones), and $w_1 + w_2 + b \le 0$ (for 1,1). Add the middle two:
# $w_1 + w_2 + 2b > 0$. Subtract the last: $b > 0$. That contradicts the first. No weights exist.
#
# With one bend, two hidden units are enough. Unit 1 sums the inputs, unit 2 sums them and subtracts 1, both are cut off below 0, and the
# answer is $a_1 - 2 a_2$:

# %%
inputs = mg.Tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
hidden = mg.ops.relu(inputs @ np.ones((2, 2), "float32") + np.array([0.0, -1.0], "float32"))
answer = hidden @ np.array([1.0, -2.0], "float32")
for row, a, y in zip(inputs.numpy(), hidden.numpy(), answer.numpy(), strict=True):
    print(f"x = {row}   hidden = {a}   answer = {y:g}")
assert answer.numpy().tolist() == [0, 1, 1, 0]

# %% [markdown]
# The four corners are right. What does the network say *between* them? The picture under What if, below, asks it everywhere: orange where the answer is
# nearer to 1, blue where it is nearer to 0, white where it is ½.
#
# **Guess before you run:** where does the white line run, and how many pieces has it?

# %%
corners = mg.Tensor(inputs.numpy(), name="x")
wanted = mg.Tensor([[0.0], [1.0], [1.0], [0.0]], name="y")
W1 = mg.Tensor(np.ones((2, 2), "float32"), requires_grad=True, name="W1")
b1 = mg.Tensor([0.0, -1.0], requires_grad=True, name="b1")
W2 = mg.Tensor([[1.0], [-2.0]], requires_grad=True, name="W2")


def two_bends():
    hidden = mg.ops.relu(corners @ W1 + b1)
    loss = ((hidden @ W2 - wanted) ** 2).mean()
    loss.backward()


mg.record(two_bends, title="exclusive or, with two bends")

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# Two parallel lines with a band of class 1 between them. Both units look only at $x_1 + x_2$, so the answer is the same along every line
# $x_1 + x_2 = \text{const}$: it rises from 0 to 1 up to the place where unit 2 opens, and falls just as fast behind it. It is ½ where
# $x_1 + x_2 = \frac12$ and where it is $\frac32$. A single layer has one straight line, and one line cannot cut two corners off.
#
# </details>
#
# Take a bend away: set `b1[1]` to −9, and unit 2 never opens. What is left is one straight line, and a corner is wrong. Now move the bend back by the arrow keys,
# and watch the second line come in. (`minigrad step --lesson dead-units` goes on from here.) For a report, `mg.viz.decision_boundary` draws the
# same for any function, as a picture that stands still:


# %%
def network_of_two(points):
    """The same two units for any points; a logit above 0 means class 1."""
    return 8 * (mg.ops.relu(points @ W1 + b1) @ W2 - 0.5).reshape(-1)


mg.viz.decision_boundary(network_of_two, inputs.numpy(), np.array([0, 1, 1, 0]))

# %% [markdown]
# ## The usual bends and their slopes
#
# Forwards, the curve matters. Backwards, only its **slope** does: the rule of each is $g$ times the slope at the place where the forward pass
# was. Here are both, the slopes computed by the engine.

# %%
activations = {
    "sigmoid": mg.ops.sigmoid,
    "tanh": np.tanh,
    "relu": mg.ops.relu,
    "leaky_relu": lambda t: mg.ops.leaky_relu(t, slope=0.1),
    "gelu": mg.ops.gelu,
}
colours = dict(zip(activations, (ORANGE, BLUE, GREEN, SKY, "#555555"), strict=True))
styles = dict(zip(activations, ("-", "--", "-", ":", "-."), strict=True))


def slopes(function, points):
    z = mg.Tensor(points, requires_grad=True)
    function(z).sum().backward()
    return z.grad.numpy()


points = np.linspace(-4, 4, 401)
fig, axes = plt.subplots(1, 2, figsize=(9.6, 3.4))
for name, function in activations.items():
    with mg.no_grad():
        axes[0].plot(
            points, function(mg.Tensor(points)).numpy(), styles[name], color=colours[name], label=name
        )
    axes[1].plot(points, slopes(function, points), styles[name], color=colours[name], label=name)
axes[0].set(title="value", xlabel="z", ylim=(-1.2, 2.5))
axes[1].set(title="slope", xlabel="z")
axes[0].legend(frameon=False)
plt.show()

for name, function in activations.items():
    print(
        f"{name:10} largest slope {slopes(function, points).max():.4f}, slope at z = 4: {slopes(function, points)[-1]:.4f}"
    )

# %% [markdown]
# The sigmoid's slope is nowhere above ¼. By hand: $\sigma' = \sigma(1 - \sigma)$, and a product of two numbers that add up to 1 is largest when both are
# ½. Far from 0 it is nearly flat; that is called *saturated*. ReLU's slope is 1 wherever it is open. (All in `minigrad/ops/activation.py`; the
# rule of sigmoid reads `g · y · (1 - y)`, so it needs no exponential on the way back.)
#
# ## Ten small factors
#
# Now stack them: $y = \sigma(\sigma(\dots\sigma(x)))$, the weights all 1. The chain rule multiplies the slopes.
#
# **Guess before you run:** which part of a nudge of $x$ arrives behind ten sigmoids? A tenth, a thousandth, a millionth? And behind ten ReLUs?

# %%
print("layers   ¼ to that power    sigmoid       tanh     relu")
for depth in (1, 2, 3, 5, 10):
    through = []
    for name in ("sigmoid", "tanh", "relu"):
        start = y = mg.Tensor(0.5, requires_grad=True, dtype="float64")
        for _ in range(depth):
            y = activations[name](y)
        y.backward()
        through.append(start.grad.item())
    print(f"{depth:6}   {0.25**depth:14.2e}  {through[0]:10.2e}  {through[1]:9.4f}  {through[2]:7.1f}")
    assert through[0] < 0.25**depth

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# Each of ten slopes is at most ¼, so the product is at most $(1/4)^{10} \approx 10^{-6}$: a nudge of the input of ten sigmoids arrives at the
# far end a million times smaller or worse. A ReLU that is open hands on all of it.
#
# </details>
#
# Since gradients travel the same road backwards, **the first
# layers of a deep sigmoid network are told almost nothing about the loss**. That is the vanishing gradient. Step through a chain of four and
# watch the incoming number shrink.


# %%
def chain():
    x = mg.Tensor(0.5, requires_grad=True, name="x")
    y = x
    for _ in range(4):
        y = mg.ops.sigmoid(y)
    y.backward()


mg.record(chain, title="four sigmoids")

# %% [markdown]
# ## In a real network
#
# Weights are not all 1, so let us look. Ten hidden layers of 32 units on the digits, one backward pass at the start of training.

# %%
digits = load_digits()
X, labels = digits.x[:500], digits.y[:500]


def network(activation, depth, init, seed=0):
    rng = np.random.default_rng(seed)
    widths = [64] + [32] * depth
    parts = []
    for i, o in pairwise(widths):
        parts += [nn.Linear(i, o, rng=rng, init=init), activation()]
    return nn.Sequential(*parts, nn.Linear(32, 10, rng=rng, init=init))


def gradient_sizes(model):
    model.zero_grad()
    nn.cross_entropy(model(mg.Tensor(X)), labels).backward()
    weights = [tensor for name, tensor in model.named_parameters().items() if name.endswith("weight")]
    return np.array([np.sqrt(np.mean(w.grad.numpy() ** 2)) for w in weights])


sizes = {
    "sigmoid": gradient_sizes(network(nn.Sigmoid, 10, "glorot_uniform")),
    "tanh": gradient_sizes(network(nn.Tanh, 10, "glorot_uniform")),
    "relu": gradient_sizes(network(nn.ReLU, 10, "he_normal")),
}
fig, ax = plt.subplots(figsize=(6.4, 3.4))
for (name, size), mark in zip(sizes.items(), "os^", strict=True):
    ax.semilogy(np.arange(1, 12), size, mark + styles[name], color=colours[name], label=name)
    print(f"{name:8} first layer {size[0]:.1e}, last layer {size[-1]:.1e}, ratio {size[0] / size[-1]:.1e}")
ax.set(xlabel="layer, 1 is next to the pixels", ylabel="size of the gradient")
ax.legend(frameon=False)
plt.show()
assert sizes["sigmoid"][0] < 1e-4 * sizes["sigmoid"][-1]
assert sizes["relu"][0] > 0.1 * sizes["relu"][-1]

# %% [markdown]
# With sigmoids, each layer further down receives about a quarter or less of what the one above has. With ReLU the sizes stay within a factor of
# ten. `mg.viz.gradient_flow` draws this for any network of yours, after `backward()`:

# %%
deep_sigmoid = network(nn.Sigmoid, 4, "glorot_uniform")
gradient_sizes(deep_sigmoid)
mg.viz.gradient_flow(deep_sigmoid)

# %% [markdown]
# ## The other half: the size of the weights
#
# The road back multiplies by slopes *and by weights*. So we could cure small slopes with large weights? Then the forward pass grows and the sigmoids
# saturate. What is wanted is that neither the numbers forwards nor the gradients backwards grow or shrink from layer to layer.
#
# One unit with $n$ inputs: $z = \sum_i w_i a_i$. Weights drawn with mean 0 and variance $s^2$, independent of the inputs, give
#
# $$\operatorname{Var}(z) = n\, s^2\, \overline{a^2},$$
#
# where $\overline{a^2}$ is the mean square of the inputs. After a ReLU half of the $z$ are cut off, so $\overline{a^2} = \frac12 \operatorname{Var}(z)$ in the next layer. For the
# variance to stay, $n\,s^2 \cdot \frac12 = 1$:
#
# $$s = \sqrt{2/n}\,.$$
#
# This is He's initialisation (He et al. 2015, eq. 10; `minigrad/nn/init.py`). Measure it: thirty layers of ReLU, weights drawn with $s$ a bit too small, right, and
# a bit too large.

# %%
fig, ax = plt.subplots(figsize=(6.4, 3.4))
n, depth = 256, 30
for factor, colour, mark in ((0.7, BLUE, "s"), (1.0, GREEN, "o"), (1.4, ORANGE, "^")):
    rng = np.random.default_rng(1)
    a = rng.standard_normal((200, n))
    size = []
    for _ in range(depth):
        a = np.maximum(a @ rng.normal(0, factor * np.sqrt(2 / n), (n, n)).T, 0)
        size.append(np.sqrt(np.mean(a**2)))
    ax.semilogy(
        np.arange(1, depth + 1), size, mark + "-", ms=4, color=colour, label=f"s = {factor:g} · √(2/n)"
    )
    print(
        f"s = {factor:g} · √(2/n): size after {depth} layers {size[-1]:.2e}; {factor:g} to the power {depth} is {factor**depth:.2e}"
    )
ax.set(xlabel="layer", ylabel="size of the activations")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# A factor of 0.7 or 1.4 looks harmless. To the power of 30 it is $10^{-5}$ or $10^{4}$. This is why the default of a layer is not "some small
# random numbers". For tanh, which has slope 1 at 0 and cuts nothing off, $s = \sqrt{1/n}$ is right (Glorot & Bengio 2010 take the mean of the
# numbers of inputs and outputs).
#
# ## Does it matter for learning?
#
# The same data, the same seeds, the same steps; one deep network with ReLU, the other with sigmoids:

# %%
pair = mg.viz.broken("deep_sigmoid")
pair

# %% [markdown]
# The sigmoid network is stuck near the loss of guessing, $\ln 10 = 2.303$. It is not that it cannot represent a solution. Nobody tells its first
# layers where to go. `mg.debug()`, which the trainer switches on for its first step, measures just that: MG-407.
#
# ## What ReLU pays
#
# Nothing is free. Where a ReLU is closed, its slope is exactly 0, and if it is closed for *every* sample, its weights never receive a gradient again. It
# is **dead**. One large step can do that: here a unit's bias was thrown to $-10$.

# %%
rng = np.random.default_rng(0)
samples = mg.Tensor(rng.standard_normal((1000, 3)).astype("float32"))
for name, function in (("relu", mg.ops.relu), ("leaky_relu", activations["leaky_relu"])):
    w = mg.Tensor([0.5, -0.3, 0.8], requires_grad=True, name="w")
    b = mg.Tensor(-10.0, requires_grad=True, name="b")
    function(samples @ w + b).sum().backward()
    print(f"{name:10} dL/db = {b.grad.item():8.3f}, dL/dw = {w.grad.numpy().round(3)}")
    assert (b.grad.item() == 0) == (name == "relu")

# %% [markdown]
# A leaky ReLU keeps a small slope on the closed side, so it can come back. In practice He's weights, moderate rates and ReLU are fine; tutorial 13 shows how to
# find dead units.
#
# ## A sigmoid that does not overflow
#
# One more thing that the formula hides. $\sigma(z) = 1/(1 + e^{-z})$, and $e^{100}$ is more than float32 can hold. Forwards it happens to turn out well: $1/\infty = 0$.
# Backwards it does not:

# %%
for name, function in (("as printed", mg.ops.naive_sigmoid), ("stable", mg.ops.sigmoid)):
    z = mg.Tensor([-100.0, 0.0, 100.0], requires_grad=True, name="z")
    with np.errstate(all="ignore"):
        y = function(z)
        y.sum().backward()
    print(f"{name:10} value {y.numpy()}, slope {z.grad.numpy()}")
    assert np.isnan(z.grad.numpy()[0]) == (name == "as printed")

# %% [markdown]
# $0 \cdot \infty$ is not a number, and one NaN in a gradient makes all weights NaN in the next step. The stable form takes the exponential of
# $-|z|$ only, which is at most 1. Both stand side by side in `minigrad/ops/activation.py`, and so it is with every function in this engine that
# overflows in its textbook form.
#
# ## What to take along
#
# - Without a bend, any number of layers is one layer.
# - Backwards, an activation is its slope. The slopes of a deep network multiply, and sigmoid's are at most ¼.
# - Weights multiply too: $s = \sqrt{2/n}$ for ReLU keeps sizes as they are, forwards and backwards.
# - ReLU passes gradients on undiminished or not at all.
#
# ## Exercises
#
# **5.1** $y = \sigma(w_2\,\sigma(w_1 x))$ with $w_1 = 4$, $w_2 = 2 \ln 3 \approx 2.1972$, at $x = 0$. By hand: what are $y$ and $dy/dx$? (Three digits are enough.
# Hint: $\sigma(\ln 3) = 3/4$.)

# %%
my_values = (..., ...)  # y, dy/dx

check = exercise("05.1")
check(my_values)

# %% [markdown]
# **5.2** The activation *swish* is $x\,\sigma(x)$. Write its slope as a function of a NumPy array. It shall give no NaN at $x = \pm 1000$.


# %%
def swish_slope(x):
    """Return d/dx of x · sigmoid(x), for an array x."""
    ...


check = exercise("05.2")
check(swish_slope)

# %% [markdown]
# **5.3** A leaky ReLU lets through $z$ where $z > 0$ and $\alpha z$ elsewhere. Repeat the argument of He: with which standard deviation should the weights of a unit
# with $n$ inputs be drawn, so that the variance stays the same from layer to layer?


# %%
def standard_deviation(n, alpha):
    """Return s for n inputs that come out of leaky ReLUs of slope alpha."""
    ...


check = exercise("05.3")
check(standard_deviation)
