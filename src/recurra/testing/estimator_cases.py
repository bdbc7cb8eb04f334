"""Tiny data for every estimator of records: a function each, by the name of the class.

To add one, write a function that returns its `EstimatorCase`, and its line in `CASES`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from recurra.data import SequenceDataset, Stream
from recurra.estimators.anomaly_detector import AnomalyDetector
from recurra.estimators.classifier import Classifier
from recurra.estimators.language_model import LanguageModel
from recurra.estimators.multi_task import MultiTask
from recurra.estimators.next_step import NextStep
from recurra.estimators.regressor import Regressor
from recurra.estimators.sequence_to_sequence import SequenceToSequence
from recurra.estimators.tagger import Tagger
from recurra.estimators.transcriber import Transcriber
from recurra.testing.estimator_case import EstimatorCase
from recurra.training import Training

__all__ = ["CASES"]

RECORDS = 40
NAN = float("nan")


def _training(steps: int = 4, **more: Any) -> Training:
    """Train for a blink."""
    options = {"batch_size": 16, "warmup": 0, "check_every": 2, "progress": False} | more
    return Training(steps, **options)


def _walks(seed: int = 0) -> list[Any]:
    """Forty short records of two channels, of unequal lengths."""
    random = np.random.default_rng(seed)
    return [random.normal(size=(1 + k % 6, 2)).cumsum(0) for k in range(RECORDS)]


def _beginnings(method: str) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Follow a record: after each step the answer is that for the record so far."""

    def follow(model: Any, records: Any) -> tuple[Any, Any]:
        (record,) = records
        session = model.stream()
        streamed = [session.step(row) for row in record]
        read = getattr(model, method)([record[: k + 1] for k in range(len(record))])
        return streamed, [read[k] for k in range(len(record))]

    return follow


def _classifier() -> EstimatorCase:
    X = _walks()
    y = ["up" if record[-1, 0] > 0 else "down" for record in X]
    model = Classifier(hidden_size=4, dropout=0.1, validation=0.25, training=_training())
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
        follow=_beginnings("predict_proba"),
    )


def _regressor() -> EstimatorCase:
    X = _walks()
    y = [100 + 10 * float(record.sum()) for record in X]
    model = Regressor(hidden_size=4, dropout=0.1, validation=0.25, training=_training())
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
        follow=_numbers_so_far,
    )


def _numbers_so_far(model: Any, records: Any) -> tuple[Any, Any]:
    """Follow a record: a session says all outputs, also where there is one."""
    streamed, read = _beginnings("predict")(model, records)
    return streamed, [np.atleast_1d(each) for each in read]


def _multi_task() -> EstimatorCase:
    X = _walks()
    numbers = [100 + 10 * float(record.sum()) for record in X]
    y = {
        "way": ["up" if record[-1, 0] > 0 else "down" for record in X],
        "sum": [NAN, *numbers[1:]],  # nothing is known of one record
    }
    model = MultiTask(hidden_size=4, dropout=0.1, validation=0.25, training=_training())
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
        follow=_said_of_all,
    )


def _said_of_all(model: Any, records: Any) -> tuple[Any, Any]:
    """Follow a record: of labels a session says the probabilities, of numbers the number."""
    (record,) = records
    session = model.stream()
    streamed = [session.step(row) for row in record]
    X = [record[: k + 1] for k in range(len(record))]
    read = {**model.predict(X), **model.predict_proba(X)}
    return streamed, [{name: read[name][k] for name in streamed[k]} for k in range(len(record))]


def _language_model() -> EstimatorCase:
    letters = np.array(list("ab cd."))
    random = np.random.default_rng(0)
    X = ["".join(random.choice(letters, 8 + k % 7)) for k in range(RECORDS)]
    model = LanguageModel(
        hidden_size=8,
        embedding_size=8,
        validation=0.3,
        training=_training(truncation=10),
    )
    whole = "the end of the whole text is held back, not single documents"
    return EstimatorCase(
        model,
        X,
        wrong={"something to be learnt beside it": (X, [0, 1] * (RECORDS // 2))},
        follow=_next_letters,
        without={
            "a_record_of_weight_zero_is_left_out": "a text has no weights; they are refused",
            "groups_are_never_parted": whole,
        },
    )


def _next_letters(model: Any, records: Any) -> tuple[Any, Any]:
    """Follow a text: before each letter, what the full pass says of it."""
    (text,) = records
    session = model.stream()
    place = {letter: k for k, letter in enumerate(model.vocabulary_)}
    streamed = []
    for letter in text:
        streamed.append(float(np.log(session.probabilities[place[letter]])))
        session.step(letter)
    return streamed, model.log_likelihoods([text])[0][:-1].tolist()


def _next_step() -> EstimatorCase:
    model = NextStep(hidden_size=4, dropout=0.1, validation=0.25, training=_training())

    def follow(model: Any, records: Any) -> tuple[Any, Any]:
        (record,) = records
        session = model.stream()
        streamed = [session.step(row).mean for row in record]
        return streamed, list(model.predict([record[: k + 1] for k in range(len(record))]))

    return EstimatorCase(
        model,
        _walks(),
        answers=("predict", "log_likelihood"),
        wrong={"something to be learnt beside it": (_walks(), [0, 1] * (RECORDS // 2))},
        follow=follow,
    )


def _anomaly_detector() -> EstimatorCase:
    model = AnomalyDetector(hidden_size=4, smoothing=2, validation=0.25, training=_training())

    def follow(model: Any, records: Any) -> tuple[Any, Any]:
        session = model.stream()
        streamed = [session.step(row) for row in records[0]]
        return streamed, model.score_samples(records)[0].tolist()

    return EstimatorCase(
        model,
        _walks(),
        wrong={"something to be learnt beside it": (_walks(), [0, 1] * (RECORDS // 2))},
        follow=follow,
    )


def _sequence_to_sequence() -> EstimatorCase:
    random = np.random.default_rng(0)
    X = ["".join(random.choice([*"abc"], 1 + k % 5)) for k in range(RECORDS)]
    y = [text[::-1] for text in X]
    model = SequenceToSequence(hidden_size=8, validation=0.25, training=_training())
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
        follow=lambda model, texts: ("".join(model.stream(texts[0])), model.predict(texts)[0]),
    )


def _tagger() -> EstimatorCase:
    random = np.random.default_rng(0)
    words = np.array(["the", "a", "cat", "dog", "sleeps", "barks"])
    labels = dict(zip(words.tolist(), ["DET", "DET", "NOUN", "NOUN", "VERB", "VERB"], strict=True))
    X = [random.choice(words, 1 + k % 6).tolist() for k in range(RECORDS)]
    y = [[labels[word] for word in record] for record in X]
    model = Tagger(
        hidden_size=4, encoder_size=4, bidirectional=False, validation=0.25, training=_training()
    )

    def follow(model: Any, records: Any) -> tuple[Any, Any]:
        session = model.stream()
        streamed = [session.step(word) for word in records[0]]
        return streamed, list(model.predict_proba(records)[0])

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
        follow=follow,
    )


def _transcriber() -> EstimatorCase:
    random = np.random.default_rng(0)
    y = ["".join(random.choice([*"ab"], 1 + k % 3)) for k in range(RECORDS)]
    tones = {"a": np.sin(np.arange(240) * 0.3), "b": np.sin(np.arange(240) * 1.5)}
    parts = [np.concatenate([tones[letter] for letter in text]) for text in y]
    parts = [each + random.normal(0, 0.01, len(each)) for each in parts]
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in parts])])
    sound = Stream(np.concatenate(parts)[:, None], offsets, ("mono",), "signal", rate=4000.0)
    X = SequenceDataset(tuple(range(RECORDS)), {"audio": sound})
    model = Transcriber(
        hidden_size=4, num_layers=1, bidirectional=False, validation=0.25, training=_training()
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
        follow=_pieces,
    )


def _pieces(model: Any, recording: Any) -> tuple[Any, Any]:
    """Follow a recording, a hundred samples at a time."""
    samples = recording.stream.values[:, 0]
    session = model.stream()
    for start in range(0, len(samples), 100):
        session.step(samples[start : start + 100])
    return session.finish(), model.predict(recording)[0]


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
