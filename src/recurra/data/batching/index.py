"""One pass over the identifiers: how many records there are, where they begin, which labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recurra.data.batching.arrow_columns import flat, runs_of
from recurra.data.batching.roles import Layout, Roles
from recurra.data.batching.row_groups import RowGroup
from recurra.errors import DataError, FileError, need
from recurra.types import Integers

__all__ = ["Index", "index_of"]

MOST_LABELS = 100_000
LONGEST = 2**24
"""Steps that one record may have: it must fit in a block."""


@dataclass(frozen=True, eq=False)
class Index:
    """Where records begin.

    Parameters
    ----------
    heads : ndarray of int64, shape (row groups,)
        How many rows at the beginning of each row group belong to a record that began before it.
    begun : ndarray of int64, shape (row groups,)
        How many records begin in each.
    classes : tuple
        The labels of the target, sorted; empty where they were not wanted.
    """

    heads: Integers
    begun: Integers
    classes: tuple[object, ...]


def index_of(groups: Sequence[RowGroup], roles: Roles, layout: Layout, *, labels: bool) -> Index:
    """Go through all row groups once, reading identifiers and, if wanted, labels.

    Parameters
    ----------
    groups : sequence of RowGroup
        All there are, in order.
    roles : Roles
        What the columns are.
    layout : {"long", "nested"}
        How records are written.
    labels : bool
        Whether to collect the labels of the target.

    Returns
    -------
    Index
        Where records begin.

    Raises
    ------
    FileError
        If there are no rows at all.
    DataError
        If an identifier is missing, a record is in two places, or one is too long.
    """
    if not groups:
        raise FileError("The Parquet files have no rows. Give at least one record.")
    names = [roles.id, *([roles.target] if labels and roles.target is not None else [])]
    heads, begun = np.zeros((2, len(groups)), np.int64)
    seen, found = _Seen(layout), set[object]()
    for unit, group in enumerate(groups):
        row = group.start
        for rows in group.read(names):
            starts, ids = runs_of(rows.column(roles.id), roles.id, row, group.place)
            if layout == "nested":
                starts, ids = np.arange(rows.num_rows), rows.column(roles.id).to_pylist()
            head = seen.enter(group, row, np.append(starts, rows.num_rows), ids)
            heads[unit] += head if not begun[unit] else 0
            begun[unit] += len(ids) - (head > 0)
            row += rows.num_rows
            if len(names) > 1:
                _collect(rows.column(names[1]), roles, layout, found)
    if labels and not found:
        hint = "Give the labels of some records at least, or leave the target out."
        message = "Every label is missing"
        raise DataError(message, code="all_missing", column=roles.target, hint=hint)
    return Index(heads, begun, tuple(sorted(found)))  # type: ignore[type-var]


class _Seen:
    """The identifiers so far, to notice one that comes back."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.known: set[object] = set()
        self.last: object = None
        self.length = 0

    def enter(self, group: RowGroup, row: int, edges: Integers, ids: list[object]) -> int:
        """Take up stretches of rows; say how many of the first continue the last record."""
        head = 0
        if self.layout == "long":
            goes_on = bool(self.known) and ids[0] == self.last
            lengths = np.diff(edges)
            lengths[0] += self.length if goes_on else 0
            long = np.flatnonzero(lengths > LONGEST)
            if long.size:
                raise _too_long(group, ids[long[0]])
            self.last, self.length = ids[-1], int(lengths[-1])
            if goes_on:
                head, ids, edges = int(edges[1]), ids[1:], edges[1:]
        if len(set(ids)) == len(ids) and self.known.isdisjoint(ids):
            self.known.update(ids)
            return head
        for start, name in zip(edges, ids, strict=False):
            if name in self.known:
                raise self._twice(group, row + int(start), name)
            self.known.add(name)
        return head

    def _twice(self, group: RowGroup, row: int, name: object) -> DataError:
        """Name a record that is in two places."""
        if self.layout == "nested":
            message = f"Two rows have the same identifier, the second in {group.place}"
            hint = "With layout='nested' a record is one row."
            return DataError(message, code="duplicate_id", record=name, row=row, hint=hint)
        return DataError(
            f"The rows of a record are not next to each other: it comes back in {group.place}",
            code="scattered_record",
            record=name,
            row=row,
            hint="Sort the rows by identifier and time and write the files again: with DuckDB, "
            "COPY (SELECT * FROM 'in/*.parquet' ORDER BY id, time) TO 'out.parquet'.",
        )


def _too_long(group: RowGroup, name: object) -> DataError:
    return DataError(
        f"A record has more than {LONGEST} steps, as far as {group.place}",
        code="too_long",
        record=name,
        hint="A record must fit in memory: cut it into several with identifiers of their own.",
    )


def _collect(column: Any, roles: Roles, layout: Layout, found: set[object]) -> None:
    """Add the labels of some rows."""
    compute = need("pyarrow.compute", extra="parquet", purpose="Reading Parquet")
    listed = layout == "nested" and roles.level != "record"
    found.update(compute.unique(flat(column) if listed else column).to_pylist())
    found.discard(None)
    if len(found) > MOST_LABELS:
        raise DataError(
            f"The target has more than {MOST_LABELS} different labels",
            code="too_many_labels",
            column=roles.target,
            hint="If it is a number, write the column as float64.",
        )
