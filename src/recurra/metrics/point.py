"""Errors of a single foretold number: MAE, MSE, RMSE, sMAPE, MASE, OWA."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from recurra.errors import OptionError, ShapeError
from recurra.metrics.observed import mean_of, observed_part
from recurra.types import Floats

__all__ = ["mae", "mase", "mse", "owa", "rmse", "seasonal_scale", "smape"]


def mae(y: ArrayLike, forecast: ArrayLike) -> float:
    r"""Mean absolute error.

    .. math:: \mathrm{MAE} = \frac1n \sum_t |y_t - \hat y_t|

    Parameters
    ----------
    y : array_like, any shape
        The actual values; NaN where nothing was observed.
    forecast : array_like, the shape of ``y``
        The forecast of each value.

    Returns
    -------
    float
        In the unit of ``y``; NaN if nothing was observed.

    Examples
    --------
    >>> mae([1.0, 2.0, float("nan")], [1.0, 4.0, 9.0])
    1.0
    """
    actual, foretold = observed_part(y, forecast)
    return mean_of(np.abs(actual - foretold))


def mse(y: ArrayLike, forecast: ArrayLike) -> float:
    r"""Mean squared error.

    .. math:: \mathrm{MSE} = \frac1n \sum_t (y_t - \hat y_t)^2

    Parameters
    ----------
    y : array_like, any shape
        The actual values; NaN where nothing was observed.
    forecast : array_like, the shape of ``y``
        The forecast of each value.

    Returns
    -------
    float
        In the unit of ``y``, squared; NaN if nothing was observed.

    Examples
    --------
    >>> mse([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    actual, foretold = observed_part(y, forecast)
    return mean_of((actual - foretold) ** 2)


def rmse(y: ArrayLike, forecast: ArrayLike) -> float:
    r"""Root of the mean squared error.

    .. math:: \mathrm{RMSE} = \sqrt{\frac1n \sum_t (y_t - \hat y_t)^2}

    Parameters
    ----------
    y : array_like, any shape
        The actual values; NaN where nothing was observed.
    forecast : array_like, the shape of ``y``
        The forecast of each value.

    Returns
    -------
    float
        In the unit of ``y``; NaN if nothing was observed.

    Examples
    --------
    >>> rmse([1.0, 2.0], [3.0, 4.0])
    2.0
    """
    return math.sqrt(mse(y, forecast))


def smape(y: ArrayLike, forecast: ArrayLike) -> float:
    r"""Symmetric mean absolute percentage error, as the M4 competition counts it: 0 to 200.

    .. math:: \mathrm{sMAPE} = \frac{200}{n} \sum_t \frac{|y_t - \hat y_t|}{|y_t| + |\hat y_t|}

    Where both are zero the forecast was right, and the term is 0 (the equation says 0/0).

    Parameters
    ----------
    y : array_like, any shape
        The actual values; NaN where nothing was observed.
    forecast : array_like, the shape of ``y``
        The forecast of each value.

    Returns
    -------
    float
        In per cent, from 0 to 200; NaN if nothing was observed.

    References
    ----------
    Makridakis, Spiliotis, Assimakopoulos (2020), The M4 competition: 100,000 time series and
    61 forecasting methods. International Journal of Forecasting 36(1). The form without absolute
    values in the denominator (Makridakis 1993) is the same for positive series.

    Examples
    --------
    >>> smape([100.0, 0.0], [300.0, 0.0])
    50.0
    """
    actual, foretold = observed_part(y, forecast)
    size = np.abs(actual) + np.abs(foretold)
    ratio = np.divide(np.abs(actual - foretold), size, out=np.zeros_like(size), where=size > 0)
    return 200.0 * mean_of(ratio)


def mase(y: ArrayLike, forecast: ArrayLike, train: ArrayLike, season_length: int = 1) -> float:
    r"""Mean absolute scaled error: the MAE in steps of the seasonal naive forecast.

    .. math:: \mathrm{MASE} = \frac{\frac1n \sum_t |y_t - \hat y_t|}
              {\frac1{T-m} \sum_{t=m+1}^{T} |x_t - x_{t-m}|}

    with the training values :math:`x_1 \dots x_T` and the season :math:`m`. Below 1: better than
    the seasonal naive forecast does, one season ahead, on the training part.

    Parameters
    ----------
    y : array_like, any shape
        The actual values of one series; NaN where nothing was observed.
    forecast : array_like, the shape of ``y``
        The forecast of each value.
    train : array_like, shape (time,)
        The values of the same series before the forecast, in order; NaN where unobserved.
    season_length : int
        Rows in a season; 1 for none.

    Returns
    -------
    float
        Without unit. NaN, not infinity, where :func:`seasonal_scale` finds no scale (a training
        part that is constant from season to season, or no longer than one season): against a
        perfect naive forecast no error has a size, and one infinity would hide every other series
        of an average. Whoever averages should say how many series had none.

    References
    ----------
    Hyndman, Koehler (2006), Another look at measures of forecast accuracy. International Journal
    of Forecasting 22(4).

    Examples
    --------
    >>> mase([5.0, 6.0], [4.0, 4.0], train=[1.0, 2.0, 3.0, 4.0])
    1.5
    >>> mase([5.0], [4.0], train=[4.0, 4.0, 4.0])
    nan
    """
    return mae(y, forecast) / seasonal_scale(train, season_length)


def seasonal_scale(train: ArrayLike, season_length: int = 1) -> float:
    r"""Mean absolute step of a series from one season to the next: the denominator of MASE.

    .. math:: \frac1{T-m} \sum_{t=m+1}^{T} |x_t - x_{t-m}|

    over the pairs of which both values are observed.

    Parameters
    ----------
    train : array_like, shape (time,)
        The values of one series, in order; NaN where unobserved.
    season_length : int
        Rows in a season; 1 for none.

    Returns
    -------
    float
        In the unit of ``train``; NaN if there is no such pair, or if every step is zero.

    Examples
    --------
    >>> seasonal_scale([1.0, 10.0, 3.0, 14.0], season_length=2)
    3.0
    """
    x = np.asarray(train, dtype=np.float64)
    if x.ndim != 1:
        raise ShapeError(
            f"train has shape {x.shape}, but a scale belongs to one series: shape (time,). "
            "Call it once for each series."
        )
    if season_length < 1:
        raise OptionError(f"season_length is {season_length}; use 1 or more (1 means no season).")
    scale = mean_of(_finite(np.abs(x[season_length:] - x[:-season_length])))
    return scale if scale > 0 else math.nan


def owa(smape_model: float, mase_model: float, smape_naive2: float, mase_naive2: float) -> float:
    r"""Overall weighted average of the M4 competition: both errors relative to Naive2.

    .. math:: \mathrm{OWA} = \frac12 \left(\frac{\mathrm{sMAPE}}{\mathrm{sMAPE}_{\mathrm{Naive2}}}
              + \frac{\mathrm{MASE}}{\mathrm{MASE}_{\mathrm{Naive2}}}\right)

    The four numbers are averages over all series, not of one: ratios come last.

    Parameters
    ----------
    smape_model, mase_model : float
        The model's sMAPE and MASE, averaged over the series.
    smape_naive2, mase_naive2 : float
        The same of :class:`recurra.evaluation.Naive2`.

    Returns
    -------
    float
        Below 1: better than Naive2.

    References
    ----------
    Makridakis, Spiliotis, Assimakopoulos (2020), International Journal of Forecasting 36(1).

    Examples
    --------
    The seasonal naive forecast of the hourly M4 series:

    >>> round(owa(13.912, 1.193, 18.383, 2.395), 3)
    0.627
    """
    return 0.5 * (smape_model / smape_naive2 + mase_model / mase_naive2)


def _finite(values: Floats) -> Floats:
    return values[np.isfinite(values)]
