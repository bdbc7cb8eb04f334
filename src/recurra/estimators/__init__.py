"""One class per task: fit, predict, save, and carry the state on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recurra.first_use import names_of

if TYPE_CHECKING:
    from recurra.estimators.forecasting.baselines import Baseline as Baseline
    from recurra.estimators.forecasting.baselines import Drift as Drift
    from recurra.estimators.forecasting.baselines import Mean as Mean
    from recurra.estimators.forecasting.baselines import Naive as Naive
    from recurra.estimators.forecasting.baselines import Naive2 as Naive2
    from recurra.estimators.forecasting.baselines import SeasonalNaive as SeasonalNaive
    from recurra.estimators.forecasting.forecaster import Forecaster as Forecaster
    from recurra.estimators.language.language_model import LanguageModel as LanguageModel
    from recurra.estimators.loading import load as load
    from recurra.estimators.records.classifier import Classifier as Classifier
    from recurra.estimators.records.multi_task import MultiTask as MultiTask
    from recurra.estimators.records.regressor import Regressor as Regressor
    from recurra.estimators.records.tagger import Tagger as Tagger
    from recurra.estimators.rows.anomaly_detector import AnomalyDetector as AnomalyDetector
    from recurra.estimators.rows.anomaly_detector import Event as Event
    from recurra.estimators.rows.next_step import NextStep as NextStep
    from recurra.estimators.speech.transcriber import Transcriber as Transcriber
    from recurra.estimators.translation.sequence_to_sequence import (
        SequenceToSequence as SequenceToSequence,
    )

_HOMES = {
    "AnomalyDetector": "rows.anomaly_detector",
    "Baseline": "forecasting.baselines",
    "Classifier": "records.classifier",
    "Drift": "forecasting.baselines",
    "Event": "rows.anomaly_detector",
    "Forecaster": "forecasting.forecaster",
    "LanguageModel": "language.language_model",
    "Mean": "forecasting.baselines",
    "MultiTask": "records.multi_task",
    "Naive": "forecasting.baselines",
    "Naive2": "forecasting.baselines",
    "NextStep": "rows.next_step",
    "Regressor": "records.regressor",
    "SeasonalNaive": "forecasting.baselines",
    "SequenceToSequence": "translation.sequence_to_sequence",
    "Tagger": "records.tagger",
    "Transcriber": "speech.transcriber",
    "load": "loading",
}

__all__ = [*_HOMES]

__getattr__, __dir__ = names_of(__name__, _HOMES)
