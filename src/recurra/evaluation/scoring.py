"""From forecasts to scores: one row for each model and window, then one for each model."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from recurra import metrics
from recurra.estimators.forecasting.baselines import Baseline
from recurra.estimators.forecasting.rolling import CUTOFF
from recurra.evaluation.forecasts import Forecasts, Model
from recurra.evaluation.origins import Origins
from recurra.types import Booleans, Floats

__all__ = ["BASELINES", "rank", "score_windows", "scored_rows"]

BASELINES = frozenset(kind.__name__ for kind in Baseline.__subclasses__())
ORDER = ["MASE", "sMAPE", "RMSE"]


def score_windows(forecasts: Forecasts, origins: Origins, season_length: int) -> pd.DataFrame:
    """Score every model in every window.

    Parameters
    ----------
    forecasts : Forecasts
        The models beside what happened.
    origins : Origins
        The past of every window, for the scale of MASE.
    season_length : int
        Steps in a season, for the scale of MASE.

    Returns
    -------
    pandas.DataFrame
        Identifier, cutoff (if the frame has one), model, then a column for each score; NaN where
        it does not exist.
    """
    whole = scored_rows(forecasts)
    rows = []
    for i, name in enumerate(forecasts.ids):
        window = forecasts.window(i)
        key = {forecasts.columns.id: name}
        if CUTOFF in forecasts.frame:
            key[CUTOFF] = forecasts.frame[CUTOFF].iloc[window.start]
        scale = metrics.seasonal_scale(origins.histories[i], season_length)
        for label, model in forecasts.models.items():
            scores = _point_scores(forecasts.y[window], model.point[window], scale)
            if forecasts.levels:
                bounded = np.where(whole[window], forecasts.y[window], np.nan)
                scores |= _interval_scores(bounded, model, window, forecasts.levels)
            rows.append({**key, "model": label, **scores})
    return pd.DataFrame(rows)


def scored_rows(forecasts: Forecasts) -> Booleans:
    """Where all models have all the bounds they ever have: the same questions for everyone.

    Parameters
    ----------
    forecasts : Forecasts
        The models beside what happened.

    Returns
    -------
    ndarray of bool, shape (rows,)
        The rows on which intervals are scored.
    """
    whole = np.ones(len(forecasts.y), np.bool_)
    for model in forecasts.models.values():
        for low, high in model.bounds.values():
            whole &= ~np.isnan(low) & ~np.isnan(high)
    return whole


def rank(scores: pd.DataFrame) -> pd.DataFrame:
    """Average the scores over the windows and put the best model first.

    Parameters
    ----------
    scores : pandas.DataFrame
        From :func:`score_windows`.

    Returns
    -------
    pandas.DataFrame
        A row for each model: whether it is a baseline, then the mean of each score over the
        windows that have one. By MASE; by sMAPE, then RMSE, where there is none.
    """
    numbers = scores.columns[list(scores.columns).index("model") + 1 :]
    table = scores.groupby("model", sort=False)[list(numbers)].mean()
    table.insert(0, "baseline", table.index.isin(BASELINES))
    return table.sort_values(ORDER, kind="stable")


def _point_scores(y: Floats, point: Floats, scale: float) -> dict[str, float]:
    return {
        "sMAPE": metrics.smape(y, point),
        "MASE": metrics.mae(y, point) / scale,
        "RMSE": metrics.rmse(y, point),
    }


def _interval_scores(
    y: Floats, model: Model, window: slice, levels: tuple[float, ...]
) -> dict[str, float]:
    """Pinball and CRPS of a model that has all levels; coverage of those that it has."""
    quantiles = {0.5: model.point[window]}
    scores = {"pinball": math.nan, "CRPS": math.nan}
    for level in levels:
        if level in model.bounds:
            low, high = np.sort([b[window] for b in model.bounds[level]], axis=0)
            quantiles |= {0.5 - level / 200: low, 0.5 + level / 200: high}
            scores[f"coverage-{level:g}"] = metrics.coverage(y, low, high)
        else:
            scores[f"coverage-{level:g}"] = math.nan
    if len(quantiles) == 1 + 2 * len(levels):
        probabilities = sorted(quantiles)
        curve = np.stack([quantiles[q] for q in probabilities])
        losses = [metrics.pinball(y, quantiles[q], q) for q in probabilities]
        scores["pinball"] = float(np.mean(losses))
        scores["CRPS"] = metrics.crps_from_quantiles(y, curve, probabilities)
    return scores
