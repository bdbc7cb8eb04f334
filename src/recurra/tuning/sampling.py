"""Which configuration is tried next: tree-structured Parzen estimators, seeded trial by trial."""

from __future__ import annotations

from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler

from recurra.tuning.space import Choice, Real, Space, Whole, distributions

__all__ = ["Sampler", "suggested"]

STARTUP = 8  # trials drawn by chance before the sampler learns from them


class Sampler(TPESampler):
    """Draws the parameters of one trial from what is known of those before it.

    Each trial has a source of chance of its own. So the trials do not depend on which process runs
    them, as far as the scores known by then are the same; and a search that was interrupted goes on
    as if it had not been.

    Parameters
    ----------
    space : dict of str to Choice, Whole or Real
        What may be tried. All of it is drawn together, even if a trial, such as the default
        configuration, has no place in it.
    seed : int
        Of the search.
    slot : int
        Which trial it is.

    References
    ----------
    Bergstra, Bardenet, Bengio, Kégl (2011), Algorithms for hyper-parameter optimization, NeurIPS
    24; Watanabe (2023), Tree-structured Parzen estimator, arXiv:2304.11127.
    """

    def __init__(self, space: Space, seed: int, slot: int) -> None:
        own = int(np.random.SeedSequence([seed, slot]).generate_state(1)[0])
        super().__init__(seed=own, n_startup_trials=STARTUP)
        self.together: dict[str, BaseDistribution] = distributions(space)

    def infer_relative_search_space(
        self,
        study: optuna.Study,  # noqa: ARG002
        trial: optuna.trial.FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        """Say what is drawn together: everything."""
        return self.together


def suggested(trial: optuna.Trial, space: Space) -> dict[str, Any]:
    """Draw the parameters of a trial; those it has already stay.

    Parameters
    ----------
    trial : optuna.Trial
        Running.
    space : dict of str to Choice, Whole or Real
        What may be tried.

    Returns
    -------
    dict of str
        As Optuna holds them.
    """
    found: dict[str, Any] = {}
    for name, what in space.items():
        match what:
            case Choice():
                choices = distributions({name: what})[name].choices
                found[name] = trial.suggest_categorical(name, choices)
            case Whole(low, high, log):
                found[name] = trial.suggest_int(name, low, high, log=log)
            case Real(low, high, log):
                found[name] = trial.suggest_float(name, low, high, log=log)
    return found
