"""A training whose updates are a compiled step ends with the eager one's bits, and says where they are none."""

from __future__ import annotations

import signal
import warnings
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.compress import Masks
from minigrad.data import DataLoader, Dataset
from minigrad.errors import MinigradWarning, NonFiniteError, ProgramError
from minigrad.program.stretches import Stretches
from minigrad.train.build import build
from minigrad.train.callbacks import AverageWeights, GradientStatistics, SuspiciousStart
from minigrad.train.checkpoint import load_checkpoint, save_checkpoint
from minigrad.train.config import Config
from minigrad.train.strategy import Strategy
from minigrad.train.trainer import Trainer
from minigrad.train.training import Callback


def points(n: int = 22) -> Dataset:
    rng = np.random.default_rng(2)
    return Dataset(rng.standard_normal((n, 5)).astype("f"), rng.integers(0, 3, n), ("a", "b", "c"), "points")


def made(compile: bool | None = None, model: Any = None, **options: Any) -> tuple[Trainer, DataLoader]:
    rng = np.random.default_rng(1)
    model = model or nn.Sequential(
        nn.Linear(5, 4, rng=rng), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.3), nn.Linear(4, 3, rng=rng)
    )
    nn.seed_dropout(model, np.random.default_rng(4))
    optimizer = optim.Adam(model, options.pop("lr", optim.Cosine(0.05, steps=30)), max_norm=1.0)
    loss = options.pop("loss", nn.CrossEntropyLoss())
    trainer = Trainer(model, loss, optimizer, compile=compile, **options)
    return trainer, DataLoader(points(), 6, rng=np.random.default_rng(3))


def penalty_on(model: Any) -> Any:
    return lambda: 0.01 * sum((p * p).sum() for p in model.parameters())


SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "accumulated": {"accumulate": 3},
    "clipped": {"clip_value": 0.01},
    "statistics and averages": {"callbacks": lambda: [GradientStatistics(), AverageWeights(0.9)]},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_compiled_training_has_the_bits_of_the_eager_one(name: str) -> None:
    found = []
    for compile in (False, True):
        options = {k: v() if callable(v) else v for k, v in SETTINGS[name].items()}
        trainer, loader = made(compile, **options)
        trainer.penalty = penalty_on(trainer.model) if name == "plain" else None
        history = trainer.fit(loader, points(7), 4)
        assert trainer.ran == ("compiled" if compile else "eager: compile=False")
        found.append((history, trainer.model.state_dict(), trainer.optimizer.state_dict()))
    (history, weights, state), (other, others, state_after) = found
    assert history == other
    for before, after in ((weights, others), (state, state_after)):
        assert before.keys() == after.keys()
        for key in before:
            np.testing.assert_array_equal(before[key], after[key], err_msg=key)


@pytest.mark.parametrize("first", [True, False])
def test_a_training_that_goes_on_the_other_way_has_the_same_bits(first: bool, tmp_path: Any) -> None:
    whole, loader = made(False)
    whole.fit(loader, None, 4)
    half, loader = made(first)
    half.fit(loader, None, 2)
    save_checkpoint(half, tmp_path / "half.safetensors")
    rest, loader = made(not first)
    load_checkpoint(rest, tmp_path / "half.safetensors", loader)
    assert rest.fit(loader, None, 4) == whole.history
    for key, array in whole.model.state_dict().items():
        np.testing.assert_array_equal(array, rest.model.state_dict()[key], err_msg=key)


@pytest.mark.parametrize(
    "recipe", ["deep-adam", "line-gd", "mlp-sgd", "mlp-dropout", "char-rnn", "char-lstm"]
)
def test_every_recipe_trains_compiled(recipe: str, tmp_path: Any) -> None:
    from minigrad.train.recipes import RECIPES

    found = []
    for compile in (False, True):
        settings = {**RECIPES[recipe].settings(RECIPES[recipe].data), "epochs": 1}
        if RECIPES[recipe].reads:
            text = "".join(np.random.default_rng(0).choice([*"ab cd"], 4000))
            (tmp_path / "text.txt").write_text(text)
            settings |= {"hidden": 8, "context": 8, "batch_size": 16, "data": str(tmp_path / "text.txt")}
        elif recipe == "line-gd":
            settings["epochs"] = 8
        session = build(Config(**settings), compile=compile)
        history = session.trainer.fit(session.loader, session.data.validation, settings["epochs"])
        found.append((history, session.model.state_dict()))
        assert session.trainer.ran == ("compiled" if compile else "eager: compile=False")
    assert found[0][0] == found[1][0]
    for key, array in found[0][1].items():
        np.testing.assert_array_equal(array, found[1][1][key], err_msg=key)


def test_a_loss_that_is_not_finite_ends_it_before_the_update() -> None:
    weights = None
    for compile in (False, True):
        trainer, loader = made(compile, model=nn.Linear(5, 3, rng=np.random.default_rng(1)))
        loader.dataset.x[:] = 1
        loader.rng = None
        loader.dataset.x[20] = np.nan  # in the epoch's fourth batch
        with pytest.raises(
            NonFiniteError, match=r"MG-403 training stopped at step 4 .*Last finite loss (\S+),"
        ) as e:
            trainer.fit(loader, None, 3)
        assert trainer.optimizer.t == 3
        assert "weights are kept as they were before this step" in str(e.value)
        found = trainer.model.parameters()[0].numpy()
        assert np.isfinite(found).all()
        weights = found if weights is None else weights
        np.testing.assert_array_equal(weights, found)


def many(n: int = 203) -> Dataset:
    rng = np.random.default_rng(5)
    return Dataset(rng.standard_normal((n, 5)).astype("f"), rng.integers(0, 3, n), ("a", "b", "c"), "many")


def in_stretches(compile: bool, callbacks: Any = (), data: Dataset | None = None, **options: Any) -> Any:
    """A training whose step is nothing but loops, so that updates are made at a stretch where nobody looks."""
    model = nn.Sequential(
        nn.Linear(5, 4, rng=np.random.default_rng(1)),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(4, 3, rng=np.random.default_rng(2)),
    )
    nn.seed_dropout(model, np.random.default_rng(4))
    rate = optim.Cosine(0.05, steps=400)
    trainer = Trainer(
        model,
        nn.CrossEntropyLoss(),
        optim.Adam(model, lr=rate),
        compile=compile,
        callbacks=callbacks,
        **options,
    )
    return trainer, DataLoader(data or many(), 2, rng=np.random.default_rng(3))


@pytest.fixture
def stretches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many updates were made at each stretch."""
    found: list[int] = []
    run = Stretches.run

    def noted(self: Stretches, most: float) -> Any:
        made = run(self, most)
        found.append(len(made))
        return made

    monkeypatch.setattr(Stretches, "run", noted)
    return found


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("watched", [False, True])
def test_updates_at_a_stretch_are_the_eager_ones(
    watched: bool, accumulate: int, stretches: list[int]
) -> None:
    found = []
    for compile in (False, True):
        callbacks = [GradientStatistics(), SuspiciousStart(3)] if watched else []
        trainer, loader = in_stretches(compile, callbacks, accumulate=accumulate)
        history = trainer.fit(loader, many(7), 5)
        state = {**trainer.model.state_dict(), **trainer.optimizer.state_dict()}
        found.append((history, state, trainer.step, trainer.last_loss, trainer.optimizer.t))
    for name, array in found[0][1].items():
        np.testing.assert_array_equal(array, found[1][1][name], err_msg=name)
    assert found[0][0] == found[1][0]
    assert found[0][2:] == found[1][2:]
    assert max(stretches) > 10


def test_who_looks_at_every_update_finds_what_it_has_left(stretches: list[int]) -> None:
    class Seeing(Callback):
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def on_step_end(self, trainer: Any) -> None:
            self.seen.append((trainer.step, trainer.last_loss, trainer.model.parameters()[0].numpy().copy()))

        def needs_gradients(self, trainer: Any) -> bool:
            return False

    class Tenth(Seeing):
        def looks_at(self, trainer: Any) -> float:
            return trainer.step // 10 * 10 + 10

    found = []
    for kind in (Seeing, Tenth):
        for compile in (False, True):
            callback = kind()
            trainer, loader = in_stretches(compile, [callback])
            trainer.fit(loader, None, 2)
            found.append([each for each in callback.seen if each[0] % 10 == 0 or kind is Seeing])
    assert len(found[0]) == len(found[1]) == 204
    assert len(found[2]) == len(found[3]) == 20
    for one, other in (found[:2], found[2:]):
        for (step, loss, weights), (their_step, their_loss, theirs) in zip(one, other, strict=True):
            assert (step, loss) == (their_step, their_loss)
            np.testing.assert_array_equal(weights, theirs)
    assert max(stretches) == 10


def test_a_loss_that_is_not_finite_ends_a_stretch_before_its_update(stretches: list[int]) -> None:
    found = []
    for compile in (False, True):
        data = many()
        data.x[150] = np.nan
        trainer, loader = in_stretches(compile, data=data)
        loader.rng = None
        with pytest.raises(
            NonFiniteError, match=r"MG-403 training stopped at step 76 .*Last finite loss"
        ) as error:
            trainer.fit(loader, None, 3)
        found.append((str(error.value), trainer.step, trainer.optimizer.t, trainer.last_loss))
        found[-1] += tuple(p.numpy().tobytes() for p in trainer.model.parameters())
    assert found[0] == found[1]
    assert max(stretches) > 10


def test_ctrl_c_within_a_stretch_leaves_the_count_of_updates_right() -> None:
    trainer, loader = in_stretches(True, data=many(4003))
    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    interrupted = 0
    try:
        for k in range(30):
            try:
                trainer.stopping = False
                signal.setitimer(signal.ITIMER_REAL, 2e-3 * (1 + k % 7))
                trainer.fit(loader, None, trainer.epoch + 1)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
            assert trainer.step == trainer.optimizer.t
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted


class Noting(Callback):
    """Looks at every gradient, as one may who has not heard of compiled steps."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_step_end(self, trainer: Any) -> None:
        self.seen.append([p.grad.numpy().copy() for p in trainer.model.parameters()])


def test_a_callback_that_looks_at_the_gradients_finds_them() -> None:
    found = []
    for compile in (False, True):
        notes = Noting()
        trainer, loader = made(compile, callbacks=[notes])
        trainer.fit(loader, None, 2)
        found.append(notes.seen)
    assert trainer.ran == "compiled"
    for a, b in zip(*found, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)


class ByItself(Strategy):
    def gradients(self, training: Any, loader: Any) -> Any:
        for x, y in loader:
            yield [training.train_step(x, y).item()]


def drawing(rng: np.random.Generator) -> Any:
    return lambda y, target: nn.cross_entropy(y + rng.standard_normal(3).astype("f"), target)


def told(trainer: Trainer, loader: DataLoader) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trainer.fit(loader, None, 2)
    return [str(w.message) for w in caught if issubclass(w.category, MinigradWarning)]


def test_where_it_cannot_be_compiled_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minigrad.errors._warned", set())
    trainer, loader = made(loss=drawing(np.random.default_rng(0)))
    [message] = told(trainer, loader)
    assert message.startswith("MG-649 the training's step is eager from here on")
    assert trainer.ran.startswith("eager: MG-633 ")
    eager, loader = made(False, loss=drawing(np.random.default_rng(0)))
    assert told(eager, loader) == []
    assert eager.history == trainer.history  # nothing was drawn twice

    trainer, loader = made(True, loss=drawing(np.random.default_rng(0)))
    with pytest.raises(ProgramError, match="MG-633"):
        trainer.fit(loader, None, 2)

    trainer, loader = made(strategy=ByItself())
    assert told(trainer, loader) == []
    assert trainer.ran == "eager: the strategy works out each update's gradient by itself"

    trainer, loader = made()
    with Masks(trainer.model).held():
        assert told(trainer, loader) == []
    assert trainer.ran.startswith("eager: every operation is watched")


def test_growing_batches_and_a_rate_that_is_set() -> None:
    class Changing(Callback):
        def on_epoch_end(self, trainer: Any) -> None:
            trainer.loader.batch_size += 2
            trainer.optimizer.lr = 0.01 * trainer.epoch

    found = []
    for compile in (False, True):
        trainer, loader = made(compile, callbacks=[Changing()], lr=0.02)
        found.append(trainer.fit(loader, None, 5))
    assert found[0] == found[1]
    assert trainer.ran == "compiled"


def test_an_error_of_the_data_is_the_eager_steps() -> None:
    trainer, loader = made()
    loader.dataset.y[13] = 3
    loader.rng = None
    with pytest.raises(mg.errors.LabelError, match=r"MG-402 .*found 3 at index 1"):
        trainer.fit(loader, None, 2)
    assert trainer.optimizer.t == 2
