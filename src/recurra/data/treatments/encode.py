"""Write categories and tokens as the codes that were learned, 0 for what is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recurra.data.offsets import place_of
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.treatments.options import check_count
from recurra.data.treatments.stream_treatment import StreamTreatment
from recurra.data.treatments.treatment import Learned
from recurra.errors import DataError
from recurra.types import Integers

__all__ = ["Encode", "Vocabulary"]


@dataclass(frozen=True, repr=False)
class _CodesTreatment(StreamTreatment):
    """Codes as learned from the training part."""

    min_count: int = 1

    kinds = ("values", "tokens")

    def __post_init__(self) -> None:
        """Refuse a count that is none."""
        super().__post_init__()
        check_count("min_count", self.min_count, 1)

    @property
    def stepwise(self) -> bool:
        """Whether steps can be treated as they come."""
        return True

    def reads(self, stream: Stream) -> Stream:
        """Find the stream that holds the codes: the innermost of records of records."""
        return stream if stream.inner is None else self.reads(stream.inner)

    def suits(self, stream: Stream, channel: str) -> bool:
        """Say whether a channel holds codes."""
        return channel in stream.categories

    def learn_stream(self, stream: Stream, columns: list[int]) -> Learned:
        """Learn the labels there are."""
        holder = self.reads(stream)
        names = [holder.channels[k] for k in columns]
        return {"labels": {name: self._learn_labels(holder, name) for name in names}}

    def apply_stream(self, stream: Stream, columns: list[int], learned: Learned) -> Stream:
        """Write the codes that were learned."""
        if stream.inner is not None:
            return replace(stream, inner=self.apply_stream(stream.inner, columns, learned))
        most = max(map(len, learned["labels"].values()), default=0)
        wide = np.result_type(stream.values, np.min_scalar_type(most))
        values, categories = stream.values.astype(wide), {**stream.categories}
        for name, labels in learned["labels"].items():
            rows, codes = _codes(stream, name)
            values[:, stream.channel(name)] = 0
            values[rows, stream.channel(name)] = _table(stream, name, labels)[codes]
            categories[name] = (None, *labels)
        return replace(stream, values=values, categories=categories)

    def findings(self, before: Stream, after: Stream, learned: Learned) -> list[str]:  # noqa: ARG002
        """Count what was never seen in the training part, or too rarely."""
        holder, said = self.reads(before), []
        for name, labels in learned["labels"].items():
            every, known = holder.categories[name], {*labels, None}
            counts = np.bincount(_codes(holder, name)[1], minlength=len(every))
            odd = [
                (int(count), label)
                for label, count in zip(every, counts, strict=True)
                if count and label not in known
            ]
            if odd:
                total, (_, usual) = sum(count for count, _ in odd), max(odd, key=lambda one: one[0])
                said.append(
                    f"{total} values of {name!r} are unknown and were encoded as 0: "
                    f"{len(odd)} different ones, such as {usual!r}."
                )
        return said

    def _learn_labels(self, stream: Stream, name: str) -> list[Any]:
        """List the labels that are common enough, in an order that depends on them alone."""
        counts = np.bincount(_codes(stream, name)[1], minlength=len(stream.categories[name]))
        pairs = zip(stream.categories[name], counts, strict=True)
        found = {
            _plain(label, name): int(n)
            for label, n in pairs
            if n >= self.min_count and label is not None
        }
        return self._ordered(found)

    def _ordered(self, counts: Mapping[Any, int]) -> list[Any]:
        return sorted(counts, key=lambda label: (type(label).__name__, label))


@dataclass(frozen=True, repr=False)
class Encode(_CodesTreatment):
    """Write categories as the codes that were learned: 0 for unknown, then 1, 2 … K.

    The labels of the training part get codes in their order. A label that was not seen there, or
    less than ``min_count`` times, becomes 0, and is counted in a note. What is missing becomes 0
    too. Nothing is made equal: the empty text, a space, ``"a"`` and ``"A"`` are different labels,
    and none of them is missing. Afterwards the label of code 0 is None.

    Parameters
    ----------
    min_count : int
        A label seen less often in training is unknown, so that what is unknown is learned of too.
    stream : str, optional
        Which stream; None for every stream of measurements, and the static covariates.
    channels : sequence of str, optional
        Which channels; None for all that hold categories.

    Examples
    --------
    >>> stream = Stream(
    ...     np.array([[0.0], [1.0], [0.0]]), np.array([0, 3]), ("sky",),
    ...     categories={"sky": ("sunny", "grey")},
    ... )
    >>> data = SequenceDataset(("a",), {"x": stream})
    >>> encode = Encode()
    >>> coded = encode.apply(data, encode.learn(data)).stream
    >>> coded.values.ravel(), coded.categories
    (array([2., 1., 2.]), {'sky': (None, 'grey', 'sunny')})
    """


@dataclass(frozen=True, repr=False)
class Vocabulary(_CodesTreatment):
    """Write tokens as the codes that were learned: 0 for unknown and padding, then 1, 2 … K.

    The commonest token of the training part gets code 1; of two equally common ones, that which
    comes first in their order. What `Encode` says of labels holds for tokens.

    Parameters
    ----------
    min_count : int
        A token seen less often in training is unknown.
    max_size : int, optional
        The most tokens there are, besides the unknown one; the commonest are kept.
    stream : str, optional
        Which stream; None for every stream of tokens, or of records of tokens.
    channels : sequence of str, optional
        Which channels; None for all.

    Examples
    --------
    >>> stream = Stream(
    ...     np.array([[0], [1], [1], [2]]), np.array([0, 4]), ("word",), kind="tokens",
    ...     categories={"word": ("so", "it", "goes")},
    ... )
    >>> data = SequenceDataset(("a",), {"text": stream})
    >>> vocabulary = Vocabulary(max_size=2)
    >>> coded = vocabulary.apply(data, vocabulary.learn(data)).stream
    >>> coded.values.ravel(), coded.categories
    (array([0, 1, 1, 2]), {'word': (None, 'it', 'goes')})
    """

    max_size: int | None = None

    def __post_init__(self) -> None:
        """Refuse a size that is none."""
        super().__post_init__()
        if self.max_size is not None:
            check_count("max_size", self.max_size, 1)

    def _ordered(self, counts: Mapping[Any, int]) -> list[Any]:
        by_label = super()._ordered(counts)
        return sorted(by_label, key=lambda label: -counts[label])[: self.max_size]

    def _streams(self, dataset: SequenceDataset) -> dict[str, Stream]:
        if self.stream is not None:
            return super()._streams(dataset)
        return {n: each for n, each in dataset.streams.items() if self.reads(each).kind == "tokens"}


def _codes(stream: Stream, name: str) -> tuple[Integers, Integers]:
    """Give the rows where a channel was observed, and the codes there; refuse codes of nothing."""
    column = stream.channel(name)
    rows = np.flatnonzero(stream.mask[:, column])
    codes, count = stream.values[rows, column].astype(np.int64), len(stream.categories[name])
    odd = np.flatnonzero((codes < 0) | (codes >= count))
    if odd.size:
        row = int(rows[odd[0]])
        record, step = place_of(stream.offsets, row)
        raise DataError(
            f"There are {count} labels, so a code is from 0 to {count - 1}, but not here, "
            f"in the record at place {record}",
            code="code_range",
            row=step,
            column=name,
            value=int(codes[odd[0]]),
            hint="Correct it, or name the label in the stream's categories.",
        )
    return rows, codes


def _table(stream: Stream, name: str, labels: list[Any]) -> Integers:
    """Say which learned code each code of a stream becomes."""
    place = {label: code for code, label in enumerate(labels, start=1)}
    return np.array([place.get(label, 0) for label in stream.categories[name]], np.int64)


def _plain(label: object, name: str) -> str | float | bool:
    """Write a label as Python and JSON have it."""
    found = label.item() if isinstance(label, np.generic) else label
    if isinstance(found, str | int | float):
        return found
    message = f"A label is text or a number, but this one is a {type(found).__name__}"
    raise DataError(message, code="label_type", column=name, value=label, hint="Write it as text.")
