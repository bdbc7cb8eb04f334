import warnings
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from recurra.data.reading.events import from_events
from recurra.data.reading.long import from_long
from recurra.errors import DataError, DataWarning

ROWS = 6


def long(**columns):
    whole = {
        "who": ["a", "a", "a", "b", "b", "b"],
        "day": [1, 2, 3, 1, 2, 3],
        "pulse": [60.0, 61.0, 62.0, 70.0, 71.0, 72.0],
        "y": [0, 0, 0, 1, 1, 1],
    }
    return pd.DataFrame({**whole, **columns})


def cell(name, row, value, kind=object):
    column = long()[name].astype(kind)
    column[row] = value
    return {name: column}


def stamps(row, value):
    days = pd.Series(["2024-01-01", "2024-01-02", "2024-01-03"] * 2, dtype=object)
    days[row] = value
    return {"day": days}


def read(frame, **how):
    return from_long(frame, **{"id": "who", "time": "day", "target": "y", **how})


BAD = {
    "no rows": (long().iloc[:0], "empty", "no rows"),
    "infinite": (long(**cell("pulse", 1, np.inf)), "infinite", "'a', row 1, column 'pulse'"),
    "minus infinite": (long(**cell("pulse", 4, -np.inf)), "infinite", "'b', row 4"),
    "past float32": (long(**cell("pulse", 2, 1e38)), "overflow_float32", "'a', row 2"),
    "far past float32": (long(**cell("pulse", 2, 1e300)), "overflow_float32", "value 1e.300"),
    "too large for any float": (
        long(**cell("pulse", 2, 10**400)),
        "overflow_float32",
        "'a', row 2",
    ),
    "complex": (long(pulse=np.ones(ROWS) * 1j), "text", "there is a complex"),
    "objects": (long(**cell("pulse", 3, [1, 2])), "text", "there is a list.*row 3"),
    "bytes": (long(**cell("pulse", 3, b"1")), "text", "there is a bytes.*row 3"),
    "stamps among numbers": (long(**cell("pulse", 5, pd.Timestamp(0))), "text", "row 5"),
    "text in a column of numbers": (long(**cell("pulse", 1, "abc")), "text", "row 1.*'abc'"),
    "text among numbers as text": (
        long(pulse=["2", "abc", "4", "5", "6", "7"]),
        "text",
        "row 1.*'abc'.*categorical=",
    ),
    "numbers as text": (long(pulse=list("123456")), "text", "written as text.*to_numeric"),
    "a decimal comma": (long(pulse=["3,14", "1", "2", "3", "4", "5"]), "text", "decimal comma"),
    "rows that contradict": (
        long(**cell("day", 1, 1, int)),
        "duplicate_time",
        "Rows 0 and 1.*60.0 and 61.0",
    ),
    "a value and none": (
        long(day=[1, 1, 3] * 2, pulse=[60, np.nan, 62, 70, 70, 72]),
        "duplicate_time",
        "0 and 1",
    ),
    "a missing identifier": (long(**cell("who", 3, None)), "null_id", "row 3, column 'who'"),
    "large float identifiers": (
        long(who=[2.0**53, 2.0**53 + 2] * 3),
        "inexact_id",
        "cannot tell.*as text",
    ),
    "large float32 identifiers": (long(who=np.float32([2**24, 1, 2] * 2)), "inexact_id", "float32"),
    "broken identifiers": (long(who=[1.5, 1, 2] * 2), "inexact_id", "row 0.*1.5"),
    "a missing stamp": (long(**stamps(4, None)), "null_time", "'b', row 4, column 'day'"),
    "not a time": (long(day=pd.to_datetime(["2024-01-01", None] * 3)), "null_time", "row 1"),
    "a missing number as time": (long(day=[1, np.nan, 3] * 2), "null_time", "row 1"),
    "an infinite time": (long(day=[1, np.inf, 3] * 2), "infinite", "row 1"),
    "no such date": (long(**stamps(2, "2024-13-45")), "no_time", "row 2.*2024-13-45"),
    "day or month": (long(**stamps(0, "03/04/2024")), "ambiguous_time", "row 0.*to_datetime"),
    "some with a zone": (long(**stamps(1, "2024-01-02T00:00Z")), "mixed_zones", "row 1"),
    "zones among datetimes": (
        long(day=[datetime(2024, 1, k) for k in (1, 2, 3)] * 2).assign(
            day=lambda f: pd.Series(
                [*f["day"].astype(object)[:5], datetime(2024, 1, 3, tzinfo=UTC)], dtype=object
            )
        ),
        "mixed_zones",
        "row 5",
    ),
    "unix seconds in float32": (
        long(day=np.float32([1700000000, 1700000001, 1700000002] * 2)),
        "inexact_time",
        "float32.*int64 or float64",
    ),
    "milliseconds taken for seconds": (
        long(day=np.array([1700000000000] * ROWS, "M8[s]")),
        "time_range",
        "past the year 2200",
    ),
    "the year one": (
        long(day=np.array(["0001-01-01"] * ROWS, "M8[s]")),
        "time_range",
        "before the year 1678",
    ),
    "the year 9999": (
        long(day=np.array(["9999-01-01"] * ROWS, "M8[s]")),
        "time_range",
        "past the year 2200",
    ),
    "flags as times": (long(day=[True, False] * 3), "no_time", "flag"),
    "a missing column": (long().rename(columns={"day": "dya"}), "missing_column", "mean 'dya'"),
    "two columns of one name": (
        long().set_axis(["who", "day", "y", "y"], axis=1),
        "duplicate_column",
        "'y'",
    ),
    "a target that changes": (
        long(**cell("y", 5, 0, int)),
        "target_changes",
        "after row 3.*row 5.*target_for='step'",
    ),
    "an infinite target": (long(y=[np.inf] * ROWS), "infinite", "column 'y'"),
    "no values at all": (long(pulse=[np.nan] * ROWS), "all_missing", "Nothing was observed"),
    "lists as labels": (long(y=[[0]] * ROWS), "no_name", "a list.*row 0.*'y'"),
    "lists as identifiers": (long(who=[[0]] * ROWS), "no_name", "a list.*row 0.*'who'"),
    "labels of two types": (
        long(y=["u", "u", "u", 1, 1, 1]),
        "mixed_labels",
        "row 3|different types",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_table_gets_one_error_that_says_where(name):
    frame, code, said = BAD[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        with pytest.raises(DataError, match=said) as caught:
            read(frame)
    assert caught.value.code == code
    if "row " in said:
        assert isinstance(caught.value.row, int)


@pytest.mark.parametrize(
    ("extra", "how", "code", "said"),
    [
        ({"age": [1, 1, 2, 3, 3, 3]}, {"static": ["age"]}, "static_changes", "row 0.*row 2"),
        ({"w": [1, 1, 1, -1, -1, -1]}, {"weight": "w"}, "weight", "series 'b'"),
        ({"w": [1, 1, 1, np.nan, np.nan, np.nan]}, {"weight": "w"}, "weight", "series 'b'"),
        ({"w": [0] * ROWS}, {"weight": "w"}, "weight", "All weights are zero"),
        ({"w": ["x"] * ROWS}, {"weight": "w"}, "weight", "there is text"),
        ({"w": [1, 2, 2, 1, 1, 1]}, {"weight": "w"}, "weight_changes", "row 1"),
        ({"g": [1, 2, 2, 1, 1, 1]}, {"group": "g"}, "group_changes", "row 1"),
        ({"g": ["u", None, "u", "v", "v", "v"]}, {"group": "g"}, "null_group", "row 1"),
        ({}, {"group": "ward"}, "missing_column", "no column 'ward'"),
        ({}, {"static": ["aeg"]}, "missing_column", "no column 'aeg'"),
    ],
)
def test_a_wrong_role_gets_one_error_that_says_where(extra, how, code, said):
    with pytest.raises(DataError, match=said) as caught:
        read(long(**extra), **how)
    assert caught.value.code == code


EVENTS_ROWS = [[7, 1, "pulse", 60.0], [7, 2, "temp", 36.5], [8, 1, "pulse", 70.0]]


def event(row, column, value):
    rows = [list(each) for each in EVENTS_ROWS]
    rows[row][column] = value
    return pd.DataFrame(rows, columns=["stay", "minute", "what", "value"])


@pytest.mark.parametrize(
    ("frame", "code", "said"),
    [
        (event(0, 0, None), "null_id", "row 0"),
        (event(1, 1, None), "null_time", "series 7, row 1"),
        (event(1, 2, None), "null_variable", "series 7, row 1"),
        (event(2, 3, np.inf), "infinite", "series 8, row 2, column 'value'"),
        (event(2, 3, 1e300), "overflow_float32", "series 8, row 2"),
        (event(2, 3, "high"), "text", "text among the numbers of 'pulse'.*series 8, row 2"),
        (event(2, 3, [1]), "no_name", "a list.*row 2"),
        (event(2, 0, [1]), "no_name", "a list.*row 2"),
        (event(1, 2, {}), "no_name", "a dict.*row 1"),
        (event(1, 3, 1j), "text", "complex"),
        (event(1, 3, 10**400), "infinite", "series 7, row 1"),
        (event(1, 3, 1).assign(value=pd.Series([None] * 3, dtype=object)), "all_missing", "Noth"),
        (event(1, 1, "05/06/2024"), "no_time", "row 1"),
        (event(0, 3, 1).iloc[:0], "empty", "no rows"),
        (event(0, 3, 1).rename(columns={"what": "which"}), "missing_column", "'which'"),
        (event(0, 3, 1).assign(value=np.nan), "all_missing", "Nothing was observed"),
    ],
)
def test_a_wrong_event_gets_one_error_that_says_where(frame, code, said):
    with pytest.raises(DataError, match=said) as caught:
        from_events(frame, id="stay", time="minute", variable="what", value="value")
    assert caught.value.code == code


def test_a_column_in_the_index_is_found_by_the_hint():
    with pytest.raises(DataError, match=r"It is in the index: use frame\.reset_index"):
        read(long().set_index("who"))


def test_a_lazy_table_and_things_that_are_no_tables_are_refused():
    with pytest.raises(DataError, match="collect"):
        read(pl.from_pandas(long()).lazy())
    with pytest.raises(DataError, match="A list came"):
        read([1, 2])


def test_rows_counted_are_those_of_the_table_as_it_came():
    frame = long(**cell("pulse", 4, np.inf)).set_index(pd.Index([50, 40, 30, 20, 10, 0]))
    with pytest.raises(DataError, match="row 4"):
        read(frame)


def test_one_step_one_channel_and_gaps_of_years_are_read():
    frame = pd.DataFrame(
        {"who": [1, 2, 2, 2], "day": [5, 0, 1, 315_360_000], "x": [1.0, 2.0, 3.0, 4.0]}
    )
    data = from_long(frame, id="who", time="day")
    assert data.stream.lengths.tolist() == [1, 3]
    assert data.stream.gaps.tolist() == [0, 0, 1, 315_359_999]


def test_missing_stamps_are_not_filled_in():
    data = read(long(day=[1, 2, 9, 1, 5, 6]))
    assert data.stream.lengths.tolist() == [3, 3]
    assert data.stream.times.tolist() == [1, 2, 9, 1, 5, 6]


@pytest.mark.parametrize(
    "values",
    [
        np.int8([1, 2, 3, 4, 5, 6]),
        np.uint64([1, 2, 3, 4, 5, 6]),
        np.float16([1, 2, 3, 4, 5, 6]),
        pd.array([1, 2, 3, 4, 5, 6], "Int64"),
        [Decimal(k) for k in range(1, 7)],
        pd.Series([1, 2.0, 3, 4, True, 6], dtype=object),
    ],
)
def test_numbers_of_any_kind_are_read(values):
    read_as = read(long(pulse=values)).stream.values.ravel()
    assert read_as[[0, 3, 5]].tolist() == [1, 4, 6]


def test_large_integers_as_values_are_rounded_with_a_note():
    with pytest.warns(DataWarning, match="past 2"):
        read(long(pulse=[2**53 + 1] * ROWS))


def test_what_came_is_left_as_it_was():
    frame = long(day=[3, 2, 1] * 2, ward=[*"uvwuvw"])
    before = frame.copy(deep=True)
    with pytest.warns(DataWarning):
        data = read(frame)
    pd.testing.assert_frame_equal(frame, before)
    data.stream.values[:] = 0
    pd.testing.assert_frame_equal(frame, before)
