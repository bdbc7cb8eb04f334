"""The definitions: their equations, their gradients, what lengths mean to them."""

from functools import partial

import pytest
import torch
from torch import nn

from recurra.kernels import Kernel, Weights, elman, gru, jordan, lstm
from recurra.testing import check_gradients, draw_weights

torch.manual_seed(0)
HIDDEN = 3
CASES: dict[str, tuple[Kernel, Weights, tuple[int, ...]]] = {
    **{
        f"elman {name}": (partial(elman.elman, activation=name), draw_weights(1, 2, HIDDEN), (3,))
        for name in ("tanh", "relu", "sigmoid")
    },
    "jordan": (jordan.jordan, draw_weights(1, 2, HIDDEN, outputs=2, output_map=True), (2,)),
    "jordan tanh": (
        partial(jordan.jordan, activation="sigmoid", output_activation="tanh"),
        draw_weights(1, 2, HIDDEN, outputs=4, output_map=True),
        (4,),
    ),
    "lstm": (lstm.lstm, draw_weights(4, 2, HIDDEN), (3, 3)),
    "lstm projected": (lstm.lstm, draw_weights(4, 2, HIDDEN, outputs=2, projection=True), (2, 3)),
    "gru": (gru.gru, draw_weights(3, 2, HIDDEN), (3,)),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest):
    return CASES[request.param]


def zeros(sizes: tuple[int, ...], batch: int) -> tuple[torch.Tensor, ...]:
    return tuple(torch.zeros(batch, size, dtype=torch.float64) for size in sizes)


@pytest.mark.parametrize("lengths", [[3, 3], [2, 0, 1]], ids=str)
def test_gradients_are_those_of_finite_differences(case, lengths):
    torch.manual_seed(1)
    check_gradients(*case, lengths)


@pytest.mark.parametrize(
    ("cell", "step", "gates", "states"),
    [
        (nn.RNNCell, elman.step, 1, 1),
        (nn.LSTMCell, lstm.step, 4, 2),
        (nn.GRUCell, gru.step, 3, 1),
    ],
)
def test_a_step_is_that_of_torchs_cell(cell, step, gates, states):
    weights = draw_weights(gates, 2, HIDDEN)
    theirs = cell(2, HIDDEN, dtype=torch.float64)
    theirs.load_state_dict({k: v for k, v in weights._asdict().items() if v is not None})
    x = torch.randn(4, 2, dtype=torch.float64)
    before = tuple(torch.randn(4, HIDDEN, dtype=torch.float64) for _ in range(states))
    projected = nn.functional.linear(x, weights.weight_ih, weights.bias_ih)
    expected = theirs(x, before if states > 1 else before[0])
    expected = expected if isinstance(expected, tuple) else (expected,)
    torch.testing.assert_close(step(projected, before, weights), expected, rtol=0, atol=1e-14)


def test_reverse_reads_each_record_from_its_own_last_step(case):
    kernel, weights, sizes = case
    x = torch.randn(6, 3, 2, dtype=torch.float64)
    lengths = torch.tensor([6, 2, 0])
    output, state = kernel(x, zeros(sizes, 3), weights, lengths, reverse=True)
    for record, length in enumerate(lengths.tolist()):
        turned = x[:length, record : record + 1].flip(0)
        alone, after = kernel(turned, zeros(sizes, 1), weights)
        torch.testing.assert_close(output[:length, record], alone.flip(0)[:, 0])
        assert not output[length:, record].any()
        for ours, theirs in zip(state, after, strict=True):
            torch.testing.assert_close(ours[record], theirs[0])


@pytest.mark.parametrize("reverse", [False, True])
def test_any_padding_leaves_every_bit_as_it_is(case, reverse):
    kernel, weights, sizes = case
    lengths = torch.tensor([4, 2, 0])
    x = torch.randn(9, 3, 2, dtype=torch.float64)
    dirty = torch.where(torch.arange(9)[:, None, None] < lengths[:, None], x, torch.nan)
    outputs = []
    for values in (x[:4], x, dirty):
        values = values.clone().requires_grad_()
        output, state = kernel(values, zeros(sizes, 3), weights, lengths, reverse=reverse)
        assert output.shape[0] == values.shape[0]
        leaves = [values, *(one for one in weights if one is not None)]
        loss = output.square().sum() + sum(one.sum() for one in state)
        first, *rest = torch.autograd.grad(loss, leaves)
        assert not first[4:].any()
        outputs.append([output[:4], first[:4], *state, *rest])
    for other in outputs[1:]:
        assert all(map(torch.equal, outputs[0], other))


def test_no_bias_is_a_bias_of_zero(case):
    kernel, weights, sizes = case
    x = torch.randn(4, 2, 2, dtype=torch.float64)
    given = weights._asdict().items()
    zero = Weights(**{k: v if v is None or "weight" in k else v.detach() * 0 for k, v in given})
    none = Weights(**{k: None if "bias" in k else v for k, v in given})
    with_zero, _ = kernel(x, zeros(sizes, 2), zero)
    without, _ = kernel(x, zeros(sizes, 2), none)
    torch.testing.assert_close(with_zero, without, rtol=0, atol=1e-15)


def test_float32_stays_float32(case):
    kernel, weights, sizes = case
    weights = Weights(*(None if one is None else one.float() for one in weights))
    state = tuple(one.float() for one in zeros(sizes, 2))
    output, after = kernel(torch.ones(3, 2, 2), state, weights, torch.tensor([3, 1]))
    assert {one.dtype for one in (output, *after)} == {torch.float32}
