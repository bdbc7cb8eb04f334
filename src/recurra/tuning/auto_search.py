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
from recurra.tuning.auto_selection import COSTS, averaged, best_reach
from recurra.tuning.auto_trial import Member, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from recurra.data import Panel
    from recurra.tuning.auto_candidates import Candidates
    from recurra.tuning.auto_members import BaselineMember
    from recurra.tuning.auto_windows import Windows

__all__ = ["refit", "search"]

FIRST = 0.4  # of the time that the first network may take
SLOWER = 1.3  # times that a training on everything takes as long as one on a part
SPARE = 0.95  # of the time, for what cannot be measured before
SEEDS = 3  # from which what was chosen is trained, if there is time
APART = 1_000  # seeds of the same network


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
    begun = time.monotonic()
    windows.cost(trials[0].forecasts[0], measure)
    choosing = COSTS * (time.monotonic() - begun)
    usual: list[float] = []
    proposals = candidates.propose(trials)
    for number in range(limits[0]):
        expected = float(np.median(usual)) if usual else 0.0
        reserve = SLOWER * expected * min(limits[1], number + 1) + choosing
        if number and budget.left < reserve + expected:
            break
        allowed = budget.left - reserve if number else FIRST * budget.left
        done(_tried(next(proposals), windows, measure, SPARE * allowed, first=number == 0))
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
        spent = time.monotonic() - begun
        return Trial(member, np.inf, {}, np.inf, spent, 0.0, "failed", told)


def _judged(
    member: Member,
    windows: Windows,
    measure: str,
    begun: float,
    state: str,
) -> Trial:
    """Forecast the validation windows."""
    parts, trained = [], time.monotonic()
    for each in windows.windows:
        member.stand(each.train)
        parts.append(member.point(each.actual))
    forecasts = np.stack(parts)[None]
    reading = (time.monotonic() - trained) / len(parts)
    cost, reach = best_reach(forecasts, windows, measure)
    seconds = time.monotonic() - begun
    if np.isinf(cost):
        told = "Its forecasts are not finite."
        return Trial(member, cost, {}, reach, seconds, reading, "failed", told)
    scores = windows.scores(averaged(forecasts, windows, reach))
    return Trial(member, cost, scores, reach, seconds, reading, state, "", forecasts)


def refit(
    trials: Sequence[Trial], weights: Sequence[float], panel: Panel, budget: Budget
) -> tuple[list[Member], list[float]]:
    """Train networks on all series, the first one first, as long as there is time.

    Each is trained from up to three seeds, whose forecasts share its weight: chance averages out.

    Parameters
    ----------
    trials : sequence of Trial
        What was chosen.
    weights : sequence of float
        Of each.
    panel : Panel
        The series, to their end.
    budget : Budget
        The time.

    Returns
    -------
    members : list of BaselineMember or NetworkMember
        The same models, and then what was trained of them from other seeds. One for which there is
        no time keeps the weights that it has; it reads the series to their end all the same.
    weights : list of float
        Of each.
    """
    copies: list[list[Member]] = []
    standing = SLOWER * sum(each.reading for each in trials)
    for number, each in enumerate(trials):
        after = sum(other.seconds for other in trials[number + 1 :] if _learns(other))
        allowed = SPARE * (budget.left - SLOWER * after - standing)
        copies.append([_again(each, 0, panel, allowed) or each.member])
    for turn in range(1, SEEDS):
        for each, found in zip(trials, copies, strict=True):
            allowed = SPARE * (budget.left - standing - SLOWER * each.reading)
            if _learns(each) and allowed > SLOWER * each.seconds:
                more = _again(each, turn, panel, allowed)
                found += [more] if more is not None else []
                standing += SLOWER * each.reading
    members, shares = [], []
    for turn in range(SEEDS):  # the first of each first
        for found, weight in zip(copies, weights, strict=True):
            if turn < len(found):
                members.append(found[turn])
                shares.append(weight / len(found))
    for each_member in members:
        each_member.stand(panel)
    return members, shares


def _learns(trial: Trial) -> bool:
    return isinstance(trial.member, NetworkMember)


def _again(trial: Trial, turn: int, panel: Panel, allowed: float) -> NetworkMember | None:
    """Train a network on everything, if there is time for most of it."""
    member = trial.member
    if not isinstance(member, NetworkMember) or allowed < trial.seconds / 2:
        return None
    model = clone(member.model)
    model.set_params(seed=model.seed + APART * turn)
    again = replace(member, model=model)
    try:
        train_within(again.model, again.treated(panel).panel, allowed)
    except TrainingError:  # on a part it went well, so those weights are good
        return None
    return again
