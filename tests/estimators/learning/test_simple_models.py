import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from recurra.data import from_arrays, from_tokens
from recurra.estimators.learning.simple_models import Summary, linear_regressor

NAN = np.nan
RAGGED = [
    [[NAN, 1.0], [2.0, 5.0], [4.0, NAN]],
    np.zeros((0, 2)),
    [[7.0, NAN]],
    [[NAN, NAN], [NAN, 3.0], [NAN, 9.0], [NAN, 6.0]],
    [[1.0, 2.0], [3.0, 8.0]],
]


def plain(records):
    """What pandas makes of them, in standard deviations; the mean where nothing is known."""
    rows = [[len(each)] for each in records]
    for row, record in zip(rows, records, strict=True):
        frame = pd.DataFrame(np.reshape(record, (-1, 2)))
        known = [frame[column].dropna() for column in frame]
        for how in ("mean", "std", "min", "max"):
            row += [getattr(each, how)() for each in known]
        row += [each.iloc[0] if len(each) else NAN for each in known]
        row += [each.iloc[-1] if len(each) else NAN for each in known]
    sums = pd.DataFrame(rows, dtype=float)
    sums = sums.fillna(sums.mean()).fillna(0.0)
    return StandardScaler().fit_transform(sums)


def test_sums_are_what_pandas_finds_of_what_was_observed():
    np.testing.assert_allclose(Summary().fit_transform(from_arrays(RAGGED)), plain(RAGGED))


def test_other_records_are_measured_by_what_was_learned():
    summary = Summary()
    learned = summary.fit_transform(from_arrays(RAGGED))
    np.testing.assert_array_equal(summary.transform(from_arrays(RAGGED[2:])), learned[2:])


def test_a_number_that_never_varies_counts_for_nothing():
    learned = Summary().fit_transform(from_arrays([[0.1, 0.1, 0.1]] * 7 + [[0.1, 0.1]]))
    np.testing.assert_allclose(learned[:, 1:], 0.0, atol=1e-6)
    assert np.ptp(learned[:, 0]) > 1


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_regressor_is_ridge_regression(outputs):
    rng = np.random.default_rng(0)
    kept, part = (from_arrays(rng.normal(size=(n, 9, 2))) for n in (50, 20))
    numbers = rng.normal(size=(50, outputs)) + 5
    summary = Summary()
    ridge = Ridge(alpha=1.0).fit(summary.fit_transform(kept), numbers)
    expected = ridge.predict(summary.transform(part)).reshape(20, outputs)
    np.testing.assert_allclose(linear_regressor(kept, numbers, part), expected, rtol=1e-9)


def test_words_count_beside_numbers():
    texts = from_tokens([["a", "b"], ["b"], ["a", "c"]])
    answer = linear_regressor(texts, np.array([[1.0], [0.0], [1.0]]), texts)
    assert answer.shape == (3, 1)
    assert answer[0, 0] > answer[1, 0]
