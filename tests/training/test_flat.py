"""Parameters in one piece: the model does not notice."""

import copy
import pickle

import pytest
import torch
from torch import nn

from recurra.training.flat import add_gradients, flatten


class Summing(nn.Sequential):
    def loss(self, batch, state):
        return self(batch).square().sum(), torch.tensor(len(batch)), (state, torch.ones(1))


def made() -> Summing:
    torch.manual_seed(0)
    return Summing(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def test_a_flattened_model_says_and_holds_what_it_did():
    model, x = made(), torch.randn(5, 3)
    before, said = copy.deepcopy(model.state_dict()), model(x)
    flatten(model)
    assert list(model.state_dict()) == list(before)
    assert all(torch.equal(model.state_dict()[name], each) for name, each in before.items())
    assert torch.equal(model(x), said)


def test_gradients_of_autograd_are_added_up_in_the_one_piece():
    model, x = made(), torch.randn(5, 3)
    plain = made()
    plain(x).sum().backward()
    flat = flatten(model)
    for _ in range(2):
        model(x).sum().backward()
    wanted = 2 * torch.cat([each.grad.reshape(-1) for each in plain.parameters()])
    torch.testing.assert_close(flat.gradients[0][: len(wanted)], wanted)
    assert not flat.gradients[0][len(wanted) :].any()
    flat.zero()
    assert not any(each.grad.any() for each in model.parameters())


def test_weights_that_are_loaded_reach_the_piece():
    model = made()
    flat = flatten(model)
    model.load_state_dict({name: each + 1 for name, each in model.state_dict().items()})
    assert torch.equal(flat.parameters[0][:12].view(4, 3), model[0].weight)


def test_a_frozen_parameter_is_left_out_and_a_shared_one_counts_once():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[0].bias.requires_grad_(False)
    model[1].weight = model[0].weight
    flat = flatten(model)
    model(torch.ones(1, 3)).sum().backward()
    assert model[0].bias.grad is None
    assert int((flat.parameters[0] != 0).sum()) == 12


def test_each_type_has_a_piece_and_the_norm_is_of_all():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2).double())
    flat = flatten(model)
    assert [each.dtype for each in flat.parameters] == [torch.float32, torch.float64]
    for each in model.parameters():
        each.grad.fill_(1.0)
    assert flat.norm() == pytest.approx(12**0.5)


def test_the_norm_has_the_same_bits_with_one_thread_and_with_two():
    layer = nn.Linear(300, 300)
    flat = flatten(layer)
    flat.gradients[0].normal_()
    threads = torch.get_num_threads()
    try:
        found = set()
        for count in (1, 2):
            torch.set_num_threads(count)
            found.add(float(flat.norm()))
    finally:
        torch.set_num_threads(threads)
    assert len(found) == 1


def test_a_model_without_a_way_of_its_own_goes_by_autograd_and_carries_no_graph():
    model, x = made(), torch.randn(5, 3)
    flatten(model)
    total, count, state = add_gradients(model, x, torch.ones(1, requires_grad=True) * 2)
    assert (total, count) == (pytest.approx(float(model(x).square().sum())), 5)
    assert not state[0].requires_grad
    assert model[0].weight.grad.any()


def test_a_model_that_cannot_is_asked_again_in_the_usual_way():
    model, x = made(), torch.randn(5, 3)
    flatten(model)
    model.loss_and_gradients = lambda batch, state: None
    assert add_gradients(model, x)[1] == 5
    assert model[0].weight.grad.any()
    model.loss_and_gradients = lambda batch, state: (1.5, 7, state)
    assert add_gradients(model, x, "carried") == (1.5, 7, "carried")


def test_a_released_model_keeps_its_values_and_is_small_in_a_pickle():
    model = nn.Sequential(*[nn.Linear(30, 30) for _ in range(8)])
    flat, before = flatten(model), copy.deepcopy(model.state_dict())
    flat.release()
    assert all(torch.equal(model.state_dict()[name], each) for name, each in before.items())
    assert all(each.grad is None for each in model.parameters())
    flat.parameters[0].zero_()
    assert model[0].weight.any()
    assert len(pickle.dumps(model)) < 2 * 4 * flat.parameters[0].numel()
