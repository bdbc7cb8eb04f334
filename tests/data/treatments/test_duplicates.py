import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.data.treatments import Duplicates
from recurra.errors import DataError, DataWarning, OptionError
from recurra.testing.sequences import datasets

NUMBERS = ("normal", "counts", "flags", "never")


def dataset(values, times, offsets=None, target=None, **more):
    values = np.array(values, float).reshape(len(times), -1)
    offsets = np.array([0, len(times)] if offsets is None else offsets)
    names = tuple(f"c{k}" for k in range(values.shape[1]))
    stream = Stream(
        values,
        offsets,
        names,
        observed=~np.isnan(values),
        times=np.array(times, float),
        clock="number",
        **more,
    )
    targets = {}
    if target is not None:
        classes = ("no", "yes")
        answers = np.array(target).reshape(-1, 1)
        targets["y"] = Target(answers, "step", classes, ("y",), offsets, "x")
    ids = tuple("abcdefg"[: len(offsets) - 1])
    return SequenceDataset(ids, {"x": stream}, targets=targets)


def applied(treatment, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return treatment.apply(data, treatment.learn(data))


def same_steps(one, other):
    np.testing.assert_array_equal(one.times, other.times)
    np.testing.assert_array_equal(one.observed, other.observed)
    np.testing.assert_array_equal(one.values[one.observed], other.values[other.observed])


@pytest.mark.parametrize("keep", ["first", "last", "mean", "sum"])
@given(data=datasets(clocks=("number", "calendar"), channels=NUMBERS, static=False))
@settings(max_examples=40, deadline=None)
def test_steps_of_equal_time_pool_as_in_pandas(keep, data):
    stream = data.streams["x0"]
    made = applied(Duplicates(keep), data).streams["x0"]
    frame = pd.DataFrame(np.where(stream.mask, stream.values, np.nan).astype(float))
    groups = frame.groupby([stream.owners, stream.times])
    pooled = groups.sum(min_count=1) if keep == "sum" else getattr(groups, keep)()
    np.testing.assert_allclose(
        np.where(made.mask, made.values, np.nan), pooled.to_numpy(), rtol=1e-5, atol=1e-5
    )
    assert np.array_equal(made.owners, pooled.index.get_level_values(0))
    assert np.array_equal(made.times, pooled.index.get_level_values(1))


@given(datasets(clocks=("number",)), st.sampled_from(["first", "last"]))
@settings(max_examples=40, deadline=None)
def test_each_record_alone_is_treated_as_together(data, keep):
    whole = applied(Duplicates(keep), data)
    for i in range(len(data)):
        one = applied(Duplicates(keep), data.take([i])).streams["x0"].at(0)
        same_steps(one, whole.streams["x0"].at(i))


def test_steps_that_differ_are_refused_and_both_are_named():
    data = dataset([9, 1, 2, 2], [0, 3, 3, 3], [0, 1, 4])
    with pytest.raises(
        DataError, match=r"Steps 0 and 1 of stream 'x' have the same time, 3\.0"
    ) as e:
        Duplicates().apply(data, {})
    error = e.value
    assert (error.code, error.record, error.row, error.column) == ("duplicate_time", "b", 1, "c0")
    assert error.value == (1.0, 2.0)
    assert "2 in all" in str(error)
    assert "keep='first'" in str(error)


def test_equal_steps_become_one_with_a_note():
    data = dataset([1, 1, 2], [0, 0, 0.5])
    with pytest.warns(DataWarning, match="1 step of stream 'x' had the time of the one before"):
        made = Duplicates().apply(data, {})
    assert made.stream.values.ravel().tolist() == [1, 2]


def test_the_same_time_in_two_records_is_no_duplicate():
    data = dataset([1, 2], [0, 0], [0, 1, 1, 2])
    assert Duplicates().apply(data, {}) is data


def test_two_half_filled_steps_make_a_full_one():
    data = dataset([[1, np.nan], [np.nan, 2]], [0, 0])
    made = applied(Duplicates(), data)
    assert made.stream.values.tolist() == [[1, 2]]
    assert made.stream.mask.all()


def test_a_mean_is_of_observed_values_and_a_sum_counts_equal_steps_twice():
    data = dataset([1, np.nan, 3, 3], [0, 0, 0, 0])
    assert applied(Duplicates("mean"), data).stream.values.item() == pytest.approx(7 / 3)
    assert applied(Duplicates("sum"), data).stream.values.item() == 7


def test_labels_that_differ_have_no_mean():
    data = dataset([[0, 1], [1, 3]], [0, 0], categories={"c0": ("red", "blue")})
    with pytest.raises(DataError, match="These have no mean: use keep='first' or 'last'") as caught:
        Duplicates("mean").apply(data, {})
    assert caught.value.value == ("red", "blue")
    agreeing = dataset([[1, 1], [1, 3]], [0, 0], categories={"c0": ("red", "blue")})
    assert applied(Duplicates("mean"), agreeing).stream.values.tolist() == [[1, 2]]


def test_a_known_answer_stays_and_answers_that_differ_are_refused():
    made = applied(Duplicates(), dataset([1, 1, 2], [0, 0, 1], target=[-1, 1, 0]))
    assert made.target.values.ravel().tolist() == [1, 0]
    bad = dataset([1, 1], [0, 0], target=[0, 1])
    with pytest.raises(DataError, match="different answers in target 'y'") as caught:
        Duplicates("mean").apply(bad, {})
    assert (caught.value.code, caught.value.row) == ("duplicate_target", 1)
    assert applied(Duplicates("first"), bad).target.values.item() == 0
    assert applied(Duplicates("last"), bad).target.values.item() == 1


def frames(pictures):
    values = np.array(pictures, np.uint8).reshape(-1, 1, 1, 1)
    times = np.zeros(len(values))
    offsets = np.array([0, len(values)])
    stream = Stream(values, offsets, ("grey",), kind="frames", times=times, clock="number")
    return SequenceDataset(("a",), {"film": stream})


def test_images_and_inner_records_are_compared_as_a_whole():
    assert applied(Duplicates(), frames([7, 7])).stream.values.ravel().tolist() == [7]
    with pytest.raises(DataError, match="Steps 0 and 1 of stream 'film'"):
        Duplicates("mean").apply(frames([7, 8]), {})
    assert applied(Duplicates("last"), frames([7, 8])).stream.values.ravel().tolist() == [8]
    inner = Stream(np.array([[1.0], [1.0], [2.0]]), np.array([0, 1, 2, 3]), ("x",))
    outer = Stream(
        np.zeros((0, 0)),
        np.array([0, 3]),
        (),
        kind="records",
        inner=inner,
        times=np.array([0.0, 0.0, 1.0]),
        clock="number",
    )
    made = applied(Duplicates(), SequenceDataset(("a",), {"notes": outer}))
    assert made.stream.inner.values.ravel().tolist() == [1, 2]
    wrong = replace(outer, times=np.zeros(3))
    with pytest.raises(DataError, match="Steps 0 and 2"):
        Duplicates().apply(SequenceDataset(("a",), {"notes": wrong}), {})


def test_unsorted_steps_and_unknown_ways_are_refused():
    with pytest.raises(DataError, match=r"Use the treatment Sort\(\) first"):
        Duplicates().apply(dataset([1, 2], [1, 0]), {})
    with pytest.raises(OptionError, match="keep='median'"):
        Duplicates("median")
