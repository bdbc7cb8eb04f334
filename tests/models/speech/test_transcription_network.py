"""The network that transcribes: padding, neighbours and pieces change nothing; the loss is CTC."""

import itertools
import math

import numpy as np
import pytest
import torch

from recurra.layers import GRU, LSTM
from recurra.models import RecordBatch, StreamBatch, TranscriptionNetwork, TranscriptionPlan


def network(layer: type = GRU, **options) -> TranscriptionNetwork:
    torch.manual_seed(0)
    usual = {"hidden_size": 6, "width": 5, "num_layers": 2, "dropout": 0.2}
    plan = TranscriptionPlan("audio", 4, 2, **{**usual, **options})
    return TranscriptionNetwork(plan, layer).eval()


def batch(values: torch.Tensor, lengths: list[int], said: list[list[int]]) -> RecordBatch:
    counts = torch.tensor(lengths)
    most = max(map(len, said))
    target = torch.tensor([[*each, *[-1] * (most - len(each))] for each in said])
    times = torch.arange(values.shape[1]).expand(len(values), -1).double()
    stream = StreamBatch(values, torch.ones_like(values, dtype=torch.bool), counts, times)
    return RecordBatch({"audio": stream}, None, {"transcript": target.reshape(len(said), most, 1)})


@pytest.mark.parametrize("bidirectional", [False, True])
@torch.no_grad()
def test_padding_whatever_it_holds_changes_nothing(bidirectional):
    model = network(bidirectional=bidirectional)
    x = torch.randn(3, 17, 4)
    lengths = torch.tensor([17, 9, 0])
    told, frames = model(x, lengths)
    assert frames.tolist() == [8, 4, 0]
    wild = torch.cat([x, torch.full((3, 5, 4), torch.inf)], 1)
    wild[1, 9:] = torch.nan
    wild[2] = torch.nan
    again, _ = model(wild, lengths)
    for one, two, count in zip(told, again, frames.tolist(), strict=True):
        assert torch.equal(one[:count], two[:count])
    alone, _ = model(x[1:2, :9], lengths[1:2])
    assert torch.allclose(alone[0], told[1, :4], atol=1e-6)


@pytest.mark.parametrize("layer", [GRU, LSTM])
@pytest.mark.parametrize("sizes", [(1,) * 19, (0, 7, 0, 12), (19,)])
@torch.no_grad()
def test_pieces_of_any_size_say_what_the_whole_says(layer, sizes):
    model = network(layer, ahead=5)
    x = torch.randn(1, 19, 4)
    heard, said, start = model.begin(), [], 0
    for size in sizes:
        told, heard = model.step(x[:, start : start + size], heard)
        said.append(told)
        start += size
    told, _ = model.step(torch.zeros(1, model.plan.ahead, 4), heard)
    whole, frames = model(x, torch.tensor([19]))
    assert torch.allclose(torch.cat([*said, told], 1), whole[:, : int(frames)], atol=1e-6)


@torch.no_grad()
def test_a_frame_sees_so_far_ahead_and_no_farther():
    model = network(ahead=4, before=1)
    x = torch.randn(1, 20, 4)
    other = x.clone()
    other[:, 10:] += 1.0
    one, two = (model(each, torch.tensor([20]))[0][0] for each in (x, other))
    same = (one == two).all(1)
    assert same.tolist() == [2 * (k + 1) - 1 + 4 < 10 for k in range(10)]


@torch.no_grad()
def test_the_loss_adds_up_all_paths_of_the_transcript():
    model = network()
    data = batch(torch.randn(2, 8, 4), [8, 6], [[0, 1], []])
    told, frames = model(data.streams["audio"].values, data.streams["audio"].lengths)
    expected = 0.0
    for row, wanted in enumerate(((1, 2), ())):
        chance = 0.0
        for path in itertools.product(range(3), repeat=int(frames[row])):
            if tuple(s for s, _ in itertools.groupby(path) if s) == wanted:
                chance += math.exp(sum(float(told[row, k, s]) for k, s in enumerate(path)))
        expected -= math.log(chance)
    total, count, state = model.loss(data)
    assert float(total) == pytest.approx(expected, rel=1e-5)
    assert (int(count), state) == (3, None)


def test_a_transcript_without_a_path_counts_nothing_and_leaves_gradients_finite():
    model = network()
    total, _, _ = model.loss(batch(torch.randn(2, 4, 4), [4, 4], [[0, 0, 0], [0]]))
    only, _, _ = model.loss(batch(torch.randn(1, 4, 4), [4], [[0, 0, 0]]))
    assert only.item() == 0.0
    assert total.item() > 0
    total.backward()
    assert all(each.grad.isfinite().all() for each in model.parameters())


@torch.no_grad()
def test_recordings_without_a_frame_say_nothing():
    told, frames = network()(torch.zeros(2, 1, 4), torch.tensor([1, 0]))
    assert told.shape == (2, 0, 3)
    assert not np.any(frames.numpy())
