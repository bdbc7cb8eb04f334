"""Outliers, found and treated, always told."""

import numpy as np
import pandas as pd
import pytest

from recurra.data.reading.arrays import from_arrays
from recurra.data.treatments import Outliers, find_outliers
from recurra.errors import DataWarning, OptionError

nan = float("nan")


def found(values, **options) -> list[int]:
    values = np.asarray(values, float)[:, None]
    offsets = np.array([0, len(values)])
    return np.flatnonzero(find_outliers(values, ~np.isnan(values), offsets, **options)).tolist()


def test_limits_are_those_of_the_definitions():
    values = np.random.default_rng(0).normal(size=500)
    data = from_arrays([values])
    middle, mad = np.median(values), np.median(np.abs(values - np.median(values)))
    robust = Outliers().learn(data)
    assert np.allclose(robust["x/high"], middle + 3.5 * 1.4826 * mad)
    first, third = np.quantile(values, [0.25, 0.75])
    tukey = Outliers("iqr", threshold=2).learn(data)
    assert np.allclose(tukey["x/low"], first - 2 * (third - first))


def test_where_most_values_are_equal_the_mean_distance_stands_in():
    values = [0.0] * 90 + [1.0, 2.0] * 4 + [3.0, 400.0]
    assert found(values) == [99]
    assert found(values, detect="iqr", threshold=3) == [99]


def test_flags_and_constants_have_no_outliers():
    assert found([0.0] * 99 + [1.0]) == []
    assert found([5.0] * 9) == []
    outliers = Outliers()
    learned = outliers.learn(from_arrays([[5.0] * 9]))
    later = from_arrays([[5.0, 1e9]])
    assert outliers.apply(later, learned).stream.values.ravel().tolist() == [5, 1e9]


def test_hampel_finds_what_is_odd_where_it_stands():
    values = np.arange(40.0)
    values[[10, 30]] = 33.0, 30.5
    assert found(values) == []
    assert found(values, detect="hampel") == [10]


def test_hampel_has_windows_of_observed_values():
    values = np.arange(40.0)
    values[10] = 33.0
    spread = np.full(80, nan)
    spread[::2] = values
    assert found(spread, detect="hampel") == [20]


@pytest.mark.parametrize("centred", [True, False])
def test_hampel_limits_are_those_of_rolling_medians(centred):
    values = np.random.default_rng(1).normal(size=200)
    rolling = pd.Series(values).rolling(7, center=centred, min_periods=1)
    middle = rolling.median()
    mad = rolling.apply(lambda w: np.median(np.abs(w - np.median(w))), raw=True)
    wanted = (np.abs(values - middle) > 2 * 1.4826 * mad) & (rolling.count() >= 3)
    assert wanted.sum() > 5
    options = {"detect": "hampel", "threshold": 2.0, "centred": centred}
    assert found(values, **options) == np.flatnonzero(wanted).tolist()


def test_windows_do_not_reach_into_another_record():
    values = np.array([1.0, 101, 102, 103, 104, 105])[:, None]
    seen = np.ones(values.shape, bool)
    parted = find_outliers(values, seen, np.array([0, 1, 6]), detect="hampel", window=5)
    joined = find_outliers(values, seen, np.array([0, 6]), detect="hampel", window=5)
    assert not parted.any()
    assert joined.ravel().tolist() == [True] + 5 * [False]


def treated(treat: str, X=None):
    outliers = Outliers(treat=treat)
    learned = outliers.learn(from_arrays([[1.0, 2.0, 3.0, 2.0, 1.0]], channels=["pulse"]))
    data = from_arrays([[2.0, 99.0, nan, -99.0]] if X is None else X, channels=["pulse"])
    with pytest.warns(DataWarning, match="2 of 'pulse'"):
        after = outliers.apply(data, learned)
    assert "2 of 'pulse'" in after.notes[-1]
    return after.stream, learned


def test_clipping_brings_them_to_the_limit():
    after, learned = treated("clip")
    high, low = learned["x/high"][0], learned["x/low"][0]
    assert after.values[[0, 1, 3], 0].tolist() == [2, high, low]
    assert after.mask.ravel().tolist() == [True, True, False, True]


def test_missing_says_that_they_were_not_observed():
    after, _ = treated("missing")
    assert after.mask.ravel().tolist() == [True, False, False, False]
    assert np.isnan(after.values[1:]).all()


def test_a_flag_is_a_channel():
    after, _ = treated("flag")
    assert after.channels == ("pulse", "pulse:outlier")
    assert after.values[:, 1].tolist() == [0, 1, 0, 1]
    assert after.values[[1, 3], 0].tolist() == [99, -99]


def test_whole_numbers_can_be_taken_out():
    after, _ = treated("missing", [np.array([2, 99, 1, -99])])
    assert after.values[:, 0].tolist()[::2] == [2, 1]


def test_data_without_outliers_bring_no_note():
    data = from_arrays([[1.0, 2.0, 3.0]])
    assert Outliers().apply(data, Outliers().learn(data)).notes == ()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"detect": "zscore"}, "There are: 'robust_z'"),
        ({"treat": "clips"}, "Did you mean 'clip'"),
        ({"threshold": 0}, "threshold=0"),
        ({"window": 2}, "window=2, but it is a whole number from 3 on"),
    ],
)
def test_wrong_options_say_what_is_expected(options, said):
    with pytest.raises(OptionError, match=said):
        Outliers(**options)


def test_winsorising_clips_at_quantiles_of_the_training_part():
    data = from_arrays([np.arange(1001.0)])
    outliers = Outliers("quantile", 0.01)
    learned = outliers.learn(data)
    clipped = outliers.apply(from_arrays([[-5.0, 500.0, 5000.0]]), learned).stream.values.ravel()
    assert clipped.tolist() == [10, 500, 990]
    with pytest.raises(OptionError, match=r"less than 0\.5"):
        Outliers("quantile", 0.5)
