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

__all__ = [
    "ACTIVATIONS",
    "Kernel",
    "Masks",
    "State",
    "Weights",
    "extent",
    "fed_back",
    "fed_in",
    "unroll",
]

State = tuple[Tensor, ...]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda x: x,
}


class Weights(NamedTuple):
    """The weights of one layer and one direction, in torch's order and layout.

    Below, ``gates`` is 1 for Elman and Jordan, 3 for GRU (r, z, n), 4 for LSTM (i, f, g, o) and 3
    for an LSTM whose gates are coupled (f, g, o); ``outputs``, the width of what is fed back, is
    ``hidden`` unless the LSTM projects or the layer is Jordan's.

    Parameters
    ----------
    weight_ih : Tensor, shape (gates·hidden, inputs)
        Input to hidden.
    weight_hh : Tensor, shape (gates·hidden, outputs)
        What is fed back to hidden; (gates·hidden, hidden / heads) if it has heads: see `fed_back`.
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
    weight_ch : Tensor, shape (3, hidden), optional
        The peepholes of an LSTM: of the gates i, f, o, or (2, hidden), of f, o, if coupled.
    gain_ih : Tensor, shape (gates·hidden,), optional
        Of the layer norm of ``W_ih x``, whose bias is ``bias_ih``.
    gain_hh : Tensor, shape (gates·hidden,), optional
        Of the layer norm of what is fed back, whose bias is ``bias_hh``.
    gain_c : Tensor, shape (hidden,), optional
        Of the layer norm of an LSTM's c.
    bias_c : Tensor, shape (hidden,), optional
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
    weight_ch: Tensor | None = None
    gain_ih: Tensor | None = None
    gain_hh: Tensor | None = None
    gain_c: Tensor | None = None
    bias_c: Tensor | None = None


class Masks(NamedTuple):
    """What chance decided about one layer and one direction, before it runs.

    Zoneout (Krueger et al., arXiv:1606.01305) blends the state before a step with what the cell
    computes from it, s̃_t: ``s_t = k_t ⊙ s_{t-1} + (1 - k_t) ⊙ s̃_t``. All of s̃_t is computed from
    the blended state before, and nothing in it from another blended part of s_t.

    Parameters
    ----------
    recurrent : Tensor, shape (batch, outputs), optional
        Recurrent dropout, the same at every step (Gal and Ghahramani, arXiv:1512.05287): times
        what is fed back, where it meets ``weight_hh`` and nowhere else. 0 or 1 / (1 - p).
    zoneout_h : Tensor, shape (time, batch, outputs), optional
        k_t of the state's first tensor: 0 or 1 while training, else p throughout.
    zoneout_c : Tensor, shape (time, batch, hidden), optional
        k_t of an LSTM's c.

    Examples
    --------
    >>> import torch
    >>> Masks(recurrent=torch.tensor([[0.0, 2.0]])).zoneout_h is None
    True
    """

    recurrent: Tensor | None = None
    zoneout_h: Tensor | None = None
    zoneout_c: Tensor | None = None


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
        masks: Masks | None = None,
        decay: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """Run over time; see `unroll` for what the arguments after ``weights`` promise."""


def fed_in(x: Tensor, weights: Weights) -> Tensor:
    """Compute what the input contributes to the gates.

    ::

        W_ih x + b_ih          or, with gain_ih, LN(W_ih x) + b_ih
        LN(z) = (z - mean) / √(variance + 1e-5) ⊙ gain           over all gates together

    The layer norm is that of J. Ba et al., arXiv:1607.06450.

    Parameters
    ----------
    x : Tensor, shape (…, inputs)
        The input.
    weights : Weights
        Of the cell.

    Returns
    -------
    Tensor, shape (…, gates·hidden)
        The contribution.

    Examples
    --------
    >>> import torch
    >>> weights = Weights(torch.tensor([[1.0], [3.0]]), torch.ones(2, 2), gain_ih=torch.ones(2))
    >>> fed_in(torch.ones(1), weights)
    tensor([-1.0000,  1.0000])
    """
    if weights.gain_ih is None:
        return F.linear(x, weights.weight_ih, weights.bias_ih)
    product = F.linear(x, weights.weight_ih)
    return F.layer_norm(product, product.shape[-1:], weights.gain_ih, weights.bias_ih)


def fed_back(h: Tensor, weights: Weights, mask: Tensor | None = None) -> Tensor:
    """Compute what is fed back to the gates.

    ::

        W_hh (h ⊙ mask) + b_hh          or, with gain_hh, LN(W_hh (h ⊙ mask)) + b_hh

    Where ``weight_hh`` is narrower than h, there are heads: h is split into as many groups, and
    each gate's rows too, in order; a row reads the group of its own head only.

    Parameters
    ----------
    h : Tensor, shape (batch, outputs)
        What is fed back.
    weights : Weights
        Of the cell.
    mask : Tensor, shape (batch, outputs), optional
        Recurrent dropout.

    Returns
    -------
    Tensor, shape (batch, gates·hidden)
        The contribution.

    Examples
    --------
    Two heads of one unit each:

    >>> import torch
    >>> weights = Weights(torch.ones(2, 1), torch.tensor([[10.0], [100.0]]))
    >>> fed_back(torch.tensor([[1.0, 2.0]]), weights)
    tensor([[ 10., 200.]])
    """
    h, weight, width = (h if mask is None else h * mask), weights.weight_hh, h.shape[-1]
    gain, bias = weights.gain_hh, weights.bias_hh
    if weight.shape[1] == width:
        product = F.linear(h, weight, bias if gain is None else None)
    else:
        heads = (width // weight.shape[1], weight.shape[1])
        blocks = weight.unflatten(0, (-1, *heads))
        product = torch.einsum("gkij,bkj->bgki", blocks, h.unflatten(-1, heads)).flatten(1)
        product = product + bias if gain is None and bias is not None else product
    return product if gain is None else F.layer_norm(product, product.shape[-1:], gain, bias)


def unroll(
    step: Callable[[Tensor, State], State],
    project: Callable[[Tensor], Tensor],
    x: Tensor,
    state: State,
    lengths: Tensor | None = None,
    *,
    reverse: bool = False,
    masks: Masks | None = None,
    decay: Tensor | None = None,
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
    masks : Masks, optional
        Its zoneout acts here, at step t with its own entry t; its recurrent dropout is the step's.
    decay : Tensor, shape (time, batch, outputs), optional
        What is left of the state when step t begins: ``decay_t ⊙ s`` is what the step, and its
        zoneout, find of each tensor s of the state. Not felt beyond a record's length, as ``x``.

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
    kept = (masks.zoneout_h, masks.zoneout_c)[: len(state)] if masks else ()
    shortest = longest = steps
    if lengths is not None:
        shortest, longest = extent(lengths)
        lengths = lengths.to(x.device)
        real = (torch.arange(longest, device=x.device)[:, None] < lengths)[:, :, None]
        x = torch.where(real, x[:longest], 0)
        decay = None if decay is None else torch.where(real, decay[:longest], 1)
    projected = project(x).unbind(0)  # indexing in the loop would make its backward quadratic
    decays = () if decay is None else decay.unbind(0)
    outputs = list(projected)  # every slot is replaced below
    for t in reversed(range(longest)) if reverse else range(longest):
        found = tuple(decays[t] * part for part in state) if decays else state
        new = step(projected[t], found)
        if kept:
            new = tuple(
                after if share is None else share[t] * before + (1 - share[t]) * after
                for share, before, after in zip(kept, found, new, strict=True)
            )
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
