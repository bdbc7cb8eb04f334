"""A nursery of processes that search together: ``python searching.py STORAGE TRIALS SECONDS``.

Each line on standard input begins one more process, and its number is printed. It learns nothing:
a trial scores how near its hidden size is to 20, and takes so many seconds.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

import recurra as rc
from recurra.tuning import Whole
from recurra.tuning import board as _warm  # noqa: F401 - so that children need not import it
from recurra.tuning import search as room

RECORDS = [[0.0, 1.0]] * 12
SPACE = {"hidden_size": Whole(1, 64)}


class Pretending:
    """Judges after a while."""

    measure, greater, told, digest, trainings, share = "distance", False, "nothing", "0", 1, 0.2

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def score(self, model: Any, onlooker: Any) -> float:
        time.sleep(self.seconds)
        return abs(model.hidden_size - 20.0)

    def fresh(self, part: int, seed: int) -> Pretending:
        return self


def search(storage: str, trials: int, seconds: float) -> None:
    """Search as others do at the same time, and write down which trial was the best."""
    room.judge_for = lambda *given: Pretending(seconds)
    found = rc.tune(
        rc.Regressor(), RECORDS, trials=trials, space=SPACE, storage=storage, refit=False
    )
    with open(f"{storage}.best", "a") as file:
        file.write(f"{found.best} {found.score} {found.confirmations!r}\n")


def main(storage: str, trials: str, seconds: str) -> None:
    """Begin a process for each line."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are buried at once
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            search(storage, int(trials), float(seconds))
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
