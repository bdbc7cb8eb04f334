"""Steps of a long record taken away through what the state carries on, beside reading it anew."""

import numpy as np
import pytest

from recurra import Classifier, Regressor, Tagger, Training
from recurra.explaining.regions import Region, answers_without
from recurra.models.records.changed_steps import FULL

STEPS = 300
PLAIN = {"dropout": 0.0, "input_dropout": 0.0}
BRIEF = Training(steps=60, batch_size=16, learning_rate=1e-2, progress=False)


def asked(estimator, options, y, record=STEPS, **more):
    chance = np.random.default_rng(0)
    X = chance.normal(size=(60, 25, 2))
    model = estimator(hidden_size=12, training=BRIEF, **PLAIN | options).fit(X, y(X))
    return model._question(chance.normal(size=(1, record, 2)), None, **more)


def anew(question, steps=STEPS):
    (stream,) = question.reads
    return answers_without(question, [[Region(stream, k, k + 1)] for k in range(steps)])


MODELS = {
    "GRU, last": (
        Regressor,
        {"layer": "gru", "pooling": "last", "front": None},
        lambda X: X[:, -3, 0],
    ),
    "RNN, mean": (
        Regressor,
        {"layer": "rnn", "pooling": "mean", "front": None},
        lambda X: X[:, :, 0].mean(1),
    ),
    "LSTM, three pools": (Classifier, {"layer": "lstm", "front": None}, lambda X: X[:, -4, 1] > 0),
    "two GRUs, both ways": (
        Classifier,
        {"layer": "gru", "num_layers": 2, "bidirectional": True, "front": None},
        lambda X: X[:, 12, 1] > 0,
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_scores_are_near_those_of_reading_anew_and_exact_where_they_are_largest(name):
    question = asked(*MODELS[name])
    (stream,) = question.reads
    fast = question.occluded_steps(stream)
    assert fast is not None
    slow = anew(question)
    answer = float(question.answer({stream: question.reads[stream].values[None]}).detach())
    fast, slow = fast.numpy() - answer, slow - answer
    apart = abs(fast - slow)
    assert (apart < 1e-5 + 1e-4 * abs(slow)).sum() >= FULL
    assert apart[np.argmax(abs(fast))] < 1e-5 + 1e-4 * abs(fast).max()
    assert np.corrcoef(fast, slow)[0, 1] > 0.95
    assert apart.max() < 0.5 * abs(slow).max()
    assert np.median(apart) < 0.02 * abs(slow).max()


def test_an_answer_for_a_step_is_asked_in_the_same_way():
    question = asked(Tagger, {"layer": "gru"}, lambda X: [list(r[:, 0] > 0) for r in X], step=40)
    (stream,) = question.reads
    fast = question.occluded_steps(stream)
    assert fast is not None
    slow = anew(question)
    assert abs(fast.numpy() - slow).max() < 0.2 * np.ptp(slow)
    assert np.allclose(fast.numpy()[41:], slow[41:])  # the future does not touch it


OTHERS = {
    "convolutions": {"front": "convolution"},
    "decay": {"layer": "grud", "front": None},
    "a linear part": {"shortcut": True, "front": None},
}


@pytest.mark.parametrize("name", OTHERS)
def test_networks_with_other_parts_are_read_anew(name):
    question = asked(Regressor, OTHERS[name], lambda X: X[:, 0, 0])
    (stream,) = question.reads
    assert question.occluded_steps(stream) is None


def test_short_records_are_read_anew():
    question = asked(*MODELS["GRU, last"], record=30)
    (stream,) = question.reads
    assert question.occluded_steps(stream) is None
