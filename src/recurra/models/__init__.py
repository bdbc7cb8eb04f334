"""Inputs, recurrent stack, head and loss, joined into networks that train and forecast."""

from recurra.models.batch import Batch, Inputs
from recurra.models.forecast_network import ForecastNetwork, Origin, roll_out, take_state
from recurra.models.heads import HEADS, Gaussian, Head, NegativeBinomial, StudentT
from recurra.models.history import History, LocalFeatures, Pace, View

__all__ = [
    "HEADS",
    "Batch",
    "ForecastNetwork",
    "Gaussian",
    "Head",
    "History",
    "Inputs",
    "LocalFeatures",
    "NegativeBinomial",
    "Origin",
    "Pace",
    "StudentT",
    "View",
    "roll_out",
    "take_state",
]
