import datetime
import decimal
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data import Clock, Columns, from_frame
from recurra.errors import DataError, DataWarning, OptionError


def table(ds=(1, 2, 3, 1, 2), y=(1.0, 2.0, 3.0, 4.0, 5.0), ids=("a", "a", "a", "b", "b"), **more):
    return pd.DataFrame({"unique_id": ids, "ds": ds, "y": y, **more})


def fault(frame, columns=None, **options):
    with pytest.raises(DataError) as caught:
        from_frame(frame, columns, **options)
    return caught.value


def quietly(frame, columns=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return from_frame(frame, columns, **options)


def assert_equal(one, two):
    assert one.ids == two.ids
    assert (one.clock, one.columns) == (two.clock, two.columns)
    for name in ("offsets", "times", "target", "observed"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    for role in ("past", "future", "static"):
        assert getattr(one, role).keys() == getattr(two, role).keys()
        for name, values in getattr(one, role).items():
            np.testing.assert_array_equal(values, getattr(two, role)[name])
            assert values.dtype == getattr(two, role)[name].dtype


# What is read ------------------------------------------------------------------------------


def test_a_clean_table_is_read_without_a_word():
    data = quietly(table())
    assert (data.ids, data.lengths.tolist()) == (("a", "b"), [3, 2])
    assert data.target.tolist() == [1, 2, 3, 4, 5]
    assert data.clock == Clock("integer", 1, unit="int64")
    assert data.notes == ()


def test_series_keep_the_order_of_their_first_rows():
    data = quietly(table(ids=("z", "z", "z", "b", "b")))
    assert data.ids == ("z", "b")


@pytest.mark.parametrize("ids", [(7, 7, 7, 9, 9), ("007", "007", "007", "7", "7")])
def test_identifiers_stay_what_they_are(ids):
    assert quietly(table(ids=ids)).ids == (ids[0], ids[3])


def test_a_categorical_identifier_gives_its_values():
    assert quietly(table(ids=pd.Categorical(list("bbbaa")))).ids == ("b", "a")


def test_identifiers_past_2_53_beside_a_missing_one_stay_exact():
    big = 2**53 + 1
    frame = pl.DataFrame({"unique_id": [big, None], "ds": [1, 1], "y": [1.0, 2.0]})
    error = fault(frame)
    assert (error.code, error.row, error.column) == ("null_id", 1, "unique_id")
    assert quietly(frame.drop_nulls()).ids == (big,)


def test_identifiers_that_went_through_floats_are_refused():
    error = fault(table(ids=np.array([1, 1, 1, 2.0**60, 2.0**60])))
    assert (error.code, error.row) == ("inexact_id", 3)


@pytest.mark.parametrize(
    "y",
    [
        np.array([True, False, True, True, False]),
        np.arange(5, dtype=np.int8),
        np.arange(5, dtype=np.uint64),
        np.arange(5, dtype=np.float32),
        pd.array([1, None, 3, 4, 5], "Int64"),
        [decimal.Decimal("1.5"), None, 1, 2.5, 3],
        np.array([1e-310, -0.0, 1e30, -1e30, 0.0]),
    ],
)
def test_every_kind_of_number_is_a_target(y):
    data = quietly(table(y=y))
    assert data.target.dtype == np.float64
    assert data.observed.sum() == pd.Series(y).notna().sum()


def test_a_single_step_is_a_series():
    data = quietly(table(ds=[1], y=[2.0], ids=["a"]))
    assert data.lengths.tolist() == [1]


def test_columns_are_found_by_name_in_any_order_and_others_left_alone():
    frame = table(extra=1)[["extra", "y", "ds", "unique_id"]]
    assert_equal(quietly(frame), quietly(table()))
    renamed = frame.set_axis(["extra", "sales", "day", "shop"], axis=1)
    data = quietly(renamed, Columns(id="shop", time="day", target="sales"))
    assert data.target.tolist() == [1, 2, 3, 4, 5]


# The identifier, the columns ---------------------------------------------------------------


def test_a_table_without_rows_is_refused():
    assert fault(table().iloc[:0]).code == "empty"


def test_a_missing_column_gets_the_near_name():
    error = fault(table().rename(columns={"unique_id": "uniqe_id"}))
    assert "Did you mean 'uniqe_id'?" in str(error)
    assert (error.code, error.column) == ("missing_column", "unique_id")


def test_an_identifier_in_the_index_is_found_there():
    assert "reset_index" in str(fault(table().set_index("unique_id")))


def test_a_missing_covariate_column_is_refused():
    error = fault(table(price=1), Columns(past=["prize"]))
    assert "Did you mean 'price'?" in str(error)


@pytest.mark.parametrize(
    "frame",
    [
        table(z=1).set_axis(["unique_id", "ds", "y", "y"], axis=1),
        pa.table([["a"], [1], [1.0], [2.0]], names=["unique_id", "ds", "y", "y"]),
    ],
)
def test_a_column_name_that_comes_twice_is_refused(frame):
    error = fault(frame)
    assert (error.code, error.column) == ("duplicate_column", "y")


@pytest.mark.parametrize("what", [[1, 2], {"y": [1]}, np.ones(3), None])
def test_what_is_no_table_is_refused(what):
    assert fault(what).code == "not_a_table"


def test_a_lazy_frame_gets_the_advice_to_collect():
    assert "collect" in str(fault(pl.LazyFrame({"y": [1]})))


# The target --------------------------------------------------------------------------------


def test_text_among_numbers_is_blamed_not_the_numbers_written_as_text():
    error = fault(table(y=["2", "4", "abc", "5", "6"]))
    assert (error.code, error.record, error.row, error.column) == ("text", "a", 2, "y")
    assert error.value == "abc"
    assert fault(table(y=[1, "x", 2, 3, 4])).row == 1


def test_numbers_written_as_text_are_not_turned_silently():
    assert "to_numeric" in str(fault(table(y=list("12345"))))


def test_a_decimal_comma_is_recognised():
    assert "decimal=','" in str(fault(table(y=["3,14", "1,0", "2", "3", "4"])))


@pytest.mark.parametrize(
    "y",
    [
        np.arange(5) + 1j,
        [b"1", b"2", b"3", b"4", b"5"],
        pd.date_range("2024", periods=5),
        [[1], [2], [3], [4], [5]],
    ],
)
def test_what_is_no_number_is_no_target(y):
    error = fault(table(y=y))
    assert (error.code, error.row, error.column) == ("text", 0, "y")


@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
def test_an_infinite_target_is_refused_by_row(infinite):
    error = fault(table(y=[1, 2, 3, infinite, 5]))
    assert (error.code, error.record, error.row, error.column) == ("infinite", "b", 3, "y")


def test_a_target_past_single_precision_is_refused():
    error = fault(table(y=[1, 2, 1e300, 4, 5]))
    assert (error.code, error.row, error.value) == ("overflow_float32", 2, 1e300)


def test_integers_past_2_53_are_rounded_with_a_note():
    with pytest.warns(DataWarning, match=r"past 2\*\*53: 2 integers in 'y'"):
        from_frame(table(y=[1, 2, 2**53 + 1, 4, 2**60]))


def test_a_missing_target_is_an_unobserved_step():
    data = quietly(table(y=[1, np.nan, 3, 4, 5]))
    assert data.observed.tolist() == [True, False, True, True, True]


def test_a_series_of_missing_values_alone_is_refused_by_name():
    error = fault(table(y=[1, 2, 3, np.nan, np.nan]))
    assert (error.code, error.record) == ("empty_series", "b")


# Order, repeats and gaps -------------------------------------------------------------------


def test_unsorted_rows_are_sorted_with_a_count():
    with pytest.warns(DataWarning, match="1 row was earlier"):
        data = from_frame(table(ds=(1, 3, 2, 1, 2)))
    assert data.target.tolist() == [1, 3, 2, 4, 5]
    assert len(data.notes) == 1


def test_interleaved_series_are_grouped():
    with pytest.warns(DataWarning, match="interleaved"):
        data = from_frame(table(ids=list("abaab"), ds=(1, 1, 2, 3, 2)))
    assert data.target.tolist() == [1, 3, 4, 2, 5]


def test_a_row_that_comes_twice_is_kept_once():
    with pytest.warns(DataWarning, match="2 rows repeat"):
        data = from_frame(table(ds=(1, 1, 2, 2, 1), y=(1, 1, np.nan, np.nan, 5), ids=list("aaaab")))
    np.testing.assert_array_equal(data.target, [1, np.nan, 5])


@pytest.mark.filterwarnings("ignore::recurra.errors.DataWarning")
def test_two_values_for_one_stamp_are_refused_with_both_rows():
    error = fault(table(ds=(1, 2, 1, 1, 2)))
    assert "Rows 0 and 2" in str(error)
    assert (error.code, error.record, error.row, error.column) == ("duplicate_time", "a", 2, "y")
    error = fault(table(ds=(1, 1, 2, 1, 2), y=1, price=range(5)), Columns(past=["price"]))
    assert error.column == "price"


def test_missing_stamps_become_unobserved_steps_and_carry_covariates_on():
    frame = table(ds=(1, 2, 5, 1, 2), price=[1.0, 2, 5, 1, 2], shop=list("xyzxy"))
    with pytest.warns(DataWarning, match="2 stamps were missing in 1 of 2 series"):
        data = from_frame(frame, Columns(past=["price"], future=["shop"]))
    assert data.times.tolist() == [1, 2, 3, 4, 5, 1, 2]
    np.testing.assert_array_equal(data.target, [1, 2, np.nan, np.nan, 3, 4, 5])
    assert data.past["price"].tolist() == [1, 2, 2, 2, 5, 1, 2]
    assert data.future["shop"].tolist() == list("xyyyzxy")


def test_most_stamps_missing_make_the_clock_irregular():
    frame = table(ds=(1, 2, 3, 1, 1000))
    with pytest.warns(DataWarning, match="missing in series 'b'.*irregular"):
        data = from_frame(frame)
    assert data.clock.step is None
    assert data.times.tolist() == [1, 2, 3, 1, 1000]


def test_a_step_that_is_asked_for_is_kept_up_to_five_million_missing_stamps():
    with pytest.warns(DataWarning, match="998 stamps were missing"):
        data = from_frame(table(ds=(1, 2, 3, 1, 1000)), freq=1)
    assert data.lengths.tolist() == [3, 1000]
    error = fault(table(ds=(1, 2, 3, 1, 10**12)), freq=1)
    assert (error.code, error.record) == ("too_sparse", "b")


def test_stamps_without_a_step_make_the_clock_irregular():
    with pytest.warns(DataWarning, match="no regular step"):
        data = from_frame(table(ds=(0, 2, 5, 1, 12)))
    assert not data.clock.regular


def test_a_frequency_the_stamps_do_not_keep_gets_the_one_they_keep():
    frame = table(ds=pd.date_range("2024-01-01", periods=5, freq="W-MON"))
    error = fault(frame, freq="W-SUN")
    assert (error.code, error.record, error.column) == ("off_grid", "a", "ds")
    assert "look like freq='W-MON'" in str(error)
    assert quietly(frame, freq="W-MON").clock.step == "W-MON"


def test_the_frequency_is_of_the_kind_of_the_stamps():
    with pytest.raises(OptionError, match="stamps are integers, but freq='D'"):
        from_frame(table(), freq="D")
    with pytest.raises(OptionError, match="Give one of them"):
        from_frame(table(), freq=1, clock=Clock("integer", 1))


# Covariates --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, 2, 3, 4, 5], float),
        ([True, False, True, True, False], bool),
        (list("abcde"), object),
        (pd.Categorical([1, 2, 1, 2, 1]), object),
    ],
)
def test_covariates_keep_their_kind(values, dtype):
    assert quietly(table(x=values), Columns(past=["x"])).past["x"].dtype == dtype


def test_categories_differ_by_case_spaces_and_emptiness():
    data = quietly(table(x=["a", "A", " a", "", None]), Columns(future=["x"]))
    assert data.future["x"].tolist() == ["a", "A", " a", "", None]


@pytest.mark.parametrize(("value", "code"), [(np.nan, "missing_covariate"), (np.inf, "infinite")])
def test_a_covariate_that_is_not_finite_is_refused_by_row(value, code):
    error = fault(table(x=[1, 2, 3, 4, value]), Columns(future=["x"]))
    assert (error.code, error.record, error.row, error.column) == (code, "b", 4, "x")


def test_a_static_covariate_that_changes_is_refused_with_both_rows():
    error = fault(table(x=list("uuuvw")), Columns(static=["x"]))
    assert "row 3 has v" in str(error)
    assert (error.code, error.record, error.row) == ("static_changes", "b", 4)


def test_a_static_covariate_is_read_once_for_each_series():
    data = quietly(table(x=[1, 1, 1, 2, 2]), Columns(static=["x"]))
    assert data.static["x"].tolist() == [1, 2]


# One table, three libraries, any order -----------------------------------------------------

RICH = pd.DataFrame(
    {
        "unique_id": ["b", "b", "b", "a", "a"],
        "ds": pd.date_range("2024-03-30", periods=5, freq="D", tz="Europe/Berlin").as_unit("us"),
        "y": [1.0, None, 3.0, 4.0, 5.0],
        "count": [1, 2, 3, 4, 5],
        "open": [True, False, True, True, True],
        "shop": ["x", None, "y", "x", "z"],
        "kind": pd.Categorical(["p", "p", "p", "q", "q"]),
    }
)
ROLES = Columns(past=["count", "open"], future=["shop"], static=["kind"])


@pytest.mark.parametrize(
    "make",
    [pl.from_pandas, pa.Table.from_pandas, lambda f: f.convert_dtypes(dtype_backend="pyarrow")],
)
def test_pandas_polars_and_pyarrow_give_the_same(make):
    assert_equal(quietly(make(RICH), ROLES), quietly(RICH, ROLES))


@pytest.mark.parametrize("kind", ["int", "date", "naive", "text"])
@pytest.mark.parametrize("make", [pl.from_pandas, pa.Table.from_pandas])
def test_every_kind_of_stamp_comes_through_every_library(make, kind):
    day = pd.Series(pd.date_range("2024-01-31", periods=5, freq="ME"))
    stamps = {"int": [1, 2, 3, 1, 2], "date": day.dt.date, "naive": day, "text": day.astype(str)}
    frame = table(ds=stamps[kind])
    assert_equal(quietly(make(frame)), quietly(frame))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_rows_in_any_order_give_the_same_data_set(data):
    lengths = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    steps = st.sets(st.integers(0, 12), min_size=1, max_size=6)
    stamps = [sorted(data.draw(steps)) for _ in lengths]
    ids = [f"s{i}" for i, times in enumerate(stamps) for _ in times]
    times = [time for one in stamps for time in one]
    frame = table(ids=ids, ds=times, y=np.arange(len(ids), dtype=float))
    shuffled = frame.iloc[data.draw(st.permutations(range(len(frame))))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        one, two = from_frame(frame), from_frame(shuffled)
    assert_equal(two.select(one.ids), one)


def test_the_caller_s_table_is_left_as_it_was():
    frame = table(ds=(1, 3, 2, 1, 4), y=(1.0, np.nan, 3, 4, 5))
    before = frame.copy()
    with pytest.warns(DataWarning):
        data = from_frame(frame)
    data.target[:] = 0
    data.times[:] = 0
    pd.testing.assert_frame_equal(frame, before)


def test_dates_of_python_are_dates():
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(n) for n in range(5)]
    data = quietly(table(ds=days))
    assert data.clock == Clock("date", "D", unit="s")
    assert data.clock.to_output(data.times).tolist() == days
