# %% [markdown]
# # Assignment 5: softmax and cross-entropy that do not overflow
#
# A network gives one number for each class, the logits $z$. Softmax makes probabilities of them, and cross-entropy is how surprised they
# are by the right class $c$:
#
# $$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad L = -\ln p_c = \ln \sum_j e^{z_j} - z_c.$$
#
# As they stand, the formulas fail: $e^{710}$ is more than a float64 can hold, and $e^{-750}$ is 0, whose logarithm is $-\infty$. But they do not
# change when the same number is taken from all $z_k$ (try it on paper), so take the largest: then no power exceeds 1, and one of them *is* 1.
# Tutorial 6 shows the crash; here you write what does not crash.
#
# `z` has one sample in each row and one class in each column. Write into nothing that you are given.
# Numbers come in float64; the dtype of what you return does not matter, as long as the digits are there.

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import math
from decimal import Decimal, localcontext

import numpy as np

import minigrad as mg
from minigrad.course import close, holds, rule, same, test, vjp


def surprise(z, c):
    """-ln of the softmax of one sample at class c, from the definition, in decimals of 40 digits and without limits."""
    with localcontext(prec=40):
        powers = [Decimal(float(v)).exp() for v in z]
        return float(-(powers[c] / sum(powers)).ln())


# %% [markdown]
# ## 1. Softmax


# %% nbgrader={"grade": false, "grade_id": "softmax", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax(z):
    """Return softmax over the last axis of z, of any number of axes: positive, each row with sum 1."""
    ### BEGIN SOLUTION
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "softmax-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def softmax_numbers(student, rng):
    """Add up each row of what you return: what should come out? And which of its entries should be the largest?"""
    z = np.round(rng.normal(size=(2, 2)), 1)
    z[0, 0] = z[0, 1] + 0.7
    wanted = np.array([[math.exp(-surprise(row, k)) for k in range(2)] for row in z])
    ### BEGIN HIDDEN TESTS
    shifted = np.exp(z - z.max(axis=1, keepdims=True))
    ### END HIDDEN TESTS
    close(
        student.softmax(z),
        wanted,
        z=z,
        slips={
            "The columns lie where the rows belong.": wanted.T,
            "This is the logarithm of the probabilities.": np.log(wanted),
            ### BEGIN HIDDEN TESTS
            "Divided by the sum over all samples. Each row is a distribution of its own.": np.exp(z)
            / np.exp(z).sum(),
            "Divided by the sum over all samples, each row less its largest. Each row is a distribution of its own.": shifted
            / shifted.sum(),
            "Divided by the sums of the columns. A sample is a row: axis=-1.": np.exp(z)
            / np.exp(z).sum(axis=0),
            "Divided by the sums of the columns, each row less its largest. A sample is a row.": shifted
            / shifted.sum(axis=0),
            "The powers alone: they have yet to be divided by their sum.": np.exp(z),
            "The powers of the shifted logits alone: they have yet to be divided by their sum.": shifted,
            "Divided by the mean of the row instead of its sum.": 2 * wanted,
            "These are z over the sum of z: the powers are missing.": z / z.sum(axis=1, keepdims=True),
            "e^-z instead of e^z: the largest logit has the largest probability.": 1 - wanted,
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "softmax-large", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def softmax_large(student, rng):
    """Without a computer: what are the probabilities of [1000, 1000], and of [0, -2000]?"""
    z = np.array([[1000.0, 1000.0], [0.0, -2000.0]])
    got = student.softmax(z)
    first, second = (
        np.isnan(np.asarray(got, dtype=float)).any(axis=1) if np.shape(got) == (2, 2) else (False, False)
    )
    holds(
        not first,
        "A NaN in the first row: e^1000 is inf in float64, and inf / inf is no number.",
        got=got,
        z=z,
    )
    low = "A NaN in the second row alone: all its powers are 0, and 0 / 0 is no number. What was taken away from it?"
    holds(not second, low, got=got, z=z)
    close(got, [[0.5, 0.5], [1.0, 0.0]], z=z)


# %% nbgrader={"grade": true, "grade_id": "softmax-far-apart", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="Rows at +5000, at -5000 and at 0 in one batch: each must come out as it would alone, and at 0.")
def softmax_far_apart(student, rng):
    """One row at +5000 and one at -5000: the largest of the batch would push the other row under the floor."""
    small = rng.normal(size=(3, 4))
    z = small + np.array([[5000.0], [-5000.0], [0.0]])
    exact = np.array([[math.exp(-surprise(row, k)) for k in range(4)] for row in z])
    got = np.asarray(student.softmax(z))
    close(got[2:], exact[2:], z=z[2:], advice="")
    close(got, exact, z=z)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "softmax-shapes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="A single row of shape (classes,), three axes, one class, no samples.")
def softmax_shapes(student, rng):
    """Over the last axis, whatever stands before it."""

    def program(f, z):
        return f(z), z

    for shape in [(2, 3), (3, 3), (3,), (2, 3, 4), (4, 1), (0, 3)]:
        z = rng.normal(size=shape)
        got, kept = student.run(program, student.softmax, z)
        same(kept, z, advice="Your function has written into the array that it was given.")
        wanted = [[math.exp(-surprise(row, k)) for k in range(shape[-1])] for row in z.reshape(-1, shape[-1])]
        advice = "" if shape in [(2, 3), (3, 3)] else None
        close(got, np.reshape(wanted, shape), z=z, rtol=1e-11, atol=1e-11, advice=advice)


### END HIDDEN TESTS


# %% [markdown]
# ## 2. The loss
#
# The mean over the batch: $L = \frac1n \sum_s L_s$. The second form above needs no $p$ at all, which is what saves it: never take the logarithm of a
# probability that may have become 0.


# %% nbgrader={"grade": false, "grade_id": "loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cross_entropy(z, labels):
    """Return the mean of -ln softmax(z)[label] over the samples, a single number: z (n, classes), labels (n,) of ids from 0."""
    ### BEGIN SOLUTION
    shifted = z - z.max(axis=1, keepdims=True)
    chosen = shifted[np.arange(len(z)), labels]
    return np.mean(np.log(np.exp(shifted).sum(axis=1)) - chosen)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "loss-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def loss_numbers(student, rng):
    """Work it out for one sample, from the second form above. Then: what is the loss of a batch of three?"""
    z, labels = np.round(rng.normal(size=(3, 2)), 1), np.array([1, 0, 1])
    each = np.array([surprise(row, c) for row, c in zip(z, labels, strict=True)])
    others = np.array([surprise(row, 1 - c) for row, c in zip(z, labels, strict=True)])
    close(
        student.cross_entropy(z, labels),
        sum(each) / 3,
        z=z,
        labels=labels,
        slips={
            "This is the sum over the samples. The 1/n is missing.": sum(each),
            "Divided by the number of entries. n is the number of samples.": sum(each) / 6,
            "The sign: surprise is not negative.": -sum(each) / 3,
            "These are the losses of the samples. Their mean is wanted.": each,
            "This is the loss of the other class: labels count from 0.": sum(others) / 3,
            "This is in bits; ln is the natural logarithm.": sum(each) / 3 / math.log(2),
            "This is the probability of the right class, and not yet its surprise.": np.mean(np.exp(-each)),
            ### BEGIN HIDDEN TESTS
            "This is the surprise of the mean probability. The mean is taken of the surprises.": -math.log(
                np.mean(np.exp(-each))
            ),
            "softmax has been taken of a softmax: the formula is about the logits.": np.mean(
                [
                    surprise(np.exp(-np.array([surprise(r, k) for k in (0, 1)])), c)
                    for r, c in zip(z, labels, strict=True)
                ]
            ),
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "loss-extreme", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="Logits of ±1e4, where the right class has no chance: the loss is large there, and finite.")
def loss_extreme(student, rng):
    """Where p has become 0 the loss is still the difference of two logits."""
    labels = np.array([0, 1])
    for gap in (0.0, 40.0, 800.0, 1e4):
        for height in (0.0, -1e4, 800.0, 1e5):
            z = height + np.array([[0.0, gap, -gap / 2], [gap, 0.0, gap]])
            wanted = sum(surprise(row, c) for row, c in zip(z, labels, strict=True)) / 2
            advice = "" if gap == height == 0 else None
            close(student.cross_entropy(z, labels), wanted, z=z, labels=labels, advice=advice)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "loss-sure", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="A sample that the network is almost sure of, and right about: its loss is tiny, and it is not negative."
)
def loss_sure(student, rng):
    """With a lead of ten the loss is 4.5e-5 for each other class, to six digits, and a constant in all logits changes nothing."""
    z = np.array([[10.0, 0.0, 0.0]])
    for constant in (0.0, -7.0, 300.0):
        wanted = math.log1p(2 * math.exp(-10))
        close(
            student.cross_entropy(z + constant, np.array([0])), wanted, rtol=1e-6, atol=1e-12, z=z + constant
        )


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "loss-safe", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test
def loss_safe(student, rng):
    """A square batch, and nothing changed in it."""

    def program(f, z, labels):
        return f(z, labels), z, labels

    z, labels = rng.normal(size=(4, 4)) * 3, rng.integers(0, 4, 4)
    got, *kept = student.run(program, student.cross_entropy, z, labels)
    same(kept, [z, labels], advice="Your function has written into an array that it was given.")
    close(
        got,
        sum(surprise(row, c) for row, c in zip(z, labels, strict=True)) / 4,
        rtol=1e-11,
        z=z,
        labels=labels,
        advice="As many samples as classes there: a sum over the wrong axis has the right shape.",
    )


### END HIDDEN TESTS


# %% [markdown]
# ## 3. Its gradient
#
# The reward for putting the two together: the gradient is the simplest in the book, and you find it with pencil and paper from
# $L = \ln \sum_j e^{z_j} - z_c$. This one is a rule of the engine, for the losses of the samples, not yet their mean: `g[s]` is what the
# loss of sample $s$ is worth ($1/n$ each where the mean is taken).


# %% nbgrader={"grade": false, "grade_id": "gradient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cross_entropy_vjp(g, logits, labels):
    """Return dL/dlogits of shape (n, classes), for the gradient g (n,) of the samples' losses."""
    ### BEGIN SOLUTION
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    difference = powers / powers.sum(axis=1, keepdims=True)
    difference[np.arange(len(labels)), labels] -= 1
    return g[:, None] * difference
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "gradient-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def gradient_numbers(student, rng):
    """Derive it for one sample of two classes. Compare your result with softmax of the row: where do the two differ?"""
    z, labels, g = np.round(rng.normal(size=(2, 3)), 1), np.array([2, 0]), rng.integers(1, 5, 2).astype(float)
    wanted = vjp(lambda z: [surprise(row, c) for row, c in zip(z, labels, strict=True)], [z], 0, g)
    more = {}
    ### BEGIN HIDDEN TESTS
    p = np.array([[math.exp(-surprise(row, k)) for k in range(3)] for row in z])
    one_hot = np.eye(3)[labels]
    more = {
        "This is softmax alone. At the label, 1 is subtracted.": g[:, None] * p,
        "At the label stands -1; p is there still, and 1 is subtracted from it.": g[:, None]
        * np.where(one_hot, -1, p),
        "One is subtracted in every class; only the label has it.": g[:, None] * (p - 1),
        "1 is added at the label. It is subtracted.": g[:, None] * (p + one_hot),
        "Only the label's entry is there: the other classes have a gradient too.": wanted * one_hot,
    }
    ### END HIDDEN TESTS
    close(
        student.cross_entropy_vjp(g, z, labels),
        wanted,
        g=g,
        logits=z,
        labels=labels,
        slips={
            "The sign is turned.": -wanted,
            "g is missing: what is each sample's loss worth?": (wanted.T / g).T,
            "A 1/n too many: where the mean is taken, it stands in g already.": wanted / 2,
            **more,
        },
    )


# %% nbgrader={"grade": true, "grade_id": "gradient-extreme", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="Logits of ±1e4: the gradient is p - 1, p or 0 there, and never NaN.")
def gradient_extreme(student, rng):
    """At extreme logits p is 0 or 1, and the gradient says so."""
    z = np.array([[1e4, 0.0, -1e4], [-1e4, -1e4, -1e4], [800.0, 800.0, 0.0]])
    labels, g = np.array([2, 1, 0]), np.array([1.0, 3.0, 2.0])
    wanted = np.array([[1.0, 0.0, -1.0], [1.0, -2.0, 1.0], [-1.0, 1.0, 0.0]])
    got = student.cross_entropy_vjp(g, z, labels)
    finite = np.all(np.isfinite(got))
    close(got, wanted, g=g, logits=z, labels=labels, advice="" if finite else None)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "gradient-rows", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test
def gradient_rows(student, rng):
    """A square batch with repeated labels, against differences of the definition."""

    def program(f, g, logits, labels):
        return f(g, logits, labels), g, logits, labels

    z, labels, g = rng.normal(size=(4, 4)), np.array([1, 1, 3, 1]), rng.normal(size=4)
    got, *kept = student.run(program, student.cross_entropy_vjp, g, z, labels)
    same(kept, [g, z, labels], advice="Your function has written into an array that it was given.")
    wanted = vjp(lambda z: [surprise(row, c) for row, c in zip(z, labels, strict=True)], [z], 0, g)
    close(got, wanted, advice="As many samples as classes there, and several samples with one label.")
    close(np.sum(got, axis=1), np.zeros(4), atol=1e-12, advice="Each row of the gradient adds up to 0.")


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "gradient-engine", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="In the engine, as the rule of its cross-entropy, behind a layer; the mean puts 1/n into g.")
def gradient_engine(student, rng):
    """In the engine's table, the mean being taken behind it."""

    def program(x, w, labels):
        w = mg.Tensor(w, requires_grad=True)
        mg.ops.softmax_cross_entropy(mg.Tensor(x) @ w, labels).mean().backward()
        return w.grad.numpy()

    x, w, labels = rng.normal(size=(5, 3)), rng.normal(size=(3, 4)), rng.integers(0, 4, 5)
    installed = [rule("softmax_cross_entropy", 0, student.cross_entropy_vjp, "g logits labels")]
    close(student.run(program, x, w, labels, install=installed), program(x, w, labels))


### END HIDDEN TESTS


# %% [markdown]
# ## 4. Two classes
#
# With two classes one logit $z$ is enough: $p = \sigma(z) = 1 / (1 + e^{-z})$ is the probability of "yes". For a target $y$ of 1 or 0 (or anything
# between),
#
# $$L = -y \ln \sigma(z) - (1 - y) \ln (1 - \sigma(z)).$$
#
# Find the form of it that is safe for all $z$; one power of $e^{-|z|}$, which is never above 1, is enough. Both functions are in one cell, and the
# gradient is compared with differences of the loss, yours or the right one.


# %% nbgrader={"grade": false, "grade_id": "binary", "locked": false, "schema_version": 3, "solution": true, "task": false}
def binary_cross_entropy(z, y):
    """Return the loss of each entry, for logits z and targets y of one shape."""
    ### BEGIN SOLUTION
    return np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    ### END SOLUTION


def binary_cross_entropy_vjp(g, z, y):
    """Return dL/dz, for the gradient g of the losses, all of one shape."""
    ### BEGIN SOLUTION
    power = np.exp(-np.abs(z))
    sigmoid = np.where(z >= 0, 1, power) / (1 + power)
    return g * (sigmoid - y)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "binary-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def binary_numbers(student, rng):
    """The formula above, for one entry with y = 1 and for one with y = 0: each time one of its two terms is left."""
    z, y = np.round(rng.normal(size=4), 1), np.array([1.0, 0.0, 1.0, 0.5])
    z[1] = 0.8
    yes, no = (np.array([surprise([v, 0.0], k) for v in z]) for k in (0, 1))
    wanted = y * yes + (1 - y) * no
    close(
        student.binary_cross_entropy(z, y),
        wanted,
        z=z,
        y=y,
        slips={
            "Half of it: the entries with y = 0 have a loss as well.": y * yes,
            "Half of it: the entries with y = 1 have a loss as well.": (1 - y) * no,
            "The targets are turned round: y = 1 means yes.": (1 - y) * yes + y * no,
            "The sign: surprise is not negative.": -wanted,
            "This is the mean; the loss of each entry is wanted.": np.mean(wanted),
            "This is the sum; the loss of each entry is wanted.": np.sum(wanted),
        },
    )


# %% nbgrader={"grade": true, "grade_id": "binary-gradient", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def binary_gradient(student, rng):
    """Derive it from the loss, for y = 1 and for y = 0. What do the two results have in common?"""
    z, y, g = np.round(rng.normal(size=3), 1), np.array([1.0, 0.0, 0.5]), rng.integers(1, 5, 3) + 0.5
    slope = vjp(
        lambda z: [
            y[i] * surprise([v, 0.0], 0) + (1 - y[i]) * surprise([v, 0.0], 1) for i, v in enumerate(z)
        ],
        [z],
        0,
        np.ones(3),
    )

    def by_their_loss():
        theirs = student.perhaps(vjp, student.binary_cross_entropy, [z, y], 0, np.ones(3))
        return [g * theirs] if np.ptp(theirs) > 1e-6 else []

    more = {}
    ### BEGIN HIDDEN TESTS
    p = 1 / (1 + np.exp(-z))
    more = {
        "The slope of the sigmoid has stayed in it; in the loss it cancels.": g * slope * p * (1 - p),
        "This is σ(z) alone: the target is missing.": g * p,
    }
    ### END HIDDEN TESTS
    close(
        student.binary_cross_entropy_vjp(g, z, y),
        g * slope,
        also=by_their_loss,
        g=g,
        z=z,
        y=y,
        slips={
            "The sign is turned.": -g * slope,
            "g is missing.": slope,
            "A 1/n too many: where a mean is taken, it stands in g already.": g * slope / 3,
            **more,
        },
    )


# %% nbgrader={"grade": true, "grade_id": "binary-extreme", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="z of ±1e4: right and sure costs nothing, wrong and sure costs |z|. Neither is infinite, and neither is NaN."
)
def binary_extreme(student, rng):
    """From 0 to 10,000, without a NaN."""
    z = np.array([1e4, 1e4, -1e4, -1e4, 40.0, -40.0, 40.0])
    y = np.array([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0])
    tiny = math.log1p(math.exp(-40))
    wanted = [0.0, 1e4, 1e4, 0.0, tiny, tiny, 40.0]
    close(student.binary_cross_entropy(z, y), wanted, z=z, y=y)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "binary-gradient-extreme", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="The gradient at z of ±1e4 and ±40, and at exactly 0.")
def binary_gradient_extreme(student, rng):
    """σ(z) - y, with a σ that does not overflow."""
    z, y = np.array([1e4, -1e4, 0.0, -1e4, 40.0, -40.0]), np.array([0.0, 1.0, 0.5, 0.0, 0.0, 0.0])
    tiny = math.exp(-40) / (1 + math.exp(-40))
    got = student.binary_cross_entropy_vjp(np.full(6, 2.0), z, y)
    close(got, [2.0, -2.0, 0.0, 0.0, 2 * (1 - tiny), 2 * tiny], z=z, y=y)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "binary-safe", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="Matrices as well as rows, and targets between 0 and 1.")
def binary_safe(student, rng):
    """Entry by entry, in any shape."""

    def program(f, d, g, z, y):
        return f(z, y), d(g, z, y), g, z, y

    g, z, y = rng.normal(size=(2, 3)), 3 * rng.normal(size=(2, 3)), rng.random((2, 3))
    functions = student.binary_cross_entropy, student.binary_cross_entropy_vjp
    loss, d, *kept = student.run(program, *functions, g, z, y)
    same(kept, [g, z, y], advice="Your function has written into an array that it was given.")
    p = 1 / (1 + np.exp(-z))
    close(loss, -y * np.log(p) - (1 - y) * np.log(1 - p), rtol=1e-10)
    close(d, g * (p - y), rtol=1e-10)


### END HIDDEN TESTS


# %% [markdown]
# ## What you have now
#
# The last thing that a classifier needs before it can learn. The engine's is one kernel for both ways, `kernels/minigrad_kernels/softmax_xent.py`, and it
# does what you did: take out the largest, and never form a logarithm of 0.
