"""What a state is worth for an answer, held against autograd, and against reading a record anew."""

import pytest
import torch

import recurra.layers as layers
from recurra.layers.carried import Carried

MAKERS = {
    "RNN": layers.RNN,
    "relu": lambda *a, **k: layers.RNN(*a, nonlinearity="relu", **k),
    "GRU": layers.GRU,
    "LSTM": layers.LSTM,
}
SHAPES = {
    "one layer": {},
    "both ways": {"bidirectional": True},
    "stacked": {"num_layers": 3},
    "stacked, both ways": {"num_layers": 2, "bidirectional": True},
}


def read(name, shape, dtype=torch.float64, hidden=5, steps=23, inputs=3):
    torch.manual_seed(0)
    layer = MAKERS[name](inputs, hidden, batch_first=True, **SHAPES[shape]).to(dtype).eval()
    x = torch.randn(steps, inputs, dtype=dtype)
    carried = Carried(layer)
    assert carried.able(x)
    output = carried.read(x)
    return layer, x, carried, output


def weights_of(output):
    return torch.randn(output.shape, dtype=output.dtype, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", MAKERS)
def test_small_changes_of_single_steps_move_the_answer_as_its_gradient_says(name, shape):
    layer, x, carried, output = read(name, shape)
    torch.testing.assert_close(output, layer(x[None])[0][0])
    share = weights_of(output)
    carried.weigh(share)
    leaf = x.clone().requires_grad_()
    (layer(leaf[None])[0][0] * share).sum().backward()
    step = 1e-7 * torch.randn_like(x)
    expected = (leaf.grad * step).sum(-1)
    torch.testing.assert_close(carried.changes(x + step), expected, rtol=1e-5, atol=1e-13)


@pytest.mark.parametrize("name", MAKERS)
def test_a_change_of_the_last_step_is_told_exactly_however_large(name):
    layer, x, carried, output = read(name, "one layer")
    share = weights_of(output)
    carried.weigh(share)
    other = x * -7
    moved = carried.changes(other)[-1]
    expected = ((layer(changed(x, other, len(x) - 1)[None])[0] - output) * share).sum()
    torch.testing.assert_close(moved, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", ["one layer", "both ways"])
@pytest.mark.parametrize("name", MAKERS)
def test_read_ahead_to_the_end_every_change_is_told_exactly(name, shape):
    layer, x, carried, output = read(name, shape)
    share = weights_of(output)
    carried.weigh(share)
    other = x * -7
    for place, moved in enumerate(carried.changes(other, len(x) - 1)):
        expected = ((layer(changed(x, other, place)[None])[0][0] - output) * share).sum()
        torch.testing.assert_close(moved, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_record_read_a_few_steps_ahead_is_told_better(shape):
    layer, x, carried, output = read("LSTM", shape)
    share = weights_of(output)
    carried.weigh(share)
    other = x * -3
    expected = torch.stack(
        [
            ((layer(changed(x, other, place)[None])[0][0] - output) * share).sum()
            for place in range(len(x))
        ]
    )
    first, later = ((carried.changes(other, k) - expected).abs().sum() for k in (0, 3))
    assert later < first


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", MAKERS)
def test_a_record_read_again_with_a_changed_step_is_as_read_anew(name, shape):
    layer, x, carried, output = read(name, shape)
    carried.weigh(torch.ones_like(output))
    places = torch.tensor([22, 0, 9])
    said = carried.again(-x, places)
    for place, one in zip(places, said, strict=True):
        torch.testing.assert_close(one, layer(changed(x, -x, place)[None])[0][0])


def changed(x, other, place):
    return torch.cat([x[:place], other[place : place + 1], x[place + 1 :]])


def test_the_same_input_changes_nothing():
    _, x, carried, output = read("LSTM", "stacked, both ways")
    carried.weigh(torch.ones_like(output))
    assert carried.changes(x).abs().max() < 1e-14


def test_a_longer_record_before_leaves_nothing_behind():
    layer, x, carried, _ = read("GRU", "one layer", steps=40)
    short = x[:9]
    said = carried.read(short)
    carried.weigh(torch.ones_like(said))
    again = Carried(layer)
    again.read(short)
    again.weigh(torch.ones_like(said))
    assert torch.equal(carried.changes(-short), again.changes(-short))


def test_gates_that_are_shut_for_good_give_no_nan():
    layer, x, carried, _ = read("LSTM", "one layer", dtype=torch.float32)
    with torch.no_grad():
        layer.bias_ih_l0.fill_(-200.0)
    carried.read(x)
    carried.weigh(torch.ones(len(x), 5))
    assert carried.changes(-x).isfinite().all()


def test_what_it_cannot_read_it_says():
    x = torch.randn(4, 3)
    assert not Carried(layers.Jordan(3, 5, 2, batch_first=True).eval()).able(x)
    assert not Carried(layers.GRU(3, 5, batch_first=True).train()).able(x)
    assert not Carried(layers.GRU(3, 5, batch_first=True, learn_initial_state=True).eval()).able(x)
