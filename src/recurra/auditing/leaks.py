"""Ways in which data give a target away: copies, the future, counts, lengths, what is measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recurra.auditing.case import STATIC, Case, View
from recurra.auditing.finding import Finding, Level
from recurra.auditing.phrases import names, plural, quoted
from recurra.auditing.telling import Telling, determines, tell_class, tell_number
from recurra.data.sequences import Target
from recurra.types import Array, Booleans, Floats

__all__ = ["find_leaks"]

CERTAIN, NEARLY, STRONG, CLEAR = 0.995, 0.95, 0.9, 0.75
ALIKE = 0.999
MOST_ROWS, MOST_LAGS = 100_000, 24
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
                found += _of_records(case, _Sought(called, target, k))
            elif target.level == "step":
                found += _of_steps(case, _Sought(called, target, k))
    if case.ahead is not None:
        found += _of_forecast(case, *case.ahead)
    return found


class _Sought:
    """A target, and how well numbers tell it."""

    def __init__(self, name: str, target: Target, output: int) -> None:
        self.name, self.target = name, target
        self.answers: Array = target.values[:, output]

    def told_by(self, feature: Floats, rows: Array | slice = slice(None)) -> Telling | None:
        """Say how well a number tells it."""
        answers = self.answers[rows]
        if self.target.classes:
            return tell_class(feature, answers, self.target.classes)
        return tell_number(feature, answers.astype(np.float64))

    def hangs_on(self, feature: Floats) -> bool:
        """Whether a number may tell all classes, not only one of several."""
        several = len(self.target.classes) > 2
        return not several or self.copied_by(feature) >= NEARLY

    def copied_by(self, feature: Floats, rows: Array | slice = slice(None)) -> float:
        """Say how nearly a number determines it: 1 for a copy."""
        answers = self.answers[rows]
        if self.target.classes:
            return determines(feature, answers)
        known = ~(np.isnan(feature) | np.isnan(answers))
        a, b = feature[known], answers[known]
        if len(a) < 20 or not (np.ptp(a) and np.ptp(b)):
            return 0.0
        return 1.0 if (a == b).all() else abs(float(np.corrcoef(a, b)[0, 1]))


# ----------------------------------------------------------------- one answer for each record


def _of_records(case: Case, sought: _Sought) -> list[Finding]:
    """What tells the answer of a whole record."""
    found = [*_sorted_by(case, sought), *_counts(case, sought)]
    for name, view in case.views.items():
        if name == STATIC:
            found += _static(case, sought, view)
        elif view.measured:
            found += [*_measured(case, sought, view), *_channels(case, sought, view)]
    return found


def _sorted_by(case: Case, sought: _Sought) -> list[Finding]:
    """Records in the order of their classes."""
    codes = sought.answers
    if not sought.target.classes or len(codes) < 20 or len(case.dataset) < case.total:
        return []
    runs, classes = int((codes[1:] != codes[:-1]).sum()) + 1, len(np.unique(codes))
    if classes < 2 or runs > classes:
        return []
    said = f"Records are sorted by target {quoted(sought.name)}: shuffle before a split by place."
    return [Finding("sorted_by_target", "note", said, numbers={"target": sought.name})]


def _counts(case: Case, sought: _Sought) -> list[Finding]:
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


def _measured(case: Case, sought: _Sought, view: View) -> list[Finding]:
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


def _static(case: Case, sought: _Sought, view: View) -> list[Finding]:
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


def _copy(case: Case, sought: _Sought, stream: str, channel: str, copied: float) -> Finding:
    """Tell of a copy."""
    how = "determines" if copied == 1 else "nearly determines"
    said = f"{quoted(case.called(stream, channel))} {how} target {quoted(sought.name)}: leave it "
    said += "out, unless it is known before the answer."
    numbers = {"target": sought.name, "score": copied}
    return Finding("target_copied", "warning", said, stream, (channel,), numbers)


def _told(case: Case, sought: _Sought, stream: str, channel: str, told: Telling) -> Finding:
    """Tell of a value that all but gives the answer."""
    said = f"{quoted(case.called(stream, channel))} alone {told.words}, for target "
    said += f"{quoted(sought.name)}: is it known before the answer?"
    numbers = {"target": sought.name, told.measure: told.value}
    return Finding("target_told", "warning", said, stream, (channel,), numbers)


def _channels(case: Case, sought: _Sought, view: View) -> list[Finding]:
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


# ----------------------------------------------------------------- an answer for each step


def _of_steps(case: Case, sought: _Sought) -> list[Finding]:
    """Channels that give the answer of the same step, or of the next."""
    view = case.views[str(sought.target.stream)]
    if not view.measured or view.back:
        return []
    found = []
    for k, name in enumerate(view.stream.channels):
        column = np.where(view.seen[:, k], view.stream.values[:, k], np.nan).astype(np.float64)
        best: tuple[float, float, int] = (0.0, 0.0, 0)
        for lag in (0, 1):
            rows = _pairs(view, lag)
            told = sought.told_by(column[rows], rows + lag)
            copied = sought.copied_by(column[rows], rows + lag)
            best = max(best, (copied, 0.0 if told is None else told.strength, -lag))
        copied, strength, lag = best
        if copied < ALIKE and (strength < CERTAIN or view.is_coded(k) or not sought.target.classes):
            continue
        when = "the same step" if not lag else "the next step: it looks ahead"
        score = f" (AUROC {strength:.3f})" if copied < ALIKE else ""
        said = f"{quoted(case.called(view.name, name))} gives away target {quoted(sought.name)} of "
        said += f"{when}{score}. Leave it out, unless it is known before."
        numbers = {"target": sought.name, "ahead": -lag, "score": copied, "strength": strength}
        code = "target_copied" if not lag else "future_copied"
        found.append(Finding(code, "warning", said, view.name, (name,), numbers))
    return found


def _pairs(view: View, lag: int) -> Array:
    """Choose rows that have another so many steps later in their record."""
    rows = np.arange(max(view.stream.rows - lag, 0))
    owners = view.stream.owners
    rows = rows[owners[rows] == owners[rows + lag]]
    return rows[:: max(1, len(rows) // MOST_ROWS)]


def _of_forecast(case: Case, stream: str, channel: str) -> list[Finding]:
    """Channels that are the one to be forecast, now or some steps later."""
    view, found = case.views[stream], []
    main = view.stream.channels.index(channel)
    if view.is_coded(main):
        return []
    rows = slice(0, min(view.stream.rows, MOST_ROWS))
    answers = np.where(view.seen[rows, main], view.stream.values[rows, main], np.nan)
    inner = view.inner[rows]
    for k, name in enumerate(view.stream.channels):
        if k == main or view.is_coded(k):
            continue
        other = np.where(view.seen[rows, k], view.stream.values[rows, k], np.nan)
        lag, score = _best_lag(other, answers, inner)
        if lag is None:
            continue
        when = "" if not lag else " of the next step" if lag == 1 else f" of {lag} steps later"
        said = f"{quoted(case.called(stream, name))} is {quoted(channel)}{when}"
        said += ": it looks ahead. Leave it out." if lag else ": a copy of what is to be forecast."
        numbers = {"target": channel, "ahead": lag, "score": score}
        code = "target_copied" if not lag else "future_copied"
        found.append(Finding(code, "warning", said, stream, (name,), numbers))
    return found


def _best_lag(other: Floats, answers: Floats, inner: Array) -> tuple[int | None, float]:
    """Find after how many steps the answers do what the other did; None if they never do."""
    ours, theirs = _changes(answers, inner), _changes(other, inner)
    best: tuple[float, int | None] = (0.0, None)
    for lag in range(min(MOST_LAGS, max(len(ours) - 2, 0)) + 1):
        a, b = theirs[: len(theirs) - lag], ours[lag:]
        known = ~(np.isnan(a) | np.isnan(b))
        a, b = a[known], b[known]
        if len(a) < 20 or not (np.ptp(a) and np.ptp(b)):
            continue
        size = max(float(np.abs(b).max()), 1e-300)
        same = float((np.abs(a - b) <= 1e-9 * size)[(a != 0) | (b != 0)].mean())
        score = max(same, float(np.corrcoef(a, b)[0, 1]))
        best = max(best, (score, lag), key=lambda each: (each[0], -(each[1] or 0)))
    return (best[1], min(best[0], 1.0)) if best[0] > ALIKE else (None, 0.0)


def _changes(values: Floats, inner: Array) -> Floats:
    """Change from step to step; NaN at the first of a record."""
    change = np.full(len(values), np.nan)
    change[1:] = np.diff(values)
    change[~inner] = np.nan
    return change
