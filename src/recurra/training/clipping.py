"""Gradients that are too large: each number cut off, or each unit's shortened by its weights.

Shortening the gradient as a whole, which is usual, is part of the optimizer's step.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from recurra.training.flat import Flat
    from recurra.training.options import Training

__all__ = ["clip", "clip_adaptively", "clip_values"]

SMALLEST = 1e-3  # length of a unit's weights, so that what begins at zero can move


def clip(flat: Flat, count: int, options: Training) -> int:
    """Divide the gradient by what was counted and cut it, if the options say so.

    Parameters
    ----------
    flat : Flat
        The summed gradient; left as it is where it is not finite.
    count : int
        What it is to be divided by: how many targets were counted.
    options : Training
        Say how.

    Returns
    -------
    int
        What it is still to be divided by.
    """
    if options.clip_value is None and options.clip_adaptive is None:
        return count
    if not math.isfinite(float(flat.norm())):
        return count  # infinity would be cut to something finite
    torch._foreach_mul_(flat.gradients, 1.0 / max(count, 1))
    if options.clip_value is not None:
        clip_values(flat, options.clip_value)
    if options.clip_adaptive is not None:
        clip_adaptively(flat, options.clip_adaptive)
    return 1


@torch.no_grad()
def clip_values(flat: Flat, most: float) -> None:
    r"""Cut each number of the gradient off.

    .. math:: g_i \leftarrow \max(-c, \min(c, g_i))

    Parameters
    ----------
    flat : Flat
        The gradient.
    most : float
        :math:`c`.

    Examples
    --------
    >>> from recurra.training.flat import flatten
    >>> layer = torch.nn.Linear(2, 1)
    >>> flat = flatten(layer)
    >>> layer(torch.tensor([3.0, -0.5])).backward()
    >>> clip_values(flat, 1.0)
    >>> layer.weight.grad
    tensor([[ 1.0000, -0.5000]])
    """
    for each in flat.gradients:
        each.clamp_(-most, most)


@torch.no_grad()
def clip_adaptively(flat: Flat, most: float) -> None:
    r"""Shorten the gradient of each unit by how long its weights are.

    With the rows :math:`W_i` of a matrix, one for each unit of each gate, and their gradients:

    .. math:: G_i \leftarrow G_i \min\Bigl(1, \lambda\,
              \frac{\max(\lVert W_i \rVert, 10^{-3})}{\lVert G_i \rVert}\Bigr)

    A vector, such as a bias, is one row. A step then turns no unit by much more than
    :math:`\lambda` times the rate, however large the loss is (Brock et al. 2021,
    arXiv:2102.06171).

    Parameters
    ----------
    flat : Flat
        The gradient, and the parameters it is measured by.
    most : float
        :math:`\lambda`.

    Examples
    --------
    >>> from recurra.training.flat import flatten
    >>> layer = torch.nn.Linear(2, 1, bias=False)
    >>> flat = flatten(layer)
    >>> _ = flat.parameters[0][:2].fill_(3.0)
    >>> layer(torch.tensor([30.0, 40.0])).backward()
    >>> clip_adaptively(flat, 0.01)
    >>> round(float(layer.weight.grad.norm()), 4)
    0.0424
    """
    for weight in flat.views:
        slope = weight.grad
        assert slope is not None
        allowed = most * _lengths(weight).clamp_(min=SMALLEST)
        found = _lengths(slope)
        slope.mul_(torch.where(found > allowed, allowed / found.clamp(min=1e-30), 1.0))


def _lengths(rows: Tensor) -> Tensor:
    """How long each row is, in a shape that multiplies with all; of a vector, the whole."""
    if rows.dim() < 2:
        return torch.linalg.vector_norm(rows)
    return torch.linalg.vector_norm(rows, dim=tuple(range(1, rows.dim())), keepdim=True)
