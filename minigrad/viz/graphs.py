"""The graph of a loss as a picture: SVG in plain Python, and the same as text for Graphviz.

Read from the tape, ``mg.tape(loss)``, which stays as it is. Leaves and operations are boxes, the arrows run from
what is given at the top to the loss at the bottom.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.errors import GradientError
from minigrad.escape import cut, printable
from minigrad.files import atomic_write
from minigrad.markup import Markup, fragment, tag
from minigrad.records import Record
from minigrad.tape import tape
from minigrad.tensor import Tensor
from minigrad.viz.embed import SVG
from minigrad.viz.layout import curve, layered
from minigrad.viz.numbers import show
from minigrad.viz.palette import BLUE, GREEN, GREY, INK, ORANGE, WHITE, pale

MOST = 200
"""So many boxes are drawn at most; what lies further from the loss becomes a note."""

_TITLE, _SMALL = 7.3, 6.1  # widths of a character of the monospaced fonts, 12 and 10 px
_SHOWN_ENTRIES = 4
_LONGEST = 34
_DASH = "4 4"
_COLOURS = {
    "parameter": (pale(BLUE), BLUE),
    "input": (pale(GREY), GREY),
    "operation": (WHITE, GREY),
    "layer": (pale(GREEN), GREEN),
    "result": (pale(ORANGE), ORANGE),
    "not drawn": (WHITE, GREY),
}


@dataclass(frozen=True)
class Box:
    """One box: its title, the lines below, and what it is (``parameter``, ``input``, ``operation``, …)."""

    title: str
    lines: tuple[str, ...]
    kind: str


@dataclass(frozen=True)
class Graph:
    """A drawn graph. Notebooks show it; ``.svg`` is its text, ``.dot`` the one for Graphviz.

    boxes : leaves, operations and collapsed layers. edges : (source, target), indices of boxes.
    """

    boxes: tuple[Box, ...]
    edges: tuple[tuple[int, int], ...]
    title: str

    @property
    def svg(self) -> str:
        """The picture: one ``<svg>`` with a background of its own and no reference to anything outside."""
        return _svg(self)

    @property
    def dot(self) -> str:
        """The graph in Graphviz's language."""
        return _dot(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture as an SVG file, whole or not at all."""
        atomic_write(path, self.svg + "\n")

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "image/svg+xml": self.svg}

    def __repr__(self) -> str:
        return f"Graph({self.title!r}: {len(self.boxes)} boxes, {len(self.edges)} arrows)"


def graph(loss: Tensor, *, collapse: bool = True, most: int = MOST) -> Graph:
    """Draw how ``loss`` came about.

    A box shows a name or an operation with its formula, the shape, the value where it has at most four entries, and
    of a leaf that has one, ``.grad``. With ``collapse``, the operations of a layer (``nn.Linear`` …) and its
    parameters share a box, where the parameters have got their names (from ``model.named_parameters()``, which every
    optimizer calls). Of a larger graph, the ``most`` operations and leaves nearest to the loss are drawn.

    Raises GradientError MG-901 where ``backward()`` has consumed the graph and MG-902 where none was recorded.
    """
    return _collect(_records(loss), loss, collapse, most)


def to_dot(loss: Tensor, *, collapse: bool = True, most: int = MOST) -> str:
    """Return the same graph as text in Graphviz's language: ``dot -Tsvg`` draws it. Raises what ``graph`` does."""
    return graph(loss, collapse=collapse, most=most).dot


def _records(loss: Tensor) -> list[Record]:
    if loss.record is None:
        raise GradientError(
            "MG-902",
            f"{loss.label} has no graph: no operation on a tensor that requires a gradient made it. "
            "Draw the loss itself, computed outside 'with mg.no_grad():' and before .detach() or .item().",
        )
    try:
        return tape(loss)
    except GradientError as error:
        consumed = loss.record.consumed
        at = f" at {consumed}" if consumed is not None else ""
        raise GradientError(
            "MG-901",
            f"the graph of {loss.label} was consumed by backward(){at}: its values are freed, so there is nothing "
            "left to draw. Call mg.viz.graph(loss) before loss.backward(), or keep it: "
            "loss.backward(retain_graph=True).",
        ) from error


@dataclass
class _Part:
    """One or more records that share a box."""

    records: list[Record]
    layer: str | None
    folded: list[Tensor] = field(default_factory=list)


def _collect(records: list[Record], loss: Tensor, collapse: bool, most: int) -> Graph:
    users: dict[int, int] = {}
    names: dict[int, str | None] = {id(loss.record): loss.name}
    for record in records:
        for x in record.inputs:
            if isinstance(x, Tensor) and x.record is not None:
                users[id(x.record)] = users.get(id(x.record), 0) + 1
                names[id(x.record)] = x.name
    part_of: dict[int, _Part] = {}
    parts: list[_Part] = []
    for record in records:
        layer = _layer_of(record) if collapse else None
        part = None
        for x in record.inputs if layer else ():
            before = part_of.get(id(x.record)) if isinstance(x, Tensor) and x.record else None
            if before and before.layer == layer and users[id(before.records[-1])] == 1:
                part = before
        if part is None:
            part = _Part([], layer)
            parts.append(part)
        part.records.append(record)
        part_of[id(record)] = part
    hidden = {id(part): part for part in parts[: max(0, len(parts) - most)]}
    return _drawn([part for part in parts if id(part) not in hidden], part_of, hidden, names, loss, most)


def _drawn(
    parts: list[_Part],
    part_of: dict[int, _Part],
    hidden: dict[int, _Part],
    names: Mapping[int, str | None],
    loss: Tensor,
    most: int,
) -> Graph:
    boxes: list[Box] = []
    edges: list[tuple[int, int]] = []
    index: dict[int, int] = {}  # of a part's or a leaf's box, by its id
    left_out = sum(len(part.records) for part in hidden.values())
    rest = -1
    for part in parts:
        sources = []
        inside = {id(record) for record in part.records}
        for record in part.records:
            for x, array in zip(record.inputs, record.arrays, strict=True):
                if isinstance(x, Tensor) and x.record is not None:
                    if id(x.record) in inside:
                        continue
                    source = part_of[id(x.record)]
                    if id(source) not in hidden:
                        sources.append(index[id(source)])
                        continue
                elif isinstance(x, Tensor) and part.layer and _layer_name(x) == part.layer:
                    part.folded.append(x)
                    continue
                elif isinstance(x, Tensor) or getattr(array, "size", 1) > 1:
                    if id(x) not in index and len(boxes) < 2 * most:
                        index[id(x)] = len(boxes)
                        boxes.append(_leaf(x, array))
                    if id(x) in index:
                        sources.append(index[id(x)])
                        continue
                    left_out += 1
                else:
                    continue
                if rest < 0:
                    rest = len(boxes)
                    boxes.append(Box("", (), "not drawn"))
                sources.append(rest)
        index[id(part)] = len(boxes)
        edges += [
            (source, len(boxes)) for source in sources if source != rest or (rest, len(boxes)) not in edges
        ]
        boxes.append(_box_of(part, names, part.records[-1] is loss.record))
    if rest >= 0:
        boxes[rest] = replace(
            boxes[rest], title=f"… {left_out} more", lines=("not drawn: too far from the loss",)
        )
    return Graph(tuple(boxes), tuple(edges), f"graph of {loss.label}")


def _layer_name(x: Any) -> str | None:
    return (
        x.name.rpartition(".")[0] or None if isinstance(x, Tensor) and x.record is None and x.name else None
    )


def _layer_of(record: Record) -> str | None:
    """The layer whose parameters this operation takes: ``fc1`` for ``fc1.weight``; None where there is not one."""
    found = {_layer_name(x) for x in record.inputs} - {None}
    return found.pop() if len(found) == 1 else None


def _leaf(x: Any, array: Any) -> Box:
    kind = "parameter" if isinstance(x, Tensor) and x.requires_grad else "input"
    title = (x.name if isinstance(x, Tensor) else None) or ("data" if kind == "input" else "parameter")
    lines = [_told(array)]
    if isinstance(x, Tensor) and x.grad is not None:
        grad = x.grad.data
        lines.append(
            f"grad {_value(grad)}" if grad.size <= _SHOWN_ENTRIES else f"grad |·| {show(_norm(grad))}"
        )
    return Box(_short(title), tuple(lines), kind)


def _norm(array: Any) -> float:
    return float(np.linalg.norm(backend.to_numpy(array).astype(np.float64)))


def _box_of(part: _Part, names: Mapping[int, str | None], last: bool) -> Box:
    record = part.records[-1]
    operations = " · ".join(dict.fromkeys(r.operation.name for r in part.records))
    lines = []
    if part.layer:
        title, kind = f"layer {part.layer}", "layer"
        lines.append(operations)
        lines += [
            f"{str(p.name).removeprefix(part.layer + '.')} {_told(p.data)}"
            for p in dict.fromkeys(part.folded)
        ]
    else:
        name = names.get(id(record))
        title, kind = f"{name} = {operations}" if name else operations, "operation"
        numbers = [
            f"{letter} = {show(array)}"
            for letter, x, array in zip(record.operation.inputs, record.inputs, record.arrays, strict=False)
            if not isinstance(x, Tensor) and isinstance(array, (int, float, np.number))
        ]
        lines.append(", ".join([record.operation.formula, *numbers]))
    lines.append(("→ " if part.layer else "") + _told(record.value))
    return Box(_short(title), tuple(_short(line) for line in lines), "result" if last else kind)


def _told(array: Any) -> str:
    shape = tuple(getattr(array, "shape", ()))
    if getattr(array, "size", 1) > _SHOWN_ENTRIES:
        return f"shape {shape}"
    return _value(array) if not shape else f"shape {shape} {_value(array)}"


def _value(array: Any) -> str:
    entries = backend.to_numpy(array) if hasattr(array, "shape") else np.asarray(array)
    text = np.array2string(entries, separator=", ", formatter={"all": show}).replace("\n", "")
    return f"= {text}"


def _short(text: str) -> str:
    return cut(printable(text), _LONGEST)


def _size(box: Box) -> tuple[float, float]:
    head = len(box.title) * _TITLE + (
        len(box.kind) * _SMALL + 14 if box.kind in ("parameter", "input") else 0
    )
    return max([head, *(len(line) * _SMALL for line in box.lines)]) + 22, 26.0 + 15 * len(box.lines)


def _svg(drawn: Graph) -> Markup:
    sizes = [_size(box) for box in drawn.boxes]
    layout = layered(drawn.edges, sizes, along=34)
    width, height = layout.width + 32, layout.height + 32
    parts = []
    for (source, _), path in zip(drawn.edges, layout.paths, strict=True):
        x, y = path[-1]
        line = curve([*path[:-1], (x, y - 5)])
        dash = _DASH if drawn.boxes[source].kind == "not drawn" else None
        parts.append(tag("path", d=line, fill="none", stroke=GREY, stroke_width=1.2, stroke_dasharray=dash))
        parts.append(tag("path", d=f"M{x:.1f} {y:.1f}l-3.6 -7.5h7.2z", fill=GREY))
    for box, (x, y), (w, h) in zip(drawn.boxes, layout.positions, sizes, strict=True):
        parts += _svg_box(box, x - w / 2, y - h / 2, w, h)
    background = tag("rect", x=-16, y=-16, width=f"{width:.1f}", height=f"{height:.1f}", fill=WHITE)
    return tag(
        "svg", fragment("", tag("title", drawn.title), background, *parts, "", between="\n"),
        xmlns=SVG, width=f"{width:.0f}", height=f"{height:.0f}", viewBox=f"-16 -16 {width:.1f} {height:.1f}",
        role="img", aria_label=drawn.title,
        font_family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace",
    )  # fmt: skip


def _svg_box(box: Box, x: float, y: float, width: float, height: float) -> list[Markup]:
    fill, stroke = _COLOURS[box.kind]
    leaf = box.kind in ("parameter", "input")

    def text(words: str, x: float, y: float, size: int, colour: str, **attributes: str) -> Markup:
        return tag("text", words, x=f"{x:.1f}", y=f"{y:.1f}", font_size=size, fill=colour, **attributes)

    found = [
        tag(
            "rect", x=f"{x:.1f}", y=f"{y:.1f}", width=f"{width:.1f}", height=f"{height:.1f}", rx=3 if leaf else 11,
            fill=fill, stroke=stroke, stroke_width=2.2 if box.kind == "result" else 1.2,
            stroke_dasharray=_DASH if box.kind == "not drawn" else None,
        ),
        text(box.title, x + 11, y + 18, 12, INK, font_weight="bold"),
    ]  # fmt: skip
    if leaf:
        found.append(text(box.kind, x + width - 11, y + 18, 10, stroke, text_anchor="end"))
    return found + [text(line, x + 11, y + 33 + 15 * i, 10, INK) for i, line in enumerate(box.lines)]


def _dot(drawn: Graph) -> str:
    def quoted(text: str) -> str:
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")

    lines = ["digraph {", '  node [shape=box, style="rounded,filled", fontname="monospace"];']
    for i, box in enumerate(drawn.boxes):
        fill, stroke = _COLOURS[box.kind]
        label = "\\n".join(quoted(text) for text in (box.title, *box.lines))
        lines.append(f'  n{i} [label="{label}", fillcolor="{fill}", color="{stroke}"];')
    lines += [f"  n{source} -> n{target};" for source, target in drawn.edges]
    return "\n".join([*lines, "}", ""])
