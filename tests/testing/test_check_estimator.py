"""Every law of an estimator is broken once, and seen to be; a whole one passes them all."""

import numpy as np
import pytest
import torch

from recurra import Regressor, Training
from recurra.errors import DataError, OptionError
from recurra.testing import ESTIMATOR_LAWS, EstimatorCase, check_estimator
from recurra.testing.answers import apart, count, pick

RECORDS = 40
random = np.random.default_rng(0)
X = [random.normal(size=(1 + k % 5, 2)) for k in range(RECORDS)]
Y = [float(record.sum()) for record in X]


class Converts(Regressor):
    def __setattr__(self, name, value):
        super().__setattr__(name, [value] if name == "pooling" else value)


class ReturnsNothing(Regressor):
    def fit(self, *data, **how):
        super().fit(*data, **how)


class WritesIntoData(Regressor):
    def predict(self, X, **how):
        if isinstance(X, list):
            X[0][0] += 1
        return super().predict(X, **how)


class DrawsElsewhere(Regressor):
    def _ready(self, kept):
        self._chance = np.random.random()  # noqa: NPY002
        return super()._ready(kept)


class CountsThreads(Regressor):
    def _network(self, treated):
        network = super()._network(treated)
        with torch.no_grad():
            next(network.parameters()).mul_(torch.get_num_threads())
        return network


class KeepsHalf(Regressor):
    def _safely(self, learn, *data, rounds):
        learn(*data, rounds=rounds)
        return self


class BeginsAnew(Regressor):
    def partial_fit(self, X, y=None, **how):
        return self.fit(X, y, **how)


class NeverWarm(Regressor):
    def fit(self, *data, **how):
        self.__dict__.pop("network_", None)
        return super().fit(*data, **how)


class CallsNobody(Regressor):
    def fit(self, *data, callbacks=(), **how):
        return super().fit(*data, **how)


class LearnsFromAll(Regressor):
    def fit(self, X, y=None, *, validation=None, **how):
        return super().fit(X, y, **how)


class WeighsNothing(Regressor):
    def fit(self, *data, sample_weight=None, **how):
        return super().fit(*data, **how)


class PartsGroups(Regressor):
    def fit(self, *data, groups=None, **how):
        return super().fit(*data, **how)


class AnswersUnfitted(Regressor):
    def _check_fitted(self):
        pass


class LooksAround(Regressor):
    def predict(self, X, **how):
        return super().predict(X, **how) + len(X)


class Sorts(Regressor):
    def predict(self, X, **how):
        return np.sort(super().predict(X, **how))


class Forgets(Regressor):
    def _restore_state(self, state):
        super()._restore_state(state)
        self._centre = self._centre + 1e-9


class CopiesOtherwise(Regressor):
    def __getstate__(self):
        state = super().__getstate__()
        return {**state, "_centre": state["_centre"] + 1} if "_centre" in state else state


class Boasts(Regressor):
    def _baseline(self, kept, part):
        return []


class StreamsOtherwise(Regressor):
    def _said(self, raw):
        return super()._said(raw) + 1e-4


class TakesAnything(Regressor):
    def fit(self, *data, **how):
        try:
            return super().fit(*data, **how)
        except DataError:
            return self


class MindsTheEmpty(Regressor):
    def predict(self, X, **how):
        empty = isinstance(X, list) and any(not len(record) for record in X)
        return super().predict(X, **how) + empty


class LosesAnswers(Regressor):
    def predict(self, X, **how):
        said = super().predict(X, **how)
        if isinstance(X, list):
            said[[bool(np.isnan(record).any()) for record in X]] = np.nan
        return said


BROKEN = {
    "the_constructor_only_stores": Converts,
    "fit_returns_itself_and_keeps_its_options": ReturnsNothing,
    "learning_changes_no_data": WritesIntoData,
    "the_same_seed_gives_the_same_bits": DrawsElsewhere,
    "the_number_of_threads_changes_no_bit": CountsThreads,
    "a_failed_fit_leaves_what_was_learned": KeepsHalf,
    "one_part_more_changes_the_weights_alone": BeginsAnew,
    "a_first_part_is_enough_to_begin_with": BeginsAnew,
    "a_warm_start_goes_on_from_the_weights": NeverWarm,
    "a_callback_sees_each_step_and_can_end_it": CallsNobody,
    "what_stops_the_training_is_not_learned_from": LearnsFromAll,
    "a_record_of_weight_zero_is_left_out": WeighsNothing,
    "groups_are_never_parted": PartsGroups,
    "nothing_is_answered_before_learning": AnswersUnfitted,
    "a_record_is_answered_alone_as_among_others": LooksAround,
    "records_may_come_in_any_order": Sorts,
    "a_saved_one_answers_to_the_bit": Forgets,
    "a_copy_and_a_pickle_answer_the_same": CopiesOtherwise,
    "the_report_has_a_simple_model_beside_it": Boasts,
    "going_step_by_step_is_the_same_as_reading": StreamsOtherwise,
    "wrong_data_are_refused_with_advice": TakesAnything,
    "what_has_no_steps_is_told": MindsTheEmpty,
    "what_is_missing_or_infinite_is_told": LosesAnswers,
}


def tiny(kind=Regressor):
    training = Training(4, 16, warmup=0, check_every=2, progress=False)
    return kind(hidden_size=4, validation=0.25, training=training)


def follow(model, records):
    session = model.stream()
    streamed = [session.step(row) for row in records[0]]
    return streamed[-1], np.atleast_1d(model.predict(records)[0])


def test_a_whole_estimator_keeps_every_law():
    check_estimator(tiny(), X, Y, follow=follow)


def test_every_law_is_broken_once():
    assert list(BROKEN) == [law.__name__ for law in ESTIMATOR_LAWS]


@pytest.mark.parametrize("law", ESTIMATOR_LAWS, ids=lambda law: law.__name__)
def test_a_breach_is_seen(law):
    data = [record.copy() for record in X]
    case = EstimatorCase(tiny(BROKEN[law.__name__]), data, Y, follow=follow)
    with pytest.raises(AssertionError):
        law(case)


def test_a_breach_is_told_with_the_law_and_the_class():
    said = "^Boasts: the report has a simple model beside it: the report has no simple model"
    others = [law.__name__ for law in ESTIMATOR_LAWS if "report" not in law.__name__]
    but = dict.fromkeys(others, "it is not looked at here")
    with pytest.raises(AssertionError, match=said):
        check_estimator(tiny(Boasts), X, Y, without=but)


def test_a_law_that_does_not_exist_cannot_be_left_out():
    with pytest.raises(OptionError, match="Did you mean 'groups_are_never_parted'"):
        check_estimator(tiny(), X, Y, without={"groups_are_parted": "we like it so"})


def test_what_is_no_estimator_is_refused():
    with pytest.raises(OptionError, match="a dict came"):
        check_estimator({}, X, Y)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        (["a", "b"], ["a", "b"], 0.0),
        (["a", "b"], ["a", "c"], float("inf")),
        (np.array([1, 2]), np.array([1, 3]), float("inf")),
        (np.array([0.0, np.nan]), np.array([0.0, np.nan]), 0.0),
        (np.array([0.0, np.nan]), np.array([0.0, 1.0]), float("inf")),
        (np.array([10.0]), np.array([11.0]), 1 / 11),
        ({"a": [1.0]}, {"b": [1.0]}, float("inf")),
        ([np.zeros(2), np.zeros(3)], [np.zeros(2), np.zeros(4)], float("inf")),
        (np.array(["a", None], object), np.array(["a", None], object), 0.0),
        (np.array([np.inf]), np.array([np.inf]), 0.0),
    ],
)
def test_answers_of_any_form_are_compared(one, other, distance):
    assert apart(one, other) == pytest.approx(distance)


def test_records_are_picked_as_they_came():
    assert pick(None, [0]) is None
    assert pick([5, 6, 7], [2, 0]) == [7, 5]
    assert count({"a": [1, 2]}) == 2
