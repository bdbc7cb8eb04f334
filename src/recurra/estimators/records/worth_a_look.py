"""Which answers are worth a look: the surest, the least sure, wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.estimators.learning.shown import Shown

if TYPE_CHECKING:
    from recurra.types import Booleans, Floats, Integers

__all__ = ["shown_labels", "shown_numbers"]


def shown_labels(
    chances: Floats,
    codes: Integers,
    classes: Sequence[object],
    where: Callable[[int], tuple[int, dict[str, Any]]] = lambda place: (place, {}),
) -> list[Shown]:
    """Choose among labels.

    Parameters
    ----------
    chances : ndarray, shape (answers, classes)
        How probable each is said to be; NaN where nothing was said.
    codes : ndarray of int, shape (answers,)
        What is right; -1 where unknown.
    classes : sequence
        The labels.
    where : callable
        Gives the place of an answer's record, and which of its answers it is, for `explain`.

    Returns
    -------
    list of Shown
        The surest right answer, the least sure, and the surest wrong one, those that there are.

    Examples
    --------
    >>> chances = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    >>> [(each.why, each.place) for each in shown_labels(chances, np.array([0, 1, 0]), "ab")]
    [('The surest right answer', 0), ('The least sure answer', 1), ('The surest wrong answer', 2)]
    """
    from recurra.auditing.phrases import percent, quoted

    said: Booleans = np.isfinite(chances.sum(1))
    known = said & (codes >= 0)
    sure = np.where(said, chances.max(1, initial=-1.0, where=said[:, None]), np.nan)
    best = np.zeros(len(chances), np.int64)
    best[said] = chances[said].argmax(1)
    kinds = [
        ("The surest right answer", known & (best == codes), 1.0),
        ("The least sure answer", said, -1.0),
        ("The surest wrong answer", known & (best != codes), 1.0),
    ]
    found: dict[int, Shown] = {}
    for why, among, sign in kinds:
        if not among.any():
            continue
        answer = int(np.argmax(np.where(among, sign * sure, -np.inf)))
        place, asked = where(answer)
        told = f"said {quoted(classes[best[answer]])} ({percent(float(sure[answer]))})"
        if known[answer]:
            right = best[answer] == codes[answer]
            told += ", which is right" if right else f", but it is {quoted(classes[codes[answer]])}"
        found.setdefault(answer, Shown(place, why, told, asked))
    return [*found.values()]


def shown_numbers(said: Floats, truth: Floats) -> list[Shown]:
    """Choose among numbers.

    Parameters
    ----------
    said, truth : ndarray, shape (records, outputs)
        What was answered, and what is right; NaN where unknown.

    Returns
    -------
    list of Shown
        Of the first output the largest error, one in the middle, and the largest answer.

    Examples
    --------
    >>> said, truth = np.array([[1.0], [5.0], [2.0]]), np.array([[1.5], [2.0], [2.0]])
    >>> [(each.why, each.place) for each in shown_numbers(said, truth)]
    [('A usual error', 0), ('The largest error', 1)]
    """
    from recurra.auditing.phrases import number

    said, truth = said[:, 0], truth[:, 0]
    error, found = np.abs(said - truth), dict[int, Shown]()
    order = [int(k) for k in np.argsort(error, kind="stable") if not np.isnan(error[k])]
    kinds: list[tuple[str, int]] = []
    if order:
        kinds += [("A usual error", order[len(order) // 2]), ("The largest error", order[-1])]
    if not np.isnan(said).all():
        kinds.append(("The largest answer", int(np.nanargmax(said))))
    for why, place in kinds:
        told = f"said {number(float(said[place]))}"
        if not np.isnan(truth[place]):
            told += f", but it is {number(float(truth[place]))}"
        found.setdefault(place, Shown(place, why, told, {}))
    return [*found.values()]
