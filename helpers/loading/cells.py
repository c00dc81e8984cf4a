"""Texts in the cells of a CSV: written so that no spreadsheet takes one for a formula, read back.

A cell that begins with =, +, -, @, a tab or a return is a formula, or hides one, to Excel,
LibreOffice and Google Sheets (OWASP, "CSV injection"). Such a text is written with an apostrophe
before it, which spreadsheets take as "this is text". Numbers are never touched.
"""

import csv
import re
from os import PathLike
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|nan)", re.ASCII | re.IGNORECASE)
# Spaces before the sign, and what has no width, do not disarm it everywhere, and neither do the
# wide signs of Asian keyboards. Apostrophes before it are counted in, so that a text that has
# some comes back with as many.
UNSEEN = "\\s\\x00-\\x1f\\x7f\ufeff\u200b-\u200d\u2060"
FORMULA = re.compile(f"'*([{UNSEEN}]*[=+\\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])")


def neutral(value: Any) -> Any:
    """A value as it may stand in a cell; only texts that could be formulas change.

    Examples
    --------
    >>> neutral("=1+1"), neutral("-0.33"), neutral(-0.33), neutral("A - B"), neutral("'=1")
    ("'=1+1", '-0.33', -0.33, 'A - B', "''=1")
    """
    if not isinstance(value, str) or not FORMULA.match(value) or NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def restored(text: str) -> str:
    """The text that `neutral` was given.

    Examples
    --------
    >>> restored("'=1+1"), restored("'s-Hertogenbosch"), restored("-0.33")
    ('=1+1', "'s-Hertogenbosch", '-0.33')
    """
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def write_csv(
    frame: pd.DataFrame, path: str | PathLike, *, index: bool = False, digits: int | None = None
) -> None:
    """Write a frame as CSV: UTF-8, commas, "\\n" at the end of a line, texts made `neutral`.

    Parameters
    ----------
    frame : DataFrame
        Its column names, and with `index` its row labels and their name, are texts as well.
    path : path-like
        The file to write.
    index : bool
        Whether to write the row labels.
    digits : int, optional
        Significant digits of numbers with decimals; by default as many as they have.
    """
    shown = frame.copy(deep=False)
    for k in range(shown.shape[1]):
        column = shown.iloc[:, k]
        if not is_numeric_dtype(column):
            cells = [neutral(value) for value in column]
            shown.isetitem(k, pd.Series(cells, shown.index, dtype=object))
    shown.columns = [neutral(name) for name in shown.columns]
    if index:
        shown.index = pd.Index(map(neutral, shown.index), name=neutral(shown.index.name))
    # csv leaves a return inside a text unquoted, and what follows it would begin a row.
    texts = shown.select_dtypes(exclude="number").to_numpy().ravel().tolist()
    broken = any("\r" in text for text in [*shown.columns, *shown.index, *texts]
                 if isinstance(text, str))  # fmt: skip
    shown.to_csv(
        path, index=index, encoding="utf-8", lineterminator="\n",
        float_format=f"%.{digits}g" if digits else None,
        quoting=csv.QUOTE_NONNUMERIC if broken else csv.QUOTE_MINIMAL,
    )  # fmt: skip
