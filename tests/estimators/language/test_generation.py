"""How tokens are drawn."""

import numpy as np
import pytest

from recurra.errors import OptionError
from recurra.estimators.language.generation import Sampling, hold_back_stops

CHANCES = np.array([0.4, 0.3, 0.2, 0.1])
SCORES = np.log(CHANCES)


def test_temperature_sharpens_and_flattens():
    assert Sampling().probabilities(SCORES) == pytest.approx(CHANCES)
    sharp = Sampling(temperature=0.5).probabilities(SCORES)
    assert sharp == pytest.approx(CHANCES**2 / (CHANCES**2).sum())
    assert Sampling(temperature=1e-12).probabilities(SCORES)[0] == 1
    assert Sampling(temperature=0).probabilities(SCORES).tolist() == [1, 0, 0, 0]


def test_top_k_keeps_so_many():
    assert Sampling(top_k=2).probabilities(SCORES) == pytest.approx([4 / 7, 3 / 7, 0, 0])
    assert Sampling(top_k=99).probabilities(SCORES) == pytest.approx(CHANCES)
    assert Sampling(top_k=1).probabilities(np.zeros(3)).tolist() == [1, 0, 0]


def test_top_p_keeps_the_fewest_that_reach_it():
    kept = {0.3: 1, 0.4: 1, 0.5: 2, 0.69: 2, 0.95: 4, 1.0: 4}
    for share, count in kept.items():
        assert (Sampling(top_p=share).probabilities(SCORES) > 0).sum() == count


def test_a_penalty_makes_what_was_there_less_likely_and_nothing_else():
    options = Sampling(repetition_penalty=2.0)
    scores = np.array([1.0, -1.0, 0.5, -np.inf])
    after = options.probabilities(scores, [0, 1, 0, 3])
    expected = np.exp([0.5, -2.0, 0.5, -np.inf])
    assert after == pytest.approx(expected / expected.sum())
    assert options.probabilities(scores) == pytest.approx(np.exp(scores) / np.exp(scores).sum())


def test_draws_follow_the_chances_and_never_the_impossible():
    random, options = np.random.default_rng(0), Sampling()
    scores = np.append(SCORES, -np.inf)
    drawn = [options.draw(scores, (), random) for _ in range(4000)]
    shares = np.bincount(drawn, minlength=5) / 4000
    assert shares == pytest.approx([*CHANCES, 0], abs=0.03)
    assert shares[4] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -1},
        {"temperature": float("nan")},
        {"temperature": "hot"},
        {"top_k": 0},
        {"top_k": 2.5},
        {"top_p": 0},
        {"top_p": 1.5},
        {"repetition_penalty": 0},
    ],
)
def test_impossible_options_are_refused_by_name(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        Sampling(**wrong)


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_a_text_ends_before_the_first_stop_however_it_comes(size):
    text = "to be or not to be, ororo"
    pieces = [text[k : k + size] for k in range(0, len(text), size)]
    assert "".join(hold_back_stops(iter(pieces), ["not", "or n"])) == "to be "
    assert "".join(hold_back_stops(iter(pieces), ["oroX"])) == text
    assert "".join(hold_back_stops(iter(pieces), [])) == text
    assert list(hold_back_stops(iter(pieces), ["t"])) == []


def test_a_text_is_not_asked_further_once_it_has_ended():
    def pieces():
        yield "a stop"
        raise AssertionError

    assert list(hold_back_stops(pieces(), ["stop"])) == ["a "]
