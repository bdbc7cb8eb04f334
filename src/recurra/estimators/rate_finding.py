"""The learning rate that an estimator may begin with, found on the data it is to learn from."""

from __future__ import annotations

from typing import Any

from recurra.training import Log
from recurra.training.learning_rates import RateCurve, find_learning_rate

__all__ = ["rate_for_records", "rate_for_series"]


def rate_for_records(estimator: Any, X: Any, y: Any, how: dict[str, Any]) -> RateCurve:
    """Prepare everything as `fit` does, and look for a rate instead of training.

    Parameters
    ----------
    estimator : Learner
        Stays as it is.
    X, y, how
        As for its `fit`.

    Returns
    -------
    RateCurve
        The curve and what it suggests.
    """
    from sklearn.base import clone

    probe, found = clone(estimator), []

    def look(network: Any, batches: Any, options: Any, *_: Any) -> None:
        trained = probe._trainable(network)
        found.append(find_learning_rate(trained, batches, options, seed=probe.seed))

    probe._check_options()
    probe._train, probe._learns_again = look, lambda *_: False
    probe._begin(X, y, how, None, (), None)
    return found[0]


def rate_for_series(forecaster: Any, df: Any) -> RateCurve:
    """Prepare everything as `fit` does, and look for a rate instead of training.

    Parameters
    ----------
    forecaster : Forecaster
        Stays as it is.
    df : DataFrame, str or Path
        As for its `fit`.

    Returns
    -------
    RateCurve
        The curve and what it suggests.
    """
    from sklearn.base import clone

    probe, found = clone(forecaster), []

    def look(engine: Any, batches: Any, held: Any, *_: Any) -> Log:
        options, seed = probe.training, probe.seed
        stream = batches.draw(held.steps, options.batch_size, seed)
        found.append(find_learning_rate(engine.network, stream, options, seed=seed))
        return Log()

    probe._train = look
    probe.fit(df)
    return found[0]
