"""What a Classifier can be told: weights of classes, order, several labels, calibration."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import log_loss

import recurra
from recurra import Classifier, Training
from recurra.errors import DataError, OptionError

pytestmark = pytest.mark.filterwarnings("ignore::recurra.errors.DataWarning")

QUICK = Training(steps=60, batch_size=16, progress=False)


def levels(count=120, seed=0, noise=0.1):
    """Records whose mean says which of three levels they have."""
    random = np.random.default_rng(seed)
    codes = random.integers(0, 3, count)
    X = [c + noise * random.normal(size=(random.integers(3, 8), 1)) for c in codes]
    return X, np.array(["low", "middle", "top"])[codes]


def unequal(count=200, seed=0):
    random = np.random.default_rng(seed)
    rare = random.random(count) < 0.1
    X = [random.normal(r, 1.0, (4, 1)) for r in rare]
    return X, rare.astype(int)


def test_balanced_classes_find_the_rare_one_more_often():
    X, y = unequal()
    plain = Classifier(hidden_size=8, training=QUICK, validation=0).fit(X, y)
    balanced = Classifier(hidden_size=8, training=QUICK, validation=0, class_weight="balanced")
    new, truth = unequal(seed=1)
    found = balanced.fit(X, y).predict(new)[truth == 1].mean()
    assert found > plain.predict(new)[truth == 1].mean() + 0.2


def test_weights_by_label_are_those_of_records():
    X, y = unequal(60)
    by_label = Classifier(hidden_size=4, training=QUICK, validation=0, class_weight={1: 3.0})
    by_record = Classifier(hidden_size=4, training=QUICK, validation=0)
    by_label.fit(X, y)
    by_record.fit(X, y, sample_weight=np.where(y == 1, 3.0, 1.0))
    np.testing.assert_allclose(by_label.predict_proba(X), by_record.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize(
    ("weight", "message"),
    [("even", "class_weight"), ({5: 1.0}, "no label"), ({0: -1.0}, "0 or more")],
)
def test_weights_of_no_label_are_refused(weight, message):
    X, y = unequal(40)
    with pytest.raises(OptionError, match=message):
        Classifier(training=QUICK, class_weight=weight).fit(X, y)


def test_labels_with_an_order_are_answered_in_that_order():
    X, y = levels()
    order = ["low", "middle", "top"]
    model = Classifier(hidden_size=8, ordinal=order, training=Training(steps=200, batch_size=16))
    model.fit(X, y)
    assert model.classes_.tolist() == order
    new, truth = levels(seed=1)
    assert model.score(new, truth) > 0.9
    np.testing.assert_allclose(model.predict_proba(new).sum(1), 1.0)


def test_a_label_that_the_order_does_not_list_is_refused():
    X, y = levels(30)
    with pytest.raises(DataError, match=r"not among ordinal.*'top'"):
        Classifier(ordinal=["low", "middle"], training=QUICK).fit(X, y)


def test_a_record_may_have_several_labels(tmp_path):
    X, y = levels()
    table = np.stack([y == "low", y != "top"], 1).astype(int)
    model = Classifier(hidden_size=8, training=Training(steps=200, batch_size=16)).fit(X, table)
    new, truth = levels(seed=1)
    answers = model.predict(new)
    assert answers.shape == (120, 2)
    assert ((truth == "low") == answers[:, 0]).mean() > 0.9
    assert model.predict_proba(new).shape == (120, 2)
    assert model.score(new, np.stack([truth == "low", truth != "top"], 1).astype(int)) > 0.8
    model.save(tmp_path / "m.recurra")
    np.testing.assert_array_equal(recurra.load(tmp_path / "m.recurra").predict(new), answers)


def test_calibration_makes_probabilities_truer():
    random = np.random.default_rng(0)
    X = [random.normal(size=(6, 1)) for _ in range(500)]
    y = np.array([int(x.mean() + random.normal() > 0) for x in X])  # far from certain
    options = {"hidden_size": 32, "dropout": 0.0, "input_dropout": 0.0, "validation": 0.3}
    training = Training(steps=200, batch_size=32, patience=None, learning_rate=0.02)
    model = Classifier(training=training, **options).fit(X[:300], y[:300])
    plain = Classifier(training=training, calibration=None, **options).fit(X[:300], y[:300])
    assert plain.temperature_ == 1.0
    ours, theirs = (log_loss(y[300:], m.predict_proba(X[300:])) for m in (model, plain))
    assert ours <= theirs + 1e-3
    np.testing.assert_array_equal(model.predict(X), plain.predict(X))


def test_classes_to_come_may_be_named_at_the_first_partial_fit():
    X, y = levels()
    seen = y != "top"
    model = Classifier(hidden_size=8, training=QUICK)
    first = [x for x, s in zip(X, seen, strict=True) if s]
    model.partial_fit(first, y[seen], classes=["low", "middle", "top"])
    for _ in range(12):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.8
    with pytest.raises(DataError, match="never seen"):
        model.partial_fit(X[:3], ["low", "other", "top"])
    with pytest.raises(OptionError, match="Make a new Classifier"):
        model.partial_fit(X, y, classes=["low", "top"])


def test_the_report_holds_a_simple_model_beside_ours():
    X, y = levels()
    report = Classifier(hidden_size=8, training=QUICK, validation=0.15).fit(X, y).report()
    assert report.held_back == 18
    assert {each.model for each in report.scores} == {
        "Classifier",
        "the most frequent label",
        "logistic regression on summaries",
    }
    assert "on 18 records held back" in str(report)


def test_what_was_held_back_is_learned_too_and_the_report_stays_honest():
    X, y = levels()
    options = {"hidden_size": 8, "training": QUICK, "validation": 0.25}
    once = Classifier(refit=False, **options).fit(X, y)
    again = Classifier(**options).fit(X, y)
    assert again.report().scores == once.report().scores
    assert again.report().held_back == 30
    assert again.temperature_ == once.temperature_
    assert again.log_.validation == once.log_.validation
    assert again.notes_[-1].startswith("Learned once more from all 120 records, in ")
    assert not any("once more" in note for note in once.notes_)
    assert not np.array_equal(again.predict_proba(X), once.predict_proba(X))


def test_learned_once_more_it_is_a_model_learned_from_all_records():
    X, y = levels()
    steps = Training(steps=40, batch_size=16, patience=None, check_every=10, progress=False)
    options = {"hidden_size": 8, "calibration": None}
    again = Classifier(validation=0.25, training=steps, **options).fit(X, y)
    best = replace(steps, steps=again.log_.best_step)
    whole = Classifier(validation=0, training=best, **options).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), whole.predict_proba(X))


def test_few_records_held_back_are_not_worth_to_be_learned_again():
    X, y = levels(300)
    told = [
        Classifier(hidden_size=4, training=QUICK, validation=0.04, refit=refit).fit(X, y).notes_
        for refit in ("auto", True)
    ]
    assert [any("once more" in note for note in notes) for notes in told] == [False, True]


def test_records_given_to_stop_by_are_not_learned():
    X, y = levels()
    model = Classifier(hidden_size=4, training=QUICK, refit=True)
    model.fit(X[:90], y[:90], validation=(X[90:], y[90:]))
    assert not any("once more" in note for note in model.notes_)


def test_callbacks_see_the_first_training_alone():
    X, y = levels()
    seen = []
    model = Classifier(hidden_size=4, training=QUICK, validation=0.25)
    model.fit(X, y, callbacks=[lambda moment: seen.append(moment.step) or moment.step == 3])
    assert seen == [1, 2, 3]
    assert model.notes_[-1] == "Learned once more from all 120 records, in 3 steps."
