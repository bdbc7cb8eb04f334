"""`recurra explain` and `recurra diagnose`, as a user calls them."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from recurra.estimators import Forecaster, LanguageModel
from recurra.training import Training

ONE = ("--id", "stay", "--time", "hour")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Stays of which one step of one channel says the label, and what learned them."""
    folder = tmp_path_factory.mktemp("why")
    chance = np.random.default_rng(0)
    values = chance.normal(size=(80, 6, 2))
    died = np.where(values[:, 5, 1] > 0, "yes", "no")
    frame = pd.DataFrame(values.reshape(-1, 2), columns=["pulse", "lactate"])
    frame.insert(0, "stay", np.repeat(np.arange(80), 6))
    frame.insert(1, "hour", np.tile(np.arange(6), 80))
    frame.to_csv(folder / "new.csv", index=False)
    frame.assign(died=np.repeat(died, 6)).to_csv(folder / "stays.csv", index=False)
    frame[frame["stay"] == 3].to_csv(folder / "one.csv", index=False)
    from recurra.cli import main

    options = ("hidden_size=8", "front=none", "validation=0")
    told = [part for option in options for part in ("--option", option)]
    learned = ("train", "classify", str(folder / "stays.csv"), *ONE, "--target", "died", *told)
    kept = ("--steps", "150", "--out", str(folder / "died.recurra"), "--quiet")
    assert main([*learned, *kept]) == 0
    return folder


def test_the_planted_step_stands_first_in_words_and_as_csv(kept, recurra):
    asked = ("explain", kept / "died.recurra", kept / "one.csv", *ONE, "--method", "occlusion")
    said = recurra(*asked, "--by", "step and channel")
    assert said.code == 0, said.err
    assert said.out.startswith("log odds of '")
    table = said.out.splitlines()[3]
    assert table.split()[:2] == ["5", "lactate"]
    found = pd.read_csv(io.StringIO(recurra(*asked, "--by", "step and channel", "--csv").out))
    top = found.loc[found["score"].abs().idxmax()]
    assert (top["step"], top["channel"]) == (5, "lactate")


def test_a_record_is_chosen_by_its_name_and_drawn(kept, recurra, tmp_path):
    asked = ("explain", kept / "died.recurra", kept / "new.csv", *ONE)
    said = recurra(*asked, "--record", "7", "--plot", tmp_path / "why.png", "--no-checks")
    assert (said.code, said.err) == (0, f"note: see {tmp_path / 'why.png'}.\n")
    assert (tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")
    other = recurra(*asked, "--record", "7", "--label", "yes", "--no-checks")
    assert other.out.startswith("log odds of 'yes'")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ((), "The file has 80 records: say which, --record ID (0, 1, 2, …)"),
        (("--record", "800"), "There is no record '800'"),
        (("--record", "7", "--label", "maybe"), "maybe"),
        (("--record", "7", "--h", "3"), "--h goes with a Forecaster"),
        (("--record", "7", "--step", "2"), "the answer is for the whole record"),
        (("--record", "7", "--by", "window"), "window="),
        (("--record", "7", "--plot", "why.txt"), "why.txt"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(kept, recurra, more, told):
    said = recurra("explain", kept / "died.recurra", kept / "new.csv", *ONE, *more)
    assert said.code == 2
    assert said.err.startswith("error: ")
    assert told in said.err
    assert said.err.count("\n") == 1


def test_a_diagnosis_ends_in_advice_or_says_healthy(kept, recurra, tmp_path):
    asked = ("diagnose", kept / "died.recurra", kept / "stays.csv", *ONE, "--target", "died")
    said = recurra(*asked, "--plot", tmp_path / "health.svg")
    assert said.code == 0, said.err
    assert said.out.startswith("Classifier: 80 records looked at")
    assert "<svg" in (tmp_path / "health.svg").read_text()
    assert recurra(*asked, "--csv", "--quiet").out.startswith("code,level,")


def test_a_diagnosis_needs_what_was_to_be_learned(kept, recurra):
    said = recurra("diagnose", kept / "died.recurra", kept / "one.csv", *ONE)
    assert said.code == 2
    assert "target" in said.err


def test_a_forecaster_is_asked_by_series_and_steps_ahead(sales, recurra, tmp_path):
    model = Forecaster(training=Training(steps=5, progress=False)).fit(sales)
    model.save(tmp_path / "sales.recurra")
    asked = ("explain", tmp_path / "sales.recurra", sales, "--no-checks")
    said = recurra(*asked, "--record", "001", "--h", "3")
    assert said.code == 0, said.err
    assert "001" in said.out.splitlines()[0]
    assert recurra("diagnose", tmp_path / "sales.recurra", sales).code == 0
    wrong = recurra(*asked, "--record", "001", "--label", "x")
    assert (wrong.code, "--record and --h" in wrong.err) == (2, True)


def test_a_text_is_asked_what_comes_next(recurra, tmp_path):
    training = Training(steps=5, progress=False)
    model = LanguageModel(hidden_size=8, training=training).fit("to be or not to be " * 20)
    model.save(tmp_path / "be.recurra")
    (tmp_path / "said.txt").write_text("to be or not")
    said = recurra("explain", tmp_path / "be.recurra", tmp_path / "said.txt", "--no-checks")
    assert said.code == 0, said.err


def test_labels_that_are_numbers_are_found_as_they_are_written(recurra, tmp_path):
    rows = "".join(f"{k},{t},{(k + t) % 2},{1 + k % 2}\n" for k in range(24) for t in range(2))
    (tmp_path / "all.csv").write_text("unique_id,ds,x,y\n" + rows)
    (tmp_path / "a.csv").write_text("unique_id,ds,x\na,0,0\na,1,1\n")
    kept = ("--out", tmp_path / "two.recurra", "--quiet", "--steps", "20")
    assert recurra("train", "classify", tmp_path / "all.csv", *kept).code == 0
    asked = ("explain", tmp_path / "two.recurra", tmp_path / "a.csv", "--no-checks")
    assert recurra(*asked, "--label", "2").out.startswith("log odds of 2")
