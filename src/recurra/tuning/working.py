"""Work at a board until all is done, by whomever, or the time is up."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from optuna import TrialPruned
from optuna.trial import TrialState
from tqdm.auto import tqdm

from recurra.errors import DataError, DataWarning, OptionError
from recurra.tuning.board import Attempt, Board
from recurra.tuning.watching import OutOfTime

__all__ = ["Work"]

WAIT = 0.5  # seconds between two looks at what others do


@dataclass(frozen=True)
class Work:
    """What is to be done at each place of a board, and until when.

    Parameters
    ----------
    board : Board
        The places; other processes may be at them, too.
    score : callable
        Scores an attempt; it is given the moment at which it is to raise `OutOfTime`, if any.
    deadline : float or None
        When the time is up, by `time.monotonic`.
    vital : bool
        Whether the first place is finished whatever the time, and what is wrong there with the
        data or the options is raised.
    """

    board: Board
    score: Callable[[Attempt, float | None], float]
    deadline: float | None
    vital: bool = False

    def run(self, bar: tqdm) -> None:
        """Fill places until none is open.

        Parameters
        ----------
        bar : tqdm
            Shows how many are filled.
        """
        board = self.board
        while True:
            counted = board.counted()
            finished = sum(each.state != TrialState.RUNNING for each in counted.values())
            bar.update(finished - bar.n)
            passed = self.deadline is not None and time.monotonic() > self.deadline
            if passed and finished >= self.vital:
                return
            attempt = None if passed and counted else board.begin()
            if attempt is not None:
                self._fill(attempt)
            elif board.most is not None and finished >= board.most:
                return
            else:
                time.sleep(WAIT)  # others are at it, and may be killed

    def _fill(self, attempt: Attempt) -> None:
        """Run one attempt, and write down what came of it."""
        board, vital = self.board, self.vital and attempt.place == 0
        try:
            with board.beating(attempt), warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)  # the last training says it
                board.finish(attempt, self.score(attempt, None if vital else self.deadline))
        except TrialPruned:
            board.stop(attempt)
        except OutOfTime:
            board.leave(attempt, "the time was up")
        except Exception as error:
            if vital and isinstance(error, DataError | OptionError):
                board.leave(attempt, "the data or the options are wrong")
                raise
            board.fail(attempt, error)
        except BaseException:
            board.leave(attempt, "interrupted")
            raise
