"""Parquet files and row groups: found, checked before they are decoded, read in pieces."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from recurra.errors import FileError, need
from recurra.types import Integers

__all__ = ["RowGroup", "Source", "find_sources", "row_groups"]

READ = "Reading Parquet"
MAGIC = b"PAR1"
LARGEST_GROUP = 2**30
"""Bytes that the columns read of one row group may decode to."""
PIECE = 2**16
"""Rows, or elements of lists, that are decoded at a time."""
BUFFER = 2**18
"""Bytes that are read at a time of each column."""


@dataclass(frozen=True)
class Source:
    """One Parquet file as it was when first seen.

    Parameters
    ----------
    path : Path
        Where it is.
    size, changed : int
        Bytes, and nanoseconds since 1970: both are compared each time it is read.
    metadata : object
        Its footer.
    schema : object
        Its columns, as Arrow types.
    """

    path: Path
    size: int
    changed: int
    metadata: Any = field(repr=False)
    schema: Any = field(repr=False)

    @contextmanager
    def opened(self, names: Sequence[str]) -> Iterator[Any]:
        """Open the file to read some columns, texts as codes of a dictionary.

        Parameters
        ----------
        names : sequence of str
            The columns.

        Yields
        ------
        pyarrow.parquet.ParquetFile
            The open file.
        """
        arrow = need("pyarrow", extra="parquet", purpose=READ)
        parquet = need("pyarrow.parquet", extra="parquet", purpose=READ)
        texts = [name for name in names if _is_text(arrow.types, self.schema.field(name).type)]
        self.check_unchanged()
        with _blamed(self.path):
            file = parquet.ParquetFile(
                self.path,
                metadata=self.metadata,
                read_dictionary=texts,
                buffer_size=BUFFER,
                pre_buffer=False,
                page_checksum_verification=True,
            )
        with file:
            yield file
        self.check_unchanged()

    def check_unchanged(self) -> None:
        """Refuse a file that is no longer what it was."""
        with _blamed(self.path):
            now = self.path.stat()
        if (now.st_size, now.st_mtime_ns) != (self.size, self.changed):
            message = f"{self.path} changed while it was being read"
            raise FileError(f"{message}. Make the data set again when the file is whole.")


@dataclass(frozen=True)
class RowGroup:
    """One row group of a file.

    Parameters
    ----------
    source : Source
        The file.
    number : int
        Which row group.
    start : int
        The row of the file with which it begins.
    rows : int
        How many rows it has.
    """

    source: Source
    number: int
    start: int
    rows: int

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"row group {self.number} of {self.source.path}"

    def read(
        self, names: Sequence[str], *, start: int = 0, stop: int | None = None
    ) -> Iterator[Any]:
        """Decode some columns, a piece at a time.

        Parameters
        ----------
        names : sequence of str
            The columns.
        start, stop : int
            The first row wanted, and the row after the last, counted from the group's first.

        Yields
        ------
        pyarrow.RecordBatch
            The rows, in their order.
        """
        stop = self.rows if stop is None else stop
        columns = _columns_of(self.source.metadata.row_group(self.number), names)
        most = max((column.num_values for column in columns), default=0)
        size = max(1, min(stop, PIECE * self.rows // max(most, 1)))
        at = 0
        with self.source.opened(names) as file:
            with _blamed(self.source.path):
                pieces = file.iter_batches(
                    size, row_groups=[self.number], columns=list(names), use_threads=False
                )
            while at < stop:
                with _blamed(self.source.path):
                    piece = next(pieces, None)
                if piece is None:
                    message = f"{self.place} has {at} rows, but {self.rows} were promised"
                    raise FileError(f"{message}. It is damaged.")
                low, high = max(start - at, 0), min(stop - at, piece.num_rows)
                at += piece.num_rows
                if low < high:
                    yield piece.slice(low, high - low)

    def decoded_size(self, names: Sequence[str]) -> int:
        """Estimate how large some columns become, which may be far more than they take on disk.

        Parameters
        ----------
        names : sequence of str
            The columns.

        Returns
        -------
        int
            Bytes.
        """
        columns = _columns_of(self.source.metadata.row_group(self.number), names)
        return sum(max(each.total_uncompressed_size, 8 * each.num_values) for each in columns)


def find_sources(path: str | os.PathLike[str]) -> list[Source]:
    """Find the Parquet files at a path, in the order of their names, numbers as numbers.

    Parameters
    ----------
    path : str or path-like
        A file, or a folder with files that end in ``.parquet``, at any depth.

    Returns
    -------
    list of Source
        One or more.

    Raises
    ------
    FileError
        If there is none, or one is no Parquet file.
    """
    path = Path(path)
    if not path.is_dir():
        return [_source(path)]
    files = (each for each in path.rglob("*.parquet") if not each.is_dir())
    found = sorted(files, key=lambda each: _natural(each.relative_to(path)))
    if not found:
        raise FileError(f"{path} has no file whose name ends in .parquet.")
    return [_source(each) for each in found]


def row_groups(source: Source) -> list[RowGroup]:
    """List the row groups of a file that have rows.

    Parameters
    ----------
    source : Source
        The file.

    Returns
    -------
    list of RowGroup
        In their order.
    """
    metadata = source.metadata
    rows: Integers = np.array(
        [metadata.row_group(k).num_rows for k in range(metadata.num_row_groups)], np.int64
    )
    starts = np.cumsum(rows) - rows
    return [
        RowGroup(source, k, int(starts[k]), int(rows[k])) for k in range(len(rows)) if rows[k] > 0
    ]


def _source(path: Path) -> Source:
    """Look at a file: what it is, how it begins and ends, and its footer."""
    parquet = need("pyarrow.parquet", extra="parquet", purpose=READ)
    with _blamed(path):
        if not path.exists():
            raise FileError(f"{path} does not exist.")
        seen = path.stat()
        if not stat.S_ISREG(seen.st_mode):
            raise FileError(f"{path} is a folder, a pipe or a device, but a file is read.")
        if seen.st_size < 3 * len(MAGIC):
            raise FileError(f"{path} has {seen.st_size} bytes, too few for Parquet.")
        with path.open("rb") as file:
            begin = file.read(len(MAGIC))
            file.seek(-len(MAGIC), os.SEEK_END)
            end = file.read(len(MAGIC))
        if begin != MAGIC:
            raise FileError(f"{path} is not Parquet: it does not begin with PAR1.")
        if end != MAGIC:
            raise FileError(f"{path} is cut off or damaged: Parquet does not end with PAR1.")
        with parquet.ParquetFile(path) as file:
            metadata, schema = file.metadata, file.schema_arrow
    return Source(path, seen.st_size, seen.st_mtime_ns, metadata, schema)


@contextmanager
def _blamed(path: Path) -> Iterator[None]:
    """Turn what goes wrong inside a file into an error that names it."""
    arrow = need("pyarrow", extra="parquet", purpose=READ)
    try:
        yield
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path} is damaged or cannot be read: {str(error).strip()}") from error


def _is_text(types: Any, kind: Any) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind))


def _columns_of(group: Any, names: Sequence[str]) -> list[Any]:
    """Give the footer's entries for some columns; a column of lists has a path below its name."""
    columns = (group.column(k) for k in range(group.num_columns))
    return [each for each in columns if each.path_in_schema.split(".")[0] in names]


def _natural(path: Path) -> list[tuple[bool, int, str]]:
    """Sort ``part-10`` after ``part-9``."""
    parts = re.split(r"(\d+)", path.as_posix())
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]
