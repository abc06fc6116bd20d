"""The layout: nothing overlaps, edges point down, few cross, any size in reasonable work."""

import itertools
import random

import pytest

from minigrad.viz.layout import curve, layered

# The tape of a net of three layers, x @ W + b and tanh, whose mean squared error is taken: 22 nodes.
# 0 x, 1-6 W and b, 7 y; 8-15 the layers, the first used again beside the last; 16-21 the loss.
TAPE = [
    *[
        (0, 8),
        (1, 8),
        (8, 9),
        (2, 9),
        (9, 10),
        (10, 11),
        (3, 11),
        (11, 12),
        (4, 12),
        (12, 13),
        (13, 14),
        (5, 14),
    ],
    *[
        (14, 15),
        (6, 15),
        (15, 16),
        (10, 16),
        (16, 17),
        (7, 17),
        (17, 18),
        (17, 18),
        (18, 19),
        (19, 20),
        (20, 21),
    ],
]
# The same with a penalty on two weights: each leads to both sides from the top, which forces one crossing.
PENALISED = [
    *[(0, 5), (1, 5), (5, 6), (2, 6), (6, 7), (7, 8), (3, 8), (8, 9), (4, 9), (9, 10), (11, 10), (10, 12)],
    *[
        (12, 13),
        (13, 14),
        (1, 15),
        (15, 16),
        (3, 17),
        (17, 18),
        (16, 19),
        (18, 19),
        (19, 20),
        (14, 21),
        (20, 21),
    ],
]


def boxes_of(layout, sizes):
    return [
        (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        for (x, y), (w, h) in zip(layout.positions, sizes, strict=True)
    ]


def overlaps(layout, sizes):
    return [
        (i, j)
        for (i, a), (j, b) in itertools.combinations(enumerate(boxes_of(layout, sizes)), 2)
        if a[0] < b[2] - 1e-6 and b[0] < a[2] - 1e-6 and a[1] < b[3] - 1e-6 and b[1] < a[3] - 1e-6
    ]


def crossings(layout):
    """Count the pairs of path segments that cross, by orientation: no use is made of ranks or orders."""
    segments = [
        (k, p, q) for k, path in enumerate(layout.paths) for p, q in itertools.pairwise(path) if p[1] != q[1]
    ]

    def side(p, q, r):
        area = (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
        return (area > 1e-6) - (area < -1e-6)

    return sum(
        side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
        for (i, a, b), (j, c, d) in itertools.combinations(segments, 2)
        if i != j
    )


def random_graph(seed):
    rng = random.Random(seed)
    count = rng.randrange(2, 40)
    edges = [tuple(sorted(rng.sample(range(count), 2))) for _ in range(rng.randrange(1, 2 * count))]
    return edges, [(rng.uniform(10, 120), rng.uniform(10, 50)) for _ in range(count)]


@pytest.mark.parametrize("seed", range(40))
def test_boxes_keep_apart_stay_inside_and_every_edge_points_down(seed):
    edges, sizes = random_graph(seed)
    layout = layered(edges, sizes, across=15, along=30)
    boxes = boxes_of(layout, sizes)
    assert overlaps(layout, sizes) == []
    assert min(box[0] for box in boxes) >= -1e-6
    assert min(box[1] for box in boxes) == pytest.approx(0)
    assert max(box[2] for box in boxes) <= layout.width + 1e-6
    assert max(box[3] for box in boxes) == pytest.approx(layout.height)
    for source, target in edges:
        assert boxes[target][1] - boxes[source][3] >= 30 - 1e-6


@pytest.mark.parametrize("seed", range(40))
def test_a_path_runs_from_the_bottom_of_its_source_to_the_top_of_its_target(seed):
    edges, sizes = random_graph(seed)
    layout = layered(edges, sizes)
    boxes = boxes_of(layout, sizes)
    for (source, target), path in zip(edges, layout.paths, strict=True):
        (x, y), (nx, ny) = path[0], path[-1]
        assert boxes[source][0] < x < boxes[source][2]
        assert boxes[target][0] < nx < boxes[target][2]
        assert y == pytest.approx(boxes[source][3])
        assert ny == pytest.approx(boxes[target][1])
        assert all(q[1] >= p[1] for p, q in itertools.pairwise(path))


@pytest.mark.parametrize("seed", range(40))
def test_no_path_runs_through_a_box(seed):
    edges, sizes = random_graph(seed)
    layout = layered(edges, sizes)
    boxes = boxes_of(layout, sizes)
    tops = sorted({box[1] for box in boxes})
    for (source, target), path in zip(edges, layout.paths, strict=True):
        for (x, y), (nx, ny) in itertools.pairwise(path):
            for n, (left, top, right, bottom) in enumerate(boxes):
                inside = y < bottom - 1e-6 and ny > top + 1e-6
                if n not in (source, target) and inside:
                    assert x == nx, "a path bends only between the ranks"
                    assert not left < x < right
    assert tops == sorted(tops)


def test_a_tape_of_22_nodes_has_no_crossing():
    layout = layered(TAPE, [(80, 30)] * 22)
    assert overlaps(layout, [(80, 30)] * 22) == []
    assert crossings(layout) == 0
    assert crossings(layered(PENALISED, [(80, 30)] * 22)) == 1


def test_the_order_is_improved():
    # Depth first, the targets come in the order 3, 4, 5 and the sources 2, 1, 0: as a mirrored ladder.
    layout = layered([(2, 3), (1, 3), (1, 4), (0, 4), (0, 5), (2, 6), (6, 5)], [(40, 20)] * 7)
    assert crossings(layout) <= 1
    # K(3,3) cannot be drawn in two ranks with fewer than 9 crossings.
    full = layered([(a, b) for a in range(3) for b in range(3, 6)], [(40, 20)] * 6)
    assert crossings(full) == 9


def test_a_dense_graph_of_104_nodes_stays_legible():
    rng = random.Random(4)
    edges = [(i // 4 * 4 - 4 + k, i) for i in range(4, 104) for k in rng.sample(range(4), 2)]
    first = layered(edges, [(40, 20)] * 104)
    assert overlaps(first, [(40, 20)] * 104) == []
    by_number = sum(
        (a < c) != (b < d)
        for (a, b), (c, d) in itertools.combinations(edges, 2)
        if a // 4 == c // 4 and a != c and b != d
    )
    assert crossings(first) < by_number / 2


def test_a_chain_is_a_straight_line_whatever_its_length():
    layout = layered([(i, i + 1) for i in range(999)], [(50, 20)] * 1000, along=10)
    assert {x for x, _ in layout.positions} == {25.0}
    assert [y for _, y in layout.positions] == [10 + 30 * i for i in range(1000)]
    assert (layout.width, layout.height) == (50, 999 * 30 + 20)


def test_a_parent_stands_over_the_middle_of_its_children():
    layout = layered([(0, 1), (0, 2), (0, 3)], [(40, 20)] * 4)
    left, middle, right = (layout.positions[n][0] for n in (1, 2, 3))
    assert (left, middle, right) == pytest.approx((20, 82, 144))
    assert layout.positions[0][0] == pytest.approx(82)


def test_what_is_used_late_stands_right_above_its_use():
    # 0 -> 1 -> 2 -> 3 and the parameter 4 -> 3: it belongs beside 2, not at the top.
    layout = layered([(0, 1), (1, 2), (2, 3), (4, 3)], [(40, 20)] * 5)
    assert layout.positions[4][1] == layout.positions[2][1]


def test_an_edge_given_twice_is_drawn_twice():
    layout = layered([(0, 1), (0, 1)], [(60, 20)] * 2)
    first, second = layout.paths
    assert first != second
    assert {path[0][0] for path in (first, second)} == {24.0, 36.0}


def test_a_cycle_and_a_missing_node_are_refused():
    with pytest.raises(ValueError, match="cycle"):
        layered([(0, 1), (1, 2), (2, 0)], [(10, 10)] * 3)
    with pytest.raises(ValueError, match=r"edge \(0, 5\)"):
        layered([(0, 5)], [(10, 10)] * 2)


def test_nothing_and_a_single_box():
    assert layered([], []).positions == ()
    single = layered([], [(30, 20)])
    assert (single.positions, single.width, single.height) == (((15.0, 10.0),), 30.0, 20.0)


def test_a_curve_is_vertical_at_its_points():
    assert curve([(10, 0), (10, 30), (50, 70)]) == "M10.0 0.0V30.0C10.0 50.0 50.0 50.0 50.0 70.0"
