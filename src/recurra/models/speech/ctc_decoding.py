"""From the probabilities of symbols at each frame to the symbols: best path, prefix beam search."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from recurra.errors import OptionError, check_count
from recurra.types import Array, Integers

__all__ = ["END", "Prior", "Reading", "TextModel", "best_path", "prefix_beam_search"]

END = ""
"""What a text model calls the end of a text."""
NEVER = -math.inf
UNKNOWN = math.log(1e-6)
"""What a symbol gets that a text model gives no probability, or a smaller one."""


@runtime_checkable
class TextModel(Protocol):
    """Anything that says how probable a text goes on: `NGrams`, or a network that learned text."""

    @property
    def unit(self) -> str:
        """What it counts in: ``"char"`` or ``"word"``."""

    def log_probabilities(self, prefix: Sequence[str]) -> Mapping[str, float]:
        """Say how probable each unit is after others.

        Parameters
        ----------
        prefix : sequence of str
            The characters or words so far.

        Returns
        -------
        mapping of str to float
            The logarithms of the probabilities of what may come next, ``""`` for the end.
        """


@dataclass(frozen=True)
class Reading:
    """One way to read a recording.

    Parameters
    ----------
    symbols : tuple of int
        Places among the classes, without blanks.
    log_probability : float
        The logarithm of the probability of all paths that read so.
    prior : float
        What the text model adds.
    """

    symbols: tuple[int, ...]
    log_probability: float
    prior: float = 0.0

    @property
    def score(self) -> float:
        """Both together."""
        return self.log_probability + self.prior


@dataclass
class Prior:
    r"""What a text model thinks of prefixes; each is asked of once.

    .. math:: α \sum_i \log P(w_i \mid w_1 … w_{i-1}) + β \, n

    over the :math:`n` symbols, or whole words where the model counts in words and the symbols are
    characters.

    Parameters
    ----------
    model : TextModel
        The model.
    symbols : sequence of str
        What the codes stand for.
    separator : str
        What stands between two symbols in a text: ``""`` for characters, ``" "`` for words.
    weight : float
        α, how much the model counts.
    bonus : float
        β, what each symbol or word gains, since longer texts are less probable.
    """

    model: TextModel
    symbols: Sequence[str]
    separator: str
    weight: float = 0.5
    bonus: float = 1.0
    _known: dict[tuple[int, ...], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a model of characters where symbols are words."""
        if self.model.unit not in ("char", "word"):
            raise OptionError(f"unit={self.model.unit!r} of the text model is not char or word.")
        if self.model.unit == "char" and self.separator:
            message = "The text model counts in characters, but the symbols are words"
            raise OptionError(f'{message}. Give one with unit="word".')

    def of(self, prefix: tuple[int, ...]) -> float:
        """Say what a prefix is worth that may go on.

        Parameters
        ----------
        prefix : tuple of int
            The symbols so far.

        Returns
        -------
        float
            0 for nothing yet.
        """
        if not prefix:
            return 0.0
        found = self._known.get(prefix)
        if found is None:
            found = self.of(prefix[:-1]) + self._gain(prefix)
            self._known[prefix] = found
        return found

    def of_whole(self, prefix: tuple[int, ...]) -> float:
        """Say what a text is worth that ends here.

        Parameters
        ----------
        prefix : tuple of int
            All of its symbols.

        Returns
        -------
        float
            With its last word, and its end.
        """
        units, rest = self._units(prefix)
        worth = self.of(prefix)
        if rest:
            worth += self._asked(units, rest) + self.bonus
            units = [*units, rest]
        return worth + self._asked(units, END)

    def _gain(self, prefix: tuple[int, ...]) -> float:
        """Say what the last symbol is worth after those before."""
        last = self.symbols[prefix[-1]]
        if not self._spelled:
            before = [self.symbols[code] for code in prefix[:-1]]
            return self._asked(before, last) + self.bonus
        if not last.isspace():
            return 0.0
        units, rest = self._units(prefix[:-1])
        return self._asked(units, rest) + self.bonus if rest else 0.0

    @property
    def _spelled(self) -> bool:
        """Whether words are spelled by several symbols."""
        return self.model.unit == "word" and not self.separator

    def _units(self, prefix: tuple[int, ...]) -> tuple[list[str], str]:
        """Part a prefix into the model's units, and a word that is not ended yet."""
        named = [self.symbols[code] for code in prefix]
        if not self._spelled:
            return named, ""
        text = "".join(named)
        words = text.split()
        if not words or text[-1].isspace():
            return words, ""
        return words[:-1], words[-1]

    def _asked(self, before: Sequence[str], unit: str) -> float:
        found = self.model.log_probabilities(before).get(unit, UNKNOWN)
        return self.weight * max(found, UNKNOWN)


def best_path(log_probabilities: Array, last: int = 0) -> tuple[list[int], int]:
    """Take the most probable symbol of each frame; repetitions are one, blanks go.

    Parameters
    ----------
    log_probabilities : ndarray, shape (frames, 1 + symbols)
        The blank first.
    last : int
        What the frame before had, 0 for a blank: pieces of a recording may be read one by one.

    Returns
    -------
    list of int
        Places among the classes.
    int
        What the last frame had.

    Examples
    --------
    >>> sure = np.log(np.eye(3)[[1, 1, 0, 1, 2]] + 1e-9)
    >>> best_path(sure)
    ([0, 0, 1], 2)
    """
    if not len(log_probabilities):
        return [], last
    path: Integers = np.concatenate([[last], np.asarray(log_probabilities).argmax(1)])
    new = (path[1:] != path[:-1]) & (path[1:] > 0)
    return (path[1:][new] - 1).tolist(), int(path[-1])


def prefix_beam_search(
    log_probabilities: Array,
    width: int = 16,
    prior: Prior | None = None,
    least: float = 1e-5,
) -> list[Reading]:
    r"""Find the texts whose paths have the greatest probability together.

    Each beam is a prefix with two probabilities: of the paths that end with a blank, and of those
    that end with its last symbol [1]_. Where a text model is given, prefixes are ranked with what
    it thinks of them, and at the end texts are.

    Parameters
    ----------
    log_probabilities : ndarray, shape (frames, 1 + symbols)
        The blank first.
    width : int
        How many prefixes are kept after each frame.
    prior : Prior, optional
        A text model, and how much it counts.
    least : float
        Symbols less probable than this at a frame are not tried there.

    Returns
    -------
    list of Reading
        The best first, `width` at most.

    References
    ----------
    .. [1] Hannun, Maas, Jurafsky and Ng, First-pass large vocabulary continuous speech recognition
       using bi-directional recurrent DNNs, 2014, arXiv:1408.2873.

    Examples
    --------
    >>> unsure = np.log([[0.6, 0.4], [0.6, 0.4]])
    >>> best_path(unsure)[0], prefix_beam_search(unsure)[0].symbols
    ([], (0,))
    """
    check_count("width", width)
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, NEVER)}
    for frame in np.asarray(log_probabilities, np.float64):
        beams = _kept(_extended(beams, frame, math.log(least)), width, prior)
    found = [
        Reading(prefix, _added(*ends), prior.of_whole(prefix) if prior else 0.0)
        for prefix, ends in beams.items()
    ]
    return sorted(found, key=lambda each: -each.score)


def _extended(
    beams: dict[tuple[int, ...], tuple[float, float]], frame: Array, least: float
) -> dict[tuple[int, ...], tuple[float, float]]:
    """Read one frame more: each prefix stays, or gains a symbol."""
    tried = (np.flatnonzero(frame[1:] > least)).tolist()
    said = frame.tolist()
    blank: dict[tuple[int, ...], float] = {}
    spoken: dict[tuple[int, ...], float] = {}
    for prefix, (silent, voiced) in beams.items():
        either = _added(silent, voiced)
        blank[prefix] = _added(blank.get(prefix, NEVER), either + said[0])
        last = prefix[-1] if prefix else -1
        if prefix:
            stayed = voiced + said[1 + last]
            spoken[prefix] = _added(spoken.get(prefix, NEVER), stayed)
        for code in tried:
            longer = (*prefix, code)
            gained = (silent if code == last else either) + said[1 + code]
            if gained > NEVER:
                spoken[longer] = _added(spoken.get(longer, NEVER), gained)
    return {
        prefix: (blank.get(prefix, NEVER), spoken.get(prefix, NEVER))
        for prefix in {**blank, **spoken}
    }


def _kept(
    beams: dict[tuple[int, ...], tuple[float, float]], width: int, prior: Prior | None
) -> dict[tuple[int, ...], tuple[float, float]]:
    """Keep the best prefixes."""
    worth = {
        prefix: _added(*ends) + (prior.of(prefix) if prior else 0.0)
        for prefix, ends in beams.items()
    }
    best = sorted(worth, key=worth.__getitem__, reverse=True)[:width]
    return {prefix: beams[prefix] for prefix in best}


def _added(one: float, other: float) -> float:
    """Add probabilities by their logarithms."""
    if one < other:
        one, other = other, one
    return one if other == NEVER else one + math.log1p(math.exp(other - one))
