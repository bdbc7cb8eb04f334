import time
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from recurra.data.reading.long import from_long
from recurra.errors import DataWarning, OptionError


def table(**columns):
    whole = {"who": ["b", "b", "a"], "day": [1, 2, 1], "pulse": [60.0, np.nan, 70.0]}
    return pd.DataFrame({**whole, **columns})


def read(frame, **how):
    return from_long(frame, **{"id": "who", "time": "day", **how})


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_every_library_gives_the_same_records(make):
    columns = {
        "who": ["b", "b", "a"],
        "day": [1, 2, 1],
        "pulse": [60, None, 70],
        "ward": ["x", None, "y"],
        "ill": [0, 0, 1],
    }
    data = read(make(columns), target="ill")
    assert data.ids == ("b", "a")
    np.testing.assert_array_equal(data["b"].streams["values"].values[:, 0], [60, np.nan])
    assert data.stream.observed.tolist() == [[True, True], [False, False], [True, True]]
    assert data.stream.categories == {"ward": ("x", "y")}
    assert (data.stream.clock, data.stream.times.tolist()) == ("number", [1, 2, 1])
    assert (data.target.classes, data.target.values.ravel().tolist()) == ((0, 1), [0, 1])


def test_a_shuffled_record_is_sorted_with_a_note():
    with pytest.warns(DataWarning, match="1 row was earlier") as said:
        data = read(table(day=[2, 1, 1]))
    assert len(said) == 1
    assert "sorted" in data.notes[0]
    np.testing.assert_array_equal(data["b"].streams["values"].values[:, 0], [np.nan, 60])


def test_a_table_sorted_by_time_is_grouped_without_a_word():
    frame = pd.DataFrame({"who": [1, 2, 1, 2], "day": [1, 1, 2, 2], "x": [1.0, 2.0, 3.0, 4.0]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = read(frame)
    assert data.stream.values.ravel().tolist() == [1, 3, 2, 4]
    assert data.notes == ()


def test_any_order_of_rows_gives_the_same_records():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "who": np.repeat(np.arange(20), 30),
            "day": np.tile(np.arange(30), 20),
            "x": rng.normal(size=600),
            "c": rng.choice(["u", "v"], size=600),
            "y": rng.integers(0, 3, 600),
        }
    )
    whole = read(frame, target="y", target_for="step")
    with pytest.warns(DataWarning):
        other = read(frame.sample(frac=1, random_state=1), target="y", target_for="step")
    other = other.select(whole.ids)
    np.testing.assert_array_equal(whole.stream.values, other.stream.values)
    np.testing.assert_array_equal(whole.target.values, other.target.values)


def test_steps_are_rows_as_they_stand_where_there_is_no_time():
    data = read(table().drop(columns="day"), time=None)
    assert (data.stream.clock, data.stream.lengths.tolist()) == ("step", [2, 1])


def test_text_identifiers_stay_text_and_large_integers_stay_exact():
    assert read(table(who=["007", "007", "7"])).ids == ("007", "7")
    assert read(table(who=[2**53 + 1, 2**53, 2**53 + 2])).ids == tuple(2**53 + k for k in (1, 0, 2))
    assert read(table(who=[1.0, 1.0, 2.0])).ids == (1, 2)


@pytest.mark.parametrize(
    ("times", "clock", "read_as"),
    [
        ([1, 2, 1], "number", [1, 2, 1]),
        ([0.5, 2.25, 1.0], "number", [0.5, 2.25, 1.0]),
        (["2024-01-01", "2024-01-02", "2024-01-01"], "calendar", None),
        (pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-01"]), "calendar", None),
    ],
)
def test_numbers_and_stamps_keep_what_they_are(times, clock, read_as):
    stream = read(table(day=times)).stream
    assert stream.clock == clock
    if read_as is None:
        assert stream.times.view("M8[ns]")[1] == np.datetime64("2024-01-02")
    else:
        assert stream.times.tolist() == read_as


def test_stamps_are_kept_in_utc_with_their_zone():
    days = pd.to_datetime(["2024-03-31 01:30", "2024-03-31 03:30", "2024-01-01 00:00"])
    stream = read(table(day=days.tz_localize("Europe/Berlin"))).stream
    assert stream.zone == "Europe/Berlin"
    assert np.diff(stream.times[:2]).tolist() == [3600 * 10**9]


def test_different_offsets_are_brought_to_utc_with_a_note():
    days = ["2024-01-01T00:00+01:00", "2024-01-01T00:00+00:00", "2024-01-01T00:00+01:00"]
    with pytest.warns(DataWarning, match="different offsets"):
        data = read(table(day=days))
    assert data.stream.zone == "UTC"
    assert np.diff(data.stream.times[:2]).tolist() == [3600 * 10**9]


@pytest.mark.parametrize(
    ("duplicates", "pulse"), [("first", 60), ("last", 64), ("mean", 62), ("sum", 124)]
)
def test_contradicting_rows_are_joined_as_wanted(duplicates, pulse):
    frame = table(who=["b"] * 4, day=[1, 1, 1, 2], pulse=[60.0, np.nan, 64.0, 50.0])
    with pytest.warns(DataWarning, match=r"2 rows have .* joined by"):
        data = read(frame, duplicates=duplicates)
    assert data.stream.values.ravel().tolist() == [pulse, 50]


def test_categories_that_agree_are_joined_and_others_are_refused():
    frame = table(day=[1, 1, 1], pulse=[1.0, 3.0, 2.0], ward=["x", "x", "y"])
    with pytest.warns(DataWarning):
        assert read(frame, duplicates="mean").stream.values[0].tolist() == [2, 0]
    with pytest.raises(ValueError, match=r"'x' and 'y' .*row 1, column 'ward'"):
        read(table(day=[1, 1, 1], ward=["x", "y", "y"]), duplicates="mean")


def test_rows_said_twice_are_kept_once():
    with pytest.warns(DataWarning, match="1 row has the record and time of another"):
        data = read(table(day=[1, 1, 1], pulse=[60.0, 60.0, 70.0]))
    assert data.stream.lengths.tolist() == [1, 1]


def test_roles_become_targets_covariates_groups_and_weights():
    frame = table(
        age=[50.0, 50.0, np.nan],
        sex=["f", "f", "m"],
        ward=[3, 3, 4],
        much=[2.0, 2.0, 1.0],
        y=["no", "no", None],
        days=[3, 3, 5],
    )
    data = read(
        frame,
        target={"y": "classes", "days": "numbers"},
        static=["age", "sex"],
        group="ward",
        weight="much",
    )
    assert data["b"].static == {"age": 50, "sex": "f"}
    assert data["a"].static == {"age": None, "sex": "m"}
    assert data["a"].targets["y"].tolist() == [[None]]
    assert data.targets["days"].values.ravel().tolist() == [3.0, 5.0]
    assert (data.groups.tolist(), data.weights.tolist()) == ([3, 4], [2, 1])
    assert data.stream.channels == ("pulse",)


def test_a_target_for_each_step_follows_the_steps():
    frame = table(day=[2, 1, 1], y=["late", "early", None])
    with pytest.warns(DataWarning):
        data = read(frame, target="y", target_for="step")
    assert data["b"].targets["y"].ravel().tolist() == ["early", "late"]
    assert data["a"].targets["y"].ravel().tolist() == [None]


def test_numbers_are_labels_where_that_is_said():
    data = read(table(code=[30, 10, 30]), categorical=["code"])
    assert data.stream.categories == {"code": (10, 30)}
    assert data.stream.values[:, 1].tolist() == [1, 0, 1]


def test_labels_with_spaces_capitals_and_nothing_in_them_are_different():
    labels = ["", " a", "a", "A", None]
    frame = pd.DataFrame({"who": [1] * 5, "day": range(5), "c": pd.Series(labels, dtype=object)})
    stream = read(frame).stream
    assert stream.categories == {"c": ("", " a", "A", "a")}
    assert stream.observed.ravel().tolist() == [True] * 4 + [False]


def test_flags_and_small_numbers_are_read_and_negative_zero_is_zero():
    frame = table(on=[True, False, True], tiny=[5e-324, -0.0, 1e-40], short=np.int8([1, 2, 3]))
    values = read(frame, channels=["on", "tiny", "short"]).stream.values
    assert values.tolist() == [[1, 5e-324, 1], [0, 0, 2], [1, 1e-40, 3]]


def test_a_channel_never_observed_is_noted():
    with pytest.warns(DataWarning, match="1 channel was never observed: 'blank'"):
        data = read(table(blank=[np.nan] * 3))
    assert data.notes


def test_integers_past_exactness_are_noted():
    with pytest.warns(DataWarning, match=r"past 2\*\*53: 1 integer in 'pulse'"):
        read(table(pulse=[2**53 + 1, 1, 2]))


def test_columns_go_by_name_and_channels_keep_the_wanted_order():
    frame = table(temp=[1.0, 2.0, 3.0])
    one = read(frame, channels=["temp", "pulse"])
    two = read(frame[["pulse", "temp", "day", "who"]], channels=["temp", "pulse"])
    assert one.stream.channels == ("temp", "pulse")
    np.testing.assert_array_equal(one.stream.values, two.stream.values)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"duplicates": "median"}, "duplicates='median'"),
        ({"channels": ["day"]}, "'day' is named as time and as channel"),
        ({"channels": ["pulse", "pulse"]}, "as channel and as channel"),
        ({"static": "pulse"}, r"Use static=\['pulse'\]"),
        ({"channels": "pulse"}, r"Use channels=\['pulse'\]"),
        ({"target": "pulse"}, "No column is left"),
        ({"target": {"pulse": "labels"}, "channels": ["more"]}, "'classes' or 'numbers'"),
        ({"static": ["pulse"], "channels": ["pulse"]}, "one role"),
        ({"categorical": ["puls"]}, "Did you mean 'pulse'"),
        ({"target": "pulse", "target_for": "week"}, "'record' or 'step'"),
    ],
)
def test_a_wrong_option_is_refused(how, said):
    frame = table(more=[1, 2, 3]) if "target" in how and how != {"target": "pulse"} else table()
    with pytest.raises(OptionError, match=said):
        read(frame, **how)


def test_a_path_is_left_to_read():
    with pytest.raises(OptionError, match=r"Use read\('a\.csv', layout=\.\.\.\)"):
        read("a.csv")


def test_a_million_rows_are_read_in_seconds():
    rows = 1_000_000
    frame = pd.DataFrame(
        {"who": np.arange(rows) // 100, "day": np.arange(rows) % 100, "x": np.ones(rows)}
    )
    start = time.perf_counter()
    assert read(frame).stream.rows == rows
    assert time.perf_counter() - start < 5
