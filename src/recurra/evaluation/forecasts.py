"""A cross-validation frame, read: forecasts beside what happened, window by window.

The columns are those of Nixtla's libraries: ``unique_id``, ``ds``, ``cutoff``, ``y``, one for
each model and its bounds ``<model>-lo-80``, ``<model>-hi-80``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from recurra.data.tables.columns import Columns
from recurra.data.tables.places import Places
from recurra.data.tables.stamps import read_stamps
from recurra.data.tables.table import Table, as_table
from recurra.data.tables.values import target_values
from recurra.errors import DataError
from recurra.estimators.forecasting.rolling import CUTOFF
from recurra.types import Floats, Integers

__all__ = ["Forecasts", "Model", "read_forecasts"]

BOUND = re.compile(r"(?P<model>.+)-(?P<side>lo|hi)-(?P<level>\d+(?:\.\d+)?)")


@dataclass(frozen=True, eq=False)
class Model:
    """One model's forecasts of all rows.

    Parameters
    ----------
    point : ndarray, shape (rows,)
        The forecast itself.
    bounds : dict of float to (ndarray, ndarray)
        Lower and upper bound for each level in per cent, NaN where there is none.
    """

    point: Floats
    bounds: dict[float, tuple[Floats, Floats]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Forecasts of several models for the same rows, sorted into windows.

    A window is one series from one cutoff; window ``i`` is the rows from ``offsets[i]`` to
    ``offsets[i + 1]``, by time.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows as they came, sorted, with all models' columns.
    columns : Columns
        The roles of its columns.
    ids : tuple, one a window
        Whose window it is.
    offsets : ndarray of int64, shape (windows + 1,)
        Where each window starts.
    times : ndarray of int64, shape (rows,)
        The stamps, as a `Clock` counts them.
    cutoffs : ndarray of int64, shape (windows,), or None
        The last stamp that the models saw; None if the frame does not tell.
    y : ndarray, shape (rows,)
        What happened; NaN where nothing was observed.
    models : dict of str to Model
        The forecasts, in the order of the columns.
    """

    frame: pd.DataFrame
    columns: Columns
    ids: tuple[object, ...]
    offsets: Integers
    times: Integers
    cutoffs: Integers | None
    y: Floats
    models: dict[str, Model]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def levels(self) -> tuple[float, ...]:
        """All levels that some model has bounds for, rising."""
        return tuple(sorted({level for model in self.models.values() for level in model.bounds}))

    @property
    def steps(self) -> Integers:
        """Which row of its window each row is, from 1, shape (rows,)."""
        return np.arange(len(self.y)) - np.repeat(self.offsets[:-1], np.diff(self.offsets)) + 1

    def window(self, i: int) -> slice:
        """Rows of one window.

        Parameters
        ----------
        i : int
            Its place.

        Returns
        -------
        slice
            Of the flat arrays.
        """
        return slice(int(self.offsets[i]), int(self.offsets[i + 1]))

    def joined(self, name: str, model: Model) -> Forecasts:
        """Put one more model beside the others.

        Parameters
        ----------
        name : str
            What its column is called.
        model : Model
            Its forecasts of the same rows.

        Returns
        -------
        Forecasts
            With the model, and its columns at the end of the frame.
        """
        named = {name: model.point}
        for level, (low, high) in model.bounds.items():
            named |= {f"{name}-lo-{level:g}": low, f"{name}-hi-{level:g}": high}
        return replace(self, frame=self.frame.assign(**named), models={**self.models, name: model})


def read_forecasts(frame: object, columns: Columns | None = None) -> Forecasts:
    """Read a cross-validation frame.

    Parameters
    ----------
    frame : DataFrame
        A pandas, polars or pyarrow table in the form of Nixtla. Without a column ``cutoff`` each
        series is one window.
    columns : Columns, optional
        The names of identifier, time and target.

    Returns
    -------
    Forecasts
        Sorted into windows. Every forecast of an observed value is a finite number.

    Examples
    --------
    >>> frame = pd.DataFrame({"unique_id": list("bba"), "ds": [2, 1, 1], "y": [1.0, 2.0, 3.0]})
    >>> read_forecasts(frame.assign(LSTM=[1.5, 2.5, 3.5])).models["LSTM"].point
    array([2.5, 1.5, 3.5])
    """
    columns = columns or Columns()
    table = as_table(frame)
    for name, role in ((columns.id, "identifier"), (columns.time, "time stamp")):
        table.require(name, role)
    table.require(columns.target, "target")
    places = Places(table.column(columns.id))
    times = _read_times(table, columns.time, places)
    given = CUTOFF in table.names
    cutoffs = _read_times(table, CUTOFF, places) if given else np.zeros_like(times)
    owners, ids = pd.factorize(table.column(columns.id))
    order = np.lexsort((times, cutoffs, owners))
    new = (np.diff(owners[order]) != 0) | (np.diff(cutoffs[order]) != 0)
    _refuse_repeats(~new & (np.diff(times[order]) == 0), order, columns, places)
    starts = np.concatenate(([0], np.flatnonzero(new) + 1, [len(order)]))
    firsts = order[starts[:-1]]
    y = target_values(table.column(columns.target), columns.target, places)
    return Forecasts(
        frame=pd.DataFrame({name: table.column(name) for name in table.names})
        .iloc[order]
        .reset_index(drop=True),
        columns=columns,
        ids=tuple(pd.Index(ids)[owners[firsts]].tolist()),
        offsets=starts,
        times=times[order],
        cutoffs=cutoffs[firsts] if given else None,
        y=y[order],
        models=_read_models(table, columns, places, y, order),
    )


def _read_times(table: Table, name: str, places: Places) -> Integers:
    return read_stamps(table.column(name), name, places, dates=table.is_date(name)).times


def _refuse_repeats(
    repeated: np.ndarray, order: Integers, columns: Columns, places: Places
) -> None:
    """Refuse a row that forecasts the same stamp from the same cutoff again."""
    if repeated.any():
        row = int(order[np.flatnonzero(repeated)[0] + 1])
        hint = f"Keep one, or give the cutoffs of several windows in a column {CUTOFF!r}."
        message = "Two rows forecast the same stamp from the same cutoff"
        raise places.fault(message, "duplicate_time", columns.time, row, hint=hint)


def _read_models(
    table: Table, columns: Columns, places: Places, y: Floats, order: Integers
) -> dict[str, Model]:
    """Sort the other columns into models and their bounds, and check their numbers."""
    known = {columns.id, columns.time, columns.target, CUTOFF, *columns.covariates}
    names = [name for name in table.names if name not in known]
    bounds = {name: match for name in names if (match := BOUND.fullmatch(name))}
    models = {}
    for name in names:
        if name not in bounds:
            point = target_values(table.column(name), name, places)
            _refuse_missing(point, y, name, places)
            models[name] = Model(point[order])
    for name, match in bounds.items():
        model, side, level = match["model"], match["side"], match["level"]
        other = f"{model}-{'hi' if side == 'lo' else 'lo'}-{level}"
        for needed in (model, other):
            if needed not in names:
                message = f"Column {name!r} bounds the forecasts of {model!r}, but {needed!r} lacks"
                raise DataError(message, code="missing_column", column=needed, hint="Keep all.")
        if side == "lo":
            pair = (target_values(table.column(one), one, places)[order] for one in (name, other))
            low, high = pair
            models[model].bounds[float(level)] = (low, high)
    if not models:
        message = "The table has forecasts of no model"
        raise DataError(message, code="no_model", hint="Give each model's in a column of its name.")
    return models


def _refuse_missing(point: Floats, y: Floats, name: str, places: Places) -> None:
    """A model may not choose its own questions."""
    missing = np.flatnonzero(np.isnan(point) & ~np.isnan(y))
    if missing.size:
        raise places.fault(
            f"A forecast is missing where y is observed, as in {missing.size} rows in all",
            "forecast_missing",
            name,
            int(missing[0]),
            hint="Forecast every observed value, or leave the row out for all models alike.",
        )
