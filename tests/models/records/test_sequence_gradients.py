"""A plain network of records: its own gradients are those of autograd, chance included."""

import copy
import pickle
from dataclasses import replace

import pytest
import torch
from torch import nn

from recurra.layers import GRU, LSTM, RNN
from recurra.models.records.network_plan import Answer, Front, Input, NetworkPlan
from recurra.models.records.records import RecordBatch, StreamBatch
from recurra.models.records.sequence_network import SequenceNetwork
from recurra.native import engine
from recurra.training.flat import flatten

pytestmark = pytest.mark.skipif(engine is None, reason="the engine is not built")

ANSWERS = {
    "a number": {"y": Answer()},
    "three numbers": {"y": Answer(outputs=3)},
    "a class": {"y": Answer(classes=4)},
    "two classes and a number": {"y": Answer(outputs=2, classes=3), "z": Answer()},
}
LENGTHS = torch.tensor([7, 2, 0, 5, 7])
FULL = torch.tensor([7] * 5)


def made(answers, layer=LSTM, **options):
    torch.manual_seed(0)
    plan = NetworkPlan({"x": Input("values", ("a", "b", "c"))}, answers, hidden_size=6, **options)
    return SequenceNetwork(plan, layer)


def some(answers, lengths=LENGTHS, weighted=False):
    chance = torch.Generator().manual_seed(1)
    rows = len(lengths)
    x = torch.randn(rows, 7, 3, generator=chance)
    x[torch.arange(7) >= lengths[:, None]] = 0.0
    stream = StreamBatch(x, torch.ones_like(x, dtype=torch.bool), lengths, torch.zeros(rows, 7))
    targets = {}
    for name, answer in answers.items():
        if answer.classes:
            shape = (rows, answer.outputs)
            targets[name] = torch.randint(0, answer.classes, shape, generator=chance)
            targets[name][1, 0] = -1  # unknown
        else:
            targets[name] = torch.randn(rows, answer.outputs, generator=chance).double()
            targets[name][3, 0] = float("nan")
    weights = torch.rand(rows, generator=chance) if weighted else None
    return RecordBatch({"x": stream}, None, targets, weights)


def check_same(network, batch):
    network.zero_grad()
    torch.manual_seed(5)
    total, count, _ = network.loss(batch)
    total.backward()
    wanted = {name: each.grad.clone() for name, each in network.named_parameters()}
    network.zero_grad()
    torch.manual_seed(5)
    found = network.loss_and_gradients(batch)
    assert found is not None
    assert found[:2] == (pytest.approx(total.item(), rel=1e-6), int(count))
    atol = 1e-6 * max(float(each.abs().max()) for each in wanted.values())
    for name, each in network.named_parameters():
        torch.testing.assert_close(each.grad, wanted[name], rtol=1e-6, atol=atol)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("lengths", [LENGTHS, FULL], ids=["ragged", "full"])
@pytest.mark.parametrize("kind", ANSWERS)
def test_every_answer_has_the_gradients_of_autograd(kind, lengths, weighted):
    answers = ANSWERS[kind]
    check_same(made(answers), some(answers, lengths, weighted))


@pytest.mark.parametrize(
    "pooling",
    [("last",), ("mean",), ("max",), ("attention",), ("max", "last", "attention", "mean")],
    ids="-".join,
)
@pytest.mark.parametrize("cell", [RNN, LSTM, GRU])
def test_every_pooling_both_ways_two_layers_and_dropout(cell, pooling):
    answers = ANSWERS["two classes and a number"]
    options = {"num_layers": 2, "bidirectional": True, "dropout": 0.3, "input_dropout": 0.2}
    network = made(answers, cell, pooling=pooling, **options)
    check_same(network, some(answers))
    check_same(network.eval(), some(answers))


def test_steps_that_are_alike_share_the_gradient_of_the_largest():
    network = made(ANSWERS["a number"], RNN, pooling=("max",))
    for each in network.layers[0].parameters():
        each.data.zero_()  # every output is 0
    check_same(network, some(ANSWERS["a number"]))


@pytest.mark.parametrize(
    "options",
    [
        {"skip": True},
        {"shortcut": True},
        {"join": "concatenate"},
        {"recurrent_dropout": 0.2},
        {"channel_dropout": 0.2},
        {"fronts": {"x": Front((4,), (3,))}},
        {"inputs": {"x": Input("values", ("a", "b", "c"), width=2)}},
        {"answers": {"y": Answer(level="step", stream="x")}},
    ],
    ids=str,
)
def test_what_has_more_parts_is_left_to_autograd(options):
    plan = NetworkPlan({"x": Input("values", ("a", "b", "c"))}, ANSWERS["a number"], hidden_size=4)
    network = SequenceNetwork(replace(plan, **options), GRU)
    assert network.loss_and_gradients(some(ANSWERS["a number"])) is None
    assert all(each.grad is None or not each.grad.any() for each in network.parameters())


def test_a_hook_a_subclass_and_another_head_are_left_to_autograd():
    class Other(SequenceNetwork):
        pass

    answers = ANSWERS["a number"]
    hooked, other, headed = made(answers), made(answers), made(answers)
    hooked.pools[0].register_forward_hook(lambda *_: None)
    other.__class__ = Other
    headed.heads[0] = nn.Sequential(headed.heads[0])
    for network in (hooked, other, headed):
        assert network.loss_and_gradients(some(answers)) is None


def test_weights_that_were_moved_or_have_another_type_are_found_where_they_are():
    answers = ANSWERS["two classes and a number"]
    network, batch = made(answers, pooling=("last",)), some(answers, FULL)
    check_same(network, batch)
    flat = flatten(network)
    check_same(network, batch)
    flat.release()
    check_same(network, batch)
    network.double()
    assert network.loss_and_gradients(batch) is None
    stream = batch.streams["x"]
    check_same(
        network, replace(batch, streams={"x": replace(stream, values=stream.values.double())})
    )
    network.heads[1].float()
    assert network.loss_and_gradients(batch) is None


def test_an_input_that_wants_a_gradient_is_left_to_autograd():
    network, batch = made(ANSWERS["a number"]), some(ANSWERS["a number"])
    batch.streams["x"].values.requires_grad_()
    assert network.loss_and_gradients(batch) is None


def test_a_copy_has_the_gradients_of_autograd_and_nothing_of_the_last_batch():
    answers = ANSWERS["a number"]
    network, batch = made(answers), some(answers)
    fresh = len(pickle.dumps(network))
    check_same(network, batch)
    network.zero_grad()
    assert len(pickle.dumps(network)) < fresh + 8000
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        check_same(other, batch)
