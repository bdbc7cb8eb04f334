"""The kit catches what it is for: layers and kernels that break a law."""

import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from recurra.kernels.gru import gru
from recurra.layers import GRU, LSTM
from recurra.testing import check_kernel, check_layer, draw_weights
from recurra.testing.layers import LAWS


class Wrapped(nn.Module):
    """A GRU with a fault built in."""

    input_size, batch_first, bidirectional = 3, True, False

    def __init__(self, fault: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.fault = fault
        self.inner = GRU(3, 4, batch_first=True, dtype=torch.float64)

    def forward(self, x: Tensor, state=None, *, lengths=None):
        if self.fault == "ignores the lengths":
            return self.inner(x, state)
        real = (torch.arange(x.shape[1]) < torch.as_tensor(lengths)[:, None])[..., None]
        if self.fault == "multiplies with the mask":
            output, state = self.inner(x * real, state)
            return output * real, state
        if self.fault == "sees its neighbours":
            output, state = self.inner(x, state, lengths=lengths)
            return torch.where(real, output + output.mean(0), 0), state
        if self.fault == "forgets its state":
            return self.inner(x, None, lengths=lengths)
        if self.fault == "sees the future":
            clean = torch.where(real, x, 0)
            ahead = torch.cat([clean[:, 1:], 0 * clean[:, :1]], dim=1)
            return self.inner(clean + ahead, state, lengths=lengths)
        return self.inner(x, state, lengths=lengths)

    def step(self, x_t: Tensor, state=None):
        return self.inner.step(x_t + (self.fault == "steps otherwise"), state)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("ignores the lengths", "not 0 in the padding"),
        ("multiplies with the mask", "with 0 more steps of padding that hold inf"),
        ("sees its neighbours", "output of record"),
        ("forgets its state", "after a cut at step"),
        ("sees the future", "after a cut at step|before step"),
        ("steps otherwise", "output of step 0 differs"),
    ],
)
def test_a_layer_that_breaks_a_law_is_caught(fault, words):
    with pytest.raises(AssertionError, match=words):
        check_layer(lambda: Wrapped(fault), examples=30)


def test_a_layer_without_a_fault_passes():
    check_layer(lambda: Wrapped("none"), examples=5)
    check_layer(lambda: LSTM(2, 3, bidirectional=True), examples=5)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_every_law_says_what_it_is(law):
    assert law.__doc__.startswith("Check that ")


@pytest.mark.parametrize("fault", ["output", "state", "gradient"])
def test_a_kernel_that_differs_is_caught(fault):
    torch.manual_seed(0)
    weights = draw_weights(3, 2, 3)

    def kernel(x, state, weights, lengths=None, *, reverse=False):
        if fault == "gradient":
            weights = weights._replace(bias_hh=weights.bias_hh.detach())
        output, (h,) = gru(x, state, weights, lengths, reverse=reverse)
        if fault == "output" and x.shape[0] > 1:
            output = output + 1e-9
        return output, ((h + 1e-9,) if fault == "state" else (h,))

    with pytest.raises(AssertionError, match=fault):
        check_kernel(kernel, gru, weights, (3,))


def test_the_kit_loads_hypothesis_only_when_it_runs():
    code = "import sys, recurra.testing; sys.exit('hypothesis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
