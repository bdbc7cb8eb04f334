"""Records between Arrow and a data set: cut, joined, picked, and checked at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recurra.data.batching.roles import Roles
from recurra.data.offsets import offsets_of, place_of
from recurra.data.reading.arrays import check_finite
from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.data.sequences.stream import flat_rows
from recurra.errors import DataError
from recurra.types import Array, Integers

__all__ = ["Piece", "join_pieces"]


@dataclass(frozen=True, eq=False)
class Piece:
    """Some records, flat.

    Parameters
    ----------
    ids : list
        Whose they are.
    lengths : ndarray of int64, shape (records,)
        How many steps each has.
    values : ndarray, shape (steps, channels)
        The inputs, NaN where missing.
    times : ndarray of int64 or float64, shape (steps,), optional
        When.
    answers : ndarray of int64 or float64, shape (answers,), optional
        What is to be learnt, as codes or numbers.
    answer_counts : ndarray of int64, shape (records,), optional
        How many answers each record has.
    """

    ids: list[object]
    lengths: Integers
    values: Array
    times: Array | None = None
    answers: Array | None = None
    answer_counts: Integers | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def cut(self, start: int, stop: int) -> Piece:
        """Keep some adjacent records, as views.

        Parameters
        ----------
        start, stop : int
            The first record, and the one after the last.

        Returns
        -------
        Piece
            Those.
        """
        return self.take(np.arange(start, stop))

    def take(self, places: Integers) -> Piece:
        """Pick records.

        Parameters
        ----------
        places : ndarray of int64
            Which, in the order wanted.

        Returns
        -------
        Piece
            Those; views where they are adjacent.
        """
        rows = _rows(self.lengths, places)
        counts = self.answer_counts
        return Piece(
            [self.ids[k] for k in places],
            self.lengths[places],
            self.values[rows],
            None if self.times is None else self.times[rows],
            None if self.answers is None or counts is None else self.answers[_rows(counts, places)],
            None if counts is None else counts[places],
        )

    def dataset(self, roles: Roles) -> SequenceDataset:
        """Make a data set, if the values are in order.

        Parameters
        ----------
        roles : Roles
            What the columns are.

        Returns
        -------
        SequenceDataset
            With one stream ``"x"``; a note says how many records were sorted by time.

        Raises
        ------
        DataError
            If a number is infinite or too large, or a target differs within its record.
        """
        offsets = offsets_of(self.lengths)
        ids = tuple(self.ids)
        check_finite(self.values, offsets, roles.channels, ids)
        order, unsorted = self._order()
        notes = () if order is None else (f"The steps of {unsorted} records were sorted by time.",)
        values = self.values if order is None else self.values[order]
        times = self.times if order is None or self.times is None else self.times[order]
        seen = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(values.shape, bool)
        stream = Stream(
            values,
            offsets,
            roles.channels,
            observed=None if seen.all() else seen,
            times=times,
            clock=roles.clock,
            zone=roles.zone,
        )
        target = self._target(roles, order)
        named = {} if target is None or roles.target is None else {roles.target: target}
        return SequenceDataset(ids, {"x": stream}, targets=named, notes=notes)

    def _order(self) -> tuple[Integers | None, int]:
        """Find a stable order by time, and how many records need it; None where all are sorted."""
        if self.times is None:
            return None, 0
        owners = np.repeat(np.arange(len(self)), self.lengths)
        falls = (np.diff(self.times) < 0) & (np.diff(owners) == 0)
        if not falls.any():
            return None, 0
        return np.lexsort((self.times, owners)), len(np.unique(owners[1:][falls]))

    def _target(self, roles: Roles, order: Integers | None) -> Target | None:
        """Make the target, one for each record, step or label."""
        if self.answers is None or self.answer_counts is None or roles.target is None:
            return None
        ends = np.cumsum(self.answer_counts)
        starts = ends - self.answer_counts
        answers = self.answers
        self._check_answers(answers, starts, roles.target)
        outputs = (roles.target,)
        if roles.level == "record":
            self._check_constant(answers, starts, roles)
            return Target(answers[starts][:, None], "record", roles.classes, outputs)
        stream = "x" if roles.level == "step" else None
        answers = answers if order is None or stream is None else answers[order]
        offsets = np.concatenate([[0], ends]).astype(np.int64)
        return Target(answers[:, None], roles.level, roles.classes, outputs, offsets, stream)

    def _check_answers(self, answers: Array, starts: Integers, name: str) -> None:
        """Refuse infinite answers."""
        odd = np.flatnonzero(np.isinf(answers))
        if odd.size:
            place, _ = place_of(starts, odd[0])
            raise DataError(
                "A target is infinite",
                code="infinite",
                record=self.ids[place],
                column=name,
                value=float(answers[odd[0]]),
                hint="Correct it, or make it null where it is not known.",
            )

    def _check_constant(self, answers: Array, starts: Integers, roles: Roles) -> None:
        """Refuse a target of a record that is not the same in all its rows."""
        assert self.answer_counts is not None
        first = np.repeat(answers[starts], self.answer_counts)
        both_unknown = np.isnan(answers) & np.isnan(first)
        odd = np.flatnonzero((answers != first) & ~both_unknown)
        if odd.size:
            place, step = place_of(starts, odd[0])
            raise DataError(
                "The target of a record is not the same in all its rows",
                code="target_varies",
                record=self.ids[place],
                row=step,
                column=roles.target,
                hint="Write it in every row of the record, or use level='step'.",
            )


def join_pieces(pieces: Sequence[Piece], *, continued: bool = False) -> Piece:
    """Put pieces one after the other.

    Parameters
    ----------
    pieces : sequence of Piece
        One or more.
    continued : bool, default False
        Whether a piece may begin with the rest of the record with which the one before ended.

    Returns
    -------
    Piece
        All of their records.

    Examples
    --------
    >>> one = Piece(["a"], np.array([1]), np.zeros((1, 1)))
    >>> join_pieces([one, one], continued=True).lengths
    array([2])
    """
    if len(pieces) == 1:
        return pieces[0]
    ids = [name for piece in pieces for name in piece.ids]
    lengths = np.concatenate([piece.lengths for piece in pieces])
    counts = [piece.answer_counts for piece in pieces if piece.answer_counts is not None]
    joined = np.concatenate(counts) if counts else None
    if continued:
        new = np.array([k == 0 or ids[k] != ids[k - 1] for k in range(len(ids))], bool)
        begins = np.flatnonzero(new)
        ids = [ids[k] for k in begins]
        lengths = np.add.reduceat(lengths, begins) if len(begins) else lengths
        if joined is not None and len(begins):
            joined = np.add.reduceat(joined, begins)
    times = [piece.times for piece in pieces if piece.times is not None]
    answers = [piece.answers for piece in pieces if piece.answers is not None]
    return Piece(
        ids,
        lengths,
        np.concatenate([piece.values for piece in pieces]),
        np.concatenate(times) if times else None,
        np.concatenate(answers) if answers else None,
        joined,
    )


def _rows(lengths: Integers, places: Integers) -> Array | slice:
    return flat_rows((np.cumsum(lengths) - lengths)[places], lengths[places])
