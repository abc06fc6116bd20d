"""Programs run in headless Chromium: arrays go in, and come back, as base64 of their numbers."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.viz.embed import asset
from tests.viz.browser.chromium import Browser

_HELPERS = """
globalThis.taken = (packed) => {
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer, v = {};
  for (const [name, [shape, type, text]] of Object.entries(packed)) {
    const wide = new Float64Array(bytes(text));
    v[name] = type === "number" ? wide[0] : numpy.astype(numpy.array(shape, "float64", wide), type);
  }
  return v;
};
globalThis.handed = (v, names) => Object.fromEntries(names.map((name) => {
  const x = typeof v[name] === "object" ? v[name] : numpy.asarray(Number(v[name]));
  const bytes = new Uint8Array(Float64Array.from(numpy.dense(x)).buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 30000) text += String.fromCharCode(...bytes.subarray(i, i + 30000));
  return [name, [x.shape, x.type, btoa(text)]];
}));
"""


def load(browser: Browser) -> None:
    """Make NumPy's functions known to the page that is open."""
    browser.js(f"{asset('numpy.js').replace('const numpy', 'globalThis.numpy', 1)};{_HELPERS};0")


def packed(array: Any) -> list[Any]:
    """An array, or a number, as the page takes it."""
    if isinstance(array, (int, float)):
        return [[], "number", base64.b64encode(np.float64(array).tobytes()).decode()]
    array = np.asarray(array)
    kind = {"b": "bool", "i": "int64", "u": "int64"}.get(array.dtype.kind, array.dtype.name)
    return [list(array.shape), kind, base64.b64encode(array.astype("<f8").tobytes()).decode()]


def unpacked(told: list[Any]) -> np.ndarray:
    shape, kind, text = told
    return np.frombuffer(base64.b64decode(text), "<f8").reshape(shape).astype(kind)


def run(browser: Browser, phases: str, given: Mapping[str, Any], names: list[str]) -> dict[str, np.ndarray]:
    """What a program's values are, forwards and then backwards."""
    told = browser.js(
        f"(() => {{ const v = taken({json.dumps({k: packed(a) for k, a in given.items()})}), program = {phases}; "
        f"program.forward(v); program.backward(v); return handed(v, {json.dumps(names)}); }})()"
    )
    return {name: unpacked(each) for name, each in told.items()}
