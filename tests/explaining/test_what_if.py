from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from recurra.data import Stream, from_arrays, from_text
from recurra.errors import OptionError
from recurra.explaining.what_if import WhatIf, changed

NAN = np.nan
STATIC = Stream(
    np.array([[30.0, 0.0], [60.0, 1.0]]),
    np.arange(3),
    ("age", "sex"),
    categories={"sex": ("f", "m")},
)
RECORDS = [[[1.0, 10.0], [2.0, 20.0], [3.0, NAN]], [[4.0, 40.0]]]
DATA = replace(from_arrays(RECORDS, channels=["pulse", "pressure"]), static=STATIC)


def values(change, data=DATA):
    stream = changed(data, change)[0].stream
    return np.where(stream.mask, stream.values, NAN)


@pytest.mark.parametrize(
    ("change", "column", "said"),
    [
        (7.0, [7, 7, 7, 7], "pulse at all steps: 7"),
        (lambda old: old * 2, [2, 4, 6, 8], "pulse at all steps: by a function"),
        ((-1, 0), [1, 2, 0, 0], "pulse at the last step: 0"),
        ((np.int64(-1), 0), [1, 2, 0, 0], "pulse at the last step: 0"),
        ((slice(1, 3), None), [1, NAN, NAN, 4], "pulse at steps 1 to 2: not observed"),
        ((range(2), [8.0, 9.0]), None, None),
        ((0, NAN), [NAN, 2, 3, NAN], "pulse at step 0: nan"),
    ],
)
def test_a_channel_becomes_another_at_some_steps_or_all(change, column, said):
    if column is None:
        with pytest.raises(OptionError, match=r"of shape \(2,\) for 1 step: give one value"):
            changed(DATA, {"pulse": change})
        return
    np.testing.assert_array_equal(values({"pulse": change})[:, 0], column)
    np.testing.assert_array_equal(values({"pulse": change})[:, 1], [10, 20, NAN, 40])
    assert changed(DATA, {"pulse": change})[1] == (said,)


def test_a_hole_can_be_filled_and_static_covariates_changed():
    found, _ = changed(DATA, {"pressure": (2, 30.0), "age": 50, "sex": "m"})
    assert found.stream.mask.all()
    assert found.at(0).static == {"age": 50.0, "sex": "m"}


def test_a_word_becomes_another_also_one_never_seen():
    data = from_text(["a good film", "bad"], unit="word")
    name = data.stream.channels[0]
    stream = changed(data, {name: (-1, "play")})[0].stream
    labels = np.array(stream.categories[name], object)
    assert labels[stream.values[:, 0]].tolist() == ["a", "good", "play", "play"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"puls": 1}, "Did you mean 'pulse'"),
        ({"pulse": "high"}, "holds numbers, but the change gives 'high'"),
        ({"pulse": ("early", 1)}, "a stretch of steps is one number"),
        ({"pulse": (70, 1)}, "at step 70: 1, but no record has such a step: the longest has"),
        ({}, "it is a dict"),
        ([("pulse", 1)], "it is a dict"),
    ],
)
def test_what_cannot_become_is_refused(change, said):
    with pytest.raises(OptionError, match=said):
        changed(DATA, change)


def test_it_is_said_drawn_and_written():
    keys = {"id": [1, 1], "answer": ["ill", "well"]}
    found = WhatIf(("age: 50",), keys, np.array([0.5, 0.5]), np.array([0.5 + 1e-12, 0.25]))
    assert str(found).splitlines()[2].split() == ["1", "ill", "0.5", "0.5", "0"]
    assert found.to_frame()["difference"].tolist()[1] == -0.25
    assert isinstance(found.plot(), Figure)
    times = {"unique_id": ["a"] * 3, "ds": [5, 6, 7]}
    line = WhatIf(("y: 1",), times, np.arange(3.0), np.ones(3), "ds")
    assert isinstance(line.plot(), Figure)


def test_of_many_answers_those_that_moved_farthest_are_said_and_drawn():
    steps, names = 5, [*"abcdefgh"]
    keys = {"id": [0] * 40, "step": [*range(steps)] * 8, "answer": np.repeat(names, steps).tolist()}
    before, after = np.zeros(40), np.zeros(40)
    after[[0, 7, 39]] = 0.5, -0.6, 0.7  # of a, b and h
    after[20] = np.nan  # e is not answered any more
    found = WhatIf(("pulse: 60",), keys, before, after, "step")
    lines = str(found).splitlines()
    assert len(lines) == 2 + 12 + 1
    assert [line.split()[:3] for line in lines[2:-1] if line.split()[-1] != "0"] == [
        ["0", "0", "a"],
        ["0", "2", "b"],
        ["0", "0", "e"],
        ["0", "4", "h"],
    ]
    assert lines[-1] == "  … and 28 answers that moved less far"
    rows = found.plot().axes
    assert len(rows) == 6
    assert {*"abeh"} < {each.get_title("left") for each in rows}
    assert rows[-1].get_xlabel() == "step"
    assert len({each.get_ylim() for each in rows}) == 1  # probabilities, of one scale
    assert all(tick == int(tick) for tick in rows[-1].get_xticks())
