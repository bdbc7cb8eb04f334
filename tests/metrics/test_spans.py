"""Spans: the rules of conlleval, golden figures, labels that are unknown or none."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.errors import DataError, ShapeError
from recurra.metrics import is_bio, span_scores, spans_of, token_accuracy

LABELS = ["O", "B-X", "I-X", "B-Y", "I-Y"]


def as_conlleval(labels):
    """Spans by the two tables of conlleval: where a chunk ends, and where one starts."""
    found, start = [], None
    before, before_kind = "O", ""
    for step, label in enumerate([*labels, "O"]):
        mark, _, kind = label.partition("-")
        ends = (before, mark) in {("B", "B"), ("B", "O"), ("I", "B"), ("I", "O")}
        ends |= before != "O" and before_kind != kind
        starts = (before, mark) in {("B", "B"), ("I", "B"), ("O", "B"), ("O", "I")}
        starts |= mark != "O" and before_kind != kind
        if ends and start is not None:
            found.append((start, step, before_kind))
            start = None
        if starts:
            start = step
        before, before_kind = mark, kind
    return found


@given(st.lists(st.sampled_from(LABELS), max_size=12))
def test_broken_sequences_are_read_as_conlleval_reads_them(labels):
    assert spans_of(labels) == as_conlleval(labels)


def test_an_inside_without_a_beginning_begins_a_span():
    assert spans_of(["O", "I-X", "I-X", "I-Y"]) == [(1, 3, "X"), (3, 4, "Y")]


def test_a_beginning_parts_two_spans_of_one_kind():
    assert spans_of(["B-X", "B-X", "I-X"]) == [(0, 1, "X"), (1, 3, "X")]


def test_bare_marks_have_a_kind_without_a_name():
    assert spans_of(["B", "I", "O", "B"]) == [(0, 2, ""), (3, 4, "")]


def test_a_kind_may_have_a_dash_of_its_own():
    assert spans_of(["B-part-time", "I-part-time"]) == [(0, 2, "part-time")]


def test_no_labels_have_no_spans():
    assert spans_of([]) == []


def test_scores_are_those_of_the_example_that_seqeval_shows():
    actual = [["O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]]
    foretold = [["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]]
    score = span_scores(actual, foretold)
    assert list(score) == ["all", "MISC", "PER"]
    assert score["all"][:3] == (0.5, 0.5, 0.5)
    assert score["MISC"][:3] == (0.0, 0.0, 0.0)
    assert score["PER"] == (1.0, 1.0, 1.0, 1, 1, 1)


def test_the_micro_average_counts_spans_and_not_kinds():
    actual = [["B-X", "B-X", "B-X", "B-Y"]]
    foretold = [["B-X", "B-X", "B-X", "O"]]
    score = span_scores(actual, foretold)["all"]
    assert (score.precision, score.recall) == (1.0, 0.75)
    assert score.f1 == pytest.approx(6 / 7)


def test_shares_of_nothing_are_no_numbers():
    score = span_scores([["O"]], [["B-X"]])
    assert math.isnan(score["all"].recall)
    assert score["all"].precision == score["all"].f1 == 0
    assert math.isnan(span_scores([[]], [[]])["all"].f1)


@pytest.mark.parametrize("unknown", [None, float("nan"), np.nan])
def test_spans_at_unknown_steps_are_not_counted(unknown):
    actual = [["B-X", "I-X", unknown, "O", "B-Y"]]
    foretold = [["B-X", "I-X", "I-X", "B-X", "B-Y"]]
    score = span_scores(actual, foretold)
    assert score["all"] == score["Y"] == (1.0, 1.0, 1.0, 1, 1, 1)


def test_a_label_that_is_none_of_a_span_is_refused_with_its_place():
    with pytest.raises(DataError, match=r"O, B-kind or I-kind.*row 1, value 'NOUN'"):
        spans_of(["O", "NOUN"])
    with pytest.raises(DataError, match="series 1, row 0, value 'E-X'"):
        span_scores([["O"], ["B-X"]], [["O"], ["E-X"]])


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["O", "B-PER", "I-PER"], True),
        (["B", "I", "O"], True),
        (["O"], False),
        (["B-", "O"], False),
        (["O", "E-PER", "B-PER"], False),
        (["NOUN", "O", "B"], False),
        ([0, 1], False),
        ([], False),
    ],
)
def test_labels_of_spans_are_known_by_their_form(labels, said):
    assert is_bio(labels) is said


def test_accuracy_leaves_out_what_is_unknown():
    assert token_accuracy([["a", None, "b"], []], [["a", "a", "a"], []]) == 0.5
    assert token_accuracy([np.array([1.0, np.nan])], [np.array([1, 2])]) == 1.0
    assert math.isnan(token_accuracy([[None]], [["a"]]))


def test_records_that_do_not_go_together_are_refused():
    with pytest.raises(ShapeError, match="Record 1 has 1 labels, but 2 were foretold"):
        token_accuracy([["a"], ["a"]], [["a"], ["a", "b"]])
    with pytest.raises(ShapeError, match="There are 1 records, but answers for 0"):
        span_scores([["O"]], [])
