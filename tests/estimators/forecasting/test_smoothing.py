"""Theta and a damped trend: their equations, known numbers, holes and seasons."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.errors import DataError
from recurra.evaluation import DampedTrend, Theta
from recurra.metrics import mae

SEASON = np.array([0.8, 1.0, 1.3, 0.9])


@pytest.mark.parametrize("kind", [Theta, DampedTrend])
def test_a_constant_stays_and_is_certain(kind) -> None:
    assert kind(1).forecast([7.0] * 12, h=3) == pytest.approx([7.0] * 3)
    assert kind(1).spread([7.0] * 12, h=3) == pytest.approx([0.0] * 3)


@pytest.mark.parametrize("kind", [Theta, DampedTrend])
def test_units_and_scale_change_nothing_else(kind) -> None:
    values = np.random.default_rng(1).normal(size=30).cumsum() + 50
    plain = kind(1).forecast(values, h=5)
    assert kind(1).forecast(1000 * values, h=5) == pytest.approx(1000 * plain)
    assert kind(1).spread(1000 * values, h=5) == pytest.approx(1000 * kind(1).spread(values, h=5))


@pytest.mark.parametrize("kind", [Theta, DampedTrend])
def test_a_season_is_taken_out_and_put_back(kind) -> None:
    values = np.resize(SEASON, 24) * (100 + np.arange(24) / 2)
    coming = np.resize(SEASON, 8) * (100 + np.arange(24, 32) / 2)
    assert mae(coming, kind(4).forecast(values, h=8)) < 1.5
    assert mae(coming, kind(1).forecast(values, h=8)) > 5


def test_theta_adds_half_the_slope_of_the_regression() -> None:
    values = np.random.default_rng(2).normal(size=40).cumsum()
    slope = np.polyfit(np.arange(40), values, 1)[0]
    assert np.diff(Theta(1).forecast(values, h=6)) == pytest.approx([slope / 2] * 5)


def test_theta_is_smoothing_of_the_doubled_curvature() -> None:
    values = np.array([3.0, 5.0, 4.0, 6.0, 8.0, 7.0])
    slope, start = np.polyfit(np.arange(6), values, 1)
    curved = 2 * values - (start + slope * np.arange(6))

    def smoothed(alpha: float) -> tuple[float, float]:
        level, squares = curved[0], 0.0
        for value in curved[1:]:
            squares += (value - level) ** 2
            level += alpha * (value - level)
        return squares, level

    level = min(smoothed(alpha) for alpha in np.linspace(0.02, 0.98, 49))[1]
    line = start + slope * np.arange(6, 9)
    assert Theta(1).forecast(values, h=3) == pytest.approx((line + level) / 2)


def test_a_damped_trend_fades() -> None:
    ahead = DampedTrend(1).forecast(np.arange(30.0), h=40)
    steps = np.diff(ahead)
    assert (steps > 0).all()
    assert (np.diff(steps) < 0).all()
    assert ahead[0] == pytest.approx(30.0, abs=0.1)


@pytest.mark.parametrize("kind", [Theta, DampedTrend])
def test_unobserved_steps_pass_by(kind) -> None:
    values = 10 + np.arange(24.0)
    holed = values.copy()
    holed[[3, 9, 10, 22, 23]] = np.nan
    assert kind(1).forecast(holed, h=3) == pytest.approx(kind(1).forecast(values, h=3), rel=0.15)
    assert kind(1).forecast([np.nan, np.nan, 5.0], h=2) == pytest.approx([5.0, 5.0])
    spread = kind(1).spread(10 + np.sin(np.append(values, [np.nan] * 3)), h=2)
    assert np.isfinite(spread).all()
    assert spread[1] > spread[0]


@pytest.mark.parametrize("kind", [Theta, DampedTrend])
def test_too_little_to_know_the_spread_is_said(kind) -> None:
    assert np.isnan(kind(1).spread([1.0, 2.0], h=2)).all()
    with pytest.raises(DataError, match="None of 2 values is observed"):
        kind(1).forecast([np.nan, np.nan], h=2)
