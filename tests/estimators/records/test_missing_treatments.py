"""What missing values cost a forecast: a small part of ``benchmarks/missing_treatments.py``."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
SHARE = 0.2


@pytest.fixture(scope="module")
def known():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("known_series")


@pytest.fixture(scope="module")
def small(known):
    """The benchmark on eighteen months, and a way to ask how far a treatment stays behind."""
    missing_treatments = importlib.import_module("missing_treatments")
    world = known.draw_world(np.random.default_rng(6), 8766, 4383)
    bench = missing_treatments.Bench(stride=5, steps=200)
    everything = np.ones(world.values.shape, bool)
    whole = bench.error(world, everything, list(missing_treatments.BEFORE))

    def behind(pattern, way):
        observed = known.PATTERNS[pattern].observed(SHARE, world, np.random.default_rng(56))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return bench.error(world, observed, way) / whole - 1

    return missing_treatments, behind


@pytest.mark.parametrize("pattern", ["random", "contiguous", "recurring", "by weekday"])
def test_the_advised_treatment_stays_near_complete_data_and_beats_the_mean(small, pattern):
    ours, behind = small
    advised = behind(pattern, ours.ADVISED)
    assert advised < ours.BOUNDS[SHARE]
    assert advised < behind(pattern, ours.WAYS["mean alone"])


def test_stale_values_carried_through_long_gaps_do_not(small):
    ours, behind = small
    assert behind("contiguous", ours.WAYS["forward alone"]) > ours.BOUNDS[SHARE]


def test_the_best_forecast_of_complete_data_errs_as_theory_says(known):
    world = known.draw_world(np.random.default_rng(0), 48, 8766)
    told = known.foretold(world, np.ones(world.values.shape, bool))
    missed = told - known.after(world, world.values[:, 0])[world.part(1)]
    ahead = 2 * np.array(known.HORIZONS)
    expected = 1 - known.COMMON**ahead + known.SIZE**2 * (1 - known.OWN**ahead)
    np.testing.assert_allclose(np.nanmean(missed**2, 0), expected, rtol=0.1)
