"""Tables from files: CSV, gzipped CSV, TSV and Parquet, read without guessing.

Identifiers stay the text they are (``007``), a row with a field too few is an error and not a
missing value, and nothing is unpacked beyond a limit. The content of CSV is checked in
`recurra.data.tables.text`.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pandas as pd

from recurra.data.tables.columns import Columns
from recurra.data.tables.table import as_table
from recurra.data.tables.text import Expected, parse_text
from recurra.errors import FileError, need

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LARGEST_FILE", "opened", "read_table", "unzipped"]

SEPARATORS = {".csv": ",", ".tsv": "\t"}
LARGEST_FILE = 4 * 2**30
"""Bytes after unpacking."""
LARGEST_RATIO = 200
"""How many times its size a gzipped file may unpack to, once past `FREE_SIZE`."""
FREE_SIZE = 16 * 2**20
CHUNK = 2**20


def read_table(
    path: str | os.PathLike[str],
    columns: Columns | Expected | None = None,
    *,
    quoted: bool | None = None,
) -> pd.DataFrame:
    """Read a table from a file.

    Parameters
    ----------
    path : str or Path
        A ``.csv``, ``.tsv``, ``.csv.gz``, ``.tsv.gz`` or ``.parquet`` file. Text is UTF-8.
    columns : Columns or Expected, optional
        The roles of the columns: the identifier of a text file is read as text always, the
        target as numbers; any other column as numbers if every cell that is not empty is one
        (and none has leading zeros), else as text. `Expected` says the same without roles.
    quoted : bool, optional
        For text: whether ``"`` encloses fields, or is a letter like others, as in many ``.tsv``
        files of sentences. By default it encloses, but a field of several lines that look like
        rows themselves is refused, so that no row is lost.

    Returns
    -------
    pandas.DataFrame
        The table.

    Raises
    ------
    FileError
        If the file is not there, not a file, damaged or not what its name says.
    DataError
        If its rows are ragged, a quote may be none, its header names a column twice, or a target
        is no number.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "sales.csv"
    >>> _ = path.write_text("unique_id,ds,y\\n007,2024-01-01,1.5\\n")
    >>> read_table(path, Columns())["unique_id"].tolist()
    ['007']
    >>> folder.cleanup()
    """
    path = Path(path)
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    zipped = suffixes[-1:] == [".gz"]
    kind = (suffixes[:-1] if zipped else suffixes)[-1:] or [""]
    if kind[0] not in (*SEPARATORS, ".parquet") or (zipped and kind[0] == ".parquet"):
        message = f"{path} has an ending that is not read"
        raise FileError(f"{message}. Read are .csv, .tsv, .csv.gz, .tsv.gz and .parquet.")
    if isinstance(columns, Columns):
        columns = Expected((columns.id,), (columns.target,))
    with opened(path) as file:
        if kind[0] == ".parquet":
            return _read_parquet(path, file)
        content = unzipped(path, file) if zipped else file.read()
    return parse_text(content, SEPARATORS[kind[0]], str(path), columns or Expected(), quoted)


@contextmanager
def opened(path: Path, *, empty: bool = False) -> Iterator[BinaryIO]:
    """Open a regular file, and see that it does not change meanwhile.

    Parameters
    ----------
    path : Path
        The file.
    empty : bool
        Whether it may have nothing in it.

    Yields
    ------
    file
        At its first byte.

    Raises
    ------
    FileError
        If it is not there, not a file, empty, too large, not readable, or changes.
    """
    try:
        before = path.stat()
        if stat.S_ISDIR(before.st_mode):
            raise FileError(f"{path} is a directory. Give a file in it.")
        if not stat.S_ISREG(before.st_mode):
            raise FileError(f"{path} is a pipe or a device, but a regular file is read.")
        if before.st_size == 0 and not empty:
            raise FileError(f"{path} is empty: 0 bytes.")
        if before.st_size > LARGEST_FILE:
            raise FileError(f"{path} has {before.st_size} bytes, more than {LARGEST_FILE}.")
        with path.open("rb") as file:
            yield file
        after = path.stat()
    except FileNotFoundError as error:
        raise FileError(f"{path} does not exist.") from error
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}.") from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise FileError(f"{path} changed while it was being read. Read it again when it is whole.")


def unzipped(path: Path, file: BinaryIO) -> bytes:
    """Unpack gzip, and stop where it swells beyond reason.

    Parameters
    ----------
    path : Path
        What the file is called, for messages.
    file : file
        Open for reading bytes.

    Returns
    -------
    bytes
        What was packed.

    Raises
    ------
    FileError
        If it is no gzip, damaged, or unpacks to more than 200 times its size (and 16 MiB).
    """
    size = os.fstat(file.fileno()).st_size
    limit = min(LARGEST_FILE, max(FREE_SIZE, LARGEST_RATIO * size))
    if file.read(2) != b"\x1f\x8b":
        raise FileError(f"{path} is not gzipped, although its name ends in .gz. Rename it.")
    file.seek(0)
    whole = bytearray()
    try:
        with gzip.GzipFile(fileobj=file) as unpacked:
            while chunk := unpacked.read(CHUNK):
                whole += chunk
                if len(whole) > limit:
                    message = f"{path} has {size} bytes, but unpacks to more than {limit}"
                    raise FileError(f"{message}. Unpack it yourself if you trust it.")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        message = f"{path} is cut off or damaged after {len(whole)} unpacked bytes: {error}"
        raise FileError(f"{message.rstrip('.')}.") from error
    return bytes(whole)


def _read_parquet(path: Path, file: BinaryIO) -> pd.DataFrame:
    """Read Parquet, after a look at how large it would become."""
    if file.read(4) != b"PAR1":
        raise FileError(f"{path} is not Parquet: it does not begin with PAR1.")
    file.seek(-4, io.SEEK_END)
    if file.read(4) != b"PAR1":
        raise FileError(f"{path} is cut off or damaged: Parquet does not end with PAR1.")
    parquet = need("pyarrow.parquet", extra="parquet", purpose="Reading Parquet")
    arrow = need("pyarrow", extra="parquet", purpose="Reading Parquet")
    file.seek(0)
    try:
        source = parquet.ParquetFile(file, page_checksum_verification=True)
        _check_decoded_size(path, source.metadata)
        names = source.schema_arrow.names
        table = as_table(source.read())
        frame = pd.DataFrame({name: table.column(name) for name in names})
    except (arrow.ArrowException, OSError) as error:
        raise FileError(f"{path} is damaged: {error}.") from error
    dates = [name for name in names if table.is_date(name)]
    for name in dates:
        frame[name] = frame[name].dt.date
    return frame


def _check_decoded_size(path: Path, metadata: Any) -> None:
    """Refuse a file that would fill the memory."""
    sizes = (metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    size = max(sum(sizes), 8 * metadata.num_rows * metadata.num_columns)
    if size > LARGEST_FILE:
        message = f"{path} decodes to about {size} bytes, more than {LARGEST_FILE}"
        raise FileError(f"{message}. Read a part of it, such as with pyarrow.dataset.")
