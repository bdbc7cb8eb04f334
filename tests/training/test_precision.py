"""Products of bfloat16: what they cost in the loss, and that nothing else is rounded."""

from itertools import repeat

import numpy as np
import pytest
import torch
from torch import nn

from recurra import Regressor
from recurra.kernels.calls import operands_of
from recurra.layers import LSTM
from recurra.native import multiplies_bfloat16
from recurra.training import Training, train
from recurra.training.precision import bfloat16_products

able = pytest.mark.skipif(
    not multiplies_bfloat16(), reason="the processor has no products of bfloat16"
)


class Echo(nn.Module):
    """Remembers the mean of what it read, and the types of all that took part."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.out = LSTM(3, 40, batch_first=True), nn.Linear(40, 3)
        self.types, self.switches = set(), set()

    def loss(self, batch, _state=None):
        hidden, state = self.layer(batch)
        miss = self.out(hidden) - batch.cumsum(1) / 10
        self.types |= {hidden.dtype, miss.dtype, *(part.dtype for part in state)}
        self.switches.add(operands_of(batch))
        return miss.square().sum(), torch.tensor(miss.numel()), None


def learned(precision, steps=60):
    model = Echo()
    batch = torch.randn(16, 20, 3, generator=torch.Generator().manual_seed(1))
    checks = []

    def validate():
        checks.append(operands_of(batch))
        return float(model.loss(batch)[0])

    options = Training(steps, precision=precision, check_every=steps, progress=False)
    log = train(model, repeat(batch), options, validate)
    return model, np.array(log.loss), checks


@able
def test_the_loss_goes_down_as_in_float32_and_all_tensors_are_float32():
    _, losses, _ = learned(None)
    model, rounded, _ = learned("bfloat16")
    assert not np.array_equal(losses, rounded)
    np.testing.assert_allclose(rounded, losses, rtol=0.02)
    assert losses[-1] < 0.3 * losses[0]
    assert model.types == {torch.float32}
    assert {each.dtype for each in model.parameters()} == {torch.float32}


@able
def test_checks_are_not_rounded_and_nothing_is_left_switched():
    _, _, checks = learned("bfloat16", steps=3)
    assert set(checks) == {0}
    assert operands_of(torch.ones(1)) == 0
    assert torch.get_float32_matmul_precision() == "highest"


def test_what_was_switched_before_is_switched_after_even_if_it_fails():
    torch.set_float32_matmul_precision("medium")
    try:
        with pytest.raises(ValueError, match="of all"), bfloat16_products():
            raise ValueError("of all things")
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")


@able
def test_a_network_that_knows_its_own_way_back_is_rounded_too():
    chance = np.random.default_rng(0)
    X = [chance.normal(size=(12, 2)).cumsum(0) for _ in range(60)]
    y = [float(record.sum()) for record in X]
    told = {}
    for precision in (None, "bfloat16"):
        training = Training(steps=20, batch_size=16, precision=precision, progress=False)
        told[precision] = Regressor(hidden_size=16, dropout=0.0, training=training).fit(X, y).log_
    assert told[None].loss != told["bfloat16"].loss
    np.testing.assert_allclose(told["bfloat16"].loss, told[None].loss, rtol=0.05)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_it_is_autocast():
    with bfloat16_products("cuda"):
        assert torch.get_autocast_dtype("cuda") == torch.bfloat16
        assert torch.is_autocast_enabled("cuda")
