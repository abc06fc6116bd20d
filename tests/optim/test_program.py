"""A formula is all there is to an optimizer: its kernels, coefficients and explanation are made from it."""

from __future__ import annotations

import copy
import math
import pickle
from functools import partial
from typing import Any

import numpy as np
import pytest
from minigrad_kernels import gpu, launch
from minigrad_kernels.update_rules import RULES

import minigrad as mg
from minigrad import Tensor, optim
from minigrad.errors import ConfigError
from minigrad.optim import chain, generate
from minigrad.optim.latex import latex
from minigrad.optim.program import formula_lines, program
from minigrad.viz.explain import explain
from tests.kernels.emulation.device import MISSING, Emulated

CELL = '''
import math
import numpy as np
from minigrad import optim


def yogi(theta, g, m, v, t, *, eta=0.01, beta1=0.9, beta2=0.99, eps=1e-3):
    """Zaheer et al. 2018."""
    m = beta1 * m + (1 - beta1) * g
    v = v - (1 - beta2) * np.sign(v - g**2) * g**2
    rate = eta * math.sqrt(1 - beta2**t) / (1 - beta1**t)
    return theta - rate * m / (np.sqrt(v) + eps), m, v


class Yogi(optim.Optimizer):
    rule = yogi
'''


def cell(text: str = CELL) -> dict[str, Any]:
    """Run a notebook's cell, whose source Python cannot find again."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, "<cell>", "exec"), scope)
    return scope


def leaf(shape: tuple[int, ...] = (5, 3), dtype: str = "float32", seed: int = 0) -> Tensor:
    return Tensor(np.random.default_rng(seed).normal(size=shape).astype(dtype), requires_grad=True, name="w")


def train(
    kind: Any, dtype: str = "float32", steps: int = 25, **settings: Any
) -> tuple[optim.Optimizer, np.ndarray]:
    w, rng = leaf(dtype=dtype), np.random.default_rng(1)
    opt = kind([w], **settings)
    for _ in range(steps):
        w.grad = Tensor((w.data + rng.normal(size=w.shape)).astype(dtype))
        opt.step()
    return opt, w.numpy()


class Flagged(optim.Optimizer):
    """A method, flags, numbers in a tuple, a helper and super() instead of a rule."""

    state_names = ("b",)

    def __init__(self, params: Any, lr: float = 0.05, *, lookahead: bool = False, **settings: Any) -> None:
        self.mix, self.lookahead = (0.75, 0.25), lookahead
        super().__init__(params, lr, **settings)

    def formula(self, theta: Any, g: Any, *state: Any, rate: Any, t: Any) -> tuple[Any, ...]:
        (b,) = state
        b = self.mixed(b, g)
        if self.lookahead:
            return theta - rate * self.mixed(b, g), b
        return theta - rate * b, b

    def mixed(self, b: Any, g: Any) -> Any:
        return self.mix[0] * b + self.mix[1] * g


class Doubled(Flagged):
    def formula(self, theta: Any, g: Any, *state: Any, rate: Any, t: Any) -> tuple[Any, ...]:
        return super().formula(theta, 2 * g, *state, rate=rate, t=t)


def old_state_is_read(theta: Any, g: Any, m: Any, *, eta: float = 0.1) -> tuple[Any, ...]:
    return theta - eta * (g + m), 0.5 * m + g


def state_stays(theta: Any, g: Any, a: Any, b: Any, *, eta: float = 0.1) -> tuple[Any, ...]:
    return theta - eta * g, b, a


def with_conditions(theta: Any, g: Any, n: Any, *, eta: float = 0.1, floor: float = 0.5) -> tuple[Any, ...]:
    n = n + (np.abs(g) > floor)
    return np.where(n > 3, theta - eta * g, theta) - (n == 2) * (0.5 * theta), n


def four_states(theta: Any, g: Any, a: Any, b: Any, c: Any, d: Any, *, eta: float = 0.1) -> tuple[Any, ...]:
    return theta - eta * (a + b + c + d + g), b, c, d, g


KINDS: dict[str, Any] = {
    "yogi in a cell": cell()["Yogi"],
    "a method": Flagged,
    "a method with its flag": partial(Flagged, lookahead=True),
    "super": Doubled,
    **{
        f.__name__.replace("_", " "): type(f.__name__, (optim.Optimizer,), {"rule": f})
        for f in (old_state_is_read, state_stays, with_conditions, four_states)
    },
    "chain": partial(
        chain.Chain,
        parts=[
            partial(chain.clip_value, limit=2.0),
            chain.momentum,
            chain.nesterov,
            chain.scale_by_rms,
            partial(chain.scale, factor=lambda n: 1 / (1 + n)),
            chain.sign,
            chain.add_decay,
        ],
        lr=0.01,
    ),
    **{kind.__name__: kind for kind in (optim.AMSGrad, optim.NAdam, optim.Lion)},
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", KINDS)
def test_kernel_reference_and_formula_agree_in_every_bit(name: str, dtype: str) -> None:
    settings = {"weight_decay": 0.01, "max_norm": 3.0}
    opt, fast = train(KINDS[name], dtype, **settings)
    assert opt.kernel is not None, opt.no_kernel
    _, formula = train(KINDS[name], dtype, fast=False, **settings)
    with launch.reference_only():
        _, reference = train(KINDS[name], dtype, **settings)
    np.testing.assert_array_equal(fast.view("u1"), formula.view("u1"))
    np.testing.assert_array_equal(fast.view("u1"), reference.view("u1"))
    assert (fast != leaf(dtype=dtype).data).any()


@pytest.mark.parametrize("name", KINDS)
def test_the_cuda_kernel_gives_the_same_bits(name: str) -> None:
    if MISSING:
        pytest.skip(MISSING)
    opt = KINDS[name]([leaf()], weight_decay=0.01)
    rule, rng = opt.kernel, np.random.default_rng(2)
    arrays = [np.abs(rng.normal(size=(37, 31))).astype("float32") for _ in range(2 + len(opt.state_names))]
    expected = [a.copy() for a in arrays]
    numbers = np.array(rule.coefficients(opt, 0.5, opt.l2, 0.1, 3), "float32")
    rule.reference(*expected, numbers)
    with gpu.using(Emulated("permuted")):
        rule.gpu(*arrays, numbers)
    for got, right in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(got.view("i4"), right.view("i4"))


def test_the_generated_files_are_current() -> None:
    for path, text in generate.files().items():
        assert path.read_text(encoding="utf-8") == text, "run python -m minigrad.optim.generate"


def test_the_optimizers_here_have_their_kernels_ready_made() -> None:
    for name, opt in generate.built_in().items():
        assert opt.kernel is RULES[name]


def test_an_optimizer_written_in_a_cell_is_explained_line_by_line() -> None:
    scope = cell()
    w = leaf((2,))
    opt = scope["Yogi"]([w], lr=0.5)
    with mg.record() as trace:
        loss = (w * w).sum()
        loss.backward()
        opt.step()
    update = next(event for event in trace.events if event.kind == "update")
    said = explain(trace, update, (1,)).symbols.splitlines()
    assert said == [
        "m[1] ← β₁ · m[1] + (1 − β₁) · g[1]",
        "v[1] ← v[1] − (1 − β₂) · sign(v[1] − g[1]²) · g[1]²",
        "rate = η · √(1 − β₂^t) / (1 − β₁^t)",
        "w[1] ← w[1] − rate · m[1] / (√(v[1]) + ε)",
    ]
    last = explain(trace, update, (1,)).numbers.splitlines()[-1]
    assert last.endswith(mg.viz.numbers.show(w.data[1])) if hasattr(mg.viz, "numbers") else last
    assert formula_lines(program(opt))[0] == "g ← c · g + λ · θ"


def test_a_state_that_is_still_read_keeps_its_name() -> None:
    opt = KINDS["old state is read"]([leaf()])
    assert formula_lines(program(opt)) == [
        "g ← c · g + λ · θ",
        "new_m = 0.5 · m + g",
        "θ ← θ − η · (g + m)",
    ]


def test_the_documentation_s_formula_is_the_code() -> None:
    assert latex(optim.formulas.adam).splitlines() == [
        r"m_{t} &= \beta_{1} \, m_{t-1} + \left(1 - \beta_{1}\right) \, g_{t} \\",
        r"v_{t} &= \beta_{2} \, v_{t-1} + \left(1 - \beta_{2}\right) \, g_{t}^{2} \\",
        r"\hat{m}_{t} &= \frac{m_{t}}{1 - \beta_{1}^{t}} \\",
        r"\hat{v}_{t} &= \frac{v_{t}}{1 - \beta_{2}^{t}} \\",
        r"\theta_{t} &= \theta_{t-1} - \frac{\alpha \, \hat{m}_{t}}{\sqrt{\hat{v}_{t}} + \epsilon}",
    ]
    assert latex(cell()["yogi"]).splitlines()[-1].startswith(r"\theta_{t} &= \theta_{t-1} - ")


OUTSIDE = 0.3


def by_matrix(theta: Any, g: Any, *, eta: float = 0.1) -> tuple[Any, ...]:
    return (theta - eta * (g @ g.T @ g),)


def by_norm(theta: Any, g: Any, *, eta: float = 0.1) -> tuple[Any, ...]:
    return (theta - eta * g / np.linalg.norm(g),)


def by_exp(theta: Any, g: Any, *, eta: float = 0.1) -> tuple[Any, ...]:
    return (theta - eta * np.tanh(g),)


def by_count(theta: Any, g: Any, t: int, *, eta: float = 0.1) -> tuple[Any, ...]:
    return (theta - (eta if t < 5 else 0.5 * eta) * g,)


def by_outside(theta: Any, g: Any, *, eta: float = 0.1) -> tuple[Any, ...]:
    return (theta - eta * OUTSIDE * g,)


def by_float64(theta: Any, g: Any, *, eta: float = 0.1) -> tuple[Any, ...]:
    return (theta - eta * np.where(g > 0, 1.1, 0.3) * g,)


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (by_float64, "np.where of conditions and plain numbers"),
        (by_matrix, ".T"),
        (by_norm, "np.norm"),
        (by_exp, "np.tanh"),
        (by_count, "which way an if goes"),
        (by_outside, "OUTSIDE"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_no_loop_runs_as_it_stands_and_says_why(rule: Any, reason: str) -> None:
    kind = type("Kind", (optim.Optimizer,), {"rule": rule})
    opt, found = train(kind)
    assert opt.kernel is None
    assert reason in opt.no_kernel
    w, rng = leaf().data.copy(), np.random.default_rng(1)
    for t in range(1, 26):
        g = (w + rng.normal(size=w.shape)).astype("float32")
        w = rule(w, g, **({"t": t} if rule is by_count else {}))[0].astype("float32")
    np.testing.assert_array_equal(found, w)


def test_an_optimizer_of_a_formula_alone_works_with_and_without_a_kernel() -> None:
    class Half(optim.Optimizer):
        def formula(self, theta: Any, g: Any, *state: Any, rate: float, t: int) -> tuple[Any, ...]:
            return (theta - 0.5 * rate * g,)

    for fast in (True, False):
        w = leaf((3,))
        before = w.numpy().copy()
        w.grad = Tensor(np.ones(3, "float32"))
        Half([w], 0.5, fast=fast).step()
        np.testing.assert_array_equal(w.data, before - np.float32(0.25))


def test_numbers_and_flags_may_change_while_it_trains() -> None:
    results = []
    for fast in (True, False):
        w = leaf()
        opt = Flagged([w], fast=fast)
        for t in range(9):
            w.grad = Tensor(w.numpy() + 1)
            opt.step()
            if t == 3:
                opt.mix = (0.5, 0.125)
            if t == 6:
                opt.lookahead = True
        results.append(w.numpy())
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("name", KINDS)
def test_a_formula_is_read_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opt, _ = train(KINDS[name], steps=3)
    monkeypatch.setattr("minigrad.optim.program.trace", None)
    for _ in range(3):
        opt.step()
    KINDS[name]([leaf()])._slots[0].tensor.grad = Tensor(np.ones((5, 3), "float32"))


def test_a_kernel_given_by_hand_is_not_needed_any_more() -> None:
    with pytest.warns(DeprecationWarning, match="kernels are made from the formula"):

        class Old(optim.Optimizer):
            kernel = RULES["sgd"]

            def formula(self, theta: Any, g: Any, *state: Any, rate: float, t: int) -> tuple[Any, ...]:
                return (theta - rate * np.sign(g),)

    opt, found = train(Old, lr=0.125)
    assert opt.kernel is not None
    np.testing.assert_array_equal(found, train(Old, lr=0.125, fast=False)[1])


def test_it_comes_back_from_a_copy_and_its_state_from_a_file() -> None:
    scope = cell()
    opt, _ = train(scope["Yogi"])
    twin = copy.deepcopy(opt)
    other = scope["Yogi"]([leaf()])
    other.load_state_dict(opt.state_dict())
    for each in (opt, twin, other):
        w = each._slots[0].tensor
        w.data[...] = 1
        w.grad = Tensor(np.ones(w.shape, "float32"))
        each.step()
    for each in (twin, other):
        np.testing.assert_array_equal(each._slots[0].tensor.data, opt._slots[0].tensor.data)
    back = pickle.loads(pickle.dumps(train(optim.NAdam)[0]))
    back._slots[0].tensor.grad = Tensor(np.ones((5, 3), "float32"))
    back.step()


def test_a_chain_is_the_optimizer_that_it_spells() -> None:
    parts = [chain.scale_by_adam, partial(chain.add_decay, decay=0.1)]
    _, whole = train(optim.AdamW, weight_decay=0.1)
    opt, found = train(partial(chain.Chain, parts=parts, lr=1e-3))
    np.testing.assert_array_equal(found, whole)
    assert opt.state_names == ("m", "v")
    assert formula_lines(program(opt))[-1] == "θ ← θ − η · u"


def test_lion_by_hand() -> None:
    w = Tensor(np.array([1.0, -2.0]), requires_grad=True)
    opt = optim.Lion([w], lr=0.5, betas=(0.5, 0.75), weight_decay=0.25)
    for g in ([4.0, 0.0], [-1.0, 2.0]):
        w.grad = Tensor(np.array(g))
        opt.step()
    # Step 1: signs (1, 0); θ = (1 - 0.5·1.25, -2 + 0.5·0.5) = (0.375, -1.75); m = (1, 0).
    # Step 2: 0.5·(1, 0) + 0.5·(-1, 2) = (0, 1); θ = (0.375 - 0.5·0.25·0.375, -1.75 - 0.5·(1 - 0.4375)).
    np.testing.assert_array_equal(w.data, [0.328125, -2.03125])
    np.testing.assert_array_equal(opt.state["param0"]["m"], [0.5, 0.5])


def test_muon_s_step_is_orthogonal_and_pytorch_s() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    a = optim.formulas.orthogonal(np.random.default_rng(0).normal(size=(6, 3)))
    assert ((np.linalg.svd(a)[1] > 0.6) & (np.linalg.svd(a)[1] < 1.3)).all()
    rng, w = np.random.default_rng(3), leaf((6, 4))
    theirs = torch.tensor(w.numpy().copy(), requires_grad=True)
    opt, other = optim.Muon([w], lr=0.02), torch.optim.Muon([theirs], lr=0.02)
    for _ in range(10):
        g = rng.normal(size=w.shape).astype("float32")
        w.grad, theirs.grad = Tensor(g), torch.from_numpy(g)
        opt.step()
        other.step()
    np.testing.assert_allclose(w.data, theirs.detach().numpy(), atol=4e-3)  # bfloat16 inside
    with pytest.raises(ConfigError, match="MG-507 the shape of b"):
        optim.Muon([Tensor(np.zeros(3), requires_grad=True, name="b")])


def test_settings_are_checked() -> None:
    kind = cell()["Yogi"]
    assert kind([leaf()]).lr == 0.01
    assert kind([leaf()], beta1=0.5).beta1 == 0.5
    with pytest.raises(ConfigError, match="MG-507 beta1 is 'x'"):
        kind([leaf()], beta1="x")
    with pytest.raises(TypeError, match="unexpected keyword argument 'beta'"):
        kind([leaf()], beta=0.5)
    bare = type("Bare", (optim.Optimizer,), {"rule": lambda theta, g, *, eta, k: (theta,)})
    with pytest.raises(ConfigError, match="MG-507 Bare needs k"):
        bare([leaf()], 0.1)
    with pytest.raises(ConfigError, match="MG-507 Bare needs a learning rate"):
        bare([leaf()], k=1)
    nameless = type("Nameless", (optim.Optimizer,), {"rule": lambda theta, g: (theta,)})
    with pytest.raises(ConfigError, match=r"MG-507 .* names no learning rate"):
        nameless([leaf()], 0.1)
    assert math.isclose(optim.NAdam([leaf()]).mu, 0.9 * (1 - 0.5 * 0.96**0.004))
