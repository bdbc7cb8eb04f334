"""``recurra backtest``: the scores are the data."""

from __future__ import annotations

import io

import pandas as pd


def test_the_table_goes_to_standard_output_with_the_baselines_in_it(quick, sales):
    answer = quick("backtest", sales, "--h", 3, "--windows", 2, "--level", 80)
    assert answer.code == 0
    assert answer.out.startswith("2 series, 2 windows")
    for name in ("LSTM", "SeasonalNaive (base)", "Naive (base)", "cover 80"):
        assert name in answer.out


def test_scores_as_csv_have_a_row_for_each_layer_and_baseline(quick, sales):
    answer = quick("backtest", sales, "--h", 2, "--windows", 2, "--layer", "lstm", "gru", "--csv")
    table = pd.read_csv(io.StringIO(answer.out))
    baselines = {"Naive", "SeasonalNaive", "Drift", "Mean"}
    assert set(table["model"]) == {"LSTM", "GRU", *baselines}
    assert table["MASE"].notna().all()


def test_all_forecasts_are_written_with_their_cutoffs(quick, airline, tmp_path):
    out = tmp_path / "past.csv"
    answer = quick("backtest", airline, "--h", 2, "--windows", 3, "--step-size", 1, "--out", out)
    assert answer.code == 0
    table = pd.read_csv(out)
    assert table.columns[:3].tolist() == ["ds", "cutoff", "y"]
    assert table["cutoff"].nunique() == 3


def test_more_windows_than_rows_are_refused_in_a_line(quick, sales):
    answer = quick("backtest", sales, "--h", 12, "--windows", 9)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.count("\n") == 1
    assert answer.err.startswith("error: ")
