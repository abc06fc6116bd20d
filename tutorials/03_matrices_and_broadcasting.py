# %% [markdown]
# # 3. Matrix products and broadcasting backwards
#
# A layer of a network is a matrix product and an addition that stretches a vector over a whole batch. Every textbook says
# that their gradients are
#
# $$\frac{\partial L}{\partial A} = G\,B^\top, \qquad \frac{\partial L}{\partial B} = A^\top G, \qquad
# \frac{\partial L}{\partial b} = \text{the sum of } G \text{ over the batch.}$$
#
# **Why the transposes, why on that side, and why a sum?** Nothing has to be remembered: all three follow from tutorial 2,
# "a number that is used several times receives several contributions". We take matrices so small that every entry can be
# followed by finger.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn
from minigrad.exercises import exercise
from minigrad.viz.style import BLUE, ORANGE

# %% [markdown]
# ## A product, entry by entry
#
# $$A = \begin{pmatrix} 1 & 2 & 3\\ 0 & 1 & -1\end{pmatrix},\qquad
# B = \begin{pmatrix} 2 & 1\\ 0 & 3\\ 1 & -1\end{pmatrix},\qquad
# C = A B = \begin{pmatrix} 5 & 4\\ -1 & 4\end{pmatrix}.$$
#
# Row 0 of $A$ meets column 0 of $B$: $1\cdot 2 + 2\cdot 0 + 3\cdot 1 = 5$. In general $C_{ij} = \sum_k A_{ik} B_{kj}$.
#
# The walk back arrives with one derivative for each entry of $C$, a matrix $G$ with $G_{ij} = \partial L/\partial C_{ij}$, of the
# shape of $C$. Say
#
# $$G = \begin{pmatrix} 1 & 10\\ 100 & 1000\end{pmatrix}.$$
#
# Powers of ten, so that we can see who came from where. Now ask: where is $A_{01} = 2$ used? In row 0 of $C$, and only there:
#
# - in $C_{00}$, multiplied by $B_{10} = 0$: contribution $G_{00} \cdot B_{10} = 1 \cdot 0$
# - in $C_{01}$, multiplied by $B_{11} = 3$: contribution $G_{01} \cdot B_{11} = 10 \cdot 3$
#
# Together $\partial L/\partial A_{01} = 0 + 30 = 30$. In letters:
#
# $$\frac{\partial L}{\partial A_{ik}} = \sum_j G_{ij}\, B_{kj}.$$
#
# A sum over $j$, the *last* index of both. A matrix product sums over the last index of the first and the *first* of
# the second, so $B$ has to be turned over: $G\,B^\top$. That is all there is to the transpose.
#
# $B_{kj}$ is used by every row of $A$: $\partial L/\partial B_{kj} = \sum_i A_{ik} G_{ij}$, a sum over the first index of both: $A^\top G$.

# %%
A = mg.Tensor([[1.0, 2.0, 3.0], [0.0, 1.0, -1.0]], requires_grad=True, name="A")
B = mg.Tensor([[2.0, 1.0], [0.0, 3.0], [1.0, -1.0]], requires_grad=True, name="B")
G = np.array([[1.0, 10.0], [100.0, 1000.0]], dtype="float32")

C = A @ B
print("C =", C.numpy().tolist())
print("rules:", [rule.formula for rule in C.record.operation.rules])
C.backward(gradient=G)

print("dL/dA =", A.grad.numpy().tolist(), "  entry [0, 1]:", A.grad.numpy()[0, 1])
print("dL/dB =", B.grad.numpy().tolist())
assert np.array_equal(A.grad.numpy(), G @ B.numpy().T)
assert np.array_equal(B.grad.numpy(), A.numpy().T @ G)
assert A.grad.numpy()[0, 1] == 30

# %% [markdown]
# `backward(gradient=G)` starts the walk with our $G$ instead of the 1 that a single number starts with. The rule is in
# `minigrad/ops/products.py`.
#
# ### If you forget it: let the shapes remember
#
# A gradient has the shape of what it belongs to. From $G$ (2, 2) and $B$ (3, 2) only one product has the shape (2, 3) of $A$:

# %%
rows, inner, columns = 5, 3, 4  # three different numbers, so that nothing fits by accident
shapes = {
    "G": (rows, columns),
    "A": (rows, inner),
    "B": (inner, columns),
    "A.T": (inner, rows),
    "B.T": (columns, inner),
    "G.T": (columns, rows),
}
for wanted in ("A", "B"):
    fitting = [
        f"{left} @ {right}"
        for left in shapes
        for right in shapes
        if shapes[left][1] == shapes[right][0]
        and (shapes[left][0], shapes[right][1]) == shapes[wanted]
        and "G" in (left, right)
    ]
    print(f"products with G of the shape of {wanted} {shapes[wanted]}: {fitting}")
    assert len(fitting) == 1

# %% [markdown]
# Use different sizes for different things in your experiments and this works. With square matrices everything fits, and a wrong
# transpose goes unnoticed.
#
# ## Stretching
#
# Now the addition. $X$ holds two samples as rows; the bias $b$ is added to each:
#
# $$\begin{pmatrix} 1 & 2 & 3\\ 4 & 5 & 6\end{pmatrix} + \begin{pmatrix} 10 & 20 & 30\end{pmatrix}
# = \begin{pmatrix} 11 & 22 & 33\\ 14 & 25 & 36\end{pmatrix}$$
#
# NumPy calls it *broadcasting*: shape (3,) is stretched to (2, 3) as if $b$ were copied into both rows. No copy is made, but the
# derivative does not care how it is stored. $b_0$ is **used twice**, once in each row. So it receives two contributions, and they add:

# %%
X = mg.Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True, name="X")
b = mg.Tensor([10.0, 20.0, 30.0], requires_grad=True, name="b")
G = np.array([[1.0, 2.0, 3.0], [100.0, 200.0, 300.0]], dtype="float32")

(X + b).backward(gradient=G)
print("dL/dX =", X.grad.numpy().tolist())
print("dL/db =", b.grad.numpy().tolist())
assert b.grad.numpy().tolist() == [101, 202, 303]

# %% [markdown]
# **Copying forwards is adding backwards.** The rule of `add` knows nothing of it: it says `g` for both inputs. The *walk* sees that
# a contribution of shape (2, 3) has arrived for an input of shape (3,) and sums over the axis that was stretched. It
# is done in one place for all operations (`_fit` in `minigrad/tape.py`), so no rule can get it wrong.
#
# Which axes are they? NumPy compares shapes from the right. Two things may happen to an input: axes are added on the left, or an
# axis of length 1 is stretched. Both are summed, the first kind away, the second kind to length 1.

# %%
print("input shape  result shape   gradient by the engine")
for shape in ((3,), (1, 3), (2, 1), (1, 1), (), (2, 3)):
    small = mg.Tensor(np.ones(shape, "float32"), requires_grad=True)
    (X.detach() + small).backward(gradient=G)
    print(f"{shape!s:12} (2, 3)         {small.grad.numpy().tolist()}")
    assert small.grad.shape == shape

# %% [markdown]
# Check the third by hand: shape (2, 1) was stretched along its second axis, so each *row* of $G$ is summed: $1+2+3 = 6$ and
# $100 + 200 + 300 = 600$.
#
# Both at once, as pictures: what is stretched forwards, and what is summed backwards, for a column times a row.

# %%
column = mg.Tensor([[1.0], [2.0], [3.0]], requires_grad=True, name="column")
row = mg.Tensor([[1.0, -1.0, 2.0, 0.5]], requires_grad=True, name="row")
table = column * row
incoming = np.arange(12.0, dtype="float32").reshape(3, 4) / 10
table.backward(gradient=incoming)

panels = (
    ("column (3, 1)", column.numpy()),
    ("row (1, 4)", row.numpy()),
    ("column · row (3, 4)", table.numpy()),
    ("incoming g (3, 4)", incoming),
    ("g · row, summed over columns", column.grad.numpy()),
    ("g · column, summed over rows", row.grad.numpy()),
)
fig, axes = plt.subplots(2, 3, figsize=(9.6, 4.2))
for ax, (title, entries) in zip(axes.flat, panels, strict=True):
    ax.imshow(entries, cmap="PuOr", vmin=-7, vmax=7)
    for (i, j), entry in np.ndenumerate(entries):
        ax.text(j, i, f"{entry:g}", ha="center", va="center", color="white" if abs(entry) > 4 else "black")
    ax.set_title(title, size=10)
    ax.set(xticks=[], yticks=[])
fig.tight_layout()
plt.show()

assert np.allclose(column.grad.numpy(), (incoming * row.numpy()).sum(axis=1, keepdims=True))
assert np.allclose(row.grad.numpy(), (incoming * column.numpy()).sum(axis=0, keepdims=True))

# %% [markdown]
# ## The other direction: adding forwards is copying backwards
#
# $s = \sum_i a_i$: a nudge to any entry reaches $s$ undiminished, so every entry receives the same $g$. A mean divides by $n$ on top. So
# sum and stretch are each other's backward pass:

# %%
a = mg.Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True, name="a")
for name, reduce in (
    ("sum over axis 0", lambda t: t.sum(axis=0)),
    ("mean over axis 0", lambda t: t.mean(axis=0)),
):
    a.zero_grad()
    reduce(a).backward(gradient=[10.0, 20.0])
    print(f"{name:17} g = [10, 20]  ->  dL/da = {a.grad.numpy().tolist()}")

# %% [markdown]
# ## A layer in one line
#
# Now all of it together, as in every dense layer: $Y = X W^\top + b$, loss $L = \frac12 \sum Y^2$, so that the walk starts with $G = Y$.
# (The weights are kept as (out, in), one row for each output. That is why there is a transpose in the *forward* formula.) Step
# through it, and stop where $b$ receives its contribution: the axis that was stretched is marked and summed.

# %%
X = mg.Tensor([[1.0, 2.0, -1.0], [0.0, 1.0, 3.0]], name="X")
W = mg.Tensor([[0.5, -1.0, 0.0], [1.0, 0.0, 2.0]], requires_grad=True, name="W")
b = mg.Tensor([0.5, -0.5], requires_grad=True, name="b")


def layer():
    W.zero_grad()
    b.zero_grad()
    Y = X @ W.T + b
    loss = 0.5 * (Y * Y).sum()
    loss.backward()


trace = mg.record(layer, title="Y = X Wᵀ + b")
trace

# %% [markdown]
# By hand for one weight: $W_{02}$ is the weight from input 2 to output 0. Sample 0 uses it with $x_{02} = -1$, sample 1 with $x_{12} = 3$:
#
# $$\frac{\partial L}{\partial W_{02}} = G_{00}\cdot(-1) + G_{10}\cdot 3 .$$

# %%
Y = X.numpy() @ W.numpy().T + b.numpy()
by_hand = Y[0, 0] * -1 + Y[1, 0] * 3
print("G = Y =", Y.tolist())
print(f"by hand: {by_hand}, engine: {W.grad.numpy()[0, 2]}")
assert by_hand == W.grad.numpy()[0, 2]
assert np.array_equal(W.grad.numpy(), Y.T @ X.numpy())
assert np.array_equal(b.grad.numpy(), Y.sum(axis=0))

# %% [markdown]
# Note what became of the batch. Forwards, two samples went through the same weights. Backwards, $G^\top X$ *sums over the samples*, because
# each weight was used by both. The batch size never appears in the shape of a gradient.
#
# ## A check for every linear operation
#
# Stretching, summing, transposing, multiplying by a fixed matrix: all these are linear, $y = J x$, and their backward pass is
# $g \mapsto J^\top g$. For any $x$ and $g$, then,
#
# $$\langle g,\; J x\rangle = \langle J^\top g,\; x\rangle .$$
#
# One random pair that violates it proves a rule wrong. It needs no small $h$, and it holds to the last digits:

# %%
rng = np.random.default_rng(0)
fixed = rng.standard_normal((3, 5))
linear = {
    "x @ fixed": lambda x: x @ fixed,
    "x.T": lambda x: x.T,
    "x.sum(axis=0)": lambda x: x.sum(axis=0),
    "broadcast to (2, 4, 3)": lambda x: np.broadcast_to(x, (2, 4, 3)),
    "x[1:, ::2]": lambda x: x[1:, ::2],
}
for name, operation in linear.items():
    x = mg.Tensor(rng.standard_normal((4, 3)), requires_grad=True)
    y = operation(x)
    g = rng.standard_normal(y.shape)
    y.backward(gradient=g)
    left, right = np.vdot(g, y.numpy()), np.vdot(x.grad.numpy(), x.numpy())
    print(f"{name:24} {left: .12f} {right: .12f}")
    assert np.isclose(left, right, rtol=1e-12)

# %% [markdown]
# ## When stretching does harm
#
# Broadcasting is silent, and it is glad to help. Predictions come out of a layer as a column, (n, 1); targets are often a flat list, (n,).
# Here three predictions are all exactly right.
#
# **Guess before you run:** which shape has their difference, and how large is the mean squared error?

# %%
prediction = np.array([[1.0], [2.0], [3.0]])
target = np.array([1.0, 2.0, 3.0])
print("shape of the difference:", (prediction - target).shape)
print("mean squared error, stretched:", np.mean((prediction - target) ** 2), "  as meant:", 0.0)
assert np.mean((prediction - target) ** 2) > 1

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# (3, 1) and (3,) are both stretched to (3, 3). Every prediction was compared with every target: 9 differences instead of 3, and a
# perfect fit has a loss of 1.33.
#
# </details>
#
# Trained on this, a
# network learns to predict the *mean* of all targets, and nothing crashes. So the losses of minigrad refuse:

# %%
try:
    nn.mse(mg.Tensor(prediction, requires_grad=True), target)
except mg.errors.ShapeError as error:
    print(error)
    assert error.code == "MG-110"

# %%
x_line = np.linspace(-1, 1, 20, dtype="float32").reshape(20, 1)
y_flat = (2 * x_line[:, 0] + 0.5).astype("float32")
fitted = {}
for name, wanted in (("targets (20, 1)", y_flat.reshape(20, 1)), ("targets (20,), stretched", y_flat)):
    slope, offset = (mg.Tensor(0.0, requires_grad=True) for _ in range(2))
    for _ in range(200):
        slope.zero_grad()
        offset.zero_grad()
        np.mean((x_line * slope + offset - wanted) ** 2).backward()
        for parameter in (slope, offset):
            parameter.data = parameter.data - 0.3 * parameter.grad.data
    fitted[name] = (slope.item(), offset.item())
    print(f"{name:25} slope {slope.item():.3f}, offset {offset.item():.3f}")

fig, ax = plt.subplots(figsize=(6.4, 3.2))
ax.plot(x_line, y_flat, "o", ms=4, color="grey", label="data, slope 2")
for (name, (slope, offset)), colour, style in zip(fitted.items(), (BLUE, ORANGE), ("-", "--"), strict=True):
    ax.plot(x_line, slope * x_line + offset, style, color=colour, label=name)
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# ## What to take along
#
# - $G B^\top$ and $A^\top G$ are sums over all places where an entry was used (`minigrad/ops/products.py`).
# - Copied forwards, summed backwards; summed forwards, copied backwards (`_fit` in `minigrad/tape.py`).
# - A gradient has the shape of its tensor. That alone often settles the formula.
# - Choose different lengths for different axes, and (n, 1) or (n,) on purpose.
#
# ## Exercises
#
# **3.1** With pencil and paper: $A = \begin{pmatrix} 1 & 2\\ 3 & 4\end{pmatrix}$, $B = \begin{pmatrix} 1 & 0\\ 2 & -1\end{pmatrix}$, $C = AB$, and the walk
# arrives with $G = \begin{pmatrix} 1 & 2\\ 3 & 4 \end{pmatrix}$. What is $\partial L/\partial B$?

# %%
my_gradient = [[..., ...], [..., ...]]

check = exercise("03.1")
check(my_gradient)

# %% [markdown]
# **3.2** Write what the walk does after broadcasting: given a gradient `g` (a NumPy array of the result's shape) and the `shape` of an input
# that was stretched to it, return the gradient of that shape.


# %%
def unbroadcast(g, shape):
    """Return g, summed to `shape`."""
    ...


check = exercise("03.2")
check(unbroadcast)

# %% [markdown]
# **3.3** Centring: $y = x - \text{mean}(x)$, the mean taken over each row of a matrix (`x - x.mean(axis=1, keepdims=True)`). It is the
# first half of layer normalisation. Write its backward pass by hand, on NumPy arrays: given $g = \partial L/\partial y$, return $\partial L/\partial x$.
# Two roads lead from $x_{ij}$ to the loss.


# %%
def centring_backward(g):
    """Return dL/dx of shape (n, m) from g = dL/dy of shape (n, m)."""
    ...


check = exercise("03.3")
check(centring_backward)
