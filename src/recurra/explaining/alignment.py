"""What each symbol of an answer attended to: a matrix of the answer and the source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recurra.types import Floats

__all__ = ["Alignment"]


@dataclass(frozen=True, eq=False)
class Alignment:
    """What each symbol of an answer attended to.

    Attributes
    ----------
    symbols : tuple of str
        The answer.
    weights : ndarray of float64, shape (symbols, steps)
        How much of its attention went to each step of the source; each row adds up to 1.
    """

    symbols: tuple[str, ...]
    weights: Floats

    def most(self, steps: Sequence[str]) -> list[tuple[str, str, float]]:
        """Say which step each symbol attended to most.

        Parameters
        ----------
        steps : sequence of str
            What the steps of the source are called.

        Returns
        -------
        list of (str, str, float)
            For each symbol: itself, the step, and the step's share of the attention.

        Examples
        --------
        >>> import numpy as np
        >>> Alignment(("b", "a"), np.array([[0.2, 0.8], [0.9, 0.1]])).most(["A", "B"])
        [('b', 'B', 0.8), ('a', 'A', 0.9)]
        """
        places = self.weights.argmax(1).tolist()
        return [
            (symbol, steps[place], float(row[place]))
            for symbol, row, place in zip(self.symbols, self.weights, places, strict=True)
        ]
