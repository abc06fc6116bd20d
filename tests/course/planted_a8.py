"""Wrong solutions of assignment 8."""

from tests.course.planting import Planted

STATISTICS = "mean, std = train.mean(axis=0), train.std(axis=0)"
GIVEN = "return (train - mean) / std, (new - mean) / std"
ORDER = "order = rng.permutation(n)"
LOSS = "loss = nn.CrossEntropyLoss()(model(mg.Tensor(x)), y)"
ROWS = "rows = rng.choice(len(x), 64, replace=False)"
READ = "return lambda new: logits(new).numpy().argmax(axis=1)"
SHARE = "return float(np.mean(logits.argmax(axis=1) == y))"
OF_SCALE = "standardise-numbers standardise-constant standardise-safe"
OF_BATCHES, OF_STEP = "batches-whole batches-sizes", "step-one step-several"
OF_SHARE = "accuracy-share accuracy-square accuracy-dropout"
OF_TRAINING = "train-reads train-better train-budget"

WITH_DROPOUT = """with mg.no_grad():
        logits = model(mg.Tensor(x)).numpy()
    model.eval()"""

IN_PLACE = """train -= mean
    train /= std
    return train, (new - mean) / std"""

LAST_LAYER_ONLY = (
    "adam, cross_entropy = optim.Adam(list(model[2].parameters()), lr=0.01), nn.CrossEntropyLoss()"
)
ADAM = "adam, cross_entropy = optim.Adam(model, lr=0.01), nn.CrossEntropyLoss()"

NEAREST = """return lambda new: y[np.argmin((x**2).sum(axis=1) - 2 * new @ x.T, axis=1)]
    mean, spread = x.mean(axis=0), x.std(axis=0)"""

PLANTED = [
    Planted(
        "standardise: the new images by themselves",
        GIVEN,
        "return (train - mean) / std, (new - new.mean(axis=0)) / np.where(new.std(axis=0) == 0, 1, new.std(axis=0))",
        "standardise-numbers standardise-constant",
        says="The new images were standardised",
    ),
    Planted(
        "standardise: the wrong axis",
        STATISTICS,
        STATISTICS.replace("axis=0", "axis=1, keepdims=True"),
        OF_SCALE,
        says="The mean went over each image",
    ),
    Planted(
        "standardise: one mean for all pixels",
        STATISTICS,
        STATISTICS.replace("axis=0", ""),
        OF_SCALE,
        says="One mean and one std were",
    ),
    Planted(
        "standardise: divided by 0",
        "np.where(std == 0, 1, std)",
        "np.asarray(std)",
        "standardise-constant standardise-safe",
        says="A pixel that is the same|On the real digits there",
    ),
    Planted(
        "standardise: an ε instead of a 1",
        "np.where(std == 0, 1, std)",
        "np.asarray(std + 1e-8)",
        "standardise-constant",
        says="A pixel that is the same",
    ),
    Planted(
        "standardise: n - 1",
        "train.std(axis=0)",
        "train.std(axis=0, ddof=1)",
        "standardise-numbers standardise-constant standardise-safe",
        says="The std has n - 1 in it;",
    ),
    Planted(
        "standardise: divided by the variance",
        "train.std(axis=0)",
        "train.var(axis=0)",
        OF_SCALE,
        says="Divided by the variance instead",
    ),
    Planted(
        "standardise: train is changed", GIVEN, IN_PLACE, "standardise-safe", says="Your function has written"
    ),
    Planted(
        "batches: the last one is lost",
        "range(0, n, size)",
        "range(0, n - size + 1, size)",
        OF_BATCHES,
        says="What is left makes a batch",
    ),
    Planted(
        "batches: an empty one at the end",
        "range(0, n, size)",
        "range(0, n + 1, size)",
        "batches-sizes",
        says="A size that divides n, one",
    ),
    Planted(
        "batches: in order", ORDER, "order = np.arange(n)", "batches-random", says="The order is not random"
    ),
    Planted(
        "batches: drawn with repetition",
        ORDER,
        "order = rng.integers(0, n, n)",
        OF_BATCHES,
        says="Every index from 0 to n -",
    ),
    Planted(
        "batches: another generator",
        ORDER,
        "order = np.random.default_rng(0).permutation(n)",
        "batches-random",
        says="The second epoch has the",
    ),
    Planted(
        "batches: NumPy's global state",
        ORDER,
        "order = np.random.permutation(n)",
        "batches-random",
        says="With the same seed the order",
    ),
    Planted(
        "batches: off by one", "order[start : start + size]", "order[start : start + size - 1]", OF_BATCHES
    ),
    Planted(
        "step: no zero_grad",
        "optimizer.zero_grad()",
        "pass",
        "step-several",
        says="Five steps in a row, by SGD",
    ),
    Planted(
        "step: zero_grad between backward and step",
        "loss.backward()",
        "loss.backward()\n    optimizer.zero_grad()",
        OF_STEP + " step-dropout",
    ),
    Planted("step: no step", "optimizer.step()", "pass", OF_STEP, says="The loss is right, and nothing"),
    Planted(
        "step: softmax before cross-entropy",
        LOSS,
        LOSS.replace("model(mg.Tensor(x))", "mg.ops.softmax(model(mg.Tensor(x)))"),
        OF_STEP,
    ),
    Planted(
        "step: the sum instead of the mean",
        LOSS,
        "loss = mg.ops.softmax_cross_entropy(model(mg.Tensor(x)), y).sum()",
        OF_STEP,
        says="That is the sum over the",
    ),
    Planted(
        "step: the loss after the update",
        "return loss.item()",
        "return nn.CrossEntropyLoss()(model(mg.Tensor(x)), y).item()",
        OF_STEP + " step-dropout",
        says="That is the loss after the",
    ),
    Planted(
        "step: two steps",
        "optimizer.step()",
        "optimizer.step()\n    optimizer.step()",
        OF_STEP,
        says="The loss is right; after",
    ),
    Planted(
        "step: in evaluation mode",
        LOSS,
        "model.eval()\n    " + LOSS,
        "step-dropout",
        says="There is dropout in the network",
    ),
    Planted(
        "accuracy: the wrong axis",
        "argmax(axis=1)",
        "argmax(axis=0 if len(x) == logits.shape[1] else 1)",
        "accuracy-square",
        "accuracy",
        says="As many samples as classes",
    ),
    Planted(
        "accuracy: the number of right ones",
        "float(np.mean(logits",
        "float(np.sum(logits",
        OF_SHARE,
        says="That is the number of right",
    ),
    Planted(
        "accuracy: in percent",
        SHARE,
        SHARE.replace("float(", "100 * float("),
        OF_SHARE,
        says="In percent; from 0 to 1 is",
    ),
    Planted(
        "accuracy: the smallest logit",
        "logits.argmax",
        "logits.argmin",
        OF_SHARE,
        says="That is the share of those",
    ),
    Planted(
        "accuracy: with dropout",
        "model.eval()\n    with mg.no_grad():\n        logits = model(mg.Tensor(x)).numpy()",
        WITH_DROPOUT,
        "accuracy-dropout",
        says="With nine tenths of the hidden",
    ),
    Planted(
        "accuracy: left in evaluation mode",
        "model.train(was)",
        "pass",
        "accuracy-mode",
        says="A model that was training",
    ),
    Planted(
        "accuracy: always training afterwards",
        "model.train(was)",
        "model.train()",
        "accuracy-mode",
        says="A model that was training",
    ),
    Planted(
        "accuracy: everything is recorded",
        "with mg.no_grad():",
        "if True:",
        "accuracy-no-record",
        says="A record of every operation",
    ),
    Planted(
        "train: one step too many",
        "for _ in range(steps):",
        "for _ in range(steps + 1):",
        OF_TRAINING,
        says="steps were taken, and 60",
    ),
    Planted(
        "train: its own budget",
        "for _ in range(steps):",
        "for _ in range(100):",
        OF_TRAINING,
        says="steps were taken, and 60",
    ),
    Planted(
        "train: a rate a hundred times too small",
        "lr=0.01",
        "lr=0.0001",
        OF_TRAINING,
        says="of 600 new pictures were read",
    ),
    Planted(
        "train: always the same batch",
        ROWS,
        "rows = np.arange(64)",
        "train-reads train-better",
        says="of 600 new pictures were read",
    ),
    Planted(
        "train: the new images are divided by 16 again",
        READ,
        READ.replace("logits(new)", "logits(new / 16)"),
        OF_TRAINING + " train-repeatable",
        says="of 600 new pictures were read",
    ),
    Planted(
        "train: not from the rng that is given",
        ROWS,
        "rows = np.random.choice(len(x), 64, replace=False)",
        "train-repeatable",
        says="With the same rng it ends",
    ),
    Planted(
        "train: labels in another order than images",
        "y[rows])",
        "rng.permutation(y[rows]))",
        OF_TRAINING,
        says="of 600 new pictures were read",
    ),
    Planted(
        "train: logits instead of signs",
        READ,
        "return lambda new: logits(new).numpy()",
        OF_TRAINING,
        says="One sign for each new picture",
    ),
    Planted(
        "train: x is clipped in place",
        "model = nn",
        "np.clip(x, 0, 0.9, out=x)\n    model = nn",
        "train-better",
        says="Your function has written",
    ),
    Planted(
        "train: the nearest of 1,200 neighbours, which is no training",
        "mean, spread = x.mean(axis=0), x.std(axis=0)",
        NEAREST,
        OF_TRAINING + " train-repeatable",
        says="No step was seen",
    ),
    Planted(
        "standardise: the mean alone",
        GIVEN,
        "return train - mean, new - mean",
        OF_SCALE,
        says="Only the mean was subtracted",
    ),
    Planted(
        "standardise: the std alone",
        GIVEN,
        "return train / std, new / std",
        OF_SCALE,
        says="Only divided by the std",
    ),
    Planted(
        "standardise: new less the mean alone",
        GIVEN,
        "return (train - mean) / std, new - mean",
        "standardise-numbers standardise-constant",
        says="The new images have the training",
    ),
    Planted(
        "standardise: new as it came",
        GIVEN,
        "return (train - mean) / std, new",
        "standardise-numbers standardise-constant",
        says="The new images are as they",
    ),
    Planted(
        "standardise: the sign",
        GIVEN,
        "return (mean - train) / std, (mean - new) / std",
        "standardise-numbers standardise-constant",
        says="The sign is turned",
    ),
    Planted(
        "batches: that many batches",
        "return [order[start : start + size] for start in range(0, n, size)]",
        "return [each for each in np.array_split(order, size) if len(each)]",
        OF_BATCHES,
        says="size is how many samples",
    ),
    Planted(
        "batches: from 1",
        ORDER,
        "order = rng.permutation(n) + 1",
        OF_BATCHES,
        says="The indices go from 0 to",
    ),
    Planted(
        "batches: each batch shuffled, not the whole",
        "return [order[start : start + size] for start in range(0, n, size)]",
        "return [rng.permutation(np.arange(start, min(n, start + size))) for start in range(0, n, size)]",
        "batches-random",
        says="Which samples come together",
    ),
    Planted(
        "step: nothing is returned",
        "return loss.item()",
        "loss.item()",
        OF_STEP,
        says="The loss is to be returned",
    ),
    Planted(
        "step: uphill", "loss.backward()", "(-loss).backward()", OF_STEP, says="The loss is right; after"
    ),
    Planted(
        "step: x is changed",
        LOSS,
        "x *= 1.00001\n    " + LOSS,
        "step-dropout",
        says="Your function has written",
    ),
    Planted(
        "accuracy: the share of wrong ones",
        "argmax(axis=1) == y",
        "argmax(axis=1) != y",
        OF_SHARE,
        says="That is the share of wrong",
    ),
    Planted(
        "accuracy: right or wrong for each",
        SHARE,
        "return (logits.argmax(axis=1) == y).astype(float)",
        OF_SHARE,
        says="Right or wrong for each sample;",
    ),
    Planted(
        "train: new images on another scale",
        READ,
        "return lambda new: model(mg.Tensor(new)).numpy().argmax(axis=1)",
        "train-reads train-better",
        says="of 600 new pictures were read",
    ),
    Planted(
        "train: the same weights and batches each time",
        "mean, spread = x.mean(axis=0), x.std(axis=0)",
        "rng = np.random.default_rng(0)\n    mean, spread = x.mean(axis=0), x.std(axis=0)",
        "train-repeatable",
        says="With another rng it ends",
    ),
    Planted(
        "train: the output unit of the smallest",
        READ,
        READ.replace("argmax", "argmin"),
        OF_TRAINING,
        says="of 600 new pictures were read",
    ),
]
