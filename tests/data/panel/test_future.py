import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

from recurra.data import Columns, from_frame, future_frame
from recurra.errors import DataError, DataWarning

COLUMNS = Columns(past=["sold"], future=["price"], static=["shop"])


def dataset():
    frame = pd.DataFrame({"unique_id": list("aaabb"), "ds": [1, 2, 3, 1, 2], "y": range(5)})
    return from_frame(frame.assign(sold=1, price=2.0, shop=["u"] * 3 + ["v"] * 2), COLUMNS)


def coming(**changes):
    frame = pd.DataFrame({"unique_id": list("bbaa"), "ds": [4, 3, 4, 5]})
    return frame.assign(**{"price": [24.0, 23.0, 14.0, 15.0], **changes})


def fault(frame, h=2, **options):
    with pytest.raises(DataError) as caught:
        future_frame(frame, dataset(), h, **options)
    return caught.value


@pytest.mark.parametrize("make", [lambda frame: frame, pl.from_pandas])
def test_rows_in_any_order_are_matched_to_the_steps_that_follow(make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        future = future_frame(make(coming()), dataset(), 2)
    assert future.times.tolist() == [4, 5, 3, 4]
    assert future.future["price"].tolist() == [14, 15, 23, 24]
    assert not future.observed.any()
    assert future.static["shop"].tolist() == ["u", "v"]


def test_series_can_be_picked():
    future = future_frame(coming().iloc[2:], dataset(), 2, ids=["a"])
    assert (future.ids, future.future["price"].tolist()) == (("a",), [14, 15])


def test_rows_beyond_need_are_ignored_with_a_count_whatever_they_hold():
    frame = coming(price=[24.0, 23.0, 14.0, np.nan])
    with pytest.warns(DataWarning, match="2 future rows lie outside"):
        future = future_frame(frame, dataset(), 1)
    assert future.future["price"].tolist() == [14, 23]


def test_a_column_nobody_reads_is_ignored_with_a_warning():
    with pytest.warns(DataWarning, match="ignored: 'prize'"):
        future_frame(coming(prize=1), dataset(), 2)


def test_a_missing_row_is_named():
    error = fault(coming().iloc[1:])
    assert "lack the row for 4" in str(error)
    assert (error.code, error.record) == ("missing_future", "b")
    assert fault(coming(), h=3).code == "missing_future"


def test_a_missing_column_gets_the_near_name():
    error = fault(coming().rename(columns={"price": "prices"}))
    assert "Did you mean 'prices'?" in str(error)
    assert error.column == "price"


def test_no_table_at_all_is_refused_only_where_one_is_needed():
    assert "'unique_id', 'ds', 'price'" in str(fault(None))
    frame = pd.DataFrame({"unique_id": ["a"] * 2, "ds": [1, 2], "y": [1.0, 2.0]})
    assert future_frame(None, from_frame(frame), 3).times.tolist() == [3, 4, 5]


def test_two_rows_for_one_step_are_refused_with_both():
    error = fault(coming(ds=[4, 4, 4, 5]))
    assert "Rows 0 and 1" in str(error)
    assert (error.code, error.record, error.row) == ("duplicate_time", "b", 1)


def test_a_missing_value_is_refused_by_its_row_in_the_table():
    error = fault(coming(price=[np.nan, 23.0, 14.0, 15.0]))
    assert (error.code, error.record, error.row, error.column) == (
        "missing_covariate",
        "b",
        0,
        "price",
    )


def test_stamps_of_another_kind_are_refused():
    error = fault(coming(ds=pd.date_range("2024", periods=4)))
    assert error.code == "other_clock"
