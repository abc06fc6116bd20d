# %% [markdown]
# # 1. A derivative you can check by hand
#
# A network that reads digits holds about a hundred thousand numbers, its weights. Training changes all of them a little,
# again and again, so that one number, the loss, becomes smaller. For every weight it has to answer one question:
#
# > If I make this weight a little larger, does the loss rise or fall, and how fast?
#
# The answer is a derivative. This tutorial takes the smallest network there is, one weight and one bias, works its
# derivatives out with pencil and paper, and lets the engine confirm every digit. Then it asks how far such a number
# may be trusted, and how to check one that is too long for the pencil.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.exercises import exercise
from minigrad.viz.style import BLUE, GREEN, ORANGE

# %% [markdown]
# ## One weight, by nudging it
#
# The network predicts $p = w\,x + b$. We want it to say $t$, so we punish the squared error:
#
# $$e = w\,x + b - t, \qquad L = e^2 .$$
#
# Take $w = 2$, $x = 3$, $b = 1$, $t = 5$. Then $p = 7$, $e = 2$ and $L = 4$. Now make $w$ a little larger and look at what
# the loss does. If $w$ grows by $h$, the *difference quotient* says how much the loss grows for each unit of $h$:
#
# $$\frac{L(w + h) - L(w)}{h}.$$


# %%
def loss(w, b=1.0, x=3.0, t=5.0):
    e = w * x + b - t
    return e**2


print(f"L(2) = {loss(2.0)}")
for h in (0.1, 0.01, 0.001, 0.0001):
    print(f"h = {h:<7} (L(2 + h) - L(2)) / h = {(loss(2.0 + h) - loss(2.0)) / h:.4f}")

# %% [markdown]
# The quotients run towards 12. That limit, for ever smaller $h$, is the derivative $dL/dw$ at $w = 2$.
#
# ## The same by rules
#
# Nudging needs a new evaluation of $L$ for every weight. Rules are cheaper. $L$ depends on $e$, and $e$ depends on $w$:
# a nudge passes through both, and the factors multiply. That is the **chain rule**:
#
# $$\frac{dL}{dw} = \frac{dL}{de} \cdot \frac{de}{dw} = 2e \cdot x = 2 \cdot 2 \cdot 3 = 12.$$
#
# The factor $2e = 4$ is shared by everything that $e$ is made of. Only the second factor changes:
#
# | | second factor | derivative |
# |---|---|---|
# | $dL/dw$ | $de/dw = x = 3$ | $4 \cdot 3 = 12$ |
# | $dL/db$ | $de/db = 1$ | $4 \cdot 1 = 4$ |
# | $dL/dx$ | $de/dx = w = 2$ | $4 \cdot 2 = 8$ |
# | $dL/dt$ | $de/dt = -1$ | $4 \cdot (-1) = -4$ |
#
# Read the last line aloud: if the target rises by a little, the loss *falls*, four times as fast. It has to: the
# prediction 7 was too high, and the target moves towards it.
#
# ## Let the engine confirm it
#
# A `Tensor` is an array that remembers how it was computed. `requires_grad=True` asks for the derivative of whatever is
# computed from it, `backward()` works them all out, and leaves each in `.grad`:

# %%
w = mg.Tensor(2.0, requires_grad=True, name="w")
b = mg.Tensor(1.0, requires_grad=True, name="b")
x = mg.Tensor(3.0, requires_grad=True, name="x")
t = mg.Tensor(5.0, requires_grad=True, name="t")

L = loss(w, b, x, t)
operations = [(record.operation.name, record.operation.formula) for record in mg.tape(L)]
L.backward()

for tensor, by_hand in ((w, 12), (b, 4), (x, 8), (t, -4)):
    print(f"dL/d{tensor.name} = {tensor.grad.item():5}   by hand: {by_hand}")
    assert tensor.grad.item() == by_hand

# %% [markdown]
# `loss` is the same Python function as before. It was not rewritten for the engine: the operators in it met Tensors and
# wrote down what they did. This is what they wrote:

# %%
for name, formula in operations:
    rules = [rule.formula for rule in mg.registry.operations[name].rules if rule]
    print(f"{name:9} {formula:6}   backwards: {'  and  '.join(rules)}")

# %% [markdown]
# Four operations, and beside each the rule that carries a derivative `g` from its result to its inputs. For `multiply`:
# to the first factor goes `g · b`, to the second `g · a`. These rules are not in a book somewhere; they are the code. Look
# them up in `minigrad/ops/elementwise.py`, where the forward computation, the rule and its formula stand in one line.
# (`e**2` is recorded as `power`, which also has a rule for its exponent. The exponent 2 is no Tensor, so nobody asks for it.)
#
# Here is the whole step, forwards and then backwards. Step through it; on the way back, watch the factor 4 arrive at the
# subtraction and be handed on.


# %%
def step():
    for tensor in (w, b, x, t):
        tensor.zero_grad()  # backward() adds to what is there: tutorial 2
    loss(w, b, x, t).backward()


mg.record(step, title="(w · x + b - t)²")

# %% [markdown]
# ## What a derivative promises, and what it does not
#
# The derivative is the slope of the tangent. It promises that for a *small* step $\Delta$
#
# $$L(w + \Delta) \approx L(w) + \frac{dL}{dw}\,\Delta .$$
#
# How small is small? Compare the promise with the truth:

# %%
slope = 12.0
print("  step   promised     true      gap   gap / step²")
for step in (-0.001, -0.01, -0.1, -0.5, -1.0):
    promised, true = loss(2.0) + slope * step, loss(2.0 + step)
    print(f"{step:6}  {promised:9.5f} {true:9.5f} {true - promised:8.5f}   {(true - promised) / step**2:.4f}")

# %%
fig, ax = plt.subplots(figsize=(6.4, 3.6))
line = np.linspace(0.4, 2.6, 200)
ax.plot(line, loss(line), color=BLUE, label="the loss")
ax.plot(line, loss(2.0) + slope * (line - 2.0), "--", color=ORANGE, label="the tangent at w = 2, slope 12")
ax.plot(2, 4, "o", color=ORANGE)
ax.axvline(4 / 3, ls=":", color=GREEN, label="the lowest point, w = 4/3")
ax.set(xlabel="w", ylabel="L", ylim=(-6, 13))
ax.legend(frameon=False, loc="lower right")
plt.show()

# %% [markdown]
# The gap is always $9\,\Delta^2$: halve the step, and the promise becomes four times as good. (Why 9? Expand
# $L(w+\Delta) = (e + x\Delta)^2 = e^2 + 2ex\,\Delta + x^2\Delta^2$. The last term is what the tangent leaves out, and
# $x^2 = 9$.) A step of $-1$ was promised $-8$, which no square can be. So the derivative gives a direction and a rate,
# valid *here*. How far to walk in that direction is another question, and tutorials 7 to 10 are about it.
#
# ## Going downhill
#
# The smallest use of all this: step against the derivative, for $w$ and $b$ together. `mg.value_and_grad` turns a function
# into one that returns its value and its derivatives.

# %%
both = mg.value_and_grad(loss, argnums=(0, 1))
w_now, b_now, rate = 2.0, 1.0, 0.02
for step in range(8):
    value, (dw, db) = both(w_now, b_now)
    promised = -rate * (dw.item() ** 2 + db.item() ** 2)
    w_next, b_next = w_now - rate * dw.item(), b_now - rate * db.item()
    fell = loss(w_next, b_next) - value.item()
    print(
        f"step {step}: w {w_now:.4f}  b {b_now:.4f}  L {value.item():.6f}  promised {promised:+.4f}  true {fell:+.4f}"
    )
    w_now, b_now = w_next, b_next
assert loss(w_now, b_now) < 0.01

# %% [markdown]
# With $\Delta w = -\eta\,dL/dw$ and $\Delta b = -\eta\,dL/db$ the promised change is
# $-\eta\left((dL/dw)^2 + (dL/db)^2\right)$: never positive. The true change is smaller than promised each time, by the
# square term, but it has the right sign. That is gradient descent, complete.
#
# ## Checking what is too long for the pencil
#
# A real loss has thousands of operations. Nudging still works there, so it is the check for every rule in the engine. But
# which $h$? In mathematics, the smaller the better. Take $\sin$ at 1, whose derivative is $\cos 1$, and every $h$ from
# $10^{-1}$ down to $10^{-14}$.
#
# **Guess before you run:** with which of these $h$ is the quotient best in float64, and with which in float32?

# %%
exact = np.cos(1.0)
sizes = 10.0 ** np.arange(-14, 0)


def errors(quotient, dtype):
    return np.array([abs(float(quotient(dtype(1.0), h)) - exact) for h in sizes.astype(dtype)])


def one_sided(x, h):
    return (np.sin(x + h) - np.sin(x)) / h


def central(x, h):
    return (np.sin(x + h) - np.sin(x - h)) / (h + h)


fig, ax = plt.subplots(figsize=(6.4, 3.8))
for name, quotient, dtype, colour, mark in (
    ("one-sided, float64", one_sided, np.float64, BLUE, "o-"),
    ("central, float64", central, np.float64, GREEN, "s-"),
    ("central, float32", central, np.float32, ORANGE, "^-"),
):
    error = errors(quotient, dtype)
    ax.loglog(sizes, error + 1e-17, mark, ms=4, color=colour, label=name)
    print(f"{name}: best error {error.min():.1e} at h = {sizes[error.argmin()]:.0e}")
ax.set(xlabel="h", ylabel="error of the quotient", ylim=(1e-13, 10))
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# Each curve is a V. On the right the quotient is too coarse. On the left rounding takes over: numbers have about 16 digits
# in float64 and 7 in float32, and $L(w + h) - L(w)$ loses the digits in which the two agree. So the best $h$ lies in the
# middle, and further to the right in float32.
#
# </details>
#
# Looking to both sides,
#
# $$\frac{f(x + h) - f(x - h)}{2h},$$
#
# is better by far: what the tangent leaves out on the left cancels against the right, and the error falls with $h^2$
# instead of $h$. (The slopes of the right-hand branches, 2 and 1, say so.) And float32 is a poor judge: its best quotient is
# about a million times worse than that of float64, and only while $h$ stays near a thousandth. So gradients are
# checked in float64, with central differences and $h = 10^{-6}$ (times $|x|$, where that is larger than 1). That is
# `mg.gradcheck`, in `minigrad/check.py`. It says nothing when all is well:

# %%
mg.gradcheck(loss, [2.0, 1.0, 3.0, 5.0])
mg.gradcheck(lambda a: np.exp(-a * a) * np.sin(3 * a), [np.linspace(-1, 1, 7)])
print("no complaint: every rule agrees with its difference quotient to about six digits")

# %% [markdown]
# And where there is no derivative? $\max(0, a)$ has a kink at 0: slope 0 on the left, 1 on the right. The engine has to say
# something and says 0; the central quotient says ½. The check notices:

# %%
try:
    mg.gradcheck(mg.ops.relu, [np.array([-1.0, 0.0, 2.0])])
except mg.errors.GradientError as error:
    print(error)
    assert error.code == "MG-601"

# %% [markdown]
# Neither is wrong. At a kink any slope between the two is a fair answer; the thing to remember is that a check there
# compares two conventions. `minigrad explain MG-601` says more.
#
# ## What to take along
#
# - A derivative is a rate *at one place*: how fast the loss grows for each unit of a weight.
# - The chain rule multiplies local rates along the way from the weight to the loss, and the engine's rules
#   (`minigrad/ops/elementwise.py`) are those local rates.
# - What it promises is good to first order. The gap grows with the square of the step.
# - A difference quotient checks it, central and in float64, but not at kinks.
#
# The next tutorial looks at *how* the engine walks from the loss back to the weights.
#
# ## Exercises
#
# **1.1** Let $L = (w\,x - t)^2$ with $w = -1$, $x = 2$, $t = 3$. Work out $dL/dw$, $dL/dx$ and $dL/dt$ with a pencil, and put the three
# numbers in the place of the dots. (Then let the engine confirm them, if you like.)

# %%
my_derivatives = (..., ..., ...)  # dL/dw, dL/dx, dL/dt

check = exercise("01.1")
check(my_derivatives)

# %% [markdown]
# **1.2** Write the central difference: a function that takes a function `f`, a place `x` and a step `h`, and returns the
# quotient. It shall work for any `h`, large ones too.


# %%
def difference(f, x, h):
    """Return the central difference quotient of f at x."""
    ...


check = exercise("01.2")
check(difference)

# %% [markdown]
# **1.3** $f(x) = x \sin(x^2)$. Write its derivative as a function, from the product rule and the chain rule. Use your
# `difference` to convince yourself before you hand it in.


# %%
def derivative(x):
    """Return f'(x)."""
    ...


check = exercise("01.3")
check(derivative)
