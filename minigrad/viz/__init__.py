"""Pictures: read-only views of a training history, of predictions, and of a tape.

What ``mg.viz`` offers is found when it is first asked for, so that nothing is imported for a picture nobody wants.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minigrad.train.faults import broken
    from minigrad.viz.attention import attention_maps
    from minigrad.viz.convolutions import feature_maps, filters
    from minigrad.viz.gates import gates_over_time
    from minigrad.viz.graphs import graph, to_dot
    from minigrad.viz.inside import dead_units, gradient_flow, update_ratios, watch_updates, weight_images
    from minigrad.viz.landscape import decision_boundary, loss_slice, optimizer_race
    from minigrad.viz.optimizer_page import optimizers
    from minigrad.viz.plots import confusion, curves, mistakes
    from minigrad.viz.recorder import record
    from minigrad.viz.spreads import histograms

_WHERE = {
    "attention_maps": "attention",
    "broken": "minigrad.train.faults",  # which trains, and so stands above; only its name is offered here
    "confusion": "plots",
    "curves": "plots",
    "dead_units": "inside",
    "decision_boundary": "landscape",
    "feature_maps": "convolutions",
    "filters": "convolutions",
    "gates_over_time": "gates",
    "gradient_flow": "inside",
    "graph": "graphs",
    "histograms": "spreads",
    "loss_slice": "landscape",
    "mistakes": "plots",
    "optimizer_race": "landscape",
    "optimizers": "optimizer_page",
    "record": "recorder",
    "to_dot": "graphs",
    "update_ratios": "inside",
    "watch_updates": "inside",
    "weight_images": "inside",
}

__all__ = [
    "attention_maps",
    "broken",
    "confusion",
    "curves",
    "dead_units",
    "decision_boundary",
    "feature_maps",
    "filters",
    "gates_over_time",
    "gradient_flow",
    "graph",
    "histograms",
    "loss_slice",
    "mistakes",
    "optimizer_race",
    "optimizers",
    "record",
    "to_dot",
    "update_ratios",
    "watch_updates",
    "weight_images",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        where = _WHERE[name]
        return getattr(import_module(where if "." in where else f"{__name__}.{where}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)


def __dir__() -> list[str]:
    return __all__
