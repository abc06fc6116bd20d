"""PyTorch's functions in the module: what makes tensors, and what is said where there is no such name."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minigrad as mg
from minigrad import words

torch = pytest.importorskip("torch")


@pytest.mark.parametrize(
    "form",
    [
        "m.tensor(1.5)",
        "m.tensor([1.0, 2.0])",
        "m.tensor([[1, 2], [3, 4]])",
        "m.tensor([True, False])",
        "m.tensor([1.0, 2.0], requires_grad=True)",
        "m.tensor(np.ones((2, 2)))",
        "m.zeros(3)",
        "m.zeros(2, 3)",
        "m.zeros((2, 3))",
        "m.zeros(2, requires_grad=True)",
        "m.ones(2, 3)",
        "m.ones((4,), requires_grad=True)",
        "m.full((2, 3), 1.5)",
        "m.full((2,), 7)",
        "m.eye(3)",
        "m.eye(2, 3)",
        "m.arange(5)",
        "m.arange(1, 4)",
        "m.arange(0, 1, 0.25)",
        "m.linspace(0, 1, 5)",
        "m.linspace(0, 1, steps=3)",
        "m.from_numpy(np.arange(3.0))",
        "m.from_numpy(np.arange(3, dtype='float32'))",
        "m.zeros_like(m.ones(2, 3))",
        "m.ones_like(m.tensor([1, 2]))",
        "m.cat([m.ones(2, 3), m.zeros(1, 3)])",
        "m.cat([m.ones(2, 3), m.zeros(2, 1)], dim=1)",
        "m.cat((m.ones(2, 3), m.zeros(2, 1)), 1)",
        "m.stack([m.ones(3), m.zeros(3)])",
        "m.stack([m.ones(3), m.zeros(3)], dim=1)",
        "m.stack([m.ones(3), m.zeros(3)], dim=-1)",
    ],
)
def test_as_in_pytorch(form):
    mine, theirs = eval(form, {"m": mg, "np": np}), eval(form, {"m": torch, "np": np})
    assert isinstance(mine, mg.Tensor)
    assert str(mine.dtype) == str(theirs.dtype).removeprefix("torch.")
    assert mine.requires_grad == theirs.requires_grad
    np.testing.assert_array_equal(mine.data, theirs.detach().numpy())


def test_tensor_copies_and_from_numpy_does_not():
    array = np.ones(3)
    assert not np.shares_memory(mg.tensor(array).data, array)
    assert not np.shares_memory(mg.tensor(mg.Tensor(array)).data, array)
    assert mg.from_numpy(array).data is array
    assert mg.tensor([1, 2], dtype="float64").dtype == np.float64


def test_joined_tensors_keep_their_gradients():
    a, b = mg.ones(2, requires_grad=True), mg.ones(2, requires_grad=True)
    (mg.cat([a, b]) * np.array([1.0, 2.0, 3.0, 4.0])).sum().backward()
    (mg.stack([a, b], dim=1) * np.array([[10.0, 20.0], [30.0, 40.0]])).sum().backward()
    np.testing.assert_array_equal(a.grad.data, [11, 32])
    np.testing.assert_array_equal(b.grad.data, [23, 44])


@pytest.mark.parametrize(
    ("module", "name", "told"),
    [
        (module, name, told)
        for module, names in ((mg, words.MODULE), (mg.nn, words.NN), (mg.optim, words.OPTIM))
        for name, told in names.items()
    ],
)
def test_a_name_of_pytorchs_modules_says_what_to_write(module, name, told):
    assert not hasattr(module, name)
    missing = re.escape(f"module '{module.__name__}' has no attribute '{name}': write {told}")
    with pytest.raises(AttributeError, match=missing):
        getattr(module, name)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("tensr", r"\. Did you mean 'tensor' or 'Tensor'\?"),
        ("no_gradd", r"\. Did you mean 'no_grad'"),
        ("sigmoid", r": write mg\.ops\.sigmoid\(…\)$"),
        ("exp", r": write np\.exp\(…\)$"),
        ("clamp", r": write t\.clamp\(…\)$"),
        ("unsqueeze", r": write t\.unsqueeze\(…\)$"),
        ("zzz", r"has no attribute 'zzz'\.?$"),
    ],
)
def test_another_name_that_is_not_there(name, told):
    with pytest.raises(AttributeError, match=told):
        getattr(mg, name)


@pytest.mark.parametrize("name", words.MODEL)
def test_a_method_of_pytorchs_modules_says_what_to_write(name):
    model = mg.nn.Linear(2, 1)
    assert not hasattr(model, name)
    assert hasattr(torch.nn.Module, name)
    with pytest.raises(
        AttributeError, match=re.escape(f"Linear has no attribute '{name}': write {words.MODEL[name]}")
    ):
        getattr(model, name)
    setattr(model, name, 3)  # a program of its own may use the name
    assert getattr(model, name) == 3


def test_a_misspelt_layer_or_optimizer():
    with pytest.raises(AttributeError, match=r"module 'minigrad\.nn' .*'Linaer'\. Did you mean 'Linear'"):
        mg.nn.Linaer  # noqa: B018
    with pytest.raises(AttributeError, match=r"module 'minigrad\.optim' .*'adam'\. Did you mean 'Adam'"):
        mg.optim.adam  # noqa: B018


WRITTEN = [text for names in (words.MODULE, words.NN, words.OPTIM) for text in names.values()]


@pytest.mark.parametrize(
    "text", [text for text in WRITTEN if re.match(r"(mg|nn|optim|np)\.[\w.]+\(.*\)(: |, |$)", text)]
)
def test_what_is_told_to_write_runs(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, t = mg.nn.Linear(3, 1), mg.ones(2, 3)
    mg.nn.save_weights(model, "weights.safetensors")
    call = re.match(r".*?\)(?=: |, on|, as|, wi|, mg|, np|$)", text).group()
    names = {
        "mg": mg,
        "np": np,
        "nn": mg.nn,
        "optim": mg.optim,
        "model": model,
        "t": t,
        "a": t,
        "b": t.T,
        "x": t,
    }
    names |= {"prediction": t, "target": t, "logits": t, "targets": t, "labels": np.array([0, 1]), "p": 0.5}
    names |= {"weight": mg.ones(1, 3), "bias": mg.zeros(1), "shape": (2, 3), "width": 3, "data": [1.0]}
    names |= {"function_of_t": lambda t: 0.1, "isinstance": isinstance}
    model(t).sum().backward()
    eval(call, names)
