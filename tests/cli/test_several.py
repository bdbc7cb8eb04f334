"""``recurra train multitask``: several targets of a file, learned, answered and scored."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

import recurra as rc

QUICK = ("--steps", "3", "--hidden-size", "4", "--quiet")
WHO = ("--id", "stay", "--time", "hour")
THREE = ("--target", "died", "--target", "days", "--target", "pain")


def read(text):
    return pd.read_csv(io.StringIO(text), dtype={"id": str})


@pytest.fixture
def stays(tmp_path):
    """Twenty-four stays: a pulse; what became of them, how long they took, a pain at each hour."""
    random = np.random.default_rng(0)
    parts = []
    for k in range(24):
        steps, fate = 2 + k % 3, "yes" if k % 2 else "no"
        pulse = (90 if fate == "yes" else 60) + random.normal(0, 2, steps)
        columns = {"stay": f"{k:03}", "hour": range(steps), "pulse": pulse, "died": fate}
        pain = np.where(np.arange(steps) % 2, "some", "none")
        parts.append(pd.DataFrame({**columns, "days": 0.5 * k, "pain": pain, "visits": k % 4}))
    path = tmp_path / "stays.csv"
    pd.concat(parts).to_csv(path, index=False)
    return path


@pytest.fixture
def table(stays):
    return pd.read_csv(stays, dtype={"stay": str})


@pytest.fixture
def trained(recurra, stays, tmp_path):
    """A model of a label and a number of each record, and a label of each step."""
    out = tmp_path / "three.recurra"
    answer = recurra("train", "multitask", stays, *WHO, *THREE, "--out", out, *QUICK)
    assert (answer.code, answer.err) == (0, ""), answer.err
    assert "accuracy of died" in answer.out
    return out


@pytest.fixture
def refused(recurra):
    def call(*arguments):
        answer = recurra(*arguments)
        assert (answer.code, answer.out) == (2, ""), answer
        line = answer.err.splitlines()[-1]
        assert line.startswith("error: ")
        return line

    return call


def test_a_target_that_changes_within_a_record_is_one_for_each_step(trained):
    answers = rc.load(trained).network_.plan.answers
    assert [(name, each.level, each.classes) for name, each in answers.items()] == [
        ("died", "record", 2),
        ("days", "record", 0),
        ("pain", "step", 2),
    ]


def test_it_is_said_what_each_target_is_taken_for(recurra, stays, tmp_path):
    said = ("--target", "pain", "--target", "visits=numbers")
    how = (*WHO, *said, "--out", tmp_path / "a.recurra", *QUICK[:-1])
    answer = recurra("train", "multitask", stays, *how)
    expected = "'pain' (classes, for each step), 'visits' (numbers, for each record)"
    assert expected in answer.err
    assert "R² of visits" in answer.out


def test_answers_for_records_stand_in_all_their_rows_beside_those_for_steps(
    recurra, trained, stays, table
):
    answer = recurra("predict", trained, stays, *WHO, *THREE, "--probabilities", "--quiet")
    told = read(answer.out)
    assert told.columns.tolist() == [
        "id", "step", "prediction_died", "p(died=no)", "p(died=yes)", "prediction_days",
        "prediction_pain", "p(pain=none)", "p(pain=some)",
    ]  # fmt: skip
    assert told["id"].tolist() == table["stay"].tolist()
    assert told["step"].tolist() == table["hour"].tolist()
    assert (told.groupby("id")["prediction_days"].nunique() == 1).all()
    model = rc.load(trained)
    data = rc.data.read(table[["stay", "hour", "pulse", "visits"]], layout="long", id="stay",
                        time="hour")  # fmt: skip
    expected = model.predict(data)
    assert told["prediction_pain"].tolist() == np.concatenate(expected["pain"]).tolist()
    firsts = told.drop_duplicates("id")
    assert firsts["prediction_died"].tolist() == expected["died"].tolist()
    assert np.allclose(firsts["prediction_days"], expected["days"], rtol=1e-6)


def test_targets_of_records_alone_are_a_row_for_each(recurra, stays, tmp_path):
    out, two = tmp_path / "two.recurra", THREE[:4]
    assert recurra("train", "multitask", stays, *WHO, *two, "--out", out, *QUICK).code == 0
    told = read(recurra("predict", out, stays, *WHO, "--quiet").out)
    assert told.columns.tolist() == ["id", "prediction_died", "prediction_days"]
    assert told["id"].tolist() == [f"{k:03}" for k in range(24)]


def test_a_model_knows_the_names_of_its_targets_and_needs_none_to_answer(
    recurra, trained, stays, table, tmp_path
):
    new = tmp_path / "new.csv"
    table.drop(columns=["died", "days", "pain"]).to_csv(new, index=False)
    with_them = recurra("predict", trained, stays, *WHO, *THREE)
    for asked in (stays, new):
        answer = recurra("predict", trained, asked, *WHO)
        assert (answer.code, answer.err) == (0, "")
        assert answer.out == with_them.out


def test_evaluate_scores_as_the_model_does(recurra, trained, stays, table):
    scored = read(recurra("evaluate", trained, stays, *WHO, "--csv", "--quiet").out)
    told = read(recurra("predict", trained, stays, *WHO).out)
    right = told["prediction_pain"].to_numpy() == table["pain"].to_numpy()
    assert scored["accuracy of pain"][0] == pytest.approx(right.mean())
    firsts = told.drop_duplicates("id")["prediction_died"].to_numpy()
    truth = table.groupby("stay")["died"].first().to_numpy()
    assert scored["accuracy of died"][0] == pytest.approx((firsts == truth).mean())
    assert scored["records"].tolist()[:2] == [stays.name, "learned from"]
    assert "R² of days" in scored


def test_other_files_are_read_by_what_was_learned(recurra, trained, stays, table, tmp_path):
    """Whole numbers stay numbers, and a target of steps may happen not to change."""
    other = tmp_path / "other.csv"
    whole = table.assign(days=table["stay"].astype(int) % 5, pain="some")
    whole.to_csv(other, index=False)
    scored = read(recurra("evaluate", trained, other, *WHO, "--csv", "--quiet").out)
    told = read(recurra("predict", trained, other, *WHO).out)
    assert scored["accuracy of pain"][0] == pytest.approx(
        (told["prediction_pain"] == "some").mean()
    )
    rest = told.drop_duplicates("id")["prediction_days"] - np.arange(24) % 5
    expected = 1 - (rest**2).sum() / (np.var(np.arange(24) % 5) * 24)
    assert scored["R² of days"][0] == pytest.approx(expected, rel=1e-4)
    out = tmp_path / "a.recurra"
    how = (*WHO, *THREE, "--validation", other, "--out", out)
    assert recurra("train", "multitask", stays, *how, *QUICK).code == 0
    assert rc.load(out).report().held_back == 24


def test_what_is_not_known_of_a_target_may_be_empty(recurra, trained, table, tmp_path):
    file, out = tmp_path / "holes.csv", tmp_path / "a.recurra"
    table["visits"] = table["visits"].where(table["stay"] > "003")
    table["died"] = table["died"].where(table["stay"] > "005")
    table.assign(days=None).to_csv(file, index=False)
    how = (*WHO, "--target", "died", "--target", "visits=classes", "--out", out)
    assert recurra("train", "multitask", file, *how, *QUICK).code == 0
    assert rc.load(out).answers_["visits"].classes == (0, 1, 2, 3)
    answer = recurra("evaluate", trained, file, *WHO, "--csv", "--quiet")
    assert answer.code == 0, answer.err
    scored = read(answer.out)
    assert np.isnan(scored["R² of days"][0])
    assert 0 <= scored["accuracy of died"][0] <= 1


@pytest.mark.parametrize(
    ("content", "name", "how"),
    [
        ("who,1,2,a,b\n" + "".join(f"r{k},{k},{-k},{'xy'[k % 2]},{k}.5\n" for k in range(12)),
         "x.csv", ("--layout", "wide", "--id", "who", "--target", "a", "--target", "b")),
        ("text,a,b\n" + "so good,x,1.5\nso bad,y,2\n" * 6, "x.csv",
         ("--text", "text", "--target", "a", "--target", "b")),
        ("text,a,b\n" + "so good,x,1\nso bad,,2\n" * 6, "x.csv",
         ("--text", "text", "--target", "a", "--target", "b=numbers")),
        ('{"x": [1, 2], "y": {"a": "x", "b": 1.5}}\n{"x": [3], "y": {"a": "y", "b": 2}}\n' * 6,
         "x.jsonl", ()),
    ],
)  # fmt: skip
def test_several_targets_are_learned_from_files_of_many_kinds(
    recurra, tmp_path, content, name, how
):
    file, out = tmp_path / name, tmp_path / "a.recurra"
    file.write_text(content)
    answer = recurra("train", "multitask", file, *how, "--out", out, *QUICK)
    assert answer.code == 0, answer.err
    told = read(recurra("predict", out, file, *how, "--quiet").out)
    assert told.columns.tolist() == ["id", "prediction_a", "prediction_b"]
    assert len(told) == 12
    assert set(told["prediction_a"]) <= {"x", "y"}
    assert recurra("evaluate", out, file, *how, "--quiet").code == 0


def test_steps_of_several_streams_have_no_table(refused, tmp_path):
    file, out = tmp_path / "x.jsonl", tmp_path / "a.recurra"
    inputs = {"slow": [[1.0, 2.0], [3.0]] * 6, "fast": [[1.0, 2.0, 3.0], [4.0, 5.0]] * 6}
    data = rc.data.from_arrays(inputs)
    low, high = (
        rc.data.from_arrays({name: inputs[name]}, {f"{name}_up": answers}, target_for="step")
        for name, answers in (("slow", [["a", "b"], ["a"]] * 6), ("fast", [[*"aba"], [*"ba"]] * 6))
    )
    both = rc.data.SequenceDataset(data.ids, data.streams, targets={**low.targets, **high.targets})
    model = rc.MultiTask(hidden_size=4, training=rc.Training(steps=2, progress=False))
    model.fit(both).save(out)
    line = '{"x": {"slow": [1, 2], "fast": [1, 2, 3]}}\n'
    file.write_text(line * 2)
    assert "have no place in one table" in refused("predict", out, file)


def test_several_targets_are_refused_where_one_is_learned(refused, recurra, stays, tmp_path):
    out = tmp_path / "a.recurra"
    how = (*WHO, *THREE[:4])
    said = refused("train", "classify", stays, *how, "--out", out)
    assert "The task classify has one target, but --target-column names 'died', 'days'" in said
    assert "multitask" in said
    said = refused("train", "next-step", stays, *how, "--out", out)
    assert "has no target" in said
    assert not out.exists()
    recurra("train", "classify", stays, *WHO, "--target", "died", "--out", out, *QUICK)
    assert "has one target" in refused("evaluate", out, stays, *how)


def test_wrong_targets_are_said_in_a_line(refused, trained, stays, table, tmp_path):
    out = ("--out", tmp_path / "a.recurra")
    said = refused("train", "multitask", stays, *WHO, *THREE[:2], "--target", "dyas", *out)
    assert "has no column 'dyas'. Did you mean 'days'?" in said
    assert "--target-column NAME" in said
    assert "has no column 'y'" in refused("train", "multitask", stays, *WHO, *out)
    said = refused("train", "multitask", stays, *WHO, "--target", "died=numbers", *out)
    assert "column 'died', value 'no'" in said
    said = refused("train", "multitask", stays, *WHO, "--target", "days=classes", *out)
    assert "fractions are here (column 'days')" in said
    said = refused("train", "multitask", stays, *WHO, *THREE, "--target", "hour", *out)
    assert "'hour' is named as time and as target" in said
    lists = tmp_path / "lists.parquet"
    table.assign(pain=[[1, 2]] * len(table)).to_parquet(lists)
    assert "there is a list" in refused("train", "multitask", lists, *WHO, *THREE, *out).lower()
    said = refused("predict", trained, stays, *WHO, "--target", "diet")
    assert "No target 'diet' was learned. Did you mean 'died'?" in said
    said = refused("evaluate", trained, stays, *WHO, "--target", "days=classes")
    assert "'days' was learned as numbers" in said
    other = tmp_path / "other.csv"
    table.drop(columns="days").to_csv(other, index=False)
    said = refused("evaluate", trained, other, *WHO)
    assert "has no column 'days', which is a target that was learned" in said
    assert "empty where it is not known" in said
    table.assign(died=table["pain"]).to_csv(other, index=False)
    assert "changes after row" in refused("evaluate", trained, other, *WHO)
    table.assign(pain="much").to_csv(other, index=False)
    assert "'much'" in refused("evaluate", trained, other, *WHO)


def test_numbers_alone_have_no_probabilities(refused, recurra, stays, tmp_path):
    out = tmp_path / "a.recurra"
    said = ("--target", "days", "--target", "visits=numbers")
    recurra("train", "multitask", stays, *WHO, *said, "--out", out, *QUICK)
    assert "all targets are numbers" in refused("predict", out, stays, *WHO, "--probabilities")
