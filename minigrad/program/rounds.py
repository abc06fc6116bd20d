"""Many rounds of a program in one call of the driver, where Python has nothing to do between them.

That is so where all of the step is loops, but for what can be worked out ahead: an optimizer's coefficients and a
generator's numbers, of which each round has a row of its own. A row of results is each round's, too. A loss that is NaN
or infinite ends the rounds, so that it is told when it comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from minigrad_kernels import driver, rounds
from minigrad_kernels.loops import Loop

from minigrad.optim.schedules import Schedule
from minigrad.program.batches import Ahead
from minigrad.program.effects import Arrived, LeftGradient, NoGradients, Written
from minigrad.program.functions import Method
from minigrad.program.instructions import Instruction, Value
from minigrad.program.results import filled
from minigrad.program.sources import Argument
from minigrad.program.updating import Advance, Coefficients

if TYPE_CHECKING:
    from minigrad.program.native import Native
    from minigrad.program.program import Program

MOST_BYTES = 1 << 25
"""What the rows of all rounds of one call may take, of results, coefficients and random numbers."""


class Rounds:
    """A program whose rounds can follow each other; see ``of``."""

    def __init__(self, program: Program, native: Native) -> None:
        self.program, self.native, env = program, native, native.env
        self.leaves = [(i, each.k) for i, each in enumerate(program.read_from) if isinstance(each, Argument)]
        self.updates = [each for each in native.host if isinstance(each.function, Coefficients)]
        self.draws = [each for each in native.host if isinstance(each.function, Method)]
        counted = [each for each in native.host if isinstance(each.function, Advance)]
        self.optimizers = [env[each.arguments[0]] for each in counted]
        self.results = program.listing.kept
        self._kept: list[Any] = []  # words, and the arrays that they are of, which have to stay
        self._keep = [self._row(rounds.keep, flat(env[v]), flat(env[v])) for v in self.results]
        losses = [each.value for each in program.effects if isinstance(each, Arrived)]
        self._watch = [self._row(rounds.watch, flat(env[v])) for v in losses]
        made = [*self.results, *(each.result for each in (*self.updates, *self.draws))]
        each_round = sum(env[value].nbytes for value in made) + 8 * (len(made) + len(self.leaves))
        self.most = max(1, MOST_BYTES // each_round)

    def _row(self, loop: Loop, *arrays: Any) -> tuple[tuple[int, int], Any]:
        """Return a line of the table, and its words."""
        words = np.array([0, *(word for each in arrays for word in driver.words_of(each))], np.int64)
        self._kept.append((words, arrays))
        kinds = tuple(kind for each in arrays if (kind := driver.kind_of(each)) is not None)
        return (driver.entry(loop, kinds).address, driver.address_of(words)), words

    def run(self, ahead: Ahead, leaves: Sequence[Any]) -> tuple[int, Sequence[Any]]:
        """Run rounds on the batches that are known; return how many were run, and what each returned.

        Before a round that raises, or whose rate does, they end: it is for somebody else, who says why.
        """
        kept, moves, done = len(self._kept), Moves(), np.zeros(1, np.int64)
        counts = [(optimizer, optimizer.t) for optimizer in self.optimizers]
        states = [(rng, rng.bit_generator.state) for rng in self._by_generator()]

        def settle() -> None:
            """Leave all as the rounds that are done have left it."""
            moves.put_back()
            self.native.forget([i for i, _ in self.leaves])
            del self._kept[kept:]
            for optimizer, count in counts:
                optimizer.t = count + int(done[0])
            for rng, state in states if moves.rounds != done[0] else ():  # drawn for others too
                rng.bit_generator.state = state
                rng.random((int(done[0]), self._drawn_in_a_round(rng)), dtype=np.float32)

        try:
            returned = self._run(ahead, leaves, moves, counts, done)
        finally:  # Ctrl-C may come anywhere, most likely when the driver is back, and here too
            try:
                settle()
            except KeyboardInterrupt:
                settle()
                raise
        n = int(done[0])
        if n:
            # not from where each round has them: one that failed has been there since
            arrays = {value: rows[n - 1, ...].copy() for value, rows in returned.items()}
            for effect in self.program.effects:
                effect.happen(arrays)
        return n, Returned(self.program.tree, returned, n)

    def _run(
        self, ahead: Ahead, leaves: Sequence[Any], moves: Moves, counts: Any, done: Any
    ) -> dict[Value, Any]:
        native, env = self.native, self.native.env
        given = self.program.read(leaves)
        numbers = [self._numbers(each, ahead.count, counts) for each in self.updates]
        n = min([ahead.count, *(len(rows) for rows in numbers)])
        returned = {value: np.empty((n, *env[value].shape), env[value].dtype) for value in self.results}
        if not n:
            return returned
        native.take(given)
        gathers = [self._move(moves, i, k, given[i], ahead) for i, k in self.leaves]
        for instruction, rows in [*zip(self.updates, numbers, strict=True), *self._drawn(n)]:
            moves.add(native.tables.places_of(env[instruction.result]), rows)
        for rows, (_, words) in zip(returned.values(), self._keep, strict=True):
            moves.add([(words, 3, 0)], rows)  # behind the status, and address and length of what is kept
        moves.rounds = n
        own = [row for row in gathers if row] + native.tables.rows + [row for row, _ in self._keep]
        table = np.array(own + [row for row, _ in self._watch], np.int64)
        rounds.run_rounds(table, len(own), moves.places(), moves.columns(n), done)
        return returned

    def _move(self, moves: Moves, i: int, k: int, like: Any, ahead: Ahead) -> Any:
        """Let each round find its k-th argument, i-th of what is given; return the call that fetches it, if any."""
        rows = ahead.rows[k]
        if rows is None:
            moves.add_addresses(self.native.tables.places_of_given(i), ahead.addresses[k])
            return None
        batch = np.empty_like(like)
        self.native.take_one(i, batch)
        chosen = np.empty(len(batch), np.int64)  # whose address each round has its own of
        line, words = self._row(rounds.gather, rows, chosen, rounds.as_words(batch, rows.dtype))
        moves.add_addresses([(words, 4, 0)], ahead.addresses[k])
        return line

    def _numbers(self, instruction: Instruction, n: int, counts: Sequence[tuple[Any, int]]) -> Any:
        """Return an optimizer's coefficients for the next rounds, a row for each, up to one that cannot be told."""
        function, (of, clip, dtype) = instruction.function, instruction.arguments
        assert isinstance(function, Coefficients)
        optimizer, shape = self.native.env[of], self.native.env[instruction.result].shape
        found: list[Any] = []
        try:
            if function.is_constant(optimizer):
                return np.broadcast_to(np.array(function.numbers(optimizer, clip), dtype), (n, *shape))
            for k in range(n):
                for each, count in counts:
                    each.t = count + k
                found.append(function.numbers(optimizer, clip))
        except Exception:
            pass  # what is wrong is said when its round comes
        finally:
            for each, count in counts:
                each.t = count
        return np.array(found, dtype).reshape(len(found), *shape)

    # -- random numbers -----------------------------------------------------------------------------------

    def _drawn(self, n: int) -> Iterator[tuple[Instruction, Any]]:
        """Draw for n rounds: as many numbers at once as those would draw one after another, which are the same."""
        for rng, draws in self._by_generator().items():
            drawn = rng.random((n, self._drawn_in_a_round(rng)), dtype=np.float32)
            begin = 0
            for each in draws:
                end = begin + self.native.env[each.result].size
                yield each, drawn[:, begin:end]
                begin = end

    def _drawn_in_a_round(self, rng: np.random.Generator) -> int:
        return sum(self.native.env[each.result].size for each in self._by_generator()[rng])

    def _by_generator(self) -> dict[np.random.Generator, list[Instruction]]:
        found: dict[np.random.Generator, list[Instruction]] = {}
        for each in self.draws:
            found.setdefault(self.native.env[each.arguments[0]], []).append(each)
        return found


class Moves:
    """What the words of a table's loops are before each of so many rounds."""

    def __init__(self) -> None:
        self.rounds = -1  # not known yet
        self._places: list[tuple[int, int, int]] = []
        self._columns: list[Any] = []
        self._before: list[tuple[Any, int, int]] = []
        self._rows: list[Any] = []  # which have to stay

    def add(self, places: Sequence[tuple[Any, int, int]], rows: Any) -> None:
        """Let the words at these places say where this round's row lies, or so many bytes behind."""
        self._rows.append(rows)
        self.add_addresses(places, driver.address_of(rows) + np.arange(len(rows)) * rows.strides[0])

    def add_addresses(self, places: Sequence[tuple[Any, int, int]], addresses: Any) -> None:
        """The same, of arrays that somebody else keeps."""
        for words, position, offset in places:
            self._before.append((words, position, words[position]))
            self._places.append((driver.address_of(words) + 8 * position, len(self._columns), offset))
        self._columns.append(addresses)

    def places(self) -> Any:
        """Return the address of each word, which column it is set from, and what is added."""
        return np.array(self._places, np.int64).reshape(-1, 3)

    def columns(self, n: int) -> Any:
        """Return the columns, one number for each of n rounds."""
        return np.array([each[:n] for each in self._columns], np.int64).reshape(-1, n)

    def put_back(self) -> None:
        """Let the words be what they were."""
        for words, position, before in self._before:
            words[position] = before


class Returned(Sequence[Any]):
    """What some rounds have returned, each made when it is asked for."""

    def __init__(self, tree: Any, rows: dict[Value, Any], count: int) -> None:
        self._tree, self._rows, self._count = tree, rows, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(self._count))]
        k = range(self._count)[i]
        return filled(self._tree, {value: rows[k, ...] for value, rows in self._rows.items()})


def of(program: Program, native: Native) -> Rounds | None:
    """Return a program's rounds, where one can follow the other without Python in between."""
    env = native.env
    quiet = (NoGradients, Written, Arrived)
    still = all(
        isinstance(each, quiet) or (isinstance(each, LeftGradient) and not each.adds)
        for each in program.effects
    )
    if not (native.is_whole and still) or program.undo.arrays:
        return None
    kept = program.listing.kept
    if not all(native.is_own(env[value]) and driver.kind_of(flat(env[value])) for value in kept):
        return None
    optimizers = [env[each.arguments[0]] for each in native.host if isinstance(each.function, Advance)]
    if any(callable(each.lr) and not isinstance(each.lr, Schedule) for each in optimizers):
        return None  # a rate that may look at anything
    return Rounds(program, native)


def flat(array: Any) -> Any:
    """Return an array as one row."""
    return array.reshape(-1)
