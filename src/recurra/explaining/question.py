"""What is asked of a network: one number, of one record, whose inputs may be changed one by one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from recurra.explaining.alignment import Alignment
    from recurra.types import Floats

__all__ = ["Question", "Read"]


@dataclass(frozen=True)
class Read:
    """What a network reads of one stream of a record, as numbers that may be changed one by one.

    Attributes
    ----------
    values : Tensor, shape (steps, width)
        What is read: treated measurements, or the vectors of tokens.
    baseline : Tensor, shape (steps, width)
        What stands for "nothing is known": what a value is changed into where it is taken away.
    columns : tuple of str, of length width
        The channel each column belongs to; several columns may belong to one (the vector of a
        token, a value and how old it is).
    steps : tuple
        What each step is called: a time, a token, or its number.
    shown : ndarray, shape (steps, channels), optional
        The values in the user's own units, for pictures; NaN where there was none. The channels are
        those of `columns`, each once, in their order.
    absent : Tensor, shape (steps, width), optional
        What is read where some values are taken away, if that is not the baseline: NaN for a
        network that knows what was not observed.
    marks : tuple of (int, str)
        What was said at which step of a recording, for pictures: the number of the step, a text.
    """

    values: Tensor
    baseline: Tensor
    columns: tuple[str, ...]
    steps: tuple[object, ...]
    shown: Floats | None = None
    absent: Tensor | None = None
    marks: tuple[tuple[int, str], ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels, each once, in the order of the columns."""
        return tuple(dict.fromkeys(self.columns))


class Question(ABC):
    """One number that a network answers for one record.

    Attributes
    ----------
    reads : dict of str to Read
        What is read, by stream.
    asked : str
        What the number is, in the words of the task: ``"log odds of 'ill'"``.
    smooth : bool
        Whether gradients tell how the answer changes along the way to the baseline. False where
        something else changes with a value, such as the mask that says that it is there.
    """

    reads: Mapping[str, Read]
    asked: str
    smooth: bool = True

    @abstractmethod
    def answer(self, values: Mapping[str, Tensor]) -> Tensor:
        """Answer for changed records, in a way that autograd can follow.

        Parameters
        ----------
        values : dict of str to Tensor, each of shape (records, steps, width)
            In place of ``reads[name].values``: the same record, changed in as many ways.

        Returns
        -------
        Tensor, shape (records,)
            The number for each; no record depends on another.
        """

    @abstractmethod
    def randomised(self, seed: int) -> Question:
        """Ask the same of a network of the same make that has learned nothing.

        Parameters
        ----------
        seed : int
            Source of its weights.

        Returns
        -------
        Question
            With the same reads, or, where these are vectors that were learned, other vectors.
        """

    def occluded_steps(self, stream: str) -> Tensor | None:  # noqa: ARG002
        """Answer with each step taken away in its turn, where there is a faster way than `answer`.

        Parameters
        ----------
        stream : str
            Whose steps.

        Returns
        -------
        Tensor, shape (steps,), or None
            What `answer` would say of the record with that step at its baseline; None where there
            is no faster way.
        """
        return None

    def attention(self) -> Mapping[str, Tensor] | None:
        """Say how much the network attends to each step, where it does.

        Returns
        -------
        dict of str to Tensor, each of shape (steps,), or None
            By stream, of sum 1; None where there is no attention.
        """
        return None

    def alignment(self) -> Alignment | None:
        """Say what each symbol of an answer attends to, where there are several.

        Returns
        -------
        Alignment or None
            To the steps of the only stream; None where there is no such answer.
        """
        return None
