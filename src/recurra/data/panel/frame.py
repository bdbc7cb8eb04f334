"""From a long table to a `Panel`: read, check, sort, complete.

Every fault is an error that names the row in the table as it came; every treatment is a note.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pandas as pd

from recurra.data.panel.clock import Clock
from recurra.data.panel.panel import Panel
from recurra.data.tables.columns import Columns
from recurra.data.tables.files import read_table
from recurra.data.tables.notes import also_in, counted, tell
from recurra.data.tables.places import Places, check_owned
from recurra.data.tables.stamps import Stamps, read_stamps
from recurra.data.tables.table import Table, as_table
from recurra.data.tables.values import count_inexact, covariate_values, target_values
from recurra.errors import DataError, OptionError
from recurra.types import Array, Integers

__all__ = ["from_frame"]


def from_frame(
    frame: object,
    columns: Columns | None = None,
    *,
    freq: str | int | None = None,
    clock: Clock | None = None,
) -> Panel:
    """Read a long table.

    Parameters
    ----------
    frame : DataFrame, Table, str or Path
        A pandas, polars or pyarrow table, or a file of one, with a row for every series and
        time stamp, in any order.
    columns : Columns, optional
        The roles of its columns; by default ``unique_id``, ``ds`` and ``y``.
    freq : str or int, optional
        The step between stamps, as for `Clock`; by default the one most stamps keep.
    clock : Clock, optional
        The clock of earlier rows that these belong with, instead of `freq`.

    Returns
    -------
    Panel
        Its records, in the order of their first rows.

    Examples
    --------
    >>> frame = pd.DataFrame({"unique_id": ["b", "b", "a"], "ds": [1, 2, 1], "y": [1.0, 2.0, 5.0]})
    >>> dataset = from_frame(frame)
    >>> dataset.ids, dataset.target
    (('b', 'a'), array([1., 2., 5.]))
    """
    if freq is not None and clock is not None:
        raise OptionError("freq and clock were both given. Give one of them.")
    columns = columns or Columns()
    if isinstance(frame, str | os.PathLike):
        frame = read_table(frame, columns)
    table = as_table(frame)
    _check_columns(table, columns)
    ids, owners, places = _read_ids(table, columns.id)
    dates = table.is_date(columns.time)
    stamps = read_stamps(table.column(columns.time), columns.time, places, dates=dates)
    target = target_values(table.column(columns.target), columns.target, places)
    covariates = {
        name: covariate_values(table.column(name), name, places) for name in columns.covariates
    }
    order, notes = _sorted_order(owners, stamps.times)
    values = {columns.target: target, **covariates}
    order, repeats = _without_repeats(order, owners, stamps.times, values, columns, places)
    notes = [*_reading_notes(table, columns, stamps), *notes, *repeats]
    offsets = np.searchsorted(owners[order], np.arange(len(ids) + 1))
    dataset = Panel(
        ids=ids,
        offsets=offsets,
        times=stamps.times[order],
        target=target[order],
        observed=~np.isnan(target[order]),
        past={name: covariates[name][order] for name in columns.past},
        future={name: covariates[name][order] for name in columns.future},
        static=_read_static(covariates, order, offsets, columns, places),
        clock=Clock(stamps.kind, None, stamps.zone, stamps.unit),
        columns=columns,
        notes=tuple(notes),
    )
    if clock is None:
        _check_observed(dataset)
    return _on_a_clock(dataset, freq, clock)


def _check_columns(table: Table, columns: Columns) -> None:
    """Refuse a table that lacks a column or has no row."""
    roles = {columns.id: "identifier", columns.time: "time stamp", columns.target: "target"}
    for name in columns.names:
        table.require(name, roles.get(name, "covariate"))
    if not table.rows:
        raise DataError("The table has no rows", code="empty", hint="Give at least one series.")


def _read_ids(table: Table, name: str) -> tuple[tuple[object, ...], Integers, Places]:
    """Number the series in the order in which they first appear."""
    column = table.column(name)
    owners, found = pd.factorize(column)
    check_owned(owners, name)
    if pd.api.types.is_float_dtype(column.dtype) and (column.abs() >= 2**53).any():
        raise DataError(
            f"The identifiers are {column.dtype}, which cannot tell such large ones apart",
            code="inexact_id",
            row=int(np.argmax(column.abs() >= 2**53)),
            column=name,
            hint=f"Read the column as text, with dtype={{{name!r}: str}}.",
        )
    return tuple(pd.Index(found).tolist()), owners.astype(np.int64), Places(column)


def _reading_notes(table: Table, columns: Columns, stamps: Stamps) -> list[str]:
    """Say what reading changed."""
    notes = []
    if stamps.offsets_mixed:
        said = f"The stamps in {columns.time!r} carry different offsets: all are in UTC now."
        notes.append(tell(said))
    for name in (columns.target, *columns.covariates):
        inexact = count_inexact(table.column(name))
        if inexact:
            said = counted(inexact, "integer", "integers")
            notes.append(tell(f"Rounded, being past 2**53: {said} in {name!r}."))
    return notes


def _sorted_order(owners: Integers, times: Integers) -> tuple[Integers, list[str]]:
    """Group the rows by series and sort them by time, keeping the order of equals."""
    same = owners[1:] == owners[:-1]
    interleaved = bool((owners[1:] < owners[:-1]).any())
    grouped = np.argsort(owners, kind="stable") if interleaved else np.arange(len(owners))
    if interleaved:
        same = owners[grouped][1:] == owners[grouped][:-1]
    back = int(((np.diff(times[grouped]) < 0) & same).sum())
    notes = []
    if interleaved:
        notes.append(tell("The rows of different series were interleaved: they are grouped now."))
    if back:
        said = f"{counted(back, 'row was', 'rows were')} earlier than the row before: sorted now."
        notes.append(tell(said))
    order = np.lexsort((times, owners)) if back else grouped
    return order, notes


def _without_repeats(
    order: Integers,
    owners: Integers,
    times: Integers,
    values: dict[str, Array],
    columns: Columns,
    places: Places,
) -> tuple[Integers, list[str]]:
    """Drop rows that say again what the row before them said; refuse those that say otherwise."""
    first, second = order[:-1], order[1:]
    repeated = (owners[first] == owners[second]) & (times[first] == times[second])
    if not repeated.any():
        return order, []
    first, second = first[repeated], second[repeated]
    for name, column in values.items():
        other = np.flatnonzero(~_equal(column[first], column[second]))
        if other.size:
            one, two = int(first[other[0]]), int(second[other[0]])
            raise places.fault(
                f"Rows {one} and {two} have the same time stamp, but different values: "
                f"{column[one]} and {column[two]}",
                "duplicate_time",
                name,
                two,
                hint=f"Keep one, or join them with frame.groupby([{columns.id!r}, "
                f"{columns.time!r}]).mean().",
            )
    said = counted(len(second), "row repeats", "rows repeat")
    note = f"{said} the row before: one of each is kept."
    return order[np.concatenate([[True], ~repeated])], [tell(note)]


def _equal(one: Array, two: Array) -> Array:
    """Compare cell by cell, where NaN equals NaN."""
    equal = one == two
    return equal | (np.isnan(one) & np.isnan(two)) if one.dtype.kind == "f" else equal


def _read_static(
    covariates: dict[str, Array],
    order: Integers,
    offsets: Integers,
    columns: Columns,
    places: Places,
) -> dict[str, Array]:
    """Take each static covariate from its series' first row; refuse one that changes."""
    firsts = np.repeat(offsets[:-1], np.diff(offsets))
    static = {}
    for name in columns.static:
        values = covariates[name][order]
        changed = np.flatnonzero(values != values[firsts])
        if changed.size:
            one, two = int(order[firsts[changed[0]]]), int(order[changed[0]])
            was = covariates[name][one]
            message = f"A static covariate changes within its series, where row {one} has {was}"
            hint = "Name it among the past or future covariates."
            value = covariates[name][two]
            raise places.fault(message, "static_changes", name, two, value, hint)
        static[name] = values[offsets[:-1]]
    return static


def _check_observed(dataset: Panel) -> None:
    """Refuse a series of which nothing was observed."""
    seen = np.add.reduceat(dataset.observed, dataset.offsets[:-1], dtype=np.int64)
    blank = np.flatnonzero(seen == 0)
    if blank.size:
        raise DataError(
            f"Every value of the series is missing{also_in(blank.size)}",
            code="empty_series",
            record=dataset.ids[blank[0]],
            column=dataset.columns.target,
            hint="Leave such series out.",
        )


def _on_a_clock(dataset: Panel, freq: str | int | None, clock: Clock | None) -> Panel:
    """Give the data set its clock, and insert the stamps missing from a regular one."""
    have = dataset.clock
    if clock is None and freq is None:
        clock = Clock.infer(
            dataset.times, dataset.offsets, kind=have.kind, zone=have.zone, unit=have.unit
        )
        if not clock.regular and len(dataset.times) > len(dataset):
            note = tell("The time stamps keep no regular step: the clock is taken as irregular.")
            dataset = replace(dataset, notes=(*dataset.notes, note))
        dataset = replace(dataset, clock=clock)
        return dataset.completed(strict=False) if clock.regular else dataset
    if clock is None:
        clock = replace(have, step=freq)
    elif (clock.kind, clock.zone is None) != (have.kind, have.zone is None):
        raise DataError(
            f"The stamps are read as {_spell(have)}, but those before were {_spell(clock)}",
            code="other_clock",
            column=dataset.columns.time,
            hint="Give them as they were given before.",
        )
    dataset = replace(dataset, clock=clock)
    return dataset.completed(strict=True) if clock.regular else dataset


def _spell(clock: Clock) -> str:
    """Say what stamps a clock reads."""
    return f"{clock.kind}s" if clock.zone is None else f"{clock.kind}s with a time zone"
