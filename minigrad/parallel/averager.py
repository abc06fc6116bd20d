r"""The gradients of all processes, averaged while the backward walk is still under way.

Parameters are put into buckets in the order in which their gradients are ready, the last layer first. Where messages
carry the sums, a bucket's sum over all processes begins as soon as the last gradient of it has its final value, and
the walk goes on meanwhile (Li et al. 2020, "PyTorch Distributed: Experiences on Accelerating Data Parallel Training",
section 3.2).

Each process's loss is weighted by its share of the samples, so that the plain sum of all gradients is the gradient of
the mean over the whole batch: :math:`\nabla \frac1m \sum_{i=1}^m L_i = \sum_r \frac{m_r}{m} \nabla \bar L_r`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from minigrad import modes
from minigrad.backend import Array
from minigrad.parallel.communicator import Communicator
from minigrad.parallel.transport import Transport, Work
from minigrad.tape import Step, tape
from minigrad.tensor import Tensor

BUCKET = 256 * 1024
"""Bytes of a bucket, unless one parameter alone is larger: much more than what an all-reduce costs empty."""


class Bucket:
    """Some parameters whose gradients are summed together, and how far their sum has come."""

    def __init__(self, params: Mapping[str, Tensor]) -> None:
        self.names, self.tensors = list(params.keys()), list(params.values())
        self.index = {tensor: k for k, tensor in enumerate(self.tensors)}
        self.transport: Transport | None = None
        self.clear()

    def clear(self) -> None:
        """Forget the last step."""
        self.buffers: Sequence[Array] | None = None
        self.waiting = dict.fromkeys(self.tensors)
        self.work: Work | None = None

    def put(self, tensor: Tensor, gradient: Array | float) -> None:
        """Copy the final gradient of ``tensor`` to where it is summed."""
        if self.buffers is None:
            assert self.transport is not None
            self.buffers = self.transport.buffers()
        self.buffers[self.index[tensor]][...] = gradient
        del self.waiting[tensor]

    def copy_back(self) -> None:
        """Let every ``.grad`` be its sum."""
        assert self.transport is not None
        for k, tensor in enumerate(self.tensors):
            if tensor.grad is not None:
                own = tensor.grad.data
                total = self.transport.result(k, own)
                if total is not own:
                    tensor.grad.data = total


class GradientAverager:
    """Sums the gradients of ``params`` over all processes.

    Around the last backward pass of an update, ``with averager.listening(loss): loss.backward(weight)``; then
    ``finish`` (or ``start_rest``, something else, and ``finish``) puts the sums into ``.grad``. Earlier passes of an
    accumulation need nothing: what they left in ``.grad`` is added in.
    """

    def __init__(
        self, params: Mapping[str, Tensor], communicator: Communicator, bucket_bytes: int = BUCKET
    ) -> None:
        self.communicator = communicator
        self.buckets = [Bucket(group) for group in _grouped(params, bucket_bytes)]
        self._home = {tensor: bucket for bucket in self.buckets for tensor in bucket.tensors}
        self._left: dict[Tensor, int] = {}
        self._under_way: list[Work] = []
        self._close: Callable[[], None] | None = None

    def layout(self) -> list[list[str]]:
        """Return the names in each bucket; it is the same on every process or nothing fits."""
        return [bucket.names for bucket in self.buckets]

    @contextmanager
    def listening(self, loss: Tensor) -> Iterator[None]:
        """Start each bucket's sum, inside the block, when the backward pass from ``loss`` has filled it.

        Where sums do not go on by themselves, nothing is won by that, and all of them start in ``start_rest``.
        """
        self._open()
        if not all(bucket.transport and bucket.transport.in_background for bucket in self.buckets):
            yield
            return
        self._left = _contributions(loss, self._home)
        with modes.hooks(backward=self._walked):
            yield

    def _open(self) -> None:
        """Agree with the others on how sums travel: once they are all here, not before they have been compared."""
        if self._close is None:
            groups = [[tensor.data for tensor in bucket.tensors] for bucket in self.buckets]
            transports, self._close = self.communicator.transports(groups, "the others' buckets")
            for bucket, transport in zip(self.buckets, transports, strict=True):
                bucket.transport = transport

    def close(self) -> None:
        """Give back the memory that sums travel through; all processes do. The next step takes some anew."""
        for bucket in self.buckets:
            bucket.transport = None
            bucket.clear()
        close, self._close = self._close, None
        if close is not None:
            close()

    def _walked(self, step: Step) -> None:
        tensor = step.input
        left = self._left.get(tensor)
        if left is None:
            if self._under_way:
                self.communicator.test(self._under_way)
        elif left > 1:
            self._left[tensor] = left - 1
        else:
            del self._left[tensor]
            before = tensor.grad
            self._put(tensor, step.total if before is None else before.data + step.total)

    def _put(self, tensor: Tensor, gradient: Array | float) -> None:
        self._home[tensor].put(tensor, gradient)
        # Sums begin in the buckets' order on every process, or they would be mixed up.
        for ready in self.buckets:
            if ready.waiting:
                break
            if ready.work is None:
                assert ready.transport is not None
                ready.work = ready.transport.start()
                self._under_way.append(ready.work)

    def start_rest(self, *, failed: bool = False) -> None:
        """Start the sums that the walk did not.

        A process that ``failed`` adds NaN to what it has not sent yet, so that the others do not wait for it in vain.
        """
        self._open()
        for bucket in self.buckets:
            for tensor in list(bucket.waiting):
                gradient = 0.0 if tensor.grad is None else tensor.grad.data
                self._put(tensor, math.nan if failed else gradient)

    def finish(self, when: str) -> None:
        """Start the rest, wait for all sums and put them into ``.grad``.

        ``when`` ("step 37") is named where a sum does not come.
        """
        self.start_rest()
        for number, bucket in enumerate(self.buckets, 1):
            assert bucket.work is not None
            if not bucket.work.done():
                what = f"bucket {number} of {len(self.buckets)} ({_shortened(bucket.names)}) at {when}"
                self.communicator.wait([bucket.work], what)
            bucket.copy_back()
            bucket.clear()
        self._under_way.clear()
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
