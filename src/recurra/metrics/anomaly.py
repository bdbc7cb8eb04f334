"""How well anomalies were found: by events, and as the Numenta Anomaly Benchmark scores it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from recurra.errors import OptionError, near
from recurra.types import Array, Floats, Integers

__all__ = [
    "NAB_PROFILES",
    "EventScore",
    "NabProfile",
    "NabScore",
    "event_scores",
    "events_of",
    "nab_score",
]

Events = Sequence[tuple[int, int]]
"""The first and the last step of each event of a record."""

STEEP, FAR = 5.0, 3.0  # of the sigmoid; window lengths from which a false alarm counts in full
LONGEST_PROBATION = 5000  # rows of a record that the probation is a share of, at most


class EventScore(NamedTuple):
    """How well events were found.

    Parameters
    ----------
    precision : float
        Share of the events found that overlap a true one; 1 where none was found.
    recall : float
        Share of the true events that overlap one found; 1 where there is none.
    f1 : float
        Their harmonic mean.
    """

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class NabProfile:
    """What the Numenta Anomaly Benchmark gives and takes.

    Parameters
    ----------
    hit : float
        For a window in which there is an alarm, at most: the earlier the more.
    false_alarm : float
        Taken for each alarm outside of windows, less shortly after one.
    miss : float
        Taken for a window without an alarm.
    """

    hit: float = 1.0
    false_alarm: float = 0.11
    miss: float = 1.0


NAB_PROFILES = {
    "standard": NabProfile(),
    "reward_low_FP_rate": NabProfile(false_alarm=0.22),
    "reward_low_FN_rate": NabProfile(miss=2.0),
}
"""The profiles of the benchmark, by the names it gives them."""


class NabScore(NamedTuple):
    """A score of the Numenta Anomaly Benchmark.

    Parameters
    ----------
    value : float
        0 for a detector that never alarms, 100 for one that alarms once in each window, at its
        first step, and never else.
    threshold : float
        From which score on there is an alarm.
    hits, misses, false_alarms : int
        Windows with an alarm, windows without, and steps outside of windows with one.
    """

    value: float
    threshold: float
    hits: int
    misses: int
    false_alarms: int


def events_of(flags: Any) -> list[tuple[int, int]]:
    """Find runs of flags.

    Parameters
    ----------
    flags : array-like, shape (steps,)
        True, or not 0, inside of events.

    Returns
    -------
    list of (int, int)
        The first and the last step of each.

    Examples
    --------
    >>> events_of([0, 1, 1, 0, 1])
    [(1, 2), (4, 4)]
    """
    there = np.asarray(flags)
    if there.ndim != 1:
        raise OptionError(f"flags has shape {there.shape}, but one for each step is read.")
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there.astype(bool), [False]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def event_scores(truth: Sequence[Events], found: Sequence[Events]) -> EventScore:
    """Count events that were found, over some records.

    Parameters
    ----------
    truth : sequence of list of (int, int)
        For each record the first and the last step of each event, as `events_of` gives them.
    found : sequence of list of (int, int)
        The same, as a detector says it.

    Returns
    -------
    EventScore
        Precision, recall, and F1.

    Examples
    --------
    >>> event_scores([[(3, 9)], [(5, 6)]], [[(8, 12), (40, 41)], []])
    EventScore(precision=0.5, recall=0.5, f1=0.5)
    """
    if len(truth) != len(found):
        raise OptionError(
            f"There are true events of {len(truth)} records, but found ones of {len(found)}."
        )
    right = hit = 0
    for real, said in zip(truth, found, strict=True):
        right += sum(any(_overlap(each, other) for other in real) for each in said)
        hit += sum(any(_overlap(each, other) for other in said) for each in real)
    precision = right / max(sum(map(len, found)), 1) if any(map(len, found)) else 1.0
    recall = hit / max(sum(map(len, truth)), 1) if any(map(len, truth)) else 1.0
    both = precision + recall
    return EventScore(precision, recall, 2 * precision * recall / both if both else 0.0)


def nab_score(
    scores: Sequence[Any],
    windows: Sequence[Events],
    *,
    profile: str | NabProfile = "standard",
    threshold: float | None = None,
    probation: float = 0.15,
) -> NabScore:
    r"""Score a detector as the Numenta Anomaly Benchmark does (its sweeper, version 1.1).

    The first alarm in a window gives :math:`A\,s(y) / s(-1)`, with
    :math:`s(y) = 2 / (1 + e^{5y}) - 1` and :math:`y` from -1 at the window's first step to almost 0
    at its last. A window without an alarm takes :math:`A_{miss}`. An alarm :math:`y` window lengths
    after the last window takes :math:`A_{false}\,|s(y)|`, in full from 3 on or where there was no
    window. The sum is put on a scale on which never to alarm is 0 and to be perfect is 100.

    Parameters
    ----------
    scores : sequence of array-like, shape (steps,)
        For each record, how odd each step is; NaN is no alarm.
    windows : sequence of list of (int, int)
        For each record the first and last step of each window, in order.
    profile : {"standard", "reward_low_FP_rate", "reward_low_FN_rate"} or NabProfile
        What is given and taken.
    threshold : float, optional
        From which score on there is an alarm. By default, as in the benchmark, the one for all
        records together that scores highest.
    probation : float
        The share of a record's steps (of 5000, if it has more) at its beginning that do not count.

    Returns
    -------
    NabScore
        The score, the threshold, and counts.

    References
    ----------
    A. Lavin and S. Ahmad, Evaluating real-time anomaly detection algorithms: the Numenta anomaly
    benchmark, ICMLA 2015, arXiv:1510.03336.

    Examples
    --------
    >>> quiet, early = np.zeros(100), np.zeros(100)
    >>> early[60] = 1.0
    >>> nab_score([early], [[(60, 69)]])
    NabScore(value=100.0, threshold=1.0, hits=1, misses=0, false_alarms=0)
    >>> nab_score([quiet], [[(60, 69)]], threshold=0.5).value
    0.0
    """
    weights = _profile(profile)
    if len(scores) != len(windows):
        raise OptionError(f"There are scores of {len(scores)} records, windows of {len(windows)}.")
    said, gains, owners, first = [], [], [], 0
    for each, spans in zip(scores, windows, strict=True):
        score = np.asarray(each, np.float64)
        begin = math.floor(probation * min(len(score), LONGEST_PROBATION))
        gain, owner = _gains(len(score), spans, weights)
        said.append(np.where(np.isnan(score), -np.inf, score)[begin:])
        gains.append(gain[begin:])
        owners.append(np.where(owner >= 0, owner + first, -1)[begin:])
        first += len(spans)
    if not first:
        raise OptionError("There is no window in any record, so there is nothing to be found.")
    parts = (np.concatenate(said), np.concatenate(gains), np.concatenate(owners))
    return _swept(*parts, first, weights, threshold)


def _swept(
    scores: Floats,
    gains: Floats,
    owners: Integers,
    count: int,
    weights: NabProfile,
    threshold: float | None,
) -> NabScore:
    """Lower the threshold step by step; each row adds what it changes."""
    order = np.argsort(-scores, kind="stable")
    scores, gains, owners = scores[order], gains[order], owners[order]
    able = scores > -np.inf
    best = np.full(count, -weights.miss)
    change, new = np.where(owners < 0, gains, 0.0), np.zeros(len(scores), np.int64)
    for row in np.flatnonzero(owners >= 0):
        owner = owners[row]
        new[row] = best[owner] == -weights.miss
        if gains[row] > best[owner]:
            change[row], best[owner] = gains[row] - best[owner], gains[row]
    totals = np.concatenate([[0.0], np.cumsum(change)])
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True) & able) + 1
    ends = np.concatenate([[0], ends])
    if threshold is None:
        place = int(ends[np.argmax(totals[ends])])
        threshold = float(scores[place - 1]) if place else math.inf
    else:
        place = int((scores[able] >= threshold).sum())
    hits = int(new[:place].sum())
    value = 100 * float(totals[place]) / (count * (weights.hit + weights.miss))
    false = int((owners[:place] < 0).sum())
    return NabScore(value, float(threshold), hits, count - hits, false)


def _gains(steps: int, windows: Events, weights: NabProfile) -> tuple[Floats, Integers]:
    """Say what an alarm at each step is worth, and in which window the step is, or -1."""
    gain, owner = np.full(steps, -weights.false_alarm), np.full(steps, -1)
    for place, (first, last) in enumerate(windows):
        if not 0 <= first <= last < steps:
            raise OptionError(f"A window is {(first, last)}, but the record has {steps} steps.")
        length = last - first + 1
        inside = np.arange(first, last + 1)
        gain[first : last + 1] = weights.hit * _sigmoid((inside - last - 1) / length) / _sigmoid(-1)
        owner[first : last + 1] = place
        past = (np.arange(last + 1, steps) - last) / max(length - 1, 1)
        gain[last + 1 :] = weights.false_alarm * np.where(past >= FAR, -1.0, _sigmoid(past))
    return gain, owner


def _sigmoid(place: Any) -> Array:
    """Give 1 far before the end of a window, 0 at the end, -1 far behind it."""
    return np.asarray(2 / (1 + np.exp(STEEP * np.minimum(place, FAR))) - 1)


def _profile(profile: str | NabProfile) -> NabProfile:
    if isinstance(profile, NabProfile):
        return profile
    if profile not in NAB_PROFILES:
        raise OptionError(f"There is no profile {profile!r}. {near(profile, NAB_PROFILES)}")
    return NAB_PROFILES[profile]


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]
