# %% [markdown]
# # 8. Momentum, AdaGrad, RMSprop
#
# Tutorial 7 ended with a dilemma. In a loss with many directions, the steepest one caps the rate and the flattest one
# sets the time. A valley a hundred times as steep across as along needs hundreds of steps, however well the rate is
# chosen. What is missing? Gradient descent forgets: each step knows only the present gradient. Two things could be
# remembered.
#
# - **A memory of direction.** Across the valley the gradients change sign and cancel; along it they add up. Momentum
#   keeps their running sum.
# - **A memory of size.** Some coordinates have large gradients all the time, others small ones. AdaGrad and RMSprop
#   keep the running sum, or mean, of the *squares* and divide by its root.
#
# Each is one array per parameter, the optimizer's *state*, and one more line in `minigrad/optim/formulas.py`. We work
# each out by hand, then ask what exactly it buys, and what it costs.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader, divide, load_digits
from minigrad.exercises import exercise
from minigrad.optim import formulas
from minigrad.viz.style import BLUE, GREEN, GREY, ORANGE

# %% [markdown]
# ## Momentum by hand
#
# Polyak (1964) gave the weights inertia. In the form that PyTorch and minigrad use:
#
# $$b_t = \mu\,b_{t-1} + g_t, \qquad \theta_t = \theta_{t-1} - \eta\,b_t .$$
#
# $b$ is the velocity, 0 at the start; $\mu$ says how much of it is kept. Take $J = \tfrac12\theta^2$, so that the
# gradient is $\theta$ itself, and $\theta_0 = 1$, $\eta = 0.1$, $\mu = 0.9$:
#
# | $t$ | $g = \theta$ | $b = 0.9\,b + g$ | $\theta - 0.1\,b$ |
# |---|---|---|---|
# | 1 | 1 | 1 | 0.9 |
# | 2 | 0.9 | 1.8 | 0.72 |
# | 3 | 0.72 | 2.34 | 0.486 |

# %%
theta = mg.Tensor(1.0, requires_grad=True, dtype="float64", name="theta")
rule = optim.SGD([theta], lr=0.1, momentum=0.9)


def momentum_step():
    """One step on ½ θ²."""
    rule.zero_grad()
    loss = 0.5 * theta**2
    loss.backward()
    rule.step()


for t, (b, new) in enumerate([(1.0, 0.9), (1.8, 0.72), (2.34, 0.486)], start=1):
    momentum_step()
    print(f"t = {t}   b = {rule.state['theta']['b']:.4f}   theta = {theta.item():.4f}")
    assert np.isclose(rule.state["theta"]["b"], b) and np.isclose(theta.item(), new)

# %% [markdown]
# Where the gradient stays the same, the velocity grows to $g + \mu g + \mu^2 g + \dots = g/(1-\mu)$: with $\mu = 0.9$
# the step becomes ten times as long. Where the gradient changes sign at every step, it becomes
# $g - \mu g + \mu^2 g - \dots = g/(1+\mu)$: hardly more than half as long. That is the whole idea, in two geometric
# series:

# %%
same = alternating = np.float64(0.0)
for t in range(200):
    _, same = formulas.momentum(np.float64(0), 1.0, same, eta=1.0, mu=0.9)
    _, alternating = formulas.momentum(np.float64(0), (-1.0) ** t, alternating, eta=1.0, mu=0.9)
print(
    f"same sign: |b| = {abs(same):.4f}, 1/(1 - 0.9) = 10;   alternating: |b| = {abs(alternating):.4f}, 1/1.9 = {1 / 1.9:.4f}"
)
assert np.isclose(abs(same), 10) and np.isclose(abs(alternating), 1 / 1.9)

# %% [markdown]
# The fourth step, as the engine takes it. The rows at its end are the lines of the formula, with their values:

# %%
mg.record(momentum_step, title="A step with momentum")

# %% [markdown]
# ## What momentum buys
#
# Take a valley, $J = \tfrac12(x^2 + 25\,y^2)$: curvature 1 along $x$ and 25 along $y$, condition number $\kappa = 25$.
# From tutorial 7 we know that gradient descent does best with $\eta = 2/(1 + 25)$, which shrinks both directions by
# $(\kappa - 1)/(\kappa + 1) = 24/26$ a step. With momentum, in a direction of curvature $a$, two numbers go from step
# to step, the error $e$ and the velocity $b$:
#
# $$\begin{pmatrix} e \\ b \end{pmatrix} \leftarrow
# \begin{pmatrix} 1 - \eta a & -\eta\mu \\ a & \mu \end{pmatrix} \begin{pmatrix} e \\ b \end{pmatrix}.$$
#
# In the long run the larger eigenvalue of this matrix is the factor per step: written in its eigenvectors, as in tutorial 7,
# each part is multiplied by its own eigenvalue, and the largest outlives the others. The product of the two eigenvalues is the
# matrix's determinant, $(1 - \eta a)\mu + \eta\mu a = \mu$. Where they are a pair of complex numbers (a point that turns around the
# minimum while it comes nearer) both have the same size, so it is $\sqrt\mu$: *whatever the curvature*. That is the trick. Polyak's choice
# puts every curvature from 1 to $\kappa$ just inside that region:
#
# $$\mu = \left(\frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}\right)^2 = \left(\frac46\right)^2, \qquad
# \eta = \left(\frac{2}{\sqrt{25} + \sqrt1}\right)^2 = \frac19, \qquad \text{factor } \sqrt\mu = \frac46 .$$


# %%
def factor(a, eta, mu):
    """The factor by which the error shrinks per step, in the long run, in a direction of curvature a."""
    return np.abs(np.linalg.eigvals([[1 - eta * a, -eta * mu], [a, mu]])).max()


gd_factor = factor(1, 2 / 26, 0)
polyak = max(factor(1, 1 / 9, 16 / 36), factor(25, 1 / 9, 16 / 36))
print(f"gradient descent {gd_factor:.4f} per step: {np.log(1e-6) / np.log(gd_factor):.0f} steps for 6 digits")
print(f"momentum         {polyak:.4f} per step: {np.log(1e-6) / np.log(polyak):.0f} steps for 6 digits")

curves = np.array([1.0, 25.0])


def run(make, steps, start=(1.0, 1.0), curves=curves, turn=0.0):
    """The path of an optimizer on ½ Σ a_k z_k², with the valley turned by an angle."""
    cos, sin = np.cos(turn), np.sin(turn)
    point = mg.Tensor(np.array(start, dtype="float64"), requires_grad=True, name="point")
    rule = make([point])
    path = [point.numpy().copy()]
    for _ in range(steps):
        rule.zero_grad()
        z0, z1 = cos * point[0] + sin * point[1], cos * point[1] - sin * point[0]
        (0.5 * (curves[0] * z0**2 + curves[1] * z1**2)).backward()
        rule.step()
        path.append(point.numpy().copy())
    return np.array(path)


plain = run(lambda p: optim.GD(p, lr=2 / 26), 250)
heavy = run(lambda p: optim.SGD(p, lr=1 / 9, momentum=16 / 36), 250)
fig, ax = plt.subplots(figsize=(6.6, 3.6))
for path, colour, label, rate in (
    (plain, GREY, "gradient descent", gd_factor),
    (heavy, BLUE, "momentum", polyak),
):
    distance = np.linalg.norm(path, axis=1)
    needed = int(np.argmax(distance < 1e-6))
    print(f"{label:16} reached 1e-6 after {needed} steps")
    ax.semilogy(np.maximum(distance, 1e-12), color=colour, label=label)
    ax.semilogy(1.4 * rate ** np.arange(251), ":", color=colour, lw=1)
    assert abs(needed / (np.log(1e-6) / np.log(rate)) - 1) < 0.4
ax.set(
    xlabel="step",
    ylabel="distance to the minimum",
    ylim=(1e-10, 30),
    title="Dotted: as the eigenvalues predict",
)
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# (Momentum needs a few steps more than the eigenvalue promises. At Polyak's choice the matrices of the two outermost
# curvatures have a *double* eigenvalue, which brings in a factor $t$ beside $\mu^{t/2}$. The slope of the dotted line
# is right.)
#
# In general the number of steps goes down from about $\kappa$ to about $\sqrt\kappa$. For a valley of
# $\kappa = 10{,}000$ that is a factor of a hundred.
#
# It also moves the edge. The eigenvalues leave the unit circle where $\eta a > 2(1 + \mu)$, so with momentum 0.9 the
# largest rate is 1.9 times that of plain descent:

# %%
for a, eta, mu in ((1.0, 3.79, 0.9), (1.0, 3.81, 0.9), (1.0, 1.99, 0.0), (1.0, 2.01, 0.0)):
    print(f"mu = {mu}: η·a = {eta * a:.2f}, limit {2 * (1 + mu):.1f}, factor {factor(a, eta, mu):.4f}")
    assert (factor(a, eta, mu) > 1) == (eta * a > 2 * (1 + mu))

# %% [markdown]
# **Nesterov's** variant looks ahead: it takes $g_t + \mu b_t$ for the step in place of $b_t$, so that the newest
# gradient counts twice, in effect where the velocity will have carried the weights.
# `SGD(…, momentum=0.9, nesterov=True)`; the sources are Sutskever et al. (2013), equations 3 and 4.
#
# ## AdaGrad by hand
#
# Now the other memory. Duchi, Hazan and Singer (2011) keep the sum of the squared gradients, entry by entry, and divide
# by its root:
#
# $$s_t = s_{t-1} + g_t^2, \qquad \theta_t = \theta_{t-1} - \eta\,\frac{g_t}{\sqrt{s_t} + \varepsilon} .$$
#
# Take a gradient that stays at $g = (4, 0.1)$, and $\eta = 0.1$. First step: $s = (16, 0.01)$, $\sqrt s = (4, 0.1)$, so
# the step is $0.1 \cdot (1, 1)$. **Forty times the gradient, the same step.** Second step: $s = (32, 0.02)$, and
# $g/\sqrt s = (1, 1)/\sqrt2$. The $t$-th step has the length $\eta/\sqrt t$:

# %%
theta, s = np.zeros(2), np.zeros(2)
for t in range(1, 5):
    before = theta
    theta, s = formulas.adagrad(theta, np.array([4.0, 0.1]), s, eta=0.1, eps=1e-10)
    print(f"t = {t}   s = {s}   step = {before - theta}   0.1/√t = {0.1 / np.sqrt(t):.5f}")
    assert np.allclose(before - theta, 0.1 / np.sqrt(t))

# %% [markdown]
# So AdaGrad does not care how the coordinates are scaled. That cures a valley which lies along the axes completely.
# Compare the valley $\tfrac12(x^2 + 25y^2)$ with the round bowl $\tfrac12(x^2 + y^2)$, from $(1, 1)$: in $y$ all
# gradients are 25 times as large, so is the root, and the paths are the same.

# %%
valley = run(lambda p: optim.AdaGrad(p, lr=0.5), 40)
bowl = run(lambda p: optim.AdaGrad(p, lr=0.5), 40, curves=np.array([1.0, 1.0]))
print("largest difference between the two paths:", np.abs(valley - bowl).max())
assert np.allclose(valley, bowl)

# %% [markdown]
# Is the condition number beaten, then? Turn the valley by 45°, so that it lies across the axes. The start is turned with it,
# so it is the same problem, seen from elsewhere.
#
# **Guess before you run:** for which of gradient descent, momentum and AdaGrad does the turn change where they are after 40
# steps, and in which direction?

# %%
for name, make in (
    ("gradient descent", lambda p: optim.GD(p, lr=2 / 26)),
    ("momentum", lambda p: optim.SGD(p, lr=1 / 9, momentum=16 / 36)),
    ("AdaGrad", lambda p: optim.AdaGrad(p, lr=0.5)),
):
    ends = []
    for turn in (0.0, np.pi / 4):
        # the start is turned along with the valley, so that the problem is the same one seen from elsewhere
        start = (np.cos(turn) - np.sin(turn), np.sin(turn) + np.cos(turn))
        ends.append(np.linalg.norm(run(make, 40, start=start, turn=turn)[-1]))
    print(f"{name:16} after 40 steps: along the axes {ends[0]:.2e}, turned by 45° {ends[1]:.2e}")
    if name == "AdaGrad":
        assert ends[1] > 100 * ends[0]
    else:
        assert np.isclose(ends[0], ends[1], rtol=1e-3)

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# To gradient descent and momentum a turn is nothing, they know no axes. To AdaGrad it is everything: both coordinates now see
# the same mixture of steep and flat, and dividing by one common number cures nothing.
#
# </details>
#
# That is the truth about all the adaptive methods: they treat each weight by itself, which helps exactly as far as the
# trouble lies in single weights. In a network it often does. A pixel at the rim of the picture is nearly always 0; its
# weights see a gradient once in a hundred samples and should make the most of it.
#
# ## RMSprop: forgetting again
#
# AdaGrad's sum never shrinks, so its steps only ever do. If the loss changes character half-way, as it does in a deep
# network, the early gradients weigh for ever. Hinton (2012, lecture 6e) replaced the sum by a running mean:
#
# $$v_t = \alpha\,v_{t-1} + (1 - \alpha)\,g_t^2, \qquad \theta_t = \theta_{t-1} - \eta\,\frac{g_t}{\sqrt{v_t} + \varepsilon}.$$
#
# By hand, for a constant gradient $g$: $v_t = (1 - \alpha^t)\,g^2$, a geometric series, so the step is
# $\eta/\sqrt{1 - \alpha^t}$. In the long run that is $\eta$, whatever $g$ is. But look at the first step:
# $\eta/\sqrt{1-\alpha}$, which for the default $\alpha = 0.99$ is **ten times** $\eta$. The running mean starts at 0
# and has seen almost nothing yet:

# %%
point = mg.Tensor([0.0], requires_grad=True, dtype="float64", name="point")
rule = optim.RMSprop([point], lr=0.01)
for t in range(1, 1001):
    before = point.numpy().copy()
    rule.zero_grad()
    (3.0 * point).sum().backward()
    rule.step()
    if t in (1, 2, 10, 100, 1000):
        length, predicted = (before - point.numpy()).item(), 0.01 / np.sqrt(1 - 0.99**t)
        print(f"t = {t:>4}   step {length:.5f}   predicted {predicted:.5f}")
        assert np.isclose(length, predicted)

# %% [markdown]
# Adam repairs that; tutorial 9.
#
# And what does it do at the minimum? There the gradient goes to 0, but so does its root mean square, and their quotient
# need not. Suppose that it jumps for ever from $c$ to $-c$ and back, where the curvature is $a$. The gradients are
# $\pm ac$, so $v$ settles at $(ac)^2$ and every step has the length $\eta\cdot ac/ac = \eta$. The jump has the length
# $2c$. So $c = \eta/2$, *whatever the curvature is*. Does it come to that? Start at 1 and wait:

# %%
fig, ax = plt.subplots(figsize=(6.6, 3.6))
for eta, colour in ((0.01, ORANGE), (0.001, BLUE)):
    theta, v, distances = 1.0, 0.0, []
    for _ in range(6000):
        theta, v = formulas.rmsprop(theta, 1.0 * theta, v, eta=eta, alpha=0.99, eps=1e-8)
        distances.append(abs(theta))
    print(
        f"η = {eta}: closest {min(distances):.0e} at step {int(np.argmin(distances))}, at the end {distances[-1]:.6f}"
    )
    assert np.isclose(distances[-1], eta / 2, rtol=1e-3) and min(distances) < 1e-100
    ax.semilogy(np.maximum(distances, 1e-30), color=colour, label=f"η = {eta}")
    ax.axhline(eta / 2, ls=":", color=colour, lw=1)
ax.set(xlabel="step", ylabel="|θ|", title="RMSprop on ½ θ², cut off at 1e-30 (dotted: η/2)")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# First it dives to the minimum and stays: $v$ still remembers the large gradients of the way, which keeps the steps small.
# But it forgets one per cent of that at each step. Hundreds of steps later nothing is left to hold it, the quotient grows
# out of bounds, it is thrown back out, and ends hopping between $\pm\eta/2$. At a constant rate RMSprop does not
# come to rest.

# %% [markdown]
# ## All of them on one surface
#
# Every row of every formula, at every step, beside the path. Choose an optimizer and step; compare $s$ with $v$, and
# watch $b$ build up along the valley and cancel across it. (Two of the seven, Adam and "Adam as printed", are for the
# next tutorial.)

# %%
mg.viz.optimizers("valley", steps=30, noise=0.0)

# %% [markdown]
# ## And on a network
#
# A surface of two variables is a picture, not a proof. So here are real digits: two layers, five epochs, and for each
# rule four rates from small to large, because a comparison at one rate shows mostly who was lucky.

# %%
digits = load_digits()
train, test = divide(digits, (0.8, 0.2), rng=np.random.default_rng(0))
RULES = {
    "SGD": lambda m, lr: optim.SGD(m, lr=lr),
    "momentum 0.9": lambda m, lr: optim.SGD(m, lr=lr, momentum=0.9),
    "AdaGrad": lambda m, lr: optim.AdaGrad(m, lr=lr),
    "RMSprop": lambda m, lr: optim.RMSprop(m, lr=lr),
}


def loss_after(make, lr, epochs=5):
    """The training loss after some epochs; infinite where it diverged."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Linear(32, 10, rng=rng))
    rule, loader = make(model, lr), DataLoader(train, 32, rng=np.random.default_rng(0))
    with np.errstate(all="ignore"):
        for _ in range(epochs):
            for x, y in loader:
                rule.zero_grad()
                nn.cross_entropy(model(mg.Tensor(x)), y).backward()
                rule.step()
        loss = nn.cross_entropy(model(mg.Tensor(train.x)), train.y).item()
    return loss if np.isfinite(loss) else np.inf


rates = (0.001, 0.01, 0.1, 1.0)
table = {name: [loss_after(make, lr) for lr in rates] for name, make in RULES.items()}
print(f"{'':14}" + "".join(f"η = {lr:<8}" for lr in rates))
for name, losses in table.items():
    print(f"{name:14}" + "".join(f"{loss:<12.4f}" for loss in losses))

# %%
fig, ax = plt.subplots(figsize=(6.6, 3.6))
for (name, losses), colour, mark in zip(
    table.items(), (GREY, BLUE, GREEN, ORANGE), ("D-", "o-", "s-", "^-"), strict=True
):
    ax.loglog(rates, np.minimum(losses, 20), mark, color=colour, label=name)
ax.axhline(np.log(10), ls=":", color="black", lw=1)
ax.set(
    xlabel="rate",
    ylabel="loss after 5 epochs",
    title="Every rule has its own rates (dotted: nothing learnt, ln 10)",
)
ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
plt.show()
best = {name: rates[int(np.argmin(losses))] for name, losses in table.items()}
print("best rate of those tried:", best)
assert best["SGD"] > best["RMSprop"]
assert max(min(losses) for losses in table.values()) < 0.3

# %% [markdown]
# Read the table by columns: at one and the same rate the rules lie a factor of ten and more apart. Read it by rows:
# each is good at a rate of its own. Plain SGD wants a rate near 1, momentum about a tenth of that, because of the
# factor $1/(1-\mu)$, and RMSprop a hundredth, because its rate *is* the step of every weight. "Optimizer A is better
# than B" means nothing until both have had their own rate searched.
#
# ## What to take along
#
# - Momentum remembers direction: $\kappa$ steps become about $\sqrt\kappa$, in any coordinates. A steady gradient is
#   amplified by $1/(1 - \mu)$.
# - AdaGrad and RMSprop remember size, entry by entry: they undo any scaling of single weights, and no mixing of them.
# - AdaGrad's steps shrink like $1/\sqrt t$; RMSprop's stay near $\eta$, so it does not settle at a constant rate. Its
#   first steps are $1/\sqrt{1-\alpha}$ times too long.
# - The rules are `momentum`, `adagrad` and `rmsprop` in `minigrad/optim/formulas.py`; the loops that training runs are
#   in `kernels/minigrad_kernels/update_rules.py`, made from them, to the same bits.
#
# ## Exercises
#
# **8.1** $\theta_0 = 0$, $\eta = 0.1$, $\mu = 0.5$, and the gradients of three steps are $1, 1, -1$. Where is $\theta$
# after each step of momentum, in the form above?

# %%
my_thetas = [None, None, None]

check = exercise("08.1")
check(my_thetas)

# %% [markdown]
# **8.2** Write AdaGrad: return the new parameter and the new state. (Take $\varepsilon = 10^{-10}$.)


# %%
def adagrad_step(theta, g, s, eta):
    """Return the new theta and the new s."""
    ...


check = exercise("08.2")
check(adagrad_step)

# %% [markdown]
# **8.3** RMSprop with $\alpha = 0.9$ and $\eta = 0.01$ meets a gradient that is 3 at every step ($\varepsilon$ is
# negligible). How long are its first step, its second step, and its steps in the long run?

# %%
first, second, in_the_long_run = None, None, None

check = exercise("08.3")
check((first, second, in_the_long_run))
