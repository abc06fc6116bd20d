from __future__ import annotations

import json

import pytest

from minigrad.bench.data import batches, initial_weights
from minigrad.bench.further import FURTHER, MICRO, Further
from minigrad.bench.grid import ALL, COMPILED, FEW, GRID, TINY, USUAL, Row, chosen, row_of
from minigrad.errors import ConfigError

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
    assert set(FEW) < set(ALL)
    assert set(COMPILED) < set(ALL)
    assert USUAL in COMPILED


def test_parameters_are_counted_with_the_biases() -> None:
    assert SMALL.parameters == 4 * 3 + 3 + 3 * 2 + 2
    assert Row((784, 128, 10), 1, "sgd").parameters == 101_770


def test_the_products_of_a_step() -> None:
    """Forward and weight gradients of both layers, the input's gradient of the second only: 2 m k n each."""
    forward = 2 * 5 * 4 * 3 + 2 * 5 * 3 * 2
    assert SMALL.flops == 2 * forward + 2 * 5 * 2 * 3
    assert {tuple(p) for p in SMALL.products} == {
        (5, 4, 3, "right"),
        (5, 3, 2, "right"),
        (3, 5, 4, "left"),
        (2, 5, 3, "left"),
        (5, 2, 3, ""),
    }
    assert len(SMALL.products) == 5


def test_the_bytes_of_a_step() -> None:
    """23 parameters read twice and written once, with Adam two moments read and written; 20 inputs; 4 bytes each."""
    assert SMALL.bytes == 4 * (3 * 23 + 20)
    assert Row((4, 3, 2), 5, "adam").bytes == 4 * (7 * 23 + 20)
    assert SMALL.lasting_bytes == 4 * (23 + 20)
    assert Row((4, 3, 2), 5, "adam").lasting_bytes == 4 * (3 * 23 + 20)


def test_tiny_networks_are_rows() -> None:
    assert {(row.network, row.batch) for row in TINY} == {
        ("2–4–1", 1),
        ("2–4–1", 16),
        ("64–32–10", 1),
        ("64–32–10", 16),
    }
    assert all(row.group for row in TINY)
    assert not any(row.group for row in GRID)
    assert [row.network for row in ALL if isinstance(row, Row) and row.is_regression] == ["2–4–1"] * 4


@pytest.mark.parametrize("row", FURTHER, ids=lambda row: row.name)
def test_networks_beyond_dense_are_rows(row: Further) -> None:
    """What a row says of its network is what the network is: its parameters, and one product for each of its layers."""
    weights = initial_weights(row)
    assert row.parameters == sum(array.size for array in weights.values())
    assert row.group == "networks beyond dense"
    x, y = next(batches(row))
    assert len(x) == len(y) == row.batch
    assert x.nbytes == row.batch_bytes


def test_the_products_of_a_convolution_by_hand() -> None:
    """LeNet's first: 6 outputs of 25 taps at 28 by 28 pixels; the second's taps are 6 times as many."""
    products = Further("LeNet", 2).products
    assert (2 * 784, 25, 6, "right") in products
    assert (2 * 784, 6, 25, "") not in products  # nobody asks for the gradient of the picture
    assert {(200, 150, 16, "right"), (16, 200, 150, "left"), (200, 16, 150, "")} < set(products)


def test_the_smallest_gpts_have_the_published_numbers_of_parameters() -> None:
    assert [Further(kind, 1).parameters for kind in MICRO] == [4192, 14528]


def test_rows_are_chosen_by_what_they_are() -> None:
    assert chosen(["784-128-10", "2–4–1"], ["1"], ["sgd"]) == (
        Row((2, 4, 1), 1, "sgd"),
        Row((784, 128, 10), 1, "sgd"),
    )
    assert chosen(["LSTM", "gpt-of-4192"]) == (Further("LSTM", 32), Further("GPT of 4,192", 1))
    assert chosen() == ALL
    with pytest.raises(
        ConfigError, match=r"MG-802 no row has batch '7'\. There are rows with 1, 16, 32, 128, 1024"
    ):
        chosen(batches=["7"])
    with pytest.raises(ConfigError, match=r"those that do have batch 1, 16\."):
        chosen(["2-4-1"], ["1024"])


def test_a_row_passes_through_json() -> None:
    for row in (SMALL, *FURTHER):
        assert row_of(json.loads(json.dumps(row.to_dict()))) == row
