"""The laws of a language network."""

from dataclasses import replace

import pytest
import torch

from recurra.models import LanguageBatch, LanguageNetwork, LanguagePlan

PLAN = LanguagePlan(vocabulary=9, hidden_size=12, num_layers=2, embedding_size=5)
KINDS = [
    PLAN,
    replace(PLAN, layer="gru", tie_weights=False),
    replace(PLAN, layer="rnn", embedding_size=12, num_layers=1),
]
every_kind = pytest.mark.parametrize("plan", KINDS, ids=["lstm", "gru, untied", "rnn"])


def made(plan: LanguagePlan) -> LanguageNetwork:
    torch.manual_seed(0)
    return LanguageNetwork(plan).eval()


def tokens(rows: int = 3, steps: int = 20) -> torch.Tensor:
    return torch.randint(9, (rows, steps), generator=torch.Generator().manual_seed(1))


@every_kind
def test_steps_equal_the_full_pass(plan):
    network, codes = made(plan), tokens()
    with torch.no_grad():
        whole, _ = network(codes)
        state, found = None, []
        for column in codes.T:
            scores, state = network.step(column, state)
            found.append(scores)
    assert (torch.stack(found, 1) - whole).abs().max() < 1e-6


@every_kind
def test_cutting_a_text_and_carrying_the_state_changes_nothing(plan):
    network, codes = made(plan), tokens()
    with torch.no_grad():
        whole, _ = network(codes)
        first, state = network(codes[:, :7])
        second, _ = network(codes[:, 7:], state)
    assert (torch.cat([first, second], 1) - whole).abs().max() < 1e-6


def test_padding_and_neighbours_change_no_costs():
    network = made(PLAN)
    rows = [row[:n] for row, n in zip(tokens(), (20, 4, 11), strict=True)]
    with torch.no_grad():
        costs, counted, _ = network.costs(LanguageBatch.padded(rows))
        alone = [network.costs(LanguageBatch.of(row[None]))[0][0] for row in rows]
    for k, each in enumerate(alone):
        assert (costs[k, : len(each)] - each).abs().max() < 1e-6
        assert not counted[k, len(each) :].any()
        assert not costs[k, len(each) :].any()


def test_the_loss_counts_each_token_once():
    network, batch = made(PLAN), LanguageBatch.of(tokens())
    total, count, _ = network.loss(batch)
    scores, _ = network(batch.codes)
    chances = torch.log_softmax(scores, -1).gather(-1, batch.targets[..., None])
    assert count == 3 * 19
    assert torch.isclose(total, -chances.sum())


def test_a_silent_token_has_no_chance_and_does_not_count():
    network = made(replace(PLAN, silent=(0,)))
    rows = torch.tensor([[3, 0, 4, 0, 5]])
    total, count, _ = network.loss(LanguageBatch.of(rows))
    assert count == 2
    assert torch.isfinite(total)
    total.backward()
    assert all(torch.isfinite(each.grad).all() for each in network.parameters())
    scores, _ = network(rows)
    assert torch.softmax(scores, -1)[..., 0].eq(0).all()


def test_tied_weights_are_one_table():
    tied, untied = made(PLAN), made(replace(PLAN, tie_weights=False))
    assert sum(9 in each.shape for each in tied.parameters()) == 2  # the table and a bias
    assert sum(9 in each.shape for each in untied.parameters()) == 3
    assert made(replace(PLAN, embedding_size=12)).project is None


@pytest.mark.parametrize(
    "name", ["input_dropout", "dropout", "recurrent_dropout", "weight_dropout"]
)
def test_each_dropout_acts_in_training_and_only_there(name):
    network, codes = made(replace(PLAN, **{name: 0.5})), tokens()
    resting = network(codes)[0]
    assert torch.equal(resting, made(PLAN)(codes)[0])
    network.train()
    torch.manual_seed(2)
    once = network(codes)[0]
    assert not torch.equal(once, network(codes)[0])
    torch.manual_seed(2)
    assert torch.equal(once, network(codes)[0])


def test_weight_dropout_sends_no_gradient_to_a_weight_that_was_missing():
    plan = replace(PLAN, num_layers=1, weight_dropout=0.5)
    network = made(plan).train()
    network.loss(LanguageBatch.of(tokens()))[0].backward()
    gradient = network.layers[0].weight_hh_l0.grad
    assert 0.35 < (gradient == 0).float().mean() < 0.65


def test_a_locked_mask_is_the_same_at_all_steps():
    network = made(replace(PLAN, dropout=0.5)).train()
    kept = network._locked(torch.ones(4, 6, 50), 0.5)
    assert torch.equal(kept, kept[:, :1].expand_as(kept))
    assert set(kept.unique().tolist()) == {0.0, 2.0}
