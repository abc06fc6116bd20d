"""Networks that write: their data, what they are beside a network that tells classes apart, and their samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from minigrad import modes, nn
from minigrad.data.text import TEXTS, Vocabulary, load_text, streams, windows
from minigrad.errors import ConfigError, DataError
from minigrad.files import atomic_write
from minigrad.nn.gpt import Cache
from minigrad.tensor import Tensor, unwrap
from minigrad.train.config import Config
from minigrad.train.prepare import Prepared
from minigrad.train.training import Callback, Training

TEST_SHARE = 0.05
HEADS = 4
"""Of a GPT over characters."""
STREAMS, WINDOWS = "streams", "windows"
"""How a recipe reads a text: side by side with its state carried on, or in windows at random."""


class Writer(Protocol):
    """What a network that writes offers beside ``forward``, from ids (n, times) to logits (n · times, characters)."""

    def step(self, ids: Any, memory: Any = None) -> tuple[Any, Any]:
        """Read ids (n, times), the first or those after ``memory``; return the last time's logits (n, characters), and
        what it remembers: a recurrent net's state, a Transformer's keys and values.
        """


class CharacterRNN(nn.Module):
    """Characters embedded, recurrent layers, a dense one: ids (n, times) become logits (n · times, characters).

    In training it goes on, from the numbers and not the graph, where the batch before stopped (truncated
    backpropagation through time, Williams & Peng 1990), until ``begin`` is called.
    """

    def __init__(
        self,
        kind: Callable[..., nn.Module],
        characters: int,
        hidden: int,
        layers: int,
        dropout: float,
        rng: np.random.Generator,
        masks: np.random.Generator,
    ) -> None:
        self.embedding = nn.Embedding(characters, hidden, rng=rng)
        options: dict[str, Any] = {"batch_first": True, "dropout": dropout, "rng": rng, "masks": masks}
        self.layers = kind(hidden, hidden, layers, **options)
        self.head = nn.Linear(hidden, characters, rng=rng)
        self.carried: Any = None

    def begin(self) -> None:
        """Forget what was read."""
        self.carried = None

    def forward(self, ids: Any) -> Any:
        """Return the logits of the character after each."""
        state = self.carried if self.training else None
        if state is not None and _parts(state)[0].shape[1] != ids.shape[0]:
            state = None
        y, state = self.layers(self.embedding(ids), state)
        if self.training:
            kept = tuple(part.detach() for part in _parts(state))
            self.carried = kept if isinstance(state, tuple) else kept[0]
        rows = ids.shape[0] * ids.shape[1]
        return self.head(y.reshape((rows, y.shape[2])))

    def step(self, ids: Any, memory: Any = None) -> tuple[Any, Any]:
        """See ``Writer``."""
        y, memory = self.layers(self.embedding(ids), memory)
        return self.head(y[:, -1]), memory


class CharacterGPT(nn.Module):
    """A GPT over characters: ids (n, times) become logits (n · times, characters)."""

    def __init__(
        self,
        characters: int,
        hidden: int,
        layers: int,
        dropout: float,
        context: int,
        rng: np.random.Generator,
        masks: np.random.Generator,
    ) -> None:
        self.gpt = nn.GPT(characters, context, layers, HEADS, hidden, dropout, rng=rng)
        nn.seed_dropout(self.gpt, masks)

    def forward(self, ids: Any) -> Any:
        """Return the logits of the character after each."""
        logits = self.gpt(ids)
        return logits.reshape((ids.shape[0] * ids.shape[1], self.gpt.vocab_size))

    def step(self, ids: Any, memory: Any = None) -> tuple[Any, Any]:
        """See ``Writer``; ``memory`` is the keys and values of what was read, and the ids that may be read again.

        Where they are as many as it can see at once, it reads the later half of them anew and goes on behind it.
        """
        cache, read = memory or (Cache(self.gpt.n_layer), None)
        bare = unwrap(ids)
        read = bare if read is None else np.concatenate([read, bare], axis=1)
        if cache.length + bare.shape[1] > self.gpt.block_size:
            cache, read = Cache(self.gpt.n_layer), read[:, -max(1, self.gpt.block_size // 2) :]
            bare = read
        return self.gpt(bare, cache)[:, -1], (cache, read)


def _parts(state: Any) -> tuple[Any, ...]:
    return state if isinstance(state, tuple) else (state,)


class NextCharacter(nn.Module):
    """The mean of -ln p(next character) over all places, in nats: logits (n · times, characters), ids y (n, times)."""

    def forward(self, logits: Any, y: Any) -> Any:
        """Return the loss."""
        return nn.cross_entropy(logits, y.reshape(-1))


def prepare_text(config: Config, reads: str) -> Prepared:
    """Load a config's text: its end is for testing, what lies before that for validation, the rest to train on."""
    if config.data not in TEXTS and (Path(config.data).suffix.lower() != ".txt"):
        raise ConfigError(
            "MG-803",
            f"{config.recipe} reads text, and data is {config.data!r}: --data {', '.join(TEXTS)} or FILE.txt.",
        )
    if reads == STREAMS and (config.grow_batch or not config.batch_size):
        raise ConfigError(
            "MG-803",
            f"{config.recipe} reads batch_size streams side by side, from the beginning to the end: batch_size must be "
            "1 or more, and grow_batch 0.",
        )
    text, name = load_text(config.data)
    vocabulary = Vocabulary.of(text)
    if len(vocabulary) < 2:
        raise DataError(
            "MG-531", f"{name} has {len(text)} characters, all alike: there is nothing to learn in it."
        )
    ids = vocabulary.encode(text)
    tested = int(len(ids) * (1 - TEST_SHARE))
    trained = int(tested * (1 - config.validation))
    length = config.context
    longer = length * (4 if reads == STREAMS else 1)  # a recurrent net reads on from what it has read

    def held_out(part: Any) -> Any:
        return windows(part, vocabulary, min(longer, max(1, len(part) - 1)), name=name)

    if reads == STREAMS:
        train = streams(ids[:trained], vocabulary, config.batch_size, length, name)
    else:
        train = windows(ids[:trained], vocabulary, length, max(1, length // 2), name)
    notes = [
        f"{len(ids):,} characters, {len(vocabulary)} different ones",
        f"the last {len(ids) - tested:,} are the test",
    ]
    return Prepared(
        train, held_out(ids[trained:tested]) if config.validation else None, held_out(ids[tested:]), notes
    )


class Begin(Callback):
    """Let a network that carries a state begin each epoch without one, so that a resumed run has the same bits."""

    def on_epoch_begin(self, trainer: Training) -> None:
        """Forget what was read."""
        begin: Callable[[], None] | None = getattr(trainer.model, "begin", None)
        if begin is not None:
            begin()


class Samples(Callback):
    """Write what the network writes into ``folder/samples`` after about twenty of the epochs, with an own seed each."""

    def __init__(self, folder: Path, vocabulary: Vocabulary, seed: int, length: int = 400) -> None:
        self.folder, self.vocabulary, self.seed, self.length = folder / "samples", vocabulary, seed, length

    def on_epoch_end(self, trainer: Training) -> None:
        """Write one."""
        last = trainer.epoch == trainer.epochs or trainer.stopping
        if trainer.epoch % -(-trainer.epochs // 20) and trainer.epoch != 1 and not last:
            return
        chance = np.random.default_rng([self.seed, trainer.epoch])
        trainer.model.eval()
        text = "".join(write(trainer.model, self.vocabulary, chance, length=self.length, temperature=0.8))
        trainer.model.train()
        self.folder.mkdir(exist_ok=True)
        loss = trainer.history["val_loss"][-1] or trainer.history["loss"][-1]
        head = f"epoch {trainer.epoch}, {loss:.4f} nats a character, perplexity {np.exp(loss):.2f}, temperature 0.8\n\n"
        atomic_write(self.folder / f"epoch-{trainer.epoch:04}.txt", f"{head}{text}\n")


def write(
    model: Any,
    vocabulary: Vocabulary,
    chance: np.random.Generator,
    prompt: str = "",
    *,
    length: int = 400,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Iterator[str]:
    """Return an iterator of ``length`` characters after a prompt, each as it is drawn; ``model`` is a ``Writer``.

    Each is drawn from softmax(logits / temperature), at 0 the likeliest is taken; ``top_k`` leaves only so many of the
    likeliest (Fan et al. 2018), ``top_p`` the fewest whose probabilities reach that share (Holtzman et al. 2020).
    Raises ConfigError MG-802 for settings that cannot be and DataError MG-532 for a prompt with unknown characters.
    """
    check_settings(length, temperature, top_k, top_p)
    start = prompt or ("\n" if "\n" in vocabulary.characters else vocabulary.characters[0])
    return _drawn(model, vocabulary, chance, vocabulary.encode(start), length, (temperature, top_k, top_p))


def write_tokens(
    model: nn.GPT,
    chance: np.random.Generator,
    prompt: str = "",
    *,
    length: int = 400,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Iterator[str]:
    """Return an iterator of the text of ``length`` tokens after a prompt, for a GPT with a tokenizer; see ``write``.

    A token may end within a character, which then comes with the next one. An empty prompt stands for GPT-2's own sign
    of a text's beginning, where the tokenizer has it.
    """
    check_settings(length, temperature, top_k, top_p)
    ids = model.encoded(prompt)
    start = None if prompt else model.tokenizer.token_to_id("<|endoftext|>")
    ids = ids if start is None else np.array([[start]])
    tokens = model.stream(ids, length, temperature, top_k or None, top_p if top_p < 1 else None, chance)
    return _characters_of(tokens, model.tokenizer)


def _characters_of(tokens: Iterator[Any], tokenizer: Any) -> Iterator[str]:
    pending: list[int] = []
    for new in tokens:
        pending.append(int(new[0]))
        text = tokenizer.decode(pending)
        if not text.endswith("\ufffd"):
            yield text
            pending = []
    if pending:
        yield tokenizer.decode(pending)


def _drawn(
    model: Any, vocabulary: Vocabulary, chance: np.random.Generator, start: Any, length: int, how: Any
) -> Iterator[str]:
    ids, memory = start[None], None
    for _ in range(length):
        with modes.no_grad():
            logits, memory = model.step(Tensor(ids, device=model.device), memory)
        chosen = choose(logits.numpy()[0], chance, *how)
        yield vocabulary.characters[chosen]
        ids = np.array([[chosen]])


def check_settings(length: int, temperature: float, top_k: int, top_p: float) -> None:
    """Raise ConfigError MG-802 for what cannot be."""
    wanted = {
        "length": (length, length >= 0, "0 or more"),
        "temperature": (temperature, 0 <= temperature < np.inf, "0 or more"),
        "top_k": (top_k, top_k >= 0, "0, for all, or more"),
        "top_p": (top_p, 0 < top_p <= 1, "above 0 and at most 1"),
    }
    for name, (value, fits, meaning) in wanted.items():
        if not fits:
            raise ConfigError("MG-802", f"{name} is {value!r}; it must be {meaning}.")


def choose(
    logits: np.ndarray[Any, Any], chance: np.random.Generator, temperature: float, top_k: int, top_p: float
) -> int:
    """Draw one class; see ``write``."""
    if temperature == 0:
        return int(logits.argmax())
    order = np.argsort(-logits, kind="stable")[: top_k or None]
    scaled = (logits[order].astype(np.float64) - float(logits[order[0]])) / temperature
    powers = np.exp(scaled)
    reached = np.cumsum(powers / powers.sum())
    kept = min(int(np.searchsorted(reached, top_p)) + 1, len(order))
    limits = reached[:kept]
    return int(order[min(int(np.searchsorted(limits, chance.random() * limits[-1], side="right")), kept - 1)])
