"""Why an average forecasts so, from which inputs, and whether its networks are healthy."""

from __future__ import annotations

import re
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import torch
from tests.tuning.test_auto_forecaster import ENOUGH, SHORT, monthly

import recurra as rc
from recurra.diagnosing import Diagnoses, Diagnosis
from recurra.errors import DataError, FileError, NotFittedError, OptionError
from recurra.evaluation import SeasonalNaive
from recurra.tuning.auto_ensemble import Ensemble
from recurra.tuning.auto_members import BaselineMember, NetworkMember
from recurra.tuning.auto_question import EnsembleQuestion


@pytest.fixture(scope="module")
def fitted() -> rc.AutoForecaster:
    return rc.AutoForecaster(ENOUGH, horizon=6, networks=5, training=SHORT).fit(monthly())


def averaging(model, members, weights, leader, reach=np.inf):
    """The same with another average, standing where it stood."""
    other = deepcopy(model)
    panel = other._ensemble.panel
    other._ensemble = Ensemble(members, weights, leader, reach)
    other._ensemble.stand(panel)
    return other


@pytest.fixture(scope="module")
def repeating(fitted):
    """An average that is nothing but the value of a season ago."""
    lead = deepcopy(fitted._ensemble.lead)
    return averaging(fitted, [BaselineMember(SeasonalNaive(12)), lead], [1.0, 0.0], 1)


@pytest.fixture(scope="module")
def alone(fitted):
    """An average of one network, that reads the series as they are."""
    training = rc.Training(steps=30, progress=False)
    model = rc.Forecaster(hidden_size=8, horizon=6, training=training).fit(monthly())
    member = NetworkMember(model, "as it is", 12)
    return model, averaging(fitted, [member], [1.0], 0)


# ------------------------------------------------------------------- explain


def test_an_answer_is_the_forecast_of_predict(fitted, tmp_path) -> None:
    frame, table = monthly(), fitted.predict(6)
    assert fitted._ensemble.reach < np.inf
    fitted.save(tmp_path / "a.recurra")
    loaded = rc.load(tmp_path / "a.recurra")
    for name in ("s0", "s2"):
        said = table.loc[table["unique_id"] == name, "AutoForecaster"].tolist()
        why = fitted.explain(frame, range(1, 7), name, checks=False)
        assert [each.answer for each in why.values()] == pytest.approx(said, rel=1e-6)
        again = loaded.explain(frame, 6, name, checks=False)
        assert again.by_step("target") == pytest.approx(why[6].by_step("target"), rel=1e-6)


def test_of_the_value_of_a_season_ago_only_that_one_matters(repeating) -> None:
    why = repeating.explain(monthly(), 2, "s1", checks=False)
    scores = why.by_step("target")
    assert why.method == "occlusion"
    assert np.flatnonzero(np.abs(scores) > 1e-9).tolist() == [72 - 12 + 1]
    y = monthly().query("unique_id == 's1'")["y"].to_numpy()
    assert scores[-11] == pytest.approx(y[-11] - y[-23])  # without it, the year before


def test_one_network_alone_is_explained_as_by_itself(alone) -> None:
    model, average = alone
    for by in ("step", "channel"):
        own = model.explain(monthly(), 3, "s0", method="occlusion", by=by, checks=False)
        found = average.explain(monthly(), 3, "s0", by=by, checks=False)
        assert (found.answer, found.baseline) == pytest.approx((own.answer, own.baseline))
        for name, scores in own.scores.items():
            assert found.scores[name] == pytest.approx(scores, abs=1e-4)


def test_scores_of_an_average_are_the_average_of_scores(fitted, alone, repeating) -> None:
    parts = [each.explain(monthly(), 4, "s0", checks=False) for each in (alone[1], repeating)]
    members = [alone[1]._ensemble.members[0], repeating._ensemble.members[0]]
    both = averaging(fitted, deepcopy(members), [0.25, 0.75], 0)
    found = both.explain(monthly(), 4, "s0", checks=False).by_step("target")
    each = [part.by_step("target") for part in parts]
    assert found == pytest.approx(0.25 * each[0] + 0.75 * each[1], abs=1e-4)


def test_a_step_taken_away_was_not_observed(fitted) -> None:
    frame = monthly(1)
    why = fitted.explain(frame, 2, checks=False)
    hole = frame.assign(y=frame["y"].where(frame.index != 60))
    without = fitted.explain(hole, 2, checks=False).answer
    assert why.by_step("target")[60] == pytest.approx(why.answer - without, abs=1e-6)


def test_random_networks_are_averaged_with_the_same_baselines(fitted, repeating) -> None:
    for model, same in ((fitted, False), (repeating, True)):
        question = EnsembleQuestion(
            model._ensemble, *model._ensemble.lead.model._asked_of(monthly(), 3, "s0", None)
        ).at(3)
        given = {name: read.values[None] for name, read in question.reads.items()}
        own, other = (each.answer(given) for each in (question, question.randomised(0)))
        assert (float(own) == float(other)) is same
    why = fitted.explain(monthly(), 1, "s0")
    assert why.checks.completeness is None
    assert why.checks.off is None
    assert why.checks.deletion.answers[0] == why.answer


@pytest.fixture(scope="module")
def with_promo():
    random, days = np.random.default_rng(0), 160
    parts = []
    for k in range(3):
        promo, rain = random.normal(size=(2, days))
        y = 100 + 10 * k + 8 * promo + random.normal(size=days)
        stamps = pd.date_range("2024-01-01", periods=days)
        keys = {"unique_id": f"s{k}", "ds": stamps, "shop": "ab"[k % 2]}
        parts.append(pd.DataFrame({**keys, "y": y, "promo": promo, "rain": rain}))
    frame = pd.concat(parts, ignore_index=True)
    columns = rc.Columns(future=["promo", "rain"], static=["shop"])
    training = rc.Training(steps=120)
    model = rc.AutoForecaster(ENOUGH, horizon=5, networks=2, columns=columns, training=training)
    known = frame.groupby("unique_id").head(days - 5)
    return model.fit(known), frame, known


def test_the_covariate_that_tells_comes_first(with_promo) -> None:
    model, frame, known = with_promo
    future = frame.groupby("unique_id").tail(5)[["unique_id", "ds", "promo", "rain"]]
    promo = future.query("unique_id == 's1'")["promo"].to_numpy()
    h = int(np.abs(promo).argmax()) + 1
    why = model.explain(known, h, "s1", future=future, by="step and channel", checks=False)
    assert sorted(why.scores) == ["calendar", "future", "static", "target"]
    first = why.top(1)[0]
    assert (first.stream, first.channel, first.place) == ("future", "promo", 155 + h - 1)
    assert np.sign(first.score) == np.sign(promo[h - 1])
    table = model.predict(5, future=future).query("unique_id == 's1'")
    assert why.answer == pytest.approx(table["AutoForecaster"].iloc[h - 1], rel=1e-6)
    needed = model.importance(frame, 5)
    assert needed.ranked[0] == "promo"
    assert needed.mean["promo"] > 5 * needed.mean["rain"]


def test_values_without_a_logarithm_were_not_observed(fitted) -> None:
    frame = monthly(1)
    frame.loc[30, "y"] = -1.0
    hole = frame.assign(y=frame["y"].where(frame.index != 30))
    logs = [each for each in fitted._ensemble.members if isinstance(each, NetworkMember)]
    logs = [each for each in logs if "log" in each.treatment]
    assert logs
    panels = [each.treated(fitted._again(given)).panel for each in logs for given in (frame, hole)]
    assert all(np.isnan(each.target[30]) for each in panels)
    assert np.isfinite(fitted.explain(frame, 1, checks=False).answer)


@pytest.mark.parametrize("method", ["integrated gradients", "gradient", "attention"])
def test_what_a_baseline_has_not_is_refused_with_advice(fitted, method) -> None:
    with pytest.raises(OptionError, match="Use method='occlusion', or explain a Forecaster"):
        fitted.explain(monthly(), 1, "s0", method=method)


def test_what_is_not_there_is_refused(fitted) -> None:
    with pytest.raises(OptionError, match="There is no method 'occlude'"):
        fitted.explain(monthly(), 1, "s0", method="occlude")
    with pytest.raises(OptionError, match="say which, unique_id='s0'"):
        fitted.explain(monthly())
    with pytest.raises(DataError, match="No such series"):
        fitted.explain(monthly(), 1, "s9")
    for ask in ("explain", "diagnose", "importance"):
        with pytest.raises(NotFittedError):
            getattr(rc.AutoForecaster(), ask)(monthly())
    with pytest.raises(NotFittedError):
        rc.AutoForecaster().report()


def test_nothing_is_changed_by_looking(fitted, tmp_path) -> None:
    before = fitted.predict(6, level=[80])
    frame = monthly().query("ds < '2019-01-01'")
    fitted.explain(frame, 2, "s1")
    fitted.diagnose(frame)
    fitted.importance(frame, 6, n_repeats=1)
    fitted.report(tmp_path / "a.html", frame)
    pd.testing.assert_frame_equal(fitted.predict(6, level=[80]), before, check_exact=True)


# ------------------------------------------------------------------ diagnose


def test_each_network_is_diagnosed_by_its_name(fitted) -> None:
    found = fitted.diagnose(monthly())
    assert isinstance(found, Diagnoses)
    assert [*found] == [*fitted._ensemble.networks()]
    networks = [e for e in fitted._ensemble.members if isinstance(e, NetworkMember)]
    assert len(found) == len(networks)
    assert all(isinstance(each, Diagnosis) for each in found.values())
    assert str(found).startswith(f"AutoForecaster: {len(found)} network")


def test_an_ill_network_is_named_and_drawn(fitted) -> None:
    ill = deepcopy(fitted)
    *_, (name, member) = ill._ensemble.networks().items()
    with torch.no_grad():
        next(member.model.network_.parameters())[0, 0] = torch.nan
    found = ill.diagnose(monthly())
    assert not found.healthy
    assert found[name].illnesses == ("not_finite",)
    assert "not_finite" in found.illnesses
    assert set(found.to_frame().query("code == 'not_finite'")["network"]) == {name}
    assert found.plot().get_suptitle().startswith(f"{name}: not well")
    with pytest.raises(OptionError, match="There is no network 'GRU 7'"):
        found.plot("GRU 7")


# -------------------------------------------------------------------- report


def test_the_report_has_the_scores_that_were_chosen_by(fitted) -> None:
    report, board = fitted.report(), fitted.leaderboard_.table
    own = report.scores[0]
    assert (own.model, own.measure) == ("AutoForecaster", "OWA")
    assert own.value == board.loc[board["model"] == "ensemble", "OWA"].item()
    assert {each.model for each in report.scores[1:]} == {
        "AutoForecaster", "Naive", "Drift", "Mean", "SeasonalNaive", "Naive2", "Theta",
        "DampedTrend",
    }  # fmt: skip
    assert "on 6 steps from 4 origins, of 3 series" in str(report)
    assert str(report).startswith("AutoForecaster: 3 series learned from")


def test_the_page_tells_everything(fitted, tmp_path) -> None:
    out = tmp_path / "out.html"
    assert fitted.report(out, monthly()).scores == fitted.report().scores
    page = out.read_text("utf-8")
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page) == [
        "The data", "What was compared", "What comes next", "Training", "What matters",
        "Why it forecasts so", "Health of the networks",
    ]  # fmt: skip
    assert "http" not in page
    assert "The largest error" in page
    assert len(fitted._ensemble.networks()) > 1
    for name in fitted._ensemble.networks():
        assert f'role="region" aria-label="The diagnosis of {name}"' in page
    regions = re.findall(r'role="region" aria-label="(.*?)"', page)
    assert len(regions) == len(set(regions)), "a screen reader tells them apart by their names"


def test_where_covariates_must_be_known_the_page_does_not_forecast(with_promo, tmp_path) -> None:
    model, frame, _ = with_promo
    model.report(tmp_path / "out.html", frame)
    titles = re.findall(r"<h2[^>]*>(.*?)</h2>", (tmp_path / "out.html").read_text("utf-8"))
    assert "What comes next" not in titles
    assert "Why it forecasts so" in titles


def test_long_series_are_explained_season_by_season_on_a_page(with_promo) -> None:
    model, frame, _ = with_promo
    past, coming = model._again(frame).split(5)
    why = model._why(past, coming, 1, 3)
    assert (why.by, why.window) == ("window", 7)
    assert "3 steps ahead" in why.asked


def test_without_data_there_is_what_was_compared(fitted, tmp_path) -> None:
    fitted.report(tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text("utf-8")
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page) == ["What was compared", "Training"]
    with pytest.raises(OptionError, match="Data are for a page"):
        fitted.report(df=monthly())
    with pytest.raises(OptionError, match="There are no data"):
        fitted.report(tmp_path / "out.html", h=3)
    with pytest.raises(FileError, match="ending"):
        fitted.report(tmp_path / "out.pdf")
