"""What is taken away together: a step, a channel, a window of steps, or one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from recurra.errors import OptionError, check_count, near

if TYPE_CHECKING:
    from recurra.explaining.question import Question, Read
    from recurra.types import Floats

__all__ = [
    "WAYS",
    "Region",
    "answers_without",
    "by_channels",
    "check_regions",
    "records_at_once",
    "regions",
]

WAYS = ("step", "channel", "window", "step and channel")
MOST_CELLS = 2**22  # numbers that a network works with at a time, as a guess of its width
WIDTH = 64  # which it has at least


class Region(NamedTuple):
    """A part of a record.

    Attributes
    ----------
    stream : str
        Of this stream.
    start, stop : int
        Its first step, and the one after its last.
    channel : str, optional
        Of this channel; None for all.
    """

    stream: str
    start: int
    stop: int
    channel: str | None = None


def check_regions(by: str, window: int | None, reads: Mapping[str, Read]) -> None:
    """Refuse what cannot be taken away.

    Parameters
    ----------
    by : str
        One of `WAYS`.
    window : int, optional
        Steps of a window.
    reads : dict of str to Read
        What is read.

    Raises
    ------
    OptionError
        If there is no such way, or a window is missing, or longer than every stream; or if nothing
        is read.
    """
    longest = max((len(read.values) for read in reads.values()), default=0)
    if not longest:
        raise OptionError("The network reads no step of this record: there is nothing to explain.")
    if by not in WAYS:
        raise OptionError(f"by={by!r} is no part of a record. {near(str(by), WAYS)}")
    if by != "window":
        if window is not None:
            raise OptionError(f"window={window} goes with by='window', not with by={by!r}.")
        return
    if window is None:
        raise OptionError("by='window' needs to know how long: give window=, in steps.")
    check_count("window", window)
    if window > longest:
        raise OptionError(
            f"window={window}, but the record has {longest} steps. Give a window of {longest} "
            "steps or fewer."
        )


def regions(reads: Mapping[str, Read], by: str, window: int | None = None) -> list[Region]:
    """Part a record.

    Parameters
    ----------
    reads : dict of str to Read
        What is read.
    by : {"step", "channel", "window", "step and channel"}
        Into what.
    window : int, optional
        Steps of a window; the last may be shorter.

    Returns
    -------
    list of Region
        Which together are the whole record, without overlap.
    """
    found = []
    for name, read in reads.items():
        steps = len(read.values)
        size = {"window": window or 1, "channel": max(steps, 1)}.get(by, 1)
        channels: Sequence[str | None] = read.channels if "channel" in by else (None,)
        found += [
            Region(name, start, min(start + size, steps), channel)
            for start in range(0, steps, size)
            for channel in channels
        ]
    return found


def records_at_once(reads: Mapping[str, Read]) -> int:
    """Say how many changed records are answered for together.

    Parameters
    ----------
    reads : dict of str to Read
        What is read.

    Returns
    -------
    int
        So many that memory holds what a network makes of them.
    """
    cells = sum(len(read.values) * max(read.values.shape[1], WIDTH) for read in reads.values())
    return max(MOST_CELLS // max(cells, 1), 1)


@torch.no_grad()
def answers_without(question: Question, taken: Sequence[Sequence[Region]]) -> Floats:
    """Answer for a record with parts of it at the baseline.

    Parameters
    ----------
    question : Question
        What is asked.
    taken : sequence of sequence of Region
        What is taken away, for each answer.

    Returns
    -------
    ndarray of float64, shape (answers,)
        The answers.
    """
    size = records_at_once(question.reads)
    parts = [
        question.answer(_changed(question.reads, taken[k : k + size])).double().numpy()
        for k in range(0, len(taken), size)
    ]
    return np.concatenate([*parts, np.zeros(0)])


def _changed(reads: Mapping[str, Read], taken: Sequence[Sequence[Region]]) -> dict[str, Tensor]:
    """Make one record for each set of regions."""
    changed = {name: read.values.detach().repeat(len(taken), 1, 1) for name, read in reads.items()}
    places = {name: _columns(read) for name, read in reads.items()}
    without = {
        name: read.baseline if read.absent is None else read.absent for name, read in reads.items()
    }
    for row, some in enumerate(taken):
        for stream, start, stop, channel in some:
            columns, steps = places[stream][channel], slice(start, stop)
            changed[stream][row, steps, columns] = without[stream][steps, columns]
    return changed


def _columns(read: Read) -> dict[str | None, Tensor | slice]:
    """Find the columns of each channel."""
    found: dict[str | None, Tensor | slice] = {None: slice(None)}
    places: dict[str, list[int]] = {}
    for place, channel in enumerate(read.columns):
        places.setdefault(channel, []).append(place)
    return found | {channel: torch.tensor(some) for channel, some in places.items()}


def by_channels(read: Read, cells: Floats) -> Floats:
    """Add up the columns of each channel.

    Parameters
    ----------
    read : Read
        With the columns.
    cells : ndarray, shape (steps, width)
        A number for each column.

    Returns
    -------
    ndarray, shape (steps, channels)
        Their sums.
    """
    place = {channel: k for k, channel in enumerate(read.channels)}
    owners = np.array([place[channel] for channel in read.columns], np.int64)
    sums = np.zeros((len(cells), len(place)))
    np.add.at(sums.T, owners, np.asarray(cells, np.float64).T)
    return sums
