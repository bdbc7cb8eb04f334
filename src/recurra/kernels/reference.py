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
    """Whether this backend runs the input, and why (not); `recurra.kernels.dispatch` asks."""
    return True, "the definition in plain PyTorch runs every input"


def run(
    stack: Stack,
    x: Tensor,
    state: State,
    weights: Sequence[Weights],
    lengths: Tensor | None,
    training: bool,
) -> tuple[Tensor, State]:
    """Run the stack; see `recurra.kernels.run`."""
    return layer_by_layer(_kernel(stack), stack, x, state, weights, lengths, training=training)


def _kernel(stack: Stack) -> Kernel:
    if stack.cell == "elman":
        return partial(elman, activation=stack.activation)
    if stack.cell == "jordan":
        output = stack.output_activation
        return partial(jordan, activation=stack.activation, output_activation=output)
    return lstm if stack.cell == "lstm" else gru
