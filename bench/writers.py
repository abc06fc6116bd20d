"""Networks that write, and the same programs in PyTorch: ``python -m bench.writers [RECIPE …] [--steps N]``.

Both begin with the same weights and are trained on the same batches of the same text (AdamW 0.001 with decay 0.1, no
dropout; a GPT of 4 layers, width 128 and context 64 at batch 16; an LSTM of 128, 64 steps, at batch 32). They take
turns, a step each. Printed are their losses on the same held-out windows, and the median and the least time of a step.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from bench.attention import CONTEXT, HEADS, LAYERS, WIDTH, torch_gpt
from minigrad import nn
from minigrad.data.text import Vocabulary, load_text
from minigrad.train.texts import CharacterGPT, CharacterRNN

BATCHES = {"char-gpt": 16, "char-lstm": 32}
LR, DECAY, HELD_OUT = 1e-3, 0.1, 200
_GPT_NAMES = {"attn.c_attn": "c_attn", "attn.c_proj": "c_proj", "mlp.c_fc": "fc", "mlp.c_proj": "out"}


def _torch_lstm(torch: Any, characters: int) -> Any:
    class Net(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(characters, WIDTH)
            self.layers = torch.nn.LSTM(WIDTH, WIDTH, batch_first=True)
            self.head = torch.nn.Linear(WIDTH, characters)

        def forward(self, ids: Any) -> Any:
            return self.head(self.layers(self.embedding(ids))[0])

    return Net()


def _theirs(name: str) -> str:
    """What PyTorch's program calls a parameter."""
    name = name.removeprefix("gpt.")
    for ours, other in _GPT_NAMES.items():
        name = name.replace(ours, other)
    return name


def networks(torch: Any, recipe: str, characters: int) -> tuple[Any, Any]:
    """Return ours and PyTorch's, with the same weights."""
    rng = np.random.default_rng(0)
    ours: Any
    if recipe == "char-gpt":
        ours = CharacterGPT(characters, WIDTH, LAYERS, 0.0, CONTEXT, rng, rng)
        assert ours.gpt.n_head == HEADS
        theirs = torch_gpt(torch, characters)
    else:
        ours = CharacterRNN(nn.LSTM, characters, WIDTH, 1, 0.0, rng, rng)
        theirs = _torch_lstm(torch, characters)
    theirs.load_state_dict(
        {_theirs(name): torch.tensor(array.copy()) for name, array in ours.state_dict().items()}
    )
    return ours, theirs


def compare(torch: Any, recipe: str, steps: int) -> tuple[float, float]:
    """Train both, print what came of it, and return the losses on the held-out windows."""
    text, name = load_text("python")
    known = Vocabulary.of(text)
    ids, rng = known.encode(text), np.random.default_rng(1)
    trained = int(0.95 * len(ids))
    ours, theirs = networks(torch, recipe, len(known))
    mine = mg.optim.AdamW(ours.parameters(), lr=LR, weight_decay=DECAY)
    other = torch.optim.AdamW(theirs.parameters(), lr=LR, weight_decay=DECAY)
    cross_entropy = torch.nn.functional.cross_entropy

    def windows(starts: Any) -> tuple[Any, Any]:
        both = ids[starts[:, None] + np.arange(CONTEXT + 1)]
        return both[:, :-1].copy(), both[:, 1:].reshape(-1)

    def step(x: Any, y: Any) -> None:
        if recipe == "char-lstm":
            ours.begin()
        mine.zero_grad()
        nn.cross_entropy(ours(x), y).backward()
        mine.step()

    def their_step(x: Any, y: Any) -> None:
        other.zero_grad()
        cross_entropy(theirs(torch.from_numpy(x)).flatten(0, 1), torch.from_numpy(y)).backward()
        other.step()

    times: dict[str, list[float]] = {"minigrad": [], "PyTorch": []}
    runs: tuple[tuple[str, Callable[..., None]], ...] = (("minigrad", step), ("PyTorch", their_step))
    for _ in range(steps):
        batch = windows(rng.integers(0, trained - CONTEXT - 1, BATCHES[recipe]))
        for program, run in runs:
            began = time.perf_counter()
            run(*batch)
            times[program].append(1e3 * (time.perf_counter() - began))
    x, y = windows(np.linspace(trained, len(ids) - CONTEXT - 1, HELD_OUT).astype(int))
    with mg.no_grad(), torch.no_grad():
        found = nn.cross_entropy(ours.eval()(x), y).item()
        wanted = cross_entropy(theirs(torch.from_numpy(x)).flatten(0, 1), torch.from_numpy(y)).item()
    print(
        f"{recipe} on {name}, {steps} steps: held-out loss {found:.4f}, PyTorch {wanted:.4f} nats a character "
        f"({abs(found - wanted):.4f} apart)"
    )
    for program, all_times in times.items():
        print(
            f"  {program:<9} a step {statistics.median(all_times):.1f} ms, at least {min(all_times):.1f} ms"
        )
    return found, wanted


def main() -> None:
    """Compare the recipes that are named, or both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", choices=[*BATCHES, []], default=[])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    mg.set_threads(options.threads)
    for recipe in options.recipes or BATCHES:
        compare(torch, recipe, options.steps)


if __name__ == "__main__":
    main()
