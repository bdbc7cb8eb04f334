"""Arrays of every shape become a data set, or one error that says where."""

import numpy as np
import pytest

from recurra.data import from_arrays
from recurra.errors import DataError, OptionError

NAN = float("nan")


def test_padding_of_one_array_is_left_out():
    X = np.array([[[1.0, 2], [3, NAN], [NAN, NAN]], [[NAN, NAN]] * 3, [[5, 6], [NAN, NAN], [7, 8]]])
    data = from_arrays(X)
    assert data.lengths.tolist() == [2, 0, 3]
    assert data.stream.mask.tolist()[:2] == [[True, True], [True, False]]
    assert not data.stream.mask[3].any()


def test_channels_first_must_be_said():
    X = np.arange(6.0).reshape(1, 2, 3)
    assert from_arrays(X, layout="nct").stream.values.shape == (3, 2)
    assert from_arrays([X[0]], layout="nct").stream.values.tolist() == X[0].T.tolist()


def test_small_types_stay_what_they_are():
    data = from_arrays([np.array([1, 2], np.int16), np.array([3], np.int16)])
    assert data.stream.values.dtype == np.int16
    assert from_arrays([np.float32([1, 2])]).stream.values.dtype == np.float32


def test_streams_have_their_own_clocks():
    X = {"a": [[1.0, 2.0], [3.0]], "b": [[[1.0, 2.0]], np.zeros((0, 2))]}
    data = from_arrays(X, times={"a": [[0.5, 0.7], [9.0]]}, channels={"b": ["p", "q"]})
    assert data.streams["a"].clock == "number"
    assert data.streams["b"].clock == "step"
    assert data.streams["b"].channels == ("p", "q")
    assert data.streams["b"].lengths.tolist() == [1, 0]


def test_calendar_times_are_nanoseconds():
    stamps = [np.array(["2024-01-01", "2024-01-03"], "M8[D]")]
    stream = from_arrays([[1.0, 2.0]], times=stamps).stream
    assert stream.clock == "calendar"
    assert stream.gaps.tolist() == [0, 2 * 86400]


def test_flags_and_text_are_labels_and_floats_are_numbers():
    assert from_arrays([[1.0]] * 2, [True, False]).target.classes == (False, True)
    assert from_arrays([[1.0]] * 2, ["b", None]).target.values.ravel().tolist() == [0, -1]
    assert from_arrays([[1.0]] * 2, [0.5, NAN]).target.classes == ()


def test_a_list_for_each_record_is_read_step_by_step_or_as_a_transcript():
    steps = from_arrays([[1.0, 2.0], [3.0]], [["n", "v"], ["n"]]).target
    assert (steps.level, steps.stream, steps.classes) == ("step", "x", ("n", "v"))
    labels = from_arrays([[1.0, 2.0, 3.0], [3.0, 4.0]], [["a"], ["b", "a", "c"]]).target
    assert (labels.level, labels.offsets.tolist()) == ("labels", [0, 1, 4])


def test_several_outputs():
    target = from_arrays([[1.0]] * 2, [[0.5, 1.0], [NAN, 2.0]]).target
    assert target.outputs == ("y0", "y1")
    assert target.observed.tolist() == [[True, True], [False, True]]


@pytest.mark.parametrize(
    ("X", "how", "code", "said"),
    [
        ([], {}, "empty", "There are no records"),
        (np.zeros((0, 3, 1)), {}, "empty", "There are no records"),
        (np.zeros((3, 2)), {}, "shape", "Use X[:, :, None]"),
        ("abc", {}, "shape", "a str came"),
        ([[[1, 2], [3]]], {}, "ragged", "row 1 has 1, row 0 has 2 (series 0, row 1)"),
        ([[1.0], [[1.0, 2.0]]], {}, "channel_count", "The record has 2 channels"),
        ([[1.0], [1.0, float("inf")]], {}, "infinite", "series 1, row 1, column 'x0', value inf"),
        ([[1e38]], {}, "overflow_float32", "past 1e+30"),
        ([["a"]], {}, "no_number", "x is read as numbers"),
        ([[1 + 2j]], {}, "no_number", "complex numbers came"),
        ([[None, 2.0], [{}, 1]], {}, "no_number", "dict came (series 1, row 0"),
        ([[1.0]], {"y": [1, 2]}, "target_count", "There are 1 records, but y has 2 rows"),
        ([[1.0]], {"weights": [-1]}, "weight", "not negative"),
        ([[1.0]], {"weights": [0]}, "weight", "All weights are zero"),
        ([[1.0]], {"weights": [NAN]}, "weight", "not negative"),
        ([[1.0]], {"weights": [1, 2]}, "weight_count", "weights has shape (2,)"),
        ([[1.0, 2.0]], {"times": [[1.0]]}, "time_count", "one stamp for each step"),
        ([[1.0, 2.0]], {"times": [[2.0, 1.0]]}, "unsorted_time", "earlier than the one before"),
        ([[1.0, 2.0]], {"times": [[NAN, 1.0]]}, "null_time", "A time stamp is missing"),
        ([[1.0]], {"y": [float("inf")]}, "infinite", "A target is infinite"),
        ([[1.0], [2.0]], {"y": ["a", 3]}, "mixed_labels", "labels of different types"),
        ([[1.0]], {"static": [[1.0], [2.0]]}, "shape", "static has shape (2, 1)"),
    ],
)
def test_bad_input_gets_one_error_that_says_where(X, how, code, said):
    with pytest.raises(DataError) as caught:
        from_arrays(X, **how)
    assert caught.value.code == code
    assert said in str(caught.value)


def test_options_that_do_not_go_together():
    with pytest.raises(OptionError, match="layout='cnt'"):
        from_arrays([[1.0]], layout="cnt")
    with pytest.raises(OptionError, match="There are 1 channels"):
        from_arrays([[1.0]], channels=["a", "b"])
