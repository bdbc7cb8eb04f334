"""Rows of a table as steps of records: whose each row is, when it was, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from recurra.data.reading.cells import Column, numbered
from recurra.data.reading.moments import Moments
from recurra.data.tables.notes import counted, tell
from recurra.data.tables.places import Places, check_owned
from recurra.data.tables.stamps import read_stamps
from recurra.data.tables.table import Table
from recurra.errors import DataError
from recurra.types import Array, Floats, Integers

__all__ = ["Duplicates", "Owners", "Rows", "arranged", "gathered", "read_moments"]

Duplicates = Literal["error", "first", "last", "mean", "sum"]
DUPLICATES = ("error", "first", "last", "mean", "sum")
EXACT = 2**53


class Owners(NamedTuple):
    """Whose each row is.

    Parameters
    ----------
    ids : tuple
        The records, in the order of their first rows.
    numbers : ndarray of int64, shape (rows,)
        The place of each row's record among them.
    places : Places
        Knows where the rows stand in the user's table.
    """

    ids: tuple[object, ...]
    numbers: Integers
    places: Places

    @classmethod
    def read(cls, table: Table, name: str) -> Owners:
        """Read a column of identifiers; text stays text, and integers are never rounded."""
        table.require(name, "identifier")
        column = table.column(name)
        if pd.api.types.is_float_dtype(column.dtype):
            column = _whole_ids(column, name)
        numbers, found = numbered(column, name)
        check_owned(numbers, name)
        return cls(tuple(found.tolist()), numbers, Places(column))

    @classmethod
    def one_each(cls, table: Table, name: str | None) -> Owners:
        """Read a table whose rows are a record each, counted where no column identifies them."""
        if name is None:
            numbers = np.arange(table.rows)
            return cls(tuple(range(table.rows)), numbers, Places(pd.Series(numbers)))
        owners = cls.read(table, name)
        if len(owners.ids) < table.rows:
            row = int(np.argmax(pd.Series(owners.numbers).duplicated()))
            first = int(np.argmax(owners.numbers == owners.numbers[row]))
            message = f"Rows {first} and {row} have the same identifier, but a row is a record"
            hint = "Give each an identifier of its own."
            raise owners.places.fault(message, "duplicate_id", name, row, hint=hint)
        return owners


def _whole_ids(column: pd.Series, name: str) -> pd.Series:
    """Turn floats back into the integers they were, unless they may have been others."""
    values = column.to_numpy(np.float64, na_value=np.nan)
    limit = 2**24 if column.dtype in (np.float32, pd.Float32Dtype()) else EXACT
    fault = None
    with np.errstate(invalid="ignore"):
        if (odd := np.flatnonzero(np.abs(values) >= limit)).size:
            fault = f"The identifiers are {column.dtype}, which cannot tell such large ones apart"
        elif (odd := np.flatnonzero(~np.isnan(values) & (values != np.round(values)))).size:
            fault = "An identifier in numbers is an integer, but this one is not"
    if fault:
        hint = f"Read the column as text, with dtype={{{name!r}: str}}."
        row = int(odd[0])
        value = float(values[row])
        raise DataError(fault, code="inexact_id", row=row, column=name, value=value, hint=hint)
    return column if np.isnan(values).any() else pd.Series(values.astype(np.int64))


def read_moments(column: pd.Series, name: str, places: Places, *, dates: bool = False) -> Moments:
    """Read a column of times.

    Parameters
    ----------
    column : pandas.Series
        Integers, floats, timestamps, dates, or text in ISO 8601.
    name : str
        What it is called.
    places : Places
        Whose each row is.
    dates : bool
        Whether it holds dates without a time of the day.

    Returns
    -------
    Moments
        Integers and timestamps as int64, other numbers as float64.

    Examples
    --------
    >>> read_moments(pd.Series([0.0, 1.5]), "hours", Places(pd.Series(["a", "a"]))).times
    array([0. , 1.5])
    """
    if pd.api.types.is_float_dtype(column.dtype) and column.notna().all():
        values = column.to_numpy()
        exact = {2: 2**11, 4: 2**24}.get(values.itemsize, np.inf)
        if (odd := np.flatnonzero(~np.isfinite(values))).size:
            raise places.fault("A time is infinite", "infinite", name, odd[0], values[odd[0]])
        if (odd := np.flatnonzero(np.abs(values) > exact)).size:
            message = f"The times are {values.dtype}, which cannot tell such large ones apart"
            hint = "Read the column as int64 or float64."
            raise places.fault(message, "inexact_time", name, odd[0], values[odd[0]], hint)
        if (values != np.round(values)).any():
            return Moments(values.astype(np.float64), "number")
    stamps = read_stamps(column, name, places, dates=dates)
    if stamps.kind == "integer":
        return Moments(stamps.times, "number")
    notes: tuple[str, ...] = ()
    if stamps.offsets_mixed:
        said = f"The stamps in {name!r} carry different offsets: all are in UTC now."
        notes = (tell(said),)
    return Moments(stamps.times, "calendar", stamps.zone, notes)


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows grouped by record and sorted by time, and the steps they make.

    Parameters
    ----------
    owners : Owners
        Whose each row is.
    order : ndarray of int64, shape (rows,)
        The rows, record by record, in the order of time.
    steps : ndarray of int64, shape (rows,)
        The step that each of them, in this order, belongs to.
    offsets : ndarray of int64, shape (records + 1,)
        Where the steps of each record start.
    moments : Moments
        When each step was.
    notes : tuple of str
        What arranging changed.
    """

    owners: Owners
    order: Integers
    steps: Integers
    offsets: Integers
    moments: Moments
    notes: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many steps there are."""
        return int(self.offsets[-1])

    def at_steps(self, column: Column, name: str, duplicates: Duplicates) -> Floats:
        """Bring a column from rows to steps.

        Parameters
        ----------
        column : Column
            A value for each row of the table.
        name : str
            What it is called.
        duplicates : {"error", "first", "last", "mean", "sum"}
            What is done with several rows of one step. Categories have no mean and no sum: there
            the rows must agree.

        Returns
        -------
        ndarray of float64, shape (steps,)
            NaN where nothing was observed.
        """
        values, steps, rows = column.values[self.order], self.steps, self.order
        if duplicates != "error":
            seen = ~np.isnan(values)
            values, steps, rows = values[seen], steps[seen], rows[seen]
        if duplicates in ("mean", "sum") and column.categories is not None:
            duplicates = "error"

        def blame(one: int, two: int) -> DataError:
            return self.conflict(column, name, int(rows[one]), int(rows[two]))

        return gathered(values, steps, self.count, duplicates, blame)

    def conflict(self, column: Column, name: str, one: int, two: int) -> DataError:
        """Make the error for two rows of one step that say different things."""
        places = self.owners.places
        first, second = (row if places.rows is None else places.rows[row] for row in (one, two))
        said = f"{column.show(one)!r} and {column.show(two)!r}"
        return places.fault(
            f"Rows {first} and {second} have the same record and time, but different values: "
            f"{said}",
            "duplicate_time",
            name,
            two,
            hint="Keep one, or say duplicates='first', 'last', 'mean' or 'sum'.",
        )

    def constant(self, values: Array, name: str, code: str, hint: str) -> Integers:
        """Give the first row of each record, where a column is the same in all of its rows.

        Parameters
        ----------
        values : ndarray, shape (rows,)
            The column, as numbers or codes.
        name : str
            What it is called.
        code : str
            What the fault is called if it changes.
        hint : str
            What to do about it.

        Returns
        -------
        ndarray of int64, shape (records,)
            A row of each.
        """
        owners = self.owners.numbers
        firsts = np.full(len(self.owners.ids), len(owners), np.int64)
        np.minimum.at(firsts, owners, np.arange(len(owners)))
        was = values[firsts[owners]]
        differs = values != was
        if values.dtype.kind == "f":
            differs &= ~(np.isnan(values) & np.isnan(was))
        if differs.any():
            row = int(np.argmax(differs))
            message = (
                f"A column that holds for a whole record changes after row {firsts[owners[row]]}"
            )
            raise self.owners.places.fault(message, code, name, row, hint=hint)
        return firsts


def arranged(owners: Owners, moments: Moments) -> Rows:
    """Group rows by record and sort them by time; equal times of a record are one step.

    Parameters
    ----------
    owners : Owners
        Whose each row is.
    moments : Moments
        When each row was.

    Returns
    -------
    Rows
        In order, with a note if rows of a record came unsorted.

    Examples
    --------
    >>> owners = Owners(("a", "b"), np.array([0, 1, 0, 0]), Places(pd.Series([*"abaa"])))
    >>> rows = arranged(owners, Moments(np.array([1, 1, 2, 2]), "number"))
    >>> rows.order, rows.steps, rows.offsets
    (array([0, 2, 3, 1]), array([0, 1, 1, 2]), array([0, 2, 3]))
    """
    whose, times, notes = owners.numbers, moments.times, moments.notes
    order = np.arange(len(whose))
    if (whose[1:] < whose[:-1]).any():
        order = np.argsort(whose, kind="stable")
    same = whose[order][1:] == whose[order][:-1]
    new = np.ones(len(whose), np.bool_)
    if times is not None:
        back = int(((np.diff(times[order]) < 0) & same).sum())
        if back:
            said = (
                f"{counted(back, 'row was', 'rows were')} earlier than the row before: sorted now."
            )
            notes = (*notes, tell(said))
            order = np.lexsort((times, whose))
            same = whose[order][1:] == whose[order][:-1]
        new[1:] = ~same | (np.diff(times[order]) != 0)
        moments = moments._replace(times=times[order][new])
    steps = np.cumsum(new) - 1
    offsets = np.searchsorted(whose[order][new], np.arange(len(owners.ids) + 1))
    return Rows(owners, order, steps, offsets.astype(np.int64), moments, notes)


def gathered(
    values: Array,
    slots: Integers,
    size: int,
    duplicates: Duplicates,
    blame: Callable[[int, int], DataError],
) -> Floats:
    """Put values into their slots, several in one as `duplicates` says.

    Parameters
    ----------
    values : ndarray, shape (items,)
        The values.
    slots : ndarray of int64, shape (items,)
        Where each goes; they never fall.
    size : int
        How many slots there are.
    duplicates : {"error", "first", "last", "mean", "sum"}
        What is done with several in one slot; ``"error"`` keeps one of equals.
    blame : callable
        Makes the error for two items that differ.

    Returns
    -------
    ndarray of float64, shape (size,)
        NaN where nothing went.

    Examples
    --------
    >>> gathered(np.array([1.0, 3.0, 5.0]), np.array([0, 0, 2]), 3, "mean", ValueError)
    array([ 2., nan,  5.])
    """
    found = np.full(size, np.nan)
    if not len(slots):
        return found
    starts = np.flatnonzero(np.diff(slots, prepend=-1))
    if len(starts) == len(slots):
        found[slots] = values
        return found
    counts = np.diff(np.append(starts, len(slots)))
    if duplicates == "error":
        first = np.repeat(starts, counts)
        differs = (values != values[first]) & ~(np.isnan(values) & np.isnan(values[first]))
        if differs.any():
            odd = int(np.argmax(differs))
            raise blame(int(first[odd]), odd)
    if duplicates in ("error", "first"):
        found[slots[starts]] = values[starts]
    elif duplicates == "last":
        found[slots[starts]] = values[starts + counts - 1]
    else:
        sums = np.add.reduceat(values.astype(np.float64), starts)
        found[slots[starts]] = sums / counts if duplicates == "mean" else sums
    return found
