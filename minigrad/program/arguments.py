"""A step's arguments: which are arrays and numbers, that may be others in the next call, and what stays the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.backend import backend_of, device_of
from minigrad.tensor import Tensor


def split(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], list[Any]]:
    """Return the case that a program is made for, and the arrays and numbers among the arguments, in their order.

    Of two cases that are equal one program does for both: the same structure, shapes, dtypes, layouts, the same
    constants, and the same array where it is given twice.
    """
    case: list[Any] = []
    leaves: list[Any] = []
    for each in args:
        if each.__class__ is np.ndarray:  # as below; this runs for every step
            case.append((each.shape, each.dtype, each.flags.c_contiguous or each.strides))
            leaves.append(each)
        else:
            _part(each, case, leaves)
    for name, each in kwargs.items():
        case.append(name)
        _part(each, case, leaves)
    if len(leaves) > 1 and len({*map(id, leaves)}) < len(leaves):
        seen: dict[int, int] = {}
        twice = [first for k, leaf in enumerate(leaves) if (first := seen.setdefault(id(leaf), k)) != k]
        case.append(("twice", *twice))
    return tuple(case), leaves


def no_match(args: Sequence[Any]) -> None:
    """Say no."""


def matcher(case: Sequence[Any]) -> Callable[[Sequence[Any]], tuple[Any, ...] | None]:
    """Return a function that gives the leaves of arguments that are of a case; where it gives None, they still may be.

    It looks at arrays and tensors alone, and makes no case of them: most steps are given nothing else.
    """
    scope: dict[str, Any] = {"ndarray": np.ndarray}
    terms = [f"len(args) == {len(case)}"]
    for k, part in enumerate(case):
        if _is_tensor(part):
            kind, *form, wish = part
            scope[f"kind{k}"] = kind
            terms.append(f"(x{k} := args[{k}]).__class__ is kind{k} and x{k}.requires_grad is {wish}")
            array = f"x{k}._data"
        elif _is_array(part):
            form, array = part, f"args[{k}]"
        else:
            return no_match
        scope[f"shape{k}"], scope[f"dtype{k}"], in_order = form
        if in_order is not True:
            return no_match
        terms += [f"(a{k} := {array}).__class__ is ndarray", f"a{k}.shape == shape{k}"]
        terms += [
            f"a{k}.dtype is dtype{k} and a{k}.flags.c_contiguous",
            *(f"a{k} is not a{j}" for j in range(k)),
        ]
    leaves = "".join(f"a{k}, " for k in range(len(case)))
    text = f"lambda args: ({leaves}) if {' and '.join(terms)} else None"
    found: Callable[[Sequence[Any]], tuple[Any, ...] | None] = eval(text, scope)
    return found


def _is_array(part: Any) -> bool:
    """Tell whether this is what ``split`` says of a bare array of NumPy's."""
    return isinstance(part, tuple) and len(part) == 3 and isinstance(part[0], tuple)


def _is_tensor(part: Any) -> bool:
    """Tell whether this is what ``split`` says of a tensor."""
    return isinstance(part, tuple) and isinstance(part[0], type) and issubclass(part[0], Tensor)


def is_leaf(x: Any) -> bool:
    """Tell whether an argument is an array, or a number that may be another one in the next call."""
    return type(x) is np.ndarray or type(x) is float or isinstance(x, (Tensor, np.generic)) or _on_device(x)


def _on_device(x: Any) -> bool:
    return not isinstance(x, np.ndarray) and backend_of(x) is not None


def _part(x: Any, case: list[Any], leaves: list[Any]) -> None:
    kind = x.__class__
    if kind is np.ndarray:
        case.append((x.shape, x.dtype, x.flags.c_contiguous or x.strides))
        leaves.append(x)
    elif isinstance(x, Tensor):
        data = x._data
        strides = getattr(getattr(data, "flags", None), "c_contiguous", True) or data.strides
        case.append((kind, data.shape, data.dtype, strides, x.requires_grad))
        leaves.append(data)
    elif kind is float or isinstance(x, np.generic):
        case.append(kind)
        leaves.append(x)
    elif isinstance(x, (tuple, list)):
        case.append((kind, len(x)))
        for part in x:
            _part(part, case, leaves)
    elif isinstance(x, dict):
        case.append((kind, *x))
        for part in x.values():
            _part(part, case, leaves)
    elif kind in _CONSTANTS:
        case.append((kind, x))
    elif _on_device(x):
        case.append((x.shape, x.dtype, x.flags.c_contiguous or x.strides, device_of(x)))
        leaves.append(x)
    else:
        case.append(_Same(x))


_CONSTANTS = frozenset({int, bool, str, bytes, type(None)})


class _Same:
    """An object among the arguments, which has to be the same one."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.thing is other.thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __repr__(self) -> str:
        return type(self.thing).__name__


def described(case: Sequence[Any]) -> str:
    """Return a case for people: ``float32 (32, 784), int64 (32,)``."""
    return ", ".join(map(_described, case)) or "no arguments"


def _described(part: Any) -> str:
    if isinstance(part, tuple) and part and isinstance(part[0], tuple):
        return f"{part[1]} {part[0]}" + ("" if part[2] is True else f" with strides {part[2]}")
    if _is_tensor(part):
        return f"{part[2]} {part[1]}" + (" that requires a gradient" if part[4] else "")
    if isinstance(part, tuple) and len(part) == 2:
        return repr(part[1])
    return part.__name__ if isinstance(part, type) else str(part)
