"""Writes the kernels of the optimizers here from their formulas: ``python -m minigrad.optim.generate``.

They stand in files, rather than being made when they are needed, since Numba keeps what it compiled beside a file, and
since a reader wants to see them.
"""

from __future__ import annotations

from pathlib import Path

import minigrad_kernels
import numpy as np

from minigrad.files import atomic_write
from minigrad.optim import optimizers
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.program import Program, checksum, cuda_text, listed, rule_text
from minigrad.tensor import Tensor

_SAYS = "made from minigrad/optim/formulas.py by `python -m minigrad.optim.generate`"

PYTHON = f'''"""The update rules, {_SAYS}; do not edit.

Of each rule: the reference for NumPy, the loop for Numba, which does the same operations in the same order, and the
coefficients of step t = 1, 2, …, of which each is worked out in float64. See ``updates`` for what they share.
"""

# mypy: ignore-errors
import math

import numpy as np

from minigrad_kernels.updates import update_rule
'''
CUDA = f"""// The update rules, {_SAYS}; do not edit.

#include "updates.cuh"
"""


def built_in() -> dict[str, Optimizer]:
    """Return an optimizer for each rule that has a kernel here, by the kernel's name."""
    p = [Tensor(np.zeros(1), requires_grad=True)]
    return {
        "sgd": optimizers.SGD(p),
        "momentum": optimizers.SGD(p, momentum=0.9),
        "nesterov": optimizers.SGD(p, momentum=0.9, nesterov=True),
        "adagrad": optimizers.AdaGrad(p),
        "rmsprop": optimizers.RMSprop(p),
        "rmsprop_momentum": optimizers.RMSprop(p, momentum=0.9),
        "rmsprop_centered": optimizers.RMSprop(p, centered=True),
        "rmsprop_centered_momentum": optimizers.RMSprop(p, momentum=0.9, centered=True),
        "adam": optimizers.Adam(p),
        "adamw": optimizers.AdamW(p),
        "amsgrad": optimizers.AMSGrad(p),
        "nadam": optimizers.NAdam(p),
        "lion": optimizers.Lion(p),
        "adam_as_printed": optimizers.AdamAsPrinted(p),
    }


def files() -> dict[Path, str]:
    """Return the text of each file that is made from the formulas."""
    python, cuda = [PYTHON], [CUDA]
    for name, optimizer in built_in().items():
        program = Program(optimizer)
        names = listed([f'"{each}"' for each, _ in program.body().coefficients])
        parts = ", ".join(f"{name}_{part}" for part in ("reference", "loop", "coefficients"))
        python.append(rule_text(name, program))
        python.append(
            f'{name} = update_rule(\n    "{name}",\n    "{checksum(program)}",\n'
            f"    (\n{names},\n    ),\n    {parts},\n)\n"
        )
        cuda.append(cuda_text(name, program))
    python.append(f"RULES = {{rule.name: rule for rule in ({', '.join(built_in())})}}\n")
    folder = Path(minigrad_kernels.__file__).parent
    return {
        folder / "update_rules.py": "\n\n".join(python),
        folder / "cuda" / "updates.cu": "\n".join(cuda),
    }


if __name__ == "__main__":
    for path, text in files().items():
        atomic_write(path, text)
        print(f"wrote {path}")
