from __future__ import annotations

import numpy as np
import pytest

from minigrad.data import load_csv
from minigrad.errors import DataError


def write(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return path


def refused(path, message, code="MG-707", **options):
    with pytest.raises(DataError, match=message) as raised:
        load_csv(path, **options)
    assert raised.value.code == code
    assert str(path) in str(raised.value)


def test_numbers_and_text_labels(tmp_path):
    data = load_csv(write(tmp_path, "width,height,kind\n1,2.5,rose\n3,4,lily\n5,6e1,rose\n"))
    assert data.x.tolist() == [[1, 2.5], [3, 4], [5, 60]]
    assert data.x.dtype == np.float32
    assert data.y.tolist() == [1, 0, 1]
    assert data.y.dtype == np.int64
    assert data.classes == ("lily", "rose")
    assert data.name == "table"


def test_without_column_names(tmp_path):
    data = load_csv(write(tmp_path, "1,2,a\n3,4,b\n"))
    assert data.x.tolist() == [[1, 2], [3, 4]]
    assert data.classes == ("a", "b")


def test_column_names_that_are_numbers(tmp_path):
    data = load_csv(write(tmp_path, "0,1,label\n.5,2,7\n3,4,7\n"))
    assert data.x.tolist() == [[0.5, 2], [3, 4]]
    assert data.classes == ("7",)


@pytest.mark.parametrize("target", [0, -3, "label", " label"])
def test_the_target_by_position_and_by_name(tmp_path, target):
    path = write(tmp_path, "label,a,b\n7,1,2\n10,3,4\n")
    if target == " label":
        refused(path, "no column ' label'. Its columns are: label, a, b", target=target)
        return
    data = load_csv(path, target)
    assert data.x.tolist() == [[1, 2], [3, 4]]
    assert data.classes == ("7", "10")
    assert data.y.tolist() == [0, 1]


def test_whole_numbers_are_sorted_as_numbers(tmp_path):
    data = load_csv(write(tmp_path, "".join(f"0,{label}\n" for label in (10, 9, 1, -2))))
    assert data.classes == ("-2", "1", "9", "10")
    assert data.y.tolist() == [3, 2, 1, 0]


def test_decimal_points_mean_regression(tmp_path):
    data = load_csv(write(tmp_path, "1,2,1\n3,4,2.5\n5,6,-1e3\n"))
    assert data.y.dtype == np.float32
    assert data.y.tolist() == [1, 2.5, -1000]
    assert data.classes is None


def test_whole_numbers_as_regression_targets(tmp_path):
    data = load_csv(write(tmp_path, "1,100\n2,NaN\n"), regression=True)
    assert data.y.dtype == np.float32
    assert data.y[0] == 100
    assert np.isnan(data.y[1])


def test_the_classes_of_the_training_set_give_the_same_ids(tmp_path):
    path = write(tmp_path, "1,b\n2,c\n")
    assert load_csv(path).y.tolist() == [0, 1]
    assert load_csv(path, classes=("a", "b", "c")).y.tolist() == [1, 2]
    refused(path, "line 2: the label 'c' is none of the classes 'a', 'b'", classes=("a", "b"))


@pytest.mark.parametrize("missing", ["", "?", "NA", "n/a", "NaN", "null", " None "])
def test_missing_values_become_nan(tmp_path, missing):
    data = load_csv(write(tmp_path, f"1,{missing},a\n{missing},2,b\n"))
    assert np.isnan(data.x).tolist() == [[False, True], [True, False]]


def test_numbers_too_large_for_float32_become_infinite(tmp_path):
    assert load_csv(write(tmp_path, "1e300,a\n1,b\n")).x.tolist() == [[np.inf], [1]]


@pytest.mark.parametrize(
    "text",
    [
        "1;2,5;a\n3;4;b\n".replace(",", "."),
        "1\t2.5\ta\n3\t4\tb\n",
        '"1","2.5","a"\r\n"3","4","b"\r\n',
        "\ufeff1,2.5,a\n\n3,4,b\n\n",
    ],
)
def test_delimiters_quotes_line_ends_and_blank_lines(tmp_path, text):
    data = load_csv(write(tmp_path, text))
    assert data.x.tolist() == [[1, 2.5], [3, 4]]
    assert data.classes == ("a", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no row of two or more columns"),
        ("one\ntwo\n", "no row of two or more columns"),
        ("a,b,c\n", "column names and no row"),
        ("1,2,a\n3,b\n", "line 2 has 2 columns, the first row has 3"),
        ("w,h,kind\n1,2,a\n1,tall,b\n", "line 3, column h: 'tall' is not a number"),
        ("1,2,a\n1,tall,b\n", "line 2, column 1: 'tall' is not a number"),
        ("1,2,a\n3,4,\n", "line 2: the target is empty"),
        ("1,2.5\n3,many\n", "line 2: the target 'many' is not a number like the others"),
        (b"PK\x03\x04\xff\xfe", "byte 4 is not UTF-8 text"),
        ("1," + "9" * 200_000 + "\n", "field larger"),
    ],
)
def test_what_is_no_table_is_explained(tmp_path, text, message):
    refused(write(tmp_path, text), message)


def test_a_column_that_is_not_there(tmp_path):
    refused(write(tmp_path, "1,2,a\n"), "no column 3: the first row has 3 columns", target=3)
    refused(write(tmp_path, "1,2,a\n"), "no column -4", target=-4)


def test_missing_file(tmp_path):
    refused(tmp_path / "none.csv", "cannot be read", code="MG-703")
    refused(tmp_path, "cannot be read", code="MG-703")


def test_a_picture_table_equals_numpys_reading(tmp_path):
    table = np.random.default_rng(0).integers(0, 256, (50, 785))
    table[:, 0] %= 10
    np.savetxt(tmp_path / "digits.csv", table, fmt="%d", delimiter=",")
    data = load_csv(tmp_path / "digits.csv", target=0)
    assert np.array_equal(data.x, table[:, 1:])
    assert [int(data.class_name(y)) for y in data.y] == table[:, 0].tolist()


def test_damaged_tables_give_clear_errors_or_datasets(tmp_path):
    rng = np.random.default_rng(3)
    whole = b"width,height,kind\n" + b"".join(
        b"%d,%d.5,%s\n" % (i, -i, b"ab"[i % 2 :][:1]) for i in range(20)
    )
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(rng.integers(1, 5)):
            place = int(rng.integers(0, len(content)))
            content[place : place + int(rng.integers(0, 3))] = rng.bytes(int(rng.integers(0, 3)))
        if rng.random() < 0.3:
            del content[int(rng.integers(0, len(content))) :]
        try:
            data = load_csv(write(tmp_path, bytes(content)))
        except DataError as error:
            assert error.code == "MG-707"  # noqa: PT017 (either outcome is right)
        else:
            assert len(data) == len(data.y)
