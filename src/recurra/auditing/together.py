"""What goes missing together: all channels of a step, groups of channels, or each by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from recurra.auditing.phrases import percent
from recurra.errors import ShapeError
from recurra.types import Array, Floats

__all__ = ["Together", "find_groups", "repeated_stamps"]

MOST_OF_IT = 0.9
ALIKE = 0.8
"""Channels whose masks correlate this much belong together."""


@dataclass(frozen=True)
class Together:
    """Which channels lose their values at the same steps.

    Parameters
    ----------
    pattern : str
        ``"complete"``; ``"whole steps"``: of the steps that lack a value nine tenths or more lack
        all of them; ``"groups"``: some channels' masks correlate by 0.8 or more, each with another
        of its group; ``"channel-wise"``: none do.
    groups : tuple of tuple of int
        The channels that belong together; those that stand alone are left out.
    steps : float
        The share of steps that lack at least one value.
    whole : float
        The share of steps that lack all values.
    """

    pattern: Literal["complete", "whole steps", "groups", "channel-wise"]
    groups: tuple[tuple[int, ...], ...]
    steps: float
    whole: float

    @property
    def sentence(self) -> str:
        """The finding as one sentence without a full stop."""
        lost = f"{percent(self.steps)} of the steps lack a value, {percent(self.whole)} all"
        if self.pattern == "groups":
            named = "; ".join(", ".join(str(one) for one in group) for group in self.groups)
            return f"channels go missing in groups ({named}): {lost}"
        told = {
            "complete": "no step lacks a value",
            "whole steps": f"whole steps are missing: {lost}",
            "channel-wise": f"each channel goes missing by itself: {lost}",
        }
        return told[self.pattern]


def find_groups(observed: Any) -> Together:
    """Find the channels whose values are missing at the same steps.

    Parameters
    ----------
    observed : array_like of bool, shape (rows, channels)
        Whether each row has its value in each channel.

    Returns
    -------
    Together
        The pattern, and the groups.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> wind, rain = rng.random(500) < 0.8, rng.random(500) < 0.9
    >>> found = find_groups(np.stack([wind, wind, rain], axis=1))
    >>> found.pattern, found.groups
    ('groups', ((0, 1),))
    """
    missing = ~np.asarray(observed, bool)
    if missing.ndim != 2:
        raise ShapeError(f"observed has shape {missing.shape}, but it must be (rows, channels).")
    if not missing.any():
        return Together("complete", (), 0.0, 0.0)
    steps, whole = float(missing.any(1).mean()), float(missing.all(1).mean())
    channels = missing.shape[1]
    if channels > 1 and whole >= MOST_OF_IT * steps:
        return Together("whole steps", (tuple(range(channels)),), steps, whole)
    groups = _linked(_correlations(missing) >= ALIKE)
    return Together("groups" if groups else "channel-wise", groups, steps, whole)


def repeated_stamps(times: Any, offsets: Any) -> float:
    """Give the share of rows whose stamp stands in their record already.

    Parameters
    ----------
    times : array_like, shape (rows,)
        Stamps, in any order.
    offsets : array_like of int64, shape (records + 1,)
        Where each record starts.

    Returns
    -------
    float
        0 where each stamp is the only one of its kind.

    Examples
    --------
    >>> repeated_stamps([1, 2, 2, 2, 2, 3], [0, 4, 6])
    0.3333333333333333
    """
    times, offsets = np.asarray(times), np.asarray(offsets, np.int64)
    if len(times) == 0:
        return 0.0
    record = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    order = np.lexsort((times, record))
    times, record = times[order], record[order]
    same = (times[1:] == times[:-1]) & (record[1:] == record[:-1])
    return float(same.sum() / len(times))


def _correlations(missing: Array) -> Floats:
    """Correlate the masks of channels; 0 with one that is all or nothing."""
    centred = missing.astype(np.float32) - missing.mean(0, dtype=np.float64).astype(np.float32)
    size = np.sqrt((centred**2).sum(0, dtype=np.float64))
    products = (centred.T @ centred).astype(np.float64)
    return products / np.maximum(np.outer(size, size), 1e-9)


def _linked(near: Array) -> tuple[tuple[int, ...], ...]:
    """Join what is near to each other, or to something in between; leave out what is alone."""
    groups: list[set[int]] = []
    for channel in range(len(near)):
        own = {channel, *np.flatnonzero(near[channel]).tolist()}
        touched = [group for group in groups if group & own]
        groups = [group for group in groups if not group & own]
        groups.append(own.union(*touched))
    return tuple(sorted(tuple(sorted(group)) for group in groups if len(group) > 1))
