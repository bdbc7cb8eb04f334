r"""What residuals still hold: what was read k steps before the answer, and what they were before.

A network that misses what lies k steps back leaves it in its residuals. So each input at each lag
is held against them (and, where there are few channels, their products, and sums over stretches of
lags): r² is the share of the residuals that a line of that one number would explain, and

.. math:: \text{share} = r^2 \, \frac{\mathrm{Var}(e)}{\mathrm{Var}(y)}

the share of the answer itself. Nothing is taken for structure that is not far beyond chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from recurra.types import Floats, Integers

__all__ = ["Autocorrelation", "Relation", "autocorrelation", "relations"]

FEWEST = 60  # records, or residuals of series: fewer tell nothing from chance
SURE = 5.0
"""Standard errors of a correlation: beyond that by chance once in two million numbers."""
PRODUCTS = 4  # channels whose products are looked at, too
MOST_NUMBERS = 20_000  # numbers that are held against residuals


@dataclass(frozen=True)
class Relation:
    """A number that residuals, or answers, go with.

    Attributes
    ----------
    name : str
        Which channel, or product of two.
    first, last : int
        The lags, counted back from the step of the answer (or steps from the beginning).
    from_end : bool
        Whether they are counted back.
    lag : float
        How far back the nearest of it lies from where a record ends, on average.
    correlation : float
        r.
    share : float
        Of the variance of the answer.
    """

    name: str
    first: int
    last: int
    from_end: bool
    lag: float
    correlation: float
    share: float


def relations(
    inputs: Floats, lengths: Integers, names: Sequence[str], residuals: Floats, spread: Floats
) -> list[Relation]:
    """Find the numbers that residuals go with.

    Parameters
    ----------
    inputs : ndarray, shape (records, steps, channels)
        What was read; anything beyond a record's length.
    lengths : ndarray of int, shape (records,)
        Real steps.
    names : sequence of str
        Of the channels.
    residuals : ndarray, shape (records, outputs)
        NaN where unknown.
    spread : ndarray, shape (outputs,)
        The variance of the answers.

    Returns
    -------
    list of Relation
        Those beyond chance, the largest share first.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> X = random.normal(size=(200, 10, 1))
    >>> found = relations(X, np.full(200, 10), ["x"], X[:, 3], np.ones(1))
    >>> found[0].first, round(found[0].share, 1)
    (6, 1.0)
    """
    known = np.isfinite(residuals).all(1) & (lengths > 0)
    if known.sum() < FEWEST or not inputs.shape[2]:
        return []
    inputs, lengths, residuals = inputs[known], lengths[known], residuals[known]
    wanted = residuals - residuals.mean(0)
    size = np.sqrt((wanted**2).mean(0))
    share_of = np.where(spread > 0, size**2 / np.where(spread > 0, spread, 1.0), 0.0)
    wanted = wanted / np.where(size > 0, size, 1.0)
    found = []
    for from_end in (True, False) if len(set(lengths.tolist())) > 1 else (True,):
        for name, table in _tables(_aligned(inputs, lengths, from_end), names):
            for first, last, r in _correlated(table, wanted, share_of):
                lag = float(first if from_end else max((lengths - 1 - last).mean(), 0.0))
                best = int(np.argmax(r**2 * share_of))
                share = float(r[best] ** 2 * share_of[best])
                found.append(Relation(name, first, last, from_end, lag, float(r[best]), share))
    return sorted(found, key=lambda each: -each.share)


def _aligned(inputs: Floats, lengths: Integers, from_end: bool) -> Floats:
    """Put the last steps, or the first, of all records side by side; NaN where there is none."""
    steps = np.arange(inputs.shape[1])
    places = lengths[:, None] - 1 - steps if from_end else np.broadcast_to(steps, inputs.shape[:2])
    there = (places >= 0) & (places < lengths[:, None])
    taken = np.take_along_axis(inputs, np.where(there, places, 0)[..., None], 1)
    return np.where(there[..., None] & np.isfinite(taken), taken, np.nan)


def _tables(aligned: Floats, names: Sequence[str]) -> Iterator[tuple[str, Floats]]:
    """Yield each channel, and each product of two where they are few, shape (records, lags)."""
    steps, channels = aligned.shape[1:]
    for k in range(min(channels, max(MOST_NUMBERS // max(steps, 1), 1))):
        yield names[k], aligned[..., k]
    if channels <= PRODUCTS:
        centred = aligned - np.nanmean(aligned, (0, 1))
        for one in range(channels):
            for other in range(one, channels):
                told = f"{names[one]} × {names[other]}" if one != other else f"{names[one]}²"
                yield told, centred[..., one] * centred[..., other]


def _correlated(
    table: Floats, wanted: Floats, share_of: Floats
) -> Iterator[tuple[int, int, Floats]]:
    """Yield lags, and stretches of lags, whose correlation is beyond chance: their best."""
    steps = table.shape[1]
    stretches = [(k, k) for k in range(steps)]
    edges = [0, *(2**k for k in range(int(np.log2(max(steps, 1))) + 1)), steps]
    stretches += [(a, b - 1) for a, b in pairwise(edges) if b - a > 1]
    if steps > 1:
        stretches.append((0, steps - 1))
    filled, there = np.nan_to_num(table), np.isfinite(table)
    sums = np.cumsum(np.pad(filled, ((0, 0), (1, 0))), 1)
    counts = np.cumsum(np.pad(there, ((0, 0), (1, 0))), 1)
    firsts, lasts = np.array(stretches).T
    amount = counts[:, lasts + 1] - counts[:, firsts]
    values = sums[:, lasts + 1] - sums[:, firsts]
    seen = amount > 0
    n = seen.sum(0)
    mean = values.sum(0) / np.maximum(n, 1)
    centred = np.where(seen, values - mean, 0.0)
    size = np.sqrt((centred**2).sum(0))
    weights = (seen[..., None] * wanted[:, None, :] ** 2).sum(0)
    r = centred.T @ wanted / np.maximum(size[:, None] * np.sqrt(weights), 1e-12)
    r[(n < FEWEST) | (size < 1e-9 * np.sqrt(np.maximum(n, 1)) * (1e-12 + np.abs(mean)))] = 0.0
    sure = np.abs(r) * np.sqrt(n)[:, None] > SURE
    r = np.where(sure, r, 0.0)
    value = (r**2 * share_of).max(1)
    for place in np.flatnonzero(value > 0):
        yield int(firsts[place]), int(lasts[place]), r[place]


@dataclass(frozen=True)
class Autocorrelation:
    """How residuals of series go with earlier ones of their own.

    Attributes
    ----------
    values : ndarray, shape (lags + 1,)
        By lag, 1 at lag 0.
    count : int
        Residuals.
    statistic, p_value : float
        Of Ljung and Box (1978, doi:10.1093/biomet/65.2.297): whether all of them are 0.
    """

    values: Floats
    count: int
    statistic: float
    p_value: float

    @property
    def bound(self) -> float:
        """What a correlation does not reach by chance: 5 standard errors."""
        return SURE / np.sqrt(max(self.count, 1))


def autocorrelation(series: Sequence[Floats], lags: int) -> Autocorrelation | None:
    r"""Correlate residuals with earlier ones, over all series together.

    .. math:: Q = n (n + 2) \sum_{k=1}^{K} \frac{\hat\rho_k^2}{n - k} \sim \chi^2_K

    Parameters
    ----------
    series : sequence of ndarray, each of shape (steps,)
        Residuals in order; NaN where unknown.
    lags : int
        The longest, K.

    Returns
    -------
    Autocorrelation or None
        None where there are too few.

    Examples
    --------
    >>> wave = np.sin(np.arange(200) * np.pi / 4)
    >>> found = autocorrelation([wave], 10)
    >>> found.values[8] > 0.9, found.p_value < 1e-9
    (np.True_, True)
    """
    longest = max((len(each) for each in series), default=0)
    lags = min(lags, longest // 2)
    known = np.concatenate([each[np.isfinite(each)] for each in series]) if series else np.zeros(0)
    if len(known) < FEWEST or lags < 1 or not known.std() > 0:
        return None
    from scipy.stats import chi2

    centred = [each - known.mean() for each in series]
    variance = float(known.var())
    values, n = np.ones(lags + 1), len(known)
    for lag in range(1, lags + 1):
        pairs = np.concatenate([each[lag:] * each[:-lag] for each in centred if len(each) > lag])
        pairs = pairs[np.isfinite(pairs)]
        values[lag] = pairs.sum() / max(len(pairs), 1) / variance if len(pairs) else 0.0
    statistic = n * (n + 2) * float((values[1:] ** 2 / (n - np.arange(1, lags + 1))).sum())
    chance: Any = chi2.sf(statistic, lags)
    return Autocorrelation(values, n, statistic, float(chance))
