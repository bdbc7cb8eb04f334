"""Treatments of series before a network reads them, and the way back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from recurra.data import Panel, from_frame
from recurra.tuning.auto_treatments import TREATMENTS, possible_treatments, treat

MONTH = np.array([0.5, 1.0, 1.5, 1.0])


def panel(lengths: tuple[int, ...] = (24, 23)) -> Panel:
    """Series with a season of four steps; the second ends elsewhere in it."""
    parts = [
        pd.DataFrame({"unique_id": i, "ds": range(n), "y": (10 + i) * np.resize(MONTH, n)})
        for i, n in enumerate(lengths)
    ]
    return from_frame(pd.concat(parts))


@pytest.mark.parametrize("how", TREATMENTS)
def test_the_way_back_of_what_comes_next_is_what_comes_next(how: str) -> None:
    whole = panel((28, 27))
    past, coming = whole.split(4)
    ahead = treat(whole, how, 4).panel.split(4)[1].target.reshape(2, 4)
    found = treat(past, how, 4).back(ahead)
    assert found == pytest.approx(coming.target.reshape(2, 4))


def test_adjusted_series_have_no_season_left() -> None:
    treated = treat(panel(), "adjusted", 4)
    assert treated.panel.record(0).target == pytest.approx(np.full(24, 10.0))
    assert treated.panel.record(1).target == pytest.approx(np.full(23, 11.0), rel=0.01)


def test_an_index_is_learned_from_nothing_that_comes_later() -> None:
    whole = panel((40, 40))
    whole.target[30] = 1e6
    cut = whole.before(np.array([24, 24]))
    assert (treat(cut, "adjusted", 4).index == treat(panel((24, 24)), "adjusted", 4).index).all()


def test_holes_stay_holes() -> None:
    data = panel()
    data.target[5] = np.nan
    for how in TREATMENTS:
        assert np.flatnonzero(np.isnan(treat(data, how, 4).panel.target)).tolist() == [5]


def test_only_what_series_can_have_is_possible() -> None:
    assert possible_treatments(panel(), 4) == TREATMENTS
    assert possible_treatments(panel(), 1) == ("as it is", "log")
    data = panel()
    data.target[3] = 0.0
    assert possible_treatments(data, 1) == ("as it is",)


def test_a_forecast_that_explodes_stays_a_number() -> None:
    assert np.isfinite(treat(panel(), "log", 4).back(np.full((2, 3), 1e9))).all()
