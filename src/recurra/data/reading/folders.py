"""Files of a folder in order, and the labels that stand in their names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recurra.data.reading.answers import read_target
from recurra.data.sequences import Target
from recurra.errors import DataError, FileError, OptionError
from recurra.types import Array, Integers

__all__ = ["find_files", "natural", "read_labels"]

FOLDER = "folder"
GROUP = "group"


def find_files(
    source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], endings: Sequence[str]
) -> dict[str, Path]:
    """Find the files to be read, and name them.

    Parameters
    ----------
    source : str, Path, or iterable of these
        A file; a folder, of which every file with one of the endings is taken, in folders below it
        too, but not what is hidden; or files one by one, of any ending.
    endings : sequence of str
        In small letters, as ``".wav"``.

    Returns
    -------
    dict of str to Path
        By identifier: the path below the folder, or below what all files have in common. A folder's
        files are in natural order (``2.wav`` before ``10.wav``), others as they came.

    Raises
    ------
    FileError
        If a folder has no such file, or cannot be looked into.
    DataError
        If no file came, or one came twice.
    OptionError
        If what came is no path.
    """
    if isinstance(source, str | os.PathLike):
        root = Path(source)
        if not root.is_dir():
            return {root.name: root}
        found = sorted(_walk(root, endings), key=lambda path: natural(path.as_posix()))
        if not found:
            message = f"{root} holds no file that ends in {', '.join(endings)}"
            raise FileError(f"{message}. Give another folder, or the files themselves.")
        return {path.relative_to(root).as_posix(): path for path in found}
    given = list(source) if isinstance(source, Iterable) else [source]
    odd = [each for each in given if not isinstance(each, str | os.PathLike)]
    if odd:
        came = type(odd[0]).__name__
        raise OptionError(f"A file, a folder or a list of files is read, but a {came} came.")
    paths = [Path(each) for each in given]
    if not paths:
        raise DataError("No files came", code="empty", hint="Give at least one.")
    root = Path(os.path.commonpath([path.absolute().parent for path in paths]))
    named: dict[str, Path] = {}
    for path in paths:
        name = path.absolute().relative_to(root).as_posix()
        if name in named:
            hint = "Give each file once."
            raise DataError("A file came twice", code="duplicate_id", record=name, hint=hint)
        named[name] = path
    return named


def natural(name: str) -> list[tuple[int, int | str]]:
    """Make a key that sorts ``frame2`` before ``frame10``.

    Parameters
    ----------
    name : str
        What is to be sorted.

    Returns
    -------
    list of tuple
        Digits as numbers, the rest as text.

    Examples
    --------
    >>> sorted(["frame10.png", "frame2.png"], key=natural)
    ['frame2.png', 'frame10.png']
    """
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part)) if k % 2 else (1, part) for k, part in enumerate(parts)]


def read_labels(
    y: Any,
    labels_from: str | re.Pattern[str] | None,
    ids: tuple[str, ...],
    lengths: Integers,
    stream: str,
) -> tuple[dict[str, Target], Array | None]:
    r"""Read what is to be learnt from `y`, or from the names of files.

    Parameters
    ----------
    y : array-like, optional
        One for each record, as in `read_target`.
    labels_from : {"folder"}, str or re.Pattern, optional
        The folder a file lies in; or a regular expression that is searched in each identifier. Each
        named group of it is a target, as in ``r"(?P<digit>\d)_(?P<speaker>\w+)_"``, but one called
        ``group`` says which records belong together. Without names its one group, or all of it,
        is the label.
    ids : tuple of str
        The records.
    lengths : ndarray of int64, shape (records,)
        How many steps each has.
    stream : str
        The stream the steps belong to.

    Returns
    -------
    targets : dict of str to Target
        By name; ``"y"`` where there is none.
    groups : ndarray of str, shape (records,), or None
        Which records belong together.

    Raises
    ------
    DataError
        If a name has no label in it.
    OptionError
        If labels come from two places, or the expression is none.
    """
    if y is not None and labels_from is not None:
        raise OptionError("Labels come from y or from labels_from, not from both. Leave one out.")
    if y is not None:
        return {"y": read_target(y, ids, "y", stream, lengths)}, None
    if labels_from is None:
        return {}, None
    found = _folders(ids) if labels_from == FOLDER else _searched(ids, labels_from)
    groups = found.pop(GROUP, None)
    targets = {
        name: read_target(labels, ids, name, stream, lengths) for name, labels in found.items()
    }
    return targets, None if groups is None else np.array(groups)


def _walk(root: Path, endings: Sequence[str]) -> Iterable[Path]:
    """Go through a folder; links to other folders are not followed."""
    for folder, below, names in os.walk(root, onerror=_refuse):
        below[:] = [name for name in below if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and name.lower().endswith(tuple(endings)):
                yield Path(folder) / name


def _refuse(error: OSError) -> None:
    """Do not pass over a folder that cannot be looked into."""
    raise FileError(f"{error.filename} cannot be read: {error.strerror or error}.") from error


def _folders(ids: tuple[str, ...]) -> dict[str, list[str]]:
    """Take the folder each file lies in."""
    labels = [Path(each).parent.name for each in ids]
    for name, label in zip(ids, labels, strict=True):
        if not label:
            message = "Labels are the names of folders, but this file lies in none"
            hint = "Put each file in a folder of its class, or give y."
            raise DataError(message, code="no_label", record=name, hint=hint)
    return {"y": labels}


def _searched(ids: tuple[str, ...], expression: str | re.Pattern[str]) -> dict[str, list[str]]:
    """Search each name."""
    try:
        pattern = re.compile(expression)
    except re.error as error:
        message = f"labels_from={expression!r} is neither 'folder' nor a regular expression"
        raise OptionError(f"{message}: {error}.") from error
    if pattern.groups > 1 and len(pattern.groupindex) < pattern.groups:
        message = f"labels_from={pattern.pattern!r} has {pattern.groups} groups, some without name"
        raise OptionError(f"{message}. Write (?P<name>…) for labels, (?:…) for the rest.")
    found: dict[str, list[str]] = {name: [] for name in pattern.groupindex or ("y",)}
    for name in ids:
        match = pattern.search(name)
        if match is None or None in match.groups():
            message = f"There is no label in the name by {pattern.pattern!r}"
            hint = "Correct labels_from, or give y."
            raise DataError(message, code="no_label", record=name, hint=hint)
        for key, labels in found.items():
            labels.append(match[key] if pattern.groupindex else match[pattern.groups])
    return found
