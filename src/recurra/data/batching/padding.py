"""A few records as one padded array, with what was observed beside the values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from recurra.data.offsets import place_of
from recurra.data.sequences import Stream
from recurra.data.sequences.stream import SECOND, flat_rows
from recurra.errors import DataError, OptionError, check_count
from recurra.types import Array, Booleans, Floats, Integers

__all__ = ["Padded", "Side", "pad"]

Side = Literal["right", "left"]
SIDES = ("right", "left")


@dataclass(frozen=True, eq=False)
class Padded:
    """Some records of a stream as one array.

    Parameters
    ----------
    values : ndarray, shape (batch, time, channels) or (batch, time, height, width, colours)
        What was seen, 0 at padding. Where nothing was observed, what the stream holds there (a
        filled-in value, say), or 0 for NaN: finite throughout. For a stream of records, shape
        (batch, time, 1): the place of each step among the records of `inner`.
    observed : ndarray of bool, shape (batch, time, channels)
        Where there is a value; (batch, time, 1) for frames and records. False at padding.
    lengths : ndarray of int64, shape (batch,)
        How many steps each record has.
    times : ndarray of float64, shape (batch, time)
        Seconds, or the clock's own units, since the record's origin; 0 at padding. In double
        precision, since float32 would round milliseconds after a few hours.
    side : {"right", "left"}
        Where the padding is.
    inner : Padded, optional
        For a stream of records: all records within these, one after the other.

    Examples
    --------
    >>> stream = Stream(np.array([[1.0], [np.nan], [3.0]]), np.array([0, 2, 3]), ("x",))
    >>> padded = pad(stream, [0, 1])
    >>> padded.values[..., 0]
    array([[1., 0.],
           [3., 0.]], dtype=float32)
    >>> padded.there
    array([[ True,  True],
           [ True, False]])
    """

    values: Array
    observed: Booleans
    lengths: Integers
    times: Floats
    side: Side = "right"
    inner: Padded | None = None

    def __len__(self) -> int:
        return len(self.lengths)

    def __repr__(self) -> str:
        share = 1 - self.lengths.sum() / max(1, self.times.size)
        return f"Padded({self.values.shape}, {100 * share:.1f} % padding on the {self.side})"

    @property
    def there(self) -> Booleans:
        """Which steps are real and not padding, shape (batch, time)."""
        return real_steps(self.lengths, self.times.shape[1], self.side)


def pad(
    stream: Stream,
    places: Any,
    *,
    side: Side = "right",
    steps: int | None = None,
    dtype: Any = np.float32,
    origins: Any = None,
) -> Padded:
    """Gather some records of a stream into one array.

    Only the rows of these records are read, so that a stream on disk (`open_stored`) stays there.
    Tokens, and streams whose channels all hold categories, become int64 codes that may be looked
    up everywhere: 0 where nothing was observed and no category stands; categories beside numbers
    stay codes of the number type. Integer signals are
    scaled to [-1, 1) by the size of their type (16 bits by 1/32768), integer frames to [0, 1]
    (8 bits by 1/255).

    Parameters
    ----------
    stream : Stream
        The records.
    places : sequence of int, shape (batch,)
        Which of them.
    side : {"right", "left"}
        Where padding goes: after the last step, or before the first.
    steps : int, optional
        Length of the time axis; by default that of the longest record.
    dtype : {float32, float64}
        Of values that are no codes.
    origins : array-like, shape (batch,), optional
        The moment from which each record counts time, as the stream's clock writes it; by default
        its first stamp on a calendar, else 0.

    Returns
    -------
    Padded
        The records, in the order of `places`.

    Raises
    ------
    OptionError
        If a place does not exist, or a record is longer than `steps`.
    DataError
        If an observed value is infinite.
    """
    if not isinstance(stream, Stream):
        raise OptionError(
            f"pad reads a Stream, but a {type(stream).__name__} came. Data sets: pad_records."
        )
    _check_options(side, dtype)
    steps = check_count("steps", steps, least=0, optional=True)
    places = check_places(places, len(stream))
    lengths = stream.lengths[places]
    longest = int(lengths.max(initial=0))
    if steps is not None and longest > steps:
        message = f"steps={steps}, but a record has {longest} steps"
        raise OptionError(f"{message}. Raise steps, or cut the records into windows first.")
    there = real_steps(lengths, longest if steps is None else steps, side)
    rows = flat_rows(stream.offsets[:-1][places], lengths)
    origins = first_stamps(stream, places) if origins is None else np.asarray(origins)
    if origins.shape != (len(places),):
        raise OptionError(f"origins has shape {origins.shape}, but there are {len(places)} places.")
    times = np.zeros(there.shape)
    times[there] = _since(stream, rows, lengths, origins)
    if stream.inner is not None:
        return _pad_records(stream, rows, lengths, there, times, origins, side, dtype)
    values, observed = _cells(stream, rows, dtype)
    return Padded(_spread(values, there), _spread(observed, there), lengths, times, side)


def real_steps(lengths: Integers, steps: int, side: Side) -> Booleans:
    """Say which steps of a padded array are real.

    Parameters
    ----------
    lengths : ndarray of int64, shape (batch,)
        How many steps each record has.
    steps : int
        Length of the time axis.
    side : {"right", "left"}
        Where the padding is.

    Returns
    -------
    ndarray of bool, shape (batch, steps)
        False at padding.

    Examples
    --------
    >>> real_steps(np.array([1, 2]), 2, "left")
    array([[False,  True],
           [ True,  True]])
    """
    time = np.arange(steps)
    there: Booleans = (
        time < lengths[:, None] if side == "right" else time >= steps - lengths[:, None]
    )
    return there


def check_places(places: Any, count: int) -> Integers:
    """Refuse places that are not there.

    Parameters
    ----------
    places : sequence of int
        Places of records.
    count : int
        How many records there are.

    Returns
    -------
    ndarray of int64
        The places.

    Examples
    --------
    >>> check_places([0, 3], 3)
    Traceback (most recent call last):
    recurra.errors.OptionError: There is no place 3: the places of 3 records are 0 to 2.
    """
    given = np.asarray(places)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise OptionError(f"places is a list of integers, but {places!r} came.")
    odd = given[(given < 0) | (given >= count)]
    if odd.size:
        message = f"There is no place {odd[0]}: the places of {count} records are 0 to {count - 1}"
        raise OptionError(f"{message}.")
    return given.astype(np.int64)


def first_stamps(stream: Stream, places: Integers) -> Array:
    """Find the earliest stamp of each record.

    Parameters
    ----------
    stream : Stream
        The records; those within them count too, where they alone are on a calendar.
    places : ndarray of int64, shape (batch,)
        Which of them.

    Returns
    -------
    ndarray of int64, shape (batch,)
        Nanoseconds on a calendar (the latest that there is for a record without steps), else 0.

    Examples
    --------
    >>> stamps = np.array([7, 9])
    >>> first_stamps(Stream(np.zeros((2, 1)), np.array([0, 2]), ("x",), times=stamps,
    ...                     clock="calendar"), np.array([0]))
    array([7])
    """
    if not on_calendar(stream):
        return np.zeros(len(places), np.int64)
    starts, stops = stream.offsets[:-1][places], stream.offsets[1:][places]
    first = np.full(len(places), NEVER)
    some = starts < stops
    if stream.clock == "calendar" and stream.times is not None:
        first[some] = stream.times[starts[some]]
    elif stream.inner is not None:
        rows = np.arange(stream.rows)[flat_rows(starts, stops - starts)]
        within = first_stamps(stream.inner, rows)
        begins = np.cumsum(stops - starts) - (stops - starts)
        if some.any():
            first[some] = np.minimum.reduceat(within, begins[some])
    return first


def on_calendar(stream: Stream) -> bool:
    """Say whether a stream, or the records within it, have stamps of a calendar.

    Parameters
    ----------
    stream : Stream
        The stream.

    Returns
    -------
    bool
        False for steps and plain numbers.
    """
    return stream.clock == "calendar" or (stream.inner is not None and on_calendar(stream.inner))


def _check_options(side: str, dtype: Any) -> None:
    if side not in SIDES:
        raise OptionError(f"side={side!r}, but it is 'right' or 'left'.")
    if np.dtype(dtype) not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise OptionError(f"dtype={dtype!r}, but it is float32 or float64.")


def _spread(flat: Array, there: Booleans) -> Array:
    """Put flat rows where the real steps are, and zeros elsewhere."""
    padded = np.zeros((*there.shape, *flat.shape[1:]), flat.dtype)
    padded[there] = flat
    return padded


def _since(stream: Stream, rows: Array | slice, lengths: Integers, origins: Array) -> Floats:
    """Measure time from the origins; whole nanoseconds are subtracted before they are rounded."""
    if stream.times is None:
        ends = np.cumsum(lengths)
        times = np.arange(lengths.sum()) - np.repeat(ends - lengths, lengths)
        times = times if stream.rate is None else times / stream.rate
    else:
        times = np.asarray(stream.times[rows])
    if stream.clock != "calendar" and on_calendar(stream):
        origins = np.zeros(len(lengths), np.int64)  # they are those of the records within
    stretch = times - np.repeat(origins, lengths)
    return stretch / SECOND if stream.clock == "calendar" else stretch.astype(np.float64)


def _cells(stream: Stream, rows: Array | slice, dtype: Any) -> tuple[Array, Booleans]:
    """Read rows: as codes or finite numbers, and where they are known."""
    raw = np.asarray(stream.values[rows])
    coded = stream.kind == "tokens" or set(stream.channels) <= set(stream.categories)
    if stream.observed is None:
        observed = np.ones((len(raw), stream.width), bool)
    else:
        observed = np.array(stream.observed[rows])
    if raw.dtype.kind == "f":
        finite = np.isfinite(raw)
        if not finite.all():
            known = finite | np.isnan(raw)
            _check_known(stream, rows, raw, known, observed)
            observed &= finite if stream.kind != "frames" else finite.all((1, 2, 3))[:, None]
            raw = np.where(finite, raw, 0)
    if coded:
        sizes = np.array([len(stream.categories.get(name, ())) for name in stream.channels])
        return np.where(observed | ((raw >= 0) & (raw < sizes)), raw, 0).astype(np.int64), observed
    return _scaled(raw, stream.kind, dtype), observed


def _check_known(
    stream: Stream, rows: Array | slice, raw: Array, known: Booleans, observed: Booleans
) -> None:
    """Refuse infinities that pass for observed; readers do, but a treatment may have made one."""
    wide = observed if stream.kind != "frames" else observed[..., None, None]
    odd = np.argwhere(~known & wide)
    if not len(odd):
        return
    row = int(np.arange(stream.rows)[rows][odd[0][0]])
    place, step = place_of(stream.offsets, row)
    raise DataError(
        f"A value of the record at place {place} is infinite",
        code="infinite",
        row=step,
        column=stream.channels[odd[0][-1]],
        value=float(raw[tuple(odd[0])]),
        hint="Correct it, or make it NaN where nothing was observed.",
    )


def _scaled(raw: Array, kind: str, dtype: Any) -> Array:
    """Turn numbers into floats; integer signals and frames by the size of their type."""
    values = raw.astype(dtype)
    if kind == "signal" and raw.dtype.kind == "i":
        values /= np.iinfo(raw.dtype).max + 1
    elif kind == "frames" and raw.dtype.kind == "u":
        values /= np.iinfo(raw.dtype).max
    return values


def _pad_records(
    stream: Stream,
    rows: Array | slice,
    lengths: Integers,
    there: Booleans,
    times: Floats,
    origins: Array,
    side: Side,
    dtype: Any,
) -> Padded:
    """Pad the records within records, and say which step each of them is."""
    assert stream.inner is not None
    within = np.arange(stream.rows)[rows]
    own = np.repeat(origins, lengths) if on_calendar(stream.inner) else None
    inner = pad(stream.inner, within, side=side, dtype=dtype, origins=own)
    places = _spread(np.arange(len(within))[:, None], there)
    return Padded(places, there[..., None].copy(), lengths, times, side, inner)


NEVER = np.iinfo(np.int64).max
