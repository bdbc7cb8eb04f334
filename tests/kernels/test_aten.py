"""Torch's own kernels obey the reference, ragged batches and empty records included."""

from functools import partial

import pytest
import torch

from recurra.kernels import Kernel, Stack, Weights, aten, elman, gru, lstm
from recurra.testing import check_kernel, draw_weights

CASES = {
    "elman tanh": (Stack("elman"), elman.elman, 1, (3,), {}),
    "elman relu": (
        Stack("elman", activation="relu"),
        partial(elman.elman, activation="relu"),
        1,
        (3,),
        {},
    ),
    "lstm": (Stack("lstm"), lstm.lstm, 4, (3, 3), {}),
    "lstm projected": (Stack("lstm"), lstm.lstm, 4, (2, 3), {"outputs": 2, "projection": True}),
    "gru": (Stack("gru"), gru.gru, 3, (3,), {}),
}


def forward(stack: Stack) -> Kernel:
    """Torch's kernel for a stack of one layer, called as a reference is."""

    def kernel(x, state, weights: Weights, lengths=None, *, reverse=False):
        assert not reverse
        if lengths is not None and not lengths.any():  # what `judge` keeps away from it
            return x[..., :1] * 0 + torch.zeros_like(state[0]), state
        before = tuple(part[None] for part in state)
        output, after = aten.run(stack, x, before, [weights], lengths, False)
        return output, tuple(part[0] for part in after)

    return kernel


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_torchs_kernel_equals_the_reference(name, dtype):
    stack, reference, gates, sizes, options = CASES[name]
    torch.manual_seed(0)
    weights = draw_weights(gates, 2, 3, dtype=dtype, **options)
    check_kernel(forward(stack), reference, weights, sizes, both_ways=False, examples=15)


@pytest.mark.parametrize(
    ("stack", "words"),
    [
        (Stack("jordan"), "torch has no Jordan kernel"),
        (Stack("elman", activation="sigmoid"), "torch has no Elman kernel with sigmoid"),
    ],
)
def test_what_torch_does_not_have_is_refused(stack, words):
    assert aten.judge(stack, torch.ones(3, 2, 1), None) == (False, words)


@pytest.mark.parametrize("shape", [(0, 2, 1), (3, 0, 1)])
def test_a_batch_without_a_step_is_refused(shape):
    able, reason = aten.judge(Stack("lstm"), torch.ones(shape), None)
    assert not able
    assert "without a single real step" in reason


def test_flattening_on_a_cpu_leaves_the_weights_alone():
    weights = draw_weights(4, 2, 3)
    before = [one.data_ptr() for one in weights if one is not None]
    aten.flatten(Stack("lstm"), [weights])
    assert [one.data_ptr() for one in weights if one is not None] == before
