import numpy as np
import pandas as pd
import pytest

from recurra.data.reading.tokens import from_tokens
from recurra.errors import DataError, OptionError


def fault(records, vocabulary=None, kind=DataError, **options):
    with pytest.raises(kind) as caught:
        from_tokens(records, vocabulary, **options)
    return caught.value


def test_numbers_are_places_in_the_vocabulary():
    data = from_tokens([[2, np.int8(0)], [], np.array([1], np.uint8)], ["a", "b", "c"])
    stream = data.stream
    assert (stream.kind, stream.values.dtype) == ("tokens", np.int32)
    assert stream.lengths.tolist() == [2, 0, 1]
    assert stream.values.ravel().tolist() == [2, 0, 1]
    assert stream.categories == {"token": ("a", "b", "c")}
    assert from_tokens([[1]], 3).stream.categories == {"token": (0, 1, 2)}


def test_words_parted_already_find_their_places():
    data = from_tokens([("b", "a"), [], ["b"]], ids=["x", "y", "z"])
    assert data.ids == ("x", "y", "z")
    assert data.stream.categories == {"token": ("a", "b")}
    assert data.stream.values.ravel().tolist() == [1, 0, 1]
    data = from_tokens([np.array(["b", "a"])])
    assert [type(word) for word in data.stream.categories["token"]] == [str, str]
    data = from_tokens(pd.Series([["b", "a"]]), ["b", "?", "a"])
    assert data.stream.values.ravel().tolist() == [0, 2]


def test_each_token_may_have_a_label():
    data = from_tokens([["the", "cat"], ["sat"]], y=[["DET", "NOUN"], ["VERB"]])
    assert (data.target.level, data.target.stream) == ("step", "text")
    assert data.target.values.ravel().tolist() == [0, 1, 2]


@pytest.mark.parametrize("value", [-1, 3, 2**40, -(2**62)])
@pytest.mark.parametrize("kind", [list, np.array])
def test_a_number_that_is_no_place_is_refused_with_record_and_row(value, kind):
    found = fault([[], kind([0, 1]), kind([2, value])], ["a", "b", "c"], ids=["x", "y", "z"])
    assert (found.code, found.record, found.row, found.value) == ("token_range", "z", 1, value)
    assert "0 to 2" in str(found)


def test_a_word_that_is_not_in_the_vocabulary_is_refused_with_record_and_row():
    found = fault([["a"], ["a", "x", "y"]], ["a", "b"])
    assert (found.code, found.record, found.row, found.value) == ("unknown_token", 1, 1, "x")
    assert "1 others" in str(found)


@pytest.mark.parametrize(
    ("records", "record", "row"),
    [
        ([[0, 1], [0.5]], 1, 0),
        ([[True, False]], 0, 0),
        ([["a", 3]], 0, 1),
        ([["a", None]], 0, 1),
        ([["a"], [1]], 1, 0),
        ([[1], ["a"]], 1, 0),
        ([[None, None]], 0, 0),
        ([np.array([0.0, np.nan])], 0, 0),
        ([[1, None]], 0, 0),
        ([[1, 2.5]], 0, 0),
    ],
)
def test_what_is_neither_text_nor_a_whole_number_is_refused(records, record, row):
    found = fault(records, 5 if records[0][0] in (0, 1) else None)
    assert (found.code, found.record, found.row) == ("mixed_tokens", record, row)


@pytest.mark.parametrize("records", [["a text"], [[0], 1], [np.zeros((2, 2), int)]])
def test_a_record_that_is_no_list_is_refused(records):
    assert fault(records, 5).code == "shape"


@pytest.mark.parametrize(
    ("records", "vocabulary"),
    [
        ([[0]], None),
        ([[0]], "abc"),
        ([[0]], True),
        ([[0]], -1),
        ([[0]], {"a": 0}),
        ([["a"]], {"a", "b"}),
        (5, 3),
        ("ab", 3),
        ([[0]], ["a", "a"]),
        ([["a"]], 3),
        ([["a"]], "a"),
    ],
)
def test_a_vocabulary_that_cannot_be_is_refused(records, vocabulary):
    fault(records, vocabulary, OptionError)


def test_nothing_is_refused():
    assert fault([]).code == "empty"
    fault([[0]], 2, OptionError, ids=[1, 2])
