"""Data sets: records with streams, static covariates and targets that stay together."""

import numpy as np
import pytest

from recurra.data import SequenceDataset, Stream, Target, from_arrays
from recurra.errors import DataError, OptionError


def _data() -> SequenceDataset:
    static = Stream(
        np.array([[70.0, 0], [np.nan, 1], [30, np.nan]]),
        np.arange(4),
        ("age", "sex"),
        observed=np.array([[True, True], [False, True], [True, False]]),
        categories={"sex": ("f", "m")},
    )
    streams = {
        "vitals": Stream(np.arange(8.0).reshape(4, 2), np.array([0, 2, 3, 4]), ("hr", "bp")),
        "notes": Stream(
            np.array([[1], [0]]),
            np.array([0, 0, 2, 2]),
            ("word",),
            kind="tokens",
            categories={"word": ("ill", "well")},
        ),
    }
    targets = {
        "death": Target(np.array([[1], [0], [-1]]), classes=("no", "yes")),
        "next": Target(
            np.array([[1.0], [2], [3], [np.nan]]),
            "step",
            offsets=np.array([0, 2, 3, 4]),
            stream="vitals",
        ),
    }
    weights = np.array([1.0, 2, 3])
    return SequenceDataset(("a", "b", "c"), streams, static, targets, weights, np.array([0, 0, 1]))


def test_it_says_what_it_holds():
    assert repr(_data()) == (
        "SequenceDataset(3 records; vitals: 2 channels, 1 to 2 steps; notes: 1 channel, 0 to 2 "
        "steps; static: age, sex; targets: death, next)"
    )


def test_a_record_is_found_by_its_identifier():
    record = _data()["b"]
    assert record.static == {"age": None, "sex": "m"}
    assert record.streams["notes"].values.ravel().tolist() == [1, 0]
    assert record.targets["death"].tolist() == [["no"]]
    assert record.targets["next"].tolist() == [[3.0]]
    assert _data()["c"].targets["death"].tolist() == [[None]]


def test_everything_is_taken_together():
    taken = _data().take([2, 0])
    assert taken.ids == ("c", "a")
    assert taken.streams["vitals"].values[:, 0].tolist() == [6, 0, 2]
    assert taken.streams["notes"].rows == 0
    assert taken.targets["next"].values[1:, 0].tolist() == [1, 2]
    assert taken.weights.tolist() == [3, 1]
    assert taken.groups.tolist() == [1, 0]


def test_parts_joined_again_are_the_whole():
    data = _data()
    both = data.take([0]).join(data.take([1, 2]))
    assert both.ids == data.ids
    for name, stream in data.streams.items():
        assert np.array_equal(both.streams[name].values, stream.values)
        assert np.array_equal(both.streams[name].offsets, stream.offsets)
    assert np.array_equal(both.targets["next"].offsets, data.targets["next"].offsets)


def test_an_unknown_record_is_answered_with_a_guess():
    with pytest.raises(DataError, match="No such record"):
        _data()["d"]
    with pytest.raises(DataError, match="No such record"):
        _data().select(["a", "x"])


def test_two_records_of_one_name_are_refused():
    with pytest.raises(DataError, match="same identifier") as caught:
        from_arrays([[1.0], [2.0]], ids=["a", "a"])
    assert caught.value.record == "a"


def test_parts_of_other_counts_are_refused():
    with pytest.raises(DataError, match="There are 2 records, but stream 'vitals' has 3"):
        SequenceDataset(("a", "b"), _data().streams)


def test_targets_at_each_step_have_the_steps_of_their_stream():
    data = _data()
    odd = Target(np.zeros((3, 1)), "step", offsets=np.array([0, 1, 2, 3]), stream="vitals")
    with pytest.raises(DataError, match="has 1 steps, but its stream has 2"):
        data.with_targets(next=odd)


def test_the_only_stream_and_target_need_no_name():
    data = from_arrays([[1.0], [2.0, 3.0]], [0, 1])
    assert data.stream.rows == 3
    assert data.target.classes == (0, 1)
    with pytest.raises(OptionError, match="several streams: 'vitals', 'notes'"):
        _ = _data().stream


def test_a_million_steps_cost_megabytes():
    offsets = np.linspace(0, 1_000_000, 1001).astype(np.int64)
    stream = Stream(np.zeros((1_000_000, 1), np.float32), offsets, ("x",))
    data = SequenceDataset(tuple(range(1000)), {"x": stream})
    arrays = [stream.values, stream.offsets]
    assert sum(each.nbytes for each in arrays) < 5_000_000
    assert np.shares_memory(data.take(range(10, 90)).stream.values, stream.values)
