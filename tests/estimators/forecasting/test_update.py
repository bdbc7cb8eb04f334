"""New rows carry the state on: as if everything had been read at once, at the cost of the new."""

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest

from recurra import Columns
from recurra.errors import DataError, DataWarning

ENDS = {"s0": 60, "s1": 65, "s2": 70, "s3": 75}


def rows(counts, seed=7, starts=ENDS, holes=()):
    """New rows: so many for every series."""
    random = np.random.default_rng(seed)
    parts = []
    for name, count in counts.items():
        start = starts.get(name, 0)
        values = random.normal(size=count).cumsum()
        stamps = np.arange(start, start + count)
        parts.append(pd.DataFrame({"unique_id": name, "ds": stamps, "y": values}))
    frame = pd.concat(parts, ignore_index=True)
    frame.loc[list(holes), "y"] = np.nan
    return frame


def assert_alike(one, other, h=6):
    """Compare forecasts, intervals and paths to 1e-6."""
    one, other = one.predict(h, level=[80]), other.predict(h, level=[80])
    pd.testing.assert_frame_equal(one.iloc[:, :2], other.iloc[:, :2])
    size = np.abs(other.iloc[:, 2:].to_numpy()).max()
    np.testing.assert_allclose(
        one.iloc[:, 2:].to_numpy(), other.iloc[:, 2:].to_numpy(), rtol=1e-6, atol=1e-6 * size
    )


@pytest.mark.parametrize("layer", ["lstm", "gru", "rnn", "jordan"])
def test_ragged_updates_equal_reading_everything_at_once(layer, small, walks, reading):
    model = small(layer=layer, num_layers=2).fit(walks())
    new = rows({"s0": 1, "s2": 9, "s3": 4}, holes=[3, 4])
    whole = reading(model, pd.concat([walks(), new]))
    assert_alike(model.update(new), whole)


@pytest.mark.parametrize("name", list(ENDS))
def test_rows_of_one_series_move_that_series_alone(fitted, walks, reading, name):
    new = rows({name: 3})
    model = deepcopy(fitted).update(new)
    assert_alike(model, reading(fitted, pd.concat([walks(), new])))
    before, after = fitted.predict(3).set_index("unique_id"), model.predict(3)
    others = after[after.unique_id != name]
    np.testing.assert_array_equal(others.LSTM, before.drop(index=name).LSTM)
    np.testing.assert_array_equal(others.ds, before.drop(index=name).ds)


def test_several_updates_in_a_row_equal_one(fitted):
    new = rows(dict.fromkeys(ENDS, 8), holes=[2, 9, 17])
    once, often = deepcopy(fitted).update(new), deepcopy(fitted)
    offset = new.ds - new.unique_id.map(ENDS)
    for low, high in [(0, 1), (1, 4), (4, 8)]:
        often.update(new[(offset >= low) & (offset < high)])
    assert_alike(often, once)


def test_row_by_row_equals_everything_at_once(fitted, walks, reading):
    new = rows({"s1": 5, "s3": 2})
    model = deepcopy(fitted)
    for place in range(len(new)):
        model.update(new.iloc[[place]])
    assert_alike(model, reading(fitted, pd.concat([walks(), new])))


def test_a_new_series_is_started(fitted, walks, reading):
    new = rows({"z": 6, "s1": 2, "y": 1})
    model = deepcopy(fitted).update(new)
    assert model.predict(1).unique_id.tolist() == ["s0", "s1", "s2", "s3", "z", "y"]
    assert_alike(model, reading(fitted, pd.concat([walks(), new])))


def test_a_new_series_may_begin_with_unobserved_steps(fitted, walks, reading):
    new = rows({"z": 6}, holes=[0, 1, 4])
    model = deepcopy(fitted).update(new)
    assert_alike(model, reading(fitted, pd.concat([walks(), new[2:]])))


def test_a_new_series_can_be_updated_in_its_turn(fitted, walks, reading):
    new = rows({"z": 9, "s2": 3})
    model = deepcopy(fitted).update(new[:4]).update(new[4:])
    assert_alike(model, reading(fitted, pd.concat([walks(), new])))


def test_a_gap_between_old_and_new_rows_is_unobserved_steps(fitted, walks, reading):
    new = rows({"s0": 3, "s2": 2}, starts={"s0": 64, "s2": 70})
    model = deepcopy(fitted)
    with pytest.warns(DataWarning, match="4 stamps were missing in 1 of 4 series"):
        model.update(new)
    with pytest.warns(DataWarning, match="4 stamps were missing"):
        whole = reading(fitted, pd.concat([walks(), new]))
    assert_alike(model, whole)
    assert model.predict(1).ds.tolist() == [67, 65, 72, 75]


def test_an_update_without_a_value_is_an_unobserved_step(fitted, walks, reading):
    """A stream goes on although its newest step was not observed."""
    new = rows({"s0": 2}, holes=[0, 1])
    model = deepcopy(fitted).update(new)
    assert_alike(model, reading(fitted, pd.concat([walks(), new])))


def test_a_series_that_ended_unobserved_can_be_updated(small, walks, reading):
    frame = walks()
    frame.loc[frame.ds >= frame.unique_id.map(ENDS) - 2, "y"] = np.nan
    model = small().fit(frame)
    new = rows(dict.fromkeys(ENDS, 4))
    whole = reading(model, pd.concat([frame, new]))
    assert_alike(model.update(new), whole)


def test_a_series_that_ended_unobserved_does_not_hinder_the_others(small, walks, reading):
    frame = walks()
    frame.loc[(frame.unique_id == "s1") & (frame.ds >= 63), "y"] = np.nan
    model = small().fit(frame)
    new = rows({"s0": 2})
    whole = reading(model, pd.concat([frame, new]))
    assert_alike(model.update(new), whole)


def test_new_rows_may_come_in_any_order(fitted):
    new = rows({"s0": 4, "s2": 3})
    mixed = new.sample(frac=1, random_state=0)
    assert mixed.ds.diff().lt(0).any()
    with pytest.warns(DataWarning):
        model = deepcopy(fitted).update(mixed)
    assert_alike(model, deepcopy(fitted).update(new))


def test_nothing_is_learned_anew(fitted):
    model = deepcopy(fitted)
    before = {name: each.clone() for name, each in model.network_.state_dict().items()}
    assert model.update(rows({"s0": 5})) is model
    for name, each in model.network_.state_dict().items():
        assert before[name].equal(each)


def test_a_refused_update_leaves_the_model_as_it_was(fitted):
    model = deepcopy(fitted)
    with pytest.raises(DataError):
        model.update(rows({"s0": 3}, starts={"s0": 10}))
    assert_alike(model, fitted)


@pytest.mark.parametrize("length", [50, 1500])
def test_the_cost_does_not_grow_with_the_history(small, series, length):
    values = np.random.default_rng(0).normal(size=length).cumsum()
    frame = pd.concat([series("a", values), series("b", values[: length - 7])])
    model = small(steps=5, season_length=1).fit(frame)
    read = []
    model.network_.layer.register_forward_hook(
        lambda layer, inputs, output: read.append(inputs[0].shape[0] * inputs[0].shape[1])
    )
    model.update(rows({"a": 3}, starts={"a": length}))
    assert sum(read) == 3  # the newest step before, and all new ones but the newest
    read.clear()
    model.update(rows({"a": 1, "b": 2}, starts={"a": length + 3, "b": length - 7}))
    assert sum(read) in (3, 4)  # one row of padding at most
    kept = [model._state.history.recent.numel(), len(model._state.tail.times)]
    assert kept == [2 * 8, 2]


def test_updates_on_an_irregular_clock_equal_reading_everything(small, series, reading):
    random = np.random.default_rng(0)
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        np.cumsum(random.exponential(10, size=80)).round(3), unit="h"
    )
    frame = series("a", random.normal(size=80).cumsum(), stamps)
    with pytest.warns(DataWarning, match="irregular"):
        model = small().fit(frame[:70])
    with pytest.warns(DataWarning, match="irregular"):
        whole = reading(model, frame)
    assert_alike(model.update(frame[70:73]).update(frame[73:]), whole)


def test_a_new_series_on_an_irregular_clock_steps_at_its_own_pace(small, series):
    random = np.random.default_rng(0)

    def stamps(first, hours, count):
        every = hours * random.uniform(0.9, 1.1, size=count).round(3)
        return pd.Timestamp(first) + pd.to_timedelta(every.cumsum(), unit="h")

    with pytest.warns(DataWarning, match="irregular"):
        model = small().fit(series("a", random.normal(size=60), stamps("2024-01-01", 1, 60)))
    fresh = series("z", random.normal(size=9), stamps("2024-02-01", 100, 9))
    known = series("a", random.normal(size=9), stamps("2024-02-01", 1, 9))
    found = model.update(pd.concat([fresh, known])).predict(2)
    spacing = found.groupby("unique_id").ds.agg(lambda ds: ds.diff().iloc[-1])
    assert spacing["a"] < pd.Timedelta("2h")
    assert spacing["z"] > pd.Timedelta("80h")


def test_a_new_series_of_one_row_on_an_irregular_clock_can_be_forecast(small, series):
    random = np.random.default_rng(0)
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        random.uniform(0.5, 2, size=60).cumsum(), unit="h"
    )
    with pytest.warns(DataWarning, match="irregular"):
        model = small().fit(series("a", random.normal(size=60), stamps))
    found = model.update(series("z", [1.0], [pd.Timestamp("2024-02-01")])).predict(2)
    assert found.LSTM.notna().all()


def test_covariates_are_carried_over_the_border(small, series, reading):
    random = np.random.default_rng(0)

    def part(name, count, shop):
        return series(
            name,
            random.normal(size=count).cumsum(),
            price=random.normal(size=count),
            promo=random.choice(["no", "yes"], count),
            visits=random.normal(size=count),
            shop=shop,
        )

    columns = Columns(future=["price", "promo"], past=["visits"], static=["shop"])
    whole = pd.concat([part("a", 70, "small"), part("b", 80, "large"), part("c", 40, "small")])
    keep = {"a": 60, "b": 77, "c": 0}
    first = whole[whole.ds < whole.unique_id.map(keep)]
    rest = whole[whole.ds >= whole.unique_id.map(keep)]
    ends = {"a": 70, "b": 80, "c": 40}
    future = pd.concat(
        [
            series(name, 0.0, range(end, end + 3), price=[1.0, -1.0, 0.5], promo="yes")
            for name, end in ends.items()
        ]
    ).drop(columns="y")
    model = small(columns=columns).fit(first)
    everything = reading(model, whole).predict(3, future=future)
    found = model.update(rest[rest.ds < 65]).update(rest[rest.ds >= 65]).predict(3, future=future)
    np.testing.assert_allclose(found.LSTM, everything.LSTM, rtol=1e-6, atol=1e-6)


def test_treatments_of_new_rows_are_kept_in_the_report(fitted):
    model = deepcopy(fitted)
    with pytest.warns(DataWarning, match="repeats"):
        model.update(pd.concat([rows({"s0": 2}), rows({"s0": 2}).tail(1)]))
    assert "1 row repeats the row before" in model.notes_[-1]
