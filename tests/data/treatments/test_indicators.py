"""Channels that say what was observed, and how long ago."""

import numpy as np
import pytest

from recurra.data.reading.arrays import from_arrays
from recurra.data.treatments import Fill, Indicators, Preprocessor, Scale, SinceObserved
from recurra.errors import OptionError

nan = float("nan")


def test_the_mask_becomes_channels_where_there_were_holes_in_training():
    train = from_arrays([[[1.0, nan], [2.0, 5.0]]], channels=["a", "b"])
    add = Indicators()
    learned = add.learn(train)
    later = from_arrays([[[nan, 5.0], [2.0, nan]]], channels=["a", "b"])
    after = add.apply(later, learned).stream
    assert after.channels == ("a", "b", "b:observed")
    assert after.values[:, 2].tolist() == [1, 0]
    assert after.mask[:, 2].all()
    assert np.array_equal(after.mask[:, :2], later.stream.mask)


def test_nothing_is_added_where_all_was_observed():
    data = from_arrays([[1.0, 2.0]])
    assert Indicators().apply(data, Indicators().learn(data)).stream is data.stream


def test_age_is_time_since_the_last_value_and_before_the_first_since_the_start():
    times = [np.array(["2024-01-01T00", "2024-01-01T01", "2024-01-01T03"], "M8[h]")] * 2
    data = from_arrays([[5.0, nan, nan], [nan, nan, 5.0]], times=times)
    add = SinceObserved(scale="none")
    after = add.apply(data, add.learn(data)).stream
    assert after.channels == ("x0", "x0:since")
    assert after.values[:, 1].tolist() == [0, 3600, 10800, 0, 3600, 0]


def test_age_is_cut_and_measured_by_the_usual_step():
    data = from_arrays([[5.0, nan, nan, nan]], times=[[0.0, 2.0, 4.0, 900.0]])
    add = SinceObserved(cap=10)
    after = add.apply(data, add.learn(data)).stream.values[:, 1]
    assert np.allclose(after, np.log1p([0, 1, 2, 5]))


def test_filling_first_changes_no_age_and_scaling_leaves_the_mask_alone():
    data = from_arrays([[5.0, nan, nan, 9.0]])
    made = Preprocessor([Fill("forward"), Indicators(), SinceObserved(scale="none"), Scale()])
    after = made.fit_transform(data).stream
    assert after.channels == ("x0", "x0:observed", "x0:since")
    assert after.values[:, 1].tolist() == [1, 0, 0, 1]
    ages = np.array([0, 1, 2, 0])
    assert np.allclose(after.values[:, 2], (ages - ages.mean()) / ages.std())


def test_a_name_that_is_taken_is_refused():
    data = from_arrays([[5.0, nan]])
    with pytest.raises(OptionError, match=r"'x0:observed' is to be added.*twice"):
        Preprocessor([Indicators(), Indicators(channels=["x0"])]).fit(data)


def test_static_covariates_have_no_age():
    data = from_arrays([[5.0, nan]], static=[[nan]])
    add = SinceObserved()
    after = add.apply(data, add.learn(data))
    assert after.static is data.static
    with pytest.raises(OptionError, match="static covariates have none"):
        SinceObserved(stream="static").learn(data)


@pytest.mark.parametrize(
    ("options", "said"), [({"scale": "log2"}, "Did you mean 'log'"), ({"cap": -1}, "cap=-1")]
)
def test_wrong_options_say_what_is_expected(options, said):
    with pytest.raises(OptionError, match=said):
        SinceObserved(**options)


@pytest.mark.parametrize("treatment", [Indicators(), SinceObserved()])
def test_a_channel_made_of_another_shares_what_is_told_of_its_holes(treatment):
    nan = float("nan")
    record = [[1.0, 2.0, nan], [nan, nan, 3.0]]
    data = from_arrays([record], channels=["x", "x:min", "x:max"])
    added = treatment.apply(data, treatment.learn(data)).stream.channels[3:]
    assert [name.rsplit(":", 1)[0] for name in added] == ["x", "x:max"]
