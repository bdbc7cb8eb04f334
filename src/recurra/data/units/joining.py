"""From tokens back to text, whole or as they come."""

from __future__ import annotations

import codecs
import functools
import re
import unicodedata
from collections.abc import Iterable
from typing import Literal, get_args

from recurra.data.reading.text import HAN, word_pattern

__all__ = ["UNITS", "Joiner", "TextUnit", "join", "piece_bytes", "spaced_words"]

TextUnit = Literal["char", "byte", "word", "subword"]
UNITS: tuple[str, ...] = get_args(TextUnit)

OPENING, CLOSING = frozenset("([{¿¡«“‘„\n"), frozenset(".,;:!?)]}%»”’…\n")
UNKNOWN = "\ufffd"


@functools.cache
def spaced_words() -> re.Pattern[str]:
    r"""Give the expression that parts a text into words, signs and ends of lines.

    A word is one as `recurra.data.reading.text.word_pattern` has it; each ``"\n"`` is a token too.

    Returns
    -------
    re.Pattern
        To be used with ``findall``.

    Examples
    --------
    >>> spaced_words().findall("To be,\nor not")
    ['To', 'be', ',', '\n', 'or', 'not']
    """
    return re.compile(f"\n|{word_pattern().pattern}")


def join(tokens: Iterable[object], unit: TextUnit) -> str:
    r"""Put a text together.

    Letters follow each other. Bytes are UTF-8; what is none becomes ``"\ufffd"``, as does the
    unknown token, None. Between words there is a space, but not at the beginning or the end of a
    line, before a sign that closes (``,``), after one that opens (``(``), or beside a Chinese
    character; the spaces of the text that was read are not known.

    Parameters
    ----------
    tokens : iterable
        Letters, whole numbers from 0 to 255, words, or pieces of words.
    unit : {"char", "byte", "word", "subword"}
        What they are.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> join(["To", "be", ",", "or", "not"], "word"), join([229, 140, 151], "byte")
    ('To be, or not', '北')
    """
    joiner = Joiner(unit)
    return "".join([*(joiner.add(token) for token in tokens), joiner.end()])


class Joiner:
    """Puts a text together while its tokens come; hands out what is text already.

    Parameters
    ----------
    unit : {"char", "byte", "word", "subword"}
        What the tokens are.
    before : iterable, optional
        Tokens that stand before, and are not handed out.

    Examples
    --------
    >>> joiner = Joiner("byte")
    >>> [joiner.add(byte) for byte in (229, 140, 151)]
    ['', '', '北']
    """

    def __init__(self, unit: TextUnit, before: Iterable[object] = ()) -> None:
        self.unit = unit
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._last = ""
        for token in before:
            self.add(token)

    def add(self, token: object) -> str:
        """Take one token.

        Parameters
        ----------
        token : str or int or None
            The token; None is the unknown one.

        Returns
        -------
        str
            What can be said now; nothing while a letter is incomplete.
        """
        if token is None:
            return self.end() + self._spaced(UNKNOWN)
        if self.unit == "byte":
            return self._decoder.decode(bytes([int(token)]))  # type: ignore[call-overload]
        if self.unit == "subword":
            return self._decoder.decode(piece_bytes(str(token)))
        return self._spaced(str(token))

    def end(self) -> str:
        r"""Take no more.

        Returns
        -------
        str
            ``"\ufffd"`` where a letter remained incomplete.
        """
        return self._decoder.decode(b"", final=True)

    def _spaced(self, word: str) -> str:
        """Put a space before a word, where one belongs."""
        if self.unit != "word" or not word:
            return word
        left, self._last = self._last[-1:], word
        close = not left or left in OPENING or word[0] in CLOSING or _is_han(left + word[0])
        return word if close else f" {word}"


def piece_bytes(piece: str) -> bytes:
    """Give the bytes that a piece of a word stands for.

    Parameters
    ----------
    piece : str
        As `recurra.data.units.part_into_pieces` writes it: one printable sign for each byte.

    Returns
    -------
    bytes
        Of UTF-8, not always whole letters.

    Examples
    --------
    >>> piece_bytes("Ġthe")
    b' the'
    """
    signs = _signs()
    return bytes(signs[sign] for sign in piece)


@functools.cache
def _signs() -> dict[str, int]:
    """Say which byte each sign stands for: itself if printable, else one from U+0100 on."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in set(plain)]
    return {chr(byte): byte for byte in plain} | {chr(256 + k): b for k, b in enumerate(others)}


def _is_han(two: str) -> bool:
    """Say whether one of two signs is Chinese, or a mark as wide as such."""
    return bool(re.search(f"[{HAN}]", two)) or any(
        unicodedata.east_asian_width(sign) in "WF" and not sign.isalnum() for sign in two
    )
