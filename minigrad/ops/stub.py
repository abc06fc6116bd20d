"""Write ``minigrad/methods.pyi``, from which editors and type checkers know the methods of Tensors.

``python -m minigrad.ops.stub`` writes it; a test holds it to the table.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from minigrad import registry
from minigrad.methods import IN_PLACE, NAMES
from minigrad.operation import Operation
from minigrad.ops.words import function_of

PATH = Path(__file__).parents[1] / "methods.pyi"

# fmt: off
_NO_TENSOR = {
    # what gives something else than one Tensor
    "allclose", "aminmax", "chunk", "cov", "dim", "dsplit", "element_size", "equal", "hsplit",
    "is_contiguous", "is_floating_point", "is_nonzero", "is_same_size", "kthvalue", "max", "median", "min", "nanmedian",
    "ndimension", "nelement", "nonzero", "numel", "qr", "slogdet", "sort", "split", "svd", "tensor_split", "tolist",
    "topk", "unbind", "unique", "vsplit",
}
# fmt: on

VERSION = ".".join(np.__version__.split(".")[:2])
_HEAD = f'''"""Written by ``python -m minigrad.ops.stub`` from the table, with NumPy {VERSION}: do not edit."""

from typing import Any

from minigrad.tensor import Tensor

NAMES: tuple[str, ...]
IN_PLACE: tuple[str, ...]

class Methods:
'''


def text() -> str:
    """Return the stub's text."""
    import_module("scipy.special")  # whose operations are entered where it is there
    registry.load()
    names = sorted({*registry.methods, *NAMES, *(f"{name}_" for name in IN_PLACE)})
    return _HEAD + "".join(_declared(name) for name in names if name not in _ELSEWHERE)


_ELSEWHERE = {"getitem"}  # written t[index]


def _declared(name: str) -> str:
    """Return the declaration of one method, in the words of the function that it is, with its formula."""
    base = name.removesuffix("_")
    run: Any = registry.methods.get(base, registry.methods.get(name)) or function_of(name)
    result = "Any" if base in _NO_TENSOR else "Tensor"
    head = f"    def {name}({', '.join(['self', *_parameters(run)])}) -> {result}:"
    text = _formula(base, run)
    return f'{head}\n        """{text}"""\n' if text else f"{head} ...\n"


def _formula(name: str, run: Any) -> str:
    function = function_of(name)
    operation = run if isinstance(run, Operation) else registry.operations.get(name)
    if operation is not None:
        return operation.formula
    return (
        ""
        if function is None
        else registry.compositions.get(function) or registry.constants.get(function, "")
    )


def _parameters(function: Any) -> list[str]:
    if isinstance(function, np.ufunc):
        return ["other: Any"] * (function.nin - 1)
    if isinstance(function, Operation):
        inputs = [f"{word}: Any" for word in function.inputs[1:]]
        return [
            *inputs,
            *(f"{word}: Any = {_default(value)}" for word, value in function.params.items()),
            "**words: Any",
        ]
    if function is None:
        return ["*args: Any", "**words: Any"]
    if isinstance(getattr(function, "__wrapped__", None), np.ufunc):
        return _parameters(function.__wrapped__)
    parts, star = [], False
    for p in list(inspect.signature(function).parameters.values())[1:]:
        if p.kind is p.VAR_POSITIONAL:
            parts.append(f"*{p.name}: Any")
            star = True
        elif p.kind is p.VAR_KEYWORD:
            parts.append(f"**{p.name}: Any")
        else:
            if p.kind is p.KEYWORD_ONLY and not star:
                parts.append("*")
                star = True
            parts.append(f"{p.name}: Any" + ("" if p.default is p.empty else f" = {_default(p.default)}"))
    if not any(part.startswith("**") for part in parts):
        parts.append("**words: Any")
    return parts


def _default(value: Any) -> str:
    return repr(value) if value is None or isinstance(value, (bool, int, float, str)) else "..."


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
