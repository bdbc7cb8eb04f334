"""The forecasts a network has to beat: naive, seasonal naive, drift, mean, and M4's Naive2.

Each class says how to foretell an array (`forecast`) and how wide to spread (`spread`); the base
class makes of it a forecaster of long frames. A baseline counts rows: the next row is the next
step, a row without a value is a step on which nothing was observed. (`from_frame` inserts such
rows for stamps missing from a regular clock.)

The widths are those of Hyndman and Athanasopoulos, Forecasting: principles and practice, 3rd
edition, table 5.2, https://otexts.com/fpp3/prediction-intervals.html, Gaussian with the residual
deviation of the series; a gap of ``g`` unobserved steps counts as ``g`` more steps, before the
forecast as within the residuals. Without gaps they are the book's to the last digit.
"""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any, ClassVar, Self, final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from recurra.data.panel.panel import Panel
from recurra.data.tables.columns import Columns
from recurra.errors import DataError, NotFittedError, OptionError
from recurra.estimators.forecasting.frames import read_long, write_like
from recurra.estimators.forecasting.one_series import (
    checked_season,
    observed,
    seasonal_indices,
    slope,
    steps_ahead,
)
from recurra.estimators.forecasting.rolling import cross_validate
from recurra.types import Booleans, Floats, Integers

__all__ = ["Baseline", "Drift", "Mean", "Naive", "Naive2", "SeasonalNaive"]


class Baseline(ABC):
    """A forecaster without parameters to learn; see the classes below.

    A new one says `forecast` and `spread`; everything else is here.

    Attributes
    ----------
    has_intervals : bool
        Whether there is a `spread`.
    dataset_ : Panel
        The records it was fitted on.

    Examples
    --------
    >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(5), "y": [1.0, 3.0, 2.0, 3.0, 4.0]})
    >>> Naive().fit(frame).predict(h=2, level=[80]).round(2)
      unique_id  ds  Naive  Naive-lo-80  Naive-hi-80
    0         a   5    4.0          2.3          5.7
    1         a   6    4.0          1.6          6.4
    """

    has_intervals: ClassVar[bool] = True
    dataset_: Panel
    _backend: Any

    @abstractmethod
    def forecast(self, values: ArrayLike, h: int) -> Floats:
        """Foretell one series; a pure function.

        Parameters
        ----------
        values : array_like, shape (time,)
            The series up to now; NaN where nothing was observed.
        h : int
            How many steps to foretell.

        Returns
        -------
        ndarray, shape (h,)
            The forecast.
        """

    @abstractmethod
    def spread(self, values: ArrayLike, h: int) -> Floats:
        """Say how uncertain the forecast of each step is; a pure function.

        Parameters
        ----------
        values : array_like, shape (time,)
            The series up to now; NaN where nothing was observed.
        h : int
            How many steps to foretell.

        Returns
        -------
        ndarray, shape (h,)
            The Gaussian standard deviation; NaN where the series is too short to have residuals.
        """

    @property
    def name(self) -> str:
        """What its columns are called."""
        return type(self).__name__

    def fit(self, df: Any, columns: Columns | None = None, freq: str | int | None = None) -> Self:
        """Keep the records.

        Parameters
        ----------
        df : DataFrame or Panel
            A long pandas, polars or pyarrow frame, or records already read.
        columns : Columns, optional
            The roles of its columns; by default ``unique_id``, ``ds`` and ``y``.
        freq : str or int, optional
            The step between stamps; by default the one most stamps keep.

        Returns
        -------
        Baseline
            Itself.
        """
        self.dataset_, self._backend = read_long(df, columns, freq)
        return self

    def predict(self, h: int, level: Sequence[float] | None = None) -> Any:
        """Foretell the steps after every record.

        Parameters
        ----------
        h : int
            How many steps.
        level : sequence of float, optional
            Intervals in per cent, such as ``[80, 95]``; each adds two columns.

        Returns
        -------
        DataFrame
            Identifier, time, the forecast and its bounds, ``h`` rows a record, in the order of the
            records; of the kind that was fitted. Bounds are NaN where a record is too short to have
            residuals.
        """
        if not hasattr(self, "dataset_"):
            raise NotFittedError(f"This {self.name} is not fitted. Call fit(df) first.")
        for one in level or ():
            if not 0 < one < 100:
                raise OptionError(f"level {one} is not between 0 and 100. Use e.g. [80, 95].")
        data, columns = self.dataset_, self.dataset_.columns
        spacing = None if data.clock.regular else data.spacing
        times = data.clock.following(data.last_times, h, spacing)
        point = self._each(self.forecast, h)
        foretold = {
            columns.id: pd.Index(data.ids).repeat(h),
            columns.time: data.clock.to_output(times.ravel()),
            self.name: point,
        }
        if level:
            deviation = self._each(self.spread, h)
            for one in level:
                reach = NormalDist().inv_cdf(0.5 + one / 200) * deviation
                foretold[f"{self.name}-lo-{one:g}"] = point - reach
                foretold[f"{self.name}-hi-{one:g}"] = point + reach
        return write_like(pd.DataFrame(foretold), self._backend)

    def cross_validation(
        self,
        df: Any,
        h: int,
        n_windows: int = 1,
        step_size: int | None = None,
        level: Sequence[float] | None = None,
        columns: Columns | None = None,
        freq: str | int | None = None,
    ) -> Any:
        """Foretell from several origins in the past: see `cross_validate`.

        Parameters
        ----------
        df : DataFrame or Panel
            As for `fit`.
        h, n_windows, step_size : int
            The windows, as in `rolling_origin`.
        level : sequence of float, optional
            Intervals in per cent.
        columns, freq
            As for `fit`.

        Returns
        -------
        DataFrame
            Identifier, time, cutoff, target, the forecast and its bounds.
        """
        dataset, backend = read_long(df, columns, freq)
        table = cross_validate(copy.copy(self), dataset, h, n_windows, step_size, level)
        return write_like(table, backend)

    def _each(self, answer: Callable[[ArrayLike, int], Floats], h: int) -> Floats:
        """Ask about every record, one after the other."""
        answers = []
        for i in range(len(self.dataset_)):
            record = self.dataset_.record(i)
            if not record.observed.any():
                message = f"None of the {len(record)} values up to here is observed"
                hint = "Leave the series out, or use fewer windows."
                raise DataError(message, code="nothing_observed", record=record.id, hint=hint)
            answers.append(answer(record.target, h))
        return np.concatenate(answers)


@final
class Naive(Baseline):
    r"""The last observed value, again and again.

    .. math:: \hat y_{T+k} = y_T, \qquad \sigma_k = \hat\sigma \sqrt k

    Examples
    --------
    >>> Naive().forecast([1.0, 3.0, 2.0, float("nan")], h=2)
    array([2., 2.])
    """

    def forecast(self, values: ArrayLike, h: int) -> Floats:
        """Foretell one series: see `Baseline.forecast`."""
        _, x = observed(values, h)
        return np.full(h, x[-1])

    def spread(self, values: ArrayLike, h: int) -> Floats:
        """Deviation of each step: see `Baseline.spread`."""
        at, x = observed(values, h)
        return _deviation(np.diff(x) / np.sqrt(np.diff(at))) * np.sqrt(steps_ahead(values, at, h))


@final
class SeasonalNaive(Baseline):
    r"""The value one season ago, season after season.

    .. math:: \hat y_{T+k} = y_{T+k-ms}, \quad
              \sigma_k = \hat\sigma \sqrt s, \quad s = \lceil k/m \rceil

    A place in the season that is unobserved one season ago is looked up two seasons ago, and so
    on; one that was never observed gets the last observed value, and so does every step of a
    series shorter than a season.

    Parameters
    ----------
    season_length : int
        Steps in a season: 24 for hours with a daily rhythm.

    Examples
    --------
    >>> SeasonalNaive(3).forecast([1.0, 2.0, 3.0, 4.0, 5.0, float("nan")], h=4)
    array([4., 5., 3., 4.])
    """

    def __init__(self, season_length: int) -> None:
        self.season_length = season_length

    def forecast(self, values: ArrayLike, h: int) -> Floats:
        """Foretell one series: see `Baseline.forecast`."""
        fallback = Naive().forecast(values, h)
        grid, known, age = _seasons(values, self.season_length)
        if not len(grid):
            return fallback
        last = grid[-1 - age, np.arange(self.season_length)]
        return np.where(known, last, fallback[0])[np.arange(h) % self.season_length]

    def spread(self, values: ArrayLike, h: int) -> Floats:
        """Deviation of each step: see `Baseline.spread`."""
        fallback = Naive().spread(values, h)
        m = self.season_length
        grid, known, age = _seasons(values, m)
        phase, season = np.nonzero(~np.isnan(grid.T))
        same = np.diff(phase) == 0
        steps = np.diff(grid[season, phase])[same] / np.sqrt(np.diff(season)[same])
        k = np.arange(h)
        deviation = _deviation(steps) * np.sqrt(k // m + 1 + age[k % m])
        return np.where(known[k % m], deviation, fallback)


@final
class Drift(Baseline):
    r"""A straight line from the first observed value through the last.

    .. math:: \hat y_{T+k} = y_T + k \frac{y_T - y_1}{T - 1}, \qquad
              \sigma_k = \hat\sigma \sqrt{k \left(1 + \frac{k}{T - 1}\right)}

    Examples
    --------
    >>> Drift().forecast([1.0, 5.0, 3.0], h=3)
    array([4., 5., 6.])
    """

    def forecast(self, values: ArrayLike, h: int) -> Floats:
        """Foretell one series: see `Baseline.forecast`."""
        at, x = observed(values, h)
        return x[-1] + slope(at, x) * steps_ahead(values, at, h)

    def spread(self, values: ArrayLike, h: int) -> Floats:
        """Deviation of each step: see `Baseline.spread`."""
        at, x = observed(values, h)
        gaps, ahead = np.diff(at), steps_ahead(values, at, h)
        residuals = (np.diff(x) - slope(at, x) * gaps) / np.sqrt(gaps)
        span = max(int(at[-1] - at[0]), 1)
        return _deviation(residuals, fitted=1) * np.sqrt(ahead * (1 + ahead / span))


@final
class Mean(Baseline):
    r"""The mean of everything observed.

    .. math:: \hat y_{T+k} = \bar y, \qquad \sigma_k = \hat\sigma \sqrt{1 + 1/T}

    Examples
    --------
    >>> Mean().forecast([1.0, float("nan"), 3.0], h=2)
    array([2., 2.])
    """

    def forecast(self, values: ArrayLike, h: int) -> Floats:
        """Foretell one series: see `Baseline.forecast`."""
        _, x = observed(values, h)
        return np.full(h, x.mean())

    def spread(self, values: ArrayLike, h: int) -> Floats:
        """Deviation of each step: see `Baseline.spread`."""
        _, x = observed(values, h)
        return np.full(h, _deviation(x - x.mean(), fitted=1) * math.sqrt(1 + 1 / len(x)))


@final
class Naive2(Baseline):
    r"""The naive forecast of the seasonally adjusted series: the yardstick of OWA in M4.

    A series is seasonal if its autocorrelation :math:`r_m` at the season passes a 90 % test,

    .. math:: |r_m| > 1.645 \sqrt{\frac{1 + 2 \sum_{i<m} r_i^2}{T}},

    and three seasons are there to judge by. It is then divided by the indices of a classical
    multiplicative decomposition, foretold by its last value, and multiplied again. Otherwise, and
    where a value is zero or negative, or a place in the season has no index, it is `Naive`.

    M4 defines no intervals for it, and so there are none.

    Parameters
    ----------
    season_length : int
        Steps in a season; 1 for none.

    References
    ----------
    Makridakis, Spiliotis, Assimakopoulos (2020), The M4 competition. International Journal of
    Forecasting 36(1); the organisers' R code, https://github.com/Mcompetitions/M4-methods,
    ``Benchmarks and Evaluation.R``.

    Examples
    --------
    >>> Naive2(2).forecast([1.0, 3.0] * 10 + [2.0, 6.0], h=3).round(1)
    array([2.1, 6. , 2.1])
    """

    has_intervals = False

    def __init__(self, season_length: int) -> None:
        self.season_length = season_length

    def forecast(self, values: ArrayLike, h: int) -> Floats:
        """Foretell one series: see `Baseline.forecast`."""
        at, x = observed(values, h)
        season = checked_season(self.season_length)
        index = seasonal_indices(np.asarray(values, dtype=np.float64), season)
        last = x[-1] / index[at[-1] % len(index)]
        return last * index[(np.size(values) + np.arange(h)) % len(index)]

    def spread(self, values: ArrayLike, h: int) -> Floats:  # noqa: ARG002
        """Refuse: M4 defines no intervals for Naive2."""
        raise OptionError(
            "Naive2 has no intervals: the M4 competition defines none. "
            "Leave level out, or use SeasonalNaive."
        )


def _deviation(residuals: Floats, fitted: int = 0) -> float:
    """Residual standard deviation, less the number of fitted parameters; NaN if none is left."""
    free = len(residuals) - fitted
    return math.sqrt(float(np.square(residuals).sum()) / free) if free > 0 else math.nan


def _seasons(values: ArrayLike, season_length: int) -> tuple[Floats, Booleans, Integers]:
    """The whole seasons, one a row, the last step ahead's in the same column.

    Returns the grid (seasons, m), which columns were ever observed, and how many seasons ago. The
    first season is filled up with NaN; a series shorter than a season has no row.
    """
    x, m = np.asarray(values, dtype=np.float64), checked_season(season_length)
    if len(x) < m:
        return np.empty((0, m)), np.zeros(m, dtype=np.bool_), np.zeros(m, dtype=np.int64)
    grid = np.concatenate((np.full(-len(x) % m, np.nan), x)).reshape(-1, m)
    seen = ~np.isnan(grid)
    return grid, seen.sum(axis=0) > 0, seen[::-1].argmax(axis=0)
