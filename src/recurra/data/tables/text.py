"""CSV, checked line by line before it is parsed."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from recurra.errors import DataError, FileError
from recurra.types import Integers

__all__ = ["Expected", "decode", "parse_text"]

MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "<NA>")
OTHER_SEPARATORS = (";", "\t", "|", ",")


@dataclass(frozen=True)
class Expected:
    """What is known of the columns of a file before it is read.

    Parameters
    ----------
    text : tuple of str
        Columns that stay text whatever they look like, such as identifiers.
    numbers : tuple of str
        Columns that hold nothing but numbers. Any other column holds numbers if every cell that is
        not empty is one, else text.

    Examples
    --------
    >>> Expected(text=("patient",)).numbers
    ()
    """

    text: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


def parse_text(
    content: bytes, separator: str, file: str, expected: Expected, quoted: bool | None = None
) -> pd.DataFrame:
    """Parse a table of text.

    Parameters
    ----------
    content : bytes
        The file, in UTF-8.
    separator : str
        What parts the fields.
    file : str
        What the file is called, for messages.
    expected : Expected
        What is known of the columns.
    quoted : bool, optional
        Whether ``"`` encloses fields, which may then hold separators and line ends, or is a letter
        like others. By default it encloses, but a field of several lines that look like rows
        themselves is refused.

    Returns
    -------
    pandas.DataFrame
        Each column as text or as numbers.

    Raises
    ------
    FileError
        If it is not UTF-8, or separated otherwise.
    DataError
        If rows are ragged, a quote is never closed or may have been meant as a letter, or cells
        are not what is expected.

    Examples
    --------
    >>> expected = Expected(text=("unique_id",), numbers=("y",))
    >>> parse_text(b"unique_id,ds,y\\n01,1,2.5\\n01,2,\\n", ",", "a.csv", expected)
      unique_id  ds    y
    0        01   1  2.5
    1        01   2  NaN
    """
    text = decode(content, file)
    try:
        names = _read_header(text, separator, file, expected, quoted)
        _check_fields(text, separator, names, file, quoted)
        table = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            dtype=str,
            keep_default_na=False,
            index_col=False,
            quoting=_quoting(quoted),
        )
    except (csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise FileError(f"{file} is no table of text: {str(error).strip().rstrip('.')}.") from error
    if not len(table):
        hint = "Give at least one row."
        raise DataError(f"{file} has a header, but no rows", code="empty", hint=hint)
    table.columns = pd.Index(names)
    return pd.DataFrame({name: _converted(table[name], name, file, expected) for name in names})


def decode(content: bytes, file: str) -> str:
    """Decode UTF-8, or say where it is none.

    Parameters
    ----------
    content : bytes
        The file.
    file : str
        What it is called, for messages.

    Returns
    -------
    str
        The text without a byte order mark, its lines ended by ``\\n``.

    Raises
    ------
    FileError
        If it is UTF-16 or no UTF-8, or holds a zero byte.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise FileError(f"{file} is UTF-16, but UTF-8 is read. Save it as UTF-8.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        skipped = 3 if content.startswith(b"\xef\xbb\xbf") else 0
        place = error.start + skipped
        line = content.count(b"\n", 0, place) + 1
        message = f"{file} is not UTF-8: 0x{content[place]:02x} at byte {place}, line {line}"
        raise FileError(f"{message}. Save it as UTF-8.") from error
    if "\0" in text:
        place = content.index(b"\0")
        raise FileError(f"{file} is no text: there is a zero byte at {place}.")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _quoting(quoted: bool | None) -> Literal[0, 3]:
    """Say whether quotes enclose, as ``csv`` and pandas do."""
    return csv.QUOTE_NONE if quoted is False else csv.QUOTE_MINIMAL


def _read_header(
    text: str, separator: str, file: str, expected: Expected, quoted: bool | None
) -> list[str]:
    """Read the names of the columns."""
    rows = csv.reader(io.StringIO(text), delimiter=separator, quoting=_quoting(quoted))
    names = next((row for row in rows if row), [])
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        message = f"The header of {file} names a column twice"
        hint = "Rename or drop one."
        raise DataError(message, code="duplicate_column", column=twice[0], hint=hint)
    lost = set(expected.text) - set(names)
    alone = len(names) == 1 and not expected.text
    for other in OTHER_SEPARATORS:
        parts = [part.strip() for name in names for part in name.split(other)]
        if other == separator or not (lost & set(parts) or (alone and len(parts) > 1)):
            continue
        message = f"{file} looks separated by {other!r}, but {separator!r} was expected"
        raise FileError(f"{message}. {_other_call(other, expected)}")
    return names


def _other_call(separator: str, expected: Expected = Expected()) -> str:
    """Say how to read a file with another separator."""
    comma = ", decimal=','" if separator == ";" else ""
    dtype = f", dtype={{{expected.text[0]!r}: str}}" if expected.text else ""
    call = f"pandas.read_csv(..., sep={separator!r}{comma}{dtype})"
    return f"Read it with {call} and pass the frame."


def _check_fields(
    text: str, separator: str, names: list[str], file: str, quoted: bool | None
) -> None:
    """Refuse a row with too few or too many fields, and quotes that may be none."""
    fields = len(names)
    if quoted is False or '"' not in text:
        lines, counts = _count_plain(text, separator)
    else:
        lines, counts = _count_quoted(text, separator, fields, file, doubt=quoted is None)
    odd = np.flatnonzero(counts != fields)
    if odd.size:
        row = int(odd[0]) - 1
        message = f"Line {lines[odd[0]]} of {file} has {counts[odd[0]]} fields, but the header has"
        hint = "Correct the line; a field that holds the separator must be quoted."
        other = next((one for one in OTHER_SEPARATORS if one in names[0]), None)
        if fields == 1 and other is not None:
            hint = f"Is it separated by {other!r}, with decimal commas? {_other_call(other)}"
        elif separator == "," and counts[odd[0]] > fields:
            hint += " Is it a decimal comma?"
        raise DataError(f"{message} {fields}", code="ragged", row=row, hint=hint)


def _count_plain(text: str, separator: str) -> tuple[Integers, Integers]:
    """Count the fields of each line that is not blank, where nothing is quoted."""
    letters = np.frombuffer(text.encode(), np.uint8)
    ends = np.flatnonzero(letters == ord("\n"))
    if not len(ends) or ends[-1] != len(letters) - 1:
        ends = np.append(ends, len(letters))
    starts = np.concatenate([[0], ends[:-1] + 1])
    between = np.flatnonzero(letters == ord(separator))
    counts = np.searchsorted(between, ends) - np.searchsorted(between, starts) + 1
    full = np.flatnonzero(ends > starts)
    return full + 1, counts[full]


def _count_quoted(
    text: str, separator: str, fields: int, file: str, *, doubt: bool
) -> tuple[Integers, Integers]:
    """Count the fields of each row that is not blank, where some are quoted."""
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    counts, starts, ends = [], [], []
    start = 1
    try:
        for row in reader:
            if row:
                counts.append(len(row))
                starts.append(start)
                ends.append(reader.line_num)
            start = reader.line_num + 1
    except csv.Error as error:
        after = "is followed by text after it closed" if "expected after" in str(error) else ""
        message = f'A quote (") in line {start} of {file} {after or "is never closed"}'
        raise _stray(message, len(starts) - 1) from error
    read, last = np.array(starts, np.int64), np.array(ends, np.int64)
    if doubt and fields > 1 and (last > read).any():
        _check_quoted_lines(text, separator, fields, file, read, last)
    return read, np.array(counts, np.int64)


def _check_quoted_lines(
    text: str, separator: str, fields: int, file: str, starts: Integers, ends: Integers
) -> None:
    """Refuse a quoted field of several lines, if all of them look like rows: they may be some."""
    lines, counts = _count_plain(text, separator)
    whole = np.zeros(int(max(lines[-1], ends[-1])) + 1, bool)
    whole[lines[counts == fields]] = True
    for row in np.flatnonzero(ends > starts):
        start, end = int(starts[row]), int(ends[row])
        if whole[start : end + 1].all():
            message = (
                f'A quote (") opens in line {start} of {file} and closes in line {end}, but each '
                "of these lines looks like a row of its own"
            )
            raise _stray(message, int(row) - 1, "say quoted=True if it is one field")


def _stray(message: str, row: int, otherwise: str = "double the quote inside a field") -> DataError:
    """Make the error for a quote that may be none."""
    hint = f"Read the file with quoted=False if quotes are letters in it, else {otherwise}."
    return DataError(message, code="stray_quote", row=max(row, 0), hint=hint)


def _converted(cells: pd.Series, name: str, file: str, expected: Expected) -> pd.Series:
    """Turn a column of text into what it is."""
    if name in expected.text:
        return cells.astype(object).where(cells != "", None)
    certain = name in expected.numbers
    missing = cells.isin(MISSING).to_numpy()
    numbers = pd.to_numeric(cells[~missing], errors="coerce")
    odd = np.flatnonzero(numbers.isna())
    if certain and odd.size:
        row = int(numbers.index[odd[0]])
        comma = "Is it a decimal comma? Read it with pandas.read_csv(..., decimal=',')."
        hint = "Correct it, or leave the cell empty where nothing was observed."
        raise DataError(
            f"A number is read here in {file}, but there is text",
            code="text",
            row=row,
            column=name,
            value=cells[row],
            hint=comma if "," in cells[row] else hint,
        )
    # \d and \s would send pandas cell by cell through Python
    zeros = "^[ \t]*[+-]?0[0-9]"
    text = odd.size or (not certain and cells.str.contains(zeros, regex=True).any())
    if text or not len(numbers):
        if certain and not len(numbers):
            return pd.Series(np.full(len(cells), np.nan))
        return cells.astype(object).where(cells != "", None)
    return numbers.reindex(cells.index)
