"""Tiny data for every estimator of records: a function each, by the name of the class.

To add one, write a function that returns its `EstimatorCase`, and its line in `CASES`.
"""

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
from recurra.estimators.speech.transcriber import Transcriber
from recurra.estimators.translation.sequence_to_sequence import SequenceToSequence
from recurra.testing import following
from recurra.testing.estimator_case import EstimatorCase
from recurra.training import Training

__all__ = ["CASES", "RECORDS", "brief", "walks"]

RECORDS = 40
NAN = float("nan")


def brief(steps: int = 4, **more: Any) -> Training:
    """Train for a blink."""
    options = {"batch_size": 16, "warmup": 0, "check_every": 2, "progress": False} | more
    return Training(steps, **options)


def walks(seed: int = 0) -> list[Any]:
    """Forty short records of two channels, of unequal lengths."""
    random = np.random.default_rng(seed)
    return [random.normal(size=(1 + k % 6, 2)).cumsum(0) for k in range(RECORDS)]


def _classifier() -> EstimatorCase:
    X = walks()
    y = ["up" if record[-1, 0] > 0 else "down" for record in X]
    model = Classifier(hidden_size=4, dropout=0.1, validation=0.25, training=brief())
    return EstimatorCase(
        model,
        X,
        y,
        wrong={
            "one label for all": (X, ["up"] * RECORDS),
            "a label that is missing": (X, [None, *y[1:]]),
            "numbers with fractions": (X, np.linspace(0, 1, RECORDS)),
            "too few labels": (X, y[:-1]),
            "no labels": (X, None),
            "words for numbers": ([["a", "b"], *X[1:]], y),
        },
        unseen=(X, ["sideways", *y[1:]]),
        follow=following.beginnings("predict_proba"),
    )


def _regressor() -> EstimatorCase:
    X = walks()
    y = [100 + 10 * float(record.sum()) for record in X]
    model = Regressor(hidden_size=4, dropout=0.1, validation=0.25, training=brief())
    return EstimatorCase(
        model,
        X,
        y,
        wrong={
            "words to be learnt": (X, ["up", "down"] * (RECORDS // 2)),
            "no number known": (X, [NAN] * RECORDS),
            "an infinite number": (X, [float("inf"), *y[1:]]),
            "too few numbers": (X, y[:-1]),
            "nothing to be learnt": (X, None),
        },
        unseen=(X, ["up", "down"] * (RECORDS // 2)),
        follow=following.beginnings("predict"),
    )


def _multi_task() -> EstimatorCase:
    X = walks()
    numbers = [100 + 10 * float(record.sum()) for record in X]
    y = {
        "way": ["up" if record[-1, 0] > 0 else "down" for record in X],
        "sum": [NAN, *numbers[1:]],  # nothing is known of one record
    }
    model = MultiTask(hidden_size=4, dropout=0.1, validation=0.25, training=brief())
    return EstimatorCase(
        model,
        X,
        y,
        wrong={
            "one target that has no name": (X, numbers),
            "no targets": (X, None),
            "a target of which nothing is known": (X, {**y, "sum": [NAN] * RECORDS}),
            "too few of one target": (X, {**y, "sum": numbers[1:]}),
        },
        unseen=(X, {**y, "way": ["sideways"] * RECORDS}),
        follow=following.beginnings(following.labels_and_numbers),
    )


def _language_model() -> EstimatorCase:
    letters = np.array(list("ab cd."))
    random = np.random.default_rng(0)
    X = ["".join(random.choice(letters, 8 + k % 7)) for k in range(RECORDS)]
    model = LanguageModel(
        hidden_size=8,
        embedding_size=8,
        validation=0.3,
        training=brief(truncation=10),
    )
    whole = "the end of the whole text is held back, not single documents"
    return EstimatorCase(
        model,
        X,
        wrong={"something to be learnt beside it": (X, [0, 1] * (RECORDS // 2))},
        follow=following.tokens_to_come,
        without={
            "a_record_of_weight_zero_is_left_out": "a text has no weights; they are refused",
            "groups_are_never_parted": whole,
        },
    )


def _next_step() -> EstimatorCase:
    model = NextStep(hidden_size=4, dropout=0.1, validation=0.25, training=brief())

    return EstimatorCase(
        model,
        walks(),
        answers=("predict", "log_likelihood"),
        wrong={"something to be learnt beside it": (walks(), [0, 1] * (RECORDS // 2))},
        follow=following.beginnings("predict", "mean"),
    )


def _anomaly_detector() -> EstimatorCase:
    model = AnomalyDetector(hidden_size=4, smoothing=2, validation=0.25, training=brief())

    return EstimatorCase(
        model,
        walks(),
        wrong={"something to be learnt beside it": (walks(), [0, 1] * (RECORDS // 2))},
        follow=following.steps("score_samples"),
    )


def _sequence_to_sequence() -> EstimatorCase:
    random = np.random.default_rng(0)
    X = ["".join(random.choice([*"abc"], 1 + k % 5)) for k in range(RECORDS)]
    y = [text[::-1] for text in X]
    model = SequenceToSequence(hidden_size=8, validation=0.25, training=brief())
    return EstimatorCase(
        model,
        X,
        y,
        wrong={
            "one label for each": (X, [0, 1] * (RECORDS // 2)),
            "too few answers": (X, y[:-1]),
            "nothing to answer": (X, None),
            "an empty source": (["", *X[1:]], y),
        },
        unseen=(X, ["z", *y[1:]]),
        follow=following.symbols,
    )


def _tagger() -> EstimatorCase:
    random = np.random.default_rng(0)
    words = np.array(["the", "a", "cat", "dog", "sleeps", "barks"])
    labels = dict(zip(words.tolist(), ["DET", "DET", "NOUN", "NOUN", "VERB", "VERB"], strict=True))
    X = [random.choice(words, 1 + k % 6).tolist() for k in range(RECORDS)]
    y = [[labels[word] for word in record] for record in X]
    model = Tagger(
        hidden_size=4, encoder_size=4, bidirectional=False, validation=0.25, training=brief()
    )

    return EstimatorCase(
        model,
        X,
        y,
        wrong={
            "a label for each record": (X, ["up", "down"] * (RECORDS // 2)),
            "a label too few": (X, [y[0][:-1], *y[1:]]),
            "no labels": (X, None),
            "records of numbers and of words": ([[1.0, 2.0], *X[1:]], y),
        },
        unseen=(X, [["ADV"] * len(y[0]), *y[1:]]),
        follow=following.steps("predict_proba"),
    )


def _transcriber() -> EstimatorCase:
    random = np.random.default_rng(0)
    y = ["".join(random.choice([*"ab"], 1 + k % 3)) for k in range(RECORDS)]
    tones = {"a": np.sin(np.arange(240) * 0.3), "b": np.sin(np.arange(240) * 1.5)}
    parts = [np.concatenate([tones[letter] for letter in text]) for text in y]
    parts = [each + random.normal(0, 0.01, len(each)) for each in parts]
    offsets = offsets_of([len(each) for each in parts])
    sound = Stream(np.concatenate(parts)[:, None], offsets, ("mono",), "signal", rate=4000.0)
    X = SequenceDataset(tuple(range(RECORDS)), {"audio": sound})
    model = Transcriber(
        hidden_size=4, num_layers=1, bidirectional=False, validation=0.25, training=brief()
    )
    return EstimatorCase(
        model,
        X,
        y,
        answers=("predict", "predict_proba"),
        wrong={
            "too few transcripts": (X, y[:-1]),
            "no transcripts": (X, None),
            "samples without their rate": (parts, y),
            "numbers to be said": (X, [0.5] * RECORDS),
        },
        unseen=(X, ["c", *y[1:]]),
        follow=following.pieces,
        without={
            "the_number_of_threads_changes_no_bit": "the gradient of torch's convolution is a sum "
            "whose order depends on the threads"
        },
    )


CASES: dict[str, Callable[[], EstimatorCase]] = {
    "AnomalyDetector": _anomaly_detector,
    "Classifier": _classifier,
    "LanguageModel": _language_model,
    "MultiTask": _multi_task,
    "NextStep": _next_step,
    "Regressor": _regressor,
    "SequenceToSequence": _sequence_to_sequence,
    "Tagger": _tagger,
    "Transcriber": _transcriber,
}
"""The case of each class, made when it is wanted."""
