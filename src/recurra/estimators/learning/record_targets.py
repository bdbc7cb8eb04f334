"""What an estimator of whole records is to answer: labels as codes, labels as numbers, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.data import ParquetRecords, SequenceDataset, Target
from recurra.data.offsets import place_of
from recurra.errors import DataError, OptionError, near

if TYPE_CHECKING:
    from recurra.types import Array

__all__ = ["answers_of", "label_array", "labels_of_numbers", "numbers_of_labels", "recode"]


def answers_of(X: Any) -> Array:
    """Take the answers that data bring with them.

    Parameters
    ----------
    X : SequenceDataset or ParquetRecords
        With one target for each record.

    Returns
    -------
    ndarray, shape (records,) or (records, outputs)
        Labels, None where unknown; or numbers.
    """
    if isinstance(X, ParquetRecords):
        return np.concatenate([answers_of(block) for block in X.blocks()])
    if not isinstance(X, SequenceDataset) or not X.targets:
        message = "There is nothing to compare with: y is missing"
        raise DataError(message, code="no_target", hint="Give score(X, y).")
    target = X.target
    values = target.values[:, 0] if len(target.outputs) == 1 else target.values
    if not target.classes:
        return values
    known = all(isinstance(label, int | float) for label in target.classes)
    plain = known and bool(target.observed.all())
    return np.array(target.classes if plain else (*target.classes, None))[values]


def recode(target: Target, classes: tuple[object, ...], ids: tuple[object, ...]) -> Target:
    """Write labels as places among classes that were learned.

    Parameters
    ----------
    target : Target
        With classes of its own, or whole numbers.
    classes : tuple
        The labels that are known.
    ids : tuple
        The records.

    Returns
    -------
    Target
        With `classes`.

    Raises
    ------
    DataError
        ``unseen_label`` for a label that is none of them.
    """
    if target.classes == classes:
        return target
    found = target.classes
    codes = target.values
    if not found:
        known = ~np.isnan(target.values)
        numbers, places = np.unique(target.values[known], return_inverse=True)
        found = tuple(int(each) if each == int(each) else each for each in numbers.tolist())
        codes = np.full(target.values.shape, -1)
        codes[known] = places
    table = np.array([classes.index(each) if each in classes else -2 for each in found] + [-1])
    values = table[codes]
    odd = np.argwhere(values == -2)
    if len(odd):
        row, column = (int(k) for k in odd[0])
        label = found[int(codes[row, column])]
        record, step = _place(target, row)
        raise DataError(
            "The label was never seen when the model first learned",
            code="unseen_label",
            record=ids[record],
            row=step,
            value=label,
            hint=near(str(label), classes),
        )
    return replace(target, values=values, classes=classes)


def labels_of_numbers(target: Target, ids: tuple[object, ...], estimator: str) -> Target:
    """Take whole numbers for labels.

    Parameters
    ----------
    target : Target
        Of numbers, NaN where unknown.
    ids : tuple
        The records.
    estimator : str
        Who learns them.

    Returns
    -------
    Target
        Of labels.

    Raises
    ------
    DataError
        ``no_label`` if one is a fraction; it says where.
    """
    values = target.values
    known = ~np.isnan(values)
    odd = np.argwhere(known & (values != np.round(values)))
    if odd.size:
        record, step = _place(target, int(odd[0, 0]))
        raise DataError(
            f"A {estimator} learns labels, no continuous numbers, but y holds fractions",
            code="no_label",
            record=ids[record],
            row=step,
            value=float(values[tuple(odd[0])]),
            hint="Labels are text, flags or whole numbers. Use Regressor for numbers.",
        )
    classes, codes = np.unique(values[known], return_inverse=True)
    placed = np.full(values.shape, -1)
    placed[known] = codes
    return replace(target, values=placed, classes=tuple(int(label) for label in classes))


def numbers_of_labels(target: Target, name: str) -> Target:
    """Take integers that were read as labels for the numbers they are.

    Parameters
    ----------
    target : Target
        Of labels, or of numbers, which stay.
    name : str
        What it is called.

    Returns
    -------
    Target
        Of numbers, NaN where unknown.

    Raises
    ------
    OptionError
        If a label is text.
    """
    if not target.classes:
        return target
    if not all(isinstance(label, int | float) for label in target.classes):
        said = ", ".join(map(repr, target.classes[:3]))
        raise OptionError(
            f"Target {name!r} must be numbers, but it holds text: {said}. Use Classifier for it."
        )
    table = np.array([*map(float, target.classes), np.nan])  # type: ignore[arg-type]
    return replace(target, values=table[target.values], classes=())


def label_array(classes: Any) -> Array:
    """Hold labels: numbers and flags as NumPy does, all else as objects.

    Parameters
    ----------
    classes : sequence
        The labels.

    Returns
    -------
    ndarray, shape (classes,)
        The same.

    Examples
    --------
    >>> label_array([1, 2]), label_array(["a", 2])
    (array([1, 2]), array(['a', 2], dtype=object))
    """
    plain = all(isinstance(label, int | float) for label in classes)
    return np.array(classes, None if plain else object)


def _place(target: Target, row: int) -> tuple[int, int | None]:
    """Say in which record a row of a target is, and at which step, if it has steps."""
    if target.offsets is None:
        return row, None
    return place_of(target.offsets, row)
