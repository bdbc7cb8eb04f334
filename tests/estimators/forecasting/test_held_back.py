"""What is kept from training, and that training never sees it."""

import numpy as np
import pandas as pd
import pytest

from recurra.data import Columns, from_frame
from recurra.estimators.forecasting.held_back import HeldBack


def dataset(*lengths, static=()):
    parts = [
        pd.DataFrame({"unique_id": k, "ds": range(length), "y": np.arange(length) + 0.5, "x": k})
        for k, length in enumerate(lengths)
    ]
    return from_frame(pd.concat(parts), Columns(static=static))


MANY = [40 + k % 7 for k in range(80)]


@pytest.mark.parametrize("lengths", [[60, 70, 80], [100], MANY])
def test_what_is_held_back_is_the_end_of_a_series_and_the_rest_is_learned_from(lengths):
    data = dataset(*lengths)
    held = HeldBack.plan(data, 8, seed=0)
    assert held.steps.any()
    left = dict(zip(held.train.ids, held.train.lengths, strict=True))
    for name, length, steps in zip(data.ids, data.lengths, held.steps, strict=True):
        assert left.get(name, 0) == length - steps
    for k, name in enumerate(held.train.ids):
        record = held.train.record(k)
        assert record.times.tolist() == list(range(left[name]))


@pytest.mark.parametrize("lengths", [[60, 70, 80], [100], MANY])
def test_every_window_to_forecast_lies_in_what_was_held_back(lengths):
    data = dataset(*lengths)
    held = HeldBack.plan(data, 8, seed=0)
    steps = dict(zip(data.ids, held.steps, strict=True))
    length = dict(zip(data.ids, data.lengths, strict=True))
    windows = list(held.windows())
    assert windows
    for window in windows:
        past, coming = window.split(held.horizon)
        for k, name in enumerate(coming.ids):
            assert coming.record(k).times[0] >= length[name] - steps[name]
            assert len(past.record(k)) >= 1
            assert coming.record(k).times[-1] < length[name]


def test_the_newest_origin_comes_first():
    held = HeldBack.plan(dataset(100), 8, seed=0)
    ends = [int(window.last_times[0]) for window in held.windows()]
    assert ends[0] == 99
    assert len(ends) > 1
    assert (np.diff(ends) < 0).all()


def test_at_most_a_quarter_of_the_usual_series_is_held_back_at_its_end():
    held = HeldBack.plan(dataset(40, 48, 44), 30, seed=0)
    assert held.horizon == 11
    assert (held.steps <= 11).all()


def test_a_series_too_short_to_spare_any_is_kept_whole():
    held = HeldBack.plan(dataset(100, 100, 12), 10, seed=0)
    assert held.steps[2] == 0
    assert (held.steps[:2] > 0).all()


@pytest.mark.parametrize("lengths", [[3], [4, 5], [8, 3]])
def test_very_short_series_hold_nothing_back(lengths):
    held = HeldBack.plan(dataset(*lengths), 8, seed=0)
    assert not held.steps.any()
    assert list(held.windows()) == []
    assert held.train.lengths.tolist() == lengths


def test_of_many_series_some_are_held_back_whole_by_chance_alone():
    data = dataset(*MANY)
    one, again, other = (HeldBack.plan(data, 8, seed=seed) for seed in (0, 0, 1))
    assert (one.steps == again.steps).all()
    assert (one.steps != other.steps).any()
    assert 0 < len(one.whole) < len(MANY) / 3
    assert (one.steps[one.whole] == data.lengths[one.whole]).all()
    assert one.worth == len(one.whole)


@pytest.mark.parametrize(("number", "static", "whole"), [(59, (), 0), (60, (), 10), (60, "x", 0)])
def test_whole_series_are_held_back_where_many_can_be_spared_and_none_is_told_apart(
    number, static, whole
):
    held = HeldBack.plan(dataset(*[40] * number, static=tuple(static)), 8, seed=0)
    assert len(held.whole) == whole
    assert ((held.steps == 40).sum(), len(held.train)) == (whole, number - whole)
    assert (held.steps > 0).sum() == (2 * whole or number)


def test_the_network_is_checked_on_one_horizon_of_each_of_many_series():
    many = HeldBack.plan(dataset(*MANY), 8, seed=0)
    assert set(many.ends.tolist()) == {0, 8}
    assert ((many.ends > 0) == (many.steps > 0)).all()
    few = HeldBack.plan(dataset(60, 70, 80), 8, seed=0)
    assert (few.ends == few.steps).all()


def test_origins_are_spread_over_the_whole_of_a_series_held_back():
    held = HeldBack.plan(dataset(*[88] * 60), 8, seed=0)
    ends = [window.last_times for window in held.windows()]
    assert [len(each) for each in ends] == [10] * 8
    assert [int(each[0]) for each in ends] == list(range(87, 7, -10))


def test_windows_at_the_same_dates_are_worth_less_than_their_number():
    one = HeldBack.plan(dataset(100), 8, seed=0).worth
    ten = HeldBack.plan(dataset(*[100] * 10), 8, seed=0).worth
    assert one < ten < 10 * one
