"""A forecaster's page has a backtest whose scores are those of `recurra.evaluation`."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from tests.reporting.test_page import Reader

from recurra import Forecaster, Training
from recurra.auditing.phrases import number
from recurra.errors import DataError, FileError, OptionError
from recurra.evaluation import backtest


def sales(names=("a", "<script>b</script> $y_1$")):
    random, t = np.random.default_rng(0), np.arange(60)
    parts = [
        pd.DataFrame({"unique_id": name, "ds": t, "y": 50 + [5, 9, 2, 0][k] * np.sin(t * np.pi / 2)
                      + random.normal(0, 1, 60)})
        for k, name in enumerate(names)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def model():
    return Forecaster(hidden_size=6, training=Training(steps=20), season_length=4).fit(sales())


def test_the_backtest_is_that_of_the_evaluation(model, tmp_path):
    out, frame = tmp_path / "out.html", sales()
    frame.loc[frame.index[-2], "y"] = np.nan
    model.report(out, frame, h=4, n_windows=2)
    page = out.read_text("utf-8")
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page) == [
        "The data", "Training", "Backtest", "What matters", "Why it forecasts so",
        "Health of the network",
    ]  # fmt: skip
    table = backtest([model], frame, h=4, n_windows=2, season_length=4).table
    text = re.sub(r"\s+", " ", " ".join(Reader(page).text))
    for name, row in table.iterrows():
        cells = " ".join(number(row[score]) for score in ("MASE", "sMAPE", "RMSE"))
        assert f"{name} {cells}" in text
    assert Reader(page).scripts == 1
    assert "http" not in page


def test_without_data_there_is_the_training(model, tmp_path):
    model.report(tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text("utf-8")
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page) == ["Training"]


def test_wrong_inputs_are_refused_and_nothing_is_written(model, tmp_path):
    out = tmp_path / "out.html"
    with pytest.raises(OptionError, match="no data for the backtest"):
        model.report(out, h=3)
    with pytest.raises(DataError, match="Use a smaller h"):
        model.report(out, sales(), h=60)
    with pytest.raises(FileError, match=r"Call it out\.html"):
        model.report(tmp_path / "out.md", sales())
    with pytest.raises(ValueError, match="is not fitted"):
        Forecaster().report(out, sales())
    assert not out.exists()


def test_it_returns_what_is_printed(model, tmp_path):
    told = model.report()
    assert str(told) == str(model.report(tmp_path / "out.html"))
    assert str(told).startswith("Forecaster: 2 series learned from in 20 steps")
    assert told.scores == ()
    report = model.report(tmp_path / "out.html", sales(), h=4, n_windows=2)
    assert report.scores[0].model == "LSTM"
    assert "4 steps ahead of 2 origins" in str(report)
    table = backtest([model], sales(), h=4, n_windows=2, season_length=4).table
    found = {each.model: each.value for each in report.scores if each.measure == "MASE"}
    assert found == pytest.approx(table["MASE"].to_dict())


def test_data_without_a_page_are_refused(model):
    with pytest.raises(OptionError, match=r"report\("):
        model.report(df=sales())
    with pytest.raises(OptionError, match="h=0"):
        model.report("out.html", sales(), h=0)


def test_the_page_says_why_two_values_were_forecast(model, tmp_path):
    frame = sales()
    frame.loc[len(frame) // 2 - 2, "y"] = 1000.0
    model.report(tmp_path / "out.html", frame, h=4)
    text = " ".join(" ".join(Reader((tmp_path / "out.html").read_text("utf-8")).text).split())
    assert "A usual error" in text
    worst = text[text.index("The largest error") :]
    assert "1000 came" in worst or "1,000 came" in worst
    assert "Forecast of 'y' of 'a' at 58, 3 steps ahead" in worst


def test_where_nothing_can_be_scored_or_exchanged_the_page_says_so(tmp_path):
    frame, out = sales(("a",)).head(24), tmp_path / "out.html"
    model = Forecaster(hidden_size=4, training=Training(steps=3), season_length=4).fit(frame)
    for given, said in (
        (frame.assign(y=7.0), "No forecast can be scored"),
        (frame.assign(y=frame["y"].where(~frame["ds"].between(2, 17))), "2 observed values"),
    ):
        report = model.report(out, given, h=2)
        page = out.read_text("utf-8")
        assert (
            said in page[page.index(">What matters</h2>") : page.index(">Why it forecasts so</h2>")]
        )
        assert report.scores == ()
        assert "nan" not in str(report)
