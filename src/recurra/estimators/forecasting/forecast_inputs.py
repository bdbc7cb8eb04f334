"""From the columns of a data set to what a forecasting network reads beside the series itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from recurra.data import CovariateEncoder, calendar_features

if TYPE_CHECKING:
    from recurra.data import Clock, Panel
    from recurra.types import Integers

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
        future, future_codes = self.encoder.future(dataset)
        past, past_codes = self.encoder.past(dataset)
        static, static_codes = self.encoder.static(dataset)
        real = self.lined_up(
            self.calendar_of(dataset.times[following], dataset.times, dataset.clock),
            torch.from_numpy(future),
            torch.from_numpy(future[following]),
            torch.from_numpy(static[owner]),
            torch.from_numpy(past),
        )
        codes = np.concatenate([future_codes[following], static_codes[owner], past_codes], 1)
        return real, torch.from_numpy(codes)

    def lined_up(
        self, calendar: Tensor, future: Tensor, following: Tensor, static: Tensor, past: Tensor
    ) -> Tensor:
        """Put side by side the numbers that each row holds.

        Parameters
        ----------
        calendar : Tensor, shape (..., columns)
            Of the row after each; see `calendar_of`.
        future, following : Tensor, shape (..., columns)
            The future covariates of each row, and of the row after it.
        static, past : Tensor, shape (..., columns)
            The other covariates of each row.

        Returns
        -------
        Tensor, shape (..., `width`)
            The numbers; the last one is 1, as the past covariates are known, if there are any.
        """
        known = torch.ones(*past.shape[:-1], 1 if self.has_past else 0)
        return torch.cat([calendar, following, following - future, static, past, known], -1)

    def calendar_of(self, times: Integers, before: Integers, clock: Clock) -> Tensor:
        """Say where rows lie on the calendar and, if the clock is irregular, how long they took.

        Parameters
        ----------
        times, before : ndarray of int64, shape (rows,)
            The stamps of rows, and of those before them.
        clock : Clock
            Their clock.

        Returns
        -------
        Tensor, shape (rows, columns), float32
            The features that are used, and the time from the row before.
        """
        features, names = calendar_features(times, clock)
        used = features[:, [names.index(name) for name in self.calendar]]
        gap = np.empty((len(times), 0), np.float32)
        if self.usual_gap:
            gap = np.log1p((times - before) / self.usual_gap)[:, None].astype(np.float32)
        return torch.from_numpy(np.concatenate([used, gap], 1))

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
