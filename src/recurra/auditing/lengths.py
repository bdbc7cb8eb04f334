"""How long records are: those without steps, with one, and those far longer than the others."""

from __future__ import annotations

import numpy as np

from recurra.auditing.case import Case, View
from recurra.auditing.finding import Finding
from recurra.auditing.phrases import names, plural

__all__ = ["find_lengths"]

UNEVEN = 10
"""The longest record is this many times as long as the one in the middle."""


def find_lengths(case: Case) -> list[Finding]:
    """Look at the lengths of the records of each stream.

    Parameters
    ----------
    case : Case
        The data.

    Returns
    -------
    list of Finding
        Empty and single-step records, and uneven lengths.
    """
    found: list[Finding] = []
    if case.total > len(case.dataset):
        said = f"{len(case.dataset):,} of {case.total:,} records, drawn by chance, were looked at."
        numbers = {"records": len(case.dataset), "of": case.total}
        found.append(Finding("sampled", "note", said, numbers=numbers))
    for view in case.streams.values():
        found += _of_stream(case, view)
    return found


def _of_stream(case: Case, view: View) -> list[Finding]:
    lengths, found = view.stream.lengths, []
    total, longest, middle = len(lengths), int(lengths.max()), float(np.median(lengths))
    empty, single = np.flatnonzero(lengths == 0), np.flatnonzero(lengths == 1)
    if empty.size:
        whose = names(case.dataset.ids[i] for i in empty)
        verb = "has" if empty.size == 1 else "have"
        said = f"{empty.size:,} of {plural(total, 'record')} {verb} no steps ({whose})"
        numbers = {"records": int(empty.size), "of": total}
        said += ": leave them out, unless another stream tells of them."
        found.append(Finding("empty_records", "warning", said, view.name, numbers=numbers))
    if single.size and longest > 1:
        whose = names(case.dataset.ids[i] for i in single)
        verb = "has" if single.size == 1 else "have"
        said = f"{single.size:,} of {plural(total, 'record')} {verb} a single step ({whose})."
        numbers = {"records": int(single.size), "of": total}
        found.append(Finding("single_steps", "note", said, view.name, numbers=numbers))
    if longest > UNEVEN * max(middle, 1):
        whose = names([case.dataset.ids[int(lengths.argmax())]])
        said = (
            f"The longest record ({whose}) has {longest:,} steps, the one in the middle "
            f"{middle:,.0f}: batch records of similar lengths, or cut long ones into windows."
        )
        size = {"longest": longest, "median": middle}
        found.append(Finding("uneven_lengths", "advice", said, view.name, numbers=size))
    return found
