"""Where series begin: at their first value."""

from __future__ import annotations

import numpy as np

from recurra.data import Panel

__all__ = ["from_first_value"]


def from_first_value(dataset: Panel, old: int = 0) -> Panel:
    """Leave out the rows before the first value of every series.

    Parameters
    ----------
    dataset : Panel
        The series; each has a value.
    old : int
        How many, of the first ones, are left as they are: they began before these rows.

    Returns
    -------
    Panel
        The same series, shorter.

    Examples
    --------
    >>> import pandas as pd
    >>> from recurra.data import from_frame
    >>> frame = pd.DataFrame({"unique_id": "a", "ds": range(3), "y": [float("nan"), 2.0, 3.0]})
    >>> from_first_value(from_frame(frame)).target
    array([2., 3.])
    """
    first = np.maximum.reduceat(
        np.where(dataset.observed, np.arange(len(dataset.times), 0, -1), 0), dataset.offsets[:-1]
    )
    before = len(dataset.times) - first - dataset.offsets[:-1]
    before[:old] = 0
    return dataset.since(before)
