"""A recurrent network that reads rows and says how the next row is distributed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from recurra.models.part_of_batch import RowsOfTensors
from recurra.models.records.records import StreamBatch
from recurra.models.rows.row_distributions import DISTRIBUTIONS

__all__ = ["NextStepNetwork", "NextStepPlan", "NextStepState", "RowBatch"]

QUIET = 0.1  # the last layer begins with weights this much smaller than usual

NextStepState = tuple[Tensor, Any]
"""The last row as the layer reads it, shape (batch, width), and the state of the layer."""


@dataclass(frozen=True)
class NextStepPlan:
    """What a network for the next row is made of.

    Parameters
    ----------
    channels : int
        The channels that are foretold, the first ones of a row.
    extras : int
        Further channels, which are only read (the hour of the day).
    holes : bool
        Whether values may be missing: a flag for each channel is read, too.
    distribution : {"bernoulli", "gaussian", "student"}
        How a channel is distributed.
    layer : str
        The recurrent layer.
    hidden_size, num_layers : int
        Of the recurrent layer.
    input_dropout, dropout, recurrent_dropout : float
        Probabilities of dropping, while training: a channel of what the layer reads, the same at
        all steps of a record; a unit of its output; a unit of its state.
    """

    channels: int
    extras: int = 0
    holes: bool = False
    distribution: str = "gaussian"
    layer: str = "lstm"
    hidden_size: int = 64
    num_layers: int = 1
    input_dropout: float = 0.0
    dropout: float = 0.0
    recurrent_dropout: float = 0.0

    @property
    def width(self) -> int:
        """How many numbers the layer reads at a step; the last one marks the beginning."""
        return self.channels * (1 + self.holes) + self.extras + 1


@dataclass(frozen=True)
class RowBatch(RowsOfTensors):
    """Rows of some records.

    Parameters
    ----------
    values : Tensor, shape (batch, time, channels + extras)
        The rows, finite everywhere.
    observed : Tensor of bool, shape (batch, time, channels + extras)
        Where there was a value; False on padding.
    lengths : Tensor of int64, shape (batch,)
        Real steps of each record.
    weights : Tensor, shape (batch,), optional
        How much each record counts.
    """

    values: Tensor
    observed: Tensor
    lengths: Tensor
    weights: Tensor | None = None

    @classmethod
    def of(cls, stream: StreamBatch, weights: Tensor | None = None) -> RowBatch:
        """Take up a stream of measurements.

        Parameters
        ----------
        stream : StreamBatch
            The rows.
        weights : Tensor, shape (batch,), optional
            How much each record counts.

        Returns
        -------
        RowBatch
            The same memory, where it can be.
        """
        return cls(stream.values.float(), stream.observed, stream.lengths, weights)

    def __len__(self) -> int:
        """Count the records."""
        return len(self.lengths)

    def first(self, steps: int) -> RowBatch:
        """Give the first rows of each record.

        Parameters
        ----------
        steps : int
            How many.

        Returns
        -------
        RowBatch
            With as many records.
        """
        return next(self.chunks(steps))

    def chunks(self, steps: int) -> Iterator[RowBatch]:
        """Cut along time.

        Parameters
        ----------
        steps : int
            Length of a piece.

        Yields
        ------
        RowBatch
            The next piece, with as many records; those that have ended have no steps left.
        """
        for start in range(0, self.values.shape[1], steps):
            part = slice(start, start + steps)
            left = (self.lengths - start).clamp(0, steps)
            yield RowBatch(self.values[:, part], self.observed[:, part], left, self.weights)


class NextStepNetwork(nn.Module):
    r"""Says how each row is distributed, given those before it.

    .. math::
        h_t = \mathrm{layer}(x_{t-1}, h_{t-1}), \qquad
        a_t = W h_t + b\ [+\ c ⊙ x_{t-1}\text{ for the mean of numbers}], \qquad
        p(x_t \mid x_{<t}) = \prod_k p(x_{tk} \mid a_{tk})

    Channels of a row are independent given the past. Before the first row it reads zeros and a flag
    that marks the beginning, so that the first row has a distribution as well. Numbers go on from
    their last value, times a learned :math:`c` for each channel: what wanders off beyond the values
    seen in training is still followed.

    Parameters
    ----------
    plan : NextStepPlan
        What it is made of.
    layer : callable
        Makes a recurrent layer.
    """

    def __init__(self, plan: NextStepPlan, layer: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.plan, self.distribution = plan, DISTRIBUTIONS[plan.distribution]
        options = {"forget_bias": 1.0} if plan.layer == "lstm" else {}
        self.layer = layer(
            plan.width,
            plan.hidden_size,
            num_layers=plan.num_layers,
            batch_first=True,
            dropout=plan.dropout if plan.num_layers > 1 else 0.0,
            recurrent_dropout=plan.recurrent_dropout,
            **options,
        )
        self.head = nn.Linear(plan.hidden_size, plan.channels * self.distribution.size)
        nn.init.zeros_(self.head.bias)
        with torch.no_grad():
            self.head.weight.mul_(QUIET)
        self.carry = nn.Parameter(torch.zeros(plan.channels)) if self.distribution.numbers else None

    def begin_with(self, first: Tensor) -> None:
        """Let the untrained network say what is usual.

        Parameters
        ----------
        first : Tensor, shape (channels,)
            Of flags, how often each is 1; of numbers, the correlation of a value with its last.
        """
        with torch.no_grad():
            if self.carry is not None:
                self.carry.copy_(first)
            else:
                share = first.clamp(1e-4, 1 - 1e-4)
                self.head.bias.copy_(torch.log(share / (1 - share)))

    def forward(
        self, batch: RowBatch, state: NextStepState | None = None
    ) -> tuple[Tensor, NextStepState]:
        """Say how every row of some records is distributed, each before it is read.

        Parameters
        ----------
        batch : RowBatch
            The rows.
        state : NextStepState, optional
            What was carried from the rows before; without it records begin here.

        Returns
        -------
        raw : Tensor, shape (batch, time, channels, size)
            For `distribution`.
        state : NextStepState
            For the rows that follow.
        """
        before, inner = self.start(len(batch.lengths)) if state is None else state
        rows = self._read(batch)
        shifted = torch.cat([before[:, None], rows], 1)
        raw, inner = self._said(shifted[:, :-1], inner, batch.lengths)
        last = shifted[torch.arange(len(rows)), batch.lengths]
        return raw, (last, inner)

    def step(self, state: NextStepState) -> tuple[Tensor, Any]:
        """Say how the next row is distributed, in constant time.

        Parameters
        ----------
        state : NextStepState
            What was carried from the rows before.

        Returns
        -------
        raw : Tensor, shape (batch, channels, size)
            For `distribution`.
        inner : Tensor or tuple of Tensor
            The state of the layer after it has read the last row.
        """
        output, inner = self.layer.step(state[0], state[1])  # type: ignore[operator]
        return self._raw(output, state[0]), inner

    def around(self, rows: Tensor) -> Tensor:
        """Say how each of some rows is distributed, and the one that follows them.

        Parameters
        ----------
        rows : Tensor, shape (batch, time, width)
            Of whole records, as `as_read` writes them.

        Returns
        -------
        Tensor, shape (batch, time + 1, channels, size)
            For `distribution`.
        """
        before, inner = self.start(len(rows))
        lengths = torch.full((len(rows),), rows.shape[1] + 1)
        return self._said(torch.cat([before[:, None], rows], 1), inner, lengths)[0]

    def start(self, records: int) -> NextStepState:
        """Stand before the first row.

        Parameters
        ----------
        records : int
            How many records begin.

        Returns
        -------
        NextStepState
            Zeros, and the flag that marks the beginning.
        """
        before = torch.zeros(records, self.plan.width)
        before[:, -1] = 1.0
        return before, None

    def as_read(self, values: Tensor, observed: Tensor) -> Tensor:
        """Write rows as the layer reads them.

        Parameters
        ----------
        values : Tensor, shape (..., channels + extras)
            The rows.
        observed : Tensor of bool, shape (..., channels + extras)
            Where there was a value.

        Returns
        -------
        Tensor, shape (..., width)
            What was filled in is read as it is; what is missing is 0, the mean of scaled numbers.
        """
        parts = [values]
        if self.plan.holes:
            parts.append((~observed[..., : self.plan.channels]).to(values.dtype))
        parts.append(values.new_zeros(*values.shape[:-1], 1))
        return torch.cat(parts, -1)

    def loss(
        self, batch: RowBatch, state: NextStepState | None = None
    ) -> tuple[Tensor, Tensor, NextStepState]:
        """Add up the negative log-likelihood over all values that are there.

        Parameters
        ----------
        batch : RowBatch
            The rows.
        state : NextStepState, optional
            What was carried from the piece before.

        Returns
        -------
        total : Tensor
            The sum; padding and what is missing have no part in it.
        count : Tensor
            How many rows have a value.
        state : NextStepState
            To be carried on.
        """
        raw, state = self(batch, state)
        return *self.summed(raw, batch), state

    def summed(self, raw: Tensor, batch: RowBatch) -> tuple[Tensor, Tensor]:
        """Add up the negative log-likelihood, as `loss` does, of what `forward` returned.

        Parameters
        ----------
        raw : Tensor, shape (batch, time, channels, size)
            What `forward` returned.
        batch : RowBatch
            The rows.

        Returns
        -------
        total, count : Tensor
            As those of `loss`.
        """
        likelihood, there = self.likelihood(raw, batch)
        if batch.weights is not None:
            likelihood = likelihood * batch.weights[:, None].to(likelihood.dtype)
        return -likelihood[there].sum(), there.sum()

    def likelihood(self, raw: Tensor, batch: RowBatch) -> tuple[Tensor, Tensor]:
        """Give the log-likelihood of every row, the sum over its channels.

        Parameters
        ----------
        raw : Tensor, shape (batch, time, channels, size)
            What `forward` returned.
        batch : RowBatch
            The rows.

        Returns
        -------
        likelihood : Tensor, shape (batch, time)
            0 where nothing was observed.
        there : Tensor of bool, shape (batch, time)
            Where something was.
        """
        observed = batch.observed[..., : self.plan.channels]
        values = torch.where(observed, batch.values[..., : self.plan.channels], 0.0)
        each = self.distribution.log_probability(raw, values)
        return torch.where(observed, each, 0.0).sum(-1), observed.any(-1)

    def draw(self, raw: Tensor, temperature: float, generator: Generator) -> Tensor:
        """Draw rows; see `RowDistribution.draw`."""
        return self.distribution.draw(raw, temperature, generator)

    def _read(self, batch: RowBatch) -> Tensor:
        return self.as_read(batch.values, batch.observed)

    def _said(self, rows: Tensor, inner: Any, lengths: Tensor) -> tuple[Tensor, Any]:
        read = rows
        if self.training and self.plan.input_dropout:
            ones = rows.new_ones(len(rows), 1, rows.shape[-1])
            read = rows * functional.dropout(ones, self.plan.input_dropout)
        output, inner = self.layer(read, inner, lengths=lengths)
        if self.training:
            output = functional.dropout(output, self.plan.dropout)
        return self._raw(output, rows), inner

    def _raw(self, output: Tensor, rows: Tensor) -> Tensor:
        raw: Tensor = self.head(output).unflatten(-1, (self.plan.channels, -1))
        if self.carry is None:
            return raw
        carried = self.carry * rows[..., : self.plan.channels]
        return torch.cat([raw[..., :1] + carried[..., None], raw[..., 1:]], -1)
