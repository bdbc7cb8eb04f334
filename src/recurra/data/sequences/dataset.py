"""Many records, each with one or more streams, static covariates and targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from recurra.data.sequences.stream import Steps, Stream
from recurra.data.sequences.target import Target
from recurra.errors import DataError, OptionError, near
from recurra.types import Array, Floats, Integers

__all__ = ["STATIC", "Record", "SequenceDataset"]

STATIC = "static"
"""What the static covariates are called where they stand among the streams."""


@dataclass(frozen=True, eq=False)
class Record:
    """One record, as views into its data set.

    Parameters
    ----------
    id : object
        Whose it is.
    streams : dict of str to Steps
        Its inputs.
    static : dict of str to object
        What holds for the whole of it; None where unknown.
    targets : dict of str to ndarray
        What is to be learnt, as labels or numbers.
    """

    id: object
    streams: dict[str, Steps]
    static: dict[str, object]
    targets: dict[str, Array]


@dataclass(frozen=True, eq=False)
class SequenceDataset:
    """Many records of unequal length, each with one or more streams on their own clocks.

    Parameters
    ----------
    ids : tuple
        The identifiers.
    streams : dict of str to Stream
        The inputs, by name; each with as many records as there are identifiers.
    static : Stream, optional
        Covariates that hold for a whole record: a stream of exactly one step.
    targets : dict of str to Target
        What is to be learnt, by name.
    weights : ndarray of float64, shape (records,), optional
        How much each record counts.
    groups : ndarray, shape (records,), optional
        Records of one group (a patient, a speaker) are never parted by a split.
    notes : tuple of str
        The treatments the data got, with counts.

    Examples
    --------
    >>> stream = Stream(np.arange(6.0)[:, None], np.array([0, 4, 4, 6]), ("x",))
    >>> data = SequenceDataset(("a", "b", "c"), {"x": stream})
    >>> data
    SequenceDataset(3 records; x: 1 channel, 0 to 4 steps)
    >>> data.take([2])["c"].streams["x"].values.ravel()
    array([4., 5.])
    """

    ids: tuple[object, ...]
    streams: Mapping[str, Stream]
    static: Stream | None = None
    targets: Mapping[str, Target] = field(default_factory=dict)
    weights: Floats | None = None
    groups: Array | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together."""
        if not self.streams:
            raise OptionError("A data set has at least one stream, but none was given.")
        parts = {f"stream {name!r}": part for name, part in self.streams.items()}
        parts |= {f"target {name!r}": part for name, part in self.targets.items()}  # type: ignore[misc]
        optional = {"static": self.static, "weights": self.weights, "groups": self.groups}
        parts |= {name: part for name, part in optional.items() if part is not None}  # type: ignore[misc]
        for name, part in parts.items():
            if len(part) != len(self.ids):
                raise DataError(
                    f"There are {len(self.ids)} records, but {name} has {len(part)}",
                    code="record_count",
                    hint="Give one for each record.",
                )
        for name, target in self.targets.items():
            if target.stream is not None and target.offsets is not None:
                self._check_step_target(name, target.stream, np.diff(target.offsets))
        if len(set(self.ids)) < len(self.ids):
            seen: set[object] = set()
            twice = next(one for one in self.ids if one in seen or seen.add(one))  # type: ignore[func-returns-value]
            raise DataError(
                "Two records have the same identifier",
                code="duplicate_id",
                record=twice,
                hint="Give each record an identifier of its own.",
            )

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        said = [f"{len(self)} records", *(_say(n, s) for n, s in self.streams.items())]
        if self.static is not None:
            said.append(f"static: {', '.join(self.static.channels)}")
        if self.targets:
            said.append(f"targets: {', '.join(self.targets)}")
        return f"SequenceDataset({'; '.join(said)})"

    def __getitem__(self, id: object) -> Record:
        """Show the record with an identifier."""
        if id not in self.ids:
            raise DataError(
                "No such record", code="unknown_record", record=id, hint=near(str(id), self.ids)
            )
        return self.at(self.ids.index(id))

    def at(self, i: int) -> Record:
        """Show one record by place.

        Parameters
        ----------
        i : int
            Its place.

        Returns
        -------
        Record
            Views, not copies.
        """
        static = {} if self.static is None else _labels(self.static, i)
        targets = {name: _answers(target, i) for name, target in self.targets.items()}
        streams = {name: stream.at(i) for name, stream in self.streams.items()}
        return Record(self.ids[i], streams, static, targets)

    @property
    def stream(self) -> Stream:
        """The stream, where there is only one."""
        if len(self.streams) != 1:
            names = ", ".join(map(repr, self.streams))
            raise OptionError(f"There are several streams: {names}. Say which.")
        return next(iter(self.streams.values()))

    @property
    def all_streams(self) -> dict[str, Stream]:
        """The streams, and last the static covariates, if there are any, as ``"static"``."""
        static = {} if self.static is None else {STATIC: self.static}
        return {**self.streams, **static}

    @property
    def target(self) -> Target:
        """The target, where there is only one."""
        if len(self.targets) != 1:
            names = ", ".join(map(repr, self.targets)) or "none"
            raise OptionError(f"There is not one target, but these: {names}. Say which.")
        return next(iter(self.targets.values()))

    @property
    def lengths(self) -> Array:
        """How many steps each record has, in its longest stream."""
        return np.max([stream.lengths for stream in self.streams.values()], axis=0)

    def take(self, places: Iterable[int]) -> SequenceDataset:
        """Pick records by place.

        Parameters
        ----------
        places : iterable of int
            The places, in the order wanted.

        Returns
        -------
        SequenceDataset
            Those records.
        """
        index = np.array(list(places) if not isinstance(places, np.ndarray) else places, np.int64)
        return replace(
            self,
            ids=tuple(self.ids[i] for i in index),
            streams={name: stream.take(index) for name, stream in self.streams.items()},
            static=None if self.static is None else self.static.take(index),
            targets={name: target.take(index) for name, target in self.targets.items()},
            weights=None if self.weights is None else self.weights[index],
            groups=None if self.groups is None else self.groups[index],
        )

    def select(self, ids: Iterable[object]) -> SequenceDataset:
        """Pick records by identifier.

        Parameters
        ----------
        ids : iterable
            The identifiers, in the order wanted.

        Returns
        -------
        SequenceDataset
            Those records.
        """
        place = {name: i for i, name in enumerate(self.ids)}
        wanted = list(ids)
        for name in wanted:
            if name not in place:
                hint = near(str(name), self.ids)
                raise DataError("No such record", code="unknown_record", record=name, hint=hint)
        return self.take(place[name] for name in wanted)

    def join(self, other: SequenceDataset) -> SequenceDataset:
        """Append the records of another data set.

        Parameters
        ----------
        other : SequenceDataset
            With the same streams, static covariates and targets.

        Returns
        -------
        SequenceDataset
            Ours, then theirs.
        """
        for what in ("streams", "targets"):
            ours, theirs = set(getattr(self, what)), set(getattr(other, what))
            if ours != theirs:
                raise OptionError(f"The data sets differ in {what}: {sorted(ours ^ theirs)}.")
        for what in ("static", "weights", "groups"):
            if (getattr(self, what) is None) != (getattr(other, what) is None):
                raise OptionError(f"Only one of the data sets has {what}.")
        static = None
        if self.static is not None and other.static is not None:
            static = self.static.join(other.static)
        return SequenceDataset(
            (*self.ids, *other.ids),
            {name: stream.join(other.streams[name]) for name, stream in self.streams.items()},
            static,
            {name: target.join(other.targets[name]) for name, target in self.targets.items()},
            _joined(self.weights, other.weights),
            _joined(self.groups, other.groups),
            (*self.notes, *other.notes),
        )

    def with_streams(self, **streams: Stream) -> SequenceDataset:
        """Add streams, or put others in their place.

        Parameters
        ----------
        **streams : Stream
            By name.

        Returns
        -------
        SequenceDataset
            With those as well.
        """
        return replace(self, streams={**self.streams, **streams})

    def with_targets(self, **targets: Target) -> SequenceDataset:
        """Add targets, or put others in their place.

        Parameters
        ----------
        **targets : Target
            By name.

        Returns
        -------
        SequenceDataset
            With those as well.
        """
        return replace(self, targets={**self.targets, **targets})

    def _check_step_target(self, name: str, stream: str, have: Integers) -> None:
        """Refuse a target for each step that does not have the steps of its stream."""
        if stream not in self.streams:
            raise OptionError(f"Target {name!r} belongs to no stream: {stream!r}.")
        want = self.streams[stream].lengths
        odd = np.flatnonzero(have != want)
        if odd.size:
            raise DataError(
                f"Target {name!r} has {have[odd[0]]} steps, but its stream has {want[odd[0]]}",
                code="target_length",
                record=self.ids[odd[0]],
                hint="Give one for each step.",
            )


def _joined(ours: Array | None, theirs: Array | None) -> Array | None:
    """Append, where there is something."""
    return None if ours is None or theirs is None else np.concatenate([ours, theirs])


def _say(name: str, stream: Stream) -> str:
    """Say what a stream holds, in a few words."""
    count = len(stream.channels)
    channels = f"{count} channel{'s' if count != 1 else ''}"
    lengths = stream.lengths
    low, high = (int(lengths.min()), int(lengths.max())) if len(lengths) else (0, 0)
    said = (
        f"{name}: {channels}, {low} to {high} steps"
        if low < high
        else (f"{name}: {channels}, {low} steps")
    )
    if stream.observed is None or not stream.observed.size:
        return said
    missing = 1 - stream.observed.mean()
    return f"{said}, {100 * missing:.1f} % missing" if missing else said


def _labels(static: Stream, i: int) -> dict[str, object]:
    """Give the static covariates of a record, with labels for codes."""
    values, observed, _ = static.at(i)
    found: dict[str, object] = {}
    for k, name in enumerate(static.channels):
        value = values[0, k].item()
        if name in static.categories:
            value = static.categories[name][int(value)] if observed[0, k] else None
        found[name] = value if observed[0, k] else None
    return found


def _answers(target: Target, i: int) -> Array:
    """Give the targets of a record, with labels for codes."""
    part = target.take([i]).values
    if not target.classes:
        return part
    labels = np.array([*target.classes, None], object)
    return labels[part]
