# %% [markdown]
# # Assignment 1: ten gradient rules
#
# A gradient rule answers one question: when the loss changes by $g = dL/dy$ for every unit of an operation's result $y$, by how
# much does it change for every unit of an input? The chain rule says: by $g$ times the local derivative, entry by entry, added up
# over the entries of $y$ that the input reaches.
#
# You write the rules of ten operations, just as the engine's own are written in `minigrad/ops/`: plain NumPy on bare arrays. The
# names of the parameters say what a rule needs: `g` the incoming gradient, `y` the result that the operation computed already,
# `a` and `b` its inputs. Keep their order; the engine hands them over in it when your rule takes the place of its own.
#
# - A rule returns a gradient in the shape of `g` (for `sum` and `matmul`: in the shape of the input). Broadcasting is not your
#   concern here: all arrays that a rule gets have one shape (but for these two), and assignment 3 is about the others.
# - A rule never writes into `g`, `y`, `a` or `b`: they belong to others.
#
# `minigrad course check` on this file, or running the test cells of the notebook, shows how far you are.

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

import minigrad as mg
from minigrad.course import close, rule, test, varied, vjp

variant = varied(shape=[(2, 3), (3, 2), (2, 4), (4, 3)], kink=[0, 1, 0.5, 0.25])

# %% [markdown]
# ## 1. multiply
#
# $y = a \cdot b$. Two inputs, so two rules: one for $a$, one for $b$.


# %% nbgrader={"grade": false, "grade_id": "multiply", "locked": false, "schema_version": 3, "solution": true, "task": false}
def multiply_vjp_a(g, b):
    """Return dL/da for y = a · b."""
    ### BEGIN SOLUTION
    return g * b
    ### END SOLUTION


def multiply_vjp_b(g, a):
    """Return dL/db for y = a · b."""
    ### BEGIN SOLUTION
    return g * a
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "multiply-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def multiply_numbers(student, rng):
    """Turn up one entry of a a little, with b as it is: by how much does y change there, and what is that worth?"""
    a, b, g = rng.uniform(1, 3, (3, *variant.shape))
    a[0, 0] = -1.5
    of_a, of_b = (vjp(np.multiply, [a, b], i, g) for i in (0, 1))
    close(
        student.multiply_vjp_a(g, b),
        of_a,
        g=g,
        b=b,
        slips={
            "This is the local derivative alone. The chain rule says what a change of y is worth: g.": of_a
            / g,
            "This is dL/db; dL/da is asked for.": of_b,
            "The sign is turned.": -of_a,
        },
    )
    close(
        student.multiply_vjp_b(g, a),
        of_b,
        g=g,
        a=a,
        slips={
            "This is the local derivative alone. The chain rule says what a change of y is worth: g.": of_b
            / g,
            "This is dL/da; dL/db is asked for.": of_a,
            "The sign is turned.": -of_b,
        },
    )


# %% nbgrader={"grade": true, "grade_id": "multiply-engine", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="Your two rules are used at once there, and a tensor is multiplied by itself.")
def multiply_engine(student, rng):
    """In the engine, a · a must give 2 · g · a."""

    def program(a, b):
        a, b = mg.Tensor(a, requires_grad=True), mg.Tensor(b, requires_grad=True)
        (a * a * b).sum().backward()
        return a.grad.numpy(), b.grad.numpy()

    a, b = rng.normal(size=(2, 3, 4))
    theirs = [
        rule("multiply", 0, student.multiply_vjp_a, "g b"),
        rule("multiply", 1, student.multiply_vjp_b, "g a"),
    ]
    got = student.run(program, a, b, install=theirs)
    for mine, wanted in zip(got, program(a, b), strict=True):
        close(mine, wanted, a=a, b=b)


### END HIDDEN TESTS


# %% [markdown]
# ## 2. divide
#
# $y = a / b$. The result $y$ is there already; with it, the second rule is short.


# %% nbgrader={"grade": false, "grade_id": "divide", "locked": false, "schema_version": 3, "solution": true, "task": false}
def divide_vjp_a(g, b):
    """Return dL/da for y = a / b."""
    ### BEGIN SOLUTION
    return g / b
    ### END SOLUTION


def divide_vjp_b(g, y, b):
    """Return dL/db for y = a / b."""
    ### BEGIN SOLUTION
    return -g * y / b
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "divide-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def divide_numbers(student, rng):
    """Take numbers: 6 / 2, then 6 / 2.1 and 6.1 / 2. By how much does y change each time, and which way?"""
    a, b, g = rng.uniform(1, 3, (3, *variant.shape))
    y = a / b
    of_a, of_b = (vjp(np.divide, [a, b], i, g) for i in (0, 1))
    alone = "This is the local derivative alone. The chain rule says what a change of y is worth: g."
    close(
        student.divide_vjp_a(g, b),
        of_a,
        g=g,
        b=b,
        slips={
            alone: of_a / g,
            "This is dL/db; dL/da is asked for.": of_b,
            ### BEGIN HIDDEN TESTS
            "Multiplied by b. A large divisor makes y move less, not more.": g * b,
            "Divided by b twice.": g / b**2,
            ### END HIDDEN TESTS
        },
    )
    close(
        student.divide_vjp_b(g, y, b),
        of_b,
        g=g,
        y=y,
        b=b,
        slips={
            "The sign: a larger b makes a / b smaller.": -of_b,
            alone: of_b / g,
            "This is dL/da; dL/db is asked for.": of_a,
            ### BEGIN HIDDEN TESTS
            "y holds one division by b already: -a/b² is -y/b.": -g * y / b**2,
            "A division by b is missing: y holds one, and there are two.": -g * y,
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "divide-engine", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="The divisor may be negative there, and be divided itself.")
def divide_engine(student, rng):
    """The rules hold for negative divisors."""

    def program(a, b):
        a, b = mg.Tensor(a, requires_grad=True), mg.Tensor(b, requires_grad=True)
        ((a / b) / (b * a)).sum().backward()
        return a.grad.numpy(), b.grad.numpy()

    a, b = rng.uniform(1, 2, (4, 3)), -rng.uniform(0.5, 2, (4, 3))
    theirs = [
        rule("divide", 0, student.divide_vjp_a, "g b"),
        rule("divide", 1, student.divide_vjp_b, "g y b"),
    ]
    got = student.run(program, a, b, install=theirs)
    for mine, wanted in zip(got, program(a, b), strict=True):
        close(mine, wanted, a=a, b=b)


### END HIDDEN TESTS


# %% [markdown]
# ## 3. exp
#
# $y = e^a$. What is the derivative of $e^a$, and do you have it already?


# %% nbgrader={"grade": false, "grade_id": "exp", "locked": false, "schema_version": 3, "solution": true, "task": false}
def exp_vjp(g, y):
    """Return dL/da for y = e^a."""
    ### BEGIN SOLUTION
    return g * y
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "exp-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def exp_numbers(student, rng):
    """Measure the slope of the curve: (e^1.001 - e^1) / 0.001. Which number that you have already is that?"""
    a, g = rng.normal(size=(2, *variant.shape))
    y = np.exp(a)
    wanted = vjp(np.exp, [a], 0, g)
    close(
        student.exp_vjp(g, y),
        wanted,
        g=g,
        y=y,
        slips={
            "This is the local derivative alone. The chain rule says what a change of y is worth: g.": wanted
            / g,
            "This is g as it came: the slope of the curve is missing.": g,
            ### BEGIN HIDDEN TESTS
            "y is e^a already; this is e^y.": g * np.exp(y),
            "This is g · a: ln y takes you back to a, which is not the slope.": g * a,
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "exp-safe", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test
def exp_safe(student, rng):
    """exp's result is used by others too: what happens to it when your rule runs?"""

    def program(a):
        a = mg.Tensor(a, requires_grad=True)
        y = np.exp(a)
        (y * y).sum().backward()
        return a.grad.numpy(), y.numpy()

    a = rng.normal(size=(2, 5))
    got, y = student.run(program, a, install=[rule("exp", 0, student.exp_vjp, "g y")])
    close(y, np.exp(a), a=a, advice="Your rule has written into an array that it was given.")
    close(got, program(a)[0], a=a)


### END HIDDEN TESTS


# %% [markdown]
# ## 4. log
#
# $y = \ln a$.


# %% nbgrader={"grade": false, "grade_id": "log", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_vjp(g, a):
    """Return dL/da for y = ln a."""
    ### BEGIN SOLUTION
    return g / a
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "log-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def log_numbers(student, rng):
    """Compare your result at a = 1 and at a = 2 with the slope of the curve there: (ln 2.001 - ln 2) / 0.001."""
    a, g = rng.uniform(0.5, 3, (2, *variant.shape))
    wanted = vjp(np.log, [a], 0, g)
    close(
        student.log_vjp(g, a),
        wanted,
        g=g,
        a=a,
        slips={
            "This is the local derivative alone. The chain rule says what a change of y is worth: g.": wanted
            / g,
            "The sign is turned: ln rises everywhere.": -wanted,
            ### BEGIN HIDDEN TESTS
            "This is g · ln a, the function and not its slope.": g * np.log(a),
            "Multiplied by a: the curve gets flatter as a grows, not steeper.": g * a,
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "log-small", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="Very small probabilities occur: a = 1e-30, say. The slope there is large, and finite.")
def log_small(student, rng):
    """No small number belongs into the denominator: at a = 1e-30 the slope is 1e30."""
    a = 10.0 ** -rng.uniform(5, 30, 6)
    g = rng.normal(size=6)
    close(student.log_vjp(g, a), g / a, rtol=1e-9, g=g, a=a)


### END HIDDEN TESTS

# %% [markdown]
# ## 5. tanh
#
# $y = \tanh a$.


# %% nbgrader={"grade": false, "grade_id": "tanh", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tanh_vjp(g, y):
    """Return dL/da for y = tanh a."""
    ### BEGIN SOLUTION
    return g * (1 - y * y)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "tanh-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def tanh_numbers(student, rng):
    """Compare your result with the slope of the curve: at y = 0 it rises by 45°, at y = ±0.99 it is almost flat."""
    a, g = rng.uniform(-2, 2, (2, *variant.shape))
    y = np.tanh(a)
    wanted = vjp(np.tanh, [a], 0, g)
    close(
        student.tanh_vjp(g, y),
        wanted,
        g=g,
        y=y,
        slips={
            "This is the local derivative alone. The chain rule says what a change of y is worth: g.": wanted
            / g,
            "The sign is turned: tanh rises everywhere.": -wanted,
            ### BEGIN HIDDEN TESTS
            "y is tanh a already; this takes tanh once more.": g * (1 - np.tanh(y) ** 2),
            "The square is missing: 1 - y².": g * (1 - y),
            "This is the slope of the sigmoid; tanh has 1 - y².": g * y * (1 - y),
            "This is g · y², and at y = 0 that is flat. 1 minus it is the slope.": g * y * y,
            "This is g · tanh a, the function and not its slope.": g * y,
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "tanh-network", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="Your rule works inside a network of two layers there, with everything else the engine's own.")
def tanh_network(student, rng):
    """In a network, g is no matrix of ones: it comes from the layer behind."""

    def program(x, w, v):
        w, v = mg.Tensor(w, requires_grad=True), mg.Tensor(v, requires_grad=True)
        np.square(np.tanh(np.tanh(mg.Tensor(x) @ w) @ v)).mean().backward()
        return w.grad.numpy(), v.grad.numpy()

    x, w, v = rng.normal(size=(5, 3)), rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
    got = student.run(program, x, w, v, install=[rule("tanh", 0, student.tanh_vjp, "g y")])
    for mine, wanted in zip(got, program(x, w, v), strict=True):
        close(mine, wanted)


### END HIDDEN TESTS


# %% [markdown]
# ## 6. sigmoid
#
# $y = 1 / (1 + e^{-a})$. Write $dy/da$ in terms of $y$.


# %% nbgrader={"grade": false, "grade_id": "sigmoid", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sigmoid_vjp(g, y):
    """Return dL/da for y = 1 / (1 + e^-a)."""
    ### BEGIN SOLUTION
    return g * y * (1 - y)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "sigmoid-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def sigmoid_numbers(student, rng):
    """Compare your result with the slope of the curve: in the middle, at y = 0.5, it is a quarter; at both ends it is flat."""
    a, g = rng.uniform(-3, 3, (2, *variant.shape))
    y = 1 / (1 + np.exp(-a))
    wanted = vjp(lambda a: 1 / (1 + np.exp(-a)), [a], 0, g)
    close(
        student.sigmoid_vjp(g, y),
        wanted,
        g=g,
        y=y,
        slips={
            "This is the local derivative alone. The chain rule says what a change of y is worth: g.": wanted
            / g,
            "The sign is turned: the sigmoid rises everywhere.": -wanted,
            ### BEGIN HIDDEN TESTS
            "This is the slope of tanh; the sigmoid's is y · (1 - y).": g * (1 - y * y),
            "The factor y is missing: at the left end the curve is flat too.": g * (1 - y),
            "The factor 1 - y is missing: at the right end the curve is flat too.": g * y,
            "y is the sigmoid of a already; this takes it once more.": g
            * (1 / (1 + np.exp(-y)))
            * (1 - 1 / (1 + np.exp(-y))),
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "sigmoid-ends", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="At a = -800 and at a = 800 the result is 0 or 1, and the slope is a plain 0.")
def sigmoid_ends(student, rng):
    """At the ends the slope is 0, and no NaN."""

    def program(a):
        a = mg.Tensor(a, requires_grad=True)
        mg.ops.sigmoid(a).sum().backward()
        return a.grad.numpy()

    a = np.concatenate([[-800.0, -40.0, 0.0, 40.0, 800.0], rng.normal(size=3)])
    got = student.run(program, a, install=[rule("sigmoid", 0, student.sigmoid_vjp, "g y")])
    close(got, program(a), a=a)


### END HIDDEN TESTS


# %% [markdown]
# ## 7. relu
#
# $y = \max(0, a)$. At $a = 0$ there is a kink; we let ${{kink}} \cdot g$ pass there (0 is the custom, and the engine's).


# %% nbgrader={"grade": false, "grade_id": "relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relu_vjp(g, a):
    """Return dL/da for y = max(0, a); {{kink}} · g where a is 0."""
    ### BEGIN SOLUTION
    return g * (a > 0) + variant.kink * g * (a == 0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "relu-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def relu_numbers(student, rng):
    """Look at one entry where a is positive and at one where it is negative: what does y do there as a moves a little?"""
    a = np.array([[-1.2, 0.7, 2.0], [0.3, -0.1, -2.5]])
    g = rng.uniform(0.5, 2, (2, 3)) * np.array([[1, -1, 1], [-1, 1, -1]])
    wanted = vjp(lambda a: np.maximum(a, 0), [a], 0, g)
    close(
        student.relu_vjp(g, a),
        wanted,
        g=g,
        a=a,
        slips={
            "This is the local derivative alone. The chain rule says what a change of y is worth: g.": wanted
            / g,
            "These are the entries at which nothing passes.": g - wanted,
            "Everything passes, whatever a is.": g,
            ### BEGIN HIDDEN TESTS
            "It is the sign of a that decides, not the sign of g.": np.maximum(g, 0),
            "This is the function once more. Its slope is 1 or 0.": g * np.maximum(a, 0),
            "Where a is negative, y is 0 and does not move: 0, not -1, is the slope.": g * np.sign(a),
            "Nothing passes where a is negative, not even a little: this is another function's slope.": np.where(
                a > 0, g, 0.01 * g
            ),
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "relu-kink", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="What happens at a = 0, and at -0.0?")
def relu_kink(student, rng):
    """At 0, {{kink}} · g passes, at the smallest positive number everything."""
    a = np.array([0.0, -0.0, 5e-324, -5e-324, 1e308])
    g = rng.uniform(1, 2, 5)
    got = np.asarray(student.relu_vjp(g, a))
    beside = "Beside the kink: a of 5e-324 is positive, and so is 1e308."
    close(got[2:], np.array([g[2], 0, g[4]]), g=g[2:], a=a[2:], advice=beside)
    close(got[:2], variant.kink * g[:2], g=g[:2], a=a[:2])


### END HIDDEN TESTS


# %% [markdown]
# ## 8. maximum
#
# $y = \max(a, b)$, entry by entry. Where both are equal, each of the two gets half of $g$.


# %% nbgrader={"grade": false, "grade_id": "maximum", "locked": false, "schema_version": 3, "solution": true, "task": false}
def maximum_vjp_a(g, a, b):
    """Return dL/da for y = max(a, b); half of g where a equals b."""
    ### BEGIN SOLUTION
    return g * ((a > b) + 0.5 * (a == b))
    ### END SOLUTION


def maximum_vjp_b(g, a, b):
    """Return dL/db for y = max(a, b); half of g where a equals b."""
    ### BEGIN SOLUTION
    return g * ((b > a) + 0.5 * (a == b))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "maximum-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def maximum_numbers(student, rng):
    """Change an entry of the smaller one a little: does y notice? And what if it is the larger one?"""
    a, b = rng.permuted(np.arange(2.0 * np.prod(variant.shape))).reshape(2, *variant.shape)
    g = rng.normal(size=variant.shape)
    of_a, of_b = (vjp(np.maximum, [a, b], i, g) for i in (0, 1))
    for other, function, wanted, inputs in [
        (of_b, student.maximum_vjp_a, of_a, (g, a, b)),
        (of_a, student.maximum_vjp_b, of_b, (g, a, b)),
    ]:
        close(
            function(*inputs),
            wanted,
            g=g,
            a=a,
            b=b,
            slips={
                "This is the gradient of the other input, or of the minimum.": other,
                "This is the local derivative alone. The chain rule says what a change of y is worth: g.": wanted
                / g,
                "Everything passes: where this input is the smaller one, y does not notice it.": g,
            },
        )


# %% nbgrader={"grade": true, "grade_id": "maximum-ties", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="Where a and b are equal, the two gradients are g/2 each: together they are g, no more and no less."
)
def maximum_ties(student, rng):
    """Where both are equal each gets half."""
    a = rng.integers(0, 3, (3, 4)).astype(float)
    b = rng.integers(0, 3, (3, 4)).astype(float)
    a[0, 0] = b[0, 0]
    g = rng.normal(size=(3, 4))
    close(student.maximum_vjp_a(g, a, b), g * np.where(a == b, 0.5, a > b), g=g, a=a, b=b)
    close(student.maximum_vjp_b(g, a, b), g * np.where(a == b, 0.5, b > a), g=g, a=a, b=b)


### END HIDDEN TESTS

# %% [markdown]
# ## 9. sum
#
# $y = \sum_i a_i$ over all the entries: $y$ and $g$ are single numbers, and `a_shape` is the shape of $a$.


# %% nbgrader={"grade": false, "grade_id": "sum", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sum_vjp(g, a_shape):
    """Return dL/da, of shape a_shape, for y = the sum of all entries of a."""
    ### BEGIN SOLUTION
    return np.broadcast_to(g, a_shape)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "sum-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def sum_numbers(student, rng):
    """By how much does y grow when one entry of a grows by 1? Is that the same for all entries?"""
    a, g = rng.normal(size=variant.shape), np.array(rng.uniform(1, 2))
    wanted = vjp(np.sum, [a], 0, g)
    close(
        student.sum_vjp(g, variant.shape),
        wanted,
        g=g,
        a_shape=variant.shape,
        slips={
            "This is the mean's gradient: in a sum no entry is divided by their number.": wanted / a.size,
            "As many times too much as there are entries: a unit more of one is a unit more of y.": wanted
            * a.size,
            "The shape is that of y. Every entry of a has a gradient.": g,
            "This is the local derivative alone. The chain rule says what a change of y is worth: g.": wanted
            / g,
        },
    )


# %% nbgrader={"grade": true, "grade_id": "sum-engine", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="The sum may be of any shape, also of none and of no entries, and what follows it has a slope of its own."
)
def sum_engine(student, rng):
    """The gradient has the shape of a, whatever that is."""

    def program(a):
        a = mg.Tensor(a, requires_grad=True)
        (3 * np.exp(a.sum())).backward()
        return a.grad.numpy()

    for shape in [(4,), (2, 1, 3), (), (0, 2)]:
        a = rng.normal(size=shape)
        got = student.run(program, a, install=[rule("sum", 0, student.sum_vjp, "g a_shape")])
        close(got, program(a), a=a)


### END HIDDEN TESTS


# %% [markdown]
# ## 10. matmul
#
# $Y = A B$ for two matrices: $Y_{ij} = \sum_k A_{ik} B_{kj}$. Which entries of $Y$ does $A_{ik}$ reach, and by what factor? If you
# are lost, the shapes help: $g$ is shaped like $Y$, and the result like $A$ (or like $B$).


# %% nbgrader={"grade": false, "grade_id": "matmul", "locked": false, "schema_version": 3, "solution": true, "task": false}
def matmul_vjp_a(g, b):
    """Return dL/da for y = a @ b, both matrices."""
    ### BEGIN SOLUTION
    return g @ b.T
    ### END SOLUTION


def matmul_vjp_b(g, a):
    """Return dL/db for y = a @ b, both matrices."""
    ### BEGIN SOLUTION
    return a.T @ g
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "matmul-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def matmul_numbers(student, rng):
    """Write out one entry: A[0, 1] reaches all of row 0 of Y, each by another factor. Then let the shapes check you."""
    rows, columns = variant.shape
    a, b, g = (rng.normal(size=shape) for shape in [(rows, columns), (columns, 5), (rows, 5)])
    of_a, of_b = (vjp(np.matmul, [a, b], i, g) for i in (0, 1))
    transposed = "The shape is that of the input transposed: the factors are in the wrong order."
    close(
        student.matmul_vjp_a(g, b),
        of_a,
        g=g,
        b=b,
        slips={transposed: of_a.T, "The sign is turned.": -of_a},
    )
    close(
        student.matmul_vjp_b(g, a),
        of_b,
        g=g,
        a=a,
        slips={transposed: of_b.T, "The sign is turned.": -of_b},
    )


# %% nbgrader={"grade": true, "grade_id": "matmul-square", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="With square matrices the shapes fit also where a transpose is missing; the numbers do not.")
def matmul_square(student, rng):
    """Square matrices: the shapes forgive a missing transpose, the numbers do not."""

    def program(a, b):
        a, b = mg.Tensor(a, requires_grad=True), mg.Tensor(b, requires_grad=True)
        np.square(a @ b @ a).sum().backward()
        return a.grad.numpy(), b.grad.numpy()

    a, b = rng.normal(size=(2, 3, 3))
    theirs = [
        rule("matmul", 0, student.matmul_vjp_a, "g b"),
        rule("matmul", 1, student.matmul_vjp_b, "g a"),
    ]
    got = student.run(program, a, b, install=theirs)
    for mine, wanted in zip(got, program(a, b), strict=True):
        close(mine, wanted, a=a, b=b)


### END HIDDEN TESTS


# %% [markdown]
# ## What you have now
#
# These ten, and the chain rule that the walk applies, are enough for a network and its training. Compare yours with
# `minigrad/ops/elementwise.py`: each is one line there too.
