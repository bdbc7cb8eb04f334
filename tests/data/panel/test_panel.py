import numpy as np
import pandas as pd
import pytest

from recurra.data import Columns, from_frame
from recurra.errors import DataError, DataWarning, OptionError


def dataset(lengths=(5, 3, 4), **columns):
    frame = pd.concat(
        pd.DataFrame({"unique_id": f"s{i}", "ds": range(n), "y": 10.0 * i + np.arange(n)})
        for i, n in enumerate(lengths)
    )
    frame["price"], frame["shop"] = frame["y"] * 2, frame["unique_id"].str.upper()
    return from_frame(frame, Columns(future=["price"], static=["shop"]))


def test_a_record_shows_its_rows_without_copying_them():
    data = dataset()
    record = data.record(1)
    assert (record.id, len(record), record.static) == ("s1", 3, {"shop": "S1"})
    assert record.future["price"].tolist() == [20.0, 22.0, 24.0]
    assert np.shares_memory(record.target, data.target)


@pytest.mark.parametrize("steps", [1, 2, np.array([1, 2, 3])])
def test_splitting_parts_the_rows_by_time_and_loses_none(steps):
    data = dataset()
    train, held_back = data.split(steps)
    assert held_back.lengths.tolist() == np.broadcast_to(steps, 3).tolist()
    assert (train.lengths + held_back.lengths == data.lengths).all()
    for i in range(3):
        assert train.record(i).times.max() < held_back.record(i).times.min()
        both = np.concatenate([train.record(i).target, held_back.record(i).target])
        assert (both == data.record(i).target).all()
        assert (held_back.record(i).future["price"] == held_back.record(i).target * 2).all()


def test_holding_back_a_whole_series_is_refused_by_name():
    with pytest.raises(DataError, match=r"has 3 steps.*'s1'.*1 series") as caught:
        dataset().split(3)
    assert (caught.value.code, caught.value.record) == ("too_short", "s1")


def test_head_and_tail_take_what_there_is():
    data = dataset()
    assert data.head(4).lengths.tolist() == [4, 3, 4]
    assert data.tail(4).record(0).target.tolist() == [1, 2, 3, 4]
    assert data.head(0).lengths.tolist() == [0, 0, 0]


def test_before_gives_the_past_as_it_was():
    assert dataset().before(np.array([1, 2, 3])).target.tolist() == [0, 10, 11, 20, 21, 22]


@pytest.mark.parametrize("ends", [-1, 9, 1.5, np.array([1, 2, 9])])
def test_ends_beyond_a_series_are_refused(ends):
    with pytest.raises(OptionError, match="between 0 and its length"):
        dataset().before(ends)


def test_selecting_keeps_the_order_asked_for():
    data = dataset().select(["s2", "s0"])
    assert data.ids == ("s2", "s0")
    assert data.static["shop"].tolist() == ["S2", "S0"]
    assert data.target.tolist() == [20, 21, 22, 23, 0, 1, 2, 3, 4]


def test_an_unknown_series_gets_the_near_name():
    with pytest.raises(DataError, match="Did you mean 's2'"):
        dataset().select(["s22"])


def test_extending_a_beginning_by_its_end_gives_the_whole():
    data = dataset()
    train, held_back = data.split(2)
    whole = train.extend(held_back)
    for name in ("times", "target", "observed", "offsets"):
        assert (getattr(whole, name) == getattr(data, name)).all()
    assert (whole.future["price"] == data.future["price"]).all()


def test_extending_appends_new_series_and_marks_missing_stamps():
    frame = pd.DataFrame(
        {"unique_id": ["new", "s1"], "ds": [0, 5], "y": [7.0, 9.0], "price": 1.0, "shop": "X"}
    )
    data = dataset()
    with pytest.warns(DataWarning, match="2 stamps were missing in 1 of 4 series"):
        more = data.extend(from_frame(frame, data.columns, clock=data.clock))
    assert more.ids == ("s0", "s1", "s2", "new")
    assert more.record(1).times.tolist() == [0, 1, 2, 3, 4, 5]
    assert more.record(1).observed.tolist() == [True, True, True, False, False, True]
    assert more.static["shop"].tolist() == ["S0", "S1", "S2", "X"]


def test_a_short_tail_is_extended_over_a_long_gap():
    data = dataset((3,))
    row = {"unique_id": ["s0"], "ds": [100], "y": [9.0], "price": [1.0], "shop": ["X"]}
    new = from_frame(pd.DataFrame(row), data.columns, clock=data.clock)
    with pytest.warns(DataWarning, match="97 stamps were missing"):
        more = data.tail(1).extend(new)
    assert more.times.tolist() == list(range(2, 101))


def test_extending_by_old_rows_is_refused():
    data = dataset()
    with pytest.raises(DataError, match=r"stamped 0.*goes up to 4") as caught:
        data.extend(data.head(1))
    assert caught.value.record == "s0"


def test_extending_by_stamps_of_another_kind_is_refused():
    data = dataset()
    frame = pd.DataFrame({"unique_id": ["s0"], "ds": ["2024-01-01"], "y": 1.0, "price": 1.0})
    with pytest.raises(DataError, match="read as timestamps, but those before were integers"):
        from_frame(frame.assign(shop="X"), data.columns, clock=data.clock)


def test_the_spacing_of_a_single_step_is_that_of_the_others():
    assert dataset((1, 4)).spacing.tolist() == [1, 1]
