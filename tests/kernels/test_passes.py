"""A stack forward and back by the engine alone: the values and gradients of autograd."""

import copy
import pickle

import pytest
import torch

from recurra.kernels import Stack, backend
from recurra.kernels.passes import Passes, Workspace
from recurra.layers import GRU, LSTM, RNN, Jordan
from recurra.layers.passes import LayerPasses
from recurra.native import engine

pytestmark = pytest.mark.skipif(engine is None, reason="the engine is not built")

KINDS = {
    "one layer": {},
    "two layers": {"num_layers": 2},
    "both ways": {"bidirectional": True},
    "two layers both ways, dropping": {"num_layers": 2, "bidirectional": True, "dropout": 0.4},
    "without biases": {"bias": False},
}
RAGGED = torch.tensor([3, 12, 0, 5, 6])


def by_autograd(layer, x, incoming, state, lengths):
    layer.zero_grad()
    x = x.clone().requires_grad_()
    torch.manual_seed(7)
    output, after = layer(x, state, lengths=lengths)
    longest = 13 if lengths is None else int(lengths.max())
    output[:, :longest].backward(incoming[:, :longest])
    after = after if isinstance(after, tuple) else (after,)
    gradients = [each.grad.clone() for each in layer.parameters()]
    return output[:, :longest], after, x.grad[:, :longest], gradients


def by_itself(layer, passes, x, incoming, state, lengths):
    for each in layer.parameters():
        each.grad = torch.zeros_like(each)
    torch.manual_seed(7)
    with torch.no_grad():
        assert passes.able(x)
        output, after = passes.forward(x, state, lengths)
        output = output.clone()
        found = passes.backward(incoming[:, : output.shape[1]], inputs=True)
    after = after if isinstance(after, tuple) else (after,)
    return output, after, found, [each.grad for each in layer.parameters()]


@pytest.mark.parametrize(
    "lengths", [None, RAGGED, torch.tensor([9] * 5)], ids=["full", "ragged", "cut"]
)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", [RNN, LSTM, GRU])
def test_values_and_gradients_are_those_of_autograd(cell, kind, lengths):
    torch.manual_seed(0)
    layer = cell(4, 6, batch_first=True, **KINDS[kind])
    x, passes = torch.randn(5, 13, 4), LayerPasses(layer)
    width = 12 if "both ways" in kind else 6
    for state in (None, layer.initial_state(5)):
        if state is not None:
            state = tuple(torch.randn_like(p) for p in state) if cell is LSTM else state + 0.3
        incoming = torch.randn(5, 13, width)
        wanted = by_autograd(layer, x, incoming, state, lengths)
        found = by_itself(layer, passes, x, incoming, state, lengths)
        torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-6)


def test_padding_that_is_not_finite_is_never_felt():
    layer, lengths = GRU(3, 4, batch_first=True), torch.tensor([2, 5])
    x = torch.randn(2, 5, 3)
    dirty = x.clone()
    dirty[0, 2:] = float("nan")
    incoming = torch.ones(2, 5, 4)
    clean = by_itself(layer, LayerPasses(layer), x, incoming, None, lengths)[3]
    wanted = [each.clone() for each in clean]
    found = by_itself(layer, LayerPasses(layer), dirty, incoming, None, lengths)[3]
    assert all(torch.equal(one, other) for one, other in zip(found, wanted, strict=True))


def test_gradients_are_added_to_what_is_there():
    layer, x = LSTM(3, 4, batch_first=True), torch.randn(2, 5, 3)
    passes = LayerPasses(layer)
    once = [g.clone() for g in by_itself(layer, passes, x, torch.ones(2, 5, 4), None, None)[3]]
    with torch.no_grad():
        output, _ = passes.forward(x)
        passes.backward(torch.ones_like(output))
    twice = [each.grad for each in layer.parameters()]
    torch.testing.assert_close(twice, [2 * each for each in once])


@pytest.mark.parametrize(
    "layer",
    [
        Jordan(3, 4, batch_first=True),
        GRU(3, 4),
        GRU(3, 4, batch_first=True, learn_initial_state=True),
        GRU(3, 4, batch_first=True, recurrent_dropout=0.2),
        LSTM(3, 4, batch_first=True, zoneout=0.2),
        LSTM(3, 4, batch_first=True, proj_size=2),
        GRU(3, 4, batch_first=True, recompute=True),
        torch.nn.utils.parametrizations.weight_norm(GRU(3, 4, batch_first=True), "weight_hh_l0"),
        torch.nn.GRU(3, 4, batch_first=True),
    ],
    ids=str,
)
def test_what_only_autograd_can_do_is_left_to_it(layer):
    assert not LayerPasses(layer).able(torch.ones(2, 5, 3))


def test_another_backend_precision_or_input_is_left_to_autograd():
    layer, x = GRU(3, 4, batch_first=True), torch.ones(2, 5, 3)
    passes = LayerPasses(layer)
    assert passes.able(x)
    with backend("reference"):
        assert not passes.able(x)
    with torch.autocast("cpu"):
        assert not passes.able(x)
    assert not passes.able(x.double())
    assert not passes.able(x.clone().requires_grad_())
    assert not passes.able(x[:, :0])


def test_a_copy_has_memory_of_its_own():
    layer, x = GRU(3, 4, batch_first=True), torch.randn(2, 5, 3)
    passes = Passes(layer.stack, layer._weights())
    output, _ = passes.forward(x)
    kept = output.clone()
    for other in (copy.deepcopy(passes), pickle.loads(pickle.dumps(passes))):
        other.forward(x + 1)
        assert torch.equal(output, kept)


def test_memory_grows_and_is_taken_again():
    space = Workspace()
    small = space.take("a", (3,), torch.float32)
    assert space.take("a", (2, 1), torch.float32).data_ptr() == small.data_ptr()
    assert space.take("a", (50,), torch.float32).shape == (50,)
    assert space.take("a", (2,), torch.float64).dtype == torch.float64
    first = space.block("b", 100)
    assert space.block("b", 50) == first


def test_dropout_between_layers_that_leaves_nothing_is_left_to_autograd():
    assert not Passes(Stack("gru", num_layers=2, dropout=1.0), []).able(torch.ones(2, 3, 1))
