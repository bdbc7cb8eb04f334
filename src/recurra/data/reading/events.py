"""Event tables: a row for every measurement, as `id, time, variable, value`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recurra.data.reading.cells import Column, numbered, read_column
from recurra.data.reading.mixed import MixedCells, sorted_names
from recurra.data.reading.outcomes import with_outcomes
from recurra.data.reading.roles import (
    Extras,
    Targets,
    check_any_observed,
    listed,
    opened_table,
    static_stream,
)
from recurra.data.reading.rows import (
    DUPLICATES,
    Duplicates,
    Moments,
    Owners,
    Rows,
    arranged,
    gathered,
    read_moments,
)
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.tables.notes import also_in, counted, tell
from recurra.data.tables.places import Places
from recurra.data.tables.table import Table
from recurra.errors import DataError, OptionError, near
from recurra.types import Booleans, Floats, Integers

__all__ = ["from_events"]

MOST_CELLS = 2**30
"""Steps times channels: 8 GiB of numbers."""


def from_events(
    frame: object,
    *,
    id: str,
    time: str,
    variable: str,
    value: str,
    channels: Sequence[str] | None = None,
    static: Sequence[str] = (),
    categorical: Sequence[str] = (),
    duplicates: Duplicates = "error",
    outcomes: object = None,
    target: Targets = None,
    group: str | None = None,
    weight: str | None = None,
) -> SequenceDataset:
    """Read a table with a row for every measurement, in any order.

    Parameters
    ----------
    frame : DataFrame
        A pandas, polars or pyarrow table.
    id, time, variable, value : str
        The columns that say whose, when, of what and how much. A row whose value is missing is a
        step at which nothing was observed.
    channels : sequence of str, optional
        The variables to be channels, in this order; by default all that are not static, sorted.
        Rows of others are left out. Name them where a second table must have the same channels.
    static : sequence of str
        The variables that hold for a whole record, such as age; they make no step.
    categorical : sequence of str
        The variables whose numbers are labels.
    duplicates : {"error", "first", "last", "mean", "sum"}
        What is done with several values of one variable at one time, or of a static variable.
        ``"error"`` keeps one of equals and refuses others. Categories have no mean and no sum, and
        static variables no sum: there they must agree.
    outcomes : DataFrame, optional
        A second table with a row for each record, that has the column `id` too.
    target : str, list of str, or dict of str to {"classes", "numbers"}, optional
        Its columns to be learnt. Text, flags and integers are classes, floats are numbers, unless
        the dict says so.
    group, weight : str, optional
        Its columns of groups, which a split never parts, and of weights.

    Returns
    -------
    SequenceDataset
        With a stream ``"values"`` that has a channel for each variable, and a step for each time at
        which a record has a row; unobserved where nothing was measured.

    Raises
    ------
    DataError
        If a column or a key is missing, a cell is no number or too large, rows contradict each
        other, or a record has no outcome; with the row in the table as it came.

    Examples
    --------
    >>> frame = pd.DataFrame(
    ...     [[7, 0, "age", 54.0], [7, 5, "pulse", 73.0], [7, 5, "temp", 36.5], [7, 9, "temp", 37]],
    ...     columns=["stay", "minute", "what", "value"],
    ... )
    >>> data = from_events(
    ...     frame, id="stay", time="minute", variable="what", value="value", static=["age"]
    ... )
    >>> data[7].streams["values"].values, data[7].static
    (array([[73. , 36.5],
           [ nan, 37. ]]), {'age': 54.0})
    """
    if duplicates not in DUPLICATES:
        raise OptionError(f"duplicates={duplicates!r}, but it is one of {DUPLICATES}.")
    table = opened_table(frame)
    Extras({}).require(
        table,
        ("identifier", [id]),
        ("time", [time]),
        ("variable", [variable]),
        ("value", [value]),
    )
    owners = Owners.read(table, id)
    dates = table.is_date(time)
    moments = read_moments(table.column(time), time, owners.places, dates=dates)
    events = _Events.read(table, variable, value, owners, listed(categorical, "categorical"))
    fixed = listed(static, "static")
    names = _channels(events, channels, fixed)
    stream, notes = _stream(events, names, fixed, moments, duplicates)
    covariates, blank = _static(events, fixed, duplicates)
    dataset = SequenceDataset(
        owners.ids,
        {"values": stream},
        static=covariates,
        notes=(*moments.notes, *notes, *check_any_observed(stream, owners.ids), *blank),
    )
    return with_outcomes(dataset, outcomes, id, Extras.named(target, (), group, weight))


@dataclass(frozen=True, eq=False)
class _Events:
    """All rows: whose, of what, how much; values as numbers or codes of their own variable."""

    owners: Owners
    variables: tuple[str, ...]
    codes: Integers
    values: Floats
    categories: dict[str, tuple[object, ...]]
    column: str

    @classmethod
    def read(
        cls, table: Table, variable: str, value: str, owners: Owners, categorical: tuple[str, ...]
    ) -> _Events:
        """Read the columns of variables and values."""
        codes, found = numbered(table.column(variable), variable)
        missing = np.flatnonzero(codes < 0)
        if missing.size:
            message = f"It is not said what was measured{also_in(missing.size)}"
            hint = "Name the variable, or drop the row."
            raise owners.places.fault(message, "null_variable", variable, missing[0], hint=hint)
        variables, place = sorted_names(found)
        codes = place[codes]
        for name in categorical:
            if name not in variables:
                raise OptionError(f"categorical names no variable. {near(name, variables)}")
        column, places = table.column(value), owners.places
        if categorical or not pd.api.types.is_numeric_dtype(column.dtype):
            cells = MixedCells.read(column, value, places)
            values, categories = cells.parted(codes, variables, categorical)
        else:
            values, categories = read_column(column, value, places).values, {}
        return cls(owners, variables, codes, values, categories, value)

    def place(self, names: Sequence[str]) -> Integers:
        """Give the place of each row's variable among some, -1 where it is none of them."""
        place = {name: k for k, name in enumerate(names)}
        known = np.array([place.get(name, -1) for name in self.variables], np.int64)
        return known[self.codes]

    def gather(
        self, rows: Integers, slots: Integers, size: int, duplicates: Duplicates, code: str
    ) -> tuple[Floats, int]:
        """Put the values of some rows into slots; say how many fell on one that was taken.

        Categories have no mean and no sum, so there they must agree.
        """
        seen = ~np.isnan(self.values[rows])
        rows, slots = rows[seen], slots[seen]
        order = np.argsort(slots, kind="stable")
        rows, slots = rows[order], slots[order]
        labels = np.array([name in self.categories for name in self.variables], np.bool_)

        def fill(part: Booleans, how: Duplicates) -> Floats:
            mine = rows[part]

            def blame(one: int, two: int) -> DataError:
                return self._conflict(int(mine[one]), int(mine[two]), code)

            return gathered(self.values[mine], slots[part], size, how, blame)

        coded = labels[self.codes[rows]]
        repeats = len(slots) - int((np.diff(slots, prepend=-1) != 0).sum())
        if duplicates not in ("mean", "sum") or not coded.any():
            return fill(np.ones(len(rows), np.bool_), duplicates), repeats
        found, also = fill(~coded, duplicates), fill(coded, "error")
        return np.where(np.isnan(also), found, also), repeats

    def _conflict(self, one: int, two: int, code: str) -> DataError:
        """Make the error for two rows that contradict each other."""
        name = self.variables[self.codes[one]]
        column = Column(self.values, self.categories.get(name))
        when = "" if code == "static_changes" else " at the same time"
        said = f"{column.show(one)!r} and {column.show(two)!r}"
        message = f"Rows {one} and {two} have different values of {name!r}{when}: {said}"
        hint = "Keep one, or say duplicates='first', 'last', 'mean' or 'sum'."
        if code == "static_changes":
            hint = "Name it among the channels, or say duplicates='first' or 'last'."
        return self.owners.places.fault(message, code, self.column, two, hint=hint)


def _channels(
    events: _Events, channels: Sequence[str] | None, static: tuple[str, ...]
) -> tuple[str, ...]:
    """List the variables that are channels."""
    if channels is None:
        names = tuple(name for name in events.variables if name not in static)
    else:
        names = listed(channels, "channels")
    twice = [name for name, count in Counter((*names, *static)).items() if count > 1]
    if twice:
        raise OptionError(f"Variable {twice[0]!r} is named twice, but it has one role.")
    if not names:
        known = ", ".join(map(repr, events.variables))
        raise OptionError(f"No variable is left to be a channel: there are {known}.")
    return names


def _stream(
    events: _Events,
    names: tuple[str, ...],
    static: tuple[str, ...],
    moments: Moments,
    duplicates: Duplicates,
) -> tuple[Stream, tuple[str, ...]]:
    """Bring the events to steps: one for each record and time."""
    place = events.place(names)
    picked = np.flatnonzero(place >= 0)
    owners = events.owners
    part = Owners(
        owners.ids, owners.numbers[picked], Places(owners.places.ids.iloc[picked], picked)
    )
    times = None if moments.times is None else moments.times[picked]
    rows = arranged(part, moments._replace(times=times, notes=()))
    _check_size(rows, names)
    slots = rows.steps * len(names) + place[picked][rows.order]
    values, repeats = events.gather(
        picked[rows.order], slots, rows.count * len(names), duplicates, "duplicate_time"
    )
    values = values.reshape(rows.count, len(names))
    stream = Stream(
        values,
        rows.offsets,
        names,
        observed=None if (seen := ~np.isnan(values)).all() else seen,
        times=rows.moments.times,
        clock=moments.clock,
        zone=moments.zone,
        categories={name: events.categories[name] for name in names if name in events.categories},
    )
    others = int((~(place >= 0) & ~(events.place(static) >= 0)).sum())
    return stream, (*rows.notes, *_notes(repeats, others, duplicates))


def _check_size(rows: Rows, names: tuple[str, ...]) -> None:
    """Refuse to make a table of steps and channels that would fill the memory."""
    if rows.count * len(names) > MOST_CELLS:
        message = f"{rows.count} steps of {len(names)} channels are too many to be held"
        hint = "Name fewer channels, or read the records in parts."
        raise DataError(message, code="too_long", hint=hint)


def _notes(repeats: int, others: int, duplicates: Duplicates) -> tuple[str, ...]:
    """Say what was done to the events."""
    notes = []
    if repeats:
        kept = "one of equals is kept" if duplicates == "error" else f"joined by {duplicates!r}"
        said = counted(repeats, "value has", "values have")
        notes.append(tell(f"{said} the record, time and variable of another: {kept}."))
    if others:
        said = counted(others, "row", "rows")
        notes.append(tell(f"Left out: {said} of variables that are no channels."))
    return tuple(notes)


def _static(
    events: _Events, names: tuple[str, ...], duplicates: Duplicates
) -> tuple[Stream | None, tuple[str, ...]]:
    """Read the variables that hold for a whole record; said twice, they must not be added up."""
    if not names:
        return None, ()
    place = events.place(names)
    rows = np.flatnonzero(place >= 0)
    count = len(events.owners.ids)
    slots = events.owners.numbers[rows] * len(names) + place[rows]
    how = "error" if duplicates == "sum" else duplicates
    values, _ = events.gather(rows, slots, count * len(names), how, "static_changes")
    values = values.reshape(count, len(names))
    stream = static_stream(
        {n: Column(values[:, k], events.categories.get(n)) for k, n in enumerate(names)}
    )
    never = np.asarray(np.isnan(values).all(axis=0))
    blank = [repr(name) for name, none in zip(names, never, strict=True) if none]
    if not blank:
        return stream, ()
    return stream, (tell(f"{len(blank)} static variables were never seen: {', '.join(blank)}."),)
