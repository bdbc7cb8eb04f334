import sys
from types import ModuleType

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from recurra.data.reading.arrays import from_arrays
from recurra.data.reading.nested import from_nested
from recurra.errors import DataError, DataWarning, OptionError

A = [[1.0, 2.0], [3.0, 4.0, None]]
B = [[5.0, 6.0], [7.0, 8.0, 9.0]]


def cells(make):
    return [make([np.nan if each is None else each for each in row]) for row in A]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": cells(pd.Series), "b": [pd.Series(row) for row in B]}),
        pd.DataFrame({"a": cells(np.array), "b": [np.array(row) for row in B]}),
        pd.DataFrame({"a": A, "b": B}),
        pd.DataFrame(
            {"a": pd.Series(pa.array(A), dtype=pd.ArrowDtype(pa.list_(pa.float64()))), "b": B}
        ),
        pl.DataFrame({"a": A, "b": B}),
        pa.table({"a": A, "b": B}),
        pa.table({"a": pa.chunked_array([A[:1], A[1:]]), "b": B}),
        pa.table({"a": [[], *A], "b": [[], *B]}).slice(1),
    ],
    ids=["series", "arrays", "lists", "pandas arrow", "polars", "arrow", "chunks", "slice"],
)
def test_sequences_in_cells_are_channels_of_a_record(frame):
    data = from_nested(frame, ["up", "down"])
    assert data.stream.channels == ("a", "b")
    np.testing.assert_array_equal(data.at(0).streams["x"].values, [[1, 5], [2, 6]])
    np.testing.assert_array_equal(data.at(1).streams["x"].values, [[3, 7], [4, 8], [np.nan, 9]])
    assert data.stream.observed.sum() == 9
    assert data.target.values.ravel().tolist() == [1, 0]


def test_other_columns_have_roles():
    frame = pl.DataFrame(
        {"k": ["007", "8"], "a": A, "age": [50, 60], "y": ["u", "v"], "ward": [1, 1]}
    )
    data = from_nested(frame, id="k", static=["age"], target="y", group="ward")
    assert data.ids == ("007", "8")
    assert data["007"].static == {"age": 50}
    assert (data.target.classes, data.groups.tolist()) == (("u", "v"), [1, 1])


def test_series_with_an_index_of_their_own_give_the_times():
    index = pd.to_datetime(["2024-01-01", "2024-01-03"])
    one = pd.Series([1.0, 2.0], index)
    data = from_nested(pd.DataFrame({"a": [one, one[:1]], "b": [one, one[:1]]}))
    assert data.stream.clock == "calendar"
    assert data.stream.gaps.tolist() == [0, 2 * 86400, 0]


def test_series_on_clocks_of_their_own_are_refused():
    one, two = pd.Series([1.0, 2.0], [1, 2]), pd.Series([1.0, 2.0], [1, 3])
    with pytest.raises(DataError, match="other times here than in 'a'") as caught:
        from_nested(pd.DataFrame({"a": [one, one], "b": [one, two]}))
    assert (caught.value.code, caught.value.row, caught.value.column) == ("other_times", 1, "b")
    with pytest.raises(DataError, match="earlier than the one before"):
        from_nested(pd.DataFrame({"a": [two[::-1], one]}))


def test_two_index_levels_are_record_and_time():
    index = pd.MultiIndex.from_tuples([("s", 0), ("s", 1), ("r", 0)])
    data = from_nested(pd.DataFrame({"a": [1.0, 2.0, 3.0]}, index), [0, 1])
    assert (data.ids, data.stream.lengths.tolist()) == (("s", "r"), [2, 1])
    assert data.target.values.ravel().tolist() == [0, 1]
    three = pd.MultiIndex.from_tuples([(1, 2, 3)])
    with pytest.raises(DataError, match="3 levels"):
        from_nested(pd.DataFrame({"a": [1.0]}, three))


LISTS = [[[1.0, 5.0], [2.0, 6.0]], [[3.0, None]], []]


@pytest.mark.parametrize(
    "array",
    [
        pa.array(LISTS),
        pa.chunked_array([LISTS[:1], LISTS[1:]]),
        pl.Series(LISTS),
        pa.array(LISTS, pa.large_list(pa.list_(pa.float64(), 2))),
    ],
    ids=["arrow", "chunks", "polars", "fixed"],
)
def test_lists_of_steps_are_records(array):
    data = from_nested(array)
    assert data.stream.lengths.tolist() == [2, 1, 0]
    np.testing.assert_array_equal(data.stream.values, [[1, 5], [2, 6], [3, np.nan]])
    assert from_nested(pa.array(A)).stream.channels == ("x0",)


def test_a_pandas_series_of_sequences_is_one_channel():
    data = from_nested(pd.Series(A, name="pulse"))
    assert data.stream.channels == ("pulse",)
    assert data.stream.lengths.tolist() == [2, 3]
    levels = pd.MultiIndex.from_tuples([(1, 0), (1, 1), (2, 0)])
    assert from_nested(pd.Series([1.0, 2.0, 3.0], levels)).stream.lengths.tolist() == [2, 1]


def test_an_awkward_array_comes_through_arrow(monkeypatch):
    module = ModuleType("awkward")
    array_type = type("Array", (), {"__module__": "awkward.highlevel"})
    module.to_arrow = lambda array, extensionarray: pa.array(LISTS)
    monkeypatch.setitem(sys.modules, "awkward", module)
    assert from_nested(array_type()).stream.lengths.tolist() == [2, 1, 0]


def test_nested_cells_and_arrays_give_the_same_records():
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(n, 2)) for n in (4, 1, 7)]
    frame = pd.DataFrame({"x0": [p[:, 0] for p in parts], "x1": [p[:, 1] for p in parts]})
    np.testing.assert_array_equal(
        from_nested(frame).stream.values, from_arrays(parts).stream.values
    )


def test_a_channel_never_observed_is_noted():
    with pytest.warns(DataWarning, match="never observed: 'b'"):
        from_nested(pd.DataFrame({"a": [[1.0]], "b": [[np.nan]]}))


@pytest.mark.parametrize(
    ("frame", "code", "said"),
    [
        ({"a": A, "b": [B[0], B[1][:2]]}, "ragged", "2 steps here, but 3 in 'a' .*row 1"),
        ({"a": [[1.0], None]}, "null_sequence", "sequence is missing .*row 1"),
        ({"a": A, "age": [50, 60]}, "no_sequence", r"there is a int .*say static=\['age'\]"),
        ({"a": [[1.0], ["x"]]}, "no_number", "series 1"),
        ({"a": [[1.0], [2.0, np.inf]]}, "infinite", "series 1, row 1, column 'a'"),
        ({"a": [[1e38], [2.0]]}, "overflow_float32", "series 0, row 0"),
        ({"a": [np.zeros((2, 2))]}, "shape", r"shape \(2, 2\)"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_place(frame, code, said):
    with pytest.raises(DataError, match=said) as caught:
        from_nested(pd.DataFrame(frame))
    assert caught.value.code == code


def test_ragged_lists_and_missing_lists_are_refused():
    with pytest.raises(DataError, match=r"3 channels, but the first has 2 .*series 1"):
        from_nested(pa.array([[[1, 2]], [[1, 2, 3]]]))
    with pytest.raises(DataError, match="sequence is missing"):
        from_nested(pa.array([[1.0], None]))
    with pytest.raises(DataError, match="there is a int"):
        from_nested(pa.array([1, 2]))
    with pytest.raises(DataError, match="The lists hold struct"):
        from_nested(pa.array([[{"a": 1}]]))
    with pytest.raises(DataError, match="The lists hold list"):
        from_nested(pa.array([[[[1]]]]))
    with pytest.raises(DataError, match="x is read as numbers, but text came"):
        from_nested(pa.array([["a"]]))
    with pytest.raises(DataError, match="no records"):
        from_nested(pa.array([], pa.list_(pa.float64())))


def test_arrays_are_read_elsewhere():
    with pytest.raises(OptionError, match="from_arrays"):
        from_nested([np.zeros((2, 3))])
    with pytest.raises(OptionError, match="give y instead"):
        from_nested(pa.array(A), target="y")
    with pytest.raises(DataError, match="A object came"):
        from_nested(object())
