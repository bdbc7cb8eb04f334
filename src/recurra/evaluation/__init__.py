"""Honest comparisons: rolling origins, and the trivial baselines in every table.

Start with :func:`backtest`; :func:`compare` scores forecasts that are already there, also those
of other libraries; :func:`calibration` asks whether intervals keep their promise;
:func:`plot_forecast` draws forecasts after their history.
"""

from recurra.estimators.forecasting.baselines import Drift, Mean, Naive, Naive2, SeasonalNaive
from recurra.estimators.forecasting.smoothing import DampedTrend, Theta
from recurra.evaluation.backtesting import backtest
from recurra.evaluation.calibrating import calibration
from recurra.evaluation.comparing import compare
from recurra.evaluation.comparison import Comparison
from recurra.evaluation.pictures import plot_forecast

__all__ = [
    "Comparison",
    "DampedTrend",
    "Drift",
    "Mean",
    "Naive",
    "Naive2",
    "SeasonalNaive",
    "Theta",
    "backtest",
    "calibration",
    "compare",
    "plot_forecast",
]
