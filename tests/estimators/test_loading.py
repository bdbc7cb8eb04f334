"""Saved and loaded: the same forecasts to the bit, and nothing but what was saved."""

import json
import subprocess
import sys
from copy import deepcopy
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest

import recurra
from recurra import Columns, Forecaster, Training
from recurra.artifact import read_model, write_model
from recurra.errors import FileError, NotFittedError, OptionError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.recurra"


def again(model, path):
    model.save(path)
    return recurra.load(path)


def assert_same(one, other, **given):
    for call in (
        lambda m: m.predict(5, level=[80, 95], **given),
        lambda m: m.simulate(3, 4, **given),
    ):
        pd.testing.assert_frame_equal(call(one), call(other), check_exact=True)


@pytest.mark.parametrize("layer", ["lstm", "gru", "rnn", "jordan"])
@pytest.mark.parametrize("distribution", ["student_t", "gaussian", "negative_binomial"])
def test_a_loaded_model_forecasts_the_same_bits(small, walks, path, layer, distribution):
    frame = walks(3)
    if distribution == "negative_binomial":
        frame["y"] = frame.y.round().abs() + 3
    model = small(layer=layer, num_layers=2, distribution=distribution).fit(frame)
    assert_same(again(model, path), model)


def test_a_loaded_model_is_what_was_saved(fitted, path):
    loaded = again(deepcopy(fitted), path)
    assert type(loaded) is Forecaster
    assert loaded.get_params() == fitted.get_params()
    assert loaded.season_lengths_ == fitted.season_lengths_
    assert loaded.notes_ == fitted.notes_
    assert loaded.log_.loss == fitted.log_.loss
    assert [tuple(each) for each in loaded.log_.validation] == fitted.log_.validation


def test_a_loaded_model_can_be_updated(fitted, path, series):
    model = deepcopy(fitted)
    loaded = again(model, path)
    new = pd.concat([series("s1", [1.0, 2.0], [65, 66]), series("z", [5.0, 4.0, 6.0])])
    assert_same(loaded.update(new), model.update(new))


def test_a_model_saved_after_an_update_stands_where_it_stood(fitted, path, series):
    model = deepcopy(fitted).update(series("s1", [1.0, 2.0], [65, 66]))
    assert_same(again(model, path), model)


def test_saving_twice_and_loading_twice_changes_nothing(fitted, path, tmp_path):
    one = again(deepcopy(fitted), path)
    two = again(one, tmp_path / "again.recurra")
    assert_same(two, fitted)
    (header, arrays), (other, others) = read_model(path), read_model(tmp_path / "again.recurra")
    assert header == other
    assert arrays.keys() == others.keys()
    assert all(arrays[name].tobytes() == others[name].tobytes() for name in arrays)


def test_saving_does_not_change_the_model(fitted, path):
    model = deepcopy(fitted)
    before = model.predict(3, level=[80])
    model.save(path)
    pd.testing.assert_frame_equal(model.predict(3, level=[80]), before, check_exact=True)


def test_a_loaded_model_can_be_fitted_again(fitted, path, walks):
    loaded = again(deepcopy(fitted), path)
    assert_same(loaded.fit(walks()), fitted)


def covariates(series, seed=0):
    random = np.random.default_rng(seed)
    parts = [
        series(
            name,
            random.normal(size=50).cumsum(),
            pd.date_range("2024-01-01", periods=50),
            price=random.normal(size=50),
            promo=random.choice(["no", "yes"], 50),
            visits=random.random(50) < 0.5,
            shop=name.upper(),
        )
        for name in ("a", "b")
    ]
    return pd.concat(parts, ignore_index=True)


def test_covariates_and_their_coding_are_kept(small, series, path):
    columns = Columns(future=["price", "promo"], past=["visits"], static=["shop"])
    frame = covariates(series)
    frame.loc[3, "promo"] = None
    model = small(columns=columns).fit(frame)
    loaded = again(model, path)
    future = covariates(series, seed=1).assign(ds=lambda f: f.ds + pd.Timedelta("50D"))
    future = future.drop(columns="y")
    ahead = future[future.ds < "2024-02-25"]
    pd.testing.assert_frame_equal(
        loaded.predict(5, future=ahead), model.predict(5, future=ahead), check_exact=True
    )


def test_covariates_of_any_order_are_kept_in_it(small, series, path):
    columns = Columns(past=["visits", "price", "fee"], static=["shop"])
    frame = covariates(series).assign(fee=lambda f: 1000 * f.price**2)
    assert_same(again(model := small(columns=columns).fit(frame), path), model)


def test_an_option_spoiled_after_fitting_is_refused_when_saving(fitted, path):
    model = deepcopy(fitted).set_params(hidden_size=-4)
    with pytest.raises(OptionError, match="hidden_size=-4"):
        model.save(path)
    assert not path.exists()


def test_a_column_may_be_called_like_a_weight(small, series, path):
    frame = covariates(series).rename(columns={"price": "network.price"})
    model = small(columns=Columns(past=["network.price"])).fit(frame)
    assert_same(again(model, path), model)


STAMPS = {
    "integers": np.arange(50, dtype=np.int32),
    "days": pd.date_range("2024-01-01", periods=50),
    "zoned": pd.date_range("2024-03-20", periods=50, freq="h", tz="Europe/Berlin"),
    "months": pd.date_range("2020-01-31", periods=50, freq="ME"),
    "dates": np.array([date(2024, 1, 1 + k) for k in range(31)] + [date(2024, 2, 1)], object),
}


@pytest.mark.parametrize("kind", STAMPS)
def test_the_clock_is_kept(small, series, path, kind):
    stamps = STAMPS[kind]
    model = small().fit(series("a", np.random.default_rng(0).normal(size=len(stamps)), stamps))
    loaded = again(model, path)
    assert_same(loaded, model)
    assert loaded.predict(2).ds.dtype == model.predict(2).ds.dtype


def test_an_irregular_clock_is_kept(small, series, path):
    random = np.random.default_rng(0)
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        random.exponential(5, size=50).cumsum(), unit="h"
    )
    with pytest.warns(UserWarning, match="irregular"):
        model = small().fit(series("a", random.normal(size=50), stamps))
    assert_same(again(model, path), model)


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_the_library_of_the_frame_is_kept(small, walks, path, library):
    frame = pl.from_pandas(walks(2, holes=False))
    frame = frame.to_arrow() if library == "pyarrow" else frame
    model = small().fit(frame)
    found = again(model, path).predict(2)
    assert type(found) is type(frame)
    assert found.equals(model.predict(2))


def test_numbers_as_identifiers_stay_numbers(small, walks, path):
    frame = walks(2)
    frame["unique_id"] = frame.unique_id.str[1:].astype("int64")
    loaded = again(small().fit(frame), path)
    assert loaded.predict(1).unique_id.tolist() == [0, 1]
    assert pd.api.types.is_integer_dtype(loaded.predict(1).unique_id)


def test_identifiers_that_no_file_holds_are_refused_when_saving(small, walks, path):
    frame = walks(1).assign(unique_id=pd.Timestamp("2024-01-01"))
    model = small().fit(frame)
    with pytest.raises(OptionError, match="a model file holds text and numbers"):
        model.save(path)
    assert not path.exists()


@pytest.mark.parametrize(
    "options",
    [
        {"season_length": [4, 12]},
        {"season_length": (4, 12)},
        {"season_length": 6, "context": 20, "horizon": 5, "freq": 1},
        {"training": {"clip_norm": None, "patience": None, "truncation": 9, "optimizer": "sgd"}},
        {"dropout": 0.2, "hidden_size": 5, "seed": 2**40},
    ],
)
def test_options_are_kept(small, walks, path, options):
    model = small(**options).fit(walks(2))
    loaded = again(model, path)
    assert_same(loaded, model)
    assert loaded.training == model.training
    assert list(np.atleast_1d(loaded.season_length)) == list(np.atleast_1d(model.season_length))


@pytest.mark.parametrize("name", ["context", "horizon", "hidden_size", "num_layers"])
def test_options_may_be_numpy_integers(small, walks, path, name):
    model = small(**{name: np.int64(4)}).fit(walks(2))
    assert_same(again(model, path), model)


def test_a_validation_loss_that_is_no_number_can_be_saved(small, series, path):
    values = np.random.default_rng(0).normal(size=60).cumsum()
    values[40:] = np.nan
    model = small().fit(series("a", values))
    assert_same(again(model, path), model)


SCRIPT = """
import sys, json, recurra
found = recurra.load(sys.argv[1]).predict(4, level=[80])
print(json.dumps([value.hex() for value in found.iloc[:, 2:].to_numpy().ravel().tolist()]))
"""


def test_another_process_forecasts_the_same_bits(fitted, path):
    fitted.save(path)
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=200,
    )
    expected = fitted.predict(4, level=[80]).iloc[:, 2:].to_numpy().ravel().tolist()
    assert json.loads(run.stdout) == [value.hex() for value in expected]


# ---------------------------------------------------------------------- what is refused


def test_an_unfitted_model_cannot_be_saved(path):
    with pytest.raises(NotFittedError):
        Forecaster(training=Training(steps=3)).save(path)
    assert not path.exists()


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"gone\.recurra is not a file"):
        recurra.load(tmp_path / "gone.recurra")
    with pytest.raises(FileError, match="is not a file"):
        recurra.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x80\x04K\x01."])
def test_a_file_of_something_else_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(FileError, match="is not a model file, or is damaged"):
        recurra.load(path)


@pytest.mark.parametrize("part", [0.02, 0.5, 0.9, 0.999])
def test_a_flipped_bit_is_found_wherever_it_is(fitted, path, part):
    fitted.save(path)
    content = bytearray(path.read_bytes())
    content[int(part * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"damaged|format"):
        recurra.load(path)


@pytest.mark.parametrize("part", [0.1, 0.9])
def test_half_a_file_is_refused(fitted, path, part):
    fitted.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(FileError, match="damaged"):
        recurra.load(path)


def test_a_folder_that_is_not_there_is_refused_when_saving(fitted, tmp_path):
    with pytest.raises(FileError, match="cannot be written"):
        fitted.save(tmp_path / "gone" / "model.recurra")


def test_a_model_of_a_class_unknown_here_is_refused(path):
    write_model(path, {"estimator": "Oracle"}, {"x": np.zeros(1)})
    with pytest.raises(
        FileError, match=r"holds a 'Oracle', but this version knows .*'Classifier', 'Forecaster'"
    ):
        recurra.load(path)


def test_a_file_of_a_layer_says_who_loads_it(path):
    write_model(path, {"layer": "GRU"}, {"x": np.zeros(1)})
    with pytest.raises(FileError, match=r"holds a 'GRU', but .* Use recurra.layers.load"):
        recurra.load(path)
