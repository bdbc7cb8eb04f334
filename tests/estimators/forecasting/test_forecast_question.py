"""Why a forecast is what it is: the steps, lags and covariates that were planted."""

import numpy as np
import pandas as pd
import pytest
import torch

from recurra import Columns, Forecaster, Training
from recurra.errors import DataError, NotFittedError, OptionError
from recurra.explaining import explain
from recurra.explaining.gradients import gradients

STEPS = 120


def copying(lag, seed, steps=STEPS):
    """A series whose values copy those some steps ago, with a little noise."""
    random = np.random.default_rng(seed)
    values = [*random.normal(size=lag)]
    while len(values) < steps:
        values.append(values[-lag] + 0.2 * random.normal())
    return values


def fitted(frame, steps=300, **options):
    training = Training(steps=steps, progress=False)
    return Forecaster(hidden_size=16, training=training, **options).fit(frame)


@pytest.fixture(scope="module", params=[7, 12])
def copies(request, series):
    lag = request.param
    frame = pd.concat([series(f"s{k}", copying(lag, 100 * lag + k)) for k in range(12)])
    return lag, frame, fitted(frame, 400, season_length=lag)


def lag_on_top(why):
    scores = why.by_step("target")
    return len(scores) - int(np.abs(scores).argmax())


def far_from_usual(model, frame, name, lag):
    """Whether the copied value is another than the mean: else it has nothing to add."""
    read = model._question(frame, 1, name, None).reads["target"]
    return abs(float(read.values[-lag, 0] - read.baseline[-lag, 0])) > 0.5


def test_the_lag_that_is_copied_is_on_top(copies):
    lag, frame, model = copies
    found = {"occlusion": [], "gradient": [], "integrated gradients": []}
    for name in frame["unique_id"].unique():
        for method, lags in found.items():
            if method != "integrated gradients" or far_from_usual(model, frame, name, lag):
                lags.append(lag_on_top(model.explain(frame, 1, name, method=method, checks=False)))
    assert len(found["integrated gradients"]) >= 4
    for method, lags in found.items():
        assert np.mean(np.array(lags) == lag) > 0.9, (method, lags)


def test_random_weights_do_not_know_the_lag(copies):
    lag, frame, model = copies
    question = model._question(frame, 1, "s0", None).at(1)
    found = [
        lag_on_top(explain(question.randomised(seed), "gradient", checks=False))
        for seed in range(10)
    ]
    assert found.count(lag) <= 3


def test_an_answer_is_the_forecast_of_predict(copies):
    _, frame, model = copies
    forecast = model.predict(5)
    for name in ("s0", "s7"):
        why = model.explain(frame, range(1, 6), name, checks=False)
        said = forecast.loc[forecast["unique_id"] == name, "LSTM"]
        assert [each.answer for each in why.values()] == pytest.approx(said.tolist(), abs=1e-5)


def test_scores_add_up_exactly_as_a_forecast_is_linear_in_what_is_not_usual(copies):
    _, frame, model = copies
    why = model.explain(frame, 3, "s1")
    assert why.checks.completeness < 1e-4
    beside = model.explain(frame, 3, "s1", method="gradient x input", checks=False)
    assert why.by_step("target") == pytest.approx(beside.by_step("target"), abs=1e-4)


def test_nothing_is_known_is_the_recent_mean(copies):
    _, frame, model = copies
    why = model.explain(frame, 2, "s2", checks=False)
    values = frame.loc[frame["unique_id"] == "s2", "y"].to_numpy()
    level = values[-1 - max(model._engine.local.lags) :].mean()
    assert why.baseline == pytest.approx(level, abs=1e-4)
    assert why.reads["target"].shown[:, 0].tolist() == values.tolist()
    assert why.reads["target"].steps == tuple(range(STEPS))


def test_a_step_taken_away_was_not_observed(copies):
    _, frame, model = copies
    one = frame[frame["unique_id"] == "s3"]
    why = model.explain(one, method="occlusion", checks=False)
    hole = one.assign(y=one["y"].where(one["ds"] != STEPS - 5))
    without = model.explain(hole, checks=False).answer
    assert why.by_step("target")[-5] == pytest.approx(why.answer - without, abs=1e-6)


def test_without_any_step_the_answer_is_that_of_the_mean(copies):
    _, frame, model = copies
    why = model.explain(frame, 1, "s3", method="occlusion", by="channel", checks=False)
    assert why.by_channel("target").tolist() == pytest.approx([why.answer - why.baseline])


def test_holes_are_no_steps_and_gradients_pass_by_them(walks, small):
    frame = walks()
    model = small().fit(frame)
    for distribution in ("student_t", "gaussian"):
        model = small(distribution=distribution).fit(frame)
        question = model._question(frame, 4, "s1", None).at(4)
        at = {name: read.values[None] for name, read in question.reads.items()}
        slopes = gradients(question, at)["target"][0, :, 0]
        assert slopes.isfinite().all()
        assert slopes[21:23].tolist() == [0.0, 0.0]  # not observed
        assert float(slopes.sum()) == pytest.approx(1.0, abs=1e-4)  # a shift shifts the forecast
        why = model.explain(frame, 4, "s1")
        assert why.checks.completeness < 0.01
        assert np.isnan(why.reads["target"].shown[21, 0])


def test_a_gradient_is_the_slope_of_the_forecast(walks, small):
    frame = walks(2)
    model = small(steps=60).fit(frame)
    question = model._question(frame, 3, "s1", None).at(3)
    values = question.reads["target"].values
    slopes = gradients(question, {"target": values[None]})["target"][0, :, 0]
    for step in (-1, -2, -4, -8):
        either = torch.stack([values, values])
        either[:, step, 0] += torch.tensor([0.01, -0.01])
        above, below = question.answer({"target": either}).tolist()
        assert float(slopes[step]) == pytest.approx((above - below) / 0.02, abs=2e-3)


def test_a_value_that_equals_the_newest_is_felt(series, small):
    """Its relative value is 0, where a size and a sign have no slope."""
    frame = series("a", [0.0, 1.0, 2.0, 1.0, 0.0] * 12)
    model = small(steps=100, season_length=5).fit(frame)
    question = model._question(frame, 1, None, None).at(1)
    assert frame["y"].iloc[-5] == frame["y"].iloc[-1]
    slopes = gradients(question, {"target": question.reads["target"].values[None]})["target"]
    assert abs(float(slopes[0, -5, 0])) > 1e-3


def driven(cause, seed, steps=STEPS):
    """Series that one covariate moves, beside others that say nothing."""
    random = np.random.default_rng(seed)
    parts = []
    for k in range(12):
        shop = random.choice(["north", "south", "east"], steps)
        price, noise = random.uniform(0.7, 2, (2, steps)) * random.choice([-1, 1], (2, steps))
        effect = {"north": 0.0, "south": 3.0, "east": -3.0}
        frame = pd.DataFrame({"unique_id": f"s{k}", "ds": range(steps), "price": price})
        frame["shop"], frame["noise"], frame["size"] = shop, noise, float(k % 3)
        moves = {"price": 3 * price, "shop": np.array([effect[each] for each in shop])}
        moves["old price"] = np.append(0.0, 3 * price[:-1])
        frame["y"] = (moves[cause] + 0.1 * random.normal(size=steps)).cumsum()
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(
    ("cause", "role", "step"),
    [("price", "future", 119), ("shop", "future", 119), ("old price", "past", 118)],
)
def test_the_covariate_that_moves_a_series_is_on_top(cause, role, step):
    frame, channel = driven(cause, 0), cause.split()[-1]
    columns = Columns(static=["size"], **{role: ["price", "shop", "noise"]})
    before, after = frame[frame["ds"] < STEPS - 1], frame[frame["ds"] == STEPS - 1]
    model = fitted(before, 500, columns=columns)
    future = after.drop(columns=["y", "size"]) if role == "future" else None
    forecast = model.predict(1, future=future)["LSTM"]
    for method in ("integrated gradients", "occlusion"):
        hits = []
        for k in range(12):
            mine = None if future is None else future[future["unique_id"] == f"s{k}"]
            how = {"future": mine, "method": method, "checks": False}
            why = model.explain(before, 1, f"s{k}", by="step and channel", **how)
            assert why.answer == pytest.approx(forecast[k], abs=1e-4)
            covariates = [part for part in why.top(1000) if part.stream == role]
            hits.append((covariates[0].step, covariates[0].channel) == (step, channel))
        assert sum(hits) >= 11, (method, hits)


def test_covariates_add_up_too_and_have_steps_of_their_own():
    frame = driven("price", 1)
    columns = Columns(future=["price", "shop"], past=["noise"], static=["size"])
    frame["ds"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame["ds"], "D")
    last = frame["ds"].max() - pd.Timedelta(days=2)
    before, after = frame[frame["ds"] <= last], frame[frame["ds"] > last]
    model = fitted(before, 100, columns=columns)
    future = after.loc[after["unique_id"] == "s1", ["unique_id", "ds", "price", "shop"]]
    why = model.explain(before, 2, "s1", future=future)
    assert why.checks.completeness < 0.01
    assert list(why.reads) == ["target", "past", "future", "static", "calendar"]
    assert why.reads["future"].channels == ("price", "shop")
    assert why.reads["calendar"].channels == ("day of week",)
    assert why.reads["static"].steps == (None,)
    assert len(why.reads["past"].steps) == STEPS - 2
    assert len(why.reads["future"].steps) == STEPS
    assert why.reads["future"].steps[-1] == np.datetime64("2024-04-29")
    assert why.asked == "forecast of 'y' of 's1' at 2024-04-29, 2 steps ahead"
    random = model._question(before, 2, "s1", future).at(2).randomised(0)
    vectors = why.reads["future"].values[:, 1:]
    assert not torch.equal(random.reads["future"].values[:, 1:], vectors)
    assert torch.equal(random.reads["future"].values[:, :1], why.reads["future"].values[:, :1])


def test_on_an_irregular_clock_the_time_between_rows_is_read(series, small):
    stamps = np.random.default_rng(0).integers(1, 50, 60).cumsum() * 60
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(stamps, "min")
    frame = series("a", np.sin(np.arange(60) / 3), when)
    with pytest.warns(match="taken as irregular"):
        model = small().fit(frame)
    why = model.explain(frame, 2)
    assert why.reads["calendar"].channels[-1] == "time since the row before"
    assert why.answer == pytest.approx(model.predict(2)["LSTM"].iloc[1], abs=1e-5)
    assert why.checks.completeness < 0.01


def test_counts_are_explained(series, small):
    counts = np.random.default_rng(0).poisson(4, 80)
    frame = series("a", counts)
    model = small(distribution="negative_binomial").fit(frame)
    why = model.explain(frame, 2)
    assert why.answer == pytest.approx(model.predict(2)["LSTM"].iloc[1], abs=1e-5)
    assert why.checks.completeness < 0.01


def test_a_series_of_other_rows_or_another_name_may_be_asked_about(walks, series, small):
    frame = walks()
    model = small().fit(frame)
    begun = frame[(frame["unique_id"] == "s1") & (frame["ds"] < 40)]
    assert model.explain(begun, checks=False).asked.endswith("of 's1' at 40, 1 step ahead")
    new = series("new", np.arange(30.0))
    assert "of 'new' at 30" in model.explain(new, checks=False).asked
    again = model.explain(pd.concat([frame, new]), 1, "new", checks=False)
    assert again.answer == pytest.approx(model.update(new).predict(1)["LSTM"].iloc[-1], abs=1e-5)


def test_several_steps_ahead_come_side_by_side(copies):
    lag, frame, model = copies
    ahead = [1, 2, lag]
    why = model.explain(frame, ahead, "s4", method="gradient", checks=False)
    assert [*why] == ahead
    scores = np.abs(why.by_step("target"))
    assert scores.shape == (3, STEPS)
    assert (STEPS - scores.argmax(1)).tolist() == [lag, lag - 1, 1]
    assert why.to_frame()["h"].tolist() == np.repeat(ahead, STEPS).tolist()
    lines = str(why).splitlines()
    assert lines[0] == f"forecast of 'y' of 's4' at {STEPS}, 1 step ahead, and 2 more"
    assert lines[3].split()[:1] == ["1"]
    assert f"{STEPS - lag} (" in lines[3]
    with pytest.raises(OptionError, match="h=3 was not explained, but 1, 2"):
        why[3]


def test_horizons_are_drawn(copies):
    pytest.importorskip("matplotlib")
    _, frame, model = copies
    why = model.explain(frame, range(1, 4), "s4", method="gradient", checks=False)
    figure = why.plot()
    rows, values = figure.axes
    assert [each.get_text() for each in rows.get_yticklabels()] == ["1", "2", "3"]
    assert values.get_xlim()[0] > 0  # what is long past is not drawn
    assert "Steps before these score less than 5 %" in figure.get_supxlabel()
    with pytest.raises(OptionError, match="There is no stream 'y'"):
        why.plot("y")


def test_what_cannot_be_explained_is_said(walks, small):
    frame = walks()
    model = small().fit(frame)
    one = frame[frame["unique_id"] == "s1"]
    with pytest.raises(NotFittedError, match="not fitted"):
        small().explain(one)
    with pytest.raises(OptionError, match=r"df holds 4 series.*unique_id='s0'.*'s1', 's2', 's3'"):
        model.explain(frame)
    with pytest.raises(DataError, match=r"No such series.*There are: 's0'"):
        model.explain(frame, 1, "shop 1")
    for h in (0, -1, 1.5, True, [1, 0]):
        with pytest.raises(OptionError, match="it must be an int of at least 1"):
            model.explain(one, h)
    with pytest.raises(OptionError, match="h names no step ahead"):
        model.explain(one, [])
    with pytest.raises(DataError, match="has no column 'y'"):
        model.explain(one.rename(columns={"y": "value"}))
    with pytest.raises(DataError, match="2 observed values, but 3 are needed"):
        model.explain(one.head(2))
    with pytest.raises(OptionError, match="does not attend"):
        model.explain(one, method="attention")


def test_future_covariates_are_needed(walks, small):
    frame = walks().assign(price=1.0)
    frame.loc[frame["ds"] % 2 == 0, "price"] = 2.0
    model = small(columns=Columns(future=["price"])).fit(frame)
    one = frame[frame["unique_id"] == "s1"]
    with pytest.raises(DataError, match="Future covariates are needed for the 2 steps"):
        model.explain(one, 2)
    with pytest.raises(DataError, match="has no column 'price'"):
        model.explain(one.drop(columns="price"))
