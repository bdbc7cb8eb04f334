"""Groups of options: a verb takes small frozen values, the shell sees their fields as options."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["flatten"]


def flatten(verb: Callable[..., None]) -> Callable[..., None]:
    """Spread the dataclasses among a verb's parameters into parameters of their own.

    Parameters
    ----------
    verb : callable
        Some of its parameters are dataclasses whose fields are annotated for typer.

    Returns
    -------
    callable
        The same verb with a flat signature.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Place:
    ...     town: str = "Ulm"
    >>> def greet(place: Place) -> None:
    ...     print(f"Hello {place.town}")
    >>> flatten(greet)(town="Linz")
    Hello Linz
    """
    hints = get_type_hints(verb, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if is_dataclass(kind)}

    @wraps(verb)
    def flat(**given: Any) -> None:
        values = dict(given)
        for name, kind in groups.items():
            own = {each.name: values.pop(each.name) for each in fields(kind) if each.name in values}
            values[name] = kind(**own)  # type: ignore[operator]
        verb(**values)

    parameters: list[Parameter] = []
    for name, parameter in signature(verb).parameters.items():
        inner = groups.get(name)
        parameters += _flat(parameter, hints[name]) if inner is None else _of(inner)
    flat.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    flat.__annotations__ = {each.name: each.annotation for each in parameters}
    return flat


def _of(group: Any) -> list[Parameter]:
    """List the fields of a group as parameters."""
    hints = get_type_hints(group, include_extras=True)
    return [
        parameter
        for name, field in signature(group).parameters.items()
        for parameter in _flat(field, hints[name])
    ]


def _flat(parameter: Parameter, hint: Any) -> list[Parameter]:
    return [parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=hint)]
