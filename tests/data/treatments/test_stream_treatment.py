"""Streams and channels that cannot be treated are refused by name."""

import numpy as np
import pytest

from recurra.data.reading.arrays import from_arrays
from recurra.data.sequences import Stream
from recurra.data.treatments import Encode, Fill, Indicators, Preprocessor, Scale
from recurra.errors import DataError, OptionError

VIDEO = Stream(np.zeros((1, 2, 2, 3)), np.array([0, 1]), ("r", "g", "b"), kind="frames")
DATA = from_arrays([[[1.0, 2.0]]], channels=["pulse", "pressure"]).with_streams(video=VIDEO)


@pytest.mark.parametrize("treatment", [Fill, Scale, Indicators, Encode])
def test_frames_are_refused(treatment):
    with pytest.raises(OptionError, match="but 'video' is one of frames"):
        treatment(stream="video").learn(DATA)


def test_a_channel_that_is_not_there_brings_near_names():
    with pytest.raises(OptionError, match=r"'puls'.*Did you mean 'pulse'"):
        Scale(channels=["puls"]).learn(DATA)
    with pytest.raises(OptionError, match="Did you mean 'video'"):
        Scale(stream="vidoe").learn(DATA)


def test_a_part_that_lacks_a_stream_is_refused():
    made = Preprocessor([Scale(stream="x")]).fit(from_arrays([[1.0], [2.0]]))
    with pytest.raises(DataError, match="no stream 'x', but the training part had it") as caught:
        made.transform(from_arrays({"y": [[1.0]]}))
    assert caught.value.code == "missing_channel"


def test_static_covariates_are_treated_as_a_stream_of_one_step():
    data = from_arrays([[1.0], [2.0]], static=[[10.0], [30.0]])
    after = Preprocessor([Scale("minmax", stream="static")]).fit_transform(data)
    assert after.static.values.ravel().tolist() == [0, 1]
    assert after.stream is data.stream


def test_a_channel_of_another_type_than_in_training_is_refused():
    numbers = from_arrays([[1.0, 2.0]], channels=["sky"])
    coded = numbers.with_streams(
        x=Stream(
            np.array([[0.0], [1.0]]), np.array([0, 2]), ("sky",), categories={"sky": ("a", "b")}
        )
    )
    for treatment, train, later, said in (
        (Scale(), numbers, coded, "were numbers in the training part, but here are categories"),
        (Encode(), coded, numbers, "were categories in the training part, but here are numbers"),
    ):
        with pytest.raises(DataError, match=said) as caught:
            treatment.apply(later, treatment.learn(train))
        assert (caught.value.code, caught.value.column) == ("channel_type", "sky")
