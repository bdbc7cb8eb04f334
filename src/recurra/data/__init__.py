"""From files and tables to records of unequal length, and to batches; knows nothing of networks."""

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
from recurra.data.reading import from_arrays
from recurra.data.sequences import Record, SequenceDataset, Steps, Stream, Target
from recurra.data.tables import Columns, read_table
from recurra.data.treatments import Preprocessor

__all__ = [
    "Clock",
    "Columns",
    "CovariateEncoder",
    "Encoded",
    "Panel",
    "Preprocessor",
    "Record",
    "SequenceDataset",
    "Series",
    "Steps",
    "Stream",
    "Target",
    "calendar_features",
    "detect_season_lengths",
    "from_arrays",
    "from_frame",
    "future_frame",
    "read_table",
]
