"""Exchange parts of records between records, so that they go with answers no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recurra.auditing.phrases import plural
from recurra.data import SequenceDataset, Stream
from recurra.data.offsets import offsets_of
from recurra.errors import OptionError
from recurra.explaining.channels import with_streams
from recurra.types import Booleans, Integers

__all__ = ["Piece", "check_there", "donors", "exchange"]


@dataclass(frozen=True)
class Piece:
    """What is exchanged of one stream.

    Parameters
    ----------
    stream : str
        The stream.
    column : int, optional
        One channel; None for all together.
    steps : slice, optional
        A stretch of steps; None for all. Where it begins below 0, steps are counted from the end.
    codes : tuple of int, optional
        Of a stream of tokens: these tokens, wherever they are.
    """

    stream: str
    column: int | None = None
    steps: slice | None = None
    codes: tuple[int, ...] | None = None


def exchange(
    dataset: SequenceDataset, pieces: Sequence[Piece], random: np.random.Generator
) -> SequenceDataset:
    """Exchange some pieces between records, all with the same other records.

    Parameters
    ----------
    dataset : SequenceDataset
        The records.
    pieces : sequence of Piece
        What is exchanged.
    random : numpy.random.Generator
        Source of chance.

    Returns
    -------
    SequenceDataset
        The same values at other places; times and targets stay, and so do lengths, but where
        tokens go from text to text: these become longer or shorter, and all other words stay as
        they are.
    """
    order = random.permutation(len(dataset))
    streams = dataset.all_streams
    for piece in pieces:
        stream = streams[piece.stream]
        if piece.codes is not None:
            free = _free_to_grow(dataset, stream)
            streams[piece.stream] = (
                _tokens_handed_on(stream, piece.codes, order, random)
                if free
                else _tokens_scattered(stream, piece.codes, random)
            )
            continue
        ends = piece.steps is not None and (piece.steps.start or 0) < 0
        source = donors(stream.offsets, order, from_end=ends)
        if piece.steps is not None:
            source = np.where(_inside(stream, piece.steps), source, np.arange(stream.rows))
        streams[piece.stream] = _taken(stream, source, piece.column)
    return with_streams(dataset, streams)


def donors(offsets: Integers, order: Integers, *, from_end: bool = False) -> Integers:
    """Say from which row each row takes its value, so that records exchange their series.

    The records stand in a circle. At each step a record takes the value that the next one has
    there; where that one has ended, the next that has not. So at each step the values are exchanged
    among all records that have such a step, each going to exactly one, and a record's new series
    follows one other record for as long as that lasts.

    Parameters
    ----------
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.
    order : ndarray of int64, shape (records,)
        The circle.
    from_end : bool
        Whether steps are those counted back from the end of each record.

    Returns
    -------
    ndarray of int64, shape (rows,)
        A row for each; its own where no other record has such a step.

    Examples
    --------
    >>> donors(np.array([0, 2, 5]), np.array([0, 1])).tolist()
    [2, 3, 0, 1, 4]
    """
    lengths = np.diff(offsets)
    source = np.arange(offsets[-1])
    before = 0
    for length in np.unique(lengths[lengths > 0]):
        there = order[lengths[order] > before]
        others, steps = np.roll(there, -1), np.arange(before, length)[:, None]
        if from_end:
            source[offsets[1:][there] - 1 - steps] = offsets[1:][others] - 1 - steps
        else:
            source[offsets[:-1][there] + steps] = offsets[:-1][others] + steps
        before = int(length)
    return source


def check_there(stream: Stream, steps: slice, given: str) -> None:
    """Refuse a stretch of steps that no record has.

    Parameters
    ----------
    stream : Stream
        The stream.
    steps : slice
        Of each record; below 0 they are counted from its end.
    given : str
        How they were given, for the message.

    Raises
    ------
    OptionError
        If there is none; nothing is said of records without any steps.
    """
    if stream.rows and not _inside(stream, steps).any():
        longest = plural(int(stream.lengths.max()), "step")
        raise OptionError(
            f"{given}, but no record has such a step: the longest has {longest}, counted from 0."
        )


def _inside(stream: Stream, steps: slice) -> Booleans:
    """Say which rows lie in a stretch of steps."""
    lengths = stream.lengths
    places = np.arange(stream.rows) - np.repeat(stream.offsets[:-1], lengths)
    bounds = np.array([steps.indices(int(length))[:2] for length in lengths]).reshape(-1, 2)
    start, stop = np.repeat(bounds, lengths, axis=0).T
    found: Booleans = (places >= start) & (places < stop)
    return found


def _taken(stream: Stream, source: Integers, column: int | None) -> Stream:
    """Take values, and whether there are any, from other rows; times stay."""
    if stream.inner is not None:
        return replace(stream, inner=stream.inner.take(source))
    seen = stream.observed
    if column is None:
        seen = None if seen is None else seen[source]
        return replace(stream, values=stream.values[source], observed=seen)
    values = stream.values.copy()
    values[:, column] = values[source, column]
    if seen is not None:
        seen = seen.copy()
        seen[:, column] = seen[source, column]
    return replace(stream, values=values, observed=seen)


def _free_to_grow(dataset: SequenceDataset, stream: Stream) -> bool:
    """Whether a record may become longer: nothing else goes along with its steps."""
    steps = any(target.level == "step" for target in dataset.targets.values())
    return stream.times is None and len(dataset.streams) == 1 and not steps


def _tokens_handed_on(
    stream: Stream, codes: Sequence[int], order: Integers, random: np.random.Generator
) -> Stream:
    """Put the tokens of each record into the next of a circle, at places by chance.

    A record that has nothing else keeps its own.
    """
    chosen = np.isin(stream.values[:, 0], codes)
    records = np.repeat(np.arange(len(stream)), stream.lengths)
    others = np.bincount(records[~chosen], minlength=len(stream))
    circle, receiver = order[others[order] > 0], np.arange(len(stream))
    receiver[circle] = np.roll(circle, 1)
    records[chosen] = receiver[records[chosen]]
    starts = np.cumsum(others) - others
    places = np.empty(stream.rows)
    places[~chosen] = np.arange(1, others.sum() + 1) - starts[records[~chosen]]
    places[chosen] = random.random(int(chosen.sum())) * (others[records[chosen]] + 1)
    source = np.lexsort((places, records))
    return replace(
        stream,
        values=stream.values[source],
        observed=None if stream.observed is None else stream.observed[source],
        offsets=offsets_of(np.bincount(records, minlength=len(stream))),
    )


def _tokens_scattered(stream: Stream, codes: Sequence[int], random: np.random.Generator) -> Stream:
    """Put tokens at random places of all records, and what stood there at theirs."""
    values = stream.values.copy()
    column = values[:, 0]
    theirs = np.flatnonzero(np.isin(column, codes))
    places = random.permutation(stream.rows)[: len(theirs)]
    left, come = np.setdiff1d(theirs, places), np.setdiff1d(places, theirs)
    moved, displaced = random.permutation(column[theirs]), random.permutation(column[come])
    column[places] = moved
    column[left] = displaced
    return replace(stream, values=values)
