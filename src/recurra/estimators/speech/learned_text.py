"""A trained language model as what a beam search asks how texts go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recurra.errors import OptionError
from recurra.estimators.language.language_model import LanguageModel
from recurra.models.speech.ctc_decoding import END, TextModel

__all__ = ["LearnedText", "as_text_model"]

DOCUMENT_END = "\0"
MOST_KEPT = 10_000
"""Prefixes whose states are kept; then all are forgotten."""


class LearnedText:
    """Says how a text goes on, by a `LanguageModel` of characters or words.

    The state after each prefix is kept, so that one symbol more is one step more.

    Parameters
    ----------
    model : LanguageModel
        Trained, with ``unit="char"`` or ``"word"``.

    Attributes
    ----------
    unit : {"char", "word"}
        What it counts in.
    """

    def __init__(self, model: LanguageModel) -> None:
        if model.unit not in ("char", "word"):
            message = f"A language model of unit={model.unit!r} does not foretell what is spoken"
            raise OptionError(f"{message}. Use one of 'char' or 'word'.")
        self.unit = model.unit
        self._session = model.stream()
        self._names = [END if each == DOCUMENT_END else each for each in model.vocabulary_]
        self._first = (self._session.state, self._read())
        self._kept: dict[tuple[str, ...], tuple[Any, Mapping[str, float]]] = {}

    def log_probabilities(self, prefix: Sequence[str]) -> Mapping[str, float]:
        """Say how probable each unit is after others.

        Parameters
        ----------
        prefix : sequence of str
            The characters or words so far.

        Returns
        -------
        mapping of str to float
            The logarithm of the probability of each token, and of ``""``, the end.
        """
        return self._after(tuple(prefix))[1]

    def _after(self, prefix: tuple[str, ...]) -> tuple[Any, Mapping[str, float]]:
        """Give the state after a prefix, and what may follow."""
        if not prefix:
            return self._first
        found = self._kept.get(prefix)
        if found is None:
            self._session.state, _ = self._after(prefix[:-1])
            self._session.step(prefix[-1])
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            found = self._kept[prefix] = (self._session.state, self._read())
        return found

    def _read(self) -> Mapping[str, float]:
        shares = np.log(np.maximum(self._session.probabilities, 1e-300))
        named = zip(self._names, shares.tolist(), strict=True)
        return {str(name): share for name, share in named if name is not None}


def as_text_model(given: Any) -> TextModel:
    """Take what can say how a text goes on.

    Parameters
    ----------
    given : LanguageModel, NGrams, or any `TextModel`
        What the user gave.

    Returns
    -------
    TextModel
        With ``unit`` and ``log_probabilities(prefix)``.

    Raises
    ------
    OptionError
        If it is none.
    """
    if isinstance(given, LanguageModel):
        return LearnedText(given)
    if isinstance(given, TextModel):
        return given
    message = f"language_model is a {type(given).__name__}"
    hint = "Give an NGrams, a LanguageModel, or anything with unit and log_probabilities(prefix)."
    raise OptionError(f"{message}, which does not say how texts go on. {hint}")
