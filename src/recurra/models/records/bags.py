"""The linear part of an answer that counts tokens and n-grams, wherever they stand."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from recurra.models.records.records import StreamBatch

__all__ = ["Bag", "hide_tokens"]

GAIN = 5.0  # weights learn at the speed of the others, but begin at zero and count much


class Bag(nn.Module):
    r"""Adds up a weight for every code of every step.

    .. math:: b = \frac{g}{\sqrt{T K}} \sum_{t=1}^{T} \sum_{k=1}^{K} W_k[x_{t,k}]

    for T steps with K codes each: the token, and the n-grams that end there. This is a linear model
    of n-grams as in Wang & Manning 2012 (P12-2018), learned together with the recurrent part, as
    the wide part is in Cheng et al. 2016 (arXiv:1606.07792). The weights begin at zero; the
    unknown code has none.

    Parameters
    ----------
    sizes : sequence of int
        How many codes each channel has, 0 included.
    outputs : int
        How many numbers are answered.

    Examples
    --------
    >>> bag = Bag([3, 5], 2)
    >>> bag(torch.tensor([[[1, 4], [2, 0]]]), torch.tensor([2])).shape
    torch.Size([1, 2])
    """

    def __init__(self, sizes: Sequence[int], outputs: int) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(size, outputs, padding_idx=0) for size in sizes)
        for each in self.tables:
            nn.init.zeros_(each.weight)  # type: ignore[arg-type]
        self.outputs = outputs

    def forward(self, codes: Tensor, lengths: Tensor) -> Tensor:
        """Add up.

        Parameters
        ----------
        codes : Tensor of int64, shape (batch, time, channels)
            Codes; anything on padding.
        lengths : Tensor of int64, shape (batch,)
            Real steps of each record.

        Returns
        -------
        Tensor, shape (batch, outputs)
            Zeros for a record without steps.
        """
        return self.scaled(self.looked_up(codes, lengths).sum(1), lengths[:, None])

    def looked_up(self, codes: Tensor, lengths: Tensor) -> Tensor:
        """Give the weights of each real step.

        Parameters
        ----------
        codes, lengths : Tensor
            As for `forward`.

        Returns
        -------
        Tensor, shape (batch, time, outputs)
            Zeros on padding.
        """
        valid = torch.arange(codes.shape[1]) < lengths[:, None]
        return self.steps(torch.where(valid[..., None], codes, 0))

    def steps(self, codes: Tensor) -> Tensor:
        """Give the weights of each step.

        Parameters
        ----------
        codes : Tensor of int64, shape (batch, time, channels)
            Codes.

        Returns
        -------
        Tensor, shape (batch, time, outputs)
            Their sum over the channels.
        """
        found = [table(codes[..., k]) for k, table in enumerate(self.tables)]
        return torch.stack(found).sum(0)

    def scaled(self, total: Tensor, count: Tensor) -> Tensor:
        """Scale a sum over steps.

        Parameters
        ----------
        total : Tensor, shape (batch, outputs)
            The sum.
        count : Tensor, shape (batch, 1)
            How many steps.

        Returns
        -------
        Tensor, shape (batch, outputs)
            What is added to the answer.
        """
        return GAIN * total / (count.clamp(min=1) * len(self.tables)).sqrt()


def hide_tokens(stream: StreamBatch, share: float) -> StreamBatch:
    """Take some tokens for unknown, as word dropout does, and besides some of their n-grams.

    Parameters
    ----------
    stream : StreamBatch
        Codes.
    share : float
        Probability, of a step and once more of each of its codes.

    Returns
    -------
    StreamBatch
        With 0 in their places.
    """
    codes = stream.values
    kept = (torch.rand(*codes.shape[:2], 1) >= share) & (torch.rand(codes.shape) >= share)
    return StreamBatch(
        torch.where(kept, codes, 0), stream.observed, stream.lengths, stream.times, stream.inner
    )
