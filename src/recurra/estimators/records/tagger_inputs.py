"""What a tagger reads: words or measurements, and a label for each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from recurra.data import SequenceDataset, Stream, from_arrays, from_tokens
from recurra.data.reading.about import read_groups, read_weights
from recurra.data.reading.answers import read_target
from recurra.errors import DataError, OptionError
from recurra.estimators.learning.record_inputs import as_dataset

__all__ = ["are_words", "check_one_clock", "read_steps"]

WORDS = ("ids", "weights", "groups")
"""What can be told of words, of what can be told of arrays."""


def read_steps(X: Any, y: Any = None, *, words: bool = False, **how: Any) -> SequenceDataset:
    """Read records, and a label for each of their steps.

    Parameters
    ----------
    X : SequenceDataset, list of list of str, list of array-like, ndarray or dict
        The records: words, or what `recurra.data.from_arrays` reads; in a dict of streams some may
        be words.
    y : list of array-like, optional
        A label for each step of each record; None and NaN are unknown.
    words : bool
        Whether records that all have no steps, and so do not tell, are sentences.
    **how
        Further arguments of `from_arrays`; of words `ids`, `weights` and `groups`; of a data set
        `weights` and `groups`.

    Returns
    -------
    SequenceDataset
        With a target of level ``"step"``, if `y` came.
    """
    told = {name: value for name, value in how.items() if value is not None}
    if isinstance(X, SequenceDataset):
        dataset = as_dataset(X, None, **told)
    elif are_words(X) or (words and _are_empty(X)):
        dataset = _of_words(X, told)
    elif isinstance(X, Mapping) and any(map(are_words, X.values())):
        dataset = _of_both(X, told)
    else:
        dataset = as_dataset(X, None, **told)
    if y is None:
        return dataset
    if isinstance(y, Mapping):
        raise OptionError(f"A Tagger learns one label for each step, but y is a dict of {len(y)}.")
    name = next(iter(dataset.streams))
    lengths = dataset.streams[name].lengths
    labels = [_row(each) for each in y] if isinstance(y, list | tuple) else y
    target = read_target(labels, dataset.ids, "y", name, lengths, "step")
    return replace(dataset, targets={"y": target})


def are_words(records: Any) -> bool:
    """Say whether records are lists of words.

    Parameters
    ----------
    records : object
        What came.

    Returns
    -------
    bool
        True if the first step of the first record that has steps is text, or a record is.

    Examples
    --------
    >>> are_words([[], ["the", "cat"]]), are_words([[1.0, 2.0]]), are_words(["the cat"])
    (True, False, True)
    """
    if not isinstance(records, list | tuple | np.ndarray):
        return False
    for record in records:
        if isinstance(record, str):
            return True
        if isinstance(record, list | tuple | np.ndarray) and len(record):
            return isinstance(record[0], str)
    return False


def _are_empty(records: Any) -> bool:
    """Say whether there are records, none of which has steps."""
    if not isinstance(records, list | tuple) or not records:
        return False
    return all(isinstance(each, list | tuple | np.ndarray) and not len(each) for each in records)


def check_one_clock(dataset: SequenceDataset, stream: str) -> None:
    """Refuse streams that do not have the steps that are tagged.

    Parameters
    ----------
    dataset : SequenceDataset
        The records.
    stream : str
        The stream whose steps are tagged.

    Raises
    ------
    OptionError
        If that stream is a signal, whose steps its encoder makes.
    DataError
        If a record has more steps in one stream than in another; it says which.
    """
    if dataset.streams[stream].kind == "signal":
        raise OptionError(
            f"Stream {stream!r} is a signal, and its encoder joins samples: they have no label "
            "each. Cut it into windows, or give it as measurements with from_arrays."
        )
    want = dataset.streams[stream].lengths
    for name, each in dataset.streams.items():
        odd = np.flatnonzero(each.lengths != want)
        if odd.size:
            have, must = int(each.lengths[odd[0]]), int(want[odd[0]])
            raise DataError(
                f"Stream {name!r} has {have} steps, but {must} are tagged in {stream!r}",
                code="other_clock",
                record=dataset.ids[odd[0]],
                hint="Put both on one clock; recurra.data.Align does so for measurements.",
            )


def _of_words(X: Any, told: Mapping[str, Any]) -> SequenceDataset:
    """Read words alone."""
    for name in told:
        if name not in WORDS:
            raise OptionError(f"Of words, {', '.join(WORDS)} can be told, but not {name!r}.")
    vocabulary: list[str] | None = [] if _are_empty(X) else None
    dataset = from_tokens(_listed(X), vocabulary, ids=told.get("ids"))
    weights, groups = told.get("weights"), told.get("groups")
    return replace(
        dataset,
        weights=None if weights is None else read_weights(weights, dataset.ids),
        groups=None if groups is None else read_groups(groups, dataset.ids),
    )


def _of_both(X: Mapping[str, Any], told: Mapping[str, Any]) -> SequenceDataset:
    """Read several streams, some of them words, in the order they came."""
    words = {name: _words(each, told) for name, each in X.items() if are_words(each)}
    others = {name: each for name, each in X.items() if name not in words}
    if others:
        dataset = from_arrays(others, **told)
    else:
        dataset = _of_words(next(iter(X.values())), told)
    streams = {**dataset.streams, **words}
    for name, stream in words.items():
        if len(stream) != len(dataset):
            message = f"Stream {name!r} has {len(stream)} records, but others have {len(dataset)}"
            raise DataError(message, code="record_count", hint="Give one for each.")
    return replace(dataset, streams={str(name): streams[name] for name in X})


def _words(records: Any, told: Mapping[str, Any]) -> Stream:
    return from_tokens(_listed(records), ids=told.get("ids")).stream


def _row(labels: Any) -> Any:
    """Make a list of a Series or a tensor of labels."""
    plain = isinstance(labels, list | tuple | np.ndarray) or not hasattr(labels, "tolist")
    return labels if plain else labels.tolist()


def _listed(records: Any) -> list[Any]:
    """Make lists of arrays of text, which NumPy may have padded to one length of its own."""
    return [each.tolist() if isinstance(each, np.ndarray) else each for each in records]
