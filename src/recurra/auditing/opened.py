"""What came, as a data set: panels, tables in the usual form, and anything that can be read."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from recurra.data.panel.panel import Panel
from recurra.data.panel.records import records_of
from recurra.data.reading.read import read
from recurra.data.sequences import SequenceDataset
from recurra.data.tables.columns import Columns
from recurra.errors import DataError, DataWarning

__all__ = ["as_dataset", "quietly", "read_anyway"]


def as_dataset(data: Any) -> tuple[SequenceDataset, tuple[str, str] | None]:
    """Read what came; of tables in the usual form, say what is to be forecast.

    Parameters
    ----------
    data : SequenceDataset, Panel, DataFrame or anything `recurra.data.reading.read` takes
        The data.

    Returns
    -------
    dataset : SequenceDataset
        The same.
    ahead : (str, str) or None
        The stream and the channel to be forecast.
    """
    if isinstance(data, Panel):
        return records_of(data), ("y", data.columns.target)
    if isinstance(data, SequenceDataset):
        return data, None
    usual = Columns()
    columns = getattr(data, "columns", getattr(data, "column_names", ()))
    if {usual.id, usual.time, usual.target} <= {str(name) for name in columns}:
        names = {"id": usual.id, "time": usual.time}
        return read_anyway(data, "long", names), ("values", usual.target)
    return quietly(read, data), None


def read_anyway(table: Any, layout: str, names: Mapping[str, Any]) -> SequenceDataset:
    """Read a table; rows of the same record and time that differ are joined, with a note.

    Parameters
    ----------
    table : DataFrame
        A pandas, polars or pyarrow table.
    layout : {"long", "events"}
        What a row is.
    names : dict of str
        The roles of its columns.

    Returns
    -------
    SequenceDataset
        By mean, or by the last of them where labels differ.
    """
    for duplicates in ("error", "mean"):
        try:
            return _read(table, layout, names, duplicates)
        except DataError as error:
            if error.code != "duplicate_time":
                raise
    return _read(table, layout, names, "last")


def _read(table: Any, layout: str, names: Mapping[str, Any], duplicates: str) -> SequenceDataset:
    found: SequenceDataset = quietly(read, table, layout=layout, duplicates=duplicates, **names)
    return found


def quietly(function: Any, *arguments: Any, **options: Any) -> Any:
    """Call a function whose notes on the data are not to be said again.

    Parameters
    ----------
    function : callable
        What is called.
    *arguments, **options : Any
        With what.

    Returns
    -------
    Any
        What it returns.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return function(*arguments, **options)
