"""What counting alone foretells: an interpolated n-gram model, the baseline of a language model."""

from __future__ import annotations

import numpy as np

from recurra.types import Floats, Integers

__all__ = ["n_gram_costs"]

MOST = 2_000_000  # tokens that are counted: the last of a long training text


def n_gram_costs(training: Integers, text: Integers, vocabulary: int, order: int = 5) -> Floats:
    r"""Say what each token of a text costs, by counts of the `order` - 1 tokens before it.

    Witten and Bell's interpolation (IEEE Trans. Information Theory 37(4), 1991; as in Chen and
    Goodman 1999): a context h, seen c(h) times with N(h) different tokens after it, is believed as
    much as it is varied; the rest is left to the context h' without its first token, the last to
    1 / vocabulary:

    .. math:: p(w \mid h) = \frac{c(h, w) + N(h)\, p(w \mid h')}{c(h) + N(h)}

    Parameters
    ----------
    training : ndarray of int, shape (n,)
        The tokens that are counted, each from 0 to `vocabulary` - 1.
    text : ndarray of int, shape (m,)
        The tokens that are foretold; contexts begin within it.
    vocabulary : int
        Tokens there are.
    order : int
        Tokens that are counted together.

    Returns
    -------
    ndarray of float64, shape (m,)
        Negative log-likelihoods, in nats.

    Examples
    --------
    >>> costs = n_gram_costs(np.array([0, 1, 0, 1, 0, 1]), np.array([0, 1, 0]), 2, order=2)
    >>> np.exp(-costs).round(3)
    array([0.5  , 0.875, 0.833])
    """
    training = np.asarray(training, np.int64)[-MOST:]
    n, both = len(training), np.concatenate([training, np.asarray(text, np.int64)])
    found = np.full(len(both) - n, 1.0 / vocabulary)
    context = np.zeros(len(both), np.int64)
    for k in range(order):
        if k:  # the context of k tokens: that of k - 1 tokens one step before, and the token there
            longer = np.full(len(both), -1, np.int64)
            longer[k:] = context[k - 1 : -1] * vocabulary + both[k - 1 : -1]
            longer[n : n + k] = -1
            context = np.unique(longer, return_inverse=True)[1]
        foretold = _interpolated(context, both, n, vocabulary, found)
        here = np.arange(len(found)) >= k
        found = np.where(here, foretold, found)
    return -np.log(found)


def _interpolated(
    context: Integers, both: Integers, n: int, vocabulary: int, shorter: Floats
) -> Floats:
    """Mix the counts after one length of context with the probabilities of shorter ones."""
    pair, place = np.unique(context * vocabulary + both, return_inverse=True)
    together = np.bincount(place[:n], minlength=len(pair))
    seen = np.bincount(context[:n], minlength=int(context.max()) + 1)
    varied = np.bincount(pair[together > 0] // vocabulary, minlength=len(seen))
    h = context[n:]
    total = seen[h] + varied[h]
    known = (together[place[n:]] + varied[h] * shorter) / np.maximum(total, 1)
    return np.where(total > 0, known, shorter)
