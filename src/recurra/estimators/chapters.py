"""Chapters of a page that are the same for every estimator: data, training, why, health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from recurra.auditing.phrases import number, plural, quoted
from recurra.auditing.tables import Table
from recurra.reporting import Code, Findings, Folded, Gallery, Listed, Part, Picture, Section

if TYPE_CHECKING:
    from recurra.auditing import Audit
    from recurra.diagnosing import Diagnoses, Diagnosis
    from recurra.explaining import Explanation, Importance
    from recurra.training import Log

__all__ = [
    "counted",
    "data_chapter",
    "explained_parts",
    "health_chapter",
    "importance_chapter",
    "state_of",
    "training_chapter",
]

WRITTEN = 0.5  # inches of an explanation's picture that hold its title and its legend


def counted(audit: Audit) -> str:
    """Say how much was found in data.

    Parameters
    ----------
    audit : Audit
        What was found.

    Returns
    -------
    str
        Warnings and pieces of advice.
    """
    count = sum(each.level == "advice" for each in audit.findings)
    return f"{plural(len(audit.warnings), 'warning')}, {plural(count, 'piece')} of advice"


def state_of(diagnosis: Diagnosis | Diagnoses) -> str:
    """Say in a line whether a network, or all of several, is healthy.

    Parameters
    ----------
    diagnosis : Diagnosis or Diagnoses
        What was found.

    Returns
    -------
    str
        What is wrong, by code.
    """
    if diagnosis.healthy:
        return "Nothing wrong was found."
    return f"Not well: {', '.join(diagnosis.illnesses).replace('_', ' ')}."


def data_chapter(audit: Audit) -> Section:
    """Tell what there is, and what is wrong with it.

    Parameters
    ----------
    audit : Audit
        What was found.

    Returns
    -------
    Section
        Findings, tables and pictures.
    """
    from recurra.auditing.page import python_of
    from recurra.auditing.pictures import caption, draw_one, title_of

    several = len({each["stream"] for each in audit.drawings}) > 1
    pictures = [
        Picture(title_of(each, several), draw_one(each), caption(each)) for each in audit.drawings
    ]
    parts: list[Part] = [Findings(audit.findings)]
    if audit.notes:
        parts.append(Listed("As they were read", audit.notes))
    parts += [*audit.tables, *pictures]
    if audit.steps:
        code = Code("The recommended preprocessor as Python", python_of(audit.steps))
        parts.append(Folded("What is recommended, as Python", [code]))
    return Section("The data", parts)


def training_chapter(
    log: Log, amounts: Mapping[str, int], notes: Sequence[str], built: Mapping[str, str]
) -> Section:
    """Tell how an estimator learned.

    Parameters
    ----------
    log : Log
        What happened.
    amounts : dict of str to int
        How many were learned from, and held back.
    notes : sequence of str
        What the data needed.
    built : dict of str
        The estimator, its treatments and its network, as Python writes them.

    Returns
    -------
    Section
        The loss by step, the training in numbers, notes, options.
    """
    from recurra.diagnosing.curves import curve_of
    from recurra.diagnosing.pictures import CAPTIONS, draw_training

    curve = curve_of(log)
    parts: list[Part] = []
    if curve is not None:
        parts.append(Picture("Loss by step", draw_training(curve), CAPTIONS["Training"]))
    rows = {
        **amounts,
        "steps": len(log.loss),
        "step whose weights were kept": log.best_step,
        "steps skipped, not finite": log.skipped,
        "times it went back and slowed down": log.slowed,
    }
    told = {name: f"{count:,}" for name, count in rows.items()}
    told["seconds"] = f"{log.seconds:.1f}"
    parts.append(Table("The training in numbers", ("what", "how much"), tuple(told.items())))
    if notes:
        parts.append(Listed("What the data needed", notes))
    codes = [Code(name, text) for name, text in built.items()]
    parts.append(Folded("Options and network", codes))
    return Section("Training", parts)


def importance_chapter(found: Importance) -> Section:
    """Tell which inputs the answers rely on.

    Parameters
    ----------
    found : Importance
        What was found.

    Returns
    -------
    Section
        A sentence, a picture, a table.
    """
    by, noun, first = found.by, found.noun, found.ranked[0]
    mean, errors = found.mean, found.standard_error
    told = f"{found.measure} is {number(found.score)} on {plural(found.records, noun)}; "
    told += (
        f"when {quoted(first)} is another {noun}'s, it is worse by {number(mean[first])}, which is "
        f"the most for one {by}."
        if mean[first] > 0
        else f"whichever {by} is another {noun}'s, it is no worse."
    )
    rows = tuple((name, mean[name], errors[name]) for name in found.ranked)
    heads = (by, "worse by", "standard error")
    caption = (
        f"How much worse the answers are when a {by} is exchanged between {noun}s; the thin lines "
        "are standard errors."
    )
    return Section("What matters", [
        told[0].upper() + told[1:],
        Picture(f"Importance by {by}", found.plot(), caption),
        Folded("In numbers", [Table("How much worse without", heads, rows)]),
    ])  # fmt: skip


def explained_parts(title: str, told: str, why: Explanation) -> list[Part]:
    """Show why one answer is what it is.

    Parameters
    ----------
    title : str
        Which answer it is: ``"The surest answer"``.
    told : str
        Of what record, and what was answered.
    why : Explanation
        The explanation.

    Returns
    -------
    list
        A picture, and the scores as text.
    """
    caption = (
        f"{told} {why.asked[0].upper()}{why.asked[1:]}: {number(why.answer)}; where nothing is "
        f"known, {number(why.baseline)}. Orange raises it, blue lowers it; by {why.method}."
    )
    figure = why.plot()
    figure.supxlabel("")  # the caption says it, and the page has the title
    figure.set_figheight(figure.get_figheight() - WRITTEN)
    return [
        Picture(title, figure, caption),
        Folded("In numbers, and whether it can be believed", [Code(title, str(why))]),
    ]


def health_chapter(diagnosis: Diagnosis, name: str = "the network") -> Section:
    """Tell whether the network is healthy.

    Parameters
    ----------
    diagnosis : Diagnosis
        What was found.
    name : str
        Which one, of several on a page.

    Returns
    -------
    Section
        Findings and small pictures.
    """
    from recurra.diagnosing.pictures import draw_each

    there = ("Training", "Are probabilities right?")  # in chapters of their own
    pictures = [
        Picture(title, figure, caption)
        for title, caption, figure in draw_each(diagnosis.measures)
        if title not in there
    ]
    parts: list[Part] = [state_of(diagnosis)]
    if diagnosis.findings:
        parts.append(Findings(diagnosis.findings))
    if pictures:
        parts.append(Gallery(pictures))
    parts.append(Folded("As text", [Code(f"The diagnosis of {name}", str(diagnosis))]))
    return Section(f"Health of {name}", parts)
