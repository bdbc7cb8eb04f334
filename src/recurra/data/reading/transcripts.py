"""What was said in each recording: as many labels as there are, on no clock."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Literal

import numpy as np

from recurra.data.reading.text import from_text
from recurra.data.reading.tokens import from_tokens
from recurra.data.sequences import SequenceDataset, Target
from recurra.errors import DataError, OptionError
from recurra.types import Array, Integers

__all__ = ["check_transcripts", "frames_needed", "read_transcripts"]


def read_transcripts(
    transcripts: Iterable[str] | Iterable[Sequence[Hashable]],
    *,
    unit: Literal["char", "word"] = "char",
    name: str = "transcript",
) -> Target:
    """Read what was said, as a target of as many labels as there are.

    Parameters
    ----------
    transcripts : list of str, or list of lists of str
        One for each record: texts to be parted into letters or words, or labels that are parted
        already (phones, gestures).
    unit : {"char", "word"}
        What texts are parted into, as in `from_text`.
    name : str
        What the target is called.

    Returns
    -------
    Target
        Of level ``"labels"``; its classes are sorted.

    Examples
    --------
    >>> target = read_transcripts(["no", "yes yes", ""], unit="word")
    >>> target.classes, target.values.ravel(), target.offsets
    (('no', 'yes'), array([0, 1, 1]), array([0, 1, 3, 3]))
    """
    if isinstance(transcripts, str):
        raise OptionError("A list of transcripts is read, but a str came. Write [transcript].")
    listed: list[Any] = list(transcripts)
    if unit not in ("char", "word"):
        raise OptionError(f"unit={unit!r}, but it is 'char' or 'word'.")
    plain = all(isinstance(each, str) for each in listed)
    data = from_text(listed, unit=unit) if plain else from_tokens(listed)
    stream = data.stream
    codes = stream.values.astype(np.int64)
    return Target(codes, "labels", stream.categories["token"], (name,), stream.offsets)


def check_transcripts(
    dataset: SequenceDataset,
    *,
    target: str | None = None,
    stream: str | None = None,
    frames: Sequence[int] | Integers | None = None,
) -> None:
    """Refuse a transcript that is longer than what it is read from.

    Connectionist temporal classification writes at most one label a frame, and needs a blank one
    between two that are the same; a longer transcript has no path, and its loss is infinite [1]_.

    Parameters
    ----------
    dataset : SequenceDataset
        With a target of level ``"labels"``.
    target : str, optional
        Which, if there are several.
    stream : str, optional
        What it is read from, if there are several.
    frames : array-like of int, shape (records,), optional
        How many frames a network makes of each record; by default one a step of the stream.

    Raises
    ------
    DataError
        Naming the first such record, with the frames it has and needs.

    References
    ----------
    .. [1] Graves et al. (2006), Connectionist Temporal Classification, ICML.

    Examples
    --------
    >>> from recurra.data.reading.arrays import from_arrays
    >>> data = from_arrays([[0.1, 0.2], [0.3, 0.1]])
    >>> check_transcripts(data.with_targets(said=read_transcripts(["ab", "aa"])))
    Traceback (most recent call last):
    recurra.errors.DataError: A transcript of 2 labels needs 3 frames, but there are 2 (series 1).
    ...
    """
    said = dataset.target if target is None else dataset.targets[target]
    if said.level != "labels" or said.offsets is None:
        raise OptionError(f"A target of labels is checked, not one of level {said.level!r}.")
    if frames is None:
        frames = (dataset.stream if stream is None else dataset.streams[stream]).lengths
    there = np.asarray(frames)
    if there.shape != (len(dataset),):
        raise OptionError(f"frames has shape {there.shape}, but there are {len(dataset)} records.")
    counts, needed = np.diff(said.offsets), frames_needed(said.values, said.offsets)
    short = np.flatnonzero(needed > there)
    if short.size:
        first = short[0]
        message = f"A transcript of {counts[first]} labels needs {needed[first]} frames"
        message += f", but there are {there[first]}"
        message += f"; {short.size - 1} others are too long as well" if short.size > 1 else ""
        hint = "Make fewer steps one frame, correct the transcript, or leave the record out."
        raise DataError(message, code="transcript_length", record=dataset.ids[first], hint=hint)


def frames_needed(labels: Array, offsets: Integers) -> Integers:
    """Count the frames that transcripts need: one a label, and one between two that are the same.

    Parameters
    ----------
    labels : ndarray, shape (rows, outputs)
        All labels, one after the other.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record's labels start.

    Returns
    -------
    ndarray of int64, shape (records,)
        How many frames.

    Examples
    --------
    >>> frames_needed(np.array([[0], [1], [1]]), np.array([0, 3, 3]))
    array([4, 0])
    """
    same = np.zeros(len(labels) + 1, np.int64)
    same[1:-1] = (labels[1:] == labels[:-1]).all(1)
    same[offsets] = 0
    total = np.concatenate([[0], np.cumsum(same)])
    return np.diff(offsets) + total[offsets[1:]] - total[offsets[:-1]]
