"""Patterns of missing values are named, and none is seen where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.auditing.missingness import Missingness, find_pattern
from recurra.errors import OptionError, ShapeError
from recurra.testing.missingness import CLOCKS, PLANTS, Plant, draw_clock, plant

HOUR, DAY = 3_600_000_000_000, 86_400_000_000_000
SHARES = (0.05, 0.2, 0.6, 0.9)
STRUCTURE = {"seasonal", "yearly", "periodic", "recurring", "contiguous", "scattered"}


def ask(observed, step=HOUR, start="2024-01-01"):
    first = np.datetime64(start, "ns").astype(np.int64)
    times = first + step * np.arange(len(observed))
    return find_pattern(observed, times, [0, len(observed)])


def right(found: Missingness, truth: Plant) -> bool:
    if found.pattern != truth.pattern or (found.period is None) != (truth.period is None):
        return False
    tolerance = 0.1 if truth.pattern == "recurring" else 0.01
    return truth.period is None or abs(found.period / truth.period - 1) <= tolerance


@pytest.mark.parametrize("share", SHARES)
def test_planted_patterns_and_their_periods_are_named(share):
    rng = np.random.default_rng([8, int(100 * share)])
    answers = []
    while len(answers) < 56:
        clock = draw_clock(str(rng.choice(CLOCKS)), rng)
        truth = plant(PLANTS[len(answers) % len(PLANTS)], share, clock, rng)
        if truth is not None:
            found = find_pattern(truth.observed, clock.times, clock.offsets, unit=clock.unit)
            answers.append(right(found, truth))
    assert np.mean(answers) >= 0.95


def test_no_structure_is_seen_where_there_is_none():
    rng = np.random.default_rng(9)
    alarms = 0
    for case in range(200):
        clock = draw_clock(str(rng.choice(CLOCKS)), rng)
        share = 0.0 if case % 5 == 0 else rng.uniform(0.01, 0.97)
        observed = rng.random(len(clock.times)) >= share
        found = find_pattern(observed, clock.times, clock.offsets, unit=clock.unit)
        alarms += found.pattern in STRUCTURE or found.period is not None
    assert alarms <= 2


def test_records_that_lose_different_shares_at_random_are_random():
    rng = np.random.default_rng(0)
    observed = np.concatenate([rng.random(500) > share for share in (0.0, 0.1, 0.5)])
    found = find_pattern(observed, np.arange(1500), [0, 500, 1000, 1500], unit="step")
    assert found.pattern == "random"


@pytest.mark.parametrize(
    ("observed", "pattern"),
    [
        (np.ones(50, bool), "complete"),
        (np.zeros(50, bool), "empty"),
        (np.zeros(0, bool), "unclear"),
        (np.arange(50) != 7, "unclear"),
        ((np.arange(500) < 100) | (np.arange(500) > 104), "contiguous"),
    ],
)
def test_little_data_is_answered_with_little(observed, pattern):
    assert ask(observed).pattern == pattern


def test_nights_are_seasonal_on_the_calendar_and_periodic_without_one():
    observed = np.arange(24 * 30) % 24 >= 6
    found = ask(observed)
    assert (found.pattern, found.period, found.where) == ("seasonal", 24.0, "00:00 to 06:00")
    assert found.sentence == "missing every day, 00:00 to 06:00: 25 % (180 of 720)"
    plain = find_pattern(observed, np.arange(720.0), [0, 720], unit="step")
    assert (plain.pattern, plain.period) == ("periodic", 24.0)
    assert plain.sentence == "missing every 24 steps, 6 of them: 25 % (180 of 720)"


def test_half_a_day_is_no_cycle_of_the_calendar():
    found = ask(np.arange(24 * 30) % 12 > 2)
    assert (found.pattern, found.cycle) == ("periodic", "12 steps (12 hours)")


def test_a_summer_is_yearly_and_quarters_ends_are_periodic():
    days = np.arange("2018-01-01", "2023-01-01", dtype="M8[D]")
    month = days.astype("M8[M]").astype(int) % 12 + 1
    found = ask(~np.isin(month, [7, 8]), DAY, "2018-01-01")
    assert (found.pattern, found.where) == ("yearly", "1 July to 31 August")
    months = np.arange("1990-01", "2020-01", dtype="M8[M]")
    times = months.astype("M8[ns]").astype(np.int64)
    found = find_pattern(np.arange(360) % 3 != 2, times, [0, 360])
    assert (found.pattern, found.period) == ("periodic", 3.0)


def test_an_outage_of_all_records_at_once_is_no_season():
    times = np.tile(np.arange(24 * 60) * HOUR, 40)
    observed = np.tile(abs(np.arange(24 * 60) - 700) > 5, 40)
    found = find_pattern(observed, times, np.arange(41) * 24 * 60)
    assert found.pattern == "contiguous"


def test_the_answer_depends_on_no_global_chance():
    rng = np.random.default_rng(3)
    clock = draw_clock("steps", rng)
    observed = plant("recurring", 0.2, clock, rng).observed
    both = [find_pattern(observed, clock.times, clock.offsets, unit="step") for _ in range(2)]
    assert both[0] == both[1]


def test_wrong_arguments_are_refused_with_advice():
    with pytest.raises(ShapeError, match=r"one channel at a time"):
        find_pattern(np.ones((4, 2), bool), np.arange(4), [0, 4])
    with pytest.raises(ShapeError, match=r"from 0 to 4"):
        find_pattern(np.ones(4, bool), np.arange(4), [0, 3])
    with pytest.raises(OptionError, match=r'must be "ns" or "step"'):
        find_pattern(np.ones(4, bool), np.arange(4), [0, 4], unit="days")


def test_nights_that_are_sometimes_spared_stay_a_season():
    rng = np.random.default_rng(4)
    night = np.arange(24 * 90) % 24 < 6
    found = ask(~(night & np.repeat(rng.random(90) < 0.5, 24)))
    assert (found.pattern, found.period, found.phase) == ("seasonal", 24.0, "hour of day")
    assert "mostly 00:00 to 06:00" in found.sentence


def test_a_period_between_whole_steps_recurs():
    found = ask(np.arange(2000) % 40.37 >= 8)
    assert found.pattern == "recurring"
    assert found.period == pytest.approx(40.37, rel=0.01)


def test_single_dropouts_do_not_hide_a_month_of_outages():
    rng = np.random.default_rng(5)
    days = np.arange(24 * 365) // 24
    first_days = (np.datetime64("2024-01-01") + days).astype("M8[D]")
    month_day = (first_days - first_days.astype("M8[M]").astype("M8[D]")).astype(int)
    observed = (month_day >= 3) ^ (rng.random(len(days)) < 0.01)
    found = ask(observed)
    assert (found.pattern, found.phase) == ("seasonal", "day of month")
    assert found.where == "the 1. to the 3."


def test_gaps_in_few_of_many_records_are_looked_at():
    observed = np.ones((400, 300), bool)
    observed[[7, 301], :] = np.arange(300) % 11 > 2
    found = find_pattern(observed.ravel(), np.arange(120_000), 300 * np.arange(401), unit="step")
    assert (found.pattern, found.period) == ("periodic", 11.0)
