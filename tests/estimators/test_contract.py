"""The laws of estimators, over every class that learns from records."""

import warnings
from functools import lru_cache

import pytest

from recurra.errors import DataWarning
from recurra.estimators.learner import Learner
from recurra.estimators.loading import CLASSES
from recurra.testing.estimator_cases import CASES
from recurra.testing.estimators import ESTIMATOR_LAWS

KNOWN = sorted(name for name, kind in CLASSES.items() if issubclass(kind, Learner))
LAWS = {law.__name__: law for law in ESTIMATOR_LAWS}


@lru_cache
def case_of(name):
    """A case is fitted once, and each law gets a copy."""
    return CASES[name]()


def test_every_estimator_has_a_case():
    assert sorted(CASES) == KNOWN


@pytest.mark.parametrize("name", sorted(CASES))
def test_what_is_excepted_is_a_law_and_has_a_reason(name):
    without = case_of(name).without
    assert set(without) <= set(LAWS)
    assert all(len(reason.split()) > 3 for reason in without.values())


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("name", sorted(CASES))
def test_an_estimator_keeps_the_law(name, law):
    case = case_of(name)
    if law in case.without:
        pytest.skip(case.without[law])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        LAWS[law](case)
