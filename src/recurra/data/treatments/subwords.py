"""Write letters as pieces of words that were learned."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from recurra.data.offsets import offsets_of
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.treatments.options import check_count
from recurra.data.treatments.treatment import Learned, Treatment
from recurra.data.units.pieces import learn_pieces, part_into_pieces
from recurra.errors import DataError, OptionError, near

__all__ = ["Subwords"]

LETTERS_A_PIECE = 250
FEWEST, MOST = 300, 8000


@dataclass(frozen=True, repr=False)
class Subwords(Treatment):
    """Write letters as pieces of words, learned by byte-pair encoding from the training part.

    A piece is one or several bytes of UTF-8 that often stand together (arXiv:1508.07909); all 256
    bytes are pieces, so that nothing is unknown. Pieces do not reach across words.

    Parameters
    ----------
    size : int, optional
        Pieces there may be, from 256 on; by default one for each 250 letters of the training part,
        from 300 to 8000.
    stream : str, optional
        Which stream of tokens; None for every one.

    Examples
    --------
    >>> from recurra.data import from_text
    >>> data = from_text(["low lower lowest low"])
    >>> pieces = Subwords(262)
    >>> treated = pieces.apply(data, pieces.learn(data)).stream
    >>> [treated.categories["token"][code] for code in treated.values[:2, 0]]
    ['low', 'Ġlower']
    """

    size: int | None = None
    stream: str | None = None

    def __post_init__(self) -> None:
        """Refuse a size that is none."""
        if self.size is not None:
            check_count("size", self.size, 256)

    def learn(self, dataset: SequenceDataset) -> Learned:
        """Learn the pieces of each stream; the keys are ``stream/pieces``."""
        found = {}
        for name, stream in self._streams(dataset).items():
            usual = min(max(stream.rows // LETTERS_A_PIECE, FEWEST), MOST)
            found[f"{name}/pieces"] = learn_pieces(_texts(stream), self.size or usual)
        return found

    def apply(self, dataset: SequenceDataset, learned: Learned) -> SequenceDataset:
        """Part the letters anew."""
        streams = {**dataset.streams}
        for name, stream in self._streams(dataset).items():
            streams[name] = _parted(stream, learned[f"{name}/pieces"])
        return replace(dataset, streams=streams)

    def _streams(self, dataset: SequenceDataset) -> dict[str, Stream]:
        """Choose the streams to be treated."""
        if self.stream is None:
            return {name: each for name, each in dataset.streams.items() if each.kind == "tokens"}
        if self.stream not in dataset.streams:
            message = f"There is no stream {self.stream!r}"
            raise OptionError(f"{message}. {near(self.stream, dataset.streams)}")
        return {self.stream: dataset.streams[self.stream]}


def _parted(stream: Stream, learned: str) -> Stream:
    """Write one stream as pieces."""
    parts = part_into_pieces(_texts(stream), learned)
    places: dict[str, int] = json.loads(learned)["model"]["vocab"]
    codes = np.array([places[piece] for part in parts for piece in part], np.int32)
    offsets = offsets_of([len(part) for part in parts])
    pieces = tuple(sorted(places, key=places.__getitem__))
    categories = {stream.channels[0]: pieces}
    return Stream(codes.reshape(-1, 1), offsets, stream.channels, "tokens", categories=categories)


def _texts(stream: Stream) -> list[str]:
    """Put the letters of each record together."""
    letters = stream.categories.get(stream.channels[0], ())
    for letter in letters:
        if not isinstance(letter, str) or len(letter) != 1:
            raise DataError(
                "Pieces of words are learned from letters, but a token is none",
                code="no_letter",
                value=letter,
                hint="Read the text with from_text(..., unit='char').",
            )
    whole = "".join(str(letters[code]) for code in stream.values[:, 0].tolist())
    return [whole[a:b] for a, b in pairwise(stream.offsets.tolist())]
