"""Words written in small letters, and beside them the letters they are spelt with."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace

import numpy as np

from recurra.data.offsets import offsets_of
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.sequences.stream import flat_rows
from recurra.data.treatments.options import check_count
from recurra.data.treatments.treatment import Learned, Treatment
from recurra.errors import DataError, OptionError, near

__all__ = ["LETTERS", "Spell"]

LETTERS = ":letters"
"""What the name of a stream of letters ends in."""


@dataclass(frozen=True, repr=False)
class Spell(Treatment):
    """Write words in small letters, and spell each in a stream beside them.

    A stream ``"text"`` of words keeps its steps; capitals become small letters, so that a word is
    the same word at the beginning of a sentence. Beside it comes ``"text:letters"``, a stream of
    records: step ``k`` holds the letters of word ``k``, with capitals as they were. What can be
    written in several ways in Unicode is brought to one (NFC).

    Parameters
    ----------
    stream : str, optional
        Which stream; None for every stream of tokens that are words: of which one at least, in the
        training part, has more than one letter.
    longest : int
        Of longer words only the first and the last letters are spelt, half of this each, so that no
        address or run of signs makes a batch large.

    Examples
    --------
    >>> stream = Stream(
    ...     np.array([[1], [0]]), np.array([0, 2]), ("token",), kind="tokens",
    ...     categories={"token": ("cat", "The")},
    ... )
    >>> spell, data = Spell(), SequenceDataset(("a",), {"text": stream})
    >>> streams = spell.apply(data, spell.learn(data)).streams
    >>> streams["text"].categories, streams["text"].values.ravel()
    ({'token': ('cat', 'the')}, array([1, 0], dtype=int32))
    >>> letters = streams["text:letters"].inner
    >>> "".join(letters.categories["letter"]), letters.at(0).values.ravel()
    ('Taceht', array([0, 4, 3], dtype=int32))
    """

    stream: str | None = None
    longest: int = 32

    def __post_init__(self) -> None:
        """Refuse a length that is none."""
        check_count("longest", self.longest, 2)

    @property
    def stepwise(self) -> bool:
        """Whether steps can be treated as they come."""
        return True

    def learn(self, dataset: SequenceDataset) -> Learned:
        """Learn which streams hold words."""
        if self.stream is None:
            found = [name for name, each in dataset.streams.items() if _holds_words(each)]
            return {"streams": found}
        if self.stream not in dataset.streams:
            hint = near(self.stream, dataset.streams)
            raise OptionError(f"There is no stream {self.stream!r}. {hint}")
        kind = dataset.streams[self.stream].kind
        if kind != "tokens":
            raise OptionError(f"Spell reads a stream of tokens, but {self.stream!r} is of {kind}.")
        return {"streams": [self.stream]}

    def apply(self, dataset: SequenceDataset, learned: Learned) -> SequenceDataset:
        """Write words in small letters, and add the streams of letters."""
        streams = dict(dataset.streams)
        for name in learned["streams"]:
            if name not in streams:
                message = f"There is no stream {name!r}, but the training part had it"
                hint = near(name, streams)
                raise DataError(message, code="missing_stream", hint=hint)
            streams[name], streams[name + LETTERS] = self._spelt(streams[name])
        return replace(dataset, streams=streams)

    def _spelt(self, stream: Stream) -> tuple[Stream, Stream]:
        """Give the words in small letters, and the letters of each."""
        (channel,) = stream.channels
        words = [_composed(label) for label in stream.categories[channel]]
        small = [word.lower() for word in words]
        known = tuple(dict.fromkeys(sorted(small)))
        place = {word: code for code, word in enumerate(known)}
        table = np.array([place[word] for word in small], np.int32)
        seen = stream.mask[:, 0]
        codes = np.where(seen, stream.values[:, 0], 0).astype(np.int64)
        lower = table[codes] if len(table) else codes.astype(np.int32)
        words = [self._shortened(word) for word in words]
        signs = np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), np.uint32)
        alphabet, spelt = np.unique(signs, return_inverse=True)
        lengths = np.array([len(word) for word in words], np.int64)
        starts = np.cumsum(lengths) - lengths
        counts = np.where(seen, lengths[codes], 0) if len(words) else np.zeros(len(codes), np.int64)
        rows = flat_rows(starts[codes], counts) if len(words) else slice(0, 0)
        inner = Stream(
            spelt.astype(np.int32)[rows].reshape(-1, 1),
            offsets_of(counts),
            ("letter",),
            "tokens",
            categories={"letter": tuple(map(chr, alphabet))},
        )
        letters = replace(
            stream,
            values=np.zeros((0, 1), np.int32),
            channels=("letters",),
            kind="records",
            observed=None,
            categories={},
            inner=inner,
        )
        lowered = replace(stream, values=lower[:, None], categories={channel: known})
        return lowered, letters

    def _shortened(self, word: str) -> str:
        if len(word) <= self.longest:
            return word
        half = self.longest // 2
        return word[: self.longest - half] + word[-half:]


def _composed(label: object) -> str:
    """Write a word in one form of Unicode."""
    return "" if label is None else unicodedata.normalize("NFC", str(label))


def _holds_words(stream: Stream) -> bool:
    """Say whether the tokens of a stream are text, one of them longer than a letter."""
    if stream.kind != "tokens":
        return False
    (labels,) = stream.categories.values()
    text = all(isinstance(label, str) for label in labels if label is not None)
    return text and any(len(_composed(label)) > 1 for label in labels)
