from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader, Dataset, load_digits
from minigrad.errors import ConfigError, DataError, MinigradWarning, NonFiniteError
from minigrad.train.callbacks import Callback, EarlyStopping, GradientStatistics, GrowBatch, SuspiciousStart
from minigrad.train.checkpoint import load_checkpoint, save_checkpoint
from minigrad.train.strategy import Strategy
from minigrad.train.trainer import Trainer, evaluate


def digits(n: int = 200) -> Dataset:
    return load_digits().take(np.arange(n))


def make(seed: int = 0, lr: float = 0.01, dropout: float = 0.2, **settings) -> tuple[Trainer, DataLoader]:
    weights, masks, batches = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))
    model = nn.Sequential(
        nn.Linear(64, 16, rng=weights),
        nn.ReLU(),
        nn.Dropout(dropout, rng=masks),
        nn.Linear(16, 10, rng=weights),
    )
    settings.setdefault("generators", {"masks": masks, "batches": batches})
    trainer = Trainer(model, nn.CrossEntropyLoss(), optim.Adam(model, lr=lr), **settings)
    return trainer, DataLoader(digits(), 20, rng=batches)


def weights_of(trainer: Trainer) -> dict[str, np.ndarray]:
    return trainer.model.state_dict()


def assert_same_bits(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> None:
    assert a.keys() == b.keys()
    for name in a:
        assert a[name].tobytes() == b[name].tobytes(), name


def test_it_learns_the_digits() -> None:
    trainer, loader = make()
    history = trainer.fit(loader, digits(), 30)
    assert history["val_accuracy"][-1] > 0.97
    assert history["loss"][-1] < 0.3 * history["loss"][0]
    assert history["epoch"] == list(range(1, 31))


def test_a_schedule_is_asked_once_for_each_update() -> None:
    asked: list[int] = []

    def schedule(step: int) -> float:
        asked.append(step)
        return 0.01 / (1 + step)

    trainer, loader = make(lr=schedule)
    assert math.isnan(trainer.optimizer.last_rate)
    before = len(asked)  # the trainer's first look at the rate
    history = trainer.fit(loader, None, 2)
    assert asked[before:] == list(range(20))  # two epochs of ten updates
    assert history["lr"] == [0.01 / 10, 0.01 / 20]
    assert trainer.optimizer.last_rate == 0.01 / 20


def test_an_epoch_is_the_hand_written_loop() -> None:
    trainer, loader = make()
    twin, twin_loader = make()
    trainer.fit(loader, None, 2)
    losses = []
    for _ in range(2):
        for x, y in twin_loader:
            twin.optimizer.zero_grad()
            loss = twin.loss(twin.model(mg.Tensor(x)), y)
            loss.backward()
            twin.optimizer.step()
            losses.append(loss.item())
    assert_same_bits(weights_of(trainer), weights_of(twin))
    assert trainer.history["loss"][1] == pytest.approx(np.mean(losses[10:]))


class Diary(Callback):
    def __init__(self) -> None:
        self.events: list[str] = []

    def on_train_begin(self, trainer: Trainer) -> None:
        self.events.append("begin")

    def on_epoch_begin(self, trainer: Trainer) -> None:
        self.events.append("epoch")

    def on_step_end(self, trainer: Trainer) -> None:
        assert all(p.grad is not None for p in trainer.model.parameters())
        self.events.append("step")

    def on_epoch_figures(self, trainer: Trainer, row: dict) -> None:
        row["mine"] = 7
        self.events.append("figures")

    def on_epoch_end(self, trainer: Trainer) -> None:
        assert trainer.history["mine"][-1] == 7
        self.events.append("end")

    def on_train_end(self, trainer: Trainer) -> None:
        self.events.append("done")


def test_events_come_in_the_documented_order() -> None:
    diary = Diary()
    trainer, loader = make(callbacks=[diary])
    loader.batch_size = 100
    trainer.fit(loader, None, 2)
    epoch = ["epoch", "step", "step", "figures", "end"]
    assert diary.events == ["begin", *epoch, *epoch, "done"]


class Halves(Strategy):
    """Works each batch out in two halves, of one sample and of the rest, weighted as their samples are."""

    def gradients(self, training, loader):
        for x, y in loader:
            total = 0.0
            for part in (slice(1), slice(1, None)):
                share = np.asarray(len(x[part]) / len(x), x.dtype)
                loss = training.train_step(
                    x[part], y[part], 2, lambda loss, share=share: loss.backward(2 * share)
                )
                total += float(share) * loss.item()
            training.last_loss = total
            yield [total]

    def on_step_end(self, trainer) -> None:
        self.diary.events.append("strategy")


def test_a_strategy_of_ones_own_makes_the_gradients_and_hears_of_events_last() -> None:
    strategy, diary = Halves(), Diary()
    strategy.diary = diary
    found = []
    for settings in ({}, {"strategy": strategy, "callbacks": [diary]}):
        trainer, _ = make(dropout=0.0, **settings)
        trainer.model.to("float64")
        trainer.optimizer = optim.SGD(trainer.model, lr=0.1)
        wide = Dataset(digits(60).x.astype(np.float64), digits(60).y)
        trainer.fit(DataLoader(wide, 20), None, 2)
        found.append((weights_of(trainer), trainer.history["loss"], trainer.step))
    (weights, losses, steps), (others, other_losses, other_steps) = found
    assert steps == other_steps == 6
    np.testing.assert_allclose(losses, other_losses, rtol=1e-12)
    for name in weights:
        np.testing.assert_allclose(weights[name], others[name], rtol=1e-10, atol=1e-14)
    epoch = ["epoch", *["step", "strategy"] * 3, "figures", "end"]
    assert diary.events == ["begin", *epoch, *epoch, "done"]


def test_accumulating_k_batches_is_one_batch_k_times_as_large() -> None:
    data = digits(80)
    states = []
    for size, passes in ((40, 1), (10, 4)):
        trainer, _ = make(accumulate=passes, dropout=0.0)
        trainer.model.to("float64")
        trainer.optimizer = optim.SGD(trainer.model, lr=0.1)
        wide = Dataset(data.x.astype(np.float64), data.y)
        trainer.fit(DataLoader(wide, size), None, 3)
        assert trainer.step == 6
        states.append(weights_of(trainer))
    for name in states[0]:
        np.testing.assert_allclose(states[0][name], states[1][name], rtol=1e-12)


def test_a_last_smaller_group_is_averaged_over_its_own_size() -> None:
    trainer, loader = make(accumulate=4)
    loader.batch_size = 80  # 200 samples: 3 batches, one group of 3
    trainer.fit(loader, None, 1)
    assert trainer.step == 1


def test_early_stopping_stops_and_restores_the_best_weights() -> None:
    class Remember(Callback):
        def __init__(self) -> None:
            self.weights: list[dict[str, np.ndarray]] = []

        def on_epoch_end(self, trainer: Trainer) -> None:
            self.weights.append(weights_of(trainer))

    remember, stopping = Remember(), EarlyStopping(3)
    trainer, loader = make(lr=0.05, callbacks=[remember, stopping])
    held_out = load_digits().take(np.arange(200, 300))
    history = trainer.fit(loader, held_out, 200)
    best = int(np.argmin(history["val_loss"]))
    assert len(history["epoch"]) == best + 1 + 3 < 200
    assert_same_bits(weights_of(trainer), remember.weights[best])


def test_early_stopping_without_validation_says_so() -> None:
    trainer, loader = make(callbacks=[EarlyStopping(3)])
    with pytest.raises(ConfigError, match="MG-803"):
        trainer.fit(loader, None, 2)


def test_the_batch_grows() -> None:
    trainer, loader = make(callbacks=[GrowBatch(1, limit=70)])
    trainer.fit(loader, None, 3)
    assert loader.batch_size == 70
    assert trainer.step == 10 + 5 + 3


def test_gradient_statistics_are_those_of_the_last_update() -> None:
    trainer, loader = make(callbacks=[GradientStatistics()])
    loader.batch_size = 200
    before = weights_of(trainer)
    history = trainer.fit(loader, None, 1)
    after = weights_of(trainer)
    norm = math.sqrt(sum(np.sum(after[n] ** 2) for n in after))
    update = math.sqrt(sum(np.sum((after[n] - before[n]) ** 2) for n in after))
    assert history["update_ratio"][0] == pytest.approx(update / norm, rel=1e-5)
    assert history["grad_norm"][0] > 0


def test_unscaled_pixels_are_suspicious() -> None:
    trainer, _ = make(callbacks=[SuspiciousStart(10)])
    data = digits()
    with pytest.warns(MinigradWarning, match=r"MG-404 first loss .* ln 10 = 2.303"):
        trainer.fit(DataLoader(Dataset(data.x * 255, data.y), 20), None, 1)


def test_a_diverging_training_stops_with_good_weights() -> None:
    trainer, _ = make(dropout=0.0)
    trainer.optimizer = optim.SGD(trainer.model, lr=1e20)
    message = r"MG-403 training stopped at step \d+ .* lr = 1e\+20"
    with np.errstate(all="ignore"), pytest.raises(NonFiniteError, match=message) as caught:
        trainer.fit(DataLoader(digits(), 20), None, 5)
    assert "first non-finite value: infinity in the result of" in str(caught.value)
    assert all(np.abs(w).max() < 1 for w in weights_of(trainer).values())


def test_a_bad_batch_is_named_and_changes_nothing() -> None:
    trainer, _ = make(dropout=0.0)
    data = digits(40)
    x = data.x.copy()
    x[25, 3] = np.nan
    before: list[dict[str, np.ndarray]] = []

    class Remember(Callback):
        def on_step_end(self, trainer: Trainer) -> None:
            before.append(weights_of(trainer))

    trainer.callbacks.append(Remember())
    with pytest.raises(NonFiniteError, match=r"step 2 .*not finite before this operation.*before this step"):
        trainer.fit(DataLoader(Dataset(x, data.y), 20), None, 1)
    assert_same_bits(weights_of(trainer), before[-1])


def test_a_checkpoint_continues_to_the_same_bits(tmp_path: Path) -> None:
    def plateau() -> optim.ReduceLROnPlateau:
        return optim.ReduceLROnPlateau(0.01, patience=0, threshold=0.5)

    def fresh() -> tuple[Trainer, DataLoader]:
        trainer, loader = make(seed=3, callbacks=[EarlyStopping(50), GrowBatch(2, 64), GradientStatistics()])
        trainer.optimizer = optim.Adam(trainer.model, lr=plateau())
        return trainer, loader

    whole, loader = fresh()
    whole.fit(loader, digits(), 6)
    first, loader = fresh()
    first.fit(loader, digits(), 3)
    first.model.load_state_dict(weights_of(first))
    half, loader = fresh()
    half.callbacks.append(Saver(tmp_path / "c.safetensors", at=3))
    half.fit(loader, digits(), 4)
    resumed, loader = fresh()
    load_checkpoint(resumed, tmp_path / "c.safetensors", loader)
    assert resumed.epoch == 3
    resumed.fit(loader, digits(), 6)
    assert_same_bits(weights_of(whole), weights_of(resumed))
    assert whole.history == resumed.history


class Saver(Callback):
    def __init__(self, path: Path, at: int) -> None:
        self.path, self.at = path, at

    def on_epoch_end(self, trainer: Trainer) -> None:
        if trainer.epoch == self.at:
            trainer.callbacks.remove(self)
            save_checkpoint(trainer, self.path)


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    trainer, loader = make()
    trainer.fit(loader, None, 1)
    save_checkpoint(trainer, tmp_path / "c.safetensors")
    other, loader = make()
    other.optimizer = optim.SGD(other.model, lr=0.1, momentum=0.9)
    with pytest.raises(DataError, match="MG-714"):
        load_checkpoint(other, tmp_path / "c.safetensors", loader)


def test_evaluate_changes_nothing_and_is_the_plain_computation() -> None:
    trainer, _ = make()
    data = digits()
    state = {n: g.bit_generator.state for n, g in trainer.generators.items()}
    before = weights_of(trainer)
    found = evaluate(trainer.model, data, trainer.loss)
    assert_same_bits(before, weights_of(trainer))
    assert state == {n: g.bit_generator.state for n, g in trainer.generators.items()}
    assert trainer.model.training
    z = (
        np.maximum(data.x @ before["0.weight"].T + before["0.bias"], 0) @ before["3.weight"].T
        + before["3.bias"]
    )
    expected = np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(len(z)), data.y])
    assert found.loss == pytest.approx(expected, rel=1e-5)
    assert found.accuracy == np.mean(z.argmax(1) == data.y)


ABSURD = [0, -1, 2.0, 0.5, "3", None, True, math.nan, math.inf, [1]]


@pytest.mark.parametrize("value", ABSURD, ids=repr)
@pytest.mark.parametrize(
    ("name", "build"),
    [
        ("patience", EarlyStopping),
        ("every", lambda value: GrowBatch(value, 100)),
        ("limit", lambda value: GrowBatch(1, value)),
        ("accumulate", lambda value: make(accumulate=value)),
    ],
)
def test_settings_of_training_are_whole_numbers(name: str, build, value) -> None:
    with pytest.raises(ConfigError, match=f"MG-802 {name} must be 1 "):
        build(value)


@pytest.mark.parametrize("value", [0, -1.0, "3", True, math.nan, math.inf, [1]], ids=repr)
def test_a_clip_value_is_a_number_above_0(value) -> None:
    with pytest.raises(ConfigError, match="MG-507 clip_value is "):
        make(clip_value=value)


def test_early_stopping_takes_losses_of_any_sign_and_none_that_is_not_finite(monkeypatch) -> None:
    # the best is -3, in epoch 3; neither NaN nor an infinity is better, and no finite loss is for 2 epochs
    losses = [-1.0, math.nan, -3.0, -math.inf, -2.0, -9.0]
    trainer, loader = make(callbacks=[stopping := EarlyStopping(patience=2)])
    given = iter(losses)
    monkeypatch.setattr(trainer.strategy, "evaluate", lambda training, validation: (next(given), 0.0))
    kept = {}

    class Keep(Callback):
        def on_epoch_end(self, trainer: Trainer) -> None:
            kept[trainer.epoch] = weights_of(trainer)

    trainer.callbacks.append(Keep())
    history = trainer.fit(loader, digits(), 6)
    assert (len(history["val_loss"]), stopping.best, stopping.best_epoch) == (5, -3.0, 3)
    assert_same_bits(weights_of(trainer), kept[3])


@pytest.mark.parametrize("name", ["schedule", "optimizer", "t", "model", "callback", "lr"])
def test_a_checkpoint_of_a_model_whose_layers_have_our_words_for_names(name: str, tmp_path: Path) -> None:
    def build() -> tuple[Trainer, DataLoader]:
        rng = np.random.default_rng(0)

        class Net(nn.Module):
            def __init__(self) -> None:
                setattr(self, name, nn.Linear(64, 10, rng=rng))

            def forward(self, x):
                return getattr(self, name)(x)

        model = Net()
        rate = optim.ReduceLROnPlateau(0.01, patience=0, threshold=0.5)
        trainer = Trainer(model, nn.CrossEntropyLoss(), optim.Adam(model, lr=rate))
        return trainer, DataLoader(digits(), 20, rng=np.random.default_rng(1))

    whole, loader = build()
    whole.fit(loader, digits(), 2)
    save_checkpoint(whole, tmp_path / "checkpoint")
    resumed, other = build()
    load_checkpoint(resumed, tmp_path / "checkpoint", other)
    assert_same_bits(weights_of(resumed), weights_of(whole))
    assert resumed.optimizer.lr.state() == whole.optimizer.lr.state()
    for x, y in DataLoader(digits(40), 20):
        for trainer in (whole, resumed):
            trainer.optimizer.zero_grad()
            trainer.train_step(x, y)
            trainer.optimizer.step()
    assert_same_bits(weights_of(resumed), weights_of(whole))
