"""The same data twice: identical records, shared stretches, ids and groups in train and test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recurra.auditing.case import MEASURED, Case
from recurra.auditing.finding import Finding, Level
from recurra.auditing.phrases import names, percent, plural, quoted
from recurra.data.sequences import SequenceDataset, Stream
from recurra.types import Array, Booleans, Integers

__all__ = ["find_overlap"]

STRETCH = 16
"""Steps in a row that are the same are no chance, where they change half of the time or more."""
FEW, MUCH = 0.01, 0.05
PRIME = np.uint64(0x9E3779B97F4A7C15)


def find_overlap(case: Case) -> list[Finding]:
    """Look for data that occur twice, within the data and between them and a test part.

    Parameters
    ----------
    case : Case
        The data, and perhaps a test part.

    Returns
    -------
    list of Finding
        What a split would not keep apart, or did not.
    """
    prints = _prints(case.dataset)
    found = [*_within(case, prints)]
    if case.test is not None:
        found += _between(case, case.test, prints, _prints(case.test, case.dataset))
    return found


@dataclass(frozen=True, eq=False)
class _Prints:
    """Hashes of records, and of stretches of the streams of measurements."""

    records: Array
    stretches: dict[str, tuple[Array, Integers]]


def _prints(dataset: SequenceDataset, like: SequenceDataset | None = None) -> _Prints:
    """Hash every record, and every stretch of it; labels under the codes of other data."""
    records = np.zeros(len(dataset), np.uint64)
    stretches = {}
    for name, stream in dataset.streams.items():
        if stream.kind not in (*MEASURED, "tokens", "frames"):
            continue
        if like is not None and name in like.streams:
            stream = stream.recoded(like.streams[name].categories)
        rows = _row_hashes(stream)
        timed = rows if stream.times is None else _mixed(rows ^ _mixed(_time_bits(stream)))
        records = _mixed(records * PRIME + _record_hashes(stream, timed))
        if stream.kind in MEASURED:
            stretches[name] = _stretches(stream, rows)
    return _Prints(records, stretches)


def _mixed(bits: Array) -> Array:
    """Spread 64 bits (the finaliser of splitmix64)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _time_bits(stream: Stream) -> Array:
    times = stream.clock_times
    whole = times if times.dtype.kind == "i" else (times + 0.0).astype(np.float64)
    return np.ascontiguousarray(whole, dtype=whole.dtype.newbyteorder("=")).view(np.uint64)


def _row_hashes(stream: Stream) -> Array:
    """Hash what was observed at each step, as float32 holds it."""
    values = stream.values.reshape(stream.rows, int(np.prod(stream.values.shape[1:])))
    seen = stream.mask if stream.kind != "frames" else None
    total = np.zeros(stream.rows, np.uint64)
    for k in range(values.shape[1]):
        with np.errstate(over="ignore"):
            bits = (values[:, k].astype(np.float32) + np.float32(0)).view(np.uint32)
        bits = bits.astype(np.uint64)
        if seen is not None:
            bits = np.where(seen[:, k], bits, np.uint64(1 << 40))
        total = _mixed(total * PRIME + bits + np.uint64(k + 1))
    return total


def _record_hashes(stream: Stream, rows: Array) -> Array:
    """Hash each record: the sum over its rows, each mixed with its place."""
    places = (np.arange(stream.rows) - np.repeat(stream.offsets[:-1], stream.lengths)).astype(
        np.uint64
    )
    total = np.concatenate(
        [[np.uint64(0)], np.cumsum(_mixed(rows + places * PRIME), dtype=np.uint64)]
    )
    sums = total[stream.offsets[1:]] - total[stream.offsets[:-1]]
    return _mixed(sums + stream.lengths.astype(np.uint64))


def _stretches(stream: Stream, rows: Array) -> tuple[Array, Integers]:
    """Hash every stretch of 16 steps that changes often enough; with the row it starts at."""
    count = len(rows) - STRETCH + 1
    if count < 1:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    changed = np.zeros(len(rows), np.int64)
    changed[1:] = rows[1:] != rows[:-1]
    changes = np.concatenate([[0], np.cumsum(changed)])
    lively = changes[STRETCH:] - changes[1 : count + 1] >= STRETCH // 2
    owners = stream.owners
    starts = np.flatnonzero((owners[STRETCH - 1 :] == owners[:count]) & lively)
    hashes = np.zeros(len(starts), np.uint64)
    for k in range(STRETCH):
        hashes = hashes * PRIME + rows[starts + k]
    return _mixed(hashes), starts


def _covered(stream: Stream, starts: Integers) -> Booleans:
    """Mark the rows that lie in some stretches."""
    edges = np.zeros(stream.rows + 1, np.int64)
    np.add.at(edges, starts, 1)
    np.add.at(edges, np.minimum(starts + STRETCH, stream.rows), -1)
    return np.cumsum(edges)[:-1] > 0


# ----------------------------------------------------------------- within the data


def _within(case: Case, prints: _Prints) -> list[Finding]:
    """Records, and stretches of them, that occur twice."""
    dataset, found = case.dataset, []
    full = dataset.lengths > 0
    _, number, counts = np.unique(prints.records[full], return_inverse=True, return_counts=True)
    whose = np.flatnonzero(full)
    twice = whose[counts[number] > 1]
    if twice.size:
        found.append(_identical(case, prints, twice))
        found += _contradicting(case, prints, twice)
    for name, (hashes, starts) in prints.stretches.items():
        stream = dataset.streams[name]
        mine = ~np.isin(stream.owners[starts], twice)
        found += _overlapping(case, name, hashes[mine], starts[mine])
    return found


def _identical(case: Case, prints: _Prints, twice: Integers) -> Finding:
    """Tell of identical records; across groups a split does not keep them together."""
    groups, across = case.dataset.groups, False
    if groups is not None:
        pairs = {(int(prints.records[i]), groups[i]) for i in twice.tolist()}
        across = len(pairs) > len({one for one, _ in pairs})
    first = twice[prints.records[twice] == prints.records[twice[0]]][:2]
    which = names(case.dataset.ids[i] for i in first)
    said = (
        f"{len(twice):,} of {plural(len(case.dataset), 'record')} are identical to another, such "
    )
    said += f"as {which}: keep one of each, or keep them on one side of a split."
    if across:
        said += " Some are of different groups."
    numbers = {"records": len(twice), "of": len(case.dataset), "across_groups": across}
    return Finding("identical_records", "warning", said, numbers=numbers)


def _contradicting(case: Case, prints: _Prints, twice: Integers) -> list[Finding]:
    """Identical records with different answers."""
    found = []
    for name, target in case.targets.items():
        if target.level != "record":
            continue
        known = twice[target.observed[twice].all(1)]
        pairs = {(int(prints.records[i]), target.values[i].tobytes()) for i in known.tolist()}
        seen: dict[int, int] = {}
        for one, _ in pairs:
            seen[one] = seen.get(one, 0) + 1
        odd = [i for i in known.tolist() if seen[int(prints.records[i])] > 1]
        if odd:
            which = names(case.dataset.ids[i] for i in odd)
            said = f"{plural(len(odd), 'record')} with the same values differ in target "
            said += f"{quoted(name)} ({which})."
            numbers = {"target": name, "records": len(odd)}
            found.append(Finding("contradicting_targets", "warning", said, numbers=numbers))
    return found


def _overlapping(case: Case, name: str, hashes: Array, starts: Integers) -> list[Finding]:
    """Stretches that are also in another record."""
    stream = case.dataset.streams[name]
    if not len(hashes):
        return []
    owners, groups = stream.owners[starts], case.dataset.groups
    if groups is not None:
        _, group = np.unique(groups, return_inverse=True)
        owners = group[owners]
    order = np.lexsort((owners, hashes))
    same = hashes[order][1:] == hashes[order][:-1]
    apart = same & (owners[order][1:] != owners[order][:-1])
    shared = np.unique(hashes[order][1:][apart])
    rows = _covered(stream, starts[np.isin(hashes, shared)])
    share = float(rows.mean())
    if share < MUCH:
        return []
    level: Level = "advice" if groups is None else "warning"
    said = f"{percent(share)} of the steps lie in stretches that are in another "
    if groups is None:
        said += "record too: were these windows cut from one series? Give groups=, so that a split "
        said += "keeps them together."
    else:
        said += "group too: a split by groups would not keep them apart."
    numbers: dict[str, Any] = {"share": share, "steps": STRETCH}
    return [Finding("overlapping_records", level, said, name, numbers=numbers)]


# ----------------------------------------------------------------- between train and test


def _between(case: Case, test: SequenceDataset, ours: _Prints, theirs: _Prints) -> list[Finding]:
    """What is in both parts."""
    found = [*_shared_ids(case.dataset, test), *_shared_groups(case.dataset, test)]
    full = test.lengths > 0
    both = np.isin(theirs.records, ours.records[case.dataset.lengths > 0]) & full
    if both.any():
        which = names(test.ids[i] for i in np.flatnonzero(both))
        said = f"{both.sum():,} of {plural(len(test), 'test record')} "
        said += f"{'is' if both.sum() == 1 else 'are'} in the training part too, with the same "
        said += f"values and times ({which}): take them out of one of the two."
        numbers = {"records": int(both.sum()), "of": len(test)}
        found.append(Finding("records_in_both", "warning", said, numbers=numbers))
    for name in ours.stretches.keys() & theirs.stretches.keys():
        hashes, starts = theirs.stretches[name]
        stream = test.streams[name]
        starts = starts[np.isin(hashes, ours.stretches[name][0])]
        starts = starts[~both[stream.owners[starts]]]
        share = float(_covered(stream, starts).mean()) if stream.rows else 0.0
        if share >= FEW:
            said = f"{percent(share)} of the test steps lie in stretches that are in the training "
            said += "part too: the parts overlap."
            part: dict[str, Any] = {"share": share, "steps": STRETCH}
            found.append(Finding("stretches_in_both", "warning", said, name, numbers=part))
    return found


def _shared_ids(train: SequenceDataset, test: SequenceDataset) -> list[Finding]:
    """Identifiers in both: harmless where the test part only goes on in time."""
    known = set(train.ids)
    shared = [one for one in test.ids if one in known]
    if not shared or _counted(train) or _counted(test):
        return []
    later = _goes_on(train, test, shared)
    said = f"{len(shared):,} of {plural(len(test), 'test record')} "
    said += f"{'has' if len(shared) == 1 else 'have'} an identifier of the training part "
    said += f"({names(shared)})"
    said += ", and go on where it ends." if later else ": the same records, or the same entities?"
    numbers = {"records": len(shared), "of": len(test), "later": later}
    level: Level = "note" if later else "warning"
    return [Finding("ids_in_both", level, said, numbers=numbers)]


def _counted(dataset: SequenceDataset) -> bool:
    """Whether identifiers are only 0, 1, 2 …"""
    return tuple(dataset.ids) == tuple(range(len(dataset)))


def _goes_on(train: SequenceDataset, test: SequenceDataset, shared: list[object]) -> bool:
    """Whether every shared record's test steps are later than its training steps."""
    places = {one: i for i, one in enumerate(train.ids)}
    others = {one: i for i, one in enumerate(test.ids)}
    for name in train.streams.keys() & test.streams.keys():
        ours, theirs = train.streams[name], test.streams[name]
        if ours.times is None or theirs.times is None or ours.clock != theirs.clock:
            return False
        for one in shared:
            before, after = ours.at(places[one]).times, theirs.at(others[one]).times
            if len(before) and len(after) and after.min() <= before.max():
                return False
    return True


def _shared_groups(train: SequenceDataset, test: SequenceDataset) -> list[Finding]:
    """Groups in both."""
    if train.groups is None or test.groups is None:
        return []
    shared = np.intersect1d(train.groups, test.groups)
    if not shared.size:
        return []
    said = (
        f"{plural(len(shared), 'group')} of the training part {'is' if len(shared) == 1 else 'are'}"
    )
    said += (
        f" in the test part too ({names(shared.tolist())}): a test on them is no test of new ones."
    )
    numbers = {"groups": len(shared)}
    return [Finding("groups_in_both", "warning", said, numbers=numbers)]
