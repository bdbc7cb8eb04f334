"""Text as tensors: what a language model reads, and what it is to foretell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from recurra.models.part_of_batch import RowsOfTensors

__all__ = ["UNCOUNTED", "LanguageBatch"]

UNCOUNTED = -1
"""A target that no loss counts: padding, and what the model cannot foretell."""


@dataclass(frozen=True)
class LanguageBatch(RowsOfTensors):
    """Stretches of tokens, each with the tokens that follow.

    Parameters
    ----------
    codes : Tensor of int64, shape (batch, time)
        What is read; any code on padding.
    targets : Tensor of int64, shape (batch, time)
        What follows each step; `UNCOUNTED` where nothing is to be foretold.
    lengths : Tensor of int64, shape (batch,), optional
        Real steps of each row; None where all are full.

    Examples
    --------
    >>> batch = LanguageBatch.of(torch.tensor([[5, 1, 2, 3, 1]]))
    >>> [piece.targets.tolist() for piece in batch.chunks(3)]
    [[[1, 2]], [[3, 1]]]
    """

    codes: Tensor
    targets: Tensor
    lengths: Tensor | None = None

    @classmethod
    def of(cls, rows: Tensor) -> LanguageBatch:
        """Make a batch of full rows.

        Parameters
        ----------
        rows : Tensor of int64, shape (batch, time + 1)
            Tokens; each is the target of the one before.

        Returns
        -------
        LanguageBatch
            Of ``time`` steps.
        """
        return cls(rows[:, :-1], rows[:, 1:])

    @classmethod
    def padded(cls, rows: list[Tensor]) -> LanguageBatch:
        """Make a batch of rows of unequal length.

        Parameters
        ----------
        rows : list of Tensor of int64, each shape (time + 1,)
            Tokens; each is the target of the one before.

        Returns
        -------
        LanguageBatch
            As long as the longest.
        """
        lengths = torch.tensor([len(row) - 1 for row in rows])
        codes = torch.zeros(len(rows), int(lengths.max()), dtype=torch.int64)
        targets = torch.full_like(codes, UNCOUNTED)
        for k, row in enumerate(rows):
            codes[k, : len(row) - 1], targets[k, : len(row) - 1] = row[:-1], row[1:]
        return cls(codes, targets, lengths)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.codes)

    def chunks(self, steps: int) -> Iterator[LanguageBatch]:
        """Cut along time into pieces of nearly equal length.

        Parameters
        ----------
        steps : int
            The most steps of a piece.

        Yields
        ------
        LanguageBatch
            In order; the state is to be carried from one to the next.
        """
        count = max(-(-self.codes.shape[1] // steps), 1)
        edges = [round(k * self.codes.shape[1] / count) for k in range(count + 1)]
        for a, b in pairwise(edges):
            lengths = None if self.lengths is None else (self.lengths - a).clamp(0, b - a)
            yield LanguageBatch(self.codes[:, a:b], self.targets[:, a:b], lengths)
