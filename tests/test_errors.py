"""Helpers that raise: what is no count is refused, with what was expected."""

import numpy as np
import pytest

from recurra.errors import OptionError, check_count


@pytest.mark.parametrize("value", [0, -1, 1.5, 2.0, "2", True, None, float("nan"), [2]])
def test_what_is_no_count_is_refused(value):
    with pytest.raises(OptionError) as caught:
        check_count("workers", value)
    assert str(caught.value) == f"workers={value!r}, but it must be an int of at least 1."


@pytest.mark.parametrize("value", [7, np.int64(7), np.uint8(7)])
def test_a_count_comes_back_as_an_int_of_python(value):
    found = check_count("steps", value)
    assert found == 7
    assert type(found) is int


def test_the_least_may_be_another():
    assert check_count("warmup", 0, least=0) == 0
    with pytest.raises(OptionError, match=r"^folds=1, but it must be an int of at least 2\.$"):
        check_count("folds", 1, least=2)


def test_none_is_taken_only_where_it_has_a_meaning():
    assert check_count("patience", None, optional=True) is None
    with pytest.raises(OptionError, match=r"^patience=0, but .* of at least 1 or None\.$"):
        check_count("patience", 0, optional=True)
