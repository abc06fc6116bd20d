# %% [markdown]
# # 10. Learning-rate schedules: the printed decay and the usual one
#
# Tutorial 7 left a wish: a large rate at the start, to arrive quickly, and a small one at the end, to stand still. A
# **schedule** is a function from the number of steps taken so far to the rate of the next. In minigrad an optimizer's
# `lr` is a number or such a function, and the ready-made ones are in `minigrad/optim/schedules.py`.
#
# It sounds like the simplest part of training. Yet two of the source articles print a schedule, and **neither does what
# its name says**: one grows where it should decay, the other fires a step too early. We find both slips by putting
# numbers in, see what they cost, and then meet the schedules that people use.

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader, divide, load_digits
from minigrad.exercises import exercise
from minigrad.optim import (
    Constant,
    Cosine,
    Exponential,
    ExponentialAsPrinted,
    PerEpoch,
    ReduceLROnPlateau,
    StepAsPrinted,
    StepDecay,
    Warmup,
)
from minigrad.viz.style import BLUE, GREEN, GREY, ORANGE, PURPLE

# %% [markdown]
# ## Exponential decay, by hand
#
# The usual form (Keras' `ExponentialDecay`) multiplies the rate by $r$ over every $T$ steps:
#
# $$\eta_t = \eta\,r^{\,t/T} .$$
#
# Take $\eta = 0.1$, $r = 0.5$, $T = 10$: after 10 steps half is left, after 20 a quarter. At $t = 5$, half-way in the
# exponent, $0.1\cdot\sqrt{0.5} = 0.0707$.

# %%
usual = Exponential(0.1, decay_rate=0.5, decay_steps=10)
for t, by_hand in ((0, 0.1), (5, 0.1 * 0.5**0.5), (10, 0.05), (20, 0.025)):
    print(f"t = {t:>2}   rate {usual(t):.5f}")
    assert np.isclose(usual(t), by_hand)

# %% [markdown]
# With `staircase=True` the exponent is rounded down, and the rate falls in steps: $\eta\,r^{\lfloor t/T\rfloor}$. The
# number $r$ means little without $T$. If a rate is to fall from $a$ to $b$ over $n$ steps, the thing to solve is
# $r^{\,n/T} = b/a$.
#
# ## The one that is printed
#
# D1, one of the five articles that these tutorials follow (D0 to D4, see `docs/formulas.md`), gives this program in its section
# 4.2:
#
# ```python
# def exponential_decay_learning_rate(initial_learning_rate, decay_rate, decay_steps, global_step):
#     new_learning_rate = initial_learning_rate * decay_rate ** (decay_steps - global_step)
#     return new_learning_rate
# ```
#
# that is $\eta\,r^{\,T - t}$.
#
# **Guess before you run:** put the same numbers in, $\eta = 0.1$, $r = 0.5$, $T = 10$. What is its rate at $t = 0$, at $t = 10$ and
# at $t = 20$?


# %%
def exponential_decay_learning_rate(initial_learning_rate, decay_rate, decay_steps, global_step):
    """The program of D1 4.2, as printed."""
    return initial_learning_rate * decay_rate ** (decay_steps - global_step)


printed = ExponentialAsPrinted(0.1, decay_rate=0.5, decay_steps=10)
for t in (0, 1, 5, 10, 15, 20):
    print(f"t = {t:>2}   usual {usual(t):.6f}   as printed {printed(t):12.6f}")
    assert printed(t) == exponential_decay_learning_rate(0.1, 0.5, 10, t)
assert np.isclose(printed(20), 102.4)

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# At $t = 0$ the rate is $0.1\cdot 0.5^{10} = 0.0000977$. At $t = 1$ it is $0.1\cdot0.5^9$, twice that. **It grows.** At $t = T$ it
# arrives at $\eta$, and goes on: at $t = 20$ it is $0.1\cdot0.5^{-10} = 102.4$.
#
# </details>
#
# The slip is a minus where a fraction should be: $T - t$ for $t/T$. What does it do to a training? On a parabola of
# curvature $a$ the answer can be worked out. A step multiplies the error by $1 - \eta_t a$ (tutorial 7). While the rate
# is tiny, nothing moves. As it grows, the error shrinks faster and faster. Then the rate passes $2/a$, the factor
# passes $-1$, and every further step makes things worse, faster than exponentially. The turning point is where
#
# $$\eta\,r^{\,T - t} = \frac2a, \qquad t^* = T + \frac{\ln\big(2/(a\eta)\big)}{\ln(1/r)} .$$
#
# With $a = 1$, $\eta = 0.1$, $r = 0.8$, $T = 20$: $t^* = 20 + \ln 20/\ln 1.25 = 33.4$. So the error should be smallest
# after the step with $t = 33$ and grow from there.


# %%
def descend(schedule, steps, a=1.0):
    """The errors of gradient descent on ½ a θ² from θ = 1."""
    theta = mg.Tensor(1.0, requires_grad=True, dtype="float64", name="theta")
    rule = optim.GD([theta], lr=schedule)
    errors = [1.0]
    for _ in range(steps):
        rule.zero_grad()
        (0.5 * a * theta**2).backward()
        rule.step()
        errors.append(abs(theta.item()))
    return np.array(errors)


growing, falling = ExponentialAsPrinted(0.1, 0.8, 20), Exponential(0.1, 0.8, 20)
errors, usual_errors = descend(growing, 44), descend(falling, 44)
turn = 20 + np.log(2 / 0.1) / np.log(1 / 0.8)
print(
    f"predicted turning point t = {turn:.2f};  the error is smallest after {errors.argmin()} steps, the last with t = {errors.argmin() - 1}"
)
assert errors.argmin() - 1 == int(turn)

fig, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.5), layout="constrained")
t = np.arange(45)
left.semilogy(t, [growing(k) for k in t], color=ORANGE, label="η r^(T - t), as printed")
left.semilogy(t, [falling(k) for k in t], color=BLUE, label="η r^(t / T), usual")
left.axhline(2, ls=":", color="black", lw=1)
left.set(xlabel="step", ylabel="rate", title="The rate (dotted: 2/a)")
left.legend(frameon=False)
right.semilogy(t, errors, color=ORANGE, label="as printed")
right.semilogy(t, usual_errors, color=BLUE, label="usual")
right.axvline(turn, ls=":", color="black", lw=1)
right.set(xlabel="step", ylabel="error", title="The error (dotted: as predicted)")
right.legend(frameon=False)
plt.show()

# %% [markdown]
# It even looks good for a while, since it happens to pass through good rates on its way from too small to too large.
# Such runs are how slips survive. Both forms are in `minigrad/optim/schedules.py`; `Exponential` is the one to use.
#
# One step of it in the recorder. The update's first rows show the rate that the schedule gave:

# %%
theta = mg.Tensor(1.0, requires_grad=True, dtype="float64", name="theta")
rule = optim.GD([theta], lr=usual)


def scheduled_step():
    """One step on ½ θ² at the schedule's rate."""
    rule.zero_grad()
    loss = 0.5 * theta**2
    loss.backward()
    rule.step()


for _ in range(5):
    scheduled_step()
print(f"{rule.t} steps taken; the next has the rate {rule.rate:.5f}")
assert np.isclose(rule.rate, 0.1 * 0.5**0.5)
mg.record(scheduled_step, title="The sixth step, at a decayed rate")

# %% [markdown]
# ## The step schedule, and a tenth that nobody asked for
#
# The article D0, section 4, sets a Keras callback once an epoch:
#
# ```python
# def scheduler(epoch, lr):
#     if epoch % 10 == 0:
#         return lr * 0.1
#     else:
#         return lr
# ```
#
# The intention is plain: every ten epochs a tenth of the rate. Keras hands the callback the epoch, counted from **0**,
# and the rate *as it is now*. Work through it with a configured rate of 0.001: in epoch 0, $0 \bmod 10 = 0$ is true,
# and the rate becomes 0.0001 before anything has been trained. In epochs 1 to 9 it stays. In epoch 10 it becomes
# 0.00001.


# %%
def scheduler(epoch, lr):
    """The schedule of D0, as printed."""
    return lr * 0.1 if epoch % 10 == 0 else lr


running, as_keras = 0.001, []
for epoch in range(30):
    running = scheduler(epoch, running)
    as_keras.append(running)

ours, intended = StepAsPrinted(0.001), StepDecay(0.001, size=10)
print("epoch   as printed   StepAsPrinted   intended (StepDecay)")
for epoch in (0, 1, 9, 10, 19, 20, 29):
    print(f"{epoch:>5}   {as_keras[epoch]:10.2e}   {ours(epoch):13.2e}   {intended(epoch):.2e}")
assert np.allclose(as_keras, [ours(epoch) for epoch in range(30)], rtol=1e-12)
assert np.allclose(as_keras, 0.1 * np.array([intended(epoch) for epoch in range(30)]))

# %% [markdown]
# The whole run is trained at a tenth of the configured rate. Whoever tunes `0.001` tunes in truth 0.0001. It is no
# disaster (tutorial 12 runs that program) but it is a factor of ten that is written nowhere.
#
# ## Steps and epochs
#
# Which brings up the commonest slip of all: the unit. A schedule here is asked with the number of *updates*. An epoch
# of 60,000 samples in batches of 32 has 1,875 of them. `StepDecay(0.001, size=10)` handed to an optimizer drops the
# rate every ten *updates*, and the training is over before it began. `PerEpoch` translates:

# %%
steps_per_epoch = 60_000 // 32
wrong = StepDecay(0.001, size=10)
right = PerEpoch(StepDecay(0.001, size=10), steps_per_epoch)
print("updates in an epoch:", steps_per_epoch)
for t in (0, 9, 10, 100, 10 * steps_per_epoch - 1, 10 * steps_per_epoch):
    print(
        f"update {t:>6} (epoch {t // steps_per_epoch:>2})   without PerEpoch {wrong(t):8.1e}   with {right(t):8.1e}"
    )
assert right(10 * steps_per_epoch - 1) == 0.001 and wrong(100) < 1e-12

# %% [markdown]
# ## Cosine and warm-up
#
# The schedule used most today goes down along half a cosine (Loshchilov and Hutter, 2017, equation 5):
#
# $$\eta_t = \eta_{min} + \tfrac12(\eta - \eta_{min})\left(1 + \cos\frac{\pi t}{T}\right).$$
#
# Check it at three places: $t = 0$ gives $\cos 0 = 1$, so $\eta$. $t = T/2$ gives $\cos\frac\pi2 = 0$, the middle.
# $t = T$ gives $\cos\pi = -1$, so $\eta_{min}$. It stays high for long, falls fastest in the middle and lands softly.
# It has one parameter less to guess than the exponential: only the length.
#
# **Warm-up** goes in front of any schedule: for $W$ updates the rate grows linearly, $\frac{t+1}{W}\eta$ (Goyal et al.,
# 2017, section 2.2). Freshly drawn weights lie in steep places, where the full rate would be above $2/a$. After some
# steps the worst curvature is gone.

# %%
cosine = Cosine(0.1, steps=100)
for t, by_hand in ((0, 0.1), (25, 0.05 * (1 + np.sqrt(0.5))), (50, 0.05), (100, 0.0)):
    print(f"t = {t:>3}   cosine {cosine(t):.5f}")
    assert np.isclose(cosine(t), by_hand)

warm = Warmup(Cosine(0.1, steps=90), steps=10)
print("warm-up:", [round(warm(t), 3) for t in range(12)])
assert np.allclose([warm(t) for t in range(10)], 0.01 * np.arange(1, 11)) and warm(10) == 0.1

fig, ax = plt.subplots(figsize=(7, 3.6))
t = np.arange(101)
for name, schedule, colour, style in (
    ("constant", Constant(0.1), GREY, "-"),
    ("exponential, 0.01 at the end", Exponential(0.1, 0.1, 100), BLUE, "--"),
    ("step, every 33", StepDecay(0.1, size=33), PURPLE, "-."),
    ("warm-up and cosine", warm, GREEN, "-"),
):
    ax.plot(t, [schedule(k) for k in t], style, color=colour, label=name)
ax.set(xlabel="update", ylabel="rate", ylim=(0, 0.125))
ax.legend(frameon=False, ncols=2)
plt.show()

# %% [markdown]
# ## A schedule that watches
#
# All of these fix the future in advance. `ReduceLROnPlateau` looks at the validation loss instead, once an epoch: when
# it has not improved for more than `patience` epochs in a row, the rate is multiplied by `factor`. By hand, with
# patience 1 and factor 0.5:
#
# | observed loss | best so far | epochs without improvement | rate afterwards |
# |---|---|---|---|
# | 1.0 | 1.0 | 0 | 0.1 |
# | 0.8 | 0.8 | 0 | 0.1 |
# | 0.9 | 0.8 | 1 | 0.1 |
# | 0.85 | 0.8 | 2, more than 1 | 0.05 |
# | 0.7 | 0.7 | 0 | 0.05 |

# %%
plateau = ReduceLROnPlateau(0.1, factor=0.5, patience=1)
seen = []
for loss in (1.0, 0.8, 0.9, 0.85, 0.7):
    plateau.observe(loss)
    seen.append(plateau(0))
    print(f"observed {loss}: best {plateau.best}, waited {plateau.waited}, rate {plateau(0)}")
assert seen == [0.1, 0.1, 0.1, 0.05, 0.05]

# %% [markdown]
# It needs validation data and a memory: the `state()` of this schedule goes into a checkpoint, and a resumed run goes
# on where it stopped. The others have nothing to remember beyond the number of steps.
#
# ## What it is worth
#
# Now real data. First a problem that cannot be fitted perfectly: the digits, with a random label on every fifth
# training picture, and a network of one layer. The samples contradict each other, so at the minimum their gradients do
# not vanish, and plain SGD at a generous rate keeps trembling. 20 epochs, three seeds. What is compared is the training
# loss at the end, and its *tremble*: how much it still jumps from epoch to epoch over the last five.

# %%
digits = load_digits()
train, test = divide(digits, (0.8, 0.2), rng=np.random.default_rng(0))
rng = np.random.default_rng(1)
contradicted = train.y.copy()
changed = rng.random(len(train)) < 0.2
contradicted[changed] = rng.integers(10, size=changed.sum())

EPOCHS, BATCH = 20, 32
updates = -(-len(train) // BATCH)
total = EPOCHS * updates


def one_layer(rng):
    return nn.Linear(64, 10, rng=rng)


def two_layers(rng):
    return nn.Sequential(nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Linear(32, 10, rng=rng))


def train_with(schedule, seed, labels, build):
    """Train a network; return the training loss after each epoch and the test accuracy."""
    rng = np.random.default_rng(seed)
    model = build(rng)
    rule, loader = optim.SGD(model, lr=schedule), DataLoader(replace(train, y=labels), BATCH, rng=rng)
    losses = []
    with np.errstate(all="ignore"):
        for _ in range(EPOCHS):
            for x, y in loader:
                rule.zero_grad()
                nn.cross_entropy(model(mg.Tensor(x)), y).backward()
                rule.step()
            with mg.no_grad():
                losses.append(nn.cross_entropy(model(mg.Tensor(train.x)), labels).item())
    return losses, np.mean(model(mg.Tensor(test.x)).numpy().argmax(axis=1) == test.y)


schedules = {
    "constant 1": Constant(1.0),
    "constant 0.03": Constant(0.03),
    "exponential": Exponential(1.0, 0.01, total),
    "step": PerEpoch(StepDecay(1.0, size=8), updates),
    "warm-up + cosine": Warmup(Cosine(1.0, total - updates), updates),
    "exp. as printed": PerEpoch(ExponentialAsPrinted(1.0, 0.7, 12), updates),
}


def compare(names, labels, build, seeds=3):
    """Print, for each schedule, how it ends; return the mean loss curves and the tremble."""
    curves, tremble = {}, {}
    for name in names:
        runs = [train_with(schedules[name], seed, labels, build) for seed in range(seeds)]
        curves[name] = np.mean([losses for losses, _ in runs], axis=0)
        tremble[name] = np.mean([np.std(np.diff(losses[-6:])) for losses, _ in runs])
        right = 100 * np.mean([accuracy for _, accuracy in runs])
        print(
            f"{name:17} loss {curves[name][-1]:8.4f}   tremble {tremble[name]:.5f}   test accuracy {right:.1f} %"
        )
    return curves, tremble


curves, tremble = compare(schedules, contradicted, one_layer)

# %%
fig, ax = plt.subplots(figsize=(7, 3.8))
styles = ((GREY, "-"), (GREY, ":"), (BLUE, "--"), (PURPLE, "-."), (GREEN, "-"), (ORANGE, "-"))
for (name, losses), (colour, style) in zip(curves.items(), styles, strict=True):
    ax.plot(np.arange(1, EPOCHS + 1), losses, style, color=colour, label=name)
ax.set(xlabel="epoch", ylabel="training loss", ylim=(0.7, 2.4), title="A random label on every fifth sample")
ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
plt.show()
ends = {name: losses[-1] for name, losses in curves.items()}
print({name: round(float(loss), 3) for name, loss in ends.items()})
assert max(ends["step"], ends["warm-up + cosine"]) < min(ends["constant 1"], ends["constant 0.03"])
assert tremble["warm-up + cosine"] < 0.2 * tremble["constant 1"]

# %% [markdown]
# The large constant rate trembles above the minimum, the small one has not arrived, as tutorial 7 predicted. All the
# falling rates end still, which is worth some points of test accuracy too. Those that stay high for long (step, cosine)
# end lowest; the exponential spends most of its walk at rates that are small already. The printed decay begins at rates
# near a hundredth of the configured one, passes through good rates, and ends at rates that are too large.
#
# Is a schedule always better, then? Take the clean labels and two layers, which *can* fit every sample. Then at the
# minimum every sample's own gradient is 0, the noise dies out by itself, and a falling rate only slows the walk:

# %%
clean, _ = compare(("constant 1", "warm-up + cosine"), train.y, two_layers)
gap = clean["warm-up + cosine"][-1] / clean["constant 1"][-1]
print(f"the loss of warm-up + cosine at the end is {gap:.1f} times that of the constant rate")

# %% [markdown]
# So a schedule is a remedy for noise that stays. Which schedule is *best* is a question for the problem at hand, and
# 360 test digits cannot tell close ones apart (one digit is 0.28 points). Which ones are *wrong* is a question for a
# pencil.
#
# ## What to take along
#
# - A schedule is a function from the number of updates to a rate. Check it at the start, in the middle and at the end
#   before you train with it.
# - D1's $\eta\,r^{T-t}$ grows from $\eta\,r^T$ and never stops; the usual decay is $\eta\,r^{t/T}$.
# - D0's step schedule fires in epoch 0, so the run is trained at a tenth of its rate.
# - Updates are not epochs: `PerEpoch`.
#
# ## Exercises
#
# **10.1** The rate shall fall from 0.1 to 0.001 over 50 epochs of 40 updates each. Which `decay_rate` does
# `Exponential(0.1, decay_rate, decay_steps=1000)` need?

# %%
decay_rate = None

check = exercise("10.1")
check(decay_rate)

# %% [markdown]
# **10.2** Write warm-up and cosine in one function: for `t < warmup` the rate is
# $\frac{t+1}{\text{warmup}}\cdot$`peak`; from `t = warmup`, where it is `peak`, it falls along half a cosine to 0 at
# `t = total`.


# %%
def rate(t, peak, warmup, total):
    """Return the rate of the update after t others."""
    ...


check = exercise("10.2")
check(rate)

# %% [markdown]
# **10.3** Mend D0's callback. It is called at the beginning of every epoch with the epoch (from 0) and the rate as it
# is now, and returns the rate for this epoch. The first ten epochs shall have the configured rate, the next ten a tenth
# of it, and so on.


# %%
def mended(epoch, lr):
    """Return the rate for this epoch."""
    ...


check = exercise("10.3")
check(mended)
