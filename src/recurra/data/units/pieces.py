"""Pieces of words, learned by merging what stands together most often."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from recurra.errors import need

__all__ = ["learn_pieces", "part_into_pieces"]

PURPOSE = "unit='subword'"


def learn_pieces(texts: Iterable[str], size: int) -> str:
    """Learn byte-pair encoding (Sennrich et al., arXiv:1508.07909) over the bytes of UTF-8.

    All 256 bytes are pieces, so that no text is unknown. Pieces do not reach across words; a space
    belongs to the word after it.

    Parameters
    ----------
    texts : iterable of str
        The training text.
    size : int
        Pieces there may be, from 256 on.

    Returns
    -------
    str
        What was learned, as JSON of the library tokenizers.

    Raises
    ------
    MissingExtraError
        If tokenizers is not installed.

    Examples
    --------
    >>> learned = learn_pieces(["low lower lowest low"], 262)
    >>> [part_into_pieces([text], learned)[0] for text in ("low", "below")]
    [['low'], ['b', 'e', 'low']]
    """
    library = need("tokenizers", extra="text", purpose=PURPOSE)
    tokenizer = library.Tokenizer(library.models.BPE())
    tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = library.trainers.BpeTrainer(
        vocab_size=size,
        show_progress=False,
        initial_alphabet=sorted(library.pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.train_from_iterator(_lines(texts), trainer)
    told: str = tokenizer.to_str()
    return told


def part_into_pieces(texts: Sequence[str], learned: str) -> list[list[str]]:
    """Part texts into pieces.

    Parameters
    ----------
    texts : sequence of str
        The texts.
    learned : str
        What `learn_pieces` returned.

    Returns
    -------
    list of list of str
        The pieces of each, with one printable sign for each byte.
    """
    return [list(each.tokens) for each in _tokenizer(learned).encode_batch(list(texts))]


def _tokenizer(learned: str) -> Any:
    library = need("tokenizers", extra="text", purpose=PURPOSE)
    return library.Tokenizer.from_str(learned)


def _lines(texts: Iterable[str]) -> Iterable[str]:
    """Hand out lines: pieces do not reach across their ends, and long texts take much memory."""
    for text in texts:
        yield from text.splitlines(keepends=True)
