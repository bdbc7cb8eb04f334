"""A training that keeps to its time."""

from __future__ import annotations

import time

import pandas as pd
import pytest

from recurra import Forecaster, Training
from recurra.data import from_frame
from recurra.tuning.auto_budget import Budget, train_within

PANEL = from_frame(pd.DataFrame({"unique_id": "a", "ds": range(60), "y": [1.0, 2.0, 4.0] * 20}))


def test_a_short_training_is_as_it_ever_was() -> None:
    training = Training(steps=30)
    model = Forecaster(hidden_size=4, training=training)
    assert train_within(model, PANEL, 30.0)
    alone = Forecaster(hidden_size=4, training=training)._fit(PANEL)
    assert model.log_.loss == alone.log_.loss
    assert model.training == training


def test_a_long_one_is_planned_shorter_so_that_its_schedule_ends() -> None:
    training = Training(steps=10**6, patience=None)
    model = Forecaster(hidden_size=4, training=training)
    begun = time.monotonic()
    assert not train_within(model, PANEL, 1.0)
    assert time.monotonic() - begun < 2.0
    assert 20 < len(model.log_.loss) < 10**5
    assert model.training == training


def test_one_without_time_makes_a_step_and_ends() -> None:
    model = Forecaster(hidden_size=4, training=Training(steps=1000))
    assert not train_within(model, PANEL, 0.0)
    assert len(model.log_.loss) <= 2


def test_a_budget_runs_out_and_never_below_zero() -> None:
    budget = Budget(0.01)
    time.sleep(0.02)
    assert budget.left == 0.0
    assert budget.spent == pytest.approx(0.02, abs=0.5)
