"""The Elman recurrence in plain PyTorch: the definition.

::

    h_t = act(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)          act: tanh, relu or sigmoid

With a layer norm: ``act(LN(W_ih x_t) + b_ih + LN(W_hh h_{t-1}) + b_hh)``, each with a gain; see
`recurra.kernels.recurrence.fed_in`.

J. L. Elman, Finding structure in time, Cognitive Science 14(2), 1990.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recurra.kernels.recurrence import ACTIVATIONS, Masks, State, Weights, fed_back, fed_in, unroll

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["elman", "step"]


def step(
    projected: Tensor,
    state: State,
    weights: Weights,
    activation: str = "tanh",
    mask: Tensor | None = None,
) -> State:
    """One step: the state after it.

    Parameters
    ----------
    projected : Tensor, shape (batch, hidden)
        ``W_ih x_t + b_ih``, normalised if there is a layer norm.
    state : tuple of one Tensor, shape (batch, hidden)
        ``(h_{t-1},)``.
    weights : Weights
        The weights of the cell.
    activation : {"tanh", "relu", "sigmoid"}, default "tanh"
        The activation.
    mask : Tensor, shape (batch, hidden), optional
        Recurrent dropout: times what is fed back.

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
    return (ACTIVATIONS[activation](projected + fed_back(h, weights, mask)),)


def elman(
    x: Tensor,
    state: State,
    weights: Weights,
    lengths: Tensor | None = None,
    *,
    reverse: bool = False,
    activation: str = "tanh",
    masks: Masks | None = None,
    decay: Tensor | None = None,
) -> tuple[Tensor, State]:
    """Run the Elman recurrence over time, one layer and one direction.

    Parameters
    ----------
    x : Tensor, shape (time, batch, inputs)
        The input.
    state : tuple of one Tensor, shape (batch, hidden)
        ``(h,)`` before the first step.
    weights : Weights
        ``weight_ih (hidden, inputs)``, ``weight_hh (hidden, hidden)``, two biases or none,
        two gains or none.
    lengths : Tensor of int64, shape (batch,), optional
        The real steps of each record.
    reverse : bool, default False
        Go from each record's own last step to step 0.
    activation : {"tanh", "relu", "sigmoid"}, default "tanh"
        The activation.
    masks : Masks, optional
        Recurrent dropout and zoneout.
    decay : Tensor, shape (time, batch, hidden), optional
        What is left of h when a step begins: h_{t-1} above is then ``decay_t ⊙ h_{t-1}``.

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
    mask = masks.recurrent if masks else None
    return unroll(
        lambda projected, before: step(projected, before, weights, activation, mask),
        lambda x: fed_in(x, weights),
        x,
        state,
        lengths,
        reverse=reverse,
        masks=masks,
        decay=decay,
    )
