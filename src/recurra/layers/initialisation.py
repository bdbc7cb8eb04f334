"""How the weights of a layer begin."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn import init

from recurra.errors import OptionError, near

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from recurra.layers.recurrent import Recurrent

__all__ = ["INITIALISATIONS", "check_initialisation", "chrono", "initialise"]

INITIALISATIONS = ("torch", "orthogonal")


def check_initialisation(name: str) -> str:
    """Return the name of an initialisation, or say which there are.

    Parameters
    ----------
    name : str
        The name.

    Returns
    -------
    str
        The name.

    Raises
    ------
    OptionError
        If there is no such initialisation.

    Examples
    --------
    >>> check_initialisation("orthogonal")
    'orthogonal'
    """
    if name not in INITIALISATIONS:
        raise OptionError(f"There is no initialisation {name!r}. {near(name, INITIALISATIONS)}")
    return name


@torch.no_grad()
def initialise(name: str, weights: Mapping[str, Tensor], hidden_size: int, heads: int = 1) -> None:
    """Draw the weights of a layer, in place.

    Parameters
    ----------
    name : {"torch", "orthogonal"}
        ``"torch"``: all weights and biases uniform in ±1/√hidden, as in ``torch.nn``, the same
        draws in the same order. ``"orthogonal"``: recurrent matrices orthogonal gate by gate
        (Saxe et al., arXiv:1312.6120), and head by head, the other matrices Glorot uniform gate by
        gate, biases and peepholes 0. Either way a layer norm begins with gains of 1, and its
        normalised cell with a bias of 0.
    weights : mapping of str to Tensor
        The weights by name: ``weight_ih_l0``, ``bias_hh_l0_reverse``, …
    hidden_size : int
        Rows of one gate.
    heads : int, default 1
        Blocks of one gate's rows in ``weight_hh``.

    Examples
    --------
    >>> import torch
    >>> weight = torch.empty(8, 4)
    >>> initialise("orthogonal", {"weight_hh_l0": weight}, hidden_size=4)
    >>> gate = weight[4:]
    >>> torch.allclose(gate @ gate.T, torch.eye(4), atol=1e-6)
    True
    """
    bound = 1 / math.sqrt(hidden_size)
    for key, weight in weights.items():
        if key.startswith("gain"):
            init.ones_(weight)
        elif key.startswith("bias_c"):
            init.zeros_(weight)
        elif name == "torch":
            init.uniform_(weight, -bound, bound)
        elif key.startswith(("bias", "weight_ch")):
            init.zeros_(weight)
        elif key.startswith("weight_hh"):
            for block in weight.split(hidden_size // heads):
                init.orthogonal_(block)
        else:
            rows = hidden_size if key.startswith("weight_ih") else len(weight)
            for gate in weight.split(rows):
                init.xavier_uniform_(gate)


@torch.no_grad()
def chrono(layer: Recurrent, longest: float, shortest: float = 2.0) -> None:
    r"""Let the units of a layer begin with memories of many lengths.

    The gate that keeps the state, of each unit, begins near :math:`σ(b) = 1 - 1/T`, which forgets
    in about T steps, with

    .. math:: b = \log(T - 1), \quad T \sim U(\text{shortest}, \text{longest})

    That is the forget gate of an LSTM, whose input gate begins with -b, and the update gate of a
    GRU. All other weights stay as they are. After Tallec & Ollivier 2018, Can recurrent neural
    networks warp time?, arXiv:1804.11188.

    Parameters
    ----------
    layer : LSTM, GRU or GRUD
        With biases.
    longest : float
        The longest dependency that is looked for, in steps: often the length of the records.
    shortest : float, default 2.0
        The shortest; above 1.

    Raises
    ------
    OptionError
        If the layer has no gate that keeps its state, or no biases; or `longest` is not above
        `shortest`.

    Examples
    --------
    >>> import torch
    >>> from recurra.layers import LSTM
    >>> layer = LSTM(3, 8)
    >>> chrono(layer, 600)
    >>> forget = layer.bias_ih_l0[8:16] + layer.bias_hh_l0[8:16]
    >>> 0 <= forget.min() and forget.max() <= math.log(599)
    tensor(True)
    """
    cell, size = layer.stack.cell, layer.hidden_size
    if cell not in KEEPING or not layer.bias:
        raise OptionError(
            f"{layer!r} has no gate with a bias that keeps its state. Use an LSTM or a GRU with "
            'bias=True, or initialisation="orthogonal".'
        )
    if not 1 < shortest < longest:
        message = f"shortest={shortest!r} and longest={longest!r}"
        raise OptionError(f"{message}, but shortest is above 1, and longest above that.")
    coupled = layer.stack.coupled
    gate = KEEPING[cell] - coupled
    for name, bias in layer.named_parameters():
        if name.startswith("bias_ih"):
            kept = torch.empty(size).uniform_(shortest, longest).sub_(1).log_()
            bias[gate * size : (gate + 1) * size] = kept
            if cell == "lstm" and not coupled:
                bias[:size] = -kept
        elif name.startswith("bias_hh"):
            bias[gate * size : (gate + 1) * size] = 0
            if cell == "lstm" and not coupled:
                bias[:size] = 0


KEEPING = {"lstm": 1, "gru": 1}
"""The place of the gate that keeps the state, by cell."""
