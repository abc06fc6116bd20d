"""Every page is run: its first example must trigger its code, its second must run without a complaint."""

import re
import socket
import warnings
from importlib.resources import files

import pytest

import minigrad
from minigrad import explain, libraries, registry
from minigrad.errors import ConfigError, MinigradError, MinigradWarning

CODES = explain.codes()
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MOST_LINES = 40


class FarArray:
    """A stand-in for a GPU's array: it computes with its own kind and refuses NumPy's."""

    def __init__(self, array):
        self.host = array

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if not all(isinstance(x, FarArray | float | int) for x in inputs):
            raise TypeError("implicit copy between devices")
        return FarArray(getattr(ufunc, method)(*[getattr(x, "host", x) for x in inputs], **kwargs))

    def __mul__(self, other):
        return NotImplemented

    def __getattr__(self, name):
        return getattr(self.host, name)


class FarDevice:
    def device(self, array):
        return "cuda:0"

    def from_numpy(self, array, device):
        return FarArray(array)

    def to_numpy(self, array):
        return array.host


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
    """A machine with a stand-in for a GPU, without a network, and with empty folders."""
    monkeypatch.setitem(libraries._array_types, FarArray, FarDevice())
    monkeypatch.setitem(libraries._devices, "cuda", FarDevice())
    monkeypatch.setattr(socket, "getaddrinfo", _no_network)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.chdir(tmp_path)


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
