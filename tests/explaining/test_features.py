from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recurra.data import Stream, from_arrays, from_text
from recurra.errors import OptionError
from recurra.explaining.features import Features

NAN = np.nan
RAGGED = [[1.0, NAN, 4.0], [NAN], [5.0, 6.0, 2.0, NAN]]


def features(data, kinds="auto"):
    names, table = Features.of(data, kinds).table(data)
    return dict(zip(names, table.T, strict=True))


def test_statistics_are_what_pandas_finds_of_what_was_observed():
    found = features(from_arrays(RAGGED, channels=["pulse"]), ["statistics"])
    each = [pd.Series(record) for record in RAGGED]
    same = {
        "number of steps": [3, 1, 4],
        "pulse: mean": [one.mean() for one in each],
        "pulse: least": [one.min() for one in each],
        "pulse: largest": [one.max() for one in each],
        "pulse: last value": [4, NAN, 2],
        "pulse: share missing": [one.isna().mean() for one in each],
        "pulse: slope a step": [1.5, NAN, np.polyfit([0, 1, 2], [5, 6, 2], 1)[0]],
    }
    assert found.keys() == same.keys()
    for name, values in same.items():
        np.testing.assert_allclose(found[name], values, atol=1e-12, err_msg=name)


def test_lags_count_back_from_each_record_s_end():
    data = from_arrays([[1.0, 2.0, 3.0], [4.0, NAN]], channels=["x"])
    found = features(data, {"lags": 5})
    assert list(found) == ["x: last step", "x: 1 step before the last"]
    np.testing.assert_array_equal(found["x: last step"], [3, NAN])
    np.testing.assert_array_equal(found["x: 1 step before the last"], [2, 4])


def test_windows_are_steps_where_records_are_equally_long_and_shares_where_not():
    data = from_arrays(np.arange(40.0).reshape(2, 20, 1), channels=["x"])
    found = features(data, {"windows": 2})
    np.testing.assert_array_equal(found["x: mean of steps 0–9"], [4.5, 24.5])
    np.testing.assert_array_equal(found["x: mean of steps 10–19"], [14.5, 34.5])
    ragged = features(from_arrays([[1.0, 3.0, 5.0, 7.0], [2.0, 4.0]]), {"windows": 2})
    np.testing.assert_array_equal(ragged["x0: mean from 0 to 50 % of the record"], [2, 2])
    np.testing.assert_array_equal(ragged["x0: mean from 50 to 100 % of the record"], [6, 4])


def test_tokens_are_there_or_not():
    data = from_text(["a fine film", "a bad film", "fine"], unit="word")
    found = features(data, ["tokens"])
    np.testing.assert_array_equal(found["has 'fine'"], [1, 0, 1])
    assert "has 'bad'" not in found  # of one text alone nothing is learned


def test_static_covariates_and_labels_are_named():
    values = np.array([[30.0, 0.0], [40.0, 1.0], [NAN, 0.0]])
    labels = {"sex": ("f", "m")}
    static = Stream(
        values, np.arange(4), ("age", "sex"), observed=~np.isnan(values), categories=labels
    )
    data = replace(from_arrays(np.zeros((3, 2, 1))), static=static)
    found = features(data)
    np.testing.assert_array_equal(found["age"], [30, 40, NAN])
    np.testing.assert_array_equal(found["sex is 'f'"], [1, 0, 1])


def test_many_channels_get_few_features_each():
    names, _ = Features.of(data := from_arrays(np.ones((3, 30, 60)))).table(data)
    assert len(names) <= 400


@pytest.mark.parametrize("kinds", [["lag"], [], {"lags": 0}, 5, None])
def test_what_is_no_feature_is_refused(kinds):
    with pytest.raises(OptionError):
        Features.of(from_arrays([[1.0, 2.0]]), kinds)


def test_numbers_have_no_tokens_and_it_is_said():
    data = from_arrays([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(OptionError, match=r"none of the features \['tokens'\]: numbers have"):
        Features.of(data, ["tokens"]).table(data)
