"""Check what a header says against types, before anything is made of it."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from inspect import Parameter, signature
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from recurra.errors import FileError, OptionError

__all__ = ["arguments", "check_schema", "closed", "take"]

SHOWN = 60  # letters of a wrong value in a message


def take(kind: Any, value: Any, place: str = "header") -> Any:
    """Make what a type says of what JSON says, or refuse it.

    Nothing is guessed and nothing imported: a name in a file is only ever compared with names that
    the type holds.

    Parameters
    ----------
    kind : type
        ``bool``, ``int``, ``float``, ``str``, ``None``, ``Any``; a ``Literal``, a union, a list, a
        tuple, a mapping of these; a dataclass, a named tuple or a typed dict with such fields. A
        ``Sequence`` becomes a tuple.
    value : object
        As `recurra.artifact.read_model` gives it.
    place : str
        Where it stands, for messages.

    Returns
    -------
    object
        Of that type.

    Raises
    ------
    FileError
        If it is of another type, lacks a field, or has one too many.

    Examples
    --------
    >>> take(tuple[int, ...], [1, 2])
    (1, 2)
    >>> take(int | None, "os.system", "header.size")
    Traceback (most recent call last):
    recurra.errors.FileError: header.size is 'os.system', but it must be an int or None.
    """
    origin = get_origin(kind) or kind
    if kind is Any or kind is object:
        return value
    if origin in (Union, types.UnionType):
        return _one_of(kind, value, place)
    if origin is Literal:
        _check(any(value is k or (value == k and type(value) is type(k)) for k in get_args(kind)),
               kind, value, place)  # fmt: skip
        return value
    if kind is bool and type(value) is int and value in (0, 1):
        return bool(value)  # bias=1 is no mistake in Python
    if kind in _PLAIN:
        _check(_PLAIN[kind][1](value), kind, value, place)
        return value
    if is_typeddict(kind):
        return closed(_hints(kind), value, place, kind.__required_keys__)
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        return _made(kind, value, place)
    if origin in (list, tuple, Sequence, Collection, Iterable):
        return _listed(kind, origin, value, place)
    if origin in (dict, Mapping):
        return _mapped(kind, value, place)
    raise TypeError(f"{place} is described as {kind!r}, which no header can hold")


def closed(
    kinds: Mapping[str, Any], value: Any, place: str, needed: Iterable[str] | None = None
) -> dict[str, Any]:
    """Read an object whose keys are all known.

    Parameters
    ----------
    kinds : dict of str to type
        The keys, and what is to be there.
    value : object
        What came.
    place : str
        Where it stands, for messages.
    needed : iterable of str, optional
        The keys that must be there; all of them by default.

    Returns
    -------
    dict of str
        What is there, by key.

    Raises
    ------
    FileError
        If a key is missing, is not known, or has a value of another type.

    Examples
    --------
    >>> closed({"a": int, "b": str}, {"a": 1}, "header")
    Traceback (most recent call last):
    recurra.errors.FileError: header lacks 'b'.
    """
    if not isinstance(value, dict):
        raise FileError(f"{place} is {_shown(value)}, but it must be an object.")
    for name in kinds if needed is None else needed:
        if name not in value:
            raise FileError(f"{place} lacks {name!r}.")
    for name in value:
        if name not in kinds:
            raise FileError(
                f"{place} has {_shown(name)}, which this version does not know. "
                "Install the version that wrote the file."
            )
    return {name: take(kinds[name], each, f"{place}.{name}") for name, each in value.items()}


def check_schema(found: Any, newest: int) -> None:
    """Refuse a header of a form that came after this version, or of none.

    Parameters
    ----------
    found : object
        The number that the header gives.
    newest : int
        The newest form that is known here; all from 1 on are.

    Raises
    ------
    FileError
        If it is newer, or no number of a form.

    Examples
    --------
    >>> check_schema(0, 1)
    Traceback (most recent call last):
    recurra.errors.FileError: header.schema is 0, but it must be an int from 1 on.
    """
    if type(found) is not int or found < 1:
        raise FileError(f"header.schema is {_shown(found)}, but it must be an int from 1 on.")
    if found > newest:
        raise FileError(
            f"The header has schema {_shown(found)}, which is newer: this version reads up to "
            f"{newest}. Install a newer one, with: pip install --upgrade recurra"
        )


@cache
def arguments(call: Callable[..., Any]) -> dict[str, Any]:
    """List what a constructor takes, and of what types.

    Parameters
    ----------
    call : callable
        A class, or a function, with annotations.

    Returns
    -------
    dict of str to type
        By name; `object` where nothing is said.

    Examples
    --------
    >>> from recurra.errors import need
    >>> arguments(need)["extra"]
    <class 'str'>
    """
    made = getattr(call, "__init__") if isinstance(call, type) else call  # noqa: B009
    hints = get_type_hints(made)
    plain = [
        name
        for name, each in signature(call).parameters.items()
        if each.kind not in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
    ]
    return {name: hints.get(name, object) for name in plain}


def _one_of(kind: Any, value: Any, place: str) -> Any:
    """Read what may be one of several types."""
    if any(each in _PLAIN and _PLAIN[each][1](value) for each in get_args(kind)):
        return value
    deepest = None
    for each in get_args(kind):
        try:
            return take(each, value, place)
        except FileError as error:
            if not str(error).startswith(f"{place} is "):  # it was of that type, but for a part
                deepest = error
    if deepest is not None:
        raise deepest
    raise FileError(f"{place} is {_shown(value)}, but it must be {_said(kind)}.")


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """Read annotations, which evaluates them, once."""
    return get_type_hints(kind)


def _made(kind: Any, value: Any, place: str) -> Any:
    """Make a dataclass or a named tuple of its fields; those with a default may be missing."""
    kinds, needed = _fields(kind)
    read = closed(kinds, value, place, needed)
    try:
        return kind(**read)
    except OptionError as error:
        raise FileError(f"{place}: {error}") from error


@cache
def _fields(kind: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """List the fields that a constructor takes, and those that it needs."""
    hints = {k: v for k, v in _hints(kind).items() if get_origin(v) is not ClassVar}
    if not is_dataclass(kind):
        needed = [name for name in hints if name not in kind._field_defaults]
        return hints, tuple(needed)
    taken = [each for each in fields(kind) if each.init]
    bare = [e.name for e in taken if e.default is MISSING and e.default_factory is MISSING]
    return {each.name: hints[each.name] for each in taken}, tuple(bare)


def _listed(kind: Any, origin: Any, value: Any, place: str) -> Any:
    """Read a list, which may be a tuple of fixed length."""
    inner = get_args(kind) or (Any, ...)
    if not isinstance(value, list | tuple):
        raise FileError(f"{place} is {_shown(value)}, but it must be a list.")
    if origin is tuple and inner[-1] is not Ellipsis:
        _check(len(value) == len(inner), kind, value, place)
        pairs = zip(inner, value, strict=True)
        return tuple(take(one, each, f"{place}[{k}]") for k, (one, each) in enumerate(pairs))
    plain = _PLAIN.get(inner[0]) if isinstance(inner[0], type) else None
    if plain and all(map(plain[1], value)):  # long vocabularies, quickly
        read = value
    else:
        read = [take(inner[0], each, f"{place}[{k}]") for k, each in enumerate(value)]
    return list(read) if origin is list else tuple(read)


def _mapped(kind: Any, value: Any, place: str) -> dict[Any, Any]:
    """Read an object of any keys; JSON's are texts, which may stand for whole numbers."""
    names, held = get_args(kind) or (Any, Any)
    if not isinstance(value, dict):
        raise FileError(f"{place} is {_shown(value)}, but it must be an object.")
    made = {}
    for name, each in value.items():
        if names is int and not (name.isascii() and name.isdigit() and len(name) < 10):
            raise FileError(f"{place} has the key {_shown(name)}, but it must be a whole number.")
        if get_origin(names) is Literal:
            take(names, name, f"a key of {place}")
        made[int(name) if names is int else name] = take(held, each, f"{place}.{name}")
    return made


def _check(right: bool, kind: Any, value: Any, place: str) -> None:
    if not right:
        raise FileError(f"{place} is {_shown(value)}, but it must be {_said(kind)}.")


def _is_number(value: Any) -> bool:
    return type(value) is float or (type(value) is int and -(2**1000) < value < 2**1000)


_PLAIN: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    bool: ("True or False", lambda value: type(value) is bool),
    int: ("an int", lambda value: type(value) is int and -(2**63) <= value < 2**63),
    float: ("a number", _is_number),
    str: ("a text", lambda value: type(value) is str),
    types.NoneType: ("None", lambda value: value is None),
}


def _said(kind: Any) -> str:
    """Say what a type is, for a message."""
    if kind in _PLAIN:
        return _PLAIN[kind][0]
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return ("one of " if len(inner) > 1 else "") + ", ".join(map(repr, inner))
    if origin in (Union, types.UnionType):
        return " or ".join(map(_said, inner))
    if origin is tuple and inner[-1] is not Ellipsis:
        return f"a list of {len(inner)}"
    if origin in (list, tuple, Sequence, Collection, Iterable):
        return "a list"
    return "an object"


def _shown(value: Any) -> str:
    """Show the beginning of a value."""
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    try:
        text = ascii(value)
    except ValueError:  # a number of more digits than Python writes
        return "a number of thousands of digits"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
