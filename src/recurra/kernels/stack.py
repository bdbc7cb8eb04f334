"""Layers on layers: what a stack is, and how a one-direction kernel runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from recurra.errors import OptionError, near
from recurra.kernels.recurrence import ACTIVATIONS, Kernel, State, Weights

__all__ = ["CELLS", "Stack", "layer_by_layer"]

CELLS = ("elman", "jordan", "lstm", "gru")


@dataclass(frozen=True)
class Stack:
    """The plan of a stack: what stays the same from call to call.

    Parameters
    ----------
    cell : {"elman", "jordan", "lstm", "gru"}
        The recurrence.
    num_layers : int, default 1
        Layers on layers; each reads the output of the one below.
    bidirectional : bool, default False
        Whether each layer also reads backwards; its output is both, side by side.
    dropout : float, default 0.0
        Probability of dropping a value between two layers while training.
    activation : str, default "tanh"
        Of the Elman and Jordan cells.
    output_activation : str, default "identity"
        Of the Jordan cell.

    Examples
    --------
    >>> Stack("gru", num_layers=2, bidirectional=True).runs
    4
    """

    cell: str
    num_layers: int = 1
    bidirectional: bool = False
    dropout: float = 0.0
    activation: str = "tanh"
    output_activation: str = "identity"

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise OptionError(f"There is no cell {self.cell!r}. {near(self.cell, CELLS)}")
        for name in (self.activation, self.output_activation):
            if name not in ACTIVATIONS:
                raise OptionError(f"There is no activation {name!r}. {near(name, ACTIVATIONS)}")
        if isinstance(self.num_layers, bool) or not isinstance(self.num_layers, int):
            raise OptionError(f"num_layers is {self.num_layers!r}, but must be an integer.")
        if self.num_layers < 1:
            raise OptionError(f"num_layers is {self.num_layers}, but must be 1 or more.")
        if isinstance(self.dropout, bool) or not 0 <= self.dropout <= 1:
            raise OptionError(f"dropout is {self.dropout!r}, but is a probability from 0 to 1.")

    @property
    def directions(self) -> int:
        """2 if the stack reads both ways, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def runs(self) -> int:
        """How many one-direction kernels run: layers times directions."""
        return self.num_layers * self.directions


def layer_by_layer(
    kernel: Kernel,
    stack: Stack,
    x: Tensor,
    state: State,
    weights: Sequence[Weights],
    lengths: Tensor | None = None,
    *,
    training: bool = False,
) -> tuple[Tensor, State]:
    """Run a stack with a kernel that knows one layer and one direction.

    Parameters
    ----------
    kernel : Kernel
        The implementation of the stack's cell.
    stack : Stack
        The plan.
    x : Tensor, shape (time, batch, inputs)
        The input.
    state : tuple of Tensor, each (layers·directions, batch, size)
        Before the first step, in torch's order: layer 0 forward, layer 0 reverse, layer 1 …
    weights : sequence of Weights
        One for each layer and direction, in the same order.
    lengths : Tensor of int64, shape (batch,), optional
        The real steps of each record.
    training : bool, default False
        Whether dropout acts.

    Returns
    -------
    output : Tensor, shape (time, batch, directions·outputs)
        Of the last layer.
    state : tuple of Tensor, each (layers·directions, batch, size)
        After each record's own last step.

    Examples
    --------
    >>> import torch
    >>> from recurra.kernels.elman import elman
    >>> one = Weights(torch.ones(1, 1), torch.zeros(1, 1))
    >>> two = Weights(torch.ones(1, 2), torch.zeros(1, 1))
    >>> stack = Stack("elman", num_layers=2, bidirectional=True)
    >>> x, zero = torch.ones(5, 3, 1), torch.zeros(4, 3, 1)
    >>> output, (h,) = layer_by_layer(elman, stack, x, (zero,), [one, one, two, two])
    >>> output.shape, h.shape
    (torch.Size([5, 3, 2]), torch.Size([4, 3, 1]))
    """
    finals: list[State] = []
    for layer in range(stack.num_layers):
        if layer and training and stack.dropout:
            x = F.dropout(x, stack.dropout)
        outputs = []
        for direction in range(stack.directions):
            run = layer * stack.directions + direction
            before = tuple(part[run] for part in state)
            output, after = kernel(x, before, weights[run], lengths, reverse=direction == 1)
            outputs.append(output)
            finals.append(after)
        x = torch.cat(outputs, dim=-1) if stack.bidirectional else outputs[0]
    return x, tuple(torch.stack(parts) for parts in zip(*finals, strict=True))
