"""Tokens as codes, with codes of the n-grams that end at each and of its first letters beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recurra.data.sequences import Stream
from recurra.data.treatments.encode import Vocabulary
from recurra.data.treatments.options import check_count
from recurra.data.treatments.treatment import Learned
from recurra.errors import OptionError
from recurra.types import Array, Integers

__all__ = ["Grams", "tokens_of"]

BETWEEN = "\x1f"


@dataclass(frozen=True, repr=False)
class Grams(Vocabulary):
    """Write tokens as codes, and beside each what it makes with those before, and how it begins.

    The stream gets further channels: ``"token:2"`` holds the code of each token and the one before
    it, ``"token:3"`` of three, and so on; ``"token:begins4"`` the code of its first four letters.
    Nothing before the first token is told from a token. So a bag of n-grams can be read
    beside the sequence (Joulin et al. 2016, arXiv:1607.01759), and a word that was never seen is
    still known by how it begins. In these channels capitals are small letters. No token is looked
    at before it comes.

    Tokens get codes as `Vocabulary` gives them.

    Parameters
    ----------
    longest : int
        Tokens in the longest n-gram; 1 for none.
    beginnings : tuple of int
        Letters of the beginnings.
    fewest : int
        An n-gram or beginning seen less often in training is unknown.
    most : int
        The most codes of each of these channels; the commonest are kept.
    min_count, max_size, stream, channels
        As for `Vocabulary`.

    Examples
    --------
    >>> from recurra.data import from_tokens
    >>> data = from_tokens([["so", "it", "goes"], ["so", "it", "is"]])
    >>> grams = Grams(longest=2)
    >>> coded = grams.apply(data, grams.learn(data)).stream
    >>> [label and label.split("\\x1f") for label in coded.categories["token:2"]]
    [None, ['', 'so'], ['so', 'it']]
    >>> coded.values[:, coded.channel("token:2")]
    array([1, 2, 0, 1, 2, 0])
    """

    longest: int = 2
    beginnings: tuple[int, ...] = ()
    fewest: int = 2
    most: int = 2**15

    def __post_init__(self) -> None:
        """Refuse sizes that are none."""
        super().__post_init__()
        for name in ("longest", "fewest", "most"):
            check_count(name, getattr(self, name), 1)
        given: Any = self.beginnings
        if not isinstance(given, list | tuple):
            raise OptionError(f"beginnings={given!r}, but a tuple is read, such as (4,).")
        for letters in self.beginnings:
            check_count("beginnings", letters, 1)
        object.__setattr__(self, "beginnings", tuple(self.beginnings))

    @property
    def reach(self) -> int:
        """How many tokens before a token count."""
        return self.longest - 1

    def learn_stream(self, stream: Stream, columns: list[int]) -> Learned:
        """Learn the tokens, n-grams and beginnings there are."""
        holder = self.reads(stream)
        labels = dict(super().learn_stream(stream, columns)["labels"])
        for name in tuple(labels):
            for more, (codes, known) in self._features(holder, name).items():
                counts = np.bincount(codes, minlength=len(known))
                kept = np.flatnonzero(counts >= self.fewest)
                found = sorted(kept.tolist(), key=lambda k: (-counts[k], known[k]))
                labels[more] = [known[k] for k in found[: self.most]]
        return {"labels": labels}

    def apply_stream(self, stream: Stream, columns: list[int], learned: Learned) -> Stream:
        """Write the codes that were learned."""
        if stream.inner is not None:
            return replace(stream, inner=self.apply_stream(stream.inner, columns, learned))
        labels = learned["labels"]
        tokens = {name: labels[name] for name in stream.channels if name in labels}
        coded = super().apply_stream(stream, columns, {"labels": tokens})
        values, categories = [coded.values.astype(np.int64)], dict(coded.categories)
        for name in tokens:
            for more, (codes, known) in self._features(stream, name).items():
                place = {label: code for code, label in enumerate(labels[more], start=1)}
                table = np.array([place.get(label, 0) for label in known], np.int64)
                values.append(table[codes][:, None])
                categories[more] = (None, *labels[more])
        channels = (*coded.channels, *(name for name in labels if name not in coded.channels))
        seen = stream.observed
        if seen is not None:
            seen = np.concatenate(
                [seen, np.ones((len(seen), len(channels) - seen.shape[1]), bool)], 1
            )
        return replace(
            coded,
            values=np.concatenate(values, 1),
            channels=channels,
            observed=seen,
            categories=categories,
        )

    def findings(self, before: Stream, after: Stream, learned: Learned) -> list[str]:
        """Count the tokens that were never seen."""
        there = self.reads(before).channels
        tokens = {name: each for name, each in learned["labels"].items() if name in there}
        return super().findings(before, after, {**learned, "labels": tokens})

    def _features(self, stream: Stream, name: str) -> Mapping[str, tuple[Integers, list[str]]]:
        """Give codes for each step, and what they stand for, of each channel that is added."""
        labels = ["" if each is None else str(each).lower() for each in stream.categories[name]]
        column = stream.channel(name)
        seen = stream.mask[:, column]
        codes = np.where(seen, stream.values[:, column], len(labels)).astype(np.int64)
        labels.append("")
        found: dict[str, tuple[Integers, list[str]]] = {}
        for letters in self.beginnings:
            begun, places = np.unique([each[:letters] for each in labels], return_inverse=True)
            found[f"{name}:begins{letters}"] = (places[codes], begun.tolist())
        if self.longest == 1:
            return found
        small, places = np.unique(labels, return_inverse=True)
        last: tuple[Integers, list[str]] = (places[codes], small.tolist())
        single = last
        for count in range(2, self.longest + 1):
            last = _longer(last, single, stream.offsets)
            found[f"{name}:{count}"] = last
        return found


def tokens_of(channel: str) -> int:
    """Say how many tokens make a code of a channel.

    Parameters
    ----------
    channel : str
        What it is called.

    Returns
    -------
    int
        2 for ``"token:2"``; 1 for tokens and beginnings.

    Examples
    --------
    >>> tokens_of("token:3"), tokens_of("token:begins4"), tokens_of("token")
    (3, 1, 1)
    """
    _, parted, last = channel.rpartition(":")
    return int(last) if parted and last.isdecimal() else 1


def _longer(
    before: tuple[Integers, list[str]], single: tuple[Integers, list[str]], offsets: Array
) -> tuple[Integers, list[str]]:
    """Join what ends at the step before with the token of this one; before a record is nothing."""
    (codes, labels), (tokens, words) = before, single
    previous = np.zeros(len(codes), np.int64)
    previous[1:] = codes[:-1] + 1
    starts = offsets[:-1]
    previous[starts[starts < len(codes)]] = 0
    pairs, places = np.unique(previous * len(words) + tokens, return_inverse=True)
    known = [
        f"{labels[left - 1] if left else ''}{BETWEEN}{words[right]}"
        for left, right in zip(*(each.tolist() for each in divmod(pairs, len(words))), strict=True)
    ]
    return places.astype(np.int64), known
