"""What a trial is judged on: records held out, folds, or origins in the past."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from recurra.errors import OptionError, check_count

__all__ = ["Folds", "HeldOut", "Origins", "Resampling", "spread"]


@dataclass(frozen=True)
class HeldOut:
    """Some records, or the ends of all, are held out once.

    Parameters
    ----------
    share : float
        How much is held out: of the records or groups, or of each record's steps.
    by : {"record", "time"}
        Whole records by chance, groups together; or the last steps of each record.

    Raises
    ------
    OptionError
        If a value is impossible.

    Examples
    --------
    >>> HeldOut(0.25)
    HeldOut(share=0.25, by='record')
    """

    share: float = 0.2
    by: Literal["record", "time"] = "record"

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if not isinstance(self.share, int | float) or not 0 < self.share < 1:
            raise OptionError(f"share={self.share!r}, but it lies between 0 and 1.")
        if self.by not in ("record", "time"):
            raise OptionError(f"by={self.by!r}, but it is 'record' or 'time'.")

    def __str__(self) -> str:
        what = "the records" if self.by == "record" else "each record's steps"
        return f"{100 * self.share:g} % of {what} held out"


@dataclass(frozen=True)
class Folds:
    """Records are parted so that each is held out once; groups are never parted.

    Parameters
    ----------
    n : int
        How many parts.

    Raises
    ------
    OptionError
        If there are fewer than two.

    Examples
    --------
    >>> print(Folds(3))
    3 folds
    """

    n: int = 5

    def __post_init__(self) -> None:
        """Refuse fewer than two parts."""
        check_count("n", self.n, least=2)

    def __str__(self) -> str:
        return f"{self.n} folds"


@dataclass(frozen=True)
class Origins:
    """Series are forecast from moments in their past; learned from is what was before the first.

    Parameters
    ----------
    h : int, optional
        Steps to forecast; by default the forecaster's own horizon, less where series are short.
    n_windows : int
        From how many moments.
    step_size : int, optional
        Steps between two of them; `h` by default.

    Raises
    ------
    OptionError
        If a value is impossible.

    Examples
    --------
    >>> print(Origins(12, 3))
    12 steps from 3 origins
    """

    h: int | None = None
    n_windows: int = 2
    step_size: int | None = None

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        for name in ("h", "n_windows", "step_size"):
            check_count(name, getattr(self, name), optional=name != "n_windows")

    def __str__(self) -> str:
        steps = "" if self.h is None else f"{self.h} steps from "
        return f"{steps}{self.n_windows} origin{'s' if self.n_windows > 1 else ''}"


Resampling = HeldOut | Folds | Origins


def spread(number: int) -> float:
    """Give one of any number of places between 0 and 1 that lie well apart.

    Parameters
    ----------
    number : int
        Which one, from 0.

    Returns
    -------
    float
        A multiple of the golden ratio, without what is whole of it.

    Examples
    --------
    >>> [round(spread(number), 2) for number in range(4)]
    [0.62, 0.24, 0.85, 0.47]
    """
    return (number + 1) * (math.sqrt(5) - 1) / 2 % 1
