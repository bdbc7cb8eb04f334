"""What a forecaster does when it is not told."""

import pytest

from recurra.estimators.forecasting.forecast_defaults import (
    default_context,
    default_decay,
    default_dropout,
    default_horizon,
    default_lags,
)

SEASONS = [(), (2,), (4,), (7,), (12,), (24,), (52,), (365,), (24, 168), (60, 1440)]


@pytest.mark.parametrize("seasons", SEASONS)
def test_lags_rise_and_reach_the_same_phase_of_every_season(seasons):
    lags = default_lags(seasons)
    assert lags == sorted(set(lags))
    assert lags[0] == 1
    assert all(season - 1 in lags or season == 1 for season in seasons)
    assert len(lags) < 60


@pytest.mark.parametrize("seasons", SEASONS)
def test_context_horizon_and_decay_keep_their_bounds(seasons):
    assert 24 <= default_context(seasons) <= 64
    assert 8 <= default_horizon(seasons) <= 48
    assert 1 - 1 / 16 <= default_decay(seasons) <= 1 - 1 / 64


def test_many_series_need_no_dropout():
    assert default_dropout(1) == default_dropout(59) == 0.2
    assert default_dropout(60) == default_dropout(100_000) == 0.0


def test_a_longer_season_is_given_a_longer_context():
    assert default_context([52]) > default_context([12])
    assert default_decay([24]) > default_decay([4])
