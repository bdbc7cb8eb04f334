"""Any table as pandas columns: the one door through which frames come in.

Columns are turned one by one, so that polars needs no pyarrow and an integer with a missing
neighbour never becomes a float.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from recurra.errors import DataError, near
from recurra.types import Booleans

__all__ = ["Table", "as_table"]


@dataclass(frozen=True)
class Table:
    """A pandas, polars or pyarrow table.

    Parameters
    ----------
    frame : narwhals.DataFrame
        The table behind the door.

    Examples
    --------
    >>> table = as_table(pd.DataFrame({"y": [1, 2]}))
    >>> table.names, table.rows, table.backend
    (('y',), 2, 'pandas')
    """

    frame: nw.DataFrame[Any]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.frame.columns)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.frame)

    @property
    def backend(self) -> str:
        """Which library the table is of: ``"pandas"``, ``"polars"`` or ``"pyarrow"``."""
        return self.frame.implementation.name.lower()

    def require(self, name: str, role: str) -> None:
        """Refuse a table that lacks a column.

        Parameters
        ----------
        name : str
            The column.
        role : str
            What it is needed as, for the message.
        """
        if name in self.names:
            return
        index = getattr(self.frame.to_native(), "index", None)
        hint = near(name, self.names)
        if name in getattr(index, "names", ()):
            hint = f"It is in the index: use frame.reset_index(). {hint}"
        message = f"The table has no column {name!r}, which is read as the {role}"
        raise DataError(message, code="missing_column", column=name, hint=hint)

    def is_date(self, name: str) -> bool:
        """Say whether a column holds dates without a time of the day.

        Parameters
        ----------
        name : str
            The column.

        Returns
        -------
        bool
            True for polars' and pyarrow's dates, and for Python's in an object column.
        """
        if self.frame[name].dtype == nw.Date:
            return True
        column = self.column(name)
        return column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) == "date"

    def column(self, name: str) -> pd.Series:
        """Give one column.

        Parameters
        ----------
        name : str
            The column.

        Returns
        -------
        pandas.Series
            Its values, with a plain index: a row's label is its position.
        """
        series = self.frame[name]
        native = series.to_native()
        if isinstance(native, pd.Series) and not isinstance(native.dtype, pd.ArrowDtype):
            return native.reset_index(drop=True)
        return _converted(series)


def as_table(frame: object) -> Table:
    """Open a pandas, polars or pyarrow table.

    Parameters
    ----------
    frame : DataFrame or Table
        The table.

    Returns
    -------
    Table
        The same, to be read column by column.

    Examples
    --------
    >>> as_table([1, 2])
    Traceback (most recent call last):
    recurra.errors.DataError: A list came, but a pandas, polars or pyarrow table is read...
    """
    name = type(frame).__name__
    if hasattr(frame, "collect"):
        message = f"A {name} came, which is not computed yet"
        raise DataError(message, code="not_a_table", hint="Use frame.collect() first.")
    labels = getattr(frame, "column_names", None) or list(getattr(frame, "columns", ()))
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        message = "Two columns have the same name, so which is meant is not known"
        hint = "Rename or drop one."
        raise DataError(message, code="duplicate_column", column=str(twice[0]), hint=hint)
    try:
        return Table(nw.from_native(frame, eager_only=True))
    except TypeError as error:
        message = f"A {name} came, but a pandas, polars or pyarrow table is read"
        hint = "Make it one with pandas.DataFrame, or give a path to a file."
        raise DataError(message, code="not_a_table", hint=hint) from error


def _converted(series: nw.Series[Any]) -> pd.Series:
    """Turn a polars or pyarrow column into a pandas one, without loss."""
    dtype = series.dtype
    nulls = series.is_null().to_numpy().astype(np.bool_)
    if dtype.is_integer() or dtype == nw.Boolean:
        return _with_nulls(series, nulls)
    if dtype == nw.Date:
        return _stamps(series.cast(nw.Datetime("ms")), nulls, "ms", None)
    if isinstance(dtype, nw.Datetime):
        unit = "ms" if dtype.time_unit == "s" else dtype.time_unit
        return _stamps(series, nulls, unit, dtype.time_zone)
    if dtype.is_numeric():
        kept = nw.Float32 if dtype == nw.Float32 else nw.Float64  # which stamps may not be
        return pd.Series(np.array(series.cast(kept).to_numpy()))
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        return pd.Series(series.cast(nw.String).to_list(), dtype=object)
    return pd.Series(series.to_list(), dtype=object)


def _with_nulls(series: nw.Series[Any], nulls: Booleans) -> pd.Series:
    """Keep integers and booleans what they are, with a mask where one is missing."""
    if not nulls.any():
        return pd.Series(series.to_numpy())
    boolean = series.dtype == nw.Boolean
    values = np.array(series.fill_null(False if boolean else 0).to_numpy())
    if boolean:
        return pd.Series(pd.arrays.BooleanArray(values.astype(np.bool_), nulls))
    return pd.Series(pd.arrays.IntegerArray(values, nulls))


def _stamps(series: nw.Series[Any], nulls: Booleans, unit: str, zone: str | None) -> pd.Series:
    """Read timestamps through their integers."""
    ticks = series.dt.timestamp(unit)  # type: ignore[arg-type]
    values = np.array((ticks.fill_null(0) if nulls.any() else ticks).to_numpy(), np.int64)
    values[nulls] = np.iinfo(np.int64).min
    stamps = pd.Series(values.view(f"M8[{unit}]"))
    return stamps if zone is None else stamps.dt.tz_localize("UTC").dt.tz_convert(zone)
