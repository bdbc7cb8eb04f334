"""Frames at the door: in whatever library they come, in that they leave."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pandas as pd

from recurra.data import Panel, from_frame
from recurra.data.tables.table import as_table

if TYPE_CHECKING:
    from recurra.data import Columns

__all__ = ["read_long", "write_like"]


def read_long(
    df: Any, columns: Columns | None = None, freq: str | int | None = None
) -> tuple[Panel, str]:
    """Read the records of a long frame, and say which library the frame is of.

    Parameters
    ----------
    df : DataFrame, str, Path or Panel
        A pandas, polars or pyarrow frame, a file of one, or records already read.
    columns : Columns, optional
        The roles of its columns.
    freq : str or int, optional
        The step between stamps.

    Returns
    -------
    dataset : Panel
        The records.
    backend : str
        ``"pandas"``, ``"polars"`` or ``"pyarrow"``; pandas for files and records.
    """
    if isinstance(df, Panel):
        return df, "pandas"
    dataset = from_frame(df, columns, freq=freq)
    return dataset, "pandas" if isinstance(df, str | os.PathLike) else as_table(df).backend


def write_like(frame: pd.DataFrame, backend: str) -> Any:
    """Return the same table as the user's library writes it.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    backend : str
        As :func:`read_long` says.

    Returns
    -------
    DataFrame
        Of that library.
    """
    if backend == "pandas":
        return frame
    zones = {
        str(name): str(kind.tz)
        for name, kind in frame.dtypes.items()
        if isinstance(kind, pd.DatetimeTZDtype)
    }
    plain = frame.assign(**{name: frame[name].dt.tz_convert(None) for name in zones})
    columns = {
        name: column.tolist() if column.dtype == object else column.to_numpy()
        for name, column in plain.items()
    }
    table = nw.from_dict(columns, backend=backend)  # type: ignore[arg-type]
    in_zone = (
        nw.col(name).dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        for name, zone in zones.items()
    )
    return table.with_columns(*in_zone).to_native()
