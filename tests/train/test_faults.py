"""Break it: the fault is really there, the numbers in the sentence are those of the run, the message is minigrad's."""

import math
import re
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad.data import load_digits
from minigrad.errors import ConfigError, MinigradWarning
from minigrad.train.faults import FAULTS, broken

CODES = {
    "no_zero_grad": ["MG-201"],
    "rate_x100": ["MG-405"],
    "softmax_twice": ["MG-401"],
    "zero_init": ["MG-406"],
    "unscaled_pixels": ["MG-404", "MG-405"],
    "deep_sigmoid": ["MG-407"],
}


@pytest.fixture(scope="module")
def shown():
    return {name: broken(name) for name in FAULTS}


def end(losses):
    return np.mean([loss for loss in losses if math.isfinite(loss)][-10:])


@pytest.mark.parametrize("name", FAULTS)
def test_the_healthy_network_learns_and_the_broken_one_does_not(shown, name):
    pair = shown[name]
    assert pair.healthy.accuracy > 0.7
    assert pair.broken.accuracy < pair.healthy.accuracy - 0.2
    assert end(pair.broken.losses) > 2 * end(pair.healthy.losses)
    assert pair.healthy.messages == []


@pytest.mark.parametrize("name", FAULTS)
def test_the_message_is_minigrad_s_own(shown, name):
    codes = [message.split()[0] for message in shown[name].messages]
    assert codes == CODES[name]
    assert all(message in shown[name].text for message in shown[name].messages)


def rounded(value):
    return float(f"{value:.4g}")


def numbers_in(text):
    return [float(n.replace("−", "-")) for n in re.findall(r"\d+\.?\d*(?:e[-+−]\d+)?", text)]


@pytest.mark.parametrize("name", FAULTS)
def test_the_sentence_ends_with_the_loss_that_it_had(shown, name):
    assert rounded(end(shown[name].broken.losses)) in numbers_in(shown[name].symptom)
    assert shown[name].symptom.endswith(".")


def test_the_other_numbers_of_the_sentences(shown):
    numbers = {name: numbers_in(pair.symptom) for name, pair in shown.items()}
    assert rounded(max(shown["no_zero_grad"].broken.losses)) in numbers["no_zero_grad"]
    assert rounded(shown["rate_x100"].broken.losses[0]) in numbers["rate_x100"]
    assert 1.461 in numbers["softmax_twice"]
    assert min(shown["softmax_twice"].broken.losses) > 1.461
    assert 2.303 in numbers["zero_init"]
    weights = [size for name, size in shown["deep_sigmoid"].broken.gradients.items() if "weight" in name]
    assert rounded(weights[-1] / weights[0]) in numbers["deep_sigmoid"]
    assert weights[-1] > 1000 * weights[0]


def test_zero_weights_stay_alike(shown):
    weight = shown["zero_init"].broken.first_weight
    assert weight.shape == (32, 64)
    assert (weight == weight[0]).all()
    assert "32 hidden units" in shown["zero_init"].symptom


def test_the_first_loss_is_that_of_the_first_batch(shown):
    from minigrad import nn
    from minigrad.data import DataLoader, Dataset

    rng = np.random.default_rng(0)
    first, second = nn.Linear(64, 32, rng=rng), nn.Linear(32, 10, rng=rng)
    digits = load_digits()
    x, y = next(iter(DataLoader(Dataset(digits.x[:1400], digits.y[:1400]), 50, rng=np.random.default_rng(1))))
    w1, b1, w2, b2 = (p.numpy() for layer in (first, second) for p in layer.parameters())
    for scale, name in ((1, "no_zero_grad"), (255, "unscaled_pixels")):
        logits = np.maximum(scale * x @ w1.T + b1, 0) @ w2.T + b2
        logits -= logits.max(axis=1, keepdims=True)
        loss = (np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(y)), y]).mean()
        assert shown[name].broken.losses[0] == pytest.approx(loss, rel=1e-4)


def test_the_same_seed_gives_the_same_bits_and_the_same_message_again(shown):
    again = broken("softmax_twice")
    assert again.broken.losses == shown["softmax_twice"].broken.losses
    assert [message.split()[0] for message in again.messages] == ["MG-401"]


def test_no_warning_escapes_and_none_is_lost():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        broken("softmax_twice", epochs=1)
        assert not caught
        logits = mg.Tensor(np.ones((2, 3), np.float32), requires_grad=True)
        mg.nn.cross_entropy(mg.ops.softmax(logits), np.array([0, 1]))
    assert [w.category for w in caught] == [MinigradWarning]


def test_the_picture_holds_both_curves(shown):
    axis = shown["rate_x100"].figure.axes[0]
    found = {line.get_label(): line for line in axis.lines}
    assert list(found["healthy"].get_ydata()) == shown["rate_x100"].healthy.losses
    assert list(found["broken"].get_ydata()) == shown["rate_x100"].broken.losses
    assert found["healthy"].get_linestyle() != found["broken"].get_linestyle()


def test_a_notebook_shows_picture_and_text(shown):
    html = shown["no_zero_grad"]._repr_mimebundle_()["text/html"]
    assert "data:image/png;base64," in html
    assert "MG-201" in html
    assert repr(shown["no_zero_grad"]) == shown["no_zero_grad"].text


def test_an_unknown_fault_is_named():
    with pytest.raises(ConfigError, match=r"MG-906 .*zero_init"):
        mg.viz.broken("zero")
