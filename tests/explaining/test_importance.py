import numpy as np
import pytest
from matplotlib.figure import Figure

from recurra.data import from_arrays, from_text
from recurra.errors import DataError, OptionError
from recurra.explaining.importance import permutation_importance

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 12, 5))
DATA = from_arrays(X)
TRUTH = X[:, 3:5, 2].sum(1)


def error(dataset):
    values = dataset.stream.values.reshape(60, 12, 5)
    return float(np.sqrt(((values[:, 3:5, 2].sum(1) - TRUTH) ** 2).mean()))


def ask(data=DATA, score=error, **options):
    return permutation_importance(data, score, "RMSE", greater=False, **options)


def test_only_what_is_read_matters():
    found = ask()
    assert found.ranked[0] == "x2"
    assert found.mean["x2"] > 1
    assert all(found.mean[f"x{k}"] == 0 for k in (0, 1, 3, 4))
    assert found.standard_error["x2"] > 0


def test_a_score_of_which_more_is_better_is_lost_too():
    found = permutation_importance(DATA, lambda data: -error(data), "R²", greater=True)
    assert found.mean == ask().mean


def test_steps_and_windows_are_those_that_matter():
    steps = ask(by="step").mean
    assert {name for name, value in steps.items() if value} == {"step 3", "step 4"}
    windows = ask(by="window").mean
    assert {name for name, value in windows.items() if value} == {"steps 2–3", "step 4"}


def test_groups_are_exchanged_together_and_nothing_else_is():
    found = ask(groups={"both": ["x2", "x3"], "one": "x0"})
    assert list(found.losses) == ["both", "one"]
    assert found.mean["both"] > 1
    assert found.mean["one"] == 0
    stretch = ask(by="window", groups={"early": range(3), "the last nine": slice(-9, None)}).mean
    assert stretch["early"] == 0 < stretch["the last nine"]


def test_a_word_that_decides_comes_first():
    texts = [f"the {'good' if k % 2 else 'old'} film of year {k % 7}" for k in range(40)]
    data = from_text(texts, unit="word")
    name = data.stream.categories[data.stream.channels[0]].index("good")

    def accuracy(dataset):
        stream = dataset.stream
        has = np.bincount(stream.owners[stream.values[:, 0] == name], minlength=40) > 0
        return float((has == np.arange(40) % 2).mean())

    found = permutation_importance(data, accuracy, "accuracy", greater=True, by="token")
    assert found.ranked[0] == "good"
    assert all(lost == 0 for name, lost in found.mean.items() if name != "good")
    groups = {"praise": ["good"], "rest": ["old", "film"]}
    found = permutation_importance(
        data, accuracy, "accuracy", greater=True, by="token", groups=groups
    )
    assert found.ranked == ("praise", "rest")


def test_the_same_seed_gives_the_same_and_another_another():
    assert ask(seed=3).mean == ask(seed=3).mean != ask(seed=4).mean


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n_repeats": 0}, "n_repeats=0, but it must be an int of at least 1"),
        ({"by": "lag"}, "by='lag', but it is one of"),
        ({"groups": {"a": ["x9"]}}, "There is no channel 'x9'"),
        ({"groups": {"a": ["x1", "x2"], "b": ["x2"]}}, "'x2' is in two groups, 'a' and 'b'"),
        ({"groups": {"a": 3}}, "is a list of names"),
        ({"groups": ["x1"]}, "is a dict"),
        ({"by": "step", "groups": {"a": range(4), "b": 3}}, "Groups 'a' and 'b' share steps"),
        ({"by": "step", "groups": {"a": slice(0, 9, 2)}}, "a stretch of steps is one number"),
        ({"by": "step", "groups": {"a": 50}}, r"groups\['a'\]=50, but no record has such a step"),
        ({"by": "token"}, "needs one stream of tokens"),
    ],
)
def test_what_cannot_be_exchanged_is_refused(options, said):
    with pytest.raises(OptionError, match=said):
        ask(**options)


def test_one_record_has_nobody_to_exchange_with():
    with pytest.raises(DataError, match="there is only one"):
        ask(DATA.take([0]))


def test_it_is_said_drawn_and_written():
    found = ask(n_repeats=3)
    assert "x2" in str(found).splitlines()[1]
    assert "standard error of 3 exchanges" in str(found)
    assert "±" not in str(ask(n_repeats=1))
    frame = found.to_frame()
    assert frame.columns.tolist() == ["channel", "importance", "standard_error"]
    assert frame["channel"][0] == "x2"
    for by in ("channel", "step", "window"):
        assert isinstance(ask(by=by).plot(), Figure)
