"""The program's lines as HTML, with comments, strings and keywords told apart."""

from __future__ import annotations

import io
import keyword
import tokenize

from minigrad.markup import Markup, fragment, tag, verbatim
from minigrad.source import file_name
from minigrad.viz.trace import Trace

_MARGIN = 12
_WHOLE = 120
_END = verbatim("\n")


def listing(trace: Trace) -> Markup:
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
        rows = [
            tag("span", tag("span", n, class_="mg-no"), " ", line or " ", _END, class_="mg-line", data_line=n)
            for n, line in enumerate(shown[first - 1 : last], start=first)
        ]
        name = file_name(file)
        parts.append(tag("p", name, class_="mg-file"))
        label = f"source of {name}"
        parts.append(tag("pre", rows, class_="mg-code", data_file=position, tabindex=0, aria_label=label))
    return fragment(parts)


def coloured(lines: list[str]) -> list[Markup]:
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


def _marked(line: str, places: list[tuple[int, int, str]]) -> Markup:
    parts, at = [], 0
    for start, end, kind in places:
        if start >= at:
            parts += [verbatim(line[at:start]), tag("span", verbatim(line[start:end]), class_=f"mg-{kind}")]
            at = end
    return fragment(parts, verbatim(line[at:]))
