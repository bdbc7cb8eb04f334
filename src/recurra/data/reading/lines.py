"""JSON Lines: a record in each line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from recurra.data.reading.answers import TargetLevel
from recurra.data.reading.archive import read_lines
from recurra.data.reading.arrays import from_arrays
from recurra.data.reading.cells import read_column
from recurra.data.reading.roles import static_stream
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.tables.notes import also_in
from recurra.data.tables.places import Places
from recurra.errors import DataError, OptionError, near

__all__ = ["from_lines"]

FIELDS = {
    "x": "x",
    "y": "y",
    "id": "id",
    "times": "times",
    "static": "static",
    "group": "group",
    "weight": "weight",
}


def from_lines(
    path: str | os.PathLike[str],
    *,
    fields: Mapping[str, str] | None = None,
    channels: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    target_for: TargetLevel | None = None,
) -> SequenceDataset:
    """Read a file with a JSON object for a record in each line.

    Parameters
    ----------
    path : str or Path
        A ``.jsonl`` or ``.jsonl.gz`` file, in UTF-8, with lines such as
        ``{"id": 7, "x": [[1, 2], [3, null]], "times": [0, 5], "y": "ill"}``. Of its fields ``x``
        holds the steps, ``(steps,)`` or ``(steps, channels)``, or an object of several streams;
        ``times`` is shaped alike; ``y`` is one label or number, a list with one for each step, or
        an object of several targets; ``static`` is an object of covariates. The others are ``id``,
        ``group`` and ``weight``. All but ``x`` may be absent, if from every line.
    fields : dict of str to str, optional
        What fields are called, where they are called otherwise: ``{"x": "signal"}``.
    channels : sequence of str, or dict of str to it, optional
        What the channels are called.
    target_for : {"record", "step", "labels"}, optional
        What several targets in a row are, as for `from_arrays`.

    Returns
    -------
    SequenceDataset
        With a stream ``"x"``, or those of the objects; a stream that a record lacks has no steps
        there. ``null`` and ``NaN`` are missing.

    Raises
    ------
    FileError
        If the file is damaged or is no text.
    DataError
        If a line is no JSON object or lacks a field, named by its line; or a record is ragged, no
        number, or too large.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "sounds.jsonl"
    >>> _ = path.write_text('{"sound": [1, 2], "y": "a"}\\n{"sound": [3], "y": "b"}\\n')
    >>> from_lines(path, fields={"x": "sound"})
    SequenceDataset(2 records; x: 1 channel, 1 to 2 steps; targets: y)
    >>> folder.cleanup()
    """
    path = Path(path)
    file = _File.read(path, _names(fields))
    ids = file.ids()
    X = file.field("x")
    several = X is not None and isinstance(X[0], Mapping)
    y = file.field("y")
    dataset = from_arrays(
        file.columns("x", list) if several else X,
        file.columns("y", lambda: None) if y is not None and isinstance(y[0], Mapping) else y,
        times=file.times(several),
        ids=ids,
        channels=channels,
        weights=file.field("weight"),
        groups=file.field("group"),
        target_for=target_for,
    )
    return replace(dataset, static=file.static(ids))


def _names(fields: Mapping[str, str] | None) -> dict[str, str]:
    """Say what each field is called."""
    for role in fields or {}:
        if role not in FIELDS:
            raise OptionError(f"fields names no such role as {role!r}. {near(role, FIELDS)}")
    return {**FIELDS, **(fields or {})}


@dataclass(frozen=True, eq=False)
class _File:
    """The objects of a file, and the line of each."""

    path: Path
    names: dict[str, str]
    records: list[dict[str, Any]]
    where: list[int]

    @classmethod
    def read(cls, path: Path, names: dict[str, str]) -> _File:
        """Read the objects."""
        records: list[dict[str, Any]] = []
        where = []
        for number, line in enumerate(read_lines(path), 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line, object_pairs_hook=_once)
            except (ValueError, RecursionError) as error:
                said = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
                message = f"Line {number} of {path} is no JSON: {said}"
                hint = "Is the file cut off?"
                raise DataError(message, code="bad_line", row=len(records), hint=hint) from error
            if not isinstance(record, dict):
                came = type(record).__name__
                message = f"Line {number} of {path} is a {came}, but an object is read"
                hint = 'Write {"x": [...]} in each line.'
                raise DataError(message, code="bad_line", row=len(records), hint=hint)
            records.append(record)
            where.append(number)
        if not records:
            raise DataError(f"{path} has no records", code="empty", hint="Give at least one.")
        return cls(path, names, records, where)

    def field(self, role: str) -> list[Any] | None:
        """Take one field of all records; None where none has it and none need to."""
        name = self.names[role]
        lacking = [k for k, record in enumerate(self.records) if name not in record]
        if not lacking:
            return [record[name] for record in self.records]
        if len(lacking) == len(self.records) and role != "x" and name == FIELDS[role]:
            return None
        row = lacking[0]
        message = f"Line {self.where[row]} of {self.path} has no field {name!r}"
        hint = f"{near(name, self.records[row])} Write null where it is unknown."
        message += also_in(len(lacking))
        raise DataError(message, code="missing_field", row=row, hint=hint)

    def ids(self) -> list[Any]:
        """Read identifiers, which are text or integers."""
        ids = self.field("id")
        if ids is None:
            return list(range(len(self.records)))
        for row, each in enumerate(ids):
            if not isinstance(each, str | int) or isinstance(each, bool):
                message = f"Line {self.where[row]} of {self.path} has an identifier that is no text"
                message = f"{message} and no integer"
                raise DataError(message, code="null_id", row=row, value=each)
        return ids

    def columns(self, role: str, absent: Callable[[], Any]) -> dict[str, list[Any]]:
        """Turn an object for each record into a list for each of its names."""
        objects = self.field(role) or []
        for row, each in enumerate(objects):
            if not isinstance(each, Mapping):
                message = f"Line {self.where[row]} of {self.path} has a {type(each).__name__} as"
                hint = "Write an object in each line, or in none."
                message = f"{message} {self.names[role]!r}"
                raise DataError(message, code="bad_line", row=row, hint=hint)
        keys = dict.fromkeys(key for each in objects for key in each)
        return {key: [each[key] if key in each else absent() for each in objects] for key in keys}

    def times(self, several: bool) -> Any:
        """Give the times as they came, by stream if there are several."""
        return (
            self.columns("times", list) if several and self.field("times") else self.field("times")
        )

    def static(self, ids: list[Any]) -> Stream | None:
        """Read the covariates of each record."""
        if self.field("static") is None:
            return None
        columns = self.columns("static", lambda: None)
        if not columns:
            message = f"No line of {self.path} has a covariate in {self.names['static']!r}"
            raise DataError(message, code="empty", hint='Write such as {"age": 54} there.')
        places = Places(pd.Series(ids, dtype=object))
        return static_stream(
            {name: read_column(pd.Series(each), name, places) for name, each in columns.items()}
        )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object, and refuse a name that comes twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the name {twice!r} comes twice in one object")
    return made
