"""One class per task: fit, predict, save, and carry the state on."""

from recurra.estimators.baselines import Baseline, Drift, Mean, Naive, Naive2, SeasonalNaive
from recurra.estimators.forecaster import Forecaster
from recurra.estimators.loading import load

__all__ = [
    "Baseline",
    "Drift",
    "Forecaster",
    "Mean",
    "Naive",
    "Naive2",
    "SeasonalNaive",
    "load",
]
