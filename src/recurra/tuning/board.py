"""The trials of a study, shared among processes that may be killed at any time.

A study has places, numbered from 0, of which each is to be filled by one finished trial. Place 0
is the default configuration. An attempt at a place is an Optuna trial; it is written down with its
owner in one stroke, so that no attempt is nobody's. Where the owner is found dead, the attempt is
lost, and the place is open again, for the same parameters. If two processes begin the same place
at the same time, the attempt with the lower number counts, and the other gives way before anything
is learned: so no place is filled twice. Nothing here needs more of the storage than that it
numbers trials, and that a finished trial stays as it is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from recurra.tuning.lease import beating, here, is_alive
from recurra.tuning.sampling import Sampler, suggested
from recurra.tuning.space import Space, decoded, distributions

__all__ = ["Attempt", "Board"]

PLACE, OWNER, SIGN, ERROR, ENDED = "place", "owner", "sign", "error", "ended"
PARTS = "parts"  # scores of the parts of the data that an attempt has done with
MOST_DEATHS = 10  # of a place, at the same part; then it is its configuration that kills
LONGEST_ERROR = 500  # letters
PRUNER = optuna.pruners.MedianPruner(n_startup_trials=5, n_min_trials=3)


@dataclass(frozen=True)
class Attempt:
    """A trial that this process is to run.

    Parameters
    ----------
    place : int
        Which trial of the search; 0 for the default configuration.
    trial : optuna.Trial
        Running.
    parameters : dict of str
        What is changed of the estimator.
    known : tuple of float
        What the first parts of the data scored in an attempt that was lost.
    """

    place: int
    trial: optuna.Trial
    parameters: Mapping[str, Any]
    known: tuple[float, ...] = ()

    @property
    def key(self) -> int:
        """Its number in the storage."""
        return self.trial._trial_id


class Board:
    """Opens and closes the trials of a study.

    Parameters
    ----------
    study : str
        What the study is called.
    storage : optuna.storages.BaseStorage
        Where it is kept.
    space : dict of str to Choice, Whole or Real
        What may be tried.
    default : dict of str
        The default configuration, as far as it lies in the space, as Optuna holds it.
    most : int or None
        Trials at most.
    seed : int
        Of the search.
    """

    def __init__(
        self,
        study: str,
        storage: BaseStorage,
        space: Space,
        default: Mapping[str, Any],
        most: int | None,
        seed: int,
    ) -> None:
        self.study, self.storage, self.space = study, storage, space
        self.default, self.most, self.seed = dict(default), most, seed
        self.key = storage.get_study_id_from_name(study)

    # ------------------------------------------------------------------ look

    def attempts(self) -> dict[int, list[FrozenTrial]]:
        """List the attempts at each place, in their order; those of the dead are closed.

        Returns
        -------
        dict of int to list of FrozenTrial
            By place.
        """
        trials, now = self._read(), time.time()
        for trial in trials:
            if trial.state == TrialState.RUNNING and not _lives(trial, now):
                self._close(trial._trial_id, TrialState.FAIL)
        found: dict[int, list[FrozenTrial]] = {}
        for trial in self._read():
            found.setdefault(trial.user_attrs[PLACE], []).append(trial)
        return found

    def counted(self) -> dict[int, FrozenTrial]:
        """Give the attempt that counts at each place: running or finished.

        Returns
        -------
        dict of int to FrozenTrial
            By place; without those that are open.
        """
        firsts = {place: _first(all_) for place, all_ in self.attempts().items()}
        return {place: trial for place, trial in sorted(firsts.items()) if trial is not None}

    # ------------------------------------------------------------------ open

    def begin(self) -> Attempt | None:
        """Begin an attempt at an open place: first at those that were lost.

        Returns
        -------
        Attempt or None
            None if every place is filled, or somebody is at it.
        """
        while True:
            attempts = self.attempts()
            place = self._open(attempts)
            if place is None:
                return None
            before = attempts.get(place, [])
            if _deaths(before) >= MOST_DEATHS:
                self._give_up(place, before)
                continue
            key = self._create(place, before)
            first = _first(self.attempts()[place])
            if first is not None and first._trial_id == key:
                return self._drawn(place, key)
            self._end(key, "another process was first")

    def _open(self, attempts: Mapping[int, list[FrozenTrial]]) -> int | None:
        """Find a place without an attempt that counts."""
        begun = max(attempts, default=-1) + 1
        for place in range(begun if self.most is None else min(begun, self.most)):
            if _first(attempts.get(place, [])) is None:
                return place
        return begun if self.most is None or begun < self.most else None

    def _create(self, place: int, before: list[FrozenTrial]) -> int:
        """Write an attempt down, with its owner, and the parameters if there are any by now."""
        told = {PLACE: place, OWNER: here(), SIGN: time.time(), PARTS: _known(before)}
        known = next(
            (each.params for each in before if each.params.keys() == self.space.keys()), {}
        )
        known = self.default if place == 0 else known
        ranges = {name: each for name, each in distributions(self.space).items() if name in known}
        template = create_trial(
            state=TrialState.RUNNING, params=dict(known), distributions=ranges, user_attrs=told
        )
        return self.storage.create_new_trial(self.key, template)

    def _drawn(self, place: int, key: int) -> Attempt:
        sampler = Sampler(self.space, self.seed, place)
        study = optuna.load_study(
            study_name=self.study, storage=self.storage, sampler=sampler, pruner=PRUNER
        )
        trial = optuna.Trial(study, key)
        drawn = decoded(self.space, suggested(trial, self.space)) if place else {}
        return Attempt(place, trial, drawn, tuple(trial.user_attrs[PARTS]))

    def _give_up(self, place: int, before: list[FrozenTrial]) -> None:
        """Close a place whose configuration has killed every process that tried it."""
        error = f"Its process died {_deaths(before)} times; perhaps the machine ran out of memory."
        params = next((e.params for e in before if e.params.keys() == self.space.keys()), {})
        ranges = distributions(self.space) if params else {}
        told = {PLACE: place, ERROR: error}
        template = create_trial(
            state=TrialState.FAIL, params=params, distributions=ranges, user_attrs=told
        )
        self.storage.create_new_trial(self.key, template)

    # ------------------------------------------------------------------ close

    def beating(self, attempt: Attempt) -> AbstractContextManager[None]:
        """Give signs of life while an attempt is run.

        Parameters
        ----------
        attempt : Attempt
            Begun.

        Returns
        -------
        context manager
            To run it in.
        """

        def sign(now: float) -> None:
            with suppress(UpdateFinishedTrialError):  # somebody has taken this process for dead
                self.storage.set_trial_user_attr(attempt.key, SIGN, now)

        return beating(sign)

    def finish(self, attempt: Attempt, score: float) -> None:
        """Write down that an attempt is finished.

        Parameters
        ----------
        attempt : Attempt
            Begun.
        score : float
            Its score.
        """
        self._close(attempt.key, TrialState.COMPLETE, [score])

    def stop(self, attempt: Attempt) -> None:
        """Write down that an attempt was stopped early, as it did not look promising.

        Parameters
        ----------
        attempt : Attempt
            Begun.
        """
        self._close(attempt.key, TrialState.PRUNED)

    def fail(self, attempt: Attempt, error: Exception) -> None:
        """Write down that an attempt failed, and why.

        Parameters
        ----------
        attempt : Attempt
            Begun.
        error : Exception
            What was raised.
        """
        told = f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
        with suppress(UpdateFinishedTrialError):
            self.storage.set_trial_user_attr(attempt.key, ERROR, told)
        self._close(attempt.key, TrialState.FAIL)

    def leave(self, attempt: Attempt, why: str) -> None:
        """Leave an attempt, so that its place is open again.

        Parameters
        ----------
        attempt : Attempt
            Begun.
        why : str
            In a few words.
        """
        self._end(attempt.key, why)

    def _end(self, key: int, why: str) -> None:
        with suppress(UpdateFinishedTrialError):
            self.storage.set_trial_user_attr(key, ENDED, why)
        self._close(key, TrialState.FAIL)

    def _close(self, key: int, state: TrialState, values: list[float] | None = None) -> None:
        """Close an attempt, unless somebody has."""
        with suppress(UpdateFinishedTrialError):
            self.storage.set_trial_state_values(key, state, values)

    def _read(self) -> list[FrozenTrial]:
        return self.storage.get_all_trials(self.key, deepcopy=False)


def _lives(trial: FrozenTrial, now: float) -> bool:
    return is_alive(trial.user_attrs[OWNER], trial.user_attrs[SIGN], now)


def _known(attempts: list[FrozenTrial]) -> list[float]:
    """Give the scores of the attempt that came furthest."""
    return max((each.user_attrs.get(PARTS, []) for each in attempts), key=len, default=[])


def _deaths(attempts: list[FrozenTrial]) -> int:
    """Count the processes that died as far as any came: who comes further may be killed again."""
    furthest = len(_known(attempts))
    dead = [each for each in attempts if ENDED not in each.user_attrs]
    return sum(len(each.user_attrs.get(PARTS, [])) == furthest for each in dead)


def _first(attempts: list[FrozenTrial]) -> FrozenTrial | None:
    """Give the first attempt that is not lost: the one that counts."""
    for trial in attempts:
        if trial.state != TrialState.FAIL or ERROR in trial.user_attrs:
            return trial
    return None
