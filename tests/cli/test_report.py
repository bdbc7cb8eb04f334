"""``recurra report``: a page about a saved model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

STAYS = ("--id", "stay", "--time", "hour", "--target", "died")


@pytest.fixture
def stays(tmp_path):
    """Forty short stays."""
    random = np.random.default_rng(0)
    stay, hour = np.repeat(np.arange(40), 4), np.tile(np.arange(4), 40)
    columns = {"stay": stay, "hour": hour, "pulse": random.normal(stay % 2, 1), "died": stay % 2}
    pd.DataFrame(columns).to_csv(tmp_path / "stays.csv", index=False)
    return tmp_path / "stays.csv"


@pytest.fixture
def model(quick, stays, tmp_path):
    path = tmp_path / "died.recurra"
    assert quick("train", "classify", stays, *STAYS, "--out", path).code == 0
    return path


def test_it_writes_a_page_and_prints_the_report(recurra, stays, model, tmp_path):
    page = tmp_path / "report.html"
    answer = recurra("report", model, stays, *STAYS, "--out", page)
    assert answer.code == 0, answer.err
    assert answer.out.startswith("Classifier: ")
    assert str(page) in answer.err
    text = page.read_text("utf-8")
    for chapter in ("The data", "Training", "Scores", "Calibration", "What matters", "Health"):
        assert f">{chapter}" in text
    assert "pulse" in text


def test_quiet_it_says_nothing_beside(recurra, stays, model, tmp_path):
    answer = recurra("report", model, stays, *STAYS, "--out", tmp_path / "a.html", "--quiet")
    assert answer.code == 0
    assert answer.err == ""


@pytest.mark.parametrize(
    ("out", "said"), [("report.pdf", "ending"), ("none/report.html", "no directory")]
)
def test_a_page_that_could_not_be_written_is_refused(recurra, stays, model, tmp_path, out, said):
    answer = recurra("report", model, stays, *STAYS, "--out", tmp_path / out)
    assert answer.code == 2
    assert said in answer.err


def test_a_file_without_the_target_is_refused(recurra, stays, model, tmp_path):
    bare = tmp_path / "bare.csv"
    pd.read_csv(stays).drop(columns="died").to_csv(bare, index=False)
    answer = recurra("report", model, bare, *STAYS, "--out", tmp_path / "report.html")
    assert answer.code == 2
    assert "died" in answer.err
    assert not (tmp_path / "report.html").exists()


def test_a_forecaster_tells_of_a_backtest(recurra, sales, tmp_path):
    from recurra import Forecaster, Training

    Forecaster(hidden_size=4, training=Training(steps=3)).fit(sales).save(tmp_path / "a.recurra")
    page = tmp_path / "report.html"
    answer = recurra("report", tmp_path / "a.recurra", sales, "--out", page)
    assert answer.code == 0, answer.err
    assert ">Backtest</h2>" in page.read_text("utf-8")
