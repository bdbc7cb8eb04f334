"""The forecasting network's own gradients: those of autograd, chance included."""

import copy

import pytest
import torch

from recurra.layers import GRU, LSTM, RNN, Jordan
from recurra.models.forecasting.batch import Batch, Inputs
from recurra.models.forecasting.forecast_network import ForecastNetwork
from recurra.models.forecasting.heads import HEADS
from recurra.native import engine

pytestmark = pytest.mark.skipif(engine is None, reason="the engine is not built")


def made(cell=LSTM, head="student_t", cardinalities=(), drop=0.0, **options):
    torch.manual_seed(0)
    width = ForecastNetwork.width((3, 2), cardinalities)
    layer = cell(width, 8, batch_first=True, **options)
    network = ForecastNetwork(layer, HEADS[head](), (3, 2), cardinalities, drop)
    for each in network.parameters():
        each.data += 0.2 * torch.randn_like(each)
    return network


def windows(head="student_t", cardinalities=(), rows=4, steps=11):
    chance = torch.Generator().manual_seed(3)

    def normal(*shape, dtype=torch.float32):
        return torch.randn(rows, steps, *shape, generator=chance, dtype=dtype)

    target, anchor = 3 * normal(dtype=torch.float64), normal(dtype=torch.float64)
    scale = normal(dtype=torch.float64).abs() + 0.1
    if HEADS[head].counts:
        target, anchor = target.abs().round(), anchor.abs()
    target[0, 4:] = float("nan")  # padding, or not observed
    target[2, 3] = float("nan")
    codes = [torch.randint(0, size, (rows, steps), generator=chance) for size in cardinalities]
    nothing = torch.zeros(rows, steps, 0, dtype=torch.int64)
    local, real = 20 * normal(3), normal(2)
    inputs = Inputs(local, real, torch.stack(codes, -1) if codes else nothing)
    return Batch(inputs, anchor, scale, target)


def check_same(network, batch, state=None):
    network.zero_grad()
    torch.manual_seed(5)
    total, count, after = network.loss(batch, state)
    total.backward()
    wanted = {name: each.grad.clone() for name, each in network.named_parameters()}
    network.zero_grad()
    torch.manual_seed(5)
    found = network.loss_and_gradients(batch, state)
    assert found is not None
    assert found[0] == pytest.approx(total.item(), rel=1e-6)
    assert found[1] == int(count)
    torch.testing.assert_close(found[2], after, rtol=1e-6, atol=1e-6)
    for name, each in network.named_parameters():
        atol = 2e-6 * float(wanted[name].abs().max())
        torch.testing.assert_close(each.grad, wanted[name], rtol=1e-6, atol=atol)
    return found[2]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("cell", [RNN, LSTM, GRU])
def test_every_head_and_layer_has_the_gradients_of_autograd(cell, head):
    network = made(cell, head)
    state = check_same(network, windows(head))
    check_same(network, windows(head), state)  # as in truncated backpropagation


@pytest.mark.parametrize("head", HEADS)
def test_two_layers_categories_and_dropout_draw_the_same_chance(head):
    network = made(GRU, head, (4, 9), drop=0.3, num_layers=2, dropout=0.2)
    check_same(network, windows(head, (4, 9)))
    check_same(network.eval(), windows(head, (4, 9)))


def test_values_far_out_have_the_gradients_of_autograd():
    batch = windows()
    batch.target[1] = 1e9
    batch.inputs.local[3] = 1e5
    check_same(made(), batch)


def test_a_head_without_a_slope_of_its_own_asks_autograd():
    class Laplace(HEADS["gaussian"]):
        def log_probability(self, raw, value, anchor, scale):
            z, spread = self._standardised(raw, value, anchor, scale)
            return -z.abs() - spread.log()

        log_probability_and_slope = HEADS["gaussian"].__mro__[2].log_probability_and_slope

    network = made(head="gaussian")
    network.head = Laplace()
    check_same(network, windows())


def hooked(network):
    network.output.register_forward_hook(lambda *_: None)


def frozen(network):
    network.linear.weight.requires_grad_(False)


def watched(network):
    network.linear.bias.register_hook(lambda gradient: gradient)


def another_dropout(network):
    network.dropout = torch.nn.Dropout(0.5)


@pytest.mark.parametrize("change", [hooked, frozen, watched, another_dropout])
def test_what_autograd_alone_sees_is_left_to_it(change):
    network = made()
    change(network)
    chance = torch.get_rng_state()
    assert network.loss_and_gradients(windows()) is None
    assert torch.equal(torch.get_rng_state(), chance)


def test_a_layer_that_the_engine_lacks_or_a_subclass_is_left_to_autograd():
    class Doubled(ForecastNetwork):
        def loss(self, batch, state=None):
            total, count, state = super().loss(batch, state)
            return 2 * total, count, state

    assert made(Jordan).loss_and_gradients(windows()) is None
    network = made()
    network.__class__ = Doubled
    assert network.loss_and_gradients(windows()) is None


def test_a_copy_learns_by_itself():
    network = made()
    network.loss_and_gradients(windows())
    other = copy.deepcopy(network)
    other.zero_grad()
    other.loss_and_gradients(windows())
    wanted = [each.grad for each in network.parameters()]
    torch.testing.assert_close([each.grad for each in other.parameters()], wanted)
    other.layer.weight_hh_l0.data.zero_()
    check_same(other, windows())
