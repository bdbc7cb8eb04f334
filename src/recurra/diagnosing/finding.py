"""What the doctor says: one thing that was found, in a sentence, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recurra.auditing.finding import LEVELS, Level
from recurra.errors import OptionError

__all__ = ["Finding"]


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Parameters
    ----------
    code : str
        A short stable name, for programs: ``"vanishing"``.
    level : {"warning", "advice", "note"}
        How bad it is: an illness; better done otherwise; good to know, and no illness.
    sentence : str
        What was found, with numbers.
    advice : str
        What to do about it, in one sentence; empty where nothing is to be done.
    place : str, optional
        Which layer, weight or column; None for the whole.
    numbers : dict of str
        What was measured, as JSON can hold it.

    Examples
    --------
    >>> print(Finding("dead_units", "warning", "9 of 16 units are dead.", "Lower the rate."))
    9 of 16 units are dead. Lower the rate.
    """

    code: str
    level: Level
    sentence: str
    advice: str = ""
    place: str | None = None
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a level that is none."""
        if self.level not in LEVELS:
            raise OptionError(f"level={self.level!r}, but it is one of {LEVELS}.")

    def __str__(self) -> str:
        return f"{self.sentence} {self.advice}".strip()
