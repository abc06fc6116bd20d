# %% [markdown]
# # 12. Training MNIST: the documents' four programs
#
# Of the five articles that these tutorials follow, D0 to D4 (`docs/formulas.md`), four end in a program. D0, D3 and D4 train
# a network on MNIST, 70,000 handwritten digits; D2 fits a line. **Do the listings run, what do they leave open, and what do they reach?** Everything they need has
# been built in the last eleven tutorials.
#
# We first write the shortest of them out, line by line. Then we run all four as *recipes*, which hold each listing's
# settings (`minigrad/train/recipes.py`; `docs/recipes.md` says how each maps to its listing), and look hard at the
# results: at the right number, at its uncertainty, and at the mistakes.
#
# All that is imported here you know from earlier tutorials, but for `prepare`: it loads a data set by its name, scales the
# pixels to 0..1, and returns its three parts, `train`, `validation` and `test`.
#
# MNIST is 55 MB once unpacked and not part of minigrad. If the environment variable `MINIGRAD_DATA` names a folder that
# holds it, this notebook uses it, with one epoch per program so that it stays short. Otherwise it uses the 1,797 digits
# of 8×8 pixels that come along, and runs every program to its end.

# %%
import math
import os
import tempfile
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader
from minigrad.errors import DataError
from minigrad.exercises import exercise
from minigrad.train.prepare import prepare
from minigrad.train.trainer import evaluate
from minigrad.viz.style import BLUE, GREY, ORANGE

NAME = "digits"
if os.environ.get("MINIGRAD_DATA"):
    try:
        prepare("mnist", 0.0, np.random.default_rng(0))
        NAME = "mnist"
    except DataError as error:
        print("MNIST is not there, so the small digits are used:", error.code)
data = prepare(NAME, 0.1, np.random.default_rng(0))
print(data.train)
print(
    f"{len(data.train):,} to train on, {len(data.validation):,} to validate on, {len(data.test):,} to test on; {data.notes}"
)

# %%
height, width = data.train.image_shape
fig, axes = plt.subplots(2, 10, figsize=(9, 2.2))
for k in range(10):
    for ax, row in zip(axes[:, k], np.flatnonzero(data.train.y == k)[:2], strict=True):
        ax.imshow(data.train.x[row].reshape(height, width), cmap="gray_r")
        ax.set(xticks=[], yticks=[])
plt.show()
print(
    "pixels from",
    data.train.x.min(),
    "to",
    data.train.x.max(),
    "  digits of each class:",
    np.bincount(data.train.y),
)

# %% [markdown]
# ## What has to be beaten
#
# Before any training, two answers that cost nothing. Always say the commonest class: a tenth. And a little cleverer,
# compare with the *mean picture* of each class and take the nearest:

# %%
common = np.bincount(data.train.y).argmax()
means = np.stack([data.train.x[data.train.y == k].mean(axis=0) for k in range(10)])
distances = ((data.test.x[:, None, :] - means) ** 2).sum(axis=2)
guess = float(np.mean(data.test.y == common))
nearest = float(np.mean(distances.argmin(axis=1) == data.test.y))
print(f"always {common}: {100 * guess:.1f} %;   nearest mean picture: {100 * nearest:.1f} %")
assert guess < 0.15 < 0.7 < nearest

# %% [markdown]
# A network that does worse than the mean pictures has learnt nothing worth its weights.
#
# ## D3's program, written out
#
# The listing: `Linear(784, 128)`, ReLU, `Linear(128, 10)`, cross-entropy, `SGD` with rate 0.01, ten epochs, the running
# loss of each printed. Three names in it are never defined: `net`, `trainloader`, and with the loader the batch size.
# We take 64 on MNIST. On the small digits that would be 21 updates an epoch, so there the batch is 16 and the rate 0.1.
#
# How large is it? A dense layer has a weight per pair of input and output, and a bias per output:
#
# $$784\cdot128 + 128 + 128\cdot 10 + 10 = 101{,}770 \qquad\text{or, on 8×8 pixels,}\qquad 64\cdot128 + 128 + 1290 = 9{,}610 .$$
#
# And what will it say at first? It knows nothing, so it gives each class about the probability $\frac1{10}$, and the
# cross-entropy is $-\ln\frac1{10} = 2.303$. A first loss far from that means that something is wrong already.


# %%
class Net(nn.Module):
    """D3's network."""

    def __init__(self, inputs, rng):
        self.fc1 = nn.Linear(inputs, 128, rng=rng)
        self.fc2 = nn.Linear(128, 10, rng=rng)

    def forward(self, x):
        return self.fc2(mg.ops.relu(self.fc1(x)))


rng = np.random.default_rng(0)
net = Net(height * width, rng)
by_hand = height * width * 128 + 128 + 128 * 10 + 10
print(f"{net.count_parameters():,} parameters, by hand {by_hand:,}")
assert net.count_parameters() == by_hand

criterion = nn.CrossEntropyLoss()
size, rate, epochs = (64, 0.01, 1) if NAME == "mnist" else (16, 0.1, 10)
optimizer = optim.SGD(net, lr=rate)
trainloader = DataLoader(data.train, size, rng=rng)

first = criterion(net(mg.Tensor(data.train.x[:256])), data.train.y[:256]).item()
print(f"first loss {first:.3f}, ln 10 = {math.log(10):.3f}")
assert abs(first - math.log(10)) < 0.3

for epoch in range(epochs):
    running_loss = 0.0
    for inputs, labels in trainloader:
        optimizer.zero_grad()
        loss = criterion(net(mg.Tensor(inputs)), labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    print(f"Epoch: {epoch + 1}, Loss: {running_loss / len(trainloader):.3f}")
seen = evaluate(net, data.test, criterion)
print(f"test accuracy {100 * seen.accuracy:.1f} %")
assert seen.accuracy > guess + 0.4

# %% [markdown]
# That is the listing, with its holes filled, nearly word for word. One more update of it, in the recorder. Pick a
# weight of `fc1` and follow it: through the product, the ReLU, the loss, and back. (A batch of four, so that the page
# stays light.)


# %%
def one_update(inputs, labels):
    """One step of D3's program."""
    optimizer.zero_grad()
    loss = criterion(net(mg.Tensor(inputs)), labels)
    loss.backward()
    optimizer.step()


mg.record(one_update, data.train.x[:4], data.train.y[:4], title="D3's network, one update")

# %% [markdown]
# ## Softmax: once, not twice
#
# D0 and D4 end their network with a softmax layer and use a loss on probabilities. D3 ends with plain numbers, the
# *logits*, and its loss applies the softmax. The two are one function:

# %%
net.eval()
with mg.no_grad():
    logits = net(mg.Tensor(data.test.x[:200]))
    probabilities = mg.ops.softmax(logits).numpy().astype("float64")
    from_probabilities = -np.log(probabilities[np.arange(200), data.test.y[:200]]).mean()
    from_logits = nn.cross_entropy(logits, data.test.y[:200]).item()
print(f"loss from probabilities {from_probabilities:.6f}, from logits {from_logits:.6f}")
assert np.isclose(from_probabilities, from_logits, rtol=1e-4)

# %% [markdown]
# The recipes use logits, because it is safer in float32 (tutorial 6). The slip to avoid is doing both. A softmax layer
# *and* a loss that applies softmax: the best the network can say is then 1 for the right class and 0 for the others,
# which the second softmax turns into $e/(e + 9)$. The loss cannot go below $\ln(1 + 9/e)$. minigrad notices:

# %%
perfect = np.eye(10, dtype="float32")[data.test.y[:200]]
lowest = nn.cross_entropy(mg.Tensor(perfect), data.test.y[:200]).item()
print(
    f"the loss of a perfect answer, if softmax is applied to it again: {lowest:.4f};  ln(1 + 9/e) = {math.log(1 + 9 / math.e):.4f}"
)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    nn.cross_entropy(mg.ops.softmax(net(mg.Tensor(data.test.x[:200]))), data.test.y[:200])
print(caught[0].message)
assert np.isclose(lowest, math.log(1 + 9 / math.e)) and "MG-401" in str(caught[0].message)

# %% [markdown]
# ## The pixels
#
# D0 divides the pixels by 255; D4's listing does not. Does it matter? Scale the inputs of an untrained network up and
# look at its first loss.
#
# **Guess before you run:** with pixels from 0 to 1 it is about 2.3. And with pixels from 0 to 255?

# %%
untrained = Net(height * width, np.random.default_rng(0))
for factor in (1, 16, 255):
    with mg.no_grad():
        scaled = criterion(
            untrained(mg.Tensor(data.train.x[:256] * np.float32(factor))), data.train.y[:256]
        ).item()
    print(f"pixels times {factor:>3}: first loss {scaled:8.2f}")
assert scaled > 3 * math.log(10)

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# A dense layer and a ReLU pass a factor on: 255 times the pixels make logits about 255 times as large, and softmax turns their
# differences into certainties, at random. For every picture that it is wrong about, and that is nine of ten, it pays the
# difference of two logits. It starts from a confident falsehood.
#
# </details>
#
# Adam digs itself out in time, SGD may not. `minigrad train` warns when a first
# loss is three times $\ln(\text{classes})$ or more (`minigrad explain MG-404`), and the recipes divide.
#
# ## From a program to settings
#
# D3's program above is made of few decisions: which network, how wide, which optimizer, which rate, which batch size, how many
# epochs. All the rest would be the same in any such program. So write down the decisions alone. That is a **`Config`**, a record of
# settings, and **`build`** makes a program of it: a *session* with the data, the network, the loss, the loader and the trainer
# of tutorial 11, ready to run. A small one, to look at every part of it:

# %%
from minigrad.train.build import build
from minigrad.train.config import Config

small = Config(recipe="mlp-sgd", hidden=16, epochs=2, batch_size=32, optimizer="sgd", lr=0.1)
session = build(small)
print("network:", session.model)
print("data:   ", session.data.train)
print("loader: ", len(session.loader), "batches an epoch")
print("loss:   ", type(session.loss).__name__, "  optimizer:", type(session.trainer.optimizer).__name__)

# %% [markdown]
# Nothing has been trained yet. The parts are those that we have made by hand so far, so one step can be made with them by hand;
# and `session.trainer.fit` makes all of them:

# %%
xs, ys = session.data.train.x[:32], session.data.train.y[:32]
print("one loss, by hand:", round(session.loss(session.model(mg.Tensor(xs)), ys).item(), 4))
session.trainer.fit(session.loader, session.data.validation, small.epochs)
for row in zip(*(session.trainer.history[name] for name in ("epoch", "loss", "val_accuracy")), strict=True):
    print("epoch {}   training loss {:.4f}   validation accuracy {:.3f}".format(*row))

again = build(small)
again.trainer.fit(again.loader, again.data.validation, small.epochs)
print(
    "built and trained once more, the same weights:",
    again.trainer.history["loss"] == session.trainer.history["loss"],
)
assert again.trainer.history["loss"] == session.trainer.history["loss"]

# %% [markdown]
# The last line holds because all chance (the weights, the order of the samples, the dropout masks) comes from one number among
# the settings, `seed`.
#
# ## All four, as recipes
#
# A **recipe** is a name for the settings of one listing: `recipe.settings(data)` returns them, as a dictionary for `Config`. On the
# command line the same is `minigrad train RECIPE`.

# %%
from minigrad.train.recipes import RECIPES

for recipe in RECIPES.values():
    print(f"{recipe.name:12} {recipe.document:14} {recipe.summary}")


def run(name, **changes):
    """Train a recipe; return the session and what the test data say."""
    recipe = RECIPES[name]
    source = "line" if recipe.data == "line" else NAME
    settings = recipe.settings(source)
    if source == "mnist":
        settings["epochs"] = 1
    session = build(Config(**{**settings, **changes}))
    session.trainer.fit(session.loader, session.data.validation, session.config.epochs)
    return session, evaluate(session.model, session.data.test, session.loss)


# %% [markdown]
# D2 first: a line through points, a thousand full-batch steps. Tutorial 7 predicted its weights in advance; the test
# loss should be about the variance of the noise that was put on the points, $0.1^2 = 0.01$.

# %%
session, seen = run("line-gd")
w, b = (p.item() for p in session.model.parameters())
print(f"line-gd: y = {w:.4f} x + {b:.4f}   test loss {seen.loss:.5f}")
assert abs(w - 2) < 0.1 and abs(b - 1) < 0.1 and seen.loss < 0.02

# %%
runs = {name: run(name) for name in ("mlp-sgd", "mlp-dropout", "deep-adam")}
for name, (session, seen) in runs.items():
    config = session.config
    print(
        f"{name:12} {session.model.count_parameters():>7,} parameters  {config.epochs:>2} epochs of {len(session.loader)} updates  "
        f"{config.optimizer} {config.lr}  test loss {seen.loss:.4f}  test accuracy {100 * seen.accuracy:.2f} %"
    )
    if NAME == "digits":
        assert seen.accuracy > max(nearest, 0.95)

# %%
fig, ax = plt.subplots(figsize=(6.8, 3.8))
for (name, (session, _)), colour, mark in zip(
    runs.items(), (GREY, BLUE, ORANGE), ("D-", "o-", "s-"), strict=True
):
    history = session.trainer.history
    updates = np.array(history["epoch"]) * len(session.loader)
    losses = history["val_loss"] if history["val_loss"][0] is not None else history["loss"]
    ax.semilogy(updates, losses, mark, ms=3, color=colour, label=name)
ax.set(xlabel="updates", ylabel="loss", title="Validation loss (training loss where nothing is held out)")
ax.legend(frameon=False)
plt.show()
print(
    "rates of deep-adam, epoch by epoch:",
    sorted({round(rate, 8) for rate in runs["deep-adam"][0].trainer.history["lr"]}, reverse=True),
)

# %% [markdown]
# The last line is the schedule of tutorial 10 at work, as printed: a tenth of the configured rate from the first epoch
# on, and from the eleventh a hundredth.
#
# ## How sure is a percentage?
#
# Accuracy is a share of $n$ test samples, so it has a standard error: a coin with the chance $p$ of showing the right
# answer, thrown $n$ times, shows $p \pm \sqrt{p(1-p)/n}$.

# %%
n = len(data.test)
for name, (_, seen) in runs.items():
    p = seen.accuracy
    error = math.sqrt(p * (1 - p) / n)
    print(f"{name:12} {100 * p:.2f} % ± {100 * error:.2f}   ({round((1 - p) * n)} mistakes on {n})")
best, worst = max(s.accuracy for _, s in runs.values()), min(s.accuracy for _, s in runs.values())
middle = (best + worst) / 2
difference = math.sqrt(2 * middle * (1 - middle) / n)
print(
    f"best minus worst {100 * (best - worst):.2f} points; standard error of such a difference {100 * difference:.2f}"
)

# %% [markdown]
# A difference of less than about two of its standard errors may well be chance. (All three were tested on the same
# pictures, which makes the comparison a little sharper than this estimate says; counting the pictures on which exactly
# one of two networks is right would use that.) And the seed moves results as well: `docs/recipes.md` has the figures
# for ten of them. Do not choose between networks on a tenth of a point.
#
# ## Looking at the mistakes
#
# One number hides which digits are confused. The **confusion matrix** $C$ counts in row $i$, column $j$ how many digits
# $i$ were read as $j$. From it come, for each class $c$,
#
# $$\text{precision} = \frac{C_{cc}}{\sum_i C_{ic}}, \qquad \text{recall} = \frac{C_{cc}}{\sum_j C_{cj}}, \qquad F_1 = \frac{2\,\text{precision}\cdot\text{recall}}{\text{precision} + \text{recall}} .$$
#
# How many of those called a 3 are a 3; how many of the 3s were called so; and their harmonic mean. (`metrics` has all of them;
# here they are worked out beside it.)

# %%
from minigrad.train import metrics

session, seen = runs["mlp-dropout"]
predicted, truth = seen.outputs.argmax(axis=1), session.data.test.y
matrix = metrics.confusion_matrix(truth, predicted, 10)
print(matrix)
precision, recall = matrix.diagonal() / matrix.sum(axis=0), matrix.diagonal() / matrix.sum(axis=1)
harmonic = 2 * precision * recall / (precision + recall)
print("digit     ", "  ".join(f"{k:>5}" for k in range(10)))
for name, row in (("precision", precision), ("recall", recall), ("F1", harmonic)):
    print(f"{name:10}", "  ".join(f"{value:.3f}" for value in row))
assert np.isclose(matrix.trace() / matrix.sum(), seen.accuracy)
assert np.allclose(harmonic, metrics.f1(truth, predicted, average=None))

# %% [markdown]
# And the mistakes themselves, the most confident first. Would you have known?

# %%
chances = mg.ops.softmax(seen.outputs.astype("float64"))
wrong = np.flatnonzero(predicted != truth)
wrong = wrong[np.argsort(-chances[wrong, predicted[wrong]])][:8]
fig, axes = plt.subplots(1, 8, figsize=(10, 1.9), layout="constrained")
for ax, row in zip(axes, wrong, strict=False):
    ax.imshow(session.data.test.x[row].reshape(height, width), cmap="gray_r")
    ax.set_title(
        f"{truth[row]} read as {predicted[row]}\n({100 * chances[row, predicted[row]]:.0f} %)", size=8
    )
for ax in axes:
    ax.set_axis_off()
plt.show()

# %% [markdown]
# What has the first layer learnt? Each of its 128 units has one weight per pixel, so each is a picture: blue where ink
# speaks for the unit, orange where it speaks against.

# %%
weights = next(p for name, p in session.model.named_parameters().items() if name.endswith("weight")).numpy()
limit = np.abs(weights).max()
shade = plt.matplotlib.colors.LinearSegmentedColormap.from_list("weights", [ORANGE, "white", BLUE])
fig, axes = plt.subplots(2, 8, figsize=(9, 2.4))
for ax, unit in zip(axes.ravel(), weights, strict=False):
    ax.imshow(unit.reshape(height, width), cmap=shade, vmin=-limit, vmax=limit)
    ax.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## Saving it
#
# D4 ends with `model.save('mnist_model.h5')`. Here the file is safetensors, which PyTorch reads too (tutorial 17). A
# network that was loaded gives the same outputs, in every bit; anything less would be a bug.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "weights.safetensors"
    nn.save_weights(session.model, path)
    kilobytes = path.stat().st_size / 1000
    other = build(session.config).model
    nn.load_weights(other, path)
again = evaluate(other, session.data.test, session.loss)
print(
    f"{kilobytes:.0f} kB for {session.model.count_parameters():,} numbers of 4 bytes; outputs equal: {np.array_equal(again.outputs, seen.outputs)}"
)
assert np.array_equal(again.outputs, seen.outputs)

# %% [markdown]
# ## What to take along
#
# - All four listings run once their holes are filled: undefined names, unscaled pixels, pictures that nobody flattened,
#   a schedule that fires in epoch 0.
# - Know the first loss ($\ln$ of the number of classes) and a baseline that needs no training before you train.
# - Softmax belongs into the loss or into the network, once.
# - An accuracy is a measurement: it has a standard error, and the seed moves it too.
# - A confusion matrix and eight pictures of mistakes say more than a second decimal.
#
# ## Exercises
#
# **12.1** D0's program is 784–128–128–10, dense layers with biases, 60,000 training pictures, batches of 32, 20 epochs.
# How many parameters does it train, and how many updates does it make?

# %%
parameters, updates = None, None

check = exercise("12.1")
check((parameters, updates))

# %% [markdown]
# **12.2** Work out precision, recall and $F_1$ of class `c` from a confusion matrix (truth in rows, prediction in
# columns).


# %%
def scores(matrix, c):
    """Return precision, recall and F1 of class c."""
    ...


check = exercise("12.2")
check(scores)

# %% [markdown]
# **12.3** Write the training step, so that it can be called again and again: forget the old gradients, run the model
# forwards and backwards, update, and return the loss as a Python number. `x` and `y` are arrays.


# %%
def train_step(model, criterion, optimizer, x, y):
    """Do one update; return the loss before it, as a float."""
    ...


check = exercise("12.3")
check(train_step)
