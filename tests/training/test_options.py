"""How to train: what is refused, and how the learning rate runs."""

import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from recurra.errors import OptionError
from recurra.training import Training

COUNTS = ["steps", "batch_size", "accumulate", "truncation", "patience", "check_every"]
COUNTS += ["plateau_patience"]


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", [0, -1, 1.5, "3", True, float("nan")])
def test_a_count_must_be_an_int_of_at_least_one(name, value):
    with pytest.raises(OptionError, match=rf"^{name}={value!r}, but it must be an int of at least"):
        Training(**{name: value})


@pytest.mark.parametrize("name", COUNTS)
def test_none_is_allowed_where_it_has_a_meaning(name):
    if name in ("truncation", "patience"):
        assert getattr(Training(**{name: None}), name) is None
    else:
        with pytest.raises(
            OptionError, match=f"{name}=None, but it must be an int of at least 1.$"
        ):
            Training(**{name: None})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"warmup": -1}, "warmup=-1, but it must be an int of at least 0."),
        ({"warmup": 2.0}, "warmup=2.0, but it must be an int of at least 0."),
        ({"learning_rate": 0.0}, "learning_rate=0.0, but it must be positive."),
        ({"learning_rate": -1e-3}, "learning_rate=-0.001, but it must be positive."),
        ({"learning_rate": math.inf}, "learning_rate=inf, but it must be positive."),
        ({"learning_rate": math.nan}, "learning_rate=nan, but it must be positive."),
        ({"weight_decay": -0.1}, "weight_decay=-0.1, but it cannot be negative."),
        ({"weight_decay": math.nan}, "weight_decay=nan, but it cannot be negative."),
        ({"clip_norm": 0.0}, "clip_norm=0.0, but it must be positive or None."),
        ({"clip_norm": math.nan}, "clip_norm=nan, but it must be positive or None."),
        (
            {"optimizer": "lbfgs"},
            "optimizer='lbfgs', but it must be one of 'adam', 'adamw', 'rmsprop', 'sgd'.",
        ),
        (
            {"schedule": "step"},
            "schedule='step', but it must be one of 'cosine', 'linear', 'constant', 'one_cycle', "
            "'plateau'.",
        ),
        ({"precision": "float16"}, "precision='float16', but it must be 'bfloat16' or None."),
        ({"plateau_factor": 1.0}, "plateau_factor=1.0, but it must lie between 0 and 1"),
        ({"plateau_factor": "0.5"}, "plateau_factor='0.5', but it must lie between 0 and 1"),
        ({"clip_value": 0}, "clip_value=0, but it must be positive or None."),
        ({"clip_adaptive": -1.0}, "clip_adaptive=-1.0, but it must be positive or None."),
        (
            {"clip_value": 0.5},
            "clip_norm=1 and clip_value=0.5, but gradients are clipped in one way. "
            "Use clip_norm=None.",
        ),
        ({"clip_norm": None, "clip_value": 1, "clip_adaptive": 1}, "clip_value=1 and clip_adapti"),
        (
            {"schedule": "plateau", "patience": 3},
            "patience=3 ends the training before plateau_patience=3 lowers the rate.",
        ),
        ({"optimizer": None}, "optimizer=None, but it must be one of"),
    ],
)
def test_an_impossible_value_is_refused_with_what_is_possible(options, message):
    with pytest.raises(OptionError) as caught:
        Training(**options)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", ["learning_rate", "weight_decay", "clip_norm"])
@pytest.mark.parametrize("value", ["0.1", [0.1]])
def test_what_is_no_number_is_refused(name, value):
    with pytest.raises(OptionError, match=name):
        Training(**{name: value})


def test_the_options_cannot_be_changed_only_replaced():
    options = Training()
    with pytest.raises(FrozenInstanceError):
        options.steps = 3
    assert replace(options, steps=3) == Training(steps=3)
    assert hash(Training(steps=3)) == hash(Training(steps=3))


def test_a_replaced_value_is_checked_too():
    with pytest.raises(OptionError, match="steps=0"):
        replace(Training(), steps=0)


def test_the_rate_rises_in_equal_steps_to_its_highest():
    options = Training(steps=100, learning_rate=1.0, warmup=10, schedule="constant")
    rates = [options.rate_at(step) for step in range(12)]
    np.testing.assert_allclose(rates, [*np.arange(1, 11) / 10, 1.0, 1.0])


def test_the_cosine_halves_the_rate_midway_and_ends_near_zero():
    options = Training(steps=100, learning_rate=1.0, warmup=0, schedule="cosine")
    rates = np.array([options.rate_at(step) for step in range(100)])
    assert rates[0] == 1.0
    assert rates[50] == pytest.approx(0.5)
    assert rates[25] == pytest.approx(0.5 + 0.5 * math.cos(math.pi / 4))
    assert 0 < rates[-1] < 1e-3
    assert (np.diff(rates) < 0).all()


def test_the_linear_schedule_falls_in_equal_steps():
    options = Training(steps=50, learning_rate=2.0, warmup=0, schedule="linear")
    np.testing.assert_allclose(
        [options.rate_at(step) for step in range(50)], 2.0 * (1 - np.arange(50) / 50)
    )
