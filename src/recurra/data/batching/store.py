"""A data set as a folder of flat arrays, from which a batch reads only its own rows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from recurra.data.batching.closed import HeaderError, plain_label
from recurra.data.batching.stored import FORMAT, HEADER, read_dataset, read_header
from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.errors import DataError, FileError, OptionError
from recurra.types import Array

__all__ = ["open_stored", "save"]

Arrays = dict[str, Array]


def save(dataset: SequenceDataset, folder: str | os.PathLike[str]) -> None:
    """Write a data set into a folder: one ``.npy`` file for each array, and a header in JSON.

    The header is written last, so that a folder without one was not finished.

    Parameters
    ----------
    dataset : SequenceDataset
        The records; identifiers and labels are text, numbers, flags, None, or tuples of these.
    folder : str or path-like
        Where; it does not exist yet, or is empty.

    Raises
    ------
    FileError
        If the folder has something in it, or cannot be written.
    OptionError
        If an identifier, a label or an array is of another type.

    Examples
    --------
    >>> import tempfile
    >>> from recurra.data.reading.arrays import from_arrays
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(from_arrays([[1.0, 2.0], [3.0]], ids=["a", "b"]), Path(folder) / "stored")
    ...     open_stored(Path(folder) / "stored")["b"].streams["x"].values.item()
    3.0
    """
    if not isinstance(dataset, SequenceDataset):
        raise OptionError(f"save writes a SequenceDataset, but a {type(dataset).__name__} came.")
    folder = Path(folder)
    arrays: Arrays = {}
    text = json.dumps(_describe(dataset, arrays), allow_nan=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise FileError(f"{folder} has something in it. Give a new folder, or empty it.")
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
        unfinished = folder / f"{HEADER}.part"
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(folder / HEADER)
    except OSError as error:
        raise FileError(f"{folder} cannot be written: {error.strerror or error}.") from error


def open_stored(folder: str | os.PathLike[str]) -> SequenceDataset:
    """Open a data set that `save` wrote, without reading its values.

    Values, times, masks and targets stay on disk, read-only and mapped into memory: taking or
    padding some records reads their rows and no others. The files must not be changed while the
    data set is in use.

    Parameters
    ----------
    folder : str or path-like
        The folder.

    Returns
    -------
    SequenceDataset
        The same bit for bit.

    Raises
    ------
    FileError
        If the folder is no such data set, was not finished, is of another version, or its files do
        not have the types, shapes and sizes that its header says.
    """
    folder = Path(folder)
    header = read_header(folder)
    try:
        return read_dataset(folder, header)
    except (HeaderError, DataError, OptionError, RecursionError) as error:
        raise FileError(f"{folder / HEADER} is damaged: {str(error).rstrip('.')}.") from error


def _describe(dataset: SequenceDataset, arrays: Arrays) -> dict[str, Any]:
    """Describe a data set, and collect the arrays to be written beside the description."""
    streams, targets = dataset.streams.items(), dataset.targets.items()
    static = dataset.static
    return {
        "format": FORMAT,
        "ids": [plain_label(each) for each in dataset.ids],
        "streams": [_stream(s, name, f"stream{k}", arrays) for k, (name, s) in enumerate(streams)],
        "static": None if static is None else _stream(static, "", "static", arrays),
        "targets": [_target(t, name, f"target{k}", arrays) for k, (name, t) in enumerate(targets)],
        "weights": _array(dataset.weights, "weights", arrays),
        "groups": _groups(dataset.groups, arrays),
        "notes": list(dataset.notes),
    }


def _stream(stream: Stream, name: str, file: str, arrays: Arrays) -> dict[str, Any]:
    inner = stream.inner
    categories = stream.categories.items()
    return {
        "name": name,
        "kind": stream.kind,
        "channels": list(stream.channels),
        "clock": stream.clock,
        "zone": stream.zone,
        "rate": None if stream.rate is None else float(stream.rate),
        "categories": {name: [plain_label(each) for each in labels] for name, labels in categories},
        "values": _array(stream.values, f"{file}.values", arrays),
        "offsets": _array(stream.offsets, f"{file}.offsets", arrays),
        "observed": _array(stream.observed, f"{file}.observed", arrays),
        "times": _array(stream.times, f"{file}.times", arrays),
        "inner": None if inner is None else _stream(inner, "", f"{file}.inner", arrays),
    }


def _target(target: Target, name: str, file: str, arrays: Arrays) -> dict[str, Any]:
    return {
        "name": name,
        "level": target.level,
        "classes": [plain_label(each) for each in target.classes],
        "outputs": list(target.outputs),
        "stream": target.stream,
        "values": _array(target.values, f"{file}.values", arrays),
        "offsets": _array(target.offsets, f"{file}.offsets", arrays),
    }


def _groups(groups: Array | None, arrays: Arrays) -> dict[str, Any] | None:
    if groups is not None and groups.dtype == object:
        return {"labels": [plain_label(each) for each in groups.tolist()]}
    return _array(groups, "groups", arrays)


def _array(array: Array | None, file: str, arrays: Arrays) -> dict[str, Any] | None:
    """Say what a file holds; its name follows from its place in the header, and is not kept."""
    if array is None:
        return None
    if array.dtype.kind not in "fiubUM":
        raise OptionError(f"{file} has type {array.dtype}, which cannot be stored. Use numbers.")
    arrays[file] = array
    return {"type": array.dtype.str, "shape": list(array.shape)}
