"""Errors that say where: the series, the row and the column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from recurra.errors import DataError
from recurra.types import Integers

__all__ = ["Places"]


@dataclass(frozen=True)
class Places:
    """Knows whose each row is, to blame the right one.

    Parameters
    ----------
    ids : pandas.Series
        The identifier of each row read.
    rows : ndarray of int64, optional
        Where the rows stand in the user's table, if not all of it is read.

    Examples
    --------
    >>> print(Places(pd.Series(["a", "b"])).fault("No number", "text", "y", 1, "x"))
    No number (series 'b', row 1, column 'y', value 'x').
    """

    ids: pd.Series
    rows: Integers | None = None

    def fault(
        self,
        message: str,
        code: str,
        column: str,
        row: int,
        value: object = None,
        hint: str | None = None,
    ) -> DataError:
        """Make the error for one cell.

        Parameters
        ----------
        message : str
            What came and what was expected.
        code : str
            The short name of the fault.
        column : str
            The column.
        row : int
            The row among those read, counted from 0.
        value : object, optional
            What is there.
        hint : str, optional
            What to do.

        Returns
        -------
        DataError
            To be raised by the caller.
        """
        if isinstance(value, np.generic):
            value = value.item()
        record = self.ids.iloc[row]
        record = record.item() if isinstance(record, np.generic) else record
        at = int(row if self.rows is None else self.rows[row])
        return DataError(
            message, code=code, record=record, row=at, column=column, value=value, hint=hint
        )
