# %% [markdown]
# # 11. Overfitting: L1, L2, ElasticNet, dropout, early stopping, augmentation
#
# A network with enough weights can learn its training samples by heart. The loss goes to 0, and on new samples it is no
# better than before, or worse. That is **overfitting**, and the cures are called *regularisation*. The source articles
# name six of them. (These are the five articles, D0 to D4, that these tutorials follow; `docs/formulas.md` has what each
# prints. Two of them say that regularisation works "by increasing the complexity of the model". It
# is the other way round; we shall measure it.)
#
# For each cure the same three questions: what does it do to one weight, by hand; what does it do in exact terms; and
# does it help on real digits, by more than chance?
#
# The real things: `minigrad/optim/penalties.py`, `minigrad/nn/dropout.py`, `minigrad/train/callbacks.py` (early
# stopping) and `minigrad/data/augment.py`.

# %%
from dataclasses import replace
from itertools import product

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import Compose, DataLoader, Noise, Rotate, Shift, divide, load_digits
from minigrad.exercises import exercise
from minigrad.optim import penalties
from minigrad.train.callbacks import EarlyStopping
from minigrad.train.trainer import Trainer, evaluate
from minigrad.viz.style import BLUE, GREEN, GREY, ORANGE

# %% [markdown]
# ## The loop, put away
#
# Since tutorial 7 we have written the same loop again and again: for each epoch, for each batch, forward, backward, step. From
# here on `Trainer` does that, and keeps a **history**, a list for each figure with one entry per epoch. It is no more than the
# loop, which can be checked: the same network, trained both ways, from the same seed.

# %%
digits = load_digits()


def by_the_loop(epochs):
    """Two epochs of the loop as we have written it so far."""
    rng = np.random.default_rng(0)
    model = nn.Linear(64, 10, rng=rng)
    rule = optim.SGD(model, lr=0.1)
    for _ in range(epochs):
        for xs, ys in DataLoader(digits, 32, rng=rng):
            rule.zero_grad()
            nn.cross_entropy(model(mg.Tensor(xs)), ys).backward()
            rule.step()
    return model


def by_the_trainer(epochs):
    """The same, with the loop put away."""
    rng = np.random.default_rng(0)
    model = nn.Linear(64, 10, rng=rng)
    trainer = Trainer(model, nn.CrossEntropyLoss(), optim.SGD(model, lr=0.1))
    trainer.fit(DataLoader(digits, 32, rng=rng), None, epochs)
    print(trainer.history)
    return model


looped, fitted = by_the_loop(2), by_the_trainer(2)
print("the same weights, bit for bit:", np.array_equal(looped.weight.numpy(), fitted.weight.numpy()))
assert np.array_equal(looped.weight.numpy(), fitted.weight.numpy())

# %% [markdown]
# `evaluate(model, data, loss)` is the other half: it runs a network over data without training it, and returns the mean loss,
# the share of right answers and the outputs. Four things can be given to a trainer besides: validation data in the place of
# `None`, a `penalty` that is added to each loss, a `transform` of the batches (given to the loader), and `callbacks`, which are
# called after each epoch and may end the training. This tutorial uses one after the other.
#
# ## Seeing it happen
#
# 100 digits to learn from, 359 to test on, and a network with 4,810 weights. That is 48 weights for each picture. And
# as in most data that people have labelled, some labels are wrong: here 15 of the 100, on purpose.
#
# **Guess before you run:** after 100 epochs, how many of the 100 labels does the network reproduce, the 15 wrong ones included?
# And in about which epoch is the *validation* loss lowest?

# %%
rest, test = divide(digits, (0.8, 0.2), rng=np.random.default_rng(0))
rest, validation = divide(rest, (0.85, 0.15), rng=np.random.default_rng(1))
few, _ = divide(rest, (100 / len(rest), 1 - 100 / len(rest)), rng=np.random.default_rng(2))
rng = np.random.default_rng(3)
wrong = rng.permutation(100)[:15]
right_labels, labels = few.y, few.y.copy()
labels[wrong] = (labels[wrong] + rng.integers(1, 10, 15)) % 10
few = replace(few, y=labels)


def network(rng, p=0.0):
    """64-64-10, with dropout between the layers if asked for."""
    first, second = nn.Linear(64, 64, rng=rng), nn.Linear(64, 10, rng=rng)
    return nn.Sequential(first, nn.ReLU(), *([nn.Dropout(p, rng=rng)] if p else []), second)


def trained(seed, *, data=few, p=0.0, penalty=None, callbacks=(), transform=None, epochs=100, watch=True):
    """Train on a few digits; return the model and its history, with the validation loss if it is watched."""
    rng = np.random.default_rng(seed)
    model = network(rng, p)
    trainer = Trainer(
        model,
        nn.CrossEntropyLoss(),
        optim.Adam(model, lr=0.005),
        penalty=None if penalty is None else lambda: penalty(model),
        callbacks=list(callbacks),
    )
    trainer.fit(DataLoader(data, 25, rng=rng, transform=transform), validation if watch else None, epochs)
    return model, trainer.history


model, history = trained(0)
print(f"{model.count_parameters():,} weights, {len(few)} digits")
for epoch in (1, 5, 20, 50, 100):
    print(
        f"epoch {epoch:>3}   training loss {history['loss'][epoch - 1]:.5f}   validation loss {history['val_loss'][epoch - 1]:.4f}"
    )

fig, ax = plt.subplots(figsize=(6.6, 3.6))
ax.semilogy(history["epoch"], history["loss"], color=BLUE, label="training")
ax.semilogy(history["epoch"], history["val_loss"], color=ORANGE, label="validation")
best = int(np.argmin(history["val_loss"]))
ax.plot(best + 1, history["val_loss"][best], "o", ms=9, mfc="none", color=ORANGE)
ax.set(xlabel="epoch", ylabel="loss", title=f"The validation loss is lowest in epoch {best + 1}")
ax.legend(frameon=False)
plt.show()
print(
    f"in the end {100 * np.mean(model(mg.Tensor(few.x)).numpy().argmax(axis=1) == few.y):.0f} of the 100 labels are reproduced, the wrong ones included"
)
assert history["loss"][-1] < 0.05 and history["val_loss"][-1] > 1.1 * min(history["val_loss"])

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# The training loss goes to 0: the network has learnt even the wrong labels by heart. The validation loss stops falling
# early and rises again. It had learnt what can be said about digits in general; what it learns from there on belongs to these
# hundred alone.
#
# </details>
#
# The gap between the two is what this tutorial is about.
#
# ## L2 by hand
#
# The L2 penalty that D1 prints in section 3.1 (one of the five source articles D0 to D4; `docs/formulas.md` lists what
# each prints) is added to half the mean squared error:
#
# $$J(w) = \frac{1}{2m}\sum_i \big(h(x_i) - y_i\big)^2 + \frac{\lambda}{2m}\sum_j w_j^2 .$$
#
# Take the two points of tutorial 7, $(1, 2)$ and $(2, 2)$, with $h(x) = wx$. The first part has the slope $2.5w - 3$
# and its minimum at $1.2$. The second adds $\frac{\lambda}{m}w$. With $\lambda = 1$, $m = 2$:
#
# $$2.5\,w - 3 + 0.5\,w = 0 \quad\Rightarrow\quad w = 1 .$$
#
# The penalty pulls the weight towards 0, and the more, the larger it is. The same in a step of gradient descent:
#
# $$w \leftarrow w - \eta\Big(J_0'(w) + \frac\lambda m w\Big) = \Big(1 - \frac{\eta\lambda}{m}\Big)\,w - \eta J_0'(w).$$
#
# First the weight shrinks by a fixed factor, then it learns. Hence the other name, *weight decay*, and hence
# `weight_decay=λ/m` of an optimizer does the same without a penalty in the loss:

# %%
x = np.array([1.0, 2.0])
y = np.array([2.0, 2.0])


def descend(penalty=None, decay=0.0, steps=200):
    """Where gradient descent ends on the two points."""
    w = mg.Tensor([1.2], requires_grad=True, dtype="float64", name="w")
    rule = optim.SGD([w], lr=0.1, weight_decay=decay)
    for _ in range(steps):
        rule.zero_grad()
        loss = nn.half_mse(w * x, y)
        (loss if penalty is None else loss + penalty(w)).backward()
        rule.step()
    return w.item()


ends = {
    "no penalty": descend(),
    "penalty l2, λ = 1, m = 2": descend(lambda w: penalties.l2([w], 1.0, m=2)),
    "weight_decay = λ/m": descend(decay=0.5),
    "as D1 codes it, λ = 1": descend(lambda w: penalties.l2_as_coded([w], 1.0)),
}
for name, end in ends.items():
    print(f"{name:26} w = {end:.5f}")
assert np.allclose(list(ends.values()), [1.2, 1.0, 1.0, 3 / 3.5])

# %% [markdown]
# The last line is a trap in the article. Its formula (3.1) divides the penalty by $m$; its program (4.1) is
# `lambda_value * np.sum(w**2) / 2` and does not. With the same $\lambda$ the program punishes $m$ times as hard: on
# 60,000 samples that is no detail. Both are kept, as `l2` and `l2_as_coded`.
#
# ## L1 by hand
#
# The L1 penalty $\frac{\lambda}{2m}\sum|w_j|$ pulls with a *constant* force $\frac{\lambda}{2m}$, however small the
# weight is. Take one weight, $J = \tfrac12(w - a)^2 + k|w|$. For $w > 0$ the slope is $w - a + k$, so the minimum is at
# $a - k$, provided that this is positive. If $a < k$, the pull wins before the weight leaves 0, and the minimum is
# **exactly 0**:
#
# $$w^* = \mathrm{sign}(a)\,\max(|a| - k,\ 0) \qquad\text{against}\qquad w^* = \frac{a}{1 + k} \text{ for the L2 penalty } \tfrac k2 w^2 .$$
#
# L2 makes all weights smaller and none zero. L1 takes the same amount off each and removes the small ones. Six weights,
# $k = 0.5$:

# %%
targets = np.array([-2.0, -0.6, -0.2, 0.1, 0.5, 1.5])
shrunk = np.sign(targets) * np.maximum(np.abs(targets) - 0.5, 0)


def settle(penalty, lr=0.005, steps=1500):
    """Gradient descent on ½ Σ (w - target)² with a penalty."""
    w = mg.Tensor(targets.copy(), requires_grad=True, name="w")
    rule = optim.GD([w], lr=lr)
    for _ in range(steps):
        rule.zero_grad()
        (0.5 * ((w - targets) ** 2).sum() + penalty(w)).backward()
        rule.step()
    return w.numpy()


by_l1 = settle(lambda w: penalties.l1([w], 1.0))  # λ/2m = 0.5 with m = 1
by_l2 = settle(lambda w: penalties.l2([w], 0.5))  # λ/m = 0.5
print("target  ", targets)
print("L1      ", by_l1.round(4), "  by hand", shrunk)
print("L2      ", by_l2.round(4), "  by hand", (targets / 1.5).round(4))
assert np.allclose(by_l1, shrunk, atol=0.004) and np.allclose(by_l2, targets / 1.5, atol=1e-3)

# %% [markdown]
# "Exactly 0" is the minimum. Gradient descent only comes near: the derivative of $|w|$ jumps from $-1$ to $1$ at 0 (the
# engine says 0 at the kink itself), so the weight hops about 0 in steps of up to $\eta(k + |a|)$. Here is its last
# value at two rates. In practice one cuts what is below a threshold, or takes the shrinking step of exercise 11.2.

# %%
for lr in (0.2, 0.005):
    hop = np.abs(settle(lambda w: penalties.l1([w], 1.0), lr=lr)[2:4]).max()
    print(f"rate {lr}: the weights that should be 0 are at most {hop:.4f};  η (k + |a|) = {lr * 0.7:.4f}")
    assert hop <= lr * 0.7 + 1e-9

# %% [markdown]
# **ElasticNet** (Zou and Hastie, 2005) is both at once, in scikit-learn's form
# $\lambda\big(\rho\sum|w| + \frac{1-\rho}{2}\sum w^2\big)$.
#
# What is the removing of weights good for? A problem with 40 inputs of which 5 matter, and only 30 samples. Without a
# penalty there are infinitely many perfect fits:

# %%
rng = np.random.default_rng(3)
truth = np.zeros(40)
truth[:5] = [2.0, -1.5, 1.0, -2.0, 1.5]
inputs, unseen = rng.standard_normal((30, 40)), rng.standard_normal((1000, 40))
answers = inputs @ truth + 0.3 * rng.standard_normal(30)


def fit(penalty, steps=600):
    """Full-batch descent with momentum on the half mean squared error."""
    w = mg.Tensor(np.zeros(40), requires_grad=True, name="w")
    rule = optim.SGD([w], lr=0.01, momentum=0.9)
    for _ in range(steps):
        rule.zero_grad()
        loss = nn.half_mse(inputs @ w, answers)
        (loss if penalty is None else loss + penalty(w)).backward()
        rule.step()
    return w.numpy()


found = {
    "none": fit(None),
    "L2": fit(lambda w: penalties.elastic_net([w], 0.1, rho=0.0)),
    "ElasticNet": fit(lambda w: penalties.elastic_net([w], 0.1, rho=0.5)),
    "L1": fit(lambda w: penalties.elastic_net([w], 0.1, rho=1.0)),
}
errors = {}
for name, w in found.items():
    errors[name] = np.mean((unseen @ (w - truth)) ** 2)
    inside = np.mean((inputs @ w - answers) ** 2)
    print(
        f"{name:11} training error {inside:.4f}   error on new data {errors[name]:.4f}   weights above 0.02: {np.sum(np.abs(w) > 0.02)}"
    )
assert errors["L1"] < errors["ElasticNet"] < errors["L2"] and errors["L1"] < 0.3 * errors["none"]

fig, axes = plt.subplots(1, 4, figsize=(10, 2.6), sharey=True, layout="constrained")
for ax, (name, w) in zip(axes, found.items(), strict=True):
    ax.bar(np.arange(40), truth, color="#E6E6E6", width=1.0)
    ax.plot(np.arange(40), w, "o", ms=3, color=BLUE)
    ax.set(title=name, xlabel="weight")
axes[0].set_ylabel("grey: truth, dots: found")
plt.show()

# %% [markdown]
# Without a penalty the fit is perfect and useless. L2 shrinks all 40 weights and removes none, which does not help: the
# blame is still spread over inputs that have nothing to do with it. L1 keeps a handful, and the error on new data falls
# to a small part, although, or rather because, the training error is *larger* than before. That is what regularisation
# buys: less freedom, not more. And the right kind, for what is known of the problem: here, that few inputs matter.
#
# ## Dropout by hand
#
# Dropout (Srivastava et al., 2014) sets each entry of a layer to 0 with probability $p$ and multiplies the survivors by
# $1/(1-p)$. Why that factor? So that the *mean* over all masks is the entry itself, and nothing has to be changed at
# evaluation. Four entries and $p = \tfrac14$ have $2^4$ masks; add them all up, each with its probability:

# %%
entries, p = np.array([1.0, 2.0, 3.0, 4.0]), 0.25
mean = np.zeros(4)
for kept in product((0, 1), repeat=4):
    kept = np.array(kept)
    chance = np.prod(np.where(kept, 1 - p, p))
    mean += chance * kept * entries / (1 - p)
print("mean over the 16 masks:", mean)
assert np.allclose(mean, entries)

layer = nn.Dropout(p, rng=np.random.default_rng(5))
t = mg.Tensor(entries, requires_grad=True, dtype="float64", name="t")
out = layer(t)
out.sum().backward()
print("training:  ", out.numpy().round(4), "  gradient", t.grad.numpy().round(4))
print("evaluation:", layer.eval()(t).numpy())
assert (out.numpy() == 0).any()

# %% [markdown]
# The gradient goes through the same mask: what was dropped learns nothing from this sample. And here is what dropout
# *is*, in the one case that can be worked out. For a linear model, the mean of the squared error over all masks on the
# inputs is
#
# $$E\Big[\big(y - \sum_j m_j x_j w_j\big)^2\Big] = \Big(y - \sum_j x_j w_j\Big)^2 + \frac{p}{1-p}\sum_j x_j^2 w_j^2 ,$$
#
# because $m_j$ has mean 1 and variance $p/(1-p)$. The second part is an L2 penalty in which each weight is weighed by
# how large its input is: dropout punishes relying on any single input.

# %%
weights, target = np.array([0.5, -1.0, 0.25, 0.75]), 2.0
expected = 0.0
for kept in product((0, 1), repeat=4):
    kept = np.array(kept)
    chance = np.prod(np.where(kept, 1 - p, p))
    expected += chance * (target - kept * entries / (1 - p) @ weights) ** 2
plain, extra = (target - entries @ weights) ** 2, p / (1 - p) * np.sum(entries**2 * weights**2)
print(f"mean over the masks {expected:.6f} = squared error {plain:.6f} + penalty {extra:.6f}")
assert np.isclose(expected, plain + extra)

# %% [markdown]
# ## Early stopping
#
# The first picture showed it: somewhere the validation loss is lowest. `EarlyStopping(patience)` remembers the weights
# of that epoch, ends the training when the loss has not improved for `patience` epochs, and puts those weights back.

# %%
stopper = EarlyStopping(patience=10)
model, history = trained(0, callbacks=[stopper])
print(
    f"ended after {len(history['epoch'])} epochs of 100; best was epoch {stopper.best_epoch} with {stopper.best:.4f}"
)
again = evaluate(model, validation, nn.CrossEntropyLoss())
assert np.isclose(again.loss, stopper.best) and np.isclose(min(history["val_loss"]), stopper.best)

# %% [markdown]
# Why is this regularisation? Weights start small and grow as they learn, so a short walk ends at small weights: early
# stopping is akin to an L2 penalty. It is the cheapest of all cures, since it *saves* time. But it uses up the
# validation data: their loss chose the epoch, so it is no longer an honest estimate. The test data have to stay out of
# it.
#
# ## Augmentation
#
# The best cure is more data, and for pictures some can be made: a digit that is turned by a few degrees, or slightly
# noisy, or moved a little, is the same digit. `minigrad/data/augment.py` changes every batch anew, so that the network
# never sees the same picture twice.

# %%
turned_and_noisy = Compose((Rotate((8, 8), 10.0), Noise(0.2)))
shifted = Shift((8, 8), 1)
rng = np.random.default_rng(0)
fig, axes = plt.subplots(2, 8, figsize=(9, 2.6))
for row, transform in zip(axes, (turned_and_noisy, shifted), strict=True):
    row[0].imshow(few.x[0].reshape(8, 8), cmap="gray_r")
    for ax in row[1:]:
        ax.imshow(transform(few.x[:1], rng).reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
for ax in axes.ravel():
    ax.set(xticks=[], yticks=[])
for ax, name in zip(axes[:, 0], ("turned, noisy", "shifted"), strict=True):
    ax.set_ylabel(name, size=8)
axes[0, 0].set_title("original", size=9)
plt.show()

# %% [markdown]
# What is added has to be true of the data: mirroring would be fine for cats and wrong for digits. Keep an eye on the
# second row, too.
#
# ## Side by side
#
# The same network, the same 100 digits, three seeds each. (Augmentation gets half as many epochs again, since each
# epoch shows it other pictures.) The strengths are round numbers from a first try. (In a project of your own, choose
# them on the validation part, and look at the test part once, when all is decided.)


# %%
def weights_of(model):
    return [p for name, p in model.named_parameters().items() if name.endswith("weight")]


m = len(few)
cures = {
    "nothing": {},
    "L2, λ/m = 0.01": {"penalty": lambda net: penalties.l2(weights_of(net), 0.01 * m, m)},
    "L1, λ/2m = 0.001": {"penalty": lambda net: penalties.l1(weights_of(net), 0.002 * m, m)},
    "dropout 0.5": {"p": 0.5},
    "early stopping": {"stop": True},
    "augmentation": {"transform": turned_and_noisy, "epochs": 150},
}
results = {}
for name, options in cures.items():
    found = []
    for seed in range(3):
        settings = dict(options)
        settings["watch"] = settings.pop("stop", False)
        settings["callbacks"] = [EarlyStopping(patience=10)] if settings["watch"] else []
        net, _ = trained(seed, **settings)
        seen = evaluate(net, test, nn.CrossEntropyLoss())
        size = float(np.sqrt(sum(np.sum(w.numpy() ** 2) for w in weights_of(net))))
        tiny = np.mean(np.concatenate([np.abs(w.numpy()).ravel() for w in weights_of(net)]) < 0.005)
        found.append((seen.loss, seen.accuracy, size, tiny))
    results[name] = np.array(found)
    loss, accuracy, size, tiny = results[name].mean(axis=0)
    spread = 100 * results[name][:, 1].std(ddof=1)
    print(
        f"{name:23} test loss {loss:.4f}   accuracy {100 * accuracy:.1f} ± {spread:.1f} %   |w| {size:5.2f}   near 0: {100 * tiny:4.1f} %"
    )

# %%
fig, ax = plt.subplots(figsize=(6.8, 3.4), layout="constrained")
for row, (name, found) in enumerate(results.items()):
    ax.plot(100 * found[:, 1], np.full(len(found), row), "o", ms=4, color=GREY)
    ax.plot(100 * found[:, 1].mean(), row, "|", ms=18, mew=2, color=GREEN if name == "nothing" else BLUE)
ax.set_yticks(range(len(results)), list(results))
ax.invert_yaxis()
ax.set(xlabel="test accuracy in %, one dot per seed, bar: mean")
plt.show()

loss = {name: found[:, 0].mean() for name, found in results.items()}
assert max(loss[name] for name in list(cures)[1:]) < 0.95 * loss["nothing"]
assert results["L2, λ/m = 0.01"][:, 2].mean() < results["nothing"][:, 2].mean()
assert results["L1, λ/2m = 0.001"][:, 3].mean() > 3 * results["nothing"][:, 3].mean()

# %% [markdown]
# Read it with the spread in mind. With 359 test digits and accuracies near 80 %, chance alone moves a result by
# $\sqrt{0.8\cdot0.2/359} = 2.1$ points from one test set to another; the dots show what the seed alone does. The test
# *loss*, which also counts how sure the network was, is clearer: all five cures lower it. Each of the first four does
# what its formula says, visible in the columns on the right: L2 about halves the weights, L1 sends most of them to 0,
# early stopping leaves them short of where they were going.
#
# And augmentation? A picture that never comes twice in the same form is hard to learn by heart, and it brings in
# knowledge, too: a digit may be turned. Put the labels right, and compare two such pieces of knowledge, turned and shifted
# digits, with what more data would do.
#
# **Guess before you run:** there are four rows: the 100 digits as they are, turned and noisy, shifted by up to a pixel, and all the
# digits there are. Which order do they have, from the worst test accuracy to the best?

# %%
clean = replace(few, y=right_labels)
print(f"{np.sum(clean.y != few.y)} labels put right")
correct = {}
for name, data, options in (
    ("100 digits", clean, {}),
    ("100 digits, turned and noisy", clean, {"transform": turned_and_noisy, "epochs": 150}),
    ("100 digits, shifted", clean, {"transform": shifted, "epochs": 150}),
    (f"{len(rest)} digits", rest, {"epochs": 10}),
):
    found = [
        evaluate(trained(seed, data=data, watch=False, **options)[0], test, nn.CrossEntropyLoss())
        for seed in range(3)
    ]
    correct[name] = 100 * np.mean([seen.accuracy for seen in found])
    print(
        f"{name:29} test loss {np.mean([seen.loss for seen in found]):.4f}   accuracy {correct[name]:.1f} %"
    )
assert max(correct, key=correct.get) == f"{len(rest)} digits"
assert correct["100 digits, shifted"] < correct["100 digits"]

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# Shifting does *harm*. These pictures were cut out so that every digit fills its 8×8 frame: a shift by one pixel is an
# eighth of the picture, it cuts strokes off, and no test digit is ever shifted. On MNIST, where a digit of 20 pixels
# stands in a frame of 28, the same idea is a sound one.
#
# </details>
#
# Augmentation is a claim about the data, and a false claim
# costs. More data make no claim, and help more than anything on the list.
#
# ## What to take along
#
# - Overfitting is the gap between training and validation loss. Regularisation closes it by taking freedom away.
# - L2 shrinks by a factor, L1 by an amount; L1's minima have exact zeros. D1's formula divides by $m$, D1's program
#   does not.
# - Dropout leaves the mean as it is and adds, for a linear model, an L2 penalty weighed by the inputs.
# - Early stopping uses up the validation data; the test data are for the very end.
# - Compare with several seeds, and know how far chance alone moves the result.
#
# ## Exercises
#
# **11.1** The two points $(1, 2)$ and $(2, 2)$ again, $h(x) = wx$, $m = 2$, and $\lambda = 2$. Where is the minimum
# with D1's L2 penalty $\frac{\lambda}{2m}w^2$, and where with its L1 penalty $\frac{\lambda}{2m}|w|$?

# %%
w_l2, w_l1 = None, None

check = exercise("11.1")
check((w_l2, w_l1))

# %% [markdown]
# **11.2** Write the shrinking step that makes exact zeros: every weight comes closer to 0 by `amount`, and one that
# would cross 0 becomes 0. Arrays in, arrays out.


# %%
def shrink(w, amount):
    """Return the weights, each closer to 0 by amount, none across it."""
    ...


check = exercise("11.2")
check(shrink)

# %% [markdown]
# **11.3** Write dropout and its gradient rule. `u` holds a random number from 0 to 1 for each entry; an entry is
# dropped where `u < p`. Return the output for `x`, and the gradient with respect to `x` for an incoming gradient `g`.


# %%
def dropout(x, g, u, p):
    """Return the output and the gradient with respect to x."""
    ...


check = exercise("11.3")
check(dropout)
