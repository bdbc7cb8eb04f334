"""Edits of transcripts are counted over the whole corpus."""

import builtins
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.errors import DataError, MissingExtraError, OptionError
from recurra.metrics import character_error_rate, count_edits, word_error_rate
from recurra.metrics.speech import Edits, edit_distance

pytest.importorskip("jiwer")


def test_edits_are_added_up_over_all_transcripts_not_averaged():
    assert word_error_rate(["a", "b c d e"], ["x", "b c d e"]) == pytest.approx(1 / 5)
    assert character_error_rate(["ab", "cdef"], ["b", "cdxf"]) == pytest.approx(2 / 6)


def test_each_kind_of_edit_is_counted():
    assert count_edits(["a b c d"], ["a x c"]) == Edits(2, 1, 1, 0)
    assert count_edits(["a b"], ["a b c"]) == Edits(2, 0, 0, 1)
    assert count_edits(["ab"], ["ba"], unit="char").rate == 1.0


def test_what_is_said_where_nothing_was_counts_as_insertions():
    assert word_error_rate(["yes no", ""], ["yes no", "no no"]) == 1.0


def test_too_much_gives_a_rate_above_one():
    assert word_error_rate(["a"], ["x y z"]) == 3.0


def test_a_truth_without_words_has_no_rate():
    with pytest.raises(DataError, match="no words"):
        word_error_rate(["", " "], ["a", ""])
    with pytest.raises(DataError, match="no words"):
        word_error_rate([], [])


def test_a_different_number_of_transcripts_is_refused():
    with pytest.raises(DataError, match="2 true transcripts, but 1"):
        word_error_rate(["a", "b"], ["a"])


def test_what_is_no_text_is_refused_by_row():
    with pytest.raises(DataError, match=r"NoneType came .*row 1.*Leave such records out"):
        word_error_rate(["a", None], ["a", "b"])
    with pytest.raises(OptionError, match=r"Write \[text\]"):
        word_error_rate("a", ["a"])
    with pytest.raises(OptionError, match="'word' or 'char'"):
        count_edits(["a"], ["a"], unit="phone")


def test_without_jiwer_it_is_said_how_to_install_it(monkeypatch):
    real = builtins.__import__
    monkeypatch.delitem(sys.modules, "jiwer")

    def missing(name, *rest):
        if name == "jiwer":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    monkeypatch.setattr("recurra.errors.import_module", missing)
    with pytest.raises(MissingExtraError, match=r"recurra\[audio\]"):
        word_error_rate(["a"], ["a"])


@given(one=st.text("ab c", max_size=12), other=st.text("abd ", max_size=12))
def test_the_distance_is_that_of_the_edits(one, other):
    words, others = one.split(), other.split()
    told = count_edits([" ".join(words)], [" ".join(others)])
    changes = told.substitutions + told.deletions + told.insertions
    assert edit_distance(words, others) == edit_distance(others, words) == changes
