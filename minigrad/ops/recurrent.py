"""Recurrent layers over all times of a sequence, each direction an operation, computed by the kernels.

a (times, samples, gates · width) is the input's part x·w_ihᵀ + b; w (gates · width, width) multiplies the state before,
h0 (samples, width) is the first of the states. The result holds it too, at the end from which the sequence is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad_kernels import recurrent as kernels
from minigrad_kernels.launch import Kernel

from minigrad import backend
from minigrad.backend import Array
from minigrad.operation import Operation, define


def _in_order(*arrays: Array) -> tuple[Array, ...]:
    """Contiguous arrays, which is what the loops take: a batch that comes first has been turned to here."""
    return tuple(map(backend.in_order, arrays))


def _over_time(
    name: str,
    inputs: str,
    forward: Kernel,
    backward: Kernel,
    formula: str,
    of_input: str,
    saves_gates: bool,
    **options: Any,
) -> Operation:
    """Define a layer in one direction: inputs, and the gradients that the backward kernel gives in their order."""
    names = inputs.split()
    function: Callable[..., Any]

    def compute(*arrays: Array) -> Any:
        return forward(*_in_order(*arrays), **options)

    if saves_gates:

        def function(k: int) -> Callable[..., Any]:
            return lambda g, y, gates, w: backward(g, y, gates, w, **options)[k]

        def joint(_: Any, g: Array, y: Array, *arrays: Array) -> Any:
            return backward(*_in_order(g, y, arrays[-1], arrays[1]), **options)

        saves = {"gates": lambda *arrays: forward.reference(*arrays, **options)[1]}
    else:

        def function(k: int) -> Callable[..., Any]:
            return lambda g, y, w: backward(g, y, w, **options)[k]

        def joint(_: Any, g: Array, y: Array, *arrays: Array) -> Any:
            return backward(*_in_order(g, y, arrays[1]), **options)

        saves = {}
    texts = {
        "a": of_input,
        "w": "Σ_t p_tᵀ @ h_before, where p_t is the gradient of h_before @ wᵀ",
        "b": "Σ_t p_t over the samples, where p_t is the gradient of h_before @ wᵀ + b",
        "h0": "the gradient that reaches the first state through all times",
        "c0": "the gradient that reaches the first cell through all times",
    }
    rules = [(texts[each], function(k)) for k, each in enumerate(names)]
    return define(name, compute, formula, *rules, inputs=inputs, saves=saves, joint_vjp=joint)


def _both(name: str, *about: Any, **options: Any) -> tuple[Operation, Operation]:
    return (
        _over_time(name, *about, reverse=False, **options),
        _over_time(f"{name}_reverse", *about, reverse=True, **options),
    )


rnn_tanh, rnn_tanh_reverse = _both(
    "rnn_tanh", "a w h0", kernels.rnn_forward, kernels.rnn_backward,
    "h_t = tanh(a_t + h_before @ wᵀ)", "g_t · (1 - h_t²), g_t with what came back from the time after", False,
    nonlinearity="tanh",
)  # fmt: skip
rnn_relu, rnn_relu_reverse = _both(
    "rnn_relu", "a w h0", kernels.rnn_forward, kernels.rnn_backward,
    "h_t = max(a_t + h_before @ wᵀ, 0)", "g_t · [h_t > 0], g_t with what came back from the time after", False,
    nonlinearity="relu",
)  # fmt: skip
gru, gru_reverse = _both(
    "gru", "a w b h0", kernels.gru_forward, kernels.gru_backward,
    "h_t = (1 - z)·n + z·h_before, p = h_before @ wᵀ + b, r = σ(a_r + p_r), z = σ(a_z + p_z), n = tanh(a_n + r·p_n)",
    "by gate: r, z: its part of g_t · gate · (1 - gate); n: g_t · (1 - z) · (1 - n²)", True,
)  # fmt: skip
lstm, lstm_reverse = _both(
    "lstm", "a w h0 c0", kernels.lstm_forward, kernels.lstm_backward,
    "h_t = o·tanh(c_t), c_t = f·c_before + i·g, i, f, o = σ and g = tanh of the parts of a_t + h_before @ wᵀ",
    "by gate: i, f, o: its part of g_t · gate · (1 - gate); g: its part · (1 - g²)", True,
)  # fmt: skip
