import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.data.treatments import Preprocessor, Resample
from recurra.data.treatments.resample import MOST_STEPS
from recurra.errors import DataError, OptionError
from recurra.testing.sequences import datasets

NUMBERS = ("normal", "counts", "flags", "never")
WAYS = ("mean", "last", "first", "sum", "min", "max", "count")
ZONES = [None, "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata"]
HOUR = 3_600_000_000_000


def calendar(stamps, values=None, zone=None, offsets=None):
    times = pd.DatetimeIndex(stamps)
    times = times.tz_localize(zone) if times.tz is None and zone else times
    times = times.as_unit("ns").asi8.copy()
    values = np.arange(1.0, len(times) + 1) if values is None else np.array(values, float)
    offsets = np.array([0, len(times)] if offsets is None else offsets)
    stream = Stream(
        values[:, None],
        offsets,
        ("x",),
        observed=~np.isnan(values)[:, None],
        times=times,
        clock="calendar",
        zone=zone,
    )
    return SequenceDataset(tuple(range(len(offsets) - 1)), {"x": stream})


def numbers(times, values=None, offsets=None):
    times = np.array(times, float)
    values = np.arange(1.0, len(times) + 1) if values is None else np.array(values, float)
    offsets = np.array([0, len(times)] if offsets is None else offsets)
    stream = Stream(
        values[:, None],
        offsets,
        ("x",),
        observed=~np.isnan(values)[:, None],
        times=times,
        clock="number",
    )
    return SequenceDataset(tuple(range(len(offsets) - 1)), {"x": stream})


def applied(treatment, data):
    return treatment.apply(data, treatment.learn(data))


def chance_data(seed, zone=None, rows=200, records=4, days=40):
    """Draw events of some weeks around the end of summer time, with holes."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2024-10-01", tz="UTC").as_unit("ns").value
    offsets = np.sort(np.r_[0, rng.integers(0, rows, records - 1), rows])
    owners = np.repeat(np.arange(records), np.diff(offsets))
    times = start + rng.integers(0, days * 24, rows) * HOUR + rng.integers(0, 3, rows) * HOUR // 2
    times = times[np.lexsort((times, owners))]
    values = rng.normal(size=(rows, 2))
    seen = rng.random((rows, 2)) < 0.7
    stream = Stream(
        values, offsets, ("a", "b"), observed=seen, times=times, clock="calendar", zone=zone
    )
    return SequenceDataset(tuple(range(records)), {"x": stream})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("every", "origin"),
    [
        ("1h", "record"),
        ("6h", "clock"),
        ("90min", "record"),
        ("MS", "clock"),
        ("QS-NOV", "clock"),
        ("2D", "record"),
    ],
)
def test_a_grid_holds_what_pandas_computes(way, every, origin):
    data = chance_data(WAYS.index(way))
    made = applied(Resample(every, way, origin), data).stream
    for i in range(len(data)):
        values, seen, times = data.stream.at(i)
        frame = pd.DataFrame(np.where(seen, values, np.nan), pd.DatetimeIndex(times.view("M8[ns]")))
        if not len(frame):
            assert made.lengths[i] == 0
            continue
        anchor = {"record": "start", "clock": "epoch"}[origin]
        where = {} if every[-1] not in "hinD" else {"origin": anchor}
        bins = frame.resample(every, closed="right", label="right", **where)
        want = bins.sum(min_count=1) if way == "sum" else getattr(bins, way)()
        want = want[want.index >= frame.index[0]]
        ours = made.at(i)
        ours_values = np.where(ours.observed, ours.values, np.nan)
        np.testing.assert_array_equal(ours.times, want.index.as_unit("ns").asi8)
        np.testing.assert_allclose(ours_values, want.to_numpy(), rtol=1e-12)


@given(
    data=datasets(clocks=("number", "calendar"), channels=NUMBERS, static=False, targets=False),
    every=st.sampled_from([40.5, 4000.0, 2500]),
    days=st.sampled_from(["2D", "7D", "MS", "2QS-JAN", "B", "M-15"]),
    origin=st.sampled_from(["record", "clock"]),
)
@settings(max_examples=80, deadline=None)
def test_no_observation_is_lost_or_doubled_and_none_is_from_the_future(data, every, days, origin):
    stream = data.streams["x0"]
    step = days if stream.clock == "calendar" else every
    treatment = Resample(step, ("mean", "sum", "count", "max"), origin)
    made = applied(treatment, data).streams["x0"]
    for k in range(len(stream.channels)):
        summed, counted = 4 * k + 1, 4 * k + 2
        assert made.mask[:, counted].all()
        assert made.values[:, counted].sum() == stream.mask[:, k].sum()
        total = made.values[made.mask[:, summed], summed].sum()
        np.testing.assert_allclose(
            total, stream.values[stream.mask[:, k], k].sum(), rtol=1e-4, atol=1e-3
        )
        assert np.array_equal(made.mask[:, 4 * k], made.values[:, counted] > 0)
    clock = replace(
        stream,
        values=stream.clock_times[:, None].astype(float),
        channels=("when",),
        observed=None,
        categories={},
    )
    latest = applied(Resample(step, "max", origin), SequenceDataset(data.ids, {"x0": clock}))
    late = latest.stream
    seen = late.mask[:, 0]
    slack = 1e-9 * every if stream.clock == "number" else 0
    assert (late.values[seen, 0] <= late.times[seen] + slack).all()
    previous = np.roll(late.times, 1)
    inner = np.ones(late.rows, bool)
    inner[late.offsets[:-1][late.lengths > 0]] = False
    earliest = applied(
        Resample(step, "min", origin), SequenceDataset(data.ids, {"x0": clock})
    ).stream
    both = seen & inner
    assert (earliest.values[both, 0] > previous[both] - slack).all()


@given(data=datasets(clocks=("number", "calendar")), origin=st.sampled_from(["record", "clock"]))
@settings(max_examples=60, deadline=None)
def test_each_record_alone_is_treated_as_together(data, origin):
    treatment = Resample("2MS" if data.streams["x0"].clock == "calendar" else 75.0, "mean", origin)
    whole = applied(treatment, data).streams["x0"]
    for i in range(len(data)):
        ours, theirs = applied(treatment, data.take([i])).streams["x0"].at(0), whole.at(i)
        np.testing.assert_array_equal(ours.times, theirs.times)
        np.testing.assert_array_equal(ours.observed, theirs.observed)
        seen = ours.observed
        np.testing.assert_array_equal(ours.values[seen], theirs.values[seen])


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("origin", ["record", "clock"])
def test_days_are_those_of_the_zone_and_hours_that_come_twice_are_kept(zone, origin):
    stamps = pd.date_range("2011-10-20 00:30", "2012-04-10", freq="1h", tz="UTC")
    data = calendar(stamps.tz_localize(None), zone=None)
    data = data.with_streams(x=replace(data.stream, zone=zone))
    made = applied(Resample("D", ("count", "sum"), origin), data).stream
    assert made.values[:, 0].sum() == len(stamps)
    assert made.values[made.mask[:, 1], 1].sum() == data.stream.values.sum()
    local = pd.DatetimeIndex(made.times.view("M8[ns]")).tz_localize("UTC").tz_convert(zone or "UTC")
    if origin == "clock":
        assert (local == local.normalize()).mean() > 0.99
        want = stamps.tz_convert(zone or "UTC")
        days = pd.Series(1, want).groupby((want - pd.Timedelta(1, "ns")).date).sum()
        ours = (
            pd.Series(made.values[:, 0], local).groupby((local - pd.Timedelta(1, "h")).date).sum()
        )
        assert ours[ours > 0].to_dict() == days.to_dict()


def test_a_day_of_23_and_one_of_25_hours_in_berlin():
    for day, hours in (("2024-03-31", 23), ("2024-10-27", 25)):
        start = pd.Timestamp(day, tz="Europe/Berlin")
        stamps = pd.date_range(start, periods=hours + 1, freq="1h").tz_convert("UTC")
        data = calendar(stamps.tz_localize(None))
        data = data.with_streams(x=replace(data.stream, zone="Europe/Berlin"))
        made = applied(Resample("D", "count", "clock"), data).stream
        assert made.values.ravel().tolist() == [1, hours]
        hourly = applied(Resample("1h", "count", "clock"), data).stream
        assert hourly.values.ravel().tolist() == [1] * (hours + 1)


def test_marks_in_an_hour_that_comes_twice_or_never_part_what_was_before_from_after():
    for first, second, count in (
        ("2024-10-26T00:30", "2024-10-27T01:15", [1, 0, 1]),
        ("2024-03-30T01:30", "2024-03-31T01:00", [1, 1]),
    ):
        data = calendar([first, second])
        data = data.with_streams(x=replace(data.stream, zone="Europe/Berlin"))
        made = applied(Resample("D", "count"), data).stream
        assert made.values.ravel().tolist() == count
        assert made.times[-1] >= data.stream.times[-1]
        assert made.times[-2] < data.stream.times[-1]


def test_every_other_month_is_the_same_whoever_else_is_there():
    old, new = ["1955-03-03", "1955-08-03"], ["2000-02-03", "2000-08-03"]
    both = applied(Resample("2MS"), calendar(old + new, offsets=[0, 2, 4])).stream
    for i, stamps in enumerate((old, new)):
        assert np.array_equal(
            applied(Resample("2MS"), calendar(stamps)).stream.times, both.at(i).times
        )
    assert both.at(0).times.view("M8[ns]")[0] == np.datetime64("1955-05-01")


def test_a_series_on_the_grid_stays_as_it_is():
    times = 100.7 + np.arange(2000) * 0.1
    data = numbers(times)
    made = applied(Resample(0.1), data).stream
    assert np.array_equal(made.values, data.stream.values)
    np.testing.assert_allclose(made.times, times, atol=1e-9)
    daily = calendar(pd.date_range("2024-03-01", periods=300, freq="D"), zone="Europe/Berlin")
    for origin in ("record", "clock"):
        same = applied(Resample("D", "last", origin), daily).stream
        assert np.array_equal(same.times, daily.stream.times)
        assert np.array_equal(same.values, daily.stream.values)


def test_records_of_no_and_one_step_are_legal():
    data = numbers([5.0], offsets=[0, 0, 1, 1])
    made = applied(Resample(10.0), data).stream
    assert made.lengths.tolist() == [0, 1, 0]
    nothing = numbers([], offsets=[0, 0])
    assert applied(Resample(10.0, ("mean", "count")), nothing).stream.rows == 0
    empty = calendar([], offsets=[0, 0])
    assert applied(Resample("MS", "mean"), empty).stream.rows == 0


def test_a_count_is_known_where_nothing_was_and_a_sum_is_not():
    made = applied(Resample(1.0, ("sum", "count")), numbers([0, 2.5], [3, np.nan])).stream
    assert made.channels == ("x", "x:count")
    assert made.values[:, 1].tolist() == [1, 0, 0, 0]
    assert made.mask.tolist() == [[True, True]] + 3 * [[False, True]]


def test_each_channel_may_have_ways_of_its_own_and_labels_keep_their_last():
    stream = Stream(
        np.array([[1.0, 0], [2, 1], [9, 2]]),
        np.array([0, 3]),
        ("x", "colour"),
        times=np.array([0.0, 0.5, 0.6]),
        clock="number",
        categories={"colour": ("r", "g", "b")},
    )
    data = SequenceDataset(("a",), {"s": stream})
    made = applied(Resample(1.0, {"x": ("max", "min")}), data).stream
    assert made.channels == ("x", "x:min", "colour")
    assert made.values[1].tolist() == [9, 2, 2]
    assert made.categories == {"colour": ("r", "g", "b")}
    counted = applied(Resample(1.0, {"colour": "count"}), data).stream
    assert counted.categories == {}
    with pytest.raises(OptionError, match="'colour' holds labels, which have no mean"):
        Resample(1.0, {"colour": "mean"}).learn(data)
    with pytest.raises(OptionError, match=r"no channel 'color'\. Did you mean 'colour'"):
        Resample(1.0, {"color": "last"}).learn(data)


def test_the_answer_for_a_step_is_the_last_known_one():
    data = numbers([0.0, 0.2, 0.4, 2.0])
    target = Target(
        np.array([[1], [0], [-1], [1]]), "step", ("n", "y"), ("y",), data.stream.offsets, "x"
    )
    made = applied(Resample(1.0), data.with_targets(y=target))
    assert made.target.values.ravel().tolist() == [1, 0, 1]
    assert applied(Resample(0.5), data.with_targets(y=target)).target.values.ravel().tolist() == [
        1,
        0,
        -1,
        -1,
        1,
    ]


def test_integers_keep_their_type_where_they_can():
    stream = Stream(
        np.array([[1], [2], [3]], np.int8),
        np.array([0, 3]),
        ("x",),
        times=np.array([0, 1, 5]),
        clock="number",
    )
    data = SequenceDataset(("a",), {"s": stream})
    last = applied(Resample(2, "last"), data).stream
    assert (last.values.dtype, last.times.dtype) == (np.int8, np.int64)
    assert last.values[last.mask].tolist() == [1, 2, 3]
    assert last.times.tolist() == [0, 2, 4, 6]
    assert applied(Resample(5), data).stream.values.ravel().tolist() == [1, 2.5]


def test_a_grid_that_is_too_large_is_refused_before_it_is_made():
    wide = calendar(["2000-01-01", "2024-01-01"])
    with pytest.raises(DataError, match=r"757,382,401 steps of 2.*larger step") as caught:
        Resample("1s").apply(wide, {})
    assert (caught.value.code, caught.value.record) == ("sparse", 0)
    with pytest.raises(DataError, match="larger step") as caught:
        Resample(1e-300).apply(numbers([0, 1e300]), {})
    assert caught.value.code == "sparse"
    assert applied(Resample("1min"), calendar(["2024-01-01", "2024-01-02"])).stream.rows == 1441
    assert MOST_STEPS == 5_000_000


def test_options_that_do_not_suit_the_clock_are_refused():
    with pytest.raises(OptionError, match="The clock is a calendar, but every=3600"):
        Resample(3600).learn(calendar(["2024-01-01"]))
    with pytest.raises(OptionError, match="The clock is one of numbers, but every='1h'"):
        Resample("1h").learn(numbers([1]))
    with pytest.raises(OptionError, match="every='hourly' is no pandas offset alias"):
        Resample("hourly").learn(calendar(["2024-01-01"]))
    with pytest.raises(OptionError, match="longer than 0"):
        Resample(0)
    for wrong in (True, None):
        with pytest.raises(OptionError, match="it is a number, or an alias"):
            Resample(wrong)
    with pytest.raises(OptionError, match="how=None"):
        Resample(1, None)
    with pytest.raises(OptionError, match="how='median'"):
        Resample(1, ("mean", "median"))
    with pytest.raises(OptionError, match="origin='start'"):
        Resample(1, origin="start")
    step = SequenceDataset((0,), {"s": Stream(np.zeros((1, 1)), np.array([0, 1]), ("x",))})
    with pytest.raises(OptionError, match="No stream of measurements has times"):
        Resample(1).learn(step)
    with pytest.raises(DataError, match=r"Sort\(\) first"):
        Resample(1.0).apply(numbers([2, 1]), {})


def test_it_is_saved_with_its_options():
    data = numbers([0.0, 0.2, 3.0])
    fitted = Preprocessor([Resample(1.0, {"x": ("mean", "count")})]).fit(data)
    header = json.loads(json.dumps(fitted.header()))
    again = Preprocessor.from_saved(header, fitted.arrays())
    assert again.treatments == fitted.treatments
    assert np.array_equal(
        again.transform(data).stream.values, fitted.transform(data).stream.values, equal_nan=True
    )


def test_a_span_gives_every_record_the_same_grid():
    data = numbers([3.0, 4.5, 11.0], offsets=[0, 2, 2, 3])
    treated = Resample(2.0, origin="clock", span=(0, 8)).apply(data, {}).stream
    assert treated.lengths.tolist() == [5, 5, 7]
    assert treated.times[:5].tolist() == [0, 2, 4, 6, 8]
    assert treated.times[10:].tolist() == [0, 2, 4, 6, 8, 10, 12]
    assert treated.mask.ravel().nonzero()[0].tolist() == [2, 3, 16]
    assert np.nansum(treated.values) == 6


@pytest.mark.parametrize(
    "options", [{}, {"origin": "clock", "span": (3, 1)}, {"every": "1h", "origin": "clock"}]
)
def test_a_span_needs_a_clock_of_numbers(options):
    with pytest.raises(OptionError, match="a span is"):
        Resample(**{"every": 2.0, "span": (0, 1)} | options)
