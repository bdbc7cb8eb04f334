"""Build a saved layer again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from recurra.artifact import arguments, closed, read_model
from recurra.errors import FileError
from recurra.layers.checked import build_network, check_sizes
from recurra.layers.gru import GRU
from recurra.layers.grud import GRUD
from recurra.layers.jordan import Jordan
from recurra.layers.lstm import LSTM
from recurra.layers.rnn import RNN

if TYPE_CHECKING:
    import os

    from recurra.layers.recurrent import Recurrent
    from recurra.types import Array

__all__ = ["load"]

CLASSES: dict[str, type[Recurrent]] = {
    each.__name__: each for each in (GRU, LSTM, RNN, Jordan, GRUD)
}


def load(path: str | os.PathLike[str]) -> Recurrent:
    """Load what a layer's ``save`` wrote; nothing in the file is executed.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    Recurrent
        On the CPU, with the weights to the bit and in their type; like every new module it is in
        training mode: ``layer.eval()`` before it is used.

    Raises
    ------
    FileError
        If the file is missing, damaged, or holds no layer.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from recurra.layers import LSTM
    >>> with TemporaryDirectory() as folder:
    ...     LSTM(3, 8, peephole=True).save(f"{folder}/lstm.recurra")
    ...     load(f"{folder}/lstm.recurra").eval()
    LSTM(3, 8, peephole=True)
    """
    header, arrays = read_model(path)
    name = header.get("layer")
    if not isinstance(name, str) or name not in CLASSES:
        holds = str(header.get("estimator", name))[:80]
        hint = " Use recurra.load." if "estimator" in header else ""
        known = ", ".join(CLASSES)
        raise FileError(f"{path} holds a {holds!r}, but this version knows {known}.{hint}")
    try:
        return _built(CLASSES[name], header, arrays)
    except FileError as error:
        raise FileError(
            f"{path} holds a {name} that this version cannot build: {error} "
            "Install the version that wrote it."
        ) from error


def _built(kind: type[Recurrent], header: Mapping[str, Any], arrays: Mapping[str, Array]) -> Any:
    """Build a layer whose sizes are those of its weights."""
    told = closed({"layer": str, "arguments": dict[str, Any]}, header, "header")["arguments"]
    known = arguments(kind)
    kinds = {each: known[each] for each in known if each not in ("device", "dtype")}
    needed = ("input_size", "hidden_size")
    options = closed(kinds, told, "header.arguments", needed)
    check_sizes(options, arrays, "header.arguments")
    types = {each.dtype.name for each in arrays.values()}
    if types not in ({"float16"}, {"float32"}, {"float64"}):
        raise FileError(f"Its weights are of {' and '.join(sorted(types)) or 'no type'}.")
    dtype = getattr(torch, types.pop())
    return build_network(lambda: kind(**options, dtype=dtype), arrays, "").train()
