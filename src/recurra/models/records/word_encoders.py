"""What is read of words: which word it is, and how it is spelt."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from recurra.layers import GRU
from recurra.models.records.encoders import Encoded, Encoder
from recurra.models.records.records import StreamBatch

__all__ = ["LetterEncoder", "WordEncoder"]

HIDE = 0.25
SPREAD = 0.3  # of what vectors begin as; with 1.0 the rare words stay noise


class WordEncoder(Encoder):
    r"""Words embedded; while training, rare ones are now and then taken for the unknown word.

    .. math:: P(\text{hidden}) = \frac{a}{a + n}, \quad a = 0.25

    for a word that was seen :math:`n` times (Kiperwasser & Goldberg 2016, arXiv:1603.04351), so
    that the network learns what to do with words it has never seen.

    Parameters
    ----------
    vocabulary : int
        How many codes there are; 0 is the unknown word.
    width : int
        Width of the embedding.
    dropout : float
        Probability of dropping a unit while training, the same at all steps of a record.

    Attributes
    ----------
    counts : Tensor, shape (vocabulary,)
        How often each word was seen; where nobody said so, infinitely often.
    """

    counts: Tensor

    def __init__(self, vocabulary: int, width: int = 96, dropout: float = 0.0) -> None:
        super().__init__()
        self.table = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.table.weight, std=SPREAD)
        self.register_buffer("counts", torch.full((vocabulary,), torch.inf))
        self.width, self.dropout = width, dropout

    def looked_up(self, batch: StreamBatch) -> Tensor:
        """Give the vectors of the words; see `Encoder`."""
        codes = batch.values[..., 0].long()
        if self.training:
            hidden = torch.rand(codes.shape) < HIDE / (HIDE + self.counts[codes])
            codes = torch.where(hidden, 0, codes)
        return torch.where(batch.valid[..., None], self.table(codes), 0.0)

    def read(self, numbers: Tensor, batch: StreamBatch) -> Encoded:
        """Drop units, while training; see `Encoder`."""
        return Encoded(_dropped(numbers, self.dropout, self.training), batch.lengths)


class LetterEncoder(Encoder):
    """Words by their letters: a GRU reads each word both ways, and its last states stand for it.

    The letters of a word come all at once, so this also serves where sentences come word by word
    (Ling et al. 2015, arXiv:1508.02096).

    Parameters
    ----------
    alphabet : int
        How many codes there are; 0 is the unknown letter.
    width : int
        Width of the embedded letters.
    hidden_size : int
        Units that read one way; what comes out is twice as wide.
    dropout : float
        Probability of dropping a unit while training, the same at all steps of a record.
    """

    def __init__(
        self, alphabet: int, width: int = 32, hidden_size: int = 48, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.table = nn.Embedding(alphabet, width)
        self.layer = GRU(width, hidden_size, bidirectional=True, batch_first=True)
        self.width, self.dropout = 2 * hidden_size, dropout

    def looked_up(self, batch: StreamBatch) -> Tensor:
        """Read the letters of each word; see `Encoder`."""
        valid, inner = batch.valid, batch.inner
        whole = torch.zeros(*valid.shape, self.width, dtype=self.table.weight.dtype)
        if inner is not None and inner.values.shape[1]:
            embedded = self.table(inner.values[..., 0].long())
            _, states = self.layer(embedded, lengths=inner.lengths)
            words = states.transpose(0, 1).flatten(1)
            whole = whole.masked_scatter(valid[..., None], words)
        return whole

    def read(self, numbers: Tensor, batch: StreamBatch) -> Encoded:
        """Drop units, while training; see `Encoder`."""
        return Encoded(_dropped(numbers, self.dropout, self.training), batch.lengths)


def _dropped(values: Tensor, share: float, training: bool) -> Tensor:
    """Drop units, the same at all steps of a record."""
    if not (training and share):
        return values
    ones = values.new_ones(len(values), 1, values.shape[-1])
    return values * functional.dropout(ones, share)
