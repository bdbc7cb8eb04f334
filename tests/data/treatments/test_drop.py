"""Channels left out."""

import pytest

from recurra.data.reading.arrays import from_arrays
from recurra.data.treatments import Drop, Preprocessor
from recurra.errors import OptionError


def test_channels_are_left_out_by_name():
    data = from_arrays([[[1.0, 2.0, float("nan")]]], channels=["a", "b", "c"], static=[[7.0, 8.0]])
    after = Preprocessor([Drop(["a", "static1"])]).fit_transform(data)
    assert after.stream.channels == ("b", "c")
    assert after.stream.mask.tolist() == [[True, False]]
    assert after.static.values.tolist() == [[7.0]]


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        (["x"], "There is no channel 'x'"),
        (["a", "b"], "without channels"),
        ([], "needs the names"),
        ("a", r"Use channels=\['a'\]"),
    ],
)
def test_what_cannot_be_left_out_is_refused(channels, said):
    with pytest.raises(OptionError, match=said):
        Drop(channels).learn(from_arrays([[[1.0, 2.0]]], channels=["a", "b"]))
