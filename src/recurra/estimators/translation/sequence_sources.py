"""What is translated: texts, lists of tokens, measurements; and those most like others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.data import SequenceDataset, from_text, from_tokens
from recurra.data.tables.notes import also_in
from recurra.errors import DataError, OptionError
from recurra.estimators.learning.record_checks import answerable
from recurra.estimators.learning.record_inputs import as_dataset
from recurra.estimators.learning.simple_models import Summary

if TYPE_CHECKING:
    from recurra.estimators.translation.sequence_answers import Unit
    from recurra.types import Integers

__all__ = ["check_sources", "nearest", "read_sources"]


def read_sources(X: Any, unit: Unit, how: Mapping[str, Any]) -> SequenceDataset:
    """Read texts, lists of tokens, or what `from_arrays` reads.

    Parameters
    ----------
    X : list or other
        The sources.
    unit : {"char", "word"}
        What a step of a text is.
    how : dict of str
        Further arguments of `from_arrays`; None for those not given.

    Returns
    -------
    SequenceDataset
        A record for each source.

    Raises
    ------
    OptionError
        If one text came alone, or something goes with texts that belongs to measurements.
    """
    if isinstance(X, str | bytes):
        raise OptionError(f"X={X[:40]!r} is one text, but a list of sources is read. Give [text].")
    if not isinstance(X, list | tuple | np.ndarray):
        return as_dataset(X, **how)
    first = next((each for each in X if np.size(each)), None)
    text = isinstance(first, str)
    if not text and not (isinstance(first, list | tuple) and isinstance(first[0], str)):
        return as_dataset(X, **how)
    extra = [name for name, value in how.items() if value is not None]
    if extra:
        raise OptionError(f"{', '.join(extra)} goes with measurements, but X holds texts.")
    return from_text([*X], unit=unit) if text else from_tokens([*X])


def check_sources(dataset: SequenceDataset) -> SequenceDataset:
    """Refuse sources without steps.

    Parameters
    ----------
    dataset : SequenceDataset
        The sources.

    Returns
    -------
    SequenceDataset
        The same.

    Raises
    ------
    DataError
        ``empty_series`` if one is empty; it says which.
    """
    empty = np.flatnonzero(~answerable(dataset))
    if empty.size:
        message = f"The source is empty{also_in(empty.size)}"
        hint = "Leave it out: there is nothing to answer."
        raise DataError(message, code="empty_series", record=dataset.ids[empty[0]], hint=hint)
    return dataset


def nearest(kept: SequenceDataset, part: SequenceDataset) -> Integers:
    """Find the record of each other that is most like it, by n-grams or by sums of measurements.

    Parameters
    ----------
    kept, part : SequenceDataset
        Those to choose from, and the others.

    Returns
    -------
    ndarray of int, shape (records of `part`,)
        Places in `kept`.
    """
    from sklearn.neighbors import NearestNeighbors

    summary = Summary()
    neighbours = NearestNeighbors(n_neighbors=1, metric="cosine")
    neighbours.fit(summary.fit_transform(kept))
    places: Integers = neighbours.kneighbors(summary.transform(part), return_distance=False)[:, 0]
    return places
