# %% [markdown]
# # 21. A compiler for your training step
#
# A training step does the same thing a thousand times over: the same functions, on arrays of the same shapes, in the same
# order. Only the numbers are others. Yet each time Python looks up every name, every operation is recorded anew and every
# result gets new memory. For a small network that is most of the time.
#
# So write down *once* what a step does, tidy that list up, and from then on work through the list. That is a compiler,
# and this tutorial builds one that you can read: **trace**, **drop** what nobody uses, **share** what is worked out
# twice, **replay**. Then it reads what `mg.compile` makes of a real network, pass by pass.

# %%
import time
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.exercises import exercise
from minigrad.viz.style import BLUE, GREY, ORANGE

# %% [markdown]
# ## The step
#
# Two dense layers, softmax, cross-entropy, the gradients of tutorial 4 and one step downhill, in plain NumPy. It takes
# parameters and gives new ones back; nothing is changed in place. It is written as such things are written: an accuracy that
# nobody looks at any more, a gradient of the data, and the softmax worked out a second time where the gradient begins.


# %%
def step(x, t, w1, b1, w2, b2):
    z1 = x @ w1 + b1
    h = np.maximum(z1, 0)
    z2 = h @ w2 + b2
    powers = np.exp(z2 - np.max(z2, axis=1, keepdims=True))
    p = powers / np.sum(powers, axis=1, keepdims=True)
    loss = -np.sum(t * np.log(p)) / len(x)
    accuracy = np.mean(np.argmax(p, axis=1) == np.argmax(t, axis=1))  # noqa: F841

    powers = np.exp(z2 - np.max(z2, axis=1, keepdims=True))
    d2 = (powers / np.sum(powers, axis=1, keepdims=True) - t) / len(x)
    d1 = (d2 @ w2.T) * (z1 > 0)
    dx = d1 @ w1.T  # noqa: F841
    return (
        loss,
        w1 - 0.5 * (x.T @ d1),
        b1 - 0.5 * np.sum(d1, axis=0),
        w2 - 0.5 * (h.T @ d2),
        b2 - 0.5 * np.sum(d2, axis=0),
    )


rng = np.random.default_rng(0)
x, t = rng.normal(size=(8, 12)), np.eye(3)[rng.integers(0, 3, 8)]
parameters = [rng.normal(size=(12, 6)) / 3, np.zeros(6), rng.normal(size=(6, 3)) / 2, np.zeros(3)]
print(
    f"loss {step(x, t, *parameters)[0]:.4f}, after a step {step(x, t, *step(x, t, *parameters)[1:])[0]:.4f}"
)

# %% [markdown]
# ## Trace
#
# How does one find out what a function does, without reading its text? One runs it, and hands in something that *stands for*
# an array: it computes what the array would, and notes down what was asked of it. NumPy helps: before `np.exp(a)` computes, it
# asks `a` whether it would rather do that itself (`__array_ufunc__` for the functions of single entries, which the operators
# go through too, and `__array_function__` for all others).


# %%
class Name(str):
    """The name of an array in a program; it is printed without quotes."""

    __repr__ = str.__str__


@dataclass
class Line:
    """One line of a program: ``result = function(*inputs, **options)``."""

    result: Name
    function: str
    inputs: tuple
    options: dict

    def __str__(self):
        given = [repr(each) for each in self.inputs] + [f"{k}={v!r}" for k, v in self.options.items()]
        return f"{self.result} = np.{self.function}({', '.join(given)})"

    @property
    def reads(self):
        return [each for each in self.inputs if isinstance(each, Name)]


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """Stands for an array: ``value`` is what it is this time, ``name`` what it is called every time."""

    def __init__(self, value, name, lines):
        self.value, self.name, self.lines = value, Name(name), lines

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        assert method == "__call__"
        return self.note(ufunc, inputs, options)

    def __array_function__(self, function, types, inputs, options):
        return self.note(function, inputs, options)

    def note(self, function, inputs, options):
        real = function(*(each.value if isinstance(each, Traced) else each for each in inputs), **options)
        named = tuple(each.name if isinstance(each, Traced) else each for each in inputs)
        line = Line(Name(f"v{len(self.lines)}"), function.__name__, named, options)
        self.lines.append(line)
        return Traced(real, line.result, self.lines)

    def __len__(self):
        return len(self.value)

    def __bool__(self):
        return bool(self.value)

    @property
    def T(self):
        return np.transpose(self)


def trace(function, **arrays):
    """Run a function once; return the lines of what it does, and the names of its results."""
    lines = []
    results = function(**{name: Traced(array, name, lines) for name, array in arrays.items()})
    return lines, [each.name for each in (results if isinstance(results, tuple) else (results,))]


names = ["x", "t", "w1", "b1", "w2", "b2"]
lines, results = trace(step, **dict(zip(names, [x, t, *parameters], strict=True)))
print(*lines, sep="\n")
print("return", ", ".join(results))
assert len(lines) == 46

# %% [markdown]
# That is the whole step, without a single Python variable: forward, backward and update, one under another. `len(x)` has become
# the number 8. It *is* the number 8 for arrays of this shape, and so the list holds for this shape alone.
#
# ## Drop what nobody uses
#
# Go through the list **backwards**. What is returned is needed; a line whose result is needed needs its inputs; any other line
# goes. Backwards, because whether a line is needed is decided by the lines after it.


# %%
def alive(lines, results):
    """Return the lines that the results depend on."""
    needed, kept = set(results), []
    for line in reversed(lines):
        if line.result in needed:
            needed.update(line.reads)
            kept.append(line)
    return kept[::-1]


fewer = alive(lines, results)
gone = [line for line in lines if line not in fewer]
print(*gone, sep="\n")
assert len(gone) == 6

# %% [markdown]
# The accuracy went, with the two `argmax` that only it needed, and the gradient of the data with its transpose.
#
# ## Share what is worked out twice
#
# Two lines with the same function, the same inputs and the same options give the same result: keep the first, and let everybody
# who reads the second read the first. This time **forwards**: once `v19` is found to be `v5`, the line that reads `v19` becomes
# equal to the one that reads `v5`.
#
# **Guess before you run:** how many of the 40 lines are left?


# %%
def shared(lines, results):
    """Return the lines without those that do what another has done, and the results under their new names."""
    known, instead, kept = {}, {}, []
    for line in lines:
        inputs = tuple(instead.get(each, each) if isinstance(each, Name) else each for each in line.inputs)
        line = Line(line.result, line.function, inputs, line.options)
        key = str(line).partition(" = ")[2]
        if key in known:
            instead[line.result] = known[key]
        else:
            known[key] = line.result
            kept.append(line)
    return kept, [instead.get(each, each) for each in results]


short, results = shared(fewer, results)
print(f"{len(lines)} lines traced, {len(fewer)} that somebody needs, {len(short)} that differ")
assert len(short) == 35

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# 35: the largest logit, the difference, the powers, their sum and the quotient of the second softmax were there already. One after
# another: the second `np.subtract` only equals the first once both read the same `np.max`.
#
# Why may we do that? Because nobody writes into these arrays. If the step had said `z2 += 1` in between, the same text would have
# meant other numbers. The real compiler therefore notes of every line what it writes, and leaves such arrays alone.
#
# </details>
#
# ## Replay
#
# The list is Python already: join the lines, and let Python compile them once.


# %%
def compiled(lines, results, names):
    """Return the program as a function."""
    body = "\n".join(f"    {line}" for line in lines)
    scope = {"np": np}
    exec(f"def replay({', '.join(names)}):\n{body}\n    return {', '.join(results)}", scope)
    return scope["replay"]


replay = compiled(short, results, names)
other = rng.normal(size=(8, 12))  # another batch
for ours, right in zip(replay(other, t, *parameters), step(other, t, *parameters), strict=True):
    assert np.array_equal(ours, right)
print("the same bits on another batch")

# %% [markdown]
# Not nearly the same, the same: no line has been replaced by one that adds up in another order. That is worth holding on to. A
# compiler that changes the last digit cannot be checked by comparing, and two runs of it cannot be told from a bug.
#
# ### Memory that stays
#
# Each line still makes a new array. Their shapes are known, so they could be made once, and written into by `out=`, which all functions
# of single entries take:


# %%
def into_buffers(lines, results, names, arrays):
    """Return the program as a function that writes into arrays which it makes once."""
    scope, values, body = {"np": np}, dict(zip(names, arrays, strict=True)), []
    for line in lines:
        call = getattr(np, line.function)
        real = [values[each] if isinstance(each, Name) else each for each in line.inputs]
        values[line.result] = call(*real, **line.options)
        if isinstance(call, np.ufunc) and values[line.result].ndim:
            scope[buffer := f"{line.result}_there"] = values[line.result]
            line = Line(line.result, line.function, line.inputs, {**line.options, "out": Name(buffer)})
        body.append(f"    {line}")
    head, last = f"def replay({', '.join(names)}):", f"    return {', '.join(results)}"
    exec("\n".join([head, *body, last]), scope)
    return scope["replay"]


quick = into_buffers(short, results, names, [x, t, *parameters])
first = quick(x, t, *parameters)
kept = first[1].copy()
second = quick(other, t, *parameters)
print("the first call's weights, before and after the second call:", kept[0, 0], first[1][0, 0])
assert not np.array_equal(kept, first[1])

# %% [markdown]
# And there is the first trap: **the results of two calls lie in one buffer**. Who keeps the weights of the first call finds those of the
# second. What is handed out has to be copied, or be memory that the caller knows to be changed.
#
# ## What a trace does not see
#
# A trace is what happened *once*. Whatever Python decided then is decided for good.


# %%
def clipped(x):
    if np.max(x) > 1:
        return x / np.max(x)
    return x * 1.0


lines_of_it, result_of_it = trace(clipped, x=np.array([0.2, 0.4]))
print(*lines_of_it, sep="\n")
frozen = compiled(lines_of_it, result_of_it, ["x"])
print("replayed:", frozen(np.array([2.0, 4.0])), "  right:", clipped(np.array([2.0, 4.0])))

# %% [markdown]
# The comparison is there, its result is not used: the `if` has gone. No error, wrong numbers. This is how compilers of this kind fail, and why
# one that is to be trusted needs more than the passes:
#
# - **refuse**: `bool()` of a traced array raises. Two lines of our class would do it. `np.where` makes the choice a line of the program;
# - **guard**: what the list takes for granted (shapes, a number of Python's, train or eval mode) is looked at before each replay, and where it
#   no longer holds there is another list;
# - **compare**: now and then the step itself runs beside the list, and a difference is an error.
#
# ## The real one
#
# `mg.compile` does all of this on the engine itself. The network of D4, the last of the articles that these tutorials follow, is
# 784–128–10; here it gets random data:

# %%
rng = np.random.default_rng(0)
model = nn.Sequential(nn.Linear(784, 128, rng=rng), nn.ReLU(), nn.Linear(128, 10, rng=rng))
optimizer, loss_of = optim.SGD(model, lr=0.1), nn.CrossEntropyLoss()


def eager(x, y):
    optimizer.zero_grad()
    loss = loss_of(model(mg.Tensor(x)), y)
    loss.backward()
    optimizer.step()
    return loss


fast = mg.compile(eager)
images, labels = rng.random((32, 784), dtype=np.float32), rng.integers(0, 10, 32)
for _ in range(4):
    fast(images, labels)
program = fast.program
print(program)

# %% [markdown]
# A line here does more than one of ours: kernels (tutorial 15) are functions of a program too, so that `linear_forward` is the product, the bias and
# the ReLU. Above each stands the line of yours that it comes from, also in the backward walk. Three things that our toy did not have:
# `sgd(…)` **writes** into the weights; the **coefficients**, rate and all, are worked out anew in every step, so that a schedule goes on; and what is
# given is not only the arguments, but everything that the step *reaches*: parameters, state, the optimizer.
#
# ### Pass by pass

# %%
for stage in program.passes():
    print(stage, end="\n\n")
traced = program.passes()[0].before
assert len(program.replayed.instructions) <= len(traced.instructions)

# %% [markdown]
# Lines with a minus have gone, lines with a plus have come. You know `shared` and `without_dead`; here they find little, since this step was written
# with care. Behind them come the passes of the target:
#
# - what does not depend on the batch (coefficients, dropout's random numbers) moves to the front, so that the rest lies in one piece;
# - where a weight's gradient is used by the update alone, and the shapes are such that it pays, the two become one: a part of the gradient that is complete
#   updates its weights at once, and the gradient never lies in memory as a whole;
# - chains of functions of single entries become one loop, which goes over memory once instead of once for each.
#
# Written out to the last formula, with the kernels as NumPy, the program is as readable as our list (and `program.save("step.py")` makes a
# file of it that runs without minigrad):

# %%
print(program.numpy)

# %% [markdown]
# ### What is replayed
#
# Python's `exec` was our replay. Here, most lines are loops that Numba has compiled, and a table with their addresses is handed to one small
# driver, which goes through it without coming back to Python:

# %%
print(program.native)

# %% [markdown]
# ### When each array lives
#
# In our `into_buffers` every result had memory of its own. But a buffer is free once its last reader is done, and the next may lie there:

# %%
print(program.memory())


# %% [markdown]
# ### What it brings
#
# **Guess before you run:** by how much is the compiled step faster at batch 1, and by how much at batch 128?


# %%
def microseconds(run, *arguments):
    """The shortest of many runs: what disturbs them only ever makes them longer."""
    times = []
    for _ in range(200):
        start = time.perf_counter()
        run(*arguments)
        times.append(time.perf_counter() - start)
    return 1e6 * min(times)


fig, ax = plt.subplots(figsize=(6, 2.8))
for k, n in enumerate((1, 32, 128)):
    batch = rng.random((n, 784), dtype=np.float32), rng.integers(0, 10, n)
    took = [microseconds(run, *batch) for run in (eager, fast)]
    ax.barh([k + 0.2, k - 0.2], took, 0.36, color=[GREY, ORANGE])
    ax.annotate(f" {took[0] / took[1]:.1f} times", (took[0], k), va="center", color=BLUE)
ax.set_yticks(range(3), ["batch 1", "batch 32", "batch 128"])
ax.set(xlabel="µs a step", title="eager (grey) and compiled (orange)")
ax.margins(x=0.15)
plt.show()
print(fast.why())

# %% [markdown]
# <details>
# <summary><b>What came out, and why</b></summary>
#
# The figures depend on your machine, and on what else it does. At batch 1 nearly all of the eager step is Python, and the replay has none. At batch 128
# there is arithmetic to do, and that takes as long in a list as outside: what is left to gain is memory that need not be touched.
#
# `why()` lists one program for each batch size: three shapes, three lists. A fifth shape would be refused (MG-634), since it is nearly always
# an accident, such as a last batch that is smaller each time.
#
# </details>
#
# And the `if` from above?

# %%
try:
    mg.compile(lambda x: x / np.max(x) if np.max(x) > 1 else x)(mg.Tensor([0.2, 0.4]))
except mg.errors.ProgramError as error:
    print(error)

# %% [markdown]
# ## What to take along
#
# - A trace is a list of what was done once. It holds for one case; what is taken for granted has to be guarded.
# - What nobody uses is found backwards, what is worked out twice forwards.
# - Memory that stays is fast, and what is handed out of it must be copied.
# - A compiler that keeps the bits can be checked by comparing, and this one does, at the second, third, fourth, eighth … call.
#
# ## Exercises
#
# **21.1** `made` says for each line which names it reads, in the order of the lines: `{"a": ["x"], "b": ["a"], "c": ["x"]}`. Return the names of
# the lines that are needed for `results`, in their order.


# %%
def needed(made, results):
    """Return the names of the lines that the results depend on."""
    ...


check = exercise("21.1")
check(needed)

# %% [markdown]
# **21.2** A buffer lives from the line that makes it to the last line that reads it, both included. Each of `lives` is `(first, last, bytes)`. Return
# how many bytes are alive at the worst line.


# %%
def peak(lives):
    """Return the largest sum of bytes that are alive at one line."""
    ...


check = exercise("21.2")
check(peak)

# %% [markdown]
# **21.3** The function below is traced by our toy with `x = 3` and `rate = 2`. Then `rate` is set to 5. What does the replay give for `x = -3`, and what
# does the function itself?
#
# ```python
# rate = 2
#
#
# def f(x):
#     if x > 0:
#         return rate * x
#     return x
# ```

# %%
by_the_replay, by_itself = None, None

check = exercise("21.3")
check((by_the_replay, by_itself))
