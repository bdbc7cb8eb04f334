"""Quantiles and intervals: hand values, Nixtla's numbers, and proper scores."""

import math

import numpy as np
import pandas as pd
import pytest

from recurra import metrics
from recurra.errors import DataError, OptionError, ShapeError

NAN = math.nan


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(1)
    y = rng.normal(size=40)
    return pd.DataFrame(
        {
            "unique_id": "a",
            "y": y,
            "q": rng.normal(size=40),
            "lo": -0.8,
            "hi": rng.uniform(0, 2, 40),
        }
    )


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.975])
def test_pinball_equals_the_quantile_loss_of_utilsforecast(frame, quantile):
    from utilsforecast import losses

    theirs = losses.quantile_loss(frame, models={"m": "q"}, q=quantile)["m"].item()
    assert metrics.pinball(frame["y"], frame["q"], quantile) == pytest.approx(theirs, rel=1e-12)


def test_coverage_equals_the_one_of_utilsforecast(frame):
    from utilsforecast import losses

    named = frame.rename(columns={"q": "m", "lo": "m-lo-80", "hi": "m-hi-80"})
    theirs = losses.coverage(named, models=["m"], level=80)["m"].item()
    assert metrics.coverage(frame["y"], frame["lo"], frame["hi"]) == pytest.approx(theirs)


def test_the_median_loses_half_the_absolute_error(frame):
    assert metrics.pinball(frame["y"], frame["q"], 0.5) == pytest.approx(
        metrics.mae(frame["y"], frame["q"]) / 2
    )


def test_the_interval_score_is_the_pinball_of_both_bounds():
    """For a central interval: ``IS = (2 / alpha) (pinball_lo + pinball_hi)``."""
    rng = np.random.default_rng(2)
    y, low = rng.normal(size=50), rng.normal(-1, 1, 50)
    high = low + rng.uniform(0, 2, 50)
    both = metrics.pinball(y, low, 0.1) + metrics.pinball(y, high, 0.9)
    assert metrics.interval_score(y, low, high, level=80) == pytest.approx(2 / 0.2 * both)


def test_the_true_interval_scores_better_than_any_wider_or_narrower_one():
    y = np.random.default_rng(3).normal(size=20_000)
    scores = {
        half: metrics.interval_score(y, np.full_like(y, -half), np.full_like(y, half), level=80)
        for half in (0.64, 0.96, 1.2816, 1.92, 2.56)
    }
    assert min(scores, key=scores.__getitem__) == 1.2816


def test_bounds_belong_to_the_interval_and_the_unobserved_is_not_counted():
    assert metrics.coverage([0.0, 1.0, NAN, 2.0], [0, 0, NAN, 0], [1, 1, NAN, 1]) == 2 / 3


def test_nothing_observed_gives_nan():
    assert math.isnan(metrics.coverage([NAN], [0.0], [1.0]))
    assert math.isnan(metrics.interval_score([], [], [], level=80))
    assert math.isnan(metrics.interval_width([], []))


def test_a_missing_bound_is_an_error_that_names_the_bound():
    with pytest.raises(DataError, match=r"upper is nan where y is observed \(row 1\)"):
        metrics.coverage([1.0, 2.0], [0.0, 0.0], [1.0, NAN])


def test_crossed_bounds_are_an_error_that_says_where():
    with pytest.raises(DataError, match=r"lower \(3\) is above upper \(1\) \(row 2\)") as caught:
        metrics.coverage([NAN, 1.0, 1.0], [0.0, 0.0, 3.0], [1.0, 1.0, 1.0])
    assert caught.value.code == "crossed_interval"


def test_options_out_of_range_come_with_advice():
    with pytest.raises(OptionError, match="quantile is 90; use a number between 0 and 1"):
        metrics.pinball([1.0], [1.0], 90)
    with pytest.raises(OptionError, match=r"level is 100; use per cent between 0 and 100"):
        metrics.interval_score([1.0], [0.0], [2.0], level=100)
    with pytest.raises(ShapeError, match=r"lower has shape \(1,\), but upper has shape \(2,\)"):
        metrics.interval_width([1.0], [1.0, 2.0])
