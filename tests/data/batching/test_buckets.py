import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data.batching import Batches, share_padded
from recurra.data.reading.arrays import from_arrays
from recurra.errors import OptionError

LENGTHS = np.random.default_rng(1).integers(1, 200, 300)


def as_lists(batches):
    return [batch.tolist() for batch in batches]


# Laws --------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=60),
    st.integers(1, 9),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 30, 70]),
    st.integers(0, 3),
)
@settings(max_examples=100, deadline=None)
def test_batches_partition_the_records(lengths, size, by_length, shuffle, max_steps, epoch):
    batches = Batches(lengths, size, by_length=by_length, shuffle=shuffle, max_steps=max_steps)
    order = batches.epoch(epoch)
    assert sorted(np.concatenate(order).tolist()) == list(range(len(lengths)))
    for batch in order:
        assert 1 <= len(batch) <= size
        assert max_steps is None or len(batch) * max(lengths[k] for k in batch) <= max_steps


@given(st.integers(1, 500), st.integers(1, 9), st.booleans(), st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_an_interrupted_iteration_goes_on_where_it_stopped(count, size, by_length, seen):
    def make():
        return Batches(LENGTHS[: count % 300 + 1], size, by_length=by_length, seed=5)

    whole = make()
    straight = as_lists([*whole, *whole, *whole])[seen:]
    begun, taken = make(), 0
    while taken < seen and begun.state()["epoch"] < 3:
        for _ in begun:
            taken += 1
            if taken == seen:
                break
    again = make().restore(json.loads(json.dumps(begun.state())))
    rest = []
    while again.state()["epoch"] < 3:
        rest += as_lists(again)
    assert rest == straight


# The order ---------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_batches_and_epochs_differ():
    one, same, other = Batches(LENGTHS, 8), Batches(LENGTHS, 8), Batches(LENGTHS, 8, seed=1)
    first = as_lists(one)
    assert first == as_lists(same)
    assert first != as_lists(other)
    second = as_lists(one)
    assert first != second
    groups = [{frozenset(batch) for batch in order} for order in (first, second)]
    assert len(groups[0] & groups[1]) < len(groups[0]) / 2


def test_batches_of_short_and_long_records_are_mixed():
    longest = [LENGTHS[batch].max() for batch in Batches(LENGTHS, 8)]
    assert abs(np.corrcoef(longest, np.arange(len(longest)))[0, 1]) < 0.5


def test_without_shuffling_the_order_is_that_of_records_or_lengths():
    plain = Batches([3, 1, 2], 2, by_length=False, shuffle=False)
    assert as_lists(plain) == [[0, 1], [2]] == as_lists(plain)
    assert as_lists(Batches([3, 1, 2], 2, shuffle=False)) == [[1, 2], [0]]


def test_a_last_batch_that_is_not_full_can_be_dropped():
    for options in ({}, {"max_steps": 10**6}, {"by_length": False}):
        batches = Batches(LENGTHS, 64, drop_last=True, **options)
        assert len(batches) == 4
        assert {len(batch) for batch in batches} == {64}
    assert len(Batches(LENGTHS, 64)) == 5 == len(list(Batches(LENGTHS, 64)))


def test_a_data_set_is_read_by_its_lengths():
    data = from_arrays([[1.0] * 5, [1.0], [1.0] * 5, [1.0]])
    assert sorted(sorted(batch.tolist()) for batch in Batches(data, 2)) == [[0, 2], [1, 3]]


# How much is padding -----------------------------------------------------------------------


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "size", "plain"),
    [
        ("cls_japanese_vowels", 22, 0.25),
        ("cls_pickup_gesture_varlen", 4, 0.30),
        ("spk_fsdd_dev", 64, 0.40),
    ],
)
def test_less_than_a_tenth_of_real_batches_is_padding_by_default(real_lengths, name, size, plain):
    lengths = real_lengths(name)
    bucketed, mixed = Batches(lengths), Batches(lengths, by_length=False)
    assert bucketed.batch_size == size
    for epoch in range(5):
        assert share_padded(bucketed, epoch) < 0.1
        assert share_padded(mixed, epoch) > plain


def test_the_share_of_padding_is_counted_in_steps():
    assert share_padded(Batches([1, 3, 2], 3)) == pytest.approx(1 - 6 / 9)
    assert share_padded(Batches([0, 0], 2)) == 0


# Wrong arguments ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lengths", "options", "message"),
    [
        ([1], {"batch_size": 0}, "batch_size=0"),
        ([1], {"max_steps": 0}, "max_steps=0"),
        ([1, 9], {"max_steps": 8}, "place 1 has 9 steps"),
        ([1], {"seed": -1}, "seed=-1"),
        ([1], {"batch_size": 2.5}, "batch_size=2.5"),
        ([1], {"batch_size": True}, "batch_size=True"),
        ([1], {"seed": None}, "seed=None"),
        ([], {}, "no records"),
        ([1.5], {}, "one integer for each record"),
        ([[1]], {}, "one integer for each record"),
        ([3, -2], {}, "place 1 is -2"),
    ],
)
def test_wrong_arguments_are_named(lengths, options, message):
    with pytest.raises(OptionError, match=message):
        Batches(lengths, **options)


def test_a_state_of_other_records_or_options_is_refused():
    state = Batches([1, 2, 3], 2).state()
    for batches, name in ((Batches([1, 2, 4], 2), "checksum"), (Batches([1, 2, 3], 1), "size")):
        with pytest.raises(OptionError, match=name):
            batches.restore(state)
    with pytest.raises(OptionError, match="no state of batches"):
        Batches([1, 2, 3], 2).restore({"epoch": 1})
    with pytest.raises(OptionError, match="no state of batches"):
        Batches([1, 2, 3], 2).restore("epoch 1")
    with pytest.raises(OptionError, match="epoch='x'"):
        Batches([1, 2, 3], 2).restore({**state, "epoch": "x"})
    with pytest.raises(OptionError, match="no batch 3 in epoch 0"):
        Batches([1, 2, 3], 2).restore({**state, "position": 3})
