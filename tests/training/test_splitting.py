"""Batches in parts: what is learned from all rows at once, and from some after the others."""

import logging
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from recurra import Forecaster
from recurra.errors import TrainingError
from recurra.estimators.forecasting import forecaster
from recurra.estimators.learning import learner
from recurra.layers import GRU
from recurra.models.rows.next_step_network import RowBatch
from recurra.testing.estimator_cases import CASES
from recurra.training import Checkpoints, Training, train
from recurra.training.flat import add_gradients, flatten
from recurra.training.splitting import Splitting, is_shortage


class Met(Exception):  # noqa: N818 - it is no error
    """What a network was to learn from."""


def first_of(module, monkeypatch, fit):
    """The network that an estimator trains, and its first batch."""

    def meet(network, batches, *_given, **_named):
        raise Met(network, next(batches))

    monkeypatch.setattr(module, "train", meet)
    with pytest.raises(Met) as caught:
        fit()
    network, batch = caught.value.args
    return network.eval(), batch


def gradient_of(network, parts):
    flat = flatten(network)
    found = [add_gradients(network, part) for part in parts]
    total, count = (sum(each[k] for each in found) for k in (0, 1))
    return total, count, torch.cat(flat.gradients).clone()


def halves_are_the_whole(network, batch):
    half = len(batch) // 2
    whole = gradient_of(network, [batch])
    parts = gradient_of(network, [batch.rows(0, half), batch.rows(half, len(batch))])
    assert len(batch) > half > 0
    assert whole[1] == parts[1]
    np.testing.assert_allclose(parts[0], whole[0], rtol=1e-6)
    np.testing.assert_allclose(parts[2], whole[2], atol=3e-6 * float(whole[2].abs().max()))


@pytest.mark.parametrize("name", CASES)
def test_what_half_a_batch_teaches_and_the_other_half_is_what_all_of_it_does(name, monkeypatch):
    case = CASES[name]()
    network, batch = first_of(learner, monkeypatch, lambda: case.estimator.fit(case.X, case.y))
    halves_are_the_whole(network, batch)


def test_so_it_is_with_windows_of_series(monkeypatch):
    stamps = pd.date_range("2024-01-01", periods=60, freq="D")
    values = np.sin(np.arange(60.0)) + 0.01 * np.arange(60)
    df = pd.DataFrame({"unique_id": "a", "ds": stamps, "y": values})
    model = Forecaster(training=Training(steps=1))
    halves_are_the_whole(*first_of(forecaster, monkeypatch, lambda: model.fit(df)))


def test_records_of_records_keep_their_own(monkeypatch):
    chance = np.random.default_rng(0)
    texts = [" ".join(chance.choice(["ab", "cde", "f"], 1 + k % 5)) for k in range(40)]
    tags = [["x"] * len(text.split()) for text in texts]
    tags[0] = ["y"] * len(tags[0])
    model = CASES["Tagger"]().estimator
    words = [text.split() for text in texts]
    network, batch = first_of(learner, monkeypatch, lambda: model.fit(words, tags))
    assert any(stream.inner is not None for stream in batch.streams.values())
    halves_are_the_whole(network, batch)


SHORTAGES = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("[enforce fail at alloc_cpu.cpp] . DefaultCPUAllocator: can't allocate memory: x"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
]


class Short(torch.autograd.Function):
    """Stands for an allocator that is asked for too much on the way back."""

    @staticmethod
    def forward(ctx, x, error):
        ctx.error = error
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        if ctx.error is not None:
            raise ctx.error
        return gradient, None


class Network(nn.Module):
    """A GRU for which memory holds so many rows; its output's gradient is there before it fails."""

    def __init__(self, holds=10**6, error=None, dropout=0.0):
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.out = GRU(2, 5, num_layers=2, batch_first=True), nn.Linear(5, 2)
        self.drop = nn.Dropout(dropout)
        self.holds, self.error, self.sizes = holds, error or MemoryError(), []

    def loss(self, batch, state=None):
        self.sizes.append(len(batch))
        hidden, state = self.layer(self.drop(batch.values), state, lengths=batch.lengths)
        hidden = Short.apply(hidden, self.error if len(batch) > self.holds else None)
        miss = self.out(hidden)[:, :-1] - batch.values[:, 1:]
        seen = batch.observed[:, 1:]
        return torch.where(seen, miss.square(), 0.0).sum(), seen.sum(), state


def some_rows(count=13, steps=9, seed=0):
    chance = torch.Generator().manual_seed(seed)
    values = torch.randn(count, steps, 2, generator=chance)
    lengths = torch.randint(1, steps + 1, (count,), generator=chance)
    observed = (torch.arange(steps) < lengths[:, None])[..., None].expand(-1, -1, 2)
    return RowBatch(torch.where(observed, values, 0.0), observed, lengths)


def learned_by(network, batches, state=None):
    flat = flatten(network)
    splitting, found = Splitting(network, flat), []
    splitting.begin()
    for batch in batches:
        found.append(splitting.add(batch, state))
        state = found[-1][2]
    return found, torch.cat(flat.gradients).clone(), splitting


@pytest.mark.parametrize("error", SHORTAGES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("holds", [12, 6, 3, 1])
def test_what_memory_does_not_hold_is_learned_in_parts_with_the_same_gradient(holds, error):
    batches = [some_rows(), some_rows(seed=1), some_rows(13, 4)]
    whole, gradient, _ = learned_by(Network(), batches)
    network = Network(holds, error)
    parts, again, splitting = learned_by(network, batches)
    assert 1 <= splitting.most <= holds
    assert [each[1] for each in parts] == [each[1] for each in whole]
    np.testing.assert_allclose([each[0] for each in parts], [each[0] for each in whole], rtol=1e-6)
    np.testing.assert_allclose(again, gradient, atol=1e-6 * float(gradient.abs().max()))
    torch.testing.assert_close(parts[-1][2], whole[-1][2])


def test_later_batches_are_split_at_once_and_it_is_told_once(caplog):
    network = Network(4)
    with caplog.at_level(logging.WARNING, "recurra.training"):
        learned_by(network, [some_rows(seed=k) for k in range(4)])
    assert network.sizes == [13, 7, 4, 4, 4, 1] + 3 * [4, 4, 4, 1]
    assert [each.getMessage() for each in caplog.records] == [
        "13 rows do not fit in memory: they are learned from in parts of at most 4"
    ]


def test_one_row_that_does_not_fit_is_an_error_with_advice():
    with pytest.raises(TrainingError, match=r"A single row .*truncation=.*hidden_size.*recompute"):
        learned_by(Network(0), [some_rows()])


def test_a_batch_without_rows_is_an_error_with_advice():
    class Whole:
        def __init__(self, rows):
            self.values, self.observed, self.lengths = rows.values, rows.observed, rows.lengths

        def __len__(self):
            return len(self.lengths)

    with pytest.raises(TrainingError, match=r"rows\(start, stop\) to split it by.*batch_size"):
        learned_by(Network(2), [Whole(some_rows())])


def test_other_errors_are_what_they_are():
    assert not is_shortage(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        learned_by(Network(2, RuntimeError("shapes differ")), [some_rows()])


OPTIONS = Training(steps=12, truncation=4, accumulate=2, warmup=0, progress=False)


def trained(folder=None, stop=None, holds=10**6, **changes):
    network = Network(holds, dropout=0.3)
    torch.manual_seed(1)
    batches = (some_rows(seed=seed) for seed in range(10**6))
    kept = None if folder is None else Checkpoints(folder, steps=1)
    options = replace(OPTIONS, **changes)
    log = train(network, batches, options, None, [lambda m: m.step == stop], checkpoints=kept)
    return [each.detach().clone() for each in network.parameters()], log.loss


def test_a_training_in_parts_is_gone_on_with_to_the_same_bits(tmp_path):
    class Stopped(Exception):  # noqa: N818 - it is no error
        pass

    def stop(moment):
        if moment.step == 5:
            raise Stopped

    whole, losses = trained(holds=4)
    network = Network(4, dropout=0.3)
    torch.manual_seed(1)
    batches = (some_rows(seed=seed) for seed in range(10**6))
    with pytest.raises(Stopped):
        train(network, batches, OPTIONS, None, [stop], checkpoints=Checkpoints(tmp_path, steps=1))
    after, again = trained(tmp_path, holds=4)
    assert again == losses
    assert all(map(torch.equal, after, whole))


REAL = """
import logging, resource, torch
from recurra.layers import LSTM
from recurra.training.flat import flatten
from recurra.training.splitting import Splitting

class Rows:
    def __init__(self, x):
        self.x = x
    def __len__(self):
        return len(self.x)
    def rows(self, start, stop):
        return Rows(self.x[start:stop])

class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = LSTM(4, 64, batch_first=True)
    def loss(self, batch, state):
        return self.layer(batch.x)[0].square().sum(), torch.tensor(len(batch)), None

def learn(batch):
    flat = flatten(network)
    splitting = Splitting(network, flat)
    splitting.begin()
    total, count, _ = splitting.add(batch)
    return splitting.most, total, count, torch.cat(flat.gradients)

torch.manual_seed(0)
torch.set_num_threads(1)
logging.basicConfig()
network, batch = Network(), Rows(torch.randn(256, 400, 4))
learn(batch.rows(0, 2))  # what is loaded once
with open("/proc/self/statm") as file:
    taken = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + 100 * 2**20, resource.RLIM_INFINITY))
most, total, count, found = learn(batch)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
free, whole, counted, gradient = learn(batch)
assert free is None and 1 <= most < 256, (free, most)
assert count == counted and abs(total - whole) < 1e-5 * whole, (total, whole)
assert float((found - gradient).abs().max()) < 1e-5 * float(gradient.abs().max())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs RLIMIT_AS and /proc")
def test_so_it_is_with_memory_that_really_ends():
    done = subprocess.run([sys.executable, "-c", REAL], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "do not fit in memory: they are learned from in parts of at most" in done.stderr
