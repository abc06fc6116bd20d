"""What is said where a step cannot be compiled, or is another than the one that was."""

from __future__ import annotations

from typing import Any

from minigrad.source import SourceLocation

_ASKED = {
    "if": "a decision (if, while, and, or, assert) was to be made by the numbers of",
    "print": "the numbers of",
    "float": "float() was to make a Python number of",
    "int": "int() was to make a Python number of",
    "index": "an index was to be taken from the numbers of",
    "numpy": "the bare numbers (.item(), .numpy(), print) were asked of",
    "np.asarray": "a bare NumPy array was to be made of",
}


def data_dependent(node: Any, how: str, location: SourceLocation) -> str:
    """MG-630: the numbers of a traced array are asked for inside the step."""
    asked = _ASKED.get(how, f"{how} was asked of")
    return (
        f"{location}: {asked} '{node.name}' ({node.described}) inside a compiled step. The step is traced once and "
        "then replayed without Python, which would see the numbers of the first call alone. Return it and look at it "
        "outside: loss = step(x, y); print(float(loss)). A choice between numbers is np.where(condition, a, b)."
    )


def leaked(how: str) -> str:
    """MG-631: what stood for an array in a trace is used after it."""
    return (
        f"{how} on an array of a compiled step that was kept after the step, where it stands for no numbers any more. "
        "Return what is needed outside: return loss, logits."
    )


def into_bare(name: str, target: Any) -> str:
    """MG-632: a result is to be written into a bare array."""
    return (
        f"{name} would write a result of the compiled step into a bare array of shape {getattr(target, 'shape', ())} "
        "that the step does not follow. Return the result, or keep the array in a mg.Tensor or an nn.Buffer."
    )


def on_device(name: str, array: Any, where: str, other: str) -> str:
    """MG-637: an array of a library that no program is made for, or on a second GPU."""
    what = f"is a {type(array).__module__.partition('.')[0]} array on {where}"
    if other not in ("cpu", where):
        what = f"is on {where}, others are on {other}"
    return (
        f"'{name}' {what}, and mg.compile makes programs for NumPy's arrays and for CuPy's on one GPU. Call the step "
        "itself, without mg.compile, or move model and data: .to('cpu')."
    )


def not_captured(instruction: Any, where: str, error: BaseException) -> str:
    """MG-659: something that no CUDA graph can hold."""
    return (
        f"{instruction.text()}, from {where}, cannot be captured into a CUDA graph: {type(error).__name__}: "
        f"{str(error)[:200]}. A graph holds what needs no answer from the device and no library that allocates "
        "(a selection by a mask, a decomposition, a product of integers would). Everything is as it was before this "
        "step. Leave this out of the step, write it otherwise (np.where in the place of a mask), or call the step "
        "without mg.compile."
    )


def frozen(name: str, instruction: Any, where: str) -> str:
    """MG-660: a number that would travel with a launch, and stay what it was when the graph was captured."""
    return (
        f"{instruction.text()}, from {where}, hands the number '{name}' to a kernel, whose launch a CUDA graph would "
        "repeat with the number of the first call. Let the step read it from a variable or an attribute, where another "
        "number makes another program, or give it as a whole number or a text."
    )


def frozen_formula(kind: str, why: str) -> str:
    """MG-660: an optimizer on a GPU whose formula runs as it stands, with rate and count of steps as numbers."""
    return (
        f"{kind} has no kernel here ({why or 'fast=False'}), so its rate and its count of steps would travel with each "
        "launch, and a CUDA graph would repeat those of the first call. Call the step itself, without mg.compile, or "
        "use an optimizer with a kernel."
    )


def caught(error: BaseException) -> str:
    """MG-639: an exception was caught inside the step."""
    return (
        f"{type(error).__name__} ({str(error)[:80]}) was raised and caught inside a compiled step, which then went "
        "another way by the numbers of this call alone. Decide before the step, or by np.where."
    )


def drawn(rng: Any) -> str:
    """MG-633: random numbers were drawn that a replay would not draw."""
    return (
        f"the step draws from a generator ({type(rng.bit_generator).__name__}) by itself, and a replayed step would "
        "use the numbers of the first call again. Draw before the step and pass them as an argument, "
        "step(x, y, rng.random(x.shape, dtype='float32')), or use nn.Dropout, whose numbers are drawn anew."
    )


def side_effect(name: str, what: str) -> str:
    """MG-636: the step changes something that a replay will not change."""
    return (
        f"a compiled step changes '{name}', which {what}. Replays run no Python, so this happened in this call alone. "
        "Do it outside the step, with what the step returns."
    )


def too_many(name: str, limit: int, cases: list[str], new: str) -> str:
    """MG-634: more programs than the limit."""
    known = "\n  ".join(cases)
    return (
        f"{name} would need program number {limit + 1}: {new}. There are programs for\n  {known}\n"
        "Where batches differ in size, leave the last one out, DataLoader(..., drop_last=True), or pad them; "
        f"where all of these are meant, mg.compile(step, programs={2 * limit})."
    )


def no_program(name: str) -> str:
    """MG-640: nothing was traced yet."""
    return f"{name} has no program before its first call: call it once, {name}(x, y), and look then."


def differs(name: str, what: str, worst: str, instruction: str) -> str:
    """MG-635: the replayed step gave other numbers than the eager one."""
    return (
        f"{name}: {what} differs between the program and the eager step: {worst}. {instruction} "
        "Everything is as it was before this step. The step depends on something that the program does not see; make "
        "it an argument of the step, or leave this step eager."
    )


def no_numpy(name: str) -> str:
    """MG-638: a step that no file of NumPy alone can hold."""
    return (
        f"{name} has no update rule that could be written out in NumPy, so the step cannot be saved as a file. "
        "optimizer.no_kernel says why; save a step with another optimizer, or the model: model.state_dict()."
    )


def closed(formula: str, why: str, into: str) -> str:
    """MG-650: a formula that is kept from readers would have to be written out."""
    return (
        f"{formula} is closed {why}, so it is not written into {into}. The step itself runs as before, with the same "
        "numbers, and print(step.program) shows all of it that may be read. A minigrad with all of its texts writes it."
    )


def closed_instruction(instruction: Any, where: str, into: str) -> str:
    """MG-650: the same, of an instruction."""
    return closed(f"{instruction.name} ({where})", instruction.closed.why, into)


def no_javascript(instruction: Any, what: str, where: str) -> str:
    """MG-670: an instruction that no page can run."""
    reads = ", ".join(f"{value.name}: {value.described}" for value in instruction.reads)
    return (
        f"{instruction.text():.200} ({where}) has no function in JavaScript{f': {what}' if what else ''}. "
        f"It is given {reads or 'no array'}. "
        "The page of this step shows what was recorded, and its numbers cannot be changed. Record it without this "
        "operation to have a live one."
    )
