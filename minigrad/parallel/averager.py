r"""The gradients of all processes, averaged while the backward walk is still under way.

Parameters are put into buckets in the order in which their gradients are ready, the last layer first. As soon as the
last gradient of a bucket has its final value, the bucket's sum over all processes begins, and the walk goes on
meanwhile (Li et al. 2020, "PyTorch Distributed: Experiences on Accelerating Data Parallel Training", section 3.2).

Each process's loss is weighted by its share of the samples, so that the plain sum of all gradients is the gradient of
the mean over the whole batch: :math:`\nabla \frac1m \sum_{i=1}^m L_i = \sum_r \frac{m_r}{m} \nabla \bar L_r`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from minigrad import modes
from minigrad.backend import Array
from minigrad.parallel.communicator import Communicator, Ticket
from minigrad.tape import Step, tape
from minigrad.tensor import Tensor

BUCKET = 256 * 1024
"""Bytes of a bucket, unless one parameter alone is larger: much more than what an all-reduce costs empty."""
_LINE = 64  # bytes; each gradient in a bucket begins on a cache line of its own


class Bucket:
    """Some parameters, one after another in one array, and how far their sum has come."""

    def __init__(self, params: Mapping[str, Tensor]) -> None:
        self.names = list(params)
        self.places: dict[Tensor, tuple[int, int]] = {}
        end = 0
        for tensor in params.values():
            start = end + -end % (_LINE // tensor.dtype.itemsize)
            end = start + tensor.size
            self.places[tensor] = (start, end)
        self.length = end
        self.clear()

    def clear(self) -> None:
        """Forget the last step."""
        self.array: Array = None
        self.waiting = set(self.places)
        self.ticket: Ticket | None = None

    def put(self, tensor: Tensor, gradient: Array) -> None:
        """Copy the final gradient of ``tensor`` in. Nobody reads what is in the gaps between gradients."""
        if self.array is None:
            self.array = np.empty_like(tensor.data, shape=(self.length,))
        start, end = self.places[tensor]
        self.array[start:end] = gradient.reshape(-1)
        self.waiting.discard(tensor)

    def give_back(self) -> None:
        """Let every ``.grad`` be its part of the sum."""
        for tensor, (start, end) in self.places.items():
            if tensor.grad is not None:
                tensor.grad.data = self.array[start:end].reshape(tensor.shape)


class GradientAverager:
    """Sums the gradients of ``params`` over all processes.

    Around the last backward pass of an update, ``with averager.listening(loss): loss.backward(weight)``; then
    ``finish`` puts the sums into ``.grad``. Earlier passes of an accumulation need nothing: what they left in
    ``.grad`` is added in.
    """

    def __init__(
        self, params: Mapping[str, Tensor], communicator: Communicator, bucket_bytes: int = BUCKET
    ) -> None:
        self.communicator = communicator
        self.buckets = [Bucket(group) for group in _grouped(params, bucket_bytes)]
        self._home = {tensor: bucket for bucket in self.buckets for tensor in bucket.places}
        self._left: dict[Tensor, int] = {}
        self._tickets: list[Ticket] = []

    def layout(self) -> list[list[str]]:
        """Return the names in each bucket; it is the same on every process or nothing fits."""
        return [bucket.names for bucket in self.buckets]

    @contextmanager
    def listening(self, loss: Tensor) -> Iterator[None]:
        """Start each bucket's sum, inside the block, when the backward pass from ``loss`` has filled it."""
        self._left = _contributions(loss, self._home)
        with modes.hooks(backward=self._walked):
            yield

    def _walked(self, step: Step) -> None:
        tensor = step.input
        left = self._left.get(tensor)
        if left is None:
            if self._tickets:
                self.communicator.test(self._tickets)
        elif left > 1:
            self._left[tensor] = left - 1
        else:
            del self._left[tensor]
            before = tensor.grad
            self._put(tensor, step.total if before is None else before.data + step.total)

    def _put(self, tensor: Tensor, gradient: Array) -> None:
        bucket = self._home[tensor]
        bucket.put(tensor, gradient)
        # Sums begin in the buckets' order on every process, or they would be mixed up.
        for ready in self.buckets:
            if ready.waiting:
                break
            if ready.ticket is None:
                ready.ticket = self.communicator.start_sum(ready.array)
                self._tickets.append(ready.ticket)

    def finish(self, place: str, *, failed: bool = False) -> None:
        """Start what the walk left over, wait for all sums and put them into ``.grad``.

        ``place`` ("step 37") is named where a sum does not come. A process that ``failed`` adds NaN to what it has not
        sent yet, so that the others do not wait for it in vain.
        """
        for bucket in self.buckets:
            for tensor in list(bucket.waiting):
                gradient = np.zeros_like(tensor.data) if tensor.grad is None else tensor.grad.data
                self._put(tensor, np.full_like(tensor.data, math.nan) if failed else gradient)
        for number, bucket in enumerate(self.buckets, 1):
            assert bucket.ticket is not None
            what = f"bucket {number} of {len(self.buckets)} ({_shortened(bucket.names)}) at {place}"
            self.communicator.wait([bucket.ticket], what)
            bucket.give_back()
            bucket.clear()
        self._tickets.clear()
        self._left = {}


def _grouped(params: Mapping[str, Tensor], most: int) -> list[dict[str, Tensor]]:
    groups: list[dict[str, Tensor]] = []
    kind, filled = None, 0
    for name, tensor in reversed(list(params.items())):
        if not tensor.requires_grad:
            continue
        size = tensor.size * tensor.dtype.itemsize
        if not groups or kind != (tensor.dtype, tensor.device) or filled + size > most:
            groups.append({})
            kind, filled = (tensor.dtype, tensor.device), 0
        groups[-1][name] = tensor
        filled += size
    return groups


def _contributions(loss: Tensor, among: Mapping[Tensor, Bucket]) -> dict[Tensor, int]:
    """How many contributions the walk from ``loss`` makes to each of these tensors' gradients."""
    counts: dict[Tensor, int] = {}
    for record in tape(loss):
        for position, x in enumerate(record.inputs):
            if isinstance(x, Tensor) and x in among and record.operation.rule(position) is not None:
                counts[x] = counts.get(x, 0) + 1
    return counts


def _shortened(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{names[0]}, … {names[-1]}"
