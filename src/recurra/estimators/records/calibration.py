"""How sure a classifier is to be: one temperature for its logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from recurra.types import Array, Floats

__all__ = ["best_temperature", "chances_of"]

COLDEST, HOTTEST = 0.2, 10.0


def best_temperature(logits: Floats, codes: Array) -> float:
    r"""Find the temperature that makes known labels most probable.

    .. math:: \arg\min_T -\sum_i \log \mathrm{softmax}(z_i / T)_{y_i}

    Parameters
    ----------
    logits : ndarray, shape (…, classes)
        What a network says of records that it was not trained on.
    codes : ndarray of int, shape (…)
        The labels; -1 where unknown.

    Returns
    -------
    float
        Between 0.2 and 10; 1 where no label is known.

    References
    ----------
    C. Guo et al. 2017, On calibration of modern neural networks, arXiv:1706.04599.

    Examples
    --------
    >>> sure = np.array([[9.0, 0.0], [9.0, 0.0], [9.0, 0.0], [9.0, 0.0]])
    >>> round(best_temperature(sure, np.array([0, 0, 0, 1])), 1)
    8.2
    """
    known = codes >= 0
    if not known.any():
        return 1.0
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    read, places = logits[known], codes[known]
    right = np.take_along_axis(read, places[:, None], 1)[:, 0]

    def loss(logarithm: float) -> float:
        heat = np.exp(logarithm)
        return float((logsumexp(read / heat, axis=1) - right / heat).mean())

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(found.x))


def chances_of(logits: Floats, temperature: float) -> Floats:
    """Say how probable each class is.

    Parameters
    ----------
    logits : ndarray, shape (…, classes)
        What a network says.
    temperature : float
        What they are divided by.

    Returns
    -------
    ndarray, shape (…, classes)
        Their softmax; NaN where they are.

    Examples
    --------
    >>> chances_of(np.array([0.0, np.log(3.0)]), 1.0)
    array([0.25, 0.75])
    """
    cooled = logits / temperature
    weights = np.exp(cooled - cooled.max(-1, keepdims=True))
    chances: Floats = weights / weights.sum(-1, keepdims=True)
    return chances
