import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from torch import nn, ones

from recurra.errors import DataError, OptionError
from recurra.explaining.neighbours import nearest
from recurra.explaining.trajectories import heard, project

RANDOM = np.random.default_rng(0)
STATES = [RANDOM.normal(size=(steps, 6)) @ np.diag([4, 2, 1, 1, 1, 1]) for steps in (5, 9, 1, 7)]


def test_directions_are_those_of_scikit_learn():
    found = project(STATES, 3, range(4), "abcd")
    known = PCA(3).fit(np.concatenate(STATES))
    np.testing.assert_allclose(found.shares, known.explained_variance_ratio_)
    theirs = known.transform(np.concatenate(STATES))
    np.testing.assert_allclose(np.abs(np.concatenate(found.paths)), np.abs(theirs), atol=1e-10)
    assert [len(path) for path in found.paths] == [5, 9, 1, 7]


@pytest.mark.parametrize("answers", ["abcd", [0.1, 0.2, 0.3, 0.4]])
def test_they_are_said_drawn_and_written(answers):
    found = project(STATES, 2, range(4), answers)
    assert str(found).startswith("4 paths of 1 to 9 steps, of a state of 6 units")
    assert len(found.to_frame()) == 22
    for colour in ("answer", "step"):
        assert isinstance(found.plot(colour), Figure)
        assert isinstance(project(STATES, 1, range(4), answers).plot(colour), Figure)
    with pytest.raises(OptionError, match="colour='red'"):
        found.plot("red")


def of_steps(make):
    return [make(len(each)) for each in STATES]


@pytest.mark.parametrize(
    "answers",
    [
        of_steps(lambda n: np.array(["rest", " "] * n, object)[:n]),
        of_steps(lambda n: np.arange(float(n))),
        of_steps(lambda n: np.array([np.nan, *range(1, n)], float)),
        of_steps(lambda n: np.full(n, np.nan)),
        of_steps(lambda n: np.arange(n)),
    ],
)
def test_answers_of_steps_are_drawn_where_they_are_given(answers):
    found = project(STATES, 2, range(4), answers, by_step=True)
    axes = found.plot().axes[0]
    finite = [np.asarray(each)[[v == v for v in each]] for each in answers]
    dots = sum(len(each.get_offsets()) for each in axes.collections)
    assert dots == (sum(map(len, finite)) or 22)
    np.testing.assert_array_equal(found.to_frame().answer, np.concatenate(answers))
    assert isinstance(found.plot("step"), Figure)


def test_answers_that_hardly_two_share_are_no_colours():
    def titles(answers, colour="auto"):
        figure = project(STATES * 2, 2, range(8), answers).plot(colour)
        return [each.get_ylabel() for each in figure.axes[1:]]

    assert titles("abcdefgh") == ["step"]
    assert titles([[k] for k in range(8)]) == ["step"]
    assert titles(np.arange(8.0)) == ["answer"]
    assert titles("abababab") == []
    assert titles("abcdefgh", "answer") == []


def test_the_most_frequent_answers_have_colours():
    answers = [*"zyxwvutsrqpo", "z", "y", "x", "o"]
    figure = project(STATES * 4, 2, range(16), answers).plot("answer")
    said = [each.get_text() for each in figure.axes[0].get_legend().get_texts()]
    assert {*"zyxo"} < {*said}
    assert said[-1] == "others"
    assert len(said) == 7


def test_labels_are_told_apart_by_signs_and_are_no_formulas():
    figure = project(STATES, 2, range(4), [r"$\bad$", "b", "b", "c"]).plot("answer")
    figure.draw_without_rendering()
    ends = {line.get_marker() for line in figure.axes[0].lines} - {"None", ""}
    assert len(ends) == 3
    assert "of 4 records" in figure.get_suptitle()


def test_what_cannot_be_followed_is_refused():
    with pytest.raises(OptionError, match="the state has 6 units"):
        project(STATES, 7, range(4), "abcd")
    with pytest.raises(DataError, match="same after every step"):
        project([np.ones((3, 2))], 1, [0], ["a"])
    with pytest.raises(DataError, match="fewer than two steps"):
        project([], 1, [], [])
    with pytest.raises(DataError, match="fewer than two steps"):
        project([np.ones((1, 2))], 1, [0], ["a"])


def test_a_module_is_listened_to_only_while_something_runs():
    layer = nn.Linear(2, 3)
    calls = heard(layer, lambda: [layer(ones(1, 2)), layer(ones(4, 2))])
    assert [found.shape[0] for _, _, found in calls] == [1, 4]
    assert not layer._forward_hooks
    with pytest.raises(RuntimeError):
        heard(layer, lambda: layer(ones(1, 5)))
    assert not layer._forward_hooks


def test_the_nearest_come_first():
    read = np.arange(20.0)[:, None]
    found = nearest(np.array([7.2]), read, 3, range(20), ["a"] * 20, "b", list(range(20)))
    assert found.ids == (7, 8, 6)
    assert found.known == (7, 8, 6)
    np.testing.assert_allclose(found.distances, [0.2, 0.8, 1.2])
    assert "'b'" in str(found).splitlines()[0]
    assert found.to_frame().columns.tolist() == ["id", "place", "distance", "answer", "known"]
    assert isinstance(found.plot(), Figure)
    with pytest.raises(OptionError, match="only 20 records can be searched"):
        nearest(np.zeros(1), read, 21, range(20), ["a"] * 20, "b")
    with pytest.raises(DataError, match="y has 3"):
        nearest(np.zeros(1), read, 2, range(20), ["a"] * 20, "b", [1, 2, 3])


def test_answers_of_several_parts_are_said_in_a_row():
    read = np.arange(3.0)[:, None]
    answers = [["DET", "NOUN"], np.array([0.25, 1.0]), ["a"] * 90]
    said = str(nearest(np.zeros(1), read, 3, range(3), answers, ["DET"]))
    assert said.splitlines()[0].endswith("answered DET")
    assert "DET NOUN" in said
    assert "0.25 1" in said
    assert max(map(len, said.splitlines())) < 90
