"""Bad inputs: one error that says where and what to do, or a treatment that is said once."""

from copy import deepcopy

import numpy as np
import pandas as pd
import polars as pl
import pytest

from recurra import Columns, Forecaster, Training
from recurra.errors import (
    DataError,
    DataWarning,
    FileError,
    NotFittedError,
    OptionError,
    RecurraError,
    TrainingError,
)

N = 40


def good():
    """Two series, 'a' in rows 0 to 39 and 'b' in rows 40 to 79."""
    values = np.random.default_rng(0).normal(size=2 * N).cumsum()
    return pd.DataFrame(
        {
            "unique_id": ["a"] * N + ["b"] * N,
            "ds": [*range(N)] * 2,
            "y": values,
            "price": np.linspace(1, 2, 2 * N),
            "shop": ["x"] * N + ["z"] * N,
        }
    )


def having(row, column, value):
    """The good frame with one cell changed."""

    def change():
        frame = good()
        if not isinstance(value, int | float):
            frame[column] = frame[column].astype(object)
        frame.loc[row, column] = value
        return frame

    return change


def days(**changes):
    def make():
        frame = good()
        frame["ds"] = pd.concat([pd.Series(pd.date_range("2024-01-01", periods=N))] * 2).to_numpy()
        frame["ds"] = frame.ds.astype(object) if changes else frame.ds
        for row, value in changes.items():
            frame.loc[int(row[1:]), "ds"] = value
        return frame

    return make


def stamps(values):
    return lambda: good().assign(ds=list(values) * 2)


FIT = {
    # what comes: the frame, the code, and what the message says
    "no rows": (lambda: good()[:0], "empty", "The table has no rows. Give at least one series."),
    "one row": (lambda: good()[:1], "too_short", r"has 1 observed values, but 3 .*series 'a'"),
    "two rows": (lambda: good()[:42], "too_short", r"has 2 observed values, but 3 .*series 'b'"),
    "two values seen": (
        lambda: good().assign(y=lambda f: f.y.where((f.unique_id == "a") | (f.ds < 2))),
        "too_short",
        r"has 2 observed values.*series 'b'.*1 of 2 series are too short",
    ),
    "a series without a value": (
        lambda: good().assign(y=lambda f: f.y.where(f.unique_id == "a")),
        "empty_series",
        r"missing \(series 'b', column 'y'\)",
    ),
    "no value at all": (
        lambda: good().assign(y=np.nan),
        "empty_series",
        r"missing, here and in 1 more \(series 'a', column 'y'\)",
    ),
    "text among numbers": (
        having(47, "y", "closed"),
        "text",
        r"there is text \(series 'b', row 47, column 'y', value 'closed'\)",
    ),
    "a decimal comma": (having(3, "y", "3,14"), "text", r"row 3, column 'y'.*decimal comma"),
    "an infinite value": (having(5, "y", np.inf), "infinite", r"series 'a', row 5, column 'y'"),
    "minus infinity": (having(45, "y", -np.inf), "infinite", r"series 'b', row 45, column 'y'"),
    "a value past float32": (
        having(7, "y", 1e300),
        "overflow_float32",
        r"series 'a', row 7, column 'y'",
    ),
    "complex numbers": (
        lambda: good().assign(y=lambda f: f.y.astype(complex)),
        "text",
        r"there is a complex.*series 'a', row 0, column 'y'",
    ),
    "bytes": (having(2, "y", b"1"), "text", r"there is a bytes.*row 2, column 'y'"),
    "times as values": (
        lambda: good().assign(y=pd.Timestamp("2024-01-01")),
        "text",
        r"there is a Timestamp.*row 0, column 'y'",
    ),
    "one stamp with two values": (
        having(44, "ds", 3),
        "duplicate_time",
        r"Rows 43 and 44 have the same time stamp.*series 'b', row 44, column 'y'.*groupby",
    ),
    "a missing stamp": (having(9, "ds", None), "null_time", r"series 'a', row 9, column 'ds'"),
    "a missing identifier": (having(9, "unique_id", None), "null_id", r"row 9, column 'unique_id'"),
    "mixed time zones": (
        days(r50=pd.Timestamp("2024-01-11", tz="UTC")),
        "mixed_zones",
        r"have no time zone, but this one has.*series 'b', row 50, column 'ds'",
    ),
    "a date that is none": (
        stamps([*(f"2024-01-{k:02}" for k in range(1, 32)), "2024-13-45", *range(8)][:N]),
        "no_time",
        r"column 'ds'",
    ),
    "a day that is none": (
        lambda: good().assign(
            ds=lambda f: np.where(
                f.index == 44, "2024-02-30", "2024-01-0" + f.ds.mod(9).astype(str)
            )
        ),
        "no_time",
        r"column 'ds'",
    ),
    "day or month first": (
        stamps(f"03/04/{1980 + k}" for k in range(N)),
        "ambiguous_time",
        r"row 0, column 'ds', value '03/04/1980'.*format='%d/%m/%Y'",
    ),
    "the year 2300": (
        days(r41=pd.Timestamp("2300-01-01")),
        "time_range",
        r"past the year 2200.*row 41",
    ),
    "fractional stamps": (
        stamps(np.arange(N) + 0.5),
        "fractional_time",
        r"row 0, column 'ds', value 0.5",
    ),
    "flags for stamps": (stamps([True, False] * 20), "no_time", r"there is a flag"),
    "a column less": (
        lambda: good().rename(columns={"unique_id": "uniqe_id"}),
        "missing_column",
        r"no column 'unique_id'.*Did you mean 'uniqe_id'",
    ),
    "the identifier in the index": (
        lambda: good().set_index("unique_id"),
        "missing_column",
        r"frame.reset_index\(\)",
    ),
    "two columns of one name": (
        lambda: good().rename(columns={"price": "y"}),
        "duplicate_column",
        r"Two columns have the same name.*column 'y'",
    ),
    "a list": (lambda: [1, 2], "not_a_table", "A list came"),
    "nothing": (lambda: None, "not_a_table", "A NoneType came"),
    "a dict": (lambda: good().to_dict("list"), "not_a_table", "A dict came"),
    "an array": (lambda: good().to_numpy(), "not_a_table", "A ndarray came"),
    "a number": (lambda: 3, "not_a_table", "A int came"),
    "a frame not computed": (
        lambda: pl.from_pandas(good()).lazy(),
        "not_a_table",
        r"not computed yet. Use frame.collect\(\)",
    ),
}


@pytest.fixture(scope="module")
def model(small):
    return small(steps=5).fit(good())


@pytest.mark.parametrize("name", FIT)
def test_fit_refuses_with_one_error_that_says_where(small, name):
    make, code, message = FIT[name]
    with pytest.raises(DataError, match=message) as caught:
        small(steps=5).fit(make())
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["a missing stamp", "text among numbers", "an infinite value"])
def test_cross_validation_refuses_what_fit_refuses(small, name):
    make, code, message = FIT[name]
    with pytest.raises(DataError, match=message) as caught:
        small(steps=5).cross_validation(make(), h=2)
    assert caught.value.code == code


def test_a_refused_fit_leaves_the_model_unfitted(small):
    model = small(steps=5)
    with pytest.raises(DataError):
        model.fit(good()[:1])
    with pytest.raises(
        NotFittedError, match=r"This Forecaster is not fitted. Call fit\(df\) first"
    ):
        model.predict(1)


def test_a_fit_that_diverges_leaves_a_fitted_model_as_it_was(small):
    model = small(steps=5).fit(good())
    before = model.predict(3)
    wild = Training(learning_rate=1e30, clip_norm=None, progress=False)
    with pytest.raises(TrainingError, match="Lower learning_rate"):
        model.set_params(training=wild).fit(good())
    pd.testing.assert_frame_equal(model.predict(3), before)


def test_a_fit_that_is_refused_leaves_a_fitted_model_as_it_was(small):
    model = small(steps=5).fit(good())
    before = model.predict(3)
    with pytest.raises(DataError):
        model.fit(good()[:1])
    pd.testing.assert_frame_equal(model.predict(3), before)


COVARIATES = {
    "a missing covariate": (
        having(43, "price", np.nan),
        "missing_covariate",
        r"series 'b', row 43, column 'price'.*ffill",
    ),
    "an infinite covariate": (having(3, "price", np.inf), "infinite", r"row 3, column 'price'"),
    "a covariate of numbers and text": (having(3, "price", "?"), "text", r"row 3, column 'price'"),
    "a static covariate that changes": (
        having(50, "shop", "y"),
        "static_changes",
        r"where row 40 has z \(series 'b', row 50, column 'shop', value 'y'\)",
    ),
    "a covariate less": (
        lambda: good().drop(columns="price"),
        "missing_column",
        "no column 'price', which is read as the covariate",
    ),
}


@pytest.mark.parametrize("name", COVARIATES)
def test_fit_refuses_covariates_with_one_error_that_says_where(small, name):
    make, code, message = COVARIATES[name]
    with pytest.raises(DataError, match=message) as caught:
        small(steps=5, columns=Columns(future=["price"], static=["shop"])).fit(make())
    assert caught.value.code == code


@pytest.mark.parametrize("value", [-1.0, 2.5])
def test_a_negative_binomial_refuses_what_is_no_count(small, value):
    frame = good().assign(y=lambda f: f.y.round().abs())
    frame.loc[44, "y"] = value
    where = rf"the value at 4 is none \(series 'b', column 'y', value {value}\)"
    with pytest.raises(DataError, match=where) as caught:
        small(distribution="negative_binomial").fit(frame)
    assert caught.value.code == "not_a_count"
    assert "distribution='student_t'" in str(caught.value)


@pytest.mark.parametrize("name", ["LSTM", "sample", "cutoff"])
@pytest.mark.parametrize("role", ["id", "time", "target", "past"])
def test_a_column_called_like_an_answer_is_refused(small, name, role):
    columns = Columns(**{role: [name] if role == "past" else name})
    old = {"id": "unique_id", "time": "ds", "target": "y", "past": "price"}[role]
    frame = good().rename(columns={old: name})
    for call in ("fit", "cross_validation"):
        given = {} if call == "fit" else {"h": 2}
        with pytest.raises(OptionError, match=f"A column is called '{name}', like one of the ans"):
            getattr(small(steps=5, columns=columns), call)(frame, **given)


def test_a_column_called_like_the_answer_of_another_layer_is_read(small):
    frame = good().rename(columns={"y": "LSTM"})
    model = small(steps=5, layer="gru", columns=Columns(target="LSTM")).fit(frame)
    assert model.predict(1).columns.tolist() == ["unique_id", "ds", "GRU"]


# ---------------------------------------------------------------------- options


OPTIONS = [
    ({"layer": "lstmm"}, "layer='lstmm', but it must be one of 'lstm', 'gru', 'rnn', 'jordan'."),
    ({"layer": None}, "layer=None, but it must be one of"),
    ({"distribution": "normal"}, "distribution='normal', but it must be one of 'student_t'"),
    ({"hidden_size": 0}, "hidden_size=0, but it must be an int of at least 1."),
    ({"hidden_size": 8.0}, "hidden_size=8.0, but it must be an int of at least 1."),
    ({"num_layers": -1}, "num_layers=-1, but it must be an int of at least 1."),
    ({"num_layers": True}, "num_layers=True, but it must be an int of at least 1."),
    ({"context": 0}, "context=0, but it must be an int of at least 1."),
    ({"context": "long"}, "context='long', but it must be an int of at least 1."),
    ({"horizon": 0}, "horizon=0, but it must be an int of at least 1."),
    ({"horizon": 2.5}, "horizon=2.5, but it must be an int of at least 1."),
    ({"dropout": 1.0}, "dropout=1.0, but it must be at least 0 and below 1, or None."),
    ({"dropout": -0.1}, "dropout=-0.1, but it must be at least 0 and below 1, or None."),
    ({"dropout": float("nan")}, "dropout=nan, but it must be at least 0 and below 1, or None."),
    ({"dropout": "0.1"}, "dropout='0.1', but it must be at least 0 and below 1, or None."),
    ({"season_length": 0}, "season_length=0, but it must be an int of at least 1."),
    ({"season_length": -7}, "season_length=-7, but it must be an int of at least 1."),
    ({"season_length": 7.5}, "season_length=7.5, but it must be an int of at least 1."),
    ({"season_length": [7, 0]}, "season_length=0, but it must be an int of at least 1."),
    ({"season_length": "weekly"}, "season_length='weekly'"),
    pytest.param({"season_length": None}, "season_length=None", id="no season"),
    ({"freq": "D"}, "The time stamps are integers, but freq='D'."),
    ({"freq": 0}, "The time stamps are integers, but freq=0."),
    ({"freq": -1}, "The time stamps are integers, but freq=-1."),
    ({"columns": "y"}, "columns='y', but it must be a Columns."),
    ({"columns": None}, "columns=None, but it must be a Columns."),
    ({"training": 100}, "training=100, but it must be a Training."),
    ({"training": {"steps": 5}}, "training={'steps': 5}, but it must be a Training."),
    ({"seed": -1}, "seed=-1, but it must be an int of at least 0."),
    ({"seed": "x"}, "seed='x', but it must be an int of at least 0."),
    ({"seed": None}, "seed=None, but it must be an int of at least 0."),
    ({"seed": 1.5}, "seed=1.5, but it must be an int of at least 0."),
    ({"layer": ["lstm"]}, "layer=['lstm'], but it must be one of 'lstm', 'gru', 'rnn', 'jordan'."),
]


@pytest.mark.parametrize(("options", "message"), OPTIONS)
def test_fit_refuses_impossible_options(options, message):
    training = {"training": Training(steps=2, progress=False)}
    with pytest.raises(OptionError) as caught:
        Forecaster(**({"hidden_size": 4} | training | options)).fit(good())
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"future": "price"}, r"future='price' is one name.*Use future=\['price'\]"),
        ({"past": ["y"]}, "Column 'y' has 2 roles"),
        ({"target": ""}, "A column name is text, but here it is ''"),
        ({"time": 3}, "A column name is text, but here it is 3"),
    ],
)
def test_impossible_columns_are_refused(given, message):
    with pytest.raises(OptionError, match=message):
        Columns(**given)


# ---------------------------------------------------------------------- predict and simulate


@pytest.mark.parametrize("h", [0, -1, 1.0, 2.5, "3", True, None, [3], float("nan")])
def test_a_horizon_must_be_an_int_of_at_least_one(model, h):
    with pytest.raises(OptionError, match=r"^h=.*, but it must be an int of at least 1.$"):
        model.predict(h)
    with pytest.raises(OptionError, match=r"^h=.*, but it must be an int of at least 1.$"):
        model.simulate(h)


@pytest.mark.parametrize(
    "level", [0, 100, -5, 0.0, 101, [80, 100], ["80"], "80", float("nan"), True]
)
def test_a_level_must_be_a_percentage(model, level):
    with pytest.raises(OptionError, match="no percentage between 0 and 100, such as 80"):
        model.predict(2, level=level)


@pytest.mark.parametrize("n", [0, -1, 2.0, "3", True, None])
def test_a_number_of_paths_must_be_an_int_of_at_least_one(model, n):
    with pytest.raises(OptionError, match=r"^n=.*, but it must be an int of at least 1.$"):
        model.simulate(2, n=n)


@pytest.mark.parametrize("seed", ["x", -1, 1.5, True, 2**63])
def test_a_seed_that_is_none_is_refused(model, seed):
    with pytest.raises(OptionError, match=r"^seed=.*, but it must be an int of at least 0.$"):
        model.simulate(2, seed=seed)


@pytest.mark.parametrize(("call", "given"), [("predict", {}), ("simulate", {"n": 1})])
def test_a_forecast_larger_than_memory_is_refused(model, call, given):
    with pytest.raises(OptionError) as caught:
        getattr(model, call)(10_000_001, **given)
    assert str(caught.value) == (
        "h=10000001 for 2 series or paths makes 20,000,002 values, but 20,000,000 at a time are "
        "the most. Use a smaller h, fewer paths or fewer series."
    )


@pytest.mark.parametrize("call", ["predict", "simulate", "update", "save"])
def test_nothing_but_fit_and_cross_validation_works_before_fit(call):
    given = {"predict": 3, "simulate": 3, "update": good(), "save": "model.recurra"}
    with pytest.raises(NotFittedError, match=r"Call fit\(df\) first"):
        getattr(Forecaster(), call)(given[call])


@pytest.fixture(scope="module")
def driven(small):
    return small(steps=5, columns=Columns(future=["price"])).fit(good())


def coming(**changes):
    frame = pd.DataFrame({"unique_id": ["a", "a", "b", "b"], "ds": [N, N + 1] * 2, "price": 1.5})
    return frame.assign(**changes)


FUTURE = {
    "no table": (lambda: None, "missing_future", "needed for the 2 steps.*column 'price'"),
    "a row less": (
        lambda: coming()[:3],
        "missing_future",
        r"lack the row for 41 \(series 'b', column 'ds'\)",
    ),
    "a series less": (lambda: coming()[:2], "missing_future", r"row for 40.*series 'b'"),
    "a column less": (
        lambda: coming().drop(columns="price"),
        "missing_column",
        "no column 'price', which is read as the future covariate",
    ),
    "a missing value": (
        lambda: coming(price=[1.0, 2.0, np.nan, 3.0]),
        "missing_covariate",
        r"series 'b', row 2, column 'price'",
    ),
    "an infinite value": (
        lambda: coming(price=[1.0, np.inf, 2.0, 3.0]),
        "infinite",
        r"series 'a', row 1, column 'price'",
    ),
    "text": (
        lambda: coming(price=["1", "2", "3", "4"]),
        "other_type",
        "held numbers at the fit, but holds categories now.*column 'price'",
    ),
    "a step twice": (
        lambda: pd.concat([coming(), coming()[:1]], ignore_index=True),
        "duplicate_time",
        "Rows 0 and 4 are for the same step",
    ),
    "another clock": (
        lambda: coming(ds=pd.Timestamp("2024-01-01")),
        "other_clock",
        "The future stamps are timestamps",
    ),
    "a list": (lambda: [1.0, 2.0], "not_a_table", "A list came"),
}


@pytest.mark.parametrize("name", FUTURE)
@pytest.mark.parametrize("call", ["predict", "simulate"])
def test_future_covariates_are_refused_with_one_error_that_says_where(driven, name, call):
    make, code, message = FUTURE[name]
    with pytest.raises(DataError, match=message) as caught:
        getattr(driven, call)(2, future=make())
    assert caught.value.code == code


def test_an_unknown_column_of_the_future_is_ignored_and_warned_of_once(driven):
    with pytest.warns(DataWarning) as said:
        found = driven.predict(2, future=coming(colour="red"))
    assert [str(each.message) for each in said] == [
        "Columns that are not read were ignored: 'colour'."
    ]
    pd.testing.assert_frame_equal(found, driven.predict(2, future=coming()))


# ---------------------------------------------------------------------- update


def new_rows(**changes):
    frame = pd.DataFrame(
        {"unique_id": ["a", "b"], "ds": [N, N], "y": [1.0, 2.0], "price": 1.0, "shop": ["x", "z"]}
    )
    return frame.assign(**changes)


UPDATE = {
    "older rows": (
        lambda: new_rows(ds=[N, 12]),
        "not_later",
        r"stamped 12, but the series already goes up to 39 \(series 'b', column 'ds'\)",
    ),
    "the newest row again": (lambda: new_rows(ds=[N, N - 1]), "not_later", "goes up to 39"),
    "another kind of clock": (
        lambda: new_rows(ds=pd.Timestamp("2024-01-01")),
        "other_clock",
        r"read as timestamps, but those before were integers \(column 'ds'\)",
    ),
    "no rows": (lambda: new_rows()[:0], "empty", "The table has no rows"),
    "text": (lambda: new_rows(y=["1", "x"]), "text", r"row 1, column 'y', value 'x'"),
    "an infinite value": (lambda: new_rows(y=[1.0, np.inf]), "infinite", r"row 1, column 'y'"),
    "a column less": (lambda: new_rows().drop(columns="y"), "missing_column", "no column 'y'"),
    "two values of one stamp": (
        lambda: pd.concat([new_rows(), new_rows(y=9.0)]),
        "duplicate_time",
        "have the same time stamp",
    ),
    "a list": (lambda: [1.0], "not_a_table", "A list came"),
}


@pytest.mark.parametrize("name", UPDATE)
def test_update_refuses_with_one_error_and_changes_nothing(model, name):
    make, code, message = UPDATE[name]
    model = deepcopy(model)
    before = model.predict(2)
    with pytest.raises(DataError, match=message) as caught:
        model.update(make())
    assert caught.value.code == code
    pd.testing.assert_frame_equal(model.predict(2), before)


@pytest.mark.parametrize(("fitted", "given"), [(7, "7"), ("7", 7)])
def test_an_update_refuses_an_identifier_of_another_type(small, fitted, given):
    model = small(steps=5).fit(good()[:N].assign(unique_id=fitted))
    before = model.predict(2)
    with pytest.raises(DataError) as caught:
        model.update(new_rows()[:1].assign(unique_id=given))
    assert caught.value.code == "other_type"
    types = type(given).__name__, type(fitted).__name__
    assert str(caught.value) == (
        f"The identifier is a {types[0]}, but at the fit it was the {types[1]} {fitted!r} (series "
        f"{given!r}, column 'unique_id'). Give identifiers as they were given to fit."
    )
    pd.testing.assert_frame_equal(model.predict(2), before)


@pytest.mark.parametrize("value", [-3.0, 0.5])
def test_an_update_of_counts_refuses_what_is_no_count(small, value):
    frame = good().assign(y=lambda f: f.y.round().abs())
    model = small(steps=5, distribution="negative_binomial").fit(frame)
    with pytest.raises(DataError, match=f"counts.*at 40 is none.*value {value}") as caught:
        model.update(new_rows(y=[value, 1.0]))
    assert caught.value.code == "not_a_count"


def test_an_update_refuses_a_covariate_of_another_type(driven):
    with pytest.raises(DataError, match="held numbers at the fit") as caught:
        deepcopy(driven).update(new_rows(price=["low", "high"]))
    assert caught.value.code == "other_type"


# ---------------------------------------------------------------------- cross-validation


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"h": 0}, "^h=0, but it must be an int of at least 1.$"),
        ({"h": -2}, "^h=-2, but it must be an int of at least 1.$"),
        ({"h": 2.5}, "^h=2.5, but it must be an int of at least 1.$"),
        ({"h": "3"}, "^h='3', but it must be an int of at least 1.$"),
        ({"h": 2, "n_windows": 0}, "^n_windows=0, but it must be an int of at least 1.$"),
        ({"h": 2, "n_windows": 1.5}, "^n_windows=1.5, but it must be an int of at least 1.$"),
        ({"h": 2, "step_size": -1}, "^step_size=-1, but it must be an int of at least 1.$"),
        ({"h": 2, "step_size": 0}, "^step_size.*0.* 1"),
        ({"h": 2, "level": [100]}, "no percentage"),
    ],
)
def test_cross_validation_refuses_impossible_windows(small, given, message):
    with pytest.raises(OptionError, match=message):
        small(steps=5).cross_validation(good(), **given)


def test_impossible_windows_are_refused_before_the_frame_is_read(small):
    with pytest.raises(OptionError, match="h=0"):
        small(steps=5).cross_validation("gone.csv", h=0)


def test_cross_validation_names_a_series_too_short_for_its_windows(small):
    with pytest.raises(DataError, match=r"has 20 rows.*need 33.*series 'b'.*Use n_windows=1"):
        small(steps=5).cross_validation(good()[:60], h=15, n_windows=2)


# ---------------------------------------------------------------------- files


@pytest.mark.parametrize("content", ["", "unique_id,ds,y\n"])
def test_a_file_without_rows_is_refused(small, tmp_path, content):
    path = tmp_path / "empty.csv"
    path.write_text(content)
    with pytest.raises(RecurraError, match=r"empty|no rows|header"):
        small().fit(path)


def test_a_file_that_is_not_there_is_refused_by_its_name(small, tmp_path):
    with pytest.raises(FileError, match=r"gone\.csv"):
        small().fit(tmp_path / "gone.csv")


# ---------------------------------------------------------------------- treatments


def forecast(small, frame, **options):
    found = small(steps=10, **options).fit(frame).predict(3, level=[80])
    assert np.isfinite(found.iloc[:, 2:].to_numpy()).all()
    return found


TREATED = {
    "rows in any order": (lambda: good().sample(frac=1, random_state=0), "sorted now"),
    "series interleaved": (lambda: good().sort_values("ds", kind="stable"), "interleaved"),
    "rows said twice": (
        lambda: pd.concat([good()[:3], good()], ignore_index=True),
        "3 rows repeat the row before: one of each is kept",
    ),
}


@pytest.mark.parametrize("name", TREATED)
def test_a_treatment_is_said_and_the_forecast_is_that_of_clean_data(small, name):
    make, message = TREATED[name]
    frame = make()
    clean = good()
    if frame.unique_id.iloc[0] != "a":
        clean = pd.concat([clean[N:], clean[:N]])
    with pytest.warns(DataWarning, match=message):
        model = small(steps=10).fit(frame)
    assert any(message in note for note in model.notes_)
    pd.testing.assert_frame_equal(
        model.predict(3, level=[80]), forecast(small, clean), check_exact=True
    )


def test_a_treatment_is_warned_of_once(small):
    with pytest.warns(DataWarning) as said:
        small(steps=3).fit(good().loc[[0, 0, 1, 1, *range(2, 2 * N)]])
    texts = [str(each.message) for each in said]
    assert len(texts) == len(set(texts)) == 1


def test_series_shorter_than_the_context_are_used(small):
    found = forecast(small, good()[: N + 5], context=30)
    assert found.unique_id.tolist() == ["a"] * 3 + ["b"] * 3


@pytest.mark.parametrize("length", [3, 4, 9])
def test_a_very_short_series_is_forecast(small, length):
    assert len(forecast(small, good()[:length])) == 3


def test_a_context_longer_than_every_series_is_no_hindrance(small):
    forecast(small, good(), context=500)


@pytest.mark.parametrize("value", [0.0, 7.0, -1e-300, 1e29])
def test_a_constant_series_is_forecast_finitely(small, value):
    found = forecast(small, good().assign(y=value))
    np.testing.assert_allclose(found.LSTM, value, rtol=0.01, atol=1e-6)


@pytest.mark.parametrize("size", [1e-300, 1e-30, 1e-12, 1e12, 1e29])
def test_values_of_any_size_are_forecast_finitely(small, size):
    forecast(small, good().assign(y=lambda f: size * f.y / f.y.abs().max()))


def test_a_series_in_a_tiny_unit_is_forecast_like_in_any_other(small):
    one = forecast(small, good())
    other = forecast(small, good().assign(y=lambda f: 1e-12 * f.y))
    np.testing.assert_allclose(1e12 * other.LSTM, one.LSTM, rtol=1e-3)


def test_a_series_that_jumps_from_nothing_is_trained_on(small):
    frame = good().assign(y=lambda f: np.where(f.ds < 20, 0.0, 1e12 * (1 + f.y.abs())))
    small(steps=30).fit(frame)


@pytest.mark.parametrize(
    "dtype", ["int8", "int64", "uint16", "float32", "Int64", "Float64", "object"]
)
def test_numbers_of_any_type_are_read(small, dtype):
    frame = good().assign(y=lambda f: f.y.round().abs())
    found = forecast(small, frame.assign(y=frame.y.astype(dtype)))
    pd.testing.assert_frame_equal(found, forecast(small, frame), check_exact=True)


def test_flags_are_read_as_zero_and_one(small):
    forecast(small, good().assign(y=lambda f: f.y > 0))


def test_a_masked_missing_value_is_unobserved(small):
    holes = good().y.where(good().ds % 9 != 4)
    masked = forecast(small, good().assign(y=holes.astype("Float64")))
    pd.testing.assert_frame_equal(masked, forecast(small, good().assign(y=holes)))


def test_identifiers_keep_their_leading_zeros(small):
    frame = good().assign(unique_id=lambda f: f.unique_id.map({"a": "007", "b": "7"}))
    assert forecast(small, frame).unique_id.unique().tolist() == ["007", "7"]


def test_offsets_from_utc_are_brought_together(small):
    stamps = pd.date_range("2024-03-01", periods=N, freq="h", tz="UTC")
    text = [stamp.tz_convert(f"+0{k % 3}:00").isoformat() for k, stamp in enumerate(stamps)]
    with pytest.warns(DataWarning, match="different offsets"):
        found = forecast(small, good()[:N].assign(ds=text))
    assert found.ds.iloc[0] == stamps[-1] + pd.Timedelta("1h")


def test_stamps_far_from_any_grid_are_taken_as_they_are(small):
    random = np.random.default_rng(0)
    gaps = np.where(random.random(N) < 0.1, 3e8, 1.0)  # seconds and ten years together
    ds = pd.Timestamp("1800-01-01") + pd.to_timedelta(gaps.cumsum().round(), unit="s")
    with pytest.warns(DataWarning, match="irregular"):
        forecast(small, good()[:N].assign(ds=ds.astype("M8[s]")))


@pytest.mark.parametrize("name", ["LSTM-lo-80", "LSTM-hi-95"])
def test_a_column_called_like_a_bound_is_refused(name):
    frame = pd.DataFrame({name: "a", "ds": range(20), "y": range(20)})
    with pytest.raises(OptionError, match=f"{name}.*Rename"):
        Forecaster(columns=Columns(id=name)).fit(frame)


def test_paths_that_do_not_fit_into_memory_are_refused():
    frame = pd.DataFrame({"unique_id": "a", "ds": range(30), "y": range(30)})
    model = Forecaster(hidden_size=4, training=Training(steps=2)).fit(frame)
    with pytest.raises(OptionError, match="200,000,000 values"):
        model.simulate(2_000_000, n=100)
