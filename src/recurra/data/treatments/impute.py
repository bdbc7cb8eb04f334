"""Fill holes from the other channels of the same step, with scikit-learn's imputers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from recurra.data.sequences import Stream
from recurra.types import Floats, Integers

__all__ = ["IMPUTE_METHODS", "ImputeFiller", "Imputing", "features", "learn_rows"]

IMPUTE_METHODS = ("knn", "regression")
ROUNDS = 10
SLACK = 1e-9
"""Added to the range of a channel, since the imputer wants one that is not a point."""
BLOCK = 4096
"""How many rows are imputed at a time."""


@dataclass(frozen=True)
class Imputing:
    """How channels are imputed from each other.

    Parameters
    ----------
    method : {"knn", "regression"}
        The mean of the nearest training rows, or Bayesian ridge regressions of each channel on the
        others, in rounds.
    neighbours : int
        How many training rows are averaged.
    lags : int
        How many steps before are looked at, besides the step itself.
    rows : int
        The most training rows that are kept.
    seed : int
        Draws them.
    """

    method: str
    neighbours: int = 5
    lags: int = 0
    rows: int = 2000
    seed: int = 0


class ImputeFiller:
    """Fills holes with an imputer that was fitted on the kept training rows.

    A step of which nothing was observed, nor of those before it that are looked at, is left.

    Parameters
    ----------
    how : Imputing
        The options.
    stream : Stream
        The stream.
    columns : list of int
        Its channels that are treated.
    kept : ndarray of float64, shape (rows, features)
        The training rows that were kept.
    centre, spread : ndarray of float64, shape (columns,)
        What makes channels comparable.
    """

    def __init__(
        self,
        how: Imputing,
        stream: Stream,
        columns: list[int],
        kept: Floats,
        centre: Floats,
        spread: Floats,
    ) -> None:
        self.centre, self.spread = centre, spread
        self.filled = np.full((stream.rows, len(columns)), np.nan)
        holes = np.flatnonzero(~stream.mask[:, columns].all(1))
        if not holes.size or not kept.size:
            return
        imputer = _fitted(how, kept.copy())  # it wants to write
        every = features(stream, columns, how.lags, centre, spread)
        holes = holes[~np.isnan(every[holes]).all(1)]  # of a step all unknown nothing can be said
        for start in range(0, len(holes), BLOCK):
            rows = holes[start : start + BLOCK]
            self.filled[rows] = imputer.transform(every[rows])[:, : len(columns)]

    def at(self, place: int, rows: Integers) -> Floats:
        """Fill one channel; see ``GapFiller.at``."""
        found: Floats = self.filled[rows, place] * self.spread[place] + self.centre[place]
        return found


def learn_rows(
    how: Imputing, stream: Stream, columns: list[int], centre: Floats, spread: Floats
) -> Floats:
    """Draw the training rows that an imputer is fitted on.

    Parameters
    ----------
    how : Imputing
        The options.
    stream : Stream
        Of the training part.
    columns : list of int
        The channels.
    centre, spread : ndarray of float64, shape (columns,)
        What makes channels comparable.

    Returns
    -------
    ndarray of float64, shape (rows, features)
        Rows with something observed; NaN where not.
    """
    some = np.flatnonzero(stream.mask[:, columns].any(1))
    if len(some) > how.rows:
        chance = np.random.default_rng(how.seed)
        some = np.sort(chance.choice(some, how.rows, replace=False))
    return features(stream, columns, how.lags, centre, spread)[some]


def features(
    stream: Stream, columns: list[int], lags: int, centre: Floats, spread: Floats
) -> Floats:
    """Lay the channels of a step, and of those before it, side by side.

    Parameters
    ----------
    stream : Stream
        The stream.
    columns : list of int
        The channels.
    lags : int
        How many steps before.
    centre, spread : ndarray of float64, shape (columns,)
        Subtracted, and divided by.

    Returns
    -------
    ndarray of float64, shape (steps, (1 + lags) * columns)
        NaN where nothing was observed, and before the start of a record.

    Examples
    --------
    >>> stream = Stream(np.array([[1.0], [2.0], [3.0]]), np.array([0, 2, 3]), ("x",))
    >>> features(stream, [0], 1, np.zeros(1), np.ones(1))
    array([[ 1., nan],
           [ 2.,  1.],
           [ 3., nan]])
    """
    now = np.where(stream.mask[:, columns], stream.values[:, columns], np.nan).astype(np.float64)
    now = (now - centre) / spread
    places = np.arange(stream.rows) - np.repeat(stream.offsets[:-1], stream.lengths)
    parts = [now]
    for lag in range(1, lags + 1):
        before = np.full_like(now, np.nan)
        rows = np.flatnonzero(places >= lag)
        before[rows] = now[rows - lag]
        parts.append(before)
    return np.concatenate(parts, axis=1)


def _fitted(how: Imputing, kept: Floats) -> Any:
    """Fit an imputer; the same rows give the same imputer."""
    if how.method == "knn":
        from sklearn.impute import KNNImputer

        return KNNImputer(n_neighbors=how.neighbours, keep_empty_features=True).fit(kept)
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    seen = ~np.isnan(kept)
    low = np.where(seen.any(0), np.min(kept, axis=0, where=seen, initial=np.inf), -np.inf)
    high = np.where(seen.any(0), np.max(kept, axis=0, where=seen, initial=-np.inf), np.inf)
    imputer = IterativeImputer(
        max_iter=ROUNDS,
        random_state=how.seed,
        keep_empty_features=True,
        min_value=low - SLACK,
        max_value=high + SLACK,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # as many rounds as are documented
        return imputer.fit(kept)
