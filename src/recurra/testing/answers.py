"""Answers of estimators, whatever their form: picked by record, held against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd

from recurra.data import SequenceDataset
from recurra.types import Array

__all__ = ["apart", "count", "pick"]


def count(records: Any) -> int:
    """Say how many records there are.

    Parameters
    ----------
    records : SequenceDataset, dict of str, ndarray or sequence
        Data, targets or answers; of a dict each entry has all records.

    Returns
    -------
    int
        The number.

    Examples
    --------
    >>> count({"pulse": [[60.0], [61.0, 62.0]]})
    2
    """
    if isinstance(records, Mapping):
        return count(next(iter(records.values())))
    return len(records)


def pick(records: Any, places: Sequence[int]) -> Any:
    """Pick records by place.

    Parameters
    ----------
    records : SequenceDataset, dict of str, ndarray, sequence or None
        Data, targets or answers; of a dict each entry has all records.
    places : sequence of int
        Which, in the order wanted.

    Returns
    -------
    object
        As they came; None for None.

    Examples
    --------
    >>> pick({"pulse": ["a", "b", "c"], "warmth": np.arange(3)}, [2, 0])
    {'pulse': ['c', 'a'], 'warmth': array([2, 0])}
    """
    if records is None:
        return None
    if isinstance(records, Mapping):
        return {name: pick(each, places) for name, each in records.items()}
    if isinstance(records, SequenceDataset):
        return records.take(places)
    if isinstance(records, np.ndarray):
        return records[list(places)]
    return [records[place] for place in places]


def apart(one: Any, other: Any) -> float:
    """Say how far two answers are apart.

    Parameters
    ----------
    one, other : object
        Numbers, labels, texts; arrays, sequences, dicts, tables and dataclasses of these. NaN
        equals NaN.

    Returns
    -------
    float
        0.0 where they are the same to the bit; where numbers differ the largest difference, in
        units of the largest number of `other` if that is past 1; infinite where anything else does:
        a label, a shape, a length.

    Examples
    --------
    >>> apart([1.0, float("nan")], [0.5, float("nan")]), apart(["a"], ["b"]), apart([1.0], [])
    (0.5, inf, inf)
    >>> apart({"up": np.float64(0.25)}, {"up": 0.25})
    0.0
    """
    if isinstance(one, pd.DataFrame) and isinstance(other, pd.DataFrame):
        one, other = one.to_dict("list"), other.to_dict("list")
    if is_dataclass(one) and is_dataclass(other):
        one = {each.name: getattr(one, each.name) for each in fields(one)}
        other = {each.name: getattr(other, each.name) for each in fields(other)}
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        if list(one) != list(other):
            return float("inf")
        return max((apart(one[name], other[name]) for name in one), default=0.0)
    if _listed(one) and _listed(other):
        if len(one) != len(other):
            return float("inf")
        return max((apart(a, b) for a, b in zip(one, other, strict=True)), default=0.0)
    numbers = np.asarray(one), np.asarray(other)
    if any(each.dtype.kind not in "fiub" for each in numbers):
        return 0.0 if np.array_equal(*numbers) else float("inf")
    return _numbers_apart(*numbers)


def _listed(answers: Any) -> bool:
    """Say whether answers are to be looked at one by one."""
    if isinstance(answers, np.ndarray):
        return answers.dtype == object and answers.ndim > 0
    return isinstance(answers, list | tuple)


def _numbers_apart(one: Array, other: Array) -> float:
    """Say how far numbers are apart; whole ones are the same or are not."""
    if one.shape != other.shape:
        return float("inf")
    if not one.size or np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
        return 0.0
    if one.dtype.kind != "f" or not np.array_equal(np.isnan(one), np.isnan(other)):
        return float("inf")
    known = ~np.isnan(one)
    ours, theirs = one[known].astype(float), other[known].astype(float)
    same = ours == theirs  # infinities too
    with np.errstate(invalid="ignore"):
        distance = np.where(same, 0.0, np.abs(ours - theirs))
    if not np.isfinite(distance).all():
        return float("inf")
    finite = np.abs(theirs[np.isfinite(theirs)])
    return float(distance.max() / max(1.0, finite.max(initial=0.0)))
