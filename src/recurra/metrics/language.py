"""How well a text was foretold: what its tokens cost, per token and per letter."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from recurra.errors import ShapeError
from recurra.types import Floats

__all__ = ["bits_per_character", "perplexity"]


def perplexity(log_likelihoods: ArrayLike) -> float:
    r"""Among how many equally likely tokens the model was to choose, in the geometric mean.

    .. math:: \exp\Bigl(-\frac1n \sum_t \ln p(x_t \mid x_{<t})\Bigr)

    It compares models of the same tokens only; `bits_per_character` compares those of any.

    Parameters
    ----------
    log_likelihoods : array_like, any shape
        The natural logarithm of the probability that each token was given; NaN where none is
        counted.

    Returns
    -------
    float
        1 if all was certain; infinity if a token was held impossible; NaN if there are none.

    Raises
    ------
    ShapeError
        If a logarithm is above 0, which that of no probability is.

    Examples
    --------
    >>> round(perplexity(np.log([0.5, 0.125])), 6)
    4.0
    """
    said = _checked(log_likelihoods)
    with np.errstate(over="ignore"):
        return float(np.exp(-said.mean())) if said.size else math.nan


def bits_per_character(log_likelihoods: ArrayLike, characters: int) -> float:
    r"""How many bits each letter of a text costs, whatever the tokens it was parted into.

    .. math:: -\frac{1}{m} \sum_t \log_2 p(x_t \mid x_{<t})

    Parameters
    ----------
    log_likelihoods : array_like, any shape
        The natural logarithm of the probability that each token was given; NaN where none is
        counted.
    characters : int
        Letters (code points) of the text.

    Returns
    -------
    float
        In bits; infinity if a token was held impossible; NaN if there are none.

    Raises
    ------
    ShapeError
        If there are no letters, or a logarithm is above 0.

    Examples
    --------
    >>> bits_per_character(np.log([0.5, 0.125]), characters=8)
    0.5
    """
    if characters < 1:
        raise ShapeError(f"characters={characters!r}, but a text has at least 1.")
    said = _checked(log_likelihoods)
    return -float(said.sum()) / math.log(2) / characters if said.size else math.nan


def _checked(log_likelihoods: ArrayLike) -> Floats:
    said = np.asarray(log_likelihoods, np.float64).ravel()
    said = said[~np.isnan(said)]
    if (said > 1e-6).any():
        raise ShapeError(
            f"A log-likelihood is {said.max():g}, but that of a token is at most 0. Give natural "
            "logarithms of probabilities, not losses."
        )
    return said
