"""How far forecasts are off that begin in what was held back, for a training to be stopped by."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from recurra.errors import OptionError
from recurra.metrics import seasonal_scale

if TYPE_CHECKING:
    from recurra.data import Panel
    from recurra.estimators.forecasting.forecast_engine import Engine
    from recurra.estimators.forecasting.held_back import HeldBack
    from recurra.types import Floats

__all__ = ["error_to_stop_by"]


def error_to_stop_by(engine: Engine, held: HeldBack) -> Callable[[], float]:
    """Make a function that forecasts from the origins held back, and compares.

    Parameters
    ----------
    engine : Engine
        With the network as it is when the function is called.
    held : HeldBack
        The origins.

    Returns
    -------
    callable
        Returns the mean absolute error over all steps and origins, each series in steps of its past
        (MASE without a season).

    Raises
    ------
    OptionError
        If nothing that can be scaled is held back.
    """
    windows = [part.split(held.horizon) for part in held.windows()]
    parts = [(past, coming, _scales(past)[:, None]) for past, coming in windows]
    if not any(np.isfinite(_off(coming, 0.0) / scale).any() for _, coming, scale in parts):
        raise OptionError(
            "stop_by='score', but no series that changes has steps held back to be forecast. Give "
            "longer series, or use stop_by='loss'."
        )

    def check() -> float:
        found = [
            _off(coming, engine.point(engine.read(past), coming)) / scale
            for past, coming, scale in parts
        ]
        return float(np.nanmean(np.concatenate([each.ravel() for each in found])))

    return check


def _off(coming: Panel, point: Floats | float) -> Floats:
    """The errors of forecasts, shape (series, steps)."""
    off: Floats = np.abs(coming.target.reshape(len(coming), -1) - point)
    return off


def _scales(past: Panel) -> Floats:
    """The mean step of each series; NaN of one that never changes."""
    return np.array([seasonal_scale(past.target[a:b]) for a, b in pairwise(past.offsets)])
