"""The two layouts of records in Parquet: a row for each step, or a row for each record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recurra.data.batching.arrow_columns import (
    answers_of,
    counts_of,
    flat,
    numbers_in,
    runs_of,
    times_of,
)
from recurra.data.batching.pieces import Piece
from recurra.data.batching.roles import Layout, Roles
from recurra.errors import DataError
from recurra.types import Array

__all__ = ["read_piece"]


def read_piece(rows: Any, roles: Roles, layout: Layout, dtype: Any, where: str) -> Piece:
    """Turn some decoded rows into records.

    Parameters
    ----------
    rows : pyarrow.RecordBatch
        The rows.
    roles : Roles
        What the columns are.
    layout : {"long", "nested"}
        How records are written.
    dtype : {float32, float64}
        Of the values.
    where : str
        The file, for messages.

    Returns
    -------
    Piece
        The records; in the long layout the first and the last may be parts.
    """
    starts, ids = runs_of(rows.column(roles.id), roles.id, 0, where)
    if layout == "nested":
        ids = rows.column(roles.id).to_pylist()
        return _read_nested(rows, ids, roles, dtype, where)
    lengths = np.diff(np.append(starts, rows.num_rows))
    columns = [rows.column(name) for name in roles.channels]
    values = _side_by_side(columns, roles.channels, rows.num_rows, dtype, where)
    times = None if roles.time is None else times_of(rows.column(roles.time), roles.time, where)
    if roles.target is None:
        return Piece(ids, lengths, values, times)
    answers = answers_of(rows.column(roles.target), roles.target, roles.classes, where)
    return Piece(ids, lengths, values, times, answers, lengths)


def _read_nested(rows: Any, ids: list[object], roles: Roles, dtype: Any, where: str) -> Piece:
    """Read a record of each row, its steps in lists."""
    first = roles.channels[0]
    lengths = counts_of(rows.column(first))
    stepped = [*roles.channels, *([] if roles.time is None else [roles.time])]
    if roles.target is not None and roles.level == "step":
        stepped.append(roles.target)
    for name in stepped[1:]:
        counts = counts_of(rows.column(name))
        odd = np.flatnonzero(counts != lengths)
        if odd.size:
            k = odd[0]
            raise DataError(
                f"A list in {where} has {counts[k]} elements, but that of {first!r} {lengths[k]}",
                code="ragged",
                record=ids[k],
                column=name,
                hint="Give each step every channel, null where it is missing.",
            )
    columns = [flat(rows.column(name)) for name in roles.channels]
    values = _side_by_side(columns, roles.channels, int(lengths.sum()), dtype, where)
    times = None
    if roles.time is not None:
        times = times_of(flat(rows.column(roles.time)), roles.time, where)
    if roles.target is None:
        return Piece(ids, lengths, values, times)
    column = rows.column(roles.target)
    listed = roles.level != "record"
    counts = counts_of(column) if listed else np.ones(len(ids), np.int64)
    column = flat(column) if listed else column
    answers = answers_of(column, roles.target, roles.classes, where)
    return Piece(ids, lengths, values, times, answers, counts)


def _side_by_side(
    columns: Sequence[Any], names: Sequence[str], rows: int, dtype: Any, where: str
) -> Array:
    """Read channels into one array."""
    values = np.empty((rows, len(columns)), dtype)
    for k, (column, name) in enumerate(zip(columns, names, strict=True)):
        values[:, k] = numbers_in(column, name, dtype, where)
    return values
