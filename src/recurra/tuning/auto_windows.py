"""Origins in the past of the training data, and how well they were forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from recurra.errors import DataError, OptionError
from recurra.estimators.forecasting.forecast_checks import SHORTEST
from recurra.estimators.forecasting.forecast_defaults import MANY
from recurra.estimators.forecasting.rolling import Window, rolling_origin
from recurra.evaluation import Naive2
from recurra.metrics import seasonal_scale

if TYPE_CHECKING:
    from recurra.data import Panel
    from recurra.estimators import Baseline
    from recurra.types import Floats

__all__ = ["MEASURES", "Windows", "foretell"]

MEASURES = ("OWA", "MASE", "sMAPE", "RMSE")
MOST_SERIES = 2_000  # that are scored
MOST_ORIGINS = 4  # of few series; of many, one is enough


@dataclass(frozen=True, eq=False)
class Windows:
    """What is forecast to choose by.

    Parameters
    ----------
    train : Panel
        What networks learn from: all that was before the earliest origin.
    windows : tuple of Window
        The earliest origin first; of very many series some.
    h : int
        Steps forecast from each.
    actual : ndarray, shape (origins, series, h)
        What came; NaN where nothing was observed.
    scale : ndarray, shape (origins, series)
        The denominators of MASE; NaN where a past has none.
    reference : tuple of float
        sMAPE and MASE of Naive2, for OWA.
    left_out : int
        Series that are too short for it.
    """

    train: Panel
    windows: tuple[Window, ...]
    h: int
    actual: Floats
    scale: Floats
    reference: tuple[float, float]
    left_out: int

    @classmethod
    def of(
        cls, panel: Panel, horizon: int, n_windows: int | None, season: int, seed: int = 0
    ) -> Windows:
        """Choose the origins.

        Parameters
        ----------
        panel : Panel
            The series.
        horizon : int
            Steps wanted; fewer where series are short.
        n_windows : int or None
            Origins wanted; None for one of many series, and up to four of few.
        season : int
            Steps in a season.
        seed : int
            Chooses some of very many series.

        Returns
        -------
        Windows
            Of the series that are long enough.
        """
        usual = int(np.median(panel.lengths))
        h = max(1, min(horizon, usual // 3))
        step = max(1, h // 2) if n_windows is None else h
        if n_windows is None:
            fitting = (usual // 2 - h) // step + 1
            n_windows = 1 if len(panel) >= MANY else int(np.clip(fitting, 1, MOST_ORIGINS))
        need = SHORTEST + (n_windows - 1) * step + h
        observed = np.add.reduceat(panel.observed.astype(np.int64), panel.offsets[:-1])
        able = np.flatnonzero((panel.lengths >= need) & (observed >= need))
        if not able.size:
            raise DataError(
                f"The longest series has {int(panel.lengths.max())} rows, but {n_windows} origins "
                f"of {h} steps need {need}, all observed",
                code="too_short",
                hint="Use a smaller horizon or fewer n_windows, or fit a Forecaster.",
            )
        first = next(rolling_origin(panel.take(able), h, n_windows, step, SHORTEST)).train
        scored = np.sort(np.random.default_rng(seed).permutation(able)[:MOST_SERIES])
        chosen = tuple(rolling_origin(panel.take(scored), h, n_windows, step, SHORTEST))
        actual = np.stack([each.actual.target.reshape(len(scored), h) for each in chosen])
        scale = np.array([_scales(each.train, season) for each in chosen])
        found = cls(first, chosen, h, actual, scale, (1.0, 1.0), len(panel) - len(able))
        naive2 = found.scores(found.baseline(Naive2(season)))
        return replace(found, reference=(naive2["sMAPE"], naive2["MASE"]))

    def baseline(self, model: Baseline) -> Floats:
        """Forecast from each origin with a model that learns nothing.

        Parameters
        ----------
        model : Baseline
            It.

        Returns
        -------
        ndarray, shape (origins, series, h)
            The forecasts.
        """
        return np.stack([foretell(model, each.train, self.h) for each in self.windows])

    def scores(self, forecasts: Floats) -> dict[str, float]:
        """Score forecasts: means over origins and series.

        Parameters
        ----------
        forecasts : ndarray, shape (origins, series, h)
            The forecasts.

        Returns
        -------
        dict of str to float
            OWA, MASE, sMAPE and RMSE; NaN where one does not exist.
        """
        miss = np.abs(self.actual - forecasts)
        size = np.abs(self.actual) + np.abs(forecasts)
        size[np.isnan(miss)] = np.nan
        ratio = np.divide(miss, size, out=np.where(np.isnan(size), np.nan, 0.0), where=size > 0)
        smape = 200 * _mean(_means(ratio))
        mase = _mean(_means(miss) / self.scale)
        owa = _mean(np.array([_over(smape, self.reference[0]), _over(mase, self.reference[1])]))
        rmse = _mean(np.sqrt(_means(miss**2)))
        return {"OWA": owa, "MASE": mase, "sMAPE": smape, "RMSE": rmse}

    def cost(self, forecasts: Floats, measure: str) -> float:
        """Score forecasts by one measure.

        Parameters
        ----------
        forecasts : ndarray, shape (origins, series, h)
            The forecasts.
        measure : {"OWA", "MASE", "sMAPE", "RMSE"}
            By which.

        Returns
        -------
        float
            Infinite where forecasts are not finite.

        Raises
        ------
        OptionError
            If the measure does not exist for these series.
        """
        if not np.isfinite(forecasts).all():
            return np.inf
        value = self.scores(forecasts)[measure]
        if np.isnan(value):
            raise OptionError(
                f"metric={measure!r} does not exist here: the past of every series is constant. "
                "Use metric='RMSE'."
            )
        return value


def foretell(model: Baseline, panel: Panel, h: int) -> Floats:
    """Forecast every series with a baseline.

    Parameters
    ----------
    model : Baseline
        It.
    panel : Panel
        The series.
    h : int
        How many steps.

    Returns
    -------
    ndarray, shape (series, h)
        The forecasts.
    """
    return np.stack([model.forecast(panel.record(i).target, h) for i in range(len(panel))])


def _scales(panel: Panel, season: int) -> list[float]:
    return [seasonal_scale(panel.record(i).target, season) for i in range(len(panel))]


def _means(each: Floats) -> Floats:
    """Mean over the steps that were observed; NaN where none was."""
    count = (~np.isnan(each)).sum(-1)
    total = np.nansum(each, -1)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def _mean(each: Floats) -> float:
    there = each[np.isfinite(each)]
    return float(there.mean()) if there.size else float("nan")


def _over(value: float, reference: float) -> float:
    return value / reference if reference > 0 else float("nan")
