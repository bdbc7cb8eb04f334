"""Batches to learn from: what is gathered in one piece is what is gathered batch by batch."""

from itertools import islice

import numpy as np
import pytest
import torch

from recurra.data import from_arrays
from recurra.data.batching import Batches, pad_records
from recurra.estimators.learning import record_batches
from recurra.estimators.learning.record_batches import endless
from recurra.models import RecordBatch
from recurra.training.source import digest_of

CHANCE = np.random.default_rng(0)


def records(lengths, **how):
    x = [CHANCE.normal(size=(steps, 2)) for steps in lengths]
    x[1][0, 0] = np.nan
    return from_arrays(x, CHANCE.normal(size=len(lengths)), **how)


ALIKE, UNLIKE = [6] * 23, [*range(4, 10)] * 4


@pytest.mark.parametrize(
    "dataset",
    [
        records(ALIKE),
        records(UNLIKE, weights=np.arange(24.0), static=CHANCE.normal(size=(24, 3))),
        from_arrays([[1, 2, 3], [2, 1], [1, 1]], ["a", "b", "a"], ids=["x", "y", "z"]),
    ],
    ids=["alike", "unlike", "names"],
)
def test_an_epoch_in_one_piece_has_the_batches_of_each(dataset):
    assert record_batches._fits_at_once(dataset)
    batches = Batches(dataset.lengths, 5, seed=3)
    singly = (
        RecordBatch.of(pad_records(dataset, places), dataset.ids)
        for epoch in range(3)
        for places in batches.epoch(epoch)
    )
    for one, other in zip(endless(dataset, 5, 3), singly, strict=False):
        assert digest_of(one) == digest_of(other)


def test_what_all_records_have_alike_is_held_once():
    x = CHANCE.normal(size=(7, 4, 2))
    hole = x.copy()
    hole[3, 1, 0] = np.nan
    for values, alike in ((x, True), (hole, False)):
        (stream,) = next(endless(from_arrays(values, np.ones(7)), 5, 0)).streams.values()
        assert stream.times.untyped_storage().nbytes() == 4 * stream.times.element_size()
        assert stream.observed.untyped_storage().nbytes() == (8 if alike else 56)


@pytest.mark.parametrize("limit", ["MOST_AT_ONCE", "MOST_PADDED"])
def test_what_is_too_much_for_one_piece_is_gathered_batch_by_batch(limit, monkeypatch):
    dataset = records(UNLIKE)
    wanted = [digest_of(each) for each in islice(endless(dataset, 5, 0), 12)]
    monkeypatch.setattr(record_batches, limit, 1)
    assert not record_batches._fits_at_once(dataset)
    assert [digest_of(each) for each in islice(endless(dataset, 5, 0), 12)] == wanted


def test_several_streams_and_targets_of_steps_are_gathered_batch_by_batch():
    x = [np.ones((4, 1)), np.ones((3, 1))]
    two = from_arrays({"a": x, "b": x}, [0.0, 1.0])
    steps = from_arrays(x, [np.zeros(4), np.ones(3)])
    assert not record_batches._fits_at_once(two)
    assert not record_batches._fits_at_once(steps)
    assert torch.equal(next(endless(steps, 2, 0)).targets["y"].isnan().sum(), torch.tensor(1))
