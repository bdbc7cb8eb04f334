"""The linear part that counts tokens."""

import pytest
import torch

from recurra import layers
from recurra.models import Answer, Input, NetworkPlan, RecordBatch, SequenceNetwork, StreamBatch
from recurra.models.records.bags import Bag, hide_tokens
from recurra.models.records.encoders import TokenEncoder
from recurra.models.records.stepping import NetworkStepper

CHANNELS = ("token", "token:begins4", "token:3")
WORDS = Input("tokens", CHANNELS, {0: 9, 1: 5, 2: 7})
LABEL, NUMBER = Answer("record", 1, 3), Answer("record", 2, 0)
LENGTHS = torch.tensor([4, 1, 0])


def words(fill=0):
    codes = torch.randint(0, 5, (3, 4, 3), generator=torch.Generator().manual_seed(0))
    there = torch.arange(4) < LENGTHS[:, None]
    codes = torch.where(there[..., None], codes, fill)
    return StreamBatch(codes, there[..., None].expand(-1, -1, 3), LENGTHS, torch.zeros(3, 4))


def network(answers=None, **more):
    torch.manual_seed(0)
    plan = NetworkPlan({"w": WORDS}, answers or {"y": LABEL}, hidden_size=6, bag=True, **more)
    made = SequenceNetwork(plan, layers.GRU)
    for bag in made.bags:
        for table in bag.tables:
            torch.nn.init.normal_(table.weight)
            table.weight.data[0] = 0
    return made.eval()


def test_a_bag_begins_with_nothing_to_say():
    assert Bag([9, 5, 7], 2)(words().values, LENGTHS).abs().sum() == 0


def test_the_order_of_tokens_does_not_count():
    (bag,), codes = network().bags, words().values[:1]
    assert torch.allclose(bag(codes, LENGTHS[:1]), bag(codes.flip(1), LENGTHS[:1]))


def test_padding_changes_no_bit():
    made = network()
    one = made(RecordBatch({"w": words()}, None, {}))["y"]
    other = made(RecordBatch({"w": words(3)}, None, {}))["y"]
    assert torch.equal(one, other)


def test_every_answer_of_a_record_has_weights_of_its_own():
    made = network({"label": LABEL, "numbers": NUMBER})
    assert made.bags[0].outputs == 5
    found = made(RecordBatch({"w": words()}, None, {}))
    assert found["label"].shape == (3, 1, 3)
    assert found["numbers"].shape == (3, 2)


def test_long_n_grams_are_counted_and_not_embedded():
    made = network()
    assert made.encoders[0].columns == (0, 1)
    assert [len(table.weight) for table in made.bags[0].tables] == [9, 5, 7]


def test_a_code_past_those_that_are_embedded_stands_for_nothing():
    torch.manual_seed(0)
    encoder = TokenEncoder({0: 9, 2: 3}, 4)
    there = StreamBatch(
        torch.tensor([[[1, 0, 0], [1, 0, 5], [1, 0, 2]]]),
        torch.ones(1, 3, 3, dtype=torch.bool),
        torch.tensor([3]),
        torch.zeros(1, 3),
    )
    unknown, past, known = encoder(there).values[0]
    assert torch.equal(past, unknown)
    assert not torch.equal(known, unknown)


def test_of_pairs_the_commonest_are_embedded_and_all_counted():
    plan = Input("tokens", ("token", "token:2"), {0: 9, 1: 5000})
    made = SequenceNetwork(NetworkPlan({"w": plan}, {"y": LABEL}, bag=True), layers.GRU)
    assert len(made.encoders[0].more[0].weight) == 4096
    assert len(made.bags[0].tables[1].weight) == 5000


def test_steps_that_come_one_by_one_give_the_answer_of_the_whole():
    made, whole = network(), words()
    told = made(RecordBatch({"w": whole}, None, {}))["y"][:1]
    stepper = NetworkStepper(made)
    for t in range(4):
        step = StreamBatch(
            whole.values[:1, t : t + 1],
            whole.observed[:1, t : t + 1],
            torch.tensor([1]),
            torch.zeros(1, 1),
        )
        stepper.read({"w": step}, None)
    assert torch.allclose(stepper.answer(None)["y"], told, atol=1e-6)


def test_tokens_are_hidden_in_training_only():
    made, batch = network(token_dropout=0.5), RecordBatch({"w": words()}, None, {})
    assert torch.equal(made(batch)["y"], made(batch)["y"])
    made.train()
    assert not torch.equal(made(batch)["y"], made(batch)["y"])


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_a_code_is_kept_where_neither_it_nor_its_step_is_hidden(share):
    torch.manual_seed(0)
    ones = StreamBatch(
        torch.ones(50, 80, 2, dtype=torch.int64),
        torch.ones(50, 80, 2, dtype=torch.bool),
        torch.full((50,), 80),
        torch.zeros(50, 80),
    )
    kept = hide_tokens(ones, share).values.double().mean()
    assert kept == pytest.approx((1 - share) ** 2, abs=0.03)
