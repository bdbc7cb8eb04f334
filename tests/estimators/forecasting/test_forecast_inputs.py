"""Covariates: lined up with the step that reads them, and worth having."""

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import torch

from recurra import Columns
from recurra.data import from_frame
from recurra.errors import DataError, DataWarning
from recurra.estimators.forecasting.forecast_inputs import InputReader


def driven(series, number=4, steps=80, kind="real", seed=0):
    """Series that follow a covariate of the same stamp, and little else."""
    random = np.random.default_rng(seed)
    parts, coming = [], []
    for k in range(number):
        drive = random.normal(size=steps)
        shown = drive
        if kind == "category":
            shown = random.choice(["low", "high"], steps)
            drive = np.where(shown == "high", 2.0, -2.0)
        values = 10 + 3 * drive + 0.05 * random.normal(size=steps)
        frame = series(f"s{k}", values, x=shown)
        parts.append(frame[: steps - 6])
        coming.append(frame[steps - 6 :])
    return pd.concat(parts, ignore_index=True), pd.concat(coming, ignore_index=True)


def miss(model, coming, future=None):
    return np.abs(model.predict(6, future=future).LSTM.to_numpy() - coming.y.to_numpy()).mean()


@pytest.mark.parametrize("kind", ["real", "category"])
def test_a_series_driven_by_a_known_covariate_is_forecast_far_better_with_it(series, small, kind):
    frame, coming = driven(series, kind=kind)
    blind = miss(small(steps=200).fit(frame), coming)
    seeing = small(steps=200, columns=Columns(future=["x"])).fit(frame)
    assert miss(seeing, coming, coming.drop(columns="y")) < 0.35 * blind


def test_a_covariate_of_the_past_helps_the_next_step(series, small):
    random = np.random.default_rng(0)
    parts, truth = [], []
    for k in range(6):
        lead = random.normal(size=81)
        values = 5 + 3 * np.r_[0.0, lead[:-1]] + 0.05 * random.normal(size=81)
        parts.append(series(f"s{k}", values, lead=lead)[:80])
        truth.append(values[80])
    frame = pd.concat(parts, ignore_index=True)
    blind = small(steps=200).fit(frame).predict(1).LSTM
    seeing = small(steps=200, columns=Columns(past=["lead"])).fit(frame).predict(1).LSTM
    assert np.abs(seeing - truth).mean() < 0.35 * np.abs(blind - truth).mean()


def test_covariates_of_the_past_are_not_needed_for_the_future(series, small):
    frame, _ = driven(series)
    found = small(columns=Columns(past=["x"])).fit(frame).predict(5, level=[80])
    assert np.isfinite(found.iloc[:, 2:].to_numpy()).all()


WAYS = {"category": ("up", "down"), "real": (1.0, -1.0)}


@pytest.fixture(scope="module", params=WAYS)
def drifting(request, series, small):
    """Noisy walks of which half drift up and half down, as a static covariate tells."""
    random, (up, down) = np.random.default_rng(0), WAYS[request.param]
    parts = []
    for k in range(12):
        values = (random.normal(1 if k % 2 else -1, 2.0, size=60)).cumsum()
        parts.append(series(f"s{k}", values, way=up if k % 2 else down))
    model = small(steps=150, columns=Columns(static=["way"]))
    return model.fit(pd.concat(parts, ignore_index=True)), up, down


def with_new_series(model, series, way):
    values = np.random.default_rng(1).normal(0, 2.0, size=12).cumsum()
    return deepcopy(model).update(series("new", values, way=way))


def test_a_new_series_is_forecast_by_its_static_covariate(drifting, series):
    model, *ways = drifting
    up, down = (
        with_new_series(model, series, way).predict(10).LSTM.to_numpy()[-10:] for way in ways
    )
    assert (up - down)[-1] > 0.5
    assert (np.diff(up - down) > 0).all()


@pytest.mark.parametrize("drifting", ["category"], indirect=True)
def test_an_unknown_static_category_is_warned_of_and_forecast(drifting, series):
    model, *_ = drifting
    with pytest.warns(DataWarning, match="taken as unknown: 1 in 'way'"):
        model = with_new_series(model, series, "sideways")
    with pytest.warns(DataWarning, match="taken as unknown"):
        found = model.predict(1, level=[80])
    assert np.isfinite(found.iloc[:, 2:].to_numpy()).all()


def test_an_unknown_category_of_the_future_is_warned_of_and_forecast(series, small):
    frame, coming = driven(series, kind="category")
    model = small(columns=Columns(future=["x"])).fit(frame)
    with pytest.warns(DataWarning, match="taken as unknown: 24 in 'x'"):
        found = model.predict(6, future=coming.assign(x="middling"))
    assert np.isfinite(found.LSTM).all()


def test_the_same_series_forecasts_otherwise_with_another_future(series, small):
    frame, coming = driven(series)
    model = small(steps=100, columns=Columns(future=["x"])).fit(frame)
    one = model.predict(6, future=coming).LSTM.to_numpy().reshape(4, 6)
    other = coming.assign(x=coming.x.where(coming.ds < 77, coming.x + 1))
    two = model.predict(6, future=other).LSTM.to_numpy().reshape(4, 6)
    np.testing.assert_array_equal(one[:, :3], two[:, :3])  # stamps 74 to 76
    assert (np.abs(one[:, 3] - two[:, 3]) > 0.1).all()  # stamp 77 itself, not the next


def test_the_future_may_come_in_any_order_with_rows_too_many(series, small):
    frame, coming = driven(series)
    model = small(columns=Columns(future=["x"])).fit(frame)
    mixed = coming.sample(frac=1, random_state=0)
    one = model.predict(3, future=coming[coming.ds < 77])
    with pytest.warns(DataWarning, match="12 future rows lie outside"):
        other = model.predict(3, future=mixed)
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_a_missing_row_of_the_future_is_named(series, small):
    frame, coming = driven(series)
    model = small(columns=Columns(future=["x"])).fit(frame)
    with pytest.raises(DataError, match=r"lack the row for 76, .*series 's2', column 'ds'"):
        model.predict(6, future=coming.drop(index=coming[coming.unique_id.eq("s2")].index[2:]))
    with pytest.raises(DataError, match=r"needed for the 6 steps .*column 'x'"):
        model.predict(6)


def test_cross_validation_reads_the_future_covariates_of_the_frame(series, small):
    frame, _ = driven(series, steps=90)
    columns = Columns(future=["x"])
    blind = small(steps=200).cross_validation(frame, h=5)
    seeing = small(steps=200, columns=columns).cross_validation(frame, h=5)
    assert (seeing.LSTM - seeing.y).abs().mean() < 0.35 * (blind.LSTM - blind.y).abs().mean()


def test_cross_validation_does_not_read_past_covariates_of_the_future(series, small):
    frame, _ = driven(series)
    model = small(columns=Columns(past=["x"]))
    last = frame.ds >= 70
    changed = frame.assign(x=frame.x.where(~last, 99.0))
    np.testing.assert_array_equal(
        model.cross_validation(frame, h=4).LSTM, model.cross_validation(changed, h=4).LSTM
    )


def test_the_encoder_learns_from_what_is_not_held_back(series, small):
    """Changing the covariate at the held-back end does not move the scaling."""
    frame, _ = driven(series)
    model = small(columns=Columns(future=["x"]), horizon=8).fit(frame)
    changed = frame.assign(x=frame.x.where(frame.ds < 73, 1e3))
    other = small(columns=Columns(future=["x"]), horizon=8).fit(changed)
    fitted, again = (each._engine.reader.encoder.to_dict() for each in (model, other))
    assert fitted == again


# ---------------------------------------------------------------------- the reader alone


@pytest.fixture
def small_frame(series):
    days = pd.date_range("2024-01-01", periods=40)
    ramp = np.arange(40.0)
    return series("a", ramp, days, price=ramp**2, visits=-ramp, shop="x")


def test_a_row_holds_the_future_of_the_next_step_and_the_past_of_its_own(small_frame):
    columns = Columns(future=["price"], past=["visits"], static=["shop"])
    dataset = from_frame(small_frame, columns)
    reader = InputReader.fit(dataset)
    assert reader.calendar == ["sin_day_of_week", "cos_day_of_week"]
    real, codes = reader.read(dataset)
    assert real.shape == (40, reader.width)
    price = (small_frame.price - small_frame.price.mean()) / small_frame.price.std(ddof=0)
    visits = (small_frame.visits - small_frame.visits.mean()) / small_frame.visits.std(ddof=0)
    day = (small_frame.ds.dt.day_of_week / 7 * 2 * np.pi).to_numpy()
    np.testing.assert_allclose(real[:-1, 0], np.sin(day)[1:], atol=1e-6)
    np.testing.assert_allclose(real[:-1, 2], price[1:], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(real[:-1, 3], price.diff()[1:], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(real[:, 4], visits, rtol=1e-5, atol=1e-6)
    assert (real[:, 5] == 1).all()
    assert codes.tolist() == [[1]] * 40


def test_hidden_past_covariates_are_zero_with_their_flag(small_frame):
    dataset = from_frame(small_frame, Columns(past=["visits", "shop"]))
    reader = InputReader.fit(dataset)
    real, codes = reader.read(dataset)
    hidden = torch.arange(40) >= 30
    other, others = reader.hide_past(real, codes, hidden)
    assert (other[hidden][:, -2:] == 0).all()
    assert (others[hidden] == 0).all()
    assert torch.equal(other[~hidden], real[~hidden])
    assert torch.equal(other[:, :-2], real[:, :-2])
    assert (codes == 1).all()  # copies, not views


def test_the_gap_to_the_next_row_is_read_on_an_irregular_clock(series):
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        np.r_[0, np.cumsum([1.0, 3.7, 1, 9.1, 1, 1])], unit="D"
    )
    with pytest.warns(DataWarning, match="irregular"):
        dataset = from_frame(series("a", np.arange(7.0), stamps))
    reader = InputReader.fit(dataset)
    gap = reader.read(dataset)[0][:, len(reader.calendar)]
    np.testing.assert_allclose(gap[:6], np.log1p([1, 3.7, 1, 9.1, 1, 1]), rtol=1e-6)


def test_a_cycle_not_seen_twice_is_left_out(series):
    hours = pd.date_range("2024-01-01", periods=72, freq="h")
    reader = InputReader.fit(from_frame(series("a", np.arange(72.0), hours)))
    assert reader.calendar == ["sin_hour_of_day", "cos_hour_of_day"]


def test_series_do_not_read_each_others_covariates(series):
    frame = pd.concat([series("a", np.arange(9.0), x=1.0), series("b", np.arange(5.0), x=2.0)])
    dataset = from_frame(frame, Columns(future=["x"]))
    reader = InputReader.fit(dataset)
    real, _ = reader.read(dataset)
    assert len(set(real[:9, 0].tolist())) == 1
    assert (real[:, 1] == 0).all()
