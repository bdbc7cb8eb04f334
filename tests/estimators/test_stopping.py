"""A training that is stopped by the first score of the report instead of the loss."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recurra import Classifier, Forecaster, Regressor, Training
from recurra.errors import OptionError
from recurra.estimators.learning.report import Score, is_greater_better
from recurra.estimators.learning.stopping import score_to_stop_by
from recurra.testing.estimator_cases import CASES

BY_SCORE = Training(
    steps=12, batch_size=16, warmup=0, check_every=3, stop_by="score", progress=False
)


@pytest.mark.parametrize("name", [name for name in CASES if name != "AnomalyDetector"])
def test_the_weights_that_are_kept_are_those_of_the_best_score(name):
    case = CASES[name]()
    model = case.estimator.set_params(training=replace(BY_SCORE, steps=6), validation=0.3)
    model.fit(case.X, case.y)
    first = model.report().scores[0]
    sign = -1.0 if is_greater_better(first.measure) else 1.0
    assert model.report().held_back
    best = min(found for _, found in model.log_.validation)
    assert best == pytest.approx(sign * first.value, abs=1e-4)


def test_how_many_anomalies_there_are_is_no_score():
    case = CASES["AnomalyDetector"]()
    model = case.estimator.set_params(training=BY_SCORE)
    with pytest.raises(OptionError, match=r"events .* does not say how good it is"):
        model.fit(case.X, case.y)
    assert not hasattr(model, "network_")


def test_of_weights_that_score_alike_those_of_the_lower_loss_are_better():
    losses = iter([0.7, 0.5])
    check = score_to_stop_by(lambda: [Score("model", "accuracy", 1.0)], lambda: next(losses))
    assert check() > check() > -1.0


def test_where_nothing_can_be_scored_it_is_said():
    with pytest.raises(OptionError, match="nothing held back can be scored"):
        score_to_stop_by(lambda: [], lambda: 1.0)()


def walks():
    chance = np.random.default_rng(0)
    X = [chance.normal(size=(8, 1)).cumsum(0) for _ in range(80)]
    return X, [float(record.max()) for record in X]


def test_it_is_gone_on_with_to_the_same_bits(tmp_path):
    class Stopped(Exception):  # noqa: N818 - it is no error
        pass

    def stop(moment):
        if moment.step == 7:
            raise Stopped

    def model():
        return Regressor(hidden_size=4, training=BY_SCORE, validation=0.25)

    whole = model().fit(*walks())
    with pytest.raises(Stopped):
        model().fit(*walks(), callbacks=[stop], checkpoint=tmp_path)
    again = model().fit(*walks(), checkpoint=tmp_path)
    assert again.log_.validation == whole.log_.validation
    np.testing.assert_array_equal(again.predict(walks()[0]), whole.predict(walks()[0]))


def test_a_score_needs_something_held_back():
    X, y = walks()
    model = Regressor(hidden_size=2, validation=0.0, training=BY_SCORE)
    with pytest.raises(OptionError, match=r"stop_by='score' needs checks, but nothing is held"):
        model.fit(X, y)


@pytest.mark.parametrize("how", [{}, {"schedule": "plateau"}])
def test_rounds_without_checks_go_on_without_it(how):
    X, y = walks()
    model = Regressor(hidden_size=2, training=replace(BY_SCORE, **how))
    assert len(model.partial_fit(X, y).partial_fit(X, y).log_.loss) == 5


def test_the_end_of_a_text_is_learned_without_checks():
    case = CASES["LanguageModel"]()
    model = case.estimator.set_params(training=replace(BY_SCORE, schedule="plateau"))
    assert model.set_params(validation=0.3).fit(case.X).log_.validation


def test_one_that_was_fitted_before_stays_where_it_fails():
    X = [[float(k % 2), float(k % 3)] for k in range(60)]
    y = ["odd" if k % 2 else "even" for k in range(60)]
    model = Classifier(hidden_size=2, training=BY_SCORE, warm_start=True, validation=0.3).fit(X, y)
    before = model.predict_proba(X)

    def fail(moment):
        raise ValueError(moment.step)

    with pytest.raises(ValueError, match="1"):
        model.fit(X, y, callbacks=[fail])
    np.testing.assert_array_equal(model.predict_proba(X), before)


def series(level=0.0, size=1.0):
    stamps = pd.date_range("2024-01-01", periods=90, freq="D")
    chance = np.random.default_rng(0)
    values = level + size * (np.sin(np.arange(90.0)) + 0.1 * chance.normal(size=90))
    return pd.DataFrame({"unique_id": "a", "ds": stamps, "y": values})


def test_a_forecaster_is_stopped_by_how_far_its_forecasts_are_off():
    options = replace(BY_SCORE, steps=40, learning_rate=0.02, check_every=10)
    model = Forecaster(hidden_size=8, training=options).fit(series())
    found = dict(model.log_.validation)
    assert found[40] < found[2]
    assert 0.05 < min(found.values()) < 3.0
    assert found[model.log_.best_step] == min(found.values())
    larger = Forecaster(hidden_size=8, training=options).fit(series(50.0, 10.0))
    assert [*dict(larger.log_.validation).values()] == pytest.approx([*found.values()], rel=1e-2)


def test_series_that_never_change_have_no_such_score():
    df = series()
    df["y"] = 3.0
    with pytest.raises(OptionError, match=r"no series that changes .* stop_by='loss'"):
        Forecaster(hidden_size=2, training=BY_SCORE).fit(df)
