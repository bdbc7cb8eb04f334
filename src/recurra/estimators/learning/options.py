"""Options of any estimator, checked."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from recurra.errors import OptionError

__all__ = ["check_choice", "check_flag", "check_seed", "check_share"]


def check_seed(seed: int) -> int:
    """Return a seed; refuse what is no whole number from 0 on."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
        raise OptionError(f"seed={seed!r}, but it must be an int of at least 0.")
    return int(seed)


def check_choice(name: str, value: object, known: Collection[str]) -> None:
    """Refuse a name that is not known."""
    if not isinstance(value, str) or value not in known:
        choice = ", ".join(map(repr, known))
        raise OptionError(f"{name}={value!r}, but it must be one of {choice}.")


def check_share(name: str, value: object) -> None:
    """Refuse what is no number from 0 to below 1."""
    if not isinstance(value, int | float) or not 0 <= value < 1:
        raise OptionError(f"{name}={value!r}, but it must be at least 0 and less than 1.")


def check_flag(name: str, value: object) -> None:
    """Refuse what is neither true nor false."""
    if not isinstance(value, bool):
        raise OptionError(f"{name}={value!r}, but it is True or False.")
