"""CRPS from samples and from quantiles, against the closed form of the Gaussian."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from recurra import metrics
from recurra.errors import DataError, OptionError, ShapeError

NAN = math.nan
NIXTLA = [0.025, 0.1, 0.5, 0.9, 0.975]  # the point and the bounds of level=[80, 95]


def gaussian_crps(y, mean=0.0, deviation=1.0):
    """Gneiting et al. (2005), Monthly Weather Review 133(5), equation 5."""
    z = (y - mean) / deviation
    one = z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / math.sqrt(math.pi)
    return deviation * one


def quantiles(levels, rows):
    return np.tile(norm.ppf(levels)[:, None], (1, rows))


@pytest.mark.parametrize("y", [0.0, 0.7, -2.5])
def test_crps_of_many_samples_is_the_closed_form_of_the_gaussian(y):
    samples = np.random.default_rng(0).normal(3.0, 2.0, size=(200_000, 1))
    expected = gaussian_crps(3.0 + 2.0 * y, 3.0, 2.0)
    assert metrics.crps_from_samples([3.0 + 2.0 * y], samples) == pytest.approx(expected, rel=0.01)


def test_the_fair_form_is_unbiased_with_three_samples_and_the_energy_form_is_not():
    rng = np.random.default_rng(1)
    y = np.full(100_000, 0.3)
    samples = rng.normal(size=(3, y.size))
    truth = gaussian_crps(0.3)
    bias = 2 / math.sqrt(math.pi) / (2 * 3)  # E|X - X'| / 2S
    assert metrics.crps_from_samples(y, samples) == pytest.approx(truth, abs=0.004)
    assert metrics.crps_from_samples(y, samples, fair=False) == pytest.approx(
        truth + bias, abs=0.004
    )


@pytest.mark.parametrize("fair", [True, False])
def test_the_sorted_form_is_the_double_sum_of_the_definition(fair):
    rng = np.random.default_rng(2)
    y, x = rng.normal(size=(4, 5)), rng.normal(size=(7, 4, 5))
    pairs = np.abs(x[:, None] - x[None]).sum(axis=(0, 1)) / (2 * 7 * (7 - fair))
    expected = (np.abs(x - y).mean(axis=0) - pairs).mean()
    assert metrics.crps_from_samples(y, x, fair=fair) == pytest.approx(expected, rel=1e-12)


def test_a_single_sample_is_a_point_forecast_and_has_no_fair_form():
    assert metrics.crps_from_samples([1.0, 4.0], [[2.0, 2.0]], fair=False) == 1.5
    with pytest.raises(ShapeError, match=r"too few along the first axis, 1, for the fair form"):
        metrics.crps_from_samples([1.0, 4.0], [[2.0, 2.0]])


def test_samples_along_the_wrong_axis_are_refused():
    with pytest.raises(ShapeError, match=r"samples has shape \(3, 9\), but y has shape \(3,\)"):
        metrics.crps_from_samples([1.0, 2.0, 3.0], np.zeros((3, 9)))


def test_an_unobserved_value_is_left_out_of_the_crps_with_its_samples():
    x = np.array([[1.0, NAN], [2.0, NAN], [4.0, math.inf]])
    assert metrics.crps_from_samples([2.0, NAN], x) == metrics.crps_from_samples([2.0], x[:, :1])
    with pytest.raises(DataError, match="samples is nan where y is observed"):
        metrics.crps_from_samples([2.0, 1.0], x)


def test_crps_from_a_fine_grid_of_quantiles_is_the_closed_form():
    levels = (np.arange(2000) + 0.5) / 2000
    y = np.linspace(-3, 3, 13)
    ours = [metrics.crps_from_quantiles([one], quantiles(levels, 1), levels) for one in y]
    assert ours == pytest.approx(gaussian_crps(y), rel=2e-3)


def test_crps_from_the_five_quantiles_of_two_levels_is_half_a_per_cent_high_on_a_gaussian():
    y = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    ours = metrics.crps_from_quantiles(y, quantiles(NIXTLA, y.size), NIXTLA)
    truth = 1 / math.sqrt(math.pi)
    short_cut = 2 * np.mean([metrics.pinball(y, np.full_like(y, norm.ppf(q)), q) for q in NIXTLA])
    assert ours / truth == pytest.approx(1.004, abs=0.001)
    assert short_cut / truth == pytest.approx(0.61, abs=0.005)


def test_crps_from_quantiles_is_the_integral_of_the_pinball_loss():
    rng = np.random.default_rng(4)
    curve = np.sort(rng.normal(size=(4, 6)), axis=0)
    curve[2] = curve[1]  # a flat piece: several quantiles in one place
    levels, y = [0.1, 0.3, 0.6, 0.95], rng.normal(size=6)
    y[0] = curve[1, 0]
    fine = (np.arange(20_000) + 0.5) / 20_000
    errors = y - np.stack([np.interp(fine, levels, curve[:, k]) for k in range(6)], axis=1)
    loss = np.maximum(fine[:, None] * errors, (fine[:, None] - 1) * errors)
    expected = 2 * loss.mean()
    assert metrics.crps_from_quantiles(y, curve, levels) == pytest.approx(expected, rel=1e-5)


def test_quantiles_need_rising_levels_and_one_row_each():
    with pytest.raises(OptionError, match=r"levels is \[0.9, 0.1\]; give rising numbers"):
        metrics.crps_from_quantiles([1.0], [[0.0], [2.0]], [0.9, 0.1])
    with pytest.raises(OptionError, match="rising numbers between 0 and 1"):
        metrics.crps_from_quantiles([1.0], [[0.0], [2.0]], [10, 90])
    with pytest.raises(ShapeError, match="but there are 1 levels"):
        metrics.crps_from_quantiles([1.0], [[0.0], [2.0]], [0.5])


def test_crossed_quantiles_are_sorted():
    assert metrics.crps_from_quantiles([1.0], [[2.0], [0.0]], [0.1, 0.9]) == (
        metrics.crps_from_quantiles([1.0], [[0.0], [2.0]], [0.1, 0.9])
    )
