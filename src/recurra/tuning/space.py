"""What may be tried: for each parameter a few values, whole numbers, or real numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from recurra.errors import OptionError, near
from recurra.training import Training

__all__ = ["Choice", "Real", "Space", "Whole", "check_space", "decoded", "distributions", "encoded"]

NESTED = "training."


@dataclass(frozen=True)
class Choice:
    """One of a few values.

    Parameters
    ----------
    values : tuple
        What may be chosen; at least two, all different.

    Raises
    ------
    OptionError
        If there are fewer.

    Examples
    --------
    >>> Choice(("gru", "lstm"))
    Choice(values=('gru', 'lstm'))
    """

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        """Hold the values as a tuple; refuse too few."""
        given: Any = self.values
        if isinstance(given, str) or not hasattr(given, "__iter__"):
            raise OptionError(f"Choice({given!r}): give several values, as Choice((1, 2)).")
        object.__setattr__(self, "values", tuple(given))
        if len({repr(each) for each in self.values}) != len(self.values) or len(self.values) < 2:
            raise OptionError(f"{self}, but there is nothing to choose. Give two values or more.")


@dataclass(frozen=True)
class Whole:
    """A whole number.

    Parameters
    ----------
    low, high : int
        The least and the largest, both included.
    log : bool
        Whether to draw its logarithm evenly, so that 16 to 32 is as likely as 128 to 256.

    Raises
    ------
    OptionError
        If there is no such number.

    Examples
    --------
    >>> Whole(16, 256, log=True)
    Whole(low=16, high=256, log=True)
    """

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        """Refuse an empty range."""
        for bound in (self.low, self.high):
            if isinstance(bound, bool) or not isinstance(bound, int):
                raise OptionError(f"{self}, but {bound!r} is no int. Use Real for fractions.")
        _check_range(self)


@dataclass(frozen=True)
class Real:
    """A real number.

    Parameters
    ----------
    low, high : float
        The least and the largest.
    log : bool
        Whether to draw its logarithm evenly, so that 0.001 to 0.01 is as likely as 0.01 to 0.1.

    Raises
    ------
    OptionError
        If there is no such number.

    Examples
    --------
    >>> Real(1e-4, 1e-2, log=True)
    Real(low=0.0001, high=0.01, log=True)
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        """Refuse an empty range."""
        for bound in (self.low, self.high):
            number = isinstance(bound, int | float) and not isinstance(bound, bool)
            if not number or not math.isfinite(bound):
                raise OptionError(f"{self}, but {bound!r} is no finite number.")
        _check_range(self)


def _check_range(given: Whole | Real) -> None:
    if given.low >= given.high:
        raise OptionError(f"{given}, but low must be below high. Leave out what is fixed.")
    if given.log and given.low <= 0:
        raise OptionError(f"{given}, but a logarithm needs low above 0. Use log=False.")


Space = Mapping[str, Choice | Whole | Real]
"""What may be tried, by the name of the parameter; ``"training.learning_rate"`` is nested."""


def check_space(space: Any, estimator: Any) -> dict[str, Choice | Whole | Real]:
    """Refuse a space that the estimator has not all parameters of.

    Parameters
    ----------
    space : dict of str to Choice, Whole or Real
        As the user gave it.
    estimator : estimator
        Has ``get_params``.

    Returns
    -------
    dict of str to Choice, Whole or Real
        The same, by name in order: a study does not depend on the order it was written in.

    Raises
    ------
    OptionError
        If it is empty, a name is not known, or a value is no range.
    """
    name = type(estimator).__name__
    if not isinstance(space, Mapping):
        raise OptionError(f"space={space!r}, but it is a dict of names to Choice, Whole or Real.")
    if not space:
        raise OptionError("The space is empty. Name a parameter, or leave space out.")
    own = [each for each in estimator.get_params(deep=False) if each not in ("training", "seed")]
    known = [*own, *(f"{NESTED}{each.name}" for each in fields(Training))]
    for key, what in space.items():
        if key not in known:
            raise OptionError(f"{name} has no parameter {key!r}. {near(str(key), known)}")
        if not isinstance(what, Choice | Whole | Real):
            kinds = "Choice((a, b)), Whole(1, 9) or Real(0.0, 1.0)"
            raise OptionError(f"The space of {key!r} is {what!r}, but it is {kinds}.")
    return {key: space[key] for key in sorted(space)}


def distributions(space: Space) -> dict[str, Any]:
    """Write a space as Optuna does; values it cannot store are named by how they are written.

    Parameters
    ----------
    space : dict of str to Choice, Whole or Real
        What may be tried.

    Returns
    -------
    dict of str to optuna.distributions.BaseDistribution
        By name.
    """
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    found: dict[str, Any] = {}
    for name, what in space.items():
        match what:
            case Choice(values):
                found[name] = CategoricalDistribution([_label(each) for each in values])
            case Whole(low, high, log):
                found[name] = IntDistribution(low, high, log=log)
            case Real(low, high, log):
                found[name] = FloatDistribution(low, high, log=log)
    return found


def decoded(space: Space, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values that Optuna's stand for.

    Parameters
    ----------
    space : dict of str to Choice, Whole or Real
        What may be tried.
    stored : dict of str
        As Optuna holds them.

    Returns
    -------
    dict of str
        As the estimator takes them.
    """
    found = {}
    for name, value in stored.items():
        what = space[name]
        if isinstance(what, Choice):
            value = what.values[[_label(each) for each in what.values].index(value)]
        found[name] = value
    return found


def encoded(space: Space, values: Mapping[str, Any]) -> dict[str, Any]:
    """Write as Optuna does those of some values that lie in a space.

    Parameters
    ----------
    space : dict of str to Choice, Whole or Real
        What may be tried.
    values : dict of str
        As the estimator holds them.

    Returns
    -------
    dict of str
        Without what the space does not hold, such as None for a parameter chosen by the data.
    """
    found = {}
    for name, what in space.items():
        if name not in values:
            continue
        value = values[name]
        if isinstance(what, Choice):
            if repr(value) in map(repr, what.values):
                found[name] = _label(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            whole = isinstance(what, Real) or isinstance(value, int)
            if whole and what.low <= value <= what.high:
                found[name] = value
    return found


def _label(value: Any) -> Any:
    """Name a value: a text or number by itself, all else by how it is written."""
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
