"""An estimator with other parameters, those of its training among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sklearn.base import clone

from recurra.estimators import Forecaster
from recurra.tuning.space import NESTED, Space

__all__ = ["configured", "own_values", "settled", "training_changes"]


def configured(estimator: Any, changes: Mapping[str, Any], progress: bool | None = None) -> Any:
    """Make a new estimator like another but for some parameters.

    Where an estimator chooses its training by the amount of data, it still does, and only what is
    named is changed; :func:`settled` writes down what was chosen, once it is fitted.

    Parameters
    ----------
    estimator : estimator
        Stays as it is.
    changes : dict of str
        By name; of the training as ``"training.learning_rate"``.
    progress : bool, optional
        Whether each training shows a bar; None for what it says by itself.

    Returns
    -------
    estimator
        Not fitted.

    Examples
    --------
    >>> from recurra import Forecaster
    >>> configured(Forecaster(), {"hidden_size": 8, "training.steps": 5}).training.steps
    5
    """
    own = {name: value for name, value in changes.items() if not name.startswith(NESTED)}
    nested = {k.removeprefix(NESTED): v for k, v in changes.items() if k.startswith(NESTED)}
    if progress is not None:
        nested["progress"] = progress
    model = clone(estimator).set_params(**own)
    if not nested:
        return model
    if isinstance(model, Forecaster):
        return model.set_params(training=replace(model.training, **nested))
    return model.set_training(**nested)


def training_changes(estimator: Any) -> dict[str, Any]:
    """Say what is changed of a training that is not chosen yet.

    Parameters
    ----------
    estimator : estimator
        Not fitted.

    Returns
    -------
    dict of str
        By the name of the option.
    """
    return {} if isinstance(estimator, Forecaster) else estimator.training_changes


def settled(model: Any) -> Any:
    """Let an estimator that was fitted keep the training that was chosen for it.

    Parameters
    ----------
    model : estimator
        Made by :func:`configured`, and fitted.

    Returns
    -------
    estimator
        The same; a clone of it trains as it did.
    """
    return model.settle_training() if training_changes(model) else model


def own_values(estimator: Any, space: Space) -> dict[str, Any]:
    """Say which values an estimator has of the parameters in a space, as far as it is known.

    Parameters
    ----------
    estimator : estimator
        As the user made it.
    space : dict of str to Choice, Whole or Real
        What may be tried.

    Returns
    -------
    dict of str
        Without those of a training that follows from the data.
    """
    found = {}
    for name in space:
        if not name.startswith(NESTED):
            found[name] = getattr(estimator, name)
        elif estimator.training is not None:
            found[name] = getattr(estimator.training, name.removeprefix(NESTED))
    return found
