"""Many series on one clock, for forecasting: from a long table to a `Panel`."""

from recurra.data.panel.calendar import calendar_features
from recurra.data.panel.clock import Clock
from recurra.data.panel.covariates import CovariateEncoder, Encoded
from recurra.data.panel.frame import from_frame
from recurra.data.panel.future import future_frame
from recurra.data.panel.panel import Panel, Series
from recurra.data.panel.season import detect_season_lengths

__all__ = [
    "Clock",
    "CovariateEncoder",
    "Encoded",
    "Panel",
    "Series",
    "calendar_features",
    "detect_season_lengths",
    "from_frame",
    "future_frame",
]
