# %% [markdown]
# # Assignment 2: the backward walk
#
# Every operation on a tensor that requires a gradient leaves a record. A record knows its operation, its inputs, and its number:
# they are counted in the order in which they are made.
#
# | | |
# |---|---|
# | `t.record` | the record of the operation that made `t`; `None` where `t` is a leaf, made by nobody |
# | `t.record.inputs` | its inputs, among them Tensors and plain numbers |
# | `t.record.serial` | its number |
# | `t.requires_grad`, `t.shape`, `t.dtype`, `t.numpy()` | what you know already |
# | `t.grad` | the gradient that was left in `t`, or `None`; you may set it to an array |
#
# You write the four pieces of `loss.backward()`:
#
# ```python
# def backward(loss, gradient=None):
#     gradients = {loss: seed(loss, gradient)}  # where to start
#     walk(order(loss), gradients)              # carry it back
#     deposit(gradients)                        # leave it in the leaves
# ```
#
# Each piece is tested alone and in the engine, with the other three being the engine's own, so that a mistake in one of them costs
# nothing elsewhere. The dtype of an array is up to you. `gradients` is a dictionary from a tensor to the array dL/d(tensor). Tensors can be its keys.

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

import minigrad as mg
from minigrad.course import close, holds, moved, piece, same, test, vjp
from minigrad.course.walking import contributions
from minigrad.course.walking import order as engine_order


def backward_names(tensors):
    """The names of the operations that made these tensors."""
    return [t.record.operation.name for t in tensors]


# %% [markdown]
# ## 1. Where to start
#
# The walk begins with dL/dL. Where the loss is a single number, of shape `()`, `(1,)` or `(1, 1)`, that is a one of its shape. For anything
# larger it must be given: `gradient` says what each entry is worth.


# %% nbgrader={"grade": false, "grade_id": "seed", "locked": false, "schema_version": 3, "solution": true, "task": false}
def seed(loss, gradient=None):
    """Return dL/d(loss): an array of the loss's shape, in memory of its own.

    Without a gradient: ones for a single number, ValueError for anything larger.
    With one: the gradient, ValueError where its shape is not the loss's.
    """
    ### BEGIN SOLUTION
    if gradient is None:
        if loss.size != 1:
            raise ValueError(f"the loss has shape {loss.shape}: give a gradient")
        gradient = np.ones(loss.shape)
    if np.shape(gradient) != loss.shape:
        raise ValueError(f"the gradient has shape {np.shape(gradient)}, the loss {loss.shape}")
    return np.array(gradient, dtype=loss.dtype)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "seed-number", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def seed_number(student, rng):
    """The loss changes by as much as the loss changes: what is dL/dL? The shape is that of the loss, also (1, 1)."""

    def program(seed):
        return [seed(mg.Tensor(np.full(shape, 7.0))) for shape in [(), (1,), (1, 1)]]

    for got, shape in zip(student.run(program, student.seed), [(), (1,), (1, 1)], strict=True):
        hint = f"A loss of shape {shape} starts with a gradient of shape {shape}."
        holds(np.shape(got) == shape, hint, expected=f"shape {shape}", got=got)
        close(got, np.ones(shape), slips={"This is the loss itself.": np.full(shape, 7.0)})


# %% nbgrader={"grade": true, "grade_id": "seed-refused", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="A matrix has no gradient of its own to start with, and a gradient of another shape is a mistake to be told."
)
def seed_refused(student, rng):
    """What cannot be a start is refused with a ValueError."""

    def program(seed, shape, gradient):
        try:
            seed(mg.Tensor(np.zeros(shape)), gradient)
        except NotImplementedError:
            raise
        except Exception as error:
            return type(error).__name__
        return "nothing"

    for shape, gradient in [((2, 3), None), ((3,), np.ones((3, 1))), ((), np.ones(2)), ((0,), None)]:
        got = student.run(program, student.seed, shape, gradient)
        advice = (
            None
            if got == "nothing"
            else "What cannot be a start is refused with a ValueError, and with no other error."
        )
        holds(got == "ValueError", expected="ValueError", got=got, shape=shape, advice=advice)
    got = student.run(program, student.seed, (2,), np.ones(2))
    holds(got == "nothing", expected="no error", got=got, advice="A gradient of the right shape is refused.")


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "seed-given", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test
def seed_given(student, rng):
    """The start is what was given, and not the caller's own array."""

    def program(seed, gradient):
        start = seed(mg.Tensor(np.zeros(3, np.float32)), gradient.tolist())
        moved(seed(mg.Tensor(np.zeros(3)), gradient))
        return start, gradient

    g = rng.normal(size=3)
    start, kept = student.run(program, student.seed, g)
    close(start, g, rtol=1e-6, atol=1e-6, g=g, advice="The gradient that is given may be a list.")
    same(
        kept,
        g,
        advice="What you return is the array of whoever gave it: it changes when that is written into.",
    )


### END HIDDEN TESTS


# %% [markdown]
# ## 2. In which order
#
# The walk must pass a tensor only after everything that was computed from it: then its gradient is complete. The records are
# numbered in the order in which they were made, and nothing can be used before it is made.


# %% nbgrader={"grade": false, "grade_id": "order", "locked": false, "schema_version": 3, "solution": true, "task": false}
def order(loss):
    """Return the tensors with a record that lead to loss, loss itself last, in the order in which they were made.

    Each of them once; leaves have no record and do not belong to them. A loss may have 100,000 operations behind it.
    """
    ### BEGIN SOLUTION
    found, pending = set(), [loss]
    while pending:
        tensor = pending.pop()
        if tensor.record is None or tensor in found:
            continue
        found.add(tensor)
        pending += [x for x in tensor.record.inputs if isinstance(x, mg.Tensor)]
    return sorted(found, key=lambda tensor: tensor.record.serial)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "order-line", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def order_line(student, rng):
    """Draw the graph of (2 · e^x + x).sum() on paper. Which tensors were made by an operation, and in which order?"""

    def program(order):
        x = mg.Tensor([1.0, 2.0], requires_grad=True)
        y = np.exp(x)
        np.sin(y)  # leads nowhere
        tensors = order((2 * y + x).sum())
        return [t.record.operation.name if t.record else "a leaf" for t in tensors]

    got = student.run(program, student.order)
    wanted = ["exp", "multiply", "add", "sum"]
    told = "it has no record, and does not belong into the list."
    holds("a leaf" not in got, f"x is a leaf: {told}", expected=str(wanted), got=got)
    holds("sin" not in got, "The sine does not lead to the loss.", expected=str(wanted), got=got)
    holds(
        got != wanted[::-1],
        "The other way round: the first that was made comes first.",
        expected=str(wanted),
        got=got,
    )
    holds(
        got != wanted[:-1], "The loss itself belongs to them, and is the last.", expected=str(wanted), got=got
    )
    holds(list(got) == wanted, expected=str(wanted), got=got)


# %% nbgrader={"grade": true, "grade_id": "order-once", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="A tensor that is used in many places still stands in the list once, and finding it must not take longer each time."
)
def order_once(student, rng):
    """Eighteen doublings have 2^18 ways through them, and eighteen tensors."""

    def program(order):
        x = mg.Tensor(1.0, requires_grad=True)
        for _ in range(18):
            x = x + x
        return len(list(order(x)))

    got = student.run(program, student.order)
    holds(got == 18, expected="each of the 18 once", got=got)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "order-users-first", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="A tensor that is used by an early and by a late operation: is its gradient complete when the walk passes it?"
)
def order_users_first(student, rng):
    """However the roads run, a tensor stands before all that use it."""

    def program(order):
        x = mg.Tensor(2.0, requires_grad=True)
        a = np.exp(x)
        b = np.sin(a)
        c = np.cos(b)
        return backward_names(order(np.tanh(a * c) + a * b)), len(list(order(x)))

    expected = ["exp", "sin", "cos", "multiply", "tanh", "multiply", "add"]
    got, of_a_leaf = student.run(program, student.order)
    twice = "A tensor that is used in two places stands in the list twice."
    holds(len(got) <= 7, expected=str(expected), got=got, advice=twice)
    fewer = "Some tensors are missing: an operation may have several inputs that lead further."
    holds(len(got) >= 7, expected=str(expected), got=got, advice=fewer)
    holds(got == expected, expected=str(expected), got=got)
    advice = "Where the loss is a leaf, no operation leads to it: the list is empty."
    holds(of_a_leaf == 0, expected="[]", got=of_a_leaf, advice=advice)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "order-deep", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="Python's recursion ends at a depth of 1,000; the graph of a long program does not.")
def order_deep(student, rng):
    """A chain of 5,000 operations."""

    def program(order):
        x = mg.Tensor(1.0, requires_grad=True)
        for _ in range(5000):
            x = -x
        return len(list(order(x)))

    got = student.run(program, student.order)
    holds(got == 5000, expected="5000 tensors", got=got)


### END HIDDEN TESTS

# %% [markdown]
# ## 3. The walk
#
# From the last tensor to the first: take its gradient out of the dictionary, ask for what it is worth to each of its inputs, and add that
# to what is known of the input so far. `contributions(tensor, g)` gives the pairs (input, array): the operation's gradient rule, in
# the input's shape. An input that was used twice comes twice.
#
# Mind whose memory it is: an array that you get may be `g` itself, or be in another pair too (think of $a + b$: both get $g$).


# %% nbgrader={"grade": false, "grade_id": "walk", "locked": false, "schema_version": 3, "solution": true, "task": false}
def walk(tensors, gradients):
    """Carry gradients back through tensors (as question 2 orders them).

    gradients holds that of the last tensor; at the end it holds those of the leaves and of nothing else.
    """
    ### BEGIN SOLUTION
    for tensor in reversed(tensors):
        g = gradients.pop(tensor, None)
        if g is None:
            continue
        for x, part in contributions(tensor, g):
            gradients[x] = gradients[x] + part if x in gradients else part
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "walk-line", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def walk_line(student, rng):
    """Go through it with pencil and paper: what does the dictionary hold after each tensor that the walk passes?"""

    def program(walk, a):
        x = mg.Tensor(a, requires_grad=True)
        loss = np.square(np.exp(x)).sum()
        gradients = {loss: np.ones(())}
        walk(engine_order(loss), gradients)
        return gradients.get(x)

    a = rng.normal(size=3)
    got = student.run(program, student.walk, a)
    hint = "No gradient has arrived at x. From which end does the walk begin, and where does it put what it gets?"
    holds(got is not None, hint, expected="the gradient of x", got="nothing", x=a)
    close(
        got,
        vjp(lambda a: np.exp(a) ** 2, [a], 0, np.ones(3)),
        x=a,
        slips={
            "The gradient has come through unchanged: an operation's contributions are not g itself.": np.ones(
                ()
            )
        },
    )


# %% nbgrader={"grade": true, "grade_id": "walk-meeting", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def walk_meeting(student, rng):
    """Two roads lead back to x, and to u: what of the first is left when the second arrives?"""

    def program(walk, a):
        x = mg.Tensor(a, requires_grad=True)
        u = x * 3
        loss = (u * x + 4 * u + 7 * x).sum()
        gradients = {loss: np.ones(())}
        walk(engine_order(loss), gradients)
        return gradients.get(x)

    a = rng.normal(size=3)
    close(
        student.run(program, student.walk, a),
        vjp(lambda a: 3 * a * a + 12 * a + 7 * a, [a], 0, np.ones(3)),
        x=a,
        slips={
            "What arrived last has replaced the rest.": 3 * a,
            "What arrived first has stayed, and nothing else.": np.full(3, 7.0),
        },
    )


# %% nbgrader={"grade": true, "grade_id": "walk-memory", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="The gradients of a + b are one and the same array for both. Who else changes when you add into it in place?"
)
def walk_memory(student, rng):
    """Adding in place into an array that somebody else holds too gives them a wrong gradient."""

    def program(walk, x, y):
        a, b = mg.Tensor(x, requires_grad=True), mg.Tensor(y, requires_grad=True)
        twice = 2 * a
        loss = (twice + (a + b)).sum()
        gradients = {loss: np.ones(())}
        walk(engine_order(loss), gradients)
        g, c = np.ones(2), (a + b) + a
        start = {c: g}
        walk(engine_order(c), start)
        return gradients[a], gradients[b], start[a], start[b], g

    x, y = rng.normal(size=(2, 2))
    got = student.run(program, student.walk, x, y)
    for mine, wanted in zip(got, [3.0, 1.0, 2.0, 1.0, 1.0], strict=True):
        close(mine, np.full(2, wanted))


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "walk-nothing-there", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="A tensor may stand in the list although no gradient ever reaches it: the condition of np.where, say."
)
def walk_nothing_there(student, rng):
    """No gradient reaches a condition, and no harm is done."""

    def program(walk, a):
        x, y = mg.Tensor(a, requires_grad=True), mg.Tensor(a, requires_grad=True)
        condition = x - 1
        loss = np.where(condition, 2 * y, 5.0).sum()
        gradients = {loss: np.ones(())}
        walk(engine_order(loss), gradients)
        return gradients[y]

    a = np.array([1.0, 2.0, 3.0])
    close(student.run(program, student.walk, a), np.array([0.0, 2.0, 2.0]), y=a)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "walk-leaves-only", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="What is left in the dictionary at the end? Each gradient on the way is used up as the walk passes."
)
def walk_leaves_only(student, rng):
    """At the end the dictionary holds the leaves' gradients."""

    def program(walk, a):
        x = mg.Tensor(a, requires_grad=True, name="x")
        w = mg.Tensor(a, requires_grad=True, name="w")
        loss = np.tanh(x * w).sum()
        gradients = {loss: np.ones(())}
        walk(engine_order(loss), gradients)
        return sorted(str(t.name) for t in gradients)

    got = student.run(program, student.walk, rng.normal(size=3))
    holds(got == ["w", "x"], expected="['w', 'x']", got=got)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "walk-engine", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="Your walk takes the place of the engine's own while a network is trained for three steps.")
def walk_engine(student, rng):
    """Three steps of training by your walk end at the same weights as by the engine's."""

    def program(x, y, w, v):
        w, v = mg.Tensor(w, requires_grad=True), mg.Tensor(v, requires_grad=True)
        for _ in range(3):
            loss = np.square(np.tanh(mg.Tensor(x) @ w) @ v - y).mean()
            w.grad = v.grad = None
            loss.backward()
            for each in (w, v):
                each.data = each.numpy() - 0.1 * each.grad.numpy()
        return w.numpy(), v.numpy()

    x, y, w, v = (rng.normal(size=shape) for shape in [(6, 3), (6, 2), (3, 4), (4, 2)])
    got = student.run(program, x, y, w, v, install=[piece("walk", student.walk)])
    for mine, wanted in zip(got, program(x, y, w, v), strict=True):
        close(mine, wanted)


### END HIDDEN TESTS

# %% [markdown]
# ## 4. Left in the leaves
#
# At last the gradients go into `.grad`, where the optimizer finds them. A leaf that holds one already, from a pass before, gets the
# sum of both: that is what makes gradient accumulation work, and why there is a `zero_grad()`.


# %% nbgrader={"grade": false, "grade_id": "deposit", "locked": false, "schema_version": 3, "solution": true, "task": false}
def deposit(gradients):
    """Add each gradient to its tensor's .grad (which is None, or a Tensor from the pass before).

    Tensors that do not require a gradient get none. No two .grad share memory, and a .grad that somebody has
    kept from before does not change.
    """
    ### BEGIN SOLUTION
    for leaf, g in gradients.items():
        if leaf.requires_grad:
            leaf.grad = g.copy() if leaf.grad is None else leaf.grad.numpy() + g
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "deposit-adds", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def deposit_adds(student, rng):
    """What does .grad hold after one pass, and what after two, without a zero_grad() between them?"""

    def program(deposit, g):
        x = mg.Tensor(np.zeros(3), requires_grad=True)
        deposit({x: g})
        first = np.array(x.grad.numpy()) if x.grad is not None else None
        deposit({x: 10 * g})
        return first, x.grad

    g = rng.normal(size=3)
    first, second = student.run(program, student.deposit, g)
    holds(
        first is not None,
        "Nothing is in .grad after the first pass.",
        expected="the gradient",
        got="None",
        g=g,
    )
    close(first, g, g=g)
    close(
        second,
        11 * g,
        g=g,
        slips={
            "The second pass has replaced the first.": 10 * g,
            "The second pass has left nothing.": g,
            "This is the mean of both passes; their sum is wanted.": 5.5 * g,
        },
    )


# %% nbgrader={"grade": true, "grade_id": "deposit-memory", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="One array may be the gradient of two tensors: what happens to the second when somebody clips the first in place?"
)
def deposit_memory(student, rng):
    """Every .grad has memory of its own, and one that was kept does not change."""

    def program(deposit, g):
        a, b = (mg.Tensor(np.zeros(2), requires_grad=True) for _ in range(2))
        deposit({a: g, b: g})
        kept = a.grad.numpy()
        before = kept.copy()
        deposit({a: g})
        unchanged = kept.copy()
        b.grad.numpy()[:] = 99
        return before, unchanged, kept, g

    g = rng.normal(size=2)
    before, unchanged, kept, after = student.run(program, student.deposit, g)
    close(before, g, g=g)
    close(unchanged, g, g=g, advice="A .grad that somebody has kept from the pass before has changed.")
    close(kept, g, g=g)
    close(after, g, g=g)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "deposit-only-wanted", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="The dictionary may hold tensors that asked for no gradient: frozen weights, or data.")
def deposit_only_wanted(student, rng):
    """What requires no gradient gets none."""

    def program(deposit, g):
        frozen, free = mg.Tensor(np.zeros(2)), mg.Tensor(np.zeros(2), requires_grad=True)
        deposit({frozen: g, free: g})
        return frozen.grad is None, free.grad.numpy()

    g = rng.normal(size=2)
    without, free = student.run(program, student.deposit, g)
    holds(without is True, expected="no .grad in the frozen one", got=without)
    close(free, g)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "deposit-engine", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="In the engine, two passes without zero_grad() between them leave the sum of both in every leaf."
)
def deposit_engine(student, rng):
    """loss.backward() with your deposit, twice."""

    def program(x, w):
        w, b = mg.Tensor(w, requires_grad=True), mg.Tensor(np.zeros(2), requires_grad=True)
        for scale in (1.0, 3.0):
            (scale * np.tanh(mg.Tensor(x) @ w + b)).sum().backward()
        return w.grad.numpy(), b.grad.numpy()

    x, w = rng.normal(size=(4, 3)), rng.normal(size=(3, 2))
    got = student.run(program, x, w, install=[piece("deposit", student.deposit)])
    for mine, wanted in zip(got, program(x, w), strict=True):
        close(mine, wanted)


### END HIDDEN TESTS

# %% [markdown]
# ## What you have now
#
# The four pieces, with the rules of assignment 1 inside `contributions`, are reverse-mode differentiation. The engine's own walk is in
# `minigrad/tape.py`: it adds in place where it knows that nobody else holds the array, and lets go of each record as it passes.
