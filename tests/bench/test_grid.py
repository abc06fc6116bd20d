from __future__ import annotations

from minigrad.bench.grid import FEW, GRID, Row

SMALL = Row((4, 3, 2), 5, "sgd")


def test_the_grid_is_the_32_rows() -> None:
    assert len(GRID) == len(set(GRID)) == 32
    assert {row.network for row in GRID} == {
        "784–128–10",
        "784–128–128–10",
        "784–512–512–10",
        "784–1024–1024–10",
    }
    assert {row.batch for row in GRID} == {1, 32, 128, 1024}
    assert set(FEW) < set(GRID)


def test_parameters_are_counted_with_the_biases() -> None:
    assert SMALL.parameters == 4 * 3 + 3 + 3 * 2 + 2
    assert Row((784, 128, 10), 1, "sgd").parameters == 101_770


def test_the_products_of_a_step() -> None:
    """Forward and weight gradients of both layers, the input's gradient of the second only: 2 m k n each."""
    forward = 2 * 5 * 4 * 3 + 2 * 5 * 3 * 2
    assert SMALL.flops == 2 * forward + 2 * 5 * 2 * 3
    assert [tuple(p) for p in SMALL.products] == [
        (5, 4, 3, "right"),
        (5, 3, 2, "right"),
        (3, 5, 4, "left"),
        (2, 5, 3, "left"),
        (5, 2, 3, ""),
    ]


def test_the_bytes_of_a_step() -> None:
    """23 parameters, 15 hidden activations, 10 logits, 4 bytes each."""
    assert SMALL.bytes == 4 * (3 * 23 + 5 * 15 + 2 * 10)
    assert Row((4, 3, 2), 5, "adam").bytes == 4 * (7 * 23 + 5 * 15 + 2 * 10)


def test_a_row_passes_through_json() -> None:
    assert Row.from_dict({"widths": [4, 3, 2], "batch": 5, "optimizer": "sgd"}) == SMALL
    assert Row.from_dict(SMALL.to_dict()) == SMALL
