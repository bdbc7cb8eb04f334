import pytest
import torch

from recurra.diagnosing.gradients import lag_norms, memory_of, rate_of
from recurra.diagnosing.listening import listening
from recurra.diagnosing.units import dead_units, flat_units, gates_of, state_norms
from recurra.diagnosing.walking import walked
from recurra.diagnosing.weights import forget_bias, spectral_radius
from recurra.layers import GRU, GRUD, LSTM, RNN, Jordan

LAYERS = {
    "rnn": lambda: RNN(3, 8, num_layers=2, bidirectional=True),
    "relu": lambda: RNN(3, 8, nonlinearity="relu", learn_initial_state=True),
    "gru": lambda: GRU(3, 8, num_layers=2, batch_first=True),
    "gru with zoneout": lambda: GRU(3, 8, zoneout=0.2, bidirectional=True),
    "lstm": lambda: LSTM(3, 8, num_layers=2, bidirectional=True),
    "lstm with peepholes": lambda: LSTM(3, 8, peephole=True),
    "lstm that projects": lambda: LSTM(3, 8, proj_size=4),
    "lstm with coupled gates": lambda: LSTM(3, 8, coupled=True),
    "lstm with heads and norms": lambda: LSTM(3, 8, heads=2, layer_norm=True),
    "jordan": lambda: Jordan(3, 8),
    "grud": lambda: GRUD(3, 8),
}
LENGTHS = [6, 4, 1]


def walks_of(layer, x, **given):
    with listening(layer) as calls:
        output, _ = layer(x, **given)
    (call,) = calls
    return walked(call), output.detach()


@pytest.mark.parametrize("name", LAYERS)
def test_walking_through_a_layer_says_what_the_layer_says(name):
    torch.manual_seed(0)
    layer = LAYERS[name]().eval()
    x = torch.randn(6, 3, 3)
    given = x.transpose(0, 1) if layer.batch_first else x
    walks, said = walks_of(layer, given, lengths=LENGTHS)
    said = said.transpose(0, 1) if layer.batch_first else said
    last = walks[-layer.stack.directions :]
    width = layer.state_sizes[0]
    for way, walk in enumerate(last):
        part = said[..., way * width : (way + 1) * width]
        for record, length in enumerate(LENGTHS):
            own = walk.hidden[:length, record]
            found = own.flip(0) if way else own
            assert torch.allclose(found.float(), part[:length, record], atol=1e-5)


def test_grud_is_walked_with_its_holes_and_its_times():
    torch.manual_seed(0)
    layer = GRUD(2, 4, batch_first=True)
    x = torch.randn(3, 5, 2)
    x[0, 2:4, 1] = float("nan")
    times = torch.tensor([0.0, 0.5, 3, 4, 9]).repeat(3, 1)
    (walk,), said = walks_of(layer, x, times=times, lengths=[5, 4, 2])
    assert torch.allclose(walk.hidden[:, 0].float(), said[0], atol=1e-5)
    assert torch.isfinite(walk.inputs).all()
    assert memory_of(lag_norms(walk)) > 0


def test_padding_and_its_content_change_no_measure():
    torch.manual_seed(0)
    layer, x = LSTM(2, 4), torch.randn(5, 3, 2)
    (one,), _ = walks_of(layer, x, lengths=[5, 3, 2])
    padded = torch.cat([x, torch.full((4, 3, 2), float("nan"))])
    padded[3:, 1], padded[2:, 2] = float("inf"), 9e9
    (other,), _ = walks_of(layer, padded, lengths=[5, 3, 2])
    assert lag_norms(one).tolist() == lag_norms(other).tolist()
    assert [each.mean for each in gates_of(one)] == [each.mean for each in gates_of(other)]


def linear(size, factor):
    """A tanh layer that reads zeros is its recurrent matrix: here, a rotation times a factor."""
    torch.manual_seed(0)
    layer = RNN(1, size, bias=False)
    layer.weight_hh_l0.data = factor * torch.linalg.qr(torch.randn(size, size))[0]
    return walks_of(layer, torch.zeros(30, 4, 1))[0][0]


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.0, 1.5])
def test_the_gradient_by_lag_is_that_of_the_matrix(factor):
    walk = linear(8, factor)
    norms = lag_norms(walk)
    assert norms == pytest.approx([factor**k for k in range(31)], rel=1e-5)
    assert rate_of(norms) == pytest.approx(factor, rel=1e-4)
    assert spectral_radius(walk) == pytest.approx(factor, rel=1e-5)


@pytest.mark.parametrize("radius", [3.0, 8.0])
def test_what_explodes_beyond_all_numbers_is_still_measured(radius):
    layer = RNN(1, 8, bias=False)
    weight = layer.weight_hh_l0.data
    weight *= radius / torch.linalg.eigvals(weight).abs().max()
    (walk,), _ = walks_of(layer, torch.zeros(512, 2, 1))
    norms = lag_norms(walk)
    assert norms[-1] > 1e200
    assert memory_of(norms) == float("inf")
    assert rate_of(norms) > 2


def test_memory_ends_where_one_percent_is_left():
    assert memory_of(lag_norms(linear(8, 0.5))) == pytest.approx(6.64, abs=0.01)
    assert memory_of(lag_norms(linear(8, 1.0))) == float("inf")


def test_lags_are_counted_back_from_the_end_of_each_record():
    torch.manual_seed(0)
    layer = RNN(1, 4, bias=False)
    layer.weight_hh_l0.data = 0.5 * torch.eye(4)
    (walk,), _ = walks_of(layer, torch.zeros(12, 3, 1), lengths=[12, 8, 8])
    assert lag_norms(walk) == pytest.approx([0.5**k for k in range(9)])


def test_gates_are_those_of_the_equations():
    layer = LSTM(1, 4)
    for weight in layer.parameters():
        torch.nn.init.zeros_(weight)
    layer.bias_ih_l0.data = torch.tensor([0.0] * 4 + [-5.0] * 4 + [0.0] * 4 + [6.0] * 4)
    (walk,), _ = walks_of(layer, torch.randn(7, 3, 1), lengths=[7, 2, 1])
    found = {each.name: each for each in gates_of(walk)}
    assert found["forget"].mean == pytest.approx(0.0067, abs=1e-4)
    assert found["forget"].shut == 1.0
    assert found["forget"].saturated == 1.0
    assert (found["input"].mean, found["input"].saturated) == (0.5, 0.0)
    assert (found["output"].open, found["output"].shut) == (1.0, 0.0)
    assert forget_bias(walk) == -5.0


def test_a_slow_gate_is_not_saturated_but_a_shut_one_is():
    def share(bias):
        layer = GRU(1, 4)
        for weight in layer.parameters():
            torch.nn.init.zeros_(weight)
        layer.bias_ih_l0.data[4:8] = bias
        (walk,), _ = walks_of(layer, torch.randn(20, 3, 1))
        return {each.name: each.saturated for each in gates_of(walk)}["update"]

    assert share(4.6) == 0.0  # keeps 99 %: remembers some hundred steps, on purpose
    assert share(12.0) == 1.0
    assert share(-12.0) == 1.0


def test_dead_and_saturated_units_are_found():
    torch.manual_seed(0)
    relu = RNN(1, 6, nonlinearity="relu")
    relu.bias_ih_l0.data[[1, 4]] = -50.0
    relu.bias_ih_l0.data[[0, 2, 3, 5]] = 3.0
    (walk,), _ = walks_of(relu, torch.randn(8, 5, 1))
    assert dead_units(walk) == (1, 4)
    tanh = RNN(1, 6)
    tanh.weight_ih_l0.data.fill_(1e4)
    (walk,), _ = walks_of(tanh, torch.randn(8, 5, 1))
    assert flat_units(walk) > 0.99
    assert dead_units(walk) == ()


def test_the_length_of_a_state_is_that_of_its_steps():
    layer = RNN(1, 2, bias=False)
    layer.weight_ih_l0.data.fill_(100.0)
    layer.weight_hh_l0.data.zero_()
    x = torch.tensor([1.0, 0.0, 1.0]).reshape(3, 1, 1)
    (walk,), _ = walks_of(layer, x)
    (norms,) = state_norms(walk)
    assert norms.tolist() == [1.0, 0.0, 1.0]


def test_an_empty_record_is_walked_too():
    (walk,), _ = walks_of(GRU(1, 2), torch.randn(3, 2, 1), lengths=[3, 0])
    assert len(lag_norms(walk)) > 1
    assert gates_of(walk)
