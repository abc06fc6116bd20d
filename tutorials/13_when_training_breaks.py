# %% [markdown]
# # 13. When training breaks
#
# A program that trains a network seldom crashes. It goes on printing numbers, and the numbers are wrong:
# `nan`, or 2.303 for ever, or a loss that jumps. **Where do you look?**
#
# This tutorial breaks training in five ways. Each time we work the cause out by hand on two or three numbers,
# let the engine confirm it, and then mend it:
#
# 1. a NaN, and finding the operation that made it
# 2. a learning rate that is too large, and what "too large" means
# 3. dead units, which no amount of further training wakes
# 4. exploding gradients, and clipping
# 5. gradients that add up, by mistake and on purpose
#
# The real things live in `minigrad/debug.py` (the first NaN), `minigrad/ops/activation.py` (naive beside
# stable forms), `minigrad/optim/clip.py` (clipping) and `minigrad/modes.py` (accumulation).

# %%
import warnings

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import load_digits
from minigrad.errors import MinigradError
from minigrad.exercises import exercise
from minigrad.viz.plots import BLUE, GREEN, ORANGE

# %% [markdown]
# ## 1. Where does a NaN come from?
#
# `nan` means "not a number". Floating-point arithmetic makes one where a question has no answer: $0/0$,
# $\infty/\infty$, $\infty - \infty$, $0\cdot\infty$. So before most NaNs there was an **infinity**, and
# before most infinities a number that grew too large.
#
# How large is too large? float32 ends at about $3.4\cdot10^{38}$. For $e^a$ that is not far away:

# %%
largest = np.finfo("float32").max
print("largest float32:", largest)
print("e^a overflows above a =", np.log(largest))

# %% [markdown]
# Take two logits, $z = (0, 100)$, and the softmax as textbooks print it, $p_k = e^{z_k} / \sum_j e^{z_j}$. By
# hand:
#
# $$e^0 = 1,\qquad e^{100} = 2.7\cdot 10^{43} \rightarrow \infty,\qquad
# p = \left(\frac{1}{\infty},\ \frac{\infty}{\infty}\right) = (0,\ \text{nan}).$$
#
# The right answer is $(0, 1)$ to 43 digits. The engine keeps the textbook form beside the stable one, so that
# we can watch:

# %%
z = mg.Tensor([0.0, 100.0], requires_grad=True, name="z")
with np.errstate(all="ignore"):  # NumPy would warn; we want to see what happens when nobody reads warnings
    p = mg.ops.naive_softmax(z)
print("naive: ", p.numpy())
print("stable:", mg.ops.softmax(z).numpy())
assert np.isnan(p.numpy()[1]) and mg.ops.softmax(z).numpy()[1] == 1

# %% [markdown]
# The NaN appears in a division, but the fault lies two operations earlier, in `exp`. In a network there may
# be fifty operations between the fault and the number you print. That is what `mg.debug()` is for: inside the
# block every result is looked at, and the **first** one that is not finite raises an error that names the
# operation, the line and the range of what went in.

# %%
with np.errstate(all="ignore"), mg.debug():
    try:
        mg.ops.naive_softmax(z)
    except MinigradError as error:
        print(error)
        assert error.code == "MG-403" and "infinity in the result of exp" in error.message

# %% [markdown]
# The cure for softmax is an old trick. Subtracting one number $c$ from every logit multiplies numerator and
# denominator by $e^{-c}$, which cancels. With $c = \max_j z_j$ the largest power is $e^0 = 1$, and nothing
# can overflow:
#
# $$p_k = \frac{e^{z_k - c}}{\sum_j e^{z_j - c}}.$$
#
# That is what `_softmax` in `minigrad/ops/activation.py` does. And it is why the loss of a classifier takes
# logits: `nn.cross_entropy` works out $-\ln p_k$ in one piece and never takes the logarithm of a rounded
# probability. Here it is, with the true class the unlikely one by 200 logits; the loss is 200, and the naive
# way calls it infinite:

# %%
with np.errstate(all="ignore"):
    naive = -np.log(mg.ops.softmax(mg.Tensor([[0.0, 200.0]])))[0, 0]
print("logarithm of a softmax:", naive.item())
print("cross_entropy on logits:", nn.cross_entropy(mg.Tensor([[0.0, 200.0]]), [0]).item())

# %% [markdown]
# ### A NaN that is only in the gradient
#
# Here is a nastier one. We want $\sqrt{x}$ where $x$ is positive and 0 elsewhere. `np.where` chooses, so the
# bad entries are thrown away.
#
# **Guess before you run:** for $x = (-1, 0, 4)$, what is the result, and what the gradient of its sum?

# %%
x = mg.Tensor([-1.0, 0.0, 4.0], requires_grad=True, name="x")
with np.errstate(all="ignore"):
    root = np.where(x.numpy() > 0, np.sqrt(x), 0.0)
    total = root.sum()
    print("forward: ", root.numpy())
    total.backward(retain_graph=True)
print("gradient:", x.grad.numpy())

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# Forward all is well, backward there are two NaNs. By hand: the rule of the square root is $g / (2y)$.
# `where` sends $g = 0$ to the entries that it did not choose, and for $x = 0$ the result $y$ is 0, so the
# rule asks for $0/0$. **An unused branch is still walked**, and $0 \cdot \infty$ is not 0.
#
# </details>
#
# `mg.debug()` looks at results, and would stop at $\sqrt{-1}$ here. But at $x=0$ it has nothing to find:
# $\sqrt 0 = 0$, and the NaN is born on the way back. For such cases walk back by hand. `mg.steps(loss)` is
# `backward()`, one contribution at a time:


# %%
def first_bad_step(loss):
    """The first step of the walk back whose contribution is not finite."""
    for step in mg.steps(loss, retain_graph=True):
        if not np.isfinite(step.contribution).all():
            return step
    return None


with np.errstate(all="ignore"):
    bad = first_bad_step(total)
print("operation:", bad.record.operation.name, "  rule:", bad.record.operation.rule(bad.position).formula)
print("incoming: ", bad.incoming)
print("y:        ", bad.record.value)
print("passed on:", bad.contribution)
assert bad.record.operation.name == "sqrt"

# %% [markdown]
# The cure is to keep the dangerous input away from the operation, not its result away from the reader: choose
# *before* the root as well as after it.

# %%
x = mg.Tensor([-1.0, 0.0, 4.0], requires_grad=True, name="x")
positive = x.numpy() > 0
root = np.where(positive, np.sqrt(np.where(positive, x, 1.0)), 0.0)
root.sum().backward()
print("forward: ", root.numpy(), "  gradient:", x.grad.numpy())
assert x.grad.numpy().tolist() == [0, 0, 0.25]  # d√x/dx = 1 / (2 · 2) at x = 4

# %% [markdown]
# ## 2. A learning rate that is too large
#
# Take the simplest valley, $L(w) = \tfrac12 a w^2$. Its gradient is $aw$, and one step of gradient descent is
#
# $$w \leftarrow w - \eta\, a w = (1 - \eta a)\, w .$$
#
# So each step multiplies $w$ by $1 - \eta a$. With $a = 4$:
#
# - $\eta = 0.1$: factor $0.6$, we walk down;
# - $\eta = 0.45$: factor $-0.8$, we jump from side to side and still arrive;
# - $\eta = 0.6$: factor $-1.4$, every jump lands farther away.
#
# The border is $|1 - \eta a| = 1$, that is $\eta = 2/a = 0.5$. (Tutorial 16 finds $a$ for a whole network.)
# How long until the numbers run out at $\eta = 0.6$? The loss is $2 w^2$ and $w$ starts at 1, so after $n$
# steps it is $2\cdot1.4^{2n}$. That passes $3.4\cdot 10^{38}$ when $n > \ln(1.7\cdot10^{38}) / (2 \ln 1.4)$:

# %%
predicted = int(np.ceil(np.log(largest / 2) / (2 * np.log(1.4))))
print("predicted: the loss overflows after", predicted, "steps")


def descend(eta, steps):
    """The losses of plain gradient descent on 2·w², from w = 1, in float32."""
    w = mg.Tensor([1.0], requires_grad=True, name="w")
    optimizer, losses = optim.SGD([w], lr=eta), []
    with np.errstate(all="ignore"):
        for _ in range(steps):
            optimizer.zero_grad()
            loss = (2.0 * w**2).sum()
            loss.backward()
            losses.append(loss.item())
            optimizer.step()
    return np.array(losses)


runaway = descend(0.6, 400)
print("observed:  first infinite loss after", np.argmax(np.isinf(runaway)), "steps")
print("           first NaN loss after     ", np.argmax(np.isnan(runaway)), "steps")
assert np.argmax(np.isinf(runaway)) == predicted

# %% [markdown]
# First the loss becomes infinite (it squares $w$), later $w$ itself, and then $\infty - \infty$ gives the
# NaN. On a logarithmic axis a run that diverges is a straight line upwards from the very first step. You can
# stop it after ten (the trainer warns by then: MG-405):

# %%
fig, ax = plt.subplots(figsize=(6, 3))
for eta, colour, style in ((0.1, BLUE, "-"), (0.45, GREEN, "--"), (0.6, ORANGE, ":")):
    ax.semilogy(descend(eta, 25), style, color=colour, label=f"η = {eta}, factor {1 - 4 * eta:.1f}")
ax.set(xlabel="step", ylabel="loss", title="Loss on ½·4·w²: the rate decides")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# ## 3. Dead units
#
# A unit with ReLU computes $h = \max(0, u)$ with $u = w\cdot x + b$. Its rule backwards is "$g$ where
# $h > 0$, else 0". By hand, with $w = 1$, $b = -5$ and three samples $x = 1, 2, 3$:
#
# $$u = (-4, -3, -2),\quad h = (0,0,0),\quad \frac{\partial L}{\partial w} = \sum_n g_n \cdot 0 \cdot x_n = 0,\quad
# \frac{\partial L}{\partial b} = 0,$$
#
# **whatever the loss is**. The unit outputs 0 for every sample, its weights get no gradient, so it will
# output 0 for ever. It is dead. A leaky ReLU passes $0.01\, g$ on instead, and lives:

# %%
samples = np.array([1.0, 2.0, 3.0], "float32")
for activation in (mg.ops.relu, mg.ops.leaky_relu):
    w = mg.Tensor(1.0, requires_grad=True, name="w")
    b = mg.Tensor(-5.0, requires_grad=True, name="b")
    h = activation(w * samples + b)
    (h - 1.0).sum().backward()
    print(f"{activation.name:10s} h = {h.numpy()}  dL/dw = {w.grad.item():.4f}  dL/db = {b.grad.item():.4f}")

# %% [markdown]
# Step through the dead one. Backwards, the sum sends a 1 to each sample; the rule of ReLU turns the three
# ones into three zeros, and whatever lies below receives nothing:

# %%
w = mg.Tensor(1.0, requires_grad=True, name="w")
b = mg.Tensor(-5.0, requires_grad=True, name="b")


def dead_step():
    h = mg.ops.relu(w * samples + b)
    loss = (h - 1.0).sum()
    loss.backward()


trace = mg.record(dead_step)
walked = [event for event in trace.events if event.kind == "backward"]
at_relu = next(event for event in walked if trace.nodes[event.node].operation == "relu")
assert at_relu.incoming.tolist() == [1, 1, 1] and at_relu.contribution.tolist() == [0, 0, 0]
trace

# %% [markdown]
# Who would choose $b = -5$? Nobody; one step that is too large does it. Let us train a 64–32–10 network on
# the 8×8 digits, and count how many of its 32 hidden units are positive for at least one of the 1,797 images.
# Three runs that differ in one setting each: a rate of 0.5; a rate of 3; and a rate of 3 with the gradient cut
# to a length of at most 0.5 (section 4).
#
# **Guess before you run:** how many of the 32 units are dead after each, and where does the loss of the second
# run stay?

# %%
digits = load_digits()


def train(steps=200, lr=0.5, **settings):
    """Train on batches of 128; return the losses and the share of images for which each hidden unit fires."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Linear(32, 10, rng=rng))
    optimizer, losses = optim.SGD(model, lr=lr, **settings), []
    for step in range(steps):
        batch = slice(step % 14 * 128, step % 14 * 128 + 128)
        optimizer.zero_grad()
        loss = nn.cross_entropy(model(mg.Tensor(digits.x[batch])), digits.y[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with mg.no_grad():
        fires = (model[0](mg.Tensor(digits.x)).numpy() > 0).mean(axis=0)
    return losses, fires


runs = {
    "η = 0.5": train(lr=0.5),
    "η = 3": train(lr=3.0),
    "η = 3, clipped": train(lr=3.0, max_norm=0.5),
}
for name, (losses, fires) in runs.items():
    print(f"{name:15s} last loss {losses[-1]:.3f}   dead units {np.sum(fires == 0):2d} of 32")
print(f"guessing evenly among 10 classes costs ln 10 = {np.log(10):.3f}")

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
for (name, (losses, fires)), colour, style in zip(
    runs.items(), (BLUE, ORANGE, GREEN), ("-", ":", "--"), strict=True
):
    left.plot(losses, style, color=colour, label=name)
    right.plot(np.sort(fires)[::-1], style, color=colour, label=name)
left.axhline(np.log(10), color="grey", linewidth=0.8)
left.annotate("ln 10", (200, np.log(10)), xytext=(0, 4), textcoords="offset points", color="grey", ha="right")
left.set(xlabel="step", ylabel="loss", title="Loss")
right.set(xlabel="hidden unit, sorted", ylabel="share of images", title="For how many images a unit fires")
left.legend(frameon=False)
plt.show()
assert np.sum(runs["η = 3"][1] == 0) > 25 and np.sum(runs["η = 0.5"][1] == 0) < 10

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# The second run does not crash, and its loss is a perfectly finite number: the logarithm of the number of
# classes. With every hidden unit at 0 the network's output is its last bias alone, the same for every image,
# and the best it can do is to guess.
#
# </details>
#
# **A loss that stays at $\ln C$ for $C$ classes says: nothing about the input reaches the output.** Look at
# the activations, not at the weights.
#
# The same number is a test at the very start. An untrained network should be unsure, so its first loss should
# be near $\ln C$. Feed pixels from 0 to 255 where it expects 0 to 1, and it is not (the trainer warns of it:
# MG-404):

# %%
rng = np.random.default_rng(0)
fresh = nn.Sequential(nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Linear(32, 10, rng=rng))
for scale in (1, 255):
    first = nn.cross_entropy(fresh(mg.Tensor(digits.x * scale)), digits.y).item()
    print(f"pixels from 0 to {scale:3d}: first loss {first:.3f}")

# %% [markdown]
# minigrad keeps six such accidents ready to be looked at: `no_zero_grad`, `rate_x100`, `softmax_twice`,
# `zero_init`, `unscaled_pixels` and `deep_sigmoid`. One call trains a healthy network and a broken one from
# the same seed, and shows both with the symptom and the message that the engine gave. Here is what those
# pixels do to training:

# %%
mg.viz.broken("unscaled_pixels")

# %% [markdown]
# ## 4. Exploding gradients, and clipping
#
# The third run had the same large rate as the second, and learned. What is `max_norm=0.5`?
#
# Take all gradients of the network as one long vector $g$. If its length $\|g\|$ is above a limit $c$,
# shorten it to $c$ and keep its direction (Pascanu, Mikolov & Bengio 2013, algorithm 1):
#
# $$g \leftarrow g \cdot \min\!\left(1, \frac{c}{\|g\|}\right).$$
#
# By hand: two parameters with gradients 3 and 4, $\|g\| = \sqrt{9 + 16} = 5$. With $c = 1$ both are divided
# by 5: $(0.6, 0.8)$. The other way of clipping cuts every entry to $[-1, 1]$ and gives $(1, 1)$, which points
# **somewhere else**:

# %%
for clip, limit in ((optim.clip_grad_norm, 1.0), (optim.clip_grad_value, 1.0)):
    a, b = (mg.Tensor(v, requires_grad=True, name=n) for v, n in ((3.0, "a"), (4.0, "b")))
    (0.5 * a**2 + 0.5 * b**2).backward()  # so that dL/da = a = 3 and dL/db = b = 4
    clip([a, b], limit)
    clipped = np.array([a.grad.item(), b.grad.item()])
    cosine = clipped @ [3, 4] / (np.linalg.norm(clipped) * 5)
    print(
        f"{clip.__name__:16s} {clipped.round(4)}  length {np.linalg.norm(clipped):.3f}  cosine to g {cosine:.4f}"
    )

# %% [markdown]
# Where do huge gradients come from? From products of many factors. Twenty layers in a row, each multiplying
# by the same $w$, compute $w^{20}$. Let the target be 1: $L(w) = \tfrac12 (w^{20} - 1)^2$, with gradient
# $(w^{20} - 1)\cdot 20\, w^{19}$. At $w = 1.3$, by hand: $1.3^{20} = 190.05$ and $1.3^{19} = 146.19$, so the
# gradient is $189.05 \cdot 20 \cdot 146.19 \approx 552{,}750$. We stand 0.3 away from the goal, and a step of
# $0.002 \cdot 552{,}750$ would carry us 1,105 away.


# %%
def chain(max_norm, steps=120):
    """Gradient descent on ½(w^20 - 1)² from w = 1.3, in float64: w at every step, and the first gradient."""
    w = mg.Tensor([1.3], requires_grad=True, dtype="float64", name="w")
    optimizer, path, gradients = optim.SGD([w], lr=0.002, max_norm=max_norm), [], []
    with np.errstate(all="ignore"):
        for _ in range(steps):
            optimizer.zero_grad()
            (0.5 * (w**20 - 1) ** 2).sum().backward()
            path.append(w.item())
            gradients.append(w.grad.item())
            optimizer.step()
    return np.array(path), np.array(gradients)


free, gradients = chain(None)
held, _ = chain(5.0)
print(f"first gradient {gradients[0]:,.0f}")
print("without clipping:", free[:4])
print("with clipping:   ", held[:4], "...", held[-1])
assert round(gradients[0], -1) == 552_750 and abs(held[-1] - 1) < 1e-12

# %% [markdown]
# Clipped, every step has length $0.002 \cdot 5 = 0.01$ at most, so the way of 0.3 takes about 30 steps, after
# which the gradient is small and clipping does nothing any more:

# %%
fig, ax = plt.subplots(figsize=(6, 3))
w_axis = np.linspace(0.8, 1.32, 300)
ax.semilogy(w_axis, 0.5 * (w_axis**20 - 1) ** 2 + 1e-6, color="grey", linewidth=1, label="loss")
ax.semilogy(held, 0.5 * (held**20 - 1) ** 2 + 1e-6, "o-", color=BLUE, markersize=3, label="clipped steps")
ax.set(xlabel="w", ylabel="loss + 1e-6", title="Down a cliff in steps of at most 0.01")
ax.legend(frameon=False)
plt.show()
print("steps until |w - 1| < 0.01:", np.argmax(np.abs(held - 1) < 0.01))

# %% [markdown]
# Clipping has a price: it hides the length of the gradient, so a run that clips at every step is no longer
# gradient descent but a walk with steps of a fixed length. Watch how often it clips. `optim.clip_grad_norm`
# returns the length before clipping for that.
#
# ## 5. Gradients that add up
#
# `backward()` **adds** to `.grad`. Tutorial 2 showed why: a tensor that is used twice receives two
# contributions. The same addition happens between two calls, if nobody clears `.grad`. With
# $L = \tfrac12 w^2$ at $w = 3$ the gradient is 3. Call `backward()` twice without `zero_grad()` between, and
# the step uses $3 + 3 = 6$. The engine notices:

# %%
w = mg.Tensor(3.0, requires_grad=True, name="w")
optimizer = optim.SGD([w], lr=0.1)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for _ in range(2):
        (0.5 * w**2).backward()
        print("w.grad =", w.grad.item())
    optimizer.step()
for warning in caught:
    print(warning.message)

# %% [markdown]
# Sometimes the sum is what you want. A batch of 64 does not fit into memory; four micro-batches of 16 do. The
# mean over 64 is the mean of the four means over 16, so add up the four gradients and divide by 4.
# `mg.accumulate(4)` does the division, by starting each walk back from $\tfrac14$ in place of 1:


# %%
def batch_gradient(pieces):
    """The gradient of the mean loss over the first 64 digits, in so many pieces."""
    fresh.zero_grad()
    with mg.accumulate(pieces):
        for part in np.split(np.arange(64), pieces):
            nn.cross_entropy(fresh(mg.Tensor(digits.x[part])), digits.y[part]).backward()
    return fresh[0].weight.grad.numpy().copy()


whole, pieced = batch_gradient(1), batch_gradient(4)
print("largest entry:", np.abs(whole).max(), "  largest difference:", np.abs(whole - pieced).max())
assert np.allclose(whole, pieced, atol=1e-6)

# %% [markdown]
# It holds **only for pieces of equal size**. By hand, with losses $1, 2, 3$ in one piece and $10$ in another:
# the means are $2$ and $10$, their mean is $6$. The mean of all four is $16 / 4 = 4$. Exercise 3 mends it.
#
# ## Where to look
#
# | what you see | what it says | look at | cure |
# |---|---|---|---|
# | `nan`, `inf` | a number left float32 | `mg.debug()` (MG-403), `mg.steps` | a stable form; `where` inside |
# | loss grows by a constant factor a step | $\eta > 2/a$ (MG-405) | the first ten losses | a lower rate, clipping |
# | loss stays at $\ln C$ | no input reaches the output | how often units fire | lower rate, leaky ReLU |
# | first loss far above $\ln C$ | confident before training (MG-404) | the range of the inputs | scale them |
# | hidden units are copies of each other | they began as copies (MG-406) | the rows of $W$ | draw them at random |
# | the first layers stay as they were | their gradient vanishes (MG-407) | `mg.viz.gradient_flow` | ReLU |
# | loss jumps now and then | long gradients | the gradient's norm | clipping by norm |
# | it trains, strangely fast, then not | gradients add up (MG-201) | `zero_grad()` | call it, or `mg.accumulate` |
#
# Every code has a page: `minigrad explain MG-403`.

# %% [markdown]
# ## Exercises
#
# **13.1** Write `safe_log(x)` for a Tensor `x`: $\ln x$ where $x > 0$, and 0 elsewhere. Neither the result
# nor the gradient may hold a NaN or an infinity; the gradient is $1/x$ where $x > 0$ and 0 elsewhere.


# %%
def safe_log(x): ...  # your answer, e.g. with np.where and np.log


exercise("13.1")(safe_log)

# %% [markdown]
# **13.2** Write `clipped(gradients, max_norm)`: takes a list of arrays, all gradients of a network, and
# returns the list of arrays clipped by their *common* norm.


# %%
def clipped(gradients, max_norm): ...  # your answer


exercise("13.2")(clipped)

# %% [markdown]
# **13.3** Micro-batches of unequal sizes: let `sizes = [3, 1]`, and let the loss of each be its *mean*. By
# which factor must each piece's loss be multiplied before `backward()`, so that the gradients add up to that
# of the mean over all samples? Write `factors(sizes)`, which returns one factor for each piece.


# %%
def factors(sizes): ...  # your answer


exercise("13.3")(factors)
