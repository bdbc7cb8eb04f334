"""Time stamps from a column: integers, timestamps, dates, or text in ISO 8601.

Nothing is guessed: ``03/04/2024`` has two readings and is refused.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from recurra.data.tables.notes import also_in
from recurra.data.tables.places import Places
from recurra.errors import DataError
from recurra.types import Integers

__all__ = ["Stamps", "read_stamps"]

ISO = re.compile(
    r"\s*\d{4}([-/]\d{1,2})([-/]\d{1,2}([T ]\d{1,2}(:\d\d(:\d\d([.]\d{1,9})?)?)?\s?(?P<zone>Z|z|UTC"
    r"|[+-]\d\d(:?\d\d)?)?)?)?\s*"
)
DAY_OR_MONTH_FIRST = re.compile(r"\s*\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4}\b.*")
EARLIEST, LATEST = np.datetime64("1678-01-01", "s"), np.datetime64("2200-01-01", "s")
FLOAT32_EXACT = 2**24


class Stamps(NamedTuple):
    """A column of time stamps, and how it was written.

    Parameters
    ----------
    times : ndarray of int64, shape (rows,)
        Nanoseconds since 1970 in UTC, or the integers.
    kind : {"integer", "timestamp", "date"}
        What the user's stamps are.
    zone : str or None
        The time zone of the timestamps.
    unit : str
        Their resolution.
    offsets_mixed : bool
        Whether they came with several offsets from UTC.
    """

    times: Integers
    kind: str
    zone: str | None = None
    unit: str = "ns"
    offsets_mixed: bool = False


def read_stamps(column: pd.Series, name: str, places: Places, *, dates: bool = False) -> Stamps:
    """Read a column of time stamps.

    Parameters
    ----------
    column : pandas.Series
        The column as it came.
    name : str
        What it is called.
    places : Places
        Whose each row is.
    dates : bool
        Whether it holds dates without a time of the day.

    Returns
    -------
    Stamps
        Its stamps, row by row.

    Examples
    --------
    >>> column = pd.Series(["2024-01-01", "2024-02-01"])
    >>> stamps = read_stamps(column, "ds", Places(pd.Series(["a", "a"])))
    >>> stamps.times.astype("M8[ns]").astype("M8[D]")
    array(['2024-01-01', '2024-02-01'], dtype='datetime64[D]')
    """
    missing = np.flatnonzero(column.isna().to_numpy())
    if missing.size:
        message = f"A time stamp is missing{also_in(missing.size)}"
        hint = "Fill it in, or drop the row."
        raise places.fault(message, "null_time", name, missing[0], hint=hint)
    dtype = column.dtype
    if dates:
        return _from_datetimes(pd.to_datetime(column), name, places)._replace(kind="date", unit="s")
    if pd.api.types.is_bool_dtype(dtype):
        raise places.fault("A time stamp is read here, but there is a flag", "no_time", name, 0)
    if pd.api.types.is_integer_dtype(dtype) or pd.api.types.is_float_dtype(dtype):
        return _from_numbers(column, name, places)
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return _from_datetimes(column, name, places)
    return _from_objects(column, name, places)


def _from_numbers(column: pd.Series, name: str, places: Places) -> Stamps:
    """Read integers, and floats that are whole."""
    values = column.to_numpy()
    if values.dtype.kind == "O":
        try:
            whole = not pd.api.types.is_float_dtype(column)
            values = column.to_numpy(np.int64 if whole else np.float64)
        except OverflowError:
            row = next(k for k, cell in enumerate(column) if not -(2**63) <= cell < 2**63)
            fault = "A time stamp is past int64"
            raise places.fault(fault, "time_range", name, row, column.iloc[row]) from None
    if values.dtype.kind == "f":
        odd = np.flatnonzero(~(np.isfinite(values) & (values == np.round(values))))
        if odd.size:
            message = "A time stamp in numbers is an integer, but this one is not"
            hint = "Multiply the column to make it whole, or use pandas.to_datetime."
            raise places.fault(message, "fractional_time", name, odd[0], values[odd[0]], hint)
        large = np.flatnonzero(np.abs(values) > (FLOAT32_EXACT if values.itemsize < 8 else 2**53))
        if large.size:
            message = f"The time stamps are {values.dtype} and too large for it to tell apart"
            hint = "Read the column as int64."
            raise places.fault(message, "inexact_time", name, large[0], values[large[0]], hint)
    if values.dtype.kind == "u" and values.size and int(values.max()) >= 2**63:
        row = int(values.argmax())
        raise places.fault("A time stamp is past int64", "time_range", name, row, values[row])
    unit = str(values.dtype) if values.dtype.kind in "iu" else "int64"
    return Stamps(values.astype(np.int64), "integer", None, unit)


def _from_datetimes(column: pd.Series, name: str, places: Places) -> Stamps:
    """Read timestamps, within the years that nanoseconds can say."""
    index = pd.DatetimeIndex(column)
    zone = None if index.tz is None else _zone_name(index.tz)
    naive = index if index.tz is None else index.tz_convert("UTC").tz_localize(None)
    values = naive.to_numpy()
    late, early = np.flatnonzero(values >= LATEST), np.flatnonzero(values < EARLIEST)
    if late.size:
        message = "A time stamp lies past the year 2200"
        hint = "Were milliseconds taken for seconds? See the unit of pandas.to_datetime."
        raise places.fault(message, "time_range", name, late[0], str(index[late[0]]), hint)
    if early.size:
        message = "A time stamp lies before the year 1678, the first that nanoseconds can say"
        hint = "Use integers, such as the year, as stamps."
        raise places.fault(message, "time_range", name, early[0], str(index[early[0]]), hint)
    times = naive.as_unit("ns").asi8.copy()
    return Stamps(times, "timestamp", zone, np.datetime_data(values.dtype)[0])


def _zone_name(zone: object) -> str:
    """Name a time zone so that the name finds it again, else take UTC."""
    try:
        pd.Timestamp(0, tz=str(zone))
    except (KeyError, ValueError, LookupError):
        return "UTC"
    return str(zone)


def _from_objects(column: pd.Series, name: str, places: Places) -> Stamps:
    """Read text, or Python's datetimes and numbers in an object column."""
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind == "string":
        return _from_text(column.astype(object), name, places)
    if kind in ("integer", "floating"):
        return _from_numbers(column.infer_objects(), name, places)
    if kind in ("datetime", "datetime64"):
        aware = np.array([cell.tzinfo is not None for cell in column])
        _check_one_kind(aware, column, name, places)
        if not aware.any():
            return _from_datetimes(pd.to_datetime(column), name, places)
        zones = {_zone_name(cell.tzinfo) for cell in column}
        stamps = _from_datetimes(pd.to_datetime(column, utc=True), name, places)
        zone = zones.pop() if len(zones) == 1 else "UTC"
        return stamps._replace(zone=zone, offsets_mixed=bool(zones))
    first = type(column.iloc[0])
    row = next((i for i, cell in enumerate(column) if type(cell) is not first), 0)
    value = column.iloc[row]
    message = f"A time stamp is read here, but there is a {type(value).__name__}"
    hint = "Use integers, timestamps or dates throughout; see pandas.to_datetime."
    raise places.fault(message, "no_time", name, row, value, hint)


def _from_text(column: pd.Series, name: str, places: Places) -> Stamps:
    """Read ISO 8601, each different text once."""
    codes, texts = pd.factorize(column)
    matches = [ISO.fullmatch(text) for text in texts]
    odd = next((i for i, match in enumerate(matches) if match is None), None)
    if odd is not None:
        raise _no_time(texts[odd], int(np.argmax(codes == odd)), name, places)
    zones = [match["zone"] for match in matches if match]
    aware = np.array([zone is not None for zone in zones])
    _check_one_kind(aware[codes], column, name, places)
    plain = pd.Series(texts).str.strip().str.replace(r"\s?(UTC|z)$", "Z", regex=True)
    parsed = pd.to_datetime(plain, format="ISO8601", utc=bool(aware.any()), errors="coerce")
    if parsed.isna().any():
        bad = int(np.argmax(parsed.isna()))
        raise _no_time(texts[bad], int(np.argmax(codes == bad)), name, places)
    stamps = _from_datetimes(parsed[codes].reset_index(drop=True), name, places)
    different = {_offset(zone) for zone in zones if zone is not None}
    zone = (different.pop() if len(different) == 1 else "UTC") if aware.any() else None
    return stamps._replace(zone=zone, offsets_mixed=len(different) > 1)


def _offset(zone: str) -> str:
    """Write an offset from UTC so that pandas finds it again."""
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (
        "UTC" if zone in "ZzUTC" or int(digits) == 0 else f"UTC{zone[0]}{digits[:2]}:{digits[2:]}"
    )


def _check_one_kind(aware: np.ndarray, column: pd.Series, name: str, places: Places) -> None:
    """Refuse stamps of which some carry a time zone and some do not."""
    other = np.flatnonzero(aware != aware[0])
    if other.size:
        message = "The stamps of the first rows have a time zone, but this one has none"
        if aware[other[0]]:
            message = "The stamps of the first rows have no time zone, but this one has"
        hint = "Use pandas.to_datetime(..., utc=True), or drop the zone everywhere."
        row, value = other[0], str(column.iloc[other[0]])
        raise places.fault(message, "mixed_zones", name, row, value, hint)


def _no_time(text: str, row: int, name: str, places: Places) -> DataError:
    """Say why a text is no time stamp."""
    if DAY_OR_MONTH_FIRST.fullmatch(text):
        message = "Which is the day and which the month is not known"
        hint = f"Use pandas.to_datetime(frame[{name!r}], format='%d/%m/%Y') or '%m/%d/%Y'."
        return places.fault(message, "ambiguous_time", name, row, text, hint)
    hint = "Write it as 2024-01-31 or 2024-01-31 12:00, or use pandas.to_datetime."
    if text.strip().lstrip("+-").isdigit():
        hint = f"Turn integers into such with frame[{name!r}].astype('int64')."
    return places.fault("A text is no date or time", "no_time", name, row, text, hint)
