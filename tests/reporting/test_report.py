"""``report(path, X, y)`` tells of each task what it can, on one page."""

from __future__ import annotations

import re

import numpy as np
import pytest
from tests.reporting.test_page import Reader

from recurra import Classifier, LanguageModel, MultiTask, Regressor, Tagger, Training, load
from recurra.data import ParquetRecords, from_arrays
from recurra.errors import DataError, FileError, OptionError
from recurra.testing.estimator_cases import CASES

QUICK = Training(steps=25)
CHAPTERS = ("The data", "Training", "Scores", "What matters", "Why it answers so")
HEALTH, CALIBRATION = "Health of the network", "Calibration"


@pytest.fixture(scope="module")
def records():
    random = np.random.default_rng(0)
    X = [random.normal(size=(int(steps), 3)) for steps in random.integers(6, 12, 60)]
    return X, ["calm" if x[:, 1].sum() > 0 else "restless" for x in X]


@pytest.fixture(scope="module")
def model(records):
    return Classifier(hidden_size=6, training=QUICK).fit(*records)


def chapters(page):
    return re.findall(r"<h2[^>]*>(.*?)</h2>", page)


def written(model, path, *data):
    report = model.report(path, *data)
    page = path.read_text("utf-8")
    assert len(page) < 3_000_000
    assert "http" not in page
    assert not [line for line in page.splitlines() if "nan" in line.lower().split()]
    return report, page


def test_without_a_path_it_is_the_report_to_print(model):
    assert str(model.report()).startswith("Classifier: ")


def test_a_classifier_tells_everything(model, records, tmp_path):
    report, page = written(model, tmp_path / "out.html", *records)
    assert report is model.report()
    assert chapters(page) == [*CHAPTERS[:3], CALIBRATION, *CHAPTERS[3:], HEALTH]
    text = re.sub(r"\s+", " ", " ".join(Reader(page).text))
    for score in report.scores:
        assert score.model in text
    assert "The surest right answer" in text
    assert "The least sure answer" in text
    assert "expected calibration error" in text
    assert "completeness: " in text
    for each in model.diagnose(*records).findings:
        assert each.sentence in text
    assert "x1" in text
    assert "60 records" in text


def test_without_data_it_tells_of_the_training_and_the_scores(model, tmp_path):
    _, page = written(model, tmp_path / "out.html")
    assert chapters(page) == ["Training", "Scores"]


def test_a_model_from_a_file_tells_the_same(model, records, tmp_path):
    model.save(tmp_path / "a.recurra")
    _, one = written(model, tmp_path / "one.html", *records)
    _, other = written(load(tmp_path / "a.recurra"), tmp_path / "other.html", *records)
    assert chapters(one) == chapters(other)
    assert Reader(one).named("dl") == Reader(other).named("dl")
    assert one.count("<svg") == other.count("<svg")


def test_numbers_have_no_calibration_and_their_largest_error_is_explained(records, tmp_path):
    X, _ = records
    y = [float(x[:, 1].sum()) for x in X]
    model = Regressor(hidden_size=6, training=QUICK).fit(X, y)
    _, page = written(model, tmp_path / "out.html", X, y)
    assert chapters(page) == [*CHAPTERS, HEALTH]
    assert "The largest error" in page
    off = np.abs(model.predict(X) - y)
    assert f"Record {int(off.argmax())}: said" in page


def test_a_tagger_explains_steps(records, tmp_path):
    X, _ = records
    y = [np.where(x[:, 0] > 0, "up", "down") for x in X]
    model = Tagger(hidden_size=6, training=QUICK).fit(X, y)
    _, page = written(model, tmp_path / "out.html", X, y)
    assert chapters(page) == [*CHAPTERS[:3], CALIBRATION, *CHAPTERS[3:], HEALTH]
    assert re.search(r"Log odds of &#39;(up|down)&#39; at step \d+", page)


def test_several_targets_are_explained_one_by_one(records, tmp_path):
    X, labels = records
    y = {"mood": labels, "sum": [float(x[:, 1].sum()) for x in X]}
    model = MultiTask(hidden_size=6, training=QUICK).fit(X, y)
    _, page = written(model, tmp_path / "out.html", X, y)
    assert "The first record: mood" in page
    assert "The first record: sum" in page
    assert CALIBRATION in chapters(page)


def test_texts_are_explained_word_by_word(tmp_path):
    X, y = ["a good film", "a bad film", "good plot", "bad plot"] * 8, ["+", "-"] * 16
    model = Classifier(hidden_size=6, training=QUICK).fit(X, y)
    _, page = written(model, tmp_path / "out.html", X, y)
    assert "Importance by token" in page
    assert chapters(page)[-1] == HEALTH


def test_what_a_task_cannot_tell_is_said(tmp_path):
    texts = ["the cat sat on the mat. " * 5] * 6
    model = LanguageModel(hidden_size=6, training=QUICK).fit(texts)
    _, page = written(model, tmp_path / "out.html", texts)
    assert chapters(page) == [*CHAPTERS, HEALTH]
    assert "an input cannot be exchanged" in page


@pytest.mark.parametrize("name", CASES)
def test_every_estimator_writes_a_page_that_parses(name, tmp_path):
    case = CASES[name]()
    _, page = written(case.fitted(), tmp_path / "out.html", *case.data())
    assert [each for each in chapters(page) if each != CALIBRATION] == [*CHAPTERS, HEALTH]
    Reader(page)


def test_a_single_record_has_a_page_too(model, records, tmp_path):
    X, y = records
    _, page = written(model, tmp_path / "out.html", X[:1], y[:1])
    assert "there is only one" in page


def test_files_larger_than_memory_are_told_of_by_a_sample(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    import pyarrow as pa

    random, ids = np.random.default_rng(0), np.repeat(np.arange(40), 5)
    columns = {"id": ids, "t": np.tile(np.arange(5), 40), "x": random.normal(size=200)}
    columns["y"] = np.where(ids % 2, "a", "b")
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    data = ParquetRecords(tmp_path / "a.parquet", id="id", time="t", target="y")
    model = Classifier(hidden_size=6, training=QUICK).fit(data)
    _, page = written(model, tmp_path / "out.html", data)
    assert "on 40 records" in page


def test_records_of_hostile_names_are_only_named(records, tmp_path):
    X, y = records
    names = [f"<script>alert({k})</script> $x_{k}$" for k in range(len(X))]
    labels = [f"<b>{label}</b> $\\frac{label}$" for label in y]
    channels = ["<i>pulse</i>", "$\\bad{", "a & b"]
    data = from_arrays(X, labels, ids=names, channels=channels)
    model = Classifier(hidden_size=6, training=QUICK).fit(data)
    _, page = written(model, tmp_path / "out.html", data)
    read = Reader(page)
    assert read.scripts == 1
    assert not read.named("b")
    assert not read.named("i")
    assert "<script>alert(" in " ".join(read.text)


def test_wrong_data_are_refused_and_nothing_is_written(model, records, tmp_path):
    X, y = records
    out = tmp_path / "out.html"
    with pytest.raises(DataError, match="y is missing"):
        model.report(out, X)
    with pytest.raises(OptionError, match="no X for the page"):
        model.report(out, y=y)
    with pytest.raises(OptionError, match=r'report\("report.html", X, y\)'):
        model.report(X=X, y=y)
    with pytest.raises(OptionError, match=r'report\("out.html", X, y\)'):
        model.report(X, y)
    with pytest.raises(DataError, match="channel 'x2'"):
        model.report(out, [x[:, :2] for x in X], y)
    assert not out.exists()


def test_a_page_without_a_place_is_refused_before_anything_is_computed(
    model, records, tmp_path, monkeypatch
):
    monkeypatch.setattr(model, "_scores", lambda _: pytest.fail("computed"))
    with pytest.raises(FileError, match=r"Call it out\.html"):
        model.report(tmp_path / "out.txt", *records)
    with pytest.raises(FileError, match="no directory"):
        model.report(tmp_path / "none" / "out.html", *records)


def test_an_unfitted_model_has_nothing_to_report(records, tmp_path):
    with pytest.raises(ValueError, match="is not fitted"):
        Classifier().report(tmp_path / "out.html", *records)
