"""Where series stand after their rows, however they are grouped on the way."""

import numpy as np
import pandas as pd
import pytest
import torch

from recurra.data import from_frame
from recurra.estimators.forecasting import forecast_state
from recurra.estimators.forecasting.forecast_state import ahead_of, look
from recurra.models import LocalFeatures


@pytest.fixture(scope="module")
def dataset(walks):
    return from_frame(walks(7))


def same_bits(one, other):
    hole = one.isnan()
    return torch.equal(hole, other.isnan()) and torch.equal(one[~hole], other[~hole])


def test_looking_at_ragged_series_together_equals_looking_at_each_alone(dataset):
    local = LocalFeatures([1, 2, 5], decay=0.9)
    rows, history = look(local, dataset)
    for k in range(len(dataset)):
        record = dataset.record(k)
        view, after = local.observe(torch.from_numpy(record.target.copy())[None])
        part = slice(int(dataset.offsets[k]), int(dataset.offsets[k + 1]))
        assert same_bits(rows.local[part], view.features[0])
        assert same_bits(rows.anchor[part], view.anchor[0])
        assert same_bits(rows.scale[part], view.scale[0])
        assert same_bits(history.recent[k], after.recent[0])
        for one, other in zip(history.pace, after.pace, strict=True):
            assert same_bits(one[k], other[0])


@pytest.mark.parametrize("cells", [1, 70, 200])
def test_reading_in_small_groups_changes_nothing(fitted, dataset, monkeypatch, cells):
    whole = fitted._engine.read(dataset)
    monkeypatch.setattr(forecast_state, "CELLS", cells)
    parts = fitted._engine.read(dataset)
    for one, other in zip(whole.layer, parts.layer, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
    assert same_bits(whole.history.recent, parts.history.recent)


def test_the_newest_row_waits_unread(fitted, dataset):
    state = fitted._engine.read(dataset)
    assert state.tail.lengths.tolist() == [1] * 7
    assert (state.tail.last_times == dataset.last_times).all()
    assert same_bits(
        state.history.recent[:, -1], torch.from_numpy(dataset.target[dataset.offsets[1:] - 1])
    )
    shorter = fitted._engine.read(dataset.before(dataset.lengths - 1))
    onward = fitted._engine.read(dataset.tail(2), None)
    assert not torch.equal(shorter.layer[0], state.layer[0])
    assert not torch.equal(onward.layer[0], state.layer[0])


def test_a_series_of_one_row_stands_at_the_first_state(fitted, series):
    state = fitted._engine.read(from_frame(series("a", [3.0])))
    assert all((each == 0).all() for each in state.layer)


def test_the_rows_ahead_begin_with_the_newest_known(series):
    frame = pd.concat([series("a", [1.0, 2.0]), series("b", [5.0, 6.0, 7.0])])
    tail, coming = from_frame(frame).tail(1), from_frame(frame).tail(2)
    joined = ahead_of(tail, coming, 2)
    assert joined.lengths.tolist() == [3, 3]
    assert joined.times.tolist() == [1, 0, 1, 2, 1, 2]
    np.testing.assert_array_equal(joined.target, [2, np.nan, np.nan, 7, np.nan, np.nan])
    assert joined.observed.tolist() == [True, False, False] * 2
