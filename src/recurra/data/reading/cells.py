"""Columns of a table as numbers, or as codes of categories; and what is to be learnt from them."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from recurra.data.reading.answers import read_target
from recurra.data.sequences import Target
from recurra.data.tables.places import Places
from recurra.data.tables.text import MISSING
from recurra.data.tables.values import holds_text, reads_as_number, target_values
from recurra.errors import DataError, OptionError
from recurra.types import Array, Floats, Integers

__all__ = ["Answer", "Column", "numbered", "read_answers", "read_column"]

Answer = Literal["classes", "numbers"]


class Column(NamedTuple):
    """A column as numbers.

    Parameters
    ----------
    values : ndarray of float64, shape (rows,)
        Numbers, or codes; NaN where there is none.
    categories : tuple or None
        What the codes stand for; None for numbers.
    """

    values: Floats
    categories: tuple[object, ...] | None = None

    def show(self, row: int) -> object:
        """Give what stood in a row."""
        value = float(self.values[row])
        if self.categories is None or np.isnan(value):
            return value
        return self.categories[int(value)]


def read_column(
    column: pd.Series, name: str, places: Places, *, categorical: bool = False
) -> Column:
    """Read a column as numbers or categories, by what it holds.

    Parameters
    ----------
    column : pandas.Series
        The column as it came.
    name : str
        What it is called.
    places : Places
        Whose each row is.
    categorical : bool
        Whether numbers, and text that looks like them, are labels.

    Returns
    -------
    Column
        Text is categories, sorted; ``""``, ``" a"`` and ``"A"`` are different ones. Flags are 0
        and 1. What is missing is NaN.

    Raises
    ------
    DataError
        If text stands among numbers, or a number is infinite or past 1e30.

    Examples
    --------
    >>> read_column(pd.Series(["f", None, "a"]), "sex", Places(pd.Series([1, 2, 3])))
    Column(values=array([ 1., nan,  0.]), categories=('a', 'f'))
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        known = column.cat.codes.to_numpy().astype(np.float64)
        known[known < 0] = np.nan
        return Column(known, tuple(column.cat.categories.tolist()))
    if column.isna().all():
        return Column(np.full(len(column), np.nan))
    if holds_text(column) and not categorical:
        _check_text(column, name, places)
    if not (categorical or holds_text(column)):
        return Column(target_values(column, name, places))
    cells = _labels(column, name)
    try:
        codes, found = pd.factorize(cells, sort=True)
    except TypeError:
        first = type(cells[0])
        odd = next((k for k, cell in enumerate(cells) if type(cell) is not first), 0)
        message = "Labels are all text or all numbers, but this one is neither, or they are mixed"
        raise places.fault(message, "mixed_labels", name, odd, cells[odd]) from None
    return Column(np.where(codes < 0, np.nan, codes), tuple(found.tolist()))


def numbered(column: pd.Series, name: str) -> tuple[Integers, pd.Index]:
    """Number the different cells of a column in the order in which they first appear.

    Parameters
    ----------
    column : pandas.Series
        Identifiers, names or labels.
    name : str
        What it is called.

    Returns
    -------
    codes : ndarray of int64, shape (rows,)
        The number of each row's cell, -1 where it is missing.
    found : pandas.Index
        The different cells.

    Raises
    ------
    DataError
        If a cell is a list or another thing that changes; with its row.

    Examples
    --------
    >>> numbered(pd.Series(["b", "a", None, "b"]), "who")[0]
    array([ 0,  1, -1,  0])
    """
    try:
        codes, found = pd.factorize(column)
    except TypeError:
        row = next(k for k, cell in enumerate(column) if not isinstance(cell, Hashable))
        message = f"A name is read here, but there is a {type(column[row]).__name__}"
        hint = "Use text or integers."
        raise DataError(message, code="no_name", row=row, column=name, hint=hint) from None
    return codes.astype(np.int64), pd.Index(found)


def _labels(column: pd.Series, name: str) -> Array:
    """Give a column's cells as labels: whole floats as integers, what is missing as None."""
    if pd.api.types.is_float_dtype(column.dtype):
        whole = column.dropna()
        if (whole == np.round(whole)).all():
            column = column.astype("Int64")
    cells = np.array(column.astype(object).to_numpy())
    cells[column.isna().to_numpy()] = None
    if column.dtype == object:
        numbered(column, name)
    return cells


def _check_text(column: pd.Series, name: str, places: Places) -> None:
    """Refuse text among numbers, and numbers among text."""
    codes, texts = pd.factorize(column)
    like = np.array([reads_as_number(text) for text in texts], np.bool_)
    blank = np.array([text in MISSING for text in texts], np.bool_)
    numbers, words = like & ~blank, ~like & ~blank
    if not numbers.any():
        return
    if words.any():
        row = int(np.argmax(np.isin(codes, np.flatnonzero(words))))
        message = "There is text among numbers"
        hint = f"Correct the cell; or, if the column holds labels, say categorical=[{name!r}]."
    else:
        row = int(np.argmax(np.isin(codes, np.flatnonzero(numbers))))
        message = "A number is written as text"
        hint = (
            f"Turn the column into numbers with pandas.to_numeric(frame[{name!r}]); or, if it "
            f"holds labels, say categorical=[{name!r}]."
        )
    value = column.iloc[row]
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d*,\d+\s*", value):
        hint = "It has a decimal comma: read the file with pandas.read_csv(..., decimal=',')."
    raise places.fault(message, "text", name, row, value, hint)


def read_answers(column: pd.Series, name: str, places: Places, kind: Answer | None) -> Target:
    """Read a column of labels or numbers to be learnt, row by row.

    Parameters
    ----------
    column : pandas.Series
        The column as it came.
    name : str
        What it is called.
    places : Places
        Whose each row is.
    kind : {"classes", "numbers"}, optional
        What it holds; by default text, flags, categories and integers are classes, and floats are
        numbers.

    Returns
    -------
    Target
        One for each row: -1 or NaN where unknown.

    Examples
    --------
    >>> column = pd.Series([0, 1, 1])
    >>> read_answers(column, "died", Places(pd.Series([1, 2, 3])), None).classes
    (0, 1)
    >>> read_answers(column, "died", Places(pd.Series([1, 2, 3])), "numbers").values.ravel()
    array([0., 1., 1.])
    """
    if kind not in ("classes", "numbers", None):
        raise OptionError(f"A target is read as 'classes' or 'numbers', not as {kind!r}.")
    floats = pd.api.types.is_float_dtype(column.dtype)
    if kind == "numbers" or (kind is None and floats):
        cells: Array = target_values(column, name, places)
    else:
        cells = _labels(column, name)
    rows = range(len(column))
    empty = np.ones(len(column), np.int64)
    return read_target(cells, rows, name, "", empty)  # type: ignore[arg-type]
