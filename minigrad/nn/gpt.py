"""A GPT: a Transformer that reads what came before and says what may come next."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigrad import backend, ops
from minigrad.backend import Array
from minigrad.errors import ConfigError, ShapeError
from minigrad.modes import no_grad
from minigrad.nn import init as inits
from minigrad.nn.attention import drawn_seed
from minigrad.nn.dropout import Dropout
from minigrad.nn.layers import Embedding, Linear
from minigrad.nn.module import Module, Parameter
from minigrad.nn.normalization import LayerNorm
from minigrad.nn.sampling import Sampling
from minigrad.ops import nonlinear
from minigrad.ops.attention import attention, heads_of, self_attention, side_by_side, weights_of
from minigrad.tensor import Tensor, unwrap

STD = 0.02
"""The standard deviation of GPT-2's initial weights (Radford et al. 2019, section 2.3, and its published program)."""


GELUS: dict[str, Callable[[Any], Any]] = {"tanh": nonlinear.gelu_tanh, "none": ops.gelu}


class Cache:
    """The keys and values that each layer has computed, for the positions so far: (samples, heads, positions, d)."""

    def __init__(self, layers: int) -> None:
        self.length = 0
        self._held: list[tuple[Array, Array] | None] = [None] * layers

    def extended(self, layer: int, k: Array, v: Array, room: int) -> tuple[Array, Array]:
        """Return the layer's keys and values with new ones behind them; there is ``room`` for so many positions."""
        held, stop = self._held[layer], self.length + k.shape[-2]
        if held is None:
            shape = (*k.shape[:-2], room, k.shape[-1])
            held = self._held[layer] = (np.zeros_like(k, shape=shape), np.zeros_like(v, shape=shape))
        for kept, new in zip(held, (k, v), strict=True):
            kept[..., self.length : stop, :] = new
        return held[0][..., :stop, :], held[1][..., :stop, :]


class CausalSelfAttention(Module):
    """Attention of each position to itself and those before it: c_proj(heads side by side), c_attn makes q, k, v."""

    def __init__(self, width: int, heads: int, dropout: float, bias: bool, rng: np.random.Generator) -> None:
        if heads < 1 or width % heads:
            raise ConfigError(
                "MG-802", f"a width of {width} cannot be shared out evenly among {heads} heads."
            )
        self.heads, self.scale = heads, 1 / math.sqrt(width // heads)
        self.c_attn = Linear(width, 3 * width, bias, rng=rng, init=_normal)
        self.c_proj = Linear(width, width, bias, rng=rng, init=_normal)
        self.attn_dropout, self.resid_dropout = Dropout(dropout), Dropout(dropout)

    def weights(self, x: Any) -> Any:
        """Return the weights (..., heads, n, n) with which each position looks at those before it."""
        q, k, v = heads_of(self.c_attn(x), self.heads)
        return weights_of(q, k, v, None, None, causal=True, scale=self.scale)

    def forward(self, x: Any, cache: Cache | None = None, layer: int = 0, room: int = 0) -> Any:
        """Return (..., n, width) for x of that shape; with a ``cache``, x stands behind the positions in it."""
        qkv = self.c_attn(x)
        if cache is None:
            drop = self.attn_dropout
            p = drop.p if self.training else 0.0
            seed = drawn_seed(drop.rng, p, x, self.heads * x.shape[-2] ** 2) if p else None
            y = self_attention(qkv, None, seed, heads=self.heads, causal=True, scale=self.scale, p=p)
        else:
            q, k, v = heads_of(unwrap(qkv), self.heads)
            k, v = cache.extended(layer, k, v, room)
            y = Tensor(side_by_side(attention(q, k, v, _later(q, k), None, scale=self.scale)))
        return self.resid_dropout(self.c_proj(y))


def _later(q: Array, k: Array) -> Array | None:
    """The mask that hides what comes later from queries that are the last positions of the keys."""
    n, m = q.shape[-2], k.shape[-2]
    if n == 1:
        return None
    hides = np.triu(np.full((n, m), -np.inf, q.dtype), m - n + 1)
    return hides if type(q) is np.ndarray else backend.to_device(hides, backend.device_of(q))


class MLP(Module):
    """c_proj(GELU(c_fc(x)))."""

    def __init__(
        self, width: int, inner: int, dropout: float, bias: bool, gelu: str, rng: np.random.Generator
    ) -> None:
        self.c_fc = Linear(width, inner, bias, rng=rng, init=_normal)
        self.c_proj = Linear(inner, width, bias, rng=rng, init=_normal)
        self.gelu, self.dropout = gelu, Dropout(dropout)

    def forward(self, x: Any) -> Any:
        """Return what became of each position."""
        return self.dropout(self.c_proj(GELUS[self.gelu](self.c_fc(x))))


class Block(Module):
    """x + attention(norm(x)), then x + MLP(norm(x))."""

    def __init__(
        self,
        width: int,
        heads: int,
        inner: int,
        dropout: float,
        bias: bool,
        gelu: str,
        eps: float,
        rng: np.random.Generator,
    ) -> None:
        self.ln_1 = LayerNorm(width, eps)
        self.attn = CausalSelfAttention(width, heads, dropout, bias, rng)
        self.ln_2 = LayerNorm(width, eps)
        self.mlp = MLP(width, inner, dropout, bias, gelu, rng)

    def forward(self, x: Any, cache: Cache | None = None, layer: int = 0, room: int = 0) -> Any:
        """Return x after both parts."""
        x = x + self.attn(self.ln_1(x), cache, layer, room)
        return x + self.mlp(self.ln_2(x))


def _normal(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    return inits.normal(shape, rng, std=STD)


class GPT(Module):
    """Ids (samples, n) become logits (samples, n, vocab_size): at each position, for the id that comes next.

    wte[ids] + wpe[0 … n-1], then ``n_layer`` blocks of causal attention and a dense network, each normalised before
    (pre-norm) and added to what came in, a last normalisation, and the product with the embedding's own rows (tied
    weights: Press & Wolf 2017, "Using the output embedding to improve language models"). Radford et al. 2018, 2019
    (GPT, GPT-2), on the Transformer of Vaswani et al. 2017. Parameters have GPT-2's names.

    All weights start as N(0, 0.02²), those that lead back into the residual sum (``c_proj``) as N(0, 0.02²/(2L)), L the
    number of layers (Radford et al. 2019, section 2.3); biases at 0.

    Parameters
    ----------
    vocab_size, block_size : how many ids there are, and how many positions it sees at most.
    n_layer, n_head, n_embd : blocks, heads of each, and the width.
    dropout : of the embeddings, the weights of attention and what each part adds; needs ``nn.seed_dropout``.
    bias : whether the dense layers have biases.
    gelu : "tanh", GPT-2's approximation, or "none", the exact one.
    n_inner : the dense networks' width, 4 · n_embd where None.
    tied : whether the last product is with ``wte.weight``; otherwise there is an ``lm_head``.
    rng : the generator that the weights are drawn from.
    """

    def __init__(
        self,
        vocab_size: int,
        block_size: int = 64,
        n_layer: int = 4,
        n_head: int = 4,
        n_embd: int = 128,
        dropout: float = 0.0,
        bias: bool = True,
        gelu: str = "tanh",
        n_inner: int | None = None,
        eps: float = 1e-5,
        tied: bool = True,
        rng: np.random.Generator | None = None,
    ) -> None:
        if gelu not in GELUS:
            raise ConfigError("MG-802", f"gelu is {gelu!r}; it can be {' or '.join(map(repr, GELUS))}.")
        rng = inits.as_generator(rng)
        self.vocab_size, self.block_size, self.n_layer = vocab_size, block_size, n_layer
        self.n_head, self.n_embd = n_head, n_embd
        self.tokenizer: Any = None
        self.wte, self.wpe = Embedding(vocab_size, n_embd, rng), Embedding(block_size, n_embd, rng)
        for table in (self.wte, self.wpe):
            table.weight.data[...] *= STD
        self.drop = Dropout(dropout)
        inner = n_inner or 4 * n_embd
        self.h = [Block(n_embd, n_head, inner, dropout, bias, gelu, eps, rng) for _ in range(n_layer)]
        for block in self.h:
            for part in (block.attn, block.mlp):
                part.c_proj.weight.data[...] /= math.sqrt(2 * n_layer)
        self.ln_f = LayerNorm(n_embd, eps)
        self.lm_head = None if tied else Linear(n_embd, vocab_size, bias=False, rng=rng, init=_normal)

    @classmethod
    def from_gpt2(cls, folder: str | os.PathLike[str]) -> GPT:
        """Read a GPT-2 in Hugging Face's format: ``config.json``, ``model.safetensors``, ``tokenizer.json`` if any.

        Raises DataError MG-535 where the folder holds something else, MG-711 where its weights are damaged, ConfigError
        MG-805 where there is a tokenizer.json and the tokenizers package is missing (the extra ``text``).
        """
        from minigrad.nn.gpt2 import read

        return read(cls, folder)

    def forward(self, ids: Any, cache: Cache | None = None) -> Any:
        """Return the logits; with a ``cache``, ids stand behind the positions in it, and are added to it.

        ShapeError MG-534 where there are more positions than ``block_size``, MG-106 where an id is none.
        """
        x, n = self._embedded(ids, 0 if cache is None else cache.length)
        for layer, block in enumerate(self.h):
            x = block(x, cache, layer, self.block_size)
        if cache is not None:
            cache.length += n
        x = self.ln_f(x)
        weight: Parameter = self.wte.weight if self.lm_head is None else self.lm_head.weight
        return ops.linear(x, weight)

    def attention_weights(self, ids: Any) -> Any:
        """Return how much each position looks at each: (layers, samples, heads, n, n), without dropout.

        Row i of the last two axes is of position i and adds up to 1. ``mg.viz.attention_maps(weights[0, 0])`` draws
        the first layer's.
        """
        mode = self.training
        self.eval()
        try:
            with no_grad():
                x, _ = self._embedded(ids, 0)
                found = []
                for block in self.h:
                    found.append(block.attn.weights(block.ln_1(x)))
                    x = block(x)
                return np.stack(found)
        finally:
            self.train(mode)

    def _embedded(self, ids: Any, start: int) -> tuple[Any, int]:
        """Return the sum of the rows of ids and of positions, and how many positions there are."""
        ids = unwrap(ids) if isinstance(ids, Tensor) else backend.as_array(ids)
        n = ids.shape[-1] if ids.ndim else 0
        if ids.ndim not in (1, 2) or start + n > self.block_size:
            raise ShapeError(
                "MG-534",
                f"ids are {ids.shape}{f' behind {start} others' if start else ''}; they have to be (samples, n) with n "
                f"up to block_size = {self.block_size}. Cut the text: ids[:, -{self.block_size}:].",
            )
        positions = self._positions(ids, start, n)
        return self.drop(self.wte(ids) + self.wpe(positions)), n

    def _positions(self, ids: Array, start: int, n: int) -> Array:
        positions = np.arange(start, start + n)
        return positions if type(ids) is np.ndarray else backend.to_device(positions, backend.device_of(ids))

    def stream(
        self,
        prompt: Any,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        rng: np.random.Generator | None = None,
        cache: bool = True,
    ) -> Iterator[Any]:
        """Yield the new ids (samples,) one position after another; see ``generate``."""
        sampling = Sampling(temperature, top_k, top_p, rng)
        ids = self.encoded(prompt)
        if ids.shape[-1] == 0:
            raise ShapeError(
                "MG-534", "an empty prompt has no position to go on from; give it at least one id."
            )
        mode = self.training
        self.eval()
        try:
            held: Cache | None = None
            for _ in range(max_new_tokens):
                with no_grad():
                    if cache and held is not None and held.length < self.block_size:
                        logits = self.forward(ids[:, -1:], held)
                    else:  # positions are counted from the first one seen, so that all are new when it moves on
                        held = Cache(self.n_layer) if cache else None
                        logits = self.forward(ids[:, -self.block_size :], held)
                new = sampling(backend.to_numpy(unwrap(logits)[:, -1]))
                there = new if type(ids) is np.ndarray else backend.to_device(new, backend.device_of(ids))
                ids = np.concatenate([ids, there[:, None]], axis=1)
                yield new
        finally:
            self.train(mode)

    def generate(
        self,
        prompt: Any,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        rng: np.random.Generator | None = None,
        cache: bool = True,
    ) -> Any:
        """Return ``prompt`` and ``max_new_tokens`` ids behind it, each drawn from softmax(logits / temperature).

        ``prompt`` is ids (n,) or (samples, n), or a text where there is a ``tokenizer``; then a text comes back. With
        ``temperature`` 0 the likeliest id is taken each time; ``top_k`` draws among the k likeliest, ``top_p`` among
        the fewest that together have that probability (Holtzman et al. 2020, "The curious case of neural text
        degeneration", section 3.1). ``cache`` keeps the keys and values of what was read, until ``block_size``
        positions are full and the first are left behind; the ids are the same without.
        """
        given = self.encoded(prompt)
        new = list(self.stream(given, max_new_tokens, temperature, top_k, top_p, rng, cache))
        ids = np.concatenate([backend.to_numpy(given), *(row[:, None] for row in new)], axis=1)
        if isinstance(prompt, str):
            return self.tokenizer.decode(ids[0].tolist())
        return ids[0] if getattr(prompt, "ndim", None) == 1 or np.ndim(prompt) == 1 else ids

    def encoded(self, prompt: Any) -> Any:
        """Return a prompt as ids (samples, n)."""
        if isinstance(prompt, str):
            if self.tokenizer is None:
                raise ConfigError(
                    "MG-536",
                    "this GPT has no tokenizer, so it cannot read a text: give it ids, as "
                    "model.generate(np.array([[0]]), 20, rng=rng), or set model.tokenizer to something with "
                    "encode(text).ids and decode(ids).",
                )
            prompt = np.array(self.tokenizer.encode(prompt).ids, np.int64)
        ids = unwrap(prompt) if isinstance(prompt, Tensor) else backend.as_array(prompt)
        return ids[None] if ids.ndim == 1 else ids

    def extra_repr(self) -> str:
        """Return the sizes."""
        return (
            f"{self.n_layer}x{self.n_embd}, {self.n_head} heads, {self.block_size} of {self.vocab_size} ids"
        )
