"""Parts of records: their first steps, their last, or some from anywhere."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recurra.data.sequences import SequenceDataset
from recurra.data.treatments.meeting import rows_until
from recurra.data.treatments.sorting import check_order
from recurra.errors import DataError, OptionError, near
from recurra.types import Integers

__all__ = ["cut_by", "cut_rows", "head", "main_stream", "random_crop", "tail"]

Bounds = tuple[Integers, Integers]


def head(dataset: SequenceDataset, steps: int, *, stream: str | None = None) -> SequenceDataset:
    """Keep the first steps of each record.

    Parameters
    ----------
    dataset : SequenceDataset
        The data set.
    steps : int
        How many; a shorter record is kept whole.
    stream : str, optional
        The stream whose steps count, where there are several; the others keep what is not later.

    Returns
    -------
    SequenceDataset
        The same records, shorter.

    Examples
    --------
    >>> from recurra.data.sequences import Stream
    >>> stream = Stream(np.arange(6.0)[:, None], np.array([0, 4, 6]), ("x",))
    >>> head(SequenceDataset(("a", "b"), {"x": stream}), 3).stream.lengths
    array([3, 2])
    """
    _check_steps(steps)
    lengths = dataset.streams[main_stream(dataset, stream)].lengths
    starts = np.zeros(len(dataset), np.int64)
    return _crop(dataset, stream, starts, np.minimum(lengths, steps))


def tail(dataset: SequenceDataset, steps: int, *, stream: str | None = None) -> SequenceDataset:
    """Keep the last steps of each record.

    Parameters
    ----------
    dataset : SequenceDataset
        The data set.
    steps : int
        How many; a shorter record is kept whole.
    stream : str, optional
        The stream whose steps count, where there are several; the others keep what came after the
        last step that went.

    Returns
    -------
    SequenceDataset
        The same records, shorter.

    Examples
    --------
    >>> from recurra.data.sequences import Stream
    >>> stream = Stream(np.arange(6.0)[:, None], np.array([0, 4, 6]), ("x",))
    >>> tail(SequenceDataset(("a", "b"), {"x": stream}), 3).stream.values.ravel()
    array([1., 2., 3., 4., 5.])
    """
    _check_steps(steps)
    lengths = dataset.streams[main_stream(dataset, stream)].lengths
    return _crop(dataset, stream, np.maximum(lengths - steps, 0), lengths)


def random_crop(
    dataset: SequenceDataset, steps: int, rng: np.random.Generator, *, stream: str | None = None
) -> SequenceDataset:
    """Keep steps in a row from anywhere in each record, every place being as likely.

    Parameters
    ----------
    dataset : SequenceDataset
        The data set.
    steps : int
        How many; a shorter record is kept whole.
    rng : numpy.random.Generator
        Where chance comes from.
    stream : str, optional
        The stream whose steps count, where there are several; the others keep what lies after the
        step before, and until the last.

    Returns
    -------
    SequenceDataset
        The same records, shorter.

    Examples
    --------
    >>> from recurra.data.sequences import Stream
    >>> stream = Stream(np.arange(6.0)[:, None], np.array([0, 4, 6]), ("x",))
    >>> data = SequenceDataset(("a", "b"), {"x": stream})
    >>> random_crop(data, 3, np.random.default_rng(0)).stream.values.ravel()
    array([1., 2., 3., 4., 5.])
    """
    _check_steps(steps)
    if not isinstance(rng, np.random.Generator):
        raise OptionError(f"rng={rng!r}, but chance comes from numpy.random.default_rng(seed).")
    lengths = dataset.streams[main_stream(dataset, stream)].lengths
    starts = rng.integers(0, np.maximum(lengths - steps, 0) + 1)
    return _crop(dataset, stream, starts, starts + np.minimum(lengths, steps))


def main_stream(dataset: SequenceDataset, stream: str | None) -> str:
    """Say which stream's steps count.

    Parameters
    ----------
    dataset : SequenceDataset
        The data set.
    stream : str, optional
        The one that is wanted; None where there is only one.

    Returns
    -------
    str
        Its name.
    """
    if stream is None and len(dataset.streams) == 1:
        return next(iter(dataset.streams))
    if stream is None:
        names = ", ".join(map(repr, dataset.streams))
        raise OptionError(f"There are several streams: {names}. Say by stream= whose steps count.")
    if stream not in dataset.streams:
        raise OptionError(f"There is no stream {stream!r}. {near(stream, dataset.streams)}")
    return stream


def cut_by(
    dataset: SequenceDataset, stream: str, owners: Integers, bounds: Bounds, *, until_end: bool
) -> dict[str, Bounds]:
    """Say which rows of all streams go with stretches of one.

    Parameters
    ----------
    dataset : SequenceDataset
        The data set.
    stream : str
        The stream whose steps count.
    owners : ndarray of int64, shape (stretches,)
        The record each stretch is of.
    bounds : tuple of two ndarrays of int64, shape (stretches,)
        Its first step, counted in the record, and the step after its last.
    until_end : bool
        Whether a stretch up to a record's last step has what the other streams say after it.

    Returns
    -------
    dict of str to tuple of two ndarrays of int64, shape (stretches,)
        For each stream the first row of each stretch, and the row after its last: what is later
        than the step before the stretch, and not later than its last.

    Raises
    ------
    DataError
        ``clock`` if the clocks of the streams cannot be compared.
    """
    main = dataset.streams[stream]
    first, last = (main.offsets[owners] + each for each in bounds)
    found = {stream: (first, last)}
    for name, other in dataset.streams.items():
        if name == stream:
            continue
        _check_clocks(dataset, stream, name)
        until = np.append(rows_until(main, other), 0)
        starts = np.where(bounds[0] > 0, until[first - 1], other.offsets[owners])
        stops = np.where(last > first, until[last - 1], starts)
        if until_end:
            ends = bounds[1] == main.lengths[owners]
            stops = np.where(ends, other.offsets[owners + 1], stops)
        found[name] = (starts, stops)
    return found


def cut_rows(
    dataset: SequenceDataset,
    ids: tuple[object, ...],
    owners: Integers,
    bounds: Mapping[str, Bounds],
) -> SequenceDataset:
    """Make a record of each stretch of rows.

    Parameters
    ----------
    dataset : SequenceDataset
        The data set.
    ids : tuple
        What the new records are called.
    owners : ndarray of int64, shape (new records,)
        The record each is of: it has its static covariates, weight, group and answer.
    bounds : dict of str to tuple of two ndarrays of int64, shape (new records,)
        For each stream the first row of each, and the row after its last.

    Returns
    -------
    SequenceDataset
        The new records. Answers for each step are cut alongside.

    Raises
    ------
    DataError
        ``labels_cut`` if a record whose answer is a sequence of labels would lose steps.
    """
    targets = {}
    for key, target in dataset.targets.items():
        if target.level == "step" and target.stream is not None:
            targets[key] = target.cut(*bounds[target.stream])
            continue
        if target.level == "labels":
            _check_whole(dataset, owners, bounds, key)
        targets[key] = target.take(owners)
    return SequenceDataset(
        ids,
        {name: each.cut(*bounds[name]) for name, each in dataset.streams.items()},
        None if dataset.static is None else dataset.static.take(owners),
        targets,
        None if dataset.weights is None else dataset.weights[owners],
        None if dataset.groups is None else dataset.groups[owners],
        dataset.notes,
    )


def _crop(
    dataset: SequenceDataset, stream: str | None, starts: Integers, stops: Integers
) -> SequenceDataset:
    """Keep one stretch of each record."""
    owners = np.arange(len(dataset))
    name = main_stream(dataset, stream)
    bounds = cut_by(dataset, name, owners, (starts, stops), until_end=True)
    return cut_rows(dataset, dataset.ids, owners, bounds)


def _check_steps(steps: int) -> None:
    """Refuse what is no number of steps."""
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise OptionError(f"steps={steps!r}, but it is a whole number of 1 or more.")


def _check_clocks(dataset: SequenceDataset, one: str, other: str) -> None:
    """Refuse clocks that cannot be compared, and steps that are not in order."""
    a, b = dataset.streams[one], dataset.streams[other]
    for name in (one, other):
        check_order(dataset.streams[name], name, dataset.ids)
    if a.clock != b.clock or (a.rate is None) != (b.rate is None):
        said = [each.clock if each.rate is None else "rate" for each in (a, b)]
        raise DataError(
            f"Stream {one!r} has a clock of kind {said[0]!r}, but {other!r} of kind {said[1]!r}",
            code="clock",
            hint="Both are cut by time: give them times of one kind, or cut each alone.",
        )


def _check_whole(
    dataset: SequenceDataset, owners: Integers, bounds: Mapping[str, Bounds], key: str
) -> None:
    """Refuse to cut a record whose labels belong to the whole of it."""
    for name, stream in dataset.streams.items():
        starts, stops = bounds[name]
        cut = (starts > stream.offsets[owners]) | (stops < stream.offsets[owners + 1])
        if cut.any():
            message = f"Target {key!r} is a sequence of labels for the whole record"
            record = dataset.ids[owners[np.argmax(cut)]]
            hint = "Cut before the labels are read, or leave records of this length out."
            raise DataError(
                f"{message}, which would be cut", code="labels_cut", record=record, hint=hint
            )
