"""Search for a better configuration: :func:`tune`, what may be tried, and what is scored on.

Start with ``recurra.tune(model, X, y, trials=50)``. It needs Optuna: ``pip install
'recurra[tune]'``.
"""

from recurra.tuning.auto_forecaster import AutoForecaster
from recurra.tuning.auto_leaderboard import Leaderboard
from recurra.tuning.confirming import Confirmation
from recurra.tuning.defaults import default_space
from recurra.tuning.resampling import Folds, HeldOut, Origins
from recurra.tuning.result import Tuning
from recurra.tuning.search import tune
from recurra.tuning.space import Choice, Real, Whole

__all__ = [
    "AutoForecaster",
    "Choice",
    "Confirmation",
    "Folds",
    "HeldOut",
    "Leaderboard",
    "Origins",
    "Real",
    "Tuning",
    "Whole",
    "default_space",
    "tune",
]
