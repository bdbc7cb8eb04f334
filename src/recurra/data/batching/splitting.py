"""A data set in parts: to learn from, and to be tested on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pandas as pd

from recurra.data.batching.cutting import cut_by, cut_rows, main_stream
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.treatments.sorting import check_order
from recurra.errors import DataError, OptionError, check_count, near
from recurra.types import Array, Booleans, Integers

__all__ = ["folds", "split"]

Parts = tuple[SequenceDataset, SequenceDataset]
MOST_FOLDS = 10
"""Of groups with classes, so many folds are made, and some of them held back."""


def split(
    dataset: SequenceDataset,
    share: float = 0.2,
    *,
    seed: int = 0,
    by: Literal["record", "group", "time"] = "record",
    stratify: str | None = None,
    stream: str | None = None,
    cutoff: object = None,
) -> Parts:
    """Split a data set in two.

    Parameters
    ----------
    dataset : SequenceDataset
        The data set.
    share : float
        How much is held back: of the records, of the groups, or of each record's steps.
    seed : int
        Decides which records they are.
    by : {"record", "group", "time"}
        Whole records, by chance: where they have groups, whole groups. ``"group"`` insists on there
        being groups. ``"time"``: the last steps of each record, or all from `cutoff` on.
    stratify : str, optional
        A target with classes, one for each record: both parts have them in equal shares, as far as
        that is possible.
    stream : str, optional
        By time: the stream whose steps are counted, where there are several.
    cutoff : str, datetime or float, optional
        By time: the first moment that is held back, in place of `share`; of a calendar a date, in
        the zone of the stream unless it has its own.

    Returns
    -------
    train, test : SequenceDataset
        In the order in which records came. By time both have all records, some perhaps without
        steps; what holds for a whole record, its answer among it, is then in both.

    Raises
    ------
    DataError
        ``too_few`` if there are fewer than two records, groups, or records of a class.

    Examples
    --------
    >>> lines = Stream(np.arange(10.0)[:, None], np.arange(0, 11, 2), ("x",))
    >>> data = SequenceDataset(("a", "b", "c", "d", "e"), {"x": lines})
    >>> train, test = split(data, 0.4)
    >>> len(train), len(test)
    (3, 2)
    >>> split(data, 0.5, by="time")[1].stream.values.ravel()
    array([1., 3., 5., 7., 9.])
    """
    if by not in ("record", "group", "time"):
        raise OptionError(f"by={by!r}, but it is 'record', 'group' or 'time'.")
    if not isinstance(share, float | int) or not 0 < share < 1:
        raise OptionError(f"share={share!r}, but it lies between 0 and 1.")
    if by != "time" and (cutoff is not None or stream is not None):
        raise OptionError("stream= and cutoff= are for by='time'.")
    if by == "time" and stratify is not None:
        raise OptionError(
            "by='time' keeps all records in both parts: there is nothing to stratify."
        )
    if by == "time" and cutoff is None:
        return _split_steps(dataset, share, main_stream(dataset, stream))
    if by == "time":
        return _split_calendar(dataset, cutoff)
    if by == "group" and dataset.groups is None:
        raise OptionError(
            "by='group', but the data set has no groups. Give groups, or by='record'."
        )
    labels, groups = _read(dataset, stratify)
    test = _held_back(share, seed, labels, groups)
    return dataset.take(np.flatnonzero(~test)), dataset.take(np.flatnonzero(test))


def folds(
    dataset: SequenceDataset, n: int = 5, *, seed: int = 0, stratify: str | None = None
) -> Iterator[Parts]:
    """Split a data set in several ways, so that each record is tested on once.

    Parameters
    ----------
    dataset : SequenceDataset
        The data set. Its groups are never parted.
    n : int
        How many ways.
    seed : int
        Decides which records are together.
    stratify : str, optional
        A target with classes, one for each record, which each part has in equal shares.

    Returns
    -------
    iterator of tuple of two SequenceDataset
        What to learn from and what to be tested on, `n` times.

    Raises
    ------
    DataError
        ``too_few`` if there are fewer than `n` records or groups.

    Examples
    --------
    >>> data = SequenceDataset((1, 2, 3), {"x": Stream(np.zeros((3, 1)), np.arange(4), ("x",))})
    >>> sorted(test.ids for train, test in folds(data, 3))
    [(1,), (2,), (3,)]
    """
    n = check_count("n", n, least=2)
    labels, groups = _read(dataset, stratify, n)
    found = list(_folder(n, seed, labels, groups).split(labels, labels, groups))
    return ((dataset.take(np.sort(a)), dataset.take(np.sort(b))) for a, b in found)


def _split_steps(dataset: SequenceDataset, share: float, name: str) -> Parts:
    """Hold back the last steps of each record."""
    lengths = dataset.streams[name].lengths
    owners, nothing = np.arange(len(dataset)), np.zeros(len(dataset), np.int64)
    kept = lengths - np.floor(lengths * share + 0.5).astype(np.int64)
    before = cut_by(dataset, name, owners, (nothing, kept), until_end=False)
    after = {key: (stops, dataset.streams[key].offsets[1:]) for key, (_, stops) in before.items()}
    parts = [cut_rows(dataset, dataset.ids, owners, bounds) for bounds in (before, after)]
    return parts[0], parts[1]


def _split_calendar(dataset: SequenceDataset, cutoff: object) -> Parts:
    """Hold back all steps from a moment on."""
    before, after = {}, {}
    for name, stream in dataset.streams.items():
        if stream.times is None:
            message = f"Stream {name!r} has no times, so it has no cutoff"
            raise OptionError(f"{message}. Use share= in place of cutoff=.")
        check_order(stream, name, dataset.ids)
        moment = _read_cutoff(cutoff, stream)
        earlier = np.concatenate([[0], np.cumsum(stream.times < moment)])[stream.offsets]
        middle = stream.offsets[:-1] + np.diff(earlier)
        before[name], after[name] = (stream.offsets[:-1], middle), (middle, stream.offsets[1:])
    owners = np.arange(len(dataset))
    parts = [cut_rows(dataset, dataset.ids, owners, bounds) for bounds in (before, after)]
    return parts[0], parts[1]


def _read_cutoff(cutoff: Any, stream: Stream) -> float:
    """Read a moment as a stream's clock writes it."""
    if stream.clock != "calendar":
        if isinstance(cutoff, bool) or not isinstance(cutoff, int | float | np.number):
            message = f"The clock is one of numbers, but cutoff={cutoff!r}"
            raise OptionError(f"{message}. Use a number.")
        return float(cutoff) if not isinstance(cutoff, int) else cutoff
    if isinstance(cutoff, int | float | np.number):
        message = f"The clock is a calendar, but cutoff={cutoff!r}"
        raise OptionError(f"{message}. Use a date such as '2024-07-01'.")
    try:
        stamp = pd.Timestamp(cutoff)
        stamp = stamp.tz_localize(stream.zone or "UTC") if stamp.tzinfo is None else stamp
    except (ValueError, TypeError) as error:
        raise OptionError(f"cutoff={cutoff!r} is no moment ({error}).") from error
    if pd.isna(stamp):
        raise OptionError(f"cutoff={cutoff!r} is no moment. Use a date such as '2024-07-01'.")
    return int(stamp.as_unit("ns").value)


def _read(
    dataset: SequenceDataset, stratify: str | None, least: int = 2
) -> tuple[Array, Integers | None]:
    """Read classes and groups as codes; refuse too few of them."""
    groups = None
    if dataset.groups is not None:
        groups = pd.factorize(pd.Index(list(dataset.groups), tupleize_cols=False))[0]
    count = len(dataset) if groups is None else len(set(groups.tolist()))
    if count < least:
        what = "records" if groups is None else "groups"
        raise DataError(
            f"{least} parts need {least} {what}, but there are {count}",
            code="too_few",
            hint="Split by time, or in fewer parts.",
        )
    if stratify is None:
        return np.zeros(len(dataset), np.int64), groups
    if stratify not in dataset.targets:
        hint = near(str(stratify), dataset.targets)
        raise OptionError(f"There is no target {stratify!r}. {hint}")
    target = dataset.targets[stratify]
    if target.level != "record" or not target.classes or target.values.shape[1] != 1:
        message = f"Target {stratify!r} is not one class for each record"
        raise OptionError(f"{message}. Stratify by one that is, or not at all.")
    _check_classes(target.values[:, 0], target.classes, least if groups is None else 1)
    return target.values[:, 0], groups


def _check_classes(codes: Integers, classes: tuple[object, ...], least: int) -> None:
    """Refuse a class too rare to be in all parts."""
    found, counts = np.unique(codes, return_counts=True)
    if (counts < least).any():
        code, count = int(found[np.argmin(counts)]), int(counts.min())
        said = "unknown class" if code < 0 else f"class {classes[code]!r}"
        raise DataError(
            f"There are {least} parts, but of {said} only {count}",
            code="too_few",
            hint="Leave these records out, or do not stratify.",
        )


def _held_back(share: float, seed: int, labels: Array, groups: Integers | None) -> Booleans:
    """Choose the records that are held back."""
    from sklearn import model_selection

    test = np.zeros(len(labels), np.bool_)
    if groups is not None and labels.any():
        n = min(
            MOST_FOLDS,
            len(set(groups.tolist())),
            int(np.unique(labels, return_counts=True)[1].max()),
        )
        parts = _folder(n, seed, labels, groups).split(labels, labels, groups)
        for _, places in list(parts)[: min(max(round(share * n), 1), n - 1)]:
            test[places] = True
        return test
    if groups is not None:
        way = model_selection.GroupShuffleSplit(1, test_size=share, random_state=seed)
    elif labels.any():
        way = model_selection.StratifiedShuffleSplit(1, test_size=share, random_state=seed)
    else:
        way = model_selection.ShuffleSplit(1, test_size=share, random_state=seed)
    try:
        test[next(way.split(labels, labels, groups))[1]] = True
    except ValueError as error:
        message = f"A share of {share} cannot be held back of {len(labels)} records ({error})"
        hint = "Choose another share, or do not stratify."
        raise DataError(message, code="too_few", hint=hint) from error
    return test


def _folder(n: int, seed: int, labels: Array, groups: Integers | None) -> Any:
    """Choose scikit-learn's way of splitting in several."""
    from sklearn import model_selection

    if not labels.any():
        kind = model_selection.KFold if groups is None else model_selection.GroupKFold
    elif groups is None:
        kind = model_selection.StratifiedKFold
    else:
        kind = model_selection.StratifiedGroupKFold
    return kind(n, shuffle=True, random_state=seed)
