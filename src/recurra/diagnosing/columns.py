"""What a network reads, column by column: how large it is, and whether all of it is finite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from recurra.data import SequenceDataset, Stream
    from recurra.types import Array

__all__ = ["Column", "columns_of", "first_hole"]


@dataclass(frozen=True)
class Column:
    """One column that a network reads, as the treatments left it.

    Attributes
    ----------
    stream, channel : str
        Which.
    mean, deviation : float
        Over all steps of all records.
    """

    stream: str
    channel: str
    mean: float
    deviation: float

    @property
    def size(self) -> float:
        """Root mean square."""
        return float(np.hypot(self.mean, self.deviation))


def columns_of(treated: SequenceDataset) -> tuple[Column, ...]:
    """Measure the columns of numbers.

    Parameters
    ----------
    treated : SequenceDataset
        Treated records.

    Returns
    -------
    tuple of Column
        Of streams of measurements and of static covariates; codes are none.

    Examples
    --------
    >>> from recurra.data import from_arrays
    >>> columns_of(from_arrays([[[1.0], [3.0]]]))
    (Column(stream='x', channel='x0', mean=2.0, deviation=1.0),)
    """
    found = []
    for name, stream in _measured(treated).items():
        for k, channel in enumerate(stream.channels):
            if channel in stream.categories:
                continue
            values = np.asarray(stream.values[:, k], np.float64)
            values = values[np.isfinite(values)]
            if values.size:
                found.append(Column(name, channel, float(values.mean()), float(values.std())))
    return tuple(found)


def first_hole(treated: SequenceDataset, decays: bool) -> tuple[str, str, object, int] | None:
    """Find the first number that a network would read although it is none.

    Parameters
    ----------
    treated : SequenceDataset
        Treated records.
    decays : bool
        Whether the layer reads itself what was not observed, so that holes are none.

    Returns
    -------
    tuple of (str, str, object, int), or None
        Stream, channel, record and row.
    """
    for name, stream in _measured(treated).items():
        numbers = [k for k, each in enumerate(stream.channels) if each not in stream.categories]
        values: Array = np.asarray(stream.values[:, numbers], np.float64)
        wrong = ~np.isfinite(values)
        if decays and name != "static":
            wrong &= stream.mask[:, numbers] if stream.mask.shape[1] > 1 else stream.mask
        if wrong.any():
            row, column = (int(each) for each in np.argwhere(wrong)[0])
            record = int(np.searchsorted(stream.offsets, row, side="right")) - 1
            place = row - int(stream.offsets[record])
            return name, stream.channels[numbers[column]], treated.ids[record], place
    return None


def _measured(treated: SequenceDataset) -> dict[str, Stream]:
    every = dict(treated.streams)
    if treated.static is not None:
        every["static"] = treated.static
    return {
        name: each
        for name, each in every.items()
        if each.kind in ("values", "signal") and each.values.ndim == 2
    }
