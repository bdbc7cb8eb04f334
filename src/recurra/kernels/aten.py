"""Backend "aten": the recurrent kernels that torch itself has, behind our promises.

Torch runs a whole stack in one call, so this backend does too. A batch whose records are equally
long goes as it is (oneDNN or cuDNN where torch has them); a ragged one goes packed. Packing reads
only the real steps, in one gather, so what stands in the padding cannot be felt; it also lets a
record be empty, which ``torch.nn.utils.rnn.pack_padded_sequence`` does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from recurra.kernels.recurrence import State, Weights
from recurra.kernels.stack import Stack

__all__ = ["flatten", "judge", "run"]

_CALLS: dict[tuple[str, str], Any] = {
    ("elman", "tanh"): torch.rnn_tanh,
    ("elman", "relu"): torch.rnn_relu,
    ("lstm", "tanh"): torch.lstm,
    ("gru", "tanh"): torch.gru,
}


def judge(stack: Stack, x: Tensor, lengths: Tensor | None) -> tuple[bool, str]:
    """Say whether this backend runs an input.

    Parameters
    ----------
    stack : Stack
        The plan.
    x : Tensor, shape (time, batch, inputs)
        The input; the time axis ends with the longest record.
    lengths : Tensor of int64, shape (batch,), or None
        The real steps of each record; None if all fill the time axis.

    Returns
    -------
    able : bool
        Whether it does.
    reason : str
        Why, or why not, as half a sentence.

    Examples
    --------
    >>> judge(Stack("jordan"), torch.ones(5, 2, 3), None)
    (False, 'torch has no Jordan kernel')
    """
    if stack.cell == "jordan":
        return False, "torch has no Jordan kernel"
    if (stack.cell, stack.activation) not in _CALLS:
        return False, f"torch has no Elman kernel with {stack.activation}"
    if stack.options:
        unknown = " and ".join(f"{name}={getattr(stack, name)}" for name in stack.options)
        return False, f"torch's kernels do not know {unknown}"
    if not x.numel():
        return False, "torch's kernels refuse a batch without a single real step"
    if lengths is None:
        return True, "torch's own kernel: all records are equally long"
    return True, "torch's own kernel, packed: the records differ in length"


def run(
    stack: Stack,
    x: Tensor,
    state: State,
    weights: Sequence[Weights],
    lengths: Tensor | None,
    training: bool,
    decay: Tensor | None = None,  # noqa: ARG001
) -> tuple[Tensor, State]:
    """Run a stack on an input that `judge` has let pass.

    Parameters
    ----------
    stack : Stack
        The plan.
    x : Tensor, shape (time, batch, inputs)
        The input; the time axis ends with the longest record.
    state : tuple of Tensor, each (layers·directions, batch, size)
        Before the first step.
    weights : sequence of Weights
        One for each layer and direction.
    lengths : Tensor of int64, shape (batch,), or None
        The real steps of each record; None if all fill the time axis.
    training : bool
        Whether dropout acts.
    decay : Tensor, optional
        None: `judge` lets no plan with decay pass.

    Returns
    -------
    output : Tensor, shape (time, batch, directions·outputs)
        Of the last layer.
    state : tuple of Tensor, each (layers·directions, batch, size)
        After each record's own last step.

    Examples
    --------
    >>> weights, zero = Weights(torch.ones(4, 3), torch.eye(4)), torch.zeros(1, 2, 4)
    >>> output, (h,) = run(Stack("elman"), torch.ones(5, 2, 3), (zero,), [weights], None, False)
    >>> output.shape
    torch.Size([5, 2, 4])
    """
    call = _CALLS[stack.cell, stack.activation]
    flat = [weight for one in weights for weight in one if weight is not None]
    biased = weights[0].bias_ih is not None
    options = (biased, stack.num_layers, stack.dropout, training, stack.bidirectional)
    if lengths is None:
        output, *final = call(x, _handed(state), flat, *options, False)
        return output, tuple(final)

    packing = _packing(lengths, x.device)
    before = tuple(part.index_select(1, packing.records) for part in state)
    steps = x[packing.times, packing.rows]
    data, *final = call(steps, packing.batch_sizes, _handed(before), flat, *options)
    output = data.new_zeros(*x.shape[:2], data.shape[-1])
    output = output.index_put((packing.times, packing.rows), data)
    after = (
        part.index_copy(1, packing.records, new) for part, new in zip(state, final, strict=True)
    )
    return output, tuple(after)


def flatten(stack: Stack, weights: Sequence[Weights]) -> None:
    """Lay the weights side by side in GPU memory, in place, where cuDNN would copy them otherwise.

    Parameters
    ----------
    stack : Stack
        The plan.
    weights : sequence of Weights
        One for each layer and direction; left as they are unless cuDNN takes them.
    """
    flat = [weight for one in weights for weight in one if weight is not None]
    first = weights[0]
    if (
        (stack.cell, stack.activation) not in _CALLS
        or stack.options
        or not first.weight_ih.is_cuda
        or not torch.backends.cudnn.is_acceptable(first.weight_ih)
        or len({(one.device, one.dtype) for one in flat}) > 1
        or len({one.data_ptr() for one in flat}) < len(flat)
    ):
        return
    from torch.backends.cudnn.rnn import get_cudnn_mode  # here: it is needed on a GPU only

    mode = f"RNN_{stack.activation.upper()}" if stack.cell == "elman" else stack.cell.upper()
    projected = first.weight_hr is not None
    outputs = first.weight_hh.shape[1]
    hidden = first.weight_hr.shape[1] if first.weight_hr is not None else outputs
    with torch.cuda.device(first.weight_ih.device), torch.no_grad():
        torch._cudnn_rnn_flatten_weight(
            flat,
            len(flat) // stack.runs,
            first.weight_ih.shape[1],
            get_cudnn_mode(mode),
            hidden,
            outputs if projected else 0,
            stack.num_layers,
            False,
            stack.bidirectional,
        )


class _Packing(NamedTuple):
    """Where each packed step stands in the batch; longest records first, empty ones left out."""

    times: Tensor
    rows: Tensor
    records: Tensor
    batch_sizes: Tensor


def _packing(lengths: Tensor, device: torch.device) -> _Packing:
    lengths = lengths.cpu()
    ordered, order = lengths.sort(descending=True, stable=True)
    real = torch.arange(int(ordered[0]))[:, None] < ordered
    times, ranks = real.nonzero(as_tuple=True)
    records = order[: int((lengths > 0).sum())]
    rows = order[ranks]
    return _Packing(times.to(device), rows.to(device), records.to(device), real.sum(1))


def _handed(state: State) -> Tensor | State:
    """The state as torch's calls want it: alone, or the pair of an LSTM."""
    return state[0] if len(state) == 1 else state
