"""An anomaly detector that reads one row at a time, in constant time and memory."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from recurra.models.rows.next_step_network import NextStepNetwork, RowBatch
from recurra.models.rows.window_autoencoder import WindowAutoencoder

if TYPE_CHECKING:
    from torch import Tensor

    from recurra.estimators.rows.anomaly_scores import Novelty
    from recurra.estimators.rows.row_session import RowReader
    from recurra.types import Floats

__all__ = ["AnomalySession", "ForecastErrors", "ReconstructionErrors"]


class ForecastErrors:
    """Errors of what was expected of each row.

    Parameters
    ----------
    network : NextStepNetwork
        Trained.
    """

    def __init__(self, network: NextStepNetwork) -> None:
        self._network = network
        self._raw, self._inner = network.step(network.start(1))

    def step(self, values: Tensor, observed: Tensor) -> Floats:
        """Read a row.

        Parameters
        ----------
        values : Tensor, shape (1, channels + extras)
            As the network reads it.
        observed : Tensor of bool, shape (1, channels + extras)
            Where there is a value.

        Returns
        -------
        ndarray of float64, shape (channels,)
            Absolute errors; NaN where there is none.
        """
        expected = self._network.distribution.mean(self._raw)
        errors = _errors(values, observed, expected)
        read = self._network.as_read(values, observed)
        self._raw, self._inner = self._network.step((read, self._inner))
        return errors


class ReconstructionErrors:
    """Errors of the last row of each window that is told again.

    Parameters
    ----------
    network : WindowAutoencoder
        Trained.
    """

    def __init__(self, network: WindowAutoencoder) -> None:
        self._network = network
        self._window: deque[tuple[Tensor, Tensor]] = deque(maxlen=network.plan.window)

    def step(self, values: Tensor, observed: Tensor) -> Floats:
        """Read a row; see `ForecastErrors.step`."""
        self._window.append((values, observed))
        rows, there = (torch.stack(part, 1) for part in zip(*self._window, strict=True))
        told = self._network(RowBatch(rows, there, torch.tensor([rows.shape[1]])))
        return _errors(values, observed, told[:, -1])


class AnomalySession:
    """Scores rows as they come, in constant time and memory.

    Made by `AnomalyDetector.stream`; it stands before the first row of a record.

    Attributes
    ----------
    score : float
        How odd the last row was; NaN where nothing of it was observed.
    alarm : bool
        Whether an event began with the last row: its score reached the threshold, and that of no
        row shortly before it did.
    """

    def __init__(
        self,
        reader: RowReader,
        errors: ForecastErrors | ReconstructionErrors,
        novelty: Novelty,
        threshold: float,
        quiet: int,
    ) -> None:
        self._reader, self._errors, self._novelty = reader, errors, novelty
        self._threshold, self._quiet, self._since = threshold, quiet, quiet + 1
        self.score, self.alarm = float("nan"), False

    @torch.no_grad()
    def step(self, row: Any, time: Any = None) -> float:
        """Read one row.

        Parameters
        ----------
        row : array-like, shape (channels,)
            The row; NaN where a value is missing.
        time : int, float or datetime64, optional
            When it was; needed where the records that were learned from have times.

        Returns
        -------
        float
            Its score, as in `score`.

        Raises
        ------
        DataError
            If the row has other channels, or a value is infinite.
        """
        scaled, there = self._reader.read(row, time, dtype=np.float64)
        channels = self._novelty.ranges.low.size
        drawn = torch.cat([torch.arcsinh(scaled[:, :channels]), scaled[:, channels:]], 1)
        errors = self._errors.step(drawn.float(), there)
        known = there[0, :channels].numpy()
        values = np.where(known, scaled[0, :channels].numpy(), np.nan)
        self.score = self._novelty.step(values, errors)
        is_odd, self._since = self.score >= self._threshold, self._since + 1
        self.alarm = is_odd and self._since > self._quiet
        self._since = 0 if is_odd else self._since
        return self.score


def _errors(values: Tensor, observed: Tensor, expected: Tensor) -> Floats:
    """Measure how far off each channel of a row was."""
    channels = expected.shape[-1]
    errors = (values[0, :channels] - expected[0]).abs().double().numpy()
    known: Floats = np.where(observed[0, :channels].numpy(), errors, np.nan)
    return known
