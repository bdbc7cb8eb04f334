"""How long the units of a layer remember when they begin."""

import pytest
import torch

from recurra.errors import OptionError
from recurra.layers import GRU, GRUD, LSTM, RNN, Recurrent, chrono

LAYERS = {
    "LSTM": lambda: LSTM(2, 32),
    "LSTM both ways": lambda: LSTM(2, 32, num_layers=2, bidirectional=True),
    "LSTM coupled": lambda: LSTM(2, 32, coupled=True),
    "LSTM normalised": lambda: LSTM(2, 32, layer_norm=True),
    "GRU": lambda: GRU(2, 32, num_layers=2),
    "GRUD": lambda: GRUD(2, 32),
}


def remembered(layer: Recurrent, steps: int) -> float:
    """The share of a state that is left after some steps without input."""
    with torch.no_grad():
        for name, weight in layer.named_parameters():
            if name.startswith(("weight_ih", "weight_hh")):
                weight.zero_()
        state = tuple(torch.ones(layer.stack.runs, 1, size) for size in layer.state_sizes)
        x = torch.zeros(steps, 1, 2)
        _, after = layer(x, state if len(state) > 1 else state[0])
    last = after[-1] if isinstance(after, tuple) else after
    return float(last[0].mean())


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "GRUD"])
def test_a_state_lasts_about_as_long_as_asked(name: str) -> None:
    torch.manual_seed(0)
    left = {}
    for longest in (4, 400):
        layer = LAYERS[name]()
        chrono(layer, longest)
        left[longest] = remembered(layer, 40)
    assert left[400] > 0.5
    assert left[400] > 5 * abs(left[4])


@pytest.mark.parametrize("name", list(LAYERS))
def test_only_the_gates_that_keep_and_write_are_touched(name: str) -> None:
    layer = LAYERS[name]()
    before = {key: weight.clone() for key, weight in layer.named_parameters()}
    chrono(layer, 100)
    kept = 0 if layer.stack.coupled else 1
    for key, weight in layer.named_parameters():
        if not key.startswith(("bias_ih", "bias_hh")):
            assert torch.equal(weight, before[key])
            continue
        changed = (weight != before[key]).view(-1, 32)
        touched = [k for k, gate in enumerate(changed) if gate.any()]
        if name.startswith("LSTM") and not layer.stack.coupled:
            assert touched == [0, 1]
        else:
            assert touched == [kept]


def test_the_forget_gate_begins_between_the_shortest_and_the_longest() -> None:
    layer = LSTM(2, 500)
    chrono(layer, 600, shortest=20)
    forget = torch.sigmoid(layer.bias_ih_l0[500:1000] + layer.bias_hh_l0[500:1000]).double()
    assert forget.min() >= 1 - 1 / 20 - 1e-6
    assert forget.max() <= 1 - 1 / 600 + 1e-6
    assert forget.max() > 1 - 1 / 500
    write = layer.bias_ih_l0[:500] + layer.bias_hh_l0[:500]
    assert torch.equal(write, -layer.bias_ih_l0[500:1000])


@pytest.mark.parametrize("layer", [RNN(2, 4), LSTM(2, 4, bias=False)])
def test_a_layer_without_such_a_gate_is_refused(layer: Recurrent) -> None:
    with pytest.raises(OptionError, match="has no gate with a bias that keeps its state"):
        chrono(layer, 100)


@pytest.mark.parametrize(("shortest", "longest"), [(1, 10), (2, 2), (10, 5)])
def test_impossible_times_are_refused(shortest: float, longest: float) -> None:
    with pytest.raises(OptionError, match="shortest is above 1, and longest above that"):
        chrono(GRU(2, 4), longest, shortest)
