"""Treatments in order: learned from the training part, applied to any part, saved with a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib import import_module
from typing import Any, Self, TypedDict

import numpy as np

from recurra.artifact import take
from recurra.data.sequences import SequenceDataset
from recurra.data.treatments.learned_forms import FORMS, check_learned
from recurra.data.treatments.treatment import Learned, Treatment
from recurra.errors import FileError, NotFittedError, OptionError
from recurra.types import Array

__all__ = ["Preprocessor"]


class Preprocessor:
    """Treatments in order.

    Parameters
    ----------
    treatments : iterable of Treatment
        What is done, first to last.

    Attributes
    ----------
    treatments : tuple of Treatment
        The same; a preprocessor is edited by making another.
    learned_ : list of dict
        What each treatment learned; there after `fit`.
    """

    def __init__(self, treatments: Iterable[Treatment] = ()) -> None:
        self.treatments = tuple(treatments)
        for each in self.treatments:
            if not isinstance(each, Treatment):
                raise OptionError(f"{each!r} is no treatment. See recurra.data.treatments.")

    def __repr__(self) -> str:
        lines = "".join(f"\n    {each!r}," for each in self.treatments)
        return f"Preprocessor([{lines}{chr(10) if lines else ''}])"

    def fit(self, dataset: SequenceDataset) -> Self:
        """Learn every treatment from the training part, each from what those before left.

        Parameters
        ----------
        dataset : SequenceDataset
            The training part.

        Returns
        -------
        Preprocessor
            Itself.
        """
        self.fit_transform(dataset)
        return self

    def fit_transform(self, dataset: SequenceDataset) -> SequenceDataset:
        """Learn from the training part, and treat it.

        Parameters
        ----------
        dataset : SequenceDataset
            The training part.

        Returns
        -------
        SequenceDataset
            The treated part.
        """
        learned: list[Learned] = []
        for each in self.treatments:
            learned.append(each.learn(dataset))
            dataset = each.apply(dataset, learned[-1])
        self.learned_ = learned
        return dataset

    def transform(self, dataset: SequenceDataset) -> SequenceDataset:
        """Treat any part of the data with what was learned.

        Parameters
        ----------
        dataset : SequenceDataset
            Training, validation, test or new data.

        Returns
        -------
        SequenceDataset
            The treated data.
        """
        for each, learned in zip(self.treatments, self._learned(), strict=True):
            dataset = each.apply(dataset, learned)
        return dataset

    def header(self) -> list[dict[str, Any]]:
        """Return options and what was learned besides arrays, as JSON can hold it.

        Returns
        -------
        list of dict
            One for each treatment.
        """
        return [
            {
                "kind": type(each).__name__,
                "options": asdict(each),
                "learned": {k: v for k, v in learned.items() if not isinstance(v, np.ndarray)},
            }
            for each, learned in zip(self.treatments, self._learned(), strict=True)
        ]

    def arrays(self) -> dict[str, Array]:
        """Return the arrays that were learned.

        Returns
        -------
        dict of str to ndarray
            By place and name: ``"0/values/mean"``.
        """
        return {
            f"{place}/{name}": value
            for place, learned in enumerate(self._learned())
            for name, value in learned.items()
            if isinstance(value, np.ndarray)
        }

    @classmethod
    def from_saved(cls, header: Iterable[Mapping[str, Any]], arrays: Mapping[str, Array]) -> Self:
        """Make a fitted preprocessor again.

        Parameters
        ----------
        header : iterable of dict
            What `header` returned.
        arrays : dict of str to ndarray
            What `arrays` returned.

        Returns
        -------
        Preprocessor
            Fitted.
        """
        treatments: list[Treatment] = []
        learned: list[Learned] = []
        for place, part in enumerate(header):
            where = f"header.preprocessor[{place}]"
            told = take(_Saved, part, where)
            start = f"{place}/"
            own = {k.removeprefix(start): v for k, v in arrays.items() if k.startswith(start)}
            if twice := own.keys() & told["learned"].keys():
                raise FileError(f"{where}.learned.{min(twice)} is there twice, an array too.")
            treatments.append(_treatment(told["kind"], told["options"], where))
            learned.append({**told["learned"], **own})
            check_learned(told["kind"], learned[-1], f"{where}.learned")
        if strange := [
            k for k in arrays if k.partition("/")[0] not in map(str, range(len(learned)))
        ]:
            raise FileError(f"The file has an array {strange[0][:80]!r} that nothing needs.")
        made = cls(treatments)
        made.learned_ = learned
        return made

    def _learned(self) -> list[Learned]:
        if not hasattr(self, "learned_"):
            raise NotFittedError("The preprocessor has learned nothing yet. Call fit first.")
        return self.learned_


class _Saved(TypedDict):
    """A treatment as JSON holds it."""

    kind: str
    options: dict[str, Any]
    learned: dict[str, Any]


def _treatment(name: str, options: Mapping[str, Any], where: str) -> Treatment:
    """Make a treatment by the name of its class, which must be one of ours."""
    room = import_module("recurra.data.treatments")
    kind = getattr(room, name, None) if name in FORMS else None
    if not (isinstance(kind, type) and issubclass(kind, Treatment)):
        message = f"The file holds a treatment {name[:80]!r}, which this version lacks"
        raise FileError(f"{message}. Use the version that wrote it.")
    made: Treatment = take(kind, options, f"{where}.options")
    return made
