"""One step of one record, as the user gives it, read as a stream of one row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recurra.data import Stream
from recurra.data.reading.arrays import check_finite
from recurra.errors import DataError, OptionError
from recurra.estimators.learning.record_inputs import Shape
from recurra.types import Array

__all__ = ["read_static", "read_step"]

ID = "this"


def read_step(shape: Shape, row: Any, time: Any, given: bool = True) -> Stream:
    """Read one step of one stream.

    Parameters
    ----------
    shape : Shape
        What the stream looked like when it was learned from.
    row : array-like, str or dict
        Its values; see `RecordSession.step`.
    time : float, str or datetime, optional
        When it is.
    given : bool
        Whether there is a step at all.

    Returns
    -------
    Stream
        One record of one row, or of none.

    Raises
    ------
    DataError
        If it is not like the steps learned from.
    OptionError
        If streams of this kind cannot be read step by step.
    """
    rows = int(given)
    times = _times(shape, time, rows)
    offsets = np.array([0, rows])
    if shape.kind == "frames":
        values = np.asarray(row) if given else np.zeros((0, 1, 1, len(shape.channels)))
        if values.ndim == 2:
            values = values[..., None]
        values = values[None] if given else values
        return Stream(values, offsets, shape.channels, kind="frames", **times)
    if shape.kind not in ("values", "tokens"):
        raise OptionError(f"A stream of {shape.kind} cannot be read step by step. Use predict.")
    cells = _cells(shape, row) if given else []
    values, seen = (
        np.zeros((rows, len(shape.channels))),
        np.zeros((rows, len(shape.channels)), bool),
    )
    categories: dict[str, tuple[object, ...]] = dict.fromkeys(shape.categorical, ())
    for column, (name, cell) in enumerate(zip(shape.channels, cells, strict=False)):
        seen[0, column] = not _unknown(cell)
        if name in shape.categorical:
            categories[name] = (cell,) if seen[0, column] else ()
        else:
            values[0, column] = _number(cell, name) if seen[0, column] else np.nan
    check_finite(values, offsets, shape.channels, (ID,))
    values = values.astype(np.int64) if shape.kind == "tokens" else values
    kind: Any = shape.kind
    return Stream(
        values, offsets, shape.channels, kind=kind, observed=seen, categories=categories, **times
    )


def read_static(static: Any, shape: Shape | None) -> Stream | None:
    """Read what holds for a whole record.

    Parameters
    ----------
    static : array-like or dict, optional
        The covariates.
    shape : Shape, optional
        What they looked like when they were learned from; None if there were none.

    Returns
    -------
    Stream, or None
        One row.

    Raises
    ------
    DataError
        If they were learned from and are not given, or the other way round.
    """
    if (static is None) != (shape is None):
        had, hint = ("no static covariates", "Leave them out.")
        if shape is not None:
            had, hint = ("static covariates", f"Give static=, for {list(shape.channels)}.")
        raise DataError(f"The model learned from {had}", code="missing_stream", hint=hint)
    return None if shape is None else read_step(shape._replace(clock="step"), static, None)


def _times(shape: Shape, time: Any, rows: int) -> dict[str, Any]:
    """Read when a step is."""
    if shape.clock == "step":
        if time is not None:
            raise OptionError("The records learned from had no times: leave time out.")
        return {}
    if rows and time is None:
        raise OptionError(f"The records learned from had times ({shape.clock}): give time=.")
    if not rows:
        kind = np.int64 if shape.clock == "calendar" else np.float64
        return {"times": np.zeros(0, kind), "clock": shape.clock}
    from recurra.data.reading.times import read_times

    read = read_times([[time]], np.array([1]), (ID,), "time")
    if read.clock != shape.clock:
        message = f"The records learned from had times of a {shape.clock}, but a {read.clock} came"
        raise DataError(message, code="other_type", value=time, hint="Give it as it was before.")
    return {"times": read.times, "clock": read.clock, "zone": read.zone}


def _cells(shape: Shape, row: Any) -> list[Any]:
    """List the values of a step, one for each channel."""
    if isinstance(row, Mapping):
        unknown = [name for name in row if name not in shape.channels]
        if unknown:
            message = f"The model learned from no channel {unknown[0]!r}"
            hint = f"There are: {list(shape.channels)}."
            raise DataError(message, code="missing_channel", hint=hint)
        return [row.get(name) for name in shape.channels]
    cells = [row] if isinstance(row, str) or np.ndim(row) == 0 else [*row]
    if len(cells) != len(shape.channels):
        raise DataError(
            f"A step has {len(cells)} values, but the model learned from {len(shape.channels)}",
            code="channel_count",
            hint=f"Give one for each of {list(shape.channels)[:10]}.",
        )
    return cells


def _unknown(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float | np.floating) and bool(np.isnan(cell)))


def _number(cell: Any, name: str) -> Any:
    """Take a number; text and flags are none."""
    kind = np.asarray(cell).dtype.kind if np.ndim(cell) == 0 else "O"
    if kind not in "iuf":
        message = f"A number is read here, but a {type(cell).__name__} came"
        raise DataError(message, code="not_a_number", column=name, value=cell)
    value: Array = np.asarray(cell, np.float64)
    return value
