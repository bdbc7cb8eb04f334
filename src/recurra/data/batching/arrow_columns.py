"""Columns of Arrow as identifiers, numbers, times and answers; each refuses what it cannot hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recurra.errors import DataError, need
from recurra.types import Array, Integers

__all__ = ["answers_of", "counts_of", "flat", "numbers_in", "runs_of", "times_of"]

EXACT_IN_FLOAT32 = 2**24


def arrow() -> Any:
    """Import Arrow.

    Returns
    -------
    ModuleType
        It.
    """
    need("pyarrow.compute", extra="parquet", purpose="Reading Parquet")
    return need("pyarrow", extra="parquet", purpose="Reading Parquet")


def whole(column: Any) -> Any:
    """Make one array of chunks.

    Parameters
    ----------
    column : pyarrow.Array or pyarrow.ChunkedArray
        A column.

    Returns
    -------
    pyarrow.Array
        The same.
    """
    return column.unify_dictionaries().combine_chunks() if hasattr(column, "chunks") else column


def runs_of(column: Any, name: str, row: int, where: str) -> tuple[Integers, list[object]]:
    """Find the stretches of rows with one identifier.

    Parameters
    ----------
    column : pyarrow.Array or pyarrow.ChunkedArray
        The identifiers.
    name : str
        The column.
    row : int
        The row of the file with which it begins.
    where : str
        The file, for messages.

    Returns
    -------
    starts : ndarray of int64
        The first row of each stretch.
    ids : list
        Its identifier.

    Raises
    ------
    DataError
        If an identifier is missing.
    """
    column = whole(column)
    if column.null_count:
        odd = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
        raise DataError(
            f"An identifier is missing in {where}",
            code="null_id",
            row=row + odd,
            column=name,
            hint="Give each row the identifier of its record, or leave the row out.",
        )
    if not len(column):
        return np.zeros(0, np.int64), []
    if arrow().types.is_integer(column.type):
        codes = column.to_numpy(zero_copy_only=False)
    else:
        coded = column if hasattr(column, "indices") else column.dictionary_encode()
        codes = coded.indices.to_numpy(zero_copy_only=False)
    new = np.ones(len(codes), bool)
    new[1:] = codes[1:] != codes[:-1]
    starts = np.flatnonzero(new)
    ids = column.take(arrow().array(starts)).to_pylist()
    kept = [k for k in range(len(ids)) if not k or ids[k] != ids[k - 1]]
    if len(kept) < len(ids):  # a dictionary may hold a text twice
        starts, ids = starts[kept], [ids[k] for k in kept]
    return starts, ids


def numbers_in(column: Any, name: str, dtype: Any, where: str) -> Array:
    """Read numbers.

    Parameters
    ----------
    column : pyarrow.Array
        Integers, floats, decimals or flags.
    name : str
        The column.
    dtype : {float32, float64}
        What is wanted.
    where : str
        The file, for messages.

    Returns
    -------
    ndarray
        NaN where missing.

    Raises
    ------
    DataError
        If an integer is too large to be exact.
    """
    kind = arrow().from_numpy_dtype(dtype)
    if column.type != kind:
        try:
            column = column.cast(kind)
        except arrow().ArrowInvalid as error:
            raise DataError(
                f"A number cannot be held exactly in {where}: {error}",
                code="inexact",
                column=name,
                hint="Write the column as float64 if that is near enough, or as text if it is a "
                "name.",
            ) from error
    return column.to_numpy(zero_copy_only=False)


def times_of(column: Any, name: str, where: str) -> Array:
    """Read time stamps.

    Parameters
    ----------
    column : pyarrow.Array
        Timestamps, dates, or numbers.
    name : str
        The column.
    where : str
        The file, for messages.

    Returns
    -------
    ndarray of int64 or float64
        Nanoseconds since 1970 in UTC, or the numbers.

    Raises
    ------
    DataError
        If a stamp is missing, outside the years 1678 to 2262, or a number that its type rounds.
    """
    types = arrow().types
    if types.is_timestamp(column.type) or types.is_date(column.type):
        try:
            zone = getattr(column.type, "tz", None)
            stamps = column.cast(arrow().timestamp("ns", zone)).cast(arrow().int64())
        except arrow().ArrowInvalid as error:
            message = f"A time is outside the years 1678 to 2262 in {where}: {error}"
            hint = "Correct it, or leave the row out."
            raise DataError(message, code="time_range", column=name, hint=hint) from error
        times, missing = stamps, stamps.null_count > 0
        if not missing:
            return times.to_numpy(zero_copy_only=False)
    else:
        times = numbers_in(column, name, np.dtype(np.float64), where)
        missing = not np.isfinite(times).all()
        narrow = types.is_float32(column.type) or types.is_float16(column.type)
        if narrow and not missing and (np.abs(times) > EXACT_IN_FLOAT32).any():
            message = f"A time is past 2**24 in {where}, where float32 rounds to whole numbers"
            hint = "Write the column as float64, int64 or timestamps."
            raise DataError(message, code="time_float32", column=name, hint=hint)
    if missing:
        hint = "Give each step its time, or leave the row out."
        raise DataError(
            f"A time is missing or infinite in {where}", code="null_time", column=name, hint=hint
        )
    return times


def answers_of(column: Any, name: str, classes: Sequence[object], where: str) -> Array:
    """Read labels as codes, or numbers.

    Parameters
    ----------
    column : pyarrow.Array
        The target.
    name : str
        The column.
    classes : sequence
        The labels; none for numbers.
    where : str
        The file, for messages.

    Returns
    -------
    ndarray of int64 or float64
        -1 or NaN where unknown.

    Raises
    ------
    DataError
        If a label is not among the classes.
    """
    if not classes:
        return numbers_in(column, name, np.dtype(np.float64), where)
    compute = need("pyarrow.compute", extra="parquet", purpose="Reading Parquet")
    labels = column.dictionary if hasattr(column, "indices") else column
    known = arrow().array(list(classes), labels.type)
    codes = compute.index_in(labels, value_set=known, skip_nulls=True).fill_null(-1)
    codes = codes.to_numpy(zero_copy_only=False).astype(np.int64)
    if hasattr(column, "indices"):
        places = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        codes = np.concatenate([codes, [-1]])[places]
    unknown = np.flatnonzero((codes < 0) & column.is_valid().to_numpy(zero_copy_only=False))
    if unknown.size:
        value = column[int(unknown[0])].as_py()
        message = f"A label in {where} is not among the classes {tuple(classes)[:20]}"
        hint = "Add it to classes, or make it null where it is not known."
        raise DataError(message, code="unknown_label", column=name, value=value, hint=hint)
    return codes


def counts_of(column: Any) -> Integers:
    """Count the elements of lists.

    Parameters
    ----------
    column : pyarrow.ListArray
        Lists; a missing one has no elements.

    Returns
    -------
    ndarray of int64
        One count for each.
    """
    compute = need("pyarrow.compute", extra="parquet", purpose="Reading Parquet")
    counts = compute.list_value_length(column).fill_null(0)
    return counts.to_numpy(zero_copy_only=False).astype(np.int64)


def flat(column: Any) -> Any:
    """Put the elements of lists one after the other.

    Parameters
    ----------
    column : pyarrow.ListArray
        Lists.

    Returns
    -------
    pyarrow.Array
        Their elements.
    """
    return whole(column).flatten()
