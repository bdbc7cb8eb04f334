"""Tables of what is there: streams, channels, targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recurra.auditing.case import Case
from recurra.auditing.clocks import Ticks
from recurra.auditing.phrases import number, percent
from recurra.auditing.profile import Profile
from recurra.data.sequences import STATIC

__all__ = ["Table", "tables_of"]

SHARES = ("missing",)


@dataclass(frozen=True)
class Table:
    """A small table.

    Parameters
    ----------
    title : str
        What is in it.
    columns : tuple of str
        The names of its columns.
    rows : tuple of tuple
        Text, numbers and None, as JSON can hold them.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def written(self) -> list[list[str]]:
        """Write every cell for people.

        Returns
        -------
        list of list of str
            Shares as percentages, numbers with three digits, nothing for None.
        """
        return [
            [_cell(cell, name in SHARES) for cell, name in zip(row, self.columns, strict=True)]
            for row in self.rows
        ]


def _cell(cell: Any, share: bool) -> str:
    if cell is None:
        return ""
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    if isinstance(cell, float):
        return (percent(cell) if cell else "0") if share else number(cell)
    return str(cell)


def tables_of(case: Case, profiles: Mapping[str, list[Profile]]) -> tuple[Table, ...]:
    """Sum up what is there.

    Parameters
    ----------
    case : Case
        The data.
    profiles : dict of str to list of Profile
        The channels of each stream.

    Returns
    -------
    tuple of Table
        Streams, channels and targets, those that there are.
    """
    tables = [_streams(case), _channels(case, profiles), _targets(case)]
    return tuple(table for table in tables if table.rows)


def _streams(case: Case) -> Table:
    rows = []
    for name, view in case.streams.items():
        stream, lengths = view.stream, view.stream.lengths
        shortest, middle, longest = (int(each(lengths)) for each in (np.min, np.median, np.max))
        span = (
            f"{shortest:,}" if shortest == longest else f"{shortest:,} – {middle:,} – {longest:,}"
        )
        width = len(stream.channels) if stream.kind != "records" else None
        missing = float(1 - view.seen.mean()) if view.seen.size else 0.0
        clock = Ticks(view).words + (f", {stream.zone}" if stream.zone else "")
        rows.append((name, width, len(stream), stream.rows, span, missing, clock, stream.kind))
    heads = ("stream", "channels", "records", "steps", "steps a record", "missing", "clock", "kind")
    return Table("Streams", heads, tuple(rows))


def _channels(case: Case, profiles: Mapping[str, list[Profile]]) -> Table:
    shape_heads = ("lowest", "5 %", "median", "95 %", "highest", "far out")
    heads = ("channel", "holds", "missing", "pattern", *shape_heads)
    rows = []
    for channels in profiles.values():
        for each in channels:
            called = case.called(each.stream, each.channel)
            called = f"{called} (static)" if each.stream == STATIC else called
            share = each.missing.share
            pattern = None if each.stream == STATIC else each.missing.pattern
            if each.coded or not each.count:
                shape: tuple[Any, ...] = (None,) * 6
            else:
                shape = (*each.quantiles, int(each.outlying.sum()))
            rows.append((called, _kind(each), share, pattern, *shape))
    return Table("Channels", heads, tuple(rows))


def _kind(profile: Profile) -> str:
    """What a channel holds, in a word or two."""
    if profile.coded:
        return f"{profile.different} labels"
    if not profile.count:
        return "nothing"
    if profile.constant:
        return "one value"
    if profile.binary:
        return f"{number(profile.low)} or {number(profile.high)}"
    whole = bool((profile.ordered % 1 == 0).all())
    return "whole numbers" if whole else "numbers"


def _targets(case: Case) -> Table:
    rows = []
    for name, target in case.targets.items():
        missing = float(1 - target.observed.mean()) if target.values.size else 0.0
        what = f"one for each {target.level}".replace("labels", "label")
        if target.classes:
            counts = np.bincount(target.values[target.observed], minlength=len(target.classes))
            order = np.argsort(-counts, kind="stable")[:3]
            holds = f"{len(target.classes)} classes"
            most = ", ".join(f"{target.classes[k]!s}: {counts[k]:,}" for k in order)
            most += ", …" if len(counts) > 3 else ""
        else:
            known = target.values[target.observed]
            holds = "numbers"
            most = ""
            if len(known):
                low, middle, high = (float(one) for one in np.quantile(known, (0, 0.5, 1)))
                most = f"{number(low)} – {number(middle)} – {number(high)}"
        rows.append((name, what, holds, len(target.outputs), missing, most))
    heads = ("target", "level", "holds", "outputs", "missing", "most often, or range")
    return Table("Targets", heads, tuple(rows))
