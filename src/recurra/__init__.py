"""Recurra turns messy sequences into trained recurrent networks and runs them one step at a time.

>>> import recurra as rc
>>> rc.Forecaster(layer="gru")
Forecaster(layer='gru')
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recurra.first_use import names_of

if TYPE_CHECKING:
    from recurra import (
        auditing,
        data,
        diagnosing,
        errors,
        evaluation,
        explaining,
        kernels,
        layers,
        metrics,
        runtime,
        tuning,
    )
    from recurra.auditing import audit
    from recurra.data import Columns, Preprocessor, SequenceDataset, read
    from recurra.estimators import (
        AnomalyDetector,
        Classifier,
        Forecaster,
        LanguageModel,
        MultiTask,
        NextStep,
        Regressor,
        SequenceToSequence,
        Tagger,
        Transcriber,
        load,
    )
    from recurra.training import Training
    from recurra.tuning import AutoForecaster, tune

__version__ = "0.1.0"

_HOMES = {
    "AnomalyDetector": "estimators",
    "AutoForecaster": "tuning",
    "Classifier": "estimators",
    "Columns": "data",
    "Forecaster": "estimators",
    "LanguageModel": "estimators",
    "MultiTask": "estimators",
    "NextStep": "estimators",
    "Preprocessor": "data",
    "Regressor": "estimators",
    "SequenceDataset": "data",
    "SequenceToSequence": "estimators",
    "Tagger": "estimators",
    "Training": "training",
    "Transcriber": "estimators",
    "audit": "auditing",
    "load": "estimators",
    "read": "data",
    "tune": "tuning",
    "auditing": "",
    "data": "",
    "diagnosing": "",
    "distributed": "",
    "errors": "",
    "evaluation": "",
    "explaining": "",
    "kernels": "",
    "layers": "",
    "metrics": "",
    "runtime": "",
    "tuning": "",
}

__all__ = [
    "AnomalyDetector",
    "AutoForecaster",
    "Classifier",
    "Columns",
    "Forecaster",
    "LanguageModel",
    "MultiTask",
    "NextStep",
    "Preprocessor",
    "Regressor",
    "SequenceDataset",
    "SequenceToSequence",
    "Tagger",
    "Training",
    "Transcriber",
    "audit",
    "auditing",
    "data",
    "diagnosing",
    "errors",
    "evaluation",
    "explaining",
    "kernels",
    "layers",
    "load",
    "metrics",
    "read",
    "runtime",
    "tune",
    "tuning",
]

__getattr__, __dir__ = names_of(__name__, _HOMES)
