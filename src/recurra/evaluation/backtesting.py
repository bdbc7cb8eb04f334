"""Rolling-origin evaluation of several models, with the baselines beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from recurra.data.panel.frame import from_frame
from recurra.data.tables.columns import Columns
from recurra.errors import DataError, OptionError
from recurra.estimators.forecasting.baselines import Baseline, Naive
from recurra.estimators.forecasting.rolling import CUTOFF
from recurra.evaluation.comparing import compare_read
from recurra.evaluation.comparison import Comparison
from recurra.evaluation.forecasts import Forecasts, Model, read_forecasts
from recurra.types import Floats, Integers

__all__ = ["CrossValidating", "backtest"]


class CrossValidating(Protocol):
    """What :func:`backtest` asks of a model."""

    def cross_validation(
        self,
        df: Any,
        h: int,
        n_windows: int = ...,
        step_size: int | None = ...,
        level: Sequence[float] | None = ...,
    ) -> Any:
        """Foretell from several origins; a frame with identifier, time, cutoff, target, models."""


def backtest(
    models: Sequence[CrossValidating],
    df: Any,
    h: int,
    n_windows: int = 1,
    step_size: int | None = None,
    level: Sequence[float] | None = None,
    season_length: int | None = None,
    *,
    columns: Columns | None = None,
    freq: str | int | None = None,
) -> Comparison:
    """Compare models where the truth is known: foretell from several origins in the past.

    Each model is trained on the rows up to an origin and foretells the ``h`` rows that follow, for
    every origin. `Naive`, `SeasonalNaive`, `Drift` and `Mean` do so too, always: a model that does
    not beat them has learnt nothing.

    Parameters
    ----------
    models : sequence of forecasters
        Each has ``cross_validation(df, h=, n_windows=, step_size=, level=)``. One that says
        ``has_intervals = False`` is asked for none.
    df : DataFrame
        A long pandas, polars or pyarrow frame.
    h : int
        Steps to foretell.
    n_windows : int
        How many origins.
    step_size : int, optional
        Steps from one origin to the next; ``h`` if not given.
    level : sequence of float, optional
        Intervals in per cent, such as ``[80, 95]``, to be scored as well.
    season_length : int, optional
        Rows in a season; see :func:`compare`.
    columns : Columns, optional
        The roles of the columns; by default ``unique_id``, ``ds`` and ``y``.
    freq : str or int, optional
        The step between stamps; by default the one most stamps keep.

    Returns
    -------
    Comparison
        Print it. Its ``table`` has the scores, its ``frame`` all forecasts.

    Examples
    --------
    >>> from recurra.evaluation import Naive2
    >>> noise = np.random.default_rng(0).normal(size=70)
    >>> visits = np.tile([20.0, 22, 21, 23, 25, 40, 38], 10) + noise
    >>> days = pd.date_range("2024-01-01", periods=70)
    >>> df = pd.DataFrame({"unique_id": "shop", "ds": days, "y": visits})
    >>> backtest([Naive2(7)], df, h=7, n_windows=3).table.index.tolist()
    ['Naive2', 'SeasonalNaive', 'Mean', 'Naive', 'Drift']
    """
    dataset = from_frame(df, columns, freq=freq)
    # the cheapest first: it checks the lengths before any network is trained
    cheapest = Naive().cross_validation(dataset, h, n_windows, step_size, level)
    forecasts = read_forecasts(cheapest, dataset.columns)
    for model in models:
        bounds = level if getattr(model, "has_intervals", True) else None
        data = dataset if isinstance(model, Baseline) else df
        foretold = model.cross_validation(
            data, h=h, n_windows=n_windows, step_size=step_size, level=bounds
        )
        forecasts = _beside(forecasts, read_forecasts(foretold, dataset.columns))
    return compare_read(forecasts, dataset, season_length)


def _beside(ours: Forecasts, theirs: Forecasts) -> Forecasts:
    """Put more models beside those we have, row by row."""
    place = _keys(theirs).get_indexer(_keys(ours))
    lost = (place < 0) & ~np.isnan(ours.y)
    if lost.any():
        first = ours.frame.loc[int(np.flatnonzero(lost)[0])]
        raise DataError(
            f"{', '.join(theirs.models)} has no forecast of {first[ours.columns.time]} from "
            f"{first[CUTOFF]}, as of {int(lost.sum())} of {len(lost)} rows",
            code="forecast_missing",
            record=first[ours.columns.id],
            hint="Every model must foretell every window.",
        )
    for name, model in theirs.models.items():
        if name in ours.models and name != Naive().name:
            raise OptionError(f"Two models are called {name!r}. Give one of them another name.")
        bounds = {
            level: (_picked(low, place), _picked(high, place))
            for level, (low, high) in model.bounds.items()
        }
        if name not in ours.models:
            ours = ours.joined(name, Model(_picked(model.point, place), bounds))
    return ours


def _picked(values: Floats, place: Integers) -> Floats:
    """Values by place; NaN where a stamp was missing that nobody observed."""
    return np.where(place < 0, np.nan, values[place])


def _keys(forecasts: Forecasts) -> pd.MultiIndex:
    """What makes a row the same row: series, cutoff and stamp."""
    sizes = np.diff(forecasts.offsets)
    cutoffs = np.zeros(len(sizes)) if forecasts.cutoffs is None else forecasts.cutoffs
    ids = pd.Index(forecasts.ids)
    return pd.MultiIndex.from_arrays([ids.repeat(sizes), cutoffs.repeat(sizes), forecasts.times])
