"""Do intervals cover what they promise?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from recurra import metrics
from recurra.data.tables.columns import Columns
from recurra.evaluation.forecasts import read_forecasts
from recurra.evaluation.scoring import scored_rows

__all__ = ["calibration"]


def calibration(
    frame: Any, *, per_step: bool = False, columns: Columns | None = None
) -> pd.DataFrame:
    """Set what intervals promise against what they cover.

    Parameters
    ----------
    frame : DataFrame
        A cross-validation frame with bounds ``<model>-lo-80``, ``<model>-hi-80``.
    per_step : bool
        Whether to tell the steps ahead apart. Intervals that are right on the whole may be too
        wide tomorrow and too narrow next week.
    columns : Columns, optional
        The names of identifier, time and target.

    Returns
    -------
    pandas.DataFrame
        A row for each model, level and, if asked for, step ahead (the first row after the cutoff
        is 1): ``nominal`` and ``empirical`` coverage from 0 to 1, the mean ``width``, and the
        number of ``rows`` counted. All models are asked about the same rows: those where each has
        all its bounds.

    Examples
    --------
    >>> frame = pd.DataFrame({"unique_id": "a", "ds": [1, 2], "y": [1.0, 9.0], "LSTM": [2.0, 2.0]})
    >>> frame = frame.assign(**{"LSTM-lo-80": [0.0, 0.0], "LSTM-hi-80": [4.0, 4.0]})
    >>> calibration(frame)
      model  level  nominal  empirical  width  rows
    0  LSTM   80.0      0.8        0.5    4.0     2
    """
    forecasts = read_forecasts(frame, columns)
    whole = scored_rows(forecasts) & ~np.isnan(forecasts.y)
    parts = {0: whole}
    if per_step:
        steps = forecasts.steps
        parts = {k: whole & (steps == k) for k in range(1, int(steps.max()) + 1)}
    rows = []
    for name, model in forecasts.models.items():
        for level, pair in sorted(model.bounds.items()):
            low, high = np.sort(pair, axis=0)
            for step, part in parts.items():
                where = {"model": name, "level": level} | ({"step": step} if per_step else {})
                empirical = metrics.coverage(forecasts.y[part], low[part], high[part])
                width = metrics.interval_width(low[part], high[part])
                found = {"nominal": level / 100, "empirical": empirical, "width": width}
                rows.append({**where, **found, "rows": int(part.sum())})
    return pd.DataFrame(rows)
