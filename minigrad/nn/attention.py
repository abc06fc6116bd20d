"""Attention: the function, the layer with several heads, and the Transformer's encoder."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
from minigrad_kernels.attention import further

from minigrad import backend, ops
from minigrad.backend import Array, default_dtype
from minigrad.errors import ConfigError, ShapeError
from minigrad.nn import init as inits
from minigrad.nn.dropout import Dropout
from minigrad.nn.layers import Linear
from minigrad.nn.module import Module, Parameter
from minigrad.nn.normalization import LayerNorm
from minigrad.ops.attention import attention, side_by_side, weights_of
from minigrad.tensor import Tensor, unwrap


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    *,
    rng: np.random.Generator | None = None,
) -> Any:
    """softmax(q·kᵀ / √d + mask)·v: each query takes the values of the keys that are most like it.

    Vaswani et al. 2017, "Attention is all you need", eq. 1. ``query`` (..., n, d), ``key`` (..., m, d) and ``value``
    (..., m, e) of one float dtype give (..., n, e); the axes in front stretch each other. The n × m weights are never
    held: memory grows with n + m (see ``minigrad_kernels.attention``), but for a second derivative, and where the
    mask itself wants a gradient.

    Parameters
    ----------
    attn_mask : stretches to (..., n, m); booleans (False hides the key from the query) or floats, which are added. A
        query from which every key is hidden gets zeros, as in PyTorch.
    dropout_p : the probability of dropping a weight; the others are scaled by 1 / (1 - dropout_p). Drawn from ``rng``.
    is_causal : query i sees the keys 0 … i alone; not together with a mask (ConfigError MG-802), as in PyTorch.
    scale : what the products are multiplied by; None for 1/√d.

    Raises ShapeError MG-533 where the shapes do not fit, DtypeError MG-211 where the dtypes differ, ConfigError MG-508
    for dropout without a generator.
    """
    if is_causal and attn_mask is not None:
        raise ConfigError(
            "MG-802",
            "attn_mask and is_causal=True are two masks. Put both into one: "
            "attn_mask & np.tri(n, m, dtype=bool), and leave is_causal out.",
        )
    if not 0 <= dropout_p < 1:
        raise ConfigError("MG-802", f"dropout_p is {dropout_p!r}; it must be at least 0 and below 1.")
    q = query if hasattr(query, "dtype") else backend.as_array(query)
    width = q.shape[-1] if q.ndim else 0
    seed = drawn_seed(rng, dropout_p, q, _weights_a_sample(q, key)) if dropout_p else None
    factor = 1 / math.sqrt(width or 1) if scale is None else scale
    return attention(
        q, key, value, added(attn_mask, q), seed, causal=is_causal, scale=float(factor), p=float(dropout_p)
    )


def added(mask: Any, like: Any, hides: bool = False) -> Any:
    """Return a mask as what is added to the scores: -∞ where booleans are ``hides``; floats are that already."""
    if mask is None:
        return None
    array = unwrap(mask) if isinstance(mask, Tensor) else backend.as_array(mask)
    if array.dtype == bool:
        found = np.zeros_like(array, dtype=like.dtype)
        found[array == hides] = -np.inf
        return found
    return mask if isinstance(mask, Tensor) else array


def _weights_a_sample(q: Any, key: Any) -> int:
    keys: int = np.shape(key)[-2] if np.ndim(key) > 1 else 1
    return int(math.prod(q.shape[1:-1]) * keys)


def drawn_seed(rng: np.random.Generator | None, p: float, like: Any, weights_a_sample: int) -> Array:
    """Return the number from which dropout's mask follows, drawn from ``rng``, where ``like`` lives.

    A generator that is of one process among several says by ``samples_before`` how many samples of the batch others
    have, whose weights come first.
    """
    if rng is None:
        raise ConfigError(
            "MG-508",
            f"attention drops weights with probability {p} and has no generator to draw them from. Give it "
            "rng=np.random.default_rng(0), or seed all layers of a network once: nn.seed_dropout(model, 0). For "
            "predictions, call model.eval() first.",
        )
    seed = backend.seed(rng, unwrap(like))
    before = getattr(rng, "samples_before", 0)
    return further(seed, before * weights_a_sample) if before else seed


class MultiheadAttention(Module):
    """Attention of several heads, each on its own projections: Concat(head_1 … head_h) W_Oᵀ + b_O.

    head_i = attention(q W_Qᵢᵀ + b, k W_Kᵢᵀ + b, v W_Vᵢᵀ + b). Vaswani et al. 2017, section 3.2.2. Names, arguments and
    initial weights are PyTorch's: ``in_proj_weight`` (3·embed_dim, embed_dim) holds the three projections (or
    ``q_proj_weight``, ``k_proj_weight`` and ``v_proj_weight`` where ``kdim`` or ``vdim`` differ) and starts
    Glorot-uniform, ``out_proj`` as Linear does; the biases start at 0.

    Parameters
    ----------
    embed_dim, num_heads : the width, and among how many heads it is shared out (ConfigError MG-802 where it cannot be).
    dropout : the probability of dropping a weight in training.
    bias : whether the projections have biases.
    kdim, vdim : the widths of keys and values; embed_dim where None.
    batch_first : whether inputs are (samples, times, width) rather than (times, samples, width).
    rng : the generator that the weights are drawn from.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        rng: np.random.Generator | None = None,
    ) -> None:
        if num_heads < 1 or embed_dim % num_heads:
            raise ConfigError(
                "MG-802", f"a width of {embed_dim} cannot be shared out evenly among {num_heads} heads."
            )
        rng = inits.as_generator(rng)
        self.embed_dim, self.num_heads, self.batch_first = embed_dim, num_heads, batch_first
        self.kdim, self.vdim = kdim or embed_dim, vdim or embed_dim
        self.in_proj_weight: Parameter | None = None
        if self.kdim == self.vdim == embed_dim:
            self.in_proj_weight = Parameter(inits.glorot_uniform((3 * embed_dim, embed_dim), rng))
        else:
            self.q_proj_weight = Parameter(inits.glorot_uniform((embed_dim, embed_dim), rng))
            self.k_proj_weight = Parameter(inits.glorot_uniform((embed_dim, self.kdim), rng))
            self.v_proj_weight = Parameter(inits.glorot_uniform((embed_dim, self.vdim), rng))
        self.in_proj_bias = Parameter(np.zeros(3 * embed_dim, default_dtype())) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, rng=rng)
        if self.out_proj.bias is not None:
            self.out_proj.bias.data[...] = 0
        self.weight_dropout = Dropout(dropout)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """Return (the attention's result, its weights or None).

        In booleans, True hides a key here, as in PyTorch's layer (and other than in its function): in
        ``key_padding_mask`` (samples, m) from every query, in ``attn_mask`` (n, m) or (samples · heads, n, m) from one;
        floats are added. ``need_weights=False`` runs the kernel, which holds no weights; otherwise they are
        (samples, n, m), or with ``average_attn_weights=False`` (samples, heads, n, m). ``is_causal`` hides what comes
        later, with or without ``attn_mask``. A query that sees no key gets zeros (PyTorch: nan where weights are
        needed).
        """
        alone = query.ndim == 2
        if query.ndim not in (2, 3) or not query.ndim == key.ndim == value.ndim:
            raise ShapeError(
                "MG-533",
                f"query, key and value need two axes (times, width), or three with the samples; got {query.shape}, "
                f"{key.shape}, {value.shape}.",
            )
        q, k, v = self._projected(query, key, value)
        if alone:
            q, k, v = (np.expand_dims(a, 0) for a in (q, k, v))
        elif not self.batch_first:
            q, k, v = (np.swapaxes(a, 0, 1) for a in (q, k, v))
        q, k, v = (self._heads(a) for a in (q, k, v))
        mask = self._mask(q, k, key_padding_mask, attn_mask)
        drop = self.weight_dropout
        p = drop.p if self.training else 0.0
        seed = drawn_seed(drop.rng, p, q, _weights_a_sample(q, k)) if p else None
        scale = 1 / math.sqrt(self.embed_dim // self.num_heads)
        weights = None
        if need_weights:
            weights = weights_of(q, k, v, mask, seed, is_causal, scale, p)
            y = np.matmul(weights, v)
        else:
            y = attention(q, k, v, mask, seed, causal=is_causal, scale=scale, p=p)
        y = self.out_proj(side_by_side(y))
        if weights is not None and average_attn_weights:
            weights = np.mean(weights, axis=1)
        if alone:
            return np.squeeze(y, 0), None if weights is None else np.squeeze(weights, 0)
        return (y if self.batch_first else np.swapaxes(y, 0, 1)), weights

    def _projected(self, query: Any, key: Any, value: Any) -> Any:
        e, bias = self.embed_dim, self.in_proj_bias
        if self.in_proj_weight is not None:
            w = self.in_proj_weight
            if query is key and key is value:
                return np.split(ops.linear(query, w, bias), 3, axis=-1)
            weights = [w[i * e : (i + 1) * e] for i in range(3)]
        else:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        biases = [None] * 3 if bias is None else [bias[i * e : (i + 1) * e] for i in range(3)]
        return [ops.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True)]

    def _heads(self, a: Any) -> Any:
        samples, times, width = a.shape
        shape = (samples, times, self.num_heads, width // self.num_heads)
        return np.swapaxes(np.reshape(a, shape), 1, 2)

    def _mask(self, q: Any, k: Any, key_padding_mask: Any, attn_mask: Any) -> Any:
        samples, heads, n, _ = q.shape
        m = k.shape[-2]
        mask, padding = added(attn_mask, q, hides=True), added(key_padding_mask, q, hides=True)
        if mask is not None:
            if mask.shape not in ((n, m), (samples * heads, n, m)):
                raise ShapeError(
                    "MG-533",
                    f"attn_mask is {mask.shape}; it has to be (queries, keys) = ({n}, {m}), or with samples · heads in "
                    f"front ({samples * heads}, {n}, {m}).",
                )
            if mask.ndim == 3:
                mask = np.reshape(mask, (samples, heads, n, m))
        if padding is None:
            return mask
        if padding.shape not in ((samples, m), (m,)):
            raise ShapeError(
                "MG-533",
                f"key_padding_mask is {padding.shape}; it has to be (samples, keys) = ({samples}, {m}).",
            )
        padding = np.reshape(padding, (-1, 1, 1, m))
        return padding if mask is None else mask + padding

    def extra_repr(self) -> str:
        """Return the width and the number of heads."""
        return f"{self.embed_dim}, {self.num_heads} heads"


ACTIVATIONS: dict[str, Callable[[Any], Any]] = {"relu": ops.relu, "gelu": ops.gelu}


class TransformerEncoderLayer(Module):
    """Attention of the inputs among themselves and a dense network for each, both around a residual connection.

    x + attention(x), then x + W₂ f(W₁ x + b₁) + b₂, each normalised afterwards, or with ``norm_first`` before: Vaswani
    et al. 2017, section 3.1; Xiong et al. 2020, "On layer normalization in the Transformer architecture". Names,
    arguments and defaults are PyTorch's; ``activation`` is "relu", "gelu" or a function.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        rng: np.random.Generator | None = None,
    ) -> None:
        if not callable(activation) and activation not in ACTIVATIONS:
            raise ConfigError(
                "MG-802", f"activation is {activation!r}; it can be a function, or {', '.join(ACTIVATIONS)}."
            )
        rng = inits.as_generator(rng)
        self.norm_first = norm_first
        self.activation = activation if callable(activation) else ACTIVATIONS[activation]
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first, rng=rng)
        self.linear1 = Linear(d_model, dim_feedforward, rng=rng)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, rng=rng)
        self.norm1, self.norm2 = LayerNorm(d_model, layer_norm_eps), LayerNorm(d_model, layer_norm_eps)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)

    def forward(
        self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False
    ) -> Any:
        """Return what became of ``src``, in its shape; masks as in ``MultiheadAttention``."""
        masks = (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            x = src + self._attended(self.norm1(src), *masks)
            return x + self._dense(self.norm2(x))
        x = self.norm1(src + self._attended(src, *masks))
        return self.norm2(x + self._dense(x))

    def _attended(self, x: Any, mask: Any, padding: Any, is_causal: bool) -> Any:
        y, _ = self.self_attn(x, x, x, padding, False, mask, is_causal=is_causal)
        return self.dropout1(y)

    def _dense(self, x: Any) -> Any:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerEncoder(Module):
    """``num_layers`` copies of a layer one after another, each with weights of its own, and a last normalisation.

    As in PyTorch, the copies start from the same numbers.
    """

    def __init__(
        self, encoder_layer: TransformerEncoderLayer, num_layers: int, norm: Module | None = None
    ) -> None:
        self.layers = [deepcopy(encoder_layer) for _ in range(num_layers)]
        self.norm = norm

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False
    ) -> Any:
        """Return what became of ``src``, in its shape."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, is_causal)
        return src if self.norm is None else self.norm(src)
