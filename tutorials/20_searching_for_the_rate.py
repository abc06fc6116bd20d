# %% [markdown]
# # 20. Searching for the learning rate: grid, random, Bayesian
#
# Gradient descent finds the weights. Nobody finds the learning rate for you, nor the width, the decay, the batch size:
# these **hyper-parameters** have no gradient. What is left is to try some, and there are better and worse ways of
# trying. This tutorial compares three on real trainings, opens up the cleverest of them, and ends with the part that
# goes wrong most often: how to *choose* among the tries without fooling yourself.
#
# Searching stands on [Optuna](https://optuna.org), which comes with the extra `tutorials` (see the README beside this notebook),
# or with `search` alone.

# %%
import math
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from minigrad.exercises import exercise
from minigrad.train.build import load_data
from minigrad.train.config import Config
from minigrad.train.search.plan import Plan
from minigrad.train.search.study import Study
from minigrad.train.search.trial import train
from minigrad.viz.style import BLUE, GREEN, GREY, ORANGE

# %% [markdown]
# ## One setting: the loss as a function of the rate
#
# A **trial** is one training with one choice of settings, judged by data that it was not trained on. Ours is short: 32
# hidden units, three epochs of plain SGD on the handwritten digits, a fifth of the training data held out for
# **validation**. Thirteen rates, each √10 times the one before:

# %%
SHARED = Config(recipe="mlp-sgd", hidden=32, epochs=3, batch_size=32, optimizer="sgd", validation=0.2)
DATA = load_data(SHARED)


def never_hopeless(epoch, loss):
    return False


def validation_loss(**settings):
    """Train with these settings; return the validation loss at the end, infinite where training diverged."""
    outcome = train(Config(**{**SHARED.to_dict(), **settings}), DATA, never_hopeless)
    return math.inf if outcome.loss is None else outcome.loss


rates = 10.0 ** np.arange(-4, 2.5, 0.5)
losses = np.array([validation_loss(lr=float(rate)) for rate in rates])
for rate, loss in zip(rates, losses, strict=True):
    print(f"rate {rate:9.5f}   validation loss {loss:8.4f}")
best = rates[losses.argmin()]
assert 0.02 < best < 2 and losses[0] > 2.2 and losses[-1] > 10 * losses.min()

# %%
fig, ax = plt.subplots(figsize=(6, 3))
shown = np.isfinite(losses)
ax.loglog(rates[shown], losses[shown], "o-", color=BLUE)
ax.axhline(math.log(10), color=GREY, lw=0.8, ls="--")
ax.annotate(
    "ln 10: knows nothing", (rates[0], math.log(10)), (0, 4), textcoords="offset points", color=GREY, size=8
)
ax.set(xlabel="learning rate", ylabel="validation loss", title="A plain, a valley, a cliff")
plt.show()

# %% [markdown]
# Three landscapes in one picture. On the left a plain: the rate is too small to get anywhere in three epochs, and the
# loss stays at $\ln 10 = 2.303$. Then a valley, about a factor of ten wide. Then a cliff.
#
# **The axis is logarithmic, and the search should be too.** What matters is the rate's *factor*: 0.01 and 0.02 differ
# as 0.1 and 0.2 do. Drawn evenly from $10^{-5}$ to $10^{-1}$, nine rates of ten are above 0.01, and one in a thousand
# is below $10^{-4}$. Drawn evenly in the logarithm, each decade gets its quarter:
#
# $$\eta = \text{low}\cdot\Big(\frac{\text{high}}{\text{low}}\Big)^{u}, \qquad u \text{ evenly from } 0 \text{ to } 1 .$$

# %%
u = np.random.default_rng(0).random(100_000)
for name, drawn in (("evenly", 1e-5 + (1e-1 - 1e-5) * u), ("in the logarithm", 1e-5 * (1e-1 / 1e-5) ** u)):
    shares, _ = np.histogram(drawn, 10.0 ** np.arange(-5, 0))
    print(
        f"{name:17}",
        "  ".join(
            f"1e{k}…1e{k + 1}: {100 * s / len(u):5.2f} %" for k, s in zip(range(-5, -1), shares, strict=True)
        ),
    )
assert abs(shares / len(u) - 0.25).max() < 0.01

# %% [markdown]
# On the command line that is `--space lr=1e-5:1e-1:log`.
#
# ## Two settings: grid against random
#
# With two settings the obvious thing is a **grid**: three values of each, nine trials. The equally obvious flaw: nine
# trials try only *three* different rates. If the other setting hardly matters, two thirds of the work is repetition.
# **Random search** (Bergstra & Bengio 2012, "Random search for hyper-parameter optimization") draws nine points, with
# nine different rates.
#
# Take the rate and a weight decay so weak that it hardly matters. The searches below are those of `minigrad search`: a
# `Plan` says what is searched, a `Study` suggests point after point and remembers what came of each.


# %%
def search(sampler, space, trials, seed=0):
    """Return the points that a search tried and their validation losses."""
    plan = Plan({**SHARED.to_dict(), "seed": seed}, space, sampler, trials, prune=False)
    data = load_data(plan.config)
    with tempfile.TemporaryDirectory() as folder:
        study = Study(plan, Path(folder) / "journal.jsonl")
        while (asked := study.next()) is not None:
            study.end(asked, train(asked.config, data, never_hopeless))
        ended = study.trials()
    found = [math.inf if trial.outcome.loss is None else trial.outcome.loss for trial in ended]
    return [trial.point for trial in ended], np.array(found)


SPACE = ["lr=1e-3:10:log", "weight_decay=1e-8:1e-4:log"]
grid_points, grid_losses = search("grid", SPACE, 9)
random_points, random_losses = search("random", SPACE, 9)

fig, axes = plt.subplots(1, 2, figsize=(7.5, 3.2), sharey=True)
for ax, name, points in zip(axes, ("grid", "random"), (grid_points, random_points), strict=True):
    x = np.array([point["lr"] for point in points])
    ax.loglog(x, [point["weight_decay"] for point in points], "o", color=BLUE)
    ax.plot(x, np.full(len(x), 3e-9), "|", color=ORANGE, ms=12, mew=1.5)
    ax.set(xlabel="learning rate", title=f"{name}: {len(set(x.round(12)))} different rates")
axes[0].set_ylabel("weight decay")
plt.show()
for name, points, found in (("grid", grid_points, grid_losses), ("random", random_points, random_losses)):
    print(f"{name:7} best validation loss {found.min():.4f} at rate {points[found.argmin()]['lr']:.4g}")
assert (
    len({point["lr"] for point in random_points}) == 9 and len({round(p["lr"], 9) for p in grid_points}) == 3
)

# %% [markdown]
# The orange strokes are what each knows about the rate. A grid is still right for one or two settings with few values
# (`hidden=64,128,256`), because it leaves nothing out and is easy to read. Its cost multiplies: five values of five
# settings are 3,125 trials. Random search costs what you give it, and can be stopped or extended at any time.
#
# ## Learning from the trials so far
#
# Both forget. After twenty trials on the plain, random search would go on drawing there. **Bayesian** search builds a
# model of what it has seen and asks it where to look next. The one used here, the **tree-structured Parzen estimator**
# (Bergstra, Bardenet, Bengio & Kégl 2011), does not model the loss at all. It divides the trials into the good (the
# best part, say a quarter) and the rest, and asks where good ones are dense and others are not:
#
# $$x_\text{next} = \arg\max_x \frac{\ell(x)}{g(x)}, \qquad
# \ell = \text{density of the good}, \quad g = \text{density of the others} .$$
#
# A density is a bump on every trial, added up. For one setting that is a few lines. Here $x = \log_{10}$ of the rate,
# and the trials are the thirteen from above:


# %%
def density(x, centres, width=0.4):
    """A normal bump of this width on each centre, averaged; and a little everywhere, so that it is never 0."""
    bumps = np.exp(-0.5 * ((x[:, None] - centres) / width) ** 2) / (width * math.sqrt(2 * math.pi))
    return 0.9 * bumps.mean(axis=1) + 0.1 / 6


order = losses.argsort()
good, others = np.log10(rates[order[:3]]), np.log10(rates[order[3:]])
x = np.linspace(-4, 2, 601)
ell, g = density(x, good), density(x, others)
suggested = x[(ell / g).argmax()]

fig, ax = plt.subplots(figsize=(6, 3))
ax.plot(x, ell, color=GREEN, label="ℓ: the best three")
ax.plot(x, g, color=GREY, label="g: the other ten")
ax.plot(x, ell / g / 10, color=ORANGE, label="ℓ / g, a tenth of it")
ax.plot(good, np.zeros(3), "|", color=GREEN, ms=14, mew=2)
ax.plot(others, np.zeros(10), "|", color=GREY, ms=14, mew=2)
ax.axvline(suggested, color=ORANGE, lw=0.8, ls="--")
ax.set(xlabel="log₁₀ of the rate", title=f"Suggested next: a rate of {10**suggested:.2g}")
ax.legend(frameon=False, fontsize=8)
plt.show()
assert good.min() - 0.5 < suggested < good.max() + 0.5

# %% [markdown]
# The suggestion lies among the good ones. The constant 0.1/6 keeps it from digging in one place for ever; Optuna draws
# candidates from $\ell$ and takes the one with the best quotient, fits the bumps' widths, and handles several settings
# at once. The first five trials are random: a model needs something to learn from.
#
# Does it pay? A wider space, twelve trials, two seeds (a seed decides weights, batches *and* what is suggested):

# %%
WIDE = ["lr=1e-5:1e1:log"]
fig, ax = plt.subplots(figsize=(6, 3.2))
for sampler, colour in (("random", GREY), ("bayes", ORANGE)):
    finals = []
    for seed in range(2):
        _, found = search(sampler, WIDE, 12, seed)
        so_far = np.minimum.accumulate(found)
        finals.append(so_far[-1])
        ax.semilogy(np.arange(1, 13), so_far, color=colour, alpha=0.8, label=sampler if seed == 0 else None)
    print(f"{sampler:7} best after 12 trials:", "  ".join(f"{loss:.4f}" for loss in finals))
ax.set(xlabel="trials", ylabel="lowest validation loss so far", title="Two seeds each")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# Two seeds prove nothing, and a lucky draw beats any model. `python -m bench.search_trials` counts on five seeds and
# 40 trials, with one setting and with five; `bench/README.md` has what came of it. What Bayesian search cannot do is
# run all trials at once: each suggestion wants the results of the others.
#
# ## Ending what is hopeless
#
# A trial on the plain shows after one epoch that it is on the plain. **Pruning** ends it there. The median rule: once
# five trials have been completed, end a trial whose best loss so far is worse than the median of theirs *at the same
# epoch*. It saves epochs, and now and then kills a slow starter that would have won.
#
# ## Choosing, and why the test set is used once
#
# Now the trap. Suppose a hundred trials that are **all equally good**: each network is right with probability 0.9,
# whatever you chose. Measured on 360 samples, each shows $0.9 \pm \sqrt{0.9\cdot 0.1/360} = 0.9 \pm 0.016$. Take the
# best of them.
#
# **Guess before you run:** what does the best of a hundred show where it was chosen, and what the best of a thousand? And on
# data that nobody has looked at?

# %%
rng = np.random.default_rng(0)
n, truth = 360, 0.9
for trials in (1, 10, 100, 1000):
    on_validation = rng.binomial(n, truth, (2000, trials)).max(axis=1) / n
    on_test = rng.binomial(n, truth, 2000) / n
    print(
        f"best of {trials:>4}: {100 * on_validation.mean():.2f} % where it was chosen, {100 * on_test.mean():.2f} % on data not looked at"
    )
assert on_validation.mean() > 0.94 and abs(on_test.mean() - truth) < 0.002

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# The best of a thousand equal networks shows 95 %: five points, all of them luck. On new data it is as good as any other. The
# maximum of many noisy numbers is not the number of the maximum.
#
# </details>
#
# The data on which you **choose** always flatter the chosen one, and the more so the
# more you try. Hence three parts:
#
# | part | used for | how often |
# |---|---|---|
# | training | the weights | every step |
# | validation | choosing settings, stopping early, pruning | every trial |
# | test | the number you report | **once, at the end, on the chosen one** |
#
# If the test figure disappoints and you go back to search on, the test set has become a second validation set, and its
# figure flatters too. That is why `minigrad search` never hands the test data to a trial, tests the chosen network one
# time, and will not go on with a search that has been tested.
#
# Once more on real trials, and *only because this is a lesson*: twenty seeds of one and the same setting. A part of the
# winner's lead is real, since its weights are what they are; the rest was luck with these validation samples, and does
# not come along to others. From the validation figure alone you cannot tell how much.

# %%
from dataclasses import replace

from minigrad.train.build import build
from minigrad.train.trainer import evaluate

pairs = []
for seed in range(20):
    session = build(replace(SHARED, lr=0.3, seed=seed), DATA)
    session.trainer.fit(session.loader, None, SHARED.epochs)
    pairs.append(
        [evaluate(session.model, part, session.loss).accuracy for part in (DATA.validation, DATA.test)]
    )
validated, tested = np.array(pairs).T
winner = validated.argmax()
print(f"all twenty: validation {100 * validated.mean():.2f} %, test {100 * tested.mean():.2f} %")
print(f"the winner: validation {100 * validated[winner]:.2f} %, test {100 * tested[winner]:.2f} %")
print(
    f"ahead of the others by {100 * (validated[winner] - validated.mean()):.2f} points where it was chosen, by {100 * (tested[winner] - tested.mean()):.2f} on the test data"
)
assert validated[winner] >= validated.mean()

# %% [markdown]
# ## All of it in one line
#
# ```
# minigrad search mlp-sgd --space lr=1e-4:1:log --space hidden=32,64,128 --sampler bayes --trials 30 --jobs 2
# ```
#
# shows each trial as it ends, can be killed and resumed, and leaves a folder: `summary.md` says what was chosen on
# which data and how often the test set was used; `history.png`, `importance.png` and `slice.png` show the search;
# `best/` is a run like any other.
#
# ## What to take along
#
# - Search rates in the logarithm.
# - A grid repeats itself in what does not matter; random search does not; Bayesian search learns from the trials so
#   far.
# - Choose on validation data. Report the test figure of the chosen one, used once; never the best of many test figures.
#
# ## Exercises
#
# **20.1** Rates are drawn between $10^{-5}$ and $10^{-1}$. Which share of them is below $10^{-2}$, if they are drawn
# evenly, and which if they are drawn evenly in the logarithm?

# %%
evenly, in_the_logarithm = None, None

check = exercise("20.1")
check((evenly, in_the_logarithm))

# %% [markdown]
# **20.2** Turn an even number `u` from 0 to 1 into a rate between `low` and `high` that is even in the logarithm: `low`
# for `u = 0`, `high` for `u = 1`.


# %%
def draw(low, high, u):
    """Return a rate between low and high."""
    ...


check = exercise("20.2")
check(draw)

# %% [markdown]
# **20.3** Each row of `trials` is a trial's validation loss and its test loss; a trial that diverged has NaN for both.
# Return the number of the row that you take, and the loss that you report for it.


# %%
def choose(trials):
    """Return the row that is taken and the loss that is reported."""
    ...


check = exercise("20.3")
check(choose)
