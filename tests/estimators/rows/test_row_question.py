"""Why a row is expected, likely or odd: the cells that were planted."""

import numpy as np
import pytest
import torch

from recurra import Training
from recurra.errors import DataError, OptionError
from recurra.estimators import AnomalyDetector, NextStep
from recurra.explaining import explain

LAG, STEPS = 4, 60
QUICK = Training(steps=400, progress=False)


def copying(seed, flags=False):
    """Rows whose first channel copies the second one of some rows ago; the third is noise."""
    random = np.random.default_rng(seed)
    rows = random.choice([-1.0, 1.0], (STEPS, 3)) * random.uniform(0.5, 2.0, (STEPS, 3))
    rows[LAG:, 0] = rows[:-LAG, 1] + 0.05 * random.normal(size=STEPS - LAG)
    return (rows > 0).astype(float) if flags else 10 + 3 * rows


@pytest.fixture(scope="module")
def copies():
    return NextStep(hidden_size=32, training=QUICK).fit([copying(k) for k in range(60)])


@pytest.mark.parametrize("method", ["integrated gradients", "occlusion"])
def test_the_cell_that_the_next_row_copies_is_on_top(copies, method):
    found = []
    for seed in range(100, 120):
        rows = copying(seed)
        why = copies.explain([rows], 0, method=method, by="step and channel", checks=False)
        assert why.answer == pytest.approx(copies.predict([rows])[0, 0], abs=1e-4)
        found.append(why.top(1)[0][1:3] == (STEPS - LAG, copies.channels_[1]))
    assert sum(found) >= 19


def test_scores_of_the_next_row_add_up_and_are_those_of_what_was_learned(copies):
    why = copies.explain([copying(100)], 0, by="step and channel")
    assert why.checks.completeness < 0.01
    assert abs(why.checks.randomised) < 0.5
    assert why.asked == f"next {copies.channels_[0]!r}"
    question = copies._question([copying(100)], 0)
    tops = [
        explain(question.randomised(seed), by="step and channel", checks=False).top(1)[0][1:3]
        for seed in range(10)
    ]
    assert tops.count((STEPS - LAG, copies.channels_[1])) <= 2


def test_the_cell_that_makes_a_row_likely_is_on_top(copies):
    rows = copying(200)
    why = copies.explain([rows], step=30, by="step and channel")
    assert why.answer == pytest.approx(copies.log_likelihood([rows])[0][30], abs=1e-4)
    assert why.top(1)[0][1:3] == (30 - LAG, copies.channels_[1])
    assert why.checks.completeness < 0.01
    assert why.reads["x"].steps == tuple(range(30))
    assert why.reads["x"].shown == pytest.approx(rows[:30])
    each = [copies.explain([rows], k, step=30, checks=False).answer for k in range(3)]
    assert sum(each) == pytest.approx(why.answer, abs=1e-4)
    assert copies.explain([rows], step=-30, checks=False).answer == pytest.approx(why.answer)


def test_of_flags_the_log_odds_of_1_are_explained():
    model = NextStep(hidden_size=32, training=QUICK).fit([copying(k, True) for k in range(60)])
    rows = copying(100, True)
    rows[-LAG, 1] = 1.0
    why = model.explain([rows], 0, by="step and channel")
    assert 1 / (1 + np.exp(-why.answer)) == pytest.approx(model.predict_proba([rows])[0, 0])
    assert why.top(1)[0][1:3] == (STEPS - LAG, model.channels_[1])
    assert why.checks.completeness < 0.01
    assert "log odds of 1 in" in why.asked


def test_what_is_missing_is_read_as_missing():
    records = [copying(k) for k in range(20)]
    for k, rows in enumerate(records):
        rows[k : k + 10, k % 3] = np.nan
    model = NextStep(hidden_size=8, training=Training(steps=30, progress=False)).fit(records)
    why = model.explain(records[:1], 1, by="step and channel")
    assert why.answer == pytest.approx(model.predict(records[:1])[0, 1], abs=1e-4)
    assert (why.scores["x"][:10, 0] == 0).all()  # as where nothing is known
    assert why.checks.completeness < 0.01
    assert np.isnan(why.reads["x"].shown[0, 0])
    with pytest.raises(OptionError, match="Nothing was observed at step 3"):
        model.explain(records[:1], 0, step=3)


def waves(seed, steps=300):
    random = np.random.default_rng(seed)
    time = np.arange(steps)[:, None] / 5.0 + np.arange(5)
    return np.sin(time) + 0.05 * random.normal(size=(steps, 5))


@pytest.fixture(scope="module", params=["forecast", "reconstruction"])
def detector(request):
    training = Training(steps=100, progress=False)
    return AnomalyDetector(request.param, training=training).fit([waves(k) for k in range(3)])


@pytest.mark.parametrize("method", ["integrated gradients", "occlusion"])
def test_the_cell_that_is_odd_is_on_top(detector, method):
    for channel, step in ((3, 40), (0, 77)):
        rows = waves(9, 100)
        rows[step, channel] += 6.0
        why = detector.explain([rows], method=method, by="step and channel", checks=False)
        assert why.top(1)[0][1:3] == (step, detector.channels_[channel])
        assert why.asked == f"score of step {step}, from the value of 'x{channel}'"
        assert why.answer == pytest.approx(detector.score_samples([rows])[0][step], abs=1e-6)


def test_scores_of_an_odd_step_add_up(detector):
    rows = waves(9, 100)
    rows[60, 3] += 3.0
    why = detector.explain([rows], step=60, by="step and channel")
    assert why.checks.completeness < 0.01


@pytest.mark.parametrize("adapts", [True, False])
@pytest.mark.parametrize("method", ["forecast", "reconstruction"])
def test_every_step_is_answered_for_as_it_is_scored(method, adapts):
    records = [waves(k, 120) for k in range(3)]
    records[0][30:40, 2] = np.nan
    records[1][50] = np.nan
    training = Training(steps=20, progress=False)
    model = AnomalyDetector(method, adapts=adapts, window=8, training=training).fit(records)
    odd = waves(7, 60)
    odd[20:, 1] = odd[20, 1]  # it hangs
    odd[10:14, 2] = np.nan
    odd[33] = np.nan
    scores = model.score_samples([odd])[0]
    for step in (0, 5, 12, 25, 34, 50, 59):
        question = model._question([odd], None, step=step)
        values = {name: read.values[None] for name, read in question.reads.items()}
        with torch.no_grad():
            assert float(question.answer(values)) == pytest.approx(scores[step], abs=1e-6)
    with pytest.raises(OptionError, match="Nothing was observed at step 33, so it has no score"):
        model.explain([odd], step=33)


@pytest.mark.parametrize("method", ["integrated gradients", "occlusion"])
def test_a_sensor_that_hangs_is_odd_by_its_errors(detector, method):
    rows = waves(9, 120)
    rows[60:, 3] = rows[60, 3]
    step = int(np.nanargmax(detector.score_samples([rows])[0][60:])) + 60
    why = detector.explain([rows], step=step, method=method, by="step and channel")
    assert why.asked == f"score of step {step}, from the errors of 'x3'"
    assert int(np.abs(why.by_channel()).argmax()) == 3


def test_what_cannot_be_explained_is_said(copies, detector):
    rows = copying(0)
    with pytest.raises(OptionError, match="There are 3 channels: say which, target="):
        copies.explain([rows])
    with pytest.raises(OptionError, match="There is no channel 'pulse'"):
        copies.explain([rows], "pulse")
    with pytest.raises(OptionError, match="There is no channel 3"):
        copies.explain([rows], 3)
    with pytest.raises(OptionError, match="step=0 has no rows before it"):
        copies.explain([rows], step=0)
    with pytest.raises(OptionError, match="0 to 59"):
        copies.explain([rows], step=60)
    with pytest.raises(OptionError, match="X holds 2 records, but one is asked"):
        copies.explain([rows, rows], 0)
    with pytest.raises(DataError, match="no steps"):
        copies.explain([rows[:0]], 0)
    with pytest.raises(OptionError, match="a score is of all channels of a step"):
        detector.explain([waves(0)], "x3")
    with pytest.raises(OptionError, match="0 to 299"):
        detector.explain([waves(0)], step=300)
