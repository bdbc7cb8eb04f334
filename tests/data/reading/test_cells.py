import numpy as np
import pandas as pd
import pytest

from recurra.data.reading.cells import numbered, read_answers, read_column
from recurra.data.tables.places import Places
from recurra.errors import DataError, OptionError


def read(values, **how):
    column = values if isinstance(values, pd.Series) else pd.Series(values)
    return read_column(column, "x", Places(pd.Series(range(len(column)))), **how)


def answers(values, kind=None):
    column = pd.Series(values)
    return read_answers(column, "y", Places(pd.Series(range(len(column)))), kind)


def test_categories_declared_keep_their_order_even_if_unused():
    column = read(pd.Series(pd.Categorical(["lo", None, "hi"], ["hi", "mid", "lo"])))
    np.testing.assert_array_equal(column.values, [2, np.nan, 0])
    assert column.categories == ("hi", "mid", "lo")
    assert [column.show(row) for row in (0, 2)] == ["lo", "hi"]


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["b", "a", None], ("a", "b")),
        ([3.0, 1.0, np.nan], (1, 3)),
        ([3, 1, 3], (1, 3)),
        (["10", "9", "x"], ("10", "9", "x")),
        ([True, False, True], (False, True)),
        ([0.5, 1.5, np.nan], (0.5, 1.5)),
    ],
)
def test_labels_are_sorted_and_whole_numbers_are_integers(values, labels):
    column = read(values, categorical=True)
    assert column.categories == labels
    assert [type(each) for each in column.categories] == [type(each) for each in labels]


def test_a_column_of_nothing_holds_missing_numbers():
    for values in ([None, None], [np.nan, np.nan], pd.Series([None, None], dtype="str")):
        column = read(values)
        assert column.categories is None
        assert np.isnan(column.values).all()


@pytest.mark.parametrize(
    ("values", "classes", "codes"),
    [
        ([0, 1, 0], (0, 1), [0, 1, 0]),
        ([True, False, True], (False, True), [1, 0, 1]),
        (["v", None, "u"], ("u", "v"), [1, -1, 0]),
        (pd.array([1, None, 2], "Int64"), (1, 2), [0, -1, 1]),
        (pd.Categorical(["b", "a", "b"]), ("a", "b"), [1, 0, 1]),
    ],
)
def test_text_flags_and_integers_are_classes(values, classes, codes):
    target = answers(values)
    assert (target.classes, target.values.ravel().tolist()) == (classes, codes)


def test_floats_are_numbers_and_either_may_be_said():
    assert answers([0.0, 1.0]).classes == ()
    assert answers([0.0, 1.0, np.nan], "classes").classes == (0, 1)
    assert answers([0, 1], "numbers").classes == ()
    with pytest.raises(OptionError, match="'classes' or 'numbers'"):
        answers([0, 1], "labels")
    with pytest.raises(DataError, match="row 1, column 'y'"):
        answers([0, "a"], "numbers")


def test_cells_that_cannot_be_names_are_refused_by_row():
    with pytest.raises(DataError, match=r"a set .*row 1, column 'who'"):
        numbered(pd.Series(["a", {1}], dtype=object), "who")
