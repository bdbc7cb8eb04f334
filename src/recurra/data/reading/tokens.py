"""Records of tokens: codes and the vocabulary they are places in."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np
import pandas as pd

from recurra.data.offsets import offsets_of, place_of
from recurra.data.reading.about import read_ids
from recurra.data.reading.answers import TargetLevel, read_target
from recurra.data.sequences import SequenceDataset, Stream
from recurra.errors import DataError, OptionError
from recurra.types import Array

__all__ = ["from_tokens", "token_stream"]


def from_tokens(
    records: Iterable[Any],
    vocabulary: Any = None,
    y: Any = None,
    *,
    ids: Sequence[object] | None = None,
    target_for: TargetLevel | None = None,
) -> SequenceDataset:
    """Read records of tokens: words that are parted already, or their numbers.

    Parameters
    ----------
    records : list of array-like
        One record each: whole numbers, each a place in `vocabulary`; or text, one string a token.
        A record may be empty.
    vocabulary : int or sequence, optional
        What the numbers stand for, or how many there are. For text: the tokens there may be; by
        default those there are, sorted.
    y : array-like, optional
        One label or number for each record, or a list with one for each token.
    ids : sequence, optional
        The identifiers; by default 0, 1, 2 …
    target_for : {"record", "step", "labels"}, optional
        What several targets in a row are, as for `from_arrays`.

    Returns
    -------
    SequenceDataset
        With a stream ``"text"`` of kind ``"tokens"``: int32 codes, one channel ``"token"``.

    Raises
    ------
    DataError
        If a number is negative or past the vocabulary, or a token is not in it.

    Examples
    --------
    >>> data = from_tokens([["the", "cat"], ["sat"]], y=[["DET", "NOUN"], ["VERB"]])
    >>> data.stream.categories["token"], data.stream.values.ravel()
    (('cat', 'sat', 'the'), array([2, 0, 1], dtype=int32))
    >>> from_tokens([[0, 2], [3]], ["a", "b", "c"])
    Traceback (most recent call last):
    recurra.errors.DataError: A token is past the vocabulary, which has 3 (series 1, row 0, ...
    """
    if isinstance(vocabulary, Set | Mapping):
        came = type(vocabulary).__name__
        message = f"vocabulary is a {came}, but its order counts"
        raise OptionError(
            f"{message}. Give a list: sorted(words), or sorted(places, key=places.get)."
        )
    if isinstance(records, str | bytes) or not isinstance(records, Iterable):
        came = type(records).__name__
        raise OptionError(f"A list of records is read, but a {came} came.")
    given = list(records)
    names = tuple(range(len(given))) if ids is None else read_ids(ids)
    if not given:
        raise DataError("There are no records", code="empty", hint="Give at least one.")
    if len(names) != len(given):
        raise OptionError(f"There are {len(given)} records, but {len(names)} ids.")
    parts = [_part(record, name) for record, name in zip(given, names, strict=True)]
    offsets = offsets_of([len(part) for part in parts])
    _check_kinds(parts, names)
    tokens = np.concatenate([part for part in parts if len(part)] or parts[:1])
    if tokens.dtype == object:
        codes, words = _coded(tokens, vocabulary, offsets, names)
    else:
        words = _words(vocabulary)
        codes = _checked(tokens, len(words), offsets, names)
    stream = token_stream(codes, offsets, words)
    targets = (
        {} if y is None else {"y": read_target(y, names, "y", "text", stream.lengths, target_for)}
    )
    return SequenceDataset(names, {"text": stream}, targets=targets)


def token_stream(codes: Array, offsets: Array, words: Iterable[object]) -> Stream:
    """Make a stream of codes.

    Parameters
    ----------
    codes : ndarray of int, shape (steps,)
        Places in `words`.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.
    words : iterable
        What the codes stand for.

    Returns
    -------
    Stream
        Of kind ``"tokens"``, with one channel ``"token"`` of int32.
    """
    return Stream(
        codes.astype(np.int32).reshape(-1, 1),
        offsets,
        ("token",),
        "tokens",
        categories={"token": tuple(words)},
    )


def _part(record: Any, name: object) -> Array:
    """Make an array of one record: of numbers, or of objects."""
    if hasattr(record, "detach"):
        record = record.detach().cpu().numpy()
    whole = isinstance(record, str | bytes) or not hasattr(record, "__len__")
    if whole or (isinstance(record, np.ndarray) and record.ndim != 1):
        message = f"A record of tokens is a list, but a {type(record).__name__} came"
        hint = "Part a text into tokens, or read it with from_text; numbers have one axis."
        raise DataError(message, code="shape", record=name, hint=hint)
    if isinstance(record, np.ndarray) and record.dtype.kind in "iufb":
        return record
    listed = record.tolist() if isinstance(record, np.ndarray) else list(record)
    kinds = set(map(type, listed))
    if all(issubclass(kind, int | np.integer) and kind is not bool for kind in kinds):
        return np.array(listed, np.int64 if not listed else None)
    part = np.empty(len(listed), object)
    part[:] = listed
    return part


def _check_kinds(parts: list[Array], ids: tuple[object, ...]) -> None:
    """Refuse records that are neither whole numbers nor text, and a mixture of both."""
    texts = next((part.dtype == object for part in parts if len(part)), False)
    for name, part in zip(ids, parts, strict=True):
        if part.dtype != object:
            good = not texts and part.dtype.kind in "iu"
            row = None if good or not len(part) else 0
        elif texts:
            row = next((k for k, each in enumerate(part) if not isinstance(each, str)), None)
        else:
            row = 0
        if row is not None:
            value = part[row].item() if isinstance(part[row], np.generic) else part[row]
            message = "The tokens of all records are text, or all are whole numbers"
            hint = "Give the places in a vocabulary as integers, or give the tokens themselves."
            raise DataError(
                message, code="mixed_tokens", record=name, row=row, value=value, hint=hint
            )


def _words(vocabulary: int | Sequence[Hashable] | None) -> tuple[object, ...]:
    """Read the vocabulary of numbers."""
    if isinstance(vocabulary, int) and not isinstance(vocabulary, bool) and vocabulary > 0:
        return tuple(range(vocabulary))
    if vocabulary is None or isinstance(vocabulary, str | int):
        message = f"vocabulary={vocabulary!r}, but numbers are places in a vocabulary"
        raise OptionError(f"{message}. Give what they stand for as a list, or how many there are.")
    _check_once(vocabulary)
    return tuple(vocabulary)


def _check_once(vocabulary: Sequence[Hashable]) -> None:
    """Refuse a vocabulary that has a token twice."""
    twice = pd.Index(list(vocabulary), dtype=object)
    twice = twice[twice.duplicated()]
    if len(twice):
        raise OptionError(f"The vocabulary has {twice[0]!r} twice. Give each token once.")


def _checked(tokens: Array, size: int, offsets: Array, ids: tuple[object, ...]) -> Array:
    """Refuse numbers that are no places in the vocabulary."""
    odd = np.flatnonzero((tokens < 0) | (tokens >= size))
    if odd.size:
        value = int(tokens[odd[0]])
        message = "A token is negative" if value < 0 else "A token is past the vocabulary"
        message += f", which has {size}" if value >= 0 else ""
        more = f"; so are {odd.size - 1} others" if odd.size > 1 else ""
        hint = f"Give numbers from 0 to {size - 1}, and no padding: records differ in length."
        _blame(message + more, "token_range", odd[0], value, hint, offsets, ids)
    return tokens


def _coded(
    tokens: Array,
    vocabulary: int | Sequence[Hashable] | None,
    offsets: Array,
    ids: tuple[object, ...],
) -> tuple[Array, tuple[object, ...]]:
    """Turn text into places in a vocabulary."""
    if vocabulary is None:
        codes, found = pd.factorize(tokens, sort=True)
        return codes, tuple(found)
    if isinstance(vocabulary, int | str):
        raise OptionError(f"vocabulary={vocabulary!r}, but the tokens are text. Give a list of it.")
    _check_once(vocabulary)
    codes = pd.Index(list(vocabulary), dtype=object).get_indexer(pd.Index(tokens, dtype=object))
    odd = np.flatnonzero(codes < 0)
    if odd.size:
        more = f"; so are {odd.size - 1} others" if odd.size > 1 else ""
        hint = "Add it, or put a token for what is unknown in its place."
        message = f"A token is not in the vocabulary{more}"
        _blame(message, "unknown_token", odd[0], tokens[odd[0]], hint, offsets, ids)
    return codes, tuple(vocabulary)


def _blame(
    message: str,
    code: str,
    row: int,
    value: object,
    hint: str,
    offsets: Array,
    ids: tuple[object, ...],
) -> None:
    """Say which token of which record is wrong."""
    record, at = place_of(offsets, row)
    raise DataError(message, code=code, record=ids[record], row=at, value=value, hint=hint)
