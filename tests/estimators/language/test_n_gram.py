"""The counting baseline."""

import itertools
import math

import numpy as np
import pytest

from recurra.estimators.language.n_gram import n_gram_costs


def by_hand(training, text, vocabulary, order):
    """The definition, token by token."""
    grams = [
        [tuple(training[t - k : t + 1]) for t in range(k, len(training))] for k in range(order)
    ]

    def chance(context, token):
        if context is None:
            return 1 / vocabulary
        k = len(context)
        after = [gram[-1] for gram in grams[k] if gram[:-1] == context]
        shorter = chance(context[1:] if k else None, token)
        if not after:
            return shorter
        varied = len(set(after))
        return (after.count(token) + varied * shorter) / (len(after) + varied)

    contexts = (tuple(text[max(0, t - order + 1) : t]) for t in range(len(text)))
    return [-math.log(chance(c, token)) for c, token in zip(contexts, text, strict=True)]


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_counts_give_what_the_definition_gives(order):
    random = np.random.default_rng(order)
    training, text = random.integers(0, 4, 60), random.integers(0, 5, 25)
    expected = by_hand(training.tolist(), text.tolist(), 5, order)
    assert n_gram_costs(training, text, 5, order) == pytest.approx(expected)


def test_chances_sum_to_one_after_any_context():
    training = np.array([0, 1, 2, 0, 1, 0, 3, 1, 2])
    for context in itertools.product(range(4), repeat=2):
        costs = [n_gram_costs(training, np.array([*context, w]), 4, 3)[-1] for w in range(4)]
        assert np.exp(-np.array(costs)).sum() == pytest.approx(1)


def test_a_token_never_seen_still_has_a_chance():
    assert np.isfinite(n_gram_costs(np.array([0, 0, 0]), np.array([1, 1]), 2)).all()
