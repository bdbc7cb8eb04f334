"""A series seen from where it stands: causal features that know neither unit nor level.

At every step the newest observed value is the anchor, and a running mean of past changes is the
scale. Whatever enters or leaves the network is measured as ``(value - anchor) / scale``, so adding
a constant to a series, or multiplying it, shifts or multiplies its forecast and changes nothing
else. Nothing looks ahead, so the same code serves a whole history, one new row, and a forecast that
reads back its own values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["History", "LocalFeatures", "Pace", "View"]

RELATIVE_FLOOR = 1e-6  # the scale never falls below this part of the largest value seen,
LONG_RUN_FLOOR = 0.1  # nor below this part of the mean change since the series began
LONGEST = 1e6  # features reach up to this many scales


class View(NamedTuple):
    """What the network is shown, one row a step.

    Attributes
    ----------
    features : Tensor, shape (batch, time, features)
        Lagged values relative to the anchor, in units of the scale, and whether the step was
        observed.
    anchor : Tensor, shape (batch, time)
        The newest observed value; NaN before the first.
    scale : Tensor, shape (batch, time)
        The size of a usual change, in the units of the series; always positive.
    """

    features: Tensor
    anchor: Tensor
    scale: Tensor


class Pace(NamedTuple):
    """Where a batch of series stands and how fast it moves; every field has shape (batch,).

    Or (batch, time), where it stood after each of some steps.

    Attributes
    ----------
    anchor, peak : Tensor
        The newest observed value (NaN before the first), and the largest magnitude so far.
    change, weight : Tensor
        Exponentially weighted sum of absolute changes, and of their weights.
    total, moves : Tensor
        Plain sum and number of absolute changes.
    """

    anchor: Tensor
    peak: Tensor
    change: Tensor
    weight: Tensor
    total: Tensor
    moves: Tensor

    def along(self, values: Tensor, decay: float) -> Pace:
        """Read more values of every series; NaN changes nothing.

        Parameters
        ----------
        values : Tensor, shape (batch, time), float64
            The values, oldest first.
        decay : float
            Weight of the past in `change` and `weight`.

        Returns
        -------
        Pace
            After each of them: every field has shape (batch, time).
        """
        seen = torch.cat([self.anchor[:, None], values], 1)
        newest = torch.where(seen.isnan(), 0, torch.arange(seen.shape[1])).cummax(1).values
        anchor = seen.gather(1, newest)
        move = values - anchor[:, :-1]
        moved = ~move.isnan()
        step = torch.where(moved, move, 0.0).abs()  # selected first: a gradient meets no NaN
        height = torch.where(values.isnan(), 0.0, values).abs()
        sums = _decayed(torch.stack([self.change, self.weight]), moved, step, decay)
        return Pace(
            anchor=anchor[:, 1:],
            peak=torch.cat([self.peak[:, None], height], 1).cummax(1).values[:, 1:],
            change=sums[0],
            weight=sums[1],
            total=torch.cat([self.total[:, None], step], 1).cumsum(1)[:, 1:],
            moves=torch.cat([self.moves[:, None], moved], 1).cumsum(1)[:, 1:],
        )

    def at(self, step: int) -> Pace:
        """Return what was after one of the steps of `along`, without the memory of the others."""
        return Pace(*(each[:, step].clone() for each in self))

    def scale(self, floor: float) -> Tensor:
        """Return the size of a usual change, kept away from zero."""
        usual = self.change / self.weight.clamp_min(1e-12)
        long_run = LONG_RUN_FLOOR * self.total / self.moves.clamp_min(1.0)
        return torch.maximum(torch.maximum(usual, long_run), RELATIVE_FLOOR * self.peak + floor)


class History(NamedTuple):
    """All that must be remembered of the past of a batch of series, in constant memory.

    Attributes
    ----------
    recent : Tensor, shape (batch, 1 + longest lag)
        The last values, newest last; NaN where unobserved or before the start.
    pace : Pace
        Where the series stand.
    """

    recent: Tensor
    pace: Pace

    def take(self, rows: Tensor) -> History:
        """Return the history of some rows; a row may be named more than once."""
        return History(self.recent[rows], Pace(*(each[rows] for each in self.pace)))


class LocalFeatures:
    """Turn values into :class:`View` rows, carrying a :class:`History`.

    The scale at step t is

    .. math:: s_t = \\sum_{j \\le t} d^{t-j} |y_j - y_{j-1}| \\Big/ \\sum_{j \\le t} d^{t-j}

    over observed steps only, kept above small fractions of the largest value and of the mean change
    of the whole series, so that a constant stretch never divides by zero.

    Parameters
    ----------
    lags : sequence of int
        How many steps back the network looks directly; at least 1 each.
    decay : float
        Weight d of the past in the scale, between 0 and 1.
    floor : float
        The scale never falls below it, in the units of the series.

    Examples
    --------
    >>> local = LocalFeatures(lags=[1], decay=0.5)
    >>> view, history = local.observe(torch.tensor([[10.0, 12.0, 11.0]], dtype=torch.float64))
    >>> view.anchor.tolist(), view.scale[0, 1:].round(decimals=2).tolist()
    ([[10.0, 12.0, 11.0]], [2.0, 1.33])
    """

    def __init__(self, lags: Sequence[int], decay: float, floor: float = 1e-30) -> None:
        self.lags = list(lags)
        self.decay = decay
        self.floor = floor

    @property
    def size(self) -> int:
        """Number of features a step has."""
        return len(self.lags) + 1

    def start(self, batch: int) -> History:
        """Return the history of series that have not begun."""
        recent = torch.full((batch, 1 + max(self.lags)), float("nan"), dtype=torch.float64)
        anchor = torch.full((batch,), float("nan"), dtype=torch.float64)
        zeros = (torch.zeros(batch, dtype=torch.float64) for _ in range(5))
        return History(recent, Pace(anchor, *zeros))

    def observe(self, values: Tensor, history: History | None = None) -> tuple[View, History]:
        """Read new values after a history.

        Parameters
        ----------
        values : Tensor, shape (batch, time), float64
            New values, oldest first; NaN marks a step that was not observed. Steps before a series
            begins are NaN too: so series of unequal length are padded on the left.
        history : History, optional
            What came before; nothing by default.

        Returns
        -------
        View
            The features, anchors and scales of the new steps.
        History
            The history after them.
        """
        recent, before = self.start(len(values)) if history is None else history
        pace = before.along(values, self.decay)
        past = torch.cat([recent, values], 1)
        view = self._view(past, pace)
        return view, History(past[:, -recent.shape[1] :].clone(), pace.at(-1))

    def now(self, history: History) -> View:
        """Return the view from the newest step of a history; its arrays have no time axis."""
        pace = Pace(*(each[:, None] for each in history.pace))
        return View(*(each[:, 0] for each in self._view(history.recent, pace)))

    def _view(self, past: Tensor, pace: Pace) -> View:
        """The views from the last steps of a past; as many as the pace has."""
        (batch, steps), end = pace.anchor.shape, past.shape[1]
        anchor, scale = pace.anchor, pace.scale(self.floor)
        features = torch.empty(batch, steps, self.size, dtype=torch.float32)
        for k, lag in enumerate(self.lags):  # all at once would take the memory of many in float64
            features[..., k] = past[:, end - steps - lag : end - lag] - anchor
        relative, observed = features[..., :-1], features[..., -1]
        if relative.requires_grad:  # a gradient must meet no NaN on its way to the scale
            relative.masked_fill_(relative.isnan(), 0.0)
        relative /= scale[..., None].float()
        relative.clamp_(-LONGEST, LONGEST).nan_to_num_(0.0)
        observed.copy_(~past[:, end - steps :].isnan())
        return View(features, anchor, scale)


def _decayed(sums: Tensor, moved: Tensor, step: Tensor, decay: float) -> Tensor:
    """Decayed sums of the steps and of their weights, shape (2, batch, time)."""
    kept = torch.where(moved, step.new_tensor(decay), 1.0)
    added = torch.stack([step.t(), moved.t().to(step)], 1)
    found = []
    for keep, more in zip(kept.t().contiguous(), added, strict=True):
        sums = keep * sums + more
        found.append(sums)
    return torch.stack(found, -1)
