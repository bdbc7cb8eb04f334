import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from recurra.data.reading.wide import from_wide
from recurra.errors import DataError, DataWarning, OptionError

DAYS = {"day": [1, 2, 3], "a": [None, 2.0, 3.0], "b": [4.0, None, None], "c": [7.0, None, 9.0]}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_a_column_is_a_record_from_its_first_value_to_its_last(make):
    data = from_wide(make(DAYS), records="columns", time="day")
    assert data.ids == ("a", "b", "c")
    assert data.stream.lengths.tolist() == [2, 1, 3]
    assert data.stream.times.tolist() == [2, 3, 1, 1, 2, 3]
    assert data["c"].streams["values"].observed.ravel().tolist() == [True, False, True]


def test_without_times_the_steps_are_counted_from_the_first_row():
    data = from_wide(pd.DataFrame(DAYS).drop(columns="day"), records="columns")
    assert data.stream.lengths.tolist() == [3, 1, 3]
    assert data["a"].streams["values"].observed.ravel().tolist() == [False, True, True]


def test_columns_are_chosen_by_name():
    data = from_wide(pd.DataFrame(DAYS), records="columns", time="day", columns=["c", "a"])
    assert data.ids == ("c", "a")


def test_unsorted_rows_are_sorted_with_a_note():
    with pytest.warns(DataWarning, match="sorted"):
        data = from_wide(pd.DataFrame(DAYS)[::-1], records="columns", time="day")
    assert data["c"].streams["values"].times.tolist() == [1, 2, 3]
    assert data.notes


def test_a_row_is_a_record_and_missing_values_at_its_end_are_padding():
    frame = pd.DataFrame(
        {"who": ["x", "y"], "t0": [1.0, 4.0], "t1": [np.nan, 5.0], "t2": [3.0, np.nan], "k": [0, 1]}
    )
    data = from_wide(frame, records="rows", id="who", target="k")
    assert data.ids == ("x", "y")
    assert data.stream.lengths.tolist() == [3, 2]
    assert data["x"].streams["values"].observed.ravel().tolist() == [True, False, True]
    assert data.target.values.ravel().tolist() == [0, 1]


def test_columns_may_have_times_and_be_called_by_numbers():
    frame = pd.DataFrame([[np.nan, 2.0, 3.0], [1.0, 2.0, np.nan]], columns=[2019, 2020, 2021])
    data = from_wide(frame, records="rows", time=frame.columns)
    assert data.stream.times.tolist() == [2020, 2021, 2019, 2020]
    days = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-05"])
    assert from_wide(frame, records="rows", time=days).stream.clock == "calendar"


def test_channels_stand_side_by_side_for_each_step():
    rows = np.arange(12).reshape(2, 6)
    frame = pd.DataFrame(np.c_[rows, [7, 8]])
    data = from_wide(frame, records="rows", target="6", channels=["x", "y"])
    np.testing.assert_array_equal(data.stream.values.reshape(2, 3, 2), rows.reshape(2, 3, 2))
    assert data.target.classes == (7, 8)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"records": "cells"}, "'columns' or 'rows'"),
        ({"records": "columns", "target": "a"}, "have no column of their own"),
        ({"records": "columns", "time": [1, 2, 3]}, "time is the name of a column"),
        ({"records": "rows", "time": "day"}, "time is an array"),
        ({"records": "rows", "channels": ["x", "y", "z"]}, "4 columns cannot be parted into 3"),
        ({"records": "rows", "columns": []}, "No column is left"),
        ({"records": "columns", "columns": "a"}, r"Use columns=\['a'\]"),
    ],
)
def test_a_wrong_option_is_refused(how, said):
    with pytest.raises(OptionError, match=said):
        from_wide(pd.DataFrame(DAYS), **how)


@pytest.mark.parametrize(
    ("frame", "how", "code", "said"),
    [
        ({**DAYS, "day": [1, 2, 2]}, {"records": "columns"}, "duplicate_time", "Rows 1 and 2"),
        ({**DAYS, "a": ["u", "v", "w"]}, {"records": "columns"}, "text", "series 'a', row 0"),
        ({**DAYS, "b": [1, np.inf, 2]}, {"records": "columns"}, "infinite", "series 'b', row 1"),
        ({**DAYS, "b": [1, 1e31, 2]}, {"records": "columns"}, "overflow_float32", "row 1"),
        ({**DAYS, "day": [1, None, 2]}, {"records": "columns"}, "null_time", "row 1"),
        ({"day": [1], "a": [None]}, {"records": "columns"}, "all_missing", "Nothing was observed"),
        (DAYS, {"records": "columns", "columns": ["d"]}, "missing_column", "no column 'd'"),
    ],
)
def test_a_wrong_table_is_refused_with_its_place(frame, how, code, said):
    with pytest.raises(DataError, match=said) as caught:
        from_wide(pd.DataFrame(frame), time="day", **how)
    assert caught.value.code == code


def test_times_that_do_not_go_with_the_columns_are_refused():
    frame = pd.DataFrame([[1.0, 2.0]])
    with pytest.raises(DataError, match="2 steps, but time has 3"):
        from_wide(frame, records="rows", time=[1, 2, 3])
    with pytest.raises(DataError, match="is not later"):
        from_wide(frame, records="rows", time=[2, 1])
    with pytest.raises(DataError, match="Rows 0 and 1 have the same identifier"):
        from_wide(pd.DataFrame({"k": [1, 1], "t": [1.0, 2.0]}), records="rows", id="k")
