"""``recurra forecast``: from a file to a table, a picture, and nothing else."""

from __future__ import annotations

import io

import pandas as pd
import pytest


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), dtype={"unique_id": str})


def test_standard_output_is_csv_and_nothing_else(quick, sales):
    answer = quick("forecast", sales, "--h", 3, "--level", 80, 95)
    assert answer.code == 0
    table = read(answer.out)
    bounds = ["LSTM-lo-80", "LSTM-hi-80", "LSTM-lo-95", "LSTM-hi-95"]
    assert table.columns.tolist() == ["unique_id", "ds", "LSTM", *bounds]
    assert table["unique_id"].tolist() == ["000"] * 3 + ["001"] * 3
    assert table["ds"].tolist()[:3] == ["2024-01-01", "2024-02-01", "2024-03-01"]
    assert table.notna().all(axis=None)


def test_levels_may_follow_one_flag_or_a_flag_each(quick, sales):
    once = quick("forecast", sales, "--level", 80, 95, "--h", 2)
    each = quick("forecast", "--level", 80, "--level=95", sales, "--h", 2)
    assert once.code == each.code == 0
    assert once.out == each.out


def test_the_same_seed_gives_the_same_forecast_and_another_another(quick, sales):
    first, second, other = (
        quick("forecast", sales, "--h", 2, "--level", 80, "--seed", seed).out for seed in (1, 1, 2)
    )
    assert first == second != other


def test_a_file_without_an_identifier_is_one_series_and_says_so(quick, airline):
    answer = quick("forecast", airline, "--h", 2)
    assert read(answer.out).columns.tolist() == ["ds", "LSTM"]
    assert "it is read as one series" in answer.err.splitlines()[0]


def test_quiet_says_nothing_beside_the_data(quick, airline):
    answer = quick("forecast", airline, "--h", 2, "--quiet")
    assert (answer.code, answer.err) == (0, "")
    assert len(read(answer.out)) == 2


def test_columns_may_have_other_names(quick, airline, tmp_path):
    path = tmp_path / "air.csv"
    pd.read_csv(airline).rename(columns={"ds": "month", "y": "seats"}).to_csv(path, index=False)
    answer = quick("forecast", path, "--h", 1, "--time-column", "month", "--target-column", "seats")
    assert read(answer.out).columns.tolist() == ["month", "LSTM"]


def test_out_takes_the_table_and_leaves_standard_output_empty(quick, sales, tmp_path):
    printed = quick("forecast", sales, "--h", 2).out
    for name in ("next.csv", "next.parquet"):
        out = tmp_path / name
        answer = quick("forecast", sales, "--h", 2, "--out", out)
        assert (answer.code, answer.out) == (0, "")
        assert str(out) in answer.err
        table = read(out.read_text()) if out.suffix == ".csv" else pd.read_parquet(out)
        assert table["LSTM"].tolist() == pytest.approx(read(printed)["LSTM"].tolist(), rel=1e-6)


def test_a_picture_is_drawn_beside_the_table(quick, sales, tmp_path):
    pytest.importorskip("matplotlib")
    png, svg = tmp_path / "next.png", tmp_path / "next.svg"
    answer = quick("forecast", sales, "--h", 3, "--level", 80, "--plot", png)
    assert len(read(answer.out)) == 6
    assert png.read_bytes().startswith(b"\x89PNG")
    assert quick("forecast", sales, "--h", 3, "--plot", svg).code == 0
    first = svg.read_bytes()
    quick("forecast", sales, "--h", 3, "--plot", svg)
    assert svg.read_bytes() == first


def test_covariates_that_are_known_in_advance_come_from_a_second_file(quick, shops):
    history, coming = shops
    answer = quick("forecast", history, "--h", 4, "--future", "price", "--future-file", coming)
    assert answer.code == 0
    assert len(read(answer.out)) == 8


def test_one_series_may_have_covariates_too(quick, shops, tmp_path):
    paths = []
    for path in shops:
        table = pd.read_csv(path, dtype={"unique_id": str})
        paths.append(tmp_path / f"one-{path.name}")
        table[table["unique_id"] == "000"].drop(columns="unique_id").to_csv(paths[-1], index=False)
    answer = quick("forecast", paths[0], "--h", 4, "--future", "price", "--future-file", paths[1])
    assert answer.code == 0
    assert read(answer.out).columns.tolist() == ["ds", "LSTM"]


def test_integer_stamps_may_step_by_more_than_one(quick, tmp_path):
    path = tmp_path / "even.csv"
    pd.DataFrame({"ds": range(0, 60, 2), "y": [1.0, 2, 3] * 10}).to_csv(path, index=False)
    answer = quick("forecast", path, "--h", 2, "--freq", "2", "--season-length", 3)
    assert read(answer.out)["ds"].tolist() == [60, 62]


def test_notes_on_the_data_are_said_once_in_a_line(quick, sales):
    table = pd.read_csv(sales, dtype={"unique_id": str})
    pd.concat([table, table[:2]]).to_csv(sales, index=False)
    answer = quick("forecast", sales, "--h", 1)
    assert answer.code == 0
    assert answer.err.count("2 rows repeat the row before") == 1
    assert all(line.startswith("note: ") for line in answer.err.splitlines())
