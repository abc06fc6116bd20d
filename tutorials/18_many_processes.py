# %% [markdown]
# # 18. Many processes, one network
#
# One process computes a batch's gradient. Four processes could each take a quarter of the batch, if they then
# agreed on one gradient. That is **data-parallel training**, and it is how most large networks are trained:
# the network is everywhere the same, the data is divided.
#
# You will cut a batch into shards and see that nothing is lost, find the two places where it is easy to get
# wrong, put a price on the agreement, and start a training on two processes.
#
# Everything but the last run works in this one process: the shards take turns.

# %%
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import load_digits
from minigrad.exercises import exercise
from minigrad.parallel import ShardedGenerator, shard
from minigrad.viz.plots import BLUE, GREEN, ORANGE

# %% [markdown]
# ## 1. A mean can be taken in pieces
#
# The loss of a batch is a mean over its samples, and so is its gradient:
#
# $$\nabla L = \frac1m \sum_{i=1}^{m} \nabla L_i .$$
#
# Cut the $m$ samples into shards of $m_1, m_2, \dots$ samples. Shard $r$ knows its own mean
# $\nabla\bar L_r = \frac{1}{m_r}\sum_{i \in r}\nabla L_i$, so
#
# $$\nabla L = \sum_r \frac{m_r}{m}\,\nabla\bar L_r .$$
#
# By hand, with one weight: the samples' gradients are 1, 2, 3 and 10. Their mean is 4. Cut them into shards
# of three and one.
#
# **Guess before you run:** each shard sends its own mean. What comes out if the two means are weighted by $\frac34$ and
# $\frac14$, and what if one takes their plain mean?

# %%
gradients = np.array([1.0, 2.0, 3.0, 10.0])
first, second = gradients[:3].mean(), gradients[3:].mean()
print(
    "all at once",
    gradients.mean(),
    "  weighted",
    0.75 * first + 0.25 * second,
    "  plain",
    (first + second) / 2,
)
assert 0.75 * first + 0.25 * second == 4.0

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# $\frac34\cdot 2 + \frac14\cdot 10 = 4$ is the batch's mean. The plain mean of the two shards is $\frac12(2 + 10) = 6$: **the lone
# sample would count three times as much as each of the others.**
#
# </details>
#
# `shard(rank, size, total)` is what minigrad's processes use: rank's rows and their weight. Ten samples on four
# processes do not divide evenly:

# %%
for rank in range(4):
    print(f"rank {rank}: {shard(rank, 4, 10)}")

# %% [markdown]
# ## 2. The same on a network
#
# The 64–32–10 network on a batch of 50 digits. First the whole batch. Then three shards, one after the other,
# as three processes would do it at the same time: each runs forward and backward on its rows. `backward` takes the
# weight as its starting gradient, where it otherwise starts from 1. Since `.grad` adds up what comes, the
# sum over the shards is there at the end. On real processes, this sum is the one thing that has to travel.

# %%
digits = load_digits()
x, y = digits.x[:50].astype("float64"), digits.y[:50]


def network():
    rng = np.random.default_rng(18)
    return nn.Sequential(nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Linear(32, 10, rng=rng)).to("float64")


whole = network()
nn.cross_entropy(whole(mg.Tensor(x)), y).backward()

pieces = network()
for rank in range(3):
    part = shard(rank, 3, len(x))
    loss = nn.cross_entropy(pieces(mg.Tensor(x[part.rows])), y[part.rows])
    loss.backward(np.asarray(part.weight))
    print(f"rank {rank}: {part.stop - part.start} samples, mean loss {loss:.4f}, weight {part.weight}")

for (name, a), b in zip(whole.named_parameters().items(), pieces.parameters(), strict=True):
    gap = np.abs(a.grad.numpy() - b.grad.numpy()).max() / np.abs(a.grad.numpy()).max()
    print(f"{name:9s} relative difference {gap:.0e}")
    assert gap < 1e-13

# %% [markdown]
# The same up to rounding: the last digits depend on the order in which 50 numbers are added. That is why the promise is
# two promises. **n processes do what one does, to rounding**; and **the same n gives the same bits**, because then
# the order is the same.
#
# After the sum, every process has the same gradient and makes the same update, with its own copy of the optimizer.
# Weights never travel. Clipping by the norm of the gradient also comes after the sum: each shard's own gradient
# is longer than the mean, so that clipping before would cut too much.

# %%
parts = []
for rank in range(3):
    alone = network()
    rows = shard(rank, 3, len(x)).rows
    nn.cross_entropy(alone(mg.Tensor(x[rows])), y[rows]).backward()
    parts.append(optim.clip_grad_norm(alone, 1e9))
print("norm of the batch's gradient", optim.clip_grad_norm(whole, 1e9))
print("norms of the shards' gradients", *parts)

# %% [markdown]
# ## 3. What is random has to be shared, too
#
# Two things in training are drawn: the order of the samples and the masks of dropout.
#
# The order: all processes have the same generator in the same state, draw the same permutation of the epoch, and
# take their own rows of each batch. Nothing is sent.
#
# The masks: a mask belongs to a sample. If two processes drew from equal generators, their first samples would
# get the *same* mask. If each had a seed of its own, the masks would be as good, but four processes would train another
# network than one. minigrad's generator leaps: the generator PCG64 can go on by any number of draws at once, so each
# process leaps over the others' rows.

# %%
seed = np.random.SeedSequence(1)
print(np.random.default_rng(seed).random((4, 3)).round(2), "  one process, 4 samples")
for rank in range(2):
    rng = ShardedGenerator(seed)
    rng.shard = shard(rank, 2, 4)
    print(rng.random((2, 3)).round(2), f"  rank {rank} of 2")

# %% [markdown]
# ## 4. When may the sum begin?
#
# The walk back reaches the last layer first. Its gradient is final while the first layer's has not been touched, so it can
# travel while the walk goes on. `mg.hooks` shows the order:

# %%
model = network()
names = {parameter: name for name, parameter in model.named_parameters().items()}
ready = []
with mg.hooks(backward=lambda step: ready.append(names[step.input]) if step.input in names else None):
    nn.cross_entropy(model(mg.Tensor(x)), y).backward()
print("final, in this order:", ready)

# %% [markdown]
# A message costs something however small it is, so gradients are put together into **buckets** and each bucket is sent when it is
# full. `GradientAverager` does this with the hook that you just used:

# %%
from minigrad.parallel import ALONE, GradientAverager

wide = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10))
for number, names in enumerate(GradientAverager(wide.named_parameters(), ALONE).layout(), 1):
    kilobytes = sum(wide.named_parameters()[name].size for name in names) * 4 / 1024
    print(f"bucket {number}: {kilobytes:5.1f} KiB  {', '.join(names)}")

# %% [markdown]
# ## 5. What agreement costs
#
# Adding up an array over $p$ processes, so that all have the sum, is an **all-reduce**. Sending everything to one and back
# would make that one the bottleneck. Instead, processes exchange halves, then quarters, and so on, until each has the
# finished sum of one piece; then the pieces go back the same way. With $\alpha$ seconds for a message and
# $\beta$ for each byte, an array of $M$ bytes takes
#
# $$T(p, M) = 2\lceil\log_2 p\rceil\,\alpha + 2\,\frac{p-1}{p}\,M\beta .$$
#
# The second part hardly grows with $p$. The first does, slowly. The exchange itself, on four arrays in this process:


# %%
def all_reduce(arrays):
    """Sum equal arrays of 2, 4, 8 … processes: halve and add, then put together."""
    p, pieces, steps = len(arrays), [a.copy() for a in arrays], 0
    spans = [(0, len(arrays[0]))] * p
    distance = p // 2
    while distance:
        received = [pieces[r ^ distance].copy() for r in range(p)]
        for r in range(p):
            start, stop = spans[r]
            middle = (start + stop) // 2
            spans[r] = (start, middle) if r & distance == 0 else (middle, stop)
            pieces[r][slice(*spans[r])] += received[r][slice(*spans[r])]
        distance, steps = distance // 2, steps + 1
    whole = np.concatenate([pieces[r][slice(*spans[r])] for r in range(p)])
    return [whole.copy() for _ in range(p)], 2 * steps


arrays = [np.arange(8) * 10.0**r for r in range(4)]
sums, messages = all_reduce(arrays)
print(sums[0], "  messages one after the other:", messages)
assert all((s == sum(arrays)).all() for s in sums)

# %% [markdown]
# Now a prediction. It is one: nobody measured it. A process needs 2 ms for its shard of 784–128–10; the gradient has
# 407 kB. Which share of the time computes, if the network carries 1, 10 or 100 Gbit/s?

# %%
from minigrad.parallel.costs import network as link
from minigrad.parallel.costs import predict

processes = 2 ** np.arange(0, 11)
rates = {
    "1 Gbit/s, α 50 µs": link(1, 50),
    "10 Gbit/s, α 20 µs": link(10, 20),
    "100 Gbit/s, α 2 µs": link(100, 2),
}
plt.figure(figsize=(6, 3.2))
for (name, each), colour in zip(rates.items(), (ORANGE, GREEN, BLUE), strict=True):
    shares = [predict(each, int(p), 407_080, 0.002).efficiency for p in processes]
    plt.semilogx(processes, shares, "o-", base=2, color=colour, label=name)
    print(
        f"{name}: 1,024 processes compute {shares[-1]:.0%} of the time, {predict(each, 1024, 407_080, 0.002).bottleneck}"
    )
plt.xlabel("processes")
plt.ylabel("share that computes")
plt.ylim(0, 1.05)
plt.title("Predicted by the model, not measured")
plt.legend(frameon=False)
plt.show()

# %% [markdown]
# A small network on a slow network waits most of the time, from the second process on. What helps: more samples a process
# (more to compute for the same gradient), overlap (section 4), a faster network; in that order.
#
# ## 6. And if one is slow?
#
# Everybody waits for the slowest. **Asynchronous** training does not: a server holds the weights, each worker
# fetches them, computes a gradient and brings it back, and the server applies what comes. The price: when a slow worker's
# gradient arrives, the weights have moved on. Its **staleness** is the number of updates since it read them.
#
# A little simulation: one worker takes 1 second a gradient, the other takes 5; the task is to minimise
# $\frac12\theta^2$ from $\theta = 1$.


# %%
def asynchronous(rate, seconds=(1.0, 5.0), until=30.0):
    """Return times, θ and staleness of all updates."""
    theta, version, log = 1.0, 0, [(0.0, 1.0, 0)]
    busy = {worker: (duration, theta, version) for worker, duration in enumerate(seconds)}
    while True:
        worker = min(busy, key=lambda w: busy[w][0])
        now, read, at = busy[worker]
        if now > until:
            return np.array(log).T
        theta, version = theta - rate * read, version + 1
        log.append((now, theta, version - 1 - at))
        busy[worker] = (now + seconds[worker], theta, version)


times, thetas, staleness = asynchronous(0.3)
synchronous = 0.7 ** np.arange(7)  # an update each 5 seconds, when the slow one is there
print("largest staleness", int(staleness.max()))
plt.figure(figsize=(6, 3.2))
plt.plot(times, np.abs(thetas), color=BLUE, label="asynchronous")
plt.plot(5 * np.arange(7), synchronous, "o-", color=ORANGE, label="synchronous")
fast = asynchronous(1.5)
plt.plot(fast[0], np.abs(fast[1]), ":", color=GREEN, label="asynchronous, 5 times the rate")
plt.yscale("log")
plt.xlabel("seconds")
plt.ylabel("|θ|")
plt.legend(frameon=False)
plt.show()

# %% [markdown]
# With a modest rate the stale gradients hardly hurt, and the fast worker's extra updates pay. With a large rate, a gradient that belongs to
# weights long gone throws θ back, again and again. minigrad therefore **bounds** the staleness: a fast worker's
# gradient is held back where it would make another's older than the bound (`minigrad launch -n 3 --staleness 4 train`).
#
# ## 7. Two processes for real
#
# With MPI (`pip install 'minigrad-engine[mpi]'`) one command starts them: `minigrad launch -n 2 train`. Here is the same run on one
# process and on two:

# %%
have_mpi = importlib.util.find_spec("mpi4py") is not None
scratch = tempfile.TemporaryDirectory()
histories = {}
for n in (1, 2):
    if n == 2 and not have_mpi:
        print("mpi4py is not installed here, so there is no second run: pip install 'minigrad-engine[mpi]'")
        continue
    folder = Path(scratch.name) / f"on-{n}"
    start = ["launch", "-n", "2"] if n == 2 else []
    train = ["train", "--epochs", "5", "--quiet", "--out", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "minigrad", *start, *train], capture_output=True, text=True, check=False
    )
    print(f"{n} process(es): exit code {done.returncode}", done.stderr[-300:])
    if done.returncode == 0:
        histories[n] = np.genfromtxt(folder / "history.csv", delimiter=",", names=True)

# %%
for n, history in histories.items():
    print(f"on {n}:", *(f"{loss:.9f}" for loss in history["loss"]))
if len(histories) == 2:
    assert np.allclose(histories[1]["loss"], histories[2]["loss"], rtol=1e-4)
    print("largest relative difference", np.max(np.abs(histories[2]["loss"] / histories[1]["loss"] - 1)))

# %% [markdown]
# Dropout included, two processes train the network that one trains. For this small network it is no faster: what is computed in
# a step is less than what it costs to agree. Tutorial 12's network on large batches is where it begins to pay.
#
# If one of the processes fails, all of them end, with that one's error; a run that was killed goes on with `--resume`, on as many
# processes as you like.
#
# ## Exercises
#
# **18.1** Write `averaged(gradients, rows)`: it gets a list of the shards' mean gradients (arrays) and a list of how many samples
# each shard has, and returns the gradient of the whole batch.


# %%
def averaged(gradients, rows): ...  # your answer


exercise("18.1")(averaged)

# %% [markdown]
# **18.2** Write `all_reduce_seconds(p, size, alpha, beta)`: the model's time, in seconds, for $p$ processes and an array of
# `size` bytes. $p$ need not be a power of two.


# %%
def all_reduce_seconds(p, size, alpha, beta): ...  # your answer


exercise("18.2")(all_reduce_seconds)

# %% [markdown]
# **18.3** Two workers, A and B, read the weights at the same moment. A is fast: it brings its gradient, reads anew, brings
# the next, reads anew, and brings a third. Then B brings its first. What is the staleness of the four gradients, in the order in
# which they are applied? Hand in four numbers.

# %%
four = None  # your answer: (…, …, …, …)

exercise("18.3")(four)
