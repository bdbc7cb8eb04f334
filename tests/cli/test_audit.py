"""`recurra audit`, as a user calls it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def refused(recurra):
    def call(*arguments):
        answer = recurra("audit", *arguments)
        assert (answer.code, answer.out) == (2, ""), answer
        *notes, line = answer.err.splitlines()
        assert all(each.startswith("note: ") for each in notes)
        assert line.startswith("error: ")
        return line

    return call


@pytest.fixture
def stays(tmp_path):
    """Forty stays of ten hours, an answer for each, and a covariate that gives it away."""
    rng = np.random.default_rng(0)
    died = rng.permutation(np.arange(40) % 2)
    frame = pd.DataFrame(
        {
            "stay": np.repeat([f"{k:03d}" for k in range(40)], 10),
            "hour": np.tile(np.arange(10), 40),
            "pulse": rng.normal(80, 5, 400).round(2),
            "outcome": np.repeat(died * 3 + 1, 10),
            "died": np.repeat(np.where(died, "yes", "no"), 10),
        }
    )
    path = tmp_path / "stays.csv"
    frame.to_csv(path, index=False)
    return path


def test_a_forecasting_table_is_audited_as_it_is(recurra, sales):
    answer = recurra("audit", sales)
    assert (answer.code, answer.err) == (0, "")
    assert "a step every month" in answer.out
    assert "Recommended" in answer.out


def test_a_table_without_an_identifier_is_one_record(recurra, airline):
    answer = recurra("audit", airline)
    assert answer.code == 0
    assert answer.err == f"note: {airline} has no column 'unique_id': it is read as one record.\n"
    assert recurra("audit", airline, "--quiet").err == ""


def test_a_target_that_holds_for_a_whole_record_and_its_leak(recurra, stays):
    columns = ("--id-column", "stay", "--time-column", "hour", "--target-column", "died")
    answer = recurra("audit", stays, *columns)
    assert "'outcome' determines target 'died'" in answer.out
    assert "50 % are 'no', 50 % are 'yes'" in answer.out


def test_a_page_and_json_are_written(recurra, sales, tmp_path):
    html, out = tmp_path / "audit.html", tmp_path / "audit.json"
    answer = recurra("audit", sales, "--html", html, "--json", out)
    assert answer.code == 0
    assert answer.err.splitlines() == [f"note: see {html}.", f"note: see {out}."]
    assert "<title>Audit of sales.csv</title>" in html.read_text("utf-8")
    assert json.loads(out.read_text("utf-8"))["tables"]


def test_a_test_file_is_looked_through(recurra, sales):
    answer = recurra("audit", sales, "--test", sales)
    assert "2 of 2 test records are in the training part too" in answer.out


def test_events_are_read(recurra, tmp_path):
    path = tmp_path / "events.csv"
    frame = pd.DataFrame({"unique_id": ["007"] * 40, "ds": np.arange(40) // 2})
    frame["variable"] = np.tile(["pulse", "temp"], 20)
    frame["value"] = np.random.default_rng(0).normal(size=40)
    frame.to_csv(path, index=False)
    answer = recurra("audit", path, "--layout", "events")
    assert answer.code == 0
    assert "pulse" in answer.out
    assert "temp" in answer.out


@pytest.mark.parametrize("records", ["columns", "rows"])
def test_wide_tables_are_read(recurra, tmp_path, records):
    path = tmp_path / "wide.csv"
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(12, 7)))
    frame.add_prefix("c").to_csv(path, index=False)
    answer = recurra("audit", path, "--layout", "wide", "--records", records)
    assert answer.code == 0
    assert f"{7 if records == 'columns' else 12:>7}" in answer.out


def test_rows_of_one_time_that_differ_are_joined_and_it_is_said(recurra, tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text("unique_id,ds,y\na,1,1\na,1,2\na,2,3\na,3,5\n")
    answer = recurra("audit", path)
    assert answer.code == 0
    assert "joined by 'mean'" in answer.out


def test_rows_without_times_are_steps_as_they_stand(recurra, tmp_path):
    path = tmp_path / "bare.csv"
    pd.DataFrame({"data": np.arange(30.0) % 7}).to_csv(path, index=False)
    answer = recurra("audit", path, "--no-time")
    assert answer.code == 0
    assert "steps without times" in answer.out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty: 0 bytes"),
        ("unique_id,ds,y\n", "has a header, but no rows"),
        ("unique_id,ds,y\na,1,2\na,2\n", "Line 3 of"),
        ("unique_id,ds,y\na,1,inf\na,2,3\n", "column 'y'"),
        ("unique_id,ds,y,y\na,1,2,3\n", "names a column twice"),
        ("when,y\n1,2\n", "no column 'ds'"),
        ("when,y\n1,2\n", "Pass --time-column NAME, or --no-time"),
        ("ds;y\n1;2\n", "Is it separated by ';'?"),
    ],
)
def test_a_file_that_is_no_such_table(refused, tmp_path, content, said):
    path = tmp_path / "table.csv"
    path.write_text(content)
    assert said in refused(path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--target-column", "yy"), "no column 'yy'. Did you mean 'y'?"),
        (("--id-column", "unique"), "no column 'unique'. Did you mean 'unique_id'?"),
        (("--layout", "events"), "Pass --variable-column NAME and --value-column NAME."),
        (("--layout", "long-ish"), "'long', 'wide', 'events'"),
        (("--html", "audit.pdf"), "Written are .html and .htm."),
        (("--json", "none/audit.json"), "there is no directory"),
        (("--json", "sales.csv"), "an ending that is not written"),
        (("--test", "none.csv"), "none.csv does not exist"),
    ],
)
def test_an_option(refused, sales, monkeypatch, options, said):
    monkeypatch.chdir(sales.parent)
    assert said in refused(sales, *options)


def test_files_that_are_missing_or_of_another_kind(refused, tmp_path):
    assert "does not exist" in refused(tmp_path / "none.csv")
    assert "does not exist" in refused(tmp_path / "none.ts")
    (tmp_path / "table.xls").write_text("x")
    assert "has an ending that is not read" in refused(tmp_path / "table.xls")
    (tmp_path / "a.csv").mkdir()
    assert "a.csv" in refused(tmp_path / "a.csv")


def test_the_help_shows_calls_to_copy(recurra, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    answer = recurra("audit", "--help")
    assert answer.code == 0
    assert "recurra audit sales.csv" in answer.out
