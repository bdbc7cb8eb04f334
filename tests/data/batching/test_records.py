import numpy as np
import pytest
from hypothesis import given, settings

from recurra.data.batching import pad_records
from recurra.data.reading.arrays import from_arrays
from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.errors import OptionError
from recurra.testing import datasets

SECOND = 10**9


def on_calendar(stamps, counts):
    offsets = np.concatenate([[0], np.cumsum(counts)])
    times = np.array(stamps, np.int64) * SECOND
    return Stream(np.ones((len(times), 1)), offsets, ("x",), times=times, clock="calendar")


def test_all_streams_of_a_record_share_its_origin():
    data = SequenceDataset(
        ("a", "b", "c"),
        {
            "pulse": on_calendar([100, 110, 300], [2, 1, 0]),
            "notes": on_calendar([90, 305, 7], [1, 1, 1]),
            "steps": Stream(np.ones((3, 1)), np.arange(4), ("x",)),
        },
    )
    batch = pad_records(data, [0, 1, 2])
    assert batch.streams["pulse"].times.tolist() == [[10.0, 20.0], [0.0, 0.0], [0.0, 0.0]]
    assert batch.streams["notes"].times.tolist() == [[0.0], [5.0], [0.0]]
    assert batch.streams["steps"].times.tolist() == [[0.0]] * 3


def test_targets_are_padded_with_minus_one_or_nan():
    offsets = np.array([0, 1, 3])
    data = SequenceDataset(
        ("a", "b"),
        {"x": Stream(np.arange(3.0)[:, None], offsets, ("x",))},
        targets={
            "tag": Target(np.array([[1], [0], [1]]), "step", ("n", "v"), ("tag",), offsets, "x"),
            "load": Target(np.array([[0.1], [0.2], [0.3]]), "step", (), ("y",), offsets, "x"),
            "text": Target(np.array([[0], [1], [1]]), "labels", ("n", "v"), ("t",), offsets[::1]),
            "sort": Target(np.array([[1], [-1]]), classes=("n", "v")),
            "size": Target(np.array([[1.5], [np.nan]])),
        },
        weights=np.array([1.0, 2.0]),
    )
    batch = pad_records(data, [0, 1], side="left")
    assert batch.targets["tag"][..., 0].tolist() == [[-1, 1], [0, 1]]
    np.testing.assert_array_equal(
        batch.targets["load"][..., 0], np.array([[np.nan, 0.1], [0.2, 0.3]], np.float32)
    )
    assert batch.targets["text"][..., 0].tolist() == [[0, -1], [1, 1]]
    assert batch.targets["sort"].tolist() == [[1], [-1]]
    assert batch.targets["size"].dtype == np.float32
    assert batch.target_lengths["text"].tolist() == [1, 2]
    assert set(batch.target_lengths) == {"tag", "load", "text"}
    assert batch.weights.tolist() == [1.0, 2.0]
    assert batch.places.tolist() == [0, 1]
    np.testing.assert_array_equal(batch.streams["x"].there, [[False, True], [True, True]])


def test_static_covariates_are_one_row_for_each_record():
    data = from_arrays([[1.0], [2.0], [3.0]], static=[[1.0, 2.0], [np.nan, 4.0], [5.0, 6.0]])
    batch = pad_records(data, [1, 2])
    assert batch.static.tolist() == [[0.0, 4.0], [5.0, 6.0]]
    assert batch.static_observed.tolist() == [[False, True], [True, True]]


@given(datasets(max_streams=3))
@settings(max_examples=60, deadline=None)
def test_a_batch_of_any_data_set_is_finite_and_counts_from_its_earliest_stamp(data):
    batch = pad_records(data, np.arange(len(data)))
    stamped = [n for n, s in data.streams.items() if s.clock == "calendar"]
    for padded in batch.streams.values():
        assert np.isfinite(padded.values).all()
    for row in range(len(data)):
        times = [batch.streams[n].times[row, batch.streams[n].there[row]] for n in stamped]
        if any(len(each) for each in times):
            assert np.concatenate(times).min() == 0


def test_a_place_that_is_not_there_is_refused():
    with pytest.raises(OptionError, match="There is no place 1"):
        pad_records(from_arrays([[1.0]]), [1])


def test_a_stream_is_sent_to_its_own_function():
    with pytest.raises(OptionError, match="reads a SequenceDataset"):
        pad_records(from_arrays([[1.0]]).stream, [0])
