"""A learning rate that falls where the validation loss does not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recurra.training.options import Training

__all__ = ["Plateau"]


class Plateau:
    """Lowers the rate where the validation loss has not become better for long.

    Parameters
    ----------
    options : Training
        Says how long, and by how much; other schedules are left alone.

    Attributes
    ----------
    share : float
        What the rate of the schedule is multiplied by.

    Examples
    --------
    >>> from recurra.training import Training
    >>> options = Training(schedule="plateau", check_every=10, plateau_patience=2)
    >>> plateau = Plateau(options)
    >>> for step, loss in [(10, 3.0), (20, 4.0), (30, 4.0)]:
    ...     plateau.see(step, loss)
    >>> plateau.share
    0.5
    """

    def __init__(self, options: Training) -> None:
        self.share, self.lowest, self.since = 1.0, math.inf, 0
        self._waits = math.inf
        if options.schedule == "plateau":
            self._waits = options.plateau_patience * options.check_every
        self._factor = options.plateau_factor

    def see(self, step: int, loss: float) -> None:
        """Look at a validation loss.

        Parameters
        ----------
        step : int
            Steps done.
        loss : float
            The validation loss.
        """
        if loss < self.lowest:
            self.lowest, self.since = loss, step
        elif step - self.since >= self._waits:
            self.share, self.since = self.share * self._factor, step

    def record(self) -> dict[str, Any]:
        """Give all there is, for JSON."""
        lowest = None if self.lowest == math.inf else self.lowest
        return {"share": self.share, "lowest": lowest, "since": self.since}

    def restore(self, told: Mapping[str, Any]) -> None:
        """Take up what `record` gave.

        Parameters
        ----------
        told : dict
            What `record` gave.
        """
        self.lowest = math.inf if told["lowest"] is None else told["lowest"]
        self.share, self.since = told["share"], told["since"]
