"""Gates that begin with memories of many lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from recurra.errors import OptionError

if TYPE_CHECKING:
    from recurra.layers.recurrent import Recurrent

__all__ = ["chrono"]

KEEPING = {"lstm": 1, "gru": 1}
"""The place of the gate that keeps the state, by cell."""


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
    >>> import math
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
