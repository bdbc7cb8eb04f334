"""What a record is made of, by the names its user knows: channels of all streams, and steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recurra.data import SequenceDataset, Stream
from recurra.data.sequences import STATIC
from recurra.errors import OptionError, near

__all__ = [
    "Channel",
    "as_slice",
    "channels_of",
    "find_channel",
    "with_streams",
]


@dataclass(frozen=True)
class Channel:
    """One channel of one stream.

    Parameters
    ----------
    name : str
        What it is called: by itself where no other stream has such a channel, else after its
        stream: ``"ward: pulse"``. Of images and of records in records all channels are one, which
        is called as the stream is.
    stream : str
        The stream.
    column : int, optional
        Its place there; None where all channels are one.
    """

    name: str
    stream: str
    column: int | None


def with_streams(dataset: SequenceDataset, streams: Mapping[str, Stream]) -> SequenceDataset:
    """Put other streams in the place of those of the same names.

    Parameters
    ----------
    dataset : SequenceDataset
        The records.
    streams : dict of str to Stream
        What to put there; ``"static"`` for the static covariates.

    Returns
    -------
    SequenceDataset
        With those.
    """
    static = streams.get(STATIC, dataset.static)
    others = {name: each for name, each in streams.items() if name != STATIC}
    return replace(dataset.with_streams(**others), static=static)


def channels_of(dataset: SequenceDataset) -> list[Channel]:
    """List the channels of all streams.

    Parameters
    ----------
    dataset : SequenceDataset
        The records.

    Returns
    -------
    list of Channel
        In the order of the streams; the static covariates last.

    Examples
    --------
    >>> from recurra.data import from_arrays
    >>> data = from_arrays([[[1.0, 2.0]], [[3.0, 4.0]]], channels=["pulse", "pressure"])
    >>> [each.name for each in channels_of(data)]
    ['pulse', 'pressure']
    """
    found: list[tuple[str, str, int | None]] = []
    for stream, each in dataset.all_streams.items():
        if each.kind in ("frames", "records"):
            found.append((stream, stream, None))
        else:
            found += [(name, stream, column) for column, name in enumerate(each.channels)]
    count: dict[str, int] = {}
    for name, _, _ in found:
        count[name] = count.get(name, 0) + 1
    return [
        Channel(name if count[name] == 1 else f"{stream}: {name}", stream, column)
        for name, stream, column in found
    ]


def find_channel(dataset: SequenceDataset, name: str) -> Channel:
    """Find a channel by its name.

    Parameters
    ----------
    dataset : SequenceDataset
        The records.
    name : str
        As `channels_of` calls it; or a stream, where that has one channel.

    Returns
    -------
    Channel
        The channel.

    Raises
    ------
    OptionError
        If there is none.
    """
    channels = channels_of(dataset)
    alone = [each for each in channels if [one.stream for one in channels].count(each.stream) == 1]
    known = {**{each.stream: each for each in alone}, **{each.name: each for each in channels}}
    if name not in known:
        raise OptionError(f"There is no channel {name!r}. {near(str(name), known)}")
    return known[name]


def as_slice(steps: object) -> slice:
    """Read a stretch of steps.

    Parameters
    ----------
    steps : int, range or slice
        One step, or several in a row, counted from 0; those below 0 from the end of each record.

    Returns
    -------
    slice
        From the first step to the one after the last.

    Raises
    ------
    OptionError
        If it is none of these, or has gaps.

    Examples
    --------
    >>> as_slice(3), as_slice(-1), as_slice(range(10, 20))
    (slice(3, 4, None), slice(-1, None, None), slice(10, 20, None))
    """
    if isinstance(steps, int | np.integer) and not isinstance(steps, bool):
        step = int(steps)
        return slice(step, step + 1 if step != -1 else None)
    if isinstance(steps, range) and steps.step == 1 and len(steps):
        return slice(steps.start, None if steps.start < 0 <= steps.stop else steps.stop)
    if isinstance(steps, slice) and steps.step in (None, 1):
        return steps
    raise OptionError(
        f"steps={steps!r}, but a stretch of steps is one number, a range or a slice without gaps: "
        "range(10, 20), or slice(-5, None) for the last five."
    )
