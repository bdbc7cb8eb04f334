"""What stands between a stream and its recurrent layer: one encoder for each kind of stream.

Every encoder keeps the contract of the layers: padding, whatever it holds, changes nothing, and no
record reads another.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from recurra.errors import OptionError
from recurra.models.records.records import StreamBatch

__all__ = [
    "Encoded",
    "Encoder",
    "FrameEncoder",
    "SignalEncoder",
    "TokenEncoder",
    "ValueEncoder",
    "embedding_width",
]

SPREAD = 0.1  # of what vectors of tokens begin as; with 1.0 the rare ones stay noise


class Encoded(NamedTuple):
    """What a recurrent layer reads.

    Attributes
    ----------
    values : Tensor, shape (batch, time, width)
        The input.
    lengths : Tensor of int64, shape (batch,)
        Real steps of each record.
    """

    values: Tensor
    lengths: Tensor


class Encoder(nn.Module, ABC):
    """Turns a stream into what a recurrent layer reads: looks its codes up, and reads the numbers.

    Between the two, each step is a row of numbers that may be changed one by one, so that it can be
    asked what they do to the answer.
    """

    width: int
    stride: int = 1

    def forward(self, batch: StreamBatch) -> Encoded:
        """Encode.

        Parameters
        ----------
        batch : StreamBatch
            The stream.

        Returns
        -------
        Encoded
            Zero on padding.
        """
        return self.read(self.looked_up(batch), batch)

    @abstractmethod
    def looked_up(self, batch: StreamBatch) -> Tensor:
        """Give numbers for each step: measurements as they are, for codes their vectors.

        Parameters
        ----------
        batch : StreamBatch
            The stream.

        Returns
        -------
        Tensor, shape (batch, time, numbers)
            Anything on padding.
        """

    def read(self, numbers: Tensor, batch: StreamBatch) -> Encoded:
        """Make of those numbers what a recurrent layer reads.

        Parameters
        ----------
        numbers : Tensor, shape (batch, time, numbers)
            What `looked_up` gave, or changed; zero on padding, where that matters, already.
        batch : StreamBatch
            The stream, whose own values are not read again.

        Returns
        -------
        Encoded
            Zero on padding.
        """
        return Encoded(numbers, batch.lengths)


class ValueEncoder(Encoder):
    r"""Measurements as they are, categories embedded, and all of it projected if asked to.

    .. math:: x_t = [v_t, E_1[c_{1t}], …, E_k[c_{kt}]] \quad\text{or}\quad W x_t + b

    Parameters
    ----------
    channels : sequence of str
        What the columns are called; those of one name before a colon (``"pulse"``,
        ``"pulse:since"``) are dropped together.
    cardinalities : dict of int to int
        The columns that hold codes, and how many codes there are; 0 is the unknown one.
    project : int, optional
        Width of a linear projection.
    channel_dropout : float
        Probability of hiding a channel from a record while training, as if it had been at its mean.
    """

    def __init__(
        self,
        channels: Sequence[str],
        cardinalities: Mapping[int, int] | None = None,
        project: int | None = None,
        channel_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        cardinalities = cardinalities or {}
        self.codes = sorted(cardinalities)
        self.numbers = [k for k in range(len(channels)) if k not in cardinalities]
        self.tables = nn.ModuleList(
            nn.Embedding(cardinalities[k], embedding_width(cardinalities[k]), padding_idx=0)
            for k in self.codes
        )
        roots = [channels[k].split(":")[0] for k in self.numbers]
        groups = {root: place for place, root in enumerate(dict.fromkeys(roots))}
        self.groups = torch.tensor([groups[root] for root in roots], dtype=torch.int64)
        self.channel_dropout = channel_dropout
        wide = len(self.numbers) + sum(embedding_width(cardinalities[k]) for k in self.codes)
        self.project = nn.Linear(wide, project) if project else None
        self.width = project or wide

    def looked_up(self, batch: StreamBatch) -> Tensor:
        """Put the vectors of codes beside the numbers; see `Encoder`."""
        numbers = batch.values[..., self.numbers].float() if self.codes else batch.values
        if self.training and self.channel_dropout and self.numbers:
            numbers = self._hidden(numbers)
        parts = [numbers]
        for table, k in zip(self.tables, self.codes, strict=True):
            seen = batch.observed[..., k]
            parts.append(table(torch.where(seen, batch.values[..., k], 0).long()))
        return parts[0] if len(parts) == 1 else torch.cat(parts, -1)

    def nothing(self, numbers: Tensor) -> Tensor:
        """Give what stands where nothing is known, to explain answers by.

        Parameters
        ----------
        numbers : Tensor, shape (…, numbers)
            What `looked_up` gave.

        Returns
        -------
        Tensor, shape (…, numbers)
            Zeros for measurements, their mean where they are scaled; for a category the mean of the
            known ones: the network may never have seen an unknown one.
        """
        base = torch.zeros_like(numbers)
        if self.codes:
            means = [table.weight[1:].mean(0) for table in self.tables]  # type: ignore[index]
            base[..., len(self.numbers) :] = torch.cat(means)
        return base

    def read(self, numbers: Tensor, batch: StreamBatch) -> Encoded:
        """Project, if it is to; see `Encoder`."""
        if self.project is not None:
            numbers = self.project(numbers) * batch.valid[..., None]
        return Encoded(numbers, batch.lengths)

    def _hidden(self, numbers: Tensor) -> Tensor:
        """Hide whole channels of each record."""
        groups = int(self.groups.max()) + 1
        kept = torch.rand(len(numbers), groups) >= self.channel_dropout
        return torch.where(kept[:, self.groups][:, None], numbers, 0.0)


class TokenEncoder(Encoder):
    """Tokens embedded; where they have further codes, the sum of all their vectors.

    Parameters
    ----------
    vocabulary : int, or dict of int to int
        How many codes there are; 0 is the unknown one. Of several channels by their column; of
        those after the first, 0 and all codes past the number stand for nothing.
    width : int
        Width of the embedding.
    """

    def __init__(self, vocabulary: int | Mapping[int, int], width: int = 64) -> None:
        super().__init__()
        sizes = {0: vocabulary} if isinstance(vocabulary, int) else dict(vocabulary)
        self.columns = tuple(sizes)
        first, *others = sizes.values()
        self.table = nn.Embedding(first, width)
        self.more = nn.ModuleList(nn.Embedding(size, width, padding_idx=0) for size in others)
        for table in (self.table, *self.more):
            nn.init.normal_(table.weight, std=SPREAD)
        for table in self.more:
            nn.init.zeros_(table.weight[0])  # type: ignore[index]
        self.width = width

    def looked_up(self, batch: StreamBatch) -> Tensor:
        """Add up the vectors of each step; see `Encoder`."""
        codes = batch.values.long()
        embedded = self.table(codes[..., self.columns[0]])
        for column, table in zip(self.columns[1:], self.more, strict=True):
            read = codes[..., column]
            known = read < len(table.weight)  # type: ignore[arg-type]
            embedded = embedded + table(torch.where(known, read, 0))
        return torch.where(batch.valid[..., None], embedded, 0.0)


class SignalEncoder(Encoder):
    """A raw signal through 1-D convolutions, each with a stride.

    Parameters
    ----------
    channels : int
        Channels of the signal.
    width : int
        Width of what comes out.
    strides : sequence of int
        Of each convolution; its kernel is twice as wide, and one.
    """

    def __init__(self, channels: int, width: int = 64, strides: Sequence[int] = (5, 4, 4)) -> None:
        super().__init__()
        if not strides or min(strides) < 1:
            raise OptionError(f"strides={tuple(strides)!r}, but they must be 1 or more.")
        sizes = [channels, *([width] * len(strides))]
        self.layers = nn.ModuleList(
            nn.Conv1d(sizes[k], sizes[k + 1], 2 * stride + 1, stride, padding=stride)
            for k, stride in enumerate(strides)
        )
        self.stride = int(torch.tensor(strides).prod())
        self.width = width

    def looked_up(self, batch: StreamBatch) -> Tensor:
        """Give the samples; see `Encoder`."""
        return batch.values.float()

    def read(self, numbers: Tensor, batch: StreamBatch) -> Encoded:
        """Convolve; see `Encoder`. A record of n samples becomes n / stride steps, rounded up."""
        lengths = batch.lengths
        if not numbers.shape[1]:
            return Encoded(numbers.new_zeros(len(lengths), 0, self.width), lengths)
        read = _silent(numbers.transpose(1, 2), lengths)
        for layer in self.layers:
            stride = layer.stride[0]  # type: ignore[index]
            lengths = torch.div(lengths + stride - 1, stride, rounding_mode="floor")
            read = _silent(torch.relu(layer(read)), lengths)
        return Encoded(read[..., : int(lengths.max())].transpose(1, 2), lengths)


class FrameEncoder(Encoder):
    """Images, one a step, through 2-D convolutions and a mean over regions.

    Parameters
    ----------
    colours : int
        Channels of an image.
    width : int
        Width of what comes out.
    regions : int
        The image is averaged over as many rows and columns of regions.
    """

    def __init__(self, colours: int, width: int = 64, regions: int = 4) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(colours, 16, 3, 2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(regions),
        )
        self.project = nn.Linear(32 * regions**2, width)
        self.width = width

    def looked_up(self, batch: StreamBatch) -> Tensor:
        """Give the cells of each image, row by row, colours side by side; see `Encoder`."""
        return batch.values.float().flatten(2)

    def read(self, numbers: Tensor, batch: StreamBatch) -> Encoded:
        """Convolve; see `Encoder`. Only real frames are computed."""
        valid = batch.valid & batch.observed[..., 0]
        frames = numbers.unflatten(2, batch.values.shape[2:])[valid].movedim(-1, 1)
        whole = batch.times.new_zeros(*valid.shape, self.width, dtype=self.project.weight.dtype)
        if len(frames):
            seen = self.project(self.convolutions(frames).flatten(1))
            whole = whole.masked_scatter(valid[..., None], seen)
        return Encoded(whole, batch.lengths)


def embedding_width(categories: int) -> int:
    """Choose the width of an embedding.

    Parameters
    ----------
    categories : int
        How many codes there are.

    Returns
    -------
    int
        About 1.6 times the 0.56th power, at most 50.

    Examples
    --------
    >>> embedding_width(3), embedding_width(1000)
    (3, 50)
    """
    return max(1, min(50, round(1.6 * categories**0.56)))


def _silent(read: Tensor, lengths: Tensor) -> Tensor:
    """Put zeros where a signal, shape (batch, channels, time), has ended."""
    valid = torch.arange(read.shape[-1]) < lengths[:, None]
    return torch.where(valid[:, None], read, 0.0)
