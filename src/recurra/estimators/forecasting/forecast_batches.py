"""Training windows for a forecaster: an index into arrays that lie flat in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from recurra.data.panel.windows import draw_windows, end_windows
from recurra.models import Batch, Inputs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from recurra.data import Panel
    from recurra.estimators.forecasting.forecast_inputs import InputReader
    from recurra.estimators.forecasting.forecast_state import Rows
    from recurra.types import Booleans, Integers

__all__ = ["Batches"]


@dataclass(frozen=True)
class Batches:
    """Everything a window needs, by row.

    Attributes
    ----------
    dataset : Panel
        The rows.
    rows : Rows
        The series themselves.
    real, codes : Tensor
        The covariates, as `reader` read them.
    target : Tensor, shape (rows,), float64
        The value of the row after; NaN at the end of a series.
    reader : InputReader
        Knows which covariates are past.
    context : int
        Rows in a window.
    """

    dataset: Panel
    rows: Rows
    real: Tensor
    codes: Tensor
    target: Tensor
    reader: InputReader
    context: int

    @classmethod
    def of(cls, dataset: Panel, rows: Rows, reader: InputReader, context: int) -> Batches:
        """Line up every row with the value after it, once two values have been observed."""
        target = np.append(dataset.target[1:], np.nan)
        target[dataset.offsets[1:] - 1] = np.nan
        target[_seen(dataset) < 2] = np.nan  # no change seen, no scale
        real, codes = reader.read(dataset)
        return cls(dataset, rows, real, codes, torch.from_numpy(target), reader, context)

    def draw(self, held_back: Integers, batch_size: int, seed: int) -> Iterator[Batch]:
        """Yield random windows without end.

        Parameters
        ----------
        held_back : ndarray, shape (series,)
            Rows at the end of each series that are neither read nor foretold.
        batch_size : int
            Windows in a batch.
        seed : int
            Source of chance.
        """
        random = np.random.default_rng(seed)
        usable = self.dataset.lengths - held_back - 1
        series = np.flatnonzero(usable > 0)
        starts, lengths = self.dataset.offsets[series], usable[series]
        while True:
            index, valid = draw_windows(starts, lengths, self.context, batch_size, random)
            hidden = self._hidden(index.shape, random) if self.reader.has_past else None
            yield self._batch(index, valid, hidden)

    def last(self, held_back: Integers) -> Batch:
        """Return the ends of the series; only rows held back are foretold.

        Parameters
        ----------
        held_back : ndarray, shape (series,)
            How many rows to foretell at the end of each series.
        """
        series = np.flatnonzero(held_back)
        lengths, held = self.dataset.lengths[series] - 1, held_back[series]
        starts = self.dataset.offsets[series]
        index, valid = end_windows(starts, lengths, self.context + int(held.max()))
        return self._batch(index, valid & (index >= (starts + lengths - held)[:, None]))

    def _batch(self, index: Integers, counted: Booleans, hidden: Tensor | None = None) -> Batch:
        at = torch.from_numpy(index)
        real, codes = self.real[at], self.codes[at]
        if hidden is not None:
            real, codes = self.reader.hide_past(real, codes, hidden)
        target = self.target[at].masked_fill_(torch.from_numpy(~counted), float("nan"))
        inputs = Inputs(self.rows.local[at], real, codes)
        return Batch(inputs, self.rows.anchor[at], self.rows.scale[at], target)

    @staticmethod
    def _hidden(shape: tuple[int, ...], random: np.random.Generator) -> Tensor:
        """Hide past covariates from a random step on, in every other window: so it will be."""
        since = random.integers(1, shape[1] + 1, size=shape[0])
        since[random.random(shape[0]) < 0.5] = shape[1]
        return torch.from_numpy(np.arange(shape[1]) >= since[:, None])


def _seen(dataset: Panel) -> Integers:
    """Count the values observed so far, at every row."""
    total: Integers = np.cumsum(dataset.observed)
    before: Integers = total[dataset.offsets[:-1]] - dataset.observed[dataset.offsets[:-1]]
    return total - np.repeat(before, dataset.lengths)
