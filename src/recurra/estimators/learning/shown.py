"""What a task hands over for a page: answers worth a look, and how sure its answers are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from recurra.types import Floats, Integers

__all__ = ["Shown", "Sure"]


class Shown(NamedTuple):
    """An answer that is worth a look.

    Attributes
    ----------
    place : int
        Of the record.
    why : str
        What it is: ``"The surest answer"``.
    told : str
        What was answered, and what was right.
    asked : dict of str
        Which answer, for `explain`.
    """

    place: int
    why: str
    told: str
    asked: dict[str, Any]


class Sure(NamedTuple):
    """How probable the labels of one target are said to be.

    Attributes
    ----------
    name : str
        The target.
    chances : ndarray, shape (answers, classes)
        What was said.
    codes : ndarray of int, shape (answers,)
        What was right; -1 where unknown.
    """

    name: str
    chances: Floats
    codes: Integers
