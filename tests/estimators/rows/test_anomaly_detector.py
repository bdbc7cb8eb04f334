"""Anomalies are found; laws, sessions, events, and what is refused."""

import numpy as np
import pytest
from sklearn.base import clone

from recurra import Training, load
from recurra.data import Indicators, Scale
from recurra.errors import DataError, NotFittedError, OptionError
from recurra.estimators import AnomalyDetector

TRAINING = Training(steps=30, batch_size=8, warmup=5, learning_rate=2e-2)
METHODS = ("forecast", "reconstruction")


def usual(steps=240, seed=0):
    """Two channels that go together."""
    random = np.random.default_rng(seed)
    phase = np.arange(steps) / 4
    return np.stack([np.sin(phase), 20 + 5 * np.cos(phase)], 1) + random.normal(0, 0.05, (steps, 2))


def odd(steps=240, seed=1):
    """The same, and a jump of the second channel."""
    values = usual(steps, seed)
    values[150:156, 1] += 15
    return values, (np.arange(steps) >= 150) & (np.arange(steps) < 156)


def small(method="forecast", **options):
    return AnomalyDetector(method, **{"hidden_size": 8, "training": TRAINING} | options)


@pytest.fixture(scope="module", params=METHODS)
def detector(request):
    return small(request.param).fit([usual(), usual(seed=5)])


def test_a_jump_is_found_and_little_else(detector):
    values, truth = odd()
    (events,) = detector.events([values])
    assert 150 <= events[0].start <= 152
    assert 150 <= events[0].peak <= 170
    assert detector.score([values], [truth]) == 1.0
    assert detector.predict([values])[0][:150].sum() == 0


def test_nothing_is_found_in_what_was_learned_from(detector):
    assert detector.events([usual()]) == [[]]
    assert np.nanmax(detector.score_samples([usual()])[0]) <= 1e-9


def test_a_change_of_pace_is_found_though_no_value_is_odd():
    fast = usual()
    fast[150:200] = np.stack([np.sin(np.arange(50) * 2.0), 20 + 5 * np.cos(np.arange(50) * 2.0)], 1)
    model = small(training=Training(steps=150, batch_size=8, learning_rate=2e-2))
    (events,) = model.fit([usual(), usual(seed=5)]).events([fast])
    assert events
    assert 150 <= events[0].start < 200


def test_the_stream_is_the_full_pass(detector):
    values, _ = odd()
    values[20], values[30, 0] = np.nan, np.nan
    told, session = detector.score_samples([values])[0], detector.stream()
    alarms = []
    for row, score in zip(values, told, strict=True):
        np.testing.assert_allclose(session.step(row), score, atol=1e-6)
        alarms.append(session.alarm)
    assert np.isnan(told[20])
    assert not np.isnan(told[30])
    starts = [event.start for event in detector.events([values])[0]]
    assert np.flatnonzero(alarms).tolist() == starts


def test_the_future_does_not_touch_the_past(detector):
    values, _ = odd()
    whole, part = detector.score_samples([values]), detector.score_samples([values[:170]])
    np.testing.assert_allclose(whole[0][:170], part[0], atol=1e-6)


def test_neighbours_change_nothing(detector):
    records = [odd(100 + 20 * k, k)[0] if k > 2 else usual(100, k) for k in range(4)]
    together = detector.score_samples(records)
    for record, scores in zip(records, together, strict=True):
        assert np.array_equal(detector.score_samples([record])[0], scores)


def test_the_same_seed_gives_the_same_bits(detector):
    again = clone(detector).fit([usual(), usual(seed=5)])
    values, _ = odd()
    assert np.array_equal(again.score_samples([values])[0], detector.score_samples([values])[0])


def test_a_saved_model_scores_the_same_to_the_bit(tmp_path, detector):
    detector.save(tmp_path / "m.recurra")
    again, (values, _) = load(tmp_path / "m.recurra"), odd()
    assert np.array_equal(again.score_samples([values])[0], detector.score_samples([values])[0])
    assert again.events([values]) == detector.events([values])


def test_what_is_missing_has_no_score_and_raises_no_alarm(detector):
    values = usual(seed=2)
    values[40:60] = np.nan
    scores = detector.score_samples([values])[0]
    assert np.isnan(scores[40:60]).all()
    assert not np.isnan(np.delete(scores, np.s_[40:60])).any()
    assert detector.predict([values])[0][40:60].sum() == 0


def test_holes_are_learned_from():
    values = usual()
    values[10:15], values[50, 1] = np.nan, np.nan
    model = small().fit([values])
    assert model.network_.plan.holes
    assert not np.isnan(model.score_samples([usual(seed=3)])[0]).any()


def test_what_stays_odd_is_so_only_for_who_does_not_adapt():
    values = usual()
    values[150:, 1] += 30
    adapting, fixed = (small(adapts=each).fit([usual()]) for each in (True, False))
    assert fixed.predict([values])[0][150:].all()
    assert adapting.predict([values])[0][200:].mean() < 0.1


def test_the_threshold_may_be_a_share_of_what_was_learned_from():
    model = small(contamination=0.05).fit([usual()])
    fixed = model.score_samples([usual()])[0]
    assert model.threshold_ < 0 < small(margin=0.3).fit([usual()]).threshold_
    assert 0.0 < (fixed >= model.threshold_).mean() < 0.2


def test_odd_steps_near_each_other_are_one_event():
    values = usual()
    values[100, 1], values[110, 1], values[200, 1] = 60.0, 80.0, 100.0
    starts = {
        quiet: [
            event.start
            for event in small(quiet=quiet, smoothing=1).fit([usual()]).events([values])[0]
        ]
        for quiet in (5, 50)
    }
    assert starts == {5: [100, 110, 200], 50: [100, 200]}


def test_a_flat_record_is_quiet_until_it_moves():
    flat = np.full((200, 1), 3.0)
    moved = flat.copy()
    moved[120] = 4.0
    model = small().fit([flat])
    assert model.events([flat]) == [[]]
    assert model.events([moved])[0][0].start == 120


def test_the_report_stands_beside_a_windowed_gaussian(detector):
    said = str(detector.report())
    assert "windowed Gaussian" in said
    assert "events per 1000 steps" in said


def test_partial_fit_widens_what_was_seen():
    model = small().fit([usual()])
    values, _ = odd()
    assert model.events([values])[0]
    model.partial_fit([values])
    assert model.score_samples([values])[0][150] <= 1e-9


def test_a_record_of_no_weight_is_not_learned_from():
    records = [usual(), np.random.default_rng(9).normal(size=(240, 2))]
    weighed = small().fit(records, sample_weight=[1.0, 0.0])
    without = small().fit(records[:1], sample_weight=[1.0])
    both = small().fit(records)
    far = [abs(each.log_.loss[-1] - without.log_.loss[-1]) for each in (weighed, both)]
    assert far[0] < far[1]


def test_the_hour_is_read_where_there_is_a_calendar():
    times = [np.datetime64("2024-01-01") + np.arange(240) * np.timedelta64(1, "h")]
    model = small().fit([usual()], times=times)
    session = model.stream()
    values, _ = odd()
    scores = [session.step(*pair) for pair in zip(values, times[0], strict=True)]
    assert model.network_.plan.extras == 2
    np.testing.assert_allclose(scores, model.score_samples([values], times=times)[0], atol=1e-6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"method": "magic"}, "method='magic'"),
        ({"smoothing": 0}, "smoothing=0"),
        ({"quiet": -1}, "quiet=-1"),
        ({"contamination": 1.5}, "contamination=1.5"),
        ({"margin": "far"}, "margin='far'"),
        ({"dropout": 1.0}, "dropout=1.0"),
    ],
)
def test_wrong_options_are_refused(change, said):
    with pytest.raises(OptionError, match=said):
        AnomalyDetector(**change).fit([usual()])


def test_wrong_data_are_refused(detector):
    values, truth = odd()
    with pytest.raises(OptionError, match="Leave y out"):
        small().fit([values], [truth])
    with pytest.raises(NotFittedError):
        small().events([values])
    with pytest.raises(DataError, match="240 steps"):
        detector.score([values], [truth[:10]])
    with pytest.raises(DataError, match="neither 0 nor 1"):
        detector.score([values], [truth + 1])
    with pytest.raises(OptionError, match="each of 1 records"):
        detector.score([values], [])
    with pytest.raises(DataError, match="not there"):
        detector.score_samples([values[:, :1]])
    with pytest.raises(OptionError, match="Indicators"):
        small(treatments=[Scale(), Indicators()]).fit([usual()]).stream()
