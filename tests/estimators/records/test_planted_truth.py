"""Explanations of networks that have learned what was planted; a benchmark has more cases."""

from functools import cache

import numpy as np
import pytest

from recurra import Classifier, Regressor, Training
from recurra.explaining import explain

METHODS = ("integrated gradients", "occlusion")
STEPS, CASES = 16, 8
PLAIN = {"hidden_size": 24, "pooling": "last", "dropout": 0.0, "input_dropout": 0.0}


def training(steps):
    return Training(steps=steps, batch_size=64, learning_rate=1e-2, progress=False)


def apart(chance, *shape):
    """Draw values that keep away from the mean, which is the baseline."""
    return chance.uniform(0.5, 1.5, shape) * chance.choice([-1.0, 1.0], shape)


@cache
def adding():
    chance = np.random.default_rng(0)
    values, marks = apart(chance, 1500, STEPS), np.zeros((1500, STEPS))
    places = np.array([chance.choice(STEPS, 2, replace=False) for _ in range(1500)])
    np.put_along_axis(marks, places, 1.0, 1)
    x, y = np.stack([values, marks], -1), (values * marks).sum(1)
    model = Regressor(**PLAIN, training=training(1000)).fit(x[CASES:], y[CASES:])
    assert model.score(x[:CASES], y[:CASES]) > 0.95
    return model, x[:CASES], [set(each.tolist()) for each in places[:CASES]], "step"


@cache
def lag():
    chance = np.random.default_rng(1)
    x = apart(chance, 1500, STEPS, 1)
    y, place = x[:, -6, 0], STEPS - 6
    model = Regressor("lstm", **PLAIN, training=training(1000)).fit(x[CASES:], y[CASES:])
    assert model.score(x[:CASES], y[:CASES]) > 0.95
    return model, x[:CASES], [{place}] * CASES, "step"


@cache
def channel():
    chance = np.random.default_rng(2)
    y = chance.choice([-1, 1], 400)
    x = chance.normal(size=(400, STEPS, 30))
    x[:, :, 17] += y[:, None]
    model = Classifier(hidden_size=8, training=training(150)).fit(x[CASES:], y[CASES:])
    assert model.score(x[:CASES], y[:CASES]) == 1.0
    return model, x[:CASES], [{"x17"}] * CASES, "channel"


@cache
def keyword():
    chance = np.random.default_rng(3)
    words = np.array([f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in "lmnr"])
    y = chance.integers(0, 2, 500)
    texts = words[2:][chance.integers(0, len(words) - 2, (500, STEPS))]
    texts[np.arange(500), chance.integers(0, STEPS, 500)] = words[y]
    x = [" ".join(each) for each in texts]
    model = Classifier(hidden_size=8, unit="word", training=training(150))
    model.fit(x[CASES:], y[CASES:])
    assert model.score(x[:CASES], y[:CASES]) == 1.0
    return model, x[:CASES], [{str(words[each])} for each in y[:CASES]], "step"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("problem", [adding, lag, channel, keyword])
def test_what_was_planted_is_ranked_first(problem, method):
    model, records, planted, by = problem()
    for place, wanted in enumerate(planted):
        why = model.explain(records[place : place + 1], method=method, by=by, checks=place == 0)
        top = why.top(len(wanted))
        assert {each.channel if by == "channel" else each.step for each in top} == wanted
        if place == 0:
            assert why.checks.deletion.area < why.checks.deletion.random_area
            assert why.checks.completeness is None or why.checks.completeness <= 0.005


def test_random_weights_do_not_find_it():
    model, records, planted, by = lag()
    found = 0
    for seed in range(CASES):
        question = model._question(records[seed : seed + 1], None).randomised(seed)
        found += {explain(question, by=by, checks=False).top(1)[0].step} == planted[seed]
    assert found <= 2
