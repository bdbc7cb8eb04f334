"""Rolling origins: where the cuts are, and what is said when a series is too short."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from recurra.data.panel.frame import from_frame
from recurra.data.tables.columns import Columns
from recurra.errors import DataError, NotFittedError, OptionError
from recurra.estimators.forecasting.baselines import Drift, Mean, Naive, Naive2, SeasonalNaive
from recurra.estimators.forecasting.rolling import cross_validate, rolling_origin


@pytest.fixture
def ragged():
    """Series 'long' of 12 days and 'short' of 9, which starts and ends later."""
    long = pd.date_range("2024-01-01", periods=12)
    short = pd.date_range("2024-02-01", periods=9)
    return pd.DataFrame(
        {
            "unique_id": ["long"] * 12 + ["short"] * 9,
            "ds": [*long, *short],
            "y": [*np.arange(12.0), *(100 + np.arange(9.0))],
        }
    )


def test_windows_end_with_each_record_and_the_earliest_comes_first(ragged):
    windows = list(rolling_origin(from_frame(ragged), h=2, n_windows=3))
    assert [w.actual.target.tolist() for w in windows] == [
        [6, 7, 103, 104],
        [8, 9, 105, 106],
        [10, 11, 107, 108],
    ]
    assert [w.train.lengths.tolist() for w in windows] == [[6, 3], [8, 5], [10, 7]]


def test_nothing_of_the_actual_part_is_in_the_training_part(ragged):
    for window in rolling_origin(from_frame(ragged), h=3, n_windows=3, step_size=1):
        owners = np.repeat(np.arange(2), window.actual.lengths)
        assert (window.actual.times > window.cutoffs[owners]).all()
        assert (window.train.last_times == window.cutoffs).all()


def test_windows_may_overlap(ragged):
    windows = rolling_origin(from_frame(ragged), h=3, n_windows=2, step_size=1)
    assert [w.actual.record(0).target.tolist() for w in windows] == [[8, 9, 10], [9, 10, 11]]


def test_a_series_too_short_for_all_windows_is_named_with_what_it_needs(ragged):
    with pytest.raises(DataError) as caught:
        rolling_origin(from_frame(ragged), h=4, n_windows=3, min_train_size=2)
    assert str(caught.value) == (
        "The series has 9 rows, but n_windows=3 of h=4, step_size=4, need 14, the 2 to learn from "
        "included; 2 of 2 series are too short (series 'short'). Use n_windows=1, or leave such "
        "series out."
    )
    assert caught.value.code == "too_short"


def test_a_series_too_short_for_one_window_needs_a_smaller_h(ragged):
    with pytest.raises(DataError, match=r"series 'short'\)\. Use a smaller h, or leave"):
        rolling_origin(from_frame(ragged), h=9)


@pytest.mark.parametrize("option", ["h", "n_windows", "step_size", "min_train_size"])
def test_each_option_counts_from_one(ragged, option):
    with pytest.raises(OptionError, match=f"{option} is 0; use 1 or more"):
        rolling_origin(from_frame(ragged), **{"h": 2, option: 0})


def test_cross_validation_puts_forecasts_beside_what_happened(ragged):
    table = Naive().cross_validation(ragged, h=2, n_windows=2)
    assert list(table.columns) == ["unique_id", "ds", "cutoff", "y", "Naive"]
    assert table["unique_id"].tolist() == ["long"] * 4 + ["short"] * 4
    assert table["y"].tolist() == [8, 9, 10, 11, 105, 106, 107, 108]
    assert table["Naive"].tolist() == [7, 7, 9, 9, 104, 104, 106, 106]
    assert table["cutoff"].dt.day.tolist() == [8, 8, 10, 10, 5, 5, 7, 7]
    assert table["ds"].dtype == ragged["ds"].dtype
    assert table["unique_id"].dtype == ragged["unique_id"].dtype


def test_cross_validation_leaves_the_model_as_it_was(ragged):
    model = Naive().fit(ragged)
    model.cross_validation(ragged, h=2, n_windows=2)
    assert len(model.dataset_.times) == len(ragged)


def test_a_missing_stamp_of_a_regular_clock_is_an_unobserved_row(ragged):
    holed = ragged.drop(index=10)
    with pytest.warns(UserWarning, match="1 stamp was missing"):
        table = cross_validate(Naive(), from_frame(holed), h=3)
    assert table["y"].isna().tolist() == [False, True, False] + [False] * 3


def test_stamps_of_an_irregular_clock_are_those_that_came():
    stamps = pd.to_datetime(["2024-01-01 00:00:00", "2024-01-01 07:13:00", "2024-01-02 11:11:11"])
    frame = pd.DataFrame({"unique_id": "a", "ds": stamps, "y": [1.0, 2.0, 3.0]})
    with pytest.warns(UserWarning, match="irregular"):
        table = Naive().cross_validation(frame, h=1)
    assert table["ds"].tolist() == [stamps[2]]


def test_a_model_that_foretells_too_few_rows_is_named(ragged):
    class Lazy:
        def fit(self, df):
            return self

        def predict(self, h, level=None):
            return pd.DataFrame({"unique_id": ["long"], "ds": [0], "Lazy": [0.0]})

    with pytest.raises(DataError, match="Lazy foretold 1 rows of 2 series, but h=2 of each"):
        cross_validate(Lazy(), from_frame(ragged), h=2)


def test_predict_continues_every_series_and_brackets_it(ragged):
    table = SeasonalNaive(7).fit(ragged).predict(h=3, level=[80, 97.5])
    assert list(table.columns) == [
        "unique_id",
        "ds",
        "SeasonalNaive",
        "SeasonalNaive-lo-80",
        "SeasonalNaive-hi-80",
        "SeasonalNaive-lo-97.5",
        "SeasonalNaive-hi-97.5",
    ]
    assert table["ds"].tolist()[:3] == list(pd.date_range("2024-01-13", periods=3))
    assert table["SeasonalNaive"].tolist() == [5, 6, 7, 102, 103, 104]
    # every residual is 7, on the straight line through each series
    half = table["SeasonalNaive-hi-80"] - table["SeasonalNaive"]
    assert half.to_numpy() == pytest.approx(7 * 1.2815516)
    low = table["SeasonalNaive"] - table["SeasonalNaive-lo-97.5"]
    assert low.to_numpy() == pytest.approx(7 * 2.2414027)


@pytest.mark.parametrize("model", [Naive(), SeasonalNaive(3), Drift(), Mean(), Naive2(3)])
def test_polars_in_gives_polars_out(ragged, model):
    ragged = ragged.assign(y=ragged["y"] + 1)
    frame = pl.DataFrame({name: ragged[name].to_numpy() for name in ["ds", "y"]}).with_columns(
        unique_id=pl.Series(ragged["unique_id"].tolist())
    )
    foretold = model.fit(frame).predict(h=2)
    assert isinstance(foretold, pl.DataFrame)
    expected = model.fit(ragged).predict(h=2)
    assert foretold[model.name].to_list() == expected[model.name].tolist()
    assert foretold["unique_id"].dtype == pl.String
    assert foretold["ds"].to_list() == expected["ds"].dt.to_pydatetime().tolist()
    assert isinstance(model.cross_validation(frame, h=2), pl.DataFrame)


def test_columns_may_have_any_names(ragged):
    other = ragged.rename(columns={"unique_id": "shop", "ds": "day", "y": "sales"})
    columns = Columns(id="shop", time="day", target="sales")
    table = Naive().cross_validation(other, h=2, columns=columns)
    assert list(table.columns) == ["shop", "day", "cutoff", "sales", "Naive"]
    assert Naive().fit(other, columns).predict(h=1)["Naive"].tolist() == [11, 108]


def test_predict_before_fit_and_impossible_levels_are_refused(ragged):
    with pytest.raises(NotFittedError, match=r"This Naive is not fitted\. Call fit\(df\) first"):
        Naive().predict(h=1)
    with pytest.raises(OptionError, match=r"level 100 is not between 0 and 100"):
        Naive().fit(ragged).predict(h=1, level=[100])
    with pytest.raises(OptionError, match="h is 0"):
        Naive().fit(ragged).predict(h=0)


def test_a_series_unobserved_up_to_the_cutoff_is_named(ragged):
    ragged.loc[12:18, "y"] = np.nan
    with pytest.raises(DataError, match=r"None of the 7 values up to here is observed.*'short'"):
        Naive().cross_validation(ragged, h=2)
