"""What a language model chooses by itself."""

import numpy as np
import pytest

from recurra.estimators.language.language_defaults import (
    default_hidden_size,
    default_training,
    end_training,
)
from recurra.training import Log


@pytest.mark.parametrize("tokens", [1, 500, 2_000, 50_000, 1_000_000, 10**9])
def test_any_amount_of_text_has_a_training_of_bounded_length(tokens):
    hidden = default_hidden_size(tokens)
    options = default_training(tokens, hidden)
    assert 64 <= hidden <= 512
    assert 1500 <= options.steps <= 20_000
    assert 4 <= options.batch_size <= 32
    assert options.truncation == 100
    assert options.patience * options.check_every < options.steps / 3


def test_more_text_is_not_learned_by_less():
    sizes = [default_hidden_size(tokens) for tokens in (10**k for k in range(2, 9))]
    steps = [default_training(10**k, 512).steps for k in range(2, 9)]
    assert sizes == sorted(sizes)
    assert steps == sorted(steps)


def test_the_end_is_read_as_often_as_the_rest_was():
    options = default_training(950_000, 512)
    held = [np.zeros(50_002, np.int64)]
    end = end_training(options, Log(best_step=2969), 950_000, held)  # ten times through the rest
    assert end.steps * end.batch_size * end.truncation == pytest.approx(10 * 50_001, rel=0.01)
    assert end.learning_rate == options.learning_rate / 2
    small = end_training(options, Log(best_step=1), 950_000, [np.zeros(120, np.int64)])
    assert (small.batch_size, small.steps) == (1, 1)
