import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from recurra import Columns, Forecaster
from recurra.errors import DataError, NotFittedError, OptionError


@pytest.fixture(scope="module")
def priced(small):
    """Sales that fall by 5 where the price rises by 1."""
    random = np.random.default_rng(0)
    parts = []
    for name in "ab":
        price, n = random.uniform(1, 3, 134), 134
        y = 20 - 5 * price + np.sin(np.arange(n) * 2 * np.pi / 7) + random.normal(0, 0.1, n)
        stamps = pd.date_range("2024-01-01", periods=n, tz="Europe/Berlin")
        parts.append(pd.DataFrame({"unique_id": name, "ds": stamps, "y": y, "price": price}))
    past = pd.concat([each[:120] for each in parts])
    coming = pd.concat([each[120:] for each in parts])
    model = small(200, hidden_size=16, columns=Columns(future=["price"])).fit(past)
    return model, past, coming


def test_a_coming_covariate_moves_the_forecast_from_its_step_on(priced):
    model, _, coming = priced
    found = model.what_if({"price": (slice(3, 7), lambda price: price + 1)}, h=14, future=coming)
    moves = found.difference.reshape(2, 14)
    assert (moves[:, :3] == 0).all()
    assert (moves[:, 3:7] < -3).all()
    assert found.changes == ("coming price at steps 3 to 6: by a function",)
    frame = found.to_frame()
    same = model.predict(h=14, future=coming)
    np.testing.assert_array_equal(frame["before"], same["LSTM"])
    pd.testing.assert_series_equal(frame["ds"], same["ds"], check_dtype=False)
    other = coming.groupby("unique_id", group_keys=False)["price"].transform(
        lambda each: each + np.isin(np.arange(14), range(3, 7))
    )
    by_hand = model.predict(h=14, future=coming.assign(price=other))
    np.testing.assert_allclose(frame["after"], by_hand["LSTM"], atol=1e-9)
    assert isinstance(found.plot(), Figure)


def test_another_past_is_read_anew(priced):
    model, past, coming = priced
    found = model.what_if({"y": lambda y: y + 10}, h=3, future=coming, df=past)
    np.testing.assert_allclose(found.difference, 10, atol=0.5)
    gone = model.what_if({"y": (slice(-4, None), None)}, h=3, future=coming, df=past)
    assert np.isfinite(gone.after).all()
    assert gone.changes == ("past y at the last 4 steps: not observed",)


def test_what_cannot_be_supposed_is_refused(priced):
    model, _, coming = priced
    with pytest.raises(OptionError, match="give the rows of the series too, df="):
        model.what_if({"y": 1.0}, h=3, future=coming)
    with pytest.raises(OptionError, match=r"no column 'prise' to change\. Did you mean 'price'"):
        model.what_if({"prise": 1.0}, h=3, future=coming)
    with pytest.raises(OptionError, match="holds numbers, but the change gives 'dear'"):
        model.what_if({"price": "dear"}, h=3, future=coming)
    with pytest.raises(OptionError, match="it is a dict"):
        model.what_if({}, h=3, future=coming)
    with pytest.raises(DataError, match="Future covariates are needed"):
        model.what_if({"price": 1.0}, h=3)
    with pytest.raises(NotFittedError):
        Forecaster().what_if({"y": 1}, h=3)
