"""Schedules: those of the paper and of torch, and the one that follows the validation loss."""

import math
from itertools import pairwise, repeat

import pytest
import torch
from torch import nn

from recurra import Classifier
from recurra.errors import OptionError
from recurra.training import Training, train
from recurra.training.plateau import Plateau


@pytest.mark.parametrize("steps", [10, 33, 1000])
def test_one_cycle_is_that_of_torch(steps):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=steps)
    options = Training(steps=steps, schedule="one_cycle", learning_rate=0.1)
    for step in range(steps):
        assert math.isclose(options.rate_at(step), theirs.get_last_lr()[0], rel_tol=1e-9)
        optimizer.step()
        theirs.step() if step + 1 < steps else None


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5])
def test_one_cycle_of_few_steps_stays_between_its_ends(steps):
    options = Training(steps=steps, schedule="one_cycle", learning_rate=1.0)
    rates = [options.rate_at(step) for step in range(steps)]
    assert all(1 / 25e4 <= rate <= 1.0 for rate in rates)
    assert max(rates) > 0.8


def seen(plateau, *losses):
    shares = []
    for step, loss in enumerate(losses, 1):
        plateau.see(10 * step, loss)
        shares.append(plateau.share)
    return shares


def plateau_options(**more):
    return Training(**{"schedule": "plateau", "progress": False, **more})


def plateau(**more):
    given = {"check_every": 10, "plateau_patience": 2, "plateau_factor": 0.1} | more
    return Plateau(plateau_options(**given))


def test_the_rate_falls_after_so_many_checks_that_were_no_better():
    assert seen(plateau(), 3.0, 2.0, 2.0, 2.5, 1.0, 1.0) == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1])


def test_it_falls_again_and_again_where_nothing_helps():
    assert seen(plateau(), *repeat(1.0, 7)) == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01, 0.001])


def test_a_loss_that_is_not_a_number_is_no_better():
    assert seen(plateau(), 1.0, math.nan, math.inf)[-1] == pytest.approx(0.1)


def test_other_schedules_do_not_follow_the_loss():
    assert seen(plateau(schedule="constant"), *repeat(1.0, 20))[-1] == 1.0


class Slope(nn.Module):
    """A weight whose gradient is always one."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def loss(self, _batch, _state=None):
        return self.weight, torch.tensor(1), None


def test_a_training_goes_at_the_rate_of_the_plateau():
    given = {"steps": 8, "optimizer": "sgd", "learning_rate": 1.0, "warmup": 0, "check_every": 2}
    options = plateau_options(**given, plateau_patience=1, plateau_factor=0.25)
    model, places = Slope(), [0.0]
    train(model, repeat(0), options, lambda: 1.0, [lambda m: places.append(m.model.weight.item())])
    moment, rates = 0.0, []
    for before, after in pairwise(places):
        moment = 0.9 * moment + 1.0  # of sgd
        rates.append((before - after) / moment)
    checks = [1, 1, 1, 0.25, 0.25, 0.25, 0.0625, 0.0625]  # after 1, 2, 3, 4, 6 and 8 steps
    assert rates == pytest.approx(checks)


def test_a_plateau_needs_a_validation_loss():
    options = Training(schedule="plateau", progress=False)
    with pytest.raises(OptionError, match="nothing is held back for them"):
        train(Slope(), repeat(0), options)


def test_a_plateau_that_learns_from_all_records_once_more_does_without():
    X = [[float(k % 2)] * (2 + k % 3) for k in range(60)]
    options = Training(steps=6, schedule="plateau", check_every=2, progress=False)
    model = Classifier(hidden_size=2, refit=True, validation=0.25, training=options)
    model.fit(X, ["odd" if k % 2 else "even" for k in range(60)])
    assert "Learned once more" in model.notes_[-1]
