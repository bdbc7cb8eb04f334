import numpy as np
import pytest

from recurra import Classifier, MultiTask, Regressor, Training
from recurra.data import from_arrays
from recurra.errors import DataError, NotFittedError, OptionError, SurrogateError
from recurra.testing.estimator_cases import CASES, walks

QUIET = {"progress": False, "warmup": 10}
RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def plain():
    """A network that learned a sparse linear rule."""
    X = RANDOM.normal(size=(700, 8, 5))
    y = 2 * X[:, :, 1].mean(1) - X[:, -1, 3]
    model = Regressor(hidden_size=24, dropout=0, input_dropout=0, training=Training(600, **QUIET))
    return model.fit(X[:500], y[:500]), X[500:], y[500:]


@pytest.fixture(scope="module")
def exclusive():
    """A network that learned which of two signs is other than the other."""
    signs = RANDOM.choice([-1.0, 1.0], (600, 2))
    X = RANDOM.normal(size=(600, 6, 3))
    X[:, :, :2] += signs[:, None]
    y = np.where(signs.prod(1) > 0, "same", "other")
    model = Classifier(hidden_size=16, dropout=0, training=Training(250, **QUIET))
    return model.fit(X[:400], y[:400]), X[400:], y[400:]


@pytest.fixture(scope="module")
def several():
    """A network with a label of three kinds and a number, of records of unequal length."""
    X = [RANDOM.normal(size=(3 + k % 4, 2)) for k in range(90)]
    sums = np.array([each[:, 0].sum() for each in X])
    y = {"size": np.digitize(sums, [-1, 1]).astype(str).tolist(), "sum": sums.tolist()}
    model = MultiTask(hidden_size=8, training=Training(60, **QUIET))
    return model.fit(X, y), X, y


def test_a_network_that_learned_a_sparse_rule_is_said_to_have(plain):
    model, X, y = plain
    assert model.score(X, y) > 0.97
    found = model.surrogate(X)
    assert set(found.features) == {"x1: mean", "x3: last value"}
    assert found.coefficients["x3: last value"] == pytest.approx(-1, abs=0.1)
    assert found.fidelity > 0.95


def test_a_line_is_refused_for_exclusive_or_and_a_tree_is_not(exclusive):
    model, X, y = exclusive
    assert model.score(X, y) > 0.9
    for kind in ("lasso", "svm"):
        with pytest.raises(SurrogateError, match="combinations of features, which a sum"):
            model.surrogate(X, kind)
    tree = model.surrogate(X, "tree")
    assert tree.fidelity > 0.85
    assert {"x0: mean", "x1: mean"} <= set(tree.features)


def test_around_one_record_its_parts_add_up_to_its_answer(plain):
    model, X, _ = plain
    found = model.surrogate(X, around=X[:1], floor=0.9)
    parts = {name.split(":")[0] for name in found.features[:4]}
    assert parts <= {"x1", "x3"}
    whole = found.model.answer(np.ones((1, len(found.names))))[0]
    assert whole == pytest.approx(model.predict(X[:1])[0], abs=0.3)


def test_a_target_says_which_answer_is_imitated(several):
    model, X, _ = several
    number = model.surrogate(X, target="sum")
    assert number.asked == "sum"
    odds = model.surrogate(X, target=("size", "2"), floor=-9)
    assert odds.asked == "log odds of '2'"
    with pytest.raises(OptionError, match="There are several answers, 'size', 'sum'"):
        model.surrogate(X)
    with pytest.raises(OptionError, match="target='weight', but the answers are"):
        model.surrogate(X, target="weight")
    with pytest.raises(OptionError, match="say which by target="):
        model.surrogate(X, target="size")
    labels = model.surrogate(X, "tree", target="size", floor=0).labels
    assert labels == tuple(sorted({*model.predict(X)["size"]}))


@pytest.mark.parametrize(
    ("options", "fault", "said"),
    [
        ({"kind": "forest"}, OptionError, "kind='forest'"),
        ({"target": "sideways"}, OptionError, "target='sideways' is no label"),
        ({"features": ["colour"]}, OptionError, "features names 'colour'"),
        ({"seed": -1}, OptionError, "seed=-1"),
        ({"around": RANDOM.normal(size=(2, 6, 3))}, OptionError, "around holds 2 records"),
    ],
)
def test_what_cannot_be_imitated_is_refused(exclusive, options, fault, said):
    model, X, _ = exclusive
    with pytest.raises(fault, match=said):
        model.surrogate(X, **options)
    with pytest.raises(DataError, match="Give 40 records or more"):
        model.surrogate(X[:9])


def test_paths_end_where_the_layer_ends_and_a_record_s_path_is_its_own(exclusive, several):
    model, X, _ = exclusive
    found = model.trajectories(X, 2)
    assert {path.shape for path in found.paths} == {(6, 2)}
    assert sum(found.shares) <= 1
    ragged, records, _ = several
    paths = ragged.trajectories(records, 8).paths
    assert [len(path) for path in paths] == [len(each) for each in records]
    far = np.linalg.norm(paths[0][-1] - paths[5][-1])
    again = ragged.trajectories([records[5], records[0]], 8).paths  # other neighbours, other axes
    assert np.linalg.norm(again[1][-1] - again[0][-1]) == pytest.approx(far, rel=1e-4)
    with pytest.raises(OptionError, match="each of these has a layer"):
        model.trajectories(X, stream="notes")


def test_a_record_is_its_own_nearest_and_others_are_answered_alike(exclusive, several):
    model, X, y = exclusive
    found = model.neighbours(X[7:8], X, n=20, y=y)
    assert found.ids[0] == 7
    assert found.distances[0] < 1e-3 * found.usual
    assert np.mean([each == found.answer for each in found.answers]) > 0.9
    assert found.known is not None
    ragged, records, _ = several
    near = ragged.neighbours(records[:1], records, n=3)
    assert set(near.answers[0]) == {"size", "sum"}
    with pytest.raises(OptionError, match=r"x holds 2 records, .* give x\[:1\]"):
        model.neighbours(X[:2], X)
    with pytest.raises(DataError, match="y has 3"):
        model.neighbours(X[:1], X, y=y[:3])


def test_an_answer_moves_as_it_does_when_the_record_is_changed_by_hand(plain, several):
    model, X, _ = plain
    found = model.what_if(X[:3], {"x3": (-1, lambda last: last + 1)})
    other = X[:3].copy()
    other[:, -1, 3] += 1
    np.testing.assert_allclose(found.before, model.predict(X[:3]))
    np.testing.assert_allclose(found.after, model.predict(other))
    np.testing.assert_allclose(found.difference, -1, atol=0.2)
    both = several[0].what_if(several[1][:2], {"x0": 0.0})
    assert both.keys["answer"] == ["size: 0", "size: 1", "size: 2", "sum"] * 2
    assert both.before[:3].sum() == pytest.approx(1)


def test_records_without_steps_have_no_path_and_no_neighbours(exclusive):
    model, X, _ = exclusive
    empty = [np.zeros((0, 3))] * 2
    for ask in (lambda: model.trajectories(empty), lambda: model.neighbours(X[:1], empty)):
        with pytest.raises(DataError, match=r"None of these records has a step.* Give records"):
            ask()


def test_texts_streams_and_holes_are_asked_too():
    texts = [f"a {'good' if k % 2 else 'bad'} film {k % 5} again" for k in range(80)]
    model = Classifier(hidden_size=8, training=Training(80, **QUIET)).fit(
        texts, [k % 2 for k in range(80)]
    )
    assert model.surrogate(texts).features[0] in ("has 'good'", "has 'bad'")
    assert model.what_if(texts[:1], {"text": (1, "good")}).difference[1] > 0
    assert len(model.trajectories(texts).paths) == 80
    assert model.neighbours(texts[:1], texts, n=2).distances[0] < 1e-4
    holes = [np.where(RANDOM.random(each.shape) < 0.2, np.nan, each) for each in walks()]
    model = Regressor(hidden_size=4, layer="grud", training=Training(5, **QUIET))
    model.fit(holes, [float(np.nansum(each)) for each in holes])
    assert len(model.trajectories(holes).paths) == 40
    assert model.what_if(holes[3:4], {"x0": None}).after.shape == (1,)


def test_who_has_not_learned_is_asked_nothing():
    for ask in (
        lambda: Regressor().surrogate([[1.0]]),
        lambda: Regressor().importance([[1.0]], [1.0]),
        lambda: Regressor().trajectories([[1.0]]),
        lambda: Regressor().neighbours([[1.0]], [[1.0]]),
        lambda: Regressor().what_if([[1.0]], {"x0": 1}),
    ):
        with pytest.raises(NotFittedError):
            ask()


def test_asking_changes_nothing(exclusive):
    model, X, _ = exclusive
    before = model.predict_proba(X)
    model.trajectories(X)
    model.neighbours(X[:1], X)
    model.what_if(X[:1], {"x0": 1.0})
    np.testing.assert_array_equal(model.predict_proba(X), before)


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_task_with_something_to_be_told_says_which_channels_it_needs(name):
    case = CASES[name]()
    model = case.estimator
    model.fit(case.X) if case.y is None else model.fit(case.X, case.y)
    if model.learns_alone:
        with pytest.raises(OptionError, match="foretells the rows it reads"):
            model.importance(case.X)
        return
    found = model.importance(case.X, case.y, n_repeats=2)
    assert all(np.isfinite(each).all() for each in found.losses.values())


def test_importance_needs_what_is_true_and_more_than_one_record(plain):
    model, X, y = plain
    found = model.importance(X, y, n_repeats=2)
    assert set(found.ranked[:2]) == {"x1", "x3"}
    assert found.measure == "RMSE"
    with pytest.raises(DataError, match="y is missing"):
        model.importance(X)
    with pytest.raises(DataError, match="only one"):
        model.importance(X[:1], y[:1])
    named = from_arrays(X, y, channels=[*"abcde"])
    with pytest.raises(DataError, match="which is not there"):
        model.importance(named)
