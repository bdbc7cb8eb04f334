"""Series as records: what looks at records of any kind can look at a panel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recurra.data.panel.panel import Panel
from recurra.data.sequences import SequenceDataset, Stream
from recurra.types import Array, Floats

__all__ = ["records_of"]


def records_of(panel: Panel) -> SequenceDataset:
    """Put the target and the covariates of a panel side by side.

    Parameters
    ----------
    panel : Panel
        The series.

    Returns
    -------
    SequenceDataset
        A record for each: a stream ``"y"`` of the target, the past and the future covariates on the
        clock of the panel, and the static ones. Text becomes codes.

    Examples
    --------
    >>> import pandas as pd
    >>> from recurra.data.panel.frame import from_frame
    >>> frame = pd.DataFrame({"unique_id": list("aab"), "ds": [0, 1, 0], "y": 1.0})
    >>> records_of(from_frame(frame))
    SequenceDataset(2 records; y: 1 channel, 1 to 2 steps)
    """
    columns = {panel.columns.target: panel.target, **panel.past, **panel.future}
    values, categories = _stacked(columns, len(panel.times))
    seen = ~np.isnan(values)
    seen[:, 0] &= panel.observed
    stream = Stream(
        values,
        panel.offsets,
        tuple(columns),
        observed=None if seen.all() else seen,
        times=panel.times,
        clock="number" if panel.clock.kind == "integer" else "calendar",
        zone=panel.clock.zone,
        categories=categories,
    )
    static = None
    if panel.static:
        fixed, labels = _stacked(panel.static, len(panel))
        here = ~np.isnan(fixed)
        offsets = np.arange(len(panel) + 1)
        static = Stream(fixed, offsets, tuple(panel.static), observed=here, categories=labels)
    return SequenceDataset(panel.ids, {"y": stream}, static, notes=panel.notes)


def _stacked(
    columns: Mapping[str, Array], rows: int
) -> tuple[Floats, dict[str, tuple[object, ...]]]:
    """Write columns of numbers, flags and text as numbers and codes, NaN where unknown."""
    values, categories = np.empty((rows, len(columns))), {}
    for k, (name, column) in enumerate(columns.items()):
        if column.dtype.kind in "fiub":
            values[:, k] = column
            continue
        known = np.array([one is not None and one == one for one in column], bool)
        labels, codes = np.unique(column[known].astype(str), return_inverse=True)
        values[:, k] = np.nan
        values[known, k] = codes
        categories[name] = tuple(labels.tolist())
    return values, categories
