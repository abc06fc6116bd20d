# %% [markdown]
# # Assignment 8: a network that reads digits
#
# The last one: everything together, on pictures of 8 × 8 pixels, as of the 1,797 handwritten digits in `minigrad.data.load_digits`. From here on the engine
# is yours to use: `mg.nn`, `mg.optim`, `mg.data`. Questions 1 to 4 are the parts of a training loop in which most mistakes are made; question 5 is the whole.
#
# Each question counts on its own. Use the engine's parts in question 5 rather than your answers to 1 to 4, so that a slip there costs nothing here.
# (Tutorials 4, 11 and 12 train networks too.)

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
from collections import Counter
from functools import cache

import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.course import close, holds, same, test, varied, vjp
from minigrad.data import load_digits

variant = varied(
    inputs=[6, 4, 5, 7, 8],  # of the small network, of whose classes there are fewer
    hidden=[5, 4, 6, 7],
    rate=[0.5, 0.25, 0.3, 0.4],
    samples=[7, 10, 11, 13],  # in batches
    size=[3, 4],
    signs=[10, 11, 12],
    steps=[60, 54, 56, 58],
)


def small_network(seed, p=0.0):
    """A network of {{inputs}} inputs, {{hidden}} hidden units and 3 classes, its weights drawn from seed; p > 0 puts dropout into it."""
    rng = np.random.default_rng(seed)
    between = [nn.ReLU()] + ([nn.Dropout(p, rng=rng)] if p else [])
    first, last = nn.Linear(variant.inputs, variant.hidden, rng=rng), nn.Linear(variant.hidden, 3, rng=rng)
    return nn.Sequential(first, *between, last)


def weights_of(model):
    """Its weights, biases between them, in float64."""
    return [parameter.numpy().astype(float) for parameter in model.parameters()]


def loss_by_hand(w1, b1, w2, b2, x, y):
    """The mean cross-entropy of a small network, without the engine."""
    powers = np.exp(np.maximum(x @ w1.T + b1, 0) @ w2.T + b2)
    return -np.mean([np.log(row[label] / sum(row)) for row, label in zip(powers, y, strict=True)])


@cache
def all_digits():
    """The digits, read from their file once."""
    return load_digits()


def digits_in_two(rng):
    """The digits' images, shuffled, in two parts: 1,200 to learn from, and 597 that are new."""
    images = rng.permutation(all_digits().x)
    return images[:1200], images[1200:]


def written(signs, which, rng, shaky=1.0):
    """Signs as a hand writes them, (n, 64), float32 from 0 to 1: lines through the sign's corners on 8 × 8 pixels.

    signs (m, corners, 2) has each corner's place, down and across, from 0 to 1; which (n,) says what is written. A shaky hand moves
    corners, turns the sign, moves all of it, and changes its pen.
    """
    n, corners = len(which), signs.shape[1]
    at = signs[which] - 0.5 + rng.normal(0, 0.045 * shaky, (n, corners, 2))
    turn = rng.normal(0, 0.12 * shaky, (n, 1))
    down, across = at[..., 0], at[..., 1]
    at = np.stack(
        [np.cos(turn) * down - np.sin(turn) * across, np.sin(turn) * down + np.cos(turn) * across], axis=-1
    )
    at += 0.5 + rng.normal(0, 0.055 * shaky, (n, 1, 2))
    pixels = (np.indices((8, 8)).reshape(2, 64).T[:, None] + 0.5) / 8
    start, line = at[:, None, :-1], np.diff(at, axis=1)[:, None]
    along = np.clip(np.sum((pixels - start) * line, axis=-1) / np.sum(line**2, axis=-1), 0, 1)
    distance = np.sum((pixels - start - along[..., None] * line) ** 2, axis=-1).min(axis=-1)
    pen = 0.07 + 0.02 * shaky * rng.uniform(-1, 1, (n, 1))
    ink = np.exp(-distance / (2 * pen**2)) + rng.normal(0, 0.04 * shaky, (n, 64))
    return np.clip(ink, 0, 1).astype(np.float32)


def alphabet(rng):
    """An alphabet that nobody has seen before: of many signs of three lines those that look least like each other."""
    drafts = rng.uniform(0.1, 0.9, (8 * variant.signs, 4, 2))
    clean, chosen = written(drafts, np.arange(len(drafts)), rng, shaky=0.0), [0]
    while len(chosen) < variant.signs:
        apart = np.sum((clean[:, None] - clean[chosen]) ** 2, axis=-1).min(axis=1)
        chosen.append(int(apart.argmax()))
    return drafts[chosen]


def signs_in_two(rng):
    """Pictures of a new alphabet's signs, and which sign each is: 1,200 to learn from, and 600 to be examined on."""
    signs, which = alphabet(rng), rng.integers(0, variant.signs, 1800)
    pictures = written(signs, which, rng)
    return pictures[:1200], which[:1200], pictures[1200:], which[1200:]


def trained(train, x, y, new, steps, seed):
    """Train on x and y, and read the new pictures; return their signs, and how many steps it took.

    The steps that count are backward passes and updates, as the engine sees them.
    """
    deposits, updates = Counter(), set()

    def deposited(tensor, before):
        deposits[tensor] += 1

    with mg.hooks(
        accumulate_grad=deposited, update=lambda update: updates.add((id(update.optimizer), update.t))
    ):
        predict = train(x, y, steps, np.random.default_rng(seed))
    return predict(new), max([len(updates), *deposits.values()]), x, y


# %% [markdown]
# ## 1. The same scale for all pixels
#
# $$x' = \frac{x - \text{mean}}{\text{std}}$$
#
# Mean and standard deviation are taken **over the training images, for each pixel** of its own, and used for the new images too: what you do
# not know yet cannot tell you its mean. Some pixels have the same value in all training images (the corners are white): for these, subtract
# the mean and divide by 1.


# %% nbgrader={"grade": false, "grade_id": "standardise", "locked": false, "schema_version": 3, "solution": true, "task": false}
def standardise(train, new):
    """Return both, train (n, pixels) and new (m, pixels), standardised by the mean and std of train."""
    ### BEGIN SOLUTION
    mean, std = train.mean(axis=0), train.std(axis=0)
    std = np.where(std == 0, 1, std).astype(train.dtype)
    return (train - mean) / std, (new - mean) / std
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "standardise-numbers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def standardise_numbers(student, rng):
    """Work it out for the first pixel, by hand: which two numbers is its mean taken of? Then for its one new value."""
    train, new = np.array([[1.0, 10.0], [3.0, 30.0]]), np.array([[2.0, 10.0]])
    got = student.standardise(train, new)
    holds(len(got) == 2, "Two arrays are wanted.", expected="(train, new)", got=got)
    close(
        got[0],
        [[-1.0, -1.0], [1.0, 1.0]],
        train=train,
        slips={
            "The std has n - 1 in it; here it is n, the root of the mean squared deviation.": [
                [-(0.5**0.5)] * 2,
                [0.5**0.5] * 2,
            ],
            "The mean went over each image. It goes over the images, for each pixel of its own.": [
                [-1.0, 1.0]
            ]
            * 2,
            "Only the mean was subtracted: divide by the std.": [[-1.0, -10.0], [1.0, 10.0]],
            "Only divided by the std: subtract the mean first.": [[1.0, 1.0], [3.0, 3.0]],
            "Divided by the variance instead of the std.": [[-1.0, -0.1], [1.0, 0.1]],
            "One mean and one std were taken for all pixels together.": (train - 11) / 131.5**0.5,
            "The sign is turned.": [[1.0, 1.0], [-1.0, -1.0]],
        },
    )
    close(
        got[1],
        [[0.0, -1.0]],
        train=train,
        new=new,
        slips={
            "The new images were standardised by themselves. Use the training images' mean and std.": [
                [0.0, 0.0]
            ],
            "The new images are as they were. They go through the same network, so they need the same scale.": new,
            "The new images have the training images' mean taken away, and are not divided by their std.": [
                [0.0, -10.0]
            ],
        },
    )


# %% nbgrader={"grade": true, "grade_id": "standardise-constant", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="A pixel that is the same in all training images, and not in the new ones: what is subtracted from it there, and what is it divided by?"
)
def standardise_constant(student, rng):
    """Where std is 0, subtract the mean and divide by 1."""
    train, new = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    train[:, 1] = 0.25
    wanted_train, wanted_new = (
        np.array([(a[:, j] - train[:, j].mean()) for j in range(3)]).T for a in (train, new)
    )
    for j in (0, 2):
        wanted_train[:, j] /= train[:, j].std()
        wanted_new[:, j] /= train[:, j].std()
    got = student.standardise(train, new)
    close(got[0], wanted_train)
    close(got[1], wanted_new)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "standardise-safe", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test
def standardise_safe(student, rng):
    """The digits themselves, in float32."""

    def program(f, train, new):
        a, _ = f(train, new)
        return np.mean(a, axis=0), np.std(a, axis=0), train, new

    train, new = digits_in_two(rng)
    mean, std, *kept = student.run(program, student.standardise, train, new)
    same(kept, [train, new], advice="Your function has written into an array that it was given.")
    finite = bool(np.all(np.isfinite(mean)) and np.all(np.isfinite(std)))
    holds(
        finite, got=mean, advice="On the real digits there is a NaN: some pixels are the same in all images."
    )
    close(mean, np.zeros(64), atol=1e-4)
    close(std, np.where(train.std(axis=0) == 0, 0, 1), atol=1e-4)


### END HIDDEN TESTS


# %% [markdown]
# ## 2. Batches
#
# One epoch: every sample once, in random order, `size` at a time; the last batch has what is left.


# %% nbgrader={"grade": false, "grade_id": "batches", "locked": false, "schema_version": 3, "solution": true, "task": false}
def batches(n, size, rng):
    """Return a list of index arrays: a permutation of 0 … n - 1 drawn from rng (a NumPy generator), cut into batches."""
    ### BEGIN SOLUTION
    order = rng.permutation(n)
    return [order[start : start + size] for start in range(0, n, size)]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "batches-whole", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def batches_whole(student, rng):
    """{{samples}} samples, {{size}} at a time: how many batches are there, and how long is the last? Which indices have come?"""

    def program(batches, n, size, seed):
        return [np.asarray(batch) for batch in batches(n, size, np.random.default_rng(seed))]

    n, size = variant.samples, variant.size
    got = student.run(program, student.batches, n, size, int(rng.integers(1000)))
    lengths, given = [len(batch) for batch in got], {"n": n, "size": size}
    full = [size] * (n // size)
    right = full + [n % size] * (n % size > 0)
    wanted = f"batches of {right}"
    short = "What is left makes a batch too."
    holds(lengths != full or full == right, short, expected=wanted, got=lengths, **given)
    empty = "There is an empty batch."
    holds(0 not in lengths, empty, expected=wanted, got=lengths, **given)
    sizes = "size is how many samples are in a batch, and not how many batches there are."
    as_many = [len(part) for part in np.array_split(np.arange(n), size)]
    holds(lengths != as_many or as_many == right, sizes, expected=wanted, got=lengths, **given)
    holds(lengths == right, expected=wanted, got=lengths, **given)
    seen = sorted(int(i) for batch in got for i in batch)
    from_one = "The indices go from 0 to n - 1."
    holds(seen != list(range(1, n + 1)), from_one, expected=str(list(range(n))), got=seen)
    hint = "Every index from 0 to n - 1 comes once."
    holds(seen == list(range(n)), hint, expected=str(list(range(n))), got=seen)


# %% nbgrader={"grade": true, "grade_id": "batches-sizes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="A size that divides n, one that is larger than n, a size of 1: no batch is empty, and none too large."
)
def batches_sizes(student, rng):
    """Whatever n and size are."""

    def program(batches, n, size, seed):
        return [np.asarray(batch) for batch in batches(n, size, np.random.default_rng(seed))]

    for n, size in [(8, 4), (5, 9), (4, 1), (6, 6), (10, 4), (1, 1)]:
        got = student.run(program, student.batches, n, size, int(rng.integers(1000)))
        lengths = [len(batch) for batch in got]
        wanted = [size] * (n // size) + ([n % size] if n % size else [])
        holds(lengths == wanted, expected=str(wanted), got=lengths, n=n, size=size)
        holds(sorted(int(i) for batch in got for i in batch) == list(range(n)), got=got, n=n, size=size)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "batches-random", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test
def batches_random(student, rng):
    """The same seed, the same batches; two epochs of one generator differ."""

    def program(batches, seed):
        one, other = np.random.default_rng(seed), np.random.default_rng(seed)
        epochs = [list(batches(50, 25, each)) for each in (one, one, other)]
        return [np.concatenate([np.asarray(batch) for batch in epoch]) for epoch in epochs]

    first, second, again = student.run(program, student.batches, int(rng.integers(1000)))
    order, kept = np.arange(50), "The order is not random."
    holds(not np.array_equal(first, order), expected="a shuffled order", got=first, advice=kept)
    mixed = not np.array_equal(np.sort(first[:25]), order[:25])
    whole = (
        "Which samples come together is the same in every epoch: all are shuffled, and then cut into batches."
    )
    holds(mixed, expected="shuffled over all", got=first, advice=whole)
    holds(
        np.array_equal(first, again),
        expected="the same order for the same seed",
        got=[first, again],
        advice="With the same seed the order is another one: it is not drawn from the rng that is given, or not from it alone.",
    )
    holds(
        not np.array_equal(first, second),
        expected="another order in the second epoch",
        got=[first, second],
        advice="The second epoch has the order of the first. It is to be drawn from the rng that is given.",
    )


### END HIDDEN TESTS


# %% [markdown]
# ## 3. One step
#
# Forget the old gradients, forwards, the loss (cross-entropy, the mean over the batch), backwards, update. Each of them once, in an order
# that you know by now.


# %% nbgrader={"grade": false, "grade_id": "step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def training_step(model, optimizer, x, y):
    """Do one step on a batch, x (n, inputs) an array and y (n,) its labels; return the loss before the update, a number."""
    ### BEGIN SOLUTION
    optimizer.zero_grad()
    loss = nn.CrossEntropyLoss()(model(mg.Tensor(x)), y)
    loss.backward()
    optimizer.step()
    return loss.item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "step-one", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def step_one(student, rng):
    """What is the loss of the network as it comes in, and what is it afterwards? You return the one, and cause the other."""

    def program(step, x, y):
        model = small_network(3)
        return step(model, optim.SGD(model, lr=variant.rate), x, y), weights_of(model)

    x, y = rng.normal(size=(8, variant.inputs)).astype(np.float32), rng.integers(0, 3, 8)
    loss, weights = student.run(program, student.training_step, x, y)
    before = weights_of(small_network(3))
    given = [*before, x.astype(float), y]
    moved = [w - variant.rate * vjp(loss_by_hand, given, k, 1.0) for k, w in enumerate(before)]
    wanted, wanted_after = loss_by_hand(*given), loss_by_hand(*moved, x, y)
    holds(loss is not None, "The loss is to be returned.", expected="a float", got="None")
    slips = {
        "That is the loss after the update.": wanted_after,
        "That is the sum over the batch: the mean is wanted.": 8 * wanted,
    }
    hint = next((hint for hint, number in slips.items() if np.allclose(loss, number, rtol=1e-4)), "")
    close(loss, wanted, rtol=1e-4, hint=hint, x=x, y=y)
    after = loss_by_hand(*weights, x, y)
    unchanged = np.allclose(after, wanted, rtol=1e-5)
    holds(
        not unchanged,
        "The loss is right, and nothing has been learnt: the weights are as they were.",
        got=after,
    )
    close(after, wanted_after, rtol=1e-4, hint="The loss is right; after the step the weights are not.")


# %% nbgrader={"grade": true, "grade_id": "step-several", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="Five steps in a row, by SGD with momentum and by Adam, from a model that had a gradient left over: each must see its own gradient and nothing of the one before."
)
def step_several(student, rng):
    """Five steps end where the engine's five steps end, from a model that had a gradient left over already."""

    def program(step, x, y):
        found = []
        for make in (lambda m: optim.SGD(m, lr=0.3, momentum=0.9), lambda m: optim.Adam(m, lr=0.05)):
            model = small_network(4)
            optimizer = make(model)
            nn.CrossEntropyLoss()(model(mg.Tensor(x)), y).backward()
            found += [step(model, optimizer, x[k : k + 6], y[k : k + 6]) for k in range(5)]
            found += [p.numpy().copy() for p in model.parameters()]
        return found

    def plain(model, optimizer, x, y):
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(model(mg.Tensor(x)), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    x, y = rng.normal(size=(12, variant.inputs)).astype(np.float32), rng.integers(0, 3, 12)
    got = student.run(program, student.training_step, x, y)
    for mine, wanted in zip(got, program(plain, x, y), strict=True):
        close(mine, wanted, rtol=1e-3, atol=1e-4)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "step-dropout", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test
def step_dropout(student, rng):
    """One forward pass for each step, in training mode."""

    def program(step, x, y):
        model = small_network(5, p=0.5)
        passes = []
        with mg.hooks(forward=lambda record, output: passes.append(record.operation.name)):
            step(model, optim.SGD(model, lr=0.1), x, y)
        return passes.count("dropout"), bool(model.training), x, y

    x, y = rng.normal(size=(8, variant.inputs)).astype(np.float32), rng.integers(0, 3, 8)
    count, training, *kept = student.run(program, student.training_step, x, y)
    mode = "There is dropout in the network: a training step is done, and ends, in training mode."
    holds(count > 0, expected="dropout drawn once", got=count, advice=mode)
    often = "The network is gone through more than once in one step: with dropout these are two networks."
    holds(count == 1, expected="dropout drawn once", got=count, advice=often)
    holds(training is True, expected="training mode", got=training, advice=mode)
    same(kept, [x, y], advice="Your function has written into an array that it was given.")


### END HIDDEN TESTS


# %% [markdown]
# ## 4. How good is it?
#
# The share of samples whose largest logit is that of their label. Measuring is not training: dropout is off, nothing is recorded for a backward
# pass, and afterwards the model is in the mode in which it was.


# %% nbgrader={"grade": false, "grade_id": "accuracy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def accuracy(model, x, y):
    """Return the share of x (n, inputs) that the model gives the label y (n,), a float from 0 to 1."""
    ### BEGIN SOLUTION
    was = model.training
    model.eval()
    with mg.no_grad():
        logits = model(mg.Tensor(x)).numpy()
    model.train(was)
    return float(np.mean(logits.argmax(axis=1) == y))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "accuracy-share", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
@test
def accuracy_share(student, rng):
    """Three of five are right here. Which class does the network say for a row of its results?"""

    def program(accuracy, x, y):
        model = nn.Linear(3, 3)  # whose results are its inputs
        model.weight.data[...], model.bias.data[...] = np.eye(3), 0
        return accuracy(model, x, y)

    x = np.array(
        [[0.1, 0.9, 0.3], [0.7, 0.2, 0.4], [0.2, 0.1, 0.8], [0.3, 0.6, 0.5], [0.1, 0.7, 0.2]], np.float32
    )
    y = np.array([1, 1, 2, 2, 1])
    close(
        student.run(program, student.accuracy, x, y),
        0.6,
        rtol=1e-5,
        x=x,
        y=y,
        slips={
            "That is the number of right ones; their share is wanted.": 3,
            "In percent; from 0 to 1 is wanted.": 60,
            "That is the share of wrong ones.": 0.4,
            "That is the share of those whose smallest logit is that of their label.": 0.2,
            "Right or wrong for each sample; the share is wanted.": [1.0, 0.0, 1.0, 0.0, 1.0],
        },
    )


# %% nbgrader={"grade": true, "grade_id": "accuracy-square", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="As many samples as classes: along which axis is the largest logit looked for? And a single sample."
)
def accuracy_square(student, rng):
    """Three samples, three classes; then a single one."""

    def program(accuracy, x, y):
        return accuracy(small_network(7), x, y)

    def guesses(x):
        return small_network(7)(mg.Tensor(x)).numpy().argmax(axis=1)

    for n in (3, 3, 3, 1):
        x = rng.normal(size=(n, variant.inputs)).astype(np.float32)
        close(student.run(program, student.accuracy, x, guesses(x)), 1.0)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "accuracy-dropout", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(
    advice="With nine tenths of the hidden units dropped the answers would be guesses: measure without dropout."
)
def accuracy_dropout(student, rng):
    """Measured in evaluation mode."""

    def program(accuracy, x, y):
        return accuracy(small_network(8, p=0.9), x, y)

    def guesses(x):
        return small_network(8, p=0.9).eval()(mg.Tensor(x)).numpy().argmax(axis=1)

    x = rng.normal(size=(60, variant.inputs)).astype(np.float32)
    close(student.run(program, student.accuracy, x, guesses(x)), 1.0)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "accuracy-mode", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="A model that was training goes on training, one that was not does not.")
def accuracy_mode(student, rng):
    """The mode afterwards is the mode before."""

    def program(accuracy, x, y):
        model, modes = small_network(9, p=0.5), []
        for mode in (True, False):
            model.train(mode)
            accuracy(model, x, y)
            modes.append(bool(model.training))
        return modes

    x, y = rng.normal(size=(4, variant.inputs)).astype(np.float32), rng.integers(0, 3, 4)
    got = student.run(program, student.accuracy, x, y)
    holds(got == [True, False], expected="training, then evaluation", got=got)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "accuracy-no-record", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test(advice="A record of every operation costs memory, and nobody will walk back from an accuracy.")
def accuracy_no_record(student, rng):
    """Nothing is recorded."""

    def program(accuracy, x, y):
        records = []
        with mg.hooks(forward=lambda record, output: records.append(1)):
            accuracy(small_network(10), x, y)
        return len(records)

    x, y = rng.normal(size=(4, variant.inputs)).astype(np.float32), rng.integers(0, 3, 4)
    got = student.run(program, student.accuracy, x, y)
    holds(got == 0, expected="no records", got=got)


### END HIDDEN TESTS

# %% [markdown]
# ## 5. Read what nobody has read before
#
# Train any network you like, in any way you like, with **at most `steps` steps** (backward passes of the engine; how many samples a step takes is up to you), and
# return a function that reads new pictures. There is no data set to look anything up in: each test makes up an alphabet of {{signs}} signs, three lines each, and writes them with a
# shaky hand, on 8 × 8 pixels as the digits are. You are given 1,200 pictures to learn from and are examined on 600 others:
# **at least 90 % of them in {{steps}} steps** here, 92 % at grading, with other alphabets than here. It takes a second or less.
#
# What helps: the same scale for all pixels, a hidden layer, Adam with a rate ten times its usual one, batches of about 64. (It reads digits just as well: try it.)


# %% nbgrader={"grade": false, "grade_id": "train", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train(x, y, steps, rng):
    """Return predict(new): for pictures (m, 64), float32 from 0 to 1, which sign each is, an integer array of shape (m,).

    x (n, 64) are the pictures to learn from, and y (n,) their signs, from 0 to {{signs}} - 1; all that is random is drawn from rng.
    """
    ### BEGIN SOLUTION
    mean, spread = x.mean(axis=0), x.std(axis=0)
    spread[spread == 0] = 1
    model = nn.Sequential(nn.Linear(64, 64, rng=rng), nn.ReLU(), nn.Linear(64, variant.signs, rng=rng))
    adam, cross_entropy = optim.Adam(model, lr=0.01), nn.CrossEntropyLoss()

    def logits(images):
        return model(mg.Tensor((images - mean) / spread))

    for _ in range(steps):
        rows = rng.choice(len(x), 64, replace=False)
        adam.zero_grad()
        cross_entropy(logits(x[rows]), y[rows]).backward()
        adam.step()
    return lambda new: logits(new).numpy().argmax(axis=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "train-reads", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
@test
def train_reads(student, rng):
    """Watch the loss: it starts near ln {{signs}}, and where it is below 0.3 the network reads nine of ten."""
    x, y, new, signs = signs_in_two(rng)
    steps = variant.steps
    got, used, _, _ = student.run(trained, student.train, x, y, new, steps, int(rng.integers(1000)))
    holds(
        used > 0,
        "No step was seen. The network is to be trained, by backward() and an optimizer of the engine.",
        got=used,
    )
    holds(
        used <= steps,
        f"{used} steps were taken, and {steps} were allowed.",
        expected=f"{steps} steps at most",
        got=used,
    )
    got = np.asarray(got)
    holds(got.shape == (600,), "One sign for each new picture is wanted.", expected="shape (600,)", got=got)
    right = float(np.mean(got == signs))
    holds(
        right >= 0.90,
        f"{right:.1%} of 600 new pictures were read after {used} steps; 90 % are wanted.",
        expected="at least 0.9",
        got=right,
    )


# %% nbgrader={"grade": true, "grade_id": "train-better", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test
def train_better(student, rng):
    """92 % of 600 others."""
    x, y, new, signs = signs_in_two(rng)
    budget = variant.steps
    got, used, *kept = student.run(trained, student.train, x, y, new, budget, int(rng.integers(1000)))
    steps = "Steps are backward passes and updates, of the engine, and at most as many as are given."
    holds(0 < used <= budget, expected=f"1 to {budget} steps", got=used, advice=steps)
    same(kept, [x, y], advice="Your function has written into an array that it was given.")
    right = float(np.mean(np.asarray(got) == signs))
    advice = "92 % of new pictures are to be read. Does your network get all of its training data to see, at a good rate?"
    holds(right >= 0.92, expected="at least 92 %", got=right, advice=advice)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "train-budget", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test
def train_budget(student, rng):
    """Twenty steps, at most, and most of the way."""
    x, y, new, signs = signs_in_two(rng)
    got, used, _, _ = student.run(trained, student.train, x, y, new, 20, int(rng.integers(1000)))
    steps = "Another budget, of 20 steps, which is to be kept as well."
    holds(0 < used <= 20, expected="1 to 20 steps", got=used, advice=steps)
    right = float(np.mean(np.asarray(got) == signs))
    advice = "With a budget of 20 steps 65 % are enough, and fewer were read."
    holds(right >= 0.65, expected="at least 65 %", got=right, advice=advice)


### END HIDDEN TESTS


# %% nbgrader={"grade": true, "grade_id": "train-repeatable", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
@test
def train_repeatable(student, rng):
    """Twice the same, and with another seed something else."""
    x, y, new, _ = signs_in_two(rng)
    one, again, other = (student.run(trained, student.train, x, y, new, 3, seed)[0] for seed in (11, 11, 12))
    twice = "With the same rng it ends at other answers: weights, batches, everything is to be drawn from it."
    holds(np.array_equal(again, one), expected="the same answers twice", got=[one, again], advice=twice)
    advice = "With another rng it ends at the same answers: weights and batches are to be drawn from it."
    holds(not np.array_equal(one, other), expected="other answers with another rng", got=other, advice=advice)


### END HIDDEN TESTS


# %% [markdown]
# ## What you have now
#
# A network that reads, and behind it every piece: rules, walk, broadcasting, layers, loss, optimizer, kernels. Tutorial 12 does the same with 60,000 larger
# digits, and `minigrad train` too.
