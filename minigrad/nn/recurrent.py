"""Recurrent layers: a plain one (Elman 1990), the GRU and the LSTM, over whole sequences and as single cells.

The input's part of all times is one product; then every direction of every layer is one operation
(``minigrad.ops.recurrent``). Under ``mg.unfused()`` each time runs as the single operations of its formula, to be
looked at. Names, order of the gates, shapes and initial weights, U(-1/√hidden, 1/√hidden), are PyTorch's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from minigrad_kernels import recurrent as kernels

from minigrad import backend, ops
from minigrad.errors import ConfigError, DtypeError, ShapeError
from minigrad.modes import may_fuse
from minigrad.nn import init as inits
from minigrad.nn import recurrent_steps
from minigrad.nn.dropout import Dropout
from minigrad.nn.module import Module, Parameter
from minigrad.ops import recurrent
from minigrad.ops.fused import width_mismatch
from minigrad.tensor import unwrap


class _Weights(Module):
    """What cells and layers share: the weights of one direction by their suffix, and how it runs over a sequence."""

    gates: ClassVar[int] = 1
    states: ClassVar[int] = 1
    """1, or 2 where a cell is carried on beside the output."""
    nonlinearity = "tanh"

    def _sizes(self, input_size: int, hidden_size: int, bias: bool, **others: int) -> None:
        for name, value in {"input_size": input_size, "hidden_size": hidden_size, **others}.items():
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise ConfigError("MG-802", f"{name} is {value!r}; it must be a whole number from 1 on.")
        self.input_size, self.hidden_size, self.bias = int(input_size), int(hidden_size), bool(bias)

    def _draw(self, suffix: str, width: int, rng: np.random.Generator) -> None:
        rows, bound = self.gates * self.hidden_size, 1 / math.sqrt(self.hidden_size)
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, width),
            "weight_hh": (rows, self.hidden_size),
        }
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        for name, shape in shapes.items():
            setattr(self, name + suffix, Parameter(inits.uniform(shape, rng, bound=bound)))

    def _choose(self, nonlinearity: str) -> None:
        if nonlinearity not in kernels.NONLINEARITIES:
            allowed = " or ".join(map(repr, kernels.NONLINEARITIES))
            raise ConfigError("MG-802", f"nonlinearity is {nonlinearity!r}; it can be {allowed}.")
        self.nonlinearity = nonlinearity

    def _run(
        self, suffix: str, x: Any, states: list[Any], reverse: bool = False, turned: bool = False
    ) -> Any:
        """Return the states of all times, (times + 1, samples, hidden), two of them one behind the other of an LSTM.

        x is (times, samples, width), or (samples, times, width) where it has to be ``turned``.
        """
        w_ih, w_hh = getattr(self, f"weight_ih{suffix}"), getattr(self, f"weight_hh{suffix}")
        b = getattr(self, f"bias_ih{suffix}") if self.bias else None
        arrays = [w_hh, *states]
        if self.gates == 3:  # whose bias b_hh lies under r
            zeros = np.zeros_like(w_hh.data, shape=w_hh.shape[:1]) if b is None else None
            arrays.insert(1, getattr(self, f"bias_hh{suffix}") if zeros is None else zeros)
        elif b is not None:
            b = b + getattr(self, f"bias_hh{suffix}")
        if turned:  # before the product, which has more columns
            x = ops.swapaxes(x, axis1=0, axis2=1)
        a = ops.linear(x, w_ih, b)
        kind = {1: f"rnn_{self.nonlinearity}", 3: "gru", 4: "lstm"}[self.gates]
        if may_fuse():
            return getattr(recurrent, kind + "_reverse" * reverse)(a, *arrays)
        if self.gates == 1:
            return recurrent_steps.rnn(a, w_hh, states[0], self.nonlinearity, reverse)
        step: Callable[..., Any] = recurrent_steps.gru if self.gates == 3 else recurrent_steps.lstm
        return step(a, *arrays, reverse=reverse)

    def _checked(self, x: Any, least: int, most: int, axes: str) -> Any:
        if hasattr(x, "batch_sizes"):
            raise ConfigError(
                "MG-530",
                f"{type(self).__name__} takes no packed sequences. Pad them to one length, x of shape (times, samples, "
                "width), and leave the padding out of the loss: losses[mask].mean().",
            )
        shape = unwrap(x).shape if hasattr(x, "shape") else np.shape(x)
        if not least <= len(shape) <= most:
            raise ShapeError("MG-529", f"input x is {shape}; it has to be {axes}.")
        if shape[-1] != self.input_size:
            raise ShapeError("MG-101", width_mismatch(shape, self.input_size))
        return x if hasattr(x, "shape") else backend.as_array(x)

    def _first(self, state: Any, shape: tuple[int, ...], what: str) -> list[Any]:
        """Return the initial states, each of ``shape``: zeros where there are none."""
        weight = next(p for name, p in vars(self).items() if name.startswith("weight_hh"))
        if state is None:
            return [np.zeros_like(weight.data, shape=shape) for _ in range(self.states)]
        given = [state] if self.states == 1 else state
        if self.states == 2 and not (isinstance(state, (tuple, list)) and len(state) == 2):
            raise ShapeError(
                "MG-529", f"the state of an {type(self).__name__} is a pair, (h, c), each {shape}: {what}."
            )
        for name, each in zip("hc", given, strict=False):
            found = getattr(each, "shape", None)
            if found != shape:
                what_is = f"a {type(each).__name__}" if found is None else found
                raise ShapeError("MG-529", f"the state {name} is {what_is}; it has to be {shape}: {what}.")
            if each.dtype != weight.dtype:
                raise DtypeError(
                    "MG-211",
                    f"the state {name} is {each.dtype}, the weights are {weight.dtype}: cast it, "
                    f"{name}.astype('{weight.dtype}').",
                )
        return list(given)


class _Layers(_Weights):
    """The layers of an RNN, a GRU or an LSTM."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        rng: np.random.Generator | None = None,
        masks: np.random.Generator | None = None,
    ) -> None:
        if proj_size:
            raise ConfigError(
                "MG-530",
                f"proj_size is {proj_size}; the states are not projected here. Leave it out and put "
                f"nn.Linear({hidden_size}, {proj_size}) behind the layer.",
            )
        self._sizes(input_size, hidden_size, bias, num_layers=num_layers)
        self.num_layers, self.batch_first, self.bidirectional = int(num_layers), batch_first, bidirectional
        rng = inits.as_generator(rng)
        width = self.input_size
        for k in range(self.num_layers):
            for suffix in self._suffixes(k):
                self._draw(suffix, width, rng)
            width = self.hidden_size * (1 + bidirectional)
        self.between = Dropout(dropout, rng=masks)

    @property
    def dropout(self) -> float:
        """The share dropped between layers."""
        return self.between.p

    def _suffixes(self, layer: int) -> list[str]:
        return [f"_l{layer}", *([f"_l{layer}_reverse"] if self.bidirectional else [])]

    def forward(self, x: Any, state: Any = None) -> Any:
        """Return (the outputs of the last layer at all times, the states at the end)."""
        axes = "(samples, times, width)" if self.batch_first else "(times, samples, width)"
        x = self._checked(x, 2, 3, f"{axes}, or (times, width) of one sequence")
        single, turned = len(x.shape) == 2, self.batch_first
        if single:
            x, turned = ops.expand_dims(x, axis=1), False
        times, samples = (x.shape[1], x.shape[0]) if turned else x.shape[:2]
        if times == 0:
            raise ShapeError("MG-529", f"input x is {x.shape}: a sequence needs a time at least.")
        count = self.num_layers * (1 + self.bidirectional)
        shape = (count, self.hidden_size) if single else (count, samples, self.hidden_size)
        states = self._first(state, shape, f"{'directions of ' * self.bidirectional}layers, samples, hidden")
        if single:
            states = [ops.expand_dims(each, axis=1) for each in states]
        ends: list[list[Any]] = [[] for _ in states]
        for layer in range(self.num_layers):
            if layer:
                x = self.between(x)
            outputs = []
            for direction, suffix in enumerate(self._suffixes(layer)):
                place, back = len(ends[0]), direction == 1
                y = self._run(suffix, x, [each[place] for each in states], back, turned)
                end = slice(0, 1) if back else slice(times, times + 1)
                rows = slice(0, times) if back else slice(1, times + 1)
                outputs.append(y[rows] if self.states == 1 else y[0, rows])
                for k, found in enumerate(ends):
                    found.append(y[end] if self.states == 1 else y[k, end])
            x, turned = outputs[0] if len(outputs) == 1 else ops.concatenate(outputs, axis=-1), False
        last = [found[0] if len(found) == 1 else ops.concatenate(found, axis=0) for found in ends]
        if single:
            x, last = x[:, 0], [each[:, 0] for each in last]
        elif self.batch_first:
            x = ops.swapaxes(x, axis1=0, axis2=1)
        return x, (last[0] if self.states == 1 else tuple(last))

    def extra_repr(self) -> str:
        """Return the widths, and what is not as usual."""
        more = {
            f"{self.num_layers} layers": self.num_layers > 1,
            "both directions": self.bidirectional,
            "batch first": self.batch_first,
            "without bias": not self.bias,
            self.nonlinearity: self.nonlinearity != "tanh",
        }
        return ", ".join(
            [f"{self.input_size}->{self.hidden_size}", *(name for name, so in more.items() if so)]
        )


_SHAPES = """

    x is (times, samples, input_size), or (samples, times, input_size) with ``batch_first``, or (times, input_size) of
    one sequence. ``layer(x)`` and ``layer(x, state)`` return (y, state): y the last layer's outputs at all times, as x
    but of width hidden_size (twice that where ``bidirectional``), and the states {state} at the end, each
    (layers · directions, samples, hidden_size). A state that is left out is 0.

    Parameters
    ----------
    input_size, hidden_size : the widths in and out.
    num_layers : layers on top of each other, each reading the outputs of the one below.{more}
    bias, batch_first, bidirectional : as in PyTorch.
    dropout : the share of the outputs that is dropped between layers while training; ``masks`` is the generator that
        it draws from (see ``nn.Dropout``).
    rng : the generator that the weights are drawn from.

    Truncated backpropagation through time goes on from the numbers of a state, without its graph::

        state = None
        for x, y in windows:  # that follow each other in a text
            output, state = layer(x, state)
            loss_of(output, y).backward()
            state = {detached}

    Raises ShapeError MG-529 where x or a state has not these shapes and MG-101 where x has another width, ConfigError
    MG-530 for packed sequences and ``proj_size``.
    """


class RNN(_Layers):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), or max(0, …). Elman 1990, "Finding structure in time"."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        *args: Any,
        **options: Any,
    ) -> None:
        self._choose(nonlinearity)
        super().__init__(input_size, hidden_size, num_layers, *args, **options)


class GRU(_Layers):
    """h_t = (1 - z)·n + z·h_{t-1}: the gated recurrent unit of Cho et al. 2014, "Learning phrase representations using
    RNN encoder-decoder", with the reset r = σ(W_ir x + b_ir + W_hr h + b_hr), the update z likewise, and
    n = tanh(W_in x + b_in + r·(W_hn h + b_hn)), where r stands outside of the product, as cuDNN and PyTorch have it.
    """

    gates = 3


class LSTM(_Layers):
    """c_t = f·c_{t-1} + i·g, h_t = o·tanh(c_t): Hochreiter & Schmidhuber 1997, "Long short-term memory", with the
    forget gate of Gers, Schmidhuber & Cummins 2000. i, f, o = σ and g = tanh of W_ih x + b_ih + W_hh h_{t-1} + b_hh,
    whose rows lie in the order i, f, g, o.
    """

    gates, states = 4, 2


_MORE = '\n    nonlinearity : ``"tanh"`` or ``"relu"``.'
for _layer in (RNN, GRU, LSTM):
    _pair = _layer is LSTM
    assert _layer.__doc__ is not None
    _layer.__doc__ = _layer.__doc__.rstrip() + _SHAPES.format(
        state="(h, c)" if _pair else "h",
        more=_MORE if _layer is RNN else "",
        detached="tuple(part.detach() for part in state)" if _pair else "state.detach()",
    )


class _Cell(_Weights):
    """One time of a layer."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, *, rng: np.random.Generator | None = None
    ) -> None:
        self._sizes(input_size, hidden_size, bias)
        self._draw("", self.input_size, inits.as_generator(rng))

    def forward(self, x: Any, state: Any = None) -> Any:
        """Return the state after x."""
        x = self._checked(x, 1, 2, "(samples, width), or (width,) of one sample")
        shape = (*x.shape[:-1], self.hidden_size)
        states = self._first(state, shape, "samples, hidden" if len(shape) == 2 else "hidden")
        leading = (0,) if len(shape) == 2 else (0, 1)
        x = ops.expand_dims(x, axis=leading)
        if len(shape) == 1:
            states = [ops.expand_dims(each, axis=0) for each in states]
        y = self._run("", x, states)
        place = (1,) if len(shape) == 2 else (1, 0)
        return y[place] if self.states == 1 else (y[(0, *place)], y[(1, *place)])

    def extra_repr(self) -> str:
        """Return the widths."""
        return f"{self.input_size}->{self.hidden_size}" + ("" if self.bias else ", without bias")


class RNNCell(_Cell):
    """One time of an ``RNN``: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or max(0, …) with ``nonlinearity="relu"``.

    ``cell(x)`` or ``cell(x, h)`` returns h', (samples, hidden_size), or (hidden_size,) of one sample. Elman 1990.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        self._choose(nonlinearity)
        super().__init__(input_size, hidden_size, bias, rng=rng)


class GRUCell(_Cell):
    """One time of a ``GRU``, whose formula it has: ``cell(x)`` or ``cell(x, h)`` returns h'. Cho et al. 2014."""

    gates = 3


class LSTMCell(_Cell):
    """One time of an ``LSTM``, whose formula it has: ``cell(x)`` or ``cell(x, (h, c))`` returns (h', c').

    Hochreiter & Schmidhuber 1997.
    """

    gates, states = 4, 2
