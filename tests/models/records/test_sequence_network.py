"""The network of whole records keeps the contract of its layers, whatever it reads."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from recurra.errors import OptionError, ShapeError
from recurra.layers import GRU, GRUD
from recurra.models import Answer, Input, NetworkPlan, RecordBatch, SequenceNetwork, StreamBatch

LENGTHS = torch.tensor([5, 1, 0, 3])
RECORD = {"y": Answer(classes=3)}


def _stream(shape: tuple[int, ...] = (2,), lengths: Tensor = LENGTHS, codes: int = 0):
    time = int(lengths.max())
    size = (len(lengths), time, *shape)
    values = torch.randint(codes, size) if codes else torch.randn(size)
    real = torch.arange(time) < lengths[:, None]
    values = values * real.reshape(len(lengths), time, *[1] * len(shape))
    observed = real[..., None].expand(-1, -1, 1 if len(shape) > 1 else shape[0]).clone()
    return StreamBatch(values, observed, lengths, torch.arange(time).repeat(len(lengths), 1) * 1.0)


def _records(lengths: Tensor) -> StreamBatch:
    inner = _stream((1,), torch.tensor([2, 0, 4, 1, 3, 2, 1, 5, 2])[: int(lengths.sum())], 7)
    return replace(_stream((1,), lengths), inner=inner)


STREAMS = {
    "values": (Input("values", ("a", "b")), lambda: _stream()),
    "tokens": (Input("tokens", ("token",), {0: 9}, 4), lambda: _stream((1,), codes=9)),
    "signal": (
        Input("signal", ("audio",), width=4),
        lambda: _stream((1,), torch.tensor([400, 1, 0, 161])),
    ),
    "frames": (Input("frames", ("grey",), width=4), lambda: _stream((8, 9, 1))),
    "records": (
        Input("records", (), inner=Input("tokens", ("token",), {0: 9}, 4)),
        lambda: _records(LENGTHS),
    ),
}


def _network(plan: NetworkPlan, layer=GRU) -> SequenceNetwork:
    torch.manual_seed(0)
    return SequenceNetwork(plan, layer).eval()


def _padded(stream: StreamBatch, more: int) -> StreamBatch:
    """More padding, with something in it."""
    rows = len(stream.lengths)
    junk = torch.full((rows, more, *stream.values.shape[2:]), 7, dtype=stream.values.dtype)
    values = torch.cat([stream.values, junk], 1)
    seen = torch.zeros(rows, more, stream.observed.shape[2], dtype=torch.bool)
    times = torch.cat([stream.times, torch.full((rows, more), 99.0)], 1)
    observed = torch.cat([stream.observed, seen], 1)
    return replace(stream, values=values, observed=observed, times=times)


@pytest.mark.parametrize("kind", STREAMS)
def test_padding_and_its_content_change_no_answer(kind):
    given, make = STREAMS[kind]
    network = _network(NetworkPlan({"x": given}, RECORD, hidden_size=4))
    torch.manual_seed(1)
    stream = make()
    short = network(RecordBatch({"x": stream}, None, {}))["y"]
    long = network(RecordBatch({"x": _padded(stream, 3)}, None, {}))["y"]
    torch.testing.assert_close(long, short, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", [kind for kind in STREAMS if kind != "records"])
def test_a_record_answers_alike_alone_and_among_others(kind):
    given, make = STREAMS[kind]
    network = _network(NetworkPlan({"x": given}, RECORD, hidden_size=4))
    torch.manual_seed(1)
    stream = make()
    whole = network(RecordBatch({"x": stream}, None, {}))["y"]
    for row, length in enumerate(stream.lengths.tolist()):
        part = [each[row : row + 1, :length] for each in (stream.values, stream.observed)]
        times = stream.times[row : row + 1, :length]
        alone = StreamBatch(*part, stream.lengths[row : row + 1], times)
        answer = network(RecordBatch({"x": alone}, None, {}))["y"]
        torch.testing.assert_close(answer[0], whole[row], rtol=0, atol=1e-6)


def test_records_within_records_are_read_one_by_one():
    given, make = STREAMS["records"]
    network = _network(NetworkPlan({"x": given}, RECORD, hidden_size=4))
    torch.manual_seed(1)
    stream = make()
    whole = network(RecordBatch({"x": stream}, None, {}))["y"]
    inner = stream.inner
    assert inner is not None
    changed = inner.values.clone()
    changed[7] = 1 + (changed[7] + 3) % 5  # the eighth sentence belongs to the last record
    other = replace(stream, inner=replace(inner, values=changed))
    answer = network(RecordBatch({"x": other}, None, {}))["y"]
    assert torch.equal(answer[:3], whole[:3])
    assert not torch.equal(answer[3], whole[3])


@pytest.mark.parametrize("layer", [GRU, GRUD])
def test_static_covariates_are_read(layer):
    plan = NetworkPlan({"x": STREAMS["values"][0]}, RECORD, Input("values", ("age",)), 4)
    network = _network(plan, layer)
    stream = _stream()
    age = torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(4, 1, 1)
    ones = torch.ones(4, dtype=torch.int64)
    seen = torch.ones(4, 1, 1, dtype=torch.bool)

    def answer(values: Tensor) -> Tensor:
        static = StreamBatch(values, seen, ones, torch.zeros(4, 1))
        return network(RecordBatch({"x": stream}, static, {}))["y"]

    older = age.clone()
    older[0] += 1
    assert torch.equal(answer(age)[1:], answer(older)[1:])
    assert not torch.equal(answer(age)[0], answer(older)[0])


@pytest.mark.parametrize("join", ["late", "concatenate", "gated"])
def test_streams_are_joined(join):
    inputs = {"x": Input("values", ("a", "b")), "z": Input("values", ("c",))}
    network = _network(NetworkPlan(inputs, RECORD, hidden_size=4, join=join))
    x, z = _stream(), _stream((1,))
    whole = network(RecordBatch({"x": x, "z": z}, None, {}))["y"]
    other = network(RecordBatch({"x": x, "z": replace(z, values=z.values + 1)}, None, {}))["y"]
    assert whole.shape == (4, 1, 3)
    assert not torch.equal(whole, other)


def test_streams_on_other_clocks_are_not_joined_step_by_step():
    inputs = {"x": Input("values", ("a", "b")), "z": Input("values", ("c",))}
    network = _network(NetworkPlan(inputs, RECORD, hidden_size=4, join="gated"))
    streams = {"x": _stream(), "z": _stream((1,), torch.tensor([5, 2, 0, 3]))}
    with pytest.raises(ShapeError, match=r"'z' has 2 steps in row 1, another has 1. Put them on"):
        network(RecordBatch(streams, None, {}))


def test_steps_of_other_times_are_not_joined_because_they_are_as_many():
    inputs = {"x": Input("values", ("a", "b")), "z": Input("values", ("c",))}
    network = _network(NetworkPlan(inputs, RECORD, hidden_size=4, join="concatenate"))
    late = _stream((1,))
    late.times[3] += 0.5
    with pytest.raises(ShapeError, match="'x' and 'z' have other times in row 3"):
        network(RecordBatch({"x": _stream(), "z": late}, None, {}))


def test_streams_of_their_own_lengths_meet_after_pooling():
    inputs = {"x": Input("values", ("a", "b")), "z": Input("values", ("c",))}
    network = _network(NetworkPlan(inputs, RECORD, hidden_size=4))
    streams = {"x": _stream(), "z": _stream((1,), torch.tensor([2, 2, 7, 0]))}
    assert network(RecordBatch(streams, None, {}))["y"].isfinite().all()


def test_only_known_targets_are_counted():
    plan = NetworkPlan({"x": STREAMS["values"][0]}, {"y": Answer(outputs=2)}, hidden_size=4)
    network = _network(plan)
    stream, nan = _stream(), float("nan")
    target = torch.tensor([[1.0, nan], [nan, nan], [0.0, 2.0], [nan, 3.0]])
    batch = RecordBatch({"x": stream}, None, {"y": target})
    total, count, _ = network.loss(batch)
    raw = network(batch)["y"]
    known = ~target.isnan()
    assert int(count) == 4
    torch.testing.assert_close(total, ((raw[known] - target[known]) ** 2).sum())
    total.backward()
    assert all(each.grad.isfinite().all() for each in network.parameters() if each.grad is not None)


def test_weights_weigh_the_loss():
    plan = NetworkPlan({"x": STREAMS["values"][0]}, RECORD, hidden_size=4)
    network, stream = _network(plan), _stream()
    target = torch.tensor([[0], [2], [-1], [1]])
    weighed = RecordBatch({"x": stream}, None, {"y": target}, torch.tensor([0.0, 3.0, 1.0, 0.0]))
    alone = RecordBatch({"x": stream}, None, {"y": torch.tensor([[-1], [2], [-1], [-1]])})
    torch.testing.assert_close(network.loss(weighed)[0], 3 * network.loss(alone)[0])


def test_a_target_at_each_step_is_learned_on_real_steps_only():
    answers = {"y": Answer("step", classes=3, stream="x")}
    network = _network(NetworkPlan({"x": STREAMS["values"][0]}, answers, hidden_size=4))
    stream = _stream()
    target = torch.full((4, 5, 1), -1)
    target[0, :5], target[3, 1] = 1, 2
    batch = RecordBatch({"x": stream}, None, {"y": target})
    assert network(batch)["y"].shape == (4, 5, 1, 3)
    assert int(network.loss(batch)[1]) == 6


def test_dropped_channels_are_dropped_with_what_is_told_of_them():
    names = ("pulse", "pulse:observed", "weight", "weight:observed")
    plan = NetworkPlan({"x": Input("values", names)}, RECORD, channel_dropout=0.5)
    encoder = _network(plan).encoders[0].train()
    stream = _stream((4,), torch.tensor([3] * 64))
    kept = encoder(replace(stream, values=torch.ones(64, 3, 4))).values
    assert torch.equal(kept[..., 0], kept[..., 1])
    assert torch.equal(kept[..., 2], kept[..., 3])
    assert torch.equal(kept[:, 0], kept[:, 2])
    assert 0.3 < kept.mean() < 0.7


def test_an_impossible_pooling_is_refused():
    with pytest.raises(OptionError, match="Did you mean 'mean'"):
        SequenceNetwork(NetworkPlan({"x": STREAMS["values"][0]}, RECORD, pooling=("meen",)), GRU)


def test_a_dropped_input_is_dropped_at_all_steps_of_a_record():
    names = tuple("abcdefgh")
    plan = NetworkPlan({"x": Input("values", names)}, RECORD, input_dropout=0.5)
    network = _network(plan).train()
    kept = network._dropped(torch.ones(64, 3, 8))
    assert torch.equal(kept[:, 0], kept[:, 2])
    assert not torch.equal(kept[0], kept[1])
    assert set(kept.unique().tolist()) == {0.0, 2.0}


def test_a_shortcut_reads_the_last_step_of_each_record():
    plan = NetworkPlan({"x": STREAMS["values"][0]}, RECORD, hidden_size=4, shortcut=True)
    network = _network(plan)
    stream = _stream()
    before = network(RecordBatch({"x": stream}, None, {}))["y"]
    torch.nn.init.ones_(network.shortcuts[0].weight)
    after = network(RecordBatch({"x": stream}, None, {}))["y"]
    last = torch.stack(
        [stream.values[0, 4], stream.values[1, 0], torch.zeros(2), stream.values[3, 2]]
    )
    torch.testing.assert_close(after - before, last.sum(1)[:, None, None].expand(-1, 1, 3))


def test_a_layer_that_reads_the_mask_leaves_tokens_to_a_gru():
    inputs = {"x": STREAMS["values"][0], "words": STREAMS["tokens"][0]}
    network = _network(NetworkPlan(inputs, RECORD, hidden_size=4), GRUD)
    assert [type(layer) for layer in network.layers] == [GRUD, GRU]
    streams = {"x": _stream(), "words": _stream((1,), codes=9)}
    assert network(RecordBatch(streams, None, {}))["y"].isfinite().all()
