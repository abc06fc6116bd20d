# %% [markdown]
# # 7. Gradient descent and stochastic gradient descent
#
# Six tutorials were about one thing: how a loss changes when a weight changes. Now the weights shall move. The rule is
# one line,
#
# $$\theta_{t+1} = \theta_t - \eta\,\nabla J(\theta_t),$$
#
# and it leaves two questions open. **How large may the rate $\eta$ be?** And **how much data should one gradient look
# at?** All of it is *gradient descent*; one sample drawn at random is *stochastic gradient descent*; everything in
# between is what people train with. Both formulas stand exactly as above in D2, sections 3.1 and 3.2 (one of the five
# articles, D0 to D4, that these tutorials follow; see `docs/formulas.md`), and in `minigrad/optim/formulas.py` as `gd`
# and `sgd`.
#
# We take a problem so small that the whole training can be predicted with a pencil: where it ends, how fast it gets
# there, when it explodes, and how much it trembles. Then we see which of it survives on real digits.

# %%
import inspect
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader, divide, load_digits
from minigrad.exercises import exercise
from minigrad.optim import formulas
from minigrad.viz.style import BLUE, GREEN, GREY, ORANGE

# %% [markdown]
# ## Two points and one weight
#
# The model is $h(x) = w x$, the data are two points, $(1, 2)$ and $(2, 2)$. No line through the origin meets both. The
# loss is the documents' half mean squared error with $m = 2$:
#
# $$J(w) = \frac{1}{2m}\sum_i (w x_i - y_i)^2 = \tfrac14\left[(w - 2)^2 + (2w - 2)^2\right].$$
#
# Its derivative is the mean of what each point says, error times $x$:
#
# $$J'(w) = \tfrac12\left[(w - 2)\cdot 1 + (2w - 2)\cdot 2\right] = 2.5\,w - 3 = 2.5\,(w - 1.2).$$
#
# So the best weight is $w^* = 1.2$, and the slope grows by 2.5 for each unit that we are away from it. That number, the
# second derivative, is the **curvature** $a = 2.5$. Start at $w = 0$ with $\eta = 0.1$. By hand:
#
# | $t$ | $w$ | $J'(w) = 2.5w - 3$ | $w - 0.1\,J'(w)$ |
# |---|---|---|---|
# | 0 | 0 | −3 | 0.3 |
# | 1 | 0.3 | −2.25 | 0.525 |
# | 2 | 0.525 | −1.6875 | 0.69375 |
#
# The engine, which is never told the derivative:

# %%
x = np.array([1.0, 2.0], dtype="float32")
y = np.array([2.0, 2.0], dtype="float32")
w = mg.Tensor(0.0, requires_grad=True, name="w")
optimizer = optim.GD([w], lr=0.1)


def step():
    """One step of gradient descent over all of the data."""
    optimizer.zero_grad()
    loss = nn.half_mse(w * x, y)
    loss.backward()
    optimizer.step()
    return loss.item()


by_hand = [(-3.0, 0.3), (-2.25, 0.525), (-1.6875, 0.69375)]
for t, (slope, new) in enumerate(by_hand):
    loss = step()
    print(f"t = {t}   J = {loss:.5f}   J' = {w.grad.item():8.5f}   w becomes {w.item():.5f}")
    assert np.isclose(w.grad.item(), slope) and np.isclose(w.item(), new)

# %% [markdown]
# And this is the rule itself, the whole of it, as `GD.step` applies it to every parameter:

# %%
print(inspect.getsource(formulas.gd).split('"""')[-1].strip())
print(formulas.gd(np.float64(0.525), np.float64(-1.6875), eta=0.1))

# %% [markdown]
# The next step, number by number: forward, back, and at the end the update with its formula.

# %%
mg.record(step, title="One step of gradient descent")

# %% [markdown]
# ## The whole training in one formula
#
# Write $e_t = w_t - w^*$ for how far we are from the best weight. One step turns it into
#
# $$e_{t+1} = e_t - \eta\,a\,e_t = (1 - \eta a)\,e_t, \qquad\text{so}\qquad e_t = (1 - \eta a)^t\,e_0 .$$
#
# Every step multiplies the error by the same factor.
#
# **Guess before you run:** four rates, 0.1, 0.4, 0.7 and 0.84. Which arrives first, which never, and which jump from side to
# side? (The curvature is $a = 2.5$.)


# %%
def descend(eta, steps, start=0.0):
    """The weights of a run of gradient descent on the two points."""
    theta = mg.Tensor(start, requires_grad=True, dtype="float64", name="w")
    rule = optim.GD([theta], lr=eta)
    path = [theta.item()]
    for _ in range(steps):
        rule.zero_grad()
        nn.half_mse(theta * x.astype("float64"), y.astype("float64")).backward()
        rule.step()
        path.append(theta.item())
    return np.array(path)


print("   η   factor   the weight, step by step, towards 1.2")
for eta in (0.1, 0.4, 0.7, 0.84):
    path = descend(eta, 12)
    assert np.allclose(path, 1.2 + (1 - 2.5 * eta) ** np.arange(13) * (0 - 1.2))
    print(f"{eta:5}  {1 - 2.5 * eta:+.2f}   ", " ".join(f"{weight:6.2f}" for weight in path[:9]))

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# Nothing about the run was left to be found out by running it. The factor says it all:
#
# | rate | factor $1 - \eta a$ | what happens |
# |---|---|---|
# | below $1/a = 0.4$ | between 0 and 1 | creeps to the minimum from one side |
# | exactly $1/a$ | 0 | there in one step |
# | between $1/a$ and $2/a$ | between −1 and 0 | jumps from side to side, and closes in |
# | above $2/a = 0.8$ | below −1 | jumps further out each time: divergence |

#
# </details>
#
# So "the rate is too large" is not a matter of taste. It has a number, $\eta < 2/a$, and the number belongs to the
# *steepest* curve of the loss.
#
# Try it. Below "What if" give η another value, and press Next step or Run: the curve of the loss, and the weight in the graph, do what the table says.

# %%
w = mg.Tensor(0.0, requires_grad=True, name="w")
optimizer = optim.GD([w], lr=0.7)
mg.record(step, title="Gradient descent: choose the rate")

# %% [markdown]
# One weight has one curvature. The trouble begins with more than one.
#
# ## Two weights: a bowl with a long and a short side
#
# The smallest example with two weights $u$ and $v$, and its two slopes:
#
# $$J(u, v) = u^2 + uv + v^2, \qquad \frac{\partial J}{\partial u} = 2u + v, \qquad \frac{\partial J}{\partial v} = u + 2v .$$
#
# The minimum is at $(0, 0)$. The slopes are a matrix times the place, and that matrix is the curvature now, the **Hessian**:
#
# $$\nabla J = H \begin{pmatrix} u\\ v\end{pmatrix}, \qquad H = \begin{pmatrix} 2 & 1\\ 1 & 2\end{pmatrix}.$$
#
# With one weight the gradient always pointed away from the minimum, and a step against it towards the minimum. With two it need
# not. By hand, at three places:
#
# | place | $H \cdot$ place | |
# |---|---|---|
# | $(1, 0)$ | $(2, 1)$ | points elsewhere |
# | $(1, 1)$ | $(3, 3)$ | the same direction, 3 times as long |
# | $(1, -1)$ | $(1, -1)$ | the same direction, exactly as long |
#
# From a general place, a step goes past the minimum. But in the directions $(1, 1)$ and $(1, -1)$ the matrix only *stretches*,
# by 3 and by 1. Such a direction is called an **eigenvector** of $H$, its factor the **eigenvalue** $\lambda$. Along it we are
# back with one weight of curvature $\lambda$: a step multiplies the error by $1 - \eta\lambda$.
#
# And every place is a sum of the two: $(1, 0) = \frac12 (1, 1) + \frac12 (1, -1)$. So cut the place into these two parts, let
# each shrink by its own factor, and put them together again. With $\eta = 0.5$ the factors are $-0.5$ and $0.5$; after one step
# $(1, 0)$ becomes $-\frac14 (1, 1) + \frac14 (1, -1) = (0, -\frac12)$. The engine, three steps:

# %%
place = mg.Tensor([1.0, 0.0], requires_grad=True, dtype="float64", name="place")
rule = optim.GD([place], lr=0.5)
for t in range(1, 4):
    rule.zero_grad()
    u, v = place[0], place[1]
    (u**2 + u * v + v**2).backward()
    rule.step()
    parts = 0.5 * (-0.5) ** t * np.array([1, 1]) + 0.5 * 0.5**t * np.array([1, -1])
    print(f"step {t}: the engine is at {place.numpy()}, the two parts together at {parts}")
    assert np.allclose(place.numpy(), parts)

# %% [markdown]
# `np.linalg.eigh` finds these directions for any symmetric matrix: the eigenvalues, smallest first, and a matrix $V$ with an
# eigenvector of length 1 in each column. $V^\top e$ cuts an error $e$ into its parts, $V$ puts them together again.

# %%
H = np.array([[2.0, 1.0], [1.0, 2.0]])
values, V = np.linalg.eigh(H)
print("eigenvalues", values, "\neigenvectors, in columns:\n", V.round(4))
cut = V.T @ np.array([1.0, 0.0])
print("the parts of (1, 0):", cut.round(4), "  together again:", (V @ cut).round(4))
assert np.allclose(H @ V, V * values)

fig, ax = plt.subplots(figsize=(4.6, 4.2))
u, v = np.meshgrid(np.linspace(-1.7, 1.7, 120), np.linspace(-1.7, 1.7, 120))
ax.contour(u, v, u**2 + u * v + v**2, levels=[0.25, 0.75, 1.5, 2.5, 4], colors=GREY, linewidths=0.6)
for start, colour in (((1, 0), GREY), ((1, 1), ORANGE), ((1, -1), BLUE)):
    step_taken = -0.3 * H @ start
    ax.annotate(
        "", np.add(start, step_taken), start, arrowprops={"color": colour, "width": 1.5, "headwidth": 7}
    )
    ax.plot(*start, "o", color=colour)
    ax.annotate(f"{start}", start, (7, 5), textcoords="offset points", color=colour)
ax.plot(0, 0, "+", ms=12, color="black")
ax.set(
    xlabel="u",
    ylabel="v",
    aspect="equal",
    title="Against the gradient: towards the minimum\nfrom the two eigenvectors alone",
)
plt.show()

# %% [markdown]
# ## D2's program
#
# D2 section 4 lists a program: one `Linear(1, 1)`, that is $wx + b$, mean squared error, rate 0.01, 1000 steps over all
# of the data at once. Here it is on 200 points near $y = 2x + 1$ (the article leaves its data open; these are the ones
# that `minigrad train line-gd` uses):

# %%
from minigrad.train.prepare import make_line

line = make_line()
model = nn.Linear(1, 1, rng=np.random.default_rng(0))
optimizer, criterion = optim.GD(model, lr=0.01), nn.MSELoss()
start = np.array([model.weight.item(), model.bias.item()])
for _epoch in range(1000):
    optimizer.zero_grad()
    loss = criterion(model(mg.Tensor(line.x)), line.y)
    loss.backward()
    optimizer.step()
end = np.array([model.weight.item(), model.bias.item()])

columns = np.hstack([line.x, np.ones_like(line.x)]).astype("float64")
best = np.linalg.lstsq(columns, line.y.astype("float64"), rcond=None)[0][:, 0]
print(f"start            w = {start[0]:.5f}   b = {start[1]:.5f}")
print(f"after 1000 steps w = {end[0]:.5f}   b = {end[1]:.5f}   loss {loss:.6f}")
print(f"best possible    w = {best[0]:.5f}   b = {best[1]:.5f}   (least squares)")

# %% [markdown]
# Close, but not there: the last digits, above all those of $w$, are still on their way. Why, after 1000 steps? For the mean
# squared error the Hessian is $H = \tfrac2m X^\top X$, where $X$ has a column of $x$ and a column of ones. (Differentiate
# $\frac1m\sum (w x_i + b - y_i)^2$ twice: by $w$ and $w$ it gives $\frac2m\sum x_i^2$, by $w$ and $b$ $\frac2m\sum x_i$, by $b$ and $b$
# $\frac2m m$.) Cut the error into its parts along the eigenvectors, and let each shrink by its own factor:
#
# $$e_t = V\,\mathrm{diag}\big((1 - \eta\lambda_k)^t\big)\,V^\top e_0 .$$
#
# So we can say what the program will print before it has run:

# %%
hessian = 2 / len(columns) * columns.T @ columns
curvatures, directions = np.linalg.eigh(hessian)
factors = 1 - 0.01 * curvatures
predicted = best + directions @ (factors**1000 * (directions.T @ (start - best)))
print("curvatures", curvatures.round(4), "  factor per step", factors.round(5))
print("left after 1000 steps", factors**1000)
print("predicted", predicted, "  engine", end)
assert np.allclose(predicted, end, atol=2e-5)
print(f"largest rate that converges: 2 / {curvatures[1]:.3f} = {2 / curvatures[1]:.3f}")

# %% [markdown]
# The prediction agrees to the digits that float32 has. In the steep direction, which is nearly that of $b$, each step
# removes 2 % of the error, and after 1000 steps nothing is left. In the flat one, nearly that of $w$, each removes 0.7
# %, and a thousandth of the error is still there. The rate is capped by the steepest direction; the time is dictated by
# the flattest. Their ratio, the **condition number**, says how bad that is. Here it is small; see what happens when $x$
# is measured from another zero, say in years since the year 0 instead of years since 2000. Adding 10 to every $x$
# changes nothing about the problem except the condition number:

# %%
for shift in (0, 1, 3, 10):
    moved = np.hstack([columns[:, :1] + shift, columns[:, 1:]])
    low, high = np.linalg.eigvalsh(2 / len(moved) * moved.T @ moved)
    rate = 2 / (low + high)  # the best constant rate: both directions shrink equally fast
    factor = (high - low) / (high + low)
    steps = np.log(1e-3) / np.log(factor)
    print(
        f"x + {shift:<3} condition {high / low:10.1f}   best rate {rate:.4f}   steps for 3 digits {steps:9.0f}"
    )

# %% [markdown]
# That is why inputs are centred and scaled before training (`minigrad/data/scaling.py`), and why tutorial 8 exists:
# momentum and its relatives are cures for the condition number.

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.9), sharey=True)
for ax, shift, eta in ((left, 0, 0.5), (right, 1, 0.3)):
    moved = np.hstack([columns[:, :1] + shift, columns[:, 1:]])
    goal = np.linalg.lstsq(moved, line.y.astype("float64"), rcond=None)[0][:, 0]
    H = 2 / len(moved) * moved.T @ moved
    theta = np.array([goal[0] - 1.3, goal[1] + 1.0])
    trail = [theta - goal]
    for _ in range(15):
        (theta,) = formulas.gd(theta, H @ (theta - goal), eta=eta)
        trail.append(theta - goal)
    trail = np.array(trail)
    u, v = np.meshgrid(np.linspace(-1.8, 1.8, 120), np.linspace(-1.8, 1.8, 120))
    height = 0.5 * (H[0, 0] * u**2 + 2 * H[0, 1] * u * v + H[1, 1] * v**2)
    ax.contour(u, v, height, levels=np.geomspace(0.01, 8, 12), colors=GREY, linewidths=0.5)
    ax.plot(trail[:, 0], trail[:, 1], "o-", ms=3.5, color=ORANGE)
    ax.plot(0, 0, "+", ms=12, color=BLUE)
    ax.set(xlabel="w - best w", title=f"x + {shift}, 15 steps with η = {eta}", aspect="equal")
left.set_ylabel("b - best b")
plt.show()

# %% [markdown]
# ## One sample at a time
#
# A gradient over 60,000 pictures costs 60,000 forward and backward passes, for one step. D2 3.2 draws one sample $x_i$
# at random instead:
#
# $$\theta_{t+1} = \theta_t - \eta\,\nabla J(\theta_t, x_i).$$
#
# Back to our two points. What does each say on its own?
#
# $$\text{first: } (w - 2)\cdot 1 = w - 2, \qquad \text{second: } (2w - 2)\cdot 2 = 4w - 4 .$$
#
# Their mean is $2.5w - 3$, the full gradient. That holds for any loss that is a mean over samples, and it is the whole
# justification: **the gradient of a random sample is right on average.** It is just never right: at the best weight
# $w^* = 1.2$, where the full gradient is 0, the first point says $-0.8$ and the second $+0.8$. SGD cannot stand still
# there. Watch:

# %%
rng = np.random.default_rng(0)
slopes, offsets = np.array([1.0, 4.0]), np.array([2.0, 4.0])  # the samples' gradients are slope · w - offset
i = int(rng.integers(2))
theta = mg.Tensor(1.2, requires_grad=True, dtype="float64", name="w")
nn.half_mse(theta * float(x[i]), np.float64(y[i])).backward()
print(f"sample {i}: the engine's gradient at w = 1.2 is {theta.grad.item():+.4f}")
assert np.isclose(theta.grad.item(), slopes[i] * 1.2 - offsets[i])


def wander(eta, steps, rng):
    """Stochastic gradient descent on the two points; ``eta`` is a number or a function of the step."""
    theta, path = 0.0, np.empty(steps)
    for t, i in enumerate(rng.integers(2, size=steps)):
        rate = eta(t) if callable(eta) else eta
        (theta,) = formulas.sgd(theta, slopes[i] * theta - offsets[i], eta=rate)
        path[t] = theta
    return path


runs = {eta: wander(eta, 20_000, np.random.default_rng(1)) for eta in (0.1, 0.01)}
for eta, path in runs.items():
    settled = path[2_000:]
    print(f"η = {eta:<5} mean of w {settled.mean():.4f}   standard deviation {settled.std():.4f}")

# %% [markdown]
# Right on average, and trembling. The amount can be worked out too. A step with sample $i$ is
# $e \leftarrow (1 - \eta a_i)\,e - \eta c_i$, with $a = (1, 4)$ and $c = (-0.8, 0.8)$, what the samples say at $w^*$.
# Square it and take the mean over the two samples; once the run has settled, $E[e^2]$ is the same before and after, and
# $E[e] = 0$ removes the mixed term:
#
# $$E[e^2] = \frac{\eta^2\,E[c^2]}{1 - E[(1 - \eta a)^2]} .$$
#
# For $\eta = 0.1$: $E[c^2] = 0.64$, $E[(1 - \eta a)^2] = \tfrac12(0.9^2 + 0.6^2) = 0.585$, so
# $E[e^2] = 0.0064 / 0.415 = 0.0154$ and the deviation is 0.124.


# %%
def tremble(eta):
    """The standard deviation of w about the best weight, once SGD has settled."""
    return np.sqrt(eta**2 * 0.64 / (1 - np.mean((1 - eta * slopes) ** 2)))


for eta, path in runs.items():
    measured = path[2_000:].std()
    print(f"η = {eta:<5} predicted {tremble(eta):.4f}   measured {measured:.4f}")
    assert abs(measured / tremble(eta) - 1) < 0.1

# %% [markdown]
# For small $\eta$ the formula becomes $E[e^2] \approx \eta\,E[c^2] / (2a)$: **the noise falls with the square root of
# the rate.** A tenth of the rate leaves a third of the tremble, and takes ten times as long to arrive. To get there
# fast *and* end still, the rate has to fall during training. Robbins and Monro (1951) showed how:
# $\sum\eta_t = \infty$, so that any distance can be walked, and $\sum\eta_t^2 < \infty$, so that the noise dies out.
# For example $\eta_t = \eta_0 / (1 + t / T)$:

# %%
falling = wander(lambda t: 0.2 / (1 + t / 20), 20_000, np.random.default_rng(1))
fig, ax = plt.subplots(figsize=(6.6, 3.8))
for path, colour, label in (
    (runs[0.1], GREY, "η = 0.1"),
    (runs[0.01], BLUE, "η = 0.01"),
    (falling, ORANGE, "η = 0.2 / (1 + t/20)"),
):
    ax.semilogx(np.arange(1, 20_001), path, color=colour, lw=0.9, label=label)
ax.set(xlabel="step", ylabel="w", title="Fast and trembling, slow and quieter, or a falling rate")
ax.legend(frameon=False, loc="lower right")
plt.show()
print(f"falling rate: deviation over the last 2,000 steps {np.abs(falling[-2000:] - 1.2).mean():.5f}")
assert np.abs(falling[-2000:] - 1.2).mean() < 0.25 * np.abs(runs[0.01][-2000:] - 1.2).mean()

# %% [markdown]
# Tutorial 10 is about such schedules.
#
# ## In between: mini-batches
#
# The mean of $B$ samples drawn at random is right on average too, and its variance is $1/B$ of that of one sample. Does
# that hold for the gradient of a real network? Take the digits that come with minigrad and a network of one layer.
# First every sample's own gradient, one backward pass each; their spread about the mean is the variance of a batch of
# one. Then batches:

# %%
digits = load_digits()
train, test = divide(digits, (0.8, 0.2), rng=np.random.default_rng(0))
model = nn.Linear(64, 10, rng=np.random.default_rng(0))


def gradient(rows):
    """The gradient of the mean loss over these samples, as one long vector."""
    model.zero_grad()
    nn.cross_entropy(model(mg.Tensor(train.x[rows])), train.y[rows]).backward()
    return np.concatenate([p.grad.numpy().ravel() for p in model.parameters()]).astype("float64")


full = gradient(np.arange(len(train)))
single = np.mean([np.sum((gradient([i]) - full) ** 2) for i in range(len(train))])
print(
    f"|full gradient| = {np.linalg.norm(full):.3f}, one sample is off by {np.sqrt(single):.3f} (root mean square)"
)
rng = np.random.default_rng(2)
for size in (1, 4, 16, 64, 256):
    found = [np.sum((gradient(rng.integers(len(train), size=size)) - full) ** 2) for _ in range(150)]
    print(f"batch {size:>3}: off by {np.sqrt(np.mean(found)):.3f}, predicted {np.sqrt(single / size):.3f}")
    assert abs(np.mean(found) / (single / size) - 1) < 0.2

# %% [markdown]
# Four times the work for half the noise. That is a bad bargain as long as the gradient is large beside its noise, and a
# good one at the end. In practice the machine decides: a matrix product is one call for all samples of a batch, so a batch
# of 32 costs much less than 32 batches of one.
#
# One thing differs from the formula. A `DataLoader` does not draw with replacement: it shuffles once per **epoch** and
# deals the deck out, so that every sample is seen once before any is seen again (`minigrad/data/loader.py`). Now the
# race, with the same number of samples looked at, ten epochs each.
#
# **Guess before you run:** all data at once, batches of 256, of 32, of one. Which ends with the lowest training loss, and which
# takes the longest?


# %%
def train_with(size, lr, epochs=10):
    """Train one layer; return the loss over all training data before each epoch and after the last, and the model."""
    net = nn.Linear(64, 10, rng=np.random.default_rng(0))
    rule = optim.SGD(net, lr=lr)
    loader = DataLoader(train, size, rng=np.random.default_rng(0))
    losses = []
    for _ in range(epochs + 1):
        with mg.no_grad():
            losses.append(nn.cross_entropy(net(mg.Tensor(train.x)), train.y).item())
        for xs, ys in loader if len(losses) <= epochs else ():
            rule.zero_grad()
            nn.cross_entropy(net(mg.Tensor(xs)), ys).backward()
            rule.step()
    return losses, rule.t, net


fig, ax = plt.subplots(figsize=(6.6, 3.8))
finals = {}
for size, lr, colour, mark in (
    (len(train), 0.5, GREY, "D-"),
    (256, 0.5, GREEN, "s-"),
    (32, 0.5, BLUE, "o-"),
    (1, 0.02, ORANGE, "^-"),
):
    train_with(size, lr, epochs=1)  # so that nothing is left to compile when the clock runs
    began = perf_counter()
    losses, updates, net = train_with(size, lr)
    seconds = perf_counter() - began
    right = np.mean(net(mg.Tensor(test.x)).numpy().argmax(axis=1) == test.y)
    finals[size] = losses[-1]
    name = "all data" if size == len(train) else f"batch {size}"
    print(
        f"{name:9} η = {lr:<4} {updates:>6} updates   {seconds:6.2f} s   loss {losses[-1]:.4f}   test accuracy {100 * right:.1f} %"
    )
    ax.semilogy(losses, mark, ms=4, color=colour, label=name)
ax.set(xlabel="epochs (each sample looked at once)", ylabel="training loss")
ax.legend(frameon=False)
plt.show()
assert finals[32] < finals[256] < finals[len(train)]
lowest = min(finals, key=finals.get)
print(f"the lowest training loss: batches of {lowest}")

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# Ten epochs of gradient descent are ten steps, in exactly the right direction. Ten epochs in batches of 32 are 450 steps in
# roughly the right direction, for the same number of samples, and end far lower. Batches of one make 32 times as many steps
# still, at a rate that had to be smaller (why is in the section on trembling); whether they end a little below or a little
# above, as the last line says, they pay for it in time: compare the seconds.
#
# </details>
#
# This is why nobody trains a network by gradient descent proper, and why the documents' two formulas differ only in what
# $J$ is asked about.
#
# ## What to take along
#
# - On a parabola, a step of gradient descent multiplies the error by $1 - \eta a$. It converges for $\eta < 2/a$ and
#   not above.
# - With many weights the steepest direction caps the rate and the flattest sets the time; their ratio is the condition
#   number.
# - A sample's gradient is right on average. At a constant rate the weights end up trembling about the minimum, with a
#   variance in proportion to $\eta$.
# - A batch of $B$ has $1/B$ of the variance. Batches of some dozen samples make the most of a machine.
# - `formulas.gd` and `formulas.sgd` are the same line of code. What differs is the gradient that goes in.
#
# ## Exercises
#
# **7.1** The model is $h(x) = wx$, the loss the documents' $J = \frac{1}{2m}\sum_i(w x_i - y_i)^2$, and the inputs are
# $x = (1, 2, 2)$. Which rate reaches the minimum in one step, and above which rate does gradient descent diverge? (The
# targets do not matter.)

# %%
one_step, limit = None, None

check = exercise("07.1")
check((one_step, limit))

# %% [markdown]
# **7.2** Write one step of stochastic gradient descent for a line: the sample's loss is $\tfrac12(w x_i + b - y_i)^2$.
# Work out the two derivatives and return the new $w$ and $b$.


# %%
def sgd_step(w, b, x_i, y_i, eta):
    """Return the new w and b."""
    ...


check = exercise("07.2")
check(sgd_step)

# %% [markdown]
# **7.3** Deal out an epoch: a function of the number of samples, the batch size and a generator that returns a list of
# index arrays. Every sample occurs once, in random order; the last batch may be smaller. Each call deals anew.


# %%
def deal(n, size, rng):
    """Return a list of index arrays, an epoch of shuffled mini-batches."""
    ...


check = exercise("07.3")
check(deal)
