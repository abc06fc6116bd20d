"""A step on another device is recorded and shown as one on the host; a stand-in refuses what a GPU's array refuses."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minigrad as mg
from minigrad import backend, errors, nn, optim
from minigrad.errors import MinigradWarning
from minigrad.viz.trace import AccumulateGrad, Backward, Forward, Trace, Update
from tests import cuda
from tests.strict_array import StrictArray


def network(device: str, fill: float | None = None) -> tuple[nn.Module, object, object]:
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(4, 6, rng=rng), nn.ReLU(), nn.Linear(6, 3, rng=rng))
    for parameter in model.parameters() if fill is not None else ():
        parameter.data[...] = fill
    model.to(device)
    x = mg.Tensor(backend.to_device(rng.normal(size=(5, 4)).astype(np.float32), device), name="x")
    return model, x, backend.to_device(np.array([0, 1, 2, 0, 1]), device)


def recorded(device: str) -> Trace:
    model, x, labels = network(device)
    optimizer = optim.SGD(model, lr=0.1, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        loss = nn.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()

    return mg.record(step)


@pytest.fixture(scope="module", params=cuda.DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def pair(device: str) -> tuple[Trace, Trace]:
    return recorded(device), recorded("cpu")


def arrays(trace: Trace) -> list[np.ndarray]:
    found = [node.value for node in trace.nodes]
    for event in trace.events:
        if isinstance(event, Backward):
            found += [event.incoming, event.contribution, event.total]
        elif isinstance(event, AccumulateGrad):
            found.append(event.total)
        elif isinstance(event, Update):
            found += [row.value for row in event.rows]
    return found


def test_every_number_of_it_is_the_host_s(pair: tuple[Trace, Trace]) -> None:
    there, here = pair
    assert [event.kind for event in there.events] == [event.kind for event in here.events]
    assert sum(isinstance(event, Forward) for event in there.events) >= 5
    for a, b in zip(arrays(there), arrays(here), strict=True):
        assert type(a) is np.ndarray
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_it_is_shown(pair: tuple[Trace, Trace], device: str) -> None:
    told = [re.findall("<li>(.*?)</li>", trace.html(), re.DOTALL) for trace in pair]
    assert len(told[0]) == len(pair[1].events)
    if device == "strict":  # a GPU may round the last digit otherwise
        assert told[0] == told[1]


def test_its_graph_is_drawn_and_its_symptoms_are_told(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "_warned", set())  # each is told once for each line of a program
    model, x, labels = network(device, fill=0.0)
    assert device != "strict" or type(next(iter(model.parameters())).data) is StrictArray
    assert model.device == device
    loss = nn.cross_entropy(model(x), labels)
    assert "cross_entropy" in mg.viz.graph(loss).svg
    with pytest.warns(MinigradWarning, match="MG-406 the 6 units"):
        _debugged(model, x, labels)


def _debugged(model: nn.Module, x: object, labels: object) -> None:
    with mg.debug():
        nn.cross_entropy(model(x), labels).backward()
