"""Streams: flat values and offsets, on their own clocks."""

from dataclasses import replace

import numpy as np
import pytest

from recurra.data import Stream
from recurra.data.sequences.stream import flat_rows
from recurra.errors import OptionError

OFFSETS = np.array([0, 3, 3, 4, 6])
VALUES = np.arange(12.0).reshape(6, 2)
STREAM = Stream(VALUES, OFFSETS, ("a", "b"))


def test_a_record_is_a_view():
    assert np.shares_memory(STREAM.at(0).values, VALUES)
    assert STREAM.at(1).values.shape == (0, 2)
    assert STREAM.at(3).times.tolist() == [0, 1]


def test_records_are_taken_in_any_order_and_more_than_once():
    taken = STREAM.take([3, 1, 3, 2])
    assert taken.lengths.tolist() == [2, 0, 2, 1]
    assert taken.values[:, 0].tolist() == [8, 10, 8, 10, 6]


def test_neighbouring_records_are_taken_without_a_copy():
    assert np.shares_memory(STREAM.take([1, 2, 3]).values, VALUES)
    assert not np.shares_memory(STREAM.take([3, 0]).values, VALUES)


def test_no_record_is_a_stream_too():
    assert len(STREAM.take([])) == 0
    assert STREAM.take([]).values.shape == (0, 2)


def test_time_is_measured_from_moments():
    stamps = np.array([10, 11, 13, 50, 7, 8], np.int64) * 10**9
    stream = replace(STREAM, times=stamps, clock="calendar")
    origins = np.array([10, 0, 20, 7]) * 10**9
    assert stream.since(origins).tolist() == [0, 1, 3, 30, 0, 1]
    assert stream.gaps.tolist() == [0, 1, 2, 0, 0, 1]


def test_a_signal_counts_in_seconds():
    stream = replace(STREAM, kind="signal", rate=4.0)
    assert stream.at(0).times.tolist() == [0, 0.25, 0.5]
    assert stream.gaps.tolist() == [0, 0.25, 0.25, 0, 0, 0.25]


def test_joined_streams_agree_on_codes():
    one = Stream(np.array([[0.0], [1.0]]), np.array([0, 2]), ("c",), categories={"c": ("x", "y")})
    two = Stream(
        np.array([[0.0], [np.nan]]),
        np.array([0, 1, 2]),
        ("c",),
        observed=np.array([[True], [False]]),
        categories={"c": ("y",)},
    )
    both = one.join(two)
    assert both.categories == {"c": ("x", "y")}
    assert both.values[:3, 0].tolist() == [0, 1, 1]
    assert both.mask[:, 0].tolist() == [True, True, True, False]


def test_codes_follow_known_labels():
    stream = Stream(
        np.array([[0.0], [1.0]]), np.array([0, 2]), ("c",), categories={"c": ("x", "y")}
    )
    other = stream.recoded({"c": ("y",)})
    assert other.categories == {"c": ("y", "x")}
    assert other.values[:, 0].tolist() == [1, 0]
    assert stream.values[:, 0].tolist() == [0, 1]


def test_records_within_records_are_taken_with_theirs():
    inner = Stream(np.arange(5.0)[:, None], np.array([0, 2, 3, 5]), ("w",))
    outer = Stream(np.zeros((3, 0)), np.array([0, 1, 3]), (), kind="records", inner=inner)
    taken = outer.take([1])
    assert taken.inner is not None
    assert len(taken.inner) == 2
    assert taken.inner.values[:, 0].tolist() == [2, 3, 4]
    joined = taken.join(outer.take([0]))
    assert joined.lengths.tolist() == [2, 1]
    assert joined.inner.values[:, 0].tolist() == [2, 3, 4, 0, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"offsets": np.array([0, 5])}, "values has 6 rows, but offsets end at 5"),
        ({"channels": ("a",)}, "values has 2 channels, but 1 are named"),
        (
            {"observed": np.ones((6, 1), bool)},
            r"observed has shape \(6, 1\), but must have \(6, 2\)",
        ),
        ({"kind": "sound"}, "A stream's kind is one of"),
        ({"clock": "calendar"}, "does not go with times=None"),
        ({"kind": "frames"}, r"\(steps, height, width, colours\) is read"),
        ({"kind": "records"}, "needs an inner stream of 6 records"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, message):
    with pytest.raises(OptionError, match=message):
        replace(STREAM, **change)


def test_a_channel_that_is_not_there_is_answered_with_a_guess():
    with pytest.raises(OptionError, match="There is no channel 'c'"):
        STREAM.channel("c")


@pytest.mark.parametrize(
    ("starts", "lengths", "rows"),
    [([], [], []), ([2, 0], [0, 2], [0, 1]), ([0, 0], [1, 2], [0, 0, 1]), ([1, 2], [1, 0], [1])],
)
def test_rows_of_stretches(starts, lengths, rows):
    found = flat_rows(np.array(starts, np.int64), np.array(lengths, np.int64))
    assert np.arange(9)[found].tolist() == rows
