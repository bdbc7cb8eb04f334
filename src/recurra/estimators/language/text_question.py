"""What is asked of a language model, for explanations: why this comes next."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from recurra.data.units import TextUnit
from recurra.data.units.joining import UNKNOWN, piece_bytes
from recurra.errors import DataError, DataWarning, OptionError, near
from recurra.estimators.language.language_data import END, read_documents
from recurra.estimators.language.text_states import most_probable, states_of
from recurra.estimators.learning.explained import untrained
from recurra.explaining import Question, Read
from recurra.models import LanguageNetwork

if TYPE_CHECKING:
    from recurra.types import Integers

__all__ = ["TextQuestion", "ask", "named"]

STREAM, CHANNEL = "text", "token"


def ask(model: Any, X: Any, target: Any) -> TextQuestion:
    """Ask a fitted language model what comes next, or why that.

    Parameters
    ----------
    model : LanguageModel
        The model.
    X : str, or anything `fit` reads that is one document
        What stands before.
    target : str or int, optional
        What comes next: a token, or a text of several; None for the most probable token.

    Returns
    -------
    TextQuestion
        The question.

    Raises
    ------
    DataError
        If there is no text, or the target has a token that was never learned.
    OptionError
        If there are several texts, or the target is no text.
    """
    documents = model._one_to_ask(X, {})
    (whole,) = model._documents_of(documents)
    codes = whole[:-1]  # the end has not come
    vocabulary, unit = model.vocabulary_, model.unit
    if target is None:
        (states,) = states_of(model.network_, [whole])
        goal = most_probable(model.network_, states[-1:], vocabulary)
    else:
        goal = _goal(model, target)
    names = [named(vocabulary[code], unit) for code in codes[1:]]
    raw = documents.stream
    if raw.rows == len(names):  # an unknown one is called what it is
        came = raw.categories[raw.channels[0]]
        pairs = zip(names, raw.values[:, 0].astype(np.int64).tolist(), strict=True)
        names = [str(came[code]) if name == UNKNOWN else name for name, code in pairs]
    asked = _asked([vocabulary[code] for code in goal], unit, target)
    plan = model.network_.plan
    return TextQuestion(model.network_, codes, goal, names, asked, lambda: LanguageNetwork(plan))


class TextQuestion(Question):
    r"""How probable a token is after a text, as log odds; or several, as their log probability.

    .. math:: \log \frac{p(w \mid x)}{1 - p(w \mid x)}, \qquad \sum_i \log p(w_i \mid x, w_{<i})

    The vectors of the tokens are read; where nothing is known of one, zeros stand for it. The sign
    for the beginning of the document stays.

    Parameters
    ----------
    network : LanguageNetwork
        In evaluation mode.
    codes : ndarray of int64, shape (1 + tokens,)
        The beginning of a document, and its tokens.
    goal : sequence of int
        The tokens that may come next.
    names : sequence of str
        What the tokens are called.
    asked : str
        What the number is.
    make : callable
        Makes a network of the same make.
    """

    def __init__(
        self,
        network: LanguageNetwork,
        codes: Integers,
        goal: Sequence[int],
        names: Sequence[str],
        asked: str,
        make: Callable[[], LanguageNetwork],
    ) -> None:
        self.network, self.goal, self.asked = network, [*goal], asked
        self._make, self._codes, self._names = make, codes, tuple(names)
        with torch.no_grad():
            vectors = network.table(torch.tensor([*codes.tolist(), *self.goal[:-1]]))
        self._first, values, self._rest = vectors.split([1, len(names), len(goal) - 1])
        columns = (CHANNEL,) * values.shape[1]
        self.reads = {STREAM: Read(values, torch.zeros_like(values), columns, self._names)}

    def answer(self, values: Mapping[str, Tensor]) -> Tensor:
        """See `Question.answer`."""
        given = values[STREAM]
        first, rest = (each.expand(len(given), -1, -1) for each in (self._first, self._rest))
        said, _ = self.network.read(torch.cat([first, given, rest], 1))
        logits = self.network.foretell(said[:, -len(self.goal) :]).double()
        goal = torch.tensor(self.goal)
        if len(goal) > 1:
            found = logits.log_softmax(-1)
            return found.gather(-1, goal.expand(len(given), -1)[..., None])[..., 0].sum(1)
        (code,) = self.goal
        own = logits[:, 0]
        others = torch.cat([own[:, :code], own[:, code + 1 :]], -1)
        return own[:, code] - torch.logsumexp(others, -1)

    def randomised(self, seed: int) -> TextQuestion:
        """See `Question.randomised`."""
        fresh = untrained(self._make, seed)
        return TextQuestion(fresh, self._codes, self.goal, self._names, self.asked, self._make)


def named(token: object, unit: TextUnit) -> str:
    r"""Write a token for people.

    Parameters
    ----------
    token : str, int or None
        One of a vocabulary.
    unit : {"char", "byte", "word", "subword"}
        What it is.

    Returns
    -------
    str
        The letters; bytes that are no whole letters as ``"<E5>"``; the unknown token as
        ``"\ufffd"``.

    Examples
    --------
    >>> named("Ġthe", "subword"), named(97, "byte"), named(229, "byte"), named("the", "word")
    (' the', 'a', '<E5>', 'the')
    """
    if token is None:
        return UNKNOWN
    if unit in ("char", "word") or token == END:
        return str(token)
    given = bytes([int(token)]) if unit == "byte" else piece_bytes(str(token))  # type: ignore[call-overload]
    try:
        return given.decode()
    except UnicodeDecodeError:
        return "".join(f"<{byte:02X}>" for byte in given)


def _goal(model: Any, target: Any) -> list[int]:
    """Part what may come next into tokens, all of them known."""
    places = {token: code for code, token in enumerate(model.vocabulary_) if token is not None}
    if target in places and not isinstance(target, bool):
        return [places[target]]
    if not isinstance(target, str) or not target:
        raise OptionError(
            f"target={target!r}, but it is what may come next: one of vocabulary_, or a text."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        codes = model._codes_of(target).tolist()
    if not codes:
        raise OptionError(f"target={target!r} has no token of unit={model.unit!r}.")
    odd = [k for k, code in enumerate(codes) if model.vocabulary_[code] is None]
    if odd:
        raw = read_documents(target, model.unit).stream
        token = raw.categories[raw.channels[0]][int(raw.values[odd[0], 0])]
        raise DataError(
            "The target has a token that was never learned, so it has no probability",
            code="unknown_token",
            row=odd[0],
            value=token,
            hint=near(str(token), places),
        )
    return codes


def _asked(tokens: Sequence[object], unit: TextUnit, target: Any) -> str:
    if len(tokens) > 1:
        return f"log probability of {target!r} next"
    if tokens[0] == END:
        return "log odds of the end of the document next"
    return f"log odds of {named(tokens[0], unit)!r} next"
