"""Copies of what is to be learnt at each step: of the same step, or of one that is yet to come."""

from __future__ import annotations

import numpy as np

from recurra.auditing.case import Case, View
from recurra.auditing.finding import Finding
from recurra.auditing.phrases import quoted
from recurra.auditing.sought import Sought
from recurra.types import Array, Floats

__all__ = ["find_ahead", "find_in_steps"]

CERTAIN, ALIKE = 0.995, 0.999
MOST_ROWS, MOST_LAGS = 100_000, 24


def find_in_steps(case: Case, sought: Sought) -> list[Finding]:
    """Find channels that give the answer of the same step, or of the next.

    Parameters
    ----------
    case : Case
        The data.
    sought : Sought
        A target for each step of a stream.

    Returns
    -------
    list of Finding
        One for each such channel.
    """
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


def find_ahead(case: Case, stream: str, channel: str) -> list[Finding]:
    """Find channels that are the one to be forecast, now or some steps later.

    Parameters
    ----------
    case : Case
        The data.
    stream, channel : str
        What is to be forecast.

    Returns
    -------
    list of Finding
        One for each such channel.
    """
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
