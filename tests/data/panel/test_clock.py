import numpy as np
import pandas as pd
import pytest

from recurra.data import Clock
from recurra.errors import DataError, OptionError

FREQUENCIES = {
    "s": (3600, 86400),
    "min": (1440, 10080),
    "15min": (96, 672),
    "7min": (1440,),
    "h": (24, 168),
    "6h": (4, 28),
    "D": (7,),
    "2D": (),
    "B": (5,),
    "W-SUN": (52,),
    "W-MON": (52,),
    "2W-FRI": (),
    "MS": (12,),
    "ME": (12,),
    "BME": (12,),
    "BMS": (12,),
    "2MS": (6,),
    "QS-JAN": (4,),
    "QS-FEB": (4,),
    "QE-DEC": (4,),
    "QE-OCT": (4,),
    "BQE-DEC": (4,),
    "YS-JAN": (),
    "YS-APR": (),
    "YE-DEC": (),
}
ZONES = [None, "UTC", "Europe/Berlin", "America/Sao_Paulo"]


def stamps(freq, zone, count=160):
    """Draw stamps: short steps in absolute time, days and longer on the wall clock."""
    short = freq.endswith(("s", "min", "h"))
    index = pd.date_range("2017-09-02", periods=20 * count if short else count, freq=freq)
    if zone is None:
        return index
    if short:
        return index.tz_localize("UTC").tz_convert(zone)
    return index.tz_localize(zone, nonexistent="shift_forward")


def nanoseconds(index):
    return index.as_unit("ns").asi8.copy()


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("freq", FREQUENCIES)
def test_the_step_is_found_although_stamps_are_missing(freq, zone):
    index = stamps(freq, zone)
    times = np.delete(nanoseconds(index), [3, 7, 8, 20])
    clock = Clock.infer(times, np.array([0, len(times)]), zone=zone)
    assert (clock.step, clock.season_lengths) == (freq, FREQUENCIES[freq])
    since = clock.steps_since_previous(times, np.array([0, len(times)]))
    assert since.sum() == len(index)
    assert since.max() == 3


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("freq", FREQUENCIES)
def test_the_stamps_that_follow_are_those_pandas_draws(freq, zone):
    index = stamps(freq, zone)
    clock = Clock("timestamp", freq, zone, index.unit)
    following = clock.following(nanoseconds(index)[[50, 60]], 30)
    assert following.shape == (2, 30)
    for row, start in zip(following, (51, 61), strict=True):
        output = clock.to_output(row)
        assert output.equals(index[start : start + 30])
        assert output.dtype == index.dtype


def test_hours_step_in_absolute_time_and_days_on_the_wall_when_summer_time_comes():
    last = pd.DatetimeIndex(["2024-03-30 12:00"], tz="Europe/Berlin")
    hourly, daily = (Clock("timestamp", step, "Europe/Berlin") for step in ("24h", "D"))
    assert str(hourly.to_output(hourly.following(nanoseconds(last), 1)[0])[0])[11:16] == "13:00"
    assert str(daily.to_output(daily.following(nanoseconds(last), 1)[0])[0])[11:16] == "12:00"


def test_a_day_of_every_month_is_a_step_too():
    index = pd.date_range("2024-01-01", periods=12, freq="MS") + pd.Timedelta("14D")
    clock = Clock.infer(nanoseconds(index[:9]), np.array([0, 9]))
    assert (clock.step, clock.season_lengths) == ("M-15", (12,))
    assert (clock.following(nanoseconds(index[8:9]), 3)[0] == nanoseconds(index[9:])).all()


def test_daily_data_of_one_working_week_is_daily_and_of_two_is_of_business_days():
    index = pd.bdate_range("2024-01-01", periods=10)
    assert Clock.infer(nanoseconds(index[:5]), np.array([0, 5])).step == "D"
    assert Clock.infer(nanoseconds(index), np.array([0, 10])).step == "B"


def test_series_on_different_weekdays_share_a_step_of_seven_days():
    times = np.concatenate([nanoseconds(stamps(freq, None, 20)) for freq in ("W-SUN", "W-TUE")])
    assert Clock.infer(times, np.array([0, 20, 40])).step == "7D"


def test_gaps_of_a_second_and_of_ten_years_make_no_regular_clock():
    times = nanoseconds(pd.DatetimeIndex(["2010-01-01", "2010-01-01 00:00:00.7", "2020-01-01"]))
    clock = Clock.infer(times, np.array([0, 3]))
    assert not clock.regular
    assert clock.grain == "irregular"
    assert clock.season_lengths == ()


def test_an_irregular_clock_follows_at_the_usual_spacing_and_needs_one():
    clock = Clock("integer")
    assert clock.following(np.array([10]), 2, np.array([3])).tolist() == [[13, 16]]
    for spacing in (None, np.array([0])):
        with pytest.raises(DataError, match="Give freq"):
            clock.following(np.array([10]), 2, spacing)


def test_integers_step_by_their_commonest_distance():
    times = np.array([0, 5, 10, 20, 25, 3, 8])
    assert Clock.infer(times, np.array([0, 5, 7]), kind="integer").step == 5
    odd = np.array([0, 5, 10, 12])
    assert Clock.infer(odd, np.array([0, 4]), kind="integer").step is None


def test_stamps_go_back_to_the_user_as_they_came():
    times = np.array([0, 86_400_000_000_000])
    assert Clock("integer", 1, unit="int32").to_output(times[:1]).dtype == np.int32
    assert str(Clock("date", "D").to_output(times)[1]) == "1970-01-02"
    zoned = Clock("timestamp", "D", "Asia/Shanghai", "ms").to_output(times)
    assert str(zoned.dtype) == "datetime64[ms, Asia/Shanghai]"
    assert zoned[0].hour == 8


@pytest.mark.parametrize(
    ("kind", "step", "advice"),
    [
        ("integer", "D", "positive int"),
        ("integer", 0, "positive int"),
        ("integer", True, "positive int"),
        ("timestamp", 1, "pandas offset alias"),
        ("timestamp", "fortnight", "no pandas offset alias"),
        ("timestamp", "-1D", "no step forward"),
        ("timestamp", "bh", "no step forward"),
        ("date", "h", "Turn them into timestamps"),
        ("moment", None, "kind is one of"),
    ],
)
def test_a_wrong_step_gets_advice(kind, step, advice):
    with pytest.raises(OptionError, match=advice):
        Clock(kind, step)


def test_stamps_never_wrap_around_the_end_of_int64():
    last = nanoseconds(pd.DatetimeIndex(["2199-12-31"]))
    for step in ("D", "YE"):
        with pytest.raises(DataError, match="past the year 2262"):
            Clock("timestamp", step).following(last, 100_000)
    with pytest.raises(DataError, match="past the year 2262"):
        Clock("integer").following(np.array([2**62]), 2, np.array([2**62]))
