"""``recurra train``, ``predict`` and ``evaluate``: from a file to a model, and back to answers."""

from __future__ import annotations

import io
import wave

import numpy as np
import pandas as pd
import pytest

import recurra as rc
from recurra.cli.tasks import TASKS
from recurra.estimators.learning.learner import Learner
from recurra.estimators.loading import CLASSES

QUICK = ("--steps", "3", "--hidden-size", "4", "--quiet")
STAYS = ("--id", "stay", "--time", "hour", "--target", "died")


def read(text):
    return pd.read_csv(io.StringIO(text), dtype={"id": str})


@pytest.fixture
def stays(tmp_path):
    """Forty short stays: hours, a pulse, what became of it, how long it took."""
    random = np.random.default_rng(0)
    parts = []
    for k in range(40):
        steps, fate = 2 + k % 4, "yes" if k % 3 == 0 else "no"
        pulse = (90 if fate == "yes" else 60) + random.normal(0, 2, steps)
        columns = {"stay": f"{k:03}", "hour": range(steps), "pulse": pulse, "died": fate}
        parts.append(pd.DataFrame({**columns, "days": 0.5 * k, "ward": k // 2}))
    path = tmp_path / "stays.csv"
    pd.concat(parts).to_csv(path, index=False)
    return path


@pytest.fixture
def trained(recurra, stays, tmp_path):
    """A classifier of the stays."""
    out = tmp_path / "died.recurra"
    answer = recurra(
        "train", "classify", stays, *STAYS, "--static", "days", "--group", "ward", "--out", out,
        "--steps", 40, "--hidden-size", 4, "--quiet",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    return out


def test_every_task_has_its_class_and_every_class_its_task():
    known = {name for name, kind in CLASSES.items() if issubclass(kind, Learner)}
    assert {each.estimator for each in TASKS.values()} == known


def test_training_prints_the_report_and_writes_the_model(recurra, stays, tmp_path):
    out = tmp_path / "died.recurra"
    answer = recurra("train", "classify", stays, *STAYS, "--out", out, *QUICK[:-1])
    assert answer.code == 0
    assert answer.out.startswith("Classifier: ")
    assert "the most frequent label" in answer.out
    assert f"see {out}" in answer.err
    assert rc.load(out).hidden_size == 4
    assert len(rc.load(out).log_.loss) <= 3


def test_quiet_says_the_report_alone(recurra, stays, tmp_path):
    answer = recurra("train", "regress", stays, "--id", "stay", "--time", "hour", "--target",
                     "days", "--out", tmp_path / "a.recurra", *QUICK)  # fmt: skip
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("Regressor: ")


def test_the_same_seed_gives_the_same_answers(recurra, stays, tmp_path):
    said = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        out = tmp_path / f"{name}.recurra"
        recurra("train", "classify", stays, *STAYS, "--out", out, "--seed", seed, *QUICK)
        said.append(recurra("predict", out, stays, *STAYS, "--probabilities", "--quiet").out)
    assert said[0] == said[1] != said[2]


def test_answers_are_a_row_for_each_record_with_its_name(recurra, trained, stays):
    plain = read(recurra("predict", trained, stays, *STAYS, "--static", "days", "--quiet").out)
    assert plain.columns.tolist() == ["id", "prediction"]
    assert plain["id"].tolist() == [f"{k:03}" for k in range(40)]
    told = read(
        recurra("predict", trained, stays, *STAYS, "--static", "days", "--probabilities").out
    )
    assert told.columns.tolist() == ["id", "prediction", "p(no)", "p(yes)"]
    assert np.allclose(told["p(no)"] + told["p(yes)"], 1, atol=1e-6)


def test_who_is_asked_about_needs_no_target(recurra, trained, stays, tmp_path):
    new = tmp_path / "new.csv"
    pd.read_csv(stays, dtype={"stay": str}).drop(columns="died").to_csv(new, index=False)
    how = ("--id", "stay", "--time", "hour", "--static", "days", "--quiet")
    with_it = recurra("predict", trained, stays, *STAYS, "--static", "days", "--quiet").out
    assert recurra("predict", trained, new, *how).out == with_it


def test_out_takes_the_answers(recurra, trained, stays, tmp_path):
    out = tmp_path / "said.csv"
    answer = recurra("predict", trained, stays, *STAYS, "--static", "days", "--out", out)
    assert (answer.code, answer.out) == (0, "")
    assert len(read(out.read_text())) == 40
    assert f"see {out}" in answer.err


def test_evaluate_says_the_scores_beside_those_of_the_report(recurra, trained, stays):
    how = ("evaluate", trained, stays, *STAYS, "--static", "days", "--quiet")
    answer = recurra(*how)
    assert answer.code == 0
    assert stays.name in answer.out
    assert "the most frequent label" in answer.out
    table = read(recurra(*how, "--csv").out)
    assert table["records"].tolist()[0] == stays.name
    assert table["accuracy"][0] > 0.6
    told = read(recurra("predict", trained, stays, *STAYS, "--static", "days").out)
    truth = pd.read_csv(stays).groupby("stay")["died"].first().tolist()
    assert table["accuracy"][0] == pytest.approx((told["prediction"] == truth).mean())


def test_records_to_stop_by_may_come_from_another_file(recurra, stays, tmp_path):
    out = tmp_path / "a.recurra"
    recurra("train", "classify", stays, *STAYS, "--validation", stays, "--out", out, *QUICK)
    assert rc.load(out).report().held_back == 40


def test_any_option_of_the_class_can_be_told(recurra, stays, tmp_path):
    out = tmp_path / "a.recurra"
    said = ("--layer", "lstm", "--option", "bidirectional=true", "--option", "dropout=0.1")
    recurra("train", "classify", stays, *STAYS, "--out", out, *said, *QUICK)
    model = rc.load(out)
    assert (model.layer, model.bidirectional, model.dropout) == ("lstm", True, 0.1)


@pytest.mark.parametrize(
    ("content", "name", "how"),
    [
        ("@classLabel true a b\n@data\n" + "1,2,3:a\n2,1:b\n" * 6, "x.ts", ()),
        ("1,2,3,4\n2,4,3,1\n" * 6, "x.csv", ("--layout", "ucr")),
        ("who,1,2,y\n" + "".join(f"r{k},{k},{-k},{'ab'[k % 2]}\n" for k in range(12)), "x.csv",
         ("--layout", "wide", "--id", "who")),
        ("a so good\nb so bad\n" * 6, "x.txt", ("--separator", " ")),
        ("text,y\n" + "so good,a\nso bad,b\n" * 6, "x.csv", ("--text", "text")),
        ('{"x": [1, 2], "y": "a"}\n{"x": [3], "y": "b"}\n' * 6, "x.jsonl", ()),
    ],
)  # fmt: skip
def test_labels_are_learned_from_files_of_many_kinds(recurra, tmp_path, content, name, how):
    file, out = tmp_path / name, tmp_path / "a.recurra"
    file.write_text(content)
    answer = recurra("train", "classify", file, *how, "--out", out, *QUICK)
    assert answer.code == 0, answer.err
    told = read(recurra("predict", out, file, *how, "--quiet").out)
    assert len(told) == 12
    assert set(map(str, told["prediction"])) <= {"a", "b", "1", "2"}
    assert recurra("evaluate", out, file, *how, "--quiet").code == 0


@pytest.mark.parametrize("how", [(), ("--labels-from", r"(good|bad)\d")])
def test_folders_or_names_of_files_are_labels(recurra, tmp_path, how):
    for k in range(12):
        label = ("good", "bad")[k % 2]
        folder = tmp_path / "texts" / ("all" if how else label)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{label}{k}.txt").write_text(f"so {label}")
    out = tmp_path / "a.recurra"
    answer = recurra("train", "classify", tmp_path / "texts", *how, "--out", out, *QUICK)
    assert answer.code == 0, answer.err
    assert rc.load(out).classes_.tolist() == ["bad", "good"]
    assert len(read(recurra("predict", out, tmp_path / "texts", *how).out)) == 12


def test_words_are_tagged_a_row_each(recurra, tmp_path):
    words = ["the", "cat", "sleeps", "a", "dog", "barks"]
    rows = [(s, w, "DET" if w in ("the", "a") else "REST") for s in range(12) for w in words]
    file, out = tmp_path / "words.csv", tmp_path / "a.recurra"
    pd.DataFrame(rows, columns=["sentence", "word", "tag"]).to_csv(file, index=False)
    how = ("--id", "sentence", "--text", "word", "--target", "tag", "--quiet")
    train = ("train", "tag", file, *how, "--out", out, "--steps", 3, "--hidden-size", 4)
    assert recurra(*train).code == 0
    told = read(recurra("predict", out, file, *how).out)
    assert told.columns.tolist() == ["id", "step", "prediction"]
    assert told["step"].tolist() == [*range(6)] * 12


def test_a_text_is_learned_and_judged(recurra, tmp_path):
    file, out = tmp_path / "text.txt", tmp_path / "a.recurra"
    file.write_text("to be or not to be. " * 60)
    answer = recurra("train", "language", file, "--out", out, *QUICK)
    assert len(rc.load(out).log_.loss) == 3  # as many steps as were asked for
    assert answer.code == 0, answer.err
    told = read(recurra("predict", out, file, "--quiet").out)
    assert told.columns.tolist() == ["id", "tokens", "log_likelihood", "perplexity"]
    assert recurra("generate", out, "--prompt", "to", "--n", 5).out.startswith("to")


def test_texts_are_answered_by_texts(recurra, tmp_path):
    file, out = tmp_path / "pairs.csv", tmp_path / "a.recurra"
    pairs = [("ab" * (k % 3 + 1), "ba" * (k % 3 + 1)) for k in range(12)]
    pd.DataFrame(pairs, columns=["from", "to"]).to_csv(file, index=False)
    how = ("--text", "from", "--target", "to", "--quiet")
    train = ("train", "translate", file, *how, "--out", out, "--steps", 3, "--hidden-size", 4)
    assert recurra(*train).code == 0
    told = read(recurra("predict", out, file, *how, "--probabilities").out)
    assert told.columns.tolist() == ["id", "prediction", "probability"]
    assert recurra("evaluate", out, file, *how).code == 0


@pytest.fixture
def calls(tmp_path):
    """Twelve tones of 0.1 s, a table that says what they are, and the same in texts beside them."""
    folder = tmp_path / "calls"
    folder.mkdir()
    rows = []
    for k in range(12):
        sound = (8000 * np.sin(np.arange(800) * (0.3 if k % 2 else 1.2))).astype(np.int16)
        with wave.open(str(folder / f"{k:02}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(sound.tobytes())
        (folder / f"{k:02}.txt").write_text("low" if k % 2 else "high")
        rows.append((f"calls/{k:02}.wav", "low" if k % 2 else "high"))
    pd.DataFrame(rows, columns=["sound", "said"]).to_csv(tmp_path / "calls.csv", index=False)
    return tmp_path / "calls.csv"


def test_sounds_are_written_down(recurra, calls, tmp_path):
    pytest.importorskip("soundfile")
    how = ("--files", "sound", "--target", "said", "--quiet")
    train = ("--steps", 2, "--hidden-size", 4)
    for source, more in ((calls, how), (calls.with_suffix(""), ("--quiet",))):
        out = tmp_path / "a.recurra"
        answer = recurra("train", "transcribe", source, *more, "--out", out, *train)
        assert answer.code == 0, answer.err
        told = read(recurra("predict", out, source, *more).out)
        assert told.columns.tolist() == ["id", "prediction"]
        assert len(told) == 12
    assert recurra("transcribe", out, calls.with_suffix("") / "00.wav").code == 0


def test_sounds_are_told_apart(recurra, calls, tmp_path):
    pytest.importorskip("soundfile")
    how = ("--files", "sound", "--target", "said")
    out = tmp_path / "a.recurra"
    assert recurra("train", "classify", calls, *how, "--out", out, *QUICK).code == 0
    told = read(recurra("predict", out, calls, *how).out)
    assert told["id"][0] == "calls/00.wav"


def test_odd_steps_and_coming_rows_need_no_target(recurra, tmp_path):
    file, out = tmp_path / "one.csv", tmp_path / "a.recurra"
    t = np.arange(240)
    pd.DataFrame({"ds": t, "load": np.sin(t / 5)}).to_csv(file, index=False)
    answer = recurra("train", "anomaly", file, "--out", out, "--steps", 3, "--hidden-size", 4)
    assert answer.code == 0, answer.err
    assert "it is read as one record" in answer.err
    told = read(recurra("predict", out, file, "--quiet").out)
    assert told.columns.tolist() == ["id", "step", "score", "anomaly"]
    assert len(told) == 240
    assert recurra("train", "next-step", file, "--out", out, *QUICK).code == 0
    told = read(recurra("predict", out, file, "--quiet").out)
    assert told.columns.tolist() == ["id", "load"]
    assert recurra("evaluate", out, file, "--quiet").code == 0


@pytest.fixture
def refused(recurra):
    def call(*arguments):
        answer = recurra(*arguments)
        assert (answer.code, answer.out) == (2, ""), answer
        line = answer.err.splitlines()[-1]
        assert line.startswith("error: ")
        return line

    return call


def test_wrong_input_of_training_is_said_in_a_line(refused, stays, tmp_path):
    out = ("--out", tmp_path / "a.recurra")
    missing = tmp_path / "none.csv"
    assert "none.csv does not exist" in refused("train", "classify", missing, *out)
    said = refused("train", "classify", stays, *STAYS[:4], *out)
    assert "has no column 'y'" in said
    assert "--target-column NAME" in said
    said = refused("train", "classify", stays, "--id", "stay", "--target", "died", *out)
    assert "has no column 'ds'" in said
    assert "--no-time" in said
    said = refused("train", "clasify", stays, *STAYS, *out)
    assert "There is no task 'clasify'. Did you mean 'classify'?" in said
    said = refused("train", "classify", stays, *STAYS, "--layer", "gruu", *out)
    assert "layer='gruu'" in said
    said = refused("train", "classify", stays, *STAYS, "--option", "hiden_size=3", *out)
    assert "Did you mean 'hidden_size'" in said
    assert "NAME=VALUE" in refused("train", "classify", stays, *STAYS, "--option", "x", *out)
    said = refused("train", "classify", stays, *STAYS[:4], "--target", "days", *out)
    assert "Use Regressor for numbers" in said
    assert "an ending that is not written" in refused(
        "train", "classify", stays, *STAYS, "--out", tmp_path / "a.pkl"
    )
    assert not (tmp_path / "a.recurra").exists()


def test_what_brings_no_target_is_refused_with_what_to_do(refused, tmp_path):
    file = tmp_path / "x.txt"
    file.write_text("so good\nso bad\n")
    said = refused("train", "classify", file, "--out", tmp_path / "a.recurra")
    assert "does not say what is to be learnt" in said
    assert "--separator" in said


def test_an_empty_cell_is_an_empty_text(recurra, refused, tmp_path):
    file, out = tmp_path / "texts.csv", tmp_path / "a.recurra"
    file.write_text("text,y\n" + "good,a\nbad,b\n" * 6 + ",a\n")
    said = refused("train", "classify", file, "--text", "text", "--out", out)
    assert "The record has no steps" in said
    file.write_text("text,y\n" + "good,doog\nbad,dab\n" * 6 + "hm,\n")
    said = recurra("train", "translate", file, "--text", "text", "--out", out, *QUICK)
    assert said.code == 0, said.err


def test_a_table_of_texts_needs_the_name_of_their_column(refused, tmp_path):
    file = tmp_path / "texts.csv"
    file.write_text("text,y\ngood,a\n")
    said = refused("train", "language", file, "--out", tmp_path / "a.recurra")
    assert "Pass --text-column NAME" in said


def test_wrong_input_of_predict_and_evaluate_is_said_in_a_line(refused, trained, stays, tmp_path):
    how = (*STAYS, "--static", "days")
    assert "none.recurra is not a file" in refused("predict", tmp_path / "none.recurra", stays)
    assert "is not a model file" in refused("predict", stays, stays, *how)
    said = refused("predict", trained, stays, *STAYS)  # days is a channel now
    assert "'static'" in said
    other = pd.read_csv(stays, dtype={"stay": str})
    other.assign(died="maybe").to_csv(tmp_path / "other.csv", index=False)
    said = refused("evaluate", trained, tmp_path / "other.csv", *how)
    assert "never seen" in said
    assert "'maybe'" in said
    other.drop(columns="died").to_csv(tmp_path / "bare.csv", index=False)
    assert "has no column 'died'" in refused("evaluate", trained, tmp_path / "bare.csv", *how)
    assert "would be overwritten" in refused("predict", trained, stays, *how, "--out", stays)


def test_a_model_of_another_kind_is_refused_with_the_verb_to_use(refused, quick, sales, tmp_path):
    model = rc.Forecaster(hidden_size=4, training=rc.Training(steps=2, progress=False))
    model.fit(pd.read_csv(sales)).save(tmp_path / "sales.recurra")
    said = refused("predict", tmp_path / "sales.recurra", sales)
    assert "holds a Forecaster" in said
    assert "recurra forecast" in said


def test_numbers_have_no_probabilities(refused, recurra, stays, tmp_path):
    out = tmp_path / "a.recurra"
    how = ("--id", "stay", "--time", "hour", "--target", "days")
    recurra("train", "regress", stays, *how, "--out", out, *QUICK)
    said = refused("predict", out, stays, *how, "--probabilities")
    assert "--probabilities is for" in said
