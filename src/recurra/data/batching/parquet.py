"""Records in Parquet, more than memory holds: read row group by row group, in bounded blocks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from recurra.data.batching.ahead import read_ahead
from recurra.data.batching.arrow_columns import arrow
from recurra.data.batching.index import Index, index_of
from recurra.data.batching.layouts import read_piece
from recurra.data.batching.pieces import Piece, join_pieces
from recurra.data.batching.roles import (
    Layout,
    Roles,
    channel_type,
    check_same_types,
    holds_labels,
    read_classes,
    read_roles,
)
from recurra.data.batching.row_groups import LARGEST_GROUP, find_sources, row_groups
from recurra.data.sequences import SequenceDataset
from recurra.data.sequences.target import Level
from recurra.data.tables.notes import tell
from recurra.errors import FileError, check_count
from recurra.types import Integers

__all__ = ["ParquetRecords"]

SPREAD = 8
"""Row groups that a sample comes from, at least, where there are as many."""


class ParquetRecords:
    """Records in one or many Parquet files, larger than memory.

    The files are read piece by piece; in memory are two blocks, the one in use and the next, and a
    few thousand rows. One pass over the identifiers, before the first block, counts the records,
    finds the labels and makes sure that each record is in one place; it holds the identifiers, and
    nothing else, in memory.

    Parameters
    ----------
    path : str or path-like
        A file, or a folder of ``.parquet`` files, read in the order of their names (numbers in
        names as numbers).
    id : str
        The column that says whose each row is: text or integers.
    time : str, optional
        When each step was: timestamps or dates, or numbers. The steps of a record out of order are
        sorted, with a note.
    target : str, optional
        What is to be learnt: text, flags and integers are labels, floats are numbers; null is
        unknown.
    level : {"record", "step", "labels"}
        What the target belongs to; with ``"record"`` it is the same in all rows of a record, and
        ``"labels"`` (a transcript) goes with the nested layout only.
    channels : sequence of str, optional
        The inputs, numbers or flags; by default all other columns. Null and NaN are missing.
    layout : {"long", "nested"}
        A row for each step, the rows of a record next to each other (over the borders of row groups
        and files if need be); or a row for each record, its steps in lists.
    classes : sequence, optional
        The labels of the target, so that other files have the same codes; by default those there,
        sorted.
    largest_group : int
        Bytes that the columns read of one row group may decode to.

    Raises
    ------
    FileError
        If there is no such file, one is no Parquet, damaged, changed meanwhile, larger than
        `largest_group`, or differs from the others.
    DataError
        If a column is missing or has the wrong type, or, when read, a value is wrong: a missing
        identifier or time, an infinite number, a record in two places (``"scattered_record"``).

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"id": ["a", "a", "b"], "x": [1.0, 2.0, 3.0], "y": [0, 0, 1]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     frame.to_parquet(f"{folder}/part-0.parquet")
    ...     records = ParquetRecords(folder, id="id", target="y")
    ...     print(records)
    ...     for block in records.blocks(1):
    ...         print(block.ids, block.stream.values.ravel(), block.target.values.ravel())
    ParquetRecords(3 steps, 1 channel, 1 row group of 1 file)
    ('a',) [1. 2.] [0]
    ('b',) [3.] [1]
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        id: str,
        time: str | None = None,
        target: str | None = None,
        level: Level = "record",
        channels: Sequence[str] | None = None,
        layout: Layout = "long",
        classes: Sequence[object] | None = None,
        largest_group: int = LARGEST_GROUP,
    ) -> None:
        self.sources = find_sources(path)
        self.layout: Layout = layout
        first = self.sources[0]
        self._roles = read_roles(
            first, layout, id=id, time=time, target=target, level=level, channels=channels
        )
        self._labelled = holds_labels(first, self._roles, layout)
        if classes is not None:
            self._roles = replace(
                self._roles, classes=read_classes(first, self._roles, layout, classes)
            )
        self._dtype = channel_type(first, self._roles, layout)
        for other in self.sources:
            check_same_types(first, other, self._roles.columns)
        self.groups = [group for source in self.sources for group in row_groups(source)]
        self._check_sizes(largest_group)

    def __repr__(self) -> str:
        rows = sum(group.rows for group in self.groups)
        many = {
            "step" if self.layout == "long" else "record": rows,
            "channel": len(self.channels),
            "row group": len(self.groups),
        }
        said = ", ".join(
            f"{count} {name}{'s' if count != 1 else ''}" for name, count in many.items()
        )
        files = len(self.sources)
        return f"ParquetRecords({said} of {files} file{'s' if files != 1 else ''})"

    def __len__(self) -> int:
        """Count the records: one pass over the identifiers, the first time."""
        return int(self._index.begun.sum())

    @property
    def channels(self) -> tuple[str, ...]:
        """The inputs."""
        return self._roles.channels

    @property
    def classes(self) -> tuple[object, ...]:
        """The labels of the target; empty for numbers."""
        return self._learned.classes

    def blocks(
        self, records: int = 1024, *, shuffle: int | None = None, ahead: bool = True
    ) -> Iterator[SequenceDataset]:
        """Read all records once, block by block.

        Parameters
        ----------
        records : int
            How many records a block has; the last may have fewer.
        shuffle : int, optional
            A seed, one for each epoch: row groups come in random order, and records are shuffled
            within a block. Records of one row group stay near each other, so blocks should be
            larger than row groups, or the files not be sorted by what is to be learnt. By default
            all is in the order of the files.
        ahead : bool
            Whether a thread reads the next block while this one is used.

        Returns
        -------
        iterator of SequenceDataset
            With one stream ``"x"``. Closing it ends the thread.
        """
        records = check_count("records", records)
        seed = check_count("shuffle", shuffle, least=0, optional=True)
        chance = None if seed is None else np.random.default_rng(seed)
        made = self._blocks(records, chance)
        return _told(read_ahead(made) if ahead else made)

    def sample(self, records: int = 1024, seed: int = 0) -> SequenceDataset:
        """Draw records at random, to learn treatments from: ``preprocessor.fit(records.sample())``.

        They come from eight row groups drawn at random, or from as many as it takes. What a sample
        does not show (a rare category, the largest value) is not learned.

        Parameters
        ----------
        records : int
            How many; all where there are no more.
        seed : int
            What is drawn depends on it.

        Returns
        -------
        SequenceDataset
            The records, in random order.
        """
        records = check_count("records", records)
        chance = np.random.default_rng(check_count("seed", seed, least=0))
        parts = []
        for unit, places in self._plan(records, chance).items():
            at = 0
            for piece in self._unit(unit):
                here = places[(places >= at) & (places < at + len(piece))] - at
                at += len(piece)
                if len(here):
                    parts.append(piece.take(here))
                if at > places[-1]:
                    break
        drawn = join_pieces(parts)
        block = drawn.take(chance.permutation(len(drawn))).dataset(self._learned)
        for note in block.notes:
            tell(note)
        return block

    @cached_property
    def _index(self) -> Index:
        wanted = self._labelled and not self._roles.classes
        return index_of(self.groups, self._roles, self.layout, labels=wanted)

    @cached_property
    def _learned(self) -> Roles:
        """The roles, with the labels that were found."""
        if not self._labelled or self._roles.classes:
            return self._roles
        return replace(self._roles, classes=self._index.classes)

    def _check_sizes(self, largest: int) -> None:
        """Refuse what would fill the memory, before anything is decoded."""
        for group in self.groups:
            size = group.decoded_size(self._roles.columns)
            if size > largest:
                message = f"{group.place} decodes to about {size} bytes, more than {largest}"
                raise FileError(
                    f"{message}. Write smaller row groups, read fewer channels, or raise "
                    "largest_group if you trust the file."
                )

    def _blocks(
        self, records: int, chance: np.random.Generator | None
    ) -> Iterator[SequenceDataset]:
        """Collect whole records until there are enough for a block."""
        count, roles = len(self.groups), self._learned
        order = range(count) if chance is None else chance.permutation(count)
        waiting: list[Piece] = []
        for piece in (piece for unit in order for piece in self._unit(int(unit))):
            waiting.append(piece)
            if sum(map(len, waiting)) < records:
                continue
            whole = join_pieces(waiting)
            cuts = range(records, len(whole) + 1, records)
            for stop in cuts:
                yield _block(whole.cut(stop - records, stop), roles, chance)
            rest = whole.cut(cuts[-1], len(whole))
            waiting = [rest] if len(rest) else []
        if waiting:
            yield _block(join_pieces(waiting), roles, chance)

    def _unit(self, unit: int) -> Iterator[Piece]:
        """Read the records that begin in a row group, to their ends in those that follow."""
        tail: Piece | None = None
        for rows, where in self._rows(unit):
            piece = read_piece(rows, self._learned, self.layout, self._dtype, where)
            if tail is not None:
                piece = join_pieces([tail, piece], continued=True)
            keep = len(piece) - (self.layout == "long")
            if keep:
                yield piece.cut(0, keep)
            tail = piece.cut(keep, len(piece)) if self.layout == "long" else None
        if tail is not None:
            yield tail
        arrow().default_memory_pool().release_unused()  # or it keeps what it decoded into

    def _rows(self, unit: int) -> Iterator[tuple[Any, str]]:
        """Decode the rows of the records that begin in a row group."""
        heads, names = self._index.heads, self._roles.columns
        group = self.groups[unit]
        if heads[unit] == group.rows:
            return
        for rows in group.read(names, start=int(heads[unit])):
            yield rows, group.place
        for following in range(unit + 1, len(self.groups)):
            group = self.groups[following]
            if heads[following]:
                for rows in group.read(names, stop=int(heads[following])):
                    yield rows, group.place
            if heads[following] < group.rows:
                return

    def _plan(self, records: int, chance: np.random.Generator) -> dict[int, Integers]:
        """Draw which records of which row groups a sample has."""
        begun = self._index.begun
        order = chance.permutation(np.flatnonzero(begun))
        share = -(-records // min(SPREAD, len(order)))
        counts: dict[int, int] = {}
        missing = records
        for most in (np.minimum(begun, share), begun):
            for unit in map(int, order):
                more = min(int(most[unit]) - counts.get(unit, 0), missing)
                if more:
                    counts[unit] = counts.get(unit, 0) + more
                    missing -= more
        return {
            unit: np.sort(chance.choice(int(begun[unit]), count, replace=False))
            for unit, count in counts.items()
        }


def _block(piece: Piece, roles: Roles, chance: np.random.Generator | None) -> SequenceDataset:
    """Make a data set of some records, shuffled if there is chance."""
    piece = piece if chance is None else piece.take(chance.permutation(len(piece)))
    return piece.dataset(roles)


def _told(blocks: Iterator[SequenceDataset]) -> Iterator[SequenceDataset]:
    """Warn of treatments in the thread that uses the blocks."""
    try:
        for block in blocks:
            for note in block.notes:
                tell(note)
            yield block
    finally:
        blocks.close()  # type: ignore[attr-defined]
