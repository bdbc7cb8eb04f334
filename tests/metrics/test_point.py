"""Point errors: hand values, Nixtla's numbers, and what is unobserved."""

import math

import numpy as np
import pandas as pd
import pytest

from recurra import metrics
from recurra.errors import DataError, OptionError, ShapeError

NAN = math.nan
POINT = [metrics.mae, metrics.mse, metrics.rmse, metrics.smape]


@pytest.fixture(scope="module")
def panel():
    """Three series of ten rows, and their past, as Nixtla writes them."""
    rng = np.random.default_rng(0)
    ids = np.repeat(["a", "b", "c"], 10)
    y = rng.normal(50, 10, 30)
    frame = pd.DataFrame({"unique_id": ids, "y": y, "model": y + rng.normal(0, 5, 30)})
    past = pd.DataFrame({"unique_id": np.repeat(["a", "b", "c"], 40), "y": rng.normal(50, 9, 120)})
    return frame, past


def by_series(frame, score):
    return [score(part["y"], part["model"]) for _, part in frame.groupby("unique_id")]


@pytest.mark.parametrize("name", ["mae", "mse", "rmse"])
def test_point_errors_equal_those_of_utilsforecast(panel, name):
    from utilsforecast import losses

    frame, _ = panel
    theirs = getattr(losses, name)(frame, models=["model"])["model"]
    assert by_series(frame, getattr(metrics, name)) == pytest.approx(list(theirs), rel=1e-12)


def test_smape_is_two_hundred_times_the_one_of_utilsforecast(panel):
    from utilsforecast import losses

    frame, _ = panel
    theirs = 200 * losses.smape(frame, models=["model"])["model"]
    assert by_series(frame, metrics.smape) == pytest.approx(list(theirs), rel=1e-12)


@pytest.mark.parametrize("season_length", [1, 7])
def test_mase_equals_the_one_of_utilsforecast(panel, season_length):
    from utilsforecast import losses

    frame, past = panel
    theirs = losses.mase(frame, models=["model"], seasonality=season_length, train_df=past)
    ours = [
        metrics.mase(part["y"], part["model"], past.loc[past.unique_id == name, "y"], season_length)
        for name, part in frame.groupby("unique_id")
    ]
    assert ours == pytest.approx(list(theirs["model"]), rel=1e-12)


@pytest.mark.parametrize("score", POINT)
def test_an_unobserved_value_is_left_out_whatever_was_foretold_there(score):
    for foretold in (0.0, 1e300, NAN, math.inf):
        assert score([1.0, NAN, 3.0], [2.0, foretold, 5.0]) == score([1.0, 3.0], [2.0, 5.0])


@pytest.mark.parametrize("score", POINT)
def test_nothing_observed_gives_nan_without_a_warning(score, recwarn):
    assert math.isnan(score([NAN, NAN], [1.0, 2.0]))
    assert math.isnan(score([], []))
    assert not recwarn.list


@pytest.mark.parametrize("score", POINT)
@pytest.mark.parametrize("hole", [NAN, math.inf])
def test_a_missing_forecast_of_an_observed_value_is_an_error_that_says_where(score, hole):
    with pytest.raises(DataError, match=r"forecast is (nan|inf) where y is observed \(row 2\)"):
        score([NAN, 1.0, 2.0], [0.0, 1.0, hole])


def test_an_infinite_actual_value_is_refused():
    with pytest.raises(DataError, match=r"y is infinite \(row 1\)\. Use NaN"):
        metrics.mae([1.0, math.inf], [1.0, 1.0])


@pytest.mark.parametrize("forecast", [[1.0], [[1.0, 2.0]], 1.0])
def test_shapes_are_never_stretched_to_fit(forecast):
    with pytest.raises(ShapeError, match=r"but y has shape \(2,\)\. Give one forecast for each"):
        metrics.mae([1.0, 2.0], forecast)


def test_a_panel_is_scored_as_one_when_given_as_one():
    y = np.arange(12.0).reshape(3, 4)
    assert metrics.rmse(y, y + 2) == 2.0


def test_smape_runs_from_zero_to_two_hundred():
    assert metrics.smape([1.0, 2.0], [1.0, 2.0]) == 0
    assert metrics.smape([1.0, -2.0], [-1.0, 2.0]) == 200
    assert metrics.smape([1.0], [0.0]) == 200
    assert metrics.smape([0.0], [0.0]) == 0


def test_mase_of_the_naive_forecast_on_a_straight_line_is_the_mean_step_ahead():
    assert metrics.mase([11.0, 12.0, 13.0], [10.0] * 3, train=np.arange(11.0)) == 2.0


def test_mase_has_no_number_against_a_perfect_naive_forecast():
    assert math.isnan(metrics.mase([5.0], [4.0], train=[4.0, 4.0, 4.0]))
    assert math.isnan(metrics.mase([5.0], [4.0], train=[1.0, 2.0, 1.0, 2.0], season_length=2))
    assert math.isnan(metrics.mase([5.0], [4.0], train=[1.0, 2.0], season_length=2))


def test_the_scale_of_mase_counts_only_pairs_of_observed_values():
    assert metrics.seasonal_scale([1.0, NAN, 4.0, 6.0, NAN]) == 2.0
    assert metrics.seasonal_scale([1.0, 0.0, NAN, 5.0], season_length=2) == 5.0


def test_a_scale_belongs_to_one_series_and_a_season_to_at_least_one_row():
    with pytest.raises(ShapeError, match=r"train has shape \(2, 3\).*one series"):
        metrics.seasonal_scale(np.ones((2, 3)))
    with pytest.raises(OptionError, match="season_length is 0; use 1 or more"):
        metrics.seasonal_scale([1.0, 2.0], season_length=0)


def test_owa_of_naive2_itself_is_one():
    assert metrics.owa(9.161, 2.777, 9.161, 2.777) == 1.0


def test_owa_reproduces_the_official_m4_sheet():
    """Rows of the organisers' table of scores by frequency: RNN and Smyl, hourly."""
    assert metrics.owa(14.698, 3.048, 18.383, 2.395) == pytest.approx(1.036, abs=5e-4)
    assert metrics.owa(9.328, 0.893, 18.383, 2.395) == pytest.approx(0.440, abs=5e-4)
