import numpy as np
import pandas as pd
import pytest
import torch

from recurra.data.reading.answers import read_target
from recurra.data.reading.arrays import from_arrays
from recurra.data.reading.flat import from_flat
from recurra.data.reading.tokens import from_tokens
from recurra.errors import DataError, OptionError

NAN = float("nan")
LENGTHS = np.array([2, 2])


def target(y, target_for=None, lengths=LENGTHS):
    return read_target(y, ("ann", "bob"), "y", "x", lengths, target_for)


@pytest.mark.parametrize(
    ("y", "target_for", "level", "shape"),
    [
        ([1, 0], None, "record", (2, 1)),
        (pd.Series([1, 0], index=[7, 9]), None, "record", (2, 1)),
        (pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}), None, "record", (2, 2)),
        (torch.tensor([[1.0], [2.0]]), None, "record", (2, 1)),
        (np.array([[1, 2], [3, 4]]), None, "record", (2, 2)),
        ([["up"], ["down"]], None, "record", (2, 1)),
        ([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], None, "record", (2, 3)),
        ([[1, 2], [3, 4]], "record", "record", (2, 2)),
        ([["a", "b"], ["c", "d"]], "record", "record", (2, 2)),
        ([[1, 2], [3, 4]], "step", "step", (4, 1)),
        (np.array([[1, 2], [3, 4]]), "step", "step", (4, 1)),
        ([["a", "b"], ["c", "d"]], None, "step", (4, 1)),
        ([["a", "b"], ["c"]], None, "labels", (3, 1)),
        ([["a", "b", "c"], ["d", "e", "f"]], None, "labels", (6, 1)),
        ([["a", "b"], ["c", "d"]], "labels", "labels", (4, 1)),
    ],
)
def test_what_several_in_a_row_are(y, target_for, level, shape):
    read = target(y, target_for)
    assert (read.level, read.values.shape) == (level, shape)


def test_numbers_that_may_be_outputs_or_steps_are_not_guessed():
    with pytest.raises(OptionError, match=r"2 numbers for each record, and each record has 2 ste"):
        target([[1, 2], [3, 4]])


@pytest.mark.parametrize("read", [from_arrays, from_tokens])
def test_readers_are_told_what_they_are(read):
    given = [["a", "b"], ["c", "d"]] if read is from_tokens else [[1.0, 2.0], [3.0, 4.0]]
    assert read(given, y=[[1, 2], [3, 4]], target_for="step").target.level == "step"
    flat = from_flat([1.0, 2.0, 3.0, 4.0], [0, 2, 4], target=[[1, 2], [3, 4]], target_for="record")
    assert flat.target.outputs == ("y0", "y1")


@pytest.mark.parametrize(
    ("y", "target_for", "code", "said"),
    [
        (3, None, "target_count", "a int came"),
        ("ab", None, "target_count", "a str came"),
        (np.zeros((1, 2)), None, "target_count", r"Use y\.T"),
        ([1, 2, 3], None, "target_count", "2 records, but y has 3 rows"),
        ([[1, 2], [3]], "record", "ragged", "'bob'"),
        ([[1, 2], [3]], "step", "target_length", "1 values for a record of 2 steps .*'bob'"),
        ([[1, [2]], [3, 4]], "step", "shape", "a list came .*'ann'"),
        ([1, "a"], None, "mixed_labels", "different types.*'bob', row 1, value 'a'"),
        (["a", 1], None, "mixed_labels", "different types.*'bob', row 1, value 1"),
        ([b"a", b"b"], None, "mixed_labels", "no label.*'ann'"),
        ([1j, 2j], None, "mixed_labels", "no label.*'ann'"),
        ([1.0, float("inf")], None, "infinite", "'bob', row 1, column 'y', value inf"),
        ([1.0, 1e31], None, "overflow_float32", "'bob', row 1"),
        ([[], []], None, "empty", "no values"),
    ],
)
def test_targets_that_cannot_be_read_are_refused_by_place(y, target_for, code, said):
    with pytest.raises(DataError, match=said) as caught:
        target(y, target_for)
    assert caught.value.code == code


@pytest.mark.parametrize("y", [[None, "a"], [NAN, 1.0], [pd.NA, 1], pd.array([None, 1], "Int64")])
def test_what_is_unknown_is_not_observed(y):
    assert target(y).observed.ravel().tolist() == [False, True]
