"""Trials on series: forecast from moments in the past, after one training before the first."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.data import Panel
from recurra.errors import DataError, OptionError
from recurra.estimators.forecasting.forecast_defaults import default_horizon
from recurra.estimators.forecasting.frames import read_long
from recurra.evaluation import Naive2
from recurra.evaluation.forecasts import read_forecasts
from recurra.evaluation.origins import find_origins, find_season_length
from recurra.evaluation.scoring import score_windows
from recurra.metrics import owa
from recurra.tuning.measures import usual_measure
from recurra.tuning.resampling import Origins, spread

if TYPE_CHECKING:
    from recurra.estimators import Forecaster
    from recurra.tuning.onlooker import Onlooker

__all__ = ["ForecastJudge"]


@dataclass(frozen=True, eq=False)
class ForecastJudge:
    """Learns from what was before the first origin, and scores forecasts from each.

    Parameters
    ----------
    panel : Panel
        The series.
    origins : Origins
        Where forecasts begin.
    measure : str
        MASE, OWA, sMAPE or RMSE: a mean over all series and origins.
    season_length : int or None
        Rows in a season, for the scale of MASE; None to find one.
    reference : tuple of float
        sMAPE and MASE of Naive2 there, for OWA.
    told : str
        What it is judged on, in words.
    digest : str
        Of the data: another study has another.
    """

    panel: Panel
    origins: Origins
    measure: str
    season_length: int | None
    reference: tuple[float, float]
    told: str
    digest: str
    greater: bool = False

    @classmethod
    def of(
        cls,
        estimator: Forecaster,
        data: tuple[Any, Any, dict[str, Any]],
        metric: str | None,
        by: Origins | None,
    ) -> ForecastJudge:
        """Read the series, and try with the cheapest model whether they are long enough."""
        df, y, how = data
        if y is not None or how:
            given = "y" if y is not None else next(iter(how))
            raise OptionError(
                f"A Forecaster learns from one table, but {given} came. Leave it out."
            )
        measure = str(usual_measure(estimator, metric))
        estimator._check_options()
        panel, _ = read_long(df, estimator.columns, estimator.freq)
        by = by or Origins()
        if by.h is None:
            h = estimator.horizon or default_horizon(estimator._seasons(panel))
            most = int(panel.lengths.min()) // (2 * by.n_windows)  # half is left to learn from
            by = replace(by, h=max(1, min(int(h), most)))
        season = None
        if not isinstance(estimator.season_length, str):
            season = int(np.min(estimator.season_length))
        told = f"{by}, of {len(panel)} series"
        judge = cls(panel, by, measure, season, (1.0, 1.0), told, _digest(panel))
        return judge._beside_naive()

    def score(self, model: Forecaster, onlooker: Onlooker) -> float:
        """Train a model on what was before the first origin, and score its forecasts.

        Parameters
        ----------
        model : Forecaster
            Not fitted.
        onlooker : Onlooker
            Who looks on.

        Returns
        -------
        float
            The score.
        """
        found = self._means(model, callbacks=onlooker.callbacks(alone=True))
        value = found[self.measure]
        if not math.isfinite(value):
            raise DataError(
                f"The {self.measure} of the windows is {value}",
                code="no_scale",
                hint="A constant past has no MASE: use metric='sMAPE', or leave such series out.",
            )
        return value

    @property
    def trainings(self) -> int:
        """One, before the first origin."""
        return 1

    @property
    def share(self) -> float:
        """Of the steps."""
        return self._reach * len(self.panel) / int(self.panel.lengths.sum())

    def fresh(self, part: int, seed: int) -> ForecastJudge:  # noqa: ARG002 - moments are not drawn
        """Make a judge of one training, on other moments in the past of the same series.

        Parameters
        ----------
        part : int
            Which one. All series end earlier, by up to as much as was forecast, as far as the
            shortest keeps half of what is before the first origin.
        seed : int
            Of no matter.

        Returns
        -------
        ForecastJudge
            Of those moments.
        """
        lengths = self.panel.lengths
        most = min(self._reach, (int(lengths.min()) - self._reach) // 2)
        earlier = self.panel.before(lengths - round(most * spread(part)))
        return replace(self, panel=earlier)._beside_naive()

    def _beside_naive(self) -> ForecastJudge:
        """Find what Naive2 scores there."""
        plain = replace(self, reference=(1.0, 1.0))
        return replace(plain, reference=plain._errors(Naive2(self.season_length or self._season())))

    @property
    def _reach(self) -> int:
        """Steps from the first origin to the end."""
        step = self.origins.step_size or self.origins.h
        return int(self.origins.h + (self.origins.n_windows - 1) * step)  # type: ignore[operator]

    def _errors(self, model: Any) -> tuple[float, float]:
        found = self._means(model)
        return found["sMAPE"], found["MASE"]

    def _means(self, model: Any, **how: Any) -> dict[str, float]:
        """Score forecasts from all origins."""
        h, windows, step = self.origins.h, self.origins.n_windows, self.origins.step_size
        frame = model.cross_validation(self.panel, h, windows, step, **how)
        forecasts = read_forecasts(frame, self.panel.columns)
        season = self.season_length or find_season_length(forecasts, self.panel)
        table = score_windows(forecasts, find_origins(forecasts, self.panel), season)
        found = {name: float(table[name].mean()) for name in ("sMAPE", "MASE", "RMSE")}
        return found | {"OWA": owa(found["sMAPE"], found["MASE"], *self.reference)}

    def _season(self) -> int:
        """Find a season in what was before the first origin."""
        from recurra.evaluation import Naive

        h, windows, step = self.origins.h, self.origins.n_windows, self.origins.step_size
        frame = Naive().cross_validation(self.panel, h, windows, step)  # type: ignore[arg-type]
        return find_season_length(read_forecasts(frame, self.panel.columns), self.panel)


def _digest(panel: Panel) -> str:
    """Tell data apart by what is in them."""
    found = hashlib.sha256(repr((panel.ids, panel.columns)).encode())
    for values in (panel.offsets, panel.times, panel.target):
        found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()[:16]
