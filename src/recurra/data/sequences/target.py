"""What is to be learnt of each record: a label, a number, one for each step or each horizon."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from recurra.data.offsets import offsets_of
from recurra.data.sequences.stream import flat_rows
from recurra.errors import DataError, OptionError
from recurra.types import Array, Booleans, Integers

__all__ = ["Level", "Target"]

Level = Literal["record", "step", "labels"]


@dataclass(frozen=True, eq=False)
class Target:
    """What is to be learnt.

    Parameters
    ----------
    values : ndarray, shape (rows, outputs)
        Classes as int64 codes, -1 where unknown; or numbers as float64, NaN where unknown. A row
        for each record, each step, or each label; the outputs are several targets, or horizons.
    level : {"record", "step", "labels"}
        One row for each record; one for each step of a stream; or as many as `offsets` says (the
        transcript of a recording).
    classes : tuple
        The labels of the codes; empty for numbers.
    outputs : tuple of str
        What the columns are called: ``("h=1", "h=6")``.
    offsets : ndarray of int64, shape (records + 1,), optional
        Where the rows of each record start, unless there is one for each record.
    stream : str, optional
        For ``"step"``: the stream whose steps they are.

    Examples
    --------
    >>> target = Target(np.array([[0], [1], [-1]]), classes=("no", "yes"))
    >>> target.observed.ravel(), target.take([1]).values
    (array([ True,  True, False]), array([[1]]))
    """

    values: Array
    level: Level = "record"
    classes: tuple[object, ...] = ()
    outputs: tuple[str, ...] = ("y",)
    offsets: Integers | None = None
    stream: str | None = None

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together."""
        if self.values.ndim != 2 or self.values.shape[1] != len(self.outputs):
            shape = self.values.shape
            raise OptionError(f"A target of shape {shape} does not go with {self.outputs}.")
        if (self.level == "record") != (self.offsets is None):
            raise OptionError(f"A target for each {self.level} does not go with these offsets.")
        if (self.level == "step") != (self.stream is not None):
            raise OptionError(f"A target for each {self.level} with stream={self.stream!r}.")
        if self.classes:
            self._check_codes()

    def _check_codes(self) -> None:
        """Refuse codes that are no places among the classes."""
        count = len(self.classes)
        if self.values.dtype.kind not in "iu":
            message = f"A target with classes holds their places, but {self.values.dtype} came"
            raise OptionError(f"{message}. Give integers, -1 where unknown.")
        odd = np.argwhere((self.values < -1) | (self.values >= count))
        if len(odd):
            row, column = (int(k) for k in odd[0])
            raise DataError(
                f"There are {count} classes, but here is the code of none",
                code="label_range",
                row=row,
                column=self.outputs[column],
                value=int(self.values[row, column]),
                hint=f"Give places from 0 to {count - 1}, or -1 where unknown.",
            )

    def __len__(self) -> int:
        return len(self.values) if self.offsets is None else len(self.offsets) - 1

    @property
    def observed(self) -> Booleans:
        """Where the target is known, shape (rows, outputs)."""
        known: Booleans = self.values >= 0 if self.classes else ~np.isnan(self.values)
        return known

    def take(self, places: object) -> Target:
        """Pick records by place.

        Parameters
        ----------
        places : sequence of int
            The places, in the order wanted.

        Returns
        -------
        Target
            Of those records.
        """
        index = np.asarray(places, np.int64)
        if self.offsets is None:
            return replace(self, values=self.values[index])
        return self.cut(self.offsets[:-1][index], self.offsets[1:][index])

    def cut(self, starts: Integers, stops: Integers) -> Target:
        """Keep some stretches of rows, one record each; arguments as those of ``Stream.cut``."""
        lengths = stops - starts
        offsets = offsets_of(lengths)
        return replace(self, values=self.values[flat_rows(starts, lengths)], offsets=offsets)

    def join(self, other: Target) -> Target:
        """Append the records of another target.

        Parameters
        ----------
        other : Target
            Of the same level, outputs and classes.

        Returns
        -------
        Target
            Ours, then theirs.
        """
        for name in ("level", "outputs", "classes", "stream"):
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours != theirs:
                raise OptionError(f"The targets differ: {name} is {ours!r} here, {theirs!r} there.")
        offsets = None
        if self.offsets is not None and other.offsets is not None:
            offsets = np.concatenate([self.offsets, other.offsets[1:] + self.offsets[-1]])
        return replace(self, values=np.concatenate([self.values, other.values]), offsets=offsets)
