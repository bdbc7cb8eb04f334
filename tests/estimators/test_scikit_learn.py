"""scikit-learn's own checks, on tables whose rows are records of one channel."""

import warnings

import pytest
from sklearn.utils.estimator_checks import (
    check_regressors_train,
    estimator_checks_generator,
    parametrize_with_checks,
)

from recurra import Classifier, Regressor, Training
from recurra.errors import DataWarning

FREE = "records may have any length, so columns are steps, and their number may change"
EXCLUDED = {
    "check_n_features_in": FREE,
    "check_n_features_in_after_fitting": FREE,
    "check_estimators_partial_fit_n_features": FREE,
    "check_classifiers_train": FREE + "; that it learns is tested in test_record_estimators.py",
    "check_sample_weight_equivalence_on_dense_data": "training draws batches, and a record that is "
    "there twice is drawn otherwise than one of weight two; one of weight zero is left out",
    "check_dtype_object": "what is no number is refused by a ValueError that says where it is, and "
    "a TypeError is expected",
    "check_estimators_empty_data_messages": "a table without columns is refused as records without "
    "steps, in other words than are expected",
}
"""Checks that are not passed, and why; they are listed in docs/explanation/scikit-learn.rst."""
TOO_SMALL = {"check_regressors_train": "the network is too small here; see the test below"}


def tiny(kind, steps=6, **options):
    options = {"hidden_size": 4, "dropout": 0.0, "input_dropout": 0.0} | options
    training = Training(steps, 32, learning_rate=2e-2, warmup=0, check_every=50, progress=False)
    return kind(training=training, **options)


def excluded(estimator):
    return EXCLUDED | (TOO_SMALL if isinstance(estimator, Regressor) else {})


@parametrize_with_checks(
    [tiny(Classifier), tiny(Regressor)], expected_failed_checks=excluded, xfail_strict=True
)
def test_scikit_learn_finds_an_estimator_of_its_kind(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        check(estimator)


def test_a_network_that_is_not_too_small_explains_what_it_was_trained_on():
    larger = tiny(Regressor, steps=200, hidden_size=32, validation=0.0)
    check_regressors_train("Regressor", larger)


def test_what_is_excluded_is_a_check_and_has_a_reason():
    names = {
        getattr(check, "func", check).__name__
        for kind in (Classifier, Regressor)
        for _, check in estimator_checks_generator(tiny(kind))
    }
    assert {*EXCLUDED, *TOO_SMALL} <= names
    assert all(len(reason.split()) > 5 for reason in EXCLUDED.values())


@pytest.mark.parametrize("kind", [Classifier, Regressor])
def test_tags_say_what_is_taken(kind):
    tags = kind().__sklearn_tags__()
    assert tags.input_tags.three_d_array
    assert tags.input_tags.two_d_array
    assert tags.input_tags.allow_nan
    assert not tags.input_tags.sparse
    assert tags.target_tags.required
    assert tags.target_tags.multi_output
