"""What a search promises: whichever way it ends, and whatever is wrong."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import recurra as rc
from recurra.errors import DataError, FileError, OptionError, TrainingError
from recurra.estimators.learning.learner import Learner
from recurra.estimators.loading import CLASSES
from recurra.testing.estimator_cases import CASES
from recurra.tuning import Choice, Folds, HeldOut, Origins, Real, Whole, default_space, tune
from recurra.tuning.defaults import SPACES
from recurra.tuning.space import check_space

X = [[k % 3, k % 3 + 1.0, k % 3] for k in range(30)]
Y = [float(k % 3) for k in range(30)]
LABELS = ["abc"[k % 3] for k in range(30)]
SPACE = {"hidden_size": Whole(2, 8), "training.learning_rate": Real(1e-3, 1e-2, log=True)}
BRIEF = rc.Training(steps=5, batch_size=8, check_every=2, progress=False)
MODEL = rc.Regressor(hidden_size=4, training=BRIEF)
ONCE = {"space": SPACE, "by": HeldOut(0.3), "refit": False, "progress": False}
SERIES = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": [0.0, 1.0, 2.0, 3.5, 3.0] * 12})
SERIES["y"] += np.random.default_rng(0).normal(0, 0.1, 60)


def facts(found):
    return found.trials.drop(columns="seconds").to_json()


def test_the_default_is_the_first_trial_and_the_best_is_taken_where_it_is_clearly_better():
    found = tune(MODEL, X, Y, trials=4, **ONCE)
    assert found.trials["hidden_size"][0] == 4
    assert found.default_score == found.trials["score"][0] > found.score
    assert found.score == found.trials["score"].min()
    assert found.parameters["hidden_size"] == found.trials["hidden_size"][found.best]
    assert found.confirmations[-1].gain > found.confirmations[-1].error > 0
    assert found.model is None


def test_the_same_seed_tries_the_same_to_the_bit_and_an_interrupted_search_goes_on_so(tmp_path):
    whole = tune(MODEL, X, Y, trials=11, seed=3, **ONCE)
    kept = {"storage": tmp_path / "a.journal", "seed": 3, **ONCE}
    tune(MODEL, X, Y, trials=4, **kept)
    assert facts(tune(MODEL, X, Y, trials=11, **kept)) == facts(whole)
    assert facts(tune(MODEL, X, Y, trials=11, seed=4, **ONCE)) != facts(whole)


def test_the_best_is_refitted_to_everything_and_the_estimator_stays():
    before = repr(MODEL.get_params())
    found = tune(MODEL, X, Y, trials=3, **{**ONCE, "refit": True})
    assert repr(MODEL.get_params()) == before
    assert not hasattr(MODEL, "network_")
    for name, value in found.parameters.items():
        assert value == (
            found.model.training.learning_rate if "." in name else getattr(found.model, name)
        )
    plain = rc.Regressor(**found.model.get_params(deep=False)).fit(X, Y)
    assert np.array_equal(plain.predict(X), found.model.predict(X)), "as if fitted by hand"


def test_a_training_that_follows_from_the_data_still_does_but_for_what_is_named():
    space = {"training.steps": Whole(3, 4)}
    found = tune(rc.Classifier(hidden_size=2), X, LABELS, trials=2, **{**ONCE, "space": space})
    assert found.trials["training.steps"].tolist()[0] is None
    assert found.trials["training.steps"][1] in (3, 4)
    assert found.measure == "log loss"


def test_groups_are_never_parted(monkeypatch):
    asked = []
    scores = rc.Regressor.scores
    monkeypatch.setattr(
        rc.Regressor, "scores", lambda self, part: asked.append(part.groups) or scores(self, part)
    )
    tune(MODEL, X, Y, trials=1, groups=[k // 3 for k in range(30)], **{**ONCE, "by": Folds(3)})
    assert sorted(each for part in asked for each in part) == sorted(k // 3 for k in range(30))
    first, second, third = (set(part) for part in asked)
    assert not first & second
    assert not (first | second) & third


def test_a_trial_that_does_worse_than_half_is_stopped_early():
    space = {"training.learning_rate": Choice((1e-3, 3e-3, 1e-2, 1e-9))}
    training = rc.Training(steps=24, batch_size=8, check_every=4, progress=False)
    model = rc.Regressor(hidden_size=4, validation=0.5, training=training)
    how = {**ONCE, "space": space}
    found = tune(model, X, Y, trials=14, **how)
    stopped = found.trials[found.trials["state"] == "stopped early"]
    assert len(stopped)
    assert stopped["score"].isna().all()
    plain = tune(model, X, Y, trials=14, pruning=False, **how)
    assert (plain.trials["state"] == "finished").all()


def test_when_the_time_is_up_the_first_trial_is_finished_and_the_next_call_goes_on(tmp_path):
    kept = {"storage": tmp_path / "a.journal", **ONCE}
    found = tune(MODEL, X, Y, seconds=1e-6, **kept)
    assert found.trials["state"].tolist() == ["finished"]
    assert len(tune(MODEL, X, Y, trials=2, **kept).trials) == 2


def test_a_trial_that_raises_is_recorded_with_its_message_and_the_search_goes_on():
    space = {"pooling": Choice((("last",), ("lst",)))}
    found = tune(MODEL, X, Y, trials=8, **{**ONCE, "space": space})
    failed = found.trials[found.trials["state"] == "failed"]
    assert len(failed)
    assert failed["error"].str.contains("'lst' is no way of pooling").all()
    assert f"note: trial {failed['trial'].iloc[0]} failed: OptionError" in str(found)


def raising(error):
    def score(*given, **more):
        raise error

    return score


def test_if_every_trial_fails_it_is_said_why(monkeypatch):
    monkeypatch.setattr(rc.Regressor, "scores", raising(TrainingError("It diverged.")))
    with pytest.raises(TrainingError, match=r"None of 2 trials finished.*It diverged"):
        tune(MODEL, X, Y, trials=2, **ONCE)


def test_ctrl_c_leaves_the_place_open(tmp_path, monkeypatch):
    kept = {"storage": tmp_path / "a.journal", **ONCE}
    tune(MODEL, X, Y, trials=1, **kept)
    with monkeypatch.context() as patch:
        patch.setattr(rc.Regressor, "scores", raising(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            tune(MODEL, X, Y, trials=2, **kept)
    found = tune(MODEL, X, Y, trials=2, **kept)
    assert found.trials["state"].tolist() == ["finished", "finished"]
    assert found.trials["attempts"].tolist() == [1, 2]


def compared(found):
    return sum(2 * each.pairs for each in found.confirmations)


def test_folds_scored_before_a_search_was_cut_short_are_not_learned_again(tmp_path, monkeypatch):
    how = {**ONCE, "by": Folds(3), "pruning": False}
    whole = tune(MODEL, X, Y, trials=2, **how)
    scores, asked = rc.Regressor.scores, []

    def cut_short(self, part):
        asked.append(part)
        if len(asked) == 6:
            raise KeyboardInterrupt
        return scores(self, part)

    monkeypatch.setattr(rc.Regressor, "scores", cut_short)
    kept = {"storage": tmp_path / "a.journal", **how}
    with pytest.raises(KeyboardInterrupt):
        tune(MODEL, X, Y, trials=2, **kept)
    found = tune(MODEL, X, Y, trials=2, **kept)
    assert len(asked) - compared(found) == 7, "the sixth alone was asked again"
    assert found.trials["attempts"].tolist() == [1, 2]
    assert found.trials["score"].tolist() == whole.trials["score"].tolist(), "to the bit"


@pytest.mark.parametrize("name", ["MASE", "OWA", "RMSE"])
def test_series_are_scored_from_origins_in_their_past(name):
    model = rc.Forecaster(hidden_size=4, training=BRIEF)
    space = {"hidden_size": Whole(2, 8)}
    found = tune(model, SERIES, trials=2, space=space, metric=name, by=Origins(4, 2))
    assert found.judged_on == "4 steps from 2 origins, of 1 series"
    assert len(found.model.predict(h=2)) == 2
    if name == "MASE":
        frame = model.cross_validation(SERIES, h=4, n_windows=2)
        scores = rc.evaluation.compare(frame, SERIES).table.loc["LSTM"]
        assert found.default_score == pytest.approx(scores["MASE"])


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_estimator_is_tuned_in_the_space_of_its_class(name):
    case = CASES[name]()
    space = {k: v for k, v in default_space(case.estimator).items() if "hidden_size" not in k}
    found = tune(case.estimator, case.X, case.y, trials=2, space=space, refit=False, progress=False)
    assert found.trials["state"][0] == "finished", found.trials["error"][0]
    assert found.trials["state"][1] in ("finished", "stopped early"), found.trials["error"][1]


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_there_is_a_space_for_every_class_and_it_fits(name):
    assert name in SPACES
    model = CLASSES[name]()
    check_space(default_space(model), model)
    assert "bidirectional" not in default_space(model, offline=False)
    assert issubclass(CLASSES[name], Learner | rc.Forecaster)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trials": None}, "There is no budget"),
        ({"trials": 0}, "trials=0"),
        ({"seconds": -1}, "seconds=-1"),
        ({"space": {}}, "The space is empty"),
        ({"space": {"hiden_size": Whole(1, 2)}}, "Did you mean 'hidden_size'?"),
        ({"space": {"training.rate": Real(0, 1)}}, "no parameter 'training.rate'"),
        ({"space": {"hidden_size": [8, 16]}}, "it is Choice"),
        ({"metric": "acuracy"}, "not scored by metric='acuracy'"),
        ({"by": Origins(3)}, "records are judged by HeldOut"),
        ({"validation": 0.2}, "is for fit"),
    ],
)
def test_what_is_wrong_is_said_at_once(changes, said):
    with pytest.raises(OptionError, match=said):
        tune(MODEL, X, Y, **{"trials": 2, **ONCE, **changes})


def test_wrong_data_and_estimators_are_refused_before_anything_is_tried(tmp_path):
    with pytest.raises(DataError, match="y is missing"):
        tune(MODEL, X, trials=1, **ONCE)
    with pytest.raises(OptionError, match=r"such as recurra\.Classifier"):
        tune("Classifier", X, Y, trials=1, space=SPACE)
    with pytest.raises(FileError, match="is a directory"):
        tune(MODEL, X, Y, trials=1, storage=tmp_path, **ONCE)


def test_a_study_of_something_else_is_refused(tmp_path):
    kept = {"storage": tmp_path / "a.journal", **ONCE}
    tune(MODEL, X, Y, trials=1, **kept)
    with pytest.raises(OptionError, match="has another data"):
        tune(MODEL, X, [2 * each for each in Y], trials=1, **kept)
    with pytest.raises(OptionError, match="has another estimator"):
        tune(rc.Regressor(hidden_size=5, training=BRIEF), X, Y, trials=1, **kept)
    again = tune(rc.Regressor(hidden_size=5, training=BRIEF), X, Y, trials=1, study="b", **kept)
    assert len(again.trials) == 1


def test_a_database_keeps_a_study_too(tmp_path):
    kept = {"storage": f"sqlite:///{tmp_path / 'a.db'}", **ONCE}
    first = tune(MODEL, X, Y, trials=2, **kept)
    assert facts(tune(MODEL, X, Y, trials=2, **kept)) == facts(first)
    assert facts(first) == facts(tune(MODEL, X, Y, trials=2, **ONCE))


def test_a_picture_shows_every_trial():
    pytest.importorskip("matplotlib")
    found = tune(MODEL, X, Y, trials=3, **ONCE)
    axes = found.plot().axes[0]
    assert axes.lines[0].get_xdata().tolist() == [0, 1, 2]
    assert json.loads(facts(found))["score"]["1"] == pytest.approx(axes.lines[0].get_ydata()[1])


@pytest.mark.parametrize("wrong", [(Choice, ((1,),)), (Choice, ("ab",)), (Whole, (3, 3)),
                                   (Whole, (1, 2.5)), (Real, (0.0, 1.0, True)), (Real, (2, 1)),
                                   (Folds, (1,)), (HeldOut, (1.0,)), (Origins, (0,))])  # fmt: skip
def test_impossible_values_are_refused_where_they_are_written(wrong):
    kind, given = wrong
    with pytest.raises(OptionError):
        kind(*given)
