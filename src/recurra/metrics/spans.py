"""Spans in sequences of labels (B-PER I-PER O), and how many of them were found.

A label is O, outside of any span, or B or I, the beginning or the inside of one, with a dash and
the kind of the span: ``B-PER``. A bare ``B`` or ``I`` is of the kind ``""``. Broken sequences are
read as ``conlleval`` of the CoNLL shared tasks does: an I that follows O, or a span of another
kind, begins a span. That also reads IOB1, where B stands only between two spans of one kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from recurra.errors import DataError, ShapeError
from recurra.types import Array

__all__ = ["Span", "SpanScore", "is_bio", "span_scores", "spans_of", "token_accuracy"]

Labels = Sequence[Any] | Array
EVERY = "all"
"""The name of all kinds together."""


class Span(NamedTuple):
    """Some steps in a row that belong together.

    Parameters
    ----------
    start, stop : int
        Its first step, and the step after its last.
    kind : str
        What it is.
    """

    start: int
    stop: int
    kind: str


class SpanScore(NamedTuple):
    """How many spans were found.

    Parameters
    ----------
    precision : float
        Share of the foretold spans that are right; NaN where none was foretold.
    recall : float
        Share of the actual spans that were found; NaN where there is none.
    f1 : float
        Their harmonic mean, ``2 · right / (actual + foretold)``; NaN where there are neither.
    actual, foretold, right : int
        How many spans there are, were foretold, and were foretold rightly: with the same beginning,
        end and kind.
    """

    precision: float
    recall: float
    f1: float
    actual: int
    foretold: int
    right: int


def is_bio(labels: Iterable[object]) -> bool:
    """Say whether labels are those of spans.

    Parameters
    ----------
    labels : iterable
        The labels there are.

    Returns
    -------
    bool
        True if each is O, B, I or these with a kind, one of them at least B or I.

    Examples
    --------
    >>> is_bio(["O", "B-PER", "I-PER"]), is_bio(["NOUN", "VERB"])
    (True, False)
    """
    parted = [_parted(label) for label in labels]
    return None not in parted and any(mark != "O" for mark, _ in filter(None, parted))


def spans_of(labels: Iterable[object]) -> list[Span]:
    """Read the spans of one record.

    Parameters
    ----------
    labels : iterable of str
        One for each step; None, where it is unknown, ends a span as O does.

    Returns
    -------
    list of Span
        In their order.

    Raises
    ------
    DataError
        If a label is none of O, B, I, B-kind and I-kind; it says at which step.

    Examples
    --------
    >>> spans_of(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"])
    [Span(start=0, stop=2, kind='PER'), Span(start=3, stop=4, kind='LOC'),
     Span(start=4, stop=5, kind='LOC')]
    """
    spans: list[Span] = []
    start, now = 0, None
    step = -1
    for step, label in enumerate(labels):
        parted = ("O", "") if _unknown(label) else _parted(label)
        if parted is None:
            raise _no_label(label, step)
        mark, kind = parted
        goes_on = mark == "I" and kind == now
        if now is not None and not goes_on:
            spans.append(Span(start, step, now))
        if not goes_on:
            start, now = step, None if mark == "O" else kind
    if now is not None:
        spans.append(Span(start, step + 1, now))
    return spans


def span_scores(actual: Sequence[Labels], foretold: Sequence[Labels]) -> dict[str, SpanScore]:
    """Count the spans that were found, of each kind and of all.

    A span is right if its first step, its last step and its kind are. The numbers are those that
    ``conlleval`` prints, as shares. Where the actual label of a step is unknown (None or NaN),
    nobody can say what is right: spans, actual or foretold, that hold such a step or stand next to
    one are not counted.

    Parameters
    ----------
    actual, foretold : sequence of sequences of str, one for each record
        The labels of each step.

    Returns
    -------
    dict of str to SpanScore
        ``"all"``, the micro average, then each kind, sorted.

    Raises
    ------
    ShapeError
        If the records differ in number or length.
    DataError
        If a label is none of a span, with its record and step.

    Examples
    --------
    >>> score = span_scores([["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "I-PER", "O", "B-ORG"]])
    >>> score["all"].f1, score["PER"].f1
    (0.5, 1.0)
    """
    _check_alike(actual, foretold)
    there, said, right = Counter[str](), Counter[str](), Counter[str]()
    for record, (truth, guess) in enumerate(zip(actual, foretold, strict=True)):
        unknown = [step for step, label in enumerate(truth) if _unknown(label)]
        kept, told = (
            {span for span in _read(labels, record) if not _beside(span, unknown)}
            for labels in (truth, guess)
        )
        for count, spans in ((there, kept), (said, told), (right, kept & told)):
            count.update(span.kind for span in spans)
    found = {EVERY: _score(there.total(), said.total(), right.total())}
    for kind in sorted({*there, *said}):
        found[kind] = _score(there[kind], said[kind], right[kind])
    return found


def token_accuracy(actual: Sequence[Labels], foretold: Sequence[Labels]) -> float:
    """Return the share of steps whose label is right.

    Parameters
    ----------
    actual, foretold : sequence of sequences, one for each record
        The labels of each step; an actual one that is None or NaN is unknown and not counted.

    Returns
    -------
    float
        From 0 to 1; NaN where no label is known.

    Raises
    ------
    ShapeError
        If the records differ in number or length.

    Examples
    --------
    >>> token_accuracy([["DET", "NOUN"], ["VERB", None]], [["DET", "VERB"], ["VERB", "X"]])
    0.6666666666666666
    """
    _check_alike(actual, foretold)
    pairs = zip(actual, foretold, strict=True)
    right = [
        bool(want == have)
        for truth, guess in pairs
        for want, have in zip(truth, guess, strict=True)
        if not _unknown(want)
    ]
    return sum(right) / len(right) if right else float("nan")


def _parted(label: object) -> tuple[str, str] | None:
    """Part a label into its mark and its kind; None if it is none of a span."""
    if not isinstance(label, str):
        return None
    mark, dash, kind = label.partition("-")
    if mark not in ("B", "I", "O") or (dash and (mark == "O" or not kind)):
        return None
    return mark, kind


def _unknown(label: object) -> bool:
    return label is None or bool(label != label)  # NaN is like nothing, not even itself


def _no_label(label: object, step: int, record: int | None = None) -> DataError:
    return DataError(
        "A label of spans is O, B-kind or I-kind, but this is none",
        code="no_span_label",
        record=record,
        row=step,
        value=label,
        hint="Spans are read of BIO labels only.",
    )


def _read(labels: Labels, record: int) -> list[Span]:
    """Read the spans of a record, and name it where it is wrong."""
    try:
        return spans_of(labels)
    except DataError as error:
        raise _no_label(error.value, error.row or 0, record) from None


def _beside(span: Span, steps: list[int]) -> bool:
    """Say whether a span holds one of some steps, or stands next to it."""
    return any(span.start - 1 <= step <= span.stop for step in steps)


def _score(actual: int, foretold: int, right: int) -> SpanScore:
    """Make shares of counts."""
    nan = float("nan")
    return SpanScore(
        right / foretold if foretold else nan,
        right / actual if actual else nan,
        2 * right / (actual + foretold) if actual + foretold else nan,
        actual,
        foretold,
        right,
    )


def _check_alike(actual: Sequence[Labels], foretold: Sequence[Labels]) -> None:
    """Refuse records that do not go together."""
    if len(actual) != len(foretold):
        message = f"There are {len(actual)} records, but answers for {len(foretold)}"
        raise ShapeError(f"{message}. Give one for each, in the same order.")
    for record, (truth, guess) in enumerate(zip(actual, foretold, strict=True)):
        if len(truth) != len(guess):
            message = f"Record {record} has {len(truth)} labels, but {len(guess)} were foretold"
            raise ShapeError(f"{message}. Give one for each step.")
