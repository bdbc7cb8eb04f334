"""Perplexity and bits per character."""

import math

import numpy as np
import pytest

from recurra.errors import ShapeError
from recurra.metrics import bits_per_character, perplexity


def test_the_perplexity_of_equal_chances_is_their_number():
    assert perplexity(np.log(np.full(7, 1 / 65))) == pytest.approx(65)


def test_what_is_not_counted_changes_nothing():
    said = np.log([0.5, 0.25])
    assert perplexity([*said, np.nan]) == perplexity(said)
    assert bits_per_character([*said, np.nan], 3) == bits_per_character(said, 3) == 1.0


def test_an_impossible_token_costs_everything():
    assert perplexity([-math.inf, -1.0]) == math.inf
    assert perplexity([-1e6]) == math.inf
    assert bits_per_character([-math.inf], 1) == math.inf


def test_nothing_to_foretell_has_no_score():
    assert math.isnan(perplexity([]))
    assert math.isnan(bits_per_character([np.nan], 1))


def test_losses_and_texts_without_letters_are_refused():
    with pytest.raises(ShapeError, match="natural logarithms of probabilities, not losses"):
        perplexity([2.3])
    with pytest.raises(ShapeError, match="at least 1"):
        bits_per_character([-1.0], 0)
