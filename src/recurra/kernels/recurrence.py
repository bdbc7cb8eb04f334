"""The loop that every reference shares: one step after another, padding never felt.

A reference is three lines around `unroll`: what the input gives to all steps at once, what one
step does, and the weights. Tensors are time-major, ``(time, batch, …)``, so that one step is one
contiguous slice. A state is a tuple of ``(batch, size)`` tensors; its first entry is also what
the layer puts out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["ACTIVATIONS", "Kernel", "State", "Weights", "extent", "unroll"]

State = tuple[Tensor, ...]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda x: x,
}


class Weights(NamedTuple):
    """The weights of one layer and one direction, in torch's order and layout.

    Below, ``gates`` is 1 for Elman and Jordan, 3 for GRU (r, z, n) and 4 for LSTM (i, f, g, o);
    ``outputs``, the width of what is fed back, is ``hidden`` unless the LSTM projects or the
    layer is Jordan's.

    Parameters
    ----------
    weight_ih : Tensor, shape (gates·hidden, inputs)
        Input to hidden.
    weight_hh : Tensor, shape (gates·hidden, outputs)
        What is fed back to hidden.
    bias_ih : Tensor, shape (gates·hidden,), optional
        Of the input.
    bias_hh : Tensor, shape (gates·hidden,), optional
        Of what is fed back.
    weight_hr : Tensor, shape (outputs, hidden), optional
        The projection of an LSTM.
    weight_ho : Tensor, shape (outputs, hidden), optional
        Jordan's map from hidden to output.
    bias_ho : Tensor, shape (outputs,), optional
        Its bias.

    Examples
    --------
    >>> import torch
    >>> Weights(torch.ones(12, 3), torch.ones(12, 4)).bias_ih is None  # a GRU without biases
    True
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None
    weight_hr: Tensor | None = None
    weight_ho: Tensor | None = None
    bias_ho: Tensor | None = None


class Kernel(Protocol):
    """One layer, one direction: the signature every implementation of a cell shares."""

    def __call__(
        self,
        x: Tensor,
        state: State,
        weights: Weights,
        lengths: Tensor | None = None,
        *,
        reverse: bool = False,
    ) -> tuple[Tensor, State]:
        """Run over time; see `unroll` for what ``lengths`` and ``reverse`` promise."""


def unroll(
    step: Callable[[Tensor, State], State],
    project: Callable[[Tensor], Tensor],
    x: Tensor,
    state: State,
    lengths: Tensor | None = None,
    *,
    reverse: bool = False,
) -> tuple[Tensor, State]:
    """Run a one-step function over time, each record only as far as it goes.

    Parameters
    ----------
    step : callable
        ``step(projected_t, state) -> state``, the cell's equation for one step.
    project : callable
        What the input contributes, for all steps in one product.
    x : Tensor, shape (time, batch, inputs)
        The input; what stands at and beyond a record's length is never felt, NaN included.
    state : tuple of Tensor, each (batch, size)
        The state before the first step.
    lengths : Tensor of int64, shape (batch,), optional
        The real steps of each record, 0 to ``time``. Without it all records fill the time axis.
    reverse : bool, default False
        Start at each record's own last real step and go to step 0.

    Returns
    -------
    output : Tensor, shape (time, batch, outputs)
        The first entry of the state after each step; exactly 0 where there is no real step.
    state : tuple of Tensor, each (batch, size)
        After each record's own last step (its step 0 in reverse); unchanged for length 0.

    Notes
    -----
    The time axis is cut at the longest record, so the arithmetic, and each bit of the result, is
    the same whatever the amount of padding. Masks select and never multiply: 0 · NaN is NaN.

    Examples
    --------
    A cell that adds up its input:

    >>> import torch
    >>> x = torch.tensor([1.0, 2.0, float("nan")]).reshape(3, 1, 1)
    >>> output, state = unroll(
    ...     lambda p, s: (s[0] + p,), lambda x: x, x, (torch.zeros(1, 1),), torch.tensor([2])
    ... )
    >>> output.flatten(), state[0].flatten()
    (tensor([1., 3., 0.]), tensor([3.]))
    """
    steps, batch = x.shape[:2]
    shortest = longest = steps
    if lengths is not None:
        shortest, longest = extent(lengths)
        lengths = lengths.to(x.device)
        real = (torch.arange(longest, device=x.device)[:, None] < lengths)[:, :, None]
        x = torch.where(real, x[:longest], 0)
    projected = project(x).unbind(0)  # indexing in the loop would make its backward quadratic
    outputs = list(projected)  # every slot is replaced below
    for t in reversed(range(longest)) if reverse else range(longest):
        new = step(projected[t], state)
        if t < shortest:
            outputs[t], state = new[0], new
        else:
            outputs[t] = torch.where(real[t], new[0], 0)
            state = tuple(
                torch.where(real[t], after, before)
                for after, before in zip(new, state, strict=True)
            )
    if not outputs:
        return x.new_zeros(steps, batch, state[0].shape[-1]), state
    output = torch.stack(outputs)
    return (F.pad(output, (0, 0, 0, 0, 0, steps - longest)) if longest < steps else output), state


def extent(lengths: Tensor) -> tuple[int, int]:
    """Return the shortest and the longest length, ``(0, 0)`` for an empty batch.

    Parameters
    ----------
    lengths : Tensor of int64, shape (batch,)
        The real steps of each record.

    Returns
    -------
    tuple of int
        Shortest and longest.

    Examples
    --------
    >>> import torch
    >>> extent(torch.tensor([3, 0, 7]))
    (0, 7)
    """
    if not lengths.numel():
        return 0, 0
    shortest, longest = torch.aminmax(lengths)
    return int(shortest), int(longest)
