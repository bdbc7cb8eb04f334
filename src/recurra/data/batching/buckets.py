"""Which records go together: batches of similar lengths in random order, and where one stands."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Self

import numpy as np

from recurra.data.sequences import SequenceDataset
from recurra.errors import OptionError, check_count
from recurra.types import Array, Integers

__all__ = ["Batches", "share_padded"]

POOL = 50
"""Batches whose records are sorted by length together."""
FEWEST, LARGEST = 12, 64
"""A batch is a twelfth of the records unless told, so that few records are cut finely: with a
handful of batches, even sorted records differ much in length. It has 64 records at most."""


class Batches:
    """The places of the records of each batch, epoch after epoch.

    To pad little and still mix, records are shuffled, cut in pools of 50 batches, sorted by length
    in each pool, cut in batches, and the batches shuffled. The smaller batch that a pool may leave
    comes at a random place among the lengths, so that batches are cut elsewhere each epoch.

    Each ``for`` runs through what is left of an epoch: one that was left early goes on where it
    stopped. The order is a function of the seed and the number of the epoch, so the state of the
    generator is those two numbers.

    Parameters
    ----------
    lengths : SequenceDataset or array-like of int, shape (records,)
        How many steps each record has.
    batch_size : int, optional
        Records of a batch, at most; by default a twelfth of all, 1 to 64.
    by_length : bool, default True
        Whether records of similar length go together.
    shuffle : bool, default True
        Whether the order is random; else it is that of the records, or of their lengths.
    seed : int, default 0
        What the order depends on.
    drop_last : bool, default False
        Whether to leave out, each epoch, the records that do not fill a batch.
    max_steps : int, optional
        Most cells of a batch in time, rows times the longest: batches of long records are smaller.

    Raises
    ------
    OptionError
        If a length is negative, an option out of range, or a record longer than `max_steps`.

    Examples
    --------
    >>> batches = Batches([5, 1, 5, 1, 5, 1], 3)
    >>> [sorted(batch.tolist()) for batch in batches]
    [[0, 2, 4], [1, 3, 5]]
    >>> share_padded(batches), share_padded(Batches([5, 1], 2))
    (0.0, 0.4)
    """

    def __init__(
        self,
        lengths: SequenceDataset | Any,
        batch_size: int | None = None,
        *,
        by_length: bool = True,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
        max_steps: int | None = None,
    ) -> None:
        self.lengths = _read_lengths(lengths)
        if batch_size is None:
            batch_size = min(max(len(self.lengths) // FEWEST, 1), LARGEST)
        batch_size = check_count("batch_size", batch_size)
        seed = check_count("seed", seed, least=0)
        max_steps = check_count("max_steps", max_steps, optional=True)
        longest = int(self.lengths.max(initial=0))
        if max_steps is not None and longest > max_steps:
            place = int(self.lengths.argmax())
            message = f"max_steps={max_steps}, but the record at place {place} has {longest} steps"
            raise OptionError(f"{message}. Raise max_steps, or cut the records into windows.")
        self.batch_size = batch_size
        self.by_length = by_length
        self.shuffle = shuffle
        self.seed = seed
        self.drop_last = drop_last
        self.max_steps = max_steps
        self._epoch = self._position = 0

    def __repr__(self) -> str:
        shown = f"{len(self.lengths)} records, batch_size={self.batch_size}, seed={self.seed}"
        return f"Batches({shown}; epoch {self._epoch}, batch {self._position})"

    def __len__(self) -> int:
        """Count the batches of the present epoch; with `max_steps` epochs may differ."""
        if self.max_steps is not None:
            return len(self.epoch(self._epoch))
        whole, rest = divmod(len(self.lengths), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Integers]:
        """Run through what is left of the present epoch, and stand before the next."""
        batches = self.epoch(self._epoch)
        while self._position < len(batches):
            self._position += 1
            yield batches[self._position - 1]
        self._epoch, self._position = self._epoch + 1, 0

    def epoch(self, number: int) -> list[Integers]:
        """List the batches of an epoch, wherever the iteration stands.

        Parameters
        ----------
        number : int
            Which, from 0.

        Returns
        -------
        list of ndarray of int64
            The places of each batch.
        """
        chance = np.random.default_rng([self.seed, number]) if self.shuffle else None
        count = len(self.lengths)
        order = np.arange(count) if chance is None else chance.permutation(count)
        size = count if chance is None or not self.by_length else POOL * self.batch_size
        batches = []
        for start in range(0, count, max(size, 1)):
            batches += self._cut(order[start : start + size], chance)
        if chance is not None and self.by_length:
            batches = [batches[k] for k in chance.permutation(len(batches))]
        return batches

    def state(self) -> dict[str, Any]:
        """Say where the iteration stands.

        Returns
        -------
        dict
            Plain numbers, which JSON can hold; for `restore`.
        """
        return {"epoch": self._epoch, "position": self._position, **self._identity()}

    def restore(self, state: Mapping[str, Any]) -> Self:
        """Stand where another iteration over the same records stood.

        Parameters
        ----------
        state : mapping
            What `state` returned.

        Returns
        -------
        Batches
            Itself.

        Raises
        ------
        OptionError
            If that iteration was over other records, or had other options.
        """
        own = self._identity()
        if not isinstance(state, Mapping) or set(state) != {"epoch", "position", *own}:
            raise OptionError(f"{state!r} is no state of batches. Give what state() returned.")
        differing = [name for name in own if state[name] != own[name]]
        if differing:
            name = differing[0]
            message = (
                f"The state was taken with {name} {state[name]!r}, but here it is {own[name]!r}"
            )
            raise OptionError(f"{message}. Give the same records and options.")
        epoch = check_count("epoch", state["epoch"], least=0)
        position = check_count("position", state["position"], least=0)
        if position > len(self.epoch(epoch)):
            raise OptionError(f"There is no batch {position} in epoch {epoch}.")
        self._epoch, self._position = epoch, position
        return self

    def _identity(self) -> dict[str, Any]:
        """Say what the order depends on."""
        options = ("batch_size", "by_length", "shuffle", "seed", "drop_last", "max_steps")
        content = {"records": len(self.lengths), "checksum": zlib.crc32(self.lengths.tobytes())}
        return {**content, **{name: getattr(self, name) for name in options}}

    def _cut(self, pool: Integers, chance: np.random.Generator | None) -> list[Integers]:
        """Cut a pool in batches."""
        if self.by_length:
            pool = pool[np.argsort(self.lengths[pool], kind="stable")]
        if self.max_steps is not None:
            return self._cut_by_steps(pool)
        whole, rest = divmod(len(pool), self.batch_size)
        sizes = np.full(whole, self.batch_size)
        if rest:
            at = chance.integers(whole + 1) if chance is not None and self.by_length else whole
            sizes = np.insert(sizes, at, rest)
        ends = np.cumsum(sizes).tolist()
        parts = [pool[start:end] for start, end in pairwise([0, *ends])]
        return [part for part in parts if len(part) == self.batch_size or not self.drop_last]

    def _cut_by_steps(self, pool: Integers) -> list[Integers]:
        """Cut a pool in batches of as many records as `max_steps` allows."""
        assert self.max_steps is not None
        batches, start = [], 0
        while start < len(pool):
            lengths = self.lengths[pool[start : start + self.batch_size]]
            cells = np.maximum.accumulate(lengths) * np.arange(1, len(lengths) + 1)
            size = int(np.searchsorted(cells, self.max_steps, side="right"))
            part = pool[start : start + size]
            start += size
            unfilled = start == len(pool) and len(part) < self.batch_size
            if not (unfilled and self.drop_last):
                batches.append(part)
        return batches


def share_padded(batches: Batches, epoch: int = 0) -> float:
    """Measure how much of the batches of an epoch is padding.

    Parameters
    ----------
    batches : Batches
        The batches.
    epoch : int, default 0
        Which epoch.

    Returns
    -------
    float
        Padded steps by all steps, 0 to 1.

    Examples
    --------
    >>> share_padded(Batches([4, 2], 2))
    0.25
    """
    lengths = [batches.lengths[batch] for batch in batches.epoch(epoch)]
    cells = sum(len(each) * int(each.max(initial=0)) for each in lengths)
    return 1 - sum(int(each.sum()) for each in lengths) / cells if cells else 0.0


def _read_lengths(given: Any) -> Integers:
    """Read how many steps each record has."""
    lengths: Array = given.lengths if isinstance(given, SequenceDataset) else np.asarray(given)
    if lengths.ndim != 1 or (lengths.size and lengths.dtype.kind not in "iu"):
        shape = f"shape {lengths.shape} and type {lengths.dtype}"
        raise OptionError(f"lengths has {shape}, but one integer for each record is read.")
    if not lengths.size:
        raise OptionError("There are no records to make batches of. Give at least one.")
    if (lengths < 0).any():
        place = int((lengths < 0).argmax())
        raise OptionError(f"The length at place {place} is {lengths[place]}, but none is negative.")
    return lengths.astype(np.int64)
