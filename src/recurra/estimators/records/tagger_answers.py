"""What a network says of the steps of records, and how much of it is right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch

from recurra.data import SequenceDataset
from recurra.data.batching import Batches, pad_records
from recurra.estimators.learning.report import Score
from recurra.metrics.spans import is_bio, span_scores
from recurra.models import RecordBatch, TaggingNetwork

if TYPE_CHECKING:
    from recurra.types import Array, Integers

__all__ = ["by_record", "judged", "measured", "step_answers"]

LARGEST, MOST_STEPS = 256, 2**12  # records in a batch of answers, and steps with padding
TIE = 1e-3  # of the loss counts beside the share of wrong labels, to part equal ones


@torch.no_grad()
def step_answers(
    network: TaggingNetwork, treated: SequenceDataset, chances: bool = False
) -> list[Array]:
    """Answer for the steps of each record.

    Parameters
    ----------
    network : TaggingNetwork
        The network.
    treated : SequenceDataset
        Treated records; they may be without steps.
    chances : bool
        Whether to say how probable each label is, instead of the best.

    Returns
    -------
    list of ndarray
        Codes of labels as int64, shape (steps,); or probabilities, shape (steps, classes).
    """
    classes = network.plan.answers[network.name].classes
    none = np.zeros((0, classes)) if chances else np.zeros(0, np.int64)
    found: list[Array] = [none] * len(treated)
    answer = network.probabilities if chances else network.labels
    for places, batch in _in_order(treated):
        answers = answer(batch).numpy().astype(none.dtype)
        for place, each in zip(places, answers, strict=True):
            found[place] = each[: treated.lengths[place]]
    return found


def judged(network: TaggingNetwork, waiting: SequenceDataset) -> float:
    """Return what training is stopped by: the share of wrong labels; of equal ones, the loss parts.

    Parameters
    ----------
    network : TaggingNetwork
        The network, as it is.
    waiting : SequenceDataset
        Treated records.

    Returns
    -------
    float
        The share, and a thousandth of the mean loss.
    """
    wrong = total = count = 0.0
    for _, batch in _in_order(waiting):
        found = network.judge(batch)
        wrong, total, count = wrong + int(found[0]), total + float(found[1]), count + int(found[2])
    return (wrong + TIE * total) / max(count, 1)


def measured(model: str, part: SequenceDataset, classes: Array, codes: Integers) -> list[Score]:
    """Score labels by accuracy and, if they make up spans, by those.

    Parameters
    ----------
    model : str
        Whose labels they are.
    part : SequenceDataset
        Records with a target for each step.
    classes : ndarray
        The labels there are.
    codes : ndarray of int64, shape (steps,)
        What was answered, record after record.

    Returns
    -------
    list of Score
        Of the steps whose label is known.
    """
    truth = part.target.values[:, 0]
    right = float((codes == truth)[truth >= 0].mean())
    scores = [Score(model, "accuracy", right)]
    if is_bio(classes):
        answers = [by_record(part, classes, each) for each in (truth, codes)]
        scores.append(Score(model, "span F1", span_scores(*answers)["all"].f1))
    return scores


def by_record(dataset: SequenceDataset, classes: Array, codes: Integers) -> list[Array]:
    """Part the labels of all steps into those of each record.

    Parameters
    ----------
    dataset : SequenceDataset
        Records with a target for each step.
    classes : ndarray
        The labels there are.
    codes : ndarray of int64, shape (steps,)
        Places among them, -1 where unknown.

    Returns
    -------
    list of ndarray
        The labels of each record, None where unknown.
    """
    labels = np.array([*classes.tolist(), None], object)[codes]
    return np.split(labels, dataset.streams[str(dataset.target.stream)].offsets[1:-1])


def _in_order(dataset: SequenceDataset) -> Iterator[tuple[Integers, RecordBatch]]:
    """Go through records once, those of like length together; those without steps are left out."""
    there = np.flatnonzero(dataset.lengths > 0)
    if not there.size:
        return
    lengths = dataset.lengths[there]
    most = max(MOST_STEPS, int(lengths.max()))
    for few in Batches(lengths, LARGEST, shuffle=False, max_steps=most):
        yield there[few], RecordBatch.of(pad_records(dataset, there[few]))
