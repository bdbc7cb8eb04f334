"""Try models on the validation windows, then train those that were chosen on everything."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import clone

from recurra.errors import DataError, OptionError, TrainingError
from recurra.tuning.auto_budget import Budget, train_within
from recurra.tuning.auto_members import NetworkMember
from recurra.tuning.auto_trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from recurra.data import Panel
    from recurra.tuning.auto_candidates import Candidates
    from recurra.tuning.auto_members import BaselineMember
    from recurra.tuning.auto_windows import Windows

__all__ = ["refit", "search"]

FIRST = 0.4  # of the time that the first network may take
SLOWER = 1.2  # times that a training on everything takes as long as one on a part


def search(
    windows: Windows,
    baselines: Sequence[BaselineMember],
    candidates: Candidates,
    measure: str,
    budget: Budget,
    limits: tuple[int, int],
    seen: Callable[[Trial], None],
) -> list[Trial]:
    """Try models, as long as there is time to train the chosen ones once more.

    Parameters
    ----------
    windows : Windows
        What they are scored on.
    baselines : sequence of BaselineMember
        Those that learn nothing; tried first.
    candidates : Candidates
        Proposes networks.
    measure : str
        What they are compared by.
    budget : Budget
        The time.
    limits : tuple of (int, int)
        Networks tried at most, and networks that may be trained once more.
    seen : callable
        Is shown each trial.

    Returns
    -------
    list of Trial
        In the order in which they were tried.
    """
    trials: list[Trial] = []

    def done(trial: Trial) -> None:
        trials.append(trial)
        seen(trial)

    for each in baselines:
        done(_judged(each, windows, measure, time.monotonic(), "whole"))
    usual: list[float] = []
    proposals = candidates.propose(trials)
    for number in range(limits[0]):
        expected = float(np.median(usual)) if usual else 0.0
        reserve = SLOWER * expected * min(limits[1], number + 1)
        if number and budget.left < reserve + expected:
            break
        allowed = budget.left - reserve if number else FIRST * budget.left
        done(_tried(next(proposals), windows, measure, allowed, first=number == 0))
        usual.append(trials[-1].seconds)
    return trials


def _tried(
    member: NetworkMember, windows: Windows, measure: str, allowed: float, first: bool
) -> Trial:
    """Train a network on what was before the first origin, and score it."""
    begun = time.monotonic()
    try:
        whole = train_within(member.model, member.treated(windows.train).panel, allowed)
        return _judged(member, windows, measure, begun, "whole" if whole else "cut short")
    except (DataError, OptionError, TrainingError) as error:
        if first and not isinstance(error, TrainingError):
            raise  # the data or the options are wrong, and will be for all
        told = f"{type(error).__name__}: {error}"
        return Trial(member, np.inf, {}, time.monotonic() - begun, "failed", told)


def _judged(
    member: BaselineMember | NetworkMember,
    windows: Windows,
    measure: str,
    begun: float,
    state: str,
) -> Trial:
    """Forecast the validation windows."""
    parts = []
    for each in windows.windows:
        member.stand(each.train)
        parts.append(member.point(each.actual))
    forecasts = np.stack(parts)
    cost = windows.cost(forecasts, measure)
    seconds = time.monotonic() - begun
    if np.isinf(cost):
        return Trial(member, cost, {}, seconds, "failed", "Its forecasts are not finite.")
    return Trial(member, cost, windows.scores(forecasts), seconds, state, "", forecasts)


def refit(trials: Sequence[Trial], panel: Panel, budget: Budget) -> list[Trial]:
    """Train networks on all series, the first one first, as long as there is time.

    Parameters
    ----------
    trials : sequence of Trial
        What was chosen.
    panel : Panel
        The series, to their end.
    budget : Budget
        The time.

    Returns
    -------
    list of Trial
        The same models. One for which there is no time keeps the weights that it has; it reads the
        series to their end all the same.
    """
    found = []
    for number, each in enumerate(trials):
        member = each.member
        if isinstance(member, NetworkMember):
            after = [other.seconds for other in trials[number + 1 :]]
            allowed = budget.left - SLOWER * sum(after)
            member = _again(member, panel, each.seconds, allowed)
        member.stand(panel)
        found.append(replace(each, member=member))
    return found


def _again(member: NetworkMember, panel: Panel, before: float, allowed: float) -> NetworkMember:
    """Train a network on everything, if there is time for most of it."""
    if allowed < before / 2:
        return member
    again = replace(member, model=clone(member.model))
    try:
        train_within(again.model, again.treated(panel).panel, allowed)
    except TrainingError:  # on a part it went well, so these weights are good
        return member
    return again
