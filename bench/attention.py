"""Attention and the GPT beside PyTorch: ``python -m bench.attention [--threads 2] [--rounds 20]``.

Prints the peak memory of attention at n = 4,096 (4 heads of 32), kernel and formula, forward and backward; the time of
attention by itself; a training step of the character GPT (4 layers, width 128, context 64, batch 16, AdamW) against the
same program in PyTorch's eager mode, in turns; and tokens a second with and without cached keys. Each figure is a
median; each part of a comparison takes its turn in every round.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import nn

VOCABULARY, CONTEXT, BATCH, LAYERS, HEADS, WIDTH = 96, 64, 16, 4, 4, 128
MIB = 1 << 20


def peak(run: Callable[[], Any]) -> float:
    """Return the most MiB that NumPy's arrays took while this ran, beyond what there was.

    The blocks that the loops hold, under 0.3 MiB for each thread, are not NumPy's and not counted.
    """
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        kept = run()
        found = tracemalloc.get_traced_memory()[1] - before
        del kept
        return found / MIB
    finally:
        tracemalloc.stop()


def formula(q: Any, k: Any, v: Any) -> Any:
    """Attention as eq. 1 has it, of operations."""
    scores = np.matmul(q, np.swapaxes(k, -1, -2)) * (1 / np.sqrt(q.shape[-1]).item())
    return np.matmul(mg.ops.softmax(scores), v)


def memory(n: int = 4096) -> dict[str, tuple[float, float]]:
    """Return the peaks, forward alone and with the gradients, of the kernel and of the formula."""
    rng = np.random.default_rng(0)
    q, k, v = (
        mg.Tensor(rng.standard_normal((1, 4, n, 32), dtype=np.float32), requires_grad=True) for _ in range(3)
    )

    def both(f: Callable[..., Any]) -> None:
        f(q, k, v).sum().backward()
        for t in (q, k, v):
            t.zero_grad()

    found = {}
    for name, f in (("kernel", nn.scaled_dot_product_attention), ("formula", formula)):
        both(lambda *a, f=f: f(*(t[..., :64, :] for t in a)))  # compiled
        found[name] = (peak(lambda f=f: f(q, k, v)), peak(lambda f=f: both(f)))
    return found


def in_turns(rounds: int, *runs: Callable[[], Any]) -> list[float]:
    """Return the median seconds of each."""
    times: list[list[float]] = [[] for _ in runs]
    for run in runs:
        run()
    for _ in range(rounds):
        for run, found in zip(runs, times, strict=True):
            start = time.perf_counter()
            run()
            found.append(time.perf_counter() - start)
    return [statistics.median(found) for found in times]


def attentions(torch: Any, rounds: int) -> None:
    """Forward and backward by itself, causal."""
    rng = np.random.default_rng(0)
    for shape in ((16, 4, 64, 32), (4, 4, 256, 32), (1, 4, 1024, 32), (1, 4, 4096, 32)):
        arrays = [rng.standard_normal(shape, dtype=np.float32) for _ in range(3)]
        ours = [mg.Tensor(a, requires_grad=True) for a in arrays]
        theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
        g, other_g = np.ones(shape, np.float32), torch.ones(shape)

        def mine(ours: Any = ours, g: Any = g) -> None:
            nn.scaled_dot_product_attention(*ours, is_causal=True).backward(g)
            for t in ours:
                t.zero_grad()

        def other(theirs: Any = theirs, other_g: Any = other_g) -> None:
            torch.nn.functional.scaled_dot_product_attention(*theirs, is_causal=True).backward(other_g)
            for t in theirs:
                t.grad = None

        a, b = in_turns(max(3, rounds if shape[-2] < 2000 else 3), mine, other)
        print(f"attention {shape}: {a * 1e3:.2f} ms, PyTorch {b * 1e3:.2f} ms ({b / a:.2f}x)")


def torch_gpt(torch: Any, vocabulary: int = VOCABULARY) -> Any:
    """The same network of PyTorch's modules."""
    f, m = torch.nn.functional, torch.nn

    class Block(m.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.ln_1, self.ln_2 = m.LayerNorm(WIDTH), m.LayerNorm(WIDTH)
            self.c_attn, self.c_proj = m.Linear(WIDTH, 3 * WIDTH), m.Linear(WIDTH, WIDTH)
            self.fc, self.out = m.Linear(WIDTH, 4 * WIDTH), m.Linear(4 * WIDTH, WIDTH)

        def forward(self, x: Any) -> Any:
            b, n, w = x.shape
            parts = self.c_attn(self.ln_1(x)).split(WIDTH, 2)
            q, k, v = (a.view(b, n, HEADS, w // HEADS).transpose(1, 2) for a in parts)
            y = f.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.c_proj(y.transpose(1, 2).reshape(b, n, w))
            return x + self.out(f.gelu(self.fc(self.ln_2(x)), approximate="tanh"))

    class Net(m.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.wte, self.wpe = m.Embedding(vocabulary, WIDTH), m.Embedding(CONTEXT, WIDTH)
            self.h, self.ln_f = m.ModuleList(Block() for _ in range(LAYERS)), m.LayerNorm(WIDTH)
            for table in (self.wte, self.wpe):
                m.init.normal_(table.weight, std=0.02)

        def forward(self, ids: Any) -> Any:
            x = self.wte(ids) + self.wpe.weight[: ids.shape[1]]
            for block in self.h:
                x = block(x)
            return self.ln_f(x) @ self.wte.weight.T

    return Net()


def steps(torch: Any, rounds: int) -> None:
    """A training step of either, on fresh batches."""
    rng = np.random.default_rng(0)
    ours = nn.GPT(VOCABULARY, CONTEXT, LAYERS, HEADS, WIDTH, rng=rng)
    theirs = torch_gpt(torch)
    mine = mg.optim.AdamW(ours.parameters(), lr=1e-3)
    other = torch.optim.AdamW(theirs.parameters(), lr=1e-3)

    def batch() -> tuple[Any, Any]:
        ids = rng.integers(0, VOCABULARY, (BATCH, CONTEXT + 1))
        return ids[:, :-1].copy(), ids[:, 1:].reshape(-1)

    def step() -> None:
        x, y = batch()
        mine.zero_grad()
        nn.cross_entropy(np.reshape(ours(x), (-1, VOCABULARY)), y).backward()
        mine.step()

    def their_step() -> None:
        x, y = map(torch.from_numpy, batch())
        other.zero_grad()
        torch.nn.functional.cross_entropy(theirs(x).reshape(-1, VOCABULARY), y).backward()
        other.step()

    a, b = in_turns(rounds, step, their_step)
    print(f"training step of the GPT: {a * 1e3:.1f} ms, PyTorch {b * 1e3:.1f} ms ({b / a:.2f}x)")


def generation() -> None:
    """Tokens a second over the whole context."""
    model = nn.GPT(VOCABULARY, CONTEXT, LAYERS, HEADS, WIDTH, rng=np.random.default_rng(0))
    prompt = np.zeros(1, np.int64)
    texts = []
    for cache in (True, False):
        run = lambda cache=cache: model.generate(prompt, CONTEXT - 1, temperature=0, cache=cache)  # noqa: E731
        texts.append(run())
        (seconds,) = in_turns(3, run)
        print(f"tokens a second {'with' if cache else 'without'} cache: {(CONTEXT - 1) / seconds:.0f}")
    assert (texts[0] == texts[1]).all()


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    mg.set_threads(options.threads)
    for name, (forward, both) in memory().items():
        print(f"peak memory at n = 4,096, {name}: forward {forward:.1f} MiB, with gradients {both:.1f} MiB")
    attentions(torch, options.rounds)
    steps(torch, options.rounds)
    generation()


if __name__ == "__main__":
    main()
