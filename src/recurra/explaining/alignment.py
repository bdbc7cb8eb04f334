"""What each symbol of an answer attended to: a matrix of the answer and the source."""

from __future__ import annotations

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
