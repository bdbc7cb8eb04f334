"""The state of a language network after each token, and the token that it expects by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from recurra.estimators.learning.record_batches import shortest_first
from recurra.estimators.learning.remembered import in_place

if TYPE_CHECKING:
    from recurra.models import LanguageNetwork
    from recurra.types import Floats, Integers

__all__ = ["most_probable", "states_of"]

LARGEST, MOST_STEPS = 64, 2**15  # of a batch, with padding
AT_ONCE = 1024  # states, each of which has a score for every token


@torch.no_grad()
def states_of(network: LanguageNetwork, text: list[Integers]) -> list[Floats]:
    """Give the states after each token; documents of like length are read together.

    Parameters
    ----------
    network : LanguageNetwork
        In evaluation mode.
    text : list of ndarray of int64, each shape (tokens + 2,)
        The codes of each document, between two ends.

    Returns
    -------
    list of ndarray of float64, each shape (tokens, hidden_size)
        What the last layer says once a token is read.
    """
    lengths = np.array([len(each) - 1 for each in text], np.int64)
    found = []
    for places in shortest_first(lengths, LARGEST, MOST_STEPS):
        codes = pad_sequence([torch.from_numpy(text[k][:-1]) for k in places], batch_first=True)
        said, _ = network.read(network.table(codes), None, torch.from_numpy(lengths[places]))
        pairs = zip(said.double().numpy(), lengths[places], strict=True)
        found.append((places, [each[1:steps] for each, steps in pairs]))
    return in_place(len(text), found)


@torch.no_grad()
def most_probable(network: LanguageNetwork, states: Any, vocabulary: Sequence[object]) -> list[int]:
    """Find the token that most probably comes next; never the unknown one.

    Parameters
    ----------
    network : LanguageNetwork
        In evaluation mode.
    states : array-like, shape (states, hidden_size)
        What its last layer says after a token.
    vocabulary : sequence
        All tokens; None is the unknown one.

    Returns
    -------
    list of int
        A code for each state.
    """
    unknown = torch.tensor([code for code, each in enumerate(vocabulary) if each is None]).long()
    codes: list[int] = []
    for part in torch.as_tensor(states, dtype=torch.float32).split(AT_ONCE):
        scores = network.foretell(part).index_fill(-1, unknown, -torch.inf)
        codes += scores.argmax(-1).tolist()
    return codes
