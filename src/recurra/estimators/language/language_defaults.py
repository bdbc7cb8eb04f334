"""How large a language model is, and how it is trained, where the user says nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from recurra.training import Log, Training

if TYPE_CHECKING:
    from recurra.types import Integers

__all__ = [
    "TRUNCATION",
    "default_embedding_size",
    "default_hidden_size",
    "default_min_count",
    "default_training",
    "end_training",
]

TRUNCATION = 100
ROUNDS, FEWEST_STEPS, MOST_STEPS = 12, 1500, 20_000
MOST_ROWS, FEWEST_ROWS, ROW_TOKENS = 32, 4, 4000
CHECKS = 30
FEW_WORDS = 10_000
END_RATE = 0.5
"""Of the learning rate, when what was held back is learned."""


def default_hidden_size(tokens: int) -> int:
    """Choose the width of a layer: about half the root of the number of tokens.

    Parameters
    ----------
    tokens : int
        Of the training text.

    Returns
    -------
    int
        A multiple of 32, from 64 to 512.

    Examples
    --------
    >>> default_hidden_size(2_000), default_hidden_size(100_000), default_hidden_size(1_000_000)
    (64, 160, 512)
    """
    return min(max(round(math.sqrt(tokens) / 64) * 32, 64), 512)


def default_embedding_size(vocabulary: int, hidden_size: int) -> int:
    """Choose the width of a token.

    Parameters
    ----------
    vocabulary : int
        Tokens there are.
    hidden_size : int
        Width of a layer.

    Returns
    -------
    int
        128, or 256 where there are more than 512 tokens; at most the width of a layer.

    Examples
    --------
    >>> default_embedding_size(66, 512), default_embedding_size(8000, 512)
    (128, 256)
    """
    return min(128 if vocabulary <= 512 else 256, hidden_size)


def default_min_count(words: int) -> int:
    """Choose how often a word must be there to be known.

    Parameters
    ----------
    words : int
        Of the training text.

    Returns
    -------
    int
        2, so that the unknown word is learned of; 1 where there are less than 10 000 words.
    """
    return 2 if words >= FEW_WORDS else 1


def default_training(tokens: int, hidden_size: int) -> Training:
    """Choose how to train.

    Parameters
    ----------
    tokens : int
        Of the training text.
    hidden_size : int
        Width of a layer.

    Returns
    -------
    Training
        12 times through the text, but at least 1500 steps and at most 20 000; up to 32 rows of 100
        tokens a step; a learning rate that falls as a cosine, from 0.003 for 512 units, and more
        for fewer.

    Examples
    --------
    >>> large, small = default_training(950_000, 512), default_training(2_000, 64)
    >>> large.steps, large.batch_size, small.steps, small.batch_size
    (3562, 32, 1500, 4)
    """
    rows = min(max(tokens // ROW_TOKENS, FEWEST_ROWS), MOST_ROWS)
    steps = min(max(ROUNDS * tokens // (rows * TRUNCATION), FEWEST_STEPS), MOST_STEPS)
    return Training(
        steps=steps,
        batch_size=rows,
        learning_rate=3e-3 * math.sqrt(512 / hidden_size),
        warmup=min(100, steps // 10),
        truncation=TRUNCATION,
        check_every=max(steps // CHECKS, 10),
        patience=6,
    )


def end_training(options: Training, log: Log, tokens: int, held: list[Integers]) -> Training:
    """Choose how the end of a text is learned that was held back until then.

    Parameters
    ----------
    options : Training
        How the rest was learned.
    log : Log
        How that went.
    tokens : int
        Of the rest.
    held : list of ndarray of int64
        The documents of the end.

    Returns
    -------
    Training
        As many times through the end as went through the rest until its best step; half the
        learning rate, which falls as a cosine; rows of at least four stretches, at most half as
        many as the rest had: as many of the rest stand beside them.
    """
    count, stretch = sum(len(each) - 1 for each in held), options.truncation or TRUNCATION
    rounds = log.best_step * options.batch_size * stretch / tokens
    rows = min(max(count // (4 * stretch), 1), max(options.batch_size // 2, 1))
    steps = max(round(rounds * count / (rows * stretch)), 1)
    rate = END_RATE * options.learning_rate
    options = options.without_checks()
    options = replace(options, steps=steps, batch_size=rows, warmup=steps // 10, patience=None)
    return replace(options, learning_rate=rate, schedule="cosine", accumulate=1)
