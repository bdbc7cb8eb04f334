"""Many records of unequal length, stored flat: no padding before there is a batch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from recurra.data.offsets import offsets_of, place_of
from recurra.data.panel.clock import Clock
from recurra.data.panel.gaps import MOST_GROWTH, MOST_ROWS, plan_filling, same_record, too_sparse
from recurra.data.tables.columns import Columns
from recurra.data.tables.notes import also_in, counted, tell
from recurra.errors import DataError, OptionError, near
from recurra.types import Array, Booleans, Floats, Integers

__all__ = ["Panel", "Series"]


@dataclass(frozen=True, eq=False)
class Series:
    """One sequence of one entity, as views into its data set.

    Parameters
    ----------
    id : object
        Whose it is.
    times : ndarray of int64, shape (steps,)
        The stamps.
    target : ndarray of float64, shape (steps,)
        The values, NaN where unobserved.
    observed : ndarray of bool, shape (steps,)
        Where there is a value.
    past, future : dict of str to ndarray, shape (steps,)
        The covariates that change with time.
    static : dict of str to object
        The covariates that do not.
    """

    id: object
    times: Integers
    target: Floats
    observed: Booleans
    past: dict[str, Array]
    future: dict[str, Array]
    static: dict[str, object]

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, eq=False)
class Panel:
    """Many records, ragged, stored flat.

    Record ``i`` is the rows from ``offsets[i]`` to ``offsets[i + 1]``, sorted by time. On a
    regular clock no stamp is missing: steps nobody observed are there, with a NaN target.

    Parameters
    ----------
    ids : tuple
        The identifiers, as the user wrote them.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.
    times : ndarray of int64, shape (rows,)
        Nanoseconds since 1970 in UTC, or the user's integers.
    target : ndarray of float64, shape (rows,)
        The values, NaN where unobserved.
    observed : ndarray of bool, shape (rows,)
        Where there is a value.
    past, future : dict of str to ndarray, shape (rows,)
        Covariates, by column: float64 for numbers, bool, or object for text.
    static : dict of str to ndarray, shape (records,)
        Covariates that hold for a whole record.
    clock : Clock
        How time is written and steps.
    columns : Columns
        The roles of the columns.
    notes : tuple of str
        The treatments the data got, with counts.

    Examples
    --------
    >>> import pandas as pd
    >>> from recurra.data.panel.frame import from_frame
    >>> frame = pd.DataFrame({"unique_id": list("aaabb"), "ds": [1, 2, 3, 1, 2], "y": range(5)})
    >>> dataset = from_frame(frame)
    >>> len(dataset), dataset.lengths
    (2, array([3, 2]))
    >>> dataset.record(1).target
    array([3., 4.])
    >>> train, held_back = dataset.split(1)
    >>> train.target, held_back.target
    (array([0., 1., 3.]), array([2., 4.]))
    """

    ids: tuple[object, ...]
    offsets: Integers
    times: Integers
    target: Floats
    observed: Booleans
    past: dict[str, Array]
    future: dict[str, Array]
    static: dict[str, Array]
    clock: Clock
    columns: Columns
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> Integers:
        """How many steps each record has."""
        return np.diff(self.offsets)

    @property
    def last_times(self) -> Integers:
        """The last stamp of each record."""
        return self.times[self.offsets[1:] - 1]

    @property
    def spacing(self) -> Integers:
        """The median distance between the stamps of each record, as int64.

        A record of one step takes the median of the others, and 0 where there is none.
        """
        gaps = [np.diff(self.times[a:b]) for a, b in self._bounds()]
        medians = [int(np.median(gap)) if gap.size else 0 for gap in gaps]
        known = [median for median in medians if median]
        usual = int(np.median(known)) if known else 0
        return np.array([median or usual for median in medians], np.int64)

    def record(self, i: int) -> Series:
        """Show one record.

        Parameters
        ----------
        i : int
            Its place.

        Returns
        -------
        Series
            Views, not copies.
        """
        rows = slice(int(self.offsets[i]), int(self.offsets[i + 1]))
        return Series(
            self.ids[i],
            self.times[rows],
            self.target[rows],
            self.observed[rows],
            {name: values[rows] for name, values in self.past.items()},
            {name: values[rows] for name, values in self.future.items()},
            {name: values[i] for name, values in self.static.items()},
        )

    def take(self, places: Iterable[int]) -> Panel:
        """Pick records by place.

        Parameters
        ----------
        places : iterable of int
            The places, in the order wanted.

        Returns
        -------
        Panel
            Those records.
        """
        index = np.fromiter(places, np.int64)
        part = self._rows(self.offsets[:-1][index], self.offsets[1:][index])
        ids = tuple(self.ids[i] for i in index)
        static = {name: values[index] for name, values in self.static.items()}
        return replace(part, ids=ids, static=static)

    def select(self, ids: Iterable[object]) -> Panel:
        """Pick records by identifier.

        Parameters
        ----------
        ids : iterable
            The identifiers, in the order wanted.

        Returns
        -------
        Panel
            Those records.
        """
        place = {name: i for i, name in enumerate(self.ids)}
        wanted = list(ids)
        for name in wanted:
            if name not in place:
                hint = near(str(name), self.ids)
                raise DataError("No such series", code="unknown_series", record=name, hint=hint)
        return self.take(place[name] for name in wanted)

    def before(self, ends: Integers) -> Panel:
        """Keep what comes before a row of each record: the past, as it was then.

        Parameters
        ----------
        ends : ndarray of int, shape (records,)
            How many steps of each record to keep.

        Returns
        -------
        Panel
            The first ``ends[i]`` steps of every record.
        """
        ends = self._per_record(ends, "ends")
        return self._rows(self.offsets[:-1], self.offsets[:-1] + ends)

    def since(self, starts: Integers) -> Panel:
        """Leave out the first rows of each record.

        Parameters
        ----------
        starts : ndarray of int, shape (records,)
            How many steps of each record to leave out.

        Returns
        -------
        Panel
            What follows them.
        """
        starts = self._per_record(starts, "starts")
        return self._rows(self.offsets[:-1] + starts, self.offsets[1:])

    def head(self, steps: int) -> Panel:
        """Keep the first steps of every record, or all it has.

        Parameters
        ----------
        steps : int
            How many.

        Returns
        -------
        Panel
            The beginnings.
        """
        return self.before(np.minimum(self.lengths, steps))

    def tail(self, steps: int) -> Panel:
        """Keep the last steps of every record, or all it has.

        Parameters
        ----------
        steps : int
            How many.

        Returns
        -------
        Panel
            The endings.
        """
        return self._rows(self.offsets[1:] - np.minimum(self.lengths, steps), self.offsets[1:])

    def split(self, steps: int | Integers) -> tuple[Panel, Panel]:
        """Hold back the last steps of every record.

        Parameters
        ----------
        steps : int or ndarray of int, shape (records,)
            How many to hold back.

        Returns
        -------
        train : Panel
            What comes before.
        held_back : Panel
            The last `steps` of every record.
        """
        back = self._per_record(steps, "steps")
        short = np.flatnonzero(self.lengths <= back)
        if short.size:
            have, want = int(self.lengths[short[0]]), int(back[short[0]])
            raise DataError(
                f"The series has {have} steps, and holding back {want} leaves none to learn from",
                code="too_short",
                record=self.ids[short[0]],
                hint=f"{short.size} series are too short: hold back fewer steps or leave them out.",
            )
        cut = self.offsets[1:] - back
        return self._rows(self.offsets[:-1], cut), self._rows(cut, self.offsets[1:])

    def extend(self, other: Panel) -> Panel:
        """Append new rows to the records they belong to; new identifiers come last.

        Parameters
        ----------
        other : Panel
            Rows later than those here, read on the same clock.

        Returns
        -------
        Panel
            Both; stamps missing between them are there as unobserved steps.
        """
        self._check_same_kind(other)
        place = {name: i for i, name in enumerate(self.ids)}
        fresh = [i for i, name in enumerate(other.ids) if name not in place]
        ids = (*self.ids, *(other.ids[i] for i in fresh))
        index = {name: i for i, name in enumerate(ids)}
        owners = np.repeat(
            np.array([*range(len(self)), *(index[name] for name in other.ids)], np.int64),
            np.concatenate([self.lengths, other.lengths]),
        )
        order = np.argsort(owners, kind="stable")
        offsets = np.searchsorted(owners[order], np.arange(len(ids) + 1))
        static = {
            name: np.concatenate([values, other.static[name][fresh]])
            for name, values in self.static.items()
        }
        both = replace(
            self._joined(other, order),
            ids=ids,
            offsets=offsets,
            static=static,
            notes=(*self.notes, *other.notes),
        )
        both._check_rising()
        return both.completed(strict=True) if self.clock.regular else both

    def completed(self, *, strict: bool) -> Panel:
        """Insert the stamps missing from a regular clock, as unobserved steps.

        Their covariates are carried on from the row before.

        Parameters
        ----------
        strict : bool
            Whether the step was asked for. Then every stamp is inserted, and 5 million are
            refused; else a series that would grow fourfold makes the clock irregular, and the
            rows stay as they are.

        Returns
        -------
        Panel
            With no stamp missing, or on an irregular clock.
        """
        since = self.clock.steps_since_previous(self.times, self.offsets)
        self._check_on_grid(since)
        if (since == 1).all():
            return self
        sparse = too_sparse(since, self.offsets, np.inf if strict else MOST_GROWTH)
        if sparse is not None:
            return self._left_irregular(sparse, strict)
        source, ahead, offsets = plan_filling(since, self.offsets)
        times = self.times[source]
        new = np.flatnonzero(ahead)
        times[new] = self.clock.advance(times[new], ahead[new])
        kept = self._picked(source)
        kept.target[new], kept.observed[new] = np.nan, False
        where = f"in {int((np.diff(offsets) > self.lengths).sum())} of {len(self)} series"
        said = counted(new.size, "stamp was", "stamps were")
        note = f"{said} missing {where}: unobserved steps now."
        return replace(kept, times=times, offsets=offsets, notes=(*self.notes, tell(note)))

    def _bounds(self) -> Iterable[tuple[int, int]]:
        """Give each record's first row and the row after its last."""
        return zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True)

    def _per_record(self, steps: int | Integers, name: str) -> Integers:
        """Check a number of steps for every record."""
        counts = np.broadcast_to(np.asarray(steps), (len(self),))
        if counts.dtype.kind not in "iu" or (counts < 0).any() or (counts > self.lengths).any():
            message = f"{name} counts steps of each series, between 0 and its length"
            raise OptionError(f"{message}, but is {steps!r}.")
        return counts.astype(np.int64)

    def _rows(self, starts: Integers, stops: Integers) -> Panel:
        """Keep the rows from `starts` to `stops` of every record."""
        lengths = stops - starts
        offsets = offsets_of(lengths)
        rows = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return replace(self._picked(rows), offsets=offsets)

    def _picked(self, rows: Integers) -> Panel:
        """Index every flat array."""
        return replace(
            self,
            times=self.times[rows],
            target=self.target[rows],
            observed=self.observed[rows],
            past={name: values[rows] for name, values in self.past.items()},
            future={name: values[rows] for name, values in self.future.items()},
        )

    def _joined(self, other: Panel, order: Integers) -> Panel:
        """Put the rows of two data sets into one order."""

        def join(ours: dict[str, Array], theirs: dict[str, Array]) -> dict[str, Array]:
            return {name: np.concatenate([ours[name], theirs[name]])[order] for name in ours}

        return replace(
            self,
            times=np.concatenate([self.times, other.times])[order],
            target=np.concatenate([self.target, other.target])[order],
            observed=np.concatenate([self.observed, other.observed])[order],
            past=join(self.past, other.past),
            future=join(self.future, other.future),
        )

    def _check_same_kind(self, other: Panel) -> None:
        """Refuse rows that were read otherwise than ours."""
        if other.columns != self.columns:
            raise OptionError(f"The new rows have {other.columns}, but ours are {self.columns}.")
        if (other.clock.kind, other.clock.zone) != (self.clock.kind, self.clock.zone):
            message = f"The new rows run on {other.clock}, but ours on {self.clock}"
            raise DataError(message, code="other_clock", hint="Read them with clock=dataset.clock.")

    def _check_rising(self) -> None:
        """Refuse rows that are not later than those before them."""
        late = (np.diff(self.times) <= 0) & same_record(self.offsets)
        if late.any():
            row = int(np.flatnonzero(late)[0]) + 1
            last, new = (self.clock.show(int(self.times[at])) for at in (row - 1, row))
            raise DataError(
                f"A new row is stamped {new}, but the series already goes up to {last}",
                code="not_later",
                record=self._owner(row),
                column=self.columns.time,
                hint="Give only rows later than those the series has.",
            )

    def _check_on_grid(self, since: Integers) -> None:
        """Refuse stamps that lie off the clock's grid."""
        off = np.flatnonzero(since < 1)
        if off.size:
            row = int(off[0])
            before, here = (self.clock.show(int(self.times[at])) for at in (row - 1, row))
            like = Clock.infer(
                self.times, self.offsets, kind=self.clock.kind, zone=self.clock.zone
            ).step
            advice = "keep no step" if like is None else f"look like freq={like!r}"
            raise DataError(
                f"From {before} to {here} is no whole number of steps of {self.clock.step!r}"
                + also_in(off.size),
                code="off_grid",
                record=self._owner(row),
                column=self.columns.time,
                hint=f"The stamps {advice}: give that, or leave freq out.",
            )

    def _left_irregular(self, record: int, strict: bool) -> Panel:
        """Give up the regular clock, since most of its stamps are missing."""
        step, name = self.clock.step, self.ids[record]
        if strict:
            raise DataError(
                f"More than {MOST_ROWS:,} stamps are missing at a step of {step!r}, most of them "
                "in this series",
                code="too_sparse",
                record=name,
                column=self.columns.time,
                hint="Give a longer freq, or leave freq out to use the stamps as they are.",
            )
        note = f"Most stamps of a step of {step!r} are missing in series {name!r}"
        text = tell(f"{note}: the clock is taken as irregular.")
        return replace(self, clock=replace(self.clock, step=None), notes=(*self.notes, text))

    def _owner(self, row: int) -> object:
        """Say whose row it is."""
        return self.ids[place_of(self.offsets, row)[0]]
