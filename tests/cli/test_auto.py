"""``recurra auto``: a leaderboard, a model, forecasts; and what is refused."""

from __future__ import annotations

import pandas as pd
import pytest

import recurra as rc

SMALL = ("--h", 4, "--networks", 1, "--steps", 5)


def test_a_leaderboard_is_printed_and_all_is_written(recurra, sales, tmp_path):
    model, forecasts, table, plot = (
        tmp_path / name for name in ("a.recurra", "next.csv", "board.csv", "board.svg")
    )
    files = ("--out", model, "--forecasts", forecasts, "--table", table, "--plot", plot)
    answer = recurra("auto", sales, *SMALL, "--minutes", 1, *files, "--level", 80, 95)
    assert answer.code == 0, answer.err
    assert answer.out.startswith("OWA, less is better, on 4 steps from 4 origins, of 2 series")
    assert f"see {model}, {forecasts}, {table}, {plot}." in answer.err
    found = pd.read_csv(forecasts, dtype={"unique_id": str})
    assert found.unique_id.unique().tolist() == ["000", "001"]
    assert found.columns[2:].tolist() == ["AutoForecaster"] + [
        f"AutoForecaster-{side}-{level}" for level in (80, 95) for side in ("lo", "hi")
    ]
    board = pd.read_csv(table)
    assert board["rank"].tolist() == list(range(1, len(board) + 1))
    assert plot.read_text().startswith("<?xml")
    loaded = rc.load(model).predict(4)
    assert loaded.AutoForecaster.tolist() == pytest.approx(found.AutoForecaster.tolist(), rel=1e-6)


def test_quiet_says_nothing_else(recurra, sales):
    answer = recurra("auto", sales, *SMALL, "--quiet", "--metric", "MASE", "--layer", "gru")
    assert answer.code == 0
    assert answer.err == ""
    assert answer.out.startswith("MASE, less is better")
    assert "GRU" in answer.out
    assert "LSTM" not in answer.out


def test_a_table_without_identifiers_is_one_series(recurra, sales, tmp_path):
    single = pd.read_csv(sales).query("unique_id == 0").drop(columns="unique_id")
    single.to_csv(tmp_path / "one.csv", index=False)
    out = tmp_path / "next.csv"
    answer = recurra("auto", tmp_path / "one.csv", *SMALL, "--forecasts", out)
    assert answer.code == 0, answer.err
    assert "it is read as one series" in answer.err
    assert pd.read_csv(out).columns.tolist() == ["ds", "AutoForecaster"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--minutes", 0), "time_limit=0.0, but it is a number of seconds above 0"),
        (("--metric", "WAPE"), "metric='WAPE' is none"),
        (("--level", 80), "--level is for --forecasts FILE"),
        (("--out", "model.txt"), "Written are .recurra"),
        (("--networks", 0), "networks"),
        (("--layer", "ltsm"), "Did you mean 'lstm'"),
        (("--target-column", "sold"), "'sold'"),
        (("--future", "price", "--forecasts", "a.csv"), "'price'"),
    ],
)
def test_what_cannot_be_is_refused_at_once(recurra, sales, arguments, said):
    answer = recurra("auto", sales, "--h", 4, *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert answer.out == ""


@pytest.fixture
def kept(recurra, sales, tmp_path):
    path = tmp_path / "kept.recurra"
    assert recurra("auto", sales, *SMALL, "--minutes", 1, "--out", path, "--quiet").code == 0
    return path


def test_a_kept_model_says_why_and_how_its_networks_are(recurra, sales, kept, tmp_path):
    asked = ("explain", kept, sales, "--record", "001", "--h", 2)
    said = recurra(*asked, "--plot", tmp_path / "why.png", "--no-checks")
    assert said.code == 0, said.err
    assert said.out.startswith("forecast of 'y' of '001' at 2024-02-01, 2 steps ahead")
    assert (tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")
    said = recurra("diagnose", kept, sales, "--plot", tmp_path / "health.png")
    assert said.code == 0, said.err
    assert said.out.startswith("AutoForecaster: ")
    assert recurra("diagnose", kept, sales, "--csv", "--quiet").out.startswith("network,code,")
    refused = recurra(*asked, "--method", "gradient x input")
    assert (refused.code, "Use method='occlusion'" in refused.err) == (2, True)
    assert recurra("predict", kept, sales).code == 2


def test_a_kept_model_writes_its_page(recurra, sales, kept, tmp_path):
    said = recurra("report", kept, sales, "--out", tmp_path / "page.html")
    assert said.code == 0, said.err
    assert said.out.startswith("AutoForecaster: 2 series learned from")
    assert ">What was compared</h2>" in (tmp_path / "page.html").read_text("utf-8")
