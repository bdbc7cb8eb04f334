"""Which columns of Parquet files are what, and what their types allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from recurra.data.batching.arrow_columns import arrow
from recurra.data.batching.row_groups import Source
from recurra.data.sequences.target import Level
from recurra.errors import DataError, FileError, OptionError, near

__all__ = [
    "Layout",
    "Roles",
    "channel_type",
    "check_same_types",
    "holds_labels",
    "read_classes",
    "read_roles",
]

Layout = Literal["long", "nested"]
LAYOUTS = {"long": ("record", "step"), "nested": ("record", "step", "labels")}


@dataclass(frozen=True)
class Roles:
    """What the columns are for, and what they hold.

    Parameters
    ----------
    id : str
        Whose each row is.
    channels : tuple of str
        The inputs.
    time : str or None
        When each step was.
    target : str or None
        What is to be learnt.
    level : {"record", "step", "labels"}
        What the target belongs to.
    classes : tuple
        The labels of the target; empty for numbers.
    clock : {"step", "number", "calendar"}
        What the times are.
    zone : str or None
        The time zone of a calendar.
    """

    id: str
    channels: tuple[str, ...]
    time: str | None = None
    target: str | None = None
    level: Level = "record"
    classes: tuple[object, ...] = ()
    clock: str = "step"
    zone: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are read."""
        return tuple(n for n in (self.id, self.time, self.target, *self.channels) if n is not None)


def read_roles(
    source: Source,
    layout: Layout,
    *,
    id: str,
    time: str | None,
    target: str | None,
    level: Level,
    channels: Sequence[str] | None,
) -> Roles:
    """Find the columns by name and type.

    Parameters
    ----------
    source : Source
        A file.
    layout : {"long", "nested"}
        How records are written.
    id, time, target : str or None
        The columns with a role.
    level : {"record", "step", "labels"}
        What the target belongs to.
    channels : sequence of str or None
        The inputs; None for all other columns.

    Returns
    -------
    Roles
        Without classes.

    Raises
    ------
    OptionError
        If layout and level do not go together.
    DataError
        If a column is not there, or has a type that its role does not allow.
    """
    if layout not in LAYOUTS:
        raise OptionError(f"layout={layout!r}, but it is 'long' or 'nested'.")
    if level not in LAYOUTS[layout]:
        raise OptionError(f"level={level!r}, but with layout={layout!r} it is {LAYOUTS[layout]}.")
    rest = _find_names(source, {"id": id, "time": time, "target": target}, channels)
    kinds = {name: source.schema.field(name).type for name in source.schema.names}
    nested = layout == "nested"
    _check(source, id, kinds[id], _is_text(kinds[id]) or _is_integer(_plain(kinds[id])), "id")
    for name in rest:
        _check(source, name, kinds[name], _is_number(_element(kinds[name], nested)), "channel")
    clock, zone = "step", None
    if time is not None:
        kind = _element(kinds[time], nested)
        _check(source, time, kinds[time], _is_stamp(kind) or _is_number(kind), "time")
        clock, zone = "calendar" if _is_stamp(kind) else "number", getattr(kind, "tz", None)
    if target is not None:
        kind = _element(kinds[target], nested and level != "record")
        _check(source, target, kinds[target], _is_number(kind) or _is_text(kind), "target")
    return Roles(id, rest, time, target, level, (), clock, zone)


def _find_names(
    source: Source, roles: dict[str, str | None], channels: Sequence[str] | None
) -> tuple[str, ...]:
    """Refuse names that are not there, or have two roles; give the channels."""
    for role, given in roles.items():
        if not (isinstance(given, str) or (given is None and role != "id")):
            raise OptionError(f"{role}={given!r}, but it is the name of a column.")
    names = source.schema.names
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        message = f"Two columns of {source.path} have the same name"
        raise DataError(message, code="duplicate_column", column=twice, hint="Rename one.")
    taken = [given for given in roles.values() if given is not None]
    rest = [name for name in names if name not in taken] if channels is None else list(channels)
    wanted = [*taken, *rest]
    missing = next((name for name in wanted if name not in names), None)
    if missing is not None and not isinstance(channels, str):
        message = f"{source.path} has no column {missing!r}"
        hint = near(str(missing), names)
        raise DataError(message, code="missing_column", column=missing, hint=hint)
    if isinstance(channels, str) or not rest or len(set(wanted)) < len(wanted):
        raise OptionError(f"channels={channels!r}: name one or more columns without another role.")
    return tuple(rest)


def check_same_types(first: Source, other: Source, names: Sequence[str]) -> None:
    """Refuse a file whose columns differ from those of the first.

    Parameters
    ----------
    first, other : Source
        The files.
    names : sequence of str
        The columns that are read.
    """
    for name in names:
        ours = first.schema.field(name).type
        theirs = other.schema.field(name).type if name in other.schema.names else "not there"
        if ours != theirs:
            message = f"Column {name!r} is {ours} in {first.path}, but {theirs} in {other.path}"
            raise FileError(f"{message}. Write all files with the same columns.")


def holds_labels(source: Source, roles: Roles, layout: Layout) -> bool:
    """Say whether the target is labels (text, flags and integers) and not numbers.

    Parameters
    ----------
    source : Source
        A file.
    roles : Roles
        What its columns are.
    layout : {"long", "nested"}
        How records are written.

    Returns
    -------
    bool
        False without a target.
    """
    if roles.target is None:
        return False
    types = arrow().types
    nested = layout == "nested" and roles.level != "record"
    kind = _plain(_element(source.schema.field(roles.target).type, nested))
    return _is_text(kind) or types.is_integer(kind) or types.is_boolean(kind)


def read_classes(
    source: Source, roles: Roles, layout: Layout, classes: Sequence[object]
) -> tuple[object, ...]:
    """Check labels that were given against the type of the target.

    Parameters
    ----------
    source : Source
        A file.
    roles : Roles
        What its columns are.
    layout : {"long", "nested"}
        How records are written.
    classes : sequence
        The labels.

    Returns
    -------
    tuple
        The same.

    Raises
    ------
    OptionError
        If the target is no labels, or these are of another type or come twice.
    """
    if roles.target is None or not holds_labels(source, roles, layout):
        raise OptionError("classes goes with a target of text, flags or integers only.")
    nested = layout == "nested" and roles.level != "record"
    kind = _plain(_element(source.schema.field(roles.target).type, nested))
    try:
        arrow().array(list(classes), kind)
    except (arrow().ArrowException, TypeError, OverflowError) as error:
        message = f"classes={classes!r}, but column {roles.target!r} is {kind}"
        raise OptionError(f"{message}. Give labels of that type.") from error
    if isinstance(classes, str) or not len(classes) or len(set(classes)) < len(classes):
        raise OptionError(f"classes={classes!r}, but it is a list of one or more different labels.")
    return tuple(classes)


def channel_type(source: Source, roles: Roles, layout: Layout) -> Any:
    """Choose the type of values: float32 where it holds those of every channel exactly.

    Parameters
    ----------
    source : Source
        A file.
    roles : Roles
        What its columns are.
    layout : {"long", "nested"}
        How records are written.

    Returns
    -------
    dtype
        float32 or float64.
    """
    types = arrow().types
    kinds = [_element(source.schema.field(n).type, layout == "nested") for n in roles.channels]
    small = all(
        types.is_boolean(kind)
        or types.is_float16(kind)
        or types.is_float32(kind)
        or (types.is_integer(kind) and kind.bit_width <= 16)
        for kind in kinds
    )
    return np.dtype(np.float32 if small else np.float64)


def _element(kind: Any, nested: bool) -> Any:
    """Give the type of a list's elements, and None for what is no list."""
    types = arrow().types
    if not nested:
        return kind
    lists = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return kind.value_type if lists else None


def _plain(kind: Any) -> Any:
    return kind.value_type if kind is not None and arrow().types.is_dictionary(kind) else kind


def _is_text(kind: Any) -> bool:
    types, kind = arrow().types, _plain(kind)
    return kind is not None and bool(types.is_string(kind) or types.is_large_string(kind))


def _is_integer(kind: Any) -> bool:
    return kind is not None and bool(arrow().types.is_integer(kind))


def _is_stamp(kind: Any) -> bool:
    types = arrow().types
    return kind is not None and bool(types.is_timestamp(kind) or types.is_date(kind))


def _is_number(kind: Any) -> bool:
    """Say whether a type is one of numbers or flags."""
    types = arrow().types
    checks = (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean)
    return kind is not None and any(check(kind) for check in checks)


EXPECTED = {
    "id": "Write it as text or integers.",
    "channel": "Name the columns that are numbers in channels=[...], and make codes of text.",
    "time": "Write it as timestamps, dates or numbers.",
    "target": "Write it as text, flags or numbers.",
}


def _check(source: Source, name: str, kind: Any, fits: bool, role: str) -> None:
    """Refuse a column whose type its role does not allow."""
    if fits:
        return
    lists = _element(kind, True) is not None
    hint = "Lists go with layout='nested', and lists only." if lists else EXPECTED[role]
    message = f"Column {name!r} of {source.path} is {kind}, which is not read as {role}"
    raise DataError(message, code="column_type", column=name, hint=hint)
