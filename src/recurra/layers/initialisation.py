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

__all__ = ["INITIALISATIONS", "check_initialisation", "initialise"]

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
