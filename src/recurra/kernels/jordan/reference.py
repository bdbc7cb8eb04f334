"""The Jordan recurrence in plain PyTorch: the definition.

::

    h_t = act(W_ih x_t + b_ih + W_hh y_{t-1} + b_hh)
    y_t = act_out(W_ho h_t + b_ho)

M. I. Jordan, Serial order: a parallel distributed processing approach, ICS Report 8604, 1986.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional as F

from recurra.kernels.recurrence import ACTIVATIONS, State, Weights, unroll

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["jordan", "step"]


def step(
    projected: Tensor,
    state: State,
    weights: Weights,
    activation: str = "tanh",
    output_activation: str = "identity",
) -> State:
    """One step: the state, which is the output, after it.

    Parameters
    ----------
    projected : Tensor, shape (batch, hidden)
        ``W_ih x_t + b_ih``.
    state : tuple of one Tensor, shape (batch, outputs)
        ``(y_{t-1},)``.
    weights : Weights
        The weights of the cell, ``weight_ho`` among them.
    activation : {"tanh", "relu", "sigmoid", "identity"}, default "tanh"
        The activation of the hidden layer.
    output_activation : {"identity", "tanh", "relu", "sigmoid"}, default "identity"
        The activation of the output.

    Returns
    -------
    tuple of one Tensor, shape (batch, outputs)
        ``(y_t,)``.

    Examples
    --------
    >>> import torch
    >>> one = torch.ones(1, 1)
    >>> step(one, (one,), Weights(one, one, weight_ho=3 * one), "relu")
    (tensor([[6.]]),)
    """
    (y,) = state
    assert weights.weight_ho is not None, "Jordan's weights hold weight_ho"
    recurrent = F.linear(y, weights.weight_hh, weights.bias_hh)
    h = ACTIVATIONS[activation](projected + recurrent)
    return (ACTIVATIONS[output_activation](F.linear(h, weights.weight_ho, weights.bias_ho)),)


def jordan(
    x: Tensor,
    state: State,
    weights: Weights,
    lengths: Tensor | None = None,
    *,
    reverse: bool = False,
    activation: str = "tanh",
    output_activation: str = "identity",
) -> tuple[Tensor, State]:
    """Run the Jordan recurrence over time, one layer and one direction.

    Parameters
    ----------
    x : Tensor, shape (time, batch, inputs)
        The input.
    state : tuple of one Tensor, shape (batch, outputs)
        ``(y,)`` before the first step.
    weights : Weights
        ``weight_ih (hidden, inputs)``, ``weight_hh (hidden, outputs)``,
        ``weight_ho (outputs, hidden)``, three biases or none.
    lengths : Tensor of int64, shape (batch,), optional
        The real steps of each record.
    reverse : bool, default False
        Go from each record's own last step to step 0.
    activation : {"tanh", "relu", "sigmoid", "identity"}, default "tanh"
        The activation of the hidden layer.
    output_activation : {"identity", "tanh", "relu", "sigmoid"}, default "identity"
        The activation of the output.

    Returns
    -------
    output : Tensor, shape (time, batch, outputs)
        ``y_t``, exactly 0 beyond a record's length.
    state : tuple of one Tensor, shape (batch, outputs)
        ``(y,)`` after each record's own last step.

    Examples
    --------
    >>> import torch
    >>> weights = Weights(torch.ones(4, 3), torch.ones(4, 2), weight_ho=torch.ones(2, 4))
    >>> output, (y,) = jordan(torch.ones(5, 1, 3), (torch.zeros(1, 2),), weights)
    >>> output.shape, torch.equal(output[-1], y)
    (torch.Size([5, 1, 2]), True)
    """
    return unroll(
        lambda projected, before: step(projected, before, weights, activation, output_activation),
        lambda x: F.linear(x, weights.weight_ih, weights.bias_ih),
        x,
        state,
        lengths,
        reverse=reverse,
    )
