# %% [markdown]
# # 14. Writing your own operation, and proving its gradient
#
# minigrad knows some sixty operations. Sooner or later you need one that it does not know.
# **What must you tell the engine, and how do you know that you told it the truth?**
#
# A wrong gradient rule raises no error. The network trains, only worse, and you look for the reason in the
# learning rate. So half of this tutorial is about the proof.
#
# The real things: `define` in `minigrad/operation.py`, the rules of the built-in operations in
# `minigrad/ops/`, the check in `minigrad/check.py`.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import optim
from minigrad.errors import MinigradError
from minigrad.exercises import exercise
from minigrad.viz.plots import BLUE, GREEN, ORANGE

# %% [markdown]
# ## 1. An operation by hand
#
# Our example is a loss for data with outliers. The square punishes an error of 10 a hundred times as much as
# an error of 1, so a single bad measurement can pull a whole line away. The logarithm of the hyperbolic
# cosine does not:
#
# $$f(a) = \ln\cosh a = \ln\frac{e^{a} + e^{-a}}{2},\qquad f'(a) = \frac{\sinh a}{\cosh a} = \tanh a .$$
#
# Near 0 it is $a^2/2$; far out it is $|a| - \ln 2$, and its derivative never leaves $(-1, 1)$. By hand at
# $a = 1$: $\cosh 1 = (2.71828 + 0.36788)/2 = 1.54308$, so $f(1) = \ln 1.54308 = 0.43378$ and
# $f'(1) = \tanh 1 = 0.76159$.
#
# Written as printed, the forward computation overflows where $e^{a}$ does (tutorial 13). Take $e^{|a|}$ out
# of the bracket:
#
# $$\ln\frac{e^{|a|} + e^{-|a|}}{2} = |a| + \ln\!\left(1 + e^{-2|a|}\right) - \ln 2,$$
#
# where the exponent is never positive.


# %%
def log_cosh_forward(a):
    size = np.abs(a)
    return size + np.log1p(np.exp(-2 * size)) - np.log(2)


with np.errstate(over="ignore"):
    print("as printed:", np.log(np.cosh(np.array([1.0, 1000.0]))))
print("stable:    ", log_cosh_forward(np.array([1.0, 1000.0])))

# %% [markdown]
# ## 2. Telling the engine
#
# An operation needs a name, the forward computation on bare arrays, its formula as text, and **one rule for
# each input**. A rule is a function that turns the incoming gradient $g = \partial L/\partial y$ into
# $\partial L/\partial a$. Here $\partial L/\partial a = g\cdot\tanh a$.
#
# The function says what it needs by the names of its parameters: `g`, `y` (the result), an input such as `a`,
# or an input's shape (`a_shape`). What no rule names is not kept in memory.
#
# Our forward computation takes a detour so that nothing overflows, and is no pleasure to read. So we hand in the
# textbook's function beside the formula: it is never run, it is what the stepper explains the result with.

# %%
log_cosh = mg.define(
    "log_cosh",
    log_cosh_forward,
    ("ln cosh a", lambda a: np.log(np.cosh(a))),
    lambda g, a: g * np.tanh(a),
    inputs="a",
    method="log_cosh",
)

a = mg.Tensor(1.0, requires_grad=True, name="a")
y = a.log_cosh()
y.backward()
print(f"f(1) = {y.item():.5f}   f'(1) = {a.grad.item():.5f}")
assert f"{y.item():.5f}" == "0.43378" and f"{a.grad.item():.5f}" == "0.76159"

# %% [markdown]
# That is all. The operation is now like any other: it is recorded, it shows up on the tape with its formulas (that of
# the rule is printed from your function), and it works inside a longer computation. Run the cell again, with a
# correction perhaps, and the new definition takes the place of the old one. With $L = f(3w)$ at $w = 0.5$, by hand:
# $\partial L/\partial w = 3\tanh 1.5 = 3 \cdot 0.90515 = 2.71544$.

# %%
w = mg.Tensor(0.5, requires_grad=True, name="w")
loss = (3.0 * w).log_cosh()
for record in mg.tape(loss):
    print(f"{record.operation.name:9s} {record.operation.formula}")
for step in mg.steps(loss):
    if step.input.requires_grad:
        rule = step.record.operation.rule(step.position)
        print(
            f"{step.record.operation.name:9s} {rule.formula:11s} {step.incoming:.5f} -> {step.contribution:.5f}"
        )
assert f"{w.grad.item():.4f}" == "2.7154"

# %% [markdown]
# Or step through it. The stepper reads your functions and explains every entry with them, forwards and backwards, in
# symbols and with your numbers:

# %%
w.zero_grad()


def one_step():
    loss = (3.0 * w).log_cosh()
    loss.backward()


mg.record(one_step)

# %% [markdown]
# ## 3. The proof: two ways to one number
#
# The forward computation *is* the function, whatever we believe its derivative to be. So ask it. Move the
# input a little to both sides and look how far the result moves, the **central difference**:
#
# $$f'(a) \approx \frac{f(a + h) - f(a - h)}{2h}.$$
#
# By hand, at $a = 1$ with $h = 0.1$: $f(1.1) = 0.51194$, $f(0.9) = 0.35983$, so $0.15211 / 0.2 = 0.7605$. The
# truth is $0.7616$, an error of $0.001$. Can we have more digits? Taylor's theorem says that the error is
# about $h^2 |f'''|/6$: a tenth of $h$, a hundredth of the error. So make $h$ tiny! But a computer rounds: $f$
# is known to about 16 digits in float64, the difference of two nearly equal numbers keeps that absolute
# error, and it is divided by $2h$. Let us watch both:


# %%
def error_of_difference(h, dtype):
    """How far the central difference at 1 is from tanh 1."""
    one, step = np.array(1, dtype), np.array(h, dtype)
    difference = (log_cosh_forward(one + step) - log_cosh_forward(one - step)) / (2 * step)
    return abs(float(difference) - np.tanh(1.0))


above, below = log_cosh_forward(1.1), log_cosh_forward(0.9)
print(f"f(1.1) = {above:.5f}   f(0.9) = {below:.5f}   difference / 0.2 = {(above - below) / 0.2:.4f}")
for h in (0.1, 0.01):
    print(f"h = {h}: error {error_of_difference(h, 'float64'):.7f}")
hs = 10.0 ** np.arange(-12, 0.1, 0.25)
fig, ax = plt.subplots(figsize=(6.5, 3.2))
for dtype, colour, style in (("float64", BLUE, "o-"), ("float32", ORANGE, "s--")):
    errors = [error_of_difference(h, dtype) if h > 1e-7 or dtype == "float64" else np.nan for h in hs]
    ax.loglog(hs, errors, style, color=colour, markersize=3, label=dtype)
    print(f"{dtype}: smallest error {np.nanmin(errors):.1e} at h = {hs[np.nanargmin(errors)]:.0e}")
ax.axvline(1e-6, color="grey", linewidth=0.8)
ax.annotate("gradcheck's h", (1e-6, 1e-1), xytext=(4, 0), textcoords="offset points", color="grey")
ax.set(xlabel="h", ylabel="error", title="Too large: truncation. Too small: rounding.")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# From the right the error falls with $h^2$; then rounding takes over and it rises again. In float64 about
# eleven digits can be had. In float32 it is five, too few to tell a good rule from a slightly wrong one. That
# is why `mg.gradcheck` works in float64 and refuses anything else (MG-213). It takes
# $h = 10^{-6}\cdot\max(1, |a|)$ and compares **every** entry of the Jacobian $\partial y_j / \partial a_i$:

# %%
points = np.linspace(-3, 3, 7) + 0.1
mg.gradcheck(log_cosh, [points])  # says nothing: all is well
try:
    mg.gradcheck(log_cosh, [points.astype("float32")])
except MinigradError as error:
    print(error)

# %% [markdown]
# ## 4. Wrong rules, and how they are caught
#
# A check that has never failed proves nothing. So let us plant mistakes. The first is the most common of all:
# the rule forgets the incoming gradient.


# %%
def attempt_with(rule):
    """Define the operation "attempt", log_cosh with another rule, in the place of the last one."""
    return mg.define("attempt", log_cosh_forward, "ln cosh a", rule, inputs="a")


def try_rule(rule, order=1):
    """Define log_cosh with another rule, check it, and print what the check says (its first four lines)."""
    try:
        mg.gradcheck(attempt_with(rule), [points], order=order)
    except MinigradError as error:
        print("\n".join(str(error).splitlines()[:4]))
        return False
    print("passes")
    return True


assert not try_rule(lambda g, a: np.tanh(a))

# %% [markdown]
# Notice *how* it was caught. Where output $j$ belongs to input $i$, the numbers are right. They are wrong
# where $\partial y_j/\partial a_i$ should be 0: the check walks back from one output at a time, with
# $g = (0, \dots, 1, \dots, 0)$, and a rule that ignores $g$ answers for all of them. A check with $g = 1$
# everywhere would have been content:

# %%
t = mg.Tensor(points, requires_grad=True)
attempt = attempt_with(lambda g, a: np.tanh(a))
attempt(t).sum().backward()  # sum() sends g = 1 to every entry
print("with g = 1, largest error:", np.abs(t.grad.numpy() - np.tanh(points)).max())
t.zero_grad()
(attempt(t) * 5.0).sum().backward()  # now g = 5
print("with g = 5, largest error:", np.abs(t.grad.numpy() - 5 * np.tanh(points)).max())

# %% [markdown]
# How small a mistake does it see?
#
# **Guess before you run:** one rule is wrong by one part in a hundred thousand, the other by one part in ten
# million. Which of them does the check refuse?

# %%
assert not try_rule(lambda g, a: g * np.tanh(a) * (1 + 1e-5))
assert try_rule(lambda g, a: g * np.tanh(a) * (1 + 1e-7))

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# The first is refused, the second passes: the central differences themselves are no better than about
# $10^{-7}$ of the number, so the check cannot ask for more.
#
# </details>
#
# Two kinds of mistake are found before any number is compared. A rule that asks for something there is not is
# refused when it is defined; one that returns the wrong shape, when it first runs:

# %%
for rule in (lambda g, weight: g * weight, lambda g, a: np.sum(g * np.tanh(a))):
    assert not try_rule(rule)

# %% [markdown]
# ## 5. The gradient of the gradient
#
# Rules are written in plain NumPy, and NumPy's functions work on Tensors. So when a gradient is itself to be
# differentiated (`mg.grad(mg.grad(f))`, tutorial 16), the engine hands the rule Tensors, and the rule
# **records itself**. By hand: $f''(a) = 1 - \tanh^2 a$, which is $0.41997$ at $a = 1$. We never told the
# engine:

# %%
second = mg.grad(mg.grad(log_cosh))(np.float64(1.0))
print(f"f''(1) = {second.item():.5f}   1 - tanh² 1 = {1 - np.tanh(1) ** 2:.5f}")
mg.gradcheck(log_cosh, [points], order=2)

# %% [markdown]
# That works only while the rule hides nothing. If it pulls the bare numbers out, first derivatives are
# perfect and the second is silently 0. `order=2` finds it:


# %%
def hiding(g, a):
    bare = a.numpy() if isinstance(a, mg.Tensor) else a
    return g * np.tanh(bare)


assert try_rule(hiding, order=1)
assert not try_rule(hiding, order=2)

# %% [markdown]
# ## 6. Two inputs, broadcasting, and a point where there is no answer
#
# `np.hypot(a, b)` is $y = \sqrt{a^2 + b^2}$. minigrad has two rules for it, one for each input:

# %%
print([rule.formula for rule in mg.ops.hypot.rules])

# %% [markdown]
# By the chain rule $\partial y/\partial a = 2a / (2\sqrt{a^2+b^2}) = a/y$, and likewise $b/y$. At $(3, 4)$:
# $y = 5$, and the two derivatives are $0.6$ and $0.8$. Where the forward computation is a NumPy ufunc,
# `define` also makes the NumPy function itself run our operation on Tensors, here in the place of minigrad's.
# Using `y` instead of working the root out again saves time:

# %%
own_hypot = mg.define(
    "own_hypot",
    np.hypot,
    "√(a² + b²)",
    lambda g, a, y: g * a / y,
    lambda g, b, y: g * b / y,
)
a, b = (mg.Tensor(v, requires_grad=True, name=n) for v, n in ((3.0, "a"), (4.0, "b")))
y = np.hypot(a, b)
y.backward()
print("y =", y.item(), "  dy/da =", a.grad.item(), "  dy/db =", b.grad.item())

# %% [markdown]
# And broadcasting? With `a` of shape (2, 3) and `b` of shape (3,), every entry of `b` is used twice, so its
# gradient is a sum over two rows (tutorial 3). The rule knows nothing of that. It returns an array of the
# *stretched* shape, and the walk sums it (`_fit` in `minigrad/tape.py`). So this passes too:

# %%
mg.gradcheck(np.hypot, [np.ones((2, 3)), np.array([1.0, 2.0, 3.0])], order=2)

# %% [markdown]
# At $(0, 0)$ the function has a tip, like a cone. There is no derivative, the rule says $0/0$, and the check
# reports it. Here it is right to complain although the rule is not wrong anywhere else. The same happens at
# the kink of ReLU, where the rule says 0 and the difference says one half:

# %%
for function, inputs in ((np.hypot, [np.zeros(1), np.zeros(1)]), (mg.ops.relu, [np.zeros(1)])):
    with np.errstate(invalid="ignore"):
        try:
            mg.gradcheck(function, inputs)
        except MinigradError as error:
            print(str(error).splitlines()[0])

# %% [markdown]
# So gradcheck has its limits, and it is good to know them: it looks at the points that you give it and
# nowhere else, so give it several of each kind (large, small, both signs) and keep off kinks; and it tells
# whether rule and forward computation *belong together*, not whether the forward computation is the one you
# wanted.
#
# ## 7. Using it
#
# Thirty points on the line $2x + 1$, with a little noise, and four of them spoilt. We fit a line with the
# square and with our operation, 400 steps of Adam each, and compare:

# %%
rng = np.random.default_rng(14)
x = np.linspace(-2, 2, 30).astype("float32")
y = (2 * x + 1 + 0.2 * rng.standard_normal(30)).astype("float32")
spoilt = [24, 26, 27, 29]
y[spoilt] -= 12


def fit(loss_of):
    """Slope and intercept that minimise the mean of loss_of(prediction - target)."""
    slope = mg.Tensor(0.0, requires_grad=True, name="slope")
    intercept = mg.Tensor(0.0, requires_grad=True, name="intercept")
    optimizer = optim.Adam([slope, intercept], lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        loss_of(slope * x + intercept - y).mean().backward()
        optimizer.step()
    return slope.item(), intercept.item()


lines = {"square": fit(np.square), "log_cosh": fit(log_cosh)}
for name, (slope, intercept) in lines.items():
    print(f"{name:9s} y = {slope:.3f} · x {intercept:+.3f}")
assert abs(lines["log_cosh"][0] - 2) < 0.5 < abs(lines["square"][0] - 2)

# %%
fig, ax = plt.subplots(figsize=(6, 3.2))
good = np.delete(np.arange(30), spoilt)
ax.plot(x[good], y[good], "o", color="grey", markersize=4, label="data")
ax.plot(x[spoilt], y[spoilt], "x", color="black", label="spoilt")
for (name, (slope, intercept)), colour, style in zip(lines.items(), (ORANGE, BLUE), ("--", "-"), strict=True):
    ax.plot(x, slope * x + intercept, style, color=colour, label=name)
ax.plot(x, 2 * x + 1, ":", color=GREEN, label="2x + 1")
ax.set(xlabel="x", ylabel="y", title="Four spoilt points of thirty")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# The reason is in the rules: an error of 12 pulls with $g\cdot 2\cdot 12$ through the square and with
# $g\cdot\tanh 12 \approx g$ through ours.
#
# ## Exercises
#
# **14.1** The operation $y = a/\sqrt{1 + a^2}$ needs a rule. Write `rule(g, a)`: it returns
# $\partial L/\partial a$. (By hand first: the quotient rule, then simplify.)


# %%
def rule(g, a): ...  # your answer


exercise("14.1")(rule)

# %% [markdown]
# **14.2** `np.arctan2(a, b)` is the angle of the point with height $a$ and width $b$; for $b > 0$ it is
# $\arctan(a/b)$. Hand in its two rules, one for `a` and one for `b`, as functions of `g`, `a` and `b`. (The
# derivative of $\arctan u$ is $1/(1+u^2)$.)

# %%
rule_a = lambda g, a, b: ...  # noqa: E731
rule_b = lambda g, a, b: ...  # noqa: E731

exercise("14.2")((rule_a, rule_b))

# %% [markdown]
# **14.3** Write the check yourself: `numeric_gradient(f, x, h)` for a function `f` from an array to one
# number. It returns the array of central differences, one for each entry of `x`, and leaves `x` as it was.


# %%
def numeric_gradient(f, x, h): ...  # your answer


exercise("14.3")(numeric_gradient)
