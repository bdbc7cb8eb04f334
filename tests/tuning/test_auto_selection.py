"""Greedy selection: what is averaged, and how far the average may go."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from recurra import metrics
from recurra.data import from_frame
from recurra.evaluation import Naive2
from recurra.tuning.auto_selection import best_reach, limited, select
from recurra.tuning.auto_windows import Windows


@pytest.fixture(scope="module")
def windows() -> Windows:
    random = np.random.default_rng(0)
    parts = [
        pd.DataFrame({"unique_id": i, "ds": range(40), "y": 50 + random.normal(size=40).cumsum()})
        for i in range(5)
    ]
    return Windows.of(from_frame(pd.concat(parts)), 4, 2, 1)


def costs(windows: Windows, forecasts: list[np.ndarray]) -> list[float]:
    return [windows.cost(each[0], "MASE") for each in forecasts]


def test_scores_are_those_of_the_metrics(windows: Windows) -> None:
    forecasts = windows.actual + np.random.default_rng(1).normal(size=windows.actual.shape)
    pairs = [
        (window.train.record(i).target, windows.actual[w, i], forecasts[w, i])
        for w, window in enumerate(windows.windows)
        for i in range(5)
    ]
    found = windows.scores(forecasts)
    smape = np.mean([metrics.smape(y, f) for _, y, f in pairs])
    mase = np.mean([metrics.mase(y, f, past) for past, y, f in pairs])
    assert found["sMAPE"] == pytest.approx(smape)
    assert found["MASE"] == pytest.approx(mase)
    assert found["RMSE"] == pytest.approx(np.mean([metrics.rmse(y, f) for _, y, f in pairs]))
    naive = windows.scores(windows.baseline(Naive2(1)))
    assert found["OWA"] == pytest.approx(metrics.owa(smape, mase, naive["sMAPE"], naive["MASE"]))


def test_no_network_may_learn_from_what_is_scored(windows: Windows) -> None:
    assert windows.train.lengths.tolist() == [32] * 5
    assert [each.train.lengths[0] for each in windows.windows] == [32, 36]
    assert windows.actual.shape == (2, 5, 4)


def test_errors_that_cancel_are_averaged(windows: Windows) -> None:
    low, high = windows.actual[None] - 2, windows.actual[None] + 2
    far = windows.actual[None] + 2.4
    forecasts = [low, high, far]
    found = select(forecasts, costs(windows, forecasts), windows, "MASE", most=3)
    assert found.weights == (0.5, 0.5, 0.0)
    assert found.cost == pytest.approx(0.0)


def test_no_more_than_so_many_models_are_averaged(windows: Windows) -> None:
    random = np.random.default_rng(3)
    forecasts = [windows.actual[None] + random.normal(size=(1, 2, 5, 4)) for _ in range(6)]
    for most in (1, 2):
        found = select(forecasts, costs(windows, forecasts), windows, "MASE", most)
        assert sum(weight > 0 for weight in found.weights) == most
        assert sum(found.weights) == pytest.approx(1.0)


def test_one_that_failed_or_is_far_worse_has_no_weight(windows: Windows) -> None:
    good, bad = windows.actual[None] + 1.0, windows.actual[None] - 30.0
    failed = np.full_like(good, np.inf)
    found = select([bad, good, failed], [30.0, 1.0, np.inf], windows, "MASE", most=3)
    assert found.weights == (0.0, 1.0, 0.0)


def test_an_explosion_is_cut_off_in_the_windows_and_afterwards(windows: Windows) -> None:
    wild = windows.actual[None] + 0.1
    wild[0, :, 2] = 1e9
    cost, reach = best_reach(wild, windows, "MASE")
    assert reach == 0.25
    assert cost < 100
    seeds = np.concatenate([wild, windows.actual[None]])
    assert best_reach(seeds, windows, "MASE")[1] == 0.25
    assert select([seeds], [cost], windows, "MASE", most=1).reach == 0.25


def test_where_nothing_is_cut_off_a_limit_stays_all_the_same(windows: Windows) -> None:
    assert best_reach(windows.actual[None].copy(), windows, "MASE")[1] == 1.0


def test_forecasts_stay_within_ranges_of_the_past() -> None:
    frame = pd.DataFrame({"unique_id": list("aaab"), "ds": [0, 1, 2, 0], "y": [2.0, np.nan, 6, 5]})
    panel = from_frame(frame)
    found = limited(np.array([[-9.0, 3.0, 99.0], [1.0, 5.0, 9.0]]), panel, 0.5)
    assert found.tolist() == [[0.0, 3.0, 8.0], [5.0, 5.0, 5.0]]
