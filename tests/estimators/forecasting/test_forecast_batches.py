"""Training windows: exactly the observed targets, and never what was held back."""

from itertools import islice

import numpy as np
import pandas as pd
import pytest
import torch

from recurra.data import Columns, from_frame
from recurra.estimators.forecasting.forecast_batches import Batches
from recurra.estimators.forecasting.forecast_inputs import InputReader
from recurra.estimators.forecasting.forecast_state import look
from recurra.models import LocalFeatures

CONTEXT = 12


@pytest.fixture
def ragged(series):
    """Values tell where they come from: 1000 for the series, 1 for the step."""
    parts = []
    for k, length in enumerate([30, 9, 50, 2]):
        values = 1000.0 * k + np.arange(length)
        values[4:6] = np.nan
        if length > 2:
            parts.append(series(k, values, x=np.arange(length) * 1.0))
        else:
            parts.append(series(k, values, x=0.0))
    return from_frame(pd.concat(parts, ignore_index=True), Columns(past=["x"]))


@pytest.fixture
def batches(ragged):
    local = LocalFeatures([1, 2, 3], decay=0.9)
    rows, _ = look(local, ragged)
    return Batches.of(ragged, rows, InputReader.fit(ragged), CONTEXT)


def test_the_target_of_a_row_is_the_value_after_it(batches, ragged):
    """But for the first row of each series: it has seen no change yet."""
    for k in range(len(ragged)):
        rows = slice(int(ragged.offsets[k]), int(ragged.offsets[k + 1]))
        target = batches.target[rows].numpy()
        np.testing.assert_array_equal(target[1:-1], ragged.target[rows][2:])
        assert np.isnan(target[[0, -1]]).all()


def test_the_targets_counted_are_exactly_the_observed_ones(batches, ragged):
    """Every observed value but the first two of each series, and nothing else."""
    assert int((~batches.target.isnan()).sum()) == ragged.observed.sum() - 2 * len(ragged)


def test_windows_hold_rows_of_one_series_in_order(batches):
    for batch in islice(batches.draw(np.zeros(4, int), 32, seed=0), 5):
        assert batch.target.shape == (32, CONTEXT)
        for row in batch.target:
            seen = row[~row.isnan()]
            assert len(set((seen // 1000).tolist())) <= 1
            assert (seen.diff() >= 1).all()


def test_what_was_held_back_is_never_read_nor_counted(batches, ragged):
    held = np.array([10, 0, 45, 0])
    last = [19, 8, 4, 1]  # newest value that may be counted, by series
    anchors, targets = [], []
    for batch in islice(batches.draw(held, 64, seed=0), 20):
        anchors.append(batch.anchor.flatten())
        targets.append(batch.target[~batch.target.isnan()])
    for values, drawn in ((torch.cat(anchors), {0, 1, 2, 3}), (torch.cat(targets), {0, 1, 2})):
        assert set((values // 1000).tolist()) == drawn
        for k in drawn:
            own = values[(values // 1000) == k] - 1000 * k
            assert own.max() <= last[k], k


def test_a_series_held_back_whole_is_never_drawn(batches):
    for batch in islice(batches.draw(np.array([30, 0, 0, 0]), 64, seed=0), 10):
        assert (batch.anchor >= 1000).all()


def test_the_check_counts_the_held_back_targets_alone(batches):
    batch = batches.last(np.array([10, 0, 5, 0]))
    counted = batch.target[~batch.target.isnan()].tolist()
    assert sorted(counted) == [*range(20, 30), *range(2045, 2050)]


def test_the_same_seed_draws_the_same_windows(batches):
    held = np.zeros(4, int)
    one, again, other = (next(batches.draw(held, 16, seed)).anchor for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_past_covariates_are_hidden_from_some_step_on_in_half_of_the_windows(batches):
    batch = next(batches.draw(np.zeros(4, int), 400, seed=0))
    flag = batch.inputs.real[..., -1]
    assert set(flag.unique().tolist()) == {0.0, 1.0}
    assert (flag.diff(dim=1) <= 0).all()  # once hidden, hidden to the end
    assert flag[:, 0].all()
    assert 0.3 < (flag[:, -1] == 0).float().mean() < 0.6
    assert (batch.inputs.real[flag == 0] == 0).all()


def test_the_inputs_of_a_window_are_finite(batches):
    for batch in islice(batches.draw(np.zeros(4, int), 64, seed=0), 5):
        for each in (batch.inputs.local, batch.inputs.real, batch.anchor, batch.scale):
            assert each.isfinite().all()
        assert (batch.scale > 0).all()


def test_no_target_is_counted_in_a_scale_that_has_seen_no_change(batches):
    """The scale of a first value is a floor, so the move after it may be a million scales."""
    local = LocalFeatures([1, 2, 3], decay=0.9)
    values = [1.0, np.nan, np.nan, 4.0, 5.0, np.nan, 7.0, 8.0]
    dataset = from_frame(pd.DataFrame({"unique_id": 0, "ds": range(8), "y": values}))
    rows, _ = look(local, dataset)
    made = Batches.of(dataset, rows, InputReader.fit(dataset), CONTEXT)
    np.testing.assert_array_equal(
        made.target, [np.nan, np.nan, np.nan, 5.0, np.nan, 7.0, 8.0, np.nan]
    )
    moves = ((made.target - rows.anchor) / rows.scale).abs()
    assert moves[~moves.isnan()].max() < 100
