"""Several streams on one clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.data.sequences.stream import SECOND
from recurra.data.tables.notes import tell
from recurra.data.treatments.meeting import latest_rows, union_rows
from recurra.data.treatments.sorting import check_order
from recurra.data.treatments.treatment import Learned, Treatment
from recurra.errors import DataError, OptionError, near
from recurra.types import Array, Booleans, Integers

__all__ = ["Align"]


@dataclass(frozen=True, repr=False)
class Align(Treatment):
    """Put several streams on one clock, side by side.

    ``"asof"`` keeps the steps of one stream, and gives each the latest step of every other stream
    at or before it, never a later one (``pandas.merge_asof``). A channel ``"<stream>:age"`` says
    how old that step is: seconds for a calendar, else the user's units. Where there is none within
    the tolerance, nothing is observed. The latest step counts, whatever it holds: to carry values
    over holes in it, fill them before.

    ``"union"`` keeps the steps of all streams: a stream is unobserved where it said nothing, and no
    observation is lost. Steps of equal time in one stream stay apart: the second of them meets the
    second of the other stream.

    Signals and streams that count their steps have no times to be aligned by: give them times.

    Parameters
    ----------
    streams : sequence of str, optional
        Which streams; None for all measurements.
    how : {"asof", "union"}
        Whose steps are kept.
    to : str, optional
        For ``"asof"``: the stream whose steps they are; None for the first.
    into : str
        What the new stream is called. It takes the place of the others.
    tolerance : str or float, optional
        For ``"asof"``: how old a step may be and still count: ``"2h"`` for a calendar, a number for
        a clock of numbers. None for any age.

    Raises
    ------
    DataError
        ``clock`` where the streams have clocks of different kinds; ``no_overlap``, when learning,
        where a stream gives nothing to any record; ``step_target`` where a stream with an answer
        for each step would go.

    Notes
    -----
    A channel keeps its name; where two streams have one of that name, both get the stream's before
    it: ``"vitals.pulse"``. Answers for each step go with the steps of ``to``; in a union they are
    unknown where their stream said nothing.

    Examples
    --------
    >>> fast = Stream(
    ...     np.array([[1.0], [2.0], [3.0]]), np.array([0, 3]), ("pulse",),
    ...     times=np.array([0.0, 1.0, 2.0]), clock="number",
    ... )
    >>> slow = replace(
    ...     fast, values=np.array([[7.0]]), offsets=np.array([0, 1]), channels=("lactate",),
    ...     times=np.array([0.5]),
    ... )
    >>> data = SequenceDataset(("a",), {"vitals": fast, "labs": slow})
    >>> joined = Align().apply(data, {}).streams["joined"]
    >>> joined.channels
    ('pulse', 'lactate', 'labs:age')
    >>> joined.values
    array([[1. , nan, nan],
           [2. , 7. , 0.5],
           [3. , 7. , 1.5]])
    """

    streams: Sequence[str] | None = None
    how: Literal["asof", "union"] = "asof"
    to: str | None = None
    into: str = "joined"
    tolerance: str | float | None = None

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        if self.how not in ("asof", "union"):
            raise OptionError(f"how={self.how!r}, but it is 'asof' or 'union'.")
        if isinstance(self.streams, str):
            message = f"streams={self.streams!r} is one name, but a list of names is read"
            raise OptionError(f"{message}. Name two streams at least.")
        if self.streams is not None:
            object.__setattr__(self, "streams", tuple(self.streams))
            if len(set(self.streams)) < max(len(self.streams), 2):
                raise OptionError(f"streams={self.streams!r}, but two or more are read, each once.")
        if self.how == "union" and (self.to is not None or self.tolerance is not None):
            raise OptionError("A union keeps all steps: it has neither to= nor tolerance=.")

    def learn(self, dataset: SequenceDataset) -> Learned:
        """Learn nothing; refuse streams that do not go together, and those that give nothing."""
        chosen = self._chosen(dataset)
        main = self._main(chosen)
        for name, stream in chosen.items():
            if not stream.rows and any(other.rows for other in chosen.values()):
                message = f"Stream {name!r} has no steps in any record"
                raise DataError(message, code="no_overlap", hint="Leave it out.")
        for name, rows in self._met(chosen, main).items():
            if len(rows) and (rows < 0).all():
                within = "" if self.tolerance is None else f" within {self.tolerance}"
                raise DataError(
                    f"Stream {name!r} has nothing at or before any step of {main!r}{within}",
                    code="no_overlap",
                    hint="Compare their clocks: units, zones, and where they start.",
                )
        return {}

    def apply(self, dataset: SequenceDataset, learned: Learned) -> SequenceDataset:  # noqa: ARG002
        """Join the streams; say where one gave nothing."""
        chosen = self._chosen(dataset)
        for name, stream in chosen.items():
            check_order(stream, name, dataset.ids)
        notes = list(dataset.notes)
        if self.how == "union":
            joined, targets = self._union(chosen, dataset.targets)
            notes += _apart(chosen)
        else:
            met = self._met(chosen, self._main(chosen))
            joined, targets = self._asof(chosen, met, dataset.targets)
            main = self._main(chosen)
            notes += _missed(chosen[main], met, main)
        streams = {self.into: joined}
        streams |= {name: each for name, each in dataset.streams.items() if name not in chosen}
        return replace(dataset, streams=streams, targets=targets, notes=tuple(notes))

    def _chosen(self, dataset: SequenceDataset) -> dict[str, Stream]:
        """Choose the streams, and refuse those that have no clock in common."""
        known = [name for name, each in dataset.streams.items() if each.kind == "values"]
        names = known if self.streams is None else list(self.streams)
        for name in names:
            if name not in known:
                message = f"There is no stream of measurements {name!r}"
                raise OptionError(f"{message}. {near(name, known)}")
        if len(names) < 2:
            raise OptionError(f"Two streams or more are aligned, but there are {names!r}.")
        if self.into in dataset.streams and self.into not in names:
            raise OptionError(f"into={self.into!r}, but there is such a stream. Use another name.")
        chosen = {name: dataset.streams[name] for name in names}
        for name, each in chosen.items():
            if each.times is None:
                message = f"Stream {name!r} has no times to be aligned by"
                raise OptionError(f"{message}. Give times, or name the streams that have some.")
        _check_clocks(chosen)
        return chosen

    def _main(self, chosen: dict[str, Stream]) -> str:
        """Say whose steps are kept."""
        if self.to is not None and self.to not in chosen:
            raise OptionError(f"to={self.to!r} is not aligned. {near(self.to, chosen)}")
        return self.to or next(iter(chosen))

    def _met(self, chosen: dict[str, Stream], main: str) -> dict[str, Integers]:
        """Find the steps of the other streams that each step of the main one meets."""
        within = _read_tolerance(self.tolerance, chosen[main])
        if self.how == "union":
            return {}
        others = {name: each for name, each in chosen.items() if name != main}
        return {name: latest_rows(chosen[main], each, within) for name, each in others.items()}

    def _asof(
        self, chosen: dict[str, Stream], met: dict[str, Integers], targets: Mapping[str, Target]
    ) -> tuple[Stream, dict[str, Target]]:
        """Give each step of the main stream what the others last said."""
        main = self._main(chosen)
        stream, parts, kept = chosen[main], [], {}
        for name, each in chosen.items():
            if name == main:
                parts.append(_Part(name, each.channels, each.categories, each.values, each.mask))
            else:
                new = np.flatnonzero(met[name] >= 0)
                parts.append(_part(name, each, stream.rows, new, met[name][new]))
                parts.append(_age(name, stream, each, met[name]))
        for key, target in targets.items():
            if target.stream in met:
                raise DataError(
                    f"Target {key!r} has an answer for each step of {target.stream!r}, but the "
                    f"steps of {main!r} are kept",
                    code="step_target",
                    hint=f"Use to={target.stream!r}, or how='union'.",
                )
            own = target.stream == main
            kept[key] = replace(target, stream=self.into) if own else target
        return _side_by_side(parts, stream, stream.offsets, stream.clock_times), kept

    def _union(
        self, chosen: dict[str, Stream], targets: Mapping[str, Target]
    ) -> tuple[Stream, dict[str, Target]]:
        """Keep the steps of all streams."""
        union = union_rows(list(chosen.values()))
        places = dict(zip(chosen, union.places, strict=True))
        rows, parts, kept = len(union.times), [], {}
        for name, each in chosen.items():
            parts.append(_part(name, each, rows, places[name], np.arange(each.rows)))
        for key, target in targets.items():
            kept[key] = target
            if target.stream in chosen:
                unknown = -1 if target.classes else np.nan
                shape = (rows, target.values.shape[1])
                answers = np.full(shape, unknown, target.values.dtype)
                answers[places[target.stream]] = target.values
                kept[key] = replace(target, values=answers, offsets=union.offsets, stream=self.into)
        first = next(iter(chosen.values()))
        return _side_by_side(parts, first, union.offsets, union.times), kept


class _Part(NamedTuple):
    """What one stream gives to the new one: its channels, row by row."""

    name: str
    channels: tuple[str, ...]
    categories: Mapping[str, tuple[object, ...]]
    values: Array
    observed: Booleans


def _part(name: str, stream: Stream, count: int, new: Array, old: Array) -> _Part:
    """Put old rows of a stream into new rows of `count`; nothing is observed in the others."""
    shape = (count, len(stream.channels))
    values = np.full(shape, np.nan, _real(stream.values.dtype))
    observed = np.zeros(shape, np.bool_)
    values[new], observed[new] = stream.values[old], stream.mask[old]
    return _Part(name, stream.channels, stream.categories, values, observed)


def _age(name: str, main: Stream, stream: Stream, rows: Integers) -> _Part:
    """Say how long ago the rows that were met are."""
    there = rows >= 0
    ages = np.full((len(rows), 1), np.nan)
    ages[there, 0] = main.clock_times[there] - stream.clock_times[rows[there]]
    if main.clock == "calendar":
        ages /= SECOND
    dtype = _real(stream.values.dtype)
    return _Part(name, (f"{name}:age",), {}, ages.astype(dtype, copy=False), there[:, None])


def _side_by_side(parts: list[_Part], like: Stream, offsets: Integers, times: Array) -> Stream:
    """Make one stream of all parts, with names that differ."""
    said = Counter(channel for part in parts for channel in part.channels)
    names, categories = [], {}
    for part in parts:
        for channel in part.channels:
            names.append(f"{part.name}.{channel}" if said[channel] > 1 else channel)
            if channel in part.categories:
                categories[names[-1]] = part.categories[channel]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise OptionError(f"Two channels would be called {twice[0]!r}. Rename one before.")
    observed = np.concatenate([part.observed for part in parts], axis=1)
    return Stream(
        np.concatenate([part.values for part in parts], axis=1),
        offsets,
        tuple(names),
        observed=None if observed.all() else observed,
        times=times,
        clock=like.clock,
        zone=like.zone,
        categories=categories,
    )


def _real(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Give the type of real numbers that holds these and NaN: float32 where it is enough."""
    return np.result_type(dtype, np.float32)


def _check_clocks(chosen: dict[str, Stream]) -> None:
    """Refuse clocks of different kinds."""
    (first, one), *others = chosen.items()
    for name, each in others:
        if each.clock != one.clock:
            raise DataError(
                f"Stream {first!r} has a {_said(one.clock)}, but {name!r} a {_said(each.clock)}",
                code="clock",
                hint="Write the times of both as dates, or both as numbers of one unit.",
            )


def _said(clock: str) -> str:
    """Name a clock as a sentence does."""
    return "calendar" if clock == "calendar" else "clock of numbers"


def _read_tolerance(tolerance: str | float | None, main: Stream) -> float | None:
    """Read how old a step may be, in the units of the clock."""
    if tolerance is None:
        return None
    if (main.clock == "calendar") != isinstance(tolerance, str):
        message = f"The clock is a {_said(main.clock)}, but tolerance={tolerance!r}"
        wanted = "a stretch such as '2h'" if main.clock == "calendar" else "a number"
        raise OptionError(f"{message}. Use {wanted}.")
    try:
        read = pd.Timedelta(tolerance).value if isinstance(tolerance, str) else tolerance
    except ValueError as error:
        message = f"tolerance={tolerance!r} is no stretch of time ({error})"
        raise OptionError(f"{message}. Use one such as '2h' or '30min'.") from error
    if not read >= 0:
        raise OptionError(f"tolerance={tolerance!r}, but a stretch is 0 or more.")
    return read


def _missed(main: Stream, met: dict[str, Integers], name: str) -> list[str]:
    """Tell of records to which a stream gave nothing."""
    notes = []
    full = main.lengths > 0
    for other, rows in met.items():
        any_met = np.bincount(main.owners[rows >= 0], minlength=len(main)) > 0
        without = int((full & ~any_met).sum())
        if without:
            said = f"Stream {other!r} has nothing at or before the steps of {name!r}"
            notes.append(tell(f"{said} in {without} of {int(full.sum())} records."))
    return notes


def _apart(chosen: dict[str, Stream]) -> list[str]:
    """Tell of records in which streams never overlap in time."""
    notes = []
    for (one, a), (other, b) in combinations(chosen.items(), 2):
        both = np.flatnonzero((a.lengths > 0) & (b.lengths > 0))
        starts = [each.clock_times[each.offsets[both]] for each in (a, b)]
        ends = [each.clock_times[each.offsets[both + 1] - 1] for each in (a, b)]
        count = int(((starts[0] > ends[1]) | (starts[1] > ends[0])).sum())
        if count:
            said = f"Streams {one!r} and {other!r} have no time in common"
            notes.append(tell(f"{said} in {count} of {both.size} records."))
    return notes
