import json

import numpy as np
import pandas as pd
import pytest

from recurra.data import Columns, CovariateEncoder, from_frame
from recurra.errors import DataError, DataWarning, NotFittedError

COLUMNS = Columns(past=["price", "shop"], future=["open"], static=["size", "kind"])


def dataset(**changes):
    frame = pd.DataFrame(
        {
            "unique_id": list("aaabb"),
            "ds": [1, 2, 3, 1, 2],
            "y": range(5),
            "price": [1.0, 2.0, 3.0, 4.0, 5.0],
            "shop": ["x", "y", None, "x", ""],
            "open": [True, False, True, True, True],
            "size": [1, 1, 1, 3, 3],
            "kind": pd.Categorical([7, 7, 7, 8, 8]),
        }
    )
    return from_frame(frame.assign(**changes), COLUMNS)


def test_numbers_get_mean_0_and_deviation_1():
    data = dataset()
    real = CovariateEncoder().fit(data).past(data).real
    assert real.dtype == np.float32
    assert real.shape == (5, 1)
    assert abs(real.mean()) < 1e-6
    assert abs(real.std() - 1) < 1e-6


def test_categories_get_codes_with_0_kept_for_the_unknown():
    data = dataset()
    encoder = CovariateEncoder().fit(data)
    assert encoder.past(data).codes.ravel().tolist() == [2, 3, 4, 2, 1]
    assert encoder.future(data).codes.ravel().tolist() == [2, 1, 2, 2, 2]
    assert encoder.static(data).codes.tolist() == [[1], [2]]
    assert encoder.cardinalities == {"past": (5,), "future": (3,), "static": (3,)}
    assert encoder.widths == {"past": (1, 1), "future": (0, 1), "static": (1, 1)}


def test_nothing_is_learnt_outside_the_training_part():
    train, held_back = dataset().split(1)
    encoder = CovariateEncoder().fit(train)
    with pytest.warns(DataWarning, match=r"unknown: 2 in 'shop'"):
        codes = encoder.past(held_back).codes
    assert codes.ravel().tolist() == [0, 0]
    assert encoder.past(train).real.ravel().std() == pytest.approx(1, abs=1e-6)


def test_an_unseen_category_is_unknown_and_counted():
    encoder = CovariateEncoder().fit(dataset())
    with pytest.warns(DataWarning, match=r"taken as unknown: 2 in 'shop'"):
        codes = encoder.past(dataset(shop=["x", "Y", "y", " x", "x"])).codes
    assert codes.ravel().tolist() == [2, 0, 3, 0, 2]


def test_a_constant_tells_nothing_and_is_0():
    data = dataset(price=1e20, size=0)
    with pytest.warns(DataWarning, match="0 throughout: price, size"):
        encoder = CovariateEncoder().fit(data)
    assert (encoder.past(data).real == 0).all()
    assert (encoder.static(data).real == 0).all()


def test_no_column_gives_no_column():
    data = from_frame(pd.DataFrame({"unique_id": ["a"], "ds": [1], "y": [1.0]}))
    real, codes = CovariateEncoder().fit(data).static(data)
    assert (real.shape, codes.shape) == ((1, 0), (1, 0))


@pytest.mark.parametrize(("value", "code"), [(np.nan, "missing_covariate"), (np.inf, "infinite")])
def test_a_number_that_is_not_finite_is_refused_with_its_stamp(value, code):
    data = dataset()
    data.past["price"][4] = value
    with pytest.raises(DataError, match="at 2") as caught:
        CovariateEncoder().fit(data)
    error = caught.value
    assert (error.code, error.record, error.row, error.column) == (code, "b", 4, "price")


def test_a_column_of_another_kind_than_at_the_fit_is_refused():
    encoder = CovariateEncoder().fit(dataset())
    for changed in (dataset(price=list("abcde")), dataset(shop=1.5)):
        with pytest.raises(DataError, match="at the fit, but holds") as caught:
            encoder.past(changed)
        assert caught.value.code == "other_type"


def test_what_was_learnt_goes_through_json():
    data = dataset()
    encoder = CovariateEncoder().fit(data)
    again = CovariateEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    assert again == encoder
    for role in ("past", "future", "static"):
        for one, two in zip(getattr(encoder, role)(data), getattr(again, role)(data), strict=True):
            np.testing.assert_array_equal(one, two)


def test_an_encoder_is_fitted_first():
    with pytest.raises(NotFittedError, match="Call fit"):
        CovariateEncoder().past(dataset())
