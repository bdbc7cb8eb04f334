"""Optimizers over one piece: the numbers of torch.optim."""

import math
import subprocess
import sys

import pytest
import torch
from torch import nn

from recurra.errors import OptionError
from recurra.training.flat import flatten
from recurra.training.flat_optimizer import FlatOptimizer

THEIRS = {
    "adam": lambda p, decay: torch.optim.Adam(p, lr=0.01, weight_decay=decay),
    "adamw": lambda p, decay: torch.optim.AdamW(p, lr=0.01, weight_decay=decay),
    "rmsprop": lambda p, decay: torch.optim.RMSprop(p, lr=0.01, weight_decay=decay),
    "sgd": lambda p, decay: torch.optim.SGD(p, lr=0.01, weight_decay=decay, momentum=0.9),
}


def made() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 40), nn.Tanh(), nn.Linear(40, 2)).double()


def rates(steps: int) -> list[float]:
    return [0.01 * (1 + math.cos(step)) for step in range(steps)]


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("kind", THEIRS)
def test_fifty_steps_are_those_of_torch(kind, decay):
    mine, plain, x = made(), made(), torch.randn(5, 3, dtype=torch.float64)
    flat = flatten(mine)
    optimizer, theirs = FlatOptimizer(flat, kind, decay), THEIRS[kind](plain.parameters(), decay)
    for rate in rates(50):
        flat.zero()
        mine(x).square().sum().backward()
        assert optimizer.step(rate, 10, 0.3)
        theirs.zero_grad()
        (plain(x).square().sum() / 10).backward()
        nn.utils.clip_grad_norm_(plain.parameters(), 0.3)
        theirs.param_groups[0]["lr"] = rate
        theirs.step()
    for one, other in zip(mine.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("kind", THEIRS)
def test_a_training_taken_up_again_ends_with_the_same_bits(kind):
    def advance(model, flat, optimizer, steps):
        for rate in steps:
            flat.zero()
            model(torch.ones(2, 3, dtype=torch.float64)).square().sum().backward()
            optimizer.step(rate, 2, 1.0)

    whole, later = made(), made()
    flat = flatten(whole)
    optimizer = FlatOptimizer(flat, kind, 0.01)
    advance(whole, flat, optimizer, rates(6))
    weights = {name: each.clone() for name, each in whole.state_dict().items()}
    kept = {name: each.clone() for name, each in optimizer.state().items()}
    advance(whole, flat, optimizer, rates(5))

    flat = flatten(later)
    later.load_state_dict(weights)
    optimizer = FlatOptimizer(flat, kind, 0.01)
    optimizer.restore(kept)
    advance(later, flat, optimizer, rates(5))
    for one, other in zip(whole.parameters(), later.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_moves_nothing(bad):
    model = made()
    flat = flatten(model)
    optimizer = FlatOptimizer(flat)
    before, kept = flat.parameters[0].clone(), optimizer.state()["step.0"].clone()
    model[0].weight.grad[1, 1] = bad
    assert not optimizer.step(0.1, clip_norm=1.0)
    assert torch.equal(flat.parameters[0], before)
    assert torch.equal(optimizer.state()["step.0"], kept)


@pytest.mark.parametrize("kind", THEIRS)
def test_one_that_forgets_moves_as_a_new_one(kind):
    def advanced(begun):
        model = made()
        flat = flatten(model)
        optimizer = FlatOptimizer(flat, kind)
        if begun:
            flat.gradients[0].normal_()
            optimizer.step(0.0)
            optimizer.forget()
        flat.gradients[0].fill_(0.5)
        optimizer.step(0.1)
        return flat.parameters[0]

    assert torch.equal(advanced(True), advanced(False))


def test_an_unknown_optimizer_is_refused_with_the_known_ones():
    with pytest.raises(OptionError, match=r"no optimizer 'adamx'\. Did you mean 'adam'"):
        FlatOptimizer(flatten(made()), "adamx")


def test_the_state_of_another_optimizer_or_model_is_refused():
    told = FlatOptimizer(flatten(made()), "sgd").state()
    with pytest.raises(OptionError, match="same model and the same optimizer"):
        FlatOptimizer(flatten(made()), "adam").restore(told)
    with pytest.raises(OptionError, match="same model and the same optimizer"):
        FlatOptimizer(flatten(nn.Linear(100, 100)), "sgd").restore(told)


def test_a_step_loads_no_compiler():
    code = (
        "import sys, torch\n"
        "from recurra.training.flat import flatten\n"
        "from recurra.training.flat_optimizer import FlatOptimizer\n"
        "flat = flatten(torch.nn.Linear(2, 2))\n"
        "FlatOptimizer(flat).step(0.1)\n"
        "assert 'torch._dynamo' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
