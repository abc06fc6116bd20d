"""Random configurations of attention, compared with PyTorch's."""

from __future__ import annotations

import numpy as np

from minigrad import nn
from tests.nn.parity import close, tensor


def function(torch, rng):
    """One call of scaled_dot_product_attention: result and gradients of q, k, v and of a mask of floats."""
    n, m, d, e = rng.integers(1, 90 if rng.random() < 0.2 else 9, 4)
    leading = tuple(rng.integers(1, 4, rng.integers(0, 4)))
    kind = rng.choice(["none", "causal", "bool", "float", "row"])
    scale = None if rng.random() < 0.5 else float(rng.uniform(0.1, 2))
    arrays = [rng.normal(size=(*leading, *shape)) for shape in ((n, d), (m, d), (m, e))]
    mask = None
    if kind == "bool":
        mask = rng.random((*leading[1:], n, m)) < 0.7
    elif kind == "float":
        mask = rng.normal(size=(n, m))
    elif kind == "row":
        mask = rng.normal(size=(1, m))
    ours, theirs = [tensor(a) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    masks = [None, None]
    if mask is not None:
        masks = [mask, torch.tensor(mask)] if kind == "bool" else [tensor(mask), torch.tensor(mask)]
        if kind != "bool":
            masks[1].requires_grad_()
    y = nn.scaled_dot_product_attention(*ours, masks[0], is_causal=kind == "causal", scale=scale)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        z = torch.nn.functional.scaled_dot_product_attention(
            *theirs, masks[1], is_causal=kind == "causal", scale=scale
        )
    close(y.numpy(), z.detach().numpy(), "result")
    g = rng.normal(size=y.shape)
    y.backward(g)
    z.backward(torch.from_numpy(g))
    for a, b in zip(ours, theirs, strict=True):
        close(a.grad.numpy(), b.grad.numpy(), "gradient")
    if kind in ("float", "row"):
        close(masks[0].grad.numpy(), masks[1].grad.numpy(), "mask")


def moved(torch, ours, theirs):
    """Both networks in float64 with the same weights: theirs moved over, and back."""
    ours.to("float64")
    theirs = theirs.double()
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in ours.state_dict().items()})
    ours.load_state_dict({name: array.numpy() for name, array in theirs.state_dict().items()})
    return theirs


def same_gradients(ours, theirs, inputs, others):
    for a, b in zip(inputs, others, strict=True):
        close(a.grad.numpy(), b.grad.numpy(), "input")
    named = ours.named_parameters()
    for name, parameter in theirs.named_parameters():
        close(named[name].grad.numpy(), parameter.grad.numpy(), name)


def layer(torch, rng):
    """One MultiheadAttention."""
    heads = int(rng.integers(1, 4))
    width = heads * int(rng.integers(1, 5))
    kdim, vdim = (int(rng.integers(1, 6)), int(rng.integers(1, 6))) if rng.random() < 0.3 else (None, None)
    options = {"bias": bool(rng.random() < 0.7), "batch_first": bool(rng.random() < 0.5)}
    samples, n, m = rng.integers(1, 6, 3)
    alone = rng.random() < 0.2
    samples = 1 if alone else samples

    def shape(times, w):
        if alone:
            return (times, w)
        return (samples, times, w) if options["batch_first"] else (times, samples, w)

    needs = bool(rng.random() < 0.5)
    average = bool(rng.random() < 0.5)
    ours = nn.MultiheadAttention(width, heads, kdim=kdim, vdim=vdim, rng=rng, **options)
    if ours.in_proj_bias is not None:
        ours.in_proj_bias.data[...] = rng.normal(size=3 * width)
    theirs = moved(torch, ours, torch.nn.MultiheadAttention(width, heads, kdim=kdim, vdim=vdim, **options))
    together = rng.random() < 0.3 and kdim is None
    shapes = [shape(n, width), shape(m, kdim or width), shape(m, vdim or width)]
    arrays = [rng.normal(size=s) for s in shapes]
    inputs, others = [tensor(a) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    if together:
        inputs, others, m = inputs[:1] * 3, others[:1] * 3, n
    attn = padding = None
    if rng.random() < 0.4:
        attn = rng.random((n, m) if rng.random() < 0.5 else (samples * heads, n, m)) < 0.4
        attn[..., 0] = False  # PyTorch has nan where every key is hidden
    elif rng.random() < 0.3:
        attn = rng.normal(size=(n, m))
    if rng.random() < 0.4:
        padding = rng.random((samples, m)) < 0.4
        padding[:, 0] = False
        padding = padding[0] if alone else padding
    if attn is not None and padding is not None and attn.dtype != bool:
        padding = np.where(padding, -np.inf, 0.0)
    masks = {"attn_mask": attn, "key_padding_mask": padding}
    y, w = ours(*inputs, need_weights=needs, average_attn_weights=average, **masks)
    z, v = theirs(
        *others,
        need_weights=needs,
        average_attn_weights=average,
        **{name: None if a is None else torch.tensor(a) for name, a in masks.items()},
    )
    close(y.numpy(), z.detach().numpy(), "result")
    assert (w is None) == (v is None)
    if w is not None:
        close(w.numpy(), v.detach().numpy(), "weights")
    g = rng.normal(size=y.shape)
    y.backward(g)
    z.backward(torch.from_numpy(g))
    same_gradients(ours, theirs, inputs, others)


def encoder(torch, rng):
    """One TransformerEncoder of one or two layers."""
    heads = int(rng.integers(1, 4))
    width, inner = heads * int(rng.integers(1, 4)), int(rng.integers(1, 9))
    options = {
        "activation": str(rng.choice(["relu", "gelu"])),
        "norm_first": bool(rng.random() < 0.5),
        "batch_first": bool(rng.random() < 0.5),
    }
    samples, n, layers = rng.integers(1, 5), rng.integers(1, 6), int(rng.integers(1, 3))
    ours = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(width, heads, inner, 0.0, rng=rng, **options), layers
    )
    layer = torch.nn.TransformerEncoderLayer(width, heads, inner, 0.0, **options)
    theirs = moved(torch, ours, torch.nn.TransformerEncoder(layer, layers, enable_nested_tensor=False))
    x = rng.normal(size=(samples, n, width) if options["batch_first"] else (n, samples, width))
    mask = np.triu(np.ones((n, n), bool), 1) if rng.random() < 0.5 else None
    mine, other = tensor(x), torch.tensor(x, requires_grad=True)
    y, z = ours(mine, mask), theirs(other, None if mask is None else torch.tensor(mask))
    close(y.numpy(), z.detach().numpy(), "result")
    g = rng.normal(size=y.shape)
    y.backward(g)
    z.backward(torch.from_numpy(g))
    same_gradients(ours, theirs, [mine], [other])


CONFIGURATIONS = {
    "scaled_dot_product_attention": function,
    "MultiheadAttention": layer,
    "TransformerEncoder": encoder,
}
