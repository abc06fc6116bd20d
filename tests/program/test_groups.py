"""Groups of parameters, and parameters that skip steps, in a compiled step: each by its own numbers."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim

CLASSES = sorted(
    (
        each
        for each in vars(optim).values()
        if isinstance(each, type) and issubclass(each, optim.Optimizer) and each is not optim.Optimizer
    ),
    key=lambda each: each.__name__,
)
rng = np.random.default_rng(5)
DATA = [(rng.standard_normal((3, 6)).astype("f"), rng.integers(0, 4, 3)) for _ in range(12)]


def network() -> Any:
    rng = np.random.default_rng(0)
    return nn.Sequential(nn.Linear(6, 5, rng=rng), nn.ReLU(), nn.Linear(5, 4, rng=rng))


def fitting(kind: Any, module: Any) -> list[Any]:
    return [p for p in module.parameters() if kind is not optim.Muon or p.ndim == 2]


def grouped(make: Any, **settings: Any) -> tuple[Any, Any, Any]:
    model = network()
    groups = [
        {"params": fitting(make, model[0])},
        {"params": fitting(make, model[2]), "lr": 0.003, "weight_decay": 0.1},
    ]
    opt, loss_of = make(groups, lr=0.01, **settings), nn.CrossEntropyLoss()

    def step(x, y):
        model.zero_grad()
        loss = loss_of(model(mg.Tensor(x)), y)
        loss.backward()
        opt.step()
        return loss

    return step, model, opt


def bits(opt: Any) -> list[Any]:
    slots = [
        (s.tensor.numpy().tobytes(), s.skipped, *(a.tobytes() for a in s.state.values())) for s in opt._slots
    ]
    groups = [(each.rate, each.last_rate, each.t) for each in opt._members or (opt,)]
    return [*slots, *groups, opt.t, opt.rate, opt.last_rate, opt._uneven]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda each: each.__name__)
def test_each_group_goes_by_its_own_settings(kind):
    step, _, opt = grouped(kind)
    other, _, theirs = grouped(kind)
    compiled = mg.compile(step)
    for k, each in enumerate(DATA):
        if k == 6:
            for one in (opt, theirs):
                one.param_groups[1]["lr"] = 0.02
        assert compiled(*each).item() == other(*each).item()
        assert bits(opt) == bits(theirs)
    assert len(list(compiled)) == 1  # a setting that changes is a number that the program is given


@pytest.mark.parametrize("settings", [{"max_norm": 0.1}, {"fast": False}], ids=str)
def test_clipping_is_over_all_groups_and_formulas_run_as_they_stand(settings):
    step, _, opt = grouped(optim.Adam, **settings)
    other, _, theirs = grouped(optim.Adam, **settings)
    compiled = mg.compile(step)
    for each in DATA:
        assert compiled(*each).item() == other(*each).item()
        assert bits(opt) == bits(theirs)


def test_a_groups_schedule_goes_on_and_batches_in_one_call():
    steps = []
    for _ in range(2):
        model = network()
        groups = [{"params": model[0], "lr": optim.Cosine(0.1, steps=100)}, {"params": model[2]}]
        opt, loss_of = optim.NAdam(groups, lr=0.01), nn.CrossEntropyLoss()

        def step(x, y, model=model, opt=opt, loss_of=loss_of):
            opt.zero_grad()
            loss = loss_of(model(mg.Tensor(x)), y)
            loss.backward()
            opt.step()
            return loss

        steps.append((step, opt))
    (step, opt), (other, theirs) = steps
    rows = [(x[k : k + 1], y[k : k + 1]) for x, y in DATA for k in range(3)]
    compiled = mg.compile(lambda x, y: step(x, y))
    for _ in range(3):
        assert [r.item() for r in compiled.over(rows)] == [other(*each).item() for each in rows]
        assert bits(opt) == bits(theirs)
    assert compiled.program.rounds is not None


def test_a_group_that_is_added_makes_another_program():
    steps = []
    for _ in range(2):
        model = network()
        opt, loss_of = optim.Adam(model[0], lr=0.01), nn.CrossEntropyLoss()

        def step(x, y, model=model, opt=opt, loss_of=loss_of):
            opt.zero_grad()
            model.zero_grad()
            loss = loss_of(model(mg.Tensor(x)), y)
            loss.backward()
            opt.step()
            return loss

        steps.append((step, model, opt))
    (step, model, opt), (other, eager, theirs) = steps
    compiled = mg.compile(lambda x, y: step(x, y))
    for k, each in enumerate(DATA):
        if k == 5:
            opt.add_param_group({"params": model[2], "lr": 0.1})
            theirs.add_param_group({"params": eager[2], "lr": 0.1})
        assert compiled(*each).item() == other(*each).item()
        assert bits(opt) == bits(theirs)
    assert "groups of parameters" in compiled.why()


@pytest.mark.parametrize("kind", CLASSES, ids=lambda each: each.__name__)
def test_heads_that_are_used_by_turns_count_their_own_steps(kind):
    steps = []
    for _ in range(2):
        rng = np.random.default_rng(0)
        body = nn.Linear(6, 5, rng=rng)
        heads = [nn.Linear(5, 4, rng=rng) for _ in range(2)]
        params = [p for module in (body, *heads) for p in fitting(kind, module)]
        opt = kind(params, lr=0.01, allow_unused=True)
        loss_of = nn.CrossEntropyLoss()

        def step(x, y, head, body=body, heads=heads, opt=opt, loss_of=loss_of):
            opt.zero_grad()
            loss = loss_of(heads[head](body(mg.Tensor(x))), y)
            loss.backward()
            opt.step()
            return loss

        steps.append((step, opt))
    (step, opt), (other, theirs) = steps
    compiled = mg.compile(lambda x, y, head: step(x, y, head))
    for each, head in zip([*DATA, *DATA], [0, 0, 0, 1, 1, 0, 1, 0] * 3, strict=True):
        assert compiled(*each, head).item() == other(*each, head).item()
        assert bits(opt) == bits(theirs)
    assert opt._slots[-1].skipped == 15


def test_a_saved_step_has_each_groups_numbers(tmp_path):
    step, model, opt = grouped(optim.Adam)
    compiled = mg.compile(step)
    for each in DATA[:4]:
        compiled(*each)
    compiled.program.save(tmp_path / "saved.py")
    spec = importlib.util.spec_from_file_location("saved", tmp_path / "saved.py")
    saved = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(saved)
    for each in DATA[4:]:
        np.testing.assert_allclose(saved.step(*each), compiled(*each).item(), rtol=1e-5)
    assert opt.t == 12
    del model
