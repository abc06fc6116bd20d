"""The longer messages of tensors and the tape: what is wrong, and what to write for each thing that may be meant."""

from __future__ import annotations

import sys
from typing import Any

from minigrad.source import is_internal

WRITES: dict[str, str] = {
    # how a tensor was written: what to do instead; {a} is its name
    "entry": "Instead of {a}[i] = value write a new tensor, {a} = np.where(mask, value, {a}), "
    "or write after backward().",
    "in place": "Write {a} = {a} + 1 instead of {a} += 1, or change it after backward().",
    "data": "Assign {a}.data after backward(), or compute the loss again with the new data.",
    "step": "opt.step() comes after every backward() that belongs to it. Two losses: call both backward(), then "
    "step(); or compute the second loss again, with the new weights.",
    "load": "Load the weights first, then compute the loss and call backward().",
}


def instead_of_write(version: Any, name: str | None) -> str:
    """Say what to do instead of the write that came between the forward pass and ``backward``."""
    return WRITES[getattr(version, "how", "") or "in place"].format(a=name or "a")


def unseen_write(label: str, name: str | None, leaf: bool) -> str:
    """Say that the graph cannot see an in-place write, and how to write the two things that may be meant."""
    a = name or ("w" if leaf else "a")
    update = (
        f"An update of a weight goes under 'with mg.no_grad():', {a} -= 0.1 * {a}.grad, or is opt.step()."
    )
    new = f"Write {a} = {a} + b, or {a} = np.where(mask, b, {a}) for some of its entries: a new tensor."
    why = f"an in-place write to {label}, where a gradient is required: backward() could not see it."
    return f"{why} {update}" if leaf else f"{why} {new}"


def class_ids(name: str, shape: tuple[int, ...]) -> str:
    """Say how labels of this shape become one class id a sample."""
    if len(shape) == 2 and shape[1] == 1:  # whose largest entry is always the first
        return f"write {name}.ravel() for the one number in each row"
    return f"write {name}.argmax(1) where each row is one-hot or holds scores"


def outgrown(function: str, shape: tuple[int, ...], result: tuple[int, ...]) -> str:
    """Say that an operator in place would have changed a tensor's shape."""
    return f"{function} in place: a tensor of shape {shape} cannot take {result}. Write a = a + b, for a new tensor."


def no_leaf(label: str, name: str | None, location: object) -> str:
    """Say why the result of an operation has no ``.grad``, and how a loop of one's own updates a weight."""
    w = name or "w"
    return (
        f"{label} ({location}) is no leaf, so its .grad is None: only tensors that you made keep a gradient. A weight "
        f"stays one if it is updated in place: with mg.no_grad(): {w} -= 0.1 * {w}.grad, not {w} = {w} - …. To see the "
        f"gradient of a result in between, call {w}.retain_grad() before backward()."
    )


def no_gradient(label: str, name: str | None, shape: tuple[int, ...], value: Any) -> str:
    """Say that ``.grad`` was given what is no gradient, and how to forget one."""
    a = name or "t"
    return (
        f"{label} has shape {shape}, and so has its gradient; .grad was given {value!r}. "
        f"To forget the gradient write {a}.grad = None, {a}.zero_grad() or, in place, {a}.grad.zero_()."
    )


def into_an_array(function: str, label: str) -> str:
    """Say that a tensor with a graph was written into a bare array."""
    return (
        f"np.{function} writes {label}, which requires a gradient, into a bare NumPy array, which has no graph. "
        "Write y = a + t, a new tensor, instead of a += t; or t.numpy() where the numbers alone are meant."
    )


def stored(label: str) -> str:
    """Say that a tensor with a graph became an entry of a bare array."""
    return (
        f"a[…] = {label}, which requires a gradient: the array keeps the number and loses the graph. Where the number "
        "alone is meant, store float(t); where the graph is, collect the tensors in a list: np.stack([t0, t1])."
    )


def same_order(axes: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """Say that NumPy's ``transpose`` was asked to leave a matrix as it is."""
    return (
        f"transpose({axes[0]}, {axes[1]}) leaves this matrix of shape {shape} as it is: the numbers are the new order "
        "of the axes, as in NumPy. In PyTorch they are two axes that change places: write t.T or t.swapaxes(0, 1)."
    )


def another_library(kind: type) -> str:
    """Say that an operation on a Tensor came out as an array of somebody else's."""
    name = f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
    return (
        f"a {name} beside a minigrad Tensor: the result would be a {name}, without a graph here. "
        "Convert it first: mg.Tensor(other.numpy())."
    )


def no_operand(operation: str, name: str, value: Any) -> str:
    """Say that an operation was given what is no number, and where a None comes from."""
    what = "None" if value is None else f"{value!r:.40}, a {type(value).__name__}"
    hint = "Give a Tensor, an array or a number."
    if value is None:
        hint = "Is it a .grad before backward(), or what a function without 'return' gave?"
    return f"{operation} needs numbers; its input {name} is {what}. {hint}"


def many_truths(label: str, shape: tuple[int, ...]) -> str:
    """Say that many entries are neither true nor false together."""
    return (
        f"{label} has shape {shape}: each of its entries may be true or false, so 'if' and max(a, b) cannot tell. "
        "Write (t > 0).all() or (t > 0).any(); entry by entry np.where(t > 0, a, b), np.maximum(a, b)."
    )


def changed(record: Any, i: int, versioned: bool) -> str:
    """Say which value, an input or the result (-1), was written before ``backward``, and where."""
    written = record if i < 0 else record.inputs[i]
    version = written.version if versioned else None
    label = f"the result of {record.operation.name}" if i < 0 else getattr(written, "label", f"input {i}")
    where = f" ({version.location})" if version and version.location else ""
    name = None if i < 0 else getattr(written, "name", None)
    return (
        f"{label} was saved by {record.operation.name} ({record.location}) for its backward and then changed{where}. "
        f"The gradient would be that of other numbers. {instead_of_write(version, name)}"
    )


def consumed(walker: object) -> str:
    """Say that a graph was let go of, and by which line."""
    return (
        f"this graph was already consumed by backward() at {walker}. Most often the forward pass was not run again. "
        "Use retain_graph=True only to differentiate the same graph twice."
    )


def many_outputs(label: str, shape: tuple[int, ...]) -> str:
    """Say that ``backward`` starts from one number."""
    return (
        f"backward() needs one number to differentiate; {label} has shape {shape}. "
        f"Use .mean().backward(), or pass gradient= of shape {shape}."
    )


def many_differentiated(asked: str, label: str, shape: tuple[int, ...], function: str = "y") -> str:
    """Say that a gradient is of one number, and what is there for many: ``asked`` is ``gradients`` or ``grad``."""
    if asked == "gradients":
        fix = "With y the outputs: mg.gradients(y.sum(), inputs), or mg.gradients((y * v).sum(), inputs) for v·J"
    else:
        f = function if function.isidentifier() else "f"
        fix = (
            f"For each entry by itself: mg.grad(lambda *x: {f}(*x).sum()). For all of them: mg.jacobian({f})"
        )
    return f"{asked} needs one number to differentiate; {label} has shape {shape}. {fix}."


def wrong_shape(rule: Any, found: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """Say that a rule returned what cannot be its input's gradient."""
    return (
        f"rule {rule.name} ({rule.formula}) returned shape {found} for an input of "
        f"shape {shape}. A gradient has its input's shape, or the shape that it was broadcast to."
    )


def another_shape(label: str, shape: tuple[int, ...], grad: tuple[int, ...]) -> str:
    """Say that ``.grad`` was given what a gradient cannot be added to."""
    return (
        f"{label} has shape {shape}, and what was assigned to its .grad {grad}. "
        "Forget it before backward(): .grad = None."
    )


def no_graph(root: Any, recording: bool) -> str:
    """Say why ``root`` has no graph, by the leaves that the user's function can see."""
    found: dict[str, Any] = {}
    for name, x in _variables().items():
        parts = x.named_parameters() if hasattr(type(x), "named_parameters") else None
        if isinstance(parts, dict):  # of a model
            found |= {f"{name}.{key}": p for key, p in parts.items()}
        elif (
            hasattr(type(x), "label") and x is not root
        ):  # not another library's, beside which ours is compared
            found[x.name or name] = x
    leaves = {name: x for name, x in found.items() if x.is_leaf and x.dtype.kind == "f"}
    tracked = [name for name, x in leaves.items() if x.requires_grad]
    shapes = {name: str(x.shape) for name, x in leaves.items()}
    whole = [name for name, x in found.items() if x.is_leaf and x.requires_grad and x.dtype.kind != "f"]
    return _why_no_graph(root.label, shapes, tracked, whole, recording)


def _why_no_graph(
    label: str, leaves: dict[str, str], tracked: list[str], whole: list[str], recording: bool
) -> str:
    """Say why ``backward`` finds no graph: a forgotten ``requires_grad`` first, then what else it may be.

    ``leaves`` are the shapes of the float tensors in sight, ``tracked`` those that require a gradient, ``whole`` those
    that require one and hold integers.
    """
    start = f"{label} does not depend on any tensor that requires a gradient."
    if whole:
        w = whole[0]
        return f"{start} {w} holds integers, which have none: write {w} = mg.Tensor([1., 2.], requires_grad=True)."
    if tracked:
        one = len(tracked) == 1
        why = (
            f" {', '.join(tracked)} {'has' if one else 'have'} requires_grad=True, but the graph does not reach "
            f"{'it' if one else 'them'}: was requires_grad switched on after the loss was computed?"
        )
    else:
        seen = ", ".join(f"{name} {shape}" for name, shape in list(leaves.items())[:6])
        seen += ", …" if len(leaves) > 6 else ""
        why = " Was requires_grad=True forgotten?" + (
            f" None of the tensors here has it: {seen}." if seen else ""
        )
        why += " What is to be learnt has it from the start, w = mg.Tensor(…, requires_grad=True), or gets it by "
        why += "w.requires_grad_() before the loss is computed. It keeps it only in place: w -= 0.1 * w.grad, where "
        why += "w = w - … under mg.no_grad() is a new tensor without it."
    if not recording:
        return f"{start}{why} Nothing is recorded here: this is inside 'with mg.no_grad():'."
    return (
        f"{start}{why} Or was it computed inside 'with mg.no_grad():', or from .data, .numpy() or .detach()?"
    )


def _variables() -> dict[str, Any]:
    """Return what the user's function, the innermost that is running, holds under which name."""
    frame = sys._getframe(1)
    while is_internal(frame.f_code.co_filename) and (caller := frame.f_back) is not None:
        frame = caller
    return dict(frame.f_locals)


def no_floats(dtype: object) -> str:
    """Say that only floats have gradients."""
    return (
        f"requires_grad needs floats; got {dtype}. "
        "Write Tensor([1., 2., 3.], requires_grad=True), with decimal points, or pass dtype='float32'."
    )


def tensor_as_parameter(operation: str, name: str, tensor: str | None) -> str:
    """Say that a parameter of an operation has no gradient."""
    return (
        f"{operation} has no gradient rule for its parameter {name!r}, which is a Tensor here. "
        f"Give a number, or {name}={tensor or 'tensor'}.numpy() where no gradient is needed."
    )


def no_derivative_in(function: str, argument: str) -> str:
    """Say which argument of a special function has no gradient."""
    return (
        f"{function} has no gradient with respect to {argument}: no formula made of known functions gives it. "
        f"Give {argument} as a number, or as {argument}.detach(), and differentiate with respect to the others."
    )


def not_in_library(name: str, library: str, device: str) -> str:
    """Say that a device's library of special functions lacks one."""
    return (
        f"{name} of an array on {device}: {library} has no {name}. "
        "Move the input and the result: f(t.to('cpu')).to(t.device), which keeps the graph."
    )
