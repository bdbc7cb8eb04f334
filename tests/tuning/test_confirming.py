"""What is best in a search is taken only if it beats the default on fresh parts of the data."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import recurra as rc
from recurra.errors import TrainingError
from recurra.testing.estimator_cases import CASES
from recurra.tuning import Folds, HeldOut, Origins, Whole, search, tune
from recurra.tuning.confirming import Confirmation, count_pairs, standard_error
from recurra.tuning.judging import judge_for

X = [[k % 3, k % 3 + 1.0, k % 3] for k in range(30)]
Y = [float(k % 3) for k in range(30)]
BRIEF = rc.Training(steps=5, batch_size=8, progress=False)
MODEL = rc.Regressor(hidden_size=4, training=BRIEF)
HOW = {"space": {"hidden_size": Whole(2, 64)}, "refit": False, "progress": False}


@dataclass
class Pretending:
    """Judges by what a hidden size is worth, and by chance, some of it shared by a pair."""

    worth: float
    noise: float = 1.0
    seconds: float = 0.0
    measure, greater, told, digest, trainings, share = "points", True, "nothing", "0", 5, 0.2

    def score(self, model, onlooker):
        time.sleep(self.seconds)
        for look in onlooker.callbacks(alone=True):
            look(SimpleNamespace(validation=None))
        chance = np.random.default_rng([model.hidden_size, model.seed]).normal()
        shared = np.random.default_rng(model.seed).normal()
        return self.worth * (model.hidden_size > 4) + self.noise * chance + 10 * shared

    def fresh(self, part, seed):
        return self


def pretend(monkeypatch, *given):
    monkeypatch.setattr(search, "judge_for", lambda *data: Pretending(*given))


def test_the_luckiest_of_what_is_worse_is_not_taken(monkeypatch):
    pretend(monkeypatch, -0.5)
    found = [tune(MODEL, X, Y, trials=15, seed=seed, **HOW) for seed in range(10)]
    lucky = [each for each in found if each.best]
    assert len(lucky) >= 9
    assert all(each.trials["score"].max() > each.default_score for each in lucky)
    kept = [each for each in lucky if not each.parameters]
    assert len(kept) >= len(lucky) - 2
    for each in kept:
        assert not any(one.holds for one in each.confirmations)
        assert each.score == each.default_score
        assert "Kept the default." in str(each)


def test_what_is_truly_better_is_taken_and_told(monkeypatch):
    pretend(monkeypatch, 3.0)
    for seed in range(5):
        found = tune(MODEL, X, Y, trials=15, seed=seed, **HOW)
        (last,) = found.confirmations
        assert found.parameters == {"hidden_size": found.trials["hidden_size"][found.best]}
        assert last.gain == pytest.approx(3.0, abs=2.0)
        assert "fresh parts: taken\nwith" in str(found)


def test_if_the_best_was_lucky_the_next_is_asked_and_three_at_most(monkeypatch):
    def score(self, model, onlooker):
        return self.fits[model.hidden_size] if model.seed else float(model.hidden_size > 4)

    monkeypatch.setattr(Pretending, "score", score)
    pretend(monkeypatch, 0.0)
    fits = dict.fromkeys(range(65), -1.0) | {4: 0.0}
    monkeypatch.setattr(Pretending, "fits", fits, raising=False)
    found = tune(MODEL, X, Y, trials=8, **HOW)
    asked = [each.trial for each in found.confirmations]
    assert asked == sorted(asked)
    assert len(asked) == 3
    assert found.parameters == {}
    sizes = found.trials["hidden_size"]
    monkeypatch.setattr(Pretending, "fits", fits | {sizes[asked[1]]: 1.0})
    found = tune(MODEL, X, Y, trials=8, **HOW)
    assert [each.holds for each in found.confirmations] == [False, True]
    assert found.parameters == {"hidden_size": sizes[asked[1]]}


def test_the_default_is_refitted_where_it_was_kept(monkeypatch):
    pretend(monkeypatch, -0.5)
    found = tune(MODEL, X, Y, trials=15, **{**HOW, "refit": True})
    assert found.best > 0
    assert not any(each.holds for each in found.confirmations)
    assert repr(found.model.get_params()) == repr(MODEL.get_params())


def test_a_comparison_takes_a_fifth_of_the_trainings_and_ends_in_time(monkeypatch):
    assert [count_pairs(*each) for each in ((50, 5), (50, 1), (2, 1))] == [20, 5, 3]
    pretend(monkeypatch, 3.0, 1.0, 0.02)
    begun = time.monotonic()
    found = tune(MODEL, X, Y, seconds=2.0, **HOW)
    assert time.monotonic() - begun < 3.0
    assert found.trials["seconds"].sum() < 1.8, "the last fifth is kept"
    assert found.confirmations[0].pairs < found.confirmations[0].wanted, (
        "all would take four times longer"
    )


def test_where_no_time_is_left_the_default_is_kept_and_the_next_call_goes_on(monkeypatch, tmp_path):
    pretend(monkeypatch, 3.0, 1.0, 0.02)
    kept = {"storage": tmp_path / "a.journal", **HOW}
    with monkeypatch.context() as patch:
        patch.setattr(search, "SHARE", 0.0)
        found = tune(MODEL, X, Y, seconds=0.5, **kept)
    assert found.best > 0
    assert found.parameters == {}
    assert "scored on 0 of" in str(found)
    assert str(found).endswith("Give more seconds, or call again on the same storage.")
    trials = len(found.trials)
    found = tune(MODEL, X, Y, trials=trials, **kept)
    assert found.confirmations[0].pairs == found.confirmations[0].wanted
    assert found.parameters
    late = tune(MODEL, X, Y, trials=trials, seconds=1e-6, **kept)
    assert late.confirmations == found.confirmations, "what is there counts, whatever the time"


def test_a_comparison_that_was_cut_short_is_gone_on_with(monkeypatch, tmp_path):
    pretend(monkeypatch, 3.0)
    whole = tune(MODEL, X, Y, trials=6, **HOW)
    score, asked = Pretending.score, []

    def cut_short(self, model, onlooker):
        asked.append(model)
        if len(asked) == 9:  # the third training after six trials
            raise KeyboardInterrupt
        return score(self, model, onlooker)

    monkeypatch.setattr(Pretending, "score", cut_short)
    kept = {"storage": tmp_path / "a.journal", **HOW}
    with pytest.raises(KeyboardInterrupt):
        tune(MODEL, X, Y, trials=6, **kept)
    found = tune(MODEL, X, Y, trials=6, **kept)
    (compared,) = found.confirmations
    assert len(asked) == 6 + 2 * compared.wanted + 1, "the third alone was asked again"
    assert compared.gain == whole.confirmations[0].gain
    tune(MODEL, X, Y, trials=6, **kept)
    assert len(asked) == 6 + 2 * compared.wanted + 1, "all was done by then"


@pytest.mark.parametrize("default", [False, True])
def test_if_the_trial_or_the_default_fails_on_fresh_parts_the_default_is_kept(monkeypatch, default):
    pretend(monkeypatch, 3.0)
    score = Pretending.score

    def fails(self, model, onlooker):
        if model.seed and (model.hidden_size == 4) == default:
            raise TrainingError("It diverged.")
        return score(self, model, onlooker)

    monkeypatch.setattr(Pretending, "score", fails)
    found = tune(MODEL, X, Y, trials=6, **HOW)
    assert found.parameters == {}
    assert "failed on fresh parts: not taken\n  TrainingError: It diverged." in str(found)


def test_the_error_grows_with_the_records_that_parts_share():
    gains = np.array([1.0, 2.0, 3.0])
    assert standard_error(gains, 1e-12) == pytest.approx(1 / np.sqrt(3)), "as of independent ones"
    assert standard_error(gains, 0.2) == pytest.approx(np.sqrt(1 / 3 + 1 / 4))
    assert np.isnan(standard_error(gains[:2], 0.2))


@pytest.mark.parametrize(
    ("gain", "error", "pairs", "said"),
    [
        (0.02, 0.01, 15, "7 gains 0.02 (standard error 0.01) on 15 fresh parts: taken"),
        (0.004, 0.006, 15, "7 gains 0.004 (standard error 0.006) on 15 fresh parts: taken"),
        (0.004, 0.009, 15, "7 gains 0.004 (standard error 0.009) on 15 fresh parts: not taken"),
        (-0.004, 0.006, 15, "7 loses 0.004 (standard error 0.006) on 15 fresh parts: not taken"),
        (0.5, float("nan"), 2, "7 and the default were scored on 2 of 15 fresh parts alone: not"),
    ],
)
def test_the_decision_is_a_sentence(gain, error, pairs, said):
    assert said in str(Confirmation(7, gain, error, pairs, 15, 80.0))


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_estimator_is_scored_on_fresh_parts(name):
    case = CASES[name]()
    judge = judge_for(case.estimator, (case.X, case.y, {}), None, None)
    watch = SimpleNamespace(known=(), callbacks=lambda alone: ())
    model = clone(case.estimator).set_params(seed=2**31)
    assert np.isfinite(judge.fresh(1, 2**31).score(model, watch))


def ids(part):
    return tuple(part.ids)


def test_fresh_folds_hold_each_record_out_once_a_round_and_part_no_group():
    groups = [k // 2 for k in range(30)]
    judge = judge_for(MODEL, (X, Y, {"groups": groups}), None, Folds(5))
    rounds = [[judge.fresh(5 * turn + k, 7).parts for k in range(5)] for turn in range(2)]
    for parts in rounds:
        held = [each for ((_, part),) in parts for each in part.groups]
        assert sorted(held) == groups
    seen = {ids(held) for parts in [judge.parts, *rounds[0], *rounds[1]] for _, held in parts}
    assert len(seen) >= 13, "parted anew; two may be equal by chance"
    assert ids(judge.fresh(3, 7).parts[0][1]) == ids(rounds[0][3][0][1]), "the same for both"


def test_other_records_or_earlier_ends_are_held_out():
    judge = judge_for(MODEL, (X, Y, {}), None, HeldOut(0.3))
    held = [ids(each.parts[0][1]) for each in (judge, judge.fresh(0, 7), judge.fresh(1, 7))]
    assert len(set(held)) == 3
    assert {len(each) for each in held} == {9}
    detector = rc.AnomalyDetector(hidden_size=2, training=BRIEF)
    long = [np.arange(100.0)[:, None]]
    judge = judge_for(detector, (long, None, {}), None, HeldOut(0.2, by="time"))
    ends = [judge.fresh(k, 7).parts[0][1].streams for k in range(3)]
    lasts = [float(next(iter(each.values())).values.max()) for each in ends]
    assert sorted(lasts, reverse=True) == [lasts[1], lasts[0], lasts[2]]
    assert all(79 <= each < 99 for each in lasts)


def test_series_are_forecast_from_earlier_moments():
    wave = np.sin(np.arange(60.0)) + np.random.default_rng(0).normal(0, 0.1, 60)
    frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": wave})
    model = rc.Forecaster(hidden_size=4, training=BRIEF)
    judge = judge_for(model, (frame, None, {}), "OWA", Origins(4, 2))
    ends = [int(judge.fresh(k, 7).panel.times.max()) for k in range(3)]
    assert ends == [59 - 5, 59 - 2, 59 - 7]
    assert judge.fresh(0, 7).reference != judge.reference
    assert judge.share == pytest.approx(8 / 60)
    found = tune(model, frame, trials=4, metric="OWA", by=Origins(4, 2), **{**HOW, "refit": True})
    assert found.model.predict(h=2).shape[0] == 2
    assert all(each.wanted == each.pairs == 3 for each in found.confirmations)
