"""The laws of learning: what an estimator keeps of its options, its data, its seed and its past."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from inspect import signature
from typing import Any
from unittest import mock

import numpy as np
import torch
from sklearn.base import clone

from recurra.errors import OptionError
from recurra.testing.advice import advice
from recurra.testing.answers import apart
from recurra.testing.estimator_case import EstimatorCase
from recurra.testing.learned import are_same, same_treatments, same_weights, weights_apart
from recurra.training import Moment, Training

__all__ = [
    "a_callback_sees_each_step_and_can_end_it",
    "a_failed_fit_leaves_what_was_learned",
    "a_first_part_is_enough_to_begin_with",
    "a_record_of_weight_zero_is_left_out",
    "a_warm_start_goes_on_from_the_weights",
    "fit_returns_itself_and_keeps_its_options",
    "groups_are_never_parted",
    "learning_changes_no_data",
    "one_part_more_changes_the_weights_alone",
    "the_constructor_only_stores",
    "the_number_of_threads_changes_no_bit",
    "the_same_seed_gives_the_same_bits",
    "what_stops_the_training_is_not_learned_from",
]

LEARNED = ("network_", "preprocessor_", "log_", "notes_")
SLOW = 1e-12  # a learning rate at which no weight moves far


def the_constructor_only_stores(case: EstimatorCase) -> None:
    """Check that every parameter is kept as it was given, whatever it is, and nothing else is made.

    Parameters
    ----------
    case : EstimatorCase
        The estimator.
    """
    kind = type(case.estimator)
    names = [name for name in signature(kind.__init__).parameters if name != "self"]
    given = {name: object() for name in names}
    model = kind(**given)
    for name in names:
        assert getattr(model, name) is given[name], f"{name} is not kept as it was given"
    assert set(vars(model)) == set(names), f"it also made {set(vars(model)) - set(names)}"
    assert sorted(model.get_params(deep=False)) == sorted(names), "get_params names others"
    other = kind().set_params(**case.estimator.get_params(deep=False))
    for name, value in case.estimator.get_params(deep=False).items():
        assert getattr(other, name) is value, f"set_params does not keep {name}"
    again = clone(case.estimator)
    assert repr(again) == repr(case.estimator), "a clone has other options"
    assert not [name for name in LEARNED if hasattr(again, name)], "a clone has learned"


def fit_returns_itself_and_keeps_its_options(case: EstimatorCase) -> None:
    """Check what `fit` returns, what it sets, and that it leaves the options as they were.

    Parameters
    ----------
    case : EstimatorCase
        The estimator.
    """
    model = case.make()
    before = dict(model.get_params(deep=False))
    assert model.fit(*case.data()) is model, "fit does not return the estimator"
    for name in LEARNED:
        assert hasattr(model, name), f"fit sets no {name}"
    for name, value in model.get_params(deep=False).items():
        assert value is before[name], f"fit puts another value in the option {name}"
    assert not model.network_.training, "the network is left in training mode"


def learning_changes_no_data(case: EstimatorCase) -> None:
    """Check that `fit` and every answer leave the records and the targets as they came.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    before = deepcopy(case.data())
    model = case.make().fit(*case.data())
    case.ask(model)
    for name, one, other in zip(("X", "y"), case.data(), before, strict=True):
        assert apart(one, other) == 0.0, f"{name} is changed"


def the_same_seed_gives_the_same_bits(case: EstimatorCase) -> None:
    """Check that chance comes from the seed alone, and that no other chance is touched.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    fitted = []
    for chance in (1, 2):
        torch.manual_seed(chance)
        np.random.seed(chance)  # noqa: NPY002  it is this one that must not count
        before = torch.get_rng_state(), np.random.get_state(legacy=False)  # noqa: NPY002
        fitted.append(case.make().fit(*case.data()))
        after = torch.get_rng_state(), np.random.get_state(legacy=False)  # noqa: NPY002
        assert torch.equal(after[0], before[0]), "fit uses up torch's own chance"
        assert apart(after[1], before[1]) == 0.0, "fit uses up NumPy's own chance"
    one, two = fitted
    same_weights(one, two, "the weights differ")
    assert apart(case.ask(one), case.ask(two)) == 0.0, "the answers differ"
    other = case.make(seed=case.estimator.seed + 1).fit(*case.data())
    assert not are_same(one, other), "another seed gives the same weights"


def the_number_of_threads_changes_no_bit(case: EstimatorCase) -> None:
    """Check that one thread and two learn the same weights, and answer the same.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    usual, fitted, answers = torch.get_num_threads(), [], []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            fitted.append(case.make().fit(*case.data()))
            answers.append(case.ask(fitted[-1]))
    finally:
        torch.set_num_threads(usual)
    same_weights(fitted[0], fitted[1], "two threads learn other weights than one")
    assert apart(answers[0], answers[1]) == 0.0, "two threads answer otherwise than one"


def a_failed_fit_leaves_what_was_learned(case: EstimatorCase) -> None:
    """Check that wrong options, and a fault in the middle, cost nothing of what was learned.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    model = case.fitted()
    before, known = case.ask(model), set(vars(model))

    def stumble(moment: Moment) -> None:
        raise KeyError(moment.step)

    for learn in (model.fit, model.partial_fit):
        try:
            learn(*case.data(range(case.records // 2)), callbacks=[stumble])
        except KeyError:
            pass
        else:
            raise AssertionError("a fault in a callback is swallowed")
        assert set(vars(model)) == known, f"{learn.__name__} leaves half of what it learned"
        assert apart(case.ask(model), before) == 0.0, f"a failed {learn.__name__} changes answers"
    wrong = clone(model).set_params(seed=-1)
    with advice("seed=-1", OptionError):
        wrong.fit(*case.data())
    assert not hasattr(wrong, "network_"), "a fit that failed has learned"


def one_part_more_changes_the_weights_alone(case: EstimatorCase) -> None:
    """Check that `partial_fit` goes on from what was learned, and learns nothing anew but weights.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    model, before = case.fitted(), case.fitted()
    assert model.partial_fit(*case.data()) is model, "partial_fit does not return the estimator"
    assert not are_same(model, before), "partial_fit changes no weight"
    same_treatments(model, before, "partial_fit learns treatments anew")
    slow = _with_rate(case, SLOW)
    model = case.fitted().set_params(training=slow).partial_fit(*case.data())
    assert weights_apart(model, before) < 1e-6, "partial_fit does not go on from the weights"
    if case.unseen is not None:
        with advice("partial_fit with what was never seen"):
            case.fitted().partial_fit(*case.unseen)


def a_first_part_is_enough_to_begin_with(case: EstimatorCase) -> None:
    """Check that `partial_fit` alone makes an estimator that answers, held back nothing.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    model = case.make().partial_fit(*case.data())
    assert model.report().held_back == 0, "partial_fit holds records back"
    before = [each.clone() for each in model.network_.parameters()]
    case.ask(model)
    model.partial_fit(*case.data(range(case.records // 2)))
    moved = zip(before, model.network_.parameters(), strict=True)
    assert not all(torch.equal(a, b) for a, b in moved), "the second part changes no weight"


def a_warm_start_goes_on_from_the_weights(case: EstimatorCase) -> None:
    """Check that `fit` begins anew, and from the weights there are with ``warm_start=True``.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    slow, before = _with_rate(case, SLOW), case.fitted()
    warm = case.fitted().set_params(warm_start=True, training=slow).fit(*case.data())
    assert weights_apart(warm, before) < 1e-6, "with warm_start=True fit begins anew"
    same_treatments(warm, before, "with warm_start=True fit learns treatments anew")
    cold = case.fitted().set_params(training=slow).fit(*case.data())
    assert weights_apart(cold, before) > 1e-6, "without warm_start fit goes on from the weights"


def a_callback_sees_each_step_and_can_end_it(case: EstimatorCase) -> None:
    """Check that each callback is called after every step, and that one of them ends the training.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data; it trains for three steps or more.
    """
    seen: list[int] = []
    also: list[float] = []

    def enough(moment: Moment) -> bool:
        seen.append(moment.step)
        return moment.step == 2

    model = case.make().fit(*case.data(), callbacks=[enough, lambda it: also.append(it.loss)])
    assert seen == [1, 2], f"the callback saw steps {seen}, not 1 and 2"
    assert len(model.log_.loss) == 2, "a callback that returns True does not end the training"
    assert also == model.log_.loss, "another callback did not see the losses"


def what_stops_the_training_is_not_learned_from(case: EstimatorCase) -> None:
    """Check that ``validation=`` is what the training is stopped by and scored on, and no more.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    plain = case.make(validation=0.0).fit(*case.data())
    half = case.data(range(case.records // 2))
    model = case.make(validation=0.0).fit(*case.data(), validation=half)
    assert model.log_.validation, "the training never looked at validation="
    assert not plain.log_.validation, "the training looked at records though none were held back"
    assert model.report().held_back == case.records // 2, "report() counts others"
    same_treatments(model, plain, "treatments are learned from validation= too")


def a_record_of_weight_zero_is_left_out(case: EstimatorCase) -> None:
    """Check that weights of 0 leave records out, to the bit, and that all weights alike are none.

    Targets' scales, treatments and network learn from the others alone. Nothing is held back here:
    which records are depends on how many there are.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    number = case.records
    odd = np.arange(number) % 5 != 3
    model = case.make(validation=0.0).fit(*case.data(), sample_weight=odd.astype(float))
    other = case.make(validation=0.0).fit(*case.data(np.flatnonzero(odd).tolist()))
    same_treatments(model, other, "treatments are learned from records of weight 0")
    same_weights(model, other, "records of weight 0 are learned from")
    twice = case.make(validation=0.0).fit(*case.data(), sample_weight=np.full(number, 2.0))
    plain = case.make(validation=0.0).fit(*case.data())
    same_weights(twice, plain, "weights that are all the same change something")


def groups_are_never_parted(case: EstimatorCase) -> None:
    """Check that records of one group are held back together.

    Parameters
    ----------
    case : EstimatorCase
        The estimator and its data.
    """
    groups = np.array([f"group {k // 2}" for k in range(case.records)])
    model, parts = case.make(validation=0.5), list[Any]()
    part = model._parted

    def watched(dataset: Any) -> Any:
        parts.append(part(dataset))
        return parts[-1]

    with mock.patch.object(model, "_parted", watched):
        model.fit(*case.data(), groups=groups)
    ((kept, held),) = parts
    assert held is not None, "nothing was held back of twenty groups"
    assert kept.groups is not None, "groups are not read"
    assert not set(kept.groups) & set(held.groups), "a group is parted"


def _with_rate(case: EstimatorCase, rate: float) -> Training:
    """Give the training of a case another learning rate."""
    training = case.estimator.training or Training(steps=5, progress=False)
    return replace(training, learning_rate=rate)
