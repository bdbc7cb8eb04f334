"""The GRU recurrence in plain PyTorch: the definition.

::

    r_t = σ(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)            in torch's order of gates: r, z, n
    z_t = σ(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)
    n_t = tanh(W_in x_t + b_in + r_t ⊙ (W_hn h_{t-1} + b_hn))
    h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}

K. Cho et al., arXiv:1406.1078; here, as in torch and cuDNN, the reset gate acts after the
recurrent product (the first version of the paper), so that one product serves all gates.

With a layer norm, ``LN(W_ih x_t) + b_ih`` and ``LN(W_hh h_{t-1}) + b_hh`` are what is fed in and
back, each with a gain, each normalised over all three gates: `recurra.kernels.recurrence.fed_in`.
Recurrent dropout acts on the h_{t-1} that is multiplied, not on the one that z_t lets through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recurra.kernels.recurrence import Masks, State, Weights, fed_back, fed_in, unroll

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["gru", "step"]


def step(projected: Tensor, state: State, weights: Weights, mask: Tensor | None = None) -> State:
    """One step: the state after it.

    Parameters
    ----------
    projected : Tensor, shape (batch, 3·hidden)
        ``W_ih x_t + b_ih``, normalised if there is a layer norm.
    state : tuple of one Tensor, shape (batch, hidden)
        ``(h_{t-1},)``.
    weights : Weights
        The weights of the cell.
    mask : Tensor, shape (batch, hidden), optional
        Recurrent dropout: times what is fed back.

    Returns
    -------
    tuple of one Tensor, shape (batch, hidden)
        ``(h_t,)``.

    Examples
    --------
    >>> import torch
    >>> weights = Weights(torch.ones(3, 1), torch.zeros(3, 1))
    >>> step(torch.zeros(1, 3), (torch.ones(1, 1),), weights)
    (tensor([[0.5000]]),)
    """
    (h,) = state
    r, z, n = projected.chunk(3, dim=-1)
    hr, hz, hn = fed_back(h, weights, mask).chunk(3, dim=-1)
    z = (z + hz).sigmoid()
    n = (n + (r + hr).sigmoid() * hn).tanh()
    return ((1 - z) * n + z * h,)


def gru(
    x: Tensor,
    state: State,
    weights: Weights,
    lengths: Tensor | None = None,
    *,
    reverse: bool = False,
    masks: Masks | None = None,
    decay: Tensor | None = None,
) -> tuple[Tensor, State]:
    """Run the GRU recurrence over time, one layer and one direction.

    Parameters
    ----------
    x : Tensor, shape (time, batch, inputs)
        The input.
    state : tuple of one Tensor, shape (batch, hidden)
        ``(h,)`` before the first step.
    weights : Weights
        ``weight_ih (3·hidden, inputs)``, ``weight_hh (3·hidden, hidden)``, two biases or none,
        two gains or none.
    lengths : Tensor of int64, shape (batch,), optional
        The real steps of each record.
    reverse : bool, default False
        Go from each record's own last step to step 0.
    masks : Masks, optional
        Recurrent dropout and zoneout.
    decay : Tensor, shape (time, batch, hidden), optional
        What is left of h when a step begins: h_{t-1} above is then ``decay_t ⊙ h_{t-1}``, as in
        GRU-D (Z. Che et al., arXiv:1606.01865).

    Returns
    -------
    output : Tensor, shape (time, batch, hidden)
        ``h_t``, exactly 0 beyond a record's length.
    state : tuple of one Tensor, shape (batch, hidden)
        ``(h,)`` after each record's own last step.

    Examples
    --------
    >>> import torch
    >>> weights = Weights(torch.ones(12, 3), torch.ones(12, 4))
    >>> output, (h,) = gru(torch.ones(5, 2, 3), (torch.zeros(2, 4),), weights, reverse=True)
    >>> torch.equal(output[0], h)  # in reverse the last step is step 0
    True
    """
    mask = masks.recurrent if masks else None
    return unroll(
        lambda projected, before: step(projected, before, weights, mask),
        lambda x: fed_in(x, weights),
        x,
        state,
        lengths,
        reverse=reverse,
        masks=masks,
        decay=decay,
    )
