import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data.batching import pad
from recurra.data.sequences import Stream
from recurra.errors import DataError, OptionError
from recurra.testing import datasets


def stream(values, counts, **more):
    values = np.asarray(values)
    values = values[:, None] if values.ndim == 1 else values
    names = tuple(f"x{k}" for k in range(values.shape[-1]))
    return Stream(values, np.concatenate([[0], np.cumsum(counts)]), names, **more)


# Laws --------------------------------------------------------------------------------------


@given(datasets(max_records=6), st.data())
@settings(max_examples=80, deadline=None)
def test_padding_of_any_side_round_trips_to_the_records(data, drawn):
    given = data.streams["x0"]
    places = drawn.draw(st.lists(st.integers(0, len(data) - 1), max_size=8))
    side = drawn.draw(st.sampled_from(["right", "left"]))
    steps = drawn.draw(st.sampled_from([None, 8, 11]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        padded = pad(given, places, side=side, steps=steps, dtype=np.float64)
    there = padded.there
    assert len(padded) == len(places)
    assert steps is None or there.shape[1] == steps
    np.testing.assert_array_equal(there.sum(1), given.lengths[places])
    for row, place in enumerate(places):
        values, observed, times = given.at(place)
        seen, own = padded.observed[row, there[row]], padded.values[row, there[row]]
        np.testing.assert_array_equal(seen, observed & ~np.isnan(values))
        np.testing.assert_array_equal(own[seen], values[seen])
        origin = times[0] if given.clock == "calendar" and len(times) else 0
        scale = 1e9 if given.clock == "calendar" else 1
        np.testing.assert_array_equal(padded.times[row, there[row]], (times - origin) / scale)


@given(datasets(max_records=6), st.sampled_from(["right", "left"]))
@settings(max_examples=60, deadline=None)
def test_no_nan_is_left_and_padding_is_zero_and_unobserved(data, side):
    padded = pad(data.streams["x0"], np.arange(len(data)), side=side)
    assert np.isfinite(padded.values).all()
    assert not padded.values[~padded.there].any()
    assert not padded.observed[~padded.there].any()
    assert not padded.times[~padded.there].any()


@given(datasets(max_records=6), st.integers(0, 5))
@settings(max_examples=50, deadline=None)
def test_neighbours_in_the_batch_change_nothing(data, place):
    place = min(place, len(data) - 1)
    given = data.streams["x0"]
    alone, among = pad(given, [place]), pad(given, np.arange(len(data)))
    steps = len(alone.times[0])
    np.testing.assert_array_equal(among.values[place, :steps], alone.values[0])
    np.testing.assert_array_equal(among.times[place, :steps], alone.times[0])


# What becomes of the values ----------------------------------------------------------------


def test_nan_becomes_an_unobserved_zero_and_a_filled_value_stays():
    given = stream([1.0, np.nan, 3.0], [3], observed=np.array([[True], [True], [False]]))
    padded = pad(given, [0])
    np.testing.assert_array_equal(padded.values.ravel(), [1, 0, 3])
    np.testing.assert_array_equal(padded.observed.ravel(), [True, False, False])
    assert np.isnan(given.values[1, 0])
    np.testing.assert_array_equal(given.observed.ravel(), [True, True, False])


def test_an_infinity_that_passes_for_observed_is_refused_where_it_stands():
    given = stream([[1.0, 2.0], [1.0, 3.0], [5.0, -np.inf]], [1, 2])
    with pytest.raises(DataError, match="place 1 is infinite") as caught:
        pad(given, [1])
    assert (caught.value.row, caught.value.column, caught.value.value) == (1, "x1", -np.inf)
    assert pad(given, [0]).values.ravel().tolist() == [1, 2]
    hidden = np.array([[True, True], [True, True], [True, False]])
    assert pad(stream(given.values, [1, 2], observed=hidden), [1]).values[0, 1, 1] == 0


def test_codes_are_int64_that_can_be_looked_up():
    seen = np.array([[True], [False], [False], [True]])
    sizes = {"x0": ("a", "b", "c")}
    given = stream([2.0, np.nan, -9.75e29, 1.0], [4], observed=seen, categories=sizes)
    padded = pad(given, [0], steps=5)
    assert padded.values.dtype == np.int64
    assert padded.values.ravel().tolist() == [2, 0, 0, 1, 0]
    filled = stream([2, 1], [2], observed=np.array([[True], [False]]), categories=sizes)
    assert pad(filled, [0]).values.ravel().tolist() == [2, 1]
    tokens = stream(np.array([7, 9]), [2], kind="tokens")
    assert pad(tokens, [0]).values.dtype == np.int64


def test_categories_beside_numbers_stay_codes_of_the_number_type():
    given = stream([[0.5, 2.0]], [1], categories={"x1": ("a", "b", "c")})
    padded = pad(given, [0])
    assert padded.values.dtype == np.float32
    assert padded.values.tolist() == [[[0.5, 2.0]]]


def test_integer_signals_and_frames_are_scaled_by_their_type():
    signal = stream(np.array([-(2**15), 0, 2**14], np.int16), [3], kind="signal", rate=8000.0)
    padded = pad(signal, [0])
    assert padded.values.ravel().tolist() == [-1.0, 0.0, 0.5]
    np.testing.assert_allclose(padded.times.ravel(), [0, 1 / 8000, 2 / 8000])
    counts = stream(np.array([4], np.int16), [1])
    assert pad(counts, [0]).values.item() == 4
    frames = Stream(np.full((2, 2, 2, 1), 255, np.uint8), np.array([0, 2]), ("grey",), "frames")
    padded = pad(frames, [0], steps=3)
    assert padded.values.shape == (1, 3, 2, 2, 1)
    assert padded.observed.shape == (1, 3, 1)
    assert padded.values[0, 0].tolist() == [[[1.0], [1.0]], [[1.0], [1.0]]]
    assert padded.values.dtype == np.float32


def test_a_frame_with_nan_is_not_observed():
    frames = np.zeros((2, 1, 2, 1), np.float32)
    frames[1, 0, 1] = np.nan
    padded = pad(Stream(frames, np.array([0, 2]), ("grey",), "frames"), [0])
    assert padded.observed.ravel().tolist() == [True, False]
    assert not padded.values.any()


def test_nanoseconds_are_subtracted_before_they_are_rounded():
    stamps = np.array([1_700_000_000_000_000_000, 1_700_000_000_000_000_007])
    given = stream([1.0, 2.0], [2], times=stamps, clock="calendar")
    assert pad(given, [0]).times.tolist() == [[0.0, 7e-9]]
    assert pad(given, [0], origins=[stamps[0] - 10**9]).times[0, 0] == 1.0


# Records within records --------------------------------------------------------------------


def test_sentences_of_documents_are_padded_and_their_places_told():
    words = stream(np.arange(6), [2, 1, 3], kind="tokens")
    pages = Stream(np.zeros((3, 0)), np.array([0, 1, 1, 3]), (), "records", inner=words)
    padded = pad(pages, [2, 1, 0])
    assert padded.lengths.tolist() == [2, 0, 1]
    assert padded.values[..., 0].tolist() == [[0, 1], [0, 0], [2, 0]]
    assert padded.observed[..., 0].tolist() == [[True, True], [False, False], [True, False]]
    assert padded.inner.values[..., 0].tolist() == [[2, 0, 0], [3, 4, 5], [0, 1, 0]]
    left = pad(pages, [2], side="left").inner
    assert left.values[..., 0].tolist() == [[0, 0, 2], [3, 4, 5]]


def test_records_within_a_record_share_its_origin():
    stamps = np.array([50, 60, 20, 30]) * 10**9
    inner = stream(np.zeros(4), [2, 2], times=stamps, clock="calendar")
    outer = Stream(np.zeros((2, 0)), np.array([0, 2, 2]), (), "records", inner=inner)
    padded = pad(outer, [0, 1])
    assert padded.inner.times.tolist() == [[30.0, 40.0], [0.0, 10.0]]
    assert padded.times.tolist() == [[0.0, 1.0], [0.0, 0.0]]


# Edges and wrong arguments -----------------------------------------------------------------


def test_empty_records_and_an_empty_batch_have_their_shapes():
    given = stream([1.0], [0, 1, 0])
    assert pad(given, [0, 2]).values.shape == (2, 0, 1)
    assert pad(given, []).values.shape == (0, 0, 1)
    assert pad(given, [0], steps=3).values.shape == (1, 3, 1)


def test_a_repr_says_how_much_is_padding():
    assert repr(pad(stream([1.0, 2.0, 3.0], [2, 1]), [0, 1])) == (
        "Padded((2, 2, 1), 25.0 % padding on the right)"
    )


@pytest.mark.parametrize(
    ("places", "options", "message"),
    [
        ([2], {}, "There is no place 2"),
        ([-1], {}, "There is no place -1"),
        ([0.0], {}, "a list of integers"),
        ([[0]], {}, "a list of integers"),
        ([0], {"steps": -1}, "steps=-1"),
        ([0], {"steps": 1}, "a record has 2 steps"),
        ([0], {"side": "middle"}, "'right' or 'left'"),
        ([0], {"dtype": np.float16}, "float32 or float64"),
        ([0], {"origins": [1, 2]}, "origins has shape"),
    ],
)
def test_wrong_arguments_are_named(places, options, message):
    with pytest.raises(OptionError, match=message):
        pad(stream([1.0, 2.0, 3.0], [2, 1]), places, **options)


def test_a_data_set_is_sent_to_its_own_function():
    with pytest.raises(OptionError, match="pad_records"):
        pad([[1.0]], [0])
