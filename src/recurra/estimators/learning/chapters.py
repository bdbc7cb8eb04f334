"""The chapters of a page about a fitted estimator."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.auditing.phrases import number, percent, plural, quoted
from recurra.auditing.tables import Table
from recurra.data import SequenceDataset
from recurra.errors import DataError, DataWarning, OptionError
from recurra.estimators.chapters import (
    counted,
    data_chapter,
    explained_parts,
    health_chapter,
    importance_chapter,
    state_of,
    training_chapter,
)
from recurra.estimators.learning.diagnosed import spread
from recurra.estimators.learning.record_batches import sampled
from recurra.estimators.learning.report import Report, Score, beside
from recurra.reporting import (
    Folded,
    Part,
    Picture,
    Section,
    as_page,
)

if TYPE_CHECKING:
    from recurra.auditing import Audit
    from recurra.diagnosing import Diagnosis
    from recurra.estimators.learning.shown import Sure

__all__ = ["page_of"]

AUDITED, EXCHANGED, REPEATS = 2000, 300, 3  # records looked at; how often each input is exchanged


def page_of(model: Any, X: Any, y: Any, how: Mapping[str, Any]) -> str:
    """Write all that can be told of an estimator.

    Parameters
    ----------
    model : Learner
        It is fitted.
    X, y, how
        Records and what is known of them, as for `Learner.report`; None for none.

    Returns
    -------
    str
        HTML.
    """
    report: Report = model._report
    name = type(model).__name__
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # the audit says it
        given = None if X is None else _Given.of(model, X, y, how)
        chapters = [] if given is None else [data_chapter(given.audit)]
        chapters += [_training(model, report), _scores(report, given)]
        if given is not None:
            chapters += [each for each in (_calibration(given),) if each is not None]
            chapters += [_importance(given), _explanations(given), health_chapter(given.diagnosis)]
    return as_page(f"Report on a {name}", [*_lead(model, report, given)], chapters)


@dataclass(frozen=True)
class _Given:
    """Records, and what comes of looking at them."""

    model: Any
    read: SequenceDataset
    dataset: SequenceDataset

    @classmethod
    def of(cls, model: Any, X: Any, y: Any, how: Mapping[str, Any]) -> _Given:
        source = sampled(X, model.seed)
        read = model._read(source, y, **how)
        return cls(model, read, model._read_again(read))

    @cached_property
    def audit(self) -> Audit:
        from recurra import auditing

        most = AUDITED if len(self.read) > AUDITED else None
        return auditing.audit(self.read, most_records=most, progress=False)

    @cached_property
    def scores(self) -> tuple[Score, ...]:
        return tuple(self.model._scores(self.dataset))

    @cached_property
    def diagnosis(self) -> Diagnosis:
        found: Diagnosis = self.model.diagnose(self.dataset)
        return found


def _lead(model: Any, report: Report, given: _Given | None) -> list[tuple[str, str]]:
    """Say what matters most."""
    took = f"in {plural(report.steps, 'step')} ({report.seconds:.1f} s)"
    found = [("Learned from", f"{plural(report.records, 'record')} {took}")]
    weights = sum(each.numel() for each in model.network_.parameters())
    found.append(("Network", f"{plural(weights, 'weight')}"))
    if report.scores:
        found.append(("Beside a simple model", _beside(report)))
    if given is not None:
        audit, diagnosis = given.audit, given.diagnosis
        if given.scores:
            one = given.scores[0]
            on = plural(len(given.dataset), "record")
            found.append(("On the records given", f"{one.measure} {number(one.value)} on {on}"))
        found.append(("Data", counted(audit)))
        found.append(("Health", state_of(diagnosis)))
    return found


def _where(report: Report) -> str:
    if report.held_back:
        return f"on {plural(report.held_back, 'record')} held back"
    return "on the records learned from, which flatters"


def _beside(report: Report) -> str:
    """Compare the first score with the best of the simple models."""
    own, *others = report.scores
    told = f"{own.measure} {number(own.value)} {_where(report)}"
    simple = [each for each in others if each.model != own.model and each.measure == own.measure]
    if not simple:
        return f"{told}."
    return f"{told}: {beside(own, simple)}."


# ------------------------------------------------------------------- chapters


def _training(model: Any, report: Report) -> Section:
    """Tell how it learned."""
    built = {
        "The estimator": repr(model),
        "Its treatments": repr(model.preprocessor_),
        "Its network": str(model.network_),
    }
    amounts = {"records learned from": report.records, "records held back": report.held_back}
    return training_chapter(model.log_, amounts, report.notes, built)


def _scores(report: Report, given: _Given | None) -> Section:
    """Tell how good the answers are, beside simple models."""
    parts: list[Part] = []
    if report.scores:
        first = _beside(report)
        parts += [first[0].upper() + first[1:], _table_of(report.scores, _where(report))]
    if given is not None and given.scores:
        parts.append(
            _table_of(given.scores, f"on the {plural(len(given.dataset), 'record')} given")
        )
        parts.append("Scores of records that were learned from flatter.")
    if not parts:
        parts.append("Nothing is known of the records that answers could be scored by.")
    return Section("Scores", parts)


def _table_of(scores: tuple[Score, ...], where: str) -> Table:
    measures = list(dict.fromkeys(each.measure for each in scores))
    values = {(each.model, each.measure): each.value for each in scores}
    rows = tuple(
        (model, *(values.get((model, measure)) for measure in measures))
        for model in dict.fromkeys(each.model for each in scores)
    )
    return Table(f"Scores {where}", ("model", *measures), rows)


def _calibration(given: _Given) -> Section | None:
    """Tell whether probabilities mean what they say."""
    parts: list[Part] = []
    sure = given.model._sureness(given.dataset)
    for each in sure:
        parts += _reliability(each, len(sure) > 1)
    return Section("Calibration", parts) if parts else None


def _reliability(sure: Sure, several: bool) -> list[Part]:
    from recurra.diagnosing.calibrating import reliability
    from recurra.diagnosing.pictures import CAPTIONS, draw_reliability

    found = reliability(sure.chances, sure.codes)
    if found is None:
        return []
    of = f" of {sure.name}" if several else ""
    beyond = found.error > found.chance
    way = "too sure" if found.sure > 0 else "not sure enough"
    told = (
        f"What is said{of} and what is right differ by {percent(found.error)} on the mean "
        "(expected calibration error). "
    )
    told += (
        f"That is more than the {percent(found.chance)} that chance explains: the answers are "
        f"{way}, by {percent(abs(found.sure))}."
        if beyond
        else f"Chance alone makes up to {percent(found.chance)}: there is no sign of a fault."
    )
    rows = tuple(
        (f"{low:.0%} to {low + 0.1:.0%}", float(said), float(right), int(count))
        for low, said, right, count in zip(
            np.arange(10) / 10, found.said, found.right, found.counts, strict=True
        )
        if count
    )
    heads = ("said", "on the mean", "share that is right", "answers")
    title = f"Are probabilities right?{of and f' Those{of}'}"
    return [
        told,
        Picture(title, draw_reliability(found), CAPTIONS["Are probabilities right?"]),
        Folded(f"In numbers{of}", [Table(f"By what was said{of}", heads, rows)]),
    ]


def _importance(given: _Given) -> Section:
    """Tell which inputs the answers rely on."""
    from recurra.explaining.channels import channels_of

    dataset = spread(given.dataset, EXCHANGED)
    by = "channel"
    if len(channels_of(dataset)) == 1:
        kinds = {each.kind for each in dataset.streams.values()}
        by = "token" if kinds == {"tokens"} else "window"
    try:
        found = given.model.importance(dataset, by=by, n_repeats=REPEATS)
    except (OptionError, DataError) as error:  # a task without y; a single record
        return Section("What matters", [str(error)])
    return importance_chapter(found)


def _explanations(given: _Given) -> Section:
    """Explain a few answers."""
    parts: list[Part] = []
    for shown in given.model._worth_a_look(given.dataset):
        try:
            why = given.model.explain(given.dataset.take([shown.place]), **shown.asked)
        except OptionError as error:  # a task that does not explain
            return Section("Why it answers so", [str(error)])
        record = f"Record {quoted(given.dataset.ids[shown.place])}"
        told = f"{record}: {shown.told}." if shown.told else f"{record}."
        parts += explained_parts(shown.why, told, why)
    return Section("Why it answers so", parts)
