r"""How far back a state is felt: gradients by time lag, and by parameter.

With :math:`s_t` the state after step t (of an LSTM, h and c together) and a random direction v of
the last one,

.. math:: g_k = \Bigl\lVert \Bigl(\frac{\partial s_T}{\partial s_{T-k}}\Bigr)^{\!\top} v
          \Bigr\rVert, \qquad v \sim N(0, I),

so that :math:`E\,g_k^2` is the squared Frobenius norm of the product of Jacobians that a gradient
is multiplied by on its way back over k steps. It depends on no head and no loss: where a head reads
every step, the gradient of its loss enters at every step too, and by lag it would say nothing of
the memory. Vanishing and exploding gradients are those of Hochreiter (1991; 1998,
doi:10.1142/S0218488598000094), Bengio et al. (1994, doi:10.1109/72.279181) and Pascanu et al.
(2013, arXiv:1211.5063).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from recurra.diagnosing.walking import Walk
from recurra.types import Floats

__all__ = ["ParameterGradient", "by_parameter", "lag_norms", "memory_of", "rate_of"]

END = 0.01
"""Of the norm at lag 0: where a memory is said to end. Less is lost in the noise of a batch."""
TINIEST, LARGEST = 1e-30, 1e300  # of a norm, so that it has a logarithm


def lag_norms(walk: Walk, seed: int = 0) -> Floats:
    """Measure how strongly the last state depends on that of k steps before.

    Parameters
    ----------
    walk : Walk
        A layer in one direction.
    seed : int
        Of the random direction.

    Returns
    -------
    ndarray, shape (lags + 1,)
        The geometric mean over records, 1 at lag 0; as far as half of the records reach.

    Examples
    --------
    Half of a state is kept at each step:

    >>> from recurra.diagnosing.listening import listening
    >>> from recurra.diagnosing.walking import walked
    >>> from recurra.layers import GRU
    >>> layer = GRU(1, 1, bias=False)
    >>> for weight in layer.parameters():
    ...     _ = nn.init.zeros_(weight)
    >>> with listening(layer) as calls:
    ...     _ = layer(torch.ones(3, 2, 1))
    >>> lag_norms(walked(calls[0])[0]).round(3).tolist()
    [1.0, 0.5, 0.25, 0.125]
    """
    lengths, steps = walk.lengths, walk.steps
    if not steps or not len(lengths):
        return np.ones(1)
    chance = torch.Generator().manual_seed(seed)
    last = walk.states[-1]
    drawn = [torch.randn(part.shape, generator=chance, dtype=part.dtype) for part in last]
    with torch.enable_grad():
        aim = sum((part * v).sum() for part, v in zip(last, drawn, strict=True))
    every = [part for state in walk.states for part in state]
    found = torch.autograd.grad(aim, every, allow_unused=True, retain_graph=True)  # type: ignore[arg-type]
    parts = torch.stack([
        torch.zeros(len(lengths), dtype=torch.float64) if g is None else _length(g) for g in found
    ])  # fmt: skip
    norms = _length(parts.view(steps + 1, len(last), -1).transpose(1, 2))
    lags = torch.arange(steps + 1)[:, None]
    by_lag = norms.gather(0, (lengths - lags).clamp(min=0)).clamp(TINIEST, LARGEST).log()
    there = lags <= lengths
    enough = there.double().mean(1) >= 0.5
    logs = torch.where(there, by_lag - by_lag[0], 0.0).sum(1) / there.sum(1).clamp(min=1)
    norms_by_lag: Floats = logs[enough].exp().numpy()
    return norms_by_lag


def _length(vectors: Tensor) -> Tensor:
    """Give the Euclidean norm along the last axis; what overflows is infinite, and no NaN."""
    largest = vectors.abs().amax(-1, keepdim=True).nan_to_num(nan=float("inf"))
    scale = torch.where((largest > 0) & largest.isfinite(), largest, 1.0)
    norms = scale[..., 0] * (vectors / scale).pow(2).sum(-1).sqrt()
    return norms.nan_to_num(nan=float("inf"), posinf=float("inf"))


def memory_of(norms: Floats, end: float = END) -> float:
    """Find the lag at which a gradient falls below a share of its beginning.

    Parameters
    ----------
    norms : ndarray, shape (lags + 1,)
        By lag, 1 at lag 0.
    end : float
        The share.

    Returns
    -------
    float
        Between two lags, on a logarithmic scale; infinite where it does not fall so far.

    Examples
    --------
    >>> round(memory_of(0.5 ** np.arange(20.0)), 2), memory_of(np.ones(5))
    (6.64, inf)
    """
    below = np.flatnonzero(~(norms >= end))
    if not below.size:
        return float("inf")
    lag = int(below[0])
    high, low = np.log(max(norms[lag - 1], TINIEST)), np.log(max(norms[lag], TINIEST))
    return float(lag - 1 + (high - np.log(end)) / max(high - low, 1e-12))


def rate_of(norms: Floats, end: float = END) -> float:
    r"""Say by what factor a gradient changes at each step back: the slope of its logarithm.

    Parameters
    ----------
    norms : ndarray, shape (lags + 1,)
        By lag.
    end : float
        Beyond the lag at which it falls below this share it is not looked at.

    Returns
    -------
    float
        :math:`e^{b}` of the least-squares line :math:`\log g_k ≈ a + b k`: below 1 where it
        vanishes, above where it explodes; 1 where there are no lags.

    Examples
    --------
    >>> round(rate_of(0.5 ** np.arange(20.0)), 3), round(rate_of(1.1 ** np.arange(20.0)), 3)
    (0.5, 1.1)
    """
    last = memory_of(norms, end)
    count = len(norms) if last == float("inf") else max(int(np.ceil(last)) + 1, 2)
    logs = np.log(np.maximum(norms[:count], TINIEST))
    if len(logs) < 2:
        return 1.0
    return float(np.exp(np.polyfit(np.arange(len(logs)), logs, 1)[0]))


@dataclass(frozen=True)
class ParameterGradient:
    """The gradient of the mean loss by one parameter.

    Attributes
    ----------
    name : str
        Of the parameter.
    gradient : float
        Euclidean norm of its gradient.
    weight : float
        Euclidean norm of the parameter.
    """

    name: str
    gradient: float
    weight: float


def by_parameter(network: nn.Module, count: int) -> tuple[ParameterGradient, ...]:
    """Read how long the gradient of each parameter is.

    Parameters
    ----------
    network : torch.nn.Module
        After ``backward`` of a summed loss.
    count : int
        How many targets were summed over.

    Returns
    -------
    tuple of ParameterGradient
        In the order of the network; those without a gradient are left out.
    """
    return tuple(
        ParameterGradient(
            name,
            float(each.grad.double().norm()) / max(count, 1),
            float(each.detach().double().norm()),
        )
        for name, each in network.named_parameters()
        if each.grad is not None
    )
