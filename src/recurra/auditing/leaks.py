"""Ways in which data give a target away: copies, the future, counts, lengths, what is measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recurra.auditing.case import Case, View
from recurra.auditing.copies import find_ahead, find_in_steps
from recurra.auditing.finding import Finding, Level
from recurra.auditing.phrases import names, plural, quoted
from recurra.auditing.sought import Sought
from recurra.auditing.telling import Telling
from recurra.data.sequences import STATIC
from recurra.types import Array, Booleans, Floats

__all__ = ["find_leaks"]

CERTAIN, STRONG, CLEAR = 0.995, 0.9, 0.75
ALIKE = 0.999
MOST_TOLD = 5


def find_leaks(case: Case) -> list[Finding]:
    """Look for what tells a target, and should not.

    Parameters
    ----------
    case : Case
        The data.

    Returns
    -------
    list of Finding
        Copies of the target, and counts that tell it.
    """
    found: list[Finding] = []
    for name, target in case.targets.items():
        for k, output in enumerate(target.outputs):
            called = name if len(target.outputs) == 1 else f"{name}.{output}"
            if target.level == "record":
                found += _of_records(case, Sought(called, target, k))
            elif target.level == "step":
                found += find_in_steps(case, Sought(called, target, k))
    if case.ahead is not None:
        found += find_ahead(case, *case.ahead)
    return found


# ----------------------------------------------------------------- one answer for each record


def _of_records(case: Case, sought: Sought) -> list[Finding]:
    """What tells the answer of a whole record."""
    found = [*_sorted_by(case, sought), *_counts(case, sought)]
    for name, view in case.views.items():
        if name == STATIC:
            found += _static(case, sought, view)
        elif view.measured:
            found += [*_measured(case, sought, view), *_channels(case, sought, view)]
    return found


def _sorted_by(case: Case, sought: Sought) -> list[Finding]:
    """Records in the order of their classes."""
    codes = sought.answers
    if not sought.target.classes or len(codes) < 20 or len(case.dataset) < case.total:
        return []
    runs, classes = int((codes[1:] != codes[:-1]).sum()) + 1, len(np.unique(codes))
    if classes < 2 or runs > classes:
        return []
    said = f"Records are sorted by target {quoted(sought.name)}: shuffle before a split by place."
    return [Finding("sorted_by_target", "note", said, numbers={"target": sought.name})]


def _counts(case: Case, sought: Sought) -> list[Finding]:
    """How many steps, repeated stamps and values a record has."""
    found = []
    for view in case.streams.values():
        where = "" if len(case.streams) == 1 else f" of stream {quoted(view.name)}"
        counts: list[tuple[str, str, Array]] = [
            ("length_tells", f"The number of steps{where}", view.stream.lengths)
        ]
        if view.stream.times is not None:
            repeated = _sums(view, repeats(view))
            counts.append(("repeats_tell", f"How many stamps{where} are repeated", repeated))
        for code, what, count in counts:
            told = sought.told_by(count.astype(np.float64))
            if told is None or not told.sure:
                continue
            level = _level(told)
            if code == "repeats_tell" and level == "note":
                level = "advice"
            said = f"{what} alone {told.words}, for target {quoted(sought.name)}"
            if level != "note":
                said += ": would it be known, and mean the same, in use?"
            else:
                said += "."
            numbers = {"target": sought.name, told.measure: told.value}
            found.append(Finding(code, level, said, view.name, numbers=numbers))
    return found


def _level(told: Telling) -> Level:
    return "warning" if told.strength >= STRONG else "advice" if told.strength >= CLEAR else "note"


def _sums(view: View, rows: Array) -> Floats:
    """Add up rows by record."""
    total = np.concatenate([[0.0], np.cumsum(rows, dtype=np.float64)])
    found: Floats = np.diff(total[view.places])
    return found


def repeats(view: View) -> Booleans:
    """Find the rows whose time, and labels, stand in their record already.

    Parameters
    ----------
    view : View
        A stream with times.

    Returns
    -------
    ndarray of bool, shape (rows,)
        All but the first of each are marked.
    """
    stream = view.stream
    coded = [k for k in range(len(stream.channels)) if view.measured and view.is_coded(k)]
    keys = [np.where(view.seen[:, k], stream.values[:, k], -1) for k in coded]
    keys = [*keys, stream.clock_times, stream.owners]
    order = np.lexsort(keys)
    same = np.ones(max(len(order) - 1, 0), bool)
    for key in keys:
        same &= key[order][1:] == key[order][:-1]
    found = np.zeros(stream.rows, bool)
    found[order[1:]] = same
    return found


def _measured(case: Case, sought: Sought, view: View) -> list[Finding]:
    """How often each channel is observed."""
    telling = []
    for k, name in enumerate(view.stream.channels):
        if view.seen[:, k].all():
            continue
        told = sought.told_by(_sums(view, view.seen[:, k]))
        if told is not None and told.sure:
            telling.append((told.strength, name, told))
    if not telling:
        return []
    telling.sort(key=lambda each: -each[0])
    best = telling[0][2]
    which = names((case.called(view.name, name) for _, name, _ in telling), MOST_TOLD)
    said = f"How often {which} {'is' if len(telling) == 1 else 'are'} observed tells of target "
    said += f"{quoted(sought.name)} (the first {best.words}): keep the mask as an input."
    numbers = {"target": sought.name, **{name: told.value for _, name, told in telling}}
    channels = tuple(name for _, name, _ in telling)
    return [Finding("missing_tells", "note", said, view.name, channels, numbers)]


def _static(case: Case, sought: Sought, view: View) -> list[Finding]:
    """Static covariates that give the answer."""
    found = []
    for k, name in enumerate(view.stream.channels):
        feature = np.where(view.seen[:, k], view.stream.values[:, k], np.nan).astype(np.float64)
        copied, told = sought.copied_by(feature), sought.told_by(feature)
        if copied >= ALIKE:
            found.append(_copy(case, sought, view.name, name, copied))
        elif (
            told and told.strength >= CERTAIN and sought.hangs_on(feature) and not view.is_coded(k)
        ):
            found.append(_told(case, sought, view.name, name, told))
    return found


def _copy(case: Case, sought: Sought, stream: str, channel: str, copied: float) -> Finding:
    """Tell of a copy."""
    how = "determines" if copied == 1 else "nearly determines"
    said = f"{quoted(case.called(stream, channel))} {how} target {quoted(sought.name)}: leave it "
    said += "out, unless it is known before the answer."
    numbers = {"target": sought.name, "score": copied}
    return Finding("target_copied", "warning", said, stream, (channel,), numbers)


def _told(case: Case, sought: Sought, stream: str, channel: str, told: Telling) -> Finding:
    """Tell of a value that all but gives the answer."""
    said = f"{quoted(case.called(stream, channel))} alone {told.words}, for target "
    said += f"{quoted(sought.name)}: is it known before the answer?"
    numbers = {"target": sought.name, told.measure: told.value}
    return Finding("target_told", "warning", said, stream, (channel,), numbers)


def _channels(case: Case, sought: Sought, view: View) -> list[Finding]:
    """Channels whose mean, last, smallest or largest value gives the answer."""
    found, easy = [], []
    for k, name in enumerate(view.stream.channels):
        summaries = dict(_summaries(view, k))
        if not summaries:
            continue
        still = bool(
            (summaries["smallest"] == summaries["largest"])[~np.isnan(summaries["last"])].all()
        )
        if still and sought.copied_by(summaries["last"]) >= ALIKE:
            found.append(_copy(case, sought, view.name, name, sought.copied_by(summaries["last"])))
            continue
        told = [
            (sought.told_by(one), what) for what, one in summaries.items() if sought.hangs_on(one)
        ]
        sure = [(each, what) for each, what in told if each and each.strength >= CERTAIN]
        if sure:
            best, what = max(sure, key=lambda each: each[0].strength)
            easy.append((best, what, name))
    if easy:
        easy.sort(key=lambda each: -each[0].strength)
        best, what, name = easy[0]
        said = f"The {what} value of {quoted(case.called(view.name, name))} alone {best.words}, "
        said += f"for target {quoted(sought.name)}"
        more = f", and so do those of {plural(len(easy) - 1, 'other channel')}"
        said += more if len(easy) > 1 else ""
        said += ": a leak, or an easy task."
        numbers = {"target": sought.name, best.measure: best.value, "summary": what}
        channels = tuple(name for _, _, name in easy)
        found.append(Finding("easily_told", "advice", said, view.name, channels, numbers))
    return found


def _summaries(view: View, k: int) -> Iterator[tuple[str, Floats]]:
    """Sum up a channel for each record; NaN where nothing was observed."""
    rows = np.flatnonzero(view.seen[:, k])
    if view.is_coded(k) or not rows.size:
        return
    values = view.stream.values[rows, k].astype(np.float64)
    edges = np.searchsorted(rows, view.places)
    full = np.flatnonzero(np.diff(edges))
    starts, stops = edges[full], edges[full + 1]
    made = {
        "last": values[stops - 1],
        "mean": np.add.reduceat(values, starts) / (stops - starts),
        "smallest": np.minimum.reduceat(values, starts),
        "largest": np.maximum.reduceat(values, starts),
    }
    for what, found in made.items():
        whole = np.full(len(view.stream), np.nan)
        whole[full] = found
        yield what, whole
