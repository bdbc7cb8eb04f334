import numpy as np
import pandas as pd
import pytest

from recurra.data import Clock, calendar_features


@pytest.mark.parametrize(
    ("step", "phases"),
    [
        ("15min", ["minute_of_hour", "hour_of_day", "day_of_week", "day_of_year"]),
        ("h", ["hour_of_day", "day_of_week", "day_of_year"]),
        ("D", ["day_of_week", "day_of_year"]),
        ("B", ["day_of_week", "day_of_year"]),
        ("W-MON", ["week_of_year"]),
        ("ME", ["month_of_year"]),
        ("QE", ["quarter_of_year"]),
        ("YE", []),
        (None, ["hour_of_day", "day_of_week", "day_of_year"]),
    ],
)
def test_only_phases_that_mean_something_at_this_step_are_there(step, phases):
    features, names = calendar_features(np.array([0, 1]), Clock("timestamp", step))
    assert list(names) == [f"{wave}_{phase}" for phase in phases for wave in ("sin", "cos")]
    assert features.shape == (2, len(names))
    assert features.dtype == np.float32


def test_integers_have_no_calendar():
    assert calendar_features(np.arange(3), Clock("integer", 1))[0].shape == (3, 0)


def test_dates_without_a_step_have_no_hour():
    assert len(calendar_features(np.arange(3), Clock("date"))[1]) == 4


@pytest.mark.parametrize("zone", [None, "Asia/Shanghai"])
def test_phases_are_those_pandas_reads_from_the_wall_clock(zone):
    index = pd.date_range("2023-11-01", periods=3000, freq="h", tz=zone).as_unit("ns")
    features, _ = calendar_features(index.asi8.copy(), Clock("timestamp", "h", zone))
    years = np.where(index.year % 4 == 0, 366, 365)
    phases = [index.hour / 24, index.day_of_week / 7, (index.day_of_year - 1) / years]
    for column, phase in enumerate(phases):
        expected = np.sin(2 * np.pi * np.asarray(phase)), np.cos(2 * np.pi * np.asarray(phase))
        np.testing.assert_allclose(features[:, 2 * column], expected[0], atol=1e-6)
        np.testing.assert_allclose(features[:, 2 * column + 1], expected[1], atol=1e-6)


def test_months_and_quarters_are_counted_from_january():
    times = pd.date_range("2024-01-01", periods=12, freq="MS").as_unit("ns").asi8.copy()
    month = calendar_features(times, Clock("timestamp", "MS"))[0]
    np.testing.assert_allclose(month[[0, 3, 6, 9], 0], [0, 1, 0, -1], atol=1e-6)
    quarter = calendar_features(times[::3], Clock("timestamp", "QS"))[0]
    np.testing.assert_allclose(quarter[:, 0], [0, 1, 0, -1], atol=1e-6)
