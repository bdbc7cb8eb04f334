"""Event tables: a row for every measurement, as `id, time, variable, value`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Number

import numpy as np
import pandas as pd

from recurra.data.reading.cells import Column, numbered, read_column
from recurra.data.reading.roles import (
    Extras,
    Targets,
    check_any_observed,
    listed,
    offsets_of,
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
from recurra.data.tables.notes import tell
from recurra.data.tables.places import Places
from recurra.data.tables.table import Table
from recurra.data.tables.text import MISSING
from recurra.data.tables.values import reads_as_number, target_values
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
        ``"error"`` keeps one of equals and refuses others.
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
    dataset = SequenceDataset(
        owners.ids,
        {"values": stream},
        static=_static(events, fixed, duplicates) if fixed else None,
        notes=(*moments.notes, *notes, *check_any_observed(stream, owners.ids)),
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
            message = f"It is not said what was measured, as in {missing.size} rows in all"
            hint = "Name the variable, or drop the row."
            raise owners.places.fault(message, "null_variable", variable, missing[0], hint=hint)
        variables, place = _sorted_names(found)
        codes = place[codes]
        for name in categorical:
            if name not in variables:
                raise OptionError(f"categorical names no variable. {near(name, variables)}")
        column, places = table.column(value), owners.places
        if categorical or not pd.api.types.is_numeric_dtype(column.dtype):
            cells = _Cells.read(column, value, places)
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


def _float(cell: object) -> float:
    """Turn a number into a float; an integer too large for one is infinite."""
    try:
        return float(cell)  # type: ignore[arg-type]
    except OverflowError:
        return np.inf


def _sorted_names(found: pd.Index) -> tuple[tuple[str, ...], Integers]:
    """Sort the names of variables, and say where each one found stands; 1 and "1" are one."""
    try:
        names = tuple(dict.fromkeys(map(str, sorted(found.tolist()))))
    except TypeError:
        names = tuple(sorted(set(map(str, found.tolist()))))
    where = {name: k for k, name in enumerate(names)}
    return names, np.array([where[str(each)] for each in found.tolist()], np.int64)


@dataclass(frozen=True, eq=False)
class _Cells:
    """A column whose numbers and texts belong to different variables; each different cell once."""

    column: pd.Series
    name: str
    places: Places
    codes: Integers
    numbers: Floats
    words: Booleans

    @classmethod
    def read(cls, column: pd.Series, name: str, places: Places) -> _Cells:
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
        """Read each variable as numbers or as categories."""
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
        notes.append(
            tell(f"{repeats} values had the record, time and variable of another: {kept}.")
        )
    if others:
        notes.append(tell(f"{others} rows of variables that are no channels were left out."))
    return tuple(notes)


def _static(events: _Events, names: tuple[str, ...], duplicates: Duplicates) -> Stream:
    """Read the variables that hold for a whole record."""
    place = events.place(names)
    rows = np.flatnonzero(place >= 0)
    count = len(events.owners.ids)
    slots = events.owners.numbers[rows] * len(names) + place[rows]
    values, _ = events.gather(rows, slots, count * len(names), duplicates, "static_changes")
    values = values.reshape(count, len(names))
    never = np.asarray(np.isnan(values).all(axis=0))
    blank = [name for name, none in zip(names, never, strict=True) if none]
    if blank:
        tell(f"{len(blank)} static variables were never observed: {', '.join(map(repr, blank))}.")
    return static_stream(
        {n: Column(values[:, k], events.categories.get(n)) for k, n in enumerate(names)}
    )


def with_outcomes(
    dataset: SequenceDataset, outcomes: object, id: str, extras: Extras
) -> SequenceDataset:
    """Add what a second table says of each record.

    Parameters
    ----------
    dataset : SequenceDataset
        The records.
    outcomes : DataFrame or None
        A row for each record.
    id : str
        Its column of identifiers.
    extras : Extras
        Its other columns.

    Returns
    -------
    SequenceDataset
        With targets, static covariates, groups and weights, as `extras` names them.
    """
    if (outcomes is None) != (not extras.names):
        message = "outcomes is a second table, and target, group and weight name its columns"
        raise OptionError(f"{message}: give both, or neither.")
    if outcomes is None:
        return dataset
    table = opened_table(outcomes)
    owners = Owners.read(table, id)
    extras.require(table, ("identifier", [id]))
    place = {name: k for k, name in enumerate(owners.ids)}
    lost = [name for name in dataset.ids if name not in place]
    if lost:
        other = type(owners.ids[0]).__name__
        hint = "Add it to the outcomes, or drop its rows."
        if len(lost) == len(dataset.ids) and type(lost[0]).__name__ != other:
            hint = f"The identifiers there are of type {other}, not {type(lost[0]).__name__}."
        message = f"The record has no row among the outcomes, as {len(lost)} in all"
        raise DataError(message, code="missing_outcome", record=lost[0], column=id, hint=hint)
    notes = dataset.notes
    if len(owners.ids) > len(dataset):
        more = len(owners.ids) - len(dataset)
        notes = (*notes, tell(f"{more} outcomes belong to none of the records: they are left out."))
    rows = arranged(owners, Moments(None, "step"))
    whole = SequenceDataset(owners.ids, {"_": _bare(len(owners.ids))})
    read = extras.attach(whole, table, rows).take([place[name] for name in dataset.ids])
    return replace(
        dataset, targets=read.targets, groups=read.groups, weights=read.weights, notes=notes
    )


def _bare(count: int) -> Stream:
    """Make a stream without a step, for records that have none here."""
    return Stream(np.empty((0, 1)), offsets_of(np.zeros(count)), ("_",))
