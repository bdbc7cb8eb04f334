from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.data.batching import folds, windows
from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.errors import DataError, DataWarning, OptionError
from recurra.testing.sequences import datasets


def series(values, offsets=None, name="x", ids=None, **more):
    values = np.array(values, float)
    offsets = np.array([0, len(values)] if offsets is None else offsets)
    stream = Stream(
        values[:, None],
        offsets,
        (name,),
        observed=~np.isnan(values)[:, None],
        times=np.arange(float(len(values))),
        clock="number",
    )
    return SequenceDataset(ids or tuple(range(len(offsets) - 1)), {"s": stream}, **more)


@given(datasets(), st.integers(1, 4), st.integers(1, 4), st.booleans())
@settings(max_examples=80, deadline=None)
@pytest.mark.filterwarnings("ignore::recurra.errors.DataWarning")
def test_windows_and_their_answers_are_those_of_a_plain_loop(data, length, stride, drop):
    stream, name = data.streams["x0"], data.streams["x0"].channels[0]
    made = windows(data, length, stride, horizons=(1, 3), target=name, drop_short=drop)
    want, answers, labels = [], [], name in stream.categories
    for i in range(len(data)):
        values, seen, _ = stream.at(i)
        starts = list(range(0, len(values) - length + 1, stride))
        starts = starts or ([] if drop else [0])
        for start in starts:
            stop = min(start + length, len(values))
            want.append(((data.ids[i], start), values[start:stop], seen[start:stop]))
            row = []
            for h in (1, 3):
                at = stop - 1 + h
                known = stop > 0 and at < len(values) and seen[at, 0]
                row.append(values[at, 0] if known else (-1 if labels else np.nan))
            answers.append(row)
    assert made.ids == tuple(id for id, _, _ in want)
    for i, (_, values, seen) in enumerate(want):
        np.testing.assert_array_equal(made.streams["x0"].at(i).values, values)
        np.testing.assert_array_equal(made.streams["x0"].at(i).observed, seen)
    target = made.targets[name]
    np.testing.assert_array_equal(target.values, np.array(answers).reshape(-1, 2))
    assert target.outputs == ("h=1", "h=3")
    assert list(made.groups) == [id for (id, _), _, _ in want]
    kept = [data.ids.index(id) for id in made.groups]
    np.testing.assert_array_equal(made.targets["size"].values, data.targets["size"].values[kept])


def test_a_filled_value_is_never_an_answer():
    data = series([1, 2, np.nan, 4])
    filled = data.stream.values.copy()
    filled[2] = 3
    treated = data.with_streams(s=replace(data.stream, values=filled))
    assert windows(treated, 2, 9, horizons=[1], target="x").target.values.ravel().tolist() != [3]
    unmasked = data.with_streams(s=replace(data.stream, values=10 * filled, observed=None))
    honest = windows(unmasked, 2, horizons=(1, 2), target="x", untreated=data)
    np.testing.assert_array_equal(honest.target.values, [[np.nan, 4], [4, np.nan], [np.nan] * 2])
    assert honest.stream.values[:2].ravel().tolist() == [10, 20]
    with pytest.raises(DataError, match="other steps in stream 's'") as caught:
        windows(unmasked, 2, horizons=(1,), target="x", untreated=series([1, 2, 3]))
    assert caught.value.code == "untreated"


def test_windows_of_one_record_are_never_parted():
    made = windows(series(np.arange(30.0), [0, 10, 20, 30]), 3)
    for train, test in folds(made, 3):
        assert not set(train.groups) & set(test.groups)
    patients = windows(series(np.arange(9.0), [0, 3, 6, 9], groups=np.array(["p", "q", "p"])), 3)
    assert patients.groups.tolist() == ["p", "q", "p"]


def test_short_records_are_left_out_with_a_note_or_one_window():
    data = series([1, 2, 3, 4], [0, 0, 1, 4])
    with pytest.warns(DataWarning, match="2 of 3 records have fewer than 3 steps: left out"):
        made = windows(data, 3)
    assert made.ids == ((2, 0),)
    whole = windows(data, 3, drop_short=False)
    assert whole.stream.lengths.tolist() == [0, 1, 3]


def test_windows_without_overlap_have_each_event_of_other_streams_once():
    events = Stream(
        np.array([[-0.5], [0], [0.5], [2], [2.5], [7]]),
        np.array([0, 6]),
        ("e",),
        times=np.array([-0.5, 0, 0.5, 2, 2.5, 7]),
        clock="number",
    )
    data = series([0.0, 1, 2, 3]).with_streams(e=events)
    made = windows(data, 2, 2, stream="s").streams["e"]
    assert made.values.ravel().tolist() == [-0.5, 0, 0.5, 2, 2.5]
    assert made.lengths.tolist() == [3, 2]


def test_answers_for_steps_are_cut_alongside():
    data = series([0.0, 1, 2])
    answers = Target(np.arange(3.0)[:, None], "step", (), ("y",), data.stream.offsets, "s")
    made = windows(data.with_targets(y=answers), 2)
    assert made.target.values.ravel().tolist() == [0, 1, 1, 2]


def test_labels_as_answers_stay_labels():
    stream = Stream(
        np.array([[0.0], [1], [0]]), np.array([0, 3]), ("c",), categories={"c": ("dry", "rain")}
    )
    made = windows(SequenceDataset(("a",), {"s": stream}), 1, horizons=(1,), target="c")
    assert made.target.classes == ("dry", "rain")
    assert made.target.values.ravel().tolist() == [1, 0, -1]


def test_windows_that_would_fill_the_memory_are_refused():
    stream = Stream(np.zeros((200_000, 10)), np.array([0, 200_000]), tuple("abcdefghij"))
    with pytest.raises(DataError, match=r"100,001 windows would take .* GiB") as caught:
        windows(SequenceDataset(("a",), {"s": stream}), 100_000)
    assert caught.value.code == "too_large"


def test_wrong_arguments_are_refused():
    data = series([1, 2, 3])
    for more in ({"horizons": (1,)}, {"target": "x"}, {"horizons": (), "target": "x"}):
        with pytest.raises(OptionError, match="Answers need both"):
            windows(data, 1, **more)
    with pytest.raises(OptionError, match=r"Use horizons=\(1,\)"):
        windows(data, 1, horizons=1, target="x")
    with pytest.raises(OptionError, match="length=0"):
        windows(data, 0)
    with pytest.raises(OptionError, match="horizons=0"):
        windows(data, 1, horizons=(0,), target="x")
    with pytest.raises(OptionError, match="no channel 'y'"):
        windows(data, 1, horizons=(1,), target="y")
    with pytest.raises(OptionError, match="There is a target 'x' already"):
        windows(data.with_targets(x=Target(np.zeros((1, 1)))), 1, horizons=(1,), target="x")
