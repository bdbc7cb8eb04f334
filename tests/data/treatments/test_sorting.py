from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.data.treatments import Sort
from recurra.errors import DataError, DataWarning, OptionError
from recurra.testing.sequences import datasets

TIMED = datasets(clocks=("number", "calendar"), max_streams=2)


def shuffled(data, seed):
    """Shuffle the steps of each record, and number them in a target."""
    chance = np.random.default_rng(seed)
    streams, targets = {}, {}
    for name, stream in data.streams.items():
        order = np.lexsort((chance.random(stream.rows), stream.owners))
        streams[name] = stream.picked(order, stream.offsets)
        numbers = np.arange(stream.rows, dtype=float)[order][:, None]
        targets[name] = Target(numbers, "step", (), ("n",), stream.offsets, name)
    return replace(data, streams=streams, targets=targets)


@given(TIMED, st.integers(0, 9))
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("ignore::recurra.errors.DataWarning")
def test_shuffled_steps_are_sorted_and_answers_go_along(data, seed):
    mixed = shuffled(data, seed)
    made = Sort().apply(mixed, Sort().learn(mixed))
    for name, stream in data.streams.items():
        now, numbers = made.streams[name], made.targets[name].values[:, 0].astype(int)
        np.testing.assert_array_equal(now.times, stream.times)
        np.testing.assert_array_equal(stream.values[numbers], now.values)
        np.testing.assert_array_equal(stream.mask[numbers], now.mask)


def test_a_shuffled_record_is_sorted_with_a_note():
    times = np.array([3.0, 1.0, 2.0, 0.0])
    stream = Stream(times[:, None], np.array([0, 3, 3, 4]), ("x",), times=times, clock="number")
    data = SequenceDataset(("a", "b", "c"), {"x": stream})
    with pytest.warns(DataWarning, match="1 step of stream 'x' was earlier"):
        made = Sort().apply(data, {})
    assert made.stream.values.ravel().tolist() == [1, 2, 3, 0]
    assert len(made.notes) == 1


def test_steps_of_equal_time_keep_their_order_and_sorted_data_pass_untouched():
    times = np.array([1.0, 1.0, 1.0])
    stream = Stream(np.arange(3.0)[:, None], np.array([0, 3]), ("x",), times=times, clock="number")
    data = SequenceDataset(("a",), {"x": stream})
    assert Sort().apply(data, {}) is data


def test_a_time_that_is_not_known_is_refused_by_place():
    times = np.array([1.0, 2.0, np.nan])
    stream = Stream(np.zeros((3, 1)), np.array([0, 1, 3]), ("x",), times=times, clock="number")
    with pytest.raises(DataError, match=r"NaN or infinite \(.* 'b', row 1\)") as caught:
        Sort().apply(SequenceDataset(("a", "b"), {"x": stream}), {})
    assert caught.value.code == "null_time"


def test_a_stream_without_times_or_of_another_name_is_refused():
    data = SequenceDataset(("a",), {"x": Stream(np.zeros((1, 1)), np.array([0, 1]), ("v",))})
    with pytest.raises(OptionError, match="counts its steps"):
        Sort("x").learn(data)
    with pytest.raises(OptionError, match="There is no stream 'y'"):
        Sort("y").learn(data)
