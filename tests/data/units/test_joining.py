"""Tokens become text again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.data.units import Joiner, join, spaced_words

TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=30)


@given(TEXTS)
def test_letters_and_bytes_come_back_as_they_were(text):
    assert join(text, "char") == text
    assert join(text.encode(), "byte") == text


@given(TEXTS)
def test_a_joiner_hands_out_whole_letters_only(text):
    joiner = Joiner("byte")
    pieces = [joiner.add(byte) for byte in text.encode()]
    assert "".join(pieces) == text
    assert {len(piece) for piece in pieces} <= {0, 1}
    assert joiner.end() == ""


def test_bytes_that_are_no_text_become_a_mark():
    assert join([0xE5, 0x8C], "byte") == "\ufffd"
    assert join([0xFF, 65], "byte") == "\ufffdA"


@pytest.mark.parametrize(
    "text",
    ["To be, or not (to be)?\nYes!", "北京很好。\n你好!", "don't stop", "GPU 很快 and small"],
)
def test_words_come_back_with_the_spaces_that_belong_between_them(text):
    spaced = text.replace("GPU 很快 and", "GPU很快and")
    assert join(spaced_words().findall(text), "word") == spaced


def test_an_unknown_token_is_shown_as_such():
    assert join(["a", None], "char") == "a\ufffd"
    assert join(["a", None, "b"], "word") == "a \ufffd b"


def test_a_joiner_knows_what_stood_before():
    assert Joiner("word", ["To"]).add("be") == " be"
    assert Joiner("word", ["line", "\n"]).add("be") == "be"
    assert Joiner("byte", [0xE5, 0x8C]).add(0x97) == "北"
