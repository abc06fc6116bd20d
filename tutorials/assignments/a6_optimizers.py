# %% [markdown]
# # Assignment 6: optimizers from their formulas
#
# From a gradient to a step: gradient descent, its stochastic brother, momentum, Adam; and a formula, printed in an article as Adam,
# which is not Adam. You write it as it is printed, find out what is wrong with it, and mend it (tutorials 7, 8 and 9).
#
# Every rule is a pure function. It is given numbers and arrays and returns new ones, in memory of their own, and what it was given is afterwards
# what it was before. Numbers come in float64; the dtype of what you return does not matter, as long as the digits are there. The step counter `t` is 1 in the first step, and state is 0 before it.

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

import minigrad as mg
from minigrad.course import close, holds, moved, same, test, varied, vjp

variant = varied(
    alpha=[0.001, 0.002, 0.005],
    beta1=[0.9, 0.8, 0.85, 0.95],
    beta2=[0.999, 0.99, 0.995, 0.998],
    scale=[10, 4, 5, 8, 20],
)


def half_mse(theta, x, y):
    """J(θ) = 1/(2n) Σ (x_i·θ - y_i)², for x (n, k), y (n,) and theta (k,)."""
    return np.sum((x @ theta - y) ** 2) / (2 * len(x))


def valley(theta):
    """The gradient of ½ Σ c θ² in a valley whose walls are 25 times as steep as its floor."""
    return np.linspace(1.0, 25.0, theta.size) * theta


def engine_path(make, theta, gradients):
    """Where an optimizer of the engine goes, by its plain formula: theta after each of the gradients."""
    parameter = mg.Tensor(theta.copy(), requires_grad=True, name="theta")
    optimizer = make([parameter])
    path = []
    for g in gradients:
        parameter.grad = g.copy()
        optimizer.step()
        path.append(parameter.numpy().copy())
    return path


def kept(rule, *given):
    """Call a rule, move what it returned by 1 in place, and return what it had been given."""
    moved(rule(*given))
    return given


def moments_of(student, g):
    """The m and v of the student's own Adam after a first step, right or not; [] where they do not even grow with g.

    What question 4 has judged is not judged again in questions 5 and 7.
    """
    zero = np.zeros(g.shape)
    new = student.perhaps(student.adam, zero, g, zero, zero, 1, 0.1, 0.9, 0.999)
    found = [np.asarray(each) for each in new[1:]] if isinstance(new, (tuple, list)) and len(new) == 3 else []
    right = [each.shape == g.shape and each.dtype.kind == "f" for each in found]
    return found if found and all(right) and np.all(found[0] * g > 0) and np.all(found[1] != 0) else []


# %% [markdown]
# ## 1. Gradient descent
#
# $$\theta_{t+1} = \theta_t - \eta\, \nabla J(\theta_t), \qquad J(\theta) = \frac{1}{2n} \sum_{i=1}^n (x_i \cdot \theta - y_i)^2$$
#
# All the data, one step. Work out the gradient yourself; `half_mse` above is $J$.


# %% nbgrader={"grade": false, "grade_id": "gd", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gd(theta, x, y, eta):
    """Return theta after one step of gradient descent on J: x (n, k), y (n,), theta (k,)."""
    ### BEGIN SOLUTION
    gradient = x.T @ (x @ theta - y) / len(x)
    return theta - eta * gradient
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "gd-step", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def gd_step(student, rng):
    """Derive J for one sample first, by the chain rule. Then check one coordinate: (J(θ + h) - J(θ)) / h."""
    x, y, theta = (np.round(rng.normal(size=shape), 1) for shape in [(3, 2), (3,), (2,)])
    slope = vjp(lambda t: half_mse(t, x, y), [theta], 0, 1.0)
    close(
        student.gd(theta, x, y, 0.4),
        theta - 0.4 * slope,
        theta=theta,
        x=x,
        y=y,
        eta=0.4,
        slips={
            "Uphill: the sign is turned.": theta + 0.4 * slope,
            "The 1/n is missing: J is a mean.": theta - 0.4 * 3 * slope,
            "Twice as far as it should be: the ½ in J takes the 2 of the square away.": theta - 0.8 * slope,
            "That is the change alone. The new theta is wanted.": -0.4 * slope,
            "Divided by the number of parameters instead of the number of samples.": theta
            - 0.4 * 1.5 * slope,
            "Half as far as it should be: the 2 of the square takes the ½ in J away.": theta - 0.2 * slope,
            "This is the gradient; the new theta is wanted.": slope,
            "η is missing: a whole gradient was subtracted.": theta - slope,
        },
    )


# %% nbgrader={"grade": true, "grade_id": "gd-arrives", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="After many steps gradient descent must stand where the least squares solution is.")
def gd_arrives(student, rng):
    """A hundred and fifty steps end at the least squares solution, on data of any length."""

    def program(gd, x, y):
        theta = np.zeros(x.shape[1])
        for _ in range(150):
            theta = np.asarray(gd(theta, x.copy(), y.copy(), 0.3))
        return theta

    for n in (5, 40):
        x = np.linalg.qr(rng.normal(size=(n, 3)))[0] * np.sqrt(n)
        y = rng.normal(size=n)
        close(student.run(program, student.gd, x, y), np.linalg.lstsq(x, y, rcond=None)[0])


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "gd-safe", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="theta, x and y belong to others, and what you return is an array of its own, also where η is 0."
)
def gd_safe(student, rng):
    """Nothing that came in has changed."""
    given = (rng.normal(size=2), rng.normal(size=(3, 2)), rng.normal(size=3), 0.0)
    same(student.run(kept, student.gd, *given), given)


### END HIDDEN TESTS


# %% [markdown]
# ## 2. Stochastic gradient descent
#
# $$\theta_{t+1} = \theta_t - \eta\, \nabla J(\theta_t, x_i), \qquad J(\theta, x_i) = \tfrac12 (x_i \cdot \theta - y_i)^2$$
#
# One sample, one step. `order` says which samples come, one after another; each step starts where the one before has ended.


# %% nbgrader={"grade": false, "grade_id": "sgd", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sgd(theta, x, y, order, eta):
    """Return theta after one step for each index in order, a list of ints in which a sample may come more than once."""
    ### BEGIN SOLUTION
    theta = theta.copy()
    for i in order:
        theta = theta - eta * (x[i] @ theta - y[i]) * x[i]
    return theta
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "sgd-two-steps", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def sgd_two_steps(student, rng):
    """Go through it by hand: which sample comes first, and at which theta is the second gradient taken?"""
    x, y, theta = (np.round(rng.normal(size=shape), 1) for shape in [(3, 2), (3,), (2,)])

    def slope(i, at):
        return vjp(lambda t: half_mse(t, x[i : i + 1], y[i : i + 1]), [at], 0, 1.0)

    def walked(order, eta=0.4, at=theta):
        for i in order:
            at = at - eta * slope(i, at)
        return at

    both = slope(2, theta) + slope(0, theta)
    close(
        student.sgd(theta, x, y, [2, 0], 0.4),
        walked([2, 0]),
        theta=theta,
        x=x,
        y=y,
        order=[2, 0],
        eta=0.4,
        slips={
            "The second step was worked out at the old theta. It starts where the first has ended.": theta
            - 0.4 * both,
            "One step along the mean: that is a batch of two.": theta - 0.2 * both,
            "The samples came in another order than order says.": walked([0, 2]),
            "Only the first of the two steps was done.": walked([2]),
            "Only the second of the two steps was done.": walked([0]),
            "These are the first two samples. order says which ones come.": walked([0, 1]),
            "All the samples were used. order says which ones come.": walked([0, 1, 2]),
            "Uphill: the sign is turned.": walked([2, 0], -0.4),
            "Each step is divided by n. J(θ, x_i) is that of one sample.": walked([2, 0], 0.4 / 3),
            "Twice as far as it should be: the ½ in J takes the 2 of the square away.": walked([2, 0], 0.8),
            "η is missing: whole gradients were subtracted.": walked([2, 0], 1.0),
        },
    )


# %% nbgrader={"grade": true, "grade_id": "sgd-orders", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="The order may repeat samples, leave some out, or be empty.")
def sgd_orders(student, rng):
    """Whatever the order, the engine's SGD on one sample at a time goes the same way."""
    x, y, theta = rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=3)
    for order in ([1, 1, 1], [3, 0, 2, 1, 0], []):
        parameter = mg.Tensor(theta.copy(), requires_grad=True, name="theta")
        optimizer = mg.optim.SGD([parameter], lr=0.1)
        for i in order:
            optimizer.zero_grad()
            (np.square(mg.Tensor(x[i]) @ parameter - y[i]) / 2).backward()
            optimizer.step()
        close(student.sgd(theta, x, y, order, 0.1), parameter.numpy(), rtol=1e-10, theta=theta, order=order)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "sgd-safe", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="theta must not move under its owner's hands: not over many steps, and not where there is no step at all."
)
def sgd_safe(student, rng):
    """The theta that came in stays where it was; what is returned is another array."""
    for order in ([0, 1], []):
        given = (rng.normal(size=2), rng.normal(size=(3, 2)), rng.normal(size=3), order, 0.1)
        same(student.run(kept, student.sgd, *given), given)


### END HIDDEN TESTS

# %% [markdown]
# ## 3. Momentum
#
# $$b_t = \mu\, b_{t-1} + g_t, \qquad \theta_t = \theta_{t-1} - \eta\, b_t$$


# %% nbgrader={"grade": false, "grade_id": "momentum", "locked": false, "schema_version": 3, "solution": true, "task": false}
def momentum(theta, g, b, eta, mu):
    """Return the pair of the new theta and the new b."""
    ### BEGIN SOLUTION
    b = mu * b + g
    return theta - eta * b, b
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "momentum-two-steps", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def momentum_two_steps(student, rng):
    """Put the numbers into the two formulas, one after the other, with pencil and paper. Which b does the second one mean?"""
    theta, b, g = np.array([1.0]), np.array([2.0]), np.array([3.0])
    new = student.momentum(theta, g, b, 0.1, 0.5)
    holds(len(new) == 2, "Two arrays are wanted: theta, then b.", expected="(theta, b)", got=new)
    given = {"theta": theta, "g": g, "b": b, "eta": 0.1, "mu": 0.5}
    close(
        new[1],
        [4.0],
        hint="The new b is not right. What is left of the old one, and what comes in?",
        **given,
        slips={
            "The sign: g is added to the velocity, and the velocity is subtracted from theta.": [-2.0],
            "In this convention g comes in whole, without a factor 1 - μ.": [2.5],
            "In this convention g comes in whole, without η, which stands before b later.": [1.3],
            "The pair is the other way round: theta, then b.": [0.6],
            "Nothing of the old velocity is left in it.": [3.0],
            "The old velocity is in it whole: μ is missing.": [5.0],
            "This is the old velocity.": [2.0],
        },
    )
    close(
        new[0],
        [0.6],
        hint="The new b is right, the new theta is not.",
        **given,
        slips={
            "A step along the old velocity. It is the new one that counts.": [0.8],
            "A step along the gradient alone: the velocity is worked out and not used.": [0.7],
            "Uphill: the sign.": [1.4],
            "A step of Nesterov's momentum, which looks one step ahead.": [0.5],
            "This is the change alone. The new theta is wanted.": [-0.4],
            "η is missing.": [-3.0],
        },
    )


# %% nbgrader={"grade": true, "grade_id": "momentum-path", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="Twenty steps down a valley, the state going from one to the next, are compared with the engine's."
)
def momentum_path(student, rng):
    """The engine's SGD with momentum goes the same way through the same valley."""

    def program(rule, theta, mu):
        b, path = np.zeros_like(theta), []
        for _ in range(20):
            theta, b = map(np.asarray, rule(theta, valley(theta), b, 0.03, mu))
            path.append(theta.copy())
        return path

    theta = rng.normal(size=4)
    for mu in (0.0, 0.9):
        path = student.run(program, student.momentum, theta, mu)
        gradients = [valley(at) for at in [theta, *path[:-1]]]
        wanted = engine_path(
            lambda p, mu=mu: mg.optim.SGD(p, lr=0.03, momentum=mu, fast=False), theta, gradients
        )
        for mine, his in zip(path, wanted, strict=True):
            close(mine, his, rtol=1e-10)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "momentum-safe", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="theta, g and b stay as they were, and the new arrays are their own.")
def momentum_safe(student, rng):
    """A pure function."""
    given = (*rng.normal(size=(3, 2)), 0.1, 0.9)
    same(student.run(kept, student.momentum, *given), given)
    still = (*rng.normal(size=(2, 2)), np.zeros(2), 0.1, 0.0)
    same(student.run(kept, student.momentum, *still), still)


### END HIDDEN TESTS

# %% [markdown]
# ## 4. Adam
#
# $$\begin{aligned}
# m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, g_t & \hat m_t &= m_t / (1 - \beta_1^t) \\
# v_t &= \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2 & \hat v_t &= v_t / (1 - \beta_2^t)
# \end{aligned} \qquad \theta_t = \theta_{t-1} - \alpha\, \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}$$
#
# (Kingma and Ba 2015, Algorithm 1.) Where nothing else is given, α is {{alpha}}, β₁ {{beta1}} and β₂ {{beta2}}, which need not be the usual ones. What is remembered, and returned, is $m_t$ and $v_t$, without their hats.


# %% nbgrader={"grade": false, "grade_id": "adam", "locked": false, "schema_version": 3, "solution": true, "task": false}
def adam(theta, g, m, v, t, alpha=variant.alpha, beta1=variant.beta1, beta2=variant.beta2, eps=1e-8):
    """Return the triple of the new theta, m and v; t is the number of this step, 1 in the first."""
    ### BEGIN SOLUTION
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return theta - alpha * m_hat / (np.sqrt(v_hat) + eps), m, v
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "adam-first-step", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def adam_first_step(student, rng):
    """Put t = 1 and m = v = 0 into the formulas. What do m̂ and v̂ become, and how long is the step?"""
    zero, g = np.zeros(3), np.array([0.01, -3.0, 500.0])
    new = student.adam(zero, g, zero, zero, 1, 0.1, 0.9, 0.999)
    holds(len(new) == 3, "Three arrays are wanted: theta, m and v.", expected="(theta, m, v)", got=new)
    theta, m, v = new
    given = {"theta": zero, "g": g, "m": zero, "v": zero, "t": 1, "alpha": 0.1, "beta1": 0.9, "beta2": 0.999}
    close(
        m,
        [0.001, -0.3, 50.0],
        hint="m is not right. In the first step, what is left of the old m, and what comes in?",
        **given,
        slips={
            "This is m̂. What is remembered is m, without its hat.": g,
            "The two betas have changed places.": [1e-5, -0.003, 0.5],
            "β₁ and 1 - β₁ have changed places.": [0.009, -2.7, 450.0],
            "The square belongs to v.": [1e-5, 0.9, 25000.0],
        },
    )
    close(
        v,
        [1e-7, 0.009, 250.0],
        hint="v is not right. In the first step, what is left of the old v, and what comes in?",
        **given,
        slips={
            "This is v̂. What is remembered is v, without its hat.": [1e-4, 9.0, 250000.0],
            "g comes in squared.": [1e-5, -0.003, 0.5],
            "m was squared instead of g.": [1e-9, 9e-5, 2.5],
            "β₂ and 1 - β₂ have changed places.": [9.99e-5, 8.991, 249750.0],
        },
    )
    close(
        theta,
        [-0.1, 0.1, -0.1],
        rtol=1e-5,
        hint="m and v are right, theta is not.",
        **given,
        slips={
            ### BEGIN HIDDEN TESTS
            "ε stands inside the root; it belongs beside it.": [-0.09999500037, 0.1, -0.1],
            "ε stands beside the uncorrected v.": [-0.0999968378, 0.0999999895, -0.1],
            ### END HIDDEN TESTS
            "No bias correction: m and v start at 0, and are far too small in the first steps.": [
                -0.316217766,
                0.316227733,
                -0.316227766,
            ],
            "v is corrected, m is not.": [-0.009999990, 0.01, -0.01],
            "m is corrected, v is not.": [-3.16217766, 3.16227733, -3.16227766],
            "Uphill: the sign.": [0.09999990, -0.1, 0.1],
            "The root is missing.": [-9.9990001, 0.033333333, -0.0002],
            "This is the step of t = 2, or the correction is out by one.": [
                -0.0526315,
                0.0526316,
                -0.0526316,
            ],
        },
    )


# %% nbgrader={"grade": true, "grade_id": "adam-path", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="Fifty steps with a noisy gradient, m and v going from one to the next, are compared with the engine's Adam."
)
def adam_path(student, rng):
    """The engine's Adam goes the same way, with its defaults and with other betas."""

    def program(rule, theta, gradients, settings):
        m, v, path = np.zeros_like(theta), np.zeros_like(theta), []
        for t, g in enumerate(gradients, 1):
            theta, m, v = map(np.asarray, rule(theta, g, m, v, t, *settings))
            path.append(theta.copy())
        return path

    theta = rng.normal(size=3)
    gradients = list(valley(theta) + rng.normal(size=(50, 3)))
    for settings in ((), (0.05, 0.5, 0.9, 1e-3)):
        alpha, beta1, beta2, eps = settings or (variant.alpha, variant.beta1, variant.beta2, 1e-8)

        def make(p, alpha=alpha, betas=(beta1, beta2), eps=eps):
            return mg.optim.Adam(p, lr=alpha, betas=betas, eps=eps, fast=False)

        path = student.run(program, student.adam, theta, gradients, settings)
        advice = "With other settings: α = 0.05, β₁ = 0.5, β₂ = 0.9, ε = 0.001." if settings else None
        for mine, wanted in zip(path, engine_path(make, theta, gradients), strict=True):
            close(mine, wanted, rtol=1e-9, advice=advice)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "adam-tiny", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test
def adam_tiny(student, rng):
    """At |g| = ε the first step is α/2: ε stands outside the root, beside the corrected v."""
    zero, g = np.zeros(3), np.array([1e-8, -1e-8, 1e-10])
    theta, _, _ = student.adam(zero, g, zero, zero, 1, 1.0)
    advice = "Gradients as small as ε itself: there it matters where exactly ε stands."
    close(theta, [-0.5, 0.5, -1 / 101], g=g, alpha=1.0, eps=1e-8, advice=advice)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "adam-nothing", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="Where the gradient has been 0 from the beginning there is no step, and no NaN.")
def adam_nothing(student, rng):
    """0 / (0 + ε) is 0."""
    theta, zero = rng.normal(size=2), np.zeros(2)
    got = student.adam(theta, zero, zero, zero, 1)
    for mine, wanted in zip(got, (theta, zero, zero), strict=True):
        close(mine, wanted)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "adam-safe", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="theta, g, m and v stay as they were, and the new arrays are their own.")
def adam_safe(student, rng):
    """A pure function."""
    given = (*rng.random(size=(4, 2)), 3)
    same(student.run(kept, student.adam, *given), given)


### END HIDDEN TESTS

# %% [markdown]
# ## 5. As printed
#
# An article prints Adam like this, with the same $m_t$ and $v_t$ as above:
#
# $$\eta_t = \eta\, \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}, \qquad \theta_{t+1} = \theta_t - \eta_t\, \frac{m_t}{1 - \beta_1^t}$$
#
# Write it as it stands, however odd it looks. Without the real thing before you, you cannot see what is wrong with it.


# %% nbgrader={"grade": false, "grade_id": "printed", "locked": false, "schema_version": 3, "solution": true, "task": false}
def as_printed(theta, g, m, v, t, eta=variant.alpha, beta1=variant.beta1, beta2=variant.beta2):
    """Return the triple of the new theta, m and v, by the formula as it is printed."""
    ### BEGIN SOLUTION
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    eta_t = eta * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    step = eta_t * m / (1 - beta1**t)
    return theta - step, m, v
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "printed-first-step", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def printed_first_step(student, rng):
    """Put t = 1 into the two printed formulas, symbol by symbol, as they stand, and not as they ought to be."""
    zero, g = np.zeros(2), np.array([2.0, 20.0])
    new = student.as_printed(zero, g, zero, zero, 1, 0.1, 0.9, 0.999)
    holds(len(new) == 3, "Three arrays are wanted: theta, m and v.", expected="(theta, m, v)", got=new)
    theta, m, v = new
    given = {"g": g, "t": 1, "eta": 0.1, "beta1": 0.9, "beta2": 0.999}
    moments = moments_of(student, g)
    close(m, [0.2, 2.0], also=lambda: moments[:1], hint="m is not that of question 4.", **given)
    close(v, [0.004, 0.4], also=lambda: moments[1:], hint="v is not that of question 4.", **given)
    printed = np.array([-0.0632455532, -0.632455532])
    close(
        theta,
        printed,
        also=lambda: [printed * moments[0] / [0.2, 2.0]] if moments else [],
        hint="m and v are right, theta is not.",
        **given,
        slips={
            "That is Adam. This question wants the formula as it is printed.": [-0.1, -0.1],
            "Uphill: the sign.": -printed,
            ### BEGIN HIDDEN TESTS
            "One of the two divisions by 1 - β₁ᵗ is missing. Right, but not what is printed.": printed / 10,
            "Both divisions by 1 - β₁ᵗ are missing.": printed / 100,
            "The root is missing.": [-0.002, -0.02],
            "√(1 - β₂ᵗ) divides where it multiplies.": [-63.2455532, -632.455532],
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "printed-path", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="Thirty steps of the printed formula are compared with the engine's AdamAsPrinted.")
def printed_path(student, rng):
    """The engine has the misprint too, under its name."""

    def program(rule, theta, gradients):
        m, v, path = np.zeros_like(theta), np.zeros_like(theta), []
        for t, g in enumerate(gradients, 1):
            theta, m, v = map(np.asarray, rule(theta, g, m, v, t, 0.05, 0.8, 0.99))
            path.append(theta.copy())
        return path

    theta, gradients = rng.normal(size=3), list(rng.normal(size=(30, 3)))
    path = student.run(program, student.as_printed, theta, gradients)

    def make(p):
        return mg.optim.AdamAsPrinted(p, lr=0.05, betas=(0.8, 0.99), fast=False)

    def by_their_adam():
        """The printed rule is linear in m: from theirs of question 4 follows what their path is."""
        at, m, found = theta, np.zeros(3), []
        for t, g in enumerate(gradients, 1):
            _, m, _ = student.adam(theta, g, m, np.ones(3), t, 0.05, 0.8, 0.99)
            at = at - 0.05 * (1 - 0.99**t) ** 0.5 / (1 - 0.8**t) ** 2 * np.asarray(m)
            found.append(at)
        return found

    theirs = (student.perhaps(by_their_adam) if moments_of(student, gradients[0]) else None) or [None] * 30
    for mine, wanted, follows in zip(path, engine_path(make, theta, gradients), theirs, strict=True):
        close(mine, wanted, also=lambda follows=follows: [follows], rtol=1e-9)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "printed-safe", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="theta, g, m and v stay as they were, and the new arrays are their own.")
def printed_safe(student, rng):
    """A pure function."""
    given = (*rng.random(size=(4, 2)), 3)
    same(student.run(kept, student.as_printed, *given), given)


### END HIDDEN TESTS

# %% [markdown]
# ## 6. What is it, then?
#
# Compare the two formulas, symbol by symbol, and try yours on a few gradients. Which of the states is worked out and has no influence on
# $\theta$? Which is corrected for its bias twice? Somebody multiplies their loss by {{scale}}, and with it all gradients, from the first step on: by how
# much do all steps become longer?
#
# And what rule *is* it? With $b_t = \beta_1 b_{t-1} + g_t$, the velocity of question 3, $m_t$ is $(1 - \beta_1)\, b_t$. So the printed rule is
#
# $$\theta_t = \theta_{t-1} - r_t\, b_t$$
#
# with a rate $r_t$ that depends on nothing but $t$, $\eta$ and the two $\beta$.


# %% nbgrader={"grade": false, "grade_id": "diagnosis", "locked": false, "schema_version": 3, "solution": true, "task": false}
def diagnosis():
    """Return a dict of four answers: {"unused": "theta", "corrected_twice": "g", "printed_factor": 2, "adam_factor": 2}.

    unused, corrected_twice: "theta", "g", "m" or "v". printed_factor, adam_factor: how many times as long a step
    becomes, by the printed rule and by Adam with ε = 0, where all gradients are {{scale}} times as large from the start.
    """
    ### BEGIN SOLUTION
    return {"unused": "v", "corrected_twice": "m", "printed_factor": variant.scale, "adam_factor": 1}
    ### END SOLUTION


def momentum_rate(t, eta=variant.alpha, beta1=variant.beta1, beta2=variant.beta2):
    """Return r_t, the rate at which the printed rule in step t (1, 2, …) is gradient descent with momentum β₁."""
    ### BEGIN SOLUTION
    return eta * (1 - beta1) * np.sqrt(1 - beta2**t) / (1 - beta1**t) ** 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "diagnosis-form", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def diagnosis_form(student, rng):
    """A dict with the four keys; symbols by their names, factors as numbers. Whether they are right is told at grading."""
    answers = student.diagnosis()
    keys = ["adam_factor", "corrected_twice", "printed_factor", "unused"]
    right = isinstance(answers, dict) and sorted(answers) == keys
    holds(right, "A dict with these four keys is wanted.", expected=str(keys), got=answers)
    symbols = ["theta", "g", "m", "v"]
    for name in ("unused", "corrected_twice"):
        holds(answers[name] in symbols, f"{name} is one of these.", expected=str(symbols), got=answers[name])
    for name in ("printed_factor", "adam_factor"):
        factor = np.asarray(answers[name])
        number = factor.shape == () and factor.dtype.kind in "iuf" and factor > 0
        hint = f"{name}: how many times as long, as a number. Run the rule with g and with {{scale}} · g, from the start."
        holds(number, hint, expected="a number above 0", got=answers[name])


# %% nbgrader={"grade": true, "grade_id": "diagnosis-factor", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test
def diagnosis_factor(student, rng):
    """Run both rules with g and with {{scale}} · g, for a few steps, and look at the steps."""

    def length(make, scale, gradients):
        return abs(engine_path(make, np.zeros(1), [scale * g for g in gradients])[-1][0])

    gradients, answers = list(rng.uniform(1, 2, (5, 1))), student.diagnosis()
    for name, make in [
        ("printed_factor", lambda p: mg.optim.AdamAsPrinted(p)),
        ("adam_factor", lambda p: mg.optim.Adam(p, eps=0.0)),
    ]:
        factor = length(make, variant.scale, gradients) / length(make, 1.0, gradients)
        advice = f"{name}: run the rule with g and with {{scale}} · g for a few steps, and look at how far theta goes."
        close(answers[name], factor, rtol=1e-5, advice=advice)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "diagnosis-symbols", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test
def diagnosis_symbols(student, rng):
    """v is unused; m is divided by 1 - β₁ᵗ on its own and once more inside η_t."""
    answers = student.diagnosis()
    unused = "unused: which symbol does the printed line for θ not contain?"
    twice = "corrected_twice: which symbol meets 1 - β₁ᵗ more than once on its way into θ?"
    holds(str(answers["unused"]).strip().lower() == "v", expected="(not shown)", advice=unused)
    holds(str(answers["corrected_twice"]).strip().lower() == "m", expected="(not shown)", advice=twice)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "diagnosis-rate-first", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def diagnosis_rate_first(student, rng):
    """Put (1 - β₁) b_t for m_t into the printed formula, and collect what stands before b_t."""
    close(
        student.momentum_rate(1, 1.0, 0.5, 0.84),
        0.8,
        t=1,
        eta=1.0,
        beta1=0.5,
        beta2=0.84,
        slips={
            "This is the rate before m_t. m_t is (1 - β₁) b_t.": 1.6,
            "The sign is turned: the rate is subtracted already.": -0.8,
            ### BEGIN HIDDEN TESTS
            "One factor 1/(1 - β₁ᵗ) is missing: it is there twice, in η_t and under m_t.": 0.4,
            "The root is missing.": 0.32,
            "The rate is what stands before b_t; η alone is not.": 1.0,
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "diagnosis-rate", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="With your rates, the engine's momentum must go where its printed Adam goes, step by step.")
def diagnosis_rate(student, rng):
    """SGD with momentum at r_t is the printed rule, over 25 steps."""
    theta, gradients = rng.normal(size=3), list(rng.normal(size=(25, 3)))
    rates = [student.momentum_rate(t, 0.05, 0.8, 0.99) for t in range(1, 26)]
    printed = engine_path(
        lambda p: mg.optim.AdamAsPrinted(p, lr=0.05, betas=(0.8, 0.99), fast=False), theta, gradients
    )
    b, at = np.zeros(3), theta
    for g, rate, wanted in zip(gradients, rates, printed, strict=True):
        b = 0.8 * b + g
        at = at - rate * b
        close(at, wanted, rtol=1e-9)


### END HIDDEN TESTS

# %% [markdown]
# ## 7. Mend it
#
# The printed $\eta_t$ is no mistake: Kingma and Ba give it themselves, at the end of their section 2, as a way to save work, since it holds the
# bias corrections of $m$ *and* $v$ at once. It only belongs to another last line. Which one?
#
# (Their $\hat\epsilon$ there is not quite the $\epsilon$ of Algorithm 1: yours shall agree with `adam` where $\hat\epsilon = \epsilon \sqrt{1 - \beta_2^t}$.)


# %% nbgrader={"grade": false, "grade_id": "mended", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mended(theta, g, m, v, t, eta=variant.alpha, beta1=variant.beta1, beta2=variant.beta2, eps_hat=1e-8):
    """Return the triple of the new theta, m and v: the printed formula with its last line mended."""
    ### BEGIN SOLUTION
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    eta_t = eta * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return theta - eta_t * m / (np.sqrt(v) + eps_hat), m, v
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "mended-first-step", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def mended_first_step(student, rng):
    """Take ε̂ = 0 and t = 1: how long is Adam's first step, for a small and for a large gradient? How long is yours?"""
    zero, g = np.zeros(3), np.array([0.01, -3.0, 500.0])
    new = student.mended(zero, g, zero, zero, 1, 0.1, 0.9, 0.999, 0.0)
    holds(len(new) == 3, "Three arrays are wanted: theta, m and v.", expected="(theta, m, v)", got=new)
    adam_step = np.array([-0.1, 0.1, -0.1])

    def by_their_adam():
        step = student.perhaps(student.adam, zero, g, zero, zero, 1, 0.1, 0.9, 0.999, 0.0)[0]
        return [step] if moments_of(student, g) else []

    close(
        new[0],
        adam_step,
        also=by_their_adam,
        g=g,
        t=1,
        eta=0.1,
        eps_hat=0.0,
        slips={
            "It is the printed rule still: the step grows with g.": [
                -0.000316227766,
                0.0948683298,
                -15.8113883,
            ],
            "Uphill: the sign.": -adam_step,
            ### BEGIN HIDDEN TESTS
            "m is still corrected twice: η_t does it already.": adam_step * 10,
            "m is not corrected at all: the division by 1 - β₁ᵗ has gone from η_t.": adam_step / 10,
            "v is corrected twice: the root in η_t does it already.": adam_step * 0.001**0.5,
            "v is not corrected at all: the root has gone from η_t.": adam_step / 0.001**0.5,
            "The root over v is missing.": [-316.227766, 1.05409255, -0.00632455532],
            ### END HIDDEN TESTS
        },
    )


# %% nbgrader={"grade": true, "grade_id": "mended-is-adam", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="With ε̂ = ε √(1 - β₂ᵗ) your rule must go where Adam goes, step by step, also for tiny gradients."
)
def mended_is_adam(student, rng):
    """Algorithm 1 and the mended line are one rule, for gradients of all sizes."""

    def program(rule, theta, gradients, epsilons):
        m, v, path = np.zeros_like(theta), np.zeros_like(theta), []
        for (t, g), eps in zip(enumerate(gradients, 1), epsilons, strict=True):
            theta, m, v = map(np.asarray, rule(theta, g, m, v, t, 0.05, 0.8, 0.99, eps))
            path.append(theta.copy())
        return path

    theta, gradients = rng.normal(size=3), list(rng.normal(size=(25, 3)) * [1e-3, 1.0, 1e3])
    hats = [1e-3 * (1 - 0.99**t) ** 0.5 for t in range(1, 26)]
    path = student.run(program, student.mended, theta, gradients, hats)

    def make(p):
        return mg.optim.Adam(p, lr=0.05, betas=(0.8, 0.99), eps=1e-3, fast=False)

    theirs = None
    if moments_of(student, gradients[0]):
        theirs = student.perhaps(student.run, program, student.adam, theta, gradients, [1e-3] * 25)
    for mine, wanted, follows in zip(
        path, engine_path(make, theta, gradients), theirs or [None] * 25, strict=True
    ):
        close(mine, wanted, also=lambda follows=follows: [follows], rtol=1e-9)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "mended-safe", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="theta, g, m and v stay as they were, and the new arrays are their own.")
def mended_safe(student, rng):
    """A pure function."""
    given = (*rng.random(size=(4, 2)), 3)
    same(student.run(kept, student.mended, *given), given)


### END HIDDEN TESTS

# %% [markdown]
# ## What you have now
#
# The rules of `minigrad/optim/formulas.py`, and a habit: a formula in print is a claim. One step by hand, with two sizes of gradient, would have
# shown this one to be something else.
