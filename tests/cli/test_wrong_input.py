"""What is wrong is said in one line on standard error, with exit code 2."""

from __future__ import annotations

import pandas as pd
import pytest

PLAIN = ("--h", 2, "--steps", 3, "--hidden-size", 4)


@pytest.fixture
def refused(recurra):
    def call(*arguments):
        answer = recurra(*arguments)
        assert (answer.code, answer.out) == (2, ""), answer
        *notes, line = answer.err.splitlines()
        assert all(each.startswith("note: ") for each in notes)
        assert line.startswith("error: ")
        return line

    return call


def test_a_missing_file(refused, tmp_path):
    assert "none.csv does not exist" in refused("forecast", tmp_path / "none.csv", *PLAIN)


def test_a_directory(refused, tmp_path):
    (tmp_path / "a.csv").mkdir()
    assert "is a directory" in refused("forecast", tmp_path / "a.csv", *PLAIN)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty: 0 bytes"),
        ("unique_id,ds,y\n", "has a header, but no rows"),
        ("unique_id,ds,y\na,1,2\na,2\n", "Line 3 of"),
        ("unique_id,ds,y\na,1,2\na,2,many\n", "but there is text (row 1, column 'y', value 'many'"),
        ("unique_id,ds,y\na,1,inf\na,2,3\n", "row 0, column 'y'"),
        ("unique_id,ds,y\na,03/04/2024,1\na,04/04/2024,3\n", "03/04/2024"),
        ("unique_id,ds,y\na,1,2\na,2,3\n", "has 2 observed values, but 3 are needed"),
        ("unique_id,ds,y,y\na,1,2,3\n", "names a column twice"),
        ("unique_id;ds;y\na;1;2\n", "separated by ';'"),
        ("ds;y\n1;2\n", "Is it separated by ';'? A .csv is read by commas"),
        ("ds,y\n1,1\n1,2\n2,3\n", "If it holds several, pass --id-column NAME."),
    ],
)
def test_a_file_that_is_no_such_table(refused, tmp_path, content, said):
    path = tmp_path / "table.csv"
    path.write_text(content)
    assert said in refused("forecast", path, *PLAIN)


def test_an_unknown_ending(refused, tmp_path):
    (tmp_path / "table.xls").write_text("x")
    assert "has an ending that is not read" in refused("forecast", tmp_path / "table.xls", *PLAIN)


def test_columns_of_other_names_and_what_to_pass(refused, tmp_path):
    path = tmp_path / "air.csv"
    path.write_text("month,passengers\n2024-01,1\n")
    line = refused("forecast", path, *PLAIN)
    assert "no column 'ds' (the time stamp) and 'y' (the target)" in line
    assert "There are: 'month', 'passengers'." in line
    assert line.endswith("Pass --time-column NAME and --target-column NAME.")


def test_a_misspelt_column_and_the_near_name(refused, sales):
    line = refused("forecast", sales, "--target-column", "yy", *PLAIN)
    assert "no column 'yy' (the target). Did you mean 'y'?" in line
    assert "--target-column" not in line


def test_a_misspelt_identifier_is_no_single_series(refused, sales, tmp_path):
    path = tmp_path / "other.csv"
    pd.read_csv(sales).rename(columns={"unique_id": "uniqe_id"}).to_csv(path, index=False)
    line = refused("forecast", path, *PLAIN)
    assert "Did you mean 'uniqe_id'?" in line
    assert "Pass --id-column NAME." in line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--h", "0"), "'--h': '0' is no whole number of at least 1"),
        (("--h", "many"), "'--h': 'many' is no whole number"),
        ((), "Missing option '--h'"),
        (("--h", "2", "--level", "0"), "'0' is no percentage between 0 and 100"),
        (("--h", "2", "--level", "80", "100"), "'100' is no percentage"),
        (("--h", "2", "--level", "abc"), "'abc' is no percentage"),
        (("--h", "2", "--level", "nan"), "'nan' is no percentage"),
        (("--h", "2", "--level", "80,95"), "write --level 80 95"),
        (("--h", "2", "--layer", "transformer"), "'lstm', 'gru', 'rnn', 'jordan'"),
        (("--h", "2", "--steps", "0"), "'--steps': '0' is no whole number"),
        (("--h", "2.5"), "'2.5' is no whole number"),
        (("--h", "2", "--seed", "-1"), "'-1' is no whole number of at least 0"),
        (("--h", "2", "--season-length", "12", "0"), "'0' is no whole number"),
        (("--h", "2", "--levels", "80"), "No such option: --levels (Possible options: --level"),
        (("--h", "2", "--past", "y"), "'y' has 2 roles"),
        (("--h", "2", "--past", "price", "promo"), "unexpected extra argument"),
        (("--h", "2", "--freq", "fortnight"), "fortnight"),
        (("--h", "2", "--future", "price"), "Pass --future-file FILE"),
        (("--h", "2", "--future-file", "x.csv"), "Pass --future NAME too."),
        (("--h", "2", "--past", "price"), "no column 'price' (a past covariate)"),
    ],
)
def test_an_option(refused, sales, options, said):
    assert said in refused("forecast", sales, *options)


@pytest.mark.parametrize("layer", [("grru",), ("lstm", "--layer", "grru")])
def test_a_layer_of_a_backtest(refused, sales, layer):
    line = refused("backtest", sales, *PLAIN, "--layer", *layer)
    assert "'grru' is no layer. Did you mean 'gru'?" in line
    assert "See recurra backtest --help." in line


@pytest.mark.parametrize(
    ("flag", "name", "said"),
    [
        ("--out", "table.xls", "Written are .csv and .parquet."),
        ("--plot", "picture.gif", "Written are .png and .svg."),
        ("--out", "none/table.csv", "there is no directory"),
        ("--plot", "none/picture.png", "there is no directory"),
        ("--out", "folder.csv", "is a directory"),
        ("--out", "sales.csv", "is read, and would be overwritten"),
    ],
)
def test_a_place_that_cannot_be_written(refused, sales, tmp_path, flag, name, said):
    (tmp_path / "folder.csv").mkdir()
    before = sales.read_bytes()
    assert said in refused("forecast", sales, *PLAIN, flag, tmp_path / name)
    assert sales.read_bytes() == before


def test_a_future_file_that_lacks_a_step_before_anything_is_learned(refused, shops, tmp_path):
    history, coming = shops
    short = tmp_path / "short.csv"
    pd.read_csv(coming, dtype=str)[:-1].to_csv(short, index=False)
    options = ("--h", 4, "--future", "price", "--steps", 10**9)
    line = refused("forecast", history, *options, "--future-file", short)
    assert "lack the row for 2023-12-01" in line


def test_a_future_file_that_lacks_a_column(refused, shops, tmp_path):
    history, coming = shops
    bare = tmp_path / "bare.csv"
    pd.read_csv(coming, dtype=str).drop(columns="price").to_csv(bare, index=False)
    line = refused("forecast", history, *PLAIN, "--future", "price", "--future-file", bare)
    assert "no column 'price' (a future covariate)" in line


def test_values_that_are_no_counts_for_a_distribution_of_counts(refused, sales):
    line = refused("forecast", sales, *PLAIN, "--distribution", "negative_binomial")
    assert "forecasts counts, but the value at 2020-03-01 00:00:00 is none" in line
