"""A closed header: every field known and of one type, labels told apart as JSON alone cannot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from recurra.errors import OptionError

__all__ = ["HeaderError", "fields_of", "labels_of", "plain_label", "read_as", "texts_of"]

T = TypeVar("T")


class HeaderError(ValueError):
    """A header holds something else than it may."""


def plain_label(label: object) -> Any:
    """Write an identifier or a label as JSON can hold it.

    Parameters
    ----------
    label : str, int, float, bool, None, or tuple of these
        The label; NumPy's become Python's.

    Returns
    -------
    object
        For `labels_of`.

    Examples
    --------
    >>> plain_label(("a", np.int64(3)))
    {'tuple': ['a', 3]}
    """
    if isinstance(label, np.generic):
        label = label.item()
    if isinstance(label, tuple):
        return {"tuple": [plain_label(each) for each in label]}
    nan = isinstance(label, float) and not math.isfinite(label)
    if nan or not (label is None or isinstance(label, str | int | float | bool)):
        kind = type(label).__name__
        message = f"{label!r}, a {kind}, cannot be stored as an identifier or a label"
        raise OptionError(f"{message}. Use text, finite numbers, flags, None, or tuples of these.")
    return label


def labels_of(part: Any, what: str) -> tuple[object, ...]:
    """Read a list of labels.

    Parameters
    ----------
    part : list
        What `plain_label` made.
    what : str
        What it is, for the message.

    Returns
    -------
    tuple
        The labels.

    Examples
    --------
    >>> labels_of([None, "a", {"tuple": ["a", 3]}], "ids")
    (None, 'a', ('a', 3))
    """
    return tuple(_label_of(each, what) for each in read_as(list, part, what))


def texts_of(part: Any, what: str) -> tuple[str, ...]:
    """Read a list of texts.

    Parameters
    ----------
    part : list of str
        The list.
    what : str
        What it is, for the message.

    Returns
    -------
    tuple of str
        The texts.

    Examples
    --------
    >>> texts_of(["a"], "channels")
    ('a',)
    """
    return tuple(read_as(str, each, what) for each in read_as(list, part, what))


def read_as(kind: type[T], part: Any, what: str) -> T:
    """Check that a part is of a type.

    Parameters
    ----------
    kind : type
        The type.
    part : object
        What came.
    what : str
        What it is, for the message.

    Returns
    -------
    object
        The part.

    Examples
    --------
    >>> read_as(list, {}, "ids")
    Traceback (most recent call last):
    recurra.data.batching.closed.HeaderError: ids is a dict, but a list was expected
    """
    if type(part) is not kind:
        came = type(part).__name__
        raise HeaderError(f"{what} is a {came}, but a {kind.__name__} was expected")
    return part


def fields_of(part: Any, names: Sequence[str], what: str) -> dict[str, Any]:
    """Check that a part has some fields, and no others.

    Parameters
    ----------
    part : dict
        What came.
    names : sequence of str
        The fields.
    what : str
        What it is, for the message.

    Returns
    -------
    dict
        The part.

    Examples
    --------
    >>> fields_of({"a": 1, "c": 2}, ("a", "b"), "header")
    Traceback (most recent call last):
    recurra.data.batching.closed.HeaderError: header does not have the fields a, b, but a, c
    """
    found = read_as(dict, part, what)
    if set(found) != set(names):
        said = ", ".join(map(str, found)) or "none"
        raise HeaderError(f"{what} does not have the fields {', '.join(names)}, but {said}")
    return found


def _label_of(part: Any, what: str) -> object:
    if isinstance(part, dict):
        return labels_of(fields_of(part, ("tuple",), what)["tuple"], what)
    if isinstance(part, list):
        raise HeaderError(f"{what} holds a list, but labels were expected")
    return part
