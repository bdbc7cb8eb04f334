"""Answers for a folder of Parquet files, by Ray Data."""

import numpy as np
import pandas as pd
import pytest

import recurra as rc
from recurra.errors import FileError, OptionError

pytest.importorskip("ray", reason="Ray is not installed: pip install 'recurra[ray]'")
from recurra.distributed import predict_parquet

HOW = {"id": "who", "time": "step"}


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    frames = [
        pd.DataFrame(random.normal(size=(length, 2)), columns=["a", "b"]).assign(
            who=f"r{k}", step=range(length), y="up" if k % 2 else "down"
        )
        for k, length in enumerate(random.integers(1, 9, 30))
    ]
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def model(table, tmp_path_factory):
    training = rc.Training(steps=5, progress=False)
    fitted = rc.Classifier(hidden_size=4, training=training).fit(
        rc.read(table, layout="long", target="y", **HOW)
    )
    fitted.save(tmp_path_factory.mktemp("model") / "model.recurra")
    fitted.path_ = tmp_path_factory.getbasetemp() / "model0" / "model.recurra"
    return fitted


def test_answers_are_those_of_predict_wherever_the_rows_of_a_record_lie(
    model, table, tmp_path, ray_of_two_cores
):
    (tmp_path / "in").mkdir()
    read = table.drop(columns="y")
    read[::-2].to_parquet(tmp_path / "in" / "0.parquet")
    read[-2::-2].to_parquet(tmp_path / "in" / "1.parquet")
    count = predict_parquet(
        model.path_,
        tmp_path / "in",
        tmp_path / "out",
        workers=1,
        parts=2,
        probabilities=True,
        **HOW,
    )
    found = pd.read_parquet(tmp_path / "out").set_index("who")
    records = rc.read(read, layout="long", **HOW)
    found = found.loc[list(records.ids)]
    assert count == len(found) == 30
    assert found["prediction"].tolist() == model.predict(records).tolist()
    shares = found[[f"probability_{label}" for label in model.classes_]].to_numpy()
    np.testing.assert_allclose(shares, model.predict_proba(records), atol=1e-6)


def test_what_is_wrong_is_told_before_anything_starts(model, tmp_path):
    with pytest.raises(FileError, match=r"There is no .*nowhere"):
        predict_parquet(model.path_, tmp_path / "nowhere", tmp_path / "out", **HOW)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(FileError, match="something in"):
        predict_parquet(model.path_, tmp_path, tmp_path / "out", **HOW)
    with pytest.raises(FileError):
        predict_parquet(tmp_path / "no.recurra", tmp_path, tmp_path / "out", **HOW)


def test_a_model_that_does_not_answer_for_records_is_refused(tmp_path):
    rc.LanguageModel(unit="char", hidden_size=4, training=rc.Training(steps=1, progress=False)).fit(
        "to be or not to be " * 9
    ).save(tmp_path / "text.recurra")
    with pytest.raises(OptionError, match="holds a LanguageModel"):
        predict_parquet(tmp_path / "text.recurra", tmp_path, tmp_path / "out", **HOW)


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"parts": 1.5}])
def test_impossible_values_are_refused(tmp_path, wrong):
    with pytest.raises(OptionError, match=f"{next(iter(wrong))}=.* an int of at least 1"):
        predict_parquet(tmp_path / "model.recurra", tmp_path, tmp_path / "out", **wrong, **HOW)
