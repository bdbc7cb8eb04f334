"""A trained network with all it needs to read series and to forecast them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Generator, Tensor

from recurra.estimators.forecasting.conformal import Calibration, calibrate
from recurra.estimators.forecasting.forecast_state import State, ahead_of, read_on
from recurra.models import ForecastNetwork, LocalFeatures, roll_out

if TYPE_CHECKING:
    from recurra.data import Panel
    from recurra.estimators.forecasting.forecast_inputs import InputReader
    from recurra.estimators.forecasting.forecast_state import Rows
    from recurra.estimators.forecasting.held_back import HeldBack
    from recurra.models import History
    from recurra.types import Floats

__all__ = ["PATHS", "Engine"]

PATHS = 100  # sampled for an interval
ROWS = 20_000  # paths that are rolled out at a time


@dataclass(frozen=True)
class Engine:
    """What a fitted forecaster works with.

    Attributes
    ----------
    network : ForecastNetwork
        In evaluation mode.
    local : LocalFeatures
        How it looks at a series.
    reader : InputReader
        How it reads covariates.
    """

    network: ForecastNetwork
    local: LocalFeatures
    reader: InputReader

    def read(
        self,
        dataset: Panel,
        state: State | None = None,
        seen: tuple[Rows, History] | None = None,
    ) -> State:
        """Read rows from the start, or on from a state; see :func:`read_on`."""
        return read_on(self.network, self.local, self.reader, dataset, state, seen)

    @torch.no_grad()
    def point(self, state: State, coming: Panel) -> Floats:
        """Decode the point forecast.

        Parameters
        ----------
        state : State
            Where the series stand.
        coming : Panel
            The steps to forecast, equally many for every series, with their covariates.

        Returns
        -------
        ndarray, shape (series, h)
            One value a step.
        """
        ahead = self._ahead(state, coming)
        return roll_out(self.network, self.local, state.origin, ahead).numpy()

    @torch.no_grad()
    def paths(self, state: State, coming: Panel, seed: int, n: int = PATHS) -> Floats:
        """Draw sample paths.

        Parameters
        ----------
        state : State
            Where the series stand.
        coming : Panel
            The steps to forecast, equally many for every series, with their covariates.
        seed : int
            Source of chance.
        n : int
            Paths for each series.

        Returns
        -------
        ndarray, shape (series, n, h)
            The paths.
        """
        generator = Generator().manual_seed(seed)
        real, codes = self._ahead(state, coming)
        parts = []
        for series in torch.arange(len(coming)).split(max(1, ROWS // n)):
            rows = series.repeat_interleave(n)
            ahead = (real[rows], codes[rows])
            origin = state.origin.take(rows)
            parts.append(roll_out(self.network, self.local, origin, ahead, generator))
        return torch.cat(parts).view(len(coming), n, -1).numpy()

    def calibrated(self, held: HeldBack, seed: int) -> Calibration:
        """Forecast windows that were held back, and compare."""
        points, paths, actuals = [], [], []
        for part in held.windows():
            past, coming = part.split(held.horizon)
            state = self.read(past)
            points.append(self.point(state, coming))
            paths.append(self.paths(state, coming, seed))
            actuals.append(coming.target.reshape(points[-1].shape))
        if not points:
            return Calibration.neutral()
        point, drawn, actual = (np.concatenate(each) for each in (points, paths, actuals))
        return calibrate(point, drawn, actual, held.worth)

    def _ahead(self, state: State, coming: Panel) -> tuple[Tensor, Tensor]:
        """Return the covariates as the network reads them when it forecasts each step."""
        series = len(coming)
        h = len(coming.times) // series
        real, codes = self.reader.read(ahead_of(state.tail, coming, h))
        real = real.view(series, h + 1, -1)[:, :h]
        codes = codes.view(series, h + 1, -1)[:, :h]
        return self.reader.hide_past(real, codes, torch.arange(h).expand(series, h) > 0)
