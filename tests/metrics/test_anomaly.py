"""Event scores by hand, and the score of the Numenta Anomaly Benchmark against its own."""

import math

import numpy as np
import pytest

from recurra.errors import OptionError
from recurra.metrics import NabProfile, event_scores, events_of, nab_score

WINDOWS = [[(50, 59), (80, 89)], []]


def _scores(*alarms, steps=100):
    found = np.zeros(steps)
    for place, score in alarms:
        found[place] = score
    return found


def _sigmoid(place):
    return 2 / (1 + math.exp(5 * place)) - 1


def test_runs_of_flags_become_events_at_both_ends():
    assert events_of([1, 1, 0, 0, 1]) == [(0, 1), (4, 4)]
    assert events_of([]) == []


def test_an_event_counts_once_however_often_it_is_hit():
    score = event_scores([[(3, 9), (20, 25)]], [[(2, 3), (5, 6), (8, 8), (40, 41)]])
    assert score.precision == 0.75
    assert score.recall == 0.5
    assert score.f1 == pytest.approx(0.6)


def test_nothing_found_where_there_is_nothing_is_right():
    assert event_scores([[]], [[]]).f1 == 1.0
    assert event_scores([[(1, 2)]], [[]]).f1 == 0.0


def test_alarms_at_the_first_steps_of_all_windows_are_perfect():
    perfect = [_scores((50, 1), (80, 1)), _scores()]
    assert nab_score(perfect, WINDOWS)[:4] == (100.0, 1.0, 2, 0)


def test_a_later_alarm_is_worth_what_the_sigmoid_says():
    value = nab_score([_scores((54, 1)), _scores()], WINDOWS, threshold=1.0).value
    gained = _sigmoid((54 - 59 - 1) / 10) / _sigmoid(-1.0)
    assert value == pytest.approx(100 * (1 + gained) / 4)


def test_a_false_alarm_takes_less_soon_after_a_window_and_in_full_without_one():
    hit = [_scores((50, 1)), _scores()]
    right = nab_score(hit, WINDOWS, threshold=1.0).value
    late = nab_score([_scores((50, 1), (62, 1)), _scores()], WINDOWS, threshold=1.0).value
    lost = nab_score([_scores((50, 1), (20, 1)), _scores()], WINDOWS, threshold=1.0).value
    assert right - late == pytest.approx(100 * -0.11 * _sigmoid(3 / 9) / 4)
    assert right - lost == pytest.approx(100 * 0.11 / 4)


def test_only_the_first_alarm_of_a_window_counts():
    once = nab_score([_scores((52, 1)), _scores()], WINDOWS, threshold=1.0)
    often = nab_score([_scores((52, 1), (53, 1), (58, 1)), _scores()], WINDOWS, threshold=1.0)
    assert once == often


def test_the_best_threshold_is_the_best_of_all():
    random = np.random.default_rng(0)
    scores = [random.random(100).round(2), random.random(100).round(2)]
    best = nab_score(scores, WINDOWS)
    each = [
        nab_score(scores, WINDOWS, threshold=t).value for t in np.unique(np.concatenate(scores))
    ]
    assert best.value == pytest.approx(max(*each, 0.0))


def test_what_falls_into_the_probation_does_not_count():
    quiet = nab_score([_scores((50, 1)), _scores()], WINDOWS, threshold=1.0)
    early = nab_score([_scores((50, 1), (14, 1)), _scores((3, 1))], WINDOWS, threshold=1.0)
    assert quiet == early
    after = nab_score([_scores((50, 1), (15, 1)), _scores()], WINDOWS, threshold=1.0)
    assert after.false_alarms == 1


def test_unknown_scores_raise_no_alarm():
    scores = [np.where(np.arange(100) == 50, 1.0, np.nan), np.full(100, -np.inf)]
    assert nab_score(scores, WINDOWS)[2:] == (1, 1, 0)


def test_a_profile_sets_what_a_false_alarm_takes():
    scores = [_scores((50, 1), (20, 1)), _scores()]
    usual = nab_score(scores, WINDOWS, threshold=1.0).value
    strict = nab_score(scores, WINDOWS, threshold=1.0, profile="reward_low_FP_rate").value
    own = nab_score(scores, WINDOWS, threshold=1.0, profile=NabProfile(false_alarm=0.22)).value
    assert own == strict < usual


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"profile": "standrd"}, "Did you mean 'standard'"),
        ({"windows": [[(50, 100)], []]}, "100 steps"),
        ({"windows": [[]]}, "scores of 2 records, windows of 1"),
        ({"windows": [[], []]}, "no window in any record"),
    ],
)
def test_wrong_arguments_are_refused(change, said):
    arguments = {"scores": [_scores(), _scores()], "windows": WINDOWS} | change
    with pytest.raises(OptionError, match=said):
        nab_score(arguments.pop("scores"), arguments.pop("windows"), **arguments)
