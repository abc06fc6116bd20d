# %% [markdown]
# # 6. Losses: from ½ · mean squared error to a cross-entropy that does not overflow
#
# Training makes one number small. **Which one?** The choice is not cosmetic: the loss decides what "wrong" means, which errors pull hardest, and
# whether the program survives its first large number. We start with the loss of the first tutorials, see it fail for classes, and build
# the one that every classifier uses.

# %%
import warnings

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn
from minigrad.data import load_digits
from minigrad.exercises import exercise
from minigrad.viz.style import BLUE, GREEN, ORANGE

# %% [markdown]
# ## Half the mean squared error
#
# Tutorials 6 to 12 follow five articles on training networks, called D0 to D4 here: each tutorial says what it takes from them, and where a
# print is wrong (`docs/formulas.md` lists every formula of theirs). For a loss, D4, the article on a network that reads digits, prints in its section 3
#
# $$L = \frac{1}{2n}\sum_{i=1}^n (y_i - f_i)^2 ,$$
#
# with predictions $f$ and targets $y$. By hand, for $f = (2, 5)$ and $y = (1, 7)$: $L = \frac14 (1 + 4) = 1.25$.
#
# Why the ½? For the derivative: $\partial L/\partial f_i = \frac{1}{2n} \cdot 2 (f_i - y_i) = (f_i - y_i)/n$. The gradient *is* the error, shared out. Here: $(0.5, -1)$.
# Why the $n$? So that the size of the gradient, and with it the right learning rate, does not depend on the size of the batch.

# %%
target = [1.0, 7.0]
for loss in (nn.half_mse, nn.mse, nn.mae):
    f = mg.Tensor([2.0, 5.0], requires_grad=True, name="f")
    value = loss(f, target)
    value.backward()
    print(
        f"{loss.__name__:8} = {value.item():.3f}, gradient {f.grad.numpy()}   ({loss.__doc__.splitlines()[0][:52]}…)"
    )
    if loss is nn.half_mse:
        assert value.item() == 1.25 and f.grad.numpy().tolist() == [0.5, -1]

# %% [markdown]
# `mse`, without the ½, has twice the gradient, so it wants half the learning rate; nothing else changes. (Keep this in mind when a rate from one book fails in
# another.) `mae`, the mean absolute error, is different in kind: its gradient is only a *sign*, whatever the size of the error.
#
# What that means shows when one target is badly off. Let the model be a constant $c$, the data five numbers, one of them a typing error:

# %%
data = np.array([1.0, 2.0, 2.0, 3.0, 40.0])
constants = np.linspace(0, 12, 2401)
best = {}
for name, loss in (("squares", nn.half_mse), ("absolute values", nn.mae)):
    losses = [loss(np.full(5, c), data) for c in constants]
    best[name] = constants[int(np.argmin(losses))]
    print(f"the constant with the smallest loss by {name}: {best[name]:.2f}")
print(f"mean {data.mean()}, median {np.median(data)}")
assert np.isclose(best["squares"], data.mean(), atol=0.01)
assert np.isclose(best["absolute values"], np.median(data), atol=0.01)

# %% [markdown]
# Squares lead to the **mean**, absolute values to the **median**. Neither is better; they answer different questions.
#
# ## Squares fail for classes
#
# Now the model shall say yes or no. A sigmoid turns a score $z$ into a probability $p = \sigma(z)$; the target is $t = 1$. With squares,
#
# $$L = \tfrac12 (p - t)^2, \qquad \frac{dL}{dz} = (p - t)\, p\,(1 - p).$$
#
# The last two factors are the slope of the sigmoid. Suppose the model is *confidently wrong*: $z = -6$, so $p = 0.0025$. The error is nearly 1, but
# the slope is 0.0025, and so is the gradient. **The more wrong, the less it learns.**
#
# Cross-entropy charges the surprise instead, the negative logarithm of the probability given to what was true:
#
# $$L = -\ln p, \qquad \frac{dL}{dz} = -\frac1p \cdot p\,(1 - p) = p - 1.$$
#
# The $1/p$ of the logarithm cancels the $p$ of the sigmoid. What is left is error, plain: $-0.9975$.

# %%
scores = np.linspace(-8, 8, 161)


def squares(z):
    return (0.5 * (mg.ops.sigmoid(z) - 1.0) ** 2).sum()


def surprise(z):
    return nn.bce_with_logits(z, np.ones(z.shape, z.dtype), reduction="sum")


fig, axes = plt.subplots(1, 2, figsize=(9.6, 3.2))
for name, loss, colour, style in (
    ("½ (p - 1)²", squares, ORANGE, "--"),
    ("-ln p", surprise, BLUE, "-"),
):
    axes[0].plot(scores, [loss(np.array([z])) for z in scores], style, color=colour, label=name)
    axes[1].plot(scores, mg.grad(loss)(scores).numpy(), style, color=colour, label=name)
    print(f"{name:10} gradient at z = -6: {mg.grad(loss)(np.array([-6.0])).item():.5f}")
axes[0].set(title="loss, target 1", xlabel="score z")
axes[1].set(title="gradient dL/dz", xlabel="score z")
axes[0].legend(frameon=False)
plt.show()

# %%
print("step    ½ (p - 1)²: p     -ln p: p")
places = {}
for loss in (squares, surprise):
    z, places[loss] = -6.0, []
    for _ in range(41):
        places[loss].append(1 / (1 + np.exp(-z)))
        z -= mg.grad(loss)(np.array([z])).item()
for step in (0, 5, 10, 20, 40):
    print(f"{step:4} {places[squares][step]:16.4f} {places[surprise][step]:12.4f}")
assert places[squares][40] < 0.01 < 0.9 < places[surprise][40]

# %% [markdown]
# Forty steps of rate 1 later, the one with squares has hardly moved; the other has long changed its mind.
#
# ## Many classes: softmax
#
# For $K$ classes the network gives $K$ scores, called **logits**. Softmax makes them positive and lets them add up to 1, and the loss is again the surprise at the
# right class, number $y$:
#
# $$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad L = -\ln p_y = \ln \sum_j e^{z_j} - z_y .$$
#
# By hand, with logits whose exponentials are pleasant: $z = (0, \ln 3, \ln 6)$, so the exponentials are $1, 3, 6$, their sum is 10, and
# $p = (0.1, 0.3, 0.6)$. The right class is number 1: $L = -\ln 0.3 = 1.204$.
#
# The gradient, from the right-hand form. The logarithm of the sum gives $e^{z_k}/\sum_j e^{z_j} = p_k$, and $-z_y$ gives $-1$ for $k = y$ only:
#
# $$\frac{\partial L}{\partial z_k} = p_k - [k = y] = (0.1,\ -0.7,\ 0.6).$$
#
# Predicted minus true, once more. The entries add up to 0: what is taken from the wrong classes is given to the right one.

# %%
z = mg.Tensor([[0.0, np.log(3), np.log(6)]], requires_grad=True, name="z")


def step():
    z.zero_grad()
    loss = nn.cross_entropy(z, [1])
    loss.backward()


trace = mg.record(step, title="cross-entropy of one sample")
print("softmax: ", mg.ops.softmax(z).numpy().round(4))
print("gradient:", z.grad.numpy().round(4), " by hand: [0.1 -0.7 0.6]")
assert np.allclose(z.grad.numpy(), [[0.1, -0.7, 0.6]])
trace

# %% [markdown]
# `nn.cross_entropy` takes *logits* and *class numbers*, for a batch, and returns the mean. Its operation, `softmax_cross_entropy` in
# `minigrad/ops/fused.py`, has the rule `g · (softmax z - onehot label)`.
#
# ### What is a good value?
#
# $-\ln p$ can be read backwards. A loss of $L$ means that the right class got the probability $e^{-L}$ (in the geometric mean over the samples). A network that knows nothing gives
# each of 10 classes 0.1 and has a loss of $\ln 10 = 2.303$. **Look at your very first loss**: if it is far from $\ln K$, something is wrong before training
# has begun, usually the scale of the inputs or of the weights.

# %%
digits = load_digits()
model = nn.Sequential(
    nn.Linear(64, 32, rng=np.random.default_rng(0)),
    nn.ReLU(),
    nn.Linear(32, 10, rng=np.random.default_rng(1)),
)
for name, pixels in (("pixels 0..1", digits.x), ("pixels 0..255", digits.x * 255)):
    first = nn.cross_entropy(model(mg.Tensor(pixels)), digits.y).item()
    print(f"{name:13}: first loss {first:6.3f}, guessing {np.log(10):.3f}")

for value in (2.303, 1.0, 0.2, 0.01):
    print(f"a loss of {value:5} means a probability of {np.exp(-value):.3f} for what was true")

# %% [markdown]
# ## Numbers that are too large
#
# The formula as printed breaks in a computer, in two places. In float32, $e^{89}$ is infinite, and $\infty/\infty$ is no number. And a probability below $10^{-45}$
# becomes 0, whose logarithm is $-\infty$. Logits of a hundred are nothing unusual in a badly scaled network.

# %%
label = np.array([0])


def as_printed(z):
    return -np.log(mg.ops.naive_softmax(z)[0, 0])


print("    logits       as printed    gradient                stable    gradient")
for scale in (1.0, 10.0, 80.0, 100.0, 1000.0):
    shown = []
    for loss in (as_printed, lambda z: nn.cross_entropy(z, label)):
        z = mg.Tensor([[0.0, scale]], requires_grad=True, name="z")
        with np.errstate(all="ignore"):
            value = loss(z)
            value.backward()
        shown.append(f"{value.item():10.3f}    {z.grad.numpy()[0]!s:18}")
    print(f"(0, {scale:6g})  {'  '.join(shown)}")
    assert ("nan" in shown[0]) == (scale > 88) and "nan" not in shown[1]

# %% [markdown]
# The repair is one line of algebra. Take the largest logit $m$ out of the sum:
#
# $$\ln \sum_j e^{z_j} = \ln\Big(e^{m} \sum_j e^{z_j - m}\Big) = m + \ln \sum_j e^{z_j - m}.$$
#
# Now the largest exponent is 0, so nothing overflows; and the sum is at least 1, so its logarithm exists. By hand for $(1000, 1001)$, where $e^{1000}$ is beyond any
# float: $1001 + \ln(e^{-1} + 1) = 1001.3133$.

# %%
pair = np.array([1000.0, 1001.0])
with np.errstate(all="ignore"):
    print("as printed:", mg.ops.naive_logsumexp(pair))
print("stable:    ", mg.ops.logsumexp(pair), "  by hand:", 1001 + np.log(np.exp(-1.0) + 1))
assert np.isclose(mg.ops.logsumexp(pair), 1001 + np.log1p(np.exp(-1.0)))

# %% [markdown]
# It is called the log-sum-exp trick. That is also *why the loss wants logits and not probabilities*: once a probability has been rounded to 0, no later
# step can find out how small it was. The logit knows.
#
# ## Softmax twice
#
# Which leads to the commonest mistake with this loss. Somebody's network ends in a softmax, because probabilities are wanted, and its output goes into
# `cross_entropy`, which applies softmax itself. Nothing crashes.
#
# **Guess before you run:** the network is perfect, probability 1 for the right class of ten and 0 for the other nine, every time. Which loss does it
# get? (Not to know anything costs $\ln 10 = 2.303$.)

# %%
perfect = mg.Tensor(np.eye(10, dtype="float32"))
print(
    f"loss of perfect probabilities, taken for logits: {nn.cross_entropy(perfect, np.arange(10)).item():.4f}"
)
print(f"ln(1 + 9/e) = {np.log(1 + 9 / np.e):.4f}")

logits = mg.Tensor(np.zeros((2, 10), "float32"), requires_grad=True)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    nn.cross_entropy(mg.ops.softmax(logits), [3, 7])
for warning in caught:
    print(warning.message)

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# The second softmax receives numbers between 0 and 1 and can only make them more alike: even the perfect answer becomes
#
# $$\frac{e^1}{e^1 + 9 e^0} = 0.232, \qquad L = \ln(1 + 9/e) = 1.461 .$$
#
# </details>
#
# The engine sees on the tape that its input came out of a softmax, and says so (`MG-401`). What becomes of the training:

# %%
mg.viz.broken("softmax_twice")

# %% [markdown]
# It still learns, slowly: the gradients are small, and the loss stays above 1.461 for ever. That is what makes the mistake hard to see without the
# message.
#
# ## Which loss when
#
# | the target is | the network ends in | loss |
# |---|---|---|
# | a number | a plain layer | `half_mse`, `mse`; `mae` where outliers shall not count |
# | one of $K$ classes | $K$ logits | `cross_entropy` |
# | yes or no, one or several | a logit for each | `bce_with_logits` |
#
# The last one, for a target $t$: $L = -t \ln \sigma(z) - (1 - t) \ln(1 - \sigma(z))$. It is cross-entropy with two classes whose logits are $z$ and 0:

# %%
score = mg.Tensor([[1.7]], requires_grad=True)
two = mg.Tensor([[0.0, 1.7]], requires_grad=True)
yes, of_two = nn.bce_with_logits(score, [[1.0]]), nn.cross_entropy(two, [1])
yes.backward()
of_two.backward()
print(f"bce_with_logits {yes.item():.6f}, cross_entropy of (0, z) {of_two.item():.6f}")
print(f"gradients {score.grad.item():.6f} and {two.grad.numpy()[0, 1]:.6f}")
assert np.isclose(yes.item(), of_two.item()) and np.isclose(score.grad.item(), two.grad.numpy()[0, 1])

# %% [markdown]
# ## From squares to cross-entropy, on the digits
#
# Last, the same network, the same steps, two losses. The rate of each is the best of five, so that the comparison is fair.


# %%
def train(loss_of, rate, steps=100):
    model = nn.Sequential(
        nn.Linear(64, 32, rng=np.random.default_rng(0)),
        nn.ReLU(),
        nn.Linear(32, 10, rng=np.random.default_rng(1)),
    )
    right = []
    for _ in range(steps):
        model.zero_grad()
        logits = model(mg.Tensor(digits.x[:1400]))
        loss_of(logits, digits.y[:1400]).backward()
        for parameter in model.named_parameters().values():
            parameter.data -= rate * parameter.grad.data
        with mg.no_grad():
            guesses = model(mg.Tensor(digits.x[1400:])).numpy().argmax(axis=1)
        right.append(np.mean(guesses == digits.y[1400:]))
    return right


one_hot = np.eye(10, dtype="float32")
losses = {
    "½ squares of probabilities": lambda z, y: (
        nn.half_mse(mg.ops.softmax(z), one_hot[y], reduction="sum") / len(y)
    ),
    "cross-entropy": nn.cross_entropy,
}
fig, ax = plt.subplots(figsize=(6.4, 3.2))
reached = {}
for (name, loss_of), colour, style in zip(losses.items(), (ORANGE, BLUE), ("--", "-"), strict=True):
    runs = {rate: train(loss_of, rate) for rate in (0.2, 0.5, 1.0, 2.0, 5.0)}
    rate = max(runs, key=lambda r: np.mean(runs[r]))
    ax.plot(runs[rate], style, color=colour, label=f"{name}, rate {rate}")
    reached[name] = np.mean(runs[rate])
    print(
        f"{name:26} best rate {rate}: right after 10, 30, 100 steps {runs[rate][9]:.1%} {runs[rate][29]:.1%} {runs[rate][99]:.1%}"
    )
ax.axhline(0.1, lw=0.8, color=GREEN, ls=":")
ax.set(xlabel="step", ylabel="right on new digits", ylim=(0, 1))
ax.legend(frameon=False, loc="lower right")
plt.show()
assert reached["cross-entropy"] > reached["½ squares of probabilities"]

# %% [markdown]
# ## What to take along
#
# - ½ · mean squared error: the gradient is the error over $n$ (`half_mse` in `minigrad/nn/losses.py`).
# - Cross-entropy on logits: the gradient is softmax minus one-hot. No slope of a sigmoid stands in its way.
# - An untrained network has a loss of about $\ln K$.
# - Subtract the largest logit before taking exponentials, and never take softmax before the loss.
#
# ## Exercises
#
# **6.1** By hand: a batch of two samples with logits $(0, \ln 2, \ln 5)$ and $(0, 0, 0)$, labels 1 and 2. The loss is the *mean* cross-entropy. What is its gradient with
# respect to the six logits?

# %%
my_gradient = [[..., ..., ...], [..., ..., ...]]

check = exercise("06.1")
check(my_gradient)

# %% [markdown]
# **6.2** Write the mean cross-entropy in NumPy: `z` of shape (n, K), `labels` (n,) of class numbers. It must be right for logits of $\pm 1000$.


# %%
def my_cross_entropy(z, labels):
    """Return the mean of -ln softmax(z)[label] over the samples."""
    ...


check = exercise("06.2")
check(my_cross_entropy)

# %% [markdown]
# **6.3** Below which value can the loss never fall if softmax is applied twice, for $K$ classes? Write it as a function of $K$. Then check your formula
# against the 1.461 above.


# %%
def floor(K):
    """Return the smallest possible cross-entropy when probabilities are taken for logits."""
    ...


check = exercise("06.3")
check(floor)
