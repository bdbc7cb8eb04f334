"""``recurra tune``: from a file to the best configuration found, and a model of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import recurra as rc

SMALL = ("--trials", 2, "--steps", 3, "--hidden-size", 4)


@pytest.fixture
def stays(tmp_path):
    """Twenty-four short stays: a pulse, what became of it, the ward."""
    random = np.random.default_rng(0)
    parts = []
    for k in range(24):
        fate = "yes" if k % 3 == 0 else "no"
        pulse = (90 if fate == "yes" else 60) + random.normal(0, 2, 3)
        columns = {"stay": f"{k:03}", "hour": range(3), "pulse": pulse, "died": fate}
        parts.append(pd.DataFrame({**columns, "ward": f"w{k // 2}"}))
    path = tmp_path / "stays.csv"
    pd.concat(parts).to_csv(path, index=False)
    return path


def test_records_are_searched_and_the_best_is_written(recurra, stays, tmp_path):
    out, table, storage = (tmp_path / name for name in ("a.recurra", "a.csv", "a.journal"))
    columns = ("--id", "stay", "--time", "hour", "--target", "died", "--group", "ward")
    call = ("tune", "classify", stays, *columns, *SMALL, "--folds", 2, "--storage", storage)
    answer = recurra(*call, "--out", out, "--table", table)
    assert answer.code == 0, answer.err
    assert answer.out.startswith("Classifier: 2 trials (2 finished)")
    assert "log loss, less is better, on 2 folds, of 24 records" in answer.out
    assert pd.read_csv(table)["trial"].tolist() == [0, 1]
    assert len(rc.load(out).log_.loss) <= 3, "--steps holds for the last training too"
    again = recurra(*call, "--quiet")
    assert again.code == 0
    assert again.out == answer.out, "all was done by then"
    other = recurra(*call, "--metric", "accuracy")
    assert other.code == 2
    assert "another metric: log loss, and here it is accuracy" in other.err


def test_series_are_searched_from_origins_in_their_past(recurra, sales, tmp_path):
    out = tmp_path / "best.recurra"
    answer = recurra("tune", "forecast", sales, "--h", 4, *SMALL, "--out", out, "--quiet")
    assert answer.code == 0, answer.err
    assert "MASE, less is better, on 4 steps from 2 origins, of 2 series" in answer.out
    assert len(rc.load(out).predict(h=3)) == 6


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("classfy",), "Did you mean 'classify'?"),
        (("forecast", "--folds", 3), "--folds is for records"),
        (("forecast", "--no-time"), "--no-time is for records"),
        (("classify", "--h", 3), "--h is for forecast"),
        (("forecast", "--option", "hiden_size=3"), "Did you mean 'hidden_size'?"),
        (("forecast", "--minutes", -1, "--trials", 2), "seconds=-60.0"),
        (("forecast", "--metric", "MAS", "--trials", 1), "Did you mean 'MASE'?"),
        (("forecast", "--storage", "no/where.journal"), "no directory"),
    ],
)
def test_what_makes_no_sense_is_said(recurra, sales, arguments, said):
    task, *rest = arguments
    answer = recurra("tune", task, sales, *rest)
    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err
