"""Long tables: a row for every record and step, a column for every channel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recurra.data.reading.roles import (
    Extras,
    TargetFor,
    Targets,
    check_any_observed,
    listed,
    opened_table,
    rounding_notes,
)
from recurra.data.reading.rows import (
    DUPLICATES,
    Duplicates,
    Moments,
    Owners,
    Rows,
    arranged,
    read_moments,
)
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.tables.notes import counted, tell
from recurra.data.tables.table import Table
from recurra.errors import OptionError

__all__ = ["from_long"]


def from_long(
    frame: object,
    *,
    id: str,
    time: str | None,
    target: Targets = None,
    target_for: TargetFor = "record",
    channels: Sequence[str] | None = None,
    categorical: Sequence[str] = (),
    static: Sequence[str] = (),
    group: str | None = None,
    weight: str | None = None,
    duplicates: Duplicates = "error",
) -> SequenceDataset:
    """Read a table with a row for every record and step, in any order.

    Parameters
    ----------
    frame : DataFrame
        A pandas, polars or pyarrow table.
    id : str
        The column that says which record a row belongs to. Text stays text (``007``).
    time : str or None
        The column that says when: numbers, timestamps, dates, or text in ISO 8601. None if the rows
        of a record are its steps as they stand.
    target : str, list of str, or dict of str to {"classes", "numbers"}, optional
        The columns to be learnt. Text, flags and integers are classes, floats are numbers, unless
        the dict says so.
    target_for : {"record", "step"}
        Whether a target holds for a whole record, and is the same in all of its rows, or for a row.
    channels : sequence of str, optional
        The columns of values; by default all that have no other role. Numbers and flags, or
        text, which becomes codes with `categories`. What is missing is unobserved.
    categorical : sequence of str
        Columns whose numbers are labels.
    static : sequence of str
        Covariates that hold for a whole record.
    group, weight : str, optional
        The columns of groups, which a split never parts, and of weights.
    duplicates : {"error", "first", "last", "mean", "sum"}
        What is done with rows of the same record and time. ``"error"`` keeps one of equal rows and
        refuses others; the rest take what is observed, channel by channel.

    Returns
    -------
    SequenceDataset
        With a stream ``"values"``; its records stand in the order of their first rows.

    Raises
    ------
    DataError
        If a column or a key is missing, a cell is no number or too large, or rows contradict each
        other; with the row in the table as it came.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame(
    ...     {"who": [*"bba"], "day": [1, 2, 1], "pulse": [60.0, None, 70.0], "ill": [0, 0, 1]}
    ... )
    >>> data = from_long(frame, id="who", time="day", target="ill")
    >>> data
    SequenceDataset(2 records; values: 1 channel, 1 to 2 steps, 33.3 % missing; targets: ill)
    >>> data.target.values.ravel()
    array([0, 1])
    """
    if duplicates not in DUPLICATES:
        raise OptionError(f"duplicates={duplicates!r}, but it is one of {DUPLICATES}.")
    table = opened_table(frame)
    extras = Extras.named(target, static, group, weight, categorical)
    owners = Owners.read(table, id)
    times = () if time is None else (time,)
    names = _channels(table, channels, {id, *times, *extras.names})
    extras.require(table, ("identifier", [id]), ("time", times), ("channel", names))
    moments = Moments(None, "step")
    if time is not None:
        dates = table.is_date(time)
        moments = read_moments(table.column(time), time, owners.places, dates=dates)
    rows = arranged(owners, moments)
    stream = _stream(table, names, extras, rows, duplicates)
    numbers = [name for name in names if name not in stream.categories]
    notes = (*rows.notes, *rounding_notes(table, numbers), *_repeats(rows, duplicates))
    notes = (*notes, *check_any_observed(stream, owners.ids))
    dataset = SequenceDataset(owners.ids, {"values": stream}, notes=notes)
    return extras.attach(dataset, table, rows, target_for, duplicates)


def _channels(table: Table, channels: Sequence[str] | None, taken: set[str]) -> tuple[str, ...]:
    """List the columns of values."""
    if channels is None:
        names = tuple(name for name in table.names if name not in taken)
    else:
        names = listed(channels, "channels")
    if not names:
        message = "No column is left to be a channel"
        raise OptionError(f"{message}: the table has {', '.join(map(repr, table.names))}.")
    return names


def _stream(
    table: Table, names: tuple[str, ...], extras: Extras, rows: Rows, duplicates: Duplicates
) -> Stream:
    """Read the channels, and bring them from rows to steps."""
    values = np.empty((rows.count, len(names)))
    categories = {}
    for k, name in enumerate(names):
        column = extras.column(table, name, rows)
        values[:, k] = rows.at_steps(column, name, duplicates)
        if column.categories is not None:
            categories[name] = column.categories
    seen = ~np.isnan(values)
    return Stream(
        values,
        rows.offsets,
        names,
        observed=None if seen.all() else seen,
        times=rows.moments.times,
        clock=rows.moments.clock,
        zone=rows.moments.zone,
        categories=categories,
    )


def _repeats(rows: Rows, duplicates: Duplicates) -> tuple[str, ...]:
    """Say how many rows fell on a step that another row had."""
    count = len(rows.order) - rows.count
    if not count:
        return ()
    kept = "one of each is kept" if duplicates == "error" else f"joined by {duplicates!r}"
    said = counted(count, "row has", "rows have")
    return (tell(f"{said} the record and time of another: {kept}."),)
