"""Docstrings of the house into reStructuredText.

The docstrings are written to be read in a terminal: prose with ``code`` and ``$maths$``, lists ``- name: what it is``
and ``name : what it is``, Google's sections. What reStructuredText would take for markup (``|w|``, ``a * b``, ``x_``)
is text there.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_TOKEN = re.compile(
    r"(?P<kept>``.+?``|:[a-z:]+:`[^`]+`)|`(?P<code>[^`]+)`|\$(?P<maths>[^$]+)\$|(?P<markup>[*|`]|(?<=\w)_(?!\w))",
    re.DOTALL,
)
_SECTION = re.compile(r"^(Parameters|Returns|Raises|Notes|Examples?)\n-{3,}$", re.MULTILINE)
_ITEM = re.compile(r"^(?P<names>\*{0,2}\w+(?:, \*{0,2}\w+)*) : (?=\S)")
_BULLET = re.compile(r"^(?P<indent> *)- (?P<names>\*{0,2}\w+(?:, \*{0,2}\w+)*): (?=\S)")
_ALIAS = re.compile(r"TypeAliasForwardRef\('(\w+)'\)")
_OPENS_BLOCK = re.compile(r"^ *\.\. |::$")


def convert(lines: list[str]) -> list[str]:
    """Return the lines of a docstring as reStructuredText."""
    text = "\n".join(lines)
    if any(
        _ITEM.match(line) for line in lines
    ):  # NumPy's section would read what stands behind the colon as a type
        text = _SECTION.sub("", text)
    converted: list[str] = []
    for block, verbatim in _blocks(text.split("\n")):
        converted += block if verbatim else _escape("\n".join(_listed(block))).split("\n")
    return converted


def _blocks(lines: list[str]) -> list[tuple[list[str], bool]]:
    """Cut lines into prose and what a directive or a literal block holds, which is left as it is."""
    found: list[tuple[list[str], bool]] = []
    inside: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if inside is not None and line.strip() and indent <= inside:
            inside = None
        verbatim = inside is not None or line.lstrip().startswith(".. ")
        if not found or found[-1][1] != verbatim:
            found.append(([], verbatim))
        found[-1][0].append(line)
        if inside is None and _OPENS_BLOCK.search(line):
            inside = indent
    return found


def _listed(lines: list[str]) -> list[str]:
    """Give every list a blank line before and after it, and its names the weight of names."""
    made: list[str] = []
    in_list: int | None = None
    for line in lines:
        line = _ITEM.sub(r"- \g<names>: ", line)
        named = _BULLET.match(line)
        if named:
            indent = len(named["indent"])
            if in_list is None and made and made[-1].strip():
                made.append("")
            in_list = indent
            names = ", ".join(f"``{name}``" for name in named["names"].split(", "))
            line = f"{named['indent']}- {names}: {line[named.end() :]}"
        elif in_list is not None and line.strip() and len(line) - len(line.lstrip()) <= in_list:
            if made[-1].strip() and not line.lstrip().startswith("- "):
                made.append("")
            in_list = None
        elif in_list is not None and line.strip():
            line = " " * (in_list + 2) + line.lstrip()
        made.append(line)
    return made


def _escape(text: str) -> str:
    def replaced(match: re.Match[str]) -> str:
        if match["code"]:
            return f"``{match['code']}``"
        if match["maths"]:
            return f":math:`{match['maths']}`"
        return match["kept"] or "\\" + match["markup"]

    return _TOKEN.sub(replaced, text)


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = convert(lines)
    formula = update_formula(obj)
    if formula and "" in lines:
        first = lines.index("")
        maths = ["", ".. math::", "", *(f"    {line}" for line in formula.splitlines())]
        lines[first:first] = maths


def update_formula(obj: Any) -> str:
    """Return the formula of an update rule, or of an optimizer, from its expressions; else nothing."""
    from minigrad.optim import Optimizer, formulas
    from minigrad.optim.latex import latex
    from minigrad.symbols import NoExpression

    rule = obj.rule if isinstance(obj, type) and issubclass(obj, Optimizer) else obj
    if getattr(rule, "__module__", "") != formulas.__name__:
        return ""
    try:
        return latex(rule)
    except NoExpression:  # it has one in its docstring
        return ""


def _sign(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, *signature: str | None
) -> tuple[str | None, ...]:
    """Show a type's alias by its name alone."""
    return tuple(part and _ALIAS.sub(r"\1", part) for part in signature)


def _skip(app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Leave out the fields of named tuples, which say no more than "alias for field number 0"."""
    return True if type(obj).__name__ == "_tuplegetter" else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Convert before Napoleon (whose priority is 500) reads the sections."""
    app.connect("autodoc-process-docstring", _process, priority=400)
    app.connect("autodoc-process-signature", _sign)
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True}
