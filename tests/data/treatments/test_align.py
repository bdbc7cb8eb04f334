import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.data.treatments import Align, Preprocessor
from recurra.errors import DataError, DataWarning, OptionError
from recurra.testing.sequences import datasets

CLOCKED = st.sampled_from(["number", "calendar"])


def timed(draw_clock=("number", "calendar"), **more):
    """Draw data sets of several streams with clocks of one kind."""
    kinds = [datasets(clocks=(clock,), max_streams=3, **more) for clock in draw_clock]
    return st.one_of(kinds).filter(lambda data: len(data.streams) > 1)


def stream(times, values=None, offsets=None, name="v", clock="number", **more):
    times = np.array(times)
    values = np.arange(float(len(times))) if values is None else np.array(values, float)
    values = values.reshape(len(times), 1 if isinstance(name, str) else len(name))
    offsets = np.array([0, len(times)] if offsets is None else offsets)
    names = (name,) if isinstance(name, str) else name
    return Stream(values, offsets, names, times=times, clock=clock, **more)


def applied(treatment, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return treatment.apply(data, {})


def same_stream(one, other):
    assert one.channels == other.channels
    np.testing.assert_array_equal(one.offsets, other.offsets)
    np.testing.assert_array_equal(one.clock_times, other.clock_times)
    np.testing.assert_array_equal(one.mask, other.mask)
    np.testing.assert_array_equal(one.values[one.mask], other.values[other.mask])


def table(data, name):
    """Write a stream as a frame, with its row as a column."""
    part = data.streams[name]
    frame = pd.DataFrame({"owner": part.owners, "time": part.clock_times})
    return frame.assign(row=np.arange(float(part.rows))).sort_values("time", kind="stable")


@given(timed(), st.sampled_from([None, 1.0, 3600.0]))
@settings(max_examples=50, deadline=None)
def test_the_latest_step_is_that_of_merge_asof(data, limit):
    clock = data.streams["x0"].clock
    numbered = {
        name: replace(
            each,
            values=np.arange(float(each.rows))[:, None],
            channels=(name,),
            observed=None,
            categories={},
        )
        for name, each in data.streams.items()
    }
    data = SequenceDataset(data.ids, numbered)
    given_limit = f"{limit:.0f}s" if limit is not None and clock == "calendar" else limit
    made = applied(Align(to="x1", tolerance=given_limit), data).streams["joined"]
    unit = 1e9 if clock == "calendar" else 1.0
    ours = table(data, "x1")
    for name in set(data.streams) - {"x1"}:
        limited = None if limit is None else (int(limit * unit) if unit > 1 else limit)
        theirs = table(data, name).assign(theirs=lambda frame: frame["time"])
        want = pd.merge_asof(
            ours, theirs, on="time", by="owner", tolerance=limited, suffixes=("", "_met")
        ).sort_values("row")
        column, age = made.channel(name), made.channel(f"{name}:age")
        seen = want["row_met"].notna().to_numpy()
        assert np.array_equal(made.mask[:, column], seen)
        assert np.array_equal(made.mask[:, age], seen)
        assert np.array_equal(made.values[seen, column], want["row_met"].to_numpy()[seen])
        ages = (want["time"] - want["theirs"]).to_numpy()[seen] / unit
        np.testing.assert_allclose(made.values[seen, age], ages, rtol=1e-5)
        assert (made.values[seen, age] >= 0).all()


@given(timed())
@settings(max_examples=50, deadline=None)
def test_a_union_loses_and_doubles_no_observation(data):
    made = applied(Align(how="union"), data).streams["joined"]
    at = 0
    for each in data.streams.values():
        columns = slice(at, at + len(each.channels))
        seen, values = made.mask[:, columns], made.values[:, columns]
        assert seen.sum() == each.mask.sum()
        for i in range(len(data)):
            rows = slice(made.offsets[i], made.offsets[i + 1])
            old_values, old_seen, old_times = each.at(i)
            for k in range(len(each.channels)):
                there = seen[rows, k]
                np.testing.assert_array_equal(values[rows, k][there], old_values[old_seen[:, k], k])
                when = made.clock_times[rows][there]
                np.testing.assert_array_equal(when, old_times[old_seen[:, k]])
        at += len(each.channels)
    for i in range(len(data)):
        times = made.at(i).times
        assert (np.diff(times) >= 0).all()
        stamps = [pd.Series(each.at(i).times).value_counts() for each in data.streams.values()]
        counts = pd.concat(stamps, axis=1).max(axis=1)
        assert len(times) == counts.sum()


@pytest.mark.parametrize("how", ["asof", "union"])
@given(data=timed())
@settings(max_examples=40, deadline=None)
def test_each_record_alone_is_treated_as_together(how, data):
    whole = applied(Align(how=how), data).streams["joined"]
    for i in range(len(data)):
        same_stream(applied(Align(how=how), data.take([i])).streams["joined"], whole.take([i]))


@given(timed(), st.integers(0, 7))
@settings(max_examples=40, deadline=None)
def test_what_comes_later_does_not_change_what_was_before(data, place):
    made = applied(Align(), data).streams["joined"]
    times = made.clock_times
    if not len(times):
        return
    now = np.sort(times)[place % len(times)]
    blind = {}
    for name, each in data.streams.items():
        values = each.values.copy()
        values[each.clock_times > now] = 0
        seen = each.mask & (each.clock_times <= now)[:, None]
        blind[name] = replace(each, values=values, observed=seen)
    other = applied(Align(), replace(data, streams=blind)).streams["joined"]
    before = times <= now
    assert np.array_equal(made.mask[before], other.mask[before])
    np.testing.assert_array_equal(
        np.where(made.mask, made.values, 0)[before], np.where(other.mask, other.values, 0)[before]
    )


@given(timed(), st.sampled_from([-5000, -1, 1, 5000]))
@settings(max_examples=40, deadline=None)
def test_shifting_one_clock_changes_the_columns_of_that_stream_alone(data, by):
    streams = dict(data.streams.items())
    moved = streams["x1"]
    by = by * 10**9 if moved.clock == "calendar" else by
    streams["x1"] = replace(moved, times=moved.times + by)
    before = applied(Align(), data).streams["joined"]
    after = applied(Align(), replace(data, streams=streams)).streams["joined"]
    others = [
        k
        for k, name in enumerate(before.channels)
        if not name.startswith(("x1.", "x1:")) and name not in set(moved.channels)
    ]
    assert others
    assert np.array_equal(before.clock_times, after.clock_times)
    assert np.array_equal(before.mask[:, others], after.mask[:, others])
    seen = before.mask[:, others]
    assert np.array_equal(before.values[:, others][seen], after.values[:, others][seen])


def test_a_shift_does_change_the_columns_of_its_stream():
    data = SequenceDataset(("a",), {"a": stream([1, 2, 3]), "b": stream([1, 2, 3], name="w")})
    later = data.with_streams(b=stream([2, 3, 4], name="w"))
    assert applied(Align(), data).stream.values[:, 1].tolist() == [0, 1, 2]
    assert applied(Align(), later).stream.values[1:, 1].tolist() == [0, 1]


def test_names_that_clash_get_their_stream_and_categories_are_kept():
    one = stream([0.0], name=("v", "colour"), values=[1, 1], categories={"colour": ("r", "g")})
    two = stream([0.0], name=("v", "kind"), values=[2, 0], categories={"kind": ("k",)})
    joined = applied(Align(), SequenceDataset(("a",), {"a": one, "b": two})).stream
    assert joined.channels == ("a.v", "colour", "b.v", "kind", "b:age")
    assert joined.categories == {"colour": ("r", "g"), "kind": ("k",)}
    odd = stream([0.0], name=("b:age", "a.v"), values=[1, 2])
    joined = applied(Align(), SequenceDataset(("a",), {"a": odd, "b": two})).stream
    assert joined.channels == ("a.b:age", "a.v", "v", "kind", "b.b:age")
    with pytest.raises(OptionError, match=r"Two channels would be called 'a\.v'"):
        applied(Align(), SequenceDataset(("a",), {"a": one, "b": two, "c": odd}))


def test_a_step_just_as_old_as_the_tolerance_counts():
    data = SequenceDataset(("a",), {"a": stream([2.0, 2.5]), "b": stream([1.5], name="w")})
    assert applied(Align(tolerance=0.5), data).stream.mask[:, 1].tolist() == [True, False]


def test_the_latest_step_counts_whatever_it_holds():
    slow = stream([0.0, 1.0], [7, np.nan], name="w")
    slow = replace(slow, observed=~np.isnan(slow.values))
    data = SequenceDataset(("a",), {"a": stream([0.5, 1.5]), "b": slow})
    joined = applied(Align(), data).stream
    assert joined.mask[:, 1].tolist() == [True, False]
    assert joined.values[:, 2].tolist() == [0.5, 0.5]


def test_a_stream_that_says_nothing_in_some_records_is_noted():
    data = SequenceDataset(
        ("a", "b", "c"),
        {
            "a": stream([1, 2, 3], offsets=[0, 1, 3, 3]),
            "b": stream([0, 9], offsets=[0, 1, 2, 2], name="w"),
        },
    )
    Align().learn(data)
    with pytest.warns(DataWarning, match="'b' has nothing at or before the steps of 'a' in 1 of 2"):
        joined = Align().apply(data, {})
    assert joined.streams["joined"].mask[:, 1].tolist() == [True, False, False]
    assert len(joined.notes) == 1


def test_a_stream_that_says_nothing_at_all_is_refused_when_learning():
    data = SequenceDataset(("a",), {"a": stream([1, 2]), "b": stream([5, 6], name="w")})
    with pytest.raises(DataError, match="'b' has nothing at or before any step of 'a'") as caught:
        Align().learn(data)
    assert caught.value.code == "no_overlap"
    with pytest.raises(DataError, match=r"within 0\.5"):
        Align(to="b", tolerance=0.5).learn(data)
    Align(to="b").learn(data)
    silent = data.with_streams(b=stream(np.zeros(0), name="w"))
    with pytest.raises(DataError, match="'b' has no steps"):
        Align(how="union").learn(silent)
    joined = applied(Align(how="union"), silent).streams["joined"]
    assert joined.mask.tolist() == [[True, False]] * 2


def test_streams_that_never_meet_are_noted_in_a_union():
    data = SequenceDataset(("a",), {"a": stream([1, 2]), "b": stream([5, 6], name="w")})
    with pytest.warns(DataWarning, match="'a' and 'b' have no time in common in 1 of 1 records"):
        Align(how="union").apply(data, {})


def test_clocks_that_cannot_be_compared_are_refused():
    dates = np.array(["2024-01-01"], "M8[ns]").view(np.int64)
    number, calendar = stream([1.0]), stream(dates, name="w", clock="calendar")
    data = SequenceDataset(("a",), {"a": number, "b": calendar})
    with pytest.raises(DataError, match="'a' has a clock of numbers, but 'b' a calendar") as caught:
        Align().learn(data)
    assert caught.value.code == "clock"
    steps = Stream(np.zeros((1, 1)), np.array([0, 1]), ("s",), rate=100.0)
    with pytest.raises(OptionError, match="'c' has no times to be aligned by"):
        Align().learn(SequenceDataset(("a",), {"a": number, "c": steps}))
    two = SequenceDataset(("a",), {"a": number, "b": replace(number, channels=("w",))})
    with pytest.raises(OptionError, match=r"clock of numbers, but tolerance='2h'\. Use a number"):
        Align(tolerance="2h").learn(two)
    with pytest.raises(OptionError, match="Two streams or more"):
        Align().learn(SequenceDataset(("a",), {"a": number}))
    with pytest.raises(OptionError, match="no stream of measurements 'c'"):
        Align(["a", "c"]).learn(two)
    with pytest.raises(OptionError, match="to='c' is not aligned"):
        Align(to="c").learn(two)
    with pytest.raises(DataError, match=r"Sort\(\)"):
        applied(Align(), two.with_streams(a=stream([2, 1])))


def test_wrong_options_are_refused():
    with pytest.raises(OptionError, match="how='outer'"):
        Align(how="outer")
    with pytest.raises(OptionError, match="one name"):
        Align("a")
    with pytest.raises(OptionError, match="two or more"):
        Align(["a", "a"])
    with pytest.raises(OptionError, match="keeps all steps"):
        Align(how="union", to="a")
    dates = np.array(["2024-01-01"], "M8[ns]").view(np.int64)
    one = stream(dates, clock="calendar")
    data = SequenceDataset(("a",), {"a": one, "b": replace(one, channels=("w",))})
    for wrong, said in (
        (3600, "a calendar, but tolerance"),
        ("soon", "no stretch"),
        ("-2h", "0 or"),
    ):
        with pytest.raises(OptionError, match=said):
            Align(tolerance=wrong).learn(data)
    with pytest.raises(OptionError, match="into='c', but there is such a stream"):
        Align(["a", "b"], into="c").learn(data.with_streams(c=one))


def test_answers_go_with_the_steps_that_are_kept():
    data = SequenceDataset(("a",), {"a": stream([1, 2]), "b": stream([2, 3], name="w")})
    answers = Target(np.array([[1], [0]]), "step", ("n", "y"), ("y",), np.array([0, 2]), "b")
    data = data.with_targets(y=answers)
    assert applied(Align(to="b"), data).target.values.ravel().tolist() == [1, 0]
    joined = applied(Align(how="union"), data)
    assert joined.target.values.ravel().tolist() == [-1, 1, 0]
    with pytest.raises(DataError, match="Use to='b'") as caught:
        applied(Align(to="a"), data)
    assert caught.value.code == "step_target"


def test_other_streams_stay_and_it_is_saved_with_its_options():
    data = SequenceDataset(
        ("a",), {"a": stream([1, 2]), "b": stream([1, 3], name="w"), "c": stream([0], name="z")}
    )
    fitted = Preprocessor([Align(["a", "b"], tolerance=2.0)]).fit(data)
    again = Preprocessor.from_saved(json.loads(json.dumps(fitted.header())), fitted.arrays())
    assert again.treatments == fitted.treatments
    assert list(again.transform(data).streams) == ["joined", "c"]


def test_float32_stays_float32_and_integers_become_real():
    one = replace(stream([0.0]), values=np.array([[1]], np.int8))
    two = replace(stream([0.0], name="w"), values=np.array([[2]], np.float32))
    joined = applied(Align(), SequenceDataset(("a",), {"a": one, "b": two})).stream
    assert joined.values.dtype == np.float32
    assert joined.values.tolist() == [[1, 2, 0]]
