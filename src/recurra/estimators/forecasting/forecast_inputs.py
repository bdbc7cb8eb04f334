"""From the columns of a data set to what a forecasting network reads beside the series itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from recurra.data import CovariateEncoder, calendar_features

if TYPE_CHECKING:
    from recurra.data import Panel
    from recurra.types import Integers, Reals

__all__ = ["InputReader"]

HOUR = 3_600_000_000_000  # nanoseconds
CYCLES = {
    "minute_of_hour": HOUR,
    "hour_of_day": 24 * HOUR,
    "day_of_week": 7 * 24 * HOUR,
    "day_of_year": 365 * 24 * HOUR,
    "week_of_year": 365 * 24 * HOUR,
    "month_of_year": 365 * 24 * HOUR,
    "quarter_of_year": 365 * 24 * HOUR,
}


class InputReader:
    """Line up covariates with the step that reads them.

    The network stands at step t and says something about step t + 1. So row t holds the calendar
    and the future covariates of t + 1, how the latter change from t, the past covariates of t (or
    zeros, and a flag, where they are not known), and the static ones. The row after a series' end
    is not known: its last row repeats itself, and must not be read.

    Parameters
    ----------
    encoder : CovariateEncoder
        Fitted on the training part.
    calendar : list of str
        The calendar features to use, of those :func:`~recurra.data.calendar_features` knows.
    usual_gap : float
        The median time between rows if the clock is irregular, otherwise 0. The time from each row
        to the next, in these units and on a logarithmic scale, is then read too.
    """

    def __init__(self, encoder: CovariateEncoder, calendar: list[str], usual_gap: float) -> None:
        self.encoder = encoder
        self.calendar = calendar
        self.usual_gap = usual_gap

    @classmethod
    def fit(cls, dataset: Panel) -> InputReader:
        """Learn from a training part; a cycle of the calendar it has not seen twice is left out."""
        names = calendar_features(dataset.times[:1], dataset.clock)[1]
        span = int(dataset.times.max() - dataset.times.min()) if names else 0
        seen = [name for name in names if span >= 2 * CYCLES[name.split("_", 1)[1]]]
        usual_gap = 0.0 if dataset.clock.regular else float(np.median(dataset.spacing))
        return cls(CovariateEncoder().fit(dataset), seen, usual_gap)

    @property
    def width(self) -> int:
        """Number of columns of real covariates."""
        future, past, static = (
            self.encoder.widths[role][0] for role in ("future", "past", "static")
        )
        return (
            len(self.calendar) + (self.usual_gap > 0) + 2 * future + static + past + self.has_past
        )

    @property
    def cardinalities(self) -> list[int]:
        """Number of categories of every column of codes."""
        roles = ("future", "static", "past")
        return [size for role in roles for size in self.encoder.cardinalities[role]]

    @property
    def has_past(self) -> bool:
        """Whether there are past covariates."""
        return sum(self.encoder.widths["past"]) > 0

    def read(self, dataset: Panel) -> tuple[Tensor, Tensor]:
        """Encode every row.

        Parameters
        ----------
        dataset : Panel
            With the columns the encoder was fitted on.

        Returns
        -------
        real : Tensor, shape (rows, real), float32
            Numbers.
        codes : Tensor, shape (rows, categorical), int64
            Categories.
        """
        following = np.arange(len(dataset.times)) + 1
        following[dataset.offsets[1:] - 1] -= 1
        owner = np.repeat(np.arange(len(dataset)), dataset.lengths)
        calendar = self._calendar(dataset)
        future, future_codes = self.encoder.future(dataset)
        past, past_codes = self.encoder.past(dataset)
        static, static_codes = self.encoder.static(dataset)
        gap = self._gap(dataset, following)
        known = [calendar[following], gap, future[following], future[following] - future]
        flag = np.ones((len(owner), 1 if self.has_past else 0), np.float32)
        real = np.concatenate([*known, static[owner], past, flag], 1)
        codes = np.concatenate([future_codes[following], static_codes[owner], past_codes], 1)
        return torch.from_numpy(real), torch.from_numpy(codes)

    def hide_past(self, real: Tensor, codes: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return copies without the past covariates on some steps, as when forecasting further.

        Parameters
        ----------
        real : Tensor, shape (..., real)
            As read.
        codes : Tensor, shape (..., categorical)
            As read.
        hidden : Tensor, shape (...), bool
            Where to hide them.

        Returns
        -------
        tuple of (Tensor, Tensor)
            The numbers with zeros, the categories with the unknown one.
        """
        if not self.has_past:
            return real, codes
        reals, categories = self.encoder.widths["past"]
        real, codes = real.clone(), codes.clone()
        real[..., real.shape[-1] - reals - 1 :].masked_fill_(hidden[..., None], 0.0)
        codes[..., codes.shape[-1] - categories :].masked_fill_(hidden[..., None], 0)
        return real, codes

    def _gap(self, dataset: Panel, following: Integers) -> Reals:
        if not self.usual_gap:
            return np.empty((len(following), 0), np.float32)
        gap = (dataset.times[following] - dataset.times) / self.usual_gap
        return np.log1p(gap)[:, None].astype(np.float32)

    def _calendar(self, dataset: Panel) -> Reals:
        features, names = calendar_features(dataset.times, dataset.clock)
        return features[:, [names.index(name) for name in self.calendar]]
