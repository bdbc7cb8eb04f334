"""What an ensemble is made of: baselines, and networks that read treated series."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.evaluation import DampedTrend, Drift, Mean, Naive, Naive2, SeasonalNaive, Theta
from recurra.tuning.auto_treatments import Treated, treat
from recurra.tuning.auto_windows import foretell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recurra.data import Panel
    from recurra.estimators import Baseline, Forecaster
    from recurra.types import Floats

__all__ = ["BaselineMember", "NetworkMember", "make_baselines"]

SEASONAL = (SeasonalNaive, Naive2, Theta, DampedTrend)
PLAIN = (Naive, Drift, Mean)


def make_baselines(season: int) -> list[BaselineMember]:
    """List the baselines there are for series with a season.

    Parameters
    ----------
    season : int
        Steps in a season; 1 for none.

    Returns
    -------
    list of BaselineMember
        Without those that would be the naive forecast again.

    Examples
    --------
    >>> [each.name for each in make_baselines(1)]
    ['Naive', 'Drift', 'Mean', 'Theta', 'DampedTrend']
    """
    kinds = SEASONAL if season > 1 else (Theta, DampedTrend)
    return [BaselineMember(make()) for make in PLAIN] + [
        BaselineMember(make(season)) for make in kinds
    ]


@dataclass(eq=False)
class BaselineMember:
    """A model that learns nothing.

    Parameters
    ----------
    model : Baseline
        It.
    """

    model: Baseline

    @property
    def name(self) -> str:
        """What it is called."""
        return self.model.name

    @property
    def told(self) -> str:
        """Its options, in words."""
        return ""

    @property
    def kind(self) -> object:
        """What is the same of those that differ by chance alone."""
        return self.name

    def stand(self, panel: Panel) -> None:
        """Go to the end of series."""
        self._panel = panel

    def point(self, coming: Panel) -> Floats:
        """Forecast from there; see `NetworkMember.point`."""
        return self.after(self._panel, coming)

    def after(self, panel: Panel, coming: Panel) -> Floats:
        """Forecast after other series; see `NetworkMember.after`."""
        return foretell(self.model, panel, len(coming.times) // len(coming))


@dataclass(eq=False)
class NetworkMember:
    """A forecaster, and what is done to the series before it reads them.

    Parameters
    ----------
    model : Forecaster
        Its options; fitted by `recurra.tuning.auto_budget.train_within`.
    treatment : str
        One of `recurra.tuning.auto_treatments.TREATMENTS`.
    season : int
        Steps in a season, for the treatment.
    changes : dict of str
        Which options are not those that the search began with.
    """

    model: Forecaster
    treatment: str
    season: int
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.model._alias

    @property
    def told(self) -> str:
        """Its options, in words."""
        changed = [f"{name}={value}" for name, value in self.changes.items() if name != "layer"]
        return "; ".join([self.treatment, *changed])

    @property
    def kind(self) -> object:
        """What is the same of those that differ by chance alone."""
        rest = {name: each for name, each in self.changes.items() if name != "seed"}
        return self.treatment, tuple(rest.items())

    def treated(self, panel: Panel) -> Treated:
        """Treat series for it."""
        return treat(panel, self.treatment, self.season)

    def stand(self, panel: Panel) -> None:
        """Read series to their end, from where it forecasts.

        Parameters
        ----------
        panel : Panel
            The series.
        """
        treated = self.treated(panel)
        self.model._state = self.model._engine.read(treated.panel)
        self.model._spacing = panel.spacing
        self._back = treated

    def point(self, coming: Panel) -> Floats:
        """Forecast from there.

        Parameters
        ----------
        coming : Panel
            The steps to forecast, with their covariates.

        Returns
        -------
        ndarray, shape (series, h)
            In the units of the series.
        """
        return self._back.back(self.model._engine.point(self.model._state, coming))

    def after(self, panel: Panel, coming: Panel) -> Floats:
        """Forecast after other series, and stay where it stands.

        Parameters
        ----------
        panel : Panel
            The series.
        coming : Panel
            The steps to forecast, with their covariates.

        Returns
        -------
        ndarray, shape (series, h)
            In the units of the series.
        """
        treated, engine = self.treated(panel), self.model._engine
        return treated.back(engine.point(engine.read(treated.panel), coming))

    def interval(
        self, coming: Panel, levels: Sequence[float]
    ) -> dict[float, tuple[Floats, Floats]]:
        """Say how far from its forecast the values may lie.

        Parameters
        ----------
        coming : Panel
            The steps to forecast, with their covariates.
        levels : sequence of float
            Coverage in percent.

        Returns
        -------
        dict of float to (ndarray, ndarray)
            By level the distances down and up, each of shape (series, h).
        """
        model = self.model
        shape = (len(coming), len(coming.times) // len(coming))
        told = model._forecast(model._state, coming, levels)
        columns = {name: self._back.back(each.reshape(shape)) for name, each in told.items()}
        point = columns[self.name]
        found = {}
        for one in levels:
            low, high = (columns[f"{self.name}-{side}-{one:g}"] for side in ("lo", "hi"))
            found[one] = (np.maximum(point - low, 0.0), np.maximum(high - point, 0.0))
        return found
