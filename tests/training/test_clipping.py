"""Clipping: what each way does to a gradient, and that what is not finite stays so."""

import math
from itertools import repeat

import pytest
import torch
from torch import nn

from recurra.training import Training, train
from recurra.training.clipping import clip, clip_adaptively
from recurra.training.flat import flatten


def layer_with(gradient, weight):
    layer = nn.Linear(2, 2)
    flat = flatten(layer)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        layer.bias.zero_()
        layer.weight.grad.copy_(torch.tensor(gradient))
        layer.bias.grad.fill_(8.0)
    return layer, flat


def by(**how):
    return Training(clip_norm=None, **how)


def test_by_value_each_number_of_the_mean_gradient_is_cut_off():
    layer, flat = layer_with([[8.0, -4.0], [0.4, -40.0]], [[1.0, 0.0], [0.0, 1.0]])
    assert clip(flat, 4, by(clip_value=1.5)) == 1
    assert layer.weight.grad.tolist() == [[1.5, -1.0], [pytest.approx(0.1), -1.5]]
    assert layer.bias.grad.tolist() == [1.5, 1.5]


def test_adaptively_each_unit_is_shortened_by_its_own_weights():
    layer, flat = layer_with([[30.0, 40.0], [0.003, 0.004]], [[0.6, 0.8], [6.0, 8.0]])
    clip_adaptively(flat, 0.1)
    torch.testing.assert_close(layer.weight.grad, torch.tensor([[0.06, 0.08], [0.003, 0.004]]))
    length = 0.1 * 1e-3  # of a bias of zeros
    torch.testing.assert_close(layer.bias.grad, torch.full((2,), length / math.sqrt(2)))


def test_what_padding_there_is_in_the_flat_gradient_stays_zero():
    _, flat = layer_with([[30.0, 40.0], [1.0, 1.0]], [[0.6, 0.8], [6.0, 8.0]])
    clip_adaptively(flat, 0.1)
    assert not flat.gradients[0][6:].any()


@pytest.mark.parametrize("how", [{"clip_value": 1.0}, {"clip_adaptive": 0.1}])
@pytest.mark.parametrize("odd", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite_is_not_made_so(how, odd):
    layer, flat = layer_with([[odd, 1.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]])
    assert clip(flat, 5, by(**how)) == 5
    assert not math.isfinite(float(flat.norm()))
    assert layer.weight.grad[1, 1] == 1.0


def test_clipping_by_norm_is_left_to_the_optimizer():
    layer, flat = layer_with([[30.0, 40.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]])
    assert clip(flat, 5, Training()) == 5
    assert layer.weight.grad[0, 0] == 30.0


class Steep(nn.Module):
    """A weight whose gradient is a hundred for each of four targets."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.full((1, 2), 3.0))

    def loss(self, _batch, _state=None):
        return 400.0 * self.weight.sum(), torch.tensor(4), None


@pytest.mark.parametrize(
    ("how", "moved"), [({"clip_value": 0.5}, 0.5), ({"clip_adaptive": 0.1}, 0.3)]
)
def test_a_step_goes_as_far_as_it_may(how, moved):
    options = by(steps=1, optimizer="sgd", learning_rate=1.0, warmup=0, progress=False, **how)
    model = Steep()
    train(model, repeat(0), options)
    torch.testing.assert_close(model.weight.detach(), torch.full((1, 2), 3.0 - moved))
