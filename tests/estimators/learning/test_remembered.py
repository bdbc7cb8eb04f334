import numpy as np
import pytest
import torch

from recurra import MultiTask
from recurra.errors import NotFittedError, OptionError
from recurra.estimators.language.language_model import LanguageModel
from recurra.estimators.rows.anomaly_detector import AnomalyDetector
from recurra.estimators.rows.next_step import NextStep
from recurra.estimators.speech.transcriber import Transcriber
from recurra.testing.estimator_cases import CASES, brief, walks

TASKS = sorted(CASES)
SAY_SOMETHING_OF_EACH_STEP = {"AnomalyDetector", "LanguageModel", "Tagger", "Transcriber"}


@pytest.fixture(scope="module")
def fitted():
    """A model and its records, by the name of its class."""
    kept = {}

    def fit(name):
        if name not in kept:
            case = CASES[name]()
            model = case.estimator
            kept[name] = model.fit(case.X) if case.y is None else model.fit(case.X, case.y), case.X
        return kept[name]

    return fit


def some(X, *places):
    return X.take(places) if hasattr(X, "take") else [X[k] for k in places]


def steps_of(model, X):
    lengths = model._to_ask(X, {}).lengths.tolist()
    return (
        [int(100 * k / 4000) // 2 for k in lengths] if isinstance(model, Transcriber) else lengths
    )


@pytest.mark.parametrize("name", TASKS)
def test_every_task_shows_a_state_after_each_step(fitted, name):
    model, X = fitted(name)
    found = model.trajectories(X)
    close = 1 if isinstance(model, Transcriber) else 0  # of bands, how many steps samples make
    for path, steps in zip(found.paths, steps_of(model, X), strict=True):
        assert abs(len(path) - steps) <= close
        assert path.shape[1] == 2
        assert np.isfinite(path).all()
    assert found.by_step == (name in SAY_SOMETHING_OF_EACH_STEP)
    if found.by_step:
        assert [*map(len, found.answers)] == [*map(len, found.paths)]
    assert len(found.to_frame()) == sum(map(len, found.paths))


@pytest.mark.parametrize("name", TASKS)
def test_a_path_is_that_of_its_record_alone(fitted, name):
    model, X = fitted(name)
    units = model.trajectories(X).units
    whole = model.trajectories(some(X, 5, 17, 11, 4), units).paths
    alone = model.trajectories(some(X, 5, 11), units).paths
    for path, again in zip(whole[::2], alone, strict=True):  # in other axes, of another middle
        one, other = (np.linalg.norm(each - each[:1], axis=1) for each in (path, again))
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("name", ["AnomalyDetector", "LanguageModel", "NextStep", "Tagger"])
def test_what_comes_later_does_not_touch_a_state(fitted, name):
    model, X = fitted(name)
    longest = max(X, key=len)
    whole, begun = model._to_ask([longest], {}), model._to_ask([longest[:-2]], {})
    (layer,) = model._layers()
    (late,), (early,) = model._states(whole, layer), model._states(begun, layer)
    np.testing.assert_allclose(late[:-2], early, atol=1e-6)
    assert np.abs(late[-1] - early[-1]).max() > 1e-6


@pytest.mark.parametrize("name", TASKS)
def test_a_record_is_its_own_nearest_whatever_the_task(fitted, name):
    model, X = fitted(name)
    for k in (5, 11):
        found = model.neighbours(some(X, k), X, n=3)
        assert found.distances[0] < 1e-4 * found.usual
        assert k in found.places[found.distances < 1e-4 * found.usual]
        assert str(found.answers[0]) == str(found.answer)
        assert len(str(found).splitlines()) == 5
        assert max(map(len, str(found).splitlines())) < 120


@pytest.mark.parametrize("name", TASKS)
def test_asking_what_is_remembered_changes_no_answer(fitted, name):
    model, X = fitted(name)
    before = [str(each) for each in model._answers_shown(model._to_ask(X, {}))]
    weights = {key: each.clone() for key, each in model.network_.state_dict().items()}
    model.trajectories(X)
    model.neighbours(some(X, 3), X)
    assert [str(each) for each in model._answers_shown(model._to_ask(X, {}))] == before
    assert all((each == weights[key]).all() for key, each in model.network_.state_dict().items())


@pytest.mark.parametrize("name", TASKS)
def test_who_has_not_learned_remembers_nothing(name):
    case = CASES[name]()
    for ask in (
        lambda: case.estimator.trajectories(case.X),
        lambda: case.estimator.neighbours(some(case.X, 0), case.X),
    ):
        with pytest.raises(NotFittedError):
            ask()


@pytest.mark.parametrize("name", TASKS)
def test_what_cannot_be_shown_is_said(fitted, name):
    model, X = fitted(name)
    with pytest.raises(OptionError, match="stream='notes': each of these has a layer"):
        model.trajectories(X, stream="notes")
    with pytest.raises(OptionError, match=r"x holds 2 records, .* give x\[:1\], a list of one"):
        model.neighbours(some(X, 0, 1), X)
    with pytest.raises(OptionError, match="n=41, but only 40 records"):
        model.neighbours(some(X, 0), X, n=41)
    with pytest.raises(OptionError, match="units"):
        model.trajectories(X, 1000)


def test_the_state_after_a_row_is_what_the_next_one_is_foretold_by(fitted):
    model, X = fitted("NextStep")
    long = max(X, key=len)
    (states,) = model._states(model._to_ask([long], {}), "x")
    scaled = model.preprocessor_.transform(model._to_ask([long], {})).stream.values
    read = [torch.from_numpy(each).float() for each in (states, scaled)]
    with torch.no_grad():
        said = model._expected(model.network_._raw(*read)).mean
    session = model.stream()
    coming = [session.step(row).mean for row in long]
    np.testing.assert_allclose(said, np.stack(coming), atol=1e-5)


def test_texts_that_end_alike_go_on_alike():
    text = "to be or not to be, that is the question. " * 40
    model = LanguageModel(hidden_size=32, training=brief(150, batch_size=4)).fit(text)
    texts = [
        "the question. to be o",
        "or not to be, t",
        "that is t",
        "to be, that i",
        "not to be, t",
    ]
    found = model.neighbours("to be or not to be, t", texts, n=2)
    assert found.answer == "h"
    assert set(found.places) == {1, 4}
    assert found.answers == ("h", "h")


def test_a_network_that_tells_windows_again_has_a_code_for_each_step():
    model = AnomalyDetector("reconstruction", code_size=3, window=4, training=brief())
    found = model.fit(walks()).trajectories(walks(), 3)
    assert found.units == 3
    assert [*map(len, found.paths)] == [len(each) for each in walks()]


def test_numbers_of_one_channel_are_answers_to_colour_by():
    model = NextStep(hidden_size=4, training=brief()).fit([each[:, :1] for each in walks()])
    found = model.trajectories([each[:, :1] for each in walks()])
    assert all(isinstance(each, float) for each in found.answers)


def test_who_answers_steps_only_compares_the_mean_of_states():
    X = walks()
    y = {"up": [["yes" if value > 0 else "no" for value in each[:, 0]] for each in X]}
    model = MultiTask(hidden_size=4, training=brief()).fit(X, y)
    found = model.neighbours(X[5:6], X, n=2)
    assert found.distances[0] < 1e-4 * found.usual
