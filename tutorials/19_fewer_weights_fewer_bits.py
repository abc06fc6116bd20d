# %% [markdown]
# # 19. Fewer weights, fewer bits
#
# A trained network is a few arrays of 32-bit numbers. How many of those numbers does it need? And how many of the 32
# bits? The answers are surprisingly small, and both come from the same question: **which change of a weight does the
# network not notice?**
#
# We prune weights, remove whole units, and round what is left to 8 bits, each time first by hand, then in exact terms,
# then measured on real digits, with the price beside the gain.
#
# The real things: `minigrad/compress/`, and on the command line `minigrad prune RUN --sparsity 0.9` and
# `minigrad quantize RUN`.

# %%
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from minigrad_kernels import int8

import minigrad as mg
from minigrad import nn, optim
from minigrad.compress import (
    GradualPruning,
    Masks,
    affine,
    input_ranges,
    quantize,
    remove_units,
    sparse,
    sparsity_at,
)
from minigrad.compress.aware import straight_through
from minigrad.data import DataLoader, divide, load_digits
from minigrad.exercises import exercise
from minigrad.train.trainer import Trainer, evaluate
from minigrad.viz.style import BLUE, GREEN, GREY, ORANGE

mg.set_threads(1)  # enough for networks as small as this, and the times below compare like with like
train, test = divide(load_digits(), (0.8, 0.2), rng=np.random.default_rng(0))
criterion = nn.CrossEntropyLoss()


def network(seed=0):
    """64-128-10: the network of tutorial 12's `mlp-dropout`, for 8x8 pictures."""
    rng = np.random.default_rng(seed)
    return nn.Sequential(nn.Linear(64, 128, rng=rng), nn.ReLU(), nn.Linear(128, 10, rng=rng))


def fit(model, epochs, lr=0.003, callbacks=(), seed=1):
    """Train a model on the digits with Adam; return it."""
    trainer = Trainer(model, criterion, optim.Adam(model, lr=lr), callbacks=list(callbacks))
    trainer.fit(DataLoader(train, 32, rng=np.random.default_rng(seed)), None, epochs)
    return model


def accuracy(model):
    return evaluate(model, test, criterion).accuracy


dense = fit(network(), 20)
print(
    f"{dense.count_parameters():,} parameters, {100 * accuracy(dense):.2f} % of {len(test)} test digits right"
)
assert accuracy(dense) > 0.95

# %% [markdown]
# ## Small weights first
#
# By hand: a unit with the weights $(0.5, -0.1, 0.8, -0.05)$ sees the inputs $(1, 2, 1, 3)$:
#
# $$0.5 \cdot 1 - 0.1 \cdot 2 + 0.8 \cdot 1 - 0.05 \cdot 3 = 0.95 .$$
#
# Set two weights to 0. Without the two smallest, $-0.1$ and $-0.05$, it gives $1.30$; without the two largest, $-0.35$. A
# weight's share in the sum is weight times input, so where the inputs are about alike, what is nearest to 0 is missed
# least. That is **pruning by magnitude** (Han et al. 2015), and *magnitude* means $|w|$: $-0.1$ is larger than $-0.05$.

# %%
w, x = np.array([0.5, -0.1, 0.8, -0.05]), np.array([1, 2, 1, 3])
keep_large, keep_small = np.abs(w) > 0.1, np.abs(w) <= 0.1
print(
    f"all {w @ x:.2f}   without the small {(w * keep_large) @ x:.2f}   without the large {(w * keep_small) @ x:.2f}"
)
assert np.isclose((w * keep_large) @ x, 1.30) and np.isclose((w * keep_small) @ x, -0.35)

weights = np.concatenate([dense[i].weight.numpy().ravel() for i in (0, 2)])
fig, ax = plt.subplots(figsize=(6.4, 3))
ax.hist(weights, 120, color=BLUE)
for share, colour in ((0.5, GREY), (0.9, ORANGE)):
    edge = np.quantile(np.abs(weights), share)
    for side in (-edge, edge):
        ax.axvline(side, color=colour, linewidth=1)
    ax.annotate(
        f"{100 * share:.0f} %", (edge, ax.get_ylim()[1]), (3, -9), textcoords="offset points", color=colour
    )
ax.set(xlabel="weight", ylabel="how many", title="Between the lines: half of the weights, and nine in ten")
plt.show()

# %% [markdown]
# Nobody told the weights to be small; most are. `Masks` prunes: it remembers for each weight whether it is kept. Here the
# network is pruned to one sparsity after another (the share of zeros), **without any training in between**.
#
# **Guess before you run:** how many per cent of the weights can go before it loses one digit in ten?

# %%
shares = (0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
at_once = []
for share in shares:
    pruned = deepcopy(dense)
    Masks(pruned).prune(share)
    at_once.append(accuracy(pruned))
    print(f"{100 * share:>3.0f} % pruned: {100 * at_once[-1]:.2f} %")
assert at_once[2] > at_once[0] - 0.03 and at_once[-1] < 0.7

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# Half of the weights can go and hardly a digit is lost; then it falls off a cliff. The small weights carry little of each sum, as in
# the unit above, and their errors partly cancel; the large ones carry it all.
#
# </details>
#
# But those that are left have not been asked yet whether they could take over.
#
# ## Pruning while it trains
#
# So prune a little, train a little, and so on. Zhu & Gupta (2017) let the sparsity grow from 0 to its final value $s_f$
# between the steps $t_0$ and $t_1$ as
#
# $$s_t = s_f - s_f \left(1 - \frac{t - t_0}{t_1 - t_0}\right)^3 .$$
#
# By hand, for $s_f = 0.9$, a quarter of the way: $0.9 - 0.9 \cdot 0.75^3 = 0.9 \cdot 0.578 = 0.520$. More than half of
# the pruning is done in the first quarter, when there are weights to spare; the last quarter prunes
# $0.9 \cdot 0.25^3 = 0.014$.

# %%
steps = np.arange(101)
plan = [sparsity_at(int(t), begin=0, end=100, final=0.9) for t in steps]
print(f"after a quarter {plan[25]:.3f}, in the last quarter {0.9 - plan[75]:.3f}")
assert np.isclose(plan[25], 0.9 * (1 - 0.75**3)) and np.isclose(0.9 - plan[75], 0.9 * 0.25**3)

# %% [markdown]
# There is a trap. An optimizer has a memory (tutorials 8 and 9): momentum, or Adam's $m$. Set a weight to 0 and do
# nothing else, and the next step moves it again, even where its gradient is 0. By hand, momentum with $\mu = 0.9$,
# $\eta = 0.1$: a weight was pruned when its memory was $b = 2$. The gradient is 0 now, and the step is
# $-0.1 \cdot 0.9 \cdot 2 = -0.18$.


# %%
def two_weights():
    """One layer of two weights, and an optimizer that remembers (2, 2)."""
    layer = nn.Linear(2, 1, bias=False, rng=np.random.default_rng(0))
    layer.weight.data[:] = [[0.01, 3.0]]
    optimizer = optim.SGD(layer, lr=0.1, momentum=0.9)
    optimizer.state["weight"]["b"][:] = 2
    return layer, optimizer


layer, optimizer = two_weights()
layer.weight.data[0, 0] = 0  # pruned by hand
layer.weight.grad = np.zeros((1, 2), "float32")
optimizer.step()
print("zeroed, no more:     ", layer.weight.numpy())
assert np.allclose(layer.weight.numpy(), [[-0.18, 2.82]])

layer, optimizer = two_weights()
masks = Masks(layer)
masks.prune(0.5, optimizer)
with masks.held():
    for _ in range(3):
        optimizer.zero_grad()
        (layer(mg.Tensor([[1.0, 1.0]])) ** 2).sum().backward()
        optimizer.step()
print("pruned with a mask:  ", layer.weight.numpy(), " its memory:", optimizer.state["weight"]["b"])
assert layer.weight.numpy()[0, 0] == 0 and optimizer.state["weight"]["b"][0, 0] == 0

# %% [markdown]
# A mask sets three things of a pruned weight to 0: the weight, its memory, and in every backward pass its gradient. Every
# update rule of this library makes 0 out of (0, 0, 0), so no optimizer has to know of masks. And clipping by the norm
# sees only the gradients of weights that exist.
#
# Now the same sparsities with pruning while it trains, 20 epochs each. The dense network gets 20 more epochs as well:
# **what training alone would have brought must not be credited to pruning.**


# %%
def pruned_gradually(share, epochs=20):
    """Prune for two thirds of the steps, then only train."""
    model = deepcopy(dense)
    optimizer = optim.Adam(model, lr=0.003)
    loader = DataLoader(train, 32, rng=np.random.default_rng(1))
    pruning = GradualPruning(model, optimizer, share, end=2 * epochs * len(loader) // 3, every=20)
    with pruning.masks.held():
        t = 0
        for _ in range(epochs):
            for batch, labels in loader:
                optimizer.zero_grad()
                criterion(model(mg.Tensor(batch)), labels).backward()
                optimizer.step()
                t += 1
                pruning.step(t)
    return model


longer = accuracy(fit(deepcopy(dense), 20))
gradual = {share: pruned_gradually(share) for share in (0.5, 0.8, 0.9, 0.95, 0.98)}
trained = {share: accuracy(model) for share, model in gradual.items()}
print(f"dense {100 * at_once[0]:.2f} %, dense and trained on {100 * longer:.2f} %")
for share, value in trained.items():
    once = at_once[shares.index(share)]
    print(f"{100 * share:>3.0f} % pruned: at once {100 * once:.2f} %, while it trains {100 * value:.2f} %")

fig, ax = plt.subplots(figsize=(6.4, 3.4))
ax.plot(np.multiply(100, shares), np.multiply(100, at_once), "o-", color=ORANGE, label="at once")
ax.plot(
    [100 * s for s in trained], [100 * a for a in trained.values()], "o-", color=BLUE, label="while it trains"
)
ax.axhline(100 * longer, color=GREY, linewidth=1, linestyle=":", label="dense, trained as long")
ax.set(xlabel="weights pruned, %", ylabel="test accuracy, %", title="The others take over")
ax.legend(frameon=False)
plt.show()
assert trained[0.9] > at_once[shares.index(0.9)] + 0.1 and trained[0.9] > longer - 0.05

# %% [markdown]
# ## Zeros are not yet speed
#
# Nine in ten weights are 0. Is the network ten times as fast? A matrix product multiplies zeros as fast as anything
# else. To leave them out one has to store **where** the others are, and walk that list (`scipy.sparse`).
#
# **Guess before you run:** with half of the weights at 0, with nine in ten, with 98 in a hundred: when is the list faster than
# the plain product?


# %%
def best_time(work, repeats=7):
    """Microseconds of a call, the fastest of several rounds."""
    work()
    rounds = []
    for _ in range(repeats):
        start = perf_counter()
        for _ in range(20):
            work()
        rounds.append((perf_counter() - start) / 20)
    return 1e6 * min(rounds)


wide = nn.Linear(784, 128, rng=np.random.default_rng(0))  # as large as MNIST's first layer
batch = mg.Tensor(np.random.default_rng(1).random((128, 784), dtype="float32"))
with mg.no_grad():
    dense_time = best_time(lambda: wide(batch))
    for share in (0.5, 0.9, 0.98):
        copy = deepcopy(wide)
        Masks(copy).prune(share)
        packed = sparse(copy)
        time = best_time(lambda packed=packed: packed(batch))
        print(f"{100 * share:.0f} % zeros: dense {dense_time:.0f} us, sparse {time:.0f} us")

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# A number in a list costs many times what a number in a row costs, so zeros have to be far in the majority before they pay.
#
# </details>
#
# `python -m bench.compression --sparse` measures from where on, for your machine.
#
# ## Whole units
#
# Remove a **unit** instead: a row of one weight matrix, its bias, and a column of the next. What is left is an ordinary
# dense network, and smaller. Which units? Behind a ReLU, a unit with the row $w$, bias $b$ and column $v$ is the same unit
# as one with $2w$, $2b$ and $v/2$:
#
# $$v \cdot \max(0, wx + b) = \tfrac{v}{2} \cdot \max(0, 2wx + 2b) .$$
#
# So the row alone says nothing. The importance here is $\|(w, b)\| \cdot \|v\|$, which is the same for both.

# %%
small = remove_units(dense, 0.5)
print(f"half of the units: {small.count_parameters():,} of {dense.count_parameters():,} parameters")
before = accuracy(small)
fit(small, 20)
print(
    f"removed at once {100 * before:.2f} %, after some training {100 * accuracy(small):.2f} %, dense {100 * longer:.2f} %"
)
assert small.count_parameters() == 64 * 64 + 64 + 64 * 10 + 10
assert accuracy(small) > longer - 0.05

with mg.no_grad():
    half = nn.Linear(784, 64, rng=np.random.default_rng(0))
    print(
        f"MNIST's first layer: 128 units {best_time(lambda: wide(batch)):.0f} us, 64 units {best_time(lambda: half(batch)):.0f} us"
    )

# %% [markdown]
# ## Eight bits
#
# A float32 distinguishes four billion numbers. Let us do with 256. Choose a step $s$, the **scale**, and write every
# number as a whole number of steps, counted from a **zero point** $z$:
#
# $$x \approx s\,(q - z), \qquad q = \operatorname{round}(x / s) + z \;\in\; \{-128, \ldots, 127\} .$$
#
# By hand, for numbers from $-1$ to $3$: 255 steps in a range of 4 make $s = 4/255 = 0.01569$, and $-1$ shall become
# $-128$: $z = \operatorname{round}(-128 + 1/s) = \operatorname{round}(-64.25) = -64$. Then $x = 1$ becomes
# $q = \operatorname{round}(63.75) - 64 = 0$, which stands for $s \cdot 64 = 1.0039$. The error is at most half a step,
# $0.0078$. And 0 becomes $-64$, which stands for exactly 0.

# %%
scale, zero_point = affine.parameters_for(-1, 3)
q = affine.quantize(np.array([-1, 0, 1, 3], "float32"), scale, zero_point)
print(f"s = {scale:.5f}, z = {zero_point}")
print("q =", q, " back:", affine.dequantize(q, scale, zero_point).round(4))
assert zero_point == -64 and q[2] == 0 and affine.dequantize(q, scale, zero_point)[1] == 0

# %% [markdown]
# **One scale for a whole weight matrix, or one for each row?** A row is an output channel. By hand: the rows $(1, 0.5)$
# and $(0.01, 0.004)$. With one scale for both, $1/127$, the second row becomes $(1, 1)$ steps, that is
# $(0.0079, 0.0079)$: $0.004$ has doubled. With a scale of its own, $0.01/127$, it becomes $(127, 51)$ steps, that is
# $(0.01, 0.0040)$.

# %%
matrix = np.array([[1, 0.5], [0.01, 0.004]], "float32")
scales = affine.channel_scales(matrix)
for name, s in (("one scale", np.full(2, scales.max())), ("one for each row", scales)):
    steps_of = affine.quantize_weight(matrix, s)
    print(
        f"{name:<17} steps {steps_of[1]}  stand for {affine.dequantize(steps_of, s[:, None], 0)[1].round(4)}"
    )
assert affine.quantize_weight(matrix, scales)[1].tolist() == [127, 51]

# %% [markdown]
# **And which range for the inputs?** Weights are known; what flows into a layer has to be watched, with some of the
# training data: **calibration**. The smallest and the largest number seen is one answer (*minmax*). But a single
# outlier stretches the range and coarsens the steps for all others; leaving out the outermost 0.1 % is the other
# answer (*percentile*).

# %%
numbers = np.random.default_rng(0).normal(size=10_000).astype("float32")
numbers[0] = 40
for name, low, high in (
    ("minmax", numbers.min(), numbers.max()),
    ("percentile 99.9", *np.percentile(numbers, [0.05, 99.95])),
):
    s, z = affine.parameters_for(low, high)
    error = np.abs(affine.dequantize(affine.quantize(numbers, s, z), s, z) - numbers)
    print(f"{name:<16} step {s:.4f}   median error {np.median(error):.4f}   largest {error.max():.1f}")

ranges = input_ranges(dense, train.x[:512])
print(
    {name: (round(low, 2), round(high, 2)) for name, (low, high) in ranges.items()},
    "<- what flows into the layers",
)

# %% [markdown]
# ## A product of integers
#
# With $x \approx s_x(q - z)$ and $W \approx s_w W_q$, a row of the layer is
#
# $$\sum_i x_i w_i + b \;\approx\; s_x s_w \Big(\underbrace{\sum_i q_i w_{q,i}}_{\text{integers}} - z \sum_i w_{q,i}\Big) + b .$$
#
# The sum of products is done in integers, exactly, in any order. By hand: $(10, -20) \cdot (3, 4) = -50$; a product of
# two 8-bit numbers fits into 16 bits, and 131,071 of them into 32. `kernels/minigrad_kernels/int8.py` does just that.

# %%
print(int8.matmul(np.array([[10, -20]], "int8"), np.array([[3, 4]], "int8")))
assert int8.MOST_TERMS == 131_071 and 131_071 * 128 * 128 < 2**31 <= 131_072 * 128 * 128
eight = quantize(dense, train.x[:512])
print(eight)
picture = mg.Tensor(test.x[:1])
layer = eight[0]
q = affine.quantize(test.x[:1], layer.input_scale.data, layer.input_zero_point.data)
total = int8.matmul(q, layer.weight.data) - int(layer.input_zero_point.data) * layer.weight.data.sum(
    axis=1, dtype="int32"
)
by_hand = layer.input_scale.data * layer.scale.data * total + layer.bias.data
assert np.allclose(layer(picture).numpy(), by_hand, rtol=1e-5, atol=1e-6)
difference = np.abs(layer(picture).numpy() - dense[0](picture).numpy()).max()
print(f"largest difference to float32 in the first layer: {difference:.4f}")

# %%
same = np.mean(
    eight(mg.Tensor(test.x)).numpy().argmax(axis=1) == dense(mg.Tensor(test.x)).numpy().argmax(axis=1)
)
with TemporaryDirectory() as folder:
    bytes_of = {}
    for name, model in (("float32", dense), ("int8", eight)):
        nn.save_weights(model, Path(folder) / name)
        bytes_of[name] = (Path(folder) / name).stat().st_size
print(
    f"float32 {100 * accuracy(dense):.2f} %, int8 {100 * accuracy(eight):.2f} %; the same answer for {100 * same:.1f} % of the digits"
)
print(
    f"files: {bytes_of['float32']:,} and {bytes_of['int8']:,} bytes, {100 * bytes_of['int8'] / bytes_of['float32']:.0f} %"
)
assert abs(accuracy(eight) - accuracy(dense)) < 0.01 and bytes_of["int8"] < 0.35 * bytes_of["float32"]

# %% [markdown]
# A quarter of the bytes and, in this network, hardly a changed answer. (The file is a little more than a quarter: biases,
# scales and names remain. The larger the network, the less they count.)
#
# ## Training through a staircase
#
# How far down can we go? With $k$ bits a weight has $2^k - 1$ values. Rounding a finished network works for a while. When
# it no longer does, train **with the rounded numbers**. But rounding is a staircase: its derivative is 0 wherever it has
# one, so no gradient comes through. The **straight-through** trick (Bengio et al. 2013) walks forwards through the
# staircase, and backwards as if it were the slope that it follows:
#
# $$\hat w = w + \underbrace{(\operatorname{round}(w) - w)}_{\text{taken as a constant}}, \qquad \frac{d\hat w}{dw} = 1 .$$

# %%
w = mg.Tensor([0.2, 0.7, 1.4], requires_grad=True, name="w")
rounded = straight_through(w, np.rint(w.numpy()))
(rounded * np.array([1, 10, 100], "float32")).sum().backward()
print("forwards", rounded.numpy(), " backwards", w.grad.numpy())
assert rounded.numpy().tolist() == [0, 1, 1] and w.grad.numpy().tolist() == [1, 10, 100]


# %%
def with_bits(weight, bits):
    """Rows rounded to 2^bits - 1 values each."""
    most = 2 ** (bits - 1) - 1
    s = np.abs(weight).max(axis=1, keepdims=True) / most
    return (s * np.clip(np.rint(weight / s), -most, most)).astype("float32")


class Rounded(nn.Module):
    """A dense layer whose weight is seen in a few bits."""

    def __init__(self, layer, bits):
        self.weight, self.bias, self.bits = layer.weight, layer.bias, bits

    def forward(self, x):
        return mg.ops.linear(
            x, straight_through(self.weight, with_bits(self.weight.numpy(), self.bits)), self.bias
        )


def in_bits(model, bits):
    first, relu, last = deepcopy(model)
    return nn.Sequential(Rounded(first, bits), relu, Rounded(last, bits))


after, aware = {}, {}
for bits in (8, 6, 4, 3, 2):
    after[bits] = accuracy(in_bits(dense, bits))
    aware[bits] = accuracy(fit(in_bits(dense, bits), 10, lr=0.001))
    print(
        f"{bits} bits: rounded afterwards {100 * after[bits]:.2f} %, trained with rounded weights {100 * aware[bits]:.2f} %"
    )

fig, ax = plt.subplots(figsize=(6.4, 3.2))
ax.plot(list(after), [100 * a for a in after.values()], "o-", color=ORANGE, label="rounded afterwards")
ax.plot(
    list(aware), [100 * a for a in aware.values()], "o-", color=GREEN, label="trained with rounded weights"
)
ax.axhline(100 * longer, color=GREY, linewidth=1, linestyle=":", label="float32, trained on")
ax.set(
    xlabel="bits of a weight",
    ylabel="test accuracy, %",
    title="Where rounding afterwards fails, training helps",
)
ax.invert_xaxis()
ax.legend(frameon=False, loc="lower left")
plt.show()
assert after[8] > at_once[0] - 0.01 and aware[2] > after[2]

# %% [markdown]
# ## What buys what
#
# | | gains | costs | here |
# |---|---|---|---|
# | pruning weights | zeros: smaller when packed | training; speed only where nearly all are 0 | `GradualPruning`, `Masks` |
# | removing units | a smaller dense network: bytes and time | training; some accuracy | `remove_units` |
# | 8 bits, afterwards | a quarter of the bytes | some calibration data | `quantize` |
# | training with rounded numbers | fewer bits still | training | `aware`, `converted` |
#
# They combine: prune first, quantise last. What is fast depends on the machine: integers save memory everywhere, and time
# where the processor has instructions for them.

# %% [markdown]
# ## Exercises
#
# **19.1** Write `mask(w, sparsity)`: an array of booleans of `w`'s shape, `False` for the `round(sparsity * w.size)`
# entries of the smallest magnitude, `True` for the others. (No two entries have the same magnitude.)


# %%
def mask(w, sparsity): ...  # your answer


exercise("19.1")(mask)

# %% [markdown]
# **19.2** Write `scale_and_zero(low, high)` for `low < 0 < high`: return the scale $s$ and the zero point $z$, a whole
# number, for which `low` becomes $-128$ and `high` becomes $127$.


# %%
def scale_and_zero(low, high): ...  # your answer


exercise("19.2")(scale_and_zero)

# %% [markdown]
# **19.3** Write `round_through(x)` for a Tensor `x`: a Tensor with the numbers of `x` rounded to whole numbers (ties to
# even, as `np.rint`), whose gradient passes to `x` as if nothing had been rounded. Do it with NumPy and Tensors alone.


# %%
def round_through(x): ...  # your answer


exercise("19.3")(round_through)
