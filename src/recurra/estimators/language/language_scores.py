"""How well a text was foretold: token by token, in the mean, and beside an n-gram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from recurra.estimators.language.language_data import flat_rows_of
from recurra.estimators.language.n_gram import n_gram_costs
from recurra.estimators.learning.report import Score
from recurra.metrics import bits_per_character, perplexity
from recurra.models import LanguageBatch, LanguageNetwork

if TYPE_CHECKING:
    from recurra.types import Floats, Integers

__all__ = ["log_likelihoods", "mean_loss", "measures", "n_gram_log_likelihoods"]

MOST_STEPS, LARGEST, LONGEST = 2**15, 64, 512  # of a batch that is scored, with padding
MOST_SCORES = 2**24  # in memory at once, when nothing is learned


@torch.no_grad()
def log_likelihoods(network: LanguageNetwork, text: list[Integers]) -> list[Floats]:
    """Say how well each token was foretold; documents of like length are read together.

    Parameters
    ----------
    network : LanguageNetwork
        Trained.
    text : list of ndarray of int
        The codes of each document, an end before the first and behind the last.

    Returns
    -------
    list of ndarray of float64, each shape (tokens + 1,)
        Natural logarithms of probabilities; NaN for a token that is not counted.
    """
    lengths = np.array([len(each) - 1 for each in text])
    order, found = np.argsort(lengths, kind="stable"), [np.zeros(0)] * len(text)
    start = 0
    while start < len(order):
        longest = lengths[order[start : start + LARGEST]]
        cells = longest * np.arange(1, len(longest) + 1)
        count = max(int(np.searchsorted(cells, MOST_STEPS, side="right")), 1)
        places, start = order[start : start + count], start + count
        for place, said in zip(places, _said(network, [text[k] for k in places]), strict=True):
            found[place] = said[: lengths[place]]
    return found


def mean_loss(network: Any, text: list[Integers], vocabulary: int) -> float:
    """Return what a token of a text costs a network that is being trained.

    Parameters
    ----------
    network : Module
        Asked for its ``loss``.
    text : list of ndarray of int
        Documents, as for `log_likelihoods`.
    vocabulary : int
        The number of tokens.

    Returns
    -------
    float
        In nats.
    """
    total, count, state = 0.0, 0, None
    batch = flat_rows_of(text)
    for piece in batch.chunks(_stretch(len(batch.codes), vocabulary)):
        lost, counted, state = network.loss(piece, state)
        total, count = total + float(lost), count + int(counted)
    return total / max(count, 1)


def n_gram_log_likelihoods(
    learned: list[Integers], text: list[Integers], vocabulary: tuple[object, ...]
) -> Floats:
    """Say how well an n-gram foretells each token, of those that a network counts.

    Parameters
    ----------
    learned, text : list of ndarray of int
        Documents, as for `log_likelihoods`: those that it counts, and those it foretells.
    vocabulary : tuple
        All tokens; None is the unknown one.

    Returns
    -------
    ndarray of float64, shape (tokens,)
        Of all documents, one after the other, with their ends; NaN for a token that is not counted.
    """
    flat, foretold = (np.concatenate([each[1:] for each in one]) for one in (learned, text))
    costs = n_gram_costs(flat, foretold, len(vocabulary))
    unknown = [code for code, token in enumerate(vocabulary) if token is None]
    if not np.isin(flat, unknown).any():  # then the network does not count it either
        costs[np.isin(foretold, unknown)] = np.nan
    return -costs


def measures(model: str, said: Floats, letters: int) -> list[Score]:
    """Measure how well a text was foretold.

    Parameters
    ----------
    model : str
        What foretold it.
    said : ndarray of float64, shape (tokens,)
        The log-likelihood of each token; NaN is not counted.
    letters : int
        How many letters the text has.

    Returns
    -------
    list of Score
        In nats per token, in bits per letter, and as perplexity.

    Examples
    --------
    >>> for score in measures("a coin", np.log([0.5, 0.5]), letters=4):
    ...     print(score.measure, round(score.value, 3))
    nats per token 0.693
    bits per character 0.5
    perplexity 2.0
    """
    return [
        Score(model, "nats per token", -float(np.nanmean(said))),
        Score(model, "bits per character", bits_per_character(said, letters)),
        Score(model, "perplexity", perplexity(said)),
    ]


def _stretch(rows: int, vocabulary: int) -> int:
    """Choose how many steps are read at once, so that their scores fit into memory."""
    return min(max(MOST_SCORES // (rows * vocabulary), 1), LONGEST)


def _said(network: LanguageNetwork, rows: list[Integers]) -> Floats:
    """Give the log-likelihoods of a batch, with padding."""
    parts, state = [], None
    batch = LanguageBatch.padded([torch.from_numpy(row) for row in rows])
    for piece in batch.chunks(_stretch(len(rows), network.plan.vocabulary)):
        costs, counted, state = network.costs(piece, state)
        parts.append(torch.where(counted, -costs.double(), torch.nan).numpy())
    return np.concatenate(parts, 1)
