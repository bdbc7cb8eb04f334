"""Numbers of any kind that Python and NumPy have, turned into arrays or refused."""

from __future__ import annotations

from typing import Any

import numpy as np

from recurra.errors import DataError
from recurra.types import Array

__all__ = ["numbers_of"]

EXACT = 2**53
KINDS = {"U": "text", "S": "bytes", "c": "complex numbers", "M": "dates", "m": "spans of time"}


def numbers_of(
    given: Any, name: str, *, record: object = None, rounded: list[int] | None = None
) -> Array:
    """Turn what came into an array of numbers.

    Parameters
    ----------
    given : array-like
        Numbers or flags, nested to any depth; None is missing.
    name : str
        What it is called.
    record : object, optional
        Whose it is.
    rounded : list of int, optional
        Where to append how many integers float64 cannot hold, past 2^53, if there are any.

    Returns
    -------
    ndarray
        float32 stays; small integers and flags too, which float32 holds exactly; else float64.

    Raises
    ------
    DataError
        If it is ragged, or holds text, complex numbers or other things.

    Examples
    --------
    >>> numbers_of([[1, 2], [3, 4]], "x").dtype
    dtype('float64')
    >>> numbers_of([[1, 2], [3]], "x", record=7)
    Traceback (most recent call last):
    recurra.errors.DataError: The rows of x have different lengths: row 1 has 1, row 0 has 2 ...
    """
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    try:
        array = np.asarray(given)
    except ValueError:
        raise _ragged(given, name, record) from None
    if array.dtype == object:
        return _from_objects(array, name, record, rounded)
    if array.dtype in (np.int64, np.uint64) and rounded is not None:
        _count_large(array, rounded)
    if array.dtype.kind in "fiub":
        small = array.dtype in (np.int8, np.int16, np.uint8, np.uint16, np.bool_, np.float32)
        kept = array if isinstance(given, np.ndarray) and small else array.astype(np.float64)
        return kept.astype(np.float32) if kept.dtype == np.float16 else kept
    value = array.ravel()[0].item() if array.size else None
    if array.dtype.kind == "c":
        hint = "Complex data not supported: give two channels, the real and the imaginary part."
        raise _no_numbers(name, record, KINDS["c"], value, hint=hint)
    raise _no_numbers(name, record, KINDS.get(array.dtype.kind, str(array.dtype)), value)


def _count_large(integers: Array, rounded: list[int]) -> None:
    """Count integers that float64 cannot tell from their neighbours."""
    large = int(((integers > EXACT) | (integers < -EXACT)).sum()) if integers.size else 0
    if large:
        rounded.append(large)


def _from_objects(
    array: Array, name: str, record: object, rounded: list[int] | None = None
) -> Array:
    """Read numbers and None from an array of objects."""
    cells = array.ravel()
    if rounded is not None:
        large = sum(isinstance(cell, int) and abs(cell) > EXACT for cell in cells)
        rounded += [large] if large else []
    for place, cell in enumerate(cells):
        if cell is None:
            continue
        if isinstance(cell, complex | str | bytes) or np.ndim(cell):
            came = "text" if isinstance(cell, str) else type(cell).__name__
            raise _no_numbers(name, record, came, cell, place)
        try:
            float(cell)
        except (TypeError, ValueError, OverflowError):
            raise _no_numbers(name, record, type(cell).__name__, cell, place) from None
    return np.array([np.nan if cell is None else float(cell) for cell in cells]).reshape(
        array.shape
    )


def _ragged(given: Any, name: str, record: object) -> DataError:
    """Name the first row whose length differs."""
    sizes = [_length(row) for row in given]
    odd = next((k for k, size in enumerate(sizes) if size != sizes[0]), 0)
    return DataError(
        f"The rows of {name} have different lengths: row {odd} has {sizes[odd]}, "
        f"row 0 has {sizes[0]}",
        code="ragged",
        record=record,
        row=odd,
        hint="A record is (steps, channels): each step has every channel, NaN where it is missing.",
    )


def _length(row: Any) -> int:
    """Count the cells of a row, which may be a single one."""
    try:
        return len(row)
    except TypeError:
        return 1


def _no_numbers(
    name: str,
    record: object,
    kind: str,
    value: object,
    row: int | None = None,
    hint: str = "Turn it into numbers, with NaN where nothing was observed.",
) -> DataError:
    return DataError(
        f"{name} is read as numbers, but {kind} came",
        code="no_number",
        record=record,
        row=row,
        value=value,
        hint=hint,
    )
