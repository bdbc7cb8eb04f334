"""Which learning rate to begin with: a short training in which the rate rises from tiny to huge."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from recurra.errors import OptionError, TrainingError, check_count, need
from recurra.training.clipping import clip
from recurra.training.flat import flatten
from recurra.training.flat_optimizer import FlatOptimizer
from recurra.training.options import Training
from recurra.training.precision import at_precision
from recurra.training.splitting import Splitting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

    from recurra.types import Floats

__all__ = ["RateCurve", "find_learning_rate"]

FIRST = 10  # steps that say what the loss is before anything is learned
WIDTH = 0.2  # of the bell that the curve is smoothed with, in powers of ten
NEAR = 0.1  # of the way that the loss fell: so near to the lowest it still counts as low
SAFE = 1 / 3  # of the largest rate that does no harm
BLUE, RED = "#1f5fa8", "#b03a2e"


@dataclass(frozen=True, repr=False)
class RateCurve:
    """The loss of each step of a training whose learning rate rises.

    Attributes
    ----------
    rates : tuple of float
        The learning rate of each step, until the loss was far above the first ones.
    losses : tuple of float
        The mean training loss of each step, before it was made.
    suggestion : float
        A learning rate to begin with.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float

    def __repr__(self) -> str:
        tried = f"{len(self.rates)} rates from {self.rates[0]:.2g} to {self.rates[-1]:.2g}"
        return f"RateCurve({tried}, suggestion {self.suggestion:.2g})"

    @property
    def smooth(self) -> tuple[float, ...]:
        """The losses, each with its neighbours: weighted by a bell over the powers of ten."""
        return tuple(_smooth(np.log10(self.rates), np.array(self.losses)).tolist())

    def plot(self) -> Figure:
        """Draw the curve and the suggestion.

        Returns
        -------
        matplotlib.figure.Figure
            To be shown or saved.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        figures: Any = need("matplotlib.figure", extra="plot", purpose="Drawing a curve of rates")
        figure = figures.Figure(figsize=(7, 4), layout="constrained")
        axes, smooth = figure.subplots(), np.array(self.smooth)
        axes.semilogx(self.rates, self.losses, ".", color="0.75", markersize=4, label="a step")
        axes.semilogx(self.rates, smooth, color=BLUE, label="smoothed")
        label = f"suggestion {self.suggestion:.2g}"
        axes.axvline(self.suggestion, color=RED, linestyle="--", linewidth=1, label=label)
        spread = float(np.ptp(smooth)) or 1.0
        axes.set_ylim(smooth.min() - 0.15 * spread, smooth.max() + 0.15 * spread)
        axes.set(xlabel="learning rate", ylabel="training loss")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        return figure


def find_learning_rate(
    model: nn.Module,
    batches: Iterator[Any],
    options: Training | None = None,
    *,
    lowest: float = 1e-6,
    highest: float = 1.0,
    steps: int = 120,
    seed: int = 0,
) -> RateCurve:
    r"""Look for a learning rate (Smith 2017, arXiv:1506.01186).

    A copy of the model is trained, and the rate rises from step to step by the same factor:

    .. math:: \eta_k = \eta_{\min} \Bigl(\frac{\eta_{\max}}{\eta_{\min}}\Bigr)^{k / (K - 1)}

    It ends where the loss has risen as far above the first losses as it had fallen below. Smoothed
    over :math:`\log \eta`, the loss stays, falls, and rises. The largest rate that does no harm is
    the last at which the loss was as low as it came, or a tenth of its fall above that. Suggested
    is a third of it (Bengio 2012, arXiv:1206.5533: begin with a large rate, and take a third of it
    where the loss diverges).

    Parameters
    ----------
    model : torch.nn.Module
        As for `train`; it is not changed.
    batches : iterator
        Endless, or of as many batches as steps.
    options : Training, optional
        Optimizer, clipping, weight decay, truncation; schedule and steps do not count.
    lowest, highest : float
        The first and the last rate.
    steps : int
        Optimizer steps at most.
    seed : int
        Source of chance: the same seed and batches give the same curve.

    Returns
    -------
    RateCurve
        The curve and what it suggests.

    Raises
    ------
    OptionError
        If the rates do not rise, or there are too few steps.
    TrainingError
        If the loss is not finite from the beginning.

    Examples
    --------
    >>> from itertools import repeat
    >>> class Line(nn.Linear):
    ...     def loss(self, batch, state):
    ...         miss = self(batch) - batch.sum(1, keepdim=True)
    ...         return miss.square().sum(), torch.tensor(len(batch)), None
    >>> _ = torch.manual_seed(0)
    >>> curve = find_learning_rate(Line(3, 1), repeat(torch.randn(64, 3)))
    >>> 1e-3 < curve.suggestion < 1
    True
    """
    if not 0 < lowest < highest < math.inf:
        raise OptionError(f"lowest={lowest!r} and highest={highest!r}, but the rate is to rise.")
    check_count("steps", steps, least=3 * FIRST)
    rates = np.geomspace(lowest, highest, steps)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        losses = _climbed(deepcopy(model).train(), batches, options or Training(), rates)
    if len(losses) < FIRST:
        raise TrainingError(
            f"The loss is not finite at step {len(losses) + 1}, at a rate of "
            f"{rates[len(losses)]:.1g}. Look for values many orders of magnitude apart in the "
            "data, or use a smaller lowest."
        )
    rates = rates[: len(losses)]
    return RateCurve(tuple(rates.tolist()), tuple(losses), _suggested(rates, np.array(losses)))


def _climbed(
    model: nn.Module, batches: Iterator[Any], options: Training, rates: Floats
) -> list[float]:
    """Train at rising rates; return the losses, as long as they are not lost."""
    flat = flatten(model)
    optimizer = FlatOptimizer(flat, options.optimizer, options.weight_decay)
    splitting, losses = Splitting(model, flat), list[float]()
    add = at_precision(splitting.add, options.precision, model)
    chunks = _chunks(batches, options.truncation)
    carried: Any = None
    for rate in rates.tolist():
        total, counts = 0.0, 0
        splitting.begin()
        for _ in range(options.accumulate):
            begins, chunk = next(chunks)
            summed, count, carried = add(chunk, None if begins else carried)
            total, counts = total + summed, counts + count
        loss = total / max(counts, 1)
        if not math.isfinite(loss) or _is_lost([*losses, loss]):
            break
        losses.append(loss)
        with torch.no_grad():
            if not optimizer.step(rate, clip(flat, counts, options), options.clip_norm):
                break
    return losses


def _chunks(batches: Iterator[Any], truncation: int | None) -> Iterator[tuple[bool, Any]]:
    """Yield what is learned from at once, and whether a batch begins there."""
    for batch in batches:
        parts = (batch,) if truncation is None else batch.chunks(truncation)
        for place, part in enumerate(parts):
            yield place == 0, part


def _is_lost(losses: list[float]) -> bool:
    """Whether the loss is as far above the first ones as it had fallen below, and above noise."""
    if len(losses) <= 2 * FIRST:
        return False
    first, now = np.array(losses[:FIRST]), float(np.mean(losses[-3:]))
    means = np.convolve(losses, np.ones(3) / 3, "valid")
    fallen = first.mean() - float(means.min())
    return now > first.mean() + max(fallen, 3 * first.std())


def _smooth(places: Floats, losses: Floats) -> Floats:
    """Mean of each loss and its neighbours, weighted by a bell."""
    weights = np.exp(-0.5 * ((places[:, None] - places) / WIDTH) ** 2)
    found: Floats = (weights @ losses) / weights.sum(1)
    return found


def _suggested(rates: Floats, losses: Floats) -> float:
    """A share of the largest rate at which the loss was about as low as it came."""
    smooth = _smooth(np.log10(rates), losses)
    low = smooth <= smooth.min() + NEAR * (smooth[0] - smooth.min())
    return float(rates[np.flatnonzero(low)[-1]]) * SAFE
