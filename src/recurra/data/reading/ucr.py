"""Tables of the UCR archive: a row for each record, its label first, without a header."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from recurra.data.reading.archive import read_lines, row_of_numbers
from recurra.data.reading.arrays import from_arrays
from recurra.data.sequences import SequenceDataset
from recurra.errors import DataError
from recurra.types import Array, Floats

__all__ = ["from_ucr"]


def from_ucr(path: str | os.PathLike[str], *, separator: str = "\t") -> SequenceDataset:
    """Read a table of the UCR archive: a row for each record, its label first, without a header.

    Parameters
    ----------
    path : str or Path
        A ``.tsv`` or ``.tsv.gz`` file.
    separator : str
        What parts the values; older archives have commas.

    Returns
    -------
    SequenceDataset
        With a stream ``"x"`` of one channel and a target ``"y"``. NaN at the end of a row is
        padding.

    Raises
    ------
    FileError
        If the file is damaged.
    DataError
        If a row has a cell too few, or a cell is no number; with the line.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "Waves_TRAIN.tsv"
    >>> _ = path.write_text("1\\t0.5\\t1.5\\tNaN\\n-1\\t2.5\\t3.5\\t4.5\\n")
    >>> data = from_ucr(path)
    >>> data, data.target.classes
    (SequenceDataset(2 records; x: 1 channel, 2 to 3 steps; targets: y), (-1, 1))
    >>> folder.cleanup()
    """
    path = Path(path)
    lines = read_lines(path)
    where = [k + 1 for k, line in enumerate(lines) if line.strip()]
    rows = [lines[k - 1] for k in where]
    if not rows:
        raise DataError(f"{path} has no records", code="empty")
    counts = np.array([row.count(separator) for row in rows]) + 1
    if (odd := np.flatnonzero(counts != counts[0])).size:
        record = int(odd[0])
        message = f"Line {where[record]} of {path} has {counts[record]} values, but the first line"
        hint = "Fill short records up with NaN. Is the file cut off?"
        raise DataError(f"{message} has {counts[0]}", code="ragged", record=record, hint=hint)
    if counts[0] < 2:
        message = f"{path} has one value in a line"
        raise DataError(message, code="separator", hint=f"Values are parted by {separator!r}.")
    table = _table(path, rows, separator, where)
    if np.isnan(table[:, 0]).any():
        record = int(np.argmax(np.isnan(table[:, 0])))
        message = f"Line {where[record]} of {path} has no label"
        raise DataError(message, code="null_label", record=record)
    labels: Array = table[:, 0]
    if (labels == np.round(labels)).all():
        labels = labels.astype(np.int64)
    return from_arrays(table[:, 1:, None], labels)


def _table(path: Path, rows: list[str], separator: str, where: list[int]) -> Floats:
    """Read rows of as many numbers each."""
    try:
        frame = pd.read_csv(StringIO("\n".join(rows)), sep=separator, header=None, dtype=np.float64)
        return frame.to_numpy(np.float64)
    except ValueError:
        cells = [row.split(separator) for row in rows]
        blank = [["?" if not cell.strip() else cell for cell in row] for row in cells]
        pairs = enumerate(zip(blank, where, strict=True))
        return np.stack([row_of_numbers(path, row, line, k) for k, (row, line) in pairs])
