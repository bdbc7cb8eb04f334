"""Every estimator finds a learning rate, and stays as it is."""

import numpy as np
import pandas as pd
import pytest

from recurra import Classifier, Forecaster, Regressor, Training
from recurra.errors import DataError
from recurra.testing.estimator_cases import CASES


@pytest.mark.parametrize("name", CASES)
def test_every_estimator_finds_one_and_stays_unfitted(name):
    case = CASES[name]()
    before = dict(vars(case.estimator))
    curve = case.estimator.find_learning_rate(case.X, case.y)
    assert 1e-7 < curve.suggestion < 1.0
    assert np.isfinite(curve.losses).all()
    assert vars(case.estimator) == before
    assert curve == case.estimator.find_learning_rate(case.X, case.y)


def series():
    stamps = pd.date_range("2024-01-01", periods=80, freq="D")
    values = 10 + np.sin(2 * np.pi * np.arange(80.0) / 7)
    return pd.DataFrame({"unique_id": "a", "ds": stamps, "y": values})


def test_so_does_a_forecaster():
    model = Forecaster(hidden_size=8)
    before = dict(vars(model))
    curve = model.find_learning_rate(series())
    assert 1e-4 < curve.suggestion < 1.0
    assert vars(model) == before


def test_a_fitted_one_answers_as_before():
    model = Forecaster(hidden_size=4, training=Training(steps=3, progress=False)).fit(series())
    before = model.predict(3)
    model.find_learning_rate(series())
    pd.testing.assert_frame_equal(model.predict(3), before)


def test_the_rate_learns_more_than_one_a_hundred_times_smaller():
    chance = np.random.default_rng(0)
    X = [chance.normal(size=(10, 1)).cumsum(0) for _ in range(200)]
    y = [float(record.max()) for record in X]
    rate = Regressor(hidden_size=8).find_learning_rate(X, y).suggestion
    losses = []
    for each in (rate, rate / 100):
        training = Training(steps=80, batch_size=32, learning_rate=each, progress=False)
        log = Regressor(hidden_size=8, training=training).fit(X, y).log_
        losses.append(min(loss for _, loss in log.validation))
    assert losses[0] < 0.5 * losses[1]


def test_wrong_data_are_refused_as_by_fit():
    with pytest.raises(DataError, match="y is missing"):
        Classifier().find_learning_rate([[1.0], [2.0]])
