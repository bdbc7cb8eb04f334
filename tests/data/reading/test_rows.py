import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data.reading.cells import Column
from recurra.data.reading.moments import Moments
from recurra.data.reading.rows import Owners, arranged, gathered
from recurra.data.tables.places import Places
from recurra.data.tables.table import as_table
from recurra.errors import DataError

ITEMS = st.lists(st.tuples(st.integers(0, 6), st.integers(-9, 9)), max_size=30)


@given(ITEMS, st.sampled_from(["first", "last", "mean", "sum"]))
@settings(max_examples=60, deadline=None)
def test_values_gather_in_their_slots_as_pandas_groups_them(items, duplicates):
    items = sorted(items, key=lambda item: item[0])
    slots = np.array([slot for slot, _ in items], np.int64)
    values = np.array([value for _, value in items], np.float64)
    found = gathered(values, slots, 7, duplicates, lambda one, two: DataError("", code=""))
    expected = pd.Series(values).groupby(slots).agg(duplicates).reindex(range(7)).to_numpy()
    np.testing.assert_allclose(found, expected)


@given(ITEMS)
@settings(max_examples=60, deadline=None)
def test_values_that_differ_in_a_slot_are_blamed_in_order(items):
    items = sorted(items, key=lambda item: item[0])
    slots = np.array([slot for slot, _ in items], np.int64)
    values = np.array([value for _, value in items], np.float64)
    blamed = []

    def blame(one, two):
        blamed.append((one, two))
        return DataError("differ", code="differ")

    if (pd.Series(values).groupby(slots).nunique() > 1).any():
        with pytest.raises(DataError):
            gathered(values, slots, 7, "error", blame)
        ((one, two),) = blamed
        assert one < two
        assert slots[one] == slots[two]
        assert values[one] != values[two]
    else:
        gathered(values, slots, 7, "error", blame)
        assert not blamed


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), min_size=1, max_size=40))
@settings(max_examples=80, deadline=None)
@pytest.mark.filterwarnings("ignore:.*sorted now")
def test_rows_are_grouped_by_record_sorted_by_time_and_each_is_in_a_step(rows):
    who = pd.Series([each for each, _ in rows])
    when = np.array([time for _, time in rows])
    owners = Owners.read(as_table(pd.DataFrame({"who": who})), "who")
    made = arranged(owners, Moments(when, "number"))
    assert sorted(made.order.tolist()) == list(range(len(rows)))
    assert made.count == len(set(rows))
    whose = np.repeat(np.arange(len(owners.ids)), np.diff(made.offsets))
    pairs = [(owners.ids[k], time) for k, time in zip(whose, made.moments.times, strict=True)]
    assert pairs == [rows[row] for row in made.order[np.unique(made.steps, return_index=True)[1]]]
    for row, step in zip(made.order, made.steps, strict=True):
        assert rows[row] == pairs[step]
    for k in range(len(owners.ids)):
        assert (np.diff(made.moments.times[whose == k]) > 0).all()


def test_identifiers_keep_the_order_of_their_first_rows():
    owners = Owners.read(as_table(pd.DataFrame({"who": ["c", "a", "c", "b"]})), "who")
    assert (owners.ids, owners.numbers.tolist()) == (("c", "a", "b"), [0, 1, 0, 2])


def test_the_first_row_of_a_constant_column_is_given_for_each_record():
    owners = Owners(("a", "b"), np.array([1, 0, 1]), Places(pd.Series(["b", "a", "b"])))
    rows = arranged(owners, Moments(None, "step"))
    assert rows.constant(np.array([2.0, 1.0, 2.0]), "x", "changes", "").tolist() == [1, 0]
    assert rows.constant(np.array([np.nan, 1.0, np.nan]), "x", "changes", "").tolist() == [1, 0]
    with pytest.raises(DataError, match=r"after row 0 .*row 2"):
        rows.constant(np.array([2.0, 1.0, 3.0]), "x", "changes", "")


def test_steps_counted_have_a_row_each():
    owners = Owners(("a", "b"), np.array([1, 0, 1]), Places(pd.Series(["b", "a", "b"])))
    rows = arranged(owners, Moments(None, "step"))
    assert rows.at_steps(Column(np.array([1.0, 2.0, 3.0])), "x", "error").tolist() == [2, 1, 3]
