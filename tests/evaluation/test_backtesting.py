"""Backtests: models and baselines meet on the same rows, whatever frame they come in."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

from recurra.data.panel.frame import from_frame
from recurra.data.tables.columns import Columns
from recurra.errors import DataError, OptionError
from recurra.estimators.forecasting.baselines import Baseline, Naive, Naive2, SeasonalNaive
from recurra.estimators.forecasting.rolling import rolling_origin
from recurra.evaluation import backtest, scoring

BASELINES = {"Naive", "SeasonalNaive", "Drift", "Mean"}


@pytest.fixture
def shops():
    """Two shops with a weekly rhythm, of different lengths and starts."""
    rng = np.random.default_rng(0)
    week = np.array([20.0, 22, 21, 23, 25, 40, 38])
    parts = []
    for name, days, start in (("a", 84, "2024-01-01"), ("b", 63, "2024-02-05")):
        ds = pd.date_range(start, periods=days)
        y = week[np.arange(days) % 7] + rng.normal(size=days)
        parts.append(pd.DataFrame({"unique_id": name, "ds": ds, "y": y}))
    return pd.concat(parts, ignore_index=True)


class Oracle:
    """Foretells the truth plus one, in the shape of a forecaster's `cross_validation`."""

    def __init__(self, name="Oracle", spoil=lambda frame: frame):
        self.name, self.spoil = name, spoil

    def cross_validation(self, df, h, n_windows=1, step_size=None, level=None):
        frame = Naive().cross_validation(df, h, n_windows, step_size).drop(columns="Naive")
        frame[self.name] = frame["y"] + 1
        for one in level or ():
            frame[f"{self.name}-lo-{one}"] = frame[self.name] - 2
            frame[f"{self.name}-hi-{one}"] = frame[self.name] + 2
        return self.spoil(frame)


def test_the_best_model_comes_first_and_every_baseline_is_there(shops):
    table = backtest([Oracle()], shops, h=7, n_windows=3).table
    assert set(table.index) == {"Oracle"} | BASELINES
    assert table.index[:2].tolist() == ["Oracle", "SeasonalNaive"]
    assert table["baseline"].tolist() == [False, True, True, True, True]
    assert table["MASE"].is_monotonic_increasing
    assert table.loc["Oracle", "RMSE"] == pytest.approx(1)


def test_baselines_stand_alone_when_no_model_is_given(shops):
    assert set(backtest([], shops, h=7).table.index) == BASELINES


def test_a_baseline_given_as_a_model_is_not_there_twice(shops):
    table = backtest([Naive(), SeasonalNaive(14), Naive2(7)], shops, h=7).table
    assert sorted(table.index) == sorted(BASELINES | {"Naive2"})
    assert table["baseline"].all()


def test_baselines_in_the_table_are_those_of_their_own_cross_validation(shops):
    result = backtest([Oracle()], shops, h=7, n_windows=2, step_size=3, level=[80])
    alone = SeasonalNaive(7).cross_validation(shops, h=7, n_windows=2, step_size=3, level=[80])
    for name in ("SeasonalNaive", "SeasonalNaive-lo-80", "SeasonalNaive-hi-80"):
        assert result.frame[name].tolist() == pytest.approx(alone[name].tolist())


def test_scores_are_means_over_windows_and_mase_is_scaled_by_each_past(shops):
    result = backtest([], shops, h=7, n_windows=2, season_length=7)
    expected = []
    for window in rolling_origin(from_frame(shops), h=7, n_windows=2):
        for i in range(2):
            past, actual = window.train.record(i).target, window.actual.record(i).target
            scale = np.abs(past[7:] - past[:-7]).mean()
            expected.append(np.abs(actual - past[-7:]).mean() / scale)
    assert result.table.loc["SeasonalNaive", "MASE"] == pytest.approx(np.mean(expected))
    assert len(result.scores) == 4 * 4


def test_levels_add_interval_scores(shops):
    table = backtest([Oracle()], shops, h=7, n_windows=2, level=[80, 95]).table
    assert list(table.columns) == [
        *("baseline", "sMAPE", "MASE", "RMSE", "pinball", "CRPS", "coverage-80", "coverage-95"),
    ]
    assert table.loc["Oracle", "coverage-80"] == 1
    assert table.notna().all(axis=None)


def test_the_season_is_the_clocks_own_or_the_one_given(shops):
    assert backtest([], shops, h=7).season_length == 7
    assert backtest([], shops, h=7, season_length=14).season_length == 14
    without = backtest([], shops, h=7, season_length=1)
    assert "SeasonalNaive" not in without.table.index


def test_a_season_of_integer_stamps_is_found_before_the_first_cutoff(shops):
    counted = shops.assign(ds=shops.groupby("unique_id").cumcount())
    assert backtest([], counted, h=7).season_length == 7
    late = counted.copy()  # a rhythm that only comes with the rows to be foretold
    late["y"] = np.random.default_rng(1).normal(size=len(late))
    late.loc[(late["ds"] >= 40) & (late["unique_id"] == "b"), "y"] += 50 * (late["ds"] % 2)
    assert backtest([], late, h=23, n_windows=1).season_length == 1


@pytest.mark.parametrize("name", ["Oracle", "Drift"])
def test_two_models_of_one_name_are_refused(shops, name):
    models = [Oracle(name), Oracle(name)]
    with pytest.raises(OptionError, match=f"Two models are called '{name}'"):
        backtest(models, shops, h=7)


def test_a_model_that_skips_an_observed_row_is_refused(shops):
    with pytest.raises(DataError, match=r"Oracle has no forecast of .*, as of 1 of 14 rows.*'a'"):
        backtest([Oracle(spoil=lambda frame: frame.drop(index=3))], shops, h=7)


def test_a_model_that_foretells_nan_is_refused(shops):
    def spoil(frame):
        frame.loc[8, "Oracle"] = np.nan
        return frame

    with pytest.raises(DataError, match="A forecast is missing where y is observed") as caught:
        backtest([Oracle(spoil=spoil)], shops, h=7)
    assert (caught.value.record, caught.value.row, caught.value.column) == ("b", 8, "Oracle")


def test_a_series_too_short_is_refused_before_any_model_is_asked(shops):
    class Expensive(Oracle):
        def cross_validation(self, *args, **kwargs):
            raise AssertionError("trained in vain")

    with pytest.raises(DataError, match=r"has 63 rows.*need 71.*'b'"):
        backtest([Expensive()], shops, h=7, n_windows=10)


def test_rows_nobody_observed_may_be_skipped_and_are_not_scored(shops):
    holed = shops.drop(index=[82])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        skipping = Oracle(spoil=lambda frame: frame.dropna(subset="y"))
        result = backtest([skipping], holed, h=7, n_windows=2)
    assert result.table.loc["Oracle", "RMSE"] == pytest.approx(1)
    assert result.frame["Oracle"].isna().sum() == 1
    assert result.frame["Naive"].notna().all()


def test_polars_gives_the_same_table(shops):
    frame = pl.DataFrame(
        {
            "unique_id": shops["unique_id"].tolist(),
            "ds": shops["ds"].dt.to_pydatetime().tolist(),
            "y": shops["y"].to_numpy(),
        }
    )
    ours = backtest([SeasonalNaive(14)], frame, h=7, n_windows=2, level=[80]).table
    theirs = backtest([SeasonalNaive(14)], shops, h=7, n_windows=2, level=[80]).table
    pd.testing.assert_frame_equal(ours, theirs)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin"])
def test_time_zones_and_dates_change_nothing(shops, zone):
    expected = backtest([Naive2(7)], shops, h=7, n_windows=3).table
    zoned = shops.assign(ds=shops["ds"].dt.tz_localize(zone))
    pd.testing.assert_frame_equal(backtest([Naive2(7)], zoned, h=7, n_windows=3).table, expected)
    dated = shops.assign(ds=shops["ds"].dt.date)
    pd.testing.assert_frame_equal(backtest([Naive2(7)], dated, h=7, n_windows=3).table, expected)


def test_columns_may_have_any_names(shops):
    other = shops.rename(columns={"unique_id": "shop", "ds": "day", "y": "sales"})
    columns = Columns(id="shop", time="day", target="sales")
    result = backtest([Naive2(7)], other, h=7, columns=columns)
    assert {"shop", "day", "cutoff", "sales", "Naive2"} <= set(result.frame.columns)
    assert result.table.loc["SeasonalNaive"].equals(
        backtest([], shops, h=7).table.loc["SeasonalNaive"]
    )


def test_no_forecast_looks_past_its_cutoff(shops):
    """The future does not touch the past: what comes after the last cutoff may be anything."""
    before = backtest([], shops, h=7, n_windows=2, level=[80])
    spoilt = shops.copy()
    last = spoilt.groupby("unique_id")["ds"].transform("max") - pd.Timedelta(days=7)
    spoilt.loc[spoilt["ds"] > last, "y"] = 1e6
    after = backtest([], spoilt, h=7, n_windows=2, level=[80])
    names = [name for name in before.frame if name.startswith(tuple(BASELINES))]
    pd.testing.assert_frame_equal(after.frame[names], before.frame[names])


def test_every_baseline_of_the_library_is_marked_as_one():
    assert {kind.__name__ for kind in Baseline.__subclasses__()} == scoring.BASELINES
    assert BASELINES | {"Naive2", "Theta", "DampedTrend"} == scoring.BASELINES


def test_a_model_without_intervals_is_not_asked_for_them(shops):
    table = backtest([Naive2(7)], shops, h=7, level=[80]).table
    assert np.isnan(table.loc["Naive2", "coverage-80"])
    assert table["coverage-80"].notna().sum() == 4
