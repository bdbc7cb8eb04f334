"""In the place of torch.nn: same arguments, weights, calls and results."""

import inspect
import warnings

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
)

from recurra import layers
from recurra.kernels import backend
from recurra.testing import BACKENDS

TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6}
VARIANTS = {
    "LSTM": {},
    "GRU": {},
    "RNN": {},
    "RNN relu": {"nonlinearity": "relu"},
    "LSTM projected": {"proj_size": 3},
}
PAIRS = [(variant, name) for variant in VARIANTS for name in BACKENDS]
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections")


def pair(variant: str, dtype: torch.dtype = torch.float64, **options: object):
    """Torch's layer and ours with the same weights."""
    name, options = variant.split()[0], {**VARIANTS[variant], **options}
    torch.manual_seed(0)
    theirs = getattr(nn, name)(4, 6, dtype=dtype, **options)
    ours = getattr(layers, name)(4, 6, dtype=dtype, **options)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def given_state(layer, batch: int):
    chance = torch.Generator().manual_seed(3)
    zeros = parts(layer.initial_state(batch))
    drawn = tuple(torch.randn(one.shape, generator=chance, dtype=one.dtype) for one in zeros)
    return drawn if len(drawn) > 1 else drawn[0]


def everything(layer, x, state, **call: object) -> dict[str, torch.Tensor]:
    """Output, state and the gradient of each leaf."""
    x = x.clone().requires_grad_()
    layer.zero_grad()
    if state is not None:
        state = tuple(one.clone().requires_grad_() for one in parts(state))
        leaves = state
        state = state if len(state) > 1 else state[0]
    output, after = layer(x, state, **call)
    loss = (output * output.detach().cos()).sum() + sum((one.sin()).sum() for one in parts(after))
    loss.backward()
    found = {"output": output, "x.grad": x.grad}
    found |= {f"state {n}": one for n, one in enumerate(parts(after))}
    found |= {} if state is None else {f"state.grad {n}": one.grad for n, one in enumerate(leaves)}
    return found | {name: one.grad for name, one in layer.named_parameters()}


def assert_equal(ours: dict, theirs: dict, tolerance: float) -> None:
    assert ours.keys() == theirs.keys()
    for name, one in theirs.items():
        apart = float((ours[name] - one).detach().abs().max())
        assert ours[name].shape == one.shape, name
        assert apart <= tolerance * max(1.0, float(one.detach().abs().max())), (
            f"{name}: {apart:.1e}"
        )


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_the_constructor_takes_torchs_arguments(name):
    ours = inspect.signature(getattr(layers, name)).parameters.values()
    shared = [one for one in ours if one.kind is not one.KEYWORD_ONLY]
    known = ["input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout"]
    known += ["bidirectional"] + ["proj_size"] * (name == "LSTM") + ["device", "dtype"]
    known[3:3] = ["nonlinearity"] * (name == "RNN")
    assert [one.name for one in shared] == known


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize(("variant", "chosen"), PAIRS)
@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_results_and_gradients_are_torchs(variant, num_layers, bidirectional, chosen, dtype):
    theirs, ours = pair(variant, dtype, num_layers=num_layers, bidirectional=bidirectional)
    x = torch.randn(7, 3, 4, dtype=dtype)
    for state in (None, given_state(ours, 3)):
        with backend(chosen):
            found = everything(ours, x, state)
        assert_equal(found, everything(theirs, x, state), TOLERANCE[dtype])


@pytest.mark.parametrize("options", [{"bias": False}, {"batch_first": True}], ids=str)
@pytest.mark.parametrize("variant", VARIANTS)
def test_bias_and_batch_first_mean_what_torch_means(variant, options):
    theirs, ours = pair(variant, num_layers=2, bidirectional=True, **options)
    x = torch.randn(3, 3, 4, dtype=torch.float64)
    state = given_state(ours, 3)
    assert_equal(everything(ours, x, state), everything(theirs, x, state), 1e-12)


@pytest.mark.parametrize(("variant", "chosen"), PAIRS)
def test_lengths_give_what_torch_gives_packed(variant, chosen):
    theirs, ours = pair(variant, num_layers=2, bidirectional=True, batch_first=True)
    x = torch.randn(4, 7, 4, dtype=torch.float64)
    lengths = torch.tensor([3, 7, 1, 5])

    class Packed(nn.Module):
        def forward(self, x, state):
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            output, after = theirs(packed, state)
            return pad_packed_sequence(output, batch_first=True)[0], after

        def zero_grad(self):
            theirs.zero_grad()

        def named_parameters(self):
            return theirs.named_parameters()

    state = given_state(ours, 4)
    with backend(chosen):
        found = everything(ours, x, state, lengths=lengths)
    assert_equal(found, everything(Packed(), x, state), 1e-12)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_single_record_needs_no_batch_axis(variant, batch_first):
    theirs, ours = pair(variant, batch_first=batch_first, bidirectional=True)
    x = torch.randn(7, 4, dtype=torch.float64)
    state = tuple(one.squeeze(1) for one in parts(given_state(ours, 1)))
    state = state if len(state) > 1 else state[0]
    for given in (None, state):
        assert_equal(everything(ours, x, given), everything(theirs, x, given), 1e-12)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(("variant", "chosen"), PAIRS)
@pytest.mark.parametrize("in_order", [False, True])
def test_a_packed_sequence_comes_back_packed(variant, chosen, batch_first, in_order):
    theirs, ours = pair(variant, num_layers=2, bidirectional=True, batch_first=batch_first)
    counts = [5, 4, 1] if in_order else [4, 1, 5]
    records = [torch.randn(steps, 4, dtype=torch.float64) for steps in counts]
    packed = pack_sequence(records, enforce_sorted=in_order)
    state = given_state(ours, 3)
    expected, expected_state = theirs(packed, state)
    with backend(chosen):
        output, after = ours(packed, state)
    assert isinstance(output, PackedSequence)
    torch.testing.assert_close(output.data, expected.data, rtol=0, atol=1e-12)
    torch.testing.assert_close(parts(after), parts(expected_state), rtol=0, atol=1e-12)
    for mine, its in zip(output[1:], expected[1:], strict=True):
        assert mine is its is None or torch.equal(mine, its)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_weights_go_to_torch_and_back(variant):
    theirs, ours = pair(variant, num_layers=2, bidirectional=True)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    with torch.no_grad():
        for weight in ours.parameters():
            weight.add_(1)
    theirs.load_state_dict(ours.state_dict())
    assert all(map(torch.equal, theirs.parameters(), ours.parameters()))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_seed_draws_torchs_weights(variant):
    name, options = variant.split()[0], VARIANTS[variant]
    torch.manual_seed(5)
    theirs = getattr(nn, name)(4, 6, 2, bidirectional=True, **options)
    torch.manual_seed(5)
    ours = getattr(layers, name)(4, 6, 2, bidirectional=True, **options)
    assert all(map(torch.equal, theirs.parameters(), ours.parameters()))


@pytest.mark.parametrize("variant", VARIANTS)
def test_dropout_drops_what_torch_drops_with_the_same_seed(variant):
    theirs, ours = pair(variant, num_layers=3, dropout=0.5)
    x = torch.randn(7, 3, 4, dtype=torch.float64)
    torch.manual_seed(1)
    expected, _ = theirs(x)
    torch.manual_seed(1)
    output, _ = ours(x)
    torch.testing.assert_close(output, expected, rtol=0, atol=1e-12)


def test_no_warning_comes_from_an_ordinary_call():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("RNN", "LSTM", "GRU", "Jordan"):
            getattr(layers, name)(4, 6)(torch.ones(3, 2, 4), lengths=[3, 1])
