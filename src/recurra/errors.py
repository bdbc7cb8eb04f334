"""Every exception Recurra raises on purpose.

::

    RecurraError
    ├── OptionError        (ValueError)      an argument of a call or constructor is wrong
    ├── ShapeError         (ValueError)      a tensor has the wrong shape, dtype or lengths
    ├── DataError          (ValueError)      a value in the data is wrong; says where
    ├── FileError          (ValueError)      a file is missing, damaged or not what it claims
    ├── NotFittedError     (ValueError, AttributeError)   call ``fit`` first
    ├── TrainingError      (RuntimeError)    training cannot go on
    ├── SurrogateError     (ValueError)      a simple model does not follow the network
    └── MissingExtraError  (ImportError)     an optional dependency is not installed

A message says what came, where, what was expected and what to do.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from numbers import Integral
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "DataError",
    "DataWarning",
    "FileError",
    "MissingExtraError",
    "NotFittedError",
    "OptionError",
    "RecurraError",
    "ShapeError",
    "SurrogateError",
    "TrainingError",
    "TrainingWarning",
    "check_count",
    "near",
    "need",
]

Count = TypeVar("Count")


class RecurraError(Exception):
    """Root of the tree: catch it to catch everything Recurra raises on purpose."""


class OptionError(RecurraError, ValueError):
    """An argument of a call or a constructor is wrong."""


class ShapeError(RecurraError, ValueError):
    """A tensor has the wrong shape, dtype or lengths."""


class DataError(RecurraError, ValueError):
    """A value in the user's data is wrong.

    Parameters
    ----------
    message : str
        What came and what was expected, in one sentence.
    code : str
        A short stable name of the fault, for programs: ``"duplicate_time"``.
    record : object, optional
        The identifier of the series the value belongs to.
    row : int, optional
        The row in the table as it came, counted from 0 (a file's header is not counted).
    column : str, optional
        The column.
    value : object, optional
        The value itself.
    hint : str, optional
        What to do about it.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        record: object = None,
        row: int | None = None,
        column: str | None = None,
        value: object = None,
        hint: str | None = None,
    ) -> None:
        self.code, self.record, self.row = code, record, row
        self.column, self.value, self.hint = column, value, hint
        places = {"series": record, "row": row, "column": column, "value": value}
        where = ", ".join(
            f"{name} {place!r}" for name, place in places.items() if place is not None
        )
        text = f"{message.rstrip('.')} ({where})." if where else f"{message.rstrip('.')}."
        super().__init__(f"{text} {hint}" if hint else text)


class DataWarning(UserWarning):
    """The data needed a treatment, and got it; said once, with a count."""


class FileError(RecurraError, ValueError):
    """A file is missing, unreadable, damaged, or not what it claims to be."""


class NotFittedError(RecurraError, ValueError, AttributeError):
    """The estimator has not been fitted: call ``fit`` first."""


class TrainingError(RecurraError, RuntimeError):
    """Training cannot go on, for instance because the loss stays infinite."""


class SurrogateError(RecurraError, ValueError):
    """A simple model does not follow the network that it is to explain.

    Parameters
    ----------
    message : str
        How far it follows, why not farther, and what to do.
    fidelity : float
        How far: R², or the share of answers that are the same.
    """

    def __init__(self, message: str, fidelity: float) -> None:
        self.fidelity = fidelity
        super().__init__(message)


class TrainingWarning(UserWarning):
    """A training goes on, but something is wrong with it; said once of each kind."""


class MissingExtraError(RecurraError, ImportError):
    """An optional dependency is not installed; the message says how to install it."""


def need(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional dependency, or say how to install it.

    Parameters
    ----------
    module : str
        The module to import.
    extra : str
        The extra of this package that brings it.
    purpose : str
        What it is needed for, as the user would say it.

    Returns
    -------
    ModuleType
        The imported module.

    Raises
    ------
    MissingExtraError
        If it is not installed.

    Examples
    --------
    >>> need("json", extra="none", purpose="an example").dumps(1)
    '1'
    """
    try:
        return import_module(module)
    except ImportError as error:
        message = f"{purpose} needs {module}. Install it with: pip install 'recurra[{extra}]'"
        raise MissingExtraError(message) from error


def check_count(name: str, value: Count, least: int = 1, *, optional: bool = False) -> Count:
    """Refuse an option that is no whole number, or too small.

    Parameters
    ----------
    name : str
        The option.
    value : int
        What was given; NumPy's integers will do.
    least : int, default 1
        The smallest there is.
    optional : bool, default False
        Whether None is allowed as well.

    Returns
    -------
    int or None
        The same, as Python's own.

    Raises
    ------
    OptionError
        If it is none, or less.

    Examples
    --------
    >>> check_count("steps", 100)
    100
    >>> check_count("steps", 2.5)
    Traceback (most recent call last):
    ...
    recurra.errors.OptionError: steps=2.5, but it must be an int of at least 1.
    """
    if optional and value is None:
        return value
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        also = " or None" if optional else ""
        raise OptionError(f"{name}={value!r}, but it must be an int of at least {least}{also}.")
    return int(value)  # type: ignore[return-value]


def near(name: str, known: Iterable[object]) -> str:
    """Say which known names are close to a wrong one.

    Parameters
    ----------
    name : str
        The name that was not found.
    known : iterable
        The names that exist.

    Returns
    -------
    str
        One sentence for the end of an error message.

    Examples
    --------
    >>> near("uniqe_id", ["unique_id", "ds", "y"])
    "Did you mean 'unique_id'? There are: 'unique_id', 'ds', 'y'."
    """
    names = [str(one) for one in known]
    close = get_close_matches(name, names, n=1)
    guess = f"Did you mean {close[0]!r}? " if close else ""
    shown = ", ".join(repr(one) for one in names[:20]) + (", …" if len(names) > 20 else "")
    return f"{guess}There are: {shown}." if names else "There are none."
