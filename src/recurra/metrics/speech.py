"""Errors of transcripts: edits by words and by characters, counted over a whole corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from recurra.errors import DataError, OptionError, need

__all__ = ["Edits", "character_error_rate", "count_edits", "edit_distance", "word_error_rate"]


@dataclass(frozen=True)
class Edits:
    """What makes one text of another, counted.

    Parameters
    ----------
    right : int
        Words or characters that are right.
    substitutions, deletions, insertions : int
        Those that are others, that are missing, and that are too many.

    Examples
    --------
    >>> Edits(right=7, substitutions=1, deletions=0, insertions=1).rate
    0.25
    """

    right: int
    substitutions: int
    deletions: int
    insertions: int

    @property
    def rate(self) -> float:
        """Edits by words or characters of the truth; above 1 where far too much was said."""
        truth = self.right + self.substitutions + self.deletions
        if not truth:
            message = "The true transcripts have no words, so there is no rate of errors"
            raise DataError(message, code="empty", hint="Give some that are not empty.")
        return (self.substitutions + self.deletions + self.insertions) / truth


def word_error_rate(truth: Sequence[str], said: Sequence[str]) -> float:
    r"""Share of words that have to be changed, left out or put in to get the truth.

    .. math:: \mathrm{WER} = \frac{\sum_i S_i + D_i + I_i}{\sum_i N_i}

    with the fewest edits for each transcript, and sums over the corpus: long ones count more.

    Parameters
    ----------
    truth : sequence of str
        What was said; words are parted by white space. Empty ones are allowed.
    said : sequence of str
        What a model wrote.

    Returns
    -------
    float
        0 at best; above 1 where far too many words were written.

    Raises
    ------
    DataError
        If there are not as many of both, or all true ones are empty.

    Examples
    --------
    >>> word_error_rate(["yes no yes", ""], ["yes yes", "no"])
    0.6666666666666666
    """
    return count_edits(truth, said, unit="word").rate


def character_error_rate(truth: Sequence[str], said: Sequence[str]) -> float:
    """Share of characters that have to be changed, left out or put in to get the truth.

    Parameters
    ----------
    truth : sequence of str
        What was said; white space at the ends does not count.
    said : sequence of str
        What a model wrote.

    Returns
    -------
    float
        As for `word_error_rate`.

    Examples
    --------
    >>> character_error_rate(["seven", "two"], ["sven", "to"])
    0.25
    """
    return count_edits(truth, said, unit="char").rate


def count_edits(
    truth: Sequence[str], said: Sequence[str], *, unit: Literal["word", "char"] = "word"
) -> Edits:
    """Count the edits between texts, with jiwer.

    Parameters
    ----------
    truth, said : sequence of str
        What was said, and what a model wrote.
    unit : {"word", "char"}
        What is counted.

    Returns
    -------
    Edits
        Added up over all texts.

    Raises
    ------
    MissingExtraError
        If jiwer is not installed.

    Examples
    --------
    >>> count_edits(["a b c"], ["a x"])
    Edits(right=1, substitutions=1, deletions=1, insertions=0)
    """
    if unit not in ("word", "char"):
        raise OptionError(f"unit={unit!r}, but it is 'word' or 'char'.")
    listed = [_texts("truth", truth), _texts("said", said)]
    if len(listed[0]) != len(listed[1]):
        message = (
            f"There are {len(listed[0])} true transcripts, but {len(listed[1])} to be compared"
        )
        raise DataError(message, code="record_count", hint="Give one for each record.")
    if not listed[0]:
        return Edits(0, 0, 0, 0)
    jiwer = need("jiwer", extra="audio", purpose="Counting errors of transcripts")
    count = jiwer.process_words if unit == "word" else jiwer.process_characters
    found = count(*listed)
    return Edits(found.hits, found.substitutions, found.deletions, found.insertions)


def edit_distance(one: Sequence[object], other: Sequence[object]) -> int:
    """Count the fewest symbols to be changed, left out or put in to make one sequence of another.

    Parameters
    ----------
    one, other : sequence
        Of symbols that can be compared, such as characters, words or codes.

    Returns
    -------
    int
        0 where they are equal (Levenshtein 1966).

    Examples
    --------
    >>> edit_distance("seven", "sven"), edit_distance(["yes", "no"], [])
    (1, 2)
    """
    places = np.arange(len(other) + 1)
    codes = {symbol: code for code, symbol in enumerate(dict.fromkeys([*one, *other]))}
    columns = np.array([codes[symbol] for symbol in other], np.int64)
    costs = places
    for row, symbol in enumerate(one, 1):
        kept = np.minimum(costs[:-1] + (columns != codes[symbol]), costs[1:] + 1)
        costs = np.minimum.accumulate(np.concatenate([[row], kept]) - places) + places
    return int(costs[-1])


def _texts(name: str, given: Any) -> list[str]:
    """Refuse what is no list of texts."""
    if isinstance(given, str):
        raise OptionError(f"{name} is a list of texts, but a str came. Write [text].")
    texts = list(given)
    for row, each in enumerate(texts):
        if not isinstance(each, str):
            message = f"A transcript is text, but {type(each).__name__} came"
            hint = "Leave such records out; write '' where nothing was said."
            raise DataError(message, code="no_text", row=row, column=name, value=each, hint=hint)
    return [str(each) for each in texts]
