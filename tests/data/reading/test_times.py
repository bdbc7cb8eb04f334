import numpy as np
import pandas as pd
import pytest
import torch

from recurra.data.reading.arrays import from_arrays
from recurra.errors import DataError, DataWarning

X = [[1.0, 2.0], [3.0]]
DAY = 86400 * 10**9


def times(given):
    return from_arrays(X, times=given, ids=["ann", "bob"]).stream


@pytest.mark.parametrize(
    ("given", "clock", "expected"),
    [
        ([[0, 5], [7]], "number", [0, 5, 7]),
        ([[0.5, 5.0], [7.0]], "number", [0.5, 5, 7]),
        ([torch.tensor([0, 5]), np.array([7])], "number", [0, 5, 7]),
        ([["1970-01-02", "1970-01-03"], ["1970-01-04"]], "calendar", [DAY, 2 * DAY, 3 * DAY]),
        (
            [pd.date_range("1970-01-02", periods=2), pd.DatetimeIndex(["1970-01-04"])],
            "calendar",
            [DAY, 2 * DAY, 3 * DAY],
        ),
        (
            [np.array([1, 2], "M8[D]"), np.array([3 * DAY], "M8[ns]")],
            "calendar",
            [DAY, 2 * DAY, 3 * DAY],
        ),
        ([[1700000000000000001, 1700000000000000002], [0]], "number", None),
    ],
)
def test_times_of_every_kind_are_read_exactly(given, clock, expected):
    stream = times(given)
    assert stream.clock == clock
    assert stream.times.tolist() == (expected or [*given[0], *given[1]])


def test_a_time_zone_is_kept():
    parts = [pd.date_range("2024-01-01", periods=n, tz="Europe/Berlin") for n in (2, 1)]
    assert times(parts).zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ([[0, 5]], "time_count", "1 rows, but there are 2 records"),
        ([[0], [7]], "time_count", "1 stamps for a record of 2 steps .*'ann'"),
        ([[5, 0], [7]], "unsorted_time", "earlier than the one before .*'ann', row 1"),
        ([[0, np.nan], [7]], "null_time", "'ann', row 1"),
        ([np.array(["NaT", "NaT"], "M8[s]"), np.array([7], "M8[s]")], "null_time", "'ann', row 0"),
        ([[0, 5], [np.inf]], "infinite", "'bob', row 0"),
        ([[0, 5], [True]], "no_time", "'bob', row 0"),
        ([[0, 5], ["2024-01-01"]], "no_time", "a str .*'bob', row 0"),
        ([[0, 2**70], [7]], "time_range", "past int64 .*'ann', row 1"),
        ([np.zeros((2, 2)), [7]], "shape", r"shape \(2, 2\)"),
        (3, "time_count", "a int came"),
    ],
)
def test_times_that_cannot_be_are_refused_by_place(given, code, said):
    with pytest.raises(DataError, match=said) as caught:
        times(given)
    assert caught.value.code == code


def test_some_with_a_zone_and_some_without_are_refused():
    mixed = [pd.date_range("2024-01-01", periods=2), pd.date_range("2024", periods=1, tz="UTC")]
    with pytest.raises(DataError, match=r"have no time zone, but this one has .*'bob', row 0"):
        times(mixed)


def test_steps_at_the_same_time_are_counted():
    with pytest.warns(DataWarning, match="1 step has the time of the step before"):
        stream = times([[5, 5], [7]])
    assert stream.gaps.tolist() == [0, 0, 0]
