"""A series seen from where it stands: causal, stepwise, and free of unit and level."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.models import LocalFeatures

NAN = float("nan")
LAGS = [1, 2, 4]


def patterns(largest=100.0, series=2, longest=12):
    """Values with holes anywhere: some series, of equal length."""
    value = st.floats(-largest, largest, allow_subnormal=False)
    cell = st.one_of(value, value, st.just(NAN))
    return st.integers(1, longest).flatmap(
        lambda steps: st.lists(
            st.lists(cell, min_size=steps, max_size=steps), min_size=series, max_size=series
        )
    )


def tensor(rows):
    return torch.tensor(rows, dtype=torch.float64)


def walk(*shape, seed=0):
    return tensor(np.random.default_rng(seed).normal(size=shape).cumsum(-1))


def same_bits(one, other):
    """Say whether tensors, or tuples of them, are equal to the bit, where NaN equals NaN."""
    if isinstance(one, tuple):
        return all(same_bits(a, b) for a, b in zip(one, other, strict=True))
    hole = one.isnan()
    return torch.equal(hole, other.isnan()) and torch.equal(one[~hole], other[~hole])


@pytest.fixture
def local():
    return LocalFeatures(LAGS, decay=0.9)


@settings(max_examples=60, deadline=None)
@given(patterns(), st.data())
def test_changing_the_future_changes_no_earlier_view_by_a_bit(rows, data):
    values, local = tensor(rows), LocalFeatures(LAGS, decay=0.9)
    cut = data.draw(st.integers(1, values.shape[1]))
    other = values.clone()
    other[:, cut:] = 1e6 - 3 * values[:, cut:].nan_to_num(5.0)
    view, _ = local.observe(values)
    changed, _ = local.observe(other)
    assert all(same_bits(a[:, :cut], b[:, :cut]) for a, b in zip(view, changed, strict=True))


@settings(max_examples=60, deadline=None)
@given(patterns())
def test_observing_step_by_step_equals_observing_at_once(rows):
    values, local = tensor(rows), LocalFeatures(LAGS, decay=0.9)
    whole, after = local.observe(values)
    history, views = None, []
    for step in range(values.shape[1]):
        view, history = local.observe(values[:, step : step + 1], history)
        views.append(view)
    stepped = tuple(torch.cat(parts, 1) for parts in zip(*views, strict=True))
    assert same_bits(stepped, tuple(whole))
    assert same_bits(tuple(history), tuple(after))


@settings(max_examples=40, deadline=None)
@given(patterns(), st.data())
def test_cutting_anywhere_and_carrying_the_history_changes_nothing(rows, data):
    values, local = tensor(rows), LocalFeatures(LAGS, decay=0.9)
    cut = data.draw(st.integers(1, values.shape[1]))
    whole, after = local.observe(values)
    first, history = local.observe(values[:, :cut])
    assert same_bits(tuple(first), tuple(each[:, :cut] for each in whole))
    if cut < values.shape[1]:
        second, history = local.observe(values[:, cut:], history)
        assert same_bits(tuple(second), tuple(each[:, cut:] for each in whole))
    assert same_bits(tuple(history), tuple(after))


@settings(max_examples=40, deadline=None)
@given(patterns(), st.integers(1, 9))
def test_padding_on_the_left_changes_nothing(rows, pad):
    values, local = tensor(rows), LocalFeatures(LAGS, decay=0.9)
    padded = torch.cat([torch.full((len(values), pad), NAN, dtype=torch.float64), values], 1)
    view, after = local.observe(values)
    other, then = local.observe(padded)
    assert same_bits(tuple(each[:, pad:] for each in other), tuple(view))
    assert same_bits(tuple(then), tuple(after))


@settings(max_examples=40, deadline=None)
@given(patterns(largest=1e30))
def test_features_are_finite_and_bounded_and_the_scale_is_positive(rows):
    view, _ = LocalFeatures(LAGS, decay=0.9).observe(tensor(rows))
    assert view.features.isfinite().all()
    assert (view.features.abs() <= 2001).all()
    assert (view.scale > 0).all()
    assert view.scale.isfinite().all()


@settings(max_examples=40, deadline=None)
@given(patterns())
def test_now_is_the_last_row_of_observe(rows):
    local = LocalFeatures(LAGS, decay=0.9)
    view, history = local.observe(tensor(rows))
    assert same_bits(tuple(local.now(history)), tuple(each[:, -1] for each in view))


@pytest.mark.parametrize("power", [0.25, 4.0, 1024.0])
def test_another_unit_changes_anchor_and_scale_alone_to_the_bit(power):
    values, local = walk(3, 50), LocalFeatures(LAGS, decay=0.9, floor=0.0)
    values[1, 10:14] = NAN
    view, _ = local.observe(values)
    other, _ = local.observe(power * values)
    assert torch.equal(other.features, view.features)
    assert same_bits(other.anchor, power * view.anchor)
    assert torch.equal(other.scale, power * view.scale)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 1000), st.floats(-20, 20))
def test_shifting_and_stretching_a_series_changes_anchor_and_scale_alone(stretch, shift):
    values = walk(2, 50, seed=1)
    values[0, 20:25] = NAN
    local = LocalFeatures(LAGS, decay=0.9)
    view, _ = local.observe(values)
    other, _ = local.observe(stretch * (values + shift))
    later = slice(2, None)  # before the first change the scale knows only how large the values are
    torch.testing.assert_close(
        other.features[:, later], view.features[:, later], rtol=1e-4, atol=1e-5
    )
    torch.testing.assert_close(other.scale[:, later], stretch * view.scale[:, later])
    torch.testing.assert_close(other.anchor, stretch * (view.anchor + shift), equal_nan=True)


def test_the_scale_is_the_weighted_mean_of_past_changes(local):
    values = walk(1, 30)
    view, _ = local.observe(values)
    changes = np.abs(np.diff(values[0].numpy()))
    for step in range(1, 30):
        weights = 0.9 ** np.arange(step - 1, -1, -1.0)
        usual = np.average(changes[:step], weights=weights)
        expected = max(usual, 0.1 * changes[:step].mean())
        assert view.scale[0, step].item() == pytest.approx(expected, rel=1e-12)


def test_the_features_are_lagged_values_from_the_anchor_in_scales(local):
    values = walk(1, 20)
    view, _ = local.observe(values)
    for step in (4, 11, 19):
        lagged = values[0, [step - lag for lag in LAGS]]
        expected = (lagged - values[0, step]) / view.scale[0, step]
        torch.testing.assert_close(view.features[0, step, :-1], expected.float())
        assert view.features[0, step, -1] == 1


def test_a_hole_keeps_anchor_and_scale_and_is_flagged(local):
    values = tensor([[3.0, 5.0, NAN, NAN, 6.0]])
    view, _ = local.observe(values)
    assert view.anchor.tolist() == [[3, 5, 5, 5, 6]]
    assert view.scale[0, 1] == view.scale[0, 2] == view.scale[0, 3] == 2.0
    assert view.features[0, :, -1].tolist() == [1, 1, 0, 0, 1]
    assert view.features[0, 4, 0] == 0  # the value one step back was not observed


def test_before_its_first_value_a_series_has_no_anchor(local):
    view, _ = local.observe(tensor([[NAN, NAN, 7.0]]))
    assert math.isnan(view.anchor[0, 1])
    assert view.anchor[0, 2] == 7
    assert view.features[0, :2].tolist() == [[0, 0, 0, 0]] * 2


def test_a_series_does_not_feel_its_neighbours(local):
    values = walk(5, 30)
    together, _ = local.observe(values)
    for row in range(5):
        alone, _ = local.observe(values[row : row + 1])
        assert same_bits(tuple(alone), tuple(each[row : row + 1] for each in together))


def test_the_history_takes_constant_memory(local):
    _, short = local.observe(walk(2, 5))
    _, long = local.observe(walk(2, 500))
    assert short.recent.shape == long.recent.shape == (2, 1 + max(LAGS))


def test_rows_of_a_history_can_be_repeated_for_as_many_paths(local):
    _, history = local.observe(walk(3, 10))
    taken = history.take(torch.tensor([2, 0, 2]))
    assert same_bits(taken.recent, history.recent[[2, 0, 2]])
    assert same_bits(taken.pace.anchor, history.pace.anchor[[2, 0, 2]])


def test_the_size_counts_the_lags_and_the_flag(local):
    view, _ = local.observe(walk(1, 3))
    assert local.size == view.features.shape[-1] == len(LAGS) + 1
