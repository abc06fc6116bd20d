"""What the families of linear algebra share: errors that teach, masks of matrices, rules in float16."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from minigrad.backend import Array
from minigrad.errors import MatrixError
from minigrad.ops.half import wide
from minigrad.symbols.expression import Formal


def turned(a: Any) -> Any:
    """Return the matrices' transposes."""
    return np.swapaxes(a, -1, -2)


def below(a: Any) -> Any:
    """Where a matrix's entry lies below the diagonal: true for a row whose number is the higher."""
    rows, columns = _numbers(a)
    return rows > columns


def on_diagonal(a: Any) -> Any:
    """Where a matrix's entry lies on the diagonal."""
    rows, columns = _numbers(a)
    return rows == columns


def _numbers(a: Any) -> tuple[Any, Any]:
    """Number the rows and the columns, with arrays of ``a``'s own kind."""
    rows = np.cumsum(np.ones_like(a, dtype=int, shape=(a.shape[-2],)))
    columns = np.cumsum(np.ones_like(a, dtype=int, shape=(a.shape[-1],)))
    return rows[:, None], columns[None, :]


def whole(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let an explanation show the entries of a matrix that a rule works out by the matrix's name, not by theirs."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def compute(*args: Any) -> Any:
            if not any(isinstance(x, Formal) for x in args):
                return function(*args)
            from minigrad.symbols.entries import Entries, numbers

            return Entries.named(name, function(*numbers(args)))

        return compute

    return decorate


def widened(rule: Callable[..., Any]) -> Callable[..., Any]:
    """Let a gradient rule compute in float32 what is float16: products of matrices need its digits."""

    @wraps(rule)
    def compute(*args: Any, **params: Any) -> Any:
        return rule(*(wide(x) if hasattr(x, "dtype") else x for x in args), **params)

    return compute


def in_lapack(name: str, forward: Callable[..., Array]) -> Callable[..., Array]:
    """Let ``forward`` compute in float32 what is float16, and NumPy's LinAlgErrors say what is wrong (MatrixError)."""

    @wraps(forward)
    def compute(*arrays: Array, **params: Any) -> Array:
        dtype = np.result_type(*arrays)
        try:
            result = forward(*map(wide, arrays), **params)
        except np.linalg.LinAlgError as error:
            raise _taught(name, error, arrays) from error
        return result.astype(dtype) if dtype == np.float16 else result

    return compute


def _taught(name: str, error: Exception, arrays: tuple[Array, ...]) -> MatrixError:
    a, reason = arrays[0], str(error).rstrip(".")
    shape = a.shape
    if "square" in reason or "dimension" in reason:
        instead = (
            "np.linalg.pinv(a) and np.linalg.lstsq(a, b) take any matrix."
            if a.ndim > 1
            else "Give it two axes: a[None, :]."
        )
        return MatrixError(
            "MG-616", f"{name} takes a matrix, or a stack of them; shape {shape} is none. {instead}"
            if a.ndim < 2
            else f"{name} takes square matrices; shape {shape} has {shape[-2]} rows and {shape[-1]} columns. {instead}",
        )  # fmt: skip
    if "Singular" in reason:
        where, rank = _worst(a)
        return MatrixError(
            "MG-617",
            f"{name} of shape {shape}: {where} is singular{rank}. Some of its rows are sums of multiples of others, so "
            "that there is no inverse. np.linalg.pinv(a) and np.linalg.lstsq(a, b) give the nearest to one; "
            f"a + 1e-6 * np.eye({shape[-1]}) has one.",
        )
    if "positive" in reason:
        return MatrixError(
            "MG-618",
            f"{name} of shape {shape}: {_smallest(a)}. It takes symmetric matrices whose eigenvalues are all positive, "
            f"as those of x @ x.T + 1e-6 * np.eye({shape[-1]}) are.",
        )
    return MatrixError(
        "MG-403",
        f"{name} of shape {shape}: {reason}. Most often an entry is NaN or infinite: np.isfinite(a).",
    )


def _stack(a: Array) -> list[tuple[str, Array]]:
    """The matrices of a stack on the CPU, each with its name."""
    if not isinstance(a, np.ndarray):
        return []
    names = [f"matrix {list(k)}" if k else "the matrix" for k in np.ndindex(a.shape[:-2])]
    return list(zip(names, wide(a).reshape(-1, *a.shape[-2:]), strict=True))


def _worst(a: Array) -> tuple[str, str]:
    """Name the first matrix that has less than full rank, and its rank."""
    for name, matrix in _stack(a):
        rank = int(np.linalg.matrix_rank(matrix))
        if rank < len(matrix):
            return name, f": its rank is {rank}, not {len(matrix)}"
    return "a matrix", ""


def _smallest(a: Array) -> str:
    for name, matrix in _stack(a):
        smallest = np.linalg.eigvalsh(matrix)[0]
        if not smallest > 0:
            return f"the smallest eigenvalue of {name} is {smallest:.4g}"
    return "a matrix is not positive definite"
