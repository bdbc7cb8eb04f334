"""The data sets that hypothesis draws have the corners they promise."""

import numpy as np
import pytest
from hypothesis import find, given, settings

from recurra.errors import OptionError
from recurra.testing import datasets


@settings(max_examples=50, deadline=None)
@given(datasets(max_streams=2))
def test_every_drawn_data_set_is_sound(data):
    for stream in data.streams.values():
        assert len(stream) == len(data)
        assert np.isfinite(stream.values[stream.mask]).all()
        times, inside = stream.clock_times, np.diff(stream.owners) == 0
        assert (np.diff(times)[inside] >= 0).all()
        for name, labels in stream.categories.items():
            codes = stream.values[stream.mask[:, stream.channel(name)], stream.channel(name)]
            assert np.isin(codes, np.arange(len(labels))).all()


@pytest.mark.parametrize(
    "corner",
    [
        lambda data: (data.lengths == 0).any() and (data.lengths > 1).any(),
        lambda data: (~data.streams["x0"].mask).any() and np.isnan(data.streams["x0"].values).any(),
        lambda data: (
            (~data.streams["x0"].mask).any() and np.isfinite(data.streams["x0"].values).all()
        ),
        lambda data: data.streams["x0"].clock == "calendar" and data.streams["x0"].zone,
        lambda data: data.streams["x0"].clock == "number" and data.lengths.max() > 3,
        lambda data: data.static is not None,
        lambda data: data.streams["x0"].values.dtype == np.float32,
    ],
)
def test_the_corners_are_drawn(corner):
    find(datasets(), corner, settings=settings(max_examples=500, deadline=None, database=None))


def test_an_unknown_kind_of_channel_is_named():
    with pytest.raises(OptionError, match="'noise'"):
        datasets(channels=["noise"])
