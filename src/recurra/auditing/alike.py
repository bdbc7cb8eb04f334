"""Channels that say the same: equal wherever both are observed, or nearly."""

from __future__ import annotations

import numpy as np

from recurra.auditing.case import Case, View
from recurra.auditing.finding import Finding
from recurra.auditing.phrases import quoted
from recurra.data.sequences import STATIC
from recurra.types import Booleans, Floats, Integers

__all__ = ["correlations", "find_alike"]

ALIKE = 0.999
MOST_ROWS, FEWEST_PAIRS = 20_000, 30


def find_alike(case: Case, view: View, telling: list[int]) -> list[Finding]:
    """Find channels that say the same as one before them.

    Parameters
    ----------
    case : Case
        The data.
    view : View
        One of its streams, without values that are far out.
    telling : list of int
        The channels that are worth comparing.

    Returns
    -------
    list of Finding
        One for each that could go; the channel that stays comes second.
    """
    if len(telling) < 2 or (view.name == STATIC and view.stream.rows < FEWEST_PAIRS):
        return []
    found: list[Finding] = []
    gone: set[int] = set()
    for one, other in _candidates(view, telling):
        if one in gone or other in gone:
            continue
        both = view.seen[:, one] & view.seen[:, other]
        keep, drop = (
            (one, other) if view.seen[:, one].sum() >= view.seen[:, other].sum() else (other, one)
        )
        first, second = (view.stream.values[both, k].astype(np.float64) for k in (keep, drop))
        equal = bool((first == second).all())
        if view.is_coded(one) != view.is_coded(other) or (view.is_coded(one) and not equal):
            continue
        correlation = 1.0 if equal else _correlation(first, second)
        if abs(correlation) <= ALIKE:
            continue
        gone.add(drop)
        covered = both.sum() >= 0.99 * view.seen[:, drop].sum()
        a, b = (quoted(case.called(view.name, view.stream.channels[k])) for k in (drop, keep))
        if equal:
            said = f"{a} equals {b} wherever both are observed"
        else:
            said = f"{a} and {b} say nearly the same (correlation {_close(correlation)})"
        said += ": one of them is enough." if covered else ", but not always together."
        numbers = {"correlation": correlation, "equal": equal, "covered": bool(covered)}
        pair = (view.stream.channels[drop], view.stream.channels[keep])
        code = "equal_channels" if equal else "alike_channels"
        found.append(Finding(code, "advice" if covered else "note", said, view.name, pair, numbers))
    return found


def _correlation(one: Floats, other: Floats) -> float:
    """Correlate two channels of any size."""
    both = np.column_stack([one, other])
    return float(correlations(both, np.ones(both.shape, bool))[0, 1])


def _close(correlation: float) -> str:
    """Write a correlation near one, never as one."""
    digits = next((d for d in (4, 6, 8) if abs(round(correlation, d)) < 1), None)
    return "1" if digits is None else f"{correlation:.{digits}f}"


def _candidates(view: View, telling: list[int]) -> list[tuple[int, int]]:
    """Give the pairs that correlate strongly, from rows spread over the whole."""
    rows = slice(None, None, max(1, view.stream.rows // MOST_ROWS))
    seen = view.seen[rows][:, telling]
    few = seen.sum(0) < 10 * FEWEST_PAIRS
    if few.any():  # rarely observed: every row counts
        rows = slice(None)
        seen = view.seen[:, telling]
    values = view.stream.values[rows][:, telling].astype(np.float64)
    strong = np.abs(correlations(values, seen)) > ALIKE - 0.0005
    pairs = np.argwhere(np.triu(strong, 1))
    return [(telling[one], telling[other]) for one, other in pairs.tolist()]


def correlations(values: Floats, seen: Booleans) -> Floats:
    """Correlate channels pair by pair, each over the rows in which both are observed.

    Parameters
    ----------
    values : ndarray of float64, shape (rows, channels)
        The values.
    seen : ndarray of bool, shape (rows, channels)
        Where there is one.

    Returns
    -------
    ndarray of float64, shape (channels, channels)
        0 where a pair has fewer than 30 rows, or no spread.

    Examples
    --------
    >>> values = np.arange(80.0).reshape(40, 2)
    >>> float(correlations(values, values >= 0)[0, 1].round(6))
    1.0
    """
    weight = seen.astype(np.float64)
    count: Integers | Floats = np.maximum(weight.sum(0), 1)
    plain = np.where(seen, values, 0.0)
    largest = np.abs(plain).max(0, initial=0.0)
    plain = plain / np.where(largest > 0, largest, 1.0)  # so that squares neither burst nor vanish
    centred = np.where(seen, plain - plain.sum(0) / count, 0.0)
    size = np.sqrt((centred**2).sum(0) / count)
    scaled = centred / np.where(size > 0, size, 1.0)
    pairs = weight.T @ weight
    together = np.maximum(pairs, 1)
    first = scaled.T @ weight / together
    second = (scaled**2).T @ weight / together - first**2
    both = scaled.T @ scaled / together - first * first.T
    spread = np.sqrt(np.maximum(second * second.T, 0.0))
    known = (pairs >= FEWEST_PAIRS) & (spread > 1e-12)
    return np.where(known, both / np.where(known, spread, 1.0), 0.0)
