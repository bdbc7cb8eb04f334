"""What is sought: a target, and how well a number tells it."""

from __future__ import annotations

import numpy as np

from recurra.auditing.telling import Telling, determines, tell_class, tell_number
from recurra.data.sequences import Target
from recurra.types import Array, Floats

__all__ = ["Sought"]

NEARLY = 0.95


class Sought:
    """A target, and how well numbers tell it.

    Parameters
    ----------
    name : str
        What it is called.
    target : Target
        What is to be learnt.
    output : int
        Which of its outputs.
    """

    def __init__(self, name: str, target: Target, output: int) -> None:
        self.name, self.target = name, target
        self.answers: Array = target.values[:, output]

    def told_by(self, feature: Floats, rows: Array | slice = slice(None)) -> Telling | None:
        """Say how well a number tells it.

        Parameters
        ----------
        feature : ndarray of float64
            A number of each answer, NaN where unknown.
        rows : ndarray of int64 or slice
            Of which answers.

        Returns
        -------
        Telling or None
            None where nothing can be said.
        """
        answers = self.answers[rows]
        if self.target.classes:
            return tell_class(feature, answers, self.target.classes)
        return tell_number(feature, answers.astype(np.float64))

    def hangs_on(self, feature: Floats) -> bool:
        """Whether a number may tell all classes, not only one of several.

        Parameters
        ----------
        feature : ndarray of float64
            A number of each answer.

        Returns
        -------
        bool
            True for two classes, and for numbers.
        """
        several = len(self.target.classes) > 2
        return not several or self.copied_by(feature) >= NEARLY

    def copied_by(self, feature: Floats, rows: Array | slice = slice(None)) -> float:
        """Say how nearly a number determines it.

        Parameters
        ----------
        feature : ndarray of float64
            A number of each answer, NaN where unknown.
        rows : ndarray of int64 or slice
            Of which answers.

        Returns
        -------
        float
            1 for a copy.
        """
        answers = self.answers[rows]
        if self.target.classes:
            return determines(feature, answers)
        known = ~(np.isnan(feature) | np.isnan(answers))
        a, b = feature[known], answers[known]
        if len(a) < 20 or not (np.ptp(a) and np.ptp(b)):
            return 0.0
        return 1.0 if (a == b).all() else abs(float(np.corrcoef(a, b)[0, 1]))
