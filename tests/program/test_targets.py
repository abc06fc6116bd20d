"""What the passes leave out and move, and what the processor's target makes of a program."""

from __future__ import annotations

import signal
from typing import Any

import numpy as np
import pytest
from minigrad_kernels import softmax_xent
from minigrad_kernels.launch import reference_only

import minigrad as mg
from minigrad import nn, optim
from minigrad.errors import LabelError
from minigrad.program import passes
from minigrad.program.source import compiled as as_numpy


def digits_step(optimizer: Any, n: int, **options: Any) -> tuple[Any, Any, list[tuple[Any, Any]]]:
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Linear(32, 10, rng=rng))
    opt, loss_of = optimizer(model), nn.CrossEntropyLoss()

    def step(x, y):
        opt.zero_grad()
        loss = loss_of(model(mg.Tensor(x)), y)
        loss.backward()
        opt.step()
        return loss

    data = [(rng.standard_normal((n, 64)).astype("f"), rng.integers(0, 10, n)) for _ in range(8)]
    return step, model, data


def names(listing: Any) -> list[str]:
    return [each.function.name for each in listing.instructions]


# -- passes -----------------------------------------------------------------------------------------------


def test_copies_of_what_nobody_writes_are_none():
    step, _, data = digits_step(optim.SGD, 4)
    step = mg.compile(step)
    step(*data[0])
    stages = step.program.stages
    assert list(stages) == ["traced", "without_copies", "shared", "without_ones", "without_dead"]
    assert ".copy" in names(stages["traced"])  # of the labels, which are bare
    assert ".copy" not in names(stages["without_copies"])


def test_a_copy_of_what_is_written_afterwards_stays():
    def step(x):
        before = x.copy()
        x += 1
        return mg.Tensor(before).sum(), mg.Tensor(x).sum()

    compiled = mg.compile(step)
    for _ in range(4):
        assert [each.item() for each in compiled(np.arange(3.0))] == [3, 6]


def test_what_is_worked_out_twice_is_worked_out_once():
    @mg.compile
    def step(x, y):
        a, b = np.exp(mg.Tensor(x)), np.exp(mg.Tensor(x))
        return (a * y + b).sum()

    x, y = np.arange(3.0), np.arange(3.0)
    for _ in range(4):
        np.testing.assert_allclose(step(x, y).item(), (np.exp(x) * y + np.exp(x)).sum())
    assert names(step.program.stages["traced"]).count("np.exp") == 2
    assert names(step.program.replayed).count("np.exp") == 1


def test_what_is_worked_out_before_and_after_a_write_is_not_the_same():
    @mg.compile
    def step(x):
        a = np.exp(mg.Tensor(x))
        x += 1
        return (a - np.exp(mg.Tensor(x))).sum()

    for _ in range(4):
        x = np.zeros(2)
        np.testing.assert_allclose(step(x).item(), 2 - 2 * np.e)


def test_what_nobody_asks_for_is_left_out_but_random_numbers_are_drawn():
    rng = np.random.default_rng(0)
    drop = nn.Dropout(0.5, rng)

    @mg.compile
    def step(x):
        np.sin(drop(mg.Tensor(x)))
        return mg.Tensor(x).sum()

    for _ in range(5):
        step(np.ones(3))
    assert names(step.program.replayed)[0] == ".random"
    assert "np.sin" not in names(step.program.replayed)
    other = np.random.default_rng(0)
    for _ in range(5):
        other.random(3, dtype=np.float32)
    assert rng.random() == other.random()


def test_kernels_are_written_out_in_numpy():
    step, _, data = digits_step(lambda m: optim.Adam(m, max_norm=1.0), 4)
    step = mg.compile(step)
    step(*data[0])
    step(*data[1])
    lowered = step.program.lowered
    kernels = {"linear_forward", "linear_backward", "softmax_xent_mean_forward_backward", "adam"}
    assert kernels <= set(names(step.program.replayed))
    assert not kernels & set(names(lowered))
    given = {
        value: each.read(data[2])
        for value, each in zip(step.program.listing.given, step.program.sources, strict=True)
    }
    copies = [np.copy(given[v]) if v.dtype is not None else given[v] for v in lowered.given]
    t = step.program.sources[-1].read(()).t
    (loss,) = as_numpy("step", lowered)(*copies)
    step.program.sources[-1].read(()).t = t  # the step of the copies counts for nothing
    np.testing.assert_allclose(loss, step(*data[2]).item(), rtol=1e-5)


def test_formulas_are_folded_and_give_the_same():
    @mg.compile
    def step(x, y):
        a = mg.Tensor(x) * 2 + y
        x *= 10  # which a was made of before
        b = np.exp(-a) * x
        return (a - b) / (1 + mg.Tensor(y))

    def expected(x, y):
        a = x * 2 + y
        return (a - np.exp(-a) * (10 * x)) / (1 + y)

    x, y = np.linspace(0, 1, 4), np.linspace(1, 2, 4)
    step(x.copy(), y)
    listing = step.program.lowered
    folded = passes.folded(listing)
    assert len(folded.instructions) < len(listing.instructions)
    for form in (listing, folded):
        (result,) = as_numpy("step", form)(x.copy(), y)
        np.testing.assert_array_equal(result, expected(x, y))
    assert "np.exp(np.negative(v2))" in step.program.numpy


def test_coefficients_behind_a_step_stay_behind_it():
    """Two steps of one optimizer in one program: the second's bias corrections are those of t = 2."""
    found = []
    for compiled in (False, True):
        w = nn.module.Parameter(np.ones(3))
        opt = optim.Adam([w], lr=0.1)

        def step(x, w=w, opt=opt):
            for _ in range(2):
                opt.zero_grad()
                (w * x).sum().backward()
                opt.step()

        step = mg.compile(step) if compiled else step
        for k in range(6):
            step(np.arange(3.0) + k)
        found.append((w.numpy().copy(), opt.t))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1] == 12


# -- the processor ----------------------------------------------------------------------------------------


def test_a_part_of_an_argument_is_looked_up_in_every_call():
    """The argument is a piece of a larger array: its part lies in the same memory, and not in the program's own."""
    whole = np.random.default_rng(0).standard_normal((10, 4, 64)).astype("f")
    layer = nn.Linear(64, 3, rng=np.random.default_rng(1))
    step = mg.compile(lambda x: layer(mg.Tensor(x)[0]))
    for k in range(10):
        piece = whole[k : k + 1]
        np.testing.assert_array_equal(step(piece).numpy(), layer(mg.Tensor(piece)[0]).numpy())


@pytest.mark.parametrize("grads", [False, True])
@pytest.mark.parametrize("make", [optim.SGD, optim.RMSprop, optim.Adam])
def test_a_single_samples_gradient_is_made_in_the_update(make: Any, grads: bool):
    step, model, data = digits_step(make, 1)
    other, eager, _ = digits_step(make, 1)
    compiled = mg.compile(step, grads=grads)
    for x, y in data:
        assert compiled(x, y).item() == other(x, y).item()
    for a, b in zip(model.parameters(), eager.parameters(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
        if grads:
            np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())
    text = compiled.program.native
    assert ("in_rows" in text) is not grads
    assert text.count("drive(") == 1  # all loops in one go


@pytest.mark.parametrize("max_norm", [None, 0.5])
def test_coefficients_that_stay_are_written_anew_when_a_setting_changes(max_norm: float | None):
    found = []
    for compiled in (False, True):
        step, model, data = digits_step(lambda m: optim.SGD(m, lr=0.1, momentum=0.5, max_norm=max_norm), 1)
        opt = next(
            cell.cell_contents for cell in step.__closure__ if isinstance(cell.cell_contents, optim.SGD)
        )
        run = mg.compile(step) if compiled else step
        rates = [0.1, 0.2, 0.2, 0.1, optim.Cosine(0.1, steps=90), 0.05, 0.05]
        for k, rate in enumerate(rates):
            opt.lr = rate
            opt.weight_decay = 0.01 * (k % 3)
            for x, y in data[:6]:
                found.append((run(x, y).item(), opt.last_rate, opt.t))
        step(*data[0])  # another rate in the eager step, in between
        opt.lr = 0.3
        step(*data[0])
        opt.lr = 0.05
        run(*data[0])
        found.append((opt.last_rate, [p.numpy().tobytes() for p in model.parameters()]))
    assert found[: len(found) // 2] == found[len(found) // 2 :]
    assert ("_coefficients_into(" in run.program.native) is (
        max_norm is None
    )  # clipping is another in each step


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_the_rows_of_large_weights_are_shared_out_among_threads(make: Any):
    """Of two layers with 2¹⁷ weights each no gradient lies in memory, and none of the first layer's is worked out."""
    size = 1 << 17
    found = []
    for compiled in (False, True):
        rng = np.random.default_rng(0)
        model = nn.Sequential(nn.Linear(256, 512, rng=rng), nn.ReLU(), nn.Linear(512, 256, rng=rng))
        opt, loss_of = make(model, lr=0.01), nn.CrossEntropyLoss()

        def step(x, y, model=model, opt=opt, loss_of=loss_of):
            opt.zero_grad()
            loss = loss_of(model(mg.Tensor(x)), y)
            loss.backward()
            opt.step()
            return loss

        run = mg.compile(step) if compiled else step
        losses = [
            run(rng.standard_normal((1, 256)).astype("f"), rng.integers(0, 256, 1)).item() for _ in range(6)
        ]
        found.append((losses, [p.numpy() for p in model.parameters()]))
    assert model[0].weight.size == model[2].weight.size == size
    assert found[0][0] == found[1][0]
    for a, b in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_array_equal(a, b)
    text = run.program.native
    assert (text.count("in_rows"), text.count(" backward,")) == (2, 1)
    assert max(life.nbytes for life in run.program.memory().lives) < size


def test_without_numba_and_under_reference_only_the_numpy_target_runs():
    step, model, data = digits_step(optim.SGD, 3)
    other, eager, _ = digits_step(optim.SGD, 3)
    with reference_only():
        compiled = mg.compile(step)
        for x, y in data:
            assert compiled(x, y).item() == other(x, y).item()
        assert "drive(" not in compiled.program.native
    for a, b in zip(model.parameters(), eager.parameters(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_batches_and_parameters_may_lie_elsewhere_in_every_call():
    step, model, _ = digits_step(optim.SGD, 5)
    other, eager, _ = digits_step(optim.SGD, 5)
    compiled = mg.compile(step)
    rng = np.random.default_rng(1)
    whole, labels = rng.standard_normal((60, 64)).astype("f"), rng.integers(0, 10, 60)
    for k in range(0, 55, 5):
        x, y = whole[k : k + 5], labels[k : k + 5]  # views of one array
        assert compiled(x, y).item() == other(x, y).item()
        for each in (model, eager):
            each[0].weight.data = each[0].weight.numpy().copy()
    assert compiled.why().count("made for") == 1


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 15, 16, 17, 100, 127, 128, 129, 1000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_few_losses_are_added_up_in_numpys_order(n: int, dtype: str):
    for seed in range(20):
        losses = np.random.default_rng(seed).standard_normal(n).astype(dtype)
        mean = np.empty((), dtype)
        softmax_xent.mean_into(losses, mean)
        assert mean == losses.sum() / n


def test_a_native_program_shows_itself():
    step, _, data = digits_step(optim.SGD, 2)
    compiled = mg.compile(step)
    for x, y in data[:3]:
        compiled(x, y)
    assert "drive(table_" in compiled.program.native
    assert "optimizer.t += 1" in compiled.program.native
    assert passes.hoisted(compiled.program.replayed).instructions[0].function.name == "sgd_coefficients"


def test_an_interruption_finds_a_whole_step():
    """Ctrl-C at any moment: the parameters are those of as many steps as the optimizer has counted."""
    step, model, data = digits_step(optim.Adam, 1)
    other, eager, _ = digits_step(optim.Adam, 1)
    compiled = mg.compile(step, verify=False)
    for x, y in data[:3]:
        compiled(x, y)
    opt = next(each.thing for each in compiled.program.sources if hasattr(getattr(each, "thing", None), "t"))
    after = []
    for k in range(300):
        if k:
            other(*data[0] if k > 3 else data[k - 1])
        after.append([p.numpy().copy() for p in eager.parameters()])
    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    interrupted = 0
    try:
        while opt.t < 280 and interrupted < 100:
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-5 * (1 + interrupted % 17))
                for _ in range(3):
                    compiled(*data[0])
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
                for a, b in zip(model.parameters(), after[opt.t], strict=True):
                    np.testing.assert_array_equal(a.numpy(), b)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted


# -- memory, and many batches -----------------------------------------------------------------------------


def test_buffers_lives_and_one_block():
    @mg.compile
    def step(x):
        a = np.cumsum(mg.Tensor(x))  # 0, until b
        b = np.cumsum(a)  # 1, until c
        c = np.cumsum(b)  # 2, until the sum
        return c.sum()

    step(np.ones(1000))
    memory = step.program.memory()
    assert [(each.first, each.last) for each in memory.lives[:3]] == [(0, 1), (1, 2), (2, 3)]
    assert memory.lives[2].place == memory.lives[0].place == 0  # c takes the place of a
    assert memory.lives[1].place == 8000
    assert memory.total == 24_016  # and the sum, a scalar of NumPy's that becomes an array
    assert memory.peak == 16_000
    assert memory.block == 16_000
    assert str(memory).startswith("5 buffers, 23.5 KiB; at most 15.6 KiB at once, 15.6 KiB in one block")


def test_all_batches_of_a_loader():
    step, model, data = digits_step(optim.Adam, 5)
    other, eager, _ = digits_step(optim.Adam, 5)
    compiled = mg.compile(step)
    batches = [*data, (data[0][0][:2], data[0][1][:2])]  # the last one is smaller
    for _ in range(3):
        found = compiled.over(batches)
        assert [each.item() for each in found] == [other(*each).item() for each in batches]
    for a, b in zip(model.parameters(), eager.parameters(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    with pytest.raises(LabelError):
        compiled.over([data[0], (data[0][0], data[0][1] + 10)])
    other(*data[0])  # the one before the failure counts
    np.testing.assert_array_equal(eager[0].weight.numpy(), model[0].weight.numpy())
