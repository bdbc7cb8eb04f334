import numpy as np
import pytest
from matplotlib.figure import Figure

from recurra.data import from_arrays, from_text
from recurra.errors import DataError, OptionError, RecurraError, SurrogateError
from recurra.explaining.surrogates import Answers, fit_surrogate, fit_surrogate_around

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(400, 8, 5))
DATA = from_arrays(X)
SIGNS = RANDOM.choice([-1.0, 1.0], (400, 2))
BOTH = from_arrays(X + SIGNS[:, None] @ np.eye(2, 5))
XOR = np.where(SIGNS.prod(1) > 0, "same", "other").astype(object)
NOISE = 0.02 * RANDOM.normal(size=400)


def numbers(values):
    return Answers("the number", np.asarray(values, float))


def labels(values):
    return Answers("its labels", None, np.asarray(values, object), tuple(sorted(set(values))))


@pytest.mark.parametrize("seed", range(10))
def test_a_sparse_linear_rule_is_found_exactly(seed):
    random = np.random.default_rng(seed)
    mean, last, late = random.permutation(5)[:3]
    rule = 2 * X[:, :, mean].mean(1) - X[:, -1, last] + 0.7 * X[:, -3, late]
    found = fit_surrogate(DATA, numbers(rule + NOISE), "lasso", seed=seed)
    assert len(found.features) == 3
    assert found.coefficients[f"x{mean}: mean"] == pytest.approx(2, abs=0.05)
    assert found.coefficients[f"x{last}: last value"] == pytest.approx(-1, abs=0.02)
    assert found.fidelity > 0.99


def test_what_depends_on_combinations_is_refused_and_the_tree_is_named():
    odds = Answers("log odds", np.where(XOR == "same", 3.0, -3.0) + NOISE, XOR)
    for kind in ("lasso", "svm"):
        with pytest.raises(SurrogateError, match="combinations of features") as caught:
            fit_surrogate(BOTH, odds, kind)
        assert "Use kind='tree'" in str(caught.value)
        assert caught.value.fidelity < 0.65
        assert isinstance(caught.value, RecurraError | ValueError)
    tree = fit_surrogate(BOTH, odds, "tree")
    assert tree.fidelity > 0.9
    assert set(tree.features) == {"x0: mean", "x1: mean"}


def test_what_no_feature_says_is_refused_by_each_kind_and_the_floor_can_be_lowered():
    order = numbers(np.sign(X[:, 2, 0] * X[:, 5, 1] * X[:, 3, 2] * X[:, 1, 3]))
    for kind in ("lasso", "tree"):
        with pytest.raises(SurrogateError, match=r"follows .* 50 % are needed"):
            fit_surrogate(DATA, order, kind)
        assert fit_surrogate(DATA, order, kind, floor=-9).fidelity < 0.5


def test_labels_that_are_nearly_always_the_same_need_more_than_eight_tenths():
    rare = np.where(RANDOM.random(400) < 0.1, "ill", "well").astype(object)
    with pytest.raises(SurrogateError, match="where always the same label would in"):
        fit_surrogate(DATA, labels(rare), "tree")


def test_a_plane_between_labels_says_which_side_is_which():
    told = labels(np.where(X[:, -1, 3] + 0.1 > 0, "up", "down"))
    found = fit_surrogate(DATA, told, "svm")
    assert found.labels == ("down", "up")
    assert found.features[0] == "x3: last value"
    assert found.coefficients["x3: last value"] > 0
    assert found.fidelity > 0.9


def test_answers_that_are_missing_are_left_out():
    rule = X[:, -1, 0].copy()
    rule[::3] = np.nan
    found = fit_surrogate(DATA, numbers(rule), "lasso")
    assert found.fitted_to + found.held == np.isfinite(rule).sum()


def test_answers_that_are_all_the_same_are_nothing_to_imitate():
    with pytest.raises(DataError, match="answers 2 for all records"):
        fit_surrogate(DATA, numbers(np.full(400, 2.0)), "lasso")
    with pytest.raises(DataError, match="answers 'a' for all records"):
        fit_surrogate(DATA, labels(["a"] * 400), "tree")


@pytest.mark.parametrize(
    ("answers", "kind", "said"),
    [
        (labels(["a", "b", "c", "d"] * 100), "svm", "say by target="),
        (labels(["a", "b"] * 200), "lasso", "say which by target="),
        (numbers(X[:, 0, 0]), "svm", "use kind='lasso' or kind='tree'"),
        (numbers(X[:, 0, 0]), "forest", "kind='forest', but it is one of"),
    ],
)
def test_a_kind_that_does_not_suit_the_answers_is_refused(answers, kind, said):
    with pytest.raises(OptionError, match=said):
        fit_surrogate(DATA, answers, kind)


def test_few_records_are_refused():
    with pytest.raises(DataError, match=r"these are 20\. Give 40"):
        fit_surrogate(DATA.take(range(20)), numbers(X[:20, 0, 0]), "lasso")
    with pytest.raises(DataError, match="of these 400 it answers 0: others have no steps"):
        fit_surrogate(DATA, numbers(np.full(400, np.nan)), "lasso")


@pytest.mark.parametrize("floor", [2, "high", float("nan"), True])
def test_a_floor_that_is_none_is_refused(floor):
    with pytest.raises(OptionError, match="the least fidelity, a number of at most 1"):
        fit_surrogate(DATA, numbers(X[:, 0, 0]), "lasso", floor=floor)


def test_a_record_without_steps_has_no_parts_to_take_away():
    empty = from_arrays([np.zeros((0, 5)), X[0]]).take([0])
    with pytest.raises(OptionError, match="it has no step of numbers or tokens"):
        fit_surrogate_around(empty, DATA, numbers, "lasso")


def test_around_one_record_the_parts_that_act_are_found():
    record = from_arrays(X[:1] + 1.0)

    def ask(variants):
        values = variants.stream.values.reshape(len(variants), 8, 5)
        return numbers(values[:, 2, 1] + 2 * values[:, 6, 4])

    found = fit_surrogate_around(record, DATA, ask, "lasso")
    assert set(found.features) == {"x1: step 2 as it is", "x4: step 6 as it is"}
    gone = X[0, 2, 1] + 1 - DATA.stream.values[:, 1].mean()
    assert found.coefficients["x1: step 2 as it is"] == pytest.approx(gone, rel=1e-6)
    assert found.fidelity == pytest.approx(1)


def test_around_one_text_the_word_that_decides_is_found():
    texts = ["a film that is not good at all", "fine", "not bad"]
    data = from_text(texts, unit="word")
    name = data.stream.categories[data.stream.channels[0]].index("not")

    def ask(variants):
        stream = variants.stream
        has = np.bincount(stream.owners[stream.values[:, 0] == name], minlength=len(variants)) > 0
        return Answers("log odds", has * 4.0, np.where(has, "bad", "good").astype(object))

    for kind in ("lasso", "svm", "tree"):
        found = fit_surrogate_around(data.take([0]), data, ask, kind)
        assert found.features[0] == "has 'not'"
    assert "if has no 'not'" in found.rules


def test_it_is_said_drawn_and_written():
    line = fit_surrogate(DATA, numbers(2 * X[:, -1, 0] + NOISE), "lasso")
    assert str(line).startswith("LASSO over")
    assert "fidelity: R² 1.00 on 120 other records" in str(line)
    assert line.to_frame()["feature"].tolist() == ["x0: last value"]
    tree = fit_surrogate(BOTH, Answers("its labels", None, XOR), "tree")
    assert "→ 'same'" in tree.rules
    assert tree.to_frame()["records"].sum() == 280
    for each in (line, tree):
        assert isinstance(each.plot(), Figure)
