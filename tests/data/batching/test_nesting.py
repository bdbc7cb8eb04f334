from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data.batching import flatten, nest
from recurra.data.sequences import SequenceDataset, Stream
from recurra.errors import DataError, OptionError
from recurra.testing.sequences import datasets


@given(datasets(max_streams=2, static=False), st.lists(st.integers(0, 2), min_size=4, max_size=4))
@settings(max_examples=60, deadline=None)
def test_flattening_gives_back_what_was_nested(data, keys):
    groups = keys[: len(data)]
    nested = nest(data, groups)
    assert nested.ids == tuple(dict.fromkeys(groups))
    again = flatten(nested)
    order = sorted(range(len(data)), key=lambda i: nested.ids.index(groups[i]))
    assert [id for id, _ in again.ids] == [groups[i] for i in order]
    assert again.groups.tolist() == [groups[i] for i in order]
    wanted = data.take(order)
    for name, stream in wanted.streams.items():
        np.testing.assert_array_equal(again.streams[name].values, stream.values)
        np.testing.assert_array_equal(again.streams[name].offsets, stream.offsets)
        np.testing.assert_array_equal(again.streams[name].clock_times, stream.clock_times)
    for name, target in wanted.targets.items():
        np.testing.assert_array_equal(again.targets[name].values, target.values)
        assert again.targets[name].level == "record"
        assert nested.targets[name].level == "step"


def sentences(**more):
    stream = Stream(np.arange(6)[:, None], np.array([0, 1, 4, 6]), ("word",), kind="tokens")
    return SequenceDataset(("s", "t", "u"), {"text": stream}, **more)


def test_nested_records_are_picked_whole():
    documents = nest(sentences(groups=np.array(["b", "a", "b"])))
    picked = flatten(documents.take([1, 0]))
    assert picked.ids == (("a", 0), ("b", 0), ("b", 1))
    assert picked.stream.values.ravel().tolist() == [1, 2, 3, 0, 4, 5]


def test_what_holds_for_a_document_holds_for_its_sentences():
    documents = nest(sentences(), [0, 0, 1])
    documents = replace(documents, weights=np.array([2.0, 3.0]))
    assert flatten(documents).weights.tolist() == [2, 2, 3]


def test_parts_that_would_get_lost_are_refused():
    with pytest.raises(DataError, match="has weights, which") as caught:
        nest(sentences(weights=np.ones(3)), [0, 0, 0])
    assert caught.value.code == "not_nested"
    with pytest.raises(DataError, match="There are 3 records, but 2 groups"):
        nest(sentences(), [0, 1])
    with pytest.raises(DataError, match="its group is missing") as caught:
        nest(sentences(), ["a", None, "b"])
    assert caught.value.record == "t"
    with pytest.raises(OptionError, match="has no groups"):
        nest(sentences())
    with pytest.raises(DataError, match="'text' holds tokens, not records"):
        flatten(sentences())
