"""Estimators with other options and on other data than in `estimator_cases`, for the same laws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from recurra.data import SequenceDataset, Stream
from recurra.data.offsets import offsets_of
from recurra.estimators.language.language_model import LanguageModel
from recurra.estimators.records.classifier import Classifier
from recurra.estimators.records.multi_task import MultiTask
from recurra.estimators.records.regressor import Regressor
from recurra.estimators.records.tagger import Tagger
from recurra.estimators.rows.anomaly_detector import AnomalyDetector
from recurra.estimators.rows.next_step import NextStep
from recurra.estimators.translation.sequence_to_sequence import SequenceToSequence
from recurra.testing import following
from recurra.testing.estimator_case import EstimatorCase
from recurra.testing.estimator_cases import CASES, RECORDS, brief, walks

__all__ = ["VARIANTS"]

SMALL: dict[str, Any] = {"hidden_size": 4, "validation": 0.25}


def _both_ways() -> EstimatorCase:
    """Reads backwards too, so that it cannot be streamed."""
    case = CASES["Classifier"]()
    model = Classifier(
        "lstm", bidirectional=True, num_layers=2, pooling="attention", training=brief(), **SMALL
    )
    return EstimatorCase(model, case.X, case.y)


def _decays() -> EstimatorCase:
    """Reads times and holes itself."""
    random = np.random.default_rng(1)
    X = [np.where(random.random(each.shape) < 0.2, np.nan, each) for each in walks()]
    y = ["up" if k % 3 else "down" for k in range(RECORDS)]
    model = Classifier("grud", training=brief(), **SMALL)
    return EstimatorCase(model, X, y, follow=following.beginnings("predict_proba"))


def _texts() -> EstimatorCase:
    """Reads texts word by word, with several labels together."""
    random = np.random.default_rng(2)
    words = np.array(["a", "fine", "film", "that", "is", "not", "so", "bad"])
    X = [" ".join(random.choice(words, 3 + k % 6)) for k in range(RECORDS)]
    y = np.stack([["fine" in text for text in X], ["bad" in text for text in X]], 1).astype(int)
    model = Classifier(encoder_size=4, training=brief(), **SMALL)
    return EstimatorCase(model, X, y, follow=following.beginnings("predict_proba"))


def _ward() -> EstimatorCase:
    """Two streams on clocks of their own, static covariates, several outputs, not all known."""
    random = np.random.default_rng(3)
    counts = {"vitals": 1 + random.integers(0, 6, RECORDS), "drugs": random.integers(0, 4, RECORDS)}
    streams = {}
    for name, width in (("vitals", 2), ("drugs", 1)):
        offsets = offsets_of(counts[name])
        times = np.concatenate([np.sort(random.uniform(0, 9, n)) for n in counts[name]])
        values = random.normal(size=(offsets[-1], width))
        channels = tuple(f"{name}{k}" for k in range(width))
        streams[name] = Stream(values, offsets, channels, times=times, clock="number")
    static = Stream(random.normal(size=(RECORDS, 1)), np.arange(RECORDS + 1), ("age",))
    y = random.normal(size=(RECORDS, 2)) * 100
    y[::7, 1] = np.nan
    X = SequenceDataset(tuple(range(RECORDS)), streams, static)
    return EstimatorCase(Regressor(training=brief(), **SMALL), X, y, follow=_hours)


def _hours(model: Any, record: Any) -> tuple[Any, Any]:
    """Follow a stay: all that is measured, in the order of the times."""
    session = model.stream(static=record.static.values[0])
    moments = [
        (when, name, row)
        for name, stream in record.streams.items()
        for when, row in zip(stream.times, stream.values, strict=True)
    ]
    said = None
    for when, name, row in sorted(moments, key=lambda each: each[0]):
        said = session.step({name: row}, when)
    return said, model.predict(record)[0]


def _tables() -> EstimatorCase:
    """A table, whose columns are steps."""
    X = np.random.default_rng(4).normal(size=(RECORDS, 5))
    model = Regressor(shortcut=True, training=brief(), **SMALL)
    return EstimatorCase(model, X, X.sum(1), follow=following.beginnings("predict"))


def _spans() -> EstimatorCase:
    """Labels that depend on each other, in both directions."""
    case = CASES["Tagger"]()
    model = Tagger(crf=True, bidirectional=True, encoder_size=4, training=brief(), **SMALL)
    return EstimatorCase(model, case.X, case.y)


def _words() -> EstimatorCase:
    """A language of words."""
    random = np.random.default_rng(5)
    words = np.array(["to", "be", "or", "not", "that", "is"])
    X = [" ".join(random.choice(words, 8 + k % 5)) for k in range(RECORDS)]
    without = {
        **CASES["LanguageModel"]().without,
        "going_step_by_step_is_the_same_as_reading": "letters are followed in the other case",
    }
    model = LanguageModel(
        "gru", unit="word", embedding_size=4, tie_weights=False, training=brief(), **SMALL
    )
    return EstimatorCase(model, X, answers=("log_likelihoods",), without=without)


def _sums() -> EstimatorCase:
    """Numbers in, words out, by another attention."""
    X = walks()
    y = [["up" if value > 0 else "down" for value in record[:2, 0]] for record in X]
    model = SequenceToSequence(
        "lstm", attention="additive", label_smoothing=0.1, training=brief(), **SMALL
    )
    return EstimatorCase(model, X, y, follow=following.symbols)


def _keys() -> EstimatorCase:
    """Rows of flags."""
    X = [(each > 0).astype(float) for each in walks()]
    model = NextStep("gru", training=brief(), **SMALL)
    methods = ("predict", "predict_proba", "log_likelihood")
    return EstimatorCase(
        model, X, answers=methods, follow=following.beginnings("predict_proba", "mean")
    )


def _windows() -> EstimatorCase:
    """Windows that are told again."""
    model = AnomalyDetector("reconstruction", window=4, code_size=2, training=brief(), **SMALL)
    return EstimatorCase(model, walks(), follow=following.steps("score_samples"))


def _steps_and_records() -> EstimatorCase:
    """A label for each step beside a number for each record."""
    X = walks()
    y = {
        "high": [["yes" if value > 0 else "no" for value in record[:, 0]] for record in X],
        "sum": [float(record.sum()) for record in X],
    }
    model = MultiTask("lstm", weights={"sum": 0.5}, training=brief(), **SMALL)
    return EstimatorCase(model, X, y, follow=following.beginnings(following.labels_and_numbers))


VARIANTS: dict[str, Callable[[], EstimatorCase]] = {
    "both ways": _both_ways,
    "decays": _decays,
    "texts": _texts,
    "ward": _ward,
    "tables": _tables,
    "spans": _spans,
    "words": _words,
    "sums": _sums,
    "keys": _keys,
    "windows": _windows,
    "steps and records": _steps_and_records,
}
"""More cases, by what is particular about them."""
