"""Answers that are sequences of symbols: read, written again, compared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from recurra.data import SequenceDataset, Target, from_text
from recurra.data.offsets import offsets_of, place_of
from recurra.data.reading.answers import read_target
from recurra.data.tables.notes import also_in
from recurra.errors import DataError, OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recurra.types import Array

__all__ = [
    "Form",
    "Symbols",
    "Unit",
    "check_answers",
    "coded",
    "form_of",
    "read_answers",
    "symbols_of",
    "written",
]

Unit = Literal["char", "word"]
Form = Literal["char", "word", "list"]
"""How an answer is written: letters in a row, words between spaces, or a list."""

Symbols = tuple[object, ...]
"""One answer."""


def form_of(y: Any, unit: Unit) -> Form:
    """Say how answers are written.

    Parameters
    ----------
    y : list
        The answers; None for those that a data set brings.
    unit : {"char", "word"}
        What a text is parted in.

    Returns
    -------
    {"char", "word", "list"}
        A unit for texts.

    Examples
    --------
    >>> form_of(["ab", None], "char"), form_of([["a", "b"]], "char")
    ('char', 'list')
    """
    texts = y is not None and all(each is None or isinstance(each, str) for each in y)
    return unit if texts else "list"


def read_answers(y: Any, ids: tuple[object, ...], unit: Unit) -> Target:
    """Read answers.

    Parameters
    ----------
    y : list of str or list of list
        One for each record; it may be empty, or None where it is unknown.
    ids : tuple
        The records.
    unit : {"char", "word"}
        What a text is parted in.

    Returns
    -------
    Target
        Of level ``"labels"``; what is unknown is one row of -1.

    Raises
    ------
    DataError
        If there is not one for each record, or they are numbers.

    Examples
    --------
    >>> target = read_answers(["ba", "", "b"], (0, 1, 2), "char")
    >>> target.classes, target.values.ravel(), target.offsets
    (('a', 'b'), array([1, 0, 1]), array([0, 2, 2, 3]))
    """
    if isinstance(y, str | bytes) or not hasattr(y, "__len__"):
        came = type(y).__name__
        raise OptionError(f"y is a list with an answer for each record, but a {came} came.")
    given = list(y)
    if len(given) != len(ids):
        message = f"There are {len(ids)} records, but {len(given)} answers"
        raise DataError(message, code="target_count", hint="Give one for each record.")
    if form_of(given, unit) == "list":
        return _listed(given, ids)
    unknown = np.array([each is None for each in given], bool)
    stream = from_text([each or "" for each in given], unit=unit).stream
    codes, lengths = stream.values[:, 0].astype(np.int64), stream.lengths
    starts = stream.offsets[:-1][unknown]
    offsets = offsets_of(lengths + unknown)
    values = np.insert(codes, starts, -1)[:, None]
    return Target(values, "labels", stream.categories["token"], ("y",), offsets)


def _listed(given: list[Any], ids: tuple[object, ...]) -> Target:
    """Read lists of labels."""
    for each, name in zip(given, ids, strict=True):
        if each is not None and (isinstance(each, str) or not hasattr(each, "__len__")):
            message = "An answer is a list of labels, as the others are, or all are texts"
            hint = "Use Classifier where there is one label for each record."
            raise DataError(message, code="no_sequence", record=name, value=each, hint=hint)
    target = read_target(given, ids, "y", "source", np.zeros(len(ids), np.int64), "labels")
    if len(target.values) and not target.classes:
        message = "The answers are numbers with fractions, or all unknown, but symbols are learned"
        hint = "Give texts, or lists of text or of whole numbers."
        raise DataError(message, code="no_label", record=ids[0], hint=hint)
    return target


def check_answers(dataset: SequenceDataset) -> Target:
    """Take the target of a data set, if it is a sequence of symbols.

    Parameters
    ----------
    dataset : SequenceDataset
        With one target; one for each step is a sequence too.

    Returns
    -------
    Target
        Of level ``"labels"``.

    Raises
    ------
    OptionError
        If it is another.
    DataError
        If every answer is empty, or unknown.
    """
    target = dataset.target
    if target.level == "record" or len(target.outputs) != 1:
        message = f"y is {target.outputs} of each {target.level}, but a sequence is learned"
        raise OptionError(f"{message}. Use Classifier or Regressor, or give texts or lists.")
    if not len(target.values):
        message = "Every answer is empty"
        raise DataError(message, code="empty", hint="Give at least one that has a symbol.")
    if not target.observed.any() or (not target.classes and target.values.max() < 0):
        raise DataError("Every answer is missing", code="empty", hint="Give at least one.")
    if not target.classes:
        raise OptionError("y holds numbers with fractions, but symbols are learned. Give labels.")
    return replace(target, level="labels", stream=None)


def coded(target: Target, symbols: Symbols, ids: tuple[object, ...]) -> Target:
    """Write answers as places among known symbols.

    Parameters
    ----------
    target : Target
        The answers.
    symbols : tuple
        What was learned.
    ids : tuple
        The records.

    Returns
    -------
    Target
        With `symbols` as classes.

    Raises
    ------
    DataError
        If an answer has a symbol that was not learned.

    Examples
    --------
    >>> target = read_answers(["ba"], (0,), "char")
    >>> coded(target, ("c", "b", "a"), (0,)).values.ravel()
    array([1, 2])
    """
    place = {symbol: code for code, symbol in enumerate(symbols)}
    table = np.array([*(place.get(each, -2) for each in target.classes), -1])
    values = table[target.values]
    odd = np.flatnonzero(values[:, 0] == -2)
    if odd.size:
        assert target.offsets is not None
        record, step = place_of(target.offsets, odd[0])
        raise DataError(
            f"An answer has a symbol that was not learned{also_in(odd.size)}",
            code="unseen_label",
            record=ids[record],
            row=step,
            value=target.classes[int(target.values[odd[0], 0])],
            hint="Fit anew on all answers; what was learned has no place for it.",
        )
    return replace(target, values=values, classes=symbols)


def symbols_of(target: Target) -> list[Symbols | None]:
    """List answers as symbols.

    Parameters
    ----------
    target : Target
        The answers.

    Returns
    -------
    list of tuple
        One for each record; None where any of it is unknown.

    Examples
    --------
    >>> symbols_of(read_answers(["ba", None, ""], (0, 1, 2), "char"))
    [('b', 'a'), None, ()]
    """
    assert target.offsets is not None
    parts: list[Array] = np.split(target.values[:, 0], target.offsets[1:-1])
    return [
        None if (part < 0).any() else tuple(target.classes[code] for code in part) for part in parts
    ]


def written(symbols: Sequence[Any], form: Form) -> str | list[Any]:
    """Write an answer as answers came.

    Parameters
    ----------
    symbols : sequence
        The answer.
    form : {"char", "word", "list"}
        How.

    Returns
    -------
    str or list
        A text for the first two.

    Examples
    --------
    >>> written(("a", "b"), "char"), written(("a", "b"), "word"), written(("a", "b"), "list")
    ('ab', 'a b', ['a', 'b'])
    """
    if form == "list":
        return list(symbols)
    return ("" if form == "char" else " ").join(symbols)
