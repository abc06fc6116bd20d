"""Parameters without a gradient: which are left as they are, which are refused, and how training goes on after."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor, nn, optim
from minigrad.errors import GradientError, OptimizerError
from minigrad.optim import Adam, NAdam, Optimizer
from tests.optim.test_parity import all_cases, problem, tensors_at

TURNS = [(0, 1), (0,), (0, 1), (1,), (1,), (0,), (0, 1), (0,), (0,), (1,)]
"""The parameters that have a gradient, step after step: both at first, then by turns."""


def by_turns(opt: Optimizer, tensors: list[Tensor], gradient: Any, steps: range) -> None:
    for t in steps:
        opt.zero_grad()
        for i in TURNS[t % len(TURNS)]:
            tensors[i].grad = Tensor(gradient(i, tensors[i].data, t))
        opt.step()


@pytest.mark.parametrize("fast", [True, False], ids=["kernel", "formula"])
@pytest.mark.parametrize(("optimizer", "settings", "twin", "twin_settings"), all_cases())
def test_heads_by_turns_are_trained_as_in_pytorch(
    optimizer: type[Optimizer], settings: dict[str, Any], twin: str, twin_settings: dict[str, Any], fast: bool
) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    starts, gradient = problem()
    mine = tensors_at(starts)
    by_turns(optimizer(mine, **settings, fast=fast), mine, gradient, range(60))
    theirs = [torch.tensor(s, requires_grad=True) for s in starts]
    opt = getattr(torch.optim, twin)(theirs, **twin_settings)
    for t in range(60):
        opt.zero_grad()
        for i in TURNS[t % len(TURNS)]:
            theirs[i].grad = torch.from_numpy(gradient(i, theirs[i].detach().numpy(), t))
        opt.step()
    for a, b in zip(mine, theirs, strict=True):
        rtol = 1e-6 if optimizer is NAdam else 1e-9  # PyTorch keeps the product of μ in float32
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=rtol, atol=0)


@pytest.mark.parametrize("kind", [Adam, NAdam])
@pytest.mark.parametrize("how", ["saved", "copied", "pickled"])
def test_the_steps_of_each_parameter_are_kept(kind: type[Optimizer], how: str) -> None:
    starts, gradient = problem()
    whole = tensors_at(starts)
    by_turns(kind(whole, lr=0.1), whole, gradient, range(20))
    first = tensors_at(starts)
    opt = kind(first, lr=0.1)
    by_turns(opt, first, gradient, range(9))
    if how == "saved":
        kept = opt.state_dict()
        plain = json.loads(json.dumps({k: v for k, v in kept.items() if not isinstance(v, np.ndarray)}))
        assert plain["skipped"] == {"p0": 2, "p1": 4}  # of the first nine TURNS
        second = tensors_at([p.data for p in first])
        resumed = kind(second, lr=0.1)
        resumed.load_state_dict({**kept, **plain})
    else:
        resumed, second = (
            copy.deepcopy((opt, first)) if how == "copied" else pickle.loads(pickle.dumps((opt, first)))
        )
    by_turns(resumed, second, gradient, range(9, 20))
    for a, b in zip(whole, second, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_a_state_of_before_is_loaded_and_a_wrong_one_refused() -> None:
    starts, gradient = problem()
    tensors = tensors_at(starts)
    opt = Adam(tensors)
    by_turns(opt, tensors, gradient, range(2))
    kept = opt.state_dict()
    old = {key: value for key, value in kept.items() if key != "skipped"}
    opt.load_state_dict(old)
    assert "skipped" not in opt.state_dict()
    for wrong in ({"p1": 3}, {"p1": -1}, {"p1": 1.5}, {"nobody": 1}, [1]):
        with pytest.raises(OptimizerError, match=r"MG-506 .*skipped is"):
            opt.load_state_dict({**kept, "skipped": wrong})
    opt.load_state_dict(kept)
    assert opt.state_dict()["skipped"] == {"p1": 1}


def test_a_skipped_parameter_is_neither_decayed_nor_moved_by_its_momentum() -> None:
    starts, gradient = problem()
    tensors = tensors_at(starts)
    opt = optim.SGD(tensors, lr=0.1, momentum=0.9, weight_decay=0.1)
    by_turns(opt, tensors, gradient, range(1))
    before, state = tensors[1].data.copy(), opt.state["p1"]["b"].copy()
    by_turns(opt, tensors, gradient, range(1, 2))
    np.testing.assert_array_equal(tensors[1].data, before)
    np.testing.assert_array_equal(opt.state["p1"]["b"], state)
    assert opt.t == 2


def test_a_parameter_that_was_frozen_begins_with_its_own_first_step() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    starts, gradient = problem()
    mine, theirs = tensors_at(starts), [torch.tensor(s, requires_grad=True) for s in starts]
    opt, twin = Adam(mine, lr=0.1), torch.optim.Adam(theirs, lr=0.1)
    mine[1].requires_grad_(False)
    for t in range(20):
        if t == 10:
            mine[1].requires_grad_(True)
        for i in (0, 1) if t >= 10 else (0,):
            mine[i].grad = Tensor(gradient(i, mine[i].data, t))
            theirs[i].grad = torch.from_numpy(gradient(i, theirs[i].detach().numpy(), t))
        opt.step()
        twin.step()
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=1e-9, atol=0)


@pytest.mark.parametrize("create", ["gradients", "backward"])
@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh])
def test_forces_alone_train_a_net_as_in_pytorch(activation: type[nn.Module], create: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(3, 8, rng=rng), activation(), nn.Linear(8, 1, rng=rng))
    net.to("float64")
    twin = torch.nn.Sequential(
        torch.nn.Linear(3, 8), getattr(torch.nn, activation.__name__)(), torch.nn.Linear(8, 1)
    ).double()
    twin.load_state_dict({name: torch.from_numpy(array) for name, array in net.state_dict().items()})
    opt, other = Adam(net, lr=0.01), torch.optim.Adam(twin.parameters(), lr=0.01)
    for _ in range(20):
        x, forces = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
        position = Tensor(x, requires_grad=True)
        energy = net(position).sum()
        opt.zero_grad()
        if create == "gradients":
            slope = mg.gradients(energy, [position], create_graph=True)[0]
        else:
            energy.backward(create_graph=True)
            slope = position.grad
            opt.zero_grad()
        ((-slope - forces) ** 2).mean().backward()
        opt.step()
        there = torch.tensor(x, requires_grad=True)
        other.zero_grad()
        theirs = torch.autograd.grad(twin(there).sum(), there, create_graph=True)[0]
        ((-theirs - torch.from_numpy(forces)) ** 2).mean().backward()
        other.step()
    for name, p in net.named_parameters().items():
        np.testing.assert_allclose(p.numpy(), twin.state_dict()[name].numpy(), rtol=1e-8, atol=1e-12)


def test_a_layer_that_took_no_part_in_the_derivative_is_still_refused() -> None:
    rng = np.random.default_rng(0)
    net, forgotten = nn.Linear(3, 1, rng=rng), nn.Linear(2, 1, rng=rng)
    opt = Adam({**net.named_parameters(), "forgotten.weight": forgotten.weight})
    x = Tensor(np.ones((4, 3), "float32"), requires_grad=True)
    (force,) = mg.gradients(net(x).sum(), [x], create_graph=True)
    (force**2).sum().backward()
    with pytest.raises(GradientError, match=r"MG-209 forgotten.weight has no gradient"):
        opt.step()


def test_an_ordinary_backward_marks_nothing() -> None:
    rng = np.random.default_rng(0)
    first, second = nn.Linear(3, 1, rng=rng), nn.Linear(3, 1, rng=rng)
    opt = Adam([*first.parameters(), *second.parameters()])
    x = Tensor(np.ones((4, 3), "float32"))
    second(x).sum().backward()  # which is of no use to this optimizer's next step
    second.weight.zero_grad()
    second.bias.zero_grad()
    first(x).sum().backward()
    with pytest.raises(GradientError, match="MG-209"):
        opt.step()


def test_a_parameter_that_never_had_one_may_be_left_on_purpose() -> None:
    starts, gradient = problem()
    tensors = tensors_at(starts)
    for kind in (optim.SGD, Adam, optim.RMSprop):
        opt = kind(tensors, allow_unused=True)
        tensors[0].grad, tensors[1].grad = Tensor(gradient(0, tensors[0].data, 0)), None
        before = tensors[1].data.copy()
        opt.step()
        np.testing.assert_array_equal(tensors[1].data, before)
    opt.zero_grad()
    with pytest.raises(
        OptimizerError, match="MG-503"
    ):  # which is no head of many, but a loop in the wrong order
        opt.step()


def test_a_hook_sees_the_parameter_s_own_step() -> None:
    starts, gradient = problem()
    tensors = tensors_at(starts)
    opt = Adam(tensors)
    seen: list[tuple[str, int]] = []
    with mg.hooks(update=lambda update: seen.append((update.name, update.t))):
        by_turns(opt, tensors, gradient, range(4))
    assert seen == [("p0", 1), ("p1", 1), ("p0", 2), ("p0", 3), ("p1", 2), ("p1", 3)]
