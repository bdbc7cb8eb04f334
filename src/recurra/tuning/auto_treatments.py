"""What is done to series before a network reads them, and undone of its forecasts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from recurra.estimators.forecasting.one_series import seasonal_indices

if TYPE_CHECKING:
    from recurra.data import Panel
    from recurra.types import Floats, Integers

__all__ = ["TREATMENTS", "Treated", "possible_treatments", "treat"]

TREATMENTS = ("as it is", "log", "adjusted", "adjusted, log")
"""A logarithm makes growth a straight line; adjusted is divided by the indices of the season."""

HIGHEST = 700.0  # exp of more is infinite


@dataclass(frozen=True, eq=False)
class Treated:
    """Series as a network reads them.

    Parameters
    ----------
    panel : Panel
        The series; all but the target is as it was.
    index : ndarray, shape (series, season)
        What each place in the season is divided by; ones where nothing is.
    is_log : bool
        Whether a logarithm was taken afterwards.
    """

    panel: Panel
    index: Floats
    is_log: bool

    def back(self, forecast: Floats) -> Floats:
        """Undo it.

        Parameters
        ----------
        forecast : ndarray, shape (series, h)
            Of the steps after the panel, as the network says it.

        Returns
        -------
        ndarray, shape (series, h)
            In the units of the series.
        """
        if self.is_log:
            forecast = np.exp(np.minimum(forecast, HIGHEST))
        place = self.panel.lengths[:, None] + np.arange(forecast.shape[1])
        return forecast * np.take_along_axis(self.index, place % self.index.shape[1], 1)


def treat(panel: Panel, how: str, season: int) -> Treated:
    """Treat series; nothing of one is learned from another, nor from what comes after.

    A value that has no logarithm was not observed, where one is taken.

    Parameters
    ----------
    panel : Panel
        The series.
    how : str
        One of `TREATMENTS`.
    season : int
        Steps in a season.

    Returns
    -------
    Treated
        The series, and the way back.
    """
    index = np.ones((len(panel), season if "adjusted" in how else 1))
    target = panel.target
    if "adjusted" in how:
        place = _places(panel)
        for i in range(len(panel)):
            rows = slice(int(panel.offsets[i]), int(panel.offsets[i + 1]))
            index[i] = seasonal_indices(target[rows], season)  # one for all, where not seasonal
        target = target / index[np.repeat(np.arange(len(panel)), panel.lengths), place % season]
    is_log = "log" in how
    if is_log:
        target = np.log(np.where(target > 0, target, np.nan))
    return Treated(replace(panel, target=target), index, is_log)


def possible_treatments(panel: Panel, season: int) -> tuple[str, ...]:
    """Say which treatments these series can have.

    Parameters
    ----------
    panel : Panel
        The series.
    season : int
        Steps in a season.

    Returns
    -------
    tuple of str
        No logarithm of what is not positive, and no season where none is found.
    """
    positive = bool(np.nanmin(panel.target) > 0)
    seasonal = season > 1 and bool((treat(panel, "adjusted", season).index != 1).any())
    return tuple(
        each
        for each in TREATMENTS
        if (positive or "log" not in each) and (seasonal or "adjusted" not in each)
    )


def _places(panel: Panel) -> Integers:
    """Which row of its series each row is."""
    return np.arange(len(panel.times)) - np.repeat(panel.offsets[:-1], panel.lengths)
