"""Frames come back in the library they came in, with their stamps as they were."""

from datetime import date

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from recurra.data import from_frame
from recurra.estimators.forecasting.frames import read_long, write_like

N = 60
STAMPS = {
    "integers": np.arange(N),
    "small integers": np.arange(N, dtype=np.int32),
    "days": pd.date_range("2024-01-01", periods=N),
    "hours": pd.date_range("2024-01-01", periods=N, freq="h"),
    "months": pd.date_range("2020-01-01", periods=N, freq="MS"),
    "zoned": pd.date_range("2024-03-20", periods=N, freq="h", tz="Europe/Berlin"),
    "utc": pd.date_range("2024-03-20", periods=N, freq="D", tz="UTC"),
    "dates": np.array([day.date() for day in pd.date_range("2024-01-01", periods=N)], object),
}
LIBRARIES = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "pyarrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
}
KINDS = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.Table}


def walk(series, stamps):
    values = np.random.default_rng(0).normal(size=N).cumsum()
    return series("a", values, stamps)


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_comes_back_is_of_the_library_that_came(small, series, library):
    frame = LIBRARIES[library](walk(series, STAMPS["days"]))
    model = small(steps=5).fit(frame)
    for found in (
        model.predict(3, level=[80]),
        model.simulate(3, n=2),
        model.cross_validation(frame, h=3),
    ):
        assert type(found) is KINDS[library]
    new = LIBRARIES[library](walk(series, STAMPS["days"] + pd.Timedelta("60D"))[:2])
    assert type(model.update(new).predict(1)) is KINDS[library]


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_library_gives_the_same_numbers(small, series, library):
    frame = walk(series, STAMPS["days"])
    expected = small().fit(frame).predict(5, level=[80])
    found = nw.from_native(small().fit(LIBRARIES[library](frame)).predict(5, level=[80]))
    for name in expected.columns[2:]:
        np.testing.assert_array_equal(found[name].to_numpy(), expected[name])
    assert found["unique_id"].to_list() == ["a"] * 5


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("kind", STAMPS)
def test_stamps_keep_their_type_and_go_on(small, series, library, kind):
    frame = nw.from_native(LIBRARIES[library](walk(series, STAMPS[kind])))
    model = small(steps=3).fit(frame[:50].to_native())
    found = nw.from_native(model.predict(10))
    assert found["ds"].dtype == frame["ds"].dtype
    assert found["ds"].to_list() == frame["ds"].to_list()[50:]


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_cutoff_has_the_type_of_the_stamps(small, series, library):
    frame = LIBRARIES[library](walk(series, STAMPS["hours"]))
    found = nw.from_native(small(steps=3).cross_validation(frame, h=3))
    assert found["cutoff"].dtype == found["ds"].dtype == nw.from_native(frame)["ds"].dtype


def test_text_stamps_are_read_as_time(small, series):
    model = small(steps=3).fit(walk(series, STAMPS["days"].strftime("%Y-%m-%d")))
    assert model.predict(1).ds.tolist() == [pd.Timestamp("2024-03-01")]


def test_months_go_on_by_the_calendar(small, series):
    model = small(steps=3).fit(walk(series, STAMPS["months"]))
    assert model.predict(3).ds.dt.strftime("%Y-%m-%d").tolist() == [
        "2025-01-01",
        "2025-02-01",
        "2025-03-01",
    ]
    assert model.season_lengths_ == (12,)


def test_an_irregular_clock_is_forecast_at_the_usual_distance(small, series):
    random = np.random.default_rng(0)
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        np.cumsum(random.exponential(10, size=N) + 1), unit="min"
    )
    with pytest.warns(UserWarning, match="irregular"):
        model = small().fit(walk(series, stamps))
    found = model.predict(4, level=[80])
    assert (found.ds > stamps[-1]).all()
    np.testing.assert_allclose(
        found.ds.diff()[1:].dt.total_seconds(), np.median(np.diff(stamps) / np.timedelta64(1, "s"))
    )
    assert np.isfinite(found.iloc[:, 2:].to_numpy()).all()
    assert "irregular" in model.notes_[0]


def test_a_given_step_is_used(small, series):
    frame = walk(series, STAMPS["integers"] * 6)
    assert small(steps=3).fit(frame).predict(2).ds.tolist() == [360, 366]
    with pytest.warns(UserWarning, match="stamps were missing"):
        model = small(steps=3, freq=3).fit(frame)
    assert model.predict(2).ds.tolist() == [357, 360]


def test_a_file_is_read_like_a_frame(small, series, tmp_path):
    frame = walk(series, STAMPS["days"])
    frame.to_csv(tmp_path / "walk.csv", index=False)
    frame.to_parquet(tmp_path / "walk.parquet")
    expected = small(steps=5).fit(frame).predict(3).LSTM
    for name in ("walk.csv", "walk.parquet"):
        found = small(steps=5).fit(tmp_path / name).predict(3)
        assert type(found) is pd.DataFrame
        np.testing.assert_allclose(found.LSTM, expected, rtol=1e-9)


def test_reading_says_which_library_a_frame_is_of(series, tmp_path):
    frame = walk(series, STAMPS["days"])
    for library, convert in LIBRARIES.items():
        dataset, backend = read_long(convert(frame))
        assert (len(dataset), backend) == (1, library)
    dataset = from_frame(frame)
    assert read_long(dataset) == (dataset, "pandas")


@pytest.mark.parametrize("library", LIBRARIES)
def test_writing_keeps_names_and_values(library):
    frame = pd.DataFrame({"unique_id": ["a", "b"], "ds": [date(2024, 1, 1)] * 2, "y": [1.5, 2.5]})
    found = write_like(frame, library)
    assert type(found) is KINDS[library]
    assert nw.from_native(found)["y"].to_list() == [1.5, 2.5]
    assert nw.from_native(found).columns == ["unique_id", "ds", "y"]
