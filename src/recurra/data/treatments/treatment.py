"""What every treatment is: options that never change, and what it learned beside them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from recurra.data.sequences import SequenceDataset

__all__ = ["Learned", "Treatment"]

Learned = Mapping[str, Any]
"""What a treatment learned: arrays, and whatever else JSON can hold."""


@dataclass(frozen=True)
class Treatment(ABC):
    """Something done to a data set; a subclass holds its options as frozen fields.

    What it learns from the training part is kept beside it, by `Preprocessor`, so that a treatment
    can be printed, compared and used again.
    """

    @property
    def stepwise(self) -> bool:
        """Whether steps can be treated as they come.

        True where a step is treated by nothing else of its record than its first step, the last,
        and the last observed value of each channel: see `RecordMemory`.
        """
        return False

    @abstractmethod
    def learn(self, dataset: SequenceDataset) -> Learned:
        """Learn from the training part.

        Parameters
        ----------
        dataset : SequenceDataset
            The training part, as the treatments before left it.

        Returns
        -------
        dict of str
            Arrays, and what JSON can hold: all that `apply` needs.
        """

    @abstractmethod
    def apply(self, dataset: SequenceDataset, learned: Learned) -> SequenceDataset:
        """Treat a data set.

        Parameters
        ----------
        dataset : SequenceDataset
            Any part of the data.
        learned : dict of str
            What `learn` returned.

        Returns
        -------
        SequenceDataset
            The treated data; the one that came is unchanged.
        """

    def __repr__(self) -> str:
        """Show the options that are not the usual ones."""
        said = [
            f"{each.name}={getattr(self, each.name)!r}"
            for each in fields(self)
            if getattr(self, each.name) != each.default
        ]
        return f"{type(self).__name__}({', '.join(said)})"
