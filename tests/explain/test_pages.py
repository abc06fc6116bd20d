"""Every page is run: its first example must trigger its code, its second must run without a complaint."""

import re
import socket
import warnings
from importlib.resources import files

import pytest
from minigrad_kernels import gpu

import minigrad
from minigrad import explain, libraries, registry
from minigrad.errors import ConfigError, MinigradError, MinigradWarning
from tests.cupy_stand_in import DeviceArray, StandIn
from tests.strict_array import Library

CODES = explain.codes()
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MOST_LINES = 40


class Gpus(Library):
    """The stand-in's arrays, on whichever GPU they were asked for."""

    def device(self, array):
        return getattr(array, "place", "cuda:0")

    def from_numpy(self, array, device):
        found = super().from_numpy(array, device)
        found.place = device if ":" in device else f"{device}:0"
        return found


@pytest.fixture(autouse=True)
def _forget_operations():
    """Forget the operations that a page defines."""
    registry.load()
    registries = [registry.operations, registry.functions, registry.methods]
    before = [dict(each) for each in registries]
    yield
    for each, entries in zip(registries, before, strict=True):
        each.clear()
        each.update(entries)


@pytest.fixture(autouse=True)
def _own_machine(monkeypatch, tmp_path):
    """A machine with a stand-in for GPUs, without a network, and with empty folders."""
    gpus = Gpus(DeviceArray, "cuda")
    monkeypatch.setitem(libraries._array_types, DeviceArray, gpus)
    monkeypatch.setitem(libraries._devices, "cuda", gpus)
    monkeypatch.setattr(socket, "getaddrinfo", _no_network)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    with gpu.using(StandIn()):
        yield


def _no_network(*_, **__):
    raise OSError("no network in a test")


def run(source, filename):
    """Run a page's example; return the codes of the error and of the warnings it gave."""
    seen = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(source, filename, "exec"), {"__name__": "__main__"})
        except MinigradError as error:
            seen.append(str(error).split(" ")[0])
    seen += [str(w.message).split(" ")[0] for w in caught if issubclass(w.category, MinigradWarning)]
    return set(seen)


@pytest.mark.parametrize("code", CODES)
def test_the_example_triggers_the_code_and_the_fix_does_not(code):
    example, fix = BLOCK.findall(explain.page(code))
    assert run(example, f"<example of {code}>") == {code}
    assert run(fix, f"<fix of {code}>") == set()


@pytest.mark.parametrize("code", CODES)
def test_a_page_has_the_common_form_and_is_short(code):
    text = explain.page(code)
    assert text.startswith(f"# {code} {CODES[code]}\n\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Why", "Fix"]
    assert len(text.splitlines()) <= MOST_LINES
    assert max(map(len, text.splitlines())) <= 110


def test_every_code_that_minigrad_uses_has_a_page():
    package = files(minigrad)
    used = {
        code
        for path in sorted(package.rglob("*.py"))
        if "explain" not in path.parts
        for code in re.findall(r'"(MG-\d{3})"', path.read_text(encoding="utf-8"))
    }
    assert used - set(CODES) == set()


def test_codes_are_in_order_and_titled():
    assert list(CODES) == sorted(CODES)
    assert CODES["MG-101"] == "Wrong width into a layer"


@pytest.mark.parametrize("spelling", ["MG-101", "mg-101", "101", " MG-101 "])
def test_a_code_may_be_spelt_loosely(spelling):
    assert explain.page(spelling).startswith("# MG-101 ")


@pytest.mark.parametrize(("wrong", "near"), [("MG-109", "MG-101"), ("MG-2O1", "MG-201"), ("", "MG-")])
def test_an_unknown_code_names_the_nearest(wrong, near):
    with pytest.raises(ConfigError, match="MG-801 there is no page") as caught:
        explain.page(wrong)
    assert near in caught.value.message.partition("The nearest: ")[2]
