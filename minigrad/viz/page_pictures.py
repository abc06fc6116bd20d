"""What a page draws beside the numbers of a step: sliding windows, maps of attention, texts that can be typed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.viz.live import Live
from minigrad.viz.trace import Node, Trace

_MOST_LOOKED_AT = 48


def pictures(trace: Trace, program: Live) -> dict[str, Any]:
    """Return for the page's script which of the program's values are what in its pictures."""
    return {
        "windows": list(_windows(trace, program)),
        "maps": list(_maps(trace, program)),
        "texts": list(_texts(trace, program)),
    }


def _name(program: Live, node: Node) -> str:
    return program.values[id(node.value)].name


def _windows(trace: Trace, program: Live) -> Iterator[dict[str, Any]]:
    """Yield the convolutions of pictures, each with the values that it takes and makes, and how its window moves."""
    for node in trace.nodes:
        if node.operation != "conv2d":
            continue
        x, w, *bias = (None if i is None else trace.nodes[i] for i in node.inputs)
        if x is None or w is None:
            continue
        settings = {**node.definition.params, **node.params}
        yield {
            "x": _name(program, x),
            "w": _name(program, w),
            "b": _name(program, bias[0]) if bias and bias[0] is not None else None,
            "y": _name(program, node),
            "names": [x.name, w.name, node.name],
            "samples": x.shape[0],
            "maps": w.shape[0],
            "stride": list(settings["stride"]),
            "before": [side[0] for side in settings["padding"]],
            "dilation": list(settings["dilation"]),
            "groups": settings["groups"],
        }


def _maps(trace: Trace, program: Live) -> Iterator[dict[str, Any]]:
    """Yield the weights of attention: what a softmax makes, and a product then takes from values."""
    takes = {node.inputs[0] for node in trace.nodes if node.operation == "matmul"}
    for node in trace.nodes:
        if (
            node.operation == "softmax"
            and node.index in takes
            and node.value.ndim >= 2
            and max(node.shape[-2:]) <= _MOST_LOOKED_AT
        ):
            yield {"weights": _name(program, node), "name": node.name}


def _texts(trace: Trace, program: Live) -> Iterator[dict[str, Any]]:
    """Yield the arrays that are texts; ``follows`` is that whose text each letter is the next one of, if any is."""
    found = [
        (node, trace.texts[node.name])
        for node in (trace.nodes[i] for i in program.given)
        if node.name in trace.texts and node.value.ndim == 1 and node.value.dtype.kind in "iu"
    ]
    for node, alphabet in found:
        follows = (
            other
            for other, _ in found
            if other is not node and np.array_equal(other.value[1:], node.value[:-1])
        )
        before = next(follows, None)
        losses = (each for each in trace.nodes if len(each.inputs) == 2 and each.inputs[1] == node.index)
        scores = next((trace.nodes[i] for each in losses if (i := each.inputs[0]) is not None), None)
        fits = scores is not None and scores.shape == (len(node.value), len(alphabet))
        yield {
            "value": program.given[node.index].name,
            "scores": _name(program, scores) if scores is not None and fits else None,
            "name": node.name,
            "alphabet": alphabet,
            "follows": None if before is None else program.given[before.index].name,
        }
