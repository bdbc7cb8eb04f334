"""The time that a search may take, and a training that keeps to what is left of it."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from recurra.errors import DataWarning

if TYPE_CHECKING:
    from recurra.data import Panel
    from recurra.estimators import Forecaster
    from recurra.training import Moment

__all__ = ["Budget", "train_within"]

PROBE = 10  # steps after which it is known how long all of them take
SPARE = 0.9  # of the time, so that the last steps are reached


@dataclass
class Budget:
    """Seconds that are running out.

    Parameters
    ----------
    seconds : float
        How many there are.

    Examples
    --------
    >>> 59 < Budget(60.0).left <= 60
    True
    """

    seconds: float
    begun: float = field(default_factory=time.monotonic)

    @property
    def spent(self) -> float:
        """Seconds gone."""
        return time.monotonic() - self.begun

    @property
    def left(self) -> float:
        """Seconds left; never below 0."""
        return max(0.0, self.seconds - self.spent)


def train_within(model: Forecaster, panel: Panel, seconds: float) -> bool:
    """Train a forecaster, in fewer steps where all of them would take too long.

    A schedule that is cut off leaves worse weights than a short one that is gone through. So after
    some steps the time of all is foretold, and where it is too long, training begins again with as
    many as there is time for.

    Parameters
    ----------
    model : Forecaster
        Not fitted; it is trained, and keeps the training that it had.
    panel : Panel
        The series.
    seconds : float
        How long it may take; checked after each step.

    Returns
    -------
    bool
        Whether the time was long enough for all steps.
    """
    model._backend = "pandas"  # of the frames that it would hand back
    usual, stop = model.training, time.monotonic() + seconds
    watch = _Watch(stop, usual.steps)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # said once, when the series were read
        model._fit(panel, [watch])
        if watch.fitting is None:
            return not watch.cut
        steps = min(usual.steps, watch.fitting)
        warmup = min(usual.warmup, steps // 10)
        model.training = replace(usual, steps=steps, warmup=warmup)
        try:
            model._fit(panel, [_Watch(stop, None)])
        finally:
            model.training = usual
    return False


class _Watch:
    """Looks at the clock after each step."""

    def __init__(self, stop: float, steps: int | None) -> None:
        self.stop, self.steps = stop, steps
        self.first: float | None = None
        self.fitting: int | None = None  # steps that there is time for, where not for all
        self.cut = False

    def __call__(self, moment: Moment) -> bool:
        now = time.monotonic()
        if self.first is None:  # the first step is slower than all others
            self.first = now
        elif moment.step == PROBE and self.steps is not None:
            step = max((now - self.first) / (PROBE - 1), 1e-6)
            possible = int(SPARE * (self.stop - now) / step)
            if possible < self.steps - PROBE:
                self.fitting = max(possible, 1)
                return True
        self.cut = now >= self.stop and moment.step < moment.steps
        return self.cut
