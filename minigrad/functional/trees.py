"""Trees: dicts, lists, tuples and named tuples, nested, of arrays, Tensors and numbers; taken apart, put together.

None is an empty tree. What stands in the place of a leaf keeps its tree's keys, their order and its types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

from minigrad.errors import OperationError

_OTHER = "two trees that belong together have the same keys and lengths."


def branches(tree: Any) -> list[tuple[str, Any]] | None:
    """Return the parts of a tree, each with how one reaches it (``['w']``, ``[0]``, ``.mean``); None of a leaf."""
    if isinstance(tree, dict):
        return [(f"[{key!r}]", part) for key, part in tree.items()]
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return [(f".{name}", part) for name, part in zip(tree._fields, tree, strict=True)]
    if isinstance(tree, (list, tuple)):
        return [(f"[{i}]", part) for i, part in enumerate(tree)]
    return [] if tree is None else None


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of a tree in order, each with its path."""
    parts = branches(tree)
    if parts is None:
        yield path, tree
    else:
        for step, part in parts:
            yield from leaves(part, path + step)


def rebuilt(tree: Any, new: Iterator[Any]) -> Any:
    """Return a tree like this one whose leaves are the next ones of ``new``."""
    parts = branches(tree)
    if parts is None:
        return next(new)
    return joined(tree, [rebuilt(part, new) for _, part in parts])


def joined(tree: Any, made: list[Any]) -> Any:
    """Return a tree like this one, which is no leaf, of new parts."""
    if isinstance(tree, dict):
        other = copy(tree)
        other.update(zip(dict.keys(tree), made, strict=True))
        return other
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*made)
    return None if tree is None else made if isinstance(tree, list) else tuple(made)


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return the tree of what ``function`` makes of each leaf."""
    return rebuilt(tree, iter([function(leaf) for _, leaf in leaves(tree)]))


def matched(tree: Any, other: Any, what: str, path: str = "") -> list[Any]:
    """Return the leaves of ``other`` in the order of ``tree``'s; MG-622 where the trees differ.

    Lists and tuples may stand for each other. ``what`` says in messages what ``other`` is.
    """
    parts, others = branches(tree), branches(other)
    if parts is None:
        if others is not None and other is not None and not _is_nested_numbers(other):
            raise OperationError(
                "MG-622", f"{what}{path} is {_kind(other)} where one array belongs; {_OTHER}"
            )
        return [other]
    if (
        others is None
        or isinstance(tree, dict) != isinstance(other, dict)
        or (tree is None) != (other is None)
    ):
        raise OperationError(
            "MG-622", f"{what}{path} is {_kind(other)} where {_kind(tree)} belongs; {_OTHER}"
        )
    given = dict(others)
    if isinstance(tree, (tuple, list)):
        given = {step: part for (step, _), (_, part) in zip(parts, others, strict=False)}
    if len(parts) != len(others) or any(step not in given for step, _ in parts):
        raise OperationError(
            "MG-622", f"{what}{path} is {_kind(other)} where {_kind(tree)} belongs; {_OTHER}"
        )
    return [leaf for step, part in parts for leaf in matched(part, given[step], what, path + step)]


def _is_nested_numbers(tree: Any) -> bool:
    return isinstance(tree, (list, tuple)) and all(isinstance(leaf, (int, float)) for _, leaf in leaves(tree))


def _kind(tree: Any) -> str:
    parts = branches(tree)
    if parts is None or tree is None:
        return "None" if tree is None else f"a {type(tree).__name__}"
    if isinstance(tree, dict):
        keys = ", ".join(repr(key) for key in list(dict.keys(tree))[:6])
        return f"a dict with the keys {keys}{', …' if len(tree) > 6 else ''}" if tree else "an empty dict"
    return f"a {type(tree).__name__} of {len(parts)}"
