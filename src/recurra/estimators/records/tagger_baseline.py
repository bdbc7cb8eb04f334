"""The simple model that a tagger has to beat: the most frequent label of each word."""

from __future__ import annotations

import numpy as np

from recurra.data import SequenceDataset, Stream
from recurra.types import Array, Integers

__all__ = ["most_frequent"]

LATE = 0.8
"""Words of the last fifth that the records before do not have stand for words never seen."""


def most_frequent(kept: SequenceDataset, part: SequenceDataset) -> tuple[str, Array]:
    """Answer with the label that each word most often has; without words, with the commonest.

    A word that was never seen gets the label that is commonest among the words of the last fifth of
    the records that the four fifths before do not have: what new words mostly are.

    Parameters
    ----------
    kept : SequenceDataset
        What is learned from, not treated, with a target for each step.
    part : SequenceDataset
        What is asked about.

    Returns
    -------
    model : str
        What it is called.
    codes : ndarray of int64, shape (steps of part,)
        The labels.
    """
    target = kept.target
    stream, asked = kept.streams[str(target.stream)], part.streams[str(target.stream)]
    usual = _commonest(target.values[:, 0], len(target.classes))
    if stream.kind != "tokens":
        return "the most frequent label", np.full(asked.rows, usual)
    (ours,) = stream.categories.values()
    labels = {label: place for place, label in enumerate(ours)}
    words = stream.values[:, 0].astype(np.int64)
    counts = np.zeros((len(labels), len(target.classes)), np.int64)
    known = target.values[:, 0] >= 0
    np.add.at(counts, (words[known], target.values[known, 0]), 1)
    new = _new_words(stream, words) & known
    if new.any():
        usual = _commonest(target.values[new, 0], len(target.classes))
    best = np.where(counts.any(1), counts.argmax(1), usual)
    (theirs,) = asked.categories.values()
    table = np.array([best[labels[each]] if each in labels else usual for each in theirs], np.int64)
    return "the most frequent label of each word", table[asked.values[:, 0].astype(np.int64)]


def _commonest(codes: Integers, classes: int) -> int:
    return int(np.bincount(codes[codes >= 0], minlength=classes).argmax())


def _new_words(stream: Stream, words: Integers) -> Array:
    """Say which steps of the last records hold words that those before do not have."""
    cut = int(stream.offsets[round(LATE * len(stream))])
    new = ~np.isin(words, words[:cut])
    new[:cut] = False
    return new
