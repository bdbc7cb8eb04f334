"""What the doctor is shown of a forecaster: windows, and how far off the next step was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from recurra.estimators.estimator import Estimator
from recurra.estimators.forecasting.first_values import from_first_value
from recurra.estimators.forecasting.forecast_batches import Batches
from recurra.estimators.forecasting.forecast_defaults import default_context
from recurra.estimators.forecasting.forecast_state import look
from recurra.estimators.forecasting.frames import read_long

if TYPE_CHECKING:
    from recurra.data import Panel
    from recurra.diagnosing import Diagnosis, Examined
    from recurra.types import Floats

__all__ = ["DiagnosedForecaster"]

WINDOWS, LONGEST, SERIES = 64, 512, 64
"""Windows that are gone through step by step; steps and series whose residuals are looked at."""


class DiagnosedForecaster(Estimator):
    """Lets the doctor look at a fitted forecaster."""

    def diagnose(self, df: Any) -> Diagnosis:
        """Say whether the network is healthy: gradients, memory, gates, units, training, residuals.

        Nothing is learned and nothing is changed. Residuals are those of one step ahead.

        Parameters
        ----------
        df : DataFrame, str or Path
            As for :meth:`fit`: the series learned from, or others with the same columns.

        Returns
        -------
        Diagnosis
            Print it, or ``plot()`` it; each finding ends in advice.

        Raises
        ------
        NotFittedError
            If ``fit`` was not called.
        DataError, FileError
            If something is wrong with the data.
        """
        from recurra.diagnosing import diagnose

        model: Any = self
        model._check_fitted()
        dataset, _ = read_long(df, model.columns, model.freq)
        dataset = from_first_value(model._checked(dataset))
        return diagnose(self._examined(dataset), model.seed)

    def _examined(self, dataset: Panel) -> Examined:
        """Show windows of the series, as the network reads them."""
        from recurra.diagnosing import Examined

        model: Any = self
        engine, seasons = model._engine, model.season_lengths_
        context = int(model.context or default_context(seasons))
        rows, _ = look(engine.local, dataset)
        batches = Batches.of(dataset, rows, engine.reader, context)
        nothing = np.zeros(len(dataset), np.int64)
        batch = next(batches.draw(nothing, WINDOWS, model.seed))
        return Examined(
            type(self).__name__,
            engine.network,
            batch,
            len(dataset),
            model.get_params(deep=False),
            log=model.log_,
            training=model.training,
            series=self._residuals(batches, dataset),
            seasons=tuple(seasons),
            losses=_losses(engine.network, batch),
        )

    def _residuals(self, batches: Batches, dataset: Panel) -> list[Floats]:
        """Give how far off the next value was, in scales, along the ends of some series."""
        network: Any = self._engine.network  # type: ignore[attr-defined]
        ends = np.minimum(np.maximum(dataset.lengths - 1, 0), LONGEST)
        ends[np.argsort(-ends, kind="stable")[SERIES:]] = 0
        batch = batches.last(ends)
        with torch.no_grad():
            raw, _ = network(batch.inputs)
            said = network.head.centre(raw, batch.anchor, batch.scale)
        off = ((batch.target - said) / batch.scale).double().numpy()
        return [*off]


def _losses(network: Any, batch: Any) -> tuple[Floats, Floats]:
    """Give the loss of each step of each window, and which count."""
    counted = ~batch.target.isnan()
    with torch.no_grad():
        raw, _ = network(batch.inputs)
        value = torch.where(counted, batch.target, batch.anchor)
        found = -network.head.log_probability(raw, value, batch.anchor, batch.scale)
    return found.double().numpy(), counted.double().numpy()
