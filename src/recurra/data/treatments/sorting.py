"""Steps in the order of time: looked at, or made so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recurra.data.offsets import place_of
from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.data.tables.notes import tell
from recurra.data.treatments.treatment import Learned, Treatment
from recurra.errors import DataError, OptionError, near
from recurra.types import Integers

__all__ = [
    "Sort",
    "check_order",
    "show_time",
    "step_targets",
    "steps_back",
    "timed_streams",
]


@dataclass(frozen=True, repr=False)
class Sort(Treatment):
    """Sort the steps of each record by time.

    Readers sort what they read; this is for streams made by hand. Steps with equal times keep their
    order. Answers for each step are sorted along.

    Parameters
    ----------
    stream : str, optional
        Which stream; None for all that have times.

    Examples
    --------
    >>> stream = Stream(
    ...     np.array([[2.0], [1.0]]), np.array([0, 2]), ("x",), times=np.array([5.0, 3.0]),
    ...     clock="number",
    ... )
    >>> import warnings
    >>> with warnings.catch_warnings(record=True):
    ...     sorted_ = Sort().apply(SequenceDataset(("a",), {"x": stream}), {})
    >>> sorted_.stream.values.ravel(), sorted_.notes
    (array([1., 2.]), ("1 step of stream 'x' was earlier than the one before: sorted now.",))
    """

    stream: str | None = None

    def learn(self, dataset: SequenceDataset) -> Learned:
        """Learn nothing; refuse a stream that is not there."""
        timed_streams(dataset, self.stream)
        return {}

    def apply(self, dataset: SequenceDataset, learned: Learned) -> SequenceDataset:  # noqa: ARG002
        """Sort; say how many steps were earlier than the one before."""
        streams, targets, notes = dict(dataset.streams), dict(dataset.targets), []
        for name, stream in timed_streams(dataset, self.stream).items():
            _check_known(stream, name, dataset.ids)
            back = steps_back(stream)
            if not back.size:
                continue
            order = np.lexsort((stream.clock_times, stream.owners))
            streams[name] = stream.picked(order, stream.offsets)
            for key, target in step_targets(targets, name).items():
                targets[key] = replace(target, values=target.values[order])
            said = "1 step" if back.size == 1 else f"{back.size} steps"
            verb = "was" if back.size == 1 else "were"
            text = f"{said} of stream {name!r} {verb} earlier than the one before: sorted now."
            notes.append(tell(text))
        if not notes:
            return dataset
        return replace(dataset, streams=streams, targets=targets, notes=(*dataset.notes, *notes))


def steps_back(stream: Stream) -> Integers:
    """Find the steps that are earlier than the one before.

    Parameters
    ----------
    stream : Stream
        The stream.

    Returns
    -------
    ndarray of int64
        Their rows.
    """
    if stream.times is None:
        return np.zeros(0, np.int64)
    back = stream.times[1:] < stream.times[:-1]
    borders = stream.offsets[1:-1]
    back[borders[(borders > 0) & (borders <= len(back))] - 1] = False
    return np.flatnonzero(back) + 1


def check_order(stream: Stream, name: str, ids: tuple[object, ...]) -> None:
    """Refuse steps that are not in the order of time.

    Parameters
    ----------
    stream : Stream
        The stream.
    name : str
        What it is called.
    ids : tuple
        Whose the records are.

    Raises
    ------
    DataError
        If a step is earlier than the one before, or its time is NaN.
    """
    _check_known(stream, name, ids)
    back = steps_back(stream)
    if back.size:
        record, row = place_of(stream.offsets, int(back[0]))
        raise DataError(
            f"A step of stream {name!r} is earlier than the one before, as {back.size} are in all",
            code="unsorted_time",
            record=ids[record],
            row=row,
            value=show_time(stream, int(back[0])),
            hint="Use the treatment Sort() first.",
        )


def timed_streams(dataset: SequenceDataset, name: str | None) -> dict[str, Stream]:
    """Choose the streams that have times.

    Parameters
    ----------
    dataset : SequenceDataset
        The data set.
    name : str, optional
        The one that is wanted; None for all.

    Returns
    -------
    dict of str to Stream
        By name.
    """
    if name is None:
        return {key: each for key, each in dataset.streams.items() if each.times is not None}
    if name not in dataset.streams:
        raise OptionError(f"There is no stream {name!r}. {near(name, dataset.streams)}")
    if dataset.streams[name].times is None:
        message = f"Stream {name!r} has no times, but counts its steps"
        raise OptionError(f"{message}. Give the times of its steps, or leave it as it is.")
    return {name: dataset.streams[name]}


def step_targets(targets: Mapping[str, Target], stream: str) -> dict[str, Target]:
    """Choose the targets that have a row for each step of a stream.

    Parameters
    ----------
    targets : dict of str to Target
        All targets.
    stream : str
        The stream.

    Returns
    -------
    dict of str to Target
        By name.
    """
    return {name: each for name, each in targets.items() if each.stream == stream}


def show_time(stream: Stream, row: int) -> str:
    """Write the time of a row for a message.

    Parameters
    ----------
    stream : Stream
        The stream.
    row : int
        Counted through all records.

    Returns
    -------
    str
        As its clock writes it: in UTC for a calendar.
    """
    time = stream.clock_times[row]
    return str(np.datetime64(int(time), "ns") if stream.clock == "calendar" else time)


def _check_known(stream: Stream, name: str, ids: tuple[object, ...]) -> None:
    """Refuse a time that is NaN or infinite."""
    if stream.times is None or stream.times.dtype.kind != "f":
        return
    odd = np.flatnonzero(~np.isfinite(stream.times))
    if odd.size:
        record, row = place_of(stream.offsets, int(odd[0]))
        message = f"A time of stream {name!r} is NaN or infinite"
        raise DataError(
            message,
            code="null_time",
            record=ids[record],
            row=row,
            hint="Give every step a time, or leave the step out.",
        )
