# %% [markdown]
# # 2. The tape: record, walk back, accumulate
#
# Nudging every weight, as in tutorial 1, takes one evaluation of the loss for each. With a hundred thousand weights that is
# a hundred thousand forward passes for a single step. Training would be hopeless. **How does `backward()` get all the
# derivatives at once, for about the price of one more pass?**
#
# The answer has three parts: write down what happens, walk back along what was written, and add up where roads meet. We do
# it on paper, then in twenty lines of Python, and then look at the engine doing the same.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.exercises import exercise
from minigrad.viz.style import BLUE, GREEN, ORANGE

# %% [markdown]
# ## On paper
#
# $$u = x \cdot y, \qquad v = u + x, \qquad L = v \cdot u, \qquad\text{at } x = 3,\ y = 2.$$
#
# Forwards, line by line: $u = 6$, $v = 9$, $L = 54$. These three lines, in the order in which they ran, are the **tape**.
#
# Now backwards, from the last line to the first. We keep one number for every name: how fast $L$ grows with it, as far as
# we know yet. We start with $dL/dL = 1$.
#
# | line | hands on | what is known then |
# |---|---|---|
# | $L = v \cdot u$ | to $v$: $1 \cdot u = 6$; to $u$: $1 \cdot v = 9$ | $v$: 6, $u$: 9 |
# | $v = u + x$ | to $u$: $6 \cdot 1$; to $x$: $6 \cdot 1$ | $u$: $9 + 6 = 15$, $x$: 6 |
# | $u = x \cdot y$ | to $x$: $15 \cdot y = 30$; to $y$: $15 \cdot x = 45$ | $x$: $6 + 30 = 36$, $y$: 45 |
#
# Two things deserve a second look.
#
# - **Adding.** $u$ is used twice, so a nudge to $u$ reaches $L$ on two roads, and the effects add: $9 + 6$. The same happens at $x$.
# - **Order.** When we come to the line $u = x \cdot y$, both contributions to $u$ have arrived. They must have: every line that
#   *uses* $u$ stands below the line that *makes* it, and we walk upwards.
#
# Nudge and see:


# %%
def program(x, y):
    u = x * y
    v = u + x
    return v * u


h = 1e-6
print("dL/dx, by nudging:", round((program(3 + h, 2) - program(3 - h, 2)) / (2 * h), 4))
print("dL/dy, by nudging:", round((program(3, 2 + h) - program(3, 2 - h)) / (2 * h), 4))

# %% [markdown]
# ## In twenty lines
#
# The whole method fits into a small class. A `Number` holds a value; `+` and `*` append a line to the tape: the result, and
# for every input the local derivative.

# %%
tape = []


class Number:
    def __init__(self, value):
        self.value = value

    def __add__(self, other):
        return self.made(self.value + other.value, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        return self.made(self.value * other.value, (self, other.value), (other, self.value))

    def made(self, value, *inputs):
        result = Number(value)
        tape.append((result, inputs))
        return result


def walk_back(loss):
    gradient = {loss: 1.0}
    for result, inputs in reversed(tape):
        incoming = gradient.get(result, 0.0)
        for number, local in inputs:
            gradient[number] = gradient.get(number, 0.0) + incoming * local
    return gradient


x, y = Number(3.0), Number(2.0)
L = program(x, y)
gradient = walk_back(L)
print(f"L = {L.value}, dL/dx = {gradient[x]}, dL/dy = {gradient[y]}")
assert (L.value, gradient[x], gradient[y]) == (54.0, 36.0, 45.0)

# %% [markdown]
# That is reverse-mode automatic differentiation. (The idea is old: S. Linnainmaa wrote it down in 1970.) What a real engine
# adds is arrays instead of numbers, more operations, and care.
#
# ## The engine's tape
#
# There is no global list in minigrad. Each result carries a `Record` of how it was made, with a serial number.
# `mg.tape(loss)` collects the records that the loss depends on and sorts them by that number. Creation order is all that is needed: an
# operation can only use what exists already.

# %%
x = mg.Tensor(3.0, requires_grad=True, name="x")
y = mg.Tensor(2.0, requires_grad=True, name="y")
L = program(x, y)

first = mg.tape(L)[0].serial
for record in mg.tape(L):
    inputs = ", ".join(t.name or f"result of {t.record.operation.name}" for t in record.inputs)
    print(
        f"record {record.serial - first + 1}: {record.operation.name}({inputs}) = {record.value}, made in {record.location}"
    )

# %% [markdown]
# The last column is your own line: the engine notes where each operation was called, which is how its error messages can
# point at it. The records are in `minigrad/records.py`, the walk in `minigrad/tape.py`.
#
# And this is the walk. `mg.steps(L)` is what `backward()` runs, but it stops after each contribution, so that we can read
# along. Compare it with the table on paper.

# %%
walked = []
for step in mg.steps(L):
    rule = step.record.operation.rule(step.position)
    to = step.input.name or f"result of {step.input.record.operation.name}"
    walked.append(step.contribution.item())
    print(
        f"{step.record.operation.name:8} incoming {step.incoming.item():4.0f}   rule {rule.formula:5} "
        f"contribution {step.contribution.item():4.0f} to {to:18} total {step.total.item():4.0f}"
    )
print(f"x.grad = {x.grad.item()}, y.grad = {y.grad.item()}")
assert walked == [6, 9, 6, 6, 30, 45]
assert (x.grad.item(), y.grad.item()) == (36, 45)

# %% [markdown]
# As a picture, the tape is a graph, and this one is alive. Step through the walk with its source lines: the second contribution to a tensor is
# drawn as what it is, an addition. Then change a number (click it in the graph, or use What if): set $x$ to 3.01, and the whole tape
# is worked out again, forwards and backwards. The loss grows by a little more than 0.36: 36 times the nudge, as $dL/dx$ said.
#
# **Guess before you run:** what will the two gradients be when you set $x$ to 0?


# %%
def recorded():
    x.zero_grad()
    y.zero_grad()
    program(x, y).backward()


mg.record(recorded, title="u = x·y, v = u + x, L = v·u")

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# Set it and look. $L = (xy + x) \cdot xy = x^2 (y^2 + y)$, so both slopes have a factor $x$, and both are 0. Where nothing arrives in $u$ and $v$, there is
# nothing to hand back: the walk multiplies by the values of the way forwards.
#
# </details>

# %% [markdown]
# ## What it costs
#
# Let us count instead of arguing. A loss of $n$ inputs: the sum of squares of $n$ numbers, say. Central differences need $2n$
# evaluations. The walk passes each record once, however many inputs there are:


# %%
def passes_of_walk(n):
    seen = []
    inputs = [mg.Tensor(float(i), requires_grad=True) for i in range(n)]
    total = inputs[0] * inputs[0]
    for number in inputs[1:]:
        total = total + number * number
    records = len(mg.tape(total))
    with mg.hooks(backward=lambda step: seen.append(step.record.serial)):
        total.backward()
    assert [number.grad.item() for number in inputs] == [2.0 * i for i in range(n)]
    return records, len(set(seen))


print("inputs   operations   records passed, walking back   operations, nudging each input twice")
for n in (1, 10, 100, 1000):
    records, passed = passes_of_walk(n)
    print(f"{n:6} {records:10} {passed:20} {2 * n * records:32}")
    assert passed == records

# %% [markdown]
# The walk costs as much as the forward pass, up to a small factor, whether there is one input or a million. Why not walk
# *forwards* with derivatives, as we would on paper? That works too ("forward mode"): one pass for each *input*, giving its
# derivative for all outputs. Backwards, one pass for each *output*. A loss is one output with very many inputs.
#
# ## Why it must wait until all contributions are there
#
# One could also follow every road from the loss to each input separately, and add up at the end. The sum would be right.
#
# **Guess before you run:** forty lines $z \leftarrow z + z$, one after the other. How many roads lead from the loss to $x$, and how
# many records does the walk pass?

# %%
doublings = np.arange(1, 41)
roads = 2.0**doublings
fig, ax = plt.subplots(figsize=(6.4, 3.2))
ax.semilogy(doublings, roads, color=ORANGE, label="roads from the loss to x")
ax.semilogy(doublings, doublings, color=BLUE, ls="--", label="records passed by the walk")
ax.set(xlabel="lines z = z + z", ylabel="count")
ax.legend(frameon=False)
plt.show()

z = x = mg.Tensor(1.0, requires_grad=True)
for _ in doublings:
    z = z + z
records = len(mg.tape(z))
z.backward()
print(f"{records} records, {roads[-1]:.0f} roads, dz/dx = {x.grad.item():.0f}")
assert x.grad.item() == roads[-1]

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# Roads multiply: each line doubles their number. Forty records, and a derivative that is the number of roads: $2^{40}$, about a
# million millions. Each total was complete when it was handed on, so each record was passed once.
#
# </details>
#
# Nor does the walk call itself for every line, as a recursive one would (Python gives up after about a thousand nested calls).
# It is a loop over a sorted list, so long chains are no trouble:

# %%
x = mg.Tensor(1.0, requires_grad=True, dtype="float64")
z = x
for _ in range(20_000):
    z = z * 1.0001
z.backward()
print(f"dz/dx = {x.grad.item():.6f}, and 1.0001 to the power 20000 = {1.0001**20_000:.6f}")
assert np.isclose(x.grad.item(), 1.0001**20_000)

# %% [markdown]
# ## The other accumulation: `.grad`
#
# Within one walk, contributions are added because roads meet. There is a second place where numbers meet, easily mistaken
# for the first. Take $(w - 4)^2$ at $w = 1$: its derivative is $-6$. The next cell walks back three times, and $w$ does not move.
#
# **Guess before you run:** what does `w.grad` hold after the first walk, the second, the third?

# %%
w = mg.Tensor(1.0, requires_grad=True, name="w")
for k in range(1, 4):
    ((w - 4.0) ** 2).backward()
    print(f"after backward number {k}: w.grad = {w.grad.item()}")
assert w.grad.item() == 3 * -6.0

w.zero_grad()
((w - 4.0) ** 2).backward()
print(f"after zero_grad and one backward: w.grad = {w.grad.item()}")

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# The derivative is $-6$ each time; `.grad` held $-6$, $-12$, $-18$. When a walk ends, its result is **added to what `.grad`
# holds already**.
#
# </details>
#
# It is meant so: a batch that does not fit into memory can be walked in pieces,
# and the sum is the gradient of the whole (tutorial 13). The price is that *you* say when a new sum begins: `w.zero_grad()`, or
# `optimizer.zero_grad()` for all. Forgetting it is the commonest mistake of all, and it does not crash. Here is what it looks like:

# %%
fig, ax = plt.subplots(figsize=(6.4, 3.2))
for forgetful, colour, mark in ((False, GREEN, "o-"), (True, ORANGE, "s--")):
    w = mg.Tensor(1.0, requires_grad=True, name="w")
    path = [w.item()]
    for _ in range(25):
        if not forgetful:
            w.zero_grad()
        ((w - 4.0) ** 2).backward()
        w.data = w.data - 0.1 * w.grad.data
        path.append(w.item())
    ax.plot(path, mark, ms=4, color=colour, label="never zeroed" if forgetful else "zeroed at each step")
    print("never zeroed:" if forgetful else "zeroed:      ", np.round(path[-4:], 3))
ax.axhline(4, lw=0.8, color="grey")
ax.set(xlabel="step", ylabel="w", ylim=(0, 9))
ax.legend(frameon=False, loc="upper center", ncols=2)
plt.show()

# %% [markdown]
# With fresh gradients $w$ settles at 4. With old ones in the sum it swings past and back, like a ball in a bowl without friction. An
# optimizer of minigrad warns about this (`MG-201`), because it knows how many walks went into a `.grad`.
#
# ## What the tape keeps, and for how long
#
# A rule that says `g · b` needs the value of `b` at the time of the walk. So a record keeps its inputs, and that is the memory that
# training takes. It has two consequences. When a walk has passed, the records let go of everything; a second walk finds nothing:

# %%
a = mg.Tensor(3.0, requires_grad=True, name="a")
z = a * a
z.backward()
try:
    z.backward()
except mg.errors.GradientError as error:
    print(error)
    assert error.code == "MG-203"

# %% [markdown]
# And if a kept value is changed before the walk, its rule would compute with other numbers. The engine notices and refuses:

# %%
a = mg.Tensor([1.0, 2.0], requires_grad=True, name="a")
c = mg.Tensor([5.0, 5.0], name="c")
z = (a * c).sum()
c[0] = 100.0
try:
    z.backward()
except mg.errors.GradientError as error:
    print(error)
    assert error.code == "MG-205"

# %% [markdown]
# Where no derivative is wanted, for instance when a finished network is only used, nothing needs to be kept. Inside `mg.no_grad()` no record
# is made:

# %%
with mg.no_grad():
    quiet = a * 2.0
print("record:", quiet.record, " requires_grad:", quiet.requires_grad)

# %% [markdown]
# ## What to take along
#
# - The tape is the list of operations in the order in which they ran (`minigrad/records.py`, `minigrad/tape.py`).
# - The walk goes through it backwards. At each record: incoming derivative times local derivative, added to what the input has.
# - One walk gives the derivatives with respect to *all* inputs.
# - Two sums: roads that meet within a walk, and walks that meet in `.grad`. The second is yours to reset.
#
# ## Exercises
#
# **2.1** $a = x + y$, $b = a \cdot x$, $L = a \cdot b$ at $x = 2$, $y = 1$. Make the table from the beginning of this tutorial for it and hand in the
# four totals.

# %%
my_totals = (..., ..., ..., ...)  # dL/da, dL/db, dL/dx, dL/dy

check = exercise("02.1")
check(my_totals)

# %% [markdown]
# **2.2** Write the walk yourself, for a tape of plain data. A tape is a list of lines in the order in which they ran. A line is
# `(result, inputs)`, where `result` is a name and `inputs` is a list of `(name, local derivative)`. The loss is the result of the
# last line. Return a dictionary: for every name on the tape, how fast the loss grows with it. For the example above:

# %%
example = [
    ("u", [("x", 2.0), ("y", 3.0)]),  # u = x · y
    ("v", [("u", 1.0), ("x", 1.0)]),  # v = u + x
    ("L", [("v", 6.0), ("u", 9.0)]),  # L = v · u
]  # gives {"L": 1.0, "v": 6.0, "u": 15.0, "x": 36.0, "y": 45.0}


def gradients_of(tape):
    """Return {name: dL/d(name)} for every name on the tape."""
    ...


check = exercise("02.2")
check(gradients_of)

# %% [markdown]
# **2.3** Somebody forgot `zero_grad`. Where is $w$ after each of the first three steps? Work it out by hand before you run anything.
#
# ```
# w = mg.Tensor(1.0, requires_grad=True)
# for _ in range(3):
#     ((w - 4.0) ** 2).backward()
#     w.data = w.data - 0.1 * w.grad.data
# ```

# %%
my_prediction = (..., ..., ...)  # w after steps 1, 2 and 3

check = exercise("02.3")
check(my_prediction)
