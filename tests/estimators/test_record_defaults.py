"""What is done to records where the user says nothing."""

import numpy as np

from recurra.data import (
    Encode,
    Fill,
    Gaps,
    Indicators,
    Scale,
    SequenceDataset,
    SinceObserved,
    Stream,
    Vocabulary,
    from_arrays,
)
from recurra.estimators.record_defaults import default_training, default_treatments

NAN = float("nan")


def test_complete_numbers_are_scaled_and_filled_if_one_is_missing_later():
    assert default_treatments(from_arrays([[1.0, 2.0], [3.0]]), False) == [Scale(), Fill()]


def test_holes_are_filled_and_told():
    data = from_arrays([[1.0, NAN], [3.0]])
    expected = [Scale(), Fill("forward"), Indicators(), SinceObserved()]
    assert default_treatments(data, False) == expected
    assert default_treatments(data, True) == [Scale()]


def test_values_far_out_are_scaled_by_rank():
    random = np.random.default_rng(0)
    record = random.normal(size=(200, 2))
    record[7, 1] = 1e4
    first = default_treatments(from_arrays([record]), False)[0]
    assert first == Scale("quantile", channels=["x1"])


def test_uneven_clocks_are_read():
    even, uneven = [[0.0, 1.0, 2.0]], [[0.0, 1.0, 5.0]]
    assert default_treatments(from_arrays([[1.0] * 3], times=even), False) == [Scale(), Fill()]
    chosen = default_treatments(from_arrays([[1.0] * 3], times=uneven), False)
    assert chosen == [Scale(), Fill(), Gaps(stream="x")]


def test_labels_and_tokens_become_codes():
    offsets = np.array([0, 2])
    colours = Stream(np.array([[0.0], [1.0]]), offsets, ("c",), categories={"c": ("a", "b")})
    words = Stream(np.array([[0], [1]]), offsets, ("w",), "tokens", categories={"w": ("a", "b")})
    data = SequenceDataset((0,), {"colours": colours, "words": words})
    assert default_treatments(data, False)[:2] == [Encode(), Vocabulary()]


def test_training_grows_with_the_data_within_bounds():
    assert default_training(20).steps == 300
    assert default_training(20).batch_size == 16
    assert default_training(100_000).steps == 3000
