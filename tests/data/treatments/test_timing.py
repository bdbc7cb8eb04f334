"""Channels that tell the time."""

import numpy as np
import pytest

from recurra.data.reading.arrays import from_arrays
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.treatments import Calendar, Elapsed, Gaps
from recurra.errors import DataError, OptionError


def dated(stamps: list[str], zone: str | None = None) -> SequenceDataset:
    times = np.array(stamps, "M8[ns]").astype(np.int64)
    values, offsets = np.zeros((len(times), 1)), np.array([0, len(times)])
    stream = Stream(values, offsets, ("x",), times=times, clock="calendar", zone=zone)
    return SequenceDataset(("a",), {"x": stream})


def added(treatment, data) -> dict[str, list[float]]:
    after = treatment.apply(data, treatment.learn(data)).stream
    new = after.channels[1:]
    return {n: after.values[:, after.channel(n)].round(9).tolist() for n in new}


def test_gaps_start_anew_with_each_record():
    data = from_arrays([[1, 2, 3], [4, 5]], times=[[0.0, 1.0, 3.0], [100.0, 104.0]])
    assert added(Gaps("none"), data) == {"gap": [0, 1, 2, 0, 4]}
    assert added(Elapsed("none"), data) == {"elapsed": [0, 1, 3, 0, 4]}


def test_times_of_a_calendar_are_seconds():
    data = dated(["2024-01-01", "2024-01-02"])
    assert added(Gaps("none"), data) == {"gap": [0, 86400]}


def test_a_second_and_ten_years_together_stay_of_one_size():
    data = from_arrays([[1, 2, 3, 4]], times=[[0.0, 1.0, 2.0, 3e8]])
    found = added(Gaps(), data)["gap"]
    assert np.allclose(found, np.log1p([0, 1, 1, 3e8 - 2]))
    assert max(found) < 25


def test_the_usual_step_is_that_of_the_training_part():
    add = Gaps()
    learned = add.learn(from_arrays([[1, 2, 3]], times=[[0.0, 10.0, 20.0]]))
    after = add.apply(from_arrays([[1, 2]], times=[[0.0, 5.0]]), learned).stream
    assert np.allclose(after.values[:, 1], np.log1p([0, 0.5]))


def test_without_two_different_times_the_usual_step_is_one():
    assert Gaps().learn(from_arrays([[1], [2]]))["x/spacing"].tolist() == [1.0]


def test_the_calendar_is_read_from_the_clock_on_the_wall():
    noon = added(Calendar("hour"), dated(["2024-07-01T10"], "Europe/Berlin"))
    assert noon == {"hour:sin": [0.0], "hour:cos": [-1.0]}


def test_phases_go_round():
    found = added(Calendar(), dated(["2024-01-01T00", "2024-12-31T23:59:59"]))
    assert list(found) == [f"{p}:{w}" for p in ("hour", "weekday", "month") for w in ("sin", "cos")]
    assert np.allclose(found["month:cos"], 1, atol=1e-6)
    assert found["weekday:sin"][0] == 0
    assert np.allclose(found["weekday:sin"][1], np.sin(2 * np.pi * 2 / 7), atol=1e-4)


def test_a_calendar_needs_dates():
    with pytest.raises(OptionError, match="'x' has a step clock"):
        Calendar().learn(from_arrays([[1, 2]]))
    learned = Calendar().learn(dated(["2024-01-01"]))
    with pytest.raises(DataError, match="as in the training part"):
        Calendar().apply(from_arrays([[1, 2]]), learned)


def test_streams_without_a_calendar_are_left_alone():
    data = dated(["2024-01-01"]).with_streams(y=from_arrays([[1, 2]]).stream)
    after = Calendar().apply(data, Calendar().learn(data))
    assert after.streams["y"] is data.streams["y"]
    assert len(after.streams["x"].channels) == 7


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Calendar("minute"), "There is no phase 'minute'"),
        (lambda: Gaps("log", channels=["x"]).learn(from_arrays([[1]], channels=["x"])), "stream="),
    ],
)
def test_wrong_options_say_what_is_expected(make, said):
    with pytest.raises(OptionError, match=said):
        make()
