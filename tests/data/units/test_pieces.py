"""Pieces of words."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.data.units import join, learn_pieces, part_into_pieces
from recurra.errors import MissingExtraError

pytest.importorskip("tokenizers")

LEARNED = learn_pieces(["low lower lowest\nlow lower", "北京 北京 北京"], 280)
TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=30)


@given(TEXTS)
def test_any_text_is_parted_and_comes_back(text):
    (pieces,) = part_into_pieces([text], LEARNED)
    assert join(pieces, "subword") == text


def test_what_is_frequent_is_one_piece():
    assert part_into_pieces(["low", "北京", "xyz"], LEARNED)[0] == ["low"]
    assert len(part_into_pieces(["北京"], LEARNED)[0]) < 6
    assert part_into_pieces(["xyz"], LEARNED)[0] == ["x", "y", "z"]


def test_the_same_text_teaches_the_same_pieces():
    text = ["to be or not to be, that is the question"]
    assert learn_pieces(text, 300) == learn_pieces(text, 300)


def test_a_missing_library_is_said_with_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingExtraError, match=r"recurra\[text\]"):
        learn_pieces(["low"], 300)
