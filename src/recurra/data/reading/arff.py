"""Files of Weka (``.arff``) as the time series archives write them, one or several channels."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recurra.data.reading.archive import labels_target, read_lines, row_of_numbers
from recurra.data.reading.arrays import from_arrays
from recurra.data.sequences import SequenceDataset, Target
from recurra.data.sequences.channel_names import channel_name
from recurra.errors import DataError, FileError
from recurra.types import Floats

__all__ = ["from_arff"]

ATTRIBUTE = re.compile(r"@attribute\s+('[^']*'|\"[^\"]*\"|\S+)\s+(.+)", re.IGNORECASE)
NUMERIC = ("numeric", "real", "integer")


def from_arff(path: str | os.PathLike[str]) -> SequenceDataset:
    """Read an ``.arff`` file of the UEA and UCR archives.

    Parameters
    ----------
    path : str or Path
        An ``.arff`` or ``.arff.gz`` file. A record is a row with a numeric attribute for each step;
        or, with several channels, a relational attribute that has a row for each. The last
        attribute, if it is nominal, is the label.

    Returns
    -------
    SequenceDataset
        With a stream ``"x"`` and, if there are labels, a target ``"y"`` with the sorted classes of
        the header. ``?`` is missing, and at the end of a record it is padding.

    Raises
    ------
    FileError
        If the file is damaged, or is written in another way.
    DataError
        If a row does not keep what the header promises; with the line.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "Moves.arff"
    >>> header = "@relation m\\n@attribute a numeric\\n@attribute b numeric\\n@attribute c {u,v}\\n"
    >>> _ = path.write_text(header + "@data\\n1,2,u\\n3,?,v\\n")
    >>> from_arff(path)
    SequenceDataset(2 records; x: 1 channel, 1 to 2 steps; targets: y)
    >>> folder.cleanup()
    """
    path = Path(path)
    lines = read_lines(path)
    header, start = _Header.read(path, lines)
    rows: list[Floats] = []
    labels, where = [], []
    for number, line in enumerate(lines[start:], start + 1):
        text = line.strip()
        if not text or text.startswith("%"):
            continue
        values, label = header.parted(path, text, number, len(rows))
        rows.append(values)
        labels.append(label)
        where.append(number)
        if len(values) != len(rows[0]):
            message = f"Line {number} of {path} has {len(values)} channels, but the first has"
            record = len(rows) - 1
            raise DataError(f"{message} {len(rows[0])}", code="channel_count", record=record)
    if not rows:
        raise DataError(f"{path} has a header, but no records", code="empty")
    dataset = from_arrays(np.stack(rows), layout="nct")
    if header.classes is None:
        return dataset
    target: Target = labels_target(path, labels, header.classes, where)
    return dataset.with_targets(y=target)


@dataclass
class _Header:
    """The attributes of a file."""

    steps: int = 0
    relational: bool = False
    classes: tuple[str, ...] | None = field(default=None)

    @classmethod
    def read(cls, path: Path, lines: Sequence[str]) -> tuple[_Header, int]:
        """Read the lines up to ``@data``; say where the data starts."""
        header = cls()
        for number, line in enumerate(lines, 1):
            text = line.strip()
            word = text.split(maxsplit=1)[0].lower() if text else "%"
            if word == "@data":
                header._check(path)
                return header, number
            if word == "@attribute":
                header._add(path, text, number)
            elif not word.startswith(("%", "@relation", "@end")):
                message = f"Line {number} of {path} is no header and comes before @data"
                raise FileError(f"{message}. An .arff file begins with lines such as @attribute.")
        raise FileError(f"{path} has no line @data: it is cut off, or no .arff file.")

    def _add(self, path: Path, line: str, number: int) -> None:
        """Read one attribute."""
        match = ATTRIBUTE.fullmatch(line)
        kind = match[2].strip() if match else ""
        if self.classes is not None:
            message = f"Line {number} of {path} follows the labels, which must come last"
        elif kind.lower() == "relational" and not self.steps:
            self.relational = True
            return
        elif kind.lower() in NUMERIC:
            self.steps += 1
            return
        elif kind.startswith("{") and kind.endswith("}"):
            self.classes = tuple(_unquoted(label) for label in kind[1:-1].split(","))
            return
        else:
            message = f"Line {number} of {path} is an attribute that is not read here: {line!r}"
        raise FileError(f"{message}. Read are numeric attributes, and nominal labels at the end.")

    def _check(self, path: Path) -> None:
        """Refuse a header without steps."""
        if not self.steps:
            raise FileError(f"{path} has no numeric attributes, so its records have no steps.")

    def parted(self, path: Path, line: str, number: int, record: int) -> tuple[Floats, str]:
        """Read the channels and the label of a row."""
        body, label = line, ""
        if self.classes is not None:
            body, comma, label = line.rpartition(",")
            if not comma or (self.relational and body.rstrip()[-1:] not in ("'", '"')):
                message = f"Line {number} of {path} does not end with a label"
                raise DataError(message, code="bad_line", record=record, hint="Is it cut off?")
        rows = [body]
        if self.relational:
            inner = body.strip()
            if len(inner) < 2 or inner[0] not in "'\"" or inner[0] != inner[-1]:
                message = f"Line {number} of {path} has no quoted channels"
                raise DataError(message, code="bad_line", record=record, hint="Is it cut off?")
            rows = inner[1:-1].split("\\n")
        values = []
        for k, row in enumerate(rows):
            column = channel_name(k)
            cells = row.split(",")
            if len(cells) != self.steps:
                message = f"Line {number} of {path} has {len(cells)} values in a channel, but there"
                message = f"{message} are {self.steps} attributes"
                raise DataError(message, code="ragged", record=record, column=column)
            values.append(row_of_numbers(path, cells, number, record, column))
        return np.stack(values), _unquoted(label)


def _unquoted(text: str) -> str:
    """Take the quotes off a label."""
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
