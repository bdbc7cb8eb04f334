"""The covariates of the stamps to be foretold, as the user gives them at predict."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from recurra.data.offsets import place_of
from recurra.data.panel.panel import Panel
from recurra.data.tables.files import read_table
from recurra.data.tables.notes import also_in, tell
from recurra.data.tables.places import Places
from recurra.data.tables.stamps import read_stamps
from recurra.data.tables.table import Table, as_table
from recurra.data.tables.values import covariate_values
from recurra.errors import DataError
from recurra.types import Integers

__all__ = ["future_frame"]


def future_frame(
    frame: object,
    dataset: Panel,
    h: int,
    *,
    ids: Sequence[object] | None = None,
    spacing: Integers | None = None,
) -> Panel:
    """Read the future covariates of the steps that follow every series.

    Parameters
    ----------
    frame : DataFrame, Table, str, Path or None
        A table with the identifier, the time stamp and every future covariate; rows for other
        stamps or series are left out. None will do where there are no future covariates.
    dataset : Panel
        The data they follow.
    h : int
        How many steps.
    ids : sequence, optional
        The series wanted; by default all, in their order.
    spacing : ndarray of int64, shape (records,), optional
        The usual distance between stamps on an irregular clock; by default that of `dataset`.

    Returns
    -------
    Panel
        Records of the `h` following steps: their stamps and future covariates, with no target
        observed and the past covariates left out.

    Examples
    --------
    >>> from recurra.data import Columns, from_frame
    >>> past = pd.DataFrame({"unique_id": "a", "ds": [1, 2], "y": [1, 2], "price": [5, 6]})
    >>> dataset = from_frame(past, Columns(future=["price"]))
    >>> coming = pd.DataFrame({"unique_id": "a", "ds": [3, 4], "price": [7, 8]})
    >>> future_frame(coming, dataset, h=2).future["price"]
    array([7., 8.])
    """
    dataset = dataset if ids is None else dataset.select(ids)
    clock = dataset.clock
    if not clock.regular and spacing is None:
        spacing = dataset.spacing
    times = clock.following(dataset.last_times, h, spacing)
    blank = replace(
        dataset,
        offsets=np.arange(len(dataset) + 1) * h,
        times=times.ravel(),
        target=np.full(times.size, np.nan),
        observed=np.zeros(times.size, np.bool_),
        past={},
        future={},
        notes=(),
    )
    names = dataset.columns.future
    if not names:
        return blank
    if frame is None:
        raise DataError(
            f"Future covariates are needed for the {h} steps to be foretold, but no table came",
            code="missing_future",
            column=names[0],
            hint=f"Give a table with the columns {_listed(dataset)}.",
        )
    if isinstance(frame, str | os.PathLike):
        frame = read_table(frame, dataset.columns)
    table = as_table(frame)
    rows, notes = _matching_rows(table, blank)
    places = Places(table.column(dataset.columns.id).iloc[rows], rows)
    future = {
        name: covariate_values(table.column(name).iloc[rows].reset_index(drop=True), name, places)
        for name in names
    }
    return replace(blank, future=future, notes=tuple(notes))


def _listed(dataset: Panel) -> str:
    """List the columns that are read."""
    columns = dataset.columns
    return ", ".join(map(repr, (columns.id, columns.time, *columns.future)))


def _matching_rows(table: Table, wanted: Panel) -> tuple[Integers, list[str]]:
    """Find the row of the table for every step wanted."""
    columns, clock = wanted.columns, wanted.clock
    for name in (columns.id, columns.time, *columns.future):
        table.require(name, "future covariate" if name in columns.future else "key of a step")
    notes = []
    other = [name for name in table.names if name not in columns.names]
    if other:
        told = ", ".join(map(repr, other))
        notes.append(tell(f"Columns that are not read were ignored: {told}."))
    ids = table.column(columns.id)
    places = Places(ids)
    dates = table.is_date(columns.time)
    stamps = read_stamps(table.column(columns.time), columns.time, places, dates=dates)
    if (stamps.kind, stamps.zone is None) != (clock.kind, clock.zone is None):
        raise DataError(
            f"The future stamps are {stamps.kind}s with zone {stamps.zone}, but the data's are "
            f"{clock.kind}s with zone {clock.zone}",
            code="other_clock",
            column=columns.time,
            hint="Give them as they were given to fit.",
        )
    owners = pd.Index(wanted.ids).get_indexer(pd.Index(ids))
    known = np.flatnonzero(owners >= 0)
    have = pd.MultiIndex.from_arrays([owners[known], stamps.times[known]])
    _check_once(have, known, columns.time, places)
    want = pd.MultiIndex.from_arrays(
        [np.repeat(np.arange(len(wanted)), wanted.lengths), wanted.times]
    )
    found = have.get_indexer(want)
    _check_covered(found, wanted)
    extra = table.rows - len(found)
    if extra:
        notes.append(tell(f"{extra} future rows lie outside the steps to be foretold: ignored."))
    return known[found], notes


def _check_once(have: pd.MultiIndex, rows: Integers, column: str, places: Places) -> None:
    """Refuse two rows for one step."""
    twice = np.flatnonzero(have.duplicated())
    if twice.size:
        two = int(rows[twice[0]])
        one = int(rows[np.flatnonzero(have == have[twice[0]])[0]])
        message = f"Rows {one} and {two} are for the same step"
        raise places.fault(message, "duplicate_time", column, two, hint="Keep one of them.")


def _check_covered(found: Integers, wanted: Panel) -> None:
    """Refuse a table that lacks the row of a step."""
    lacking = np.flatnonzero(found < 0)
    if lacking.size:
        step = int(lacking[0])
        record, _ = place_of(wanted.offsets, step)
        stamp = wanted.clock.show(int(wanted.times[step]))
        raise DataError(
            f"The future covariates lack the row for {stamp}{also_in(lacking.size)}",
            code="missing_future",
            record=wanted.ids[record],
            column=wanted.columns.time,
            hint=f"Give {_listed(wanted)} for each step that follows every series.",
        )
