# %% [markdown]
# # Assignment 3: un-broadcasting
#
# NumPy stretches an array to fit another: a row $b$ of shape (3,) is added to each row of a matrix of shape (2, 3). In formulas,
# $y_{ij} = a_{ij} + b_j$. The one number $b_j$ was used in every row, so every row has a claim on it:
#
# $$\frac{\partial L}{\partial b_j} = \sum_i \frac{\partial L}{\partial y_{ij}}.$$
#
# **Copied forwards, summed backwards; summed forwards, copied backwards.** That is all of this assignment, and tutorial 3 is where
# it comes from. Axes are where it goes wrong, so there are some.
#
# NumPy's rule: write the two shapes one above the other, *right-aligned*; an axis that is missing counts as 1; an axis of 1 is repeated
# as often as the other shape says.
#
# None of your functions writes into an array that it is given.
# Numbers come in float64; the dtype of what you return does not matter, as long as the digits are there.

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

import minigrad as mg
from minigrad.course import close, holds, rule, same, test, unbroadcast, vjp

# %% [markdown]
# ## 1. Which axes were stretched?
#
# | shape | result | stretched axes of the result |
# |---|---|---|
# | (3,) | (2, 3) | 0 |
# | (2, 1) | (2, 3) | 1 |
# | (1, 3) | (1, 3) | none: nothing was repeated |


# %% nbgrader={"grade": false, "grade_id": "axes", "locked": false, "schema_version": 3, "solution": true, "task": false}
def stretched_axes(shape, result_shape):
    """Return the axes of the result along which an array of this shape was repeated: a tuple of ints, in order, from 0.

    An axis that is missing in shape counts as stretched. One that is 1 in both was not.
    """
    ### BEGIN SOLUTION
    missing = len(result_shape) - len(shape)
    repeated = [missing + k for k, n in enumerate(shape) if n == 1 and result_shape[missing + k] != 1]
    return (*range(missing), *repeated)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "axes-table", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def axes_table(student, rng):
    """The three rows of the table. Write the two shapes one above the other, the last axes in one column."""
    for shape, result, axes, hint in [
        (
            (3,),
            (2, 3),
            (0,),
            "(3,) over (2, 3): the axis that is missing in (3,) is the first one of the result.",
        ),
        ((2, 1), (2, 3), (1,), "(2, 1) over (2, 3): it is the 1 that was repeated, and nothing else."),
        ((1, 3), (1, 3), (), "(1, 3) over (1, 3): nothing was repeated."),
    ]:
        got = student.stretched_axes(shape, result)
        right = tuple(sorted(int(k) for k in got)) == axes
        holds(right, hint, expected=str(axes), got=got, shape=shape, result_shape=result)


# %% nbgrader={"grade": true, "grade_id": "axes-walk", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="Try four axes, a single number of shape (), axes of length 0, and both reasons at once: a missing axis and a 1."
)
def axes_walk(student, rng):
    """A cell of the result's index may move without the operand's index moving: those axes, for random shapes."""
    for _ in range(12):
        result = tuple(int(n) for n in rng.choice([0, 2, 3, 4], rng.integers(0, 5)))
        kept = rng.integers(0, len(result) + 1)
        shape = tuple(n if rng.random() < 0.5 else 1 for n in result[kept:])
        strides = np.broadcast_to(np.empty(shape), result).strides if 0 not in result else None
        axes = tuple(k for k, n in enumerate(result) if k < kept or shape[k - kept] != n)
        if strides is not None:
            holds(axes == tuple(k for k, s in enumerate(strides) if s == 0))
        got = student.stretched_axes(shape, result)
        right = tuple(sorted(int(k) for k in got)) == axes
        holds(right, expected=str(axes), got=got, shape=shape, result_shape=result)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "axes-ones", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="An axis that is missing, where the result has a 1; and a 1 that stays a 1.")
def axes_ones(student, rng):
    """A 1 over a 1 is no stretching; a missing axis is, even one of length 1."""
    for shape, result, axes in [
        ((3,), (1, 3), (0,)),
        ((1, 1), (1, 2), (1,)),
        ((), (1,), (0,)),
        ((1,), (1,), ()),
    ]:
        got = student.stretched_axes(shape, result)
        right = tuple(sorted(int(k) for k in got)) == axes
        holds(right, expected=str(axes), got=got, shape=shape, result_shape=result)


### END HIDDEN TESTS


# %% [markdown]
# ## 2. Undo it
#
# The gradient $g$ has the shape of the result. Sum it along the stretched axes, and give it the input's shape. The engine does this behind
# every rule, and here it will call yours. Where you call your `stretched_axes` in it, a mistake in that one shows here again; it can be done without.


# %% nbgrader={"grade": false, "grade_id": "undo", "locked": false, "schema_version": 3, "solution": true, "task": false}
def unbroadcast_to(g, shape):
    """Return the gradient of an input of this shape, which was stretched to g's shape: g summed to shape."""
    ### BEGIN SOLUTION
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    ones = tuple(k for k, n in enumerate(shape) if n == 1)
    return g.sum(axis=ones, keepdims=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "undo-row", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def undo_row(student, rng):
    """b[0] was used in every row of the result. Which entries of g have a claim on it, and how many numbers remain?"""
    g = rng.integers(-5, 6, (2, 3)) + 0.5
    row = vjp(lambda b: np.zeros((2, 3)) + b, [np.zeros(3)], 0, g)
    close(
        student.unbroadcast_to(g, (3,)),
        row,
        g=g,
        shape=(3,),
        atol=1e-6,
        slips={
            "This is the mean over the rows. Each use counts in full.": row / 2,
            "This is one row alone. The others used b too.": g[0],
            "This is the last row alone. The others used b too.": g[1],
            "The shape is that of the result still.": g,
            "The right numbers in the wrong shape: (1, 3) has an axis too many.": row[None],
            "The shape is that of a row, but nothing was added up for it.": np.zeros(3),
        },
    )


# %% nbgrader={"grade": true, "grade_id": "undo-column", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def undo_column(student, rng):
    """A gradient has the shape of its input, and this input is a column, of shape (2, 1)."""
    g = rng.integers(-5, 6, (2, 3)) + 0.5
    column = vjp(lambda b: np.zeros((2, 3)) + b, [np.zeros((2, 1))], 0, g)
    close(
        student.unbroadcast_to(g, (2, 1)),
        column,
        g=g,
        shape=(2, 1),
        atol=1e-6,
        slips={
            "The right numbers in the wrong shape: (2,) is no column.": column[:, 0],
            "The right numbers in the wrong shape: that is a row.": column.T,
            "This is the mean over the copies. Each use counts in full.": column / 3,
            "The shape is that of the result still.": g,
            ### BEGIN HIDDEN TESTS
            "The sum went over axis 0; it was axis 1 that was stretched.": g.sum(axis=0),
            "This is the first column alone. The others used it too.": g[:, :1],
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "undo-square", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="Where all axes have the same length, shapes alone do not tell which axis was stretched. Counting from the right does."
)
def undo_square(student, rng):
    """In a cube of equal sides nothing but the position tells which axis to sum."""
    g = rng.normal(size=(3, 3, 3))
    for shape in [
        (3,),
        (3, 3),
        (3, 1),
        (1, 3),
        (1, 3, 3),
        (3, 1, 3),
        (3, 3, 1),
        (3, 1, 1),
        (1, 3, 1),
        (1, 1),
    ]:
        wanted = vjp(lambda b: np.zeros((3, 3, 3)) + b, [np.zeros(shape)], 0, g)
        close(
            student.unbroadcast_to(g, shape),
            wanted,
            g=g,
            shape=shape,
            atol=1e-6,
        )


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "undo-corners", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="A single number of shape (); nothing stretched at all; an axis of length 0.")
def undo_corners(student, rng):
    """A number collects everything, nothing stretched stays as it is, and a sum over nothing is 0."""
    g = rng.normal(size=(2, 3))
    none, empty = (
        "Nothing was stretched there: g stays as it is.",
        "An axis of length 0: a sum over nothing is 0.",
    )
    close(student.unbroadcast_to(g, (2, 3)), g, g=g, shape=(2, 3), advice=none)
    close(student.unbroadcast_to(g[:, :1], (2, 1)), g[:, :1], shape=(2, 1), advice=none)
    number = "The input was a single number of shape (), used everywhere in g."
    close(student.unbroadcast_to(g, ()), vjp(lambda b: b + 0 * g, [0.0], 0, g), g=g, shape=(), advice=number)
    close(student.unbroadcast_to(np.ones((0, 3)), (1, 3)), np.zeros((1, 3)), shape=(1, 3), advice=empty)
    close(student.unbroadcast_to(np.ones((0, 3)), (3,)), np.zeros(3), shape=(3,), advice=empty)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "undo-adjoint", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="For every pair of shapes, Σ g · stretched(x) must be Σ unbroadcast(g) · x: the two are adjoint."
)
def undo_adjoint(student, rng):
    """Stretching is linear, and its gradient is its adjoint: ⟨g, stretch x⟩ = ⟨undo g, x⟩ for all g and x."""
    for _ in range(25):
        result = tuple(int(n) for n in rng.integers(1, 4, rng.integers(0, 5)))
        kept = rng.integers(0, len(result) + 1)
        shape = tuple(n if rng.random() < 0.5 else 1 for n in result[kept:])
        g, x = rng.normal(size=result), rng.normal(size=shape)
        undone = student.unbroadcast_to(g, shape)
        holds(np.shape(undone) == shape, expected=f"shape {shape}", got=undone, g=g, shape=shape)
        close(
            np.sum(undone * x),
            np.sum(g * np.broadcast_to(x, result)),
            rtol=1e-11,
            atol=1e-11,
            g=g,
            shape=shape,
        )


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "undo-safe", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="Your function has written into the array that it was given.")
def undo_safe(student, rng):
    """g belongs to somebody else."""

    def program(f, g):
        for shape in [(3,), (1, 3), (2, 1), (), (2, 3)]:
            f(g, shape)
        return g

    g = rng.normal(size=(2, 3))
    same(student.run(program, student.unbroadcast_to, g), g)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "undo-engine", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="Your function stands behind the engine's rules there: a layer with a bias, centring by a mean, a product with a column."
)
def undo_engine(student, rng):
    """In the engine: a bias, a scale for each sample, one number for all, all at once."""

    def program(x, w, b, c, s):
        x, w, b, c, s = (mg.Tensor(a, requires_grad=True) for a in (x, w, b, c, s))
        y = ((x @ w + b) * c - s) / (1 + b * b)
        np.maximum(y, b).sum().backward()
        return [a.grad.numpy() for a in (x, w, b, c, s)]

    inputs = [rng.normal(size=shape) for shape in [(5, 3), (3, 4), (4,), (5, 1), ()]]
    got = student.run(program, *inputs, install=[unbroadcast(student.unbroadcast_to)])
    for mine, wanted in zip(got, program(*inputs), strict=True):
        close(mine, wanted, rtol=1e-10, atol=1e-10)


### END HIDDEN TESTS

# %% [markdown]
# ## 3. The other direction: sum
#
# $y = \sum a$ over some axes. Every $a$ that went into a sum has the same share in it, so $\partial L/\partial a$ is $g$, copied to all of them.
# Without `keepdims` the summed axes are missing in $g$: put them back first.


# %% nbgrader={"grade": false, "grade_id": "sum", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sum_vjp(g, a_shape, axis, keepdims):
    """Return dL/da for y = a.sum(axis, keepdims=keepdims), a new array of shape a_shape.

    axis is None (all axes), an int, or a tuple of ints; an int may be negative, as in NumPy.
    """
    ### BEGIN SOLUTION
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, a_shape).copy()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "sum-rows", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def sum_rows(student, rng):
    """g has one entry for each row of a. Which entries of a went into it, and in what shape do they lie?"""
    g = rng.integers(-5, 6, 2) + np.array([0.25, 0.5])
    wanted = vjp(lambda a: a.sum(axis=1), [np.zeros((2, 2))], 0, g)
    close(
        student.sum_vjp(g, (2, 2), 1, False),
        wanted,
        g=g,
        a_shape=(2, 2),
        axis=1,
        keepdims=False,
        atol=1e-6,
        slips={
            "g was stretched as a row. It belongs to rows: entry i to all of row i.": wanted.T,
            "This is the gradient of a mean. In a sum every entry counts in full.": wanted / 2,
            "This is g as it came; the gradient has the shape of a.": g,
            "The gradient is one for every entry, times what y is worth.": np.ones((2, 2)),
        },
    )


# %% nbgrader={"grade": true, "grade_id": "sum-every", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="No axis, one, several, negative ones, each with and without keepdims: differences know the answer for each."
)
def sum_every(student, rng):
    """Every way to say which axes."""
    a = rng.normal(size=(2, 3, 2))
    for axis in (None, 0, 1, 2, -1, -3, (0, 2), (1, -1), (0, 1, 2)):
        for keepdims in (False, True):
            g = rng.normal(size=np.shape(a.sum(axis=axis, keepdims=keepdims)))
            wanted = vjp(
                lambda a, axis=axis, keepdims=keepdims: a.sum(axis=axis, keepdims=keepdims), [a], 0, g
            )
            close(student.sum_vjp(g, a.shape, axis, keepdims), wanted, g=g, axis=axis, keepdims=keepdims)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "sum-memory", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test
def sum_memory(student, rng):
    """What comes back can be written into, entry by entry, without anything else changing."""

    def program(f, g):
        d = np.asarray(f(g, (2, 3), 1, True))
        before = d.copy()
        if d.flags.writeable:
            d[0, 0] = 99
        return before, d, g

    g = rng.normal(size=(2, 1))
    before, got, kept = student.run(program, student.sum_vjp, g)
    wanted = np.repeat(g, 3, axis=1)
    close(before, wanted, g=g, advice="With keepdims the summed axis is in g already.")
    wanted[0, 0] = 99
    view = "np.broadcast_to gives a view in which many entries are one and the same place in memory."
    close(got, wanted, g=g, advice=view)
    same(kept, g, advice=view)


### END HIDDEN TESTS


# %% [markdown]
# ## 4. mean
#
# $y = \frac 1n \sum a$, where $n$ counts the entries that go into one mean. `axis` as above.


# %% nbgrader={"grade": false, "grade_id": "mean", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mean_vjp(g, a_shape, axis, keepdims):
    """Return dL/da for y = a.mean(axis, keepdims=keepdims), of shape a_shape."""
    ### BEGIN SOLUTION
    axes = range(len(a_shape)) if axis is None else np.atleast_1d(axis)
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    n = np.prod([a_shape[k] for k in axes])
    return np.broadcast_to(g, a_shape) / n
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "mean-rows", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def mean_rows(student, rng):
    """A mean is a sum, divided by n. How many entries of a go into one of these means?"""
    g = rng.integers(-5, 6, 2) + np.array([0.25, 0.5])
    wanted = vjp(lambda a: a.mean(axis=1), [np.zeros((2, 3))], 0, g)

    def by_their_sum():
        their = student.perhaps(student.sum_vjp, g / 3, (2, 3), 1, False)
        return [their] if np.isclose(np.sum(their), np.sum(wanted)) else []

    close(
        student.mean_vjp(g, (2, 3), 1, False),
        wanted,
        also=by_their_sum,
        g=g,
        a_shape=(2, 3),
        axis=1,
        keepdims=False,
        atol=1e-6,
        slips={
            "This is the gradient of the sum. The mean has a 1/n.": wanted * 3,
            "Divided by the number of all entries. One mean takes in a row only.": wanted / 2,
            "Divided by the number of rows. One mean takes in a row: its length counts.": wanted * 3 / 2,
            "Multiplied by n, where y is divided by it.": wanted * 9,
        },
    )


# %% nbgrader={"grade": true, "grade_id": "mean-every", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="No axis, several axes, negative ones: what is n in each case?")
def mean_every(student, rng):
    """n is the product of the lengths of the axes that are averaged."""
    a = rng.normal(size=(2, 3, 4))
    for axis in (None, 0, -1, (0, 2), (1, -1)):
        for keepdims in (False, True):
            y = a.mean(axis=axis, keepdims=keepdims)
            g, n = rng.normal(size=np.shape(y)), a.size / np.size(y)
            wanted = vjp(
                lambda a, axis=axis, keepdims=keepdims: a.mean(axis=axis, keepdims=keepdims), [a], 0, g
            )

            def by_their_sum(g=g, n=n, axis=axis, keepdims=keepdims):
                their = student.perhaps(student.sum_vjp, g / n, a.shape, axis, keepdims)
                return [their] if np.isclose(np.sum(their), np.sum(g)) else []

            got = student.mean_vjp(g, a.shape, axis, keepdims)
            close(got, wanted, also=by_their_sum, g=g, axis=axis, keepdims=keepdims)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "mean-engine", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="In the engine: a batch is standardised, by the mean of each column and of everything.")
def mean_engine(student, rng):
    """Centring by two kinds of means, with the rule in the engine's table."""

    def program(x):
        x = mg.Tensor(x, requires_grad=True)
        c = x - x.mean(axis=0, keepdims=True)
        (np.tanh(c) * c.mean(axis=1, keepdims=True) + x.mean()).sum().backward()
        return x.grad.numpy()

    x = rng.normal(size=(4, 3))
    installed = [rule("mean", 0, student.mean_vjp, "g a_shape axis keepdims")]
    close(student.run(program, x, install=installed), program(x), x=x)


### END HIDDEN TESTS


# %% [markdown]
# ## What you have now
#
# The one thing that the rules of assignment 1 left to others. Because the walk undoes broadcasting, no rule has to know about it, and a bias
# is just an addition.
