"""The records that a network takes to be most like one: by what its head reads of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recurra.auditing.phrases import in_columns, number, plural, quoted
from recurra.errors import DataError, OptionError, check_count

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from recurra.types import Floats, Integers

__all__ = ["Neighbours", "nearest"]

LONGEST = 40  # signs of an answer of several parts
PAIRS = 2000  # of records, that say what distance is usual


@dataclass(frozen=True, eq=False, repr=False)
class Neighbours:
    """The nearest records to one, nearest first.

    Parameters
    ----------
    answer : object
        What the network answers for the record itself.
    ids : tuple
        The nearest records.
    places : ndarray of int64, shape (n,)
        Where they stand among those that were searched.
    distances : ndarray of float64, shape (n,)
        How far each is: Euclidean, between what the head reads.
    answers : tuple
        What the network answers for each.
    known : tuple, optional
        What is true of each.
    usual : float
        The median distance between two of the records that were searched.
    searched : int
        How many these are.

    Examples
    --------
    >>> found = Neighbours("ill", ("b", "f"), np.array([1, 5]), np.array([0.5, 1.0]),
    ...                    ("ill", "well"), None, 8.0, 300)
    >>> print(found)
    The 2 nearest of 300 records, to one that is answered 'ill'
      id   answer  distance  of the usual
      'b'  'ill'        0.5          0.06
      'f'  'well'         1          0.12
    """

    answer: object
    ids: tuple[object, ...]
    places: Integers
    distances: Floats
    answers: tuple[object, ...]
    known: tuple[object, ...] | None
    usual: float
    searched: int

    def to_frame(self) -> pd.DataFrame:
        """Write it as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each, nearest first: ``id``, ``place``, ``distance``, ``answer``, and
            ``known`` where that was given.
        """
        import pandas as pd

        frame = {
            "id": list(self.ids),
            "place": self.places,
            "distance": self.distances,
            "answer": list(self.answers),
        }
        return pd.DataFrame(frame if self.known is None else {**frame, "known": list(self.known)})

    def plot(self) -> Figure:
        """Draw the distances as bars, beside what is usual.

        Returns
        -------
        matplotlib.figure.Figure
            Save it with ``figure.savefig("neighbours.png")``.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        from recurra.explaining.bars import across

        names = [f"{quoted(one)}: {_said(each)}" for one, each in
                 zip(self.ids, self.answers, strict=True)]  # fmt: skip
        title = f"The nearest to a record that is answered {_said(self.answer)}"
        label = f"distance (usual between two records: {number(self.usual)})"
        return across(names, [float(each) for each in self.distances], None, title, label)

    def __repr__(self) -> str:
        head = (
            f"The {len(self.ids)} nearest of {plural(self.searched, 'record')}, to one that is "
            f"answered {_said(self.answer)}"
        )
        usual = self.usual or 1.0
        columns = [
            ["id", *map(quoted, self.ids)],
            ["answer", *map(_said, self.answers)],
            ["distance", *(number(float(each)) for each in self.distances)],
            ["of the usual", *(f"{each / usual:.2f}" for each in self.distances)],
        ]
        if self.known is not None:
            columns.insert(2, ["known", *map(_said, self.known)])
        lines = in_columns(columns, len(columns) - 2)
        return "\n".join([head, *(f"  {line}" for line in lines)])


def _said(answer: object) -> str:
    if isinstance(answer, float | np.floating):
        return number(float(answer))
    if isinstance(answer, dict):
        return ", ".join(f"{name} {_said(each)}" for name, each in answer.items())
    if isinstance(answer, list | tuple | np.ndarray):
        text = " ".join(number(each) if isinstance(each, float) else str(each)
                        for each in np.asarray(answer).tolist())  # fmt: skip
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return quoted(answer)


def nearest(
    one: Floats,
    all_read: Floats,
    n: int,
    ids: Sequence[object],
    answers: Sequence[object],
    answer: object,
    known: Sequence[object] | None = None,
) -> Neighbours:
    """Find the nearest records.

    Parameters
    ----------
    one : ndarray, shape (width,)
        What the head reads of the record.
    all_read : ndarray, shape (records, width)
        What it reads of those that are searched.
    n : int
        How many are wanted.
    ids, answers : sequence
        What they are called, and what is answered for each.
    answer : object
        What is answered for the record itself.
    known : sequence, optional
        What is true of those that are searched.

    Returns
    -------
    Neighbours
        The nearest first; of equally near ones that which stands first.

    Raises
    ------
    DataError
        If there is not one known answer for each record.
    OptionError
        If there are fewer than wanted.
    """
    check_count("n", n)
    if n > len(all_read):
        raise OptionError(f"n={n}, but only {plural(len(all_read), 'record')} can be searched.")
    if known is not None and len(known) != len(all_read):
        raise DataError(
            f"There are {len(all_read)} records, but y has {len(known)}",
            code="record_count",
            hint="Give one for each.",
        )
    distances = np.sqrt(((all_read - one) ** 2).sum(1))
    places = np.argsort(distances, kind="stable")[:n]
    random = np.random.default_rng(0)
    left, right = random.integers(len(all_read), size=(2, PAIRS))
    apart = np.sqrt(((all_read[left] - all_read[right]) ** 2).sum(1))[left != right]
    usual = float(np.median(apart)) if len(apart) else 0.0
    return Neighbours(
        answer,
        tuple(ids[k] for k in places),
        places,
        distances[places],
        tuple(answers[k] for k in places),
        None if known is None else tuple(known[k] for k in places),
        usual,
        len(all_read),
    )
