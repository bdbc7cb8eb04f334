"""The laws of estimators, over every class that learns from records."""

import warnings
from functools import lru_cache

import pytest

from recurra.errors import DataWarning
from recurra.estimators.learning.learner import Learner
from recurra.estimators.loading import CLASSES
from recurra.testing import answering, learning
from recurra.testing.estimator_cases import CASES
from recurra.testing.estimator_variants import VARIANTS
from recurra.testing.estimators import ESTIMATOR_LAWS

KNOWN = sorted(name for name, kind in CLASSES.items() if issubclass(kind, Learner))
LAWS = {law.__name__: law for law in ESTIMATOR_LAWS}
OF_VARIANTS = (
    *answering.__all__,
    learning.the_same_seed_gives_the_same_bits.__name__,
    learning.a_record_of_weight_zero_is_left_out.__name__,
)
"""Laws that options and data may break, rather than the class."""


@lru_cache
def case_of(name):
    """A case is fitted once, and each law gets a copy."""
    return {**CASES, **VARIANTS}[name]()


def test_every_estimator_has_a_case():
    assert sorted(CASES) == KNOWN


@pytest.mark.parametrize("name", [*CASES, *VARIANTS])
def test_what_is_excepted_is_a_law_and_has_a_reason(name):
    without = case_of(name).without
    assert set(without) <= set(LAWS)
    assert all(len(reason.split()) > 3 for reason in without.values())


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("name", CASES)
def test_an_estimator_keeps_the_law(name, law):
    check(name, law)


@pytest.mark.parametrize("law", OF_VARIANTS)
@pytest.mark.parametrize("name", VARIANTS)
def test_an_estimator_with_other_options_and_data_keeps_the_law(name, law):
    check(name, law)


def check(name, law):
    """Check a law, unless a reason is given why it does not apply."""
    case = case_of(name)
    if law in case.without:
        pytest.skip(case.without[law])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        LAWS[law](case)
