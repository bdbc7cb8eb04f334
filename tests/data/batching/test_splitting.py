import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data.batching import folds, split
from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.errors import DataError, OptionError
from recurra.testing.sequences import datasets


def many(count, *, groups=None, classes=None):
    stream = Stream(np.arange(2.0 * count)[:, None], np.arange(0, 2 * count + 1, 2), ("x",))
    targets = {}
    if classes is not None:
        targets["y"] = Target(np.array(classes)[:, None], classes=("no", "yes"))
    held = None if groups is None else np.asarray(groups)
    return SequenceDataset(tuple(range(count)), {"s": stream}, targets=targets, groups=held)


@given(st.integers(2, 40), st.floats(0.1, 0.9), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_each_record_is_in_one_part_and_the_seed_decides(count, share, seed):
    data = many(count)
    if count * (1 - share) < 1:
        with pytest.raises(DataError, match="Choose another share"):
            split(data, share, seed=seed)
        return
    train, test = split(data, share, seed=seed)
    assert sorted(train.ids + test.ids) == list(data.ids)
    assert abs(len(test) - share * count) <= 1
    assert split(data, share, seed=seed)[1].ids == test.ids


@given(st.lists(st.integers(0, 6), min_size=8, max_size=40), st.booleans(), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("ignore:The least populated class:UserWarning")
def test_groups_are_never_parted(groups, stratified, seed):
    classes = [group % 2 for group in groups]
    data = many(len(groups), groups=groups, classes=classes)
    stratify = "y" if stratified else None
    if len(set(groups)) < 3:
        return
    pairs = [split(data, 0.3, seed=seed, stratify=stratify, by=by) for by in ("record", "group")]
    pairs += list(folds(data, 3, seed=seed, stratify=stratify)) if not stratified else []
    for train, test in pairs:
        assert not set(train.groups) & set(test.groups)
        assert sorted(train.ids + test.ids) == list(data.ids)
        assert len(test)
        assert len(train)


def test_both_parts_have_the_classes_in_equal_shares():
    classes = [0] * 80 + [1] * 20
    train, test = split(many(100, classes=classes), 0.2, stratify="y")
    assert np.bincount(test.target.values[:, 0]).tolist() == [16, 4]
    for _, part in folds(many(100, classes=classes), 5, stratify="y"):
        assert np.bincount(part.target.values[:, 0]).tolist() == [16, 4]
    groups = np.repeat(np.arange(50), 2)
    train, test = split(many(100, classes=classes, groups=groups), 0.2, stratify="y")
    assert np.bincount(test.target.values[:, 0]).tolist() == [16, 4]
    assert len(train) == 80


def test_folds_test_each_record_once():
    parts = list(folds(many(11), 3))
    assert sorted(sum((test.ids for _, test in parts), ())) == list(range(11))
    assert all(len(train) + len(test) == 11 for train, test in parts)


CLOCKED = st.one_of([datasets(clocks=(c,), max_streams=2) for c in ("step", "number", "calendar")])


@given(CLOCKED, st.floats(0.05, 0.95))
@settings(max_examples=60, deadline=None)
def test_by_time_no_step_is_lost_and_the_last_are_held_back(data, share):
    train, test = split(data, share, by="time", stream="x0")
    for name, stream in data.streams.items():
        for i in range(len(data)):
            parts = [part.streams[name].at(i) for part in (train, test)]
            whole = np.concatenate([part.values for part in parts])
            np.testing.assert_array_equal(whole, stream.at(i).values)
    lengths = data.streams["x0"].lengths
    assert (np.abs(test.streams["x0"].lengths - share * lengths) <= 0.5 + 1e-9).all()
    if "x1" in data.streams and data.streams["x0"].clock != "step":
        for i in range(len(data)):
            known = train.streams["x0"].at(i).times
            others = train.streams["x1"].at(i).times
            assert not len(others) or others.max() <= known.max()


def test_a_cutoff_is_a_moment_of_the_zone():
    stamps = np.array(["2024-06-30T21:59", "2024-06-30T22:00"], "M8[ns]").view(np.int64)
    stream = Stream(
        np.arange(2.0)[:, None],
        np.array([0, 2]),
        ("x",),
        times=stamps,
        clock="calendar",
        zone="Europe/Berlin",
    )
    data = SequenceDataset(("a",), {"s": stream})
    train, test = split(data, by="time", cutoff="2024-07-01")
    assert (train.stream.values.ravel().tolist(), test.stream.values.ravel().tolist()) == ([0], [1])
    everything, nothing = split(data, by="time", cutoff="2024-07-01T00:00Z")
    assert (everything.stream.rows, nothing.stream.rows) == (2, 0)
    with pytest.raises(OptionError, match="calendar, but cutoff=5"):
        split(data, by="time", cutoff=5)
    for wrong in ("soon", "NaT"):
        with pytest.raises(OptionError, match="no moment"):
            split(data, by="time", cutoff=wrong)


def test_too_few_are_refused():
    with pytest.raises(DataError, match="2 parts need 2 records, but there are 1") as caught:
        split(many(1))
    assert caught.value.code == "too_few"
    with pytest.raises(DataError, match="5 parts need 5 groups, but there are 2"):
        folds(many(9, groups=[0, 1, 1] * 3), 5)
    with pytest.raises(DataError, match="2 parts, but of class 'yes' only 1"):
        split(many(5, classes=[0, 0, 0, 0, 1]), stratify="y")


def test_wrong_arguments_are_refused():
    data = many(5, classes=[0, 1, 0, 1, -1])
    cases = [
        ({"share": 0}, "between 0 and 1"),
        ({"share": 5}, "between 0 and 1"),
        ({"by": "speaker"}, "by='speaker'"),
        ({"by": "group"}, "has no groups"),
        ({"stratify": "z"}, "no target 'z'"),
        ({"cutoff": 3}, "are for by='time'"),
        ({"by": "time", "stratify": "y"}, "nothing to stratify"),
        ({"by": "time", "cutoff": 3}, "has no times"),
    ]
    for more, said in cases:
        with pytest.raises(OptionError, match=said):
            split(data, **more)
    numbers = data.with_targets(z=Target(np.zeros((5, 1))))
    with pytest.raises(OptionError, match="not one class for each record"):
        split(numbers, stratify="z")
    with pytest.raises(OptionError, match="n=1"):
        folds(data, 1)
