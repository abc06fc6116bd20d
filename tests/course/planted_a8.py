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
    ),
    Planted(
        "standardise: the wrong axis",
        STATISTICS,
        STATISTICS.replace("axis=0", "axis=1, keepdims=True"),
        OF_SCALE,
    ),
    Planted("standardise: one mean for all pixels", STATISTICS, STATISTICS.replace("axis=0", ""), OF_SCALE),
    Planted(
        "standardise: divided by 0",
        "np.where(std == 0, 1, std)",
        "np.asarray(std)",
        "standardise-constant standardise-safe",
    ),
    Planted(
        "standardise: an ε instead of a 1",
        "np.where(std == 0, 1, std)",
        "np.asarray(std + 1e-8)",
        "standardise-constant",
    ),
    Planted(
        "standardise: n - 1",
        "train.std(axis=0)",
        "train.std(axis=0, ddof=1)",
        "standardise-numbers standardise-constant standardise-safe",
    ),
    Planted("standardise: divided by the variance", "train.std(axis=0)", "train.var(axis=0)", OF_SCALE),
    Planted("standardise: train is changed", GIVEN, IN_PLACE, "standardise-safe"),
    Planted(
        "standardise: float64 whatever comes", ".astype(train.dtype)", ".astype(float)", "standardise-safe"
    ),
    Planted("batches: the last one is lost", "range(0, n, size)", "range(0, n - size + 1, size)", OF_BATCHES),
    Planted(
        "batches: an empty one at the end", "range(0, n, size)", "range(0, n + 1, size)", "batches-sizes"
    ),
    Planted("batches: in order", ORDER, "order = np.arange(n)", "batches-random"),
    Planted("batches: drawn with repetition", ORDER, "order = rng.integers(0, n, n)", OF_BATCHES),
    Planted(
        "batches: another generator",
        ORDER,
        "order = np.random.default_rng(0).permutation(n)",
        "batches-random",
    ),
    Planted("batches: NumPy's global state", ORDER, "order = np.random.permutation(n)", "batches-random"),
    Planted(
        "batches: off by one", "order[start : start + size]", "order[start : start + size - 1]", OF_BATCHES
    ),
    Planted("step: no zero_grad", "optimizer.zero_grad()", "pass", "step-several"),
    Planted(
        "step: zero_grad between backward and step",
        "loss.backward()",
        "loss.backward()\n    optimizer.zero_grad()",
        OF_STEP + " step-dropout",
    ),
    Planted("step: no step", "optimizer.step()", "pass", OF_STEP),
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
    ),
    Planted(
        "step: the loss after the update",
        "return loss.item()",
        "return nn.CrossEntropyLoss()(model(mg.Tensor(x)), y).item()",
        OF_STEP + " step-dropout",
    ),
    Planted("step: two steps", "optimizer.step()", "optimizer.step()\n    optimizer.step()", OF_STEP),
    Planted("step: in evaluation mode", LOSS, "model.eval()\n    " + LOSS, "step-dropout"),
    Planted(
        "accuracy: the wrong axis",
        "argmax(axis=1)",
        "argmax(axis=0 if len(x) == logits.shape[1] else 1)",
        "accuracy-square",
        "accuracy",
    ),
    Planted("accuracy: the number of right ones", "float(np.mean(logits", "float(np.sum(logits", OF_SHARE),
    Planted("accuracy: in percent", SHARE, SHARE.replace("float(", "100 * float("), OF_SHARE),
    Planted("accuracy: the smallest logit", "logits.argmax", "logits.argmin", OF_SHARE),
    Planted(
        "accuracy: with dropout",
        "model.eval()\n    with mg.no_grad():\n        logits = model(mg.Tensor(x)).numpy()",
        WITH_DROPOUT,
        "accuracy-dropout",
    ),
    Planted("accuracy: left in evaluation mode", "model.train(was)", "pass", "accuracy-mode"),
    Planted("accuracy: always training afterwards", "model.train(was)", "model.train()", "accuracy-mode"),
    Planted("accuracy: everything is recorded", "with mg.no_grad():", "if True:", "accuracy-no-record"),
    Planted("train: one step too many", "for _ in range(steps):", "for _ in range(steps + 1):", OF_TRAINING),
    Planted("train: its own budget", "for _ in range(steps):", "for _ in range(100):", OF_TRAINING),
    Planted("train: a rate a hundred times too small", "lr=0.01", "lr=0.0001", OF_TRAINING),
    Planted("train: always the same batch", ROWS, "rows = np.arange(64)", "train-reads train-better"),
    Planted(
        "train: the new images are divided by 16 again",
        READ,
        READ.replace("logits(new)", "logits(new / 16)"),
        OF_TRAINING + " train-repeatable",
    ),
    Planted("train: gradients are never forgotten", "adam.zero_grad()", "pass", "train-reads train-better"),
    Planted(
        "train: not from the rng that is given",
        ROWS,
        "rows = np.random.choice(len(x), 64, replace=False)",
        "train-repeatable",
    ),
    Planted(
        "train: labels in another order than images", "y[rows])", "rng.permutation(y[rows]))", OF_TRAINING
    ),
    Planted("train: logits instead of signs", READ, "return lambda new: logits(new).numpy()", OF_TRAINING),
    Planted(
        "train: signs as floats",
        READ,
        "return lambda new: logits(new).numpy().argmax(axis=1).astype(float)",
        "train-budget",
    ),
    Planted(
        "train: x is clipped in place",
        "model = nn",
        "np.clip(x, 0, 0.9, out=x)\n    model = nn",
        "train-better",
    ),
    Planted(
        "train: the nearest of 1,200 neighbours, which is no training",
        "mean, spread = x.mean(axis=0), x.std(axis=0)",
        NEAREST,
        OF_TRAINING + " train-repeatable",
    ),
]
