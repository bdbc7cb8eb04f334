"""Truncated backpropagation through time: flat memory, the same numbers, and who may cut."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from recurra import Classifier, Forecaster, LanguageModel, Regressor, Training
from recurra.errors import OptionError
from recurra.estimators import AnomalyDetector, NextStep, Tagger, Transcriber
from recurra.estimators.forecasting import forecast_state
from recurra.estimators.rows import next_step_data
from recurra.layers import LSTM
from recurra.training import train

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "truncation.py"
BRIEF = Training(
    steps=6, batch_size=2, warmup=0, patience=None, check_every=3, progress=False, average=0.5
)

# ---------------------------------------------------------------------- memory


def measured(task, steps):
    command = [sys.executable, str(BENCHMARK), "--one", task, str(steps), "500"]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(said.splitlines()[-1])


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("task", ["loop", "forecaster"])
def test_a_sequence_twenty_times_as_long_needs_no_more_memory_than_its_data(task):
    """Whole, the same takes 130 MiB in the loop, and 240 MiB in the forecaster."""
    short, long = measured(task, 10_000), measured(task, 200_000)
    assert short["peak"] > 100  # MiB: it was measured
    assert long["above"] - short["above"] < (2 if task == "loop" else 60)
    if task == "loop":
        assert long["peak"] < 1.05 * short["peak"]


# ---------------------------------------------------------------------- numbers


class Sequence:
    """Sequences of shape (batch, time, 2) in float64, and a target for each step."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def chunks(self, steps):
        for start in range(0, self.x.shape[1], steps):
            part = slice(start, start + steps)
            yield Sequence(self.x[:, part], self.y[:, part])


class Model(nn.Module):
    """An LSTM in float64."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.out = LSTM(2, 5, batch_first=True), nn.Linear(5, 1)
        self.double()

    def loss(self, batch, state=None):
        hidden, state = self.layer(batch.x, state)
        return (self.out(hidden) - batch.y).square().sum(), torch.tensor(batch.y.numel()), state


def sequence(steps=40):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, steps, 2, generator=generator, dtype=torch.float64)
    return Sequence(x, x.sum(-1, keepdim=True).cumsum(1) / 10)


def weights_of(model):
    return torch.cat([each.detach().reshape(-1) for each in model.parameters()])


@pytest.mark.parametrize("window", [40, 41, 1000])
def test_a_window_that_covers_the_sequence_is_full_backpropagation_to_the_bit(window):
    whole, cut = Model(), Model()
    train(whole, iter([sequence()] * 6), BRIEF)
    train(cut, iter([sequence()] * 6), replace(BRIEF, truncation=window))
    assert torch.equal(weights_of(cut), weights_of(whole))


def test_gradients_of_chunks_add_up_to_those_of_a_graph_that_is_cut_at_their_edges():
    model, batch = Model(), sequence()
    state, total = None, torch.zeros((), dtype=torch.float64)
    for piece in batch.chunks(15):
        if state is not None:
            state = tuple(each.detach() for each in state)
        summed, _, state = model.loss(piece, state)
        total = total + summed
    (total / batch.y.numel()).backward()
    rate = 0.1
    expected = weights_of(model) - rate * torch.cat(
        [each.grad.reshape(-1) for each in model.parameters()]
    )
    model = Model()
    once = Training(steps=1, truncation=15, accumulate=3, optimizer="sgd", learning_rate=rate)
    train(model, iter([batch]), replace(once, warmup=0, clip_norm=None, progress=False))
    assert torch.allclose(weights_of(model), expected, rtol=0, atol=1e-12)


def texts():
    return "the cat sat on the mat; the dog sat on the log. " * 20


def rows():
    return [np.sin(np.arange(n, dtype=float)[:, None] / 3) for n in (40, 30, 25)]


def frame():
    days = pd.date_range("2024-01-01", periods=80, freq="D")
    return pd.DataFrame({"unique_id": "a", "ds": days, "y": np.sin(np.arange(80) / 3)})


CUTTING = [
    pytest.param(lambda how: NextStep(hidden_size=4, training=how).fit(rows()), 40, id="NextStep"),
    pytest.param(
        lambda how: AnomalyDetector(hidden_size=4, training=how).fit([np.tile(rows()[0], (9, 1))]),
        1000,
        id="AnomalyDetector",
    ),
    pytest.param(
        lambda how: Forecaster(hidden_size=4, context=24, training=how).fit(frame()),
        24,
        id="Forecaster",
    ),
]


@pytest.mark.parametrize(("learn", "window"), CUTTING)
def test_an_estimator_whose_windows_are_covered_learns_the_same_to_the_bit(learn, window):
    whole, cut = learn(BRIEF), learn(replace(BRIEF, truncation=window))
    assert torch.equal(weights_of(cut.network_), weights_of(whole.network_))
    shorter = learn(replace(BRIEF, truncation=7))
    assert not torch.equal(weights_of(shorter.network_), weights_of(whole.network_))


def test_a_language_model_reads_stretches_and_carries_the_state():
    learn = lambda steps: LanguageModel(  # noqa: E731
        hidden_size=8, training=replace(BRIEF, truncation=steps)
    ).fit(texts())
    assert not torch.equal(weights_of(learn(7).network_), weights_of(learn(60).network_))


# ---------------------------------------------------------------------- who may not cut


@pytest.mark.parametrize(
    "model",
    [
        Classifier(training=replace(BRIEF, truncation=10)),
        Regressor(training=replace(BRIEF, truncation=10)),
        Tagger(training=replace(BRIEF, truncation=10)),
        Transcriber(training=replace(BRIEF, truncation=10)),
        AnomalyDetector(method="reconstruction", training=replace(BRIEF, truncation=10)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_who_answers_for_a_whole_record_says_so_before_any_work(model):
    with pytest.raises(OptionError, match=r"truncation=10 cuts.*truncation=None"):
        model.fit(rows(), None)


# ---------------------------------------------------------------------- read in pieces


def test_a_long_series_is_looked_at_in_pieces_to_the_same_bits(monkeypatch):
    def learn():
        model = Forecaster(hidden_size=4, training=replace(BRIEF, average=0.0))
        pair = pd.concat([frame().iloc[:50].assign(unique_id="b"), frame()])
        model.fit(pair)
        return model, model.predict(h=5, level=[80])

    whole, said = learn()
    monkeypatch.setattr(forecast_state, "LONG", 7)
    cut, again = learn()
    assert torch.equal(weights_of(cut.network_), weights_of(whole.network_))
    pd.testing.assert_frame_equal(again, said, rtol=1e-6)


def test_a_long_record_is_scored_in_pieces(monkeypatch):
    model = NextStep(hidden_size=4, training=BRIEF).fit(rows())
    whole, said = model.log_likelihood(rows()), model.predict(rows())
    monkeypatch.setattr(next_step_data, "MOST_CELLS", 7)
    for one, other in zip(model.log_likelihood(rows()), whole, strict=True):
        assert np.allclose(one, other, rtol=0, atol=1e-6)
    assert np.allclose(model.predict(rows()), said, atol=1e-6)
    assert model.log_likelihood([np.zeros((0, 1))])[0].shape == (0,)
