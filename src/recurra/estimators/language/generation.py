"""How the next token is drawn, one after the other, until enough is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recurra.data.units import Joiner, TextUnit
from recurra.errors import OptionError, check_count

if TYPE_CHECKING:
    from recurra.estimators.language.text_session import TextSession
    from recurra.types import Floats, Integers

__all__ = ["Sampling", "draw_codes", "hold_back_stops", "join_codes", "list_stops"]


@dataclass(frozen=True)
class Sampling:
    r"""How a token is drawn from the distribution of the next one.

    In this order: tokens that were there before lose weight, logits are divided by the temperature,
    the few likeliest are kept.

    Parameters
    ----------
    temperature : float
        Logits are divided by it: below 1 the likely becomes likelier; 0 takes the likeliest.
    top_k : int, optional
        Keep only so many tokens, the likeliest.
    top_p : float, optional
        Keep only the fewest tokens that together have at least this probability (nucleus sampling,
        arXiv:1904.09751).
    repetition_penalty : float
        Logits of tokens that were there before are divided by it where they are positive, and
        multiplied where they are negative (arXiv:1909.05858, equation 2); 1 for no penalty.

    Raises
    ------
    OptionError
        If a value is impossible.

    Examples
    --------
    >>> Sampling(top_k=2).probabilities(np.log([0.5, 0.25, 0.125, 0.125])).round(3)
    array([0.667, 0.333, 0.   , 0.   ])
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if not (_number(self.temperature) and 0 <= self.temperature < np.inf):
            raise OptionError(f"temperature={self.temperature!r}, but it must be 0 or more.")
        check_count("top_k", self.top_k, optional=True)
        if self.top_p is not None and not (_number(self.top_p) and 0 < self.top_p <= 1):
            raise OptionError(f"top_p={self.top_p!r}, but it must be above 0 and at most 1.")
        penalty = self.repetition_penalty
        if not (_number(penalty) and 0 < penalty < np.inf):
            raise OptionError(f"repetition_penalty={penalty!r}, but it must be above 0.")

    def probabilities(self, scores: Floats, before: Sequence[int] = ()) -> Floats:
        """Say with which probability each token is drawn.

        Parameters
        ----------
        scores : ndarray, shape (vocabulary,)
            Logits; minus infinity for what cannot come.
        before : sequence of int
            Codes of the tokens that were there before.

        Returns
        -------
        ndarray of float64, shape (vocabulary,)
            They sum to 1.
        """
        logits = np.array(scores, np.float64)
        if self.repetition_penalty != 1 and len(before):
            seen = np.unique(before)
            there = logits[seen]
            way = np.where(there > 0, 1 / self.repetition_penalty, self.repetition_penalty)
            logits[seen] = np.where(np.isfinite(there), there * way, there)
        if self.temperature == 0:
            return np.eye(len(logits))[int(logits.argmax())]
        logits = (logits - logits.max()) / self.temperature
        order = np.argsort(-logits, kind="stable")
        found = np.exp(logits[order])
        if self.top_k is not None:
            found[self.top_k :] = 0.0
        found /= found.sum()
        if self.top_p is not None:
            found[np.cumsum(found) - found >= self.top_p] = 0.0
            found /= found.sum()
        spread = np.zeros(len(found))
        spread[order] = found
        return spread

    def draw(self, scores: Floats, before: Sequence[int], random: np.random.Generator) -> int:
        """Draw a token.

        Parameters
        ----------
        scores : ndarray, shape (vocabulary,)
            Logits.
        before : sequence of int
            Codes of the tokens that were there before.
        random : numpy.random.Generator
            Source of chance.

        Returns
        -------
        int
            Its code.
        """
        rising: Integers = np.cumsum(self.probabilities(scores, before))
        return int(np.searchsorted(rising, random.random() * rising[-1], side="right"))


def draw_codes(
    session: TextSession,
    n: int,
    options: Sampling,
    before: Sequence[int],
    random: np.random.Generator,
) -> Iterator[int]:
    """Draw tokens until there are enough, or the document ends.

    Parameters
    ----------
    session : TextSession
        Has read what stands before, and reads what is drawn.
    n : int
        The most tokens to draw.
    options : Sampling
        How.
    before : sequence of int
        Codes of the tokens that stand before.
    random : numpy.random.Generator
        Source of chance.

    Yields
    ------
    int
        The code of a token; never the unknown one, nor the end of the document.
    """
    unknown, end, seen = session.unknown, session.end, list(before)
    for _ in range(n):
        scores = session.scores.copy()
        scores[unknown] = -np.inf
        code = options.draw(scores, seen, random)
        if code == end:
            return
        session.step_code(code)
        seen.append(code)
        yield code


def join_codes(
    codes: Iterator[int], before: Integers, unit: TextUnit, vocabulary: Sequence[object]
) -> Iterator[str]:
    """Put a text together while its tokens come.

    Parameters
    ----------
    codes : iterator of int
        Of the tokens that come.
    before : ndarray of int
        Codes of the tokens that stand before, and are not handed out.
    unit : {"char", "byte", "word", "subword"}
        What a token is.
    vocabulary : sequence
        All tokens.

    Yields
    ------
    str
        Pieces of whole letters.
    """
    joiner = Joiner(unit, (vocabulary[code] for code in before))
    for code in codes:
        if piece := joiner.add(vocabulary[code]):
            yield piece
    if rest := joiner.end():
        yield rest


def list_stops(stop: str | Sequence[str] | None) -> list[str]:
    """List what ends a text.

    Parameters
    ----------
    stop : str or sequence of str, optional
        As the user says it.

    Returns
    -------
    list of str
        None of them empty.

    Raises
    ------
    OptionError
        If one is no text, or empty.
    """
    stops = [stop] if isinstance(stop, str) else list(stop or ())
    if not all(isinstance(each, str) and each for each in stops):
        raise OptionError(f"stop={stop!r}, but texts are read, none of them empty.")
    return stops


def hold_back_stops(pieces: Iterator[str], stops: Sequence[str]) -> Iterator[str]:
    """Hand out a text as it comes, up to the first of some words.

    Parameters
    ----------
    pieces : iterator of str
        The text; it is not asked further once it has ended.
    stops : sequence of str
        What ends the text, and is not handed out.

    Yields
    ------
    str
        Pieces that cannot be the beginning of a stop any more.

    Examples
    --------
    >>> list(hold_back_stops(iter(["to b", "e or", " not"]), ["or n"]))
    ['to b', 'e ']
    """
    waiting = ""
    for piece in pieces:
        waiting += piece
        ends = [waiting.index(stop) for stop in stops if stop in waiting]
        if ends:
            if min(ends):
                yield waiting[: min(ends)]
            return
        held = max((_begun(waiting, stop) for stop in stops), default=0)
        if said := waiting[: len(waiting) - held]:
            yield said
        waiting = waiting[len(waiting) - held :]
    if waiting:
        yield waiting


def _begun(text: str, stop: str) -> int:
    """Say how many letters at the end of a text may begin a stop."""
    return max((k for k in range(1, len(stop)) if text.endswith(stop[:k])), default=0)


def _number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
