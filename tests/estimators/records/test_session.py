"""Records that come step by step are answered as whole ones are."""

import numpy as np
import pytest

from recurra import Classifier, MultiTask, Regressor, Training
from recurra.data import SequenceDataset, Stream, Target
from recurra.data.treatments import Fill, Scale
from recurra.errors import DataError, OptionError

pytestmark = pytest.mark.filterwarnings("ignore::recurra.errors.DataWarning")

QUICK = Training(steps=12, batch_size=8, progress=False)
NAN = float("nan")


def trends(count=24, channels=2, seed=0):
    random = np.random.default_rng(seed)
    X = [random.normal(size=(random.integers(3, 12), channels)) for _ in range(count)]
    X = [np.where(random.random(x.shape) < 0.2, NAN, x) for x in X]
    return X, ["up" if np.nansum(x) > 0 else "down" for x in X]


def equal_all_along(model, X, session=None, tolerance=1e-6):
    for record in X[:3]:
        session = model.stream()
        for step, row in enumerate(record):
            found = session.step(row)
            whole = model.predict_proba([record[: step + 1]])[0]
            np.testing.assert_allclose(found, whole, rtol=0, atol=tolerance)


@pytest.mark.parametrize("layer", ["gru", "lstm", "rnn", "grud"])
@pytest.mark.parametrize("pooling", [("last",), ("last", "mean", "max", "attention")])
def test_a_classifier_answers_all_along_as_it_answers_the_record_so_far(layer, pooling):
    X, y = trends()
    model = Classifier(layer, hidden_size=6, pooling=pooling, training=QUICK).fit(X, y)
    equal_all_along(model, X)


def test_so_it_does_with_two_layers_a_shortcut_and_long_records():
    X, y = trends(20, 1)
    X = [np.tile(x, (5, 1)) for x in X]
    model = Classifier(hidden_size=5, num_layers=2, shortcut=True, training=QUICK).fit(X, y)
    equal_all_along(model, X)


def test_a_regressor_says_numbers_in_the_units_of_y():
    X, _ = trends()
    y = [[100 + np.nansum(x), NAN if len(x) == 3 else len(x)] for x in X]
    model = Regressor(hidden_size=6, training=QUICK).fit(X, y)
    session = model.stream()
    for row in X[0]:
        found = session.step(row)
    np.testing.assert_allclose(found, model.predict([X[0]])[0], rtol=1e-6)


def test_several_streams_come_each_when_it_has_a_step():
    random = np.random.default_rng(0)
    lengths = {"a": random.integers(1, 6, 20), "b": random.integers(1, 6, 20)}
    streams = {
        name: Stream(
            random.normal(size=(int(n.sum()), 2)),
            np.concatenate([[0], np.cumsum(n)]),
            ("x", "z"),
            times=np.concatenate([np.cumsum(random.exponential(size=k)) for k in n]),
            clock="number",
        )
        for name, n in lengths.items()
    }
    static = Stream(random.normal(size=(20, 1)), np.arange(21), ("age",))
    target = Target(random.integers(0, 2, (20, 1)), classes=("no", "yes"))
    data = SequenceDataset(tuple(range(20)), streams, static, {"y": target})
    model = Classifier(hidden_size=5, training=QUICK).fit(data)
    record = data.at(3)
    session = model.stream(static={"age": record.static["age"]})
    for name, steps in record.streams.items():
        for row, time in zip(steps.values, steps.times, strict=True):
            found = session.step({name: row}, time)
    np.testing.assert_allclose(found, model.predict_proba(data.take([3]))[0], atol=1e-6)


def test_tokens_come_one_by_one_and_new_ones_are_unknown():
    texts = ["good film", "very good", "bad film", "very bad and long", "good", "bad"] * 4
    y = [int("good" in text) for text in texts]
    model = Classifier(hidden_size=6, unit="word", training=QUICK).fit(texts, y)
    session = model.stream()
    for word in ("very", "unheard", "bad"):
        found = session.step(word)
    np.testing.assert_allclose(found, model.predict_proba(["very unheard bad"])[0], atol=1e-6)


def test_several_tasks_answer_step_by_step():
    X, y = trends()
    targets = {"way": y, "sum": [float(np.nansum(x)) for x in X]}
    model = MultiTask(hidden_size=6, training=QUICK).fit(X, targets)
    session = model.stream()
    for row in X[1]:
        found = session.step(row)
    whole = model.predict_proba([X[1]])["way"][0]
    np.testing.assert_allclose(found["way"], whole, atol=1e-6)
    np.testing.assert_allclose(found["sum"], model.predict([X[1]])["sum"][0], rtol=1e-5)


def test_a_copy_goes_its_own_way():
    X, y = trends()
    model = Classifier(hidden_size=6, training=QUICK).fit(X, y)
    session = model.stream()
    session.step(X[0][0])
    other = session.copy()
    other.step([50.0, -50.0])
    again = session.step(X[0][1])
    np.testing.assert_allclose(again, model.predict_proba([X[0][:2]])[0], atol=1e-6)
    assert other.model is model


def test_what_a_session_keeps_does_not_grow():
    X, y = trends()
    model = Classifier(hidden_size=6, training=QUICK).fit(X, y)
    session = model.stream()
    for count in range(60):
        session.step([float(count), NAN])
    assert session.memory.kept["x"].rows <= 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bidirectional": True}, "bidirectional=False"),
        ({"treatments": [Scale(), Fill("linear")]}, "cannot treat steps as they come"),
    ],
)
def test_a_model_that_looks_ahead_is_refused(options, message):
    X, y = trends()
    model = Classifier(hidden_size=4, training=QUICK, **options).fit(X, y)
    with pytest.raises(OptionError, match=message):
        model.stream()


@pytest.mark.parametrize(
    ("row", "time", "message"),
    [
        ([1.0], None, "1 values, but the model learned from 2"),
        ([1.0, "high"], None, "A number is read here, but a str"),
        ([1.0, float("inf")], None, "infinite"),
        ([1.0, 2.0], 3.0, "had no times"),
        ({"pulse": [1.0, 2.0]}, None, "no stream 'pulse'"),
    ],
)
def test_a_wrong_step_is_refused_with_advice_and_changes_nothing(row, time, message):
    X, y = trends()
    model = Classifier(hidden_size=4, training=QUICK).fit(X, y)
    session = model.stream()
    session.step(X[0][0])
    with pytest.raises((DataError, OptionError), match=message):
        session.step(row, time)
    found = session.step(X[0][1])
    np.testing.assert_allclose(found, model.predict_proba([X[0][:2]])[0], atol=1e-6)
