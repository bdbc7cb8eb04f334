"""What an estimator hands to the doctor: its network, a batch, its answers, how it was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import nn

from recurra.diagnosing.columns import Column
from recurra.training import Log, Training

if TYPE_CHECKING:
    from recurra.types import Floats, Integers

__all__ = ["Answers", "Chances", "Examined"]


@dataclass(frozen=True)
class Answers:
    """What was answered for one target of whole records, and what was read.

    Attributes
    ----------
    residuals : ndarray, shape (records, outputs)
        What was to be said less what was said; of classes, 1 or 0 less the probability; NaN where
        unknown.
    spread : ndarray, shape (outputs,)
        The variance of what was to be said.
    inputs : ndarray, shape (records, steps, channels)
        What was read.
    lengths : ndarray of int, shape (records,)
        Real steps.
    channels : tuple of str
        What the inputs are called.
    """

    residuals: Floats
    spread: Floats
    inputs: Floats
    lengths: Integers
    channels: tuple[str, ...]


@dataclass(frozen=True)
class Chances:
    """Probabilities that were answered, and what was right.

    Attributes
    ----------
    probabilities : ndarray, shape (records, classes)
        Of each class.
    codes : ndarray of int, shape (records,)
        The right class.
    """

    probabilities: Floats
    codes: Integers


@dataclass(frozen=True)
class Examined:
    """All that the doctor looks at.

    Attributes
    ----------
    task : str
        The class of the estimator.
    network : torch.nn.Module
        With ``loss(batch) -> (sum, count, …)``; in evaluation mode.
    batch : object
        Some records as the network reads them.
    records : int
        How many records there are, in all.
    options : dict of str
        The options of the estimator: advice names those that it has.
    columns : tuple of Column
        What is read.
    hole : tuple of (str, str, object, int), optional
        Stream, channel, record and row of the first number read that is none.
    log, training : Log, Training, optional
        How it was trained, where that is known.
    answers : tuple of Answers
        For each target of whole records.
    chances : Chances, optional
        Of a classifier.
    series : sequence of ndarray, each of shape (steps,)
        Residuals along series, in deviations.
    seasons : tuple of int
        In steps, of what repeats itself.
    losses : tuple of ndarray, optional
        Loss of each step, and whether it counts, both of shape (records, steps).
    names : tuple
        What the records of `batch` are called.
    """

    task: str
    network: nn.Module
    batch: Any
    records: int
    options: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    hole: tuple[str, str, object, int] | None = None
    log: Log | None = None
    training: Training | None = None
    answers: tuple[Answers, ...] = ()
    chances: Chances | None = None
    series: Sequence[Floats] = ()
    seasons: tuple[int, ...] = ()
    losses: tuple[Floats, Floats] | None = None
    names: tuple[object, ...] = ()
