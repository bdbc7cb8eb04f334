"""Holes filled with the mean of their phase."""

import numpy as np
import pytest

from recurra.data.reading.arrays import from_arrays
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.treatments import Fill
from recurra.errors import DataError

nan = float("nan")


def week(values, start="2024-01-01T00", step=1, zone=None) -> SequenceDataset:
    values = np.asarray(values, float)[:, None]
    times = np.datetime64(start, "ns") + np.arange(len(values)) * np.timedelta64(step, "h")
    stream = Stream(
        values,
        np.array([0, len(values)]),
        ("x",),
        observed=~np.isnan(values),
        times=times.astype(np.int64),
        clock="calendar",
        zone=zone,
    )
    return SequenceDataset(("a",), {"x": stream})


def test_a_period_in_steps_starts_with_each_record():
    data = from_arrays([[1.0, 2.0, 3.0, nan, 4.0], [nan, nan]])
    fill = Fill("seasonal", period=3)
    after = fill.apply(data, fill.learn(data)).stream.values.ravel()
    assert after.tolist() == [1, 2, 3, 1, 4, 1, 3]


@pytest.mark.parametrize(
    ("period", "phase"),
    [
        ("hour", lambda t: t.hour),
        ("weekday", lambda t: t.weekday()),
        ("hour of week", lambda t: t.weekday() * 24 + t.hour),
        ("month", lambda t: t.month),
    ],
)
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_calendar_phases_are_read_from_the_clock_on_the_wall(period, phase, zone):
    import pandas as pd

    chance = np.random.default_rng(0)
    step = 97 if period == "month" else 1
    values = np.where(chance.random(900) < 0.3, nan, chance.normal(size=900))
    data = week(values, "2024-03-01T00", step, zone)
    stamps = pd.DatetimeIndex(data.stream.times.view("M8[ns]")).tz_localize("UTC")
    local = stamps if zone is None else stamps.tz_convert(zone)
    means = pd.Series(values).groupby([phase(t) for t in local]).transform("mean")
    wanted = pd.Series(values).fillna(means).fillna(np.nanmean(values))
    fill = Fill("seasonal", period=period)
    found = fill.apply(data, fill.learn(data)).stream.values.ravel()
    assert np.allclose(found, wanted, 1e-12)


def test_a_phase_never_seen_in_training_gets_the_mean():
    fill = Fill("seasonal", period="hour")
    learned = fill.learn(week([1.0, 3.0]))
    assert fill.apply(week([nan, nan, nan, 5.0]), learned).stream.values.ravel().tolist() == [
        1,
        3,
        2,
        5,
    ]


def test_a_calendar_phase_needs_a_calendar():
    with pytest.raises(DataError, match=r"the stream has a step clock.*datetime64") as caught:
        Fill("seasonal", period="hour").learn(from_arrays([[1.0, 2.0]]))
    assert caught.value.code == "no_calendar"


def test_static_covariates_have_no_season_and_get_the_mean():
    data = week([1.0, nan])
    static = Stream(np.array([[nan]]), np.array([0, 1]), ("age",), observed=np.array([[False]]))
    both = SequenceDataset(("a",), data.streams, static)
    fill = Fill("seasonal", period="hour")
    with pytest.warns(UserWarning, match="'age'"):
        learned = fill.learn(both)
    assert fill.apply(both, learned).static.values.tolist() == [[0.0]]
