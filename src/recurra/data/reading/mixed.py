"""Columns whose cells belong to several variables, some numbers and some categories."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Number

import numpy as np
import pandas as pd

from recurra.data.reading.cells import numbered, read_column
from recurra.data.tables.places import Places
from recurra.data.tables.text import MISSING
from recurra.data.tables.values import reads_as_number, target_values
from recurra.errors import DataError
from recurra.types import Booleans, Floats, Integers

__all__ = ["MixedCells", "sorted_names"]


@dataclass(frozen=True, eq=False)
class MixedCells:
    """A column of numbers and texts, each different cell looked at once.

    Parameters
    ----------
    column : pandas.Series
        The cells.
    name : str
        What the column is called.
    places : Places
        Whose each row is.
    codes : ndarray of int64, shape (rows,)
        Which of the different cells each is, -1 where it is missing.
    numbers : ndarray of float64, shape (different cells,)
        What they are as numbers; NaN for words.
    words : ndarray of bool, shape (different cells,)
        Whether they are words; a blank is neither.
    """

    column: pd.Series
    name: str
    places: Places
    codes: Integers
    numbers: Floats
    words: Booleans

    @classmethod
    def read(cls, column: pd.Series, name: str, places: Places) -> MixedCells:
        """Tell numbers from words; a blank is neither."""
        column = column.astype(object)
        codes, cells = numbered(column, name)
        numbers, words = np.full(len(cells), np.nan), np.zeros(len(cells), np.bool_)
        for k, cell in enumerate(cells):
            real = isinstance(cell, Number) and not isinstance(cell, complex)
            if real or (isinstance(cell, str) and reads_as_number(cell) and cell not in MISSING):
                numbers[k] = _float(cell)
            elif isinstance(cell, str):
                words[k] = cell not in MISSING
            else:
                kind = type(cell).__name__
                message = f"A number or a text is read here, but there is a {kind}"
                raise places.fault(message, "text", name, int(np.argmax(codes == k)), cell)
        return cls(column, name, places, codes, numbers, words)

    def parted(
        self, variables_of: Integers, variables: tuple[str, ...], categorical: tuple[str, ...]
    ) -> tuple[Floats, dict[str, tuple[object, ...]]]:
        """Read each variable as numbers or as categories.

        Parameters
        ----------
        variables_of : ndarray of int64, shape (rows,)
            The variable of each row.
        variables : tuple of str
            What they are called.
        categorical : tuple of str
            Those whose numbers are labels.

        Returns
        -------
        values : ndarray of float64, shape (rows,)
            Numbers, or codes of the variable's own categories.
        categories : dict of str to tuple
            What the codes stand for, by variable.
        """
        word = np.append(self.words, False)[self.codes]
        number = ~np.isnan(np.append(self.numbers, np.nan)[self.codes])
        has_words, has_numbers = (
            np.bincount(variables_of[kind], minlength=len(variables)) > 0 for kind in (word, number)
        )
        values = np.where(number, np.append(self.numbers, np.nan)[self.codes], np.nan)
        categories: dict[str, tuple[object, ...]] = {}
        for k, name in enumerate(variables):
            if name not in categorical and not has_words[k]:
                continue
            rows = np.flatnonzero(variables_of == k)
            if name not in categorical and has_numbers[k]:
                raise self._mixture(name, int(rows[np.argmax(word[rows])]))
            cells = self.column.iloc[rows].reset_index(drop=True)
            places = Places(self.places.ids.iloc[rows], rows)
            read = read_column(cells.infer_objects(), self.name, places, categorical=True)
            values[rows], categories[name] = np.nan, read.categories or ()
            values[rows] = read.values
        coded = np.isin(variables_of, [k for k, n in enumerate(variables) if n in categories])
        target_values(pd.Series(np.where(coded, np.nan, values)), self.name, self.places)
        return values, categories

    def _mixture(self, variable: str, row: int) -> DataError:
        """Refuse text among the numbers of a variable."""
        hint = f"Correct the cell; or, if it holds labels, say categorical=[{variable!r}]."
        message = f"There is text among the numbers of {variable!r}"
        return self.places.fault(message, "text", self.name, row, self.column.iloc[row], hint)


def _float(cell: object) -> float:
    """Turn a number into a float; an integer too large for one is infinite."""
    try:
        return float(cell)  # type: ignore[arg-type]
    except OverflowError:
        return np.inf


def sorted_names(found: pd.Index) -> tuple[tuple[str, ...], Integers]:
    """Sort the names of variables; 1 and ``"1"`` are one.

    Parameters
    ----------
    found : pandas.Index
        The names as they came.

    Returns
    -------
    names : tuple of str
        Sorted: numbers by size, texts by letters.
    places : ndarray of int64, shape (found,)
        Where each name that came stands among them.

    Examples
    --------
    >>> sorted_names(pd.Index([10, 9]))
    (('9', '10'), array([1, 0]))
    """
    try:
        names = tuple(dict.fromkeys(map(str, sorted(found.tolist()))))
    except TypeError:
        names = tuple(sorted(set(map(str, found.tolist()))))
    where = {name: k for k, name in enumerate(names)}
    return names, np.array([where[str(each)] for each in found.tolist()], np.int64)
