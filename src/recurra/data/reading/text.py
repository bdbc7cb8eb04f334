"""Texts, from memory or from files, parted into letters, words or bytes."""

from __future__ import annotations

import functools
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from recurra.data.offsets import offsets_of
from recurra.data.reading.folders import find_files, read_labels
from recurra.data.reading.tokens import token_stream
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.tables.files import opened, unzipped
from recurra.data.tables.text import decode
from recurra.errors import DataError, OptionError
from recurra.types import Array

__all__ = ["TEXT_ENDINGS", "from_text", "word_pattern"]

TEXT_ENDINGS = (".txt", ".text", ".txt.gz")
UNITS = ("char", "word", "byte")
FORMS = ("NFC", "NFD", "NFKC", "NFKD")
LONGEST = 5_000_000
"""Letters of one record, unless told otherwise."""
HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese characters, also as Japanese and Korean write them."""

Unit = Literal["char", "word", "byte"]


def from_text(
    source: os.PathLike[str] | Iterable[str | os.PathLike[str]],
    y: Any = None,
    *,
    unit: Unit | re.Pattern[str] = "char",
    lines: bool | None = None,
    separator: str | None = None,
    labels_from: str | re.Pattern[str] | None = None,
    form: str | None = "NFC",
    longest: int | None = LONGEST,
) -> SequenceDataset:
    r"""Read texts, one record each; an empty one is a record of no steps.

    Files are UTF-8; a byte order mark at the beginning is dropped, and lines end in ``"\n"``. What
    can be written in several ways is brought to one (a letter and its accent become one sign, with
    the form NFC of Unicode). All else stays as it is: capitals, spaces, marks of direction.

    Parameters
    ----------
    source : Path, list of str, or list of Path
        Texts; or a file, or a folder with those below it (``.txt``, ``.txt.gz``), or files. A
        ``str`` alone could be a text or the name of a file, and is refused.
    y : array-like, optional
        One label or number for each record, or a list with one for each token.
    unit : {"char", "word", "byte"} or re.Pattern
        What a step is: a letter (a code point of Unicode), a word as in `word_pattern`, a byte of
        UTF-8, or what an expression of your own finds, such as ``re.compile(r"\S+")``.
    lines : bool, optional
        Whether each line of a file is a record, or the whole file. By default lines of one file,
        and wholes of several.
    separator : str, optional
        What parts the label at the beginning of each line from its text: ``" "`` for
        ``"3 a fine film"``.
    labels_from : {"folder"}, str or re.Pattern, optional
        The folder of each file; or a regular expression searched in each identifier, as in
        `from_audio`: ``r"(\w+)\.txt"`` for a file a class.
    form : {"NFC", "NFD", "NFKC", "NFKD"}, optional
        The form of Unicode; None leaves texts as they came.
    longest : int, optional
        Letters a record may have; None for any number.

    Returns
    -------
    SequenceDataset
        With a stream ``"text"`` of kind ``"tokens"``: int32 codes, one channel ``"token"``, whose
        labels are sorted. Identifiers are the files' paths below the folder, with ``:3`` for the
        third line; texts are counted from 0.

    Raises
    ------
    FileError
        If a file is not UTF-8, or holds a zero byte: it says at which byte and line.
    DataError
        If a text is too long, holds a zero or half of a surrogate pair, or has no label.

    Examples
    --------
    >>> data = from_text(["to be", "not"], ["yes", "no"])
    >>> data
    SequenceDataset(2 records; text: 1 channel, 3 to 5 steps; targets: y)
    >>> data.stream.categories["token"]
    (' ', 'b', 'e', 'n', 'o', 't')
    >>> from_text(["I don't know 北京."], unit="word").stream.categories["token"]
    ('.', 'I', "don't", 'know', '京', '北')
    """
    if not isinstance(unit, re.Pattern) and unit not in UNITS:
        raise OptionError(f"unit={unit!r}, but it is one of {UNITS}, or a compiled expression.")
    if form is not None and form not in FORMS:
        raise OptionError(f"form={form!r}, but it is one of {FORMS}, or None.")
    if longest is not None and not isinstance(longest, int | np.integer):
        raise OptionError(f"longest={longest!r}, but a number of letters is read, or None.")
    ids, texts = _texts(source, lines)
    if separator is not None:
        if y is not None or labels_from is not None:
            raise OptionError("Labels come from separator, y or labels_from. Choose one.")
        y, texts = _parted(ids, texts, separator)
    texts = [_cleaned(text, name, form, longest) for name, text in zip(ids, texts, strict=True)]
    stream = _stream(texts, unit)
    if labels_from is not None and not isinstance(ids[0], str):
        raise OptionError(f"labels_from={labels_from!r}, but texts have no names. Give y.")
    names = tuple(map(str, ids)) if labels_from is not None else ids
    targets, groups = read_labels(y, labels_from, names, stream.lengths, "text")  # type: ignore[arg-type]
    return SequenceDataset(ids, {"text": stream}, targets=targets, groups=groups)


@functools.cache
def word_pattern() -> re.Pattern[str]:
    """Give the expression that finds words.

    A word is a run of letters, digits and the marks above and below them, with apostrophes inside
    (``don't``); each Chinese character is a word of its own, and so is each other sign that is no
    space. Write ``unit=re.compile(r"\\S+")`` for what stands between spaces.

    Returns
    -------
    re.Pattern
        To be used with ``findall``.

    Examples
    --------
    >>> word_pattern().findall("Well-known: l’été 2024, 很好")
    ['Well', '-', 'known', ':', 'l’été', '2024', ',', '很', '好']
    """
    marks = np.array([unicodedata.category(chr(k))[0] == "M" for k in range(0x20000)])
    edges = np.flatnonzero(np.diff(marks.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    inside = "".join(f"{chr(a)}-{chr(b - 1)}" for a, b in edges)
    letters = f"[^\\W{HAN}]"
    run = f"{letters}+(?:[{inside}]+{letters}*)*"
    return re.compile(f"[{HAN}]|{run}(?:['’]{run})*|[^\\s]")


def _texts(source: Any, lines: bool | None) -> tuple[tuple[object, ...], list[str]]:
    """Tell texts from files, and read these."""
    if isinstance(source, str | bytes):
        message = f"source={source[:40]!r} could be a text or the name of a file"
        raise OptionError(f"{message}. Write [text] for a text, Path(name) for a file.")
    if not isinstance(source, os.PathLike | Iterable) or isinstance(source, Mapping):
        came = type(source).__name__
        raise OptionError(f"A list of texts, or paths of files are read, but a {came} came.")
    given = [source] if isinstance(source, os.PathLike) else list(source)
    if not given:
        raise DataError("There are no texts", code="empty", hint="Give at least one.")
    if all(isinstance(each, os.PathLike) for each in given):
        whole = source if isinstance(source, os.PathLike) else given
        return _from_files(find_files(whole, TEXT_ENDINGS), lines)
    for place, each in enumerate(given):
        if not isinstance(each, str):
            kind = type(each).__name__
            message = f"A list of texts is read, but a {kind} came"
            value = each if isinstance(each, int | float) or each is None else None
            hint = "Give text, '' where there is none; bytes need .decode('utf-8') first."
            raise DataError(message, code="no_text", record=place, value=value, hint=hint)
    if lines is not None:
        raise OptionError(f"lines={lines!r} is for files, but texts came. Leave it out.")
    return tuple(range(len(given))), [str(each) for each in given]


def _from_files(files: dict[str, Path], lines: bool | None) -> tuple[tuple[object, ...], list[str]]:
    """Read files, whole or line by line."""
    ids: list[object] = []
    texts: list[str] = []
    by_line = len(files) == 1 if lines is None else lines
    for name, path in files.items():
        with opened(path, empty=True) as file:
            zipped = path.suffix.lower() == ".gz"
            text = decode(unzipped(path, file) if zipped else file.read(), str(path))
        if not by_line:
            ids.append(name)
            texts.append(text)
            continue
        parts = text.removesuffix("\n").split("\n") if text else []
        ids += (f"{name}:{line}" for line in range(1, len(parts) + 1))
        texts += parts
    if not texts:
        hint = "Give a file with at least one line."
        raise DataError(f"{next(iter(files))} has no lines", code="empty", hint=hint)
    return tuple(ids), texts


def _parted(ids: Sequence[object], texts: list[str], separator: str) -> tuple[list[str], list[str]]:
    """Part labels from texts."""
    labels, rest = [], []
    for name, text in zip(ids, texts, strict=True):
        label, found, after = text.removeprefix("\ufeff").partition(separator)
        if not found or not label:
            message = f"A label, {separator!r} and a text are read, but not found"
            hint = "Correct the line, or the separator."
            raise DataError(message, code="no_label", record=name, value=text[:40], hint=hint)
        labels.append(label)
        rest.append(after)
    return labels, rest


def _cleaned(text: str, name: object, form: str | None, longest: int | None) -> str:
    """Normalise one text, and refuse what is none."""
    if longest is not None and len(text) > longest:
        message = f"The text has {len(text)} letters, more than {longest}"
        hint = "Part it, or allow it: longest=None."
        raise DataError(message, code="too_long", record=name, hint=hint)
    if "\0" in text:
        hint = "Remove it; read binary data with from_tokens."
        place = text.index("\0")
        raise DataError("The text holds a zero", code="zero", record=name, row=place, hint=hint)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = "The text holds half of a surrogate pair, which is no letter"
        hint = "Read it anew, with encoding='utf-8' or 'utf-16'."
        value = text[error.start]
        raise DataError(
            message, code="surrogate", record=name, row=error.start, value=value, hint=hint
        ) from error
    text = text.removeprefix("\ufeff")
    return text if form is None else unicodedata.normalize(form, text)  # type: ignore[arg-type]


def _stream(texts: list[str], unit: Unit | re.Pattern[str]) -> Stream:
    """Part texts into tokens."""
    if unit == "byte":
        parts = [text.encode() for text in texts]
        values = np.frombuffer(b"".join(parts), np.uint8)
        return token_stream(values, _offsets(parts), range(256))
    if unit == "char":
        letters = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)
        there = np.zeros(sys.maxunicode + 1, bool)
        there[letters] = True
        codes = (np.cumsum(there) - 1)[letters]
        return token_stream(codes, _offsets(texts), map(chr, np.flatnonzero(there)))
    pattern = word_pattern() if unit == "word" else unit
    if pattern.groups:
        words = [[match[0] for match in pattern.finditer(text)] for text in texts]
    else:
        words = [pattern.findall(text) for text in texts]
    flat = np.array([word for each in words for word in each], object)
    codes, found = pd.factorize(flat, sort=True)
    return token_stream(codes, _offsets(words), found)


def _offsets(parts: Sequence[Sequence[Any]]) -> Array:
    """Say where each record starts."""
    return offsets_of([len(part) for part in parts])
