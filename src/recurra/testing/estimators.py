"""The laws of an estimator, each a function that raises if an estimator breaks it.

An estimator here is any subclass of `Learner` (`recurra.estimators.learning`): it is constructed by
options alone, learns with ``fit`` and ``partial_fit``, answers, reports, is saved and streamed.
Each law takes an `EstimatorCase`: the estimator, and tiny data.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from recurra.errors import DataWarning, OptionError, near
from recurra.testing import answering, learning
from recurra.testing.estimator_case import EstimatorCase

__all__ = ["ESTIMATOR_LAWS", "check_estimator"]

Law = Callable[[EstimatorCase], None]

ESTIMATOR_LAWS: tuple[Law, ...] = (
    learning.the_constructor_only_stores,
    learning.fit_returns_itself_and_keeps_its_options,
    learning.learning_changes_no_data,
    learning.the_same_seed_gives_the_same_bits,
    learning.the_number_of_threads_changes_no_bit,
    learning.a_failed_fit_leaves_what_was_learned,
    learning.one_part_more_changes_the_weights_alone,
    learning.a_first_part_is_enough_to_begin_with,
    learning.a_warm_start_goes_on_from_the_weights,
    learning.a_callback_sees_each_step_and_can_end_it,
    learning.what_stops_the_training_is_not_learned_from,
    learning.a_record_of_weight_zero_is_left_out,
    learning.groups_are_never_parted,
    answering.nothing_is_answered_before_learning,
    answering.a_record_is_answered_alone_as_among_others,
    answering.records_may_come_in_any_order,
    answering.a_saved_one_answers_to_the_bit,
    answering.a_copy_and_a_pickle_answer_the_same,
    answering.the_report_has_a_simple_model_beside_it,
    answering.going_step_by_step_is_the_same_as_reading,
    answering.wrong_data_are_refused_with_advice,
    answering.what_has_no_steps_is_told,
    answering.what_is_missing_or_infinite_is_told,
)
"""Every law of an estimator."""


def check_estimator(estimator: Any, X: Any, y: Any = None, **more: Any) -> None:
    """Check every law of an estimator on tiny data.

    Parameters
    ----------
    estimator : Learner
        Not fitted; tiny, and trained in few steps, three or more: it is fitted some forty times.
    X : SequenceDataset, list, ndarray, or dict of str to these
        Forty records or more, of unequal lengths.
    y : list, ndarray or dict of str to these, optional
        What is to be learnt.
    **more
        Further fields of `EstimatorCase`: which methods answer, data that are wrong, and
        ``without``, the laws that do not apply and why.

    Raises
    ------
    AssertionError
        With the law that does not hold, and how.
    OptionError
        If `without` names no law.

    Examples
    --------
    >>> from recurra import Regressor, Training
    >>> X = [[k / 3, 1.0, float(k % 5)][: 1 + k % 3] for k in range(40)]
    >>> tiny = Regressor(hidden_size=2, training=Training(steps=3, check_every=2), validation=0.0)
    >>> reason = "said here to be quick"
    >>> but = {law.__name__: reason for law in ESTIMATOR_LAWS[1:]}
    >>> check_estimator(tiny, X, [sum(x) for x in X], without=but)
    """
    case = EstimatorCase(estimator, X, y, **more)
    names = [law.__name__ for law in ESTIMATOR_LAWS]
    for name in case.without:
        if name not in names:
            raise OptionError(f"There is no law {name!r} to go without. {near(name, names)}")
    for law in ESTIMATOR_LAWS:
        if law.__name__ in case.without:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)
                law(case)
        except AssertionError as error:
            said = law.__name__.replace("_", " ")
            raise AssertionError(f"{type(estimator).__name__}: {said}: {error}") from error
