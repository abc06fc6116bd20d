"""Optimizer updates on bare arrays: what all rules share. The rules themselves are in ``update_rules``, which is made
from the formulas: a NumPy reference and a loop for Numba each; cuda/updates.cu has the CUDA kernels.

Every kernel has the signature ``rule(theta, g, *state, coefficients)`` and changes ``theta`` and the state in place.
All arrays have one shape and one dtype, float32 or float64. ``coefficients`` is a 1-D array of that dtype which holds
what may change from step to step, so that a recorded step replays with today's values. Each must be worked out in
float64 and then rounded once, as NumPy does with a Python float. The reference takes any sequence of scalars for it.

The gradient that a rule sees is ``clip * g + l2 * theta``: the clipping factor, which is the first coefficient, and an
L2 penalty of strength ``l2`` cost no pass of their own. A loop does the same operations in the same order as its
reference, one rounding each, so that the two agree in every bit.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import cache, lru_cache, wraps
from typing import Any, NamedTuple

import numpy as np

from minigrad_kernels import gpu
from minigrad_kernels.launch import PARALLEL_FROM, Kernel, Loop, kernels, numba, workers_for
from minigrad_kernels.teams import Team

prange = range  # Numba's own where a loop is compiled in parallel
loop: Any = None  # the rule's own in each of the loops that work in pieces

ENTRIES, THREADS = 1024, 256  # of one block, as in cuda/updates.cuh


def update_all(
    rule: str, parameters: Sequence[Sequence[Any]], coefficients: Any, source: str = "updates"
) -> None:
    """Update parameters on a GPU by one rule, in a single launch; each is ``(theta, g, *state)``, all of one dtype.

    ``coefficients`` is a sequence of numbers, which travel with the launch; the first, the clipping factor, may be an
    array of one number on the device. Or it is an array on the device of all of them. Nobody waits for either.
    ``source`` is the CUDA source that the rule's kernel is in.
    """
    dtype, count = parameters[0][0].dtype, 2 + kernels[rule].states  # type: ignore[attr-defined]
    addresses, sizes = [], []
    for arrays in parameters:
        shape = arrays[0].shape
        gpu.require(len(arrays) == count, f"{rule}: {len(arrays)} arrays; it takes {count} (theta, g, state)")
        for a in arrays:
            if a.shape != shape or a.dtype != dtype or not a.flags.c_contiguous:
                raise ValueError(f"{rule}: {a.dtype} of shape {a.shape} beside a parameter of shape {shape}")
            addresses.append(gpu.address(a))
        sizes.append(arrays[0].size)
    names = [name for _, name in gpu.signatures(source)[rule][4:]]
    gpu.require(
        len(coefficients) == len(names),
        f"{rule}: there are {len(coefficients)} coefficients, not {len(names)} ({', '.join(names)})",
    )
    on_device = None
    every = gpu.is_array(coefficients)
    if every:
        on_device, coefficients = coefficients.astype(dtype, copy=False), np.zeros(len(names))
    elif gpu.is_array(coefficients[0]):
        on_device, coefficients = coefficients[0].astype(dtype, copy=False), (1.0, *coefficients[1:])
    table, blocks = _table(tuple(addresses), tuple(sizes))
    head = table, np.int32(len(sizes)), on_device, np.int32(every)
    gpu.launch(source, rule, dtype, blocks, THREADS, *head, *np.array(coefficients, dtype))


@lru_cache(maxsize=64)
def _table(addresses: tuple[int, ...], sizes: tuple[int, ...]) -> tuple[Any, int]:
    """Return the table that cuda/updates.cuh describes, on the device, and the number of blocks.

    It is copied there once for as long as the arrays stay where they are.
    """
    ends = np.cumsum([gpu.blocks(size, ENTRIES) for size in sizes])
    starts = [0, *ends[:-1]]
    arrays = np.reshape(addresses, (len(sizes), -1)).T
    table = np.vstack([sizes, starts, arrays]).astype(np.int64, order="C")
    return gpu.xp().asarray(table), int(ends[-1])


def _gpu(rule: str, source: str) -> Callable[..., None]:
    def update(*arrays: Any) -> None:
        *parameter, coefficients = arrays
        copies = [gpu.contiguous(a) for a in parameter]
        update_all(rule, [copies], coefficients, source)
        for a, copy in zip(parameter, copies, strict=True):
            if a is not copy and a is not parameter[1]:  # the gradient is only read
                a[...] = copy

    update.__name__, update.__doc__ = f"{rule}_gpu", f"See ``{rule}_reference`` and cuda/{source}.cu."
    return update


# Large parameters are cut into pieces for several threads. The pieces go through the loop above as they are: a loop
# that Numba cuts up itself no longer knows that its arrays are contiguous, and takes a third longer.

PIECE = 1 << 13
"""Entries of a piece: few enough that the threads have about equally much to do."""


def in_pieces_0(theta: Any, g: Any, coefficients: Any) -> None:
    """Run ``loop``, of a rule without a state."""
    for k in prange((theta.size + PIECE - 1) // PIECE):
        a, b = k * PIECE, (k + 1) * PIECE
        loop(theta[a:b], g[a:b], coefficients)


def in_pieces_1(theta: Any, g: Any, s: Any, coefficients: Any) -> None:
    """Run ``loop``, of a rule with one state."""
    for k in prange((theta.size + PIECE - 1) // PIECE):
        a, b = k * PIECE, (k + 1) * PIECE
        loop(theta[a:b], g[a:b], s[a:b], coefficients)


def in_pieces_2(theta: Any, g: Any, s: Any, u: Any, coefficients: Any) -> None:
    """Run ``loop``, of a rule with two states."""
    for k in prange((theta.size + PIECE - 1) // PIECE):
        a, b = k * PIECE, (k + 1) * PIECE
        loop(theta[a:b], g[a:b], s[a:b], u[a:b], coefficients)


def in_pieces_3(theta: Any, g: Any, s: Any, u: Any, w: Any, coefficients: Any) -> None:
    """Run ``loop``, of a rule with three states."""
    for k in prange((theta.size + PIECE - 1) // PIECE):
        a, b = k * PIECE, (k + 1) * PIECE
        loop(theta[a:b], g[a:b], s[a:b], u[a:b], w[a:b], coefficients)


# The gradient of a single sample's weights is an outer product. Where it is needed for the update alone, an entry of it
# is worked out when the loop above, as it is, asks for it, and never lies in memory.


class Scaled(NamedTuple):
    """The array factor · row, of which each entry is worked out when it is asked for."""

    factor: Any
    row: Any

    def __getitem__(self, i: Any) -> Any:
        return self.factor * self.row[i]


def in_rows_0(worker: int, workers: int, factors: Any, x: Any, theta: Any, coefficients: Any) -> None:
    """Run ``loop``, of a rule without a state, on a worker's rows of theta, each with the gradient factors_i · x."""
    for i in range(worker * factors.size // workers, (worker + 1) * factors.size // workers):
        loop(theta[i], Scaled(factors[i], x), coefficients)


def in_rows_1(worker: int, workers: int, factors: Any, x: Any, theta: Any, s: Any, coefficients: Any) -> None:
    """Run ``loop``, of a rule with one state."""
    for i in range(worker * factors.size // workers, (worker + 1) * factors.size // workers):
        loop(theta[i], Scaled(factors[i], x), s[i], coefficients)


def in_rows_2(
    worker: int, workers: int, factors: Any, x: Any, theta: Any, s: Any, u: Any, coefficients: Any
) -> None:
    """Run ``loop``, of a rule with two states."""
    for i in range(worker * factors.size // workers, (worker + 1) * factors.size // workers):
        loop(theta[i], Scaled(factors[i], x), s[i], u[i], coefficients)


def in_rows_3(
    worker: int, workers: int, factors: Any, x: Any, theta: Any, s: Any, u: Any, w: Any, coefficients: Any
) -> None:
    """Run ``loop``, of a rule with three states."""
    for i in range(worker * factors.size // workers, (worker + 1) * factors.size // workers):
        loop(theta[i], Scaled(factors[i], x), s[i], u[i], w[i], coefficients)


_IN_ROWS = (in_rows_0, in_rows_1, in_rows_2, in_rows_3)


def by_rows(update: Any, entries: int) -> tuple[Team, int] | None:
    """Return what updates row by row with an outer product in the place of a rule's loop, and how many workers it has.

    None where there is none. Where a rule takes roots, which last longer than to move an entry, several workers pay for
    fewer entries.
    """
    for rule in rules.values():
        if update is not None and update in (rule.cpu, rule.parallel) and rule.states < len(_IN_ROWS):
            least = PARALLEL_FROM // 4 if rule.takes_roots else PARALLEL_FROM
            return _team(rule.cpu), workers_for(entries, least)
    return None


class _InRows(Loop):
    """One of the loops above, which Numba compiles when it knows how an entry of ``Scaled`` is worked out."""

    def _compile(self) -> Any:
        _teach_numba()
        return super()._compile()


@cache
def _team(serial: Loop) -> Team:
    states = serial.function.__code__.co_argcount - 3  # type: ignore[attr-defined]
    return Team(_InRows(_IN_ROWS[states], loop=Loop(serial.function, inlined=True)))


@cache
def _teach_numba() -> None:
    """Let Numba know how an entry of ``Scaled`` is worked out."""
    if numba() is None:
        return
    from numba import types
    from numba.extending import overload

    @overload(operator.getitem)  # type: ignore[untyped-decorator]
    def entry(array, i):  # type: ignore[no-untyped-def] # Numba compares these with the lambda's
        if isinstance(array, types.NamedTuple) and array.instance_class is Scaled:
            return lambda array, i: array.factor * array.row[i]
        return None


_IN_PIECES = (in_pieces_0, in_pieces_1, in_pieces_2, in_pieces_3)


def _but_for_float16(rule: str, reference: Callable[..., None]) -> Callable[..., None]:
    @wraps(reference)
    def update(theta: Any, *arrays: Any) -> None:
        if theta.dtype == np.float16:
            raise TypeError(
                f"{rule}: in float16 an eps of 1e-8 and the squares of small gradients are 0, and a gradient of 0 "
                "makes NaN. Update float32 copies, as the optimizers do."
            )
        reference(theta, *arrays)

    return update


class UpdateRule(Kernel):
    """The kernel of an update rule, and what it takes.

    ``text`` is the checksum of the text that its loop was printed as; ``coefficients(settings, clip, l2, rate, t)``
    gives the numbers of step t = 1, 2, … in the loop's order, of which ``names`` are the names; ``states`` is how many
    arrays of state it takes, and ``takes_roots`` says whether its loop does.
    """

    __slots__ = ("coefficients", "names", "source", "states", "takes_roots", "text")

    text: str
    names: tuple[str, ...]
    coefficients: Callable[..., tuple[Any, ...]]
    source: str
    states: int
    takes_roots: bool


def update_rule(
    name: str,
    text: str,
    names: Sequence[str],
    reference: Callable[..., None],
    loop: Callable[..., None],
    coefficients: Callable[..., tuple[Any, ...]],
    source: str = "updates",
) -> UpdateRule:
    """Return a rule's kernel in all implementations, from its reference and its loop, and enter it in the registry.

    More than three arrays of state are not shared out among threads.
    """
    serial, states = Loop(loop), loop.__code__.co_argcount - 3
    parallel = None
    if states < len(_IN_PIECES):
        parallel = Loop(_IN_PIECES[states], parallel=True, loop=serial)
    rule = UpdateRule(name, _but_for_float16(name, reference), serial, _gpu(name, source), True, parallel)
    rule.text, rule.names, rule.coefficients = text, tuple(names), coefficients
    rule.source, rule.states, rule.takes_roots = source, states, "sqrt" in loop.__code__.co_names
    kernels[name] = rules[text] = rule
    return rule


rules: dict[str, UpdateRule] = {}
"""Every rule by its text."""
