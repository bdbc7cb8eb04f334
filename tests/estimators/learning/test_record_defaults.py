"""What is done to records where the user says nothing."""

import numpy as np
import pytest

from recurra import Classifier, Training, load
from recurra.data import (
    Encode,
    Fill,
    Gaps,
    Grams,
    Indicators,
    Scale,
    SequenceDataset,
    SinceObserved,
    Stream,
    Vocabulary,
    from_arrays,
    from_tokens,
)
from recurra.data.batching import Batches
from recurra.errors import OptionError
from recurra.estimators.learning.record_defaults import (
    choose_fronts,
    default_training,
    default_treatments,
    share_held,
    text_training,
)
from recurra.models import Front

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
    assert default_treatments(data, False)[:2] == [Encode(), Grams(longest=4)]


def test_words_get_their_beginnings_and_labels_of_steps_need_no_n_grams():
    words = from_tokens([["so", "it"]], y=["up"])
    assert default_treatments(words, False) == [Grams(longest=2, beginnings=(4, 6))]
    tagged = from_tokens([["so", "it"]], y=[["a", "b"]])
    assert default_treatments(tagged, False) == [Vocabulary()]


@pytest.mark.parametrize("records", [1, 2, 17, 33, 97, 641, 1000])
def test_no_batch_of_texts_has_a_single_record(records):
    sizes = [
        len(each) for each in Batches(np.ones(records, int), text_training(records).batch_size)
    ]
    assert max(sizes) <= 48
    assert records == 1 or min(sizes) > 1


def test_training_grows_with_the_data_within_bounds():
    assert default_training(20).steps == 300
    assert default_training(100_000).steps == 6000


@pytest.mark.parametrize("records", [1, 2, 17, 33, 97, 641, 1000])
def test_no_batch_has_a_single_record(records):
    size = default_training(records).batch_size
    sizes = [len(batch) for batch in Batches(np.ones(records, int), size)]
    assert max(sizes) <= 96
    assert records == 1 or min(sizes) > 1


def test_few_records_are_all_learned_from_and_of_many_some_thousand_are_held_back():
    assert share_held(499) == 0.0
    assert share_held(500) == 0.15
    assert share_held(100_000) * 100_000 == pytest.approx(2000)
    X = [[float(k)] for k in range(200)]
    y = [k % 2 for k in range(200)]
    data = from_arrays(X, y, target_for="record")
    assert Classifier()._parted(data)[1] is None
    assert len(Classifier(validation=0.1)._parted(data)[1]) == 20


# ---------------------------------------------------------------------- convolutions


def series(*lengths, times=None, answers="record"):
    X = [np.arange(n, dtype=float) for n in lengths]
    y = ["a", "b"] * (len(lengths) // 2)
    if answers == "step":
        y = [np.zeros(n, int) for n in lengths]
    return from_arrays(X, y, times=times, target_for=answers)


def test_series_get_convolutions_beside_the_layer():
    (front,) = choose_fronts(series(8, 8), False, True).values()
    assert front == Front(beside=True)


def test_long_series_get_convolutions_with_a_stride_before_the_layer():
    assert choose_fronts(series(256, 256), False, True)["x"] == Front(beside=True)
    assert choose_fronts(series(257, 257), False, True)["x"] == Front(stride=4)
    assert choose_fronts(series(784, 784), False, True)["x"] == Front(stride=8)


def test_short_or_uneven_series_and_numbers_to_learn_get_no_convolutions():
    assert choose_fronts(series(7, 7), False, True) == {}
    uneven = [np.arange(9.0) ** 2] * 2
    assert choose_fronts(series(9, 9, times=uneven), False, True) == {}
    numbers = from_arrays([np.zeros(9)] * 2, [0.5, 1.5], target_for="record")
    assert choose_fronts(numbers, False, True) == {}


def test_convolutions_that_are_asked_for_are_there_and_keep_a_step_for_each_answer():
    assert choose_fronts(series(7, 7), False, False)["x"] == Front(beside=True)
    assert choose_fronts(series(784, 784, answers="step"), False, False)["x"] == Front()


def test_streams_that_are_read_as_one_share_their_convolutions():
    assert list(choose_fronts(series(8, 8), True, True)) == ["all"]


def test_options_of_convolutions_are_checked():
    X, y = [np.arange(9.0)] * 4, ["a", "b"] * 2
    with pytest.raises(OptionError, match="front='conv'"):
        Classifier(front="conv").fit(X, y)
    with pytest.raises(OptionError, match="skip='yes'"):
        Classifier(skip="yes").fit(X, y)
    with pytest.raises(OptionError, match="front=None"):
        Classifier("grud", front="convolution").fit(X, y)


def test_a_classifier_with_convolutions_is_saved_whole(tmp_path):
    random = np.random.default_rng(0)
    X, y = random.normal(size=(12, 300, 2)), [0, 1] * 6
    model = Classifier(hidden_size=4, training=Training(steps=3)).fit(X, y)
    assert model.network_.plan.fronts == {"x": Front(stride=4)}
    model.save(tmp_path / "m.recurra")
    again = load(tmp_path / "m.recurra")
    assert again.network_.plan == model.network_.plan
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_a_classifier_without_convolutions_has_none():
    X, y = [np.arange(9.0)] * 4, ["a", "b"] * 2
    model = Classifier(hidden_size=4, front=None, training=Training(steps=1)).fit(X, y)
    assert not model.network_.plan.fronts
    assert not model.network_.plan.skip


def test_sound_is_read_as_mel_bands_and_slower_signals_as_they_are():
    random = np.random.default_rng(0)
    parts = {
        "sound": Stream(
            random.normal(size=(8000, 1)),
            np.array([0, 4000, 8000]),
            ("mono",),
            kind="signal",
            rate=8000.0,
        ),
        "heart": Stream(
            random.normal(size=(200, 1)),
            np.array([0, 100, 200]),
            ("lead",),
            kind="signal",
            rate=100.0,
        ),
    }
    chosen = default_treatments(SequenceDataset(("a", "b"), parts), decays=False)
    assert [(type(each).__name__, each.stream) for each in chosen] == [
        ("LogMel", "sound"),
        ("Scale", "sound"),
    ]
