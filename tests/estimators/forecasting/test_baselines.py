"""Baselines: the textbook's equations, and what they do about holes and short series."""

import math

import numpy as np
import pytest

from recurra.errors import DataError, OptionError, ShapeError
from recurra.estimators.forecasting.baselines import Drift, Mean, Naive, Naive2, SeasonalNaive

NAN = math.nan
WITH_INTERVALS = [Naive(), SeasonalNaive(4), Drift(), Mean()]
ALL = [*WITH_INTERVALS, Naive2(4)]


def name(model):
    return type(model).__name__


@pytest.fixture
def walk():
    return np.random.default_rng(0).normal(size=30).cumsum() + 100


def test_each_baseline_foretells_what_its_equation_says():
    x = [1.0, 2.0, 6.0, 4.0, 5.0]
    assert Naive().forecast(x, 3).tolist() == [5, 5, 5]
    assert SeasonalNaive(2).forecast(x, 3).tolist() == [4, 5, 4]
    assert Drift().forecast(x, 3).tolist() == [6, 7, 8]
    assert Mean().forecast(x, 3) == pytest.approx([3.6] * 3)


def test_the_spread_of_naive_grows_with_the_root_of_the_step(walk):
    sigma = math.sqrt(np.square(np.diff(walk)).sum() / 29)
    assert Naive().spread(walk, 9) == pytest.approx(sigma * np.sqrt(np.arange(1, 10)))


def test_the_spread_of_seasonal_naive_grows_with_each_season(walk):
    sigma = math.sqrt(np.square(walk[4:] - walk[:-4]).sum() / 26)
    seasons = np.array([1, 1, 1, 1, 2, 2, 2, 2, 3])
    assert SeasonalNaive(4).spread(walk, 9) == pytest.approx(sigma * np.sqrt(seasons))


def test_the_spread_of_drift_knows_that_its_slope_was_estimated(walk):
    residuals = np.diff(walk) - np.diff(walk).mean()
    k = np.arange(1, 10)
    expected = residuals.std(ddof=1) * np.sqrt(k * (1 + k / 29))
    assert Drift().spread(walk, 9) == pytest.approx(expected)


def test_the_spread_of_the_mean_is_that_of_one_more_draw(walk):
    assert Mean().spread(walk, 2) == pytest.approx([walk.std(ddof=1) * math.sqrt(1 + 1 / 30)] * 2)


@pytest.mark.parametrize("model", WITH_INTERVALS, ids=name)
def test_eighty_per_cent_intervals_cover_eighty_per_cent_where_the_model_is_true(model):
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(3000, 44))
    paths = {
        "Naive": noise.cumsum(axis=1),
        "SeasonalNaive": noise.reshape(3000, 11, 4).cumsum(axis=1).reshape(3000, 44),
        "Drift": (noise + 0.5).cumsum(axis=1),
        "Mean": noise,
    }[name(model)]
    far = [abs(p[43] - model.forecast(p[:40], 4)[3]) / model.spread(p[:40], 4)[3] for p in paths]
    assert np.mean(np.array(far) < 1.2816) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("model", ALL, ids=name)
def test_a_hole_at_the_start_changes_no_forecast(model, walk):
    padded = np.concatenate(([NAN] * 8, walk))
    assert model.forecast(padded, 6) == pytest.approx(model.forecast(walk, 6))


@pytest.mark.parametrize("model", WITH_INTERVALS, ids=name)
def test_a_hole_at_the_start_changes_no_spread(model, walk):
    padded = np.concatenate(([NAN] * 8, walk))
    assert model.spread(padded, 6) == pytest.approx(model.spread(walk, 6))


@pytest.mark.parametrize("model", [Naive(), Drift()], ids=name)
def test_steps_unobserved_up_to_now_are_steps_to_foretell(model, walk):
    padded = np.concatenate((walk, [NAN] * 2))
    assert model.forecast(padded, 4) == pytest.approx(model.forecast(walk, 6)[2:])
    assert model.spread(padded, 4) == pytest.approx(model.spread(walk, 6)[2:])


def test_a_season_unobserved_up_to_now_is_a_season_to_foretell(walk):
    padded = np.concatenate((walk[:28], [NAN] * 4))
    model = SeasonalNaive(4)
    assert model.forecast(padded, 4) == pytest.approx(model.forecast(walk[:28], 8)[4:])
    assert model.spread(padded, 4) == pytest.approx(model.spread(walk[:28], 8)[4:])


def test_a_random_walk_seen_every_second_step_has_the_same_spread():
    walk = np.random.default_rng(2).normal(size=20_000).cumsum()
    thinned = walk.copy()
    thinned[1::2] = NAN
    assert Naive().spread(thinned[:-1], 1) == pytest.approx(Naive().spread(walk, 1), rel=0.03)


def test_a_place_in_the_season_is_looked_up_as_far_back_as_it_was_seen():
    assert SeasonalNaive(2).forecast([1, 2, NAN, 4, NAN, NAN], 3).tolist() == [1, 4, 1]
    assert SeasonalNaive(2).forecast([NAN, 2, NAN, 4], 3).tolist() == [4, 4, 4]


def test_a_series_shorter_than_a_season_falls_back_to_the_last_value():
    for model in (SeasonalNaive(24), Naive2(24)):
        assert model.forecast([3.0, 7.0], 3).tolist() == [7, 7, 7]
    assert SeasonalNaive(24).spread([3.0, 7.0], 2) == pytest.approx(Naive().spread([3.0, 7.0], 2))


@pytest.mark.parametrize("model", WITH_INTERVALS, ids=name)
def test_a_single_value_has_a_forecast_and_an_unknown_spread(model, recwarn):
    assert model.forecast([5.0], 2).tolist() == [5, 5]
    assert np.isnan(model.spread([5.0], 2)).all()
    assert not recwarn.list


@pytest.mark.parametrize("model", ALL, ids=name)
def test_values_a_baseline_cannot_read_are_refused_with_advice(model):
    with pytest.raises(DataError, match=r"None of 2 values is observed\. Leave this series out"):
        model.forecast([NAN, NAN], 1)
    with pytest.raises(DataError, match=r"A value is infinite \(row 1\)"):
        model.forecast([1.0, math.inf], 1)
    with pytest.raises(ShapeError, match=r"values has shape \(2, 2\)"):
        model.forecast(np.ones((2, 2)), 1)
    with pytest.raises(OptionError, match="h is 0"):
        model.forecast([1.0], 0)


@pytest.mark.parametrize("kind", [SeasonalNaive, Naive2])
def test_a_season_has_at_least_one_row(kind):
    with pytest.raises(OptionError, match="season_length is 0; use 1 or more"):
        kind(0).forecast([1.0, 2.0], 1)


def test_naive2_of_a_multiplicative_season_on_a_trend_keeps_the_season():
    index = np.array([0.5, 1.5, 0.8, 1.2])
    x = (100 + np.arange(42)) * index[np.arange(42) % 4]
    foretold = Naive2(4).forecast(x, 4)
    assert foretold == pytest.approx(141 * index[np.arange(42, 46) % 4], rel=0.01)


def test_naive2_handles_odd_seasons_and_holes():
    index = np.array([0.5, 1.5, 1.0])
    x = 10 * index[np.arange(30) % 3]
    assert Naive2(3).forecast(x, 4) == pytest.approx(10 * index[[0, 1, 2, 0]])
    x[[4, 28, 29]] = NAN
    assert Naive2(3).forecast(x, 4) == pytest.approx(10 * index[[0, 1, 2, 0]])


@pytest.mark.parametrize("x", [[1.0, 3.0] * 2, [0.0, 3.0] * 20, [2.0] * 40])
def test_naive2_is_naive_without_three_seasons_above_zero_or_a_season_at_all(x):
    assert Naive2(2).forecast(x, 3).tolist() == [x[-1]] * 3


def test_naive2_has_no_intervals():
    with pytest.raises(OptionError, match="Naive2 has no intervals: the M4 competition"):
        Naive2(4).spread([1.0, 2.0], 1)
