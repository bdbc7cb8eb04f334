"""Build a saved layer again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from recurra.artifact import read_model
from recurra.errors import FileError
from recurra.layers.gru import GRU
from recurra.layers.grud import GRUD
from recurra.layers.jordan import Jordan
from recurra.layers.lstm import LSTM
from recurra.layers.rnn import RNN

if TYPE_CHECKING:
    import os

    from recurra.layers.recurrent import Recurrent

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
    if name not in CLASSES:
        holds = header.get("estimator", name)
        hint = " Use recurra.load." if "estimator" in header else ""
        known = ", ".join(CLASSES)
        raise FileError(f"{path} holds a {holds!r}, but this version knows {known}.{hint}")
    weights = {key: torch.from_numpy(array) for key, array in arrays.items()}
    dtype = next(iter(weights.values())).dtype
    with torch.random.fork_rng(devices=[]):  # the weights drawn here are replaced
        try:
            layer = CLASSES[name](**header["arguments"], dtype=dtype)
            layer.load_state_dict(weights)
        except (TypeError, RuntimeError) as error:
            raise FileError(
                f"{path} holds a {name} that this version cannot build: {error}. "
                "Install the version that wrote it."
            ) from error
    return layer
