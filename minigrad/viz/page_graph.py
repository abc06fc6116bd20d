"""The graph of a trace as SVG: a box per tensor with name, shape, value and gradient.

Of a large trace, a box is a layer (``page_groups``), and shows that of its tensors which is in play, else its result.
The same drawing is the static picture and the live graph: a script finds the boxes by ``data-node``, the edges by
``data-edge``, and rewrites their texts step by step.
"""

from __future__ import annotations

from typing import Any

from minigrad.escape import cut
from minigrad.markup import Markup, fragment, tag
from minigrad.viz.embed import SVG, asset, picture_style
from minigrad.viz.layout import Point, curve, layered
from minigrad.viz.local import is_entrywise
from minigrad.viz.page_arrays import brief, heat, shape_text
from minigrad.viz.page_groups import Group, groups, parts
from minigrad.viz.trace import Backward, Event, Forward, Host, NewLoss, Node, Seed, Trace, Update

NOT_YET = "not yet"
_WIDTH, _HEAD, _ROW, _TITLE, _STEP = 212, 26, 22, 16, 24


def answer(trace: Trace, event: Event) -> Host:
    """Return the array that an event brings about."""
    if isinstance(event, Forward):
        return trace.nodes[event.node].value
    if isinstance(event, Seed):
        return event.gradient
    if isinstance(event, NewLoss):
        return event.new
    return event.rows[-1].value if isinstance(event, Update) else event.total


def timelines(trace: Trace) -> tuple[dict[int, list[tuple[int, Host]]], dict[int, list[tuple[int, Host]]]]:
    """Return the values and the gradients of every node as (event, array), from the event on at which they are known.

    What was there before the first event is known from event -1 on.
    """
    values: dict[int, list[tuple[int, Host]]] = {
        node.index: [(-1, node.value)] for node in trace.nodes if node.operation is None
    }
    gradients: dict[int, list[tuple[int, Host]]] = {}
    for event in trace.events:
        line = values if isinstance(event, Forward | Update | NewLoss) else gradients
        target = event.input if isinstance(event, Backward) else event.node
        line.setdefault(target, []).append((event.index, answer(trace, event)))
    for node in trace.nodes:
        values.setdefault(node.index, [(-1, node.value)])
    return values, gradients


def draw(trace: Trace, uid: str, collapse: bool | None = None) -> Markup:
    """Return the whole graph at the last event as an SVG document of its own, in light and dark.

    Several steps stand one below the other. For ``collapse`` see ``page_groups.groups``.
    """
    values, gradients = timelines(trace)
    made = parts(trace)
    drawn, width, top = [], 0.0, 0.0
    for number, part in enumerate(made):
        boxes = groups(trace, collapse, part=part)
        where = {i: k for k, group in enumerate(boxes) for i in group.members}
        edges, ends, stretched = [], [], []
        for node in (trace.nodes[i] for i in sorted(part.made)):
            for position, i in enumerate(node.inputs):
                if i is not None and where[i] != where[node.index]:
                    edges.append((where[i], where[node.index]))
                    ends.append(f"{i}:{node.index}:{position}")
                    stretched.append(stretches(trace.nodes[i].shape, node))
        heights = [_height(group, gradients) for group in boxes]
        layout = layered(edges, [(_WIDTH, height) for height in heights])
        if len(made) > 1:
            drawn.append(tag("text", f"step {number + 1}", class_="step", x=0, y=f"{top + 12:.0f}"))
            top += _STEP
        shapes = [
            tag(
                "path", class_="edge stretched" if dashed else "edge", data_edge=end, d=curve(path),
                marker_end=f"url(#{uid}-tip)",
            )
            for end, path, dashed in zip(ends, layout.paths, stretched, strict=True)
        ]  # fmt: skip
        for group, (x, y), tall in zip(boxes, layout.positions, heights, strict=True):
            node = trace.nodes[group.shown]
            last = gradients.get(node.index, [(0, None)])[-1][1]
            corner = (x - _WIDTH / 2, y - tall / 2)
            shapes.append(_box(group, node, number, corner, tall, values[node.index][-1][1], last))
        drawn.append(tag("g", shapes, transform=f"translate(0 {top:.0f})"))
        width, top = max(width, layout.width), top + layout.height + _STEP
    margin = 14
    width, height = width + 2 * margin, max(0.0, top - _STEP) + 2 * margin
    return tag(
        "svg",
        picture_style(asset("graph.css")),
        tag("defs", [_tip(uid, kind) for kind in ("tip", "tip-forward", "tip-backward")]),
        drawn,
        xmlns=SVG, class_="mg-graph", width=f"{width:.0f}", height=f"{height:.0f}",
        viewBox=f"{-margin} {-margin} {width:.0f} {height:.0f}", role="group",
        aria_label=f"graph of {trace.title or 'recorded step'}",
    )  # fmt: skip


def _height(group: Group, gradients: dict[int, Any]) -> int:
    rows = 2 if any(i in gradients for i in group.members) else 1
    return (_TITLE if group.title else 0) + _HEAD + _ROW * rows + 6


def _tip(uid: str, kind: str) -> Markup:
    return tag(
        "marker", tag("path", class_=kind, d="M0 0.5L8 4L0 7.5z"), id=f"{uid}-{kind}", viewBox="0 0 8 8", refX=7,
        refY=4, markerWidth=11, markerHeight=11, markerUnits="userSpaceOnUse", orient="auto-start-reverse",
    )  # fmt: skip


def stretches(shape: tuple[int, ...], node: Node) -> bool:
    """Tell whether an input of this shape is stretched by broadcasting on its way into ``node``."""
    if node.operation in ("linear", "linear_relu"):
        return len(shape) == 1 and len(node.shape) == 2 and shape[0] == node.shape[1] != 0
    return shape != node.shape and is_entrywise(node.definition)


def head(node: Node) -> list[Any]:
    """Return what heads a box: the name, the operation where there is room for it, at which x, and the shape."""
    name, shape = cut(node.name, 16), shape_text(node.shape)
    operation = (node.operation or node.role).replace("_", " ")
    start = round(10 + 7.9 * len(name) + 7)
    if (node.operation and node.name.startswith(node.operation)) or (
        start + 6.4 * (len(operation) + len(shape)) + 8 > _WIDTH - 9
    ):
        operation = ""
    return [name, operation, start, shape]


def _box(
    group: Group, node: Node, step: int, at: Point, height: float, value: Host, gradient: Host | None
) -> Markup:
    name, operation, start, shape = head(node)
    label = group.title or f"{node.name}, {node.role}, {shape}"
    several = bool(group.title)
    top = _TITLE if several else 0
    frame = tag("rect", class_="box", width=_WIDTH, height=height, rx=7)
    if several:
        frame = fragment(
            tag("rect", class_="box behind", x=4, y=4, width=_WIDTH, height=height, rx=7),
            frame,
            tag("text", cut(group.title, 30), class_="label", x=10, y=15),
        )
    return tag(
        "g",
        tag("title", label),
        frame,
        tag("text", name, class_="name", x=10, y=top + 17),
        tag("text", operation, class_="op", x=start, y=top + 17),
        tag("text", shape, class_="shape", x=_WIDTH - 9, y=top + 17),
        tag("path", class_="rule", d=f"M0 {top + _HEAD - 2}H{_WIDTH}"),
        _row("value", top + _HEAD, value, several),
        _row("grad", top + _HEAD + _ROW, gradient, several) if height > top + _HEAD + 2 * _ROW else None,
        class_=f"node {'several' if several else node.role}", data_node=node.index, data_step=step,
        data_members=" ".join(map(str, group.members)) if several else None, tabindex=0, role="button",
        transform=f"translate({at[0]:.1f} {at[1]:.1f})", aria_label=label,
    )  # fmt: skip


def _row(kind: str, y: float, array: Host | None, several: bool) -> Markup:
    """A value or a gradient; where tensors share a box there is a place for a heat map even where it is empty."""
    shown = {"text": "none", "heat": ""} if array is None else cell(array)
    x, picture = 86 if shown["heat"] else 50, None
    if shown["heat"] or several:
        place = {"x": 50, "y": y + 3, "width": 30, "height": 15}
        hidden = "" if shown["heat"] else ";display:none"
        picture = fragment(
            tag(
                "image", class_="heat", **place, preserveAspectRatio="none",
                style=f"image-rendering:pixelated{hidden}", href=shown["heat"] or None,
            ),
            tag("rect", class_="frame", **place, style=hidden[1:]),
        )  # fmt: skip
    room = _WIDTH - x - 6
    squeezed = {"textLength": f"{room:.0f}", "lengthAdjust": "spacingAndGlyphs"}
    return tag(
        "g",
        tag("text", kind, class_="label", x=10, y=y + 15),
        picture,
        tag(
            "text", shown["text"], class_="text", x=x, y=y + 15,
            **(squeezed if 7.25 * len(shown["text"]) > room else {}),
        ),
        class_=f"row {kind}",
    )  # fmt: skip


def cell(array: Host) -> dict[str, Any]:
    """Return what a box shows of an array: a text, and a heat map where the text is not the whole of it."""
    text = brief(array, 21)
    whole = array.size <= 6 and "…" not in text and not (text.startswith("all") or text.startswith("no"))
    return {"text": text, "heat": "" if whole or array.size == 0 else heat(array)}
