"""Scales, against scikit-learn and by hand."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import preprocessing

from recurra.data.reading.arrays import from_arrays
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.treatments import Fill, Preprocessor, Scale
from recurra.data.treatments.scaling import SCALE_METHODS
from recurra.errors import DataError, DataWarning, OptionError

nan = float("nan")
ANY = tuple(method for method in SCALE_METHODS if method != "boxcox")
"""Those that take any numbers, not positive ones alone."""


def skewed(seed: int = 0, rows: int = 2000) -> np.ndarray:
    chance = np.random.default_rng(seed)
    return np.column_stack(
        [chance.normal(5, 3, rows), chance.gamma(2.0, 4.0, rows), chance.normal(size=rows) ** 3]
    )


def scaled(method: str, train: np.ndarray, later: np.ndarray | None = None) -> np.ndarray:
    scale = Scale(method)
    learned = scale.learn(from_arrays([train]))
    return scale.apply(from_arrays([train if later is None else later]), learned).stream.values


@pytest.mark.parametrize(
    ("method", "oracle"),
    [
        ("standard", preprocessing.StandardScaler()),
        ("robust", preprocessing.RobustScaler()),
        ("minmax", preprocessing.MinMaxScaler()),
    ],
)
def test_linear_scales_are_those_of_scikit_learn_with_holes_and_beyond_the_range(method, oracle):
    train, later = skewed(), 5 * skewed(1)
    train[::7, 1] = nan
    oracle.fit(train)
    assert np.allclose(scaled(method, train), oracle.transform(train), 1e-10, equal_nan=True)
    assert np.allclose(scaled(method, train, later), oracle.transform(later), 1e-10)


def test_the_power_is_that_of_scikit_learn():
    chance = np.random.default_rng(0)
    train = np.column_stack([chance.weibull(2.0, 2000) - 1, -chance.gamma(20.0, 9.0, 2000)])
    oracle = preprocessing.PowerTransformer().fit(train / train.std(0))
    assert ((oracle.lambdas_ > 0) & (oracle.lambdas_ < 2)).all()
    wanted = oracle.transform(train / train.std(0))
    assert np.allclose(scaled("yeo-johnson", train), wanted, atol=1e-3)


def test_normal_scores_are_those_of_scikit_learn_within_the_range():
    train = skewed(rows=20_000)
    oracle = preprocessing.QuantileTransformer(
        output_distribution="normal", n_quantiles=1000, subsample=None
    )
    wanted, found = oracle.fit_transform(train), scaled("quantile", train)
    middle = np.abs(wanted) < 2.5
    assert np.allclose(found[middle], wanted[middle], atol=0.02)
    assert np.abs(found).max() < 5


@pytest.mark.parametrize("method", ["quantile", "yeo-johnson", "log"])
def test_skewed_values_become_less_skewed(method):
    def skew(x):
        return np.abs((((x - x.mean(0)) / x.std(0)) ** 3).mean(0))

    train = skewed()[:, 1:2]
    assert skew(scaled(method, train)) < 0.5 * skew(train)


def test_logarithms_of_a_unit_next_to_nothing_are_finite():
    train = np.array([[2412739.0], [1.342130252729155e-302], [2.2250738585072014e-308]])
    found = scaled("log", train, np.array([[-2412739.0], [0.0], [2412739.0]]))[:, 0]
    assert np.isfinite(found).all()
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize("method", ANY)
@settings(max_examples=40, deadline=None)
@given(
    train=st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=30),
    later=st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=10),
)
@pytest.mark.filterwarnings("ignore::recurra.errors.DataWarning")
def test_every_number_is_scaled_to_a_finite_one_in_the_same_order(method, train, later):
    found = scaled(method, np.array(train)[:, None], np.sort(later)[:, None])[:, 0]
    assert np.isfinite(found).all()
    assert (np.diff(found) >= -1e-12).all()


@pytest.mark.parametrize("method", ANY)
def test_numbers_far_beyond_the_training_part_come_back(method):
    train = skewed()
    scale = Scale(method)
    learned = scale.learn(from_arrays([train]))
    far = np.array([[-1e3, 1e3, -50.0], [100.0, 200.0, 1e4]])
    there = scale.apply(from_arrays([far]), learned)
    assert np.allclose(scale.undo(there, learned).stream.values, far, 1e-6)


@pytest.mark.parametrize("method", ANY)
def test_wild_predictions_come_back_finite(method):
    scale = Scale(method)
    learned = scale.learn(from_arrays([skewed()]))
    for channel in ("x0", "x1", "x2"):
        back = scale.undo_values(np.array([[-1e6, 1e6], [nan, 0.0]]), learned, channel)
        assert np.isfinite(back[[0, 0, 1], [0, 1, 1]]).all()
        assert np.isnan(back[1, 0])


@pytest.mark.parametrize("method", ANY)
def test_the_unit_of_a_channel_changes_nothing(method):
    train = skewed()
    one, two = scaled(method, train), scaled(method, train * 1e-6)
    assert np.allclose(one, two, atol=1e-3 if method == "yeo-johnson" else 1e-9)


@pytest.mark.parametrize("method", SCALE_METHODS)
def test_a_constant_channel_moves_to_zero_with_a_note(method):
    data = from_arrays([[[3.7, 0.1], [3.7, 0.2], [3.7, 0.3]]], channels=["level", "x"])
    made = Preprocessor([Scale(method)])
    with pytest.warns(DataWarning, match=r"Constant .* 'level'\.$"):
        after = made.fit_transform(data)
    assert after.stream.values[:, 0].tolist() == [0, 0, 0]
    assert any("'level'" in note for note in after.notes)
    later = made.transform(from_arrays([[[4.7, 0.1]]], channels=["level", "x"])).stream.values[0, 0]
    assert 0 < later < 2


@pytest.mark.parametrize("method", SCALE_METHODS)
def test_flags_are_left_alone(method):
    flags = np.array([[0.0], [1.0], [0.0], [0.0]])
    assert np.array_equal(scaled(method, flags), flags)


def test_a_channel_never_observed_is_left_as_it_is_with_a_note():
    data = from_arrays([[[1.0, nan], [2.0, nan]]], channels=["a", "lactate"])
    scale = Scale()
    with pytest.warns(DataWarning, match=r"Never observed .* 'lactate'\.$"):
        learned = scale.learn(data)
    later = from_arrays([[[1.0, 8.0]]], channels=["a", "lactate"])
    assert scale.apply(later, learned).stream.values[0, 1] == 8


def test_filled_values_are_scaled_but_nothing_is_learned_from_them():
    data = from_arrays([[1.0, nan, 3.0]])
    made = Preprocessor([Fill("constant", value=100), Scale("minmax")])
    assert made.fit_transform(data).stream.values.ravel().tolist() == [0, 49.5, 1]


def test_each_record_is_scaled_by_itself():
    data = from_arrays([[1.0, 3.0], [100.0, 300.0, nan], [7.0, 7.0], []])
    scale = Scale("minmax", per="record")
    learned = scale.learn(data)
    after = scale.apply(data, learned)
    assert np.allclose(after.stream.values.ravel(), [0, 1, 0, 1, nan, 0, 0], equal_nan=True)
    back = scale.undo(after, learned, original=data)
    assert np.allclose(back.stream.values, data.stream.values, equal_nan=True)


@pytest.mark.parametrize("method", ["standard", "robust", "minmax"])
def test_scales_of_a_record_are_those_of_a_training_part_of_it_alone(method):
    chance = np.random.default_rng(3)
    records = [chance.normal(3, 9, count) for count in (2, 5, 40)]
    data = from_arrays(records)
    after = Scale(method, per="record").apply(data, Scale(method, per="record").learn(data))
    for i, record in enumerate(records):
        assert np.allclose(after.at(i).streams["x"].values, scaled(method, record[:, None]))


def test_a_record_without_a_spread_takes_that_of_the_training_part():
    scale = Scale("standard", per="record")
    learned = scale.learn(from_arrays([[0.0, 4.0]]))
    later = from_arrays([[[9.0], [9.0]], [[nan], [5.0]]], observed=[[True, True], [False, False]])
    filled = later.with_streams(
        x=Stream(**{**vars(later.stream), "values": np.array([[9.0], [10.0], [2.0], [6.0]])})
    )
    assert scale.apply(filled, learned).stream.values.ravel().tolist() == pytest.approx(
        [-1, 1, 0, 2]
    )


def test_scaling_back_a_record_needs_the_data_of_before():
    data = from_arrays([[1.0, 3.0], [5.0, 6.0]])
    scale = Scale(per="record")
    learned = scale.learn(data)
    after = scale.apply(data, learned)
    with pytest.raises(OptionError, match="original"):
        scale.undo(after, learned)
    with pytest.raises(OptionError, match="original"):
        scale.undo_values(np.zeros(1), learned, "x0")
    with pytest.raises(DataError, match="same order") as caught:
        scale.undo(after, learned, original=data.take([1, 0]))
    assert caught.value.code == "record_count"


def test_values_are_scaled_back_by_the_name_of_their_channel():
    one, two = from_arrays([[1.0, 3.0]]).stream, from_arrays([[10.0, 30.0]]).stream
    data = SequenceDataset(("a",), {"p": one, "q": two})
    scale = Scale("minmax")
    learned = scale.learn(data)
    assert scale.undo_values(np.array(0.5), learned, "x0", "q") == 20
    with pytest.raises(OptionError, match="2 streams have a scaled channel 'x0'"):
        scale.undo_values(np.array(0.5), learned, "x0")
    with pytest.raises(OptionError, match="No streams have a scaled channel 'x9'"):
        scale.undo_values(np.array(0.5), learned, "x9", "p")


def test_channels_left_out_since_are_passed_over_when_scaling_back():
    data = from_arrays([[[1.0, 10.0], [3.0, 30.0]]], channels=["a", "b"])
    scale = Scale("minmax")
    learned = scale.learn(data)
    after = scale.apply(data, learned)
    only = Stream(after.stream.values[:, 1:], after.stream.offsets, ("b",))
    back = scale.undo(SequenceDataset(data.ids, {"x": only}), learned)
    assert back.stream.values.ravel().tolist() == [10, 30]


def test_single_precision_stays_single_and_finite():
    scale = Scale()
    learned = scale.learn(from_arrays([np.array([1e-30, 2e-30], np.float32)]))
    far = from_arrays([np.array([1e30, -1e30], np.float32)])
    after = scale.apply(far, learned).stream.values
    assert after.dtype == np.float32
    assert np.isfinite(after).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "standart"}, "Did you mean 'standard'"),
        ({"per": "step"}, "'global' or 'record'"),
        ({"method": "log", "per": "record"}, "is not for each record"),
    ],
)
def test_wrong_options_say_what_is_expected(options, said):
    with pytest.raises(OptionError, match=said):
        Scale(**options)


def test_box_and_cox_make_positive_values_normal_and_come_back():
    chance = np.random.default_rng(0)
    seen = chance.lognormal(size=2000)
    data = from_arrays([seen])
    scale = Scale("boxcox")
    learned = scale.learn(data)
    scaled = scale.apply(data, learned).stream.values.ravel()
    assert abs(learned["x/power"][0]) < 0.05  # of a lognormal, the logarithm
    assert abs(scipy.stats.skew(scaled)) < 0.1
    later = np.array([-50.0, 0.0, seen.min() / 2, 1.0, 1e6])
    z = scale.apply(from_arrays([later]), learned).stream.values.ravel()
    assert (np.diff(z) > 0).all()
    assert np.allclose(scale.undo_values(z, learned, "x0"), later, rtol=1e-9, atol=1e-9)


def test_box_and_cox_refuse_numbers_that_are_not_positive_by_channel():
    data = from_arrays([[[1.0, 2.0], [0.0, 3.0], [5.0, 4.0]]], channels=["sales", "price"])
    with pytest.raises(DataError, match=r"powers of positive numbers.*'sales'.*Scale\('log'\)"):
        Scale("boxcox").learn(data)
