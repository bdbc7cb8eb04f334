"""Who looks on while a trial runs, and ends it where that is best: by time, or by comparison."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import optuna

from recurra.training import Moment
from recurra.tuning.board import PARTS

__all__ = ["OutOfTime", "Watch"]

UNTRIED = 0.25  # of the steps, before which no training is compared with others


class OutOfTime(Exception):  # noqa: N818 - no error: it ends a trial
    """The time of the search is up."""


@dataclass(frozen=True)
class Watch:
    """Looks on while a trial runs.

    Parameters
    ----------
    trial : optuna.Trial
        Running.
    greater : bool
        Whether a greater score is better.
    pruning : bool
        Whether a trial that does worse than half of the others did by then is stopped.
    deadline : float or None
        When the time is up, by `time.monotonic`.
    known : tuple of float
        What the first parts scored in an attempt that was lost.
    """

    trial: optuna.Trial
    greater: bool
    pruning: bool
    deadline: float | None
    known: tuple[float, ...] = ()

    def callbacks(self, alone: bool) -> Sequence[Callable[[Moment], bool | None]]:
        """Give what looks on while a part is learned.

        Parameters
        ----------
        alone : bool
            Whether it is the only part: then trainings are compared, else the scores of parts.

        Returns
        -------
        sequence of callable
            For ``fit``.
        """
        return [self._see] if alone else [self._see_time]

    def part_scored(self, scores: Sequence[float]) -> None:
        """Hear the scores of the parts so far, and write them down, should this process be killed.

        Parameters
        ----------
        scores : sequence of float
            One for each part.

        Raises
        ------
        optuna.TrialPruned
            If their mean is worse than half of the others' was by then.
        """
        if len(scores) > len(self.known):
            self.trial.set_user_attr(PARTS, list(scores))
        self._compare(len(scores), sum(scores) / len(scores), len(scores) > 1)

    def _see(self, moment: Moment) -> None:
        self._see_time(moment)
        if moment.validation is not None:
            cost = -moment.validation if self.greater else moment.validation
            self._compare(moment.step, cost, moment.step >= UNTRIED * moment.steps)

    def _see_time(self, moment: Moment) -> None:  # noqa: ARG002
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise OutOfTime

    def _compare(self, step: int, value: float, ripe: bool) -> None:
        if self.pruning:
            self.trial.report(value, step)
            if ripe and self.trial.should_prune():
                raise optuna.TrialPruned
