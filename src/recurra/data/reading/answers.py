"""Labels and numbers to be learnt, read into a `Target`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from recurra.data.offsets import offsets_of
from recurra.data.reading.numbers import numbers_of
from recurra.data.sequences import Target
from recurra.data.tables.notes import also_in
from recurra.errors import DataError, OptionError
from recurra.types import Array, Floats, Integers

__all__ = ["TargetLevel", "read_target"]

TargetLevel = Literal["record", "step", "labels"]
LEVELS = ("record", "step", "labels")
LARGEST_TARGET = 1e30
NO_LABELS = (
    "bytes",
    "complex",
    "datetime64",
    "datetime",
    "date",
    "timedelta64",
    "timedelta",
    "time",
)


def read_target(
    y: Any,
    ids: tuple[object, ...],
    name: str,
    stream: str,
    lengths: Integers,
    target_for: TargetLevel | None = None,
) -> Target:
    """Read what is to be learnt.

    Parameters
    ----------
    y : array-like
        One label or number for each record; or several. Text, flags and integers are labels; floats
        are numbers. None and NaN are unknown.
    ids : tuple
        The records.
    name : str
        What the target is called.
    stream : str
        The stream that steps belong to.
    lengths : ndarray of int64, shape (records,)
        How many steps it has.
    target_for : {"record", "step", "labels"}, optional
        What several in a row are: outputs of the record, as many for each; one for each step of
        the stream; or a sequence of labels of any length (a transcript). By default an array of
        shape (records, outputs) is outputs. A list with a list for each record is outputs where
        these hold one each, or numbers, as many each; else steps where all lengths are those of the
        stream, and labels where they are not.

    Returns
    -------
    Target
        With sorted classes, or as numbers.

    Raises
    ------
    DataError
        If there is not one for each record or step, or labels are of several types.
    OptionError
        If numbers may be outputs as well as steps: as many for each record, and as many as steps.

    Examples
    --------
    >>> target = read_target(["b", "a"], (0, 1), "y", "x", np.array([3, 3]))
    >>> target.classes, target.values.ravel()
    (('a', 'b'), array([1, 0]))
    >>> target = read_target([[0, 1], [1, 1]], (0, 1), "y", "x", np.array([2, 2]), "step")
    >>> target.level, target.values.ravel()
    ('step', array([0, 1, 1, 1]))
    """
    if target_for not in (*LEVELS, None):
        raise OptionError(f"target_for={target_for!r}, but it is one of {LEVELS}, or None.")
    y = _listed(y, name)
    _check_count(y, ids, name)
    flat = not isinstance(y, np.ndarray) or y.ndim == 1
    first = next((each for each in y if each is not None), None) if flat else None
    if isinstance(first, list | tuple | np.ndarray):
        target_for = target_for or _level(y, name, lengths)
    if target_for in ("step", "labels"):
        return _for_steps(y, ids, name, stream, lengths, target_for)
    return _for_records(y, ids, name)


def _listed(y: Any, name: str) -> Any:
    """Give a list or an array; refuse what is neither."""
    if hasattr(y, "detach"):
        y = y.detach().cpu().numpy()
    elif hasattr(y, "to_numpy") or hasattr(y, "columns"):
        y = np.asarray(y)
    if not isinstance(y, list | tuple | np.ndarray | range) or (
        isinstance(y, np.ndarray) and not y.ndim
    ):
        message = f"{name} is one for each record, but a {type(y).__name__} came"
        raise DataError(message, code="target_count", hint="Give a list, or an array.")
    return y


def _check_count(y: Any, ids: tuple[object, ...], name: str) -> None:
    """Refuse another number of rows than there are records."""
    if len(y) == len(ids):
        return
    hint = "Give one for each record."
    if isinstance(y, np.ndarray) and y.ndim == 2 and y.shape[1] == len(ids):
        hint = f"Use {name}.T if its columns are the records."
    message = f"There are {len(ids)} records, but {name} has {len(y)} rows"
    raise DataError(message, code="target_count", hint=hint)


def _level(y: Any, name: str, lengths: Integers) -> TargetLevel:
    """Say what a list of lists is, or that it may be two things."""
    sizes = np.array([_size(each) for each in y])
    if (sizes == 1).all():
        return "record"
    texts = any(isinstance(cell, str) for row in y if _size(row) > 1 for cell in row)
    if texts or (sizes != sizes[0]).any():
        return "step" if (sizes == lengths).all() else "labels"
    if not (sizes == lengths).all():
        return "record"
    message = f"{name} has {sizes[0]} numbers for each record, and each record has {sizes[0]} steps"
    raise OptionError(
        f"{message}. Say target_for='step' if there is one for each step, target_for='record' if "
        f"they are {sizes[0]} outputs."
    )


def _size(row: Any) -> int:
    """Count what there is for a record; what is unknown is one."""
    return len(row) if isinstance(row, list | tuple) or np.ndim(row) else 1


def _for_records(y: Any, ids: tuple[object, ...], name: str) -> Target:
    """Read one row for each record."""
    try:
        cells = np.asarray(y)
        if cells.dtype.kind in "US" and not isinstance(y, np.ndarray):
            cells = np.asarray(y, object)  # NumPy makes text of numbers beside text
    except ValueError:
        sizes = [_size(each) for each in y]
        odd = next((k for k, size in enumerate(sizes) if size != sizes[0]), 0)
        message = f"{name} has {sizes[odd]} values here, but {sizes[0]} for the first record"
        hint = "Give as many for each, or say target_for='step' or 'labels'."
        raise DataError(message, code="ragged", record=ids[odd], hint=hint) from None
    if cells.ndim > 2:
        message = f"{name} has shape {cells.shape}, but (records,) or (records, outputs) is read"
        raise DataError(message, code="shape")
    cells = cells.reshape(len(ids), -1) if cells.size else np.empty((len(ids), 0))
    if not cells.shape[1]:
        raise DataError(f"{name} has no values", code="empty", hint="Give one for each record.")
    outputs = (name,) if cells.shape[1] == 1 else tuple(f"{name}{k}" for k in range(cells.shape[1]))
    values, classes = _coded(cells, name, ids)
    return Target(values, "record", classes, outputs)


def _for_steps(
    y: Any,
    ids: tuple[object, ...],
    name: str,
    stream: str,
    lengths: Integers,
    level: TargetLevel,
) -> Target:
    """Read a row for each step, or for each label of a sequence of them."""
    parts = [_row(each, name, record) for each, record in zip(y, ids, strict=True)]
    sizes = np.array([len(part) for part in parts], np.int64)
    odd = np.flatnonzero(sizes != lengths)
    if level == "step" and odd.size:
        have, want = sizes[odd[0]], lengths[odd[0]]
        message = f"{name} has {have} values for a record of {want} steps"
        hint = "Give one for each step, or say target_for='labels'."
        raise DataError(message, code="target_length", record=ids[odd[0]], hint=hint)
    offsets = offsets_of(sizes)
    owners = np.repeat(np.arange(len(sizes)), sizes)
    cells = np.concatenate(parts)
    texts = any(isinstance(cell, str | bytes) for cell in cells)
    plain = cells if texts else np.array(cells.tolist())
    values, classes = _coded(plain.reshape(-1, 1), name, [ids[k] for k in owners])
    return Target(values, level, classes, (name,), offsets, stream if level == "step" else None)


def _row(given: Any, name: str, record: object) -> Array:
    """Give what is to be learnt of one record's steps; refuse what is nested deeper."""
    if isinstance(given, np.ndarray) and given.ndim == 1 and given.dtype != object:
        return given.astype(object)
    cells = np.empty(_size(given), object)
    for k, cell in enumerate(given if isinstance(given, list | tuple | np.ndarray) else [given]):
        cells[k] = cell
    if any(isinstance(cell, list | tuple | np.ndarray | dict) for cell in cells):
        message = f"{name} has one label or number for each step, but a list came"
        raise DataError(message, code="shape", record=record, hint="Give several by name.")
    return cells


def _coded(cells: Array, name: str, owners: Sequence[object]) -> tuple[Array, tuple[object, ...]]:
    """Turn labels into codes, and numbers into float64; each row has its owner."""
    flat = cells.ravel()
    if _alike(flat):  # as most are; the rest is looked at by pandas, which takes long to import
        found, places = np.unique(flat, return_inverse=True)
        return places.reshape(cells.shape), tuple(found.tolist())
    if cells.dtype.kind == "f":
        return _numbers(cells, name, owners), ()
    import pandas as pd

    kind = pd.api.types.infer_dtype(flat, skipna=True)
    if kind in ("floating", "mixed-integer-float", "decimal"):
        return _numbers(cells, name, owners), ()
    odd = _odd_label(flat, kind)
    if odd is not None:
        row, value = odd // cells.shape[1], flat[odd]
        value = value.item() if isinstance(value, np.generic) else value
        message = f"{name} holds labels of different types, or what is no label"
        hint = "Make all of them text, or all of them whole numbers."
        raise DataError(
            message, code="mixed_labels", record=owners[row], row=row, value=value, hint=hint
        )
    codes, classes = pd.factorize(flat, sort=True)
    if not len(classes):
        return np.full(cells.shape, np.nan), ()
    return codes.astype(np.int64).reshape(cells.shape), tuple(pd.Index(classes).tolist())


def _alike(flat: Array) -> bool:
    """Say whether all labels are integers, all flags or all texts, and none is missing."""
    if flat.dtype == object:
        return {type(each) for each in flat} == {str}
    return flat.size > 0 and flat.dtype.kind in "iubU"


def _numbers(cells: Array, name: str, owners: Sequence[object]) -> Floats:
    """Read numbers, and refuse those that cannot be learned."""
    values = numbers_of(cells, name).astype(np.float64)
    _check_size(values, name, owners)
    return values


def _check_size(values: Floats, name: str, owners: Sequence[object]) -> None:
    """Refuse numbers that are infinite, or past what single precision can be trained on."""
    with np.errstate(invalid="ignore"):
        large = np.abs(values) > LARGEST_TARGET
    if not large.any():
        return
    row, column = (int(k) for k in np.argwhere(large)[0])
    value = float(values[row, column])
    infinite = np.isinf(value)
    message = "A target is infinite" if infinite else f"A target is past {LARGEST_TARGET:g}"
    raise DataError(
        message + also_in(int(large.sum())),
        code="infinite" if infinite else "overflow_float32",
        record=owners[row],
        row=row,
        column=name,
        value=value,
        hint="Correct it, or make it NaN where it is not known.",
    )


def _odd_label(flat: Array, kind: str) -> int | None:
    """Find the first label that is not like the others, or is none."""
    if not (kind.startswith("mixed") or kind in NO_LABELS or flat.dtype.kind in "cmMSV"):
        return None
    import pandas as pd

    known = [k for k, cell in enumerate(flat) if not (np.ndim(cell) == 0 and pd.isna(cell))]
    if not known:
        return None
    first = type(flat[known[0]])
    other = (k for k in known if type(flat[k]) is not first)
    return next(other, known[0])
