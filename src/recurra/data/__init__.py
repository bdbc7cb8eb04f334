"""From a messy long table to many records of unequal length; knows nothing of networks."""

from recurra.data.panel import (
    Clock,
    CovariateEncoder,
    Encoded,
    Panel,
    Series,
    calendar_features,
    detect_season_lengths,
    from_frame,
    future_frame,
)
from recurra.data.tables import Columns, read_table

__all__ = [
    "Clock",
    "Columns",
    "CovariateEncoder",
    "Encoded",
    "Panel",
    "Series",
    "calendar_features",
    "detect_season_lengths",
    "from_frame",
    "future_frame",
    "read_table",
]
