"""Dropout by sixteen bits a number: torch's law, at a quarter of its cost."""

import pytest
import torch

from recurra.layers.dropout import Dropout, draw_mask


@pytest.mark.parametrize("chance", [0.1, 0.5, 0.9])
def test_so_many_are_dropped_and_the_mean_stays(chance):
    torch.manual_seed(0)
    mask = draw_mask((1000, 1001), chance, torch.ones(1))
    assert float((mask == 0).float().mean()) == pytest.approx(chance, abs=2e-3)
    assert float(mask.mean()) == pytest.approx(1.0, abs=0.01)
    assert len(mask.unique()) == 2


def test_neighbours_are_dropped_independently():
    torch.manual_seed(0)
    kept = draw_mask((200_000, 4), 0.5, torch.ones(1)).bool().float()  # of one draw each
    together = torch.corrcoef(kept.T) - torch.eye(4)
    assert float(together.abs().max()) < 0.01


def test_it_acts_while_training_only_and_by_the_seed():
    dropout, x = Dropout(0.4), torch.ones(3, 5)
    torch.manual_seed(1)
    first = dropout(x)
    torch.manual_seed(1)
    assert torch.equal(dropout(x), first)
    assert torch.equal(dropout.eval()(x), x)


def test_the_draws_do_not_depend_on_how_the_input_lies_in_memory():
    dropout, x = Dropout(0.4), torch.ones(7, 5)
    torch.manual_seed(1)
    first = dropout(x)
    torch.manual_seed(1)
    assert torch.equal(dropout(torch.ones(5, 7).t()), first)


def test_nothing_and_everything_can_be_dropped_and_gradients_follow():
    x = torch.ones(50, requires_grad=True)
    assert torch.equal(Dropout(0.0)(x), x)
    assert not Dropout(1.0)(x).any()
    kept = Dropout(0.5)(x)
    kept.sum().backward()
    assert torch.equal(x.grad, kept.detach())
