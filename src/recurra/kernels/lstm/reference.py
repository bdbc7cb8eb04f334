"""The LSTM recurrence in plain PyTorch: the definition.

::

    i, f, g, o = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh        in torch's order of gates
    c_t = σ(f) ⊙ c_{t-1} + σ(i) ⊙ tanh(g)
    h_t = σ(o) ⊙ tanh(c_t)                                    times W_hr if there is a projection

S. Hochreiter and J. Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997;
the forget gate: F. Gers et al., Learning to forget, Neural Computation 12(10), 2000;
the projection: H. Sak et al., arXiv:1402.1128.

What the weights hold decides what else there is, in any combination but heads with a projection:

- Peepholes, ``weight_ch``: the gates also see c, ``i + p_i ⊙ c_{t-1}``, ``f + p_f ⊙ c_{t-1}`` and
  ``o + p_o ⊙ c_t`` (F. Gers and J. Schmidhuber, Recurrent nets that time and count, IJCNN 2000).
- Coupled gates, three of them (f, g, o): ``1 - σ(f)`` takes the place of σ(i)
  (K. Greff et al., arXiv:1503.04069, variant CIFG).
- Layer norm, ``gain_ih``, ``gain_hh``, ``gain_c``: the gates are ``LN(W_ih x_t) + b_ih`` plus
  ``LN(W_hh h_{t-1}) + b_hh``, each normalised over all of them, and h_t is
  ``σ(o) ⊙ tanh(LN(c_t) + b_c)`` (J. Ba et al., arXiv:1607.06450). The c that is carried, and that
  peepholes see, is as it was.
- Heads, a narrower ``weight_hh``: units feed back within their group only
  (as in the sLSTM of M. Beck et al., arXiv:2405.04517).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional as F

from recurra.kernels.recurrence import Masks, State, Weights, fed_back, fed_in, unroll

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["lstm", "step"]


def step(projected: Tensor, state: State, weights: Weights, mask: Tensor | None = None) -> State:
    """One step: the state after it.

    Parameters
    ----------
    projected : Tensor, shape (batch, gates·hidden)
        ``W_ih x_t + b_ih``, normalised if there is a layer norm.
    state : tuple of two Tensors, shapes (batch, outputs) and (batch, hidden)
        ``(h_{t-1}, c_{t-1})``.
    weights : Weights
        The weights of the cell.
    mask : Tensor, shape (batch, outputs), optional
        Recurrent dropout: times what is fed back.

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
    gates, peepholes = projected + fed_back(h, weights, mask), weights.weight_ch
    *i_f, g, o = gates.split(c.shape[-1], dim=-1)  # without i if it is coupled to f
    if peepholes is not None:
        i_f = [gate + p * c for gate, p in zip(i_f, peepholes[:-1], strict=True)]
    *i, f = (gate.sigmoid() for gate in i_f)
    c = f * c + (i[0] if i else 1 - f) * g.tanh()
    if peepholes is not None:
        o = o + peepholes[-1] * c
    gain, bias = weights.gain_c, weights.bias_c
    read = c if gain is None else F.layer_norm(c, c.shape[-1:], gain, bias)
    h = o.sigmoid() * read.tanh()
    return (h if weights.weight_hr is None else F.linear(h, weights.weight_hr)), c


def lstm(
    x: Tensor,
    state: State,
    weights: Weights,
    lengths: Tensor | None = None,
    *,
    reverse: bool = False,
    masks: Masks | None = None,
    decay: Tensor | None = None,
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
        ``weight_hr (outputs, hidden)`` or none; see the options above.
    lengths : Tensor of int64, shape (batch,), optional
        The real steps of each record.
    reverse : bool, default False
        Go from each record's own last step to step 0.
    masks : Masks, optional
        Recurrent dropout and zoneout. Zoneout lets h_t come from the c_t before its own blend.
    decay : Tensor, shape (time, batch, hidden), optional
        What is left of h and c alike when a step begins: time wears what an LSTM remembers and
        what it last said of it. Not with a projection, where both differ in width.

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
