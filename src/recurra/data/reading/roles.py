"""What the columns of a table are besides values: targets, static covariates, groups, weights."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from recurra.data.reading.about import read_weights
from recurra.data.reading.cells import Answer, Column, numbered, read_answers, read_column
from recurra.data.reading.rows import Duplicates, Rows
from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.data.tables.notes import counted, tell
from recurra.data.tables.table import Table, as_table
from recurra.data.tables.values import count_inexact
from recurra.errors import DataError, OptionError, near
from recurra.types import Array

__all__ = [
    "Extras",
    "TargetFor",
    "Targets",
    "check_any_observed",
    "listed",
    "opened_table",
    "rounding_notes",
    "static_stream",
]

Targets = str | Sequence[str] | Mapping[str, Answer] | None
"""The columns to be learnt; a mapping says whether each holds ``"classes"`` or ``"numbers"``."""
TargetFor = Literal["record", "step"]


def opened_table(frame: object) -> Table:
    """Open a table, whose columns may be called by numbers.

    Parameters
    ----------
    frame : DataFrame
        A pandas, polars or pyarrow table.

    Returns
    -------
    Table
        With a row at least, and columns called by text.
    """
    if isinstance(frame, str | os.PathLike):
        message = "A path came, but a table is read here"
        raise OptionError(f"{message}. Use read({str(frame)!r}, layout=...).")
    if isinstance(frame, pd.DataFrame) and not all(isinstance(c, str) for c in frame.columns):
        frame = frame.set_axis([str(each) for each in frame.columns], axis=1)
    table = as_table(frame)
    if not table.rows:
        raise DataError("The table has no rows", code="empty", hint="Give at least one record.")
    return table


def listed(names: str | Iterable[object] | None, argument: str) -> tuple[str, ...]:
    """Read a list of column names; one name alone is refused, as its letters would be a list.

    Parameters
    ----------
    names : sequence of str, or None
        The names.
    argument : str
        What the argument is called.

    Returns
    -------
    tuple of str
        The same.

    Examples
    --------
    >>> listed(["pulse"], "channels")
    ('pulse',)
    >>> listed("pulse", "channels")
    Traceback (most recent call last):
    recurra.errors.OptionError: channels='pulse' is one name, but a list of names is read...
    """
    if isinstance(names, str):
        message = f"{argument}={names!r} is one name, but a list of names is read"
        raise OptionError(f"{message}. Use {argument}=[{names!r}].")
    return tuple(str(name) for name in names or ())


@dataclass(frozen=True)
class Extras:
    """The columns that hold for a whole record, and those to be learnt.

    Parameters
    ----------
    targets : dict of str to str or None
        The columns to be learnt, and what they hold if that was said.
    static : tuple of str
        Covariates of a record.
    group, weight : str, optional
        Which records belong together, and how much each counts.
    categorical : tuple of str
        Columns of labels, though they look like numbers.
    """

    targets: Mapping[str, Answer | None]
    static: tuple[str, ...] = ()
    group: str | None = None
    weight: str | None = None
    categorical: tuple[str, ...] = ()

    @classmethod
    def named(
        cls,
        target: Targets = None,
        static: Sequence[str] = (),
        group: str | None = None,
        weight: str | None = None,
        categorical: Sequence[str] = (),
    ) -> Extras:
        """Take the arguments of a reader."""
        targets: dict[str, Answer | None] = {}
        if isinstance(target, Mapping):
            targets = {str(name): kind for name, kind in target.items()}
        elif isinstance(target, str) or not isinstance(target, Iterable):
            targets = {} if target is None else {str(target): None}
        else:
            targets |= dict.fromkeys(listed(target, "target"))
        return cls(
            targets,
            listed(static, "static"),
            None if group is None else str(group),
            None if weight is None else str(weight),
            listed(categorical, "categorical"),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, without `categorical`."""
        one = (name for name in (self.group, self.weight) if name is not None)
        return (*self.targets, *self.static, *one)

    def require(self, table: Table, *taken: tuple[str, Iterable[str]]) -> None:
        """Refuse a table that lacks a column, and columns with two roles.

        Parameters
        ----------
        table : Table
            The table.
        *taken : tuple of str and list of str
            A role that other columns have already, and those columns.
        """
        weight = () if self.weight is None else (self.weight,)
        own = (("target", self.targets), ("static covariate", self.static), ("weight", weight))
        roles = [(name, role) for role, names in (*taken, *own) for name in names]
        seen: dict[str, str] = {}
        for name, role in roles:
            table.require(name, role)
            if name in seen:
                message = f"Column {name!r} is named as {seen[name]} and as {role}"
                raise OptionError(f"{message}, but a column plays one role.")
            seen[name] = role
        if self.group is not None:
            table.require(self.group, "group")
        for name in self.categorical:
            if name not in table.names:
                raise OptionError(f"categorical names no column: {near(name, table.names)}")

    def column(self, table: Table, name: str, rows: Rows) -> Column:
        """Read one column, as numbers or categories."""
        categorical = name in self.categorical
        return read_column(table.column(name), name, rows.owners.places, categorical=categorical)

    def attach(
        self,
        dataset: SequenceDataset,
        table: Table,
        rows: Rows,
        target_for: TargetFor = "record",
        duplicates: Duplicates = "error",
    ) -> SequenceDataset:
        """Add to a data set what these columns say of its records.

        Parameters
        ----------
        dataset : SequenceDataset
            With the records of `rows`.
        table : Table
            The table.
        rows : Rows
            Its rows.
        target_for : {"record", "step"}
            Whether a target holds for a whole record, or for a step.
        duplicates : {"error", "first", "last", "mean", "sum"}
            Which of several targets of one step is taken; means and sums are not, so they must
            agree.

        Returns
        -------
        SequenceDataset
            With targets, static covariates, groups and weights.
        """
        if target_for not in ("record", "step"):
            raise OptionError(f"target_for={target_for!r}, but it is 'record' or 'step'.")
        targets = {}
        for name, kind in self.targets.items():
            each = read_answers(table.column(name), name, rows.owners.places, kind)
            if target_for == "record":
                hint = "Make it one label for each record, or say target_for='step'."
                targets[name] = each.take(
                    rows.constant(each.values[:, 0], name, "target_changes", hint)
                )
            else:
                targets[name] = _at_steps(each, name, rows, next(iter(dataset.streams)), duplicates)
        static = None
        if self.static:
            hint = "Name it among the channels."
            columns = {}
            for name in self.static:
                column = self.column(table, name, rows)
                firsts = rows.constant(column.values, name, "static_changes", hint)
                columns[name] = column._replace(values=column.values[firsts])
            static = static_stream(columns)
        return replace(
            dataset,
            targets={**dataset.targets, **targets},
            static=static,
            groups=None if self.group is None else _groups(table, self.group, rows),
            weights=None if self.weight is None else _weights(table, self.weight, rows),
        )


def _at_steps(each: Target, name: str, rows: Rows, stream: str, duplicates: Duplicates) -> Target:
    """Bring a target from rows to steps."""
    codes = each.values[:, 0].astype(np.float64)
    column = Column(np.where(each.observed[:, 0], codes, np.nan), each.classes or None)
    how = duplicates if duplicates in ("first", "last") else "error"
    values = rows.at_steps(column, name, how)[:, None]
    if each.classes:
        values = np.where(np.isnan(values), -1, values).astype(np.int64)
    return replace(each, values=values, level="step", offsets=rows.offsets, stream=stream)


def _groups(table: Table, name: str, rows: Rows) -> Array:
    """Read which records belong together."""
    codes, found = numbered(table.column(name), name)
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        hint = "Say which group the record belongs to."
        raise rows.owners.places.fault("A group is missing", "null_group", name, row, hint=hint)
    hint = "A record belongs to one group: correct it."
    firsts = rows.constant(codes, name, "group_changes", hint)
    return np.asarray(found.tolist())[codes[firsts]]


def _weights(table: Table, name: str, rows: Rows) -> Array:
    """Read how much each record counts."""
    column = read_column(table.column(name), name, rows.owners.places)
    if column.categories is not None:
        row = int(np.argmax(~np.isnan(column.values)))
        message, value = "A weight is a number, but there is text", column.show(row)
        raise rows.owners.places.fault(message, "weight", name, row, value)
    hint = "A record has one weight: correct it."
    firsts = rows.constant(column.values, name, "weight_changes", hint)
    return read_weights(column.values[firsts], rows.owners.ids)


def static_stream(columns: Mapping[str, Column]) -> Stream:
    """Make the stream of static covariates: one step for each record.

    Parameters
    ----------
    columns : dict of str to Column
        A value for each record, by covariate.

    Returns
    -------
    Stream
        With as many records as the columns have values.
    """
    values = np.stack([column.values for column in columns.values()], axis=1)
    return Stream(
        values,
        np.arange(len(values) + 1),
        tuple(columns),
        observed=None if (seen := ~np.isnan(values)).all() else seen,
        categories={n: c.categories for n, c in columns.items() if c.categories is not None},
    )


def check_any_observed(stream: Stream, ids: tuple[object, ...]) -> tuple[str, ...]:
    """Refuse a stream without one value; note channels and records that have none.

    Parameters
    ----------
    stream : Stream
        The stream.
    ids : tuple
        The records.

    Returns
    -------
    tuple of str
        A note on the channels, and one on the records without a step, if there are such.
    """
    seen = np.asarray(stream.mask.any(axis=0))
    if not seen.any():
        message = "Nothing was observed: every value of every channel is missing"
        raise DataError(message, code="all_missing", hint="Give the columns that hold values.")
    notes = []
    if not seen.all():
        blank = [name for name, there in zip(stream.channels, seen, strict=True) if not there]
        said = counted(len(blank), "channel was", "channels were")
        notes.append(tell(f"{said} never observed: {_shown(blank)}."))
    empty = [ids[k] for k in np.flatnonzero(stream.lengths == 0)]
    if empty:
        said = counted(len(empty), "record has", "records have")
        notes.append(tell(f"{said} no step: {_shown(empty)}."))
    return tuple(notes)


def _shown(names: Sequence[object]) -> str:
    """List some names, at most ten."""
    return ", ".join(map(repr, names[:10])) + (", …" if len(names) > 10 else "")


def rounding_notes(table: Table, names: Iterable[str]) -> tuple[str, ...]:
    """Note the integers that float64 cannot hold.

    Parameters
    ----------
    table : Table
        The table.
    names : iterable of str
        The columns of numbers.

    Returns
    -------
    tuple of str
        A note for each column that has some.
    """
    counts = {name: count_inexact(table.column(name)) for name in names}
    return tuple(
        tell(f"Rounded, being past 2**53: {counted(count, 'integer', 'integers')} in {name!r}.")
        for name, count in counts.items()
        if count
    )
