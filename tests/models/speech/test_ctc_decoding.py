"""From probabilities of frames to texts: what a path reads, and the search for the best text."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.errors import NotFittedError, OptionError
from recurra.models.language.ngrams import NGrams
from recurra.models.speech.ctc_decoding import Prior, best_path, prefix_beam_search


def drawn(seed: int, frames: int, symbols: int) -> np.ndarray:
    scores = np.random.default_rng(seed).normal(0, 1.5, (frames, symbols + 1))
    return scores - np.log(np.exp(scores).sum(1, keepdims=True))


def read(path: tuple[int, ...]) -> tuple[int, ...]:
    """What a path reads, by the definition: repetitions are one, then blanks go."""
    return tuple(symbol - 1 for symbol, _ in itertools.groupby(path) if symbol)


def every_text(told: np.ndarray) -> dict[tuple[int, ...], float]:
    """Add up all paths."""
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(told.shape[1]), repeat=len(told)):
        chance = math.exp(sum(told[k, symbol] for k, symbol in enumerate(path)))
        found[read(path)] = found.get(read(path), 0.0) + chance
    return found


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), frames=st.integers(0, 5), symbols=st.integers(1, 3))
def test_a_wide_search_adds_up_all_paths_of_every_text(seed, frames, symbols):
    told = drawn(seed, frames, symbols)
    truth = every_text(told)
    found = prefix_beam_search(told, width=1000, least=1e-30)
    assert {each.symbols for each in found} == set(truth)
    for each in found:
        assert math.exp(each.log_probability) == pytest.approx(truth[each.symbols], rel=1e-9)
    assert truth[found[0].symbols] == pytest.approx(max(truth.values()))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), frames=st.integers(0, 9))
def test_the_best_path_reads_the_most_probable_symbol_of_each_frame(seed, frames):
    told = drawn(seed, frames, 2)
    codes, _ = best_path(told)
    assert tuple(codes) == read(tuple(told.argmax(1)))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), cut=st.integers(0, 12))
def test_a_path_read_in_two_pieces_reads_the_same(seed, cut):
    told = drawn(seed, 12, 2)
    first, last = best_path(told[:cut])
    second, _ = best_path(told[cut:], last)
    assert first + second == best_path(told)[0]


def test_the_search_finds_what_the_best_path_misses():
    told = np.log([[0.6, 0.4], [0.6, 0.4]])
    assert best_path(told)[0] == []
    best = prefix_beam_search(told, 4)[0]
    assert best.symbols == (0,)
    assert math.exp(best.log_probability) == pytest.approx(0.64)


def test_a_width_keeps_so_many_and_no_fewer_than_one():
    assert len(prefix_beam_search(drawn(0, 6, 3), width=5)) == 5
    with pytest.raises(OptionError, match="width=0"):
        prefix_beam_search(drawn(0, 2, 2), width=0)


def test_a_model_of_characters_decides_where_sounds_do_not():
    told = np.log([[0.01, 0.5, 0.49], [0.998, 0.001, 0.001], [0.01, 0.5, 0.49]])
    assert prefix_beam_search(told)[0].symbols == (0, 0)
    text = NGrams(2).fit(["ba"] * 9)
    found = prefix_beam_search(told, prior=Prior(text, ("a", "b"), "", 1.0, 0.0))[0]
    assert found.symbols == (1, 0)
    told = text.log_probabilities("")["b"] + text.log_probabilities("b")["a"]
    assert found.prior == pytest.approx(told + text.log_probabilities("ba")[""])


def test_a_model_of_words_is_asked_at_each_space_and_at_the_end():
    symbols = (" ", "a", "b")
    text = NGrams(2, unit="word").fit(["ab b", "ab b ab"])
    prior = Prior(text, symbols, "", weight=1.0, bonus=2.0)
    ab, b = (1, 2), (2,)
    assert prior.of(ab) == 0.0
    first = text.log_probabilities([])["ab"] + 2.0
    assert prior.of((*ab, 0)) == pytest.approx(first)
    second = text.log_probabilities(["ab"])["b"] + 2.0
    assert prior.of_whole((*ab, 0, *b)) == pytest.approx(
        first + second + text.log_probabilities(["ab", "b"])[""]
    )
    assert prior.of_whole((*ab, 0)) == pytest.approx(first + text.log_probabilities(["ab"])[""])
    assert prior.of_whole((1,)) < prior.of_whole(ab)  # a word never heard of


def test_words_as_symbols_are_asked_one_by_one():
    text = NGrams(2, unit="word").fit(["no yes"])
    prior = Prior(text, ("no", "yes"), " ", weight=0.5, bonus=0.0)
    told = text.log_probabilities([])["no"] + text.log_probabilities(["no"])["yes"]
    assert prior.of((0, 1)) == pytest.approx(0.5 * told)


def test_a_model_of_characters_is_refused_where_symbols_are_words():
    with pytest.raises(OptionError, match='unit="word"'):
        Prior(NGrams().fit(["a"]), ("no",), " ")


@pytest.mark.parametrize("unit", ["char", "word"])
def test_what_follows_by_counting_sums_to_one(unit):
    text = NGrams(3, unit=unit).fit(["a b a", "b b", ""])
    for prefix in ([], ["a"], ["a", "b"], ["never", "heard"], ["b", "b", "a"]):
        told = text.log_probabilities(prefix)
        assert sum(map(math.exp, told.values())) == pytest.approx(1.0)
        assert all(value < 0 for value in told.values())


def test_a_text_that_was_counted_is_more_probable_than_another():
    text = NGrams(3).fit(["seven", "six"])
    assert text.log_probabilities("se")["v"] > text.log_probabilities("se")["x"]
    with pytest.raises(NotFittedError, match="fit"):
        NGrams().log_probabilities("")
    with pytest.raises(OptionError, match=r"Write \[text\]"):
        NGrams().fit("seven")
    with pytest.raises(OptionError, match="no texts"):
        NGrams().fit([])
    with pytest.raises(OptionError, match="order=0"):
        NGrams(0)
