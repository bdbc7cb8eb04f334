"""Several targets at once: each answered in its own words, none drowned, none lost."""

import numpy as np
import pytest

import recurra
from recurra import MultiTask, Training
from recurra.errors import DataError, OptionError

pytestmark = pytest.mark.filterwarnings("ignore::recurra.errors.DataWarning")

QUICK = Training(steps=60, batch_size=16, progress=False)
NAN = float("nan")


def made(count=80, seed=0):
    random = np.random.default_rng(seed)
    slopes = random.normal(size=count)
    steps = random.integers(4, 9, count)
    X = {"x": [s * np.arange(n)[:, None] for s, n in zip(slopes, steps, strict=True)]}
    targets = {
        "way": ["up" if s > 0 else "down" for s in slopes],
        "slope": (1000 * slopes).tolist(),
        "high": [["yes" if v > 0 else "no" for v in x[:, 0]] for x in X["x"]],
    }
    return X, targets


def some(X, places):
    return {"x": [X["x"][k] for k in places]}


def test_labels_numbers_and_labels_of_steps_are_learned_together():
    X, targets = made()
    model = MultiTask(hidden_size=16, training=Training(steps=300, batch_size=16)).fit(X, targets)
    new, truth = made(seed=1)
    answers = model.predict(new)
    assert (answers["way"] == np.array(truth["way"], object)).mean() > 0.9
    assert np.corrcoef(answers["slope"], truth["slope"])[0, 1] > 0.9
    assert [len(each) for each in answers["high"]] == [len(each) for each in truth["high"]]
    assert model.score(new, truth) > 0.8
    chances = model.predict_proba(new)
    assert set(chances) == {"way", "high"}
    np.testing.assert_allclose(chances["high"][0].sum(-1), 1.0)


def test_what_is_unknown_of_a_target_counts_in_no_loss():
    X, targets = made()
    targets["slope"][:40] = [NAN] * 40
    targets["way"][60:] = [None] * 20
    model = MultiTask(hidden_size=8, training=QUICK, validation=0).fit(X, targets)
    wild = {**targets, "slope": [NAN if np.isnan(s) else s for s in targets["slope"]]}
    again = MultiTask(hidden_size=8, training=QUICK, validation=0).fit(X, wild)
    np.testing.assert_array_equal(model.predict(X)["slope"], again.predict(X)["slope"])


def test_a_weight_of_zero_leaves_a_target_unlearned():
    X, targets = made()
    fixed = {"way": 1.0, "slope": 0.0, "high": 0.0}
    model = MultiTask(hidden_size=8, weights=fixed, training=QUICK, validation=0).fit(X, targets)
    fresh = MultiTask(hidden_size=8, weights=fixed, training=Training(steps=1), validation=0)
    head = list(model.network_.plan.answers).index("slope")
    ours, theirs = (m.network_.heads[head] for m in (model, fresh.fit(X, targets)))
    assert abs(ours.bias - theirs.bias).max() < 1e-2  # nothing but decay moved it


def test_saved_and_loaded_it_answers_the_same(tmp_path):
    X, targets = made(30)
    model = MultiTask(hidden_size=6, training=QUICK).fit(X, targets)
    model.save(tmp_path / "m.recurra")
    loaded = recurra.load(tmp_path / "m.recurra")
    for name, answer in model.predict(X).items():
        for ours, theirs in zip(answer, loaded.predict(X)[name], strict=True):
            np.testing.assert_array_equal(ours, theirs)
    loaded.partial_fit(X, targets)


def test_the_report_names_each_target():
    X, targets = made()
    said = str(MultiTask(hidden_size=6, training=QUICK).fit(X, targets).report())
    assert "accuracy of way" in said
    assert "R² of slope" in said
    assert "linear models of summaries" in said


@pytest.mark.parametrize(
    ("y", "options", "error", "message"),
    [
        (["up"] * 80, {}, OptionError, "dict of targets by name"),
        (None, {"weights": {"speed": 1.0}}, OptionError, "weights names 'speed'"),
        (None, {"weights": "equal"}, OptionError, "'uncertainty', or a dict"),
        (None, {"weights": {"way": -1.0}}, OptionError, "0 or more"),
    ],
)
def test_what_is_no_dict_of_targets_is_refused(y, options, error, message):
    X, targets = made()
    with pytest.raises(error, match=message):
        MultiTask(training=QUICK, **options).fit(X, targets if y is None else y)


def test_a_target_that_is_gone_is_asked_for():
    X, targets = made()
    model = MultiTask(hidden_size=4, training=QUICK).fit(X, targets)
    with pytest.raises(DataError, match="learned a target 'slope'"):
        model.partial_fit(X, {"way": targets["way"], "high": targets["high"]})


def test_whole_numbers_are_numbers_where_numbers_were_learned():
    X, targets = made(30)
    model = MultiTask(hidden_size=4, training=QUICK).fit(X, targets)
    whole = {**targets, "slope": [round(each) for each in targets["slope"]]}
    floats = {**targets, "slope": [float(round(each)) for each in targets["slope"]]}
    assert model.scores(X, whole) == model.scores(X, floats)
    with pytest.raises(OptionError, match="it holds text"):
        model.scores(X, {**targets, "slope": ["steep"] * 30})
