"""Ways to follow a record step by step, and what the full pass says of it, for `EstimatorCase`.

Each is, or makes, a ``follow(model, records)``: the model is fitted, of one record; it returns what
``stream()`` said and what was read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = [
    "Follow",
    "beginnings",
    "labels_and_numbers",
    "pieces",
    "steps",
    "symbols",
    "tokens_to_come",
]

Follow = Callable[[Any, Any], tuple[Any, Any]]
"""For ``follow`` of a case."""


def beginnings(method: str | Callable[[Any, list[Any]], Any], part: str | None = None) -> Follow:
    """Expect after each step the answer for the record so far.

    Parameters
    ----------
    method : str or callable
        What answers for whole records: a method, or ``answer(model, records)``.
    part : str, optional
        What of the answer to a step is meant, where it says more.

    Returns
    -------
    callable
        For ``follow`` of a case; where there is one number only, it is read as an array of one.
    """

    def follow(model: Any, records: Any) -> tuple[Any, Any]:
        (record,) = records
        parted = isinstance(record, str)
        given = record.split() if parted else record
        so_far = [given[: k + 1] for k in range(len(given))]
        whole = [" ".join(each) for each in so_far] if parted else so_far
        read = getattr(model, method)(whole) if isinstance(method, str) else method(model, whole)
        streamed = _streamed(model, given)
        if part is not None:
            streamed = [getattr(each, part) for each in streamed]
        return streamed, [e if isinstance(e, dict) else np.atleast_1d(e) for e in read]

    return follow


def labels_and_numbers(model: Any, records: list[Any]) -> list[dict[str, Any]]:
    """Answer as a MultiTask does step by step, for `beginnings`.

    Parameters
    ----------
    model : MultiTask
        Fitted.
    records : sequence
        Several.

    Returns
    -------
    list of dict of str
        For each record, probabilities of labels, and numbers; of targets of steps, the last step's.
    """
    read = {**model.predict(records), **model.predict_proba(records)}
    last = {
        name: [each[-1] for each in said] if isinstance(said, list) else said
        for name, said in read.items()
    }
    return [{name: said[k] for name, said in last.items()} for k in range(len(records))]


def steps(method: str) -> Follow:
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
        return _streamed(model, records[0]), list(getattr(model, method)(records)[0])

    return follow


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


def _streamed(model: Any, given: Any) -> list[Any]:
    """Say what each step of a record is answered."""
    session = model.stream()
    return [session.step(row) for row in given]
