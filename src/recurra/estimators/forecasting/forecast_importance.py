"""Which inputs forecasts need: each is exchanged between series and moments."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from recurra import metrics
from recurra.data import Panel
from recurra.data.offsets import offsets_of
from recurra.errors import DataError, DataWarning, OptionError, check_count, near
from recurra.estimators.forecasting.first_values import from_first_value
from recurra.estimators.forecasting.forecast_state import look
from recurra.estimators.forecasting.rolling import Window
from recurra.explaining.exchanging import donors
from recurra.explaining.importance import Importance, losses_of, named_groups, stretches

if TYPE_CHECKING:
    from recurra.models import LocalFeatures
    from recurra.types import Array, Floats, Integers

__all__ = ["Exchanged", "Part", "exchange_forecasts", "importance_of_forecasts"]

CALENDAR = "calendar"
BYS = ("channel", "step", "window")
MEASURE = "MASE"
STRETCHES = 5  # newest seasons, before all that was earlier
NO_SEASON = 4  # steps of a stretch, where there is no season
FEWEST = 2


@dataclass(frozen=True)
class Part:
    """What is exchanged together.

    Parameters
    ----------
    names : tuple of str, optional
        Columns, and ``"calendar"``; None for the series and all that changes with it.
    steps : slice, optional
        Of the past, counted back from where the forecast starts; None for all, and those to come.
    """

    names: tuple[str, ...] | None = None
    steps: slice | None = None


@dataclass(frozen=True, eq=False)
class Exchanged:
    """Forecasts of several series from several moments, each with its past and what is to come.

    Parameters
    ----------
    past : Panel
        What was known at each moment: all series at the first, all at the next, and so on.
    coming : Panel
        The steps that are foretold, with their covariates, in the same order.
    anchor, scale : ndarray, shape (forecasts,)
        Where each series stood, and how large its usual change was.
    moments : int
        How many there are.
    """

    past: Panel
    coming: Panel
    anchor: Floats
    scale: Floats
    moments: int

    @classmethod
    def of(cls, windows: Iterable[Window], local: LocalFeatures) -> Exchanged:
        """Put the moments one after the other.

        Parameters
        ----------
        windows : iterable of Window
            Cuts through the same series.
        local : LocalFeatures
            How a series is seen from where it stands.

        Returns
        -------
        Exchanged
            Nothing is exchanged yet.
        """
        every = [*windows]
        past = _joined([from_first_value(each.train) for each in every])
        coming = _joined([each.actual for each in every])
        view = local.now(look(local, past)[1])
        return cls(past, coming, view.anchor.numpy(), view.scale.numpy(), len(every))


def importance_of_forecasts(
    given: Exchanged,
    forecast: Callable[[Panel, Panel], Floats],
    season: int,
    calendar: bool,
    groups: Mapping[str, Any] | None = None,
    *,
    n_repeats: int = 5,
    by: Literal["channel", "step", "window"] = "channel",
    seed: int = 0,
) -> Importance:
    """Exchange each input between forecasts, and see how much worse they become.

    Parameters
    ----------
    given : Exchanged
        The forecasts.
    forecast : callable
        Forecasts the steps to come of pasts; shape (forecasts, h).
    season : int
        Steps in a season, for the scale of MASE; 1 for none.
    calendar : bool
        Whether the calendar is read.
    groups : dict of str, optional
        What is exchanged together; see `recurra.Forecaster.importance`.
    n_repeats : int
        How often each is exchanged.
    by : {"channel", "step", "window"}
        What is exchanged.
    seed : int
        Source of chance.

    Returns
    -------
    Importance
        The losses of each.

    Raises
    ------
    DataError
        If there is only one forecast, or none that can be scored.
    OptionError
        If a group names what is not there, or two name the same.
    """
    check_count("n_repeats", n_repeats)
    count = len(given.past)
    if count < FEWEST:
        raise DataError(
            "Inputs are exchanged between forecasts, but there is only one",
            code="one_forecast",
            hint="Give several series, or n_windows=8; explain(df) says what mattered for one.",
        )
    parts = _parts(given, by, groups, season, calendar)
    y = given.coming.target.reshape(count, -1)
    scales = [metrics.seasonal_scale(given.past.record(i).target, season) for i in range(count)]
    there = (np.array(scales) > 0) & np.isfinite(y).any(1)  # of a constant, NaN, there is no MASE
    if not there.any():
        raise DataError(
            "No forecast can be scored: nothing was observed, or the past is constant",
            code="no_scale",
            hint="Give series that change, and whose last values are known.",
        )

    def score(past: Panel, coming: Panel) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # it was said of the series as given
            said = forecast(past, coming)
        off = [metrics.mae(y[i], said[i]) / scales[i] for i in np.flatnonzero(there)]
        return float(np.mean(off))

    def exchanged(part: Part, random: np.random.Generator) -> float:
        return score(*exchange_forecasts(given, part, random))

    whole = score(given.past, given.coming)
    losses = losses_of(parts, exchanged, whole, greater=False, n_repeats=n_repeats, seed=seed)
    return Importance(by, MEASURE, False, whole, losses, int(there.sum()), "forecast")


def exchange_forecasts(
    given: Exchanged, part: Part, random: np.random.Generator
) -> tuple[Panel, Panel]:
    """Exchange a part between forecasts.

    They stand in a circle, neighbours at different moments where there are several. Steps are
    counted from where the forecast starts: at each, a forecast takes the value that the next one
    has there; where its past does not reach so far, the next whose does.

    Parameters
    ----------
    given : Exchanged
        The forecasts.
    part : Part
        What is exchanged.
    random : numpy.random.Generator
        Source of chance.

    Returns
    -------
    past, coming : Panel
        The same values at other places; of the series itself the values as they look from where
        this one stands, with its own newest value and its own usual change. What is to come of it
        stays.
    """
    past, coming = given.past, given.coming
    order = _circle(len(past) // given.moments, given.moments, random)
    source = donors(past.offsets, order, from_end=True)
    other = np.empty(len(order), np.int64)
    other[order] = np.roll(order, -1)
    owner = np.repeat(np.arange(len(past)), past.lengths)
    h = len(coming.times) // len(coming)
    later = (other[:, None] * h + np.arange(h)).ravel()
    if part.steps is not None:
        source = np.where(_inside(past, part.steps), source, np.arange(len(source)))
        later = np.arange(len(later))
    names = part.names or (past.columns.target, *past.past, *past.future)

    def of(columns: Mapping[str, Array], rows: Integers) -> dict[str, Array]:
        return {k: each[rows] if k in names else each for k, each in columns.items()}

    changed = replace(
        past,
        past=of(past.past, source),
        future=of(past.future, source),
        static=of(past.static, other),
    )
    if past.columns.target in names:
        seen = (past.target[source] - given.anchor[owner[source]]) / given.scale[owner[source]]
        own = seen * given.scale[owner] + given.anchor[owner]
        own = np.where(source == np.arange(len(source)), past.target, own)
        changed = replace(changed, target=own, observed=past.observed[source])
    ahead = replace(coming, future=of(coming.future, later), static=changed.static)
    if CALENDAR in names and CALENDAR not in _columns(past):
        return _at_other_times(changed, ahead, random)
    return changed, ahead


# --------------------------------------------------------------------- inside


def _joined(panels: list[Panel]) -> Panel:
    """Put series of the same columns one after the other."""

    def all_of(parts: Iterable[Mapping[str, Array]]) -> dict[str, Array]:
        every = [*parts]
        return {name: np.concatenate([each[name] for each in every]) for name in every[0]}

    return replace(
        panels[0],
        ids=tuple(name for each in panels for name in each.ids),
        offsets=offsets_of(np.concatenate([each.lengths for each in panels])),
        times=np.concatenate([each.times for each in panels]),
        target=np.concatenate([each.target for each in panels]),
        observed=np.concatenate([each.observed for each in panels]),
        past=all_of(each.past for each in panels),
        future=all_of(each.future for each in panels),
        static=all_of(each.static for each in panels),
    )


def _circle(series: int, moments: int, random: np.random.Generator) -> Integers:
    """Order forecasts by chance, each beside one of another moment."""
    turns = random.permutation(moments)
    return np.stack([turn * series + random.permutation(series) for turn in turns], 1).ravel()


def _inside(past: Panel, steps: slice) -> Array:
    """Say which rows lie in a stretch that is counted from the end."""
    back = np.arange(len(past.times)) - np.repeat(past.offsets[1:], past.lengths)
    start, stop = -np.inf if steps.start is None else steps.start, steps.stop or 0
    found: Array = (back >= start) & (back < stop)
    return found


def _at_other_times(past: Panel, coming: Panel, random: np.random.Generator) -> tuple[Panel, Panel]:
    """Move each forecast to a moment drawn from as many as its series is long."""
    h = len(coming.times) // len(coming)
    drawn = random.integers(1, past.lengths + h)

    def moved(panel: Panel) -> Panel:
        steps = np.repeat(drawn, panel.lengths)
        if panel.clock.regular:
            return replace(panel, times=panel.clock.advance(panel.times, steps))
        return replace(panel, times=panel.times + steps * np.repeat(past.spacing, panel.lengths))

    return moved(past), moved(coming)


def _columns(past: Panel) -> tuple[str, ...]:
    """Name all that is read of a series, itself first."""
    return (past.columns.target, *past.past, *past.future, *past.static)


def _parts(
    given: Exchanged, by: str, groups: Mapping[str, Any] | None, season: int, calendar: bool
) -> dict[str, Part]:
    """List what is exchanged, by its name."""
    if by not in BYS:
        raise OptionError(f"by={by!r}, but of forecasts it is one of {BYS}.")
    if by != "channel":
        return _stretches(int(given.past.lengths.max()), by, groups, season)
    known = _columns(given.past)
    known = (*known, CALENDAR) if calendar and CALENDAR not in known else known
    if groups is None:
        return {name: Part((name,)) for name in known}
    listed = named_groups(groups, by)
    for name in (each for names in listed.values() for each in names):
        if name not in known:
            raise OptionError(f"There is no channel {name!r}. {near(name, known)}")
    return {group: Part(names) for group, names in listed.items()}


def _stretches(
    longest: int, by: str, groups: Mapping[str, Any] | None, season: int
) -> dict[str, Part]:
    """List stretches of the past, the oldest first."""
    if groups is not None:
        found = {}
        for group, steps in stretches(_from_the_end(groups, longest), by).items():
            if (steps.start or 0) >= 0 or (steps.stop or 0) > 0:
                raise OptionError(
                    f"groups[{group!r}] counts from the beginning, but steps are counted back from "
                    "where the forecast starts: slice(-12, None) are the newest twelve."
                )
            found[group] = Part(steps=steps)
        return found
    season = season if season > 1 else NO_SEASON
    size, count = (1, STRETCHES * season) if by == "step" else (season, STRETCHES)
    edges = [-size * k for k in range(min(count, longest // size) + 1)]
    parts = {}
    if -edges[-1] < longest:
        parts["earlier"] = Part(steps=slice(None, edges[-1] or None))
    for start, stop in zip(edges[:0:-1], edges[-2::-1], strict=True):
        said = f"step {start}" if size == 1 else f"steps {start} to {stop - 1}"
        parts[said] = Part(steps=slice(start, stop or None))
    return parts


def _from_the_end(groups: Any, longest: int) -> Any:
    """Count a stretch without a beginning from the first step of the longest series."""
    if not isinstance(groups, Mapping):
        return groups
    return {
        group: slice(-longest, steps.stop, steps.step)
        if isinstance(steps, slice) and steps.start is None and (steps.stop or 0) < 0
        else steps
        for group, steps in groups.items()
    }
