"""The examples run as they stand, on fewer steps."""

from __future__ import annotations

import runpy
from pathlib import Path

import pandas as pd
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_airline_example_compares_forecasts_and_draws(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    out = tmp_path / "deep" / "out"
    runpy.run_path(str(EXAMPLES / "airline.py"))["main"](out, steps=20)
    said = capsys.readouterr().out
    assert "SeasonalNaive (base)" in said
    assert str(out / "airline.csv") in said
    forecast = pd.read_csv(out / "airline.csv", parse_dates=["month"])
    assert forecast["month"].tolist() == list(pd.date_range("1961-01-01", periods=24, freq="MS"))
    assert (forecast["LSTM-lo-95"] <= forecast["LSTM-hi-95"]).all()
    assert (out / "airline.png").read_bytes().startswith(b"\x89PNG")


def test_the_airline_table_has_the_144_months_of_box_and_jenkins():
    passengers = runpy.run_path(str(EXAMPLES / "airline.py"))["read"]()
    assert len(passengers) == 144
    assert passengers["passengers"].sum() == 40_363
    assert passengers["passengers"].iloc[[0, -1]].tolist() == [112, 432]
    assert passengers["month"].iloc[[0, -1]].dt.strftime("%Y-%m").tolist() == ["1949-01", "1960-12"]


def test_the_shops_example_reads_a_week_more_and_forecasts_with_prices(capsys):
    runpy.run_path(str(EXAMPLES / "shops.py"))["main"](steps=20, shops=3)
    assert "of 42 sales lie in their 80 % band" in capsys.readouterr().out


def test_the_ward_example_says_what_each_kind_of_input_is_worth(capsys):
    runpy.run_path(str(EXAMPLES / "ward.py"))["main"](patients=300, steps=120)
    said = capsys.readouterr().out.splitlines()
    right = {line[:16].strip(): float(line[16:22].strip(" %")) for line in said if "right" in line}
    assert right["with all of it"] > 80
    assert max(right.values()) == right["with all of it"]


def test_the_wear_example_says_the_hours_left_as_readings_come(capsys):
    runpy.run_path(str(EXAMPLES / "wear.py"))["main"](machines=80, steps=20)
    said = capsys.readouterr().out
    assert "ridge regression on summaries" in said
    assert "hour  vibration" in said


def test_the_example_of_several_answers_says_all_three(capsys):
    runpy.run_path(str(EXAMPLES / "several_answers.py"))["main"](patients=80, steps=20)
    said = capsys.readouterr().out
    assert "accuracy of fever" in said
    assert said.count("of the hours") == 3


def test_the_tag_example_finds_dishes_it_has_never_heard_of(capsys):
    runpy.run_path(str(EXAMPLES / "tag.py"))["main"](steps=150)
    said = capsys.readouterr().out
    assert "the most frequent label of each word" in said
    assert "DISH   onion soups" in said
    assert "DRINK  mango juice" in said


def test_the_sums_example_works_out_sums_and_shows_where_it_looks(capsys):
    runpy.run_path(str(EXAMPLES / "sums.py"))["main"](sums=200, steps=10)
    said = capsys.readouterr().out
    assert "answer of the nearest source" in said
    assert said.count(" sure to ") == 5
    assert "where it looks, working out" in said


def test_the_transcription_example_listens_piece_by_piece(capsys):
    runpy.run_path(str(EXAMPLES / "transcribe.py"))["main"](count=24, steps=3)
    said = capsys.readouterr().out
    assert "most frequent transcript" in said
    assert "of the words never heard before are wrong" in said
    assert said.count(" s  ") >= 3


def test_the_generating_example_chains_verses_and_says_what_comes_next(capsys):
    runpy.run_path(str(EXAMPLES / "generate.py"))["main"](steps=40)
    said = capsys.readouterr().out
    assert "5-gram (Witten-Bell)" in said
    assert "This is the farmer sowing his corn" in said
    assert said.splitlines()[-1].startswith("after 'a': ")


def test_the_music_example_beats_simple_models_and_goes_on(capsys):
    runpy.run_path(str(EXAMPLES / "music.py"))["main"](steps=120)
    said = capsys.readouterr().out.splitlines()
    scores = [float(line.split()[-1]) for line in said if line.startswith("  ")]
    assert len(scores) == 3
    assert scores[0] > max(scores[1:])
    assert [len(line) for line in said[-16:]] == [40] * 16


def test_the_anomaly_example_finds_what_was_put_in(capsys):
    runpy.run_path(str(EXAMPLES / "anomalies.py"))["main"](steps=150)
    said = capsys.readouterr().out
    assert "alarm, score" in said
    assert "(jolt)" in said
    assert "of the faults found" in said


def test_the_sentiment_example_learns_from_texts_and_follows_one_word_by_word(capsys):
    runpy.run_path(str(EXAMPLES / "sentiment.py"))["main"](steps=60)
    said = capsys.readouterr().out
    assert "good  a charming story" in said
    assert "bad   the music was not clever" in said
    assert said.count("good with probability") == 5


def test_the_example_of_why_ranks_the_same_month_of_last_year_and_draws(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    runpy.run_path(str(EXAMPLES / "why_airline.py"))["main"](tmp_path, steps=300)
    said = capsys.readouterr().out
    assert "The same month of last year is first of 144 for" in said
    assert int(said.split("among the first three for ")[1].split(".")[0]) >= 10
    assert "completeness: the scores add up" in said
    assert (tmp_path / "why_airline.png").read_bytes().startswith(b"\x89PNG")
