"""Backend "reference": the definitions themselves. Runs everything, everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor

from recurra.kernels.elman import elman
from recurra.kernels.gru import gru
from recurra.kernels.jordan import jordan
from recurra.kernels.lstm import lstm
from recurra.kernels.recurrence import Kernel, State, Weights
from recurra.kernels.stack import Stack, layer_by_layer

__all__ = ["judge", "run"]


def judge(stack: Stack, x: Tensor, lengths: Tensor | None) -> tuple[bool, str]:  # noqa: ARG001
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
    >>> import torch
    >>> judge(Stack("jordan"), torch.ones(5, 2, 3), None)
    (True, 'the definition in plain PyTorch runs every input')
    """
    return True, "the definition in plain PyTorch runs every input"


def run(
    stack: Stack,
    x: Tensor,
    state: State,
    weights: Sequence[Weights],
    lengths: Tensor | None,
    training: bool,
    decay: Tensor | None = None,
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
        Whether chance acts: dropout between layers, recurrent dropout, zoneout.
    decay : Tensor, shape (layers·directions, time, batch, outputs), optional
        Of a plan with decay: what is left of the state when each step begins.

    Returns
    -------
    output : Tensor, shape (time, batch, directions·outputs)
        Of the last layer.
    state : tuple of Tensor, each (layers·directions, batch, size)
        After each record's own last step.

    Examples
    --------
    >>> import torch
    >>> weights, zero = Weights(torch.ones(4, 3), torch.eye(4)), torch.zeros(1, 2, 4)
    >>> output, (h,) = run(Stack("elman"), torch.ones(5, 2, 3), (zero,), [weights], None, False)
    >>> output.shape
    torch.Size([5, 2, 4])
    """
    kernel = kernel_of(stack)
    return layer_by_layer(kernel, stack, x, state, weights, lengths, training=training, decay=decay)


def kernel_of(stack: Stack) -> Kernel:
    if stack.cell == "elman":
        return partial(elman, activation=stack.activation)
    if stack.cell == "jordan":
        output = stack.output_activation
        return partial(jordan, activation=stack.activation, output_activation=output)
    return lstm if stack.cell == "lstm" else gru
