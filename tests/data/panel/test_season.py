import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recurra.data import detect_season_lengths

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[3] / "../shared/data"))


def flat(series):
    return np.concatenate(series), np.concatenate([[0], np.cumsum([len(one) for one in series])])


def real(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not there; set RECURRA_DATA to the folder of the data sets")
    return pd.read_csv(path)


def m4(name):
    rows = real(name).iloc[:, 1:].to_numpy(float)
    return flat([row[~np.isnan(row)] for row in rows])


def m3(period):
    frame = real("fc_m3/train.csv")
    texts = frame.loc[frame["period"] == period, "x"]
    return flat([np.array(text.split(), float) for text in texts])


@pytest.mark.data
def test_hourly_m4_series_have_a_day_and_a_week():
    assert detect_season_lengths(*m4("fc_m4_hourly/Hourly-train.csv")) == (24, 168)


@pytest.mark.data
def test_weekly_m4_series_have_a_year():
    assert detect_season_lengths(*m4("fc_m4_weekly/Weekly-train.csv.gz")) == (52,)


@pytest.mark.data
@pytest.mark.parametrize(
    ("period", "expected"), [("MONTHLY", (12,)), ("QUARTERLY", (4,)), ("YEARLY", ())]
)
def test_m3_series_have_the_season_of_their_period(period, expected):
    assert detect_season_lengths(*m3(period)) == expected


@pytest.mark.parametrize("length", [20, 60, 300])
@pytest.mark.parametrize("count", [1, 5, 100])
def test_noise_and_random_walks_have_no_season(count, length):
    rng = np.random.default_rng(length + count)
    for _ in range(5):
        noise = [rng.normal(size=length) for _ in range(count)]
        assert detect_season_lengths(*flat(noise)) == ()
        assert detect_season_lengths(*flat([one.cumsum() for one in noise])) == ()


def test_a_season_is_found_under_a_trend_with_values_missing():
    rng = np.random.default_rng(1)
    step = np.arange(240)
    series = 0.5 * step + 5 * np.sin(2 * np.pi * step / 12) + rng.normal(size=240)
    series[rng.choice(240, 20, replace=False)] = np.nan
    assert detect_season_lengths(series, np.array([0, 240])) == (12,)


def test_constant_empty_and_short_series_have_no_season():
    nan = np.full(30, np.nan)
    series = [np.ones(50), np.zeros(0), np.array([1.0]), nan, np.full(20, 1e300)]
    assert detect_season_lengths(*flat(series)) == ()
    assert detect_season_lengths(np.zeros(0), np.array([0])) == ()
