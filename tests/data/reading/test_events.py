import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from recurra.data.reading.events import from_events
from recurra.data.reading.long import from_long
from recurra.errors import DataError, DataWarning, OptionError

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[3] / "../shared/data"))
ROWS = [
    [7, 0, "age", 54.0],
    [7, 5, "pulse", 73.0],
    [7, 5, "temp", 36.5],
    [8, 0, "age", 31.0],
    [7, 9, "temp", 37.0],
    [8, 2, "pulse", 60.0],
]


def events(*more, rows=ROWS):
    return pd.DataFrame([*rows, *more], columns=["stay", "minute", "what", "value"])


def read(frame, **how):
    roles = {"id": "stay", "time": "minute", "variable": "what", "value": "value"}
    return from_events(frame, **{**roles, "static": ["age"], **how})


@pytest.mark.parametrize(
    "make",
    [lambda f: f, pl.from_pandas, lambda f: pa.Table.from_pandas(f, preserve_index=False)],
    ids=["pandas", "polars", "pyarrow"],
)
def test_a_step_is_a_record_and_time_and_a_channel_a_variable(make):
    data = read(make(events()))
    assert data.ids == (7, 8)
    assert data.stream.channels == ("pulse", "temp")
    np.testing.assert_array_equal(data[7].streams["values"].values, [[73, 36.5], [np.nan, 37]])
    assert data[7].streams["values"].times.tolist() == [5, 9]
    assert data[8].streams["values"].observed.tolist() == [[True, False]]
    assert [data[each].static for each in (7, 8)] == [{"age": 54}, {"age": 31}]
    assert data.notes == ()


def test_events_in_any_order_give_the_same_records():
    rng = np.random.default_rng(0)
    cells = rng.permutation(8 * 20 * 5)[:300]
    frame = pd.DataFrame(
        {
            "stay": cells // 100,
            "minute": cells // 5 % 20,
            "what": np.array([*"abcde"])[cells % 5],
            "value": rng.normal(size=300),
        }
    )
    with pytest.warns(DataWarning):
        one = read(frame, static=[])
    two = read(frame.sort_values(["stay", "minute"]), static=[]).select(one.ids)
    np.testing.assert_array_equal(one.stream.values, two.stream.values)
    np.testing.assert_array_equal(one.stream.times, two.stream.times)
    wide = frame.pivot(index=["stay", "minute"], columns="what", values="value").reset_index()
    three = from_long(wide, id="stay", time="minute").select(one.ids)
    np.testing.assert_array_equal(one.stream.values, three.stream.values)


@pytest.mark.parametrize(
    ("duplicates", "pulse"), [("first", 73), ("last", 77), ("mean", 75), ("sum", 150)]
)
def test_contradicting_events_are_joined_as_wanted(duplicates, pulse):
    with pytest.warns(DataWarning, match="1 value has the record, time and variable"):
        data = read(events([7, 5, "pulse", 77.0]), duplicates=duplicates)
    assert data[7].streams["values"].values[0].tolist() == [pulse, 36.5]


def test_contradicting_events_are_refused_with_both_rows():
    with pytest.raises(DataError, match=r"Rows 1 and 6 .*'pulse' at the same time") as caught:
        read(events([7, 5, "pulse", 77.0]))
    error = caught.value
    assert (error.code, error.record, error.row, error.column) == ("duplicate_time", 7, 6, "value")


def test_equal_events_are_kept_once():
    with pytest.warns(DataWarning, match="one of equals is kept"):
        data = read(events([7, 5, "pulse", 73.0]))
    assert data[7].streams["values"].values[0].tolist() == [73, 36.5]


def test_a_static_variable_that_changes_is_refused():
    with pytest.raises(DataError, match=r"Rows 0 and 6 have different values of 'age'") as caught:
        read(events([7, 9, "age", 55.0]))
    assert caught.value.code == "static_changes"
    assert read(events([7, 9, "age", 55.0]), duplicates="last")[7].static == {"age": 55}
    assert read(events([7, 9, "age", 54.0]), duplicates="sum")[7].static == {"age": 54}


def test_text_becomes_categories_of_its_variable_and_other_text_is_numbers():
    rows = [
        [1, 0, "rhythm", "sinus"],
        [1, 0, "pulse", "73"],
        [1, 1, "rhythm", "none"],
        [1, 1, "pulse", ""],
        [1, 2, "rhythm", "NA"],
    ]
    data = read(events(rows=rows), static=[])
    assert data.stream.categories == {"rhythm": ("NA", "none", "sinus")}
    assert data.stream.values[:, 0].tolist()[:1] == [73]
    assert data.stream.observed.tolist()[1] == [False, True]


def test_text_among_the_numbers_of_a_variable_names_its_row():
    rows = [[1, 0, "a", "2"], [1, 1, "b", "x"], [1, 2, "a", "abc"], [1, 3, "a", "4"]]
    with pytest.raises(DataError, match="text among the numbers of 'a'") as caught:
        read(events(rows=rows), static=[])
    assert (caught.value.row, caught.value.value) == (2, "abc")
    data = read(events(rows=rows), static=[], categorical=["a"])
    assert data.stream.categories == {"a": ("2", "4", "abc"), "b": ("x",)}


def test_numbers_of_a_variable_are_labels_where_that_is_said():
    rows = [[1, 0, "unit", 3.0], [1, 0, "pulse", 70.0], [2, 0, "unit", 1.0], [2, 0, "pulse", 71.0]]
    data = read(events(rows=rows), static=["unit"], categorical=["unit"])
    assert data.static.categories == {"unit": (1, 3)}
    assert data[1].static == {"unit": 3}
    assert data.stream.values.ravel().tolist() == [70, 71]


def test_named_channels_keep_their_order_and_others_are_left_out_with_a_note():
    with pytest.warns(DataWarning) as said:
        data = read(events([8, 2, "ph", 7.4]), channels=["temp", "lactate"])
    texts = [str(each.message) for each in said]
    assert any("3 rows of variables that are no channels" in text for text in texts)
    assert any("never observed: 'lactate'" in text for text in texts)
    assert any("1 record has no step" in text for text in texts)
    assert data.stream.channels == ("temp", "lactate")
    assert data.stream.lengths.tolist() == [2, 0]
    assert set(texts) == set(data.notes)


def test_a_missing_value_is_a_step_at_which_nothing_was_observed():
    data = read(events([7, 12, "pulse", np.nan]))
    assert data[7].streams["values"].observed.tolist()[-1] == [False, False]
    assert data[7].streams["values"].times.tolist() == [5, 9, 12]


def test_a_static_variable_without_a_row_is_missing_with_a_note():
    with pytest.warns(DataWarning, match="never seen: 'height'"):
        data = read(events(), static=["age", "height"])
    assert data[7].static == {"age": 54, "height": None}
    assert len(data.notes) == 1


def test_outcomes_follow_the_records_by_identifier():
    outcomes = pd.DataFrame(
        {
            "stay": [9, 8, 7],
            "died": [1, 0, 1],
            "days": [1, 2, 3],
            "ward": [*"xyz"],
            "w": [1.0, 2, 3],
        }
    )
    with pytest.warns(DataWarning, match="1 outcomes belong to none"):
        data = read(
            events(),
            outcomes=outcomes,
            target={"died": "classes", "days": "numbers"},
            group="ward",
            weight="w",
        )
    assert data.targets["died"].values.ravel().tolist() == [1, 0]
    assert data.targets["days"].values.ravel().tolist() == [3.0, 2.0]
    assert (data.groups.tolist(), data.weights.tolist()) == (["z", "y"], [3, 2])


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ({"stay": [7], "died": [1]}, "no row among the outcomes .*series 8"),
        ({"stay": ["7", "8"], "died": [1, 0]}, "of type str, not int"),
        ({"stay": [7, 8, 7], "died": [1, 0, 0]}, "changes after row 0"),
        ({"stay": [7, 8], "dead": [1, 0]}, "Did you mean 'dead'|no column 'died'"),
    ],
)
def test_outcomes_that_do_not_fit_are_refused(outcomes, said):
    with pytest.raises(DataError, match=said):
        read(events(), outcomes=pd.DataFrame(outcomes), target="died")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"target": "died"}, "give both, or neither"),
        ({"outcomes": pd.DataFrame({"stay": [7, 8]})}, "give both, or neither"),
        ({"duplicates": "all"}, "duplicates='all'"),
        ({"static": ["age", "pulse", "temp"]}, "No variable is left"),
        ({"channels": ["age"]}, "'age' is named twice"),
        ({"categorical": ["puls"]}, "Did you mean 'pulse'"),
        ({"channels": "pulse"}, r"Use channels=\['pulse'\]"),
    ],
)
def test_a_wrong_option_is_refused(how, said):
    with pytest.raises(OptionError, match=said):
        read(events(), **how)


def test_a_table_too_large_to_hold_is_refused_before_it_is_made():
    count = 40_000
    frame = pd.DataFrame(
        {
            "stay": 1,
            "minute": np.arange(count),
            "what": np.arange(count).astype(str),
            "value": 1.0,
        }
    )
    with pytest.raises(DataError, match="too many to be held") as caught:
        read(frame, static=[])
    assert caught.value.code == "too_long"


@pytest.mark.data
def test_intensive_care_stays_are_read_as_they_were_counted():
    folder = DATA / "med_physionet2012"
    if not folder.exists():
        pytest.skip(f"{folder} is not there: set RECURRA_DATA")
    frame = pd.read_csv(folder / "set-a.csv.xz")
    outcomes = pd.read_csv(folder / "Outcomes-a.txt")
    frame = frame[frame["Parameter"] != "RecordID"]
    start = time.perf_counter()
    with pytest.warns(DataWarning):
        data = from_events(
            frame,
            id="RecordID",
            time="Minutes",
            variable="Parameter",
            value="Value",
            static=["Age", "Gender", "Height"],
            duplicates="mean",
            outcomes=outcomes,
            target="In-hospital_death",
        )
    assert time.perf_counter() - start < 10
    assert len(data) == 3996
    assert data.stream.channels[:2] == ("ALP", "ALT")
    assert len(data.stream.channels) == 37
    assert round(100 * data.target.values.mean(), 1) == 13.9
    one = frame[(frame["RecordID"] == 132539) & (frame["Minutes"] == 7)]
    row = data[132539].streams["values"]
    at = row.values[row.times == 7][0]
    for name, value in zip(one["Parameter"], one["Value"], strict=True):
        assert at[data.stream.channels.index(name)] == value
    assert int((~np.isnan(at)).sum()) == len(one)
