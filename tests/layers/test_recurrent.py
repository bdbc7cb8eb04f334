"""What a layer is beyond its arithmetic: dropout, beginnings, copies, weights that change."""

import copy
import io
import pickle

import pytest
import torch
from torch import Tensor, nn

from recurra.errors import ShapeError
from recurra.kernels import backend, native
from recurra.layers import GRU, LSTM, RNN, Jordan
from recurra.testing import BACKENDS


def test_dropout_with_one_layer_is_said_to_do_nothing():
    with pytest.warns(UserWarning, match="dropout acts between layers"):
        layer = GRU(3, 4, dropout=0.5)
    assert torch.equal(layer(torch.ones(5, 2, 3))[0], layer(torch.ones(5, 2, 3))[0])


@pytest.mark.parametrize("chosen", BACKENDS)
def test_dropout_acts_between_layers_in_training_only(chosen):
    torch.manual_seed(0)
    two = GRU(3, 4, num_layers=2, dropout=0.5)
    x = torch.randn(5, 2, 3)
    with backend(chosen):
        assert not torch.equal(two(x)[0], two(x)[0])
        two.eval()
        assert torch.equal(two(x)[0], two(x)[0])


@pytest.mark.parametrize("chosen", BACKENDS)
@pytest.mark.parametrize("lengths", [None, [5, 2]])
def test_dropout_of_one_cuts_the_layers_apart(chosen, lengths):
    layer = LSTM(3, 4, num_layers=2, dropout=1.0, batch_first=True)
    with backend(chosen):
        output, _ = layer(torch.randn(2, 5, 3), lengths=lengths)
        other, _ = layer(torch.randn(2, 5, 3), lengths=lengths)
    assert torch.equal(output, other)


def test_a_learned_initial_state_is_a_parameter_and_gets_a_gradient():
    layer = LSTM(3, 4, num_layers=2, bidirectional=True, learn_initial_state=True)
    names = {name for name in layer.state_dict() if name.startswith("initial")}
    assert len(names) == 8
    assert {"initial_h_l0", "initial_c_l1_reverse"} < names
    layer(torch.ones(5, 2, 3))[0].sum().backward()
    assert layer.initial_c_l1_reverse.grad.any()


def test_a_learned_initial_state_begins_at_zero_and_is_absent_when_off():
    learned, plain = GRU(3, 4, learn_initial_state=True), GRU(3, 4)
    assert not learned.initial_state(2).any()
    assert not any(name.startswith("initial") for name in plain.state_dict())


def test_orthogonal_weights_are_orthogonal_gate_by_gate():
    layer = LSTM(3, 4, num_layers=2, initialisation="orthogonal", dtype=torch.float64)
    for gate in layer.weight_hh_l1.split(4):
        torch.testing.assert_close(gate @ gate.T, torch.eye(4, dtype=torch.float64))
    bound = (6 / (3 + 4)) ** 0.5
    assert 0.5 * bound < layer.weight_ih_l0.abs().max() <= bound
    assert not layer.bias_ih_l0.any()
    assert not layer.bias_hh_l0.any()


@pytest.mark.parametrize("initialisation", ["torch", "orthogonal"])
def test_the_forget_bias_is_that_of_both_biases_together(initialisation):
    layer = LSTM(3, 4, bidirectional=True, initialisation=initialisation, forget_bias=1.0)
    for suffix in ("", "_reverse"):
        total = getattr(layer, f"bias_ih_l0{suffix}") + getattr(layer, f"bias_hh_l0{suffix}")
        assert torch.equal(total[4:8], torch.ones(4))
    layer.reset_parameters()
    assert torch.equal((layer.bias_ih_l0 + layer.bias_hh_l0)[4:8], torch.ones(4))


def test_jordan_feeds_back_its_output():
    torch.manual_seed(0)
    layer = Jordan(3, 4, output_size=2, output_nonlinearity="sigmoid", batch_first=True)
    x = torch.randn(1, 2, 3)
    output, _ = layer(x)
    y = torch.zeros(1, 2)
    for t in range(2):
        fed = x[:, t] @ layer.weight_ih_l0.T + layer.bias_ih_l0
        hidden = torch.tanh(fed + y @ layer.weight_hh_l0.T + layer.bias_hh_l0)
        y = torch.sigmoid(hidden @ layer.weight_ho_l0.T + layer.bias_ho_l0)
        torch.testing.assert_close(output[:, t], y)


def test_copies_and_pickles_give_the_same_bits(make):
    layer = make()
    x = torch.randn((2, 5, 3) if layer.batch_first else (5, 2, 3))
    expected, _ = layer(x, lengths=[4, 2])
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    twins = [
        copy.deepcopy(layer),
        pickle.loads(pickle.dumps(layer)),
        torch.load(file, weights_only=False),
    ]
    for twin in twins:
        assert torch.equal(twin(x, lengths=[4, 2])[0], expected)
        assert repr(twin) == repr(layer)


def test_a_copy_shares_nothing_with_its_original():
    layer = GRU(3, 4)
    twin = copy.deepcopy(layer)
    x = torch.ones(5, 2, 3)
    before, _ = layer(x)
    with torch.no_grad():
        twin.weight_ih_l0.zero_()
    assert torch.equal(layer(x)[0], before)


def test_weights_that_are_replaced_are_seen():
    layer, x = GRU(3, 4), torch.ones(5, 2, 3)
    zeros = {name: torch.zeros_like(one) for name, one in layer.named_parameters()}
    assert not torch.func.functional_call(layer, zeros, (x,))[0].any()
    assert layer(x)[0].any()
    layer.weight_hh_l0 = nn.Parameter(torch.full((12, 4), float("nan")))
    assert layer(x)[0].isnan().any()


def test_parametrised_weights_train():
    layer = nn.utils.parametrizations.weight_norm(GRU(3, 4), "weight_hh_l0")
    layer(torch.ones(5, 2, 3))[0].sum().backward()
    assert layer.parametrizations.weight_hh_l0.original1.grad.any()


def test_a_layer_moves_to_another_dtype_whole():
    layer = LSTM(3, 4, learn_initial_state=True).double()
    output, (_, c) = layer(torch.ones(5, 2, 3, dtype=torch.float64), lengths=[5, 1])
    assert output.dtype == c.dtype == torch.float64


def test_a_layer_describes_itself_as_torch_does():
    options = {"num_layers": 2, "bias": False, "batch_first": True, "dropout": 0.5}
    assert repr(GRU(3, 4, **options)) == repr(nn.GRU(3, 4, **options))
    assert repr(LSTM(3, 4, proj_size=2)) == repr(nn.LSTM(3, 4, proj_size=2))
    assert repr(RNN(3, 4, nonlinearity="relu")) == "RNN(3, 4, nonlinearity=relu)"


def test_a_choice_can_be_asked_about(monkeypatch):
    x = torch.ones(5, 2, 3)
    if native.engine:
        assert LSTM(3, 4).choice(x, lengths=[0, 0]).backend == "native"
    monkeypatch.setattr(native, "engine", None)
    monkeypatch.setattr(native, "missing", "")
    assert LSTM(3, 4).choice(x).backend == "aten"
    assert "packed" in LSTM(3, 4).choice(x, lengths=[5, 1]).reason
    assert "packed" not in LSTM(3, 4).choice(x, lengths=[2, 2]).reason
    assert LSTM(3, 4).choice(x, lengths=[0, 0]).backend == "reference"
    assert "sigmoid" in RNN(3, 4, nonlinearity="sigmoid").choice(x).reason
    assert Jordan(3, 4).choice(x[:, 0]).reason.startswith("; torch has no Jordan kernel")


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("build", [RNN, LSTM, GRU])
def test_a_single_step_gives_the_same_bits_by_each_way(build, batch_first, bias):
    layer = build(3, 4, num_layers=2, batch_first=batch_first, bias=bias)
    h = torch.randn(2, 5, 4)
    state = (h, torch.randn(2, 5, 4)) if build is LSTM else h
    for _ in range(2):
        x_t = torch.randn(5, 3)
        x = x_t.unsqueeze(1 if batch_first else 0)
        usual, after = layer(x, state)  # with a gradient
        with torch.no_grad():
            found = layer(x, state), layer.step(x_t, state)
            layer.weight_hh_l1.add_(1)  # nobody tells the layer
        for output, kept in found:
            assert torch.equal(output.reshape_as(usual), usual)
            assert torch.equal(torch.stack((*kept,)), torch.stack((*after,)))
        assert found[0][0].shape == usual.shape


@pytest.mark.parametrize("x", [None, 3.0, [[[1.0]]]])
def test_what_is_no_tensor_is_refused_with_a_state_too(x):
    layer = GRU(1, 4)
    with torch.no_grad(), pytest.raises(ShapeError, match="reads a tensor"):
        layer(x, torch.zeros(1, 1, 4))


def answers(layer, x, state, lengths, *, training):
    """What comes out of a layer and, while training, all gradients."""
    with torch.set_grad_enabled(training):
        output, after = layer(x, state, lengths=lengths)
    found = [output, *((after,) if isinstance(after, Tensor) else after)]
    if not training:
        return found
    before = () if state is None else (state,) if isinstance(state, Tensor) else state
    total = sum((one * one).sum() for one in found)
    return found + list(torch.autograd.grad(total, [x, *before, *layer.parameters()]))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("lengths", [None, [5, 2], [0, 4], [3, 3], [0, 0]])
@pytest.mark.parametrize("given", ["no state", "a state"])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("build", [RNN, LSTM, GRU])
def test_a_repeated_call_gives_the_same_bits(build, bidirectional, given, lengths, training):
    layer = build(3, 4, num_layers=2, bidirectional=bidirectional, batch_first=given == "a state")
    dtype = torch.float32

    def drawn(batch):
        shape = (2 * (1 + bidirectional), batch, 4)
        h, c = torch.randn(2, *shape, dtype=dtype)
        h, c = h.requires_grad_(), c.requires_grad_()
        return None if given == "no state" else (h, c) if build is LSTM else h

    def assert_same(x):
        records = x if layer.batch_first else x.transpose(0, 1)
        batch, steps, _ = records.shape
        state, counts = drawn(batch), lengths and [min(n, steps) for n in (lengths * batch)[:batch]]
        for record, count in zip(records, counts or [], strict=False):
            record[count:] = torch.nan
        x = x.to(dtype).requires_grad_()
        ours = answers(layer, x, state, counts, training=training)
        anew = answers(copy.deepcopy(layer), x, state, counts, training=training)
        for one, other in zip(ours, anew, strict=True):
            assert torch.equal(one, other)
        assert ours[0].stride() == anew[0].stride()

    for x in [*torch.randn(4, 5, 2, 3), *torch.randn(4, 6, 2, 3)]:
        assert_same(x)
    assert layer._repeating._known is not None or native.engine is None
    assert_same(torch.randn(2, 6, 3).transpose(0, 1))  # laid out in another way
    with torch.no_grad():
        layer.weight_hh_l1.add_(1)  # in place
    assert_same(torch.randn(6, 2, 3))
    layer.weight_ih_l0 = nn.Parameter(layer.weight_ih_l0.detach() + 1)  # in place of it
    for _ in range(3):
        assert_same(torch.randn(6, 2, 3))
    dtype = torch.float64
    layer.double()
    for _ in range(3):
        assert_same(torch.randn(6, 2, 3))


def test_what_a_repeated_call_keeps_is_spent_once_and_found_again():
    layer, x = GRU(3, 4), torch.randn(5, 2, 3)
    for _ in range(3):
        y, _ = layer(x)
    once = torch.autograd.grad(y.sum(), layer.weight_hh_l0, retain_graph=True)[0]
    again = torch.autograd.grad(y.sum(), layer.weight_hh_l0, create_graph=True)[0]
    assert torch.equal(once, torch.autograd.grad(y.sum(), layer.weight_hh_l0, retain_graph=True)[0])
    torch.testing.assert_close(once, again)
    assert torch.autograd.grad(again.sum(), layer.weight_hh_l0)[0].isfinite().all()
    with torch.autograd.graph.saved_tensors_hooks(lambda one: one.clone(), lambda one: one):
        y, _ = layer(x.clone())
    assert torch.equal(torch.autograd.grad(y.sum(), layer.weight_hh_l0)[0], once)


def test_a_repeated_call_asks_again_what_has_changed():
    layer, x = LSTM(3, 4, num_layers=2, dropout=0.5), torch.randn(5, 2, 3)
    with torch.no_grad():
        resting = [layer.eval()(x)[0] for _ in range(4)][-1]
        assert not torch.equal(layer.train()(x)[0], resting)
        layer.eval()
        with backend("reference"):
            assert not torch.equal(layer(x)[0], resting)
        with torch.autocast("cpu", torch.bfloat16):
            assert layer(x)[0].dtype is torch.bfloat16
        with pytest.raises(ShapeError, match="3"):
            layer(x[..., :2])
