"""Recurra turns messy sequences into trained recurrent networks and runs them one step at a time.

>>> import recurra as rc
>>> rc.Forecaster(layer="gru")
Forecaster(layer='gru')
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recurra import (
        auditing,
        data,
        errors,
        evaluation,
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
    "AnomalyDetector": "recurra.estimators",
    "AutoForecaster": "recurra.tuning",
    "Classifier": "recurra.estimators",
    "Columns": "recurra.data",
    "Forecaster": "recurra.estimators",
    "LanguageModel": "recurra.estimators",
    "MultiTask": "recurra.estimators",
    "NextStep": "recurra.estimators",
    "Preprocessor": "recurra.data",
    "Regressor": "recurra.estimators",
    "SequenceDataset": "recurra.data",
    "SequenceToSequence": "recurra.estimators",
    "Tagger": "recurra.estimators",
    "Training": "recurra.training",
    "Transcriber": "recurra.estimators",
    "audit": "recurra.auditing",
    "load": "recurra.estimators",
    "read": "recurra.data",
    "tune": "recurra.tuning",
}
_ROOMS = (
    "auditing",
    "data",
    "distributed",
    "errors",
    "evaluation",
    "kernels",
    "layers",
    "metrics",
    "runtime",
    "tuning",
)

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
    "errors",
    "evaluation",
    "kernels",
    "layers",
    "load",
    "metrics",
    "read",
    "runtime",
    "tune",
    "tuning",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _ROOMS:
        return import_module(f"recurra.{name}")
    raise AttributeError(f"module 'recurra' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
