"""How the learning rate rises and falls with the steps."""

from __future__ import annotations

import math
from typing import Literal

__all__ = ["Schedule", "rate_of"]

Schedule = Literal["cosine", "linear", "constant", "one_cycle", "plateau"]

RISE = 0.3  # of all steps, those in which a cycle rises
FIRST, LAST = 1 / 25, 1 / 25e4  # of the highest rate, those that it begins and ends with


def rate_of(schedule: Schedule, step: int, steps: int, warmup: int, highest: float) -> float:
    r"""Give the learning rate of a step.

    With :math:`t` of :math:`T` steps done and :math:`w` steps of warm-up,

    .. math:: \eta_t = \eta \min\Bigl(1, \frac{t + 1}{w}\Bigr) f\Bigl(\frac{t}{T}\Bigr), \qquad
              f(p) = \tfrac12 (1 + \cos \pi p),\; 1 - p,\; 1

    for ``"cosine"`` (Loshchilov & Hutter 2017, arXiv:1608.03983), ``"linear"``, ``"constant"`` and
    ``"plateau"``, which `recurra.training.plateau` lowers. ``"one_cycle"`` (Smith & Topin 2018,
    arXiv:1708.07120) has no warm-up but its own: it rises from :math:`\eta / 25` to :math:`\eta` in
    the first three tenths of the steps, and then falls to :math:`\eta / 250\,000`, both along half
    a cosine.

    Parameters
    ----------
    schedule : {"cosine", "linear", "constant", "one_cycle", "plateau"}
        Which.
    step : int
        Steps done.
    steps : int
        All of them.
    warmup : int
        Steps in which the rate rises from zero.
    highest : float
        The highest rate.

    Returns
    -------
    float
        The rate.

    Examples
    --------
    >>> [round(rate_of("one_cycle", step, 11, 0, 1.0), 3) for step in (0, 1, 2, 3, 6, 10)]
    [0.04, 0.422, 0.96, 0.98, 0.531, 0.0]
    """
    if schedule == "one_cycle":
        top = max(RISE * steps - 1, 0.0)
        if step < top:
            return highest * _between(FIRST, 1.0, step / top)
        return highest * _between(1.0, LAST, (step - top) / max(steps - 1 - top, 1.0))
    rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
    done, fall = step / steps, 1.0
    if schedule == "cosine":
        fall = 0.5 * (1.0 + math.cos(math.pi * done))
    elif schedule == "linear":
        fall = 1.0 - done
    return highest * rise * fall


def _between(first: float, last: float, done: float) -> float:
    """Go along half a cosine."""
    return last + (first - last) * 0.5 * (1.0 + math.cos(math.pi * done))
