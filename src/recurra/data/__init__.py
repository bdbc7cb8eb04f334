"""From a messy long table to many records of unequal length; knows nothing of networks."""

from recurra.data.calendar import calendar_features
from recurra.data.clock import Clock
from recurra.data.columns import Columns
from recurra.data.covariates import CovariateEncoder, Encoded
from recurra.data.dataset import Record, SequenceDataset
from recurra.data.files import read_table
from recurra.data.frame import from_frame
from recurra.data.future import future_frame
from recurra.data.season import detect_season_lengths

__all__ = [
    "Clock",
    "Columns",
    "CovariateEncoder",
    "Encoded",
    "Record",
    "SequenceDataset",
    "calendar_features",
    "detect_season_lengths",
    "from_frame",
    "future_frame",
    "read_table",
]
