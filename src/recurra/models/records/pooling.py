"""From the outputs of all steps to one vector for the record: real steps only."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from recurra.errors import OptionError, near

__all__ = ["POOLINGS", "Pooling", "last_step"]

POOLINGS = ("last", "mean", "max", "attention")


class Pooling(nn.Module):
    r"""Pools the outputs of the steps, in one or several ways side by side.

    .. math:: \text{last: } h_T,\quad \text{mean: } \tfrac1T\sum_t h_t,\quad
              \text{max: } \max_t h_t,\quad
              \text{attention: } \sum_t \mathrm{softmax}_t(w^\top \tanh(W h_t)) h_t

    "last" is the state after a record's own last step; of a bidirectional layer, the backward half
    is its output at the first step, where it has read everything. A record without steps is pooled
    to zeros. Attention follows Yang et al. 2016 (doi:10.18653/v1/N16-1174).

    Parameters
    ----------
    ways : sequence of {"last", "mean", "max", "attention"}
        The ways.
    width : int
        Width of an output.
    bidirectional : bool
        Whether its second half was read backwards.

    Examples
    --------
    >>> pool = Pooling(("last", "mean"), 1)
    >>> pool(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([2]))
    tensor([[3., 2.]])
    """

    def __init__(self, ways: Sequence[str], width: int, bidirectional: bool = False) -> None:
        super().__init__()
        for way in ways:
            if way not in POOLINGS:
                raise OptionError(f"{way!r} is no way of pooling. {near(str(way), POOLINGS)}")
        self.ways, self.bidirectional = tuple(ways), bidirectional
        self.width = width * len(self.ways)
        if "attention" in self.ways:
            self.keys = nn.Linear(width, width)
            self.query = nn.Linear(width, 1, bias=False)

    def forward(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """Pool.

        Parameters
        ----------
        outputs : Tensor, shape (batch, time, width)
            What the layer says; anything on padding.
        lengths : Tensor of int64, shape (batch,)
            Real steps of each record.

        Returns
        -------
        Tensor, shape (batch, ways · width)
            One vector for each record.
        """
        batch, steps, _ = outputs.shape
        if not steps:
            return outputs.new_zeros(batch, self.width)
        count = lengths[:, None]
        valid, real = None, outputs
        if not torch.equal(lengths, lengths.new_full((batch,), steps)):  # there is padding
            valid = (torch.arange(steps, device=lengths.device) < count)[..., None]
            real = torch.where(valid, outputs, 0.0)
        parts = []
        for way in self.ways:
            match way:
                case "last":
                    parts.append(self._last(real, lengths))
                case "mean":
                    parts.append(real.sum(1) / count.clamp(min=1))
                case "max":
                    if valid is None:
                        parts.append(real.amax(1))
                        continue
                    highest = torch.where(valid, real, -torch.inf).amax(1)
                    parts.append(torch.where(count > 0, highest, 0.0))
                case "attention":
                    parts.append(self._attention(real, valid))
        return torch.cat(parts, -1)

    def _last(self, real: Tensor, lengths: Tensor) -> Tensor:
        last = last_step(real, lengths)
        if not self.bidirectional:
            return last
        half = real.shape[-1] // 2
        return torch.cat([last[:, :half], real[:, 0, half:]], -1)

    def attention(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """Say how much each step counts, where it is pooled by attention.

        Parameters
        ----------
        outputs, lengths : Tensor
            As for `forward`.

        Returns
        -------
        Tensor, shape (batch, time)
            Of sum 1 over the real steps of each record that has any; 0 on padding.
        """
        valid = (torch.arange(outputs.shape[1], device=lengths.device) < lengths[:, None])[
            ..., None
        ]
        return self._weights(torch.where(valid, outputs, 0.0), valid)[..., 0]

    def _attention(self, real: Tensor, valid: Tensor | None) -> Tensor:
        return (self._weights(real, valid) * real).sum(1)

    def _weights(self, real: Tensor, valid: Tensor | None) -> Tensor:
        scores = self.query(torch.tanh(self.keys(real)))
        if valid is not None:
            scores = torch.where(valid, scores, torch.finfo(scores.dtype).min)
        weights = torch.softmax(scores, 1)
        return weights if valid is None else torch.where(valid, weights, 0.0)


def last_step(values: Tensor, lengths: Tensor) -> Tensor:
    """Take each record's last real step.

    Parameters
    ----------
    values : Tensor, shape (batch, time, width)
        All steps.
    lengths : Tensor of int64, shape (batch,)
        Real steps of each record.

    Returns
    -------
    Tensor, shape (batch, width)
        Zeros for a record without steps.

    Examples
    --------
    >>> last_step(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([2]))
    tensor([[3.]])
    """
    if not values.shape[1]:
        return values.new_zeros(len(values), values.shape[-1])
    place = (lengths - 1).clamp(min=0)[:, None, None].expand(-1, 1, values.shape[-1])
    return torch.where(lengths[:, None] > 0, values.gather(1, place)[:, 0], 0.0)
