"""What a trial is judged by, and which way is better."""

from __future__ import annotations

from typing import Any

from recurra.errors import OptionError, near

__all__ = ["FORECASTS", "usual_measure"]

USUAL = {
    "AnomalyDetector": "mean error, scaled",
    "Classifier": "log loss",  # few records tie in accuracy
    "Forecaster": "MASE",
    "LanguageModel": "nats per token",
    "NextStep": "log-likelihood",
    "Regressor": "RMSE",
    "SequenceToSequence": "exact answers",
    "Tagger": "accuracy",
    "Transcriber": "word error rate",
}
FORECASTS = ("MASE", "OWA", "sMAPE", "RMSE")
"""What a forecast can be judged by."""


def usual_measure(estimator: Any, metric: str | None) -> str | None:
    """Choose a measure where none is named.

    Parameters
    ----------
    estimator : estimator
        What is tuned.
    metric : str or None
        What the user said.

    Returns
    -------
    str or None
        None for the first one that the estimator is scored by.

    Raises
    ------
    OptionError
        If a forecaster cannot be judged by it.

    Examples
    --------
    >>> from recurra import Regressor
    >>> usual_measure(Regressor(), None)
    'RMSE'
    """
    name = type(estimator).__name__
    if metric is None:
        return USUAL.get(name)
    if not isinstance(metric, str):
        raise OptionError(f"metric={metric!r}, but it is the name of a measure, such as 'MAE'.")
    if name == "Forecaster" and metric not in FORECASTS:
        raise OptionError(f"metric={metric!r} is no measure here. {near(metric, FORECASTS)}")
    return metric
