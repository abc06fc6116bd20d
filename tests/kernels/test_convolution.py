"""Convolution by tiles against its references: every shape, stride, padding, dilation and group, edges and threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from minigrad_kernels import conv, conv_rows, conv_shares, conv_tiles, conv_ways, launch, patches, tiles
from minigrad_kernels.geometry import geometry_of
from minigrad_kernels.teams import Team

pytestmark = pytest.mark.skipif(tiles.size() is None, reason="there are no tiles for this processor")
EPS = np.finfo(np.float32).eps
KERNELS = (conv.forward, conv.backward_input, conv.backward_weight)


@st.composite
def convolutions(draw: Any) -> dict[str, Any]:
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    kernel, stride, dilation = (draw(st.tuples(*[st.integers(1, most)] * 2)) for most in (4, 3, 2))
    padding = draw(st.tuples(*[st.tuples(*[st.integers(0, 2)] * 2)] * 2))
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    size = [
        draw(st.integers(max(1, span - sum(sides)), 34)) for span, sides in zip(spans, padding, strict=True)
    ]
    if draw(st.integers(0, 5)) == 0:
        size[1] = draw(st.integers(300, 700))  # a row of more than one piece
    return {
        "samples": draw(st.integers(1, 9)),
        "size": tuple(size),
        "channels": groups * draw(st.sampled_from([1, 2, 3, 5, 40])),
        "outputs": groups * draw(st.sampled_from([1, 3, 6, 8, 9, 16, 17, 24, 40])),
        "kernel": kernel,
        "settings": (stride, padding, dilation, groups),
        "seed": draw(st.integers(0, 99)),
    }


def arguments(case: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What each of the kernels takes."""
    rng, how = np.random.default_rng(case["seed"]), case["settings"]
    shape = (case["samples"], case["channels"], *case["size"])
    x = rng.standard_normal(shape, dtype=np.float32)
    w = rng.standard_normal((case["outputs"], case["channels"] // how[3], *case["kernel"]), dtype=np.float32)
    size = conv.output_lengths(case["size"], case["kernel"], *how[:3])
    g = rng.standard_normal((case["samples"], case["outputs"], *size), dtype=np.float32)
    b = rng.standard_normal(case["outputs"], dtype=np.float32)
    return [(x, w, b, *how), (g, w, case["size"], *how), (g, x, case["kernel"], *how)]


@contextmanager
def always(by_rows: bool) -> Iterator[None]:
    """Let pixels lie side by side in a tile wherever they can, or nowhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conv_ways, "_rows_pay", lambda *of: by_rows and of[3].sx == 1)
        patch.setattr(conv_ways, "_sums_pay", lambda *of: by_rows and of[2].sx == 1)
        yield


@pytest.mark.parametrize("by_rows", [False, True])
@settings(max_examples=60, deadline=None)
@given(case=convolutions())
def test_tiles_agree_with_the_references(by_rows: bool, case: dict[str, Any]) -> None:
    for kernel, args in zip(KERNELS, arguments(case), strict=True):
        with always(by_rows):
            got = kernel.ways[0].run(*args)
        wanted = kernel.reference(*args)
        exact = [a.astype(float) if isinstance(a, np.ndarray) else a for a in args]
        sizes = [np.abs(a) if isinstance(a, np.ndarray) else a for a in exact]
        terms = 2 * args[0][0].size + args[1].size  # more than any of the sums has
        assert (
            np.abs(got - kernel.reference(*exact)) <= terms * EPS * kernel.reference(*sizes) + 1e-30
        ).all()
        np.testing.assert_allclose(got, wanted, atol=1e-5 * (1 + np.abs(wanted).max()) * np.sqrt(terms))


SHAPES = {
    "narrow": (7, 3, (9, 11), 6, (3, 3)),
    "wide": (3, 40, (14, 14), 64, (3, 3)),
    "several passes": (2, 70, (9, 9), 144, (3, 3)),
    "a kernel of one pixel": (5, 20, (8, 8), 24, (1, 1)),
    "few outputs": (5, 2, (11, 20), 4, (3, 3)),
    "few outputs, several pieces": (2, 5, (40, 70), 8, (3, 3)),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("by_rows", [False, True])
def test_the_bits_do_not_depend_on_the_threads(
    shape: str, stride: int, by_rows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    n, c, size, o, kernel = SHAPES[shape]
    how = ((stride, stride), ((1, 1), (1, 1)), (1, 1), 1)
    case = {
        "samples": n,
        "size": size,
        "channels": c,
        "outputs": o,
        "kernel": kernel,
        "settings": how,
        "seed": 0,
    }
    for by in (conv_rows, conv_tiles):
        monkeypatch.setattr(by, "PARALLEL_FROM", 0)
    monkeypatch.setattr(conv_shares, "PACKED_TOGETHER", 0)
    found = []
    for threads in (1, 2, 3):
        monkeypatch.setattr(launch, "threads", lambda threads=threads: threads)
        with always(by_rows):
            found.append(
                [kernel.ways[0].run(*args) for kernel, args in zip(KERNELS, arguments(case), strict=True)]
            )
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_part_that_no_pixel_of_the_gradient_reaches_is_zero() -> None:
    rng = np.random.default_rng(0)
    g, w = (rng.standard_normal(shape, dtype=np.float32) for shape in ((2, 8, 4, 4), (8, 16, 1, 1)))
    out = np.full((2, 16, 8, 8), np.nan, np.float32)
    conv.backward_input.ways[0].run(g, w, (8, 8), (2, 2), out=out)
    assert not out[:, :, 1::2].any()
    assert not out[:, :, :, 1::2].any()
    np.testing.assert_allclose(
        out[:, :, ::2, ::2], np.einsum("nohw,oc->nchw", g, w[:, :, 0, 0]), rtol=1e-4, atol=1e-5
    )


def test_loops_do_what_their_python_says() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 5, 6, 7), dtype=np.float32)
    loops = conv_tiles._loops(False)
    lay = loops.correlate.loop.names["lay"]
    for kernel, padding in (((3, 2), ((1, 2), (0, 1))), ((1, 1), ((0, 0), (0, 0)))):
        size = conv.output_lengths((6, 7), kernel, (2, 2), padding, (1, 1))
        geometry = geometry_of(size, (2, 2), padding, (1, 1))
        piece = patches.piece_of(3, 5, kernel, geometry)
        pixels, taps = patches.tables(piece, kernel, geometry)
        wanted = conv.windows(x, kernel, (2, 2), padding, (1, 1)).transpose(0, 2, 3, 1, 4, 5)
        for run in (lay, lay.plain):
            t = np.full(piece.entries, np.nan, np.float32)
            run(x, 0, 3, 0, 5, -padding[0][0], -padding[1][0], np.array(piece), t)
            seen = t[pixels[: piece.pixels, None] + taps[None, : 5 * kernel[0] * kernel[1]]]
            np.testing.assert_array_equal(seen, wanted.reshape(seen.shape))


@pytest.mark.parametrize("by_rows", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
def test_all_that_is_compiled_does_what_its_python_says(by_rows: bool, stride: int) -> None:
    case = {
        "samples": 2,
        "size": (5, 19),
        "channels": 2,
        "outputs": 7,
        "kernel": (3, 2),
        "settings": ((stride, 1), ((1, 1), (0, 1)), (1, 1), 1),
        "seed": 0,
    }
    for kernel, args in zip(KERNELS, arguments(case), strict=True):
        with always(by_rows), launch.noted() as calls:
            out = kernel.ways[0].run(*args)
        compiled = out.copy()
        out[:] = np.nan
        for what, taken in calls:
            if isinstance(what, Team):
                workers, *shared = taken
                assert workers == 1
                what.loop.plain(0, *shared)
            else:
                what.plain(*taken)
        np.testing.assert_allclose(out, compiled, rtol=1e-4, atol=1e-5)


def test_a_reference_is_taken_where_there_is_nothing_to_multiply() -> None:
    x, w = np.ones((0, 3, 5, 5), np.float32), np.ones((4, 3, 2, 2), np.float32)
    assert conv.forward.pick(x, w) is conv.forward.reference
    assert launch.kernels["conv_forward"](x, w).shape == (0, 4, 4, 4)
