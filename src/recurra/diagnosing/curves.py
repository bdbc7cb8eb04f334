"""How a training went: whether it relapsed, still falls, overfits, or learned nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recurra.training import Log, Training
from recurra.types import Floats

__all__ = ["Curve", "curve_of", "first_moves"]

SMOOTH = 100  # parts of a training that a curve is smoothed to
FEWEST = 20  # steps that say anything
BEGINNING = 5  # steps that say where the loss began
JUMPS = 8.0  # times what single batches differ by
LATE = 0.2  # share of the steps that says whether a loss still falls


@dataclass(frozen=True)
class Curve:
    """What a training's log tells.

    Attributes
    ----------
    steps : int
        Optimizer steps.
    loss : ndarray, shape (steps,)
        Of each step; NaN where it was not finite.
    smooth : ndarray, shape (steps,)
        The mean over the last few steps.
    noise : float
        Standard deviation of `smooth` that comes of batches alone: of the differences of steps that
        follow each other.
    start : float
        The loss at the beginning.
    end : float
        The mean of the last fifth.
    gain : float
        From the beginning down to the least, smoothed.
    relapse : float
        The largest rise above what had been reached before, smoothed.
    late : float
        By how much the loss fell from the first half of the last fifth to its second half, as a
        share of `gain`.
    validation : ndarray, shape (checks, 2)
        Step and loss of each check.
    worsened : float
        The last validation loss above the best, as a share of what the best had gained on the loss
        at the beginning; 0 without.
    best_step, skipped, slowed : int
        As in `recurra.training.Log`.
    """

    steps: int
    loss: Floats
    smooth: Floats
    noise: float
    start: float
    end: float
    gain: float
    relapse: float
    late: float
    validation: Floats
    worsened: float
    best_step: int
    skipped: int
    slowed: int


def curve_of(log: Log) -> Curve | None:
    """Read a training's log.

    Parameters
    ----------
    log : Log
        What happened.

    Returns
    -------
    Curve or None
        None for fewer than 20 steps, which say nothing.

    Examples
    --------
    >>> falling = curve_of(Log(loss=np.linspace(2, 1, 100).tolist()))
    >>> falling.relapse < 0.02, round(falling.gain, 2)
    (True, 0.97)
    """
    loss = np.array(log.loss, np.float64)
    loss[~np.isfinite(loss)] = np.nan
    if np.isfinite(loss).sum() < FEWEST:
        return None
    wide = max(len(loss) // SMOOTH, 3)
    smooth = _smoothed(loss, wide)
    known = loss[np.isfinite(loss)]
    differences = np.abs(np.diff(known))
    noise = float(1.4826 * np.median(differences) / np.sqrt(2) / np.sqrt(wide))
    start = _start(loss, noise * np.sqrt(wide))
    reached = np.minimum.accumulate(np.minimum(smooth, start))
    late = max(int(LATE * len(smooth)), 2)
    gain = max(start - float(smooth.min()), 0.0)
    fell = float(np.mean(smooth[-late : -late // 2]) - np.mean(smooth[-late // 2 :]))
    validation = np.array(log.validation, np.float64).reshape(-1, 2)
    return Curve(
        len(loss),
        loss,
        smooth,
        noise,
        start,
        float(smooth[-late:].mean()),
        gain,
        float((smooth - reached).max()),
        fell / gain if gain > 0 else 0.0,
        validation,
        _worsened(validation[:, 1], start),
        log.best_step,
        log.skipped,
        log.slowed,
    )


def first_moves(options: Training, hidden_size: int) -> float:
    r"""Say how far the first steps move a recurrent weight, in sizes of what it begins with.

    Adam and its kin move each weight by about the rate :math:`\eta`, whatever the gradient; a
    weight that is drawn from :math:`U(-1/\sqrt H, 1/\sqrt H)` is :math:`1/\sqrt{3H}` long:
    :math:`\eta \sqrt{3H}`.

    Parameters
    ----------
    options : Training
        How it was trained.
    hidden_size : int
        :math:`H`.

    Returns
    -------
    float
        NaN for ``"sgd"``, whose steps are as long as the gradient.

    Examples
    --------
    >>> round(first_moves(Training(learning_rate=2e-3), 64), 3)
    0.028
    """
    if options.optimizer == "sgd":
        return float("nan")
    return float(options.learning_rate * np.sqrt(3 * hidden_size))


def _start(loss: Floats, noise: float) -> float:
    """Give the mean of the first steps, or, where the loss jumps at once, the first alone."""
    known = loss[np.isfinite(loss)][:BEGINNING]
    mean = float(known.mean())
    return float(known[0]) if mean - known[0] > JUMPS * noise else mean


def _smoothed(loss: Floats, wide: int) -> Floats:
    """Give the mean of the last `wide` steps that are finite."""
    filled, known = np.nan_to_num(loss), np.isfinite(loss).astype(float)
    sums = np.cumsum(np.concatenate([[0.0], filled]))
    counts = np.cumsum(np.concatenate([[0.0], known]))
    first = np.maximum(np.arange(len(loss)) + 1 - wide, 0)
    last = np.arange(len(loss)) + 1
    means = (sums[last] - sums[first]) / np.maximum(counts[last] - counts[first], 1)
    none = counts[last] == counts[first]
    if none.any():  # not finite for long: as high as it ever was
        means[none] = np.nanmax(loss)
    smooth: Floats = means[wide - 1 :]
    return np.concatenate([np.full(wide - 1, smooth[0]), smooth])


def _worsened(losses: Floats, start: float) -> float:
    if len(losses) < 3 or not np.isfinite(losses).all():
        return 0.0
    best = losses.min()
    gained = max(start, losses[0]) - best
    return float((losses[-1] - best) / gained) if gained > 0 else 0.0
