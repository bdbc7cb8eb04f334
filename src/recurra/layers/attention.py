"""Attention: what a step of one sequence reads of all steps of another."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import NamedTuple, final

import torch
from torch import Tensor, nn

from recurra.errors import ShapeError
from recurra.layers.door import check_lengths

__all__ = ["AdditiveAttention", "Attention", "DotAttention", "Memory"]


class Memory(NamedTuple):
    """Steps that can be attended to; made by `Attention.remember`.

    Parameters
    ----------
    values : Tensor, shape (batch, time, width)
        What is read; 0 beyond a record's length.
    keys : Tensor, shape (batch, time, keys)
        What they are found by.
    valid : Tensor of bool, shape (batch, time)
        Which steps are real.
    """

    values: Tensor
    keys: Tensor
    valid: Tensor

    def take(self, rows: Tensor) -> Memory:
        """Pick records.

        Parameters
        ----------
        rows : Tensor of int64, shape (rows,)
            Their places in the batch; one may come several times.

        Returns
        -------
        Memory
            Of those records.
        """
        return Memory(*(part[rows] for part in self))


class Attention(nn.Module, ABC):
    r"""The abstract base of attention: a weighted mean over the steps of a memory.

    .. math:: α_{qt} = \mathrm{softmax}_t\, s(q, k_t), \qquad c_q = \sum_t α_{qt} v_t

    Steps beyond a record's length have weight 0 and are never felt, whatever they hold; a record
    without steps gives a context of 0. A subclass says what a key is and how it is scored.
    """

    memory_size: int
    """Width of a context: that of the values."""

    def remember(self, values: Tensor, lengths: Tensor | None = None) -> Memory:
        """Look at all steps once, before any question is asked.

        Parameters
        ----------
        values : Tensor, shape (batch, time, width)
            The steps, such as the outputs of an encoder.
        lengths : Tensor of int64, shape (batch,), optional
            Real steps of each record; all of them by default.

        Returns
        -------
        Memory
            Cut to the longest record, so that more padding changes no bit.

        Raises
        ------
        ShapeError
            If the values have another width, or the lengths do not fit.
        """
        if values.dim() != 3 or values.shape[-1] != self.memory_size:
            came, read = tuple(values.shape), f"(batch, time, {self.memory_size})"
            raise ShapeError(f"values has shape {came}, but {read} is attended to.")
        batch, steps = values.shape[:2]
        if lengths is None:
            valid = values.new_ones(batch, steps, dtype=torch.bool)
        else:
            counts = torch.as_tensor(check_lengths(lengths, batch, steps), device=values.device)
            steps = int(counts.max()) if batch else 0
            valid = torch.arange(steps, device=values.device) < counts[:, None]
            values = torch.where(valid[..., None], values[:, :steps], 0.0)
        return Memory(values, self._keys(values), valid)

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Read the memory.

        Parameters
        ----------
        queries : Tensor, shape (batch, queries, width)
            What asks; each is answered alone.
        memory : Memory
            What `remember` returned.

        Returns
        -------
        context : Tensor, shape (batch, queries, memory_size)
            The weighted means.
        weights : Tensor, shape (batch, queries, time)
            They add up to 1 over the real steps of a record, and are 0 elsewhere.
        """
        valid = memory.valid[:, None]
        scores = torch.where(valid, self._scores(queries, memory.keys), LEAST)
        weights = torch.where(valid, torch.softmax(scores, -1), 0.0)
        return torch.bmm(weights, memory.values), weights

    @abstractmethod
    def _keys(self, values: Tensor) -> Tensor:
        """Make the keys of (batch, time, width) values."""

    @abstractmethod
    def _scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Score every query with every key: (batch, queries, time)."""


@final
class AdditiveAttention(Attention):
    r"""Scores by a small network.

    .. math:: s(q, v_t) = w^⊤ \tanh(W q + U v_t + b)

    Parameters
    ----------
    query_size, memory_size : int
        Width of what asks, and of the steps.
    hidden_size : int, optional
        Width of the network; that of the queries by default.

    References
    ----------
    D. Bahdanau, K. Cho, Y. Bengio, Neural machine translation by jointly learning to align and
    translate, arXiv:1409.0473.

    Examples
    --------
    >>> attention = AdditiveAttention(4, 6)
    >>> memory = attention.remember(torch.ones(2, 5, 6), torch.tensor([5, 2]))
    >>> context, weights = attention(torch.ones(2, 3, 4), memory)
    >>> context.shape, weights[1, 0, 2:].tolist()
    (torch.Size([2, 3, 6]), [0.0, 0.0, 0.0])
    """

    def __init__(self, query_size: int, memory_size: int, hidden_size: int | None = None) -> None:
        super().__init__()
        hidden_size = hidden_size or query_size
        self.query_size, self.memory_size = query_size, memory_size
        self.query = nn.Linear(query_size, hidden_size, bias=False)
        self.key = nn.Linear(memory_size, hidden_size)
        self.score = nn.Linear(hidden_size, 1, bias=False)

    def _keys(self, values: Tensor) -> Tensor:
        keys: Tensor = self.key(values)
        return keys

    def _scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        scores: Tensor = self.score(torch.tanh(self.query(queries)[:, :, None] + keys[:, None]))
        return scores.squeeze(-1)


@final
class DotAttention(Attention):
    r"""Scores by a scaled product.

    .. math:: s(q, v_t) = \frac{q^⊤ W v_t}{\sqrt{d}}

    where d is the width of the queries; without a projection, W is 1.

    Parameters
    ----------
    query_size, memory_size : int
        Width of what asks, and of the steps.
    project : bool, default True
        Whether W is learned, which Luong et al. call "general"; else both sizes are equal.

    References
    ----------
    M. Luong, H. Pham, C. Manning, Effective approaches to attention-based neural machine
    translation, arXiv:1508.04025; scaled as in A. Vaswani et al., arXiv:1706.03762.

    Examples
    --------
    >>> attention = DotAttention(2, 2, project=False)
    >>> memory = attention.remember(torch.tensor([[[9.0, 0.0], [0.0, 9.0]]]))
    >>> context, weights = attention(torch.tensor([[[9.0, 0.0]]]), memory)
    >>> weights.round()
    tensor([[[1., 0.]]])
    """

    def __init__(self, query_size: int, memory_size: int, project: bool = True) -> None:
        super().__init__()
        if not project and query_size != memory_size:
            message = f"query_size={query_size} and memory_size={memory_size} differ"
            raise ShapeError(f"{message}, which needs project=True.")
        self.query_size, self.memory_size = query_size, memory_size
        self.key = nn.Linear(memory_size, query_size, bias=False) if project else nn.Identity()

    def _keys(self, values: Tensor) -> Tensor:
        keys: Tensor = self.key(values)
        return keys

    def _scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        return torch.bmm(queries, keys.mT) / math.sqrt(self.query_size)


LEAST = torch.finfo(torch.float32).min  # of a score; -inf would make NaN of a record without steps
