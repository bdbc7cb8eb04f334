"""One class per task: fit, predict, save, and carry the state on."""

from recurra.estimators.baselines import Baseline, Drift, Mean, Naive, Naive2, SeasonalNaive
from recurra.estimators.classifier import Classifier
from recurra.estimators.forecaster import Forecaster
from recurra.estimators.language_model import LanguageModel
from recurra.estimators.loading import load
from recurra.estimators.regressor import Regressor

__all__ = [
    "Baseline",
    "Classifier",
    "Drift",
    "Forecaster",
    "LanguageModel",
    "Mean",
    "Naive",
    "Naive2",
    "Regressor",
    "SeasonalNaive",
    "load",
]
