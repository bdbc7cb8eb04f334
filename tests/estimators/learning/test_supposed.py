import numpy as np
import pytest
from matplotlib.figure import Figure

from recurra import Tagger
from recurra.errors import OptionError
from recurra.estimators.rows.anomaly_detector import AnomalyDetector
from recurra.estimators.rows.next_step import NextStep
from recurra.testing.estimator_cases import brief, walks

X = [np.random.default_rng(k).normal(size=(6 + k % 5, 2)) for k in range(40)]


@pytest.fixture(scope="module")
def tagger():
    """A network that says of each step whether its first channel is high."""
    y = [np.where(each[:, 0] > 0, "high", "low").tolist() for each in X]
    return Tagger(hidden_size=8, dropout=0, training=brief(200)).fit(X, y)


def by_hand(records, step, value):
    changed = [each.copy() for each in records]
    for each in changed:
        each[step, 0] = value
    return changed


def test_tags_move_as_they_do_when_a_step_is_changed_by_hand(tagger):
    found = tagger.what_if(X[:2], {"x0": (3, 2.5)})
    for numbers, records in ((found.before, X[:2]), (found.after, by_hand(X[:2], 3, 2.5))):
        np.testing.assert_allclose(numbers, np.concatenate(tagger.predict_proba(records)).ravel())
    frame = found.to_frame()
    assert frame.columns.tolist() == ["id", "step", "answer", "before", "after", "difference"]
    assert len(frame) == 2 * (len(X[0]) + len(X[1]))
    before = frame[(frame.step < 3)].difference
    assert np.abs(before).max() < 1e-6  # it reads forwards
    far = frame[(frame.answer == "high") & (frame.step == 3)]
    assert (far.after > 0.8).all()
    assert isinstance(found.plot(), Figure)


def test_a_word_is_changed_and_its_tag_goes_with_it():
    texts = [["the", "cat", "sleeps"], ["a", "dog", "barks"], ["Tom", "sleeps"]] * 4
    tags = [["DET", "NOUN", "VERB"], ["DET", "NOUN", "VERB"], ["NAME", "VERB"]] * 4
    model = Tagger(hidden_size=8, training=brief(60)).fit(texts, tags)
    found = model.what_if([["the", "cat", "sleeps"]], {"token": (1, "barks")}).to_frame()
    middle = found[found.step == 1].set_index("answer").difference
    assert middle["VERB"] > 0 > middle["NOUN"]


def test_the_next_row_moves_as_it_does_by_hand():
    model = NextStep(hidden_size=8, training=brief(100)).fit(walks())
    records = [each for each in walks() if len(each) > 3][:3]
    found = model.what_if(records, {"x0": (-1, 9.0)})
    assert found.keys["answer"] == ["next 'x0'", "next 'x1'"] * 3
    np.testing.assert_allclose(found.before, model.predict(records).ravel())
    np.testing.assert_allclose(found.after, model.predict(by_hand(records, -1, 9.0)).ravel())
    assert np.abs(found.difference).max() > 0.1


def test_of_flags_probabilities_move():
    X = [[[1, 0], [0, 1]] * 10, [[0, 1], [1, 0]] * 8]
    model = NextStep(hidden_size=16, training=brief(60)).fit(X)
    found = model.what_if(X[:1], {"x0": (-1, 1), "x1": (-1, 0)})
    assert found.keys["answer"] == ["next 'x0' is 1", "next 'x1' is 1"]
    np.testing.assert_allclose(found.before, model.predict_proba(X[:1]).ravel())
    assert found.difference[0] < -0.1 < 0.1 < found.difference[1]
    with pytest.raises(Exception, match="0 or 1"):
        model.what_if(X[:1], {"x0": (-1, 0.5)})


@pytest.mark.parametrize("method", ["forecast", "reconstruction"])
def test_a_step_becomes_odd_where_its_value_is(method):
    waves = [np.sin(np.arange(120) / 5.0 + k)[:, None] for k in range(3)]
    model = AnomalyDetector(method, training=brief(30)).fit(waves)
    found = model.what_if(waves[:1], {"x0": (80, 6.0)})
    assert set(found.keys) == {"id", "step"}
    np.testing.assert_allclose(found.after, model.score_samples(by_hand(waves[:1], 80, 6.0))[0])
    assert int(np.nanargmax(np.nan_to_num(found.difference))) == 80
    assert found.after[80] > 1 > found.before[80]
    assert (found.difference[:80] == 0).all()
    assert isinstance(found.plot(), Figure)
    gone = model.what_if(waves[:1], {"x0": (80, None)})
    assert np.isnan(gone.after[80])
    assert str(gone).splitlines()[2].split()[1] == "80"  # having no score any more is far
    assert isinstance(gone.plot(), Figure)


def test_what_is_not_there_is_not_changed(tagger):
    with pytest.raises(OptionError, match="'x9'"):
        tagger.what_if(X[:1], {"x9": 1.0})
    assert not tagger.what_if([np.zeros((0, 2))], {"x0": 1.0}).before.size
