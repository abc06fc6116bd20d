import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from minigrad.viz import plots


def history(epochs):
    falling = np.exp(-np.arange(epochs) / 5)
    return {
        "epoch": list(range(1, epochs + 1)),
        "loss": (2.3 * falling + 0.01).tolist(),
        "val_loss": (2.3 * falling + 0.05).tolist(),
        "val_accuracy": (1 - 0.9 * falling).tolist(),
        "lr": [0.001] * epochs,
    }


def size_of(path):
    """Decode the whole file, so that a truncated PNG fails; return its width and height."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        image.load()
        return image.size


@pytest.mark.parametrize("epochs", [1, 2, 20, 1000])
def test_curves_have_the_same_panels_for_any_number_of_epochs(tmp_path, epochs):
    plots.curves(history(epochs), tmp_path / "curves.png")
    width, height = size_of(tmp_path / "curves.png")
    assert 900 < width < 1400
    assert 1000 < height < 1400


def test_curves_leave_out_what_was_not_measured(tmp_path):
    full = history(5)
    plots.curves(full, tmp_path / "full.png")
    plots.curves(
        {"epoch": full["epoch"], "loss": full["loss"], "val_loss": [None] * 5}, tmp_path / "loss.png"
    )
    assert size_of(tmp_path / "loss.png")[1] < size_of(tmp_path / "full.png")[1] / 2


def test_curves_accept_a_run_that_broke_down_or_never_started(tmp_path):
    broken = history(5) | {"loss": [1.0, 2.0, np.inf, np.nan, np.nan], "lr": [0.0] * 5}
    plots.curves(broken, tmp_path / "broken.png")
    plots.curves({"epoch": [], "loss": [], "val_loss": []}, tmp_path / "empty.png")
    size_of(tmp_path / "broken.png")
    size_of(tmp_path / "empty.png")


def test_labels_are_moved_apart_only_where_they_would_overlap():
    np.testing.assert_allclose(plots._spread(np.array([10.0, 100.0])), [0, 0])
    upper, lower = np.array([50.0, 47.0]) + plots._spread(np.array([50.0, 47.0]))
    assert upper - lower == pytest.approx(plots._LABEL_GAP)
    assert upper + lower == pytest.approx(97.0)
    first, second = plots._spread(np.array([50.0, 50.0]))
    assert abs(first - second) == pytest.approx(plots._LABEL_GAP)


@pytest.mark.parametrize("classes", [1, 2, 10, 30])
def test_confusion_grows_with_the_classes(tmp_path, classes):
    matrix = np.diag(np.full(classes, 950)) + np.eye(classes, k=1, dtype=int)
    plots.confusion(matrix, [f"${i}$ \\frac{{, long" for i in range(classes)], tmp_path / "confusion.png")
    width, height = size_of(tmp_path / "confusion.png")
    assert min(width, height) > 67 * classes


def test_confusion_colours_right_blue_wrong_orange_and_zero_white():
    shades = plots._shades(np.array([[1.0, 0.5], [0.0, 1.0]]))
    np.testing.assert_allclose(shades[0, 0], [0x00 / 255, 0x72 / 255, 0xB2 / 255])
    np.testing.assert_allclose(shades[0, 1], [(255 + 0xD5) / 510, (255 + 0x5E) / 510, 255 / 510])
    np.testing.assert_allclose(shades[1, 0], [1, 1, 1])


def test_confusion_of_classes_without_samples(tmp_path):
    plots.confusion([[0, 0], [0, 0]], ["cat", "dog"], tmp_path / "confusion.png")
    size_of(tmp_path / "confusion.png")
    assert plots._percent_or_dash(0, 0) == "–"
    assert plots._percent_or_dash(940, 943) == "99.7"


@pytest.mark.parametrize(("wrong", "rows"), [(0, 1), (1, 1), (6, 1), (7, 2), (24, 4), (80, 4)])
def test_mistakes_show_at_most_24_tiles(tmp_path, wrong, rows):
    rng = np.random.default_rng(0)
    truth = np.arange(100) % 10
    predicted = np.where(np.arange(100) < wrong, (truth + 1) % 10, truth)
    plots.mistakes(
        rng.random((100, 64)), truth, predicted, rng.random(100), (8, 8), tmp_path / "mistakes.png"
    )
    height = size_of(tmp_path / "mistakes.png")[1]
    assert 200 * rows < height < 232 * rows + 200


def test_mistakes_draws_the_most_confident_first_with_truth_and_prediction(tmp_path, monkeypatch):
    titles = []
    from matplotlib.axes import Axes

    draw = Axes.set_title
    monkeypatch.setattr(
        Axes, "set_title", lambda axis, text, **style: titles.append(text) or draw(axis, text, **style)
    )
    plots.mistakes(
        np.zeros((4, 2, 2, 3)),
        truth=[7, 3, 4, 9],
        predicted=[1, 3, 9, 4],
        confidence=[0.7, 0.99, 0.984, 0.5],
        image_shape=(2, 2, 3),
        path=tmp_path / "mistakes.png",
    )
    assert titles == ["4 → 9 (98 %)", "7 → 1 (70 %)", "9 → 4 (50 %)"]


@pytest.mark.parametrize("failing", ["drawing", "writing"])
def test_a_failure_leaves_the_old_picture_and_no_litter(tmp_path, monkeypatch, failing):
    from matplotlib.figure import Figure

    def fail(*_, **__):
        raise OSError("disk full")

    target = tmp_path / "curves.png"
    target.write_bytes(b"the old picture")
    monkeypatch.setattr(Figure, "subplots" if failing == "drawing" else "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        plots.curves(history(3), target)
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]
    assert target.read_bytes() == b"the old picture"


def test_pictures_leave_matplotlib_s_settings_alone(tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    plots.curves(history(2), tmp_path / "curves.png")
    assert dict(matplotlib.rcParams) == before


def test_matplotlib_is_imported_when_drawing_and_pyplot_never(tmp_path):
    program = f"""
import sys
from minigrad.viz import plots
assert "matplotlib" not in sys.modules
plots.curves({{"epoch": [1], "loss": [1.0]}}, {str(tmp_path / "curves.png")!r})
plots.confusion([[3, 1], [0, 2]], "ab", {str(tmp_path / "confusion.png")!r})
plots.mistakes([[0.0] * 4], [1], [0], [0.5], (2, 2), {str(tmp_path / "mistakes.png")!r})
assert "matplotlib" in sys.modules and "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
