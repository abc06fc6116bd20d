"""Nothing that is installed holds what an exam asks: looking it up fails, learning it in any usual way passes."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.course.assignment import find, load
from minigrad.data import load_digits
from tests.course import planting
from tests.course.planting import Planted

EXAM = {"train-reads", "train-better", "train-budget"}
TRAIN = "mean, spread = x.mean(axis=0), x.std(axis=0)"
RATE = "adam, cross_entropy = optim.Adam(model, lr=0.01), nn.CrossEntropyLoss()"
ROWS = "rows = rng.choice(len(x), 64, replace=False)"
MODEL = "model = nn.Sequential(nn.Linear(64, 64, rng=rng), nn.ReLU(), nn.Linear(64, variant.signs, rng=rng))"

A_STEP = """w = mg.Tensor(np.zeros(3), requires_grad=True)
    sgd = optim.SGD([w], lr=0.1)
    (w + rng.normal()).sum().backward()
    sgd.step()
"""
NEAREST = f"""{A_STEP}
    known = load_digits()
    nearest = lambda new: np.argmin((known.x**2).sum(axis=1) - 2 * new @ known.x.T, axis=1)
"""
LOOKED_UP = {
    "the label of the nearest digit": f"""{NEAREST}
    return lambda new: known.y[nearest(new)]
    {TRAIN}""",
    "the sign that is most often where this digit is nearest": f"""{NEAREST}
    seen = known.y[nearest(x)]
    meant = np.array([np.bincount(y[seen == k], minlength=10).argmax() if (seen == k).any() else 0 for k in range(10)])
    return lambda new: meant[known.y[nearest(new)]]
    {TRAIN}""",
    "what scikit-learn made of its digits, put into these signs": f"""{A_STEP}
    from sklearn.datasets import load_digits as theirs
    from sklearn.linear_model import LogisticRegression

    images, labels = theirs(return_X_y=True)
    made = LogisticRegression(max_iter=200).fit(images / 16, labels)
    seen = made.predict(x)
    meant = np.array([np.bincount(y[seen == k], minlength=10).argmax() if (seen == k).any() else 0 for k in range(10)])
    return lambda new: meant[made.predict(new)]
    {TRAIN}""",
}

HONEST = {
    "half as wide": (MODEL, MODEL.replace("Linear(64, 64", "Linear(64, 32").replace("Linear(64, v", "Linear(32, v")),
    "twice as wide": (
        MODEL,
        MODEL.replace("Linear(64, 64", "Linear(64, 128").replace("Linear(64, v", "Linear(128, v"),
    ),
    "tanh": (MODEL, MODEL.replace("ReLU", "Tanh")),
    "a layer more": (MODEL, MODEL.replace("nn.ReLU()", "nn.ReLU(), nn.Linear(64, 64, rng=rng), nn.ReLU()")),
    "no hidden layer": (MODEL, "model = nn.Sequential(nn.Linear(64, variant.signs, rng=rng))"),
    "twice the rate": (RATE, RATE.replace("0.01", "0.02")),
    "momentum": (RATE, RATE.replace("optim.Adam(model, lr=0.01)", "optim.SGD(model, lr=0.1, momentum=0.9)")),
    "batches of 128": (ROWS, ROWS.replace("64", "128")),
    "all at once": (ROWS, "rows = np.arange(len(x))"),
    "one scale for all pixels": (TRAIN, "mean, spread = x.mean(), np.zeros(64, x.dtype) + x.std()"),
}  # fmt: skip


def lost(variant: str, old: str, new: str, seed: int) -> set[str]:
    one = load(find("A8"), variant)
    cells = planting.changed(one, Planted("", old, new, ""))
    bench = planting.Bench(one)
    student, _ = planting.local(cells, one)
    return {
        test.name for test in one.tests if test.name in EXAM and not bench.run(test, student, seed).passed
    }


@pytest.mark.parametrize("variant", ["", "a class of next year"])
@pytest.mark.parametrize("new", LOOKED_UP.values(), ids=LOOKED_UP)
def test_a8_is_not_looked_up(new, variant):
    assert lost(variant, TRAIN, new, seed=1) == EXAM


@pytest.mark.parametrize("variant", ["", "a class of next year"])
@pytest.mark.parametrize(("old", "new"), HONEST.values(), ids=HONEST)
def test_a8_is_learned_in_other_ways_too(old, new, variant):
    assert lost(variant, old, new, seed=1) == set()


def test_the_same_looking_up_would_have_read_digits():
    known = load_digits()
    new = known.x[::3]
    nearest = np.argmin((known.x**2).sum(axis=1) - 2 * new @ known.x.T, axis=1)
    assert np.mean(known.y[nearest] == known.y[::3]) > 0.99


def test_every_exam_has_an_alphabet_of_its_own():
    shared = planting.Bench(load(find("A8"))).shared
    for_one, for_other = (shared["alphabet"](np.random.default_rng(seed)) for seed in (1, 2))
    assert for_one.shape == (10, 4, 2)
    assert not np.isin(for_one, for_other).any()
    pictures, signs, new, _ = shared["signs_in_two"](np.random.default_rng(1))
    assert (pictures.shape, new.shape, pictures.dtype) == ((1200, 64), (600, 64), np.float32)
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    assert set(signs) == set(range(10))
