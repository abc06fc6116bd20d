"""Writes the kernels of the activations from their formulas and rules: ``python -m minigrad.ops.generate``.

They stand in files, rather than being made when they are needed, since Numba keeps what it compiled beside a file, and
since a reader wants to see them.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import minigrad_kernels

from minigrad.files import atomic_write
from minigrad.ops import nonlinear  # noqa: F401 (defines some)
from minigrad.ops.of_entries import FORMULAS
from minigrad.symbols import Call, Expression, NoExpression, Number, Symbol, Traced, trace
from minigrad.symbols.cuda import statements
from minigrad.symbols.expression import as_computed, merged
from minigrad.symbols.formula import Unicode
from minigrad.symbols.loops import EXACT, Body
from minigrad.symbols.numba import HELPERS, loop
from minigrad.symbols.printing import ATOM, Text
from minigrad.symbols.python import Python

_SAYS = "made from the operations' formulas and rules by `python -m minigrad.ops.generate`"

PYTHON = f'''"""The activations, {_SAYS}; do not edit.

Of each and of its gradient: the reference for NumPy, the loop for Numba, which does the same operations in the same
order, and the numbers in it, which are worked out in float64. See ``activation`` for what they share.
"""

# mypy: ignore-errors
import numpy as np

from minigrad_kernels.activation import activation, ndtr
from minigrad_kernels.launch import written

exp = log1p = expm1 = tanh = None  # the dtype's own, where a loop is compiled
'''
CUDA = f"""// The activations, {_SAYS}; do not edit.
// A thread for each entry. `real` is float or double. Compiled without fused multiply-add, so that each result is
// rounded once.

__device__ real larger(real a, real b) {{ return a > b || a != a ? a : b; }}
__device__ real smaller(real a, real b) {{ return a < b || a != a ? a : b; }}
__device__ real ndtr(real x) {{ return (real)0.5 * erfc(x * (real)-0.7071067811865476); }}
"""


class _Reference(Python):
    """NumPy's functions, and those that it has not by their bare names."""

    def call(self, tree: Call) -> Text:
        if tree.function == "ndtr":
            return f"ndtr({', '.join(map(self.inside, tree.arguments))})", ATOM
        return super().call(tree)


class Kernel:
    """A kernel's texts, from the function of its arrays and settings that it computes."""

    def __init__(self, name: str, function: Callable[..., Any], settings: list[str]) -> None:
        self.name, self.settings = name, settings
        self.arrays = [each for each in inspect.signature(function).parameters if each not in settings]
        self.result = "d" if "g" in self.arrays else "y"
        given = {each: Symbol(each, scalar=True) for each in settings}
        token = as_computed.set(True)
        try:
            found = trace(function, *map(Symbol, self.arrays), **given).results
            (tree,) = merged(found)
            self.traced = Traced([tree], {})
        finally:
            as_computed.reset(token)
        self.body = Body(self.traced, [*self.arrays, self.result], [self.result], functions=EXACT | HELPERS)

    @property
    def python(self) -> str:
        """The reference, the loop, the numbers, and the registration."""
        name = self.name
        values = ", ".join(map(_value, (tree for _, tree in self.body.coefficients)))
        comma = "," if len(self.body.coefficients) == 1 else ""
        (result,) = self.traced.results
        named: dict[Expression, str] = {
            node: local for local, node in self.body.statements if node is not result
        }
        printer = _Reference(named)
        lines = [f"    {local} = {printer.text(node)}" for node, local in named.items()]
        inputs = ", ".join([*self.arrays, *self.settings, "out=None"])
        reference = "\n".join(
            [
                f"def {name}_reference({inputs}):",
                f'    """{Unicode(named).text(result)}."""',
                *lines,
                f"    return written({printer.text(result)}, out)",
                "",
            ]
        )
        numbers = f"def {name}_numbers({', '.join(self.settings)}):\n    return ({values}{comma})\n"
        entered = f'{name} = activation("{name}", {name}_reference, {name}_loop, {name}_numbers)\n'
        return "\n\n".join(
            [reference, loop(f"{name}_loop", self.body, [*self.arrays, self.result]), numbers, entered]
        )

    @property
    def cuda(self) -> str:
        """The kernel as CUDA."""
        given = [f"const real *{each}" for each in self.arrays] + [f"real *{self.result}", "int size"]
        given += [f"real {each}" for each, _ in self.body.coefficients]
        loads = ", ".join(f"{each}_i = {each}[i]" for each in self.arrays if each in self.body.loaded)
        lines = [f"real {loads};", *statements(self.body, self.arrays)]
        parameters = textwrap.fill(", ".join(given), 110, subsequent_indent="        ")
        lines = [line if line.startswith("real ") else f"real {line}" for line in lines]
        return "\n".join(
            [
                f'extern "C" __global__ void {self.name}({parameters}) {{',
                "    int i = blockIdx.x * blockDim.x + threadIdx.x;",
                "    if (i >= size) return;",
                *(f"    {line}" for line in lines),
                f"    {self.result}[i] = {self.result}_i;",
                "}",
                "",
            ]
        )


def _value(tree: Expression) -> str:
    if isinstance(tree, Symbol):
        return tree.name
    if isinstance(tree, Number):
        return repr(tree.value)
    raise NoExpression(f"{tree} is worked out from settings")


def made() -> list[Kernel]:
    """Return the kernels, two for each operation."""
    return [
        Kernel(f"{name}_{part}", function, list(settings))
        for name, (forward, backward, settings) in FORMULAS.items()
        for part, function in (("forward", forward), ("backward", backward))
    ]


def files() -> dict[Path, str]:
    """Return the text of each file that is made from the formulas."""
    kernels = made()
    folder = Path(minigrad_kernels.__file__).parent
    names = "\n".join(f'    "{kernel.name}": {kernel.name},' for kernel in kernels)
    return {
        folder / "activations.py": "\n\n".join(
            [PYTHON, *(kernel.python for kernel in kernels), f"KERNELS = {{\n{names}\n}}\n"]
        ),
        folder / "cuda" / "activations.cu": "\n".join([CUDA, *(kernel.cuda for kernel in kernels)]),
    }


if __name__ == "__main__":
    for path, text in files().items():
        atomic_write(path, text)
        print(f"wrote {path}")
