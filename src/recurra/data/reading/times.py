"""When each step was: numbers, timestamps or text, one array for each record."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from recurra.data.reading.moments import Moments
from recurra.data.reading.rows import read_moments
from recurra.data.tables.notes import also_in, counted, tell
from recurra.data.tables.places import Places
from recurra.errors import DataError
from recurra.types import Array, Integers

__all__ = ["read_times"]


def read_times(times: Any, lengths: Integers, ids: tuple[object, ...], name: str) -> Moments:
    """Read the times of records, which must not fall within one.

    Parameters
    ----------
    times : list of array-like
        For each record one for each step: numbers, NumPy's or pandas' timestamps, or text in
        ISO 8601; all of one kind.
    lengths : ndarray of int64, shape (records,)
        How many steps each has.
    ids : tuple
        The records.
    name : str
        What the times are called.

    Returns
    -------
    Moments
        Integers and timestamps as int64, other numbers as float64.

    Raises
    ------
    DataError
        If there is not one for each step; if one is missing, no time, too large for its type or
        earlier than the one before; with record and row.

    Examples
    --------
    >>> read_times([[0, 5], ["7"]], np.array([2, 1]), ("a", "b"), "times")
    Traceback (most recent call last):
    recurra.errors.DataError: A time stamp is read here, but there is a str (series 'b', row 0, ...
    >>> read_times([[0, 5], [7]], np.array([2, 1]), ("a", "b"), "times").times
    array([0, 5, 7])
    """
    parts = [_part(each) for each in _listed(times, name)]
    sizes = [len(part) for part in parts]
    if sizes != lengths.tolist():
        pairs = enumerate(zip(sizes, lengths, strict=False))
        odd = next((k for k, (have, want) in pairs if have != want), None)
        message = f"{name} has {len(parts)} rows, but there are {len(lengths)} records"
        if odd is not None:
            message = f"{name} has {sizes[odd]} stamps for a record of {lengths[odd]} steps"
        record = None if odd is None else ids[odd]
        raise DataError(
            message, code="time_count", record=record, hint="Give one stamp for each step."
        )
    if not lengths.sum():
        return Moments(np.zeros(0), "number")
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    inside = np.arange(int(lengths.sum())) - np.repeat(starts, lengths)
    owners = np.repeat(np.arange(len(lengths)), lengths)
    places = Places(pd.Series(list(ids), dtype=object).iloc[owners], inside)
    moments = read_moments(_column(parts, places, name), name, places)
    read = np.asarray(moments.times)
    inside_one = np.diff(owners) == 0
    back = np.flatnonzero((np.diff(read) < 0) & inside_one)
    if back.size:
        message = f"A step is earlier than the one before{also_in(back.size)}"
        hint = "Sort the steps of each record by time."
        raise places.fault(message, "unsorted_time", name, int(back[0]) + 1, hint=hint)
    still = int(((np.diff(read) == 0) & inside_one).sum())
    if still:
        said = counted(still, "step has", "steps have")
        note = tell(f"{said} the time of the step before: the treatment Duplicates joins such.")
        return moments._replace(notes=(*moments.notes, note))
    return moments


def _listed(times: Any, name: str) -> Any:
    """Refuse what is not one list for each record."""
    if isinstance(times, str | bytes) or not hasattr(times, "__len__"):
        message = f"{name} is a list for each record, but a {type(times).__name__} came"
        raise DataError(message, code="time_count", hint="Give one stamp for each step.")
    return times


def _part(given: Any) -> Array:
    """Give the times of one record as an array, whatever they are."""
    if given is None:
        return np.zeros(0)
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    if isinstance(given, np.ndarray) and given.ndim:
        return given.reshape(-1) if given.size == len(given) else given
    if isinstance(given, str | bytes) or not hasattr(given, "__len__"):
        given = [given]
    given = list(given)  # pandas' own may have a time zone, which NumPy drops
    try:
        array = np.asarray(given)
    except ValueError:
        array = np.zeros(0, object)
    if array.ndim == 1 and array.dtype.kind in "iuf" and array.dtype != object:
        return array
    cells = np.empty(len(given), object)
    for k, cell in enumerate(given):
        cells[k] = cell
    return cells


def _column(parts: list[Array], places: Places, name: str) -> pd.Series:
    """Put the times of all records under one another."""
    full = [part for part in parts if len(part)]
    kinds = {part.dtype.kind for part in full}
    if any(part.ndim != 1 for part in full):
        shape = next(part.shape for part in full if part.ndim != 1)
        message = f"{name} has shape {shape} for a record, but (steps,) is read"
        raise DataError(message, code="shape")
    if kinds <= {"i", "u", "f"}:
        return pd.Series(np.concatenate(full))
    if kinds != {"M"}:
        return pd.Series([cell for part in full for cell in part.tolist()], dtype=object)
    if len({part.dtype for part in full}) > 1:  # years that one unit can say, another may not
        read_moments(pd.Series(np.concatenate([p.astype("M8[s]") for p in full])), name, places)
    return pd.Series(np.concatenate(full))
