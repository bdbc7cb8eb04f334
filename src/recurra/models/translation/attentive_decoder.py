"""A recurrent decoder that attends: one step, or a whole sequence that is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from recurra.layers import LayerState
from recurra.layers.attention import Attention, Memory

__all__ = ["AttentiveDecoder", "DecoderState"]


class DecoderState(NamedTuple):
    """What a decoder carries from step to step.

    Parameters
    ----------
    hidden : Tensor or tuple of Tensor, each (layers, batch, size)
        Of the recurrent layers.
    fed : Tensor, shape (batch, size)
        What the step before said; 0 before the first.
    """

    hidden: LayerState
    fed: Tensor

    def take(self, rows: Tensor) -> DecoderState:
        """Pick records.

        Parameters
        ----------
        rows : Tensor of int64, shape (rows,)
            Their places in the batch; one may come several times.

        Returns
        -------
        DecoderState
            Of those records.
        """
        hidden = self.hidden
        if isinstance(hidden, Tensor):
            return DecoderState(hidden[:, rows], self.fed[rows])
        return DecoderState(tuple(part[:, rows] for part in hidden), self.fed[rows])


class AttentiveDecoder(nn.Module):
    r"""Reads a sequence and, at each of its steps, a memory.

    .. math:: h_u = \mathrm{RNN}([x_u, a_{u-1}], h_{u-1}), \quad
              c_u = \mathrm{attend}(h_u), \quad a_u = \tanh(W [c_u, h_u])

    after Luong et al. 2015 (arXiv:1508.04025). What :math:`x_u` is, the caller says: the symbol
    before, embedded, for text; the value before and known covariates for numbers.

    Parameters
    ----------
    layer : callable
        Makes the recurrent layers: ``layer(input_size, hidden_size, num_layers=…,
        batch_first=True, dropout=…)``.
    input_size, hidden_size : int
        Width of an input; of the state and the output.
    attention : Attention
        Asked with ``query_size=hidden_size``.
    num_layers : int, default 1
        Layers on layers.
    input_feeding : bool, default True
        Whether :math:`a_{u-1}` is read. Without, a whole sequence takes one call of the layers.
    dropout : float, default 0.0
        Probability of dropping, while training, a unit between two layers.

    Examples
    --------
    >>> from recurra.layers import GRU
    >>> from recurra.layers.attention import DotAttention
    >>> decoder = AttentiveDecoder(GRU, 3, 8, DotAttention(8, 6))
    >>> memory = decoder.attention.remember(torch.ones(2, 5, 6))
    >>> outputs, weights, state = decoder(torch.ones(2, 4, 3), memory, decoder.initial_state(2))
    >>> outputs.shape, weights.shape, state.fed.shape
    (torch.Size([2, 4, 8]), torch.Size([2, 4, 5]), torch.Size([2, 8]))
    """

    def __init__(
        self,
        layer: Callable[..., nn.Module],
        input_size: int,
        hidden_size: int,
        attention: Attention,
        *,
        num_layers: int = 1,
        input_feeding: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.hidden_size, self.input_feeding = hidden_size, input_feeding
        self.attention = attention
        self.layers = layer(
            input_size + hidden_size * input_feeding,
            hidden_size,
            num_layers=num_layers,
            batch_first=True,
            dropout=dropout if num_layers > 1 else 0.0,
        )
        self.join = nn.Linear(attention.memory_size + hidden_size, hidden_size)

    def initial_state(self, batch: int, hidden: LayerState | None = None) -> DecoderState:
        """Return the state before the first step.

        Parameters
        ----------
        batch : int
            How many records.
        hidden : Tensor or tuple of Tensor, each (layers, batch, size), optional
            Of the recurrent layers; zeros by default.

        Returns
        -------
        DecoderState
            With nothing fed back yet.
        """
        if hidden is None:
            hidden = self.layers.initial_state(batch)  # type: ignore[operator]
        return DecoderState(hidden, self.join.weight.new_zeros(batch, self.hidden_size))

    def forward(
        self, x: Tensor, memory: Memory, state: DecoderState
    ) -> tuple[Tensor, Tensor, DecoderState]:
        """Read a whole sequence.

        Parameters
        ----------
        x : Tensor, shape (batch, steps, inputs)
            The inputs.
        memory : Memory
            What can be attended to.
        state : DecoderState
            The state before.

        Returns
        -------
        outputs : Tensor, shape (batch, steps, hidden_size)
            What each step says.
        weights : Tensor, shape (batch, steps, time)
            What each step attended to.
        state : DecoderState
            After the last step.
        """
        if not self.input_feeding:
            read, hidden = self.layers(x, state.hidden)
            outputs, weights = self._attended(read, memory)
            fed = outputs[:, -1] if x.shape[1] else state.fed
            return outputs, weights, DecoderState(hidden, fed)
        said, looked = [], []
        for x_u in x.unbind(1):
            output, weight, state = self.step(x_u, memory, state)
            said.append(output)
            looked.append(weight)
        if not said:
            batch, time = memory.valid.shape
            return x.new_zeros(batch, 0, self.hidden_size), x.new_zeros(batch, 0, time), state
        return torch.stack(said, 1), torch.stack(looked, 1), state

    def step(
        self, x_u: Tensor, memory: Memory, state: DecoderState
    ) -> tuple[Tensor, Tensor, DecoderState]:
        """Read one step, in constant time.

        Parameters
        ----------
        x_u : Tensor, shape (batch, inputs)
            The input.
        memory : Memory
            What can be attended to.
        state : DecoderState
            The state before.

        Returns
        -------
        output : Tensor, shape (batch, hidden_size)
            What the step says.
        weights : Tensor, shape (batch, time)
            What it attended to.
        state : DecoderState
            After it.
        """
        x_u = torch.cat([x_u, state.fed], -1) if self.input_feeding else x_u
        read, hidden = self.layers(x_u[:, None], state.hidden)
        outputs, weights = self._attended(read, memory)
        return outputs[:, 0], weights[:, 0], DecoderState(hidden, outputs[:, 0])

    def _attended(self, read: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Read the memory beside what the layers say."""
        context, weights = self.attention(read, memory)
        return torch.tanh(self.join(torch.cat([context, read], -1))), weights
