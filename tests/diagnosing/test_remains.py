import numpy as np
import pytest

from recurra.diagnosing.calibrating import reliability
from recurra.diagnosing.curves import curve_of, first_moves
from recurra.diagnosing.remains import autocorrelation, relations
from recurra.training import Log, Training


def noise(seed=0, records=300, steps=20, channels=2):
    return np.random.default_rng(seed).normal(size=(records, steps, channels))


def found(X, residuals, lengths=None):
    lengths = np.full(len(X), X.shape[1]) if lengths is None else lengths
    names = [f"x{k}" for k in range(X.shape[2])]
    residuals = residuals.reshape(len(X), -1)
    return relations(X, lengths, names, residuals, residuals.var(0))


def test_what_was_missed_is_found_with_its_lag():
    X = noise()
    best = found(X, X[:, 5, 1] + noise(1, 300, 1, 1)[:, 0, 0])[0]
    assert (best.name, best.first, best.last, best.lag) == ("x1", 14, 14, 14.0)
    assert best.share == pytest.approx(0.5, abs=0.1)


def test_a_product_and_a_sum_over_a_stretch_are_found():
    X = noise()
    assert found(X, X[:, 7, 0] * X[:, 7, 1])[0].name == "x0 × x1"
    best = found(X, X[:, 4:12, 0].sum(1))[0]
    assert (best.name, best.first, best.last) == ("x0", 8, 15)


def test_ragged_records_are_read_from_both_ends():
    X, random = noise(), np.random.default_rng(1)
    lengths = random.integers(8, 21, len(X))
    last = X[np.arange(len(X)), lengths - 3, 0]
    assert (found(X, last, lengths)[0].from_end, found(X, last, lengths)[0].first) == (True, 2)
    first = found(X, X[:, 1, 0], lengths)[0]
    assert (first.from_end, first.first) == (False, 1)
    assert first.lag == pytest.approx((lengths - 2).mean())


def test_noise_goes_with_nothing():
    for seed in range(20):
        X = noise(seed, 100, 60, 3)
        assert found(X, np.random.default_rng(99 + seed).normal(size=100)) == []


def test_a_trifle_is_no_structure_of_the_answer():
    X = noise()
    residuals = (0.05 * X[:, 5, 0])[:, None]
    shares = relations(X, np.full(300, 20), ["x0", "x1"], residuals, np.ones(1))
    assert shares[0].share < 0.01


@pytest.mark.parametrize("count", [3, 59])
def test_few_records_tell_nothing(count):
    X = noise(records=count)
    assert found(X, X[:, 0, 0]) == []


def test_residuals_that_repeat_are_found_and_noise_is_not():
    random = np.random.default_rng(0)
    wave = [np.sin(np.arange(120) * np.pi / 6) + random.normal(size=120) for _ in range(5)]
    repeats = autocorrelation(wave, 24)
    assert int(np.abs(repeats.values[1:]).argmax()) + 1 in (6, 12, 18, 24)
    assert repeats.p_value < 1e-9
    chances = [autocorrelation([random.normal(size=300)], 12).p_value for _ in range(100)]
    assert 0.01 < np.mean(np.array(chances) < 0.1) < 0.25


def test_holes_in_a_series_are_left_out():
    wave = np.sin(np.arange(240) * np.pi / 6)
    wave[::7] = np.nan
    assert autocorrelation([wave], 12).values[12] == pytest.approx(1.0, abs=0.05)


def test_probabilities_that_are_right_are_within_chance():
    random = np.random.default_rng(0)
    sure = random.uniform(0.5, 1, 2000)
    codes = (random.random(2000) > sure).astype(int)
    right = reliability(np.stack([sure, 1 - sure], 1), codes)
    assert right.error < right.chance
    wrong = reliability(np.stack([sure, 1 - sure], 1) ** 8, codes)
    too_sure = reliability(np.eye(2)[np.zeros(2000, int)], codes)
    assert too_sure.error > too_sure.chance
    assert too_sure.sure == pytest.approx((codes == 1).mean(), abs=1e-9)
    assert wrong.sure < 0


def course(*parts, noise=0.02):
    random = np.random.default_rng(0)
    whole = np.concatenate([np.linspace(*each) for each in parts])
    return curve_of(Log(loss=(whole + noise * random.normal(size=len(whole))).tolist()))


def test_a_curve_that_falls_does_not_relapse_and_one_that_rises_does():
    falls = course((2, 1, 100), (1, 1, 100))
    assert falls.relapse < 8 * falls.noise
    assert falls.gain == pytest.approx(1, abs=0.1)
    rises = course((2, 1, 100), (1, 4, 30), (4, 2, 70))
    assert rises.relapse == pytest.approx(3, abs=0.3)


def test_a_curve_that_jumps_at_once_began_with_its_first_step():
    jumped = course((1, 1, 1), (30, 20, 10), (20, 3, 90))
    assert jumped.start == pytest.approx(1, abs=0.1)
    assert jumped.relapse > 15


def test_a_curve_still_falls_or_not():
    assert course((2, 1, 200)).late > 0.08
    assert abs(course((2, 1, 100), (1, 1, 100)).late) < 0.03


def test_steps_that_are_not_finite_are_no_numbers():
    curve = curve_of(Log(loss=[1.0] * 20 + [float("nan")] * 20, skipped=20))
    assert curve.skipped == 20
    assert np.isfinite(curve.smooth).all()
    assert curve_of(Log(loss=[1.0] * 5)) is None


def test_the_first_moves_grow_with_the_rate_and_are_unknown_of_sgd():
    assert first_moves(Training(learning_rate=0.2), 32) == pytest.approx(1.96, abs=0.01)
    assert np.isnan(first_moves(Training(optimizer="sgd"), 32))
