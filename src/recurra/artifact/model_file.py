"""One file holds a fitted model: arrays, a header, and a hash over both.

The container is safetensors, so nothing in it can run when it is read. Its metadata has exactly
three entries: ``format`` (``recurra/1``), ``header`` (a JSON object) and ``sha256``, the hash of
the header and of every array's name, type, shape and bytes. safetensors alone loads a damaged file
without a word; the hash does not.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from recurra.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["FORMAT", "read_model", "write_model"]

FORMAT = "recurra/1"


def write_model(
    path: str | os.PathLike[str], header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write a model file; a reader sees the old file or the new one, never half of one.

    Parameters
    ----------
    path : str or path-like
        Where to write; its folder must exist.
    header : mapping
        Whatever JSON can hold; NumPy's numbers and arrays become plain ones.
    arrays : mapping of str to ndarray
        The numbers.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    target = Path(path)
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    text = json.dumps(header, sort_keys=True, allow_nan=False, default=_plain)
    metadata = {"format": FORMAT, "header": text, "sha256": _hash(text, whole)}
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            temporary = Path(file.name)
            try:
                file.write(save(whole, metadata))
                file.flush()
                os.fsync(file.fileno())
                temporary.chmod(0o644)
                temporary.replace(target)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise FileError(f"{target} cannot be written: {error.strerror}.") from error


def read_model(
    path: str | os.PathLike[str],
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read a model file and check its hash.

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
    source = Path(path)
    if not source.is_file():
        raise FileError(f"{source} is not a file. Give the path that save() was given.")
    try:
        with safe_open(source, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise FileError(f"{source} is not a model file, or is damaged: {error}.") from error
    found = metadata.get("format", "none")
    if found != FORMAT:
        raise FileError(
            f"{source} has format {found!r}, but this version reads {FORMAT!r}. "
            "Save the model again, or install the version that wrote it."
        )
    text = metadata.get("header", "")
    if _hash(text, arrays) != metadata.get("sha256"):
        raise FileError(f"{source} is damaged: its hash does not match. Use another copy.")
    return json.loads(text), arrays


def _plain(value: object) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"A header cannot hold {value!r}, a {type(value).__name__}.")


def _hash(text: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
