"""Groups of parameters with settings of their own: against PyTorch, read, written, added, saved, refused."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor, nn, optim
from minigrad.errors import ConfigError, MinigradError, MinigradWarning, OptimizerError
from minigrad.optim import SGD, Adam, AdamW, Cosine, Muon, Optimizer, ReduceLROnPlateau, RMSprop
from tests.optim.test_parity import all_cases, problem, run, tensors_at

# Of each of PyTorch's classes: settings that another group has of its own, which keep the state what it is.
OWN: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.03, "weight_decay": 0.2},
    "Adagrad": {"lr": 0.2, "eps": 1e-2},
    "RMSprop": {"lr": 0.02, "alpha": 0.8, "eps": 1e-4},
    "Adam": {"lr": 0.02, "betas": (0.7, 0.95), "weight_decay": 0.1},
    "AdamW": {"lr": 0.02, "betas": (0.7, 0.95), "weight_decay": 0.3},
    "NAdam": {"lr": 0.02, "betas": (0.7, 0.95), "momentum_decay": 0.05},
}


def step_both(mine: Any, opt: Any, theirs: Any, other: Any, steps: range, norm: float | None = None) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    _, gradient = problem()
    for t in steps:
        for i, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            a.grad = Tensor(gradient(i, a.data, t))
            b.grad = torch.from_numpy(gradient(i, b.detach().numpy(), t))
        if norm is not None:
            torch.nn.utils.clip_grad_norm_(theirs, norm)
        opt.step()
        other.step()


def assert_equal(mine: Any, theirs: Any, rtol: float = 1e-9) -> None:
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=rtol, atol=0)


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.mark.parametrize("norm", [None, 1.5])
@pytest.mark.parametrize("fast", [True, False], ids=["kernel", "formula"])
@pytest.mark.parametrize(("optimizer", "settings", "twin", "twin_settings"), all_cases())
def test_groups_are_trained_as_in_pytorch(
    torch: Any,
    optimizer: type[Optimizer],
    settings: dict[str, Any],
    twin: str,
    twin_settings: dict[str, Any],
    fast: bool,
    norm: float | None,
) -> None:
    starts, _ = problem()
    mine, theirs = tensors_at(starts), [torch.tensor(s, requires_grad=True) for s in starts]
    own = OWN[twin if optimizer is not AdamW or twin == "AdamW" else "NAdam"]
    own = {name: value for name, value in own.items() if optimizer is not AdamW or name != "momentum_decay"}
    opt = optimizer([{"params": [mine[0]]}, {"params": mine[1], **own}], **settings, fast=fast, max_norm=norm)
    other = getattr(torch.optim, twin)(
        [{"params": [theirs[0]]}, {"params": theirs[1], **own}], **twin_settings
    )
    step_both(mine, opt, theirs, other, range(40), norm)
    assert_equal(mine, theirs, 1e-6 if twin == "NAdam" else 1e-9)  # PyTorch keeps the product of μ in float32


@pytest.mark.parametrize("grouped", [True, False])
def test_a_group_that_is_added_later_counts_its_own_steps(torch: Any, grouped: bool) -> None:
    starts, _ = problem()
    mine, theirs = tensors_at(starts), [torch.tensor(s, requires_grad=True) for s in starts]
    first = ([{"params": mine[:1]}], [{"params": theirs[:1]}]) if grouped else (mine[:1], theirs[:1])
    opt, other = Adam(first[0], lr=0.05), torch.optim.Adam(first[1], lr=0.05)
    step_both(mine[:1], opt, theirs[:1], other, range(10))
    opt.add_param_group({"params": mine[1], "lr": 0.1})
    other.add_param_group({"params": theirs[1], "lr": 0.1})
    step_both(mine, opt, theirs, other, range(10, 30))
    assert_equal(mine, theirs)
    assert list(opt.state) == ["p0", "p1"]


def test_groups_are_read_and_written_as_in_pytorch(torch: Any) -> None:
    starts, _ = problem()
    mine, theirs = tensors_at(starts), [torch.tensor(s, requires_grad=True) for s in starts]
    opt = SGD([{"params": mine[:1]}, {"params": mine[1:], "lr": 0.3}], lr=0.1, momentum=0.9)
    other = torch.optim.SGD([{"params": theirs[:1]}, {"params": theirs[1:], "lr": 0.3}], lr=0.1, momentum=0.9)
    assert [group["lr"] for group in opt.param_groups] == [0.1, 0.3]
    assert [[p.name for p in group["params"]] for group in opt.param_groups] == [["p0"], ["p1"]]
    for t in range(20):
        for groups in (opt.param_groups, other.param_groups):
            for group in groups:
                group["lr"] *= 0.9
                group["momentum"] = 0.9 - 0.01 * t
                group["weight_decay"] = 0.01 * t
        step_both(mine, opt, theirs, other, range(t, t + 1))
    assert_equal(mine, theirs)


def test_one_group_of_all_where_none_was_given() -> None:
    tensors = tensors_at(problem()[0])
    opt = Adam(tensors, lr=0.2, betas=(0.8, 0.9))
    (group,) = opt.param_groups
    assert dict(group) == {
        "params": tensors,
        "lr": 0.2,
        "betas": (0.8, 0.9),
        "eps": 1e-8,
        "weight_decay": 0.0,
    }
    group["betas"] = (0.5, 0.6)
    group["lr"] = 0.3
    assert (opt.beta1, opt.beta2, opt.lr) == (0.5, 0.6, 0.3)
    assert "'params': [p0, p1], 'lr': 0.3" in repr(group)


def test_a_rate_set_on_the_optimizer_goes_to_groups_without_their_own() -> None:
    tensors = tensors_at(problem()[0])
    opt = Adam([{"params": tensors[0]}, {"params": tensors[1], "lr": 0.3}], lr=0.1)
    opt.lr = 0.01
    assert [group["lr"] for group in opt.param_groups] == [0.01, 0.3]
    assert opt.rate == 0.01


def test_every_group_has_its_schedule(torch: Any) -> None:
    starts, _ = problem()
    mine, theirs = tensors_at(starts), [torch.tensor(s, requires_grad=True) for s in starts]
    opt = Adam([{"params": mine[0]}, {"params": mine[1], "lr": lambda t: 0.02 * 0.9**t}], lr=Cosine(0.1, 20))
    other = torch.optim.Adam([{"params": theirs[0], "lr": 0.1}, {"params": theirs[1], "lr": 0.02}])
    factors = [lambda t: 0.5 * (1 + np.cos(np.pi * t / 20)), lambda t: 0.9**t]
    schedule = torch.optim.lr_scheduler.LambdaLR(other, factors)
    for t in range(20):
        step_both(mine, opt, theirs, other, range(t, t + 1))
        schedule.step()
    assert_equal(mine, theirs)


def test_a_plateau_of_each_group_sees_the_loss_once() -> None:
    tensors = tensors_at(problem()[0])
    shared, own = ReduceLROnPlateau(0.1, patience=0), ReduceLROnPlateau(0.5, patience=0)
    groups = [{"params": tensors[0]}, {"params": tensors[1], "lr": own}]
    assert [id(each) for each in Adam(groups, lr=shared).schedules] == [id(shared), id(own)]
    assert Adam([{"params": t} for t in tensors], lr=shared).schedules == [shared]


def of_two(kind: type[Optimizer] = Adam, **settings: Any) -> tuple[list[Tensor], Optimizer]:
    tensors = tensors_at(problem()[0])
    own = {"lr": ReduceLROnPlateau(0.3, patience=0), "weight_decay": 0.1}
    return tensors, kind([{"params": tensors[0]}, {"params": tensors[1], **own}], lr=0.1, **settings)


@pytest.mark.parametrize("how", ["saved", "copied", "pickled"])
@pytest.mark.parametrize("kind", [Adam, AdamW, SGD, RMSprop])
def test_groups_are_resumed_exactly(kind: type[Optimizer], how: str) -> None:
    _, gradient = problem()
    whole, opt = of_two(kind)
    run(opt, whole, gradient, 5)
    opt.param_groups[0]["weight_decay"] = 0.05
    opt.param_groups[1]["lr"].observe(1.0)
    opt.param_groups[1]["lr"].observe(1.0)  # no better: the rate is a tenth now
    kept = opt.state_dict()
    if how == "saved":
        kept |= json.loads(json.dumps({k: v for k, v in kept.items() if not isinstance(v, np.ndarray)}))
        second, resumed = of_two(kind)
        for tensor, old in zip(second, whole, strict=True):
            tensor.data = old.data.copy()
        resumed.load_state_dict(kept)
    else:
        pair = copy.deepcopy((whole, opt)) if how == "copied" else pickle.loads(pickle.dumps((whole, opt)))
        second, resumed = pair
    assert [group["weight_decay"] for group in resumed.param_groups] == [0.05, 0.1]
    assert resumed.param_groups[1]["lr"](0) == pytest.approx(0.03)
    run(opt, whole, gradient, 5)
    run(resumed, second, gradient, 5)
    for a, b in zip(whole, second, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_a_state_of_other_groups_is_refused_and_changes_nothing() -> None:
    _, opt = of_two()
    kept = opt.state_dict()
    wrong: list[Any] = [
        kept["groups"][:1],
        "no",
        [kept["groups"][0], {"lr": 0.1}],
        [{**kept["groups"][0], "eps": -1}, kept["groups"][1]],
        [kept["groups"][0], 3],
    ]
    for groups in wrong:
        with pytest.raises(OptimizerError, match="MG-506"):
            opt.load_state_dict({**kept, "groups": groups, "t": 7})
        assert opt.t == 0
        assert opt.state_dict()["groups"] == kept["groups"]
    plain = Adam(tensors_at(problem()[0]))
    with pytest.raises(OptimizerError, match="MG-506"):
        plain.load_state_dict(kept)
    with pytest.raises(OptimizerError, match="MG-506"):
        opt.load_state_dict(plain.state_dict())


w, b = (Tensor([[1.0]], requires_grad=True, name=name) for name in "wb")


@pytest.mark.parametrize(
    ("make", "code", "told"),
    [
        (lambda: Adam([{"params": [w]}, {"params": [b, w]}]), "MG-517", "w is in two groups"),
        (lambda: Adam([{"params": [w], "momentum": 0.9}]), "MG-517", "Adam has no setting 'momentum'"),
        (lambda: Adam([{"params": [w], "weight_decy": 0.9}]), "MG-517", "weight_decay"),
        (lambda: Adam([{"lr": 0.1}]), "MG-517", "not a dict with 'lr'"),
        (lambda: Adam([{"params": [w]}, b]), "MG-517", "not Tensor"),
        (lambda: Adam([{"params": [w], "max_norm": 1.0}]), "MG-517", "of the whole optimizer"),
        (lambda: Adam([{"params": [w], "lr": -1}]), "MG-507", "lr is -1"),
        (lambda: Adam([{"params": [w], "betas": 3}]), "MG-507", "betas is 3"),
        (lambda: Adam([{"params": []}]), "MG-501", "got 0 parameters"),
        (lambda: Muon([{"params": [Tensor([1.0], requires_grad=True)]}]), "MG-507", "that of a matrix"),
        (lambda: Adam([w]).add_param_group({"params": [w]}), "MG-517", "w is in two groups"),
        (lambda: Adam([w]).add_param_group([b]), "MG-517", "not list"),
        (lambda: Adam([w]).param_groups[0].update(params=[b]), "MG-517", "stay what they are"),
        (lambda: Adam([w]).param_groups[0].update(eps=-1), "MG-507", "eps is -1"),
        (lambda: Adam([w]).param_groups[0].update(lr="no"), "MG-507", "lr is 'no'"),
        (
            lambda: SGD([w]).param_groups[0].update(momentum=0.9),
            "MG-518",
            "other state of each parameter (b)",
        ),
    ],
)
def test_what_is_no_group_is_refused(make: Any, code: str, told: str) -> None:
    with pytest.raises(MinigradError) as caught:
        make()
    assert caught.value.code == code
    assert told in caught.value.message


def test_a_refused_group_leaves_the_optimizer_as_it_was() -> None:
    opt = Adam([w], lr=0.1)
    with pytest.raises(ConfigError):
        opt.add_param_group({"params": [b], "lr": -1})
    assert len(opt.param_groups) == 1
    assert list(opt.state) == ["w"]
    opt.add_param_group({"params": [b]})
    assert list(opt.state) == ["w", "b"]


def test_modules_as_groups_keep_their_names_apart_and_tell_of_eval_mode() -> None:
    rng = np.random.default_rng(0)
    body, head = nn.Linear(3, 4, rng=rng), nn.Linear(4, 1, rng=rng)
    opt = Adam([{"params": body}, {"params": head, "lr": 0.1}, {"params": iter([w])}])
    assert list(opt.state) == ["weight", "bias", "group1.weight", "group1.bias", "w"]
    w.grad = Tensor([[1.0]])
    head(body(Tensor(np.ones((2, 3), "float32")))).sum().backward()
    head.eval()
    with pytest.warns(MinigradWarning, match="MG-502"):
        opt.step()


def test_a_user_s_own_rule_has_groups_too() -> None:
    def sign(theta: Any, g: Any, *, eta: float = 1.0, factor: float = 1.0) -> Any:
        return (theta - eta * factor * np.sign(g),)

    class Sign(Optimizer):
        rule = sign

    p, q = Tensor([1.0], requires_grad=True, name="p"), Tensor([1.0], requires_grad=True, name="q")
    opt = Sign([{"params": p}, {"params": q, "factor": 0.25}], lr=0.5)
    (p + q).sum().backward()
    opt.step()
    assert (p.item(), q.item()) == (0.5, 0.875)


def test_a_chain_has_groups_too() -> None:
    p, q = Tensor([1.0], requires_grad=True, name="p"), Tensor([1.0], requires_grad=True, name="q")
    parts = [optim.chain.add_decay, optim.chain.scale]
    opt = optim.chain.Chain([{"params": p}, {"params": q, "factor": 0.5, "decay": 0.0}], parts, lr=0.5)
    (p + q).sum().backward()
    opt.step()
    np.testing.assert_allclose([p.item(), q.item()], [1 - 0.5 * 1.01, 0.75], rtol=1e-6)


def test_a_step_that_is_refused_for_one_group_changes_no_other() -> None:
    tensors, opt = of_two()
    before = [t.data.copy() for t in tensors]
    opt.param_groups[1]["lr"] = lambda t: float("nan")
    for i, t in enumerate(tensors):
        t.grad = Tensor(before[i])
    with pytest.raises(ConfigError, match="MG-507"):
        opt.step()
    for t, old in zip(tensors, before, strict=True):
        np.testing.assert_array_equal(t.data, old)


def test_the_trainer_works_with_groups_and_resumes_them(tmp_path: Any) -> None:
    from minigrad.data import DataLoader, Dataset
    from minigrad.train.checkpoint import load_checkpoint, save_checkpoint
    from minigrad.train.trainer import Trainer

    def training() -> tuple[Any, Any, Any]:
        rng = np.random.default_rng(0)
        model = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.ReLU(), nn.Linear(4, 1, rng=rng))
        first, _, last = model.layers
        groups = [{"params": first}, {"params": last, "lr": ReduceLROnPlateau(0.05, patience=0)}]
        opt = Adam(groups, lr=0.01, max_norm=1.0)
        x = np.random.default_rng(1).normal(size=(24, 3)).astype("float32")
        data = Dataset(x, x[:, :1] * 2)
        loader = DataLoader(data, 8, rng=np.random.default_rng(2))
        return Trainer(model, nn.MSELoss(), opt), loader, data

    whole, loader, data = training()
    whole.fit(loader, data, 4)
    half, loader, data = training()
    half.fit(loader, data, 2)
    save_checkpoint(half, tmp_path / "c")
    rest, loader, data = training()
    load_checkpoint(rest, tmp_path / "c", loader)
    rest.fit(loader, data, 4)
    for name, array in whole.model.state_dict().items():
        np.testing.assert_array_equal(array, rest.model.state_dict()[name])
    assert whole.history["lr"] == [0.01] * 4


def test_groups_in_float16_and_on_arrays_that_others_wrote() -> None:
    halves = [Tensor(np.ones(3, "float16"), requires_grad=True, name=name) for name in "hk"]
    opt = Adam([{"params": halves[0]}, {"params": halves[1], "lr": 0.5}], lr=0.25)
    (halves[0] + halves[1]).sum().backward()
    opt.step()
    assert [h.data[0] for h in halves] == [0.75, 0.5]  # Adam's first step is the rate
    with mg.hooks(update=lambda update: seen.append((update.name, update.rate))):
        seen: list[Any] = []
        opt.step()
    assert seen == [("h", 0.25), ("k", 0.5)]
