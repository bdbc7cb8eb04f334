"""One class per task: fit, predict, save, and carry the state on."""

from recurra.estimators.forecasting.baselines import (
    Baseline,
    Drift,
    Mean,
    Naive,
    Naive2,
    SeasonalNaive,
)
from recurra.estimators.forecasting.forecaster import Forecaster
from recurra.estimators.language.language_model import LanguageModel
from recurra.estimators.loading import load
from recurra.estimators.records.classifier import Classifier
from recurra.estimators.records.multi_task import MultiTask
from recurra.estimators.records.regressor import Regressor
from recurra.estimators.records.tagger import Tagger
from recurra.estimators.rows.anomaly_detector import AnomalyDetector, Event
from recurra.estimators.rows.next_step import NextStep
from recurra.estimators.speech.transcriber import Transcriber
from recurra.estimators.translation.sequence_to_sequence import SequenceToSequence

__all__ = [
    "AnomalyDetector",
    "Baseline",
    "Classifier",
    "Drift",
    "Event",
    "Forecaster",
    "LanguageModel",
    "Mean",
    "MultiTask",
    "Naive",
    "Naive2",
    "NextStep",
    "Regressor",
    "SeasonalNaive",
    "SequenceToSequence",
    "Tagger",
    "Transcriber",
    "load",
]
