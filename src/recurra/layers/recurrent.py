"""What all recurrent layers share: parameters, the checks at the door, a sequence, a step."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from recurra import kernels
from recurra.errors import OptionError, ShapeError
from recurra.kernels import Choice, Stack, Weights
from recurra.layers.initialisation import check_initialisation, initialise
from recurra.layers.lengths import check_lengths

__all__ = ["LayerState", "Lengths", "Recurrent"]

Lengths = Tensor | Sequence[int]
LayerState = Tensor | tuple[Tensor, ...]
"""What a layer carries: a tensor (layers·directions, batch, size), or an LSTM's pair of them."""


class Recurrent(nn.Module, ABC):
    """The abstract base of the recurrent layers: a stack of one cell, over time.

    Use `RNN`, `LSTM`, `GRU` or `Jordan`. A subclass names its cell's gates and states and may add
    parameters in `shapes`; it defines no arithmetic, which lives in `recurra.kernels`.

    Parameters
    ----------
    stack : Stack
        Cell, layers, directions, dropout.
    input_size, hidden_size : int
        Width of the input and of the hidden layer.
    state_sizes : tuple of int
        Width of each tensor of the state; the first is also that of a direction's output.
    bias : bool
        Whether there are biases.
    batch_first : bool
        Whether ``x`` is (batch, time, inputs) or (time, batch, inputs).
    learn_initial_state : bool
        Whether the state before the first step is a parameter; else it is 0.
    initialisation : str
        How the weights begin; see `recurra.layers.initialisation.initialise`.
    device, dtype : optional
        Of the parameters.
    """

    gates: ClassVar[int]
    """Gates of the cell: ``weight_ih`` has ``gates * hidden_size`` rows."""
    states: ClassVar[tuple[str, ...]]
    """The letters of the state's tensors: ``("h", "c")`` for LSTM."""

    def __init__(
        self,
        stack: Stack,
        input_size: int,
        hidden_size: int,
        state_sizes: tuple[int, ...],
        *,
        bias: bool,
        batch_first: bool,
        learn_initial_state: bool,
        initialisation: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "a state": min(state_sizes)}
        for name, size in sizes.items():
            if isinstance(size, bool) or not isinstance(size, int) or size < 1:
                raise OptionError(f"{name} is {size!r}, but must be an integer, 1 or more.")
        self.stack = stack
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.state_sizes = state_sizes
        self.bias = bias
        self.batch_first = batch_first
        self.learn_initial_state = learn_initial_state
        self.initialisation = check_initialisation(initialisation)
        self._weight_names: list[Weights] = []
        self._initial_names: list[list[str]] = [[] for _ in self.states]
        self._add_parameters(device, dtype)
        self.reset_parameters()

    def _add_parameters(self, device: Any, dtype: Any) -> None:
        def add(name: str, shape: tuple[int, ...]) -> str:
            self.register_parameter(name, nn.Parameter(torch.empty(shape, device=device, dtype=dtype)))
            return name

        suffixes = [
            f"_l{layer}{direction}"
            for layer in range(self.num_layers)
            for direction in ("", "_reverse")[: self.stack.directions]
        ]
        for run, suffix in enumerate(suffixes):
            below = self.input_size if run < self.stack.directions else self.output_size
            names = {field: add(field + suffix, shape) for field, shape in self.shapes(below).items()}
            self._weight_names.append(Weights(**names))
        if self.learn_initial_state:
            for names, letter, size in zip(self._initial_names, self.states, self.state_sizes):
                names += [add(f"initial_{letter}{suffix}", (size,)) for suffix in suffixes]
