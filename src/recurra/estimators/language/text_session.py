"""A language model that reads one token at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from recurra.errors import DataError, near
from recurra.models import LanguageNetwork, LanguageState

if TYPE_CHECKING:
    from recurra.types import Floats, Integers

__all__ = ["TextSession"]

PIECE = 1024  # tokens of a prompt that are read at once


class TextSession:
    """What a language model expects next, token by token, in constant time and memory.

    Made by `LanguageModel.stream`; it stands at the beginning of a document.

    Parameters
    ----------
    network : LanguageNetwork
        Trained.
    vocabulary : tuple
        All tokens, the end of a document the last.
    encode : callable
        Gives the codes of a text.

    Attributes
    ----------
    state : tuple
        What is carried from token to token.
    scores : ndarray of float64, shape (vocabulary,)
        Logits of the next token.
    end : int
        The code of the end of a document.
    unknown : list of int
        The code of the unknown token, where there is one.
    """

    def __init__(
        self,
        network: LanguageNetwork,
        vocabulary: tuple[object, ...],
        encode: Callable[[str], Integers],
    ) -> None:
        self._network, self._vocabulary, self._encode = network, vocabulary, encode
        self._places = {token: code for code, token in enumerate(vocabulary)}
        self.end = len(vocabulary) - 1
        self.unknown = [code for code, token in enumerate(vocabulary) if token is None]
        self.state: LanguageState | None = None
        self.scores: Floats = np.zeros(0)
        self.read_codes([self.end])

    @property
    def probabilities(self) -> Floats:
        """Say how probable each token of the vocabulary is as the next one."""
        spread = np.exp(self.scores - self.scores.max())
        found: Floats = spread / spread.sum()
        return found

    def step(self, token: object) -> Floats:
        """Read one token.

        Parameters
        ----------
        token : str or int
            One of the model's ``vocabulary_``; another is read as the unknown token, where the
            vocabulary has one.

        Returns
        -------
        ndarray of float64, shape (vocabulary,)
            How probable each token is as the next one.

        Raises
        ------
        DataError
            ``unknown_token`` if the vocabulary has no unknown token.
        """
        code = self._places.get(token, self._places.get(None))
        if code is None:
            raise DataError(
                "The token is not in the vocabulary, which knows no unknown one",
                code="unknown_token",
                value=token,
                hint=near(str(token), self._vocabulary),
            )
        return self.step_code(code)

    def read(self, text: str) -> Floats:
        """Read a text, parted into tokens as the model parts it.

        Parameters
        ----------
        text : str
            The text; ``""`` changes nothing.

        Returns
        -------
        ndarray of float64, shape (vocabulary,)
            How probable each token is as the next one.
        """
        self.read_codes(self._encode(text) if text else [])
        return self.probabilities

    @torch.no_grad()
    def step_code(self, code: int) -> Floats:
        """Read one token by its code.

        Parameters
        ----------
        code : int
            Its place in the vocabulary.

        Returns
        -------
        ndarray of float64, shape (vocabulary,)
            How probable each token is as the next one.
        """
        scores, self.state = self._network.step(torch.tensor([code]), self.state)
        self.scores = scores[0].double().numpy()
        return self.probabilities

    @torch.no_grad()
    def read_codes(self, codes: Sequence[int] | Integers) -> None:
        """Read many tokens by their codes.

        Parameters
        ----------
        codes : sequence of int
            Their places in the vocabulary.
        """
        for k in range(0, len(codes), PIECE):
            piece: Any = torch.as_tensor(np.asarray(codes[k : k + PIECE], np.int64))
            scores, self.state = self._network(piece[None], self.state)
            self.scores = scores[0, -1].double().numpy()
