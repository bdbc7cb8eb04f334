"""A head for labels that have an order: one number, and thresholds between the labels."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["OrdinalHead"]


class OrdinalHead(nn.Module):
    r"""Says how probable each of some ordered labels is.

    .. math:: P(y \le k) = \sigma(θ_k - w^\top v), \quad θ_1 < θ_2 < … < θ_{K-1}

    The proportional odds model of McCullagh 1980 (doi:10.1111/j.2517-6161.1980.tb01109.x): to be
    one label too high costs less than to be two too high.

    Parameters
    ----------
    width : int
        Width of what it reads.
    outputs : int
        How many targets there are side by side.
    classes : int
        How many labels each has, 2 or more, lowest first.

    Examples
    --------
    >>> head = OrdinalHead(3, 1, 4)
    >>> chances = head(torch.zeros(1, 3)).exp()
    >>> chances.sum().item()
    1.0
    """

    def __init__(self, width: int, outputs: int, classes: int) -> None:
        super().__init__()
        self.outputs, self.classes = outputs, classes
        self.score = nn.Linear(width, outputs, bias=False)
        even = torch.arange(1, classes) / classes  # at first every label is as probable
        start = torch.logit(even)
        self.lowest = nn.Parameter(start[:1].repeat(outputs, 1))
        gaps = torch.diff(start)
        self.gaps = nn.Parameter(torch.log(torch.expm1(gaps)).repeat(outputs, 1))

    def forward(self, read: Tensor) -> Tensor:
        """Say the logarithms of the probabilities.

        Parameters
        ----------
        read : Tensor, shape (…, width)
            What the network has read.

        Returns
        -------
        Tensor, shape (…, outputs · classes)
            They sum to one, so they may be used as logits.
        """
        rises = torch.cat([self.lowest, functional.softplus(self.gaps)], -1)
        below = rises.cumsum(-1) - self.score(read)[..., None]
        first, last = functional.logsigmoid(below[..., :1]), functional.logsigmoid(-below[..., -1:])
        # P(k) = σ(b_k) − σ(b_{k-1}) = σ(b_k) σ(−b_{k-1}) (1 − exp(b_{k-1} − b_k))
        upper, lower = below[..., 1:], below[..., :-1]
        between = functional.logsigmoid(upper) + functional.logsigmoid(-lower)
        between = between + torch.log(-torch.expm1(lower - upper))
        return torch.cat([first, between, last], -1).flatten(-2)
