"""One class per task: fit, predict, save, and carry the state on."""

from recurra.estimators.anomaly_detector import AnomalyDetector, Event
from recurra.estimators.baselines import Baseline, Drift, Mean, Naive, Naive2, SeasonalNaive
from recurra.estimators.classifier import Classifier
from recurra.estimators.forecaster import Forecaster
from recurra.estimators.language_model import LanguageModel
from recurra.estimators.loading import load
from recurra.estimators.multi_task import MultiTask
from recurra.estimators.next_step import NextStep
from recurra.estimators.regressor import Regressor
from recurra.estimators.sequence_to_sequence import SequenceToSequence
from recurra.estimators.tagger import Tagger
from recurra.estimators.transcriber import Transcriber

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
