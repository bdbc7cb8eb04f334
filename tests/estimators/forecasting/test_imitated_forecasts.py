"""A simple model of forecasts finds the rule behind series, in lags from the step foretold."""

import numpy as np
import pandas as pd
import pytest

import recurra as rc
from recurra import Columns, Forecaster, Training
from recurra.data import from_frame
from recurra.errors import DataError, DataWarning, NotFittedError, OptionError, SurrogateError
from recurra.estimators.forecasting.forecast_importance import Exchanged
from recurra.estimators.forecasting.imitated_forecasts import as_records, origins
from recurra.estimators.forecasting.rolling import rolling_origin

COLUMNS = Columns(future=["promo", "rain"], past=["mood"], static=["size"])


def shops(seed, days=300):
    """What is sold goes on as a week ago, and rises by each promotion; rain and mood do nothing."""
    random, parts = np.random.default_rng(seed), []
    for k in range(3):
        promo, rain = random.integers(0, 2, days).astype(bool), random.normal(size=days)
        y = random.normal(size=days)
        for day in range(7, days):
            y[day] += 0.8 * y[day - 7] + 3 * promo[day]
        stamps = pd.date_range("2022-01-01", periods=days)
        columns = {"y": 10.0**k * y, "promo": promo, "rain": rain, "size": float(k)}
        columns["mood"] = random.choice(["good", "bad", None], days)
        parts.append(pd.DataFrame({"unique_id": f"s{k}", "ds": stamps, **columns}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def learned():
    training = Training(steps=400, progress=False)
    return Forecaster(columns=COLUMNS, training=training).fit(shops(0))


@pytest.mark.parametrize("h", [1, 3])
def test_the_lag_and_the_covariate_that_make_the_series_come_first(learned, h):
    found = learned.surrogate(shops(1), h)
    assert found.features[:2] == ("y: lag 7", "promo then")
    assert found.fidelity > 0.9
    assert found.coefficients["y: lag 7"] == pytest.approx(0.8, abs=0.15)
    assert found.coefficients["promo then"] > 0
    assert not any("rain" in name or "mood" in name for name in found.features[:4])
    ahead = "1 step ahead" if h == 1 else "3 steps ahead"
    assert f"answers (change of 'y' {ahead}, in usual changes) for " in str(found)


def test_a_tree_asks_about_the_same(learned):
    found = learned.surrogate(shops(1), kind="tree")
    assert set(found.features) == {"y: lag 7", "promo then"}
    assert " forecasts\n" in str(found)
    assert found.plot().axes


def test_each_forecast_becomes_a_record_with_what_was_known_then(learned):
    frame = shops(1, days=60)
    panel, h, steps = from_frame(frame, COLUMNS), 2, 9
    windows = [*rolling_origin(panel, h, 5, 3, 3)]
    given = Exchanged.of(windows, learned._engine.local)
    data = as_records(given, h, steps, learned._engine.reader)
    place, end = 7, 60 - h - 3 * 2  # the second shop of three, at the third moment of five
    sold, record = frame.y[frame.unique_id == "s1"].to_numpy(), data[place]
    series = record.streams["y"]
    assert series.values.shape == (steps, 4)
    seen = series.values[:, 0] * given.scale[place] + given.anchor[place]
    np.testing.assert_allclose(seen, sold[end - steps : end])
    assert series.values[-1, 0] == 0, "the newest value is where the series stands"
    foretold = frame[frame.unique_id == "s1"].iloc[end + h - 1]
    assert record.static["promo then"] == float(foretold.promo)
    assert record.static["rain then"] == pytest.approx(foretold.rain)
    assert record.static["size"] == 1.0
    days = data.static.categories["day"]
    assert record.static["day"] == foretold.ds.day_name()
    assert len(days) == 5, "three days apart, five moments"
    moods = data.streams["y"].categories["mood"]
    mood = frame.mood[frame.unique_id == "s1"].iloc[end - 1]
    last = series.values[-1, series.values.shape[1] - 3]
    assert (moods[int(last)] if mood else np.isnan(last)) == (mood or True)


def test_what_lies_before_a_series_was_not_observed(learned):
    panel = from_frame(shops(1, days=20), COLUMNS)
    given = Exchanged.of([*rolling_origin(panel, 1, 2, 1, 3)], learned._engine.local)
    data = as_records(given, 1, 30, learned._engine.reader)
    observed = data.streams["y"].mask[:, 0].reshape(6, 30)
    assert observed.sum(1).tolist() == [18, 18, 18, 19, 19, 19]
    assert observed[:, -18:].all()


@pytest.mark.parametrize(
    ("series", "rows", "wanted"),
    [
        (1, 2000, (500, 3)),
        (1, 45, (42, 1)),
        (1, 60, (50, 1)),
        (500, 30, (2, 10)),
        (1, 10**5, None),
    ],
)
def test_moments_are_so_many_that_there_are_enough_forecasts(series, rows, wanted):
    ids = np.repeat(np.arange(series), rows)
    frame = pd.DataFrame({"unique_id": ids, "ds": np.tile(np.arange(rows), series), "y": 1.0})
    count, apart = origins(from_frame(frame), 1, 10)
    assert wanted is None or (count, apart) == wanted
    assert count * series >= 40
    assert count == 40 or count * rows * series <= 2_000_000
    assert 1 + (count - 1) * apart + 3 <= rows


def test_what_cannot_be_imitated_is_refused(learned):
    frame = shops(1, days=60)
    short = frame[frame.unique_id == "s1"].head(20)
    with pytest.raises(DataError, match="allow 17: the shortest is 's1', of 20 rows") as caught:
        learned.surrogate(short)
    assert caught.value.code == "few_forecasts"
    with pytest.raises(OptionError, match="the network answers numbers"):
        learned.surrogate(frame, kind="svm")
    for wrong in ({"h": 0}, {"steps": 0}, {"floor": 2}, {"kind": "line"}):
        with pytest.raises(OptionError):
            learned.surrogate(frame, **wrong)
    with pytest.raises(SurrogateError, match=r"of the variance .* on .* forecasts"):
        learned.surrogate(shops(1), floor=1.0)
    with pytest.raises(NotFittedError):
        Forecaster().surrogate(frame)
    still = pd.DataFrame({"unique_id": "a", "ds": range(100), "y": 5.0})
    model = Forecaster(training=Training(steps=5, progress=False)).fit(still)
    with pytest.raises(DataError, match=r"No feature of these forecasts varies.*that change"):
        model.surrogate(still)


def test_categories_that_are_not_known_are_told_once(learned):
    frame = shops(1, days=100)
    frame["mood"] = frame["mood"].replace("bad", "sad")
    count = int((frame["mood"] == "sad").sum())
    with pytest.warns(DataWarning) as told:
        learned.surrogate(frame)
    (said,) = told
    assert f"taken as unknown: {count} in 'mood'" in str(said.message)


def test_an_average_of_forecasters_is_imitated_as_a_whole():
    y = np.tile([0.0, 3.0, 1.0, 7.0], 30) + np.random.default_rng(0).normal(0, 0.2, 120)
    frame = pd.DataFrame({"unique_id": "a", "ds": range(120), "y": y})
    training = Training(steps=50, progress=False)
    model = rc.AutoForecaster(30, horizon=4, networks=1, training=training, progress=False)
    found = model.fit(frame).surrogate(frame)
    assert found.fidelity > 0.8
    assert found.noun == "forecast"
    assert {int(name.split()[-1]) % 4 for name in found.features if "lag" in name} == {0}
