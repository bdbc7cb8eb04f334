"""What was planted is found, nothing else is warned of, and what is recommended can be done."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recurra.auditing import Audit, audit
from recurra.data import from_frame
from recurra.data.reading.arrays import from_arrays
from recurra.data.reading.events import from_events
from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.data.treatments import Fill, Preprocessor
from recurra.errors import DataError, DataWarning, OptionError

HOUR = 3_600_000_000_000
DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))


def clean(records=40, steps=60, channels=3, seed=0, **options):
    """Random walks of several lengths, with an answer that nothing gives away."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(steps // 2, steps, records)
    X = [np.cumsum(rng.normal(size=(n, channels)), 0) * 0.3 for n in lengths]
    y = rng.permutation(np.arange(records) % 2).tolist()
    return from_arrays(X, y, channels=list("abcdefgh"[:channels]), **options)


def with_values(data, change):
    """The same data after a change of their values."""
    values = data.stream.values.copy()
    change(values, data.stream)
    seen = ~np.isnan(values)
    stream = replace(data.stream, values=values, observed=None if seen.all() else seen)
    return data.with_streams(x=stream)


def with_column(data, column, name="new"):
    """The same data with a channel more."""
    stream = data.stream
    wide = np.column_stack([stream.values, column])
    mask = np.column_stack([stream.mask, ~np.isnan(column)])
    made = replace(stream, values=wide, channels=(*stream.channels, name), observed=mask)
    return data.with_streams(x=made)


def timed(data, step=HOUR, jitter=0.0, clock="calendar"):
    """The same data with times."""
    stream, rng = data.stream, np.random.default_rng(1)
    places = stream.clock_times.astype(float)
    times = (places + jitter * rng.random(len(places))) * step
    times = times.astype(np.int64) + 1_700_000_000_000_000_000 if clock == "calendar" else times
    made = replace(stream, times=times, clock=clock, zone="UTC" if clock == "calendar" else None)
    return data.with_streams(x=made)


def with_times(data, change):
    """The same data after a change of their times."""
    times = data.stream.times.copy()
    change(times, data.stream.offsets)
    return data.with_streams(x=replace(data.stream, times=times))


def label(data):
    """The class of each record, on each of its steps."""
    return np.repeat(data.target.values[:, 0], data.stream.lengths).astype(float)


# ----------------------------------------------------------------- one planted case for each code


def empty_records():
    data = clean()
    return from_arrays(
        [np.zeros((0, 3)), *[data.at(i).streams["x"].values for i in range(20)]],
        channels=["a", "b", "c"],
    )


def single_steps():
    data = clean()
    return from_arrays(
        [data.at(0).streams["x"].values[:1], *[data.at(i).streams["x"].values for i in range(20)]]
    )


def uneven_lengths():
    data, rng = clean(), np.random.default_rng(0)
    return from_arrays(
        [rng.normal(size=(3000, 3)), *[data.at(i).streams["x"].values for i in range(20)]]
    )


def unsorted_times():
    def swap(times, offsets):
        times[[3, 4]] = times[[4, 3]]

    return with_times(timed(clean()), swap)


def repeated_stamps():
    def repeat(times, offsets):
        times[5] = times[4]

    return with_times(timed(clean()), repeat)


def repeated_stamps_of_equals():
    data = repeated_stamps()

    def equal(values, stream):
        values[5] = values[4]

    return with_values(data, equal)


def missing_stamps():
    def jump(times, offsets):
        times[10 : offsets[1]] += 5 * HOUR

    return with_times(timed(clean()), jump)


def irregular_clock():
    def stretch(times, offsets):
        for a, b in pairwise(offsets):
            times[a:b] = np.cumsum(np.random.default_rng(a).exponential(HOUR, b - a))

    return with_times(timed(clean()), stretch)


def long_gap():
    def jump(times, offsets):
        times[10 : offsets[1]] += 50_000 * HOUR + 7

    return with_times(irregular_clock(), jump)


def jitter():
    return timed(clean(), jitter=0.05)


def no_zone():
    data = timed(clean())
    return data.with_streams(x=replace(data.stream, zone=None))


def unknown_times():
    data = timed(clean(), 1.0, clock="number")
    times = data.stream.times.copy()
    times[3] = np.nan
    return data.with_streams(x=replace(data.stream, times=times))


def listed_events():
    codes = np.tile(np.arange(4.0), 200)
    values = np.stack([codes, np.random.default_rng(0).normal(size=800)], 1)
    stream = Stream(
        values,
        np.arange(0, 801, 40),
        ("what", "value"),
        times=np.tile(np.repeat(np.arange(10.0), 4), 20),
        clock="number",
        categories={"what": ("a", "b", "c", "d")},
    )
    return SequenceDataset(tuple(range(20)), {"x": stream})


def missing_at_random():
    def lose(values, stream):
        values[np.random.default_rng(3).random(len(values)) < 0.2, 1] = np.nan

    return with_values(clean(), lose)


def missing_by_night():
    data = timed(clean(4, 400))

    def lose(values, stream):
        values[stream.times // HOUR % 24 < 6, 0] = np.nan

    return with_values(data, lose)


def missing_mostly():
    def lose(values, stream):
        values[np.random.default_rng(3).random(values.shape) < 0.9] = np.nan

    return with_values(timed(clean()), lose)


def missing_steps():
    def lose(values, stream):
        values[np.random.default_rng(3).random(len(values)) < 0.2] = np.nan

    return with_values(clean(), lose)


def missing_together():
    def lose(values, stream):
        rng = np.random.default_rng(3)
        values[rng.random(len(values)) < 0.2, :2] = np.nan
        values[rng.random(len(values)) < 0.2, 2] = np.nan

    return with_values(clean(), lose)


def missing_by_record():
    def lose(values, stream):
        rng, share = np.random.default_rng(3), np.repeat(np.linspace(0, 0.8, 40), stream.lengths)
        values[rng.random(len(values)) < share] = np.nan

    return with_values(clean(), lose)


def unobserved_records():
    def lose(values, stream):
        values[: stream.offsets[1]] = np.nan

    return with_values(clean(), lose)


def never_observed():
    def lose(values, stream):
        values[:, 1] = np.nan

    return with_values(clean(), lose)


def constant():
    return with_column(clean(), np.full(clean().stream.rows, 3.0))


def constant_if_there():
    rows = clean().stream.rows
    column = np.where(np.random.default_rng(0).random(rows) < 0.3, 1.0, np.nan)
    return with_column(clean(), column)


def almost_constant():
    data = clean(60)
    return with_column(data, (np.arange(data.stream.rows) == 7) * 1.0)


def many_labels():
    data = clean()
    rows = data.stream.rows
    made = with_column(data, np.arange(rows) * 1.0)
    labels = tuple(f"id{k}" for k in range(rows))
    return made.with_streams(x=replace(made.stream, categories={"new": labels}))


def big_numbers():
    data = clean()
    return with_column(data, 2.0**60 + 2.0**20 * np.arange(data.stream.rows))


def fine_numbers():
    def shift(values, stream):
        values[:, 0] += 1e9

    return with_values(clean(), shift)


def outliers():
    def spike(values, stream):
        values[[5, 50], 0] = 1e4

    return with_values(clean(), spike)


def outliers_of_many():
    def spike(values, stream):
        values[np.arange(5), np.arange(5)] = 1e4

    return with_values(clean(channels=5), spike)


def stand_in():
    def mark(values, stream):
        values[:, 0] = np.abs(values[:, 0]) + 5
        values[[3, 9, 70], 0] = -999

    return with_values(clean(), mark)


def mainly_one_value():
    data = clean()
    rain = np.maximum(np.random.default_rng(0).normal(size=data.stream.rows) - 0.7, 0)
    return with_column(data, rain)


def skewed():
    data = clean()
    return with_column(data, np.exp(2 * np.random.default_rng(0).normal(size=data.stream.rows)))


def unequal_scales():
    def stretch(values, stream):
        values[:, 0] *= 1e4

    return with_values(clean(), stretch)


def equal_channels():
    return with_column(clean(), clean().stream.values[:, 1])


def alike_channels():
    noise = np.random.default_rng(0).normal(size=clean().stream.rows)
    return with_column(clean(), -2 * clean().stream.values[:, 1] + 0.001 * noise)


def missing_target():
    data = clean()
    values = data.target.values.copy()
    values[3] = -1
    return data.with_targets(y=replace(data.target, values=values))


def unused_classes():
    data = clean()
    return data.with_targets(y=replace(data.target, classes=("0", "1", "2")))


def lone_classes():
    data = clean()
    values = data.target.values.copy()
    values[7] = 2
    return data.with_targets(y=replace(data.target, values=values, classes=("0", "1", "2")))


def single_class():
    data = clean()
    return data.with_targets(y=replace(data.target, values=np.zeros((40, 1), np.int64)))


def class_balance():
    data = clean(200)
    return data.with_targets(y=replace(data.target, values=(np.arange(200)[:, None] == 33) * 1))


def numeric_target(values):
    return clean().with_targets(y=Target(np.asarray(values, float)[:, None]))


def constant_target():
    return numeric_target(np.full(40, 2.0))


def target_outliers():
    values = np.random.default_rng(0).normal(size=40)
    values[3] = 1e5
    return numeric_target(values)


def sorted_by_target():
    data = clean()
    return data.take(np.argsort(data.target.values[:, 0], kind="stable"))


def length_tells():
    data = clean(80)
    keep = [
        i
        for i in range(80)
        if (data.lengths[i] > np.median(data.lengths)) == (data.target.values[i, 0] == 1)
    ]
    return data.take(keep)


def repeats_tell():
    data = timed(clean(200))
    times = data.stream.times.copy()
    for i in np.flatnonzero(data.target.values[:, 0]):
        times[data.stream.offsets[i] + 1] = times[data.stream.offsets[i]]
    return data.with_streams(x=replace(data.stream, times=times))


def missing_tells():
    data = clean(200)

    def lose(values, stream):
        rate = np.where(label(data) == 1, 0.4, 0.2)
        values[np.random.default_rng(3).random(len(values)) < rate, 1] = np.nan

    return with_values(data, lose)


def target_in_static():
    data = clean()
    covariate = data.target.values * 5.0 + 2
    static = Stream(covariate, np.arange(41), ("outcome",))
    return replace(data, static=static)


def target_in_channel():
    return with_column(clean(), label(clean()))


def target_told():
    data = clean(400, 20)
    noise = np.random.default_rng(0).normal(size=400)
    score = data.target.values[:, 0] * 10 + noise
    score[np.flatnonzero(data.target.values[:, 0])[0]] = noise.max()
    return replace(data, static=Stream(score[:, None], np.arange(401), ("score",)))


def easily_told():
    data = clean()

    def lift(values, stream):
        values[:, 0] += 50 * label(data)

    return with_values(data, lift)


def step_target(lag):
    data = clean()
    rows = data.stream.rows
    codes = (np.random.default_rng(5).random(rows) < 0.3).astype(np.int64)
    made = with_column(data, np.roll(codes, -lag).astype(float), "peek")
    target = Target(codes[:, None], "step", ("0", "1"), ("y",), data.stream.offsets, "x")
    return replace(made, targets={"y": target})


def target_copied_in_step():
    return step_target(0)


def future_copied_in_step():
    return step_target(1)


def identical_records():
    data = clean(21)
    again = data.take([4])
    return data.join(replace(again, ids=("again",)))


def contradicting_targets():
    data = clean(21)
    again = data.take([4])
    target = replace(again.target, values=1 - again.target.values)
    return data.join(replace(again, ids=("again",), targets={"y": target}))


def overlapping_records():
    long = np.cumsum(np.random.default_rng(0).normal(size=(600, 2)), 0)
    return from_arrays([long[k : k + 40] for k in range(0, 560, 20)])


def lasting_target():
    data = clean()
    codes = (np.arange(data.stream.rows) // 300 % 2)[:, None]
    target = Target(codes, "step", ("0", "1"), ("y",), data.stream.offsets, "x")
    return replace(data, targets={"y": target})


PLANTED = {
    "empty_records": empty_records,
    "single_steps": single_steps,
    "uneven_lengths": uneven_lengths,
    "unsorted_times": unsorted_times,
    "repeated_stamps": repeated_stamps,
    "repeated_stamps/equal": repeated_stamps_of_equals,
    "missing_stamps": missing_stamps,
    "irregular_clock": irregular_clock,
    "long_gap": long_gap,
    "jitter": jitter,
    "no_zone": no_zone,
    "unknown_times": unknown_times,
    "listed_events": listed_events,
    "missing_values": missing_at_random,
    "missing_values/night": missing_by_night,
    "missing_values/mostly": missing_mostly,
    "missing_steps": missing_steps,
    "missing_together": missing_together,
    "missing_by_record": missing_by_record,
    "unobserved_records": unobserved_records,
    "never_observed": never_observed,
    "constant": constant,
    "constant_if_there": constant_if_there,
    "almost_constant": almost_constant,
    "many_labels": many_labels,
    "big_numbers": big_numbers,
    "fine_numbers": fine_numbers,
    "outliers": outliers,
    "outliers/many": outliers_of_many,
    "stand_in": stand_in,
    "mainly_one_value": mainly_one_value,
    "skewed": skewed,
    "unequal_scales": unequal_scales,
    "equal_channels": equal_channels,
    "alike_channels": alike_channels,
    "missing_target": missing_target,
    "unused_classes": unused_classes,
    "lone_classes": lone_classes,
    "single_class": single_class,
    "class_balance": class_balance,
    "constant_target": constant_target,
    "target_outliers": target_outliers,
    "sorted_by_target": sorted_by_target,
    "length_tells": length_tells,
    "repeats_tell": repeats_tell,
    "missing_tells": missing_tells,
    "target_copied": target_in_static,
    "target_copied/channel": target_in_channel,
    "target_copied/step": target_copied_in_step,
    "target_told": target_told,
    "easily_told": easily_told,
    "future_copied": future_copied_in_step,
    "lasting_target": lasting_target,
    "identical_records": identical_records,
    "contradicting_targets": contradicting_targets,
    "overlapping_records": overlapping_records,
}


@pytest.mark.parametrize("code", PLANTED)
def test_what_was_planted_is_found_and_told(code):
    report = audit(PLANTED[code]())
    found = report.of(code.split("/")[0])
    assert found, report.findings
    assert all(each.sentence.endswith((".", "?")) for each in report.findings)
    assert max(map(len, str(report).splitlines())) <= 100


@pytest.mark.parametrize("code", PLANTED)
def test_what_is_recommended_fits_and_leaves_no_hole_in_numbers(code):
    data = PLANTED[code]()
    recommended = audit(data).recommended
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        treated = recommended.fit_transform(data)
        again = recommended.transform(data)
        saved = Preprocessor.from_saved(recommended.header(), recommended.arrays())
    assert saved.treatments == recommended.treatments
    assert len(again) == len(data)
    values = treated.stream.values.astype(float)
    assert np.isfinite(values).all()
    np.testing.assert_array_equal(values, again.stream.values)


@pytest.mark.parametrize("code", PLANTED)
def test_json_gives_the_same_audit_back(code):
    report = audit(PLANTED[code]())
    assert Audit.from_json(report.to_json()) == report


@pytest.mark.parametrize("seed", range(5))
def test_clean_data_give_no_warning_and_no_advice(seed):
    report = audit(timed(clean(60, 80, 4, seed)))
    assert {each.level for each in report.findings} <= {"note"}, report.findings
    assert [type(step.treatment).__name__ for step in report.steps] == ["Scale"]


def test_clean_series_to_be_forecast_give_no_warning():
    rng = np.random.default_rng(0)
    t = np.arange(400)
    frame = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2024", periods=400, freq="h")})
    frame["y"] = np.sin(t / 3) + 0.1 * rng.normal(size=400)
    frame["warmth"] = np.sin((t + 2) / 3) + 0.1 * rng.normal(size=400)
    report = audit(frame)
    assert not report.warnings, report.findings


def test_a_mostly_missing_channel_gets_its_age_and_a_word_on_grud():
    steps = audit(missing_mostly()).steps
    assert any("grud" in step.reason for step in steps)
    assert "SinceObserved()" in repr(audit(missing_mostly()).recommended)


def test_a_channel_missing_by_night_is_filled_by_hour():
    report = audit(missing_by_night())
    (found,) = report.of("missing_values")
    assert "every day, 00:00 to 06:00" in found.sentence
    assert found.treatment is not None
    assert (found.treatment.method, found.treatment.period) == ("seasonal", "hour")


def test_nights_are_those_of_the_zone():
    data = missing_by_night()
    moved = data.with_streams(x=replace(data.stream, zone="Asia/Shanghai"))
    assert "08:00 to 14:00" in audit(moved).of("missing_values")[0].sentence


def test_every_fill_is_causal():
    for plant in PLANTED.values():
        for step in audit(plant()).steps:
            assert getattr(step.treatment, "causal", True), step


def test_repeated_stamps_are_joined_by_mean_only_where_values_differ():
    assert audit(repeated_stamps()).of("repeated_stamps")[0].treatment.keep == "mean"
    assert audit(repeated_stamps_of_equals()).of("repeated_stamps")[0].treatment.keep == "error"


@pytest.mark.parametrize("lag", [0, 1, 24])
def test_a_covariate_that_is_the_forecast_series_ahead_of_time(lag):
    rng = np.random.default_rng(0)
    y = np.cumsum(rng.normal(size=300))
    frame = pd.DataFrame({"unique_id": "a", "ds": np.arange(300), "y": y})
    frame["peek"] = np.roll(y, -lag)
    frame["other"] = np.cumsum(rng.normal(size=300))
    report = audit(from_frame(frame[: 300 - lag], columns_of(frame)))
    (found,) = [each for each in report.warnings if each.code.endswith("_copied")]
    assert (found.code, found.numbers["ahead"]) == (
        "future_copied" if lag else "target_copied",
        lag,
    )
    assert found.channels == ("peek",)
    assert "Drop(channels=('peek',))" in repr(report.recommended)


def columns_of(frame):
    from recurra.data import Columns

    return Columns(past=tuple(name for name in frame if name not in ("unique_id", "ds", "y")))


def test_a_channel_may_be_named_as_what_is_forecast():
    data = equal_channels()
    (found,) = audit(data, target="b").of("target_copied")
    assert found.channels == ("new",)
    with pytest.raises(OptionError, match="no target or channel 'bb'"):
        audit(data, target="bb")


def test_records_stretches_and_ids_of_the_test_part_are_found():
    train, test = clean(30, seed=1), clean(30, seed=2)
    assert not audit(train, test=test).warnings
    assert audit(train, test=train.take([3, 4])).of("records_in_both")[0].numbers["records"] == 2
    long = np.cumsum(np.random.default_rng(0).normal(size=(200, 2)), 0)
    both = audit(from_arrays([long[:120]]), test=from_arrays([long[80:]]))
    assert both.of("stretches_in_both")[0].numbers["share"] == pytest.approx(40 / 120)
    named = audit(
        replace(train, ids=tuple(f"p{i}" for i in range(30))),
        test=replace(test, ids=tuple(f"p{i + 29}" for i in range(30))),
    )
    assert named.of("ids_in_both")[0].numbers["records"] == 1


def test_a_test_part_that_goes_on_in_time_is_no_leak():
    data = timed(from_arrays([np.random.default_rng(0).normal(size=200)], ids=["a"]))
    stream = data.stream
    first = data.with_streams(x=stream.cut(np.array([0]), np.array([150])))
    rest = data.with_streams(x=stream.cut(np.array([150]), np.array([200])))
    report = audit(first, test=rest)
    assert not report.warnings
    assert "go on where it ends" in report.of("ids_in_both")[0].sentence


def test_groups_in_both_parts_and_windows_across_groups():
    train = clean(30, seed=1, groups=np.arange(30) // 3)
    assert audit(train, test=clean(9, seed=2, groups=np.arange(9))).of("groups_in_both")
    windows = replace(overlapping_records(), groups=np.arange(28) // 4)
    assert audit(windows).of("overlapping_records")[0].level == "warning"
    assert not audit(replace(windows, groups=np.zeros(28, int))).of("overlapping_records")


def test_labels_are_compared_by_what_they_say_not_by_their_codes():
    codes = np.random.default_rng(0).integers(0, 3, 40).astype(float)[:, None]
    stream = Stream(codes, np.array([0, 40]), ("k",), categories={"k": ("a", "b", "c")})
    other = Stream(2 - codes, np.array([0, 40]), ("k",), categories={"k": ("c", "b", "a")})
    report = audit(
        SequenceDataset(("p",), {"x": stream}), test=SequenceDataset(("q",), {"x": other})
    )
    assert report.of("records_in_both")


def test_few_records_of_many_are_looked_at_and_it_is_said():
    report = audit(clean(), most_records=10)
    assert report.of("sampled")[0].numbers == {"records": 10, "of": 40}
    with pytest.raises(OptionError, match="most_records=0"):
        audit(clean(), most_records=0)


def test_values_that_are_no_numbers_are_found_in_streams_made_by_hand():
    stream = Stream(np.array([[1.0], [np.inf], [np.nan], [2.0]]), np.array([0, 4]), ("a",))
    report = audit(SequenceDataset(("p",), {"x": stream}))
    assert report.of("not_finite")[0].numbers == {"values": 2}


def test_several_streams_are_told_apart_and_treated_each():
    rng = np.random.default_rng(0)
    slow = [rng.normal(size=(20, 1)) for _ in range(12)]
    slow[0][5] = np.nan
    fast = [np.exp(2 * rng.normal(size=(60, 2))) for _ in range(12)]
    data = from_arrays({"slow": slow, "fast": fast})
    report = audit(data)
    assert "slow.x0" in report.of("missing_values")[0].sentence
    assert "[fast]" in str(report)
    treated = report.recommended.fit_transform(data)
    assert all(np.isfinite(each.values).all() for each in treated.streams.values())


def test_streams_that_never_meet_in_time_are_warned_of():
    records = [np.arange(5.0) for _ in range(6)]
    times = [np.arange(5.0) for _ in range(6)]
    later = [each + 1000 for each in times]
    data = from_arrays({"a": records, "b": records}, times={"a": times, "b": later})
    assert audit(data).of("no_overlap")
    data = from_arrays({"a": records, "b": records}, times={"a": times, "b": times})
    assert not audit(data).of("no_overlap")


@pytest.mark.parametrize("kind", ["tokens", "signal", "frames"])
def test_streams_of_other_kinds_are_read_too(kind):
    rng = np.random.default_rng(0)
    offsets = np.arange(0, 101, 10)
    if kind == "frames":
        stream = Stream(rng.integers(0, 255, (100, 4, 4, 3)), offsets, ("r", "g", "b"), "frames")
    elif kind == "tokens":
        codes = rng.integers(0, 5, (100, 1))
        stream = Stream(codes, offsets, ("w",), "tokens", categories={"w": tuple("abcde")})
    else:
        stream = Stream(rng.normal(size=(100, 1)), offsets, ("x",), "signal", rate=8000.0)
    data = SequenceDataset(tuple(range(10)), {"s": stream})
    report = audit(data)
    assert not report.warnings
    report.recommended.fit_transform(data)
    assert Audit.from_json(report.to_json()) == report


def test_no_records_is_an_error():
    with pytest.raises(DataError, match="no records"):
        audit(clean().take([]))


def test_the_physionet_events_repeat_stamps_that_tell_who_dies():
    folder = DATA / "med_physionet2012"
    if not folder.is_dir():
        pytest.skip(f"no data at {folder}: set RECURRA_DATA")
    events = pd.read_csv(folder / "set-a.csv.xz")
    deaths = pd.read_csv(folder / "Outcomes-a.txt").set_index("RecordID")["In-hospital_death"]
    events = events[events.Parameter != "RecordID"]
    codes, labels = pd.factorize(events.Parameter)
    values = np.stack([codes.astype(float), events.Value], 1)
    sizes = events.groupby("RecordID", sort=False).size()
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    stream = Stream(
        values,
        offsets,
        ("what", "value"),
        times=events.Minutes.to_numpy(),
        clock="number",
        categories={"what": tuple(labels)},
    )
    target = Target(deaths.reindex(sizes.index).to_numpy()[:, None], classes=("no", "yes"))
    data = SequenceDataset(tuple(sizes.index), {"x": stream}, targets={"died": target})
    (found,) = audit(data).of("repeats_tell")
    assert found.numbers["auroc"] == pytest.approx(0.608, abs=0.002)


def test_spikes_that_two_channels_share_do_not_make_them_alike():
    def spike(values, stream):
        values[7] = 1e6

    report = audit(with_values(clean(), spike))
    assert report.of("outliers")
    assert not report.of("alike_channels")


def test_a_frame_whose_rows_contradict_each_other_is_audited_with_a_note():
    frame = pd.DataFrame({"unique_id": "a", "ds": [*range(30), 29], "y": np.arange(31) % 7.0})
    report = audit(frame)
    assert any("joined by 'mean'" in note for note in report.notes)
    assert "joined by 'mean'" in str(report)


def test_events_are_audited_as_a_user_would():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "stay": np.repeat(np.arange(30), 40),
            "minute": np.tile(np.arange(40) // 2, 30),
            "what": np.tile(["pulse", "temp"], 600),
            "value": rng.normal(size=1200),
        }
    )
    data = from_events(frame, id="stay", time="minute", variable="what", value="value")
    assert not audit(data).warnings


def gappy(columns, *, uneven=False):
    chance = np.random.default_rng(0)
    values = chance.normal(size=(1200, columns)).cumsum(0)
    values[300:500, 0] = np.nan
    times = np.arange(1200.0) if not uneven else chance.uniform(0, 1200, 1200)
    return from_arrays([values], times=[np.sort(times)])


def test_long_gaps_are_filled_from_other_channels_after_some_steps():
    fills = [t for t in audit(gappy(3)).recommended.treatments if isinstance(t, Fill)]
    assert fills == [Fill("forward", ("regression", "mean"), limit=6)]


def test_long_gaps_of_a_lone_channel_or_between_events_keep_the_last_value():
    for data in (gappy(1), gappy(3, uneven=True)):
        fills = [t for t in audit(data).recommended.treatments if isinstance(t, Fill)]
        assert [(fill.method, fill.then, fill.limit) for fill in fills] == [
            ("forward", "mean", None)
        ]
