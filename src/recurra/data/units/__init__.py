"""What a text is made of, and how it is put together again: letters, bytes, words, pieces."""

from recurra.data.units.joining import UNITS, Joiner, TextUnit, join, spaced_words
from recurra.data.units.pieces import learn_pieces, part_into_pieces

__all__ = [
    "UNITS",
    "Joiner",
    "TextUnit",
    "join",
    "learn_pieces",
    "part_into_pieces",
    "spaced_words",
]
