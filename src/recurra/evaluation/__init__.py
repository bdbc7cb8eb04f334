"""Honest comparisons: rolling origins, and the trivial baselines in every table.

Start with :func:`backtest`; :func:`compare` scores forecasts that are already there, also those
of other libraries; :func:`calibration` asks whether intervals keep their promise.
"""

from recurra.estimators.baselines import Drift, Mean, Naive, Naive2, SeasonalNaive
from recurra.evaluation.backtesting import backtest
from recurra.evaluation.calibrating import calibration
from recurra.evaluation.comparing import compare
from recurra.evaluation.comparison import Comparison

__all__ = [
    "Comparison",
    "Drift",
    "Mean",
    "Naive",
    "Naive2",
    "SeasonalNaive",
    "backtest",
    "calibration",
    "compare",
]
