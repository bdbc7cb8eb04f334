"""What is learned of one target among several: its labels, or its scale; and how it is answered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import numpy as np
from scipy.special import softmax

from recurra.artifact import take
from recurra.data import Target
from recurra.estimators.learning.record_targets import recode
from recurra.estimators.learning.restoring import Label
from recurra.types import Array, Floats

__all__ = ["Labels", "Numbers", "TaskAnswer", "task_answer"]


class TaskAnswer(ABC):
    """What is learned of a target."""

    measure: str
    """What its answers are scored by."""

    @abstractmethod
    def written(self, target: Target, ids: tuple[object, ...]) -> Target:
        """Write a target as the network learns it.

        Parameters
        ----------
        target : Target
            As it came.
        ids : tuple
            The records.

        Returns
        -------
        Target
            As codes, or in standard deviations.
        """

    @abstractmethod
    def said(self, raw: Floats) -> Array:
        """Say what the network says in the user's words.

        Parameters
        ----------
        raw : ndarray, shape (…, outputs) or (…, outputs, classes)
            What the network says.

        Returns
        -------
        ndarray, shape (…) or (…, outputs)
            Labels, None where nothing is known; or numbers.
        """

    @abstractmethod
    def score(self, raw: Floats, truth: Array) -> float:
        """Score answers.

        Parameters
        ----------
        raw : ndarray
            What the network says.
        truth : ndarray, shape (…, outputs)
            The target as `written`.

        Returns
        -------
        float
            The share that is right, or R²; NaN where nothing is known.
        """


@dataclass(frozen=True)
class Labels(TaskAnswer):
    """A target of labels.

    Parameters
    ----------
    classes : tuple
        The labels, sorted.
    """

    classes: tuple[object, ...]
    measure = "accuracy"

    def written(self, target: Target, ids: tuple[object, ...]) -> Target:
        """See `TaskAnswer.written`."""
        return recode(target, self.classes, ids)

    def said(self, raw: Floats) -> Array:
        """See `TaskAnswer.said`."""
        unknown = np.isnan(raw).any(-1)
        plain = all(isinstance(each, int | float) for each in self.classes) and not unknown.any()
        table = np.array([*self.classes, None] if not plain else [*self.classes])
        places = np.where(unknown, len(self.classes), np.argmax(np.nan_to_num(raw), -1))
        return _single(table[places])

    def chances(self, raw: Floats) -> Floats:
        """Say how probable each label is.

        Parameters
        ----------
        raw : ndarray, shape (…, outputs, classes)
            Logits.

        Returns
        -------
        ndarray, shape (…, classes) or (…, outputs, classes)
            Probabilities.
        """
        shares = softmax(raw, axis=-1)
        chances: Floats = shares[..., 0, :] if shares.shape[-2] == 1 else shares
        return chances

    def score(self, raw: Floats, truth: Array) -> float:
        """See `TaskAnswer.score`."""
        known = truth >= 0
        return float((np.argmax(raw, -1) == truth)[known].mean()) if known.any() else np.nan


@dataclass(frozen=True)
class Numbers(TaskAnswer):
    """A target of numbers.

    Parameters
    ----------
    centre, spread : tuple of float
        Mean and standard deviation of each output in the training part.
    """

    centre: tuple[float, ...]
    spread: tuple[float, ...]
    measure = "R²"

    def written(self, target: Target, ids: tuple[object, ...]) -> Target:  # noqa: ARG002
        """See `TaskAnswer.written`."""
        spread = np.array(self.spread)
        values = (target.values - np.array(self.centre)) / np.where(spread > 0, spread, 1.0)
        return replace(target, values=values)

    def said(self, raw: Floats) -> Array:
        """See `TaskAnswer.said`."""
        return _single(raw * np.array(self.spread) + np.array(self.centre))

    def score(self, raw: Floats, truth: Array) -> float:
        """See `TaskAnswer.score`."""
        known = ~np.isnan(truth)
        if not known.any():
            return np.nan
        rest, whole = ((raw - truth)[known] ** 2).sum(), np.var(truth[known]) * known.sum()
        return float(1 - rest / whole) if whole > 0 else float(rest == 0)


def task_answer(target: Target) -> TaskAnswer:
    """Learn what there is to learn of a target.

    Parameters
    ----------
    target : Target
        Of the training part.

    Returns
    -------
    TaskAnswer
        Labels where it has classes, else numbers.
    """
    if target.classes:
        return Labels(target.classes)
    centre, spread = np.nanmean(target.values, 0), np.nanstd(target.values, 0)
    return Numbers(tuple(centre.tolist()), tuple(spread.tolist()))


class _Labels(TypedDict):
    """Labels, as JSON holds them."""

    classes: tuple[Label, ...]


class _Numbers(TypedDict):
    """The scale of numbers, as JSON holds it."""

    centre: tuple[float, ...]
    spread: tuple[float, ...]


def restored(told: Mapping[str, Any]) -> TaskAnswer:
    """Make an answer again of what JSON held.

    Parameters
    ----------
    told : dict of str
        Its fields.

    Returns
    -------
    TaskAnswer
        The same.
    """
    kind, place = _Labels if "classes" in told else _Numbers, "header.learned.answers"
    read = take(kind, told, place)
    return Labels(**read) if kind is _Labels else Numbers(**read)


def _single(answers: Array) -> Array:
    """Leave out the axis of outputs where there is one."""
    return answers[..., 0] if answers.shape[-1] == 1 else answers
