"""What a language model reads: documents of tokens, and how they are laid out to be learned."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from recurra.data import SequenceDataset, Stream, from_text
from recurra.data.offsets import place_of
from recurra.data.tables.notes import counted, tell
from recurra.data.units import TextUnit, join, spaced_words
from recurra.errors import DataError, OptionError
from recurra.models import LanguageBatch

if TYPE_CHECKING:
    from recurra.types import Integers

__all__ = [
    "END",
    "count_letters",
    "documents",
    "endless_end",
    "endless_rows",
    "flat_rows_of",
    "last_part",
    "part_end",
    "read_documents",
]

END = "\0"
"""The end of a document, among the tokens: a sign that no text may hold."""

FEWEST_HELD, MOST_HELD = 100, 50_000  # tokens held back
ROW_STEPS, ROWS = 512, 16  # in which a part is read to stop the training by


def read_documents(X: Any, unit: TextUnit) -> SequenceDataset:
    """Read text, a document each.

    Parameters
    ----------
    X : str, Path, list of str, list of Path, or SequenceDataset
        A text; a file; several of either; or tokens that are parted already.
    unit : {"char", "byte", "word", "subword"}
        What a token is. Pieces of words are learned later, and begin as letters.

    Returns
    -------
    SequenceDataset
        With one stream, ``"text"``, of one channel, ``"token"``.

    Raises
    ------
    DataError, OptionError
        If there is no text, or tokens are not what `unit` says.
    """
    if isinstance(X, SequenceDataset):
        return _checked(X, unit)
    notes: tuple[str, ...] = ()
    if isinstance(X, str):
        X = [X]
    if isinstance(X, Iterable) and not isinstance(X, os.PathLike | Mapping | bytes):
        X = list(X)
        if all(isinstance(each, str) for each in X):
            X, notes = _without_empty(X)
    parts: Any = {"word": spaced_words(), "subword": "char"}.get(unit, unit)
    texts = isinstance(X, list) and all(isinstance(each, str) for each in X)
    dataset = from_text(X, unit=parts, lines=None if texts else False, longest=None)
    return replace(dataset, notes=(*dataset.notes, *notes))


def part_end(
    dataset: SequenceDataset, share: float
) -> tuple[SequenceDataset, SequenceDataset | None]:
    """Hold back the end of a text.

    Parameters
    ----------
    dataset : SequenceDataset
        Documents.
    share : float
        Of the tokens; at most 50 000 are held back, and none where that would be less than 100.

    Returns
    -------
    kept, held : SequenceDataset
        What stands before, and the end; None if nothing is held back. A document may be cut in two.
    """
    stream = dataset.stream
    count = min(round(share * stream.rows), MOST_HELD)
    if count < FEWEST_HELD:
        return dataset, None
    edge = stream.rows - count
    starts, stops = stream.offsets[:-1], stream.offsets[1:]
    before, after = np.flatnonzero(starts < edge), np.flatnonzero(stops > edge)
    kept = stream.cut(starts[before], np.minimum(stops[before], edge))
    held = stream.cut(np.maximum(starts[after], edge), stops[after])
    return _with(dataset, before, kept), _with(dataset, after, held)


def last_part(dataset: SequenceDataset) -> SequenceDataset:
    """Take as much of the end of a text as is quickly scored.

    Parameters
    ----------
    dataset : SequenceDataset
        Documents.

    Returns
    -------
    SequenceDataset
        The last 50 000 tokens, or all if there are no more.
    """
    return dataset if dataset.stream.rows <= MOST_HELD else part_end(dataset, 1.0)[1] or dataset


def documents(treated: SequenceDataset, vocabulary: tuple[object, ...]) -> list[Integers]:
    """Give the codes of each document, with the end of one at its beginning and at its end.

    Parameters
    ----------
    treated : SequenceDataset
        As the treatments left it.
    vocabulary : tuple
        All tokens, `END` the last.

    Returns
    -------
    list of ndarray of int64, each shape (tokens + 2,)
        One for each document.

    Raises
    ------
    DataError
        ``unknown_token`` for one that is not in the vocabulary, where no treatment cares for it.
    """
    stream = treated.stream
    stream = stream.recoded({stream.channels[0]: vocabulary[:-1]})
    codes, end = stream.values[:, 0].astype(np.int64), len(vocabulary) - 1
    odd = np.flatnonzero(codes >= end)
    if odd.size:
        record, step = place_of(stream.offsets, odd[0])
        raise DataError(
            "The token is not in the vocabulary",
            code="unknown_token",
            record=treated.ids[record],
            row=step,
            value=stream.categories[stream.channels[0]][codes[odd[0]]],
            hint="Add recurra.data.Vocabulary() to the treatments: it knows what is unknown.",
        )
    pairs = zip(stream.offsets[:-1], stream.offsets[1:], strict=True)
    return [np.concatenate([[end], codes[a:b], [end]]) for a, b in pairs]


def endless_rows(text: list[Integers], rows: int, seed: int) -> Iterator[LanguageBatch]:
    """Lay the whole text out in rows, again and again, each time cut at other places.

    A row goes on where the one before it ends, the last where the first begins. Where a document
    begins within half a row, the row begins with it; what is left out then is read in other rounds.

    Parameters
    ----------
    text : list of ndarray of int64
        Documents, each between two ends.
    rows : int
        Rows of a batch.
    seed : int
        Source of chance.

    Yields
    ------
    LanguageBatch
        The whole text.
    """
    ring = np.concatenate([each[:-1] for each in text])  # its end is followed by its beginning
    begins = np.flatnonzero(ring == ring[0])
    random, steps = np.random.default_rng(seed), -(-len(ring) // rows)
    while True:
        starts = (random.integers(len(ring)) + np.arange(rows) * len(ring) // rows) % len(ring)
        after = begins[np.searchsorted(begins, starts) % len(begins)]
        gap = (after - starts) % len(ring)
        yield LanguageBatch.of(_rows(ring, np.where(gap <= steps // 2, after, starts), steps))


def endless_end(
    end: list[Integers], rest: list[Integers], rows: int, seed: int
) -> Iterator[LanguageBatch]:
    """Lay the end of a text out in rows, again and again, with as many rows of the rest beside it.

    Parameters
    ----------
    end, rest : list of ndarray of int64
        Documents, each between two ends.
    rows : int
        Rows of the end.
    seed : int
        Source of chance.

    Yields
    ------
    LanguageBatch
        The whole end, and stretches from anywhere in the rest, so that it is not forgotten.
    """
    ring = np.concatenate([each[:-1] for each in rest])
    random = np.random.default_rng(seed)
    for batch in endless_rows(end, rows, seed):
        other = _rows(ring, random.integers(len(ring), size=rows), batch.codes.shape[1])
        both = (torch.cat([batch.codes, other[:, :-1]]), torch.cat([batch.targets, other[:, 1:]]))
        yield LanguageBatch(*both)


def flat_rows_of(text: list[Integers]) -> LanguageBatch:
    """Lay a part of the text out in at most 16 rows of at least 512 steps, for a quick look.

    Parameters
    ----------
    text : list of ndarray of int64
        Documents, each between two ends.

    Returns
    -------
    LanguageBatch
        The whole part; all but the first row begin somewhere.
    """
    flat = np.concatenate([text[0][:1], *(each[1:] for each in text)])
    count = min(max((len(flat) - 1) // ROW_STEPS, 1), ROWS)
    edges = np.linspace(0, len(flat) - 1, count + 1).astype(int)
    rows = [torch.from_numpy(flat[a : b + 1]) for a, b in pairwise(edges)]
    return LanguageBatch.padded(rows)


def count_letters(dataset: SequenceDataset, unit: TextUnit) -> int:
    """Count the letters of a text: its code points.

    Parameters
    ----------
    dataset : SequenceDataset
        As `read_documents` gave it.
    unit : {"char", "byte", "word", "subword"}
        What a token is.

    Returns
    -------
    int
        Their number; of words, with the spaces that `recurra.data.units.join` puts between them.
    """
    stream = dataset.stream
    if unit in ("char", "subword"):
        return stream.rows
    codes = stream.values[:, 0].astype(np.int64)
    if unit == "byte":
        return int(((codes & 0b11000000) != 0b10000000).sum())
    words = np.array([*stream.categories[stream.channels[0]], None], object)[codes]
    pairs = zip(stream.offsets[:-1], stream.offsets[1:], strict=True)
    return sum(len(join(words[a:b], unit)) for a, b in pairs)


def _rows(ring: Integers, starts: Integers, steps: int) -> torch.Tensor:
    """Take rows of a ring, each with the token after its last step."""
    return torch.from_numpy(ring[(starts[:, None] + np.arange(steps + 1)) % len(ring)])


def _without_empty(texts: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Leave out documents without a sign."""
    kept = [each for each in texts if each]
    lost = len(texts) - len(kept)
    if not kept:
        hint = "Give at least one text that is not empty."
        raise DataError("There is no text", code="empty", hint=hint)
    if not lost:
        return kept, ()
    said = counted(lost, "document is empty and was", "documents are empty and were")
    return kept, (tell(f"{said} left out, of {len(texts)}."),)


def _checked(dataset: SequenceDataset, unit: TextUnit) -> SequenceDataset:
    """Take the one stream of tokens, and see that they are what was said."""
    stream: Stream = dataset.stream
    if stream.kind != "tokens" or stream.width != 1:
        raise DataError(
            f"A language model learns from tokens, but this is a stream of {stream.kind}",
            code="kind",
            hint="Read text with recurra.data.from_text, tokens with recurra.data.from_tokens.",
        )
    name = stream.channels[0]
    tokens = stream.categories.get(name, ())
    letters = [isinstance(each, str) and len(each) == 1 for each in tokens]
    if unit in ("char", "subword") and not all(letters):
        odd = tokens[letters.index(False)]
        raise OptionError(
            f"unit={unit!r}, but the token {odd!r} is no letter. Use unit='word' for tokens that "
            "are parted already."
        )
    if unit == "byte" and tuple(tokens) != tuple(range(256)):
        raise OptionError(
            "unit='byte', but the tokens are not the numbers from 0 to 255. Read the text with "
            "from_text(..., unit='byte')."
        )
    if END in tokens:
        raise DataError("The tokens hold a zero", code="zero", hint="Remove it from the text.")
    whole = replace(stream, channels=("token",), categories={"token": tuple(tokens)})
    return SequenceDataset(dataset.ids, {"text": whole}, notes=dataset.notes)


def _with(dataset: SequenceDataset, places: Integers, stream: Stream) -> SequenceDataset:
    names = tuple(dataset.ids[k] for k in places)
    return SequenceDataset(names, {"text": stream}, notes=dataset.notes)
