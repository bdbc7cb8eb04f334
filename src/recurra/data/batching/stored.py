"""Reading a stored data set: nothing in its header is believed before its files say the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from recurra.data.batching.closed import HeaderError, fields_of, labels_of, read_as, texts_of
from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.errors import FileError
from recurra.types import Array, Integers

__all__ = ["FORMAT", "HEADER", "read_dataset", "read_header"]

T = TypeVar("T")
FORMAT = "recurra records 1"
HEADER = "header.json"
LARGEST_HEADER = 2**30
WHOLE = ("format", "ids", "streams", "static", "targets", "weights", "groups", "notes")
TARGET = ("name", "level", "classes", "outputs", "stream", "values", "offsets")
STREAM = (
    *("name", "kind", "channels", "clock", "zone", "rate", "categories"),
    *("values", "offsets", "observed", "times", "inner"),
)
LEVELS = ("record", "step", "labels")


def read_header(folder: Path) -> dict[str, Any]:
    """Read the header of a folder.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    dict
        Of this version, and else unchecked.
    """
    path = folder / HEADER
    if not path.is_file():
        what = f"has no {HEADER}" if folder.is_dir() else "is not a folder"
        raise FileError(f"{folder} {what}. Give a folder that save() wrote to its end.")
    if path.stat().st_size > LARGEST_HEADER:
        raise FileError(f"{path} has more than {LARGEST_HEADER} bytes.")
    try:
        header = json.loads(path.read_bytes().decode("utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise FileError(f"{path} is damaged: {error}.") from error
    found = header.get("format") if isinstance(header, dict) else None
    if found != FORMAT:
        message = f"{path} has format {found!r}, but this version reads {FORMAT!r}"
        raise FileError(f"{message}. Save the data set again.")
    return header


def read_dataset(folder: Path, header: dict[str, Any]) -> SequenceDataset:
    """Make a data set of a header and the files beside it.

    Parameters
    ----------
    folder : Path
        Where the files are.
    header : dict
        What `read_header` returned.

    Returns
    -------
    SequenceDataset
        With arrays mapped into memory.
    """
    whole = fields_of(header, WHOLE, "the header")
    static, groups = whole["static"], whole["groups"]
    if isinstance(groups, dict) and "labels" in groups:
        labels = labels_of(fields_of(groups, ("labels",), "groups")["labels"], "groups")
        grouped = np.fromiter(labels, object, len(labels))
    else:
        grouped = _array(folder, groups, "groups")
    return SequenceDataset(
        labels_of(whole["ids"], "ids"),
        _named(folder, whole["streams"], "stream", _stream),
        None if static is None else _stream(folder, static, "static"),
        _named(folder, whole["targets"], "target", _target),
        _array(folder, whole["weights"], "weights"),
        grouped,
        texts_of(whole["notes"], "notes"),
    )


def _named(
    folder: Path, parts: Any, what: str, read: Callable[[Path, Any, str], T]
) -> dict[str, T]:
    """Read the streams, or the targets, by name."""
    found: dict[str, T] = {}
    for k, part in enumerate(read_as(list, parts, f"{what}s")):
        name = read_as(str, read_as(dict, part, f"{what}{k}").get("name"), f"the name of {what}{k}")
        if name in found:
            raise HeaderError(f"two {what}s are called {name!r}")
        found[name] = read(folder, part, f"{what}{k}")
    return found


def _stream(folder: Path, part: Any, file: str) -> Stream:
    part = fields_of(part, STREAM, file)
    rate, zone, inner = part["rate"], part["zone"], part["inner"]
    observed = _array(folder, part["observed"], f"{file}.observed")
    if observed is not None and observed.dtype != bool:
        raise HeaderError(f"{file}.observed is no mask")
    categories = read_as(dict, part["categories"], f"{file} categories")
    return Stream(
        _needed(_array(folder, part["values"], f"{file}.values"), file),
        _offsets(folder, part["offsets"], f"{file}.offsets"),
        texts_of(part["channels"], f"{file} channels"),
        part["kind"],
        observed,
        _array(folder, part["times"], f"{file}.times"),
        read_as(str, part["clock"], f"{file} clock"),
        None if zone is None else read_as(str, zone, f"{file} zone"),
        None if rate is None else read_as(float, rate, f"{file} rate"),
        {name: labels_of(each, f"{file} categories") for name, each in categories.items()},
        None if inner is None else _stream(folder, inner, f"{file}.inner"),
    )


def _target(folder: Path, part: Any, file: str) -> Target:
    part = fields_of(part, TARGET, file)
    if part["level"] not in LEVELS:
        raise HeaderError(f"{file} has level {part['level']!r}")
    values = _needed(_array(folder, part["values"], f"{file}.values"), file)
    starts = part["offsets"]
    offsets = None if starts is None else _offsets(folder, starts, f"{file}.offsets")
    if offsets is not None and offsets[-1] != len(values):
        raise HeaderError(f"{file} has {len(values)} values, but its offsets end at {offsets[-1]}")
    return Target(
        values,
        part["level"],
        labels_of(part["classes"], f"{file} classes"),
        texts_of(part["outputs"], f"{file} outputs"),
        offsets,
        part["stream"],
    )


def _needed(array: Array | None, file: str) -> Array:
    if array is None:
        raise HeaderError(f"{file} has no values")
    return array


def _offsets(folder: Path, part: Any, file: str) -> Integers:
    """Read where records start, which is needed at once."""
    offsets = np.array(_needed(_array(folder, part, file), file))
    if offsets.dtype != np.int64 or offsets.ndim != 1 or not len(offsets):
        raise HeaderError(f"{file} holds no offsets")
    if offsets[0] != 0 or (np.diff(offsets) < 0).any():
        raise HeaderError(f"{file} does not rise from 0")
    return offsets


def _array(folder: Path, part: Any, file: str) -> Any:
    """Map a file into memory, if it is what the header says."""
    if part is None:
        return None
    said = fields_of(part, ("type", "shape"), file)
    path = folder / f"{file}.npy"
    empty = isinstance(said["shape"], list) and 0 in said["shape"]
    try:
        mapped = np.load(path, mmap_mode=None if empty else "r", allow_pickle=False)
        size = path.stat().st_size
    except (OSError, ValueError, EOFError) as error:
        raise FileError(f"{path} is missing or damaged: {error}.") from error
    if [mapped.dtype.str, list(mapped.shape)] != [said["type"], said["shape"]]:
        message = f"{path} holds {mapped.dtype.str} of shape {list(mapped.shape)}"
        raise FileError(f"{message}, but the header says {said['type']} of {said['shape']}.")
    end = size if empty else mapped.offset + mapped.nbytes
    if size != end:
        raise FileError(f"{path} has {size} bytes, but {end} were expected.")
    return mapped
