"""Events on a regular grid: one step for each stretch of time, whether or not anything happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from recurra.data.offsets import offsets_of
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.treatments.grid import Grid, grid_of
from recurra.data.treatments.runs import ORDERLY, WAYS, pool_runs, pool_target
from recurra.data.treatments.sorting import check_order, step_targets, timed_streams
from recurra.data.treatments.treatment import Learned, Treatment
from recurra.errors import DataError, OptionError, near
from recurra.types import Array, Integers

__all__ = ["MOST_GROWTH", "MOST_STEPS", "Resample"]

MOST_STEPS = 5_000_000
"""A grid has at most this many steps, unless there were more before."""
MOST_GROWTH = 100
"""A grid has at most this many times the steps there were,"""
FEW_STEPS = 10_000
"""unless it is as small as this."""

Way = str | tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Resample(Treatment):
    """Put the events of each record on a regular grid.

    The step at mark ``m`` holds what was observed after the mark before and until ``m``, ``m``
    itself included: nothing in it is from the future, and a series that is on the grid already
    stays as it is (pandas: ``closed="right", label="right"``). A record's grid goes from its first
    event to its last; a stretch without events is an unobserved step.

    A grid with more than 5 million steps is refused, and so is one with more than a hundred times
    the steps there were (beyond ten thousand), before any memory is taken for it.

    Parameters
    ----------
    every : str or float
        The step: a pandas offset alias for a calendar, in UTC where it is shorter than a day
        (``"15min"``, ``"1h"``), on the wall clock of the stream's zone for whole days and calendar
        steps (``"D"``, ``"W-MON"``, ``"MS"``: marks at midnight); a number for a clock of numbers,
        where a billionth of a step of rounding is forgiven.
    how : str, tuple of str, or dict of str to these
        How the observed values of a stretch become one: ``"mean"``, ``"last"``, ``"first"``,
        ``"sum"``, ``"min"``, ``"max"`` or ``"count"`` (0 where nothing was observed, and known). Of
        several the first keeps the channel's name; ``"min"`` of ``pulse`` becomes ``"pulse:min"``.
        A dict says it for each channel; one it does not name gives its mean. Labels have no mean:
        unless a dict names it, a category gives its last label, beside a count where one is wanted.
    origin : {"record", "clock"}
        Whether the first event of each record is a mark, or marks are the clock's own: multiples of
        the step since 0, 1970, or midnight. Calendar steps always are the calendar's own.
    span : tuple of (float, float), optional
        For a clock of numbers with ``origin="clock"``: the grid of every record reaches from one to
        the other at least, where all were watched for the same time and silence tells something.
    stream : str, optional
        Which stream; None for all measurements that have times.

    Raises
    ------
    DataError
        ``sparse`` where the grid would be too large; ``unsorted_time``.
    OptionError
        If `every` does not suit the clock, or `how` the channel.

    Notes
    -----
    The answer for a step is the last known one of its stretch. Steps of a day are midnight to
    midnight where the clock is, be it 23 or 25 hours; each event is in exactly one of them.

    Examples
    --------
    >>> stream = Stream(
    ...     np.array([[1.0], [2.0], [4.0], [8.0]]), np.array([0, 4]), ("x",),
    ...     times=np.array([0.0, 0.4, 0.9, 2.5]), clock="number",
    ... )
    >>> regular = Resample(1.0, ("mean", "count")).apply(SequenceDataset(("a",), {"x": stream}), {})
    >>> regular.stream.channels, regular.stream.times
    (('x', 'x:count'), array([0., 1., 2., 3.]))
    >>> regular.stream.values
    array([[ 1.,  1.],
           [ 3.,  2.],
           [nan,  0.],
           [ 8.,  1.]])
    """

    every: str | float
    how: Way | Mapping[str, Way] = "mean"
    origin: Literal["record", "clock"] = "record"
    span: tuple[float, float] | None = None
    stream: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no clock could do; make tuples of lists."""
        if self.origin not in ("record", "clock"):
            raise OptionError(f"origin={self.origin!r}, but it is 'record' or 'clock'.")
        if isinstance(self.every, np.generic):
            object.__setattr__(self, "every", self.every.item())
        if isinstance(self.every, bool) or not isinstance(self.every, str | int | float):
            raise OptionError(f"every={self.every!r}, but it is a number, or an alias like '1h'.")
        if not isinstance(self.every, str) and not (0 < self.every < np.inf):
            raise OptionError(f"every={self.every!r}, but a step is longer than 0.")
        if self.span is not None:
            first, last = self.span
            if self.origin != "clock" or isinstance(self.every, str) or not first <= last:
                message = f"span={self.span!r} with every={self.every!r}, origin={self.origin!r}"
                raise OptionError(f"{message}: a span is (first, last) on a clock of numbers.")
            object.__setattr__(self, "span", (float(first), float(last)))
        if isinstance(self.how, Mapping):
            made: Way | dict[str, Way] = {str(k): _read_way(v) for k, v in self.how.items()}
        else:
            made = _read_way(self.how)
        object.__setattr__(self, "how", made)

    def learn(self, dataset: SequenceDataset) -> Learned:
        """Learn nothing; refuse streams, channels and steps that do not go together."""
        for stream in self._streams(dataset).values():
            grid_of(self.every, stream, self.origin)
            self._plan(stream)
        return {}

    def apply(self, dataset: SequenceDataset, learned: Learned) -> SequenceDataset:  # noqa: ARG002
        """Put the streams on their grids."""
        streams, targets, notes = dict(dataset.streams), dict(dataset.targets), []
        for name, stream in self._streams(dataset).items():
            check_order(stream, name, dataset.ids)
            grid = grid_of(self.every, stream, self.origin)
            bins = _find_bins(stream, grid, dataset.ids, self.span)
            streams[name] = self._pooled(stream, bins)
            for key, target in step_targets(targets, name).items():
                targets[key] = pool_target(target, bins.starts, bins.places, bins.offsets)
            now, empty = len(bins.times), len(bins.times) - len(bins.starts)
            said = f"{stream.rows} steps of stream {name!r} became {now} steps of {self.every}"
            notes.append(f"{said}, of which {empty} are empty.")
        return replace(dataset, streams=streams, targets=targets, notes=(*dataset.notes, *notes))

    def _streams(self, dataset: SequenceDataset) -> dict[str, Stream]:
        """Choose the streams, and refuse a channel that none of them has."""
        found = timed_streams(dataset, self.stream)
        if self.stream is None:
            found = {name: each for name, each in found.items() if each.kind == "values"}
        for name, each in found.items():
            if each.kind not in ("values", "tokens"):
                raise OptionError(f"Stream {name!r} holds {each.kind}, which have no mean.")
        if not found:
            message = "No stream of measurements has times to put on a grid"
            raise OptionError(f"{message}. Read the data with times.")
        channels = [name for each in found.values() for name in each.channels]
        for name in self.how if isinstance(self.how, Mapping) else ():
            if name not in channels:
                raise OptionError(f"There is no channel {name!r}. {near(name, channels)}")
        return found

    def _plan(self, stream: Stream) -> list[tuple[str, str, str]]:
        """List the new channels: their names, whence they come, and how."""
        planned = []
        for name in stream.channels:
            named = isinstance(self.how, Mapping) and name in self.how
            ways = self.how.get(name, ("mean",)) if isinstance(self.how, Mapping) else self.how
            ways = (ways,) if isinstance(ways, str) else ways
            if name in stream.categories or stream.kind == "tokens":
                ways = _ways_of_labels(name, ways, named)
            planned += [(name if not k else f"{name}:{w}", name, w) for k, w in enumerate(ways)]
        names = [name for name, _, _ in planned]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise OptionError(f"Two channels would be called {twice!r}. Rename one before.")
        return planned

    def _pooled(self, stream: Stream, bins: _Bins) -> Stream:
        """Pool the channels, and put them where they belong."""
        plan = self._plan(stream)
        ways = {way for _, _, way in plan}
        kept = stream.values.dtype.kind == "f" or ways <= {"first", "last"}
        dtype = stream.values.dtype if kept else np.dtype(np.float64)
        shape = (len(bins.times), len(plan))
        values = np.full(shape, np.nan if dtype.kind == "f" else 0, dtype)
        observed = np.zeros(shape, np.bool_)
        for way in ways:
            new = [k for k, (_, _, each) in enumerate(plan) if each == way]
            old = [stream.channel(plan[k][1]) for k in new]
            mask = None if stream.observed is None else _columns(stream.observed, old)
            pooled, known = pool_runs(_columns(stream.values, old), mask, bins.starts, way)
            if way == "count":
                values[:, new], observed[:, new] = 0, True
            rows = bins.places[:, None] if len(new) < len(plan) else bins.places
            columns = new if len(new) < len(plan) else slice(None)
            values[rows, columns], observed[rows, columns] = pooled, known
        labels = {
            n: stream.categories[o] for n, o, w in plan if o in stream.categories and w != "count"
        }
        return replace(
            stream,
            values=values,
            offsets=bins.offsets,
            channels=tuple(name for name, _, _ in plan),
            observed=None if observed.all() else observed,
            times=bins.times,
            categories=labels,
        )


def _columns(array: Array, columns: list[int]) -> Array:
    """Pick columns; no copy where they are all there are."""
    return array if columns == list(range(array.shape[1])) else array[:, columns]


class _Bins(NamedTuple):
    """Where rows go: the first row of each run, its new row, and all new rows."""

    starts: Integers
    places: Integers
    offsets: Integers
    times: Array


def _find_bins(
    stream: Stream, grid: Grid, ids: tuple[object, ...], span: tuple[float, float] | None
) -> _Bins:
    """Number the stretch each row is in; refuse a grid that is too large before it is made."""
    lengths, owners = stream.lengths, stream.owners
    full = np.flatnonzero(lengths)
    origins = np.zeros(len(stream), stream.clock_times.dtype)
    origins[full] = stream.clock_times[stream.offsets[:-1][full]]
    numbers = grid.number(stream.clock_times, origins[owners])
    firsts, lasts = np.zeros(len(stream), np.int64), np.full(len(stream), -1, np.int64)
    firsts[full] = numbers[stream.offsets[:-1][full]]
    lasts[full] = numbers[stream.offsets[1:][full] - 1]
    if span is not None:
        first, last = grid.number(np.array(span), np.zeros(2))
        firsts = np.minimum(np.where(lengths > 0, firsts, first), first)
        lasts = np.maximum(lasts, last)
    counts = lasts - firsts + 1
    _check_growth(counts, lengths, ids)
    offsets = offsets_of(counts)
    new = np.ones(stream.rows, np.bool_)
    new[1:] = (numbers[1:] != numbers[:-1]) | (owners[1:] != owners[:-1])
    starts = np.flatnonzero(new)
    places = numbers[starts] - firsts[owners[starts]] + offsets[owners[starts]]
    everyone = np.repeat(np.arange(len(stream)), counts)
    steps = np.arange(offsets[-1]) - offsets[everyone] + firsts[everyone]
    return _Bins(starts, places, offsets, grid.mark(steps, origins[everyone]))


def _check_growth(counts: Integers, lengths: Integers, ids: tuple[object, ...]) -> None:
    """Refuse a grid that is much larger than what is put on it."""
    before, after = int(lengths.sum()), float(counts.sum(dtype=np.float64))
    many = after > max(MOST_STEPS, before)
    if many or after > max(FEW_STEPS, MOST_GROWTH * before):
        worst = int(np.argmax(counts / np.maximum(lengths, 1)))
        raise DataError(
            f"The grid would make {after:,.0f} steps of {before:,}, and {int(counts[worst]):,} of "
            f"the {int(lengths[worst]):,} of this record",
            code="sparse",
            record=ids[worst],
            hint="Use a larger step, cut the record where nothing happens for long, or leave the "
            "stream as it is: networks read the time between steps.",
        )


def _read_way(way: object) -> Way:
    """Read one way or several, and refuse those that are not known."""
    if not isinstance(way, str | Sequence):
        raise OptionError(f"how={way!r}, but values are pooled by one of {WAYS}, or several.")
    ways = (way,) if isinstance(way, str) else tuple(way)
    for one in ways:
        if one not in WAYS:
            raise OptionError(f"how={one!r}, but values are pooled by one of {WAYS}.")
    if not ways or len(set(ways)) < len(ways):
        raise OptionError(f"how={ways!r}, but each way is named once. Use one of {WAYS}.")
    return ways[0] if len(ways) == 1 else ways


def _ways_of_labels(name: str, ways: tuple[str, ...], named: bool) -> tuple[str, ...]:
    """Give labels what they can have; refuse what was asked of them by name."""
    wrong = [way for way in ways if way not in ORDERLY]
    if named and wrong:
        message = f"Channel {name!r} holds labels, which have no {wrong[0]}"
        raise OptionError(f"{message}. Use one of {ORDERLY}.")
    kept = tuple(way for way in ways if way in ORDERLY)
    return kept if (kept and kept[0] != "count") or ways == ("count",) else ("last", *kept)
