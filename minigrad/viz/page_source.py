"""The program's lines as HTML, with comments, strings and keywords told apart."""

from __future__ import annotations

import io
import keyword
import tokenize
from html import escape

from minigrad.source import file_name
from minigrad.viz.trace import Trace

_MARGIN = 12
_WHOLE = 120


def listing(trace: Trace) -> str:
    """Return every file of the trace as ``<pre>``; of a long file only what lies around the recorded lines."""
    used: dict[str, set[int]] = {}
    for event in trace.events:
        if event.line is not None:
            used.setdefault(event.line.file, set()).add(event.line.number)
    parts = []
    for position, (file, lines) in enumerate(trace.source.items()):
        numbers = used.get(file, set())
        if not numbers:
            continue
        shown = coloured(lines)
        first, last = 1, len(lines)
        if len(lines) > _WHOLE:
            first, last = max(1, min(numbers) - _MARGIN), min(len(lines), max(numbers) + _MARGIN)
        rows = "".join(
            f'<span class="mg-line" data-line="{n}"><span class="mg-no">{n}</span> {shown[n - 1] or " "}\n</span>'
            for n in range(first, last + 1)
        )
        name = escape(file_name(file))
        parts.append(
            f'<p class="mg-file">{name}</p><pre class="mg-code" data-file="{position}" tabindex="0" '
            f'aria-label="source of {name}">{rows}</pre>'
        )
    return "".join(parts)


def coloured(lines: list[str]) -> list[str]:
    """Return the lines as HTML; a program that Python cannot read into tokens comes back plain."""
    plain = [line.rstrip("\n") for line in lines]
    marks: list[list[tuple[int, int, str]]] = [[] for _ in plain]
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(plain) + "\n").readline):
            kind = _kind(token)
            if kind:
                (row, start), (last, end) = token.start, token.end
                for r in range(row, last + 1):
                    length = len(plain[r - 1])
                    marks[r - 1].append((start if r == row else 0, end if r == last else length, kind))
    except (tokenize.TokenError, SyntaxError, IndexError):
        marks = [[] for _ in plain]
    return [_marked(line, places) for line, places in zip(plain, marks, strict=True)]


def _kind(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.COMMENT:
        return "c"
    if token.type == tokenize.STRING or tokenize.tok_name[token.type].startswith("FSTRING"):
        return "s"
    return "k" if token.type == tokenize.NAME and keyword.iskeyword(token.string) else ""


def _marked(line: str, places: list[tuple[int, int, str]]) -> str:
    parts, at = [], 0
    for start, end, kind in places:
        if start >= at:
            parts += [escape(line[at:start]), f'<span class="mg-{kind}">', escape(line[start:end]), "</span>"]
            at = end
    return "".join(parts) + escape(line[at:])
