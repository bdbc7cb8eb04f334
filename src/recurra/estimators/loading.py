"""Take up a saved estimator, whatever its class."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from recurra.artifact import read_model
from recurra.errors import FileError
from recurra.estimators.forecasting.forecaster import Forecaster
from recurra.estimators.language.language_model import LanguageModel
from recurra.estimators.records.classifier import Classifier
from recurra.estimators.records.multi_task import MultiTask
from recurra.estimators.records.regressor import Regressor
from recurra.estimators.records.tagger import Tagger
from recurra.estimators.rows.anomaly_detector import AnomalyDetector
from recurra.estimators.rows.next_step import NextStep
from recurra.estimators.speech.transcriber import Transcriber
from recurra.estimators.translation.sequence_to_sequence import SequenceToSequence
from recurra.layers.checked import attempt

if TYPE_CHECKING:
    import os

__all__ = ["load"]

KNOWN = (
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
)
CLASSES = {each.__name__: each for each in KNOWN}
ABOVE = {"AutoForecaster": "recurra.tuning"}  # where they are, imported when a file holds one


def load(path: str | os.PathLike[str]) -> Any:
    """Load what an estimator's ``save`` wrote; nothing in the file is executed.

    Parameters
    ----------
    path : str or path-like
        The model file.

    Returns
    -------
    estimator
        A Classifier, a Forecaster, or whatever was saved: fitted, and standing where it stood; it
        answers the same to the bit.

    Raises
    ------
    FileError
        If it is missing, damaged, not a model file, from a newer version, or if its parts do not
        go together: sizes, names and types are checked before anything is made of them.
    """
    header, arrays = read_model(path)
    name = header.get("estimator")
    if not isinstance(name, str) or name not in {*CLASSES, *ABOVE}:
        known = ", ".join(map(repr, (*CLASSES, *ABOVE)))
        hint = " Use recurra.layers.load." if "layer" in header else ""
        holds = str(header.get("layer", name))[:80]
        raise FileError(f"{path} holds a {holds!r}, but this version knows {known}.{hint}")
    kind: Any = CLASSES.get(name) or getattr(import_module(ABOVE[name]), name)
    try:
        return attempt(lambda: kind._restore(header, arrays))
    except FileError as error:
        raise FileError(f"{path} holds a {name} that cannot be loaded: {error}") from error
