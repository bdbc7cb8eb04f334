import pytest

from recurra.data import Columns
from recurra.errors import OptionError


def test_a_column_plays_one_role_only():
    with pytest.raises(OptionError, match="Column 'price' has 2 roles"):
        Columns(past=["price"], future=["price"])


def test_one_name_instead_of_a_list_is_refused_with_the_right_spelling():
    with pytest.raises(OptionError, match=r"Use past=\['price'\]"):
        Columns(past="price")


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_column_name_is_text(name):
    with pytest.raises(OptionError, match="A column name is text"):
        Columns(target=name)


def test_lists_become_tuples_so_that_columns_can_be_compared_and_hashed():
    assert hash(Columns(static=["a", "b"])) == hash(Columns(static=("a", "b")))
