"""The two layouts of records in Parquet: a row for each step, or a row for each record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from recurra.data.batching.arrow_columns import (
    answers_of,
    arrow,
    counts_of,
    flat,
    numbers_in,
    runs_of,
    times_of,
)
from recurra.data.batching.pieces import Piece, Roles
from recurra.data.batching.row_groups import Source
from recurra.data.sequences.target import Level
from recurra.errors import DataError, FileError, OptionError, near
from recurra.types import Array

__all__ = ["Layout", "holds_labels", "read_piece", "read_roles"]

Layout = Literal["long", "nested"]
LAYOUTS = {"long": ("record", "step"), "nested": ("record", "step", "labels")}


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
    for role, name in (("id", id), ("time", time), ("target", target)):
        if not (isinstance(name, str) or (name is None and role != "id")):
            raise OptionError(f"{role}={name!r}, but it is the name of a column.")
    names = source.schema.names
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        message = f"Two columns of {source.path} have the same name"
        raise DataError(message, code="duplicate_column", column=twice, hint="Rename one.")
    taken = [name for name in (id, time, target) if name is not None]
    rest = [n for n in names if n not in taken] if channels is None else list(channels)
    wanted = [*taken, *rest]
    if isinstance(channels, str) or not rest or len(set(wanted)) < len(wanted):
        raise OptionError(f"channels={channels!r}: name one or more columns without another role.")
    for name in wanted:
        if name not in names:
            message = f"{source.path} has no column {name!r}"
            hint = near(name, names)
            raise DataError(message, code="missing_column", column=name, hint=hint)
    kinds = {name: source.schema.field(name).type for name in wanted}
    nested = layout == "nested"
    types = arrow().types
    _check(source, id, kinds[id], types.is_integer(_plain(kinds[id])) or _is_text(kinds[id]), "id")
    for name in rest:
        _check(source, name, kinds[name], _is_number(_element(kinds[name], nested)), "channel")
    clock, zone = "step", None
    if time is not None:
        kind = _element(kinds[time], nested)
        stamped = types.is_timestamp(kind) or types.is_date(kind)
        _check(source, time, kinds[time], stamped or _is_number(kind), "time")
        clock, zone = "calendar" if stamped else "number", getattr(kind, "tz", None)
    if target is not None:
        kind = _element(kinds[target], nested and level != "record")
        fits = _is_number(kind) or _is_text(kind) or types.is_boolean(kind)
        _check(source, target, kinds[target], fits, "target")
    return Roles(id, tuple(rest), time, target, level, (), clock, zone)


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


def read_piece(rows: Any, roles: Roles, layout: Layout, dtype: Any, where: str) -> Piece:
    """Turn some decoded rows into records.

    Parameters
    ----------
    rows : pyarrow.RecordBatch
        The rows.
    roles : Roles
        What the columns are.
    layout : {"long", "nested"}
        How records are written.
    dtype : {float32, float64}
        Of the values.
    where : str
        The file, for messages.

    Returns
    -------
    Piece
        The records; in the long layout the first and the last may be parts.
    """
    starts, ids = runs_of(rows.column(roles.id), roles.id, 0, where)
    if layout == "nested":
        ids = rows.column(roles.id).to_pylist()
        return _read_nested(rows, ids, roles, dtype, where)
    lengths = np.diff(np.append(starts, rows.num_rows))
    columns = [rows.column(name) for name in roles.channels]
    values = _side_by_side(columns, roles.channels, rows.num_rows, dtype, where)
    times = None if roles.time is None else times_of(rows.column(roles.time), roles.time, where)
    if roles.target is None:
        return Piece(ids, lengths, values, times)
    answers = answers_of(rows.column(roles.target), roles.target, roles.classes, where)
    return Piece(ids, lengths, values, times, answers, lengths)


def _read_nested(rows: Any, ids: list[object], roles: Roles, dtype: Any, where: str) -> Piece:
    """Read a record of each row, its steps in lists."""
    first = roles.channels[0]
    lengths = counts_of(rows.column(first))
    stepped = [*roles.channels, *([] if roles.time is None else [roles.time])]
    if roles.target is not None and roles.level == "step":
        stepped.append(roles.target)
    for name in stepped[1:]:
        counts = counts_of(rows.column(name))
        odd = np.flatnonzero(counts != lengths)
        if odd.size:
            k = odd[0]
            raise DataError(
                f"A list in {where} has {counts[k]} elements, but that of {first!r} {lengths[k]}",
                code="ragged",
                record=ids[k],
                column=name,
                hint="Give each step every channel, null where it is missing.",
            )
    columns = [flat(rows.column(name)) for name in roles.channels]
    values = _side_by_side(columns, roles.channels, int(lengths.sum()), dtype, where)
    times = None
    if roles.time is not None:
        times = times_of(flat(rows.column(roles.time)), roles.time, where)
    if roles.target is None:
        return Piece(ids, lengths, values, times)
    column = rows.column(roles.target)
    listed = roles.level != "record"
    counts = counts_of(column) if listed else np.ones(len(ids), np.int64)
    column = flat(column) if listed else column
    answers = answers_of(column, roles.target, roles.classes, where)
    return Piece(ids, lengths, values, times, answers, counts)


def _side_by_side(
    columns: Sequence[Any], names: Sequence[str], rows: int, dtype: Any, where: str
) -> Array:
    """Read channels into one array."""
    values = np.empty((rows, len(columns)), dtype)
    for k, (column, name) in enumerate(zip(columns, names, strict=True)):
        values[:, k] = numbers_in(column, name, dtype, where)
    return values


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


def _is_number(kind: Any) -> bool:
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
