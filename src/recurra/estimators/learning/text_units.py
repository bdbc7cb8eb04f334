"""What a step of a text is, a word or a character: as the user says, or as suits the texts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from recurra.errors import OptionError

__all__ = ["UNITS", "Unit", "Units", "choose_unit"]

Unit = Literal["auto", "word", "char"]
UNITS = ("auto", "word", "char")
FEWEST_WORDS, LONGEST_WORD = 3, 12


@dataclass
class Units:
    """What a step of each stream of texts is: as the user says, or as was chosen and is kept.

    Parameters
    ----------
    said : {"auto", "word", "char"}
        What the user says.
    found : dict of str to {"word", "char"}
        What it came to, by the name of the stream.

    Examples
    --------
    >>> units = Units()
    >>> units.of("text", ["Tolstoy", "Gogol"]), units.of("text", ["now there are several words"])
    ('char', 'char')
    """

    said: Unit = "auto"
    found: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a unit that is none."""
        if self.said not in UNITS:
            raise OptionError(f"unit={self.said!r}, but it is one of {UNITS}.")

    @property
    def open(self) -> bool:
        """Whether a choice is still to be made."""
        return self.said == "auto" and not self.found

    def of(self, name: str, texts: Iterable[object]) -> str:
        """Say what a step is; choose it where that was not done before.

        Parameters
        ----------
        name : str
            The stream.
        texts : iterable of str
            What it holds.

        Returns
        -------
        {"word", "char"}
            The unit.
        """
        if name not in self.found:
            self.found[name] = choose_unit(texts) if self.said == "auto" else self.said
        return self.found[name]


def choose_unit(texts: Iterable[object]) -> Literal["word", "char"]:
    """Choose what a step of texts is.

    Words, where half of the texts or more have three parts or more between white space, and these
    are of twelve letters or less on average; else characters: for names, for codes, and for what is
    written without spaces, as Chinese is.

    Parameters
    ----------
    texts : iterable of str
        The texts.

    Returns
    -------
    {"word", "char"}
        The unit.

    Examples
    --------
    >>> choose_unit(["a fine film", "not so good, I fear"])
    'word'
    >>> choose_unit(["Tolstoy", "van Gogh"]), choose_unit(["这部电影很好看", "不好"])
    ('char', 'char')
    """
    parts = [each.split() for each in texts if isinstance(each, str) and not each.isspace()]
    counts = np.array([len(each) for each in parts if each])
    if not counts.size or np.median(counts) < FEWEST_WORDS:
        return "char"
    letters = sum(len(word) for each in parts for word in each)
    return "word" if letters <= LONGEST_WORD * counts.sum() else "char"
