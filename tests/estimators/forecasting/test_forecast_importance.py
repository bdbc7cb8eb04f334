"""Which inputs forecasts need: what was planted comes first, and exchanging is what it says."""

import numpy as np
import pandas as pd
import pytest

from recurra import Columns, Forecaster, Training
from recurra.data import from_frame
from recurra.errors import DataError, NotFittedError, OptionError
from recurra.estimators.forecasting.forecast_importance import (
    Exchanged,
    Part,
    exchange_forecasts,
)
from recurra.estimators.forecasting.rolling import rolling_origin
from recurra.models import LocalFeatures

COLUMNS = Columns(future=["promo", "rain"], past=["visits", "clicks"], static=["size"])
INPUTS = ["y", "visits", "clicks", "promo", "rain", "size", "calendar"]


def planted(informative, seed, days=160):
    """Three shops a day; one column says how much is sold, the next day where only known then."""
    random, parts = np.random.default_rng(seed), []
    for k in range(3):
        columns = {name: random.normal(size=days) for name in ("promo", "rain", "visits", "clicks")}
        said = columns[informative]
        said = said if informative in COLUMNS.future else np.roll(said, 1)
        y = 10 * k + 5 * said + random.normal(size=days)
        stamps = pd.date_range("2023-01-01", periods=days)
        keys = {"unique_id": f"s{k}", "ds": stamps, "size": float(k)}
        parts.append(pd.DataFrame({**keys, "y": y, **columns}))
    return pd.concat(parts, ignore_index=True)


def fitted(frame, steps=150, **options):
    training = Training(steps=steps, progress=False)
    return Forecaster(hidden_size=12, training=training, **options).fit(frame)


@pytest.fixture(scope="module", params=["promo", "rain", "visits", "clicks"])
def told_by(request):
    """A column that tells, series of which it does, and what learned others of that kind."""
    name = request.param
    return name, planted(name, seed=1), fitted(planted(name, seed=0), columns=COLUMNS)


def test_the_one_column_of_several_that_tells_comes_first(told_by):
    name, frame, model = told_by
    h = 1 if name in COLUMNS.past else 5  # what is known of a day only says nothing of later ones
    found = model.importance(frame, h=h, n_windows=10)
    assert sorted(found.losses) == sorted(INPUTS)
    ranked = [each for each in found.ranked if each != "y"]  # which says where the level is
    assert ranked[0] == name
    assert found.mean[name] > 3 * max(found.mean[ranked[1]], 0)
    assert "30 forecasts; it is worse" in str(found)


def test_its_score_is_that_of_what_it_forecasts(told_by):
    from recurra.evaluation import backtest

    _, frame, model = told_by
    found = model.importance(frame, h=4, n_windows=2, step_size=4, n_repeats=1)
    said = model._forecasts_after
    panel = model._again(frame)
    rows = []
    for window in rolling_origin(panel, 4, 2):
        point = said(window.train, window.actual)
        rows.append(pd.DataFrame({
            "unique_id": np.repeat(panel.ids, 4), "ds": window.actual.clock.to_output(
                window.actual.times), "cutoff": window.actual.clock.to_output(
                np.repeat(window.cutoffs, 4)), "y": window.actual.target, "own": point.ravel(),
        }))  # fmt: skip
    assert found.score > 0
    season = min(model.season_lengths_, default=1)
    table = backtest([_Said(pd.concat(rows))], frame, 4, 2, season_length=season).table
    assert found.score == pytest.approx(table.loc["own", "MASE"])


class _Said:
    """Foretells what it is given."""

    def __init__(self, table):
        self.table = table

    def cross_validation(self, df, h, n_windows=1, step_size=None, level=None, refit=False):
        return self.table.sort_values(["unique_id", "cutoff", "ds"], ignore_index=True)


def test_of_what_repeats_each_week_the_newest_week_matters():
    random = np.random.default_rng(0)
    week = np.tile(random.normal(size=(2, 7)), 20) * 10
    frame = pd.concat(
        pd.DataFrame({"unique_id": f"s{k}", "ds": range(140), "y": each + random.normal(size=140)})
        for k, each in enumerate(week)
    )
    model = fitted(frame, season_length=7)
    found = model.importance(frame, h=7, by="window")
    assert [*found.losses] == [
        "earlier", *(f"steps {-7 * k} to {-7 * k + 6}" for k in range(5, 0, -1))
    ]  # fmt: skip
    assert set(found.ranked[:2]) == {"steps -7 to -1", "steps -14 to -8"}
    groups = {"newest": slice(-14, None), "before": slice(None, -14)}
    two = model.importance(frame, h=7, by="window", groups=groups)
    assert two.mean["newest"] > 10 * two.mean["before"]
    steps = model.importance(frame, h=7, by="step", n_repeats=1)
    assert [*steps.losses][-1] == "step -1"
    assert len(steps.losses) == 36


def test_a_covariate_that_all_series_share_is_exchanged_between_moments():
    random, days = np.random.default_rng(0), 150
    shared = random.normal(size=days)
    frame = pd.concat(
        pd.DataFrame(
            {
                "unique_id": name,
                "ds": range(days),
                "promo": shared,
                "rain": random.normal(size=days),
            }
        )
        for name in "abc"
    )
    frame["y"] = 5 * frame["promo"] + random.normal(size=len(frame))
    model = fitted(frame, columns=Columns(future=["promo", "rain"]))
    found = model.importance(frame, h=4, n_windows=8)
    assert found.ranked[0] == "promo"
    assert found.mean["promo"] > 0.3
    assert found.mean["promo"] > 5 * found.mean["rain"]


def test_the_calendar_matters_where_the_week_is_all_there_is():
    days = pd.date_range("2024-01-01", periods=200)
    busy = np.where(days.day_of_week == 5, 20.0, 0.0)
    random = np.random.default_rng(0)
    frame = pd.concat(
        pd.DataFrame({"unique_id": name, "ds": days, "y": busy + random.normal(size=200)})
        for name in "ab"
    )
    model = fitted(frame)
    found = model.importance(frame, h=7)
    assert set(found.losses) == {"y", "calendar"}
    assert found.mean["calendar"] > 0.1


def given(n_windows=3, **columns):
    random = np.random.default_rng(0)
    frame = pd.concat(
        pd.DataFrame({
            "unique_id": name, "ds": range(30 + 4 * k),
            "y": 100 * k + random.normal(size=30 + 4 * k),
            "promo": 1000.0 * k + np.arange(30 + 4 * k), "size": str(k),
        })
        for k, name in enumerate("abcd")
    )  # fmt: skip
    panel = from_frame(frame, Columns(future=["promo"], static=["size"]))
    return Exchanged.of(rolling_origin(panel, 2, n_windows), LocalFeatures([1, 2], 0.9))


def test_what_is_exchanged_goes_along_its_past_and_the_steps_to_come():
    whole = given()
    past, coming = exchange_forecasts(whole, Part(("promo",)), np.random.default_rng(1))
    last = past.future["promo"][past.offsets[1:] - 1]
    steps = coming.future["promo"].reshape(-1, 2)
    assert steps.tolist() == (last[:, None] + [1, 2]).tolist()
    assert sorted(steps.ravel()) == sorted(whole.coming.future["promo"])
    own = whole.past.future["promo"][whole.past.offsets[1:] - 1]
    assert (last != own).all()
    assert past.target is whole.past.target
    assert coming.target is whole.coming.target


def test_neighbours_are_of_different_moments():
    whole = given()
    _, coming = exchange_forecasts(whole, Part(("promo",)), np.random.default_rng(2))
    first = coming.future["promo"].reshape(3, 4, 2)[..., 0] % 1000
    own = whole.coming.future["promo"].reshape(3, 4, 2)[..., 0] % 1000
    series = coming.future["promo"].reshape(3, 4, 2)[..., 0] // 1000
    back = 30 + 4 * series - first  # rows from the end: which moment it was
    assert (back != 30 + 4 * np.arange(4) - own).all()


def test_a_series_comes_as_it_looks_from_where_this_one_stands():
    whole = given()
    past, _ = exchange_forecasts(whole, Part(("y",)), np.random.default_rng(3))
    newest, rows = past.offsets[1:] - 1, past.lengths.min()
    assert past.target[newest] == pytest.approx(whole.past.target[newest])
    seen = [
        {
            tuple(((each.record(i).target[-rows:] - y) / size).round(6))
            for i, (y, size) in enumerate(zip(whole.anchor, whole.scale, strict=True))
        }
        for each in (past, whole.past)
    ]
    assert seen[0] == seen[1]


def test_a_stretch_leaves_the_rest_as_it_was():
    whole = given()
    part = Part(steps=slice(-5, -2))
    past, coming = exchange_forecasts(whole, part, np.random.default_rng(4))
    back = np.arange(len(past.times)) - np.repeat(past.offsets[1:], past.lengths)
    inside = (back >= -5) & (back < -2)
    for new, old in (
        (past.target, whole.past.target),
        (past.future["promo"], whole.past.future["promo"]),
    ):
        assert (new[~inside] == old[~inside]).all()
        assert (new[inside] != old[inside]).all()
    assert coming.future["promo"].tolist() == whole.coming.future["promo"].tolist()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"groups": {"both": ["promo", "rian"]}}, "Did you mean 'rain'"),
        ({"groups": {"a": "promo", "b": ["rain", "promo"]}}, "in two groups"),
        ({"groups": []}, "it is a dict"),
        ({"by": "token"}, "of forecasts it is one of"),
        ({"by": "window", "groups": {"first": range(3)}}, "counted back from where the forecast"),
        ({"by": "step", "groups": {"a": slice(-3, None), "b": range(-4, -1)}}, "share steps"),
        ({"n_repeats": 0}, "n_repeats"),
        ({"n_windows": 0}, "n_windows"),
        ({"h": 0}, "h=0"),
    ],
)
def test_what_cannot_be_exchanged_is_refused_with_advice(told_by, options, said):
    _, frame, model = told_by
    with pytest.raises(OptionError, match=said):
        model.importance(frame, **options)


def test_one_forecast_has_nobody_to_exchange_with(told_by):
    _, frame, model = told_by
    one = frame[frame["unique_id"] == "s0"]
    with pytest.raises(DataError, match="n_windows=8"):
        model.importance(one, n_windows=1)
    assert model.importance(one, h=2, n_windows=2, n_repeats=1).mean["size"] == 0
    with pytest.raises(DataError, match="to learn from included"):
        model.importance(one, h=60, n_windows=4)


def test_a_constant_has_no_score(told_by):
    _, frame, model = told_by
    with pytest.raises(DataError, match="No forecast can be scored"):
        model.importance(frame.assign(y=1.0))
    with pytest.raises(NotFittedError):
        Forecaster().importance(frame)


def test_the_same_seed_exchanges_the_same(told_by):
    _, frame, model = told_by
    first, again = (model.importance(frame, h=3, n_repeats=2, seed=3) for _ in range(2))
    assert first.mean == again.mean
    assert model.importance(frame, h=3, n_repeats=2, seed=4).mean != first.mean


def test_without_a_season_stretches_are_of_four_steps():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": random.normal(size=60).cumsum()})
    model = fitted(frame, steps=5, season_length=1)
    found = model.importance(frame, h=2, by="window", n_repeats=1)
    assert [*found.losses][-2:] == ["steps -8 to -5", "steps -4 to -1"]
    assert len(found.losses) == 6
