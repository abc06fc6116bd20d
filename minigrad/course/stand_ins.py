"""What stands for the packages of a notebook's surroundings, which a grader need not have: IPython, Colab, widgets.

A right answer must not fail because its first cell imports them, shows something or mounts a drive. Nothing is shown
and nothing is mounted; whatever they give is ``interactive.NOTHING``.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from minigrad.course.interactive import NOTHING

_SURROUNDINGS = (
    *("IPython", "google.colab", "ipywidgets", "ipykernel", "jupyter_client", "nbgrader"),
    *("tqdm.notebook", "tqdm.auto", "tqdm.autonotebook"),
)
_PARENTS = ("google", "tqdm")  # which are better where they are there
shell: Any = NOTHING
"""What ``get_ipython()`` gives to the solution that is loaded."""


class _StandIn(ModuleType):
    """A module that has every name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = {
            "get_ipython": lambda: shell,
            "tqdm": _passed_on,
            "tqdm_notebook": _passed_on,
            "trange": range,
        }
        return found.get(name, NOTHING)


def _passed_on(iterable: Iterable[Any] = (), *_: Any, **__: Any) -> Iterable[Any]:
    return iterable


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def find_spec(self, name: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        parent = sys.modules.get(name.rpartition(".")[0])
        if name in self._names or isinstance(parent, _StandIn):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


def put(*, instead: bool = False) -> None:
    """Have them stand in where a package is missing; ``instead``: also where the surroundings' packages are there.

    Those look for a notebook's kernel, and there is none where solutions are graded.
    """
    if instead:
        for name in list(sys.modules):
            if any(f"{name}.".startswith(f"{one}.") for one in _SURROUNDINGS):
                del sys.modules[name]
        sys.meta_path.insert(0, _Finder(_SURROUNDINGS))
    sys.meta_path.append(_Finder((*_SURROUNDINGS, *_PARENTS)))


def take_away() -> None:
    """Undo ``put``."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    for name in [name for name, module in sys.modules.items() if isinstance(module, _StandIn)]:
        del sys.modules[name]
