# %% [markdown]
# # 4. A dense layer from nothing
#
# Most of the arithmetic in a network is one formula, $Y = X W^\top + b$, followed by something that bends it. **How much code is
# a network that learns to read digits, if we write every line ourselves?** About forty lines of NumPy. In this tutorial we write them:
# forwards, backwards, one by hand for a sample you can follow, then for a batch, then training. Then the engine's `nn.Linear` does the
# same with the same numbers.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import load_digits
from minigrad.exercises import exercise
from minigrad.viz.style import BLUE, ORANGE

# %% [markdown]
# ## One unit, then a layer
#
# A unit has a weight for each of its inputs and a bias. It answers with a weighted sum, $z = w_1 x_1 + w_2 x_2 + b$: large where the input
# points in the direction of the weights. A dense layer is several units that look at the same input; the weights of unit $k$ are row $k$ of
# $W$. So for one sample, with two inputs, two units:
#
# $$x = \begin{pmatrix} 1\\ 2\end{pmatrix},\quad W = \begin{pmatrix} 3 & -1\\ 1 & -1 \end{pmatrix},\quad
# b = \begin{pmatrix} 0\\ 0.5\end{pmatrix},\qquad z = W x + b = \begin{pmatrix} 3 - 2 + 0\\ 1 - 2 + 0.5\end{pmatrix}
# = \begin{pmatrix} 1\\ -0.5 \end{pmatrix}.$$
#
# Then a bend. ReLU keeps what is positive and cuts off the rest, $a = \max(0, z) = (1, 0)$. (Why a bend at all? Tutorial 5.) A last layer with one
# unit, weights $v = (2, 4)$ and bias 0.5, gives the prediction
#
# $$p = 2 \cdot 1 + 4 \cdot 0 + 0.5 = 2.5.$$
#
# The target is $t = 1$, the loss $L = \frac12 (p - t)^2 = 1.125$.
#
# **Backwards**, layer by layer, always asking: what comes in, and what does each thing hand on?
#
# 1. At the prediction: $\partial L/\partial p = p - t = 1.5$.
# 2. The last layer: $\partial L/\partial v = 1.5 \cdot a = (1.5,\ 0)$, its bias $1.5$, and to its input $1.5 \cdot v = (3,\ 6)$.
# 3. ReLU passes on where it was open, $z > 0$: $(3,\ 0)$. Unit 2 was cut off. Its weights will not move for this sample.
# 4. The first layer: $\partial L/\partial W$ is each unit's number times the input, $\begin{pmatrix} 3\cdot 1 & 3\cdot 2\\ 0 & 0\end{pmatrix}$; its bias
#    $(3,\ 0)$.

# %%
x = mg.Tensor([1.0, 2.0], name="x")
W = mg.Tensor([[3.0, -1.0], [1.0, -1.0]], requires_grad=True, name="W")
b = mg.Tensor([0.0, 0.5], requires_grad=True, name="b")
v = mg.Tensor([2.0, 4.0], requires_grad=True, name="v")
c = mg.Tensor(0.5, requires_grad=True, name="c")


def step():
    for parameter in (W, b, v, c):
        parameter.zero_grad()
    a = mg.ops.relu(W @ x + b)
    p = v @ a + c
    loss = 0.5 * (p - 1.0) ** 2
    loss.backward()


trace = mg.record(step, title="two layers, one sample")
for parameter in (W, b, v, c):
    print(f"dL/d{parameter.name} = {parameter.grad.numpy().tolist()}")
assert W.grad.numpy().tolist() == [[3, 6], [0, 0]]
assert b.grad.numpy().tolist() == [3, 0]
assert v.grad.numpy().tolist() == [1.5, 0]
assert c.grad.item() == 1.5

# %% [markdown]
# All of it as calculated. In the stepper, follow one weight of $W$ that moves, and one that does not.

# %%
trace

# %% [markdown]
# ## A batch
#
# Samples come in batches, as rows of a matrix $X$ of shape (n, in). All rows go through the same weights, so
#
# $$Y = X W^\top + b, \qquad X: (n, \text{in}),\quad W: (\text{out}, \text{in}),\quad b: (\text{out}),\quad Y: (n, \text{out}).$$
#
# Backwards, with $G = \partial L/\partial Y$ of shape (n, out), tutorial 3 gives everything:
#
# | | formula | shape |
# |---|---|---|
# | to the weights | $G^\top X$ | (out, n)(n, in) = (out, in) |
# | to the bias | sum of $G$ over the rows | (out) |
# | to the layer below | $G\,W$ | (n, out)(out, in) = (n, in) |
#
# In code this is a class with a forward and a backward. It has to keep $X$, because $\partial L/\partial W$ needs it.


# %%
class Dense:
    def __init__(self, inputs, outputs, rng):
        bound = 1 / np.sqrt(inputs)
        self.W = rng.uniform(-bound, bound, (outputs, inputs)).astype("float32")
        self.b = rng.uniform(-bound, bound, outputs).astype("float32")

    def forward(self, X):
        self.X = X
        return X @ self.W.T + self.b

    def backward(self, G):
        self.dW = G.T @ self.X
        self.db = G.sum(axis=0)
        return G @ self.W

    def update(self, rate):
        self.W -= rate * self.dW
        self.b -= rate * self.db


class ReLU:
    def forward(self, Z):
        self.open = Z > 0
        return Z * self.open

    def backward(self, G):
        return G * self.open

    def update(self, rate):
        pass


# %% [markdown]
# A network is a list of these. Forwards from first to last, backwards from last to first: the tape of tutorial 2, with whole layers as
# its lines.


# %%
def forward(layers, X):
    for layer in layers:
        X = layer.forward(X)
    return X


def backward(layers, G):
    for layer in reversed(layers):
        G = layer.backward(G)


# %% [markdown]
# ## Digits
#
# The data: 1,797 handwritten digits of 8 × 8 pixels, each a row of 64 numbers between 0 and 1.

# %%
digits = load_digits()
shown = digits.x[:12].reshape(-1, 8, 8)
fig, axes = plt.subplots(1, 12, figsize=(9.6, 1.2))
for ax, image, label in zip(axes, shown, digits.y, strict=False):
    ax.imshow(image, cmap="gray_r")
    ax.set_title(str(label), size=10)
    ax.set(xticks=[], yticks=[])
plt.show()

order = np.random.default_rng(0).permutation(len(digits.x))
train, test = order[:1400], order[1400:]
X_train, y_train = digits.x[train], digits.y[train]
X_test, y_test = digits.x[test], digits.y[test]
targets = np.eye(10, dtype="float32")[y_train]  # 1 in the place of the right digit, 0 elsewhere
print(X_train.shape, targets.shape)

# %% [markdown]
# The network has one output for each digit; it shall be 1 for the right one and 0 for the others. The loss is half the squared error, summed over
# the ten outputs, averaged over the $n$ samples:
#
# $$L = \frac1{2n}\sum_{i}\sum_k (Y_{ik} - T_{ik})^2, \qquad \frac{\partial L}{\partial Y} = \frac{Y - T}{n}.$$
#
# (Tutorial 6 has a better loss for classes. This one is enough to learn from.) Before training, check the gradient: nudge one weight
# and compare. A backward pass that was never checked is a guess.

# %%
rng = np.random.default_rng(1)
mine = [Dense(64, 32, rng), ReLU(), Dense(32, 10, rng)]


def loss_of(layers, X, T):
    Y = forward(layers, X)
    return np.sum((Y - T) ** 2) / (2 * len(X)), (Y - T) / len(X)


_, G = loss_of(mine, X_train, targets)
backward(mine, G)

for layer in (mine[0], mine[2]):  # float64, so that the quotient has enough digits (tutorial 1)
    layer.W, layer.b = layer.W.astype("float64"), layer.b.astype("float64")
h = 1e-5
for layer, place in ((0, (5, 20)), (0, (31, 43)), (2, (7, 3))):
    weights = mine[layer].W
    kept = weights[place]
    weights[place] = kept + h
    up, _ = loss_of(mine, X_train, targets)
    weights[place] = kept - h
    down, _ = loss_of(mine, X_train, targets)
    weights[place] = kept
    by_rule, by_nudging = mine[layer].dW[place], (up - down) / (2 * h)
    print(f"layer {layer}, weight {place!s:8}: by rule {by_rule:+.7f}, by nudging {by_nudging:+.7f}")
    assert abs(by_rule - by_nudging) < 1e-6
for layer in (mine[0], mine[2]):
    layer.W, layer.b = layer.W.astype("float32"), layer.b.astype("float32")

# %% [markdown]
# ## The same in minigrad
#
# Before we train ours, we build its twin from the engine's parts and give it *the same weights*. `nn.Linear` keeps them in the same shape,
# (out, in). Nothing is written backwards: the operation `linear` has its rules in `minigrad/ops/fused.py`.

# %%
theirs = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
theirs[0].weight.data, theirs[0].bias.data = mine[0].W.copy(), mine[0].b.copy()
theirs[2].weight.data, theirs[2].bias.data = mine[2].W.copy(), mine[2].b.copy()
print(theirs)

for rule in mg.ops.linear.rules:
    print("  backwards:", rule.formula)

difference = theirs(mg.Tensor(X_train)) - targets
loss = (difference * difference).sum() / (2 * len(X_train))
loss.backward()
for ours, engine in (
    (mine[0].dW, theirs[0].weight),
    (mine[0].db, theirs[0].bias),
    (mine[2].dW, theirs[2].weight),
):
    print(f"gradient {ours.shape!s:9} largest difference {np.abs(ours - engine.grad.numpy()).max():.1e}")
    np.testing.assert_allclose(ours, engine.grad.numpy(), atol=1e-6)

# %% [markdown]
# Equal, up to the last digit of float32. Now let both learn: 300 steps, each over all training digits, each
# step $W \leftarrow W - 0.2\, \partial L/\partial W$.

# %%
optimizer = optim.SGD(theirs, lr=0.2)
history = {"mine": [], "minigrad": []}
for _ in range(300):
    value, G = loss_of(mine, X_train, targets)
    backward(mine, G)
    for layer in mine:
        layer.update(0.2)
    history["mine"].append(value)

    optimizer.zero_grad()
    difference = theirs(mg.Tensor(X_train)) - targets
    loss = (difference * difference).sum() / (2 * len(X_train))
    loss.backward()
    optimizer.step()
    history["minigrad"].append(loss.item())

right = {
    "mine": np.mean(forward(mine, X_test).argmax(axis=1) == y_test),
    "minigrad": np.mean(theirs(mg.Tensor(X_test)).numpy().argmax(axis=1) == y_test),
}
for name in history:
    print(
        f"{name:9} loss {history[name][0]:.4f} -> {history[name][-1]:.4f}, right on new digits: {right[name]:.1%}"
    )
assert right["mine"] > 0.9
assert abs(history["mine"][-1] - history["minigrad"][-1]) < 1e-4

# %%
fig, ax = plt.subplots(figsize=(6.4, 3.2))
ax.plot(history["mine"], color=BLUE, lw=3, alpha=0.5, label="our forty lines")
ax.plot(history["minigrad"], "--", color=ORANGE, label="minigrad")
ax.set(xlabel="step", ylabel="loss", yscale="log")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# One curve on the other. (The two programs do the same arithmetic in a slightly different order, so the last digits differ, and the differences
# grow slowly as they are fed back. Over 300 steps you do not see them.)
#
# ## What has been learnt?
#
# Row $k$ of the first $W$ has one weight for each pixel, so it can be shown as a picture: what unit $k$ looks for. Purple pixels speak
# for, orange ones against.

# %%
fig, axes = plt.subplots(2, 8, figsize=(9.6, 2.6))
largest = np.abs(mine[0].W).max()
for ax, weights in zip(axes.flat, mine[0].W, strict=False):
    ax.imshow(weights.reshape(8, 8), cmap="PuOr", vmin=-largest, vmax=largest)
    ax.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## What it costs
#
# A layer from `in` to `out` has `in · out` weights and `out` biases, and needs `n · in · out` multiplications forwards. Backwards there
# are two products of the same size for each layer, $G^\top X$ and $G W$.
#
# **Guess before you run:** our network has two layers. How many products does the walk back do, and how many forward passes is a whole
# training step worth, at most? The cell lists the rules that the engine ran.

# %%
asked = []
with mg.hooks(backward=lambda step: asked.append(step.record.operation.rule(step.position))):
    theirs(mg.Tensor(X_train[:4])).sum().backward()
print([rule.formula for rule in asked])
names = [rule.name for rule in asked]
assert names.count("linear_vjp_0") == 1 and names.count("linear_vjp_1") == 2

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# Three, not four: $G^\top X$ for both layers, $G W$ for the second alone. Nobody asks for $\partial L/\partial X$, the engine knows that `X`
# does not require a gradient, and does not run that rule. So **a training step costs about three forward passes** at most, and
# less where the layer that looks at the input is the large one.
#
# </details>
#
# ## What to take along
#
# - Dense layer: $Y = XW^\top + b$; backwards $G^\top X$, the column sums of $G$, and $G W$ (`minigrad/nn/layers.py`, `minigrad/ops/fused.py`).
# - A closed ReLU hands nothing on, and the weights below it stay as they are for that sample.
# - The gradient of a shared weight is a sum over the batch; the $1/n$ comes from the loss.
# - Check a gradient before you train with it.
#
# What the engine saves you is not these forty lines. It is writing `backward` again whenever you change `forward`.
#
# ## Exercises
#
# **4.1** How many parameters has the network 784–128–10, the usual one for MNIST, biases included? And how many multiplications does one
# training step on a batch of 32 take, counting the matrix products only, forwards and backwards?

# %%
my_counts = (..., ...)  # parameters, multiplications

check = exercise("04.1")
check(my_counts)

# %% [markdown]
# **4.2** Some layers scale as well: $Y = s \cdot (X W^\top) + b$, where $s$, of shape (out,), is learnt too. Write its backward pass. Given `X` (n, in), `W` (out, in),
# `s` (out,), and `G` (n, out), return $\partial L/\partial W$, $\partial L/\partial s$ and $\partial L/\partial b$.


# %%
def scaled_backward(X, W, s, G):
    """Return (dW, ds, db)."""
    ...


check = exercise("04.2")
check(scaled_backward)

# %% [markdown]
# **4.3** By hand, the network from the beginning ($W$, $b$, $v$, $c = 0.5$, loss $\frac12(p - t)^2$, $t = 1$), but with the sample $x = (1, -1)$. What are
# $\partial L/\partial W$ and $\partial L/\partial b$?

# %%
my_dW = [[..., ...], [..., ...]]
my_db = [..., ...]

check = exercise("04.3")
check((my_dW, my_db))
