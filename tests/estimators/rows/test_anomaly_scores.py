"""Ranges, fresh scores, and the windowed Gaussian, against plain definitions."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from recurra.estimators.rows.anomaly_scores import (
    WEIGHT,
    Fresh,
    Novelty,
    Ranges,
    fresh_scores,
    windowed_gaussian,
)
from recurra.metrics import nab_score

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[4] / "shared" / "data"))
NONE = np.array([np.nan])


def known():
    return Ranges(np.array([0.0]), np.array([10.0]), np.array([0.0]), np.array([2.0]))


def test_a_value_is_scored_in_spans_beyond_what_was_seen():
    novelty = Novelty(known(), 1, adapts=False)
    scores = [novelty.step(np.array([value]), NONE) for value in (10.0, 15.0, -1.0, 5.0)]
    assert scores == pytest.approx([0.0, 0.5, 0.1, -0.5])


def test_what_has_been_seen_is_odd_no_more():
    adapting, fixed = (Novelty(known(), 1, adapts) for adapts in (True, False))
    again = [[each.step(np.array([20.0]), NONE) for _ in range(2)] for each in (adapting, fixed)]
    assert again == [[1.0, 0.0], [1.0, 1.0]]


def test_errors_are_averaged_before_they_count():
    novelty = Novelty(known(), 2, adapts=False)
    value = np.array([5.0])
    assert novelty.step(value, np.array([6.0])) == -0.5  # an average of one does not count
    assert novelty.step(value, np.array([1.0])) == pytest.approx(WEIGHT * (3.5 - 2) / 2)
    assert novelty.step(value, NONE) == pytest.approx(WEIGHT * (0 - 1) / 2)


def test_the_oddest_channel_counts_and_missing_ones_do_not():
    ranges = Ranges(np.zeros(2), np.ones(2), np.full(2, np.inf), np.full(2, -np.inf))
    novelty = Novelty(ranges, 1, adapts=True)
    assert novelty.step(np.array([0.5, 3.0]), np.full(2, np.nan)) == 2.0
    assert novelty.step(np.array([4.0, np.nan]), np.full(2, np.nan)) == 3.0
    assert np.isnan(novelty.step(np.full(2, np.nan), np.full(2, np.nan)))
    assert ranges.high.tolist() == [4.0, 3.0]


def test_nothing_is_odd_before_anything_was_seen():
    novelty = Novelty(Ranges.none(1), 1, adapts=True)
    assert np.isnan(novelty.step(np.array([5.0]), NONE))
    assert novelty.step(np.array([6.0]), NONE) > 0


def test_a_fresh_score_is_higher_than_all_of_the_steps_before_it():
    scores = np.random.default_rng(0).random(300).round(2)
    plain = [
        score if score > max(scores[max(k - 7, 0) : k], default=-1) else -np.inf
        for k, score in enumerate(scores)
    ]
    assert np.array_equal(fresh_scores(scores, 7), plain)


def test_unknown_scores_hide_nothing():
    assert fresh_scores([1.0, np.nan, 0.5, 2.0], 5).tolist() == [1.0, -np.inf, -np.inf, 2.0]


def test_the_memory_of_fresh_scores_is_bounded():
    fresh = Fresh(10)
    for score in np.linspace(5, 0, 1000):
        fresh.step(score)
    assert len(fresh._higher) <= 11


def test_the_windowed_gaussian_is_that_of_its_window():
    values = np.random.default_rng(0).normal(size=60)
    told = windowed_gaussian(values, window=20, every=5)
    for row, stop in ((1, 1), (15, 15), (20, 20), (24, 20), (25, 25), (44, 40)):
        part = values[max(stop - 20, 0) : stop]
        z = abs(values[row] - part.mean()) / (part.std() or 1e-6)
        assert told[row] == pytest.approx(norm.cdf(z))


def test_the_windowed_gaussian_passes_over_what_is_missing():
    values = np.array([1.0, 2.0, np.nan, 1.0, 2.0, 9.0])
    told = windowed_gaussian(values)
    assert np.isnan(told[2])
    assert np.array_equal(np.delete(told, 2), windowed_gaussian(np.delete(values, 2)))


@pytest.mark.skipif(not (DATA / "irr_nab").is_dir(), reason="no irr_nab in RECURRA_DATA")
def test_the_windowed_gaussian_scores_on_nab_what_was_published():
    import runpy

    bench = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "nab.py"))
    recordings = bench["read"]()
    scores = [windowed_gaussian(each.values).round(bench["DIGITS"]) for each in recordings]
    windows = [each.windows for each in recordings]
    published = {"standard": 39.65, "reward_low_FP_rate": 20.87, "reward_low_FN_rate": 47.41}
    for profile, value in published.items():
        assert round(nab_score(scores, windows, profile=profile).value, 2) == value
