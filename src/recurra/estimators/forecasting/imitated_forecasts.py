"""Forecasts as records with features: what is seen from where each starts, and what is foretold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from recurra.auditing.phrases import quoted
from recurra.data import Panel, SequenceDataset, Stream
from recurra.data.offsets import offsets_of
from recurra.data.panel.wall import to_wall
from recurra.errors import DataError
from recurra.estimators.forecasting.forecast_checks import SHORTEST
from recurra.explaining.surrogates import FEWEST, Answers

if TYPE_CHECKING:
    from recurra.data.panel.clock import Clock
    from recurra.estimators.forecasting.forecast_importance import Exchanged
    from recurra.estimators.forecasting.forecast_inputs import InputReader
    from recurra.types import Array, Booleans, Floats, Integers

__all__ = ["answers_of_forecasts", "as_records", "origins"]

WANTED = 1000  # forecasts
MOST_ROWS = 1_000_000  # that are read for them
NAMED: Mapping[str, tuple[str, Callable[[pd.DatetimeIndex], Any]]] = {
    "day_of_week": ("day", lambda wall: wall.day_name()),
    "day_of_year": ("month", lambda wall: wall.month_name()),
    "week_of_year": ("month", lambda wall: wall.month_name()),
    "month_of_year": ("month", lambda wall: wall.month_name()),
    "quarter_of_year": ("quarter", lambda wall: wall.quarter.astype(str)),
}
"""Phases of the calendar that people know by name: what they are called."""


def origins(panel: Panel, h: int, steps: int) -> tuple[int, int]:
    """Choose from how many moments series are forecast, and how far these lie apart.

    Parameters
    ----------
    panel : Panel
        The series.
    h : int
        Which step ahead is foretold.
    steps : int
        How many newest steps are looked at.

    Returns
    -------
    count, apart : int
        So that there are a thousand forecasts, as far as series are long enough; in long ones no
        more than can be read at once, spread over the whole.

    Raises
    ------
    DataError
        If there are fewer than 40.
    """
    fewest, wanted = -(-FEWEST // len(panel)), -(-WANTED // len(panel))
    least = int(panel.lengths.min()) - h + 1
    room = least - steps  # so that all steps that are looked at are there
    if room < fewest:
        room = least - SHORTEST
    count = min(room, wanted, max(MOST_ROWS // len(panel.times), fewest))
    if count * len(panel) < FEWEST:
        shortest = panel.ids[int(panel.lengths.argmin())]
        raise DataError(
            f"A surrogate is fitted to {FEWEST} forecasts or more, but these series allow "
            f"{max(count, 0) * len(panel)}: the shortest is {quoted(str(shortest))}, of "
            f"{int(panel.lengths.min())} rows",
            code="few_forecasts",
            hint="Give longer series, or more of them; explain(df) tells of one forecast.",
        )
    return count, max(1, room // count)


def as_records(given: Exchanged, h: int, steps: int, reader: InputReader) -> SequenceDataset:
    """See each forecast as a record: its newest steps, and what is known of the step foretold.

    Parameters
    ----------
    given : Exchanged
        Forecasts from several moments.
    h : int
        Which step ahead is foretold.
    steps : int
        How many newest steps are seen; before the first there was nothing observed.
    reader : InputReader
        Says which phases of the calendar are read.

    Returns
    -------
    SequenceDataset
        The series is seen as the network sees it: as changes from its newest value, in units of its
        usual change. Past and future covariates are steps beside it; static are what is known of
        the step foretold, its place in the calendar, and static covariates.
    """
    past, coming, count = given.past, given.coming, len(given.past)
    back = np.arange(-steps, 0)
    rows = (past.offsets[1:, None] + back).ravel()
    there = (past.lengths[:, None] + back >= 0).ravel()
    rows = np.where(there, rows, 0)
    owner = np.repeat(np.arange(count), steps)
    seen = (past.target[rows] - given.anchor[owner]) / given.scale[owner]
    columns = {past.columns.target: np.where(past.observed[rows], seen, np.nan)}
    columns |= {name: values[rows] for name, values in {**past.past, **past.future}.items()}
    foretold = np.arange(count) * (len(coming.times) // count) + h - 1
    known = {f"{name} then": values[foretold] for name, values in coming.future.items()}
    known |= past.static
    known = _calendar(coming.times[foretold], past.clock, reader) | known
    series = _stream(columns, there, np.full(count, steps))
    static = _stream(known, np.ones(count, bool), np.ones(count, np.int64)) if known else None
    return SequenceDataset(tuple(range(count)), {"series": series}, static)


def answers_of_forecasts(given: Exchanged, foretold: Floats, h: int) -> Answers:
    """Say what is foretold, seen from where each series stands.

    Parameters
    ----------
    given : Exchanged
        Forecasts from several moments.
    foretold : ndarray, shape (forecasts, h)
        What the network says.
    h : int
        Which step ahead is meant.

    Returns
    -------
    Answers
        Changes from the newest value, in units of the usual change.
    """
    ahead = "1 step" if h == 1 else f"{h} steps"
    asked = f"change of {quoted(given.past.columns.target)} {ahead} ahead, in usual changes"
    return Answers(asked, (foretold[:, h - 1] - given.anchor) / given.scale, ahead=h)


# --------------------------------------------------------------------- inside


def _calendar(times: Integers, clock: Clock, reader: InputReader) -> dict[str, Array]:
    """Say where steps lie in the phases that the network reads: by name, but for those of a day."""
    if not reader.calendar:
        return {}
    found: dict[str, Array] = {}
    wall = pd.DatetimeIndex(to_wall(times, clock.zone).view("M8[ns]"))
    phases = reader.calendar_of(times, times, clock).numpy().T
    for name, values in zip(reader.calendar, phases, strict=False):  # the gap is no phase
        phase = name.split("_", 1)[1]
        if phase in NAMED:
            called, labels = NAMED[phase]
            found[called] = np.asarray(labels(wall), object)
        else:
            found[name.replace("_", " ")] = values
    return found


def _stream(columns: Mapping[str, Array], there: Booleans, lengths: Integers) -> Stream:
    """Put columns side by side: text as codes, flags and numbers as numbers."""
    values, labels = np.empty((len(there), len(columns))), {}
    for place, (name, cells) in enumerate(columns.items()):
        if cells.dtype == object:
            codes, named = pd.factorize(cells)
            values[:, place] = np.where(codes < 0, np.nan, codes)
            labels[name] = tuple(named)
        else:
            values[:, place] = cells
    observed = np.isfinite(values) & there[:, None]
    return Stream(values, offsets_of(lengths), tuple(columns), observed=observed, categories=labels)
