"""Labels and numbers to be learnt, read into a `Target`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from recurra.data.reading.numbers import numbers_of
from recurra.data.sequences import Target
from recurra.errors import DataError
from recurra.types import Array, Integers

__all__ = ["read_target"]


def read_target(
    y: Any, ids: tuple[object, ...], name: str, stream: str, lengths: Integers
) -> Target:
    """Read what is to be learnt.

    Parameters
    ----------
    y : array-like
        One label or number for each record; (records, outputs); or a list with an array for each
        record, one label or number for each step, or as many labels as there are (a transcript).
        Text, flags and integers are labels; floats are numbers. None and NaN are unknown.
    ids : tuple
        The records.
    name : str
        What the target is called.
    stream : str
        The stream that steps belong to.
    lengths : ndarray of int64, shape (records,)
        How many steps it has.

    Returns
    -------
    Target
        With sorted classes, or as numbers.

    Examples
    --------
    >>> target = read_target(["b", "a"], (0, 1), "y", "x", np.array([3, 3]))
    >>> target.classes, target.values.ravel()
    (('a', 'b'), array([1, 0]))
    """
    if len(y) != len(ids):
        raise DataError(
            f"There are {len(ids)} records, but {name} has {len(y)} rows",
            code="target_count",
            hint="Give one for each record.",
        )
    first = next((each for each in y if each is not None), None)
    if isinstance(y, np.ndarray) and y.dtype != object:
        nested = False
    else:
        nested = isinstance(first, list | tuple | np.ndarray) and np.ndim(first) == 1
    if nested and (isinstance(y, np.ndarray) or _is_ragged(y, lengths)):
        return _for_steps(y, name, stream, lengths)
    cells = np.asarray(y, object) if isinstance(first, str) else np.asarray(y)
    if cells.ndim > 2:
        message = f"{name} has shape {cells.shape}, but (records,) or (records, outputs) is read"
        raise DataError(message, code="shape")
    cells = cells.reshape(len(ids), -1)
    outputs = (name,) if cells.shape[1] == 1 else tuple(f"{name}{k}" for k in range(cells.shape[1]))
    values, classes = _coded(cells, name)
    return Target(values, "record", classes, outputs)


def _is_ragged(y: Any, lengths: Integers) -> bool:
    """Say whether each record has its own number of rows: those of its steps, or others."""
    sizes = np.array([np.size(each) for each in y])
    return bool((sizes != sizes[0]).any() or (sizes == lengths).all())


def _for_steps(y: Any, name: str, stream: str, lengths: Integers) -> Target:
    """Read a row for each step, or for each label of a sequence of them."""
    parts = [np.asarray(each, object).reshape(-1) for each in y]
    sizes = np.array([len(part) for part in parts], np.int64)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    cells = np.concatenate(parts)
    first = next((cell for cell in cells if cell is not None), 0.0)
    plain = cells if isinstance(first, str) else np.array(cells.tolist())
    values, classes = _coded(plain.reshape(-1, 1), name)
    aligned = (sizes == lengths).all()
    return Target(
        values,
        "step" if aligned else "labels",
        classes,
        (name,),
        offsets,
        stream if aligned else None,
    )


def _coded(cells: Array, name: str) -> tuple[Array, tuple[object, ...]]:
    """Turn labels into codes, and numbers into float64."""
    if cells.dtype.kind == "f":
        values = cells.astype(np.float64)
        if np.isinf(values).any():
            row = int(np.argwhere(np.isinf(values))[0][0])
            raise DataError("A target is infinite", code="infinite", row=row, column=name)
        return values, ()
    kind = pd.api.types.infer_dtype(cells.ravel(), skipna=True)
    if cells.dtype == object and kind in ("floating", "mixed-integer-float", "decimal"):
        return numbers_of(cells, name), ()
    if cells.dtype == object and kind.startswith("mixed"):
        row = next(
            k for k, cell in enumerate(cells.ravel()) if type(cell) is not type(cells.flat[0])
        )
        value = cells.ravel()[row]
        message = f"{name} holds labels of different types"
        hint = "Make all of them text, or all of them integers."
        raise DataError(message, code="mixed_labels", row=row, value=value, hint=hint)
    codes, classes = pd.factorize(cells.ravel(), sort=True)
    return codes.astype(np.int64).reshape(cells.shape), tuple(pd.Index(classes).tolist())
