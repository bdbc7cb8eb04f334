"""The LSTM recurrence in plain PyTorch: the definition.

::

    i, f, g, o = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh        in torch's order of gates
    c_t = σ(f) ⊙ c_{t-1} + σ(i) ⊙ tanh(g)
    h_t = σ(o) ⊙ tanh(c_t)                                    times W_hr if there is a projection

S. Hochreiter and J. Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997;
the forget gate: F. Gers et al., Learning to forget, Neural Computation 12(10), 2000;
the projection: H. Sak et al., arXiv:1402.1128.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional as F

from recurra.kernels.recurrence import State, Weights, unroll

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["lstm", "step"]


def step(projected: Tensor, state: State, weights: Weights) -> State:
    """One step: the state after it.

    Parameters
    ----------
    projected : Tensor, shape (batch, 4·hidden)
        ``W_ih x_t + b_ih``.
    state : tuple of two Tensors, shapes (batch, outputs) and (batch, hidden)
        ``(h_{t-1}, c_{t-1})``.
    weights : Weights
        The weights of the cell.

    Returns
    -------
    tuple of two Tensors, shapes (batch, outputs) and (batch, hidden)
        ``(h_t, c_t)``.

    Examples
    --------
    >>> import torch
    >>> weights = Weights(torch.ones(4, 1), torch.ones(4, 1))
    >>> h, c = step(torch.zeros(1, 4), (torch.zeros(1, 1), torch.ones(1, 1)), weights)
    >>> c  # the forget gate stands half open
    tensor([[0.5000]])
    """
    h, c = state
    gates = projected + F.linear(h, weights.weight_hh, weights.bias_hh)
    i, f, g, o = gates.chunk(4, dim=-1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return (h if weights.weight_hr is None else F.linear(h, weights.weight_hr)), c


def lstm(
    x: Tensor,
    state: State,
    weights: Weights,
    lengths: Tensor | None = None,
    *,
    reverse: bool = False,
) -> tuple[Tensor, State]:
    """Run the LSTM recurrence over time, one layer and one direction.

    Parameters
    ----------
    x : Tensor, shape (time, batch, inputs)
        The input.
    state : tuple of two Tensors, shapes (batch, outputs) and (batch, hidden)
        ``(h, c)`` before the first step.
    weights : Weights
        ``weight_ih (4·hidden, inputs)``, ``weight_hh (4·hidden, outputs)``, two biases or none,
        ``weight_hr (outputs, hidden)`` or none.
    lengths : Tensor of int64, shape (batch,), optional
        The real steps of each record.
    reverse : bool, default False
        Go from each record's own last step to step 0.

    Returns
    -------
    output : Tensor, shape (time, batch, outputs)
        ``h_t``, exactly 0 beyond a record's length.
    state : tuple of two Tensors, shapes (batch, outputs) and (batch, hidden)
        ``(h, c)`` after each record's own last step.

    Examples
    --------
    >>> import torch
    >>> weights = Weights(torch.ones(16, 3), torch.ones(16, 4))
    >>> zero = torch.zeros(2, 4)
    >>> output, (h, c) = lstm(torch.ones(5, 2, 3), (zero, zero), weights, torch.tensor([5, 0]))
    >>> output.shape, torch.equal(c[1], zero[1])
    (torch.Size([5, 2, 4]), True)
    """
    return unroll(
        lambda projected, before: step(projected, before, weights),
        lambda x: F.linear(x, weights.weight_ih, weights.bias_ih),
        x,
        state,
        lengths,
        reverse=reverse,
    )
