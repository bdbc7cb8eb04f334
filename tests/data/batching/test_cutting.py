from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data.batching import head, random_crop, tail
from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.errors import DataError, OptionError
from recurra.testing.sequences import datasets

ONE_CLOCK = st.one_of(
    [datasets(clocks=(c,), max_streams=2) for c in ("step", "number", "calendar")]
)


def clocked(times, offsets, name="v"):
    times = np.array(times, float)
    return Stream(times[:, None], np.array(offsets), (name,), times=times, clock="number")


def with_numbers(data):
    """Number the steps of the main stream in a target."""
    rows = np.arange(float(data.streams["x0"].rows))[:, None]
    answers = Target(rows, "step", (), ("n",), data.streams["x0"].offsets, "x0")
    return data.with_targets(n=answers)


@given(ONE_CLOCK, st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_the_first_and_last_steps_are_kept_with_their_answers(data, steps):
    data = with_numbers(data)
    for cut, part in ((head, slice(None, steps)), (tail, slice(-steps, None))):
        made = cut(data, steps, stream="x0")
        for i in range(len(data)):
            before, after = data.at(i), made.at(i)
            old, new = before.streams["x0"], after.streams["x0"]
            np.testing.assert_array_equal(new.values, old.values[part])
            np.testing.assert_array_equal(new.observed, old.observed[part])
            if data.streams["x0"].clock != "step":
                np.testing.assert_array_equal(new.times, old.times[part])
            np.testing.assert_array_equal(after.targets["n"], before.targets["n"][part])
            if len(old.values) <= steps and "x1" in data.streams:
                assert len(after.streams["x1"].values) == len(before.streams["x1"].values)


@given(ONE_CLOCK, st.integers(1, 5), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_a_random_crop_is_steps_in_a_row_and_its_answers(data, steps, seed):
    data = with_numbers(data)
    made = random_crop(data, steps, np.random.default_rng(seed), stream="x0")
    lengths = data.streams["x0"].lengths
    assert np.array_equal(made.streams["x0"].lengths, np.minimum(lengths, steps))
    for i in range(len(data)):
        numbers = made.at(i).targets["n"][:, 0].astype(int)
        assert (np.diff(numbers) == 1).all()
        np.testing.assert_array_equal(
            made.at(i).streams["x0"].values, data.streams["x0"].values[numbers]
        )


def test_every_place_of_a_crop_comes():
    data = SequenceDataset(("a",), {"x": clocked([0, 1, 2, 3], [0, 4])})
    rng = np.random.default_rng(0)
    firsts = {random_crop(data, 3, rng).stream.values[0, 0] for _ in range(40)}
    assert firsts == {0, 1}


def test_other_streams_keep_what_lies_in_the_time_of_the_part():
    data = SequenceDataset(
        ("a", "b"),
        {
            "x": clocked([1, 2, 3, 4], [0, 4, 4]),
            "e": clocked([0.5, 1.5, 2, 2.5, 9, 7], [0, 5, 6], "w"),
        },
    )
    first = head(data, 2, stream="x").streams["e"]
    assert first.values.ravel().tolist() == [0.5, 1.5, 2, 7]
    last = tail(data, 2, stream="x").streams["e"]
    assert last.values.ravel().tolist() == [2.5, 9, 7]
    assert head(data, 9, stream="x").streams["e"].rows == 6


def test_signals_of_different_rates_are_cut_by_time():
    slow = Stream(np.arange(4.0)[:, None], np.array([0, 4]), ("s",), rate=1.0)
    fast = Stream(np.arange(40.0)[:, None], np.array([0, 40]), ("f",), rate=10.0)
    data = SequenceDataset(("a",), {"slow": slow, "fast": fast})
    assert head(data, 2, stream="slow").streams["fast"].values[:, 0].tolist() == list(range(11))
    assert tail(data, 1, stream="slow").streams["fast"].values[:, 0].tolist() == list(range(21, 40))


def test_clocks_that_cannot_be_compared_are_refused():
    steps = Stream(np.zeros((2, 1)), np.array([0, 2]), ("s",))
    data = SequenceDataset(("a",), {"x": clocked([1, 2], [0, 2]), "s": steps})
    with pytest.raises(DataError, match="'x' has a clock of kind 'number', but 's' of kind 'step'"):
        head(data, 1, stream="x")
    with pytest.raises(DataError, match="of kind 'rate'"):
        head(data.with_streams(x=replace(steps, rate=5.0)), 1, stream="x")


def test_wrong_arguments_are_refused():
    data = SequenceDataset(("a",), {"x": clocked([1], [0, 1]), "y": clocked([1], [0, 1])})
    with pytest.raises(OptionError, match=r"There are several streams: 'x', 'y'\. Say by stream="):
        head(data, 1)
    with pytest.raises(OptionError, match="no stream 'z'"):
        tail(data, 1, stream="z")
    with pytest.raises(OptionError, match="chance comes from numpy"):
        random_crop(data, 1, 0, stream="x")
    for wrong in (0, 1.5, True):
        with pytest.raises(OptionError, match="whole number of 1 or more"):
            head(data, wrong, stream="x")


def test_a_record_whose_labels_are_for_the_whole_is_not_cut():
    transcript = Target(np.array([[0], [1]]), "labels", ("a", "b"), ("y",), np.array([0, 2, 2]))
    data = SequenceDataset(
        ("a", "b"), {"x": clocked([1, 2, 3], [0, 3, 3])}, targets={"y": transcript}
    )
    assert head(data, 3).target.values.ravel().tolist() == [0, 1]
    with pytest.raises(DataError, match="sequence of labels for the whole record") as caught:
        head(data, 2)
    assert (caught.value.code, caught.value.record) == ("labels_cut", "a")
