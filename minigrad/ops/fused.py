"""Operations that stand for several at once, computed by the kernels.

A kernel that is given bare arrays runs its fast implementation; given Tensors (a gradient that shall be differentiated
again) it runs its plain NumPy reference, which records itself.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Container
from typing import Any

import numpy as np
from minigrad_kernels import dropout as dropout_kernels
from minigrad_kernels import embedding as embedding_kernels
from minigrad_kernels import linear as linear_kernels
from minigrad_kernels import softmax_xent as xent_kernels
from minigrad_kernels.launch import Kernel

from minigrad import backend, messages
from minigrad.backend import Array
from minigrad.errors import DtypeError, LabelError, ShapeError
from minigrad.operation import Operation, define
from minigrad.ops.activation import naive_logsumexp, relu, softmax
from minigrad.ops.half import wide
from minigrad.ops.reduce import mean
from minigrad.rules import Rule


def _dense(activation: str) -> Callable[..., Array]:
    def forward(x: Array, w: Array, b: Array | None = None) -> Array:
        if x.ndim == 0 or x.shape[-1] != w.shape[-1]:
            raise ShapeError("MG-101", f"linear: {width_mismatch(x.shape, w.shape[-1])}")
        if x.dtype != w.dtype:
            raise DtypeError(
                "MG-211",
                f"linear: x is {x.dtype}, the weights are {w.dtype}: NumPy would silently go on in "
                f"{np.result_type(x.dtype, w.dtype)}. Cast the data once: x.astype('{w.dtype}').",
            )
        # a stack of matrices is copied so that its rows are those of one: less work than to go by matrices
        return linear_kernels.forward(x if x.ndim <= 2 else backend.in_order(x), w, b, activation)

    return forward


def _gradients_of(activation: str) -> Callable[..., Any]:
    def gradients(needs_grad: Container[int], g: Array, y: Array, x: Array, w: Array, b: Any = None) -> Any:
        chosen = (0 in needs_grad, 1 in needs_grad, 2 in needs_grad)
        if x.ndim > 2:
            g, y, x = map(backend.in_order, (g, y, x))
        return linear_kernels.backward(g, y, x, w, activation, chosen)

    return gradients


def width_mismatch(shape: tuple[int, ...], width: int) -> str:
    """Say how an input's shape differs from the width that is expected, and what may have been meant."""
    message = (
        f"input x is {shape}, its last axis is {shape[-1] if shape else 'missing'} but {width} is expected."
    )
    per_sample = int(np.prod(shape[1:]))
    if len(shape) > 2 and per_sample == width:
        product = "*".join(str(n) for n in shape[1:])
        message += f" {product} = {width}: did you mean x.reshape({shape[0]}, {width})?"
    elif len(shape) > 1 and int(np.prod(shape)) == width:
        product = "*".join(str(n) for n in shape)
        message += f" {product} = {width}: is this one sample? x.reshape(1, {width})"
    elif len(shape) == 2 and shape[0] == width:
        message += f" x.T is ({shape[1]}, {width}): are the samples in the columns?"
    return message


linear_input_gradient: Operation = define(
    "linear_input_gradient",
    lambda a, w: linear_kernels.backward_input(a, w),
    "a @ w",
    ("g @ wᵀ", lambda g, w: linear(g, w)),
    ("aᵀ @ g", lambda g, a: linear_weight_gradient(a, g)),
    inputs="a w",
)

linear_weight_gradient: Operation = define(
    "linear_weight_gradient",
    lambda a, x: linear_kernels.backward_weight(a, x),
    "aᵀ @ x",
    ("x @ gᵀ", lambda g, x: linear(x, g)),
    ("a @ g", lambda g, a: linear_input_gradient(a, g)),
    inputs="a x",
)

linear: Operation = define(
    "linear",
    _dense("none"),
    "x @ wᵀ + b",
    ("g @ w", lambda g, w: linear_input_gradient(g, w)),
    ("gᵀ @ x", lambda g, x: linear_weight_gradient(g, x)),
    ("Σ g over the samples", lambda g: linear_kernels.backward_bias(g)),
    inputs="x w b",
    joint_vjp=_gradients_of("none"),
)


def _fused(
    name: str,
    inner: Operation,
    outer: Operation,
    forward: Callable[..., Array],
    joint_vjp: Callable[..., Any],
) -> Operation:
    """Define ``outer`` of ``inner`` as one operation: its formula, and its rules by the chain rule, are made of theirs.

    Only the kernels are new. The rule of ``outer`` may need its result, but not what ``inner`` made: that is not kept.
    """
    behind = outer.rules[0]
    assert behind is not None
    assert behind.needs(1) in ((), (-1,))

    def chained(rule: Rule) -> tuple[str, Callable[..., Any]]:
        needed = [name for name in inspect.signature(rule.function).parameters if name != "g"]

        def composed(g: Array, y: Array, *arrays: Array) -> Any:
            return rule.function(behind.function(g, y), *arrays)

        parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_ONLY) for n in ("g", "y", *needed)]
        composed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return re.sub("g(?![a-z])", f"({behind.formula})", rule.formula), composed

    return define(
        name,
        forward,
        (re.sub(r"\ba\b", inner.formula, outer.formula), lambda *inputs: outer(inner(*inputs))),
        *(chained(rule) for rule in inner.rules if rule is not None),
        inputs=" ".join(inner.inputs),
        joint_vjp=joint_vjp,
    )


linear_relu = _fused("linear_relu", linear, relu, _dense("relu"), _gradients_of("relu"))


def _checked(kernel: Kernel) -> Callable[[Array, Array], tuple[Array, Array]]:
    def compute(logits: Array, labels: Array) -> tuple[Array, Array]:
        _check_labels(logits.shape, labels)
        try:
            precise = wide(logits)
            loss, difference = kernel(precise, labels)
        except IndexError as error:
            raise _no_class(labels, logits.shape[1]) from error
        return (loss if precise is logits else loss.astype(logits.dtype)), difference

    return compute


def _softmax_minus_onehot(logits: Array, labels: Array) -> Array:
    classes = np.cumsum(np.ones_like(labels, shape=(logits.shape[1],))) - 1  # 0, 1, 2 … where the labels live
    return softmax(wide(logits)) - (np.expand_dims(labels, 1) == classes)


def _check_labels(shape: tuple[int, ...], labels: Array) -> None:
    """Raise MG-402 where ``labels`` are not one integer for each sample of logits of ``shape`` (n, classes)."""
    if len(shape) != 2:
        raise ShapeError("MG-105", f"cross-entropy needs logits of shape (samples, classes), not {shape}.")
    if labels.shape != shape[:1]:
        hint = f"labels of shape {shape[:1]} are needed"
        if labels.shape in (shape, (*shape[:1], 1)):
            hint = messages.class_ids("y", labels.shape)
        raise LabelError("MG-402", f"labels have shape {labels.shape} for logits {shape}: {hint}.")
    if labels.dtype.kind not in "iu":
        raise LabelError(
            "MG-402", f"labels must be integer class ids; got {labels.dtype}: write y.astype('int64')."
        )


def _no_class(labels: Array, classes: int) -> LabelError:
    """The error for labels among which the kernel has met one that is outside 0 … classes - 1."""
    index = int(np.argmax((labels < 0) | (labels >= classes)))
    hint = " (1-based labels? use y - 1)" if labels.min() == 1 and labels.max() == classes else ""
    return LabelError(
        "MG-402", f"labels must be class ids 0..{classes - 1}; found {labels[index]} at index {index}{hint}."
    )


def _cross_entropy(logits: Array, labels: Array) -> Array:
    chosen = np.take_along_axis(logits, np.expand_dims(labels, 1), axis=1)
    return naive_logsumexp(logits, axis=1) - np.squeeze(chosen, 1)


_xent = define(
    "softmax_cross_entropy",
    _checked(xent_kernels.forward_backward),
    ("ln Σ e^z - z[label]", _cross_entropy),
    ("g · (softmax z - onehot label)", lambda g, difference: np.expand_dims(g, 1) * difference),
    None,
    inputs="logits labels",
    saves={"difference": _softmax_minus_onehot},
)


mean_cross_entropy = define(
    "mean_cross_entropy",
    _checked(xent_kernels.mean_forward_backward),
    ("(1/n) Σ (ln Σ e^z - z[label])", lambda logits, labels: mean(_xent(logits, labels))),
    ("g · (softmax z - onehot label) / n", lambda g, gradient: xent_kernels.mean_backward(g, gradient)),
    None,
    inputs="logits labels",
    saves={
        "gradient": lambda logits, labels: _softmax_minus_onehot(logits, labels) / max(1, labels.shape[0])
    },
    joint_vjp=lambda _, g, y, logits, labels, gradient: (xent_kernels.mean_backward(g, gradient),),
)


def softmax_cross_entropy(logits: Any, labels: Any) -> Any:
    """-ln softmax(logits)[label] of each sample, without ever forming a probability that underflows.

    ``logits`` (n, classes) of floats, ``labels`` (n,) of integer class ids; returns (n,). Raises LabelError
    MG-402 where a label is no class id (on a GPU, where looking would stall it, the ids are not looked at).
    """
    return _xent(logits, labels)


dropout: Operation = define(
    "dropout",
    lambda x, random, p=0.5: dropout_kernels.dropout(x, random, p),
    ("x · [random ≥ p] / (1 - p)", lambda x, random, p=0.5: x * (random >= p) / (1 - p)),
    lambda g, random, p: dropout(g, random, p=p),
    None,
    inputs="x random",
    params={"p": 0.5},
)

embedding: Operation = define(
    "embedding",
    lambda weight, ids: embedding_kernels.gather(weight, ids),
    "weight[ids]",
    (
        "Σ of g over equal ids",
        lambda g, ids, weight_shape: embedding_gradient(g, ids, count=weight_shape[0]),
    ),
    None,
    inputs="weight ids",
)

embedding_gradient: Operation = define(
    "embedding_gradient",
    lambda rows, ids, count=0: embedding_kernels.scatter_add(backend.in_order(rows), ids, count),
    "zeros with the rows added at ids",
    ("g[ids]", lambda g, ids: embedding(g, ids)),
    None,
    inputs="rows ids",
    params={"count": 0},
)
