# %% [markdown]
# # 9. Adam: the paper's, the efficient form, and one that is not Adam
#
# Momentum remembers direction, RMSprop remembers size. Adam (Kingma and Ba, 2015) remembers both, and repairs the flaw
# that tutorial 8 found in RMSprop's first steps. It is the optimizer that most programs start with, and most
# explanations print its five lines without saying why there are five.
#
# There is a second reason to look closely. Three formulas go by its name in this project:
#
# 1. **Algorithm 1** of the paper: `formulas.adam`, what `optim.Adam` runs;
# 2. the **efficient form** from the end of the paper's section 2: `formulas.adam_efficient`;
# 3. the formula that D2, one of the five articles that these tutorials follow (D0 to D4, see `docs/formulas.md`), **prints** in
#    its section 3.3: `formulas.adam_as_printed`, what
#    `optim.AdamAsPrinted` runs.
#
# The first two are nearly the same. The third looks like the second and is something else entirely. How would one find
# out, without being told? By working with small numbers.

# %%
import inspect

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader, divide, load_digits
from minigrad.exercises import exercise
from minigrad.optim import formulas
from minigrad.viz.style import BLUE, ORANGE

for line in inspect.getsource(formulas.adam).split('"""')[-1].strip().splitlines():
    print(line.strip())

# %% [markdown]
# ## Two steps by hand
#
# $m$ is a running mean of the gradient, $v$ a running mean of its square; both start at 0. Take $\theta_0 = 0$,
# $\alpha = 0.1$, $\beta_1 = 0.9$, $\beta_2 = 0.999$, leave $\varepsilon$ out, and let the first two gradients be $2$
# and $-1$:
#
# | | $t = 1$, $g = 2$ | $t = 2$, $g = -1$ |
# |---|---|---|
# | $m = 0.9\,m + 0.1\,g$ | $0.2$ | $0.18 - 0.1 = 0.08$ |
# | $v = 0.999\,v + 0.001\,g^2$ | $0.004$ | $0.003996 + 0.001 = 0.004996$ |
# | $\hat m = m / (1 - 0.9^t)$ | $0.2 / 0.1 = 2$ | $0.08 / 0.19 = 0.42105$ |
# | $\hat v = v / (1 - 0.999^t)$ | $0.004/0.001 = 4$ | $0.004996 / 0.001999 = 2.49925$ |
# | $\theta - 0.1\,\hat m/\sqrt{\hat v}$ | $-0.1 \cdot 2/2 = -0.1$ | $-0.1 - 0.1\cdot 0.42105/1.58090 = -0.12663$ |
#
# Look at $t = 1$: $\hat m$ *is* the gradient and $\hat v$ *is* its square. The first step is $\alpha$ times the sign of
# the gradient, whatever its size. And look at $t=2$: the gradient now points the other way, but the mean still points
# the old way, and the step is a quarter of $\alpha$.
#
# The engine does the same, with the gradients made by a loss that has just these slopes:

# %%
theta = mg.Tensor([0.0], requires_grad=True, dtype="float64", name="theta")
adam = optim.Adam([theta], lr=0.1, eps=0.0)


def step(slope):
    """One step of Adam on slope · θ, whose gradient is the slope."""
    adam.zero_grad()
    (slope * theta).sum().backward()
    adam.step()


for slope, expected in ((2.0, -0.1), (-1.0, -0.126634)):
    step(slope)
    state = adam.state["theta"]
    print(f"t = {adam.t}   m = {state['m'][0]:.6f}   v = {state['v'][0]:.6f}   theta = {theta.item():.6f}")
    assert np.isclose(theta.item(), expected, atol=1e-6)

# %% [markdown]
# A third step with the slope 3, every line of the formula with its value:

# %%
mg.record(step, 3.0, title="Adam, the third step")

# %% [markdown]
# ## Why divide by $1 - \beta^t$?
#
# A running mean that starts at 0 is too small at first. For a constant gradient $g$ it can be summed up:
# $m_t = (1 - \beta_1^t)\,g$. After one step it holds a tenth of the truth, after ten two thirds. Dividing by
# $1 - \beta_1^t$ puts that right, exactly. For random gradients it holds on average: $E[m_t] = (1 - \beta_1^t)\,E[g]$,
# which is the paper's equation 4.
#
# What if we leave it out? $m$ is then too small by $1 - 0.9^t$ and $\sqrt v$ by $\sqrt{1 - 0.999^t}$. The second is too
# small for longer, so the steps are too *large*: at $t = 1$ by $0.1/\sqrt{0.001} = 3.16$, and it gets worse before it
# gets better.

# %%
t = np.arange(1, 5001)
uncorrected = (1 - 0.9**t) / np.sqrt(1 - 0.999**t)
m = v = 0.0
measured = []
for _ in t:
    m, v = 0.9 * m + 0.1 * 5.0, 0.999 * v + 0.001 * 25.0
    measured.append(m / np.sqrt(v))
assert np.allclose(measured, uncorrected)
print(
    f"t = 1: {uncorrected[0]:.3f} times too long;  worst at t = {t[uncorrected.argmax()]}: {uncorrected.max():.3f};  t = 1000: {uncorrected[999]:.3f}"
)

fig, ax = plt.subplots(figsize=(6.6, 3.4))
ax.semilogx(t, uncorrected, color=ORANGE, label="without correction")
ax.semilogx(t, np.ones(len(t)), color=BLUE, label="with correction")
ax.set(
    xlabel="step", ylabel="step / α", title="A constant gradient: the length of Adam's steps", ylim=(0, 7.5)
)
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# More than six times too long, at the very time when the weights are random and the gradients wild. That is what the
# two extra lines prevent.
#
# ## Adam does not see the size of the loss
#
# Multiply the loss by 1000, and with it all gradients.
#
# **Guess before you run:** what becomes of the path of Adam, and of that of plain gradient descent, at an unchanged rate?


# %%
def path_of(make, scale=1.0, steps=60):
    """The path on scale · ½ (x² + 25 y²) from (1, 1)."""
    point = mg.Tensor(np.array([1.0, 1.0]), requires_grad=True, name="point")
    rule = make([point])
    path = [point.numpy().copy()]
    with np.errstate(all="ignore"):
        for _ in range(steps):
            rule.zero_grad()
            (scale * 0.5 * (point[0] ** 2 + 25 * point[1] ** 2)).backward()
            rule.step()
            path.append(point.numpy().copy())
    return np.array(path)


for name, make in (("Adam", lambda p: optim.Adam(p, lr=0.05)), ("GD", lambda p: optim.GD(p, lr=0.05))):
    one, thousand = path_of(make), path_of(make, scale=1000)
    print(f"{name:5} ends at {one[-1]}, and with 1000 times the loss at {thousand[-1]}")
    if name == "Adam":
        assert np.allclose(one, thousand, atol=1e-5)
    else:
        assert np.abs(thousand[-1]).max() > 1e100

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# All gradients grow by 1000, so do $\hat m$ and $\sqrt{\hat v}$, and the quotient stays. Adam's paths are the same, apart from
# $\varepsilon$. Plain descent explodes.
#
# </details>
#
# So $\alpha$ is not a rate in the sense of tutorial 7, where $\eta$ had to fit the curvature. It is a length: about how
# far each weight may move in one step. That is why 0.001 is a fair first guess for so many networks, whose weights are
# a few hundredths large.
#
# ## The efficient form, and a trap
#
# Both corrections can be moved into one number. With
# $\hat m / \sqrt{\hat v} = \frac{m}{1-\beta_1^t}\cdot\frac{\sqrt{1 - \beta_2^t}}{\sqrt v}$,
#
# $$\alpha_t = \alpha\,\frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}, \qquad \theta_t = \theta_{t-1} - \alpha_t\,\frac{m_t}{\sqrt{v_t} + \hat\varepsilon} .$$
#
# One division per weight less. The paper writes $\hat\varepsilon$ with a hat because it is not the same $\varepsilon$.
# In Algorithm 1 it stands beside $\sqrt{\hat v}$, here beside $\sqrt v$, which at first is smaller by
# $\sqrt{1 - \beta_2} = 0.0316$. For the two forms to agree, $\hat\varepsilon = \varepsilon\sqrt{1 - \beta_2^t}$. Who
# keeps $\hat\varepsilon = \varepsilon = 10^{-8}$ gets another optimizer, wherever gradients are tiny. By hand, for a
# first gradient $g = \varepsilon$: Algorithm 1 steps by $\alpha\,g/(g + \varepsilon) = \alpha/2$; the efficient form by
# $\alpha\cdot 0.0316\,g/(0.0316\,g + \varepsilon) = \alpha\cdot 0.0307$. A factor of 16:

# %%
settings = {"alpha": 1.0, "beta1": 0.9, "beta2": 0.999}
print("       |g|   Algorithm 1   efficient, same ε   efficient, ε √(1 - β₂)   ratio")
for size in (1.0, 1e-6, 1e-7, 1e-8, 1e-9):
    g = np.array([size])
    zero = np.zeros(1)
    exact = -formulas.adam(zero, g, zero, zero, 1, eps=1e-8, **settings)[0][0]
    trap = -formulas.adam_efficient(zero, g, zero, zero, 1, eps_hat=1e-8, **settings)[0][0]
    corrected = 1e-8 * np.sqrt(1 - 0.999)
    matched = -formulas.adam_efficient(zero, g, zero, zero, 1, eps_hat=corrected, **settings)[0][0]
    print(f"{size:10.0e}   {exact:11.6f}   {trap:17.6f}   {matched:22.6f}   {exact / trap:5.2f}")
    assert np.isclose(exact, matched)
    if size == 1e-8:
        assert 16 < exact / trap < 16.5

# %% [markdown]
# Keep the efficient form in mind: a *rate* $\alpha_t$ with both corrections in it, and the division by $\sqrt{v_t}$
# after it.
#
# ## The one that D2 prints
#
# The article's section 3.3 prints this:
#
# $$\begin{aligned}
# m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\,\nabla J(\theta_t, x_i) &
# v_t &= \beta_2 v_{t-1} + (1 - \beta_2)\,(\nabla J(\theta_t, x_i))^2 \\
# \theta_{t+1} &= \theta_t - \eta_t\,\frac{m_t}{1 - \beta_1^t} &
# \eta_t &= \eta\,\frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}
# \end{aligned}$$
#
# It has everything: two moments, two betas, a bias correction. Do the first step by hand, as above: $g = 2$,
# $\eta = 0.1$. $m = 0.2$, $v = 0.004$, $\eta_1 = 0.1\cdot0.0316/0.1 = 0.0316$, and the step is
# $0.0316\cdot0.2/0.1 = 0.0632$. Now with $g = 20$: the step is $0.632$, ten times as long. **Adam's would have been
# $0.1$ both times.** Something is missing. Look for $v_t$ in the line that changes $\theta$: it is not there. It is
# computed, and never used.

# %%
zero = np.zeros(1)
for g in (2.0, 20.0):
    printed = formulas.adam_as_printed(zero, np.array([g]), zero, zero, 1, eta=0.1, beta1=0.9, beta2=0.999)
    real = formulas.adam(zero, np.array([g]), zero, zero, 1, alpha=0.1, beta1=0.9, beta2=0.999, eps=1e-8)
    print(f"g = {g:4}: as printed, θ = {printed[0][0]:.5f};  Adam, θ = {real[0][0]:.5f}")
    assert np.isclose(printed[0][0], -0.1 * np.sqrt(0.001) / 0.1 * g)

rng = np.random.default_rng(0)
theta, g, m = rng.standard_normal((3, 5))
ends = [
    formulas.adam_as_printed(theta, g, m, v, 7, eta=0.1, beta1=0.9, beta2=0.999)[0]
    for v in (np.zeros(5), np.full(5, 1e9), np.full(5, np.nan))
]
same = np.array_equal(ends[0], ends[1]) and np.array_equal(ends[0], ends[2])
print("the new θ with v = 0, 10⁹ and NaN is the same:", same)
assert same

# %% [markdown]
# Even a $v$ full of NaN would do no harm. And there is a second slip: $\eta_t$ contains $1/(1 - \beta_1^t)$ already,
# and $m_t$ is divided by it once more.
#
# So what *is* this rule? $m_t$ is a velocity in disguise: with $b_t = \beta_1 b_{t-1} + g_t$ from tutorial 8,
# $m_t = (1 - \beta_1)\,b_t$. The printed rule is **gradient descent with momentum** $\mu = \beta_1$, at the rate
#
# $$\eta\,\frac{(1 - \beta_1)\sqrt{1 - \beta_2^t}}{(1 - \beta_1^t)^2}.$$
#
# If that is right, `optim.SGD` with that schedule takes the same steps:


# %%
def disguised(eta, beta1=0.9, beta2=0.999):
    """The schedule that turns SGD with momentum into the printed rule; it is asked with t - 1."""

    def rate(steps):
        t = steps + 1
        return eta * (1 - beta1) * np.sqrt(1 - beta2**t) / (1 - beta1**t) ** 2

    return rate


as_printed = path_of(lambda p: optim.AdamAsPrinted(p, lr=0.05), steps=300)
momentum = path_of(lambda p: optim.SGD(p, lr=disguised(0.05), momentum=0.9), steps=300)
print("largest difference over 300 steps:", np.abs(as_printed - momentum).max())
assert np.allclose(as_printed, momentum, atol=1e-10)

# %% [markdown]
# To the last digits. What remains of Adam's bias correction is a curious schedule. For a constant gradient the step is
# $\eta\,g\,\sqrt{1-\beta_2^t}/(1-\beta_1^t)$: it starts at a third of $\eta g$, *falls* for some steps, and then takes
# thousands of steps to reach $\eta g$:

# %%
t = np.arange(1, 8001)
factor = np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
lowest = int(factor.argmin())
late = t[lowest:][factor[lowest:] > 0.9][0]
print(
    f"t = 1: {factor[0]:.3f}   lowest at t = {t[lowest]}: {factor[lowest]:.3f}   above 0.9 from t = {late} on"
)
assert 1 < t[lowest] < 20 and late > 1000

fig, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.5), layout="constrained")
left.semilogx(t, factor, color=ORANGE, label="as printed")
left.semilogx(t, np.ones(len(t)), color=BLUE, label="momentum at η (in the long run)")
left.set(
    xlabel="step", ylabel="step / (η g)", ylim=(0, 1.1), title="Constant gradient: an accidental warm-up"
)
left.legend(frameon=False, loc="center left")
for name, make, colour, mark in (
    ("Adam, α = 0.05", lambda p: optim.Adam(p, lr=0.05), BLUE, "o-"),
    ("as printed, η = 0.05", lambda p: optim.AdamAsPrinted(p, lr=0.05), ORANGE, "^-"),
):
    path = path_of(make, steps=60)
    right.plot(path[:, 0], path[:, 1], mark, ms=3, color=colour, label=name)
right.plot(0, 0, "+", ms=12, color="black")
right.set(xlabel="x", ylabel="y", title="60 steps in the valley ½ (x² + 25 y²)")
right.legend(frameon=False)
plt.show()

# %% [markdown]
# Adam heads for the minimum along the diagonal, since it gives both coordinates the same steps. The printed rule falls
# across the valley first, swings, and is only half-way along it: the picture of momentum.
#
# Every row of both, step by step; choose "Adam" and "AdamAsPrinted" and compare their last lines:

# %%
mg.viz.optimizers("valley", steps=30, noise=0.0)

# %% [markdown]
# And all seven of tutorials 7 to 9 in one race, each at a rate that suits it, on another surface: the banana, a bent valley
# with steep walls and a nearly flat floor.
#
# **Guess before you run:** which comes nearest to the star in 120 steps, and which two paths are one and the same?

# %%
mg.viz.optimizer_race("banana", steps=120, noise=0.0)

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# Momentum comes nearest: it shoots past the bend and swings, but it carries its speed along the flat floor, on which the others
# crawl. GD and SGD lie on one another, since without noise they are one rule. Adam takes wide turns and then catches up. RMSprop
# arrives early and jumps about, as tutorial 8 found for a constant rate; and the printed rule, momentum at a small rate, has only just
# passed the bend. (At other rates the order is another one: try `lr={"GD": 0.2}`.)
#
# </details>

# %% [markdown]
# ## Does it matter?
#
# It learns; momentum does. But at Adam's rates it hardly moves. On the digits, five epochs each:

# %%
digits = load_digits()
train, test = divide(digits, (0.8, 0.2), rng=np.random.default_rng(0))


def loss_after(make, lr, epochs=5, scale=1.0):
    """The training loss of a small network after some epochs; the loss that is trained on is multiplied by scale."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Linear(32, 10, rng=rng))
    rule, loader = make(model, lr), DataLoader(train, 32, rng=np.random.default_rng(0))
    with np.errstate(all="ignore"):
        for _ in range(epochs):
            for x, y in loader:
                rule.zero_grad()
                (scale * nn.cross_entropy(model(mg.Tensor(x)), y)).backward()
                rule.step()
        found = nn.cross_entropy(model(mg.Tensor(train.x)), train.y).item()
    return found if np.isfinite(found) else np.inf


rules = {
    "Adam": lambda m, lr: optim.Adam(m, lr=lr),
    "as printed": lambda m, lr: optim.AdamAsPrinted(m, lr=lr),
    "momentum": lambda m, lr: optim.SGD(m, lr=0.1 * lr, momentum=0.9),  # η (1 - μ): the same in the long run
}
rates = (0.001, 0.01, 0.1, 1.0)
table = {name: [loss_after(make, lr) for lr in rates] for name, make in rules.items()}
print(f"{'':12}" + "".join(f"{lr:<11}" for lr in rates) + "0.01, loss · 100")
for name, losses in table.items():
    scaled = loss_after(rules[name], 0.01, scale=100)
    print(f"{name:12}" + "".join(f"{loss:<11.4f}" for loss in losses) + f"{scaled:.4f}")
    if name == "Adam":
        assert abs(scaled / losses[1] - 1) < 0.1
    else:
        assert abs(scaled / losses[3] - 1) < 0.1
assert table["as printed"][0] > 2 > 1 > table["Adam"][0]

# %% [markdown]
# At 0.001, Keras' and PyTorch's default for Adam, the printed rule has learnt next to nothing. In the last column the
# loss was multiplied by 100: Adam is where it was at 0.01, while the other two are where they were at 1.0. For them a
# hundred times the loss is a hundred times the rate; Adam cannot tell. Whoever copies the formula from the article and
# compares it with a library will conclude that the library is magic. It is only a square root.
#
# ## A word about weight decay
#
# An L2 penalty adds $\lambda\theta$ to the gradient (tutorial 11). In Adam that term is divided by $\sqrt{\hat v}$ like
# everything else. Take a weight whose loss gradient is 0: what remains is $g = \lambda\theta$, and the first step is
# $\alpha\,\mathrm{sign}(\theta)$, *whatever $\lambda$ is*. AdamW (Loshchilov and Hutter, 2019) takes the decay out of
# the gradient: $\theta \leftarrow \theta - \eta\,(\hat m/(\sqrt{\hat v}+\varepsilon) + \lambda\theta)$, and the weight
# shrinks by $\eta\lambda\theta$:

# %%
for lam in (0.1, 0.001):
    moved = {}
    for rule in (optim.Adam, optim.AdamW):
        weight = mg.Tensor([2.0], requires_grad=True, dtype="float64", name="weight")
        optimizer = rule([weight], lr=0.01, weight_decay=lam)
        (0.0 * weight).sum().backward()
        optimizer.step()
        moved[rule.__name__] = 2.0 - weight.item()
    print(
        f"λ = {lam}: Adam with a penalty moves the weight by {moved['Adam']:.6f}, AdamW by {moved['AdamW']:.6f}"
    )
    assert np.isclose(moved["Adam"], 0.01, rtol=1e-4) and np.isclose(moved["AdamW"], 0.01 * lam * 2)

# %% [markdown]
# ## What to take along
#
# - Adam's step is mean over root mean square of the gradients, both corrected for starting at 0. The first step is
#   $\alpha\cdot\mathrm{sign}(g)$, and $\alpha$ is a length.
# - Without the correction the first steps are up to six times too long.
# - The efficient form is the same rule only with $\hat\varepsilon = \varepsilon\sqrt{1 - \beta_2^t}$.
# - D2's printed form never uses $v$. It is SGD with momentum and an odd schedule; `AdamAsPrinted` keeps it beside the
#   real one so that anybody can see the difference.
# - A formula can be checked without knowing the right one: double an input and ask what should happen.
#
# ## Exercises
#
# **9.1** Adam with $\alpha = 0.1$, $\beta_1 = 0.9$, $\beta_2 = 0.999$, $\varepsilon = 0$, $\theta_0 = 0$. The first two
# gradients are $4$ and $-4$. Where is $\theta$ after each step?

# %%
theta_1, theta_2 = None, None

check = exercise("09.1")
check((theta_1, theta_2))

# %% [markdown]
# **9.2** Write Algorithm 1. Return the new parameter and the new state. `t` is 1 at the first step.


# %%
def adam_step(theta, g, m, v, t, alpha, beta1, beta2, eps):
    """Return the new theta, the new m and the new v."""
    ...


check = exercise("09.2")
check(adam_step)

# %% [markdown]
# **9.3** A library takes its $\varepsilon$ in the efficient form, $\hat\varepsilon$. Which $\hat\varepsilon$ must it be
# given at step $t$ so that it does exactly what Algorithm 1 does with $\varepsilon$?


# %%
def eps_hat(eps, t, beta1, beta2):
    """Return the ε̂ of the efficient form that matches ε in Algorithm 1."""
    ...


check = exercise("09.3")
check(eps_hat)
