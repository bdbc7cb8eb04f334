"""Intervals that cover what they promise."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.estimators.forecasting.conformal import LEVELS, TRUST, Calibration, calibrate

H, PATHS = 3, 100


def windows(number, truth, told, seed, scale_of=lambda random, number: np.ones(number)):
    """Points, sampled paths and what came, where spreads differ from window to window."""
    random = np.random.default_rng(seed)
    scale = scale_of(random, number)[:, None]
    point = random.normal(size=(number, H))
    paths = point[:, None] + scale[:, None] * told(random, (number, PATHS, H))
    return point, paths, point + scale * truth(random, (number, H))


def normal(size):
    return lambda random, shape: random.normal(0.0, size, shape)


def skewed(random, shape):
    return random.exponential(1.0, shape) - np.log(2)


def heavy(random, shape):
    return random.standard_t(3, shape)


def lognormal(random, number):
    return np.exp(random.normal(size=number))


CASES = {
    "well calibrated": (normal(1.0), normal(1.0)),
    "too narrow": (normal(1.0), normal(0.3)),
    "too wide": (normal(1.0), normal(4.0)),
    "heavy tails foretold light": (heavy, normal(1.0)),
    "skewed": (skewed, skewed),
}
SCALES = {"alike": lambda _, number: np.ones(number), "lognormal": lognormal}


@pytest.fixture(scope="module", params=[(case, scale) for case in CASES for scale in SCALES])
def calibrated(request):
    """A calibration on some windows, and others."""
    case, scale = request.param
    known, others = (
        windows(number, *CASES[case], seed=seed, scale_of=SCALES[scale])
        for seed, number in enumerate((5000, 4000))
    )
    return calibrate(*known, worth=1e9), others


@pytest.mark.parametrize("level", [50, 80, 95])
def test_calibrated_intervals_cover_what_they_promise(calibrated, level):
    found, (point, paths, actual) = calibrated
    lower, upper = found.interval(point, paths, level)
    covered = ((lower <= actual) & (actual <= upper)).mean(0)
    np.testing.assert_allclose(covered, level / 100, atol=0.03)


def test_a_well_calibrated_forecast_is_hardly_changed():
    found = calibrate(*windows(3000, normal(1.0), normal(1.0), seed=0), worth=1e9)
    middle = (found.levels >= 30) & (found.levels <= 90)
    np.testing.assert_allclose(found.factors[middle], 1.0, atol=0.1)


@pytest.mark.parametrize("size", [0.25, 0.5, 2.0])
def test_the_factor_is_what_the_spread_was_wrong_by(size):
    found = calibrate(*windows(3000, normal(1.0), normal(size), seed=0), worth=1e9)
    np.testing.assert_allclose(found.factors[LEVELS == 80], 1 / size, rtol=0.1)


def test_each_step_ahead_has_its_own_factor_where_there_are_scores_enough():
    random = np.random.default_rng(0)
    growing = np.array([1.0, 2.0, 4.0])
    point, paths = np.zeros((4000, H)), random.normal(size=(4000, PATHS, H))
    found = calibrate(point, paths, growing * random.normal(size=(4000, H)), worth=1e9)
    np.testing.assert_allclose(found.factors[LEVELS == 80][0], growing, rtol=0.1)


@pytest.mark.parametrize(("worth", "share"), [(1e9, 1.0), (TRUST, 0.5), (0.0, 0.0)])
def test_few_independent_windows_draw_the_factor_towards_one(worth, share):
    whole = calibrate(*windows(200, normal(1.0), normal(0.3), seed=0), worth=1e9)
    found = calibrate(*windows(200, normal(1.0), normal(0.3), seed=0), worth=worth)
    np.testing.assert_allclose(found.factors - 1, share * (whole.factors - 1), rtol=1e-6, atol=1e-9)


def test_a_single_window_gives_finite_factors():
    found = calibrate(*windows(1, normal(1.0), normal(1.0), seed=0), worth=1.0)
    assert np.isfinite(found.factors).all()
    assert (found.factors > 0).all()


def test_what_was_not_observed_is_not_counted():
    point, paths, actual = windows(400, normal(1.0), normal(0.5), seed=0)
    holes = np.random.default_rng(1).random(400) < 0.3
    some = calibrate(point, paths, np.where(holes[:, None], np.nan, actual), worth=1e9)
    rest = calibrate(point[~holes], paths[~holes], actual[~holes], worth=1e9)
    np.testing.assert_allclose(some.factors, rest.factors, rtol=0.05)


def test_nothing_observed_changes_nothing():
    point, paths, actual = windows(20, normal(1.0), normal(0.5), seed=0)
    found = calibrate(point, paths, np.full_like(actual, np.nan), worth=20)
    assert (found.factors == 1).all()


def test_the_neutral_calibration_gives_the_quantiles_of_the_paths():
    random = np.random.default_rng(0)
    paths = random.normal(size=(5, 1001, H))
    point = np.median(paths, axis=1)
    lower, upper = Calibration.neutral().interval(point, paths, 80)
    np.testing.assert_allclose(lower, np.quantile(paths, 0.1, axis=1))
    np.testing.assert_allclose(upper, np.quantile(paths, 0.9, axis=1))


def test_steps_beyond_those_calibrated_take_the_last_factor():
    calibration = Calibration(LEVELS, np.tile([1.0, 3.0], (len(LEVELS), 1)))
    paths = np.random.default_rng(0).normal(size=(1, 500, 5))
    point = np.median(paths, axis=1)
    lower, _ = calibration.interval(point, paths, 80)
    plain, _ = Calibration.neutral().interval(point, paths, 80)
    np.testing.assert_allclose((point - lower) / (point - plain), [[1, 3, 3, 3, 3]])


@pytest.mark.parametrize("level", [0.5, 7, 55, 87.5, 99.9])
def test_levels_between_and_beyond_the_nominal_ones_are_served(level):
    found = calibrate(*windows(300, normal(1.0), normal(0.5), seed=0), worth=300)
    point, paths, _ = windows(5, normal(1.0), normal(0.5), seed=1)
    lower, upper = found.interval(point, paths, level)
    assert (lower <= point).all()
    assert (point <= upper).all()
    assert np.isfinite(upper - lower).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 60), st.sampled_from([normal(1.0), heavy, skewed]))
def test_bounds_widen_with_the_level_where_windows_are_alike(seed, number, truth):
    paths = np.linspace(-3, 3, 201)[None, :, None].repeat(number, 0).repeat(H, 2)
    point, _, actual = windows(number, truth, normal(1.0), seed)
    found = calibrate(0 * point, paths, actual - point, worth=float(number))
    bounds = [found.interval(np.zeros((1, H)), paths[:1], level) for level in LEVELS]
    for (low, high), (lower, higher) in pairwise(bounds):
        assert (lower <= low + 1e-9).all()
        assert (high <= higher + 1e-9).all()


@pytest.mark.parametrize(
    "levels",
    [
        LEVELS,
        np.arange(0.5, 100, 0.5),
    ],
    ids=["known", "any"],
)
def test_bounds_widen_with_the_level_whatever_the_windows(levels):
    """Half of the windows have light tails and large misses, half the other way round."""
    random = np.random.default_rng(0)
    light, wide = random.normal(size=(100, PATHS, 1)), random.standard_t(1, (100, PATHS, 1))
    actual = np.r_[random.normal(0, 0.1, (100, 1)), random.normal(0, 6.0, (100, 1))]
    paths = np.r_[light, wide]
    found = calibrate(np.zeros((200, 1)), paths, actual, worth=1e9)
    lower, upper = zip(*(found.interval(np.zeros((200, 1)), paths, x) for x in levels), strict=True)
    assert (np.diff(lower, axis=0) <= 1e-9).all()
    assert (np.diff(upper, axis=0) >= -1e-9).all()


def test_a_window_whose_paths_all_agree_does_not_blow_up_the_others():
    point, paths, actual = windows(100, normal(1.0), normal(1.0), seed=0)
    point[:30], paths[:30], actual[:30] = 0.0, 0.0, 1.0
    found = calibrate(point, paths, actual, worth=100)
    assert found.factors.max() <= 10


@pytest.mark.parametrize(("spread", "factor"), [(1.0, 10.0), (1e-3, 10.0), (0.0, 10.0), (100, 1.0)])
def test_a_miss_counts_as_ten_half_widths_at_most(spread, factor):
    """Every value lies 20 away; of paths that spread by 100, it lies within a half width."""
    paths = np.full((300, 1, 1), 0.0) + spread * np.linspace(-1, 1, PATHS)[:, None]
    found = calibrate(np.zeros((300, 1)), paths, np.full((300, 1), 20.0), worth=1e9)
    at_80 = found.factors[LEVELS == 80][0, 0]
    assert at_80 == pytest.approx(factor) if factor == 10 else at_80 < factor


def test_a_value_met_exactly_is_no_miss_even_without_any_spread():
    found = calibrate(np.ones((50, H)), np.ones((50, PATHS, H)), np.ones((50, H)), worth=1e9)
    np.testing.assert_allclose(found.factors, 0.0, atol=1e-6)
