"""What was known at the origin of each window, and what the baselines make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from recurra.data.offsets import place_of
from recurra.data.panel.panel import Panel
from recurra.data.panel.season import detect_season_lengths
from recurra.errors import DataError
from recurra.estimators.forecasting.baselines import Baseline, Drift, Mean, Naive, SeasonalNaive
from recurra.evaluation.forecasts import Forecasts, Model
from recurra.types import Floats, Integers

__all__ = ["Origins", "beside_baselines", "find_origins", "find_season_length"]


@dataclass(frozen=True, eq=False)
class Origins:
    """The past of every window.

    Parameters
    ----------
    histories : tuple of ndarray, one a window
        The values up to the cutoff; NaN where unobserved.
    ahead : ndarray of int64, shape (rows,)
        How many steps after the cutoff each row lies.
    """

    histories: tuple[Floats, ...]
    ahead: Integers


def find_origins(forecasts: Forecasts, past: Panel) -> Origins:
    """Look up what each series was up to each cutoff.

    Parameters
    ----------
    forecasts : Forecasts
        The windows.
    past : Panel
        The series; rows after the cutoffs are not looked at.

    Returns
    -------
    Origins
        The past of every window.

    Raises
    ------
    DataError
        If a series is not among them, or has no value up to its cutoff.
    """
    place = {name: i for i, name in enumerate(past.ids)}
    histories, last = [], np.empty(len(forecasts), np.int64)
    for i, name in enumerate(forecasts.ids):
        if name not in place:
            hint = "Give in train every series that was forecast, under the same identifier."
            raise DataError(
                "No such series in train", code="unknown_series", record=name, hint=hint
            )
        record = past.record(place[name])
        if forecasts.cutoffs is None:
            end = np.searchsorted(record.times, forecasts.times[forecasts.offsets[i]], side="left")
        else:
            end = np.searchsorted(record.times, forecasts.cutoffs[i], side="right")
        if not record.observed[:end].any():
            hint = "Give in train the series from its start, or leave this window out."
            raise DataError(
                "Nothing is observed up to the cutoff", code="no_past", record=name, hint=hint
            )
        histories.append(record.target[:end])
        last[i] = record.times[end - 1]
    return Origins(tuple(histories), _steps_ahead(forecasts, past, last))


def _steps_ahead(forecasts: Forecasts, past: Panel, last: Integers) -> Integers:
    """Steps from the last known stamp to each row: by the clock, or else by counting rows."""
    if not past.clock.regular:
        return forecasts.steps
    starts = forecasts.offsets[:-1]
    times = np.insert(forecasts.times, starts, last)
    offsets = forecasts.offsets + np.arange(len(starts) + 1)
    since = past.clock.steps_since_previous(times, offsets)
    rows = np.ones(len(times), np.bool_)
    rows[offsets[:-1]] = False
    if (since < 1).any():
        window, _ = place_of(offsets, np.flatnonzero(since < 1)[0])
        raise DataError(
            f"A forecast stamp is no whole number of steps of {past.clock.step!r} after the cutoff",
            code="off_grid",
            record=forecasts.ids[window],
            column=forecasts.columns.time,
            hint="Forecast the stamps of the series' own clock, or give its freq.",
        )
    total = since.cumsum()
    return (total - np.repeat(total[offsets[:-1]], np.diff(offsets)))[rows]


def find_season_length(forecasts: Forecasts, past: Panel) -> int:
    """Find a season: told by the clock, else by the series before the first cutoff; else 1.

    Parameters
    ----------
    forecasts : Forecasts
        The windows.
    past : Panel
        The series.

    Returns
    -------
    int
        Steps in the shortest season.
    """
    if past.clock.season_lengths:
        return past.clock.season_lengths[0]
    first = dict.fromkeys(past.ids, np.iinfo(np.int64).max)
    starts = forecasts.times[forecasts.offsets[:-1]]
    for name, start in zip(forecasts.ids, starts.tolist(), strict=True):
        first[name] = min(first[name], start)
    ends = [np.searchsorted(past.record(i).times, first[name]) for i, name in enumerate(past.ids)]
    before = past.before(np.array(ends, np.int64))
    return next(iter(detect_season_lengths(before.target, before.offsets)), 1)


def beside_baselines(forecasts: Forecasts, origins: Origins, season_length: int) -> Forecasts:
    """Put the baselines beside the models, with the same levels.

    Parameters
    ----------
    forecasts : Forecasts
        Of any models; a baseline that is among them stays as it is.
    origins : Origins
        The past of every window.
    season_length : int
        Steps in a season; with 1 there is no `SeasonalNaive`.

    Returns
    -------
    Forecasts
        With `Naive`, `SeasonalNaive`, `Drift` and `Mean`.
    """
    baselines: list[Baseline] = [Naive(), Drift(), Mean()]
    if season_length > 1:
        baselines.insert(1, SeasonalNaive(season_length))
    levels = forecasts.levels
    for baseline in baselines:
        if baseline.name not in forecasts.models:
            forecast = _foretell(baseline, forecasts, origins, levels)
            forecasts = forecasts.joined(baseline.name, forecast)
    return forecasts


def _foretell(
    baseline: Baseline, forecasts: Forecasts, origins: Origins, levels: Sequence[float]
) -> Model:
    """One baseline's forecast of every row."""
    point, deviation = np.empty_like(forecasts.y), np.empty_like(forecasts.y)
    for i, history in enumerate(origins.histories):
        rows = forecasts.window(i)
        ahead = origins.ahead[rows]
        point[rows] = baseline.forecast(history, int(ahead[-1]))[ahead - 1]
        if levels:
            deviation[rows] = baseline.spread(history, int(ahead[-1]))[ahead - 1]
    reach = {level: NormalDist().inv_cdf(0.5 + level / 200) * deviation for level in levels}
    return Model(point, {level: (point - wide, point + wide) for level, wide in reach.items()})
