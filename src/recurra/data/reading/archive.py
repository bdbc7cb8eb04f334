"""Files of the time series archives of UEA and UCR: ``.ts``, which has a header."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from recurra.data.reading.arrays import from_arrays
from recurra.data.reading.events import from_events
from recurra.data.sequences import SequenceDataset, Target
from recurra.data.sequences.channel_names import channel_name, channel_names
from recurra.data.tables.files import opened, unzipped
from recurra.data.tables.text import decode
from recurra.errors import DataError, FileError
from recurra.types import Floats

__all__ = ["from_ts", "labels_target", "read_lines", "row_of_numbers"]

STAMPED = re.compile(r"\(\s*([^(),]+?)\s*,\s*([^(),]+?)\s*\)")
UNKNOWN = "?"


def from_ts(path: str | os.PathLike[str]) -> SequenceDataset:
    """Read a ``.ts`` file of the UEA and UCR archives.

    Parameters
    ----------
    path : str or Path
        A ``.ts`` or ``.ts.gz`` file.

    Returns
    -------
    SequenceDataset
        With a stream ``"x"`` (``"values"`` where there are time stamps), channels ``x0``, ``x1`` …
        and a target ``"y"``: labels as text, their classes as the header lists them, sorted; or
        numbers. ``?`` is missing.

    Raises
    ------
    FileError
        If the file is damaged or has no such header.
    DataError
        If a line does not keep what the header promises, or a cell is no number; with the line.

    References
    ----------
    .. [1] Löning et al., "sktime: a unified interface for machine learning with time series",
       2019, arXiv:1909.07872.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "Moves.ts"
    >>> header = "@univariate false\\n@dimensions 2\\n@classLabel true up down\\n@data\\n"
    >>> _ = path.write_text(header + "1,2,3:4,5,6:up\\n1,?:2,3:down\\n")
    >>> data = from_ts(path)
    >>> data, data.target.classes
    (SequenceDataset(2 records; x: 2 channels, 2 to 3 steps, 10.0 % missing; targets: y),
     ('down', 'up'))
    >>> folder.cleanup()
    """
    path = Path(path)
    lines = read_lines(path)
    header, start = _Header.read(path, lines)
    found = [(k + 1, line) for k, line in enumerate(lines) if k >= start and line.strip()]
    found = [(number, line.strip()) for number, line in found if line[0] not in "#%"]
    if not found:
        raise DataError(f"{path} has a header, but no records", code="empty")
    header.check_claim(path, sum(len(line) for _, line in found))
    bodies, labels = [], []
    for record, (number, line) in enumerate(found):
        body, label = header.parted(path, line, number, record)
        bodies.append(body)
        labels.append(label)
    where = [number for number, _ in found]
    dataset = (
        header.stamped(path, bodies, where) if header.stamps else header.plain(path, bodies, where)
    )
    if header.classes is not None:
        return dataset.with_targets(y=labels_target(path, labels, header.classes, where))
    if header.numbers:
        return dataset.with_targets(y=_numbers_target(path, labels, where))
    return dataset


def read_lines(path: Path) -> list[str]:
    """Read the lines of a file of text, which may be gzipped.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    list of str
        Without their ends.
    """
    with opened(path) as file:
        content = unzipped(path, file) if path.suffix.lower() == ".gz" else file.read()
    return decode(content, str(path)).split("\n")


@dataclass(frozen=True)
class _Header:
    """What a header promises."""

    stamps: bool = False
    dimensions: int | None = None
    length: int | None = None
    equal: bool = False
    classes: tuple[str, ...] | None = None
    numbers: bool = False

    @classmethod
    def read(cls, path: Path, lines: Sequence[str]) -> tuple[_Header, int]:
        """Read the lines up to ``@data``; say where the data starts."""
        said: dict[str, list[str]] = {}
        for number, line in enumerate(lines):
            words = line.split()
            if not words or words[0][0] in "#%":
                continue
            if words[0].lower() == "@data":
                return cls._of(path, said), number + 1
            if not words[0].startswith("@"):
                message = f"Line {number + 1} of {path} is no header and comes before @data"
                raise FileError(f"{message}. A .ts file begins with lines such as @classLabel.")
            said[words[0].lower()] = words[1:]
        raise FileError(f"{path} has no line @data: it is cut off, or no .ts file.")

    @classmethod
    def _of(cls, path: Path, said: dict[str, list[str]]) -> _Header:
        """Make a header of its words."""

        def flag(name: str) -> bool:
            word = (said.get(name) or ["false"])[0].lower()
            if word not in ("true", "false"):
                raise FileError(f"{path} says {name} {word}, but it is true or false.")
            return word == "true"

        def count(*names: str) -> int | None:
            word = next((said[name][0] for name in names if said.get(name)), None)
            if word is None:
                return None
            if not word.isdecimal() or int(word) < 1:
                raise FileError(f"{path} says {names[0]} {word}, but it is a positive integer.")
            return int(word)

        dimensions = count("@dimensions", "@dimension")
        if dimensions is None and flag("@univariate"):
            dimensions = 1
        classes = tuple(said["@classlabel"][1:]) if flag("@classlabel") else None
        equal = flag("@equallength")
        length = count("@serieslength")
        return cls(flag("@timestamps"), dimensions, length, equal, classes, flag("@targetlabel"))

    def check_claim(self, path: Path, letters: int) -> None:
        """Refuse a header that claims more than the file can hold."""
        claim = max(self.length or 1, self.dimensions or 1)
        if claim > letters:
            message = f"The header of {path} claims {claim} values in a record"
            hint = f"The data has {letters} letters: the header is wrong, or the file is cut off."
            raise DataError(message, code="too_long", hint=hint)

    def parted(self, path: Path, line: str, number: int, record: int) -> tuple[str, str]:
        """Part a line into its values and its label."""
        if self.classes is None and not self.numbers:
            return line, ""
        body, colon, label = line.rpartition(":")
        if not colon or not label.strip() or (self.stamps and ")" in label):
            message = f"Line {number} of {path} does not end with a label"
            raise DataError(message, code="bad_line", record=record, hint="Is it cut off?")
        return body, label.strip()

    def plain(self, path: Path, bodies: list[str], where: list[int]) -> SequenceDataset:
        """Read values without time stamps."""
        parts: list[Floats] = []
        for record, (body, number) in enumerate(zip(bodies, where, strict=True)):
            rows = [
                row_of_numbers(path, text.split(","), number, record, channel_name(k))
                for k, text in enumerate(body.split(":"))
            ]
            wanted = self.length if self.equal and self.length else len(rows[0])
            if self.equal and parts and not self.length:
                wanted = len(parts[0])
            self._check_shape(path, rows, wanted, number, record)
            parts.append(np.stack(rows, axis=1))
        return from_arrays(parts)

    def _check_shape(
        self, path: Path, rows: list[Floats], wanted: int, number: int, record: int
    ) -> None:
        """Refuse a record with other channels or steps than promised."""
        place = f"Line {number} of {path} has"
        if self.dimensions not in (None, len(rows)):
            message = f"{place} {len(rows)} dimensions, but the header says {self.dimensions}"
            raise DataError(message, code="channel_count", record=record)
        odd = next((k for k, row in enumerate(rows) if len(row) != wanted), None)
        if odd is not None:
            message = f"{place} {len(rows[odd])} values in a dimension, where {wanted} are expected"
            hint = "Correct the line, or the header if records differ in length."
            code = "ragged" if len(rows[odd]) != len(rows[0]) else "series_length"
            raise DataError(message, code=code, record=record, column=channel_name(odd), hint=hint)

    def stamped(self, path: Path, bodies: list[str], where: list[int]) -> SequenceDataset:
        """Read values with time stamps, which each dimension may have of its own."""
        records, channels, times, values = [], [], [], []
        for record, (body, number) in enumerate(zip(bodies, where, strict=True)):
            dimensions = re.split(r"(?<=\))\s*:\s*(?=\()", body)
            if self.dimensions not in (None, len(dimensions)):
                message = f"Line {number} of {path} has {len(dimensions)} dimensions"
                message = f"{message}, but the header says {self.dimensions}"
                raise DataError(message, code="channel_count", record=record)
            for k, text in enumerate(dimensions):
                column = channel_name(k)
                pairs = STAMPED.findall(text)
                if STAMPED.sub("", text).strip(", ") or not pairs:
                    message = f"Line {number} of {path} is not made of (time, value), (time, value)"
                    raise DataError(message, code="bad_line", record=record, column=column)
                records += [record] * len(pairs)
                channels += [column] * len(pairs)
                times += [time.strip("'\"") for time, _ in pairs]
                cells = [value for _, value in pairs]
                values.append(row_of_numbers(path, cells, number, record, column))
        stamps = pd.Series(times)
        numbers = pd.to_numeric(stamps, errors="coerce")
        frame = pd.DataFrame(
            {
                "record": records,
                "time": stamps if numbers.isna().any() else numbers,
                "dimension": channels,
                "value": np.concatenate(values),
            }
        )
        names = channel_names(self.dimensions or len(set(channels)))
        return from_events(
            frame, id="record", time="time", variable="dimension", value="value", channels=names
        )


def row_of_numbers(
    path: Path, cells: Sequence[str], line: int, record: int, column: str | None = None
) -> Floats:
    """Read numbers from text, where ``?`` is missing.

    Parameters
    ----------
    path : Path
        The file, for messages.
    cells : sequence of str
        The numbers.
    line : int
        The line of the file, counted from 1.
    record : int
        Whose they are.
    column : str, optional
        The channel.

    Returns
    -------
    ndarray of float64, shape (cells,)
        NaN where missing.
    """
    try:
        return np.array(cells, np.float64)
    except ValueError:
        pass
    values = np.empty(len(cells))
    for row, cell in enumerate(cells):
        try:
            values[row] = np.nan if cell.strip() == UNKNOWN else float(cell)
        except ValueError:
            blank = not cell.strip()
            message = f"Line {line} of {path} has {'nothing' if blank else 'text'} for a number"
            raise DataError(
                message,
                code="empty_series" if blank and len(cells) == 1 else "text",
                record=record,
                row=row,
                column=column,
                value=cell,
                hint="Write ? where nothing was observed.",
            ) from None
    return values


def labels_target(
    path: Path, labels: Sequence[str], classes: Sequence[str], where: Sequence[int]
) -> Target:
    """Turn labels into codes of the classes a header lists; ``?`` is unknown.

    Parameters
    ----------
    path : Path
        The file, for messages.
    labels : sequence of str
        One for each record.
    classes : sequence of str
        The labels there are, in any order; those that are found, if empty.
    where : sequence of int
        The line of each record.

    Returns
    -------
    Target
        With sorted classes: by size if all are integers, else by letters.
    """
    known = set(classes) or set(labels) - {UNKNOWN}
    whole = all(re.fullmatch(r"[+-]?\d{1,18}", label) for label in known)
    ordered = sorted(known, key=lambda label: (int(label) if whole else 0, label))
    place: dict[str, int] = {label: k for k, label in enumerate(ordered)} | {UNKNOWN: -1}
    odd = next((k for k, label in enumerate(labels) if label not in place), None)
    if odd is not None:
        message = f"Line {where[odd]} of {path} has a label that the header does not list"
        hint = f"Listed are {', '.join(ordered[:20])}."
        value = labels[odd]
        raise DataError(message, code="unknown_label", record=odd, value=value, hint=hint)
    codes = np.array([place[label] for label in labels], np.int64)[:, None]
    return Target(codes, classes=tuple(ordered))


def _numbers_target(path: Path, labels: Sequence[str], where: Sequence[int]) -> Target:
    """Read numbers to be learnt."""
    values = [
        row_of_numbers(path, [label], number, record, "y")
        for record, (label, number) in enumerate(zip(labels, where, strict=True))
    ]
    read = np.stack(values)
    if (odd := np.flatnonzero(np.isinf(read[:, 0]))).size:
        record = int(odd[0])
        message = f"Line {where[record]} of {path} has an infinite target"
        raise DataError(message, code="infinite", record=record, column="y")
    return Target(read)
