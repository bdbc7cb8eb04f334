"""Where data and networks meet: some windows of some series, as tensors."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from torch import Tensor

from recurra.models.part_of_batch import RowsOfTensors

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Batch", "Inputs"]


@dataclass(frozen=True)
class Inputs(RowsOfTensors):
    """What the network reads at each step.

    Attributes
    ----------
    local : Tensor, shape (..., local features)
        The series' own past, in scales (`LocalFeatures`).
    real : Tensor, shape (..., real covariates)
        Calendar, future, past and static covariates that are numbers.
    codes : Tensor, shape (..., categorical covariates), int64
        Covariates that are categories; 0 is the unknown one. Or numbers, the vectors that
        `ForecastNetwork.embed` finds for them.
    """

    local: Tensor
    real: Tensor
    codes: Tensor


@dataclass(frozen=True)
class Batch(RowsOfTensors):
    """Windows of several series, padded on the right.

    Attributes
    ----------
    inputs : Inputs
        With leading shape (batch, time).
    anchor, scale : Tensor, shape (batch, time), float64
        Where each step stood (:class:`~recurra.models.forecasting.history.View`).
    target : Tensor, shape (batch, time), float64
        The value of the step after; NaN where it is padding or was not observed.
    """

    inputs: Inputs
    anchor: Tensor
    scale: Tensor
    target: Tensor

    def __len__(self) -> int:
        """Count the windows."""
        return self.target.shape[0]

    def chunks(self, steps: int) -> Iterator[Batch]:
        """Cut the time axis into pieces of at most `steps`, in order, for truncated BPTT."""
        for start in range(0, self.target.shape[1], steps):
            part = slice(start, start + steps)
            reads = (getattr(self.inputs, field.name)[:, part] for field in fields(Inputs))
            yield Batch(
                Inputs(*reads), self.anchor[:, part], self.scale[:, part], self.target[:, part]
            )
