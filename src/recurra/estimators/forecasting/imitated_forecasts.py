"""Forecasts as records with features: what is seen from where each starts, and what is foretold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from recurra.auditing.phrases import plural, quoted
from recurra.data import Panel, SequenceDataset
from recurra.data.panel.records import records_of
from recurra.data.panel.wall import to_wall
from recurra.errors import DataError
from recurra.estimators.forecasting.forecast_checks import SHORTEST
from recurra.explaining.surrogates import FEWEST, Answers

if TYPE_CHECKING:
    from recurra.data.panel.clock import Clock
    from recurra.estimators.forecasting.forecast_importance import Exchanged
    from recurra.estimators.forecasting.forecast_inputs import InputReader
    from recurra.types import Array, Floats, Integers

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
    rows = np.maximum(past.offsets[1:, None] + back, past.offsets[:-1, None]).ravel()
    there = (past.lengths[:, None] + back >= 0).ravel()
    owner = np.repeat(np.arange(count), steps)
    seen = (past.target[rows] - given.anchor[owner]) / given.scale[owner]
    foretold = np.arange(count) * (len(coming.times) // count) + h - 1
    then = {f"{name} then": values[foretold] for name, values in coming.future.items()}
    newest = replace(
        past,
        ids=tuple(range(count)),
        offsets=steps * np.arange(count + 1),
        times=past.times[rows],
        target=seen,
        observed=past.observed[rows],
        past={name: values[rows] for name, values in past.past.items()},
        future={name: values[rows] for name, values in past.future.items()},
        static=_calendar(coming.times[foretold], past.clock, reader) | then | past.static,
    )
    records = records_of(newest)
    stream = records.streams["y"]
    return records.with_streams(y=replace(stream, observed=stream.mask & there[:, None]))


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
    target = quoted(given.past.columns.target)
    asked = f"change of {target} {plural(h, 'step')} ahead, in usual changes"
    return Answers(asked, (foretold[:, h - 1] - given.anchor) / given.scale, ahead=h)


# --------------------------------------------------------------------- inside


def _calendar(times: Integers, clock: Clock, reader: InputReader) -> dict[str, Array]:
    """Say where steps lie in the phases that the network reads: by name, but for those of a day."""
    if not reader.calendar:
        return {}
    wall = pd.DatetimeIndex(to_wall(times, clock.zone).view("M8[ns]"))
    waves = reader.calendar_of(times, times, clock).numpy().T
    phases = [name.split("_", 1)[1] for name in reader.calendar]
    named = [NAMED[phase] for phase in dict.fromkeys(phases) if phase in NAMED]
    return {called: np.asarray(labels(wall), object) for called, labels in named} | {
        name.replace("_", " "): values
        for name, phase, values in zip(reader.calendar, phases, waves, strict=False)  # no gap
        if phase not in NAMED
    }
