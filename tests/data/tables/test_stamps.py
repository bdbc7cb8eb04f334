import datetime

import numpy as np
import pandas as pd
import pytest

from recurra.data.tables.places import Places
from recurra.data.tables.stamps import read_stamps
from recurra.errors import DataError


def read(values):
    column = pd.Series(values)
    return read_stamps(column, "ds", Places(pd.Series(["a"] * (len(column) - 1) + ["b"])))


def fault(values):
    with pytest.raises(DataError) as caught:
        read(values)
    assert caught.value.column == "ds"
    return caught.value


def days(*texts):
    return pd.DatetimeIndex(texts).as_unit("ns").asi8.tolist()


@pytest.mark.parametrize(
    "values",
    [
        np.array([1, 2, 3], np.uint8),
        np.array([1, 2, 3], np.int64),
        np.array([1.0, 2.0, 3.0]),
        pd.array([1, 2, 3], "Int32"),
        pd.Series([1, 2, 3], dtype=object),
    ],
)
def test_integers_are_read_from_every_type_that_holds_them(values):
    stamps = read(values)
    assert stamps.kind == "integer"
    assert stamps.times.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("texts", "same"),
    [
        (["2024-01-31", "2024-02-29"], ["2024-01-31", "2024-02-29"]),
        (["2024-01", "2024-02"], ["2024-01-01", "2024-02-01"]),
        (["2024/1/5", "2024/11/15"], ["2024-01-05", "2024-11-15"]),
        (
            ["2024-01-31 12:30", "2024-01-31T13:00:01.5"],
            ["2024-01-31 12:30", "2024-01-31 13:00:01.5"],
        ),
    ],
)
def test_iso_8601_is_read(texts, same):
    stamps = read(texts)
    assert (stamps.kind, stamps.zone) == ("timestamp", None)
    assert stamps.times.tolist() == days(*same)


def test_dates_are_read_without_wrapping_in_the_early_years():
    assert read(["1700-01-01"]).times.tolist() == days("1700-01-01")
    assert fault(pd.Series(["1600-01-01", "2000-01-01"])).code == "time_range"


@pytest.mark.parametrize(
    "text", ["2024-13-45", "2024-02-30", "soon", "", "2024", "20240105", "24:00"]
)
def test_a_text_that_is_no_date_is_refused_by_row(text):
    error = fault(["2024-01-01", "2024-01-02", text])
    assert (error.code, error.row, error.record, error.value) == ("no_time", 2, "b", text)


@pytest.mark.parametrize("text", ["03/04/2024", "13/01/2024", "1.2.24", "3-4-2024 12:00"])
def test_day_and_month_are_never_guessed(text):
    error = fault(["2024-01-01", text])
    assert (error.code, error.row, error.value) == ("ambiguous_time", 1, text)
    assert "format=" in str(error)


@pytest.mark.parametrize(
    "values",
    [
        ["2024-01-01T00:00Z", "2024-01-01T01:00"],
        [pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024-01-02")],
    ],
)
def test_stamps_with_and_without_a_zone_do_not_mix(values):
    error = fault(pd.Series(values, dtype=object))
    assert (error.code, error.row, error.record) == ("mixed_zones", 1, "b")


def test_different_offsets_go_to_utc_and_equal_ones_are_kept():
    mixed = read(["2024-01-01T00:00+02:00", "2024-01-01T00:00-0130", "2024-01-01T00:00Z"])
    assert (mixed.zone, mixed.offsets_mixed) == ("UTC", True)
    assert mixed.times.tolist() == days("2023-12-31 22:00", "2024-01-01 01:30", "2024-01-01")
    same = read(["2024-01-01T00:00+02", "2024-01-02T00:00+02:00"])
    assert (same.zone, same.offsets_mixed) == ("UTC+02:00", False)


def test_a_time_zone_is_remembered_and_its_double_hour_told_apart():
    index = pd.date_range("2024-10-27 00:00", periods=5, freq="h", tz="Europe/Berlin")
    stamps = read(index)
    assert stamps.zone == "Europe/Berlin"
    assert np.unique(np.diff(stamps.times)).tolist() == [3_600_000_000_000]


def test_a_zone_without_a_name_becomes_utc_or_a_plain_offset():
    zone = datetime.timezone(datetime.timedelta(hours=2))
    assert read(pd.DatetimeIndex(["2024-01-01"], tz=zone)).zone == "UTC+02:00"


@pytest.mark.parametrize(
    "values",
    [
        pd.DatetimeIndex(["2024-01-01", None]),
        ["2024-01-01", None],
        [1.0, np.nan],
        pd.array([1, None], "Int64"),
    ],
)
def test_a_missing_stamp_is_refused_by_row(values):
    error = fault(values)
    assert (error.code, error.row, error.record) == ("null_time", 1, "b")


def test_a_fraction_is_no_integer_stamp():
    error = fault([1.0, 2.5])
    assert (error.code, error.row, error.value) == ("fractional_time", 1, 2.5)
    assert fault([1.0, np.inf]).code == "fractional_time"


def test_unix_seconds_in_float32_are_refused():
    error = fault(np.array([1, 1_700_000_001], np.float32))
    assert (error.code, error.row) == ("inexact_time", 1)
    assert "int64" in str(error)


def test_a_year_past_2200_suggests_the_unit():
    error = fault(pd.to_datetime([0, 1_700_000_000_00], unit="s"))
    assert (error.code, error.row) == ("time_range", 1)
    assert "milliseconds" in str(error)
    assert fault(["2024-01-01", "9999-12-31"]).code == "time_range"


@pytest.mark.parametrize(
    ("values", "row"),
    [
        ([True, False], 0),
        ([1, "2024-01-01"], 1),
        ([pd.Timestamp("2024"), "2024-01-01"], 1),
        (pd.period_range("2024-01", periods=2, freq="M"), 0),
        ([(1,), (2,)], 0),
    ],
)
def test_what_is_no_stamp_is_refused_by_row(values, row):
    error = fault(values)
    assert (error.code, error.row) == ("no_time", row)


def test_an_integer_past_int64_is_refused():
    assert fault(np.array([1, 2**63 + 1], np.uint64)).code == "time_range"
