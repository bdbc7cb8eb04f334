"""JSON read strictly: no key twice, no NaN, no infinity."""

from __future__ import annotations

import json
import math
from typing import Any

__all__ = ["parse"]


def parse(text: str | bytes) -> Any:
    """Read JSON as the standard has it.

    Parameters
    ----------
    text : str or bytes
        The text; bytes are UTF-8.

    Returns
    -------
    object
        What it says.

    Raises
    ------
    ValueError
        If it is no JSON, says a key of an object twice, or holds a number that is not finite.
    RecursionError
        If it is nested deeper than Python goes.

    Examples
    --------
    >>> parse('{"a": [1, null]}')
    {'a': [1, None]}
    >>> parse('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ValueError: the key 'a' is there twice
    """
    read = text.decode() if isinstance(text, bytes) else text
    return json.loads(read, object_pairs_hook=_once, parse_constant=_refused, parse_float=_finite)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of pairs, none of which may come twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:80]!r} is there twice")
    return made


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")


def _finite(text: str) -> float:
    """Read a number, unless it is too large for one."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is too large for a number")
    return value
