"""The second target: the processor, by its loops' addresses.

The program runs once more, instruction by instruction, and what its kernels do is noted down: each loop with its
arrays. These arrays stay, so that a replay is a walk along a table of addresses (``minigrad_kernels.driver``), in which
Python does only what has no loop: products by BLAS, random numbers, an optimizer's coefficients. What does not lie
where it lay (the next batch) is a few words of the table. The loops are those of the eager step, and so are the bits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from minigrad_kernels import driver, entrywise
from minigrad_kernels.launch import Host, Loop, has_numba, noted
from minigrad_kernels.loops import called_by, scratch_noted

from minigrad.program import passes, source
from minigrad.program.functions import (
    Check,
    Function,
    InPlace,
    Method,
    OfKernel,
    literal,
    written,
)
from minigrad.program.instructions import Instruction, Listing, Value, arrays_of, mapped, values
from minigrad.program.lines import alone, as_step, as_steps, into, is_noted
from minigrad.program.memory import Block
from minigrad.program.passes.chain import OfChain, unstretched
from minigrad.program.passes.common import is_pure
from minigrad.program.passes.stage import after
from minigrad.program.steps import Step, is_ahead, is_one_piece, root_of, updated_by_rows
from minigrad.program.tables import Tables
from minigrad.program.updating import Coefficients

_CONSTANT = frozenset({"np.ones_like", "np.zeros_like"})
"""Functions whose results are the same in every step."""


def is_possible(given: Sequence[Any]) -> bool:
    """Tell whether what a program is given lies so that its addresses say all: in one piece, and there is Numba."""
    return has_numba() and all(each.flags.c_contiguous for each in given if isinstance(each, np.ndarray))


class Native:
    """A listing made ready for the processor, with ``given`` as the first arrays; ``first`` is what it kept of them."""

    def __init__(self, listing: Listing, given: Sequence[Any]) -> None:
        self.lines: list[str] = []
        self._read: dict[str, str] = {}  # what is read in the place of a line whose formula is closed
        self.scope: dict[str, Any] = {
            "drive": driver.driver(),
            "fail": _fail,
            "whole": root_of,
            **source.scope(listing),
        }
        self._last = list(given)
        self.tables = Tables(given)
        self._views: dict[int, list[tuple[str, int, Any]]] = defaultdict(list)
        self._roots = {id(root_of(each)): each for each in given if isinstance(each, np.ndarray)}
        self._roots_of_given = frozenset(self._roots)
        self.env: dict[Value, Any] = {}  # the array, or the object, of each value
        self._constants: set[Value] = set()
        self._numbers: set[Value] = set()  # those that are NumPy's scalars in the step
        self._steps: list[Step] = []
        for value, each in zip(listing.given, given, strict=True):
            self._bind(value, each)
        listing = after(listing, passes.ON_PROCESSOR)
        with called_by(driver.call), noted() as calls, scratch_noted() as scratch:
            between: list[tuple[str, Any]] = []
            for instruction in listing.instructions:
                before = len(self._steps)
                self._do(instruction, calls)
                for step in self._steps[before:]:
                    step.closed = instruction.closed
                between += [(f"in {instruction.name}", each) for each in scratch[len(between) :]]
        kept = [self.env[value] for value in listing.kept]
        self.first = tuple(
            eval(self._kept(value), {value.name: each})
            for value, each in zip(listing.kept, kept, strict=True)
        )
        self._steps = steps = updated_by_rows(self._steps, kept)
        self.host = [step.ahead for step in steps if step.ahead is not None]
        self.is_whole = all(step.is_for_table or step.ahead for step in steps) and is_one_piece(steps)
        self.block = self._settle(listing, between, kept)
        self._write(steps)
        self.lines.append(f"return ({''.join(f'{self._kept(value)}, ' for value in listing.kept)})")
        exec(compile(_function(self.lines), "<native program>", "exec"), self.scope)
        self.text = _function([self._read.get(line, line) for line in self.lines])
        self._replay = self.scope["replay"]
        self.scope.update(self.tables.finish())
        used = self._replay.__code__.co_names
        self._views = {k: [view for view in views if view[0] in used] for k, views in self._views.items()}

    def run(self, given: Sequence[Any]) -> tuple[Any, ...]:
        """Replay the program; return what it keeps."""
        last = self._last
        for k, each in enumerate(given):
            if each is not last[k]:
                self._hold(k, each)
        values: tuple[Any, ...] = self._replay()
        return values

    def _hold(self, k: int, each: Any) -> None:
        """Let another array be the k-th that is given, as soon as the driver's first row has looked where it lies."""
        self._last[k] = None  # until all is done: who is interrupted begins anew
        self.tables.hold(k, each)
        for name, offset, like in self._views.get(k, ()):
            if like is None:
                self.scope[name] = each
            else:
                self.scope[name] = np.ndarray(like.shape, like.dtype, each, offset, like.strides)
        self._last[k] = each

    # -- for many rounds at once --------------------------------------------------------------------------

    def take(self, given: Sequence[Any]) -> None:
        """Let the program work on these arrays."""
        for k, each in enumerate(given):
            if each is not self._last[k]:
                self._hold(k, each)
        self.tables.place()

    def take_one(self, k: int, each: Any) -> None:
        """Let the program work on another array in the place of the k-th that it is given."""
        self._hold(k, each)
        self.tables.place()

    def forget(self, places: Sequence[int]) -> None:
        """Forget on which arrays it worked here, since their words were changed."""
        for k in places:
            self._last[k] = None

    def _settle(self, listing: Listing, between: Sequence[tuple[str, Any]], kept: Sequence[Any]) -> Block:
        """Let the arrays that each replay makes anew lie in one block, where those take turns whose lives do not meet.

        What comes from the host, coefficients and random numbers, has a place of its own: it may be worked out ahead.
        """
        names: dict[int, tuple[str, Any]] = {}
        staying = {id(root_of(self.env[value])) for value in self._constants}
        for instruction in listing.instructions:
            for value in instruction.makes:
                found = self.env[value]
                if not isinstance(found, np.ndarray):
                    continue
                if isinstance(instruction.function, (Method, Coefficients)):
                    staying.add(id(root_of(found)))
                elif found.nbytes and id(root_of(found)) not in self._roots_of_given:
                    names.setdefault(id(root_of(found)), (value.name, root_of(found)))
        names |= {id(each): (f"{name}, {k}", each) for k, (name, each) in enumerate(between) if each.nbytes}
        arrays = {name: root for at, (name, root) in names.items() if at not in staying}
        block = Block(self._steps, arrays, kept)
        for step in self._steps:
            step.arguments = tuple(map(block.moved, step.arguments))
        self.env.update({value: block.moved(each) for value, each in self.env.items()})
        self.scope.update({name: block.moved(each) for name, each in self.scope.items()})
        self._roots.clear()  # which would keep the arrays that are not needed any more
        return block

    # -- making it ready ----------------------------------------------------------------------------------

    def _do(self, instruction: Instruction, calls: list[Any]) -> None:
        """Run an instruction, and let the replay do the same."""
        function = instruction.function
        args, options = self._real(instruction.arguments), self._real(instruction.options)
        calls.clear()
        fixed = all(isinstance(self.env[value], np.ndarray) for value in instruction.reads)
        if isinstance(function, OfChain):
            operands = [unstretched(each) for each in args] if fixed else []
            if fixed and all(each.flags.c_contiguous for each in operands):
                self._do_chain(function, operands)
            else:
                for part in function.parts:
                    self._do(part, calls)
        elif fixed and isinstance(function, OfKernel) and is_noted(function, args, options):
            if any(value in self.env for value in instruction.makes):  # it gives back what it was given
                if instruction.arguments[0] not in self._constants:
                    options = {**options, "out": self._real(instruction.result)}
            elif function.name == "softmax_xent_mean_forward_backward":
                options = {**options, "out": (np.empty((), args[0].dtype), None)}
            result = function.kernel(*args, **options)
            self.scope.update({what.name: what.plain for what, _ in calls if isinstance(what, Host)})
            self._steps += [as_step(*call) for call in calls]
            self._bind_all(instruction.result, result)
        elif isinstance(function, Check) and fixed and args[0].flags.c_contiguous:
            function.run(*args)
            self._steps.append(Step(entrywise.none, (args[0].reshape(-1),)))
        else:
            self._by_python(instruction, function, args, options, fixed)

    def _do_chain(self, function: OfChain, args: Sequence[Any]) -> None:
        chain, numbers = function.chain()
        made = [np.empty(chain.shape, value.dtype) for value in function.made]
        arrays = (*args, *numbers, *made)
        chain(*arrays)
        self._steps.append(Step(chain, arrays))
        for value, each in zip(function.made, made, strict=True):
            self._bind(value, each)

    def _by_python(
        self, instruction: Instruction, function: Function, args: Any, options: Any, fixed: bool
    ) -> None:
        """Run anything else; ``fixed`` says that all values that it reads are arrays, and no numbers that change."""
        result = function.run(*args, **options)
        if fixed and isinstance(result, np.generic) and isinstance(instruction.result, Value):
            self._numbers.add(instruction.result)
            result = np.array(result)  # which a loop can write into
        made = list(instruction.makes)
        if not made and fixed and (steps := as_steps(function, args, options, None)) is not None:
            self._steps += steps
        elif isinstance(function, InPlace):
            # as a function: a statement would make a local variable of its left side
            self.scope[name := f"i{function.run.__name__.lstrip('i')}"] = function.run
            self._line(instruction, f"{name}({written(instruction.arguments, {})})")
        elif not made:
            self._line(instruction, instruction.code())
        elif isinstance(instruction.result, Value):
            value = instruction.result
            is_view = isinstance(result, np.ndarray) and id(root_of(result)) in self._roots
            self._bind(value, result)
            if self._is_constant(instruction):
                self._constants.add(value)
            elif is_view:
                pass  # of what stays where it is
            elif fixed and (steps := as_steps(function, args, options, result)) is not None:
                self._steps += steps
            elif fixed and (step := alone(instruction, self.env, result)) is not None:
                self._steps.append(step)
            elif isinstance(result, np.ndarray) and not result.flags.writeable:
                # stretched from fewer numbers
                self.scope[whole := f"{value.name}_whole"] = root_of(result)
                call = function.text(instruction.arguments, instruction.options)
                self._line(instruction, f"{whole}[...] = whole({call})")
            else:
                self._line(instruction, into(instruction, function, args, result))
        else:
            parts = instruction.result
            views = [isinstance(each, np.ndarray) and id(root_of(each)) in self._roots for each in result]
            self._bind_all(parts, result)
            self._line(instruction, f"parts = {function.text(instruction.arguments, instruction.options)}")
            for k, (value, is_view) in enumerate(zip(parts, views, strict=True)):
                if isinstance(value, Value) and not is_view:
                    target = f"{value.name}[...]" if isinstance(result[k], np.ndarray) else value.name
                    self._line(instruction, f"{target} = parts[{k}]")

    def _is_constant(self, instruction: Instruction) -> bool:
        """Tell whether what an instruction makes is the same in every step: made of numbers that are, or of shapes."""
        if not is_pure(instruction):
            return False
        return instruction.function.name in _CONSTANT or all(v in self._constants for v in instruction.reads)

    def _write(self, steps: Sequence[Step]) -> None:
        """Write the lines of the replay: a table of the loops that come one after another, and what is between them."""
        table: list[Step] = []
        for step in steps:
            if step.is_for_table:
                table.append(step)
                continue
            self._write_table(table)
            table = []
            if isinstance(step.what, str):
                self.lines.append(step.what)
                continue
            name = step.what.name if isinstance(step.what, Host) else f"loop_{len(self.scope)}"
            if isinstance(step.what, Loop):
                self.scope[name] = step.what.dispatcher
            self.lines.append(f"{name}({', '.join(map(self._named, step.arguments))})")
        self._write_table(table)
        # Ctrl-C is met behind a call: so it finds counts and parameters all as they were, or all changed
        last = max((k for k, line in enumerate(self.lines) if line.startswith("drive(")), default=0)
        if all(line.endswith(".t += 1") for line in self.lines[last + 1 :]):
            self.lines[last:] = [*self.lines[last + 1 :], *self.lines[last : last + 1]]

    def _write_table(self, steps: Sequence[Step]) -> None:
        if not steps:
            return
        name = f"table_{len(self.scope)}"
        count = self.tables.add(name, steps)
        self.scope[name] = 0  # where it lies is known when all are there
        self.lines.append(f"drive({name}, {count}) < 0 or fail()  # {', '.join(map(repr, steps))}")

    def _line(self, instruction: Instruction, line: str) -> None:
        if instruction.closed is not None:
            self._read[line] = instruction.text()
        arrays = tuple(self.env[value] for value in (*instruction.reads, *instruction.makes))
        self._steps.append(Step(line, arrays, instruction if is_ahead(instruction) else None))

    # -- arrays and their names ---------------------------------------------------------------------------

    def _real(self, structure: Any) -> Any:
        return mapped(structure, lambda x: self.env[x] if isinstance(x, Value) else x)

    def _bind_all(self, result: Any, found: Any) -> None:
        for value, each in zip(values(result), arrays_of(result, found), strict=True):
            self._bind(value, each)

    def _bind(self, value: Value, found: Any) -> None:
        """Let a value's name stand for what was found."""
        self.env[value] = found
        if isinstance(found, np.ndarray):
            self._roots.setdefault(id(root_of(found)), found)
        self._keep(value.name, found)

    def _keep(self, name: str, found: Any) -> None:
        self.scope[name] = found
        for k, each in enumerate(self._last):
            if each is found:
                self._views[k].append((name, 0, None))
                return
        if isinstance(found, np.ndarray) and (place := self.tables.of_given(found)):
            self._views[place[0]].append((name, place[1], found))

    def _named(self, argument: Any) -> str:
        if not isinstance(argument, (np.ndarray, np.generic)):
            return literal(argument)
        name = f"a{len(self.scope)}"
        self._keep(name, argument)
        return name

    def _kept(self, value: Value) -> str:
        """Return what is handed back: a copy of what the next replay will write into."""
        if not self.is_own(self.env[value]):
            return value.name
        return f"{value.name}[()]" if value in self._numbers else f"{value.name}.copy()"

    def is_own(self, found: Any) -> bool:
        """Tell whether this is an array of the program's own, into which the next replay will write."""
        return isinstance(found, np.ndarray) and not self.tables.of_given(found)


def _function(lines: Sequence[str]) -> str:
    return "def replay():\n" + "\n".join(f"    {line}" for line in lines) + "\n"


def _fail() -> None:
    raise ValueError("a loop met an index that is outside of its array, or a number that a check refuses")
