"""What the pictures show, as small lists: drawn later, if at all, and kept in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recurra.auditing.case import Case, View
from recurra.auditing.profile import Profile
from recurra.types import Floats, Integers

__all__ = ["MOST_CHANNELS", "Drawing", "draw"]

MOST_STREAMS, MOST_CHANNELS, MOST_COLUMNS, MOST_BINS = 3, 40, 160, 30
FEW_RECORDS = 3

Drawing = Mapping[str, Any]
"""What is drawn (``kind``), of which stream, and the numbers."""


def draw(case: Case, profiles: Mapping[str, list[Profile]]) -> tuple[Drawing, ...]:
    """Choose what is drawn, and count it.

    Parameters
    ----------
    case : Case
        The data.
    profiles : dict of str to list of Profile
        The channels of each stream.

    Returns
    -------
    tuple of dict
        One for each picture.
    """
    made: list[Drawing | None] = []
    views = sorted(case.streams.values(), key=lambda each: -each.seen.size)[:MOST_STREAMS]
    for view in views:
        if view.measured and not view.seen.all():
            made.append(_holes(view, profiles[view.name]))
        made += [_lengths(view), _gaps(view)]
        if view.measured:
            made.append(_ranges(view.name, profiles[view.name]))
    return tuple(each for each in made if each is not None)


def _holes(view: View, channels: list[Profile]) -> Drawing:
    """Missing shares, channel by channel, along the rows or over the records."""
    gappy = [k for k, each in enumerate(channels) if each.missing.missing]
    worst = sorted(gappy, key=lambda k: -channels[k].missing.share)[:MOST_CHANNELS]
    shown = sorted(worst)
    few = len(view.stream) <= FEW_RECORDS
    total = view.stream.rows if few else len(view.stream)
    bins = min(MOST_COLUMNS, total)
    edges = np.linspace(0, total, bins + 1).astype(np.int64)
    rows = edges if few else view.places[edges]
    return {
        "kind": "holes",
        "stream": view.name,
        "along": "steps" if few else "records",
        "total": total,
        "channels": [channels[k].channel for k in shown],
        "left_out": len(gappy) - len(shown),
        "shares": [_shares(view, k, rows) for k in shown],
    }


def _shares(view: View, k: int, rows: Integers) -> list[float | None]:
    """Missing share between rows; None where there are none."""
    total = np.concatenate([[0], np.cumsum(~view.seen[:, k])])
    count = np.diff(rows)
    lost = np.diff(total[rows])
    return [round(float(a / b), 3) if b else None for a, b in zip(lost, count, strict=True)]


def _lengths(view: View) -> Drawing | None:
    lengths = view.stream.lengths
    if len(lengths) < 5 or lengths.min() == lengths.max():
        return None
    log = lengths.max() > 50 * max(float(np.median(lengths)), 1.0)
    found = _histogram(np.log10(np.maximum(lengths, 1)) if log else lengths.astype(np.float64))
    return {"kind": "lengths", "stream": view.name, "log": log, **found}


def _gaps(view: View) -> Drawing | None:
    gaps = view.gaps[view.gaps > 0] if view.stream.times is not None else np.zeros(0)
    if len(gaps) < 5 or gaps.max() <= gaps.min() * 1.001:
        return None
    unit = "seconds" if view.stream.clock == "calendar" else ""
    return {
        "kind": "gaps",
        "stream": view.name,
        "log": True,
        "unit": unit,
        **_histogram(np.log10(gaps)),
    }


def _histogram(values: Floats) -> dict[str, list[float]]:
    counts, edges = np.histogram(values, bins=MOST_BINS)
    return {"counts": counts.tolist(), "edges": [float(f"{edge:.6g}") for edge in edges]}


def _ranges(name: str, channels: list[Profile]) -> Drawing | None:
    numbers = [each for each in channels if each.count and not each.coded]
    shown = numbers[:MOST_CHANNELS]
    if not shown:
        return None
    return {
        "kind": "ranges",
        "stream": name,
        "channels": [each.channel for each in shown],
        "left_out": len(numbers) - len(shown),
        "quantiles": [[float(f"{one:.6g}") for one in each.quantiles] for each in shown],
    }
