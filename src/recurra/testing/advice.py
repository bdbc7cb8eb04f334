"""Whether an error is advice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from recurra.errors import RecurraError

__all__ = ["advice"]

SHORTEST = 20  # letters of a message that says something


@contextmanager
def advice(what: str, kind: type[RecurraError] = RecurraError) -> Iterator[None]:
    """Expect what happens inside to be refused, with a message that says something.

    Parameters
    ----------
    what : str
        What is wrong, for the message of this check.
    kind : type, optional
        What is raised.

    Yields
    ------
    None
        While it is tried.

    Raises
    ------
    AssertionError
        If it is accepted, if it fails in another way, or without a sentence.

    Examples
    --------
    >>> with advice("a broken file"):
    ...     raise RecurraError("sales.csv is damaged: use another copy.")
    """
    try:
        yield
    except kind as error:
        said = str(error)
        assert len(said) >= SHORTEST, f"{what} is refused, but not explained: {said!r}"
        assert " object at 0x" not in said, f"{what} is refused with an address: {said!r}"
    except Exception as error:
        message = f"{what} fails with {type(error).__name__}: {error}, which is no advice"
        raise AssertionError(message) from error
    else:
        raise AssertionError(f"{what} is accepted, but cannot be right")
