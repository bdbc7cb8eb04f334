import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.data import Target, from_arrays, from_text
from recurra.data.offsets import offsets_of
from recurra.explaining.exchanging import Piece, donors, exchange

NAN = np.nan
LENGTHS = st.lists(st.integers(0, 6), min_size=1, max_size=8)


@given(LENGTHS, st.integers(0, 100), st.booleans())
def test_at_each_step_every_value_goes_to_exactly_one_record_and_none_keeps_its_own(
    lengths, seed, from_end
):
    offsets = offsets_of(lengths)
    order = np.random.default_rng(seed).permutation(len(lengths))
    source = donors(offsets, order, from_end=from_end)
    for step in range(max(lengths)):
        there = [k for k, length in enumerate(lengths) if length > step]
        if from_end:
            rows = [int(offsets[k + 1]) - 1 - step for k in there]
        else:
            rows = [int(offsets[k]) + step for k in there]
        assert sorted(source[rows].tolist()) == sorted(rows)
        if len(rows) > 1:
            assert all(source[row] != row for row in rows)


def test_a_series_follows_one_other_record_for_as_long_as_that_lasts():
    offsets = np.array([0, 2, 6, 10])
    assert donors(offsets, np.array([0, 1, 2])).tolist() == [2, 3, 6, 7, 8, 9, 0, 1, 4, 5]


def test_missing_values_go_along_and_times_and_other_channels_stay():
    X = [[[NAN, 1.0], [2.0, 2.0]], [[3.0, 3.0], [NAN, 4.0]]]
    data = from_arrays(X, times=[[0.0, 1.0], [5.0, 7.0]])
    found = exchange(data, [Piece("x", 0)], np.random.default_rng(0)).stream
    np.testing.assert_array_equal(
        np.where(found.mask, found.values, NAN), [[3, 1], [NAN, 2], [NAN, 3], [2, 4]]
    )
    np.testing.assert_array_equal(found.clock_times, [0, 1, 5, 7])


def test_a_stretch_from_the_end_is_exchanged_with_ends():
    data = from_arrays([[1.0, 2.0, 3.0], [4.0, 5.0]])
    piece = Piece("x", steps=slice(-1, None))
    found = exchange(data, [piece], np.random.default_rng(0)).stream.values.ravel()
    assert found.tolist() == [1, 2, 5, 4, 3]


def test_channels_of_one_group_come_from_the_same_record():
    values = np.arange(20.0)[:, None, None] * [[1.0, 100.0]]
    pieces = [Piece("x", 0), Piece("x", 1)]
    found = exchange(from_arrays(values), pieces, np.random.default_rng(1)).stream.values
    np.testing.assert_array_equal(found[:, 0] * 100, found[:, 1])
    assert (found[:, 0] != np.arange(20)).all()


def words(data):
    stream = data.stream
    labels = stream.categories[stream.channels[0]]
    parts = np.split(stream.values[:, 0], stream.offsets[1:-1])
    return [[labels[code] for code in part] for part in parts]


def piece_of(data, *tokens):
    stream = data.stream
    labels = stream.categories[stream.channels[0]]
    return Piece(next(iter(data.streams)), codes=tuple(labels.index(each) for each in tokens))


@pytest.mark.parametrize("seed", range(8))
def test_tokens_go_to_the_next_record_and_other_words_stay_in_their_order(seed):
    data = from_text(["a a b c", "c e c b", "d a b d d", "b"], unit="word")
    found = words(exchange(data, [piece_of(data, "a", "e")], np.random.default_rng(seed)))
    before = words(data)
    chosen = {"a", "e"}
    kept = [[each for each in record if each not in chosen] for record in found]
    assert kept == [[each for each in record if each not in chosen] for record in before]
    gone = [sorted(each for each in record if each in chosen) for record in found]
    assert sorted(gone) == [[], ["a"], ["a", "a"], ["e"]]
    assert all(now != then for now, then in zip(gone, [["a", "a"], ["e"], ["a"], []], strict=True))


def test_tokens_come_to_stand_anywhere_among_the_other_words():
    data = from_text(["a b b", "b b"], unit="word")
    places = [
        words(exchange(data, [piece_of(data, "a")], np.random.default_rng(seed)))[1].index("a")
        for seed in range(60)
    ]
    assert {*places} == {0, 1, 2}


def test_a_record_that_has_nothing_else_keeps_its_tokens():
    data = from_text(["a", "b a", "b c"], unit="word")
    found = words(exchange(data, [piece_of(data, "a")], np.random.default_rng(0)))
    assert [sorted(each) for each in found] == [["a"], ["b"], ["a", "b", "c"]]


@pytest.mark.parametrize("seed", range(5))
def test_where_each_step_has_a_target_tokens_change_places_and_lengths_stay(seed):
    data = from_text(["a a b c", "c c b", "d a b d d"], unit="word")
    stream = data.stream
    steps = np.zeros((stream.rows, 1))
    target = Target(steps, "step", offsets=stream.offsets, stream=next(iter(data.streams)))
    data = data.with_targets(y=target)
    found = exchange(data, [piece_of(data, "a")], np.random.default_rng(seed)).stream
    np.testing.assert_array_equal(np.sort(found.values, 0), np.sort(stream.values, 0))
    np.testing.assert_array_equal(found.lengths, stream.lengths)
