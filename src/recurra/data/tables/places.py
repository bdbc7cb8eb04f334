"""Errors that say where: the series, the row and the column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from recurra.data.tables.notes import also_in
from recurra.errors import DataError
from recurra.types import Integers

__all__ = ["Places", "check_owned"]


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


def check_owned(owners: Integers, column: str) -> None:
    """Refuse rows that do not say whose they are.

    Parameters
    ----------
    owners : ndarray of int64, shape (rows,)
        The place of each row's series or record; below 0 where it has no identifier.
    column : str
        The column of identifiers.

    Raises
    ------
    DataError
        ``null_id``; it names the first such row.

    Examples
    --------
    >>> check_owned(np.array([0, -1, 0]), "unique_id")
    Traceback (most recent call last):
    ...
    recurra.errors.DataError: The identifier is missing (row 1, column 'unique_id'). Say whose ...
    """
    missing = np.flatnonzero(owners < 0)
    if missing.size:
        raise DataError(
            f"The identifier is missing{also_in(missing.size)}",
            code="null_id",
            row=int(missing[0]),
            column=column,
            hint="Say whose the row is, or drop it.",
        )
