"""The learning rate finder: what it suggests, and that nothing is changed by looking."""

import copy
import math
from itertools import repeat

import numpy as np
import pytest
import torch
from torch import nn

from recurra.errors import OptionError, TrainingError
from recurra.training import RateCurve, Training, find_learning_rate, train


class Bowl(nn.Module):
    """A sum of squares whose plain gradient descent diverges at rates of 2 / curvature."""

    def __init__(self, curvature):
        super().__init__()
        self.curvature, self.drop = curvature, nn.Dropout(0.1)
        self.weight = nn.Parameter(torch.ones(4, dtype=torch.float64))

    def loss(self, batch, _state=None):
        there = self.drop(torch.ones(4, dtype=torch.float64))
        miss = there * self.weight * (1.0 + 0.1 * batch)
        return 0.5 * self.curvature * miss.square().sum() + batch.mean(), torch.tensor(1), None


def noise(seed=0):
    chance = torch.Generator().manual_seed(seed)
    while True:
        yield torch.randn(4, generator=chance, dtype=torch.float64)


SGD = Training(optimizer="sgd", clip_norm=None, progress=False)


@pytest.mark.parametrize("curvature", [1.0, 10.0, 300.0])
def test_what_is_suggested_learns_and_three_times_as_much_nearly_diverges(curvature):
    found = find_learning_rate(Bowl(curvature), noise(), SGD, highest=100.0).suggestion
    limit = 2 * (1 + 0.9) / curvature  # of a momentum of 0.9
    assert 0.02 * limit < found < 0.7 * limit
    options = Training(100, 1, "sgd", found, "constant", warmup=0, clip_norm=None, progress=False)
    model = Bowl(curvature)
    train(model, noise(1), options)
    assert float(model.weight.detach().abs().max()) < 0.1


def test_nothing_is_changed_by_looking():
    model = Bowl(1.0).eval()
    before, chance = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    find_learning_rate(model, noise())
    assert all(torch.equal(model.state_dict()[name], each) for name, each in before.items())
    assert torch.equal(torch.get_rng_state(), chance)
    assert model.weight.grad is None
    assert not model.training


def test_the_same_seed_gives_the_same_curve_and_another_another():
    first, again, other = (find_learning_rate(Bowl(1.0), noise(), seed=s) for s in (3, 3, 4))
    assert first == again
    assert first != other


def test_it_ends_where_the_loss_is_lost():
    curve = find_learning_rate(Bowl(300.0), noise(), SGD, highest=100.0)
    assert curve.rates[-1] < 1.0
    assert curve.losses[-1] < 1e6


def test_the_rates_rise_by_the_same_factor():
    curve = find_learning_rate(Bowl(1e-9), noise(), lowest=1e-5, highest=1e-1, steps=41)
    assert len(curve.rates) == len(curve.losses) == len(curve.smooth) == 41
    assert np.allclose(np.diff(np.log10(curve.rates)), 0.1)


def test_batches_are_cut_and_added_up_as_in_a_training():
    class Cut:
        def chunks(self, steps):
            yield from repeat("first", 1)
            yield from repeat("later", steps - 1)

    class Seen(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(()))

        def loss(self, batch, state=None):
            assert (state is None) == (batch == "first")
            return self.weight.square(), torch.tensor(1), (torch.zeros(1, 1),)

    options = Training(truncation=3, accumulate=2, progress=False)
    curve = find_learning_rate(Seen(), repeat(Cut()), options, steps=30)
    assert len(curve.losses) == 30


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lowest": 0.0}, "lowest=0.0 and highest=1.0, but the rate is to rise"),
        ({"lowest": 2.0}, "lowest=2.0 and highest=1.0, but the rate is to rise"),
        ({"highest": math.inf}, "highest=inf, but"),
        ({"steps": 10}, "steps=10, but it must be an int of at least 30"),
    ],
)
def test_impossible_limits_are_refused(wrong, message):
    with pytest.raises(OptionError, match=message):
        find_learning_rate(Bowl(1.0), noise(), **wrong)


def test_a_loss_that_is_never_finite_is_an_error_with_advice():
    with pytest.raises(TrainingError, match=r"not finite at step 1, .*magnitude"):
        find_learning_rate(Bowl(math.inf), noise())


def test_the_picture_shows_curve_and_suggestion():
    pytest.importorskip("matplotlib")
    rates = tuple(np.geomspace(1e-4, 1.0, 30).tolist())
    curve = RateCurve(rates, tuple(np.linspace(2.0, 1.0, 30).tolist()), 0.05)
    (axes,) = curve.plot().axes
    _steps, smooth, line = axes.lines
    assert np.allclose(smooth.get_ydata(), curve.smooth)
    assert np.allclose(line.get_xdata(), 0.05)
    assert axes.get_xscale() == "log"
    assert "0.05" in axes.get_legend().get_texts()[-1].get_text()


def test_a_curve_is_told_in_a_line():
    curve = RateCurve((1e-6, 1e-3, 1.0), (3.0, 2.0, 9.0), 2e-4)
    assert repr(curve) == "RateCurve(3 rates from 1e-06 to 1, suggestion 0.0002)"
