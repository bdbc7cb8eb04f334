"""Numbers, flags and text from the columns of a table, checked cell by cell."""

from __future__ import annotations

import re
from numbers import Number

import numpy as np
import pandas as pd

from recurra.data.sequences.stream import LARGEST_VALUE
from recurra.data.tables.notes import also_in
from recurra.data.tables.places import Places
from recurra.errors import DataError
from recurra.types import Array, Floats

__all__ = [
    "count_inexact",
    "covariate_values",
    "holds_text",
    "reads_as_number",
    "target_values",
]

EXACT = 2**53
NUMERIC_OBJECTS = ("integer", "floating", "mixed-integer-float", "decimal", "boolean", "empty")


def target_values(column: pd.Series, name: str, places: Places) -> Floats:
    """Read the target: finite numbers, NaN where nothing was observed.

    Parameters
    ----------
    column : pandas.Series
        The column as it came.
    name : str
        What it is called.
    places : Places
        Whose each row is.

    Returns
    -------
    ndarray of float64, shape (rows,)
        The values.

    Examples
    --------
    >>> target_values(pd.Series([1, 2]), "y", Places(pd.Series(["a", "a"])))
    array([1., 2.])
    """
    values = _numbers(column, name, places)
    _check_finite(values, name, places)
    return values


def covariate_values(column: pd.Series, name: str, places: Places) -> Array:
    """Read a covariate, by what it holds.

    Parameters
    ----------
    column : pandas.Series
        The column as it came.
    name : str
        What it is called.
    places : Places
        Whose each row is.

    Returns
    -------
    ndarray, shape (rows,)
        float64 for numbers, bool for flags, and object for text and categories: str, or None
        where nothing is there (a category of its own; so are ``""`` and ``" a"``).

    Examples
    --------
    >>> covariate_values(pd.Series(["x", None]), "shop", Places(pd.Series(["a", "a"])))
    array(['x', None], dtype=object)
    """
    if isinstance(column.dtype, pd.CategoricalDtype) or holds_text(column):
        texts = column.astype(object)
        return np.array([None if pd.isna(text) else str(text) for text in texts], object)
    if pd.api.types.is_bool_dtype(column.dtype) and not column.isna().any():
        return column.to_numpy(np.bool_)
    values = _numbers(column, name, places)
    missing = np.flatnonzero(np.isnan(values))
    if missing.size:
        raise places.fault(
            f"A covariate must be known, but is missing{also_in(missing.size)}",
            "missing_covariate",
            name,
            missing[0],
            hint=f"Fill it in, such as with frame[{name!r}].ffill(), or leave the column out.",
        )
    _check_finite(values, name, places)
    return values


def holds_text(column: pd.Series) -> bool:
    """Say whether every value there is, is text.

    Parameters
    ----------
    column : pandas.Series
        The column as it came.

    Returns
    -------
    bool
        True for text, missing cells aside.

    Examples
    --------
    >>> holds_text(pd.Series(["a", None])), holds_text(pd.Series(["a", 1]))
    (True, False)
    """
    if column.dtype == object:
        return pd.api.types.infer_dtype(column, skipna=True) == "string"
    return pd.api.types.is_string_dtype(column.dtype)


def _numbers(column: pd.Series, name: str, places: Places) -> Floats:
    """Turn a column into new float64, or blame its first cell that is no number."""
    dtype = column.dtype
    if pd.api.types.is_object_dtype(dtype):
        kind = pd.api.types.infer_dtype(column, skipna=True)
        numeric = kind in NUMERIC_OBJECTS or all(map(_is_real, column.dropna()))
    else:
        numeric = pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype)
    if not numeric:
        raise _no_number(column, name, places)
    if pd.api.types.is_object_dtype(dtype):
        try:
            known = column.where(column.notna().to_numpy(), np.nan)  # NaT and NA are no floats
            return np.array(known.astype(np.float64), np.float64)
        except OverflowError:
            sizes = [0 if pd.isna(cell) else abs(cell) for cell in column]
            raise _too_large(name, places, int(np.argmax(sizes)), None) from None
    return np.array(column.to_numpy(np.float64, na_value=np.nan), np.float64)


def _no_number(column: pd.Series, name: str, places: Places) -> DataError:
    """Blame the first cell that is no number: among texts, the first that does not read as one."""
    cells = column.astype(object).tolist()
    there = np.flatnonzero(column.notna()).tolist()
    odd = [row for row in there if not _is_real(cells[row])]
    worse = [row for row in odd if not reads_as_number(cells[row])]
    row = (worse or odd or there)[0]
    value = cells[row]
    hint = f"Turn the column into numbers with pandas.to_numeric(frame[{name!r}])."
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d*,\d+\s*", value):
        hint = "It has a decimal comma: read the file with pandas.read_csv(..., decimal=',')."
    elif worse:
        hint = "Correct the cell, or make it NaN where nothing was observed."
    kind = "text" if isinstance(value, str) else f"a {type(value).__name__}"
    if not odd:
        kind = f"a column of type {column.dtype}"
    return places.fault(
        f"A number is read here, but there is {kind}", "text", name, row, value, hint
    )


def _is_real(cell: object) -> bool:
    """Say whether a cell holds a number without an imaginary part."""
    return isinstance(cell, Number) and not isinstance(cell, complex | np.complexfloating)


def reads_as_number(cell: object) -> bool:
    """Say whether a text could be turned into a number.

    Parameters
    ----------
    cell : object
        The text.

    Returns
    -------
    bool
        True if `float` takes it.

    Examples
    --------
    >>> reads_as_number("1e3"), reads_as_number("3,14")
    (True, False)
    """
    try:
        float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def _check_finite(values: Floats, name: str, places: Places) -> None:
    """Refuse infinities, and numbers that float32 arithmetic cannot carry."""
    with np.errstate(invalid="ignore"):
        large = np.flatnonzero(np.abs(values) > LARGEST_VALUE)
    if not large.size:
        return
    row = int(large[0])
    if np.isinf(values[row]):
        hint = "Correct it, or make it NaN where nothing was observed."
        raise places.fault("A value is infinite", "infinite", name, row, values[row], hint)
    raise _too_large(name, places, row, values[row])


def _too_large(name: str, places: Places, row: int, value: object) -> DataError:
    """Blame a number that float32 arithmetic cannot carry."""
    message = f"A value is past {LARGEST_VALUE:g}, more than single precision can work with"
    hint = "Change the unit, or correct it."
    return places.fault(message, "overflow_float32", name, row, value, hint)


def count_inexact(column: pd.Series) -> int:
    """Count the integers too large for a float64 to hold exactly.

    Parameters
    ----------
    column : pandas.Series
        The column as it came.

    Returns
    -------
    int
        How many are past ``2**53``.

    Examples
    --------
    >>> count_inexact(pd.Series([1, 2**53 + 1]))
    1
    """
    if not pd.api.types.is_integer_dtype(column.dtype):
        return 0
    return int((column.dropna().abs() > EXACT).sum())
