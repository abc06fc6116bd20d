"""Whole matrices of derivatives, and what a matrix does to a vector without being there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import numpy as np

from minigrad import modes
from minigrad.errors import GradientError
from minigrad.functional.evaluation import (
    Argnums,
    Evaluation,
    checked_outputs,
    companions,
    name_of,
    pulled_back,
)
from minigrad.functional.forward import arguments, pushed_forward
from minigrad.functional.reverse import grad
from minigrad.functional.trees import leaves, rebuilt
from minigrad.tensor import Tensor

_COLUMN = 3
"""A column, pushed forward, takes about as long as so many rows, pulled back."""


def jacobian(f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return a function that gives J, with J[i, j] = ∂f_i/∂x_j, of shape f's shape + x's shape.

    f may return a Tensor of any shape, or a tree of them; x may be a tree too, and argnums a tuple: then J is made as
    f's value is, with a tree made as x in the place of each Tensor. With ``has_aux`` f returns a pair, and so
    does the function: J, and f's second part. Zeros where there is no path. Differentiable itself.

    f runs once. Then J comes row by row in reverse mode, or column by column in forward mode where x has so few entries
    that this is less work: less than a third of the entries of f's value.
    """
    positions = (argnums,) if isinstance(argnums, int) else argnums

    @wraps(f)
    def evaluated(*args: Any, **kwargs: Any) -> Any:
        run = Evaluation(f, args, kwargs, positions)
        run.split(has_aux)
        checked_outputs(run)
        outputs = run.outputs
        nested = run.is_nested(outputs)
        with modes.enable_grad():
            entries = sum(x.size for x in run.inputs)
            by_columns = _COLUMN * entries < sum(y.size for y in outputs)
            blocks = (_columns if by_columns else _rows)(outputs, run.inputs, nested)
        made = []
        for row in blocks:
            trees = run.in_trees(row)
            made.append(trees[0] if isinstance(argnums, int) else tuple(trees))
        rest = iter(made)
        found = rebuilt(
            run.output,
            iter([next(rest) if isinstance(y, Tensor) else None for _, y in leaves(run.output)]),
        )
        return (found, run.settled(run.aux)) if has_aux else found

    return evaluated


def _rows(outputs: list[Tensor], inputs: list[Tensor], create_graph: bool) -> Iterator[list[Tensor]]:
    """For each output its Jacobian with respect to each input, one walk back for each entry of the output."""
    for y in outputs:
        rows = [pulled_back([y], [unit], inputs, create_graph) for unit in _units(y)]
        yield [_joined([row[k] for row in rows], (*y.shape, *x.shape), x, 0) for k, x in enumerate(inputs)]


def _columns(outputs: list[Tensor], inputs: list[Tensor], create_graph: bool) -> Iterator[list[Tensor]]:
    """The same, one pass forward for each entry of an input."""
    columns = [[pushed_forward(outputs, [x], [unit], create_graph) for unit in _units(x)] for x in inputs]
    for k, y in enumerate(outputs):
        yield [
            _joined([column[k] for column in columns[i]], (*y.shape, *x.shape), y, -1)
            for i, x in enumerate(inputs)
        ]


def _units(x: Tensor) -> Iterator[Tensor]:
    for index in np.ndindex(x.shape):
        unit = np.zeros_like(x._data)
        unit[index] = 1
        yield Tensor(unit)


def _joined(parts: list[Tensor], shape: tuple[int, ...], like: Tensor, axis: int) -> Tensor:
    if not parts:
        return Tensor(np.zeros_like(like._data, shape=shape))
    stacked: Any = np.stack(parts, axis=axis)
    joined: Tensor = stacked.reshape(shape)
    return joined


def hessian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return a function that gives H, with H[i, j] = ∂²f/∂x_i∂x_j, of shape x's shape + x's shape; f gives one number.

    Where x is a tree, H is made as x is, with a tree made as x in the place of each array: ``H["w"]["b"]``. It is the
    Jacobian of the gradient, whose rows and columns are the same: one walk back through the recorded gradient for
    each entry of x. For products with H alone see ``hvp``. Raises GradientError MG-202 where f gives more than one
    number.
    """
    matrix = jacobian(grad(f, argnums), argnums)

    @wraps(f)
    def evaluated(*args: Any, **kwargs: Any) -> Any:
        return matrix(*args, **kwargs)

    return evaluated


def hvp(f: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """Return H·v, H the Hessian of f at the primals and v the tangents, without ever forming H; f gives one number.

    ``primals`` is the tuple (or list) of f's arguments, ``tangents`` is made in the same way, and the result is a
    tuple; what is neither a tuple nor a list is the only argument, and the result is for it:
    ``mg.hvp(loss, params, v)`` with dicts. H·v is the gradient of g·v, g the gradient and v constant: f runs once, one
    walk back records g, and one more goes back through all of it, in two to four times the time of the gradient.

    Raises GradientError MG-202 where f gives more than one number, OperationError MG-622 where v does not fit.

    Pearlmutter 1994, "Fast exact multiplication by the Hessian", equation 3.
    """
    args = arguments(primals)
    run = Evaluation(f, args, {}, range(len(args)))
    if not isinstance(run.output, Tensor):
        raise GradientError(
            "MG-202", f"{name_of(f)} returned {type(run.output).__name__}; it must return one Tensor."
        )
    y = run.output
    if y.size != 1:
        raise GradientError(
            "MG-202",
            f"{name_of(f)} returned shape {y.shape}, and a Hessian belongs to one number. Add or average its entries; "
            "all second derivatives of many are mg.jacobian(mg.jacobian(f)).",
        )
    inputs = [(path, x) for (path, _), x in zip(leaves(run.trees), run.inputs, strict=True)]
    given = companions(run.trees, inputs, list(arguments(tangents)), "the tangents for hvp")
    recording = run.is_nested([y]) or (run.outer and any(v.requires_grad for v in given))
    with modes.enable_grad():
        one = Tensor(np.ones_like(y._data))
        slopes = pulled_back([y], [one], run.inputs, create_graph=True)
        products = pulled_back(slopes, given, run.inputs, create_graph=recording)
    made = run.in_trees(products)
    return made[0] if len(args) == 1 and args[0] is primals else tuple(made)
