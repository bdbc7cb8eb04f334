"""Steps of one record with the same time become one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from recurra.data.offsets import place_of
from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.data.tables.notes import tell
from recurra.data.treatments.runs import end_of_runs, pool_runs, pool_target
from recurra.data.treatments.sorting import (
    check_order,
    show_time,
    step_targets,
    timed_streams,
)
from recurra.data.treatments.treatment import Learned, Treatment
from recurra.errors import DataError, OptionError
from recurra.types import Array, Booleans, Integers

__all__ = ["Duplicates"]

KEEPS = ("error", "first", "last", "mean", "sum")
ADVICE = "Correct them, or use Duplicates(keep='first'), 'last', 'mean' or 'sum'."


@dataclass(frozen=True, repr=False)
class Duplicates(Treatment):
    """Make one step of a record's steps with the same time.

    Channel by channel, from what was observed: two half-filled rows of one moment make a full one.
    Steps that agree wherever both have a value become one without further ado; so do those of words
    and images, which are compared as a whole. Say what is to become of others.

    Answers for each step must agree, unless the first or the last is kept; an answer that only one
    of the steps knows is kept. The labels of a category have neither mean nor sum: they must agree.

    Parameters
    ----------
    keep : {"error", "first", "last", "mean", "sum"}
        What is done where values differ: refuse them; keep the first or last observed value of each
        channel; average or add up the observed ones.
    stream : str, optional
        Which stream; None for all that have times.

    Raises
    ------
    DataError
        ``duplicate_time`` where values differ that may not; ``duplicate_target`` where answers do.

    Examples
    --------
    >>> stream = Stream(
    ...     np.array([[1.0], [2.0], [6.0]]), np.array([0, 3]), ("x",),
    ...     times=np.array([0.0, 1.0, 1.0]), clock="number",
    ... )
    >>> import warnings
    >>> with warnings.catch_warnings(record=True):
    ...     single = Duplicates("mean").apply(SequenceDataset(("a",), {"x": stream}), {})
    >>> single.stream.values.ravel(), single.notes
    (array([1., 4.]), ("1 step of stream 'x' had the time of the one before: made one, by mean.",))
    """

    keep: Literal["error", "first", "last", "mean", "sum"] = "error"
    stream: str | None = None

    def __post_init__(self) -> None:
        """Refuse a way that is not known."""
        if self.keep not in KEEPS:
            raise OptionError(f"keep={self.keep!r}, but it is one of {KEEPS}.")

    def learn(self, dataset: SequenceDataset) -> Learned:
        """Learn nothing; refuse a stream that is not there."""
        timed_streams(dataset, self.stream)
        return {}

    def apply(self, dataset: SequenceDataset, learned: Learned) -> SequenceDataset:  # noqa: ARG002
        """Make one of each; say how many steps went."""
        streams, targets, notes = dict(dataset.streams), dict(dataset.targets), []
        for name, stream in timed_streams(dataset, self.stream).items():
            check_order(stream, name, dataset.ids)
            same = _Same(stream, name, dataset.ids, _runs_of_equals(stream))
            gone = stream.rows - len(same.starts)
            if not gone:
                continue
            differ = same.check(self._free_columns(stream), self.keep)
            streams[name] = self._pooled(stream, same)
            for key, target in step_targets(targets, name).items():
                if self.keep not in ("first", "last"):
                    same.check_target(target, key)
                way = "first" if self.keep == "first" else "last"
                places = np.arange(len(same.starts))
                targets[key] = pool_target(target, same.starts, places, same.offsets, way)
            said = f"1 step of stream {name!r}" if gone == 1 else f"{gone} steps of stream {name!r}"
            how = f", by {self.keep}" if differ or self.keep == "sum" else ""
            notes.append(tell(f"{said} had the time of the one before: made one{how}."))
        if not notes:
            return dataset
        return replace(dataset, streams=streams, targets=targets, notes=(*dataset.notes, *notes))

    def _free_columns(self, stream: Stream) -> Booleans:
        """Say which columns may differ."""
        if self.keep in ("first", "last"):
            return np.ones(stream.width, np.bool_)
        if self.keep == "error" or stream.kind != "values":
            return np.zeros(stream.width, np.bool_)
        return ~np.isin(stream.channels, list(stream.categories))

    def _pooled(self, stream: Stream, same: _Same) -> Stream:
        """Make one row of each run."""
        end = "last" if self.keep == "last" else "first"
        if stream.kind not in ("values", "tokens"):
            rows = end_of_runs(stream.mask, same.starts, end)[:, 0]
            return stream.picked(np.where(rows >= 0, rows, same.starts), same.offsets)
        way = self.keep if self.keep in ("mean", "sum") else end
        values, observed = pool_runs(stream.values, stream.mask, same.starts, way)
        if way in ("mean", "sum"):
            kept, _ = pool_runs(stream.values, stream.mask, same.starts, end)
            values = np.where(self._free_columns(stream), values, kept)
        return replace(
            stream,
            values=values,
            offsets=same.offsets,
            observed=None if stream.observed is None else observed,
            times=stream.clock_times[same.starts],
        )


@dataclass(frozen=True)
class _Same:
    """The steps of one stream, in runs of equal time."""

    stream: Stream
    name: str
    ids: tuple[object, ...]
    starts: Integers

    @property
    def offsets(self) -> Integers:
        """Where each record starts, when each run is one row."""
        return np.searchsorted(self.starts, self.stream.offsets).astype(np.int64)

    def check(self, free: Booleans, keep: str) -> bool:
        """Say whether values differ; refuse them in columns that are not free."""
        later, earlier = self._pairs(self.stream.mask)
        differ = _differ(self.stream, later, earlier) & self.stream.mask[later]
        wrong = differ & ~free
        if wrong.any():
            place, column = (int(k) for k in np.argwhere(wrong)[0])
            pair = (int(earlier[place, column]), int(later[place]))
            raise self._conflict(pair, column, int(wrong.any(1).sum()), keep)
        return bool(differ.any())

    def check_target(self, target: Target, key: str) -> None:
        """Refuse answers that differ."""
        later, earlier = self._pairs(target.observed)
        differ = target.values[later] != np.take_along_axis(target.values, earlier, 0)
        differ &= target.observed[later]
        if differ.any():
            place, column = (int(k) for k in np.argwhere(differ)[0])
            record, row = place_of(self.stream.offsets, int(later[place]))
            before = row - int(later[place] - earlier[place, column])
            raise DataError(
                f"Steps {before} and {row} of stream {self.name!r} have the same time, but "
                f"different answers in target {key!r}",
                code="duplicate_target",
                record=self.ids[record],
                row=row,
                hint="Correct them, or keep='first' or 'last'.",
            )

    def _pairs(self, observed: Booleans) -> tuple[Integers, Array]:
        """Give each row that is not the first of its run, and the first known rows before it."""
        if not len(self.starts):
            return self.starts, np.zeros((0, observed.shape[1]), np.int64)
        later = np.setdiff1d(np.arange(len(observed)), self.starts, assume_unique=True)
        first = end_of_runs(observed, self.starts, "first")
        earlier = first[np.searchsorted(self.starts, later, side="right") - 1]
        return later, np.where(earlier >= 0, earlier, later[:, None])

    def _conflict(self, pair: tuple[int, int], column: int, count: int, keep: str) -> DataError:
        """Name two steps that differ."""
        record, row = place_of(self.stream.offsets, pair[1])
        before = row - (pair[1] - pair[0])
        channel, values = None, None
        if self.stream.kind == "values":
            channel = self.stream.channels[column]
            values = tuple(self.stream.values[one, column].item() for one in pair)
            if channel in self.stream.categories:
                values = tuple(self.stream.categories[channel][int(code)] for code in values)
        when = show_time(self.stream, pair[1])
        said = f"Steps {before} and {row} of stream {self.name!r} have the same time, {when}, and"
        hint = ADVICE if keep == "error" else f"These have no {keep}: use keep='first' or 'last'."
        return DataError(
            f"{said} differ, as do {count} in all",
            code="duplicate_time",
            record=self.ids[record],
            row=row,
            column=channel,
            value=values,
            hint=hint,
        )


def _runs_of_equals(stream: Stream) -> Integers:
    """Find the first row of each run of equal times in a record."""
    times = stream.clock_times
    new = np.ones(stream.rows, np.bool_)
    new[1:] = times[1:] != times[:-1]
    new[stream.offsets[:-1][stream.lengths > 0]] = True
    return np.flatnonzero(new)


def _differ(stream: Stream, later: Integers, earlier: Array) -> Booleans:
    """Compare rows with earlier ones, column by column."""
    if stream.inner is not None:
        pairs = zip(later, earlier[:, 0], strict=True)
        equal = [_alike(stream.inner, int(a), int(b)) for a, b in pairs]
        return ~np.array(equal, np.bool_).reshape(-1, 1)
    if stream.kind == "frames":
        found = stream.values[later] != stream.values[earlier[:, 0]]
        return found.reshape(len(later), -1).any(1, keepdims=True)
    found = stream.values[later] != np.take_along_axis(stream.values, earlier, 0)
    return found


def _alike(inner: Stream, one: int, other: int) -> bool:
    """Compare two records of a stream of records."""
    a, b = inner.at(one), inner.at(other)
    if a.values.shape != b.values.shape or (a.observed != b.observed).any():
        return False
    equal = (a.values == b.values) | ~a.observed.reshape(
        len(a.observed), *[1] * (a.values.ndim - 2), -1
    )
    return bool(equal.all())
