"""What notebooks understand beyond Python: magics, shell commands, ``?``, prompts; and the shell that they speak to.

``as_python`` gives the text that IPython's own input transformer gives, as far as it concerns what is left defined
afterwards. It is one implementation for students with IPython and graders without, so that both run the same.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

_OTHER_LANGUAGES = re.compile(  # cell magics whose body is no Python of this process
    r"!|R|bash|bigquery|cmd|cython|file|html|javascript|js|latex|markdown|perl|pypy|python[23]?|ruby|script|sh|shell"
    r"|sql|sx|svg|system|write(file|template)",
    re.IGNORECASE,
)
_TAKES_CODE = ("time", "timeit", "prun", "memit", "mprun", "lprun", "debug")
_PROMPT = re.compile(r"^(?:>>>|\.\.\.|In \[\d+\]:|\s*\.{3,}:)(?: |$)")
_FIRST_PROMPT = re.compile(r"^(?:>>>|In \[\d+\]:)(?: |$)")
_HELP = re.compile(r"(?P<name>%{0,2}(?!\d)[\w*]+(?:\.[\w*]+|\[-?\d+\])*)(?P<marks>\?\??)$")
_ASSIGNED = re.compile(
    r"^(?P<target>[\w\s,.\[\]'\"*:()-]+?)=\s*(?P<mark>%(?=\s*[A-Za-z_])|!)\s*(?P<rest>.*)$", re.DOTALL
)
_PIECE = re.compile(
    r"(?P<triple>'''|\"\"\")|(?P<text>'(?:\\.|[^'\\])*'?|\"(?:\\.|[^\"\\])*\"?)|(?P<comment>#.*)"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<other>[^'\"#()\[\]{}]+|.)"
)
_ENDS = {mark: re.compile(rf"(?:\\.|[^\\])*?{mark}") for mark in ("'''", '"""')}
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_NOTHING = re.compile("[\u200b-\u200d\u2060\ufeff]")


def as_python(source: str) -> str:
    """Return what is to run where a notebook's cell says ``source``; the lines keep their numbers.

    What Python reads already stays as it is. Magics become calls of ``get_ipython()``, as IPython makes them, but
    the body of ``%%time`` and its like stands where it stood. Spaces that are no ASCII, from pages and word
    processors, are spaces.
    """
    if _reads(source):
        return source
    for change in (_plain_spaces, _plain):
        source = change(source)
        if _reads(source):
            break
    return source


def _reads(source: str) -> bool:
    try:
        compile(source, "<cell>", "exec", ast.PyCF_ONLY_AST | AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


class _Reader:
    """Reads line after line; ``inside`` tells whether the next one goes on with the statement of the last."""

    def __init__(self) -> None:
        self._quote, self._depth, self._continued = "", 0, False

    @property
    def inside(self) -> bool:
        return bool(self._quote or self._depth or self._continued)

    def pieces(self, line: str) -> Iterator[tuple[str, str]]:
        """Cut a line into strings, comments, brackets and what is between."""
        k, kind = 0, "text"
        while k < len(line):
            begun = k
            if not self._quote:
                found = _PIECE.match(line, k)
                assert found is not None
                kind, k = str(found.lastgroup), found.end()
                self._depth = max(0, self._depth + (kind == "open") - (kind == "close"))
                self._quote = found[0] if kind == "triple" else ""
            if self._quote:
                kind, end = "text", _ENDS[self._quote].match(line, k)
                k = end.end() if end else len(line)
                self._quote = "" if end else self._quote
            yield kind, line[begun:k]
        self._continued = kind != "comment" and line.endswith("\\")


def _plain_spaces(source: str) -> str:
    reader = _Reader()
    return "\n".join(
        "".join(
            _NOTHING.sub("", _SPACES.sub(" ", piece)) if kind == "other" else piece
            for kind, piece in reader.pieces(line)
        )
        for line in source.split("\n")
    )


def _plain(source: str) -> str:
    lines = _dedented(source.split("\n"))
    first = next((k for k, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        name = lines[first][2:].split()[:1]
        if not name or _OTHER_LANGUAGES.fullmatch(name[0]):
            return ""
        body = "\n".join(lines[first + 1 :])
        return "\n" * (first + 1) + as_python(body)
    return "\n".join(_without_escapes(lines))


def _dedented(lines: list[str]) -> list[str]:
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip(" \t"))]
    lines = [line.removeprefix(indent) for line in lines]
    if _FIRST_PROMPT.match(first.removeprefix(indent)):
        lines = [_PROMPT.sub("", line) for line in lines]
    return lines


def _without_escapes(lines: list[str]) -> Iterator[str]:
    reader, k = _Reader(), 0
    while k < len(lines):
        line, count = lines[k], 1
        if reader.inside or not _is_escape(line):
            alone = not reader.inside
            kinds = [kind for kind, _ in reader.pieces(line)]
            is_help = alone and not reader.inside and kinds[-1:] == ["other"] and _help_in(line)
            yield _help(is_help, line) if is_help else line
        else:
            while line.endswith("\\") and k + count < len(lines):
                line = line[:-1] + " " + lines[k + count]
                count += 1
            yield _replaced(line)
            yield from [""] * (count - 1)  # so that the lines keep their numbers
        k += count


def _is_escape(line: str) -> bool:
    return line.lstrip()[:1] in tuple("%!?,;/") or _ASSIGNED.match(line) is not None


def _replaced(line: str) -> str:
    body = line.lstrip()
    indent = line[: len(line) - len(body)]
    if body[:1] == "?":
        return f"{indent}{_asked(body.lstrip('?').strip(), 2 if body.startswith('??') else 1)}"
    if body[:1] in ("%", "!"):
        if body[0] == "%" and (help_ := _help_in(body)):
            return _help(help_, line)
        return indent + _call(body[0], body.lstrip("%!"), asked=body.startswith("!!"))
    if body[:1] in (",", ";", "/"):
        name, _, text = body[1:].strip().partition(" ")
        words = text.split()
        quoted = {",": ", ".join(f'"{word}"' for word in words), ";": f'"{text}"', "/": ", ".join(words)}
        return f"{indent}{name}({quoted[body[0]]})" if name else line
    assigned = _ASSIGNED.match(body)
    assert assigned is not None
    return f"{indent}{assigned['target'].rstrip()} = {_call(assigned['mark'], assigned['rest'], asked=True)}"


def _call(mark: str, rest: str, *, asked: bool) -> str:
    if mark.startswith("!"):
        return f"get_ipython().{'getoutput' if asked else 'system'}({rest!r})"
    name, _, words = rest.rstrip().partition(" ")
    return f"get_ipython().run_line_magic({name!r}, {words.strip()!r})"


def _help_in(line: str) -> re.Match[str] | None:
    line = line.rstrip()
    # the end alone, for the search takes the square of the length
    return _HELP.search(line[-200:]) if line.endswith("?") else None


def _help(found: re.Match[str], line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    return indent + _asked(found["name"], len(found["marks"]))


def _asked(name: str, marks: int) -> str:
    magic = "psearch" if "*" in name else "pinfo2" if marks == 2 else "pinfo"
    return f"get_ipython().run_line_magic({magic!r}, {name!r})"


class Nothing(float):
    """What stands for the result of a magic, a shell command or a widget: nothing to see, and nothing that fails.

    It is a number (1.0, by which one can divide), it has every attribute, and it can be called and gone through.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Give itself, whatever is asked for; as a decorator (``@interact``), the function as it was."""
        is_decorator = len(args) == 1 and not kwargs and isinstance(args[0], FunctionType)
        return args[0] if is_decorator else self

    def __getitem__(self, key: Any) -> Any:
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return ()  # a class can be derived from it

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __str__(self) -> str:
        return ""


NOTHING = Nothing(1.0)


class Shell:
    """What ``get_ipython()`` gives to a student's code: magics that take code run it, all others do nothing."""

    def __init__(self, run: Callable[[str], None]) -> None:
        self._run = run

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return NOTHING

    def run_line_magic(self, name: str, line: str, *_: Any, **__: Any) -> Any:
        """Run the statement behind ``%time`` and its like."""
        if name in _TAKES_CODE:
            self._run(_after_options(line))
        return NOTHING

    def run_cell_magic(self, name: str, line: str, cell: str) -> Any:
        """Run the body of ``%%time``, ``%%capture`` and their like."""
        if not _OTHER_LANGUAGES.fullmatch(name):
            self._run(textwrap.dedent(cell))
        return NOTHING

    def run_cell(self, cell: str, *_: Any, **__: Any) -> Any:
        """Run code."""
        self._run(cell)
        return NOTHING

    def magic(self, line: str) -> Any:
        """Run a line magic, as older exports write it."""
        name, _, rest = line.lstrip("%").partition(" ")
        return self.run_line_magic(name, rest)


def _after_options(line: str) -> str:
    """Return what stands behind options such as ``-o -n 10 -r3``."""
    return re.sub(r"^(?:\s*-[a-zA-Z](?:\s*\d+)?(?=\s|$))*\s*", "", line)
