"""A table that leaves the project is a table to a spreadsheet, never a formula."""

import csv
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.cohort import ROOT
from helpers.loading.cells import neutral, restored, write_csv

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
STARTS = st.sampled_from(["", "'", "''", "=", "+", "-", "@", "\t", "\r", "\n", " =", "＝", "-0.33"])
# Half a character cannot be written in UTF-8.
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
TEXTS = st.builds("{}{}".format, STARTS, WORDS)
NUMBERS = st.floats(allow_nan=False) | st.integers(-(2**40), 2**40)


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def cells(path):
    """Every cell of a file, row by row, as a spreadsheet is handed it."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize(
    "text",
    ["=cmd|'/C calc'!A0", "@SUM(A1)", "+Age", "-2+3", "\t=1", "\r=1", " =1+1", "＝1", "'=1", "- 3",
     "-0.33 (-1.2 to 0.4)", "=", "-1_000", "-١",
     "\ufeff=1", "\u200b@x", "\x00=1"],
)  # fmt: skip
def test_a_text_that_could_be_a_formula_gets_an_apostrophe_and_loses_it_again(text):
    assert neutral(text) == f"'{text}"
    assert restored(neutral(text)) == text


@pytest.mark.parametrize(
    "value",
    ["-0.33", "+1", "-1e-05", "-inf", "<5", "*", "A - B", "65+", "’s", "'s-Hertogenbosch", "–", "",
     "a=b", "m@x", -0.33, -2, np.float64(-1.5), None, True],
)  # fmt: skip
def test_numbers_and_harmless_texts_stay_as_they_are(value):
    assert neutral(value) is value
    assert not isinstance(value, str) or restored(value) == value


@given(TEXTS)
def test_any_text_comes_back(text):
    assert restored(neutral(text)) == text
    assert not neutral(text).startswith(DANGEROUS) or is_number(text)


@given(st.lists(st.tuples(TEXTS, NUMBERS, TEXTS | NUMBERS), max_size=4), TEXTS)
@example([("x\r=1", 1.0, "y")], "a")
@example([("a", -1.5, "-0.33"), ("b", 2.0, -7)], "=n")
def test_any_table_comes_back_and_shows_no_formula(tmp_path_factory, rows, name):
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    frame = pd.DataFrame(rows, columns=[name, "number", name])
    frame[name] = frame[name].astype(object)
    write_csv(frame, path)
    header, *body = cells(path)
    assert [restored(cell) for cell in header] == [name, "number", name]
    for written, (text, number, either) in zip(body, rows, strict=True):
        assert restored(written[0]) == text and float(written[1]) == number
        if isinstance(either, str):
            assert restored(written[2]) == either
        else:
            assert float(written[2]) == either, "a number among texts is a number"
    for cell in [*header, *(cell for row in body for cell in row)]:
        assert not cell.startswith(DANGEROUS) or is_number(cell)


def test_row_labels_categories_and_repeated_columns_are_texts_too(tmp_path):
    frame = pd.DataFrame(
        [["=1", -2.0, "-3"], [None, 4.0, "@x"]], columns=["a", "b", "a"],
        index=pd.Index(["+x", "y"], name="=i"),
    )  # fmt: skip
    frame["c"] = pd.Categorical(["-a", "b"])
    write_csv(frame, tmp_path / "t.csv", index=True)
    assert cells(tmp_path / "t.csv") == [
        ["'=i", "a", "b", "a", "c"], ["'+x", "'=1", "-2.0", "-3", "'-a"],
        ["y", "", "4.0", "'@x", "b"],
    ]  # fmt: skip


def test_a_table_without_such_texts_is_written_as_pandas_writes_it(tmp_path):
    path = ROOT / "data" / "simulation" / "calibration.csv"
    frame = pd.read_csv(path)
    write_csv(frame, tmp_path / "t.csv", digits=8)
    assert (tmp_path / "t.csv").read_bytes() == path.read_bytes()
    counts = pd.DataFrame({"n": pd.Series([20, None, "<5"], dtype=object), "x": [1, 2, 3]})
    write_csv(counts, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "n,x\n20,1\n,2\n<5,3\n"


def test_every_csv_is_written_in_one_place():
    other = re.compile(r"\.to_csv\(|csv\.writer|DictWriter")
    found = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "helpers").rglob("*.py"))
        if other.search(path.read_text(encoding="utf-8"))
    ]
    assert found == ["helpers/loading/cells.py"]
