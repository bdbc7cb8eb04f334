"""From the header and the arrays of a file to an estimator: checked first, made afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter, signature
from typing import Any, Literal

from recurra.artifact import arguments, check_schema, closed
from recurra.errors import FileError

__all__ = ["SCHEMA", "Label", "agree", "check_header", "options_of"]

SCHEMA = 1
"""The form of an estimator's header; a later one reads all that came before."""

Label = str | int | float | bool | None
"""What a label, a token or an identifier may be in a file."""


def check_header(header: Any, kinds: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse a header of another form.

    Parameters
    ----------
    header : object
        What the file holds.
    kinds : dict of str to type
        Its keys and what they hold, besides ``estimator`` and ``schema``.

    Returns
    -------
    dict of str
        What they hold, made.
    """
    check_schema(header.get("schema") if isinstance(header, dict) else None, SCHEMA)
    return closed({"estimator": str, "schema": int, **kinds}, header, "header")


def options_of(kind: type, told: Any) -> dict[str, Any]:
    """Read the options of an estimator; those that its version had not are as usual.

    Parameters
    ----------
    kind : type
        Its class.
    told : object
        What the file says of them.

    Returns
    -------
    dict of str
        For its constructor, with lists as tuples.
    """
    kinds = dict(arguments(kind))
    if "treatments" in kinds:  # they are kept beside
        kinds["treatments"] = Literal["auto"] | None
    given = signature(kind).parameters
    needed = [name for name in kinds if given[name].default is Parameter.empty]
    read = closed(kinds, told, "header.parameters", needed)
    return {k: tuple(v) if isinstance(v, list) else v for k, v in read.items()}


def agree(found: int, wanted: int, what: str) -> None:
    """Refuse two parts of a file that say different sizes.

    Parameters
    ----------
    found, wanted : int
        What is there, and what must be.
    what : str
        Of what, for the message.
    """
    if found != wanted:
        raise FileError(f"The file has {found} {what}, but its network has {wanted}.")
