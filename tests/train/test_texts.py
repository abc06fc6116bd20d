"""Networks that write: the state carried on, the figures, sampling, and runs that are resumed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.data.text import Vocabulary
from minigrad.errors import ConfigError, DataError
from minigrad.train import run
from minigrad.train.config import Config
from minigrad.train.evaluation import evaluate
from minigrad.train.progress import ShowProgress
from minigrad.train.recipes import RECIPES
from minigrad.train.texts import CharacterGPT, CharacterRNN, NextCharacter, choose, prepare_text, write
from tests.long import first

TEXT = "the cat sat on the mat and the dog lay by the log; " * 60
WRITERS = [name for name, recipe in RECIPES.items() if recipe.reads]


def config(path: Path, recipe: str = "char-lstm", **changes: Any) -> Config:
    (path / "t.txt").write_text(TEXT)
    small = {"hidden": 24, "context": 8, "batch_size": 8, "epochs": 3}
    return Config.from_dict(RECIPES[recipe].settings(str(path / "t.txt")) | small | changes)


def network(kind: Any = nn.LSTM) -> CharacterRNN:
    rng = np.random.default_rng(0)
    return CharacterRNN(kind, 5, 6, 1, 0.0, rng, rng)


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_in_training_it_goes_on_and_in_evaluation_it_begins_anew(kind: Any) -> None:
    model = network(kind)
    ids = np.random.default_rng(1).integers(0, 5, (2, 8))
    whole = model.eval()(ids).numpy().reshape((2, 8, 5))
    model.train()
    parts = [model(ids[:, k : k + 4]).numpy().reshape((2, 4, 5)) for k in (0, 4)]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-6)
    model.begin()
    np.testing.assert_allclose(model(ids[:, :4]).numpy(), parts[0].reshape((8, 5)), atol=1e-6)
    assert model.carried is not None
    assert next(iter(model.state_dict())) == "embedding.weight"


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_step_by_step_it_says_what_it_says_at_once(kind: Any) -> None:
    model = network(kind).eval()
    ids = np.random.default_rng(1).integers(0, 5, (1, 6))
    whole = model(ids).numpy()
    first, memory = model.step(ids[:, :3])
    np.testing.assert_allclose(first.numpy()[0], whole[2], atol=1e-6)
    for k in (3, 4, 5):
        after, memory = model.step(ids[:, k : k + 1], memory)
        np.testing.assert_allclose(after.numpy()[0], whole[k], atol=1e-6)


def test_a_gpt_says_step_by_step_what_it_says_at_once_and_goes_on_where_it_is_full() -> None:
    rng = np.random.default_rng(0)
    model = CharacterGPT(5, 8, 2, 0.0, 6, rng, rng).eval()
    ids = rng.integers(0, 5, (1, 12))
    whole = model(ids[:, :6]).numpy()
    memory = None
    for k in range(6):
        logits, memory = model.step(ids[:, k : k + 1], memory)
        np.testing.assert_allclose(logits.numpy()[0], whole[k], atol=1e-6)
    logits, memory = model.step(ids[:, 6:7], memory)  # the later half of what it sees: ids 4, 5, 6
    np.testing.assert_allclose(logits.numpy()[0], model(ids[:, 4:7]).numpy()[-1], atol=1e-6)
    logits, memory = model.step(ids[:, 7:8], memory)
    np.testing.assert_allclose(logits.numpy()[0], model(ids[:, 4:8]).numpy()[-1], atol=1e-6)
    long, _ = model.step(ids)
    np.testing.assert_allclose(long.numpy()[0], model(ids[:, -3:]).numpy()[-1], atol=1e-6)


def test_the_loss_is_the_mean_over_all_characters(tmp_path: Path) -> None:
    data = prepare_text(config(tmp_path), "streams")
    characters = len(data.train.classes or ())
    model = CharacterRNN(nn.LSTM, characters, 6, 1, 0.0, *(np.random.default_rng(0),) * 2)
    found = evaluate(model, data.test, NextCharacter())
    logits = model.eval()(data.test.x).numpy().astype(float)
    y = data.test.y.reshape(-1)
    powers = np.exp(logits)
    wanted = -np.log(powers[np.arange(len(y)), y] / powers.sum(axis=1))
    assert math.isclose(found.loss, wanted.mean(), rel_tol=1e-5)
    assert found.accuracy == np.mean(logits.argmax(axis=1) == y)


def test_the_parts_do_not_overlap(tmp_path: Path) -> None:
    data = prepare_text(config(tmp_path, validation=0.2), "streams")
    assert data.validation is not None
    tested = int(len(TEXT) * 0.95)
    trained = int(tested * 0.8)
    known = Vocabulary(data.train.classes or ())
    assert known.decode(data.validation.x[0]) == TEXT[trained : trained + 32]
    assert known.decode(data.test.x[0]) == TEXT[tested : tested + 32]
    assert data.train.x.size + 1 <= trained


@pytest.mark.parametrize("recipe", WRITERS)
def test_a_run_learns_and_writes(recipe: str, tmp_path: Path) -> None:
    results = run.start(config(tmp_path, recipe, epochs=12, lr=0.01), tmp_path / "run", ShowProgress("quiet"))
    assert results["test_loss"] < 0.7 * math.log(len(set(TEXT)))
    assert math.isclose(results["test_perplexity"], math.exp(results["test_loss"]))
    files = sorted(path.name for path in (tmp_path / "run" / "samples").iterdir())
    assert files == [f"epoch-{k:04}.txt" for k in range(1, 13)]
    assert "perplexity" in (tmp_path / "run" / "summary.md").read_text()
    model, about = run.load_network(tmp_path / "run")
    known = Vocabulary(tuple(about.classes or ()))
    texts = ["".join(write(model, known, np.random.default_rng(3), "the ", length=30)) for _ in range(2)]
    assert texts[0] == texts[1]
    assert set(texts[0]) <= set(TEXT)
    assert run.evaluate_run(tmp_path / "run")[0].loss == results["test_loss"]


@pytest.mark.parametrize("recipe", first(WRITERS, 2))
def test_a_resumed_run_ends_with_the_same_bits(
    recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(tmp_path, recipe, dropout=0.1, layers=2)
    run.start(settings, tmp_path / "whole", ShowProgress("quiet"))

    class Cut(ShowProgress):
        def on_epoch_end(self, trainer: Any) -> None:
            if trainer.epoch == 2:
                raise KeyboardInterrupt

    from minigrad.train import checkpoint

    monkeypatch.setattr(checkpoint.Checkpoint.__init__, "__defaults__", (0.0, None))
    with pytest.raises(KeyboardInterrupt):
        run.start(settings, tmp_path / "cut", Cut("quiet"))
    assert not (tmp_path / "cut" / "results.json").exists()
    run.resume(tmp_path / "cut", ShowProgress("quiet"))
    for name in ("weights.safetensors", "samples/epoch-0003.txt", "history.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_drawing_follows_the_probabilities_and_their_limits() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05]))
    rng = np.random.default_rng(0)

    def shares(*how: Any) -> np.ndarray[Any, Any]:
        return np.bincount([choose(logits, rng, *how) for _ in range(4000)], minlength=4) / 4000

    np.testing.assert_allclose(shares(1.0, 0, 1.0), [0.5, 0.3, 0.15, 0.05], atol=0.03)
    np.testing.assert_allclose(shares(1.0, 2, 1.0), [0.625, 0.375, 0, 0], atol=0.03)
    np.testing.assert_allclose(shares(1.0, 0, 0.7), [0.625, 0.375, 0, 0], atol=0.03)
    squared = np.array([0.25, 0.09, 0.0225, 0.0025])
    np.testing.assert_allclose(shares(0.5, 0, 1.0), squared / squared.sum(), atol=0.03)
    assert shares(0, 0, 1.0).tolist() == [1, 0, 0, 0]
    assert shares(1.0, 0, 0.4).tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"temperature": -1.0}, "MG-802 temperature is -1.0"),
        ({"top_p": 0.0}, "MG-802 top_p is 0.0; it must be above 0"),
        ({"top_k": -1}, "MG-802 top_k is -1"),
        ({"prompt": "té"}, "MG-532 the text has 'é'"),
    ],
)
def test_sampling_that_cannot_be_is_explained(changes: dict[str, Any], words: str) -> None:
    with pytest.raises((ConfigError, DataError), match=words):
        write(network(), Vocabulary(tuple("acet ")), np.random.default_rng(0), **changes)


@pytest.mark.parametrize(
    ("recipe", "changes", "words"),
    [
        ("char-lstm", {"data": "digits"}, "MG-803 char-lstm reads text, and data is 'digits'"),
        ("char-lstm", {"grow_batch": 2}, "MG-803 .*grow_batch 0"),
        ("char-lstm", {"batch_size": 0}, "MG-803 .*batch_size must be 1 or more"),
        ("mlp-sgd", {"data": "python"}, "MG-803 python is text.*minigrad train char-lstm --data python"),
        ("mlp-sgd", {"context": 8, "data": "digits"}, "MG-803 context is no setting of mlp-sgd"),
        ("char-rnn", {"augment": True}, "MG-803 augment works on pictures"),
    ],
)
def test_settings_that_do_not_go_together(
    recipe: str, changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    from minigrad.train.build import build

    settings = config(tmp_path).to_dict() if recipe.startswith("char") else {"recipe": recipe}
    with pytest.raises(ConfigError, match=words):
        build(Config.from_dict({**settings, "recipe": recipe, **changes}))


def test_debug_mode_runs_the_first_step(tmp_path: Path) -> None:
    model = network()
    with mg.debug():
        loss = NextCharacter()(model(np.zeros((2, 4), int)), np.zeros((2, 4), int))
        loss.backward()
    assert all(p.grad is not None for p in model.parameters())
