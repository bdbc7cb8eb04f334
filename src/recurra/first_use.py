"""The public names of a room, each imported when it is first used: so a room costs what is used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["names_of"]


def names_of(
    room: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the ``__getattr__`` and ``__dir__`` of a room (PEP 562).

    Parameters
    ----------
    room : str
        Its ``__name__``.
    homes : dict of str to str
        The module in which each public name is defined, below the room; ``""`` where the name is
        itself a module there.

    Returns
    -------
    getter : callable
        Imports a name.
    lister : callable
        Lists what there is.

    Examples
    --------
    >>> getter, _ = names_of("recurra", {"DataError": "errors", "types": ""})
    >>> getter("DataError"), getter("types").__name__
    (<class 'recurra.errors.DataError'>, 'recurra.types')
    """

    def getter(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        if not homes[name]:
            return import_module(f"{room}.{name}")
        found = getattr(import_module(f"{room}.{homes[name]}"), name)
        setattr(sys.modules[room], name, found)
        return found

    def lister() -> list[str]:
        return sorted({*vars(sys.modules[room]), *homes})

    return getter, lister
