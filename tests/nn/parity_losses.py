"""Random configurations of the losses, compared with PyTorch: values, and gradients of predictions and targets."""

import numpy as np

import minigrad as mg
from minigrad import nn
from tests.nn.parity import close
from tests.nn.parity_normalization import shape, some


def compare(torch, name, settings, inputs, differentiable, rng):
    """``nn.name(**settings)`` of these inputs here and there; arrays among the settings are class weights."""
    there = {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in settings.items()}
    ours, theirs = getattr(nn, name)(**settings), getattr(torch.nn, name)(**there)
    mine = [mg.Tensor(x, requires_grad=k in differentiable) for k, x in enumerate(inputs)]
    other = [torch.tensor(x, requires_grad=k in differentiable) for k, x in enumerate(inputs)]
    y, z = ours(*mine), theirs(*other)
    close(y.numpy(), z.detach().numpy(), name)
    g = rng.normal(size=y.shape)
    y.backward(g)
    z.backward(torch.tensor(g))
    for k in differentiable:
        close(mine[k].grad.numpy(), other[k].grad.numpy(), f"input {k}")


def reduction(rng, *more):
    return str(rng.choice(["mean", "sum", "none", *more]))


def classes(rng):
    """A shape (n, classes, …) and labels for it, some of them ignored."""
    n, count, beyond = some(rng, 1, 5), some(rng, 2, 5), shape(rng, 0, 2, 3)
    labels = rng.integers(0, count, (n, *beyond))
    settings = {"reduction": reduction(rng)}
    ignored = int(rng.choice([-100, 0, count - 1, 7]))
    if ignored != -100:
        settings["ignore_index"] = ignored
    if rng.random() < 0.5:
        labels = np.where(rng.random(labels.shape) < 0.3, ignored, labels)
    if rng.random() < 0.5:
        settings["weight"] = rng.uniform(0.2, 2, count)
    counted = labels != ignored
    if not counted.any():
        labels[...] = (ignored + 1) % count  # the mean of nothing is no number
    return (n, count, *beyond), labels, settings


def cross_entropy(torch, rng):
    lengths, labels, settings = classes(rng)
    settings["label_smoothing"] = float(rng.choice([0.0, 0.1, 1.0]))
    compare(torch, "CrossEntropyLoss", settings, (3 * rng.normal(size=lengths), labels), (0,), rng)


def cross_entropy_of_probabilities(torch, rng):
    lengths, _, settings = classes(rng)
    settings.pop("ignore_index", None)
    settings["label_smoothing"] = float(rng.choice([0.0, 0.1, 1.0]))
    target = rng.dirichlet(np.ones(lengths[1]), size=(lengths[0], *lengths[2:]))
    inputs = 3 * rng.normal(size=lengths), np.moveaxis(target, -1, 1)
    compare(torch, "CrossEntropyLoss", settings, inputs, (0, 1), rng)


def nll(torch, rng):
    lengths, labels, settings = classes(rng)
    compare(torch, "NLLLoss", settings, (rng.normal(size=lengths), labels), (0,), rng)


def kl_div(torch, rng):
    lengths = shape(rng, 1, 3)
    settings = {"reduction": reduction(rng, "batchmean"), "log_target": bool(rng.random() < 0.5)}
    target = rng.normal(size=lengths) if settings["log_target"] else rng.uniform(0.01, 1, lengths)
    compare(torch, "KLDivLoss", settings, (rng.normal(size=lengths), target), (0, 1), rng)


def pairs(name, **drawn):
    def one(torch, rng):
        lengths = shape(rng, 1, 3)
        settings = {"reduction": reduction(rng), **{key: draw(rng) for key, draw in drawn.items()}}
        inputs = rng.choice([0.3, 3.0]) * rng.normal(size=lengths), rng.normal(size=lengths)
        compare(torch, name, settings, inputs, (0, 1), rng)

    return one


def bce(torch, rng):
    lengths = shape(rng, 1, 3)
    p = rng.uniform(0, 1, lengths)
    settings = {"reduction": reduction(rng)}
    if rng.random() < 0.5:
        settings["weight"] = rng.uniform(0.2, 2, lengths[-1])
    compare(torch, "BCELoss", settings, (p, rng.uniform(0, 1, lengths)), (0,), rng)


def bce_with_logits(torch, rng):
    lengths = shape(rng, 1, 3)
    settings = {"reduction": reduction(rng)}
    for key in ("weight", "pos_weight"):
        if rng.random() < 0.5:
            settings[key] = rng.uniform(0.2, 2, lengths[-1])
    inputs = 3 * rng.normal(size=lengths), rng.uniform(0, 1, lengths)
    compare(torch, "BCEWithLogitsLoss", settings, inputs, (0, 1), rng)


def cosine(torch, rng):
    lengths = shape(rng, 2, 3)
    settings = {"dim": int(rng.integers(-1, len(lengths))), "eps": float(rng.choice([1e-8, 1e-3]))}
    compare(torch, "CosineSimilarity", settings, [rng.normal(size=lengths) for _ in range(2)], (0, 1), rng)


def cosine_embedding(torch, rng):
    lengths = some(rng, 1, 5), some(rng, 2, 5)
    settings = {"reduction": reduction(rng), "margin": float(rng.choice([0.0, 0.3, -0.5]))}
    inputs = rng.normal(size=lengths), rng.normal(size=lengths), rng.choice([-1, 1], lengths[0])
    compare(torch, "CosineEmbeddingLoss", settings, inputs, (0, 1), rng)


CONFIGURATIONS = {
    "CrossEntropyLoss": cross_entropy,
    "CrossEntropyLoss of probabilities": cross_entropy_of_probabilities,
    "NLLLoss": nll,
    "KLDivLoss": kl_div,
    "MSELoss": pairs("MSELoss"),
    "L1Loss": pairs("L1Loss"),
    "HuberLoss": pairs("HuberLoss", delta=lambda rng: rng.uniform(0.2, 2)),
    "SmoothL1Loss": pairs("SmoothL1Loss", beta=lambda rng: float(rng.choice([0.0, 0.5, 1.0, 2.0]))),
    "BCELoss": bce,
    "BCEWithLogitsLoss": bce_with_logits,
    "CosineSimilarity": cosine,
    "CosineEmbeddingLoss": cosine_embedding,
}
