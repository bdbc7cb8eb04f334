"""One file holds a fitted model: arrays, a header, and a hash over all of it.

The container is safetensors, so nothing in it can run when it is read. Its metadata has exactly
three entries: ``format`` (``recurra/1``), ``header`` (a JSON object) and ``sha256``, the hash of
the whole file with zeros in place of its own digits. safetensors alone loads a damaged file
without a word; the hash does not. A hash stops accidents, not people: so what is read is checked
strictly besides, here for its form and in `recurra.artifact.schema` for its meaning.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from recurra.artifact.strict_json import parse
from recurra.artifact.writing import write_whole
from recurra.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["FORMAT", "read_model", "write_model"]

FAMILY, VERSION = "recurra/", 1
FORMAT = f"{FAMILY}{VERSION}"

MARK = b'"sha256":"'  # within JSON's texts each quote is escaped: only the key itself matches
BLANK = "0" * 64
METADATA = {"format", "header", "sha256"}
LONGEST_HEADER = 100_000_000  # what safetensors itself reads
TYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "u2", "I16": "i2", "U32": "u4", "I32": "i4",
    "U64": "u8", "I64": "i8", "F16": "f2", "F32": "f4", "F64": "f8",
}  # fmt: skip


def write_model(
    path: str | os.PathLike[str], header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write a model file; a reader sees the old file or the new one, never half of one.

    Parameters
    ----------
    path : str or path-like
        Where to write; its folder must exist.
    header : mapping
        Whatever JSON can hold, in its order; NumPy's numbers and arrays become plain ones.
    arrays : mapping of str to ndarray
        The numbers: flags, integers, float16, float32 or float64, of any shape.

    Raises
    ------
    FileError
        If the file cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_model(f"{folder}/m", {"name": "ours"}, {"w": np.ones(2)})
    ...     read_model(f"{folder}/m")
    ({'name': 'ours'}, {'w': array([1., 1.])})
    """
    whole = {name: _plain_array(name, array) for name, array in arrays.items()}
    text = json.dumps(header, allow_nan=False, default=_plain)
    content = bytearray(save(whole, {"format": FORMAT, "header": text, "sha256": BLANK}))
    start = _place_of_digits(content)
    content[start : start + len(BLANK)] = hashlib.sha256(content).hexdigest().encode()
    write_whole(path, content)


def read_model(
    path: str | os.PathLike[str],
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read a model file and check its hash.

    Nothing but this file is opened, and nothing in it is executed.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    header : dict
        As it was written.
    arrays : dict of str to ndarray
        As they were written.

    Raises
    ------
    FileError
        If it is missing, not a model file, from a newer format, or damaged.
    """
    content = _content(path)
    try:
        size = int.from_bytes(content[:8], "little")
        if len(content) < 8 or not 2 <= size <= min(len(content) - 8, LONGEST_HEADER):
            raise ValueError("it does not begin as one" if content else "it is empty")
        outer = parse(content[8 : 8 + size])
        metadata = _metadata(outer)
    except (ValueError, RecursionError) as error:
        said = "JSON too deep" if isinstance(error, RecursionError) else str(error)
        raise FileError(f"{path} is not a model file, or is damaged: {said}.") from error
    _check_format(path, metadata.get("format", "none"))
    try:
        _check_hash(content, metadata)
        _check_tensors(outer, len(content) - 8 - size)
        header = parse(metadata["header"])
        if not isinstance(header, dict):
            raise ValueError(f"its header is a {type(header).__name__}, not an object")
        arrays = _arrays(content)
    except (ValueError, SafetensorError, RecursionError, MemoryError) as error:
        said = "its header is too deep" if isinstance(error, RecursionError) else str(error)
        raise FileError(f"{path} is damaged: {said}. Use another copy.") from error
    return header, arrays


def _content(path: str | os.PathLike[str]) -> bytes:
    """Read all bytes of a file; neither folders nor devices nor pipes are opened."""
    try:
        if not stat.S_ISREG(os.stat(source := Path(path)).st_mode):
            raise FileNotFoundError
        # a pipe that has taken its place since must not make us wait
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(source, flags), "rb") as file:
            told = os.fstat(file.fileno())
            if not stat.S_ISREG(told.st_mode):
                raise FileNotFoundError
            return file.read(told.st_size)
    except (FileNotFoundError, NotADirectoryError, TypeError, ValueError) as error:  # NUL, a number
        message = f"{path!s} is not a file. Give the path that save() was given."
        raise FileError(message) from error
    except (OSError, MemoryError) as error:
        raise FileError(f"{path} cannot be read: {error or 'it is too large'}.") from error


def _metadata(outer: Any) -> dict[str, str]:
    """Take out what is said of the file as a whole."""
    if not isinstance(outer, dict):
        raise ValueError("it does not begin with an object")
    metadata = outer.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError("its metadata are no texts")
    return metadata


def _check_format(path: object, found: str) -> None:
    """Refuse what this version cannot know."""
    if found == FORMAT:
        return
    version = found.removeprefix(FAMILY)
    if version != found and version.isascii() and version.isdigit() and len(version) < 5:
        raise FileError(
            f"{path} has format {found!r}, which is newer: this version reads {FORMAT!r}. "
            "Install a newer one, with: pip install --upgrade recurra"
        )
    raise FileError(
        f"{path} has format {found[:40]!r}, but this version reads {FORMAT!r}. "
        "Give a file that save() wrote."
    )


def _check_hash(content: bytes, metadata: Mapping[str, str]) -> None:
    """Refuse a file of which a bit is not what was written."""
    if set(metadata) != METADATA:
        raise ValueError(f"its metadata has {', '.join(sorted(metadata))}")
    start = _place_of_digits(content)
    digest = hashlib.sha256(memoryview(content)[:start])
    digest.update(BLANK.encode())
    digest.update(memoryview(content)[start + len(BLANK) :])
    if digest.hexdigest() != metadata["sha256"]:
        raise ValueError("its hash does not match")


def _place_of_digits(content: bytes | bytearray) -> int:
    """Find where the digits of the hash are."""
    end = 8 + int.from_bytes(content[:8], "little")
    start = content.find(MARK, 0, end) + len(MARK)
    digits = content[start : start + len(BLANK)]
    twice = content.find(MARK, start, end) >= 0
    if start < len(MARK) or twice or content[start + len(BLANK)] != ord('"') or b'"' in digits:
        raise ValueError("its hash cannot be found")
    return start


def _check_tensors(outer: Mapping[str, Any], size: int) -> None:
    """Refuse tensors whose sizes are not those of their bytes, before any is made."""
    for name, told in outer.items():
        if not isinstance(told, dict) or set(told) != {"dtype", "shape", "data_offsets"}:
            raise ValueError(f"its tensor {name[:80]!r} is not described as one")
        kind, shape, offsets = told["dtype"], told["shape"], told["data_offsets"]
        if not isinstance(kind, str) or kind not in TYPES:
            raise ValueError(f"its tensor {name[:80]!r} has the type {kind!r}, which is not known")
        if not (_sizes(shape) and _sizes(offsets) and len(shape) <= 32 and len(offsets) == 2):
            raise ValueError(f"its tensor {name[:80]!r} has a size that is none")
        length = np.dtype(TYPES[kind]).itemsize
        for each in shape:
            length *= each
        if offsets[1] - offsets[0] != length or not 0 <= offsets[0] <= offsets[1] <= size:
            raise ValueError(f"its tensor {name[:80]!r} has another size than its bytes")


def _sizes(value: Any) -> bool:
    """Say whether this is a list of sizes."""
    return isinstance(value, list) and all(type(each) is int and each >= 0 for each in value)


def _arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """Make arrays of the tensors; safetensors refuses holes and overlaps."""
    arrays = {}
    for name, told in sorted(deserialize(content), key=itemgetter(0)):
        flat = np.frombuffer(told["data"], np.dtype(TYPES[told["dtype"]]))
        if told["dtype"] == "BOOL" and flat.view(np.uint8).max(initial=0) > 1:
            raise ValueError(f"its tensor {name[:80]!r} has flags that are neither 0 nor 1")
        whole = flat.reshape(told["shape"])
        arrays[name] = whole if whole.flags.writeable else whole.copy()
    return arrays


def _plain_array(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Give an array as it lies in a file."""
    plain = np.asarray(array, order="C")  # ascontiguousarray would give a number an axis
    if plain.dtype not in map(np.dtype, TYPES.values()):
        raise FileError(f"A model file cannot hold {name!r}, an array of {plain.dtype}.")
    return plain


def _plain(value: object) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"A header cannot hold {value!r}, a {type(value).__name__}.")
