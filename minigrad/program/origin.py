"""Where an instruction comes from: the phase of the step, the user's line, and what nobody is to read of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import FrameType

from minigrad.operation import apply
from minigrad.program.closed import Closed
from minigrad.program.instructions import Phase, Value
from minigrad.records import Record
from minigrad.source import SourceLocation, is_internal, sealed_in
from minigrad.tape import walk


def origin(
    frame: FrameType, closed_before: Mapping[Value, Closed]
) -> tuple[Phase, SourceLocation, Closed | None]:
    """Tell for a frame in which phase the step is, for which line of the user's program it works, what it closes.

    In the backward walk the line is that of the operation whose rule runs. Closed is what runs in a module that keeps
    its texts from readers, and the rules of what has run there (``closed_before``), which would say what that was.
    """
    phase: Phase = "forward"
    location: SourceLocation | None = None
    closed = _closed(frame)
    while is_internal(frame.f_code.co_filename) and frame.f_back is not None:
        code = frame.f_code
        if code is _CONTRIBUTIONS:
            phase = "backward"
            if location is None:
                record: Record = frame.f_locals["self"]
                location = record.location
                before = closed_before.get(getattr(record.value, "node", None))  # type: ignore[arg-type]
                if found := before or closed:
                    name = before.name if before else record.operation.name
                    closed = Closed(f"{name}.rule", found.why)
        elif code is _APPLY and closed and location is None:
            closed = Closed(frame.f_locals["operation"].name, closed.why)
        elif code is _WALK and phase == "forward":
            phase = "backward"
        elif code.co_name == "step" and code.co_filename.endswith("optimizer.py"):
            phase = "update"
        frame = frame.f_back
        if location is None:  # behind a rule comes the walk, which tells nothing of it
            closed = _closed(frame) or closed
    return phase, location or SourceLocation(frame.f_code, frame.f_lasti), closed


def _closed(frame: FrameType) -> Closed | None:
    """Return what a frame closes, by the name of its function or its module; None where it may be read."""
    why = sealed_in(frame.f_globals)
    if not why:
        return None
    name = frame.f_code.co_qualname
    return Closed(str(frame.f_globals.get("__name__")).rpartition(".")[2] if "<" in name else name, why)


_CONTRIBUTIONS, _WALK, _APPLY = Record.contributions.__code__, walk.__code__, apply.__code__
