"""The Elman recurrence in plain PyTorch: the definition.

::

    h_t = act(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)          act: tanh, relu or sigmoid

J. L. Elman, Finding structure in time, Cognitive Science 14(2), 1990.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional as F

from recurra.kernels.recurrence import ACTIVATIONS, State, Weights, unroll

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["elman", "step"]


def step(projected: Tensor, state: State, weights: Weights, activation: str = "tanh") -> State:
    """One step: the state after it.

    Parameters
    ----------
    projected : Tensor, shape (batch, hidden)
        ``W_ih x_t + b_ih``.
    state : tuple of one Tensor, shape (batch, hidden)
        ``(h_{t-1},)``.
    weights : Weights
        The weights of the cell.
    activation : {"tanh", "relu", "sigmoid"}, default "tanh"
        The activation.

    Returns
    -------
    tuple of one Tensor, shape (batch, hidden)
        ``(h_t,)``.

    Examples
    --------
    >>> import torch
    >>> weights = Weights(torch.ones(1, 1), torch.ones(1, 1))
    >>> step(torch.ones(1, 1), (torch.ones(1, 1),), weights, "relu")
    (tensor([[2.]]),)
    """
    (h,) = state
    recurrent = F.linear(h, weights.weight_hh, weights.bias_hh)
    return (ACTIVATIONS[activation](projected + recurrent),)


def elman(
    x: Tensor,
    state: State,
    weights: Weights,
    lengths: Tensor | None = None,
    *,
    reverse: bool = False,
    activation: str = "tanh",
) -> tuple[Tensor, State]:
    """Run the Elman recurrence over time, one layer and one direction.

    Parameters
    ----------
    x : Tensor, shape (time, batch, inputs)
        The input.
    state : tuple of one Tensor, shape (batch, hidden)
        ``(h,)`` before the first step.
    weights : Weights
        ``weight_ih (hidden, inputs)``, ``weight_hh (hidden, hidden)``, two biases or none.
    lengths : Tensor of int64, shape (batch,), optional
        The real steps of each record.
    reverse : bool, default False
        Go from each record's own last step to step 0.
    activation : {"tanh", "relu", "sigmoid"}, default "tanh"
        The activation.

    Returns
    -------
    output : Tensor, shape (time, batch, hidden)
        ``h_t``, exactly 0 beyond a record's length.
    state : tuple of one Tensor, shape (batch, hidden)
        ``(h,)`` after each record's own last step.

    Examples
    --------
    >>> import torch
    >>> weights = Weights(torch.ones(4, 3), torch.eye(4))
    >>> output, (h,) = elman(torch.ones(5, 2, 3), (torch.zeros(2, 4),), weights)
    >>> output.shape, h.shape
    (torch.Size([5, 2, 4]), torch.Size([2, 4]))
    """
    return unroll(
        lambda projected, before: step(projected, before, weights, activation),
        lambda x: F.linear(x, weights.weight_ih, weights.bias_ih),
        x,
        state,
        lengths,
        reverse=reverse,
    )
