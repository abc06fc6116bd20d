from __future__ import annotations

import csv
import io
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import Standardize, clean, load_csv
from minigrad.errors import DataError, MinigradWarning


@pytest.fixture(autouse=True)
def _nothing_was_warned_of(monkeypatch):
    monkeypatch.setattr("minigrad.errors._warned", set())


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


# Each of these first rows could be a sample with a slip; which cell has it, and what to do.
ODD_FIRST_ROWS = {
    "-,2,0": ("column 0: '-'", "leave the cell empty"),
    "1,-,0": ("column 1: '-'", "leave the cell empty"),
    "0x10,2,0": ("column 0: '0x10'", "write 16"),
    "0x10,0x11,a": ("column 0: '0x10'", "write 16"),
    "−1,2,0": ("column 0: '−1'", "write -1"),
    "−1,-,a": ("column 0: '−1'", "write -1"),
    "1_000,2,0": ("column 0: '1_000'", "write 1000"),
    "-,--,a": ("column 0: '-'", "leave the cell empty"),
    "5%,2,a": ("column 0: '5%'", "what stands behind the number"),
    "true,false,a": ("column 0: 'true'", "Write 1"),
    "width,2,0": ("column 0: 'width'", "header=True"),
    "width,height,0": ("column 0: 'width'", "header=True"),
    "2013,2014,width,a": ("column 2: 'width'", "header=True"),
    ",tall,3": ("column 1: 'tall'", "header=True"),
    "?,2 cm,a": ("column 1: '2 cm'", "what stands behind"),
    '"1,5",2,a': ("column 0: '1,5'", "write 1.5"),
    "1,2,kind": ("only here the target is no number, but 'kind'", "header=True"),
    "0,kind": ("only here the target is no number, but 'kind'", "header=True"),
    "1,2,-": ("only here the target is no number, but '-'", "header=True"),
}


@pytest.mark.parametrize("first", ODD_FIRST_ROWS)
def test_a_first_row_that_may_be_a_sample_is_never_dropped(tmp_path, first):
    place, advice = ODD_FIRST_ROWS[first]
    features = len(first.replace('"1,5"', "x").split(",")) - 1
    below = "".join(",".join([*map(str, range(5, 5 + features)), str(k)]) + "\n" for k in (0, 1, 1))
    path = write(tmp_path, f"{first}\n{below}")
    refused(path, f"line 1.*{place}.*{advice}")
    data = load_csv(path, header=True)
    assert data.y.tolist() == [0, 1, 1]
    assert data.x.tolist() == [list(range(5, 5 + features))] * 3


@pytest.mark.parametrize(
    "first",
    [
        "width,height,kind",
        ",height,kind",
        "#,height,kind",
        "id,2019-01,kind",
        "1stFlrSF,2ndFlrSF,kind",
        "NA,b,c",
    ],
)
def test_a_row_of_words_is_names(tmp_path, first):
    data = load_csv(write(tmp_path, f"{first}\n1,2,0\n3,4,1\n"))
    assert data.x.tolist() == [[1, 2], [3, 4]]
    assert data.classes == ("0", "1")


@pytest.mark.parametrize("first", ["NA,NA,a", "?,,a", "nan,null,a", "NA,2,a"])
def test_a_row_of_missing_values_is_a_sample(tmp_path, first):
    data = load_csv(write(tmp_path, f"{first}\n1,2,a\n3,4,b\n"))
    assert np.isnan(data.x[0]).any()
    assert data.y.tolist() == [0, 0, 1]


def test_whether_there_are_names_can_be_said(tmp_path):
    path = write(tmp_path, "2013,2014,0\n3,4,1\n")
    assert len(load_csv(path)) == 2
    assert load_csv(path, header=True).x.tolist() == [[3, 4]]
    assert load_csv(path, target="2014").x.tolist() == [[3, 1]]
    path = write(tmp_path, "w,h,kind\n3,4,a\n")
    refused(path, "line 1, column 0: 'w' is not a number", header=False)
    assert load_csv(write(tmp_path, "5,6,a\n3,4,1\n"), header=False).classes == ("1", "a")


def test_a_name_twice_is_no_target(tmp_path):
    refused(write(tmp_path, "a,y,y\n1,2,3\n"), "2 columns are called 'y'", target="y")
    assert load_csv(write(tmp_path, "a,a,y\n1,2,3\n"), target="y").x.tolist() == [[1, 2]]


def test_names_in_the_middle_are_recognised(tmp_path):
    refused(write(tmp_path, "w,h,kind\n1,2,a\nw,h,kind\n"), "line 3, column w: 'w'.*the columns' names again")


@pytest.mark.parametrize("missing", ["", "?", "NA", "n/a", "NaN", "null", " None "])
@pytest.mark.parametrize("others", [("a", "b"), ("0", "1"), ("-1", "+1")])
def test_rows_without_a_class_are_left_out_and_said(tmp_path, missing, others):
    text = f"1,2,{others[0]}\n3,4,{missing}\n5,6,{others[1]}\n7,8,{missing}\n"
    with pytest.warns(MinigradWarning, match=r"MG-720 .*2 of 4 rows have no target .* in line 2, 4\)"):
        data = load_csv(write(tmp_path, text))
    assert data.classes == others
    assert data.x.tolist() == [[1, 2], [5, 6]]
    assert data.unlabelled == 2
    assert "rows without a target             2  left out when it was read" in str(clean(data)[1])


def test_a_missing_regression_target_is_cleaned_away(tmp_path):
    data = load_csv(write(tmp_path, "1,2.5\n2,\n3,?\n4,1\n"))
    assert np.isnan(data.y).tolist() == [False, True, True, False]
    assert clean(data)[1].missing.tolist() == [1, 2]


def test_a_class_that_is_named_is_never_missing(tmp_path):
    data = load_csv(write(tmp_path, "1,none\n2,mild\n"), classes=("mild", "none"))
    assert data.y.tolist() == [1, 0]


def test_no_target_at_all(tmp_path):
    refused(write(tmp_path, "1,2,\n3,4,\n"), "no row has a target: the column is empty.*separator")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (("1", "−1", "2"), "line 2: the target '−1' is not a number like the others.*write -1"),
        (("1", "2", "-"), "line 3: the target '-' .*leave the cell empty"),
        (("1", "2", "1_0"), "line 3: the target '1_0' .*write 10"),
        (("1", "2", "0x3"), "line 3: the target '0x3' .*write 3"),
        (("1.5", "2", "50%"), "line 3: the target '50%'"),
        (('"1,5"', '"2,5"', '"3,0"'), "line 1: the target '1,5' .*decimal comma"),
        (("1", "inf", "2"), "line 2: the target is infinite"),
    ],
)
def test_a_target_with_a_slip_becomes_no_class(tmp_path, labels, message):
    refused(write(tmp_path, "".join(f"{k}5,{label}\n" for k, label in enumerate(labels, 1))), message)


@pytest.mark.parametrize(
    "labels", [("+", "-"), ("0x1", "0x2"), ("1_000", "2_000"), ("1", "A"), ("<5", ">5"), ("2-3", "4-5")]
)
def test_labels_that_are_only_labels_stay(tmp_path, labels):
    data = load_csv(write(tmp_path, "".join(f"1,{label}\n" for label in labels)))
    assert data.classes == tuple(sorted(labels))


def test_one_number_is_one_class_however_it_is_written(tmp_path):
    data = load_csv(write(tmp_path, "5,1\n6,+1\n7,01\n8,-1\n9,-01\n"))
    assert data.classes == ("-1", "1")
    assert data.y.tolist() == [1, 1, 1, 0, 0]
    assert load_csv(write(tmp_path, "5,1.0\n6,+0\n"), classes=("0", "1")).y.tolist() == [1, 0]


@pytest.mark.parametrize("missing", ["", "?", "NA", "n/a", "NaN", "null", " None "])
def test_missing_values_become_nan(tmp_path, missing):
    data = load_csv(write(tmp_path, f"1,{missing},a\n{missing},2,b\n"))
    assert np.isnan(data.x).tolist() == [[False, True], [True, False]]


def test_numbers_too_large_for_float32_stay_as_they_are(tmp_path):
    assert load_csv(write(tmp_path, "1e300,a\n1,b\n")).x.tolist() == [[1e300], [1]]
    assert load_csv(write(tmp_path, "-inf,a\n1e400,b\n")).x.tolist() == [[-np.inf], [np.inf]]


@pytest.mark.parametrize(
    "text",
    [
        "1;2,5;a\n3;4;b\n".replace(",", "."),
        "1\t2.5\ta\n3\t4\tb\n",
        '"1","2.5","a"\r\n"3","4","b"\r\n',
        "\ufeff1,2.5,a\n\n3,4,b\n\n",
        "\n\r\n  \n1,2.5,a\n \n3,4,b",
        "1,2.5,a\r3,4,b\r",
        '1, 2.5, "a"\n3, 4, "b"\n',
        '"price, EUR";"size, m2";y\n1;2.5;a\n3;4;b\n',
        "price, EUR;size, m2;y\n1;2.5;a\n3;4;b\n",
        '\n"price\n(EUR)",size,y\n1,2.5,a\n3,4,b\n',
        "w;h,cm;y\n1;2.5;a\n3;4;b\n",
        "w\th;cm,in\ty\n1\t2.5\ta\n3\t4\tb\n",
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
        ("1,2.5\n3,many\n", "line 2: the target 'many' is not a number like the others"),
        (b"PK\x03\x04\xff\xfe", "line 1: byte 4 is not UTF-8 text"),
        (b"1,2,a\n" * 50_000 + b"1,2,\xe9\n", "line 50001: byte 300004 is not UTF-8 text"),
        (b"1,2,a\n3,\0,b\n", "line 2 holds a NUL"),
        ("1,2,a\n".encode("utf-16-le"), "line 1 holds a NUL.*UTF-8"),
        ("1,5;3\n2,5;4\n", "line 1, column 0: '1,5' is not a number.*decimal comma: write 1.5"),
        ("1,5;3", "line 1, column 0: '1,5' is not a number.*decimal comma: write 1.5"),
        ("x;y\n1,5;3\n", "line 2, column x: '1,5' is not a number.*decimal comma"),
        ("1;2,5;a\n3;4;b\n", "line 1, column 1: '2,5' is not a number.*decimal comma"),
        ("1,5\t3\n", "line 1, column 0: '1,5' is not a number.*decimal comma"),
        ("x,y\n1,5;3\n2,5;4\n", "line 2: the target '5;3'.*more than one cell"),
        ('1,2,a\n3,4,"b\n5,6,a\n7,8,b\n', "line 2: a quotation mark opens here and nothing closes it"),
        ('1,2,a\n3,"4,b\n5,6,a\n', "line 2: a quotation mark opens here and nothing closes it"),
        ('1,2,a\n3,4,"b\n5,6,"a"\n7,8,b\n', "line 2: a quotation mark opens here and closes in line 3"),
        ('1,2,a\n3,4,"b\n5,6,"\n7,8,b\n', "line 2: the target goes on over several lines"),
        ('1,2,a\n3,4,"b"c\n', "line 2: a quotation mark opens here and text follows"),
        ('1,2,a\n3,4,"' + "b\n" * 100_000, "line 2: field larger.*quotation mark"),
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
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                data = load_csv(write(tmp_path, bytes(content)))
        except DataError as error:
            assert error.code == "MG-707"  # noqa: PT017 (either outcome is right)
        else:
            assert len(data) == len(data.y)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_that_say_what_they_are(tmp_path, encoding):
    data = load_csv(write(tmp_path, "breite,sorte\n1,ä\n2,ö\n", encoding))
    assert data.classes == ("ä", "ö")
    assert data.x.tolist() == [[1], [2]]


def test_what_float32_would_blur_stays_float64(tmp_path):
    """Unix times of a minute in steps of a second: float32 has two values for them."""
    times = 1_700_000_000 + np.arange(60)
    text = "".join(f"{time},0.1,{k % 2}\n" for k, time in enumerate(times))
    data = load_csv(write(tmp_path, text))
    assert data.x.dtype == np.float64
    assert data.x[:, 0].tolist() == times.tolist()
    scaled = Standardize.fit(data.x).apply(data.x)[:, 0].astype(np.float32)
    assert np.allclose(scaled, (np.arange(60) - 29.5) / np.sqrt((60**2 - 1) / 12), atol=1e-6)


@pytest.mark.parametrize(
    ("column", "exact", "dtype"),
    [
        ([5.1, 4.9, 6.2], False, "float32"),
        ([5.1, 4.9, 6.2], True, "float64"),
        ([0.1, 0.1, 0.1], False, "float32"),
        ([2000, 2010, 16777216], True, "float32"),
        ([16777217, 16777218, 0], True, "float64"),
        ([np.nan, 0.5, np.inf], True, "float32"),
        ([np.nan, 1e9 + 0.1, 1e9 + 0.2], False, "float64"),
        ([np.inf, 1e9 + 0.1, 1e9 + 0.2], False, "float64"),
        ([1e39, 0.1, 0.2], False, "float64"),
        ([np.nan, np.nan, 0.1], False, "float32"),
    ],
)
def test_how_wide_the_features_are(tmp_path, column, exact, dtype):
    text = "".join(f"{value},{k}\n" for k, value in enumerate(column))
    data = load_csv(write(tmp_path, text), exact=exact)
    assert data.x.dtype == dtype
    assert np.array_equal(data.x[:, 0], np.array(column, dtype), equal_nan=True)


LABELS = st.text("abcXYZ äöß-_'\"\n,;\t1", min_size=1, max_size=8).map(lambda text: f"k{text}k")


@given(st.data())
def test_what_a_csv_writer_writes_is_read_back(tmp_path_factory, data):
    """Whatever separates, quotes and ends its lines; a label may hold anything but another separator."""
    delimiter, end = data.draw(st.sampled_from(",;\t")), data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    columns, rows = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 6))
    number = st.floats(width=32, allow_nan=False)
    x = [[data.draw(number) for _ in range(columns)] for _ in range(rows)]
    y = [
        data.draw(LABELS.map(lambda t: "".join(c for c in t if c not in ",;\t" or c == delimiter))) for _ in x
    ]
    if quoting == csv.QUOTE_MINIMAL or data.draw(st.booleans()):
        y = [label.replace("\n", " ") for label in y]
    y = [label.replace(delimiter, " ") if "\n" in label else label for label in y]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end)
    if data.draw(st.booleans()):
        writer.writerow([*(f"x{k}" for k in range(columns)), "kind"])
    writer.writerows([*row, label] for row, label in zip(x, y, strict=True))
    found = load_csv(write(tmp_path_factory.getbasetemp(), text.getvalue()))
    assert found.x.astype(np.float64).tolist() == x
    assert [found.class_name(k) for k in found.y] == y


def test_a_sample_is_not_taken_for_names_because_its_target_is_called_so(tmp_path):
    path = write(tmp_path, "1,2,0\n3,4,1\n5,6,0\n")
    with pytest.raises(
        DataError, match=r"MG-707 .*line 1 has '0' as the target has it elsewhere.*header=True"
    ):
        load_csv(path, target="0")
    assert load_csv(path, target="0", header=True).x.tolist() == [[3, 4], [5, 6]]


@pytest.mark.parametrize("cell", ["#N/A", "#DIV/0!", "NaT", "(null)", "\\N", "1.#IND", "n.a."])
def test_what_other_programs_write_for_missing(tmp_path, cell):
    path = write(tmp_path, f"a,b,y\n1,{cell},0\n3,4,1\n5,6,{cell}\n7,8,1\n")
    with pytest.warns(MinigradWarning, match="MG-720"):
        table = load_csv(path)
    assert table.y.tolist() == [0, 1, 1]
    assert np.isnan(table.x[0, 1])


@pytest.mark.parametrize("cell", ["1O", "O", "l", "one", "unknown"])
def test_one_word_among_numbers_is_a_slip_and_no_class(tmp_path, cell):
    path = write(tmp_path, f"a,b,y\n1,2,0\n3,4,1\n5,6,{cell}\n7,8,1\n")
    with pytest.raises(
        DataError, match=rf"MG-707 .*line 4: the target '{cell}' is not a number like the others"
    ):
        load_csv(path)
    assert len(load_csv(path, classes=["0", "1", cell])) == 4
