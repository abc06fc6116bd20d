"""The mark of a test: a notebook runs it at once, whoever grades collects it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar, overload

F = TypeVar("F", bound=Callable[..., None])


@overload
def test(function: F) -> F: ...
@overload
def test(*, advice: str = ...) -> Callable[[F], F]: ...  # noqa: PT028
def test(function: Any = None, *, advice: str = "") -> Any:  # noqa: PT028 (no test of pytest's)
    """Mark a test; in a notebook it runs at once.

    ``advice`` is what the feedback page says where a hidden test fails, unless the comparison that failed has an
    ``advice`` of its own. It is the only thing about a hidden test that a student gets to see.
    """

    def mark(function: Any) -> Any:
        function.advice = advice
        if (module := sys.modules.get("IPython")) is not None:
            cells = getattr(module.get_ipython(), "user_ns", None)
            if isinstance(cells, dict):  # in grading, something else stands for the shell
                from minigrad.course.notebook import run_here

                run_here(function, cells)
        return function

    return mark if function is None else mark(function)


test.__test__ = False  # type: ignore[attr-defined]
