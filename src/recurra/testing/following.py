"""Ways to follow a record step by step, and what the full pass says of it, for `EstimatorCase`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = [
    "beginnings",
    "flags_to_come",
    "labels_and_numbers",
    "numbers_so_far",
    "pieces",
    "rows_to_come",
    "steps",
    "symbols",
    "tokens_to_come",
]


def beginnings(method: str) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Expect after each step the answer for the record so far.

    Parameters
    ----------
    method : str
        What answers for whole records.

    Returns
    -------
    callable
        For ``follow`` of a case.
    """

    def follow(model: Any, records: Any) -> tuple[Any, Any]:
        (record,) = records
        session = model.stream()
        parted = isinstance(record, str)
        given = record.split() if parted else record
        streamed = [session.step(row) for row in given]
        so_far = [given[: k + 1] for k in range(len(given))]
        read = getattr(model, method)([" ".join(each) if parted else each for each in so_far])
        return streamed, [read[k] for k in range(len(given))]

    return follow


def numbers_so_far(model: Any, records: Any) -> tuple[Any, Any]:
    """Expect of a Regressor the numbers of the record so far; all outputs, also where there is one.

    Parameters
    ----------
    model : Regressor
        Fitted.
    records : sequence
        One record.

    Returns
    -------
    streamed, read : list
        What both said.
    """
    (record,) = records
    session = model.stream()
    streamed = [session.step(row) for row in record]
    read = model.predict(_so_far(record))
    return streamed, [np.atleast_1d(each) for each in read]


def labels_and_numbers(model: Any, records: Any) -> tuple[Any, Any]:
    """Expect of a MultiTask probabilities of labels, and numbers; of targets of steps, this step's.

    Parameters
    ----------
    model : MultiTask
        Fitted.
    records : sequence
        One record.

    Returns
    -------
    streamed, read : list
        What both said.
    """
    (record,) = records
    session = model.stream()
    streamed = [session.step(row) for row in record]
    X = _so_far(record)
    read = {**model.predict(X), **model.predict_proba(X)}
    last = {
        name: [each[-1] for each in said] if isinstance(said, list) else said
        for name, said in read.items()
    }
    return streamed, [{name: last[name][k] for name in streamed[k]} for k in range(len(record))]


def steps(method: str) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Expect at each step what the full pass says of that step.

    Parameters
    ----------
    method : str
        What answers for all steps of a record.

    Returns
    -------
    callable
        For ``follow`` of a case.
    """

    def follow(model: Any, records: Any) -> tuple[Any, Any]:
        session = model.stream()
        streamed = [session.step(row) for row in records[0]]
        return streamed, list(getattr(model, method)(records)[0])

    return follow


def rows_to_come(model: Any, records: Any) -> tuple[Any, Any]:
    """Expect of a NextStep the row after the record so far.

    Parameters
    ----------
    model : NextStep
        Fitted, of numbers.
    records : sequence
        One record.

    Returns
    -------
    streamed, read : list
        What both said.
    """
    session = model.stream()
    streamed = [session.step(row).mean for row in records[0]]
    return streamed, list(model.predict(_so_far(records[0])))


def flags_to_come(model: Any, records: Any) -> tuple[Any, Any]:
    """Expect of a NextStep how probable each flag is, after the record so far.

    Parameters
    ----------
    model : NextStep
        Fitted, of flags.
    records : sequence
        One record.

    Returns
    -------
    streamed, read : list
        What both said.
    """
    session = model.stream()
    streamed = [session.step(row).mean for row in records[0]]
    return streamed, list(model.predict_proba(_so_far(records[0])))


def tokens_to_come(model: Any, records: Any) -> tuple[Any, Any]:
    """Expect of a LanguageModel, before each letter, what the full pass says of it.

    Parameters
    ----------
    model : LanguageModel
        Fitted, of letters.
    records : sequence of str
        One text.

    Returns
    -------
    streamed, read : list
        What both said.
    """
    (text,) = records
    session = model.stream()
    place = {letter: k for k, letter in enumerate(model.vocabulary_)}
    streamed = []
    for letter in text:
        streamed.append(float(np.log(session.probabilities[place[letter]])))
        session.step(letter)
    return streamed, model.log_likelihoods([text])[0][:-1].tolist()


def symbols(model: Any, records: Any) -> tuple[Any, Any]:
    """Expect of a SequenceToSequence the symbols of its answer.

    Parameters
    ----------
    model : SequenceToSequence
        Fitted.
    records : sequence
        One source.

    Returns
    -------
    streamed, read : list
        What both said.
    """
    return list(model.stream(records[0])), list(model.predict(records)[0])


def pieces(model: Any, recording: Any) -> tuple[Any, Any]:
    """Expect of a Transcriber the text of the whole, a hundred samples at a time.

    Parameters
    ----------
    model : Transcriber
        Fitted.
    recording : SequenceDataset
        One recording.

    Returns
    -------
    streamed, read : str
        What both said.
    """
    samples = recording.stream.values[:, 0]
    session = model.stream()
    for start in range(0, len(samples), 100):
        session.step(samples[start : start + 100])
    return session.finish(), model.predict(recording)[0]


def _so_far(record: Any) -> list[Any]:
    """List the beginnings of a record."""
    return [record[: k + 1] for k in range(len(record))]
