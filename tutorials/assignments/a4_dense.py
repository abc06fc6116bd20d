# %% [markdown]
# # Assignment 4: a dense layer
#
# $$y = x W^\top + b$$
#
# A sample $x$ has `in` numbers, the layer has `out` units, $W$ of shape (out, in) holds one row of weights for each unit, $b$ of shape
# (out,) one number for each. A batch is a matrix of samples, one in each row; more axes in front are only more samples. Entry by entry:
#
# $$y_{so} = \sum_i x_{si} W_{oi} + b_o$$
#
# For the backward pass, look at that line and ask of each input where it was used. $x_{si}$ is used for all units of its own sample;
# $W_{oi}$ for all samples, in unit $o$ alone; $b_o$ for all samples. Sum over where it was used (tutorial 4), and let the shapes check you: a gradient
# has the shape of its input.
#
# Write into nothing that you are given.
# Numbers come in float64; the dtype of what you return does not matter, as long as the digits are there.

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

import minigrad as mg
from minigrad.course import close, forward, holds, rule, same, test, varied, vjp

variant = varied(units=[2, 3, 4], inputs=[3, 2, 4, 5], hidden=[4, 3, 5, 6], out=[4, 3, 5, 6])


def layer(x, w, b):
    """The layer as in the formula, in two dimensions: what your gradients are compared with, by differences."""
    return (
        np.array([[sum(xi * wi for xi, wi in zip(sample, unit, strict=True)) for unit in w] for sample in x])
        + b
    )


def two_layers(x, w1, b1, w2, b2):
    """The formulas of question 5, in two dimensions."""
    return layer(np.maximum(layer(x, w1, b1), 0), w2, b2)


def by_their_rules(student, g, given, got, wanted):
    """What two layers' gradients may be, for w1, b1, w2 and b2, by the student's rules of questions 2 to 4, right or not.

    Differences give everything else. What these questions have judged is not judged again where two of the four are right.
    """
    right = [
        np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-6) for a, b in zip(got, wanted, strict=True)
    ]
    if sum(right) < 2:
        return [[]] * 4
    x, w1, b1, w2, b2 = given
    samples = [([x[s : s + 1], *given[1:]], g[s : s + 1]) for s in range(len(x))]
    h = np.array([vjp(two_layers, sample, 3, np.eye(1, len(w2)))[0] for sample, _ in samples])
    arrived = np.array([vjp(two_layers, sample, 2, of_y) for sample, of_y in samples])
    ways = [arrived]
    if (theirs := student.perhaps(student.dense_vjp_x, g, w2)) is not None:
        ways.append(arrived * theirs / vjp(layer, [h, w2, b2], 0, g))
    of_w, of_b = student.dense_vjp_w, student.dense_vjp_b
    return [
        [way for d in ways for way in (vjp(layer, [x, w1, b1], 1, d), student.perhaps(of_w, d, x))],
        [way for d in ways for way in (vjp(layer, [x, w1, b1], 2, d), student.perhaps(of_b, d))],
        [student.perhaps(of_w, g, h)],
        [student.perhaps(of_b, g)],
    ]


def shapes(n, inputs, hidden, out):
    """Of x, w1, b1, w2 and b2, for n samples and a network of two layers."""
    return [(n, inputs), (hidden, inputs), (hidden,), (out, hidden), (out,)]


# %% [markdown]
# ## 1. Forward


# %% nbgrader={"grade": false, "grade_id": "dense", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dense(x, w, b=None):
    """Return y = x·wᵀ + b of shape (..., out), for x (..., in), w (out, in), b (out,) or None for no bias."""
    ### BEGIN SOLUTION
    y = x @ w.T
    return y if b is None else y + b
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "dense-batch", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def dense_batch(student, rng):
    """Work out one entry with pencil and paper: sample 0, unit 0. Which row of w is that unit's, and which entry of b?"""
    shape = (variant.units, variant.inputs)
    x, w, b = rng.integers(-3, 4, shape), rng.integers(-3, 4, shape), rng.integers(1, 9, variant.units)
    x, w, b = (each.astype(float) for each in (x, w, b))
    b[1] += 9
    wanted = layer(x, w, b)
    close(
        student.dense(x, w, b),
        wanted,
        x=x,
        w=w,
        b=b,
        slips={
            "The bias is missing.": layer(x, w, 0),
            "The bias went to samples instead of units.": layer(x, w, 0) + b[:, None],
            "The bias was subtracted.": layer(x, w, -b),
            "The result lies on its side: a sample is a row, a unit a column.": wanted.T,
        },
    )


# %% nbgrader={"grade": true, "grade_id": "dense-shapes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="A single sample of shape (in,), no bias, a batch of no samples, more axes in front.")
def dense_shapes(student, rng):
    """Only the last axis is the layer's."""
    w, b = rng.normal(size=(variant.out, variant.inputs)), rng.normal(size=variant.out)
    tried = {
        (5,): None,
        (1,): None,
        (2, 5): "More axes in front are only more samples.",
        (2, 1, 3): "More axes in front are only more samples.",
        (): "A single sample, of shape (in,), gives (out,).",
        (0,): "A batch of no samples gives no rows.",
    }
    for bias in (b, None):
        for front, advice in tried.items():
            x = rng.normal(size=(*front, variant.inputs))
            flat = x.reshape(-1, variant.inputs)
            rows = layer(flat, w, 0 if bias is None else bias) if flat.size else np.zeros(0)
            wanted = rows.reshape(*front, variant.out)
            got = student.dense(x, w, bias)
            close(got, wanted, rtol=1e-11, atol=1e-11, x=x, w=w, b=bias, advice=advice)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "dense-safe", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="Your function has written into an array that it was given.")
def dense_safe(student, rng):
    """Nothing that came in has changed."""

    def program(f, x, w, b):
        f(x, w, b)
        return x, w, b

    given = [rng.normal(size=shape) for shape in [(5, 3), (4, 3), (4,)]]
    same(list(student.run(program, student.dense, *given)), given)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "dense-engine", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="Your layer takes the place of the engine's in a network of two layers, one of them square: there w fits too where wᵀ belongs."
)
def dense_engine(student, rng):
    """In the engine, as what `linear` computes."""

    def program(x, w, b, v, c):
        h = np.tanh(mg.ops.linear(mg.Tensor(x), mg.Tensor(w), mg.Tensor(b)))
        return mg.ops.linear(h, mg.Tensor(v), mg.Tensor(c)).numpy()

    given = [rng.normal(size=shape) for shape in [(5, 3), (4, 3), (4,), (4, 4), (4,)]]
    got = student.run(program, *given, install=[forward("linear", student.dense)])
    close(got, program(*given), rtol=1e-10, atol=1e-10)


### END HIDDEN TESTS

# %% [markdown]
# ## 2. Back to the input
#
# $x_{si}$ went into every unit of sample $s$, with the weight $W_{oi}$ each.


# %% nbgrader={"grade": false, "grade_id": "input", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dense_vjp_x(g, w):
    """Return dL/dx of shape (..., in), for g = dL/dy of shape (..., out)."""
    ### BEGIN SOLUTION
    return g @ w
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "input-batch", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def input_batch(student, rng):
    """Write out the sum for x[0, 0]: through which units did it go, with which weight each? Then look for the product."""
    x, w, g = (rng.normal(size=(variant.units, k)) for k in (variant.inputs, variant.inputs, variant.units))
    wanted = vjp(layer, [x, w, 0.0], 0, g)
    close(
        student.dense_vjp_x(g, w),
        wanted,
        g=g,
        w=w,
        slips={
            "The result lies on its side: dL/dx has a row for each sample.": wanted.T,
            "The mean over the units. x went into all of them, and each counts in full.": wanted
            / variant.units,
            "The sign is turned.": -wanted,
            ### BEGIN HIDDEN TESTS
            "The indices do not meet: the sum runs over the units o, so g[s, o] needs w[o, i], with w as it lies.": g.T
            @ w,
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "input-square", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="Where in and out are equal, w and wᵀ both fit; only one of them is right.")
def input_square(student, rng):
    """A square layer does not forgive a transposed weight."""
    x, w, g = rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    close(student.dense_vjp_x(g, w), vjp(layer, [x, w, 0.0], 0, g), g=g, w=w)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "input-engine", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="In the engine, on batches with more axes, and with an x that is used in two places.")
def input_engine(student, rng):
    """As the engine's rule for x, x being used by two layers."""

    def program(x, w, v):
        x = mg.Tensor(x, requires_grad=True)
        y = mg.ops.linear(x, mg.Tensor(w)) * mg.ops.linear(x, mg.Tensor(v))
        np.tanh(y).sum().backward()
        return x.grad.numpy()

    given = [rng.normal(size=shape) for shape in [(2, 4, 3), (5, 3), (5, 3)]]
    installed = [rule("linear", 0, student.dense_vjp_x, "g w")]
    close(student.run(program, *given, install=installed), program(*given))


### END HIDDEN TESTS


# %% [markdown]
# ## 3. Back to the weights
#
# $W_{oi}$ was used once for every sample, there with $x_{si}$.


# %% nbgrader={"grade": false, "grade_id": "weight", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dense_vjp_w(g, x):
    """Return dL/dw of shape (out, in), for g (..., out) and x (..., in), summed over all samples."""
    ### BEGIN SOLUTION
    return g.reshape(-1, g.shape[-1]).T @ x.reshape(-1, x.shape[-1])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "weight-batch", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def weight_batch(student, rng):
    """Write out the sum for w[0, 0]: where was it used, and with which entry of x each time? The result has w's shape."""
    x, w, g = (rng.normal(size=(k, variant.units)) for k in (variant.inputs, variant.units, variant.inputs))
    wanted = vjp(layer, [x, w, 0.0], 1, g)
    close(
        student.dense_vjp_w(g, x),
        wanted,
        g=g,
        x=x,
        slips={
            "Transposed: this is of shape (in, out). w is (out, in).": wanted.T,
            "The mean over the samples. The rule sums; a 1/n comes with the loss, in g, where there is one.": wanted
            / len(x),
            "The sign is turned.": -wanted,
            ### BEGIN HIDDEN TESTS
            "The last sample alone. All of them used w.": np.outer(g[-1], x[-1]),
            "The first sample alone. All of them used w.": np.outer(g[0], x[0]),
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "weight-shapes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="One sample of shape (in,), no samples at all, and batches with more axes.")
def weight_shapes(student, rng):
    """However many axes the samples come in, dL/dw is (out, in)."""
    tried = {
        (5,): None,
        (1,): None,
        (2, 2): "More axes in front are only more samples.",
        (2, 1, 3): "More axes in front are only more samples.",
        (): "A single sample, x of shape (in,) and g of shape (out,).",
        (0,): "A batch of no samples: nobody has used w.",
    }
    for front, advice in tried.items():
        x, g = rng.normal(size=(*front, variant.inputs)), rng.normal(size=(*front, variant.out))
        wanted = np.zeros((variant.out, variant.inputs))
        for gs, xs in zip(g.reshape(-1, variant.out), x.reshape(-1, variant.inputs), strict=True):
            wanted += np.outer(gs, xs)
        close(student.dense_vjp_w(g, x), wanted, rtol=1e-11, atol=1e-11, g=g, x=x, advice=advice)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "weight-engine", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="In the engine a rule is called twice there, for one w that two layers share; what it gave before must not change."
)
def weight_engine(student, rng):
    """Two layers share a square w, which a transposed gradient would survive in shape only."""

    def program(x, w):
        w = mg.Tensor(w, requires_grad=True)
        mg.ops.linear(np.tanh(mg.ops.linear(mg.Tensor(x), w)), w).sum().backward()
        return w.grad.numpy()

    x, w = rng.normal(size=(5, 3)), rng.normal(size=(3, 3))
    installed = [rule("linear", 1, student.dense_vjp_w, "g x")]
    close(student.run(program, x, w, install=installed), program(x, w))


### END HIDDEN TESTS


# %% [markdown]
# ## 4. Back to the bias
#
# $b_o$ was added once for every sample.


# %% nbgrader={"grade": false, "grade_id": "bias", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dense_vjp_b(g):
    """Return dL/db of shape (out,), for g (..., out)."""
    ### BEGIN SOLUTION
    return g.reshape(-1, g.shape[-1]).sum(axis=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "bias-batch", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def bias_batch(student, rng):
    """A unit more of b[0] is a unit more of which entries of y? And how many numbers remain?"""
    g = rng.normal(size=(variant.units, variant.units))
    wanted = vjp(
        layer, [np.ones((variant.units, 3)), np.ones((variant.units, 3)), np.zeros(variant.units)], 2, g
    )
    close(
        student.dense_vjp_b(g),
        wanted,
        g=g,
        slips={
            "The mean over the samples. The rule sums; a 1/n comes with the loss, in g, where there is one.": wanted
            / variant.units,
            "The right numbers in the wrong shape: b is of shape (out,).": wanted[None],
            "The sign is turned.": -wanted,
            "Nothing has been summed: b is shared by the samples.": g,
            ### BEGIN HIDDEN TESTS
            "Summed over the units. A bias belongs to a unit, and is shared by the samples.": g.sum(axis=1),
            "The first sample alone. All of them used b.": g[0],
            "The last sample alone. All of them used b.": g[-1],
            "Summed over everything. Each unit has a bias of its own.": g.sum(),
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "bias-shapes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="One sample, none, and samples in more than one axis: the shape is (out,) each time.")
def bias_shapes(student, rng):
    """All axes but the last are samples."""

    def program(f, g):
        return f(g), g

    tried = {
        (5,): None,
        (1,): None,
        (3, 4): "All axes but the last are samples.",
        (2, 1, 4): "All axes but the last are samples.",
        (): "A single sample, g of shape (out,).",
        (0,): "A batch of no samples: nobody has used b.",
    }
    for front, advice in tried.items():
        g = rng.normal(size=(*front, variant.out))
        got, kept = student.run(program, student.dense_vjp_b, g)
        same(kept, g, advice="Your function has written into the array that it was given.")
        close(got, sum(g.reshape(-1, variant.out), np.zeros(variant.out)), g=g, advice=advice)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "bias-engine", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="In the engine, with as many samples as units, so that a sum over the wrong axis has the right shape."
)
def bias_engine(student, rng):
    """As the engine's rule for b, batch and units being equal in number."""

    def program(x, w, b):
        b = mg.Tensor(b, requires_grad=True)
        np.tanh(mg.ops.linear(mg.Tensor(x), mg.Tensor(w), b)).sum().backward()
        return b.grad.numpy()

    given = [rng.normal(size=shape) for shape in [(4, 3), (4, 3), (4,)]]
    close(
        student.run(program, *given, install=[rule("linear", 2, student.dense_vjp_b, "g")]), program(*given)
    )


### END HIDDEN TESTS


# %% [markdown]
# ## 5. Two layers, by hand
#
# $$a = x W_1^\top + b_1, \qquad h = \max(a, 0), \qquad y = h W_2^\top + b_2$$
#
# Write the forward and the backward pass of this network, both in this cell. Your gradients are compared with differences of *your own* forward
# pass. Where $a$ is negative the ReLU gave 0 whatever $a$ was, so nothing goes back; at exactly 0 we say: nothing goes back either.


# %% nbgrader={"grade": false, "grade_id": "network", "locked": false, "schema_version": 3, "solution": true, "task": false}
def network(x, w1, b1, w2, b2):
    """Return y of shape (n, out) for x (n, in), w1 (hidden, in), b1 (hidden,), w2 (out, hidden), b2 (out,)."""
    ### BEGIN SOLUTION
    hidden = np.maximum(x @ w1.T + b1, 0)
    return hidden @ w2.T + b2
    ### END SOLUTION


def network_vjp(g, x, w1, b1, w2, b2):
    """Return the tuple (dL/dw1, dL/db1, dL/dw2, dL/db2), for g = dL/dy of shape (n, out)."""
    ### BEGIN SOLUTION
    a = x @ w1.T + b1
    h = np.maximum(a, 0)
    da = (g @ w2) * (a > 0)
    return da.T @ x, da.sum(axis=0), g.T @ h, g.sum(axis=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "network-forward", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def network_forward(student, rng):
    """Follow one sample through the three formulas above. Where does a negative number become 0, and where may it stay?"""
    x, w1, b1, w2, b2 = (np.round(rng.normal(size=shape), 1) for shape in shapes(3, 2, variant.hidden, 2))
    b2 = b2 - 2
    wanted = two_layers(x, w1, b1, w2, b2)

    def by_their_layer():
        hidden = np.asarray(student.perhaps(student.dense, x, w1, b1))
        if hidden.shape != (3, 4) or np.ptp(hidden) == 0:
            return []
        return [student.perhaps(student.dense, np.where(hidden > 0, hidden, 0), w2, b2)]

    close(
        student.network(x, w1, b1, w2, b2),
        wanted,
        also=by_their_layer,
        x=x,
        w1=w1,
        b1=b1,
        w2=w2,
        b2=b2,
        slips={
            "There is no ReLU in it.": layer(layer(x, w1, b1), w2, b2),
            ### BEGIN HIDDEN TESTS
            "There is a ReLU behind the second layer too.": np.maximum(wanted, 0),
            ### END HIDDEN TESTS
            "The first layer's bias is missing.": layer(np.maximum(layer(x, w1, 0), 0), w2, b2),
            "The second layer's bias is missing.": wanted - b2,
        },
    )


# %% nbgrader={"grade": true, "grade_id": "network-gradients", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def network_gradients(student, rng):
    """Go from the back to the front, one line of the formulas at a time, and write down the shape of what you have."""
    given = [rng.normal(size=shape) for shape in shapes(2, 2, variant.hidden, 2)]
    g = rng.normal(size=(2, 2))
    got = student.network_vjp(g, *given)
    holds(len(got) == 4, "Four gradients are wanted: w1, b1, w2, b2.", expected="4 arrays", got=got)
    inputs = dict(zip(["g", "x", "w1", "b1", "w2", "b2"], [g, *given], strict=True))
    wanted = [vjp(two_layers, given, k, g) for k in range(1, 5)]

    def also(k):
        own = student.perhaps(vjp, student.network, given, k + 1, g)
        return [*by_their_rules(student, g, given, got, wanted)[k], own]

    more = {}
    ### BEGIN HIDDEN TESTS
    x, w1, b1, w2, _ = given
    through, a = g @ w2, layer(x, w1, b1)
    no_relu = "The ReLU is missing on the way back: where a was negative, nothing goes through."
    more["w1"] = {
        no_relu: through.T @ x,
        "At h's gradient is looked, not at a.": (through * (through > 0)).T @ x,
    }
    more["b1"] = {no_relu: through.sum(axis=0)}
    more["w2"] = {"It was h, behind the ReLU, that met w2, and not a.": g.T @ a}
    ### END HIDDEN TESTS
    for name, k in [("w2", 2), ("b2", 3), ("w1", 0), ("b1", 1)]:
        close(
            got[k],
            wanted[k],
            also=lambda k=k: also(k),
            hint=f"dL/d{name} is not what differences of the forward pass give.",
            slips={
                f"dL/d{name} has a 1/n too many. The rule sums; a 1/n comes with the loss, in g.": wanted[k]
                / 2,
                f"dL/d{name} lies on its side.": wanted[k].T,
                f"Something else is in the place of dL/d{name}: w1, b1, w2, b2 is the order.": wanted[k - 2],
                f"The sign of dL/d{name} is turned.": -wanted[k],
                **more.get(name, {}),
            },
            **inputs,
        )


# %% nbgrader={"grade": true, "grade_id": "network-dead", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="Units that no sample wakes, and an a of exactly 0: what goes back through them?")
def network_dead(student, rng):
    """A dead unit gets no gradient, and neither does an a of exactly 0: one unit of three is left, of two inputs and two outputs."""
    x, w1, w2, g = (rng.normal(size=shape) for shape in [(4, 2), (3, 2), (2, 3), (4, 2)])
    w1[0], b1, b2 = 0.0, np.array([0.0, -100.0, 100.0]), np.zeros(2)
    dw1, _, dw2, _ = student.network_vjp(g, x, w1, b1, w2, b2)
    for got in (dw1, dw2):
        holds(np.count_nonzero(got) <= 2, expected="two numbers that are not 0", got=got, w1=w1, b1=b1)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "network-safe", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test
def network_safe(student, rng):
    """Gradients are worked out beside what is there, not in it, with float64's digits."""

    def program(f, g, *given):
        return f(g, *given), f(g, *given), g, given

    def engine(g, *given):
        x, *parameters = (mg.Tensor(a, requires_grad=True) for a in given)
        y = mg.ops.linear(np.maximum(mg.ops.linear(x, *parameters[:2]), 0), *parameters[2:])
        y.backward(gradient=g)
        return [p.grad.numpy() for p in parameters]

    given = tuple(rng.normal(size=shape) for shape in shapes(6, variant.inputs, variant.hidden, 3))
    g = rng.normal(size=(6, 3))
    first, second, g_after, after = student.run(program, student.network_vjp, g, *given)
    written = "Your function has written into an array that it was given."
    same(g_after, g, advice=written)
    same(after, given, advice=written)
    by_engine = engine(g, *given)
    for got in (first, second):
        for k in range(4):

            def also(k=k, got=got):
                return by_their_rules(student, g, given, got, by_engine)[k]

            close(got[k], by_engine[k], also=also, rtol=1e-11, atol=1e-11)


### END HIDDEN TESTS


# %% [markdown]
# ## What you have now
#
# A layer, both ways. The engine's own is in `kernels/minigrad_kernels/linear.py`: the same three products, with the bias and the ReLU in one pass.
