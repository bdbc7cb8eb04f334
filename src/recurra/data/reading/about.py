"""What is said of whole records: whose they are, what they belong to, how much they count."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import numpy as np

from recurra.data.reading.numbers import numbers_of
from recurra.data.tables.notes import also_in
from recurra.errors import DataError, OptionError
from recurra.types import Array

__all__ = ["read_groups", "read_ids", "read_weights"]


def read_ids(ids: Any) -> tuple[object, ...]:
    """Read identifiers.

    Parameters
    ----------
    ids : sequence
        One for each record.

    Returns
    -------
    tuple
        None of them missing, and each can be found again.

    Examples
    --------
    >>> read_ids(["007", None])
    Traceback (most recent call last):
    recurra.errors.DataError: An identifier is missing (row 1). Say whose the record is.
    """
    if isinstance(ids, str | bytes | Mapping | Set) or not hasattr(ids, "__len__"):
        raise OptionError(f"ids={ids!r}, but it is a list with one for each record.")
    import pandas as pd

    found = tuple(ids.tolist() if isinstance(ids, np.ndarray) else ids)
    for row, each in enumerate(found):
        if pd.api.types.is_scalar(each) and pd.isna(each):
            message = "An identifier is missing"
            raise DataError(message, code="null_id", row=row, hint="Say whose the record is.")
        try:
            hash(each)
        except TypeError as error:
            message = f"An identifier is text or a number, but a {type(each).__name__} came"
            raise DataError(message, code="null_id", row=row, value=each) from error
    return found


def read_groups(groups: Any, ids: tuple[object, ...]) -> Array:
    """Read which records belong together.

    Parameters
    ----------
    groups : array-like, shape (records,)
        The group of each.
    ids : tuple
        The records.

    Returns
    -------
    ndarray, shape (records,)
        None of them missing.

    Examples
    --------
    >>> read_groups(["u", None], (0, 1))
    Traceback (most recent call last):
    recurra.errors.DataError: The group of a record is missing (series 1). ...
    """
    given = groups.detach().cpu().numpy() if hasattr(groups, "detach") else groups
    try:
        read = np.asarray(given)
        if read.dtype.kind in "US" and not isinstance(given, np.ndarray):
            read = np.asarray(given, object)  # NumPy makes text of numbers beside text
    except ValueError:
        read = np.zeros(())
    if read.shape != (len(ids),):
        came = f"shape {read.shape}" if read.ndim else f"a {type(groups).__name__}"
        message = f"groups has {came}, but there are {len(ids)} records"
        raise DataError(message, code="record_count", hint="Give one for each record.")
    import pandas as pd

    missing = np.flatnonzero(pd.isna(read))
    if missing.size:
        message = f"The group of a record is missing{also_in(missing.size)}"
        hint = "Give each record alone a group of its own."
        raise DataError(message, code="null_group", record=ids[missing[0]], hint=hint)
    kinds = [type(each) for each in read.tolist()] if read.dtype == object else []
    odd = next((k for k, kind in enumerate(kinds) if kind is not kinds[0]), None)
    if odd is not None:
        message = "The groups of records are all text, or all are numbers, but here they are mixed"
        hint = "Make all of them text."
        raise DataError(message, code="mixed_groups", record=ids[odd], value=read[odd], hint=hint)
    return read


def read_weights(weights: Any, ids: tuple[object, ...]) -> Array:
    """Read how much each record counts.

    Parameters
    ----------
    weights : array-like, shape (records,)
        The weights.
    ids : tuple
        The records.

    Returns
    -------
    ndarray of float64, shape (records,)
        Finite, not negative, and not all zero.
    """
    read = numbers_of(weights, "weights")
    if read.shape != (len(ids),):
        hint = "Give one for each record."
        message = f"weights has shape {read.shape}, but there are {len(ids)} records"
        raise DataError(message, code="weight_count", hint=hint)
    odd = np.flatnonzero(~(np.isfinite(read) & (read >= 0)))
    if odd.size:
        message = "A weight is finite and not negative, but this one is not"
        record, value = ids[odd[0]], float(read[odd[0]])
        hint = "Use 0 to leave a record out."
        raise DataError(message, code="weight", record=record, value=value, hint=hint)
    if not read.any():
        raise DataError("All weights are zero", code="weight", hint="Nothing would be learnt.")
    return read
