"""Break it: a healthy training beside the same one with a single thing wrong, and what minigrad says about it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from minigrad import errors, nn
from minigrad.data import load_digits
from minigrad.errors import ConfigError, MinigradError, MinigradWarning
from minigrad.markup import tag, verbatim
from minigrad.optim import SGD
from minigrad.tensor import Tensor
from minigrad.train.callbacks import SuspiciousStart
from minigrad.train.trainer import Trainer
from minigrad.viz.inside import gradient_sizes
from minigrad.viz.numbers import show
from minigrad.viz.palette import BLUE, GREY, INK, ORANGE, WHITE
from minigrad.viz.style import drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLASSES = 10
_TRAINED, _BATCH, _RATE, _DEEP_RATE = 1400, 50, 0.3, 0.1


@dataclass(frozen=True)
class Setup:
    """What is trained: the functions that make the network and scale the pixels, and the settings."""

    layers: Callable[[np.random.Generator], list[nn.Module]]
    rate: float = _RATE
    scale: float = 1.0
    zero_grad: bool = True


@dataclass
class Outcome:
    """What came of it: the loss of every step, accuracy on digits not trained on, messages, gradient sizes."""

    losses: list[float] = field(default_factory=list)
    accuracy: float = math.nan
    messages: list[str] = field(default_factory=list)
    gradients: dict[str, float] = field(default_factory=dict)
    first_weight: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))


def _relu_net(rng: np.random.Generator) -> list[nn.Module]:
    return [nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Linear(32, CLASSES, rng=rng)]


def _with_softmax(rng: np.random.Generator) -> list[nn.Module]:
    return [*_relu_net(rng), nn.Softmax()]


def _zeros(rng: np.random.Generator) -> list[nn.Module]:
    layers = _relu_net(rng)
    for layer in layers:
        for parameter in layer.parameters():
            parameter.data[...] = 0
    return layers


def _deep(activation: Callable[[], nn.Module]) -> Callable[[np.random.Generator], list[nn.Module]]:
    def build(rng: np.random.Generator) -> list[nn.Module]:
        widths = [64, *[32] * 6]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after, rng=rng, init="glorot_uniform"), activation()]
        return [*layers, nn.Linear(32, CLASSES, rng=rng, init="glorot_uniform")]

    return build


_HEALTHY = Setup(_relu_net)
_DEEP_HEALTHY = Setup(_deep(nn.ReLU), rate=_DEEP_RATE)


@dataclass(frozen=True)
class _Fault:
    title: str
    healthy: Setup
    broken: Setup
    symptom: Callable[[Outcome, Outcome], str]
    advice: str


def _forgotten(good: Outcome, bad: Outcome) -> str:
    return (
        f"the gradients of all steps add up, so the steps grow: the loss ends at {_end(bad)} instead of {_end(good)}, "
        f"and swings up to {show(max(bad.losses))}."
    )


def _too_fast(good: Outcome, bad: Outcome) -> str:
    return (
        f"every step overshoots: the loss rises from {show(bad.losses[0])} to {show(max(bad.losses))} and ends at "
        f"{_end(bad)}, where the healthy run ends at {_end(good)}."
    )


def _squashed(good: Outcome, bad: Outcome) -> str:
    return (
        f"the loss cannot fall below ln(1 + 9/e) = {show(math.log(1 + 9 / math.e))}, whatever the network learns: it "
        f"ends at {_end(bad)} instead of {_end(good)}."
    )


def _symmetric(good: Outcome, bad: Outcome) -> str:
    rows = len(np.unique(bad.first_weight, axis=0))
    return (
        f"the {len(bad.first_weight)} hidden units end with {rows} distinct row of weights between them and pass no "
        f"gradient on, so only the last bias learns: the loss stays at {_end(bad)}, about ln 10 = {show(math.log(10))}."
    )


def _too_large(good: Outcome, bad: Outcome) -> str:
    return (
        f"with pixels of 0 to 255 the first loss is {show(bad.losses[0])}, not about ln 10 = {show(math.log(10))}, and "
        f"it ends at {_end(bad)} instead of {_end(good)}."
    )


def _vanishing(good: Outcome, bad: Outcome) -> str:
    weights = [size for name, size in bad.gradients.items() if name.endswith("weight")]
    return (
        f"each sigmoid multiplies the gradient by at most ¼: in the first layer it is {show(weights[0])}, in the last "
        f"{show(weights[-1])}, {show(weights[-1] / weights[0])} times as large. The loss ends at {_end(bad)} "
        f"instead of {_end(good)}."
    )


FAULTS = {
    "no_zero_grad": _Fault(
        "zero_grad() forgotten",
        _HEALTHY,
        replace(_HEALTHY, zero_grad=False),
        _forgotten,
        "Call opt.zero_grad() before each backward().",
    ),
    "rate_x100": _Fault(
        "learning rate 100 times too large",
        _HEALTHY,
        replace(_HEALTHY, rate=100 * _RATE),
        _too_fast,
        "Divide the rate by 10 until the loss falls.",
    ),
    "softmax_twice": _Fault(
        "softmax before the cross-entropy",
        _HEALTHY,
        Setup(_with_softmax),
        _squashed,
        "Leave the softmax out: the cross-entropy applies it.",
    ),
    "zero_init": _Fault(
        "all weights zero at the start",
        _HEALTHY,
        Setup(_zeros),
        _symmetric,
        "Draw the weights at random, as nn.Linear does by itself.",
    ),
    "unscaled_pixels": _Fault(
        "pixels of 0 to 255 instead of 0 to 1",
        _HEALTHY,
        replace(_HEALTHY, scale=255.0),
        _too_large,
        "Divide the pixels by 255.",
    ),
    "deep_sigmoid": _Fault(
        "sigmoid in a net of 7 layers",
        _DEEP_HEALTHY,
        Setup(_deep(nn.Sigmoid), rate=_DEEP_RATE),
        _vanishing,
        "Use ReLU in deep networks.",
    ),
}


@dataclass(frozen=True)
class Broken:
    """What ``broken`` returns; notebooks show the picture and the text.

    ``symptom`` is one sentence with the numbers of this run, ``messages`` is what minigrad said.
    """

    name: str
    title: str
    symptom: str
    messages: tuple[str, ...]
    advice: str
    healthy: Outcome
    broken: Outcome
    figure: Figure

    @property
    def text(self) -> str:
        """Symptom, message and fix, a line each."""
        return "\n".join([f"{self.title}: {self.symptom}", *self.messages, f"Fix: {self.advice}"])

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        import base64

        picture: bytes = self.figure._repr_png_()  # type: ignore[attr-defined]
        source = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
        quoted = f"margin:.3rem 0;padding-left:.7rem;border-left:3px solid {ORANGE}"
        html = tag(
            "div",
            tag("img", style="max-width:100%", alt=self.text.replace("\n", " "), src=source),
            tag(
                "p",
                tag("b", "What you see."),
                f" {self.symptom[:1].upper()}{self.symptom[1:]}",
                style="margin:.6rem 0",
            ),
            tag("p", tag("b", "What minigrad says."), style="margin:.6rem 0 0"),
            [tag("p", verbatim(message), style=quoted) for message in self.messages],
            tag("p", tag("b", "Fix."), f" {self.advice}", style="margin:.6rem 0"),
            style=f"background:{WHITE};color:{INK};padding:.8rem;max-width:52rem;line-height:1.45",
        )
        return {"text/plain": self.text, "text/html": html}


def broken(name: str, epochs: int = 12, *, seed: int = 0) -> Broken:
    """Train a network on the 8x8 digits twice, once with the fault ``name``, from the same seed and batches.

    Faults: ``no_zero_grad``, ``rate_x100``, ``softmax_twice``, ``zero_init``, ``unscaled_pixels``, ``deep_sigmoid``.
    The messages are those that minigrad itself gave in the broken run. Raises ConfigError MG-906 for another name.
    """
    if name not in FAULTS:
        raise ConfigError("MG-906", f"there is no fault {name!r} to show. There are {', '.join(FAULTS)}.")
    fault = FAULTS[name]
    good, bad = train(fault.healthy, epochs, seed), train(fault.broken, epochs, seed)
    figure = _picture(fault.title, good, bad)
    return Broken(
        name, fault.title, fault.symptom(good, bad), tuple(bad.messages), fault.advice, good, bad, figure
    )


def train(setup: Setup, epochs: int, seed: int) -> Outcome:
    """Train by minigrad's own trainer and listen to what it says."""
    from minigrad.data import DataLoader, Dataset

    digits = load_digits()
    model = nn.Sequential(*setup.layers(np.random.default_rng(seed)))
    optimizer = SGD(model, lr=setup.rate)
    if not setup.zero_grad:
        optimizer.zero_grad = lambda: None  # type: ignore[method-assign]
    x = digits.x * np.float32(setup.scale)
    trained = Dataset(x[:_TRAINED], digits.y[:_TRAINED], digits.classes, "digits")
    outcome = Outcome()
    loss_of = nn.CrossEntropyLoss()

    def remembered(outputs: Tensor, labels: Any) -> Tensor:
        loss: Tensor = loss_of(outputs, labels)
        outcome.losses.append(loss.item())
        return loss

    trainer = Trainer(model, remembered, optimizer, callbacks=[SuspiciousStart(CLASSES)], compile=False)
    loader = DataLoader(trained, _BATCH, rng=np.random.default_rng(seed + 1))
    with _listening(outcome.messages), np.errstate(all="ignore"):
        trainer.fit(loader, None, epochs)
    model.zero_grad()
    with _listening([]), np.errstate(all="ignore"):
        loss_of(model(Tensor(x[:_BATCH])), digits.y[:_BATCH]).backward()
        outcome.gradients = gradient_sizes(model)
        guessed = model.eval()(Tensor(x[_TRAINED:])).numpy().argmax(axis=1)
    outcome.accuracy = float((guessed == digits.y[_TRAINED:]).mean())
    outcome.first_weight = model.parameters()[0].numpy().copy()
    return outcome


@contextmanager
def _listening(messages: list[str]) -> Iterator[None]:
    """Collect minigrad's warnings and its error, also those that this line of the user's has had before."""
    known = set(errors._warned)
    errors._warned.clear()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                yield
            except MinigradError as error:
                messages.append(str(error))
        messages[:0] = dict.fromkeys(
            str(w.message) for w in caught if issubclass(w.category, MinigradWarning)
        )
    finally:
        errors._warned.clear()
        errors._warned.update(known)


def _end(outcome: Outcome) -> str:
    """Mean loss of the last ten steps that were finite."""
    finite = [loss for loss in outcome.losses if math.isfinite(loss)]
    return show(np.mean(finite[-10:]))


def _picture(title: str, good: Outcome, bad: Outcome) -> Figure:
    from minigrad.viz.style import plain_log_ticks

    both = [loss for loss in good.losses + bad.losses if math.isfinite(loss) and loss > 0]
    with drawing(6.2, 2.9) as figure:
        axis = figure.add_axes((0, 0, 1, 1))
        if max(both) > 20 * min(both):
            plain_log_ticks(axis, "y")
        axis.grid(axis="y")
        axis.axhline(math.log(CLASSES), color=GREY, lw=1, ls=(0, (4, 3)))
        axis.annotate(
            "ln 10: nothing learnt", (1, math.log(CLASSES)), (6, 0), va="center", color=GREY, size=8,
            xycoords=axis.get_yaxis_transform(), textcoords="offset points",
        )  # fmt: skip
        for label, outcome, color, line in (("healthy", good, BLUE, "-"), ("broken", bad, ORANGE, "--")):
            axis.plot(
                range(1, len(outcome.losses) + 1), outcome.losses, line, color=color, lw=1.4, label=label
            )
        axis.set(xlabel="step", ylabel="loss of the batch")
        axis.autoscale_view()
        low = _height(axis, math.log(CLASSES)) > 0.5
        place: dict[str, Any] = {"loc": "lower left" if low else "upper left"}
        axis.legend(frameon=False, bbox_to_anchor=(1.0, 0.0 if low else 1.0), **place)
        axis.set_title(title, loc="left", weight="bold")
        share = f"right afterwards: healthy {100 * good.accuracy:.1f} %, broken {100 * bad.accuracy:.1f} %"
        axis.set_title(share, loc="right", color=GREY, size=8)
    return figure


def _height(axis: Any, value: float) -> float:
    """Where a value of y stands between the bottom (0) and the top (1) of the axis."""
    shown: float = (axis.transData + axis.transAxes.inverted()).transform((1.0, value))[1]
    return shown
